//! The receiving role: a peer opened a stream to us (RFC 6120 4 to 8, XEP-0220 2.2 and 2.3).

use std::collections::BTreeSet;
use std::sync::Arc;

use data_encoding::BASE64;
use firedrill_fabric::federation::{Direction, EdgeRefusal};
use rustls::pki_types::CertificateDer;
use tokio::time::{Instant, sleep_until};

use super::call::Method;
use super::dialback;
use super::element::Element;
use super::frame::{Frame, Header};
use super::host::{Host, Seat};
use super::jid::Jid;
use super::line::{BoxedIo, Broken, Line};
use super::policy::{Offer, PeerPolicy, dialback_allowed};
use super::post;
use super::words::{Condition, DIALBACK, FOOTER, SASL, SERVER, STANZA_ERRORS, TLS, error, header, refusal_condition};
use crate::goodbye::say_goodbye;
use crate::tls;

/// Attempts at SASL on one stream (RFC 6120 6.4.5 wants 2 to 5).
const SASL_ATTEMPTS: u32 = 3;

/// How a stream ends.
enum End {
    /// The peer went away.
    Gone,
    /// We close, after these words.
    Close(String),
}

type Step = Result<(), End>;

/// One connection.
struct Visit {
    line: Line,
    host: Arc<Host>,
    begun: Instant,
    /// Id of the present stream.
    id: String,
    /// Who asks, and for which of our domains; known from the header on.
    peer: Option<(String, String)>,
    policy: Option<PeerPolicy>,
    /// Whether our header has been sent on the present stream.
    opened: bool,
    secured: bool,
    /// The certificate that the peer showed.
    chain: Option<Vec<CertificateDer<'static>>>,
    /// Whether it is good for the peer's domain; judged when first asked.
    good: Option<bool>,
    /// Pairs of peer's and our domain for which stanzas are taken.
    authenticated: BTreeSet<(String, String)>,
    attempts: u32,
    last_sent: Instant,
    seat: Option<Seat>,
}

/// Serves one connection until it ends.
pub(crate) async fn serve(io: BoxedIo, host: Arc<Host>) {
    Visit::new(io, host).serve().await;
}

fn fail(condition: Condition) -> End {
    End::Close(error(condition, None))
}

impl Visit {
    fn new(io: BoxedIo, host: Arc<Host>) -> Self {
        let now = Instant::now();
        Self {
            line: Line::new(io, host.around.limits()),
            id: host.fresh_id("stream"),
            host,
            begun: now,
            peer: None,
            policy: None,
            opened: false,
            secured: false,
            chain: None,
            good: None,
            authenticated: BTreeSet::new(),
            attempts: 0,
            last_sent: now,
            seat: None,
        }
    }

    async fn serve(mut self) {
        let mut words = match self.run().await {
            End::Gone => return,
            End::Close(words) => words,
        };
        if !self.opened {
            // An error needs a stream around it (RFC 6120 4.9.1.2).
            words = header(None, None, Some(&self.id)) + &words;
        }
        say_goodbye(&mut self.line.into_io(), &words).await;
    }

    async fn run(&mut self) -> End {
        loop {
            let (deadline, keep_alive) = self.deadlines();
            let frame = tokio::select! {
                frame = self.line.next() => frame,
                () = sleep_until(keep_alive.map_or(deadline, |due| due.min(deadline))) => {
                    // The peer may have been heard meanwhile without having said anything.
                    let (deadline, keep_alive) = self.deadlines();
                    let now = Instant::now();
                    if now >= deadline {
                        return fail(Condition::ConnectionTimeout);
                    }
                    if keep_alive.is_some_and(|due| now >= due)
                        && let Err(end) = self.say(" ").await
                    {
                        return end;
                    }
                    continue;
                }
            };
            let step = match frame {
                Ok(Frame::Header(asked)) => self.header(asked).await,
                Ok(Frame::Footer) => Err(End::Close(FOOTER.to_owned())),
                Ok(Frame::Element(element)) => self.element(element).await,
                Err(Broken::Closed | Broken::Failed(_)) => Err(End::Gone),
                Err(Broken::Late) => Err(fail(Condition::ConnectionTimeout)),
                Err(Broken::Xml(condition)) => Err(fail(condition)),
            };
            if let Err(end) = step {
                return end;
            }
        }
    }

    /// When the stream ends unless something happens, and when a keep-alive is due (dossier F.7: StreamEstablishmentTimeout,
    /// StreamInactivityTimeout, KeepAliveInterval).
    fn deadlines(&self) -> (Instant, Option<Instant>) {
        let limits = self.host.around.limits();
        match &self.policy {
            Some(policy) if !self.authenticated.is_empty() => {
                (self.line.silent_at(policy.times.inactivity), policy.times.keep_alive.map(|interval| self.last_sent + interval))
            }
            Some(policy) => (self.begun + policy.times.establishment, None),
            None => (self.begun + limits.conversation, None),
        }
    }

    async fn say(&mut self, text: &str) -> Step {
        self.last_sent = Instant::now();
        self.line.send(text).await.map_err(|_| End::Gone)
    }

    /// Answers a header with header and features, or header and error (RFC 6120 4.9.1.2).
    async fn header(&mut self, asked: Header) -> Step {
        let behaviour = self.host.behaviour();
        let (to, from) = (asked.to.as_deref(), asked.from.as_deref());
        // Only a domain of ours is spoken for; asked for another one we do not say who we are.
        let ours = to.filter(|domain| behaviour.domains().iter().any(|known| known.eq_ignore_ascii_case(domain)));
        self.say(&header(ours, from, Some(&self.id))).await?;
        self.opened = true;
        let (Some(domain), Some(peer)) = (to, from) else { return Err(fail(Condition::ImproperAddressing)) };
        if Jid::parse(peer).is_none_or(|jid| jid.local.is_some() || jid.domain != peer) {
            return Err(fail(Condition::ImproperAddressing));
        }
        if asked.version.as_deref() != Some("1.0") {
            return Err(fail(Condition::UnsupportedVersion));
        }
        let pair = (peer.to_ascii_lowercase(), domain.to_ascii_lowercase());
        if self.peer.as_ref().is_some_and(|known| known.0 != pair.0) {
            // What was shown in the handshake belongs to whom it was shown by.
            return Err(fail(Condition::InvalidFrom));
        }
        if let Err(refusal) = behaviour.decide_header(peer, domain) {
            let (condition, application) = refusal_condition(refusal);
            return Err(End::Close(error(condition, Some(application))));
        }
        let policy = self.host.policy(peer);
        if policy.methods.is_empty() {
            let (condition, application) = refusal_condition(EdgeRefusal::NoAuthentication);
            return Err(End::Close(error(condition, Some(application))));
        }
        if self.seat.is_none() {
            let seat = self.host.sit_down(peer, policy.connections);
            self.seat = Some(seat.ok_or_else(|| fail(Condition::ResourceConstraint))?);
        }
        let authenticated = !self.authenticated.is_empty();
        let good = self.secured && !authenticated && self.certificate_good(peer);
        let offer = Offer::new(policy.methods, self.secured, good, authenticated);
        self.peer = Some(pair);
        self.policy = Some(policy);
        self.say(&offer.to_xml()).await?;
        if self.secured && !authenticated && !offer.external && !offer.dialback {
            // Its certificate is not good, and nothing else would do: better said than left to time out.
            let (condition, application) = refusal_condition(EdgeRefusal::NoAuthentication);
            return Err(End::Close(error(condition, Some(application))));
        }
        Ok(())
    }

    /// Whether the peer's certificate is good for its domain; the domain stays the same on a connection.
    fn certificate_good(&mut self, domain: &str) -> bool {
        let around = &self.host.around;
        let chain = self.chain.as_deref();
        *self.good.get_or_insert_with(|| around.authority().judge(chain, domain, around.now()).is_ok())
    }

    async fn element(&mut self, element: Element) -> Step {
        let (Some(policy), Some((peer, ours))) = (self.policy.clone(), self.peer.clone()) else {
            return Err(fail(Condition::NotAuthorized));
        };
        match (element.namespace.as_str(), element.name.as_str()) {
            (TLS, "starttls") => self.start_tls(&policy).await,
            (SASL, "auth") => self.sasl(&element, &policy, &peer, &ours).await,
            (SASL, "abort") => self.sasl_failed("aborted").await,
            (DIALBACK, "result") if element.get("type").is_none() => self.dialback_result(&element, &policy).await,
            (DIALBACK, "verify") if element.get("type").is_none() => self.dialback_verify(&element, &policy).await,
            // Answers belong on the streams that we opened.
            (DIALBACK, _) => Ok(()),
            (SERVER, "message" | "presence" | "iq") => self.stanza(element),
            // Nothing else was offered (RFC 6120 4.9.3.23).
            _ => Err(fail(Condition::UnsupportedFeature)),
        }
    }

    /// RFC 6120 5.4.
    async fn start_tls(&mut self, policy: &PeerPolicy) -> Step {
        if self.secured || !policy.methods.uses_tls() {
            return Err(fail(Condition::UnsupportedFeature));
        }
        if self.line.has_rest() {
            // Bytes before the handshake would be taken for bytes inside it.
            return Err(fail(Condition::PolicyViolation));
        }
        let Ok(credentials) = self.host.credentials() else { return Err(fail(Condition::PolicyViolation)) };
        self.say(&Element::new(TLS, "proceed").to_xml()).await?;
        let nowhere: BoxedIo = Box::new(tokio::io::join(tokio::io::empty(), tokio::io::sink()));
        let bare = std::mem::replace(&mut self.line, Line::new(nowhere, self.host.around.limits()));
        let accepting = tls::accept(bare.into_io(), &credentials.server);
        // A peer that goes on too long, or speaks no TLS, cannot be told anything that it would understand.
        let accepted = tokio::time::timeout_at(self.begun + policy.times.establishment, accepting).await;
        let Ok(Ok((stream, chain))) = accepted else { return Err(End::Gone) };
        self.chain = chain;
        self.good = None;
        self.line = Line::new(Box::new(stream), self.host.around.limits());
        self.secured = true;
        self.restart();
        Ok(())
    }

    /// A new stream on the same connection has a new id (RFC 6120 4.3.3).
    fn restart(&mut self) {
        self.id = self.host.fresh_id("stream");
        self.opened = false;
    }

    /// SASL EXTERNAL (RFC 6120 6.4, XEP-0178 3).
    async fn sasl(&mut self, auth: &Element, policy: &PeerPolicy, peer: &str, ours: &str) -> Step {
        let offered = self.secured && policy.methods.sasl && self.certificate_good(peer);
        if auth.get("mechanism") != Some("EXTERNAL") || !offered || !self.authenticated.is_empty() {
            return self.sasl_failed("invalid-mechanism").await;
        }
        let given = auth.content();
        let identity = match given.trim() {
            "" | "=" => Some(peer.to_owned()),
            encoded => BASE64.decode(encoded.as_bytes()).ok().and_then(|bytes| String::from_utf8(bytes).ok()),
        };
        match identity {
            None => self.sasl_failed("incorrect-encoding").await,
            Some(identity) if !identity.eq_ignore_ascii_case(peer) => self.sasl_failed("invalid-authzid").await,
            Some(_) => {
                self.say(&Element::new(SASL, "success").to_xml()).await?;
                self.host.note(Direction::Inbound, ours, peer, true, Method::External);
                self.authenticated.insert((peer.to_owned(), ours.to_owned()));
                self.line.restart();
                self.restart();
                Ok(())
            }
        }
    }

    async fn sasl_failed(&mut self, condition: &str) -> Step {
        self.say(&Element::new(SASL, "failure").child(Element::new(SASL, condition)).to_xml()).await?;
        self.attempts += 1;
        if self.attempts >= SASL_ATTEMPTS { Err(fail(Condition::PolicyViolation)) } else { Ok(()) }
    }

    /// Server Dialback as the receiving server (XEP-0220 2.2).
    async fn dialback_result(&mut self, result: &Element, policy: &PeerPolicy) -> Step {
        if !dialback_allowed(policy.methods, self.secured) {
            // TLS first, or SASL only.
            return Err(fail(Condition::PolicyViolation));
        }
        let (Some(claimed), Some(domain)) = (result.get("from"), result.get("to")) else {
            return Err(fail(Condition::ImproperAddressing));
        };
        let (claimed, domain) = (claimed.to_ascii_lowercase(), domain.to_ascii_lowercase());
        let answer = Element::new(DIALBACK, "result").with("from", &domain).with("to", &claimed);
        if let Err(refusal) = self.host.behaviour().decide_header(&claimed, &domain) {
            // XEP-0220 2.4.2: an error for this pair, without an end for the others.
            let unknown = refusal == EdgeRefusal::UnknownDomain;
            let (kind, condition) = if unknown { ("cancel", "item-not-found") } else { ("auth", "policy-violation") };
            return self.say(&dialback_error(answer, kind, condition).to_xml()).await;
        }
        let verified = self.host.verify(&domain, &claimed, &self.id, &result.content()).await;
        match verified {
            Ok(true) => {
                self.host.note(Direction::Inbound, &domain, &claimed, self.secured, Method::Dialback);
                self.authenticated.insert((claimed, domain));
                self.say(&answer.with("type", "valid").to_xml()).await
            }
            Ok(false) => Err(End::Close(answer.with("type", "invalid").to_xml() + FOOTER)),
            Err(_) => self.say(&dialback_error(answer, "cancel", "remote-server-not-found").to_xml()).await,
        }
    }

    /// Server Dialback as the authoritative server (XEP-0220 2.3): whether a key is one that we made.
    async fn dialback_verify(&mut self, question: &Element, policy: &PeerPolicy) -> Step {
        if !self.secured && !policy.methods.tcp_dialback {
            return Err(fail(Condition::PolicyViolation));
        }
        let (Some(receiving), Some(originating), Some(id)) = (question.get("from"), question.get("to"), question.get("id")) else {
            return Err(fail(Condition::ImproperAddressing));
        };
        let answer = Element::new(DIALBACK, "verify").with("from", originating).with("to", receiving).with("id", id);
        let ours = self.host.behaviour().domains().iter().any(|known| known.eq_ignore_ascii_case(originating));
        if !ours {
            return self.say(&dialback_error(answer, "cancel", "item-not-found").to_xml()).await;
        }
        let key = dialback::key(&self.host.secret(), &receiving.to_ascii_lowercase(), &originating.to_ascii_lowercase(), id);
        let kind = if question.content().trim() == key { "valid" } else { "invalid" };
        self.say(&answer.with("type", kind).to_xml()).await
    }

    /// A stanza (RFC 6120 8): from the domain that was authenticated, to one of ours.
    fn stanza(&mut self, stanza: Element) -> Step {
        if self.authenticated.is_empty() {
            return Err(fail(Condition::NotAuthorized));
        }
        let (Some(from), Some(to)) = (stanza.get("from").map(str::to_owned), stanza.get("to").map(str::to_owned)) else {
            return Err(fail(Condition::ImproperAddressing));
        };
        let (Some(from), Some(to)) = (Jid::parse(&from), Jid::parse(&to)) else {
            return Err(fail(Condition::ImproperAddressing));
        };
        let pair = (from.domain.to_ascii_lowercase(), to.domain.to_ascii_lowercase());
        let behaviour = self.host.behaviour();
        if !behaviour.domains().iter().any(|known| known.eq_ignore_ascii_case(to.domain)) {
            return Err(fail(Condition::HostUnknown));
        }
        if !self.authenticated.contains(&pair) {
            return Err(fail(Condition::InvalidFrom));
        }
        if let Err(refusal @ EdgeRefusal::PartnerNotAllowed) = behaviour.decide_header(from.domain, to.domain) {
            // Removed from the list while the stream was open.
            let (condition, application) = refusal_condition(refusal);
            return Err(End::Close(error(condition, Some(application))));
        }
        post::receive(&self.host, stanza, &from, &to);
        Ok(())
    }
}

fn dialback_error(answer: Element, kind: &str, condition: &str) -> Element {
    let condition = Element::new(STANZA_ERRORS, condition);
    answer.with("type", "error").child(Element::new(SERVER, "error").with("type", kind).child(condition))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use firedrill_dns::{AddressMap, LoopbackBlock};
    use firedrill_fabric::config::{XmppAllowedPartner, XmppGatewayConfiguration};
    use firedrill_fabric::federation::{Listener, Protocol, XmppProxy};
    use firedrill_fabric::seed::Seed;
    use firedrill_topology::{ComputerId, EdgePoolId};
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
    use tokio::task::JoinHandle;

    use super::*;
    use crate::behaviour::Behaviour;
    use crate::limits::Limits;
    use crate::surroundings::{OpenGateway, Surroundings, WIDE};

    const OPEN: &str = "<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' from='fabrikam.net' to='contoso.com' version='1.0'>";

    fn host(gateway: XmppGatewayConfiguration) -> Arc<Host> {
        let map = AddressMap::new(&LoopbackBlock::single(), []).expect("addresses");
        let around = Surroundings::new(&map, Seed(1), Limits::default(), WIDE, None, Arc::new(OpenGateway)).expect("surroundings");
        let listener = Listener {
            edge_pool: EdgePoolId(0),
            computer: ComputerId(0),
            address: [203, 0, 113, 11].into(),
            protocol: Protocol::Xmpp,
            port: 5269,
            listening: true,
            domains: vec!["contoso.com".into()],
            partners: None,
            refusal: None,
            certificate: WIDE,
            xmpp: Some(Arc::new(XmppProxy {
                gateway,
                partners: vec![XmppAllowedPartner::with_defaults("fabrikam.net".into())],
                reaches_partners: true,
            })),
        };
        Arc::new(Host::new(&around, Behaviour::Edge(listener), "test".into(), None))
    }

    /// A connection, and what the peer holds of it.
    fn visit(gateway: XmppGatewayConfiguration) -> (Visit, DuplexStream) {
        let (ours, theirs) = duplex(64 * 1024);
        (Visit::new(Box::new(ours), host(gateway)), theirs)
    }

    /// As one that was authenticated long ago.
    fn authenticated(gateway: XmppGatewayConfiguration) -> (Visit, DuplexStream) {
        let (mut visit, theirs) = visit(gateway);
        visit.policy = Some(visit.host.policy("fabrikam.net"));
        visit.peer = Some(("fabrikam.net".into(), "contoso.com".into()));
        visit.authenticated.insert(("fabrikam.net".into(), "contoso.com".into()));
        (visit, theirs)
    }

    async fn rest(mut theirs: DuplexStream) -> (String, Duration) {
        let begun = Instant::now();
        let mut said = String::new();
        theirs.read_to_string(&mut said).await.expect("read");
        (said, begun.elapsed())
    }

    fn spawn(visit: Visit) -> JoinHandle<()> {
        tokio::spawn(visit.serve())
    }

    #[tokio::test(start_paused = true)]
    async fn establishment_takes_no_longer_than_the_gateway_allows() {
        for (seconds, expected) in [(7, 7), (600, 60)] {
            let gateway = XmppGatewayConfiguration { stream_establishment_timeout: seconds, ..Default::default() };
            let (visit, mut theirs) = visit(gateway);
            let serving = spawn(visit);
            theirs.write_all(OPEN.as_bytes()).await.expect("written");
            let (said, taken) = rest(theirs).await;
            assert!(said.contains("<stream:features>") && said.contains("<connection-timeout "), "{said}");
            assert_eq!(taken.as_secs(), expected, "{seconds} configured, and never longer than a conversation may take");
            serving.await.expect("ended");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_stream_ends_after_the_inactivity_time_out() {
        let gateway = XmppGatewayConfiguration { stream_inactivity_timeout: 90, keep_alive_interval: 30, ..Default::default() };
        let (visit, mut theirs) = authenticated(gateway);
        spawn(visit);
        theirs.write_all(OPEN.as_bytes()).await.expect("written");
        let (said, taken) = rest(theirs).await;
        assert_eq!(taken.as_secs(), 90);
        assert!(said.contains("<stream:features/>  <stream:error>"), "keep-alives after 30 s and 60 s: {said}");
        assert!(said.contains("<connection-timeout "), "{said}");
    }

    #[tokio::test(start_paused = true)]
    async fn keep_alives_of_the_peer_keep_a_stream() {
        let gateway = XmppGatewayConfiguration { stream_inactivity_timeout: 90, ..Default::default() };
        let (visit, mut theirs) = authenticated(gateway);
        let serving = spawn(visit);
        theirs.write_all(OPEN.as_bytes()).await.expect("written");
        for _ in 0..20 {
            tokio::time::sleep(Duration::from_secs(60)).await;
            theirs.write_all(b" ").await.expect("still open");
        }
        assert!(!serving.is_finished());
        theirs.write_all(b"</stream:stream>").await.expect("still open");
        drop(theirs);
        serving.await.expect("ended");
    }

    /// One byte of a stanza each second: the stanza has a time limit of its own.
    #[tokio::test(start_paused = true)]
    async fn a_stanza_that_never_ends_is_ended() {
        let (visit, mut theirs) = authenticated(XmppGatewayConfiguration::default());
        spawn(visit);
        theirs.write_all(OPEN.as_bytes()).await.expect("written");
        let begun = Instant::now();
        let mut text = "<message to='anna@contoso.com' from='a@fabrikam.net'><body>".bytes().chain(std::iter::repeat(b'x'));
        loop {
            tokio::time::sleep(Duration::from_secs(1)).await;
            let byte = [text.next().expect("endless")];
            if theirs.write_all(&byte).await.is_err() || begun.elapsed() > Duration::from_secs(300) {
                break;
            }
        }
        assert!(begun.elapsed() <= Duration::from_secs(64), "{:?}", begun.elapsed());
    }

    /// A peer that takes nothing in does not hold us for ever.
    #[tokio::test(start_paused = true)]
    async fn a_peer_that_does_not_read_is_left() {
        let (ours, mut theirs) = duplex(64);
        let serving = spawn(Visit::new(Box::new(ours), host(XmppGatewayConfiguration::default())));
        let begun = Instant::now();
        let asking = async {
            // Our header does not fit the pipe.
            let _written = theirs.write_all(OPEN.as_bytes()).await;
        };
        let (_, ended) = tokio::join!(asking, serving);
        ended.expect("ended");
        assert!(begun.elapsed() <= Duration::from_secs(62), "{:?}", begun.elapsed());
    }
}
