//! `Invoke-CsPoolFailOver` (dossier C).

use firedrill_topology::{PoolId, ProductVersion};

use super::processes::{Process, Step, Voice};
use super::state::Transfer;
use crate::config::{Configuration, PoolState};
use crate::evidence::Behaviour;
use crate::fabric::Fabric;
use crate::messages::Message;
use crate::operation::{Caller, DatabaseGroup, OperationError, PoolFailover};
use crate::serving::{DataKind, DataLoss};
use crate::time::{SimDuration, SimTime};

/// WCF port that the cmdlets talk to Front Ends on (field, dossier C.5).
pub const MANAGEMENT_PORT: u16 = 9001;
/// How long a planned failover waits for the final state when `-WaitTime` is not given (invented: no default is printed).
pub const DEFAULT_FAILOVER_WAIT: SimDuration = SimDuration::from_mins(5);
/// Hydration goes in so many steps; a fault is noticed at once, progress is kept step by step (inferred).
pub const HYDRATION_STEPS: u32 = 4;
/// "Repeated attempts" (documented); how many and how far apart is inferred: together the five minutes within which
/// SQL Server fails over by itself.
pub const HYDRATION_ATTEMPTS: u32 = 5;
/// Time between attempts.
pub const HYDRATION_RETRY: SimDuration = SimDuration::from_secs(60);

/// How long loading the users of a failed pool takes on its backup pool (inferred, dossier A.6, C.4): a base and a share
/// per user, so that the figures for which the targets are stated, 200,000 users, stay within 30 minutes (2013) or 15.
pub fn failover_duration(version: ProductVersion, users: u32) -> SimDuration {
    let (base, per_user, target) = match version {
        ProductVersion::Lync2010 | ProductVersion::Lync2013 => (180, SimDuration::from_millis(6), 30),
        ProductVersion::Sfb2015 | ProductVersion::Sfb2019 => (90, SimDuration::from_millis(3), 15),
    };
    (SimDuration::from_secs(base) + per_user * i64::from(users)).min(SimDuration::from_mins(target))
}

/// A failover under way.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Failover {
    order: PoolFailover,
    phase: Phase,
    /// What the switch will lose: user data, conference content.
    losses: [SimDuration; 2],
}

#[derive(Debug, Clone, PartialEq)]
enum Phase {
    Begin,
    /// Read-only source; its Backup Service ships what is left (dossier C.2).
    Drain {
        until: SimTime,
        length: SimDuration,
    },
    Hydrate(Hydration),
}

/// Loading users into a pool's live stores, routing group by routing group.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Hydration {
    step: SimDuration,
    done: u32,
    attempts: u32,
    interrupted: bool,
}

/// How hydration goes on.
pub(crate) enum Progress {
    Keep,
    Sleep(SimDuration),
    Complete,
}

impl Failover {
    pub(super) fn new(order: PoolFailover) -> Self {
        Self { order, phase: Phase::Begin, losses: [SimDuration::ZERO; 2] }
    }

    pub(super) fn pool(&self) -> PoolId {
        self.order.pool
    }

    pub(super) fn step(&mut self, fabric: &mut Fabric, voice: &mut Voice<'_>, due: bool) -> Result<Step, OperationError> {
        match &self.phase {
            Phase::Begin => self.begin(fabric, voice),
            Phase::Drain { until, length } => {
                let (until, length) = (*until, *length);
                self.drain(fabric, voice, until, length)
            }
            Phase::Hydrate(_) => self.hydrate(fabric, voice, due),
        }
    }

    fn begin(&mut self, fabric: &mut Fabric, voice: &mut Voice<'_>) -> Result<Step, OperationError> {
        let pool = self.order.pool;
        let topology = fabric.topology.clone();
        let fqdn = topology.pool(pool).fqdn.as_str();
        voice.verbose(fabric, Message::VerboseChecks, &[fqdn]);
        fabric.lean(Behaviour::PreconditionOrder);
        fabric.check_pool_failover(&self.order, voice.caller)?;
        voice.verbose(fabric, Message::VerboseState, &[fqdn, "FailingOver"]);
        fabric.write_pool_state(voice.caller, pool, PoolState::FailingOver)?;
        fabric.hand_over(pool, Transfer::FailingOver);
        if self.order.disaster {
            self.losses = fabric.unshipped(pool, None);
            let shipped = fabric.last_shipped(pool, crate::operation::BackupModule::PresenceFocus);
            voice.warning(fabric, Message::DisasterModeWarning, &[fqdn, &shipped.unwrap_or(fabric.start).to_string()]);
            voice.verbose(fabric, Message::VerboseSkipSource, &[fqdn]);
            return Ok(self.start_hydration(fabric, voice));
        }
        voice.verbose(fabric, Message::VerboseReadOnly, &[fqdn]);
        voice.verbose(fabric, Message::VerboseDrain, &[fqdn]);
        voice.phase(fabric, "drain");
        fabric.lean(Behaviour::PlannedDrain);
        fabric.admin_mut().pools[pool.index()].read_only = true;
        fabric.request_sync(pool, None);
        let length = self.order.wait.unwrap_or(DEFAULT_FAILOVER_WAIT).max(SimDuration::ZERO);
        self.phase = Phase::Drain { until: fabric.now + length, length };
        Ok(Step::Sleep(length))
    }

    fn drain(&mut self, fabric: &mut Fabric, voice: &mut Voice<'_>, until: SimTime, length: SimDuration) -> Result<Step, OperationError> {
        let pool = self.order.pool;
        self.check_source(fabric, voice.caller)?;
        let topology = fabric.topology.clone();
        let fqdn = topology.pool(pool).fqdn.as_str();
        if fabric.backup_final(pool) {
            voice.verbose(fabric, Message::VerboseFinal, &[fqdn]);
            return Ok(self.start_hydration(fabric, voice));
        }
        if fabric.now < until {
            return Ok(Step::Keep);
        }
        voice.warning(fabric, Message::WaitTimeWarning, &[fqdn, &length.to_string()]);
        if !self.order.skip_verification {
            let backup = fabric.backup_known_to(voice.caller, pool).map_or("", |backup| topology.pool(backup).fqdn.as_str());
            return Err(Message::DataVerificationFailed.error(&[fqdn, backup], fqdn));
        }
        fabric.lean(Behaviour::DataVerification);
        self.losses = fabric.unshipped(pool, None);
        Ok(self.start_hydration(fabric, voice))
    }

    fn start_hydration(&mut self, fabric: &mut Fabric, voice: &mut Voice<'_>) -> Step {
        let pool = self.order.pool;
        fabric.lean(Behaviour::FailoverDuration);
        fabric.lean(Behaviour::HydrationSteps);
        voice.phase(fabric, "hydration");
        let hydration = Hydration::new(failover_duration(fabric.topology.pool(pool).version, fabric.users_homed(pool)));
        let length = hydration.step;
        self.phase = Phase::Hydrate(hydration);
        Step::Sleep(length)
    }

    fn hydrate(&mut self, fabric: &mut Fabric, voice: &mut Voice<'_>, due: bool) -> Result<Step, OperationError> {
        let pool = self.order.pool;
        let topology = fabric.topology.clone();
        let fqdn = topology.pool(pool).fqdn.as_str();
        let Some(backup) = fabric.backup_known_to(voice.caller, pool) else {
            return Err(Message::NoBackupPool.error(&[fqdn], fqdn));
        };
        if !self.order.disaster {
            self.check_source(fabric, voice.caller)?;
        }
        fabric.check_interface(voice.caller, backup)?;
        let healthy = fabric.pool_in_service(backup) && fabric.principal(backup, DatabaseGroup::User).is_some();
        let Phase::Hydrate(hydration) = &mut self.phase else { return Ok(Step::Keep) };
        match hydration.go_on(fabric, voice, due, healthy, (pool, backup))? {
            Progress::Keep => return Ok(Step::Keep),
            Progress::Sleep(length) => return Ok(Step::Sleep(length)),
            Progress::Complete => {}
        }
        voice.verbose(fabric, Message::VerboseState, &[fqdn, "FailedOver"]);
        fabric.write_pool_state(voice.caller, pool, PoolState::FailedOver)?;
        fabric.hand_over(pool, Transfer::FailedOver);
        fabric.record_user_data_loss(pool, self.losses);
        if self.order.disaster {
            fabric.record_response_group_loss(pool);
        }
        voice.verbose(fabric, Message::VerboseRedirect, &[fqdn, &topology.pool(backup).fqdn]);
        voice.verbose(fabric, Message::VerboseDone, &["Invoke-CsPoolFailOver"]);
        Ok(Step::Done)
    }

    /// A planned failover needs the source until users are over (dossier C.5: lost mid-run, the pool stays FailingOver).
    fn check_source(&self, fabric: &Fabric, caller: Caller) -> Result<(), OperationError> {
        if fabric.management_reaches(caller, self.order.pool) {
            return Ok(());
        }
        Err(Message::CompatibleInterface.error(&[], fabric.topology.pool(self.order.pool).fqdn.clone()))
    }
}

impl Hydration {
    pub(super) fn new(total: SimDuration) -> Self {
        Self { step: SimDuration(total.0 / i64::from(HYDRATION_STEPS)), done: 0, attempts: 0, interrupted: false }
    }

    pub(super) fn first_sleep(&self) -> SimDuration {
        self.step
    }

    /// Goes on: a step that a fault interrupted is tried again from its beginning.
    pub(super) fn go_on(
        &mut self,
        fabric: &mut Fabric,
        voice: &mut Voice<'_>,
        due: bool,
        healthy: bool,
        (home, host): (PoolId, PoolId),
    ) -> Result<Progress, OperationError> {
        let topology = fabric.topology.clone();
        let (home_fqdn, host_fqdn) = (topology.pool(home).fqdn.as_str(), topology.pool(host).fqdn.as_str());
        if !healthy {
            if self.interrupted && !due {
                return Ok(Progress::Keep);
            }
            self.interrupted = true;
            self.attempts += 1;
            if self.attempts > HYDRATION_ATTEMPTS {
                return Err(Message::HydrationFailed.error(&[], home_fqdn));
            }
            let (attempt, limit) = (self.attempts.to_string(), HYDRATION_ATTEMPTS.to_string());
            voice.verbose(fabric, Message::VerboseHydrateRetry, &[host_fqdn, &attempt, &limit]);
            return Ok(Progress::Sleep(HYDRATION_RETRY));
        }
        if !due {
            return Ok(Progress::Keep);
        }
        if self.interrupted {
            self.interrupted = false;
            return Ok(Progress::Sleep(self.step));
        }
        self.attempts = 0;
        self.done += 1;
        let groups = fabric.quorum[home.index()].groups.len() as u32;
        let (loaded, groups) = ((groups * self.done / HYDRATION_STEPS).to_string(), groups.to_string());
        voice.verbose(fabric, Message::VerboseHydrate, &[home_fqdn, host_fqdn, &loaded, &groups]);
        if self.done < HYDRATION_STEPS { Ok(Progress::Sleep(self.step)) } else { Ok(Progress::Complete) }
    }
}

impl Fabric {
    /// Preconditions of a failover, in the order of dossier C.3; the backup pool when they hold.
    pub(super) fn check_pool_failover(&self, order: &PoolFailover, caller: Caller) -> Result<PoolId, OperationError> {
        let pool = order.pool;
        let fqdn = self.topology.pool(pool).fqdn.as_str();
        let refuse = |message: Message, names: &[&str]| Err(message.error(names, fqdn));
        let Some(backup) = self.backup_known_to(caller, pool) else {
            return refuse(Message::NoBackupPool, &[fqdn]);
        };
        let backup_fqdn = self.topology.pool(backup).fqdn.as_str();
        let document = self.check_cms_for_transfer(caller, pool)?;
        if self.admin.cms.scp.pool == Some(pool) || document.cms_active == pool {
            return refuse(Message::FailoverCmsOnPool, &[fqdn]);
        }
        if document.edges.iter().any(|edge| edge.next_hop == pool) {
            return refuse(Message::NextHopRefusal, &[fqdn]);
        }
        self.check_no_transfer(pool)?;
        match document.pools[pool.index()].pool_state {
            PoolState::Active | PoolState::FailingOver => {}
            state => return refuse(Message::FailoverWrongState, &[fqdn, state.text()]),
        }
        if !order.disaster {
            if !self.management_reaches(caller, pool) {
                return refuse(Message::DcomError, &[fqdn]);
            }
            if self.principal(pool, DatabaseGroup::User).is_none() {
                return refuse(Message::SourceBackEndDown, &[fqdn]);
            }
        }
        let serves = self.pool_in_service(backup) && self.principal(backup, DatabaseGroup::User).is_some();
        if !serves || self.pool_transfer(backup) != Transfer::None {
            return refuse(Message::BackupPoolUnavailable, &[backup_fqdn]);
        }
        if self.backup_agent(backup).is_none() {
            return refuse(Message::BackupServiceUnavailable, &[backup_fqdn]);
        }
        let store_up = self.topology.pool(backup).file_store.is_none_or(|store| self.file_store_up(store));
        if !store_up && !order.skip_verification {
            return refuse(Message::DataVerificationFailed, &[fqdn, backup_fqdn]);
        }
        Ok(backup)
    }

    /// The backup pool of a pool: from the CMS, or from the caller's replica while the CMS is down.
    pub(super) fn backup_known_to(&self, caller: Caller, pool: PoolId) -> Option<PoolId> {
        let document = self.central_store(caller.computer).unwrap_or_else(|_| self.local_store(caller.computer));
        document.pools[pool.index()].backup
    }

    /// The CMS must be usable for a pool failover or failback: reachable, writable, its agents at work (dossier C.3 row 3).
    pub(super) fn check_cms_for_transfer(&self, caller: Caller, pool: PoolId) -> Result<std::sync::Arc<Configuration>, OperationError> {
        let fqdn = self.topology.pool(pool).fqdn.as_str();
        let store =
            self.writable_store(caller.computer).map_err(|error| Message::FailoverCmsUnavailable.error(&[fqdn, &error.message], fqdn))?;
        if self.cms_agents().is_none() {
            return Err(Message::FailoverCmsIncomplete.error(&[fqdn, &self.topology.pool(store).fqdn], fqdn));
        }
        Ok(self.admin.cms.databases[&store].document.clone())
    }

    /// Whether a failover or failback of a pool is under way.
    pub(super) fn transfer_running(&self, pool: PoolId) -> bool {
        self.admin.processes.values().any(|running| match &running.process {
            Process::PoolFailover(run) => run.pool() == pool,
            Process::PoolFailback(run) => run.pool() == pool,
            _ => false,
        })
    }

    pub(super) fn check_no_transfer(&self, pool: PoolId) -> Result<(), OperationError> {
        if self.transfer_running(pool) {
            let fqdn = &self.topology.pool(pool).fqdn;
            return Err(Message::TransferInProgress.error(&[fqdn], fqdn));
        }
        Ok(())
    }

    /// Whether the cmdlet reaches a pool: a Front End whose Front-End service runs, over port 9001.
    pub(super) fn management_reaches(&self, caller: Caller, pool: PoolId) -> bool {
        let running = |computer: &firedrill_topology::ComputerId| self.service_running(*computer, crate::service::ServiceName::RtcSrv);
        self.topology.pool(pool).front_ends.iter().any(|fe| running(fe) && self.reaches(caller.computer, *fe, MANAGEMENT_PORT))
    }

    /// A pool in service that cannot be reached any more breaks a run off; one that is down is hydration's business.
    pub(super) fn check_interface(&self, caller: Caller, pool: PoolId) -> Result<(), OperationError> {
        if self.pool_in_service(pool) && !self.management_reaches(caller, pool) {
            return Err(Message::CompatibleInterface.error(&[], self.topology.pool(pool).fqdn.clone()));
        }
        Ok(())
    }

    /// Records what a switch away from a pool's own data loses (dossier A.6, C.2).
    pub(super) fn record_user_data_loss(&mut self, pool: PoolId, windows: [SimDuration; 2]) {
        for (window, kind) in windows.into_iter().zip([DataKind::UserData, DataKind::ConferenceContent]) {
            if window > SimDuration::ZERO {
                self.lean(Behaviour::RpoWindow);
                self.lean(Behaviour::DisasterLoss);
                self.record_loss(DataLoss { pool, user: None, kind, window: Some(window), at: self.now });
            }
        }
    }
}

impl PoolState {
    /// Name as `-PoolState` takes it.
    pub fn text(self) -> &'static str {
        match self {
            Self::Active => "Active",
            Self::FailingOver => "FailingOver",
            Self::FailedOver => "FailedOver",
            Self::FailedBack => "FailedBack",
        }
    }
}
