//! The procedures and the ways they go wrong, as typed at a console. Expected texts stand in the dossier or in procedures.md.

mod support;

use firedrill_cmdlets::PromptPolicy;
use firedrill_cmdlets::signatures::Binding;
use firedrill_fabric::{Change, Fault, PoolState, ServiceMode, SimDuration};
use firedrill_powershell::session::RunOutput;
use firedrill_powershell::value::Value;
use firedrill_topology::{PoolId, SiteId};
use rstest::rstest;
use support::Rig;

const POOL1: PoolId = PoolId(0);

fn text_of(output: &RunOutput) -> Vec<String> {
    output.objects().map(|value| firedrill_powershell::convert::to_text(value, " ")).collect()
}

fn first_error(output: &RunOutput) -> String {
    output.errors().next().map(|record| record.message.to_string()).unwrap_or_default()
}

fn wait(rig: &mut Rig, minutes: i64) {
    let until = rig.fabric.now() + SimDuration::from_mins(minutes);
    rig.fabric.advance_to(until).expect("no limit");
}

/// P3 to the letter with the primary as principal: Datacenter1 lost, CMS failed over, next hop moved, Pool1 failed over.
#[test]
fn a_disaster_is_failed_over_and_back_as_the_procedure_says() {
    let mut rig = Rig::contoso();
    rig.fabric.apply(Change::Inject(Fault::Site(SiteId(0)))).expect("a fault");
    wait(&mut rig, 10);
    let banner = rig.console("Invoke-CsManagementServerFailover -WhatIf");
    assert!(banner.contains("Current State:\nCentral Management Server Pool: \"pool1.contoso.com\""), "{banner}");
    assert_eq!(
        text_of(&rig.run("Get-CsPoolBackupRelationship -PoolFQDN pool1.contoso.com -LocalStore | ForEach-Object { $_.BackupPoolFqdn }")),
        ["pool2.contoso.com"]
    );
    let status = rig.objects("Get-CsManagementStoreReplicationStatus -CentralManagementStoreStatus");
    assert!(matches!(status[0].get("ActiveMasterFqdn"), Some(Value::Null)), "the CMS is down");
    let state = text_of(&rig.run(
        "Get-CsDatabaseMirrorState -DatabaseType Centralmgmt -PoolFqdn pool2.contoso.com -LocalStore | ForEach-Object StateOnPrimary",
    ));
    assert_eq!(state, ["Principal", "Principal"]);
    let failover = rig.run("Invoke-CSManagementServerFailover -BackupSQLServerFqdn sql2a.contoso.com -BackupSQLInstanceName rtc");
    assert_eq!(first_error(&failover), "");
    assert!(failover.remarks.iter().any(|(remark, _)| remark.contains("-Force")), "the procedure leaves -Force out");
    wait(&mut rig, 10);
    let status = rig.objects("Get-CsManagementStoreReplicationStatus -CentralManagementStoreStatus");
    assert!(matches!(status[0].get("ActiveMasterFqdn"), Some(Value::Str(name)) if name.starts_with("pool2-fe")));
    let refused = rig.run("Invoke-CsPoolFailover -PoolFQDN pool1.contoso.com -DisasterMode -Verbose");
    assert!(first_error(&refused).ends_with("point to a different Front-end pool,  before you proceed."), "{}", first_error(&refused));
    let edge = rig.run("Set-CsEdgeServer -Identity EdgeServer:edgeserver1.contoso.com -Registrar Registrar:pool2.contoso.com");
    assert_eq!(first_error(&edge), "");
    let failover = rig.run("Invoke-CsPoolFailover -PoolFQDN pool1.contoso.com -DisasterMode -Verbose");
    assert_eq!(first_error(&failover), "");
    assert_eq!(rig.fabric.pool_state(POOL1), PoolState::FailedOver);
    let serving = rig.fabric.pool_serving(POOL1);
    assert!(serving.parts.iter().all(|(part, _)| part.mode == ServiceMode::Regular && part.pool == Some(PoolId(1))), "{serving:?}");
    assert_eq!(text_of(&rig.run("(Get-CsUser anna@contoso.com).RegistrarPool")), ["pool1.contoso.com"], "homing is unchanged");
    rig.fabric.apply(Change::Heal(Fault::Site(SiteId(0)))).expect("healed");
    wait(&mut rig, 120);
    let failback = rig.run("Invoke-CsPoolFailback -PoolFQDN pool1.contoso.com -Verbose");
    assert_eq!(first_error(&failback), "");
    assert_eq!(rig.fabric.pool_state(POOL1), PoolState::Active);
}

/// P3.1 as it stands on the console, and the refusal that runbooks match (dossier C.3, D.6).
#[test]
fn what_an_operator_reads() {
    let mut rig = Rig::contoso();
    insta::assert_snapshot!(rig.console("Invoke-CsManagementServerFailover -WhatIf"), @r#"
    This cmdlet moves Central Management Server to the pool that contains this computer.
    Current State:
    Central Management Server Pool: "pool1.contoso.com"
    Central Management File Store: "\\files1.contoso.com\sfb"
    Central Management Store: "sql1a.contoso.com\rtc"
    Central Management Store SCP: "sql1a.contoso.com\rtc"
    Proposed State:
    Central Management Server Pool: "pool2.contoso.com"
    Central Management File Store: "\\files2.contoso.com\sfb"
    Central Management Store: "sql2a.contoso.com\rtc"
    Central Management Store SCP: "sql2a.contoso.com\rtc"
    What if: Performing the operation "Invoke-CsManagementServerFailover" on target "pool2-fe1.contoso.com".
    "#);
    rig.run("Invoke-CsManagementServerFailover");
    wait(&mut rig, 5);
    insta::assert_snapshot!(rig.console("Invoke-CsPoolFailover -PoolFQDN pool1.contoso.com"), @r#"
    Invoke-CsPoolFailOver : This Front-end pool "pool1.contoso.com" is specified in topology as the next hop for the Edge server. Failing over this pool may cause External access/Federation/Split-domain/XMPP features to stop working. Please use Topology Builder to change the Edge internal next hop setting to point to a different Front-end pool,  before you proceed.
    At line:1 char:1
    + Invoke-CsPoolFailover -PoolFQDN pool1.contoso.com
    + ~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~
        + CategoryInfo          : InvalidOperation: (pool1.contoso.com:String) [Invoke-CsPoolFailOver], InvalidOperationException
        + FullyQualifiedErrorId : NextHopRefusal,Microsoft.Rtc.Management.Hadr.InvokePoolFailOverCmdlet
    "#);
    insta::assert_snapshot!(rig.console("Get-CsUser nobody@contoso.com; Get-CsUser anna@contoso.com"), @r#"
    Get-CsUser : Management object not found for identity "nobody@contoso.com".
    At line:1 char:1
    + Get-CsUser nobody@contoso.com; Get-CsUser anna@contoso.com
    + ~~~~~~~~~~~~~~~~~~~~~~~~~~~~~
        + CategoryInfo          : InvalidData: (nobody@contoso.com:String) [Get-CsUser], ManagementException
        + FullyQualifiedErrorId : ManagementObjectNotFound,Microsoft.Rtc.Management.AD.Cmdlets.GetOcsUserCmdlet



    Identity               : CN=anna,OU=contoso.com,DC=contoso,DC=com
    SipAddress             : sip:anna@contoso.com
    RegistrarPool          : pool1.contoso.com
    HomeServer             : CN=Lc Services,CN=Microsoft,CN=1:1,CN=Pools,CN=RTC Service,CN=Services,CN=Configuration,DC=contoso,DC=com
    Enabled                : True
    EnterpriseVoiceEnabled : True
    LineURI                : 
    HostedVoiceMail        : False
    HostingProvider        : SRV:
    UserRoutingGroupId     : be9dd797-e537-84bf-98fd-3cec8e597ce4
    DisplayName            : Anna Kowalska
    Name                   : Anna Kowalska
    SamAccountName         : anna
    UserPrincipalName      : anna@contoso.com
    "#);
}

/// P3.5.3: the mirror is principal, and the document names it with parameters that the product does not have.
#[rstest]
#[case::by_default(Binding::Procedures, "")]
#[case::strict(Binding::Strict, "A parameter cannot be found that matches parameter name 'MirrorSQLServerFqdn'.")]
fn the_mirror_form_of_the_document(#[case] binding: Binding, #[case] expected: &str) {
    let mut rig = Rig::new("contoso", "pool2-fe1.contoso.com", binding);
    assert_eq!(
        first_error(&rig.run("Invoke-CsDatabaseFailover -PoolFqdn pool2.contoso.com -DatabaseType CentralMgmt -NewPrincipal Mirror")),
        ""
    );
    rig.fabric.apply(Change::Inject(Fault::Site(SiteId(0)))).expect("a fault");
    wait(&mut rig, 10);
    let output = rig.run("Invoke-CSManagementServerFailover -MirrorSQLServerFqdn sql2b.contoso.com -MirrorSQLInstanceName rtc");
    assert_eq!(first_error(&output), expected);
    let active = rig.fabric.cms_status().active_master;
    assert_eq!(active.is_some(), binding == Binding::Procedures);
}

/// P3.6: a CMS of the Lync 2010 generation is installed anew and moved; every other Front End runs local setup.
#[test]
fn a_store_without_standby_is_moved() {
    let mut rig = Rig::new("legacy-cms", "pool2-fe1.contoso.com", Binding::Procedures);
    assert_eq!(first_error(&rig.run(r"Export-CsConfiguration -FileName c:\CsConfigurationFile.zip; Export-CsLisConfiguration -FileName c:\CsLisConfigurationFile.zip")), "");
    rig.fabric.apply(Change::Inject(Fault::Site(SiteId(0)))).expect("a fault");
    wait(&mut rig, 10);
    let install = "Install-CsDatabase -CentralManagementDatabase -Clean -SqlServerFqdn sql2a.contoso.com -SqlInstanceName rtc";
    assert_eq!(first_error(&rig.run(install)), "");
    let refused = rig.run("Move-CsManagementServer");
    assert!(first_error(&refused).starts_with("Command execution failed: "), "the source is down, and -Force was left out");
    let files = r"-ConfigurationFileName c:\CsConfigurationFile.zip -LisConfigurationFileName c:\CsLisConfigurationFile.zip";
    assert_eq!(first_error(&rig.run(&format!("Move-CsManagementServer {files} -Force"))), "");
    wait(&mut rig, 5);
    let master = text_of(&rig.run("(Get-CsManagementStoreReplicationStatus -CentralManagementStoreStatus).ActiveMasterFqdn"));
    assert_eq!(master, ["pool2-fe1.contoso.com"]);
    let other = rig.fabric.topology().find_computer("pool2-fe2.contoso.com").expect("it exists");
    assert!(rig.fabric.setup_pending(other), "the agents are not there yet");
    wait(&mut rig, 10);
    rig.computer = "pool2-fe2.contoso.com".to_owned();
    assert_eq!(first_error(&rig.run("Bootstrapper /Setup")), "");
    assert!(!rig.fabric.setup_pending(other));
    assert_eq!(text_of(&rig.run("(Get-CsWindowsService MASTER).Name")), ["MASTER"]);
}

/// What a pool in quorum loss says, and what readiness for patching makes of it (dossier B.9).
#[test]
fn a_pool_without_quorum_says_so() {
    let mut rig = Rig::contoso();
    rig.computer = "pool1-fe1.contoso.com".to_owned();
    assert_eq!(text_of(&rig.run("(Get-CsPoolUpgradeReadinessState).PoolUpgradeState")), ["Ready"]);
    for name in ["pool1-fe2.contoso.com", "pool1-fe3.contoso.com"] {
        let computer = rig.fabric.topology().find_computer(name).expect("it exists");
        rig.fabric.apply(Change::Inject(Fault::Computer(computer))).expect("a fault");
    }
    wait(&mut rig, 5);
    let lines = text_of(&rig.run("Get-CsPoolFabricState -PoolFqdn pool1.contoso.com"));
    assert!(!lines.is_empty());
    for line in &lines {
        let group = line.strip_prefix("Service: (P) fabric:/lync/routing/").and_then(|rest| rest.strip_suffix(" has no primaries."));
        assert!(group.is_some_and(|hex| hex.len() == 32 && hex.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase())), "{line}");
    }
    assert_eq!(text_of(&rig.run("(Get-CsPoolUpgradeReadinessState).PoolUpgradeState")), ["InsufficientActiveFrontEnds"]);
    rig.computer = "edgeserver1a.contoso.com".to_owned();
    assert_eq!(rig.run("Get-CsPoolUpgradeReadinessState").errors().count(), 1, "it runs on Front Ends only");
}

/// A wait beyond the model's horizon ends the run and names the limit, instead of spinning.
#[test]
fn a_limit_is_kept_for_the_runner() {
    let mut rig = Rig::contoso();
    rig.run("Start-Sleep -Seconds 2147483");
    rig.run("foreach ($i in 1..400) { Start-Sleep -Seconds 2147483 }");
    assert!(rig.state.limit.is_some(), "{} is still fine", rig.fabric.now());
}

/// Spellings of the documents: they work by default and leave a remark, strict binding answers as a real shell does.
#[rstest]
#[case("Set-CsSite Site2 -XmppExternalFederationRoute EdgeServer2.contoso.com", "XmppExternalFederationRoute")]
#[case("Get-CsBackupServiceStatus -PoolFqdn pool2.contoso.com -BackupModule ConfServices.DataConf", "BackupModule")]
#[case("Get-CsComputer -PoolFqdn pool1.contoso.com", "PoolFqdn")]
fn spellings_of_the_documents(#[case] command: &str, #[case] parameter: &str) {
    let lax = Rig::contoso().run(command);
    assert_eq!(first_error(&lax), "");
    assert!(lax.remarks.iter().any(|(remark, _)| remark.contains(parameter)), "{:?}", lax.remarks);
    let strict = Rig::new("contoso", "pool2-fe1.contoso.com", Binding::Strict).run(command);
    assert_eq!(first_error(&strict), format!("A parameter cannot be found that matches parameter name '{parameter}'."));
    assert!(strict.errors().next().expect("an error").id.starts_with("NamedParameterNotFound,"));
}

/// The same for a cmdlet that is known and not modelled.
#[test]
fn spellings_of_unmodelled_cmdlets() {
    let command = r#"Import-CsRgsConfiguration -Destination "service:ApplicationServer:pool2.contoso.com" -FileName C:\rgs.zip -ReplaceExistingSettings"#;
    let lax = Rig::contoso().run(command);
    assert!(lax.unmodelled.iter().any(|(what, _)| what.contains("Import-CsRgsConfiguration")), "{:?}", lax.unmodelled);
    let strict = Rig::new("contoso", "pool2-fe1.contoso.com", Binding::Strict).run(command);
    assert_eq!(first_error(&strict), "A parameter cannot be found that matches parameter name 'ReplaceExistingSettings'.");
}

/// P6.3 moves the route of the site, bare name and all; with strict binding the reference's form does.
#[test]
fn the_xmpp_route_of_a_site() {
    let route = |rig: &mut Rig| text_of(&rig.run("(Get-CsSite Site2).XmppFederationRoute"));
    let mut rig = Rig::contoso();
    assert_eq!(route(&mut rig), ["EdgeServer:edgeserver1.contoso.com"]);
    rig.run("Set-CsSite Site2 -XmppExternalFederationRoute EdgeServer2.contoso.com");
    assert_eq!(route(&mut rig), ["EdgeServer:edgeserver2.contoso.com"]);
    let mut strict = Rig::new("contoso", "pool2-fe1.contoso.com", Binding::Strict);
    let bare = strict.run("Set-CsSite Site2 -XmppFederationRoute EdgeServer2.contoso.com");
    assert_eq!(first_error(&bare), "Cannot find Edge Server service \"EdgeServer2.contoso.com\" in the topology.");
    assert_eq!(first_error(&strict.run("Set-CsSite Site2 -XmppFederationRoute EdgeServer:EdgeServer2.contoso.com")), "");
    assert_eq!(route(&mut strict), ["EdgeServer:edgeserver2.contoso.com"]);
}

/// The old text names the Front End pool where the Edge pool belongs (dossier K.8).
#[test]
fn an_edge_setting_for_a_front_end_pool_is_refused() {
    let output = Rig::contoso().run("Set-CsEdgeServer -Identity EdgeServer:pool1.contoso.com -Registrar Registrar:pool2.contoso.com");
    assert_eq!(first_error(&output), "Cannot find Edge Server service \"EdgeServer:pool1.contoso.com\" in the topology.");
}

/// What works and what does not while the CMS is down (dossier D.9).
#[rstest]
#[case::pool("Get-CsPool", false)]
#[case::registrar("Get-CsRegistrarConfiguration", false)]
#[case::registrar_local("Get-CsRegistrarConfiguration -LocalStore", true)]
#[case::topology_local("Get-CsTopology -LocalStore", true)]
#[case::relationship("Get-CsPoolBackupRelationship -PoolFqdn pool1.contoso.com", false)]
#[case::relationship_local("Get-CsPoolBackupRelationship -PoolFqdn pool1.contoso.com -LocalStore", true)]
#[case::replicas("Get-CsManagementStoreReplicationStatus", false)]
#[case::user("Get-CsUser anna@contoso.com", true)]
#[case::location("Get-CsConfigurationStoreLocation", true)]
#[case::services("Get-CsWindowsService", true)]
#[case::edge("Set-CsEdgeServer edgeserver1.contoso.com -Registrar Registrar:pool2.contoso.com", false)]
#[case::site("Set-CsSite Site1 -XmppFederationRoute EdgeServer:edgeserver2.contoso.com", false)]
#[case::publish("Enable-CsTopology", false)]
#[case::failover("Invoke-CsPoolFailOver -PoolFqdn pool1.contoso.com -DisasterMode", false)]
fn while_the_cms_is_down(#[case] command: &str, #[case] works: bool) {
    let mut rig = Rig::contoso();
    rig.fabric.apply(Change::Inject(Fault::Pool(POOL1))).expect("a fault");
    wait(&mut rig, 1);
    let output = rig.run(command);
    assert_eq!(output.errors().next().is_none(), works, "{}", first_error(&output));
}

/// Nobody can work on a computer that is off.
#[test]
fn a_shell_on_a_dead_computer_fails() {
    let mut rig = Rig::contoso();
    let computer = rig.fabric.topology().find_computer("pool2-fe1.contoso.com").expect("it exists");
    rig.fabric.apply(Change::Inject(Fault::Computer(computer))).expect("a fault");
    assert_ne!(first_error(&rig.run("Get-CsPool")), "");
}

/// `-WhatIf` changes nothing and prints what it would do.
#[rstest]
#[case(
    "Set-CsEdgeServer edgeserver1.contoso.com -Registrar Registrar:pool2.contoso.com -WhatIf",
    "Set-CsEdgeServer",
    "EdgeServer:edgeserver1.contoso.com"
)]
#[case("Invoke-CsPoolFailOver -PoolFqdn pool1.contoso.com -WhatIf", "Invoke-CsPoolFailOver", "pool1.contoso.com")]
#[case("Move-CsUser anna@contoso.com pool2.contoso.com -WhatIf", "Move-CsUser", "CN=anna,OU=contoso.com,DC=contoso,DC=com")]
fn what_if_changes_nothing(#[case] command: &str, #[case] action: &str, #[case] target: &str) {
    let mut rig = Rig::contoso();
    let before = rig.fabric.clone();
    let console = rig.console(command);
    assert_eq!(console, format!("What if: Performing the operation \"{action}\" on target \"{target}\".\n"));
    assert!(before == rig.fabric, "nothing changed");
}

/// Confirmation: yes by policy, no by policy, an answer given beforehand, nobody there.
#[rstest]
#[case::yes(PromptPolicy::Confirm, &[], true)]
#[case::no(PromptPolicy::Decline, &[], false)]
#[case::answered(PromptPolicy::Absent, &["n"], false)]
#[case::answered_yes(PromptPolicy::Absent, &["Y"], true)]
#[case::absent(PromptPolicy::Absent, &[], false)]
fn confirmations_are_answered(#[case] policy: PromptPolicy, #[case] answers: &[&str], #[case] moved: bool) {
    let mut rig = Rig::contoso();
    rig.state.policy = policy;
    rig.state.answers = answers.iter().map(|answer| (*answer).to_owned()).collect();
    rig.run("Move-CsUser anna@contoso.com -Target pool2.contoso.com");
    assert_eq!(rig.state.prompts.len(), 1);
    let anna = rig.fabric.topology().users.find("anna@contoso.com").expect("she exists");
    assert_eq!(rig.fabric.registrar_pool(anna) == PoolId(1), moved);
    rig.run("Move-CsUser anna@contoso.com -Target pool2.contoso.com -Confirm:$false");
    assert_eq!(rig.state.prompts.len(), 1, "-Confirm:$false does not ask");
}

/// Nothing known and unmodelled passes silently.
#[rstest]
#[case::command("Get-CsVoicePolicy", "Get-CsVoicePolicy")]
#[case::parameter("Invoke-CsPoolFailOver -PoolFqdn pool1.contoso.com -FlushStorageService -WhatIf", "FlushStorageService")]
#[case::value("Get-CsPoolFabricState -PoolFqdn pool1.contoso.com -Type MCUFactory", "MCUFactory")]
#[case::filter("Get-CsUser -Filter {VoicePolicy -eq 'x'}", "VoicePolicy")]
#[case::scope("Set-CsRegistrarConfiguration -Identity global -MaxEndpointsPerUser 4", "global")]
#[case::program("Bootstrapper /SourceDirectory:C:\\x", "/SourceDirectory")]
#[case::partner("Test-CsFederatedPartner -TargetFqdn edgeserver1.contoso.com -Domain nowhere.example", "nowhere.example")]
#[case::internal_name("Resolve-DnsName dc1.corp.local", "dc1.corp.local")]
fn what_is_not_modelled_is_said(#[case] command: &str, #[case] named: &str) {
    let output = Rig::contoso().run(command);
    assert!(output.unmodelled.iter().any(|(what, _)| what.contains(named)), "{:?}", output.unmodelled);
}

/// P6.4 and P6.5 with the DNS server's module; the wire and the model see the next answer.
#[test]
fn records_are_changed_with_the_dns_module() {
    let mut rig = Rig::contoso();
    let addresses = "Resolve-DnsName xmpp.contoso.com -Type A | ForEach-Object { $_.IPAddress }";
    assert_eq!(text_of(&rig.run(addresses)), ["203.0.113.11", "203.0.113.12"]);
    assert_eq!(first_error(&rig.run("Remove-DnsServerResourceRecord -ZoneName contoso.com -RRType A -Name xmpp -Force")), "");
    let gone = rig.run("Resolve-DnsName xmpp.contoso.com");
    assert_eq!(&*gone.errors().next().expect("an error").id, "DNS_ERROR_RCODE_NAME_ERROR,Microsoft.DnsClient.Commands.ResolveDnsName");
    let add = "Add-DnsServerResourceRecordA -Name xmpp -ZoneName contoso.com -IPv4Address 198.51.100.11 -TimeToLive 00:05:00";
    assert_eq!(first_error(&rig.run(add)), "");
    assert_eq!(text_of(&rig.run(addresses)), ["198.51.100.11"]);
    assert_eq!(text_of(&rig.run("(Get-DnsServerResourceRecord contoso.com xmpp).TimeToLive.TotalSeconds")), ["300"]);
    let srv = "Add-DnsServerResourceRecord -Srv -Name _xmpp-server._tcp -ZoneName contoso.com -DomainName xmpp3.contoso.com -Priority 5 -Weight 0 -Port 5269";
    assert_eq!(first_error(&rig.run(srv)), "");
    let targets = "Resolve-DnsName _xmpp-server._tcp.contoso.com -Type SRV | ForEach-Object { \"$($_.Priority) $($_.NameTarget)\" }";
    assert_eq!(text_of(&rig.run(targets)), ["10 xmpp.contoso.com", "20 xmpp2.contoso.com", "5 xmpp3.contoso.com"]);
    let again = rig.run(srv);
    assert_eq!(again.errors().next().expect("an error").category.as_ref(), "ResourceExists");
    let missing = rig.run("Get-DnsServerResourceRecord -ZoneName contoso.com -Name nosuch");
    assert_eq!(first_error(&missing), "Failed to get nosuch record in contoso.com zone on ns1.contoso.com server.");
}

/// `Get-` old, change a copy, `Set-`: the way the module's own page changes a record.
#[test]
fn a_record_is_changed_through_objects() {
    let mut rig = Rig::contoso();
    let script = "
        $old = Get-DnsServerResourceRecord -ZoneName contoso.com -Name _sipfederationtls._tcp -RRType SRV
        $new = Get-DnsServerResourceRecord -ZoneName contoso.com -Name _sipfederationtls._tcp -RRType SRV
        $new.RecordData.DomainName = 'sip2.contoso.com.'
        $new.TimeToLive = [TimeSpan]'00:10:00'
        Set-DnsServerResourceRecord -NewInputObject $new -OldInputObject $old -ZoneName contoso.com";
    assert_eq!(first_error(&rig.run(script)), "");
    let read = "Resolve-DnsName _sipfederationtls._tcp.contoso.com SRV | ForEach-Object { \"$($_.NameTarget) $($_.TTL)\" }";
    assert_eq!(text_of(&rig.run(read)), ["sip2.contoso.com 600"]);
}

/// P6.2 and P6.7: services of an Edge Server stop and start from another computer.
#[test]
fn services_of_an_edge_server_stop_and_start() {
    let mut rig = Rig::contoso();
    rig.computer = "edgeserver2a.contoso.com".to_owned();
    assert_eq!(first_error(&rig.run("Stop-CsWindowsService")), "");
    let running = "@(Get-CsWindowsService | Where-Object { $_.Status -eq 'Running' }).Count";
    assert_eq!(text_of(&rig.run(running)), ["0"]);
    assert_eq!(first_error(&rig.run("Start-CsWindowsService")), "");
    assert_eq!(text_of(&rig.run("(Get-CsWindowsService -Name RTCXMPPTGWPX).Status")), ["Running"]);
    let foreign = rig.run("Get-CsWindowsService -Name Spooler");
    assert!(first_error(&foreign).starts_with("Command execution failed: Cannot find service \"Spooler\""), "{}", first_error(&foreign));
    let display = text_of(&rig.run("(Get-CsWindowsService -Name RTCSRV).DisplayName"));
    assert_eq!(display, ["Skype for Business Server Access Edge"]);
}

/// The house style of the deployment cmdlets (dossier H).
#[test]
fn deployment_cmdlets_close_with_their_line() {
    let console = Rig::contoso().console("Enable-CsTopology -Verbose");
    assert!(console.contains("VERBOSE: \"Enable-CsTopology\" processing has completed successfully."), "{console}");
    assert!(console.contains("VERBOSE: Detailed results can be found at \"C:\\Users\\"), "{console}");
    let mut rig = Rig::contoso();
    rig.run("Enable-CsTopology -Report C:\\logs\\enable.html");
    let computer = rig.fabric.topology().find_computer("pool2-fe1.contoso.com").expect("it exists");
    assert!(rig.fabric.read_file(computer, "c:\\LOGS\\enable.html").is_some(), "-Report writes the file");
}

/// How they fail, and that reading leaves the computer as it is.
#[test]
fn deployment_cmdlets_fail_with_their_prefix() {
    let mut rig = Rig::contoso();
    let output = rig.run("Publish-CsTopology C:\\nofile.xml");
    assert_eq!(first_error(&output), "Command execution failed: Could not find file 'C:\\nofile.xml'.");
    let id = output.errors().next().expect("an error").id.clone();
    assert_eq!(&*id, "ProcessingFailed,Microsoft.Rtc.Management.Deployment.PublishTopologyCmdlet");
    let console = rig.console("Publish-CsTopology C:\\nofile.xml");
    assert!(console.starts_with("WARNING: Publish-CsTopology failed.\nWARNING: Detailed results can be found at"), "{console}");
    let before = rig.fabric.clone();
    rig.run("Get-CsWindowsService -Verbose; Get-CsConfigurationStoreLocation");
    assert!(before == rig.fabric);
}

/// The topology as XML goes out and comes back; what was edited in the text is what publishing changes.
#[test]
fn a_topology_is_published_from_its_xml() {
    let mut rig = Rig::contoso();
    let before =
        rig.fabric.central_store(rig.fabric.topology().find_computer("pool2-fe1.contoso.com").expect("it exists")).expect("the store");
    let topology = rig.fabric.topology().clone();
    let xml = firedrill_cmdlets::write_topology_xml(&topology, &before);
    let back = firedrill_cmdlets::read_topology_xml(&xml, &topology, &before).expect("our own document");
    assert_eq!(back, *before, "nothing is lost on the way");
    let computer = topology.find_computer("pool2-fe1.contoso.com").expect("it exists");
    let edited = xml.replace(" Usage=\"AccessEdgeExternalSipPort\" Port=\"5061\"", " Usage=\"Other\" Port=\"5061\"");
    assert_ne!(edited, xml);
    let wide: Vec<u8> = [0xFF, 0xFE].into_iter().chain(edited.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    rig.fabric.write_file(computer, "C:\\topology.xml", wide.into());
    assert_eq!(first_error(&rig.run("Publish-CsTopology -FileName C:\\topology.xml")), "");
    let ports = text_of(&rig.run("@(Get-CsService -EdgeServer | Where-Object { $_.AccessEdgeExternalSipPort }).Count"));
    assert_eq!(ports, ["0"], "the federation bit is gone");
}

/// Exports are files of the computer; imports want what an export wrote.
#[test]
fn configuration_files_live_on_the_computer() {
    let mut rig = Rig::contoso();
    assert_eq!(first_error(&rig.run("Export-CsConfiguration -FileName C:\\cs.zip; Export-CsLisConfiguration -FileName C:\\lis.zip")), "");
    assert_eq!(first_error(&rig.run("Export-CsLisConfiguration -FileName C:\\lis.zip")), "The file 'C:\\lis.zip' already exists.");
    rig.run("Set-CsSite Site2 -FederationRoute $null");
    assert_eq!(text_of(&rig.run("$null -eq (Get-CsSite Site2).FederationRoute")), ["True"]);
    assert_eq!(first_error(&rig.run("Import-CsConfiguration -FileName C:\\cs.zip; Import-CsLisConfiguration -FileName C:\\lis.zip")), "");
    assert_eq!(text_of(&rig.run("(Get-CsSite Site2).FederationRoute")), ["EdgeServer:edgeserver1.contoso.com"]);
    assert_eq!(first_error(&rig.run("Import-CsConfiguration -FileName C:\\nosuch.zip")), "Could not find file 'C:\\nosuch.zip'.");
    assert!(first_error(&rig.run("Import-CsConfiguration -FileName C:\\lis.zip")).contains("is not an export of the configuration"));
    assert_eq!(first_error(&rig.run("$bytes = Export-CsConfiguration -AsBytes; Import-CsConfiguration -ByteInput $bytes")), "");
}

/// Users by each form of identity, and the error of one who is not there.
#[rstest]
#[case::address("Get-CsUser anna@contoso.com")]
#[case::sip("Get-CsUser sip:ANNA@contoso.com")]
#[case::display("Get-CsUser 'Anna Kowalska'")]
#[case::wild("Get-CsUser 'Anna*'")]
#[case::login("Get-CsUser contoso\\anna")]
#[case::object("Get-CsUser (Get-CsUser anna@contoso.com)")]
#[case::pipeline("Get-CsUser anna@contoso.com | Get-CsUser")]
#[case::filter("Get-CsUser -Filter {SipAddress -eq 'sip:anna@contoso.com'}")]
fn users_are_found(#[case] command: &str) {
    assert_eq!(text_of(&Rig::contoso().run(&format!("({command}).SipAddress"))), ["sip:anna@contoso.com"]);
}

/// A failure of a synthetic transaction reads as the documented samples do (dossier J).
#[test]
fn synthetic_transactions_fail_as_documented() {
    let mut rig = Rig::contoso();
    let read = |rig: &mut Rig, user: &str| {
        let objects = rig.objects(&format!("Test-CsRegistration -TargetFqdn pool1.contoso.com -UserSipAddress {user}"));
        let text = |name: &str| objects[0].get(name).map(|value| firedrill_powershell::convert::to_text(&value, " ")).unwrap_or_default();
        (text("Result"), text("Error"), text("Diagnosis"), text("Latency"))
    };
    let (result, error, diagnosis, latency) = read(&mut rig, "sip:nobody@contoso.com");
    assert_eq!((&*result, &*error, &*latency), ("Failure", "404, Not Found", "00:00:00"));
    assert_eq!(diagnosis, "ErrorCode=1003,source=pool1.contoso.com,Reason=User does not exist");
    rig.fabric.apply(Change::Inject(Fault::Pool(POOL1))).expect("a fault");
    wait(&mut rig, 1);
    let (result, error, ..) = read(&mut rig, "sip:anna@contoso.com");
    assert_eq!(result, "Failure");
    assert!(error.starts_with("10060, A connection attempt failed"), "{error}");
    let nobody = rig.run("Test-CsRegistration -TargetFqdn pool1.contoso.com");
    assert_eq!(first_error(&nobody), "There is no test user assigned for [pool1.contoso.com]. Verify test user configuration.");
    assert!(nobody.errors().next().expect("an error").id.starts_with("NotFoundTestUsers,"));
}

/// A repair from the field: a pool stuck in FailingOver is set active by hand (dossier B.6).
#[test]
fn the_state_of_a_pool_is_set_by_hand() {
    let mut rig = Rig::contoso();
    rig.run("Set-CsRegistrarConfiguration -Identity Service:Registrar:pool1.contoso.com -PoolState FailingOver");
    assert_eq!(rig.fabric.pool_state(POOL1), PoolState::FailingOver);
    rig.run("Set-CsRegistrarConfiguration -Identity Service:Registrar:pool1.contoso.com -PoolState Active");
    assert_eq!(rig.fabric.pool_state(POOL1), PoolState::Active);
    let out = rig.run("Set-CsRegistrar Registrar:pool1.contoso.com -FailureDetectionInterval 00:00:10");
    assert_eq!(out.errors().count(), 1, "30 seconds are the least (dossier B.2)");
    assert_eq!(first_error(&rig.run("Set-CsRegistrar Registrar:pool1.contoso.com -FailureDetectionInterval 00:02:00")), "");
    assert_eq!(text_of(&rig.run("(Get-CsService -Registrar -PoolFqdn pool1.contoso.com).FailureDetectionInterval.TotalSeconds")), ["120"]);
}

/// Partners and gateway settings are written and read back; objects can be piped.
#[test]
fn xmpp_partners_come_and_go() {
    let mut rig = Rig::contoso();
    assert_eq!(text_of(&rig.run("(New-CsXmppAllowedPartner -Domain jabber.example -PartnerType Federated).PartnerType")), ["Federated"]);
    assert_eq!(first_error(&rig.run("New-CsXmppAllowedPartner jabber.example")), "\"jabber.example\" already exists.");
    rig.run("Set-CsXmppAllowedPartner jabber.example -TlsNegotiation Optional -AdditionalDomains @{Add='chat.example'}");
    assert_eq!(
        text_of(
            &rig.run(
                "(Get-CsXmppAllowedPartner jabber.example).TlsNegotiation; (Get-CsXmppAllowedPartner jabber.example).AdditionalDomains"
            )
        ),
        ["Optional", "chat.example"]
    );
    assert_eq!(first_error(&rig.run("Get-CsXmppAllowedPartner jabber.example | Remove-CsXmppAllowedPartner")), "");
    assert!(first_error(&rig.run("Get-CsXmppAllowedPartner jabber.example")).contains("jabber.example"));
    rig.run("Set-CsXmppGatewayConfiguration -KeepAliveInterval 60");
    assert_eq!(text_of(&rig.run("(Get-CsXmppGatewayConfiguration).KeepAliveInterval")), ["60"]);
}
