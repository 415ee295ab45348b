//! The event logs of Windows on each computer: what the fabric's faults leave there, and what scripts write.
//!
//! Entries are made where the state changes that they tell of is decided. The texts stand in one table with their
//! evidence (dossier I for the product's; Windows' own are documented by Microsoft).

use std::sync::Arc;

use firedrill_topology::{ComputerId, ComputerRole, PoolId};

use crate::evidence::Evidence;
use crate::fabric::Fabric;
use crate::fault::Fault;
use crate::service::{ServiceName, ServiceStatus};
use crate::time::SimTime;

/// Most entries that are kept; the oldest go first, as in a log that overwrites events as needed.
const CAPACITY: usize = 50_000;

/// How grave an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EventLevel {
    /// Something that failed.
    Error,
    /// Something to look at.
    Warning,
    /// Something that happened.
    Information,
}

impl EventLevel {
    /// Name as `Get-EventLog` prints it in `EntryType`.
    pub fn text(self) -> &'static str {
        match self {
            Self::Error => "Error",
            Self::Warning => "Warning",
            Self::Information => "Information",
        }
    }
}

/// One entry of an event log of a computer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WindowsEvent {
    /// When it was written.
    pub at: SimTime,
    /// The computer whose log holds it.
    pub computer: ComputerId,
    /// Name of the log: `Lync Server`, `System`, `Application`.
    pub log: Arc<str>,
    /// Source: `LS Backup Service`.
    pub source: Arc<str>,
    /// Event id.
    pub id: u32,
    /// Level.
    pub level: EventLevel,
    /// Task category as printed, `(4000)`; empty where there is none.
    pub category: Arc<str>,
    /// Text.
    pub message: Arc<str>,
}

/// An entry that the model writes: log, source, id, level, text with places `{0}`, `{1}` for names.
#[derive(Debug, Clone, Copy)]
pub struct EventText {
    /// Name of the log.
    pub log: &'static str,
    /// Source.
    pub source: &'static str,
    /// Event id.
    pub id: u32,
    /// Level.
    pub level: EventLevel,
    /// Text.
    pub template: &'static str,
    /// How sure we are.
    pub evidence: Evidence,
    /// Where it comes from.
    pub citation: &'static str,
}

macro_rules! event_texts {
    ($($name:ident = $log:literal, $source:literal, $id:literal, $level:ident, $class:ident, $citation:literal, $template:literal;)*) => {
        $(pub(crate) const $name: EventText = EventText {
            log: $log, source: $source, id: $id, level: EventLevel::$level, template: $template,
            evidence: Evidence::$class, citation: $citation,
        };)*

        /// All entries that the model can write.
        pub const EVENT_TEXTS: &[EventText] = &[$($name),*];
    };
}

// The log is called "Lync Server" in both generations (field).
event_texts! {
    SERVICE_STATE = "System", "Service Control Manager", 7036, Information, Documented, "Windows: Service Control Manager event 7036",
        "The {0} service entered the {1} state.";
    UNEXPECTED_SHUTDOWN = "System", "EventLog", 6008, Error, Documented, "Windows: EventLog event 6008",
        "The previous system shutdown was unexpected.";
    PLANNED_SHUTDOWN = "System", "User32", 1074, Information, Documented, "Windows: User32 event 1074; our wording is shorter",
        "The process powershell.exe has initiated the {0} of computer {1} on behalf of user Administrator.";
    LOG_STARTED = "System", "EventLog", 6005, Information, Documented, "Windows: EventLog event 6005",
        "The Event log service was started.";
    HTTPS_UNAVAILABLE = "Lync Server", "LS File Transfer Agent Service", 1017, Error, Documented, "dossier I 8; the source is inferred",
        "Https destination unavailable. ({0})";
    CERTIFICATE_MISMATCH = "Lync Server", "LS File Transfer Agent Service", 1015, Error, Documented, "dossier I 9; the source is inferred",
        "Unable to match host/cluster against certificate ({0})";
    STARTUP_DELAYED = "Lync Server", "LS User Services", 32174, Warning, Documented, "dossier B.8, I 14",
        "Server startup is being delayed because fabric pool manager has not finished initial placement of users.\r\nCurrently waiting for routing group: {0}.";
    EXPORT_FAILED = "Lync Server", "LS Backup Service", 4042, Error, Documented, "dossier I 20",
        "Skype for Business Server Backup Service data content backup module failed to complete export operation.\r\nBackup Module Identity:ConfServices.DataConf\r\nCause: Either network or permission issues.";
    USER_REPLICATION_DONE = "Lync Server", "LS User Replicator", 30024, Information, Inferred, "dossier B.5, I 28: the id; the text is inferred",
        "User Replicator has completed initial synchronization of domain {0}.";
}

impl Fabric {
    /// Entries of a computer's event logs, oldest first.
    pub fn windows_events(&self, computer: ComputerId) -> impl DoubleEndedIterator<Item = &WindowsEvent> {
        self.windows_log.iter().filter(move |event| event.computer == computer)
    }

    /// Writes an entry of a script's own (`Write-EventLog`).
    pub fn write_windows_event(&mut self, event: WindowsEvent) {
        let log = Arc::make_mut(&mut self.windows_log);
        if log.len() >= CAPACITY {
            log.drain(..CAPACITY / 10);
        }
        log.push(event);
    }

    fn note(&mut self, computer: ComputerId, text: &EventText, names: &[&str]) {
        let mut message = text.template.to_owned();
        for (at, name) in names.iter().enumerate() {
            message = message.replace(&format!("{{{at}}}"), name);
        }
        let event = WindowsEvent {
            at: self.now,
            computer,
            log: text.log.into(),
            source: text.source.into(),
            id: text.id,
            level: text.level,
            category: "".into(),
            message: message.into(),
        };
        self.write_windows_event(event);
    }

    /// A computer has booted after it was off.
    pub(crate) fn note_boot(&mut self, computer: ComputerId) {
        let last = self.windows_log.iter().rev().find(|event| event.computer == computer && event.log == "System".into());
        if last.is_none_or(|event| event.id != PLANNED_SHUTDOWN.id) {
            self.note(computer, &UNEXPECTED_SHUTDOWN, &[]);
        }
        self.note(computer, &LOG_STARTED, &[]);
    }

    /// Somebody shuts a computer down.
    pub(crate) fn note_planned_shutdown(&mut self, computer: ComputerId, kind: &str) {
        let fqdn = self.topology.computer(computer).fqdn.clone();
        self.note(computer, &PLANNED_SHUTDOWN, &[kind, &fqdn]);
    }

    /// A service changed its state; `waits` when it cannot go on because its pool lacks quorum.
    pub(crate) fn note_service(&mut self, computer: ComputerId, service: ServiceName, status: ServiceStatus, waits: bool) {
        let word = match status {
            ServiceStatus::Running => "running",
            ServiceStatus::Stopped => "stopped",
            ServiceStatus::StartPending | ServiceStatus::StopPending => "",
        };
        if !word.is_empty() {
            let name = self.service_display_name(computer, service);
            self.note(computer, &SERVICE_STATE, &[&name, word]);
        }
        if let (ComputerRole::FrontEnd(pool), ServiceName::RtcSrv) = (self.topology.computer(computer).role, service) {
            if waits {
                let group = self.seed.guid("waiting routing group", u64::from(pool.0));
                let hex = format!("{group:032X}");
                let text = format!("{{{}-{}-{}-{}-{}}}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]);
                self.note(computer, &STARTUP_DELAYED, &[&text]);
            }
            if status == ServiceStatus::Running {
                let domain = self.topology.ad_domain.clone();
                self.note(computer, &USER_REPLICATION_DONE, &[&domain]);
            }
        }
    }

    /// The file transfer agent cannot exchange files with an Edge Server any more.
    pub(crate) fn note_edge_unreachable(&mut self, agent: ComputerId, edge: ComputerId) {
        let fqdn = self.topology.computer(edge).fqdn.clone();
        let text = if self.fault_active(&Fault::Certificate(edge)) { CERTIFICATE_MISMATCH } else { HTTPS_UNAVAILABLE };
        self.note(agent, &text, &[&fqdn]);
    }

    /// Conference content of a pool cannot be shipped any more.
    pub(crate) fn note_export_failed(&mut self, pool: PoolId) {
        let front_ends = self.topology.pool(pool).front_ends.clone();
        if let Some(agent) = front_ends.into_iter().find(|front_end| self.service_running(*front_end, ServiceName::LyncBackup)) {
            self.note(agent, &EXPORT_FAILED, &[]);
        }
    }

    /// Display name of a service: the product's name, and the component (documented for the agents and the Backup
    /// Service, otherwise field: dossier G.2).
    pub fn service_display_name(&self, computer: ComputerId, service: ServiceName) -> String {
        let (version, edge) = match self.topology.computer(computer).role {
            ComputerRole::FrontEnd(pool) => (self.topology.pool(pool).version, false),
            ComputerRole::Edge(edge) => (self.topology.edge_pool(edge).version, true),
            _ => (self.topology.version, false),
        };
        match (service, edge) {
            (ServiceName::W3svc | ServiceName::FabricHostSvc, _) => service.component().to_owned(),
            (ServiceName::RtcSrv, true) => format!("{} Access Edge", version.product_name()),
            _ => format!("{} {}", version.product_name(), service.component()),
        }
    }
}
