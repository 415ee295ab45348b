//! Whether partners reach us on 5269 and 5061, and we them (dossier F; RFC 6120 3.2, RFC 2782).

use std::net::Ipv4Addr;
use std::sync::Arc;

use firedrill_topology::{ComputerId, EdgePoolId, EdgeServer, PoolId, RecordData, RecordType};

use crate::config::Configuration;
use crate::evidence::Behaviour;
use crate::fabric::Fabric;
use crate::fault::Fault;
use crate::federation::{
    Attempt, AttemptResult, CertificateDates, Direction, EdgeRefusal, InnerListener, Level, Listener, Protocol, Reach, ReachFailure,
    ReachQuery, Reached, Undelivered, WayOut, XmppMethods, XmppProxy, strict_match,
};
use crate::naming::{Answer, Target, canonical_name, order_targets};
use crate::service::ServiceName;
use crate::serving::ServiceMode;
use crate::time::{SimDuration, SimTime};
use crate::world::network::Endpoint;

/// Access Edge and registrar: SIP over TLS (dossier F.6).
const SIP_PORT: u16 = 5061;
/// XMPP gateway on the Front End to its proxy on the Edge, and back (dossier F.6, L).
const XMPP_GATEWAY_PORT: u16 = 23456;
/// Front End to the A/V authentication service of the Edge (dossier F.6).
const MRAS_PORT: u16 = 5062;

/// Why an Edge Server does not listen for a federation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Obstacle {
    ComputerOff,
    ServiceNotRunning(ServiceName),
    NotInstalled,
    NotEnabled,
    NoRoute,
    PortClosed(u16),
    PortTaken(u16),
}

impl Fabric {
    /// Whether a partner reaches us, or we it. Fills the partner's cache as the partner's look-ups would.
    pub fn reach(&mut self, query: &ReachQuery) -> Reach {
        self.lean(Behaviour::EdgeListens);
        let reach = match (query.direction, query.protocol) {
            (Direction::Outbound, _) => {
                self.lean(Behaviour::OutboundRoute);
                let reach = self.reach_outbound(query);
                self.dialled_back(query, reach)
            }
            (Direction::Inbound, Protocol::Xmpp) => {
                self.lean(Behaviour::XmppTargets);
                if self.some_proxy_lacks_its_port() {
                    self.lean(Behaviour::XmppPortTaken);
                }
                self.reach_xmpp(query)
            }
            (Direction::Inbound, Protocol::Sip) => {
                self.lean(Behaviour::SipFederationTarget);
                if self.active_edge_is_inferred() {
                    self.lean(Behaviour::SipActiveEdge);
                }
                self.reach_sip(query)
            }
        };
        match reach.failure {
            Some(ReachFailure::TurnedAway(EdgeRefusal::NextHopUnavailable)) => self.lean(Behaviour::EdgeNextHop),
            Some(ReachFailure::TurnedAway(EdgeRefusal::CertificateExpired)) => self.lean(Behaviour::CertificateExpiry),
            _ => {}
        }
        reach
    }

    /// External listeners of all Edge Servers, those that do not listen included.
    pub fn listeners(&self) -> Vec<Listener> {
        let mut listeners = Vec::new();
        for edge_pool in self.topology.edge_pool_ids() {
            for server in &self.topology.edge_pool(edge_pool).servers {
                for protocol in [Protocol::Xmpp, Protocol::Sip] {
                    listeners.push(self.listener(edge_pool, *server, protocol));
                }
            }
        }
        listeners
    }

    /// Whether an Edge pool carries media for a pool's users now, and which one (dossier F.4): its media services run, and
    /// a Front End of the pool reaches the authentication service.
    pub fn media_edge(&self, pool: PoolId) -> Option<(EdgePoolId, bool)> {
        let edge = self.settings_known_to(pool, pool).media_edge?;
        let front_ends = self.front_ends_running(pool);
        let works = self.topology.edge_pool(edge).servers.iter().any(|server| {
            let media = [ServiceName::RtcMrAuth, ServiceName::RtcMediaRelay, ServiceName::RtcDataProxy];
            media.iter().all(|service| self.service_running(server.computer, *service))
                && self.any_reaches(&front_ends, server.computer, MRAS_PORT)
        });
        Some((edge, works && self.pool_in_service(pool)))
    }

    /// Whether which Edge pool carries SIP federation follows from our reading of the routes: several have the bit, or the
    /// one that has it is named by no route.
    fn active_edge_is_inferred(&self) -> bool {
        self.topology.edge_pool_ids().any(|edge_pool| {
            let Some(server) = self.topology.edge_pool(edge_pool).servers.first() else { return false };
            let document = self.local_store(server.computer);
            let federated = document.edges.iter().filter(|edge| edge.federation).count();
            let named = document.sites.iter().any(|site| site.federation_route == Some(edge_pool));
            document.edges[edge_pool.index()].federation && (federated > 1 || !named)
        })
    }

    /// Whether some XMPP proxy was given the Access Edge's port.
    fn some_proxy_lacks_its_port(&self) -> bool {
        self.topology.edge_pool_ids().any(|edge_pool| {
            let servers = &self.topology.edge_pool(edge_pool).servers;
            servers.iter().any(|server| matches!(self.obstacle(edge_pool, server.computer, Protocol::Xmpp), Some(Obstacle::PortTaken(_))))
        })
    }

    /// RFC 6120 3.2: targets in order, every address of each; the domain's own address only where there is no SRV record.
    fn reach_xmpp(&mut self, query: &ReachQuery) -> Reach {
        let domain = canonical_name(&query.domain);
        if let Ok(address) = domain.parse::<Ipv4Addr>() {
            let target = Target { priority: 0, weight: 0, host: domain, port: Protocol::Xmpp.default_port() };
            let attempt = self.connect(query, target, Some(address));
            return self.conclude(vec![attempt]);
        }
        match self.partner_view(query.partner, &Protocol::Xmpp.service_name(&domain), RecordType::Srv).answer {
            Answer::NoServer => unreachable(ReachFailure::DnsUnavailable),
            Answer::Records { set, .. } if declined(&set.data) => unreachable(ReachFailure::ServiceDeclined),
            Answer::Records { set, .. } => {
                let targets = self.ordered(query, &domain, &set.data);
                self.try_targets(query, targets)
            }
            Answer::NoName | Answer::NoData => {
                let own = Target { priority: 0, weight: 0, host: domain, port: Protocol::Xmpp.default_port() };
                let mut reach = self.try_targets(query, vec![own]);
                if reach.attempts.iter().all(|attempt| attempt.result == AttemptResult::NoAddress)
                    && reach.failure == Some(ReachFailure::NotConnected)
                {
                    reach.failure = Some(ReachFailure::NoRecords);
                }
                reach
            }
        }
    }

    /// Dossier F.5: only the first record counts, it must lie inside the SIP domain, and there is no fall-back.
    fn reach_sip(&mut self, query: &ReachQuery) -> Reach {
        let domain = canonical_name(&query.domain);
        match self.partner_view(query.partner, &Protocol::Sip.service_name(&domain), RecordType::Srv).answer {
            Answer::NoServer => unreachable(ReachFailure::DnsUnavailable),
            Answer::NoName | Answer::NoData => unreachable(ReachFailure::NoRecords),
            Answer::Records { set, .. } if declined(&set.data) => unreachable(ReachFailure::ServiceDeclined),
            Answer::Records { set, .. } => match self.ordered(query, &domain, &set.data).into_iter().next() {
                None => unreachable(ReachFailure::NoRecords),
                Some(first) if !strict_match(&domain, &first.host) => unreachable(ReachFailure::StrictMatch),
                Some(first) => self.try_targets(query, vec![first]),
            },
        }
    }

    /// SRV records in the order in which this partner tries them; `.` among others means nothing (network rules, case 16).
    fn ordered(&self, query: &ReachQuery, domain: &str, records: &[RecordData]) -> Vec<Target> {
        let stream = query.protocol.stream_name(&self.topology.partner(query.partner).domain, domain);
        order_targets(records, self.seed, &stream).into_iter().filter(|target| !target.host.is_empty()).collect()
    }

    /// Tries targets in order, each with all its addresses, until somebody answers the connection.
    fn try_targets(&mut self, query: &ReachQuery, targets: Vec<Target>) -> Reach {
        let mut attempts = Vec::new();
        let mut dns_silent = false;
        for target in targets {
            let answer = self.partner_view(query.partner, &target.host, RecordType::A).answer;
            dns_silent |= answer == Answer::NoServer;
            let addresses = addresses(&answer);
            if addresses.is_empty() {
                attempts.push(Attempt { target, address: None, result: AttemptResult::NoAddress });
                continue;
            }
            for address in addresses {
                let attempt = self.connect(query, target.clone(), Some(address));
                let decided = attempt.result != AttemptResult::Refused;
                attempts.push(attempt);
                if decided {
                    return self.conclude(attempts);
                }
            }
        }
        let mut reach = self.conclude(attempts);
        let nobody = reach.attempts.iter().all(|attempt| attempt.result == AttemptResult::NoAddress);
        if dns_silent && nobody && !self.dns_up() {
            reach.failure = Some(ReachFailure::DnsUnavailable);
        }
        reach
    }

    /// One connection attempt.
    fn connect(&self, query: &ReachQuery, target: Target, address: Option<Ipv4Addr>) -> Attempt {
        let listener = address.and_then(|address| self.listener_at(address, target.port));
        let result = match listener {
            None => AttemptResult::Refused,
            // Whoever speaks another protocol there understands nothing of it.
            Some(found) if found.protocol != query.protocol => AttemptResult::Refused,
            Some(found) => {
                let trusted = if query.protocol == Protocol::Sip { found.trusted_as(&target.host) } else { Ok(()) };
                match trusted.and_then(|()| found.admits(&self.topology.partner(query.partner).domain, &query.domain)) {
                    Ok(()) => AttemptResult::Answered,
                    Err(refusal) => AttemptResult::TurnedAway(refusal),
                }
            }
        };
        Attempt { target, address, result }
    }

    /// What attempts come to: the last one decides when somebody was there.
    fn conclude(&self, attempts: Vec<Attempt>) -> Reach {
        let last = attempts.last().map(|attempt| (attempt.result, attempt.address, attempt.target.port));
        let (via, failure) = match last {
            Some((AttemptResult::Answered, Some(address), port)) => {
                (self.listener_at(address, port).map(|listener| (listener.edge_pool, listener.computer)), None)
            }
            Some((AttemptResult::TurnedAway(refusal), ..)) => (None, Some(ReachFailure::TurnedAway(refusal))),
            _ => (None, Some(ReachFailure::NotConnected)),
        };
        Reach { via, attempts, failure }
    }

    fn listener_at(&self, address: Ipv4Addr, port: u16) -> Option<Listener> {
        // Two may have been given the same port; at most one of them has it.
        self.listeners().into_iter().find(|listener| listener.listening && listener.address == address && listener.port == port)
    }

    fn listener(&self, edge_pool: EdgePoolId, server: EdgeServer, protocol: Protocol) -> Listener {
        let document = self.local_store(server.computer);
        let port = match protocol {
            Protocol::Xmpp => document.edges[edge_pool.index()].xmpp_listening_port.unwrap_or(protocol.default_port()),
            Protocol::Sip => protocol.default_port(),
        };
        Listener {
            edge_pool,
            computer: server.computer,
            address: server.external,
            protocol,
            port,
            listening: self.obstacle(edge_pool, server.computer, protocol).is_none(),
            domains: self.topology.sip_domains.clone(),
            partners: Some(self.partners_allowed(&document, protocol)),
            refusal: self.refusal(edge_pool, server.computer, protocol, &document),
            certificate: self.certificate_dates(server.computer),
            xmpp: (protocol == Protocol::Xmpp).then(|| Arc::new(self.xmpp_proxy(server.computer, &document))),
        }
    }

    fn xmpp_proxy(&self, computer: ComputerId, document: &Configuration) -> XmppProxy {
        XmppProxy {
            gateway: document.xmpp_gateway.clone(),
            partners: document.xmpp_partners.values().cloned().collect(),
            reaches_partners: self.reaches_partners(computer),
        }
    }

    /// Validity of a computer's certificate (invented: the topology does not have it). Five years on both sides of the
    /// start of virtual time, so that real peers, which judge by their own clocks, find it valid too; one that has expired
    /// did so the day before the start.
    pub fn certificate_dates(&self, computer: ComputerId) -> CertificateDates {
        let (day, years) = (SimDuration::from_secs(86_400), SimDuration::from_secs(5 * 365 * 86_400));
        let expired = self.fault_active(&Fault::Certificate(computer));
        // Certificates know no time before the epoch that every checker takes.
        let since_epoch = |instant: SimTime| instant.max(SimTime(0));
        CertificateDates {
            not_before: since_epoch(self.start + years * -1),
            not_after: since_epoch(self.start + if expired { day * -1 } else { years }),
        }
    }

    /// Whether connections from an Edge Server to partners' XMPP servers pass (dossier F.6: 5269 in both directions).
    pub fn reaches_partners(&self, edge: ComputerId) -> bool {
        self.computer_up(edge) && self.path_open(Endpoint::Computer(edge), Endpoint::Internet, Protocol::Xmpp.default_port())
    }

    /// Whether a stanza that a partner's user sends through an Edge Server reaches a user of ours: the gateway behind the
    /// Edge answers (dossier F.7), the user exists and is served in full (dossier B.3: presence is unknown otherwise; that
    /// federated messages fail as well is inferred).
    ///
    /// # Errors
    /// Why not.
    pub fn xmpp_inbound(&self, edge: ComputerId, user: &str) -> Result<(), Undelivered> {
        let next_hop = self.next_hop_of(edge);
        let Some(next_hop) = next_hop.filter(|pool| self.next_hop_answers(*pool, edge, Protocol::Xmpp)) else {
            return Err(Undelivered::NextHopUnavailable);
        };
        let pool = self.user_in_full(user)?;
        // From the gateway on it is SIP between pools, over the link between their sites.
        if pool == next_hop || self.pool_sees(next_hop, pool) { Ok(()) } else { Err(Undelivered::NextHopUnavailable) }
    }

    /// The Edge Server through which a user of ours reaches a partner over XMPP now: the route of the site whose pool
    /// serves the user (dossier F.3, F.7).
    ///
    /// # Errors
    /// Why there is none.
    pub fn xmpp_outbound(&self, user: &str, partner: &str) -> Result<ComputerId, Undelivered> {
        self.leaves_through(user, partner, Protocol::Xmpp)
    }

    /// As [`Self::reach`], with the level that is reached; XMPP goes on to a ping only where L6 is `wanted`. A ping is answered when the one who was asked reaches
    /// the other in turn, because the answer travels on a stream of its own (RFC 6120 4.5); over SIP an answer to OPTIONS is
    /// all there is.
    pub fn reached(&mut self, query: &ReachQuery, wanted: Level) -> Reached {
        let reach = self.reach(query);
        let level = match (query.direction, &reach.via) {
            (_, Some((_, edge))) => {
                let answered = match (query.protocol, query.direction) {
                    (Protocol::Sip, _) => true,
                    (Protocol::Xmpp, _) if wanted < Level::RoundTrip => false,
                    (Protocol::Xmpp, Direction::Inbound) => self.reaches_partners(*edge),
                    (Protocol::Xmpp, Direction::Outbound) => self.reach_xmpp(query).failure.is_none(),
                };
                if answered { Level::RoundTrip } else { Level::Authenticated }
            }
            (Direction::Inbound, None) => self.refused_at(query, &reach).unwrap_or(reach.level(query.protocol)),
            (Direction::Outbound, None) => self.refused_outside(query, &reach),
        };
        Reached { reach, level }
    }

    /// Why an Edge Server does not listen; none when it does. It goes by the replica on the Edge itself (dossier 0.2 rule
    /// 10), and by what setup installed there (dossier H). An XMPP proxy that was given the port of the Access Edge does not
    /// get it while the Access Edge listens there (inferred: one socket per address and port, and the product does not refuse
    /// the setting).
    pub(crate) fn obstacle(&self, edge_pool: EdgePoolId, computer: ComputerId, protocol: Protocol) -> Option<Obstacle> {
        let document = self.local_store(computer);
        let edge = &document.edges[edge_pool.index()];
        let installed = self.installed(computer);
        let (service, present, enabled, routed, port) = match protocol {
            Protocol::Xmpp => (
                ServiceName::RtcXmppTgwPx,
                installed.xmpp,
                edge.xmpp_listening_port.is_some(),
                document.sites.iter().any(|site| site.xmpp_route == Some(edge_pool)),
                edge.xmpp_listening_port.unwrap_or(protocol.default_port()),
            ),
            Protocol::Sip => (
                ServiceName::RtcSrv,
                installed.federation,
                edge.federation,
                carries_sip_federation(&document, edge_pool),
                protocol.default_port(),
            ),
        };
        if !self.computer_up(computer) {
            Some(Obstacle::ComputerOff)
        } else if !enabled {
            Some(Obstacle::NotEnabled)
        } else if !present {
            Some(Obstacle::NotInstalled)
        } else if !self.service_running(computer, service) {
            Some(Obstacle::ServiceNotRunning(service))
        } else if !routed {
            Some(Obstacle::NoRoute)
        } else if !self.path_open(Endpoint::Internet, Endpoint::Computer(computer), port) {
            Some(Obstacle::PortClosed(port))
        } else if protocol == Protocol::Xmpp && port == SIP_PORT && self.obstacle(edge_pool, computer, Protocol::Sip).is_none() {
            Some(Obstacle::PortTaken(port))
        } else {
            None
        }
    }

    /// Partner domains that an Edge accepts. SIP federation is open to the partners of the topology; XMPP to those that an
    /// administrator allowed (dossier F.7), as the Edge's replica has them.
    fn partners_allowed(&self, document: &Configuration, protocol: Protocol) -> Vec<String> {
        match protocol {
            Protocol::Sip => self.topology.partners.iter().filter(|partner| partner.sip).map(|partner| partner.domain.clone()).collect(),
            Protocol::Xmpp => document
                .xmpp_partners
                .values()
                .flat_map(|partner| std::iter::once(&partner.domain).chain(&partner.additional_domains))
                .cloned()
                .collect(),
        }
    }

    /// Why an Edge that listens would turn everybody away.
    fn refusal(&self, edge_pool: EdgePoolId, computer: ComputerId, protocol: Protocol, document: &Configuration) -> Option<EdgeRefusal> {
        let expired = self.fault_active(&Fault::Certificate(computer)).then_some(EdgeRefusal::CertificateExpired);
        let alone = !self.next_hop_answers(document.edges[edge_pool.index()].next_hop, computer, protocol);
        let next_hop = alone.then_some(EdgeRefusal::NextHopUnavailable);
        match protocol {
            Protocol::Sip => expired.or(next_hop),
            // XMPP begins in clear text: who asks for what is answered before anybody sees the certificate.
            Protocol::Xmpp => next_hop.or(expired),
        }
    }

    /// Whether an Edge Server reaches its next hop: a pool in service, and a Front End of it with the service and the port
    /// that this federation needs.
    pub(crate) fn next_hop_answers(&self, next_hop: PoolId, edge: ComputerId, protocol: Protocol) -> bool {
        let (service, port) = inner_leg(protocol);
        self.pool_in_service(next_hop)
            && self.topology.pool(next_hop).front_ends.iter().any(|front_end| {
                self.service_running(*front_end, service)
                    && !self.fault_active(&Fault::Certificate(*front_end))
                    && self.reaches(edge, *front_end, port)
            })
    }

    /// How far a partner got whom its own settings kept from authenticating: without any method the header is refused;
    /// otherwise TLS is there before dialback fails, where it is used.
    fn refused_at(&self, query: &ReachQuery, reach: &Reach) -> Option<Level> {
        let last = reach.attempts.last()?;
        if last.result != AttemptResult::TurnedAway(EdgeRefusal::NoAuthentication) {
            return None;
        }
        let listener = self.listener_at(last.address?, last.target.port)?;
        let methods = listener.xmpp_methods(&self.topology.partner(query.partner).domain);
        Some(match (methods.is_empty(), methods.uses_tls()) {
            (true, _) => Level::Connected,
            (false, true) => Level::Secured,
            (false, false) => Level::Answered,
        })
    }

    /// How far we got where our way out failed: only who lacks a method to authenticate was outside at all. The partner's
    /// server answers and, where the settings use it, speaks TLS before they come to nothing.
    fn refused_outside(&self, query: &ReachQuery, reach: &Reach) -> Level {
        if reach.failure != Some(ReachFailure::TurnedAway(EdgeRefusal::NoAuthentication)) {
            return Level::Nothing;
        }
        let partner = &self.topology.partner(query.partner).domain;
        let carrier = self.reach_outbound(query).via.map(|(_, computer)| self.local_store(computer));
        let settings = carrier.as_ref().and_then(|document| document.xmpp_partners.values().find(|settings| settings.has_domain(partner)));
        if settings.map(XmppMethods::of).is_some_and(XmppMethods::uses_tls) { Level::Secured } else { Level::Answered }
    }

    /// Where Server Dialback is all that a partner's settings leave, its server asks back at our domain before it believes
    /// the Edge (XEP-0220 2.1): the way out works only while the way in does. Methods that are none are a way out for nobody.
    fn dialled_back(&mut self, query: &ReachQuery, reach: Reach) -> Reach {
        let Some((_, computer)) = reach.via else { return reach };
        if query.protocol == Protocol::Sip {
            return reach;
        }
        let partner = &self.topology.partner(query.partner).domain;
        let document = self.local_store(computer);
        let settings = document.xmpp_partners.values().find(|settings| settings.has_domain(partner));
        let methods = settings.map(XmppMethods::of);
        let lost = match methods {
            Some(methods) if methods.is_empty() => true,
            Some(methods) if methods.only_dialback() => self.reach_xmpp(query).failure.is_some(),
            _ => false,
        };
        if lost { unreachable(ReachFailure::TurnedAway(EdgeRefusal::NoAuthentication)) } else { reach }
    }

    /// Inner listeners of all Edge Servers, those that do not listen included.
    pub fn inner_listeners(&self) -> Vec<InnerListener> {
        let mut listeners = Vec::new();
        for edge_pool in self.topology.edge_pool_ids() {
            for server in &self.topology.edge_pool(edge_pool).servers {
                for protocol in [Protocol::Xmpp, Protocol::Sip] {
                    let listening = self.carries_outbound(edge_pool, server.computer, protocol);
                    listeners.push(InnerListener { computer: server.computer, protocol, port: inner_leg(protocol).1, listening });
                }
            }
        }
        listeners
    }

    /// The ways out of all pools that serve users in full, in the order in which pools come up as serving. Users who are not
    /// served in full do not decide, unless nobody is.
    pub fn ways_out(&self, protocol: Protocol) -> Vec<WayOut> {
        self.pools_serving_in_full().into_iter().filter_map(|pool| self.way_out(pool, protocol)).collect()
    }

    /// Pools of the topology that serve somebody in full.
    fn pools_serving_in_full(&self) -> Vec<PoolId> {
        let mut serving: Vec<PoolId> = Vec::new();
        for home in self.topology.pool_ids() {
            for (service, _) in self.pool_serving(home).parts {
                if let (ServiceMode::Regular, Some(pool)) = (service.mode, service.pool)
                    && !serving.contains(&pool)
                {
                    serving.push(pool);
                }
            }
        }
        serving
    }

    /// How what a pool's users say leaves: through the route of the site whose pool serves them (dossier F.3; that it is the
    /// serving pool's site and not the home pool's is inferred: the Front End that handles the message looks its own site
    /// up). None when no Front End of it runs.
    fn way_out(&self, pool: PoolId, protocol: Protocol) -> Option<WayOut> {
        let document = self.local_store(*self.front_ends_running(pool).first()?);
        let site = &document.sites[self.topology.pool(pool).site.index()];
        let route = match protocol {
            Protocol::Sip => site.federation_route,
            Protocol::Xmpp => site.xmpp_route,
        };
        let edges = route.map(|edge_pool| self.edges_in_reach(pool, edge_pool, protocol)).unwrap_or_default();
        Some(WayOut { pool, protocol, route, partners: self.partners_allowed(&document, protocol), edges })
    }

    /// Edge Servers to whose inner port the network lets a pool's gateways.
    fn edges_in_reach(&self, pool: PoolId, edge_pool: EdgePoolId, protocol: Protocol) -> Vec<ComputerId> {
        let gateways = self.outbound_gateways(pool, edge_pool, protocol);
        let (_, port) = inner_leg(protocol);
        let servers = self.topology.edge_pool(edge_pool).servers.iter().map(|server| server.computer);
        servers.filter(|edge| self.any_reaches(&gateways, *edge, port)).collect()
    }

    fn reach_outbound(&self, query: &ReachQuery) -> Reach {
        let serving = self.pools_serving_in_full();
        if serving.is_empty() {
            return unreachable(ReachFailure::UserNotServed);
        }
        let partner = &self.topology.partner(query.partner).domain;
        let mut via = None;
        for pool in serving {
            match self.outbound_from(pool, query.protocol, partner) {
                Ok(edge) => via = via.or(Some(edge)),
                Err(failure) => return unreachable(failure),
            }
        }
        Reach { via, attempts: Vec::new(), failure: None }
    }

    pub(super) fn outbound_from(&self, pool: PoolId, protocol: Protocol, partner: &str) -> Result<(EdgePoolId, ComputerId), ReachFailure> {
        let way = self.way_out(pool, protocol).ok_or(ReachFailure::UserNotServed)?;
        let edge_pool = way.route.ok_or(ReachFailure::NoRoute)?;
        if !way.allows(partner) {
            return Err(ReachFailure::TurnedAway(EdgeRefusal::PartnerNotAllowed));
        }
        let mut edges = way.edges.into_iter();
        let carrier = edges.find(|edge| self.carries_outbound(edge_pool, *edge, protocol));
        carrier.map(|edge| (edge_pool, edge)).ok_or(ReachFailure::RouteUnavailable)
    }

    /// Front Ends from which traffic to the Edge starts: those that serve; for XMPP those with the gateway, of the serving
    /// pool or, where none is deployed there, of the Edge's next hop.
    fn outbound_gateways(&self, pool: PoolId, edge_pool: EdgePoolId, protocol: Protocol) -> Vec<ComputerId> {
        if protocol == Protocol::Sip {
            return self.front_ends_running(pool);
        }
        let gateways = |pool: PoolId| -> Vec<ComputerId> {
            let front_ends = self.front_ends_running(pool).into_iter();
            front_ends.filter(|front_end| self.service_running(*front_end, ServiceName::RtcXmppTgw)).collect()
        };
        if self.topology.pool(pool).xmpp_gateway {
            return gateways(pool);
        }
        let first = self.topology.edge_pool(edge_pool).servers.first().map(|server| self.local_store(server.computer));
        first.map(|document| gateways(document.edges[edge_pool.index()].next_hop)).unwrap_or_default()
    }

    /// Whether an Edge Server passes messages outwards: enabled, installed, running, certificate valid, port open.
    fn carries_outbound(&self, edge_pool: EdgePoolId, computer: ComputerId, protocol: Protocol) -> bool {
        let blocked_inbound_only = |obstacle: Obstacle| matches!(obstacle, Obstacle::PortClosed(_) | Obstacle::NoRoute);
        self.obstacle(edge_pool, computer, protocol).is_none_or(blocked_inbound_only)
            && !self.fault_active(&Fault::Certificate(computer))
            && self.path_open(Endpoint::Computer(computer), Endpoint::Internet, protocol.default_port())
    }
}

/// Service on the Front End, and port between Front End and Edge, of a federation.
fn inner_leg(protocol: Protocol) -> (ServiceName, u16) {
    match protocol {
        Protocol::Xmpp => (ServiceName::RtcXmppTgw, XMPP_GATEWAY_PORT),
        Protocol::Sip => (ServiceName::RtcSrv, SIP_PORT),
    }
}

/// Whether an Edge pool is the one that carries SIP federation: with several federated Edge pools only one is used
/// (dossier F.3), the one that a site's route names. Routes that name no federated Edge pool decide nothing: procedure P5
/// moves the bit alone, and partners reach us through the new Edge.
fn carries_sip_federation(document: &Arc<Configuration>, edge_pool: EdgePoolId) -> bool {
    let federated = |edge: EdgePoolId| document.edges[edge.index()].federation;
    let mut live_routes = document.sites.iter().filter_map(|site| site.federation_route).filter(|edge| federated(*edge)).peekable();
    live_routes.peek().is_none() || live_routes.any(|edge| edge == edge_pool)
}

/// Exactly one record, and its target is the root: decidedly no service (RFC 2782, RFC 6120 3.2.1).
fn declined(records: &[RecordData]) -> bool {
    matches!(records, [RecordData::Srv { target, .. }] if target.is_empty())
}

pub(super) fn addresses(answer: &Answer) -> Vec<Ipv4Addr> {
    let Answer::Records { set, .. } = answer else { return Vec::new() };
    let address = |data: &RecordData| match data {
        RecordData::A(address) => Some(*address),
        _ => None,
    };
    set.data.iter().filter_map(address).collect()
}

fn unreachable(failure: ReachFailure) -> Reach {
    Reach { via: None, attempts: Vec::new(), failure: Some(failure) }
}
