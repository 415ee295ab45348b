//! The way of a federated partner, walked over the wire.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr};

use firedrill_dns::targets::{self, Selection};
use firedrill_dns::{AddressMap, PartnerResolver};
use firedrill_fabric::SimTime;
use firedrill_fabric::federation::{Attempt, AttemptResult, EdgeRefusal, Protocol, Reach, ReachFailure};
use firedrill_fabric::naming::canonical_name;
use firedrill_fabric::naming::{Answer, Target};
use firedrill_fabric::seed::Seed;
use firedrill_topology::RecordType;
use tokio::net::{TcpSocket, TcpStream};

use crate::error::ProbeError;
use crate::fleet::EdgeFleet;
use crate::limits::Limits;
use crate::sip::SipAnswer;
use crate::xmpp::StreamAnswer;
use crate::{sip, xmpp};

/// Who probes, and with what.
#[derive(Debug, Clone, Copy)]
pub struct Prober<'a> {
    /// The partner's resolver; its cache is filled as by the partner's own look-ups.
    pub resolver: &'a PartnerResolver,
    /// Translates addresses.
    pub map: &'a AddressMap,
    /// Knows which Edge Server has which address.
    pub fleet: &'a EdgeFleet,
    /// The partner's domain.
    pub partner: &'a str,
    /// The loopback address from which its connections come, when it has one.
    pub source: Option<Ipv4Addr>,
    /// Seed of the run: the choice among SRV records of equal priority.
    pub seed: Seed,
    /// Limits of each step.
    pub limits: Limits,
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

/// Whether the partner reaches a domain of ours: DNS, targets, TCP, and the protocol's first words.
///
/// # Errors
/// As [`xmpp`].
pub async fn inbound(prober: &Prober<'_>, protocol: Protocol, domain: &str, now: SimTime) -> Result<Reach, ProbeError> {
    let domain = &canonical_name(domain);
    let selection = match targets::literal(protocol, domain) {
        Some(literal) => literal,
        None => {
            let srv = prober.resolver.lookup(&protocol.service_name(domain), RecordType::Srv, now).await.answer;
            let stream = protocol.stream_name(prober.partner, domain);
            targets::select(protocol, domain, &srv, prober.seed, &stream)
        }
    };
    match selection {
        Selection::Declined(failure) => Ok(Reach { via: None, attempts: Vec::new(), failure: Some(failure) }),
        Selection::Targets(candidates) => prober.try_all(protocol, domain, candidates, now).await,
        Selection::Literal(target, address) => {
            let result = prober.try_one(protocol, domain, address, target.port).await?;
            prober.conclude(vec![Attempt { target, address: Some(address), result }])
        }
        Selection::OwnAddress(target) => {
            let mut reach = prober.try_all(protocol, domain, vec![target], now).await?;
            if reach.failure == Some(ReachFailure::NotConnected) && nobody_has_an_address(&reach.attempts) {
                reach.failure = Some(ReachFailure::NoRecords);
            }
            Ok(reach)
        }
    }
}

/// Connects from an Edge Server's own address to a partner's server and exchanges the protocol's first words.
///
/// # Errors
/// As [`xmpp`].
pub async fn outbound(
    source: Option<SocketAddr>,
    peer: SocketAddr,
    protocol: Protocol,
    domain: &str,
    partner: &str,
    limits: &Limits,
) -> Result<AttemptResult, ProbeError> {
    meet(source, peer, protocol, domain, partner, limits).await
}

impl Prober<'_> {
    /// Tries targets in order, all addresses of each, until one answers or turns the partner away (RFC 6120 3.2.1).
    async fn try_all(&self, protocol: Protocol, domain: &str, candidates: Vec<Target>, now: SimTime) -> Result<Reach, ProbeError> {
        let mut attempts = Vec::new();
        let mut unheard = false;
        for target in candidates {
            let answer = self.resolver.lookup(&target.host, RecordType::A, now).await.answer;
            unheard |= answer == Answer::NoServer;
            let addresses = targets::addresses(&answer);
            if addresses.is_empty() {
                attempts.push(Attempt { target: target.clone(), address: None, result: AttemptResult::NoAddress });
            }
            for address in addresses {
                let result = self.try_one(protocol, domain, address, target.port).await?;
                attempts.push(Attempt { target: target.clone(), address: Some(address), result });
                if result != AttemptResult::Refused {
                    return self.conclude(attempts);
                }
            }
        }
        // A host of which nobody is in charge also goes without an answer: only a silent server makes it DNS's fault.
        let silent = unheard && nobody_has_an_address(&attempts) && !self.resolver.server_answers().await;
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
                (Some(self.fleet.server_at(*address).ok_or(ProbeError::Stranger { address: *address })?), None)
            }
            Some(Attempt { result: AttemptResult::TurnedAway(refusal), .. }) => (None, Some(ReachFailure::TurnedAway(*refusal))),
            _ => (None, Some(ReachFailure::NotConnected)),
        };
        Ok(Reach { via, attempts, failure })
    }

    async fn try_one(&self, protocol: Protocol, domain: &str, address: Ipv4Addr, port: u16) -> Result<AttemptResult, ProbeError> {
        let wire = self.map.wire(address)?;
        let Some(peer) = self.map.endpoint(wire, port) else { return Ok(AttemptResult::Refused) };
        let source = self.source.and_then(|source| self.map.source(source));
        meet(source, peer, protocol, self.partner, domain, &self.limits).await
    }
}

fn nobody_has_an_address(attempts: &[Attempt]) -> bool {
    attempts.iter().all(|attempt| attempt.result == AttemptResult::NoAddress)
}

/// Connects, speaks, and says what came of it.
async fn meet(
    source: Option<SocketAddr>,
    peer: SocketAddr,
    protocol: Protocol,
    from: &str,
    to: &str,
    limits: &Limits,
) -> Result<AttemptResult, ProbeError> {
    let Some(mut stream) = connect(source, peer, limits).await? else { return Ok(AttemptResult::Refused) };
    let talk = async {
        match protocol {
            Protocol::Xmpp => read_stream(peer, xmpp::ask(&mut stream, peer, from, to, limits).await?),
            Protocol::Sip => read_sip(peer, sip::ask(&mut stream, peer, from, to, limits).await?),
        }
    };
    let late = || ProbeError::Silent { what: "the server", peer, seconds: limits.probe.as_secs() };
    tokio::time::timeout(limits.probe, talk).await.map_err(|_| late())?
}

/// `None`: refused.
async fn connect(source: Option<SocketAddr>, peer: SocketAddr, limits: &Limits) -> Result<Option<TcpStream>, ProbeError> {
    let failed = |source| ProbeError::Connection { peer, source };
    let socket = TcpSocket::new_v4().map_err(failed)?;
    if let Some(source) = source {
        socket.bind(source).map_err(failed)?;
    }
    let late = |_| ProbeError::Silent { what: "the TCP connection", peer, seconds: limits.probe.as_secs() };
    match tokio::time::timeout(limits.probe, socket.connect(peer)).await.map_err(late)? {
        Ok(stream) => {
            stream.set_nodelay(true).map_err(failed)?;
            Ok(Some(stream))
        }
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => Ok(None),
        Err(error) => Err(failed(error)),
    }
}

fn read_stream(peer: SocketAddr, answer: StreamAnswer) -> Result<AttemptResult, ProbeError> {
    match answer {
        StreamAnswer::Features => Ok(AttemptResult::Answered),
        // To a client, a server of another protocol is as good as none.
        StreamAnswer::Foreign => Ok(AttemptResult::Refused),
        StreamAnswer::Error { condition, application } => {
            let refusal = xmpp::condition_refusal(&condition, application.as_deref());
            let what = format!("stream error `{condition}`");
            turned_away(peer, refusal, what)
        }
    }
}

fn read_sip(peer: SocketAddr, answer: SipAnswer) -> Result<AttemptResult, ProbeError> {
    let SipAnswer::Response { status, diagnostics } = answer else { return Ok(AttemptResult::Refused) };
    if status == 200 {
        return Ok(AttemptResult::Answered);
    }
    let id = diagnostics.as_deref().and_then(|text| text.split(';').next()?.trim().parse().ok());
    turned_away(peer, id.and_then(|id| sip::refusal(status, id)), format!("status {status}, ms-diagnostics {diagnostics:?}"))
}

fn turned_away(peer: SocketAddr, refusal: Option<EdgeRefusal>, what: String) -> Result<AttemptResult, ProbeError> {
    refusal.map(AttemptResult::TurnedAway).ok_or(ProbeError::UnknownRefusal { peer, what })
}
