//! One rehearsal in progress: a fabric, the sessions on its computers, and what can be done to them and asked of them.
//!
//! The runner drives a [`Drill`] by a scenario; tests and tools drive it by hand.

mod command;
mod describe;
mod evaluate;
mod heard;
mod settings;
mod wire;
mod wording;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use firedrill_cmdlets::signatures::Binding;
use firedrill_cmdlets::{Operator, PromptPolicy, Shell, ShellState};
use firedrill_fabric::fault::Change;
use firedrill_fabric::federation::{Level, Reach, ReachQuery, Reached};
use firedrill_fabric::naming::PartnerView;
use firedrill_fabric::{Caller, Configuration, Fabric, LimitError, Operation, OperationError, SimDuration, SimTime};
use firedrill_powershell::session::{Limits, Options as SessionOptions, Session};
use firedrill_topology::{ComputerId, PartnerId, RecordType, Topology, UserId};

use crate::document::BindingMode;
use crate::scenario::{Deed, Setting};

pub use command::{CONSOLE_WIDTH, ErrorSummary, Said, StreamName};
pub use describe::describe;
pub use evaluate::Finding;
pub use wire::WireUnavailable;
pub(crate) use wording::leaned_on;

/// A fault of ours: the model and the wire disagree, or something happened that cannot happen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}\n{details}")]
pub struct Bug {
    /// What is wrong.
    pub what: String,
    /// Both sides of it.
    pub details: String,
}

/// A drill cannot go on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DrillError {
    /// Nobody can run a command there.
    #[error("{0}")]
    NoShell(#[from] OperationError),
    /// A limit of events or of virtual time was hit.
    #[error("{0}")]
    Limit(#[from] LimitError),
    /// No Front End is up on which Topology Builder could run.
    #[error("no Front End is up on which Topology Builder could run")]
    NoFrontEnd,
    /// A DNS edit was refused.
    #[error("{0}")]
    DnsEdit(String),
}

/// What PowerShell remembers on one computer.
struct Console {
    session: Session,
    shell: ShellState,
}

fn console(consoles: &mut BTreeMap<ComputerId, Console>, computer: ComputerId, binding: BindingMode) -> &mut Console {
    let strict_binding = binding == BindingMode::Strict;
    let console = consoles.entry(computer).or_insert_with(|| Console {
        session: Session::new(Limits::default(), SessionOptions { strict_binding, ..SessionOptions::default() }),
        shell: ShellState::default(),
    });
    console.shell.binding = if strict_binding { Binding::Strict } else { Binding::Procedures };
    console
}

/// A state of the deployment, with the edits that wait in Topology Builder.
#[derive(Debug, Clone)]
pub struct Snapshot {
    fabric: Fabric,
    draft: Option<Configuration>,
}

impl Snapshot {
    /// Virtual time of the state.
    pub fn at(&self) -> SimTime {
        self.fabric.now()
    }
}

/// A rehearsal in progress.
pub struct Drill {
    fabric: Fabric,
    topology: Arc<Topology>,
    consoles: BTreeMap<ComputerId, Console>,
    binding: BindingMode,
    /// The document that Topology Builder has open with edits that are not published.
    draft: Option<Configuration>,
    wire: Option<wire::Wire>,
}

impl std::fmt::Debug for Drill {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Drill").field("now", &self.fabric.now()).field("consoles", &self.consoles.keys()).finish_non_exhaustive()
    }
}

impl Drill {
    /// A drill on a healthy deployment; the model answers alone.
    pub fn new(topology: Arc<Topology>, seed: u64, start: SimTime, binding: BindingMode) -> Self {
        let fabric = Fabric::new(topology.clone(), firedrill_fabric::Options { seed, start });
        Self::from_fabric(fabric, binding)
    }

    /// A drill on a fabric in any state.
    pub fn from_fabric(fabric: Fabric, binding: BindingMode) -> Self {
        let topology = fabric.topology().clone();
        Self { fabric, topology, consoles: BTreeMap::new(), binding, draft: None, wire: None }
    }

    /// Puts the fabric on the wire: from now on DNS and federation are answered by the model and by real sockets.
    ///
    /// # Errors
    /// When this machine does not give the addresses or ports.
    pub fn connect(&mut self) -> Result<(), WireUnavailable> {
        self.wire = Some(wire::Wire::start(&self.fabric)?);
        Ok(())
    }

    /// Whether real sockets take part.
    pub fn is_connected(&self) -> bool {
        self.wire.is_some()
    }

    /// Why Edge Servers share one loopback address, when they do.
    pub fn wire_fallback(&self) -> Option<String> {
        self.wire.as_ref().and_then(wire::Wire::fallback)
    }

    /// The fabric.
    pub fn fabric(&self) -> &Fabric {
        &self.fabric
    }

    /// The fabric, to be changed.
    pub fn fabric_mut(&mut self) -> &mut Fabric {
        &mut self.fabric
    }

    /// The deployment.
    pub fn topology(&self) -> &Arc<Topology> {
        &self.topology
    }

    /// Virtual time now.
    pub fn now(&self) -> SimTime {
        self.fabric.now()
    }

    /// Lets virtual time run.
    ///
    /// # Errors
    /// When a limit of events or of virtual time is hit.
    pub fn advance(&mut self, length: SimDuration) -> Result<(), DrillError> {
        self.advance_to(self.fabric.now() + length)
    }

    /// Lets virtual time run to an instant.
    ///
    /// # Errors
    /// When a limit of events or of virtual time is hit.
    pub fn advance_to(&mut self, until: SimTime) -> Result<(), DrillError> {
        Ok(self.fabric.advance_to(until)?)
    }

    /// Breaks, heals or edits from outside, now.
    ///
    /// # Errors
    /// When a DNS edit is refused.
    pub fn deed(&mut self, deed: &Deed) -> Result<(), DrillError> {
        changes(deed).into_iter().try_for_each(|change| self.fabric.apply(change).map_err(|error| DrillError::DnsEdit(error.to_string())))
    }

    /// Breaks, heals or edits from outside, later.
    pub fn schedule(&mut self, at: SimTime, deed: &Deed) {
        for change in changes(deed) {
            self.fabric.schedule(at, change);
        }
    }

    /// Runs PowerShell on a computer, in the session that this drill keeps there. With `answers`, prompts get these and
    /// then no answer any more; without, somebody sits at the console who confirms every confirmation and answers nothing
    /// else.
    ///
    /// # Errors
    /// When the computer is off.
    pub fn run(&mut self, computer: ComputerId, text: &str, answers: Option<&[Arc<str>]>) -> Result<Said, DrillError> {
        self.evaluate(computer, text, answers, None)
    }

    /// Runs PowerShell on a computer, in the session that this drill keeps there, with somebody at the console who hears
    /// every record when it is written, and answers the prompts.
    ///
    /// # Errors
    /// When the computer is off.
    pub fn run_at_console(&mut self, computer: ComputerId, text: &str, operator: &mut dyn Operator) -> Result<Said, DrillError> {
        self.evaluate(computer, text, None, Some(operator))
    }

    fn evaluate(
        &mut self,
        computer: ComputerId,
        text: &str,
        answers: Option<&[Arc<str>]>,
        operator: Option<&mut dyn Operator>,
    ) -> Result<Said, DrillError> {
        self.fabric.check_shell(computer)?;
        let console = console(&mut self.consoles, computer, self.binding);
        console.shell.answers = answers.unwrap_or_default().iter().map(|answer| answer.to_string()).collect::<VecDeque<_>>();
        console.shell.policy = if answers.is_some() { PromptPolicy::Absent } else { PromptPolicy::Confirm };
        console.shell.prompts.clear();
        console.shell.limit = None;
        console.session.options_mut().interactive = answers.is_none_or(|answers| !answers.is_empty());
        let started = self.fabric.now();
        let mut shell = Shell::new(&mut self.fabric, computer, &mut console.shell);
        if let Some(operator) = operator {
            shell = shell.with_operator(operator);
        }
        let output = console.session.run(&mut shell, "", text);
        if let Some(limit) = console.shell.limit.take() {
            return Err(DrillError::Limit(limit));
        }
        let prompts = std::mem::take(&mut console.shell.prompts).into_iter().map(|prompt| (prompt.text, prompt.answer)).collect();
        Ok(Said::from_run(&output, prompts, self.fabric.now().since(started)))
    }

    /// Variables of the session that this drill keeps on a computer.
    pub fn variables(&self, computer: ComputerId) -> Vec<(Arc<str>, firedrill_powershell::Value)> {
        self.consoles.get(&computer).map(|console| console.session.variables()).unwrap_or_default()
    }

    /// The state of the deployment now, to come back to. What the sessions remember is not part of it.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot { fabric: self.fabric.clone(), draft: self.draft.clone() }
    }

    /// Goes back to a state of the deployment. Variables of sessions stay as they are; sockets follow at the next question.
    pub fn restore(&mut self, snapshot: &Snapshot) {
        self.fabric = snapshot.fabric.clone();
        self.draft.clone_from(&snapshot.draft);
    }

    /// Edits the topology with Topology Builder on a computer (the first Front End that is up when none is given), and
    /// publishes it if `publish` says so. Edits that are not published wait for the next call that publishes (dossier H).
    ///
    /// # Errors
    /// When the computer is off, or a limit is hit. A refusal of the product is part of what was said.
    pub fn topology_builder(&mut self, on: Option<ComputerId>, settings: &[Setting], publish: bool) -> Result<Said, DrillError> {
        const DIALOG: &str = "Topology Builder";
        let computer = on.or_else(|| self.first_front_end()).ok_or(DrillError::NoFrontEnd)?;
        self.fabric.check_shell(computer)?;
        let (mut said, started) = (Said::default(), self.fabric.now());
        let mut document = match self.draft.take() {
            Some(draft) => draft,
            None => match self.fabric.central_store(computer) {
                Ok(document) => Configuration::clone(&document),
                Err(error) => {
                    said.add_error(DIALOG, &error);
                    return Ok(said);
                }
            },
        };
        for setting in settings {
            settings::apply(*setting, &mut document);
        }
        if !publish {
            self.draft = Some(document);
            return Ok(said);
        }
        let operation = Operation::Publish { draft: Box::new(document.clone()), enable: true };
        let report = self.fabric.perform(operation, Caller { computer })?;
        said.add_report(DIALOG, &report);
        if report.outcome.is_err() {
            // The dialogs stay open with the edits.
            self.draft = Some(document);
        }
        for computer in &report.setup_needed {
            let line = format!("Run local setup on {}", self.topology.computer(*computer).fqdn);
            said.streams.push((StreamName::Host, line));
        }
        said.close(started, self.fabric.now());
        Ok(said)
    }

    /// Runs "Setup or Remove Components" on computers, one after another (dossier H).
    ///
    /// # Errors
    /// When a computer is off, or a limit is hit. A refusal of the product is part of what was said.
    pub fn deployment_wizard(&mut self, computers: &[ComputerId]) -> Result<Said, DrillError> {
        let (mut said, started) = (Said::default(), self.fabric.now());
        for &computer in computers {
            self.fabric.check_shell(computer)?;
            let report = self.fabric.perform(Operation::RunSetup { computer }, Caller { computer })?;
            said.add_report("Deployment Wizard", &report);
        }
        said.close(started, self.fabric.now());
        Ok(said)
    }

    /// Whether a partner reaches us, or we it: by the model and, when connected, over real sockets.
    ///
    /// # Errors
    /// When the two disagree.
    pub fn reach(&mut self, query: &ReachQuery) -> Result<Reach, Bug> {
        self.reached(query, Level::Authenticated).map(|reached| reached.reach)
    }

    /// As [`Self::reach`], with how far it went; XMPP goes on to a ping only where L6 is `wanted`.
    ///
    /// # Errors
    /// When the two disagree.
    pub fn reached(&mut self, query: &ReachQuery, wanted: Level) -> Result<Reached, Bug> {
        let model = self.fabric.reached(query, wanted);
        if let Some(wire) = &mut self.wire {
            wire.follow(&self.fabric)?;
            wire.check_reach(query, &self.fabric, &model.reach)?;
        }
        Ok(model)
    }

    /// What a partner sees in DNS: by the model and, when connected, through its real resolver.
    ///
    /// # Errors
    /// When the two disagree.
    pub fn partner_view(&mut self, partner: PartnerId, name: &str, record_type: RecordType) -> Result<PartnerView, Bug> {
        let model = self.fabric.partner_view(partner, name, record_type);
        if let Some(wire) = &mut self.wire {
            wire.follow(&self.fabric)?;
            wire.check_lookup(partner, name, record_type, &self.fabric, &model)?;
        }
        Ok(model)
    }

    /// Signs a user in over real sockets, when connected: whoever knows all registrars finds the one that the model says, and is
    /// served as the model derives.
    ///
    /// # Errors
    /// When the two disagree.
    pub fn sign_in(&mut self, user: UserId) -> Result<(), Bug> {
        if let Some(wire) = &mut self.wire {
            wire.follow(&self.fabric)?;
            wire.check_sign_in(user, &self.fabric)?;
        }
        Ok(())
    }

    /// Makes the wire follow the model, when there is one.
    ///
    /// # Errors
    /// When it cannot.
    pub fn follow(&mut self) -> Result<(), Bug> {
        match &mut self.wire {
            Some(wire) => wire.follow(&self.fabric),
            None => Ok(()),
        }
    }

    fn first_front_end(&self) -> Option<ComputerId> {
        let all = self.topology.pools.iter().flat_map(|pool| pool.front_ends.iter().copied());
        all.into_iter().find(|computer| self.fabric.computer_up(*computer))
    }
}

fn changes(deed: &Deed) -> Vec<Change> {
    match deed {
        Deed::Inject(faults) => faults.iter().cloned().map(Change::Inject).collect(),
        Deed::Heal { faults, services_stopped: false } => faults.iter().cloned().map(Change::Heal).collect(),
        Deed::Heal { faults, services_stopped: true } => faults.iter().cloned().map(Change::HealServicesStopped).collect(),
        Deed::Dns(edits) => edits.iter().cloned().map(Change::Dns).collect(),
    }
}
