//! The language, end to end: small scripts with what PowerShell itself writes to its streams.
//!
//! Expectations were recorded from PowerShell by `tests/cases/record.ps1`; cases marked `[5.1]` follow Windows PowerShell 5.1 where
//! it differs. See the head of that script for the form of the files.

mod support;

use firedrill_powershell::error::ErrorRecord;
use firedrill_powershell::session::{Limits, Options, RunOutput, Session, StreamKind, render};
use firedrill_powershell::{Value, convert, types};
use rstest::rstest;
use support::TestWorld;

struct Case {
    name: String,
    script: String,
    expected: Vec<String>,
}

fn cases(text: &str) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    let mut in_expectation = false;
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("==== ") {
            cases.push(Case { name: name.into(), script: String::new(), expected: Vec::new() });
            in_expectation = false;
        } else if let Some(case) = cases.last_mut() {
            if in_expectation {
                case.expected.push(line.into());
            } else if line == "----" {
                in_expectation = true;
            } else {
                if !case.script.is_empty() {
                    case.script.push('\n');
                }
                case.script.push_str(line);
            }
        }
    }
    cases
}

fn short_type(value: &Value) -> String {
    let full = types::type_name(value).to_string();
    if full.starts_with("System.Collections.Generic.List`1") {
        return "List`1".into();
    }
    full.rsplit('.').next().unwrap_or(&full).into()
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => "<null>".into(),
        Value::Hash(table) => {
            let table = table.read().unwrap();
            let entries: Vec<String> = table.entries.values().map(|(k, v)| format!("{}={}", convert::display(k), text(v))).collect();
            format!("@{{{}}}", entries.join("; "))
        }
        other => match other.items() {
            Some(items) => format!("({})", items.iter().map(text).collect::<Vec<_>>().join(", ")),
            None => convert::display(other).replace('\r', "\\r").replace('\n', "\\n").replace('\t', "\\t"),
        },
    }
}

fn fault(record: &ErrorRecord) -> String {
    format!("{} | {} | {}", record.id, record.category, record.message.replace('\r', "").replace('\n', "\\n"))
}

fn show(value: &Value) -> String {
    match value {
        Value::Null => "<null>".into(),
        Value::Error(record) => format!("ERROR: {}", fault(record)),
        Value::Object(object) if object.type_names.iter().any(|t| t.ends_with("PSCustomObject")) => {
            format!("[PSCustomObject] {}", convert::display(value))
        }
        other => format!("[{}] {}", short_type(other), text(other)),
    }
}

fn streams(output: &RunOutput) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    if let Some(error) = output.parse_errors.first() {
        return vec![format!("THROW: {} | ParserError | {}", error.id, error.message)];
    }
    let last = output.streams.len().wrapping_sub(1);
    for (at, record) in output.streams.iter().enumerate() {
        lines.push(match &record.kind {
            StreamKind::Output(value) => show(value),
            StreamKind::Error(record) if at == last && output.failed && output.exit_code == 1 => format!("THROW: {}", fault(record)),
            StreamKind::Error(record) => format!("ERROR: {}", fault(record)),
            StreamKind::Warning(text) => format!("WARNING: {text}"),
            StreamKind::Verbose(text) => format!("VERBOSE: {text}"),
            StreamKind::Debug(text) => format!("DEBUG: {text}"),
            StreamKind::Information(value) => format!("HOST: {}", text(value)),
            StreamKind::Host { text, .. } => format!("HOST: {text}"),
        });
    }
    lines
}

fn run(script: &str) -> RunOutput {
    let mut world = TestWorld::default();
    let mut session = Session::new(Limits::default(), Options::default());
    session.run(&mut world, "", script)
}

#[rstest]
#[case::strings(include_str!("cases/strings.txt"))]
#[case::numbers(include_str!("cases/numbers.txt"))]
#[case::flow(include_str!("cases/flow.txt"))]
#[case::errors(include_str!("cases/errors.txt"))]
#[case::objects(include_str!("cases/objects.txt"))]
#[case::scripts(include_str!("cases/scripts.txt"))]
fn behaves_like_powershell(#[case] file: &str) {
    let mut failures = String::new();
    let all = cases(file);
    let mut failed = 0;
    for case in &all {
        let found = streams(&run(&case.script));
        if found != case.expected {
            failed += 1;
            failures.push_str(&format!(
                "\n==== {}\n{}\n-- expected\n{}\n-- found\n{}\n",
                case.name,
                case.script,
                case.expected.join("\n"),
                found.join("\n")
            ));
        }
    }
    assert!(failures.is_empty(), "{failed} of {} cases differ:\n{failures}", all.len());
}

#[test]
fn prints_from_environment() {
    if let Ok(path) = std::env::var("FD_SCRIPT") {
        println!("{}", render(&run(&std::fs::read_to_string(path).unwrap()), 120));
    }
}
