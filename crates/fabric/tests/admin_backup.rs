//! The Backup Service: states per module and direction, syncs, and recovery points worked out by hand (dossier A.4, A.5).

mod runbook;
mod support;

use firedrill_fabric::ExportState::{ErrorState, FinalState, NonSteadyState, NotInitialized, SteadyState};
use firedrill_fabric::operation::BackupModule::{self, CmsMaster, DataConf, PresenceFocus, RgsDataStore};
use firedrill_fabric::operation::CmsFailover;
use firedrill_fabric::serving::DataKind;
use firedrill_fabric::{ExportState, Fabric, Fault, ImportState, Operation, Place, ServiceName};
use firedrill_topology::{EdgePoolId, FileStoreId, PoolId, ProductVersion, SiteId, SqlId};
use rstest::rstest;
use runbook::{Runbook, disaster_failover, refusal};
use support::{Drill, POOL1, POOL2, Plan, START, minutes, seconds};

fn fabric() -> Fabric {
    let mut fabric = Plan::default().fabric();
    fabric.run(minutes(10));
    fabric
}

fn states(fabric: &Fabric, pool: PoolId) -> [ExportState; 3] {
    [PresenceFocus, DataConf, CmsMaster].map(|module| fabric.backup_module(pool, module))
}

#[test]
fn a_healthy_pair_is_steady_and_only_the_cms_pool_exports_the_cms() {
    let fabric = fabric();
    assert_eq!(states(&fabric, POOL1), [SteadyState, SteadyState, FinalState]);
    assert_eq!(states(&fabric, POOL2), [SteadyState, SteadyState, NotInitialized]);
    let report = fabric.backup_status(POOL1).expect("runs").expect("paired");
    assert_eq!(report.active_machine, Some(fabric.front_end(POOL1, 1)));
    assert_eq!(report.modules.len(), 3, "no Response Group modules before 2019");
    assert!(report.modules.iter().all(|(_, _, import)| *import == ImportState::NormalState));
}

/// The captured healthy table of a pool without changes (dossier J).
#[test]
fn an_idle_pool_is_final() {
    let mut fabric = Plan { users: 0, ..Plan::default() }.fabric();
    fabric.run(minutes(5));
    assert_eq!(states(&fabric, POOL2), [FinalState, FinalState, NotInitialized]);
}

#[test]
fn an_unpaired_pool_has_no_status_and_nothing_to_sync() {
    let mut fabric = Plan { paired: false, ..Plan::default() }.fabric();
    assert_eq!(fabric.backup_status(POOL1), Ok(None));
    assert_eq!(fabric.last_shipped(POOL1, PresenceFocus), None);
    let caller = fabric.front_end(POOL1, 1);
    assert_eq!(refusal(&fabric.go(Operation::BackupSync { pool: POOL1, module: None }, caller)), "NoBackupPool");
}

#[derive(Debug, Clone, Copy)]
enum Broken {
    Smb,
    OwnFiles,
    PartnerFiles,
    PartnerSql,
    PartnerService,
    Link,
    Hung,
}

// What stops which module of pool 1 on its way to pool 2 (dossier A.4, I 20, I 23).
#[rstest]
#[case(Broken::Smb, [SteadyState, ErrorState, FinalState])]
#[case(Broken::OwnFiles, [SteadyState, ErrorState, FinalState])]
#[case(Broken::PartnerFiles, [SteadyState, ErrorState, FinalState])]
#[case(Broken::PartnerSql, [ErrorState, SteadyState, FinalState])]
#[case(Broken::PartnerService, [ErrorState, ErrorState, FinalState])]
#[case(Broken::Link, [ErrorState, ErrorState, FinalState])]
#[case(Broken::Hung, [NonSteadyState, NonSteadyState, NonSteadyState])]
fn a_broken_path_shows_in_the_modules_that_use_it(#[case] broken: Broken, #[case] expected: [ExportState; 3]) {
    let mut fabric = fabric();
    let faults: Vec<Fault> = match broken {
        Broken::Smb => vec![Fault::Port { from: Place::Site(SiteId(0)), to: Place::Site(SiteId(1)), port: 445 }],
        Broken::OwnFiles => vec![Fault::FileStore(FileStoreId(0))],
        Broken::PartnerFiles => vec![Fault::FileStore(FileStoreId(1))],
        Broken::PartnerSql => vec![Fault::SqlInstance(SqlId(3)), Fault::SqlInstance(SqlId(4))],
        Broken::PartnerService => (1..=3).map(|number| Fault::Service(fabric.front_end(POOL2, number), ServiceName::LyncBackup)).collect(),
        Broken::Link => vec![Fault::Link(SiteId(0), SiteId(1))],
        Broken::Hung => vec![Fault::BackupService(POOL1)],
    };
    for fault in &faults {
        fabric.strike(fault.clone());
    }
    fabric.run(minutes(5));
    let found = states(&fabric, POOL1);
    assert_eq!(found[..2], expected[..2]);
    // With the way of CMSMaster broken too, its state is an error whatever there is to ship.
    let cms = match broken {
        Broken::PartnerSql | Broken::PartnerService | Broken::Link => ErrorState,
        _ => expected[2],
    };
    assert_eq!(found[2], cms);
    for fault in faults {
        fabric.mend(fault);
    }
    fabric.run(minutes(4));
    assert_eq!(states(&fabric, POOL1), [SteadyState, SteadyState, FinalState], "caught up");
}

/// Behind after the mending until the first cycle has completed.
#[test]
fn a_mended_path_catches_up_within_a_cycle() {
    let mut fabric = fabric();
    let link = Fault::Link(SiteId(0), SiteId(1));
    fabric.strike(link.clone());
    fabric.run(minutes(9));
    assert_eq!(fabric.last_shipped(POOL1, PresenceFocus), Some(START + minutes(10)));
    fabric.mend(link);
    fabric.run(seconds(1));
    assert_eq!(fabric.backup_module(POOL1, PresenceFocus), NonSteadyState);
    fabric.run(minutes(2));
    assert_eq!(fabric.backup_module(POOL1, PresenceFocus), SteadyState);
    assert_eq!(fabric.last_shipped(POOL1, PresenceFocus), Some(START + minutes(21)));
}

#[test]
fn a_sync_by_hand_ships_now_when_the_way_is_whole() {
    let mut fabric = fabric();
    let caller = fabric.front_end(POOL2, 1);
    fabric.run(seconds(70));
    let sync = |module| Operation::BackupSync { pool: POOL1, module };
    let report = fabric.go(sync(None), caller);
    assert_eq!((report.outcome, report.ended), (Ok(()), report.started));
    fabric.run(seconds(20));
    assert_eq!(fabric.last_shipped(POOL1, PresenceFocus), Some(fabric.now()));
    fabric.strike(Fault::FileStore(FileStoreId(1)));
    assert_eq!(refusal(&fabric.go(sync(Some(DataConf)), caller)), "BackupSyncFailed");
    fabric.go(sync(Some(PresenceFocus)), caller).outcome.expect("user data have another way");
    for number in 1..=3 {
        let computer = fabric.front_end(POOL1, number);
        fabric.strike(Fault::Service(computer, ServiceName::LyncBackup));
    }
    assert_eq!(refusal(&fabric.go(sync(None), caller)), "BackupServiceUnreachable");
    assert_eq!(fabric.backup_status(POOL1).expect_err("cannot be asked").id, "BackupServiceUnreachable");
}

/// Cycles end at 08:00 plus multiples of two minutes. What was written after the last one is lost.
#[rstest]
#[case::just_after_a_cycle(600, 0, 0)]
#[case::in_the_middle(661, 0, 61)]
#[case::just_before_a_cycle(719, 0, 119)]
#[case::path_broken_for_a_while(719, 300, 419)]
#[case::longer_than_the_target(600, 900, 900)]
fn the_recovery_point_is_the_last_complete_cycle(#[case] crash: i64, #[case] broken: i64, #[case] lost: i64) {
    let mut fabric = Plan::default().fabric();
    let caller = fabric.front_end(POOL2, 1);
    fabric.fail_cms_over(CmsFailover::Normal, caller).outcome.expect("healthy");
    fabric.next_hop(EdgePoolId(0), POOL2, caller);
    fabric.advance_to(START + seconds(crash)).expect("within the limits");
    if broken > 0 {
        fabric.strike(Fault::BackupService(POOL1));
        fabric.run(seconds(broken));
    }
    fabric.strike(Fault::Pool(POOL1));
    fabric.run(minutes(20));
    fabric.fail_over(disaster_failover(POOL1), caller).outcome.expect("disaster mode");
    let expected: Vec<_> = (lost > 0).then_some(Some(seconds(lost))).into_iter().collect();
    assert_eq!(fabric.lost(POOL1, DataKind::UserData), expected);
    assert_eq!(fabric.lost(POOL1, DataKind::ConferenceContent), expected);
}

/// Users of a partitioned pool go on writing until the switch: all of that is lost too.
#[test]
fn a_partitioned_pool_writes_until_the_switch() {
    let mut fabric = Plan::default().fabric();
    let caller = fabric.front_end(POOL2, 1);
    fabric.fail_cms_over(CmsFailover::Normal, caller).outcome.expect("healthy");
    fabric.next_hop(EdgePoolId(0), POOL2, caller);
    fabric.advance_to(START + minutes(10)).expect("within the limits");
    fabric.strike(Fault::Link(SiteId(0), SiteId(1)));
    fabric.run(minutes(13));
    fabric.fail_over(disaster_failover(POOL1), caller).outcome.expect("disaster mode");
    assert_eq!(fabric.lost(POOL1, DataKind::UserData), [Some(minutes(13))]);
}

#[test]
fn response_groups_are_replicated_in_2019_when_it_is_switched_on() {
    let plan = Plan { version: ProductVersion::Sfb2019, sql: support::Sql::AlwaysOn, ..Plan::default() };
    let mut fabric = plan.fabric();
    let caller = fabric.front_end(POOL1, 1);
    assert_eq!(fabric.backup_module(POOL1, RgsDataStore), NotInitialized);
    fabric.edit(caller, |document| document.backup_service.enable_rgs_backup_service = true);
    fabric.run(minutes(5));
    assert_eq!(fabric.backup_module(POOL1, RgsDataStore), SteadyState);
    let order: Vec<BackupModule> = fabric.backup_status(POOL1).expect("runs").expect("paired").modules.iter().map(|row| row.0).collect();
    assert_eq!(order.len(), 5);
    let second = fabric.front_end(POOL2, 1);
    fabric.fail_cms_over(CmsFailover::Normal, second).outcome.expect("healthy");
    fabric.next_hop(EdgePoolId(0), POOL2, second);
    fabric.strike(Fault::Pool(POOL1));
    fabric.fail_over(disaster_failover(POOL1), second).outcome.expect("disaster mode");
    assert_eq!(fabric.lost(POOL1, DataKind::ResponseGroups), []);
}

/// The interval is configuration: it takes effect when the replica has it.
#[test]
fn a_longer_interval_widens_the_window() {
    let mut fabric = fabric();
    let caller = fabric.front_end(POOL1, 1);
    fabric.edit(caller, |document| document.backup_service.sync_interval = minutes(60));
    fabric.run(minutes(30));
    let shipped = fabric.last_shipped(POOL1, PresenceFocus).expect("paired");
    assert!(fabric.now().since(shipped) > minutes(25), "{}", fabric.now().since(shipped));
    assert_eq!(fabric.backup_module(POOL1, PresenceFocus), SteadyState);
}

/// Two unpaired pools become a pair: published, set up, services started.
fn freshly_paired(down: Option<usize>) -> Fabric {
    let mut fabric = Plan { paired: false, ..Plan::default() }.fabric();
    let caller = fabric.front_end(POOL1, 1);
    fabric.run(minutes(30));
    if let Some(number) = down {
        let computer = fabric.front_end(POOL2, number);
        fabric.strike(Fault::Computer(computer));
    }
    let mut draft = (*fabric.central_store(caller).expect("the CMS answers")).clone();
    (draft.pools[0].backup, draft.pools[1].backup) = (Some(POOL2), Some(POOL1));
    fabric.go(Operation::Publish { draft: Box::new(draft), enable: true }, caller).outcome.expect("published");
    fabric.run(minutes(2));
    let computers: Vec<_> = [POOL1, POOL2].iter().flat_map(|pool| fabric.topology().pool(*pool).front_ends.clone()).collect();
    for computer in computers.into_iter().filter(|computer| fabric.computer_up(*computer)).collect::<Vec<_>>() {
        fabric.go(Operation::RunSetup { computer }, computer).outcome.expect("setup");
        let start = Operation::StartServices { computer, service: Some(ServiceName::LyncBackup), no_wait: false };
        fabric.go(start, computer).outcome.expect("starts");
    }
    fabric
}

/// A.1: three Front Ends of each pool have to run together once; afterwards two will do.
#[test]
fn a_new_pair_waits_for_three_front_ends_of_each_pool() {
    let mut fabric = freshly_paired(Some(3));
    let (caller, third) = (fabric.front_end(POOL1, 1), fabric.front_end(POOL2, 3));
    fabric.run(minutes(30));
    assert_eq!(states(&fabric, POOL2), [NotInitialized, NotInitialized, NotInitialized], "two of its three run");
    assert_eq!(fabric.backup_module(POOL1, PresenceFocus), ErrorState, "it is ready itself, and cannot ship");
    assert_eq!(fabric.last_shipped(POOL1, PresenceFocus), None);
    assert_eq!(refusal(&fabric.go(Operation::BackupSync { pool: POOL1, module: None }, caller)), "BackupSyncFailed");
    fabric.mend(Fault::Computer(third));
    fabric.run(minutes(20));
    assert_eq!(states(&fabric, POOL1), [SteadyState, SteadyState, FinalState]);
    assert_eq!(states(&fabric, POOL2), [SteadyState, SteadyState, NotInitialized]);
    fabric.strike(Fault::Computer(third));
    fabric.run(minutes(20));
    assert_eq!(states(&fabric, POOL2)[..2], [SteadyState, SteadyState]);
}

/// What was never shipped is lost from the beginning on, not from the day of the pairing.
#[test]
fn a_pair_that_never_shipped_loses_everything() {
    let mut fabric = freshly_paired(Some(3));
    let second = fabric.front_end(POOL2, 1);
    fabric.fail_cms_over(CmsFailover::Normal, second).outcome.expect_err("the standby database is empty");
    fabric.go(Operation::MoveCms { force: false, configuration_file: None, lis_file: None }, second).outcome.expect("moves");
    fabric.next_hop(EdgePoolId(0), POOL2, second);
    fabric.run(minutes(5));
    let crash = fabric.now();
    fabric.strike(Fault::Pool(POOL1));
    fabric.fail_over(disaster_failover(POOL1), second).outcome.expect("disaster mode");
    assert_eq!(fabric.lost(POOL1, DataKind::UserData), [Some(crash.since(START))]);
}

/// Apart for an hour, and together again: what was shipped before stays shipped, and nothing was in between.
#[test]
fn a_pair_taken_apart_ships_nothing_meanwhile() {
    let mut fabric = fabric();
    let caller = fabric.front_end(POOL1, 1);
    let set = |fabric: &mut Fabric, pairs: [Option<PoolId>; 2]| {
        fabric.edit(caller, |document| (document.pools[0].backup, document.pools[1].backup) = (pairs[0], pairs[1]));
    };
    set(&mut fabric, [None, None]);
    fabric.run(minutes(60));
    assert_eq!(fabric.last_shipped(POOL1, PresenceFocus), None, "there is nobody to ship to");
    set(&mut fabric, [Some(POOL2), Some(POOL1)]);
    fabric.run(seconds(70));
    let shipped = fabric.last_shipped(POOL1, PresenceFocus).expect("from the time before");
    assert!(shipped.since(START) < minutes(12), "{shipped}");
    fabric.run(minutes(2));
    assert_eq!(fabric.backup_module(POOL1, PresenceFocus), SteadyState, "caught up");
}

/// A.5: not initialised until it has been on for some minutes, and lost when disaster strikes before.
#[test]
fn response_groups_are_not_initialised_at_once() {
    let plan = Plan { version: ProductVersion::Sfb2019, sql: support::Sql::AlwaysOn, ..Plan::default() };
    let mut fabric = plan.fabric();
    let caller = fabric.front_end(POOL1, 1);
    fabric.run(minutes(30));
    fabric.edit(caller, |document| document.backup_service.enable_rgs_backup_service = true);
    fabric.run(seconds(60));
    assert_eq!(fabric.backup_module(POOL1, RgsDataStore), NotInitialized, "its replica knows, the first cycle is not over");
    fabric.run(minutes(3));
    assert_eq!(fabric.backup_module(POOL1, RgsDataStore), SteadyState);
}

/// Switched on, and never shipped before the disaster.
#[test]
fn response_groups_that_were_never_shipped_are_lost() {
    let plan = Plan { version: ProductVersion::Sfb2019, sql: support::Sql::AlwaysOn, ..Plan::default() };
    let mut fabric = plan.fabric();
    let second = fabric.front_end(POOL2, 1);
    fabric.fail_cms_over(CmsFailover::Normal, second).outcome.expect("healthy");
    fabric.next_hop(EdgePoolId(0), POOL2, second);
    fabric.run(minutes(5));
    fabric.strike(Fault::BackupService(POOL1));
    fabric.edit(second, |document| document.backup_service.enable_rgs_backup_service = true);
    fabric.run(minutes(10));
    assert_eq!(fabric.backup_module(POOL1, RgsDataStore), NotInitialized);
    fabric.strike(Fault::Pool(POOL1));
    fabric.fail_over(disaster_failover(POOL1), second).outcome.expect("disaster mode");
    assert_eq!(fabric.lost(POOL1, DataKind::ResponseGroups), [None]);
}

/// The service of a pool behind a cut link can neither be asked nor told anything.
#[test]
fn a_backup_service_that_cannot_be_reached_does_not_answer() {
    let mut fabric = fabric();
    let (here, there) = (fabric.front_end(POOL1, 1), fabric.front_end(POOL2, 1));
    assert_eq!(fabric.backup_status_from(here, POOL2), fabric.backup_status(POOL2));
    fabric.strike(Fault::Link(SiteId(0), SiteId(1)));
    assert_eq!(fabric.backup_status_from(here, POOL2).expect_err("behind the link").id, "BackupServiceUnreachable");
    assert!(fabric.backup_status_from(there, POOL2).is_ok());
    let sync = Operation::BackupSync { pool: POOL2, module: None };
    assert_eq!(refusal(&fabric.go(sync.clone(), here)), "BackupServiceUnreachable");
    assert_eq!(refusal(&fabric.go(sync, there)), "BackupSyncFailed");
}

/// A.5: it runs on every Front End and works on one; the next one takes over, and nothing falls behind.
#[test]
fn another_front_end_takes_the_backup_service_over() {
    let mut fabric = fabric();
    let agent = |fabric: &Fabric| fabric.backup_status(POOL1).expect("runs").expect("paired").active_machine;
    for number in 1..=2 {
        let computer = fabric.front_end(POOL1, number);
        assert_eq!(agent(&fabric), Some(computer));
        fabric.strike(Fault::Service(computer, ServiceName::LyncBackup));
    }
    assert_eq!(agent(&fabric), Some(fabric.front_end(POOL1, 3)));
    fabric.run(minutes(10));
    assert_eq!(states(&fabric, POOL1), [SteadyState, SteadyState, FinalState]);
}
