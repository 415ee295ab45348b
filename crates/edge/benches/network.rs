//! `cargo bench -p firedrill-edge`: start to first DNS answer (the promise is under 20 ms).
#![allow(missing_docs, reason = "criterion's macros make public items")]

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use firedrill_edge::start_to_first_answer;
use firedrill_fabric::naming::Zones;
use firedrill_topology::{RecordData, RecordSet, RecordType, Soa, Zone};

/// A zone of a size that teams have: two Edge pools' records among a thousand others.
fn zones() -> Zones {
    let soa = Soa {
        primary: "ns1.contoso.com".into(),
        responsible: "hostmaster.contoso.com".into(),
        serial: 1,
        refresh: 3600,
        retry: 600,
        expire: 86_400,
        minimum: 300,
        ttl: 3600,
    };
    let mut records = BTreeMap::new();
    for n in 0..1000u16 {
        let [high, low] = n.to_be_bytes();
        let set = RecordSet { ttl: 300, data: vec![RecordData::A(Ipv4Addr::new(203, 0, high, low))] };
        records.insert((format!("host{n}.contoso.com"), RecordType::A), set);
    }
    let srv = RecordData::Srv { priority: 0, weight: 0, port: 5269, target: "host1.contoso.com".into() };
    records.insert(("_xmpp-server._tcp.contoso.com".into(), RecordType::Srv), RecordSet { ttl: 300, data: vec![srv] });
    let zone = Arc::new(Zone { origin: "contoso.com".into(), soa, records });
    Zones { zones: BTreeMap::from([("contoso.com".to_owned(), zone)]) }
}

fn start(c: &mut Criterion) {
    let zones = zones();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime");
    c.bench_function("start to first DNS answer, 1,001 record sets", |b| {
        b.iter_custom(|rounds| {
            let one = || start_to_first_answer(&zones, "_xmpp-server._tcp.contoso.com", RecordType::Srv);
            runtime.block_on(async {
                let mut total = Duration::ZERO;
                for _ in 0..rounds {
                    total += one().await.expect("an answer");
                }
                total
            })
        });
    });
}

criterion_group!(benches, start);
criterion_main!(benches);
