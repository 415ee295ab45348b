//! Where clients sign in: registrars of the Front End pools, and the Access Edges' ports for remote users.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use firedrill_fabric::Fabric;
use firedrill_fabric::federation::Protocol;
use firedrill_fabric::sign_in::{AccessListener, RegistrarListener, SignInServer};
use firedrill_topology::{PoolId, Topology};

use crate::behaviour::Behaviour;
use crate::door::Door;
use crate::error::EdgeError;
use crate::surroundings::Surroundings;

/// All of them, of one fabric. Everything stops and frees its ports when it is dropped.
#[derive(Debug)]
pub(crate) struct Registrars {
    around: Surroundings,
    /// Names of the pools, by id.
    names: Arc<[String]>,
    /// Loopback addresses of the pools, by id.
    addresses: Vec<Ipv4Addr>,
    pools: BTreeMap<PoolId, Door>,
    access: BTreeMap<(Ipv4Addr, u16), Door>,
    applied: (Vec<RegistrarListener>, Vec<AccessListener>),
}

impl Registrars {
    /// Gives each pool an address, takes all ports, and opens those that listen.
    pub(crate) async fn start(around: &Surroundings, fabric: &Fabric) -> Result<Self, EdgeError> {
        let topology = fabric.topology();
        let names: Arc<[String]> = topology.pools.iter().map(|pool| pool.fqdn.clone()).collect();
        let addresses = names.iter().map(|name| around.map().allocate(&format!("the registrar of `{name}`"))).collect::<Result<_, _>>()?;
        let applied = (Vec::new(), Vec::new());
        let mut started = Self { around: around.clone(), names, addresses, pools: BTreeMap::new(), access: BTreeMap::new(), applied };
        started.follow(fabric).await?;
        Ok(started)
    }

    /// Makes them follow the model.
    pub(crate) async fn follow(&mut self, fabric: &Fabric) -> Result<(), EdgeError> {
        let wanted = (fabric.registrar_listeners(), fabric.access_listeners());
        if wanted == self.applied {
            return Ok(());
        }
        for listener in &wanted.0 {
            let address = self.addresses[listener.pool.index()];
            let behaviour = Behaviour::Registrar { listener: listener.clone(), pools: Arc::clone(&self.names) };
            let port = Protocol::Sip.default_port();
            let door = take(&self.around, &mut self.pools, listener.pool, (address, address, port), behaviour)?;
            door.set_open(listener.listening).await?;
        }
        for listener in &wanted.1 {
            let wire = self.around.map().wire(listener.address)?;
            let behaviour = Behaviour::Access { listener: listener.clone(), pools: Arc::clone(&self.names) };
            let (key, place) = ((listener.address, listener.port), (listener.address, wire, listener.port));
            let door = take(&self.around, &mut self.access, key, place, behaviour)?;
            door.set_open(listener.listening).await?;
        }
        self.applied = wanted;
        Ok(())
    }

    /// Where a pool's registrar listens.
    pub(crate) fn endpoint(&self, pool: PoolId) -> Option<SocketAddr> {
        self.around.map().endpoint(*self.addresses.get(pool.index())?, Protocol::Sip.default_port())
    }

    /// The Access Edge at an external address and port, as remote users meet it.
    pub(crate) fn access_at(&self, address: Ipv4Addr, port: u16) -> Option<(SignInServer, SocketAddr)> {
        let listener = self.applied.1.iter().find(|listener| listener.address == address && listener.port == port)?;
        let wire = self.around.map().wire(address).ok()?;
        Some((SignInServer::Edge(listener.computer), self.around.map().endpoint(wire, port)?))
    }

    /// The pool with a name, or with a Front End of that name.
    pub(crate) fn pool_named(&self, topology: &Topology, host: &str) -> Option<PoolId> {
        topology.find_pool(host).or_else(|| {
            let is = |pool: &firedrill_topology::Pool| {
                pool.front_ends.iter().any(|computer| topology.computer(*computer).fqdn.eq_ignore_ascii_case(host))
            };
            topology.pools.iter().position(is).map(|index| PoolId(index as u32))
        })
    }

    /// Stops and waits until all ports are free.
    pub(crate) async fn shutdown(self) {
        for door in self.pools.into_values().chain(self.access.into_values()) {
            door.shutdown().await;
        }
    }
}

/// The door of a key, with a new behaviour; made when there is none.
fn take<'a, K: Ord + Copy>(
    around: &Surroundings,
    doors: &'a mut BTreeMap<K, Door>,
    key: K,
    (address, wire, port): (Ipv4Addr, Ipv4Addr, u16),
    behaviour: Behaviour,
) -> Result<&'a mut Door, EdgeError> {
    match doors.entry(key) {
        std::collections::btree_map::Entry::Occupied(entry) => {
            let door = entry.into_mut();
            door.set_behaviour(behaviour);
            Ok(door)
        }
        std::collections::btree_map::Entry::Vacant(entry) => Ok(entry.insert(Door::hold(around, address, wire, port, behaviour)?)),
    }
}
