//! A block of loopback addresses for each fabric, so that several run side by side on the real ports.
//!
//! Linux (and Windows) answer for all of 127.0.0.0/8 without configuration, macOS for 127.0.0.1 only. A block is
//! `127.b.c.0/24`; it is taken by binding a socket that nobody else can bind and holding it for life, so there are no
//! lock files to go stale and other processes are seen as well. Where that does not work, everything lives on 127.0.0.1
//! with a port of its own each, and [`Addressing::Single`] says why.

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::sync::Arc;

use tokio::net::TcpSocket;

/// Port of the socket that holds a block: just below XMPP's and below the ephemeral ports, and nobody connects to it.
const HOLDER_PORT: u16 = 5268;
/// Host of a block on which the holder sits and ports are tried; never handed out.
const HOLDER_HOST: u8 = 254;
/// Second bytes of the blocks, in the order of preference: low ones are left to people's own 127.0.x and 127.1.x.
const SECOND_BYTES: std::ops::RangeInclusive<u8> = 16..=250;
/// Second byte of the lowest address that stands for a host of a fabric (that of [`SINGLE_BLOCK`]).
pub(crate) const FIRST_SECOND_BYTE: u8 = SINGLE_BLOCK[1];
/// Second byte of the addresses that stand for hosts outside the fabric. No fabric takes blocks there: nobody listens.
pub(crate) const DARK_SECOND_BYTE: u8 = 254;
/// Block whose addresses stand in DNS answers when nothing but 127.0.0.1 can be bound.
const SINGLE_BLOCK: [u8; 3] = [127, 15, 0];

/// How a fabric's hosts are told apart on the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Addressing {
    /// Each host has a loopback address of its own and listens on the real ports.
    Block,
    /// All hosts share 127.0.0.1 and have ports of their own; the prober translates.
    Single(Fallback),
}

/// Why hosts share 127.0.0.1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fallback {
    /// The system does not answer for other loopback addresses.
    #[error("this system gives out no loopback address but 127.0.0.1 ({0}); Edge Servers share it, on ports of their own")]
    NoAddresses(String),
    /// A program of the developer's machine listens on all addresses at a port that Edge Servers need.
    #[error(
        "another program listens on port {port} of all addresses (a local {} server?), which shuts out every loopback address; \
         Edge Servers share 127.0.0.1, on ports of their own. Stop that program, or bind it to one address, to use the real ports",
        port_owner(*.port)
    )]
    PortTaken {
        /// The port.
        port: u16,
    },
    /// Every block is taken.
    #[error("every block of loopback addresses is taken; Edge Servers share 127.0.0.1, on ports of their own")]
    Full,
    /// The caller wanted it so.
    #[error("one shared loopback address was asked for; Edge Servers share 127.0.0.1, on ports of their own")]
    Requested,
}

fn port_owner(port: u16) -> &'static str {
    match port {
        5269 => "XMPP",
        5061 => "SIP",
        _ => "foreign",
    }
}

/// The loopback addresses of one fabric. They are free again when this, the address maps made from it and all listeners
/// on them are gone.
#[derive(Debug)]
pub struct LoopbackBlock {
    prefix: [u8; 3],
    addressing: Addressing,
    holder: Option<Holder>,
}

/// Bound and never listening: its only purpose is that nobody else can bind it. Whoever listens on an address of the block
/// keeps a copy, so that the next fabric cannot meet a listener that is still on its way out.
pub(crate) type Holder = Arc<TcpSocket>;

impl LoopbackBlock {
    /// Takes the first free block on which the ports of federation (5269, 5061) can be had; falls back to 127.0.0.1.
    pub fn take() -> Self {
        Self::take_for(&[5269, 5061])
    }

    /// Takes the first free block on which some ports can be had; falls back to 127.0.0.1.
    pub fn take_for(ports: &[u16]) -> Self {
        for second in SECOND_BYTES {
            for third in 0..=255 {
                let prefix = [127, second, third];
                match hold(prefix, HOLDER_PORT) {
                    Ok(holder) => {
                        return match ports.iter().find(|port| in_use(hold(prefix, **port))) {
                            None => Self { prefix, addressing: Addressing::Block, holder: Some(Arc::new(holder)) },
                            // The block is ours alone, so only a listener on 0.0.0.0 can be in the way.
                            Some(&port) => Self::fallen_back(Fallback::PortTaken { port }),
                        };
                    }
                    Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {}
                    Err(error) => return Self::fallen_back(Fallback::NoAddresses(error.kind().to_string())),
                }
            }
        }
        Self::fallen_back(Fallback::Full)
    }

    /// Puts everything on 127.0.0.1 with ports of its own each, as on systems without other loopback addresses.
    pub fn single() -> Self {
        Self::fallen_back(Fallback::Requested)
    }

    fn fallen_back(reason: Fallback) -> Self {
        Self { prefix: SINGLE_BLOCK, addressing: Addressing::Single(reason), holder: None }
    }

    /// How hosts are told apart.
    pub fn addressing(&self) -> &Addressing {
        &self.addressing
    }

    /// Why hosts share one address, when they do. To be told to the user.
    pub fn fallback(&self) -> Option<&Fallback> {
        match &self.addressing {
            Addressing::Block => None,
            Addressing::Single(reason) => Some(reason),
        }
    }

    /// What keeps the block ours.
    pub(crate) fn holder(&self) -> Option<Holder> {
        self.holder.clone()
    }

    /// Hosts that can be handed out.
    pub(crate) fn hosts() -> std::ops::Range<u8> {
        2..HOLDER_HOST
    }

    /// The address that stands for a host of the block in DNS answers.
    pub(crate) fn address(&self, host: u8) -> Ipv4Addr {
        let [a, b, c] = self.prefix;
        Ipv4Addr::new(a, b, c, host)
    }

    /// Where the DNS server listens.
    pub fn dns_address(&self) -> Ipv4Addr {
        match self.addressing {
            Addressing::Block => self.address(1),
            Addressing::Single(_) => Ipv4Addr::LOCALHOST,
        }
    }
}

/// Binds without `SO_REUSEADDR`: exclusive, whoever else tries.
fn hold(prefix: [u8; 3], port: u16) -> std::io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    let [a, b, c] = prefix;
    socket.bind(SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::new(a, b, c, HOLDER_HOST), port)))?;
    Ok(socket)
}

fn in_use<T>(bound: std::io::Result<T>) -> bool {
    matches!(bound, Err(error) if error.kind() == std::io::ErrorKind::AddrInUse)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_taken_together_differ_and_come_back() {
        let first = LoopbackBlock::take();
        let second = LoopbackBlock::take();
        if first.fallback().is_some() || second.fallback().is_some() {
            return; // no block to be had on this machine: the fallback has tests of its own
        }
        assert_ne!(first.prefix, second.prefix);
        let freed = first.prefix;
        drop(first);
        assert!(hold(freed, HOLDER_PORT).is_ok(), "dropping a block frees it");
    }

    #[test]
    fn a_foreign_listener_on_all_addresses_is_named() {
        // A port that nobody else needs stands in for 5269: the kernel's rule is the same for every port.
        let foreign = std::net::TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).expect("bind");
        let port = foreign.local_addr().expect("address").port();
        let block = LoopbackBlock::take_for(&[port]);
        match block.fallback() {
            Some(Fallback::PortTaken { port: found }) => assert_eq!(*found, port),
            Some(Fallback::NoAddresses(_)) => {} // macOS
            other => panic!("expected the port to be named, got {other:?}"),
        }
        assert_eq!(block.dns_address(), Ipv4Addr::LOCALHOST);
    }
}
