//! Faults in the middle of operations: what stays done, what a rerun does, and that a fork runs on as the original does.

mod runbook;
mod support;

use std::collections::BTreeMap;

use firedrill_fabric::operation::{CmsFailover, PoolFailback, PoolFailover};
use firedrill_fabric::serving::{DataKind, ServiceMode};
use firedrill_fabric::{Change, Fabric, Fault, Operation, OperationReport, Place, PoolState, ProcessId};
use firedrill_topology::{EdgePoolId, PoolId, SiteId, SqlId};
use rstest::rstest;
use runbook::{Runbook, at, disaster_cms, disaster_failover, failback, planned_failover};
use support::{Drill, POOL1, POOL2, Plan, minutes, seconds};

const SITE1: Fault = Fault::Site(SiteId(0));
const SQL2: [Fault; 2] = [Fault::SqlInstance(SqlId(3)), Fault::SqlInstance(SqlId(4))];
const SQL1: [Fault; 2] = [Fault::SqlInstance(SqlId(0)), Fault::SqlInstance(SqlId(1))];

fn served_by(pool: PoolId) -> BTreeMap<(ServiceMode, Option<PoolId>), u32> {
    BTreeMap::from([((ServiceMode::Regular, Some(pool)), 20_000)])
}

/// Everything healthy, CMS and next hop on pool 2.
fn planned() -> Fabric {
    let mut fabric = Plan::default().fabric();
    let caller = fabric.front_end(POOL2, 1);
    fabric.fail_cms_over(CmsFailover::Normal, caller).outcome.expect("both pools are healthy");
    fabric.next_hop(EdgePoolId(0), POOL2, caller);
    fabric.run(minutes(10));
    fabric
}

/// Pool 1 failed over in a plan, both pools healthy.
fn failed_over() -> Fabric {
    let mut fabric = planned();
    let caller = fabric.front_end(POOL2, 1);
    fabric.fail_over(planned_failover(POOL1), caller).outcome.expect("healthy");
    fabric.run(minutes(10));
    fabric
}

fn begin(fabric: &mut Fabric, operation: Operation) -> ProcessId {
    let caller = fabric.front_end(POOL2, 1);
    fabric.start_operation(operation, at(caller))
}

fn ended(fabric: &mut Fabric, process: ProcessId) -> OperationReport {
    fabric.take_report(process).expect("it has ended")
}

/// The backup pool's back end vanishes at several seconds of a run of 170: hydration gives up after repeated attempts,
/// the pool stays FailingOver, and running the cmdlet again after the mending completes (dossier C.5, 0.3).
#[rstest]
fn a_failover_whose_backup_back_end_vanishes(#[values(21, 30, 60, 95, 130, 165)] second: i64) {
    let mut fabric = planned();
    let process = begin(&mut fabric, Operation::PoolFailover(planned_failover(POOL1)));
    fabric.run(seconds(second));
    let struck = fabric.now();
    SQL2.into_iter().for_each(|fault| fabric.strike(fault));
    fabric.run(minutes(10));
    let report = ended(&mut fabric, process);
    let error = report.outcome.expect_err("no back end to load users into");
    assert_eq!(report.ended.since(struck), minutes(5), "five attempts, a minute apart");
    assert_eq!(error.message, "Failed to complete hydration process after repeated attempts.");
    assert_eq!(fabric.pool_state(POOL1), PoolState::FailingOver);
    assert_eq!(fabric.modes(POOL1).keys().next().map(|(mode, _)| *mode), Some(ServiceMode::Resiliency));
    SQL2.into_iter().for_each(|fault| fabric.mend(fault));
    fabric.run(minutes(5));
    let caller = fabric.front_end(POOL2, 1);
    fabric.fail_over(disaster_failover(POOL1), caller).outcome.expect("run again");
    assert_eq!((fabric.pool_state(POOL1), fabric.modes(POOL1)), (PoolState::FailedOver, served_by(POOL2)));
}

/// A short loss is survived: the step is repeated, the run takes longer by the attempts.
#[test]
fn hydration_survives_an_outage_shorter_than_its_attempts() {
    let mut fabric = planned();
    let started = fabric.now();
    let process = begin(&mut fabric, Operation::PoolFailover(disaster_failover(POOL1)));
    fabric.run(seconds(60));
    SQL2.into_iter().for_each(|fault| fabric.strike(fault));
    fabric.run(minutes(2));
    SQL2.into_iter().for_each(|fault| fabric.mend(fault));
    fabric.run(minutes(10));
    let report = ended(&mut fabric, process);
    report.outcome.expect("three attempts of five");
    assert!(report.ended.since(started) > minutes(4) && report.ended.since(started) < minutes(7));
}

/// An automatic failover of the backup pool's mirror does not break a run.
#[test]
fn hydration_survives_an_automatic_failover_of_the_mirror() {
    let mut fabric = planned();
    let process = begin(&mut fabric, Operation::PoolFailover(disaster_failover(POOL1)));
    fabric.run(seconds(60));
    fabric.strike(Fault::SqlInstance(SqlId(3)));
    fabric.run(minutes(10));
    ended(&mut fabric, process).outcome.expect("the mirror took over within half a minute");
}

#[derive(Debug, Clone, Copy)]
enum Cut {
    Source,
    Port,
    Link,
}

/// A planned run needs its source to the end; disaster mode then finishes what it began (dossier C.2, C.5).
#[rstest]
fn a_planned_failover_that_loses_its_source(#[values(Cut::Source, Cut::Port, Cut::Link)] cut: Cut, #[values(5, 21, 90, 160)] second: i64) {
    let mut fabric = planned();
    let process = begin(&mut fabric, Operation::PoolFailover(planned_failover(POOL1)));
    fabric.run(seconds(second));
    fabric.strike(match cut {
        Cut::Source => Fault::Pool(POOL1),
        Cut::Port => Fault::Port { from: Place::Site(SiteId(1)), to: Place::Site(SiteId(0)), port: 9001 },
        Cut::Link => Fault::Link(SiteId(0), SiteId(1)),
    });
    let error = ended(&mut fabric, process).outcome.expect_err("the source is gone");
    assert_eq!(error.message, "Could not find a compatible interface with the server.");
    assert_eq!(fabric.pool_state(POOL1), PoolState::FailingOver);
    let caller = fabric.front_end(POOL2, 1);
    fabric.fail_over(disaster_failover(POOL1), caller).outcome.expect("without the source");
    assert_eq!(fabric.modes(POOL1), served_by(POOL2));
    // What the drain had shipped by second 20 is not lost; before that, at most a cycle of two minutes.
    let lost = fabric.lost(POOL1, DataKind::UserData);
    assert!(if second >= 20 { lost.is_empty() } else { lost.iter().all(|window| *window < Some(minutes(2))) }, "{lost:?}");
}

/// The CMS goes in the middle: the pool state cannot be written at the end, and the pool stays FailingOver.
#[test]
fn a_failover_that_cannot_write_its_state() {
    let mut fabric = planned();
    let process = begin(&mut fabric, Operation::PoolFailover(planned_failover(POOL1)));
    fabric.run(seconds(60));
    fabric.strike(Fault::ActiveDirectory);
    fabric.run(minutes(10));
    assert_eq!(ended(&mut fabric, process).outcome.expect_err("no CMS").id, "PoolStateNotWritten");
    assert_eq!(fabric.pool_state(POOL1), PoolState::FailingOver);
    fabric.mend(Fault::ActiveDirectory);
    let caller = fabric.front_end(POOL2, 1);
    fabric.fail_over(planned_failover(POOL1), caller).outcome.expect("run again");
    assert_eq!(fabric.pool_state(POOL1), PoolState::FailedOver);
}

/// Failback of 60 minutes, 15 of them sync: before the redirect users stay on the backup pool in full, after it they wait
/// on the home pool in resiliency; a rerun completes (dossier B.3, 0.3).
#[rstest]
#[case::at_once(1, "FailedBack in sync", ServiceMode::Regular, POOL2)]
#[case::in_sync(14, "FailedBack in sync", ServiceMode::Regular, POOL2)]
#[case::just_redirected(16, "FailedBack in hydration", ServiceMode::Resiliency, POOL1)]
#[case::late(59, "FailedBack in hydration", ServiceMode::Resiliency, POOL1)]
fn a_failback_cut_at_several_minutes(#[case] minute: i64, #[case] phase: &str, #[case] mode: ServiceMode, #[case] pool: PoolId) {
    let mut fabric = failed_over();
    let process = begin(&mut fabric, Operation::PoolFailback(failback(POOL1)));
    fabric.run(minutes(minute));
    assert_eq!(fabric.pool_state(POOL1), PoolState::FailedBack);
    assert_eq!(fabric.modes(POOL1), BTreeMap::from([((mode, Some(pool)), 20_000)]), "{phase}");
    fabric.strike(Fault::Port { from: Place::Pool(POOL2), to: Place::Pool(POOL1), port: 9001 });
    assert_eq!(ended(&mut fabric, process).outcome.expect_err("no interface").id, "CompatibleInterface");
    assert_eq!(fabric.pool_state(POOL1), PoolState::FailedBack);
    assert_eq!(fabric.modes(POOL1), BTreeMap::from([((mode, Some(pool)), 20_000)]), "nobody moves when it breaks off");
    fabric.mend(Fault::Port { from: Place::Pool(POOL2), to: Place::Pool(POOL1), port: 9001 });
    let caller = fabric.front_end(POOL2, 1);
    fabric.fail_back(failback(POOL1), caller).outcome.expect("run again");
    assert_eq!((fabric.pool_state(POOL1), fabric.modes(POOL1)), (PoolState::Active, served_by(POOL1)));
    assert_eq!(fabric.data_losses(), []);
}

#[test]
fn a_failback_whose_home_back_end_vanishes_says_so_and_can_be_run_again() {
    let mut fabric = failed_over();
    let process = begin(&mut fabric, Operation::PoolFailback(failback(POOL1)));
    fabric.run(minutes(30));
    SQL1.into_iter().for_each(|fault| fabric.strike(fault));
    fabric.run(minutes(10));
    let error = ended(&mut fabric, process).outcome.expect_err("no back end");
    assert_eq!(error.message, "Failed to complete hydration process after repeated attempts.");
    assert_eq!(fabric.pool_state(POOL1), PoolState::FailedBack);
    SQL1.into_iter().for_each(|fault| fabric.mend(fault));
    fabric.run(minutes(5));
    let caller = fabric.front_end(POOL2, 1);
    fabric.fail_back(failback(POOL1), caller).outcome.expect("run again");
    assert_eq!(fabric.modes(POOL1), served_by(POOL1));
}

/// The backup pool is lost in the sync of a failback: the data cannot come home. With -SkipDataVerification it is lost.
#[test]
fn a_failback_without_a_way_home_waits_and_then_refuses() {
    let mut fabric = failed_over();
    let caller = fabric.front_end(POOL2, 1);
    fabric.strike(Fault::BackupService(POOL2));
    fabric.run(minutes(10));
    let started = fabric.now();
    let order = PoolFailback { wait: seconds(40), ..failback(POOL1) };
    let report = fabric.fail_back(order.clone(), caller);
    assert_eq!(report.outcome.expect_err("not shipped").id, "DataVerificationFailed");
    assert_eq!(report.ended.since(started), seconds(40));
    assert_eq!((fabric.pool_state(POOL1), fabric.modes(POOL1)), (PoolState::FailedBack, served_by(POOL2)));
    fabric.fail_back(PoolFailback { skip_verification: true, ..order }, caller).outcome.expect("goes on");
    assert_eq!(fabric.modes(POOL1), served_by(POOL1));
    assert!(fabric.lost(POOL1, DataKind::UserData)[0] >= Some(minutes(10)));
}

/// A drain that cannot end waits for -WaitTime, warns, and refuses or goes on as the switch says (dossier C.1).
#[test]
fn a_drain_that_cannot_end() {
    let mut fabric = planned();
    let caller = fabric.front_end(POOL2, 1);
    fabric.strike(Fault::FileStore(firedrill_topology::FileStoreId(0)));
    fabric.run(minutes(7));
    let order = PoolFailover { wait: Some(minutes(2)), ..planned_failover(POOL1) };
    let report = fabric.fail_over(order.clone(), caller);
    assert_eq!(report.outcome.expect_err("content is not shipped").id, "DataVerificationFailed");
    assert_eq!(report.ended.since(report.started), minutes(2));
    assert_eq!(fabric.pool_state(POOL1), PoolState::FailingOver);
    fabric.fail_over(PoolFailover { skip_verification: true, ..order }, caller).outcome.expect("goes on");
    assert_eq!(fabric.lost(POOL1, DataKind::UserData), []);
    assert!(fabric.lost(POOL1, DataKind::ConferenceContent)[0] >= Some(minutes(7)));
}

/// A fault scheduled for minute 3 strikes in the middle of `perform`.
#[test]
fn scheduled_faults_strike_while_a_cmdlet_runs() {
    let mut fabric = failed_over();
    let caller = fabric.front_end(POOL2, 1);
    fabric.schedule(fabric.now() + minutes(3), Change::Inject(Fault::Pool(POOL1)));
    let report = fabric.fail_back(failback(POOL1), caller);
    assert!(report.outcome.is_err());
    assert!(report.ended.since(report.started) >= minutes(3));
}

/// P3 and P4 as one history, with faults on the way.
fn whole_story(fabric: &mut Fabric, from: usize, mut after: impl FnMut(&mut Fabric, usize)) {
    let caller = fabric.front_end(POOL2, 1);
    let steps: [&dyn Fn(&mut Fabric); 8] = [
        &|fabric| fabric.run(minutes(7)),
        &|fabric| fabric.strike(SITE1),
        &|fabric| fabric.run(minutes(6)),
        &|fabric| drop(fabric.fail_cms_over(disaster_cms("sqlp2.contoso.com"), caller)),
        &|fabric| fabric.next_hop(EdgePoolId(0), POOL2, caller),
        &|fabric| drop(fabric.fail_over(disaster_failover(POOL1), caller)),
        &|fabric| {
            fabric.mend(SITE1);
            fabric.run(minutes(30));
        },
        &|fabric| drop(fabric.fail_back(failback(POOL1), caller)),
    ];
    for (position, step) in steps.iter().enumerate().skip(from) {
        step(fabric);
        after(fabric, position);
    }
}

#[test]
fn the_same_inputs_give_the_same_history() {
    let run = |seed| {
        let mut fabric = Plan::default().fabric_with_seed(seed);
        whole_story(&mut fabric, 0, |_, _| {});
        (fabric.digest(), fabric.take_log().len())
    };
    assert_eq!(run(7), run(7));
    assert!(run(7).1 > 20, "the digest covers a log worth the name");
}

#[test]
fn a_fork_at_every_step_tells_the_same_story() {
    let mut forks = Vec::new();
    let mut fabric = Plan::default().fabric();
    whole_story(&mut fabric, 0, |fabric, position| forks.push((position, fabric.clone())));
    for (position, mut fork) in forks {
        whole_story(&mut fork, position + 1, |_, _| {});
        assert_eq!(fork.digest(), fabric.digest(), "forked after step {position}");
        assert_eq!(fork, fabric, "forked after step {position}");
    }
}

/// Cloned at every deadline of a run, original and fork reach the same end.
#[rstest]
#[case::planned_failover(false, Operation::PoolFailover(planned_failover(POOL1)))]
#[case::failback(true, Operation::PoolFailback(failback(POOL1)))]
fn a_fork_in_the_middle_of_a_process_runs_on_alike(#[case] over: bool, #[case] operation: Operation) {
    let mut fabric = if over { failed_over() } else { planned() };
    let process = begin(&mut fabric, operation);
    let until = fabric.now() + minutes(70);
    let mut forks = vec![fabric.clone()];
    while let Some(due) = fabric.next_deadline().filter(|due| *due <= until) {
        fabric.advance_to(due).expect("within the limits");
        forks.push(fabric.clone());
    }
    fabric.advance_to(until).expect("within the limits");
    assert!(forks.len() > 5);
    for mut fork in forks {
        fork.advance_to(until).expect("within the limits");
        assert_eq!(fork.digest(), fabric.digest());
        assert_eq!(fork.take_report(process), fabric.clone().take_report(process));
    }
}
