//! XMPP between a fabric on the wire and the servers that stand in for its partners: authentication, delivery, refusals.

#[path = "common/peer/mod.rs"]
mod peer;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use firedrill_dns::LoopbackBlock;
use firedrill_edge::{Content, Limits, Method, Network, SendError, agree};
use firedrill_fabric::config::{Configuration, XmppAllowedPartner};
use firedrill_fabric::federation::{
    Direction, EdgeRefusal, Level, Negotiation, Protocol, ReachFailure, ReachQuery, Undelivered, XmppMethods,
};
use firedrill_fabric::{Caller, Change, Fabric, Fault, Options, Place, SimDuration, SimTime};
use firedrill_topology::{EdgePoolId, PartnerId, PoolId, SiteId, load_bytes};
use peer::{EXTERNAL, Peer, header};
use rstest::rstest;

const START: SimTime = SimTime(1_767_225_600_000_000_000);
const ANNA: &str = "anna@contoso.com";
/// Homed on the second pool, of which no Edge Server in use depends.
const CHIKA: &str = "chika@contoso.com";
const ROMEO: &str = "romeo@fabrikam.net";

struct Drill {
    fabric: Fabric,
    network: Network,
    partner: PartnerId,
}

impl Drill {
    async fn start() -> Self {
        Self::start_with(Limits::default()).await
    }

    async fn start_with(limits: Limits) -> Self {
        let loaded = load_bytes("contoso.yaml", include_bytes!("../../../fixtures/contoso.yaml"));
        let topology = Arc::new(loaded.topology.expect("the fixture is valid"));
        let partner = topology.find_partner("fabrikam.net").expect("a partner");
        let fabric = Fabric::new(topology, Options { seed: 1, start: START });
        let network = Network::start_on(LoopbackBlock::take(), &fabric, limits).await.expect("the wire follows");
        Self { fabric, network, partner }
    }

    /// As [`Self::start`], with fabrikam.net as a federated partner.
    async fn federated() -> Self {
        let mut drill = Self::start().await;
        drill.partner(|partner| partner.partner_type = "Federated".into()).await;
        drill
    }

    async fn configure(&mut self, edit: impl FnOnce(&mut Configuration)) {
        let caller = Caller { computer: self.fabric.topology().find_computer("pool1-fe1").expect("a Front End") };
        let edited = self.fabric.edit_configuration(caller, |configuration| {
            edit(configuration);
            Ok(())
        });
        edited.expect("the store takes it");
        let until = self.fabric.now() + SimDuration::from_mins(30);
        self.fabric.advance_to(until).expect("time runs");
        self.follow().await;
    }

    async fn partner(&mut self, edit: impl FnOnce(&mut XmppAllowedPartner)) {
        self.configure(|configuration| edit(configuration.xmpp_partners.get_mut("fabrikam.net").expect("allowed"))).await;
    }

    async fn strike(&mut self, fault: Fault) {
        self.fabric.apply(Change::Inject(fault)).expect("it strikes");
        self.follow().await;
    }

    async fn follow(&mut self) {
        self.network.follow(&self.fabric).await.expect("the wire follows");
    }

    fn query(&self, direction: Direction) -> ReachQuery {
        ReachQuery { partner: self.partner, domain: "contoso.com".into(), protocol: Protocol::Xmpp, direction }
    }

    /// Asks model and wire, in both directions, and how far the partner gets. Why it does not, if so.
    async fn both(&mut self, what: &str) -> [Option<ReachFailure>; 2] {
        let mut failures = Vec::new();
        for direction in [Direction::Inbound, Direction::Outbound] {
            let query = self.query(direction);
            let model = self.fabric.reach(&query);
            let wire = self.network.reach(&query, self.fabric.now()).await;
            let wire = wire.unwrap_or_else(|error| panic!("{what}: {error}; the model says {model:?}"));
            agree(&model, &wire).unwrap_or_else(|disagreement| panic!("{what}: {disagreement}"));
            failures.push(model.failure);
        }
        let level = self.fabric.reached(&self.query(Direction::Inbound), Level::RoundTrip).level;
        let trace = self.network.trace(self.partner, Protocol::Xmpp, "contoso.com", self.fabric.now()).await;
        let trace = trace.unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_eq!(trace.level, level, "{what}: {trace}");
        failures.try_into().expect("two directions")
    }

    /// Where an Edge Server's 5269 is on the wire.
    fn edge(&self, external: [u8; 4]) -> SocketAddr {
        let wire = self.network.map().wire(Ipv4Addr::from(external)).expect("mapped");
        self.network.map().endpoint(wire, 5269).expect("known")
    }

    /// A peer that is authenticated as fabrikam.net.
    async fn authenticated(&self) -> Peer {
        let credentials = self.network.issue(&["fabrikam.net".to_owned()]).expect("issued");
        let mut peer = Peer::connect(self.edge([203, 0, 113, 11])).await;
        peer.open("fabrikam.net", "contoso.com").await;
        let mut peer = peer.secure("contoso.com", self.network.authority_pem(), &credentials).await;
        let features = peer.open("fabrikam.net", "contoso.com").await;
        assert!(features.contains("<mechanism>EXTERNAL</mechanism>"), "{features}");
        peer.say(EXTERNAL).await;
        peer.hear("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>").await;
        peer.open("fabrikam.net", "contoso.com").await;
        peer
    }

    /// What comes back to Romeo after a message of his.
    async fn bounce(&self, to: &str) -> String {
        self.network.send_message(ROMEO, to, "hello").await.expect("it leaves");
        let bounced = |delivery: &firedrill_edge::Delivery| matches!(delivery.content, Content::Bounce(_)) && delivery.from == to;
        let waiting = tokio::time::timeout(Duration::from_secs(20), self.network.mail().wait_for(ROMEO, bounced));
        match waiting.await.expect("it comes back").content {
            Content::Bounce(condition) => condition,
            other => panic!("{other:?}"),
        }
    }
}

/// Every combination of a partner's settings: the model's methods are those that the wire uses, and both say who gets through.
#[tokio::test]
async fn negotiation_settings() {
    let mut drill = Drill::start().await;
    const NAMES: [(&str, Negotiation); 3] =
        [("Required", Negotiation::Required), ("Optional", Negotiation::Optional), ("NotSupported", Negotiation::NotSupported)];
    for (tls, tls_setting) in NAMES {
        for (sasl, sasl_setting) in NAMES {
            for dialback in [true, false] {
                let what = format!("TLS {tls}, SASL {sasl}, dialback {dialback}");
                let settings = |partner: &mut XmppAllowedPartner| {
                    (partner.tls_negotiation, partner.sasl_negotiation) = (tls.to_owned(), sasl.to_owned());
                    partner.support_dialback_negotiation = dialback;
                };
                drill.partner(settings).await;
                let before = drill.network.streams().len();
                let methods = XmppMethods::expected(tls_setting, sasl_setting, dialback);
                let refused = methods.is_empty().then_some(ReachFailure::TurnedAway(EdgeRefusal::NoAuthentication));
                assert_eq!(drill.both(&what).await, [refused, refused], "{what}");
                let expected = match methods {
                    XmppMethods { sasl: true, .. } => Some((Method::External, true)),
                    XmppMethods { tls_dialback: true, .. } => Some((Method::Dialback, true)),
                    XmppMethods { tcp_dialback: true, .. } => Some((Method::Dialback, false)),
                    _ => None,
                };
                let streams = drill.network.streams().split_off(before.min(drill.network.streams().len()));
                let found = streams.iter().find(|record| record.direction == Direction::Inbound && record.domain == "contoso.com");
                assert_eq!(found.map(|record| (record.method, record.secured)), expected, "{what}: {streams:#?}");
            }
        }
    }
}

#[rstest]
#[case::healthy(|_: &Fabric| vec![], [None, None], Level::RoundTrip)]
#[case::next_hop_lost(
    |_: &Fabric| vec![Fault::Pool(PoolId(0))],
    [Some(ReachFailure::TurnedAway(EdgeRefusal::NextHopUnavailable)), None],
    Level::Connected
)]
#[case::certificates_expired(
    |fabric: &Fabric| certificates(fabric),
    [Some(ReachFailure::TurnedAway(EdgeRefusal::CertificateExpired)), Some(ReachFailure::RouteUnavailable)],
    Level::Answered
)]
#[case::edge_pool_lost(
    |_: &Fabric| vec![Fault::EdgePool(EdgePoolId(0))],
    [Some(ReachFailure::NotConnected), Some(ReachFailure::RouteUnavailable)],
    Level::Resolved
)]
#[case::no_way_out(
    |_: &Fabric| vec![Fault::Port { from: Place::EdgePool(EdgePoolId(0)), to: Place::Internet, port: 5269 }],
    [None, Some(ReachFailure::RouteUnavailable)],
    Level::Authenticated
)]
#[tokio::test]
async fn levels(#[case] faults: fn(&Fabric) -> Vec<Fault>, #[case] failures: [Option<ReachFailure>; 2], #[case] level: Level) {
    let mut drill = Drill::start_with(Limits { probe: Duration::from_secs(2), ..Limits::default() }).await;
    for fault in faults(&drill.fabric) {
        drill.strike(fault).await;
    }
    let inbound = drill.both("inbound").await[0];
    assert_eq!(inbound, failures[0]);
    let query = drill.query(Direction::Inbound);
    assert_eq!(drill.fabric.reached(&query, Level::RoundTrip).level, level);
}

fn certificates(fabric: &Fabric) -> Vec<Fault> {
    let computer = |name| fabric.topology().find_computer(name).expect("a computer");
    ["edgeserver1a", "edgeserver1b"].map(|name| Fault::Certificate(computer(name))).to_vec()
}

/// Dialback needs the way out: with dialback alone, a closed 5269 outwards keeps a partner out as well.
#[tokio::test]
async fn dialback_needs_the_way_out() {
    let mut drill = Drill::start().await;
    drill.partner(|partner| partner.sasl_negotiation = "NotSupported".into()).await;
    drill.both("before").await;
    drill.strike(Fault::Port { from: Place::EdgePool(EdgePoolId(0)), to: Place::Internet, port: 5269 }).await;
    let refused = Some(ReachFailure::TurnedAway(EdgeRefusal::NoAuthentication));
    assert_eq!(drill.both("after").await[0], refused);
}

#[tokio::test]
async fn a_trace_tells_every_hop() {
    let drill = Drill::start().await;
    let trace = drill.network.trace(drill.partner, Protocol::Xmpp, "contoso.com", drill.fabric.now()).await.expect("an answer");
    assert_eq!(
        trace.to_string(),
        "XMPP  fabrikam.net -> contoso.com: L6 answered end to end
  dns     SRV _xmpp-server._tcp.contoso.com: SRV 10 0 5269 xmpp.contoso.com., SRV 20 0 5269 xmpp2.contoso.com. (for 3600 s)
  target  xmpp.contoso.com:5269, priority 10, weight 0: an SRV record; priorities in order (RFC 2782)
  dns     A xmpp.contoso.com: A 203.0.113.11, A 203.0.113.12 (for 3600 s)
  tcp     203.0.113.11:5269 accepted
  stream  answered for the domain; TLSv1_3, TLS13_AES_256_GCM_SHA384, certificate good for the domain; authenticated by SASL EXTERNAL
  ping    answered
"
    );
}

#[tokio::test]
async fn messages_reach_who_is_served() {
    let mut drill = Drill::federated().await;
    for user in [ANNA, CHIKA] {
        drill.network.send_message(ROMEO, user, "hello").await.expect("it leaves");
        let arrived = drill.network.mail().wait_for(user, |delivery| delivery.content == Content::Message("hello".into()));
        let delivery = tokio::time::timeout(Duration::from_secs(20), arrived).await.expect("it arrives");
        assert_eq!((delivery.from.as_str(), delivery.at), (ROMEO, drill.fabric.now()));
        drill.network.send_message(user, ROMEO, &format!("from {user}")).await.expect("it leaves");
        let wanted = Content::Message(format!("from {user}"));
        let arrived = drill.network.mail().wait_for(ROMEO, |delivery| delivery.content == wanted);
        tokio::time::timeout(Duration::from_secs(20), arrived).await.expect("it arrives");
    }
    assert_eq!(drill.bounce("nobody@contoso.com").await, "service-unavailable", "RFC 6121 8.5.1");

    // The pool of one of them dies; the Edge's next hop is the other pool.
    drill.strike(Fault::Pool(PoolId(1))).await;
    assert_eq!(drill.bounce(CHIKA).await, "recipient-unavailable");
    let stuck = drill.network.send_message(CHIKA, ROMEO, "help").await;
    assert_eq!(stuck, Err(SendError::Undelivered(Undelivered::UserNotServed)));
    drill.network.send_message(ROMEO, ANNA, "still there?").await.expect("it leaves");
    let arrived = drill.network.mail().wait_for(ANNA, |delivery| delivery.content == Content::Message("still there?".into()));
    tokio::time::timeout(Duration::from_secs(20), arrived).await.expect("she is");
}

/// The gateway behind the Edge lives, and the user is on a pool that it does not see.
#[tokio::test]
async fn messages_do_not_cross_a_cut_link() {
    let mut drill = Drill::federated().await;
    drill.strike(Fault::Link(SiteId(0), SiteId(1))).await;
    assert_eq!(drill.bounce(CHIKA).await, "remote-server-timeout");
    drill.network.send_message(ROMEO, ANNA, "hello").await.expect("it leaves");
    let arrived = drill.network.mail().wait_for(ANNA, |delivery| delivery.content == Content::Message("hello".into()));
    tokio::time::timeout(Duration::from_secs(20), arrived).await.expect("she is on this side");
}

#[tokio::test]
async fn no_route_no_message() {
    let mut drill = Drill::federated().await;
    drill.configure(|configuration| configuration.sites.iter_mut().for_each(|site| site.xmpp_route = None)).await;
    let stuck = drill.network.send_message(ANNA, ROMEO, "hello").await;
    assert_eq!(stuck, Err(SendError::Undelivered(Undelivered::NoRoute)));
    assert!(matches!(drill.network.send_message(ROMEO, ANNA, "hello").await, Err(SendError::Stream(_))));
    let stranger = drill.network.send_message(ANNA, "x@litware.example", "hello").await;
    assert!(stranger.is_err(), "{stranger:?}");
}

/// `PublicUnverified`, the default: a partner's user reaches only who has added it ("Create or edit XMPP partner
/// configuration in Lync Server 2013").
#[tokio::test]
async fn unverified_partners_wait_to_be_added() {
    let drill = Drill::start().await;
    assert_eq!(drill.bounce(ANNA).await, "forbidden");
    drill.network.send_presence(ANNA, ROMEO, "subscribe", None).await.expect("it leaves");
    drill.network.send_message(ROMEO, ANNA, "now?").await.expect("it leaves");
    let arrived = drill.network.mail().wait_for(ANNA, |delivery| delivery.content == Content::Message("now?".into()));
    tokio::time::timeout(Duration::from_secs(20), arrived).await.expect("it arrives");
}

#[rstest]
#[case::federated("Federated", Some("in a meeting"))]
#[case::public_verified("PublicVerified", None)]
#[tokio::test]
async fn presence(#[case] kind: &str, #[case] note: Option<&str>) {
    let mut drill = Drill::start().await;
    drill.partner(|partner| partner.partner_type = kind.into()).await;
    drill.network.send_presence(ROMEO, ANNA, "subscribe", None).await.expect("it leaves");
    for expected in ["subscribed", "available"] {
        let arrived = drill.network.mail().wait_for(ROMEO, |delivery| delivery.content == Content::Presence(expected.into(), None));
        tokio::time::timeout(Duration::from_secs(20), arrived).await.unwrap_or_else(|_| panic!("{expected} does not arrive"));
    }
    drill.network.send_presence(ROMEO, ANNA, "", Some("in a meeting")).await.expect("it leaves");
    let wanted = Content::Presence("available".into(), note.map(str::to_owned));
    let arrived = drill.network.mail().wait_for(ANNA, |delivery| delivery.content == wanted);
    tokio::time::timeout(Duration::from_secs(20), arrived).await.expect("status notes are for federated partners");
}

#[tokio::test]
async fn a_partner_has_so_many_connections() {
    let mut drill = Drill::start().await;
    drill.configure(|configuration| configuration.xmpp_gateway.partner_connection_limit = 2).await;
    let edge = drill.edge([203, 0, 113, 11]);
    let mut held = Vec::new();
    for _ in 0..2 {
        let mut peer = Peer::connect(edge).await;
        peer.open("fabrikam.net", "contoso.com").await;
        held.push(peer);
    }
    let mut third = Peer::connect(edge).await;
    third.say(&header("fabrikam.net", "contoso.com")).await;
    assert!(third.rest().await.contains("<resource-constraint "));
    let mut other = Peer::connect(edge).await;
    other.open("adatum.net", "contoso.com").await;
    drop(held);
    let again = async {
        loop {
            let mut peer = Peer::connect(edge).await;
            peer.say(&(header("fabrikam.net", "contoso.com") + "</stream:stream>")).await;
            if peer.rest().await.contains("</stream:features>") {
                return;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(10), again).await.expect("their places are free again");
}

/// A partner that is removed while its stream is open is shown the door at its next stanza.
#[tokio::test]
async fn a_partner_is_removed() {
    let mut drill = Drill::federated().await;
    let mut peer = drill.authenticated().await;
    drill.configure(|configuration| drop(configuration.xmpp_partners.remove("fabrikam.net"))).await;
    peer.say("<message from='romeo@fabrikam.net' to='anna@contoso.com'><body>hi</body></message>").await;
    assert!(peer.rest().await.contains("<policy-violation "));
    assert_eq!(drill.network.mail().of(ANNA), []);
}

#[rstest]
#[case::somebody_elses_name("<message from='x@adatum.net' to='anna@contoso.com'><body>hi</body></message>", "invalid-from")]
#[case::no_sender("<message to='anna@contoso.com'><body>hi</body></message>", "improper-addressing")]
#[case::no_recipient("<message from='x@fabrikam.net'><body>hi</body></message>", "improper-addressing")]
#[case::not_an_address("<message from='@fabrikam.net' to='anna@contoso.com'/>", "improper-addressing")]
#[case::not_our_domain("<message from='x@fabrikam.net' to='anna@litware.com'/>", "host-unknown")]
#[case::unknown_element("<compress xmlns='http://jabber.org/protocol/compress'/>", "unsupported-feature")]
#[case::tls_twice("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>", "unsupported-feature")]
#[case::entity("<message from='x@fabrikam.net' to='anna@contoso.com'><body>&lol;</body></message>", "restricted-xml")]
#[case::nesting(&"<a>".repeat(40), "policy-violation")]
#[case::dialback_where_sasl_is_required("<db:result from='fabrikam.net' to='contoso.com'>k</db:result>", "policy-violation")]
#[tokio::test]
async fn after_authentication(#[case] words: &str, #[case] condition: &str) {
    let drill = Drill::start().await;
    let mut peer = drill.authenticated().await;
    peer.say(words).await;
    let said = peer.rest().await;
    assert!(said.contains(&format!("<{condition} xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>")), "{condition}: {said}");
}

/// A certificate is somebody's: it does not speak for others.
#[tokio::test]
async fn a_certificate_of_somebody_else() {
    let drill = Drill::start().await;
    let credentials = drill.network.issue(&["adatum.net".to_owned()]).expect("issued");
    let mut peer = Peer::connect(drill.edge([203, 0, 113, 11])).await;
    peer.open("fabrikam.net", "contoso.com").await;
    let mut peer = peer.secure("contoso.com", drill.network.authority_pem(), &credentials).await;
    let features = peer.open("fabrikam.net", "contoso.com").await;
    assert!(!features.contains("EXTERNAL"), "{features}");
    assert!(peer.rest().await.contains("<not-authorized "));
}

/// Server Dialback with a key that nobody made, and for domains that nobody serves (XEP-0220 2.4).
#[tokio::test]
async fn false_keys() {
    let mut drill = Drill::start().await;
    drill.partner(|partner| (partner.tls_negotiation, partner.sasl_negotiation) = ("NotSupported".into(), "NotSupported".into())).await;
    let edge = drill.edge([203, 0, 113, 11]);
    let mut peer = Peer::connect(edge).await;
    peer.open("fabrikam.net", "contoso.com").await;
    peer.say("<db:result from='adatum.net' to='litware.com'>k</db:result>").await;
    assert!(peer.hear("</db:result>").await.contains("<item-not-found "), "an error, and the stream goes on");
    peer.say("<db:verify from='fabrikam.net' to='contoso.com' id='x'>k</db:verify>").await;
    peer.hear("<db:verify from='contoso.com' to='fabrikam.net' id='x' type='invalid'/>").await;
    peer.say("<db:result from='fabrikam.net' to='contoso.com'>k</db:result>").await;
    let said = peer.rest().await;
    assert!(said.contains("<db:result from='contoso.com' to='fabrikam.net' type='invalid'/>"), "{said}");
    assert!(said.ends_with("</stream:stream>"), "{said}");
}

/// Ten thousand messages at once are taken, answered one by one or refused, and the Edge goes on.
#[tokio::test]
async fn a_flood_of_stanzas() {
    let drill = Drill::federated().await;
    let mut peer = drill.authenticated().await;
    let message = "<message from='romeo@fabrikam.net' to='nobody@contoso.com' id='f'><body>flood</body></message>";
    peer.say(&message.repeat(10_000)).await;
    peer.say("<message from='romeo@fabrikam.net' to='anna@contoso.com'><body>last</body></message>").await;
    let arrived = drill.network.mail().wait_for(ANNA, |delivery| delivery.content == Content::Message("last".into()));
    tokio::time::timeout(Duration::from_secs(30), arrived).await.expect("it arrives");
    assert!(drill.network.mail().of(ROMEO).len() <= 10_000);
}

/// TLS that begins and never ends, or is no TLS.
#[rstest]
#[case::silence("")]
#[case::half_a_hello("\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}")]
#[case::not_tls("<message/>")]
#[tokio::test]
async fn half_open_tls(#[case] bytes: &str) {
    let drill = Drill::start_with(Limits { conversation: Duration::from_millis(100), ..Limits::default() }).await;
    let mut peer = Peer::connect(drill.edge([203, 0, 113, 11])).await;
    peer.open("fabrikam.net", "contoso.com").await;
    peer.say(peer::STARTTLS).await;
    peer.hear("<proceed").await;
    peer.say(bytes).await;
    // Ends within its time; nothing that the peer would understand can be said.
    peer.rest().await;
}
