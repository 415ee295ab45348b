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

/// One service of one computer.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ServiceState {
    /// Status now.
    pub status: ServiceStatus,
    /// Disabled by a computer failover: cannot be started (dossier G.3).
    pub disabled: bool,
    /// When a pending start or stop completes; `None` while it waits for a condition (quorum).
    pub due: Option<crate::SimTime>,
    /// Since when the status holds.
    pub since: crate::SimTime,
}
