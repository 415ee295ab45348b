//! A real DNS server over the fabric's zones, and partners' resolvers whose caches live in virtual time.
//!
//! The way of one look-up: [`PartnerResolver::lookup`] serves what its cache still holds at a virtual instant, and
//! otherwise asks [`DnsServer`] over UDP (and TCP, when an answer is truncated). The server answers from an immutable
//! snapshot of the zones; [`DnsServer::publish`] swaps it as a whole, so that no answer mixes two states. Dynamic updates
//! go to whoever owns the zones, through [`UpdateQueue`], and come back as a published state.
//!
//! Nothing leaves the machine: the server is authoritative for everything (names outside all zones do not exist), and
//! every address that it hands out is a loopback address of [`AddressMap`].
//!
//! The server reads and writes messages itself, over tokio's sockets: `answer` leads from the bytes of a request to those
//! of the answer and knows no sockets.

mod address;
mod answer;
mod build;
mod cache;
mod error;
mod group;
#[cfg(test)]
mod hostile;
mod loopback;
mod notify;
mod packet;
mod query;
mod resolver;
mod serve;
mod server;
mod settings;
mod snapshot;
pub mod targets;
mod transfer;
mod tsig;
mod update;

pub use address::AddressMap;
pub use cache::{CacheLine, Remembered};
pub use error::{DnsError, Occupant};
pub use group::NameServers;
pub use loopback::{Addressing, Fallback, LoopbackBlock};
pub use query::{QueryError, query};
pub use resolver::PartnerResolver;
pub use server::DnsServer;
pub use settings::{Access, Mode};
pub use update::{PendingUpdate, UpdateQueue, UpdateSender, update_queue};
