//! Objectives to expectations that are judged at the end.

use firedrill_fabric::SimDuration;
use firedrill_fabric::serving::DataKind;
use firedrill_syntax::Span;
use firedrill_topology::{PoolId, Topology, UserId};

use super::{Resolver, entry_span};
use crate::document::{Objectives, RecoveryPoints, UntilDocument};
use crate::scenario::{Bounds, Check, Expectation, Origin, Who};

/// What an objective is about; a cohort's objective replaces the general one about the same thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Subject {
    Time(UntilDocument),
    Data(DataKind),
}

/// An objective: what about, the largest value, and where it is written.
type Objective = (Subject, SimDuration, Span);

impl Resolver<'_> {
    /// Objectives as expectations that are judged at the end.
    pub(crate) fn objectives(&mut self, objectives: &Objectives) -> Vec<Expectation> {
        let mut all: Vec<(Who, Objective)> = Vec::new();
        for cohort in &objectives.cohorts {
            let who = self.who(&cohort.of);
            let times = [(&cohort.rto, UntilDocument::Regular), (&cohort.resiliency_rto, UntilDocument::Resiliency)];
            let mut own: Vec<Objective> = Vec::new();
            for (text, until) in times {
                own.extend(text.as_ref().and_then(|text| Some((Subject::Time(until), self.duration(text)?, text.span))));
            }
            own.extend(self.recovery_points(cohort.rpo.as_ref()));
            if cohort.rto.is_none() && cohort.resiliency_rto.is_none() && cohort.rpo.is_none() {
                let hint = Some("write `rto:`, `resiliency_rto:` or `rpo:`".to_owned());
                self.error("empty-expectation", entry_span(self.source, cohort.span), "this cohort has no objective", hint);
            }
            let Some(who) = who else { continue };
            for (subject, _, span) in &own {
                if let Subject::Data(kind) = subject {
                    self.check_owner(who, *kind, *span);
                }
            }
            all.extend(own.into_iter().map(|objective| (who, objective)));
        }
        let mut general: Vec<Objective> = Vec::new();
        if let Some(text) = &objectives.rto {
            general.extend(self.duration(text).map(|at_most| (Subject::Time(UntilDocument::Regular), at_most, text.span)));
        }
        general.extend(self.recovery_points(objectives.rpo.as_ref()));
        let apart = all.clone();
        for pool in self.topology.pool_ids() {
            for objective in &general {
                let replaced: Vec<Who> = apart.iter().filter(|(_, own)| own.0 == objective.0).map(|(who, _)| *who).collect();
                all.extend(others_of(self.topology, pool, &replaced).into_iter().map(|who| (who, *objective)));
            }
        }
        let origin = |span| Origin { source: self.source.clone(), span };
        all.into_iter()
            .map(|(who, (subject, at_most, span))| Expectation { origin: origin(span), check: check(who, subject, at_most) })
            .collect()
    }

    /// Configuration and locations belong to the deployment: a user has no part of them to lose.
    pub(crate) fn check_owner(&mut self, who: Who, kind: DataKind, span: Span) -> Option<()> {
        let shared = matches!(kind, DataKind::Configuration | DataKind::Locations);
        if !shared || matches!(who, Who::Pool(_)) {
            return Some(());
        }
        let hint = "write it for the pool that holds the Central Management Store: `of: { pool: … }`".to_owned();
        self.error("not-of-a-user", span, "configuration and locations belong to the deployment, not to single users", Some(hint));
        None
    }

    fn recovery_points(&mut self, points: Option<&RecoveryPoints>) -> Vec<Objective> {
        let Some(points) = points else { return Vec::new() };
        let kinds = [
            (DataKind::UserData, &points.user_data),
            (DataKind::ConferenceContent, &points.conference_content),
            (DataKind::Configuration, &points.configuration),
            (DataKind::ResponseGroups, &points.response_groups),
            (DataKind::Locations, &points.locations),
        ];
        kinds
            .into_iter()
            .filter_map(|(kind, text)| text.as_ref().and_then(|text| Some((Subject::Data(kind), self.duration(text)?, text.span))))
            .collect()
    }
}

fn check(who: Who, subject: Subject, at_most: SimDuration) -> Check {
    let bounds = Bounds { at_least: None, at_most: Some(at_most) };
    match subject {
        Subject::Time(until) => Check::Rto { who, until, bounds },
        Subject::Data(kind) => Check::Rpo { who: Some(who), kind, bounds },
    }
}

/// The users of a pool without those who have an objective of their own: the pool, or what is left of its ranges.
fn others_of(topology: &Topology, pool: PoolId, apart: &[Who]) -> Vec<Who> {
    if apart.contains(&Who::Pool(pool)) {
        return Vec::new();
    }
    let mut taken: Vec<(u32, u32)> = apart
        .iter()
        .filter_map(|who| match who {
            Who::User(user) => Some((user.0, user.0)),
            Who::Users(first, last) => Some((first.0, last.0)),
            Who::Pool(_) => None,
        })
        .collect();
    taken.sort_unstable();
    let mut left = Vec::new();
    let mut whole = true;
    for cohort in topology.users.cohorts.iter().filter(|cohort| cohort.pool == pool) {
        let (mut next, end) = (cohort.first.0, cohort.first.0 + cohort.count);
        for (first, last) in taken.iter().filter(|(first, last)| *first < end && *last >= cohort.first.0) {
            whole = false;
            if next < *first {
                left.push(range(next, first - 1));
            }
            next = next.max(last + 1);
        }
        if next < end {
            left.push(range(next, end - 1));
        }
    }
    if whole { vec![Who::Pool(pool)] } else { left }
}

fn range(first: u32, last: u32) -> Who {
    if first == last { Who::User(UserId(first)) } else { Who::Users(UserId(first), UserId(last)) }
}
