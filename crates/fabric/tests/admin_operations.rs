//! The smaller operations: users, databases, services, single computers, whole pools (dossier B.5, B.9, E.2, G).

mod runbook;
mod support;

use firedrill_fabric::administration::{COMPUTER_DRAIN_TIME, MOVE_USER_TIME};
use firedrill_fabric::operation::{DatabaseGroup, MirrorSide, RegistrarReset};
use firedrill_fabric::serving::{DataKind, ServiceMode};
use firedrill_fabric::{Fabric, Fault, Operation, ServiceName, ServiceStatus};
use firedrill_topology::{ComputerId, EdgePoolId, ProductVersion, SiteId, SqlId, UserId};
use rstest::rstest;
use runbook::{Runbook, disaster_cms, disaster_failover, refusal};
use support::{Drill, LONG, POOL1, POOL2, Plan, Sql, minutes, seconds};

fn fabric() -> Fabric {
    Plan::default().fabric()
}

fn move_user(user: u32, force: bool) -> Operation {
    Operation::MoveUser { user: UserId(user), target: POOL2, force }
}

#[test]
fn a_user_moves_with_contacts_from_a_living_pool() {
    let mut fabric = fabric();
    let caller = fabric.front_end(POOL2, 1);
    let report = fabric.go(move_user(5, false), caller);
    assert_eq!((report.outcome, report.ended.since(report.started)), (Ok(()), MOVE_USER_TIME));
    assert_eq!((fabric.registrar_pool(UserId(5)), fabric.users_homed(POOL1), fabric.users_homed(POOL2)), (POOL2, 19_999, 20_001));
    assert_eq!(fabric.data_losses(), []);
}

#[test]
fn a_user_of_a_dead_pool_moves_with_force_and_without_contacts() {
    let mut fabric = fabric();
    let caller = fabric.front_end(POOL2, 1);
    for number in 1..=2 {
        let computer = fabric.front_end(POOL1, number);
        fabric.strike(Fault::Computer(computer));
    }
    let refused = fabric.go(move_user(5, false), caller).outcome.expect_err("the source is dead");
    assert_eq!((refused.id, refused.exception), ("MoveError", "Microsoft.Rtc.Management.AD.MoveUserException"));
    assert_eq!(fabric.registrar_pool(UserId(5)), POOL1);
    // With the quorum lost the CMS agents stopped, but the store answers: a move needs no agent.
    fabric.go(move_user(5, true), caller).outcome.expect("the account moves");
    assert_eq!(fabric.registrar_pool(UserId(5)), POOL2);
    assert_eq!(fabric.lost(POOL1, DataKind::UserData), [None]);
    fabric.strike(Fault::Site(SiteId(0)));
    assert_eq!(refusal(&fabric.go(move_user(6, true), caller)), "StoreUnreachable", "a move reads the topology (dossier D.9)");
}

/// B.5, B.9: an outage and a loss belong to the user who had them, wherever the user is homed afterwards.
#[test]
fn outages_and_losses_follow_the_user() {
    let mut fabric = Plan { paired: false, ..Plan::default() }.fabric();
    let caller = fabric.front_end(POOL2, 1);
    let (early, late, left) = (UserId(4), UserId(5), UserId(6));
    fabric.go(move_user(4, false), caller).outcome.expect("all is well");
    fabric.run(minutes(1));
    let began = fabric.now();
    for number in 1..=2 {
        let computer = fabric.front_end(POOL1, number);
        fabric.strike(Fault::Computer(computer));
    }
    fabric.run(minutes(10));
    fabric.go(move_user(5, true), caller).outcome.expect("the account moves");
    let moved = fabric.now();
    fabric.run(minutes(10));

    let spans = |fabric: &Fabric, first, last| -> Vec<_> {
        fabric.outages_between(first, last).iter().map(|outage| (outage.began, outage.ended, outage.signed_out_user_seconds)).collect()
    };
    assert_eq!(spans(&fabric, early, early), [], "moved before anything happened");
    let own = moved.since(began).as_secs() as u64;
    assert_eq!(spans(&fabric, late, late), [(began, Some(moved), own)], "the move ended it");
    let whole = fabric.now().since(began).as_secs() as u64;
    assert_eq!(spans(&fabric, left, left), [(began, None, whole)], "nobody moved this one");
    assert_eq!(spans(&fabric, early, left), [(began, None, own + whole)], "as a group: until the last is served");
    assert_eq!(fabric.outages(POOL1)[0].signed_out_user_seconds, 19_998 * whole + own, "all but the two, and one for a while");
    assert!(fabric.outages(POOL2).is_empty(), "nobody brings an old outage along");

    let lost = |first, last| fabric.losses_between(first, last).map(|loss| (loss.user, loss.window)).collect::<Vec<_>>();
    assert_eq!(lost(late, late), [(Some(late), None)]);
    assert_eq!((lost(early, early), lost(left, left)), (vec![], vec![]));
    assert_eq!(lost(early, left), [(Some(late), None)]);
}

/// A pool's loss is that of the users who were homed on it at that time (dossier A.6).
#[test]
fn a_pools_loss_is_not_that_of_users_who_had_left() {
    let mut fabric = fabric();
    let caller = fabric.front_end(POOL2, 1);
    fabric.go(move_user(4, false), caller).outcome.expect("all is well");
    fabric.run(minutes(3));
    fabric.strike(Fault::Pool(POOL1));
    fabric.fail_cms_over(disaster_cms("sqlp2.contoso.com"), caller).outcome.expect("the CMS fails over");
    fabric.next_hop(EdgePoolId(0), POOL2, caller);
    fabric.fail_over(disaster_failover(POOL1), caller).outcome.expect("the pool fails over");
    let kinds = |user| fabric.losses_between(user, user).filter(|loss| loss.kind == DataKind::UserData).count();
    assert_eq!(fabric.lost(POOL1, DataKind::UserData).len(), 1);
    assert_eq!((kinds(UserId(4)), kinds(UserId(5))), (0, 1));
}

fn database(side: MirrorSide, force: bool) -> Operation {
    Operation::DatabaseFailover { pool: POOL1, databases: DatabaseGroup::User, new_principal: side, force }
}

#[test]
fn a_database_failover_swaps_the_principal() {
    let mut fabric = Plan { sql: Sql::Mirrored, ..Plan::default() }.fabric();
    let caller = fabric.front_end(POOL2, 1);
    fabric.go(database(MirrorSide::Mirror, false), caller).outcome.expect("both sides answer");
    assert_eq!(fabric.principal(POOL1, DatabaseGroup::User), Some(SqlId(1)));
    assert_eq!(fabric.principal(POOL1, DatabaseGroup::CentralMgmt), Some(SqlId(0)), "one group at a time");
    fabric.strike(Fault::SqlInstance(SqlId(1)));
    assert_eq!(refusal(&fabric.go(database(MirrorSide::Primary, false), caller)), "PrincipalInaccessible");
    fabric.go(database(MirrorSide::Primary, true), caller).outcome.expect("forced");
    assert_eq!(fabric.principal(POOL1, DatabaseGroup::User), Some(SqlId(0)));
    assert_eq!(refusal(&fabric.go(database(MirrorSide::Mirror, true), caller)), "NewPrincipalInaccessible");
}

#[test]
fn a_database_failover_needs_a_mirror() {
    let mut fabric = Plan { sql: Sql::StandAlone, ..Plan::default() }.fabric();
    let caller = fabric.front_end(POOL2, 1);
    assert_eq!(refusal(&fabric.go(database(MirrorSide::Mirror, false), caller)), "NotMirrored");
}

fn start(computer: ComputerId, service: Option<ServiceName>) -> Operation {
    Operation::StartServices { computer, service, no_wait: false }
}

fn stop(computer: ComputerId, service: Option<ServiceName>) -> Operation {
    Operation::StopServices { computer, service, graceful: false, no_wait: false }
}

#[test]
fn services_stop_and_start_and_the_cmdlet_waits_for_them() {
    let mut fabric = fabric();
    let edge = fabric.topology().edge_pools[0].servers[0].computer;
    let status = |fabric: &Fabric, service| fabric.service(edge, service).expect("installed").status;
    fabric.go(stop(edge, None), edge).outcome.expect("stops");
    assert!(fabric.services(edge).iter().all(|(_, state)| state.status == ServiceStatus::Stopped));
    fabric.go(start(edge, Some(ServiceName::RtcXmppTgwPx)), edge).outcome.expect("starts");
    assert_eq!(status(&fabric, ServiceName::RtcXmppTgwPx), ServiceStatus::Running);
    assert_eq!(status(&fabric, ServiceName::RtcSrv), ServiceStatus::Stopped);
    fabric.go(start(edge, None), edge).outcome.expect("starts");
    assert!(fabric.services(edge).iter().all(|(_, state)| state.status == ServiceStatus::Running));
    let again = fabric.go(start(edge, None), edge);
    assert_eq!((again.outcome, again.ended.since(again.started)), (Ok(()), seconds(0)), "running already is no error");
    let no_wait = Operation::StopServices { computer: edge, service: None, graceful: true, no_wait: true };
    let report = fabric.go(no_wait, edge);
    assert_eq!(report.ended, report.started);
    assert_eq!(status(&fabric, ServiceName::RtcSrv), ServiceStatus::StopPending);
    assert_eq!(refusal(&fabric.go(start(edge, Some(ServiceName::LyncBackup)), edge)), "ServiceMissing");
}

#[test]
fn services_of_a_computer_that_is_off_cannot_be_controlled() {
    let mut fabric = fabric();
    let (here, there) = (fabric.front_end(POOL1, 1), fabric.front_end(POOL1, 2));
    fabric.strike(Fault::Computer(there));
    assert_eq!(refusal(&fabric.go(start(there, None), here)), "ComputerUnreachable");
}

/// A single Front End of a cold pool hangs in Start Pending (dossier B.8); the cmdlet gives up waiting.
#[test]
fn a_front_end_without_quorum_hangs_and_the_cmdlet_says_so() {
    let mut fabric = fabric();
    let caller = fabric.front_end(POOL1, 1);
    for number in 1..=3 {
        let computer = fabric.front_end(POOL1, number);
        fabric.go(stop(computer, None), caller).outcome.expect("stops");
    }
    let report = fabric.go(start(caller, Some(ServiceName::RtcSrv)), caller);
    assert_eq!(report.outcome.expect_err("hangs").id, "ServiceStartTimeout");
    assert_eq!(fabric.service(caller, ServiceName::RtcSrv).expect("installed").status, ServiceStatus::StartPending);
}

fn computer_failover(computer: ComputerId, force: bool) -> Operation {
    Operation::ComputerFailover { computer, no_stop: false, force, wait: minutes(60), draining: None }
}

#[test]
fn a_front_end_is_taken_out_and_put_back() {
    let mut fabric = fabric();
    let (computer, caller) = (fabric.front_end(POOL1, 2), fabric.front_end(POOL1, 1));
    let report = fabric.go(computer_failover(computer, false), caller);
    report.outcome.expect("two others remain");
    assert!(report.ended.since(report.started) >= COMPUTER_DRAIN_TIME);
    let state = fabric.service(computer, ServiceName::RtcSrv).expect("installed");
    assert_eq!((state.status, state.disabled), (ServiceStatus::Stopped, true));
    assert_eq!(refusal(&fabric.go(start(computer, Some(ServiceName::RtcSrv)), caller)), "ServiceDisabled");
    // A second one would cost the quorum.
    let third = fabric.front_end(POOL1, 3);
    assert_eq!(refusal(&fabric.go(computer_failover(third, false), caller)), "ComputerCapacity");
    let back = Operation::ComputerFailback { computer, no_start: false, wait: minutes(60) };
    fabric.go(back, caller).outcome.expect("starts");
    assert!(fabric.service_running(computer, ServiceName::RtcSrv));
}

#[test]
fn a_drain_longer_than_its_wait_leaves_the_computer_as_it_was() {
    let mut fabric = fabric();
    let (computer, caller) = (fabric.front_end(POOL1, 2), fabric.front_end(POOL1, 1));
    let short = Operation::ComputerFailover { computer, no_stop: false, force: false, wait: minutes(1), draining: None };
    let report = fabric.go(short, caller);
    assert_eq!(report.ended.since(report.started), minutes(1));
    assert_eq!(report.outcome.expect_err("too short").id, "ComputerDrainTimeout");
    let state = fabric.service(computer, ServiceName::RtcSrv).expect("installed");
    assert_eq!((state.status, state.disabled), (ServiceStatus::Running, false));
}

/// `-DrainingTimeout`: what is left is ended, and the failover goes on (dossier G.3).
#[test]
fn a_draining_timeout_cuts_the_drain_short() {
    let mut fabric = fabric();
    let (computer, caller) = (fabric.front_end(POOL1, 2), fabric.front_end(POOL1, 1));
    let cut = Operation::ComputerFailover { computer, no_stop: false, force: false, wait: minutes(60), draining: Some(minutes(1)) };
    let report = fabric.go(cut, caller);
    report.outcome.expect("it does not wait for the last session");
    assert!(report.ended.since(report.started) < COMPUTER_DRAIN_TIME);
    let state = fabric.service(computer, ServiceName::RtcSrv).expect("installed");
    assert_eq!((state.status, state.disabled), (ServiceStatus::Stopped, true));
}

/// G.3: after the wait services are neither started nor enabled.
#[test]
fn a_failback_that_takes_too_long_leaves_the_computer_down() {
    let mut fabric = fabric();
    let (computer, caller) = (fabric.front_end(POOL1, 2), fabric.front_end(POOL1, 1));
    fabric.go(computer_failover(computer, false), caller).outcome.expect("two others remain");
    let back = |wait| Operation::ComputerFailback { computer, no_start: false, wait };
    assert_eq!(refusal(&fabric.go(back(seconds(20)), caller)), "ComputerStartTimeout");
    fabric.run(LONG);
    assert!(fabric.services(computer).iter().all(|(_, state)| state.status == ServiceStatus::Stopped && state.disabled));
    fabric.go(back(minutes(60)), caller).outcome.expect("starts in time");
}

/// `-NoStop` and `-NoStart` (dossier G.3): state is kept for a look at it; services are enabled and left stopped.
#[test]
fn a_computer_failover_can_leave_services_alone() {
    let mut fabric = fabric();
    let (computer, caller) = (fabric.front_end(POOL1, 2), fabric.front_end(POOL1, 1));
    let keep = Operation::ComputerFailover { computer, no_stop: true, force: false, wait: minutes(60), draining: None };
    fabric.go(keep, caller).outcome.expect("drained");
    assert!(fabric.service_running(computer, ServiceName::RtcSrv));
    fabric.go(computer_failover(computer, false), caller).outcome.expect("stopped now");
    fabric.go(Operation::ComputerFailback { computer, no_start: true, wait: minutes(60) }, caller).outcome.expect("enabled");
    fabric.run(minutes(60));
    let state = fabric.service(computer, ServiceName::RtcSrv).expect("installed");
    assert_eq!((state.status, state.disabled), (ServiceStatus::Stopped, false));
    fabric.go(start(computer, None), caller).outcome.expect("starts by hand");
}

/// Disabled "to prevent accidental restart when computer is rebooted" (PS:Invoke-CsComputerFailOver).
#[test]
fn a_reboot_does_not_start_a_computer_that_was_failed_over() {
    let mut fabric = fabric();
    let (computer, caller) = (fabric.front_end(POOL1, 2), fabric.front_end(POOL1, 1));
    fabric.go(computer_failover(computer, false), caller).outcome.expect("two others remain");
    fabric.strike(Fault::Computer(computer));
    fabric.mend(Fault::Computer(computer));
    fabric.run(LONG);
    assert!(fabric.computer_up(computer));
    assert!(fabric.services(computer).iter().all(|(_, state)| state.status == ServiceStatus::Stopped && state.disabled));
}

/// The cmdlet talks to the computer that it moves.
#[test]
fn a_computer_behind_a_cut_link_cannot_be_failed_over() {
    let mut fabric = fabric();
    let (near, far) = (fabric.front_end(POOL1, 2), fabric.front_end(POOL2, 2));
    fabric.strike(Fault::Link(SiteId(0), SiteId(1)));
    assert_eq!(refusal(&fabric.go(computer_failover(far, false), near)), "ComputerUnreachable");
    assert_eq!(
        refusal(&fabric.go(Operation::ComputerFailback { computer: far, no_start: false, wait: minutes(60) }, near)),
        "ComputerUnreachable"
    );
}

#[rstest]
#[case::in_2013(ProductVersion::Lync2013, false, "ComputerFailoverVersion")]
#[case::an_edge_server(ProductVersion::Sfb2015, true, "ComputerNotFrontEnd")]
fn computer_failover_is_for_front_ends_since_2015(#[case] version: ProductVersion, #[case] edge: bool, #[case] id: &str) {
    let mut fabric = Plan { version, ..Plan::default() }.fabric();
    let caller = fabric.front_end(POOL1, 1);
    let computer = if edge { fabric.topology().edge_pools[0].servers[0].computer } else { caller };
    assert_eq!(refusal(&fabric.go(computer_failover(computer, false), fabric.front_end(POOL1, 2))), id);
}

fn reset(kind: RegistrarReset) -> Operation {
    Operation::ResetPoolRegistrarState { pool: POOL1, kind, no_restart: false }
}

#[test]
fn quorum_loss_recovery_brings_back_routing_groups() {
    let mut fabric = Plan { front_ends: 6, ..Plan::default() }.fabric();
    let caller = fabric.front_end(POOL1, 1);
    // Three at once: groups whose replicas all sat there, or two of the three, have no primary.
    for number in 4..=6 {
        let computer = fabric.front_end(POOL1, number);
        fabric.strike(Fault::Computer(computer));
    }
    assert!(!fabric.quorum(POOL1).without_primary.is_empty());
    let report = fabric.go(reset(RegistrarReset::QuorumLossRecovery), caller);
    report.outcome.expect("the back end answers");
    assert!(report.ended.since(report.started) <= minutes(30), "documented limit");
    assert_eq!(fabric.quorum(POOL1).without_primary, []);
}

#[test]
fn a_service_reset_restarts_the_pool() {
    let mut fabric = fabric();
    let caller = fabric.front_end(POOL1, 1);
    let process = fabric.start_operation(reset(RegistrarReset::ServiceReset), runbook::at(caller));
    fabric.run(seconds(20));
    assert!(!fabric.pool_in_service(POOL1));
    fabric.run(LONG);
    fabric.take_report(process).expect("ended").outcome.expect("restarts");
    assert!(fabric.pool_in_service(POOL1));
    assert!(fabric.modes(POOL1).keys().all(|(mode, _)| *mode == ServiceMode::Regular));
}

#[test]
fn resets_refuse_what_cannot_work() {
    let mut fabric = fabric();
    let caller = fabric.front_end(POOL2, 1);
    let stranger = RegistrarReset::MachineStateRemoved(caller);
    assert_eq!(refusal(&fabric.go(reset(stranger), caller)), "MachineNotLost");
    fabric.strike(Fault::SqlInstance(SqlId(0)));
    fabric.strike(Fault::SqlInstance(SqlId(1)));
    assert_eq!(refusal(&fabric.go(reset(RegistrarReset::FullReset), caller)), "RegistrarResetBackEnd");
    fabric.strike(Fault::Pool(POOL1));
    assert_eq!(refusal(&fabric.go(reset(RegistrarReset::ServiceReset), caller)), "PoolHasNoFrontEnd");
}

#[test]
fn start_pool_counts_before_it_starts() {
    let mut fabric = fabric();
    let caller = fabric.front_end(POOL1, 1);
    for number in 1..=3 {
        let computer = fabric.front_end(POOL1, number);
        fabric.go(stop(computer, None), caller).outcome.expect("stops");
    }
    let start_pool =
        |skip: Vec<ComputerId>, quorum_loss_recovery| Operation::StartPool { pool: POOL1, skip, quorum_loss_recovery, force: false };
    let third = fabric.front_end(POOL1, 3);
    let error = fabric.go(start_pool(vec![third], false), caller).outcome.expect_err("three of three are needed (dossier B.8)");
    assert_eq!(error.id, "StartPoolTooFew");
    let mut reduced = fabric.clone();
    reduced.go(start_pool(vec![third], true), caller).outcome.expect("two suffice to recover");
    assert!(reduced.pool_in_service(POOL1));
    fabric.go(start_pool(Vec::new(), false), caller).outcome.expect("all start");
    assert!(fabric.pool_in_service(POOL1));
}

/// A check answers without doing anything.
#[test]
fn a_check_changes_nothing() {
    let fabric = fabric();
    let caller = runbook::at(fabric.front_end(POOL2, 1));
    let before = fabric.clone();
    let operations =
        [move_user(1, false), computer_failover(caller.computer, false), Operation::EnableTopology, database(MirrorSide::Mirror, false)];
    for operation in operations {
        fabric.check(&operation, caller).expect("nothing stands against it");
    }
    assert_eq!(fabric, before);
}
