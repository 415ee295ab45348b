//! What the server says to a plain DNS client, message by message.

mod common;

use std::time::Duration;

use common::{a, cname, serve, srv, zone, zones};
use firedrill_dns::query;
use firedrill_fabric::naming::Zones;
use firedrill_topology::RecordData;
use hickory_resolver::proto::op::{Message, ResponseCode};
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use rstest::rstest;

fn contoso() -> Zones {
    zones([
        zone(
            "contoso.com",
            7,
            &[
                ("", 3600, RecordData::Ns("ns1.contoso.com".into())),
                ("ns1", 3600, a(53)),
                ("sip", 300, a(10)),
                ("sip", 300, a(11)),
                ("sip", 300, RecordData::Aaaa("2001:db8::10".parse().expect("address"))),
                ("sip2", 300, a(20)),
                ("alias", 120, cname("second.contoso.com")),
                ("second", 60, cname("sip.contoso.com")),
                ("dangling", 60, cname("missing.contoso.com")),
                ("abroad", 60, cname("elsewhere.example")),
                ("round", 60, cname("about.contoso.com")),
                ("about", 60, cname("round.contoso.com")),
                ("deep.empty", 60, a(30)),
                ("_xmpp-server._tcp", 600, srv(10, 0, 5269, "sip.contoso.com")),
                ("_xmpp-server._tcp", 600, srv(20, 0, 5269, "sip2.contoso.com")),
                ("txt", 60, RecordData::Txt("x".repeat(600))),
            ],
        ),
        zone("sub.contoso.com", 9, &[("www", 60, a(40))]),
    ])
}

async fn ask(name: &str, record_type: RecordType) -> Message {
    let served = serve(&contoso()).await;
    let name = Name::from_ascii(name).expect("name");
    let message = query(served.server.address(), &name, record_type, Duration::from_secs(5)).await.expect("an answer");
    served.server.shutdown().await.expect("a clean end");
    message
}

/// Answer section as text, with addresses of the topology's last byte where they are mapped.
fn answers(message: &Message) -> Vec<String> {
    message.answers.iter().map(|record| format!("{} {} {}", record.name, record.ttl, record.record_type())).collect()
}

fn soa(message: &Message) -> Option<(String, u32, u32)> {
    message.authorities.iter().find_map(|record| match &record.data {
        RData::SOA(soa) => Some((record.name.to_string(), soa.serial, record.ttl)),
        _ => None,
    })
}

#[rstest]
#[case::two_addresses("sip.contoso.com.", RecordType::A, &["sip.contoso.com. 300 A", "sip.contoso.com. 300 A"])]
#[case::case_does_not_matter_and_comes_back("SIP.Contoso.COM.", RecordType::A, &["SIP.Contoso.COM. 300 A", "SIP.Contoso.COM. 300 A"])]
#[case::ipv6("sip.contoso.com.", RecordType::AAAA, &["sip.contoso.com. 300 AAAA"])]
#[case::apex_ns("contoso.com.", RecordType::NS, &["contoso.com. 3600 NS"])]
#[case::apex_soa("contoso.com.", RecordType::SOA, &["contoso.com. 3600 SOA"])]
#[case::longest_apex_wins("www.sub.contoso.com.", RecordType::A, &["www.sub.contoso.com. 60 A"])]
#[case::alias_asked_for_itself("alias.contoso.com.", RecordType::CNAME, &["alias.contoso.com. 120 CNAME"])]
#[case::chain(
    "alias.contoso.com.",
    RecordType::A,
    &["alias.contoso.com. 120 CNAME", "second.contoso.com. 60 CNAME", "sip.contoso.com. 300 A", "sip.contoso.com. 300 A"]
)]
#[case::loop_ends("round.contoso.com.", RecordType::A, &["round.contoso.com. 60 CNAME", "about.contoso.com. 60 CNAME"])]
#[tokio::test]
async fn positive(#[case] name: &str, #[case] record_type: RecordType, #[case] expected: &[&str]) {
    let message = ask(name, record_type).await;
    assert_eq!(message.metadata.response_code, ResponseCode::NoError);
    assert!(message.metadata.authoritative);
    assert_eq!(answers(&message), expected);
    assert_eq!(soa(&message), None, "a SOA record would make it a negative answer");
}

#[rstest]
#[case::no_such_name("nobody.contoso.com.", RecordType::A, ResponseCode::NXDomain, "contoso.com.", 7)]
#[case::no_such_type("sip.contoso.com.", RecordType::TXT, ResponseCode::NoError, "contoso.com.", 7)]
#[case::empty_non_terminal("empty.contoso.com.", RecordType::A, ResponseCode::NoError, "contoso.com.", 7)]
#[case::below_a_sub_zone("nobody.sub.contoso.com.", RecordType::A, ResponseCode::NXDomain, "sub.contoso.com.", 9)]
#[case::alias_to_nothing("dangling.contoso.com.", RecordType::A, ResponseCode::NXDomain, "contoso.com.", 7)]
#[case::alias_without_the_type("alias.contoso.com.", RecordType::TXT, ResponseCode::NoError, "contoso.com.", 7)]
#[case::closed_world("www.example.org.", RecordType::A, ResponseCode::NXDomain, ".", 1)]
#[case::alias_out_of_the_world("abroad.contoso.com.", RecordType::A, ResponseCode::NXDomain, ".", 1)]
#[tokio::test]
async fn negative(
    #[case] name: &str,
    #[case] record_type: RecordType,
    #[case] code: ResponseCode,
    #[case] authority: &str,
    #[case] serial: u32,
) {
    let message = ask(name, record_type).await;
    assert_eq!(message.metadata.response_code, code);
    let (owner, found_serial, ttl) = soa(&message).expect("RFC 2308: a negative answer carries the SOA record");
    assert_eq!((owner.as_str(), found_serial), (authority, serial));
    let expected_ttl = if authority == "." { 900 } else { 60 };
    assert_eq!(ttl, expected_ttl, "RFC 2308 3: the smaller of the record's TTL and the minimum");
}

#[rstest]
#[case::any("contoso.com.", RecordType::ANY)]
#[case::transfer("contoso.com.", RecordType::AXFR)]
#[tokio::test]
async fn refused(#[case] name: &str, #[case] record_type: RecordType) {
    assert_eq!(ask(name, record_type).await.metadata.response_code, ResponseCode::Refused);
}

#[tokio::test]
async fn srv_answers_bring_the_addresses_of_all_targets() {
    let message = ask("_xmpp-server._tcp.contoso.com.", RecordType::SRV).await;
    assert_eq!(message.answers.len(), 2);
    let hosts: Vec<String> = message.additionals.iter().map(|r| format!("{} {}", r.name, r.record_type())).collect();
    assert_eq!(hosts, ["sip.contoso.com. A", "sip.contoso.com. A", "sip.contoso.com. AAAA", "sip2.contoso.com. A"]);
}

#[tokio::test]
async fn long_text_travels_as_strings_of_255_bytes() {
    let message = ask("txt.contoso.com.", RecordType::TXT).await;
    let RData::TXT(txt) = &message.answers[0].data else { panic!("TXT expected") };
    assert_eq!(txt.txt_data.iter().map(|part| part.len()).collect::<Vec<_>>(), [255, 255, 90]);
}

#[tokio::test]
async fn every_address_that_leaves_is_a_loopback_address() {
    for name in ["sip.contoso.com.", "sip2.contoso.com.", "www.sub.contoso.com."] {
        for record in ask(name, RecordType::A).await.answers {
            let RData::A(address) = record.data else { panic!("A expected") };
            assert!(address.0.is_loopback(), "{name} has {address}");
        }
    }
    let message = ask("sip.contoso.com.", RecordType::AAAA).await;
    let RData::AAAA(address) = &message.answers[0].data else { panic!("AAAA expected") };
    assert!(address.0.to_ipv4_mapped().is_some_and(|four| four.is_loopback()), "{address}");
}

#[tokio::test]
async fn what_does_not_fit_a_datagram_comes_over_tcp() {
    // 120 addresses of 16 bytes exceed 1,232 bytes, the largest UDP answer, and a plain client must still see all.
    let many: Vec<_> = (0..120).map(|n| ("big", 60, a(n))).collect();
    let served = serve(&zones([zone("contoso.com", 1, &many)])).await;
    let name = Name::from_ascii("big.contoso.com.").expect("name");
    let message = query(served.server.address(), &name, RecordType::A, Duration::from_secs(5)).await.expect("an answer");
    assert_eq!(message.answers.len(), 120);
    let view = served.resolver(common::OBEDIENT).lookup("big.contoso.com", firedrill_topology::RecordType::A, common::at(0)).await;
    let firedrill_fabric::naming::Answer::Records { set, .. } = view.answer else { panic!("records expected") };
    assert_eq!(set.data, (0..120).map(a).collect::<Vec<_>>(), "in the zone's order, in the topology's terms");
}

#[tokio::test]
async fn nonsense_gets_an_error_or_silence_and_the_server_lives() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let served = serve(&contoso()).await;
    let address = served.server.address();
    let socket = tokio::net::UdpSocket::bind((address.ip(), 0)).await.expect("socket");
    // Garbage, a header that promises 65,535 questions, a compression pointer to itself.
    let looping = [0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0xc0, 12, 0, 1, 0, 1];
    let promising = [0, 1, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
    for bytes in [&b"GET / HTTP/1.1\r\n\r\n"[..], &promising, &looping, &[], &[0; 11]] {
        socket.send_to(bytes, address).await.expect("sent");
    }
    let mut stream = tokio::net::TcpStream::connect(address).await.expect("TCP");
    stream.write_all(&[0xff, 0xff, 1, 2, 3]).await.expect("sent");
    stream.shutdown().await.expect("closed");
    let mut rest = Vec::new();
    // Closed or reset, either is a refusal.
    let _end = stream.read_to_end(&mut rest).await;
    let name = Name::from_ascii("sip.contoso.com.").expect("name");
    let message = query(address, &name, RecordType::A, Duration::from_secs(5)).await.expect("still answering");
    assert_eq!(message.answers.len(), 2);
}

#[tokio::test]
async fn a_zone_that_cannot_be_served_is_named_and_the_old_one_stays() {
    let served = serve(&contoso()).await;
    let long = "x".repeat(64);
    let broken = zones([zone("contoso.com", 8, &[(&long, 60, a(1))])]);
    let error = served.server.publish(&broken).expect_err("a label of 64 bytes");
    assert!(error.to_string().contains(&long) && error.to_string().contains("contoso.com"), "{error}");
    let name = Name::from_ascii("sip.contoso.com.").expect("name");
    let message = query(served.server.address(), &name, RecordType::A, Duration::from_secs(5)).await.expect("an answer");
    assert_eq!(message.answers.len(), 2);
}
