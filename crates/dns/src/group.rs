//! All name servers of a fabric on the wire: the primary, its secondaries, and the server of the internal view.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use firedrill_fabric::Fabric;
use firedrill_fabric::naming::Zones;
use firedrill_fabric::world::{NameServerMode, RESOLVER_TIMEOUT, ServedZones};
use firedrill_topology::NameServerId;

use crate::address::AddressMap;
use crate::error::DnsError;
use crate::loopback::LoopbackBlock;
use crate::server::DnsServer;
use crate::settings::{Access, Mode};
use crate::update::{PendingUpdate, UpdateQueue, update_queue};

/// The name servers of one fabric. [`Self::follow`] after every change of the fabric; dynamic updates wait until the
/// fabric's owner takes them with [`Self::take_updates`] or [`Self::next_update`].
#[derive(Debug)]
pub struct NameServers {
    servers: Vec<Served>,
    internal: Option<Internal>,
    updates: UpdateQueue,
}

#[derive(Debug)]
struct Served {
    server: DnsServer,
    /// What it has: the same pointers mean that nothing has changed.
    published: ServedZones,
}

#[derive(Debug)]
struct Internal {
    server: DnsServer,
    external: Arc<Zones>,
}

impl NameServers {
    /// Starts the servers of a fabric as it is now, all on the block's DNS address, on ports of the system's choice.
    ///
    /// # Errors
    /// When a port cannot be had, or a zone has names or addresses that cannot be served.
    pub async fn start(block: &LoopbackBlock, fabric: &Fabric, map: &AddressMap) -> Result<Self, DnsError> {
        let at = SocketAddr::new(IpAddr::V4(block.dns_address()), 0);
        let (sender, updates) = update_queue();
        let mut servers = Vec::new();
        for place in 0..fabric.name_server_count() {
            let id = server_id(place);
            let settings = fabric.topology().name_servers.get(place);
            let updates = (place == 0).then(|| sender.clone());
            let access = settings.map_or_else(Access::default, |settings| Access::of(settings, updates));
            let published = fabric.served_zones(id).clone();
            let server = DnsServer::start_with(at, &published.zones, map, access).await?;
            servers.push(Served { server, published });
        }
        let internal = if fabric.internal_zones().zones.is_empty() {
            None
        } else {
            let server = DnsServer::start_with(at, &internal_view(fabric), map, Access::default()).await?;
            Some(Internal { server, external: Arc::clone(fabric.zones()) })
        };
        let mut group = Self { servers, internal, updates };
        group.follow(fabric).await?;
        Ok(group)
    }

    /// Makes the servers follow the fabric as it is now: zones, stale and expired copies, faults. Cheap when nothing has
    /// changed.
    ///
    /// # Errors
    /// When a port was lost, or a zone cannot be served.
    pub async fn follow(&mut self, fabric: &Fabric) -> Result<(), DnsError> {
        for (place, Served { server, published }) in self.servers.iter_mut().enumerate() {
            let served = fabric.served_zones(server_id(place));
            if !Arc::ptr_eq(&published.zones, &served.zones) || published.expired != served.expired {
                server.publish_served(served)?;
                published.clone_from(served);
            }
            let mode = mode_of(fabric.name_server_mode(server_id(place)));
            if server.mode() != mode {
                server.set_mode(mode).await?;
            }
        }
        if let Some(Internal { server, external }) = &mut self.internal
            && !Arc::ptr_eq(external, fabric.zones())
        {
            server.publish(&internal_view(fabric))?;
            *external = Arc::clone(fabric.zones());
        }
        Ok(())
    }

    /// Carries out the dynamic updates that wait now, at the fabric's instant, and says how many. Senders hear of it when
    /// the zones are published.
    ///
    /// # Errors
    /// As [`Self::follow`].
    pub async fn take_updates(&mut self, fabric: &mut Fabric) -> Result<usize, DnsError> {
        let mut taken = 0;
        while let Some(pending) = self.updates.try_next() {
            self.carry_out(pending, fabric).await?;
            taken += 1;
        }
        Ok(taken)
    }

    /// Waits for a dynamic update. Nothing is lost when the wait is given up.
    pub async fn next_update(&mut self) -> Option<PendingUpdate> {
        self.updates.next().await
    }

    /// Carries out a dynamic update at the fabric's instant.
    ///
    /// # Errors
    /// As [`Self::follow`].
    pub async fn carry_out(&mut self, pending: PendingUpdate, fabric: &mut Fabric) -> Result<(), DnsError> {
        let code = fabric.update_dns(&pending.update);
        self.follow(fabric).await?;
        pending.answer(code);
        Ok(())
    }

    /// Where the primary listens.
    pub fn address(&self) -> SocketAddr {
        self.servers[0].server.address()
    }

    /// Where all servers of the external view listen, in the order in which resolvers ask them.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.servers.iter().map(|served| served.server.address()).collect()
    }

    /// Where computers of the deployment ask: the internal view, when there is one.
    pub fn internal_address(&self) -> Option<SocketAddr> {
        self.internal.as_ref().map(|internal| internal.server.address())
    }

    /// The primary.
    pub fn primary(&self) -> &DnsServer {
        &self.servers[0].server
    }

    /// One of the servers.
    pub fn server(&self, id: NameServerId) -> &DnsServer {
        &self.servers[id.index()].server
    }

    /// Stops all and waits until their ports are free.
    ///
    /// # Errors
    /// When a socket had failed.
    pub async fn shutdown(self) -> Result<(), DnsError> {
        let internal = self.internal.map(|internal| internal.server);
        for server in self.servers.into_iter().map(|served| served.server).chain(internal) {
            server.shutdown().await?;
        }
        Ok(())
    }
}

/// Internal zones, and the external ones that none of them stands before.
fn internal_view(fabric: &Fabric) -> Zones {
    let mut view = (**fabric.zones()).clone();
    view.zones.extend(fabric.internal_zones().zones.iter().map(|(origin, zone)| (origin.clone(), Arc::clone(zone))));
    view
}

/// The model's mode on the wire. A server that is slower than resolvers wait is silent: nobody would hear it.
fn mode_of(mode: NameServerMode) -> Mode {
    match mode {
        NameServerMode::Answering => Mode::Answering,
        NameServerMode::Down => Mode::Down,
        NameServerMode::Drops => Mode::Drops,
        NameServerMode::ServFail => Mode::ServFail,
        NameServerMode::Refused => Mode::Refused,
        NameServerMode::TruncatedWithoutTcp => Mode::TruncatedWithoutTcp,
        NameServerMode::Slow(delay) if delay >= RESOLVER_TIMEOUT => Mode::Drops,
        NameServerMode::Slow(delay) => Mode::Slow(Duration::from_nanos(u64::try_from(delay.0).unwrap_or(0))),
    }
}

fn server_id(place: usize) -> NameServerId {
    // At most 13 by the limits of the document.
    NameServerId(u32::try_from(place).unwrap_or(u32::MAX))
}
