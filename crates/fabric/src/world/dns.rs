//! External DNS: the zones now, their edits, and what partners have cached.

pub(crate) mod servers;
pub(crate) mod update;

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

/// How long a resolver that serves stale data waits before it asks the servers again (RFC 8767 5).
pub const STALE_RETRY: SimDuration = SimDuration::from_secs(30);

/// Zones, servers and caches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DnsState {
    /// What the operator of the external zones has entered at the primary.
    pub(crate) zones: Arc<Zones>,
    internal: Arc<Zones>,
    /// What each name server serves; the primary first.
    servers: Vec<servers::ServerState>,
    /// By partner: what its resolver holds.
    caches: Vec<Arc<Cache>>,
}

type Cache = BTreeMap<(String, RecordType), CacheEntry>;

#[derive(Debug, Clone, PartialEq, Eq)]
struct CacheEntry {
    answer: Answer,
    /// Until when nobody is asked.
    until: SimTime,
    /// When the answer's TTL ran or runs out.
    end: SimTime,
}

/// One answer that a partner's resolver holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CachedAnswer {
    /// Name asked for.
    pub name: String,
    /// Type asked for.
    pub record_type: RecordType,
    /// The answer.
    pub answer: Answer,
    /// When the partner will ask again.
    pub until: SimTime,
    /// Whether its TTL has run out already (RFC 8767).
    pub stale: bool,
}

impl DnsState {
    pub(crate) fn new(topology: &Topology, start: SimTime) -> Self {
        let zones = by_origin(&topology.zones);
        let servers = servers::ServerState::all(topology, &zones, start);
        Self { zones, internal: by_origin(&topology.internal_zones), servers, caches: vec![Arc::default(); topology.partners.len()] }
    }
}

fn by_origin(zones: &[Zone]) -> Arc<Zones> {
    Arc::new(Zones { zones: zones.iter().map(|zone| (zone.origin.clone(), Arc::new(zone.clone()))).collect() })
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
    /// External zones as they are now at the primary.
    pub fn zones(&self) -> &Arc<Zones> {
        &self.dns.zones
    }

    /// Zones of the internal view (split horizon).
    pub fn internal_zones(&self) -> &Arc<Zones> {
        &self.dns.internal
    }

    /// What computers of the deployment get: from the internal view when one of its zones is responsible, else from the
    /// external zones, as internal servers forward.
    pub fn resolve_inside(&self, name: &str, record_type: RecordType) -> (Answer, u32) {
        let view = if self.dns.internal.zone_for(name).is_some() { &self.dns.internal } else { &self.dns.zones };
        view.resolve(name, record_type)
    }

    /// Edits an external zone now; the serial rises when something changed. Partners see it when their caches run out.
    ///
    /// # Errors
    /// When no zone holds the name, there is nothing to remove, or an alias would stand beside other data.
    pub fn edit_dns(&mut self, edit: &DnsEdit) -> Result<(), DnsEditError> {
        let name = canonical_name(edit.name());
        let zone = self.dns.zones.zone_for(&name).ok_or_else(|| DnsEditError::NoZone(name.clone()))?;
        let mut edited = (**zone).clone();
        apply_edit(&mut edited, &name, edit)?;
        if edited.records == zone.records {
            return Ok(());
        }
        edited.soa.serial = next_serial(edited.soa.serial);
        let serial = edited.soa.serial;
        self.put_zone(edited);
        self.log(Event::StateChanged { kind: "dns".into(), subject: name, state: format!("{}; serial {serial}", edit.summary()) });
        self.settle_name_servers();
        Ok(())
    }

    fn put_zone(&mut self, zone: Zone) {
        let dns = Arc::make_mut(&mut self.dns);
        Arc::make_mut(&mut dns.zones).zones.insert(zone.origin.clone(), Arc::new(zone));
    }

    /// What a partner's resolver answers for a name now; asks and caches when nothing is cached. What has been cached is
    /// served until it runs out, whatever became of the zone or its servers; longer while no server answers, when the
    /// partner serves stale data (RFC 8767).
    pub fn partner_view(&mut self, partner: PartnerId, name: &str, record_type: RecordType) -> PartnerView {
        let name = canonical_name(name);
        self.lean(Behaviour::DnsCaching);
        if let Some(view) = self.cached_view(partner, &name, record_type) {
            return view;
        }
        let now = self.now;
        let settings = self.topology.partner(partner).resolver;
        let asked = self.ask_name_servers(&name, record_type);
        if self.primary_is_passed_over() {
            self.lean(Behaviour::NextNameServer);
        }
        let cache = Arc::make_mut(&mut Arc::make_mut(&mut self.dns).caches[partner.index()]);
        let key = (name, record_type);
        let Some((answer, ttl)) = asked else {
            let stale = SimDuration::from_secs(i64::from(settings.serve_stale_seconds));
            if let Some(entry) = cache.get_mut(&key).filter(|entry| now < entry.end + stale) {
                entry.until = (now + STALE_RETRY).min(entry.end + stale);
                let view = PartnerView { answer: entry.answer.clone(), until: Some(entry.until), cached: true };
                self.lean(Behaviour::DnsServeStale);
                return view;
            }
            return PartnerView { answer: Answer::NoServer, until: None, cached: false };
        };
        let seconds = keep_seconds(&settings, &answer, ttl);
        let until = if seconds == 0 {
            cache.remove(&key);
            None
        } else {
            let until = now + SimDuration::from_secs(i64::from(seconds));
            cache.insert(key, CacheEntry { answer: answer.clone(), until, end: until });
            Some(until)
        };
        PartnerView { answer, until, cached: false }
    }

    /// What a partner's resolver holds for a name, without asking anybody.
    pub fn cached_view(&self, partner: PartnerId, name: &str, record_type: RecordType) -> Option<PartnerView> {
        let entry = self.dns.caches[partner.index()].get(&(canonical_name(name), record_type))?;
        (self.now < entry.until).then(|| PartnerView { answer: entry.answer.clone(), until: Some(entry.until), cached: true })
    }

    /// Everything that a partner sees now without asking anybody, and until when: by name and type.
    pub fn cached_answers(&self, partner: PartnerId) -> Vec<CachedAnswer> {
        let fresh = self.dns.caches[partner.index()].iter().filter(|(_, entry)| self.now < entry.until);
        fresh
            .map(|((name, record_type), entry)| CachedAnswer {
                name: name.clone(),
                record_type: *record_type,
                answer: entry.answer.clone(),
                until: entry.until,
                stale: entry.end <= self.now,
            })
            .collect()
    }
}

/// The serial after a change. RFC 1982: serials wrap; 0 is skipped because some servers take it for "unset".
fn next_serial(serial: u32) -> u32 {
    match serial.wrapping_add(1) {
        0 => 1,
        next => next,
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
