//! Registrars and Access Edges as clients meet them (dossier B.1, B.3, F.1, F.5, F.6), and federated SIP requests to users.

use firedrill_topology::{ComputerId, EdgePoolId, PoolId, RecordType, UserId};

use crate::evidence::Behaviour;
use crate::fabric::Fabric;
use crate::fault::Fault;
use crate::federation::{Listener, Protocol, ReachFailure, Undelivered, names_host};
use crate::naming::{Answer, canonical_name, order_targets};
use crate::service::ServiceName;
use crate::serving::ServiceMode;
use crate::sign_in::{
    AccessListener, RegistrarAnswer, RegistrarListener, SignIn, SignInAttempt, SignInFailure, SignInFrom, SignInServer, TargetSet,
};
use crate::world::network::Endpoint;

/// Port of an Access Edge for remote users (dossier F.5, F.6).
const ACCESS_PORT: u16 = 443;

impl Fabric {
    /// Registrars of all Front End pools.
    pub fn registrar_listeners(&self) -> Vec<RegistrarListener> {
        let listener = |pool: PoolId| {
            let deployed = self.topology.pool(pool);
            let front_ends = deployed.front_ends.iter().map(|computer| self.topology.computer(*computer).fqdn.clone());
            let mut names = vec![deployed.fqdn.clone()];
            // A Standard Edition server bears its pool's name.
            names.extend(front_ends.filter(|name| *name != deployed.fqdn));
            names.extend(self.topology.sip_domains.iter().map(|domain| format!("sip.{domain}")));
            RegistrarListener { pool, names, listening: self.pool_in_service(pool) }
        };
        self.topology.pool_ids().map(listener).collect()
    }

    /// Ports for remote users of all Edge Servers. Neither the federation bit nor a route matters to them.
    pub fn access_listeners(&self) -> Vec<AccessListener> {
        let mut listeners = Vec::new();
        for edge_pool in self.topology.edge_pool_ids() {
            for server in &self.topology.edge_pool(edge_pool).servers {
                listeners.push(AccessListener {
                    edge_pool,
                    computer: server.computer,
                    address: server.external,
                    port: ACCESS_PORT,
                    listening: self.computer_up(server.computer)
                        && self.service_running(server.computer, ServiceName::RtcSrv)
                        && self.path_open(Endpoint::Internet, Endpoint::Computer(server.computer), ACCESS_PORT),
                    names: Listener::names_for(&self.topology.sip_domains),
                    certificate: self.certificate_dates(server.computer),
                });
            }
        }
        listeners
    }

    /// What the registrar of a pool says to a user's REGISTER. It accepts whom it serves, and sends everybody else to the
    /// user's registrars: also the backup registrar while it has not concluded that the home pool is down, and again when it
    /// sees the home pool (dossier B.1).
    pub fn registrar_answer(&self, pool: PoolId, user: &str) -> RegistrarAnswer {
        let Some(user) = self.user_at(user) else { return RegistrarAnswer::NoSuchUser };
        let serving = self.serving(user);
        let home = self.registrar_pool(user);
        match serving.pool.filter(|_| serving.mode != ServiceMode::SignedOut) {
            Some(serves) if serves == pool => RegistrarAnswer::Accepted(pool, serving.mode),
            // It would be the one, and cannot: no routing group, no backup pool (dossier B.9, C.4).
            None if home == pool => RegistrarAnswer::Unavailable,
            _ => RegistrarAnswer::Redirected { primary: home, backup: self.settings_known_to(pool, home).backup },
        }
    }

    /// What an Access Edge says to a remote user's REGISTER: it passes it to its next hop, and from there it reaches the
    /// registrar that serves the user (that nobody outside is redirected is inferred: pools have no addresses there).
    pub fn access_answer(&self, edge: ComputerId, user: &str) -> RegistrarAnswer {
        let Some(next_hop) = self.next_hop_of(edge).filter(|pool| self.next_hop_answers(*pool, edge, Protocol::Sip)) else {
            return RegistrarAnswer::Unreachable;
        };
        let Some(user) = self.user_at(user) else { return RegistrarAnswer::NoSuchUser };
        let serving = self.serving(user);
        match serving.pool.filter(|_| serving.mode != ServiceMode::SignedOut) {
            // The next hop passes it on to the pool that serves the user, over the link between their sites.
            Some(pool) if pool != next_hop && !self.pool_sees(next_hop, pool) => RegistrarAnswer::Unreachable,
            Some(pool) => RegistrarAnswer::Accepted(pool, serving.mode),
            None if self.pool_in_service(self.registrar_pool(user)) => RegistrarAnswer::Unavailable,
            None => RegistrarAnswer::Unreachable,
        }
    }

    /// The registrars that a client remembers from its last redirect: the user's home pool, then its backup pool.
    pub fn cached_redirect(&self, user: &str) -> Vec<PoolId> {
        let home = self.user_at(user).map(|user| self.registrar_pool(user));
        home.into_iter().chain(home.and_then(|home| self.backup_of(home))).collect()
    }

    /// Signs a user in: servers in the client's order, redirects followed.
    pub fn sign_in(&mut self, user: &str, from: &SignInFrom) -> SignIn {
        self.lean(Behaviour::SignInRedirect);
        if *from == SignInFrom::Outside {
            self.lean(Behaviour::RemoteUserTargets);
        }
        let mut attempts: Vec<SignInAttempt> = Vec::new();
        let first = self.first_servers(user, from);
        if first.is_empty() {
            return SignIn { attempts, outcome: Err(SignInFailure::NoRegistrar) };
        }
        let mut targets = TargetSet::new(first);
        while let Some(server) = targets.next() {
            let answer = self.ask_to_register(server, user);
            attempts.push(SignInAttempt { server, answer });
            match answer {
                Some(RegistrarAnswer::Accepted(pool, mode)) => return SignIn { attempts, outcome: Ok((pool, mode)) },
                Some(RegistrarAnswer::Redirected { primary, backup }) => {
                    targets.redirect([primary].into_iter().chain(backup).map(SignInServer::Pool));
                }
                Some(RegistrarAnswer::NoSuchUser) => return SignIn { attempts, outcome: Err(SignInFailure::NoSuchUser) },
                Some(RegistrarAnswer::Unavailable | RegistrarAnswer::Unreachable) | None => {}
            }
        }
        SignIn { attempts, outcome: Err(SignInFailure::NoneAccepts) }
    }

    /// Whether a request of a federated partner's user, which came in through an Edge Server, reaches a user of ours.
    ///
    /// # Errors
    /// Why not: the next hop does not answer (dossier C.3, F.1), the user does not exist, is served with limits (dossier B.3)
    /// or not at all.
    pub fn sip_inbound(&self, edge: ComputerId, user: &str) -> Result<(), Undelivered> {
        match self.access_answer(edge, user) {
            RegistrarAnswer::Accepted(_, ServiceMode::Regular) => Ok(()),
            RegistrarAnswer::Accepted(..) => Err(Undelivered::UserLimited),
            RegistrarAnswer::NoSuchUser => Err(Undelivered::NoSuchUser),
            RegistrarAnswer::Unreachable => Err(Undelivered::NextHopUnavailable),
            RegistrarAnswer::Unavailable | RegistrarAnswer::Redirected { .. } => Err(Undelivered::UserNotServed),
        }
    }

    /// The Edge Server through which a user of ours reaches a partner over SIP now: the federation route of the site whose
    /// pool serves the user (dossier F.3).
    ///
    /// # Errors
    /// Why there is none.
    pub fn sip_outbound(&self, user: &str, partner: &str) -> Result<ComputerId, Undelivered> {
        self.leaves_through(user, partner, Protocol::Sip)
    }

    /// The Edge Server through which a user of ours reaches a partner now.
    pub(super) fn leaves_through(&self, user: &str, partner: &str, protocol: Protocol) -> Result<ComputerId, Undelivered> {
        let pool = self.user_in_full(user)?;
        self.outbound_from(pool, protocol, partner).map(|(_, computer)| computer).map_err(|failure| match failure {
            ReachFailure::NoRoute => Undelivered::NoRoute,
            ReachFailure::TurnedAway(_) => Undelivered::PartnerNotAllowed,
            ReachFailure::UserNotServed => Undelivered::UserNotServed,
            _ => Undelivered::RouteUnavailable,
        })
    }

    /// The pool that serves a user in full.
    pub(super) fn user_in_full(&self, address: &str) -> Result<PoolId, Undelivered> {
        let user = self.user_at(address).ok_or(Undelivered::NoSuchUser)?;
        let serving = self.serving(user);
        match (serving.mode, serving.pool) {
            (ServiceMode::Regular, Some(pool)) => Ok(pool),
            _ => Err(Undelivered::UserNotServed),
        }
    }

    fn user_at(&self, address: &str) -> Option<UserId> {
        self.topology.users.find(&address.to_ascii_lowercase())
    }

    /// The next hop of an Edge Server, by its own replica.
    pub(super) fn next_hop_of(&self, edge: ComputerId) -> Option<PoolId> {
        let edge_pool = self.edge_pool_of(edge)?;
        Some(self.local_store(edge).edges[edge_pool.index()].next_hop)
    }

    fn edge_pool_of(&self, edge: ComputerId) -> Option<EdgePoolId> {
        self.topology
            .edge_pool_ids()
            .find(|edge_pool| self.topology.edge_pool(*edge_pool).servers.iter().any(|server| server.computer == edge))
    }

    /// The servers that a client knows of to begin with.
    fn first_servers(&self, address: &str, from: &SignInFrom) -> Vec<SignInServer> {
        let domain = address.split_once('@').map(|(_, domain)| canonical_name(domain)).unwrap_or_default();
        match from {
            SignInFrom::Known(pools) => pools.iter().copied().map(SignInServer::Pool).collect(),
            SignInFrom::Inside => {
                let name = format!("_sipinternaltls._tcp.{domain}");
                let targets = self.service_targets(&name, |name, record_type| self.resolve_inside(name, record_type).0);
                targets.into_iter().map(|(host, _)| self.registrar_named(&host)).collect()
            }
            SignInFrom::Outside => {
                let ask = |name: &str, record_type| self.ask_name_servers(name, record_type).map_or(Answer::NoServer, |(answer, _)| answer);
                let mut servers = Vec::new();
                for (host, port) in self.service_targets(&format!("_sip._tls.{domain}"), ask) {
                    let addresses = super::federation::addresses(&ask(&host, RecordType::A));
                    for address in addresses {
                        let mut all = self.access_listeners().into_iter();
                        let found = all.find(|found| found.address == address && found.port == port && names_host(&found.names, &host));
                        servers.push(found.map_or(SignInServer::Nobody, |found| SignInServer::Edge(found.computer)));
                    }
                }
                servers
            }
        }
    }

    /// Hosts and ports of a service in the order in which clients try them (RFC 2782).
    fn service_targets(&self, name: &str, ask: impl Fn(&str, RecordType) -> Answer) -> Vec<(String, u16)> {
        let Answer::Records { set, .. } = ask(name, RecordType::Srv) else { return Vec::new() };
        let targets = order_targets(&set.data, self.seed, name);
        targets.into_iter().filter(|target| !target.host.is_empty()).map(|target| (target.host, target.port)).collect()
    }

    /// The registrar with a host name: a pool's, or one of its Front Ends'.
    fn registrar_named(&self, host: &str) -> SignInServer {
        let of_pool = self.topology.pool_ids().find(|pool| {
            let deployed = self.topology.pool(*pool);
            let front_end = |computer: &ComputerId| self.topology.computer(*computer).fqdn.eq_ignore_ascii_case(host);
            deployed.fqdn.eq_ignore_ascii_case(host) || deployed.front_ends.iter().any(front_end)
        });
        of_pool.map_or(SignInServer::Nobody, SignInServer::Pool)
    }

    /// What a server says; none when it accepts no connection, or shows a certificate that has expired.
    fn ask_to_register(&self, server: SignInServer, user: &str) -> Option<RegistrarAnswer> {
        match server {
            SignInServer::Nobody => None,
            SignInServer::Pool(pool) => self.pool_in_service(pool).then(|| self.registrar_answer(pool, user)),
            SignInServer::Edge(edge) => {
                let listening = self.access_listeners().iter().any(|found| found.computer == edge && found.listening);
                let trusted = !self.fault_active(&Fault::Certificate(edge));
                (listening && trusted).then(|| self.access_answer(edge, user))
            }
        }
    }
}
