//! `Reset-CsPoolRegistrarState` and `Start-CsPool` (dossier B.8, B.9).

use firedrill_topology::{ComputerId, PoolId};

use super::processes::{Step, Voice};
use crate::evidence::Behaviour;
use crate::fabric::Fabric;
use crate::messages::Message;
use crate::operation::{DatabaseGroup, OperationError, RegistrarReset};
use crate::service::ServiceName;
use crate::time::SimDuration;

/// Reloading routing groups from the backup store (inferred; the documented limit is 30 minutes, dossier B.9).
pub const ROUTING_GROUP_RELOAD_TIME: SimDuration = SimDuration::from_mins(10);
/// How long a whole pool may take to start: "up to an hour" for a large one (documented, dossier B.8).
pub const POOL_START_LIMIT: SimDuration = SimDuration::from_mins(60);

/// A pool's registrars being reset or started.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PoolRun {
    pool: PoolId,
    order: Order,
    phase: Phase,
}

#[derive(Debug, Clone, PartialEq)]
enum Order {
    Reset { kind: RegistrarReset, no_restart: bool },
    Start { skip: Vec<ComputerId>, recover: bool, force: bool },
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Phase {
    Begin,
    Stop,
    Reload,
    Start,
}

impl PoolRun {
    pub(super) fn reset(pool: PoolId, kind: RegistrarReset, no_restart: bool) -> Self {
        Self { pool, order: Order::Reset { kind, no_restart }, phase: Phase::Begin }
    }

    pub(super) fn start(pool: PoolId, skip: Vec<ComputerId>, recover: bool, force: bool) -> Self {
        Self { pool, order: Order::Start { skip, recover, force }, phase: Phase::Begin }
    }

    pub(super) fn step(&mut self, fabric: &mut Fabric, voice: &mut Voice<'_>, due: bool) -> Result<Step, OperationError> {
        match self.phase {
            Phase::Begin => self.begin(fabric, voice),
            Phase::Stop if !due && self.computers(fabric).iter().any(|fe| fabric.service_running(*fe, ServiceName::RtcSrv)) => {
                Ok(Step::Keep)
            }
            Phase::Stop => Ok(self.restart(fabric)),
            Phase::Reload if !due => Ok(Step::Keep),
            Phase::Reload => {
                fabric.recover_routing_groups(self.pool);
                Ok(Step::Done)
            }
            Phase::Start => self.wait_for_start(fabric, due),
        }
    }

    fn begin(&mut self, fabric: &mut Fabric, voice: &mut Voice<'_>) -> Result<Step, OperationError> {
        let pool = self.pool;
        match &self.order {
            Order::Start { skip, recover, force } => {
                fabric.check_start_pool(pool, skip, *recover || *force)?;
                fabric.lean(Behaviour::StartPoolRules);
                if *recover {
                    fabric.recover_routing_groups(pool);
                }
                Ok(self.start_computers(fabric))
            }
            Order::Reset { kind, .. } => {
                fabric.check_registrar_reset(pool, kind)?;
                fabric.lean(Behaviour::RegistrarResetRules);
                if matches!(kind, RegistrarReset::QuorumLossRecovery | RegistrarReset::MachineStateRemoved(_)) {
                    fabric.lean(Behaviour::RegistrarResetDuration);
                    voice.phase(fabric, "reload");
                    self.phase = Phase::Reload;
                    return Ok(Step::Sleep(ROUTING_GROUP_RELOAD_TIME));
                }
                voice.phase(fabric, "stop");
                for computer in self.computers(fabric) {
                    fabric.begin_stop(computer, Some(ServiceName::FabricHostSvc), false);
                }
                self.phase = Phase::Stop;
                Ok(Step::Sleep(super::services::SERVICE_WAIT_LIMIT))
            }
        }
    }

    /// After the stop: a full reset rebuilds the fabric and enables every computer; then everything starts again.
    fn restart(&mut self, fabric: &mut Fabric) -> Step {
        let Order::Reset { kind, no_restart } = &self.order else { return Step::Done };
        if *kind == RegistrarReset::FullReset {
            for computer in self.computers(fabric) {
                fabric.set_disabled(computer, false);
            }
            fabric.reset_routing_groups(self.pool);
        }
        if *no_restart { Step::Done } else { self.start_computers(fabric) }
    }

    fn start_computers(&mut self, fabric: &mut Fabric) -> Step {
        for computer in self.computers(fabric) {
            fabric.begin_start(computer, None);
        }
        self.phase = Phase::Start;
        Step::Sleep(POOL_START_LIMIT)
    }

    fn wait_for_start(&self, fabric: &Fabric, due: bool) -> Result<Step, OperationError> {
        let started = |fe: &ComputerId| fabric.service_running(*fe, ServiceName::RtcSrv);
        let computers = self.computers(fabric);
        if !computers.is_empty() && computers.iter().all(started) && fabric.pool_in_service(self.pool) {
            return Ok(Step::Done);
        }
        if !due {
            return Ok(Step::Keep);
        }
        let fqdn = &fabric.topology.pool(self.pool).fqdn;
        Err(Message::StartPoolTimeout.error(&[fqdn], fqdn))
    }

    /// Front Ends that take part: on, and not to be skipped.
    fn computers(&self, fabric: &Fabric) -> Vec<ComputerId> {
        let skip: &[ComputerId] = match &self.order {
            Order::Start { skip, .. } => skip,
            Order::Reset { .. } => &[],
        };
        fabric.front_ends_on(self.pool, skip)
    }
}

impl Fabric {
    fn front_ends_on(&self, pool: PoolId, skip: &[ComputerId]) -> Vec<ComputerId> {
        self.topology.pool(pool).front_ends.iter().copied().filter(|fe| self.computer_up(*fe) && !skip.contains(fe)).collect()
    }

    pub(super) fn check_registrar_reset(&self, pool: PoolId, kind: &RegistrarReset) -> Result<(), OperationError> {
        let fqdn = self.topology.pool(pool).fqdn.as_str();
        if self.front_ends_on(pool, &[]).is_empty() {
            return Err(Message::PoolHasNoFrontEnd.error(&[fqdn], fqdn));
        }
        if let RegistrarReset::MachineStateRemoved(computer) = kind
            && self.pool_of(*computer) != Some(pool)
        {
            let machine = self.topology.computer(*computer).fqdn.as_str();
            return Err(Message::MachineNotLost.error(&[machine, fqdn], machine));
        }
        if *kind != RegistrarReset::ServiceReset && self.principal(pool, DatabaseGroup::User).is_none() {
            return Err(Message::RegistrarResetBackEnd.error(&[fqdn], fqdn));
        }
        Ok(())
    }

    /// Enough Front Ends must be able to start: the number for a cold start, or the functional one when quorum loss
    /// recovery or `-Force` is asked for (dossier B.8).
    pub(super) fn check_start_pool(&self, pool: PoolId, skip: &[ComputerId], reduced: bool) -> Result<u32, OperationError> {
        let fqdn = self.topology.pool(pool).fqdn.as_str();
        let disabled = |fe: &ComputerId| self.service(*fe, ServiceName::RtcSrv).is_some_and(|state| state.disabled);
        let able = self.front_ends_on(pool, skip).into_iter().filter(|fe| !disabled(fe)).count() as u32;
        let rule = self.rule_of(pool);
        let needed = if reduced { rule.functional } else { rule.to_start };
        if able < needed {
            return Err(Message::StartPoolTooFew.error(&[fqdn, &able.to_string(), &needed.to_string()], fqdn));
        }
        Ok(able)
    }
}
