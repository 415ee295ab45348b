//! The operations scripts of `fixtures/scripts`: every one parses with the genuine PowerShell (`operations/parsed.txt`, asked
//! with `operations/parse.ps1`), and does in the rehearsal what `expected/` says.
//!
//! `runs.yaml` says how each is started. What is expected was read against the product's pages before it was committed;
//! `FIREDRILL_BLESS=1` writes it anew, to be read again.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;

/// One start of a script.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Run {
    script: String,
    /// A deployment under `fixtures`, healthy: `contoso` unless a scenario is given.
    topology: Option<String>,
    /// A scenario under `scenarios`.
    scenario: Option<String>,
    at: Option<String>,
    on: Option<String>,
    #[serde(default)]
    args: Vec<String>,
    #[serde(default)]
    answers: Vec<String>,
    /// Exit code.
    exit: i32,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn folder() -> PathBuf {
    root().join("fixtures/scripts")
}

fn runs() -> BTreeMap<String, Run> {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/operations/runs.yaml")).expect("the table");
    serde_saphyr::from_str(&text).expect("a table of runs")
}

/// Scripts and modules below the folder, as paths from it.
fn scripts() -> BTreeSet<String> {
    fn walk(folder: &Path, prefix: &str, found: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = format!("{prefix}{}", path.file_name().and_then(|name| name.to_str()).expect("a name"));
            if path.is_dir() {
                walk(&path, &format!("{name}/"), found);
            } else if ["ps1", "psm1", "psd1"].iter().any(|known| path.extension().is_some_and(|extension| extension == *known)) {
                found.insert(name);
            }
        }
    }
    let mut found = BTreeSet::new();
    walk(&folder(), "", &mut found);
    found
}

/// The arguments of the program for a run.
fn arguments(run: &Run) -> Vec<String> {
    let mut arguments = vec!["run".to_owned(), format!("fixtures/scripts/{}", run.script)];
    match (&run.scenario, &run.topology) {
        (Some(scenario), None) => arguments.extend(["--scenario".to_owned(), format!("scenarios/{scenario}.yaml")]),
        (None, topology) => {
            let topology = topology.as_deref().unwrap_or("contoso");
            arguments.extend(["--topology".to_owned(), format!("fixtures/{topology}.yaml")]);
        }
        (Some(_), Some(_)) => panic!("{}: a topology or a scenario", run.script),
    }
    for (option, value) in [("--at", &run.at), ("--on", &run.on)] {
        arguments.extend(value.iter().flat_map(|value| [option.to_owned(), value.clone()]));
    }
    arguments.extend(run.answers.iter().flat_map(|answer| ["--answer".to_owned(), answer.clone()]));
    if !run.args.is_empty() {
        arguments.push("--args".to_owned());
        arguments.extend(run.args.iter().cloned());
    }
    arguments
}

/// What differs from what is expected; nothing when all is well.
fn problems(name: &str, run: &Run, bless: bool) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_firedrill"))
        .args(arguments(run))
        .current_dir(root())
        .env("NO_COLOR", "1")
        .stdin(Stdio::null())
        .output()
        .expect("the program starts");
    let mut problems = String::new();
    if output.status.code() != Some(run.exit) {
        let _ = writeln!(problems, "{name}: exit code {:?}, expected {}", output.status.code(), run.exit);
    }
    for (stream, bytes) in [("", &output.stdout), (".errors", &output.stderr)] {
        let path = folder().join(format!("expected/{name}{stream}.txt"));
        let said = String::from_utf8(bytes.clone()).expect("UTF-8");
        let wanted = std::fs::read_to_string(&path).unwrap_or_default();
        if said == wanted {
            continue;
        }
        if bless {
            // A stream that stays silent has no file.
            let written = if said.is_empty() { std::fs::remove_file(&path) } else { std::fs::write(&path, &said) };
            written.expect("the folder can be written");
            continue;
        }
        let _ = writeln!(problems, "{name}{stream}: expected\n{wanted}\n{name}{stream}: said\n{said}");
    }
    problems
}

#[test]
fn scripts_do_what_is_expected() {
    let bless = std::env::var_os("FIREDRILL_BLESS").is_some();
    let runs = runs();
    // Some stand at the end of a long scenario: several at a time.
    let all: Vec<(&String, &Run)> = runs.iter().collect();
    let workers = std::thread::available_parallelism().map_or(2, usize::from).min(8);
    let said: String = std::thread::scope(|scope| {
        let handles: Vec<_> = (0..workers)
            .map(|worker| {
                let part = all.iter().skip(worker).step_by(workers);
                scope.spawn(move || part.map(|(name, run)| problems(name, run, bless)).collect::<String>())
            })
            .collect();
        handles.into_iter().map(|handle| handle.join().expect("no panic")).collect()
    });
    assert!(said.is_empty(), "{said}");
}

/// No script is left out, and nothing is expected of a run that is not there.
#[test]
fn every_script_is_run() {
    let runs = runs();
    let run: BTreeSet<&str> = runs.values().map(|run| run.script.as_str()).collect();
    let runnable: BTreeSet<String> = scripts().into_iter().filter(|name| name.ends_with(".ps1") && !name.contains('/')).collect();
    let missing: Vec<&String> = runnable.iter().filter(|name| !run.contains(name.as_str())).collect();
    assert!(missing.is_empty(), "not in runs.yaml: {missing:?}");
    assert!(runnable.len() >= 40, "{}", runnable.len());
    for entry in std::fs::read_dir(folder().join("expected")).expect("a folder") {
        let file = entry.expect("an entry").file_name().into_string().expect("a name");
        let name = file.strip_suffix(".txt").map(|name| name.strip_suffix(".errors").unwrap_or(name));
        assert!(name.is_some_and(|name| runs.contains_key(name)), "{file} belongs to no run");
    }
}

/// The bytes of each script are those that PowerShell was asked about, and it found no error in them.
#[test]
fn the_genuine_powershell_parses_every_script() {
    let golden = include_str!("operations/parsed.txt");
    let mut asked = BTreeSet::new();
    for line in golden.lines() {
        let mut parts = line.splitn(3, ' ');
        let (Some(hash), Some(errors), Some(name)) = (parts.next(), parts.next(), parts.next()) else { panic!("{line}") };
        assert_eq!(errors, "0", "{name}");
        let bytes = std::fs::read(folder().join(name)).expect("the script");
        let now = data_encoding::HEXLOWER.encode(ring::digest::digest(&ring::digest::SHA256, &bytes).as_ref());
        assert_eq!(now, hash, "{name} has changed: ask again with operations/parse.ps1");
        asked.insert(name.to_owned());
    }
    assert_eq!(asked, scripts());
}
