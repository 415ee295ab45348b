//! Where a partner ends up, by RFC 6120 3.2, RFC 2782 and the rules of SIP federation, over real sockets.

mod common;

use common::zoning::{a, cname, srv, zone, zones};
use common::{closed, external, listener, told, wire};
use firedrill_dns::targets;
use firedrill_edge::ProbeError;
use firedrill_fabric::federation::Protocol::{self, Sip, Xmpp};
use firedrill_fabric::naming::order_targets;
use firedrill_fabric::seed::Seed;
use firedrill_topology::RecordData;
use rstest::rstest;

type Records<'a> = &'a [(&'a str, u32, RecordData)];

const X: &str = "_xmpp-server._tcp";
const S: &str = "_sipfederationtls._tcp";

/// Edge Servers .11, .12 and .21 exist; `open` lists those that listen, by last byte and port.
#[rstest]
#[case::c01_single_srv(Xmpp, &[(X, 60, srv(0, 0, 5269, "e1.contoso.com")), ("e1", 60, a(11))], &[(11, 5269)], &["e1:5269@11 Answered", "via 11"])]
#[case::c02_priority_beats_weight(
    Xmpp,
    &[(X, 60, srv(20, 1000, 5269, "e1.contoso.com")), (X, 60, srv(10, 0, 5269, "e2.contoso.com")), ("e1", 60, a(11)), ("e2", 60, a(12))],
    &[(11, 5269), (12, 5269)],
    &["e2:5269@12 Answered", "via 12"]
)]
#[case::c03_next_priority_when_refused(
    Xmpp,
    &[(X, 60, srv(10, 0, 5269, "e1.contoso.com")), (X, 60, srv(20, 0, 5269, "e2.contoso.com")), ("e1", 60, a(11)), ("e2", 60, a(12))],
    &[(12, 5269)],
    &["e1:5269@11 Refused", "e2:5269@12 Answered", "via 12"]
)]
#[case::c05_declined_despite_an_address(Xmpp, &[(X, 60, srv(0, 0, 5269, "")), ("", 60, a(11))], &[(11, 5269)], &["ServiceDeclined"])]
#[case::c06_no_srv_own_address(Xmpp, &[("", 60, a(11))], &[(11, 5269)], &["contoso.com:5269@11 Answered", "via 11"])]
#[case::c07_dead_srv_and_no_fall_back(
    Xmpp,
    &[(X, 60, srv(0, 0, 5269, "e1.contoso.com")), ("e1", 60, a(11)), ("", 60, a(12))],
    &[(12, 5269)],
    &["e1:5269@11 Refused", "NotConnected"]
)]
#[case::c08_target_without_address_is_skipped(
    Xmpp,
    &[(X, 60, srv(10, 0, 5269, "e1.contoso.com")), (X, 60, srv(20, 0, 5269, "e2.contoso.com")), ("e2", 60, a(12))],
    &[(12, 5269)],
    &["e1:5269@- NoAddress", "e2:5269@12 Answered", "via 12"]
)]
#[case::c09_every_address_of_a_target(
    Xmpp,
    &[(X, 60, srv(0, 0, 5269, "e.contoso.com")), ("e", 60, a(11)), ("e", 60, a(99)), ("e", 60, a(21))],
    &[(21, 5269)],
    &["e:5269@11 Refused", "e:5269@99 Refused", "e:5269@21 Answered", "via 21"]
)]
#[case::c10_another_port(Xmpp, &[(X, 60, srv(0, 0, 5299, "e1.contoso.com")), ("e1", 60, a(11))], &[(11, 5299)], &["e1:5299@11 Answered", "via 11"])]
#[case::c11_target_is_an_alias(
    Xmpp,
    &[(X, 60, srv(0, 0, 5269, "xmpp.contoso.com")), ("xmpp", 60, cname("e1.contoso.com")), ("e1", 60, a(11))],
    &[(11, 5269)],
    &["xmpp:5269@11 Answered", "via 11"]
)]
#[case::c12_srv_owner_behind_an_alias(
    Xmpp,
    &[(X, 60, cname("srv.contoso.com")), ("srv", 60, srv(0, 0, 5269, "e1.contoso.com")), ("e1", 60, a(11))],
    &[(11, 5269)],
    &["e1:5269@11 Answered", "via 11"]
)]
#[case::c13_nothing_at_all(Xmpp, &[], &[(11, 5269)], &["contoso.com:5269@- NoAddress", "NoRecords"])]
#[case::c16_root_among_others_means_nothing(
    Xmpp,
    &[(X, 60, srv(0, 0, 5269, "")), (X, 60, srv(10, 0, 5269, "e1.contoso.com")), ("e1", 60, a(11))],
    &[(11, 5269)],
    &["e1:5269@11 Answered", "via 11"]
)]
#[case::c20_sip_has_no_fall_back(Sip, &[("", 60, a(11))], &[(11, 5061)], &["NoRecords"])]
#[case::c21_one_host_two_ports(
    Xmpp,
    &[(X, 60, srv(10, 0, 5299, "e1.contoso.com")), (X, 60, srv(20, 0, 5269, "e1.contoso.com")), ("e1", 60, a(11))],
    &[(11, 5269)],
    &["e1:5299@11 Refused", "e1:5269@11 Answered", "via 11"]
)]
#[case::sip_first_record_only(
    Sip,
    &[(S, 60, srv(10, 0, 5061, "e1.contoso.com")), (S, 60, srv(20, 0, 5061, "e2.contoso.com")), ("e1", 60, a(11)), ("e2", 60, a(12))],
    &[(12, 5061)],
    &["e1:5061@11 Refused", "NotConnected"]
)]
#[case::sip_target_outside_the_domain(Sip, &[(S, 60, srv(0, 0, 5061, "sip.contoso.net"))], &[(11, 5061)], &["StrictMatch"])]
#[case::sip_declined(Sip, &[(S, 60, srv(0, 0, 5061, ""))], &[(11, 5061)], &["ServiceDeclined"])]
#[case::sip_answered(Sip, &[(S, 60, srv(0, 0, 5061, "e1.contoso.com")), ("e1", 60, a(11))], &[(11, 5061)], &["e1:5061@11 Answered", "via 11"])]
#[case::xmpp_peer_at_the_sip_port(Xmpp, &[(X, 60, srv(0, 0, 5061, "e1.contoso.com")), ("e1", 60, a(11))], &[(11, 5061)], &["e1:5061@11 Refused", "NotConnected"])]
#[case::sip_peer_at_the_xmpp_port(Sip, &[(S, 60, srv(0, 0, 5269, "e1.contoso.com")), ("e1", 60, a(11))], &[(11, 5269)], &["e1:5269@11 Refused", "NotConnected"])]
#[tokio::test]
async fn a_partner_ends_up(
    #[case] protocol: Protocol,
    #[case] records: Records<'_>,
    #[case] open: &[(u8, u16)],
    #[case] expected: &[&str],
) {
    let zones = zones([zone("contoso.com", 1, records)]);
    let ports = |port| if port == 5061 { Sip } else { Xmpp };
    let mut listeners: Vec<_> = open.iter().map(|(last, port)| listener(*last, ports(*port), *port)).collect();
    for last in [11, 12, 21] {
        for port in [5061, 5269] {
            if !open.contains(&(last, port)) {
                listeners.push(closed(last, ports(port), port));
            }
        }
    }
    let wire = wire(&zones, &listeners).await;
    assert_eq!(told(&wire.reach(protocol).await.expect("an answer")), expected);
}

/// RFC 2782: among equals, a record is first in proportion to its weight. 3,000 seeds put the share of 60:30:10 within
/// four standard deviations (at most 36 of 3,000 each); weight 0 beside others is chosen rarely, but is chosen.
#[test]
fn c04_weights_are_proportions() {
    let records = [srv(0, 60, 1, "a"), srv(0, 30, 1, "b"), srv(0, 10, 1, "c"), srv(0, 0, 1, "d"), srv(5, 65_535, 1, "z")];
    let mut first = std::collections::BTreeMap::new();
    for seed in 0..3000 {
        let order = order_targets(&records, Seed(seed), "xmpp fabrikam.net contoso.com");
        assert_eq!(order.len(), 5);
        assert_eq!(order[4].host, "z", "a higher priority number comes last whatever its weight");
        *first.entry(order[0].host.clone()).or_insert(0u32) += 1;
    }
    for (host, expected) in [("a", 1800i64), ("b", 900), ("c", 300)] {
        let found = i64::from(first[host]);
        assert!((found - expected).abs() < 110, "{host} was first {found} times of 3,000; {expected} expected");
    }
    assert!(first.get("d").is_some_and(|zero| *zero < 100), "{first:?}");
}

#[tokio::test]
async fn c14_nobody_is_responsible_for_the_domain() {
    let wire = wire(&zones([zone("contoso.com", 1, &[])]), &[listener(11, Xmpp, 5269)]).await;
    let reach = wire.reach_domain(Xmpp, "litware.example", common::NOW).await.expect("an answer");
    assert_eq!(told(&reach), ["DnsUnavailable"]);
}

#[tokio::test]
async fn c15_an_address_needs_no_dns() {
    let ours = firedrill_fabric::federation::Listener { domains: vec!["203.0.113.11".into()], ..listener(11, Xmpp, 5269) };
    let mut wire = wire(&zones([]), &[ours]).await;
    wire.dns.set_answering(false).await.expect("down");
    let reach = wire.reach_domain(Xmpp, "203.0.113.11", common::NOW).await.expect("an answer");
    assert_eq!(told(&reach), ["203.0.113.11:5269@11 Answered", "via 11"]);
}

#[tokio::test]
async fn c17_a_record_set_too_big_for_a_datagram() {
    let mut records: Vec<(&str, u32, RecordData)> =
        (0..60).map(|n| (X, 60, srv(100 + n, 0, 5269, &format!("host-with-a-long-name-{n}.contoso.com")))).collect();
    records.push((X, 60, srv(10, 0, 5269, "e1.contoso.com")));
    records.push(("e1", 60, a(11)));
    let wire = wire(&zones([zone("contoso.com", 1, &records)]), &[listener(11, Xmpp, 5269)]).await;
    assert_eq!(told(&wire.reach(Xmpp).await.expect("an answer")), ["e1:5269@11 Answered", "via 11"]);
}

#[tokio::test]
async fn c18_dns_is_down() {
    let zones = zones([zone("contoso.com", 1, &[(X, 600, srv(0, 0, 5269, "e1.contoso.com")), ("e1", 60, a(11))])]);
    let mut wire = wire(&zones, &[listener(11, Xmpp, 5269), listener(11, Sip, 5061)]).await;
    assert_eq!(told(&wire.reach(Xmpp).await.expect("an answer")), ["e1:5269@11 Answered", "via 11"]);
    wire.dns.set_answering(false).await.expect("down");
    // The SIP record was never asked for; the XMPP ones serve from the cache while they last.
    assert_eq!(told(&wire.reach(Sip).await.expect("an answer")), ["DnsUnavailable"]);
    let at = |seconds| common::NOW + firedrill_fabric::SimDuration::from_secs(seconds);
    let cached = wire.reach_domain(Xmpp, common::DOMAIN, at(59)).await.expect("an answer");
    assert_eq!(told(&cached), ["e1:5269@11 Answered", "via 11"]);
    let half = wire.reach_domain(Xmpp, common::DOMAIN, at(60)).await.expect("an answer");
    assert_eq!(told(&half), ["e1:5269@- NoAddress", "DnsUnavailable"], "the SRV record is still held, the address is not");
    let none = wire.reach_domain(Xmpp, common::DOMAIN, at(600)).await.expect("an answer");
    assert_eq!(told(&none), ["DnsUnavailable"]);
}

/// A listener that accepts and says nothing is not an answer (level 2 of the reference's report levels): it is a fault of
/// ours, and the probe says so within its limit.
#[tokio::test]
async fn c19_accepting_is_not_answering() {
    let zones = zones([zone("contoso.com", 1, &[(X, 60, srv(0, 0, 5270, "e1.contoso.com")), ("e1", 60, a(11))])]);
    let limits = firedrill_edge::Limits { probe: std::time::Duration::from_millis(200), ..Default::default() };
    let block = firedrill_dns::LoopbackBlock::take();
    let wire = common::wire_on(block, &zones, &[listener(11, Xmpp, 5269)], limits).await;
    if wire.map.is_single() {
        return; // another port of one address cannot stand for the same host there
    }
    let silent = std::net::TcpListener::bind((wire.map.wire(external(11)).expect("mapped"), 5270)).expect("bound");
    let error = wire.reach(Xmpp).await.expect_err("no answer");
    assert!(matches!(error, ProbeError::Silent { .. }), "{error}");
    drop(silent);
}

#[test]
fn strict_match_is_about_whole_labels() {
    use firedrill_fabric::federation::strict_match;
    assert!(strict_match("contoso.com", "sip.contoso.com") && strict_match("contoso.com", "contoso.com"));
    assert!(!strict_match("contoso.com", "sip.evilcontoso.com") && !strict_match("contoso.com", "com"));
    assert_eq!(targets::literal(Sip, "203.0.113.11"), None, "SIP federation knows domains only");
}
