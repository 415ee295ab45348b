//! `firedrill run script.ps1` and `firedrill shell`: streams, exit codes, what scripts may see of this machine, and sessions.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use rstest::rstest;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn firedrill(arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_firedrill"))
        .args(arguments)
        .current_dir(root())
        .env("NO_COLOR", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    // A program that ends before it has read everything closes its end: that is no failure of the test.
    let _ = child.stdin.take().expect("a pipe").write_all(input.as_bytes());
    child.wait_with_output().expect("the program ends")
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("UTF-8")
}

/// A folder with files, and the path of one of them.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for (name, text) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            std::fs::write(path, text).expect("a file");
        }
        Self(folder)
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }
}

/// Runs a script on the healthy fixture.
fn script(text: &str, more: &[&str], input: &str) -> Output {
    let folder = Folder::new(&[("health.ps1", text)]);
    let path = folder.path("health.ps1");
    let mut arguments = vec!["run", path.as_str(), "--topology", "fixtures/contoso.yaml"];
    arguments.extend(more);
    firedrill(&arguments, input)
}

#[rstest]
#[case::nothing_wrong("'fine'", 0)]
#[case::what_exit_says("'fine'; exit 3", 3)]
#[case::a_terminating_error("throw 'broken'", 1)]
#[case::errors_alone_do_not_count("Get-CsPool nowhere.contoso.com; 'still here'", 0)]
#[case::known_and_not_modelled("Get-CsVoicePolicy; exit 3", 5)]
#[case::does_not_parse("if ($true) {", 3)]
fn a_script_ends_like_a_shell(#[case] text: &str, #[case] code: i32) {
    let output = script(text, &[], "");
    assert_eq!(output.status.code(), Some(code), "{}\n{}", stdout(&output), stderr(&output));
}

#[test]
fn streams_go_where_a_shell_sends_them() {
    let output = script("'data'\nWrite-Warning 'careful'\nWrite-Error 'wrong'\nGet-CsVoicePolicy\n", &[], "");
    assert_eq!(stdout(&output), "data\nWARNING: careful\n");
    let errors = stderr(&output);
    assert!(errors.contains("At C:\\Scripts\\health.ps1:4 char:1"), "{errors}");
    assert!(errors.contains("inconclusive: Get-CsVoicePolicy is not modelled (C:\\Scripts\\health.ps1:4)"), "{errors}");
}

#[test]
fn arguments_reach_the_parameters_of_the_script() {
    let text = "param([string]$Pool, [int]$Days = 1, [switch]$Force)\n\"$Pool|$Days|$Force|$($args -join ',')\"";
    let output = script(text, &["--args", "-Pool", "pool1.contoso.com; exit 9", "-Days", "7", "-Force:$false"], "");
    assert_eq!((stdout(&output).as_str(), output.status.code()), ("pool1.contoso.com; exit 9|7|False|\n", Some(0)));
}

#[rstest]
#[case::from_the_command_line(&["--answer", "Ada"], "", "Hello Ada")]
#[case::from_standard_input(&[], "Grace\n", "Hello Grace")]
fn prompts_are_answered(#[case] more: &[&str], #[case] input: &str, #[case] wanted: &str) {
    let output = script("$name = Read-Host 'Who'; \"Hello $name\"", more, input);
    assert!(stdout(&output).ends_with(&format!("{wanted}\n")), "{}", stdout(&output));
}

#[test]
fn nobody_there_is_an_error_of_the_prompt() {
    let output = script("Invoke-CsPoolFailOver -PoolFqdn pool1.contoso.com; 'after'", &[], "");
    assert!(stderr(&output).contains("NonInteractive"), "{}", stderr(&output));
}

/// The script's own scripts and modules are there; other files only where the caller says so; nothing of this machine changes.
#[test]
fn a_script_sees_its_scripts_and_what_is_mounted() {
    let folder = Folder::new(&[
        (
            "tools/main.ps1",
            ". .\\lib\\names.ps1\nGet-Name\nTest-Path C:\\Scripts\\secret.csv\nTest-Path C:\\Data\\pools.csv\n(Get-Content C:\\Data\\pools.csv)[0]\nSet-Content C:\\Data\\pools.csv 'gone'\nGet-Content C:\\Data\\pools.csv",
        ),
        ("tools/lib/names.ps1", "function Get-Name { 'from the library' }"),
        ("tools/secret.csv", "a"),
        ("data/pools.csv", "pool1\npool2\n"),
    ]);
    let (main, data) = (folder.path("tools/main.ps1"), folder.path("data"));
    let mount = format!("{data}=C:\\Data");
    let output = firedrill(&["run", &main, "--topology", "fixtures/contoso.yaml", "--mount", &mount], "");
    assert_eq!(stdout(&output), "from the library\nFalse\nTrue\npool1\ngone\n", "{}", stderr(&output));
    let kept = std::fs::read_to_string(folder.path("data/pools.csv")).expect("still there");
    assert_eq!(kept, "pool1\npool2\n", "writes stay in the rehearsal");
}

#[cfg(unix)]
#[test]
fn links_lead_out_of_a_folder_and_are_left_out() {
    let folder = Folder::new(&[("tools/main.ps1", "Test-Path C:\\Scripts\\link.ps1"), ("outside.ps1", "'never'")]);
    std::os::unix::fs::symlink(folder.path("outside.ps1"), folder.path("tools/link.ps1")).expect("a link");
    let output = firedrill(&["run", &folder.path("tools/main.ps1"), "--topology", "fixtures/contoso.yaml"], "");
    assert_eq!(stdout(&output), "False\n", "{}", stderr(&output));
}

#[rstest]
#[case::no_stage(&[], 2, "say where to stand")]
#[case::both(&["--topology", "fixtures/contoso.yaml", "--scenario", "scenarios/procedures/p3-disaster.yaml"], 2, "not both")]
#[case::no_such_topology(&["--topology", "nowhere.yaml"], 3, "cannot be read")]
#[case::no_such_computer(&["--topology", "fixtures/contoso.yaml", "--on", "pool9-fe1"], 2, "no computer `pool9-fe1`")]
#[case::no_such_step(&["--scenario", "scenarios/procedures/p3-disaster.yaml", "--at", "99"], 2, "there is no step 99")]
#[case::no_such_title(&["--scenario", "scenarios/procedures/p3-disaster.yaml", "--at", "lunch"], 2, "no step of the scenario has `lunch`")]
#[case::a_mount_without_a_drive(&["--topology", "fixtures/contoso.yaml", "--mount", "fixtures=data"], 2, "not a path with a drive")]
#[case::a_mount_that_is_not_there(&["--topology", "fixtures/contoso.yaml", "--mount", "nowhere=C:\\x"], 2, "cannot be mounted")]
#[case::for_scenarios_only(&["--topology", "fixtures/contoso.yaml", "--check-determinism"], 2, "--check-determinism is for scenarios")]
fn where_a_script_stands_must_be_clear(#[case] arguments: &[&str], #[case] code: i32, #[case] wanted: &str) {
    let folder = Folder::new(&[("a.ps1", "'never'")]);
    let path = folder.path("a.ps1");
    let output = firedrill(&[&["run", path.as_str()], arguments].concat(), "");
    assert_eq!(output.status.code(), Some(code), "{}", stderr(&output));
    assert!(stderr(&output).contains(wanted), "{}", stderr(&output));
    assert_eq!(stdout(&output), "");
}

/// Before its step 3 the scenario has lost Pool1; the healthy deployment has not.
#[test]
fn a_script_can_stand_in_the_middle_of_a_scenario() {
    let folder =
        Folder::new(&[("a.ps1", "(Get-CsUserPoolInfo anna@contoso.com).PrimaryPoolFqdn\n(Get-Date).ToString('HH:mm')\n$env:COMPUTERNAME")]);
    let path = folder.path("a.ps1");
    let at = |arguments: &[&str]| stdout(&firedrill(&[&["run", path.as_str()], arguments].concat(), ""));
    let later = at(&["--scenario", "scenarios/procedures/p3-disaster.yaml"]);
    let healthy = at(&["--topology", "fixtures/contoso.yaml"]);
    assert!(healthy.ends_with("08:00\nPOOL1-FE1\n"), "{healthy}");
    assert!(later.ends_with("POOL2-FE1\n") && !later.contains("08:00"), "the CMS has moved, and time has run: {later}");
}

const SESSION: &str = "\
.fault pool: pool1.contoso.com
.wait 6m
.expect serving: { of: { user: anna@contoso.com }, mode: resiliency, by: pool2.contoso.com }
.on pool2-fe1
$name = 'Ada'
foreach ($n in 1..2) {
  \"$name $n\"
}
.snapshot lost
.heal pool: pool1.contoso.com
.wait 1h
.expect serving: { of: { user: anna@contoso.com }, mode: regular, by: pool1.contoso.com }
.restore lost
.expect serving: { of: { user: anna@contoso.com }, mode: resiliency }
.undo
.undo
.expect serving: { of: { user: anna@contoso.com }, mode: regular, by: pool1.contoso.com }
$name
";

#[test]
fn a_session_goes_on_and_back() {
    let output = firedrill(&["shell", "--topology", "fixtures/contoso.yaml"], SESSION);
    assert_eq!(
        stdout(&output),
        "holds\nAda 1\nAda 2\nholds\nback at 2026-03-02T08:06:00Z\nholds\ntook back: .restore lost\ntook back: .wait 1h\nAda\n",
        "{}",
        stderr(&output)
    );
    // The last expectation is asked before the pool is back: taking back `.wait 1h` took its hour.
    assert!(stderr(&output).contains("expected anna@contoso.com served in full by pool1.contoso.com"), "{}", stderr(&output));
    assert_eq!(output.status.code(), Some(1), "a session in a pipe ends with what went wrong");
}

#[rstest]
#[case::exit_of_powershell("exit 4\n'never'\n", 4, "")]
#[case::exit_of_the_session(".exit\n'never'\n", 0, "")]
#[case::not_modelled("Get-CsVoicePolicy\n", 5, "not modelled")]
#[case::misspelt(".fualt pool: x\n", 1, "did you mean `.fault`?")]
#[case::a_bad_fault(".fault pool: nowhere\n", 1, "nowhere")]
#[case::nothing_to_take_back(".undo\n", 1, "nothing to take back")]
#[case::dot_sourcing_is_powershell(". { 'sourced' }\n", 0, "")]
fn a_session_ends(#[case] input: &str, #[case] code: i32, #[case] wanted: &str) {
    let output = firedrill(&["shell", "--topology", "fixtures/contoso.yaml"], input);
    assert_eq!(output.status.code(), Some(code), "{}\n{}", stdout(&output), stderr(&output));
    assert!(stderr(&output).contains(wanted), "{}", stderr(&output));
    assert!(!stdout(&output).contains("never"));
}

/// What was tried out in a session is a scenario afterwards, and holds.
#[test]
fn a_session_is_saved_as_a_scenario() {
    let folder = Folder::new(&[]);
    let path = folder.path("session.yaml");
    let input = format!(
        ".fault pool: pool1.contoso.com\n.wait 6m\n.expect serving: {{ of: {{ user: anna@contoso.com }}, mode: resiliency }}\n.on pool2-fe1\nGet-Date |\n  Select-Object -First 1\n.save {path}\n"
    );
    let output = firedrill(&["shell", "--topology", "fixtures/contoso.yaml"], &input);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let run = firedrill(&["run", &path], "");
    assert_eq!(run.status.code(), Some(0), "{}\n{}", stdout(&run), stderr(&run));
    assert!(stdout(&run).contains("1 check"), "{}", stdout(&run));
    let again = firedrill(&["shell", "--topology", "fixtures/contoso.yaml"], &format!(".save {path}\n"));
    assert!(stderr(&again).contains("cannot be written"), "nothing is overwritten: {}", stderr(&again));
}

/// Bytes of a script reach no terminal as commands to it.
#[test]
fn control_characters_are_shown_as_pictures() {
    let output = script("\"a$([char]27)[2Jb$([char]7)\"", &[], "");
    assert_eq!(stdout(&output), "a\u{241b}[2Jb\u{2407}\n");
}
