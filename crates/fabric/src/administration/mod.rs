//! CMS, replication, Backup Service, pool failover and the other operations: the public questions and deeds.

mod backup_service;
mod cms_failover;
mod cms_move;
mod computer_failover;
mod pool_backup;
mod pool_failback;
mod pool_failover;
mod processes;
mod publish;
mod registrar_reset;
mod replication;
mod services;
mod state;
mod store;
mod users;

pub use backup_service::{BACKUP_FILE_PORT, FRONT_ENDS_TO_PAIR, SYNC_TIME};
pub use cms_failover::{CMS_AGENT_TIME, CMS_DRAIN_LIMIT, CMS_READ_ONLY_TIME, CMS_RESTORE_TIME, CMS_TAKE_OVER_TIME};
pub use cms_move::{CMS_MOVE_TIME, INSTALL_DATABASE_TIME};
pub use computer_failover::COMPUTER_DRAIN_TIME;
pub use pool_backup::{DEFAULT_BACKUP_RETRIES, DEFAULT_BACKUP_WAIT};
pub use pool_failback::{FAILBACK_PER_USER, SHORTEST_FAILBACK, failback_duration};
pub use pool_failover::{DEFAULT_FAILOVER_WAIT, HYDRATION_ATTEMPTS, HYDRATION_RETRY, HYDRATION_STEPS, MANAGEMENT_PORT, failover_duration};
pub use publish::{ENABLE_TIME, PUBLISH_TIME, SETUP_TIME};
pub use registrar_reset::{POOL_START_LIMIT, ROUTING_GROUP_RELOAD_TIME};
pub use replication::{
    EDGE_REPLICATION_PORT, IMPORT_TIME, PUSH_TIME, REPLICATION_PORT, RETURN_TIME, SNAPSHOT_TIME, STATUS_REPORT_INTERVAL,
};
pub use services::{RPC_PORT, SERVICE_WAIT_LIMIT};
pub(crate) use state::{AdminState, Installed, Transfer};
pub use store::{AGENT_HEARTBEAT, SQL_PORT};
pub use users::{DATABASE_FAILOVER_TIME, MOVE_USER_TIME};

use firedrill_topology::{ComputerId, PoolId, SqlId};

use crate::fabric::Fabric;
use crate::operation::BackupModule;
use crate::time::SimTime;

/// `Get-CsManagementStoreReplicationStatus`, one replica (dossier D.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplicaReport {
    /// The replica's computer.
    pub computer: ComputerId,
    /// Whether the master has its confirmation of the newest version.
    pub up_to_date: bool,
    /// Last status report that came back.
    pub last_status_report: Option<SimTime>,
    /// When the newest update for it was created.
    pub last_update_creation: Option<SimTime>,
    /// Product version it reported; none before the first report.
    pub product_version: Option<&'static str>,
}

/// `Get-CsManagementStoreReplicationStatus -CentralManagementStoreStatus` (dossier D.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CmsStatus {
    /// FQDN of the computer with the active master agent; none when the CMS is down.
    pub active_master: Option<ComputerId>,
    /// Its last heartbeat.
    pub master_heartbeat: Option<SimTime>,
    /// Active file transfer agents.
    pub file_transfer_agents: Vec<ComputerId>,
    /// Their last heartbeat.
    pub file_transfer_heartbeat: Option<SimTime>,
    /// Replicas.
    pub active_replicas: Vec<ComputerId>,
    /// Replicas that were removed.
    pub deleted_replicas: Vec<ComputerId>,
}

/// `CurrentState` of a CMS database (dossier D.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CmsDatabaseState {
    /// 0: active.
    Active,
    /// 3: backup.
    Backup,
    /// Freshly created and empty.
    Empty,
}

/// A CMS database in some pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CmsDatabaseReport {
    /// Pool in whose back end it lies.
    pub pool: PoolId,
    /// Its mode.
    pub state: CmsDatabaseState,
    /// Version of the document in it.
    pub version: u64,
    /// The instance that serves it now; none when it cannot be reached.
    pub instance: Option<SqlId>,
}

/// State of one backup module in one direction (dossier A.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
pub enum ExportState {
    /// Nothing left to ship.
    FinalState,
    /// Everything changed is shipped within the interval.
    SteadyState,
    /// Behind.
    NonSteadyState,
    /// Never initialised (CMSMaster on a pool without the active CMS).
    NotInitialized,
    /// Export fails.
    ErrorState,
}

/// Import side (dossier A.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
pub enum ImportState {
    /// Fine.
    NormalState,
    /// Import fails.
    ErrorState,
}

/// `Get-CsBackupServiceStatus` of a pool (dossier A.5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupReport {
    /// The Front End whose Backup Service works for the pool.
    pub active_machine: Option<ComputerId>,
    /// Modules in the product's order.
    pub modules: Vec<(BackupModule, ExportState, ImportState)>,
}

impl Fabric {
    /// In whose hands a pool's users are.
    pub(crate) fn pool_transfer(&self, pool: PoolId) -> Transfer {
        self.admin.pools[pool.index()].transfer
    }

    /// What setup last installed on a computer.
    pub(crate) fn installed(&self, computer: ComputerId) -> Installed {
        self.admin.installed[computer.index()]
    }

    /// Lets administration do what is due or has become possible at this instant; whether anything changed.
    pub(crate) fn settle_administration(&mut self) -> bool {
        let backup = self.settle_backup();
        let replication = self.settle_replication();
        backup | replication | self.settle_processes()
    }

    /// The next instant at which administration has something to do by itself.
    pub(crate) fn administration_deadline(&self) -> Option<SimTime> {
        [self.backup_deadline(), self.replication_deadline(), self.processes_deadline()].into_iter().flatten().min()
    }
}
