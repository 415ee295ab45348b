//! Expectations about media, DNS and federation to checks on ids.

use firedrill_fabric::federation::{Direction, Level, Protocol};
use firedrill_syntax::{Located, Span, quote};
use firedrill_topology::{ComputerId, ComputerRole};

use super::Resolver;
use super::convert::{reach_failure, reach_level};
use super::fault::record_type;
use crate::document::*;
use crate::scenario::{Check, DnsAnswer, EdgePlace, Reachability};

impl Resolver<'_> {
    pub(super) fn media(&mut self, e: &MediaExpectation, whole: Span) -> Option<Check> {
        let pool = self.pool(&e.pool);
        let via = match &e.via {
            Some(name) => Some(self.edge_pool_or_none(name)?),
            None => None,
        };
        if via.is_none() && e.working.is_none() {
            let hint = Some("write `via:` or `working:`".to_owned());
            self.error("empty-expectation", whole, "nothing is said about media", hint);
            return None;
        }
        Some(Check::Media { pool: pool?, via, working: e.working.map(Located::into_inner) })
    }

    pub(super) fn dns(&mut self, e: &DnsExpectation, whole: Span) -> Option<Check> {
        let partner = self.partner(&e.seen_by);
        let name = self.owner_name(&e.name);
        let answer = match (e.data.as_slice(), &e.answer) {
            ([], None) => {
                let hint = Some("write `data:` with the records, or `answer:`".to_owned());
                self.error("empty-expectation", whole, "it is not said what the partner sees", hint);
                return None;
            }
            ([_, ..], Some(answer)) => {
                let hint = Some("remove one of the two".to_owned());
                self.error("contradiction", answer.span, "`data` and `answer` exclude each other", hint);
                return None;
            }
            ([], Some(answer)) => match answer.value {
                DnsAnswerDocument::NoName => DnsAnswer::NoName,
                DnsAnswerDocument::NoData => DnsAnswer::NoData,
                DnsAnswerDocument::NoServer => DnsAnswer::NoServer,
            },
            (data, None) => DnsAnswer::Records(self.records(e.record_type, data, whole)?),
        };
        let record_type = record_type(e.record_type);
        Some(Check::Dns { partner: partner?, name: name?, record_type, answer, cached: e.cached.map(Located::into_inner) })
    }

    pub(super) fn federation(&mut self, e: &FederationExpectation) -> Option<Check> {
        let partner = self.partner(&e.partner);
        let domain = match &e.domain {
            Some(name) => self.sip_domain(name),
            None => self.topology.sip_domains.first().cloned(),
        };
        let via = match &e.via {
            Some(name) => Some(match self.topology.find_edge_pool(name) {
                Some(edge) => EdgePlace::Pool(edge),
                None => EdgePlace::Computer(self.edge_server(name)?),
            }),
            None => None,
        };
        let level = e.level.map_or(Level::Authenticated, |level| reach_level(level.value));
        let wanted = self.reachability(e, via, level)?;
        let protocol = match e.protocol.value {
            ProtocolDocument::Xmpp => Protocol::Xmpp,
            ProtocolDocument::Sip => Protocol::Sip,
        };
        let partner = partner?;
        let spoken = match protocol {
            Protocol::Xmpp => self.topology.partner(partner).xmpp,
            Protocol::Sip => self.topology.partner(partner).sip,
        };
        if !spoken {
            let message = format!("{} does not federate over this protocol", quote(&e.partner));
            let hint = "ask about a protocol that the topology gives this partner, or give it this one there".to_owned();
            self.error("wrong-protocol", e.protocol.span, message, Some(hint));
            return None;
        }
        let direction = match e.direction {
            DirectionDocument::Inbound => Direction::Inbound,
            DirectionDocument::Outbound => Direction::Outbound,
        };
        Some(Check::Federation { partner, domain: domain?, protocol, direction, level, wanted })
    }

    fn reachability(&mut self, e: &FederationExpectation, via: Option<EdgePlace>, level: Level) -> Option<Reachability> {
        if let Some(failure) = e.failure.filter(|failure| failure.value == FailureDocument::NoAnswer && level != Level::RoundTrip) {
            let hint = Some("write `level: L6`".to_owned());
            self.error("contradiction", failure.span, "only `level: L6` waits for an answer", hint);
            return None;
        }
        let reachable = e.reachable.map_or(e.failure.is_none(), |reachable| reachable.value);
        match (reachable, via, &e.failure) {
            (true, via, None) => Some(Reachability::Reachable(via)),
            (false, None, failure) => Some(Reachability::Unreachable(failure.map(|failure| reach_failure(failure.value)))),
            (true, _, Some(failure)) => {
                self.error("contradiction", failure.span, "what is reachable has no failure", Some("remove one of the two".to_owned()));
                None
            }
            (false, Some(_), _) => {
                let span = e.via.as_ref().map_or(e.protocol.span, |via| via.span);
                self.error("contradiction", span, "what is not reachable goes through no Edge", Some("remove `via:`".to_owned()));
                None
            }
        }
    }

    fn edge_server(&mut self, name: &Located<String>) -> Option<ComputerId> {
        let topology = self.topology;
        if topology.find_computer(name).is_none() {
            // Neither: the words for an Edge pool also list its servers' pool.
            self.edge_pool(name);
            return None;
        }
        let computer = self.computer(name)?;
        if !matches!(topology.computer(computer).role, ComputerRole::Edge(_)) {
            self.error(
                "wrong-kind",
                name.span,
                format!("{} is not an Edge Server", quote(name)),
                Some("name an Edge pool or one of its servers".to_owned()),
            );
            return None;
        }
        Some(computer)
    }
}
