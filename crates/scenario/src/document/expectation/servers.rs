//! Expectations about servers: configuration store, replicas, backup, services, databases, quorum.

use std::collections::BTreeMap;

use firedrill_syntax::Located;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::SettingsDocument;

/// The Central Management Store; what is left out is not looked at.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CmsExpectation {
    /// The active master: a computer, a pool that it belongs to, or `none`.
    #[serde(default)]
    pub master: Option<Located<String>>,
    /// The active file transfer agents: a computer, a pool that all of them belong to, or `none`.
    #[serde(default)]
    pub file_transfer_agents: Option<Located<String>>,
    /// Pool to the state of the database in its back end; `none` when there is none.
    #[serde(default)]
    pub databases: BTreeMap<Located<String>, Located<CmsDatabaseDocument>>,
    /// Where Active Directory says that the store is: `sql1.contoso.com\rtc`.
    #[serde(default)]
    pub store_location: Option<Located<String>>,
}

/// State of a database of the Central Management Store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CmsDatabaseDocument {
    /// Active (`CurrentState` 0).
    Active,
    /// Backup (`CurrentState` 3).
    Backup,
    /// Freshly created.
    Empty,
    /// There is no database.
    None,
}

/// Replicas.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReplicasExpectation {
    /// Which: computers, pools, Edge pools or sites; all replicas when left out.
    #[serde(default)]
    pub of: Vec<Located<String>>,
    /// Whether the master has their confirmation of the newest version (`UpToDate`).
    #[serde(default)]
    pub up_to_date: Option<Located<bool>>,
    /// Whether the document they hold is the newest one.
    #[serde(default)]
    pub version: Option<Located<ReplicaVersionDocument>>,
    /// `ProductVersion` they reported, or `none`.
    #[serde(default)]
    pub product_version: Option<Located<String>>,
}

/// The document that a replica holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReplicaVersionDocument {
    /// The same as in the active database.
    Current,
    /// An older one.
    Behind,
}

/// `PoolState`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum PoolStateDocument {
    /// Serves its own users.
    Active,
    /// A failover has begun and not ended.
    FailingOver,
    /// The backup pool serves its users in full.
    FailedOver,
    /// A failback has begun and not ended.
    FailedBack,
}

/// The Backup Service of a pool; what is left out is not looked at.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BackupExpectation {
    /// Whose status, in the direction from this pool to its partner.
    pub pool: Located<String>,
    /// One module, `PresenceFocus` or `UserServices.PresenceFocus`; all that were ever initialised when left out.
    #[serde(default)]
    pub module: Option<Located<String>>,
    /// Export states that are right.
    #[serde(default)]
    pub export: Vec<Located<ExportDocument>>,
    /// Import state.
    #[serde(default)]
    pub import: Option<Located<ImportDocument>>,
    /// Whether the pool has a Backup Service that answers.
    #[serde(default)]
    pub available: Option<Located<bool>>,
}

/// Export states.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum ExportDocument {
    /// Nothing left to ship.
    FinalState,
    /// Everything changed is shipped within the interval.
    SteadyState,
    /// Behind.
    NonSteadyState,
    /// Never initialised.
    NotInitialized,
    /// Export fails.
    ErrorState,
}

/// Import states.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum ImportDocument {
    /// Fine.
    NormalState,
    /// Import fails.
    ErrorState,
}

/// Windows services.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServicesExpectation {
    /// Computers; a pool means all its computers.
    pub on: Vec<Located<String>>,
    /// Short names, `RTCSRV`; all that are installed when left out.
    #[serde(default)]
    pub names: Vec<Located<String>>,
    /// Their status.
    pub status: Located<ServiceStatusDocument>,
    /// Whether they are disabled.
    #[serde(default)]
    pub disabled: Option<Located<bool>>,
}

/// Status of a Windows service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum ServiceStatusDocument {
    /// Serves.
    Running,
    /// Does not run.
    Stopped,
    /// Waits, for quorum or for time.
    StartPending,
    /// Draining or ending.
    StopPending,
    /// There is no such service on the computer.
    NotInstalled,
}

/// Settings in the replica of a computer.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReplicaSettingsExpectation {
    /// The computer.
    pub on: Located<String>,
    /// The settings.
    pub settings: SettingsDocument,
}

/// Where a pool's databases are served from; what is left out is not looked at.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PrincipalExpectation {
    /// The pool.
    pub pool: Located<String>,
    /// Which databases.
    #[serde(default)]
    pub databases: DatabasesDocument,
    /// Side of the mirror, by the names of the topology.
    #[serde(default)]
    pub side: Option<Located<SideDocument>>,
    /// Instance that answers, `sql1.contoso.com\rtc`, or `none`.
    #[serde(default)]
    pub instance: Option<Located<String>>,
}

/// Groups of databases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
pub enum DatabasesDocument {
    /// rtcxds, rtcshared, rtcab.
    #[default]
    User,
    /// rgsconfig, rgsdyn, cpsdyn.
    Application,
    /// xds, lis.
    CentralMgmt,
    /// LcsCDR, QoEMetrics.
    Monitoring,
    /// LcsLog.
    Archiving,
}

/// Side of a mirror.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SideDocument {
    /// The primary back end of the topology.
    Primary,
    /// The mirror back end of the topology.
    Mirror,
}

/// Fabric quorum; what is left out is not looked at.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct QuorumExpectation {
    /// The pool.
    pub pool: Located<String>,
    /// Whether the pool-level quorum holds.
    #[serde(default)]
    pub functional: Option<Located<bool>>,
    /// Front Ends whose Front-End service runs.
    #[serde(default)]
    pub active: Option<Located<u32>>,
    /// Number of routing groups without a primary.
    #[serde(default)]
    pub without_primary: Option<Located<u32>>,
}
