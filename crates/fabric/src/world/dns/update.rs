//! Dynamic updates of zones (RFC 2136), as operations of the fabric: all of an update or nothing, and an event either way.

use std::net::Ipv4Addr;

use firedrill_topology::{AccessList, RecordData, RecordSet, RecordType, Soa, Zone};

use super::{canonical_data, next_serial};
use crate::event::Event;
use crate::fabric::Fabric;
use crate::naming::{canonical_name, record_type};

/// Most record sets that a zone may grow to through updates: a flood ends in REFUSED, not in memory.
const SETS_MAX: usize = 100_000;
/// Most records of one name and type, as in topology documents.
const RECORDS_OF_A_SET_MAX: usize = firedrill_topology::limits::MAX_RECORDS_OF_A_SET;
/// Longest description of an update in an event, in characters.
const WHAT_MAX: usize = 400;

/// An update message. Names are as sent; they are compared without regard to case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DynamicUpdate {
    /// Zone section: apex of the zone to update.
    pub zone: String,
    /// Who sent it.
    pub requester: Requester,
    /// Prerequisite section (RFC 2136 2.4).
    pub prerequisites: Vec<Prerequisite>,
    /// Update section (RFC 2136 2.5), in order.
    pub updates: Vec<UpdateAction>,
}

/// Who sent an update.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requester {
    /// Address it came from, in the topology's terms.
    pub address: Ipv4Addr,
    /// What it signed with.
    pub credential: Credential,
}

/// What a message was signed with (RFC 8945).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credential {
    /// Nothing.
    None,
    /// A key, and the signature is good.
    Key(String),
    /// A key that nobody here knows.
    UnknownKey(String),
    /// A key whose signature is not good.
    BadSignature(String),
    /// A good signature of another time.
    BadTime(String),
}

/// A type in an update, as far as zones of the model go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UpdateType {
    /// One that zones hold.
    Held(RecordType),
    /// SOA.
    Soa,
    /// One that zones of the model never hold.
    Other(u16),
}

/// A condition (RFC 2136 2.4). All must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Prerequisite {
    /// Some record of a name exists (2.4.4).
    NameInUse(String),
    /// No record of a name exists (2.4.5).
    NameNotInUse(String),
    /// Some record of a name and type exists (2.4.1).
    SetExists(String, UpdateType),
    /// No record of a name and type exists (2.4.3).
    SetDoesNotExist(String, UpdateType),
    /// The SOA record of a name is this one; the TTL does not count.
    SoaIs(String, Soa),
    /// The records of a name and type are exactly these (2.4.2); the TTL does not count.
    SetIs(String, RecordType, Vec<RecordData>),
}

/// A change (RFC 2136 2.5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UpdateAction {
    /// Adds a record; the set gets its TTL (2.5.1).
    Add {
        /// Owner.
        name: String,
        /// TTL in seconds.
        ttl: u32,
        /// Data.
        data: RecordData,
    },
    /// Replaces the SOA record when its serial is newer (3.4.2.2).
    AddSoa(String, Soa),
    /// Adds a record of a type that the model's zones do not hold.
    AddOther(String, u16),
    /// Deletes the records of a name and type (2.5.2).
    DeleteSet(String, UpdateType),
    /// Deletes all records of a name (2.5.3).
    DeleteName(String),
    /// Deletes one record (2.5.4).
    DeleteRecord(String, RecordData),
    /// Deletes one record of a type that zones do not hold, or of the SOA: without effect (3.4.2.4).
    DeleteOther(String),
}

/// How an update ended: a response code (RFC 2136 2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UpdateCode {
    /// Done, or there was nothing to do.
    NoError,
    /// The server cannot do it now.
    ServFail,
    /// A name that ought to exist does not.
    NxDomain,
    /// Not allowed, or nothing that the model can hold.
    Refused,
    /// A name exists that ought not.
    YxDomain,
    /// A record set exists that ought not.
    YxRrset,
    /// A record set that ought to exist does not.
    NxRrset,
    /// The server does not hold the zone, or the signature is not good.
    NotAuth,
    /// A name lies outside the zone.
    NotZone,
}

/// Why an update ended without effect.
struct Refusal {
    code: UpdateCode,
    why: String,
}

fn refuse<T>(code: UpdateCode, why: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal { code, why: why.into() })
}

impl Fabric {
    /// Carries out a dynamic update at the primary, wholly or not at all, and logs it with who, what, outcome and serial.
    pub fn update_dns(&mut self, update: &DynamicUpdate) -> UpdateCode {
        let origin = canonical_name(&update.zone);
        let result = self.try_update(&origin, update);
        let (code, outcome) = match result {
            Ok(None) => (UpdateCode::NoError, "no change".to_owned()),
            Ok(Some(zone)) => {
                self.put_zone(zone);
                (UpdateCode::NoError, "accepted".to_owned())
            }
            Err(Refusal { code, why }) => (code, format!("refused: {why}")),
        };
        let serial = self.dns.zones.zones.get(&origin).map_or(0, |zone| zone.soa.serial);
        let (by, what) = (describe_requester(&update.requester), describe(update));
        self.log(Event::DnsUpdate { zone: origin, by, what, outcome, serial });
        self.settle_name_servers();
        code
    }

    fn try_update(&self, origin: &str, update: &DynamicUpdate) -> Result<Option<Zone>, Refusal> {
        if !self.dns_primary_up() {
            return refuse(UpdateCode::ServFail, "the primary does not run");
        }
        let Some(zone) = self.dns.zones.zones.get(origin) else {
            return refuse(UpdateCode::NotAuth, "no such zone is held");
        };
        let nobody = AccessList::default();
        let list = self.topology.name_servers.first().map_or(&nobody, |server| &server.update_by);
        authorise(&update.requester, list)?;
        for prerequisite in &update.prerequisites {
            check(zone, prerequisite)?;
        }
        for action in &update.updates {
            inside(zone, action.name())?;
            if let UpdateAction::AddOther(name, number) = action {
                return refuse(UpdateCode::Refused, format!("records of type {number} at {name} are not modelled"));
            }
        }
        let mut edited = (**zone).clone();
        for action in &update.updates {
            apply(&mut edited, action)?;
        }
        if edited == **zone {
            return Ok(None);
        }
        // RFC 2136 3.6: the server raises the serial unless the update has done so.
        if edited.soa.serial == zone.soa.serial {
            edited.soa.serial = next_serial(zone.soa.serial);
        }
        Ok(Some(edited))
    }
}

fn authorise(requester: &Requester, list: &AccessList) -> Result<(), Refusal> {
    match &requester.credential {
        Credential::UnknownKey(key) => refuse(UpdateCode::NotAuth, format!("the key {key} is not known")),
        Credential::BadSignature(key) => refuse(UpdateCode::NotAuth, format!("the signature with the key {key} is not good")),
        Credential::BadTime(key) => refuse(UpdateCode::NotAuth, format!("the signature with the key {key} is of another time")),
        Credential::Key(key) if list.keys.iter().any(|known| known.name == *key) => Ok(()),
        Credential::Key(key) => refuse(UpdateCode::Refused, format!("the key {key} may not update")),
        Credential::None if list.addresses.contains(&requester.address) => Ok(()),
        Credential::None if list.keys.is_empty() => refuse(UpdateCode::Refused, "this address may not update"),
        Credential::None => refuse(UpdateCode::Refused, "it is not signed"),
    }
}

fn inside(zone: &Zone, name: &str) -> Result<String, Refusal> {
    let name = canonical_name(name);
    let within = name.strip_suffix(zone.origin.as_str()).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    if within { Ok(name) } else { refuse(UpdateCode::NotZone, format!("{name} lies outside the zone")) }
}

/// RFC 2136 3.2.
fn check(zone: &Zone, prerequisite: &Prerequisite) -> Result<(), Refusal> {
    let name = inside(zone, prerequisite.name())?;
    let in_use = name == zone.origin || zone.records.keys().any(|(owner, _)| *owner == name);
    let set_exists = |kind: UpdateType| match kind {
        UpdateType::Held(kind) => zone.records.contains_key(&(name.clone(), kind)),
        UpdateType::Soa => name == zone.origin,
        UpdateType::Other(_) => false,
    };
    match prerequisite {
        Prerequisite::NameInUse(_) if !in_use => refuse(UpdateCode::NxDomain, format!("{name} does not exist")),
        Prerequisite::NameNotInUse(_) if in_use => refuse(UpdateCode::YxDomain, format!("{name} exists")),
        Prerequisite::SetExists(_, kind) if !set_exists(*kind) => refuse(UpdateCode::NxRrset, format!("{name} has no such records")),
        Prerequisite::SetDoesNotExist(_, kind) if set_exists(*kind) => refuse(UpdateCode::YxRrset, format!("{name} has such records")),
        Prerequisite::SoaIs(_, soa) => {
            let wanted = Soa {
                primary: canonical_name(&soa.primary),
                responsible: canonical_name(&soa.responsible),
                ttl: zone.soa.ttl,
                ..soa.clone()
            };
            if name == zone.origin && wanted == zone.soa { Ok(()) } else { refuse(UpdateCode::NxRrset, "the zone has another SOA record") }
        }
        Prerequisite::SetIs(_, kind, data) => {
            let sorted = |data: &[RecordData]| {
                let mut data: Vec<RecordData> = data.iter().map(canonical_data).collect();
                data.sort();
                data.dedup();
                data
            };
            let held = zone.records.get(&(name.clone(), *kind)).map(|set| sorted(&set.data)).unwrap_or_default();
            if held == sorted(data) { Ok(()) } else { refuse(UpdateCode::NxRrset, format!("{name} has other records")) }
        }
        _ => Ok(()),
    }
}

/// RFC 2136 3.4.2. What must not happen (an alias beside other data, a zone without SOA or NS) is silently left out, as
/// the RFC wants it.
fn apply(zone: &mut Zone, action: &UpdateAction) -> Result<(), Refusal> {
    let name = canonical_name(action.name());
    let apex = name == zone.origin;
    match action {
        UpdateAction::Add { ttl, data, .. } => add(zone, name, *ttl, canonical_data(data))?,
        UpdateAction::AddSoa(_, soa) => {
            // RFC 1982 3.2: newer by less than half the circle.
            let newer = soa.serial != zone.soa.serial && soa.serial.wrapping_sub(zone.soa.serial) < 1 << 31;
            if apex && newer {
                let names = |name: &str| canonical_name(name);
                zone.soa = Soa { primary: names(&soa.primary), responsible: names(&soa.responsible), ..soa.clone() };
            }
        }
        UpdateAction::DeleteSet(_, UpdateType::Held(kind)) if !(apex && *kind == RecordType::Ns) => {
            zone.records.remove(&(name, *kind));
        }
        UpdateAction::DeleteName(_) => zone.records.retain(|(owner, kind), _| *owner != name || (apex && *kind == RecordType::Ns)),
        UpdateAction::DeleteRecord(_, data) => {
            let data = canonical_data(data);
            let key = (name, record_type(&data));
            let Some(set) = zone.records.get_mut(&key) else { return Ok(()) };
            if apex && key.1 == RecordType::Ns && set.data.len() == 1 {
                return Ok(());
            }
            set.data.retain(|held| *held != data);
            if set.data.is_empty() {
                zone.records.remove(&key);
            }
        }
        UpdateAction::DeleteSet(..) | UpdateAction::DeleteOther(_) | UpdateAction::AddOther(..) => {}
    }
    Ok(())
}

fn add(zone: &mut Zone, name: String, ttl: u32, data: RecordData) -> Result<(), Refusal> {
    let kind = record_type(&data);
    let beside = zone.records.keys().filter(|(owner, _)| *owner == name).any(|(_, other)| match kind {
        RecordType::Cname => *other != RecordType::Cname,
        _ => *other == RecordType::Cname,
    });
    if beside || (kind == RecordType::Cname && name == zone.origin) {
        return Ok(());
    }
    if zone.records.len() >= SETS_MAX {
        return refuse(UpdateCode::Refused, format!("the zone holds {SETS_MAX} record sets already"));
    }
    let set = zone.records.entry((name, kind)).or_insert_with(|| RecordSet { ttl, data: Vec::new() });
    set.ttl = ttl;
    if kind == RecordType::Cname {
        set.data = vec![data];
    } else if !set.data.contains(&data) {
        if set.data.len() >= RECORDS_OF_A_SET_MAX {
            return refuse(UpdateCode::Refused, format!("the set holds {RECORDS_OF_A_SET_MAX} records already"));
        }
        set.data.push(data);
    }
    Ok(())
}

impl Prerequisite {
    fn name(&self) -> &str {
        match self {
            Self::NameInUse(name)
            | Self::NameNotInUse(name)
            | Self::SetExists(name, _)
            | Self::SetDoesNotExist(name, _)
            | Self::SoaIs(name, _)
            | Self::SetIs(name, ..) => name,
        }
    }
}

impl UpdateAction {
    fn name(&self) -> &str {
        match self {
            Self::Add { name, .. }
            | Self::AddSoa(name, _)
            | Self::AddOther(name, _)
            | Self::DeleteSet(name, _)
            | Self::DeleteName(name)
            | Self::DeleteRecord(name, _)
            | Self::DeleteOther(name) => name,
        }
    }
}

fn describe_requester(requester: &Requester) -> String {
    match &requester.credential {
        Credential::None => requester.address.to_string(),
        Credential::Key(key) => format!("key {key} at {}", requester.address),
        Credential::UnknownKey(key) => format!("unknown key {key} at {}", requester.address),
        Credential::BadSignature(key) | Credential::BadTime(key) => format!("somebody with the key name {key} at {}", requester.address),
    }
}

/// The update in the words of nsupdate(1).
fn describe(update: &DynamicUpdate) -> String {
    let mut text = String::new();
    for prerequisite in &update.prerequisites {
        let part = match prerequisite {
            Prerequisite::NameInUse(name) => format!("prereq yxdomain {name}"),
            Prerequisite::NameNotInUse(name) => format!("prereq nxdomain {name}"),
            Prerequisite::SetExists(name, kind) => format!("prereq yxrrset {name} {}", type_words(*kind)),
            Prerequisite::SetDoesNotExist(name, kind) => format!("prereq nxrrset {name} {}", type_words(*kind)),
            Prerequisite::SoaIs(name, soa) => format!("prereq yxrrset {name} SOA with serial {}", soa.serial),
            Prerequisite::SetIs(name, _, data) => {
                let data: Vec<String> = data.iter().map(data_words).collect();
                format!("prereq yxrrset {name} {}", data.join(", "))
            }
        };
        if !push(&mut text, &part) {
            return text;
        }
    }
    for action in &update.updates {
        let part = match action {
            UpdateAction::Add { name, ttl, data } => format!("add {name} {ttl} {}", data_words(data)),
            UpdateAction::AddSoa(name, soa) => format!("add {name} SOA with serial {}", soa.serial),
            UpdateAction::AddOther(name, number) => format!("add {name} TYPE{number}"),
            UpdateAction::DeleteSet(name, kind) => format!("delete {name} {}", type_words(*kind)),
            UpdateAction::DeleteName(name) => format!("delete {name}"),
            UpdateAction::DeleteRecord(name, data) => format!("delete {name} {}", data_words(data)),
            UpdateAction::DeleteOther(name) => format!("delete a record of {name} that zones do not hold"),
        };
        if !push(&mut text, &part) {
            return text;
        }
    }
    if text.is_empty() { "nothing".to_owned() } else { text }
}

/// Adds a part; `false` when the description is long enough.
fn push(text: &mut String, part: &str) -> bool {
    if !text.is_empty() {
        text.push_str("; ");
    }
    if text.len() + part.len() > WHAT_MAX {
        text.push('…');
        return false;
    }
    text.push_str(part);
    true
}

fn type_words(kind: UpdateType) -> String {
    match kind {
        UpdateType::Held(kind) => type_name(kind).to_owned(),
        UpdateType::Soa => "SOA".to_owned(),
        UpdateType::Other(number) => format!("TYPE{number}"),
    }
}

fn type_name(kind: RecordType) -> &'static str {
    match kind {
        RecordType::A => "A",
        RecordType::Aaaa => "AAAA",
        RecordType::Cname => "CNAME",
        RecordType::Ns => "NS",
        RecordType::Srv => "SRV",
        RecordType::Txt => "TXT",
    }
}

fn data_words(data: &RecordData) -> String {
    let words = match data {
        RecordData::A(address) => address.to_string(),
        RecordData::Aaaa(address) => address.to_string(),
        RecordData::Cname(name) | RecordData::Ns(name) => name.clone(),
        RecordData::Srv { priority, weight, port, target } => format!("{priority} {weight} {port} {target}."),
        RecordData::Txt(text) => format!("{text:?}"),
    };
    format!("{} {words}", type_name(record_type(data)))
}
