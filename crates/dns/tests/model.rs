//! The wire's answers against the model's, over generated zones and questions.

mod common;

use common::{OBEDIENT, a, at, cname, serve, srv, zone, zones};
use firedrill_fabric::naming::{Answer, PartnerView};
use firedrill_topology::{RecordData, RecordType};
use proptest::prelude::*;

/// Few names, so that aliases meet, dangle, loop and leave the zone.
const NAMES: [&str; 6] = ["a", "b", "c", "d.b", "_s._tcp", "e"];

fn full(name: &str) -> String {
    format!("{name}.contoso.com")
}

fn target() -> impl Strategy<Value = String> {
    prop_oneof![
        5 => prop::sample::select(&NAMES[..]).prop_map(full),
        1 => Just("elsewhere.example".to_owned()),
        1 => Just("nobody.contoso.com".to_owned()),
    ]
}

fn data() -> impl Strategy<Value = RecordData> {
    prop_oneof![
        3 => (1u8..250).prop_map(a),
        3 => target().prop_map(|name| cname(&name)),
        2 => (0u16..3, 0u16..3, prop_oneof![target(), Just(String::new())]).prop_map(|(priority, weight, name)| srv(priority, weight, 5269, &name)),
        1 => "[ -~]{0,300}".prop_map(RecordData::Txt),
        1 => target().prop_map(RecordData::Ns),
        1 => any::<u128>().prop_map(|bits| RecordData::Aaaa(bits.into())),
    ]
}

/// A zone's records: duplicates left out, and an alias stands alone (RFC 1034 3.6.2), as the model's edits guarantee.
fn records() -> impl Strategy<Value = Vec<(&'static str, u32, RecordData)>> {
    let record = (prop::sample::select(&NAMES[..]), prop::sample::select(&[0u32, 1, 30, 90][..]), data());
    prop::collection::vec(record, 0..14).prop_map(|records| {
        let mut kept: Vec<(&'static str, u32, RecordData)> = Vec::new();
        for record in records {
            let is_alias = matches!(record.2, RecordData::Cname(_));
            let clash =
                kept.iter().any(|held| held.0 == record.0 && (is_alias || matches!(held.2, RecordData::Cname(_)) || held.2 == record.2));
            if !clash {
                kept.push(record);
            }
        }
        kept
    })
}

fn question() -> impl Strategy<Value = (String, RecordType)> {
    let types = [RecordType::A, RecordType::Aaaa, RecordType::Cname, RecordType::Ns, RecordType::Srv, RecordType::Txt];
    let extra = prop::sample::select(vec!["contoso.com".to_owned(), "_tcp.contoso.com".to_owned(), "x.a.contoso.com".to_owned()]);
    (prop_oneof![4 => target(), 1 => extra], prop::sample::select(types.to_vec()))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn wire_and_model_say_the_same(records in records(), questions in prop::collection::vec(question(), 1..12)) {
        let zones = zones([zone("contoso.com", 1, &records)]);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime");
        runtime.block_on(async {
            let served = serve(&zones).await;
            let partner = served.resolver(OBEDIENT);
            for (name, record_type) in questions {
                partner.clear();
                let wire = partner.lookup(&name, record_type, at(0)).await;
                let (answer, ttl) = zones.resolve(&name, record_type);
                let keeps = ttl > 0 && answer != Answer::NoServer;
                let model = PartnerView { answer, until: keeps.then(|| at(i64::from(ttl))), cached: false };
                assert_eq!(wire, model, "{name} {record_type:?} in {records:?}");
            }
            served.server.shutdown().await.expect("a clean end");
        });
    }
}
