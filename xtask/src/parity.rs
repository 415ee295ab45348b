//! Asks the genuine PowerShell again what the goldens of `crates/powershell/tests` say it answered, and prints what differs.
//! PowerShell is no dependency of the tests: the goldens are committed.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};
use serde_json::Value as Json;

/// How to ask.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Program that runs a script with PowerShell 7.6: PROGRAM SCRIPT ARGUMENT…
    #[arg(long, default_value = "pwsh")]
    powershell: String,
    /// Only files whose name contains this.
    filter: Option<String>,
}

/// Cases that were asked, and those whose answer differs from the golden.
#[derive(Default)]
struct Tally {
    asked: usize,
    differ: usize,
}

/// Asks all cases again.
///
/// # Errors
/// When PowerShell cannot be run, or an answer differs.
pub(crate) fn run(root: &Path, arguments: &Arguments) -> anyhow::Result<()> {
    let tests = root.join("crates/powershell/tests");
    let wanted = |name: &str| arguments.filter.as_ref().is_none_or(|part| name.contains(part.as_str()));
    let scratch = root.join("target/parity");
    if scratch.exists() {
        std::fs::remove_dir_all(&scratch)?;
    }
    let mut tally = Tally::default();
    for folder in folders_with_cases(&tests.join("cases"))? {
        streams(&folder, &tests.join("cases/record.ps1"), &scratch.join("cases"), arguments, &wanted, &mut tally)?;
    }
    answers(root, &tests.join("goldens"), &scratch, arguments, &wanted, &mut tally)?;
    println!("{} cases asked, {} differ", tally.asked, tally.differ);
    if tally.differ > 0 {
        bail!("{} of the recorded answers differ from PowerShell's", tally.differ);
    }
    Ok(())
}

/// Folders below one that hold case files.
fn folders_with_cases(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut cases = false;
    for path in sorted(folder)? {
        if path.is_dir() {
            found.extend(folders_with_cases(&path)?);
        } else {
            cases |= is(&path, "txt");
        }
    }
    if cases {
        found.insert(0, folder.to_path_buf());
    }
    Ok(found)
}

/// The recorder rewrites case files: it does so with a copy.
fn streams(
    folder: &Path,
    recorder: &Path,
    copy: &Path,
    arguments: &Arguments,
    wanted: &dyn Fn(&str) -> bool,
    tally: &mut Tally,
) -> anyhow::Result<()> {
    let copy = copy.join(folder.file_name().unwrap_or_default());
    std::fs::create_dir_all(&copy)?;
    let files: Vec<PathBuf> = sorted(folder)?.into_iter().filter(|path| is(path, "txt") && wanted(&name_of(path))).collect();
    if files.is_empty() {
        return Ok(());
    }
    for file in &files {
        std::fs::copy(file, copy.join(name_of(file)))?;
    }
    ask(arguments, recorder, &[&copy])?;
    for file in &files {
        let (was, is) = (std::fs::read_to_string(file)?, std::fs::read_to_string(copy.join(name_of(file)))?);
        let (was, is) = (cases_of(&was), cases_of(&is));
        tally.asked += was.len();
        for (was, is) in was.iter().zip(&is).filter(|(was, is)| was != is) {
            tally.differ += 1;
            println!("{}: {}\n  recorded\n{}\n  now\n{}", name_of(file), was.0, indented(&was.1), indented(&is.1));
        }
    }
    Ok(())
}

/// Name and text of each case of a file.
fn cases_of(text: &str) -> Vec<(String, String)> {
    let text = text.trim_start_matches('\u{feff}').replace("\r\n", "\n");
    let cases = text.split("\n==== ").skip(1);
    cases
        .map(|case| case.split_once('\n').unwrap_or((case, "")))
        .map(|(name, rest)| (name.to_owned(), rest.trim_end().to_owned()))
        .collect()
}

fn answers(
    root: &Path,
    goldens: &Path,
    scratch: &Path,
    arguments: &Arguments,
    wanted: &dyn Fn(&str) -> bool,
    tally: &mut Tally,
) -> anyhow::Result<()> {
    let (asked, answered) = (scratch.join("goldens"), scratch.join("answers"));
    std::fs::create_dir_all(&asked)?;
    std::fs::create_dir_all(&answered)?;
    let files = sorted(goldens)?;
    let questions: Vec<&PathBuf> = files.iter().filter(|path| is(path, "jsonl") && wanted(&name_of(path))).collect();
    if questions.is_empty() {
        return Ok(());
    }
    for file in questions.iter().copied().chain(files.iter().filter(|path| is(path, "ps1"))) {
        std::fs::copy(file, asked.join(name_of(file)))?;
    }
    ask(arguments, &root.join("xtask/parity.ps1"), &[&asked, &answered])?;
    for file in questions {
        let (was, is) = (lines(file)?, lines(&answered.join(name_of(file)))?);
        if was.len() != is.len() {
            bail!("{}: {} questions, {} answers", name_of(file), was.len(), is.len());
        }
        // What follows 5.1 by hand differs from 7.6: an entry that does not is not needed any more.
        let apart = name_of(file).starts_with("differences");
        tally.asked += was.len();
        for (was, is) in was.iter().zip(&is) {
            let same = ["types", "values", "error", "id", "category", "exception", "text"]
                .iter()
                .all(|key| was.get(*key).is_none_or(|old| Some(old) == is.get(*key)));
            if same == apart {
                tally.differ += 1;
                let why = if apart { "  7.6 answers so too: no difference to follow\n" } else { "" };
                println!("{}: {}\n{why}  recorded {was}\n  now      {is}", name_of(file), was["script"]);
            }
        }
    }
    Ok(())
}

/// Runs a script with PowerShell; what it says goes on.
fn ask(arguments: &Arguments, script: &Path, paths: &[&Path]) -> anyhow::Result<()> {
    let mut command = Command::new(&arguments.powershell);
    command.arg(script).args(paths);
    let status = command.status().with_context(|| {
        format!("`{}` cannot be run; --powershell names a program that runs a script with PowerShell 7.6", arguments.powershell)
    })?;
    if !status.success() {
        bail!("`{}` ended with {status}", arguments.powershell);
    }
    Ok(())
}

fn lines(path: &Path) -> anyhow::Result<Vec<Json>> {
    let text = std::fs::read_to_string(path)?;
    let lines = text.trim_start_matches('\u{feff}').lines().filter(|line| !line.trim().is_empty());
    lines.map(|line| serde_json::from_str(line).with_context(|| format!("{}: {line}", path.display()))).collect()
}

fn sorted(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut paths = std::fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>()?;
    paths.sort();
    Ok(paths)
}

fn is(path: &Path, extension: &str) -> bool {
    path.extension().is_some_and(|found| found == extension)
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("    {line}")).collect::<Vec<_>>().join("\n")
}
