//! The Central Management Store: where it is, who reaches it, reading and writing its document (dossier D.1, D.4, D.9).

use std::sync::Arc;

use firedrill_topology::{ComputerId, ComputerRole, PoolId, SqlId};

use super::state::{Archived, CmsDatabase, Stamp, Transfer};
use super::{CmsDatabaseReport, CmsDatabaseState, CmsStatus};
use crate::config::{Configuration, PoolState};
use crate::event::Event;
use crate::evidence::Behaviour;
use crate::fabric::Fabric;
use crate::messages::Message;
use crate::operation::{Caller, DatabaseGroup, OperationError};
use crate::service::ServiceName;
use crate::time::{SimDuration, SimTime};

/// Port of SQL Server, of an availability group's listener (dossier E.1) and, in this model, of named instances too.
pub const SQL_PORT: u16 = 1433;
/// How often the master and file transfer agents write their heartbeat (inferred: dossier D.3 names the fields only).
pub const AGENT_HEARTBEAT: SimDuration = SimDuration::from_secs(60);
/// First bytes of an exported configuration in the virtual file system; the number of the export follows.
const EXPORT_HEADER: &[u8] = b"firedrill configuration export ";

/// The two agents that replicate the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CmsAgents {
    /// Computer of the active master replicator agent.
    pub(crate) master: ComputerId,
    /// Computer of the active file transfer agent.
    pub(crate) file_transfer: ComputerId,
}

impl Fabric {
    /// The document in a computer's own replica; the one the deployment started with where there is no replica agent.
    pub fn local_store(&self, computer: ComputerId) -> Arc<Configuration> {
        match &self.admin.replicas[computer.index()] {
            Some(replica) => replica.document.clone(),
            None => self.admin.cms.snapshot.document.clone(),
        }
    }

    /// The active store's document as a computer can read it.
    ///
    /// # Errors
    /// When the CMS cannot be reached from there (dossier D.9).
    pub fn central_store(&self, from: ComputerId) -> Result<Arc<Configuration>, OperationError> {
        let pool = self.open_store(from)?;
        Ok(self.admin.cms.databases[&pool].document.clone())
    }

    /// Edits the active store's document; the change replicates from then on (dossier D.2). The version rises by one when
    /// the edit changed something.
    ///
    /// # Errors
    /// When the CMS cannot be written from the caller's computer, or the edit itself refuses.
    pub fn edit_configuration(
        &mut self,
        caller: Caller,
        edit: impl FnOnce(&mut Configuration) -> Result<(), OperationError>,
    ) -> Result<(), OperationError> {
        let pool = self.writable_store(caller.computer).inspect_err(|error| self.lean_on_refusal(error))?;
        let before = self.admin.cms.databases[&pool].document.clone();
        let mut document = (*before).clone();
        edit(&mut document)?;
        document.version = before.version;
        if document != *before {
            document.version += 1;
            self.commit(pool, document);
            self.follow_pool_states(&before);
            // A limit of rounds would show in the next call that lets time run; an edit has none to report it with.
            let _ = self.settle();
        }
        Ok(())
    }

    /// The SCP in Active Directory: SQL server FQDN and instance (dossier D.1, D.4).
    ///
    /// # Errors
    /// When Active Directory cannot be reached.
    pub fn configuration_store_location(&self) -> Result<(String, String), OperationError> {
        self.check_directory()?;
        let scp = &self.admin.cms.scp;
        Ok((scp.server.clone(), scp.instance.clone()))
    }

    /// The instance that the CMS connection of a computer goes to (`Get-CsManagementConnection`).
    ///
    /// # Errors
    /// When Active Directory or the CMS cannot be reached.
    pub fn management_connection(&self, from: ComputerId) -> Result<SqlId, OperationError> {
        self.check_directory()?;
        let (_, instance) = self.locate_store(from)?;
        Ok(instance)
    }

    /// Status of the Central Management Store; empty fields when it is down.
    pub fn cms_status(&self) -> CmsStatus {
        let agents = self.cms_agents();
        let heartbeat = agents.map(|_| {
            let since = self.now.since(self.start).0;
            self.start + SimDuration(since - since % AGENT_HEARTBEAT.0)
        });
        CmsStatus {
            active_master: agents.map(|agents| agents.master),
            master_heartbeat: heartbeat,
            file_transfer_agents: agents.map(|agents| agents.file_transfer).into_iter().collect(),
            file_transfer_heartbeat: heartbeat,
            active_replicas: self.topology.computer_ids().filter(|computer| self.admin.replicas[computer.index()].is_some()).collect(),
            deleted_replicas: Vec::new(),
        }
    }

    /// CMS databases that exist.
    pub fn cms_databases(&self) -> Vec<CmsDatabaseReport> {
        let report = |(pool, database): (&PoolId, &CmsDatabase)| CmsDatabaseReport {
            pool: *pool,
            state: database.state,
            version: database.document.version,
            instance: self.principal(*pool, DatabaseGroup::CentralMgmt),
        };
        self.admin.cms.databases.iter().map(report).collect()
    }

    /// `PoolState` now: as the store that Active Directory points to has it, whether it answers or not.
    pub fn pool_state(&self, pool: PoolId) -> PoolState {
        match self.active_database() {
            Some((_, database)) => database.document.pools[pool.index()].pool_state,
            None => self.admin.pools[pool.index()].transfer.pool_state(),
        }
    }

    /// Keeps a document as an exported file's content: `Export-CsConfiguration` (dossier D.8).
    pub fn export_configuration(&mut self, document: Arc<Configuration>) -> Arc<[u8]> {
        let at = self.now;
        let archive = Arc::make_mut(&mut self.admin_mut().cms.archive);
        archive.push(Archived { document, at });
        let mut content = EXPORT_HEADER.to_vec();
        content.extend_from_slice(archive.len().to_string().as_bytes());
        content.into()
    }

    /// The document in an exported file: `Import-CsConfiguration` (dossier D.8). `None` when it is no such file.
    pub fn exported_configuration(&self, content: &[u8]) -> Option<Arc<Configuration>> {
        self.archived(content).map(|archived| archived.document.clone())
    }

    pub(crate) fn archived(&self, content: &[u8]) -> Option<&Archived> {
        let number: usize = std::str::from_utf8(content.strip_prefix(EXPORT_HEADER)?).ok()?.parse().ok()?;
        self.admin.cms.archive.get(number.checked_sub(1)?)
    }

    /// Refuses when Active Directory does not answer.
    pub(crate) fn check_directory(&self) -> Result<(), OperationError> {
        if self.directory_up() {
            return Ok(());
        }
        let domain = self.topology.ad_domain.as_str();
        Err(Message::DirectoryUnreachable.error(&[domain], domain))
    }

    /// The pool whose CMS database Active Directory points to, and the instance that serves it, as a computer reaches it.
    fn locate_store(&self, from: ComputerId) -> Result<(PoolId, SqlId), OperationError> {
        self.check_directory()?;
        let scp = &self.admin.cms.scp;
        let Some(pool) = scp.pool else {
            return Err(Message::NoCmsDeployed.error(&[&scp.display()], scp.display()));
        };
        match self.principal(pool, DatabaseGroup::CentralMgmt) {
            Some(instance) if self.reaches(from, self.topology.sql(instance).computer, SQL_PORT) => Ok((pool, instance)),
            _ => Err(Message::StoreUnreachable.error(&[], scp.display())),
        }
    }

    /// The pool of the CMS database that a computer's commands go to (dossier D.9).
    pub(crate) fn open_store(&self, from: ComputerId) -> Result<PoolId, OperationError> {
        let (pool, _) = self.locate_store(from)?;
        match self.admin.cms.databases.get(&pool) {
            Some(database) if database.has_content() => Ok(pool),
            _ => Err(Message::StoreDatabaseMissing.error(&[], self.admin.cms.scp.display())),
        }
    }

    /// As [`Fabric::open_store`], for writing: not while the store moves (dossier D.5).
    pub(crate) fn writable_store(&self, from: ComputerId) -> Result<PoolId, OperationError> {
        let pool = self.open_store(from)?;
        let database = &self.admin.cms.databases[&pool];
        if database.read_only || database.state != CmsDatabaseState::Active {
            return Err(Message::StoreBeingMoved.error(&[], self.admin.cms.scp.display()));
        }
        Ok(pool)
    }

    /// The database that Active Directory points to, when it is active; whether it answers or not.
    pub(crate) fn active_database(&self) -> Option<(PoolId, &CmsDatabase)> {
        let pool = self.admin.cms.scp.pool?;
        let database = self.admin.cms.databases.get(&pool)?;
        (database.state == CmsDatabaseState::Active).then_some((pool, database))
    }

    /// The active agents: the first Front Ends of the active CMS pool that run them and reach the store (dossier L: one each).
    pub(crate) fn cms_agents(&self) -> Option<CmsAgents> {
        let (pool, _) = self.active_database()?;
        let instance = self.principal(pool, DatabaseGroup::CentralMgmt)?;
        let store = self.topology.sql(instance).computer;
        let find = |service| {
            let works = |computer: &ComputerId| self.service_running(*computer, service) && self.reaches(*computer, store, SQL_PORT);
            self.topology.pool(pool).front_ends.iter().copied().find(works)
        };
        Some(CmsAgents { master: find(ServiceName::Master)?, file_transfer: find(ServiceName::Fta)? })
    }

    /// The pool of the Front End that a caller sits on.
    pub(crate) fn pool_of(&self, computer: ComputerId) -> Option<PoolId> {
        match self.topology.computer(computer).role {
            ComputerRole::FrontEnd(pool) => Some(pool),
            _ => None,
        }
    }

    /// Draws a new stamp.
    pub(crate) fn next_stamp(&mut self) -> Stamp {
        let cms = &mut self.admin_mut().cms;
        cms.stamps += 1;
        cms.stamps
    }

    /// Puts a document into a database; its version is the caller's business.
    pub(crate) fn commit(&mut self, pool: PoolId, document: Configuration) {
        let stamp = self.next_stamp();
        let now = self.now;
        let version = document.version;
        if let Some(database) = self.admin_mut().cms.databases.get_mut(&pool) {
            database.document = Arc::new(document);
            database.stamp = stamp;
            database.changed = now;
        }
        self.log(Event::StateChanged {
            kind: "cms".into(),
            subject: self.topology.pool(pool).fqdn.clone(),
            state: format!("version {version}"),
        });
    }

    /// Lets users follow a `PoolState` that was written by hand or arrived with another document (dossier B.6): the pool
    /// goes into the hands that the new value names, unless a failover or failback is at work on it.
    pub(crate) fn follow_pool_states(&mut self, before: &Configuration) {
        let Some((_, database)) = self.active_database() else { return };
        let after = database.document.clone();
        for (index, (old, new)) in before.pools.iter().zip(&after.pools).enumerate() {
            let pool = PoolId(index as u32);
            if old.pool_state != new.pool_state && !self.transfer_running(pool) {
                self.lean(Behaviour::PoolStateRepair);
                self.hand_over(pool, Transfer::of_state(new.pool_state));
            }
        }
    }

    /// Puts a pool's users into other hands and logs it.
    pub(crate) fn hand_over(&mut self, pool: PoolId, transfer: Transfer) {
        let now = self.now;
        let state = &mut self.admin_mut().pools[pool.index()];
        if state.transfer == transfer {
            return;
        }
        state.transfer = transfer;
        match transfer {
            Transfer::FailedOver => state.taken_over = state.taken_over.or(Some(now)),
            Transfer::None => {
                state.taken_over = None;
                state.read_only = false;
            }
            Transfer::FailingOver | Transfer::FailingBack => {}
        }
        self.log(Event::StateChanged {
            kind: "pool state".into(),
            subject: self.topology.pool(pool).fqdn.clone(),
            state: transfer.name().into(),
        });
    }

    /// Writes a pool's `PoolState` to the store on behalf of a running failover or failback.
    pub(crate) fn write_pool_state(&mut self, caller: Caller, pool: PoolId, state: PoolState) -> Result<(), OperationError> {
        let store = self.writable_store(caller.computer).map_err(|error| {
            let fqdn = &self.topology.pool(pool).fqdn;
            Message::PoolStateNotWritten.error(&[fqdn, &error.message], fqdn)
        })?;
        self.lean(Behaviour::PoolStateMachine);
        let before = &self.admin.cms.databases[&store].document;
        if before.pools[pool.index()].pool_state != state {
            let mut document = (**before).clone();
            document.version += 1;
            document.pools[pool.index()].pool_state = state;
            self.commit(store, document);
        }
        Ok(())
    }

    /// Instant at which a pool's side stopped changing, or now: the end of what can be lost.
    pub(crate) fn last_write(&self, pool: PoolId) -> SimTime {
        self.admin.pools[pool.index()].quiet_since.unwrap_or(self.now).min(self.now)
    }
}
