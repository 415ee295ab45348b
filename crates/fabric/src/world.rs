//! Faults, time, services, SQL, quorum, registration, DNS and federation: the public questions and deeds.
#![allow(clippy::todo, unused_variables, clippy::unimplemented)]

use std::sync::Arc;

use firedrill_topology::{ComputerId, EdgePoolId, FileStoreId, PartnerId, PoolId, RecordType, SqlId, UserId};

use crate::fabric::{Fabric, LimitError};
use crate::fault::{Change, DnsEdit};
use crate::federation::{Listener, Reach, ReachQuery};
use crate::naming::{PartnerView, Zones};
use crate::operation::{DatabaseGroup, MirrorSide, OperationError};
use crate::service::{ServiceName, ServiceState};
use crate::serving::{DataLoss, Outage, PoolServing, Serving, UserPoolInfo};
use crate::time::SimTime;

/// Why an outside operator's DNS edit was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DnsEditError {
    /// No zone is responsible.
    #[error("no zone of this deployment holds `{0}`")]
    NoZone(String),
    /// Nothing to remove.
    #[error("there is no {record_type:?} record `{name}`")]
    NoRecord {
        /// Owner.
        name: String,
        /// Type.
        record_type: RecordType,
    },
    /// An alias beside other data, or the other way round (RFC 1034 3.6.2).
    #[error("`{0}` cannot hold an alias beside other records")]
    AliasConflict(String),
}

/// State of one side of a back end, as `Get-CsDatabaseMirrorState` shows it (dossier E.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseMirrorReport {
    /// Database, `xds`.
    pub database: &'static str,
    /// `Principal`, `Mirror` or `DatabaseInaccessibleOrMirroringNotEnabled`.
    pub state_on_primary: &'static str,
    /// The same for the mirror.
    pub state_on_mirror: &'static str,
    /// SQL's text, `synchronized`; empty when not mirrored.
    pub status_on_primary: &'static str,
    /// The same for the mirror.
    pub status_on_mirror: &'static str,
}

/// Fabric quorum of a pool (dossier B.8, B.9).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuorumReport {
    /// Front Ends in the topology.
    pub total: u32,
    /// Front Ends whose Front-End service runs.
    pub active: u32,
    /// How many must be up for a first or cold start.
    pub needed_to_start: u32,
    /// Whether the pool-level quorum holds.
    pub functional: bool,
    /// Routing groups without a primary: GUIDs.
    pub without_primary: Vec<u128>,
    /// Routing groups with a primary and fewer than two secondaries: GUID and how many secondaries.
    pub insufficient_secondaries: Vec<(u128, u32)>,
}

/// What a user can do now (dossier B.3): a row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "one column of the table each: dossier B.3")]
pub struct Experience {
    pub sign_in: bool,
    pub own_conferences: bool,
    pub others_conferences: bool,
    pub contacts: bool,
    pub presence: bool,
    pub peer_to_peer: bool,
    pub persistent_changes: bool,
}

impl Fabric {
    /// Lets virtual time run to an instant; everything due on the way happens.
    ///
    /// # Errors
    /// When a limit of events or of virtual time is hit.
    pub fn advance_to(&mut self, until: SimTime) -> Result<(), LimitError> {
        todo!()
    }

    /// The next instant at which something is due.
    pub fn next_deadline(&self) -> Option<SimTime> {
        todo!()
    }

    /// Makes a change now.
    pub fn apply(&mut self, change: Change) -> Result<(), DnsEditError> {
        todo!()
    }

    /// Edits an external zone now; the serial rises.
    pub fn edit_dns(&mut self, edit: &DnsEdit) -> Result<(), DnsEditError> {
        todo!()
    }

    /// Whether a computer is on.
    pub fn computer_up(&self, computer: ComputerId) -> bool {
        todo!()
    }

    /// Services of a computer in table order; what is not installed is absent. A computer that is off shows all stopped.
    pub fn services(&self, computer: ComputerId) -> Vec<(ServiceName, ServiceState)> {
        todo!()
    }

    /// One service.
    pub fn service(&self, computer: ComputerId, service: ServiceName) -> Option<ServiceState> {
        todo!()
    }

    /// Whether a TCP connection from one computer reaches a port of another (both on, link and port open).
    pub fn reaches(&self, from: ComputerId, to: ComputerId, port: u16) -> bool {
        todo!()
    }

    /// Whether a SQL instance answers.
    pub fn sql_up(&self, instance: SqlId) -> bool {
        todo!()
    }

    /// The instance that holds the principal (or primary replica) of a pool's databases now; `None` when none answers.
    pub fn principal(&self, pool: PoolId, databases: DatabaseGroup) -> Option<SqlId> {
        todo!()
    }

    /// Which side of a mirrored back end is principal, whether it answers or not; `None` when not mirrored.
    pub fn principal_side(&self, pool: PoolId, databases: DatabaseGroup) -> Option<MirrorSide> {
        todo!()
    }

    /// `Get-CsDatabaseMirrorState` (dossier E.3).
    pub fn mirror_states(&self, pool: PoolId, databases: Option<DatabaseGroup>) -> Vec<DatabaseMirrorReport> {
        todo!()
    }

    /// Whether a file store can be reached.
    pub fn file_store_up(&self, store: FileStoreId) -> bool {
        todo!()
    }

    /// Fabric quorum of a pool.
    pub fn quorum(&self, pool: PoolId) -> QuorumReport {
        todo!()
    }

    /// The service a user gets now.
    pub fn serving(&self, user: UserId) -> Serving {
        todo!()
    }

    /// The service of all users of a pool.
    pub fn pool_serving(&self, home: PoolId) -> PoolServing {
        todo!()
    }

    /// What a user can do now.
    pub fn experience(&self, user: UserId) -> Experience {
        todo!()
    }

    /// Outages of users homed on a pool, in order; the last one may still last.
    pub fn outages(&self, home: PoolId) -> &[Outage] {
        todo!()
    }

    /// Data that was lost for good so far.
    pub fn data_losses(&self) -> &[DataLoss] {
        todo!()
    }

    /// Home pool of a user now (`RegistrarPool`).
    pub fn registrar_pool(&self, user: UserId) -> PoolId {
        todo!()
    }

    /// Fields of `Get-CsUserPoolInfo`.
    pub fn user_pool_info(&self, user: UserId) -> UserPoolInfo {
        todo!()
    }

    /// Routing group of a user (`UserRoutingGroupId`).
    pub fn routing_group(&self, user: UserId) -> u128 {
        todo!()
    }

    /// Whether Active Directory answers.
    pub fn directory_up(&self) -> bool {
        todo!()
    }

    /// External zones as they are now.
    pub fn zones(&self) -> &Arc<Zones> {
        todo!()
    }

    /// Whether the external DNS servers answer.
    pub fn dns_up(&self) -> bool {
        todo!()
    }

    /// What a partner's resolver answers for a name now; asks and caches when nothing is cached.
    pub fn partner_view(&mut self, partner: PartnerId, name: &str, record_type: RecordType) -> PartnerView {
        todo!()
    }

    /// Whether a partner reaches us, or we it. Fills the partner's cache as the partner's look-ups would.
    pub fn reach(&mut self, query: &ReachQuery) -> Reach {
        todo!()
    }

    /// External listeners of all Edge Servers, those that do not listen included.
    pub fn listeners(&self) -> Vec<Listener> {
        todo!()
    }

    /// Whether an Edge pool carries media for a pool's users now, and which one (dossier F.4).
    pub fn media_edge(&self, pool: PoolId) -> Option<(EdgePoolId, bool)> {
        todo!()
    }

    /// State that explains why users of a pool get the service they get: short lines, most telling first.
    pub fn explain_pool(&self, home: PoolId) -> Vec<String> {
        todo!()
    }

    /// State that explains why a federation answer is what it is.
    pub fn explain_reach(&self, query: &ReachQuery) -> Vec<String> {
        todo!()
    }

    /// A file of the virtual file system, by computer and path (case does not matter).
    pub fn read_file(&self, computer: ComputerId, path: &str) -> Option<Arc<[u8]>> {
        todo!()
    }

    /// Writes a file of the virtual file system.
    pub fn write_file(&mut self, computer: ComputerId, path: &str, content: Arc<[u8]>) {
        todo!()
    }

    /// Refuses when a computer cannot run a shell now.
    ///
    /// # Errors
    /// When it is off.
    pub fn check_shell(&self, computer: ComputerId) -> Result<(), OperationError> {
        todo!()
    }
}
