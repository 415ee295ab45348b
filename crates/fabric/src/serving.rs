//! Who is served by which pool, and how fully (dossier 0.2, B).

use firedrill_topology::{ComputerId, PoolId, UserId};

use crate::time::{SimDuration, SimTime};

/// How fully a user is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ServiceMode {
    /// Everything works.
    Regular,
    /// Survivable, limited functionality (dossier B.3, B.4).
    Resiliency,
    /// Cannot sign in.
    SignedOut,
}

/// The service that one user, or a group of users alike, gets now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Serving {
    /// How fully.
    pub mode: ServiceMode,
    /// By which pool; none when signed out.
    pub pool: Option<PoolId>,
    /// Why, as the short name of a rule.
    pub cause: ServingCause,
}

/// Why users get the service they get; each is one rule of the dossier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ServingCause {
    /// The home pool is well.
    HomePoolHealthy,
    /// The home pool is gone; the backup pool has not noticed yet (B.2).
    DetectionInterval,
    /// The home pool is gone and there is no backup registrar, no automatic failover, or it is down too.
    NoBackupRegistrar,
    /// The backup registrar took over (B.2).
    VoiceResiliency,
    /// A pool failover is under way (B.3).
    FailingOver,
    /// A pool failover has completed.
    FailedOver,
    /// A pool failback is under way (B.3).
    FailingBack,
    /// The home pool is back, but the backup registrar keeps its users for the failback interval (B.2).
    FailbackInterval,
    /// The back end has been unreachable for longer than the threshold (E.5).
    BackEndUnavailable,
    /// The user's routing group has no primary (B.9).
    RoutingGroupNoPrimary,
    /// The user's routing group has a primary and no secondaries (B.9).
    RoutingGroupNoSecondaries,
    /// Pool-level quorum loss: the remaining Front Ends stopped (B.8).
    PoolQuorumLost,
    /// Services of the home pool have not started.
    ServicesNotRunning,
    /// The backup pool, which serves after a failover, is itself not in service.
    BackupPoolUnavailable,
}

/// Users of one pool, counted by the service they get; parts with no users are left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolServing {
    /// The home pool.
    pub home: PoolId,
    /// Number of users homed there now.
    pub users: u32,
    /// Parts in order of mode and pool.
    pub parts: Vec<(Serving, u32)>,
}

/// A time during which users were not all served in full.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outage {
    /// When the first user lost regular service.
    pub began: SimTime,
    /// Since when none of them has been signed out, in resiliency mode or better; `None` while somebody is.
    pub signed_in: Option<SimTime>,
    /// When the last user was regular again; `None` while it lasts.
    pub ended: Option<SimTime>,
    /// User-time signed out: users × nanoseconds, summed in whole seconds.
    pub signed_out_user_seconds: u64,
    /// User-time in resiliency mode, in user-seconds.
    pub resiliency_user_seconds: u64,
}

/// Kinds of data with a recovery point of their own (dossier A.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DataKind {
    /// Contacts, schedules, settings, presence documents.
    UserData,
    /// Conference content.
    ConferenceContent,
    /// CMS configuration.
    Configuration,
    /// Response Groups.
    ResponseGroups,
    /// Locations (E911).
    Locations,
}

/// Data written in this window before the switch is missing afterwards (dossier A.6).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataLoss {
    /// Whose data: of the users homed there at that time.
    pub pool: PoolId,
    /// The one user whose data it was; `None` when it was everybody's.
    pub user: Option<UserId>,
    /// Which.
    pub kind: DataKind,
    /// Length of the window; `None` when all of it is missing (not replicated at all).
    pub window: Option<SimDuration>,
    /// When the loss became final.
    pub at: SimTime,
}

/// Fields of `Get-CsUserPoolInfo` (dossier B.5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserPoolInfo {
    /// Home pool.
    pub primary: PoolId,
    /// Its backup pool.
    pub backup: Option<PoolId>,
    /// Front Ends of the home pool in the user's preferred order.
    pub primary_machines: Vec<ComputerId>,
    /// Front Ends of the backup pool in the user's preferred order.
    pub backup_machines: Vec<ComputerId>,
}
