//! Outages: the times during which users were not served in full. They are kept by routing group, the smallest part of a
//! pool that fails on its own (dossier B.9), and followed through the moves of users from pool to pool (dossier B.5), so that
//! a single user, a range and a pool each have a recovery time of their own.

use std::collections::BTreeMap;

use firedrill_topology::{PoolId, UserId};

use crate::fabric::Fabric;
use crate::serving::{DataLoss, Outage, ServiceMode, Serving};
use crate::time::SimTime;
use crate::world::users::Stay;

/// What a pool gives its routing groups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ByGroup<T> {
    /// The same to all.
    Alike(T),
    /// Something of its own to each, in order of the groups.
    Apart(Vec<T>),
}

impl<T: Copy + PartialEq> ByGroup<T> {
    /// From what each gets.
    pub(crate) fn new(each: Vec<T>) -> Self {
        match each.split_first() {
            Some((first, others)) if others.iter().all(|other| other == first) => Self::Alike(*first),
            _ => Self::Apart(each),
        }
    }

    pub(crate) fn of(&self, group: usize) -> T {
        match self {
            Self::Alike(all) => *all,
            Self::Apart(each) => each[group],
        }
    }

    pub(crate) fn map<U: Copy + PartialEq>(&self, of: impl Fn(T) -> U) -> ByGroup<U> {
        match self {
            Self::Alike(all) => ByGroup::Alike(of(*all)),
            Self::Apart(each) => ByGroup::new(each.iter().map(|one| of(*one)).collect()),
        }
    }
}

/// What was recorded about the users of a pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ServingRecord {
    /// Service by users, in order.
    pub(crate) parts: Vec<(Serving, u32)>,
    /// What the routing groups got, each entry from its time on; whether anybody is homed there or not.
    modes: Vec<(SimTime, ByGroup<ServiceMode>)>,
    outages: OutageFold,
}

impl ServingRecord {
    pub(crate) fn new(now: SimTime, groups: &ByGroup<Serving>, parts: Vec<(Serving, u32)>) -> Self {
        let mut outages = OutageFold::new(now);
        outages.change(now, Unserved::of(&parts));
        Self { parts, modes: vec![(now, groups.map(|serving| serving.mode))], outages }
    }

    /// Whether a service is the one recorded last.
    pub(crate) fn is(&self, groups: &ByGroup<Serving>, parts: &[(Serving, u32)]) -> bool {
        self.parts == parts && self.modes.last().is_some_and(|(_, modes)| *modes == groups.map(|serving| serving.mode))
    }

    /// Notes the service from now on, and gives the parts before.
    pub(crate) fn change(&mut self, now: SimTime, groups: &ByGroup<Serving>, parts: Vec<(Serving, u32)>) -> Vec<(Serving, u32)> {
        let modes = groups.map(|serving| serving.mode);
        // Several changes of one instant are one: nobody is without service for no time.
        self.modes.pop_if(|(since, _)| *since == now);
        if self.modes.last().is_none_or(|(_, last)| *last != modes) {
            self.modes.push((now, modes));
        }
        self.outages.change(now, Unserved::of(&parts));
        std::mem::replace(&mut self.parts, parts)
    }

    /// Brings an open outage up to now.
    pub(crate) fn account(&mut self, now: SimTime) {
        self.outages.account(now);
    }

    /// Whether there is an open outage that is not accounted up to now.
    pub(crate) fn behind(&self, now: SimTime) -> bool {
        self.outages.open().is_some() && self.outages.accounted < now
    }

    /// The service of a routing group from a time to another: first what it was, then its changes.
    fn changes_of(&self, group: usize, from: SimTime, until: Option<SimTime>) -> impl Iterator<Item = (SimTime, ServiceMode)> + '_ {
        let first = self.modes.partition_point(|(since, _)| *since <= from).saturating_sub(1);
        self.modes[first..]
            .iter()
            .take_while(move |(since, _)| *since <= from || until.is_none_or(|until| *since < until))
            .map(move |(since, modes)| ((*since).max(from), modes.of(group)))
    }
}

/// Users without full service, by how little they get.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Unserved {
    signed_out: u32,
    resiliency: u32,
}

impl Unserved {
    fn of(parts: &[(Serving, u32)]) -> Self {
        let mut unserved = Self::default();
        for (serving, users) in parts {
            if let Some(count) = unserved.count(serving.mode) {
                *count += users;
            }
        }
        unserved
    }

    fn count(&mut self, mode: ServiceMode) -> Option<&mut u32> {
        match mode {
            ServiceMode::Regular => None,
            ServiceMode::Resiliency => Some(&mut self.resiliency),
            ServiceMode::SignedOut => Some(&mut self.signed_out),
        }
    }

    fn nobody(self) -> bool {
        self == Self::default()
    }
}

const NANOSECONDS: u128 = 1_000_000_000;

/// The service of a number of users in the order of time, folded to their outages.
#[derive(Debug, Clone, PartialEq, Eq)]
struct OutageFold {
    outages: Vec<Outage>,
    unserved: Unserved,
    /// User-time of the open outage in user-nanoseconds: signed out, in resiliency.
    lost: (u128, u128),
    /// Up to when the open outage is accounted.
    accounted: SimTime,
}

impl OutageFold {
    fn new(start: SimTime) -> Self {
        Self { outages: Vec::new(), unserved: Unserved::default(), lost: (0, 0), accounted: start }
    }

    fn open(&self) -> Option<&Outage> {
        self.outages.last().filter(|outage| outage.ended.is_none())
    }

    /// Adds the user-time since the last account to the open outage.
    fn account(&mut self, now: SimTime) {
        let nanoseconds = now.since(self.accounted).0 as u128;
        self.accounted = now;
        let Some(outage) = self.outages.last_mut().filter(|outage| outage.ended.is_none()) else { return };
        self.lost.0 += u128::from(self.unserved.signed_out) * nanoseconds;
        self.lost.1 += u128::from(self.unserved.resiliency) * nanoseconds;
        outage.signed_out_user_seconds = (self.lost.0 / NANOSECONDS) as u64;
        outage.resiliency_user_seconds = (self.lost.1 / NANOSECONDS) as u64;
    }

    fn change(&mut self, now: SimTime, unserved: Unserved) {
        self.account(now);
        self.unserved = unserved;
        if self.open().is_none() {
            if unserved.nobody() {
                return;
            }
            self.lost = (0, 0);
            self.outages.push(Outage { began: now, signed_in: None, ended: None, signed_out_user_seconds: 0, resiliency_user_seconds: 0 });
        }
        let Some(outage) = self.outages.last_mut() else { return };
        outage.signed_in = if unserved.signed_out > 0 { None } else { outage.signed_in.or(Some(now)) };
        if unserved.nobody() {
            outage.ended = Some(now);
            // Over in the instant in which it began: nobody noticed.
            self.outages.pop_if(|outage| outage.began == now);
        }
    }
}

impl Fabric {
    /// Outages of the users homed on a pool, in order; the last one may still last. Users who are moved away leave it, and
    /// take what they suffered with them ([`Fabric::outages_between`]).
    pub fn outages(&self, home: PoolId) -> &[Outage] {
        &self.serving[home.index()].outages.outages
    }

    /// Outages of one user, in order: where the user was homed at each time, in the user's routing group there.
    pub fn user_outages(&self, user: UserId) -> Vec<Outage> {
        self.outages_between(user, user)
    }

    /// Outages of users from a first to a last one, both included, as of one group: it begins when the first of them loses
    /// full service, and ends when all have it again.
    pub fn outages_between(&self, first: UserId, last: UserId) -> Vec<Outage> {
        let tracks = self.tracks_between(first, last);
        let mut changes: BTreeMap<SimTime, Vec<(usize, ServiceMode)>> = BTreeMap::new();
        for (index, track) in tracks.keys().enumerate() {
            for (at, mode) in self.changes_of(track) {
                changes.entry(at).or_default().push((index, mode));
            }
        }
        let users: Vec<u32> = tracks.into_values().collect();
        let mut modes = vec![ServiceMode::Regular; users.len()];
        let mut unserved = Unserved::default();
        let Some(start) = changes.keys().next() else { return Vec::new() };
        let mut fold = OutageFold::new(*start);
        for (at, changed) in changes {
            for (index, mode) in changed {
                if let Some(count) = unserved.count(modes[index]) {
                    *count -= users[index];
                }
                modes[index] = mode;
                if let Some(count) = unserved.count(mode) {
                    *count += users[index];
                }
            }
            fold.change(at, unserved);
        }
        fold.account(self.now);
        fold.outages
    }

    /// What users from a first to a last one lost for good: what was lost of their own, and what was lost of the pool they
    /// were homed on at that time.
    pub fn losses_between(&self, first: UserId, last: UserId) -> impl Iterator<Item = &DataLoss> {
        self.data_losses().iter().filter(move |loss| match loss.user {
            Some(user) => (first..=last).contains(&user),
            None => self.any_homed_between(first, last, loss.pool, loss.at),
        })
    }

    /// Users from a first to a last one by where they were homed, and in which routing group.
    fn tracks_between(&self, first: UserId, last: UserId) -> BTreeMap<Vec<(Stay, usize)>, u32> {
        let mut tracks: BTreeMap<Vec<(Stay, usize)>, u32> = BTreeMap::new();
        for (pool, first, last) in self.cohorts_between(first, last) {
            let groups = self.quorum[pool.index()].groups.len();
            // Users are dealt out in turn: as many as there are groups show every group.
            let users = last.0 - first.0 + 1;
            for distance in 0..users.min(groups as u32) {
                let user = UserId(first.0 + distance);
                let count = (users - distance).div_ceil(groups as u32);
                *tracks.entry(vec![(self.first_stay(pool), self.group_in(pool, user))]).or_default() += count;
            }
        }
        for (user, stays) in self.moves_between(first, last) {
            let original = stays[0];
            let as_if_unmoved = vec![(original, self.group_in(original.pool, user))];
            if let Some(count) = tracks.get_mut(&as_if_unmoved) {
                *count -= 1;
            }
            let track = stays.into_iter().map(|stay| (stay, self.group_in(stay.pool, user))).collect();
            *tracks.entry(track).or_default() += 1;
        }
        tracks.retain(|_, users| *users > 0);
        tracks
    }

    /// The service along a track, in the order of time.
    fn changes_of<'a>(&'a self, track: &'a [(Stay, usize)]) -> impl Iterator<Item = (SimTime, ServiceMode)> + 'a {
        track.iter().enumerate().flat_map(|(index, (stay, group))| {
            let until = track.get(index + 1).map(|(next, _)| next.since);
            self.serving[stay.pool.index()].changes_of(*group, stay.since, until)
        })
    }
}
