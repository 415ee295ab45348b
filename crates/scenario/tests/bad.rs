//! Bad scenarios and what is said about them: `bad/NAME.yaml` with its golden `bad/NAME.diag`.
//!
//! A new case is a new file. `FIREDRILL_BLESS=1 cargo test -p firedrill-scenario --test bad` writes the goldens anew; read
//! the difference before committing it. Files below `bad/parts` are named by cases; `contoso.yaml` and `fabric2019.yaml`
//! are the project's fixtures.

use std::path::{Path, PathBuf};

use firedrill_corpus::Corpus;
use firedrill_scenario::{DiskFiles, Files, Loader, MemoryFiles, ReadError, limits};
use rstest::rstest;

fn here(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// The folder of cases, in which the fixtures seem to lie.
struct Folder;

impl Files for Folder {
    fn read(&mut self, path: &str, max_bytes: u64) -> Result<Vec<u8>, ReadError> {
        let folder = if matches!(path, "contoso.yaml" | "fabric2019.yaml") { "../../fixtures" } else { "tests/bad" };
        DiskFiles.read(here(folder).join(path).to_str().unwrap(), max_bytes)
    }
}

fn corpus() -> Corpus<'static> {
    Corpus::new(here("tests/bad"), |file| Loader::new(&mut Folder).load(file).expect_err(file))
}

#[test]
fn every_case_says_what_its_golden_says() {
    corpus().assert_goldens();
}

#[test]
fn words_are_for_operators() {
    corpus().assert_house_rules();
}

#[test]
fn every_problem_has_a_hint() {
    corpus().assert_hints();
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
