//! The inner side of the Edge Servers: what leaves for a partner is handed over there first (dossier F.6).
//!
//! Only the connection counts: an Edge Server that does not carry a federation outwards refuses it. What the product says
//! on it is its own matter, and nothing is said here.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};

use firedrill_dns::AddressMap;
use firedrill_fabric::federation::{EdgeRefusal, InnerListener, Protocol, ReachFailure, WayOut};
use firedrill_topology::{ComputerId, EdgePoolId, Topology};
use tokio::net::{TcpListener, TcpSocket};
use tokio::task::JoinHandle;

use crate::door::{ACCEPT_PAUSE, BACKLOG, bound, rebound};
use crate::error::{EdgeError, ProbeError};
use crate::limits::Limits;
use crate::probe::connect;

/// Inner interfaces of all Edge Servers of one fabric. Everything stops and frees its ports when it is dropped.
#[derive(Debug)]
pub(crate) struct InnerSide {
    doors: BTreeMap<(ComputerId, Protocol), InnerDoor>,
}

impl InnerSide {
    /// Gives every Edge Server an inner address, takes the ports there, and opens those that take what leaves.
    pub(crate) async fn start(map: &AddressMap, topology: &Topology, listeners: &[InnerListener]) -> Result<Self, EdgeError> {
        let mut addresses: BTreeMap<ComputerId, Ipv4Addr> = BTreeMap::new();
        let mut side = Self { doors: BTreeMap::new() };
        for listener in listeners {
            let address = match addresses.get(&listener.computer) {
                Some(known) => *known,
                None => {
                    let name = &topology.computer(listener.computer).fqdn;
                    let address = map.allocate(&format!("the internal interface of `{name}`"))?;
                    addresses.insert(listener.computer, address);
                    address
                }
            };
            side.doors.insert((listener.computer, listener.protocol), InnerDoor::hold(map, address, listener.port)?);
        }
        side.apply(listeners).await?;
        Ok(side)
    }

    /// Makes the inner ports follow the model.
    pub(crate) async fn apply(&mut self, listeners: &[InnerListener]) -> Result<(), EdgeError> {
        for listener in listeners {
            if let Some(door) = self.doors.get_mut(&(listener.computer, listener.protocol)) {
                door.set_open(listener.listening).await?;
            }
        }
        Ok(())
    }

    /// Walks the ways out of the pools that serve users: each to an Edge Server of its route that takes the connection. The
    /// first way's Edge Server is the one that goes on to the partner.
    ///
    /// # Errors
    /// When an inner port neither accepts nor refuses.
    pub(crate) async fn leave(
        &self,
        ways: &[WayOut],
        partner: &str,
        limits: &Limits,
    ) -> Result<Result<(EdgePoolId, ComputerId), ReachFailure>, ProbeError> {
        let mut first = None;
        for way in ways {
            let Some(edge_pool) = way.route else { return Ok(Err(ReachFailure::NoRoute)) };
            if !way.allows(partner) {
                return Ok(Err(ReachFailure::TurnedAway(EdgeRefusal::PartnerNotAllowed)));
            }
            match self.carrier(way, limits).await? {
                Some(edge) => first = first.or(Some((edge_pool, edge))),
                None => return Ok(Err(ReachFailure::RouteUnavailable)),
            }
        }
        Ok(first.ok_or(ReachFailure::UserNotServed))
    }

    /// The first Edge Server of a way that accepts a connection on its inner port.
    async fn carrier(&self, way: &WayOut, limits: &Limits) -> Result<Option<ComputerId>, ProbeError> {
        for edge in &way.edges {
            let Some(door) = self.doors.get(&(*edge, way.protocol)) else { continue };
            // On one shared address nobody has an address of his own to come from.
            if connect(None, door.bind, limits).await?.is_some() {
                return Ok(Some(*edge));
            }
        }
        Ok(None)
    }

    /// Stops and waits until all ports are free.
    pub(crate) async fn shutdown(self) {
        for (_, door) in self.doors {
            door.shutdown().await;
        }
    }
}

/// One inner port. While closed it is bound and does not listen, so that connections are refused and nobody takes it.
#[derive(Debug)]
struct InnerDoor {
    address: Ipv4Addr,
    bind: SocketAddr,
    port: u16,
    state: State,
    /// Keeps the block of addresses ours until the sockets above are gone.
    lease: AddressMap,
}

#[derive(Debug)]
enum State {
    Closed(TcpSocket),
    Open(Accepting),
    /// The port was lost; says so at every use.
    Lost,
}

/// The accept loop, which ends when this is dropped.
#[derive(Debug)]
struct Accepting(JoinHandle<()>);

impl Drop for Accepting {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl InnerDoor {
    fn hold(map: &AddressMap, address: Ipv4Addr, port: u16) -> Result<Self, EdgeError> {
        let wanted = if map.is_single() { SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0) } else { SocketAddrV4::new(address, port) };
        let failed = |source| EdgeError::Bind { address, bind: wanted.into(), port, source };
        let socket = bound(wanted.into(), !map.is_single()).map_err(failed)?;
        let bind = socket.local_addr().map_err(failed)?;
        Ok(Self { address, bind, port, state: State::Closed(socket), lease: map.clone() })
    }

    async fn set_open(&mut self, open: bool) -> Result<(), EdgeError> {
        if open == matches!(self.state, State::Open(_)) {
            return Ok(());
        }
        let socket = match std::mem::replace(&mut self.state, State::Lost) {
            State::Closed(socket) => socket,
            State::Open(accepting) => {
                finish(accepting).await;
                rebound(self.bind).await.map_err(|source| self.failed(source))?
            }
            State::Lost => rebound(self.bind).await.map_err(|source| self.failed(source))?,
        };
        self.state = if open {
            let listener = socket.listen(BACKLOG).map_err(|source| self.failed(source))?;
            State::Open(Accepting(tokio::spawn(accept(listener, self.lease.clone()))))
        } else {
            State::Closed(socket)
        };
        Ok(())
    }

    fn failed(&self, source: std::io::Error) -> EdgeError {
        EdgeError::Bind { address: self.address, bind: self.bind, port: self.port, source }
    }

    async fn shutdown(self) {
        if let State::Open(accepting) = self.state {
            finish(accepting).await;
        }
    }
}

async fn finish(mut accepting: Accepting) {
    accepting.0.abort();
    // Cancelled, or ended by itself: either way its listener is gone.
    let _ended = (&mut accepting.0).await;
}

/// Takes connections, and lets each go when the next one comes: who called has hung up by then, and it is the caller's end
/// that lingers. Lingering at this end would keep the port from being taken back. A cancelled task goes in its own time, and
/// holds on to its address until then.
async fn accept(listener: TcpListener, _lease: AddressMap) {
    let mut _last = None;
    loop {
        match listener.accept().await {
            Ok(connection) => _last = Some(connection),
            Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
        }
    }
}
