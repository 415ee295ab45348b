//! Who is served by which pool, and how fully: derived from pools and routing groups, never from single users
//! (dossier 0.2, B.3), and the outages that follow.

use std::sync::Arc;

use firedrill_topology::{PoolId, UserId};

use crate::administration::Transfer;
use crate::config::PoolState;
use crate::event::Event;
use crate::evidence::Behaviour;
use crate::fabric::Fabric;
use crate::serving::{DataLoss, PoolServing, ServiceMode, Serving, ServingCause};
use crate::time::SimTime;
use crate::world::Experience;
use crate::world::outages::{ByGroup, ServingRecord};
use crate::world::quorum::Phase;

impl Fabric {
    /// The service a user gets now.
    pub fn serving(&self, user: UserId) -> Serving {
        let home = self.registrar_pool(user);
        self.group_serving(home, self.group_in(home, user))
    }

    /// The service of all users of a pool.
    pub fn pool_serving(&self, home: PoolId) -> PoolServing {
        PoolServing { home, users: self.users_homed(home), parts: self.serving_parts(home, &self.groups_serving(home)) }
    }

    /// What a user can do now: the rows of dossier B.3, by the service the user gets.
    pub fn experience(&self, user: UserId) -> Experience {
        let serving = self.serving(user);
        match serving.mode {
            ServiceMode::Regular => Experience {
                sign_in: true,
                own_conferences: true,
                others_conferences: true,
                contacts: true,
                presence: true,
                peer_to_peer: true,
                persistent_changes: true,
            },
            ServiceMode::Resiliency => Experience {
                sign_in: true,
                own_conferences: false,
                others_conferences: true,
                contacts: false,
                presence: false,
                peer_to_peer: true,
                persistent_changes: false,
            },
            // "can rejoin as guest only": not as the user.
            ServiceMode::SignedOut => Experience {
                sign_in: false,
                own_conferences: false,
                others_conferences: false,
                contacts: false,
                presence: false,
                peer_to_peer: false,
                persistent_changes: false,
            },
        }
    }

    /// Data that was lost for good so far.
    pub fn data_losses(&self) -> &[DataLoss] {
        &self.losses
    }

    /// Notes that data is lost for good.
    pub(crate) fn record_loss(&mut self, loss: DataLoss) {
        Arc::make_mut(&mut self.losses).push(loss);
    }

    /// Whether a pool's back end has been unavailable for longer than its threshold (dossier E.5).
    pub(crate) fn back_end_grace_over(&self, pool: PoolId) -> bool {
        self.back_end_grace_end(pool).is_some_and(|end| end <= self.now)
    }

    /// When the threshold of a pool without a back end ends.
    pub(crate) fn back_end_grace_end(&self, pool: PoolId) -> Option<SimTime> {
        let since = self.back_end_unavailable_since(pool)?;
        Some(since + self.settings_known_to(pool, pool).backup_store_unavailable_threshold)
    }

    pub(crate) fn initial_serving(&self) -> Vec<Arc<ServingRecord>> {
        self.topology
            .pool_ids()
            .map(|pool| {
                let groups = self.groups_serving(pool);
                let parts = self.serving_parts(pool, &groups);
                Arc::new(ServingRecord::new(self.now, &groups, parts))
            })
            .collect()
    }

    /// The service that the routing groups of a pool get.
    fn groups_serving(&self, home: PoolId) -> ByGroup<Serving> {
        if self.groups_alike(home) && self.backup_of(home).is_none_or(|backup| self.groups_alike(backup)) {
            return ByGroup::Alike(self.group_serving(home, 0));
        }
        let groups = self.quorum[home.index()].groups.len();
        ByGroup::new((0..groups).map(|group| self.group_serving(home, group)).collect())
    }

    /// The service that users of a pool get, by numbers of users. Parts without users are left out.
    fn serving_parts(&self, home: PoolId, groups: &ByGroup<Serving>) -> Vec<(Serving, u32)> {
        let by_group = match groups {
            _ if self.users_homed(home) == 0 => return Vec::new(),
            ByGroup::Alike(all) => return vec![(*all, self.users_homed(home))],
            ByGroup::Apart(by_group) => by_group,
        };
        let counts = self.users_by_group(home);
        let mut parts: std::collections::BTreeMap<(ServiceMode, Option<PoolId>, ServingCause), u32> = Default::default();
        for (serving, count) in by_group.iter().zip(counts).filter(|(_, count)| *count > 0) {
            *parts.entry((serving.mode, serving.pool, serving.cause)).or_default() += count;
        }
        parts.into_iter().map(|((mode, pool, cause), count)| (Serving { mode, pool, cause }, count)).collect()
    }

    /// Whether all routing groups of a pool are well, so that they need not be told apart.
    fn groups_alike(&self, pool: PoolId) -> bool {
        let quorum = &self.quorum[pool.index()];
        quorum.groups.iter().all(|group| group.primary.is_some() && !group.lacks_secondaries(quorum.active))
    }

    /// Users of a pool by routing group, from ranges and the users who were moved.
    fn users_by_group(&self, home: PoolId) -> Vec<u32> {
        let groups = self.quorum[home.index()].groups.len();
        let mut counts = vec![0u32; groups];
        for cohort in self.topology.users.cohorts.iter().filter(|cohort| cohort.pool == home) {
            let first = self.group_in(home, cohort.first);
            for (group, count) in counts.iter_mut().enumerate() {
                let distance = (group + groups - first) % groups;
                *count += (cohort.count as usize + groups - 1 - distance) as u32 / groups as u32;
            }
        }
        for user in self.users.moves.keys() {
            let group = self.group_in(home, *user);
            match (self.original_pool(*user) == home, self.registrar_pool(*user) == home) {
                (true, false) => counts[group] -= 1,
                (false, true) => counts[group] += 1,
                (true, true) | (false, false) => {}
            }
        }
        counts
    }

    /// The service that users of one routing group of a pool get.
    fn group_serving(&self, home: PoolId, group: usize) -> Serving {
        match self.pool_transfer(home) {
            Transfer::None => self.service_without_transfer(home, group),
            Transfer::FailingOver | Transfer::FailedOver if self.serves_unaware(home) => self.service_without_transfer(home, group),
            Transfer::FailingOver => self.on_backup_pool(home, |backup| resiliency(backup, ServingCause::FailingOver)),
            Transfer::FailedOver => self.on_backup_pool(home, |backup| {
                let there = self.service_on(backup, self.group_on_backup(backup, group));
                if there.mode == ServiceMode::Regular { regular(backup, ServingCause::FailedOver) } else { there }
            }),
            Transfer::FailingBack if self.pool_in_service(home) => resiliency(home, ServingCause::FailingBack),
            Transfer::FailingBack => signed_out(ServingCause::ServicesNotRunning),
        }
    }

    /// Whether a pool was failed over behind a cut link and does not know: it runs, its replica still says Active, and its
    /// backup pool does not see it. Clients try the home pool first, so its users stay (inferred, dossier B.1, C.2), and
    /// both pools write the same users' data until the link is back.
    fn serves_unaware(&self, home: PoolId) -> bool {
        self.pool_in_service(home)
            && !self.registration[home.index()].on_backup
            && !self.admin.pools[home.index()].read_only
            && self.settings_known_to(home, home).pool_state == PoolState::Active
            && self.backup_of(home).is_some_and(|backup| self.pool_in_service(backup) && !self.pool_sees(backup, home))
    }

    fn on_backup_pool(&self, home: PoolId, serve: impl FnOnce(PoolId) -> Serving) -> Serving {
        match self.backup_of(home).filter(|backup| self.pool_in_service(*backup)) {
            Some(backup) => serve(backup),
            None => signed_out(ServingCause::BackupPoolUnavailable),
        }
    }

    fn service_without_transfer(&self, home: PoolId, group: usize) -> Serving {
        let registration = &self.registration[home.index()];
        if registration.on_backup {
            let cause = if registration.seen_since.is_some() { ServingCause::FailbackInterval } else { ServingCause::VoiceResiliency };
            return self.on_backup_pool(home, |backup| resiliency(backup, cause));
        }
        if self.pool_in_service(home) {
            return self.service_on(home, group);
        }
        signed_out(self.cause_of_absence(home))
    }

    /// Service of a routing group on a pool that is in service.
    fn service_on(&self, pool: PoolId, group: usize) -> Serving {
        let quorum = &self.quorum[pool.index()];
        let group = &quorum.groups[group];
        if group.primary.is_none() {
            signed_out(ServingCause::RoutingGroupNoPrimary)
        } else if self.back_end_grace_over(pool) {
            resiliency(pool, ServingCause::BackEndUnavailable)
        } else if group.lacks_secondaries(quorum.active) {
            resiliency(pool, ServingCause::RoutingGroupNoSecondaries)
        } else {
            regular(pool, ServingCause::HomePoolHealthy)
        }
    }

    /// Why users of a pool that is not in service are signed out.
    fn cause_of_absence(&self, home: PoolId) -> ServingCause {
        let front_ends = &self.topology.pool(home).front_ends;
        let backup_will_take_over = self.backup_of(home).is_some_and(|backup| {
            self.pool_in_service(backup)
                && self.settings_known_to(backup, home).voice.automatic
                && !self.registration[home.index()].accepting
        });
        if backup_will_take_over {
            ServingCause::DetectionInterval
        } else if front_ends.iter().all(|fe| !self.computer_up(*fe)) {
            ServingCause::NoBackupRegistrar
        } else if front_ends.iter().any(|fe| self.computers[fe.index()].stopped_by_quorum || self.waits_for_quorum(*fe))
            && self.quorum[home.index()].phase == Phase::Lost
        {
            ServingCause::PoolQuorumLost
        } else {
            ServingCause::ServicesNotRunning
        }
    }

    /// Compares the service that users get with what was recorded, and records and logs what changed.
    pub(crate) fn record_serving(&mut self) {
        for pool in self.topology.pool_ids() {
            if matches!(self.pool_transfer(pool), Transfer::FailingOver | Transfer::FailedOver) && self.serves_unaware(pool) {
                self.lean(Behaviour::FailedOverUnaware);
            }
            let groups = self.groups_serving(pool);
            let parts = self.serving_parts(pool, &groups);
            if !self.serving[pool.index()].is(&groups, &parts) {
                self.record_change(pool, &groups, parts);
            }
        }
    }

    fn record_change(&mut self, pool: PoolId, groups: &ByGroup<Serving>, parts: Vec<(Serving, u32)>) {
        let now = self.now;
        let users = self.users_homed(pool);
        let record = Arc::make_mut(&mut Arc::make_mut(&mut self.serving)[pool.index()]);
        let before = record.change(now, groups, parts.clone());
        for (serving, _) in &parts {
            self.lean(behind(serving.cause));
        }
        if parts.len() > 1 {
            self.lean(Behaviour::UserPlacement);
        }
        let (from, to) = (self.render_parts(&before), self.render_parts(&parts));
        if from != to {
            let same: u32 = parts
                .iter()
                .map(|(new, count)| {
                    let old: u32 =
                        before.iter().filter(|(old, _)| (old.mode, old.pool) == (new.mode, new.pool)).map(|(_, count)| count).sum();
                    old.min(*count)
                })
                .sum();
            let pool = self.topology.pool(pool).fqdn.clone();
            self.log(Event::ServiceChanged { pool, users: users.saturating_sub(same), from, to });
        }
    }

    /// Brings open outages up to now, so that what they cost can be read.
    pub(crate) fn account_outages(&mut self) {
        let now = self.now;
        for index in 0..self.serving.len() {
            if self.serving[index].behind(now) {
                Arc::make_mut(&mut Arc::make_mut(&mut self.serving)[index]).account(now);
            }
        }
    }

    /// A service in words: `regular on pool1.contoso.com`.
    pub fn render_serving(&self, serving: &Serving) -> String {
        let mode = match serving.mode {
            ServiceMode::Regular => "regular",
            ServiceMode::Resiliency => "resiliency",
            ServiceMode::SignedOut => "signed out",
        };
        match serving.pool {
            Some(pool) => format!("{mode} on {}", self.topology.pool(pool).fqdn),
            None => mode.into(),
        }
    }

    fn render_parts(&self, parts: &[(Serving, u32)]) -> String {
        match parts {
            [] => "no users".into(),
            [(serving, _)] => self.render_serving(serving),
            several => {
                several.iter().map(|(serving, users)| format!("{users} {}", self.render_serving(serving))).collect::<Vec<_>>().join(", ")
            }
        }
    }
}

fn regular(pool: PoolId, cause: ServingCause) -> Serving {
    Serving { mode: ServiceMode::Regular, pool: Some(pool), cause }
}

fn resiliency(pool: PoolId, cause: ServingCause) -> Serving {
    Serving { mode: ServiceMode::Resiliency, pool: Some(pool), cause }
}

fn signed_out(cause: ServingCause) -> Serving {
    Serving { mode: ServiceMode::SignedOut, pool: None, cause }
}

/// The behaviour that a cause rests on.
fn behind(cause: ServingCause) -> Behaviour {
    match cause {
        ServingCause::HomePoolHealthy | ServingCause::FailedOver => Behaviour::HomingUnchanged,
        ServingCause::DetectionInterval | ServingCause::VoiceResiliency => Behaviour::VoiceDetection,
        ServingCause::NoBackupRegistrar | ServingCause::ServicesNotRunning => Behaviour::SignedOutWithoutPool,
        ServingCause::FailingOver | ServingCause::FailingBack => Behaviour::ResiliencyDuringTransfer,
        ServingCause::FailbackInterval => Behaviour::VoiceFailback,
        ServingCause::BackEndUnavailable => Behaviour::BackEndThreshold,
        ServingCause::RoutingGroupNoPrimary | ServingCause::RoutingGroupNoSecondaries => Behaviour::RoutingGroupLoss,
        ServingCause::PoolQuorumLost => Behaviour::PoolQuorum,
        ServingCause::BackupPoolUnavailable => Behaviour::BackupPoolServes,
    }
}
