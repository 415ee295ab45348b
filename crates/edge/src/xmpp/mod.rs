//! XMPP server-to-server streams: framing, TLS, authentication, stanzas (RFC 6120, XEP-0178, XEP-0199, XEP-0220).
//!
//! [`host`] is a server; [`serve`] receives streams and [`call`] opens them; [`outgoing`] keeps those that carry stanzas;
//! [`policy`] decides by settings alone; [`post`] is the gateway behind a stream.

pub(crate) mod call;
mod dialback;
pub(crate) mod directory;
mod element;
mod frame;
pub(crate) mod host;
mod jid;
pub(crate) mod ledger;
mod line;
mod mail;
mod outgoing;
mod policy;
mod post;
mod serve;
mod words;

pub use call::{Facts, Method, StreamFailure};
pub(crate) use element::Element;
pub use ledger::StreamRecord;
pub(crate) use line::BoxedIo;
pub use mail::{Content, Delivery, Mail};
pub(crate) use post::{message_to, ping, presence_to};
pub(crate) use serve::serve;
pub use words::Condition;
pub(crate) use words::{condition_refusal, overload};
