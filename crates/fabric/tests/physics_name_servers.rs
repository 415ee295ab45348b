//! Several name servers: failure one by one, NOTIFY, refresh, expiry, stale data, and dynamic updates of the primary.

mod support;

use std::net::Ipv4Addr;
use std::sync::Arc;

use firedrill_fabric::fault::DnsEdit;
use firedrill_fabric::naming::Answer;
use firedrill_fabric::world::{Credential, DynamicUpdate, NameServerMode, Prerequisite, Requester, UpdateAction, UpdateCode, UpdateType};
use firedrill_fabric::{Event, Fabric, Fault, NameServerFault, Options};
use firedrill_topology::{
    AccessList, NameServer, NameServerId, PartnerId, RecordData, RecordType, ResolverSettings, Soa, TsigAlgorithm, TsigKey,
};
use proptest::prelude::*;
use rstest::rstest;
use support::{Drill, Plan, START, a, seconds};

const PARTNER: PartnerId = PartnerId(0);
const NS1: NameServerId = NameServerId(0);
const NS2: NameServerId = NameServerId(1);

/// Two servers; the zone's refresh is 3600 s, its retry 600 s, its expiry 86,400 s. Partners keep nothing, so that each
/// look shows the servers.
fn fabric() -> Fabric {
    fabric_with(ResolverSettings { max_ttl_seconds: 0, min_ttl_seconds: 0, max_negative_ttl_seconds: 0, serve_stale_seconds: 0 })
}

fn fabric_with(resolver: ResolverSettings) -> Fabric {
    let mut topology = Plan { resolver, ..Plan::default() }.build();
    let key = TsigKey { name: "ops".into(), algorithm: TsigAlgorithm::HmacSha256, secret: vec![1; 32] };
    let update_by = AccessList { keys: vec![Arc::new(key)], addresses: vec![Ipv4Addr::new(192, 0, 2, 10)] };
    let server =
        |host: &str, update_by| NameServer { host: host.into(), transfer_to: AccessList::default(), update_by, notify: Vec::new() };
    topology.name_servers = vec![server("ns1.contoso.com", update_by), server("ns2.contoso.com", AccessList::default())];
    Fabric::new(Arc::new(topology), Options { seed: 7, start: START })
}

fn set(fabric: &mut Fabric, last: u8) {
    let edit = DnsEdit::Replace { name: "sip.contoso.com".into(), record_type: RecordType::A, ttl: Some(300), data: vec![a(last)] };
    fabric.edit_dns(&edit).expect("a zone of ours");
}

/// Last byte of the address that a partner sees; none when nobody answers.
fn seen(fabric: &mut Fabric) -> Option<u8> {
    match fabric.partner_view(PARTNER, "sip.contoso.com", RecordType::A).answer {
        Answer::Records { set, .. } => match set.data.first() {
            Some(RecordData::A(address)) => Some(address.octets()[3]),
            _ => None,
        },
        _ => None,
    }
}

fn serial_of(fabric: &Fabric, server: NameServerId) -> u32 {
    fabric.served_zones(server).zones.zones["contoso.com"].soa.serial
}

fn ns(server: NameServerId, fault: NameServerFault) -> Fault {
    Fault::NameServer(server, fault)
}

#[rstest]
#[case::down(NameServerFault::Down)]
#[case::drops(NameServerFault::Drops)]
#[case::servfail(NameServerFault::ServFail)]
#[case::refused(NameServerFault::Refused)]
#[case::truncated(NameServerFault::TruncatedWithoutTcp)]
#[case::too_slow(NameServerFault::Slow(seconds(5)))]
fn resolvers_go_on_to_the_next_server(#[case] fault: NameServerFault) {
    let mut fabric = fabric();
    set(&mut fabric, 50);
    fabric.strike(ns(NS1, fault));
    assert_eq!(seen(&mut fabric), Some(50), "the secondary heard of the change before");
    fabric.strike(ns(NS2, fault));
    assert_eq!(seen(&mut fabric), None);
    assert!(!fabric.dns_up());
    fabric.mend(ns(NS1, fault));
    assert_eq!(seen(&mut fabric), Some(50));
}

#[test]
fn slow_is_not_silent() {
    let mut fabric = fabric();
    set(&mut fabric, 50);
    fabric.strike(ns(NS1, NameServerFault::Slow(seconds(2))));
    assert_eq!(fabric.name_server_mode(NS1), NameServerMode::Slow(seconds(2)));
    assert_eq!(seen(&mut fabric), Some(50));
}

#[test]
fn notify_brings_a_change_to_the_secondary_at_once() {
    let mut fabric = fabric();
    set(&mut fabric, 50);
    assert_eq!((serial_of(&fabric, NS1), serial_of(&fabric, NS2)), (2, 2));
}

/// RFC 1035 3.3.13: who has not heard of a change learns of it at the next refresh, counted from the last one.
#[rstest]
#[case::changed_early(100)]
#[case::changed_late(3500)]
#[case::after_several_refreshes_without_news(7300)]
fn a_secondary_that_missed_notify_serves_old_data_until_its_refresh(#[case] changed_at: i64) {
    let mut fabric = fabric();
    set(&mut fabric, 50);
    fabric.strike(ns(NS2, NameServerFault::MissesNotify));
    fabric.run(seconds(changed_at));
    set(&mut fabric, 60);
    fabric.strike(ns(NS1, NameServerFault::ServFail));
    // With the primary failing, everybody sees the secondary; it cannot refresh either.
    assert_eq!(seen(&mut fabric), Some(50));
    fabric.mend(ns(NS1, NameServerFault::ServFail));
    let refresh = 3600 - changed_at % 3600;
    fabric.run(seconds(refresh - 1));
    assert_eq!(serial_of(&fabric, NS2), 2);
    fabric.run(seconds(1));
    assert_eq!(serial_of(&fabric, NS2), 3, "at the refresh");
}

/// A primary that comes back tells its secondaries (RFC 1996 3.11); without that they find it at the next retry.
#[test]
fn after_an_outage_of_the_primary_secondaries_retry() {
    let mut fabric = fabric();
    fabric.strike(ns(NS2, NameServerFault::MissesNotify));
    fabric.strike(ns(NS1, NameServerFault::Down));
    set(&mut fabric, 60);
    fabric.run(seconds(3600 + 600 + 100));
    fabric.mend(ns(NS1, NameServerFault::Down));
    assert_eq!(serial_of(&fabric, NS2), 1);
    fabric.run(seconds(499));
    assert_eq!(serial_of(&fabric, NS2), 1, "the next retry is due at 4800 s");
    fabric.run(seconds(1));
    assert_eq!(serial_of(&fabric, NS2), 2);

    let mut fabric = self::fabric();
    fabric.strike(ns(NS1, NameServerFault::Down));
    set(&mut fabric, 60);
    fabric.run(seconds(5000));
    fabric.mend(ns(NS1, NameServerFault::Down));
    assert_eq!(serial_of(&fabric, NS2), 2, "NOTIFY of the primary that starts");
}

#[test]
fn a_secondary_without_primary_gives_up_after_the_expiry() {
    let mut fabric = fabric();
    set(&mut fabric, 50);
    fabric.run(seconds(100));
    fabric.strike(ns(NS1, NameServerFault::Down));
    // The last check that found the primary was NOTIFY's, at second 0.
    fabric.run(seconds(86_400 - 101));
    assert_eq!(seen(&mut fabric), Some(50));
    fabric.run(seconds(1));
    assert_eq!(seen(&mut fabric), None, "expired");
    let log: Vec<String> = fabric.take_log().into_iter().map(|entry| format!("{:?}", entry.event)).collect();
    assert!(log.iter().any(|line| line.contains("contoso.com on ns2.contoso.com") && line.contains("serial 2 expired")), "{log:#?}");
    fabric.mend(ns(NS1, NameServerFault::Down));
    assert_eq!(serial_of(&fabric, NS2), 2);
    fabric.strike(ns(NS1, NameServerFault::Down));
    assert_eq!(seen(&mut fabric), Some(50), "the returned primary has revived it");
}

#[test]
fn a_stale_primary_gives_old_answers_and_so_do_those_who_copy_from_it() {
    let mut fabric = fabric();
    set(&mut fabric, 50);
    fabric.strike(ns(NS1, NameServerFault::Stale));
    set(&mut fabric, 60);
    assert_eq!(seen(&mut fabric), Some(50));
    fabric.run(seconds(7200));
    assert_eq!(serial_of(&fabric, NS2), 2);
    fabric.mend(ns(NS1, NameServerFault::Stale));
    assert_eq!((serial_of(&fabric, NS1), serial_of(&fabric, NS2)), (3, 3));
}

#[test]
fn a_stale_secondary_lags_until_it_is_mended_and_refreshes() {
    let mut fabric = fabric();
    fabric.strike(ns(NS2, NameServerFault::Stale));
    set(&mut fabric, 50);
    fabric.run(seconds(10_000));
    assert_eq!(serial_of(&fabric, NS2), 1);
    fabric.mend(ns(NS2, NameServerFault::Stale));
    fabric.run(seconds(3600));
    assert_eq!(serial_of(&fabric, NS2), 2);
}

/// RFC 8767: while nobody answers, an answer that has run out is better than none, for as long as the resolver says.
#[test]
fn partners_that_serve_stale_data_outlive_an_outage() {
    let stale = |seconds| ResolverSettings {
        max_ttl_seconds: 300,
        min_ttl_seconds: 0,
        max_negative_ttl_seconds: 300,
        serve_stale_seconds: seconds,
    };
    let mut off = fabric_with(stale(0));
    let mut on = fabric_with(stale(3600));
    for fabric in [&mut off, &mut on] {
        set(fabric, 50);
        assert_eq!(seen(fabric), Some(50));
        fabric.strike(Fault::DnsServer);
        fabric.run(seconds(300));
    }
    assert_eq!((seen(&mut off), seen(&mut on)), (None, Some(50)));
    let [held] = &on.cached_answers(PARTNER)[..] else { panic!("one answer") };
    assert!(held.stale);
    assert_eq!(held.until.since(on.now()), seconds(30), "asked again after thirty seconds");
    // A server that is back is heard after that time, and not before.
    set(&mut on, 60);
    on.mend(Fault::DnsServer);
    on.run(seconds(29));
    assert_eq!(seen(&mut on), Some(50));
    on.run(seconds(1));
    assert_eq!(seen(&mut on), Some(60));
    on.strike(Fault::DnsServer);
    on.run(seconds(300 + 3599));
    assert_eq!(seen(&mut on), Some(60));
    on.run(seconds(1));
    assert_eq!(seen(&mut on), None, "not for ever");
}

fn update(prerequisites: Vec<Prerequisite>, updates: Vec<UpdateAction>) -> DynamicUpdate {
    let requester = Requester { address: Ipv4Addr::new(192, 0, 2, 10), credential: Credential::None };
    DynamicUpdate { zone: "contoso.com".into(), requester, prerequisites, updates }
}

fn add(name: &str, data: RecordData) -> UpdateAction {
    UpdateAction::Add { name: name.into(), ttl: 60, data }
}

#[test]
fn an_update_is_an_event_of_the_fabric_and_reaches_the_secondary() {
    let mut fabric = fabric();
    fabric.run(seconds(90));
    let replace = vec![UpdateAction::DeleteSet("SIP.contoso.com".into(), UpdateType::Held(RecordType::A)), add("sip.contoso.com", a(50))];
    assert_eq!(fabric.update_dns(&update(Vec::new(), replace)), UpdateCode::NoError);
    assert_eq!((seen(&mut fabric), serial_of(&fabric, NS2)), (Some(50), 2));
    let entry = fabric.take_log().into_iter().find(|entry| matches!(entry.event, Event::DnsUpdate { .. })).expect("an event");
    assert_eq!(entry.at.since(START), seconds(90));
    let expected = Event::DnsUpdate {
        zone: "contoso.com".into(),
        by: "192.0.2.10".into(),
        what: "delete SIP.contoso.com A; add sip.contoso.com 60 A 203.0.113.50".into(),
        outcome: "accepted".into(),
        serial: 2,
    };
    assert_eq!(entry.event, expected);
}

/// RFC 2136 3.4.2.2 and 3.6: a newer serial is taken over with the rest of the SOA record, an older one ignored.
#[rstest]
#[case::newer(100, 100)]
#[case::older_by_half_the_circle(u32::MAX, 1)]
#[case::the_same(1, 1)]
fn soa_records(#[case] given: u32, #[case] expected: u32) {
    let mut fabric = fabric();
    let soa = Soa { serial: given, ..fabric.zones().zones["contoso.com"].soa.clone() };
    let guard = Prerequisite::SoaIs("contoso.com".into(), fabric.zones().zones["contoso.com"].soa.clone());
    let code = fabric.update_dns(&update(vec![guard], vec![UpdateAction::AddSoa("contoso.com".into(), soa)]));
    assert_eq!((code, serial_of(&fabric, NS1)), (UpdateCode::NoError, expected));
}

#[test]
fn a_flood_ends_in_refusal_and_leaves_the_zone_alone() {
    let mut fabric = fabric();
    let many = (0..1_001u32).map(|n| add("sip.contoso.com", RecordData::A(n.into()))).collect();
    assert_eq!(fabric.update_dns(&update(Vec::new(), many)), UpdateCode::Refused);
    assert_eq!(serial_of(&fabric, NS1), 1);
}

#[test]
fn a_primary_that_is_down_takes_no_updates() {
    let mut fabric = fabric();
    fabric.strike(ns(NS1, NameServerFault::Down));
    assert_eq!(fabric.update_dns(&update(Vec::new(), vec![add("sip.contoso.com", a(50))])), UpdateCode::ServFail);
    assert_eq!(serial_of(&fabric, NS1), 1);
}

fn action() -> impl Strategy<Value = UpdateAction> {
    let name = prop::sample::select(vec!["contoso.com", "sip.contoso.com", "new.contoso.com", "chat.contoso.com"]);
    let data = prop_oneof![
        (1u8..5).prop_map(a),
        Just(RecordData::Cname("sip.contoso.com".into())),
        Just(RecordData::Ns("ns1.contoso.com".into())),
        Just(RecordData::Ns("ns2.contoso.com".into())),
    ];
    let kind = prop::sample::select(vec![RecordType::A, RecordType::Cname, RecordType::Ns]);
    prop_oneof![
        (name.clone(), data.clone()).prop_map(|(name, data)| add(name, data)),
        (name.clone(), kind).prop_map(|(name, kind)| UpdateAction::DeleteSet(name.into(), UpdateType::Held(kind))),
        name.clone().prop_map(|name| UpdateAction::DeleteName(name.into())),
        (name, data).prop_map(|(name, data)| UpdateAction::DeleteRecord(name.into(), data)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    // Whatever is updated in whatever order: the apex keeps name servers, aliases stand alone, no set is empty, and the
    // serial rises exactly when something changed.
    #[test]
    fn zones_stay_sound(updates in prop::collection::vec(prop::collection::vec(action(), 0..6), 1..8)) {
        let mut fabric = fabric();
        for actions in updates {
            let before = Arc::clone(&fabric.zones().zones["contoso.com"]);
            prop_assert_eq!(fabric.update_dns(&update(Vec::new(), actions)), UpdateCode::NoError);
            let after = Arc::clone(&fabric.zones().zones["contoso.com"]);
            prop_assert_eq!(after.records != before.records, after.soa.serial == before.soa.serial + 1);
            prop_assert!(after.records.contains_key(&("contoso.com".to_owned(), RecordType::Ns)));
            prop_assert!(after.records.values().all(|set| !set.data.is_empty()));
            for ((name, kind), set) in &after.records {
                let alone = after.records.keys().filter(|(owner, _)| owner == name).count() == 1;
                prop_assert!(*kind != RecordType::Cname || (alone && set.data.len() == 1), "{name}");
            }
        }
    }
}
