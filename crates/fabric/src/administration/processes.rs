//! Operations under way: processes as data, stepped by the engine.
//!
//! A process is looked at whenever state settles, so a fault interrupts it at the instant it strikes; by itself it goes
//! on when its `wake` has come. Everything it did before stays done.

use std::sync::Arc;

use super::AdminState;
use super::cms_failover::CmsRun;
use super::cms_move::MoveRun;
use super::computer_failover::ComputerRun;
use super::pool_backup::BackupRun;
use super::pool_failback::Failback;
use super::pool_failover::Failover;
use super::registrar_reset::PoolRun;
use super::services::ServiceRun;
use crate::event::Event;
use crate::evidence::Behaviour;
use crate::fabric::{Fabric, LimitError};
use crate::messages::Message;
use crate::operation::{Caller, Channel, Operation, OperationError, OperationReport, ProcessId};
use crate::time::{SimDuration, SimTime};
use crate::world::VIRTUAL_TIME_LIMIT;

/// An operation under way.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Running {
    /// Who runs it.
    pub(crate) caller: Caller,
    /// When it goes on by itself.
    pub(crate) wake: SimTime,
    /// Where it is.
    pub(crate) process: Process,
    /// Its name.
    pub(crate) name: &'static str,
    /// What it works on.
    pub(crate) subject: Arc<str>,
    /// What it has said so far; the outcome stands when it has ended.
    pub(crate) report: OperationReport,
}

/// The kinds of processes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Process {
    /// Checks, takes its time, and then happens at once.
    Simple(SimpleRun),
    PoolFailover(Failover),
    PoolFailback(Failback),
    PoolBackup(BackupRun),
    CmsFailover(CmsRun),
    MoveCms(MoveRun),
    Services(ServiceRun),
    Computer(ComputerRun),
    Pool(PoolRun),
}

/// An operation with one effect at its end.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SimpleRun {
    operation: Operation,
    begun: bool,
}

/// What a process does next.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Step {
    /// It did something and goes on after a while.
    Sleep(SimDuration),
    /// Nothing for it to do now.
    Keep,
    /// It has ended well.
    Done,
}

/// A process's mouth: what it says goes into its report with the virtual time.
pub(crate) struct Voice<'a> {
    pub(crate) caller: Caller,
    pub(crate) name: &'static str,
    pub(crate) subject: &'a Arc<str>,
    pub(crate) report: &'a mut OperationReport,
}

impl Voice<'_> {
    pub(crate) fn verbose(&mut self, fabric: &Fabric, message: Message, names: &[&str]) {
        self.say(fabric, Channel::Verbose, message, names);
    }

    pub(crate) fn warning(&mut self, fabric: &Fabric, message: Message, names: &[&str]) {
        self.say(fabric, Channel::Warning, message, names);
    }

    fn say(&mut self, fabric: &Fabric, channel: Channel, message: Message, names: &[&str]) {
        self.report.messages.push((fabric.now, channel, message.text(names)));
    }

    /// Logs that the operation has passed into a phase with an effect of its own.
    pub(crate) fn phase(&self, fabric: &mut Fabric, phase: &str) {
        fabric.log(Event::OperationPhase { operation: self.name.into(), subject: self.subject.to_string(), phase: phase.into() });
    }
}

impl Fabric {
    /// Starts an operation; it runs while virtual time runs.
    pub fn start_operation(&mut self, operation: Operation, caller: Caller) -> ProcessId {
        let id = ProcessId(self.admin.next_process);
        self.admin_mut().next_process += 1;
        let (name, subject) = (operation.name(), operation.subject(&self.topology, caller));
        self.log(Event::OperationStarted { operation: name.into(), subject: subject.clone() });
        let report =
            OperationReport { started: self.now, ended: self.now, messages: Vec::new(), outcome: Ok(()), setup_needed: Vec::new() };
        let running = Running { caller, wake: self.now, process: Process::of(operation), name, subject: subject.into(), report };
        match self.check_shell(caller.computer) {
            Ok(()) => {
                self.admin_mut().processes.insert(id, running);
            }
            Err(error) => self.end_process(id, running, Err(error)),
        }
        // A limit that is hit here is hit again, and reported, when time runs on.
        let _ = self.settle();
        id
    }

    /// The report of an operation, once it has ended; each report is handed out once.
    pub fn take_report(&mut self, process: ProcessId) -> Option<OperationReport> {
        if !self.admin.reports.contains_key(&process) {
            return None;
        }
        self.admin_mut().reports.remove(&process)
    }

    /// Runs an operation to its end in virtual time.
    ///
    /// # Errors
    /// When a limit of events or of virtual time is hit. That the operation failed stands in its report.
    pub fn perform(&mut self, operation: Operation, caller: Caller) -> Result<OperationReport, LimitError> {
        let id = self.start_operation(operation, caller);
        self.advance_until(self.time_limit(), |fabric| fabric.admin.reports.contains_key(&id))?;
        self.take_report(id).ok_or(LimitError::Time { limit: VIRTUAL_TIME_LIMIT })
    }

    /// What an operation would refuse now, without starting it (`-WhatIf`, explain pages).
    ///
    /// # Errors
    /// The refusal.
    pub fn check(&self, operation: &Operation, caller: Caller) -> Result<(), OperationError> {
        self.check_shell(caller.computer)?;
        match operation {
            Operation::PoolFailover(order) => self.check_pool_failover(order, caller).map(|_| ()),
            Operation::PoolFailback(order) => self.check_pool_failback(order, caller).map(|_| ()),
            Operation::PoolBackup(order) => self.check_pool_backup(order),
            Operation::CmsFailover(order) => self.check_cms_failover(order, caller).map(|_| ()),
            Operation::MoveCms { force, configuration_file, lis_file } => {
                self.check_cms_move(caller, *force, configuration_file.as_deref(), lis_file.as_deref()).map(|_| ())
            }
            Operation::InstallCmsDatabase { sql_server, instance, clean, .. } => {
                self.check_install_database(caller, sql_server, instance, *clean).map(|_| ())
            }
            Operation::SetConfigurationStoreLocation { .. } => self.check_directory(),
            Operation::ImportConfiguration { configuration, local_store } => {
                self.check_import(caller, configuration, *local_store).map(|_| ())
            }
            Operation::Replicate { replica } => self.check_replication(caller.computer, *replica),
            Operation::Publish { draft, enable } => self.check_publish(caller, draft, *enable).map(|_| ()),
            Operation::EnableTopology => self.writable_store(caller.computer).map(|_| ()),
            Operation::RunSetup { computer } => self.check_setup(*computer),
            Operation::BackupSync { pool, module } => self.check_backup_sync(caller, *pool, *module),
            Operation::MoveUser { user, target, force } => self.check_move_user(caller, *user, *target, *force),
            Operation::DatabaseFailover { pool, databases, new_principal, force } => {
                self.check_database_failover(caller, *pool, *databases, *new_principal, *force)
            }
            Operation::StartServices { computer, service, .. } => self.check_services(caller, *computer, *service, true),
            Operation::StopServices { computer, service, .. } => self.check_services(caller, *computer, *service, false),
            Operation::StopServicesExcept { computer, .. } => self.check_services(caller, *computer, None, false),
            Operation::ComputerFailover { computer, force, .. } => self.check_computer_failover(caller, *computer, *force).map(|_| ()),
            Operation::ComputerFailback { computer, .. } => self.check_computer_failback(caller, *computer),
            Operation::ResetPoolRegistrarState { pool, kind, .. } => self.check_registrar_reset(*pool, kind),
            Operation::StartPool { pool, skip, quorum_loss_recovery, force } => {
                self.check_start_pool(*pool, skip, *quorum_loss_recovery || *force).map(|_| ())
            }
        }
    }

    pub(crate) fn admin_mut(&mut self) -> &mut AdminState {
        Arc::make_mut(&mut self.admin)
    }

    /// A refusal that decided something leans on the rule behind it.
    pub(crate) fn lean_on_refusal(&mut self, error: &OperationError) {
        if let Some(rule) = Message::find(error.id).and_then(|message| message.entry().rule) {
            self.lean(rule);
        }
    }

    pub(super) fn processes_deadline(&self) -> Option<SimTime> {
        self.admin.processes.values().map(|running| running.wake).min()
    }

    pub(super) fn settle_processes(&mut self) -> bool {
        let mut changed = false;
        let mut next = self.admin.processes.keys().next().copied();
        while let Some(id) = next {
            changed |= self.step_process(id);
            next = self.admin.processes.range(ProcessId(id.0 + 1)..).next().map(|(id, _)| *id);
        }
        changed
    }

    fn step_process(&mut self, id: ProcessId) -> bool {
        let Some(mut running) = self.admin_mut().processes.remove(&id) else { return false };
        let due = running.wake <= self.now;
        let outcome = if self.computer_up(running.caller.computer) {
            let Running { caller, name, ref subject, ref mut report, ref mut process, .. } = running;
            process.step(self, &mut Voice { caller, name, subject, report }, due)
        } else {
            let fqdn = &self.topology.computer(running.caller.computer).fqdn;
            Err(Message::ShellLost.error(&[fqdn], fqdn))
        };
        match outcome {
            Ok(Step::Keep) => {
                debug_assert!(!due, "a process that is due must go on: {:?}", running.process);
                if due {
                    running.wake = self.now + SimDuration::from_secs(1);
                }
                self.admin_mut().processes.insert(id, running);
                due
            }
            Ok(Step::Sleep(length)) => {
                running.wake = self.now + length.max(SimDuration(1));
                self.admin_mut().processes.insert(id, running);
                true
            }
            Ok(Step::Done) => {
                self.end_process(id, running, Ok(()));
                true
            }
            Err(error) => {
                self.end_process(id, running, Err(error));
                true
            }
        }
    }

    fn end_process(&mut self, id: ProcessId, running: Running, outcome: Result<(), OperationError>) {
        if let Err(error) = &outcome {
            self.lean_on_refusal(error);
        }
        let error = outcome.as_ref().err().map(|error| error.id.to_owned());
        self.log(Event::OperationEnded { operation: running.name.into(), subject: running.subject.to_string(), error });
        let mut report = running.report;
        report.ended = self.now;
        report.outcome = outcome;
        self.admin_mut().reports.insert(id, report);
    }
}

impl Process {
    fn of(operation: Operation) -> Self {
        match operation {
            Operation::PoolFailover(order) => Self::PoolFailover(Failover::new(order)),
            Operation::PoolFailback(order) => Self::PoolFailback(Failback::new(order)),
            Operation::PoolBackup(order) => Self::PoolBackup(BackupRun::new(order)),
            Operation::CmsFailover(order) => Self::CmsFailover(CmsRun::new(order)),
            Operation::MoveCms { force, configuration_file, lis_file } => Self::MoveCms(MoveRun::new(force, configuration_file, lis_file)),
            Operation::StartServices { computer, service, no_wait } => Self::Services(ServiceRun::start(computer, service, no_wait)),
            Operation::StopServices { computer, service, graceful, no_wait } => {
                Self::Services(ServiceRun::stop(computer, service, graceful, no_wait))
            }
            Operation::StopServicesExcept { computer, leave, graceful, no_wait } => {
                Self::Services(ServiceRun::stop_except(computer, leave, graceful, no_wait))
            }
            Operation::ComputerFailover { computer, no_stop, force, wait, draining } => {
                Self::Computer(ComputerRun::failover(computer, no_stop, force, wait, draining))
            }
            Operation::ComputerFailback { computer, no_start, wait } => Self::Computer(ComputerRun::failback(computer, no_start, wait)),
            Operation::ResetPoolRegistrarState { pool, kind, no_restart } => Self::Pool(PoolRun::reset(pool, kind, no_restart)),
            Operation::StartPool { pool, skip, quorum_loss_recovery, force } => {
                Self::Pool(PoolRun::start(pool, skip, quorum_loss_recovery, force))
            }
            operation => Self::Simple(SimpleRun { operation, begun: false }),
        }
    }

    fn step(&mut self, fabric: &mut Fabric, voice: &mut Voice<'_>, due: bool) -> Result<Step, OperationError> {
        match self {
            Self::Simple(run) => run.step(fabric, voice, due),
            Self::PoolFailover(run) => run.step(fabric, voice, due),
            Self::PoolFailback(run) => run.step(fabric, voice, due),
            Self::PoolBackup(run) => run.step(fabric, voice, due),
            Self::CmsFailover(run) => run.step(fabric, voice, due),
            Self::MoveCms(run) => run.step(fabric, voice, due),
            Self::Services(run) => run.step(fabric, voice, due),
            Self::Computer(run) => run.step(fabric, voice, due),
            Self::Pool(run) => run.step(fabric, voice, due),
        }
    }
}

impl SimpleRun {
    fn step(&mut self, fabric: &mut Fabric, voice: &mut Voice<'_>, due: bool) -> Result<Step, OperationError> {
        if !due {
            return Ok(Step::Keep);
        }
        let caller = voice.caller;
        // Checked at the start and again when it takes effect: what it needs may have gone meanwhile.
        fabric.check(&self.operation, caller)?;
        if !self.begun {
            self.begun = true;
            let length = self.operation.length();
            if length > SimDuration::ZERO {
                return Ok(Step::Sleep(length));
            }
        }
        match &self.operation {
            Operation::InstallCmsDatabase { sql_server, instance, clean, standby } => {
                fabric.install_database(caller, sql_server, instance, *clean, *standby)
            }
            Operation::SetConfigurationStoreLocation { sql_server, instance } => {
                fabric.set_store_location(voice, sql_server, instance);
                Ok(())
            }
            Operation::ImportConfiguration { configuration, local_store } => {
                fabric.import_configuration(caller, configuration, *local_store)
            }
            Operation::Replicate { replica } => {
                fabric.force_replication(*replica);
                Ok(())
            }
            Operation::Publish { draft, enable } => fabric.publish(voice, draft, *enable),
            Operation::EnableTopology => fabric.enable_topology(voice),
            Operation::RunSetup { computer } => {
                fabric.run_setup(voice, *computer);
                Ok(())
            }
            Operation::BackupSync { pool, module } => {
                fabric.request_sync(*pool, *module);
                fabric.lean(Behaviour::BackupCycle);
                Ok(())
            }
            Operation::MoveUser { user, target, force } => {
                fabric.move_user(voice, *user, *target, *force);
                Ok(())
            }
            Operation::DatabaseFailover { pool, databases, new_principal, .. } => {
                fabric.lean(Behaviour::DatabaseFailoverRules);
                fabric.fail_database_over(*pool, *databases, *new_principal);
                Ok(())
            }
            // All others are processes of their own kind.
            _ => Ok(()),
        }
        .map(|()| Step::Done)
    }
}
