//! What scripts ask of Windows, answered by the fabric: services, event logs, remote shells, WMI, the directory, SQL, files.

mod support;

use firedrill_cmdlets::signatures::Binding;
use firedrill_fabric::{Change, Fault, Place, ServiceName, SimDuration};
use rstest::rstest;
use support::Rig;

fn rig() -> Rig {
    Rig::contoso()
}

fn inject(rig: &mut Rig, fault: Fault) {
    rig.fabric.apply(Change::Inject(fault)).expect("a fault is never refused");
}

fn heal(rig: &mut Rig, fault: Fault) {
    rig.fabric.apply(Change::Heal(fault)).expect("healing is never refused");
}

fn pass(rig: &mut Rig, minutes: i64) {
    let until = rig.fabric.now() + SimDuration::from_mins(minutes);
    rig.fabric.advance_to(until).expect("no limit is hit");
}

fn computer(rig: &Rig, name: &str) -> firedrill_topology::ComputerId {
    rig.fabric.topology().find_computer(name).expect("the computer exists")
}

/// What the console shows of a script that runs on a healthy deployment, on pool2-fe1.
#[rstest]
#[case::running("(Get-Service RTCSRV).Status", "Running\n")]
#[case::status_is_an_enumeration("(Get-Service RTCSRV).Status -eq 4", "True\n")]
#[case::display_name("(Get-Service RTCSRV).DisplayName", "Skype for Business Server Front-End\n")]
#[case::wildcard("@(Get-Service RTC*).Count -gt 8", "True\n")]
#[case::by_display_name("(Get-Service -DisplayName '*Backup Service').Name", "LYNCBACKUP\n")]
#[case::of_windows("(Get-Service WinRM).Status", "Running\n")]
#[case::elsewhere("(Get-Service RTCSRV -ComputerName pool1-fe1.contoso.com).MachineName", "pool1-fe1.contoso.com\n")]
#[case::sql("(Get-Service 'MSSQL$RTC' -ComputerName sql1a.contoso.com).Status", "Running\n")]
#[case::dependents("(Get-Service RTCSRV).DependentServices -contains 'RTCRGS'", "True\n")]
#[case::stop_and_start(
    "Stop-Service RTCRGS; (Get-Service RTCRGS).Status; Start-Service RTCRGS -WarningAction SilentlyContinue; (Get-Service RTCRGS).Status",
    "Stopped\nRunning\n"
)]
#[case::stop_takes_dependents_with_force("Stop-Service RTCSRV -Force; (Get-Service RTCRGS).Status", "Stopped\n")]
#[case::restart_brings_dependents_back(
    "Restart-Service RTCSRV -Force -WarningAction SilentlyContinue; (Get-Service RTCSRV, RTCRGS).Status",
    "Running\nRunning\n"
)]
#[case::through_pipeline("Get-Service RTCRGS | Stop-Service; (Get-Service RTCRGS).Status", "Stopped\n")]
#[case::elsewhere_through_pipeline(
    "Get-Service RTCRGS -ComputerName pool1-fe1 | Stop-Service; (Get-CsWindowsService -ComputerName pool1-fe1.contoso.com -Name RTCRGS).Status",
    "Stopped\n"
)]
#[case::disabled(
    "Stop-Service RTCRGS; Set-Service RTCRGS -StartupType Disabled; (Get-Service RTCRGS).StartType; Start-Service RTCRGS -EA 0; (Get-Service RTCRGS).Status",
    "Disabled\nStopped\n"
)]
#[case::what_if("Stop-Service RTCRGS -WhatIf 6>$null; (Get-Service RTCRGS).Status", "Running\n")]
#[case::process("@(Get-Process RTCSrv).Count", "1\n")]
#[case::process_of_stopped_service("Stop-Service RTCSRV -Force; @(Get-Process RTCSrv -EA 0).Count", "0\n")]
#[case::ping("Test-Connection pool1-fe1.contoso.com -Count 1 -Quiet", "True\n")]
#[case::ping_object("(Test-Connection pool1-fe1.contoso.com -Count 2).Count", "2\n")]
#[case::ping_of_nobody("Test-Connection nobody.contoso.com -Count 1 -Quiet", "False\n")]
#[case::remote("Invoke-Command -ComputerName pool1-fe2.contoso.com { $env:COMPUTERNAME }", "POOL1-FE2\n")]
#[case::remote_without_our_variables("$x = 5; Invoke-Command -ComputerName pool1-fe2 { \"[$x]\" }", "[]\n")]
#[case::remote_with_using("$x = 5; Invoke-Command -ComputerName pool1-fe2 { \"[$using:x]\" }", "[5]\n")]
#[case::remote_with_arguments("Invoke-Command -ComputerName pool1-fe2 { param($a) \"[$a]\" } -ArgumentList 7", "[7]\n")]
#[case::remote_and_home_again("Invoke-Command -ComputerName pool1-fe2 { 1 } | Out-Null; $env:COMPUTERNAME", "POOL2-FE1\n")]
#[case::remote_object_is_a_copy(
    "$o = Invoke-Command -ComputerName pool1-fe2 { Get-Service RTCSRV }; $o.PSComputerName; $o.PSObject.TypeNames[0]",
    "pool1-fe2.contoso.com\nDeserialized.System.ServiceProcess.ServiceController\n"
)]
#[case::remote_variables_live_in_the_session(
    "$s = New-PSSession -ComputerName pool1-fe2; Invoke-Command -Session $s { $y = 9 }; Invoke-Command -Session $s { $y }; Remove-PSSession $s; @(Get-PSSession).Count",
    "9\n0\n"
)]
#[case::remote_acts_there(
    "Invoke-Command -ComputerName pool1-fe2 { Stop-Service RTCRGS }; (Get-Service RTCRGS).Status; (Get-Service RTCRGS -ComputerName pool1-fe2).Status",
    "Running\nStopped\n"
)]
#[case::remote_files_are_there(
    "Invoke-Command -ComputerName pool1-fe2 { Set-Content C:\\here.txt 'x' }; Test-Path C:\\here.txt; Test-Path \\\\pool1-fe2\\c$\\here.txt",
    "False\nTrue\n"
)]
#[case::remote_error_can_be_caught(
    "try { Invoke-Command -ComputerName pool1-fe2 { throw 'there' } } catch { \"caught $_\" }",
    "caught there\n"
)]
#[case::several_computers("(Invoke-Command -ComputerName pool1-fe1, pool1-fe2 { $env:COMPUTERNAME }) -join ','", "POOL1-FE1,POOL1-FE2\n")]
#[case::remote_job("$j = Invoke-Command -ComputerName pool1-fe2 { $env:COMPUTERNAME } -AsJob; Receive-Job $j -Wait", "POOL1-FE2\n")]
#[case::product_shell(
    "$s = New-PSSession -ConnectionUri https://pool1.contoso.com/OcsPowershell; $null = Import-PSSession $s -AllowClobber; (Get-CsPool pool2.contoso.com).PSComputerName",
    "pool1-fe1.contoso.com\n"
)]
#[case::product_shell_with_prefix(
    "$s = New-PSSession -ConnectionUri https://pool1.contoso.com/ocspowershell; $null = Import-PSSession $s -Prefix P1; (Get-P1CsPool pool2.contoso.com).Fqdn; (Get-CsPool pool2.contoso.com).PSComputerName -eq $null",
    "pool2.contoso.com\nTrue\n"
)]
#[case::product_shell_is_a_module(
    "$s = New-PSSession -ConnectionUri https://pool1.contoso.com/OcsPowershell; $null = Import-PSSession $s -AllowClobber; @(Get-Module | Where-Object Description -like '*/ocspowershell').Count",
    "1\n"
)]
#[case::modules("(Get-Module SkypeForBusiness -ListAvailable).Name; @(Get-Module Lync -ListAvailable).Count", "SkypeForBusiness\n0\n")]
#[case::module_import("Import-Module SkypeForBusiness; (Get-Module SkypeForBusiness).Name", "SkypeForBusiness\n")]
#[case::operating_system("(Get-CimInstance Win32_OperatingSystem).CSName", "POOL2-FE1\n")]
#[case::wmi_service("(Get-WmiObject Win32_Service -Filter \"Name='RTCSRV'\").State", "Running\n")]
#[case::wmi_service_elsewhere(
    "Stop-Service RTCRGS; (Get-WmiObject -Query \"select * from Win32_Service where Name = 'RTCRGS'\").State",
    "Stopped\n"
)]
#[case::wmi_disk("(gwmi Win32_LogicalDisk -Filter 'DriveType=3').DeviceID", "C:\n")]
#[case::wmi_remote("(Get-WmiObject Win32_ComputerSystem -ComputerName pool1-fe1).Name", "POOL1-FE1\n")]
#[case::directory_user("(Get-ADUser anna).UserPrincipalName", "anna@contoso.com\n")]
#[case::directory_user_default_properties("(Get-ADUser anna).mail -eq $null", "True\n")]
#[case::directory_user_properties(
    "(Get-ADUser anna -Properties mail, msRTCSIP-PrimaryUserAddress).'msRTCSIP-PrimaryUserAddress'",
    "sip:anna@contoso.com\n"
)]
#[case::directory_filter("(Get-ADUser -Filter {SamAccountName -eq 'anna'}).SamAccountName", "anna\n")]
#[case::directory_filter_text("(Get-ADUser -Filter \"msRTCSIP-PrimaryUserAddress -eq 'sip:anna@contoso.com'\").SamAccountName", "anna\n")]
#[case::directory_filter_variable("$who = 'anna'; (Get-ADUser -Filter {SamAccountName -eq $who}).SamAccountName", "anna\n")]
#[case::directory_result_size("@(Get-ADUser -Filter * -ResultSetSize 3).Count", "3\n")]
#[case::directory_computer("(Get-ADComputer pool1-fe1).DNSHostName", "pool1-fe1.contoso.com\n")]
#[case::directory_edge_is_no_member("@(Get-ADComputer -Filter 'Name -like \"EDGE*\"').Count", "0\n")]
#[case::directory_domain("(Get-ADDomain).DNSRoot; (Get-ADForest).Name", "contoso.com\ncontoso.com\n")]
#[case::directory_group("(Get-ADGroup RTCUniversalServerAdmins).GroupScope", "Universal\n")]
#[case::directory_members("(Get-ADGroupMember RTCHSUniversalServices).name -contains 'POOL1-FE1'", "True\n")]
#[case::sql_count(
    "(Invoke-Sqlcmd -ServerInstance sql1a.contoso.com\\rtc -Database rtcxds -Query 'select count(*) as N from dbo.Resource').N -gt 0",
    "True\n"
)]
#[case::sql_databases(
    "(Invoke-Sqlcmd -ServerInstance sql1a.contoso.com\\rtc -Query 'SELECT name FROM sys.databases').name -contains 'rtcxds'",
    "True\n"
)]
#[case::share("Set-Content \\\\files1.contoso.com\\sfb\\a.txt 'shared'; Get-Content \\\\files1\\sfb\\a.txt", "shared\n")]
#[case::folders("New-Item -ItemType Directory C:\\Logs | Out-Null; (Get-ChildItem C:\\ -Directory).Name -contains 'Logs'", "True\n")]
#[case::relative_export(
    "New-Item -ItemType Directory C:\\Backup | Out-Null; cd C:\\Backup; Export-CsConfiguration -FileName .\\c.zip; Test-Path C:\\Backup\\c.zip",
    "True\n"
)]
#[case::written_event(
    "Write-EventLog -LogName Application -Source Drill -EventId 77 -Message 'ours' -EntryType Warning; $e = Get-EventLog Application -Newest 1; \"$($e.EventID) $($e.EntryType) $($e.Message)\"",
    "77 Warning ours\n"
)]
#[case::service_event(
    "Stop-Service RTCRGS; (Get-EventLog System -Newest 1).Message",
    "The Skype for Business Server Response Group service entered the stopped state.\n"
)]
fn windows_answers(#[case] script: &str, #[case] shown: &str) {
    let mut rig = rig();
    let output = rig.run(script);
    assert_eq!(firedrill_powershell::session::render(&output, 200), shown, "{script}");
    assert!(output.unmodelled.is_empty(), "{script}: {:?}", output.unmodelled);
}

/// Refusals name what PowerShell names.
#[rstest]
#[case::service("Get-Service NoSuch", "NoServiceFoundForGivenName,Microsoft.PowerShell.Commands.GetServiceCommand")]
#[case::dependents("Stop-Service RTCSRV", "ServiceHasDependentServices,Microsoft.PowerShell.Commands.StopServiceCommand")]
#[case::process("Get-Process nosuch", "NoProcessFoundForGivenName,Microsoft.PowerShell.Commands.GetProcessCommand")]
#[case::ping("Test-Connection nobody.contoso.com -Count 1", "TestConnectionException,Microsoft.PowerShell.Commands.TestConnectionCommand")]
#[case::log("Get-EventLog NoSuchLog", "System.InvalidOperationException,Microsoft.PowerShell.Commands.GetEventLogCommand")]
#[case::no_entries(
    "Get-EventLog 'Lync Server' -EntryType Error",
    "GetEventLogNoEntriesFound,Microsoft.PowerShell.Commands.GetEventLogCommand"
)]
#[case::no_events(
    "Get-WinEvent -FilterHashtable @{ LogName = 'Lync Server'; Id = 1017 }",
    "NoMatchingEventsFound,Microsoft.PowerShell.Commands.GetWinEventCommand"
)]
#[case::no_log("Get-WinEvent -LogName Nothing", "NoMatchingLogsFound,Microsoft.PowerShell.Commands.GetWinEventCommand")]
#[case::unknown_computer("Invoke-Command -ComputerName nobody.contoso.com { 1 }", "ComputerNotFound,PSSessionStateBroken")]
#[case::unknown_session_computer("New-PSSession -ComputerName nobody.contoso.com", "ComputerNotFound,PSSessionOpenFailed")]
#[case::class("Get-WmiObject NoSuchClass", "GetWMIManagementException,Microsoft.PowerShell.Commands.GetWmiObjectCommand")]
#[case::directory(
    "Get-ADUser nobody",
    "ActiveDirectoryCmdlet:Microsoft.ActiveDirectory.Management.ADIdentityNotFoundException,Microsoft.ActiveDirectory.Management.Commands.GetADUser"
)]
#[case::module_of_another_version("Import-Module Lync", "Modules_ModuleNotFound,Microsoft.PowerShell.Commands.ImportModuleCommand")]
fn refusals_are_those_of_windows(#[case] script: &str, #[case] id: &str) {
    let output = rig().run(script);
    let ids: Vec<String> = output.errors().map(|error| error.id.to_string()).collect();
    assert_eq!(ids, [id], "{script}");
}

/// What is known and not modelled is named.
#[rstest]
#[case("Get-WmiObject Win32_NetworkAdapterConfiguration", "Get-WmiObject Win32_NetworkAdapterConfiguration")]
#[case("Invoke-Sqlcmd -ServerInstance sql1a.contoso.com\\rtc -Query 'delete from x'", "Invoke-Sqlcmd -Query delete from x")]
#[case("Get-ADUser anna -Properties thumbnailPhoto | Out-Null", "Get-ADUser -Properties thumbnailPhoto")]
#[case("Get-ADUser -Filter \"Office -eq 'x'\"", "Get-ADUser -Filter Office")]
#[case("Stop-Service Spooler, Netlogon -EA 0", "Stop-Service Netlogon")]
#[case("Get-ItemProperty HKLM:\\SOFTWARE\\Microsoft", "drive HKLM:")]
#[case("Get-WinEvent -FilterHashtable @{ LogName = 'System'; Keywords = 1 } -EA 0 | Out-Null", "Get-WinEvent -FilterHashtable Keywords")]
fn what_is_not_modelled_is_named(#[case] script: &str, #[case] what: &str) {
    let output = rig().run(script);
    assert_eq!(output.unmodelled.iter().map(|(named, _)| &**named).collect::<Vec<_>>(), [what], "{script}");
}

/// Faults leave the entries of the incident catalogue (dossier chapter I) on the computers that would have written them.
#[rstest]
#[case::edge_cut(
    |rig: &Rig| Fault::Port { from: Place::Anywhere, to: Place::Computer(computer(rig, "edgeserver1a.contoso.com")), port: 4443 },
    "pool1-fe1.contoso.com",
    1017
)]
#[case::edge_certificate(|rig: &Rig| Fault::Certificate(computer(rig, "edgeserver1a.contoso.com")), "pool1-fe1.contoso.com", 1015)]
#[case::backup_share(
    |rig: &Rig| Fault::Port {
        from: Place::Pool(rig.fabric.topology().find_pool("pool1.contoso.com").expect("it exists")),
        to: Place::Anywhere,
        port: 445,
    },
    "pool1-fe1.contoso.com",
    4042
)]
fn faults_surface_in_the_event_log(#[case] fault: fn(&Rig) -> Fault, #[case] where_to: &str, #[case] id: u32) {
    let mut rig = Rig::new("contoso", where_to, Binding::Procedures);
    let fault = fault(&rig);
    inject(&mut rig, fault);
    pass(&mut rig, 10);
    let script =
        format!("@(Get-WinEvent -FilterHashtable @{{ LogName = 'Lync Server'; Id = {id} }} -ErrorAction SilentlyContinue).Count -gt 0");
    assert_eq!(rig.console(&script), "True\n");
}

/// Dossier B.8, I 14: below the number for a first start the Front-End service hangs, and says so.
#[test]
fn a_front_end_that_waits_for_quorum_says_so() {
    let mut rig = Rig::new("contoso", "pool1-fe1.contoso.com", Binding::Procedures);
    let pool = rig.fabric.topology().find_pool("pool1.contoso.com").expect("it exists");
    for front_end in rig.fabric.topology().pool(pool).front_ends.clone() {
        inject(&mut rig, Fault::Computer(front_end));
    }
    pass(&mut rig, 5);
    let first = computer(&rig, "pool1-fe1.contoso.com");
    heal(&mut rig, Fault::Computer(first));
    pass(&mut rig, 10);
    assert_eq!(rig.console("(Get-Service RTCSRV).Status"), "StartPending\n");
    assert_eq!(rig.console("(Get-EventLog 'Lync Server' -InstanceId 32174 -Newest 1).EntryType"), "Warning\n");
    assert_eq!(rig.console("(Get-EventLog System -Source EventLog -EntryType Error).EventID"), "6008\n", "nobody planned the shutdown");
}

/// `Restart-Computer -Wait` comes back when the computer does, and its services come back by themselves.
#[test]
fn a_computer_restarts_in_virtual_time() {
    let mut rig = rig();
    let began = rig.fabric.now();
    let shown =
        rig.console("Restart-Computer pool1-fe1.contoso.com -Wait -For PowerShell -Force; Test-Connection pool1-fe1 -Count 1 -Quiet");
    assert_eq!(shown, "True\n");
    let took = rig.fabric.now().since(began);
    assert!(took >= firedrill_fabric::world::BOOT_TIME && took < SimDuration::from_mins(5), "{took:?}");
    pass(&mut rig, 10);
    let front_end = computer(&rig, "pool1-fe1.contoso.com");
    assert!(rig.fabric.service_running(front_end, ServiceName::RtcSrv));
    assert_eq!(rig.console("(Get-EventLog System -ComputerName pool1-fe1 -Source EventLog).EventID -join ','"), "6005\n", "it was planned");
}

/// A computer that is off, or behind a cut link, is reached by nothing.
#[rstest]
#[case(
    "Get-Service RTCSRV -ComputerName pool1-fe1.contoso.com",
    "System.InvalidOperationException,Microsoft.PowerShell.Commands.GetServiceCommand"
)]
#[case("Invoke-Command -ComputerName pool1-fe1.contoso.com { 1 }", "WinRMOperationTimeout,PSSessionStateBroken")]
#[case("New-PSSession -ConnectionUri https://pool1.contoso.com/OcsPowershell", "WinRMOperationTimeout,PSSessionOpenFailed")]
#[case("Restart-Computer pool1-fe1.contoso.com", "RestartcomputerFailed,Microsoft.PowerShell.Commands.RestartComputerCommand")]
#[case(
    "Get-WmiObject Win32_BIOS -ComputerName pool1-fe1.contoso.com",
    "GetWMICOMException,Microsoft.PowerShell.Commands.GetWmiObjectCommand"
)]
#[case("Get-EventLog System -ComputerName pool1-fe1.contoso.com", "System.IO.IOException,Microsoft.PowerShell.Commands.GetEventLogCommand")]
#[case(
    "Invoke-Sqlcmd -ServerInstance sql1a.contoso.com\\rtc -Query 'select 1'",
    "SqlExectionError,Microsoft.SqlServer.Management.PowerShell.GetScriptCommand"
)]
#[case("Get-Content \\\\pool1-fe1.contoso.com\\c$\\x.txt", "PathNotFound,Microsoft.PowerShell.Commands.GetContentCommand")]
fn what_is_away_does_not_answer(#[case] script: &str, #[case] id: &str) {
    let topology = rig().fabric.topology().clone();
    let (one, two) = (topology.find_site("Site1").expect("it exists"), topology.find_site("Site2").expect("it exists"));
    for fault in [Fault::Site(one), Fault::Link(one, two)] {
        let mut rig = rig();
        inject(&mut rig, fault);
        let output = rig.run(script);
        assert_eq!(output.errors().map(|error| error.id.to_string()).collect::<Vec<_>>(), [id], "{script}");
    }
}

/// The directory does not answer while it is away.
#[test]
fn the_directory_can_be_away() {
    let mut rig = rig();
    inject(&mut rig, Fault::ActiveDirectory);
    let output = rig.run("Get-ADUser anna");
    let ids: Vec<String> = output.errors().map(|error| error.id.to_string()).collect();
    assert_eq!(ids, ["ActiveDirectoryServer:1355,Microsoft.ActiveDirectory.Management.Commands.GetADUser"]);
}

/// Lines typed after `Enter-PSSession` run on the other computer, until `Exit-PSSession`.
#[test]
fn the_console_enters_other_computers() {
    let mut rig = rig();
    assert_eq!(rig.console("Enter-PSSession pool1-fe1.contoso.com\n$env:COMPUTERNAME\n$there = 1"), "POOL1-FE1\n");
    assert_eq!(rig.console("$env:COMPUTERNAME; $there"), "POOL1-FE1\n1\n");
    assert_eq!(rig.console("Exit-PSSession\n$env:COMPUTERNAME; \"[$there]\""), "POOL2-FE1\n[]\n");
}

/// No mail leaves a rehearsal.
#[test]
fn mails_are_kept() {
    let mut rig = rig();
    let output = rig.run(
        "Send-MailMessage -To a@contoso.com, b@contoso.com -From drill@contoso.com -Subject Done -Body text -SmtpServer mail.contoso.com",
    );
    assert_eq!(output.errors().count(), 0);
    assert_eq!(rig.state.outbox.len(), 1);
    assert_eq!((rig.state.outbox[0].to.len(), rig.state.outbox[0].subject.as_str()), (2, "Done"));
}

/// Folders of the host are read where the caller allows it, and never written.
#[test]
fn host_folders_are_read_only_and_named_by_the_caller() {
    #[derive(Debug)]
    struct OneFolder;
    impl firedrill_cmdlets::HostFolders for OneFolder {
        fn read(&self, path: &str) -> Option<std::sync::Arc<[u8]>> {
            path.eq_ignore_ascii_case("C:\\Host\\users.csv").then(|| std::sync::Arc::from(*b"Name\r\nanna\r\n"))
        }
        fn list(&self, folder: &str) -> Vec<(String, bool)> {
            if folder.eq_ignore_ascii_case("C:\\Host") { vec![("users.csv".into(), false)] } else { Vec::new() }
        }
    }
    let mut rig = rig();
    assert_eq!(rig.console("Test-Path C:\\Host\\users.csv"), "False\n", "nothing is read by default");
    rig.state.host_folders = Some(std::sync::Arc::new(OneFolder));
    assert_eq!(rig.console("(Import-Csv C:\\Host\\users.csv).Name; (Get-ChildItem C:\\Host).Name"), "anna\nusers.csv\n");
    assert_eq!(
        rig.console("Set-Content C:\\Host\\users.csv 'Name'; Get-Content C:\\Host\\users.csv"),
        "Name\n",
        "writes stay in the rehearsal"
    );
}
