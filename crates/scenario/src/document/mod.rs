//! Scenario files as they are written. Every leaf that later checks point at knows its place.
//!
//! The doc comments of this module are what editors show: they become the descriptions of the JSON Schema.

mod expectation;
mod fault;
mod settings;

use firedrill_syntax::{DurationText, Located};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use expectation::*;
pub use fault::*;
pub use settings::*;

/// A scenario: what happens to a deployment, and what has to hold.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Firedrill scenario")]
pub struct ScenarioDocument {
    /// One line that says what is rehearsed.
    pub name: Located<String>,
    /// Why this scenario exists: background, sources, what to look at when it fails.
    #[serde(default)]
    pub description: Option<String>,
    /// The procedure that it rehearses, `P3`. Counts as a tag.
    #[serde(default)]
    pub procedure: Option<Located<String>>,
    /// Words to select scenarios by.
    #[serde(default)]
    pub tags: Vec<Located<String>>,
    /// Path of the deployment document, relative to this file.
    pub topology: Located<String>,
    /// What is different from the deployment document.
    #[serde(default)]
    pub overrides: Option<Overrides>,
    /// Seed of everything random; 0 when left out. `--seed` replaces it.
    #[serde(default)]
    pub seed: u64,
    /// Virtual time at the start in UTC, `2026-03-02T08:00:00Z`, which is also the default.
    #[serde(default)]
    pub start: Option<Located<String>>,
    /// How command lines bind: `default` accepts the spellings that the product's own documents print and the product
    /// does not know, with a remark; `strict` refuses them as a real shell does.
    #[serde(default)]
    pub binding: BindingMode,
    /// Whether federation and DNS are also tried over real sockets.
    #[serde(default)]
    pub wire: WireMode,
    /// Times and losses that must not be exceeded, judged at the end.
    #[serde(default)]
    pub objectives: Option<Objectives>,
    /// What happens, in order.
    pub steps: Vec<Located<StepDocument>>,
    /// What has to hold after the last step.
    #[serde(default)]
    pub expect: Vec<Located<ExpectationDocument>>,
}

/// How command lines bind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BindingMode {
    /// Spellings of the product's documents are accepted, with a remark.
    #[default]
    Default,
    /// Only what the product knows.
    Strict,
}

/// Whether federation and DNS are also tried over real sockets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WireMode {
    /// When the scenario asks about DNS or federation.
    #[default]
    Auto,
    /// Never: the model answers alone.
    Off,
}

/// One step. Exactly one of `fault`, `heal`, `wait`, `wait_until`, `run`, `topology_builder`, `deployment_wizard`, `dns`,
/// `include` says what it does; a step with `expect` alone only looks.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StepDocument {
    /// A few words for reports.
    #[serde(default)]
    pub title: Option<Located<String>>,
    /// Starts so long after the start of the scenario (inside an included file: after the include). It must not lie
    /// before the end of the previous step.
    #[serde(default)]
    pub at: Option<Located<DurationText>>,
    /// Starts so long after the end of the previous step.
    #[serde(default)]
    pub after: Option<Located<DurationText>>,

    /// Breaks something.
    #[serde(default)]
    pub fault: Option<Located<FaultDocument>>,
    /// Heals a fault: name what was broken.
    #[serde(default)]
    pub heal: Option<Located<FaultDocument>>,
    /// Lets virtual time run.
    #[serde(default)]
    pub wait: Option<Located<DurationText>>,
    /// Lets virtual time run until expectations hold.
    #[serde(default)]
    pub wait_until: Option<Located<WaitUntil>>,
    /// PowerShell, run on the computer named by `on`. Steps on one computer share a session.
    #[serde(default)]
    pub run: Option<Located<String>>,
    /// Edits the topology as the dialogs of Topology Builder do, then publishes it (see `publish`).
    #[serde(default)]
    pub topology_builder: Option<Located<SettingsDocument>>,
    /// Runs "Setup or Remove Components" of the deployment wizard on these computers; a pool means all its computers.
    #[serde(default)]
    pub deployment_wizard: Option<Located<Vec<Located<String>>>>,
    /// Edits external DNS zones, as their operator does.
    #[serde(default)]
    pub dns: Option<Located<Vec<Located<DnsEditDocument>>>>,
    /// Runs another scenario file of the same deployment here: its steps, and then what it expects at its end. Its
    /// other keys do not count.
    #[serde(default)]
    pub include: Option<Located<String>>,

    /// With `run` and `topology_builder`: the computer it runs on. Topology Builder runs on the first Front End that is
    /// up when this is left out.
    #[serde(default)]
    pub on: Option<Located<String>>,
    /// With `run`: answers to prompts, in order; a prompt beyond them is an error, and `[]` means that nobody sits at the
    /// console. When left out, somebody sits there who confirms every confirmation and answers nothing else.
    #[serde(default)]
    pub answers: Option<Located<Vec<Located<String>>>>,
    /// With `run`, `topology_builder` and `deployment_wizard`: whether an unexpected error fails the scenario.
    #[serde(default)]
    pub on_error: Option<Located<OnError>>,
    /// With `topology_builder`: publish the edits (the default). Unpublished edits wait for the next
    /// step that publishes.
    #[serde(default)]
    pub publish: Option<Located<bool>>,
    /// With `heal`: how computers come back.
    #[serde(default)]
    pub services: Option<Located<ServicesAfterHeal>>,
    /// What happens while this step runs, counted from its start.
    #[serde(default)]
    pub during: Vec<Located<DuringDocument>>,
    /// What has to hold when the step is done.
    #[serde(default)]
    pub expect: Vec<Located<ExpectationDocument>>,
}

/// Whether an unexpected error of a command fails the scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnError {
    /// It fails, and the run stops there.
    #[default]
    Fail,
    /// The error is reported and the run goes on.
    Continue,
}

/// How the computers of a healed fault come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ServicesAfterHeal {
    /// With their services starting.
    #[default]
    Automatic,
    /// With their services stopped: somebody has to start them.
    Stopped,
}

/// Expectations that are to come true.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WaitUntil {
    /// At the latest after this time; otherwise the scenario fails.
    pub within: Located<DurationText>,
    /// What has to come true, all of it at the same time.
    pub expect: Vec<Located<ExpectationDocument>>,
}

/// Something that happens while a step runs. Exactly one of `fault`, `heal` and `dns`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DuringDocument {
    /// So long after the start of the step.
    pub after: Located<DurationText>,
    /// Breaks something.
    #[serde(default)]
    pub fault: Option<Located<FaultDocument>>,
    /// Heals a fault.
    #[serde(default)]
    pub heal: Option<Located<FaultDocument>>,
    /// With `heal`: how computers come back.
    #[serde(default)]
    pub services: Option<Located<ServicesAfterHeal>>,
    /// Edits external DNS zones.
    #[serde(default)]
    pub dns: Option<Located<Vec<Located<DnsEditDocument>>>>,
}

/// What the business needs.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Objectives {
    /// Longest time during which users of any pool may be without full service.
    #[serde(default)]
    pub rto: Option<Located<DurationText>>,
    /// Largest window of lost data of any pool.
    #[serde(default)]
    pub rpo: Option<RecoveryPoints>,
    /// Objectives of single cohorts; they replace those above for their users.
    #[serde(default)]
    pub cohorts: Vec<Located<CohortObjectives>>,
}

/// Objectives of a cohort of users.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CohortObjectives {
    /// Whose.
    pub of: Located<WhoDocument>,
    /// Longest time without full service.
    #[serde(default)]
    pub rto: Option<Located<DurationText>>,
    /// Longest time until the users can sign in again at least in resiliency mode.
    #[serde(default)]
    pub resiliency_rto: Option<Located<DurationText>>,
    /// Largest window of lost data.
    #[serde(default)]
    pub rpo: Option<RecoveryPoints>,
}

/// Largest window of lost data by kind.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecoveryPoints {
    /// Contacts, schedules, settings, presence documents.
    #[serde(default)]
    pub user_data: Option<Located<DurationText>>,
    /// Content of conferences.
    #[serde(default)]
    pub conference_content: Option<Located<DurationText>>,
    /// Configuration in the Central Management Store.
    #[serde(default)]
    pub configuration: Option<Located<DurationText>>,
    /// Response Groups.
    #[serde(default)]
    pub response_groups: Option<Located<DurationText>>,
    /// Locations for emergency calls.
    #[serde(default)]
    pub locations: Option<Located<DurationText>>,
}
