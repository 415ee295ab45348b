//! Fabric quorum and routing groups: the tables of dossier B.8 and the rules of B.9.

mod support;

use firedrill_fabric::service::ServiceName;
use firedrill_fabric::serving::{ServiceMode, ServingCause};
use firedrill_fabric::world::{REPLICA_REBUILD_TIME, quorum_rule};
use firedrill_fabric::{Fabric, Fault, ServiceStatus};
use firedrill_topology::{BackEnd, ProductVersion, UserId};
use rstest::rstest;
use support::{Drill, LONG, POOL1, Plan, minutes, seconds};

fn plan(front_ends: usize, version: ProductVersion) -> Plan {
    Plan { front_ends, version, ..Plan::default() }
}

fn stop(fabric: &mut Fabric, numbers: impl IntoIterator<Item = usize>) {
    for number in numbers {
        let computer = fabric.front_end(POOL1, number);
        fabric.strike(Fault::Computer(computer));
    }
}

// Columns as the product's page prints them: Front Ends, up for a first start, up to stay functional, among the first.
#[rstest]
#[case(2, 1, 1, 2)]
#[case(3, 3, 2, 3)]
#[case(4, 3, 2, 4)]
#[case(5, 4, 3, 5)]
#[case(6, 5, 3, 6)]
#[case(7, 5, 4, 7)]
#[case(8, 6, 4, 7)]
#[case(9, 7, 4, 7)]
#[case(10, 8, 5, 9)]
#[case(11, 9, 5, 9)]
#[case(12, 10, 5, 9)]
fn the_table_of_b8_decides(#[case] size: usize, #[case] to_start: usize, #[case] functional: usize, #[case] first: usize) {
    table_row(size, ProductVersion::Sfb2015, to_start, functional, first);
}

#[rstest]
#[case(12, 10, 7, 12)]
#[case(16, 12, 7, 12)]
fn the_table_of_2019_decides(#[case] size: usize, #[case] to_start: usize, #[case] functional: usize, #[case] first: usize) {
    table_row(size, ProductVersion::Sfb2019, to_start, functional, first);
}

fn table_row(size: usize, version: ProductVersion, to_start: usize, functional: usize, first: usize) {
    // Stays functional with so many of the first ones; the ones after them do not count.
    let mut fabric = plan(size, version).fabric();
    stop(&mut fabric, 1..=first - functional);
    assert!(fabric.quorum(POOL1).functional, "{size} Front Ends, {functional} of the first {first} up");
    assert!(fabric.pool_in_service(POOL1));

    // One less, and those that are left stop all services.
    stop(&mut fabric, [first - functional + 1]);
    assert!(!fabric.quorum(POOL1).functional);
    assert!(!fabric.pool_in_service(POOL1));
    for number in first - functional + 2..=size {
        let computer = fabric.front_end(POOL1, number);
        let running: Vec<_> = fabric.services(computer).into_iter().filter(|(_, state)| state.status == ServiceStatus::Running).collect();
        assert!(
            running.iter().all(|(name, _)| matches!(name, ServiceName::W3svc | ServiceName::FabricHostSvc)),
            "Front End {number} still runs {running:?}"
        );
    }

    // Cold start: one less than the table says hangs in Start Pending, whatever the time.
    let mut fabric = plan(size, version).fabric();
    stop(&mut fabric, 1..=size);
    let report = fabric.quorum(POOL1);
    assert_eq!((report.total as usize, report.active, report.needed_to_start as usize), (size, 0, to_start));
    for number in 1..to_start {
        let computer = fabric.front_end(POOL1, number);
        fabric.mend(Fault::Computer(computer));
    }
    fabric.run(LONG);
    assert!(!fabric.pool_in_service(POOL1));
    if to_start > 1 {
        let state = fabric.service(fabric.front_end(POOL1, 1), ServiceName::RtcSrv).expect("a Front End has it");
        assert_eq!((state.status, state.due), (ServiceStatus::StartPending, None));
    }
    let last = fabric.front_end(POOL1, to_start);
    fabric.mend(Fault::Computer(last));
    fabric.run(minutes(20));
    assert!(fabric.pool_in_service(POOL1), "{to_start} of {size} start the pool");
}

/// B.8: the primary SQL Server is the witness of even-sized pools, also while the mirror serves.
#[rstest]
#[case(2, 1)]
#[case(4, 2)]
#[case(6, 3)]
fn an_even_pool_needs_one_more_without_the_primary_sql_server(#[case] size: usize, #[case] functional: usize) {
    let mut fabric = plan(size, ProductVersion::Sfb2015).fabric();
    let BackEnd::Mirrored { primary, .. } = fabric.topology().pool(POOL1).back_end else { panic!("mirrored") };
    fabric.strike(Fault::SqlInstance(primary));
    fabric.run(minutes(5));
    assert!(fabric.pool_in_service(POOL1), "the mirror serves, all Front Ends are up");
    stop(&mut fabric, 1..size - functional);
    assert!(fabric.pool_in_service(POOL1), "one more than the table asks for");
    stop(&mut fabric, [size - functional]);
    assert!(!fabric.pool_in_service(POOL1), "the table's number is not enough without the witness");
}

#[test]
fn an_odd_pool_does_not_need_the_primary_sql_server() {
    let mut fabric = plan(5, ProductVersion::Sfb2015).fabric();
    let BackEnd::Mirrored { primary, .. } = fabric.topology().pool(POOL1).back_end else { panic!("mirrored") };
    fabric.strike(Fault::SqlInstance(primary));
    fabric.run(minutes(5));
    stop(&mut fabric, 1..=2);
    assert!(fabric.pool_in_service(POOL1));
}

/// B.9: two of three replicas lost at once are a routing group lost; its users, and only they, cannot sign in.
#[test]
fn a_routing_group_without_two_replicas_signs_its_users_out() {
    let mut fabric = plan(6, ProductVersion::Sfb2015).fabric();
    stop(&mut fabric, [1, 2]);
    let report = fabric.quorum(POOL1);
    assert!(report.functional);
    assert!(!report.without_primary.is_empty(), "some groups had two replicas there");
    assert!(report.without_primary.len() < 24, "and some had not");
    let serving = fabric.pool_serving(POOL1);
    assert_eq!(serving.parts.iter().map(|(_, users)| users).sum::<u32>(), 20_000, "nobody is counted twice or forgotten");
    let by_hand = (0..20_000).filter(|user| report.without_primary.contains(&fabric.routing_group(UserId(*user)))).count();
    let signed_out: u32 = serving.parts.iter().filter(|(part, _)| part.mode == ServiceMode::SignedOut).map(|(_, users)| users).sum();
    assert_eq!(signed_out as usize, by_hand);
    assert!(serving.parts.iter().all(|(part, _)| part.mode == ServiceMode::Regular || part.cause == ServingCause::RoutingGroupNoPrimary));
    for user in [0, 1, 2, 3, 19_999] {
        let lost = report.without_primary.contains(&fabric.routing_group(UserId(user)));
        assert_eq!(fabric.serving(UserId(user)).mode == ServiceMode::SignedOut, lost);
        assert_eq!(fabric.experience(UserId(user)).sign_in, !lost);
    }

    // One of the two comes back: every group has two again.
    let computer = fabric.front_end(POOL1, 1);
    fabric.mend(Fault::Computer(computer));
    fabric.run(minutes(10));
    assert!(fabric.quorum(POOL1).without_primary.is_empty());
}

#[test]
fn replicas_are_rebuilt_on_other_front_ends_after_a_while() {
    let mut fabric = plan(6, ProductVersion::Sfb2015).fabric();
    stop(&mut fabric, [1]);
    assert!(!fabric.quorum(POOL1).insufficient_secondaries.is_empty());
    fabric.run(REPLICA_REBUILD_TIME + seconds(1));
    assert!(fabric.quorum(POOL1).insufficient_secondaries.is_empty(), "the missing replicas live elsewhere");
    stop(&mut fabric, [2]);
    assert!(fabric.quorum(POOL1).without_primary.is_empty(), "so the next loss costs no group its quorum");
}

#[test]
fn losing_one_of_three_front_ends_costs_nobody_service() {
    let mut fabric = Plan::default().fabric();
    stop(&mut fabric, [2]);
    let serving = fabric.pool_serving(POOL1);
    assert!(serving.parts.iter().all(|(part, _)| part.mode == ServiceMode::Regular), "{serving:?}");
    assert_eq!(fabric.quorum(POOL1).insufficient_secondaries.len(), fabric.quorum(POOL1).without_primary.len() + 12);
}

/// B.5: the machines list names assignments: the preferred Front End first, each one once.
#[test]
fn preferred_machines_are_a_permutation_with_the_primary_first() {
    let mut fabric = plan(5, ProductVersion::Sfb2015).fabric();
    for user in 0..50 {
        let info = fabric.user_pool_info(UserId(user));
        let mut machines = info.primary_machines.clone();
        machines.sort();
        assert_eq!(machines, fabric.topology().pool(POOL1).front_ends);
        assert_eq!(info.backup_machines.len(), 5);
    }
    let user = UserId(3);
    let first = fabric.user_pool_info(user).primary_machines[0];
    fabric.strike(Fault::Computer(first));
    assert_ne!(fabric.user_pool_info(user).primary_machines[0], first, "another replica became primary");
}

#[test]
fn pools_beyond_the_table_get_its_last_row() {
    assert_eq!(quorum_rule(40, ProductVersion::Sfb2019), quorum_rule(16, ProductVersion::Sfb2019));
}
