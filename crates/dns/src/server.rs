//! The server: sockets around snapshots of the zones.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use firedrill_fabric::naming::Zones;
use firedrill_fabric::world::{DynamicUpdate, ServedZones, UpdateCode};
use hickory_resolver::proto::rr::{RData, RecordType};
use tokio::net::{TcpListener, UdpSocket};
use tokio::task::{JoinHandle, JoinSet};

use crate::address::AddressMap;
use crate::error::{DnsError, Occupant};
use crate::loopback::LoopbackBlock;
use crate::query::{QueryError, query, wire_name};
use crate::settings::{Access, Mode, Settings};
use crate::snapshot::Snapshot;
use crate::{notify, serve};

/// How long the answer to a question about our own state may take.
const SERIAL_TIMEOUT: Duration = Duration::from_secs(5);
/// Tries to find one number free for both UDP and TCP.
const PORT_TRIES: u32 = 64;

/// A DNS server on loopback that is authoritative for a fabric's zones, and for nothing else existing.
///
/// UDP and TCP listen on one port number. It stops and frees both when dropped; [`Self::shutdown`] waits for it.
pub struct DnsServer {
    shared: Arc<Shared>,
    address: SocketAddr,
    /// Stays bound while the server is down, so that the port remains ours.
    udp: JoinHandle<()>,
    /// `None` while TCP is closed.
    tcp: Option<JoinHandle<()>>,
    notify: Vec<SocketAddr>,
    /// NOTIFY messages under way.
    told: Mutex<JoinSet<bool>>,
}

#[derive(Debug)]
pub(crate) struct Shared {
    snapshot: RwLock<Arc<Snapshot>>,
    mode: RwLock<Mode>,
    answered: AtomicU64,
    pub(crate) settings: Settings,
}

impl DnsServer {
    /// Starts on the block's DNS address, on a port of the system's choice. Needs a tokio runtime.
    ///
    /// # Errors
    /// When no port can be had, or a zone has names or addresses that cannot be served.
    pub async fn start(block: &LoopbackBlock, zones: &Zones, map: &AddressMap) -> Result<Self, DnsError> {
        Self::start_at(IpAddr::V4(block.dns_address()), zones, map).await
    }

    /// Starts on a given address, on a port of the system's choice.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub async fn start_at(address: IpAddr, zones: &Zones, map: &AddressMap) -> Result<Self, DnsError> {
        Self::start_with(SocketAddr::new(address, 0), zones, map, Access::default()).await
    }

    /// Starts on a given address and port (0: of the system's choice), for those whom it may concern.
    ///
    /// # Errors
    /// As [`Self::start`]; also when the address is not a loopback address.
    pub async fn start_with(address: SocketAddr, zones: &Zones, map: &AddressMap, access: Access) -> Result<Self, DnsError> {
        if !address.ip().is_loopback() {
            return Err(DnsError::NotLoopback { address: address.ip() });
        }
        let snapshot = Arc::new(Snapshot::new(zones, &BTreeSet::new(), map, None)?);
        let (udp_socket, tcp_listener) = bind_pair(address).await?;
        let bound = udp_socket.local_addr().map_err(|source| DnsError::Bind { address: address.ip(), source })?;
        let shared = Arc::new(Shared {
            snapshot: RwLock::new(snapshot),
            mode: RwLock::new(Mode::Answering),
            answered: AtomicU64::new(0),
            settings: Settings { map: map.clone(), transfer_to: access.transfer_to, keys: access.keys, updates: access.updates },
        });
        let udp = tokio::spawn(serve::udp(Arc::new(udp_socket), Arc::clone(&shared)));
        let tcp = Some(tokio::spawn(serve::tcp(tcp_listener, Arc::clone(&shared))));
        Ok(Self { shared, address: bound, udp, tcp, notify: access.notify, told: Mutex::new(JoinSet::new()) })
    }

    /// Where it listens, UDP and TCP.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The map by which it translates addresses.
    pub fn map(&self) -> &AddressMap {
        &self.shared.settings.map
    }

    /// Serves these zones from now on. Answers before the return have the old data, answers after it the new; none has
    /// both. Costs what has changed. Configured servers are told of new serials (NOTIFY).
    ///
    /// # Errors
    /// When a zone cannot be served; the old data stay.
    pub fn publish(&self, zones: &Zones) -> Result<(), DnsError> {
        self.publish_without(zones, &BTreeSet::new())
    }

    /// As [`Self::publish`], with zones that the server has given up: it answers SERVFAIL for them.
    ///
    /// # Errors
    /// As [`Self::publish`].
    pub fn publish_served(&self, served: &ServedZones) -> Result<(), DnsError> {
        self.publish_without(&served.zones, &served.expired)
    }

    fn publish_without(&self, zones: &Zones, expired: &BTreeSet<String>) -> Result<(), DnsError> {
        let previous = self.shared.snapshot();
        let next = Arc::new(Snapshot::new(zones, expired, self.map(), Some(&previous))?);
        let serials = next.serials();
        *self.shared.snapshot.write().unwrap_or_else(PoisonError::into_inner) = next;
        let before = previous.serials();
        for (apex, serial) in serials.into_iter().filter(|(apex, serial)| before.get(apex) != Some(serial)) {
            self.tell(&apex, serial);
        }
        Ok(())
    }

    /// Tells the configured servers about a zone.
    fn tell(&self, apex: &[u8], serial: u32) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        while told.try_join_next().is_some() {}
        for to in &self.notify {
            told.spawn(notify::tell(self.address, *to, apex.into(), serial as u16));
        }
    }

    /// Waits until everybody who is being told of a change has acknowledged it, or has had all tries. Says how many have.
    pub async fn notified(&self) -> usize {
        let mut told = std::mem::take(&mut *self.told.lock().unwrap_or_else(PoisonError::into_inner));
        let mut acknowledged = 0;
        while let Some(result) = told.join_next().await {
            acknowledged += usize::from(result.is_ok_and(|heard| heard));
        }
        acknowledged
    }

    /// Lets the server go down (UDP queries vanish, TCP is refused) or come back on its port.
    ///
    /// # Errors
    /// When the TCP port was lost to another program meanwhile.
    pub async fn set_answering(&mut self, answering: bool) -> Result<(), DnsError> {
        self.set_mode(if answering { Mode::Answering } else { Mode::Down }).await
    }

    /// Lets the server misbehave, or answer again.
    ///
    /// # Errors
    /// When the TCP port was lost to another program meanwhile.
    pub async fn set_mode(&mut self, mode: Mode) -> Result<(), DnsError> {
        match (mode.listens_on_tcp(), self.tcp.take()) {
            (true, None) => {
                let (address, port) = (self.address.ip(), self.address.port());
                let listener = TcpListener::bind(self.address).await.map_err(|source| DnsError::Return { address, port, source })?;
                self.tcp = Some(tokio::spawn(serve::tcp(listener, Arc::clone(&self.shared))));
            }
            (false, Some(tcp)) => stop(tcp).await,
            (_, unchanged) => self.tcp = unchanged,
        }
        *self.shared.mode.write().unwrap_or_else(PoisonError::into_inner) = mode;
        Ok(())
    }

    /// How it treats queries now.
    pub fn mode(&self) -> Mode {
        self.shared.mode()
    }

    /// Whether it answers, however badly.
    pub fn is_answering(&self) -> bool {
        !matches!(self.mode(), Mode::Down | Mode::Drops)
    }

    /// Serial of a zone, as a plain client gets it over the wire; `None` when the name is no apex of a zone.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn serial(&self, origin: &str) -> Result<Option<u32>, QueryError> {
        let Ok(name) = wire_name(origin) else { return Ok(None) };
        let message = query(self.address, &name, RecordType::SOA, SERIAL_TIMEOUT).await?;
        Ok(message.answers.iter().find_map(|record| match &record.data {
            RData::SOA(soa) if record.name == name => Some(soa.serial),
            _ => None,
        }))
    }

    /// Queries answered since the start.
    pub fn answered(&self) -> u64 {
        self.shared.answered.load(Ordering::Relaxed)
    }

    /// Stops and waits until the port is free.
    ///
    /// # Errors
    /// None any more; kept for callers that pass failures on.
    pub async fn shutdown(mut self) -> Result<(), DnsError> {
        if let Some(tcp) = self.tcp.take() {
            stop(tcp).await;
        }
        self.udp.abort();
        let _aborted = (&mut self.udp).await;
        Ok(())
    }
}

impl Drop for DnsServer {
    fn drop(&mut self) {
        self.udp.abort();
        if let Some(tcp) = &self.tcp {
            tcp.abort();
        }
    }
}

impl std::fmt::Debug for DnsServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DnsServer").field("address", &self.address).field("mode", &self.mode()).finish_non_exhaustive()
    }
}

/// Ends a task and waits until its sockets are closed.
async fn stop(task: JoinHandle<()>) {
    task.abort();
    let _aborted = task.await;
}

/// One number for UDP and TCP: the system picks it for UDP, and TCP may have lost it already.
async fn bind_pair(address: SocketAddr) -> Result<(UdpSocket, TcpListener), DnsError> {
    let failed = |source: std::io::Error| match source.kind() {
        std::io::ErrorKind::AddrInUse if address.port() != 0 => DnsError::InUse { address, occupant: occupant(address) },
        _ => DnsError::Bind { address: address.ip(), source },
    };
    let mut tries = 0;
    loop {
        let udp = UdpSocket::bind(address).await.map_err(failed)?;
        let bound = udp.local_addr().map_err(failed)?;
        match TcpListener::bind(bound).await {
            Ok(tcp) => return Ok((udp, tcp)),
            Err(error) if error.kind() == std::io::ErrorKind::AddrInUse && address.port() == 0 && tries < PORT_TRIES => tries += 1,
            Err(error) => return Err(failed(error)),
        }
    }
}

/// Who holds a port: somebody on all addresses shuts out every address, somebody on this one only this one.
fn occupant(address: SocketAddr) -> Occupant {
    // An address that nobody has a reason to use.
    let elsewhere = SocketAddr::from(([127, 255, 255, 253], address.port()));
    let in_use = |error: std::io::Error| error.kind() == std::io::ErrorKind::AddrInUse;
    let udp = std::net::UdpSocket::bind(elsewhere).is_err_and(in_use);
    let tcp = std::net::TcpListener::bind(elsewhere).is_err_and(in_use);
    if udp || tcp { Occupant::AllAddresses } else { Occupant::ThisAddress }
}

impl Shared {
    pub(crate) fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.snapshot.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn mode(&self) -> Mode {
        *self.mode.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn count_answer(&self) {
        self.answered.fetch_add(1, Ordering::Relaxed);
    }

    /// Has the owner of the zones decide on an update.
    pub(crate) async fn decide(&self, update: &DynamicUpdate) -> UpdateCode {
        match &self.settings.updates {
            Some(updates) => updates.decide(update.clone()).await,
            None => UpdateCode::Refused,
        }
    }
}
