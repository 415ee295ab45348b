//! Output objects: type names, and properties in the order that the dossier gives (chapter J and what it points to).

mod support;

use firedrill_cmdlets::signatures::Binding;
use rstest::rstest;
use support::Rig;

/// The expected lists are typed from the dossier. Where it ends in "…" or marks a name as common, further properties may follow.
#[rstest]
#[case::replica(
    "Get-CsManagementStoreReplicationStatus",
    "Microsoft.Rtc.Management.Xds.ReplicaState",
    "UpToDate ReplicaFqdn LastStatusReport LastUpdateCreation ProductVersion"
)]
#[case::store_status(
    "Get-CsManagementStoreReplicationStatus -CentralManagementStoreStatus",
    "Microsoft.Rtc.Management.Xds.CentralManagementStoreStatusResult",
    "ActiveMasterFqdn ActiveMasterLastHeartbeat ActiveFileTransferAgents ActiveFileTransferAgentsLastHeartbeat ActiveReplicas DeletedReplicas"
)]
#[case::connection(
    "Get-CsManagementConnection",
    "Microsoft.Rtc.Management.Xds.ManagementConnection",
    "StoreProvider Connection ReadOnly SqlServer SqlInstance"
)]
#[case::location("Get-CsConfigurationStoreLocation", "Microsoft.Rtc.Management.Deployment.ConfigurationStoreLocation", "BackEndServer")]
#[case::central_management(
    "Get-CsService -CentralManagement",
    "Microsoft.Rtc.Management.Xds.DisplayCentralManagement",
    "Identity CentralManagementDatabase MirrorCentralManagementDatabase ReplicationPort Active DependentServiceList ServiceId SiteId PoolFqdn Version Role"
)]
#[case::registrar(
    "Get-CsService -Registrar",
    "Microsoft.Rtc.Management.Xds.DisplayRegistrar",
    "Identity SipServerPort SipServerTcpPort BackupRegistrar EnableAutomaticFailover FailureDetectionInterval FailbackDetectionInterval UserServer WebServer EdgeServer MonitoringDatabase ArchivingDatabase * DependentServiceList ServiceId SiteId PoolFqdn Version Role"
)]
#[case::edge(
    "Get-CsService -EdgeServer",
    "Microsoft.Rtc.Management.Xds.DisplayEdgeServer",
    "Identity Registrar AccessEdgeInternalSipPort AccessEdgeExternalSipPort AccessEdgeClientSipPort DataPsomServerPort DataPsomClientPort MediaRelayAuthEdgePort MediaRelayInternalTurnTcpPort MediaRelayExternalTurnTcpPort MediaRelayInternalTurnUdpPort MediaRelayExternalTurnUdpPort MediaCommunicationPortStart MediaCommunicationPortCount AccessEdgeExternalFqdn DataEdgeExternalFqdn AVEdgeExternalFqdn InternalInterfaceFqdn ExternalMrasFqdn XmppInternalPort XmppListeningPort SkypeSearchProxyPort DependentServiceList ServiceId SiteId PoolFqdn Version Role"
)]
#[case::user_server(
    "Get-CsService -UserServer",
    "Microsoft.Rtc.Management.Xds.DisplayUserServer",
    "Identity UserDatabase MirrorUserDatabase McuFactorySipPort UserPinManagementWcfHttpPort ServiceId SiteId PoolFqdn Version Role"
)]
#[case::task_output(
    "Test-CsRegistration -TargetFqdn pool1.contoso.com -UserSipAddress sip:anna@contoso.com",
    "Microsoft.Rtc.SyntheticTransactions.TaskOutput",
    "TargetFqdn Result Latency Error Diagnosis"
)]
#[case::backup_relationship(
    "Get-CsPoolBackupRelationship -PoolFqdn pool1.contoso.com",
    "Microsoft.Rtc.Management.Hadr.BackupService.BackupRelation",
    "PoolFqdn BackupPoolFqdn"
)]
#[case::backup_status(
    "Get-CsBackupServiceStatus -PoolFqdn pool1.contoso.com",
    "System.Object",
    "OverallExportStatus OverallImportStatus ActiveMachineFqdn BackupModules"
)]
#[case::backup_configuration(
    "Get-CsBackupServiceConfiguration",
    "Microsoft.Rtc.Management.WritableConfig.Settings.BackupService.BackupServiceConfiguration",
    "Identity SyncInterval MaxConcurrentCalls MaxBatchesPerCmsSync MaxBatchesPerUserStoreSync MaxDataConfPackageSizeKB AuthorizedUniversalGroups AuthorizedLocalAccounts"
)]
#[case::registrar_configuration(
    "Get-CsRegistrarConfiguration",
    "Microsoft.Rtc.Management.WritableConfig.Settings.Registrar.RegistrarSettings",
    "Identity MinEndpointExpiration MaxEndpointExpiration DefaultEndpointExpiration MaxEndpointsPerUser EnableDHCPServer PoolState BackupStoreUnavailableThreshold MaxUserCount"
)]
#[case::upgrade_state(
    "Get-CsPoolUpgradeReadinessState",
    "Microsoft.Rtc.Management.Hadr.PoolUpgradeState",
    "PoolFqdn PoolUpgradeState TotalFrontends TotalActiveFrontends UpgradeDomains"
)]
#[case::mirror_state(
    "Get-CsDatabaseMirrorState -PoolFqdn pool1.contoso.com",
    "Microsoft.Rtc.Management.Deployment.DatabaseMirrorState",
    "DatabaseName StateOnPrimary StateOnMirror MirroringStatusOnPrimary MirroringStatusOnMirror"
)]
#[case::database_test(
    "Test-CsDatabase -CentralManagementDatabase",
    "Microsoft.Rtc.SyntheticTransactions.TaskOutput",
    "SqlServerFqdn SqlInstanceName MirrorSqlServerFqdn MirrorSqlInstanceName DatabaseName DataSource SQLServerVersion ExpectedVersion InstalledVersion Succeed *"
)]
#[case::windows_service(
    "Get-CsWindowsService",
    "Microsoft.Rtc.Management.Deployment.Core.NTService",
    "Status Name DisplayName ActivityLevel ServiceStatus RoleName *"
)]
#[case::pool("Get-CsPool", "Microsoft.Rtc.Management.Deploy.Internal.Cluster", "Identity Services Computers Fqdn Site")]
#[case::computer("Get-CsComputer", "Microsoft.Rtc.Management.Deploy.Internal.Machine", "Identity Pool Fqdn")]
#[case::site(
    "Get-CsSite",
    "Microsoft.Rtc.Management.Deploy.Internal.Site+CentralSite",
    "Identity SiteId Services Pools FederationRoute XmppFederationRoute DefaultPersistentChatPool Description DisplayName SiteType ParentSite"
)]
#[case::user(
    "Get-CsUser anna@contoso.com",
    "Microsoft.Rtc.Management.ADConnect.Schema.OCSADUser",
    "Identity SipAddress RegistrarPool HomeServer Enabled EnterpriseVoiceEnabled LineURI HostedVoiceMail HostingProvider UserRoutingGroupId DisplayName *"
)]
#[case::xmpp_partner(
    "Get-CsXmppAllowedPartner",
    "Microsoft.Rtc.Management.WritableConfig.Settings.XmppFederation.XmppAllowedPartner#Decorated",
    "Identity Domain *"
)]
#[case::dns_record(
    "Get-DnsServerResourceRecord -ZoneName contoso.com -Name xmpp",
    "Microsoft.Management.Infrastructure.CimInstance#root/Microsoft/Windows/DNS/DnsServerResourceRecord",
    "HostName RecordType Type RecordClass TimeToLive Timestamp RecordData DistinguishedName"
)]
fn objects_have_the_properties_of_the_dossier_in_its_order(#[case] command: &str, #[case] type_name: &str, #[case] expected: &str) {
    let objects = Rig::contoso().objects(command);
    let first = objects.first().expect("at least one object");
    assert_eq!(&*first.type_names[0], type_name);
    let names = first.names();
    let names: Vec<&str> = names.iter().map(|name| &**name).collect();
    let expected: Vec<&str> = expected.split(' ').collect();
    match expected.iter().position(|name| *name == "*") {
        None => assert_eq!(names, expected),
        Some(gap) => {
            assert_eq!(names[..gap], expected[..gap]);
            let tail = &expected[gap + 1..];
            assert_eq!(&names[names.len() - tail.len()..], tail);
        }
    }
    assert!(names.iter().all(|name| first.get(name).is_some()), "every name has a value");
}

/// `[string]$_` gives the identity: scripts cut it apart at the colon (powershell-usage.md 0.5).
#[rstest]
#[case::service("[string](Get-CsService -Registrar -PoolFqdn pool1.contoso.com)", "Registrar:pool1.contoso.com")]
#[case::database("(Get-CsService -UserServer -PoolFqdn pool1.contoso.com).UserDatabase.Split(':')[1]", "sql1a.contoso.com")]
#[case::pool("[string](Get-CsPool pool1.contoso.com)", "pool1.contoso.com")]
#[case::site("[string](Get-CsSite Site1)", "Site:Site1")]
#[case::home("(Get-CsUser anna@contoso.com).RegistrarPool.ToString()", "pool1.contoso.com")]
#[case::id("(Get-CsService -EdgeServer -PoolFqdn edgeserver2.contoso.com).ServiceId", "2-EdgeServer-1")]
#[case::version("(Get-CsService -Registrar -PoolFqdn pool1.contoso.com).Version", "7")]
#[case::count("(Get-CsPool pool1.contoso.com).Services.Count", "8")]
#[case::order("(Get-CsComputer -Pool pool1.contoso.com)[0].Fqdn", "pool1-fe1.contoso.com")]
fn values_read_as_scripts_use_them(#[case] script: &str, #[case] expected: &str) {
    let output = Rig::contoso().run(script);
    let values: Vec<String> = output.objects().map(|value| firedrill_powershell::convert::to_text(value, " ")).collect();
    assert_eq!(values, [expected]);
}

/// 2019: no XMPP cmdlets, RGS in the backup configuration, the listener where a SQL Server's name would stand.
#[test]
fn a_2019_deployment_differs_where_the_reference_does() {
    let topology = support::fixture("fabric2019");
    let first = topology.computer(topology.pools[0].front_ends[0]).fqdn.clone();
    let mut rig = Rig::new("fabric2019", &first, Binding::Procedures);
    let missing = rig.run("Get-CsXmppAllowedPartner");
    assert_eq!(&*missing.errors().next().expect("an error").id, "CommandNotFoundException");
    let configuration = rig.objects("Get-CsBackupServiceConfiguration");
    assert!(configuration[0].get("EnableRgsBackupService").is_some());
    let text = |rig: &mut Rig, script: &str| {
        rig.run(script).objects().map(|value| firedrill_powershell::convert::to_text(value, " ")).collect::<Vec<_>>()
    };
    assert_eq!(text(&mut rig, "(Get-CsManagementConnection).SqlServer"), ["amssql.fabrikam.com"]);
    assert_eq!(text(&mut rig, "(Get-CsService -UserServer)[0].UserDatabase"), ["UserDatabase:amssql.fabrikam.com"]);
    assert_eq!(text(&mut rig, "@(Test-CsDatabase -CentralManagementDatabase)[0].SqlServerFqdn"), ["amssql.fabrikam.com"]);
    let states =
        text(&mut rig, "Get-CsDatabaseMirrorState -PoolFqdn amspool.fabrikam.com -DatabaseType CMS | ForEach-Object StateOnPrimary");
    assert_eq!(states, ["DatabaseInaccessibleOrMirroringNotEnabled"; 2], "mirroring went with 2019");
}
