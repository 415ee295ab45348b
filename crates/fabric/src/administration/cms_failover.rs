//! `Invoke-CsManagementServerFailover` (dossier D.5), and the switch of the active database that it shares with the move.

use std::sync::Arc;

use firedrill_topology::{BackEnd, PoolId, SqlId};

use super::CmsDatabaseState;
use super::processes::{Process, Step, Voice};
use super::state::{CmsDatabase, StoreLocation};
use crate::config::Configuration;
use crate::event::Event;
use crate::evidence::Behaviour;
use crate::fabric::Fabric;
use crate::messages::Message;
use crate::operation::{BackupModule, Caller, CmsFailover, DatabaseGroup, Operation, OperationError};
use crate::serving::{DataKind, DataLoss};
use crate::time::{SimDuration, SimTime};

// Together about two minutes, inside the documented target of five (dossier A.6); how they divide is inferred.
/// Longest wait for the store to be replicated to the standby database.
pub const CMS_DRAIN_LIMIT: SimDuration = SimDuration::from_mins(5);
/// From setting the source read-only to the switch.
pub const CMS_READ_ONLY_TIME: SimDuration = SimDuration::from_secs(20);
/// Activating the standby database when the source is not available.
pub const CMS_TAKE_OVER_TIME: SimDuration = SimDuration::from_secs(30);
/// From the switch until the agents of the new pool are asked for.
pub const CMS_AGENT_TIME: SimDuration = SimDuration::from_secs(45);
/// Making a database usable again with `-Restore`.
pub const CMS_RESTORE_TIME: SimDuration = SimDuration::from_secs(30);

/// A CMS failover under way.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct CmsRun {
    order: CmsFailover,
    phase: Phase,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Phase {
    Begin,
    /// The Backup Service ships what the standby database lacks.
    Drain {
        source: PoolId,
        target: PoolId,
        until: SimTime,
    },
    /// The source refuses writes; a failure from here on leaves it so (dossier D.5).
    ReadOnly {
        source: PoolId,
        target: PoolId,
    },
    /// Disaster: the standby database is made active as it is.
    TakeOver {
        target: PoolId,
    },
    /// The new pool's agents take up their work.
    Agents {
        target: PoolId,
    },
    /// `-Restore`.
    Restore {
        pool: PoolId,
    },
}

impl CmsRun {
    pub(super) fn new(order: CmsFailover) -> Self {
        Self { order, phase: Phase::Begin }
    }

    pub(super) fn step(&mut self, fabric: &mut Fabric, voice: &mut Voice<'_>, due: bool) -> Result<Step, OperationError> {
        if !due && !matches!(self.phase, Phase::Drain { .. }) {
            return Ok(Step::Keep);
        }
        match self.phase {
            Phase::Begin => self.begin(fabric, voice),
            Phase::Drain { source, target, until } => self.drain(fabric, voice, source, target, until),
            Phase::ReadOnly { source, target } => {
                fabric.check_switch(voice.caller, target, Some(source))?;
                let document = fabric.admin.cms.databases[&source].document.clone();
                Ok(self.switch(fabric, voice, target, &document))
            }
            Phase::TakeOver { target } => {
                fabric.check_cms_failover(&self.order, voice.caller)?;
                fabric.check_switch(voice.caller, target, None)?;
                let document = fabric.admin.cms.databases[&target].document.clone();
                fabric.record_configuration_loss(target);
                Ok(self.switch(fabric, voice, target, &document))
            }
            Phase::Agents { target } => {
                fabric.lean(Behaviour::CmsAgentsOnNewPool);
                voice.verbose(fabric, Message::VerboseAgents, &[&fabric.topology.pool(target).fqdn]);
                Ok(Step::Done)
            }
            Phase::Restore { pool } => {
                fabric.restore_database(pool);
                Ok(Step::Done)
            }
        }
    }

    fn begin(&mut self, fabric: &mut Fabric, voice: &mut Voice<'_>) -> Result<Step, OperationError> {
        let target = fabric.check_cms_failover(&self.order, voice.caller)?;
        fabric.warn_scp_mismatch(voice);
        fabric.lean(Behaviour::CmsFailoverDuration);
        let fqdn = fabric.topology.pool(target).fqdn.clone();
        match self.order {
            CmsFailover::Normal => {
                fabric.lean(Behaviour::NormalCmsFailoverDrains);
                let source = fabric.open_store(voice.caller.computer)?;
                voice.verbose(fabric, Message::VerboseCmsDrain, &[&fqdn]);
                voice.phase(fabric, "drain");
                fabric.request_sync(source, Some(BackupModule::CmsMaster));
                let until = fabric.now + CMS_DRAIN_LIMIT;
                self.phase = Phase::Drain { source, target, until };
                self.drain(fabric, voice, source, target, until).map(|step| match step {
                    Step::Keep => Step::Sleep(CMS_DRAIN_LIMIT),
                    step => step,
                })
            }
            CmsFailover::Disaster { .. } => {
                voice.verbose(fabric, Message::VerboseCmsSwitch, &[&fqdn]);
                self.phase = Phase::TakeOver { target };
                Ok(Step::Sleep(CMS_TAKE_OVER_TIME))
            }
            CmsFailover::Restore => {
                self.phase = Phase::Restore { pool: target };
                Ok(Step::Sleep(CMS_RESTORE_TIME))
            }
        }
    }

    fn drain(
        &mut self,
        fabric: &mut Fabric,
        voice: &mut Voice<'_>,
        source: PoolId,
        target: PoolId,
        until: SimTime,
    ) -> Result<Step, OperationError> {
        let databases = &fabric.admin.cms.databases;
        let stamp = |pool: &PoolId| databases.get(pool).map(|database| database.stamp);
        if stamp(&source) == stamp(&target) {
            let topology = fabric.topology.clone();
            fabric.lean(Behaviour::StoreReadOnlyWhileMoving);
            voice.verbose(fabric, Message::VerboseCmsReadOnly, &[&topology.pool(source).fqdn]);
            voice.verbose(fabric, Message::VerboseCmsSwitch, &[&topology.pool(target).fqdn]);
            voice.phase(fabric, "source read-only");
            if let Some(database) = fabric.admin_mut().cms.databases.get_mut(&source) {
                database.read_only = true;
            }
            self.phase = Phase::ReadOnly { source, target };
            return Ok(Step::Sleep(CMS_READ_ONLY_TIME));
        }
        if fabric.now < until {
            return Ok(Step::Keep);
        }
        let (from, to) = (&fabric.topology.pool(source).fqdn, &fabric.topology.pool(target).fqdn);
        Err(Message::CmsReplicationIncomplete.error(&[from, to], to))
    }

    fn switch(&mut self, fabric: &mut Fabric, voice: &mut Voice<'_>, target: PoolId, document: &Arc<Configuration>) -> Step {
        voice.phase(fabric, "switch");
        fabric.switch_store(target, document);
        voice.verbose(fabric, Message::VerboseScp, &[&fabric.admin.cms.scp.display()]);
        self.phase = Phase::Agents { target };
        Step::Sleep(CMS_AGENT_TIME)
    }
}

impl Fabric {
    /// Banner of current and proposed state that CMS failover and move print (dossier D.6): lines. Reads the caller's
    /// replica, so that it can be asked for while the CMS is down (procedures P3.1).
    ///
    /// # Errors
    /// When the caller is not on a computer of a Front End pool, or Active Directory does not answer.
    pub fn cms_banner(&self, caller: Caller, _operation: &Operation) -> Result<Vec<String>, OperationError> {
        let target = self.caller_pool(caller)?;
        self.check_directory()?;
        let document = self.central_store(caller.computer).unwrap_or_else(|_| self.local_store(caller.computer));
        let state = |pool: PoolId, scp: &StoreLocation| {
            let store = self.topology.pool(pool).file_store.map(|id| &self.topology.file_stores[id.index()]);
            let share = store.map(|store| format!("\\\\{}\\{}", self.topology.computer(store.computer).fqdn, store.share));
            let location = StoreLocation::of_pool(&self.topology, pool);
            [
                Message::BannerPool.text(&[&self.topology.pool(pool).fqdn]),
                Message::BannerFileStore.text(&[&share.unwrap_or_default()]),
                Message::BannerStore.text(&[&location.display()]),
                Message::BannerScp.text(&[&scp.display()]),
            ]
        };
        let mut lines = vec![Message::BannerMove.text(&[]), Message::BannerCurrent.text(&[])];
        lines.extend(state(document.cms_active, &self.admin.cms.scp));
        lines.push(Message::BannerProposed.text(&[]));
        lines.extend(state(target, &StoreLocation::of_pool(&self.topology, target)));
        Ok(lines)
    }

    /// The pool of the caller's computer: CMS failover and move work on it (dossier D.5, D.6).
    pub(super) fn caller_pool(&self, caller: Caller) -> Result<PoolId, OperationError> {
        let fqdn = &self.topology.computer(caller.computer).fqdn;
        self.pool_of(caller.computer).ok_or_else(|| Message::CmsWrongComputer.error(&[fqdn], fqdn))
    }

    /// Preconditions of a CMS failover; the pool that it works on when they hold.
    pub(super) fn check_cms_failover(&self, order: &CmsFailover, caller: Caller) -> Result<PoolId, OperationError> {
        let target = self.caller_pool(caller)?;
        let fqdn = self.topology.pool(target).fqdn.as_str();
        self.check_directory()?;
        if *order == CmsFailover::Restore {
            return match self.admin.cms.databases.get(&target) {
                Some(database) if !database.has_content() => Err(Message::NotInBackupMode.error(&[fqdn], fqdn)),
                Some(_) if self.principal(target, DatabaseGroup::CentralMgmt).is_some() => Ok(target),
                Some(_) => Err(Message::BackupSqlUnreachable.error(&[fqdn], fqdn)),
                None => Err(Message::MoveNoDatabase.error(&[fqdn], fqdn)),
            };
        }
        let document = match order {
            CmsFailover::Normal => self.central_store(caller.computer)?,
            _ => self.local_store(caller.computer),
        };
        if self.admin.cms.scp.pool == Some(target) {
            return Err(Message::CmsAlreadyHere.error(&[fqdn], fqdn));
        }
        let in_database = self.admin.cms.databases.get(&target).and_then(|database| database.document.cms_standby);
        if document.cms_standby != Some(target) && in_database != Some(target) {
            return Err(Message::NoStandbyDatabase.error(&[fqdn], fqdn));
        }
        if let CmsFailover::Disaster { sql_server, instance, mirror, force, mirror_only } = order {
            if !force {
                return Err(Message::ForceRequired.error(&[], fqdn));
            }
            self.check_backup_sql(caller, target, (sql_server, instance), mirror.as_ref(), *mirror_only)?;
        }
        if self.cms_process_running() || self.cms_half_moved(caller) {
            return Err(Message::CmsFailoverInProgress.error(&[fqdn], fqdn));
        }
        match self.admin.cms.databases.get(&target) {
            Some(database) if database.state == CmsDatabaseState::Backup && database.has_content() => Ok(target),
            Some(_) => Err(Message::NotInBackupMode.error(&[fqdn], fqdn)),
            None => Err(Message::NoStandbyDatabase.error(&[fqdn], fqdn)),
        }
    }

    /// The SQL Server named for a disaster failover must be the one that the topology defines for the standby database,
    /// and hold its principal, unless both sides of the mirror are named (dossier D.5, procedures P3.5).
    fn check_backup_sql(
        &self,
        caller: Caller,
        target: PoolId,
        (server, instance): (&str, &str),
        mirror: Option<&(String, String)>,
        mirror_only: bool,
    ) -> Result<(), OperationError> {
        let fqdn = self.topology.pool(target).fqdn.as_str();
        let principal = self.principal(target, DatabaseGroup::CentralMgmt);
        let (named, partner) = match (mirror, mirror_only) {
            (Some((server, instance)), true) => ((server.as_str(), instance.as_str()), None),
            (mirror, _) => ((server, instance), mirror.map(|(server, instance)| (server.as_str(), instance.as_str()))),
        };
        let first = self.store_instance(target, named)?;
        let second = partner.map(|partner| self.store_instance(target, partner)).transpose()?;
        let Some(principal) =
            principal.filter(|principal| self.reaches(caller.computer, self.topology.sql(*principal).computer, super::SQL_PORT))
        else {
            return Err(Message::BackupSqlUnreachable.error(&[&display(named)], fqdn));
        };
        match first {
            // The listener of an availability group leads to whichever node is primary.
            None => Ok(()),
            Some(instance) if instance == principal || second == Some(Some(principal)) => Ok(()),
            Some(_) => Err(Message::BackupSqlNotPrincipal.error(&[&display(named)], fqdn)),
        }
    }

    /// The instance of a pool's back end that a SQL Server name means; `None` for the listener of an availability group.
    fn store_instance(&self, pool: PoolId, (server, instance): (&str, &str)) -> Result<Option<SqlId>, OperationError> {
        let back_end = &self.topology.pool(pool).back_end;
        if matches!(back_end, BackEnd::AlwaysOn { listener, .. } if listener.eq_ignore_ascii_case(server)) {
            return Ok(None);
        }
        let fits = |id: &SqlId| {
            let sql = self.topology.sql(*id);
            let host = &self.topology.computer(sql.computer).fqdn;
            host.eq_ignore_ascii_case(server) && sql.instance.eq_ignore_ascii_case(instance)
        };
        let name = display((server, instance));
        let found = back_end.data_instances().into_iter().find(fits).map(Some);
        found.ok_or_else(|| Message::WrongBackupSql.error(&[&name, &self.topology.pool(pool).fqdn], name.clone()))
    }

    pub(super) fn cms_process_running(&self) -> bool {
        self.admin.processes.values().any(|running| matches!(running.process, Process::CmsFailover(_) | Process::MoveCms(_)))
    }

    /// A move that broke off: the store in use is read-only, or Active Directory and the topology name different pools.
    fn cms_half_moved(&self, caller: Caller) -> bool {
        let Ok(pool) = self.open_store(caller.computer) else { return false };
        let database = &self.admin.cms.databases[&pool];
        database.read_only || database.document.cms_active != pool
    }

    /// What the switch needs: Active Directory for the SCP, and the databases that take part.
    pub(super) fn check_switch(&self, caller: Caller, target: PoolId, source: Option<PoolId>) -> Result<(), OperationError> {
        self.check_directory()?;
        let answers = |pool: PoolId| {
            self.principal(pool, DatabaseGroup::CentralMgmt)
                .is_some_and(|instance| self.reaches(caller.computer, self.topology.sql(instance).computer, super::SQL_PORT))
        };
        if answers(target) && source.is_none_or(answers) {
            return Ok(());
        }
        let (to, from) = (&self.topology.pool(target).fqdn, source.map(|source| self.topology.pool(source).fqdn.as_str()));
        Err(Message::CmsSwitchFailed.error(&[to, from.unwrap_or_default()], to))
    }

    /// Makes a pool's database the active one, with a document: SCP, Active flag and the standby role follow. The former
    /// database keeps calling itself active until the Backup Service demotes it (dossier D.5).
    pub(super) fn switch_store(&mut self, target: PoolId, document: &Configuration) {
        let before = self.active_database().map(|(_, database)| database.document.clone());
        let old = self.admin.cms.scp.pool.filter(|old| *old != target && self.admin.cms.databases.contains_key(old));
        let mut document = document.clone();
        document.version += 1;
        document.cms_active = target;
        document.cms_standby = old.filter(|old| document.pools[target.index()].backup == Some(*old));
        self.lean(Behaviour::OldMasterStaysActive);
        let scp = Arc::new(StoreLocation::of_pool(&self.topology, target));
        let now = self.now;
        let topology = self.topology.clone();
        let admin = self.admin_mut();
        admin.cms.scp = scp;
        admin.cms.ship_due = None;
        let database = admin.cms.databases.entry(target).or_insert_with(|| CmsDatabase::empty(&topology, now));
        database.state = CmsDatabaseState::Active;
        database.read_only = false;
        self.commit(target, document);
        self.log(Event::StateChanged { kind: "cms".into(), subject: self.topology.pool(target).fqdn.clone(), state: "active".into() });
        if let Some(before) = before {
            self.follow_pool_states(&before);
        }
    }

    /// Configuration that the Backup Service had not shipped is lost when the standby database takes over as it is; so
    /// are locations, which nothing replicates (dossier A.4, D.5).
    fn record_configuration_loss(&mut self, target: PoolId) {
        let Some((source, database)) = self.active_database() else { return };
        let unshipped = self.admin.cms.databases.get(&target).is_none_or(|standby| standby.stamp != database.stamp);
        if unshipped {
            let shipped = self.shipped_by(source, BackupModule::CmsMaster);
            let window = self.last_write(source).since(shipped);
            self.lean(Behaviour::UnshippedConfigurationLost);
            self.record_loss(DataLoss { pool: source, user: None, kind: DataKind::Configuration, window: Some(window), at: self.now });
        }
        self.lean(Behaviour::NotReplicated);
        self.record_loss(DataLoss { pool: source, user: None, kind: DataKind::Locations, window: None, at: self.now });
    }

    /// `-Restore`: the store in use takes writes again; a former master's database becomes a standby one (dossier D.5).
    fn restore_database(&mut self, pool: PoolId) {
        let in_use = self.admin.cms.scp.pool == Some(pool);
        let Some(database) = self.admin_mut().cms.databases.get_mut(&pool) else { return };
        database.read_only = false;
        database.state = if in_use { CmsDatabaseState::Active } else { CmsDatabaseState::Backup };
        let state = if in_use { "active" } else { "backup" };
        self.log(Event::StateChanged { kind: "cms".into(), subject: self.topology.pool(pool).fqdn.clone(), state: state.into() });
    }

    /// Warns when Active Directory and the topology name different pools (dossier D.5).
    pub(super) fn warn_scp_mismatch(&mut self, voice: &mut Voice<'_>) {
        if self.active_database().is_some_and(|(pool, database)| database.document.cms_active != pool) {
            voice.warning(self, Message::ScpMismatch, &[]);
        }
    }
}

/// `host\instance`, or the host alone for the default instance.
pub(super) fn display((server, instance): (&str, &str)) -> String {
    if instance.is_empty() { server.to_owned() } else { format!("{server}\\{instance}") }
}
