//! `Move-CsManagementServer`, `Install-CsDatabase -CentralManagementDatabase`, `Set-CsConfigurationStoreLocation` and
//! `Import-CsConfiguration` (dossier D.6 to D.8).

use std::sync::Arc;

use firedrill_topology::{BackEnd, ComputerId, PoolId, SqlId};

use super::cms_failover::display;
use super::processes::{Step, Voice};
use super::state::{CmsDatabase, Installed, StoreLocation};
use super::{CmsDatabaseState, SQL_PORT};
use crate::config::Configuration;
use crate::event::Event;
use crate::evidence::Behaviour;
use crate::fabric::Fabric;
use crate::messages::Message;
use crate::operation::{Caller, DatabaseGroup, OperationError};
use crate::service::ServiceName;
use crate::serving::{DataKind, DataLoss};
use crate::time::{SimDuration, SimTime};

/// Copying the store to its new place (inferred).
pub const CMS_MOVE_TIME: SimDuration = SimDuration::from_secs(60);
/// Creating the databases (inferred).
pub const INSTALL_DATABASE_TIME: SimDuration = SimDuration::from_secs(90);

/// A move under way.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct MoveRun {
    force: bool,
    configuration_file: Option<String>,
    lis_file: Option<String>,
    begun: bool,
}

impl MoveRun {
    pub(super) fn new(force: bool, configuration_file: Option<String>, lis_file: Option<String>) -> Self {
        Self { force, configuration_file, lis_file, begun: false }
    }

    pub(super) fn step(&mut self, fabric: &mut Fabric, voice: &mut Voice<'_>, due: bool) -> Result<Step, OperationError> {
        if !due {
            return Ok(Step::Keep);
        }
        let caller = voice.caller;
        if !self.begun {
            fabric.check_cms_move(caller, self.force, self.configuration_file.as_deref(), self.lis_file.as_deref())?;
            fabric.warn_scp_mismatch(voice);
            fabric.lean(Behaviour::MoveCmsRules);
            if !self.force {
                let source = fabric.open_store(caller.computer)?;
                voice.verbose(fabric, Message::VerboseCmsReadOnly, &[&fabric.topology.pool(source).fqdn]);
                voice.phase(fabric, "source read-only");
                fabric.lean(Behaviour::StoreReadOnlyWhileMoving);
                if let Some(database) = fabric.admin_mut().cms.databases.get_mut(&source) {
                    database.read_only = true;
                }
            }
            self.begun = true;
            return Ok(Step::Sleep(CMS_MOVE_TIME));
        }
        let target = fabric.caller_pool(caller)?;
        let source = fabric.active_database().map(|(pool, _)| pool);
        fabric.check_switch(caller, target, if self.force { None } else { source })?;
        let document = self.document(fabric, caller)?;
        if let (Some(source), true) = (source, self.force) {
            self.record_losses(fabric, caller, source, &document);
        }
        voice.phase(fabric, "switch");
        fabric.switch_store(target, &document);
        fabric.lean(Behaviour::CmsAgentsOnNewPool);
        voice.verbose(fabric, Message::VerboseScp, &[&fabric.admin.cms.scp.display()]);
        fabric.install_cms_services(caller.computer);
        fabric.list_cms_setup(voice, caller, source, target);
        Ok(Step::Done)
    }

    /// What the new store starts with: the source's document, or with `-Force` the exported one, or the local replica's.
    fn document(&self, fabric: &Fabric, caller: Caller) -> Result<Arc<Configuration>, OperationError> {
        match (&self.configuration_file, self.force) {
            (Some(path), true) => fabric.read_export(caller, path).map(|(document, _)| document),
            (None, true) => Ok(fabric.local_store(caller.computer)),
            (_, false) => match fabric.active_database() {
                Some((_, database)) => Ok(database.document.clone()),
                None => Ok(fabric.local_store(caller.computer)),
            },
        }
    }

    /// With `-Force` everything that changed after the export is lost, and locations without an export of theirs.
    fn record_losses(&self, fabric: &mut Fabric, caller: Caller, source: PoolId, document: &Configuration) {
        let exported = self.configuration_file.as_ref().and_then(|path| fabric.read_export(caller, path).ok()).map(|(_, at)| at);
        let newest = fabric.active_database().map(|(_, database)| database.document.clone());
        if newest.is_some_and(|newest| *newest != *document) {
            let window = exported.map(|at| fabric.last_write(source).since(at));
            fabric.lean(Behaviour::UnshippedConfigurationLost);
            fabric.record_loss(DataLoss { pool: source, user: None, kind: DataKind::Configuration, window, at: fabric.now });
        }
        if self.lis_file.is_none() {
            fabric.lean(Behaviour::NotReplicated);
            fabric.record_loss(DataLoss { pool: source, user: None, kind: DataKind::Locations, window: None, at: fabric.now });
        }
    }
}

impl Fabric {
    /// Preconditions of a move (dossier D.6); the pool of the caller when they hold.
    pub(super) fn check_cms_move(
        &self,
        caller: Caller,
        force: bool,
        configuration_file: Option<&str>,
        lis_file: Option<&str>,
    ) -> Result<PoolId, OperationError> {
        let target = self.caller_pool(caller)?;
        let fqdn = self.topology.pool(target).fqdn.as_str();
        self.check_directory()?;
        if self.admin.cms.scp.pool == Some(target) && self.active_database().is_some() {
            return Err(Message::CmsAlreadyHere.error(&[fqdn], fqdn));
        }
        if !self.service_running(caller.computer, ServiceName::RtcSrv) {
            let computer = &self.topology.computer(caller.computer).fqdn;
            return Err(Message::FrontEndNotRunning.error(&[computer], computer));
        }
        if !self.admin.cms.databases.contains_key(&target) {
            return Err(Message::MoveNoDatabase.error(&[fqdn], fqdn));
        }
        if self.cms_process_running() {
            return Err(Message::CmsFailoverInProgress.error(&[fqdn], fqdn));
        }
        if force {
            if let Some(path) = configuration_file {
                self.read_export(caller, path)?;
            }
            if let Some(path) = lis_file.filter(|path| self.read_file(caller.computer, path).is_none()) {
                return Err(Message::ExportFileMissing.error(&[path], path));
            }
        } else if self.open_store(caller.computer).is_err() {
            return Err(Message::MoveSourceUnavailable.error(&[], fqdn));
        }
        Ok(target)
    }

    /// The document of an exported file on the caller's computer, and when it was exported.
    fn read_export(&self, caller: Caller, path: &str) -> Result<(Arc<Configuration>, SimTime), OperationError> {
        let Some(content) = self.read_file(caller.computer, path) else {
            return Err(Message::ExportFileMissing.error(&[path], path));
        };
        match self.archived(&content) {
            Some(archived) => Ok((archived.document.clone(), archived.at)),
            None => Err(Message::ExportFileInvalid.error(&[path], path)),
        }
    }

    /// The move installs the agents on the computer it runs on; all others need local setup (dossier D.6).
    fn install_cms_services(&mut self, computer: ComputerId) {
        self.admin_mut().installed[computer.index()].cms_services = true;
        self.refresh_components(computer);
        for service in [ServiceName::Master, ServiceName::Fta] {
            self.begin_start(computer, Some(service));
        }
    }

    fn list_cms_setup(&mut self, voice: &mut Voice<'_>, caller: Caller, source: Option<PoolId>, target: PoolId) {
        let Some((_, database)) = self.active_database() else { return };
        let document = database.document.clone();
        let pools = source.into_iter().chain([target]);
        let computers = pools.flat_map(|pool| self.topology.pool(pool).front_ends.iter().copied());
        let needs = |computer: &ComputerId| {
            *computer != caller.computer && Installed::wanted(&self.topology, &document, *computer) != self.installed(*computer)
        };
        let needed: Vec<ComputerId> = computers.filter(needs).collect();
        self.announce_setup(voice, needed);
    }

    /// Names the computers that need local setup (dossier D.6, H).
    pub(super) fn announce_setup(&mut self, voice: &mut Voice<'_>, needed: Vec<ComputerId>) {
        if needed.is_empty() {
            return;
        }
        self.lean(Behaviour::PublishSetupList);
        let names: Vec<&str> = needed.iter().map(|computer| self.topology.computer(*computer).fqdn.as_str()).collect();
        voice.warning(self, Message::SetupNeededWarning, &[&names.join(", ")]);
        voice.report.setup_needed = needed;
    }

    /// Preconditions of `Install-CsDatabase -CentralManagementDatabase`; the pool whose back end it is when they hold.
    pub(super) fn check_install_database(
        &self,
        caller: Caller,
        server: &str,
        instance: &str,
        clean: bool,
    ) -> Result<PoolId, OperationError> {
        let name = display((server, instance));
        let Some((pool, sql)) = self.find_back_end(server, instance) else {
            let known =
                self.topology.sql_instances.iter().any(|sql| self.topology.computer(sql.computer).fqdn.eq_ignore_ascii_case(server));
            let message = if known { Message::SqlServerNotInPool } else { Message::SqlServerUnknown };
            return Err(message.error(&[&name], name.clone()));
        };
        if !self.sql_up(sql) || !self.reaches(caller.computer, self.topology.sql(sql).computer, SQL_PORT) {
            return Err(Message::SqlServerUnknown.error(&[&name], name.clone()));
        }
        let active = self.admin.cms.databases.get(&pool).is_some_and(|database| database.state == CmsDatabaseState::Active);
        if active && !clean {
            return Err(Message::DatabaseInUse.error(&[&name], name.clone()));
        }
        Ok(pool)
    }

    /// The pool whose back end a SQL Server name means, and the instance that answers for it.
    fn find_back_end(&self, server: &str, instance: &str) -> Option<(PoolId, SqlId)> {
        let listener = |pool: &PoolId| matches!(&self.topology.pool(*pool).back_end, BackEnd::AlwaysOn { listener, .. } if listener.eq_ignore_ascii_case(server));
        if let Some(pool) = self.topology.pool_ids().find(listener) {
            let instances = self.topology.pool(pool).back_end.data_instances();
            return self.principal(pool, DatabaseGroup::CentralMgmt).or(instances.first().copied()).map(|sql| (pool, sql));
        }
        let sql = self.topology.find_sql(server, instance)?;
        let pool = self.topology.pool_ids().find(|pool| self.topology.pool(*pool).back_end.data_instances().contains(&sql))?;
        Some((pool, sql))
    }

    pub(super) fn install_database(
        &mut self,
        caller: Caller,
        server: &str,
        instance: &str,
        clean: bool,
        standby: bool,
    ) -> Result<(), OperationError> {
        let pool = self.check_install_database(caller, server, instance, clean)?;
        self.lean(Behaviour::InstallDatabaseRules);
        let now = self.now;
        let topology = self.topology.clone();
        let databases = &mut self.admin_mut().cms.databases;
        if clean || !databases.contains_key(&pool) {
            let state = if standby { CmsDatabaseState::Backup } else { CmsDatabaseState::Empty };
            databases.insert(pool, CmsDatabase { state, ..CmsDatabase::empty(&topology, now) });
            self.log(Event::StateChanged {
                kind: "cms".into(),
                subject: self.topology.pool(pool).fqdn.clone(),
                state: "database created".into(),
            });
        }
        Ok(())
    }

    /// `Set-CsConfigurationStoreLocation` (dossier D.8): writes the SCP, whatever it names.
    pub(super) fn set_store_location(&mut self, voice: &mut Voice<'_>, server: &str, instance: &str) {
        let pool = self.find_back_end(server, instance).map(|(pool, _)| pool);
        let before = self.active_database().map(|(_, database)| database.document.clone());
        self.admin_mut().cms.scp = Arc::new(StoreLocation { server: server.to_owned(), instance: instance.to_owned(), pool });
        self.lean(Behaviour::DirectoryIndependent);
        self.warn_scp_mismatch(voice);
        let subject = self.admin.cms.scp.display();
        self.log(Event::StateChanged { kind: "cms".into(), subject, state: "store location".into() });
        if let Some(before) = before {
            self.follow_pool_states(&before);
        }
    }

    /// An import needs a database to write into; an empty one will do (dossier D.8).
    pub(super) fn check_import(
        &self,
        caller: Caller,
        configuration: &Configuration,
        local: bool,
    ) -> Result<Option<PoolId>, OperationError> {
        if !configuration.fits(&self.topology) {
            return Err(Message::ExportFileInvalid.error(&["configuration"], "configuration"));
        }
        if local {
            let fqdn = &self.topology.computer(caller.computer).fqdn;
            let replica = self.admin.replicas[caller.computer.index()].is_some();
            return if replica { Ok(None) } else { Err(Message::ReplicaUnknown.error(&[fqdn], fqdn)) };
        }
        match self.writable_store(caller.computer) {
            Ok(pool) => Ok(Some(pool)),
            Err(error) => {
                let empty = |pool: &PoolId| {
                    self.admin.cms.databases.get(pool).is_some_and(|database| !database.has_content())
                        && self.check_switch(caller, *pool, None).is_ok()
                };
                self.admin.cms.scp.pool.filter(empty).map(Some).ok_or(error)
            }
        }
    }

    pub(super) fn import_configuration(
        &mut self,
        caller: Caller,
        configuration: &Configuration,
        local: bool,
    ) -> Result<(), OperationError> {
        let Some(pool) = self.check_import(caller, configuration, local)? else {
            let stamp = self.next_stamp();
            if let Some(replica) = &mut self.admin_mut().replicas[caller.computer.index()] {
                replica.document = Arc::new(configuration.clone());
                replica.stamp = stamp;
            }
            return Ok(());
        };
        let before = self.admin.cms.databases[&pool].document.clone();
        let mut document = configuration.clone();
        document.version = before.version.max(document.version) + 1;
        if let Some(database) = self.admin_mut().cms.databases.get_mut(&pool) {
            if !database.has_content() {
                document.cms_active = pool;
                document.cms_standby = document.cms_standby.filter(|standby| *standby != pool);
            }
            database.state = CmsDatabaseState::Active;
        }
        self.commit(pool, document);
        self.follow_pool_states(&before);
        // An import writes to the store as Publish-CsTopology does; the rebuild goes on with Enable-CsTopology.
        self.await_activation();
        Ok(())
    }
}
