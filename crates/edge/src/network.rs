//! Everything that one fabric has on the wire.

use std::net::Ipv4Addr;
use std::sync::Arc;

use firedrill_dns::{AddressMap, DnsError, DnsServer, Fallback, LoopbackBlock, PartnerResolver};
use firedrill_fabric::federation::{Attempt, AttemptResult, Direction, Listener, Reach, ReachFailure, ReachQuery};
use firedrill_fabric::naming::{PartnerView, Zones};
use firedrill_fabric::seed::Seed;
use firedrill_fabric::{Fabric, SimTime};
use firedrill_topology::{PartnerId, RecordType, Topology};

use crate::error::{EdgeError, ProbeError};
use crate::fleet::EdgeFleet;
use crate::limits::Limits;
use crate::partner::PartnerListeners;
use crate::probe::{self, Prober};

/// The wire could not be set up or made to follow the model.
#[derive(Debug, thiserror::Error)]
pub enum NetworkError {
    /// DNS server or addresses.
    #[error(transparent)]
    Dns(#[from] DnsError),
    /// Listeners.
    #[error(transparent)]
    Edge(#[from] EdgeError),
}

/// DNS server, Edge listeners, partners' resolvers and servers of one fabric, on loopback addresses of its own.
///
/// [`Self::follow`] after every change of the fabric, then [`Self::reach`] and [`Self::lookup`] answer for the same
/// virtual instant. Everything stops and frees its ports when it is dropped; [`Self::shutdown`] waits for it.
#[derive(Debug)]
pub struct Network {
    topology: Arc<Topology>,
    seed: Seed,
    limits: Limits,
    map: AddressMap,
    dns: DnsServer,
    /// What the DNS server has: the same pointer means that nothing has changed.
    published: Arc<Zones>,
    /// What the listeners follow.
    applied: Vec<Listener>,
    fleet: EdgeFleet,
    partners: PartnerListeners,
    resolvers: Vec<PartnerResolver>,
    /// Last: addresses are given back when everything else has stopped.
    block: LoopbackBlock,
}

impl Network {
    /// Puts a fabric on the wire as it is now. Needs a tokio runtime, in which everything runs.
    ///
    /// # Errors
    /// When addresses or ports cannot be had, or zones cannot be served.
    pub async fn start(fabric: &Fabric) -> Result<Self, NetworkError> {
        Self::start_on(LoopbackBlock::take(), fabric, Limits::default()).await
    }

    /// As [`Self::start`], on given addresses and with given limits.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub async fn start_on(block: LoopbackBlock, fabric: &Fabric, limits: Limits) -> Result<Self, NetworkError> {
        let start = State { zones: fabric.zones(), dns_up: fabric.dns_up(), listeners: &fabric.listeners() };
        Self::start_with(block, fabric.topology(), fabric.seed(), &start, limits).await
    }

    /// As [`Self::start_on`], from the parts of a fabric.
    pub(crate) async fn start_with(
        block: LoopbackBlock,
        topology: &Arc<Topology>,
        seed: Seed,
        state: &State<'_>,
        limits: Limits,
    ) -> Result<Self, NetworkError> {
        let map = AddressMap::new(&block, edge_addresses(topology))?;
        let dns = DnsServer::start(&block, state.zones, &map).await?;
        let fleet = EdgeFleet::start(&map, state.listeners, seed, limits).await?;
        let partners = PartnerListeners::start(&map, &topology.partners, seed, limits).await?;
        let resolver = |partner: &firedrill_topology::Partner| PartnerResolver::new(dns.address(), &map, partner.resolver);
        let resolvers = topology.partners.iter().map(resolver).collect::<Result<_, _>>()?;
        let mut network = Self {
            topology: Arc::clone(topology),
            seed,
            limits,
            map,
            dns,
            published: Arc::clone(state.zones),
            applied: state.listeners.to_vec(),
            fleet,
            partners,
            resolvers,
            block,
        };
        network.dns.set_answering(state.dns_up).await?;
        Ok(network)
    }

    /// Makes the wire follow the fabric as it is now. Cheap when nothing has changed.
    ///
    /// # Errors
    /// When a port was lost, or zones cannot be served.
    pub async fn follow(&mut self, fabric: &Fabric) -> Result<(), NetworkError> {
        self.follow_state(&State { zones: fabric.zones(), dns_up: fabric.dns_up(), listeners: &fabric.listeners() }).await
    }

    pub(crate) async fn follow_state(&mut self, state: &State<'_>) -> Result<(), NetworkError> {
        if !Arc::ptr_eq(&self.published, state.zones) {
            self.dns.publish(state.zones)?;
            self.published = Arc::clone(state.zones);
        }
        if self.dns.is_answering() != state.dns_up {
            self.dns.set_answering(state.dns_up).await?;
        }
        if self.applied != state.listeners {
            self.fleet.apply(state.listeners).await?;
            self.applied = state.listeners.to_vec();
        }
        Ok(())
    }

    /// Why Edge Servers share one address, when they do; to be told to the user once.
    pub fn fallback(&self) -> Option<&Fallback> {
        self.block.fallback()
    }

    /// The DNS server.
    pub fn dns(&self) -> &DnsServer {
        &self.dns
    }

    /// The Edge Servers' listeners.
    pub fn fleet(&self) -> &EdgeFleet {
        &self.fleet
    }

    /// Addresses of the topology and of the wire.
    pub fn map(&self) -> &AddressMap {
        &self.map
    }

    /// A partner's resolver.
    pub fn resolver(&self, partner: PartnerId) -> &PartnerResolver {
        &self.resolvers[partner.index()]
    }

    /// What a partner sees for a name at an instant; asks and caches when nothing is cached.
    pub async fn lookup(&self, partner: PartnerId, name: &str, record_type: RecordType, now: SimTime) -> PartnerView {
        self.resolver(partner).lookup(name, record_type, now).await
    }

    /// Walks the way of a federation question over the wire. Inbound, the wire answers by itself. Outbound, the model says
    /// whether there is a way out and through which Edge Server (`model` is its answer to the same question); where there
    /// is, a connection from that server's address to the partner's server must succeed.
    ///
    /// # Errors
    /// When the wire does something that the model has no answer for.
    pub async fn reach(&self, query: &ReachQuery, now: SimTime, model: &Reach) -> Result<Reach, ProbeError> {
        match query.direction {
            Direction::Inbound => probe::inbound(&self.prober(query.partner), query.protocol, &query.domain, now).await,
            Direction::Outbound => self.reach_out(query, model).await,
        }
    }

    fn prober(&self, partner: PartnerId) -> Prober<'_> {
        Prober {
            resolver: self.resolver(partner),
            map: &self.map,
            fleet: &self.fleet,
            partner: &self.topology.partner(partner).domain,
            source: self.partners.address(partner),
            seed: self.seed,
            limits: self.limits,
        }
    }

    async fn reach_out(&self, query: &ReachQuery, model: &Reach) -> Result<Reach, ProbeError> {
        let Some((_, computer)) = model.via else { return Ok(model.clone()) };
        let wire = match self.fleet.address_of(computer) {
            Some(address) => Some(self.map.wire(address)?),
            None => None,
        };
        let source = wire.and_then(|wire| self.map.source(wire));
        let partner = &self.topology.partner(query.partner).domain;
        let result = match self.partners.endpoint(query.partner, query.protocol) {
            None => AttemptResult::Refused,
            Some(peer) => probe::outbound(source, peer, query.protocol, &query.domain, partner, &self.limits).await?,
        };
        let failure = match result {
            AttemptResult::Answered => return Ok(model.clone()),
            AttemptResult::TurnedAway(refusal) => ReachFailure::TurnedAway(refusal),
            AttemptResult::Refused | AttemptResult::NoAddress => ReachFailure::NotConnected,
        };
        let attempts = model.attempts.iter().map(|attempt| Attempt { result, ..attempt.clone() }).collect();
        Ok(Reach { via: None, attempts, failure: Some(failure) })
    }

    /// Stops everything and waits until all ports are free.
    ///
    /// # Errors
    /// When the DNS server had failed.
    pub async fn shutdown(self) -> Result<(), NetworkError> {
        self.fleet.shutdown().await;
        self.partners.shutdown().await;
        Ok(self.dns.shutdown().await?)
    }
}

/// What of a fabric shows on the wire.
pub(crate) struct State<'a> {
    pub(crate) zones: &'a Arc<Zones>,
    pub(crate) dns_up: bool,
    pub(crate) listeners: &'a [Listener],
}

fn edge_addresses(topology: &Topology) -> impl Iterator<Item = Ipv4Addr> + '_ {
    topology.edge_pools.iter().flat_map(|pool| pool.servers.iter().map(|server| server.external))
}
