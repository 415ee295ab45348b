//! The zones of one instant, prepared for answering. Immutable: a change makes another one.
//!
//! The answer to a question about a record set is built when it is asked for the first time and kept with the zone; a
//! new state of the zone starts without any. Negative answers differ in one pointer only and are written from a template.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use firedrill_fabric::naming::Zones;
use firedrill_topology::{RecordData, Soa, Zone};

use crate::address::AddressMap;
use crate::build::{Body, Builder, Data};
use crate::error::DnsError;
use crate::packet::{CLASS_IN, HEADER, NAME_MAX, NXDOMAIN, SERVFAIL, TYPE_SOA};

pub(crate) const TYPE_A: u16 = 1;
pub(crate) const TYPE_NS: u16 = 2;
pub(crate) const TYPE_CNAME: u16 = 5;
pub(crate) const TYPE_TXT: u16 = 16;
pub(crate) const TYPE_AAAA: u16 = 28;
pub(crate) const TYPE_SRV: u16 = 33;

/// Aliases followed in one answer, as BIND does; a longer chain (or a loop) ends the answer there.
const ALIASES_MAX: usize = 16;
/// Negative TTL outside all zones, in seconds: the root's own (86,400) would be of no use to a drill.
const CLOSED_WORLD_TTL: u32 = 900;
/// A name in wire form, lower case.
pub(crate) type WireName = Box<[u8]>;

/// All zones, ready to answer.
#[derive(Debug)]
pub(crate) struct Snapshot {
    zones: BTreeMap<WireName, Arc<PreparedZone>>,
    /// SOA of the root zone that ends the world: what is in no zone does not exist.
    closed_world: Negative,
}

#[derive(Debug)]
pub(crate) struct PreparedZone {
    /// What it was made from; the same pointer means the same content.
    source: Arc<Zone>,
    expired: bool,
    apex: WireName,
    soa: Data,
    negative: Negative,
    /// Every name that exists, empty non-terminals included (RFC 4592 2.2.2).
    names: BTreeMap<WireName, Node>,
    has_wildcards: bool,
    has_cuts: bool,
}

/// The record sets of one name, by type.
#[derive(Debug, Default)]
struct Node {
    sets: Vec<Set>,
}

#[derive(Debug)]
struct Set {
    record_type: u16,
    ttl: u32,
    data: Vec<Data>,
    /// Hosts whose addresses belong into the additional section (RFC 2782, RFC 1035 3.3.11).
    hosts: Vec<WireName>,
    /// The answer to the question about this set; none inside when it depends on another zone.
    ready: OnceLock<Option<Body>>,
}

/// The SOA record as negative answers carry it: its TTL is the negative TTL (RFC 2308 3).
#[derive(Debug)]
struct Negative {
    /// Length of the apex in wire form: tells where the question has it.
    apex: usize,
    /// The record without its owner.
    tail: Vec<u8>,
}

/// What was found, beside the sections written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Given {
    pub(crate) code: u16,
    pub(crate) authoritative: bool,
    pub(crate) counts: [u16; 3],
    /// Bytes that must be there for the answer to be whole.
    pub(crate) essential: usize,
}

impl Snapshot {
    /// Prepares zones; what has not changed since `previous` is taken over.
    pub(crate) fn new(zones: &Zones, expired: &BTreeSet<String>, map: &AddressMap, previous: Option<&Self>) -> Result<Self, DnsError> {
        // Another set of zones changes who answers for a name: nothing of before is safe to keep.
        let previous = previous.filter(|previous| previous.zones.len() == zones.zones.len());
        let mut prepared = BTreeMap::new();
        for (origin, zone) in &zones.zones {
            let apex = name(origin, origin)?;
            let given_up = expired.contains(origin);
            let known = previous.and_then(|p| p.zones.get(&apex));
            let known = known.filter(|known| Arc::ptr_eq(&known.source, zone) && known.expired == given_up);
            let zone = match known {
                Some(known) => Arc::clone(known),
                None => Arc::new(PreparedZone::new(zone, given_up, map)?),
            };
            prepared.insert(apex, zone);
        }
        Ok(Self { zones: prepared, closed_world: closed_world()? })
    }

    /// Writes the sections that answer a question of class IN after what `out` holds already.
    pub(crate) fn answer(&self, asked: &[u8], record_type: u16, out: &mut Vec<u8>) -> Given {
        let Some(zone) = self.zone_of(asked) else { return self.closed_world.write(asked, NXDOMAIN, out) };
        if zone.expired {
            return Given { code: SERVFAIL, authoritative: false, counts: [0; 3], essential: 0 };
        }
        if !zone.has_cuts || zone.cut(asked).is_none() {
            match zone.names.get(asked) {
                None if !zone.has_wildcards => return zone.negative.write(asked, NXDOMAIN, out),
                None => {}
                Some(node) => {
                    if let Some(set) = node.set(record_type) {
                        let ready = set.ready.get_or_init(|| self.prepare(zone, asked, set));
                        if let Some(body) = ready {
                            return put(body, 0, true, out);
                        }
                    } else if node.set(TYPE_CNAME).is_none() && !(record_type == TYPE_SOA && *asked == *zone.apex) {
                        return zone.negative.write(asked, 0, out);
                    }
                }
            }
        }
        let (body, code, authoritative) = self.build(asked, record_type);
        put(&body, code, authoritative, out)
    }

    /// The answer to a plain question, when it depends on one zone only.
    fn prepare(&self, zone: &PreparedZone, asked: &[u8], set: &Set) -> Option<Body> {
        let own = |host: &WireName| self.zone_of(host).is_none_or(|found| std::ptr::eq(found, zone));
        if !set.hosts.iter().all(own) {
            return None;
        }
        let mut builder = Builder::new(asked);
        for data in &set.data {
            builder.answer(asked, set.record_type, set.ttl, data);
        }
        self.add_hosts(&set.hosts, &mut builder);
        Some(builder.finish())
    }

    /// Any answer, by the whole algorithm (RFC 1034 4.3.2, RFC 4592).
    fn build(&self, asked: &[u8], record_type: u16) -> (Body, u16, bool) {
        let mut builder = Builder::new(asked);
        let mut name: WireName = asked.into();
        let mut seen: Vec<WireName> = Vec::new();
        loop {
            let Some(zone) = self.zone_of(&name) else {
                self.closed_world.add(&[0], &mut builder);
                return (builder.finish(), NXDOMAIN, true);
            };
            if zone.expired {
                return (Body::default(), SERVFAIL, false);
            }
            if let Some((cut, set)) = zone.cut(&name) {
                for data in &set.data {
                    builder.authority(cut, TYPE_NS, set.ttl, data);
                }
                self.add_hosts(&set.hosts, &mut builder);
                // A referral is not authoritative; the part of a chain before it is (RFC 1034 4.3.2, RFC 2181 5.4.1).
                return (builder.finish(), 0, !seen.is_empty());
            }
            if record_type == TYPE_SOA && name == zone.apex {
                builder.answer(&name, TYPE_SOA, zone.source.soa.ttl, &zone.soa);
                return (builder.finish(), 0, true);
            }
            let Some(node) = zone.names.get(&name).or_else(|| zone.wildcard(&name)) else {
                // The code speaks of the last name of a chain (RFC 6604 3).
                zone.negative.add(&zone.apex, &mut builder);
                return (builder.finish(), NXDOMAIN, true);
            };
            if let Some(set) = node.set(record_type) {
                for data in &set.data {
                    builder.answer(&name, record_type, set.ttl, data);
                }
                self.add_hosts(&set.hosts, &mut builder);
                return (builder.finish(), 0, true);
            }
            let alias = node.set(TYPE_CNAME).and_then(|set| Some((set.ttl, set.data.first()?)));
            let Some((ttl, data @ Data::Name(target))) = alias else {
                zone.negative.add(&zone.apex, &mut builder);
                return (builder.finish(), 0, true);
            };
            builder.answer(&name, TYPE_CNAME, ttl, data);
            let target: WireName = target.as_slice().into();
            seen.push(std::mem::replace(&mut name, target));
            if seen.contains(&name) || seen.len() > ALIASES_MAX {
                return (builder.finish(), 0, true);
            }
        }
    }

    /// Addresses of hosts, once each.
    fn add_hosts(&self, hosts: &[WireName], builder: &mut Builder) {
        for host in hosts {
            let Some(node) = self.zone_of(host).filter(|zone| !zone.expired).and_then(|zone| zone.names.get(host)) else { continue };
            for set in [TYPE_A, TYPE_AAAA].into_iter().filter_map(|record_type| node.set(record_type)) {
                for data in &set.data {
                    builder.additional(host, set.record_type, set.ttl, data);
                }
            }
        }
    }

    /// The zone with the longest apex that ends a name.
    fn zone_of(&self, name: &[u8]) -> Option<&PreparedZone> {
        let mut at = 0;
        loop {
            if let Some(zone) = self.zones.get(&name[at..]) {
                return Some(zone);
            }
            if name[at] == 0 {
                return None;
            }
            at += 1 + usize::from(name[at]);
        }
    }

    /// The zone with exactly this apex, unless it has been given up.
    pub(crate) fn zone(&self, apex: &[u8]) -> Option<&Arc<PreparedZone>> {
        self.zones.get(apex).filter(|zone| !zone.expired)
    }

    /// Serials of all zones by apex, for NOTIFY.
    pub(crate) fn serials(&self) -> BTreeMap<WireName, u32> {
        self.zones.iter().map(|(apex, zone)| (apex.clone(), zone.source.soa.serial)).collect()
    }
}

fn put(body: &Body, code: u16, authoritative: bool, out: &mut Vec<u8>) -> Given {
    out.extend_from_slice(&body.bytes);
    Given { code, authoritative, counts: body.counts, essential: body.essential }
}

impl PreparedZone {
    fn new(zone: &Arc<Zone>, expired: bool, map: &AddressMap) -> Result<Self, DnsError> {
        let origin = &zone.origin;
        let apex = name(origin, origin)?;
        let soa = soa_data(origin, &zone.soa)?;
        let negative = Negative::new(apex.len(), zone.soa.ttl.min(zone.soa.minimum), &soa);
        let mut names: BTreeMap<WireName, Node> = BTreeMap::from([(apex.clone(), Node::default())]);
        let (mut has_wildcards, mut has_cuts) = (false, false);
        for ((owner, _), set) in &zone.records {
            let owner = name(origin, owner)?;
            has_wildcards |= owner.starts_with(b"\x01*");
            for above in ancestors(&owner, &apex) {
                if !names.contains_key(above) {
                    names.insert(above.into(), Node::default());
                }
            }
            let node = names.entry(owner.clone()).or_default();
            for data in &set.data {
                let (record_type, data, host) = wire_data(origin, data, map)?;
                has_cuts |= record_type == TYPE_NS && owner != apex;
                node.add(record_type, set.ttl, data, host);
            }
        }
        Ok(Self { source: Arc::clone(zone), expired, apex, soa, negative, names, has_wildcards, has_cuts })
    }

    /// The zone cut at or above a name: its NS records lead to other servers (RFC 1034 4.2.1).
    fn cut<'n>(&self, name: &'n [u8]) -> Option<(&'n [u8], &Set)> {
        if !self.has_cuts {
            return None;
        }
        // The highest cut counts: what lies below it is not ours.
        let chain = std::iter::once(name).chain(ancestors(name, &self.apex)).filter(|at| **at != *self.apex);
        chain.filter_map(|at| Some((at, self.names.get(at)?.set(TYPE_NS)?))).last()
    }

    /// The wildcard that stands for a name that does not exist (RFC 4592 3.3.1).
    fn wildcard(&self, name: &[u8]) -> Option<&Node> {
        if !self.has_wildcards {
            return None;
        }
        let closest = ancestors(name, &self.apex).find(|above| self.names.contains_key(*above)).unwrap_or(&self.apex);
        let source = [b"\x01*", closest].concat();
        self.names.get(source.as_slice())
    }

    /// The SOA record and the whole zone, in order, for a transfer.
    pub(crate) fn records(&self) -> impl Iterator<Item = (&[u8], u16, u32, &Data)> {
        let sets = self.names.iter().flat_map(|(owner, node)| node.sets.iter().map(move |set| (&**owner, set)));
        sets.flat_map(|(owner, set)| set.data.iter().map(move |data| (owner, set.record_type, set.ttl, data)))
    }

    /// Owner, TTL and data of the SOA record.
    pub(crate) fn soa(&self) -> (&[u8], u32, &Data) {
        (&self.apex, self.source.soa.ttl, &self.soa)
    }
}

impl Node {
    fn set(&self, record_type: u16) -> Option<&Set> {
        self.sets.iter().find(|set| set.record_type == record_type)
    }

    fn add(&mut self, record_type: u16, ttl: u32, data: Data, host: Option<WireName>) {
        let place = match self.sets.iter().position(|set| set.record_type == record_type) {
            Some(place) => place,
            None => {
                self.sets.push(Set { record_type, ttl, data: Vec::new(), hosts: Vec::new(), ready: OnceLock::new() });
                self.sets.len() - 1
            }
        };
        let set = &mut self.sets[place];
        set.data.push(data);
        if let Some(host) = host.filter(|host| !set.hosts.contains(host)) {
            set.hosts.push(host);
        }
    }
}

impl Negative {
    fn new(apex: usize, ttl: u32, soa: &Data) -> Self {
        let Data::Plain(data) = soa else { return Self { apex, tail: Vec::new() } };
        let mut tail = Vec::with_capacity(10 + data.len());
        tail.extend_from_slice(&TYPE_SOA.to_be_bytes());
        tail.extend_from_slice(&CLASS_IN.to_be_bytes());
        tail.extend_from_slice(&ttl.to_be_bytes());
        tail.extend_from_slice(&(data.len() as u16).to_be_bytes());
        tail.extend_from_slice(data);
        Self { apex, tail }
    }

    /// Writes a negative answer; the owner is a pointer to the end of the question's name.
    fn write(&self, asked: &[u8], code: u16, out: &mut Vec<u8>) -> Given {
        let before = out.len();
        if self.apex == 1 {
            out.push(0);
        } else {
            let place = (HEADER + asked.len() - self.apex) as u16;
            out.extend_from_slice(&(0xc000 | place).to_be_bytes());
        }
        out.extend_from_slice(&self.tail);
        Given { code, authoritative: true, counts: [0, 1, 0], essential: out.len() - before }
    }

    /// The same at the end of a chain of aliases.
    fn add(&self, apex: &[u8], builder: &mut Builder) {
        let ttl = u32::from_be_bytes([self.tail[4], self.tail[5], self.tail[6], self.tail[7]]);
        builder.authority(apex, TYPE_SOA, ttl, &Data::Plain(self.tail[10..].to_vec()));
    }
}

/// Names between a name and an apex, both left out, closest first.
fn ancestors<'n>(name: &'n [u8], apex: &[u8]) -> impl Iterator<Item = &'n [u8]> {
    let end = name.len().saturating_sub(apex.len());
    let mut at = 0;
    std::iter::from_fn(move || {
        at += 1 + usize::from(*name.get(at)?);
        (at < end).then(|| &name[at..])
    })
}

/// Type, data and host of one record.
fn wire_data(zone: &str, data: &RecordData, map: &AddressMap) -> Result<(u16, Data, Option<WireName>), DnsError> {
    Ok(match data {
        RecordData::A(address) => (TYPE_A, Data::Plain(map.wire(*address)?.octets().to_vec()), None),
        RecordData::Aaaa(address) => (TYPE_AAAA, Data::Plain(map.wire6(*address)?.octets().to_vec()), None),
        RecordData::Cname(target) => (TYPE_CNAME, Data::Name(name(zone, target)?.into_vec()), None),
        RecordData::Ns(host) => {
            let host = name(zone, host)?;
            (TYPE_NS, Data::Name(host.to_vec()), Some(host))
        }
        RecordData::Srv { priority, weight, port, target } => {
            let target = name(zone, target)?;
            let mut bytes: Vec<u8> = [priority, weight, port].into_iter().flat_map(|number| number.to_be_bytes()).collect();
            bytes.extend_from_slice(&target);
            (TYPE_SRV, Data::Plain(bytes), Some(target))
        }
        RecordData::Txt(text) => (TYPE_TXT, Data::Plain(character_strings(text)), None),
    })
}

/// Text as strings of at most 255 bytes (RFC 1035 3.3); an empty text is one empty string.
fn character_strings(text: &str) -> Vec<u8> {
    if text.is_empty() {
        return vec![0];
    }
    text.as_bytes().chunks(255).flat_map(|part| std::iter::once(part.len() as u8).chain(part.iter().copied())).collect()
}

fn soa_data(zone: &str, soa: &Soa) -> Result<Data, DnsError> {
    let mut bytes = name(zone, &soa.primary)?.into_vec();
    bytes.extend_from_slice(&name(zone, &soa.responsible)?);
    for number in [soa.serial, seconds(soa.refresh), seconds(soa.retry), seconds(soa.expire), soa.minimum] {
        bytes.extend_from_slice(&number.to_be_bytes());
    }
    Ok(Data::Plain(bytes))
}

/// A name in wire form from the model's form (without the final dot; the empty string is the root).
pub(crate) fn name(zone: &str, text: &str) -> Result<WireName, DnsError> {
    let bad = |why: &str| DnsError::Name { zone: zone.to_owned(), name: text.to_owned(), why: why.to_owned() };
    let mut wire = Vec::with_capacity(text.len() + 2);
    if !text.is_empty() {
        for label in text.split('.') {
            if label.is_empty() {
                return Err(bad("a label is empty"));
            }
            if label.len() > 63 {
                return Err(bad("a label has more than 63 bytes"));
            }
            wire.push(label.len() as u8);
            wire.extend(label.bytes().map(|byte| byte.to_ascii_lowercase()));
        }
    }
    wire.push(0);
    if wire.len() > NAME_MAX {
        return Err(bad("it has more than 255 bytes"));
    }
    Ok(wire.into())
}

/// SOA times are 31-bit on the wire's reader side: longer ones mean "as long as can be".
fn seconds(value: u32) -> u32 {
    value.min(i32::MAX as u32)
}

fn closed_world() -> Result<Negative, DnsError> {
    let host = "firedrill.invalid".to_owned();
    let soa = Soa {
        primary: host.clone(),
        responsible: host,
        serial: 1,
        refresh: 1800,
        retry: 900,
        expire: 604_800,
        minimum: CLOSED_WORLD_TTL,
        ttl: CLOSED_WORLD_TTL,
    };
    Ok(Negative::new(1, CLOSED_WORLD_TTL, &soa_data("", &soa)?))
}
