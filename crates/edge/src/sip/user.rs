//! Users of the mock as SIP user agents: sessions of instant messages, single messages, presence (RFC 3261 12, 13; RFC 3428;
//! RFC 3856, RFC 6665).
//!
//! There is no media: an offer of audio or video is not acceptable, and the answer says so.

use std::collections::BTreeMap;

use ezk_sip_types::Name;

use super::desk::{ALLOWED, Desk, Peer};
use super::message::{Party, Request, name_addr};
use super::reply::Reply;
use super::words::{SipRefusal, status};
use crate::behaviour::Behaviour;
use crate::xmpp::{Content, Delivery};

/// Bodies that are understood.
pub(super) const ACCEPTED: &str = "application/sdp, text/plain";
/// The one event package (RFC 3856).
const PRESENCE: &str = "presence";
/// Longest and usual time of a subscription, in seconds (RFC 3856 6.4: an hour).
const SUBSCRIBED_FOR: u32 = 3600;

/// Sessions and subscriptions of one connection, by Call-ID and the peer's tag.
#[derive(Debug, Default)]
pub(crate) struct Dialogs(BTreeMap<(String, String), Dialog>);

/// One of them.
#[derive(Debug)]
struct Dialog {
    /// Our tag.
    tag: String,
    /// Number of the peer's last request.
    sequence: u32,
}

/// Everything that is sent because of a request that reached a user.
pub(super) fn receive(desk: &Desk<'_>, request: &Request, peer: &mut Peer, tag: &str) -> Vec<String> {
    let source = peer.source;
    let write = |reply: &Reply| reply.write(&request.message, tag, source);
    if let Some(ours) = &request.to_tag {
        let key = (request.call_id.clone(), request.from_tag.clone().unwrap_or_default());
        let reply = match peer.dialogs.0.get_mut(&key).filter(|dialog| dialog.tag == *ours) {
            None => desk.refuse(SipRefusal::NoSession),
            // A request that was overtaken (RFC 3261 12.2.2).
            Some(dialog) if request.sequence <= dialog.sequence => Reply::new(status::OUT_OF_ORDER),
            Some(dialog) => {
                dialog.sequence = request.sequence;
                within(desk, request, peer, &key)
            }
        };
        return vec![write(&reply)];
    }
    match request.method.as_str() {
        "OPTIONS" => vec![write(&Reply::new(status::OK).with("Allow", ALLOWED).with("Accept", ACCEPTED))],
        "MESSAGE" => vec![write(&message(desk, request))],
        "INVITE" => invite(desk, request, peer, tag).iter().map(write).collect(),
        "SUBSCRIBE" => subscribe(desk, request, peer, tag),
        // What belongs to something belongs to nothing here.
        _ => vec![write(&desk.refuse(SipRefusal::NoSession))],
    }
}

/// A request of a session or subscription (RFC 3261 12.2.2).
fn within(desk: &Desk<'_>, request: &Request, peer: &mut Peer, key: &(String, String)) -> Reply {
    match request.method.as_str() {
        "BYE" => {
            peer.dialogs.0.remove(key);
            Reply::new(status::OK)
        }
        "SUBSCRIBE" => {
            let seconds = expiry(request);
            if seconds == 0 {
                peer.dialogs.0.remove(key);
            }
            Reply::new(status::OK).with("Expires", seconds.to_string())
        }
        "MESSAGE" => message(desk, request),
        "INVITE" => session(desk, request),
        "CANCEL" => desk.refuse(SipRefusal::NoSession),
        _ => Reply::new(status::OK),
    }
}

/// An instant message, alone or in a session.
fn message(desk: &Desk<'_>, request: &Request) -> Reply {
    let content_type = request.message.first(&Name::CONTENT_TYPE).unwrap_or_default();
    let plain = content_type.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("text/plain"));
    let (true, Ok(text)) = (plain, std::str::from_utf8(&request.message.body)) else {
        return Reply::new(status::UNSUPPORTED_MEDIA).with("Accept", "text/plain");
    };
    let via = match &*desk.behaviour {
        Behaviour::Edge(listener) => Some(listener.computer),
        _ => None,
    };
    let address = |party: &Party| party.address().unwrap_or_else(|| party.host.clone()).to_lowercase();
    let around = &desk.host.around;
    around.mail().deliver(Delivery {
        at: around.now(),
        from: address(&request.from),
        to: address(&request.to),
        via,
        content: Content::Message(text.to_owned()),
    });
    Reply::new(status::OK)
}

/// INVITE (RFC 3261 13.3): rings, and is taken.
fn invite(desk: &Desk<'_>, request: &Request, peer: &mut Peer, tag: &str) -> Vec<Reply> {
    if request.message.first(&Name::CONTACT).is_none() {
        return vec![desk.refuse(SipRefusal::Unreadable)];
    }
    let taken = session(desk, request);
    if taken.status != status::OK {
        return vec![taken];
    }
    if !enter(desk, request, peer, tag) {
        return vec![Reply::new(status::UNAVAILABLE).with("Retry-After", "60")];
    }
    vec![routed(desk, request, Reply::new(status::RINGING)), routed(desk, request, taken)]
}

/// The answer to an offer (RFC 3264): instant messages are taken, media are not modelled.
fn session(desk: &Desk<'_>, request: &Request) -> Reply {
    let content_type = request.message.first(&Name::CONTENT_TYPE).unwrap_or_default();
    let offered = content_type.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/sdp"));
    let offer = std::str::from_utf8(&request.message.body).unwrap_or_default();
    let mut media = offer.lines().filter_map(|line| line.strip_prefix("m="));
    if !offered || !media.clone().any(|line| line.starts_with("message ")) {
        return Reply::new(status::NOT_ACCEPTABLE).with("Warning", format!("304 {} \"Media type not available\"", desk.name));
    }
    let lines = media.by_ref().map(|line| match line.split_once(' ') {
        Some(("message", _)) => "m=message 5060 sip null\r\na=accept-types:text/plain\r\n".to_owned(),
        // Declined (RFC 3264 6): the port is 0, everything else as it was.
        _ => format!("m={} 0 {}\r\n", line.split(' ').next().unwrap_or("audio"), line.split(' ').skip(2).collect::<Vec<_>>().join(" ")),
    });
    let body = format!("v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=session\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n{}", lines.collect::<String>());
    Reply::new(status::OK).with("Allow", ALLOWED).carrying("application/sdp", body)
}

/// SUBSCRIBE (RFC 6665 4.2): the subscription, and at once what it is about.
fn subscribe(desk: &Desk<'_>, request: &Request, peer: &mut Peer, tag: &str) -> Vec<String> {
    let source = peer.source;
    let event = request.message.first(&Name::EVENT).map(|event| event.split(';').next().unwrap_or_default().trim());
    if event != Some(PRESENCE) {
        return vec![Reply::new(status::BAD_EVENT).with("Allow-Events", PRESENCE).write(&request.message, tag, source)];
    }
    let Some((contact, _)) = request.message.first(&Name::CONTACT).and_then(name_addr).filter(|(uri, _)| Party::parse(uri).is_ok()) else {
        return vec![desk.refuse(SipRefusal::Unreadable).write(&request.message, tag, source)];
    };
    let seconds = expiry(request);
    if seconds > 0 && !enter(desk, request, peer, tag) {
        return vec![Reply::new(status::UNAVAILABLE).with("Retry-After", "60").write(&request.message, tag, source)];
    }
    let answer = routed(desk, request, Reply::new(status::OK).with("Expires", seconds.to_string()));
    vec![answer.write(&request.message, tag, source), notify(desk, request, contact, tag, seconds)]
}

fn notify(desk: &Desk<'_>, request: &Request, contact: &str, tag: &str, seconds: u32) -> String {
    let (to, from) = (request.message.first(&Name::FROM).unwrap_or_default(), request.message.first(&Name::TO).unwrap_or_default());
    let routes: String = request.message.all(&Name::RECORD_ROUTE).map(|route| format!("Route: {route}\r\n")).collect();
    let state = if seconds > 0 { format!("active;expires={seconds}") } else { "terminated;reason=timeout".to_owned() };
    let who = request.target.address().unwrap_or_default();
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><presence xmlns=\"urn:ietf:params:xml:ns:pidf\" entity=\"pres:{}\"><tuple id=\"firedrill\">\
         <status><basic>open</basic></status></tuple></presence>",
        escape(&who)
    );
    format!(
        "NOTIFY {contact} SIP/2.0\r\nVia: SIP/2.0/TLS {}:5061;branch=z9hG4bK{}\r\nMax-Forwards: 70\r\n{routes}From: {from};tag={tag}\r\nTo: {to}\r\n\
         Call-ID: {}\r\nCSeq: 1 NOTIFY\r\nContact: {}\r\nEvent: {PRESENCE}\r\nSubscription-State: {state}\r\n\
         Content-Type: application/pidf+xml\r\nContent-Length: {}\r\n\r\n{body}",
        desk.name,
        desk.host.fresh_id("branch"),
        request.call_id,
        contact_of(request),
        body.len()
    )
}

/// Notes a dialog; false when the connection holds too many already.
fn enter(desk: &Desk<'_>, request: &Request, peer: &mut Peer, tag: &str) -> bool {
    if peer.dialogs.0.len() >= desk.host.around.limits().sip_dialogs {
        return false;
    }
    let key = (request.call_id.clone(), request.from_tag.clone().unwrap_or_default());
    peer.dialogs.0.insert(key, Dialog { tag: tag.to_owned(), sequence: request.sequence });
    true
}

/// What makes a dialog of a response: the user's Contact, and the way that requests of the dialog take, through this server
/// and those that the request came through (RFC 3261 12.1.1, 16.6 step 4).
fn routed(desk: &Desk<'_>, request: &Request, reply: Reply) -> Reply {
    let ours = format!("<sip:{}:5061;transport=tls;lr>", desk.name);
    let theirs = request.message.all(&Name::RECORD_ROUTE).map(str::to_owned);
    let reply = std::iter::once(ours).chain(theirs).fold(reply, |reply, route| reply.with("Record-Route", route));
    reply.with("Contact", contact_of(request))
}

fn contact_of(request: &Request) -> String {
    let user = request.target.user.as_deref().unwrap_or_default();
    // The user as the request has it: what is escaped there is escaped here.
    let written: String =
        user.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect();
    format!("<sip:{written}@{};transport=tls>", request.target.host)
}

/// Characters that need no escaping in the user part (RFC 3261 25.1).
fn plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_.!~*'()&=+$,;?/".contains(&byte)
}

/// Seconds for which a subscription is wanted, at most ours.
fn expiry(request: &Request) -> u32 {
    let wanted = request.message.first(&Name::EXPIRES).and_then(|expires| expires.parse::<u32>().ok());
    wanted.unwrap_or(SUBSCRIBED_FOR).min(SUBSCRIBED_FOR)
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
