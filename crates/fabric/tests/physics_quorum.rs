//! Fabric quorum and routing groups: the tables of dossier B.8 and the rules of B.9.

mod support;

use firedrill_fabric::evidence::Behaviour;
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

// Columns as the product's page prints them (SFB:plan…/high-availability.md, dossier B.8): Front Ends, up for a first start,
// up to stay functional, among the first.
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
fn the_table_of_b8_decides(
    #[case] size: usize,
    #[case] to_start: usize,
    #[case] functional: usize,
    #[case] first: usize,
    #[values(ProductVersion::Lync2013, ProductVersion::Sfb2015)] version: ProductVersion,
) {
    table_row(size, version, to_start, functional, first);
}

// The same table up to eleven, then the row "12-16"; a pool of two is not published in 2019. What 13 to 15 need to start is
// inferred: 85 % of them, no more than the documented 12 of 16.
#[rstest]
#[case(3, 3, 2, 3)]
#[case(4, 3, 2, 4)]
#[case(5, 4, 3, 5)]
#[case(6, 5, 3, 6)]
#[case(7, 5, 4, 7)]
#[case(8, 6, 4, 7)]
#[case(9, 7, 4, 7)]
#[case(10, 8, 5, 9)]
#[case(11, 9, 5, 9)]
#[case(12, 10, 7, 12)]
#[case::inferred(13, 11, 7, 12)]
#[case::inferred(14, 11, 7, 12)]
#[case::inferred(15, 12, 7, 12)]
#[case(16, 12, 7, 12)]
fn the_table_of_2019_decides(#[case] size: usize, #[case] to_start: usize, #[case] functional: usize, #[case] first: usize) {
    table_row(size, ProductVersion::Sfb2019, to_start, functional, first);
}

/// A Standard Edition server, and an Enterprise Edition pool of one, need just themselves.
#[test]
fn a_pool_of_one_needs_its_one() {
    table_row(1, ProductVersion::Sfb2015, 1, 1, 1);
}

/// Lync Server 2010 had no fabric: the last Front End of a pool goes on.
#[test]
fn a_pool_of_2010_has_no_quorum_to_lose() {
    let mut fabric = plan(4, ProductVersion::Lync2010).fabric();
    let BackEnd::Mirrored { primary, .. } = fabric.topology().pool(POOL1).back_end else { panic!("mirrored") };
    fabric.strike(Fault::SqlInstance(primary));
    stop(&mut fabric, [1, 2, 4]);
    assert!(fabric.pool_in_service(POOL1));
    stop(&mut fabric, [3]);
    assert!(!fabric.pool_in_service(POOL1));
    let first = fabric.front_end(POOL1, 1);
    fabric.mend(Fault::Computer(first));
    fabric.run(minutes(20));
    assert!(fabric.pool_in_service(POOL1), "one starts the pool");
}

fn table_row(size: usize, version: ProductVersion, to_start: usize, functional: usize, first: usize) {
    // "Any" so many of the first ones: every set of Front Ends, by the rule alone.
    let rule = quorum_rule(size, version);
    for up in 0..1_u64 << size {
        let counted = (0..first).filter(|position| up & (1 << position) != 0).count();
        assert_eq!(rule.keeps(up), counted >= functional, "{up:b} of {size} Front Ends");
    }

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

/// Odd pools have a majority without a witness; so have larger ones, of whose Front Ends an odd number of first ones counts
/// (inferred from the table: 4 of 7, 5 of 9; 7 of 12 in 2019).
#[rstest]
#[case::odd(3, ProductVersion::Sfb2015, 1)]
#[case::odd(5, ProductVersion::Sfb2015, 2)]
#[case::odd(7, ProductVersion::Sfb2015, 3)]
#[case::first_of_more(8, ProductVersion::Sfb2015, 3)]
#[case::first_of_more(10, ProductVersion::Sfb2015, 4)]
#[case::first_of_more(12, ProductVersion::Sfb2015, 4)]
#[case::row_of_2019(12, ProductVersion::Sfb2019, 5)]
#[case::row_of_2019(16, ProductVersion::Sfb2019, 5)]
fn pools_with_a_majority_of_their_own_do_not_need_the_primary_sql_server(
    #[case] size: usize,
    #[case] version: ProductVersion,
    #[case] spare: usize,
) {
    let mut fabric = plan(size, version).fabric();
    let BackEnd::Mirrored { primary, .. } = fabric.topology().pool(POOL1).back_end else { panic!("mirrored") };
    fabric.strike(Fault::SqlInstance(primary));
    fabric.run(minutes(5));
    stop(&mut fabric, 1..=spare);
    assert!(fabric.pool_in_service(POOL1));
    stop(&mut fabric, [spare + 1]);
    assert!(!fabric.pool_in_service(POOL1));
}

/// B.8: a pool of two comes back together, or in the reverse order of going down; else it waits (incident 15).
#[rstest]
#[case::the_last_one_first(&[2], true)]
#[case::both_at_once(&[1, 2], true)]
#[case::the_first_one_first(&[1], false)]
fn a_pool_of_two_comes_back_in_reverse_order(#[case] returning: &[usize], #[case] starts: bool) {
    let mut fabric = plan(2, ProductVersion::Sfb2015).fabric();
    stop(&mut fabric, [1]);
    fabric.run(minutes(10));
    assert!(fabric.pool_in_service(POOL1), "one of two is enough to stay functional");
    stop(&mut fabric, [2]);
    fabric.run(minutes(10));
    for number in returning {
        let computer = fabric.front_end(POOL1, *number);
        fabric.mend(Fault::Computer(computer));
    }
    fabric.run(LONG);
    assert_eq!(fabric.pool_in_service(POOL1), starts);
    if !starts {
        assert!(fabric.behaviours().iter().any(|behaviour| behaviour == Behaviour::TwoFrontEndsReturn));
        let other = fabric.front_end(POOL1, 2);
        fabric.mend(Fault::Computer(other));
        fabric.run(LONG);
        assert!(fabric.pool_in_service(POOL1), "it waited for the other one only");
    }
}

/// Two that fell together have no order.
#[rstest]
#[case(1)]
#[case(2)]
fn of_two_that_fell_together_either_starts_the_pool(#[case] number: usize) {
    let mut fabric = plan(2, ProductVersion::Sfb2015).fabric();
    stop(&mut fabric, [1, 2]);
    fabric.run(minutes(10));
    let computer = fabric.front_end(POOL1, number);
    fabric.mend(Fault::Computer(computer));
    fabric.run(minutes(20));
    assert!(fabric.pool_in_service(POOL1));
}

/// A Front End that returns while the other one serves ends the order: whoever goes next is not the last one.
#[test]
fn the_order_of_going_down_is_forgotten_when_both_run() {
    let mut fabric = plan(2, ProductVersion::Sfb2015).fabric();
    let (one, two) = (fabric.front_end(POOL1, 1), fabric.front_end(POOL1, 2));
    stop(&mut fabric, [1]);
    fabric.run(minutes(10));
    fabric.mend(Fault::Computer(one));
    fabric.run(minutes(20));
    stop(&mut fabric, [2]);
    fabric.run(minutes(1));
    stop(&mut fabric, [1]);
    fabric.mend(Fault::Computer(two));
    fabric.run(LONG);
    assert!(!fabric.pool_in_service(POOL1), "now the first one went last");
    fabric.mend(Fault::Computer(one));
    fabric.run(LONG);
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
    let second = fabric.user_pool_info(user).primary_machines[0];
    assert_ne!(second, first, "another replica became primary");
    fabric.strike(Fault::Pool(POOL1));
    assert_eq!(fabric.user_pool_info(user).primary_machines[0], second, "an assignment outlives the pool");
}

#[test]
fn pools_beyond_the_table_get_its_last_row() {
    assert_eq!(quorum_rule(40, ProductVersion::Sfb2019), quorum_rule(16, ProductVersion::Sfb2019));
}
