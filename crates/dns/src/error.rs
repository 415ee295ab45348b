//! What can go wrong while the server is started or given new zones.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// The DNS server or its addresses could not be had.
#[derive(Debug, thiserror::Error)]
pub enum DnsError {
    /// No UDP and TCP port of one number could be bound.
    #[error("the DNS server cannot listen on {address}: {source}\n\nhint: {}", bind_hint(.source))]
    Bind {
        /// Where.
        address: IpAddr,
        /// Why.
        source: std::io::Error,
    },
    /// Another program has the port that was asked for.
    #[error(
        "the DNS server cannot listen on {address}: port {} is taken by a program that listens on {occupant}\n\nhint: \
         `ss -lntup 'sport = :{}'` names it; stop it, bind it to another address, or choose another port",
        .address.port(), .address.port()
    )]
    InUse {
        /// Where.
        address: SocketAddr,
        /// Who is there.
        occupant: Occupant,
    },
    /// An address of a network: nothing leaves the machine.
    #[error("the DNS server listens on loopback addresses only, not on {address}\n\nhint: use an address of 127.0.0.0/8")]
    NotLoopback {
        /// The address.
        address: IpAddr,
    },
    /// The port that the server had before could not be bound again.
    #[error(
        "the DNS server cannot come back on port {port} of {address}: {source}\n\nhint: another program took the port meanwhile; run again"
    )]
    Return {
        /// Address.
        address: IpAddr,
        /// Port.
        port: u16,
        /// Why.
        source: std::io::Error,
    },
    /// The block has no room for another host.
    #[error(
        "no loopback address is left for {what}: a fabric has {capacity} of its own\n\nhint: use fewer Edge Servers and partners in one topology"
    )]
    NoRoom {
        /// For whom.
        what: String,
        /// How many a block has.
        capacity: u32,
    },
    /// Zone data name more different addresses than can be told apart.
    #[error("zone data name more than {capacity} different addresses; `{address}` cannot be mapped to loopback")]
    TooManyAddresses {
        /// The first that did not fit.
        address: Ipv4Addr,
        /// How many fit.
        capacity: u32,
    },
    /// A name that no DNS message can carry.
    #[error("zone `{zone}`: `{name}` is not a name that DNS can carry: {why}\n\nhint: labels have 1 to 63 bytes, whole names at most 255")]
    Name {
        /// Apex of the zone.
        zone: String,
        /// The name.
        name: String,
        /// What is wrong with it.
        why: String,
    },
    /// The resolver could not be set up.
    #[error("a partner's resolver cannot be set up: {0}")]
    Resolver(String),
}

/// How far a program that holds a port spreads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Occupant {
    /// All addresses, which shuts out every loopback address.
    AllAddresses,
    /// The address in question only.
    ThisAddress,
}

impl std::fmt::Display for Occupant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::AllAddresses => "all addresses",
            Self::ThisAddress => "this address",
        })
    }
}

fn bind_hint(error: &std::io::Error) -> &'static str {
    match error.kind() {
        std::io::ErrorKind::AddrInUse => "every port tried is in use by another program; close some, or run fewer fabrics at once",
        std::io::ErrorKind::AddrNotAvailable => "this system gives out 127.0.0.1 only; the fabric should have fallen back to it",
        std::io::ErrorKind::PermissionDenied => "a sandbox or firewall forbids listening on loopback",
        _ => "the limit of open files may be reached (`ulimit -n`)",
    }
}
