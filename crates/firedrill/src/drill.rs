//! The facade over a drill: text in, plain values out.

use std::sync::Arc;

use firedrill_fabric::{ServiceMode, SimDuration, SimTime};
use firedrill_scenario::document::BindingMode;
use firedrill_scenario::scenario::Action;
use firedrill_scenario::{DEFAULT_START, DiskFiles, Files as _, Loader, MemoryFiles, limits, read_expectations};
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
    files: MemoryFiles,
}

/// Name of the topology among the files that fragments are read with.
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
        Self::from_text(&text, seed)
    }

    /// A drill on a deployment given as YAML.
    ///
    /// # Errors
    /// When it is not a valid topology.
    pub fn from_text(topology: &str, seed: u64) -> Result<Self, Error> {
        let loaded = firedrill_topology::load(&Source::new(TOPOLOGY, topology));
        let resolved = loaded.topology.ok_or_else(|| invalid(&loaded.diagnostics))?;
        let files = MemoryFiles::default().with(TOPOLOGY, topology);
        let drill = firedrill_scenario::Drill::new(Arc::new(resolved), seed, DEFAULT_START, BindingMode::Default);
        Ok(Self { drill, files })
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
        let length = parse_duration(length).map_err(|error| Error::Invalid(error.to_string()))?;
        let nanoseconds = i64::try_from(length.as_nanos()).map_err(|_| Error::Invalid(format!("{length:?} is too long")))?;
        Ok(self.drill.advance(SimDuration(nanoseconds))?)
    }

    /// Breaks something now, written as in a scenario: `pool: pool1.contoso.com`.
    ///
    /// # Errors
    /// When the fault is not valid in this deployment.
    pub fn inject(&mut self, fault: &str) -> Result<(), Error> {
        self.step(&format!("fault: {{ {fault} }}"))
    }

    /// Heals a fault now; computers come back with their services starting.
    ///
    /// # Errors
    /// When the fault is not valid in this deployment.
    pub fn heal(&mut self, fault: &str) -> Result<(), Error> {
        self.step(&format!("heal: {{ {fault} }}"))
    }

    /// Edits an external DNS zone as its operator: `set: { name: xmpp.contoso.com, type: A, data: [198.51.100.11] }`.
    ///
    /// # Errors
    /// When the edit is not valid, or refused.
    pub fn edit_dns(&mut self, edit: &str) -> Result<(), Error> {
        self.step(&format!("dns: [{{ {edit} }}]"))
    }

    /// Runs PowerShell on a computer (FQDN or unambiguous host name) in the session that the drill keeps there.
    ///
    /// # Errors
    /// When the computer is off, or the script writes an error: the text is the console's.
    pub fn run(&mut self, computer: &str, script: &str) -> Result<Output, Error> {
        use firedrill_scenario::StreamName;
        let computer = self.computer(computer)?;
        let said = self.drill.run(computer, script, None)?;
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
    /// drills put questions about DNS and federation to the model and to the wire.
    ///
    /// # Errors
    /// When it does not hold (with what was found and why), is not valid, or the model and the wire disagree.
    pub fn expect(&mut self, expectation: &str) -> Result<(), Error> {
        let expectations = read_expectations(&format!("- {expectation}"), self.drill.topology()).map_err(|problems| invalid(&problems))?;
        for expectation in &expectations {
            let finding = self.drill.expect(&expectation.check, None).map_err(|bug| Error::Bug(bug.to_string()))?;
            if !finding.holds {
                let expected = firedrill_scenario::describe(&expectation.check, self.drill.topology());
                return Err(Error::Expectation { expected, found: finding.found, because: finding.explain });
            }
        }
        Ok(())
    }

    fn step(&mut self, step: &str) -> Result<(), Error> {
        let scenario = self.fragment(&format!("name: step\ntopology: {TOPOLOGY}\nsteps:\n  - {step}\n"))?;
        for step in &scenario.steps {
            if let Action::Deed(deed) = &step.action {
                self.drill.deed(deed)?;
            }
        }
        Ok(())
    }

    /// Reads a piece of a scenario in this deployment.
    fn fragment(&mut self, text: &str) -> Result<Arc<firedrill_scenario::Scenario>, Error> {
        let source = Source::new("drill.yaml", text);
        let loaded = Loader::new(&mut self.files).load_source("drill.yaml", &source);
        loaded.map(|loaded| loaded.scenario).map_err(|problems| invalid(&problems))
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

fn invalid(problems: &[Diagnostic]) -> Error {
    Error::Invalid(render_plain(problems))
}
