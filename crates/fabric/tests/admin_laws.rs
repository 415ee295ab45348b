//! Laws over random sequences of operations and faults: nothing panics or hangs, and state keeps to the dossier's arrows.

mod runbook;
mod support;

use firedrill_fabric::operation::{
    BackupGoal, BackupModule, CmsFailover, DatabaseGroup, MirrorSide, PoolBackup, PoolFailback, PoolFailover, RegistrarReset,
};
use firedrill_fabric::{Change, CmsDatabaseState, Fabric, Fault, Operation, Place, PoolState, ServiceName, SimDuration, SimTime};
use firedrill_topology::{ComputerId, EdgePoolId, FileStoreId, PoolId, SiteId, SqlId, UserId};
use proptest::prelude::*;
use runbook::{at, disaster_cms, disaster_failover, failback};
use support::{POOL1, POOL2, Plan, seconds};

#[derive(Debug, Clone)]
enum Act {
    Start(Operation, ComputerId),
    Inject(Fault),
    Heal(usize),
    Run(i64),
    NextHop(EdgePoolId, PoolId, ComputerId),
    /// Pairs the pools or takes them apart, with Topology Builder (which enables) or with the cmdlet.
    Pair {
        together: bool,
        enable: bool,
        caller: ComputerId,
    },
    Fork,
}

fn pool() -> impl Strategy<Value = PoolId> {
    prop_oneof![Just(POOL1), Just(POOL2)]
}

/// Front Ends and some others: callers need not make sense.
fn computer() -> impl Strategy<Value = ComputerId> {
    (0..18u32).prop_map(ComputerId)
}

fn fault() -> impl Strategy<Value = Fault> {
    let place = prop_oneof![
        Just(Place::Anywhere),
        pool().prop_map(Place::Pool),
        (0..2u32).prop_map(|site| Place::Site(SiteId(site))),
        computer().prop_map(Place::Computer),
    ];
    let port = prop_oneof![Just(445u16), Just(4443), Just(9001), Just(1433), Just(5061), Just(135)];
    prop_oneof![
        (0..2u32).prop_map(|site| Fault::Site(SiteId(site))),
        pool().prop_map(Fault::Pool),
        computer().prop_map(Fault::Computer),
        (0..6u32).prop_map(|sql| Fault::SqlInstance(SqlId(sql))),
        (0..2u32).prop_map(|store| Fault::FileStore(FileStoreId(store))),
        (
            computer(),
            prop_oneof![Just(ServiceName::RtcSrv), Just(ServiceName::LyncBackup), Just(ServiceName::Master), Just(ServiceName::Replica)]
        )
            .prop_map(|(computer, service)| Fault::Service(computer, service)),
        Just(Fault::Link(SiteId(0), SiteId(1))),
        (place.clone(), place, port).prop_map(|(from, to, port)| Fault::Port { from, to, port }),
        computer().prop_map(Fault::ReplicaAgent),
        pool().prop_map(Fault::BackupService),
        computer().prop_map(Fault::Certificate),
        Just(Fault::ActiveDirectory),
    ]
}

fn operation() -> impl Strategy<Value = Operation> {
    let flags = (any::<bool>(), any::<bool>());
    prop_oneof![
        4 => (pool(), flags).prop_map(|(pool, (disaster, skip_verification))| {
            Operation::PoolFailover(PoolFailover { disaster, skip_verification, ..disaster_failover(pool) })
        }),
        4 => (pool(), flags).prop_map(|(pool, (disaster, skip_verification))| {
            Operation::PoolFailback(PoolFailback { disaster, skip_verification, ..failback(pool) })
        }),
        2 => Just(Operation::CmsFailover(CmsFailover::Normal)),
        1 => Just(Operation::CmsFailover(CmsFailover::Restore)),
        2 => (1..3u32).prop_map(|pool| Operation::CmsFailover(disaster_cms(&format!("sqlp{pool}.contoso.com")))),
        1 => any::<bool>().prop_map(|force| Operation::MoveCms { force, configuration_file: None, lis_file: None }),
        1 => (1..3u32, flags).prop_map(|(pool, (clean, standby))| Operation::InstallCmsDatabase {
            sql_server: format!("sqlp{pool}.contoso.com"),
            instance: "rtc".into(),
            clean,
            standby,
        }),
        1 => (1..4u32).prop_map(|pool| Operation::SetConfigurationStoreLocation {
            sql_server: format!("sqlp{pool}.contoso.com"),
            instance: "rtc".into(),
        }),
        1 => prop_oneof![Just(None), computer().prop_map(Some)].prop_map(|replica| Operation::Replicate { replica }),
        1 => Just(Operation::EnableTopology),
        1 => computer().prop_map(|computer| Operation::RunSetup { computer }),
        1 => (pool(), prop_oneof![Just(None), Just(Some(BackupModule::DataConf)), Just(Some(BackupModule::CmsMaster))])
            .prop_map(|(pool, module)| Operation::BackupSync { pool, module }),
        1 => (0..400u32, pool(), any::<bool>()).prop_map(|(user, target, force)| Operation::MoveUser { user: UserId(user), target, force }),
        1 => (pool(), prop_oneof![Just(BackupGoal::Shipped), Just(BackupGoal::Steady), Just(BackupGoal::Final)]).prop_map(|(pool, goal)| {
            let modules = vec![BackupModule::PresenceFocus, BackupModule::DataConf, BackupModule::CmsMaster];
            Operation::PoolBackup(PoolBackup { pool, modules, goal, failed_over_only: false, retries: 3, wait: seconds(15) })
        }),
        1 => (computer(), any::<bool>()).prop_map(|(computer, graceful)| Operation::StopServicesExcept {
            computer,
            leave: vec![ServiceName::RtcClsAgt],
            graceful,
            no_wait: false,
        }),
        1 => (pool(), any::<bool>(), any::<bool>()).prop_map(|(pool, mirror, force)| Operation::DatabaseFailover {
            pool,
            databases: if force { DatabaseGroup::CentralMgmt } else { DatabaseGroup::User },
            new_principal: if mirror { MirrorSide::Mirror } else { MirrorSide::Primary },
            force,
        }),
        2 => computer().prop_map(|computer| Operation::StartServices { computer, service: None, no_wait: false }),
        1 => (computer(), flags).prop_map(|(computer, (graceful, no_wait))| Operation::StopServices { computer, service: None, graceful, no_wait }),
        1 => computer().prop_map(|computer| Operation::ComputerFailover { computer, no_stop: false, force: false, wait: SimDuration::from_mins(60), draining: None }),
        1 => computer().prop_map(|computer| Operation::ComputerFailback { computer, no_start: false, wait: SimDuration::from_mins(60) }),
        1 => (pool(), prop_oneof![Just(RegistrarReset::ServiceReset), Just(RegistrarReset::QuorumLossRecovery), Just(RegistrarReset::FullReset)])
            .prop_map(|(pool, kind)| Operation::ResetPoolRegistrarState { pool, kind, no_restart: false }),
        1 => (pool(), any::<bool>()).prop_map(|(pool, quorum_loss_recovery)| Operation::StartPool {
            pool,
            skip: Vec::new(),
            quorum_loss_recovery,
            force: false,
        }),
    ]
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => (operation(), computer()).prop_map(|(operation, caller)| Act::Start(operation, caller)),
        3 => fault().prop_map(Act::Inject),
        3 => (0..8usize).prop_map(Act::Heal),
        5 => (1..2000i64).prop_map(Act::Run),
        2 => ((0..2u32).prop_map(EdgePoolId), pool(), computer()).prop_map(|(edge, pool, caller)| Act::NextHop(edge, pool, caller)),
        2 => (any::<bool>(), any::<bool>(), computer()).prop_map(|(together, enable, caller)| Act::Pair { together, enable, caller }),
        1 => Just(Act::Fork),
    ]
}

/// Arrows of dossier 0.3, reruns included. A failback may break off and be followed by nothing but itself; nothing leads
/// from Active to FailedBack, nor from FailingOver to FailedBack.
fn allowed(from: PoolState, to: PoolState) -> bool {
    use PoolState::{Active, FailedBack, FailedOver, FailingOver};
    from == to || matches!((from, to), (Active, FailingOver) | (FailingOver, FailedOver) | (FailedOver, FailedBack) | (FailedBack, Active))
}

/// What must hold at every instant.
fn law(fabric: &Fabric, before: &[PoolState; 2], stores: &(Option<PoolId>, usize)) -> Result<(), TestCaseError> {
    // A store that was switched, reinstalled or pointed elsewhere brings its own, older states (configuration is lost).
    let same_store = *stores == store_of(fabric);
    for (pool, before) in [POOL1, POOL2].into_iter().zip(before) {
        let after = fabric.pool_state(pool);
        prop_assert!(!same_store || allowed(*before, after), "{before:?} to {after:?}");
        let users: u32 = fabric.pool_serving(pool).parts.iter().map(|(_, users)| users).sum();
        prop_assert_eq!(users, fabric.users_homed(pool));
    }
    for pool in [POOL1, POOL2] {
        let shipped = fabric.last_shipped(pool, BackupModule::PresenceFocus);
        prop_assert!(shipped.is_none_or(|shipped| shipped <= fabric.now()));
        for computer in fabric.topology().pool(pool).front_ends.clone() {
            let installed = |service| fabric.service(computer, service).is_some();
            // Whoever waits for Enable-CsTopology lacks something, and setup cannot have added it.
            let complete = installed(ServiceName::LyncBackup) && installed(ServiceName::Master);
            prop_assert!(!fabric.activation_pending(computer) || !complete || !fabric.setup_pending(computer));
        }
    }
    for loss in fabric.data_losses() {
        prop_assert!(loss.window.is_none_or(|window| window <= fabric.now().since(fabric.started())));
        prop_assert!(
            loss.window.is_none_or(|window| window > SimDuration::ZERO) || loss.kind == firedrill_fabric::serving::DataKind::Configuration
        );
        prop_assert!(loss.at <= fabric.now());
    }
    let status = fabric.cms_status();
    prop_assert_eq!(status.active_master.is_some(), !status.file_transfer_agents.is_empty());
    if status.active_master.is_some() {
        prop_assert!(fabric.cms_databases().iter().any(|database| database.state == CmsDatabaseState::Active));
    }
    Ok(())
}

/// Which store counts, and how often that changed: by the number of SCP writes, switches and installations in the log.
fn store_of(fabric: &Fabric) -> (Option<PoolId>, usize) {
    let location = fabric.configuration_store_location().ok();
    let pool =
        location.and_then(|(server, _)| server.strip_prefix("sqlp").and_then(|rest| rest[..1].parse::<u32>().ok())).map(|n| PoolId(n - 1));
    let restated = fabric.clone().take_log().into_iter().filter(|entry| {
        matches!(&entry.event, firedrill_fabric::Event::StateChanged { kind, state, .. }
            if kind == "cms" && matches!(state.as_str(), "active" | "backup" | "database created" | "store location"))
    });
    (pool, restated.count())
}

fn advance(fabric: &mut Fabric, until: SimTime) -> Result<(), TestCaseError> {
    loop {
        let before = [fabric.pool_state(POOL1), fabric.pool_state(POOL2)];
        let stores = store_of(fabric);
        let due = fabric.next_deadline().filter(|due| *due < until);
        fabric.advance_to(due.unwrap_or(until)).map_err(|error| TestCaseError::fail(error.to_string()))?;
        law(fabric, &before, &stores)?;
        if due.is_none() {
            return Ok(());
        }
    }
}

fn play(fabric: &mut Fabric, acts: &[Act]) -> Result<(), TestCaseError> {
    let mut faults: Vec<Fault> = Vec::new();
    let mut processes = Vec::new();
    for act in acts {
        let before = [fabric.pool_state(POOL1), fabric.pool_state(POOL2)];
        let stores = store_of(fabric);
        match act {
            Act::Start(operation, caller) => {
                let checked = fabric.check(operation, at(*caller));
                let process = fabric.start_operation(operation.clone(), at(*caller));
                // What a check refuses, the operation refuses at once with the same error.
                if let Err(refused) = checked {
                    let report = fabric.take_report(process);
                    prop_assert_eq!(report.map(|report| report.outcome), Some(Err(refused)));
                } else {
                    processes.push(process);
                }
            }
            Act::Inject(fault) => {
                faults.push(fault.clone());
                fabric.apply(Change::Inject(fault.clone())).expect("never refused");
            }
            Act::Heal(position) => {
                if *position < faults.len() {
                    fabric.apply(Change::Heal(faults.remove(*position))).expect("never refused");
                }
            }
            Act::Run(length) => advance(fabric, fabric.now() + seconds(*length))?,
            Act::NextHop(edge, pool, caller) => {
                let _ = fabric.edit_configuration(at(*caller), |document| {
                    document.edges[edge.index()].next_hop = *pool;
                    Ok(())
                });
            }
            Act::Pair { together, enable, caller } => {
                let Ok(document) = fabric.central_store(*caller) else { continue };
                let mut draft = (*document).clone();
                draft.pools[0].backup = together.then_some(POOL2);
                draft.pools[1].backup = together.then_some(POOL1);
                processes.push(fabric.start_operation(Operation::Publish { draft: Box::new(draft), enable: *enable }, at(*caller)));
            }
            Act::Fork => {
                let mut fork = fabric.clone();
                let until = fabric.now() + seconds(600);
                fork.advance_to(until).expect("within the limits");
                advance(fabric, until)?;
                prop_assert_eq!(&fork, &*fabric);
            }
        }
        law(fabric, &before, &stores)?;
    }
    // Every operation ends, whatever has happened.
    fabric.advance_to(fabric.now() + SimDuration::from_mins(4 * 60)).map_err(|error| TestCaseError::fail(error.to_string()))?;
    for process in processes {
        prop_assert!(fabric.take_report(process).is_some());
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_history_keeps_the_laws(acts in prop::collection::vec(act(), 1..40)) {
        let plan = Plan { users: 200, ..Plan::default() };
        let mut fabric = plan.fabric();
        play(&mut fabric, &acts)?;
        let mut again = plan.fabric();
        play(&mut again, &acts)?;
        prop_assert_eq!(fabric.digest(), again.digest());
    }
}
