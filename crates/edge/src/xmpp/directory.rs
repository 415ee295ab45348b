//! Where partners' servers are: the Edge Servers' own look-ups.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{PoisonError, RwLock};

use firedrill_dns::targets::{self, Selection};
use firedrill_dns::{AddressMap, PartnerResolver};
use firedrill_fabric::SimTime;
use firedrill_fabric::federation::Protocol;
use firedrill_fabric::naming::canonical_name;
use firedrill_fabric::seed::Seed;
use firedrill_topology::RecordType;

/// Look-ups of servers towards other servers (RFC 6120 3.2).
///
/// Zones of partners that the topology has are asked for over DNS. A partner without a zone of its own has its DNS
/// elsewhere, which is no part of the fabric: where its stand-in listens is known here.
#[derive(Debug)]
pub(crate) struct Directory {
    map: AddressMap,
    seed: Seed,
    resolver: Option<PartnerResolver>,
    elsewhere: RwLock<BTreeMap<String, SocketAddr>>,
}

impl Directory {
    pub(crate) fn new(map: &AddressMap, seed: Seed, resolver: Option<PartnerResolver>) -> Self {
        Self { map: map.clone(), seed, resolver, elsewhere: RwLock::default() }
    }

    /// Tells where the server of a domain is whose DNS is not ours.
    pub(crate) fn tell(&self, domain: &str, server: SocketAddr) {
        self.elsewhere.write().unwrap_or_else(PoisonError::into_inner).insert(canonical_name(domain), server);
    }

    /// Addresses of a domain's servers in the order in which they are tried; none when it has none. `proxy` stands in for
    /// what DNS says about the domain.
    pub(crate) async fn find(&self, from: &str, domain: &str, proxy: Option<&str>, now: SimTime) -> Vec<SocketAddr> {
        let domain = canonical_name(domain);
        let elsewhere = self.elsewhere.read().unwrap_or_else(PoisonError::into_inner).get(&domain).copied();
        let Some(resolver) = &self.resolver else { return elsewhere.into_iter().collect() };
        if let Some(proxy) = proxy {
            return self.addresses(resolver, &canonical_name(proxy), Protocol::Xmpp.default_port(), now).await;
        }
        if let Some(known) = elsewhere {
            return vec![known];
        }
        let srv = resolver.lookup(&Protocol::Xmpp.service_name(&domain), RecordType::Srv, now).await.answer;
        let candidates = match targets::select(Protocol::Xmpp, &domain, &srv, self.seed, &Protocol::Xmpp.stream_name(from, &domain)) {
            Selection::Targets(candidates) => candidates,
            Selection::OwnAddress(target) | Selection::Literal(target, _) => vec![target],
            Selection::Declined(_) => Vec::new(),
        };
        let mut found = Vec::new();
        for target in candidates {
            found.extend(self.addresses(resolver, &target.host, target.port, now).await);
        }
        found
    }

    async fn addresses(&self, resolver: &PartnerResolver, host: &str, port: u16, now: SimTime) -> Vec<SocketAddr> {
        let answer = resolver.lookup(host, RecordType::A, now).await.answer;
        let wired = targets::addresses(&answer).into_iter().filter_map(|address| self.map.wire(address).ok());
        wired.filter_map(|wire| self.map.endpoint(wire, port)).collect()
    }
}
