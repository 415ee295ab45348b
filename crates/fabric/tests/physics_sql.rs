//! SQL back ends: who is principal, when the back end is unavailable, and what it means for users (dossier E.5).

mod support;

use firedrill_fabric::operation::{DatabaseGroup, MirrorSide};
use firedrill_fabric::serving::{ServiceMode, ServingCause};
use firedrill_fabric::world::SQL_FAILOVER_TIME;
use firedrill_fabric::{Caller, Fabric, Fault, Operation};
use firedrill_topology::{BackEnd, Edition, SqlId, UserId};
use rstest::rstest;
use support::{Drill, POOL1, Plan, Sql, minutes, seconds};

fn fabric(sql: Sql) -> Fabric {
    Plan { sql, paired: false, ..Plan::default() }.fabric()
}

/// Instances of pool 1: principal or first node, mirror or second node, witness.
fn instances(fabric: &Fabric) -> (SqlId, Option<SqlId>, Option<SqlId>) {
    match &fabric.topology().pool(POOL1).back_end {
        BackEnd::Collocated { instance } | BackEnd::StandAlone { instance } => (*instance, None, None),
        BackEnd::Mirrored { primary, mirror, witness } => (*primary, Some(*mirror), *witness),
        BackEnd::AlwaysOn { nodes, .. } => (nodes[0], Some(nodes[1]), None),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lost {
    First,
    Second,
    Witness,
}

// The sentences of E.5, one by one: what is lost, and who serves ten minutes later (0 first, 1 second).
#[rstest]
#[case::with_witness_automatic(Sql::MirroredWithWitness, &[Lost::First], Some(1))]
#[case::without_witness_manual(Sql::Mirrored, &[Lost::First], None)]
#[case::mirror_alone_costs_nothing(Sql::MirroredWithWitness, &[Lost::Second], Some(0))]
#[case::mirror_alone_costs_nothing_without_witness(Sql::Mirrored, &[Lost::Second], Some(0))]
#[case::witness_alone_costs_nothing(Sql::MirroredWithWitness, &[Lost::Witness], Some(0))]
#[case::principal_and_mirror(Sql::MirroredWithWitness, &[Lost::First, Lost::Second], None)]
#[case::mirror_and_witness_though_the_principal_survives(Sql::MirroredWithWitness, &[Lost::Second, Lost::Witness], None)]
#[case::witness_first_then_principal(Sql::MirroredWithWitness, &[Lost::Witness, Lost::First], None)]
#[case::always_on_automatic(Sql::AlwaysOn, &[Lost::First], Some(1))]
#[case::always_on_all_nodes(Sql::AlwaysOn, &[Lost::First, Lost::Second], None)]
#[case::stand_alone(Sql::StandAlone, &[Lost::First], None)]
fn who_serves_the_databases(#[case] sql: Sql, #[case] lost: &[Lost], #[case] expected: Option<usize>) {
    let mut fabric = fabric(sql);
    let (first, second, witness) = instances(&fabric);
    for part in lost {
        let instance = match part {
            Lost::First => Some(first),
            Lost::Second => second,
            Lost::Witness => witness,
        };
        fabric.strike(Fault::SqlInstance(instance.expect("the case has one")));
    }
    fabric.run(minutes(10));
    let serves = [Some(first), second];
    for group in DatabaseGroup::ALL {
        assert_eq!(fabric.principal(POOL1, group), expected.and_then(|position| serves[position]), "{group:?}");
    }
    assert_eq!(fabric.back_end_unavailable_since(POOL1).is_some(), expected.is_none());
}

#[test]
fn the_automatic_failover_takes_its_time_and_the_old_principal_returns_as_mirror() {
    let mut fabric = fabric(Sql::MirroredWithWitness);
    let (primary, mirror, _) = instances(&fabric);
    fabric.strike(Fault::SqlInstance(primary));
    assert_eq!(fabric.principal(POOL1, DatabaseGroup::User), None);
    fabric.run(SQL_FAILOVER_TIME);
    assert_eq!(fabric.principal(POOL1, DatabaseGroup::User), mirror);
    let report = &fabric.mirror_states(POOL1, Some(DatabaseGroup::User))[0];
    assert_eq!(
        (report.database, report.state_on_primary, report.state_on_mirror, report.status_on_primary, report.status_on_mirror),
        ("rtcxds", "DatabaseInaccessibleOrMirroringNotEnabled", "Principal", "", "disconnected")
    );
    fabric.mend(Fault::SqlInstance(primary));
    fabric.run(minutes(10));
    assert_eq!(fabric.principal_side(POOL1, DatabaseGroup::User), Some(MirrorSide::Mirror), "mirroring does not fail back");
    let report = &fabric.mirror_states(POOL1, Some(DatabaseGroup::User))[0];
    assert_eq!((report.state_on_primary, report.state_on_mirror, report.status_on_mirror), ("Mirror", "Principal", "synchronized"));
}

/// E.5 and B.6: thirty minutes without a back end change nothing, then users are limited, and the return mends it.
#[rstest]
#[case(Sql::StandAlone, Edition::Enterprise, 3)]
#[case(Sql::StandAlone, Edition::Standard, 1)]
fn thirty_minutes_without_a_back_end(#[case] sql: Sql, #[case] edition: Edition, #[case] front_ends: usize) {
    let mut fabric = Plan { sql, edition, front_ends, paired: false, ..Plan::default() }.fabric();
    let (instance, ..) = instances(&fabric);
    fabric.strike(Fault::SqlInstance(instance));
    fabric.run(minutes(30) + seconds(-1));
    assert_eq!(fabric.serving(UserId(0)).mode, ServiceMode::Regular);
    fabric.run(seconds(1));
    let serving = fabric.serving(UserId(0));
    assert_eq!((serving.mode, serving.pool, serving.cause), (ServiceMode::Resiliency, Some(POOL1), ServingCause::BackEndUnavailable));
    fabric.run(seconds(5));
    fabric.mend(Fault::SqlInstance(instance));
    assert_eq!(fabric.serving(UserId(0)).mode, ServiceMode::Regular, "recovery is automatic");
    let outages: Vec<_> = fabric.outages(POOL1).iter().map(|outage| outage.ended.map(|end| end.since(outage.began))).collect();
    assert_eq!(outages, [Some(seconds(5))]);
}

/// Invoke-CsDatabaseFailover moves the principal, and what the pool has of its back end follows at once: without a witness
/// by hand to the mirror and back, whichever side dies in between.
#[test]
fn a_database_failover_by_hand_decides_whether_there_is_a_back_end() {
    let mut fabric = fabric(Sql::Mirrored);
    let (primary, mirror, _) = instances(&fabric);
    let mirror = mirror.expect("mirrored");
    let caller = Caller { computer: fabric.front_end(POOL1, 1) };
    let go = |fabric: &mut Fabric, new_principal: MirrorSide, force: bool| {
        let operation = Operation::DatabaseFailover { pool: POOL1, databases: DatabaseGroup::User, new_principal, force };
        fabric.perform(operation, caller).expect("within the limits").outcome
    };
    let seen = |fabric: &Fabric| (fabric.principal(POOL1, DatabaseGroup::User), fabric.back_end_unavailable_since(POOL1));
    assert_eq!(go(&mut fabric, MirrorSide::Mirror, false), Ok(()));
    assert_eq!(seen(&fabric), (Some(mirror), None));
    fabric.strike(Fault::SqlInstance(mirror));
    let since = Some(fabric.now());
    fabric.run(minutes(40));
    assert_eq!(seen(&fabric), (None, since));
    assert_eq!(fabric.serving(UserId(0)).mode, ServiceMode::Resiliency);
    assert!(go(&mut fabric, MirrorSide::Primary, false).is_err(), "the principal is gone: only by force");
    assert_eq!(go(&mut fabric, MirrorSide::Primary, true), Ok(()));
    assert_eq!(seen(&fabric), (Some(primary), None));
    assert_eq!(fabric.serving(UserId(0)).mode, ServiceMode::Regular);
    fabric.strike(Fault::SqlInstance(primary));
    fabric.mend(Fault::SqlInstance(mirror));
    fabric.run(minutes(5));
    assert_eq!(go(&mut fabric, MirrorSide::Mirror, true), Ok(()));
    assert_eq!(seen(&fabric), (Some(mirror), None));
}

#[test]
fn only_groups_that_the_pool_has_are_reported() {
    let fabric = fabric(Sql::Mirrored);
    let all = fabric.mirror_states(POOL1, None);
    let names: Vec<&str> = all.iter().map(|report| report.database).collect();
    assert_eq!(names, ["rtcxds", "rtcshared", "rtcab", "rgsconfig", "rgsdyn", "cpsdyn", "xds", "lis", "lcscdr", "qoemetrics", "lcslog"]);
    assert!(all.iter().all(|report| report.state_on_primary == "Principal" && report.status_on_mirror == "synchronized"));
    let other = fabric.mirror_states(support::POOL2, None);
    assert!(other.iter().all(|report| report.database != "xds"), "no CMS database without a standby");
    assert!(self::fabric(Sql::AlwaysOn).mirror_states(POOL1, None).is_empty());
}
