//! Which streams came about: what a person looks at when messages do not flow.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use firedrill_fabric::SimTime;
use firedrill_fabric::federation::Direction;

use super::call::Method;

/// Records kept; the oldest go first.
const KEPT: usize = 1_000;

/// A stream that was authenticated.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct StreamRecord {
    /// Virtual time.
    pub at: SimTime,
    /// The server of the mock: address and port in the topology's terms.
    pub server: String,
    /// Inbound when the peer opened it.
    pub direction: Direction,
    /// Domain of the server.
    pub domain: String,
    /// Domain of the peer.
    pub peer: String,
    /// Whether TLS secures it.
    pub secured: bool,
    /// How it was authenticated.
    pub method: Method,
}

/// All of them, of one fabric's servers.
#[derive(Debug, Default)]
pub(crate) struct Ledger(Mutex<VecDeque<StreamRecord>>);

impl Ledger {
    pub(crate) fn enter(&self, record: StreamRecord) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= KEPT {
            kept.pop_front();
        }
        kept.push_back(record);
    }

    pub(crate) fn records(&self) -> Vec<StreamRecord> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}
