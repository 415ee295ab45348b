//! What Topology Builder edits, and what a scenario changes in its deployment before the start.

use std::collections::BTreeMap;

use firedrill_syntax::{DurationText, Located};
use schemars::JsonSchema;
use serde::Deserialize;

use super::DnsEditDocument;

/// Names to names; the word `none` takes an assignment away.
pub type Assignments = BTreeMap<Located<String>, Located<String>>;

/// Names to truth values.
pub type Switches = BTreeMap<Located<String>, Located<bool>>;

/// Settings of the topology, by the names of the dialogs.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SettingsDocument {
    /// Edge pool to the Front End pool that is its next hop.
    #[serde(default)]
    pub next_hop: Assignments,
    /// Edge pool to "Enable federation for this Edge pool (Port 5061)".
    #[serde(default)]
    pub federation: Switches,
    /// Edge pool to "Enable XMPP federation" (port 5269).
    #[serde(default)]
    pub xmpp: Switches,
    /// Front End pool to the Edge pool associated for media, or `none`.
    #[serde(default)]
    pub media_association: Assignments,
    /// Site to the Edge pool of its SIP federation route, or `none`.
    #[serde(default)]
    pub federation_route: Assignments,
    /// Site to the Edge pool of its XMPP federation route, or `none`.
    #[serde(default)]
    pub xmpp_route: Assignments,
    /// Front End pool to its backup pool, or `none`. Both directions change together.
    #[serde(default)]
    pub pairing: Assignments,
    /// Front End pool to its voice resiliency settings.
    #[serde(default)]
    pub voice_resiliency: BTreeMap<Located<String>, VoiceDocument>,
}

/// "Automatic failover and failback for Voice"; what is left out stays as it is.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VoiceDocument {
    /// The tick-box.
    #[serde(default)]
    pub automatic: Option<Located<bool>>,
    /// Voice failure detection interval.
    #[serde(default)]
    pub detection: Option<Located<DurationText>>,
    /// Voice failback interval.
    #[serde(default)]
    pub failback: Option<Located<DurationText>>,
}

/// What is different from the deployment document in this scenario.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Overrides {
    /// Settings of the topology.
    #[serde(default)]
    pub settings: SettingsDocument,
    /// Pool with the active Central Management Store.
    #[serde(default)]
    pub cms: Option<Located<String>>,
    /// Pool with the standby database of the Central Management Store, or `none`.
    #[serde(default)]
    pub cms_standby: Option<Located<String>>,
    /// TTL of every record of every external zone.
    #[serde(default)]
    pub ttl: Option<Located<DurationText>>,
    /// Edits of external zones, after `ttl`.
    #[serde(default)]
    pub dns: Vec<Located<DnsEditDocument>>,
    /// Domain of a federated partner to the settings of its resolver.
    #[serde(default)]
    pub partner_resolver: BTreeMap<Located<String>, ResolverDocument>,
}

/// How a partner's resolver treats TTLs; what is left out stays as it is.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResolverDocument {
    /// Longest time an answer is kept.
    #[serde(default)]
    pub max_ttl: Option<Located<DurationText>>,
    /// Shortest time an answer is kept.
    #[serde(default)]
    pub min_ttl: Option<Located<DurationText>>,
    /// Longest time "there is no such name" is kept.
    #[serde(default)]
    pub max_negative_ttl: Option<Located<DurationText>>,
}
