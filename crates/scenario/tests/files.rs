//! Every scenario of the project loads, and the committed schema is the one that the types give.

use std::path::{Path, PathBuf};

use firedrill_scenario::{DiskFiles, Loader};

fn root() -> PathBuf {
    PathBuf::from("../..")
}

fn scenarios(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            scenarios(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "yaml") {
            found.push(path);
        }
    }
}

#[test]
fn every_scenario_of_the_project_loads() {
    let mut found = Vec::new();
    scenarios(&root().join("scenarios"), &mut found);
    assert!(found.len() >= 30, "{}", found.len());
    let mut files = DiskFiles;
    let mut loader = Loader::new(&mut files);
    let problems: Vec<String> = found
        .iter()
        .filter_map(|path| loader.load(path.to_str().unwrap()).err())
        .map(|diagnostics| firedrill_syntax::render(&diagnostics, false))
        .collect();
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// `FIREDRILL_BLESS=1` writes the file.
#[test]
fn committed_schema_is_current() {
    let path = root().join("schemas/scenario.schema.json");
    firedrill_corpus::assert_committed(&path, &firedrill_scenario::schema_text());
}
