//! Computers and their Windows services: power, starting, stopping, dependencies (dossier G.1, G.2).
//!
//! A service has a wish beside its state: it is *wanted* while nobody stopped it. What is wanted starts as soon as its
//! computer is on, its requirements run and fabric quorum allows it; so a healed computer comes up by itself, and a
//! service that an operator stopped stays stopped.

use std::sync::Arc;

use firedrill_topology::{ComputerId, ComputerRole};

use crate::event::Event;
use crate::evidence::Behaviour;
use crate::fabric::Fabric;
use crate::fault::Fault;
use crate::service::{ServiceName, ServiceState, ServiceStatus, StopKind};
use crate::time::{SimDuration, SimTime};

/// From power on to services starting (inferred: an ordinary server boot).
pub const BOOT_TIME: SimDuration = SimDuration::from_mins(3);
/// How long most services take to start (inferred).
pub const SERVICE_START_TIME: SimDuration = SimDuration::from_secs(15);
/// How long the Front-End and Access Edge service takes to start (inferred).
pub const FRONT_END_START_TIME: SimDuration = SimDuration::from_secs(60);
/// How long a service takes to stop (inferred).
pub const SERVICE_STOP_TIME: SimDuration = SimDuration::from_secs(10);
/// How long a service drains before it stops with `-Graceful` (inferred; `Draining` is field, dossier G.1).
pub const SERVICE_DRAIN_TIME: SimDuration = SimDuration::from_mins(2);

/// What services do when a computer comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AfterBoot {
    /// Start, as services with automatic start do.
    StartServices,
    /// Stay stopped until somebody starts them.
    LeaveStopped,
}

/// Power of a computer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Power {
    Off,
    Booting { until: SimTime },
    On,
}

/// One service and the wish about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ServiceRecord {
    pub(crate) name: ServiceName,
    pub(crate) state: ServiceState,
    /// Nobody stopped it: it starts when it can.
    pub(crate) wanted: bool,
}

/// A computer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ComputerState {
    pub(crate) power: Power,
    pub(crate) services: Vec<ServiceRecord>,
    /// Stopped by pool-level quorum loss: services wait until the pool can start again (dossier B.8).
    pub(crate) stopped_by_quorum: bool,
    /// Something about it changed: services must be looked at in this instant.
    pub(crate) restless: bool,
    /// Earliest instant at which something of it is due.
    pub(crate) due: Option<SimTime>,
}

impl ComputerState {
    pub(crate) fn record(&self, service: ServiceName) -> Option<&ServiceRecord> {
        self.services.iter().find(|record| record.name == service)
    }

    pub(crate) fn running(&self, service: ServiceName) -> bool {
        self.power == Power::On && self.record(service).is_some_and(|record| record.state.status == ServiceStatus::Running)
    }

    fn earliest_due(&self) -> Option<SimTime> {
        match self.power {
            Power::Off => None,
            Power::Booting { until } => Some(until),
            Power::On => self.services.iter().filter_map(|record| record.state.due).min(),
        }
    }
}

impl Fabric {
    /// Whether a computer is on.
    pub fn computer_up(&self, computer: ComputerId) -> bool {
        self.computers[computer.index()].power == Power::On
    }

    /// Services of a computer in table order; what is not installed is absent. A computer that is off shows all stopped.
    pub fn services(&self, computer: ComputerId) -> Vec<(ServiceName, ServiceState)> {
        self.computers[computer.index()].services.iter().map(|record| (record.name, record.state.clone())).collect()
    }

    /// One service.
    pub fn service(&self, computer: ComputerId, service: ServiceName) -> Option<ServiceState> {
        self.computers[computer.index()].record(service).map(|record| record.state.clone())
    }

    /// Whether a service runs (its computer is on).
    pub fn service_running(&self, computer: ComputerId, service: ServiceName) -> bool {
        self.computers[computer.index()].running(service)
    }

    /// Starts one service with what it requires, or all services of a computer (dossier G.1: running ones are left
    /// alone, requirements start too). Disabled services stay as they are. Time must run before they are up.
    pub(crate) fn begin_start(&mut self, computer: ComputerId, service: Option<ServiceName>) {
        let chosen: Vec<ServiceName> = match service {
            None => self.computers[computer.index()].services.iter().map(|record| record.name).collect(),
            Some(service) => service.with_requirements(),
        };
        for name in &chosen {
            self.clear_service_fault(&Fault::Service(computer, *name));
        }
        self.lean(Behaviour::ServiceStart);
        let state = self.computer_mut(computer);
        state.stopped_by_quorum = false;
        for record in state.services.iter_mut().filter(|record| chosen.contains(&record.name)) {
            record.wanted |= !record.state.disabled;
        }
    }

    /// Stops one service with what depends on it, or all services of a computer (dossier G.1).
    pub(crate) fn begin_stop(&mut self, computer: ComputerId, service: Option<ServiceName>, graceful: bool) {
        let chosen = |name: ServiceName| service.is_none_or(|service| name.with_requirements().contains(&service));
        self.begin_stop_of(computer, chosen, graceful);
    }

    /// Stops the chosen services of a computer.
    pub(crate) fn begin_stop_of(&mut self, computer: ComputerId, chosen: impl Fn(ServiceName) -> bool, graceful: bool) {
        let now = self.now;
        let (kind, length) = if graceful { (StopKind::Draining, SERVICE_DRAIN_TIME) } else { (StopKind::Immediate, SERVICE_STOP_TIME) };
        let due = now + length;
        self.lean(Behaviour::ServiceStop);
        let state = self.computer_mut(computer);
        for record in state.services.iter_mut().filter(|record| chosen(record.name)) {
            record.wanted = false;
            match record.state.status {
                ServiceStatus::Running => record.state.enter(ServiceStatus::StopPending, Some(due), now),
                ServiceStatus::StartPending => record.state.enter(ServiceStatus::Stopped, None, now),
                // Whoever drains can be told to stop at once; the other way round it is too late.
                ServiceStatus::StopPending if kind == StopKind::Immediate => {
                    record.state.due = Some(record.state.due.map_or(due, |pending| pending.min(due)));
                }
                ServiceStatus::Stopped | ServiceStatus::StopPending => continue,
            }
            if record.state.status == ServiceStatus::StopPending {
                record.state.stopping = Some(kind);
            }
        }
    }

    /// Disables or enables all services of a computer (computer failover and failback, dossier G.3). Neither starts nor
    /// stops anything.
    pub(crate) fn set_disabled(&mut self, computer: ComputerId, disabled: bool) {
        for record in &mut self.computer_mut(computer).services {
            record.state.disabled = disabled;
        }
    }

    /// Whether services of a computer (one, or any) are on their way up or down, or wait to be.
    pub(crate) fn services_pending(&self, computer: ComputerId, service: Option<ServiceName>) -> bool {
        let state = &self.computers[computer.index()];
        state.power == Power::On
            && state.services.iter().filter(|record| service.is_none_or(|service| service == record.name)).any(|record| {
                match record.state.status {
                    ServiceStatus::StartPending | ServiceStatus::StopPending => true,
                    ServiceStatus::Stopped => record.wanted && !record.state.disabled && !state.stopped_by_quorum,
                    ServiceStatus::Running => false,
                }
            })
    }

    /// Whether the Front-End service of a computer hangs in Start Pending because its pool lacks quorum (dossier B.8).
    pub(crate) fn waits_for_quorum(&self, computer: ComputerId) -> bool {
        self.computers[computer.index()]
            .record(ServiceName::RtcSrv)
            .is_some_and(|record| record.state.status == ServiceStatus::StartPending && record.state.due.is_none())
    }

    /// Brings the list of services into line with what setup installed (dossier H): new ones are stopped, removed ones go.
    pub(crate) fn refresh_components(&mut self, computer: ComputerId) {
        let names = self.installed_services(computer);
        let now = self.now;
        let old = self.computers[computer.index()].services.clone();
        if old.iter().map(|record| record.name).eq(names.iter().copied()) {
            return;
        }
        let disabled = old.iter().any(|record| record.state.disabled);
        let services = names
            .into_iter()
            .map(|name| {
                old.iter().find(|record| record.name == name).cloned().unwrap_or(ServiceRecord {
                    name,
                    state: ServiceState { status: ServiceStatus::Stopped, disabled, stopping: None, due: None, since: now },
                    wanted: false,
                })
            })
            .collect();
        self.computer_mut(computer).services = services;
    }

    pub(crate) fn all_computers_healthy(&self) -> Vec<Arc<ComputerState>> {
        self.topology
            .computer_ids()
            .map(|computer| {
                let services = self
                    .installed_services(computer)
                    .into_iter()
                    .map(|name| ServiceRecord {
                        name,
                        state: ServiceState {
                            status: ServiceStatus::Running,
                            disabled: false,
                            stopping: None,
                            due: None,
                            since: self.start,
                        },
                        wanted: true,
                    })
                    .collect();
                Arc::new(ComputerState { power: Power::On, services, stopped_by_quorum: false, restless: false, due: None })
            })
            .collect()
    }

    /// Services that setup has installed on a computer, in the order of dossier G.2.
    fn installed_services(&self, computer: ComputerId) -> Vec<ServiceName> {
        use ServiceName as S;
        let installed = self.installed(computer);
        match self.topology.computer(computer).role {
            ComputerRole::FrontEnd(_) => S::FRONT_END
                .iter()
                .copied()
                .filter(|service| match service {
                    S::Master | S::Fta => installed.cms_services,
                    S::LyncBackup => installed.backup_service,
                    S::RtcXmppTgw => installed.xmpp_gateway,
                    _ => true,
                })
                .collect(),
            ComputerRole::Edge(_) => S::EDGE.iter().copied().filter(|service| *service != S::RtcXmppTgwPx || installed.xmpp).collect(),
            ComputerRole::Sql | ComputerRole::FileServer => Vec::new(),
        }
    }

    /// Write access to a computer; its services are looked at when the state settles.
    pub(crate) fn computer_mut(&mut self, computer: ComputerId) -> &mut ComputerState {
        self.stirred = true;
        let state = Arc::make_mut(&mut Arc::make_mut(&mut self.computers)[computer.index()]);
        state.restless = true;
        state
    }

    pub(crate) fn power_off(&mut self, computer: ComputerId) {
        let now = self.now;
        if self.computers[computer.index()].power == Power::Off {
            return;
        }
        let state = self.computer_mut(computer);
        state.power = Power::Off;
        state.stopped_by_quorum = false;
        for record in &mut state.services {
            record.state.enter(ServiceStatus::Stopped, None, now);
        }
        self.log_state("computer", computer, "off");
    }

    pub(crate) fn power_on(&mut self, computer: ComputerId, after: AfterBoot) {
        let until = self.now + BOOT_TIME;
        self.lean(Behaviour::BootTime);
        let state = self.computer_mut(computer);
        if state.power != Power::Off {
            return;
        }
        state.power = Power::Booting { until };
        for record in &mut state.services {
            record.wanted = after == AfterBoot::StartServices && !record.state.disabled;
        }
        self.log_state("computer", computer, "booting");
    }

    /// Restarts a computer: it is off at once, and its services start when it has booted (`Restart-Computer`). Nothing
    /// happens to one that is off.
    pub fn restart_computer(&mut self, computer: ComputerId) {
        if self.computer_up(computer) {
            self.note_planned_shutdown(computer, "restart");
            self.power_off(computer);
            self.power_on(computer, AfterBoot::StartServices);
            // A limit that is hit here is hit again, and reported, when time runs on.
            let _ = self.settle();
        }
    }

    /// Shuts a computer down for good (`Stop-Computer`): nothing in the model switches it on again by itself.
    pub fn shut_down_computer(&mut self, computer: ComputerId) {
        if self.computer_up(computer) {
            self.note_planned_shutdown(computer, "power off");
            self.power_off(computer);
            let _ = self.settle();
        }
    }

    /// Disables a service, or lets it start again (`Set-Service -StartupType`); neither starts nor stops it.
    pub fn set_service_disabled(&mut self, computer: ComputerId, service: ServiceName, disabled: bool) {
        for record in self.computer_mut(computer).services.iter_mut().filter(|record| record.name == service) {
            record.state.disabled = disabled;
        }
    }

    pub(crate) fn crash_service(&mut self, computer: ComputerId, service: ServiceName) {
        let now = self.now;
        if let Some(record) = self.computer_mut(computer).services.iter_mut().find(|record| record.name == service) {
            record.state.enter(ServiceStatus::Stopped, None, now);
        }
    }

    pub(crate) fn service_mended(&mut self, computer: ComputerId, service: ServiceName, after: AfterBoot) {
        if let Some(record) = self.computer_mut(computer).services.iter_mut().find(|record| record.name == service) {
            record.wanted = after == AfterBoot::StartServices && !record.state.disabled;
        }
    }

    pub(crate) fn services_deadline(&self) -> Option<SimTime> {
        self.computers.iter().filter_map(|computer| computer.due).min()
    }

    pub(crate) fn settle_services(&mut self) -> bool {
        let mut changed = false;
        for index in 0..self.computers.len() {
            let state = &self.computers[index];
            if state.restless || state.due.is_some_and(|due| due <= self.now) {
                changed |= self.settle_computer(ComputerId(index as u32));
            }
        }
        changed
    }

    fn settle_computer(&mut self, computer: ComputerId) -> bool {
        let now = self.now;
        let before = self.computers[computer.index()].clone();
        let mut state = (*before).clone();
        state.restless = false;
        if matches!(state.power, Power::Booting { until } if until <= now) {
            state.power = Power::On;
        }
        if state.power == Power::On {
            let may_join = self.quorum_admits(computer);
            for record in &mut state.services {
                match record.state.status {
                    ServiceStatus::StopPending if record.state.due.is_some_and(|due| due <= now) => {
                        record.state.enter(ServiceStatus::Stopped, None, now);
                    }
                    ServiceStatus::StartPending if record.state.due.is_some_and(|due| due <= now) => {
                        record.state.enter(ServiceStatus::Running, None, now);
                    }
                    // It waited for quorum, and the pool has it: start now.
                    ServiceStatus::StartPending if record.state.due.is_none() && may_join => {
                        record.state.due = Some(now + FRONT_END_START_TIME);
                    }
                    _ => {}
                }
            }
            for position in 0..state.services.len() {
                if self.can_begin(computer, &state, position) {
                    let record = &mut state.services[position];
                    let due = match record.name {
                        ServiceName::RtcSrv if !may_join => None,
                        ServiceName::RtcSrv => Some(now + FRONT_END_START_TIME),
                        _ => Some(now + SERVICE_START_TIME),
                    };
                    record.state.enter(ServiceStatus::StartPending, due, now);
                }
            }
        }
        state.due = state.earliest_due();
        let changed = state.power != before.power || state.services != before.services;
        if changed {
            self.stirred = true;
            self.log_computer(computer, &before, &state);
        }
        Arc::make_mut(&mut self.computers)[computer.index()] = Arc::new(state);
        changed
    }

    /// Whether a stopped service starts by itself now.
    fn can_begin(&self, computer: ComputerId, state: &ComputerState, position: usize) -> bool {
        let record = &state.services[position];
        record.state.status == ServiceStatus::Stopped
            && record.wanted
            && !record.state.disabled
            && !state.stopped_by_quorum
            && record.name.requires().iter().all(|needed| state.record(*needed).is_none_or(|r| r.state.status == ServiceStatus::Running))
            && !self.fault_active(&Fault::Service(computer, record.name))
    }

    fn log_computer(&mut self, computer: ComputerId, before: &ComputerState, after: &ComputerState) {
        if before.power != after.power {
            self.log_state("computer", computer, "on");
        }
        let fqdn = &self.topology.computer(computer).fqdn;
        let events: Vec<Event> = before
            .services
            .iter()
            .zip(&after.services)
            .filter(|(old, new)| old.state.status != new.state.status)
            .map(|(_, new)| Event::StateChanged {
                kind: "service".into(),
                subject: format!("{} on {fqdn}", new.name.short_name()),
                state: new.state.status.text().into(),
            })
            .collect();
        for event in events {
            self.log(event);
        }
        if before.power != after.power {
            self.note_boot(computer);
        }
        for (old, new) in before.services.iter().zip(&after.services) {
            let waits = |record: &ServiceRecord| record.state.status == ServiceStatus::StartPending && record.state.due.is_none();
            if old.state.status != new.state.status || waits(old) != waits(new) {
                self.note_service(computer, new.name, new.state.status, waits(new) && !waits(old));
            }
        }
    }

    fn log_state(&mut self, kind: &str, computer: ComputerId, state: &str) {
        let subject = self.topology.computer(computer).fqdn.clone();
        self.log(Event::StateChanged { kind: kind.into(), subject, state: state.into() });
    }
}
