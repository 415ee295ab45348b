//! The Backup Service: what has been shipped where, and until when (dossier A.4, A.5).
//!
//! Shipping is not simulated cycle by cycle. A module knows since when its path has been whole; cycles of the sync
//! interval count from there, and what was written before the last completed cycle has arrived.

use firedrill_topology::{ComputerId, Edition, PoolId};

use super::state::{Export, MODULES, Pair, Transfer};
use super::{BackupReport, CmsDatabaseState, ExportState, ImportState};
use crate::config::Configuration;
use crate::event::Event;
use crate::evidence::Behaviour;
use crate::fabric::Fabric;
use crate::fault::Fault;
use crate::messages::Message;
use crate::operation::{BackupModule, Caller, DatabaseGroup, OperationError};
use crate::serving::{DataKind, DataLoss};
use crate::time::{SimDuration, SimTime};

/// How long a sync asked for by hand takes when the path is whole and little has piled up (inferred).
pub const SYNC_TIME: SimDuration = SimDuration::from_secs(20);
/// SMB, to the partner's file store (dossier A.4, A.5).
pub const BACKUP_FILE_PORT: u16 = 445;
/// How many Front Ends of an Enterprise pool must have run together before a new pair ships anything (dossier A.1).
pub const FRONT_ENDS_TO_PAIR: usize = 3;
/// The dossier names no port for the service's own connections: only the link between the pools counts for them.
pub(super) const NO_PORT: u16 = 0;

impl Fabric {
    /// Backup Service status of a pool; `None` when it has no backup pool.
    ///
    /// # Errors
    /// When the pool's Backup Service cannot be asked.
    pub fn backup_status(&self, pool: PoolId) -> Result<Option<BackupReport>, OperationError> {
        if self.partner(pool).is_none() {
            return Ok(None);
        }
        let fqdn = &self.topology.pool(pool).fqdn;
        let Some(agent) = self.backup_agent(pool) else {
            return Err(Message::BackupServiceUnreachable.error(&[fqdn], fqdn));
        };
        let modules =
            self.modules_of(pool).map(|module| (module, self.export_state(pool, module), self.import_state(pool, module))).collect();
        Ok(Some(BackupReport { active_machine: Some(agent), modules }))
    }

    /// The same as a cmdlet on some computer gets it: the service that works for the pool must be reached from there.
    ///
    /// # Errors
    /// When the pool's Backup Service cannot be asked.
    pub fn backup_status_from(&self, from: ComputerId, pool: PoolId) -> Result<Option<BackupReport>, OperationError> {
        let report = self.backup_status(pool)?;
        match report.as_ref().and_then(|report| report.active_machine) {
            Some(agent) if !self.reaches(from, agent, NO_PORT) => {
                let fqdn = &self.topology.pool(pool).fqdn;
                Err(Message::BackupServiceUnreachable.error(&[fqdn], fqdn))
            }
            _ => Ok(report),
        }
    }

    /// When a module's data of a pool was last shipped completely to its partner.
    pub fn last_shipped(&self, pool: PoolId, module: BackupModule) -> Option<SimTime> {
        self.partner(pool)?;
        match module {
            BackupModule::CmsMaster => self.configuration_shipped(pool),
            BackupModule::RgsDataStore | BackupModule::RgsFileStore if !self.rgs_replicated(pool) => None,
            _ => self.export(pool, module).shipped_by(self.now, self.sync_interval(pool)),
        }
    }

    /// A pool's partner according to the copy its own Front Ends work with: the first one that is on, or the first.
    pub(crate) fn partner(&self, pool: PoolId) -> Option<PoolId> {
        self.pool_document(pool)?.pools[pool.index()].backup
    }

    /// The document that a pool's Front Ends work with.
    fn pool_document(&self, pool: PoolId) -> Option<&Configuration> {
        let front_ends = &self.topology.pool(pool).front_ends;
        let computer = front_ends.iter().find(|fe| self.computer_up(**fe)).or(front_ends.first())?;
        self.admin.replicas[computer.index()].as_ref().map(|replica| &*replica.document)
    }

    pub(super) fn modules_of(&self, pool: PoolId) -> impl Iterator<Item = BackupModule> + use<> {
        let with_rgs = self.topology.pool(pool).version == firedrill_topology::ProductVersion::Sfb2019;
        MODULES.into_iter().filter(move |module| with_rgs || !module.is_rgs())
    }

    pub(super) fn export(&self, pool: PoolId, module: BackupModule) -> &Export {
        &self.admin.pools[pool.index()].exports[module.position()]
    }

    /// Everything that a module had to export before the returned instant has arrived; the start where nothing was ever
    /// shipped, because the model knows of nothing written earlier.
    pub(super) fn shipped_by(&self, pool: PoolId, module: BackupModule) -> SimTime {
        self.export(pool, module).shipped_by(self.now, self.sync_interval(pool)).unwrap_or(self.start)
    }

    fn sync_interval(&self, pool: PoolId) -> SimDuration {
        let interval = self.pool_document(pool).map_or(SimDuration::from_mins(2), |document| document.backup_service.sync_interval);
        interval.max(SimDuration::from_secs(5))
    }

    fn rgs_replicated(&self, pool: PoolId) -> bool {
        self.topology.pool(pool).version == firedrill_topology::ProductVersion::Sfb2019
            && self.pool_document(pool).is_some_and(|document| document.backup_service.enable_rgs_backup_service)
    }

    /// Everything in the active database had reached the standby one at this instant.
    fn configuration_shipped(&self, pool: PoolId) -> Option<SimTime> {
        let (active, database) = self.active_database()?;
        if active != pool {
            return None;
        }
        let standby = self.admin.cms.databases.get(&database.document.cms_standby?)?;
        if standby.stamp == database.stamp {
            return self.export(pool, BackupModule::CmsMaster).shipped_by(self.now, self.sync_interval(pool));
        }
        standby.has_content().then_some(standby.changed)
    }

    /// Whether a pool exports a module at all: the configuration from the active CMS pool only, Response Groups once that
    /// is switched on (dossier A.4, A.5).
    pub(super) fn exports(&self, pool: PoolId, module: BackupModule) -> bool {
        match module {
            BackupModule::CmsMaster => {
                self.active_database().is_some_and(|(active, database)| active == pool && database.document.cms_standby.is_some())
            }
            BackupModule::RgsDataStore | BackupModule::RgsFileStore => self.rgs_replicated(pool),
            BackupModule::PresenceFocus | BackupModule::DataConf => true,
        }
    }

    pub(super) fn export_state(&self, pool: PoolId, module: BackupModule) -> ExportState {
        let interval = self.sync_interval(pool);
        let export = self.export(pool, module);
        let shipped = export.shipped_by(self.now, interval);
        let begun = match module {
            BackupModule::CmsMaster => true,
            // Not before it has run for some minutes (documented: dossier A.5).
            BackupModule::RgsDataStore | BackupModule::RgsFileStore => shipped.is_some(),
            BackupModule::PresenceFocus | BackupModule::DataConf => shipped.is_some() || self.pair_ready(pool),
        };
        if !begun || !self.exports(pool, module) {
            return ExportState::NotInitialized;
        }
        if self.fault_active(&Fault::BackupService(pool)) {
            return ExportState::NonSteadyState;
        }
        if export.healthy_since.is_none() {
            return ExportState::ErrorState;
        }
        let state = &self.admin.pools[pool.index()];
        let behind = shipped.is_none_or(|shipped| self.now.since(shipped) > interval);
        match module {
            BackupModule::CmsMaster => match self.active_database() {
                _ if self.configuration_waiting().is_none() => ExportState::FinalState,
                Some((_, database)) if self.now.since(database.changed) <= interval => ExportState::SteadyState,
                _ => ExportState::NonSteadyState,
            },
            BackupModule::DataConf if state.content_owed => ExportState::NonSteadyState,
            BackupModule::PresenceFocus | BackupModule::DataConf if state.quiet_since.is_some_and(|since| shipped >= Some(since)) => {
                ExportState::FinalState
            }
            _ if behind => ExportState::NonSteadyState,
            _ => ExportState::SteadyState,
        }
    }

    fn import_state(&self, pool: PoolId, module: BackupModule) -> ImportState {
        let group = if module == BackupModule::CmsMaster { DatabaseGroup::CentralMgmt } else { DatabaseGroup::User };
        let store_up = self.topology.pool(pool).file_store.is_none_or(|store| self.file_store_up(store));
        let fine = match module {
            BackupModule::DataConf | BackupModule::RgsFileStore => store_up,
            BackupModule::CmsMaster => self.principal(pool, group).is_some() && !self.lacks_standby_database(pool),
            _ => self.principal(pool, group).is_some(),
        };
        if fine { ImportState::NormalState } else { ImportState::ErrorState }
    }

    /// Whose way from a pool to its partner is whole, by module: the service on both sides, the databases or file stores
    /// on both sides, and the network between them (dossier A.4, A.5, I 20).
    fn whole_paths(&self, pool: PoolId, partner: PoolId) -> [bool; MODULES.len()] {
        let (Some(own), Some(theirs)) = (self.backup_agent(pool), self.backup_agent(partner)) else {
            return [false; MODULES.len()];
        };
        let hung = self.fault_active(&Fault::BackupService(pool)) || self.fault_active(&Fault::BackupService(partner));
        let ready = self.pair_ready(pool) && self.pair_ready(partner);
        if hung || !ready || !self.reaches(own, theirs, NO_PORT) {
            return [false; MODULES.len()];
        }
        let rgs = self.rgs_replicated(pool);
        let databases = |group| self.principal(pool, group).is_some() && self.principal(partner, group).is_some();
        let (users, cms) = (databases(DatabaseGroup::User), databases(DatabaseGroup::CentralMgmt));
        let (own_store, their_store) = (self.topology.pool(pool).file_store, self.topology.pool(partner).file_store);
        let up = [own_store, their_store].into_iter().flatten().all(|store| self.file_store_up(store));
        let server = their_store.map_or(theirs, |store| self.topology.file_stores[store.index()].computer);
        let files = up && self.reaches(own, server, BACKUP_FILE_PORT);
        MODULES.map(|module| match module {
            BackupModule::PresenceFocus => users,
            BackupModule::RgsDataStore => rgs && users,
            BackupModule::CmsMaster => cms && !self.lacks_standby_database(partner),
            BackupModule::DataConf => files,
            BackupModule::RgsFileStore => rgs && files,
        })
    }

    /// The topology gives a pool the standby role, and nobody has created the database (dossier A.3).
    fn lacks_standby_database(&self, pool: PoolId) -> bool {
        self.active_database().is_some_and(|(_, database)| database.document.cms_standby == Some(pool))
            && !self.admin.cms.databases.contains_key(&pool)
    }

    /// Whether a pool has had enough Front Ends since it was paired (dossier A.1).
    fn pair_ready(&self, pool: PoolId) -> bool {
        self.admin.pools[pool.index()].pair.is_some_and(|pair| pair.ready)
    }

    /// Asks for a sync now (`Invoke-CsBackupServiceSync`; planned failover). Modules whose path is broken are left out;
    /// whether at least one was started.
    pub(super) fn request_sync(&mut self, pool: PoolId, module: Option<BackupModule>) -> bool {
        let due = self.now + SYNC_TIME;
        let exports = &self.admin.pools[pool.index()].exports;
        let whole = MODULES
            .map(|candidate| module.is_none_or(|wanted| wanted == candidate) && exports[candidate.position()].healthy_since.is_some());
        if !whole.contains(&true) {
            return false;
        }
        let to_ship = self.configuration_waiting().is_some();
        let admin = self.admin_mut();
        for (export, _) in admin.pools[pool.index()].exports.iter_mut().zip(whole).filter(|(_, whole)| *whole) {
            export.sync_due = Some(export.sync_due.map_or(due, |pending| pending.min(due)));
        }
        if whole[BackupModule::CmsMaster.position()] && to_ship {
            admin.cms.ship_due = Some(admin.cms.ship_due.map_or(due, |pending| pending.min(due)));
        }
        true
    }

    /// Whether user data and conference content of a pool have been shipped up to the last change.
    pub(super) fn backup_final(&self, pool: PoolId) -> bool {
        let Some(quiet) = self.admin.pools[pool.index()].quiet_since else { return false };
        let interval = self.sync_interval(pool);
        [BackupModule::PresenceFocus, BackupModule::DataConf]
            .into_iter()
            .all(|module| self.export(pool, module).shipped_by(self.now, interval) >= Some(quiet))
    }

    /// What is written on a pool and has not arrived at its partner: user data and conference content, as the length of
    /// time from the last complete shipping (not before `from`) to the last write (dossier A.6, C.2).
    pub(super) fn unshipped(&self, writer: PoolId, from: Option<SimTime>) -> [SimDuration; 2] {
        let end = self.last_write(writer);
        [BackupModule::PresenceFocus, BackupModule::DataConf].map(|module| {
            let shipped = self.shipped_by(writer, module);
            end.since(from.map_or(shipped, |from| shipped.max(from)))
        })
    }

    /// Response Groups stay behind in a disaster unless they are replicated (dossier A.4).
    pub(super) fn record_response_group_loss(&mut self, pool: PoolId) {
        let mut modules = MODULES.into_iter().filter(|module| module.is_rgs());
        if !modules.all(|module| self.last_shipped(pool, module).is_some()) {
            self.lean(Behaviour::NotReplicated);
            self.record_loss(DataLoss { pool, user: None, kind: DataKind::ResponseGroups, window: None, at: self.now });
        }
    }

    /// A database that still calls itself active although Active Directory points elsewhere: a former master that came
    /// back or was left behind by a failover (dossier D.5, scenario 1). Only one that answers counts.
    pub(super) fn undemoted_master(&self, active: PoolId) -> Option<PoolId> {
        let claims = |(pool, database): (&PoolId, &super::state::CmsDatabase)| {
            (*pool != active && database.state == CmsDatabaseState::Active && self.principal(*pool, DatabaseGroup::CentralMgmt).is_some())
                .then_some(*pool)
        };
        self.admin.cms.databases.iter().find_map(claims)
    }

    /// The pair of databases that a CMSMaster cycle would touch: the standby one is older, or still calls itself active.
    fn configuration_waiting(&self) -> Option<(PoolId, PoolId)> {
        let (active, database) = self.active_database()?;
        let standby = database.document.cms_standby?;
        let copy = self.admin.cms.databases.get(&standby)?;
        (copy.stamp != database.stamp || copy.state != CmsDatabaseState::Backup).then_some((active, standby))
    }

    pub(super) fn backup_deadline(&self) -> Option<SimTime> {
        let syncs = self.admin.pools.iter().flat_map(|pool| pool.exports.iter()).filter_map(|export| export.sync_due);
        syncs.chain(self.admin.cms.ship_due).min()
    }

    pub(super) fn settle_backup(&mut self) -> bool {
        let mut changed = false;
        for index in 0..self.admin.pools.len() {
            let pool = PoolId(index as u32);
            changed |= self.settle_quiet(pool);
            changed |= self.settle_pair(pool);
            changed |= self.settle_exports(pool);
        }
        changed | self.settle_configuration_shipping()
    }

    /// Notes since when nothing is written on a pool.
    fn settle_quiet(&mut self, pool: PoolId) -> bool {
        let state = &self.admin.pools[pool.index()];
        let own = state.transfer == Transfer::None && self.users_homed(pool) > 0;
        let guests = || {
            let theirs = |other: &PoolId| self.admin.pools[other.index()].transfer == Transfer::FailedOver && self.users_homed(*other) > 0;
            self.partner(pool).as_ref().is_some_and(theirs)
        };
        let writing = !state.read_only && (own || guests()) && self.pool_in_service(pool);
        let since = match (writing, state.quiet_since) {
            (true, Some(_)) => None,
            (false, None) => Some(self.now),
            _ => return false,
        };
        self.admin_mut().pools[pool.index()].quiet_since = since;
        true
    }

    /// Notes whom a pool ships to. A new partner has nothing yet, and gets nothing before three Front Ends of each
    /// Enterprise pool ran together (dossier A.1).
    fn settle_pair(&mut self, pool: PoolId) -> bool {
        let Some(partner) = self.partner(pool) else { return false };
        let known = self.admin.pools[pool.index()].pair.filter(|pair| pair.partner == partner);
        if known.is_some_and(|pair| pair.ready) {
            return false;
        }
        let enterprise = self.topology.pool(pool).edition == Edition::Enterprise;
        let ready = !enterprise || self.front_ends_running(pool).len() >= FRONT_ENDS_TO_PAIR;
        let pair = Some(Pair { partner, ready });
        if known == pair {
            return false;
        }
        if enterprise {
            self.lean(Behaviour::PairNeedsFrontEnds);
        }
        let state = &mut self.admin_mut().pools[pool.index()];
        state.pair = pair;
        if known.is_none() {
            state.exports = [Export::NEVER; MODULES.len()];
            state.content_owed = false;
        }
        if ready {
            self.log_backup(pool, "ready for its partner");
        }
        true
    }

    fn settle_exports(&mut self, pool: PoolId) -> bool {
        let now = self.now;
        // A pool that stands alone ships nothing; what it shipped before stays shipped.
        let paths = self.partner(pool).map_or([false; MODULES.len()], |partner| self.whole_paths(pool, partner));
        let restless =
            |(export, whole): (&Export, bool)| export.healthy_since.is_some() != whole || export.sync_due.is_some_and(|due| due <= now);
        if !self.admin.pools[pool.index()].exports.iter().zip(paths).any(restless) {
            return false;
        }
        let interval = self.sync_interval(pool);
        let mut changed = false;
        for (module, whole) in MODULES.into_iter().zip(paths) {
            let mut export = *self.export(pool, module);
            match (whole, export.healthy_since) {
                (true, None) => export.healthy_since = Some(now),
                (false, Some(_)) => export = Export { healthy_since: None, shipped: export.shipped_by(now, interval), sync_due: None },
                _ => {}
            }
            let synced = export.sync_due.is_some_and(|due| due <= now);
            if synced {
                export = Export { healthy_since: Some(now), shipped: Some(now), sync_due: None };
            }
            if export != *self.export(pool, module) {
                self.lean(Behaviour::BackupCycle);
                let broke = export.healthy_since.is_none();
                let healthy_before = self.export(pool, module).healthy_since.is_some();
                let state = &mut self.admin_mut().pools[pool.index()];
                state.exports[module.position()] = export;
                state.content_owed &= !(synced && module == BackupModule::DataConf);
                if module == BackupModule::DataConf && broke && healthy_before {
                    self.note_export_failed(pool);
                }
                if module == BackupModule::PresenceFocus && broke == healthy_before {
                    self.log_backup(pool, if broke { "path to the partner broken" } else { "path to the partner whole" });
                }
                changed = true;
            }
        }
        changed
    }

    /// CMSMaster: copies the active database to the standby one at the end of a cycle, and demotes a former master.
    fn settle_configuration_shipping(&mut self) -> bool {
        let waiting = self.configuration_waiting();
        let due = self.admin.cms.ship_due;
        let now = self.now;
        let Some((active, standby)) = waiting else {
            if due.is_some() {
                self.admin_mut().cms.ship_due = None;
            }
            return due.is_some();
        };
        let export = *self.export(active, BackupModule::CmsMaster);
        match (export.healthy_since, due) {
            (None, None) => false,
            (None, Some(_)) => {
                self.admin_mut().cms.ship_due = None;
                true
            }
            (Some(since), None) => {
                self.admin_mut().cms.ship_due = Some(next_cycle(since, now, self.sync_interval(active)));
                true
            }
            (Some(_), Some(due)) if due > now => false,
            (Some(_), Some(_)) => {
                self.lean(Behaviour::BackupCycle);
                let source = &self.admin.cms.databases[&active];
                let (document, stamp) = (source.document.clone(), source.stamp);
                let admin = self.admin_mut();
                admin.cms.ship_due = None;
                if let Some(copy) = admin.cms.databases.get_mut(&standby) {
                    copy.document = document;
                    copy.stamp = stamp;
                    copy.changed = now;
                    copy.state = CmsDatabaseState::Backup;
                    copy.read_only = false;
                }
                let subject = self.topology.pool(standby).fqdn.clone();
                self.log(Event::StateChanged { kind: "cms".into(), subject, state: "standby database up to date".into() });
                true
            }
        }
    }

    fn log_backup(&mut self, pool: PoolId, state: &str) {
        let subject = self.topology.pool(pool).fqdn.clone();
        self.log(Event::StateChanged { kind: "backup".into(), subject, state: state.into() });
    }
}

/// End of the first cycle after `now`, counted from `since`.
fn next_cycle(since: SimTime, now: SimTime, interval: SimDuration) -> SimTime {
    let cycles = now.since(since).0 / interval.0 + 1;
    since + interval * cycles
}

impl Export {
    /// Everything written before the returned instant has arrived at the partner; none before the first cycle.
    fn shipped_by(&self, now: SimTime, interval: SimDuration) -> Option<SimTime> {
        match self.healthy_since {
            Some(since) if now.since(since) >= interval => Some(since + interval * (now.since(since).0 / interval.0)),
            _ => self.shipped,
        }
    }
}

impl BackupModule {
    pub(crate) fn position(self) -> usize {
        match self {
            Self::PresenceFocus => 0,
            Self::DataConf => 1,
            Self::CmsMaster => 2,
            Self::RgsDataStore => 3,
            Self::RgsFileStore => 4,
        }
    }

    fn is_rgs(self) -> bool {
        matches!(self, Self::RgsDataStore | Self::RgsFileStore)
    }
}

impl Fabric {
    /// Refuses a sync (`Invoke-CsBackupServiceSync`) without a partner, a running service that the caller reaches, or a way
    /// to the partner.
    pub(super) fn check_backup_sync(&self, caller: Caller, pool: PoolId, module: Option<BackupModule>) -> Result<(), OperationError> {
        let fqdn = self.topology.pool(pool).fqdn.as_str();
        let Some(partner) = self.partner(pool) else {
            return Err(Message::NoBackupPool.error(&[fqdn], fqdn));
        };
        if !self.backup_agent(pool).is_some_and(|agent| self.reaches(caller.computer, agent, NO_PORT)) {
            return Err(Message::BackupServiceUnreachable.error(&[fqdn], fqdn));
        }
        if self.export(pool, module.unwrap_or(BackupModule::PresenceFocus)).healthy_since.is_none() {
            return Err(Message::BackupSyncFailed.error(&[fqdn, &self.topology.pool(partner).fqdn], fqdn));
        }
        Ok(())
    }
}
