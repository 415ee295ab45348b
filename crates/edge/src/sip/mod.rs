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
mod words;

pub use call::{SipFailure, TlsFacts};
pub use frame::Malformed;
pub(crate) use serve::serve;
pub use words::{Diagnostics, SipRefusal, diagnostics};
pub(crate) use words::{OVERLOAD, edge_refusal};
