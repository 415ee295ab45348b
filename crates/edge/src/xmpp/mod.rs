//! XMPP server-to-server streams: headers, features and stream errors (RFC 6120 4).

mod ask;
mod frame;
mod serve;
mod words;

pub(crate) use ask::{StreamAnswer, ask};
pub(crate) use serve::serve;
pub use words::Condition;
pub(crate) use words::{condition_refusal, overload};
