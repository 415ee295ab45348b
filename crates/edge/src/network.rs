//! Everything that one fabric has on the wire.

use std::net::Ipv4Addr;
use std::sync::Arc;

use firedrill_dns::{AddressMap, DnsError, Fallback, LoopbackBlock, NameServers, PartnerResolver, targets};
use firedrill_fabric::federation::{
    AttemptResult, CertificateDates, Direction, InnerListener, Listener, Protocol, Reach, ReachFailure, ReachQuery, Undelivered, WayOut,
};
use firedrill_fabric::naming::{Answer, PartnerView, Zones, canonical_name};
use firedrill_fabric::{Fabric, SimDuration, SimTime};
use firedrill_topology::{PartnerId, RecordData, RecordType, ResolverSettings, Topology};

use crate::error::{EdgeError, ProbeError};
use crate::fleet::EdgeFleet;
use crate::inner::InnerSide;
use crate::limits::Limits;
use crate::partner::PartnerListeners;
use crate::probe::{self, Prober, Trace};
use crate::registrars::Registrars;
use crate::surroundings::{Gateway, Surroundings};
use crate::tls::Credentials;
use crate::xmpp::{Element as Stanza, Mail, StreamFailure, StreamRecord, message_to, presence_to};

mod talk;

pub use talk::{SipAsk, SipError, SipOutcome};

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
    map: AddressMap,
    dns: NameServers,
    /// What the listeners follow.
    applied: Vec<Listener>,
    /// What the inner side follows.
    applied_inner: Vec<InnerListener>,
    ways_out: Vec<WayOut>,
    around: Surroundings,
    inner: InnerSide,
    fleet: EdgeFleet,
    registrars: Registrars,
    partners: PartnerListeners,
    resolvers: Vec<PartnerResolver>,
    /// What clients inside ask, and remote users; neither caches, because the model has no caches of theirs.
    inside: PartnerResolver,
    outside: PartnerResolver,
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
        Self::start_beside(block, fabric, limits, &[]).await
    }

    /// As [`Self::start_on`], with partners that are played by programs outside: none stands in for them. Such a partner
    /// needs a zone in the topology; [`Self::partner_address`] says where its program must listen.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub async fn start_beside(block: LoopbackBlock, fabric: &Fabric, limits: Limits, real: &[PartnerId]) -> Result<Self, NetworkError> {
        let (topology, seed) = (fabric.topology(), fabric.seed());
        let map = AddressMap::new(&block, edge_addresses(topology))?;
        let mut places = Vec::new();
        for partner in &topology.partners {
            let place = xmpp_server_of(fabric.zones(), &partner.domain);
            let claim = |address| map.claim(address, &format!("the server of `{}`", partner.domain));
            places.push(place.map(claim).transpose()?);
        }
        let dns = NameServers::start(&block, fabric, &map).await?;
        // The Edge Servers ask a resolver of their own, which does what TTLs say.
        let lookups = PartnerResolver::with_servers(&dns.addresses(), &map, OBEDIENT)?;
        let gateway: Arc<dyn Gateway> = Arc::new(fabric.clone());
        let around = Surroundings::new(&map, seed, limits, authority_dates(fabric), Some(lookups), gateway)?;
        around.set_now(fabric.now());
        let listeners = fabric.listeners();
        let fleet = EdgeFleet::start_in(&around, &listeners).await?;
        let inner_listeners = fabric.inner_listeners();
        let inner = InnerSide::start(&map, topology, &inner_listeners).await?;
        let registrars = Registrars::start(&around, fabric).await?;
        let partners = PartnerListeners::start(&around, &topology.partners, &places, real).await?;
        for (index, partner) in topology.partners.iter().enumerate() {
            let id = PartnerId(index as u32);
            let server = if places[index].is_none() { partners.endpoint(id, Protocol::Xmpp) } else { None };
            if let Some(server) = server.filter(|_| partner.xmpp) {
                around.directory().tell(&partner.domain, server);
            }
        }
        let resolver = |partner: &firedrill_topology::Partner| PartnerResolver::with_servers(&dns.addresses(), &map, partner.resolver);
        let resolvers = topology.partners.iter().map(resolver).collect::<Result<_, _>>()?;
        let internal = dns.internal_address().map_or_else(|| dns.addresses(), |address| vec![address]);
        let inside = PartnerResolver::with_servers(&internal, &map, FORGETFUL)?;
        let outside = PartnerResolver::with_servers(&dns.addresses(), &map, FORGETFUL)?;
        Ok(Self {
            topology: Arc::clone(topology),
            map,
            dns,
            applied: listeners,
            applied_inner: inner_listeners,
            ways_out: ways_out(fabric),
            around,
            inner,
            fleet,
            registrars,
            partners,
            resolvers,
            inside,
            outside,
            block,
        })
    }

    /// Makes the wire follow the fabric as it is now. Cheap when nothing has changed.
    ///
    /// # Errors
    /// When a port was lost, or zones cannot be served.
    pub async fn follow(&mut self, fabric: &Fabric) -> Result<(), NetworkError> {
        let listeners = fabric.listeners();
        self.dns.follow(fabric).await?;
        self.around.set_now(fabric.now());
        self.around.set_gateway(Arc::new(fabric.clone()));
        if self.applied != listeners {
            self.fleet.apply(&listeners).await?;
            self.applied = listeners;
        }
        self.registrars.follow(fabric).await?;
        let inner_listeners = fabric.inner_listeners();
        if self.applied_inner != inner_listeners {
            self.inner.apply(&inner_listeners).await?;
            self.applied_inner = inner_listeners;
        }
        self.ways_out = ways_out(fabric);
        Ok(())
    }

    /// Why Edge Servers share one address, when they do; to be told to the user once.
    pub fn fallback(&self) -> Option<&Fallback> {
        self.block.fallback()
    }

    /// The name servers.
    pub fn dns(&self) -> &NameServers {
        &self.dns
    }

    /// The same, to carry out dynamic updates.
    pub fn dns_mut(&mut self) -> &mut NameServers {
        &mut self.dns
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

    /// Walks the way of a federation question over the wire. Inbound: the partner's look-ups, targets and connections.
    /// Outbound: from each pool that serves users to the inner side of an Edge Server of its site's route, and from the
    /// first such server's address to the partner's server. Where no Edge Server takes it, no connection leaves
    /// ([`Self::partner_connections`]).
    ///
    /// # Errors
    /// When the wire does something that the model has no answer for.
    pub async fn reach(&self, query: &ReachQuery, now: SimTime) -> Result<Reach, ProbeError> {
        match query.direction {
            Direction::Inbound => probe::inbound(&self.prober(query.partner), query.protocol, &query.domain, now).await,
            Direction::Outbound => self.reach_out(query).await,
        }
    }

    /// Walks the way of a partner to a domain of ours, to a ping over XMPP, and tells every hop.
    ///
    /// # Errors
    /// As [`Self::reach`].
    pub async fn trace(&self, partner: PartnerId, protocol: Protocol, domain: &str, now: SimTime) -> Result<Trace, ProbeError> {
        probe::trace(&self.prober(partner), protocol, domain, now).await
    }

    fn prober(&self, partner: PartnerId) -> Prober<'_> {
        let source = self.partners.address(partner);
        let domain = &self.topology.partner(partner).domain;
        let prober = Prober::new(self.resolver(partner), &self.fleet, domain, source);
        match self.partners.xmpp_host(partner) {
            Some(stand_in) => prober.standing_in(stand_in),
            None => prober,
        }
    }

    async fn reach_out(&self, query: &ReachQuery) -> Result<Reach, ProbeError> {
        let partner = &self.topology.partner(query.partner).domain;
        let ways: Vec<WayOut> = self.ways_out.iter().filter(|way| way.protocol == query.protocol).cloned().collect();
        let unreached = |failure| Reach { via: None, attempts: Vec::new(), failure: Some(failure) };
        let (edge_pool, computer) = match self.inner.leave(&ways, partner, self.around.limits()).await? {
            Ok(edge) => edge,
            Err(failure) => return Ok(unreached(failure)),
        };
        let wire = match self.fleet.address_of(computer) {
            Some(address) => Some(self.map.wire(address)?),
            None => None,
        };
        let source = wire.and_then(|wire| self.map.source(wire));
        let host = self.fleet.xmpp_host(computer);
        let result = match (self.partners.endpoint(query.partner, query.protocol), host) {
            (Some(peer), Some(host)) => probe::outbound(host, source, peer, query.protocol, &query.domain, partner).await?,
            _ => AttemptResult::Refused,
        };
        Ok(match result {
            AttemptResult::Answered => Reach { via: Some((edge_pool, computer)), attempts: Vec::new(), failure: None },
            AttemptResult::TurnedAway(refusal) => unreached(ReachFailure::TurnedAway(refusal)),
            AttemptResult::Refused | AttemptResult::NoAddress => unreached(ReachFailure::NotConnected),
        })
    }

    /// Connections that the server of a partner has taken so far, of all that knock there; none where no stand-in listens.
    pub fn partner_connections(&self, partner: PartnerId, protocol: Protocol) -> u64 {
        self.partners.connections(partner, protocol)
    }

    /// The certificate authority of this fabric, in PEM: what real peers must trust.
    pub fn authority_pem(&self) -> &str {
        self.around.authority().pem()
    }

    /// Issues a certificate for a partner that is played by a program outside.
    ///
    /// # Errors
    /// When a name cannot stand in a certificate.
    pub fn issue(&self, names: &[String]) -> Result<Credentials, EdgeError> {
        let authority = self.around.authority();
        Ok(authority.issue(names, authority.dates())?)
    }

    /// The loopback address of a partner's server.
    pub fn partner_address(&self, partner: PartnerId) -> Option<Ipv4Addr> {
        self.partners.address(partner)
    }

    /// Mailboxes and contact lists.
    pub fn mail(&self) -> &Mail {
        self.around.mail()
    }

    /// XMPP streams that came about so far, the last thousand, oldest first.
    pub fn streams(&self) -> Vec<StreamRecord> {
        self.around.ledger().records()
    }

    /// Sends an instant message over XMPP: from a user of ours through the site's route, or from a user of a partner that
    /// has a stand-in. It has reached the other server when this returns; whether it reached the user shows in [`Self::mail`].
    ///
    /// # Errors
    /// Why it did not leave.
    pub async fn send_message(&self, from: &str, to: &str, body: &str) -> Result<(), SendError> {
        self.send(from, to, |id| message_to(from, to, id, body)).await
    }

    /// Sends presence as [`Self::send_message`] sends messages: `kind` is the type of the stanza, empty for available. A
    /// subscription puts the other one on the contact list.
    ///
    /// # Errors
    /// Why it did not leave.
    pub async fn send_presence(&self, from: &str, to: &str, kind: &str, status: Option<&str>) -> Result<(), SendError> {
        if kind == "subscribe" {
            self.mail().add_contact(from, to);
        }
        self.send(from, to, |_| presence_to(from, to, kind, status)).await
    }

    async fn send(&self, from: &str, to: &str, stanza: impl FnOnce(&str) -> Stanza) -> Result<(), SendError> {
        let domain = |address: &str| address.split_once('@').map(|(_, domain)| canonical_name(domain));
        let (Some(ours), Some(theirs)) = (domain(from), domain(to)) else { return Err(SendError::Address) };
        let host = if self.topology.sip_domains.contains(&ours) {
            let computer = self.around.gateway().outbound(from, &theirs).map_err(SendError::Undelivered)?;
            self.fleet.xmpp_host(computer)
        } else {
            self.topology.find_partner(&ours).and_then(|partner| self.partners.xmpp_host(partner))
        };
        let host = host.ok_or(SendError::NoServer)?;
        let id = host.fresh_id("stanza");
        let outcome = host.post(&ours, &theirs, stanza(&id)).await;
        outcome.unwrap_or(Err(StreamFailure::Broken("the server has stopped".to_owned()))).map_err(SendError::Stream)
    }

    /// Stops everything and waits until all ports are free.
    ///
    /// # Errors
    /// When the DNS server had failed.
    pub async fn shutdown(self) -> Result<(), NetworkError> {
        self.fleet.shutdown().await;
        self.inner.shutdown().await;
        self.registrars.shutdown().await;
        self.partners.shutdown().await;
        Ok(self.dns.shutdown().await?)
    }
}

/// A stanza did not leave.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// Not `user@domain`.
    #[error("an address has the form user@domain")]
    Address,
    /// The model has no way for it.
    #[error("not delivered: {0:?}")]
    Undelivered(Undelivered),
    /// Nobody stands in for the sender's server.
    #[error("no server sends for this domain")]
    NoServer,
    /// The stream to the other server failed.
    #[error("the stream to the other server failed: {0}")]
    Stream(StreamFailure),
}

/// The Edge Servers' own resolver.
const OBEDIENT: ResolverSettings =
    ResolverSettings { max_ttl_seconds: 604_800, min_ttl_seconds: 0, max_negative_ttl_seconds: 86_400, serve_stale_seconds: 0 };

/// Resolvers of clients.
const FORGETFUL: ResolverSettings =
    ResolverSettings { max_ttl_seconds: 0, min_ttl_seconds: 0, max_negative_ttl_seconds: 0, serve_stale_seconds: 0 };

/// The authority lives a year longer at both ends than what it issues.
fn authority_dates(fabric: &Fabric) -> CertificateDates {
    let years = SimDuration::from_secs(6 * 365 * 86_400);
    CertificateDates { not_before: (fabric.started() + years * -1).max(SimTime(0)), not_after: fabric.started() + years }
}

/// The ways out over both federations.
fn ways_out(fabric: &Fabric) -> Vec<WayOut> {
    [Protocol::Xmpp, Protocol::Sip].into_iter().flat_map(|protocol| fabric.ways_out(protocol)).collect()
}

/// Where a partner's XMPP server is by the topology's own zones.
fn xmpp_server_of(zones: &Zones, domain: &str) -> Option<Ipv4Addr> {
    let domain = canonical_name(domain);
    zones.zone_for(&domain)?;
    let srv = zones.resolve(&Protocol::Xmpp.service_name(&domain), RecordType::Srv).0;
    let host = match &srv {
        Answer::Records { set, .. } => set.data.iter().find_map(|data| match data {
            RecordData::Srv { target, .. } if !target.is_empty() => Some(target.clone()),
            _ => None,
        })?,
        _ => domain,
    };
    targets::addresses(&zones.resolve(&host, RecordType::A).0).first().copied()
}

fn edge_addresses(topology: &Topology) -> impl Iterator<Item = Ipv4Addr> + '_ {
    topology.edge_pools.iter().flat_map(|pool| pool.servers.iter().map(|server| server.external))
}
