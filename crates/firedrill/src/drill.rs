//! The facade over a drill: text in, plain values out.

use std::sync::Arc;

use firedrill_fabric::{ServiceMode, SimDuration, SimTime};
use firedrill_scenario::document::BindingMode;
use firedrill_scenario::scenario::{Action, Deed};
use firedrill_scenario::{DEFAULT_START, DiskFiles, Files as _, Said, StreamName, limits, read_expectations, read_steps};
use firedrill_syntax::{Diagnostic, Source, parse_duration, render_plain};
use firedrill_topology::{ComputerId, Topology, UserId};

/// Why something could not be done in a drill. Messages stand for themselves: tests print them.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A topology, fault or expectation is invalid.
    #[error("{0}")]
    Invalid(String),
    /// A file cannot be read.
    #[error("`{path}` cannot be read: {reason}")]
    Unreadable {
        /// The file.
        path: String,
        /// Why.
        reason: String,
    },
    /// A name that the topology does not know.
    #[error("the topology has no {kind} `{name}`")]
    Unknown {
        /// What was looked for.
        kind: &'static str,
        /// Under which name.
        name: String,
    },
    /// A command ended in an error.
    #[error("{0}")]
    Command(String),
    /// An expectation does not hold.
    #[error("expected {expected}\n   found {found}\n{}", because.join("\n"))]
    Expectation {
        /// What was expected.
        expected: String,
        /// What was found.
        found: String,
        /// State that explains it, most telling first.
        because: Vec<String>,
    },
    /// The drill cannot go on: its computer is off, a limit was hit, an edit was refused.
    #[error(transparent)]
    Drill(#[from] firedrill_scenario::DrillError),
    /// No loopback addresses or ports could be had.
    #[error("the fabric cannot be put on the wire: {0}")]
    NoWire(String),
    /// The model and the wire disagree: a bug of ours.
    #[error("a bug of Firedrill's own: {0}")]
    Bug(String),
}

/// What a command said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// Formatted objects, as the console shows them.
    pub text: String,
    /// Warnings, one a line.
    pub warnings: String,
    /// Verbose messages, one a line.
    pub verbose: String,
    /// How long it took in virtual time.
    pub took: SimDuration,
    /// What it used that is known and not modelled.
    pub unmodelled: Vec<String>,
}

/// The service that a user gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Served {
    /// How fully.
    pub mode: ServiceMode,
    /// FQDN of the pool that serves; none when signed out.
    pub by: Option<String>,
    /// FQDN of the home pool (`RegistrarPool`).
    pub home: String,
}

/// A rehearsal in progress, driven by hand.
#[derive(Debug)]
pub struct Drill {
    drill: firedrill_scenario::Drill,
    /// What the last command or dialog said.
    said: Option<Said>,
}

/// Name of a topology that is given as text.
const TOPOLOGY: &str = "topology.yaml";

impl Drill {
    /// A drill on the deployment in a file; the path is relative to the current folder.
    ///
    /// # Errors
    /// When the file cannot be read or is not a valid topology.
    pub fn from_file(path: &str, seed: u64) -> Result<Self, Error> {
        let bytes = DiskFiles
            .read(path, limits::MAX_TOPOLOGY_BYTES as u64)
            .map_err(|error| Error::Unreadable { path: path.to_owned(), reason: error.to_string() })?;
        let text =
            String::from_utf8(bytes).map_err(|_| Error::Unreadable { path: path.to_owned(), reason: "it is not UTF-8".to_owned() })?;
        Self::from_loaded(firedrill_scenario::read_topology(&mut DiskFiles, &Source::new(path, &text)), seed)
    }

    /// A drill on a deployment given as YAML.
    ///
    /// # Errors
    /// When it is not a valid topology.
    pub fn from_text(topology: &str, seed: u64) -> Result<Self, Error> {
        Self::from_loaded(firedrill_topology::load(&Source::new(TOPOLOGY, topology)), seed)
    }

    fn from_loaded(loaded: firedrill_topology::Loaded, seed: u64) -> Result<Self, Error> {
        let resolved = loaded.topology.ok_or_else(|| invalid(&loaded.diagnostics))?;
        let drill = firedrill_scenario::Drill::new(Arc::new(resolved), seed, DEFAULT_START, BindingMode::Default);
        Ok(Self { drill, said: None })
    }

    /// What the facade stands before: sessions, snapshots, expectations that are already read.
    pub fn rehearsal(&mut self) -> &mut firedrill_scenario::Drill {
        &mut self.drill
    }

    /// Keeps what a command said that was run past the facade, for expectations about it.
    pub fn heard(&mut self, said: Said) {
        self.said = Some(said);
    }

    /// Puts the fabric on the wire: a real DNS server and real Edge listeners on loopback, until the drill is dropped.
    ///
    /// # Errors
    /// When this machine does not give the addresses or ports.
    pub fn connect(&mut self) -> Result<(), Error> {
        self.drill.connect().map_err(|error| Error::NoWire(error.to_string()))
    }

    /// The deployment.
    pub fn topology(&self) -> &Arc<Topology> {
        self.drill.topology()
    }

    /// The model, for questions that the facade does not ask.
    pub fn fabric(&mut self) -> &mut firedrill_fabric::Fabric {
        self.drill.fabric_mut()
    }

    /// Virtual time now.
    pub fn now(&self) -> SimTime {
        self.drill.now()
    }

    /// Lets virtual time run: `10m`, `90s`, `1h30m`.
    ///
    /// # Errors
    /// When the text is not a length of time, or a limit of virtual time or events is hit.
    pub fn advance(&mut self, length: &str) -> Result<(), Error> {
        Ok(self.drill.advance(duration(length)?)?)
    }

    /// Breaks something now, written as in a scenario: `pool: pool1.contoso.com`.
    ///
    /// # Errors
    /// When the fault is not valid in this deployment.
    pub fn inject(&mut self, fault: &str) -> Result<(), Error> {
        self.deeds(&format!("fault: {{ {fault} }}"), SimDuration::ZERO)
    }

    /// Heals a fault now; computers come back with their services starting.
    ///
    /// # Errors
    /// When the fault is not valid in this deployment.
    pub fn heal(&mut self, fault: &str) -> Result<(), Error> {
        self.deeds(&format!("heal: {{ {fault} }}"), SimDuration::ZERO)
    }

    /// Breaks something later, so long after now (`3m`): a fault that is due while a command runs strikes in the middle of it.
    ///
    /// # Errors
    /// When the text is not a length of time, or the fault is not valid in this deployment.
    pub fn schedule(&mut self, after: &str, fault: &str) -> Result<(), Error> {
        self.deeds(&format!("fault: {{ {fault} }}"), duration(after)?)
    }

    /// Heals a fault later, so long after now (`20m`); computers come back with their services starting.
    ///
    /// # Errors
    /// When the text is not a length of time, or the fault is not valid in this deployment.
    pub fn schedule_heal(&mut self, after: &str, fault: &str) -> Result<(), Error> {
        self.deeds(&format!("heal: {{ {fault} }}"), duration(after)?)
    }

    /// Edits an external DNS zone as its operator: `set: { name: xmpp.contoso.com, type: A, data: [198.51.100.11] }`.
    ///
    /// # Errors
    /// When the edit is not valid, or refused.
    pub fn edit_dns(&mut self, edit: &str) -> Result<(), Error> {
        self.deeds(&format!("dns: [{{ {edit} }}]"), SimDuration::ZERO)
    }

    /// Edits the topology as the dialogs of Topology Builder do, on the first Front End that is up, and publishes it (dossier
    /// H): `next_hop: { edgeserver1.contoso.com: pool2.contoso.com }`.
    ///
    /// # Errors
    /// When an edit is not valid, no Front End is up, or publishing is refused: the text is the dialog's.
    pub fn topology_builder(&mut self, edits: &str) -> Result<Output, Error> {
        self.dialog(&format!("topology_builder: {{ {edits} }}"))
    }

    /// Runs "Setup or Remove Components" of the deployment wizard, one computer after another; a pool means all its
    /// computers (dossier H).
    ///
    /// # Errors
    /// When a name is unknown, a computer is off, or setup is refused: the text is the dialog's.
    pub fn deployment_wizard(&mut self, computers: &[&str]) -> Result<Output, Error> {
        self.dialog(&format!("deployment_wizard: [{}]", computers.join(", ")))
    }

    /// Runs PowerShell on a computer (FQDN or unambiguous host name) in the session that the drill keeps there.
    ///
    /// # Errors
    /// When the computer is off, or the script writes an error: the text is the console's.
    pub fn run(&mut self, computer: &str, script: &str) -> Result<Output, Error> {
        let computer = self.computer(computer)?;
        let said = self.drill.run(computer, script, None)?;
        self.output(said)
    }

    /// The service that a user gets now.
    ///
    /// # Errors
    /// When nobody has that address.
    pub fn serving(&self, address: &str) -> Result<Served, Error> {
        let user = self.user(address)?;
        let topology = self.drill.topology();
        let serving = self.drill.fabric().serving(user);
        Ok(Served {
            mode: serving.mode,
            by: serving.pool.map(|pool| topology.pool(pool).fqdn.clone()),
            home: topology.pool(self.drill.fabric().registrar_pool(user)).fqdn.clone(),
        })
    }

    /// Looks whether an expectation holds, written as in a scenario: `pool_state: { pool1.contoso.com: Active }`. Connected
    /// drills put questions about DNS and federation to the model and to the wire. Expectations about a command (`fails`,
    /// `objects`, `warnings`, `took` …) look at the last one, also when it ended in an error.
    ///
    /// # Errors
    /// When it does not hold (with what was found and why), is not valid, or the model and the wire disagree.
    pub fn expect(&mut self, expectation: &str) -> Result<(), Error> {
        let expectations = read_expectations(&format!("- {expectation}"), self.drill.topology()).map_err(|problems| invalid(&problems))?;
        for expectation in &expectations {
            let finding = self.drill.expect(&expectation.check, self.said.as_ref()).map_err(|bug| Error::Bug(bug.to_string()))?;
            if !finding.holds {
                let expected = firedrill_scenario::describe(&expectation.check, self.drill.topology());
                return Err(Error::Expectation { expected, found: finding.found, because: finding.explain });
            }
        }
        Ok(())
    }

    /// Breaks, heals or edits from outside, so long after now.
    fn deeds(&mut self, step: &str, after: SimDuration) -> Result<(), Error> {
        let steps = self.steps(step)?;
        for deed in steps.iter().filter_map(deed_of) {
            if after == SimDuration::ZERO {
                self.drill.deed(deed)?;
            } else {
                self.drill.schedule(self.drill.now() + after, deed);
            }
        }
        Ok(())
    }

    fn dialog(&mut self, step: &str) -> Result<Output, Error> {
        let mut all = Said::default();
        for step in self.steps(step)? {
            all = match &step.action {
                Action::TopologyBuilder { on, settings, publish, .. } => self.drill.topology_builder(*on, settings, *publish)?,
                Action::DeploymentWizard { computers, .. } => self.drill.deployment_wizard(computers)?,
                _ => continue,
            };
        }
        self.output(all)
    }

    /// What was said as plain values, kept for expectations about it.
    fn output(&mut self, said: Said) -> Result<Output, Error> {
        let said = self.said.insert(said);
        if let Some(error) = said.errors.first() {
            return Err(Error::Command(error.console.clone()));
        }
        if let Some(limit) = &said.limit {
            return Err(Error::Command(limit.clone()));
        }
        Ok(Output {
            text: said.text(StreamName::Output),
            warnings: said.text(StreamName::Warning),
            verbose: said.text(StreamName::Verbose),
            took: said.took,
            unmodelled: said.unmodelled.iter().map(|(what, _)| what.to_string()).collect(),
        })
    }

    /// Reads a step of a scenario in this deployment.
    fn steps(&self, step: &str) -> Result<Vec<firedrill_scenario::Step>, Error> {
        read_steps(&format!("- {step}"), self.drill.topology()).map_err(|problems| invalid(&problems))
    }

    fn computer(&self, name: &str) -> Result<ComputerId, Error> {
        let found = self.drill.topology().find_computer(name);
        found.ok_or_else(|| Error::Unknown { kind: "computer", name: name.to_owned() })
    }

    fn user(&self, address: &str) -> Result<UserId, Error> {
        let found = self.drill.topology().users.find(address);
        found.ok_or_else(|| Error::Unknown { kind: "user", name: address.to_owned() })
    }
}

impl From<firedrill_scenario::Drill> for Drill {
    fn from(drill: firedrill_scenario::Drill) -> Self {
        Self { drill, said: None }
    }
}

fn deed_of(step: &firedrill_scenario::Step) -> Option<&Deed> {
    match &step.action {
        Action::Deed(deed) => Some(deed),
        _ => None,
    }
}

/// A length of virtual time as scenarios write it.
fn duration(text: &str) -> Result<SimDuration, Error> {
    let length = parse_duration(text).map_err(|error| Error::Invalid(error.to_string()))?;
    let nanoseconds = i64::try_from(length.as_nanos()).map_err(|_| Error::Invalid(format!("{length:?} is too long")))?;
    Ok(SimDuration(nanoseconds))
}

fn invalid(problems: &[Diagnostic]) -> Error {
    Error::Invalid(render_plain(problems))
}
