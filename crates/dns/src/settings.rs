//! How a server is set up and how it behaves.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use firedrill_topology::{AccessList, NameServer, TsigKey};

use crate::address::AddressMap;
use crate::update::UpdateSender;

/// What a server lets whom do, and whom it tells of changes. By default nobody transfers or updates, and nobody is told.
#[derive(Debug, Clone, Default)]
pub struct Access {
    /// Who may transfer zones.
    pub transfer_to: AccessList,
    /// Keys that it knows; what they allow is decided elsewhere.
    pub keys: Vec<Arc<TsigKey>>,
    /// Where updates go; without it they are refused.
    pub updates: Option<UpdateSender>,
    /// Servers that are told of changes (NOTIFY).
    pub notify: Vec<SocketAddr>,
}

impl Access {
    /// As a topology has it for one of its name servers.
    pub fn of(server: &NameServer, updates: Option<UpdateSender>) -> Self {
        let mut keys = server.transfer_to.keys.clone();
        keys.extend(server.update_by.keys.iter().filter(|key| !server.transfer_to.keys.contains(key)).cloned());
        let notify = server.notify.iter().map(|address| SocketAddr::V4(*address)).collect();
        Self { transfer_to: server.transfer_to.clone(), keys, updates, notify }
    }
}

/// How a server treats queries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// It answers.
    Answering,
    /// It does not run: UDP queries vanish, TCP is refused.
    Down,
    /// Queries are lost on the way: UDP queries vanish, TCP connections end without an answer.
    Drops,
    /// It answers SERVFAIL.
    ServFail,
    /// It answers REFUSED.
    Refused,
    /// All answers over UDP are truncated, and TCP is refused.
    TruncatedWithoutTcp,
    /// It answers after so long, in real time.
    Slow(Duration),
}

impl Mode {
    /// Whether TCP connections are accepted.
    pub(crate) fn listens_on_tcp(self) -> bool {
        !matches!(self, Self::Down | Self::TruncatedWithoutTcp)
    }
}

/// What the answering side needs.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) map: AddressMap,
    pub(crate) transfer_to: AccessList,
    pub(crate) keys: Vec<Arc<TsigKey>>,
    pub(crate) updates: Option<UpdateSender>,
}
