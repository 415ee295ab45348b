//! Topology addresses and the loopback addresses that stand for them.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4};
use std::sync::{Arc, PoisonError, RwLock};

use crate::error::DnsError;
use crate::loopback::{Addressing, DARK_SECOND_BYTE, FIRST_SECOND_BYTE, Holder, LoopbackBlock};

/// Addresses that stand for hosts outside the fabric: 127.254.0.0/16 without its first and last.
const DARK_CAPACITY: u32 = 65_534;

/// Two-way map between addresses as the topology has them and as the wire has them. Clones share one map.
///
/// Addresses of Edge Servers get one of the fabric's own block each. Every other address that occurs in zone data gets
/// one on which nobody listens, so that a connection to it is refused and never leaves the machine. IPv6 has one
/// loopback address only; AAAA data travel as IPv4-mapped loopback addresses on which nobody listens either.
#[derive(Debug, Clone)]
pub struct AddressMap {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    single: bool,
    state: RwLock<State>,
    /// Keeps the block ours while anybody knows its addresses.
    _holder: Option<Holder>,
}

#[derive(Debug, Default)]
struct State {
    /// Addresses of the block that nobody has yet, last first.
    free: Vec<Ipv4Addr>,
    wire: BTreeMap<Ipv4Addr, Ipv4Addr>,
    topology: BTreeMap<Ipv4Addr, Ipv4Addr>,
    wire6: BTreeMap<Ipv6Addr, Ipv6Addr>,
    topology6: BTreeMap<Ipv6Addr, Ipv6Addr>,
    /// How many dark addresses have been given out.
    dark: u32,
    /// Where (wire address, port) really listens, when it is elsewhere.
    endpoints: BTreeMap<(Ipv4Addr, u16), SocketAddr>,
}

impl AddressMap {
    /// A map in which each of some topology addresses (external addresses of Edge Servers) has one of the block's own.
    ///
    /// # Errors
    /// When the block has not that many.
    pub fn new(block: &LoopbackBlock, live: impl IntoIterator<Item = Ipv4Addr>) -> Result<Self, DnsError> {
        let mut state = State { free: LoopbackBlock::hosts().rev().map(|host| block.address(host)).collect(), ..State::default() };
        for address in live {
            if !state.wire.contains_key(&address) {
                let wire = state.take_free(&format!("the Edge Server at {address}"))?;
                state.wire.insert(address, wire);
                state.topology.insert(wire, address);
            }
        }
        let single = matches!(block.addressing(), Addressing::Single(_));
        Ok(Self { inner: Arc::new(Inner { single, state: RwLock::new(state), _holder: block.holder() }) })
    }

    /// Takes an address of the block for a host that the topology does not give one, such as a partner's server.
    ///
    /// # Errors
    /// When none is left.
    pub fn allocate(&self, what: &str) -> Result<Ipv4Addr, DnsError> {
        self.write().take_free(what)
    }

    /// Gives a topology address one of the block's own, as Edge Servers have, so that somebody can listen there. One that
    /// stands for something already keeps it: claim before zones are published.
    ///
    /// # Errors
    /// When none is left.
    pub fn claim(&self, topology: Ipv4Addr, what: &str) -> Result<Ipv4Addr, DnsError> {
        let mut state = self.write();
        if let Some(wire) = state.wire.get(&topology) {
            return Ok(*wire);
        }
        let wire = state.take_free(what)?;
        state.wire.insert(topology, wire);
        state.topology.insert(wire, topology);
        Ok(wire)
    }

    /// The loopback address that stands for a topology address.
    ///
    /// # Errors
    /// When too many different addresses have been mapped.
    pub fn wire(&self, topology: Ipv4Addr) -> Result<Ipv4Addr, DnsError> {
        if let Some(wire) = self.read().wire.get(&topology) {
            return Ok(*wire);
        }
        if stands_for_itself(topology) {
            return Ok(topology);
        }
        let mut state = self.write();
        let wire = state.take_dark().ok_or(DnsError::TooManyAddresses { address: topology, capacity: DARK_CAPACITY })?;
        state.wire.insert(topology, wire);
        state.topology.insert(wire, topology);
        Ok(wire)
    }

    /// The topology address that a loopback address stands for.
    pub fn topology(&self, wire: Ipv4Addr) -> Option<Ipv4Addr> {
        self.read().topology.get(&wire).copied().or_else(|| stands_for_itself(wire).then_some(wire))
    }

    /// The loopback address that stands for an IPv6 address of the topology.
    ///
    /// # Errors
    /// When too many different addresses have been mapped.
    pub fn wire6(&self, topology: Ipv6Addr) -> Result<Ipv6Addr, DnsError> {
        if let Some(wire) = self.read().wire6.get(&topology) {
            return Ok(*wire);
        }
        let mut state = self.write();
        let address = Ipv4Addr::new(127, DARK_SECOND_BYTE, 255, 255);
        let wire = state.take_dark().ok_or(DnsError::TooManyAddresses { address, capacity: DARK_CAPACITY })?.to_ipv6_mapped();
        state.wire6.insert(topology, wire);
        state.topology6.insert(wire, topology);
        Ok(wire)
    }

    /// The IPv6 address of the topology that a loopback address stands for.
    pub fn topology6(&self, wire: Ipv6Addr) -> Option<Ipv6Addr> {
        self.read().topology6.get(&wire).copied()
    }

    /// Whether hosts share 127.0.0.1 and have ports of their own.
    pub fn is_single(&self) -> bool {
        self.inner.single
    }

    /// Tells where a (wire address, port) really listens: where hosts share one address, or where a port of its own could not
    /// be had.
    pub fn set_endpoint(&self, wire: Ipv4Addr, port: u16, endpoint: SocketAddr) {
        self.write().endpoints.insert((wire, port), endpoint);
    }

    /// Where to connect for a (wire address, port). `None`: nobody can be there, or it is not a loopback address.
    pub fn endpoint(&self, wire: Ipv4Addr, port: u16) -> Option<SocketAddr> {
        if !wire.is_loopback() {
            return None;
        }
        let told = self.read().endpoints.get(&(wire, port)).copied();
        told.or_else(|| (!self.inner.single).then(|| SocketAddr::V4(SocketAddrV4::new(wire, port))))
    }

    /// The local address from which a host's connections come; `None` when it has none of its own.
    pub fn source(&self, wire: Ipv4Addr) -> Option<SocketAddr> {
        (!self.inner.single && wire.is_loopback()).then(|| SocketAddr::V4(SocketAddrV4::new(wire, 0)))
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, State> {
        self.inner.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, State> {
        self.inner.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether an address is one of this machine that no fabric hands out: a topology that names it means a program that
/// really listens there, such as a partner's own server in a rehearsal.
fn stands_for_itself(address: Ipv4Addr) -> bool {
    let [first, second, ..] = address.octets();
    first == 127 && second < FIRST_SECOND_BYTE
}

impl State {
    fn take_free(&mut self, what: &str) -> Result<Ipv4Addr, DnsError> {
        let capacity = LoopbackBlock::hosts().len() as u32;
        self.free.pop().ok_or_else(|| DnsError::NoRoom { what: what.to_owned(), capacity })
    }

    fn take_dark(&mut self) -> Option<Ipv4Addr> {
        if self.dark >= DARK_CAPACITY {
            return None;
        }
        self.dark += 1;
        let [high, low] = (self.dark as u16).to_be_bytes();
        Some(Ipv4Addr::new(127, DARK_SECOND_BYTE, high, low))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_out_comes_back_and_never_leaves_loopback() {
        let edge = Ipv4Addr::new(203, 0, 113, 10);
        let web = Ipv4Addr::new(198, 51, 100, 7);
        let map = AddressMap::new(&LoopbackBlock::single(), [edge, edge]).expect("room");
        for address in [edge, web, Ipv4Addr::new(8, 8, 8, 8)] {
            let wire = map.wire(address).expect("room");
            assert!(wire.is_loopback(), "{wire}");
            assert_eq!(map.wire(address).expect("room"), wire, "stable");
            assert_eq!(map.topology(wire), Some(address));
        }
        let six: Ipv6Addr = "2001:db8::1".parse().expect("address");
        let wire = map.wire6(six).expect("room");
        assert!(wire.to_ipv4_mapped().is_some_and(|four| four.is_loopback()));
        assert_eq!(map.topology6(wire), Some(six));
        assert_eq!(map.endpoint(Ipv4Addr::new(203, 0, 113, 10), 5269), None, "no connection outside loopback");
    }

    #[test]
    fn a_full_block_says_for_whom_there_is_no_room() {
        let map = AddressMap::new(&LoopbackBlock::single(), (0..252).map(|n| Ipv4Addr::new(203, 0, 113, n))).expect("252 fit");
        let error = map.allocate("the server of fabrikam.com").expect_err("the block is full");
        assert!(error.to_string().contains("the server of fabrikam.com"), "{error}");
    }
}
