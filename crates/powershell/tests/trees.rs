//! The tree: kinds and spans of all nodes, and the syntax errors, as PowerShell's own parser gives them for every case of the suite.
//!
//! `goldens/trees.jsonl` was recorded by `cases/record-trees.ps1`. Cases where Windows PowerShell 5.1 parses otherwise, or where we
//! recover otherwise from an error, stand in `goldens/trees-differences.jsonl` with the reason; a line there that is no longer needed
//! fails the test too.

use std::collections::BTreeMap;
use std::path::Path;

use firedrill_powershell::ast::outline;
use firedrill_powershell::session::parse;
use serde_json::Value as Json;

/// The case files of a folder and its subfolders: path below the folder, and text.
fn files(folder: &Path, below: &str, found: &mut Vec<(String, String)>) {
    let mut entries: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        let name = format!("{below}{}", path.file_name().unwrap().to_string_lossy());
        if path.is_dir() {
            files(&path, &format!("{name}/"), found);
        } else if name.ends_with(".txt") {
            found.push((name, std::fs::read_to_string(path).unwrap().replace('\r', "")));
        }
    }
}

/// Scripts by file and case.
fn scripts() -> BTreeMap<(String, String), String> {
    let mut scripts = BTreeMap::new();
    let mut all = Vec::new();
    files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases"), "", &mut all);
    for (file, text) in &all {
        let mut name = String::new();
        let mut code: Option<Vec<&str>> = None;
        let mut in_file = false;
        for line in text.lines() {
            if let Some(next) = line.strip_prefix("==== ") {
                name = next.into();
                code = Some(Vec::new());
            } else if line == "----" {
                if let Some(code) = code.take() {
                    scripts.insert((file.clone(), name.clone()), code.join("\n"));
                }
            } else if line.starts_with("@file ") {
                in_file = true;
            } else if in_file {
                in_file = line != "@end";
            } else if let Some(code) = &mut code {
                code.push(line);
            }
        }
    }
    for line in include_str!("cases/syntax.tsv").lines() {
        scripts.insert(("syntax.tsv".into(), line.into()), line.into());
    }
    scripts
}

/// Byte offsets as PowerShell counts: in UTF-16 units.
fn units(text: &str) -> Vec<usize> {
    let mut units = vec![0; text.len() + 1];
    let mut at = 0;
    for (byte, c) in text.char_indices() {
        units[byte] = at;
        at += c.len_utf16();
    }
    units[text.len()] = at;
    units
}

struct Parsed {
    nodes: Vec<String>,
    errors: Vec<String>,
}

fn parsed(script: &str) -> Parsed {
    let (ast, errors) = parse(script);
    let units = units(script);
    let at = |byte: u32| units.get(byte as usize).copied().unwrap_or(units[units.len() - 1]);
    let place = |span: firedrill_powershell::source::Span| format!("{}-{}", at(span.start), at(span.end));
    let nodes = outline(&ast).into_iter().map(|node| format!("{}@{}", node.kind, place(node.span))).collect();
    let errors = errors.iter().map(|e| format!("{}@{}", e.id, place(e.span))).collect();
    Parsed { nodes, errors }
}

/// Kind and start of the error that stands first.
fn first_error<'a>(errors: impl Iterator<Item = &'a str>) -> String {
    let parts = errors.filter_map(|e| {
        let (id, span) = e.split_once('@')?;
        Some((span.split_once('-')?.0.parse::<usize>().ok()?, id))
    });
    parts.min_by_key(|(start, _)| *start).map_or_else(String::new, |(start, id)| format!("{id}@{start}"))
}

/// What only one of two lists has.
type Difference = (Vec<String>, Vec<String>);

fn difference(left: &[String], right: &[&str]) -> Difference {
    let mut rest: Vec<&str> = right.to_vec();
    let mut extra = Vec::new();
    for item in left {
        match rest.iter().position(|other| other == item) {
            Some(at) => {
                rest.remove(at);
            }
            None => extra.push(item.clone()),
        }
    }
    (extra, rest.into_iter().map(str::to_owned).collect())
}

#[test]
fn trees_are_powershells() {
    let scripts = scripts();
    let read = |text: &'static str| text.lines().map(|line| serde_json::from_str::<Json>(line).unwrap()).collect::<Vec<_>>();
    let known: BTreeMap<(String, String), String> = read(include_str!("goldens/trees-differences.jsonl"))
        .into_iter()
        .map(|line| {
            let text = |name: &str| line[name].as_str().unwrap().to_owned();
            ((text("file"), text("case")), text("because"))
        })
        .collect();
    let (mut failures, mut compared) = (Vec::new(), 0);
    let mut used = std::collections::BTreeSet::new();
    for golden in read(include_str!("goldens/trees.jsonl")) {
        let key = (golden["file"].as_str().unwrap().to_owned(), golden["case"].as_str().unwrap().to_owned());
        // A case that was changed and not recorded again waits for the next recording.
        let whole =
            |script: &&String| golden["nodes"].as_str().unwrap().contains(&format!("ScriptBlock@0-{}", script.encode_utf16().count()));
        let Some(script) = scripts.get(&key).filter(whole) else { continue };
        compared += 1;
        let found = parsed(script);
        let wanted_errors: Vec<&str> = golden["errors"].as_str().unwrap().split_whitespace().collect();
        let wanted_nodes: Vec<&str> = golden["nodes"].as_str().unwrap().split_whitespace().collect();
        // The error that stands first; what follows depends on how a parser recovers.
        let (first, wanted_first) = (first_error(found.errors.iter().map(String::as_str)), first_error(wanted_errors.iter().copied()));
        let (more_errors, less_errors) =
            if first == wanted_first { Default::default() } else { Difference::from((vec![first.clone()], vec![wanted_first.clone()])) };
        // A broken text has no one tree: what a parser makes of the rest is its own affair.
        let (more, less) = if wanted_errors.is_empty() { difference(&found.nodes, &wanted_nodes) } else { Default::default() };
        let same = more.is_empty() && less.is_empty() && more_errors.is_empty() && less_errors.is_empty();
        if known.contains_key(&key) {
            used.insert(key.clone());
            if same {
                failures.push(format!("{} | {}: no longer differs", key.0, key.1));
            }
        } else if !same {
            failures.push(format!(
                "{} | {}\n{script}\n   errors: ours {more_errors:?} theirs {less_errors:?}\n   nodes: ours {more:?}\n   theirs {less:?}",
                key.0, key.1
            ));
        }
    }
    assert!(compared > 1_000, "only {compared} goldens have a case");
    assert!(failures.is_empty(), "{} of {compared} differ\n{}", failures.len(), failures.join("\n"));
    assert_eq!(used.len(), known.len(), "a difference names no case");
}
