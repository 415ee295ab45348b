//! Partners' caches on virtual time, against a real server.

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use common::{OBEDIENT, a, at, cname, serve, srv, zone, zones};
use firedrill_fabric::naming::{Answer, PartnerView};
use firedrill_topology::{RecordData, RecordSet, RecordType, ResolverSettings};
use rstest::rstest;

fn records(ttl: u32, data: Vec<RecordData>) -> Answer {
    Answer::Records { aliases: Vec::new(), set: RecordSet { ttl, data } }
}

#[tokio::test]
async fn old_data_are_seen_until_the_ttl_has_run_out_and_not_a_second_longer() {
    let served = serve(&zones([zone("contoso.com", 1, &[("sip", 300, a(10))])])).await;
    let partner = served.resolver(OBEDIENT);
    let fresh = partner.lookup("sip.contoso.com", RecordType::A, at(0)).await;
    assert_eq!(fresh, PartnerView { answer: records(300, vec![a(10)]), until: Some(at(300)), cached: false });

    served.server.publish(&zones([zone("contoso.com", 2, &[("sip", 300, a(20))])])).expect("published");
    let asked = served.server.answered();
    let held = partner.lookup("SIP.contoso.com.", RecordType::A, at(299)).await;
    assert_eq!(held, PartnerView { answer: records(300, vec![a(10)]), until: Some(at(300)), cached: true });
    assert_eq!(served.server.answered(), asked, "nobody was asked");

    let renewed = partner.lookup("sip.contoso.com", RecordType::A, at(300)).await;
    assert_eq!(renewed, PartnerView { answer: records(300, vec![a(20)]), until: Some(at(600)), cached: false });
    // Another partner that asks now has nothing old.
    let other = served.resolver(OBEDIENT).lookup("sip.contoso.com", RecordType::A, at(10)).await;
    assert_eq!(other.answer, records(300, vec![a(20)]));
}

#[tokio::test]
async fn absence_is_cached_too() {
    let served = serve(&zones([zone("contoso.com", 1, &[("sip", 300, a(10))])])).await;
    let partner = served.resolver(OBEDIENT);
    for (name, record_type, answer) in
        [("xmpp.contoso.com", RecordType::A, Answer::NoName), ("sip.contoso.com", RecordType::Srv, Answer::NoData)]
    {
        let view = partner.lookup(name, record_type, at(0)).await;
        assert_eq!(view, PartnerView { answer, until: Some(at(60)), cached: false }, "{name}");
    }
    served.server.publish(&zones([zone("contoso.com", 2, &[("xmpp", 300, a(10))])])).expect("published");
    assert_eq!(partner.lookup("xmpp.contoso.com", RecordType::A, at(59)).await.answer, Answer::NoName);
    assert_eq!(partner.lookup("xmpp.contoso.com", RecordType::A, at(60)).await.answer, records(300, vec![a(10)]));
}

#[rstest]
#[case::cap(ResolverSettings { max_ttl_seconds: 100, ..OBEDIENT }, 300, Some(100))]
#[case::floor(ResolverSettings { min_ttl_seconds: 900, ..OBEDIENT }, 300, Some(900))]
#[case::cap_beats_floor(ResolverSettings { min_ttl_seconds: 900, max_ttl_seconds: 500, ..OBEDIENT }, 300, Some(500))]
#[case::ttl_zero_is_not_kept(OBEDIENT, 0, None)]
#[tokio::test]
async fn the_partners_limits_on_ttls(#[case] settings: ResolverSettings, #[case] ttl: u32, #[case] kept: Option<i64>) {
    let served = serve(&zones([zone("contoso.com", 1, &[("sip", ttl, a(10))])])).await;
    let partner = served.resolver(settings);
    assert_eq!(partner.lookup("sip.contoso.com", RecordType::A, at(5)).await.until, kept.map(|seconds| at(5 + seconds)));
    assert_eq!(partner.cached(at(5)).len(), usize::from(kept.is_some()));
}

#[tokio::test]
async fn negative_ttls_have_a_cap_of_their_own() {
    let served = serve(&zones([zone("contoso.com", 1, &[])])).await;
    let partner = served.resolver(ResolverSettings { max_negative_ttl_seconds: 30, ..OBEDIENT });
    assert_eq!(partner.lookup("sip.contoso.com", RecordType::A, at(0)).await.until, Some(at(30)));
}

#[tokio::test]
async fn a_chain_lives_as_long_as_its_shortest_link() {
    let records = [
        ("xmpp", 40, cname("edge.contoso.com")),
        ("edge", 300, a(10)),
        ("gone", 20, cname("nobody.contoso.com")),
        ("_xmpp-server._tcp.alias", 50, cname("_xmpp-server._tcp.contoso.com")),
        ("_xmpp-server._tcp", 600, srv(10, 0, 5269, "xmpp.contoso.com")),
    ];
    let served = serve(&zones([zone("contoso.com", 1, &records)])).await;
    let partner = served.resolver(OBEDIENT);
    let view = partner.lookup("xmpp.contoso.com", RecordType::A, at(0)).await;
    let chain = |name: &str, ttl, data| Answer::Records { aliases: vec![name.to_owned()], set: RecordSet { ttl, data: vec![data] } };
    assert_eq!(view, PartnerView { answer: chain("edge.contoso.com", 300, a(10)), until: Some(at(40)), cached: false });
    // hickory-resolver loses the alias of a negative answer, and an SRV record behind an alias altogether.
    let gone = partner.lookup("gone.contoso.com", RecordType::A, at(0)).await;
    assert_eq!(gone, PartnerView { answer: Answer::NoName, until: Some(at(20)), cached: false });
    let service = partner.lookup("_xmpp-server._tcp.alias.contoso.com", RecordType::Srv, at(0)).await;
    let answer = chain("_xmpp-server._tcp.contoso.com", 600, srv(10, 0, 5269, "xmpp.contoso.com"));
    assert_eq!(service, PartnerView { answer, until: Some(at(50)), cached: false });
}

#[tokio::test]
async fn a_server_that_is_down_is_not_cached_and_what_is_cached_serves_on() {
    let mut served = serve(&zones([zone("contoso.com", 1, &[("sip", 300, a(10)), ("xmpp", 300, a(11))])])).await;
    let partner = served.resolver(OBEDIENT);
    partner.lookup("sip.contoso.com", RecordType::A, at(0)).await;
    served.server.set_answering(false).await.expect("down");
    assert!(!partner.server_answers().await);
    let down = PartnerView { answer: Answer::NoServer, until: None, cached: false };
    assert_eq!(partner.lookup("xmpp.contoso.com", RecordType::A, at(10)).await, down);
    assert!(partner.lookup("sip.contoso.com", RecordType::A, at(10)).await.cached);
    // A change while it is down is seen when it is back, at the same port.
    served.server.publish(&zones([zone("contoso.com", 2, &[("xmpp", 300, a(12))])])).expect("published");
    served.server.set_answering(true).await.expect("up");
    assert_eq!(partner.lookup("xmpp.contoso.com", RecordType::A, at(20)).await.answer, records(300, vec![a(12)]));
}

#[tokio::test]
async fn nobody_is_responsible_outside_the_zones() {
    let served = serve(&zones([zone("contoso.com", 1, &[("abroad", 300, cname("elsewhere.example"))])])).await;
    let partner = served.resolver(OBEDIENT);
    let nobody = PartnerView { answer: Answer::NoServer, until: None, cached: false };
    for name in ["fabrikam.com", "abroad.contoso.com"] {
        assert_eq!(partner.lookup(name, RecordType::A, at(0)).await, nobody, "{name}");
    }
    assert!(partner.server_answers().await, "which is not the same as a server that is down");
}

#[tokio::test]
async fn the_cache_can_be_read_and_forgotten() {
    let served = serve(&zones([zone("contoso.com", 1, &[("sip", 300, a(10))])])).await;
    let partner = served.resolver(OBEDIENT);
    partner.lookup("sip.contoso.com", RecordType::A, at(7)).await;
    partner.lookup("xmpp.contoso.com", RecordType::A, at(8)).await;
    let lines = partner.cached(at(9));
    let told: Vec<_> = lines.iter().map(|line| (line.name.as_str(), line.since, line.until)).collect();
    assert_eq!(told, [("sip.contoso.com", at(7), at(307)), ("xmpp.contoso.com", at(8), at(68))]);
    assert_eq!(partner.cached(at(100)).len(), 1, "what has run out is not held");
    assert!(partner.peek("xmpp.contoso.com", RecordType::A, at(9)).is_some());
    partner.clear();
    assert_eq!(partner.cached(at(9)), []);
}

/// In every published state the alias's target and its address carry one number. An answer that mixed two states would
/// show two, or none.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_answer_mixes_two_states() {
    let state = |n: u8| {
        let target = format!("y{n}");
        zones([zone("contoso.com", u32::from(n), &[("x", 0, cname(&format!("{target}.contoso.com"))), (&target, 0, a(n))])])
    };
    let expected = |n: u8| Answer::Records { aliases: vec![format!("y{n}.contoso.com")], set: RecordSet { ttl: 0, data: vec![a(n)] } };
    let served = serve(&state(1)).await;
    let partner = served.resolver(OBEDIENT);
    let done = Arc::new(AtomicBool::new(false));
    let asking = tokio::spawn({
        let done = Arc::clone(&done);
        async move {
            let mut answers = 0;
            while !done.load(Ordering::Relaxed) {
                let answer = partner.lookup("x.contoso.com", RecordType::A, at(0)).await.answer;
                assert!((1..=200).any(|n| answer == expected(n)), "half a change: {answer:?}");
                answers += 1;
            }
            answers
        }
    });
    // A resolver of its own: hickory lets simultaneous equal questions of one resolver share an answer.
    let other = served.resolver(OBEDIENT);
    for n in 2..=200 {
        served.server.publish(&state(n)).expect("published");
        if n % 20 == 0 {
            assert_eq!(other.lookup("x.contoso.com", RecordType::A, at(0)).await.answer, expected(n), "visible in the next answer");
        }
    }
    done.store(true, Ordering::Relaxed);
    assert!(asking.await.expect("no panic") > 0);
}

/// Two servers in one process do not see each other.
#[tokio::test]
async fn fabrics_side_by_side() {
    let first = serve(&zones([zone("contoso.com", 1, &[("sip", 300, a(10))])])).await;
    let second = serve(&zones([zone("contoso.com", 1, &[("sip", 300, a(20))])])).await;
    assert_ne!(first.server.address(), second.server.address());
    for (served, expected) in [(&first, a(10)), (&second, a(20))] {
        let view = served.resolver(OBEDIENT).lookup("sip.contoso.com", RecordType::A, at(0)).await;
        assert_eq!(view.answer, records(300, vec![expected]));
    }
    let address = first.server.address();
    first.server.shutdown().await.expect("a clean end");
    assert!(tokio::net::UdpSocket::bind(address).await.is_ok(), "the port is free again");
}
