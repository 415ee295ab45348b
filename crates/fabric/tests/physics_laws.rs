//! Laws over generated histories: healing undoes harm, and the same inputs lead to the same bytes.

mod support;

use firedrill_fabric::fault::Place;
use firedrill_fabric::service::ServiceName;
use firedrill_fabric::serving::ServiceMode;
use firedrill_fabric::{Change, Fabric, Fault, LimitError, ServiceStatus, SimDuration};
use firedrill_topology::{ComputerId, EdgePoolId, Edition, FileStoreId, PoolId, SiteId, SqlId, UserId};
use proptest::prelude::*;
use support::{Drill, LONG, POOL1, POOL2, Plan, START, Sql, minutes, seconds};

/// Every kind of fault, over the computers and instances of the default plan.
fn any_fault(computers: u32, instances: u32) -> impl Strategy<Value = Fault> {
    let computer = (0..computers).prop_map(ComputerId);
    let pool = prop_oneof![Just(POOL1), Just(POOL2)];
    let edge = (0u32..2).prop_map(EdgePoolId);
    let site = (0u32..2).prop_map(SiteId);
    let place = prop_oneof![
        Just(Place::Internet),
        Just(Place::Anywhere),
        site.clone().prop_map(Place::Site),
        pool.clone().prop_map(Place::Pool),
        edge.clone().prop_map(Place::EdgePool),
        computer.clone().prop_map(Place::Computer),
    ];
    let port = prop::sample::select(vec![443u16, 445, 1433, 4443, 5061, 5062, 5269, 9001, 23456]);
    prop_oneof![
        computer.clone().prop_map(Fault::Computer),
        pool.clone().prop_map(Fault::Pool),
        edge.prop_map(Fault::EdgePool),
        site.prop_map(Fault::Site),
        (0..instances).prop_map(|id| Fault::SqlInstance(SqlId(id))),
        (0u32..2).prop_map(|id| Fault::FileStore(FileStoreId(id))),
        (computer.clone(), prop::sample::select(ServiceName::ALL.to_vec())).prop_map(|(c, s)| Fault::Service(c, s)),
        Just(Fault::Link(SiteId(0), SiteId(1))),
        (place.clone(), place, port).prop_map(|(from, to, port)| Fault::Port { from, to, port }),
        computer.clone().prop_map(Fault::ReplicaAgent),
        pool.prop_map(Fault::BackupService),
        Just(Fault::DnsServer),
        computer.prop_map(Fault::Certificate),
        Just(Fault::ActiveDirectory),
    ]
}

fn size(plan: &Plan) -> (u32, u32) {
    let topology = plan.build();
    (topology.computers.len() as u32, topology.sql_instances.len() as u32)
}

fn plans() -> impl Strategy<Value = Plan> {
    let enterprise = (2usize..=6, prop::sample::select(vec![Sql::StandAlone, Sql::Mirrored, Sql::MirroredWithWitness, Sql::AlwaysOn]))
        .prop_map(|(front_ends, sql)| Plan { front_ends, sql, users: 500, ..Plan::default() });
    let standard = Just(Plan { front_ends: 1, edition: Edition::Standard, users: 500, ..Plan::default() });
    prop_oneof![4 => enterprise, 1 => standard]
}

/// A plan and a history of faults for it: each strikes and heals at minutes of its own, so that they overlap.
fn histories() -> impl Strategy<Value = (Plan, Vec<(Fault, i64, i64)>)> {
    plans().prop_flat_map(|plan| {
        let (computers, instances) = size(&plan);
        let faults = prop::collection::vec((any_fault(computers, instances), 0i64..90, 0i64..90), 1..7);
        (Just(plan), faults)
    })
}

fn schedule(fabric: &mut Fabric, history: &[(Fault, i64, i64)]) {
    for (fault, strike, lasts) in history {
        fabric.schedule(START + minutes(*strike), Change::Inject(fault.clone()));
        fabric.schedule(START + minutes(*strike + *lasts) + seconds(1), Change::Heal(fault.clone()));
    }
}

fn check_sound(fabric: &Fabric) -> Result<(), TestCaseError> {
    for pool in [POOL1, POOL2] {
        let serving = fabric.pool_serving(pool);
        prop_assert_eq!(serving.parts.iter().map(|(_, users)| *users).sum::<u32>(), serving.users, "everybody is counted once");
        for (part, users) in &serving.parts {
            prop_assert!(*users > 0);
            prop_assert_eq!(part.pool.is_none(), part.mode == ServiceMode::SignedOut);
            prop_assert!(part.pool.is_none_or(|pool| fabric.pool_in_service(pool)), "nobody is served by a pool that is not in service");
        }
        for outage in fabric.outages(pool) {
            prop_assert!(outage.ended.is_none_or(|ended| ended > outage.began));
        }
        let (first, last) = users_of(fabric, pool);
        prop_assert_eq!(fabric.outages(pool), fabric.outages_between(first, last), "nobody moved: a pool suffers what its users suffer");
    }
    Ok(())
}

/// First and last user of a pool; each has one range.
fn users_of(fabric: &Fabric, pool: PoolId) -> (UserId, UserId) {
    let cohorts = &fabric.topology().users.cohorts;
    let cohort = cohorts.iter().find(|cohort| cohort.pool == pool).expect("every pool has users");
    (cohort.first, UserId(cohort.first.0 + cohort.count - 1))
}

fn check_well(fabric: &Fabric) -> Result<(), TestCaseError> {
    for pool in [POOL1, POOL2] {
        let serving = fabric.pool_serving(pool);
        prop_assert!(
            serving.parts.iter().all(|(part, _)| part.mode == ServiceMode::Regular && part.pool == Some(pool)),
            "{serving:?}\n{:#?}",
            fabric.explain_pool(pool)
        );
        let quorum = fabric.quorum(pool);
        prop_assert!(quorum.functional && quorum.without_primary.is_empty() && quorum.insufficient_secondaries.is_empty(), "{quorum:?}");
        prop_assert!(fabric.outages(pool).iter().all(|outage| outage.ended.is_some()));
    }
    for computer in fabric.topology().computer_ids() {
        prop_assert!(fabric.computer_up(computer));
        for (name, state) in fabric.services(computer) {
            prop_assert_eq!(state.status, ServiceStatus::Running, "{} {}", name.short_name(), fabric.topology().computer(computer).fqdn);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever strikes and overlaps, when all of it has healed, everything runs again and everybody is at home.
    #[test]
    fn healing_undoes_harm((plan, history) in histories()) {
        let mut fabric = plan.fabric();
        schedule(&mut fabric, &history);
        for _ in 0..20 {
            fabric.run(minutes(10));
            check_sound(&fabric)?;
        }
        prop_assert_eq!(fabric.active_faults().count(), 0);
        fabric.run(LONG);
        check_well(&fabric)?;
    }

    /// The same inputs lead to the same bytes; a clone taken on the way ends where the original does; and how far time
    /// runs in one go does not matter.
    #[test]
    fn histories_repeat((plan, history) in histories(), seed: u64, cut in 1i64..10_000) {
        let start = |plan: &Plan| {
            let mut fabric = plan.fabric_with_seed(seed);
            schedule(&mut fabric, &history);
            fabric
        };
        let (mut once, mut steps) = (start(&plan), start(&plan));
        once.run(LONG);
        steps.run(seconds(cut));
        let mut fork = steps.clone();
        prop_assert_eq!(&fork, &steps);
        steps.advance_to(once.now()).expect("within the limits");
        fork.advance_to(once.now()).expect("within the limits");
        prop_assert_eq!(once.digest(), steps.digest());
        prop_assert_eq!(&once, &fork);
        prop_assert_eq!(&once, &steps);
    }
}

#[test]
fn a_computer_hit_twice_comes_back_when_both_have_healed() {
    let mut fabric = Plan::default().fabric();
    let computer = fabric.front_end(POOL1, 1);
    let (own, site) = (Fault::Computer(computer), Fault::Site(SiteId(0)));
    fabric.strike(site.clone());
    fabric.strike(own.clone());
    fabric.mend(site);
    fabric.run(minutes(10));
    assert!(!fabric.computer_up(computer));
    assert!(fabric.computer_up(fabric.front_end(POOL1, 2)));
    fabric.mend(own);
    fabric.run(minutes(10));
    assert!(fabric.computer_up(computer));
}

#[test]
fn a_fault_that_is_not_active_heals_to_nothing() {
    let mut fabric = Plan::default().fabric();
    let before = fabric.clone();
    fabric.mend(Fault::Pool(POOL1));
    fabric.mend(Fault::DnsServer);
    assert_eq!(fabric, before);
}

#[test]
fn a_shared_witness_outlives_the_pool() {
    let plan = Plan::default();
    let mut topology = plan.build();
    let shared = match &topology.pools[0].back_end {
        firedrill_topology::BackEnd::Mirrored { witness, .. } => *witness,
        _ => None,
    };
    if let firedrill_topology::BackEnd::Mirrored { witness, .. } = &mut topology.pools[1].back_end {
        *witness = shared;
    }
    let options = firedrill_fabric::Options { seed: 1, start: START };
    let mut fabric = Fabric::new(std::sync::Arc::new(topology), options);
    fabric.strike(Fault::Pool(POOL1));
    assert!(fabric.sql_up(shared.expect("a witness")), "it serves the other pool too");
}

#[test]
fn time_has_a_limit_and_says_so() {
    let mut fabric = Plan::default().fabric();
    let error = fabric.advance_to(START + SimDuration::from_mins(367 * 24 * 60)).expect_err("beyond the limit");
    assert!(matches!(error, LimitError::Time { .. }));
    assert_eq!(fabric.now(), START);
}

#[test]
fn an_idle_year_costs_few_instants() {
    let mut fabric = Plan::default().fabric();
    fabric.advance_to(START + SimDuration::from_mins(365 * 24 * 60)).expect("within the limits");
    assert!(fabric.take_log().is_empty(), "nothing happens in a healthy deployment");
}

#[test]
fn users_are_found_and_homed_without_being_stored() {
    let mut fabric = Plan { users: 1_000_000, ..Plan::default() }.fabric();
    fabric.strike(Fault::Pool(POOL1));
    fabric.run(minutes(5));
    assert_eq!(fabric.serving(UserId(999_999)).pool, Some(POOL2));
    assert_eq!(fabric.serving(UserId(1_000_000)).pool, Some(POOL2));
    assert_eq!(fabric.registrar_pool(UserId(1_000_000)), PoolId(1));
    assert_eq!(fabric.pool_serving(POOL1).users, 1_000_000);
}
