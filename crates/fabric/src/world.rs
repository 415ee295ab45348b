//! Faults, time, services, SQL, quorum, registration, DNS and federation: the public questions and deeds.

use firedrill_topology::RecordType;

pub(crate) mod dns;
mod engine;
pub mod event_log;
mod explain;
pub(crate) mod faults;
mod federation;
pub mod files;
mod network;
pub(crate) mod outages;
pub(crate) mod plan;
pub(crate) mod quorum;
pub(crate) mod registration;
pub(crate) mod services;
pub(crate) mod serving;
mod sign_in;
pub(crate) mod sql;
pub(crate) mod users;

pub use dns::servers::{NameServerMode, RESOLVER_TIMEOUT, ServedZones};
pub use dns::update::{Credential, DynamicUpdate, Prerequisite, Requester, UpdateAction, UpdateCode, UpdateType};
pub use dns::{CachedAnswer, DEFAULT_TTL_SECONDS, STALE_RETRY};
pub use engine::{INSTANTS_LIMIT, SETTLE_LIMIT, VIRTUAL_TIME_LIMIT};
pub use quorum::{INITIAL_PLACEMENT_TIME, QuorumRule, REPLICA_REBUILD_TIME, REPLICAS, ROUTING_GROUPS_PER_FRONT_END, quorum_rule};
pub use registration::SHORTEST_INTERVAL;
pub use services::{BOOT_TIME, FRONT_END_START_TIME, SERVICE_DRAIN_TIME, SERVICE_START_TIME, SERVICE_STOP_TIME};
pub use sql::SQL_FAILOVER_TIME;

/// Why an outside operator's DNS edit was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DnsEditError {
    /// No zone is responsible.
    #[error("no zone of this deployment holds `{0}`")]
    NoZone(String),
    /// Nothing to remove.
    #[error("there is no {record_type:?} record `{name}`")]
    NoRecord {
        /// Owner.
        name: String,
        /// Type.
        record_type: RecordType,
    },
    /// An alias beside other data, or the other way round (RFC 1034 3.6.2).
    #[error("`{0}` cannot hold an alias beside other records")]
    AliasConflict(String),
}

/// State of one side of a back end, as `Get-CsDatabaseMirrorState` shows it (dossier E.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseMirrorReport {
    /// Database, `xds`.
    pub database: &'static str,
    /// `Principal`, `Mirror` or `DatabaseInaccessibleOrMirroringNotEnabled`.
    pub state_on_primary: &'static str,
    /// The same for the mirror.
    pub state_on_mirror: &'static str,
    /// SQL's text, `synchronized`; empty when not mirrored.
    pub status_on_primary: &'static str,
    /// The same for the mirror.
    pub status_on_mirror: &'static str,
}

/// Fabric quorum of a pool (dossier B.8, B.9).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuorumReport {
    /// Front Ends in the topology.
    pub total: u32,
    /// Front Ends whose Front-End service runs.
    pub active: u32,
    /// How many must be up for a first or cold start.
    pub needed_to_start: u32,
    /// Whether the pool-level quorum holds.
    pub functional: bool,
    /// Routing groups without a primary: GUIDs.
    pub without_primary: Vec<u128>,
    /// Routing groups with a primary and fewer than two secondaries: GUID and how many secondaries.
    pub insufficient_secondaries: Vec<(u128, u32)>,
}

/// What a user can do now (dossier B.3): a row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "one column of the table each: dossier B.3")]
pub struct Experience {
    pub sign_in: bool,
    pub own_conferences: bool,
    pub others_conferences: bool,
    pub contacts: bool,
    pub presence: bool,
    pub peer_to_peer: bool,
    pub persistent_changes: bool,
}
