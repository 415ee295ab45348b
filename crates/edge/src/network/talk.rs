//! SIP between users over the wire, and their sign-in.

use std::net::SocketAddr;
use std::sync::Arc;

use firedrill_dns::targets::{self, Selection};
use firedrill_fabric::SimTime;
use firedrill_fabric::federation::{Protocol, Undelivered};
use firedrill_fabric::naming::canonical_name;
use firedrill_fabric::sign_in::{SignIn, SignInFrom};
use firedrill_topology::{ComputerId, PartnerId, RecordType};
use tokio::net::TcpStream;

use super::Network;
use crate::error::ProbeError;
use crate::probe::connect;
use crate::sign_in::Client;
use crate::sip::call::{Call, Introduction, Response};
use crate::sip::{SipFailure, TlsFacts, talk};
use crate::xmpp::host::Host;

/// What one user asks of another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SipAsk {
    /// OPTIONS: what the other can do.
    Options,
    /// MESSAGE: one instant message.
    Message(String),
    /// INVITE to a session of instant messages, one message in it, and BYE.
    Session(String),
    /// SUBSCRIBE to the other's presence, once.
    Presence,
}

/// The final answer to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SipOutcome {
    /// Status code.
    pub status: u16,
    /// Value of `ms-diagnostics`, where there is one.
    pub diagnostics: Option<String>,
    /// The Edge Server of ours that the request went through.
    pub via: Option<ComputerId>,
}

/// A request was not answered.
#[derive(Debug, thiserror::Error)]
pub enum SipError {
    /// Not `user@domain`.
    #[error("an address has the form user@domain")]
    Address,
    /// The model has no way for it.
    #[error("not delivered: {0:?}")]
    Undelivered(Undelivered),
    /// Neither a domain of ours nor a partner that a stand-in plays.
    #[error("no server sends for this domain")]
    NoServer,
    /// DNS names no server of the other domain, or none listens there.
    #[error("no server of `{0}` takes the connection")]
    NotFound(String),
    /// The connection to the other server failed.
    #[error("SIP to the other server failed: {0}")]
    Sip(#[from] SipFailure),
    /// The wire did something that the model has no answer for.
    #[error(transparent)]
    Probe(#[from] ProbeError),
}

/// A way to the other side's server.
struct Way {
    host: Arc<Host>,
    stream: TcpStream,
    /// The name that the server's certificate must have.
    name: String,
    via: Option<ComputerId>,
}

impl Network {
    /// Signs a user in over the wire: look-ups, TLS, REGISTER, redirects followed. Compare with
    /// [`Fabric::sign_in`](firedrill_fabric::Fabric::sign_in).
    ///
    /// # Errors
    /// When the wire does something that the model has no answer for.
    pub async fn sign_in(&self, user: &str, from: &SignInFrom, now: SimTime) -> Result<SignIn, ProbeError> {
        let client = Client {
            around: &self.around,
            topology: &self.topology,
            registrars: &self.registrars,
            inside: &self.inside,
            outside: &self.outside,
        };
        client.sign_in(user, from, now).await
    }

    /// Where a pool's registrar listens, for clients of other programs.
    pub fn registrar(&self, pool: firedrill_topology::PoolId) -> Option<SocketAddr> {
        self.registrars.endpoint(pool)
    }

    /// Asks something over SIP: a user of ours through the site's federation route, or a user of a partner that has a
    /// stand-in through what DNS says about our domain.
    ///
    /// # Errors
    /// Why there was no answer. A refusal is an answer.
    pub async fn sip(&self, from: &str, to: &str, ask: &SipAsk, now: SimTime) -> Result<SipOutcome, SipError> {
        self.around.set_now(now);
        let domain = |address: &str| address.split_once('@').map(|(_, domain)| canonical_name(domain));
        let (Some(ours), Some(theirs)) = (domain(from), domain(to)) else { return Err(SipError::Address) };
        let way = if self.topology.sip_domains.contains(&ours) {
            self.way_out(from, &theirs).await?
        } else {
            let partner = self.topology.find_partner(&ours).ok_or(SipError::NoServer)?;
            self.way_in(partner, &theirs, now).await?
        };
        let limits = self.around.limits();
        let credentials = way.host.credentials().map_err(ProbeError::from)?;
        let with = Introduction { credentials: &credentials, authority: self.around.authority(), now, limits };
        let mut call = Call::open(way.stream, &way.name, &with, &mut TlsFacts::default()).await?;
        let answered = self.exchange(&mut call, &way.host, from, to, ask).await;
        call.hang_up().await;
        let response = answered?;
        Ok(SipOutcome { status: response.status, diagnostics: response.diagnostics().map(str::to_owned), via: way.via })
    }

    async fn exchange(&self, call: &mut Call, host: &Host, from: &str, to: &str, ask: &SipAsk) -> Result<Response, SipFailure> {
        let limits = self.around.limits();
        let mut user = talk::Asker::new(from, to, call.sent_by(), host.fresh_id("call"));
        match ask {
            SipAsk::Options => call.ask(&user.options(), limits).await,
            SipAsk::Message(body) => call.ask(&user.message(body), limits).await,
            SipAsk::Presence => call.ask(&user.subscribe(), limits).await,
            SipAsk::Session(body) => {
                let invited = call.ask(&user.invite(), limits).await?;
                call.say(&user.acknowledge(&invited)).await?;
                if invited.status != 200 {
                    return Ok(invited);
                }
                let sent = call.ask(&user.message(body), limits).await?;
                let left = call.ask(&user.bye(), limits).await?;
                // The first refusal is the answer.
                Ok([sent, left].into_iter().find(|answer| answer.status != 200).unwrap_or(invited))
            }
        }
    }

    async fn way_out(&self, from: &str, theirs: &str) -> Result<Way, SipError> {
        let computer = self.around.gateway().sip_outbound(from, theirs).map_err(SipError::Undelivered)?;
        let host = Arc::clone(self.fleet.xmpp_host(computer).ok_or(SipError::NoServer)?);
        let wire = self.fleet.address_of(computer).and_then(|address| self.map.wire(address).ok());
        let partner = self.topology.find_partner(theirs).ok_or_else(|| SipError::NotFound(theirs.to_owned()))?;
        let peer = self.partners.endpoint(partner, Protocol::Sip).ok_or_else(|| SipError::NotFound(theirs.to_owned()))?;
        let source = wire.and_then(|wire| self.map.source(wire));
        let stream = connect(source, peer, self.around.limits()).await?.ok_or_else(|| SipError::NotFound(theirs.to_owned()))?;
        Ok(Way { host, stream, name: theirs.to_owned(), via: Some(computer) })
    }

    /// As the prober: the first SRV record alone, which must lie inside the domain, and all its addresses (dossier F.5).
    async fn way_in(&self, partner: PartnerId, domain: &str, now: SimTime) -> Result<Way, SipError> {
        let host = Arc::clone(self.partners.sip_host(partner).ok_or(SipError::NoServer)?);
        let resolver = self.resolver(partner);
        let srv = resolver.lookup(&Protocol::Sip.service_name(domain), RecordType::Srv, now).await.answer;
        let stream = Protocol::Sip.stream_name(&self.topology.partner(partner).domain, domain);
        let not_found = || SipError::NotFound(domain.to_owned());
        let Selection::Targets(found) = targets::select(Protocol::Sip, domain, &srv, self.around.seed(), &stream) else {
            return Err(not_found());
        };
        let source = self.partners.address(partner).and_then(|address| self.map.source(address));
        for target in found {
            let answer = resolver.lookup(&target.host, RecordType::A, now).await.answer;
            for address in targets::addresses(&answer) {
                let wire = self.map.wire(address).map_err(ProbeError::from)?;
                let Some(peer) = self.map.endpoint(wire, target.port) else { continue };
                if let Some(stream) = connect(source, peer, self.around.limits()).await? {
                    let via = self.fleet.server_at(address).map(|(_, computer)| computer);
                    return Ok(Way { host, stream, name: target.host, via });
                }
            }
        }
        Err(not_found())
    }
}
