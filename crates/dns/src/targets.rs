//! Where a peer connects: target selection by RFC 2782, RFC 6120 3.2 and the rules of SIP federation (dossier F.5).
//!
//! Pure: answers come in, a decision goes out. The model decides by the same order of SRV records
//! ([`order_targets`]) and the same stream of the seed ([`Protocol::stream_name`]).

use std::net::Ipv4Addr;

use firedrill_fabric::federation::{Protocol, ReachFailure, strict_match};
use firedrill_fabric::naming::{Answer, Target, order_targets};
use firedrill_fabric::seed::Seed;
use firedrill_topology::{RecordData, RecordSet};

/// What a peer does about a domain after it has heard the answer to its SRV question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    /// Tries these in order, each with all its addresses; when none connects, that is the end (RFC 6120 3.2.1 item 8).
    Targets(Vec<Target>),
    /// There is no SRV record: tries the domain's own address at the protocol's port (RFC 6120 3.2.2).
    OwnAddress(Target),
    /// The domain is an address itself: connects to it without DNS (RFC 6120 3.2.3).
    Literal(Target, Ipv4Addr),
    /// Does not try.
    Declined(ReachFailure),
}

/// Decides what needs no DNS: an address in place of a domain (RFC 6120 3.2.3; SIP federation knows domains only).
pub fn literal(protocol: Protocol, domain: &str) -> Option<Selection> {
    let address = (protocol == Protocol::Xmpp).then(|| domain.parse().ok())??;
    Some(Selection::Literal(own_address(protocol, domain), address))
}

/// Decides after the answer to the SRV question.
pub fn select(protocol: Protocol, domain: &str, srv: &Answer, seed: Seed, stream: &str) -> Selection {
    match protocol {
        Protocol::Xmpp => select_xmpp(domain, srv, seed, stream),
        Protocol::Sip => select_sip(domain, srv, seed, stream),
    }
}

/// RFC 6120 3.2.1 and 3.2.2.
fn select_xmpp(domain: &str, srv: &Answer, seed: Seed, stream: &str) -> Selection {
    match srv {
        Answer::Records { set, .. } if declined(set) => Selection::Declined(ReachFailure::ServiceDeclined),
        Answer::Records { set, .. } => Selection::Targets(ordered(set, seed, stream)),
        Answer::NoName | Answer::NoData => Selection::OwnAddress(own_address(Protocol::Xmpp, domain)),
        Answer::NoServer => Selection::Declined(ReachFailure::DnsUnavailable),
    }
}

/// Dossier F.5: only the first record counts, it must lie inside the SIP domain, and there is no fall-back.
fn select_sip(domain: &str, srv: &Answer, seed: Seed, stream: &str) -> Selection {
    match srv {
        Answer::Records { set, .. } if declined(set) => Selection::Declined(ReachFailure::ServiceDeclined),
        Answer::Records { set, .. } => match ordered(set, seed, stream).into_iter().next() {
            Some(first) if strict_match(domain, &first.host) => Selection::Targets(vec![first]),
            Some(_) => Selection::Declined(ReachFailure::StrictMatch),
            None => Selection::Declined(ReachFailure::NoRecords),
        },
        Answer::NoName | Answer::NoData => Selection::Declined(ReachFailure::NoRecords),
        Answer::NoServer => Selection::Declined(ReachFailure::DnsUnavailable),
    }
}

/// The addresses of an answer, in its order.
pub fn addresses(answer: &Answer) -> Vec<Ipv4Addr> {
    let Answer::Records { set, .. } = answer else { return Vec::new() };
    let address = |data: &RecordData| match data {
        RecordData::A(address) => Some(*address),
        _ => None,
    };
    set.data.iter().filter_map(address).collect()
}

fn own_address(protocol: Protocol, domain: &str) -> Target {
    Target { priority: 0, weight: 0, host: domain.to_owned(), port: protocol.default_port() }
}

/// Exactly one record, and its target is the root: decidedly no service (RFC 2782, RFC 6120 3.2.1 item 3).
fn declined(set: &RecordSet) -> bool {
    matches!(set.data.as_slice(), [RecordData::Srv { target, .. }] if target.is_empty())
}

/// In the order tried; a root target among others means nothing and is left out.
fn ordered(set: &RecordSet, seed: Seed, stream: &str) -> Vec<Target> {
    order_targets(&set.data, seed, stream).into_iter().filter(|target| !target.host.is_empty()).collect()
}
