//! The records of one run, folded into what reports show.

use std::sync::Arc;

use firedrill_fabric::Evidence;
use firedrill_scenario::record::Place;
use firedrill_scenario::{Failure, Reason, Record, Sink, StreamName, Verdict};

/// One run.
#[derive(Debug, Clone, Default)]
pub struct RunReport {
    /// Name of the scenario.
    pub scenario: Arc<str>,
    /// Its file.
    pub file: Arc<str>,
    /// Seed in force.
    pub seed: u64,
    /// Whether real sockets took part.
    pub wire: bool,
    /// Why Edge Servers shared one loopback address, when they did.
    pub wire_fallback: Option<String>,
    /// The verdict; none while the run lasts.
    pub verdict: Option<Verdict>,
    /// What failed.
    pub failures: Vec<Failure>,
    /// Why it cannot be told.
    pub reasons: Vec<Reason>,
    /// Faults of ours.
    pub bugs: Vec<String>,
    /// Weakest evidence class leaned on.
    pub evidence: Option<Evidence>,
    /// Names of the behaviours of that class.
    pub weakest: Vec<String>,
    /// Virtual time from start to end, in milliseconds.
    pub elapsed_ms: i64,
    /// The command that reruns it.
    pub rerun: String,
    /// Digest of the log.
    pub digest: String,
    /// Steps, in order.
    pub steps: Vec<StepReport>,
    /// Expectations and objectives at the end.
    pub at_the_end: Vec<ExpectationReport>,
}

/// One step.
#[derive(Debug, Clone)]
pub struct StepReport {
    /// Number, from 1.
    pub number: usize,
    /// Where it is written.
    pub place: Place,
    /// What it does, in the words of records: `run`, `fault`, `end_of_include`.
    pub kind: &'static str,
    /// In how many included files it stands.
    pub depth: usize,
    /// Its title.
    pub title: String,
    /// Virtual milliseconds from the start of the scenario to its start.
    pub started_ms: i64,
    /// Virtual milliseconds it took.
    pub took_ms: i64,
    /// What happened and what was said, in order: virtual milliseconds since the start where known, and a line of text.
    pub lines: Vec<(Option<i64>, String)>,
    /// Remarks about its script: what a real shell would say, which name may have been meant.
    pub remarks: Vec<String>,
    /// What was expected after it.
    pub expectations: Vec<ExpectationReport>,
}

/// One expectation.
#[derive(Debug, Clone)]
pub struct ExpectationReport {
    /// Where it is written.
    pub place: Place,
    /// What was expected.
    pub expected: String,
    /// Whether it holds.
    pub holds: bool,
    /// What was found.
    pub found: String,
    /// Whether it is an objective.
    pub objective: bool,
}

impl RunReport {
    /// All expectations of the run, with the step they belong to.
    pub fn expectations(&self) -> impl Iterator<Item = (Option<&StepReport>, &ExpectationReport)> {
        let of_steps = self.steps.iter().flat_map(|step| step.expectations.iter().map(move |expectation| (Some(step), expectation)));
        of_steps.chain(self.at_the_end.iter().map(|expectation| (None, expectation)))
    }

    /// An event as a line; services of one computer and computers that change alike at one instant share a line.
    fn event(&mut self, elapsed_ms: i64, event: &firedrill_fabric::Event) {
        let (head, member) = match event {
            firedrill_fabric::Event::StateChanged { kind, subject, state } if kind == "service" => match subject.split_once(" on ") {
                Some((service, computer)) => (format!("services on {computer}, {state}: "), service),
                None => return self.line(Some(elapsed_ms), event_text(event)),
            },
            firedrill_fabric::Event::StateChanged { kind, subject, state } if kind == "computer" => {
                (format!("computers, {state}: "), &**subject)
            }
            other => return self.line(Some(elapsed_ms), event_text(other)),
        };
        let lines = self.steps.last_mut().map(|step| &mut step.lines);
        let same = lines.and_then(|lines| {
            lines.iter_mut().rev().take_while(|(at, _)| *at == Some(elapsed_ms)).find(|(_, text)| text.starts_with(&head))
        });
        match same {
            Some((_, text)) => {
                text.push_str(", ");
                text.push_str(member);
            }
            None => self.line(Some(elapsed_ms), head + member),
        }
    }

    /// Depth of the step that begins now.
    fn depth_of(&self, kind: &str) -> usize {
        let before = self.steps.last().map_or(0, |step| step.depth + usize::from(step.kind == "include"));
        if kind == "end_of_include" { before.saturating_sub(1) } else { before }
    }

    fn line(&mut self, elapsed_ms: Option<i64>, text: String) {
        if let Some(step) = self.steps.last_mut() {
            step.lines.push((elapsed_ms, text));
        }
    }
}

impl Sink for RunReport {
    fn record(&mut self, record: &Record) {
        match record {
            Record::RunStarted { scenario, file, seed, wire, wire_fallback, .. } => {
                self.scenario = scenario.clone();
                self.file = file.clone();
                self.seed = *seed;
                self.wire = *wire;
                self.wire_fallback.clone_from(wire_fallback);
            }
            Record::StepStarted { step, place, kind, title, elapsed_ms, .. } => self.steps.push(StepReport {
                number: *step,
                place: place.clone(),
                kind,
                depth: self.depth_of(kind),
                title: title.clone(),
                started_ms: *elapsed_ms,
                took_ms: 0,
                lines: Vec::new(),
                remarks: Vec::new(),
                expectations: Vec::new(),
            }),
            Record::Event { elapsed_ms, entry, .. } => self.event(*elapsed_ms, &entry.event),
            Record::Stream { stream, text, .. } => text.lines().for_each(|line| self.line(None, format!("{}{line}", prefix(*stream)))),
            Record::Remark { place, text, .. } => {
                self.line(None, format!("remark ({place}): {text}"));
                if let Some(step) = self.steps.last_mut() {
                    step.remarks.push(text.clone());
                }
            }
            Record::Unmodelled { place, what, .. } => self.line(None, format!("not modelled ({place}): {what}")),
            Record::Expectation { step, place, expected, holds, found, objective, .. } => {
                let report = ExpectationReport {
                    place: place.clone(),
                    expected: expected.clone(),
                    holds: *holds,
                    found: found.clone(),
                    objective: *objective,
                };
                match step.and_then(|number| self.steps.iter_mut().rev().find(|step| step.number == number)) {
                    Some(step) => step.expectations.push(report),
                    None => self.at_the_end.push(report),
                }
            }
            Record::StepEnded { took_ms, .. } => {
                if let Some(step) = self.steps.last_mut() {
                    step.took_ms = *took_ms;
                }
            }
            Record::RunEnded { verdict, failures, reasons, bugs, evidence, behaviours, elapsed_ms, rerun, digest, .. } => {
                self.verdict = Some(*verdict);
                self.failures.clone_from(failures);
                self.reasons.clone_from(reasons);
                self.bugs.clone_from(bugs);
                self.evidence = Some(*evidence);
                self.weakest = behaviours.iter().filter(|line| line.evidence == *evidence).map(|line| line.name.clone()).collect();
                self.elapsed_ms = *elapsed_ms;
                self.rerun.clone_from(rerun);
                self.digest.clone_from(digest);
            }
        }
    }
}

/// What the console of PowerShell puts before each line of a stream.
fn prefix(stream: StreamName) -> &'static str {
    match stream {
        StreamName::Warning => "WARNING: ",
        StreamName::Verbose => "VERBOSE: ",
        StreamName::Debug => "DEBUG: ",
        StreamName::Output | StreamName::Error | StreamName::Information | StreamName::Host | StreamName::Prompt => "",
    }
}

/// An event in one line.
pub fn event_text(event: &firedrill_fabric::Event) -> String {
    use firedrill_fabric::Event;
    match event {
        Event::FaultInjected { fault } => format!("fault: {fault}"),
        Event::FaultHealed { fault } => format!("healed: {fault}"),
        Event::OperationStarted { operation, subject } => format!("{operation} of {subject} started"),
        Event::OperationPhase { operation, subject, phase } => format!("{operation} of {subject}: {phase}"),
        Event::OperationEnded { operation, subject, error: None } => format!("{operation} of {subject} succeeded"),
        Event::OperationEnded { operation, subject, error: Some(error) } => format!("{operation} of {subject} failed: {error}"),
        Event::ServiceChanged { pool, users, from, to } => format!("{users} users of {pool}: {from} → {to}"),
        Event::StateChanged { kind, subject, state } => format!("{kind} {subject}: {state}"),
        Event::DnsUpdate { zone, by, what, outcome, serial } => format!("dns update of {zone} by {by}: {what}: {outcome}; serial {serial}"),
    }
}
