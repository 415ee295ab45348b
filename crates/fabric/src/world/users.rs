//! Users: homes, routing groups and preferred Front Ends. Ranges stay ranges; only users moved one by one are stored.

use std::collections::BTreeMap;
use std::sync::Arc;

use firedrill_topology::{ComputerId, PoolId, Topology, UserId};

use crate::fabric::Fabric;
use crate::seed::Seed;
use crate::serving::UserPoolInfo;
use crate::time::SimTime;

/// A user's time on a home pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Stay {
    /// When it began.
    pub(crate) since: SimTime,
    /// Where.
    pub(crate) pool: PoolId,
}

/// Homes that differ from the topology, and how many users each pool has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UserState {
    /// Where users who were ever moved were homed, from the first home on.
    pub(crate) moves: BTreeMap<UserId, Vec<Stay>>,
    /// By pool: users homed there now.
    pub(crate) homed: Vec<u32>,
    /// By pool: where dealing users out to routing groups begins.
    pub(crate) group_offset: Vec<usize>,
}

impl UserState {
    pub(crate) fn new(topology: &Topology, seed: Seed) -> Self {
        let mut homed = vec![0; topology.pools.len()];
        for cohort in &topology.users.cohorts {
            homed[cohort.pool.index()] += cohort.count;
        }
        let group_offset = topology.pools.iter().map(|pool| seed.pick(&format!("routing {}", pool.fqdn), 0, 1 << 16) as usize).collect();
        Self { moves: BTreeMap::new(), homed, group_offset }
    }
}

impl Fabric {
    /// Home pool of a user now (`RegistrarPool`).
    ///
    /// # Panics
    /// When the user is not one of this topology: ids come from it.
    pub fn registrar_pool(&self, user: UserId) -> PoolId {
        self.users.moves.get(&user).and_then(|stays| stays.last()).map_or_else(|| self.original_pool(user), |stay| stay.pool)
    }

    /// Number of users homed on a pool now.
    pub fn users_homed(&self, pool: PoolId) -> u32 {
        self.users.homed[pool.index()]
    }

    /// Fields of `Get-CsUserPoolInfo`: assignments, not liveness (dossier B.5). On the backup pool the first machine is the
    /// one that a failover would register the user on.
    pub fn user_pool_info(&self, user: UserId) -> UserPoolInfo {
        let primary = self.registrar_pool(user);
        let backup = self.backup_of(primary);
        let group = self.group_in(primary, user);
        UserPoolInfo {
            primary,
            backup,
            primary_machines: self.preferred_machines(primary, group),
            backup_machines: backup.map(|pool| self.preferred_machines(pool, self.group_on_backup(pool, group))).unwrap_or_default(),
        }
    }

    /// Routing group of a user (`UserRoutingGroupId`).
    pub fn routing_group(&self, user: UserId) -> u128 {
        let pool = self.registrar_pool(user);
        self.quorum[pool.index()].groups[self.group_in(pool, user)].guid
    }

    /// Changes the home pool of a user (`Move-CsUser`, the only thing that does: dossier 0.2 rule 1).
    pub(crate) fn set_registrar_pool(&mut self, user: UserId, pool: PoolId) {
        let old = self.registrar_pool(user);
        if old == pool {
            return;
        }
        let first = self.first_stay(old);
        let since = self.now;
        let users = Arc::make_mut(&mut self.users);
        users.homed[old.index()] -= 1;
        users.homed[pool.index()] += 1;
        users.moves.entry(user).or_insert_with(|| vec![first]).push(Stay { since, pool });
    }

    /// The stay of users who were never moved.
    pub(crate) fn first_stay(&self, pool: PoolId) -> Stay {
        Stay { since: self.start, pool }
    }

    /// Where users from a first to a last one were homed, those who were moved at some time.
    pub(crate) fn moves_between(&self, first: UserId, last: UserId) -> impl Iterator<Item = (UserId, Vec<Stay>)> {
        self.users.moves.range(first..=last).map(|(user, stays)| (*user, stays.clone()))
    }

    /// The parts of ranges of users that lie between a first and a last user, with the pool the topology homes them on.
    pub(crate) fn cohorts_between(&self, first: UserId, last: UserId) -> impl Iterator<Item = (PoolId, UserId, UserId)> {
        self.topology.users.cohorts.iter().filter_map(move |cohort| {
            let from = cohort.first.max(first);
            let to = UserId(cohort.first.0 + cohort.count).min(UserId(last.0 + 1));
            (from < to).then(|| (cohort.pool, from, UserId(to.0 - 1)))
        })
    }

    /// Whether any user from a first to a last one was homed on a pool at a time.
    pub(crate) fn any_homed_between(&self, first: UserId, last: UserId, pool: PoolId, at: SimTime) -> bool {
        let home_then = |stays: &[Stay]| stays.iter().rev().find(|stay| stay.since <= at).map(|stay| stay.pool);
        self.users.moves.range(first..=last).any(|(_, stays)| home_then(stays) == Some(pool))
            || self
                .cohorts_between(first, last)
                .any(|(home, from, to)| home == pool && (to.0 - from.0 + 1) as usize > self.users.moves.range(from..=to).count())
    }

    /// Front Ends of a pool in the order of a routing group's users: its holders, the primary first, then the others.
    fn preferred_machines(&self, pool: PoolId, group: usize) -> Vec<ComputerId> {
        let front_ends = &self.topology.pool(pool).front_ends;
        let group = &self.quorum[pool.index()].groups[group];
        let mut order: Vec<usize> = Vec::with_capacity(front_ends.len());
        let holders = group.replicas.iter().copied().filter(|holder| *holder != u8::MAX);
        for position in group.primary.into_iter().chain(holders).map(usize::from).chain(0..front_ends.len()) {
            if !order.contains(&position) {
                order.push(position);
            }
        }
        order.into_iter().map(|position| front_ends[position]).collect()
    }

    pub(crate) fn original_pool(&self, user: UserId) -> PoolId {
        let users = &self.topology.users;
        let cohort = users.cohort_of(user).expect("a user id of this topology");
        users.cohorts[cohort.index()].pool
    }
}
