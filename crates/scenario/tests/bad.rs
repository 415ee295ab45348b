//! Bad scenarios and what is said about them: `bad/NAME.yaml` with its golden `bad/NAME.diag`.
//!
//! A new case is a new file. `FIREDRILL_BLESS=1 cargo test -p firedrill-scenario --test bad` writes the goldens anew; read
//! the difference before committing it. Files below `bad/parts` are named by cases; `contoso.yaml` and `fabric2019.yaml`
//! are the project's fixtures.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use firedrill_scenario::{DiskFiles, Files, Loader, MemoryFiles, ReadError, limits};
use firedrill_syntax::{Diagnostic, render};
use rstest::rstest;

fn here(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// The folder of cases, in which the fixtures seem to lie.
struct Corpus;

impl Files for Corpus {
    fn read(&mut self, path: &str, max_bytes: u64) -> Result<Vec<u8>, ReadError> {
        let folder = if matches!(path, "contoso.yaml" | "fabric2019.yaml") { "../../fixtures" } else { "tests/bad" };
        DiskFiles.read(here(folder).join(path).to_str().unwrap(), max_bytes)
    }
}

fn cases() -> Vec<String> {
    let entries = std::fs::read_dir(here("tests/bad")).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = entries.filter_map(|name| name.strip_suffix(".yaml").map(str::to_owned)).collect();
    names.sort();
    names
}

fn load_case(name: &str) -> Vec<Diagnostic> {
    Loader::new(&mut Corpus).load(&format!("{name}.yaml")).expect_err(name)
}

#[test]
fn every_case_says_what_its_golden_says() {
    let bless = std::env::var_os("FIREDRILL_BLESS").is_some();
    let mut wrong = Vec::new();
    for name in cases() {
        let said = render(&load_case(&name), false);
        let golden = here("tests/bad").join(format!("{name}.diag"));
        if bless {
            std::fs::write(&golden, &said).unwrap();
        } else if std::fs::read_to_string(&golden).unwrap_or_default() != said {
            wrong.push(format!("{name}: got\n{said}"));
        }
    }
    assert!(wrong.is_empty(), "{}\n{} goldens differ; FIREDRILL_BLESS=1 writes them anew", wrong.join("\n"), wrong.len());
}

#[test]
fn goldens_without_a_case_are_removed() {
    let cases: BTreeSet<String> = cases().into_iter().collect();
    for entry in std::fs::read_dir(here("tests/bad")).unwrap() {
        let file = entry.unwrap().file_name().into_string().unwrap();
        if let Some(name) = file.strip_suffix(".diag") {
            assert!(cases.contains(name), "{file} has no {name}.yaml");
        }
    }
}

/// A diagnostic without a place, a code or words helps nobody; a place outside the text would be a lie.
#[test]
fn every_diagnostic_has_a_code_a_place_and_words() {
    for name in cases() {
        for diagnostic in load_case(&name) {
            assert!(!diagnostic.message.is_empty() && !diagnostic.code.is_empty(), "{name}: {diagnostic:?}");
            assert!(!diagnostic.message.ends_with('.'), "{name}: {}", diagnostic.message);
            assert!(diagnostic.span.end <= diagnostic.source.text.len(), "{name}: {diagnostic:?}");
            let place = diagnostic.source.place(diagnostic.span);
            assert!(!place.contains(env!("CARGO_MANIFEST_DIR")), "{name}: {place}");
        }
    }
}

fn contoso() -> Vec<u8> {
    std::fs::read(here("../../fixtures/contoso.yaml")).unwrap()
}

fn code_of(files: &mut dyn Files) -> (&'static str, String) {
    let diagnostics = Loader::new(files).load("s.yaml").unwrap_err();
    (diagnostics[0].code, diagnostics[0].message.clone())
}

#[rstest]
#[case::scenario_of_100_mb(MemoryFiles::default().with("s.yaml", vec![b'#'; 100 << 20]), "document-too-large")]
#[case::topology_of_100_mb(
    MemoryFiles::default().with("s.yaml", "name: x\ntopology: t.yaml\nsteps: []\n").with("t.yaml", vec![b'#'; 100 << 20]),
    "document-too-large"
)]
#[case::no_file(MemoryFiles::default(), "unreadable-file")]
#[case::steps_without_end(
    MemoryFiles::default()
        .with("contoso.yaml", contoso())
        .with("s.yaml", format!("name: x\ntopology: contoso.yaml\nsteps:\n{}", "  - wait: 1s\n".repeat(limits::MAX_STEPS + 5))),
    "too-many-steps"
)]
#[case::script_of_2_mb(
    MemoryFiles::default()
        .with("contoso.yaml", contoso())
        .with("s.yaml", format!("name: x\ntopology: contoso.yaml\nsteps:\n  - on: pool1-fe1.contoso.com\n    run: '{}'\n", "x".repeat(2 << 20))),
    "script-too-large"
)]
#[case::regex_bomb(
    MemoryFiles::default().with("contoso.yaml", contoso()).with(
        "s.yaml",
        "name: x\ntopology: contoso.yaml\nsteps:\n  - run: Get-CsPool\n    on: pool1-fe1.contoso.com\n    expect:\n      - output: { matches: 'a{1000}{1000}' }\n"
    ),
    "bad-regex"
)]
fn limits_have_their_own_names(#[case] mut files: MemoryFiles, #[case] code: &str) {
    assert_eq!(code_of(&mut files).0, code);
}

/// A chain of files, none of which repeats: the limit ends it, not the stack.
#[test]
fn a_chain_of_includes_ends() {
    let mut files = MemoryFiles::default().with("contoso.yaml", contoso());
    for n in 0..100 {
        let name = if n == 0 { "s.yaml".to_owned() } else { format!("s{n}.yaml") };
        files = files.with(&name, format!("name: x\ntopology: contoso.yaml\nsteps:\n  - include: s{}.yaml\n", n + 1));
    }
    assert_eq!(code_of(&mut files).0, "includes-too-deep");
}

/// Includes that double at each level would unfold into billions of steps: the limit on steps ends it.
#[test]
fn a_tree_of_includes_ends() {
    let mut files = MemoryFiles::default().with("contoso.yaml", contoso());
    for n in 0..15 {
        let name = if n == 0 { "s.yaml".to_owned() } else { format!("s{n}.yaml") };
        let step = if n == 14 { "  - wait: 1s\n".to_owned() } else { format!("  - include: s{}.yaml\n", n + 1) };
        files = files.with(&name, format!("name: x\ntopology: contoso.yaml\nsteps:\n{}", step.repeat(8)));
    }
    assert_eq!(code_of(&mut files).0, "too-many-steps");
}

/// Thousands of problems are counted, not printed, and cost no more than an honest file.
#[test]
fn a_flood_of_problems_is_cut() {
    let body = "  - fault: { pool: pool9.contoso.com }\n".repeat(5_000);
    let mut files =
        MemoryFiles::default().with("contoso.yaml", contoso()).with("s.yaml", format!("name: x\ntopology: contoso.yaml\nsteps:\n{body}"));
    let diagnostics = Loader::new(&mut files).load("s.yaml").unwrap_err();
    assert!(diagnostics.len() < 500, "{}", diagnostics.len());
    assert!(diagnostics.last().unwrap().message.contains("more problems"), "{}", diagnostics.last().unwrap().message);
}
