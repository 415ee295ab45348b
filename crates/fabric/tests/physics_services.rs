//! Windows services: who has which, how they start and stop with each other, and what a reboot does (dossier G).

mod support;

use firedrill_fabric::federation::Protocol;
use firedrill_fabric::service::ServiceName as S;
use firedrill_fabric::serving::ServiceMode;
use firedrill_fabric::world::{BOOT_TIME, FRONT_END_START_TIME, SERVICE_DRAIN_TIME, SERVICE_START_TIME, SERVICE_STOP_TIME};
use firedrill_fabric::{Caller, Change, Fabric, Fault, Operation, ServiceStatus};
use firedrill_topology::{ComputerId, EdgePoolId, ProductVersion, UserId};
use rstest::rstest;
use support::{Drill, POOL1, POOL2, Plan, minutes, seconds};

fn names(fabric: &Fabric, computer: ComputerId) -> Vec<S> {
    fabric.services(computer).into_iter().map(|(name, _)| name).collect()
}

fn status(fabric: &Fabric, computer: ComputerId, service: S) -> ServiceStatus {
    fabric.service(computer, service).expect("installed").status
}

fn edge(fabric: &Fabric, number: usize) -> ComputerId {
    fabric.topology().edge_pool(EdgePoolId(0)).servers[number - 1].computer
}

fn start(fabric: &mut Fabric, computer: ComputerId, service: Option<S>) {
    let report = fabric.perform(Operation::StartServices { computer, service, no_wait: false }, Caller { computer }).expect("limits");
    assert_eq!(report.outcome, Ok(()));
}

fn stop(fabric: &mut Fabric, computer: ComputerId, service: Option<S>) {
    let stop = Operation::StopServices { computer, service, graceful: false, no_wait: false };
    let report = fabric.perform(stop, Caller { computer }).expect("limits");
    assert_eq!(report.outcome, Ok(()));
}

// G.2: what the asterisks of the table say.
#[rstest]
#[case::paired(Plan::default(), 1, &[S::Master, S::Fta, S::LyncBackup, S::RtcXmppTgw], &[])]
#[case::standby_has_the_agents_too(Plan::default(), 2, &[S::Master, S::Fta, S::LyncBackup], &[])]
#[case::unpaired(Plan { paired: false, ..Plan::default() }, 2, &[S::RtcSrv], &[S::Master, S::Fta, S::LyncBackup])]
#[case::without_xmpp(Plan { version: ProductVersion::Sfb2019, ..Plan::default() }, 1, &[S::RtcSrv, S::Replica], &[S::RtcXmppTgw])]
fn front_ends_have_the_services_of_their_role(#[case] plan: Plan, #[case] pool: u32, #[case] present: &[S], #[case] absent: &[S]) {
    let fabric = plan.fabric();
    let names = names(&fabric, fabric.front_end(if pool == 1 { POOL1 } else { POOL2 }, 1));
    assert!(present.iter().all(|service| names.contains(service)), "{names:?}");
    assert!(absent.iter().all(|service| !names.contains(service)), "{names:?}");
}

#[test]
fn edge_servers_have_theirs() {
    let fabric = Plan::default().fabric();
    let all = [S::Replica, S::RtcClsAgt, S::RtcSrv, S::RtcDataProxy, S::RtcMrAuth, S::RtcMediaRelay, S::RtcXmppTgwPx];
    assert_eq!(names(&fabric, edge(&fabric, 1)), all);
    let fabric = Plan { version: ProductVersion::Sfb2019, ..Plan::default() }.fabric();
    assert_eq!(names(&fabric, edge(&fabric, 1)), all[..6]);
}

#[test]
fn stopping_takes_dependents_along_and_starting_takes_requirements() {
    let mut fabric = Plan::default().fabric();
    let computer = fabric.front_end(POOL1, 1);
    stop(&mut fabric, computer, Some(S::RtcSrv));
    for service in [S::RtcSrv, S::RtcCaa, S::RtcRgs, S::RtcXmppTgw] {
        assert_eq!(status(&fabric, computer, service), ServiceStatus::Stopped, "{service:?}");
    }
    for service in [S::FabricHostSvc, S::Replica, S::W3svc, S::RtcMedSrv] {
        assert_eq!(status(&fabric, computer, service), ServiceStatus::Running, "{service:?}");
    }
    fabric.run(minutes(60));
    assert_eq!(status(&fabric, computer, S::RtcSrv), ServiceStatus::Stopped, "what was stopped stays stopped");
    assert_eq!(fabric.serving(UserId(0)).mode, ServiceMode::Regular, "two Front Ends carry the pool");

    start(&mut fabric, computer, Some(S::RtcCaa));
    assert_eq!(status(&fabric, computer, S::RtcSrv), ServiceStatus::Running, "it was required");
    assert_eq!(status(&fabric, computer, S::RtcRgs), ServiceStatus::Stopped, "it was not");
    start(&mut fabric, computer, None);
    assert!(fabric.services(computer).iter().all(|(_, state)| state.status == ServiceStatus::Running));
}

#[test]
fn starting_what_runs_changes_nothing() {
    let mut fabric = Plan::default().fabric();
    let computer = fabric.front_end(POOL1, 1);
    let before = fabric.services(computer);
    start(&mut fabric, computer, None);
    assert_eq!(fabric.services(computer), before);
}

#[test]
fn a_healed_computer_boots_then_starts_its_services() {
    let mut fabric = Plan::default().fabric();
    let computer = fabric.front_end(POOL1, 1);
    fabric.strike(Fault::Computer(computer));
    assert!(fabric.services(computer).iter().all(|(_, state)| state.status == ServiceStatus::Stopped));
    fabric.mend(Fault::Computer(computer));
    fabric.run(BOOT_TIME + seconds(-1));
    assert!(!fabric.computer_up(computer));
    fabric.run(seconds(1));
    assert!(fabric.computer_up(computer));
    assert_eq!(status(&fabric, computer, S::FabricHostSvc), ServiceStatus::StartPending);
    fabric.run(SERVICE_START_TIME);
    assert_eq!(status(&fabric, computer, S::RtcSrv), ServiceStatus::StartPending);
    assert_eq!(status(&fabric, computer, S::RtcCaa), ServiceStatus::Stopped, "its requirement does not run yet");
    fabric.run(FRONT_END_START_TIME + SERVICE_START_TIME);
    assert!(fabric.services(computer).iter().all(|(_, state)| state.status == ServiceStatus::Running));
}

#[test]
fn a_computer_healed_with_services_stopped_waits_for_the_operator() {
    let mut fabric = Plan::default().fabric();
    for number in 1..=2 {
        let fault = Fault::Computer(edge(&fabric, number));
        fabric.strike(fault.clone());
        fabric.apply(Change::HealServicesStopped(fault)).expect("heals");
    }
    fabric.run(minutes(60));
    let computer = edge(&fabric, 1);
    assert!(fabric.computer_up(computer));
    let listens =
        |fabric: &Fabric| fabric.listeners().iter().any(|l| l.computer == computer && l.protocol == Protocol::Xmpp && l.listening);
    assert!(!listens(&fabric));
    start(&mut fabric, computer, None);
    assert!(listens(&fabric));
    stop(&mut fabric, computer, None);
    assert!(!listens(&fabric));
}

#[test]
fn a_crashed_service_comes_back_when_somebody_starts_it() {
    let mut fabric = Plan::default().fabric();
    let computer = fabric.front_end(POOL1, 1);
    let fault = Fault::Service(computer, S::RtcSrv);
    fabric.strike(fault.clone());
    fabric.run(minutes(60));
    assert_eq!(status(&fabric, computer, S::RtcSrv), ServiceStatus::Stopped);
    start(&mut fabric, computer, Some(S::RtcSrv));
    assert_eq!(status(&fabric, computer, S::RtcSrv), ServiceStatus::Running);
    assert!(!fabric.fault_active(&fault), "the crash is over");
}

#[test]
fn stopping_takes_time() {
    let mut fabric = Plan::default().fabric();
    let computer = edge(&fabric, 1);
    let stop = Operation::StopServices { computer, service: None, graceful: false, no_wait: true };
    fabric.perform(stop, Caller { computer }).expect("limits");
    assert_eq!(status(&fabric, computer, S::RtcSrv), ServiceStatus::StopPending);
    fabric.run(SERVICE_STOP_TIME);
    assert_eq!(status(&fabric, computer, S::RtcSrv), ServiceStatus::Stopped);
}

/// An administrator's stop below the quorum stops the rest of the pool too; starting one by one brings it back only when
/// the number of the cold start is there (dossier B.8).
#[test]
fn stopping_one_front_end_too_many_stops_the_pool() {
    let mut fabric = Plan { paired: false, ..Plan::default() }.fabric();
    let front_ends = fabric.topology().pool(POOL1).front_ends.clone();
    stop(&mut fabric, front_ends[0], None);
    assert!(fabric.pool_in_service(POOL1));
    stop(&mut fabric, front_ends[1], None);
    assert!(!fabric.pool_in_service(POOL1));
    assert_eq!(status(&fabric, front_ends[2], S::RtcSrv), ServiceStatus::Stopped);
    for (position, computer) in front_ends.iter().enumerate() {
        assert!(!fabric.pool_in_service(POOL1), "{position} of 3 do not start it");
        let start = Operation::StartServices { computer: *computer, service: None, no_wait: true };
        fabric.perform(start, Caller { computer: *computer }).expect("limits");
        fabric.run(minutes(2));
        // The third Front End was stopped by the loss of quorum, not by hand: it counts as soon as the others are ready.
    }
    fabric.run(minutes(10));
    assert!(fabric.pool_in_service(POOL1));
    assert!(front_ends.iter().all(|computer| fabric.services(*computer).iter().all(|(_, s)| s.status == ServiceStatus::Running)));
}

/// `-LeaveClsAgentRunning`, `-LeaveWebServerRunning` (dossier G.1): all services but these.
#[test]
fn a_stop_can_leave_services_running() {
    let mut fabric = Plan::default().fabric();
    let computer = fabric.front_end(POOL1, 1);
    let leave = vec![S::RtcClsAgt, S::W3svc];
    let stop = Operation::StopServicesExcept { computer, leave: leave.clone(), graceful: false, no_wait: false };
    let report = fabric.perform(stop, Caller { computer }).expect("limits");
    assert_eq!((report.outcome, report.ended.since(report.started)), (Ok(()), SERVICE_STOP_TIME));
    for (name, state) in fabric.services(computer) {
        let expected = if leave.contains(&name) { ServiceStatus::Running } else { ServiceStatus::Stopped };
        assert_eq!(state.status, expected, "{name:?}");
    }
}

/// `-Graceful` (field, dossier G.1): `ServiceStatus` says Draining meanwhile; a stop without it ends the draining.
#[test]
fn a_graceful_stop_drains_first() {
    let mut fabric = Plan::default().fabric();
    let computer = edge(&fabric, 1);
    let stop = |graceful| Operation::StopServices { computer, service: Some(S::RtcDataProxy), graceful, no_wait: true };
    let text = |fabric: &Fabric| fabric.service(computer, S::RtcDataProxy).expect("installed").service_status();
    fabric.perform(stop(true), Caller { computer }).expect("limits");
    assert_eq!((status(&fabric, computer, S::RtcDataProxy), text(&fabric)), (ServiceStatus::StopPending, "Draining"));
    let mut patient = fabric.clone();
    patient.run(SERVICE_DRAIN_TIME);
    assert_eq!(text(&patient), "Stopped");
    fabric.perform(stop(false), Caller { computer }).expect("limits");
    assert_eq!(text(&fabric), "StopPending");
    fabric.run(SERVICE_STOP_TIME);
    assert_eq!(text(&fabric), "Stopped");
}
