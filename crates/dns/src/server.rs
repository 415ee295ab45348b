//! The server: hickory's sockets and message handling around our snapshots.

use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use firedrill_fabric::naming::Zones;
use hickory_server::Server;
use hickory_server::net::runtime::Time;
use hickory_server::proto::op::{Edns, Header, HeaderCounts, MessageType, Metadata, OpCode, ResponseCode};
use hickory_server::proto::rr::{DNSClass, RData, RecordType};
use hickory_server::server::{Request, RequestHandler, ResponseHandler, ResponseInfo};
use hickory_server::zone_handler::MessageResponseBuilder;
use tokio::net::{TcpListener, UdpSocket};

use crate::address::AddressMap;
use crate::error::DnsError;
use crate::loopback::LoopbackBlock;
use crate::query::{QueryError, query};
use crate::snapshot::{self, Reply, Snapshot};

/// Largest answer over UDP with EDNS, in bytes (DNS flag day 2020).
const UDP_PAYLOAD_MAX: u16 = 1232;
/// How long an idle TCP client is kept.
const TCP_IDLE: Duration = Duration::from_secs(5);
/// Answers that may wait in one TCP connection.
const TCP_QUEUE: usize = 32;
/// How long the answer to a question about our own state may take.
const SERIAL_TIMEOUT: Duration = Duration::from_secs(5);
/// Tries to find one number free for both UDP and TCP.
const PORT_TRIES: u32 = 64;

/// A DNS server on loopback that is authoritative for a fabric's zones, and for nothing else existing.
///
/// UDP and TCP listen on one port number. It stops and frees both when dropped; [`Self::shutdown`] waits for it.
pub struct DnsServer {
    shared: Arc<Shared>,
    map: AddressMap,
    address: SocketAddr,
    /// Stays bound while the server is down, so that the port remains ours.
    udp: Server<Handler>,
    /// `None` while the server is down.
    tcp: Option<Server<Handler>>,
}

#[derive(Debug)]
struct Shared {
    snapshot: RwLock<Arc<Snapshot>>,
    answering: AtomicBool,
    answered: AtomicU64,
}

#[derive(Clone)]
struct Handler(Arc<Shared>);

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
        let snapshot = Arc::new(Snapshot::new(zones, map, None)?);
        let shared = Arc::new(Shared { snapshot: RwLock::new(snapshot), answering: AtomicBool::new(true), answered: AtomicU64::new(0) });
        let (udp_socket, tcp_listener) = bind_pair(address).await.map_err(|source| DnsError::Bind { address, source })?;
        let address = udp_socket.local_addr().map_err(|source| DnsError::Bind { address, source })?;
        let mut udp = Server::new(Handler(Arc::clone(&shared)));
        udp.register_socket(udp_socket);
        let tcp = Some(serve_tcp(&shared, tcp_listener));
        Ok(Self { shared, map: map.clone(), address, udp, tcp })
    }

    /// Where it listens, UDP and TCP.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The map by which it translates addresses.
    pub fn map(&self) -> &AddressMap {
        &self.map
    }

    /// Serves these zones from now on. Answers before the return have the old data, answers after it the new; none has
    /// both. Costs what has changed.
    ///
    /// # Errors
    /// When a zone cannot be served; the old data stay.
    pub fn publish(&self, zones: &Zones) -> Result<(), DnsError> {
        let previous = self.shared.snapshot();
        let next = Arc::new(Snapshot::new(zones, &self.map, Some(&previous))?);
        *self.shared.snapshot.write().unwrap_or_else(PoisonError::into_inner) = next;
        Ok(())
    }

    /// Lets the server go down (UDP queries vanish, TCP is refused) or come back on its port.
    ///
    /// # Errors
    /// When the TCP port was lost to another program meanwhile.
    pub async fn set_answering(&mut self, answering: bool) -> Result<(), DnsError> {
        match (answering, self.tcp.take()) {
            (true, None) => {
                let listener = TcpListener::bind(self.address).await.map_err(|source| DnsError::Return {
                    address: self.address.ip(),
                    port: self.address.port(),
                    source,
                })?;
                self.tcp = Some(serve_tcp(&self.shared, listener));
            }
            (false, Some(mut tcp)) => stop(&mut tcp).await?,
            (_, unchanged) => self.tcp = unchanged,
        }
        self.shared.answering.store(answering, Ordering::SeqCst);
        Ok(())
    }

    /// Whether it answers.
    pub fn is_answering(&self) -> bool {
        self.shared.answering.load(Ordering::SeqCst)
    }

    /// Serial of a zone, as a plain client gets it over the wire; `None` when the name is no apex of a zone.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn serial(&self, origin: &str) -> Result<Option<u32>, QueryError> {
        let Ok(name) = snapshot::name(origin, origin) else { return Ok(None) };
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
    /// When a socket had failed.
    pub async fn shutdown(mut self) -> Result<(), DnsError> {
        if let Some(mut tcp) = self.tcp.take() {
            stop(&mut tcp).await?;
        }
        stop(&mut self.udp).await
    }
}

impl std::fmt::Debug for DnsServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DnsServer").field("address", &self.address).field("answering", &self.is_answering()).finish_non_exhaustive()
    }
}

fn serve_tcp(shared: &Arc<Shared>, listener: TcpListener) -> Server<Handler> {
    let mut server = Server::new(Handler(Arc::clone(shared)));
    server.register_listener(listener, TCP_IDLE, TCP_QUEUE);
    server
}

async fn stop(server: &mut Server<Handler>) -> Result<(), DnsError> {
    server.shutdown_gracefully().await.map_err(|error| DnsError::Stop(error.to_string()))
}

/// One number for UDP and TCP: the system picks it for UDP, and TCP may have lost it already.
async fn bind_pair(address: IpAddr) -> std::io::Result<(UdpSocket, TcpListener)> {
    let mut tries = 0;
    loop {
        let udp = UdpSocket::bind((address, 0)).await?;
        match TcpListener::bind(udp.local_addr()?).await {
            Ok(tcp) => return Ok((udp, tcp)),
            Err(error) if error.kind() == std::io::ErrorKind::AddrInUse && tries < PORT_TRIES => tries += 1,
            Err(error) => return Err(error),
        }
    }
}

impl Shared {
    fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.snapshot.read().unwrap_or_else(PoisonError::into_inner))
    }
}

#[async_trait::async_trait]
impl RequestHandler for Handler {
    async fn handle_request<R: ResponseHandler, T: Time>(&self, request: &Request, mut response: R) -> ResponseInfo {
        let mut metadata = Metadata::response_from_request(&request.metadata);
        if !self.0.answering.load(Ordering::SeqCst) {
            return silence(metadata);
        }
        let edns = request.edns.as_ref().map(|asked| {
            let mut edns = Edns::new();
            edns.set_max_payload(asked.max_payload().clamp(512, UDP_PAYLOAD_MAX)).set_version(0);
            edns
        });
        let snapshot = self.0.snapshot();
        let reply = decide(request, &snapshot);
        metadata.response_code = reply.code;
        metadata.authoritative = matches!(reply.code, ResponseCode::NoError | ResponseCode::NXDomain);
        let builder = MessageResponseBuilder::new(&request.queries, edns.as_ref());
        let none: [&hickory_server::proto::rr::Record; 0] = [];
        let message = builder.build(metadata, reply.answers, none, reply.authority, reply.additionals);
        self.0.answered.fetch_add(1, Ordering::Relaxed);
        // A peer that has gone away is its own business: the answer is lost as it would be on any network.
        response.send_response(message).await.unwrap_or_else(|_| silence(metadata))
    }
}

/// What a request gets. Updates, transfers and ANY are refused: the topology's operator edits zones through commands.
fn decide<'a>(request: &Request, snapshot: &'a Snapshot) -> Reply<'a> {
    let refuse = |code| Reply { code, ..Reply::default() };
    if request.metadata.message_type != MessageType::Query {
        return refuse(ResponseCode::FormErr);
    }
    if request.edns.as_ref().is_some_and(|edns| edns.version() > 0) {
        return refuse(ResponseCode::BADVERS);
    }
    match request.metadata.op_code {
        OpCode::Query => {}
        OpCode::Update => return refuse(ResponseCode::Refused),
        _ => return refuse(ResponseCode::NotImp),
    }
    let Ok(info) = request.request_info() else { return refuse(ResponseCode::FormErr) };
    let record_type = info.query.query_type();
    if info.query.query_class() != DNSClass::IN || matches!(record_type, RecordType::ANY | RecordType::AXFR | RecordType::IXFR) {
        return refuse(ResponseCode::Refused);
    }
    snapshot.answer(info.query.name(), record_type)
}

/// What hickory wants back when nothing was sent.
fn silence(metadata: Metadata) -> ResponseInfo {
    ResponseInfo::from(Header { metadata, counts: HeaderCounts::default() })
}
