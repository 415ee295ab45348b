//! SIP over TLS on 5061: framing, mutual TLS, what servers answer and how clients ask (RFC 3261; dossier F.5, F.6, J).
//!
//! [`frame`] and [`message`] read bytes and are pure; [`serve`] receives connections, and [`desk`] decides on them; [`call`]
//! opens them; [`words`] has the exact strings.

pub(crate) mod call;
mod desk;
pub(crate) mod frame;
mod line;
mod message;
mod reply;
mod serve;
pub(crate) mod talk;
mod user;
mod words;

pub use call::{SipFailure, TlsFacts};
pub use frame::Malformed;
pub(crate) use message::{name_addr, parameter};
pub(crate) use serve::serve;
pub use words::{Diagnostics, SipRefusal, diagnostics};
pub(crate) use words::{OVERLOAD, SERVED_BY, edge_refusal};

/// Host and port of a URI.
pub(crate) fn party(uri: &str) -> Option<(String, Option<u16>)> {
    message::Party::parse(uri).ok().map(|party| (party.host, party.port))
}
