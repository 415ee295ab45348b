//! What happens to stanzas that arrive: the gateway's side of a stream (dossier F.7; RFC 6120 8, RFC 6121, XEP-0199).

use std::sync::Arc;

use firedrill_fabric::federation::{Undelivered, XmppPartnerType};

use super::element::Element;
use super::host::Host;
use super::jid::Jid;
use super::mail::{Content, Delivery};
use super::words::{PING, SERVER, STANZA_ERRORS};
use crate::behaviour::Behaviour;

/// Why a stanza comes back (RFC 6120 8.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bounce {
    kind: &'static str,
    pub(crate) condition: &'static str,
}

/// Nobody here answers that (RFC 6121 8.5.1 for users that do not exist, 8.2.3 for unknown requests).
const SERVICE_UNAVAILABLE: Bounce = Bounce { kind: "cancel", condition: "service-unavailable" };

/// How an undelivered stanza comes back. The gateway's own words are not documented: these are RFC 6120's for the case
/// (invented).
pub(crate) fn bounce(undelivered: Undelivered) -> Bounce {
    match undelivered {
        Undelivered::NoSuchUser => SERVICE_UNAVAILABLE,
        Undelivered::UserNotServed | Undelivered::UserLimited => Bounce { kind: "wait", condition: "recipient-unavailable" },
        Undelivered::NextHopUnavailable => Bounce { kind: "wait", condition: "remote-server-timeout" },
        Undelivered::PartnerNotAllowed => Bounce { kind: "auth", condition: "forbidden" },
        Undelivered::NoRoute | Undelivered::RouteUnavailable => Bounce { kind: "cancel", condition: "remote-server-not-found" },
    }
}

/// Takes a stanza from an authenticated peer. Answers go out on a stream of our own.
pub(crate) fn receive(host: &Arc<Host>, stanza: Element, from: &Jid<'_>, to: &Jid<'_>) {
    let kind = stanza.get("type").unwrap_or_default().to_owned();
    let answer = match stanza.name.as_str() {
        "iq" => iq(host, stanza, &kind, to),
        "message" => message(host, &stanza, &kind, from, to),
        _ => presence(host, &stanza, &kind, from, to),
    };
    for answer in answer {
        // The peer asked; when it cannot be reached it learns nothing.
        let _outcome = host.post(to.domain, from.domain, answer);
    }
}

fn iq(host: &Host, stanza: Element, kind: &str, to: &Jid<'_>) -> Vec<Element> {
    match kind {
        "result" | "error" => {
            // An answer that nobody waits for means nothing.
            let _awaited = host.answer(stanza);
            Vec::new()
        }
        "get" if to.local.is_none() && stanza.find(PING, "ping").is_some() => vec![reply(&stanza, "result")],
        // The gateway translates messages and presence, nothing else.
        _ => vec![returned(&stanza, SERVICE_UNAVAILABLE)],
    }
}

fn message(host: &Host, stanza: &Element, kind: &str, from: &Jid<'_>, to: &Jid<'_>) -> Vec<Element> {
    if to.local.is_none() {
        return if kind == "error" { Vec::new() } else { vec![returned(stanza, SERVICE_UNAVAILABLE)] };
    }
    let content = if kind == "error" {
        Content::Bounce(condition(stanza))
    } else {
        match stanza.find(SERVER, "body") {
            Some(body) => Content::Message(body.content()),
            // Chat states and receipts: nothing that a user of ours sees.
            None => return Vec::new(),
        }
    };
    let error = matches!(content, Content::Bounce(_));
    match admitted(host, from, to) {
        Ok(()) => {
            deliver(host, from, to, content);
            Vec::new()
        }
        // Errors are never answered with errors (RFC 6120 8.3.1).
        Err(_) if error => Vec::new(),
        Err(bounce) => vec![returned(stanza, bounce)],
    }
}

/// Whether a partner's user reaches one of ours: the model decides, and for unverified public partners the contact list
/// ("Create or edit XMPP partner configuration in Lync Server 2013"; the words of the refusal are invented).
fn admitted(host: &Host, from: &Jid<'_>, to: &Jid<'_>) -> Result<(), Bounce> {
    let behaviour = host.behaviour();
    let Behaviour::Edge(listener) = &*behaviour else { return Ok(()) };
    host.around.gateway().inbound(listener.computer, &to.bare()).map_err(bounce)?;
    let known = host.around.mail().has_contact(&to.bare(), &from.bare());
    if host.policy(from.domain).kind == XmppPartnerType::PublicUnverified && !known {
        return Err(Bounce { kind: "auth", condition: "forbidden" });
    }
    Ok(())
}

/// RFC 6121 3 and 4. Users of the mock answer at once: they accept whom they may be asked by, and tell their presence.
fn presence(host: &Host, stanza: &Element, kind: &str, from: &Jid<'_>, to: &Jid<'_>) -> Vec<Element> {
    if to.local.is_none() {
        return Vec::new();
    }
    let between = |kind: Option<&str>| {
        let element = Element::new(SERVER, "presence").with("from", &to.bare()).with("to", &from.bare());
        kind.into_iter().fold(element, |element, kind| element.with("type", kind))
    };
    let admitted = admitted(host, from, to);
    match (kind, admitted) {
        ("error", _) => Vec::new(),
        // Who is not served has no presence (dossier B.3); who may not ask learns nothing else.
        ("probe" | "subscribe", Err(_)) => vec![between(Some("unavailable"))],
        ("subscribe", Ok(())) => {
            deliver(host, from, to, Content::Presence("subscribe".to_owned(), None));
            vec![between(Some("subscribed")), between(None)]
        }
        ("unsubscribe", _) => vec![between(Some("unsubscribed"))],
        ("probe", Ok(())) => vec![between(None)],
        (_, Err(_)) => Vec::new(),
        (kind, Ok(())) => {
            // Status notes are shown to and from federated partners alone (same page).
            let trusted = host.policy(from.domain).kind == XmppPartnerType::Federated;
            let note = stanza.find(SERVER, "status").map(Element::content).filter(|_| trusted);
            let kind = if kind.is_empty() { "available" } else { kind };
            deliver(host, from, to, Content::Presence(kind.to_owned(), note));
            Vec::new()
        }
    }
}

fn deliver(host: &Host, from: &Jid<'_>, to: &Jid<'_>, content: Content) {
    let via = match &*host.behaviour() {
        Behaviour::Edge(listener) => Some(listener.computer),
        _ => None,
    };
    host.around.mail().deliver(Delivery { at: host.around.now(), from: from.bare(), to: to.bare(), via, content });
}

/// The condition of a stanza error.
fn condition(stanza: &Element) -> String {
    let error = stanza.find(SERVER, "error");
    let named = error.and_then(|error| error.elements().find(|child| child.namespace == STANZA_ERRORS && child.name != "text"));
    named.map_or_else(|| "undefined-condition".to_owned(), |condition| condition.name.clone())
}

fn reply(stanza: &Element, kind: &str) -> Element {
    let mut answer = Element::new(SERVER, &stanza.name).with("type", kind);
    for (ours, theirs) in [("from", "to"), ("to", "from"), ("id", "id")] {
        if let Some(value) = stanza.get(theirs) {
            answer = answer.with(ours, value);
        }
    }
    answer
}

fn returned(stanza: &Element, bounce: Bounce) -> Element {
    let condition = Element::new(STANZA_ERRORS, bounce.condition);
    reply(stanza, "error").child(Element::new(SERVER, "error").with("type", bounce.kind).child(condition))
}

/// An instant message.
pub(crate) fn message_to(from: &str, to: &str, id: &str, body: &str) -> Element {
    let message = Element::new(SERVER, "message").with("type", "chat").with("from", from).with("to", to).with("id", id);
    message.child(Element::new(SERVER, "body").text(body))
}

/// A ping (XEP-0199).
pub(crate) fn ping(from: &str, to: &str, id: &str) -> Element {
    Element::new(SERVER, "iq").with("type", "get").with("from", from).with("to", to).with("id", id).child(Element::new(PING, "ping"))
}

/// A presence stanza; `kind` is its type, empty for available.
pub(crate) fn presence_to(from: &str, to: &str, kind: &str, status: Option<&str>) -> Element {
    let mut presence = Element::new(SERVER, "presence").with("from", from).with("to", to);
    if !kind.is_empty() {
        presence = presence.with("type", kind);
    }
    status.into_iter().fold(presence, |presence, status| presence.child(Element::new(SERVER, "status").text(status)))
}
