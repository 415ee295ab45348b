//! What somebody at the console sees: questions, and what is not modelled.

mod support;

use firedrill_cmdlets::signatures::Binding;
use rstest::rstest;
use support::Rig;

/// Questions name the operation and the target, and are not put where a switch answers them.
#[rstest]
#[case::failover("Invoke-CsPoolFailOver -PoolFqdn pool1.contoso.com -DisasterMode", &["\"Invoke-CsPoolFailOver\" on target \"pool1.contoso.com\""])]
#[case::confirm_false("Invoke-CsPoolFailOver -PoolFqdn pool1.contoso.com -DisasterMode -Confirm:$false", &[])]
#[case::what_if("Invoke-CsPoolFailOver -PoolFqdn pool1.contoso.com -DisasterMode -WhatIf", &[])]
#[case::medium("Set-CsEdgeServer EdgeServer:edgeserver1.contoso.com -Registrar Registrar:pool2.contoso.com", &[])]
#[case::asked_for(
    "Set-CsEdgeServer EdgeServer:edgeserver1.contoso.com -Registrar Registrar:pool2.contoso.com -Confirm",
    &["\"Set-CsEdgeServer\" on target \"EdgeServer:edgeserver1.contoso.com\""]
)]
#[case::one_for_each_user(
    "'anna@contoso.com', 'ben@contoso.com' | Move-CsUser -Target pool2.contoso.com",
    &["\"Move-CsUser\" on target \"CN=anna,OU=contoso.com,DC=contoso,DC=com\"", "\"Move-CsUser\" on target \"CN=ben,OU=contoso.com,DC=contoso,DC=com\""]
)]
#[case::dns("Remove-DnsServerResourceRecord -ZoneName contoso.com -Name xmpp -RRType A", &["\"Remove-DnsServerResourceRecord\" on target \"xmpp in zone contoso.com\""])]
#[case::dns_forced("Remove-DnsServerResourceRecord -ZoneName contoso.com -Name xmpp -RRType A -Force", &[])]
#[case::refused_before("Invoke-CsPoolFailOver -PoolFqdn nopool.contoso.com", &[])]
#[case::reading("Get-CsPool -Identity pool1.contoso.com", &[])]
fn questions_name_operation_and_target(#[case] script: &str, #[case] questions: &[&str]) {
    let mut rig = Rig::contoso();
    rig.state.answers = ["y", "y"].iter().map(|answer| (*answer).to_owned()).collect();
    rig.run(script);
    let asked: Vec<_> = rig
        .state
        .prompts
        .iter()
        .map(|prompt| prompt.text.lines().find(|line| line.starts_with("Performing")).unwrap_or_default().to_owned())
        .collect();
    let expected: Vec<_> = questions.iter().map(|question| format!("Performing the operation {question}.")).collect();
    assert_eq!(asked, expected);
}

/// Whatever a script does with the error of it, what is not modelled is named.
#[rstest]
#[case("Get-CsCertificate", "Get-CsCertificate")]
#[case("try { Get-CsCertificate } catch { }", "Get-CsCertificate")]
#[case("Get-CsCertificate -ErrorAction SilentlyContinue", "Get-CsCertificate")]
#[case("$ErrorActionPreference = 'SilentlyContinue'; Get-CsCertificate", "Get-CsCertificate")]
#[case("trap { continue } Get-CsCertificate", "Get-CsCertificate")]
#[case("$name = 'Get-CsCertificate'; & $name 2>$null", "Get-CsCertificate")]
#[case("Invoke-Expression 'Get-CsCertificate' 2>$null", "Get-CsCertificate")]
#[case("function f { Set-CsUser anna@contoso.com -LineURI tel:+1 -EA 0 }; f", "Set-CsUser")]
#[case("Set-CsUser anna@contoso.com -Enabled $false -WhatIf", "Set-CsUser")]
#[case("Get-CsPool | Select-Object -First 1 | ForEach-Object { try { Test-CsIM -TargetFqdn $_.Fqdn } catch { } }", "Test-CsIM")]
#[case("if (Get-HotFix KB1 -EA 0) { 'there' }", "Get-HotFix")]
#[case("try { ipconfig /flushdns } catch { }", "ipconfig")]
#[case("try { [System.Net.ServicePointManager]::FindServicePoint('x') } catch { }", "[System.Net.ServicePointManager]::FindServicePoint")]
#[case("try { New-Object System.Net.Sockets.TcpClient } catch { }", "New-Object System.Net.Sockets.TcpClient")]
#[case("try { 'ab' -match '(?<o>a)(?<-o>b)' } catch { }", "regular expression (?<o>a)(?<-o>b)")]
#[case("Get-CsUser anna@contoso.com -Credential x -EA 0 | Out-Null", "Get-CsUser -Credential")]
#[case("Get-CsUser -Filter {City -eq 'Redmond'} | Out-Null", "Get-CsUser -Filter City")]
#[case("Get-CsPoolFabricState -PoolFqdn pool1.contoso.com -Type LYSS -EA 0", "Get-CsPoolFabricState -Type LYSS")]
#[case("Resolve-DnsName contoso.com -Type MX -EA 0", "Resolve-DnsName -Type MX")]
#[case("Get-DnsServerResourceRecord -ZoneName contoso.com -RRType Mx -EA 0", "Get-DnsServerResourceRecord -RRType Mx")]
#[case("Start-Process notepad.exe -EA 0", "Start-Process")]
fn what_is_not_modelled_never_passes_silently(#[case] script: &str, #[case] what: &str) {
    let output = Rig::contoso().run(script);
    assert_eq!(output.unmodelled.iter().map(|(named, _)| &**named).collect::<Vec<_>>(), [what]);
    let span = output.unmodelled[0].1.span;
    assert!(span.start < span.end && usize::try_from(span.end).is_ok_and(|end| end <= script.len()), "{span:?}");
}

/// Static members that ask the world: names are answered from its zones, computers have the names of the topology.
#[test]
fn static_members_of_net_and_environment_ask_the_world() {
    let mut rig = Rig::contoso();
    let script = "[System.Net.Dns]::GetHostByName('xmpp.contoso.com').AddressList.Count -ge 1
         $a = @(Resolve-DnsName xmpp.contoso.com -Type A).IPAddress | Sort-Object
         $b = @([System.Net.Dns]::GetHostAddresses('xmpp').IPAddressToString) | Sort-Object
         \"$a\" -eq \"$b\"
         [System.Net.Dns]::GetHostByName($env:COMPUTERNAME).HostName -like \"$([Environment]::MachineName)*\"
         try { [System.Net.Dns]::GetHostEntry('nowhere.contoso.com') } catch { $_.Exception.InnerException.GetType().Name }";
    assert_eq!(rig.console(script), "True\nTrue\nTrue\nSocketException\n");
}

/// The way that administrators edit a record: copy it, change the copy, hand both over.
#[rstest]
#[case("$old.Clone()")]
#[case("[ciminstance]::new($old)")]
#[case("New-Object CimInstance $old")]
fn a_record_is_edited_through_a_copy(#[case] copy: &str) {
    let mut rig = Rig::contoso();
    let script = format!(
        "$old = Get-DnsServerResourceRecord -ZoneName contoso.com -Name xmpp -RRType A | Select-Object -First 1
         $before = \"$($old.RecordData.IPv4Address)\"
         $new = {copy}
         $new.RecordData.IPv4Address = [ipaddress]'203.0.113.99'
         $new.TimeToLive = [timespan]'00:05:00'
         \"$($old.RecordData.IPv4Address)\" -eq $before
         Set-DnsServerResourceRecord -ZoneName contoso.com -OldInputObject $old -NewInputObject $new
         (Get-DnsServerResourceRecord -ZoneName contoso.com -Name xmpp -RRType A).RecordData.IPv4Address -contains '203.0.113.99'"
    );
    assert_eq!(rig.console(&script), "True\nTrue\n");
}

/// Identities with and without prefix: `Set-CsSite` wants the bare name (dossier F.3), `Set-CsEdgeServer` takes both (F.1).
#[rstest]
#[case("Set-CsSite Site1 -FederationRoute EdgeServer:edgeserver2.contoso.com", true)]
#[case("Set-CsSite -Identity \"Site:Site1\" -FederationRoute EdgeServer:edgeserver2.contoso.com", false)]
#[case("Set-CsEdgeServer edgeserver1.contoso.com -Registrar Registrar:pool2.contoso.com", true)]
#[case("Set-CsEdgeServer -Identity EdgeServer:edgeserver1.contoso.com -Registrar Registrar:pool2.contoso.com", true)]
#[case("Set-CsEdgeServer EdgeServer:edgeserver1.contoso.com -Registrar pool2.contoso.com", false)]
fn identities_with_and_without_prefix(#[case] command: &str, #[case] strict_takes_it: bool) {
    let mut rig = Rig::contoso();
    let lax = rig.run(command);
    assert_eq!(lax.errors().count(), 0, "{}", rig.console(command));
    assert_eq!(lax.remarks.is_empty(), strict_takes_it, "{:?}", lax.remarks);
    let strict = Rig::new("contoso", "pool2-fe1.contoso.com", Binding::Strict).run(command);
    assert_eq!(strict.errors().count() == 0, strict_takes_it);
}
