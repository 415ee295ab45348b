//! The event log of a run: one JSON object a line, append-only. Every report derives from it.
//!
//! Each object has `record`, which names its kind: `run_started`, `step_started`, `event`, `stream`, `remark`,
//! `unmodelled`, `expectation`, `step_ended`, `run_ended`. Times are virtual: `at` is RFC 3339 in UTC, and
//! `elapsed_ms` counts from the start of the scenario. There is no wall time and no host name in it, and file names are
//! as the user gave them; the digest leaves even these out, so that equal runs have equal digests wherever the files lie.

use std::sync::Arc;

use firedrill_fabric::{Evidence, LogEntry, SimTime};
use serde::Serialize;

use crate::document::BindingMode;
use crate::drill::StreamName;
use crate::outcome::{Failure, Reason, Verdict};

/// Version of the format of the log. Fields are only added within one version.
pub const LOG_FORMAT: u32 = 1;

/// A line of a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Place {
    /// The file, as the user named it.
    pub file: Arc<str>,
    /// Line, from 1.
    pub line: usize,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// An instant of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment {
    /// Virtual time.
    pub at: SimTime,
    /// The start of the scenario.
    pub started: SimTime,
}

impl Moment {
    /// Milliseconds since the start of the scenario.
    pub fn elapsed_ms(self) -> i64 {
        self.at.since(self.started).0 / 1_000_000
    }
}

impl Serialize for Moment {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.at)
    }
}

/// One line of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "record", rename_all = "snake_case")]
pub enum Record {
    /// The first line.
    RunStarted {
        /// [`LOG_FORMAT`].
        format: u32,
        /// Version of the engine.
        engine: &'static str,
        /// Name of the scenario.
        scenario: Arc<str>,
        /// Its file.
        file: Arc<str>,
        /// Digest of the texts of all files that take part.
        scenario_hash: String,
        /// Path of the deployment document.
        topology: Arc<str>,
        /// Tags.
        tags: Vec<Arc<str>>,
        /// Seed in force.
        seed: u64,
        /// Virtual time at the start.
        start: Moment,
        /// How command lines bind.
        binding: BindingMode,
        /// Whether real sockets take part.
        wire: bool,
        /// Why Edge Servers share one loopback address on ports of their own, when they do: the machine's doing, not the
        /// scenario's, and no part of the digest.
        wire_fallback: Option<String>,
        /// Number of steps.
        steps: usize,
    },
    /// A step begins.
    StepStarted {
        /// Number of the step, from 1.
        step: usize,
        /// Where it is written.
        place: Place,
        /// What it does: `run`, `fault`, …
        kind: &'static str,
        /// Its title, or its first line.
        title: String,
        /// When.
        at: Moment,
        /// Milliseconds since the start.
        elapsed_ms: i64,
    },
    /// Something happened in the fabric.
    Event {
        /// When.
        at: Moment,
        /// Milliseconds since the start.
        elapsed_ms: i64,
        /// What: an object with `event` and its fields.
        #[serde(flatten)]
        entry: EventEntry,
    },
    /// A step said something.
    Stream {
        /// Number of the step.
        step: usize,
        /// On which stream.
        stream: StreamName,
        /// The text; several lines are separated by `\n`.
        text: String,
    },
    /// A remark about a script.
    Remark {
        /// Number of the step.
        step: usize,
        /// Where in the file.
        place: Place,
        /// The remark.
        text: String,
    },
    /// Something known that is not modelled was used.
    Unmodelled {
        /// Number of the step.
        step: usize,
        /// Where in the file.
        place: Place,
        /// What.
        what: String,
    },
    /// An expectation was looked at.
    Expectation {
        /// Number of the step; none for expectations and objectives at the end.
        step: Option<usize>,
        /// Where it is written.
        place: Place,
        /// What was expected.
        expected: String,
        /// Whether it holds.
        holds: bool,
        /// What was found.
        found: String,
        /// Whether it is an objective.
        objective: bool,
        /// When.
        at: Moment,
        /// Milliseconds since the start.
        elapsed_ms: i64,
    },
    /// A step has ended.
    StepEnded {
        /// Number of the step.
        step: usize,
        /// Whether everything went as expected.
        passed: bool,
        /// When.
        at: Moment,
        /// Milliseconds since the start.
        elapsed_ms: i64,
        /// How long it took, in virtual milliseconds.
        took_ms: i64,
    },
    /// The last line.
    RunEnded {
        /// The verdict.
        verdict: Verdict,
        /// What failed.
        failures: Vec<Failure>,
        /// Why it cannot be told.
        reasons: Vec<Reason>,
        /// Faults of ours.
        bugs: Vec<String>,
        /// Weakest evidence class leaned on.
        evidence: Evidence,
        /// Behaviours leaned on, and wordings (`wording of …`).
        behaviours: Vec<BehaviourLine>,
        /// Virtual time at the end.
        at: Moment,
        /// Milliseconds since the start.
        elapsed_ms: i64,
        /// The command that reruns the scenario as it was run.
        rerun: String,
        /// Digest of everything before this line, without what depends on the machine: file names and `wire_fallback`.
        digest: String,
    },
}

/// The event of a log entry without its time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EventEntry {
    /// What happened.
    #[serde(flatten)]
    pub event: firedrill_fabric::Event,
}

/// A modelled behaviour and where it comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BehaviourLine {
    /// Its name.
    pub name: String,
    /// How sure we are.
    pub evidence: Evidence,
    /// Where it comes from.
    pub citation: &'static str,
    /// What it says.
    pub summary: &'static str,
}

/// Where records go.
pub trait Sink {
    /// Takes one.
    fn record(&mut self, record: &Record);
}

/// Keeps nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Discard;

impl Sink for Discard {
    fn record(&mut self, _: &Record) {}
}

impl Sink for Vec<Record> {
    fn record(&mut self, record: &Record) {
        self.push(record.clone());
    }
}

/// Passes records on and digests them.
pub(crate) struct Digesting<'s> {
    sink: &'s mut dyn Sink,
    hasher: blake3::Hasher,
}

impl<'s> Digesting<'s> {
    pub(crate) fn new(sink: &'s mut dyn Sink) -> Self {
        Self { sink, hasher: blake3::Hasher::new() }
    }

    pub(crate) fn record(&mut self, record: Record) {
        self.sink.record(&record);
        let nameless = portable(record);
        // Records always serialise: no maps with other keys than text, no foreign types.
        self.hasher.update(serde_json::to_string(&nameless).unwrap_or_default().as_bytes());
        self.hasher.update(b"\n");
    }

    pub(crate) fn digest(&self) -> [u8; 32] {
        *self.hasher.finalize().as_bytes()
    }

    /// The last record, which holds the digest and is not part of it.
    pub(crate) fn last(&mut self, record: &Record) {
        self.sink.record(record);
    }
}

/// A record without what depends on where it was made: file names, and what the machine did not give.
pub(crate) fn portable(mut record: Record) -> Record {
    match &mut record {
        Record::RunStarted { file, topology, wire_fallback, .. } => {
            *file = Arc::from("");
            *topology = Arc::from("");
            *wire_fallback = None;
        }
        Record::StepStarted { place, .. }
        | Record::Remark { place, .. }
        | Record::Unmodelled { place, .. }
        | Record::Expectation { place, .. } => place.file = Arc::from(""),
        Record::Event { .. } | Record::Stream { .. } | Record::StepEnded { .. } | Record::RunEnded { .. } => {}
    }
    record
}

/// The event of a log entry as a record.
pub(crate) fn event(entry: LogEntry, started: SimTime) -> Record {
    let at = Moment { at: entry.at, started };
    Record::Event { at, elapsed_ms: at.elapsed_ms(), entry: EventEntry { event: entry.event } }
}

/// Bytes as hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
