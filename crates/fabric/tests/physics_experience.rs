//! What users see and what the cmdlets say in each phase of a pool failure: the tables of dossier B.3, B.5 and B.6, and what
//! quorum loss recovery does for them (B.8, B.9).

mod runbook;
mod support;

use firedrill_fabric::config::{PoolState, RegistrarSettings};
use firedrill_fabric::operation::RegistrarReset;
use firedrill_fabric::serving::{ServiceMode, ServingCause};
use firedrill_fabric::world::{Experience, REPLICA_REBUILD_TIME};
use firedrill_fabric::{Fabric, Fault, Operation};
use firedrill_topology::{ComputerId, EdgePoolId, PoolId, UserId};
use rstest::rstest;
use runbook::{Runbook, at, disaster_cms, disaster_failover, failback};
use support::{Drill, LONG, POOL1, POOL2, Plan, minutes, seconds};

const USER: UserId = UserId(17);
const EDGE1: EdgePoolId = EdgePoolId(0);

/// A moment of the story that the tables tell.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Moment {
    Healthy,
    /// "Pool dies, before timer and before failover".
    PoolDied,
    /// "Timer expired".
    TimerExpired,
    /// "Failover started, not complete", of a pool whose backup registrar never takes over by itself.
    FailoverStarted,
    FailoverComplete,
    /// "During failback": data are synchronised, users "stay on backup".
    FailbackStarted,
    /// "During failback": "signed out, home pool in Resiliency".
    FailbackMoving,
    AfterFailback,
}

/// The deployment at a moment: pool 1 dies, is failed over to pool 2, comes back and is failed back.
fn at_moment(plan: &Plan, moment: Moment) -> Fabric {
    let mut plan = plan.clone();
    plan.voice.automatic = moment != Moment::FailoverStarted;
    let mut fabric = plan.fabric();
    fabric.run(minutes(10));
    if moment == Moment::Healthy {
        return fabric;
    }
    fabric.strike(Fault::Pool(POOL1));
    if moment == Moment::PoolDied {
        return fabric;
    }
    fabric.run(seconds(300));
    if moment == Moment::TimerExpired {
        return fabric;
    }
    let caller = fabric.front_end(POOL2, 1);
    fabric.fail_cms_over(disaster_cms("sqlp2.contoso.com"), caller).outcome.expect("the CMS moves");
    fabric.next_hop(EDGE1, POOL2, caller);
    if moment == Moment::FailoverStarted {
        fabric.start_operation(Operation::PoolFailover(disaster_failover(POOL1)), at(caller));
        fabric.run(seconds(30));
        assert_eq!(fabric.pool_state(POOL1), PoolState::FailingOver);
        return fabric;
    }
    fabric.fail_over(disaster_failover(POOL1), caller).outcome.expect("the pool fails over");
    if moment == Moment::FailoverComplete {
        return fabric;
    }
    fabric.mend(Fault::Pool(POOL1));
    fabric.run(LONG);
    fabric.start_operation(Operation::PoolFailback(failback(POOL1)), at(caller));
    match moment {
        Moment::FailbackStarted => fabric.run(minutes(1)),
        Moment::FailbackMoving => fabric.run(minutes(40)),
        _ => fabric.run(LONG),
    }
    fabric
}

const ALL: Experience = Experience {
    sign_in: true,
    own_conferences: true,
    others_conferences: true,
    contacts: true,
    presence: true,
    peer_to_peer: true,
    persistent_changes: true,
};
const NOTHING: Experience = Experience {
    sign_in: false,
    own_conferences: false,
    others_conferences: false,
    contacts: false,
    presence: false,
    peer_to_peer: false,
    persistent_changes: false,
};
/// "Backup pool, Resiliency | no | join possible | not available | unknown | yes", and no persistent change.
const LIMITED: Experience = Experience { sign_in: true, others_conferences: true, peer_to_peer: true, ..NOTHING };

/// The rows of dossier B.3 (SFB:plan…/user-experience.md): who serves the user, how, and what the user can do. Joining
/// others' conferences "as guest only" is not joining as the user; presence that others remember is not presence.
#[rstest]
#[case(Moment::Healthy, ServiceMode::Regular, Some(POOL1), ALL)]
#[case(Moment::PoolDied, ServiceMode::SignedOut, None, NOTHING)]
#[case(Moment::TimerExpired, ServiceMode::Resiliency, Some(POOL2), LIMITED)]
#[case(Moment::FailoverStarted, ServiceMode::Resiliency, Some(POOL2), LIMITED)]
#[case(Moment::FailoverComplete, ServiceMode::Regular, Some(POOL2), ALL)]
#[case(Moment::FailbackStarted, ServiceMode::Regular, Some(POOL2), ALL)]
#[case(Moment::FailbackMoving, ServiceMode::Resiliency, Some(POOL1), LIMITED)]
#[case(Moment::AfterFailback, ServiceMode::Regular, Some(POOL1), ALL)]
fn the_table_of_b3(#[case] moment: Moment, #[case] mode: ServiceMode, #[case] pool: Option<PoolId>, #[case] can: Experience) {
    let fabric = at_moment(&Plan::default(), moment);
    let serving = fabric.serving(USER);
    assert_eq!((serving.mode, serving.pool), (mode, pool));
    assert_eq!(fabric.experience(USER), can);
}

/// The rows of dossier B.5: homing and assignments are the same in every phase; only a pool that is well chooses anew.
#[rstest]
#[case(Moment::Healthy)]
#[case(Moment::PoolDied)]
#[case(Moment::TimerExpired)]
#[case(Moment::FailoverComplete)]
#[case(Moment::AfterFailback)]
fn the_table_of_b5(#[case] moment: Moment) {
    let healthy = at_moment(&Plan::default(), Moment::Healthy).user_pool_info(USER);
    let fabric = at_moment(&Plan::default(), moment);
    let info = fabric.user_pool_info(USER);
    assert_eq!(fabric.registrar_pool(USER), POOL1);
    assert_eq!((info.primary, info.backup), (POOL1, Some(POOL2)));
    assert!(fabric.topology().pool(POOL1).front_ends.contains(&info.primary_machines[0]));
    assert!(fabric.topology().pool(POOL2).front_ends.contains(&info.backup_machines[0]));
    if moment != Moment::AfterFailback {
        assert_eq!(info, healthy, "assignment, not liveness");
    }
}

/// B.5, after a failover: the first machine of the backup pool is "the FE the user is registered on". So the users who lose
/// their service with some Front Ends of the backup pool are those whose list says so: two of their three replicas there.
#[test]
fn after_a_failover_the_list_of_the_backup_pool_says_where_users_are() {
    let plan = Plan { front_ends: 6, ..Plan::default() };
    let mut fabric = at_moment(&plan, Moment::FailoverComplete);
    let lost: Vec<ComputerId> = [5, 6].map(|number| fabric.front_end(POOL2, number)).into();
    for computer in &lost {
        fabric.strike(Fault::Computer(*computer));
    }
    let mut seen = [0, 0];
    for user in (0..500).map(UserId) {
        let info = fabric.user_pool_info(user);
        let replicas_lost = info.backup_machines[..3].iter().filter(|machine| lost.contains(machine)).count();
        let signed_out = fabric.serving(user).mode == ServiceMode::SignedOut;
        assert_eq!(signed_out, replicas_lost >= 2, "{user:?}");
        seen[usize::from(signed_out)] += 1;
    }
    assert!(seen[0] > 0 && seen[1] > 0, "{seen:?}");
}

/// B.6 (PS:Set-CsRegistrarConfiguration).
#[test]
fn the_defaults_of_b6() {
    let fabric = Plan::default().fabric();
    let document = fabric.local_store(fabric.front_end(POOL1, 1));
    let pool = &document.pools[POOL1.index()];
    assert_eq!(pool.pool_state, PoolState::Active);
    assert_eq!(pool.backup_store_unavailable_threshold, minutes(30));
    let expected = RegistrarSettings {
        min_endpoint_expiration: 300,
        max_endpoint_expiration: 900,
        default_endpoint_expiration: 600,
        max_endpoints_per_user: 8,
        max_user_count: 12_000,
        enable_dhcp_server: false,
    };
    assert_eq!(pool.registrar, expected);
}

fn recover(fabric: &mut Fabric) {
    let caller = fabric.front_end(POOL2, 1);
    let operation = Operation::ResetPoolRegistrarState { pool: POOL1, kind: RegistrarReset::QuorumLossRecovery, no_restart: false };
    let report = fabric.go(operation, caller);
    report.outcome.expect("a Front End is on, and the back end answers");
    assert!(report.ended.since(report.started) <= minutes(30), "documented limit (B.9)");
}

/// B.9: "Primary but no secondaries: limited functionality", until another Front End has built a replica; groups that were
/// not in loss are not touched.
#[test]
fn recovered_routing_groups_are_limited_until_they_have_a_secondary() {
    let mut fabric = Plan { front_ends: 6, ..Plan::default() }.fabric();
    for number in 4..=6 {
        let computer = fabric.front_end(POOL1, number);
        fabric.strike(Fault::Computer(computer));
    }
    let lost: Vec<UserId> = (0..200).map(UserId).filter(|user| fabric.serving(*user).mode == ServiceMode::SignedOut).collect();
    assert!(!lost.is_empty() && lost.len() < 200);
    recover(&mut fabric);
    assert_eq!(fabric.quorum(POOL1).without_primary, []);
    for user in (0..200).map(UserId) {
        let serving = fabric.serving(user);
        if lost.contains(&user) {
            assert_eq!((serving.mode, serving.cause), (ServiceMode::Resiliency, ServingCause::RoutingGroupNoSecondaries));
            assert!(!fabric.experience(user).persistent_changes, "writes cannot replicate");
        } else {
            assert_eq!(serving.mode, ServiceMode::Regular);
        }
    }
    fabric.run(REPLICA_REBUILD_TIME);
    assert!((0..200).all(|user| fabric.serving(UserId(user)).mode == ServiceMode::Regular));
    assert_eq!(fabric.quorum(POOL1).insufficient_secondaries, []);
}

/// B.8: too few for a cold start, enough to stay functional: quorum loss recovery lets the pool "make progress", and no
/// routing group stays behind.
#[test]
fn a_pool_that_waits_for_its_start_makes_progress_after_recovery() {
    let mut fabric = Plan { front_ends: 5, ..Plan::default() }.fabric();
    fabric.run(minutes(1));
    for number in 1..=5 {
        let computer = fabric.front_end(POOL1, number);
        fabric.strike(Fault::Computer(computer));
    }
    for number in 1..=3 {
        let computer = fabric.front_end(POOL1, number);
        fabric.mend(Fault::Computer(computer));
    }
    fabric.run(LONG);
    assert!(!fabric.pool_in_service(POOL1), "four of five are needed for a cold start");
    recover(&mut fabric);
    fabric.run(minutes(3));
    assert!(fabric.pool_in_service(POOL1));
    assert_eq!(fabric.quorum(POOL1).without_primary, []);
    fabric.run(REPLICA_REBUILD_TIME);
    assert_eq!(fabric.modes(POOL1).keys().map(|(mode, _)| *mode).collect::<Vec<_>>(), [ServiceMode::Regular]);
}

/// B.8: "If you cannot bring them back up in that order", the same helps a pool of two.
#[test]
fn recovery_starts_a_pool_of_two_whose_last_one_is_gone() {
    let mut fabric = Plan { front_ends: 2, ..Plan::default() }.fabric();
    let (one, two) = (fabric.front_end(POOL1, 1), fabric.front_end(POOL1, 2));
    fabric.strike(Fault::Computer(one));
    fabric.run(minutes(10));
    fabric.strike(Fault::Computer(two));
    fabric.mend(Fault::Computer(one));
    fabric.run(LONG);
    assert!(!fabric.pool_in_service(POOL1));
    recover(&mut fabric);
    fabric.run(minutes(5));
    assert!(fabric.pool_in_service(POOL1));
}
