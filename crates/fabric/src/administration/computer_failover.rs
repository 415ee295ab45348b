//! `Invoke-CsComputerFailOver` and `Invoke-CsComputerFailBack` (dossier G.3, Skype for Business Server 2015 and later).

use firedrill_topology::{ComputerId, Edition, PoolId, ProductVersion};

use super::processes::{Step, Voice};
use super::services::RPC_PORT;
use crate::evidence::Behaviour;
use crate::fabric::Fabric;
use crate::messages::Message;
use crate::operation::{Caller, OperationError};
use crate::service::ServiceName;
use crate::time::{SimDuration, SimTime};

/// Moving users and conferences of a Front End to the others (inferred).
pub const COMPUTER_DRAIN_TIME: SimDuration = SimDuration::from_mins(5);

/// A computer being taken out of service or put back.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ComputerRun {
    computer: ComputerId,
    /// `-NoStop` or `-NoStart`.
    leave_services: bool,
    wait: SimDuration,
    /// How long draining takes.
    drain: SimDuration,
    phase: Phase,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Phase {
    Failover { force: bool },
    Drain { until: SimTime },
    Stop,
    Failback,
    Start,
}

impl ComputerRun {
    /// A failover. When the draining timeout has passed, what is left is ended (documented: PS:Invoke-CsComputerFailOver).
    pub(super) fn failover(computer: ComputerId, no_stop: bool, force: bool, wait: SimDuration, draining: Option<SimDuration>) -> Self {
        let drain = draining.map_or(COMPUTER_DRAIN_TIME, |timeout| timeout.clamp(SimDuration::ZERO, COMPUTER_DRAIN_TIME));
        Self { computer, leave_services: no_stop, wait: wait.max(SimDuration::ZERO), drain, phase: Phase::Failover { force } }
    }

    pub(super) fn failback(computer: ComputerId, no_start: bool, wait: SimDuration) -> Self {
        let (wait, drain) = (wait.max(SimDuration::ZERO), SimDuration::ZERO);
        Self { computer, leave_services: no_start, wait, drain, phase: Phase::Failback }
    }

    pub(super) fn step(&mut self, fabric: &mut Fabric, voice: &mut Voice<'_>, due: bool) -> Result<Step, OperationError> {
        let fqdn = fabric.topology.computer(self.computer).fqdn.clone();
        let begun = !matches!(self.phase, Phase::Failover { .. } | Phase::Failback);
        if begun && !fabric.computer_up(self.computer) {
            return Err(Message::ComputerUnreachable.error(&[&fqdn], fqdn.as_str()));
        }
        match self.phase {
            Phase::Failover { force } => {
                fabric.check_computer_failover(voice.caller, self.computer, force)?;
                fabric.lean(Behaviour::ComputerFailoverRules);
                fabric.lean(Behaviour::ComputerDrainDuration);
                voice.verbose(fabric, Message::VerboseDrainComputer, &[&fqdn]);
                voice.phase(fabric, "drain");
                self.phase = Phase::Drain { until: fabric.now + self.drain };
                Ok(Step::Sleep(self.drain.min(self.wait)))
            }
            Phase::Drain { .. } | Phase::Stop | Phase::Start if !due && self.unfinished(fabric) => Ok(Step::Keep),
            Phase::Drain { until } if fabric.now < until => {
                Err(Message::ComputerDrainTimeout.error(&[&fqdn, &self.wait.to_string()], fqdn.as_str()))
            }
            Phase::Drain { .. } if self.leave_services => Ok(Step::Done),
            Phase::Drain { .. } => {
                voice.phase(fabric, "stop");
                fabric.begin_stop(self.computer, None, false);
                fabric.set_disabled(self.computer, true);
                self.phase = Phase::Stop;
                Ok(Step::Sleep(super::services::SERVICE_WAIT_LIMIT))
            }
            Phase::Stop => Ok(Step::Done),
            Phase::Failback => {
                fabric.check_computer_failback(voice.caller, self.computer)?;
                fabric.lean(Behaviour::ComputerFailoverRules);
                fabric.set_disabled(self.computer, false);
                if self.leave_services {
                    return Ok(Step::Done);
                }
                voice.phase(fabric, "start");
                fabric.begin_start(self.computer, None);
                self.phase = Phase::Start;
                Ok(Step::Sleep(self.wait))
            }
            Phase::Start if fabric.service_running(self.computer, ServiceName::RtcSrv) => Ok(Step::Done),
            Phase::Start => {
                // "Will not be started or enabled" (documented: PS:Invoke-CsComputerFailBack -WaitTime).
                fabric.begin_stop(self.computer, None, false);
                fabric.set_disabled(self.computer, true);
                Err(Message::ComputerStartTimeout.error(&[&fqdn, &self.wait.to_string()], fqdn.as_str()))
            }
        }
    }

    fn unfinished(&self, fabric: &Fabric) -> bool {
        match self.phase {
            Phase::Drain { until } => fabric.now < until,
            Phase::Stop => fabric.services_pending(self.computer, None),
            _ => !fabric.service_running(self.computer, ServiceName::RtcSrv),
        }
    }
}

impl Fabric {
    fn enterprise_pool_of(&self, caller: Caller, computer: ComputerId) -> Result<PoolId, OperationError> {
        let fqdn = self.topology.computer(computer).fqdn.as_str();
        let pool = self.pool_of(computer).filter(|pool| self.topology.pool(*pool).edition == Edition::Enterprise);
        let Some(pool) = pool else {
            return Err(Message::ComputerNotFrontEnd.error(&[fqdn], fqdn));
        };
        if self.topology.pool(pool).version < ProductVersion::Sfb2015 {
            return Err(Message::ComputerFailoverVersion.error(&[], fqdn));
        }
        if !self.reaches(caller.computer, computer, RPC_PORT) {
            return Err(Message::ComputerUnreachable.error(&[fqdn], fqdn));
        }
        Ok(pool)
    }

    /// The other Front Ends must keep the pool functional (the capacity check, skipped with `-Force`).
    pub(super) fn check_computer_failover(&self, caller: Caller, computer: ComputerId, force: bool) -> Result<PoolId, OperationError> {
        let pool = self.enterprise_pool_of(caller, computer)?;
        let others = self.front_ends_running(pool).into_iter().filter(|fe| *fe != computer).count() as u32;
        if !force && others < self.rule_of(pool).functional {
            let fqdn = self.topology.computer(computer).fqdn.as_str();
            return Err(Message::ComputerCapacity.error(&[fqdn, &self.topology.pool(pool).fqdn], fqdn));
        }
        Ok(pool)
    }

    pub(super) fn check_computer_failback(&self, caller: Caller, computer: ComputerId) -> Result<(), OperationError> {
        self.enterprise_pool_of(caller, computer).map(|_| ())
    }
}
