//! The fabric as a value, and the engine that lets virtual time run.

use std::collections::BTreeMap;
use std::sync::Arc;

use firedrill_topology::Topology;

use crate::event::{Event, LogEntry};
use crate::evidence::{Behaviour, BehaviourSet};
use crate::fault::Change;
use crate::seed::Seed;
use crate::time::{SimDuration, SimTime};

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
    /// Virtual time beyond the limit.
    #[error("virtual time beyond {limit} after the start")]
    Time {
        /// The limit.
        limit: SimDuration,
    },
}

/// A deployment at an instant of virtual time.
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
    pub(crate) outbox: Vec<LogEntry>,
    /// Digest of all log entries so far.
    pub(crate) digest: [u8; 32],
}

impl Fabric {
    /// A healthy deployment: everything runs, replicas are up to date, backups are steady.
    pub fn new(topology: Arc<Topology>, options: Options) -> Self {
        Self {
            topology,
            seed: Seed(options.seed),
            start: options.start,
            now: options.start,
            agenda: Arc::default(),
            counter: 0,
            behaviours: BehaviourSet::default(),
            outbox: Vec::new(),
            digest: [0; 32],
        }
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

    /// Takes the log entries since the last call.
    pub fn take_log(&mut self) -> Vec<LogEntry> {
        std::mem::take(&mut self.outbox)
    }

    /// Digest of the event log so far; equal digests mean equal histories.
    pub fn digest(&self) -> [u8; 32] {
        self.digest
    }

    pub(crate) fn log(&mut self, event: Event) {
        let entry = LogEntry { at: self.now, event };
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.digest);
        hasher.update(format!("{entry:?}").as_bytes());
        self.digest = *hasher.finalize().as_bytes();
        self.outbox.push(entry);
    }

    /// Lets a change happen at an instant (now, when it has passed).
    pub fn schedule(&mut self, at: SimTime, change: Change) {
        let at = at.max(self.now);
        let counter = self.counter;
        self.counter += 1;
        Arc::make_mut(&mut self.agenda).insert((at, counter), change);
    }
}
