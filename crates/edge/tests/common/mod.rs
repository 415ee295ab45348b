//! Edge Servers and a partner on the wire, without a fabric behind them.
#![allow(dead_code, reason = "every test file takes what it needs")]

#[path = "../../../dns/tests/common/mod.rs"]
pub(crate) mod zoning;

use std::net::{Ipv4Addr, SocketAddr};

use firedrill_dns::{AddressMap, DnsServer, LoopbackBlock, PartnerResolver};
use firedrill_edge::probe::{self, Prober};
use firedrill_edge::{EdgeFleet, Limits, ProbeError};
use firedrill_fabric::SimTime;
use firedrill_fabric::federation::{AttemptResult, CertificateDates, Listener, Protocol, Reach};
use firedrill_fabric::naming::Zones;
use firedrill_fabric::seed::Seed;
use firedrill_topology::{ComputerId, EdgePoolId};

/// 2026-01-01: certificates are valid then.
pub(crate) const NOW: SimTime = SimTime(1_767_225_600_000_000_000);
pub(crate) const PARTNER: &str = "fabrikam.net";
pub(crate) const DOMAIN: &str = "contoso.com";

pub(crate) fn external(last: u8) -> Ipv4Addr {
    Ipv4Addr::new(203, 0, 113, last)
}

/// A listener of the Edge Server at 203.0.113.`last`, which listens.
pub(crate) fn listener(last: u8, protocol: Protocol, port: u16) -> Listener {
    Listener {
        edge_pool: EdgePoolId(0),
        computer: ComputerId(u32::from(last)),
        address: external(last),
        protocol,
        port,
        listening: true,
        domains: vec![DOMAIN.to_owned()],
        partners: Some(vec![PARTNER.to_owned()]),
        refusal: None,
        certificate: CertificateDates { not_before: SimTime(0), not_after: SimTime(2_524_607_999_000_000_000) },
        xmpp: None,
    }
}

pub(crate) fn closed(last: u8, protocol: Protocol, port: u16) -> Listener {
    Listener { listening: false, ..listener(last, protocol, port) }
}

/// DNS server, listeners and one partner.
pub(crate) struct Wire {
    pub(crate) block: LoopbackBlock,
    pub(crate) map: AddressMap,
    pub(crate) dns: DnsServer,
    pub(crate) fleet: EdgeFleet,
    pub(crate) resolver: PartnerResolver,
    pub(crate) source: Ipv4Addr,
    pub(crate) limits: Limits,
}

pub(crate) async fn wire(zones: &Zones, listeners: &[Listener]) -> Wire {
    wire_on(LoopbackBlock::take(), zones, listeners, Limits::default()).await
}

pub(crate) async fn wire_on(block: LoopbackBlock, zones: &Zones, listeners: &[Listener], limits: Limits) -> Wire {
    let map = AddressMap::new(&block, listeners.iter().map(|listener| listener.address)).expect("addresses");
    let dns = DnsServer::start(&block, zones, &map).await.expect("DNS server");
    let fleet = EdgeFleet::start(&map, listeners, Seed(1), limits).await.expect("listeners");
    let resolver = PartnerResolver::new(dns.address(), &map, zoning::OBEDIENT).expect("resolver");
    let source = map.allocate("the partner").expect("address");
    Wire { block, map, dns, fleet, resolver, source, limits }
}

impl Wire {
    pub(crate) async fn reach(&self, protocol: Protocol) -> Result<Reach, ProbeError> {
        self.reach_domain(protocol, DOMAIN, NOW).await
    }

    pub(crate) async fn reach_domain(&self, protocol: Protocol, domain: &str, now: SimTime) -> Result<Reach, ProbeError> {
        let prober = Prober::new(&self.resolver, &self.fleet, PARTNER, Some(self.source));
        match protocol {
            Protocol::Xmpp => probe::xmpp(&prober, domain, now).await,
            Protocol::Sip => probe::sip(&prober, domain, now).await,
        }
    }

    /// Where an Edge Server's port really is.
    pub(crate) fn endpoint(&self, last: u8, port: u16) -> SocketAddr {
        let wire = self.map.wire(external(last)).expect("mapped");
        self.map.endpoint(wire, port).expect("known")
    }
}

/// A result in one line per hop: `host:port@last byte Result`, and the outcome.
pub(crate) fn told(reach: &Reach) -> Vec<String> {
    let mut lines: Vec<String> = reach
        .attempts
        .iter()
        .map(|attempt| {
            let address = attempt.address.map_or("-".to_owned(), |address| address.octets()[3].to_string());
            let result = match attempt.result {
                AttemptResult::TurnedAway(refusal) => format!("{refusal:?}"),
                result => format!("{result:?}"),
            };
            format!("{}:{}@{address} {result}", attempt.target.host.trim_end_matches(".contoso.com"), attempt.target.port)
        })
        .collect();
    lines.push(match (&reach.via, &reach.failure) {
        (Some((_, computer)), None) => format!("via {}", computer.0),
        (None, Some(failure)) => format!("{failure:?}"),
        other => format!("inconsistent: {other:?}"),
    });
    lines
}
