//! Scenarios after loading: every name is an id, every time a number, every script parsed once.

use std::sync::Arc;

use firedrill_fabric::fault::DnsEdit;
use firedrill_fabric::federation::{Direction, Level, Protocol, ReachFailure};
use firedrill_fabric::operation::{BackupModule, DatabaseGroup, MirrorSide};
use firedrill_fabric::serving::{DataKind, ServingCause};
use firedrill_fabric::{
    CmsDatabaseState, ExportState, Fault, ImportState, PoolState, ServiceMode, ServiceName, ServiceStatus, SimDuration, SimTime,
};
use firedrill_syntax::{Source, Span};
use firedrill_topology::{ComputerId, EdgePoolId, PartnerId, PoolId, RecordData, RecordType, SiteId, SqlId, Topology, UserId};

use crate::document::{BindingMode, OnError, UntilDocument, WireMode};

/// A place in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The file.
    pub source: Arc<Source>,
    /// Where in it.
    pub span: Span,
}

impl Origin {
    /// Line, counted from 1.
    pub fn line(&self) -> usize {
        self.source.line_column(self.span.start).line
    }

    /// `file:line`, as every report names it.
    pub fn place(&self) -> String {
        format!("{}:{}", self.source.name, self.line())
    }
}

/// A scenario that can be run.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// One line that says what is rehearsed.
    pub name: Arc<str>,
    /// Background.
    pub description: Option<Arc<str>>,
    /// The procedure it rehearses.
    pub procedure: Option<Arc<str>>,
    /// Words to select it by, the procedure included, in document order without repetitions.
    pub tags: Vec<Arc<str>>,
    /// The file.
    pub source: Arc<Source>,
    /// Path of the deployment document.
    pub topology_path: Arc<str>,
    /// The deployment, overrides included.
    pub topology: Arc<Topology>,
    /// Seed.
    pub seed: u64,
    /// Virtual time at the start.
    pub start: SimTime,
    /// How command lines bind.
    pub binding: BindingMode,
    /// Whether real sockets take part.
    pub wire: WireMode,
    /// What the business needs, judged at the end.
    pub objectives: Vec<Expectation>,
    /// What happens, includes unfolded.
    pub steps: Vec<Step>,
    /// What has to hold at the end.
    pub expect: Vec<Expectation>,
    /// Digest of the texts of all files that take part.
    pub hash: [u8; 32],
}

/// One step.
#[derive(Debug, Clone)]
pub struct Step {
    /// Where it is written.
    pub origin: Origin,
    /// Last line of it, in the same file.
    pub last_line: usize,
    /// A few words.
    pub title: Option<Arc<str>>,
    /// When it starts.
    pub timing: Timing,
    /// What it does.
    pub action: Action,
    /// What happens while it runs, by time after its start.
    pub during: Vec<(SimDuration, Deed)>,
    /// What has to hold when it is done.
    pub expect: Vec<Expectation>,
}

/// When a step starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Timing {
    /// When the previous one has ended.
    Next,
    /// So long after the end of the previous one.
    After(SimDuration),
    /// So long after the start of the scenario, or of the innermost included file.
    At(SimDuration),
}

/// What a step does.
#[derive(Debug, Clone)]
pub enum Action {
    /// Faults, heals, DNS edits: takes no time.
    Deed(Deed),
    /// Lets time run.
    Wait(SimDuration),
    /// Lets time run until expectations hold.
    WaitUntil {
        /// At the latest.
        within: SimDuration,
        /// All of them.
        expect: Vec<Expectation>,
    },
    /// Runs PowerShell.
    Run(Script),
    /// Edits with Topology Builder.
    TopologyBuilder {
        /// Where; the first Front End that is up when not given.
        on: Option<ComputerId>,
        /// The edits.
        settings: Vec<Setting>,
        /// Publish afterwards.
        publish: bool,
        /// What an error means.
        on_error: OnError,
    },
    /// Runs the deployment wizard on computers one after another.
    DeploymentWizard {
        /// Where.
        computers: Vec<ComputerId>,
        /// What an error means.
        on_error: OnError,
    },
    /// An included file begins.
    Enter {
        /// Its path.
        path: Arc<str>,
    },
    /// An included file has ended.
    Leave {
        /// Its path.
        path: Arc<str>,
    },
    /// Only looks.
    Look,
}

/// PowerShell of a step.
#[derive(Debug, Clone)]
pub struct Script {
    /// The text.
    pub text: Arc<str>,
    /// Where the text is written: its first line.
    pub origin: Origin,
    /// The computer that runs it.
    pub on: ComputerId,
    /// Answers to prompts; when not given, somebody confirms every confirmation.
    pub answers: Option<Vec<Arc<str>>>,
    /// What an error means.
    pub on_error: OnError,
}

/// Something done to the fabric from outside, in no time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deed {
    /// Faults strike together.
    Inject(Vec<Fault>),
    /// Faults heal together.
    Heal {
        /// Which.
        faults: Vec<Fault>,
        /// Computers come back with their services stopped.
        services_stopped: bool,
    },
    /// The operator of the external zones edits them.
    Dns(Vec<DnsEdit>),
}

/// A setting of the topology, as Topology Builder changes it and as expectations compare it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Setting {
    /// Next hop of an Edge pool.
    NextHop(EdgePoolId, PoolId),
    /// "Enable federation for this Edge pool (Port 5061)".
    Federation(EdgePoolId, bool),
    /// "Enable XMPP federation".
    Xmpp(EdgePoolId, bool),
    /// Edge pool for media of a pool.
    MediaAssociation(PoolId, Option<EdgePoolId>),
    /// SIP federation route of a site.
    FederationRoute(SiteId, Option<EdgePoolId>),
    /// XMPP federation route of a site.
    XmppRoute(SiteId, Option<EdgePoolId>),
    /// Backup pool.
    Pairing(PoolId, Option<PoolId>),
    /// Voice resiliency of a pool; what is not given stays.
    Voice {
        /// The pool.
        pool: PoolId,
        /// The tick-box.
        automatic: Option<bool>,
        /// Detection interval in seconds.
        detection_seconds: Option<u32>,
        /// Failback interval in seconds.
        failback_seconds: Option<u32>,
    },
}

/// Something that has to hold.
#[derive(Debug, Clone)]
pub struct Expectation {
    /// Where it is written.
    pub origin: Origin,
    /// What it looks at.
    pub check: Check,
}

/// A selection of users.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// One.
    User(UserId),
    /// From the first to the last one, both included.
    Users(UserId, UserId),
    /// All homed on a pool.
    Pool(PoolId),
}

/// How many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantity {
    /// All of them.
    All,
    /// A number between two, both included.
    Between(u32, u32),
}

/// A pool or a computer of it, or nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holder {
    /// Nobody.
    Nobody,
    /// A computer.
    Computer(ComputerId),
    /// A computer of a pool.
    Pool(PoolId),
}

/// An Edge pool or an Edge Server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EdgePlace {
    /// Any server of the Edge pool.
    Pool(EdgePoolId),
    /// This server.
    Computer(ComputerId),
}

/// Columns of the table of user experience (dossier B.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the columns of dossier B.3")]
pub enum ExperienceColumn {
    SignIn,
    OwnConferences,
    OthersConferences,
    Contacts,
    Presence,
    PeerToPeer,
    PersistentChanges,
}

/// Streams of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Formatted output.
    Output,
    /// Warnings.
    Warnings,
    /// Verbose messages.
    Verbose,
    /// What was written to the host.
    Host,
    /// Remarks about the script.
    Remarks,
}

/// Demands on a text.
#[derive(Debug, Clone, Default)]
pub struct TextDemand {
    /// All of it, trimmed.
    pub is: Option<Arc<str>>,
    /// Parts that occur.
    pub contains: Vec<Arc<str>>,
    /// Parts that do not.
    pub lacks: Vec<Arc<str>>,
    /// An expression that matches.
    pub matches: Option<regex::Regex>,
}

/// Demands on errors.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ErrorDemand {
    /// Whole message.
    pub message: Option<Arc<str>>,
    /// Part of the message.
    pub contains: Option<Arc<str>>,
    /// Id, or its part before the comma.
    pub error_id: Option<Arc<str>>,
    /// Category.
    pub category: Option<Arc<str>>,
    /// Number of errors.
    pub count: Option<u32>,
}

/// Property names and the texts of their values.
pub type Properties = Vec<(Arc<str>, Arc<str>)>;

/// Demands on objects.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ObjectsDemand {
    /// How many.
    pub count: Option<u32>,
    /// What every object has.
    pub all: Properties,
    /// What some object has.
    pub any: Properties,
    /// What no object has.
    pub none: Properties,
    /// What the objects have, one by one.
    pub are: Option<Vec<Properties>>,
}

/// What a partner's resolver answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DnsAnswer {
    /// Records in any order.
    Records(Vec<RecordData>),
    /// NXDOMAIN.
    NoName,
    /// NODATA.
    NoData,
    /// No server answers.
    NoServer,
}

/// A bound on a length of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Bounds {
    /// At least.
    pub at_least: Option<SimDuration>,
    /// At most.
    pub at_most: Option<SimDuration>,
}

/// Whether federation works, as far as a level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reachability {
    /// It works, through this Edge when given.
    Reachable(Option<EdgePlace>),
    /// It does not, for this reason when given.
    Unreachable(Option<ReachFailure>),
}

/// What an expectation looks at, and what it has to find.
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "the fields are those of the expectation documents, which are documented there")]
pub enum Check {
    Homing { who: Who, pool: Option<PoolId>, count: Option<u32> },
    Serving { who: Who, mode: ServiceMode, by: Option<PoolId>, quantity: Quantity, cause: Option<ServingCause> },
    Experience { user: UserId, column: ExperienceColumn, able: bool },
    CmsMaster(Holder),
    CmsTransferAgents(Holder),
    CmsDatabase { pool: PoolId, state: Option<CmsDatabaseState> },
    CmsLocation(SqlId),
    Replicas { computers: Vec<ComputerId>, up_to_date: Option<bool>, current: Option<bool>, product_version: Option<Option<Arc<str>>> },
    PoolState { pool: PoolId, state: PoolState },
    Backup { pool: PoolId, module: Option<BackupModule>, export: Vec<ExportState>, import: Option<ImportState>, available: Option<bool> },
    Services { computers: Vec<ComputerId>, names: Vec<ServiceName>, status: Option<ServiceStatus>, disabled: Option<bool> },
    Setting { setting: Setting, replica_of: Option<ComputerId> },
    Media { pool: PoolId, via: Option<Option<EdgePoolId>>, working: Option<bool> },
    Dns { partner: PartnerId, name: String, record_type: RecordType, answer: DnsAnswer, cached: Option<bool> },
    Federation { partner: PartnerId, domain: String, protocol: Protocol, direction: Direction, level: Level, wanted: Reachability },
    SetupPending { computers: Vec<ComputerId>, pending: bool },
    PrincipalSide { pool: PoolId, databases: DatabaseGroup, side: MirrorSide },
    PrincipalInstance { pool: PoolId, databases: DatabaseGroup, instance: Option<SqlId> },
    Quorum { pool: PoolId, functional: Option<bool>, active: Option<u32>, without_primary: Option<u32> },
    Rto { who: Who, until: UntilDocument, bounds: Bounds },
    Rpo { who: Option<Who>, kind: DataKind, bounds: Bounds },
    Fails(ErrorDemand),
    Text(Stream, TextDemand),
    Objects(ObjectsDemand),
    Took(Bounds),
}

impl Check {
    /// Whether it looks at the outcome of the step that carries it.
    pub fn needs_command(&self) -> bool {
        matches!(self, Self::Fails(_) | Self::Text(..) | Self::Objects(_))
    }

    /// Whether the real path (DNS, sockets) can answer it too.
    pub fn concerns_wire(&self) -> bool {
        matches!(self, Self::Federation { .. } | Self::Dns { .. })
    }
}

impl Scenario {
    /// The step at a line of the scenario's own file, if one stands there.
    pub fn step_at(&self, line: usize) -> Option<usize> {
        self.steps
            .iter()
            .position(|step| step.origin.source.name == self.source.name && (step.origin.line()..=step.last_line).contains(&line))
    }

    /// Whether anything in it asks about DNS or federation.
    pub fn concerns_wire(&self) -> bool {
        let waits = self.steps.iter().filter_map(|step| match &step.action {
            Action::WaitUntil { expect, .. } => Some(expect),
            _ => None,
        });
        let all = self.steps.iter().map(|step| &step.expect).chain(waits).chain([&self.expect]);
        all.flatten().any(|expectation| expectation.check.concerns_wire())
    }
}
