//! Objectives to expectations that are judged at the end.

use firedrill_fabric::SimDuration;
use firedrill_fabric::serving::DataKind;
use firedrill_syntax::Span;
use firedrill_topology::PoolId;

use super::{Resolver, entry_span};
use crate::document::{Objectives, RecoveryPoints, UntilDocument};
use crate::scenario::{Bounds, Check, Expectation, Origin, Who};

impl Resolver<'_> {
    /// Objectives as expectations that are judged at the end.
    pub(crate) fn objectives(&mut self, objectives: &Objectives) -> Vec<Expectation> {
        let mut all: Vec<(Check, Span)> = Vec::new();
        let mut pools_apart: Vec<PoolId> = Vec::new();
        for cohort in &objectives.cohorts {
            let who = self.who(&cohort.of);
            let rto = [(&cohort.rto, UntilDocument::Regular), (&cohort.resiliency_rto, UntilDocument::Resiliency)];
            let rto: Vec<(UntilDocument, SimDuration, Span)> =
                rto.into_iter().filter_map(|(text, until)| text.as_ref().and_then(|t| Some((until, self.duration(t)?, t.span)))).collect();
            let rpo = self.recovery_points(cohort.rpo.as_ref());
            if cohort.rto.is_none() && cohort.resiliency_rto.is_none() && cohort.rpo.is_none() {
                let hint = Some("write `rto:`, `resiliency_rto:` or `rpo:`".to_owned());
                self.error("empty-expectation", entry_span(self.source, cohort.span), "this cohort has no objective", hint);
            }
            let Some(who) = who else { continue };
            if let Who::Pool(pool) = who {
                pools_apart.push(pool);
            }
            let most = |at_most| Bounds { at_least: None, at_most: Some(at_most) };
            all.extend(rto.into_iter().map(|(until, at_most, span)| (Check::Rto { who, until, bounds: most(at_most) }, span)));
            all.extend(rpo.into_iter().map(|(kind, at_most, span)| (Check::Rpo { who: Some(who), kind, bounds: most(at_most) }, span)));
        }
        let rto = objectives.rto.as_ref().and_then(|text| Some((self.duration(text)?, text.span)));
        let rpo = self.recovery_points(objectives.rpo.as_ref());
        for pool in self.topology.pool_ids().filter(|pool| !pools_apart.contains(pool)) {
            let most = |at_most| Bounds { at_least: None, at_most: Some(at_most) };
            let who = Who::Pool(pool);
            all.extend(rto.map(|(at_most, span)| (Check::Rto { who, until: UntilDocument::Regular, bounds: most(at_most) }, span)));
            all.extend(rpo.iter().map(|(kind, at_most, span)| (Check::Rpo { who: Some(who), kind: *kind, bounds: most(*at_most) }, *span)));
        }
        all.into_iter().map(|(check, span)| Expectation { origin: Origin { source: self.source.clone(), span }, check }).collect()
    }

    fn recovery_points(&mut self, points: Option<&RecoveryPoints>) -> Vec<(DataKind, SimDuration, Span)> {
        let Some(points) = points else { return Vec::new() };
        let kinds = [
            (DataKind::UserData, &points.user_data),
            (DataKind::ConferenceContent, &points.conference_content),
            (DataKind::Configuration, &points.configuration),
            (DataKind::ResponseGroups, &points.response_groups),
            (DataKind::Locations, &points.locations),
        ];
        kinds.into_iter().filter_map(|(kind, text)| text.as_ref().and_then(|text| Some((kind, self.duration(text)?, text.span)))).collect()
    }
}
