//! Update messages (RFC 2136): from bytes to what the owner of the zones decides on, and the queue between the two.

use std::time::Duration;

use firedrill_fabric::world::{DynamicUpdate, Prerequisite, Requester, UpdateAction, UpdateCode, UpdateType};
use firedrill_topology::{RecordData, RecordType, Soa};
use tokio::sync::{mpsc, oneshot};

use crate::address::AddressMap;
use crate::packet::*;
use crate::snapshot::{TYPE_A, TYPE_AAAA, TYPE_CNAME, TYPE_NS, TYPE_SRV, TYPE_TXT};

/// Updates that may wait for a decision; more are answered SERVFAIL at once.
const WAITING_MAX: usize = 64;
/// How long a sender waits for a decision, in real time.
const DECISION_TIMEOUT: Duration = Duration::from_secs(5);
/// First of the types that are questions and not data (RFC 6895 3.1).
const FIRST_META_TYPE: u16 = 128;

/// An update without its sender.
pub(crate) struct Content {
    zone: String,
    prerequisites: Vec<Prerequisite>,
    updates: Vec<UpdateAction>,
}

impl Content {
    pub(crate) fn by(self, requester: Requester) -> DynamicUpdate {
        DynamicUpdate { zone: self.zone, requester, prerequisites: self.prerequisites, updates: self.updates }
    }
}

/// Reads an update message (RFC 2136 2, with the checks of form of 3.1.1, 3.2 and 3.4.1).
pub(crate) fn read(packet: &Packet<'_>, map: &AddressMap) -> Result<Content, Malformed> {
    if packet.question.record_type != TYPE_SOA || packet.question.class != CLASS_IN {
        return Err(Malformed);
    }
    let zone = name_text(packet.question.key.as_bytes()).ok_or(Malformed)?;
    let reader = Reader { bytes: packet.bytes, map };
    let mut prerequisites = Vec::new();
    for record in packet.records(1)? {
        reader.prerequisite(&record, &mut prerequisites)?;
    }
    let updates = packet.records(2)?.iter().map(|record| reader.action(record)).collect::<Result<_, _>>()?;
    Ok(Content { zone, prerequisites, updates })
}

struct Reader<'p> {
    bytes: &'p [u8],
    map: &'p AddressMap,
}

impl Reader<'_> {
    /// RFC 2136 3.2.
    fn prerequisite(&self, record: &RawRecord, all: &mut Vec<Prerequisite>) -> Result<(), Malformed> {
        let name = self.text(record.name)?.0;
        let empty = record.data.0 == record.data.1;
        if record.ttl != 0 {
            return Err(Malformed);
        }
        let condition = match (record.class, record.record_type) {
            (CLASS_ANY, TYPE_ANY) if empty => Prerequisite::NameInUse(name),
            (CLASS_NONE, TYPE_ANY) if empty => Prerequisite::NameNotInUse(name),
            (CLASS_ANY, kind) if empty && kind < FIRST_META_TYPE => Prerequisite::SetExists(name, update_type(kind)),
            (CLASS_NONE, kind) if empty && kind < FIRST_META_TYPE => Prerequisite::SetDoesNotExist(name, update_type(kind)),
            (CLASS_IN, TYPE_SOA) => Prerequisite::SoaIs(name, self.soa(record)?),
            (CLASS_IN, kind) if kind < FIRST_META_TYPE => match update_type(kind) {
                UpdateType::Held(kind) => {
                    let data = self.data(record)?;
                    // Records of one set stand anywhere in the section.
                    let known = all.iter_mut().find_map(|known| match known {
                        Prerequisite::SetIs(owner, of, set) if *owner == name && *of == kind => Some(set),
                        _ => None,
                    });
                    if let Some(set) = known {
                        set.push(data);
                        return Ok(());
                    }
                    Prerequisite::SetIs(name, kind, vec![data])
                }
                // No zone of the model has such records: the condition fails.
                other => Prerequisite::SetExists(name, other),
            },
            _ => return Err(Malformed),
        };
        all.push(condition);
        Ok(())
    }

    /// RFC 2136 3.4.1.
    fn action(&self, record: &RawRecord) -> Result<UpdateAction, Malformed> {
        let name = self.text(record.name)?.0;
        let empty = record.data.0 == record.data.1;
        let kind = record.record_type;
        Ok(match record.class {
            CLASS_IN if kind == TYPE_SOA => UpdateAction::AddSoa(name, Soa { ttl: ttl(record.ttl), ..self.soa(record)? }),
            CLASS_IN if kind < FIRST_META_TYPE => match update_type(kind) {
                UpdateType::Held(_) => UpdateAction::Add { name, ttl: ttl(record.ttl), data: self.data(record)? },
                _ => UpdateAction::AddOther(name, kind),
            },
            CLASS_ANY if record.ttl == 0 && empty && kind == TYPE_ANY => UpdateAction::DeleteName(name),
            CLASS_ANY if record.ttl == 0 && empty && kind < FIRST_META_TYPE => UpdateAction::DeleteSet(name, update_type(kind)),
            CLASS_NONE if record.ttl == 0 && kind < FIRST_META_TYPE => match update_type(kind) {
                UpdateType::Held(_) => UpdateAction::DeleteRecord(name, self.data(record)?),
                _ => UpdateAction::DeleteOther(name),
            },
            _ => return Err(Malformed),
        })
    }

    /// A name in the model's form, and where it ends.
    fn text(&self, start: usize) -> Result<(String, usize), Malformed> {
        let (wire, end) = read_name(self.bytes, start)?;
        Ok((name_text(&wire).ok_or(Malformed)?, end))
    }

    /// The name that is all of some data; not the root.
    fn only_name(&self, start: usize, end: usize) -> Result<String, Malformed> {
        let (name, found) = self.text(start)?;
        if found == end && !name.is_empty() { Ok(name) } else { Err(Malformed) }
    }

    fn data(&self, record: &RawRecord) -> Result<RecordData, Malformed> {
        let (start, end) = record.data;
        let bytes = &self.bytes[start..end];
        let word = |at: usize| u16::from_be_bytes([bytes[at], bytes[at + 1]]);
        Ok(match record.record_type {
            TYPE_A => {
                let octets: [u8; 4] = bytes.try_into().map_err(|_| Malformed)?;
                RecordData::A(self.map.sender(std::net::IpAddr::from(octets)))
            }
            TYPE_AAAA => {
                let octets: [u8; 16] = bytes.try_into().map_err(|_| Malformed)?;
                let address = octets.into();
                RecordData::Aaaa(self.map.topology6(address).unwrap_or(address))
            }
            TYPE_CNAME => RecordData::Cname(self.only_name(start, end)?),
            TYPE_NS => RecordData::Ns(self.only_name(start, end)?),
            TYPE_SRV if bytes.len() > 6 => {
                let (target, found) = self.text(start + 6)?;
                if found != end {
                    return Err(Malformed);
                }
                RecordData::Srv { priority: word(0), weight: word(2), port: word(4), target }
            }
            TYPE_TXT => RecordData::Txt(text_of(bytes)?),
            _ => return Err(Malformed),
        })
    }

    fn soa(&self, record: &RawRecord) -> Result<Soa, Malformed> {
        let (start, end) = record.data;
        let (primary, at) = self.text(start)?;
        let (responsible, at) = self.text(at)?;
        let numbers = self.bytes.get(at..at + 20).filter(|_| at + 20 == end).ok_or(Malformed)?;
        let number = |index: usize| u32::from_be_bytes([0, 1, 2, 3].map(|byte| numbers[index * 4 + byte]));
        Ok(Soa {
            primary,
            responsible,
            serial: number(0),
            refresh: number(1),
            retry: number(2),
            expire: number(3),
            minimum: number(4),
            ttl: 0,
        })
    }
}

/// Character strings as one text: the model does not keep where one ends.
fn text_of(bytes: &[u8]) -> Result<String, Malformed> {
    let mut text = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(length) = bytes.get(at) {
        text.extend_from_slice(bytes.get(at + 1..at + 1 + usize::from(*length)).ok_or(Malformed)?);
        at += 1 + usize::from(*length);
    }
    if bytes.is_empty() { Err(Malformed) } else { String::from_utf8(text).map_err(|_| Malformed) }
}

/// RFC 2181 8: a TTL with the highest bit set is zero.
fn ttl(value: u32) -> u32 {
    if value > i32::MAX as u32 { 0 } else { value }
}

fn update_type(number: u16) -> UpdateType {
    match number {
        TYPE_A => UpdateType::Held(RecordType::A),
        TYPE_AAAA => UpdateType::Held(RecordType::Aaaa),
        TYPE_CNAME => UpdateType::Held(RecordType::Cname),
        TYPE_NS => UpdateType::Held(RecordType::Ns),
        TYPE_SRV => UpdateType::Held(RecordType::Srv),
        TYPE_TXT => UpdateType::Held(RecordType::Txt),
        TYPE_SOA => UpdateType::Soa,
        other => UpdateType::Other(other),
    }
}

/// Response code of a decision (RFC 2136 2.2).
pub(crate) fn rcode(code: UpdateCode) -> u16 {
    match code {
        UpdateCode::NoError => 0,
        UpdateCode::ServFail => SERVFAIL,
        UpdateCode::NxDomain => NXDOMAIN,
        UpdateCode::Refused => REFUSED,
        UpdateCode::YxDomain => YXDOMAIN,
        UpdateCode::YxRrset => YXRRSET,
        UpdateCode::NxRrset => NXRRSET,
        UpdateCode::NotAuth => NOTAUTH,
        UpdateCode::NotZone => NOTZONE,
    }
}

/// An update that waits for whoever owns the zones.
#[derive(Debug)]
pub struct PendingUpdate {
    /// What is asked for, and by whom.
    pub update: DynamicUpdate,
    reply: oneshot::Sender<UpdateCode>,
}

impl PendingUpdate {
    /// Tells the sender how it ended. Publish the zones first: the sender may look at once.
    pub fn answer(self, code: UpdateCode) {
        // A sender that has given up is not told.
        let _gone = self.reply.send(code);
    }
}

/// Where the owner of the zones takes updates from. While nobody does, senders get SERVFAIL after five seconds, or at once
/// when 64 are waiting.
#[derive(Debug)]
pub struct UpdateQueue(mpsc::Receiver<PendingUpdate>);

/// Where servers put updates.
#[derive(Debug, Clone)]
pub struct UpdateSender(mpsc::Sender<PendingUpdate>);

/// A queue for the updates of one fabric.
pub fn update_queue() -> (UpdateSender, UpdateQueue) {
    let (sender, receiver) = mpsc::channel(WAITING_MAX);
    (UpdateSender(sender), UpdateQueue(receiver))
}

impl UpdateQueue {
    /// The next update; waits for one. `None` when no server is left that could send any.
    pub async fn next(&mut self) -> Option<PendingUpdate> {
        self.0.recv().await
    }

    /// The next update, when one waits.
    pub fn try_next(&mut self) -> Option<PendingUpdate> {
        self.0.try_recv().ok()
    }
}

impl UpdateSender {
    /// Has an update decided on.
    pub(crate) async fn decide(&self, update: DynamicUpdate) -> UpdateCode {
        let (reply, decision) = oneshot::channel();
        if self.0.try_send(PendingUpdate { update, reply }).is_err() {
            return UpdateCode::ServFail;
        }
        match tokio::time::timeout(DECISION_TIMEOUT, decision).await {
            Ok(Ok(code)) => code,
            _ => UpdateCode::ServFail,
        }
    }
}
