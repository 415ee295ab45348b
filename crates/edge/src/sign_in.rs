//! A client that signs in over the wire: look-ups, TLS, REGISTER, redirects (dossier B.1; RFC 3261 8.1.3.4, 10.2).

use std::collections::BTreeMap;
use std::net::SocketAddr;

use ezk_sip_types::Name;
use firedrill_dns::{PartnerResolver, targets};
use firedrill_fabric::federation::{EdgeRefusal, Protocol};
use firedrill_fabric::naming::{Answer, Target, canonical_name, order_targets};
use firedrill_fabric::sign_in::{RegistrarAnswer, SignIn, SignInAttempt, SignInFailure, SignInFrom, SignInServer, TargetSet};
use firedrill_fabric::{ServiceMode, SimTime};
use firedrill_topology::{PoolId, RecordType, Topology};

use crate::error::{EdgeError, ProbeError};
use crate::probe::connect;
use crate::registrars::Registrars;
use crate::sip::call::{Call, Introduction, Response};
use crate::sip::{SERVED_BY, SipFailure, SipRefusal, TlsFacts, diagnostics, name_addr, parameter, party};
use crate::surroundings::Surroundings;

/// What a client goes by.
pub(crate) struct Client<'a> {
    pub(crate) around: &'a Surroundings,
    pub(crate) topology: &'a Topology,
    pub(crate) registrars: &'a Registrars,
    /// Asks the internal view.
    pub(crate) inside: &'a PartnerResolver,
    /// Asks the name servers of the external zones.
    pub(crate) outside: &'a PartnerResolver,
}

/// Where servers are, and by which name each is known.
type Places = BTreeMap<SignInServer, (SocketAddr, String)>;

impl Client<'_> {
    /// Signs a user in.
    pub(crate) async fn sign_in(&self, user: &str, from: &SignInFrom, now: SimTime) -> Result<SignIn, ProbeError> {
        self.around.set_now(now);
        let mut attempts = Vec::new();
        let mut places = Places::new();
        let first = self.first_servers(user, from, now, &mut places).await;
        if first.is_empty() {
            return Ok(SignIn { attempts, outcome: Err(SignInFailure::NoRegistrar) });
        }
        let mut targets = TargetSet::new(first);
        while let Some(server) = targets.next() {
            let place = places.get(&server).cloned();
            let answer = match place {
                Some((endpoint, host)) => self.register(endpoint, &host, user).await?,
                None => None,
            };
            attempts.push(SignInAttempt { server, answer });
            match answer {
                Some(RegistrarAnswer::Accepted(pool, mode)) => return Ok(SignIn { attempts, outcome: Ok((pool, mode)) }),
                Some(RegistrarAnswer::Redirected { primary, backup }) => {
                    let pools: Vec<_> = [primary].into_iter().chain(backup).collect();
                    targets.redirect(pools.iter().map(|pool| self.registrar(*pool, &mut places)).collect::<Vec<_>>());
                }
                Some(RegistrarAnswer::NoSuchUser) => return Ok(SignIn { attempts, outcome: Err(SignInFailure::NoSuchUser) }),
                Some(RegistrarAnswer::Unavailable | RegistrarAnswer::Unreachable) | None => {}
            }
        }
        Ok(SignIn { attempts, outcome: Err(SignInFailure::NoneAccepts) })
    }

    /// Servers that the client knows of to begin with.
    async fn first_servers(&self, user: &str, from: &SignInFrom, now: SimTime, places: &mut Places) -> Vec<SignInServer> {
        let domain = user.split_once('@').map(|(_, domain)| canonical_name(domain)).unwrap_or_default();
        let mut servers = Vec::new();
        match from {
            SignInFrom::Known(pools) => servers.extend(pools.iter().map(|pool| self.registrar(*pool, places))),
            SignInFrom::Inside => {
                for target in self.targets(self.inside, &format!("_sipinternaltls._tcp.{domain}"), now).await {
                    let pool = self.registrars.pool_named(self.topology, &target.host);
                    servers.push(pool.map_or(SignInServer::Nobody, |pool| self.registrar(pool, places)));
                }
            }
            SignInFrom::Outside => {
                for target in self.targets(self.outside, &format!("_sip._tls.{domain}"), now).await {
                    let answer = self.outside.lookup(&target.host, RecordType::A, now).await.answer;
                    for address in targets::addresses(&answer) {
                        let found = self.registrars.access_at(address, target.port);
                        servers.push(found.map_or(SignInServer::Nobody, |(server, endpoint)| {
                            places.entry(server).or_insert((endpoint, target.host.clone()));
                            server
                        }));
                    }
                }
            }
        }
        servers
    }

    async fn targets(&self, resolver: &PartnerResolver, name: &str, now: SimTime) -> Vec<Target> {
        let Answer::Records { set, .. } = resolver.lookup(name, RecordType::Srv, now).await.answer else { return Vec::new() };
        order_targets(&set.data, self.around.seed(), name).into_iter().filter(|target| !target.host.is_empty()).collect()
    }

    /// A pool's registrar; remembers where it is.
    fn registrar(&self, pool: PoolId, places: &mut Places) -> SignInServer {
        let server = SignInServer::Pool(pool);
        if let Some(endpoint) = self.registrars.endpoint(pool) {
            places.insert(server, (endpoint, self.topology.pool(pool).fqdn.clone()));
        }
        server
    }

    /// One REGISTER; none when nobody is there who can be believed.
    async fn register(&self, server: SocketAddr, host: &str, user: &str) -> Result<Option<RegistrarAnswer>, ProbeError> {
        let limits = self.around.limits();
        let Some(stream) = connect(None, server, limits).await? else { return Ok(None) };
        let authority = self.around.authority();
        let credentials = authority.issue(&["client.invalid".to_owned()], authority.dates()).map_err(EdgeError::from)?;
        let with = Introduction { credentials: &credentials, authority, now: self.around.now(), limits };
        let mut call = match Call::open(stream, host, &with, &mut TlsFacts::default()).await {
            Ok(call) => call,
            Err(SipFailure::Certificate(_) | SipFailure::Foreign) => return Ok(None),
            Err(failure) => return Err(ProbeError::Sip { peer: server, failure }),
        };
        let request = register(user, &call.sent_by());
        let response = call.ask(&request, limits).await.map_err(|failure| ProbeError::Sip { peer: server, failure })?;
        call.hang_up().await;
        let unknown = || ProbeError::UnknownRefusal {
            peer: server,
            what: format!("status {}, ms-diagnostics {:?}", response.status, response.diagnostics()),
        };
        self.read(&response).map(Some).ok_or_else(unknown)
    }

    /// What a registrar's words mean.
    fn read(&self, response: &Response) -> Option<RegistrarAnswer> {
        match response.status {
            200 => {
                let (name, parameters) = response.message.first(&Name::unknown(SERVED_BY.into()))?.split_once(';')?;
                let mode = match parameter(parameters, "mode")? {
                    "regular" => ServiceMode::Regular,
                    "resiliency" => ServiceMode::Resiliency,
                    _ => return None,
                };
                Some(RegistrarAnswer::Accepted(self.topology.find_pool(name)?, mode))
            }
            301 => {
                let mut contacts = response
                    .message
                    .listed(&Name::CONTACT)
                    .into_iter()
                    .map(|contact| self.contact(&contact))
                    .collect::<Option<Vec<_>>>()?;
                // The best first (RFC 3261 8.1.3.4).
                contacts.sort_by_key(|(quality, _)| std::cmp::Reverse(*quality));
                let mut pools = contacts.into_iter().map(|(_, pool)| pool);
                Some(RegistrarAnswer::Redirected { primary: pools.next()?, backup: pools.next() })
            }
            status => {
                let is = |refusal| {
                    let words = diagnostics(refusal);
                    words.status == status && Some(words.id) == response.diagnostics_id()
                };
                let known = [
                    (SipRefusal::NoSuchUser, RegistrarAnswer::NoSuchUser),
                    (SipRefusal::RegistrarUnavailable, RegistrarAnswer::Unavailable),
                    (SipRefusal::Edge(EdgeRefusal::NextHopUnavailable), RegistrarAnswer::Unreachable),
                ];
                known.into_iter().find(|(refusal, _)| is(*refusal)).map(|(_, answer)| answer)
            }
        }
    }

    /// A Contact of a redirect: its quality in thousandths, and the pool.
    fn contact(&self, contact: &str) -> Option<(u32, PoolId)> {
        let (uri, parameters) = name_addr(contact)?;
        let party = party(uri)?;
        let quality: f64 = parameter(parameters, "q").unwrap_or("1").parse().ok()?;
        let here = party.1.is_none_or(|port| port == Protocol::Sip.default_port());
        here.then(|| Some(((quality * 1000.0) as u32, self.topology.find_pool(&party.0)?)))?
    }
}

/// A REGISTER request (RFC 3261 10.2).
fn register(user: &str, sent_by: &str) -> String {
    let domain = user.split_once('@').map_or(user, |(_, domain)| domain);
    format!(
        "REGISTER sip:{domain} SIP/2.0\r\nVia: SIP/2.0/TLS {sent_by};branch=z9hG4bKregister\r\nMax-Forwards: 70\r\nFrom: <sip:{user}>;tag=register\r\n\
         To: <sip:{user}>\r\nCall-ID: register\r\nCSeq: 1 REGISTER\r\nContact: <sip:{sent_by};transport=tls>\r\nExpires: 600\r\nContent-Length: 0\r\n\r\n"
    )
}
