//! The fabric as a value, and the engine that lets virtual time run.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

use firedrill_topology::Topology;

use crate::administration::AdminState;
use crate::event::{Event, LogEntry};
use crate::evidence::{Behaviour, BehaviourSet};
use crate::fault::Change;
use crate::seed::Seed;
use crate::serving::DataLoss;
use crate::time::{SimDuration, SimTime};
use crate::world::dns::DnsState;
use crate::world::event_log::WindowsEvent;
use crate::world::faults::FaultState;
use crate::world::files::Files;
use crate::world::outages::ServingRecord;
use crate::world::plan::Plan;
use crate::world::quorum::PoolQuorum;
use crate::world::registration::Registration;
use crate::world::services::ComputerState;
use crate::world::sql::PoolSql;
use crate::world::users::UserState;

/// What a fabric starts with besides its topology.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Seed of everything random.
    pub seed: u64,
    /// Virtual time at the start.
    pub start: SimTime,
}

/// A limit was hit; the run cannot go on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LimitError {
    /// More events than the limit between two instants.
    #[error("more than {limit} events before {until}")]
    Events {
        /// The limit.
        limit: u64,
        /// Where time was to run to.
        until: SimTime,
    },
    /// State does not come to rest within one instant: a bug of ours, caught instead of hanging.
    #[error("state does not settle at {at} within {limit} rounds")]
    Settle {
        /// The limit.
        limit: u32,
        /// The instant.
        at: SimTime,
    },
    /// Virtual time beyond the limit.
    #[error("virtual time beyond {limit} after the start")]
    Time {
        /// The limit.
        limit: SimDuration,
    },
}

/// A deployment at an instant of virtual time.
///
/// Every section sits behind an [`Arc`]: a clone costs a few dozen reference counts whatever the size of the
/// deployment, and a change copies only the section (for computers: the computer) it touches.
#[derive(Debug, Clone, PartialEq)]
pub struct Fabric {
    pub(crate) topology: Arc<Topology>,
    pub(crate) seed: Seed,
    pub(crate) start: SimTime,
    pub(crate) now: SimTime,
    /// Changes that are due later, in order of time and entry.
    pub(crate) agenda: Arc<BTreeMap<(SimTime, u64), Change>>,
    pub(crate) counter: u64,
    pub(crate) behaviours: BehaviourSet,
    /// Log entries that nobody has taken yet.
    pub(crate) outbox: Arc<Vec<LogEntry>>,
    /// Digest of all log entries that were taken: hashing waits until somebody looks.
    pub(crate) digest: [u8; 32],
    /// Look-up tables that follow from the topology alone.
    pub(crate) plan: Arc<Plan>,
    /// Something that SQL or quorum depend on changed since the state last came to rest.
    pub(crate) stirred: bool,
    pub(crate) faults: Arc<FaultState>,
    pub(crate) computers: Arc<Vec<Arc<ComputerState>>>,
    pub(crate) sql: Arc<Vec<PoolSql>>,
    pub(crate) quorum: Arc<Vec<Arc<PoolQuorum>>>,
    pub(crate) registration: Arc<Vec<Registration>>,
    pub(crate) serving: Arc<Vec<Arc<ServingRecord>>>,
    pub(crate) users: Arc<UserState>,
    pub(crate) dns: Arc<DnsState>,
    pub(crate) files: Arc<Files>,
    /// Event logs of Windows on all computers, oldest first.
    pub(crate) windows_log: Arc<Vec<WindowsEvent>>,
    pub(crate) losses: Arc<Vec<DataLoss>>,
    /// CMS, replication, backup, running operations.
    pub(crate) admin: Arc<AdminState>,
}

impl Fabric {
    /// A healthy deployment: everything runs, replicas are up to date, backups are steady.
    pub fn new(topology: Arc<Topology>, options: Options) -> Self {
        let seed = Seed(options.seed);
        let start = options.start;
        let plan = Arc::new(Plan::new(&topology));
        let admin = Arc::new(AdminState::new(&topology, start));
        let mut fabric = Self {
            seed,
            start,
            now: start,
            agenda: Arc::default(),
            counter: 0,
            behaviours: BehaviourSet::default(),
            outbox: Arc::default(),
            digest: [0; 32],
            faults: Arc::new(FaultState::new(&topology)),
            computers: Arc::default(),
            sql: Arc::new(PoolSql::all_healthy(&topology)),
            quorum: Arc::new(PoolQuorum::all_healthy(&topology, seed)),
            registration: Arc::new(vec![Registration::default(); topology.pools.len()]),
            serving: Arc::default(),
            users: Arc::new(UserState::new(&topology, seed)),
            dns: Arc::new(DnsState::new(&topology, start)),
            files: Arc::default(),
            windows_log: Arc::default(),
            losses: Arc::default(),
            admin,
            plan,
            stirred: false,
            topology,
        };
        fabric.computers = Arc::new(fabric.all_computers_healthy());
        fabric.serving = Arc::new(fabric.initial_serving());
        let agents = fabric.cms_agents();
        fabric.admin_mut().cms.reported_to = agents;
        fabric
    }

    /// The deployment document.
    pub fn topology(&self) -> &Arc<Topology> {
        &self.topology
    }

    /// Virtual time now.
    pub fn now(&self) -> SimTime {
        self.now
    }

    /// Virtual time at the start.
    pub fn started(&self) -> SimTime {
        self.start
    }

    /// The seed.
    pub fn seed(&self) -> Seed {
        self.seed
    }

    /// Behaviours leaned on so far.
    pub fn behaviours(&self) -> &BehaviourSet {
        &self.behaviours
    }

    /// Records that a behaviour decided something.
    pub fn lean(&mut self, behaviour: Behaviour) {
        self.behaviours.insert(behaviour);
    }

    /// Log entries that nobody has taken yet.
    pub fn untaken_log(&self) -> &[LogEntry] {
        &self.outbox
    }

    /// Takes the log entries since the last call.
    pub fn take_log(&mut self) -> Vec<LogEntry> {
        self.digest = self.digest();
        let taken = std::mem::take(&mut self.outbox);
        Arc::try_unwrap(taken).unwrap_or_else(|shared| (*shared).clone())
    }

    /// Digest of the event log so far; equal digests mean equal histories.
    pub fn digest(&self) -> [u8; 32] {
        self.outbox.iter().fold(self.digest, digest_with)
    }

    pub(crate) fn log(&mut self, event: Event) {
        Arc::make_mut(&mut self.outbox).push(LogEntry { at: self.now, event });
    }

    /// Digest of everything that decides what happens from here on: the same state gives the same bytes, whatever history
    /// led to it. Costs about as much as printing the state; meant for telling states apart, not for every event.
    pub fn state_digest(&self) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new();
        let state = (
            (self.seed, self.now, &self.agenda, &self.faults, &self.computers, &self.sql, &self.quorum),
            (&self.registration, &self.serving, &self.users, &self.dns, &self.files, &self.losses, &self.admin),
        );
        let _ = write!(HashWriter(&mut hasher), "{} {state:?}", self.topology.name);
        *hasher.finalize().as_bytes()
    }

    /// Lets a change happen at an instant (now, when it has passed).
    pub fn schedule(&mut self, at: SimTime, change: Change) {
        let at = at.max(self.now);
        let counter = self.counter;
        self.counter += 1;
        Arc::make_mut(&mut self.agenda).insert((at, counter), change);
    }
}

/// Hashes what is printed, without keeping it.
struct HashWriter<'a>(&'a mut blake3::Hasher);

impl Write for HashWriter<'_> {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        self.0.update(text.as_bytes());
        Ok(())
    }
}

/// The digest of a history and one more entry.
fn digest_with(digest: [u8; 32], entry: &LogEntry) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&digest);
    // Writing into a hasher cannot fail.
    let _ = write!(HashWriter(&mut hasher), "{entry:?}");
    *hasher.finalize().as_bytes()
}
