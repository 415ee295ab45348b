//! `Backup-CsPool` (dossier A.5): a sync that waits until the Backup Service has caught up.

use firedrill_topology::PoolId;

use super::ExportState;
use super::backup_service::NO_PORT;
use super::processes::{Step, Voice};
use crate::config::PoolState;
use crate::evidence::Behaviour;
use crate::fabric::Fabric;
use crate::messages::Message;
use crate::operation::{BackupGoal, BackupModule, Caller, OperationError, PoolBackup};
use crate::time::{SimDuration, SimTime};

/// `-RetryCount` when it is not given (invented: no default is printed).
pub const DEFAULT_BACKUP_RETRIES: u32 = 20;
/// `-WaitTime` when it is not given (invented: that of `Invoke-CsPoolFailBack`, dossier C.1).
pub const DEFAULT_BACKUP_WAIT: SimDuration = SimDuration::from_secs(15);

/// A backup under way.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct BackupRun {
    order: PoolBackup,
    begun: Option<SimTime>,
    attempts: u32,
}

impl BackupRun {
    pub(super) fn new(order: PoolBackup) -> Self {
        Self { order, begun: None, attempts: 0 }
    }

    pub(super) fn step(&mut self, fabric: &mut Fabric, voice: &mut Voice<'_>, due: bool) -> Result<Step, OperationError> {
        if !due {
            return Ok(Step::Keep);
        }
        let pool = self.order.pool;
        let Some(begun) = self.begun else {
            fabric.check_pool_backup(&self.order)?;
            fabric.lean(Behaviour::PoolBackupWaits);
            if self.order.failed_over_only && fabric.pool_state(pool) != PoolState::FailedOver {
                return Ok(Step::Done);
            }
            self.begun = Some(fabric.now);
            return Ok(self.call(fabric, voice.caller));
        };
        let mut modules = fabric.modules_of(pool).filter(|module| self.order.modules.contains(module));
        if modules.all(|module| fabric.backup_reached(pool, module, self.order.goal, begun)) {
            return Ok(Step::Done);
        }
        if self.attempts < self.order.retries {
            return Ok(self.call(fabric, voice.caller));
        }
        let fqdn = &fabric.topology.pool(pool).fqdn;
        let message =
            if self.reaches_service(fabric, voice.caller) { Message::PoolBackupIncomplete } else { Message::BackupServiceUnreachable };
        Err(message.error(&[fqdn], fqdn))
    }

    /// Asks the Backup Service, if it can be reached, and waits before it looks again.
    fn call(&mut self, fabric: &mut Fabric, caller: Caller) -> Step {
        self.attempts += 1;
        if self.reaches_service(fabric, caller) {
            for module in &self.order.modules {
                fabric.request_sync(self.order.pool, Some(*module));
            }
        }
        Step::Sleep(self.order.wait.max(SimDuration::from_secs(1)))
    }

    fn reaches_service(&self, fabric: &Fabric, caller: Caller) -> bool {
        fabric.backup_agent(self.order.pool).is_some_and(|agent| fabric.reaches(caller.computer, agent, NO_PORT))
    }
}

impl Fabric {
    /// A pool without a partner has nowhere to be backed up to.
    pub(super) fn check_pool_backup(&self, order: &PoolBackup) -> Result<(), OperationError> {
        let fqdn = &self.topology.pool(order.pool).fqdn;
        if self.partner(order.pool).is_none() {
            return Err(Message::NoBackupPool.error(&[fqdn], fqdn));
        }
        Ok(())
    }

    /// Whether a module of a pool has come as far as a backup that began at an instant wants it.
    fn backup_reached(&self, pool: PoolId, module: BackupModule, goal: BackupGoal, begun: SimTime) -> bool {
        let state = self.export_state(pool, module);
        match (goal, module) {
            _ if !self.exports(pool, module) => true,
            (BackupGoal::Final, _) | (BackupGoal::Shipped, BackupModule::CmsMaster) => state == ExportState::FinalState,
            (BackupGoal::Steady, _) => matches!(state, ExportState::SteadyState | ExportState::FinalState),
            (BackupGoal::Shipped, _) => self.last_shipped(pool, module) >= Some(begun),
        }
    }
}
