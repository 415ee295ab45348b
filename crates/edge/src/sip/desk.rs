//! What a server answers to a request: the Access Edge's decisions, those of registrars, and of partners' stand-ins.

use std::net::SocketAddr;
use std::sync::Arc;

use ezk_sip_types::Name;
use firedrill_fabric::ServiceMode;
use firedrill_fabric::federation::{EdgeRefusal, Undelivered};
use firedrill_fabric::sign_in::RegistrarAnswer;
use rustls::pki_types::CertificateDer;

use super::message::{Message, Request};
use super::reply::Reply;
use super::user;
use super::words::{SERVED_BY, SipRefusal, Status, status};
use crate::behaviour::Behaviour;
use crate::tls;
use crate::xmpp::host::Host;

/// Methods that are answered.
pub(super) const ALLOWED: &str = "OPTIONS, REGISTER, INVITE, ACK, BYE, SUBSCRIBE, MESSAGE";
/// Seconds for which a registration counts: `DefaultEndpointExpiration` (dossier B.6).
const REGISTERED_FOR: u32 = 600;

/// Who is on the other end of a connection.
pub(crate) struct Peer {
    /// The certificate that it showed, with what leads to its authority.
    chain: Vec<CertificateDer<'static>>,
    pub(crate) source: Option<SocketAddr>,
    /// The domain that was last asked about, and whether the certificate names it.
    known: Option<(String, bool)>,
    /// Sessions and subscriptions on this connection, which end with it.
    pub(super) dialogs: user::Dialogs,
}

impl Peer {
    pub(crate) fn new(chain: Vec<CertificateDer<'static>>, source: Option<SocketAddr>) -> Self {
        Self { chain, source, known: None, dialogs: user::Dialogs::default() }
    }

    /// Whether its certificate is for a domain.
    fn is(&mut self, domain: &str) -> bool {
        if let Some((known, named)) = &self.known
            && known == domain
        {
            return *named;
        }
        let named = tls::names(&self.chain, domain);
        self.known = Some((domain.to_owned(), named));
        named
    }
}

/// One server at one moment.
pub(crate) struct Desk<'a> {
    pub(super) host: &'a Arc<Host>,
    pub(super) behaviour: Arc<Behaviour>,
    /// How the server calls itself.
    pub(super) name: String,
}

impl<'a> Desk<'a> {
    pub(crate) fn new(host: &'a Arc<Host>) -> Self {
        let behaviour = host.behaviour();
        let name = behaviour.source();
        Self { host, behaviour, name }
    }

    /// A tag for To (RFC 3261 19.3).
    pub(crate) fn tag(&self) -> String {
        let mut tag = self.host.fresh_id("tag");
        tag.truncate(16);
        tag
    }

    /// The answer to a request that cannot be understood; an ACK is never answered (RFC 3261 17.1.1.3).
    pub(crate) fn misread(&self, status: Status, message: &Message, source: Option<SocketAddr>) -> Vec<String> {
        if message.is_ack() {
            return Vec::new();
        }
        let reply = if status == status::BAD_REQUEST { self.refuse(SipRefusal::Unreadable) } else { Reply::new(status) };
        vec![reply.write(message, &self.tag(), source)]
    }

    /// Everything that is sent because of a request.
    pub(crate) fn answer(&self, request: &Request, peer: &mut Peer) -> Vec<String> {
        if request.message.is_ack() {
            return Vec::new();
        }
        let tag = self.tag();
        match self.admit(request, peer) {
            Err(reply) => vec![reply.write(&request.message, &tag, peer.source)],
            Ok(()) => user::receive(self, request, peer, &tag),
        }
    }

    pub(super) fn refuse(&self, refusal: SipRefusal) -> Reply {
        Reply::refusal(refusal, &self.name)
    }

    /// What is answered before a request reaches a user.
    fn admit(&self, request: &Request, peer: &mut Peer) -> Result<(), Reply> {
        let federated = matches!(*self.behaviour, Behaviour::Edge(_) | Behaviour::Partner { .. });
        // Who asks comes first: the domain in From must be one that a partner's certificate names.
        if federated && !peer.is(&request.from.host) {
            return Err(self.refuse(SipRefusal::SourceDomain));
        }
        self.behaviour.decide(&request.from.host, &request.target.host).map_err(|refusal| self.refuse(SipRefusal::Edge(refusal)))?;
        let unsupported: Vec<String> = [Name::PROXY_REQUIRE, Name::REQUIRE].iter().flat_map(|name| request.message.listed(name)).collect();
        if !unsupported.is_empty() {
            return Err(Reply::new(status::BAD_EXTENSION).with("Unsupported", unsupported.join(", ")));
        }
        match (request.method.as_str(), &request.target.user) {
            ("OPTIONS", None) => Err(Reply::new(status::OK).with("Allow", ALLOWED).with("Accept", user::ACCEPTED)),
            ("REGISTER", _) => Err(self.register(request)),
            ("OPTIONS" | "INVITE" | "SUBSCRIBE" | "MESSAGE" | "BYE" | "CANCEL" | "INFO" | "NOTIFY" | "UPDATE" | "PRACK", target) => {
                if request.hops == 0 {
                    return Err(Reply::new(status::TOO_MANY_HOPS));
                }
                let Some(address) = target.as_ref().and_then(|_| request.target.address()) else {
                    return Err(self.refuse(SipRefusal::NoSuchUser));
                };
                self.deliver(&address)
            }
            _ => Err(Reply::new(status::METHOD_NOT_ALLOWED).with("Allow", ALLOWED)),
        }
    }

    /// Whether a request reaches a user: the model decides at this moment.
    fn deliver(&self, address: &str) -> Result<(), Reply> {
        let Behaviour::Edge(listener) = &*self.behaviour else {
            // Everybody of a partner is well. Registrars and the port for remote users pass on nothing but registrations:
            // messages among our own users are not modelled on the wire.
            let partner = matches!(*self.behaviour, Behaviour::Partner { .. });
            return if partner { Ok(()) } else { Err(Reply::new(status::METHOD_NOT_ALLOWED).with("Allow", "OPTIONS, REGISTER")) };
        };
        self.host.around.gateway().sip_inbound(listener.computer, address).map_err(|undelivered| {
            self.refuse(match undelivered {
                Undelivered::NoSuchUser => SipRefusal::NoSuchUser,
                Undelivered::NextHopUnavailable => SipRefusal::Edge(EdgeRefusal::NextHopUnavailable),
                _ => SipRefusal::UserUnavailable,
            })
        })
    }

    /// REGISTER (RFC 3261 10.3): who it is for stands in To. Nobody is asked for credentials: which registrar answers is what is
    /// rehearsed, and Kerberos, NTLM and TLS-DSK are not modelled.
    fn register(&self, request: &Request) -> Reply {
        let gateway = self.host.around.gateway();
        let user = request.to.address().unwrap_or_default();
        let (answer, pools) = match &*self.behaviour {
            Behaviour::Edge(_) | Behaviour::Partner { .. } => return self.refuse(SipRefusal::NotForPartners),
            Behaviour::Registrar { listener, pools } => (gateway.registrar(listener.pool, &user), pools),
            Behaviour::Access { listener, pools } => (gateway.access(listener.computer, &user), pools),
        };
        match answer {
            RegistrarAnswer::NoSuchUser => self.refuse(SipRefusal::NoSuchUser),
            RegistrarAnswer::Unavailable => self.refuse(SipRefusal::RegistrarUnavailable),
            RegistrarAnswer::Unreachable => self.refuse(SipRefusal::Edge(EdgeRefusal::NextHopUnavailable)),
            RegistrarAnswer::Accepted(pool, mode) => {
                let mode = if mode == ServiceMode::Regular { "regular" } else { "resiliency" };
                let mut reply = Reply::new(status::OK).with(SERVED_BY, format!("{};mode={mode}", pools[pool.index()]));
                if let Some(contact) = request.message.first(&Name::CONTACT) {
                    reply = reply.with("Contact", contact);
                }
                reply.with("Expires", REGISTERED_FOR.to_string())
            }
            // Dossier B.1: both registrars, the primary preferred.
            RegistrarAnswer::Redirected { primary, backup } => {
                let contact = |pool: firedrill_topology::PoolId, q: &str| format!("<sip:{}:5061;transport=tls>;q={q}", pools[pool.index()]);
                let contacts = [Some(contact(primary, "0.7")), backup.map(|backup| contact(backup, "0.3"))];
                Reply::new(status::REDIRECTED).with("Contact", contacts.into_iter().flatten().collect::<Vec<_>>().join(", "))
            }
        }
    }
}
