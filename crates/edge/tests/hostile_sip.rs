//! SIP peers that mean no good: every one gets the protocol's own error, within bounds.

mod common;
#[path = "common/sip/mod.rs"]
mod sip;

use std::time::Duration;

use common::zoning::{a, srv, zone, zones};
use common::{Wire, listener, told, wire_on};
use firedrill_dns::LoopbackBlock;
use firedrill_edge::{Authority, Limits};
use firedrill_fabric::federation::Protocol::Sip;
use firedrill_fabric::seed::Seed;
use rstest::rstest;
use sip::{Peer, certificate, client, header, request};
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
    let records = [("_sipfederationtls._tcp", 60, srv(0, 0, 5061, "e1.contoso.com")), ("e1", 60, a(11))];
    wire_on(LoopbackBlock::take(), &zones([zone("contoso.com", 1, &records)]), &[listener(11, Sip, 5061)], limits).await
}

/// A partner with a good certificate.
async fn partner(wire: &Wire) -> Peer {
    let authority = wire.fleet.authority();
    let connector = client(authority.pem(), Some(&certificate(authority, common::PARTNER)));
    Peer::connect(wire.endpoint(11, 5061), "e1.contoso.com", &connector).await.expect("taken")
}

fn options(more: &str) -> String {
    request("OPTIONS", "sip:contoso.com", "probe@fabrikam.net", "contoso.com", more, "")
}

/// The same without its length, so that another one can stand there.
fn without_length(more: &str) -> String {
    options("").replace("Content-Length: 0\r\n", more)
}

async fn nobody_else_suffers(wire: &Wire) {
    assert_eq!(told(&wire.reach(Sip).await.expect("an answer")), ["e1:5061@11 Answered", "via 11"]);
}

#[rstest]
#[case::xml("<?xml version='1.0'?>".into(), 400)]
#[case::binary("\u{16}\u{3}\u{1}\u{2}".into(), 400)]
#[case::not_sip("GET / HTTP/1.1\r\n\r\n".into(), 400)]
#[case::no_headers("OPTIONS sip:contoso.com SIP/2.0\r\n\r\n".into(), 400)]
#[case::header_without_colon("OPTIONS sip:contoso.com SIP/2.0\r\nnonsense\r\n\r\n".into(), 400)]
#[case::folding_of_nothing("OPTIONS sip:contoso.com SIP/2.0\r\n folded\r\n\r\n".into(), 400)]
#[case::a_line_within_a_line(options("X: a\nVia: SIP/2.0/TLS evil\r\n"), 400)]
#[case::negative_length(without_length("Content-Length: -1\r\n"), 400)]
#[case::no_length(without_length(""), 400)]
#[case::two_lengths(without_length("Content-Length: 0\r\nl: 5\r\n"), 400)]
#[case::body_beyond_the_limit(without_length("Content-Length: 4294967296\r\n"), 513)]
#[case::body_beyond_numbers(without_length("Content-Length: 99999999999999999999999\r\n"), 513)]
#[case::endless_header("OPTIONS sip:contoso.com SIP/2.0\r\nX: ".to_owned() + &"y".repeat(1 << 20), 513)]
#[case::endless_start_line("OPTIONS sip:".to_owned() + &"y".repeat(1 << 20), 513)]
#[case::endless_headers("OPTIONS sip:contoso.com SIP/2.0\r\n".to_owned() + &"x: y\r\n".repeat(100_000), 513)]
#[case::many_headers(options(&"x: y\r\n".repeat(100)), 400)]
#[tokio::test]
async fn cannot_be_framed(#[case] bytes: String, #[case] status: u16) {
    let wire = edge(LIMITS).await;
    let said = partner(&wire).await.until_the_end(bytes.as_bytes()).await;
    assert!(said.starts_with(&format!("SIP/2.0 {status} ")), "{said}");
    assert_eq!(said.matches("SIP/2.0 ").count(), 1, "one answer, and the end: {said}");
    if status == 400 {
        assert_eq!(header(&said, "ms-diagnostics"), Some("1018;reason=\"Parsing failure\";source=\"sip.contoso.com\""));
    }
    nobody_else_suffers(&wire).await;
}

/// What can be framed is answered, and the connection goes on.
#[rstest]
#[case::no_via(options("").replace("Via:", "X-Via:"), 400)]
#[case::no_branch(options("").replace(";branch=z9hG4bK776", ""), 400)]
#[case::nobody_asks(options("").replace("From:", "X-From:"), 400)]
#[case::two_who_ask(options("From: <sip:a@contoso.com>\r\n"), 400)]
#[case::methods_differ(options("").replace("CSeq: 1 OPTIONS", "CSeq: 1 INVITE"), 400)]
#[case::number_too_large(options("").replace("CSeq: 1 ", "CSeq: 4294967296 "), 400)]
#[case::hops_out_of_range(options("").replace("Max-Forwards: 70", "Max-Forwards: 300"), 400)]
#[case::other_version(options("").replacen("SIP/2.0\r\n", "SIP/3.0\r\n", 1), 505)]
#[case::scheme(options("").replacen("sip:contoso.com", "tel:+1555", 1), 416)]
#[case::user_of_control_characters(options("").replacen("sip:contoso.com", "sip:%00@contoso.com", 1), 400)]
#[case::extension(options("Proxy-Require: x-a, x-b\r\n"), 420)]
#[case::domain_of_somebody_else(options("").replacen("sip:contoso.com", "sip:litware.com", 1), 403)]
#[case::domain_that_the_certificate_does_not_name(options("").replace("probe@fabrikam.net", "probe@adatum.net"), 403)]
#[tokio::test]
async fn is_refused(#[case] bytes: String, #[case] status: u16) {
    let wire = edge(LIMITS).await;
    let mut peer = partner(&wire).await;
    peer.say(&bytes).await.expect("sent");
    let answer = peer.hear().await;
    assert!(answer.starts_with(&format!("SIP/2.0 {status} ")), "{answer}");
    if status == 420 {
        assert_eq!(header(&answer, "Unsupported"), Some("x-a, x-b"), "RFC 3261 8.2.2.3");
    }
    peer.say(options("")).await.expect("sent");
    assert!(peer.hear().await.starts_with("SIP/2.0 200 OK"));
}

/// Requests in one piece, with keep-alives between them, get one answer each, in order; byte by byte it is the same.
#[rstest]
#[tokio::test]
async fn requests_in_a_row(#[values(false, true)] crumbs: bool) {
    let wire = edge(LIMITS).await;
    let mut peer = partner(&wire).await;
    let ack = options("").replace("OPTIONS", "ACK");
    let bytes = format!(
        "\r\n\r\n{}\r\n\r\n{ack}SIP/2.0 200 OK\r\nl: 0\r\n\r\n{}",
        without_length("l: 4\r\n") + "body",
        options("Proxy-Require: x\r\n")
    );
    if crumbs {
        for byte in bytes.bytes() {
            peer.say([byte]).await.expect("sent");
        }
    } else {
        peer.say(&bytes).await.expect("sent");
    }
    let answers = [peer.hear().await, peer.hear().await];
    assert!(answers[0].starts_with("SIP/2.0 200 OK\r\n") && answers[1].starts_with("SIP/2.0 420 "), "{answers:?}");
}

/// Neither TLS nor anything else: an alert, or nothing, and the end. SIP over TCP is no way in.
#[rstest]
#[case::sip(options("").into_bytes())]
#[case::xml(b"<?xml version='1.0'?>".to_vec())]
#[case::broken_handshake(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".iter().copied().chain([0; 600]).collect())]
#[case::endless_record([b"\x16\x03\x01\xff\xff".to_vec(), vec![1; 1 << 20]].concat())]
#[tokio::test]
async fn without_tls(#[case] bytes: Vec<u8>) {
    let wire = edge(LIMITS).await;
    let mut stream = TcpStream::connect(wire.endpoint(11, 5061)).await.expect("accepted");
    // Hung up while we are still talking.
    let _sent = stream.write_all(&bytes).await;
    let mut said = Vec::new();
    let mut chunk = [0; 512];
    let reading = async {
        while let Ok(count @ 1..) = stream.read(&mut chunk).await {
            said.extend_from_slice(&chunk[..count]);
        }
    };
    tokio::time::timeout(Duration::from_secs(10), reading).await.expect("bounded in time");
    assert!(said.is_empty() || said.starts_with(&[0x15, 0x03]), "a TLS alert or nothing: {said:?}");
    nobody_else_suffers(&wire).await;
}

/// Certificates that are none for this Edge: refused in the handshake, with the alert that says why.
#[rstest]
#[case::none(None, "CertificateRequired")]
// An authority of the same name with another key: the signature does not fit.
#[case::of_another_authority(Some(2), "DecryptError")]
#[tokio::test]
async fn without_a_good_certificate(#[case] authority: Option<u64>, #[case] alert: &str) {
    let wire = edge(LIMITS).await;
    let ours = wire.fleet.authority();
    let shown = authority.map(|seed| certificate(&Authority::new(Seed(seed), ours.dates()).expect("authority"), common::PARTNER));
    let connector = client(ours.pem(), shown.as_ref());
    // TLS 1.3 tells a client about its certificate when the client has already finished.
    let ended = match Peer::connect(wire.endpoint(11, 5061), "e1.contoso.com", &connector).await {
        Ok(peer) => peer.ended().await,
        Err(error) => Some(error),
    };
    let error = ended.expect("an alert").to_string();
    assert!(error.contains(alert), "{error}");
}

/// Half-open TLS, silence after it, and a message that never ends: each is ended after its time.
#[rstest]
#[case::half_open(None)]
#[case::silent(Some(""))]
#[case::never_ending(Some("OPTIONS sip:contoso.com SIP/2.0\r\nX: "))]
#[tokio::test]
async fn slow(#[case] words: Option<&str>) {
    let wire = edge(Limits { conversation: Duration::from_millis(200), ..LIMITS }).await;
    let Some(words) = words else {
        let mut stream = TcpStream::connect(wire.endpoint(11, 5061)).await.expect("accepted");
        stream.write_all(b"\x16\x03\x01").await.expect("sent");
        let mut rest = Vec::new();
        let end = tokio::time::timeout(Duration::from_secs(10), stream.read_to_end(&mut rest)).await.expect("bounded in time");
        assert!(end.is_err() || rest.is_empty() || rest.starts_with(&[0x15]), "{rest:?}");
        return;
    };
    let mut peer = partner(&wire).await;
    peer.say(words).await.expect("sent");
    // A drip does not help: the message as a whole has its time.
    let dripping = async {
        while !words.is_empty() && peer.say("y").await.is_ok() {
            tokio::task::yield_now().await;
        }
        peer
    };
    let dripped = tokio::time::timeout(Duration::from_secs(10), dripping).await;
    if let Ok(peer) = dripped {
        let _alert = peer.ended().await;
    } else {
        panic!("never ended");
    }
}

/// Too many at once: those beyond get a TLS alert, and there is room again when the others leave.
#[tokio::test]
async fn a_crowd_is_turned_away() {
    let wire = edge(LIMITS).await;
    let mut idle = Vec::new();
    for _ in 0..LIMITS.connections {
        idle.push(partner(&wire).await);
    }
    let mut beyond = TcpStream::connect(wire.endpoint(11, 5061)).await.expect("accepted");
    let mut said = Vec::new();
    tokio::time::timeout(Duration::from_secs(10), beyond.read_to_end(&mut said)).await.expect("bounded in time").expect("read");
    assert_eq!(said, [0x15, 3, 3, 0, 2, 2, 80]);
    drop(idle);
    let connector = client(wire.fleet.authority().pem(), Some(&certificate(wire.fleet.authority(), common::PARTNER)));
    let room = async {
        while Peer::connect(wire.endpoint(11, 5061), "e1.contoso.com", &connector).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), room).await.expect("room again");
}
