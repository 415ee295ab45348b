//! From the bytes of a request to the bytes of the answer. Knows no sockets, so that any bytes can be tried on it.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use firedrill_fabric::world::{Credential, DynamicUpdate, Requester, UpdateCode};
use firedrill_topology::AccessList;

use crate::packet::{self, *};
use crate::settings::{Mode, Settings};
use crate::snapshot::{Given, Snapshot};
use crate::transfer::{self, Transfer};
use crate::tsig::{self, BadKind, Signer, Verified};
use crate::update;

/// Largest answer over UDP with EDNS, in bytes (DNS flag day 2020).
const UDP_PAYLOAD_MAX: u16 = 1232;
/// Largest answer over UDP without EDNS (RFC 1035 2.3.4).
const UDP_PLAIN_MAX: usize = 512;
/// Length of an OPT record without options.
const OPT: usize = 11;

/// What a request came over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transport {
    Udp,
    Tcp,
}

/// What a request gets.
pub(crate) enum Handled {
    /// Nothing: it is no request, or the server is not to answer.
    Silent,
    /// What was written.
    Reply,
    /// A zone, in several messages.
    Transfer(Box<Transfer>),
    /// What the owner of the zones makes of an update.
    Update(Box<UpdateJob>),
}

/// An update, and what is needed to answer it.
pub(crate) struct UpdateJob {
    pub(crate) update: DynamicUpdate,
    context: Context,
}

/// What of a request the answer needs.
struct Context {
    head: Head,
    question: Vec<u8>,
    edns: Option<Edns>,
    signature: Signature,
    limit: usize,
}

enum Signature {
    None,
    Good(Signer),
    Bad(tsig::BadSignature),
}

/// Answers one request. `now` is the machine's clock, for signatures.
pub(crate) fn handle(
    snapshot: &Snapshot,
    settings: &Settings,
    mode: Mode,
    bytes: &[u8],
    peer: SocketAddr,
    transport: Transport,
    out: &mut Vec<u8>,
) -> Handled {
    out.clear();
    // An answer to an answer would start a quarrel between two servers.
    let Some(head) = packet::head(bytes).filter(|head| !head.is_response) else { return Handled::Silent };
    if matches!(mode, Mode::Down | Mode::Drops) {
        return Handled::Silent;
    }
    let Ok(packet) = Packet::read(bytes, head) else { return bare(head, FORMERR, out) };
    if packet.tsig.is_none() && head.opcode == OPCODE_QUERY {
        return answer_plain(snapshot, settings, mode, &packet, peer, transport, out);
    }
    let now = tsig::machine_clock();
    let signature = match tsig::verify(&packet, &settings.keys, now) {
        Err(Malformed) => return bare(head, FORMERR, out),
        Ok(Verified::Unsigned) => Signature::None,
        Ok(Verified::Good(signer)) => Signature::Good(signer),
        Ok(Verified::Bad(bad)) => Signature::Bad(bad),
    };
    let context =
        Context { head, question: packet.question.bytes.to_vec(), edns: packet.edns, signature, limit: limit(transport, packet.edns) };
    let code = match (mode, head.opcode) {
        (Mode::ServFail, _) => SERVFAIL,
        (Mode::Refused, _) => REFUSED,
        _ if packet.edns.is_some_and(|edns| edns.version > 0) => BADVERS,
        (_, OPCODE_UPDATE) => match update::read(&packet, &settings.map) {
            Ok(content) => {
                let requester = Requester { address: settings.map.sender(peer.ip()), credential: context.credential() };
                return Handled::Update(Box::new(UpdateJob { update: content.by(requester), context }));
            }
            Err(Malformed) => FORMERR,
        },
        (_, OPCODE_QUERY) => {
            if matches!(context.signature, Signature::Bad(_)) {
                NOTAUTH
            } else if is_transfer(packet.question.record_type) {
                return answer_transfer(snapshot, settings, &packet, peer, transport, context, out);
            } else {
                let space = context.limit - context.overhead();
                let given = answer_question(snapshot, mode, &packet, transport, space, out);
                return context.finish(given, now, out);
            }
        }
        _ => NOTIMP,
    };
    out.resize(HEADER, 0);
    out.extend_from_slice(&context.question);
    context.finish(Answer::error(code), now, out)
}

/// The counts and flags of an answer whose sections have been written.
struct Answer {
    code: u16,
    authoritative: bool,
    truncated: bool,
    counts: [u16; 3],
}

impl Answer {
    fn error(code: u16) -> Self {
        Self { code, authoritative: false, truncated: false, counts: [0; 3] }
    }
}

/// The common case: a query without signature, in one pass over the buffer.
fn answer_plain(
    snapshot: &Snapshot,
    settings: &Settings,
    mode: Mode,
    packet: &Packet<'_>,
    peer: SocketAddr,
    transport: Transport,
    out: &mut Vec<u8>,
) -> Handled {
    if is_transfer(packet.question.record_type) && matches!(mode, Mode::Answering | Mode::Slow(_)) {
        let context = Context {
            head: packet.head,
            question: packet.question.bytes.to_vec(),
            edns: packet.edns,
            signature: Signature::None,
            limit: limit(transport, packet.edns),
        };
        return answer_transfer(snapshot, settings, packet, peer, transport, context, out);
    }
    let space = limit(transport, packet.edns) - if packet.edns.is_some() { OPT } else { 0 };
    let answer = answer_question(snapshot, mode, packet, transport, space, out);
    write_end(packet.head, packet.edns, &answer, out);
    Handled::Reply
}

/// Writes header space, question and sections of the answer to a query.
fn answer_question(snapshot: &Snapshot, mode: Mode, packet: &Packet<'_>, transport: Transport, space: usize, out: &mut Vec<u8>) -> Answer {
    out.resize(HEADER, 0);
    out.extend_from_slice(packet.question.bytes);
    let sections = out.len();
    let code = match mode {
        Mode::ServFail => SERVFAIL,
        Mode::Refused => REFUSED,
        _ if packet.edns.is_some_and(|edns| edns.version > 0) => BADVERS,
        Mode::TruncatedWithoutTcp if transport == Transport::Udp => {
            return Answer { authoritative: true, truncated: true, ..Answer::error(0) };
        }
        _ if packet.head.counts[1] != 0 || (packet.head.counts[2] != 0 && packet.question.record_type != TYPE_IXFR) => FORMERR,
        // ANY invites amplification, and resolvers do not need it (RFC 8482 allows refusing).
        _ if packet.question.class != CLASS_IN || matches!(packet.question.record_type, TYPE_MAILB | TYPE_MAILA | TYPE_ANY) => REFUSED,
        _ => {
            let Given { code, authoritative, mut counts, essential } =
                snapshot.answer(packet.question.key.as_bytes(), packet.question.record_type, out);
            let mut truncated = false;
            if out.len() > space {
                // RFC 2181 9: what is left out of the additional section is no truncation.
                out.truncate(sections + essential);
                counts[2] = 0;
            }
            if out.len() > space {
                out.truncate(sections);
                counts = [0; 3];
                truncated = true;
            }
            if truncated && transport == Transport::Tcp {
                // More than any message holds.
                return Answer::error(SERVFAIL);
            }
            return Answer { code, authoritative, truncated, counts };
        }
    };
    Answer::error(code)
}

fn is_transfer(record_type: u16) -> bool {
    matches!(record_type, TYPE_AXFR | TYPE_IXFR)
}

/// A zone transfer for those who may have one (RFC 5936); IXFR gets the whole zone, which RFC 1995 4 allows.
fn answer_transfer(
    snapshot: &Snapshot,
    settings: &Settings,
    packet: &Packet<'_>,
    peer: SocketAddr,
    transport: Transport,
    context: Context,
    out: &mut Vec<u8>,
) -> Handled {
    let allowed = admits(&settings.transfer_to, settings.map.sender(peer.ip()), &context.signature);
    let zone = snapshot.zone(packet.question.key.as_bytes());
    let incremental = packet.question.record_type == TYPE_IXFR;
    let code = match zone {
        _ if packet.edns.is_some_and(|edns| edns.version > 0) => BADVERS,
        _ if !allowed || packet.question.class != CLASS_IN => REFUSED,
        None => NOTAUTH,
        Some(_) if transport == Transport::Udp && !incremental => REFUSED,
        Some(zone) => {
            let current = incremental && transfer::is_current(packet, zone);
            let whole = transport == Transport::Tcp && !current;
            let Context { head, question, edns, signature, .. } = context;
            let signer = if let Signature::Good(signer) = signature { Some(signer) } else { None };
            return Handled::Transfer(Box::new(Transfer::new(Arc::clone(zone), head, question, edns.is_some(), signer, whole)));
        }
    };
    out.resize(HEADER, 0);
    out.extend_from_slice(&context.question);
    context.finish(Answer::error(code), tsig::machine_clock(), out)
}

/// Whether an access list lets somebody in.
fn admits(list: &AccessList, sender: std::net::Ipv4Addr, signature: &Signature) -> bool {
    match signature {
        Signature::None => list.addresses.contains(&sender),
        Signature::Good(signer) => list.keys.iter().any(|key| key.name == signer.key_name()) || list.addresses.contains(&sender),
        Signature::Bad(_) => false,
    }
}

impl UpdateJob {
    /// Writes the answer.
    pub(crate) fn answer(self, code: UpdateCode, out: &mut Vec<u8>) {
        out.clear();
        out.resize(HEADER, 0);
        out.extend_from_slice(&self.context.question);
        self.context.finish(Answer::error(update::rcode(code)), tsig::machine_clock(), out);
    }
}

impl Context {
    fn credential(&self) -> Credential {
        match &self.signature {
            Signature::None => Credential::None,
            Signature::Good(signer) => Credential::Key(signer.key_name().to_owned()),
            Signature::Bad(bad) => match bad.kind {
                BadKind::Key => Credential::UnknownKey(bad.key.clone()),
                BadKind::Signature => Credential::BadSignature(bad.key.clone()),
                BadKind::Time => Credential::BadTime(bad.key.clone()),
            },
        }
    }

    fn overhead(&self) -> usize {
        let signature = if let Signature::Good(signer) = &self.signature { signer.overhead() } else { 0 };
        signature + if self.edns.is_some() { OPT } else { 0 }
    }

    fn finish(self, answer: Answer, now: u64, out: &mut Vec<u8>) -> Handled {
        write_end(self.head, self.edns, &answer, out);
        match self.signature {
            Signature::None => {}
            Signature::Good(mut signer) => signer.sign(out, now),
            Signature::Bad(bad) => bad.append(out, now),
        }
        Handled::Reply
    }
}

/// An answer of a header only: the rest of the request could not be read.
fn bare(head: Head, code: u16, out: &mut Vec<u8>) -> Handled {
    out.resize(HEADER, 0);
    write_header(head, &Answer::error(code), 0, 0, out);
    Handled::Reply
}

/// Appends OPT and fills the header in.
fn write_end(head: Head, edns: Option<Edns>, answer: &Answer, out: &mut Vec<u8>) {
    if edns.is_some() {
        push_opt((answer.code >> 4) as u8, out);
    }
    write_header(head, answer, 1, u16::from(edns.is_some()), out);
}

/// Our side of EDNS (RFC 6891 6.1.2): version 0, no options.
pub(crate) fn push_opt(high_code: u8, out: &mut Vec<u8>) {
    out.push(0);
    out.extend_from_slice(&TYPE_OPT.to_be_bytes());
    out.extend_from_slice(&UDP_PAYLOAD_MAX.to_be_bytes());
    out.extend_from_slice(&[high_code, 0, 0, 0, 0, 0]);
}

fn write_header(head: Head, answer: &Answer, questions: u16, opt: u16, out: &mut [u8]) {
    let flags =
        0x80 | head.opcode << 3 | u8::from(answer.authoritative) << 2 | u8::from(answer.truncated) << 1 | u8::from(head.recursion_desired);
    out[..2].copy_from_slice(&head.id.to_be_bytes());
    out[2] = flags;
    out[3] = (answer.code & 0x0f) as u8;
    let [answers, authority, additionals] = answer.counts;
    for (place, count) in [(4, questions), (6, answers), (8, authority), (10, additionals + opt)] {
        out[place..place + 2].copy_from_slice(&count.to_be_bytes());
    }
}

fn limit(transport: Transport, edns: Option<Edns>) -> usize {
    match (transport, edns) {
        (Transport::Tcp, _) => usize::from(u16::MAX),
        (Transport::Udp, None) => UDP_PLAIN_MAX,
        (Transport::Udp, Some(edns)) => usize::from(edns.payload.clamp(UDP_PLAIN_MAX as u16, UDP_PAYLOAD_MAX)),
    }
}

impl crate::address::AddressMap {
    /// The topology's address of a sender; a program of this machine that the topology does not know keeps its own.
    pub(crate) fn sender(&self, peer: IpAddr) -> std::net::Ipv4Addr {
        match peer {
            IpAddr::V4(address) => self.topology(address).unwrap_or(address),
            IpAddr::V6(_) => std::net::Ipv4Addr::LOCALHOST,
        }
    }
}
