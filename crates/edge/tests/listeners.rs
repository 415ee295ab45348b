//! Listeners follow the model: listening or not, and what a connection meets.

mod common;

use std::io::ErrorKind;

use common::zoning::{a, srv, zone, zones};
use common::{NOW, PARTNER, Wire, closed, external, listener, told, wire, wire_on};
use firedrill_dns::{AddressMap, LoopbackBlock};
use firedrill_edge::{EdgeError, EdgeFleet, Limits};
use firedrill_fabric::SimTime;
use firedrill_fabric::federation::Protocol::{self, Sip, Xmpp};
use firedrill_fabric::federation::{EdgeRefusal, Listener};
use firedrill_fabric::naming::Zones;
use firedrill_fabric::seed::Seed;
use rstest::rstest;
use tokio::net::TcpStream;

fn contoso() -> Zones {
    let records = [
        ("_xmpp-server._tcp", 60, srv(0, 0, 5269, "e1.contoso.com")),
        ("_sipfederationtls._tcp", 60, srv(0, 0, 5061, "e1.contoso.com")),
        ("e1", 60, a(11)),
    ];
    zones([zone("contoso.com", 1, &records)])
}

/// Whether a TCP connection is accepted.
async fn accepts(wire: &Wire, last: u8, port: u16) -> bool {
    match TcpStream::connect(wire.endpoint(last, port)).await {
        Ok(_) => true,
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => false,
        Err(error) => panic!("neither accepted nor refused: {error}"),
    }
}

#[rstest]
#[case::block(LoopbackBlock::take())]
#[case::one_address(LoopbackBlock::single())]
#[tokio::test]
async fn listening_or_not(#[case] block: LoopbackBlock) {
    let all = |open: [bool; 4]| -> Vec<Listener> {
        let places = [(11, Xmpp, 5269), (11, Sip, 5061), (12, Xmpp, 5269), (12, Sip, 5061)];
        places
            .iter()
            .zip(open)
            .map(|((last, protocol, port), listening)| Listener { listening, ..listener(*last, *protocol, *port) })
            .collect()
    };
    let mut wire = wire_on(block, &contoso(), &all([true, false, false, false]), Limits::default()).await;
    let plan = [
        [true, false, false, false],
        [true, true, true, true],
        [false, false, true, true],
        [false, false, false, false],
        [true, true, false, false],
        [true, true, false, false],
        [false, true, false, true],
    ];
    for open in plan {
        wire.fleet.apply(&all(open)).await.expect("followed");
        // Closed from our side: lingering connections must not keep a port from coming back.
        let _reached = wire.reach(Xmpp).await.expect("an answer");
        for ((last, port), expected) in [(11, 5269), (11, 5061), (12, 5269), (12, 5061)].into_iter().zip(open) {
            assert_eq!(accepts(&wire, last, port).await, expected, "203.0.113.{last}:{port} in {open:?}");
        }
    }
    assert_eq!(wire.fleet.open(), [(external(11), 5061), (external(12), 5061)]);
}

#[rstest]
#[case::all_is_well(|_: &mut Listener| (), "via 11")]
#[case::domain_of_somebody_else(|l: &mut Listener| l.domains = vec!["litware.com".into()], "TurnedAway(UnknownDomain)")]
#[case::partner_not_allowed(|l: &mut Listener| l.partners = Some(vec!["adatum.net".into()]), "TurnedAway(PartnerNotAllowed)")]
#[case::everybody_allowed(|l: &mut Listener| l.partners = None, "via 11")]
#[case::case_does_not_matter(|l: &mut Listener| l.partners = Some(vec![PARTNER.to_uppercase()]), "via 11")]
#[case::next_hop(|l: &mut Listener| l.refusal = Some(EdgeRefusal::NextHopUnavailable), "TurnedAway(NextHopUnavailable)")]
#[case::certificate(expired, "TurnedAway(CertificateExpired)")]
#[tokio::test]
async fn behaviour_at_accept_time(#[case] change: fn(&mut Listener), #[case] expected: &str, #[values(Xmpp, Sip)] protocol: Protocol) {
    let port = protocol.default_port();
    let mut wire = wire(&contoso(), &[listener(11, protocol, port)]).await;
    assert_eq!(told(&wire.reach(protocol).await.expect("an answer")).last().expect("outcome"), "via 11");
    let mut changed = listener(11, protocol, port);
    change(&mut changed);
    // Over SIP the certificate comes first, and it names no domain that is not served.
    let expected = if protocol == Sip { expected.replace("UnknownDomain", "CertificateName") } else { expected.to_owned() };
    wire.fleet.apply(&[changed]).await.expect("followed");
    assert_eq!(told(&wire.reach(protocol).await.expect("an answer")).last().expect("outcome"), &expected);
}

fn expired(listener: &mut Listener) {
    listener.refusal = Some(EdgeRefusal::CertificateExpired);
    listener.certificate.not_after = SimTime(NOW.0 - 1_000_000_000);
}

#[tokio::test]
async fn connections_end_with_their_listener() {
    use tokio::io::AsyncReadExt;
    let mut wire = wire(&contoso(), &[listener(11, Xmpp, 5269)]).await;
    let mut idle = TcpStream::connect(wire.endpoint(11, 5269)).await.expect("accepted");
    wire.fleet.apply(&[closed(11, Xmpp, 5269)]).await.expect("followed");
    let mut rest = Vec::new();
    let end = tokio::time::timeout(std::time::Duration::from_secs(10), idle.read_to_end(&mut rest)).await.expect("not left hanging");
    assert!(end.is_err() || rest.is_empty(), "closed or reset without a word");
}

#[tokio::test]
async fn a_listener_that_moves_to_another_port_leaves_the_old_one() {
    let mut wire = wire(&contoso(), &[listener(11, Xmpp, 5269)]).await;
    wire.fleet.apply(&[listener(11, Xmpp, 5299)]).await.expect("followed");
    assert_eq!(wire.fleet.open(), [(external(11), 5299)]);
    assert!(accepts(&wire, 11, 5299).await);
    if !wire.map.is_single() {
        assert!(!accepts(&wire, 11, 5269).await);
    }
}

/// Same external addresses, different worlds: each partner reaches its own.
#[tokio::test]
async fn two_fabrics_in_one_process() {
    let first = wire(&contoso(), &[listener(11, Xmpp, 5269)]).await;
    let second = wire(&contoso(), &[Listener { partners: Some(Vec::new()), ..listener(11, Xmpp, 5269) }]).await;
    assert_eq!(told(&first.reach(Xmpp).await.expect("an answer")).last().expect("outcome"), "via 11");
    assert_eq!(told(&second.reach(Xmpp).await.expect("an answer")).last().expect("outcome"), "TurnedAway(PartnerNotAllowed)");
}

#[tokio::test]
async fn a_hundred_servers_come_and_go_without_a_trace() {
    let listeners: Vec<_> = (1..=100).flat_map(|last| [listener(last, Xmpp, 5269), listener(last, Sip, 5061)]).collect();
    let block = LoopbackBlock::take();
    for _ in 0..3 {
        let map = AddressMap::new(&block, listeners.iter().map(|l| l.address)).expect("addresses");
        let fleet = EdgeFleet::start(&map, &listeners, Seed(1), Limits::default()).await.expect("every port is free");
        assert_eq!(fleet.open().len(), 200);
        fleet.shutdown().await;
    }
}

#[tokio::test]
async fn two_listeners_at_one_place_are_refused() {
    let block = LoopbackBlock::take();
    let map = AddressMap::new(&block, [external(11)]).expect("addresses");
    let twice = [listener(11, Xmpp, 5061), listener(11, Sip, 5061)];
    let error = EdgeFleet::start(&map, &twice, Seed(1), Limits::default()).await.expect_err("one of them cannot be");
    assert!(matches!(error, EdgeError::Clash { port: 5061, .. }), "{error}");
}

/// One server, one port for both of its listeners: the one that the model lets listen has it, whichever comes first.
#[tokio::test]
async fn a_port_given_twice_belongs_to_the_listener_that_listens() {
    let block = LoopbackBlock::take();
    let map = AddressMap::new(&block, [external(11)]).expect("addresses");
    let (sip, xmpp) = (listener(11, Sip, 5061), Listener { listening: false, ..listener(11, Xmpp, 5061) });
    for listeners in [[xmpp.clone(), sip.clone()], [sip, xmpp]] {
        let fleet = EdgeFleet::start(&map, &listeners, Seed(1), Limits::default()).await.expect("one of them listens");
        assert_eq!(fleet.open(), [(external(11), 5061)]);
        fleet.shutdown().await;
    }
}

/// A program of the developer's machine that took a port first: what, where, why and a way out.
#[tokio::test]
async fn a_taken_port_is_explained() {
    let block = LoopbackBlock::take();
    let map = AddressMap::new(&block, [external(11)]).expect("addresses");
    if map.is_single() {
        return; // the system picks free ports there
    }
    let foreign = std::net::TcpListener::bind((map.wire(external(11)).expect("mapped"), 5269)).expect("bound");
    let error = EdgeFleet::start(&map, &[listener(11, Xmpp, 5269)], Seed(1), Limits::default()).await.expect_err("taken");
    let text = error.to_string();
    for part in ["203.0.113.11", "5269", "hint:", "ss -ltnp"] {
        assert!(text.contains(part), "`{part}` in: {text}");
    }
    drop(foreign);
}
