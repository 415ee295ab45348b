//! How a run ended.

use firedrill_fabric::{Behaviour, Evidence, SimTime};
use serde::Serialize;

use crate::drill::Bug;
use crate::record::{BehaviourLine, Place};

/// Verdict on a scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Everything held.
    Pass,
    /// It cannot be told: something is not modelled, or the evidence is too weak.
    Inconclusive,
    /// Something did not hold.
    Fail,
    /// A fault of ours.
    Bug,
}

impl Verdict {
    /// Exit code of a run with this as its worst verdict.
    pub fn exit_code(self) -> i32 {
        match self {
            Self::Pass => 0,
            Self::Fail => 1,
            Self::Inconclusive => 5,
            Self::Bug => 70,
        }
    }

    /// One word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Inconclusive => "inconclusive",
            Self::Fail => "fail",
            Self::Bug => "bug",
        }
    }
}

/// What kind of thing failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// An expectation does not hold.
    Expectation,
    /// An objective is missed.
    Objective,
    /// A command, Topology Builder or the wizard ended in an error that nobody expected.
    Command,
    /// A step could not be done: its computer is off, its time has passed, its edit was refused.
    Step,
    /// A limit was hit.
    Limit,
}

/// A failure, with everything that the failure page shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// What kind of thing.
    pub kind: FailureKind,
    /// What was expected.
    pub expected: String,
    /// What was found.
    pub found: String,
    /// Virtual time, RFC 3339 in UTC.
    pub at: String,
    /// Milliseconds since the start of the scenario.
    pub elapsed_ms: i64,
    /// Where the expectation or the command is written.
    pub place: Place,
    /// Number of the step, from 1; none at the end of the scenario.
    pub step: Option<usize>,
    /// Title of the step, or its first line.
    pub step_title: Option<String>,
    /// Where the step is written.
    pub step_place: Option<Place>,
    /// State that explains it, most telling first.
    pub explain: Vec<String>,
    /// The command that reruns the scenario.
    pub rerun: String,
}

/// Why a run is inconclusive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum Reason {
    /// Something known is not modelled.
    Unmodelled {
        /// What.
        what: String,
        /// Where it was used.
        place: Place,
    },
    /// The evidence is weaker than asked for.
    WeakEvidence {
        /// The behaviour.
        behaviour: String,
        /// How sure we are of it.
        evidence: Evidence,
        /// What it says.
        summary: &'static str,
        /// Where it comes from.
        citation: &'static str,
    },
    /// The wire was asked for and could not be had.
    NoWire {
        /// Why.
        why: String,
    },
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unmodelled { what, place } => write!(f, "{place}: {what} is not modelled"),
            Self::WeakEvidence { behaviour, evidence, summary, citation } => {
                write!(f, "{behaviour} is {evidence:?} only: {summary} ({citation})")
            }
            Self::NoWire { why } => write!(f, "real sockets could not be used: {why}"),
        }
    }
}

/// How a run ended.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The verdict.
    pub verdict: Verdict,
    /// What failed, in order; the first one is where it went wrong.
    pub failures: Vec<Failure>,
    /// Why it cannot be told.
    pub reasons: Vec<Reason>,
    /// Faults of ours.
    pub bugs: Vec<Bug>,
    /// Weakest evidence class leaned on.
    pub evidence: Evidence,
    /// Behaviours leaned on, in order of declaration.
    pub behaviours: Vec<Behaviour>,
    /// Texts of the product on whose wording an expectation leaned.
    pub wordings: Vec<BehaviourLine>,
    /// Seed in force.
    pub seed: u64,
    /// Virtual time at the start.
    pub started: SimTime,
    /// Virtual time at the end.
    pub ended: SimTime,
    /// Steps that were begun.
    pub steps_run: usize,
    /// Expectations and objectives looked at.
    pub expectations: usize,
    /// Digest of the event log.
    pub digest: [u8; 32],
    /// Whether real sockets took part.
    pub wire: bool,
    /// Why Edge Servers shared one loopback address, when they did.
    pub wire_fallback: Option<String>,
}
