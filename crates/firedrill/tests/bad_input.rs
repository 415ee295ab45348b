//! Hostile and unlucky input, as the program meets it: exit 3 with place and hint, nothing run, no panic, no hang.
//!
//! What is wrong *inside* a document has its golden diagnostics in `crates/scenario/tests/bad` and `crates/topology`; here
//! are the files and paths themselves.

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use rstest::rstest;

/// Far more than the slowest case takes in a debug build on a busy machine; a hang takes longer.
const PATIENCE: Duration = Duration::from_secs(60);

fn fixture() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/contoso.yaml");
    path.canonicalize().expect("a fixture").display().to_string()
}

/// Runs the program in a folder, and ends it when it hangs.
fn firedrill(folder: &Path, arguments: &[&str]) -> Output {
    let child = Command::new(env!("CARGO_BIN_EXE_firedrill"))
        .args(arguments)
        .current_dir(folder)
        .env("NO_COLOR", "1")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let id = child.id().to_string();
    let (sender, receiver) = mpsc::channel();
    let waiting = std::thread::spawn(move || sender.send(child.wait_with_output()));
    match receiver.recv_timeout(PATIENCE) {
        Ok(output) => {
            waiting.join().expect("a thread").expect("somebody listens");
            output.expect("output")
        }
        Err(_) => {
            let _ended = Command::new("kill").args(["-KILL", &id]).status();
            panic!("`firedrill {}` hangs", arguments.join(" "));
        }
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

fn scenario(body: &str) -> Vec<u8> {
    format!("name: bad\ntopology: {}\n{body}", fixture()).into_bytes()
}

fn on_topology(path: &str) -> Vec<u8> {
    format!("name: bad\ntopology: {path}\nsteps:\n  - wait: 10m\n").into_bytes()
}

/// A mapping in a mapping, and so on.
fn nested(levels: usize) -> Vec<u8> {
    (0..levels).flat_map(|level| format!("{}a:\n", " ".repeat(level)).into_bytes()).collect()
}

fn steps(count: usize) -> Vec<u8> {
    scenario(&format!("steps:\n{}", "  - wait: 1s\n".repeat(count)))
}

#[rstest]
#[case::empty(b"".to_vec(), "empty-document", ":1:1")]
#[case::only_a_comment(b"# nothing yet\n".to_vec(), "empty-document", "bad.yaml:")]
#[case::nothing_but_nul(vec![0; 3], "yaml-syntax", ":1:1")]
#[case::binary(b"\x7fELF\x02\x01\x01\x00\xcd\xff\xfe".to_vec(), "invalid-utf8", "bad.yaml:1:")]
#[case::latin_1(b"name: caf\xe9\n".to_vec(), "invalid-utf8", ":1:10")]
#[case::utf_16(b"\xff\xfen\0a\0m\0e\0".to_vec(), "UTF-16", ":1:1")]
#[case::tabs(b"name: bad\nsteps:\n\t- wait: 10m\n".to_vec(), "hint: indent with spaces", ":3:1")]
#[case::tabs_after_crlf(b"name: bad\r\nsteps:\r\n\t- wait: 10m\r\n".to_vec(), "hint: indent with spaces", ":3:1")]
#[case::a_list(b"- a\n- b\n".to_vec(), "wrong-type", ":1:1")]
#[case::prose(b"just some words\n".to_vec(), "wrong-type", ":1:1")]
#[case::two_documents(b"---\nname: x\n---\nname: y\n".to_vec(), "several-documents", ":4:1")]
#[case::billion_laughs(b"a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n".to_vec(), "anchor", ":1:7")]
#[case::merge_keys(b"name: x\n<<: { a: 1 }\n".to_vec(), "hint", "bad.yaml:2:")]
#[case::brackets_without_end(vec![b'['; 100_000], "nesting-too-deep", ":1:")]
#[case::mappings_without_end(nested(3_000), "nesting-too-deep", ":33:33")]
#[case::a_line_of_5_mb(format!("name: {}\n", "x".repeat(5_000_000)).into_bytes(), "missing-key", "bad.yaml:1:")]
#[case::too_many_steps(steps(10_001), "too-many-steps", ":10004:")]
#[case::unknown_key_after_bom([b"\xef\xbb\xbf".to_vec(), scenario("stepz: []\n")].concat(), "stepz", ":3:1")]
#[case::unknown_key_after_crlf(text(&scenario("stepz: []\n")).replace('\n', "\r\n").into_bytes(), "stepz", ":3:1")]
#[case::includes_itself(scenario("steps:\n  - include: bad.yaml\n"), "include-cycle", ":4:14")]
#[case::includes_itself_by_a_detour(scenario("steps:\n  - include: ./x/../bad.yaml\n"), "include-cycle", ":4:14")]
#[case::includes_a_folder(scenario("steps:\n  - include: .\n"), "unreadable-file", ":4:14")]
#[case::includes_nothing_there(scenario("steps:\n  - include: not-here.yaml\n"), "unreadable-file", ":4:14")]
#[case::topology_is_nowhere(on_topology("/nowhere/at/all.yaml"), "hint: a path that starts at the root", ":2:11")]
#[case::topology_on_a_drive(on_topology("C:\\fabric\\contoso.yaml"), "there is no such file", ":2:11")]
#[case::topology_is_a_folder(on_topology("."), "it is a folder", ":2:11")]
#[case::topology_is_this_file(on_topology("bad.yaml"), "unknown key `topology`", "bad.yaml:2:1")]
#[case::topology_has_no_name(on_topology("''"), "hint", ":2:11")]
#[case::path_with_a_nul(b"name: bad\ntopology: \"a\\0b\"\nsteps: []\n".to_vec(), "hint", "bad.yaml:2:11")]
#[case::a_topology(std::fs::read(fixture()).expect("a fixture"), "is a topology, not a scenario", ":1:1")]
fn bad_files_exit_with_3_and_say_where(#[case] bytes: Vec<u8>, #[case] said: &str, #[case] place: &str) {
    let folder = folder();
    std::fs::write(folder.path().join("bad.yaml"), bytes).expect("a temporary file");
    for arguments in [["run", "bad.yaml"], ["list", "bad.yaml"]] {
        let output = firedrill(folder.path(), &arguments);
        let talk = text(&output.stderr);
        assert_eq!(output.status.code(), Some(3), "{talk}");
        assert_eq!(text(&output.stdout), "", "nothing half-done");
        assert!(talk.contains(said) && talk.contains(place) && talk.contains("error["), "{talk}");
    }
}

#[rstest]
#[case::scenario("run", "big.yaml")]
#[case::topology("run", "on-big.yaml")]
#[case::check("check", "big.yaml")]
fn a_file_of_100_mb_is_not_read(#[case] command: &str, #[case] file: &str) {
    let folder = folder();
    // Sparse: it takes no room on the disk.
    std::fs::File::create(folder.path().join("big.yaml")).and_then(|file| file.set_len(100 << 20)).expect("a sparse file");
    std::fs::write(folder.path().join("on-big.yaml"), on_topology("big.yaml")).expect("a temporary file");
    let output = firedrill(folder.path(), &[command, file]);
    let talk = text(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{talk}");
    assert!(talk.contains("document-too-large") && talk.contains("hint: at most"), "{talk}");
}

#[test]
fn limits_let_honest_files_through() {
    let folder = folder();
    std::fs::write(folder.path().join("long.yaml"), steps(10_000)).expect("a temporary file");
    let output = firedrill(folder.path(), &["run", "long.yaml"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
}

#[rstest]
#[case::crlf(|text: String| text.replace('\n', "\r\n"))]
#[case::bom(|text: String| format!("\u{feff}{text}"))]
#[case::no_line_end(|text: String| text.trim_end().to_owned())]
fn files_of_other_editors_are_read(#[case] edit: fn(String) -> String) {
    let folder = folder();
    let body = "steps:\n  - run: |\n      1, 2 |\n        Measure-Object | ForEach-Object { $_.Count }\n    on: pool1-fe1\n    expect:\n      \
                - output: { is: \"2\" }\n";
    std::fs::write(folder.path().join("s.yaml"), edit(text(&scenario(body)))).expect("a temporary file");
    let output = firedrill(folder.path(), &["run", "s.yaml"]);
    assert_eq!(output.status.code(), Some(0), "{}{}", text(&output.stdout), text(&output.stderr));
}

/// A folder of scenarios may have a folder, a dead link or a pipe with the name of a scenario in it.
#[cfg(unix)]
#[test]
fn folders_with_odd_things_in_them() {
    let folder = folder();
    std::fs::create_dir(folder.path().join("folder.yaml")).expect("a folder");
    std::os::unix::fs::symlink(".", folder.path().join("circle")).expect("a link");
    let made = Command::new("mkfifo").arg(folder.path().join("pipe.yaml")).status().expect("mkfifo");
    assert!(made.success());
    let output = firedrill(folder.path(), &["run", "."]);
    assert_eq!(output.status.code(), Some(4), "{}", text(&output.stderr));
    std::os::unix::fs::symlink("nowhere", folder.path().join("dead.yaml")).expect("a link");
    let output = firedrill(folder.path(), &["run", "."]);
    assert_eq!(output.status.code(), Some(3), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("dead.yaml"), "{}", text(&output.stderr));
}

const FAILING: &str = "steps:\n  - wait: 1m\n    expect:\n      - pool_state: { pool1.contoso.com: FailedOver }\n";

fn rerun_of(page: &str) -> String {
    let line = page.lines().find_map(|line| line.trim_start().strip_prefix("rerun"));
    line.unwrap_or_else(|| panic!("a rerun command in:\n{page}")).trim().to_owned()
}

/// The command of a failure page, given to a shell as it stands, gives the same page.
#[cfg(unix)]
#[rstest]
#[case::plain("drill.yaml", "drill.yaml", &[])]
#[case::flags("drill.yaml", "drill.yaml", &["--seed", "7", "--strict-binding", "--no-wire", "--keep-going", "--min-evidence", "field"])]
#[case::through_a_folder("a/b/drill.yaml", "a", &["--seed", "18446744073709551615"])]
#[case::spaces_and_colons("my drills: 1/it's a drill.yaml", "my drills: 1", &[])]
#[case::a_colon_and_a_number("drill.yaml:12", "drill.yaml:12", &[])]
#[case::not_ascii("Übung/α.yaml", "Übung", &[])]
#[case::shell_words("$HOME `x` \"y\" \\z.yaml", ".", &[])]
#[case::hyphen("-v.yaml", "./-v.yaml", &[])]
fn the_rerun_command_reruns(#[case] file: &str, #[case] selected: &str, #[case] flags: &[&str]) {
    let temporary = folder();
    let folder = temporary.path();
    let path = folder.join(file);
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("folders");
    std::fs::write(&path, scenario(FAILING)).expect("a temporary file");
    let first = firedrill(folder, &[&["run", selected], flags].concat());
    assert_eq!(first.status.code(), Some(1), "{}", text(&first.stderr));
    let page = text(&first.stdout);
    let command = rerun_of(&page).replacen("firedrill", env!("CARGO_BIN_EXE_firedrill"), 1);
    let again = Command::new("sh").args(["-c", &command]).current_dir(folder).env("NO_COLOR", "1").output().expect("a shell");
    assert_eq!(again.status.code(), Some(1), "{command}\n{}", text(&again.stderr));
    let of = |page: &str| page.split("\nFAIL").nth(1).map(|page| page.split("\n\n").next().unwrap_or_default().to_owned());
    assert_eq!(of(&text(&again.stdout)), of(&page), "{command}");
}

/// An inconclusive run is rerun with what made it inconclusive.
#[test]
fn the_rerun_command_of_doubt_keeps_its_flags() {
    let folder = folder();
    std::fs::write(
        folder.path().join("s.yaml"),
        scenario("steps:\n  - topology_builder: { next_hop: { edgeserver1.contoso.com: pool2.contoso.com } }\n"),
    )
    .expect("a temporary file");
    let output = firedrill(folder.path(), &["run", "s.yaml", "--min-evidence", "documented", "--no-wire"]);
    assert_eq!(output.status.code(), Some(5), "{}", text(&output.stdout));
    assert_eq!(rerun_of(&text(&output.stdout)), "firedrill run s.yaml --seed 0 --min-evidence documented --no-wire");
}

#[rstest]
#[case::glob(&["run", ".", "--name", "["], 2, "is not a glob")]
#[case::report_without_a_file(&["run", ".", "--report", "junit="], 2, "the file is missing")]
#[case::report_of_no_kind(&["run", ".", "--report", "html=x"], 2, "known kinds: junit")]
#[case::line_zero(&["run", "s.yaml:0"], 4, "there is no line 0")]
#[case::line_beyond(&["run", "s.yaml:99"], 4, "there is no line 99")]
#[case::line_beyond_all(&["run", "s.yaml:99999999999999999999999"], 4, "there is no file")]
#[case::no_path(&["run", ""], 4, "there is no file")]
fn what_a_selection_cannot_mean(#[case] arguments: &[&str], #[case] code: i32, #[case] said: &str) {
    let folder = folder();
    std::fs::write(folder.path().join("s.yaml"), scenario(FAILING)).expect("a temporary file");
    let output = firedrill(folder.path(), arguments);
    let talk = text(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{talk}");
    assert!(talk.contains(said), "{talk}");
    assert_eq!(text(&output.stdout), "");
}
