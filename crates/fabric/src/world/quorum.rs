//! Fabric quorum of Front End pools and their routing groups (dossier B.8, B.9).

mod table;

use std::sync::Arc;

use firedrill_topology::{BackEnd, ComputerId, ComputerRole, Edition, PoolId, ProductVersion, Topology, UserId};

use crate::event::Event;
use crate::evidence::Behaviour;
use crate::fabric::Fabric;
use crate::fault::Fault;
use crate::seed::Seed;
use crate::service::{ServiceName, ServiceStatus};
use crate::time::{SimDuration, SimTime};
use crate::world::QuorumReport;

pub use table::{QuorumRule, quorum_rule};

/// Routing groups per Front End (inferred: the product's number is not published).
pub const ROUTING_GROUPS_PER_FRONT_END: usize = 4;
/// Replicas of a routing group, where the pool has as many Front Ends (dossier B.9).
pub const REPLICAS: usize = 3;
/// From enough Front Ends to the end of the initial placement of users (inferred; "can take 1 h", dossier B.8).
pub const INITIAL_PLACEMENT_TIME: SimDuration = SimDuration::from_mins(2);
/// How long a routing group lacks a replica before another Front End builds one (inferred).
pub const REPLICA_REBUILD_TIME: SimDuration = SimDuration::from_mins(10);

/// Where a pool stands between cold and serving.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Pool-level quorum holds.
    Functional,
    /// Too few Front Ends: it waits for enough to start.
    Lost,
    /// Enough are up; users are being placed.
    Placing { until: SimTime },
}

/// A routing group: Front Ends by position in the pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RoutingGroup {
    pub(crate) guid: u128,
    /// Holders of replicas, `u8::MAX` where there are fewer than three.
    pub(crate) replicas: [u8; REPLICAS],
    pub(crate) primary: Option<u8>,
    /// Reloaded from the back end on one Front End: a primary alone is allowed until a second replica lives (B.9).
    pub(crate) reloaded: bool,
}

impl RoutingGroup {
    fn holders(&self) -> impl Iterator<Item = u8> + '_ {
        self.replicas.iter().copied().filter(|holder| *holder != u8::MAX)
    }

    pub(crate) fn living(&self, active: u64) -> u32 {
        self.holders().filter(|holder| active & (1 << holder) != 0).count() as u32
    }

    /// Replicas that must live for a primary: most of three; one of two or one, where SQL has the casting vote.
    fn needed(&self) -> u32 {
        if self.holders().count() == REPLICAS && !self.reloaded { 2 } else { 1 }
    }

    /// Whether it has a primary that cannot replicate its writes: limited functionality (dossier B.9). Pools of one or
    /// two Front Ends never have the replicas of the rule; their users are served in full (inferred).
    pub(crate) fn lacks_secondaries(&self, active: u64) -> bool {
        self.primary.is_some() && self.holders().count() == REPLICAS && self.living(active) < 2
    }
}

/// Quorum state of a pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PoolQuorum {
    pub(crate) phase: Phase,
    /// Front Ends whose Front-End service runs, as bits by position.
    pub(crate) active: u64,
    pub(crate) groups: Vec<RoutingGroup>,
    /// When replicas that are missing get built elsewhere.
    pub(crate) rebuild_due: Option<SimTime>,
    /// An administrator let the pool start with the functional number (quorum loss recovery).
    pub(crate) reduced_start: bool,
    /// Of a pool of two Front Ends: the one that stayed when the other went, by position, and since when it was alone.
    pub(crate) last_standing: Option<(u8, SimTime)>,
}

impl PoolQuorum {
    pub(crate) fn all_healthy(topology: &Topology, seed: Seed) -> Vec<Arc<Self>> {
        topology
            .pool_ids()
            .map(|id| {
                let pool = topology.pool(id);
                let size = pool.front_ends.len();
                let count = group_count(size, pool.edition);
                let groups = (0..count)
                    .map(|group| {
                        let guid = seed.guid(&format!("routing group {}", pool.fqdn), group as u64);
                        let replicas = first_placement(group, size);
                        RoutingGroup { guid, replicas, primary: Some(replicas[0]), reloaded: false }
                    })
                    .collect();
                let active = if size == 64 { u64::MAX } else { (1 << size) - 1 };
                Arc::new(Self { phase: Phase::Functional, active, groups, rebuild_due: None, reduced_start: false, last_standing: None })
            })
            .collect()
    }
}

fn group_count(front_ends: usize, edition: Edition) -> usize {
    match edition {
        Edition::Standard => 1,
        Edition::Enterprise => front_ends * ROUTING_GROUPS_PER_FRONT_END,
    }
}

/// Spreads primaries and secondaries evenly: the primary goes round, the distance to the secondaries grows with each round.
fn first_placement(group: usize, front_ends: usize) -> [u8; REPLICAS] {
    let mut replicas = [u8::MAX; REPLICAS];
    let first = group % front_ends;
    replicas[0] = first as u8;
    let others: Vec<usize> = (1..front_ends).map(|step| (first + step) % front_ends).collect();
    let turn = group / front_ends;
    for slot in 1..REPLICAS.min(front_ends) {
        replicas[slot] = others[(turn + slot - 1) % others.len()] as u8;
    }
    replicas
}

impl Fabric {
    /// Fabric quorum of a pool.
    pub fn quorum(&self, pool: PoolId) -> QuorumReport {
        let state = &self.quorum[pool.index()];
        let rule = self.rule_of(pool);
        let expected = self.topology.pool(pool).front_ends.len().min(REPLICAS) as u32 - 1;
        let mut without_primary = Vec::new();
        let mut insufficient_secondaries = Vec::new();
        for group in &state.groups {
            match group.primary {
                None => without_primary.push(group.guid),
                Some(_) => {
                    let secondaries = group.living(state.active).saturating_sub(1);
                    if secondaries < expected {
                        insufficient_secondaries.push((group.guid, secondaries));
                    }
                }
            }
        }
        QuorumReport {
            total: self.topology.pool(pool).front_ends.len() as u32,
            active: state.active.count_ones(),
            needed_to_start: rule.to_start,
            functional: state.phase == Phase::Functional,
            without_primary,
            insufficient_secondaries,
        }
    }

    /// Front Ends of a pool whose Front-End service runs, in topology order.
    pub fn front_ends_running(&self, pool: PoolId) -> Vec<ComputerId> {
        self.topology.pool(pool).front_ends.iter().copied().filter(|fe| self.service_running(*fe, ServiceName::RtcSrv)).collect()
    }

    /// Whether a pool can serve users at all: quorum holds and a Front-End service runs.
    pub fn pool_in_service(&self, pool: PoolId) -> bool {
        self.quorum[pool.index()].phase == Phase::Functional
            && self.topology.pool(pool).front_ends.iter().any(|fe| self.service_running(*fe, ServiceName::RtcSrv))
    }

    /// The Front End whose Backup Service works for a pool: the first one that runs it (field, dossier A.5: one at a time).
    pub(crate) fn backup_agent(&self, pool: PoolId) -> Option<ComputerId> {
        self.topology.pool(pool).front_ends.iter().copied().find(|fe| self.service_running(*fe, ServiceName::LyncBackup))
    }

    /// `Reset-CsPoolRegistrarState -ResetType QuorumLossRecovery` (dossier B.9): routing groups in loss are reloaded from
    /// the back end on the Front Ends that run, and a pool that waits for its start may start with the functional number.
    pub(crate) fn recover_routing_groups(&mut self, pool: PoolId) {
        let mut state = (*self.quorum[pool.index()]).clone();
        state.reduced_start = state.phase != Phase::Functional;
        state.last_standing = None;
        reload_lost(&mut state);
        place_primaries(&mut state);
        if state.phase == Phase::Functional && lacks_replicas(&state) {
            state.rebuild_due = state.rebuild_due.or(Some(self.now + REPLICA_REBUILD_TIME));
        }
        self.stirred = true;
        self.lean(Behaviour::QuorumLossRecovery);
        Arc::make_mut(&mut self.quorum)[pool.index()] = Arc::new(state);
    }

    /// `-ResetType FullReset` (dossier B.9): the pool's fabric is built anew; users are placed from the beginning.
    pub(crate) fn reset_routing_groups(&mut self, pool: PoolId) {
        let mut state = (*self.quorum[pool.index()]).clone();
        let size = self.topology.pool(pool).front_ends.len();
        for (index, group) in state.groups.iter_mut().enumerate() {
            group.replicas = first_placement(index, size);
            group.primary = Some(group.replicas[0]);
        }
        state.rebuild_due = None;
        state.last_standing = None;
        place_primaries(&mut state);
        self.stirred = true;
        Arc::make_mut(&mut self.quorum)[pool.index()] = Arc::new(state);
    }

    /// Position of a user's routing group in a pool: users are dealt out in turn, from a starting point that depends on
    /// the seed, so that the count of every group follows from ranges without looking at users (inferred).
    pub(crate) fn group_in(&self, pool: PoolId, user: UserId) -> usize {
        let groups = self.quorum[pool.index()].groups.len();
        (user.0 as usize + self.users.group_offset[pool.index()]) % groups
    }

    /// Routing group of the backup pool that serves the users of a home pool's group after a failover (inferred).
    pub(crate) fn group_on_backup(&self, backup: PoolId, group: usize) -> usize {
        group % self.quorum[backup.index()].groups.len()
    }

    pub(crate) fn rule_of(&self, pool: PoolId) -> QuorumRule {
        let pool = self.topology.pool(pool);
        quorum_rule(pool.front_ends.len(), pool.version)
    }

    /// Whether the Front-End service of a computer may start now: its pool has quorum. Edge Servers need none.
    pub(crate) fn quorum_admits(&self, computer: ComputerId) -> bool {
        match self.topology.computer(computer).role {
            ComputerRole::FrontEnd(pool) => self.quorum[pool.index()].phase == Phase::Functional,
            _ => true,
        }
    }

    /// Whether so many Front Ends keep the pool functional. In even-sized pools whose seeds are even too, the primary
    /// SQL Server has a vote: without it one Front End more is needed (dossier B.8).
    fn is_functional(&self, pool: PoolId, active: u64) -> bool {
        let rule = self.rule_of(pool);
        let extra = u32::from(self.sql_votes(pool) && !self.primary_sql_up(pool));
        QuorumRule { functional: rule.functional + extra, ..rule }.keeps(active)
    }

    /// Whether the primary SQL Server has a vote: all Front Ends count and their number is even (2, 4, 6). From eight on an
    /// odd number of first ones counts (B.8), except in 2019's row "12-16", whose majority needs no witness.
    fn sql_votes(&self, pool: PoolId) -> bool {
        let pool = self.topology.pool(pool);
        let size = pool.front_ends.len();
        size.is_multiple_of(2) && size < 8 && pool.version != ProductVersion::Lync2010
    }

    /// Whether the SQL Server that the topology calls primary answers; it is the fabric's witness.
    fn primary_sql_up(&self, pool: PoolId) -> bool {
        match &self.topology.pool(pool).back_end {
            BackEnd::AlwaysOn { nodes, .. } => nodes.iter().any(|node| self.sql_up(*node)),
            BackEnd::Collocated { instance } | BackEnd::StandAlone { instance } => self.sql_up(*instance),
            BackEnd::Mirrored { primary, .. } => self.sql_up(*primary),
        }
    }

    pub(crate) fn quorum_deadline(&self) -> Option<SimTime> {
        self.quorum
            .iter()
            .flat_map(|pool| {
                let placing = match pool.phase {
                    Phase::Placing { until } => Some(until),
                    _ => None,
                };
                [placing, pool.rebuild_due]
            })
            .flatten()
            .min()
    }

    pub(crate) fn settle_quorum(&mut self) -> bool {
        let due = self.quorum_deadline().is_some_and(|due| due <= self.now);
        if !due && !self.stirred {
            return false;
        }
        let mut changed = false;
        for pool in self.topology.pool_ids() {
            changed |= self.settle_pool_quorum(pool);
        }
        changed
    }

    fn settle_pool_quorum(&mut self, pool: PoolId) -> bool {
        let active = self.active_bits(pool);
        let state = self.quorum[pool.index()].clone();
        match state.phase {
            Phase::Functional if !self.is_functional(pool, active) => {
                self.lose_quorum(pool);
                true
            }
            Phase::Functional => self.settle_groups(pool, active),
            Phase::Lost => {
                let ready = self.start_candidates(pool);
                if !self.may_place(pool, &ready) {
                    if !ready.is_empty() && self.waits_for_last(pool, &ready).is_some() {
                        self.lean(Behaviour::TwoFrontEndsReturn);
                    }
                    return self.settle_groups(pool, active);
                }
                for computer in ready {
                    if self.computers[computer.index()].stopped_by_quorum {
                        self.computer_mut(computer).stopped_by_quorum = false;
                    }
                }
                let until = self.now + INITIAL_PLACEMENT_TIME;
                self.lean(Behaviour::InitialPlacement);
                self.set_phase(pool, Phase::Placing { until }, "placing users");
                true
            }
            Phase::Placing { until } => {
                let ready = self.start_candidates(pool);
                if !self.may_place(pool, &ready) {
                    self.set_phase(pool, Phase::Lost, "waiting for quorum");
                    return true;
                }
                if until > self.now {
                    return false;
                }
                for computer in ready {
                    let now = self.now;
                    let state = self.computer_mut(computer);
                    if let Some(record) = state.services.iter_mut().find(|record| record.name == ServiceName::RtcSrv)
                        && record.state.status == ServiceStatus::StartPending
                    {
                        record.state.enter(ServiceStatus::Running, None, now);
                    }
                }
                self.set_phase(pool, Phase::Functional, "functional");
                true
            }
        }
    }

    fn active_bits(&self, pool: PoolId) -> u64 {
        let front_ends = &self.topology.pool(pool).front_ends;
        let running = front_ends.iter().enumerate().filter(|(_, fe)| self.service_running(**fe, ServiceName::RtcSrv));
        running.fold(0, |bits, (position, _)| bits | 1 << position)
    }

    /// Front Ends ready for a cold start: their Front-End service waits for quorum, or would start if quorum let it.
    fn start_candidates(&self, pool: PoolId) -> Vec<ComputerId> {
        let ready = |computer: &ComputerId| {
            let state = &self.computers[computer.index()];
            let would_start = state.stopped_by_quorum
                && self.computer_up(*computer)
                && state.record(ServiceName::RtcSrv).is_some_and(|r| r.wanted && !r.state.disabled)
                && !self.fault_active(&Fault::Service(*computer, ServiceName::RtcSrv));
            self.waits_for_quorum(*computer) || would_start
        };
        self.topology.pool(pool).front_ends.iter().copied().filter(ready).collect()
    }

    /// Whether placement may begin or go on: enough Front Ends to start and to stay functional, and the back end answers
    /// (B.8: "figures assume BE up").
    fn may_place(&self, pool: PoolId, ready: &[ComputerId]) -> bool {
        let rule = self.rule_of(pool);
        let needed = if self.quorum[pool.index()].reduced_start { rule.functional } else { rule.to_start };
        let front_ends = self.topology.pool(pool).front_ends.iter().enumerate();
        let bits = front_ends.filter(|(_, fe)| ready.contains(fe)).fold(0, |bits, (position, _)| bits | 1 << position);
        ready.len() as u32 >= needed
            && self.is_functional(pool, bits)
            && self.back_end_up(pool)
            && self.waits_for_last(pool, ready).is_none()
    }

    /// The Front End that a pool of two waits for: the two come back together, or in the reverse order of going down, or
    /// after quorum loss recovery (dossier B.8, incident 15).
    fn waits_for_last(&self, pool: PoolId, ready: &[ComputerId]) -> Option<ComputerId> {
        let (position, _) = self.quorum[pool.index()].last_standing?;
        let last = self.topology.pool(pool).front_ends[usize::from(position)];
        (!ready.contains(&last)).then_some(last)
    }

    /// The Front End without which a pool of two that lost its quorum will not start, while another one waits for it.
    pub(crate) fn missing_last_standing(&self, pool: PoolId) -> Option<ComputerId> {
        let ready = self.start_candidates(pool);
        let is_waiting = self.quorum[pool.index()].phase == Phase::Lost && !ready.is_empty();
        self.waits_for_last(pool, &ready).filter(|_| is_waiting)
    }

    /// Pool-level quorum loss: the Front Ends that are left stop all services (dossier B.8).
    fn lose_quorum(&mut self, pool: PoolId) {
        self.lean(Behaviour::PoolQuorum);
        if self.sql_votes(pool) && !self.primary_sql_up(pool) {
            self.lean(Behaviour::EvenPoolWitness);
        }
        let now = self.now;
        let active = self.active_bits(pool);
        let size = self.topology.pool(pool).front_ends.len();
        note_last_standing(Arc::make_mut(&mut Arc::make_mut(&mut self.quorum)[pool.index()]), size, active, now);
        for computer in self.topology.pool(pool).front_ends.clone() {
            if !self.computer_up(computer) {
                continue;
            }
            let state = self.computer_mut(computer);
            // An operator's stop is not the quorum's: only what ran is stopped by it.
            state.stopped_by_quorum = state.running(ServiceName::RtcSrv);
            if state.stopped_by_quorum {
                for record in state.services.iter_mut().filter(|record| record.name.stops_with_quorum()) {
                    record.state.enter(ServiceStatus::Stopped, None, now);
                }
            }
        }
        self.set_phase(pool, Phase::Lost, "quorum lost");
    }

    fn set_phase(&mut self, pool: PoolId, phase: Phase, text: &str) {
        let active = self.active_bits(pool);
        let size = self.topology.pool(pool).front_ends.len();
        let now = self.now;
        let state = Arc::make_mut(&mut Arc::make_mut(&mut self.quorum)[pool.index()]);
        state.phase = phase;
        state.active = active;
        if phase == Phase::Functional {
            if state.reduced_start {
                reload_lost(state);
            }
            state.reduced_start = false;
            note_last_standing(state, size, active, now);
        }
        place_primaries(state);
        state.rebuild_due = (phase == Phase::Functional && lacks_replicas(state)).then(|| now + REPLICA_REBUILD_TIME);
        // Whoever waits for quorum looks again.
        for computer in self.topology.pool(pool).front_ends.clone() {
            self.computer_mut(computer);
        }
        let subject = self.topology.pool(pool).fqdn.clone();
        self.log(Event::StateChanged { kind: "quorum".into(), subject, state: text.into() });
    }

    /// Routing groups follow the Front Ends that run; missing replicas are rebuilt elsewhere after a while.
    fn settle_groups(&mut self, pool: PoolId, active: u64) -> bool {
        let old = &self.quorum[pool.index()];
        let rebuild = old.rebuild_due.is_some_and(|due| due <= self.now);
        if old.active == active && !rebuild {
            return false;
        }
        let mut state = (**old).clone();
        state.active = active;
        if state.phase == Phase::Functional {
            note_last_standing(&mut state, self.topology.pool(pool).front_ends.len(), active, self.now);
        }
        if state.phase == Phase::Functional && self.topology.pool(pool).front_ends.len() == 2 && active.count_ones() == 1 {
            self.lean(Behaviour::TwoFrontEnds);
        }
        if rebuild {
            self.lean(Behaviour::ReplicaRebuild);
            let size = self.topology.pool(pool).front_ends.len();
            let living: Vec<u8> = (0..size as u8).filter(|fe| active & (1 << fe) != 0).collect();
            for (index, group) in state.groups.iter_mut().enumerate() {
                if group.living(active) >= group.needed() {
                    replace_lost(group, &living, active, index);
                }
            }
            state.rebuild_due = None;
        }
        place_primaries(&mut state);
        let wanting = state.phase == Phase::Functional && lacks_replicas(&state);
        state.rebuild_due = wanting.then(|| state.rebuild_due.unwrap_or(self.now + REPLICA_REBUILD_TIME));
        Arc::make_mut(&mut self.quorum)[pool.index()] = Arc::new(state);
        true
    }
}

/// Gives every group with enough living replicas a primary: the one it has, or the next holder that lives.
fn place_primaries(state: &mut PoolQuorum) {
    let active = state.active;
    for group in &mut state.groups {
        let lives = |holder: u8| active & (1 << holder) != 0;
        group.reloaded &= group.living(active) == 1;
        group.primary = if group.living(active) < group.needed() {
            None
        } else {
            group.primary.filter(|primary| lives(*primary)).or_else(|| group.holders().find(|holder| lives(*holder)))
        };
        // The primary stands first and stays there when the pool goes down: assignments outlive liveness (dossier B.5).
        if let Some(place) = group.primary.and_then(|primary| group.replicas.iter().position(|holder| *holder == primary)) {
            group.replicas[..=place].rotate_right(1);
        }
    }
}

/// Whether some group lacks a replica that a Front End which holds none of it could build.
fn lacks_replicas(state: &PoolQuorum) -> bool {
    state.groups.iter().any(|group| {
        let living = group.living(state.active);
        let most = (group.holders().count() as u32).min(state.active.count_ones());
        living >= group.needed() && living < most
    })
}

/// Loads groups in loss from the backup store, each on one Front End that runs: its primary is alone until another one has
/// built a replica (dossier B.9).
fn reload_lost(state: &mut PoolQuorum) {
    let active = state.active;
    let living: Vec<u8> = (0..64).filter(|fe| active & (1 << fe) != 0).collect();
    if living.is_empty() {
        return;
    }
    for (index, group) in state.groups.iter_mut().enumerate() {
        let alive = group.living(active);
        if alive >= group.needed() {
            continue;
        }
        if alive == 0 {
            group.replicas[0] = living[index % living.len()];
        }
        group.reloaded = true;
    }
}

/// Keeps in mind which of two Front Ends was left when the other went. Two that went in one instant went together.
fn note_last_standing(state: &mut PoolQuorum, front_ends: usize, active: u64, now: SimTime) {
    if front_ends != 2 {
        return;
    }
    state.last_standing = match (active.count_ones(), state.last_standing) {
        (0, Some((_, since))) if since == now => None,
        (0, before) => before,
        (1, before) => {
            let position = active.trailing_zeros() as u8;
            before.filter(|(known, _)| *known == position).or(Some((position, now)))
        }
        _ => None,
    };
}

/// Puts living Front Ends that hold no replica of the group in the places of dead ones, round the pool.
fn replace_lost(group: &mut RoutingGroup, living: &[u8], active: u64, turn: usize) {
    let held: Vec<u8> = group.holders().collect();
    let mut spare: Vec<u8> = living.iter().copied().filter(|fe| !held.contains(fe)).collect();
    if !spare.is_empty() {
        let by = turn % spare.len();
        spare.rotate_left(by);
    }
    let mut spare = spare.into_iter();
    for slot in &mut group.replicas {
        if *slot != u8::MAX && active & (1 << *slot) == 0 {
            match spare.next() {
                Some(fe) => *slot = fe,
                None => break,
            }
        }
    }
}
