//! All external listeners of all Edge Servers.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::Arc;

use firedrill_dns::AddressMap;
use firedrill_fabric::federation::{Listener, Protocol};
use firedrill_fabric::seed::Seed;
use firedrill_topology::{ComputerId, EdgePoolId};

use crate::behaviour::Behaviour;
use crate::door::Door;
use crate::error::EdgeError;
use crate::limits::Limits;
use crate::surroundings::{OpenGateway, Surroundings, WIDE};
use crate::tls::Authority;
use crate::xmpp::host::Host;

/// The mock Edge Servers' external side. Everything stops and frees its ports when it is dropped.
#[derive(Debug)]
pub struct EdgeFleet {
    around: Surroundings,
    doors: BTreeMap<(Ipv4Addr, u16), Door>,
    servers: BTreeMap<Ipv4Addr, (EdgePoolId, ComputerId)>,
}

impl EdgeFleet {
    /// Takes the ports of all listeners, and opens those that listen. Needs a tokio runtime.
    ///
    /// # Errors
    /// When an address or port cannot be had, or two listeners want the same.
    pub async fn start(map: &AddressMap, listeners: &[Listener], seed: Seed, limits: Limits) -> Result<Self, EdgeError> {
        let around = Surroundings::new(map, seed, limits, WIDE, None, Arc::new(OpenGateway))?;
        Self::start_in(&around, listeners).await
    }

    /// As [`Self::start`], with what the fabric's other servers have.
    pub(crate) async fn start_in(around: &Surroundings, listeners: &[Listener]) -> Result<Self, EdgeError> {
        let mut fleet = Self { around: around.clone(), doors: BTreeMap::new(), servers: BTreeMap::new() };
        fleet.apply(listeners).await?;
        Ok(fleet)
    }

    /// The authority that issued their certificates; peers' certificates must be its own.
    pub fn authority(&self) -> &Authority {
        self.around.authority()
    }

    /// What the servers share.
    pub(crate) fn around(&self) -> &Surroundings {
        &self.around
    }

    /// The XMPP server of an Edge Server.
    pub(crate) fn xmpp_host(&self, computer: ComputerId) -> Option<&Arc<Host>> {
        let address = self.address_of(computer)?;
        let doors = self.doors.range((address, 0)..=(address, u16::MAX));
        doors.map(|(_, door)| door.host()).find(|host| host.behaviour().protocol() == Protocol::Xmpp)
    }

    /// Makes the wire follow the model: what listens accepts connections when this returns, everything else refuses them.
    /// Connections that are accepted from now on meet the new behaviour; those of a listener that closes are cut.
    ///
    /// # Errors
    /// When an address or port cannot be had, or two listeners want the same.
    pub async fn apply(&mut self, listeners: &[Listener]) -> Result<(), EdgeError> {
        let mut wanted = BTreeMap::new();
        for listener in listeners {
            let key = (listener.address, listener.port);
            let Some(other) = wanted.insert(key, listener) else { continue };
            // Two listeners of one server may be given the same port: the one that the model lets listen has it.
            if other.computer != listener.computer || (other.listening && listener.listening) {
                return Err(EdgeError::Clash { address: listener.address, port: listener.port });
            }
            if other.listening {
                wanted.insert(key, other);
            }
        }
        let gone: Vec<_> = self.doors.keys().filter(|key| !wanted.contains_key(key)).copied().collect();
        for key in gone {
            if let Some(door) = self.doors.remove(&key) {
                door.shutdown().await;
            }
        }
        self.servers = listeners.iter().map(|listener| (listener.address, (listener.edge_pool, listener.computer))).collect();
        for (key, listener) in wanted {
            self.door(key, Behaviour::Edge(listener.clone()))?.set_open(listener.listening).await?;
        }
        Ok(())
    }

    fn door(&mut self, key: (Ipv4Addr, u16), behaviour: Behaviour) -> Result<&mut Door, EdgeError> {
        let (address, port) = key;
        match self.doors.entry(key) {
            std::collections::btree_map::Entry::Occupied(entry) => {
                let door = entry.into_mut();
                door.set_behaviour(behaviour);
                Ok(door)
            }
            std::collections::btree_map::Entry::Vacant(entry) => {
                let wire = self.around.map().wire(address)?;
                Ok(entry.insert(Door::hold(&self.around, address, wire, port, behaviour)?))
            }
        }
    }

    /// The Edge Server at an external address.
    pub fn server_at(&self, address: Ipv4Addr) -> Option<(EdgePoolId, ComputerId)> {
        self.servers.get(&address).copied()
    }

    /// The external address of an Edge Server.
    pub fn address_of(&self, computer: ComputerId) -> Option<Ipv4Addr> {
        self.servers.iter().find(|(_, (_, known))| *known == computer).map(|(address, _)| *address)
    }

    /// Addresses and ports that accept connections now.
    pub fn open(&self) -> Vec<(Ipv4Addr, u16)> {
        self.doors.iter().filter(|(_, door)| door.is_open()).map(|(key, _)| *key).collect()
    }

    /// Stops and waits until all ports are free.
    pub async fn shutdown(self) {
        for door in self.doors.into_values() {
            door.shutdown().await;
        }
    }
}
