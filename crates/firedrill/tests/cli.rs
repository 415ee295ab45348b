//! The program as people and CI call it: exit codes, output for people, JSON Lines, JUnit, selection.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use rstest::rstest;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn firedrill(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_firedrill"))
        .args(arguments)
        .current_dir(root())
        .env("NO_COLOR", "1")
        .output()
        .expect("the program starts")
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("UTF-8")
}

/// A scenario file in a folder of its own, beside nothing else.
struct Written {
    folder: tempfile::TempDir,
}

impl Written {
    fn new(body: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let topology = root().join("fixtures/contoso.yaml").canonicalize().expect("a fixture");
        let text = format!("name: The CMS is forgotten\ntopology: {}\n{body}", topology.display());
        std::fs::write(folder.path().join("written.yaml"), text).expect("a temporary file");
        Self { folder }
    }

    fn path(&self) -> String {
        self.folder.path().join("written.yaml").display().to_string()
    }
}

const PASSING: &str = "scenarios/procedures/p8-media-association.yaml";
const FAILING: &str = "steps:
  - title: Datacenter1 loses Pool1
    fault: { pool: pool1.contoso.com }
  - title: the pool fails over, before the CMS
    run: Invoke-CsPoolFailOver -PoolFqdn pool1.contoso.com -DisasterMode
    on: pool2-fe1.contoso.com
    on_error: continue
    expect:
      - serving: { of: { pool: pool1.contoso.com }, mode: regular, by: pool2.contoso.com }
";
const UNMODELLED: &str = "steps:\n  - run: Get-CsVoicePolicy\n    on: pool1-fe1.contoso.com\n";

#[rstest]
#[case::pass(&["run", PASSING], 0)]
#[case::usage(&["run"], 2)]
#[case::unknown_flag(&["run", PASSING, "--frobnicate"], 2)]
#[case::no_such_file(&["run", "scenarios/nothing-here.yaml"], 4)]
#[case::no_such_name(&["run", "scenarios", "--name", "nothing *"], 4)]
#[case::no_such_line(&["run", "scenarios/procedures/p8-media-association.yaml:9999"], 4)]
#[case::a_topology_is_no_scenario(&["run", "fixtures/contoso.yaml"], 3)]
#[case::weaker_than_asked_for(&["run", PASSING, "--min-evidence", "documented"], 5)]
#[case::determinism(&["run", PASSING, "--check-determinism"], 0)]
#[case::check(&["check", "scenarios", "fixtures"], 0)]
fn exit_codes_say_how_it_ended(#[case] arguments: &[&str], #[case] code: i32) {
    let output = firedrill(arguments);
    assert_eq!(output.status.code(), Some(code), "{}\n{}", stdout(&output), stderr(&output));
}

#[test]
fn a_failing_scenario_exits_with_1_and_the_page_that_readme_shows() {
    let written = Written::new(FAILING);
    let output = firedrill(&["run", &written.path()]);
    assert_eq!(output.status.code(), Some(1));
    let page = stdout(&output).replace(&written.path(), "forgotten.yaml");
    let page = page.split("\nFAIL").nth(1).map(|rest| format!("FAIL{rest}")).unwrap_or_default();
    let page = page.split("\n\n").next().unwrap_or_default();
    let readme = std::fs::read_to_string(root().join("README.md")).expect("README.md");
    assert!(readme.contains(page), "README shows another page than this:\n{page}");
}

#[test]
fn an_unmodelled_command_exits_with_5_and_is_named_with_its_place() {
    let written = Written::new(UNMODELLED);
    let output = firedrill(&["run", &written.path()]);
    assert_eq!(output.status.code(), Some(5), "{}", stdout(&output));
    let page = stdout(&output);
    assert!(page.contains("Get-CsVoicePolicy") && page.contains("written.yaml:4"), "{page}");
}

#[test]
fn a_bad_scenario_exits_with_3_and_runs_nothing() {
    let written = Written::new("steps:\n  - wiat: 10m\n");
    let output = firedrill(&["run", PASSING, &written.path()]);
    assert_eq!(output.status.code(), Some(3));
    assert_eq!(stdout(&output), "", "nothing is run when anything is invalid");
    let talk = stderr(&output);
    assert!(talk.contains("wiat") && talk.contains("hint") && talk.contains(":4:5"), "{talk}");
}

#[test]
fn json_lines_are_records_and_differ_in_nothing_between_runs() {
    let (first, second) = (firedrill(&["run", PASSING, "--format", "json"]), firedrill(&["run", PASSING, "--format", "json"]));
    assert_eq!(stdout(&first), stdout(&second));
    let kinds: Vec<String> = stdout(&first)
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON")["record"].as_str().expect("a kind").to_owned())
        .collect();
    assert_eq!(kinds.first().map(String::as_str), Some("run_started"));
    assert_eq!(kinds.last().map(String::as_str), Some("run_ended"));
    let documented = std::fs::read_to_string(root().join("docs/records.md")).expect("the page");
    for kind in kinds {
        assert!(documented.contains(&format!("| `{kind}` |")), "docs/records.md does not know `{kind}`");
    }
}

#[test]
fn junit_has_a_suite_for_each_scenario_and_a_case_for_each_expectation() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("junit.xml");
    let output = firedrill(&["run", PASSING, "--report", &format!("junit={}", file.display())]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let xml = std::fs::read_to_string(file).expect("a report");
    let expectations = std::fs::read_to_string(root().join(PASSING)).expect("a scenario").matches("- media:").count();
    assert_eq!(xml.matches("<testsuite ").count(), 1, "{xml}");
    assert_eq!(xml.matches("<testcase ").count(), expectations, "{xml}");
}

/// What CI shows of a failure is what the page shows, and every case has the attributes that readers of JUnit require.
#[rstest]
#[case::failure(FAILING, 1, &["<failure message=", "type=\"expectation\"", "rerun: firedrill run ", "failures=\"1\""])]
#[case::step("steps:\n  - run: throw 'a < b'\n    on: pool1-fe1\n", 1, &["type=\"step\"", "a &lt; b", "classname=\"step 1: "])]
#[case::inconclusive(UNMODELLED, 5, &["<skipped message=", "Get-CsVoicePolicy", "skipped=\"1\""])]
fn junit_says_what_the_page_says(#[case] body: &str, #[case] code: i32, #[case] parts: &[&str]) {
    let written = Written::new(body);
    let file = written.folder.path().join("junit.xml");
    let output = firedrill(&["run", &written.path(), "--report", &format!("junit={}", file.display())]);
    assert_eq!(output.status.code(), Some(code), "{}", stderr(&output));
    let xml = std::fs::read_to_string(file).expect("a report");
    for part in parts {
        assert!(xml.contains(part), "no {part} in:\n{xml}");
    }
    for case in xml.split("<testcase ").skip(1) {
        let attributes = case.split('>').next().unwrap_or_default();
        assert!(attributes.contains("name=\"") && attributes.contains("classname=\""), "{attributes}");
    }
}

#[rstest]
#[case::path_and_line("scenarios/procedures/p8-media-association.yaml:12", &[], 1)]
#[case::tag("scenarios", &["--tag", "P8"], 1)]
#[case::name("scenarios", &["--name", "p8,*"], 1)]
#[case::folder("scenarios/scale", &[], 1)]
fn selections(#[case] path: &str, #[case] filters: &[&str], #[case] count: usize) {
    let output = firedrill(&[&["list", path], filters].concat());
    assert_eq!(stdout(&output).lines().count(), count, "{}", stdout(&output));
}

#[rstest]
#[case("scenario")]
#[case("topology")]
fn schemas_are_those_of_the_repository(#[case] kind: &str) {
    let committed = std::fs::read_to_string(root().join(format!("schemas/{kind}.schema.json"))).expect("a schema");
    assert_eq!(stdout(&firedrill(&["schema", kind])), committed);
}

#[rstest]
#[case(&["completions", "bash"], "_firedrill")]
#[case(&["man"], ".TH firedrill")]
#[case(&["evidence", "NextHopRefusal"], "dossier C.3")]
fn other_pages(#[case] arguments: &[&str], #[case] part: &str) {
    let output = firedrill(arguments);
    assert_eq!(output.status.code(), Some(0));
    assert!(stdout(&output).contains(part), "{}", stdout(&output));
}

#[test]
fn a_dns_edit_that_is_refused_in_the_middle_of_a_step_fails_the_step() {
    let written = Written::new(
        "steps:
  - wait: 10m
    during:
      - { after: 3m, dns: [{ remove: { name: nobody.contoso.com, type: A } }] }
",
    );
    let output = firedrill(&["run", &written.path()]);
    assert_eq!(output.status.code(), Some(1), "{}", stdout(&output));
    assert!(stdout(&output).contains("nobody.contoso.com"), "{}", stdout(&output));
}

#[test]
fn a_failure_that_repeats_itself_is_still_a_failure() {
    let written = Written::new(FAILING);
    let output = firedrill(&["run", &written.path(), "--check-determinism"]);
    assert_eq!(output.status.code(), Some(1), "{}", stdout(&output));
}

#[test]
fn a_report_that_cannot_be_written_is_said_before_anything_is_run() {
    let output = firedrill(&["run", PASSING, "--report", "junit=no/such/folder/report.xml"]);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert_eq!(stdout(&output), "");
}

#[test]
fn a_closed_pipe_is_no_failure() {
    let text = format!("{} list scenarios | head -n 1; exit ${{PIPESTATUS[0]}}", env!("CARGO_BIN_EXE_firedrill"));
    let output = Command::new("bash").args(["-c", &text]).current_dir(root()).output().expect("bash");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
}
