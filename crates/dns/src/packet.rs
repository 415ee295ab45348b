//! DNS messages as bytes: what the server reads of a query before it knows whether it cares. Bounded in time and memory
//! by the length of the message, whatever its counts and pointers claim.

/// Length of a header (RFC 1035 4.1.1).
pub(crate) const HEADER: usize = 12;
/// Longest name on the wire (RFC 1035 2.3.4).
pub(crate) const NAME_MAX: usize = 255;
/// Pointers followed in one name: each leads backwards, and no honest name needs more than it has labels.
const POINTERS_MAX: usize = 127;

pub(crate) const TYPE_SOA: u16 = 6;
pub(crate) const TYPE_OPT: u16 = 41;
pub(crate) const TYPE_TSIG: u16 = 250;
pub(crate) const TYPE_IXFR: u16 = 251;
pub(crate) const TYPE_AXFR: u16 = 252;
pub(crate) const TYPE_MAILB: u16 = 253;
pub(crate) const TYPE_MAILA: u16 = 254;
pub(crate) const TYPE_ANY: u16 = 255;
pub(crate) const CLASS_IN: u16 = 1;
pub(crate) const CLASS_NONE: u16 = 254;
pub(crate) const CLASS_ANY: u16 = 255;

pub(crate) const OPCODE_QUERY: u8 = 0;
pub(crate) const OPCODE_NOTIFY: u8 = 4;
pub(crate) const OPCODE_UPDATE: u8 = 5;

pub(crate) const FORMERR: u16 = 1;
pub(crate) const SERVFAIL: u16 = 2;
pub(crate) const NXDOMAIN: u16 = 3;
pub(crate) const NOTIMP: u16 = 4;
pub(crate) const REFUSED: u16 = 5;
pub(crate) const YXDOMAIN: u16 = 6;
pub(crate) const YXRRSET: u16 = 7;
pub(crate) const NXRRSET: u16 = 8;
pub(crate) const NOTAUTH: u16 = 9;
pub(crate) const NOTZONE: u16 = 10;
pub(crate) const BADVERS: u16 = 16;

/// The message breaks the format: FORMERR, when it can be answered at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed;

/// The header's fields that matter to a server.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Head {
    pub(crate) id: u16,
    pub(crate) is_response: bool,
    pub(crate) opcode: u8,
    pub(crate) recursion_desired: bool,
    pub(crate) counts: [u16; 4],
}

/// A name as a key: lower case, uncompressed, in wire form.
#[derive(Clone)]
pub(crate) struct NameKey {
    bytes: [u8; NAME_MAX],
    len: usize,
}

impl NameKey {
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

/// The question of a query.
pub(crate) struct Question<'p> {
    /// Name, type and class as they stand in the message.
    pub(crate) bytes: &'p [u8],
    pub(crate) key: NameKey,
    pub(crate) record_type: u16,
    pub(crate) class: u16,
}

/// What a requester says about itself (RFC 6891).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Edns {
    pub(crate) payload: u16,
    pub(crate) version: u8,
}

/// Where the transaction signature stands (RFC 8945).
#[derive(Debug, Clone, Copy)]
pub(crate) struct TsigPlace {
    /// Where its record starts.
    pub(crate) start: usize,
}

/// One record of a section.
pub(crate) struct RawRecord {
    /// Where its name starts.
    pub(crate) name: usize,
    pub(crate) record_type: u16,
    pub(crate) class: u16,
    pub(crate) ttl: u32,
    /// Where its data start and end.
    pub(crate) data: (usize, usize),
}

/// A message, taken apart as far as every message is.
pub(crate) struct Packet<'p> {
    pub(crate) bytes: &'p [u8],
    pub(crate) head: Head,
    pub(crate) question: Question<'p>,
    /// Where the sections after the question start.
    pub(crate) sections: usize,
    pub(crate) edns: Option<Edns>,
    pub(crate) tsig: Option<TsigPlace>,
}

/// The header, when the message is long enough for one.
pub(crate) fn head(bytes: &[u8]) -> Option<Head> {
    if bytes.len() < HEADER {
        return None;
    }
    let word = |at: usize| u16::from_be_bytes([bytes[at], bytes[at + 1]]);
    Some(Head {
        id: word(0),
        is_response: bytes[2] & 0x80 != 0,
        opcode: bytes[2] >> 3 & 0x0f,
        recursion_desired: bytes[2] & 1 != 0,
        counts: [word(4), word(6), word(8), word(10)],
    })
}

impl<'p> Packet<'p> {
    /// Reads a message with one question.
    pub(crate) fn read(bytes: &'p [u8], head: Head) -> Result<Self, Malformed> {
        if head.counts[0] != 1 {
            return Err(Malformed);
        }
        let (key, end) = question_name(bytes)?;
        let fixed = bytes.get(end..end + 4).ok_or(Malformed)?;
        let record_type = u16::from_be_bytes([fixed[0], fixed[1]]);
        let class = u16::from_be_bytes([fixed[2], fixed[3]]);
        let sections = end + 4;
        let question = Question { bytes: &bytes[HEADER..sections], key, record_type, class };
        let mut packet = Self { bytes, head, question, sections, edns: None, tsig: None };
        packet.read_pseudo_records()?;
        Ok(packet)
    }

    /// Finds OPT and TSIG, and that the counts are true.
    fn read_pseudo_records(&mut self) -> Result<(), Malformed> {
        let [_, answers, authority, additionals] = self.head.counts;
        let mut at = self.sections;
        for _ in 0..u32::from(answers) + u32::from(authority) {
            at = raw_record(self.bytes, at)?.data.1;
        }
        for index in 0..additionals {
            let start = at;
            let record = raw_record(self.bytes, at)?;
            at = record.data.1;
            match record.record_type {
                // RFC 6891 6.1.1: one OPT, of the root.
                TYPE_OPT if self.edns.is_some() || self.bytes[start] != 0 => return Err(Malformed),
                TYPE_OPT => self.edns = Some(Edns { payload: record.class, version: (record.ttl >> 16) as u8 }),
                // RFC 8945 5.1: TSIG is the last record.
                TYPE_TSIG if index + 1 != additionals => return Err(Malformed),
                TYPE_TSIG => self.tsig = Some(TsigPlace { start }),
                _ => {}
            }
        }
        // What follows the last record belongs to nothing.
        if at == self.bytes.len() { Ok(()) } else { Err(Malformed) }
    }

    /// Records of the answer and authority sections: prerequisites and updates of an update message.
    pub(crate) fn records(&self, section: usize) -> Result<Vec<RawRecord>, Malformed> {
        let mut at = self.sections;
        for _ in 0..self.head.counts[1..section].iter().map(|count| u32::from(*count)).sum::<u32>() {
            at = raw_record(self.bytes, at)?.data.1;
        }
        let mut records = Vec::new();
        for _ in 0..self.head.counts[section] {
            let record = raw_record(self.bytes, at)?;
            at = record.data.1;
            records.push(record);
        }
        Ok(records)
    }
}

/// The name of the question, which nothing stands before: a pointer in it would point nowhere.
fn question_name(bytes: &[u8]) -> Result<(NameKey, usize), Malformed> {
    let mut key = NameKey { bytes: [0; NAME_MAX], len: 0 };
    let mut at = HEADER;
    loop {
        let length = usize::from(*bytes.get(at).ok_or(Malformed)?);
        if length > 63 {
            return Err(Malformed);
        }
        let label = bytes.get(at..=at + length).ok_or(Malformed)?;
        let place = key.bytes.get_mut(key.len..key.len + label.len()).ok_or(Malformed)?;
        for (to, from) in place.iter_mut().zip(label) {
            *to = from.to_ascii_lowercase();
        }
        // The length is below `A` and stays what it is.
        key.len += label.len();
        at += label.len();
        if length == 0 {
            return Ok((key, at));
        }
    }
}

/// Steps over one record.
pub(crate) fn raw_record(bytes: &[u8], name: usize) -> Result<RawRecord, Malformed> {
    let at = skip_name(bytes, name)?;
    let fixed = bytes.get(at..at + 10).ok_or(Malformed)?;
    let start = at + 10;
    let end = start + usize::from(u16::from_be_bytes([fixed[8], fixed[9]]));
    if end > bytes.len() {
        return Err(Malformed);
    }
    Ok(RawRecord {
        name,
        record_type: u16::from_be_bytes([fixed[0], fixed[1]]),
        class: u16::from_be_bytes([fixed[2], fixed[3]]),
        ttl: u32::from_be_bytes([fixed[4], fixed[5], fixed[6], fixed[7]]),
        data: (start, end),
    })
}

fn skip_name(bytes: &[u8], mut at: usize) -> Result<usize, Malformed> {
    loop {
        let length = *bytes.get(at).ok_or(Malformed)?;
        at += 1;
        match length {
            0 => return Ok(at),
            1..=63 => at += usize::from(length),
            0xc0.. => return if at < bytes.len() { Ok(at + 1) } else { Err(Malformed) },
            _ => return Err(Malformed),
        }
    }
}

/// Reads a name, compressed or not, into lower-case wire form; also where it ends in the message.
pub(crate) fn read_name(bytes: &[u8], start: usize) -> Result<(Vec<u8>, usize), Malformed> {
    let mut name = Vec::new();
    let (mut at, mut end, mut pointers) = (start, None, 0);
    let mut floor = start;
    loop {
        let length = *bytes.get(at).ok_or(Malformed)?;
        match length {
            0..=63 => {
                let label = bytes.get(at..=at + usize::from(length)).ok_or(Malformed)?;
                name.push(length);
                name.extend(label[1..].iter().map(u8::to_ascii_lowercase));
                at += label.len();
                if name.len() > NAME_MAX {
                    return Err(Malformed);
                }
                if length == 0 {
                    return Ok((name, end.unwrap_or(at)));
                }
            }
            0xc0.. => {
                let low = *bytes.get(at + 1).ok_or(Malformed)?;
                let target = usize::from(length & 0x3f) << 8 | usize::from(low);
                end.get_or_insert(at + 2);
                pointers += 1;
                // Strictly backwards, so that no loop is possible.
                if target >= floor || target < HEADER || pointers > POINTERS_MAX {
                    return Err(Malformed);
                }
                floor = target;
                at = target;
            }
            _ => return Err(Malformed),
        }
    }
}

/// A name in the model's form: lower case, without the final dot. `None` for labels that the model's names cannot hold.
pub(crate) fn name_text(wire: &[u8]) -> Option<String> {
    let mut text = String::with_capacity(wire.len());
    let mut at = 0;
    while let Some(length) = wire.get(at).copied().filter(|length| *length > 0) {
        let label = wire.get(at + 1..at + 1 + usize::from(length))?;
        if !label.iter().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'.' | b'\\' | b'"' | b'(' | b')' | b';' | b'$' | b'@')) {
            return None;
        }
        if !text.is_empty() {
            text.push('.');
        }
        text.extend(label.iter().map(|byte| char::from(byte.to_ascii_lowercase())));
        at += 1 + usize::from(length);
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointers_lead_backwards_or_nowhere() {
        let mut bytes = vec![0; HEADER];
        bytes.extend_from_slice(b"\x03com\x00");
        bytes.extend_from_slice(b"\x01A\xc0\x0c");
        assert_eq!(read_name(&bytes, 17), Ok((b"\x01a\x03com\x00".to_vec(), 21)));
        for bad in [&b"\xc0\x11"[..], b"\xc0\x12", b"\xc0\x00", b"\xff\xff", b"\x40", b"\x3f", b"\xc0", b"\x01a\xc0\x11"] {
            let mut bytes = bytes[..17].to_vec();
            bytes.extend_from_slice(bad);
            assert_eq!(read_name(&bytes, 17), Err(Malformed), "{bad:?}");
        }
    }
}
