//! The door: commands of the world, confirmation, files, limits, rendering.

mod support;

use firedrill_powershell::session::{ConfirmPolicy, Limits, Options, RunOutput, Session, render};
use firedrill_powershell::{LimitError, Value};
use rstest::rstest;
use support::TestWorld;

fn run_in(world: &mut TestWorld, script: &str) -> RunOutput {
    Session::new(Limits::default(), Options::default()).run(world, "", script)
}

fn console(script: &str) -> String {
    render(&run_in(&mut TestWorld::default(), script), 120)
}

#[rstest]
#[case("Get-CsThing alpha | ForEach-Object Size", "1\n")]
#[case("(Get-CsThing).Identity -join ','", "alpha,beta,gamma\n")]
#[case("'beta','gamma' | Get-CsThing | ForEach-Object { $_.Size }", "2\n3\n")]
#[case("Get-CsThing | Where-Object Size -gt 1 | Select-Object -First 1 -ExpandProperty Identity", "beta\n")]
#[case("Remove-CsThing x", "removed x\n")]
#[case("Remove-CsThing x -WhatIf", "What if: Performing the operation \"Remove-CsThing\" on target \"x\".\n")]
#[case("$WhatIfPreference = $true; Remove-CsThing x", "What if: Performing the operation \"Remove-CsThing\" on target \"x\".\n")]
#[case("$WhatIfPreference = $true; Remove-CsThing x -WhatIf:$false", "removed x\n")]
#[case("Remove-CsThing x -Verbose", "VERBOSE: Performing the operation \"Remove-CsThing\" on target \"x\".\nremoved x\n")]
#[case("Get-CsThing beta -Verbose | Out-Null", "VERBOSE: Reading beta.\n")]
// A command hears that the next stage wants no more.
#[case("Get-CsThing -Verbose | Select-Object -First 1 -ExpandProperty Identity", "VERBOSE: Reading alpha.\nalpha\n")]
#[case("(Get-CsThing -Verbose | Select-Object -Skip 1 -First 1).Identity", "VERBOSE: Reading alpha.\nVERBOSE: Reading beta.\nbeta\n")]
#[case("'beta','gamma','alpha' | Get-CsThing | Select-Object -First 2 | ForEach-Object Identity", "beta\ngamma\n")]
#[case("(Get-CsThing | Select-Object -First 1 -Last 1).Identity -join ','", "alpha,gamma\n")]
#[case("Get-CsThing -OutVariable all | Select-Object -First 1 | Out-Null; $all.Count", "1\n")]
#[case("Test-CsThing x 2>$null 3>$null; $?", "False\n")]
#[case("Test-CsThing x -ErrorAction SilentlyContinue -WarningAction SilentlyContinue; \"$($Error[0])\"", "The thing \"x\" is broken.\n")]
#[case("try { Test-CsThing fatal } catch { $_.FullyQualifiedErrorId }", "BrokenThing,Test.TestCsThingCommand\n")]
#[case("try { Test-CsThing x -EA Stop } catch { \"c $_\" }", "c The thing \"x\" is broken.\n")]
#[case("try { Test-CsThing x -EA Stop } catch [System.InvalidOperationException] { 'typed' }", "typed\n")]
#[case("Test-CsThing x 2>&1 3>$null | ForEach-Object { $_.CategoryInfo.TargetName }", "x\n")]
#[case("Test-CsThing x -EV e -EA SilentlyContinue -WA Ignore; $e.Count", "1\n")]
fn commands_of_the_world(#[case] script: &str, #[case] expected: &str) {
    assert_eq!(console(script), expected);
}

/// The view of Windows PowerShell 5.1, byte for byte.
#[test]
fn errors_look_as_in_windows_powershell() {
    let expected = "\
Test-CsThing : The thing \"x\" is broken.
At line:1 char:6
+ $a = Test-CsThing x
+      ~~~~~~~~~~~~~~
    + CategoryInfo          : InvalidOperation: (x:String) [Test-CsThing], InvalidOperationException
    + FullyQualifiedErrorId : BrokenThing,Test.TestCsThingCommand

WARNING: things break
";
    assert_eq!(console("$a = Test-CsThing x"), expected);
    let expected = "\
f : boom
At line:1 char:34
+ function f { Write-Error boom }; f
+                                  ~
    + CategoryInfo          : NotSpecified: (:) [Write-Error], WriteErrorException
    + FullyQualifiedErrorId : Microsoft.PowerShell.Commands.WriteErrorException,f

";
    assert_eq!(console("function f { Write-Error boom }; f"), expected);
    let expected = "\
Write-Error 'top' : top
    + CategoryInfo          : NotSpecified: (:) [Write-Error], WriteErrorException
    + FullyQualifiedErrorId : Microsoft.PowerShell.Commands.WriteErrorException

";
    assert_eq!(console("Write-Error 'top'"), expected);
}

#[test]
fn unknown_commands_suggest_the_nearest() {
    let output = run_in(&mut TestWorld::default(), "Get-CsThingg alpha");
    assert_eq!(output.remarks.len(), 1);
    assert!(output.remarks[0].0.contains("'Get-CsThing'"), "{:?}", output.remarks);
    assert!(!output.failed, "an unknown command only ends its statement");
    assert_eq!(output.errors().next().map(|e| e.id.to_string()).as_deref(), Some("CommandNotFoundException"));
}

#[test]
fn known_commands_without_a_model_say_so() {
    let output = run_in(&mut TestWorld::default(), "Get-CsUnmodelled -Anything 1; 'after'");
    assert_eq!(output.unmodelled.iter().map(|(what, _)| &**what).collect::<Vec<_>>(), ["Get-CsUnmodelled"]);
    assert_eq!(output.errors().count(), 1);
    assert_eq!(output.objects().count(), 1);
}

#[rstest]
#[case::yes(&["y"], "removed a\n", 1)]
#[case::no(&["n"], "", 1)]
#[case::default_is_yes(&[""], "removed a\n", 1)]
fn confirm_asks_the_host(#[case] answers: &[&str], #[case] expected: &str, #[case] asked: usize) {
    let mut world = TestWorld { answers: answers.iter().map(|a| (*a).into()).collect(), ..TestWorld::default() };
    let output = run_in(&mut world, "Remove-CsThing a -Confirm");
    assert_eq!(render(&output, 120), expected);
    assert_eq!(world.prompts.len(), asked);
}

#[rstest]
#[case::all(&["a"], "removed a\nremoved b\nremoved c\n", 1)]
#[case::none(&["l"], "", 1)]
#[case::each(&["y", "n", "y"], "removed a\nremoved c\n", 3)]
fn answers_to_all_hold_for_the_invocation(#[case] answers: &[&str], #[case] expected: &str, #[case] asked: usize) {
    let mut world = TestWorld { answers: answers.iter().map(|a| (*a).into()).collect(), ..TestWorld::default() };
    let output = run_in(&mut world, "'a','b','c' | Remove-CsThing -Confirm");
    assert_eq!(render(&output, 120), expected);
    assert_eq!(world.prompts.len(), asked);
}

#[test]
fn nobody_to_ask_is_an_error() {
    let output = run_in(&mut TestWorld::default(), "Remove-CsThing a -Confirm; 'after'");
    assert_eq!(output.objects().count(), 1);
    assert!(output.errors().next().is_some_and(|e| e.message.contains("NonInteractive")));
}

#[test]
fn policy_answers_instead_of_the_host() {
    let mut world = TestWorld::default();
    let mut session = Session::new(Limits::default(), Options { confirm: ConfirmPolicy::Yes, ..Options::default() });
    let output = session.run(&mut world, "", "Remove-CsThing a -Confirm");
    assert_eq!(render(&output, 120), "removed a\n");
    assert!(world.prompts.is_empty());
}

#[test]
fn confirm_preference_counts() {
    let mut world = TestWorld { answers: vec!["n".into()], ..TestWorld::default() };
    let output = run_in(&mut world, "$ConfirmPreference = 'Low'; Remove-CsThing a; Remove-CsThing b -Confirm:$false");
    assert_eq!(render(&output, 120), "removed b\n");
}

#[test]
fn redirections_write_files() {
    let mut world = TestWorld::default();
    run_in(&mut world, "'one' > C:\\a.txt; 'two' >> C:\\a.txt; Test-CsThing x 2> C:\\e.txt 3>$null");
    let bytes = world.files.get("c:\\a.txt").cloned().unwrap_or_default();
    let units: Vec<u16> = bytes[2..].chunks(2).map(|p| u16::from_le_bytes([p[0], p[1]])).collect();
    assert_eq!(String::from_utf16_lossy(&units), "one\r\ntwo\r\n");
    assert!(world.files.contains_key("c:\\e.txt"));
}

#[test]
fn sessions_remember() {
    let mut world = TestWorld::default();
    let mut session = Session::new(Limits::default(), Options::default());
    session.run(&mut world, "", "$x = 1; function f { $x + 1 }");
    let output = session.run(&mut world, "", "f; exit 3; 'never'");
    assert!(matches!(output.objects().next(), Some(Value::Int(2))));
    assert_eq!((output.objects().count(), output.exit_code, output.failed), (1, 3, true));
}

#[test]
fn records_know_their_statement() {
    let script = "'a'\nWrite-Error 'b'\nforeach ($i in 1) { 'c' }";
    let output = run_in(&mut TestWorld::default(), script);
    let places: Vec<&str> = output.streams.iter().map(|r| r.span.of(script)).collect();
    assert_eq!(places, ["'a'", "Write-Error 'b'", "foreach ($i in 1) { 'c' }"]);
}

#[test]
fn scripts_of_the_file_system_run() {
    let mut world = TestWorld::default();
    world.files.insert("c:\\lib\\b.ps1".into(), b"param($n) function helper { 'helped' } \"n=$n\"; exit 4".to_vec());
    let mut session = Session::new(Limits::default(), Options::default());
    let output = session.run(&mut world, "C:\\lib\\a.ps1", ". .\\b.ps1 5; 'dead'");
    assert_eq!(render(&output, 120), "n=5\n");
    let output = session.run(&mut world, "C:\\lib\\a.ps1", "& C:\\lib\\b.ps1 6; $LASTEXITCODE; helper");
    assert_eq!(render(&output, 120).lines().take(2).collect::<Vec<_>>(), ["n=6", "4"]);
}

#[rstest]
#[case::loops("while ($true) { }", LimitError::Steps(20_000))]
#[case::recursion("function f { f }; f", LimitError::CallDepth(1000))]
#[case::blocks("$b = { & $b }; & $b", LimitError::CallDepth(1000))]
#[case::backtracking("('a' * 40) -match '^(?=(a|aa)+$)(a|aa)+\\1b'", LimitError::Regex(1_000_000))]
#[case::growing_text("$s = 'xxxxxxxx'; while ($true) { $s += $s }", LimitError::StringSize(100_000))]
#[case::repeated_text("'x' * 10000000", LimitError::StringSize(100_000))]
#[case::growing_array("$a = 1,2; while ($true) { $a += $a }", LimitError::CollectionSize(10_000))]
#[case::long_range("1..1000000 | Out-Null", LimitError::CollectionSize(10_000))]
#[case::output("while ($true) { 1 }", LimitError::Records(5_000))]
#[case::caught("while ($true) { try { throw 'x' } catch { } }", LimitError::Steps(20_000))]
fn limits_have_names(#[case] script: &str, #[case] expected: LimitError) {
    let limits = Limits { steps: 20_000, string_size: 100_000, collection_size: 10_000, records: 5_000, ..Limits::default() };
    let output = Session::new(limits, Options::default()).run(&mut TestWorld::default(), "", script);
    assert_eq!(output.limit, Some(expected));
    assert!(output.failed);
}

#[test]
fn nested_values_do_not_overflow_the_stack() {
    let output = run_in(&mut TestWorld::default(), "$a = 1; foreach ($i in 1..20000) { $a = ,$a }; 'done'");
    assert!(output.objects().any(|v| matches!(v, Value::Str(t) if &**t == "done")));
}

/// The question names operation and target, and is put while the command runs: what it does depends on the answer.
#[rstest]
#[case(&["y"], "removed a\n", 1)]
#[case(&[""], "removed a\n", 1)]
#[case(&["n"], "", 1)]
#[case(&["perhaps", "?", "y"], "removed a\n", 3)]
fn confirmation_names_operation_and_target(#[case] answers: &[&str], #[case] expected: &str, #[case] asked: usize) {
    let mut world = TestWorld { answers: answers.iter().map(|a| (*a).to_string()).collect(), ..TestWorld::default() };
    let output = run_in(&mut world, "Remove-CsThing a -Confirm -Verbose");
    assert_eq!(render(&output, 120), expected);
    // The layout of PowerShell's console (`PromptForChoice` of its host): an empty line, caption, question, operation and target, choices.
    let question = "\nConfirm\nAre you sure you want to perform this action?\n\
                    Performing the operation \"Remove-CsThing\" on target \"a\".\n\
                    [Y] Yes  [A] Yes to All  [N] No  [L] No to All  [S] Suspend  [?] Help (default is \"Y\"):";
    assert_eq!(world.prompts, vec![question; asked]);
}

/// A command that does not call `ShouldProcess` asks nothing, whatever `$ConfirmPreference` says.
#[test]
fn commands_that_change_nothing_never_ask() {
    let mut world = TestWorld::default();
    let output = run_in(&mut world, "$ConfirmPreference = 'Low'; Get-CsThing alpha | ForEach-Object Size");
    assert_eq!(render(&output, 120), "1\n");
    assert!(world.prompts.is_empty());
}

/// What is underlined, as PowerShell 7.6 printed it for the same lines.
#[rstest]
#[case("Start-Sleep -Seconds abc", 22, 3)]
#[case("Get-Date 1 b c d", 1, 16)]
#[case("Start-Sleep -Seconds 1 -Milliseconds 2", 1, 38)]
#[case("Start-Sleep -Seconds 1 -Seconds 2", 24, 8)]
#[case("Start-Sleep -Foo 2", 13, 4)]
#[case("Start-Sleep -Seconds", 13, 8)]
#[case("Start-Sleep -Seconds:abc", 22, 3)]
#[case("Start-Sleep -Seconds: abc", 23, 3)]
#[case("Get-Date -Foo:1", 10, 6)]
#[case("function f([int]$n) { $n }; f -n:abc", 34, 3)]
fn binding_errors_underline_what_is_wrong(#[case] script: &str, #[case] column: usize, #[case] length: usize) {
    let console = console(script);
    let expected = format!("\nAt line:1 char:{column}\n+ {script}\n+ {}{}\n    + ", " ".repeat(column - 1), "~".repeat(length));
    assert!(console.contains(&expected), "{console}");
}

/// What our regular expressions cannot express is recorded even where a script swallows the error.
#[rstest]
#[case("try { 'abc' -match '(?<a-b>x)' } catch { }")]
#[case("try { 'abc' -replace '(?<2>a)b', 'x' } catch { }")]
#[case("$ErrorActionPreference = 'SilentlyContinue'; 'aa' -match '\\p{IsGreek}'")]
#[case("try { [regex]::IsMatch('abc', 'b', 'RightToLeft') } catch { }")]
#[case("try { [regex]'(?(?=a)b|c)' } catch { }")]
#[case("try { 'x' | Where-Object Length -match '\\b*1' } catch { }")]
fn regular_expressions_beyond_the_engine_are_not_modelled(#[case] script: &str) {
    let output = run_in(&mut TestWorld::default(), script);
    let named: Vec<_> = output.unmodelled.iter().map(|(what, _)| what.to_string()).collect();
    assert!(matches!(named.as_slice(), [one] if one.starts_with("regular expression ")), "{named:?}");
}
