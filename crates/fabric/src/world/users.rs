//! Users: homes, routing groups and preferred Front Ends. Ranges stay ranges; only users moved one by one are stored.

use std::collections::BTreeMap;
use std::sync::Arc;

use firedrill_topology::{ComputerId, PoolId, Topology, UserId};

use crate::fabric::Fabric;
use crate::seed::Seed;
use crate::serving::UserPoolInfo;

/// Homes that differ from the topology, and how many users each pool has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UserState {
    pub(crate) moved: BTreeMap<UserId, PoolId>,
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
        Self { moved: BTreeMap::new(), homed, group_offset }
    }
}

impl Fabric {
    /// Home pool of a user now (`RegistrarPool`).
    ///
    /// # Panics
    /// When the user is not one of this topology: ids come from it.
    pub fn registrar_pool(&self, user: UserId) -> PoolId {
        self.users.moved.get(&user).copied().unwrap_or_else(|| self.original_pool(user))
    }

    /// Number of users homed on a pool now.
    pub fn users_homed(&self, pool: PoolId) -> u32 {
        self.users.homed[pool.index()]
    }

    /// Fields of `Get-CsUserPoolInfo`: assignments, not liveness (dossier B.5).
    pub fn user_pool_info(&self, user: UserId) -> UserPoolInfo {
        let primary = self.registrar_pool(user);
        let backup = self.backup_of(primary);
        UserPoolInfo {
            primary,
            backup,
            primary_machines: self.preferred_machines(primary, user),
            backup_machines: backup.map(|pool| self.preferred_machines(pool, user)).unwrap_or_default(),
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
        let original = self.original_pool(user);
        let users = Arc::make_mut(&mut self.users);
        users.homed[old.index()] -= 1;
        users.homed[pool.index()] += 1;
        if pool == original {
            users.moved.remove(&user);
        } else {
            users.moved.insert(user, pool);
        }
    }

    /// Front Ends of a pool in a user's order: holders of the routing group, the primary first, then the others.
    fn preferred_machines(&self, pool: PoolId, user: UserId) -> Vec<ComputerId> {
        let front_ends = &self.topology.pool(pool).front_ends;
        let group = &self.quorum[pool.index()].groups[self.group_in(pool, user)];
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
