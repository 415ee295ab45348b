//! What publishing alone does, and what waits for `Enable-CsTopology` and local setup (dossier A.1 to A.3, D.8, H).

mod runbook;
mod support;

use firedrill_fabric::ExportState::{ErrorState, FinalState};
use firedrill_fabric::operation::BackupModule::CmsMaster;
use firedrill_fabric::operation::Channel;
use firedrill_fabric::{Behaviour, Configuration, Fabric, Fault, Operation, OperationReport, ServiceName};
use firedrill_topology::{BackEnd, ComputerId, Edition, ProductVersion, SqlId, Topology};
use rstest::rstest;
use runbook::{Runbook, refusal};
use support::{Drill, POOL1, POOL2, Plan, START, Sql, minutes};

fn unpaired() -> Plan {
    Plan { paired: false, ..Plan::default() }
}

fn publish(fabric: &mut Fabric, enable: bool, change: impl FnOnce(&mut Configuration)) -> OperationReport {
    let caller = fabric.front_end(POOL1, 1);
    let mut draft = (*fabric.central_store(caller).expect("the CMS answers")).clone();
    change(&mut draft);
    fabric.go(Operation::Publish { draft: Box::new(draft), enable }, caller)
}

fn pair(document: &mut Configuration) {
    document.pools[0].backup = Some(POOL2);
    document.pools[1].backup = Some(POOL1);
}

fn set_up(fabric: &mut Fabric, computer: ComputerId) -> OperationReport {
    fabric.go(Operation::RunSetup { computer }, computer)
}

fn enable(fabric: &mut Fabric) -> OperationReport {
    let caller = fabric.front_end(POOL1, 1);
    fabric.go(Operation::EnableTopology, caller)
}

fn warnings(report: &OperationReport) -> Vec<&str> {
    report.messages.iter().filter(|(_, channel, _)| *channel == Channel::Warning).map(|(_, _, text)| text.as_str()).collect()
}

/// Publishing writes to the store only; what it adds in the domain cannot be set up before the topology is enabled.
#[test]
fn setup_waits_for_enable_cstopology() {
    let mut fabric = unpaired().fabric();
    let (one, two) = (fabric.front_end(POOL1, 1), fabric.front_end(POOL2, 3));
    let report = publish(&mut fabric, false, pair);
    assert_eq!((report.outcome.clone(), report.setup_needed.len()), (Ok(()), 6), "the store took it");
    assert_eq!(warnings(&report), [""; 0], "the to-do list is Topology Builder's");
    let setup = Operation::RunSetup { computer: one };
    assert_eq!(fabric.check(&setup, runbook::at(one)), Ok(()), "its replica does not know yet: nothing to install");
    fabric.run(minutes(2));
    assert!(fabric.setup_pending(one) && fabric.activation_pending(one) && fabric.activation_pending(two));
    for computer in [one, two] {
        assert_eq!(refusal(&set_up(&mut fabric, computer)), "SetupNotActivated");
        assert_eq!(fabric.service(computer, ServiceName::LyncBackup), None);
    }
    assert!(fabric.behaviours().iter().any(|behaviour| behaviour == Behaviour::SetupNeedsActivation));
    assert_eq!(enable(&mut fabric).outcome, Ok(()));
    assert!(!fabric.activation_pending(one));
    assert_eq!(set_up(&mut fabric, one).outcome, Ok(()));
    assert!(fabric.service(one, ServiceName::LyncBackup).is_some());
}

/// Topology Builder's Publish does both, also for what a cmdlet published before.
#[test]
fn publishing_with_topology_builder_enables_what_was_waiting() {
    let mut fabric = unpaired().fabric();
    let computer = fabric.front_end(POOL1, 2);
    publish(&mut fabric, false, pair);
    let report = publish(&mut fabric, true, |document| document.pools[0].voice.detection_seconds = 600);
    assert_eq!(report.setup_needed.len(), 6);
    assert_eq!(warnings(&report).len(), 1, "{:?}", warnings(&report));
    fabric.run(minutes(2));
    assert_eq!(set_up(&mut fabric, computer).outcome, Ok(()));
}

/// What needs no setup does not wait for anything; nor does taking components away, or an Edge outside of the domain.
#[test]
fn only_new_components_in_the_domain_wait() {
    let mut fabric = Plan::default().fabric();
    let (front_end, edge) = (fabric.front_end(POOL1, 1), fabric.topology().edge_pools[1].servers[0].computer);
    let report = publish(&mut fabric, false, |document| {
        document.edges[1].federation = true;
        document.pools[0].backup = None;
        document.pools[1].backup = None;
    });
    assert_eq!(report.outcome, Ok(()));
    fabric.run(minutes(2));
    for computer in [front_end, edge] {
        assert!(fabric.setup_pending(computer) && !fabric.activation_pending(computer));
        assert_eq!(set_up(&mut fabric, computer).outcome, Ok(()));
        assert!(!fabric.setup_pending(computer));
    }
    assert_eq!(fabric.service(front_end, ServiceName::LyncBackup), None, "it is gone");
}

/// D.8: components are activated in Active Directory.
#[test]
fn setup_of_new_components_needs_the_directory() {
    let mut fabric = unpaired().fabric();
    let computer = fabric.front_end(POOL2, 1);
    publish(&mut fabric, true, pair);
    fabric.run(minutes(2));
    fabric.strike(Fault::ActiveDirectory);
    assert_eq!(refusal(&set_up(&mut fabric, computer)), "DirectoryUnreachable");
    fabric.mend(Fault::ActiveDirectory);
    assert_eq!(set_up(&mut fabric, computer).outcome, Ok(()));
    fabric.strike(Fault::ActiveDirectory);
    assert_eq!(set_up(&mut fabric, computer).outcome, Ok(()), "nothing to install");
}

/// The standby database of an Enterprise pool is created by Topology Builder; who publishes by cmdlet, or pairs Standard
/// Edition servers, installs it by hand (dossier A.3, H).
#[rstest]
#[case::topology_builder(true, Edition::Enterprise, "")]
#[case::cmdlet(false, Edition::Enterprise, "sqlp2.contoso.com")]
#[case::standard_edition(true, Edition::Standard, "fe2-1.contoso.com")]
fn the_standby_database_of_a_new_pair(#[case] with_topology_builder: bool, #[case] edition: Edition, #[case] by_hand: &str) {
    let front_ends = if edition == Edition::Standard { 1 } else { 3 };
    let mut fabric = Plan { edition, front_ends, ..unpaired() }.fabric();
    publish(&mut fabric, with_topology_builder, pair);
    enable(&mut fabric);
    fabric.run(minutes(2));
    let all: Vec<ComputerId> = [POOL1, POOL2].iter().flat_map(|pool| fabric.topology().pool(*pool).front_ends.clone()).collect();
    for computer in all {
        set_up(&mut fabric, computer).outcome.expect("enabled");
        fabric.go(Operation::StartServices { computer, service: None, no_wait: false }, computer).outcome.expect("starts");
    }
    fabric.run(minutes(5));
    let has_standby = |fabric: &Fabric| fabric.cms_databases().iter().any(|database| database.pool == POOL2);
    assert_eq!(has_standby(&fabric), by_hand.is_empty());
    if !by_hand.is_empty() {
        assert_eq!(fabric.backup_module(POOL1, CmsMaster), ErrorState, "nowhere to ship to");
        let caller = fabric.front_end(POOL2, 1);
        let install = Operation::InstallCmsDatabase { sql_server: by_hand.into(), instance: "rtc".into(), clean: false, standby: true };
        fabric.go(install, caller).outcome.expect("SQL answers");
        fabric.run(minutes(5));
    }
    assert_eq!(fabric.backup_module(POOL1, CmsMaster), FinalState);
    assert_eq!(fabric.cms_databases()[1].version, fabric.cms_databases()[0].version);
}

/// Topology Builder cannot create a database on a server that does not answer; the topology is published all the same.
#[test]
fn a_standby_database_needs_its_sql_server() {
    let mut fabric = unpaired().fabric();
    for sql in [3, 4] {
        fabric.strike(Fault::SqlInstance(SqlId(sql)));
    }
    let report = publish(&mut fabric, true, pair);
    assert_eq!(report.outcome, Ok(()));
    assert!(warnings(&report).iter().any(|text| text.contains("\"pool2.contoso.com\" could not be created")), "{:?}", warnings(&report));
    assert_eq!(fabric.cms_databases().len(), 1);
}

/// D.8: the rebuild goes on with `Enable-CsTopology` before the servers are set up.
#[test]
fn an_import_waits_for_enable_cstopology_too() {
    let mut fabric = unpaired().fabric();
    let caller = fabric.front_end(POOL2, 1);
    let document = fabric.central_store(caller).expect("the CMS answers");
    fabric.strike(Fault::Pool(POOL1));
    let sql = ("sqlp2.contoso.com".to_owned(), "rtc".to_owned());
    let install = Operation::InstallCmsDatabase { sql_server: sql.0.clone(), instance: sql.1.clone(), clean: true, standby: false };
    fabric.go(install, caller).outcome.expect("SQL answers");
    fabric.go(Operation::SetConfigurationStoreLocation { sql_server: sql.0, instance: sql.1 }, caller).outcome.expect("AD answers");
    let import = |local_store| Operation::ImportConfiguration { configuration: Box::new((*document).clone()), local_store };
    fabric.go(import(false), caller).outcome.expect("an empty database takes it");
    assert!(fabric.activation_pending(caller), "the CMS services are new there");
    fabric.go(Operation::EnableTopology, caller).outcome.expect("the store answers");
    assert!(!fabric.activation_pending(caller));
}

/// A.1: exactly one to one.
#[rstest]
#[case::one_sided(|document: &mut Configuration| document.pools[0].backup = Some(POOL2))]
#[case::with_itself(|document: &mut Configuration| document.pools[0].backup = Some(POOL1))]
fn pairing_is_mutual(#[case] change: fn(&mut Configuration)) {
    let mut fabric = unpaired().fabric();
    let before = fabric.central_store(fabric.front_end(POOL1, 1));
    for enable in [true, false] {
        assert_eq!(refusal(&publish(&mut fabric, enable, change)), "PairingOneSided");
    }
    assert_eq!(fabric.central_store(fabric.front_end(POOL1, 1)), before);
}

/// A pool cannot leave its partner behind either.
#[test]
fn a_pair_is_taken_apart_on_both_sides() {
    let mut fabric = Plan::default().fabric();
    assert_eq!(refusal(&publish(&mut fabric, true, |document| document.pools[1].backup = None)), "PairingOneSided");
}

/// A.1: support statements; publishing is not refused.
#[rstest]
#[case::hosting(|topology: &mut Topology| topology.pools[0].virtualised = false, "one runs on physical and the other on virtual servers")]
#[case::version(|topology: &mut Topology| topology.pools[0].version = ProductVersion::Lync2013, "they run different versions of the product")]
#[case::technology(
    |topology: &mut Topology| topology.pools[0].back_end = BackEnd::StandAlone { instance: SqlId(0) },
    "their back ends use different technologies of high availability"
)]
fn unlike_pools_are_paired_with_a_warning(#[case] make_unlike: fn(&mut Topology), #[case] words: &str) {
    let mut topology = unpaired().build();
    make_unlike(&mut topology);
    let mut fabric = Fabric::new(std::sync::Arc::new(topology), firedrill_fabric::Options { seed: 7, start: START });
    let report = publish(&mut fabric, true, pair);
    assert_eq!(report.outcome, Ok(()));
    assert!(warnings(&report)[0].contains(words), "{:?}", warnings(&report));
    let again = publish(&mut fabric, true, |document| document.pools[0].voice.detection_seconds = 600);
    assert!(!warnings(&again).iter().any(|text| text.contains(words)), "said once");
}

/// The 2019 product has no XMPP proxy to install (dossier G.2).
#[test]
fn no_xmpp_proxy_is_installed_in_2019() {
    let mut fabric = Plan { version: ProductVersion::Sfb2019, sql: Sql::AlwaysOn, ..Plan::default() }.fabric();
    let edge = fabric.topology().edge_pools[0].servers[0].computer;
    publish(&mut fabric, true, |document| document.edges[0].xmpp_listening_port = Some(5269)).outcome.expect("published");
    fabric.run(minutes(2));
    assert!(!fabric.setup_pending(edge));
    assert_eq!(fabric.service(edge, ServiceName::RtcXmppTgwPx), None);
}
