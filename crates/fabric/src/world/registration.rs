//! The backup registrar: when it takes users over by itself, and when it sends them home (dossier B.2).
//!
//! The backup pool pings the home pool. Once it has missed it for the detection interval, it accepts the home pool's
//! users in resiliency mode; once it has seen it again for the failback interval, it sends them home. What it sees
//! depends on the link between the pools, and clients try the home pool first: a cut link alone moves nobody, but users
//! who are on the backup pool stay there until it sees the home pool again (inferred).

use std::sync::Arc;

use firedrill_topology::PoolId;

use crate::administration::Transfer;
use crate::config::PoolConfiguration;
use crate::evidence::Behaviour;
use crate::fabric::Fabric;
use crate::time::{SimDuration, SimTime};

/// Shortest interval that takes effect (dossier B.2: smaller values are clamped).
pub const SHORTEST_INTERVAL: SimDuration = SimDuration::from_secs(90);
/// Port of the pings between registrars (SIP over TLS, dossier B.7).
const REGISTRAR_PORT: u16 = 5061;

/// What a pool's backup pool has concluded about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Registration {
    /// Since when the backup pool has missed the pool.
    pub(crate) missing_since: Option<SimTime>,
    /// The backup pool accepts the pool's users.
    pub(crate) accepting: bool,
    /// Since when the backup pool has seen the pool again, while it accepts its users.
    pub(crate) seen_since: Option<SimTime>,
    /// Users are on the backup pool.
    pub(crate) on_backup: bool,
}

/// An interval as it takes effect.
fn effective(seconds: u32) -> SimDuration {
    SimDuration::from_secs(i64::from(seconds)).max(SHORTEST_INTERVAL)
}

impl Fabric {
    /// Settings of a pool in the copy of the configuration that a pool's Front Ends work with.
    pub(crate) fn settings_known_to(&self, knower: PoolId, pool: PoolId) -> PoolConfiguration {
        let front_ends = &self.topology.pool(knower).front_ends;
        let computer = front_ends.iter().copied().find(|fe| self.computer_up(*fe)).unwrap_or(front_ends[0]);
        self.local_store(computer).pools[pool.index()].clone()
    }

    /// Backup pool of a pool as its own Front Ends know it.
    pub(crate) fn backup_of(&self, pool: PoolId) -> Option<PoolId> {
        self.settings_known_to(pool, pool).backup
    }

    /// Whether a pool sees another one: some running Front End reaches some running Front End over SIP.
    pub(crate) fn pool_sees(&self, observer: PoolId, pool: PoolId) -> bool {
        let targets = self.front_ends_running(pool);
        self.front_ends_running(observer).iter().any(|from| targets.iter().any(|to| self.reaches(*from, *to, REGISTRAR_PORT)))
    }

    pub(crate) fn registration_deadline(&self) -> Option<SimTime> {
        self.topology
            .pool_ids()
            .flat_map(|pool| [self.verdict_due(pool), self.back_end_grace_end(pool)])
            .flatten()
            .filter(|due| *due > self.now)
            .min()
    }

    /// When the backup pool takes users over, if nothing changes; none while it has not missed the pool.
    pub(crate) fn detection_end(&self, pool: PoolId) -> Option<SimTime> {
        self.verdict_due(pool).filter(|_| !self.registration[pool.index()].accepting)
    }

    /// When the backup pool comes to its next conclusion about a pool.
    fn verdict_due(&self, pool: PoolId) -> Option<SimTime> {
        let state = &self.registration[pool.index()];
        if state.missing_since.is_none() && state.seen_since.is_none() {
            return None;
        }
        let voice = self.settings_known_to(self.backup_of(pool)?, pool).voice;
        match (state.accepting, state.missing_since, state.seen_since) {
            (false, Some(since), _) if voice.automatic => Some(since + effective(voice.detection_seconds)),
            (true, _, Some(since)) => Some(since + effective(voice.failback_seconds)),
            _ => None,
        }
    }

    pub(crate) fn settle_registration(&mut self) -> bool {
        let mut changed = false;
        for pool in self.topology.pool_ids() {
            let next = self.observe(pool);
            let state = self.registration[pool.index()];
            if next == state {
                continue;
            }
            if next.accepting != state.accepting {
                self.lean(if next.accepting { Behaviour::VoiceDetection } else { Behaviour::VoiceFailback });
            }
            if next.missing_since.is_some() && self.pool_in_service(pool) {
                self.lean(Behaviour::CutLinkMovesNobody);
            }
            Arc::make_mut(&mut self.registration)[pool.index()] = next;
            changed = true;
        }
        changed
    }

    /// What the backup pool of a pool concludes now.
    fn observe(&self, pool: PoolId) -> Registration {
        let mut state = self.registration[pool.index()];
        let Some(backup) = self.backup_of(pool) else { return Registration::default() };
        if !self.pool_in_service(backup) {
            return Registration::default();
        }
        let home_serves = self.pool_in_service(pool);
        if home_serves && self.pool_sees(backup, pool) {
            state.missing_since = None;
            if state.accepting {
                state.seen_since = state.seen_since.or(Some(self.now));
            }
        } else {
            state.seen_since = None;
            state.missing_since = state.missing_since.or(Some(self.now));
        }
        let voice = self.settings_known_to(backup, pool).voice;
        state.accepting = match (state.accepting, state.missing_since, state.seen_since) {
            (false, Some(since), _) => voice.automatic && since + effective(voice.detection_seconds) <= self.now,
            // Pool failback brings users home by itself; nobody waits for the interval then (dossier B.3).
            (true, None, _) if self.pool_transfer(pool) == Transfer::FailingBack => false,
            (true, _, Some(since)) => since + effective(voice.failback_seconds) > self.now,
            (accepting, _, _) => accepting,
        };
        if !state.accepting {
            state.seen_since = None;
        }
        state.on_backup = state.accepting && (state.on_backup || !home_serves);
        state
    }
}
