//! What a server answers to a request: the Access Edge's decisions, and those of a partner's stand-in.

use std::net::SocketAddr;
use std::sync::Arc;

use ezk_sip_types::Name;
use rustls::pki_types::CertificateDer;

use super::message::Request;
use super::reply::Reply;
use super::words::{SipRefusal, status};
use crate::tls;
use crate::xmpp::host::Host;

/// Methods that are answered.
const ALLOWED: &str = "OPTIONS";

/// Who is on the other end of a connection.
pub(crate) struct Peer {
    /// The certificate that it showed, with what leads to its authority.
    chain: Vec<CertificateDer<'static>>,
    pub(crate) source: Option<SocketAddr>,
    /// The domain that was last asked about, and whether the certificate names it.
    known: Option<(String, bool)>,
}

impl Peer {
    pub(crate) fn new(chain: Vec<CertificateDer<'static>>, source: Option<SocketAddr>) -> Self {
        Self { chain, source, known: None }
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
    host: &'a Arc<Host>,
}

impl<'a> Desk<'a> {
    pub(crate) fn new(host: &'a Arc<Host>) -> Self {
        Self { host }
    }

    /// A tag for To (RFC 3261 19.3).
    pub(crate) fn tag(&self) -> String {
        let mut tag = self.host.fresh_id("tag");
        tag.truncate(16);
        tag
    }

    /// Everything that is sent because of a request.
    pub(crate) async fn answer(&self, request: &Request, peer: &mut Peer) -> Vec<String> {
        if request.message.is_ack() {
            return Vec::new();
        }
        let reply = self.decide(request, peer);
        vec![reply.write(&request.message, &self.tag(), peer.source)]
    }

    fn decide(&self, request: &Request, peer: &mut Peer) -> Reply {
        let behaviour = self.host.behaviour();
        let source = behaviour.source();
        // Who asks comes first: the domain in From must be one that the certificate names.
        if !peer.is(&request.from.host) {
            return Reply::refusal(SipRefusal::SourceDomain, &source);
        }
        if let Err(refusal) = behaviour.decide(&request.from.host, &request.target.host) {
            return Reply::refusal(SipRefusal::Edge(refusal), &source);
        }
        let wanted = [Name::PROXY_REQUIRE, Name::REQUIRE].iter().flat_map(|name| request.message.listed(name)).collect::<Vec<_>>();
        if !wanted.is_empty() {
            return Reply::new(status::BAD_EXTENSION).with("Unsupported", wanted.join(", "));
        }
        if request.hops == 0 && request.target.user.is_some() {
            return Reply::new(status::TOO_MANY_HOPS);
        }
        match request.method.as_str() {
            "OPTIONS" => Reply::new(status::OK).with("Allow", ALLOWED),
            _ => Reply::new(status::METHOD_NOT_ALLOWED).with("Allow", ALLOWED),
        }
    }
}
