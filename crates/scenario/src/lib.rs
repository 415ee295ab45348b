//! Scenario files, the runner, expectations and verdicts.
//!
//! [`Loader`] reads scenario files into [`Scenario`]s and collects every problem on the way. [`Runner`] runs them and
//! gives an [`Outcome`]; what happens goes as [`Record`]s to a [`Sink`]. Underneath is [`Drill`], a rehearsal in progress,
//! which tests and tools also drive by hand.

pub mod document;
pub mod drill;
mod files;
mod load;
mod naming;
pub mod outcome;
pub mod record;
mod resolve;
mod runner;
pub mod scenario;

pub use drill::{Drill, DrillError, Finding, Said, Snapshot, StreamName, describe};
pub use files::{DiskFiles, Files, MemoryFiles, ReadError};
pub use load::{Loaded, Loader, limits, read_expectations, read_steps, read_topology};
pub use naming::title_of;
pub use outcome::{Failure, FailureKind, Outcome, Reason, Verdict};
pub use record::{Record, Sink};
pub use resolve::DEFAULT_START;
pub use runner::{Determinism, Options, Runner, WirePolicy};
pub use scenario::{Check, Expectation, Origin, Scenario, Step};

/// JSON Schema (draft 2020-12) of scenario files.
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(document::ScenarioDocument).to_value()
}

/// The schema as the committed file `schemas/scenario.schema.json` holds it.
pub fn schema_text() -> String {
    // Values of serde_json always print.
    serde_json::to_string_pretty(&schema()).unwrap_or_default() + "\n"
}
