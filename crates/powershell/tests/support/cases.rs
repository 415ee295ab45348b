//! Case files: scripts with the streams that PowerShell wrote, recorded by `tests/cases/record.ps1`.
#![allow(unreachable_pub, dead_code)]

use firedrill_powershell::error::ErrorRecord;
use firedrill_powershell::session::{Limits, Options, RunOutput, Session, StreamKind};
use firedrill_powershell::{Value, convert, types};

use crate::support::TestWorld;

/// One case of a file.
pub struct Case {
    pub name: String,
    pub script: String,
    pub expected: Vec<String>,
}

/// Takes a file apart; the head of `record.ps1` tells its form.
pub fn cases(text: &str) -> Vec<Case> {
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
            None => convert::to_text(other, " ").replace('\r', "\\r").replace('\n', "\\n").replace('\t', "\\t"),
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

/// The streams of a run as the recorder writes them.
pub fn streams(output: &RunOutput) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    if let Some(error) = output.parse_errors.first() {
        return vec![format!("THROW: {} | ParserError | {}", error.id, error.message)];
    }
    let last = output.streams.len().wrapping_sub(1);
    for (at, record) in output.streams.iter().enumerate() {
        // `What if:` goes to the host's own window, where the recorder cannot see it.
        if matches!(&record.kind, StreamKind::Host { text, .. } if text.starts_with("What if: ")) {
            continue;
        }
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

/// The bytes of an `@file` of a case; see `record.ps1`.
fn encoded(lines: &[&str], options: &str) -> Vec<u8> {
    let end = if options.contains("crlf") { "\r\n" } else { "\n" };
    let text: String = lines.iter().map(|line| format!("{line}{end}")).collect();
    match options.replace("crlf", "").trim() {
        "utf8bom" => [b"\xef\xbb\xbf", text.as_bytes()].concat(),
        "utf16" => [0xff, 0xfe].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect(),
        "windows-1252" => text.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')).collect(),
        _ => text.into_bytes(),
    }
}

/// Runs a case in a world of its own, with the files that it brings along.
pub fn run(case: &str) -> RunOutput {
    let mut world = TestWorld::default();
    let mut script = Vec::new();
    let mut file: Option<(String, String, Vec<&str>)> = None;
    for line in case.lines() {
        if let Some(head) = line.strip_prefix("@file ") {
            let (path, options) = head.split_once(" #").unwrap_or((head, ""));
            file = Some((path.to_lowercase(), options.into(), Vec::new()));
        } else if line == "@end" {
            if let Some((path, options, lines)) = file.take() {
                world.files.insert(path, encoded(&lines, &options));
            }
        } else if let Some((_, _, lines)) = &mut file {
            lines.push(line);
        } else {
            script.push(line);
        }
    }
    let script = &script.join("\n");
    let mut session = Session::new(Limits::default(), Options::default());
    session.run(&mut world, "", script)
}

/// Runs all cases of a file and compares.
pub fn check(file: &str) {
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
