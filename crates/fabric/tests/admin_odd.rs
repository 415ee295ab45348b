//! Odd sequences, as tired administrators run them, and what an expert would answer (dossier 0.3, B.3, C.3, D.5).

mod runbook;
mod support;

use firedrill_fabric::operation::CmsFailover;
use firedrill_fabric::{Behaviour, Fabric, Fault, Operation, PoolState, ServiceMode, ServiceName};
use firedrill_topology::{EdgePoolId, PoolId, SiteId};
use runbook::{Runbook, at, disaster_failover, failback, planned_failover};
use support::{Drill, POOL1, POOL2, Plan, minutes, seconds};

/// CMS and next hops on pool 2, so that pool 1 can be failed over.
fn ready() -> Fabric {
    let mut fabric = Plan::default().fabric();
    let caller = fabric.front_end(POOL2, 1);
    fabric.next_hop(EdgePoolId(0), POOL2, caller);
    fabric.run(minutes(3));
    assert_eq!(fabric.fail_cms_over(CmsFailover::Normal, caller).outcome, Ok(()));
    fabric.run(minutes(5));
    fabric
}

fn all(fabric: &Fabric, mode: ServiceMode, pool: Option<PoolId>) -> bool {
    fabric.modes(POOL1).into_iter().collect::<Vec<_>>() == [((mode, pool), 20_000)]
}

#[test]
fn a_second_failover_and_a_failback_wait_for_the_first_failover() {
    let mut fabric = ready();
    let caller = fabric.front_end(POOL2, 1);
    let first = fabric.start_operation(Operation::PoolFailover(planned_failover(POOL1)), at(caller));
    fabric.run(seconds(30));
    for refused in [fabric.fail_over(disaster_failover(POOL1), caller), fabric.fail_back(failback(POOL1), caller)] {
        assert_eq!(refused.outcome.map_err(|error| error.id), Err("TransferInProgress"));
    }
    fabric.run(minutes(30));
    assert_eq!(fabric.take_report(first).map(|report| report.outcome), Some(Ok(())), "undisturbed");
    let again = fabric.fail_over(disaster_failover(POOL1), caller).outcome;
    assert_eq!(again.map_err(|error| error.id), Err("FailoverWrongState"));
    assert!(all(&fabric, ServiceMode::Regular, Some(POOL2)));
}

#[test]
fn the_front_end_service_stopped_on_two_of_three_costs_the_quorum() {
    let mut fabric = ready();
    fabric.strike(Fault::Service(fabric.front_end(POOL1, 1), ServiceName::RtcSrv));
    assert!(all(&fabric, ServiceMode::Regular, Some(POOL1)));
    fabric.strike(Fault::Service(fabric.front_end(POOL1, 2), ServiceName::RtcSrv));
    assert!(all(&fabric, ServiceMode::SignedOut, None), "the third stops too");
    fabric.run(minutes(6));
    assert!(all(&fabric, ServiceMode::Resiliency, Some(POOL2)));
    let planned = fabric.fail_over(planned_failover(POOL1), fabric.front_end(POOL2, 1)).outcome;
    assert_eq!(planned.map_err(|error| error.id), Err("DcomError"), "nobody of pool 1 answers a planned failover");
}

#[test]
fn a_backup_pool_that_dies_while_a_failback_syncs_leaves_it_to_be_run_again() {
    let mut fabric = ready();
    let (home, backup) = (fabric.front_end(POOL1, 1), fabric.front_end(POOL2, 1));
    assert_eq!(fabric.fail_over(planned_failover(POOL1), backup).outcome, Ok(()));
    fabric.run(minutes(10));
    let process = fabric.start_operation(Operation::PoolFailback(failback(POOL1)), at(home));
    fabric.run(minutes(5));
    let dead = [fabric.front_end(POOL2, 2), fabric.front_end(POOL2, 3)];
    fabric.strike(Fault::Computer(dead[0]));
    assert!(all(&fabric, ServiceMode::Regular, Some(POOL2)), "one Front End is not missed");
    fabric.strike(Fault::Computer(dead[1]));
    fabric.run(minutes(60));
    let outcome = fabric.take_report(process).expect("ended").outcome;
    assert_eq!(outcome.map_err(|error| error.id), Err("DataVerificationFailed"));
    assert_eq!(fabric.pool_state(POOL1), PoolState::FailedBack);
    dead.into_iter().for_each(|computer| fabric.mend(Fault::Computer(computer)));
    fabric.run(support::LONG);
    assert_eq!(fabric.fail_back(failback(POOL1), home).outcome, Ok(()));
    assert!(all(&fabric, ServiceMode::Regular, Some(POOL1)));
}

#[test]
fn a_second_cms_failover_too_soon_finds_no_backup_mode_and_succeeds_later() {
    let mut fabric = ready();
    let (one, two) = (fabric.front_end(POOL1, 1), fabric.front_end(POOL2, 1));
    assert_eq!(fabric.fail_cms_over(CmsFailover::Normal, one).outcome, Ok(()));
    let soon = fabric.fail_cms_over(CmsFailover::Normal, two).outcome;
    assert_eq!(soon.map_err(|error| error.id), Err("NotInBackupMode"));
    fabric.run(minutes(5));
    assert_eq!(fabric.fail_cms_over(CmsFailover::Normal, two).outcome, Ok(()));
}

#[test]
fn a_home_pool_that_returns_in_the_middle_of_a_disaster_failover_does_not_take_its_users_back() {
    let mut fabric = ready();
    let caller = fabric.front_end(POOL2, 1);
    fabric.strike(Fault::Site(SiteId(0)));
    fabric.run(minutes(2));
    let process = fabric.start_operation(Operation::PoolFailover(disaster_failover(POOL1)), at(caller));
    fabric.run(seconds(40));
    fabric.mend(Fault::Site(SiteId(0)));
    fabric.run(minutes(30));
    assert_eq!(fabric.take_report(process).expect("ended").outcome, Ok(()));
    assert!(all(&fabric, ServiceMode::Regular, Some(POOL2)));
}

/// Behind a cut link a planned failover is refused, and one in disaster mode reaches no user of a pool that runs on: its
/// clients find it as before. When the link is back, the pool learns that it was failed over.
#[test]
fn a_running_pool_that_is_failed_over_behind_a_cut_link_keeps_its_users_until_the_link_is_back() {
    let mut fabric = ready();
    let caller = fabric.front_end(POOL2, 1);
    let link = Fault::Link(SiteId(0), SiteId(1));
    fabric.strike(link.clone());
    fabric.run(minutes(20));
    assert!(all(&fabric, ServiceMode::Regular, Some(POOL1)), "a cut link moves nobody");
    assert_eq!(fabric.fail_over(planned_failover(POOL1), caller).outcome.map_err(|error| error.id), Err("DcomError"));
    assert_eq!(fabric.fail_over(disaster_failover(POOL1), caller).outcome, Ok(()));
    assert_eq!(fabric.pool_state(POOL1), PoolState::FailedOver);
    assert!(all(&fabric, ServiceMode::Regular, Some(POOL1)), "{:?}", fabric.modes(POOL1));
    fabric.mend(link);
    fabric.run(minutes(5));
    assert!(all(&fabric, ServiceMode::Regular, Some(POOL2)), "{:?}", fabric.modes(POOL1));
    assert!(fabric.behaviours().iter().any(|behaviour| behaviour == Behaviour::FailedOverUnaware));
}
