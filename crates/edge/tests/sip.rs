//! SIP between a fabric on the wire, its partners and its clients: requests to users, sign-in, redirects.

#[path = "common/sip/mod.rs"]
mod sip;

use std::net::SocketAddr;
use std::sync::Arc;

use firedrill_dns::LoopbackBlock;
use firedrill_edge::{Content, Limits, Network, SipAsk, SipError, SipOutcome};
use firedrill_fabric::fault::DnsEdit;
use firedrill_fabric::federation::{Direction, Level, Protocol, ReachQuery, Undelivered};
use firedrill_fabric::operation::PoolFailover;
use firedrill_fabric::sign_in::{RegistrarAnswer, SignIn, SignInFailure, SignInFrom, SignInServer};
use firedrill_fabric::{Caller, Change, Fabric, Fault, Operation, Options, Place, ServiceMode, ServiceName, SimDuration, SimTime};
use firedrill_topology::{ComputerId, EdgePoolId, PoolId, RecordData, RecordType, SiteId, SqlId, load_bytes};
use proptest::prelude::*;
use rstest::rstest;
use sip::{Peer, client, header, request};

const START: SimTime = SimTime(1_767_225_600_000_000_000);
const ANNA: &str = "anna@contoso.com";
/// Homed on the second pool, of which no Edge Server in use depends.
const CHIKA: &str = "chika@contoso.com";
const ROMEO: &str = "romeo@fabrikam.com";
const POOL1: PoolId = PoolId(0);
const POOL2: PoolId = PoolId(1);

struct Drill {
    fabric: Fabric,
    network: Network,
}

impl Drill {
    async fn start() -> Self {
        Self::start_on(LoopbackBlock::take(), 1).await
    }

    async fn start_on(block: LoopbackBlock, seed: u64) -> Self {
        let loaded = load_bytes("contoso.yaml", include_bytes!("../../../fixtures/contoso.yaml"));
        let topology = Arc::new(loaded.topology.expect("the fixture is valid"));
        let fabric = Fabric::new(topology, Options { seed, start: START });
        let network = Network::start_on(block, &fabric, Limits::default()).await.expect("the wire follows");
        Self { fabric, network }
    }

    async fn strike(&mut self, fault: Fault) {
        self.fabric.apply(Change::Inject(fault)).expect("it strikes");
        self.follow().await;
    }

    async fn wait(&mut self, seconds: i64) {
        let until = self.fabric.now() + SimDuration::from_secs(seconds);
        self.fabric.advance_to(until).expect("time runs");
        self.follow().await;
    }

    async fn follow(&mut self) {
        self.network.follow(&self.fabric).await.expect("the wire follows");
    }

    async fn ask(&self, from: &str, to: &str, ask: SipAsk) -> Result<SipOutcome, SipError> {
        self.network.sip(from, to, &ask, self.fabric.now()).await
    }

    async fn status(&self, from: &str, to: &str, ask: SipAsk) -> (u16, Option<String>) {
        let outcome = self.ask(from, to, ask).await.unwrap_or_else(|error| panic!("{from} to {to}: {error}"));
        (outcome.status, outcome.diagnostics)
    }

    fn computer(&self, name: &str) -> ComputerId {
        self.fabric.topology().find_computer(name).expect("a computer")
    }

    /// Signs in in both worlds, which agree.
    async fn sign_in(&mut self, user: &str, from: SignInFrom) -> SignIn {
        let model = self.fabric.sign_in(user, &from);
        let wire = self.network.sign_in(user, &from, self.fabric.now()).await;
        let wire = wire.unwrap_or_else(|error| panic!("{user} {from:?}: {error}; the model says {model:?}"));
        assert_eq!(wire, model, "{user} {from:?}: wire and model");
        model
    }

    /// All ways to sign in lead to the service that the model derives for the user, where they find a registrar at all.
    async fn sign_in_everywhere(&mut self, user: &str) {
        let id = self.fabric.topology().users.find(user).expect("a user");
        let serving = self.fabric.serving(id);
        let expected = serving.pool.filter(|_| serving.mode != ServiceMode::SignedOut).map(|pool| (pool, serving.mode));
        let all = vec![POOL1, POOL2];
        let cached = self.fabric.cached_redirect(user);
        for known in [all, cached] {
            let signed = self.sign_in(user, SignInFrom::Known(known)).await;
            assert_eq!(signed.outcome.ok(), expected, "{user}: {:?}; served {serving:?}", signed.attempts);
        }
        for from in [SignInFrom::Known(vec![POOL1]), SignInFrom::Known(vec![POOL2]), SignInFrom::Inside, SignInFrom::Outside] {
            let signed = self.sign_in(user, from.clone()).await;
            if let Ok(registered) = signed.outcome {
                assert_eq!(Some(registered), expected, "{user} {from:?}: {:?}", signed.attempts);
            }
        }
    }
}

const NEXT_HOP_GONE: &str = "2;reason=\"See response code and reason phrase\";source=\"sip.contoso.com\"";

#[rstest]
#[case::options(SipAsk::Options, None)]
#[case::message(SipAsk::Message("hello".into()), Some("hello"))]
#[case::session(SipAsk::Session("in a session".into()), Some("in a session"))]
#[case::presence(SipAsk::Presence, None)]
#[tokio::test]
async fn users_reach_each_other(#[case] ask: SipAsk, #[case] heard: Option<&str>) {
    let drill = Drill::start().await;
    for (from, to) in [(ROMEO, ANNA), (ANNA, ROMEO)] {
        let outcome = drill.ask(from, to, ask.clone()).await.unwrap_or_else(|error| panic!("{from} to {to}: {error}"));
        assert_eq!((outcome.status, outcome.diagnostics), (200, None), "{from} to {to}");
        assert_eq!(outcome.via.map(|edge| drill.fabric.topology().computer(edge).fqdn.as_str()), Some("edgeserver1a.contoso.com"));
        let got: Vec<_> = drill.network.mail().of(to).into_iter().map(|delivery| delivery.content).collect();
        assert_eq!(got, heard.map(|text| Content::Message(text.to_owned())).into_iter().collect::<Vec<_>>(), "{to}");
    }
}

/// What stands in the way of a partner's user, and the words for it (dossier J).
#[tokio::test]
async fn refusals() {
    let mut drill = Drill::start().await;
    let nobody = Some("1003;reason=\"User does not exist\";source=\"sip.contoso.com\"".to_owned());
    for ask in [SipAsk::Options, SipAsk::Message("x".into()), SipAsk::Session("x".into()), SipAsk::Presence] {
        assert_eq!(drill.status(ROMEO, "nobody@contoso.com", ask).await, (404, nobody.clone()));
    }
    // Without its back end for longer than the threshold, the pool serves with limits (dossier E.5, B.3).
    for instance in 0..3 {
        drill.strike(Fault::SqlInstance(SqlId(instance))).await;
    }
    drill.wait(31 * 60).await;
    let anna = drill.fabric.topology().users.find(ANNA).expect("a user");
    assert_eq!(drill.fabric.serving(anna).mode, ServiceMode::Resiliency);
    assert_eq!(drill.status(ROMEO, ANNA, SipAsk::Message("x".into())).await.0, 480);
    assert_eq!(drill.status(ROMEO, CHIKA, SipAsk::Message("x".into())).await.0, 200);
    assert!(matches!(drill.ask(ANNA, ROMEO, SipAsk::Options).await, Err(SipError::Undelivered(Undelivered::UserNotServed))));
    // The next hop is gone: nobody is reached, wherever homed.
    drill.strike(Fault::Pool(POOL1)).await;
    for user in [ANNA, CHIKA] {
        assert_eq!(drill.status(ROMEO, user, SipAsk::Presence).await, (504, Some(NEXT_HOP_GONE.to_owned())));
    }
    // The way out of those who are served goes on through the Edge Server (dossier F.3).
    assert_eq!(drill.status(CHIKA, ROMEO, SipAsk::Options).await.0, 200);
    drill.strike(Fault::EdgePool(EdgePoolId(0))).await;
    assert!(matches!(drill.ask(ROMEO, CHIKA, SipAsk::Options).await, Err(SipError::NotFound(_))));
    assert!(matches!(drill.ask(CHIKA, ROMEO, SipAsk::Options).await, Err(SipError::Undelivered(Undelivered::RouteUnavailable))));
}

/// The next hop lives, and the user is behind a cut link.
#[tokio::test]
async fn behind_a_cut_link() {
    let mut drill = Drill::start().await;
    drill.strike(Fault::Link(SiteId(0), SiteId(1))).await;
    assert_eq!(drill.status(ROMEO, ANNA, SipAsk::Options).await.0, 200);
    assert_eq!(drill.status(ROMEO, CHIKA, SipAsk::Options).await, (504, Some(NEXT_HOP_GONE.to_owned())));
    drill.sign_in_everywhere(CHIKA).await;
}

/// What is on the wire, byte for byte where RFC 3261 says so.
#[tokio::test]
async fn words_of_the_access_edge() {
    let drill = Drill::start().await;
    let topology = Arc::clone(drill.fabric.topology());
    let wire = drill.network.map().wire(topology.edge_pools[0].servers[0].external).expect("mapped");
    let edge = drill.network.map().endpoint(wire, 5061).expect("known");
    let certificate = drill.network.issue(&["fabrikam.com".to_owned()]).expect("issued");
    let connector = client(drill.network.authority_pem(), Some(&certificate));
    let mut peer = Peer::connect(edge, "sip.contoso.com", &connector).await.expect("taken");

    // Via, To tag, Record-Route in the order of 16.6, and the session that follows.
    let offer = "v=0\r\no=- 0 0 IN IP4 192.0.2.1\r\ns=session\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=message 5060 sip null\r\n";
    let more =
        "Record-Route: <sip:edge.fabrikam.com;lr>\r\nContact: <sip:romeo@fabrikam.com;gruu;opaque=x>\r\nContent-Type: application/sdp\r\n";
    let invite = request("INVITE", "sip:anna@contoso.com", ROMEO, ANNA, more, offer);
    peer.say(&invite).await.expect("sent");
    let (ringing, answer) = (peer.hear().await, peer.hear().await);
    assert!(ringing.starts_with("SIP/2.0 180 Ringing\r\n") && answer.starts_with("SIP/2.0 200 OK\r\n"), "{ringing}{answer}");
    assert_eq!(header(&answer, "Via"), Some("SIP/2.0/TLS peer.example:5061;branch=z9hG4bK776;received=127.0.0.1"), "RFC 3261 18.2.1");
    let routes: Vec<_> = answer.lines().filter_map(|line| line.strip_prefix("Record-Route: ")).collect();
    assert_eq!(routes, ["<sip:sip.contoso.com:5061;transport=tls;lr>", "<sip:edge.fabrikam.com;lr>"]);
    let to = header(&answer, "To").expect("To").to_owned();
    assert_eq!(header(&ringing, "To"), Some(to.as_str()), "one dialog");
    let (_, tag) = to.split_once(";tag=").expect("a tag");
    let within = |method: &str, sequence: u32, more: &str, body: &str| {
        let text = request(method, "sip:anna@contoso.com", ROMEO, ANNA, more, body);
        text.replace("To: <sip:anna@contoso.com>", &format!("To: <sip:anna@contoso.com>;tag={tag}"))
            .replace("CSeq: 1 ", &format!("CSeq: {sequence} "))
    };
    peer.say(within("ACK", 1, "", "") + &within("MESSAGE", 2, "Content-Type: text/plain\r\n", "hi")).await.expect("sent");
    assert!(peer.hear().await.starts_with("SIP/2.0 200 OK\r\n"));
    peer.say(within("MESSAGE", 2, "Content-Type: text/plain\r\n", "again")).await.expect("sent");
    assert!(peer.hear().await.starts_with("SIP/2.0 500 "), "RFC 3261 12.2.2: its number is no higher");
    peer.say(within("BYE", 3, "", "") + &within("BYE", 4, "", "")).await.expect("sent");
    assert!(peer.hear().await.starts_with("SIP/2.0 200 OK\r\n"));
    assert!(peer.hear().await.starts_with("SIP/2.0 481 "), "the session is over");
    assert_eq!(drill.network.mail().of(ANNA).len(), 1);

    // SUBSCRIBE is followed by NOTIFY at once (RFC 6665 4.2.1.2).
    peer.say(request("SUBSCRIBE", "sip:anna@contoso.com", ROMEO, ANNA, "Event: presence\r\nContact: <sip:romeo@fabrikam.com>\r\n", ""))
        .await
        .expect("sent");
    let (answer, notify) = (peer.hear().await, peer.hear().await);
    assert!(answer.starts_with("SIP/2.0 200 OK\r\n"), "{answer}");
    assert!(notify.starts_with("NOTIFY sip:romeo@fabrikam.com SIP/2.0\r\n"), "{notify}");
    assert_eq!(header(&notify, "From"), header(&answer, "To"));
    assert_eq!(header(&notify, "Subscription-State"), Some("active;expires=3600"));

    for (text, expected) in [
        (
            request("SUBSCRIBE", "sip:anna@contoso.com", ROMEO, ANNA, "Event: dialog\r\nContact: <sip:r@fabrikam.com>\r\n", ""),
            "489 Bad Event",
        ),
        (request("REGISTER", "sip:contoso.com", ROMEO, ANNA, "Contact: <sip:x@fabrikam.com>\r\n", ""), "403 Forbidden"),
        (request("INVITE", "sip:contoso.com", ROMEO, ANNA, "", ""), "404 Not Found"),
        (request("INVITE", "sip:anna@contoso.com", ROMEO, ANNA, "Contact: <sip:r@fabrikam.com>\r\n", ""), "488 Not Acceptable Here"),
        (request("MESSAGE", "sip:anna@contoso.com", ROMEO, ANNA, "Content-Type: text/html\r\n", "<b>"), "415 Unsupported Media Type"),
        (request("CANCEL", "sip:anna@contoso.com", ROMEO, ANNA, "", ""), "481 Call Leg/Transaction Does Not Exist"),
        (request("SERVICE", "sip:anna@contoso.com", ROMEO, ANNA, "", ""), "405 Method Not Allowed"),
        (request("MESSAGE", "sip:anna@contoso.com", ROMEO, ANNA, "", "").replace("Forwards: 70", "Forwards: 0"), "483 Too Many Hops"),
        (request("OPTIONS", "sip:contoso.com", ROMEO, ANNA, "", "").replace("Forwards: 70", "Forwards: 0"), "200 OK"),
    ] {
        peer.say(&text).await.expect("sent");
        let answer = peer.hear().await;
        assert!(answer.starts_with(&format!("SIP/2.0 {expected}\r\n")), "{text}{answer}");
    }
}

/// A dialog costs memory: one connection has so many, and no more.
#[tokio::test]
async fn sessions_without_end() {
    let drill = Drill::start().await;
    let wire = drill.network.map().wire(drill.fabric.topology().edge_pools[0].servers[0].external).expect("mapped");
    let certificate = drill.network.issue(&["fabrikam.com".to_owned()]).expect("issued");
    let connector = client(drill.network.authority_pem(), Some(&certificate));
    let edge = drill.network.map().endpoint(wire, 5061).expect("known");
    let mut peer = Peer::connect(edge, "sip.contoso.com", &connector).await.expect("taken");
    let mut refused = 0;
    for number in 0..Limits::default().sip_dialogs + 5 {
        let more = "Event: presence\r\nContact: <sip:romeo@fabrikam.com>\r\n";
        let text = request("SUBSCRIBE", "sip:anna@contoso.com", ROMEO, ANNA, more, "").replace("a84b4c76e66710", &number.to_string());
        peer.say(&text).await.expect("sent");
        if peer.hear().await.starts_with("SIP/2.0 503 ") {
            refused += 1;
        } else {
            assert!(peer.hear().await.starts_with("NOTIFY "));
        }
    }
    assert_eq!(refused, 5);
}

fn accepted(pool: PoolId, mode: ServiceMode) -> Option<RegistrarAnswer> {
    Some(RegistrarAnswer::Accepted(pool, mode))
}

/// Dossier B.1 and B.2, step by step: any registrar redirects, the backup registrar accepts once it has concluded that the
/// home pool is down, and a client that knows of the dead pool alone finds nobody (dossier I 45).
#[rstest]
#[tokio::test]
async fn sign_in_through_a_failure(#[values(false, true)] one_address: bool) {
    let block = if one_address { LoopbackBlock::single() } else { LoopbackBlock::take() };
    let mut drill = Drill::start_on(block, 1).await;
    let redirect = Some(RegistrarAnswer::Redirected { primary: POOL1, backup: Some(POOL2) });
    let told = |signed: &SignIn| signed.attempts.iter().map(|attempt| (attempt.server, attempt.answer)).collect::<Vec<_>>();
    let pools = [SignInServer::Pool(POOL1), SignInServer::Pool(POOL2)];

    let elsewhere = SignInFrom::Known(vec![POOL2]);
    let signed = drill.sign_in(ANNA, elsewhere.clone()).await;
    assert_eq!(told(&signed), [(pools[1], redirect), (pools[0], accepted(POOL1, ServiceMode::Regular))]);
    assert_eq!(drill.sign_in("nobody@contoso.com", elsewhere.clone()).await.outcome, Err(SignInFailure::NoSuchUser));
    assert_eq!(drill.sign_in(ANNA, SignInFrom::Inside).await.outcome, Err(SignInFailure::NoRegistrar), "no record yet");

    drill.strike(Fault::Pool(POOL1)).await;
    let signed = drill.sign_in(ANNA, elsewhere.clone()).await;
    assert_eq!(told(&signed), [(pools[1], redirect), (pools[0], None)], "the detection interval runs");
    assert_eq!(signed.outcome, Err(SignInFailure::NoneAccepts));
    drill.wait(301).await;
    let signed = drill.sign_in(ANNA, elsewhere.clone()).await;
    assert_eq!(told(&signed), [(pools[1], accepted(POOL2, ServiceMode::Resiliency))]);
    let cached = SignInFrom::Known(drill.fabric.cached_redirect(ANNA));
    let signed = drill.sign_in(ANNA, cached).await;
    assert_eq!(told(&signed), [(pools[0], None), (pools[1], accepted(POOL2, ServiceMode::Resiliency))]);
    let alone = drill.sign_in(ANNA, SignInFrom::Known(vec![POOL1])).await;
    assert_eq!(alone.outcome, Err(SignInFailure::NoneAccepts), "dossier I 45");

    // Several SRV targets help (dossier B.1).
    let records = [(10, "pool1.contoso.com"), (20, "pool2-fe1.contoso.com")].map(|(priority, target)| RecordData::Srv {
        priority,
        weight: 0,
        port: 5061,
        target: target.into(),
    });
    let edit = DnsEdit::Replace {
        name: "_sipinternaltls._tcp.contoso.com".into(),
        record_type: RecordType::Srv,
        ttl: Some(60),
        data: records.to_vec(),
    };
    drill.fabric.edit_dns(&edit).expect("edited");
    drill.follow().await;
    assert_eq!(drill.sign_in(ANNA, SignInFrom::Inside).await.outcome, Ok((POOL2, ServiceMode::Resiliency)));
}

/// After pool failover the backup pool registers the users in full, whether the home pool is gone or redirects.
#[tokio::test]
async fn sign_in_after_pool_failover() {
    let mut drill = Drill::start().await;
    let caller = Caller { computer: drill.computer("pool1-fe1") };
    let edited = drill.fabric.edit_configuration(caller, |configuration| {
        configuration.edges[1].next_hop = POOL1;
        Ok(())
    });
    edited.expect("the store takes it");
    drill.wait(1800).await;
    drill.strike(Fault::Pool(POOL2)).await;
    let failover = PoolFailover { pool: POOL2, disaster: true, force: true, skip_verification: false, wait: None };
    let report = drill.fabric.perform(Operation::PoolFailover(failover), caller).expect("no limit is hit");
    drill.follow().await;
    let chika = drill.fabric.topology().users.find(CHIKA).expect("a user");
    assert_eq!(drill.fabric.serving(chika).mode, ServiceMode::Regular, "{report:?}");
    let signed = drill.sign_in(CHIKA, SignInFrom::Known(vec![POOL2, POOL1])).await;
    assert_eq!(signed.outcome, Ok((POOL1, ServiceMode::Regular)));
    drill.sign_in_everywhere(CHIKA).await;
}

/// Remote users go to the next Access Edge when the first does not answer (dossier F.5: `_sip._tls` has priorities that
/// work, `_sipfederationtls._tcp` has not).
#[rstest]
#[tokio::test]
async fn remote_users_fail_over_and_partners_do_not(#[values(false, true)] one_address: bool) {
    let block = if one_address { LoopbackBlock::single() } else { LoopbackBlock::take() };
    let mut drill = Drill::start_on(block, 1).await;
    let edges: Vec<ComputerId> =
        drill.fabric.topology().edge_pools.iter().flat_map(|pool| pool.servers.iter().map(|server| server.computer)).collect();
    let servers = |signed: &SignIn| signed.attempts.iter().map(|attempt| attempt.server).collect::<Vec<_>>();
    let signed = drill.sign_in(ANNA, SignInFrom::Outside).await;
    assert_eq!((servers(&signed), signed.outcome), (vec![SignInServer::Edge(edges[0])], Ok((POOL1, ServiceMode::Regular))));
    let second = RecordData::Srv { priority: 20, weight: 0, port: 5061, target: "sip2.contoso.com".into() };
    let edit = DnsEdit::Add { name: "_sipfederationtls._tcp.contoso.com".into(), ttl: None, data: second };
    drill.fabric.edit_dns(&edit).expect("edited");
    drill.wait(7200).await;
    drill.strike(Fault::EdgePool(EdgePoolId(0))).await;
    let signed = drill.sign_in(ANNA, SignInFrom::Outside).await;
    assert_eq!(servers(&signed), [0, 1, 2].map(|edge| SignInServer::Edge(edges[edge])));
    assert_eq!(signed.outcome, Ok((POOL1, ServiceMode::Regular)));
    assert!(matches!(drill.ask(ROMEO, ANNA, SipAsk::Options).await, Err(SipError::NotFound(_))));
    // The one that answers needs its next hop; nobody is redirected outside.
    drill.strike(Fault::Pool(POOL2)).await;
    let signed = drill.sign_in(ANNA, SignInFrom::Outside).await;
    assert_eq!(signed.outcome, Err(SignInFailure::NoneAccepts));
    assert!(signed.attempts.iter().any(|attempt| attempt.answer == Some(RegistrarAnswer::Unreachable)), "{signed:?}");
    drill.strike(Fault::DnsServer).await;
    assert_eq!(drill.sign_in(ANNA, SignInFrom::Outside).await.outcome, Err(SignInFailure::NoRegistrar));
}

/// Any program meets the same registrar: OPTIONS without a certificate, and the redirect in its words.
#[tokio::test]
async fn words_of_a_registrar() {
    let drill = Drill::start().await;
    let registrar: SocketAddr = drill.network.registrar(POOL2).expect("listens");
    let connector = client(drill.network.authority_pem(), None);
    let mut peer = Peer::connect(registrar, "pool2.contoso.com", &connector).await.expect("taken");
    peer.say(request("OPTIONS", "sip:pool2.contoso.com", ANNA, "pool2.contoso.com", "", "")).await.expect("sent");
    assert!(peer.hear().await.starts_with("SIP/2.0 200 OK\r\n"));
    peer.say(request("REGISTER", "sip:contoso.com", ANNA, ANNA, "Contact: <sip:x>\r\n", "")).await.expect("sent");
    let answer = peer.hear().await;
    assert!(answer.starts_with("SIP/2.0 301 Redirect request to Home Server\r\n"), "{answer}");
    let contact = "<sip:pool1.contoso.com:5061;transport=tls>;q=0.7, <sip:pool2.contoso.com:5061;transport=tls>;q=0.3";
    assert_eq!(header(&answer, "Contact"), Some(contact), "dossier B.1");
}

/// How far a partner gets over SIP, hop by hop: the wire's trace and the model's level are one.
#[rstest]
#[case::healthy(vec![], Level::RoundTrip)]
#[case::next_hop_gone(vec![Fault::Pool(POOL1)], Level::Secured)]
#[case::edge_pool_lost(vec![Fault::EdgePool(EdgePoolId(0))], Level::Resolved)]
#[case::port_closed(vec![Fault::Port { from: Place::Internet, to: Place::EdgePool(EdgePoolId(0)), port: 5061 }], Level::Resolved)]
#[case::certificates_expired(vec![], Level::Connected)]
#[case::dns_down(vec![Fault::DnsServer], Level::Nothing)]
#[case::target_outside_the_domain(vec![], Level::Nothing)]
#[tokio::test]
async fn levels(#[case] faults: Vec<Fault>, #[case] expected: Level) {
    let mut drill = Drill::start().await;
    for fault in faults {
        drill.strike(fault).await;
    }
    if expected == Level::Connected {
        for server in ["edgeserver1a", "edgeserver1b"] {
            drill.strike(Fault::Certificate(drill.computer(server))).await;
        }
    }
    let outside = RecordData::Srv { priority: 0, weight: 0, port: 5061, target: "sip.contoso.net".into() };
    if expected == Level::Nothing && drill.fabric.dns_up() {
        let name = "_sipfederationtls._tcp.contoso.com".to_owned();
        let edit = DnsEdit::Replace { name, record_type: RecordType::Srv, ttl: Some(60), data: vec![outside] };
        drill.fabric.edit_dns(&edit).expect("edited");
        drill.follow().await;
    }
    let partner = drill.fabric.topology().find_partner("fabrikam.com").expect("a partner");
    let query = ReachQuery { partner, domain: "contoso.com".into(), protocol: Protocol::Sip, direction: Direction::Inbound };
    assert_eq!(drill.fabric.reached(&query, Level::RoundTrip).level, expected);
    let trace = drill.network.trace(partner, Protocol::Sip, "contoso.com", drill.fabric.now()).await;
    let trace = trace.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(trace.level, expected, "{trace}");
    if expected == Level::RoundTrip {
        assert!(trace.to_string().contains("tls     TLSv1_3, TLS13_"), "{trace}");
    }
}

fn run(future: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime").block_on(future);
}

fn fault() -> impl Strategy<Value = Fault> {
    let place = prop_oneof![
        Just(Place::Internet),
        (0u32..2).prop_map(|edge| Place::EdgePool(EdgePoolId(edge))),
        (0u32..2).prop_map(|pool| Place::Pool(PoolId(pool))),
    ];
    prop_oneof![
        (0u32..18).prop_map(|computer| Fault::Computer(ComputerId(computer))),
        (0u32..2).prop_map(|pool| Fault::Pool(PoolId(pool))),
        (0u32..2).prop_map(|edge| Fault::EdgePool(EdgePoolId(edge))),
        (0u32..18, Just(ServiceName::RtcSrv)).prop_map(|(computer, service)| Fault::Service(ComputerId(computer), service)),
        (0u32..6).prop_map(|instance| Fault::SqlInstance(SqlId(instance))),
        (0u32..18).prop_map(|computer| Fault::Certificate(ComputerId(computer))),
        (place.clone(), place, prop::sample::select(vec![5061u16, 443])).prop_map(|(from, to, port)| Fault::Port { from, to, port }),
        Just(Fault::Link(SiteId(0), SiteId(1))),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None, max_shrink_iters: 100, ..ProptestConfig::default() })]

    /// Whatever happens, a client on the wire finds the registrar that the model says, and is served as the model derives.
    #[test]
    fn whoever_signs_in_is_served_as_the_model_says(
        seed in 0u64..1000,
        steps in prop::collection::vec((fault(), any::<bool>(), prop::sample::select(vec![0i64, 90, 301, 700, 1900])), 1..8),
    ) {
        run(async {
            let mut drill = Drill::start_on(LoopbackBlock::take(), seed).await;
            for (fault, heal, wait) in steps {
                drill.strike(fault.clone()).await;
                drill.wait(wait).await;
                for user in [ANNA, CHIKA] {
                    drill.sign_in_everywhere(user).await;
                }
                if heal {
                    drill.fabric.apply(Change::Heal(fault)).expect("it heals");
                    drill.follow().await;
                }
            }
            drill.network.shutdown().await.expect("a clean end");
        });
    }
}
