//! Words of documents to terms of the fabric.

use firedrill_fabric::federation::{EdgeRefusal, Level, ReachFailure};
use firedrill_fabric::operation::DatabaseGroup;
use firedrill_fabric::serving::{DataKind, ServingCause};
use firedrill_fabric::{CmsDatabaseState, ExportState, ImportState, PoolState, ServiceMode, ServiceStatus};

use crate::document::{
    CauseDocument, CmsDatabaseDocument, DataDocument, DatabasesDocument, ExportDocument, FailureDocument, ImportDocument, LevelDocument,
    ModeDocument, PoolStateDocument, ServiceStatusDocument,
};

pub(super) fn service_mode(mode: ModeDocument) -> ServiceMode {
    match mode {
        ModeDocument::Regular => ServiceMode::Regular,
        ModeDocument::Resiliency => ServiceMode::Resiliency,
        ModeDocument::SignedOut => ServiceMode::SignedOut,
    }
}

pub(super) fn serving_cause(cause: CauseDocument) -> ServingCause {
    match cause {
        CauseDocument::HomePoolHealthy => ServingCause::HomePoolHealthy,
        CauseDocument::DetectionInterval => ServingCause::DetectionInterval,
        CauseDocument::NoBackupRegistrar => ServingCause::NoBackupRegistrar,
        CauseDocument::VoiceResiliency => ServingCause::VoiceResiliency,
        CauseDocument::FailingOver => ServingCause::FailingOver,
        CauseDocument::FailedOver => ServingCause::FailedOver,
        CauseDocument::FailingBack => ServingCause::FailingBack,
        CauseDocument::FailbackInterval => ServingCause::FailbackInterval,
        CauseDocument::BackEndUnavailable => ServingCause::BackEndUnavailable,
        CauseDocument::RoutingGroupNoPrimary => ServingCause::RoutingGroupNoPrimary,
        CauseDocument::RoutingGroupNoSecondaries => ServingCause::RoutingGroupNoSecondaries,
        CauseDocument::PoolQuorumLost => ServingCause::PoolQuorumLost,
        CauseDocument::ServicesNotRunning => ServingCause::ServicesNotRunning,
        CauseDocument::BackupPoolUnavailable => ServingCause::BackupPoolUnavailable,
    }
}

pub(super) fn pool_state(state: PoolStateDocument) -> PoolState {
    match state {
        PoolStateDocument::Active => PoolState::Active,
        PoolStateDocument::FailingOver => PoolState::FailingOver,
        PoolStateDocument::FailedOver => PoolState::FailedOver,
        PoolStateDocument::FailedBack => PoolState::FailedBack,
    }
}

pub(super) fn cms_database(state: CmsDatabaseDocument) -> Option<CmsDatabaseState> {
    match state {
        CmsDatabaseDocument::Active => Some(CmsDatabaseState::Active),
        CmsDatabaseDocument::Backup => Some(CmsDatabaseState::Backup),
        CmsDatabaseDocument::Empty => Some(CmsDatabaseState::Empty),
        CmsDatabaseDocument::None => None,
    }
}

pub(super) fn export_state(state: ExportDocument) -> ExportState {
    match state {
        ExportDocument::FinalState => ExportState::FinalState,
        ExportDocument::SteadyState => ExportState::SteadyState,
        ExportDocument::NonSteadyState => ExportState::NonSteadyState,
        ExportDocument::NotInitialized => ExportState::NotInitialized,
        ExportDocument::ErrorState => ExportState::ErrorState,
    }
}

pub(super) fn import_state(state: ImportDocument) -> ImportState {
    match state {
        ImportDocument::NormalState => ImportState::NormalState,
        ImportDocument::ErrorState => ImportState::ErrorState,
    }
}

pub(super) fn service_status(status: ServiceStatusDocument) -> Option<ServiceStatus> {
    match status {
        ServiceStatusDocument::Running => Some(ServiceStatus::Running),
        ServiceStatusDocument::Stopped => Some(ServiceStatus::Stopped),
        ServiceStatusDocument::StartPending => Some(ServiceStatus::StartPending),
        ServiceStatusDocument::StopPending => Some(ServiceStatus::StopPending),
        ServiceStatusDocument::NotInstalled => None,
    }
}

pub(super) fn reach_failure(failure: FailureDocument) -> ReachFailure {
    match failure {
        FailureDocument::DnsUnavailable => ReachFailure::DnsUnavailable,
        FailureDocument::NoRecords => ReachFailure::NoRecords,
        FailureDocument::ServiceDeclined => ReachFailure::ServiceDeclined,
        FailureDocument::StrictMatch => ReachFailure::StrictMatch,
        FailureDocument::NotConnected => ReachFailure::NotConnected,
        FailureDocument::UnknownDomain => ReachFailure::TurnedAway(EdgeRefusal::UnknownDomain),
        FailureDocument::PartnerNotAllowed => ReachFailure::TurnedAway(EdgeRefusal::PartnerNotAllowed),
        FailureDocument::NextHopUnavailable => ReachFailure::TurnedAway(EdgeRefusal::NextHopUnavailable),
        FailureDocument::CertificateExpired => ReachFailure::TurnedAway(EdgeRefusal::CertificateExpired),
        FailureDocument::NoAuthentication => ReachFailure::TurnedAway(EdgeRefusal::NoAuthentication),
        FailureDocument::NoRoute => ReachFailure::NoRoute,
        FailureDocument::RouteUnavailable => ReachFailure::RouteUnavailable,
        FailureDocument::UserNotServed => ReachFailure::UserNotServed,
        FailureDocument::NoAnswer => ReachFailure::NoAnswer,
    }
}

pub(super) fn reach_level(level: LevelDocument) -> Level {
    match level {
        LevelDocument::L1 => Level::Resolved,
        LevelDocument::L2 => Level::Connected,
        LevelDocument::L3 => Level::Answered,
        LevelDocument::L4 => Level::Secured,
        LevelDocument::L5 => Level::Authenticated,
        LevelDocument::L6 => Level::RoundTrip,
    }
}

pub(super) fn databases(group: DatabasesDocument) -> DatabaseGroup {
    match group {
        DatabasesDocument::User => DatabaseGroup::User,
        DatabasesDocument::Application => DatabaseGroup::Application,
        DatabasesDocument::CentralMgmt => DatabaseGroup::CentralMgmt,
        DatabasesDocument::Monitoring => DatabaseGroup::Monitoring,
        DatabasesDocument::Archiving => DatabaseGroup::Archiving,
    }
}

pub(super) fn data_kind(kind: DataDocument) -> DataKind {
    match kind {
        DataDocument::UserData => DataKind::UserData,
        DataDocument::ConferenceContent => DataKind::ConferenceContent,
        DataDocument::Configuration => DataKind::Configuration,
        DataDocument::ResponseGroups => DataKind::ResponseGroups,
        DataDocument::Locations => DataKind::Locations,
    }
}
