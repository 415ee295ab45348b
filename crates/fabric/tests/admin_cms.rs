//! The Central Management Store: failover, move, restore, replication, publishing, setup (dossier D, H).

mod runbook;
mod support;

use firedrill_fabric::administration::{IMPORT_TIME, PUSH_TIME, RETURN_TIME, SETUP_TIME, SNAPSHOT_TIME, STATUS_REPORT_INTERVAL};
use firedrill_fabric::operation::{Channel, CmsFailover, DatabaseGroup, MirrorSide};
use firedrill_fabric::serving::DataKind;
use firedrill_fabric::{CmsDatabaseState, Fabric, Fault, Operation, Place, PoolState, ServiceName, ServiceStatus};
use firedrill_topology::{EdgePoolId, SiteId, SqlId};
use rstest::rstest;
use runbook::{Runbook, at, disaster_cms, disaster_failover, refusal};
use support::{Drill, POOL1, POOL2, Plan, Sql, minutes, seconds};

const SITE1: Fault = Fault::Site(SiteId(0));

fn fabric() -> Fabric {
    Plan::default().fabric()
}

fn up_to_date(fabric: &Fabric, computer: firedrill_topology::ComputerId) -> bool {
    fabric.replica_state(computer).up_to_date
}

#[test]
fn a_change_reaches_every_replica_within_about_a_minute() {
    let mut fabric = fabric();
    let caller = fabric.front_end(POOL1, 1);
    let edge = fabric.topology().edge_pools[1].servers[0].computer;
    fabric.next_hop(EdgePoolId(1), POOL1, caller);
    assert!(!up_to_date(&fabric, edge));
    assert_eq!(fabric.local_store(edge).edges[1].next_hop, POOL2, "published and not yet there");
    let imported = SNAPSHOT_TIME + PUSH_TIME + IMPORT_TIME;
    fabric.run(imported);
    assert_eq!(fabric.local_store(edge).edges[1].next_hop, POOL1);
    assert!(!up_to_date(&fabric, edge), "the status has not come back");
    fabric.run(RETURN_TIME);
    assert!(up_to_date(&fabric, edge));
    assert!(imported + RETURN_TIME <= minutes(1));
    let state = fabric.replica_state(edge);
    assert_eq!((state.last_status_report, state.product_version), (Some(fabric.now()), Some("6.0.9319.0")));
}

/// Without changes, reports still come (dossier D.2: one that is more than an hour old is suspicious), while the agents
/// run and the way is open; one that was stopped resumes.
#[rstest]
#[case::agent_hangs(|edge, _| Fault::ReplicaAgent(edge))]
#[case::https_closed(|edge, _| Fault::Port { from: Place::Anywhere, to: Place::Computer(edge), port: 4443 })]
#[case::off(|edge, _| Fault::Computer(edge))]
#[case::no_master(|_, _| SITE1)]
fn status_reports_age_only_where_something_is_wrong(#[case] fault: fn(firedrill_topology::ComputerId, SiteId) -> Fault) {
    let mut fabric = fabric();
    let edge = fabric.topology().edge_pools[1].servers[0].computer;
    let age = |fabric: &Fabric| fabric.now().since(fabric.replica_state(edge).last_status_report.expect("reported at the start"));
    fabric.run(minutes(200) + seconds(1));
    assert!(age(&fabric) < STATUS_REPORT_INTERVAL);
    let before = age(&fabric);
    let fault = fault(edge, SiteId(0));
    fabric.strike(fault.clone());
    fabric.run(minutes(90));
    assert_eq!(age(&fabric), before + minutes(90), "the last report before the fault stays");
    fabric.mend(fault);
    fabric.run(minutes(60));
    assert!(age(&fabric) < STATUS_REPORT_INTERVAL);
    assert!(up_to_date(&fabric, edge));
}

#[derive(Debug, Clone, Copy)]
enum Obstacle {
    Port(u16),
    ReplicaService,
    ReplicaAgent,
    Certificate,
    Link,
    MasterAgent,
    TransferAgent,
}

// Who is stopped by what (dossier D.2, I 8, I 46): an Edge Server of site 2, a Front End of pool 2.
#[rstest]
#[case::https_to_the_edge(Obstacle::Port(4443), false, true)]
#[case::smb_inside(Obstacle::Port(445), true, false)]
#[case::replica_service_of_the_edge(Obstacle::ReplicaService, false, true)]
#[case::replica_agent_of_the_edge(Obstacle::ReplicaAgent, false, true)]
#[case::certificate_of_the_edge(Obstacle::Certificate, false, true)]
#[case::link_between_the_sites(Obstacle::Link, false, false)]
#[case::master_agents(Obstacle::MasterAgent, false, false)]
#[case::file_transfer_agents(Obstacle::TransferAgent, false, false)]
fn a_broken_leg_keeps_a_replica_behind_until_it_is_mended(
    #[case] obstacle: Obstacle,
    #[case] edge_gets: bool,
    #[case] front_end_gets: bool,
) {
    let mut fabric = fabric();
    let caller = fabric.front_end(POOL1, 1);
    let edge = fabric.topology().edge_pools[1].servers[0].computer;
    let front_end = fabric.front_end(POOL2, 1);
    let faults: Vec<Fault> = match obstacle {
        Obstacle::Port(port) => vec![Fault::Port { from: Place::Anywhere, to: Place::Anywhere, port }],
        Obstacle::ReplicaService => vec![Fault::Service(edge, ServiceName::Replica)],
        Obstacle::ReplicaAgent => vec![Fault::ReplicaAgent(edge)],
        Obstacle::Certificate => vec![Fault::Certificate(edge)],
        Obstacle::Link => vec![Fault::Link(SiteId(0), SiteId(1))],
        Obstacle::MasterAgent => (1..=3).map(|number| Fault::Service(fabric.front_end(POOL1, number), ServiceName::Master)).collect(),
        Obstacle::TransferAgent => (1..=3).map(|number| Fault::Service(fabric.front_end(POOL1, number), ServiceName::Fta)).collect(),
    };
    for fault in &faults {
        fabric.strike(fault.clone());
    }
    fabric.next_hop(EdgePoolId(1), POOL1, caller);
    fabric.run(minutes(30));
    assert_eq!((up_to_date(&fabric, edge), up_to_date(&fabric, front_end)), (edge_gets, front_end_gets));
    assert_eq!(fabric.local_store(edge).edges[1].next_hop == POOL1, edge_gets);
    for fault in faults {
        fabric.mend(fault);
    }
    fabric.run(minutes(3));
    assert!(up_to_date(&fabric, edge) && up_to_date(&fabric, front_end), "retried after the mending");
}

/// Cut at every leg: the update stops where it is and completes after the link heals.
#[rstest]
fn a_link_that_fails_in_the_middle_of_replication(#[values(1, 9, 12, 24, 26, 39, 41, 54)] second: i64) {
    let mut fabric = fabric();
    let caller = fabric.front_end(POOL1, 1);
    let edge = fabric.topology().edge_pools[1].servers[0].computer;
    fabric.next_hop(EdgePoolId(1), POOL1, caller);
    fabric.run(seconds(second));
    fabric.strike(Fault::Link(SiteId(0), SiteId(1)));
    fabric.run(minutes(10));
    assert!(!up_to_date(&fabric, edge));
    // What has been pushed is imported without the link.
    assert_eq!(fabric.local_store(edge).edges[1].next_hop == POOL1, second >= 25);
    fabric.mend(Fault::Link(SiteId(0), SiteId(1)));
    fabric.run(minutes(1));
    assert!(up_to_date(&fabric, edge));
}

#[test]
fn forced_replication_copies_everything_anew() {
    let mut fabric = fabric();
    let caller = fabric.front_end(POOL1, 1);
    let other = fabric.front_end(POOL2, 2);
    fabric.run(minutes(10));
    let before = (fabric.replica_state(caller).last_update_creation, fabric.replica_state(other).last_update_creation);
    fabric.go(Operation::Replicate { replica: Some(caller) }, other).outcome.expect("the CMS answers");
    assert!(!up_to_date(&fabric, caller));
    fabric.run(minutes(2));
    let after = (fabric.replica_state(caller).last_update_creation, fabric.replica_state(other).last_update_creation);
    assert!(after.0 > before.0 && after.1 == before.1, "only the replica that was named");
    assert!(up_to_date(&fabric, caller));
    let sql = fabric.topology().sql(SqlId(0)).computer;
    assert_eq!(refusal(&fabric.go(Operation::Replicate { replica: Some(sql) }, other)), "ReplicaUnknown");
}

#[test]
fn without_the_cms_local_reads_work_and_everything_central_fails() {
    let mut fabric = fabric();
    let caller = fabric.front_end(POOL2, 1);
    fabric.strike(SITE1);
    fabric.run(minutes(1));
    let error = fabric.central_store(caller).expect_err("its SQL Server is gone");
    assert_eq!(error.id, "StoreUnreachable");
    assert!(error.message.contains("error: 26 - Error Locating Server/Instance Specified"), "{}", error.message);
    assert_eq!(fabric.local_store(caller).cms_active, POOL1);
    assert!(fabric.edit_configuration(at(caller), |_| Ok(())).is_err());
    assert!(fabric.management_connection(caller).is_err());
    assert_eq!(fabric.configuration_store_location().expect("AD is another failure domain").0, "sqlp1.contoso.com");
    assert_eq!(refusal(&fabric.go(Operation::EnableTopology, caller)), "StoreUnreachable");
    assert_eq!(refusal(&fabric.fail_cms_over(CmsFailover::Normal, caller)), "StoreUnreachable");
    fabric.strike(Fault::ActiveDirectory);
    assert_eq!(fabric.configuration_store_location().expect_err("AD is down").id, "DirectoryUnreachable");
}

#[test]
fn a_normal_failover_moves_everything_and_demotes_the_source() {
    let mut fabric = fabric();
    let caller = fabric.front_end(POOL2, 2);
    fabric.next_hop(EdgePoolId(0), POOL2, caller);
    let process = fabric.start_operation(Operation::CmsFailover(CmsFailover::Normal), at(caller));
    fabric.run(seconds(25));
    // Read-only from the drain to the switch (dossier D.5).
    let error = fabric.edit_configuration(at(caller), |_| Ok(())).expect_err("the store is being moved");
    assert_eq!(
        error.message,
        "###50020:XDSForceReplication: This central management store is being moved to another location. No changes can be made until this move is complete"
    );
    fabric.run(minutes(3));
    fabric.take_report(process).expect("ended").outcome.expect("both pools are healthy");
    let document = fabric.central_store(caller).expect("the CMS answers");
    assert_eq!((document.cms_active, document.cms_standby, document.edges[0].next_hop), (POOL2, Some(POOL1), POOL2));
    assert_eq!(fabric.cms_status().active_master, Some(fabric.front_end(POOL2, 1)));
    assert_eq!(fabric.data_losses(), [], "nothing is lost in a normal failover");
    fabric.run(minutes(5));
    assert_eq!(fabric.cms_databases()[0].state, CmsDatabaseState::Backup);
    // And back again.
    let home = fabric.front_end(POOL1, 1);
    fabric.fail_cms_over(CmsFailover::Normal, home).outcome.expect("the former source is in Backup mode");
    assert_eq!(fabric.central_store(caller).expect("the CMS answers").cms_active, POOL1);
}

#[test]
fn a_second_failover_too_soon_finds_a_store_that_is_not_in_backup_mode() {
    let mut fabric = fabric();
    let caller = fabric.front_end(POOL2, 1);
    let home = fabric.front_end(POOL1, 1);
    fabric.fail_cms_over(CmsFailover::Normal, caller).outcome.expect("healthy");
    let error = fabric.fail_cms_over(CmsFailover::Normal, home).outcome.expect_err("too soon");
    assert_eq!(
        error.message,
        "Cannot fail over the Central Management Server. The new Central Management Store located at \"pool1.contoso.com\" is not in Backup mode."
    );
    fabric.run(minutes(3));
    fabric.fail_cms_over(CmsFailover::Normal, home).outcome.expect("the Backup Service has demoted it meanwhile");
}

#[test]
fn an_old_master_comes_back_active_until_the_backup_service_demotes_it() {
    let mut fabric = fabric();
    let caller = fabric.front_end(POOL2, 1);
    fabric.strike(SITE1);
    fabric.run(minutes(1));
    fabric.fail_cms_over(disaster_cms("sqlp2.contoso.com"), caller).outcome.expect("the standby takes over");
    let home = fabric.front_end(POOL1, 1);
    fabric.strike(Fault::BackupService(POOL2));
    fabric.mend(SITE1);
    fabric.run(minutes(30));
    let states = |fabric: &Fabric| fabric.cms_databases().iter().map(|report| report.state).collect::<Vec<_>>();
    assert_eq!(states(&fabric), [CmsDatabaseState::Active, CmsDatabaseState::Active]);
    assert_eq!(refusal(&fabric.fail_cms_over(CmsFailover::Normal, home)), "NotInBackupMode");
    assert_eq!(refusal(&fabric.go(Operation::Replicate { replica: None }, caller)), "StoreBeingMoved");
    // -Restore on that pool, or the Backup Service, mends it (dossier D.5).
    let mut restored = fabric.clone();
    restored.fail_cms_over(CmsFailover::Restore, home).outcome.expect("restored");
    assert_eq!(states(&restored), [CmsDatabaseState::Backup, CmsDatabaseState::Active]);
    restored.go(Operation::Replicate { replica: None }, caller).outcome.expect("works again");
    fabric.mend(Fault::BackupService(POOL2));
    fabric.run(minutes(3));
    assert_eq!(states(&fabric), [CmsDatabaseState::Backup, CmsDatabaseState::Active]);
}

#[test]
fn a_failover_that_breaks_off_leaves_the_source_read_only_until_it_is_cancelled() {
    let mut fabric = fabric();
    let caller = fabric.front_end(POOL2, 1);
    let process = fabric.start_operation(Operation::CmsFailover(CmsFailover::Normal), at(caller));
    fabric.run(seconds(5));
    let pool2_sql = [SqlId(3), SqlId(4)];
    for instance in pool2_sql {
        fabric.strike(Fault::SqlInstance(instance));
    }
    fabric.run(minutes(2));
    assert_eq!(fabric.take_report(process).expect("ended").outcome.expect_err("no target").id, "CmsSwitchFailed");
    for instance in pool2_sql {
        fabric.mend(Fault::SqlInstance(instance));
    }
    fabric.run(minutes(3));
    assert_eq!(fabric.edit_configuration(at(caller), |_| Ok(())).expect_err("half moved").id, "StoreBeingMoved");
    assert_eq!(refusal(&fabric.fail_cms_over(CmsFailover::Normal, caller)), "CmsFailoverInProgress");
    let home = fabric.front_end(POOL1, 1);
    fabric.fail_cms_over(CmsFailover::Restore, home).outcome.expect("cancelled");
    fabric.edit_configuration(at(caller), |_| Ok(())).expect("writable again");
}

#[rstest]
#[case::primary_is_principal(false, "sqlp2.contoso.com", None)]
#[case::the_wrong_side(false, "sqlm2.contoso.com", Some("BackupSqlNotPrincipal"))]
#[case::mirror_is_principal(true, "sqlm2.contoso.com", None)]
#[case::mirror_is_principal_and_the_primary_is_named(true, "sqlp2.contoso.com", Some("BackupSqlNotPrincipal"))]
#[case::another_pools_server(false, "sqlp1.contoso.com", Some("WrongBackupSql"))]
#[case::no_such_server(false, "sql9.contoso.com", Some("WrongBackupSql"))]
fn the_named_back_end_must_be_the_principal(#[case] mirrored: bool, #[case] server: &str, #[case] id: Option<&str>) {
    let mut fabric = fabric();
    let caller = fabric.front_end(POOL2, 1);
    if mirrored {
        let swap = Operation::DatabaseFailover {
            pool: POOL2,
            databases: DatabaseGroup::CentralMgmt,
            new_principal: MirrorSide::Mirror,
            force: false,
        };
        fabric.go(swap, caller).outcome.expect("both sides answer");
    }
    fabric.strike(SITE1);
    fabric.run(minutes(1));
    let outcome = fabric.fail_cms_over(disaster_cms(server), caller).outcome;
    assert_eq!(outcome.err().map(|error| error.id), id);
    // Naming both sides works whichever is principal; so does the procedure's own spelling for the mirror alone.
    if mirrored && id.is_some() {
        let pair = ("sqlm2.contoso.com".to_owned(), "rtc".to_owned());
        let alone = CmsFailover::Disaster {
            sql_server: String::new(),
            instance: String::new(),
            mirror: Some(pair.clone()),
            force: true,
            mirror_only: true,
        };
        let mut other = fabric.clone();
        other.fail_cms_over(alone, caller).outcome.expect("the mirror is principal");
        let both = CmsFailover::Disaster {
            sql_server: server.into(),
            instance: "rtc".into(),
            mirror: Some(pair),
            force: true,
            mirror_only: false,
        };
        fabric.fail_cms_over(both, caller).outcome.expect("both are named");
    }
}

#[test]
fn the_disaster_set_runs_on_the_target_with_force() {
    let mut fabric = fabric();
    let caller = fabric.front_end(POOL2, 1);
    let edge = fabric.topology().edge_pools[1].servers[0].computer;
    fabric.strike(SITE1);
    fabric.run(minutes(1));
    let CmsFailover::Disaster { sql_server, instance, mirror, mirror_only, .. } = disaster_cms("sqlp2.contoso.com") else { unreachable!() };
    let weak = CmsFailover::Disaster { sql_server, instance, mirror, mirror_only, force: false };
    assert_eq!(refusal(&fabric.fail_cms_over(weak, caller)), "ForceRequired");
    assert_eq!(refusal(&fabric.fail_cms_over(disaster_cms("sqlp2.contoso.com"), edge)), "CmsWrongComputer");
    fabric.fail_cms_over(disaster_cms("sqlp2.contoso.com"), caller).outcome.expect("on the target");
    assert_eq!(refusal(&fabric.fail_cms_over(disaster_cms("sqlp2.contoso.com"), caller)), "CmsAlreadyHere");
}

/// The change of 08:09:30 had not been shipped when the data centre was lost at 08:09:40; the last cycle was at 08:08.
#[test]
fn configuration_that_was_not_shipped_is_lost() {
    let mut fabric = fabric();
    let home = fabric.front_end(POOL1, 1);
    let caller = fabric.front_end(POOL2, 1);
    fabric.run(seconds(570));
    fabric.edit(home, |document| document.pools[0].registrar.max_endpoints_per_user = 3);
    fabric.run(seconds(10));
    fabric.strike(SITE1);
    fabric.run(minutes(5));
    fabric.fail_cms_over(disaster_cms("sqlp2.contoso.com"), caller).outcome.expect("the standby takes over");
    assert_eq!(fabric.central_store(caller).expect("the CMS answers").pools[0].registrar.max_endpoints_per_user, 8);
    assert_eq!(fabric.lost(POOL1, DataKind::Configuration), [Some(seconds(100))]);
    assert_eq!(fabric.lost(POOL1, DataKind::Locations), [None]);
}

#[test]
fn configuration_that_was_shipped_survives() {
    let mut fabric = fabric();
    let home = fabric.front_end(POOL1, 1);
    let caller = fabric.front_end(POOL2, 1);
    fabric.run(seconds(470));
    fabric.edit(home, |document| document.pools[0].registrar.max_endpoints_per_user = 3);
    fabric.run(seconds(110));
    fabric.strike(SITE1);
    fabric.run(minutes(5));
    fabric.fail_cms_over(disaster_cms("sqlp2.contoso.com"), caller).outcome.expect("the standby takes over");
    assert_eq!(fabric.central_store(caller).expect("the CMS answers").pools[0].registrar.max_endpoints_per_user, 3);
    assert_eq!(fabric.lost(POOL1, DataKind::Configuration), []);
}

/// P3.6: no standby database. Install on the backup pool's SQL Server, move with the exported files, set the others up.
#[test]
fn p3_6_installs_a_database_and_moves_the_cms_with_exported_files() {
    let mut topology = Plan::default().build();
    topology.cms.standby = None;
    let options = firedrill_fabric::Options { seed: 7, start: support::START };
    let mut fabric = Fabric::new(std::sync::Arc::new(topology), options);
    let caller = fabric.front_end(POOL2, 1);
    let second = fabric.front_end(POOL2, 2);
    assert_eq!(fabric.service(caller, ServiceName::Master), None, "no CMS services where no CMS database is");
    fabric.run(minutes(5));
    let document = fabric.central_store(caller).expect("the CMS answers");
    let export = fabric.export_configuration(document);
    fabric.write_file(caller, r"c:\CsConfigurationFile.zip", export);
    fabric.write_file(caller, r"c:\CsLisConfigurationFile.zip", std::sync::Arc::from(*b"lis"));
    fabric.strike(SITE1);
    fabric.run(minutes(10));
    let move_cms = |configuration: &str| Operation::MoveCms {
        force: true,
        configuration_file: Some(configuration.into()),
        lis_file: Some(r"C:\cslisconfigurationfile.zip".into()),
    };
    assert_eq!(refusal(&fabric.fail_cms_over(disaster_cms("sqlp2.contoso.com"), caller)), "NoStandbyDatabase");
    assert_eq!(refusal(&fabric.go(move_cms(r"c:\CsConfigurationFile.zip"), caller)), "MoveNoDatabase");
    let install =
        Operation::InstallCmsDatabase { sql_server: "sqlp2.contoso.com".into(), instance: "rtc".into(), clean: true, standby: false };
    fabric.go(install, caller).outcome.expect("SQL answers");
    assert_eq!(refusal(&fabric.go(move_cms(r"c:\elsewhere.zip"), caller)), "ExportFileMissing");
    let report = fabric.go(move_cms(r"c:\CsConfigurationFile.zip"), caller);
    report.outcome.expect("moves");
    assert_eq!(report.setup_needed, [second, fabric.front_end(POOL2, 3)]);
    fabric.run(minutes(2));
    let status = fabric.cms_status();
    assert_eq!((status.active_master, status.file_transfer_agents), (Some(caller), vec![caller]));
    fabric.run(minutes(3));
    assert!(up_to_date(&fabric, second));
    assert!(fabric.setup_pending(second) && !fabric.setup_pending(caller));
    fabric.go(Operation::RunSetup { computer: second }, second).outcome.expect("Bootstrapper /Setup");
    assert!(!fabric.setup_pending(second));
    assert_eq!(fabric.service(second, ServiceName::Master).expect("installed").status, ServiceStatus::Stopped);
    fabric.next_hop(EdgePoolId(0), POOL2, caller);
    fabric.fail_over(disaster_failover(POOL1), caller).outcome.expect("P3.7");
    assert_eq!(fabric.lost(POOL1, DataKind::Locations), [], "the LIS file was there");
}

#[test]
fn a_live_move_goes_to_the_callers_pool_and_names_the_computers_to_set_up() {
    let mut fabric = Plan { sql: Sql::StandAlone, ..Plan::default() }.fabric();
    let caller = fabric.front_end(POOL2, 1);
    let live = Operation::MoveCms { force: false, configuration_file: None, lis_file: None };
    assert_eq!(refusal(&fabric.go(live.clone(), fabric.front_end(POOL1, 1))), "CmsAlreadyHere");
    fabric.go(live.clone(), caller).outcome.expect("moves");
    assert_eq!(fabric.central_store(caller).expect("the CMS answers").cms_active, POOL2);
    assert_eq!(fabric.data_losses(), []);
}

#[test]
fn publishing_an_outdated_draft_is_refused() {
    let mut fabric = fabric();
    let caller = fabric.front_end(POOL1, 1);
    let mut draft = (*fabric.central_store(caller).expect("the CMS answers")).clone();
    draft.edges[0].next_hop = POOL2;
    let publish = Operation::Publish { draft: Box::new(draft), enable: true };
    fabric.go(publish.clone(), caller).outcome.expect("up to date");
    assert_eq!(fabric.central_store(caller).expect("the CMS answers").edges[0].next_hop, POOL2);
    assert_eq!(refusal(&fabric.go(publish, caller)), "PublishConflict");
}

/// P5: the federation bit moves; publish warns while two Edge pools carry it, and the wizard must run on the Edge.
#[test]
fn the_federation_bit_needs_publish_replication_and_setup() {
    let mut fabric = fabric();
    let caller = fabric.front_end(POOL1, 1);
    let edge = fabric.topology().edge_pools[1].servers[0].computer;
    let mut draft = (*fabric.central_store(caller).expect("the CMS answers")).clone();
    draft.edges[1].federation = true;
    let report = fabric.go(Operation::Publish { draft: Box::new(draft.clone()), enable: true }, caller);
    report.outcome.expect("published with a warning");
    let warnings: Vec<_> =
        report.messages.iter().filter(|(_, channel, _)| *channel == Channel::Warning).map(|(_, _, text)| text.as_str()).collect();
    assert_eq!(
        warnings[0],
        "Warning: The topology contains more than one Federated Edge Server. This can occur during migration to a more recent version of the product. In that case, only one Edge Server would be actively used for federation. Verify that the external DNS SRV record points to the correct Edge Server."
    );
    let servers: Vec<_> = fabric.topology().edge_pools[1].servers.iter().map(|server| server.computer).collect();
    assert_eq!(report.setup_needed, servers);
    assert!(!fabric.setup_pending(edge), "its replica does not know yet");
    fabric.run(minutes(1));
    assert!(fabric.setup_pending(edge));
    let started = fabric.now();
    fabric.go(Operation::RunSetup { computer: edge }, edge).outcome.expect("setup");
    assert_eq!(fabric.now().since(started), SETUP_TIME);
    assert!(!fabric.setup_pending(edge));
}

#[test]
fn next_hop_routes_and_media_need_no_setup() {
    let mut fabric = fabric();
    let caller = fabric.front_end(POOL1, 1);
    let mut draft = (*fabric.central_store(caller).expect("the CMS answers")).clone();
    draft.edges[0].next_hop = POOL2;
    draft.sites[0].federation_route = Some(EdgePoolId(1));
    draft.pools[0].media_edge = Some(EdgePoolId(1));
    draft.pools[0].voice.detection_seconds = 600;
    let report = fabric.go(Operation::Publish { draft: Box::new(draft), enable: true }, caller);
    report.outcome.expect("published");
    assert_eq!(report.setup_needed, []);
}

/// A.2: pairing needs publish, setup on every Front End of both pools, and the Backup Service started.
#[test]
fn pairing_two_pools_takes_all_the_documented_steps() {
    let mut fabric = Plan { paired: false, ..Plan::default() }.fabric();
    let caller = fabric.front_end(POOL1, 1);
    let mut draft = (*fabric.central_store(caller).expect("the CMS answers")).clone();
    draft.pools[0].backup = Some(POOL2);
    draft.pools[1].backup = Some(POOL1);
    let report = fabric.go(Operation::Publish { draft: Box::new(draft), enable: true }, caller);
    report.outcome.expect("published");
    let all: Vec<_> = [POOL1, POOL2].iter().flat_map(|pool| fabric.topology().pool(*pool).front_ends.clone()).collect();
    assert_eq!(report.setup_needed, all);
    fabric.run(minutes(2));
    assert_eq!(fabric.backup_status(POOL1).expect_err("not installed").id, "BackupServiceUnreachable");
    for computer in &all {
        fabric.go(Operation::RunSetup { computer: *computer }, *computer).outcome.expect("setup");
        let start = Operation::StartServices { computer: *computer, service: None, no_wait: false };
        fabric.go(start, *computer).outcome.expect("started");
    }
    fabric.run(minutes(5));
    assert!(fabric.backup_status(POOL1).expect("it runs").is_some());
    // The CMS pool's partner has a standby database now (dossier A.3), and the Backup Service has filled it.
    assert_eq!(fabric.cms_databases()[1].state, CmsDatabaseState::Backup);
    assert_eq!(fabric.cms_databases()[1].version, fabric.cms_databases()[0].version);
    fabric.strike(SITE1);
    fabric.run(minutes(1));
    let second = fabric.front_end(POOL2, 1);
    fabric.fail_cms_over(disaster_cms("sqlp2.contoso.com"), second).outcome.expect("the standby takes over");
    assert_eq!(fabric.pool_state(POOL1), PoolState::Active);
}

/// D.8: all copies lost; install, point Active Directory at it, import.
#[test]
fn the_store_is_rebuilt_from_an_export() {
    let mut fabric = Plan { paired: false, ..Plan::default() }.fabric();
    let caller = fabric.front_end(POOL2, 1);
    fabric.edit(caller, |document| document.pools[1].registrar.max_user_count = 77);
    let document = fabric.central_store(caller).expect("the CMS answers");
    fabric.strike(Fault::Pool(POOL1));
    fabric.run(minutes(1));
    let sql = ("sqlp2.contoso.com".to_owned(), "rtc".to_owned());
    let install = Operation::InstallCmsDatabase { sql_server: sql.0.clone(), instance: sql.1.clone(), clean: true, standby: false };
    fabric.go(install, caller).outcome.expect("SQL answers");
    fabric.go(Operation::SetConfigurationStoreLocation { sql_server: sql.0, instance: sql.1 }, caller).outcome.expect("AD answers");
    assert_eq!(fabric.central_store(caller).expect_err("empty").id, "StoreDatabaseMissing");
    let import = Operation::ImportConfiguration { configuration: Box::new((*document).clone()), local_store: false };
    fabric.go(import, caller).outcome.expect("an empty database takes it");
    let imported = fabric.central_store(caller).expect("the CMS answers");
    assert_eq!((imported.cms_active, imported.pools[1].registrar.max_user_count), (POOL2, 77));
}
