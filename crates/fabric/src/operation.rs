//! Operations: what administrators start, and how it ended.
//!
//! An operation that takes time is a process: data, not code, so that a fabric can be cloned in the middle of one.

use firedrill_topology::{ComputerId, EdgePoolId, PoolId, Topology, UserId};

use crate::administration;
use crate::config::Configuration;
use crate::evidence::Evidence;
use crate::service::ServiceName;
use crate::time::{SimDuration, SimTime};

/// Who runs an operation, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Caller {
    /// The computer whose shell runs it.
    pub computer: ComputerId,
}

/// A running operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProcessId(pub u64);

/// What administrators can start.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Operation {
    /// `Invoke-CsPoolFailOver` (dossier C).
    PoolFailover(PoolFailover),
    /// `Invoke-CsPoolFailBack` (dossier C).
    PoolFailback(PoolFailback),
    /// `Backup-CsPool` (dossier A.5).
    PoolBackup(PoolBackup),
    /// `Invoke-CsManagementServerFailover` (dossier D.5).
    CmsFailover(CmsFailover),
    /// `Move-CsManagementServer` (dossier D.6).
    MoveCms {
        /// `-Force`: the source is offline.
        force: bool,
        /// Path of the configuration export in the virtual file system, for `-Force`.
        configuration_file: Option<String>,
        /// Path of the LIS export, for `-Force`.
        lis_file: Option<String>,
    },
    /// `Install-CsDatabase -CentralManagementDatabase` (dossier D.7).
    InstallCmsDatabase {
        /// `-SqlServerFqdn`.
        sql_server: String,
        /// `-SqlInstanceName`; empty for the default instance.
        instance: String,
        /// `-Clean`.
        clean: bool,
        /// `-Backup`: create it as standby.
        standby: bool,
    },
    /// `Set-CsConfigurationStoreLocation` (dossier D.8).
    SetConfigurationStoreLocation {
        /// `-SqlServerFqdn`.
        sql_server: String,
        /// `-SqlInstanceName`.
        instance: String,
    },
    /// `Import-CsConfiguration` into the active store (dossier D.8); the document is already read.
    ImportConfiguration {
        /// The imported document.
        configuration: Box<Configuration>,
        /// `-LocalStore`: into the replica of the caller's computer instead.
        local_store: bool,
    },
    /// `Invoke-CsManagementStoreReplication` (dossier D.2): returns at once, replication runs on.
    Replicate {
        /// One replica, or all.
        replica: Option<ComputerId>,
    },
    /// `Publish-CsTopology` and Topology Builder's Publish (dossier H).
    Publish {
        /// The edited document.
        draft: Box<Configuration>,
        /// Topology Builder also activates (`Enable-CsTopology`); `Publish-CsTopology` alone does not.
        enable: bool,
    },
    /// `Enable-CsTopology` (dossier H).
    EnableTopology,
    /// Deployment wizard "Setup or Remove Components", `Bootstrapper /Setup`, on one computer (dossier H).
    RunSetup {
        /// The computer.
        computer: ComputerId,
    },
    /// `Invoke-CsBackupServiceSync` (dossier A.5): asks for a sync now; it runs on after the command returns.
    BackupSync {
        /// Whose data is pushed.
        pool: PoolId,
        /// One module, or all.
        module: Option<BackupModule>,
    },
    /// `Move-CsUser` (dossier B.5).
    MoveUser {
        /// Who.
        user: UserId,
        /// Where to.
        target: PoolId,
        /// `-Force`: the account only, contacts and meetings are lost.
        force: bool,
    },
    /// `Invoke-CsDatabaseFailover` (dossier E.2).
    DatabaseFailover {
        /// Whose databases.
        pool: PoolId,
        /// Which group.
        databases: DatabaseGroup,
        /// `-NewPrincipal`.
        new_principal: MirrorSide,
        /// `-Force`: the principal is inaccessible.
        force: bool,
    },
    /// `Start-CsWindowsService` (dossier G.1).
    StartServices {
        /// The computer.
        computer: ComputerId,
        /// One service, or all.
        service: Option<ServiceName>,
        /// `-NoWait`.
        no_wait: bool,
    },
    /// `Stop-CsWindowsService` (dossier G.1).
    StopServices {
        /// The computer.
        computer: ComputerId,
        /// One service, or all.
        service: Option<ServiceName>,
        /// `-Graceful`: drain first.
        graceful: bool,
        /// `-NoWait`.
        no_wait: bool,
    },
    /// `Stop-CsWindowsService` with `-LeaveClsAgentRunning` or `-LeaveWebServerRunning`: all services but some
    /// (dossier G.1).
    StopServicesExcept {
        /// The computer.
        computer: ComputerId,
        /// What stays as it is.
        leave: Vec<ServiceName>,
        /// `-Graceful`: drain first.
        graceful: bool,
        /// `-NoWait`.
        no_wait: bool,
    },
    /// `Invoke-CsComputerFailOver` (dossier G.3).
    ComputerFailover {
        /// The Front End.
        computer: ComputerId,
        /// `-NoStop`.
        no_stop: bool,
        /// `-Force`: skip the capacity check.
        force: bool,
        /// `-WaitTime`; one hour by default.
        wait: SimDuration,
        /// `-DrainingTimeout`: after it conferences and sessions are ended instead of awaited.
        draining: Option<SimDuration>,
    },
    /// `Invoke-CsComputerFailBack` (dossier G.3).
    ComputerFailback {
        /// The Front End.
        computer: ComputerId,
        /// `-NoStart`.
        no_start: bool,
        /// `-WaitTime`; one hour by default.
        wait: SimDuration,
    },
    /// `Reset-CsPoolRegistrarState` (dossier B.9).
    ResetPoolRegistrarState {
        /// The pool.
        pool: PoolId,
        /// `-ResetType`.
        kind: RegistrarReset,
        /// `-NoReStart`.
        no_restart: bool,
    },
    /// `Start-CsPool` (dossier B.9).
    StartPool {
        /// The pool.
        pool: PoolId,
        /// `-SkipServer`.
        skip: Vec<ComputerId>,
        /// `-QuorumLossRecovery`.
        quorum_loss_recovery: bool,
        /// `-Force`.
        force: bool,
    },
}

/// `Invoke-CsPoolFailOver` (dossier C.1).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PoolFailover {
    /// The pool failed from.
    pub pool: PoolId,
    /// `-DisasterMode`.
    pub disaster: bool,
    /// `-Force`.
    pub force: bool,
    /// `-SkipDataVerification`.
    pub skip_verification: bool,
    /// `-WaitTime`.
    pub wait: Option<SimDuration>,
}

/// `Invoke-CsPoolFailBack` (dossier C.1).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PoolFailback {
    /// The pool that was failed from.
    pub pool: PoolId,
    /// `-DisasterMode`: the backup pool is not available.
    pub disaster: bool,
    /// `-Force`.
    pub force: bool,
    /// `-SkipDataVerification`.
    pub skip_verification: bool,
    /// `-WaitTime`, 15 seconds by default.
    pub wait: SimDuration,
}

/// `Backup-CsPool` (dossier A.5).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PoolBackup {
    /// Whose data is pushed to its backup pool.
    pub pool: PoolId,
    /// `-Category`: the modules concerned; those that the pool does not export are passed over.
    pub modules: Vec<BackupModule>,
    /// `-FullBackup`, `-SteadyState`, or neither.
    pub goal: BackupGoal,
    /// `-FailedOverPoolOnly`: nothing happens unless the pool is failed over.
    pub failed_over_only: bool,
    /// `-RetryCount`: how often the Backup Service is called before the cmdlet gives up.
    pub retries: u32,
    /// `-WaitTime`: how long it waits after each call.
    pub wait: SimDuration,
}

/// What `Backup-CsPool` waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BackupGoal {
    /// Everything written before the cmdlet began has been shipped.
    Shipped,
    /// `-SteadyState`.
    Steady,
    /// `-FullBackup`: the final state, which a pool that is being written on does not reach.
    Final,
}

/// `Invoke-CsManagementServerFailover` (dossier D.5).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum CmsFailover {
    /// The set for an available CMS.
    Normal,
    /// `-Restore`: make this pool's database usable again.
    Restore,
    /// The disaster recovery set.
    Disaster {
        /// `-BackupSqlServerFqdn`.
        sql_server: String,
        /// `-BackupSqlInstanceName`; empty for the default instance.
        instance: String,
        /// `-BackupMirrorSqlServerFqdn` and `-BackupMirrorSqlInstanceName`.
        mirror: Option<(String, String)>,
        /// `-Force`, which the set demands.
        force: bool,
        /// The procedure's `-MirrorSQLServerFqdn` alone: the mirror is the principal and the primary is not named.
        mirror_only: bool,
    },
}

/// Modules of the Backup Service (dossier A.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
pub enum BackupModule {
    /// `UserServices.PresenceFocus`.
    PresenceFocus,
    /// `ConfServices.DataConf`.
    DataConf,
    /// `CentralMgmt.CMSMaster`.
    CmsMaster,
    /// `ApplicationServer.RGSDataStore` (2019).
    RgsDataStore,
    /// `ApplicationServer.RGSFileStore` (2019).
    RgsFileStore,
}

/// Groups of databases (dossier E.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DatabaseGroup {
    /// rtcxds, rtcshared, rtcab.
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

/// The two sides of a mirrored back end, as the topology names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MirrorSide {
    /// The primary back end.
    Primary,
    /// The mirror back end.
    Mirror,
}

/// `-ResetType` of `Reset-CsPoolRegistrarState` (dossier B.9).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum RegistrarReset {
    /// Restarts the services of all Front Ends.
    ServiceReset,
    /// Reloads routing groups in quorum loss from the backup store.
    QuorumLossRecovery,
    /// Rebuilds the pool's fabric state.
    FullReset,
    /// Removes a Front End that is lost for good.
    MachineStateRemoved(ComputerId),
}

/// Streams that an operation speaks on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
pub enum Channel {
    /// Shown with `-Verbose`.
    Verbose,
    /// Warnings.
    Warning,
    /// Banner text on the console.
    Host,
}

/// How an operation went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperationReport {
    /// When it started.
    pub started: SimTime,
    /// When it ended.
    pub ended: SimTime,
    /// What it said, in order.
    pub messages: Vec<(SimTime, Channel, String)>,
    /// How it ended.
    pub outcome: Result<(), OperationError>,
    /// Computers that need local setup afterwards, as Topology Builder's to-do list names them (dossier H).
    pub setup_needed: Vec<ComputerId>,
}

/// Why an operation was refused or failed.
#[derive(Debug, Clone, PartialEq, Eq, Hash, thiserror::Error)]
#[error("{message}")]
pub struct OperationError {
    /// Stable id, `NextHopRefusal`; the first half of the FullyQualifiedErrorId where the product's is not known.
    pub id: &'static str,
    /// Message as the product prints it (from the table of exact strings), without the `Cmdlet : ` prefix.
    pub message: String,
    /// `System.Management.Automation.ErrorCategory`.
    pub category: &'static str,
    /// .NET exception type.
    pub exception: &'static str,
    /// What it is about: an FQDN or identity.
    pub target: String,
    /// How sure we are of the text.
    pub evidence: Evidence,
}

/// An Edge pool or a Front End pool, where a command may name either.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AnyPool {
    /// Front End pool.
    FrontEnd(PoolId),
    /// Edge pool.
    Edge(EdgePoolId),
}

impl Operation {
    /// What logs and reports call it: `pool failover`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::PoolFailover(_) => "pool failover",
            Self::PoolFailback(_) => "pool failback",
            Self::PoolBackup(_) => "pool backup",
            Self::CmsFailover(_) => "cms failover",
            Self::MoveCms { .. } => "cms move",
            Self::InstallCmsDatabase { .. } => "cms database install",
            Self::SetConfigurationStoreLocation { .. } => "store location",
            Self::ImportConfiguration { .. } => "configuration import",
            Self::Replicate { .. } => "cms replication",
            Self::Publish { .. } => "publish",
            Self::EnableTopology => "enable topology",
            Self::RunSetup { .. } => "setup",
            Self::BackupSync { .. } => "backup sync",
            Self::MoveUser { .. } => "user move",
            Self::DatabaseFailover { .. } => "database failover",
            Self::StartServices { .. } => "service start",
            Self::StopServices { .. } | Self::StopServicesExcept { .. } => "service stop",
            Self::ComputerFailover { .. } => "computer failover",
            Self::ComputerFailback { .. } => "computer failback",
            Self::ResetPoolRegistrarState { .. } => "registrar reset",
            Self::StartPool { .. } => "pool start",
        }
    }

    /// What it works on: an FQDN, an address, or the caller's computer where nothing else is named.
    pub fn subject(&self, topology: &Topology, caller: Caller) -> String {
        let pool = |id: &PoolId| topology.pool(*id).fqdn.clone();
        let computer = |id: &ComputerId| topology.computer(*id).fqdn.clone();
        match self {
            Self::PoolFailover(order) => pool(&order.pool),
            Self::PoolFailback(order) => pool(&order.pool),
            Self::PoolBackup(order) => pool(&order.pool),
            Self::BackupSync { pool: id, .. }
            | Self::DatabaseFailover { pool: id, .. }
            | Self::ResetPoolRegistrarState { pool: id, .. }
            | Self::StartPool { pool: id, .. } => pool(id),
            Self::RunSetup { computer: id }
            | Self::StartServices { computer: id, .. }
            | Self::StopServices { computer: id, .. }
            | Self::StopServicesExcept { computer: id, .. }
            | Self::ComputerFailover { computer: id, .. }
            | Self::ComputerFailback { computer: id, .. }
            | Self::Replicate { replica: Some(id) } => computer(id),
            Self::InstallCmsDatabase { sql_server, .. } | Self::SetConfigurationStoreLocation { sql_server, .. } => sql_server.clone(),
            Self::MoveUser { user, .. } => topology.users.address(*user).unwrap_or_default(),
            _ => computer(&caller.computer),
        }
    }

    /// How long it takes between its checks and its effect, for operations that have one effect at their end (inferred).
    pub(crate) fn length(&self) -> SimDuration {
        match self {
            Self::InstallCmsDatabase { .. } => administration::INSTALL_DATABASE_TIME,
            Self::Publish { enable: true, .. } => administration::PUBLISH_TIME + administration::ENABLE_TIME,
            Self::Publish { enable: false, .. } => administration::PUBLISH_TIME,
            Self::EnableTopology => administration::ENABLE_TIME,
            Self::RunSetup { .. } => administration::SETUP_TIME,
            Self::MoveUser { .. } => administration::MOVE_USER_TIME,
            Self::DatabaseFailover { .. } => administration::DATABASE_FAILOVER_TIME,
            _ => SimDuration::ZERO,
        }
    }
}
