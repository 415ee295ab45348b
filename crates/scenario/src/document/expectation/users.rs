//! Expectations about users: homes, service, abilities.

use firedrill_syntax::Located;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A selection of users.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum WhoDocument {
    /// One user, by SIP address.
    User(Located<String>),
    /// A range of users, by the SIP addresses of the first and the last one.
    Users(UserRange),
    /// All users homed on a pool now.
    Pool(Located<String>),
}

/// A range of users in the order of the deployment document.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UserRange {
    /// The first one.
    pub from: Located<String>,
    /// The last one.
    pub to: Located<String>,
}

/// Home pool.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HomingExpectation {
    /// Whose. `{ pool: … }` asks how many users are homed there (see `count`).
    pub of: Located<WhoDocument>,
    /// The pool.
    #[serde(default)]
    pub pool: Option<Located<String>>,
    /// How many of them; all when left out.
    #[serde(default)]
    pub count: Option<Located<u32>>,
}

/// How fully users are served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ModeDocument {
    /// Everything works.
    Regular,
    /// Survivable: limited functionality.
    Resiliency,
    /// Cannot sign in.
    SignedOut,
}

/// Service of users.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServingExpectation {
    /// Whose.
    pub of: Located<WhoDocument>,
    /// How fully.
    pub mode: Located<ModeDocument>,
    /// The pool that serves.
    #[serde(default)]
    pub by: Option<Located<String>>,
    /// How many of them, exactly; all when left out.
    #[serde(default)]
    pub count: Option<Located<u32>>,
    /// At least so many of them.
    #[serde(default)]
    pub at_least: Option<Located<u32>>,
    /// At most so many of them.
    #[serde(default)]
    pub at_most: Option<Located<u32>>,
    /// The rule that decides, `voice_resiliency`.
    #[serde(default)]
    pub cause: Option<Located<CauseDocument>>,
}

/// Why users get the service they get.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CauseDocument {
    /// The home pool is well.
    HomePoolHealthy,
    /// The home pool is gone; the backup pool has not noticed yet.
    DetectionInterval,
    /// The home pool is gone and no backup registrar takes over.
    NoBackupRegistrar,
    /// The backup registrar took over.
    VoiceResiliency,
    /// A pool failover is under way.
    FailingOver,
    /// A pool failover has completed.
    FailedOver,
    /// A pool failback is under way.
    FailingBack,
    /// The home pool is back; the failback interval runs.
    FailbackInterval,
    /// The back end has been unreachable for longer than the threshold.
    BackEndUnavailable,
    /// The routing group has no primary.
    RoutingGroupNoPrimary,
    /// The routing group has a primary and no secondaries.
    RoutingGroupNoSecondaries,
    /// The pool lost its quorum and stopped.
    PoolQuorumLost,
    /// Services of the home pool have not started.
    ServicesNotRunning,
    /// The backup pool that should serve is itself not in service.
    BackupPoolUnavailable,
}

/// What a user can do; what is left out is not looked at.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExperienceExpectation {
    /// SIP address of the user.
    pub user: Located<String>,
    /// Sign in.
    #[serde(default)]
    pub sign_in: Option<Located<bool>>,
    /// Conferences of the user's own.
    #[serde(default)]
    pub own_conferences: Option<Located<bool>>,
    /// Join conferences of others.
    #[serde(default)]
    pub others_conferences: Option<Located<bool>>,
    /// Contacts and address book.
    #[serde(default)]
    pub contacts: Option<Located<bool>>,
    /// Presence.
    #[serde(default)]
    pub presence: Option<Located<bool>>,
    /// Peer-to-peer sessions.
    #[serde(default)]
    pub peer_to_peer: Option<Located<bool>>,
    /// Changes that last, such as a new contact.
    #[serde(default)]
    pub persistent_changes: Option<Located<bool>>,
}
