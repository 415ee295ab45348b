//! Pairing, the Backup Service, Windows services and publishing at a console (dossier A, G, H).

mod support;

use firedrill_cmdlets::signatures::Binding;
use firedrill_fabric::{Caller, Change, Fault, Operation, ServiceName, SimDuration};
use firedrill_powershell::session::RunOutput;
use firedrill_powershell::value::Value;
use firedrill_topology::{ComputerId, PoolId, ProductVersion, SiteId};
use rstest::rstest;
use support::Rig;

fn text_of(output: &RunOutput) -> Vec<String> {
    output.objects().map(|value| firedrill_powershell::convert::to_text(value, " ")).collect()
}

fn first_error(output: &RunOutput) -> String {
    output.errors().next().map(|record| record.message.to_string()).unwrap_or_default()
}

fn wait(rig: &mut Rig, length: SimDuration) {
    let until = rig.fabric.now() + length;
    rig.fabric.advance_to(until).expect("no limit");
}

fn computer(rig: &Rig, fqdn: &str) -> ComputerId {
    rig.fabric.topology().find_computer(fqdn).expect("it exists")
}

const TEMP: &str = r"C:\Users\Administrator\AppData\Local\Temp";

/// H: an earlier topology is published again by cmdlet. It is in the store and on the replicas, and setup cannot install
/// what Enable-CsTopology has not brought into Active Directory.
#[test]
fn a_topology_published_again_has_to_be_enabled() {
    let mut rig = Rig::contoso();
    assert_eq!(first_error(&rig.run(r"(Get-CsTopology -AsXml).ToString() > C:\paired.xml")), "");
    let server = computer(&rig, "pool2-fe1.contoso.com");
    let mut apart = (*rig.fabric.central_store(server).expect("the CMS answers")).clone();
    for pool in &mut apart.pools {
        pool.backup = None;
    }
    let publish = Operation::Publish { draft: Box::new(apart), enable: true };
    rig.fabric.perform(publish, Caller { computer: server }).expect("no limit").outcome.expect("published");
    wait(&mut rig, SimDuration::from_mins(2));
    assert_eq!(first_error(&rig.run("Bootstrapper /Setup")), "");
    assert_eq!(rig.run("Get-CsWindowsService -Name LYNCBACKUP").errors().count(), 1, "not paired, not installed");

    let console = rig.console(r"Publish-CsTopology -FileName C:\paired.xml -Verbose");
    assert!(console.contains("VERBOSE: \"Publish-CsTopology\" processing has completed successfully."), "{console}");
    assert_eq!(
        text_of(&rig.run("(Get-CsPoolBackupRelationship -PoolFqdn pool1.contoso.com).BackupPoolFqdn")),
        ["pool2.contoso.com"],
        "the store has it"
    );
    wait(&mut rig, SimDuration::from_mins(2));
    let refused = first_error(&rig.run("Bootstrapper /Setup"));
    assert!(refused.starts_with("The components of computer \"pool2-fe1.contoso.com\" cannot be activated"), "{refused}");
    assert_eq!(first_error(&rig.run("Enable-CsTopology")), "");
    assert_eq!(first_error(&rig.run("Bootstrapper /Setup")), "");
    assert_eq!(text_of(&rig.run("(Get-CsWindowsService -Name LYNCBACKUP).Status")), ["Stopped"], "installed, to be started by hand");
}

/// H: what was published before is kept in a file whose name is documented; or in one that was asked for.
#[test]
fn the_previous_topology_is_kept() {
    let mut rig = Rig::contoso();
    let here = computer(&rig, "pool2-fe1.contoso.com");
    rig.run(r"(Get-CsTopology -AsXml).ToString() > C:\t.xml");
    let at = rig.fabric.now().to_string();
    assert_eq!(at, "2026-01-05T08:00:00Z");
    assert_eq!(first_error(&rig.run(r"Publish-CsTopology -FileName C:\t.xml")), "");
    let kept = rig.fabric.read_file(here, &format!(r"{TEMP}\Publish-CsTopology-Backup-[2026_01_05][08_00_00]")).expect("written");
    assert!(String::from_utf8_lossy(&kept).contains("<Topology"));
    assert_eq!(first_error(&rig.run(r"Publish-CsTopology -FileName C:\t.xml -BackupFileName C:\mine.xml")), "");
    assert!(rig.fabric.read_file(here, r"C:\mine.xml").is_some());
}

/// H: Topology Builder's own file is not what the cmdlet takes.
#[test]
fn a_tbxml_is_not_published() {
    let mut rig = Rig::contoso();
    let here = computer(&rig, "pool2-fe1.contoso.com");
    let tbxml = br#"<?xml version="1.0"?><TopologyBuilder xmlns="urn:schema:Microsoft.Rtc.Management.TopologyBuilder.2008"><Topology/></TopologyBuilder>"#;
    rig.fabric.write_file(here, r"C:\contoso.tbxml", std::sync::Arc::from(&tbxml[..]));
    let before = rig.fabric.central_store(here);
    let output = rig.run(r"Publish-CsTopology -FileName C:\contoso.tbxml");
    assert!(first_error(&output).contains("is not an export of a topology"), "{}", first_error(&output));
    assert_eq!(rig.fabric.central_store(here), before);
}

/// H: the replica service of the local computer.
#[test]
fn the_local_replica_service_is_tested() {
    let mut rig = Rig::contoso();
    let console = rig.console("Test-CsReplica -Verbose");
    assert!(console.starts_with("VERBOSE: \"Test-CsReplica\" processing has completed successfully."), "{console}");
    let here = computer(&rig, "pool2-fe1.contoso.com");
    rig.fabric.apply(Change::Inject(Fault::ReplicaAgent(here))).expect("a fault");
    assert_eq!(first_error(&rig.run("Test-CsReplica")), "", "an agent that hangs runs all the same");
    rig.fabric.apply(Change::Inject(Fault::Service(here, ServiceName::Replica))).expect("a fault");
    let console = rig.console("Test-CsReplica");
    assert!(console.starts_with("WARNING: Test-CsReplica failed.\n"), "{console}");
    let output = rig.run("Test-CsReplica");
    assert!(first_error(&output).starts_with("Command execution failed: The service REPLICA is not running"), "{}", first_error(&output));
    let id = output.errors().next().expect("an error").id.clone();
    assert_eq!(&*id, "ProcessingFailed,Microsoft.Rtc.Management.Deployment.TestReplicaCmdlet", "documented: dossier H");
    rig.computer = "sql1a.contoso.com".to_owned();
    for command in ["Test-CsReplica", "Enable-CsReplica"] {
        assert_eq!(rig.run(command).errors().count(), 1, "{command}: no replica there");
    }
    rig.computer = "edgeserver1a.contoso.com".to_owned();
    rig.fabric.apply(Change::Inject(Fault::ActiveDirectory)).expect("a fault");
    for command in ["Test-CsReplica", "Enable-CsReplica"] {
        assert_eq!(first_error(&rig.run(command)), "", "{command}: an Edge stands in no domain");
    }
    rig.computer = "pool1-fe1.contoso.com".to_owned();
    assert!(first_error(&rig.run("Test-CsReplica")).contains("could not be contacted"));
}

/// A.5: Backup-CsPool waits. A pool in use gets steady, never final; one behind a cut link neither.
#[rstest]
#[case::shipped("", false, "")]
#[case::steady("-SteadyState", false, "")]
#[case::never_final("-FullBackup -RetryCount 3", false, "The backup of pool \"pool1.contoso.com\" did not complete")]
#[case::only_the_cms("-FullBackup -Category CMS", false, "")]
#[case::not_failed_over("-FullBackup -FailedOverPoolOnly", false, "")]
#[case::unreachable("-RetryCount 2 -WaitTime 00:00:30", true, "The Backup Service of pool \"pool1.contoso.com\" cannot be reached")]
#[case::both_goals("-FullBackup -SteadyState", false, "The FullBackup and SteadyState parameters")]
#[case::needs_full("-FailedOverPoolOnly", false, "The FailedOverPoolOnly parameter")]
fn a_pool_is_backed_up(#[case] parameters: &str, #[case] cut: bool, #[case] error: &str) {
    let mut rig = Rig::contoso();
    rig.computer = "pool1-fe1.contoso.com".to_owned();
    wait(&mut rig, SimDuration::from_mins(11));
    if cut {
        rig.computer = "pool2-fe1.contoso.com".to_owned();
        rig.run("Get-CsPool");
        rig.fabric.apply(Change::Inject(Fault::Link(SiteId(0), SiteId(1)))).expect("a fault");
    }
    let local = if cut { "-LocalStore" } else { "" };
    let started = rig.fabric.now();
    let found = first_error(&rig.run(&format!("Backup-CsPool -PoolFqdn pool1.contoso.com {parameters} {local}")));
    assert!(found.starts_with(error) && found.is_empty() == error.is_empty(), "{found}");
    if parameters.is_empty() {
        let shipped = rig.fabric.last_shipped(PoolId(0), firedrill_fabric::operation::BackupModule::PresenceFocus);
        assert!(shipped >= Some(started), "what was there when it began has arrived");
    }
    if cut {
        assert_eq!(rig.fabric.now().since(started), SimDuration::from_mins(1), "two calls, half a minute each");
    }
}

/// A.5: an unpaired pool has nowhere to be backed up to; the pair is looked up in the store, or with -LocalStore here.
#[test]
fn a_backup_needs_a_pair_and_the_store() {
    let mut rig = Rig::new("legacy-cms", "pool2-fe1.contoso.com", Binding::Procedures);
    let unpaired: Vec<String> =
        rig.fabric.topology().pools.iter().filter(|pool| pool.backup.is_none()).map(|pool| pool.fqdn.clone()).collect();
    for pool in unpaired {
        let found = first_error(&rig.run(&format!("Backup-CsPool -PoolFqdn {pool}")));
        assert!(found.contains("does not have an associated backup pool"), "{found}");
    }
    let mut rig = Rig::contoso();
    rig.fabric.apply(Change::Inject(Fault::Site(SiteId(0)))).expect("a fault");
    wait(&mut rig, SimDuration::from_mins(1));
    let refused = first_error(&rig.run("Backup-CsPool -PoolFqdn pool2.contoso.com"));
    assert!(refused.contains("error: 26"), "{refused}");
    let local = first_error(&rig.run("Backup-CsPool -PoolFqdn pool2.contoso.com -LocalStore -RetryCount 1"));
    assert!(local.starts_with("The backup of pool"), "{local}");
}

/// A.5: the defaults, as the reference has them, and the range of the interval.
#[test]
fn the_backup_service_has_the_documented_defaults() {
    let mut rig = Rig::contoso();
    let expected = [
        ("SyncInterval", "00:02:00"),
        ("MaxConcurrentCalls", "10"),
        ("MaxBatchesPerCmsSync", "500"),
        ("MaxBatchesPerUserStoreSync", "500"),
        ("MaxDataConfPackageSizeKB", "102400"),
        ("AuthorizedUniversalGroups", "RTCUniversalServerAdmins"),
        ("AuthorizedLocalAccounts", "NetworkService"),
    ];
    for (property, value) in expected {
        assert_eq!(text_of(&rig.run(&format!("[string](Get-CsBackupServiceConfiguration).{property}"))), [value], "{property}");
    }
    for (interval, fits) in [("00:00:04", false), ("00:00:05", true), ("03:00:00", true), ("03:00:01", false)] {
        let output = rig.run(&format!("Set-CsBackupServiceConfiguration -SyncInterval {interval}"));
        assert_eq!(output.errors().count() == 0, fits, "{interval}");
    }
}

/// A.5: the pool by pipeline, modules by either name, and nothing comes back.
#[rstest]
#[case("'pool1.contoso.com' | Invoke-CsBackupServiceSync")]
#[case("Invoke-CsBackupServiceSync -PoolFqdn pool1.contoso.com -BackupModule ConfServices.DataConf")]
#[case("Invoke-CsBackupServiceSync -PoolFqdn pool1.contoso.com -BackupModule DataConf")]
#[case("Invoke-CsBackupServiceSync -PoolFqdn pool1.contoso.com -BackupModule All")]
fn a_sync_returns_nothing(#[case] command: &str) {
    let mut rig = Rig::contoso();
    let output = rig.run(command);
    assert_eq!((first_error(&output), output.objects().count()), (String::new(), 0));
    wait(&mut rig, SimDuration::from_secs(30));
    let shipped = rig.fabric.last_shipped(PoolId(0), firedrill_fabric::operation::BackupModule::DataConf).expect("paired");
    assert!(rig.fabric.now().since(shipped) <= SimDuration::from_secs(10), "the sync came before the cycle's end");
}

/// A.5: what each category names.
#[rstest]
#[case("", "UserServices.PresenceFocus ConfServices.DataConf CentralMgmt.CMSMaster")]
#[case("-Category CMS", "CentralMgmt.CMSMaster")]
#[case("-Category UserData", "UserServices.PresenceFocus ConfServices.DataConf")]
#[case("-Category RGS", "")]
fn categories_of_the_backup_status(#[case] parameters: &str, #[case] modules: &str) {
    let script =
        format!("[string]((Get-CsBackupServiceStatus -PoolFqdn pool1.contoso.com {parameters}).BackupModules | ForEach-Object Identity)");
    assert_eq!(text_of(&Rig::contoso().run(&script)), [modules]);
}

/// G.1: the roles of the documented sample, and display names of the documents.
#[rstest]
#[case("W3SVC", "W3SVC", "World Wide Web Publishing Service")]
#[case("MASTER", "CentralManagement", "Skype for Business Server Master Replicator Agent")]
#[case("FTA", "CentralManagement", "Skype for Business Server File Transfer Agent")]
#[case("REPLICA", "Replica", "Skype for Business Server Replica Replicator Agent")]
#[case("LYNCBACKUP", "BackupServer", "Skype for Business Server Backup Service")]
#[case("RTCCLSAGT", "ClsAgent", "Skype for Business Server Centralized Logging Service Agent")]
#[case("RTCSRV", "Registrar UserServer EdgeServer", "Skype for Business Server Front-End")]
#[case("RTCRGS", "ApplicationServer", "Skype for Business Server Response Group")]
#[case("RTCIMMCU", "ConferencingServer", "Skype for Business Server IM Conferencing")]
#[case("RTCMEDSRV", "MediationServer", "Skype for Business Server Mediation")]
fn roles_and_display_names(#[case] name: &str, #[case] roles: &str, #[case] display: &str) {
    let mut rig = Rig::contoso();
    let script = format!("$s = Get-CsWindowsService -Name {name}; [string]$s.RoleName; $s.DisplayName; $s.Status");
    assert_eq!(text_of(&rig.run(&script)), [roles, display, "Running"]);
}

/// G.1: what -Graceful shows meanwhile, and what the -Leave switches leave.
#[test]
fn services_drain_or_stay() {
    let mut rig = Rig::contoso();
    rig.run("Stop-CsWindowsService -Name RTCAVMCU -Graceful -NoWait");
    assert_eq!(text_of(&rig.run("$s = Get-CsWindowsService RTCAVMCU; $s.Status; $s.ServiceStatus")), ["StopPending", "Draining"]);
    wait(&mut rig, SimDuration::from_mins(3));
    assert_eq!(text_of(&rig.run("$s = Get-CsWindowsService RTCAVMCU; $s.Status; $s.ServiceStatus")), ["Stopped", "Stopped"]);
    let running = "Get-CsWindowsService | Where-Object { $_.Status -eq 'Running' } | ForEach-Object Name";
    assert_eq!(first_error(&rig.run("Stop-CsWindowsService -LeaveClsAgentRunning -LeaveWebServerRunning")), "");
    assert_eq!(text_of(&rig.run(running)), ["W3SVC", "RTCCLSAGT"]);
    rig.run("Stop-CsWindowsService -LeaveClsAgentRunning");
    assert_eq!(text_of(&rig.run(running)), ["RTCCLSAGT"]);
}

/// The reference's examples: services by pipeline, and by a name where an object is asked for.
#[test]
fn services_are_named_by_objects_and_names() {
    let mut rig = Rig::contoso();
    let running = "@(Get-CsWindowsService | Where-Object { $_.Status -eq 'Running' }).Count";
    let all = text_of(&rig.run("@(Get-CsWindowsService).Count"));
    assert_eq!(first_error(&rig.run("$x = Get-CsWindowsService -Name RTCCPS; Stop-CsWindowsService -InputObject $x.Name")), "");
    assert_eq!(text_of(&rig.run("(Get-CsWindowsService RTCCPS).Status")), ["Stopped"]);
    assert_eq!(text_of(&rig.run("@(Get-CsWindowsService | Where-Object { $_.Status -ne 'Running' }).Count")), ["1"], "nothing else");
    rig.run("Get-CsWindowsService | Where-Object { $_.DisplayName -like '*Response Group*' } | Stop-CsWindowsService");
    assert_eq!(text_of(&rig.run("(Get-CsWindowsService RTCRGS).Status")), ["Stopped"]);
    rig.run("Get-CsWindowsService | Where-Object { $_.Status -ne 'Running' } | Start-CsWindowsService");
    assert_eq!(text_of(&rig.run(running)), all);
}

/// A.5: user data are shipped now, where the Backup Service is active.
#[test]
fn user_data_are_synchronised_where_the_backup_service_is_active() {
    use firedrill_fabric::operation::BackupModule::{DataConf, PresenceFocus};
    let mut rig = Rig::contoso();
    wait(&mut rig, SimDuration::from_secs(30));
    assert_eq!(first_error(&rig.run("Sync-CsUserData -PoolFqdn pool2.contoso.com")), "");
    wait(&mut rig, SimDuration::from_secs(20));
    assert_eq!(rig.fabric.last_shipped(PoolId(1), PresenceFocus), Some(rig.fabric.now()));
    assert!(rig.fabric.last_shipped(PoolId(1), DataConf) < Some(rig.fabric.now()), "user data alone");
    for number in 1..=3 {
        rig.run(&format!("Stop-CsWindowsService -Name LYNCBACKUP -ComputerName pool2-fe{number}.contoso.com"));
    }
    assert!(first_error(&rig.run("Sync-CsUserData -PoolFqdn pool2.contoso.com")).contains("cannot be reached"));
    let one = rig.run("Sync-CsUserData -PoolFqdn pool1.contoso.com -RoutingGroup x");
    assert!(one.unmodelled.iter().any(|(what, _)| what.contains("RoutingGroup")), "{:?}", one.unmodelled);
}

/// G.1: services of a computer behind a cut link cannot be looked at either.
#[test]
fn services_behind_a_cut_link_are_out_of_sight() {
    let mut rig = Rig::contoso();
    let look = "@(Get-CsWindowsService -ComputerName pool1-fe1.contoso.com -Name RTCSRV).Status";
    assert_eq!(text_of(&rig.run(look)), ["Running"]);
    rig.fabric.apply(Change::Inject(Fault::Link(SiteId(0), SiteId(1)))).expect("a fault");
    assert!(first_error(&rig.run(look)).contains("The RPC server is unavailable"));
}

/// G.3: `-Force -WhatIf` executes all the same; `-WhatIf` alone does not.
#[rstest]
#[case("-WhatIf", false)]
#[case("-Force -WhatIf", true)]
#[case("-DrainingTimeout 00:01:00 -Confirm:$false", true)]
fn a_computer_failover_and_what_if(#[case] parameters: &str, #[case] done: bool) {
    let mut rig = Rig::contoso();
    rig.run(&format!("Invoke-CsComputerFailOver -ComputerName pool2-fe2.contoso.com {parameters}"));
    let target = computer(&rig, "pool2-fe2.contoso.com");
    assert_eq!(rig.fabric.service(target, ServiceName::RtcSrv).expect("installed").disabled, done);
    let minutes = rig.fabric.now().since(rig.fabric.started()).0 / SimDuration::from_mins(1).0;
    assert_eq!(minutes < 2, !done || parameters.contains("Draining"), "{minutes}");
}

/// A.5, J 12: `$null` where nothing works for the pool is an error of its own, and an unpaired pool says nothing.
#[test]
fn an_unpaired_pool_reports_nothing() {
    let mut rig = Rig::contoso();
    let here = computer(&rig, "pool2-fe1.contoso.com");
    let mut apart = (*rig.fabric.central_store(here).expect("the CMS answers")).clone();
    for pool in &mut apart.pools {
        pool.backup = None;
    }
    rig.fabric
        .perform(Operation::Publish { draft: Box::new(apart), enable: true }, Caller { computer: here })
        .expect("no limit")
        .outcome
        .expect("published");
    wait(&mut rig, SimDuration::from_mins(2));
    for command in ["Get-CsBackupServiceStatus -PoolFqdn pool1.contoso.com", "Get-CsPoolBackupRelationship -PoolFqdn pool1.contoso.com"] {
        let output = rig.run(command);
        assert_eq!((first_error(&output), output.objects().filter(|value| !matches!(value, Value::Null)).count()), (String::new(), 0));
    }
}

/// Contoso as Lync Server 2013.
fn lync() -> Rig {
    let mut topology = support::fixture("contoso");
    topology.version = ProductVersion::Lync2013;
    topology.pools.iter_mut().for_each(|pool| pool.version = ProductVersion::Lync2013);
    topology.edge_pools.iter_mut().for_each(|pool| pool.version = ProductVersion::Lync2013);
    let options = firedrill_fabric::Options { seed: 7, start: firedrill_fabric::SimTime(1_767_600_000_000_000_000) };
    Rig { fabric: firedrill_fabric::Fabric::new(std::sync::Arc::new(topology), options), ..Rig::contoso() }
}

/// A.5, G: what is different in 2013.
#[test]
fn lync_server_2013_differs() {
    let mut rig = lync();
    for (name, display) in [("LYNCBACKUP", "Lync Server Backup Service"), ("RTCSRV", "Lync Server Front-End")] {
        assert_eq!(text_of(&rig.run(&format!("(Get-CsWindowsService {name}).DisplayName"))), [display]);
    }
    for command in ["Invoke-CsComputerFailOver", "Invoke-CsComputerFailBack"] {
        let output = rig.run(command);
        assert_eq!(&*output.errors().next().expect("an error").id, "CommandNotFoundException", "{command}: since 2015");
    }
    assert_eq!(rig.run("Get-CsBackupServiceStatus -PoolFqdn pool1.contoso.com -Category RGS").errors().count(), 1, "CMS and UserData");
    assert_eq!(first_error(&rig.run("Stop-CsWindowsService -Graceful -LeaveClsAgentRunning")), "", "its way of patching");
    assert_eq!(text_of(&rig.run("(Get-CsPoolUpgradeReadinessState).TotalActiveFrontends")), ["2"]);
}
