//! Puts scripts of the generator to the genuine PowerShell and to the evaluator, and prints where they differ.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, bail};
use firedrill_powershell::command::{BoundParameters, CommandError, CommandInfo, CommandProvider, Host, Invocation, Resolution};
use firedrill_powershell::error::ErrorRecord;
use firedrill_powershell::session::{Limits, Options, Session};
use firedrill_powershell::value::DateTime;
use firedrill_powershell::{Value, convert, types};
use serde_json::{Value as Json, json};

#[path = "../../crates/powershell/tests/support/generate.rs"]
mod scripts;

/// How many, and which.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Program that runs a script with PowerShell 7.6: PROGRAM SCRIPT ARGUMENT…
    #[arg(long, default_value = "pwsh")]
    powershell: String,
    /// How many scripts.
    #[arg(long, default_value_t = 500)]
    count: u64,
    /// The seed of the first; the others follow.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// A world without anything in it.
struct Nothing;

impl CommandProvider for Nothing {
    fn resolve(&self, _: &str) -> Resolution {
        Resolution::Unknown
    }

    fn invoke(&mut self, _: &CommandInfo, _: &BoundParameters, _: &mut dyn Invocation) -> Result<(), Box<CommandError>> {
        Ok(())
    }

    fn names(&self) -> Vec<std::sync::Arc<str>> {
        Vec::new()
    }
}

impl Host for Nothing {
    fn now(&mut self) -> DateTime {
        DateTime::from_nanoseconds(0)
    }

    fn sleep(&mut self, _: i64) {}

    fn guid(&mut self) -> u128 {
        1
    }

    fn prompt(&mut self, _: &str) -> Option<String> {
        None
    }

    fn computer_name(&self) -> std::sync::Arc<str> {
        "localhost".into()
    }

    fn read_file(&mut self, _: &str) -> Option<std::sync::Arc<[u8]>> {
        None
    }

    fn list_files(&mut self) -> Vec<String> {
        Vec::new()
    }

    fn write_file(&mut self, _: &str, _: &[u8]) -> bool {
        false
    }
}

/// Generates, asks, compares.
///
/// # Errors
/// When PowerShell cannot be run.
pub(crate) fn run(root: &Path, arguments: &Arguments) -> anyhow::Result<()> {
    let folder = root.join("target/generated");
    std::fs::create_dir_all(&folder)?;
    let (questions, answers) = (folder.join("questions.jsonl"), folder.join("answers.jsonl"));
    let scripts: Vec<String> =
        (0..arguments.count).map(|at| scripts::statement(&mut scripts::Random::new(arguments.seed.wrapping_add(at)))).collect();
    let lines: Vec<String> = scripts.iter().map(|script| json!({ "script": script }).to_string()).collect();
    std::fs::write(&questions, lines.join("\n"))?;
    std::fs::write(folder.join("prelude.ps1"), scripts::PRELUDE)?;
    let status = Command::new(&arguments.powershell)
        .arg(root.join("xtask/generate.ps1"))
        .args([folder.join("prelude.ps1"), questions, answers.clone()])
        .status()
        .with_context(|| format!("`{}` cannot be run; --powershell names a program that runs a script", arguments.powershell))?;
    if !status.success() {
        bail!("`{}` ended with {status}", arguments.powershell);
    }
    let text = std::fs::read_to_string(&answers)?;
    let mut differ = 0;
    for (script, line) in scripts.iter().zip(text.trim_start_matches('\u{feff}').lines()) {
        let theirs: Json = serde_json::from_str(line)?;
        let theirs: Vec<String> = theirs["found"].as_array().into_iter().flatten().filter_map(|line| line.as_str().map(normal)).collect();
        let ours: Vec<String> = answer(script).iter().map(|line| normal(line)).collect();
        if ours != theirs {
            differ += 1;
            println!("{script}\n  PowerShell\n{}\n  Firedrill\n{}\n", indented(&theirs), indented(&ours));
        }
    }
    println!("{} scripts, {differ} differ", scripts.len());
    Ok(())
}

/// What .NET words differently since the .NET Framework does not count, nor does where an error was wrapped.
fn normal(line: &str) -> String {
    line.replace('\r', "").trim_end().to_string()
}

fn answer(script: &str) -> Vec<String> {
    let mut session = Session::new(Limits { steps: 200_000, ..Limits::default() }, Options::default());
    session.run(&mut Nothing, "", scripts::PRELUDE);
    let output = session.run(&mut Nothing, "", script);
    let mut lines: Vec<String> = output.objects().map(|value| format!("{} {}", kind(value), text(value))).collect();
    lines.extend(output.errors().map(|record| fault(record)));
    lines
}

fn fault(record: &ErrorRecord) -> String {
    format!("ERROR {}", record.id)
}

fn kind(value: &Value) -> String {
    if value.is_null() {
        return "null".into();
    }
    let full = types::type_name(value).to_string();
    let generic = full.split_once("[[").map_or(full.as_str(), |(head, _)| head);
    generic.rsplit('.').next().unwrap_or(generic).to_string()
}

fn text(value: &Value) -> String {
    match value {
        Value::Hash(table) => {
            let Ok(table) = table.read() else { return String::new() };
            let mut entries: Vec<String> =
                table.entries.values().map(|(k, v)| format!("{}={}", convert::to_text(k, " "), convert::to_text(v, " "))).collect();
            entries.sort();
            entries.join(";")
        }
        value => convert::to_text(value, " "),
    }
}

fn indented(lines: &[String]) -> String {
    lines.iter().map(|line| format!("    {}", line.replace('\n', "\n    "))).collect::<Vec<_>>().join("\n")
}
