//! Real listeners of the mock Edge on 5269 and 5061, and the probes that test them.
//!
//! [`EdgeFleet`] makes the wire follow the model: each external listener of the fabric
//! ([`Listener`](firedrill_fabric::federation::Listener)) is a TCP socket on a loopback address of its own that listens
//! exactly while the model says so. [`probe`] walks the way of a federated partner: DNS through its own resolver,
//! targets, TCP, and the first words of the protocol. [`agree`] compares what it found with the model's answer.
//! [`Network`] holds all of it for one fabric.
//!
//! What the wire speaks here: XMPP server-to-server with TLS, SASL EXTERNAL and Server Dialback (RFC 6120, XEP-0220), and SIP
//! over mutual TLS (RFC 3261), with certificates of the fabric's own authority ([`Authority`]). Messages reach users as the
//! model decides at that moment ([`Gateway`]); [`Mail`] shows what arrived. Clients sign in at the pools' registrars and
//! through the Access Edges ([`Network::sign_in`]).

mod agree;
mod behaviour;
mod door;
mod error;
mod fleet;
mod goodbye;
mod inner;
mod limits;
mod measure;
mod network;
mod partner;
pub mod probe;
mod registrars;
mod sign_in;
mod sip;
mod surroundings;
mod tls;
mod trace;
mod xmpp;

pub use agree::{Disagreement, agree};
pub use error::{EdgeError, ProbeError};
pub use fleet::EdgeFleet;
pub use limits::Limits;
pub use measure::start_to_first_answer;
pub use network::{Network, NetworkError, SendError, SipAsk, SipError, SipOutcome};
pub use partner::PartnerListeners;
pub use sip::{Diagnostics, Malformed, SipFailure, SipRefusal, TlsFacts, answers_to, diagnostics};
pub use surroundings::{Gateway, OpenGateway};
pub use tls::{Authority, CertificateFault, CertificateProblem, Credentials};
pub use xmpp::{Condition, Content, Delivery, Facts, Mail, Method, StreamFailure, StreamRecord};
