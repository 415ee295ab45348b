//! The way of a federated partner, walked over the wire.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use firedrill_dns::targets::{self, Selection};
use firedrill_dns::{AddressMap, PartnerResolver};
use firedrill_fabric::SimTime;
use firedrill_fabric::federation::{Attempt, AttemptResult, EdgeRefusal, Level, Protocol, Reach, ReachFailure};
use firedrill_fabric::naming::{Answer, PartnerView, Target, canonical_name};
use firedrill_topology::RecordType;
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

use crate::behaviour::Behaviour;
use crate::error::ProbeError;
use crate::fleet::EdgeFleet;
use crate::limits::Limits;
use crate::sip::call::{Introduction, Response};
use crate::sip::{SipFailure, TlsFacts};
use crate::tls::CertificateProblem;
use crate::xmpp::call::Call;
use crate::xmpp::host::Host;
use crate::xmpp::{Facts, StreamFailure};
use crate::{sip, xmpp as wire};

pub use crate::trace::{Step, Trace};

/// Who probes, and with what.
#[derive(Debug, Clone)]
pub struct Prober<'a> {
    /// The partner's resolver; its cache is filled as by the partner's own look-ups.
    resolver: &'a PartnerResolver,
    /// Knows which Edge Server has which address.
    fleet: &'a EdgeFleet,
    /// The partner's domain.
    partner: &'a str,
    /// The loopback address from which its connections come, when it has one.
    source: Option<Ipv4Addr>,
    /// The partner's server, whose certificate is shown.
    host: Arc<Host>,
    /// Whether that server listens, so that answers on a stream of their own arrive.
    listens: bool,
}

impl<'a> Prober<'a> {
    /// A partner with a certificate of the fabric's authority and no server of its own: it can authenticate by SASL EXTERNAL.
    pub fn new(resolver: &'a PartnerResolver, fleet: &'a EdgeFleet, partner: &'a str, source: Option<Ipv4Addr>) -> Self {
        let around = fleet.around();
        let behaviour = Behaviour::Partner { protocol: Protocol::Xmpp, domains: [partner.to_owned()] };
        let bind = source.and_then(|source| around.map().source(source));
        let host = Arc::new(Host::new(around, behaviour, format!("prober {partner}"), bind));
        Self { resolver, fleet, partner, source, host, listens: false }
    }

    /// As the server that stands in for the partner: Server Dialback and pings work too.
    pub(crate) fn standing_in(self, host: &Arc<Host>) -> Self {
        Self { host: Arc::clone(host), listens: true, ..self }
    }

    fn map(&self) -> &AddressMap {
        self.fleet.around().map()
    }

    fn limits(&self) -> &Limits {
        self.fleet.around().limits()
    }
}

/// Whether the partner reaches a domain of ours over XMPP now.
///
/// # Errors
/// When the wire does something that the model has no answer for.
pub async fn xmpp(prober: &Prober<'_>, domain: &str, now: SimTime) -> Result<Reach, ProbeError> {
    inbound(prober, Protocol::Xmpp, domain, now).await
}

/// Whether the partner reaches a domain of ours over SIP now.
///
/// # Errors
/// As [`xmpp`].
pub async fn sip(prober: &Prober<'_>, domain: &str, now: SimTime) -> Result<Reach, ProbeError> {
    inbound(prober, Protocol::Sip, domain, now).await
}

/// Whether the partner reaches a domain of ours: DNS, targets, TCP, and the protocol to its authentication (L5).
///
/// # Errors
/// As [`xmpp`].
pub async fn inbound(prober: &Prober<'_>, protocol: Protocol, domain: &str, now: SimTime) -> Result<Reach, ProbeError> {
    let mut walk = Walk::new(prober, protocol, domain, now, Goal::Authentication);
    walk.reach().await
}

/// As [`inbound`], told hop by hop, and over XMPP to a ping that is answered (L6) where the partner's server listens.
///
/// # Errors
/// As [`xmpp`].
pub async fn trace(prober: &Prober<'_>, protocol: Protocol, domain: &str, now: SimTime) -> Result<Trace, ProbeError> {
    let mut walk = Walk::new(prober, protocol, domain, now, Goal::RoundTrip);
    let reach = walk.reach().await?;
    Ok(Trace { partner: prober.partner.to_owned(), domain: walk.domain, protocol, level: walk.level, steps: walk.steps, reach })
}

/// Connects from an Edge Server's own address to a partner's server and walks to the authentication.
///
/// # Errors
/// As [`xmpp`].
pub(crate) async fn outbound(
    host: &Arc<Host>,
    source: Option<SocketAddr>,
    peer: SocketAddr,
    protocol: Protocol,
    domain: &str,
    partner: &str,
) -> Result<AttemptResult, ProbeError> {
    let limits = host.around.limits();
    let Some(stream) = connect(source, peer, limits).await? else { return Ok(AttemptResult::Refused) };
    match protocol {
        Protocol::Xmpp => {
            let mut facts = Facts::default();
            match in_time(limits, peer, host.meet(stream, domain, partner, &mut facts)).await? {
                Ok(mut call) => {
                    call.hang_up().await;
                    Ok(AttemptResult::Answered)
                }
                Err(failure) => read_failure(peer, failure),
            }
        }
        Protocol::Sip => {
            let mut facts = TlsFacts::default();
            // The partner's server is known by its domain: how its own DNS names it is no part of the fabric.
            read_sip(peer, meet_sip(host, stream, partner, (domain, partner), &mut facts).await)
        }
    }
}

/// How far to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Goal {
    Authentication,
    RoundTrip,
}

/// One walk.
struct Walk<'a> {
    prober: &'a Prober<'a>,
    protocol: Protocol,
    domain: String,
    now: SimTime,
    goal: Goal,
    steps: Vec<Step>,
    level: Level,
}

impl<'a> Walk<'a> {
    fn new(prober: &'a Prober<'a>, protocol: Protocol, domain: &str, now: SimTime, goal: Goal) -> Self {
        // What certificates are judged by, as everything else in virtual time.
        prober.fleet.around().set_now(now);
        Self { prober, protocol, domain: canonical_name(domain), now, goal, steps: Vec::new(), level: Level::Nothing }
    }

    async fn reach(&mut self) -> Result<Reach, ProbeError> {
        let selection = match targets::literal(self.protocol, &self.domain) {
            Some(literal) => literal,
            None => {
                let srv = self.ask(&self.protocol.service_name(&self.domain), RecordType::Srv).await.answer;
                let stream = self.protocol.stream_name(self.prober.partner, &self.domain);
                targets::select(self.protocol, &self.domain, &srv, self.prober.fleet.around().seed(), &stream)
            }
        };
        match selection {
            Selection::Declined(failure) => Ok(Reach { via: None, attempts: Vec::new(), failure: Some(failure) }),
            Selection::Targets(candidates) => self.try_all(candidates, "an SRV record; priorities in order (RFC 2782)").await,
            Selection::Literal(target, address) => {
                self.choose(&target, "an address needs no DNS (RFC 6120 3.2.3)");
                let result = self.try_one(address, &target).await?;
                self.conclude(vec![Attempt { target, address: Some(address), result }])
            }
            Selection::OwnAddress(target) => {
                let mut reach = self.try_all(vec![target], "no SRV record: the domain itself (RFC 6120 3.2.2)").await?;
                if reach.failure == Some(ReachFailure::NotConnected) && nobody_has_an_address(&reach.attempts) {
                    reach.failure = Some(ReachFailure::NoRecords);
                }
                Ok(reach)
            }
        }
    }

    async fn ask(&mut self, name: &str, record_type: RecordType) -> PartnerView {
        let view = self.prober.resolver.lookup(name, record_type, self.now).await;
        self.steps.push(Step::asked(name, record_type, &view, self.now));
        view
    }

    fn choose(&mut self, target: &Target, why: &'static str) {
        self.steps.push(Step::Target {
            host: target.host.clone(),
            port: target.port,
            priority: target.priority,
            weight: target.weight,
            why: why.to_owned(),
        });
    }

    /// Tries targets in order, all addresses of each, until one answers or turns the partner away (RFC 6120 3.2.1).
    async fn try_all(&mut self, candidates: Vec<Target>, why: &'static str) -> Result<Reach, ProbeError> {
        let mut attempts = Vec::new();
        let mut unheard = false;
        for target in candidates {
            self.choose(&target, why);
            let answer = self.ask(&target.host, RecordType::A).await.answer;
            unheard |= answer == Answer::NoServer;
            let addresses = targets::addresses(&answer);
            if addresses.is_empty() {
                attempts.push(Attempt { target: target.clone(), address: None, result: AttemptResult::NoAddress });
            }
            for address in addresses {
                let result = self.try_one(address, &target).await?;
                attempts.push(Attempt { target: target.clone(), address: Some(address), result });
                if result != AttemptResult::Refused {
                    return self.conclude(attempts);
                }
            }
        }
        // A host of which nobody is in charge also goes without an answer: only a silent server makes it DNS's fault.
        let silent = unheard && nobody_has_an_address(&attempts) && !self.prober.resolver.server_answers().await;
        let mut reach = self.conclude(attempts)?;
        if silent {
            reach.failure = Some(ReachFailure::DnsUnavailable);
        }
        Ok(reach)
    }

    /// What attempts come to: the last one decides when somebody was there.
    fn conclude(&self, attempts: Vec<Attempt>) -> Result<Reach, ProbeError> {
        let (via, failure) = match attempts.last() {
            Some(Attempt { address: Some(address), result: AttemptResult::Answered, .. }) => {
                (Some(self.prober.fleet.server_at(*address).ok_or(ProbeError::Stranger { address: *address })?), None)
            }
            Some(Attempt { result: AttemptResult::TurnedAway(refusal), .. }) => (None, Some(ReachFailure::TurnedAway(*refusal))),
            _ => (None, Some(ReachFailure::NotConnected)),
        };
        Ok(Reach { via, attempts, failure })
    }

    async fn try_one(&mut self, address: Ipv4Addr, target: &Target) -> Result<AttemptResult, ProbeError> {
        let port = target.port;
        self.level = self.level.max(Level::Resolved);
        let wire = self.prober.map().wire(address)?;
        let endpoint = self.prober.map().endpoint(wire, port);
        let source = self.prober.source.and_then(|source| self.prober.map().source(source));
        let stream = match endpoint {
            Some(peer) => connect(source, peer, self.prober.limits()).await?.map(|stream| (stream, peer)),
            None => None,
        };
        self.steps.push(Step::Connection { address, port, accepted: stream.is_some() });
        let Some((stream, peer)) = stream else { return Ok(AttemptResult::Refused) };
        let result = match self.protocol {
            Protocol::Xmpp => self.stream(stream, peer).await,
            Protocol::Sip => self.options(stream, peer, &target.host).await,
        }?;
        if result != AttemptResult::Refused {
            self.level = self.level.max(Level::Connected);
        }
        Ok(result)
    }

    /// Mutual TLS, and OPTIONS. The server's certificate must be for the host that the SRV record names; that it lies inside
    /// the domain was decided before (dossier F.5, strict domain match).
    async fn options(&mut self, stream: TcpStream, peer: SocketAddr, host: &str) -> Result<AttemptResult, ProbeError> {
        let prober = self.prober;
        let mut facts = TlsFacts::default();
        let met = meet_sip(&prober.host, stream, host, (prober.partner, &self.domain), &mut facts).await;
        let reached = match (&met, facts.cipher.is_some() && facts.certificate.is_none()) {
            (Ok(response), _) if response.status == 200 => Level::RoundTrip,
            // Both have shown certificates; who is turned away is no partner all the same.
            (Ok(_), _) | (Err(_), true) => Level::Secured,
            (Err(_), false) => self.level,
        };
        self.level = self.level.max(reached);
        self.steps.push(Step::Tls { facts, failure: met.as_ref().err().map(ToString::to_string) });
        let answered = met.is_ok();
        let result = read_sip(peer, met)?;
        if answered {
            self.steps.push(Step::Options { result });
        }
        Ok(result)
    }

    /// A stream to its authentication, and a ping where that is the goal.
    async fn stream(&mut self, stream: TcpStream, peer: SocketAddr) -> Result<AttemptResult, ProbeError> {
        let prober = self.prober;
        let mut facts = Facts::default();
        let met = in_time(prober.limits(), peer, prober.host.meet(stream, prober.partner, &self.domain, &mut facts)).await?;
        let reached = match (&met, facts.answered, facts.tls.is_some() && facts.certificate.is_none()) {
            (Ok(_), ..) => Level::Authenticated,
            (Err(_), true, true) => Level::Secured,
            (Err(_), true, false) => Level::Answered,
            (Err(_), false, _) => self.level,
        };
        self.level = self.level.max(reached);
        self.steps.push(Step::Stream { facts, failure: met.as_ref().err().map(ToString::to_string) });
        match met {
            Ok(mut call) => {
                if self.goal == Goal::RoundTrip && prober.listens {
                    self.ping(&mut call).await;
                }
                call.hang_up().await;
                Ok(AttemptResult::Answered)
            }
            Err(failure) => read_failure(peer, failure),
        }
    }

    /// A ping (XEP-0199); its answer comes on the other server's own stream.
    async fn ping(&mut self, call: &mut Call) {
        let prober = self.prober;
        let id = prober.host.fresh_id("ping");
        let answer = prober.host.expect(&id);
        let sent = call.write(&wire::ping(prober.partner, &self.domain, &id).to_xml()).await;
        let waiting = timeout(prober.limits().probe, answer);
        let answered = sent.is_ok() && matches!(waiting.await, Ok(Ok(answer)) if answer.get("type") == Some("result"));
        self.steps.push(Step::Ping { answered });
        if answered {
            self.level = Level::RoundTrip;
        }
    }
}

fn nobody_has_an_address(attempts: &[Attempt]) -> bool {
    attempts.iter().all(|attempt| attempt.result == AttemptResult::NoAddress)
}

async fn in_time<T>(limits: &Limits, peer: SocketAddr, talk: impl Future<Output = T>) -> Result<T, ProbeError> {
    let late = |_| ProbeError::Silent { what: "the server", peer, seconds: limits.probe.as_secs() };
    timeout(limits.probe, talk).await.map_err(late)
}

/// `None`: refused.
pub(crate) async fn connect(source: Option<SocketAddr>, peer: SocketAddr, limits: &Limits) -> Result<Option<TcpStream>, ProbeError> {
    let failed = |source| ProbeError::Connection { peer, source };
    let socket = TcpSocket::new_v4().map_err(failed)?;
    if let Some(source) = source {
        socket.bind(source).map_err(failed)?;
    }
    let late = |_| ProbeError::Silent { what: "the TCP connection", peer, seconds: limits.probe.as_secs() };
    match timeout(limits.probe, socket.connect(peer)).await.map_err(late)? {
        Ok(stream) => {
            stream.set_nodelay(true).map_err(failed)?;
            Ok(Some(stream))
        }
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => Ok(None),
        Err(error) => Err(failed(error)),
    }
}

/// What a stream that did not come about means for the attempt.
fn read_failure(peer: SocketAddr, failure: StreamFailure) -> Result<AttemptResult, ProbeError> {
    match failure {
        // To a client, a server of another protocol is as good as none.
        StreamFailure::Foreign => Ok(AttemptResult::Refused),
        StreamFailure::Error { condition, application } => {
            let refusal = wire::condition_refusal(&condition, application.as_deref());
            turned_away(peer, refusal, format!("stream error `{condition}`"))
        }
        StreamFailure::Certificate(CertificateProblem::Expired) => Ok(AttemptResult::TurnedAway(EdgeRefusal::CertificateExpired)),
        StreamFailure::NoMethod | StreamFailure::Sasl(_) | StreamFailure::Dialback(_) => {
            Ok(AttemptResult::TurnedAway(EdgeRefusal::NoAuthentication))
        }
        failure => Err(ProbeError::Stream { peer, failure }),
    }
}

/// A connection to a SIP server: mutual TLS with the certificate of `host`, which asks on behalf of one domain for another.
async fn meet_sip(
    host: &Arc<Host>,
    stream: TcpStream,
    name: &str,
    (from, to): (&str, &str),
    facts: &mut TlsFacts,
) -> Result<Response, SipFailure> {
    let around = &host.around;
    let credentials = host.credentials().map_err(|error| SipFailure::Tls(error.to_string()))?;
    let with = Introduction { credentials: &credentials, authority: around.authority(), now: around.now(), limits: around.limits() };
    let mut call = sip::call::Call::open(stream, name, &with, facts).await?;
    let request = sip::call::options(from, to, &call.sent_by(), &host.fresh_id("options"));
    let response = call.ask(&request, around.limits()).await;
    call.hang_up().await;
    response
}

/// What a SIP answer, or none, means for the attempt.
fn read_sip(peer: SocketAddr, met: Result<Response, SipFailure>) -> Result<AttemptResult, ProbeError> {
    match met {
        Ok(response) if response.status == 200 => Ok(AttemptResult::Answered),
        Ok(response) => {
            let refusal = response.diagnostics_id().and_then(|id| sip::edge_refusal(response.status, id));
            turned_away(peer, refusal, format!("status {}, ms-diagnostics {:?}", response.status, response.diagnostics()))
        }
        // To a client, a server of another protocol is as good as none.
        Err(SipFailure::Foreign) => Ok(AttemptResult::Refused),
        Err(SipFailure::Certificate(CertificateProblem::Expired)) => Ok(AttemptResult::TurnedAway(EdgeRefusal::CertificateExpired)),
        Err(SipFailure::Certificate(CertificateProblem::WrongName)) => Ok(AttemptResult::TurnedAway(EdgeRefusal::CertificateName)),
        Err(failure) => Err(ProbeError::Sip { peer, failure }),
    }
}

fn turned_away(peer: SocketAddr, refusal: Option<EdgeRefusal>, what: String) -> Result<AttemptResult, ProbeError> {
    refusal.map(AttemptResult::TurnedAway).ok_or(ProbeError::UnknownRefusal { peer, what })
}
