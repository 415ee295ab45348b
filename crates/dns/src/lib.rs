//! A real DNS server over the fabric's zones, and partners' resolvers whose caches live in virtual time.
//!
//! The way of one look-up: [`PartnerResolver::lookup`] serves what its cache still holds at a virtual instant, and
//! otherwise asks [`DnsServer`] over UDP (and TCP, when an answer is truncated). The server answers from an immutable
//! snapshot of the zones; [`DnsServer::publish`] swaps it as a whole, so that no answer mixes two states.
//!
//! Nothing leaves the machine: the server is authoritative for everything (names outside all zones do not exist), and
//! every address that it hands out is a loopback address of [`AddressMap`].

mod address;
mod cache;
mod error;
mod loopback;
mod query;
mod resolver;
mod server;
mod snapshot;
pub mod targets;

pub use address::AddressMap;
pub use cache::{CacheLine, Remembered};
pub use error::DnsError;
pub use loopback::{Addressing, Fallback, LoopbackBlock};
pub use query::{QueryError, query};
pub use resolver::PartnerResolver;
pub use server::DnsServer;
