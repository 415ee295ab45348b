//! Expectations about time and loss.

use firedrill_syntax::{DurationText, Located};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::WhoDocument;

/// Time without service; the longest outage counts, one that still lasts until now.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RtoExpectation {
    /// Whose.
    pub of: Located<WhoDocument>,
    /// Until when.
    #[serde(default)]
    pub until: UntilDocument,
    /// At most so long, and over by now.
    #[serde(default)]
    pub at_most: Option<Located<DurationText>>,
    /// At least so long.
    #[serde(default)]
    pub at_least: Option<Located<DurationText>>,
}

/// End of an outage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum UntilDocument {
    /// The last user has full service again.
    #[default]
    Regular,
    /// Nobody is signed out any more: all are in resiliency mode or better.
    Resiliency,
}

/// Lost data; the longest window counts.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RpoExpectation {
    /// Whose.
    pub of: Located<WhoDocument>,
    /// Which data.
    pub data: Located<DataDocument>,
    /// At most this window is lost.
    #[serde(default)]
    pub at_most: Option<Located<DurationText>>,
    /// At least this window is lost.
    #[serde(default)]
    pub at_least: Option<Located<DurationText>>,
}

/// Kinds of data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DataDocument {
    /// Contacts, schedules, settings, presence documents.
    UserData,
    /// Content of conferences.
    ConferenceContent,
    /// Configuration in the Central Management Store.
    Configuration,
    /// Response Groups.
    ResponseGroups,
    /// Locations for emergency calls.
    Locations,
}

/// Virtual time that a step took.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TookExpectation {
    /// At most.
    #[serde(default)]
    pub at_most: Option<Located<DurationText>>,
    /// At least.
    #[serde(default)]
    pub at_least: Option<Located<DurationText>>,
}
