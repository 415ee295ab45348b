//! Sections of an answer in wire form, with names compressed against the question (RFC 1035 4.1.4).

use crate::packet::{CLASS_IN, HEADER};

/// Largest offset that a pointer holds.
const POINTER_MAX: usize = 0x3fff;
/// Names that later ones are compared with: enough for the names of one zone, few enough to stay quick.
const REMEMBERED_MAX: usize = 64;

/// Record data, ready to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Data {
    /// Bytes without names, or with names that must not be compressed (RFC 3597 4).
    Plain(Vec<u8>),
    /// One name that may be compressed (NS, CNAME).
    Name(Vec<u8>),
}

/// The sections after the question.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Body {
    pub(crate) bytes: Vec<u8>,
    /// Records of the answer, authority and additional sections.
    pub(crate) counts: [u16; 3],
    /// Length without the additional section, which may be left out.
    pub(crate) essential: usize,
}

/// Writes the sections of one message in order.
pub(crate) struct Builder {
    body: Body,
    /// Where the body starts in the message.
    base: usize,
    remembered: Vec<(Vec<u8>, u16)>,
}

impl Builder {
    /// For a message whose question has this name.
    pub(crate) fn new(question: &[u8]) -> Self {
        let mut builder = Self { body: Body::default(), base: HEADER + question.len() + 4, remembered: Vec::new() };
        builder.remember(question, HEADER);
        builder
    }

    /// For a message without question.
    pub(crate) fn without_question() -> Self {
        Self { body: Body::default(), base: HEADER, remembered: Vec::new() }
    }

    pub(crate) fn answer(&mut self, owner: &[u8], record_type: u16, ttl: u32, data: &Data) {
        self.record(owner, record_type, ttl, data);
        self.body.counts[0] += 1;
        self.body.essential = self.body.bytes.len();
    }

    pub(crate) fn authority(&mut self, owner: &[u8], record_type: u16, ttl: u32, data: &Data) {
        self.record(owner, record_type, ttl, data);
        self.body.counts[1] += 1;
        self.body.essential = self.body.bytes.len();
    }

    pub(crate) fn additional(&mut self, owner: &[u8], record_type: u16, ttl: u32, data: &Data) {
        self.record(owner, record_type, ttl, data);
        self.body.counts[2] += 1;
    }

    /// Length of the message so far.
    pub(crate) fn len(&self) -> usize {
        self.base + self.body.bytes.len()
    }

    pub(crate) fn finish(self) -> Body {
        self.body
    }

    fn record(&mut self, owner: &[u8], record_type: u16, ttl: u32, data: &Data) {
        self.name(owner);
        self.body.bytes.extend_from_slice(&record_type.to_be_bytes());
        self.body.bytes.extend_from_slice(&CLASS_IN.to_be_bytes());
        self.body.bytes.extend_from_slice(&ttl.to_be_bytes());
        let length_at = self.body.bytes.len();
        self.body.bytes.extend_from_slice(&[0, 0]);
        match data {
            Data::Plain(bytes) => self.body.bytes.extend_from_slice(bytes),
            Data::Name(name) => self.name(name),
        }
        let length = (self.body.bytes.len() - length_at - 2) as u16;
        self.body.bytes[length_at..length_at + 2].copy_from_slice(&length.to_be_bytes());
    }

    fn name(&mut self, name: &[u8]) {
        let start = self.len();
        let mut at = 0;
        while name[at] != 0 {
            if let Some((_, place)) = self.remembered.iter().find(|(known, _)| *known == name[at..]) {
                let pointer = 0xc000 | place;
                self.body.bytes.extend_from_slice(&name[..at]);
                self.body.bytes.extend_from_slice(&pointer.to_be_bytes());
                self.remember_until(name, start, at);
                return;
            }
            at += 1 + usize::from(name[at]);
        }
        self.body.bytes.extend_from_slice(name);
        self.remember(name, start);
    }

    fn remember(&mut self, name: &[u8], start: usize) {
        self.remember_until(name, start, name.len() - 1);
    }

    fn remember_until(&mut self, name: &[u8], start: usize, end: usize) {
        let mut at = 0;
        while at < end && start + at <= POINTER_MAX && self.remembered.len() < REMEMBERED_MAX {
            self.remembered.push((name[at..].to_vec(), (start + at) as u16));
            at += 1 + usize::from(name[at]);
        }
    }
}
