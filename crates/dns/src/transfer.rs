//! Zone transfers (RFC 5936): a zone as a stream of messages, each built when the one before has been taken.

use std::sync::Arc;

use crate::answer::push_opt;
use crate::build::{Builder, Data};
use crate::packet::{self, HEADER, Head, Packet, TYPE_SOA};
use crate::snapshot::PreparedZone;
use crate::tsig::{self, Signer};

/// Length at which a message is sent: well below the 65,535 that TCP allows, so that one more record always fits.
const MESSAGE_MAX: usize = 16_384;

/// A transfer under way.
pub(crate) struct Transfer {
    zone: Arc<PreparedZone>,
    head: Head,
    question: Vec<u8>,
    edns: bool,
    signer: Option<Signer>,
    /// Only the SOA record: the asker has this serial, or must come over TCP (RFC 1995 2).
    whole: bool,
    /// Records sent, without the SOA at both ends.
    sent: usize,
    state: State,
}

#[derive(PartialEq, Eq)]
enum State {
    Start,
    Records,
    Done,
}

impl Transfer {
    pub(crate) fn new(zone: Arc<PreparedZone>, head: Head, question: Vec<u8>, edns: bool, signer: Option<Signer>, whole: bool) -> Self {
        Self { zone, head, question, edns, signer, whole, sent: 0, state: State::Start }
    }

    /// The next message; none after the last.
    pub(crate) fn next(&mut self) -> Option<Vec<u8>> {
        if self.state == State::Done {
            return None;
        }
        let first = self.state == State::Start;
        let name = &self.question[..self.question.len() - 4];
        // RFC 5936 2.2.1: the first message has the question, the others may leave it out.
        let mut builder = if first { Builder::new(&lower(name)) } else { Builder::without_question() };
        let (apex, ttl, soa) = self.zone.soa();
        let end = |builder: &mut Builder| builder.answer(apex, TYPE_SOA, ttl, soa);
        if first {
            end(&mut builder);
            self.state = State::Records;
        }
        if self.whole {
            for (owner, record_type, ttl, data) in self.zone.records().skip(self.sent) {
                if builder.len() > MESSAGE_MAX {
                    break;
                }
                builder.answer(owner, record_type, ttl, data);
                self.sent += 1;
            }
        }
        if builder.len() <= MESSAGE_MAX {
            if self.whole {
                end(&mut builder);
            }
            self.state = State::Done;
        }
        let body = builder.finish();
        let mut out = Vec::with_capacity(HEADER + self.question.len() + body.bytes.len() + 128);
        out.extend_from_slice(&self.head.id.to_be_bytes());
        out.extend_from_slice(&[0x84 | u8::from(self.head.recursion_desired), 0]);
        let additionals = u16::from(first && self.edns);
        for count in [u16::from(first), body.counts[0], 0, additionals] {
            out.extend_from_slice(&count.to_be_bytes());
        }
        if first {
            out.extend_from_slice(&self.question);
        }
        out.extend_from_slice(&body.bytes);
        if first && self.edns {
            push_opt(0, &mut out);
        }
        if let Some(signer) = &mut self.signer {
            signer.sign(&mut out, tsig::machine_clock());
        }
        Some(out)
    }
}

fn lower(name: &[u8]) -> Vec<u8> {
    // Lengths of labels are below `A`.
    name.to_ascii_lowercase()
}

/// Whether the asker of an IXFR has this state already: its SOA record stands in the authority section (RFC 1995 3).
pub(crate) fn is_current(packet: &Packet<'_>, zone: &PreparedZone) -> bool {
    let Ok(records) = packet.records(2) else { return false };
    let [record] = records.as_slice() else { return false };
    let serial_of = |bytes: &[u8], start: usize| -> Option<u32> {
        let (_, at) = packet::read_name(bytes, start).ok()?;
        let (_, at) = packet::read_name(bytes, at).ok()?;
        bytes.get(at..at + 4).map(|serial| u32::from_be_bytes([serial[0], serial[1], serial[2], serial[3]]))
    };
    let (_, _, Data::Plain(soa)) = zone.soa() else { return false };
    // Our own data are without pointers, which may stand anywhere.
    let padded = [vec![0; HEADER], soa.clone()].concat();
    record.record_type == TYPE_SOA && serial_of(packet.bytes, record.data.0) == serial_of(&padded, HEADER)
}
