//! Windows services of the product's roles (dossier G.1, G.2).

/// A Windows service of a Skype for Business role, by its short name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[allow(missing_docs, reason = "the names are the documentation: dossier G.2")]
pub enum ServiceName {
    W3svc,
    Master,
    Fta,
    Replica,
    LyncBackup,
    RtcClsAgt,
    FabricHostSvc,
    RtcSrv,
    RtcCaa,
    RtcCas,
    RtcRgs,
    RtcCps,
    RtcAts,
    RtcImMcu,
    RtcDataMcu,
    RtcAvMcu,
    RtcAsMcu,
    RtcMedSrv,
    RtcXmppTgw,
    RtcHa,
    RtcDataProxy,
    RtcMrAuth,
    RtcMediaRelay,
    RtcXmppTgwPx,
}

/// State of a Windows service (dossier G.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
pub enum ServiceStatus {
    /// Serves.
    Running,
    /// Does not run.
    Stopped,
    /// Waits, for quorum or for time.
    StartPending,
    /// Draining or ending.
    StopPending,
}

/// How a service goes down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
pub enum StopKind {
    /// At once.
    Immediate,
    /// `-Graceful`: it takes no new requests and stops when the present ones have ended (dossier G.1).
    Draining,
}

/// One service of one computer.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ServiceState {
    /// Status now.
    pub status: ServiceStatus,
    /// Disabled by a computer failover: cannot be started (dossier G.3).
    pub disabled: bool,
    /// While a stop is pending: how it goes down.
    pub stopping: Option<StopKind>,
    /// When a pending start or stop completes; `None` while it waits for a condition (quorum).
    pub due: Option<crate::SimTime>,
    /// Since when the status holds.
    pub since: crate::SimTime,
}

impl ServiceState {
    pub(crate) fn enter(&mut self, status: ServiceStatus, due: Option<crate::SimTime>, now: crate::SimTime) {
        if self.status != status {
            self.since = now;
        }
        self.status = status;
        self.due = due;
        self.stopping = (status == ServiceStatus::StopPending).then_some(StopKind::Immediate);
    }

    /// What the `ServiceStatus` property of `Get-CsWindowsService` says: `Draining` while `-Graceful` waits for the last
    /// request (field, dossier G.1), the status otherwise.
    pub fn service_status(&self) -> &'static str {
        match self.stopping {
            Some(StopKind::Draining) => "Draining",
            _ => self.status.text(),
        }
    }
}

impl ServiceStatus {
    /// Name as Windows and `Get-CsWindowsService` print it.
    pub fn text(self) -> &'static str {
        match self {
            Self::Running => "Running",
            Self::Stopped => "Stopped",
            Self::StartPending => "StartPending",
            Self::StopPending => "StopPending",
        }
    }
}

/// One row of the table of services: variant, short name, component (the end of the display name).
macro_rules! service_table {
    ($($variant:ident, $short:literal, $component:literal;)*) => {
        impl ServiceName {
            /// All services in table order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Short name, as `-Name` takes it: `RTCSRV`.
            pub fn short_name(self) -> &'static str {
                match self { $(Self::$variant => $short),* }
            }

            /// What follows the product's name in the display name: `Front-End`.
            pub fn component(self) -> &'static str {
                match self { $(Self::$variant => $component),* }
            }
        }
    };
}

// Short names: dossier G.2 (field). Components: documented for the agents and the Backup Service, otherwise field.
service_table! {
    W3svc, "W3SVC", "World Wide Web Publishing Service";
    Master, "MASTER", "Master Replicator Agent";
    Fta, "FTA", "File Transfer Agent";
    Replica, "REPLICA", "Replica Replicator Agent";
    LyncBackup, "LYNCBACKUP", "Backup Service";
    RtcClsAgt, "RTCCLSAGT", "Centralized Logging Service Agent";
    FabricHostSvc, "FabricHostSvc", "Windows Fabric Host Service";
    RtcSrv, "RTCSRV", "Front-End";
    RtcCaa, "RTCCAA", "Conferencing Attendant";
    RtcCas, "RTCCAS", "Conferencing Announcement";
    RtcRgs, "RTCRGS", "Response Group";
    RtcCps, "RTCCPS", "Call Park";
    RtcAts, "RTCATS", "Audio Test Service";
    RtcImMcu, "RTCIMMCU", "IM Conferencing";
    RtcDataMcu, "RTCDATAMCU", "Web Conferencing";
    RtcAvMcu, "RTCAVMCU", "Audio/Video Conferencing";
    RtcAsMcu, "RTCASMCU", "Application Sharing";
    RtcMedSrv, "RTCMEDSRV", "Mediation";
    RtcXmppTgw, "RTCXMPPTGW", "XMPP Translating Gateway";
    RtcHa, "RTCHA", "Health Agent";
    RtcDataProxy, "RTCDATAPROXY", "Web Conferencing Edge";
    RtcMrAuth, "RTCMRAUTH", "Audio/Video Authentication";
    RtcMediaRelay, "RTCMEDIARELAY", "Audio/Video Edge";
    RtcXmppTgwPx, "RTCXMPPTGWPX", "XMPP Translating Gateway Proxy";
}

impl ServiceName {
    /// Services of a Front End or Standard Edition server (dossier G.2).
    pub const FRONT_END: &'static [Self] = &[
        Self::W3svc,
        Self::Master,
        Self::Fta,
        Self::Replica,
        Self::LyncBackup,
        Self::RtcClsAgt,
        Self::FabricHostSvc,
        Self::RtcSrv,
        Self::RtcCaa,
        Self::RtcCas,
        Self::RtcRgs,
        Self::RtcCps,
        Self::RtcAts,
        Self::RtcImMcu,
        Self::RtcDataMcu,
        Self::RtcAvMcu,
        Self::RtcAsMcu,
        Self::RtcMedSrv,
        Self::RtcXmppTgw,
        Self::RtcHa,
    ];

    /// Services of an Edge Server (dossier G.2).
    pub const EDGE: &'static [Self] =
        &[Self::Replica, Self::RtcClsAgt, Self::RtcSrv, Self::RtcDataProxy, Self::RtcMrAuth, Self::RtcMediaRelay, Self::RtcXmppTgwPx];

    /// The service with a short name, without regard to case.
    pub fn from_short_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|service| service.short_name().eq_ignore_ascii_case(name))
    }

    /// Services that must run before this one starts, where they are installed (inferred: the product's documents name
    /// the rule, dossier G.1, not the pairs).
    pub fn requires(self) -> &'static [Self] {
        match self {
            Self::RtcSrv => &[Self::FabricHostSvc],
            Self::RtcCaa | Self::RtcCas | Self::RtcRgs | Self::RtcCps | Self::RtcAts | Self::RtcXmppTgw => &[Self::RtcSrv],
            _ => &[],
        }
    }

    /// This service after everything it requires, directly or not.
    pub fn with_requirements(self) -> Vec<Self> {
        let mut all: Vec<Self> = self.requires().iter().flat_map(|needed| needed.with_requirements()).collect();
        all.push(self);
        all
    }

    /// Whether pool-level quorum loss stops it (dossier B.8: all services of the product; W3SVC and the fabric host are
    /// not the product's).
    pub fn stops_with_quorum(self) -> bool {
        !matches!(self, Self::W3svc | Self::FabricHostSvc)
    }
}
