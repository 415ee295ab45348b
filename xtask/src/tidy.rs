//! House rules that a machine can check.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, bail};

/// Longest Rust file; longer ones hide a second subject.
const LINES_MAX: usize = 900;

/// Licences that this project's users can live with.
const LICENCES: &[&str] = &[
    "MIT",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "Zlib",
    "Unicode-3.0",
    "CC0-1.0",
    "Unlicense",
    "0BSD",
    "BSL-1.0",
    "MIT-0",
    "Unicode-DFS-2016",
    "CDLA-Permissive-2.0",
];

/// Leftovers: what, and why it must not land. Written in two halves so that this file does not find itself.
const LEFTOVERS: &[(&str, &str)] = &[
    (concat!("to", "do!("), "unfinished code"),
    (concat!("unimple", "mented!("), "unfinished code"),
    (concat!("db", "g!("), "debugging"),
    (concat!("#[ig", "nore"), "a test that does not run"),
    (concat!("#[should", "_panic"), "panics are for our bugs, not for tests"),
    (concat!("TO", "DO"), "unfinished work"),
    (concat!("FIX", "ME"), "unfinished work"),
    (concat!("allow(dead", "_code"), "code without use"),
    (concat!("allow(un", "used"), "code without use"),
    (concat!("Hash", "Map<"), "iteration order differs from run to run"),
];

/// Places of somebody's machine.
const MACHINE_PATHS: &[&str] = &[concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/tmp/", "fd"), concat!("/ho", "me/")];

pub(crate) fn run(root: &Path) -> anyhow::Result<()> {
    let mut complaints = Vec::new();
    for relative in tracked_files(root)? {
        let Ok(text) = std::fs::read_to_string(root.join(&relative)) else { continue };
        machine_paths(&relative, &text, &mut complaints);
        if relative.ends_with(".rs") {
            rust_file(&relative, &text, &mut complaints);
        }
        if relative.starts_with("scenarios/") && relative.ends_with(".yaml") && !text.starts_with("# yaml-language-server: $schema=") {
            complaints.push(format!("{relative}:1: the first line must name the schema, so that editors complete"));
        }
    }
    dependencies_explained(root, &mut complaints)?;
    licences(root, &mut complaints)?;
    if complaints.is_empty() {
        return Ok(());
    }
    bail!("{} complaint(s)\n{}", complaints.len(), complaints.join("\n"))
}

fn tracked_files(root: &Path) -> anyhow::Result<Vec<String>> {
    let output = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(root)
        .output()
        .context("git ls-files")?;
    Ok(String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect())
}

fn machine_paths(relative: &str, text: &str, complaints: &mut Vec<String>) {
    for (number, line) in text.lines().enumerate() {
        if MACHINE_PATHS.iter().any(|path| line.contains(path)) {
            complaints.push(format!("{relative}:{}: a path of somebody's machine", number + 1));
        }
    }
}

fn rust_file(relative: &str, text: &str, complaints: &mut Vec<String>) {
    if !text.starts_with("//!") {
        complaints.push(format!("{relative}:1: no `//!` header that says what the file is for"));
    }
    let lines = text.lines().count();
    if lines > LINES_MAX {
        complaints.push(format!("{relative}: {lines} lines (at most {LINES_MAX}): which second subject does it hide?"));
    }
    for (number, line) in text.lines().enumerate() {
        for (leftover, why) in LEFTOVERS {
            // Every test binary compiles the whole support module and uses its own part of it.
            let shared_support = relative.contains("/tests/") && relative.ends_with("/mod.rs") && leftover.starts_with("allow(");
            if line.contains(leftover) && !shared_support {
                complaints.push(format!("{relative}:{}: `{leftover}`: {why}", number + 1));
            }
        }
    }
}

/// Every dependency of the workspace says in one sentence what it is for.
fn dependencies_explained(root: &Path, complaints: &mut Vec<String>) -> anyhow::Result<()> {
    let manifest = std::fs::read_to_string(root.join("Cargo.toml"))?;
    let section = manifest.split("[workspace.dependencies]").nth(1).and_then(|rest| rest.split("\n[").next()).unwrap_or_default();
    for line in section.lines().filter(|line| line.contains('=') && !line.starts_with('#') && !line.contains("path = ")) {
        if !line.contains(" # ") {
            complaints.push(format!("Cargo.toml: no sentence for `{}`", line.split_whitespace().next().unwrap_or(line)));
        }
    }
    Ok(())
}

fn licences(root: &Path, complaints: &mut Vec<String>) -> anyhow::Result<()> {
    let output = Command::new("cargo")
        .args(["metadata", "--format-version", "1", "--locked", "--offline"])
        .current_dir(root)
        .output()
        .context("cargo metadata")?;
    let metadata: serde_json::Value =
        serde_json::from_slice(&output.stdout).context("cargo metadata did not answer; run `cargo fetch` first")?;
    for package in metadata["packages"].as_array().into_iter().flatten() {
        let name = package["name"].as_str().unwrap_or_default();
        let licence = package["license"].as_str().unwrap_or_default();
        // `A OR B`: one acceptable choice is enough; `A AND B`: all must be.
        let acceptable = licence
            .replace('/', " OR ")
            .replace(['(', ')'], "")
            .split(" OR ")
            .any(|choice| choice.split(" AND ").all(|one| LICENCES.contains(&one.trim())));
        if !acceptable {
            complaints.push(format!("Cargo.lock: `{name}` is licensed `{licence}`, which is not on the list"));
        }
    }
    Ok(())
}
