//! Zones in a few lines.
#![allow(dead_code, reason = "every test file takes what it needs")]

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::Arc;

use firedrill_dns::{AddressMap, DnsServer, LoopbackBlock, PartnerResolver};
use firedrill_fabric::SimTime;
use firedrill_fabric::naming::{Zones, record_type};
use firedrill_topology::{RecordData, RecordSet, ResolverSettings, Soa, Zone};

/// An instant `seconds` after the epoch of virtual time.
pub(crate) fn at(seconds: i64) -> SimTime {
    SimTime(seconds * 1_000_000_000)
}

/// A resolver that does what TTLs say.
pub(crate) const OBEDIENT: ResolverSettings =
    ResolverSettings { max_ttl_seconds: 604_800, min_ttl_seconds: 0, max_negative_ttl_seconds: 86_400, serve_stale_seconds: 0 };

pub(crate) fn a(last: u8) -> RecordData {
    RecordData::A(Ipv4Addr::new(203, 0, 113, last))
}

pub(crate) fn cname(target: &str) -> RecordData {
    RecordData::Cname(target.to_owned())
}

pub(crate) fn srv(priority: u16, weight: u16, port: u16, target: &str) -> RecordData {
    RecordData::Srv { priority, weight, port, target: target.to_owned() }
}

/// A zone with a negative TTL of 60 s. Records of one name and type share the TTL of the first.
pub(crate) fn zone(origin: &str, serial: u32, records: &[(&str, u32, RecordData)]) -> Zone {
    let soa = Soa {
        primary: format!("ns1.{origin}"),
        responsible: format!("hostmaster.{origin}"),
        serial,
        refresh: 3600,
        retry: 600,
        expire: 86_400,
        minimum: 60,
        ttl: 3600,
    };
    let mut sets: BTreeMap<_, RecordSet> = BTreeMap::new();
    for (name, ttl, data) in records {
        let owner = if name.is_empty() { origin.to_owned() } else { format!("{name}.{origin}") };
        let set = sets.entry((owner, record_type(data))).or_insert(RecordSet { ttl: *ttl, data: Vec::new() });
        set.data.push(data.clone());
    }
    Zone { origin: origin.to_owned(), soa, records: sets }
}

pub(crate) fn zones(list: impl IntoIterator<Item = Zone>) -> Zones {
    Zones { zones: list.into_iter().map(|zone| (zone.origin.clone(), Arc::new(zone))).collect() }
}

/// A server with an address map, on a block of its own.
pub(crate) struct Served {
    pub(crate) server: DnsServer,
    pub(crate) map: AddressMap,
    pub(crate) block: LoopbackBlock,
}

pub(crate) async fn serve(zones: &Zones) -> Served {
    let block = LoopbackBlock::take();
    let map = AddressMap::new(&block, [Ipv4Addr::new(203, 0, 113, 10)]).expect("addresses");
    let server = DnsServer::start(&block, zones, &map).await.expect("the server starts");
    Served { server, map, block }
}

impl Served {
    pub(crate) fn resolver(&self, settings: ResolverSettings) -> PartnerResolver {
        PartnerResolver::new(self.server.address(), &self.map, settings).expect("a resolver")
    }
}
