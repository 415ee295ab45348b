//! CMS, replication, Backup Service, pool failover and the other operations: the public questions and deeds.
#![allow(clippy::todo, unused_variables, clippy::unimplemented, dead_code)]

mod processes;
mod state;

use std::sync::Arc;

pub(crate) use state::{AdminState, Installed, Transfer};

use firedrill_topology::{ComputerId, PoolId, SqlId};

use crate::config::{Configuration, PoolState};
use crate::fabric::{Fabric, LimitError};
use crate::operation::{BackupModule, Caller, Operation, OperationError, OperationReport, ProcessId};
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
    /// Starts an operation; it runs while virtual time runs.
    pub fn start_operation(&mut self, operation: Operation, caller: Caller) -> ProcessId {
        todo!()
    }

    /// The report of an operation, once it has ended; each report is handed out once.
    pub fn take_report(&mut self, process: ProcessId) -> Option<OperationReport> {
        todo!()
    }

    /// Runs an operation to its end in virtual time.
    ///
    /// # Errors
    /// When a limit of events or of virtual time is hit. That the operation failed stands in its report.
    pub fn perform(&mut self, operation: Operation, caller: Caller) -> Result<OperationReport, LimitError> {
        todo!()
    }

    /// What an operation would refuse now, without starting it (`-WhatIf`, explain pages).
    ///
    /// # Errors
    /// The refusal.
    pub fn check(&self, operation: &Operation, caller: Caller) -> Result<(), OperationError> {
        todo!()
    }

    /// Banner of current and proposed state that CMS failover and move print (dossier D.6): lines.
    pub fn cms_banner(&self, caller: Caller, operation: &Operation) -> Result<Vec<String>, OperationError> {
        todo!()
    }

    /// The active store's document as a computer can read it.
    ///
    /// # Errors
    /// When the CMS cannot be reached from there (dossier D.9).
    pub fn central_store(&self, from: ComputerId) -> Result<Arc<Configuration>, OperationError> {
        todo!()
    }

    /// The document in a computer's own replica.
    pub fn local_store(&self, computer: ComputerId) -> Arc<Configuration> {
        let replica = self.admin.replicas[computer.index()].as_ref();
        replica.map_or_else(|| self.admin.cms.snapshot.document.clone(), |replica| replica.document.clone())
    }

    /// Edits the active store's document; the change replicates from then on (dossier D.2).
    ///
    /// # Errors
    /// When the CMS cannot be written from the caller's computer, or the edit itself refuses.
    pub fn edit_configuration(
        &mut self,
        caller: Caller,
        edit: impl FnOnce(&mut Configuration) -> Result<(), OperationError>,
    ) -> Result<(), OperationError> {
        todo!()
    }

    /// Replica states; needs the CMS (dossier D.3, D.9).
    ///
    /// # Errors
    /// When the CMS cannot be reached from there.
    pub fn replica_states(&self, from: ComputerId) -> Result<Vec<ReplicaReport>, OperationError> {
        todo!()
    }

    /// Replica state of one computer as the model knows it, whether the CMS answers or not (for expectations).
    pub fn replica_state(&self, computer: ComputerId) -> ReplicaReport {
        todo!()
    }

    /// Status of the Central Management Store; empty fields when it is down.
    pub fn cms_status(&self) -> CmsStatus {
        todo!()
    }

    /// CMS databases that exist.
    pub fn cms_databases(&self) -> Vec<CmsDatabaseReport> {
        todo!()
    }

    /// The SCP in Active Directory: SQL server FQDN and instance (dossier D.1, D.4).
    ///
    /// # Errors
    /// When Active Directory cannot be reached.
    pub fn configuration_store_location(&self) -> Result<(String, String), OperationError> {
        todo!()
    }

    /// The instance that the CMS connection of a computer goes to (`Get-CsManagementConnection`).
    ///
    /// # Errors
    /// When Active Directory or the CMS cannot be reached.
    pub fn management_connection(&self, from: ComputerId) -> Result<SqlId, OperationError> {
        todo!()
    }

    /// `PoolState` now.
    pub fn pool_state(&self, pool: PoolId) -> PoolState {
        todo!()
    }

    /// Backup Service status of a pool; `None` when it has no backup pool.
    ///
    /// # Errors
    /// When the pool's Backup Service cannot be asked.
    pub fn backup_status(&self, pool: PoolId) -> Result<Option<BackupReport>, OperationError> {
        todo!()
    }

    /// When a module's data of a pool was last shipped completely to its partner.
    pub fn last_shipped(&self, pool: PoolId, module: BackupModule) -> Option<SimTime> {
        todo!()
    }

    /// Whether a computer needs "Setup or Remove Components": its installed components differ from its replica's document.
    pub fn setup_pending(&self, computer: ComputerId) -> bool {
        todo!()
    }

    /// In whose hands a pool's users are.
    pub(crate) fn pool_transfer(&self, pool: PoolId) -> Transfer {
        todo!()
    }

    /// What setup last installed on a computer.
    pub(crate) fn installed(&self, computer: ComputerId) -> Installed {
        todo!()
    }

    /// Lets administration do what is due or has become possible at this instant; whether anything changed.
    pub(crate) fn settle_administration(&mut self) -> bool {
        todo!()
    }

    /// The next instant at which administration has something to do by itself.
    pub(crate) fn administration_deadline(&self) -> Option<SimTime> {
        todo!()
    }
}
