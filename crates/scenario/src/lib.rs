//! Scenario files, the runner, expectations and verdicts.
//!
//! [`Loader`] reads scenario files into [`Scenario`]s and collects every problem on the way.

pub mod document;
mod files;
mod load;
mod resolve;
pub mod scenario;

pub use files::{DiskFiles, Files, MemoryFiles, ReadError};
pub use load::{Loaded, Loader, limits};
pub use resolve::DEFAULT_START;
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
