//! `Start-CsWindowsService` and `Stop-CsWindowsService` (dossier G.1).

use firedrill_topology::ComputerId;

use super::processes::{Step, Voice};
use crate::evidence::Behaviour;
use crate::fabric::Fabric;
use crate::messages::Message;
use crate::operation::{Caller, OperationError};
use crate::service::{ServiceName, ServiceStatus};
use crate::time::SimDuration;

/// How long the cmdlets wait for services (inferred).
pub const SERVICE_WAIT_LIMIT: SimDuration = SimDuration::from_mins(10);
/// RPC endpoint mapper, through which services of another computer are controlled.
pub const RPC_PORT: u16 = 135;

/// Services being started or stopped.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ServiceRun {
    computer: ComputerId,
    service: Option<ServiceName>,
    /// What a stop of all services leaves alone.
    leave: Vec<ServiceName>,
    direction: Direction,
    no_wait: bool,
    begun: bool,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Direction {
    Start,
    Stop { graceful: bool },
}

impl ServiceRun {
    pub(super) fn start(computer: ComputerId, service: Option<ServiceName>, no_wait: bool) -> Self {
        Self { computer, service, leave: Vec::new(), direction: Direction::Start, no_wait, begun: false }
    }

    pub(super) fn stop(computer: ComputerId, service: Option<ServiceName>, graceful: bool, no_wait: bool) -> Self {
        Self { computer, service, leave: Vec::new(), direction: Direction::Stop { graceful }, no_wait, begun: false }
    }

    pub(super) fn stop_except(computer: ComputerId, leave: Vec<ServiceName>, graceful: bool, no_wait: bool) -> Self {
        Self { leave, ..Self::stop(computer, None, graceful, no_wait) }
    }

    pub(super) fn step(&mut self, fabric: &mut Fabric, voice: &mut Voice<'_>, due: bool) -> Result<Step, OperationError> {
        let starting = self.direction == Direction::Start;
        if !self.begun {
            fabric.check_services(voice.caller, self.computer, self.service, starting)?;
            fabric.lean(Behaviour::ServiceControl);
            match self.direction {
                Direction::Start => fabric.begin_start(self.computer, self.service),
                Direction::Stop { graceful } if self.leave.is_empty() => fabric.begin_stop(self.computer, self.service, graceful),
                Direction::Stop { graceful } => fabric.begin_stop_of(self.computer, |name| !self.leave.contains(&name), graceful),
            }
            self.begun = true;
            return Ok(if self.no_wait { Step::Done } else { Step::Sleep(SERVICE_WAIT_LIMIT) });
        }
        if !fabric.computer_up(self.computer) {
            let fqdn = &fabric.topology.computer(self.computer).fqdn;
            return Err(Message::ComputerUnreachable.error(&[fqdn], fqdn));
        }
        let goal = if starting { ServiceStatus::Running } else { ServiceStatus::Stopped };
        match self.straggler(fabric, goal) {
            None => Ok(Step::Done),
            Some(_) if !due => Ok(Step::Keep),
            Some((service, status)) => {
                let fqdn = &fabric.topology.computer(self.computer).fqdn;
                Err(Message::ServiceStartTimeout.error(&[service.short_name(), fqdn, status.text()], service.short_name()))
            }
        }
    }

    /// A service that has not reached its goal; disabled ones do not count.
    fn straggler(&self, fabric: &Fabric, goal: ServiceStatus) -> Option<(ServiceName, ServiceStatus)> {
        let services = fabric.computers[self.computer.index()].services.iter();
        let chosen =
            services.filter(|record| self.service.is_none_or(|service| service == record.name) && !self.leave.contains(&record.name));
        let waits = |state: &crate::service::ServiceState| state.status != goal && !(goal == ServiceStatus::Running && state.disabled);
        chosen.filter(|record| waits(&record.state)).map(|record| (record.name, record.state.status)).next()
    }
}

impl Fabric {
    /// The computer must answer, the service be installed, and for a start not be disabled.
    pub(super) fn check_services(
        &self,
        caller: Caller,
        computer: ComputerId,
        service: Option<ServiceName>,
        start: bool,
    ) -> Result<(), OperationError> {
        let fqdn = self.topology.computer(computer).fqdn.as_str();
        if !self.reaches(caller.computer, computer, RPC_PORT) {
            return Err(Message::ComputerUnreachable.error(&[fqdn], fqdn));
        }
        let Some(service) = service else { return Ok(()) };
        match self.service(computer, service) {
            None => Err(Message::ServiceMissing.error(&[service.short_name(), fqdn], service.short_name())),
            Some(state) if start && state.disabled => {
                Err(Message::ServiceDisabled.error(&[service.short_name(), fqdn], service.short_name()))
            }
            Some(_) => Ok(()),
        }
    }
}
