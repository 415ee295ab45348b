//! What can go wrong on the wire that the model knows nothing about.

use std::net::{Ipv4Addr, SocketAddr};

use firedrill_dns::DnsError;

use crate::sip::SipFailure;
use crate::tls::CertificateFault;
use crate::xmpp::StreamFailure;

/// A listener could not be made to follow the model.
#[derive(Debug, thiserror::Error)]
pub enum EdgeError {
    /// The address and port could not be had.
    #[error("the mock Edge cannot have port {port} of {bind} (external address {address}): {source}\n\nhint: {}", hint(.source, *.port))]
    Bind {
        /// External address in the topology; for partners, the address that stands for their server.
        address: Ipv4Addr,
        /// Where it was to be bound.
        bind: SocketAddr,
        /// Port of the protocol.
        port: u16,
        /// Why.
        source: std::io::Error,
    },
    /// Two listeners of the model want one address and port.
    #[error("two listeners want port {port} of {address}\n\nhint: give each Edge Server an external address of its own")]
    Clash {
        /// External address.
        address: Ipv4Addr,
        /// Port.
        port: u16,
    },
    /// No loopback address could be had for it.
    #[error(transparent)]
    Address(#[from] DnsError),
    /// A certificate could not be made.
    #[error(transparent)]
    Certificate(#[from] CertificateFault),
}

fn hint(error: &std::io::Error, port: u16) -> String {
    match error.kind() {
        std::io::ErrorKind::AddrInUse => format!(
            "another program listens on port {port} of all addresses (0.0.0.0), perhaps a local server of this protocol: stop it, or bind it to one \
             address; `ss -ltnp 'sport = :{port}'` names it"
        ),
        std::io::ErrorKind::AddrNotAvailable => {
            "this system gives out no loopback address but 127.0.0.1; the fabric should have fallen back to it".to_owned()
        }
        std::io::ErrorKind::PermissionDenied => "a sandbox or firewall forbids listening on loopback".to_owned(),
        _ => "the limit of open files may be reached (`ulimit -n`)".to_owned(),
    }
}

/// The probe met something that no model answer stands for: a fault of ours, or of the machine.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// Neither accepted nor refused, or accepted and then silent.
    #[error("{what} at {peer} did not answer within {seconds} s")]
    Silent {
        /// What was awaited.
        what: &'static str,
        /// From whom.
        peer: SocketAddr,
        /// The limit.
        seconds: u64,
    },
    /// The connection failed in another way than a refusal.
    #[error("the connection to {peer} failed: {source}")]
    Connection {
        /// To whom.
        peer: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// The peer's words make no sense.
    #[error("{peer} answered out of protocol: {what}")]
    Garbled {
        /// Who.
        peer: SocketAddr,
        /// What was wrong.
        what: String,
    },
    /// The peer refused for a reason that the model does not have.
    #[error("{peer} turned the partner away for a reason that the model does not know: {what}")]
    UnknownRefusal {
        /// Who.
        peer: SocketAddr,
        /// Its words.
        what: String,
    },
    /// Answered from an address at which the model has no Edge Server.
    #[error("{address} answered, and the model has no Edge Server there")]
    Stranger {
        /// The topology's address.
        address: Ipv4Addr,
    },
    /// The stream broke in a way that the model has no answer for.
    #[error("the stream to {peer} failed: {failure}")]
    Stream {
        /// To whom.
        peer: SocketAddr,
        /// How.
        failure: StreamFailure,
    },
    /// SIP failed in a way that the model has no answer for.
    #[error("SIP to {peer} failed: {failure}")]
    Sip {
        /// To whom.
        peer: SocketAddr,
        /// How.
        failure: SipFailure,
    },
    /// The prober has no certificate.
    #[error(transparent)]
    Edge(#[from] EdgeError),
    /// No loopback address could be had.
    #[error(transparent)]
    Address(#[from] DnsError),
}
