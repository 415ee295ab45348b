//! External DNS: the zones now, their edits, and what partners have cached.

use std::collections::BTreeMap;
use std::sync::Arc;

use firedrill_topology::{PartnerId, RecordData, RecordSet, RecordType, ResolverSettings, Topology, Zone};

use crate::event::Event;
use crate::evidence::Behaviour;
use crate::fabric::Fabric;
use crate::fault::DnsEdit;
use crate::naming::{Answer, PartnerView, Zones, canonical_name, record_type};
use crate::time::{SimDuration, SimTime};
use crate::world::DnsEditError;

/// TTL of a set that is created without one, in seconds (dossier L: no figure is documented; 3600 is the usual default).
pub const DEFAULT_TTL_SECONDS: u32 = 3600;

/// Zones and caches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DnsState {
    pub(crate) zones: Arc<Zones>,
    /// By partner: what its resolver holds.
    caches: Vec<Arc<Cache>>,
}

type Cache = BTreeMap<(String, RecordType), CacheEntry>;

#[derive(Debug, Clone, PartialEq, Eq)]
struct CacheEntry {
    answer: Answer,
    until: SimTime,
}

impl DnsState {
    pub(crate) fn new(topology: &Topology) -> Self {
        let zones: BTreeMap<_, _> = topology.zones.iter().map(|zone| (zone.origin.clone(), Arc::new(zone.clone()))).collect();
        Self { zones: Arc::new(Zones { zones }), caches: vec![Arc::default(); topology.partners.len()] }
    }
}

/// For how long a resolver keeps an answer, in seconds; 0 is not at all. The cap wins over the floor.
fn keep_seconds(settings: &ResolverSettings, answer: &Answer, ttl: u32) -> u32 {
    match answer {
        Answer::NoServer => 0,
        Answer::NoName | Answer::NoData => ttl.min(settings.max_negative_ttl_seconds),
        Answer::Records { .. } => ttl.max(settings.min_ttl_seconds).min(settings.max_ttl_seconds),
    }
}

impl Fabric {
    /// External zones as they are now.
    pub fn zones(&self) -> &Arc<Zones> {
        &self.dns.zones
    }

    /// Edits an external zone now; the serial rises when something changed. Partners see it when their caches run out.
    ///
    /// # Errors
    /// When no zone holds the name, there is nothing to remove, or an alias would stand beside other data.
    pub fn edit_dns(&mut self, edit: &DnsEdit) -> Result<(), DnsEditError> {
        let name = canonical_name(edit.name());
        let (origin, zone) =
            self.dns.zones.zone_for(&name).map(|zone| (zone.origin.clone(), zone)).ok_or(DnsEditError::NoZone(name.clone()))?;
        let mut edited = (**zone).clone();
        apply_edit(&mut edited, &name, edit)?;
        if edited.records == zone.records {
            return Ok(());
        }
        // RFC 1982: serials wrap; 0 is skipped because some servers take it for "unset".
        edited.soa.serial = match edited.soa.serial.wrapping_add(1) {
            0 => 1,
            next => next,
        };
        let serial = edited.soa.serial;
        let dns = Arc::make_mut(&mut self.dns);
        Arc::make_mut(&mut dns.zones).zones.insert(origin.clone(), Arc::new(edited));
        self.log(Event::StateChanged { kind: "dns".into(), subject: name, state: format!("{}; serial {serial}", edit.summary()) });
        Ok(())
    }

    /// What a partner's resolver answers for a name now; asks and caches when nothing is cached. What has been cached is
    /// served until it runs out, whatever became of the zone or its servers.
    pub fn partner_view(&mut self, partner: PartnerId, name: &str, record_type: RecordType) -> PartnerView {
        let name = canonical_name(name);
        self.lean(Behaviour::DnsCaching);
        if let Some(view) = self.cached_view(partner, &name, record_type) {
            return view;
        }
        let (answer, ttl) = if self.dns_up() { self.dns.zones.resolve(&name, record_type) } else { (Answer::NoServer, 0) };
        let seconds = keep_seconds(&self.topology.partner(partner).resolver, &answer, ttl);
        let cache = Arc::make_mut(&mut Arc::make_mut(&mut self.dns).caches[partner.index()]);
        let until = if seconds == 0 {
            cache.remove(&(name, record_type));
            None
        } else {
            let until = self.now + SimDuration::from_secs(i64::from(seconds));
            cache.insert((name, record_type), CacheEntry { answer: answer.clone(), until });
            Some(until)
        };
        PartnerView { answer, until, cached: false }
    }

    /// What a partner's resolver holds for a name, without asking anybody.
    pub fn cached_view(&self, partner: PartnerId, name: &str, record_type: RecordType) -> Option<PartnerView> {
        let entry = self.dns.caches[partner.index()].get(&(canonical_name(name), record_type))?;
        (self.now < entry.until).then(|| PartnerView { answer: entry.answer.clone(), until: Some(entry.until), cached: true })
    }
}

fn apply_edit(zone: &mut Zone, name: &str, edit: &DnsEdit) -> Result<(), DnsEditError> {
    match edit {
        DnsEdit::Add { ttl, data, .. } => {
            let data = canonical_data(data);
            let kind = record_type(&data);
            check_alias(zone, name, kind)?;
            let set = zone.records.entry((name.to_owned(), kind)).or_insert(RecordSet { ttl: DEFAULT_TTL_SECONDS, data: Vec::new() });
            if kind == RecordType::Cname && !set.data.is_empty() && !set.data.contains(&data) {
                return Err(DnsEditError::AliasConflict(name.to_owned()));
            }
            set.ttl = ttl.unwrap_or(set.ttl);
            if !set.data.contains(&data) {
                set.data.push(data);
            }
        }
        DnsEdit::Replace { record_type: kind, ttl, data, .. } => {
            let mut fresh: Vec<RecordData> = Vec::with_capacity(data.len());
            for data in data.iter().map(canonical_data).filter(|data| record_type(data) == *kind) {
                if !fresh.contains(&data) {
                    fresh.push(data);
                }
            }
            if fresh.is_empty() {
                return remove(zone, name, *kind, None);
            }
            check_alias(zone, name, *kind)?;
            if *kind == RecordType::Cname && fresh.len() > 1 {
                return Err(DnsEditError::AliasConflict(name.to_owned()));
            }
            let key = (name.to_owned(), *kind);
            let ttl = ttl.or(zone.records.get(&key).map(|set| set.ttl)).unwrap_or(DEFAULT_TTL_SECONDS);
            zone.records.insert(key, RecordSet { ttl, data: fresh });
        }
        DnsEdit::Remove { record_type, data, .. } => remove(zone, name, *record_type, data.as_ref().map(canonical_data).as_ref())?,
    }
    Ok(())
}

fn remove(zone: &mut Zone, name: &str, kind: RecordType, data: Option<&RecordData>) -> Result<(), DnsEditError> {
    let key = (name.to_owned(), kind);
    let missing = || DnsEditError::NoRecord { name: name.to_owned(), record_type: kind };
    let Some(data) = data else {
        return zone.records.remove(&key).map(|_| ()).ok_or_else(missing);
    };
    let set = zone.records.get_mut(&key).ok_or_else(missing)?;
    let before = set.data.len();
    set.data.retain(|held| held != data);
    if set.data.len() == before {
        return Err(missing());
    }
    if set.data.is_empty() {
        zone.records.remove(&key);
    }
    Ok(())
}

/// RFC 1034 3.6.2: an alias stands alone; the apex, which has SOA data, cannot be one.
fn check_alias(zone: &Zone, name: &str, kind: RecordType) -> Result<(), DnsEditError> {
    let others = |wanted: fn(RecordType) -> bool| zone.records.keys().any(|(owner, kind)| owner == name && wanted(*kind));
    let conflict = match kind {
        RecordType::Cname => name == zone.origin || others(|kind| kind != RecordType::Cname),
        _ => others(|kind| kind == RecordType::Cname),
    };
    if conflict { Err(DnsEditError::AliasConflict(name.to_owned())) } else { Ok(()) }
}

/// Names in data, in the model's form.
fn canonical_data(data: &RecordData) -> RecordData {
    match data {
        RecordData::Cname(target) => RecordData::Cname(canonical_name(target)),
        RecordData::Ns(host) => RecordData::Ns(canonical_name(host)),
        RecordData::Srv { priority, weight, port, target } => {
            RecordData::Srv { priority: *priority, weight: *weight, port: *port, target: canonical_name(target) }
        }
        other => other.clone(),
    }
}

impl DnsEdit {
    /// Owner name as given.
    pub fn name(&self) -> &str {
        match self {
            Self::Add { name, .. } | Self::Replace { name, .. } | Self::Remove { name, .. } => name,
        }
    }

    fn summary(&self) -> String {
        match self {
            Self::Add { data, .. } => format!("{:?} record added", record_type(data)),
            Self::Replace { record_type, .. } => format!("{record_type:?} records replaced"),
            Self::Remove { record_type, .. } => format!("{record_type:?} records removed"),
        }
    }
}
