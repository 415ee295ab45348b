//! `Invoke-CsPoolFailBack` (dossier C.4).

use firedrill_topology::PoolId;

use super::pool_failover::{Hydration, Progress};
use super::processes::{Step, Voice};
use super::state::Transfer;
use crate::config::PoolState;
use crate::evidence::Behaviour;
use crate::fabric::Fabric;
use crate::messages::Message;
use crate::operation::{BackupModule, Caller, DatabaseGroup, OperationError, PoolFailback};
use crate::time::{SimDuration, SimTime};

/// Shortest failback: "minutes" (documented, dossier C.4); three is inferred.
pub const SHORTEST_FAILBACK: SimDuration = SimDuration::from_mins(3);
/// 60 minutes for 20,000 users (documented as the upper bound, dossier C.4).
pub const FAILBACK_PER_USER: SimDuration = SimDuration::from_millis(180);

/// How long a failback takes: `max(3 min, 60 min × users / 20,000)`, linear (inferred, dossier C.4).
pub fn failback_duration(users: u32) -> SimDuration {
    (FAILBACK_PER_USER * i64::from(users)).max(SHORTEST_FAILBACK)
}

/// A failback under way.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Failback {
    order: PoolFailback,
    phase: Phase,
    /// What giving up the backup pool's data loses: user data, conference content.
    losses: [SimDuration; 2],
}

#[derive(Debug, Clone, PartialEq)]
enum Phase {
    Begin,
    /// Waits for the Backup Service's way home (`-WaitTime`).
    Wait {
        until: SimTime,
    },
    /// What changed meanwhile goes home; users are still served by the backup pool.
    Sync {
        until: SimTime,
    },
    /// Users are on the home pool in resiliency while it loads them.
    Hydrate(Hydration),
}

impl Failback {
    pub(super) fn new(order: PoolFailback) -> Self {
        Self { order, phase: Phase::Begin, losses: [SimDuration::ZERO; 2] }
    }

    pub(super) fn pool(&self) -> PoolId {
        self.order.pool
    }

    pub(super) fn step(&mut self, fabric: &mut Fabric, voice: &mut Voice<'_>, due: bool) -> Result<Step, OperationError> {
        let pool = self.order.pool;
        if self.phase == Phase::Begin {
            return self.begin(fabric, voice);
        }
        let topology = fabric.topology.clone();
        let fqdn = topology.pool(pool).fqdn.as_str();
        let Some(backup) = fabric.backup_known_to(voice.caller, pool) else {
            return Err(Message::NoBackupPool.error(&[fqdn], fqdn));
        };
        fabric.check_interface(voice.caller, pool)?;
        match &self.phase {
            Phase::Begin => Ok(Step::Keep),
            Phase::Wait { until } => {
                let until = *until;
                self.wait(fabric, voice, backup, until)
            }
            Phase::Sync { until } => {
                let until = *until;
                self.sync(fabric, voice, backup, until)
            }
            Phase::Hydrate(_) => self.hydrate(fabric, voice, backup, due),
        }
    }

    fn begin(&mut self, fabric: &mut Fabric, voice: &mut Voice<'_>) -> Result<Step, OperationError> {
        let pool = self.order.pool;
        let topology = fabric.topology.clone();
        let fqdn = topology.pool(pool).fqdn.as_str();
        voice.verbose(fabric, Message::VerboseChecks, &[fqdn]);
        fabric.lean(Behaviour::PreconditionOrder);
        let backup = fabric.check_pool_failback(&self.order, voice.caller)?;
        voice.verbose(fabric, Message::VerboseState, &[fqdn, "FailedBack"]);
        fabric.write_pool_state(voice.caller, pool, PoolState::FailedBack)?;
        fabric.lean(Behaviour::FailbackDuration);
        if self.order.disaster {
            voice.warning(fabric, Message::FailbackDisasterWarning, &[fqdn]);
            let taken_over = fabric.admin.pools[pool.index()].taken_over;
            self.losses = fabric.unshipped(backup, taken_over);
            return Ok(self.start_hydration(fabric, voice, backup));
        }
        voice.verbose(fabric, Message::VerboseSyncBack, &[&topology.pool(backup).fqdn, fqdn]);
        voice.phase(fabric, "sync");
        fabric.lean(Behaviour::FailbackSync);
        if way_home(fabric, backup) {
            return Ok(self.start_sync(fabric, backup));
        }
        let wait = self.order.wait.max(SimDuration::ZERO);
        self.phase = Phase::Wait { until: fabric.now + wait };
        Ok(Step::Sleep(wait))
    }

    fn wait(&mut self, fabric: &mut Fabric, voice: &mut Voice<'_>, backup: PoolId, until: SimTime) -> Result<Step, OperationError> {
        if way_home(fabric, backup) {
            return Ok(self.start_sync(fabric, backup));
        }
        if fabric.now < until {
            return Ok(Step::Keep);
        }
        let topology = fabric.topology.clone();
        let backup_fqdn = topology.pool(backup).fqdn.as_str();
        voice.warning(fabric, Message::WaitTimeWarning, &[backup_fqdn, &self.order.wait.to_string()]);
        self.check_verified(fabric, backup)?;
        Ok(self.start_sync(fabric, backup))
    }

    fn start_sync(&mut self, fabric: &mut Fabric, backup: PoolId) -> Step {
        fabric.request_sync(backup, Some(BackupModule::PresenceFocus));
        let length = sync_share(self.total(fabric));
        self.phase = Phase::Sync { until: fabric.now + length };
        Step::Sleep(length)
    }

    fn sync(&mut self, fabric: &mut Fabric, voice: &mut Voice<'_>, backup: PoolId, until: SimTime) -> Result<Step, OperationError> {
        fabric.check_interface(voice.caller, backup)?;
        if fabric.now < until {
            return Ok(Step::Keep);
        }
        if !way_home(fabric, backup) {
            self.check_verified(fabric, backup)?;
            let taken_over = fabric.admin.pools[self.order.pool.index()].taken_over;
            self.losses = fabric.unshipped(backup, taken_over);
        }
        Ok(self.start_hydration(fabric, voice, backup))
    }

    /// Without a way home the data cannot be verified; `-SkipDataVerification` goes on without.
    fn check_verified(&self, fabric: &mut Fabric, backup: PoolId) -> Result<(), OperationError> {
        if self.order.skip_verification {
            fabric.lean(Behaviour::DataVerification);
            return Ok(());
        }
        let (home, backup) = (&fabric.topology.pool(self.order.pool).fqdn, &fabric.topology.pool(backup).fqdn);
        Err(Message::DataVerificationFailed.error(&[backup, home], home))
    }

    fn total(&self, fabric: &Fabric) -> SimDuration {
        failback_duration(fabric.users_homed(self.order.pool))
    }

    fn start_hydration(&mut self, fabric: &mut Fabric, voice: &mut Voice<'_>, backup: PoolId) -> Step {
        let pool = self.order.pool;
        let topology = fabric.topology.clone();
        voice.phase(fabric, "hydration");
        voice.verbose(fabric, Message::VerboseReturn, &[&topology.pool(pool).fqdn, &topology.pool(backup).fqdn]);
        fabric.lean(Behaviour::HydrationSteps);
        fabric.hand_over(pool, Transfer::FailingBack);
        let total = self.total(fabric);
        let synced = if self.order.disaster { SimDuration::ZERO } else { sync_share(total) };
        let hydration = Hydration::new(SimDuration(total.0 - synced.0));
        let length = hydration.first_sleep();
        self.phase = Phase::Hydrate(hydration);
        Step::Sleep(length)
    }

    fn hydrate(&mut self, fabric: &mut Fabric, voice: &mut Voice<'_>, backup: PoolId, due: bool) -> Result<Step, OperationError> {
        let pool = self.order.pool;
        let healthy = fabric.check_home_pool(pool).is_ok();
        let Phase::Hydrate(hydration) = &mut self.phase else { return Ok(Step::Keep) };
        match hydration.go_on(fabric, voice, due, healthy, (pool, pool))? {
            Progress::Keep => return Ok(Step::Keep),
            Progress::Sleep(length) => return Ok(Step::Sleep(length)),
            Progress::Complete => {}
        }
        let topology = fabric.topology.clone();
        let fqdn = topology.pool(pool).fqdn.as_str();
        voice.verbose(fabric, Message::VerboseState, &[fqdn, "Active"]);
        fabric.write_pool_state(voice.caller, pool, PoolState::Active)?;
        fabric.hand_over(pool, Transfer::None);
        fabric.record_user_data_loss(pool, self.losses);
        if !self.order.disaster {
            fabric.lean(Behaviour::ContentOwed);
            fabric.admin_mut().pools[backup.index()].content_owed = true;
            voice.warning(fabric, Message::ContentOwedWarning, &[&topology.pool(backup).fqdn]);
        }
        voice.verbose(fabric, Message::VerboseDone, &["Invoke-CsPoolFailBack"]);
        Ok(Step::Done)
    }
}

/// The part of a failback in which data goes home while users are still on the backup pool.
fn sync_share(total: SimDuration) -> SimDuration {
    SimDuration(total.0 / 4)
}

/// Whether the backup pool's Backup Service reaches the home pool.
fn way_home(fabric: &Fabric, backup: PoolId) -> bool {
    fabric.export(backup, BackupModule::PresenceFocus).healthy_since.is_some()
}

impl Fabric {
    /// Preconditions of a failback, in the order of dossier C.3; the backup pool when they hold.
    pub(super) fn check_pool_failback(&self, order: &PoolFailback, caller: Caller) -> Result<PoolId, OperationError> {
        let pool = order.pool;
        let fqdn = self.topology.pool(pool).fqdn.as_str();
        let refuse = |message: Message, names: &[&str]| Err(message.error(names, fqdn));
        let Some(backup) = self.backup_known_to(caller, pool) else {
            return refuse(Message::NoBackupPool, &[fqdn]);
        };
        let backup_fqdn = self.topology.pool(backup).fqdn.as_str();
        let document = self.check_cms_for_transfer(caller, pool)?;
        self.check_no_transfer(pool)?;
        match document.pools[pool.index()].pool_state {
            PoolState::FailedOver | PoolState::FailedBack => {}
            state => return refuse(Message::FailbackWrongState, &[fqdn, state.text()]),
        }
        self.check_home_pool(pool)?;
        if !self.management_reaches(caller, pool) {
            return refuse(Message::DcomError, &[fqdn]);
        }
        if !order.disaster {
            if !self.pool_in_service(backup) || self.principal(backup, DatabaseGroup::User).is_none() {
                return refuse(Message::BackupPoolUnavailable, &[backup_fqdn]);
            }
            if !self.management_reaches(caller, backup) {
                return refuse(Message::DcomError, &[backup_fqdn]);
            }
            if self.backup_agent(backup).is_none() {
                return refuse(Message::BackupServiceUnavailable, &[backup_fqdn]);
            }
        }
        Ok(backup)
    }

    /// The home pool must be well before users return: services, back end, file store (dossier C.4).
    pub(super) fn check_home_pool(&self, pool: PoolId) -> Result<(), OperationError> {
        let fqdn = self.topology.pool(pool).fqdn.as_str();
        let message = if !self.pool_in_service(pool) {
            Message::HomePoolNotInService
        } else if self.principal(pool, DatabaseGroup::User).is_none() {
            Message::HomePoolBackEndDown
        } else if !self.topology.pool(pool).file_store.is_none_or(|store| self.file_store_up(store)) {
            Message::HomePoolFileStoreDown
        } else {
            return Ok(());
        };
        Err(message.error(&[fqdn], fqdn))
    }
}
