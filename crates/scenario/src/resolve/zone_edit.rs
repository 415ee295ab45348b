//! DNS edits on the zones of a topology, before a scenario starts.

use firedrill_fabric::fault::DnsEdit;
use firedrill_fabric::naming::record_type;
use firedrill_syntax::quote;
use firedrill_topology::{RecordSet, RecordType, Topology, Zone};

/// TTL of a new record set when nobody says one.
const DEFAULT_TTL: u32 = 3_600;

/// Makes an edit. The SOA serial stays: the zones are as if they had always been so.
///
/// # Errors
/// In words, when there is nothing to remove or an alias would stand beside other data (RFC 1034 3.6.2).
pub(super) fn apply(edit: &DnsEdit, topology: &mut Topology) -> Result<(), String> {
    let (DnsEdit::Add { name, .. } | DnsEdit::Replace { name, .. } | DnsEdit::Remove { name, .. }) = edit;
    let Some(zone) = zone_of(name, topology) else {
        return Err(format!("no external zone holds {}", quote(name)));
    };
    match edit {
        DnsEdit::Add { ttl, data, .. } => {
            let kind = record_type(data);
            alias_stands_alone(zone, name, kind)?;
            let set = zone.records.entry((name.clone(), kind)).or_insert_with(|| RecordSet { ttl: DEFAULT_TTL, data: Vec::new() });
            set.ttl = ttl.unwrap_or(set.ttl);
            if !set.data.contains(data) {
                set.data.push(data.clone());
            }
        }
        DnsEdit::Replace { record_type, ttl, data, .. } => {
            alias_stands_alone(zone, name, *record_type)?;
            let key = (name.clone(), *record_type);
            let ttl = ttl.or_else(|| zone.records.get(&key).map(|set| set.ttl)).unwrap_or(DEFAULT_TTL);
            zone.records.insert(key, RecordSet { ttl, data: data.clone() });
        }
        DnsEdit::Remove { record_type, data, .. } => {
            let key = (name.clone(), *record_type);
            let missing = || format!("there is no such record at {}", quote(name));
            let set = zone.records.get_mut(&key).ok_or_else(missing)?;
            match data {
                None => set.data.clear(),
                Some(data) => {
                    let at = set.data.iter().position(|present| present == data).ok_or_else(missing)?;
                    set.data.remove(at);
                }
            }
            if set.data.is_empty() {
                zone.records.remove(&key);
            }
        }
    }
    Ok(())
}

fn zone_of<'t>(name: &str, topology: &'t mut Topology) -> Option<&'t mut Zone> {
    let holds = |origin: &str| name == origin || name.strip_suffix(origin).is_some_and(|rest| rest.ends_with('.'));
    topology.zones.iter_mut().filter(|zone| holds(&zone.origin)).max_by_key(|zone| zone.origin.len())
}

fn alias_stands_alone(zone: &Zone, name: &str, kind: RecordType) -> Result<(), String> {
    let clash = zone
        .records
        .keys()
        .any(|(owner, present)| owner == name && *present != kind && (*present == RecordType::Cname || kind == RecordType::Cname));
    if clash { Err(format!("{} cannot hold an alias beside other records", quote(name))) } else { Ok(()) }
}
