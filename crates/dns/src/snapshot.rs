//! The zones of one instant, prepared for answering. Immutable: a change makes another one.

use std::collections::BTreeMap;
use std::sync::Arc;

use firedrill_fabric::naming::Zones;
use firedrill_topology::{RecordData, Zone};
use hickory_server::proto::op::ResponseCode;
use hickory_server::proto::rr::rdata::{A, AAAA, CNAME, NS, SOA, SRV, TXT};
use hickory_server::proto::rr::{LowerName, Name, RData, Record, RecordType};

use crate::address::AddressMap;
use crate::error::DnsError;

/// Aliases followed in one answer, as BIND does; a longer chain (or a loop) ends the answer there.
const ALIASES_MAX: usize = 16;
/// Negative TTL outside all zones, in seconds: the root's own (86,400) would be of no use to a drill.
const CLOSED_WORLD_TTL: u32 = 900;

/// All zones, ready to answer.
#[derive(Debug)]
pub(crate) struct Snapshot {
    zones: BTreeMap<LowerName, Arc<PreparedZone>>,
    /// SOA of the root zone that ends the world: what is in no zone does not exist.
    root: Record,
}

#[derive(Debug)]
struct PreparedZone {
    /// What it was made from; the same pointer means the same content.
    source: Arc<Zone>,
    soa: Record,
    /// The SOA record as negative answers carry it: its TTL is the negative TTL (RFC 2308 3).
    negative: Record,
    /// Every name that exists, empty non-terminals included (RFC 4592 2.2.2).
    names: BTreeMap<LowerName, BTreeMap<RecordType, Vec<Record>>>,
}

/// Sections of an answer.
#[derive(Debug, Default)]
pub(crate) struct Reply<'a> {
    pub(crate) code: ResponseCode,
    pub(crate) answers: Vec<&'a Record>,
    pub(crate) authority: Option<&'a Record>,
    pub(crate) additionals: Vec<&'a Record>,
}

impl Snapshot {
    /// Prepares zones; what has not changed since `previous` is taken over.
    pub(crate) fn new(zones: &Zones, map: &AddressMap, previous: Option<&Self>) -> Result<Self, DnsError> {
        let mut prepared = BTreeMap::new();
        for (origin, zone) in &zones.zones {
            let apex = LowerName::new(&name(origin, origin)?);
            let known = previous.and_then(|p| p.zones.get(&apex)).filter(|known| Arc::ptr_eq(&known.source, zone));
            let zone = match known {
                Some(known) => Arc::clone(known),
                None => Arc::new(PreparedZone::new(zone, map)?),
            };
            prepared.insert(apex, zone);
        }
        Ok(Self { zones: prepared, root: root_soa()? })
    }

    /// The answer to a question of class IN.
    pub(crate) fn answer(&self, asked: &LowerName, record_type: RecordType) -> Reply<'_> {
        let mut reply = Reply::default();
        let mut name = asked.clone();
        for _ in 0..=ALIASES_MAX {
            let Some(zone) = self.zone_of(&name) else {
                reply.code = ResponseCode::NXDomain;
                reply.authority = Some(&self.root);
                return reply;
            };
            if record_type == RecordType::SOA && name == LowerName::new(&zone.soa.name) {
                reply.answers.push(&zone.soa);
                return reply;
            }
            let Some(sets) = zone.names.get(&name) else {
                // The code speaks of the last name of a chain (RFC 6604 3).
                reply.code = ResponseCode::NXDomain;
                reply.authority = Some(&zone.negative);
                return reply;
            };
            if let Some(records) = sets.get(&record_type) {
                reply.answers.extend(records);
                reply.additionals = self.additionals(records);
                return reply;
            }
            let Some([alias, ..]) = sets.get(&RecordType::CNAME).map(Vec::as_slice) else {
                reply.authority = Some(&zone.negative);
                return reply;
            };
            reply.answers.push(alias);
            let RData::CNAME(CNAME(target)) = &alias.data else { return reply };
            name = LowerName::new(target);
            if reply.answers.iter().any(|seen| LowerName::new(&seen.name) == name) {
                return reply;
            }
        }
        reply
    }

    /// Addresses of all hosts that SRV and NS records name (RFC 2782, RFC 1035 3.3.11), once each.
    fn additionals(&self, records: &[Record]) -> Vec<&Record> {
        let mut hosts: Vec<LowerName> = Vec::new();
        for record in records {
            let host = match &record.data {
                RData::SRV(srv) => LowerName::new(&srv.target),
                RData::NS(NS(host)) => LowerName::new(host),
                _ => continue,
            };
            if !hosts.contains(&host) {
                hosts.push(host);
            }
        }
        let sets = hosts.iter().filter_map(|host| self.zone_of(host)?.names.get(host));
        sets.flat_map(|sets| [RecordType::A, RecordType::AAAA].into_iter().filter_map(|t| sets.get(&t))).flatten().collect()
    }

    /// The zone with the longest apex that ends a name.
    fn zone_of(&self, name: &LowerName) -> Option<&PreparedZone> {
        let mut apex = name.clone();
        loop {
            if let Some(zone) = self.zones.get(&apex) {
                return Some(zone);
            }
            if apex.is_root() {
                return None;
            }
            apex = apex.base_name();
        }
    }
}

impl PreparedZone {
    fn new(zone: &Arc<Zone>, map: &AddressMap) -> Result<Self, DnsError> {
        let origin = &zone.origin;
        let apex = name(origin, origin)?;
        let times = &zone.soa;
        let soa = SOA::new(
            name(origin, &times.primary)?,
            name(origin, &times.responsible)?,
            times.serial,
            seconds(times.refresh),
            seconds(times.retry),
            seconds(times.expire),
            times.minimum,
        );
        let soa = Record::from_rdata(apex.clone(), times.ttl, RData::SOA(soa));
        let mut negative = soa.clone();
        negative.ttl = times.ttl.min(times.minimum);

        let lower_apex = LowerName::new(&apex);
        let mut names: BTreeMap<LowerName, BTreeMap<RecordType, Vec<Record>>> = BTreeMap::from([(lower_apex.clone(), BTreeMap::new())]);
        for ((owner, _), set) in &zone.records {
            let owner = name(origin, owner)?;
            let key = LowerName::new(&owner);
            let mut above = key.base_name();
            while lower_apex.zone_of(&above) && above != lower_apex {
                names.entry(above.clone()).or_default();
                above = above.base_name();
            }
            for data in &set.data {
                let record = Record::from_rdata(owner.clone(), set.ttl, rdata(origin, data, map)?);
                names.entry(key.clone()).or_default().entry(record.record_type()).or_default().push(record);
            }
        }
        Ok(Self { source: Arc::clone(zone), soa, negative, names })
    }
}

fn rdata(zone: &str, data: &RecordData, map: &AddressMap) -> Result<RData, DnsError> {
    Ok(match data {
        RecordData::A(address) => RData::A(A(map.wire(*address)?)),
        RecordData::Aaaa(address) => RData::AAAA(AAAA(map.wire6(*address)?)),
        RecordData::Cname(target) => RData::CNAME(CNAME(name(zone, target)?)),
        RecordData::Ns(host) => RData::NS(NS(name(zone, host)?)),
        RecordData::Srv { priority, weight, port, target } => RData::SRV(SRV::new(*priority, *weight, *port, name(zone, target)?)),
        RecordData::Txt(text) => RData::TXT(TXT::from_bytes(character_strings(text))),
    })
}

/// Text as strings of at most 255 bytes (RFC 1035 3.3); an empty text is one empty string.
fn character_strings(text: &str) -> Vec<&[u8]> {
    if text.is_empty() { vec![b""] } else { text.as_bytes().chunks(255).collect() }
}

/// An absolute name from the model's form, without the final dot; the empty string is the root.
pub(crate) fn name(zone: &str, text: &str) -> Result<Name, DnsError> {
    let bad = |why: String| DnsError::Name { zone: zone.to_owned(), name: text.to_owned(), why };
    if text.is_empty() {
        return Ok(Name::root());
    }
    Name::from_ascii(format!("{text}.")).map_err(|error| bad(error.to_string()))
}

/// SOA times are 31-bit on the wire's reader side: longer ones mean "as long as can be".
fn seconds(value: u32) -> i32 {
    i32::try_from(value).unwrap_or(i32::MAX)
}

fn root_soa() -> Result<Record, DnsError> {
    let host = name("", "firedrill.invalid")?;
    let soa = SOA::new(host.clone(), host, 1, 1800, 900, 604_800, CLOSED_WORLD_TTL);
    Ok(Record::from_rdata(Name::root(), CLOSED_WORLD_TTL, RData::SOA(soa)))
}
