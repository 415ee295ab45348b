//! `cargo bench -p firedrill-edge`: start to first DNS answer (the promise is under 20 ms), and what a scenario pays for its
//! wire: start, one question over XMPP, stop.
#![allow(missing_docs, reason = "criterion's macros make public items")]

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use firedrill_edge::{Network, agree, start_to_first_answer};
use firedrill_fabric::federation::{Direction, Protocol, ReachQuery};
use firedrill_fabric::naming::Zones;
use firedrill_fabric::{Fabric, Options, SimTime};
use firedrill_topology::{RecordData, RecordSet, RecordType, Soa, Zone, load_bytes};

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

/// `contoso.yaml` put on the wire, asked once, taken off again.
fn scenario(c: &mut Criterion) {
    let bytes = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/contoso.yaml")).expect("the fixture is there");
    let topology = Arc::new(load_bytes("contoso.yaml", &bytes).topology.expect("the fixture is valid"));
    let fabric = Fabric::new(Arc::clone(&topology), Options { seed: 1, start: SimTime(0) });
    let partner = topology.find_partner("fabrikam.net").expect("a partner of the fixture");
    let query = ReachQuery { partner, domain: "contoso.com".into(), protocol: Protocol::Xmpp, direction: Direction::Inbound };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime");
    c.bench_function("contoso on the wire: start, one XMPP question, stop", |b| {
        b.iter(|| {
            runtime.block_on(async {
                let network = Network::start(&fabric).await.expect("the wire follows");
                let model = fabric.clone().reach(&query);
                let wire = network.reach(&query, fabric.now()).await.expect("an answer");
                agree(&model, &wire).expect("one truth");
                network.shutdown().await.expect("a clean end");
            });
        });
    });
}

/// XMPP streams to their authentication by certificates, both ends in one thread, and closed again.
fn streams(c: &mut Criterion) {
    let bytes = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/contoso.yaml")).expect("the fixture is there");
    let topology = Arc::new(load_bytes("contoso.yaml", &bytes).topology.expect("the fixture is valid"));
    let fabric = Fabric::new(Arc::clone(&topology), Options { seed: 1, start: SimTime(0) });
    let partner = topology.find_partner("fabrikam.net").expect("a partner of the fixture");
    let query = ReachQuery { partner, domain: "contoso.com".into(), protocol: Protocol::Xmpp, direction: Direction::Inbound };
    let model = fabric.clone().reach(&query);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime");
    let network = runtime.block_on(Network::start(&fabric)).expect("the wire follows");
    c.bench_function("XMPP stream with TLS, authenticated", |b| {
        b.iter(|| {
            let wire = runtime.block_on(network.reach(&query, fabric.now())).expect("an answer");
            agree(&model, &wire).expect("one truth");
        });
    });
    runtime.block_on(network.shutdown()).expect("a clean end");
}

/// SIP OPTIONS of a partner over mutual TLS, connection and all, both ends in one thread.
fn options(c: &mut Criterion) {
    let bytes = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/contoso.yaml")).expect("the fixture is there");
    let topology = Arc::new(load_bytes("contoso.yaml", &bytes).topology.expect("the fixture is valid"));
    let fabric = Fabric::new(Arc::clone(&topology), Options { seed: 1, start: SimTime(0) });
    let partner = topology.find_partner("fabrikam.com").expect("a partner of the fixture");
    let query = ReachQuery { partner, domain: "contoso.com".into(), protocol: Protocol::Sip, direction: Direction::Inbound };
    let model = fabric.clone().reach(&query);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime");
    let network = runtime.block_on(Network::start(&fabric)).expect("the wire follows");
    c.bench_function("SIP OPTIONS over mutual TLS", |b| {
        b.iter(|| {
            let wire = runtime.block_on(network.reach(&query, fabric.now())).expect("an answer");
            agree(&model, &wire).expect("one truth");
        });
    });
    runtime.block_on(network.shutdown()).expect("a clean end");
}

criterion_group!(benches, start, scenario, streams, options);
criterion_main!(benches);
