//! docs/records.md against the records that runs write: every field stands in the page, and the page names no other.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use firedrill::crates::fabric::{Event, Evidence};
use firedrill::crates::scenario::{
    DiskFiles, FailureKind, Loader, MemoryFiles, Options, Reason, Record, Runner, StreamName, Verdict, WirePolicy,
};
use serde_json::Value;

type Fields = BTreeMap<String, BTreeSet<String>>;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn page() -> String {
    std::fs::read_to_string(root().join("docs/records.md")).expect("docs/records.md")
}

/// Names between backticks, those in parentheses left out: they are values.
fn names(cell: &str) -> BTreeSet<String> {
    let mut outside = String::new();
    let mut depth = 0;
    for c in cell.chars() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            c if depth == 0 => outside.push(c),
            _ => {}
        }
    }
    outside.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// The table below a heading row that starts with this cell.
fn table(heading: &str) -> Fields {
    let page = page();
    let rows = page.lines().skip_while(|line| !line.starts_with(&format!("| {heading} |"))).skip(2);
    let rows = rows.take_while(|line| line.starts_with('|'));
    rows.map(|row| {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").collect();
        let [name, _, fields] = cells.as_slice() else { panic!("a row of three cells: {row}") };
        (name.trim().trim_matches('`').to_owned(), names(fields))
    })
    .collect()
}

/// Records of a run in which everything happens that records know.
fn records() -> Vec<Value> {
    let contoso = std::fs::read(root().join("fixtures/contoso.yaml")).expect("a fixture");
    let text = "name: everything\ntopology: contoso.yaml\nsteps:
  - fault: { pool: pool1.contoso.com }
    expect:
      - pool_state: { pool1.contoso.com: FailedOver }
  - run: Set-CsSite Site1 -XmppExternalFederationRoute edgeserver2.contoso.com
    on: pool2-fe1.contoso.com
    on_error: continue
  - run: Get-CsVoicePolicy
    on: pool2-fe1.contoso.com
";
    let mut files = MemoryFiles::default().with("contoso.yaml", contoso).with("s.yaml", text);
    let scenario = Loader::new(&mut files).load("s.yaml").expect("a scenario").scenario;
    let options = Options { wire: WirePolicy::Off, keep_going: true, min_evidence: Some(Evidence::Documented), ..Options::default() };
    let mut records: Vec<Record> = Vec::new();
    Runner::new(options).run(&scenario, &mut records);
    records.iter().map(|record| serde_json::to_value(record).expect("JSON")).collect()
}

/// The fields of objects by their kind, which is the text of `tag`; the tag itself is left out.
fn fields_by<'a>(tag: &str, objects: impl IntoIterator<Item = &'a Value>) -> Fields {
    let mut all = Fields::new();
    for object in objects {
        let map = object.as_object().expect("an object");
        let kind = map[tag].as_str().expect("a kind").to_owned();
        all.entry(kind).or_default().extend(map.keys().filter(|key| *key != tag).cloned());
    }
    all
}

#[test]
fn every_field_of_every_record_stands_in_the_page() {
    let records = records();
    let mut found = fields_by("record", &records);
    // Events have fields of their own, which the next test looks at.
    found.insert("event".into(), ["at", "elapsed_ms", "event"].map(str::to_owned).into());
    assert_eq!(found, table("`record` | when"));
}

fn text(value: &str) -> String {
    value.to_owned()
}

#[test]
fn every_field_of_every_event_stands_in_the_page() {
    let (operation, subject) = (text("o"), text("s"));
    let all = [
        Event::FaultInjected { fault: text("f") },
        Event::FaultHealed { fault: text("f") },
        Event::OperationStarted { operation: operation.clone(), subject: subject.clone() },
        Event::OperationPhase { operation: operation.clone(), subject: subject.clone(), phase: text("p") },
        Event::OperationEnded { operation, subject: subject.clone(), error: None },
        Event::ServiceChanged { pool: text("p"), users: 1, from: text("a"), to: text("b") },
        Event::StateChanged { kind: text("k"), subject, state: text("s") },
        Event::DnsUpdate { zone: text("z"), by: text("b"), what: text("w"), outcome: text("o"), serial: 1 },
    ];
    // A new kind of event does not compile here until it is added above.
    for event in &all {
        match event {
            Event::FaultInjected { .. }
            | Event::FaultHealed { .. }
            | Event::OperationStarted { .. }
            | Event::OperationPhase { .. }
            | Event::OperationEnded { .. }
            | Event::ServiceChanged { .. }
            | Event::StateChanged { .. }
            | Event::DnsUpdate { .. } => {}
        }
    }
    let values: Vec<Value> = all.iter().map(|event| serde_json::to_value(event).expect("JSON")).collect();
    assert_eq!(fields_by("event", &values), table("`event` | when"));
}

#[test]
fn every_part_of_the_last_record_stands_in_the_page() {
    let records = records();
    let last = records.last().expect("a last record");
    let parts = table("part");
    for part in ["failures", "behaviours"] {
        let objects = last[part].as_array().expect("a list");
        assert!(!objects.is_empty(), "{last}");
        for object in objects {
            assert_eq!(object.as_object().expect("an object").keys().cloned().collect::<BTreeSet<_>>(), parts[part]);
        }
    }
    let mut reasons: Vec<Value> = last["reasons"].as_array().expect("a list").clone();
    reasons.push(serde_json::to_value(Reason::NoWire { why: text("w") }).expect("JSON"));
    assert_eq!(fields_by("reason", &reasons), table("`reason` | when"));
    let place = records.iter().find(|record| record["record"] == "step_started").expect("a step")["place"].clone();
    assert_eq!(place.as_object().expect("an object").keys().collect::<Vec<_>>(), ["file", "line"]);
}

/// Words that stand in a field, listed after its name.
fn assert_words(field: &str, words: Vec<Value>) {
    let page = page().replace('\n', " ");
    let from = page.find(field).unwrap_or_else(|| panic!("the page lists {field}"));
    let listed = &page[from + field.len()..];
    let listed = &listed[..listed.find(['.', ')']).expect("a full stop")];
    let words: BTreeSet<String> = words.iter().map(|word| word.as_str().expect("a word").to_owned()).collect();
    assert_eq!(names(listed), words, "{field}");
}

fn values<T: serde::Serialize>(all: &[T]) -> Vec<Value> {
    all.iter().map(|one| serde_json::to_value(one).expect("JSON")).collect()
}

#[test]
fn every_word_stands_in_the_page() {
    use StreamName::{Debug, Error, Host, Information, Output, Prompt, Verbose, Warning};
    assert_words("`stream`:", values(&[Output, Error, Warning, Verbose, Debug, Information, Host, Prompt]));
    assert_words("`verdict`:", values(&[Verdict::Pass, Verdict::Fail, Verdict::Inconclusive, Verdict::Bug]));
    use Evidence::{Documented, Field, Inferred, Invented};
    assert_words("`evidence`, strongest first:", values(&[Documented, Field, Inferred, Invented]));
    use FailureKind::{Command, Expectation, Limit, Objective, Step};
    assert_words("in order | `kind` (", values(&[Expectation, Objective, Command, Step, Limit]));
}

/// The kinds of steps that the project's scenarios have are those that the page lists, in what they write.
#[test]
fn every_kind_of_step_stands_in_the_page() {
    let mut files = DiskFiles;
    let mut loader = Loader::new(&mut files);
    let folder = root().join("scenarios/procedures");
    let mut kinds = BTreeSet::new();
    for name in ["full-disaster-and-return", "p1-unpublished-edit-changes-nothing", "p4-failback", "p5-sip-federation", "p6-xmpp"] {
        let path = folder.join(format!("{name}.yaml"));
        let scenario = loader.load(path.to_str().expect("UTF-8")).expect("a scenario").scenario;
        let mut records: Vec<Record> = Vec::new();
        Runner::new(Options { wire: WirePolicy::Off, ..Options::default() }).run(&scenario, &mut records);
        kinds.extend(records.iter().filter_map(|record| match record {
            Record::StepStarted { kind, .. } => Some(*kind),
            _ => None,
        }));
    }
    let page = page();
    let listed = page.split("`kind` of a step:").nth(1).and_then(|rest| rest.split('.').next()).expect("the list");
    let listed = names(listed);
    for kind in &kinds {
        assert!(listed.contains(*kind), "the page does not know `{kind}`");
    }
    assert!(kinds.len() >= 6, "{kinds:?}");
}
