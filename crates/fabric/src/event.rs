//! What happened: the event log from which digests and reports derive.

use crate::time::SimTime;

/// One line of the event log.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct LogEntry {
    /// When.
    pub at: SimTime,
    /// What.
    #[serde(flatten)]
    pub event: Event,
}

/// Something that happened in the fabric. Subjects are names (FQDNs), so that a log reads without the topology.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// A fault struck.
    FaultInjected {
        /// Rendered fault.
        fault: String,
    },
    /// A fault was healed.
    FaultHealed {
        /// Rendered fault.
        fault: String,
    },
    /// An operation started.
    OperationStarted {
        /// Its name, `pool failover`.
        operation: String,
        /// What it works on.
        subject: String,
    },
    /// An operation passed into a phase with an effect of its own.
    OperationPhase {
        /// Its name.
        operation: String,
        /// What it works on.
        subject: String,
        /// Phase.
        phase: String,
    },
    /// An operation ended.
    OperationEnded {
        /// Its name.
        operation: String,
        /// What it works on.
        subject: String,
        /// The error id when it failed.
        error: Option<String>,
    },
    /// The service that users of a pool get changed.
    ServiceChanged {
        /// Home pool.
        pool: String,
        /// How many users are concerned.
        users: u32,
        /// Rendered service before, `regular on pool1.contoso.com`.
        from: String,
        /// Rendered service after.
        to: String,
    },
    /// Some other subject changed state: a service, a replica, a database, a zone, an agent.
    StateChanged {
        /// Kind of subject: `service`, `sql`, `replica`, `cms`, `pool state`, `backup`, `quorum`, `dns`, `edge`.
        kind: String,
        /// Subject.
        subject: String,
        /// New state.
        state: String,
    },
    /// A dynamic update of a zone (RFC 2136) was accepted or refused.
    DnsUpdate {
        /// Apex of the zone.
        zone: String,
        /// Who sent it: `key ops.contoso.com at 192.0.2.10`, `192.0.2.10`.
        by: String,
        /// What was asked for: `delete sip.contoso.com A; add sip.contoso.com 60 A 198.51.100.11`.
        what: String,
        /// `accepted`, `no change`, or `refused: …`.
        outcome: String,
        /// Serial of the zone afterwards; 0 when no such zone is held.
        serial: u32,
    },
}
