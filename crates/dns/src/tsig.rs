//! Transaction signatures (RFC 8945). The clock is the machine's: both ends compare real time, virtual time has no part
//! in it.

use std::sync::Arc;

use firedrill_topology::{TsigAlgorithm, TsigKey};
use ring::hmac;

use crate::packet::{self, CLASS_ANY, HEADER, Malformed, Packet, TYPE_TSIG};

/// Seconds by which clocks may differ (RFC 8945 10: 300 is recommended).
const FUDGE: u16 = 300;
const BADSIG: u16 = 16;
const BADKEY: u16 = 17;
const BADTIME: u16 = 18;
/// Shortest truncated signature in bytes (RFC 8945 5.2.2.1); also not less than half of the whole.
const SHORTEST_MAC: usize = 10;

/// Names of algorithms in wire form.
const ALGORITHMS: [(TsigAlgorithm, &[u8]); 4] = [
    (TsigAlgorithm::HmacSha1, b"\x09hmac-sha1\x00"),
    (TsigAlgorithm::HmacSha256, b"\x0bhmac-sha256\x00"),
    (TsigAlgorithm::HmacSha384, b"\x0bhmac-sha384\x00"),
    (TsigAlgorithm::HmacSha512, b"\x0bhmac-sha512\x00"),
];

/// What became of a signature.
pub(crate) enum Verified {
    /// There is none.
    Unsigned,
    /// It is good; the answer is signed alike.
    Good(Signer),
    /// It is not; the answer says why.
    Bad(BadSignature),
}

/// Why a signature is not good.
pub(crate) struct BadSignature {
    pub(crate) key: String,
    pub(crate) kind: BadKind,
    record: Record,
    signer: Option<Signer>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BadKind {
    Key,
    Signature,
    Time,
}

/// Signs the answers to one request.
pub(crate) struct Signer {
    key: Arc<TsigKey>,
    name: Vec<u8>,
    original_id: u16,
    /// Signature of the message before.
    previous: Vec<u8>,
    /// Whether the next message is the first of the answer: later ones are signed with the time only (RFC 8945 5.3.1).
    first: bool,
}

/// The fields of a TSIG record.
struct Record {
    name: Vec<u8>,
    algorithm: Vec<u8>,
    time: u64,
    fudge: u16,
    mac: Vec<u8>,
    original_id: u16,
    error: u16,
    other: Vec<u8>,
}

/// Seconds since 1970, of the machine.
#[expect(clippy::disallowed_types, reason = "signatures are compared with the real clock of the peer")]
pub(crate) fn machine_clock() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// Checks the signature of a request.
pub(crate) fn verify(packet: &Packet<'_>, keys: &[Arc<TsigKey>], now: u64) -> Result<Verified, Malformed> {
    let Some(place) = packet.tsig else { return Ok(Verified::Unsigned) };
    let record = read(packet.bytes, place.start)?;
    let key_name = packet::name_text(&record.name).unwrap_or_default();
    let known = keys.iter().find(|key| key.name == key_name && algorithm_name(key.algorithm) == record.algorithm);
    let Some(key) = known else {
        return Ok(Verified::Bad(BadSignature { key: key_name, kind: BadKind::Key, record, signer: None }));
    };
    let mut signed = packet.bytes[..place.start].to_vec();
    signed[..2].copy_from_slice(&record.original_id.to_be_bytes());
    signed[10..HEADER].copy_from_slice(&(packet.head.counts[3] - 1).to_be_bytes());
    variables(&mut signed, &record);
    let whole = hmac::sign(&hmac_key(key), &signed);
    let whole = whole.as_ref();
    let length = record.mac.len();
    if length > whole.len() || length < SHORTEST_MAC.max(whole.len() / 2) {
        // RFC 8945 5.2.2.1: such a length is an error of format.
        return Err(Malformed);
    }
    if !equal(&whole[..length], &record.mac) {
        return Ok(Verified::Bad(BadSignature { key: key_name, kind: BadKind::Signature, record, signer: None }));
    }
    let signer = Signer {
        key: Arc::clone(key),
        name: record.name.clone(),
        original_id: record.original_id,
        previous: record.mac.clone(),
        first: true,
    };
    if now.abs_diff(record.time) > u64::from(record.fudge) {
        return Ok(Verified::Bad(BadSignature { key: key_name, kind: BadKind::Time, record, signer: Some(signer) }));
    }
    Ok(Verified::Good(signer))
}

impl Signer {
    /// Name of the key, in the model's form.
    pub(crate) fn key_name(&self) -> &str {
        &self.key.name
    }

    /// How much longer a message becomes.
    pub(crate) fn overhead(&self) -> usize {
        self.name.len()
            + 10
            + algorithm_name(self.key.algorithm).len()
            + 16
            + hmac_key(&self.key).algorithm().digest_algorithm().output_len()
            + 6
    }

    /// Appends the signature to a message.
    pub(crate) fn sign(&mut self, message: &mut Vec<u8>, now: u64) {
        self.sign_with(message, now, 0, &[]);
    }

    fn sign_with(&mut self, message: &mut Vec<u8>, now: u64, error: u16, other: &[u8]) {
        let mut record = Record {
            name: self.name.clone(),
            algorithm: algorithm_name(self.key.algorithm).to_vec(),
            time: now,
            fudge: FUDGE,
            mac: Vec::new(),
            original_id: self.original_id,
            error,
            other: other.to_vec(),
        };
        let mut signed = Vec::with_capacity(message.len() + 128);
        signed.extend_from_slice(&(self.previous.len() as u16).to_be_bytes());
        signed.extend_from_slice(&self.previous);
        signed.extend_from_slice(message);
        if self.first {
            variables(&mut signed, &record);
        } else {
            signed.extend_from_slice(&record.time.to_be_bytes()[2..]);
            signed.extend_from_slice(&record.fudge.to_be_bytes());
        }
        record.mac = hmac::sign(&hmac_key(&self.key), &signed).as_ref().to_vec();
        self.previous.clone_from(&record.mac);
        self.first = false;
        append(message, &record);
    }
}

impl BadSignature {
    /// Appends the reason to the answer (RFC 8945 5.2): only a wrong time is signed.
    pub(crate) fn append(self, message: &mut Vec<u8>, now: u64) {
        let error = match self.kind {
            BadKind::Key => BADKEY,
            BadKind::Signature => BADSIG,
            BadKind::Time => BADTIME,
        };
        if let Some(mut signer) = self.signer {
            // RFC 8945 5.2.3: the client's time stands in the record, the server's in its other data.
            signer.sign_with(message, self.record.time, error, &now.to_be_bytes()[2..]);
            return;
        }
        append(message, &Record { mac: Vec::new(), error, other: Vec::new(), fudge: FUDGE, ..self.record });
    }
}

/// Appends a record to a message and counts it.
fn append(message: &mut Vec<u8>, record: &Record) {
    message.extend_from_slice(&record.name);
    message.extend_from_slice(&TYPE_TSIG.to_be_bytes());
    message.extend_from_slice(&CLASS_ANY.to_be_bytes());
    message.extend_from_slice(&0u32.to_be_bytes());
    let length = record.algorithm.len() + 16 + record.mac.len() + record.other.len();
    message.extend_from_slice(&(length as u16).to_be_bytes());
    message.extend_from_slice(&record.algorithm);
    message.extend_from_slice(&record.time.to_be_bytes()[2..]);
    message.extend_from_slice(&record.fudge.to_be_bytes());
    message.extend_from_slice(&(record.mac.len() as u16).to_be_bytes());
    message.extend_from_slice(&record.mac);
    message.extend_from_slice(&record.original_id.to_be_bytes());
    message.extend_from_slice(&record.error.to_be_bytes());
    message.extend_from_slice(&(record.other.len() as u16).to_be_bytes());
    message.extend_from_slice(&record.other);
    let additionals = u16::from_be_bytes([message[10], message[11]]).saturating_add(1);
    message[10..HEADER].copy_from_slice(&additionals.to_be_bytes());
}

/// The part of a record that is signed with the message (RFC 8945 4.3.3).
fn variables(signed: &mut Vec<u8>, record: &Record) {
    signed.extend_from_slice(&record.name);
    signed.extend_from_slice(&CLASS_ANY.to_be_bytes());
    signed.extend_from_slice(&0u32.to_be_bytes());
    signed.extend_from_slice(&record.algorithm);
    signed.extend_from_slice(&record.time.to_be_bytes()[2..]);
    signed.extend_from_slice(&record.fudge.to_be_bytes());
    signed.extend_from_slice(&record.error.to_be_bytes());
    signed.extend_from_slice(&(record.other.len() as u16).to_be_bytes());
    signed.extend_from_slice(&record.other);
}

fn read(bytes: &[u8], start: usize) -> Result<Record, Malformed> {
    let raw = packet::raw_record(bytes, start)?;
    if raw.class != CLASS_ANY || raw.ttl != 0 {
        return Err(Malformed);
    }
    let (name, _) = packet::read_name(bytes, start)?;
    let bytes = &bytes[..raw.data.1];
    let (algorithm, mut at) = packet::read_name(bytes, raw.data.0)?;
    let mut take = |count: usize| -> Result<&[u8], Malformed> {
        let part = bytes.get(at..at + count).ok_or(Malformed)?;
        at += count;
        Ok(part)
    };
    let time = take(6)?.iter().fold(0u64, |time, byte| time << 8 | u64::from(*byte));
    let word = |part: &[u8]| u16::from_be_bytes([part[0], part[1]]);
    let fudge = word(take(2)?);
    let length = word(take(2)?);
    let mac = take(usize::from(length))?.to_vec();
    let original_id = word(take(2)?);
    let error = word(take(2)?);
    let length = word(take(2)?);
    let other = take(usize::from(length))?.to_vec();
    if at != bytes.len() {
        return Err(Malformed);
    }
    Ok(Record { name, algorithm, time, fudge, mac, original_id, error, other })
}

fn algorithm_name(algorithm: TsigAlgorithm) -> &'static [u8] {
    ALGORITHMS.iter().find(|(known, _)| *known == algorithm).map_or(&[0], |(_, name)| name)
}

fn hmac_key(key: &TsigKey) -> hmac::Key {
    let algorithm = match key.algorithm {
        TsigAlgorithm::HmacSha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
        TsigAlgorithm::HmacSha256 => hmac::HMAC_SHA256,
        TsigAlgorithm::HmacSha384 => hmac::HMAC_SHA384,
        TsigAlgorithm::HmacSha512 => hmac::HMAC_SHA512,
    };
    hmac::Key::new(algorithm, &key.secret)
}

/// In a time that does not depend on where they differ.
fn equal(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len() && one.iter().zip(other).fold(0, |difference, (a, b)| difference | (a ^ b)) == 0
}
