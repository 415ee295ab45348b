//! External DNS as the model has it: zones, edits, and RFC 2782 target order.
//!
//! Partners' caches in virtual time are part of the fabric, so that the model alone can answer what a partner sees.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use firedrill_topology::{RecordData, RecordSet, RecordType, Zone};

use crate::seed::Seed;
use crate::time::SimTime;

/// The zones that the fabric's external DNS servers hold now. Shared: a change replaces a zone as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zones {
    /// By apex.
    pub zones: BTreeMap<String, Arc<Zone>>,
}

/// What a resolver gets for one name and type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Records, after following aliases.
    Records {
        /// Aliases followed, in order.
        aliases: Vec<String>,
        /// The records.
        set: RecordSet,
    },
    /// The name does not exist (NXDOMAIN).
    NoName,
    /// The name exists, the type does not (NODATA).
    NoData,
    /// No server answers, or none is responsible.
    NoServer,
}

/// What a partner sees, and until when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartnerView {
    /// The answer.
    pub answer: Answer,
    /// When the partner will ask again; `None` when the answer is not cached (no server).
    pub until: Option<SimTime>,
    /// Whether it came from the partner's cache.
    pub cached: bool,
}

/// One SRV record as a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Lower first.
    pub priority: u16,
    /// Share among equals.
    pub weight: u16,
    /// Host, without the final dot.
    pub host: String,
    /// Port.
    pub port: u16,
}

/// SRV records in the order in which a client tries them (RFC 2782): ascending priority, weighted draws among equals
/// from the seed's stream `name`.
pub fn order_targets(records: &[RecordData], seed: Seed, name: &str) -> Vec<Target> {
    use rand_chacha::rand_core::Rng;
    let mut left: Vec<Target> = records
        .iter()
        .filter_map(|data| match data {
            RecordData::Srv { priority, weight, port, target } => {
                Some(Target { priority: *priority, weight: *weight, host: target.clone(), port: *port })
            }
            _ => None,
        })
        .collect();
    // Weight 0 first among equals, then by name, so that the order of entry in the zone does not matter.
    let place = |t: &Target| (t.priority, t.weight != 0, t.host.clone(), t.port, t.weight);
    left.sort_by_cached_key(place);
    let mut stream = seed.stream(&format!("srv {name}"));
    let mut ordered = Vec::with_capacity(left.len());
    while let Some(first) = left.first() {
        let equals = left.iter().take_while(|t| t.priority == first.priority).count();
        let sum: u64 = left[..equals].iter().map(|t| u64::from(t.weight)).sum();
        let draw = stream.next_u64() % (sum + 1);
        let mut running = 0;
        let chosen = left[..equals]
            .iter()
            .position(|t| {
                running += u64::from(t.weight);
                running >= draw
            })
            .unwrap_or(equals - 1);
        ordered.push(left.remove(chosen));
    }
    ordered
}

impl Zones {
    /// The zone responsible for a name: the longest apex that ends it.
    pub fn zone_for(&self, name: &str) -> Option<&Arc<Zone>> {
        let mut rest = name;
        loop {
            if let Some(zone) = self.zones.get(rest) {
                return Some(zone);
            }
            rest = rest.split_once('.')?.1;
        }
    }

    /// What the servers answer for a name and type, and for how many seconds the answer may be kept: the smallest TTL on
    /// the way through aliases; for negative answers the smaller of the SOA's own TTL and its minimum (RFC 2308 5). Names
    /// are lower case, absolute, without the final dot. An alias that leaves our zones, and a name below a delegation to
    /// servers that are not ours, end with nobody responsible.
    pub fn resolve(&self, name: &str, record_type: RecordType) -> (Answer, u32) {
        self.resolve_without(&BTreeSet::new(), name, record_type).unwrap_or((Answer::NoServer, 0))
    }

    /// As [`Self::resolve`], where a server has given up some zones (RFC 1035 3.3.13, EXPIRE). `None`: one of these is
    /// responsible, and the server fails.
    pub fn resolve_without(&self, expired: &BTreeSet<String>, name: &str, record_type: RecordType) -> Option<(Answer, u32)> {
        let mut name = name.to_owned();
        let mut aliases: Vec<String> = Vec::new();
        let mut ttl = u32::MAX;
        while aliases.len() < ALIASES_MAX {
            let Some(zone) = self.zone_for(&name) else { return Some((Answer::NoServer, 0)) };
            if expired.contains(&zone.origin) {
                return None;
            }
            if delegated(zone, &name) {
                return Some((Answer::NoServer, 0));
            }
            let owner = if zone.name_exists(&name) { Some(name.clone()) } else { wildcard(zone, &name) };
            let find = |kind| owner.as_ref().and_then(|owner| zone.records.get(&(owner.clone(), kind)));
            if let Some(set) = find(record_type) {
                let ttl = ttl.min(set.ttl);
                return Some((Answer::Records { aliases, set: set.clone() }, ttl));
            }
            let alias = find(RecordType::Cname).map(|set| (set.ttl, set.data.first()));
            let Some((alias_ttl, Some(RecordData::Cname(target)))) = alias else {
                let answer = if owner.is_some() { Answer::NoData } else { Answer::NoName };
                return Some((answer, ttl.min(zone.soa.minimum).min(zone.soa.ttl)));
            };
            ttl = ttl.min(alias_ttl);
            name.clone_from(target);
            aliases.push(name.clone());
        }
        // A loop, or a chain that nobody follows to its end.
        Some((Answer::NoData, 0))
    }
}

/// Whether a name is at or below a zone cut: its own NS records, or those of a name between it and the apex, hand it to
/// other servers (RFC 1034 4.2.1).
fn delegated(zone: &Zone, name: &str) -> bool {
    let mut at = name;
    while at != zone.origin {
        if zone.records.contains_key(&(at.to_owned(), RecordType::Ns)) {
            return true;
        }
        let Some((_, above)) = at.split_once('.') else { return false };
        at = above;
    }
    false
}

/// The wildcard that stands for a name that does not exist: the one below the closest name that does (RFC 4592 3.3.1).
fn wildcard(zone: &Zone, name: &str) -> Option<String> {
    let mut at = name;
    loop {
        let (_, above) = at.split_once('.')?;
        if zone.name_exists(above) {
            let source = format!("*.{above}");
            return zone.name_exists(&source).then_some(source);
        }
        if above == zone.origin {
            return None;
        }
        at = above;
    }
}

/// Aliases followed at most.
const ALIASES_MAX: usize = 16;

/// A name in the model's form: lower case, without the final dot.
pub fn canonical_name(name: &str) -> String {
    let name = name.trim();
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}

/// Whether a zone has a name: an owner of records, or above one (an empty non-terminal, RFC 4592 2.2.2).
trait NameExists {
    fn name_exists(&self, name: &str) -> bool;
}

impl NameExists for Zone {
    fn name_exists(&self, name: &str) -> bool {
        name == self.origin
            || self.records.keys().any(|(owner, _)| owner == name || owner.strip_suffix(name).is_some_and(|above| above.ends_with('.')))
    }
}

/// Type a piece of data belongs to.
pub fn record_type(data: &RecordData) -> RecordType {
    match data {
        RecordData::A(_) => RecordType::A,
        RecordData::Aaaa(_) => RecordType::Aaaa,
        RecordData::Cname(_) => RecordType::Cname,
        RecordData::Ns(_) => RecordType::Ns,
        RecordData::Srv { .. } => RecordType::Srv,
        RecordData::Txt(_) => RecordType::Txt,
    }
}
