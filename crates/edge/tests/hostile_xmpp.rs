//! XMPP peers that mean no good: every one gets the protocol's own error, within bounds.

mod common;

use std::time::Duration;

use common::zoning::{a, srv, zone, zones};
use common::{Wire, listener, told, wire_on};
use firedrill_dns::LoopbackBlock;
use firedrill_edge::Limits;
use firedrill_fabric::federation::Protocol::Xmpp;
use rstest::rstest;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const LIMITS: Limits = Limits {
    header_bytes: 2048,
    element_bytes: 16 * 1024,
    nodes: 200,
    depth: 16,
    sip_bytes: 8 * 1024,
    sip_headers: 64,
    sip_dialogs: 4,
    conversation: Duration::from_secs(20),
    connections: 4,
    probe: Duration::from_secs(10),
    queue: 8,
};

async fn edge(limits: Limits) -> Wire {
    let records = [("_xmpp-server._tcp", 60, srv(0, 0, 5269, "e1.contoso.com")), ("e1", 60, a(11))];
    wire_on(LoopbackBlock::take(), &zones([zone("contoso.com", 1, &records)]), &[listener(11, Xmpp, 5269)], limits).await
}

/// Sends, then reads to the end; a reset after the last word counts as the end.
async fn talk(wire: &Wire, port: u16, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(wire.endpoint(11, port)).await.expect("accepted");
    let (mut reader, mut writer) = stream.split();
    let sending = async {
        // The server may hang up before everything is sent.
        let _sent = writer.write_all(bytes).await;
    };
    let reading = async {
        let mut said = Vec::new();
        let mut chunk = [0; 4096];
        while let Ok(count @ 1..) = reader.read(&mut chunk).await {
            said.extend_from_slice(&chunk[..count]);
        }
        String::from_utf8(said).expect("UTF-8")
    };
    let both = async { tokio::join!(sending, reading).1 };
    tokio::time::timeout(Duration::from_secs(30), both).await.expect("bounded in time")
}

fn open(attributes: &str) -> String {
    format!("<?xml version='1.0'?><stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' {attributes}>")
}

fn good() -> String {
    open("from='fabrikam.net' to='contoso.com' version='1.0'")
}

#[rstest]
#[case::garbage("GET / HTTP/1.1\r\n\r\n".into(), "not-well-formed")]
#[case::not_utf8("<?xml version='1.0'?><stream:stream \u{0}".into(), "not-well-formed")]
#[case::another_encoding("<?xml version='1.0' encoding='ISO-8859-1'?>".into(), "restricted-xml")]
#[case::endless_header(open(&format!("x='{}'", "y".repeat(1 << 20))), "policy-violation")]
#[case::endless_attributes(open(&(0..10_000).map(|n| format!("a{n}='' ")).collect::<String>()), "policy-violation")]
#[case::wrong_root("<a/>".into(), "invalid-namespace")]
#[case::client_namespace("<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='contoso.com'>".into(), "invalid-namespace")]
#[case::wrong_stream_namespace("<stream:stream xmlns='jabber:server' xmlns:stream='urn:x' to='contoso.com'>".into(), "invalid-namespace")]
#[case::undeclared_prefix("<stream:stream xmlns='jabber:server' to='contoso.com'>".into(), "bad-namespace-prefix")]
#[case::nobody_asks(open("to='contoso.com' version='1.0'"), "improper-addressing")]
#[case::nobody_is_asked(open("from='fabrikam.net' version='1.0'"), "improper-addressing")]
#[case::old_version(open("from='fabrikam.net' to='contoso.com'"), "unsupported-version")]
#[case::unknown_domain(open("from='fabrikam.net' to='litware.com' version='1.0'"), "host-unknown")]
#[case::stranger(open("from='adatum.net' to='contoso.com' version='1.0'"), "policy-violation")]
#[case::entity(good() + "<message><body>&lol;</body></message>", "restricted-xml")]
#[case::comment(good() + "<!-- hello -->", "restricted-xml")]
#[case::processing_instruction(good() + "<?php evil() ?>", "restricted-xml")]
#[case::document_type("<?xml version='1.0'?><!DOCTYPE lolz [<!ENTITY lol 'lol'>]>".into(), "restricted-xml")]
#[case::deep_nesting(good() + &"<a>".repeat(LIMITS.depth + 1), "policy-violation")]
#[case::nesting_within_the_limit(good() + &"<a>".repeat(LIMITS.depth) + &"</a>".repeat(LIMITS.depth), "unsupported-feature")]
#[case::endless_nesting(good() + &"<a>".repeat(100_000), "policy-violation")]
#[case::huge_stanza(good() + "<message><body>" + &"x".repeat(1 << 20), "policy-violation")]
#[case::huge_attribute(good() + "<message to='" + &"x".repeat(1 << 20), "policy-violation")]
#[case::mismatched(good() + "<a></b>", "not-well-formed")]
#[case::text_between_stanzas(good() + "hello", "bad-format")]
#[case::stanza_without_authentication(good() + "<message to='anna@contoso.com'><body>hi</body></message>", "not-authorized")]
#[case::many_small_elements(good() + "<message>" + &"<a/>".repeat(LIMITS.nodes), "policy-violation")]
#[case::many_small_attributes(good() + "<message " + &(0..=LIMITS.nodes).map(|n| format!("a{n}='' ")).collect::<String>() + "/>", "policy-violation")]
#[case::smuggled_past_tls(good() + "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/><message/>", "policy-violation")]
#[case::dialback_without_tls(good() + "<db:result xmlns:db='jabber:server:dialback' from='fabrikam.net' to='contoso.com'>k</db:result>", "policy-violation")]
#[case::sasl_without_end(good() + &"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AAAA</auth>".repeat(4), "policy-violation")]
#[case::header_from_a_user(open("from='a@fabrikam.net' to='contoso.com' version='1.0'"), "improper-addressing")]
#[case::endless_keep_alives_are_not_a_stanza(good() + &" ".repeat(1 << 18) + "<message/>", "not-authorized")]
#[tokio::test]
async fn xmpp(#[case] bytes: String, #[case] condition: &str) {
    let wire = edge(LIMITS).await;
    let said = talk(&wire, 5269, bytes.as_bytes()).await;
    assert!(said.starts_with("<?xml version='1.0'?><stream:stream "), "a header comes first (RFC 6120 4.9.1.2): {said}");
    assert!(said.contains(&format!("<{condition} xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>")), "{condition} expected: {said}");
    assert!(said.ends_with("</stream:stream>"), "{said}");
    // And nobody else suffers.
    assert_eq!(told(&wire.reach(Xmpp).await.expect("an answer")), ["e1:5269@11 Answered", "via 11"]);
}

#[tokio::test]
async fn xmpp_invalid_utf8() {
    let wire = edge(LIMITS).await;
    let said = talk(&wire, 5269, b"<?xml version='1.0'?><stream:stream to='\xff\xfe'").await;
    assert!(said.contains("<unsupported-encoding "), "{said}");
}

/// Every cut of a good opening, sent byte by byte, leads to the same answer.
#[tokio::test]
async fn xmpp_in_crumbs() {
    let wire = edge(LIMITS).await;
    let mut stream = TcpStream::connect(wire.endpoint(11, 5269)).await.expect("accepted");
    stream.set_nodelay(true).expect("set");
    for byte in (good() + " \n ").bytes() {
        stream.write_all(&[byte]).await.expect("sent");
    }
    stream.write_all(b"</stream:stream>").await.expect("sent");
    let mut said = String::new();
    stream.read_to_string(&mut said).await.expect("read");
    assert!(said.contains("from='contoso.com' to='fabrikam.net' version='1.0'><stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls></stream:features></stream:stream>"), "{said}");
}

#[tokio::test]
async fn silence_is_ended() {
    let wire = edge(Limits { conversation: Duration::from_millis(50), ..LIMITS }).await;
    let said = talk(&wire, 5269, b"").await;
    assert!(said.contains("<connection-timeout "), "{said}");
}

#[tokio::test]
async fn a_crowd_is_turned_away_and_leaves_no_trace() {
    let wire = edge(LIMITS).await;
    let mut idle = Vec::new();
    for _ in 0..LIMITS.connections {
        let mut stream = TcpStream::connect(wire.endpoint(11, 5269)).await.expect("accepted");
        stream.write_all(good().as_bytes()).await.expect("sent");
        let mut byte = [0];
        stream.read_exact(&mut byte).await.expect("served");
        idle.push(stream);
    }
    let said = talk(&wire, 5269, b"").await;
    assert!(said.contains("<resource-constraint "), "{said}");
    drop(idle);
    // Room again as soon as the server has seen them leave.
    let served = async {
        while !talk(&wire, 5269, (good() + "</stream:stream>").as_bytes()).await.contains("<stream:features>") {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), served).await.expect("room again");
}
