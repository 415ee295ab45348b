//! SIP over TCP on 5061: enough to tell a served domain from one that is turned away (OPTIONS, RFC 3261 11).

mod ask;
mod message;
mod serve;
mod words;

pub(crate) use ask::{SipAnswer, ask};
pub(crate) use serve::serve;
pub use words::{Diagnostics, diagnostics};
pub(crate) use words::{overload, refusal};
