//! One TCP port of one address that can be opened and closed again.
//!
//! While closed, the port is held by a socket that is bound and does not listen: connections are refused at once, as by a
//! computer whose service is stopped, and nobody else can take the port.

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::sync::Arc;
use std::time::Duration;

use firedrill_dns::AddressMap;
use firedrill_fabric::federation::Protocol;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet};

use crate::behaviour::Behaviour;
use crate::error::EdgeError;
use crate::surroundings::Surroundings;
use crate::xmpp::host::{Host, HostOwner};
use crate::{sip, xmpp};

/// Connections that may wait to be accepted.
pub(crate) const BACKLOG: u32 = 128;
/// Pause after a failed accept (file descriptors exhausted), so that the loop does not spin.
pub(crate) const ACCEPT_PAUSE: Duration = Duration::from_millis(20);

/// How often a port that was ours is asked for again, and how long after each time.
const REBINDS: u32 = 50;
const REBIND_PAUSE: Duration = Duration::from_millis(10);
/// Ports below are for privileged programs.
const WELL_KNOWN_PORTS: u16 = 1024;

/// One port.
#[derive(Debug)]
pub(crate) struct Door {
    /// The topology's address, for messages.
    address: Ipv4Addr,
    port: u16,
    bind: SocketAddr,
    state: State,
    /// The server behind the port.
    host: HostOwner,
    /// Keeps the block of addresses ours until the sockets above are gone.
    lease: AddressMap,
}

#[derive(Debug)]
enum State {
    Closed(TcpSocket),
    Open(OpenDoor),
    /// The port was lost; says so at every use.
    Lost,
}

/// The accept loop; ends with all its connections when this is dropped.
#[derive(Debug)]
struct OpenDoor {
    task: JoinHandle<()>,
    _stop: oneshot::Sender<()>,
}

impl Drop for OpenDoor {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Door {
    /// Takes a port without listening. `wire` is the loopback address that stands for `address`.
    pub(crate) fn hold(
        around: &Surroundings,
        address: Ipv4Addr,
        wire: Ipv4Addr,
        port: u16,
        behaviour: Behaviour,
    ) -> Result<Self, EdgeError> {
        let map = around.map();
        let wanted = if map.is_single() { SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0) } else { SocketAddrV4::new(wire, port) };
        let failed = |source| EdgeError::Bind { address, bind: wanted.into(), port, source };
        // On a shared address the system picks the port: without SO_REUSEADDR it cannot pick one that another fabric holds.
        let socket = match bound(wanted.into(), !map.is_single()) {
            // A port that the system keeps for its own programs, or that a web server has: another one stands for it.
            Err(_) if port < WELL_KNOWN_PORTS && !map.is_single() => bound(SocketAddrV4::new(wire, 0).into(), false),
            bound => bound,
        };
        let socket = socket.map_err(failed)?;
        let bind = socket.local_addr().map_err(failed)?;
        if bind != SocketAddr::V4(SocketAddrV4::new(wire, port)) {
            map.set_endpoint(wire, port, bind);
        }
        let host = Arc::new(Host::new(around, behaviour, format!("{address}:{port}"), map.source(wire)));
        Ok(Self { address, port, bind, state: State::Closed(socket), host: HostOwner(host), lease: map.clone() })
    }

    /// The server behind the port.
    pub(crate) fn host(&self) -> &Arc<Host> {
        &self.host.0
    }

    pub(crate) fn is_open(&self) -> bool {
        matches!(self.state, State::Open(_))
    }

    /// What connections accepted from now on meet.
    pub(crate) fn set_behaviour(&self, behaviour: Behaviour) {
        self.host().set_behaviour(behaviour);
    }

    /// Listens, or stops listening and drops all connections. When it returns, connections are accepted or refused.
    pub(crate) async fn set_open(&mut self, open: bool) -> Result<(), EdgeError> {
        if open == self.is_open() {
            return Ok(());
        }
        match std::mem::replace(&mut self.state, State::Lost) {
            State::Open(door) => self.close(door).await?,
            State::Closed(socket) => self.open(socket)?,
            State::Lost => {
                let socket = rebound(self.bind).await.map_err(|source| self.failed(source))?;
                if open { self.open(socket)? } else { self.state = State::Closed(socket) }
            }
        }
        Ok(())
    }

    fn open(&mut self, socket: TcpSocket) -> Result<(), EdgeError> {
        let listener = socket.listen(BACKLOG).map_err(|source| self.failed(source))?;
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(accept(Post { listener, _lease: self.lease.clone() }, Arc::clone(self.host()), stopped));
        self.state = State::Open(OpenDoor { task, _stop: stop });
        Ok(())
    }

    async fn close(&mut self, door: OpenDoor) -> Result<(), EdgeError> {
        door.task.abort();
        let mut door = door;
        // Cancelled, or ended by itself: either way its listener is gone.
        let _ended = (&mut door.task).await;
        self.host().hang_up();
        let socket = rebound(self.bind).await.map_err(|source| self.failed(source))?;
        self.state = State::Closed(socket);
        Ok(())
    }

    fn failed(&self, source: std::io::Error) -> EdgeError {
        EdgeError::Bind { address: self.address, bind: self.bind, port: self.port, source }
    }

    /// Stops for good and waits until the port is free.
    pub(crate) async fn shutdown(self) {
        if let State::Open(mut door) = self.state {
            door.task.abort();
            let _ended = (&mut door.task).await;
        }
        self.host.0.shutdown().await;
    }
}

pub(crate) fn bound(address: SocketAddr, reuse: bool) -> std::io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    // Elsewhere the option means what Unix calls port stealing, and lingering connections do not hold a port.
    socket.set_reuseaddr(reuse && cfg!(unix))?;
    socket.bind(address)?;
    Ok(socket)
}

/// Takes a port back that was ours. Connections that were closed from our side linger in TIME_WAIT: SO_REUSEADDR takes the
/// port back from them. A process that is just being started has all our sockets until it becomes another program, so that
/// the listener may live on for a moment.
pub(crate) async fn rebound(address: SocketAddr) -> std::io::Result<TcpSocket> {
    for _ in 0..REBINDS {
        match bound(address, true) {
            Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => tokio::time::sleep(REBIND_PAUSE).await,
            socket => return socket,
        }
    }
    bound(address, true)
}

/// A listener and what keeps its address ours, in the order in which they are dropped: a cancelled task goes in its own time.
struct Post {
    listener: TcpListener,
    _lease: AddressMap,
}

/// Accepts until stopped. Connections die with the loop, as they do with a service.
async fn accept(post: Post, host: Arc<Host>, mut stopped: oneshot::Receiver<()>) {
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = post.listener.accept() => accepted,
            _ = &mut stopped => return,
        };
        while connections.try_join_next().is_some() {}
        let Ok((stream, _)) = accepted else {
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        host.count_connection();
        let behaviour = host.behaviour();
        if connections.len() >= behaviour.connections(host.around.limits()) {
            turn_away(&stream, behaviour.protocol());
            continue;
        }
        connections.spawn(serve(stream, behaviour, Arc::clone(&host)));
    }
}

async fn serve(stream: TcpStream, behaviour: Arc<Behaviour>, host: Arc<Host>) {
    // A peer that has gone away in the meantime shows at the first read.
    let _set = stream.set_nodelay(true);
    match behaviour.protocol() {
        Protocol::Xmpp => xmpp::serve(Box::new(stream), host).await,
        Protocol::Sip => sip::serve(stream, host).await,
    }
}

/// One answer that fits the socket's empty buffer, without waiting for anything.
fn turn_away(stream: &TcpStream, protocol: Protocol) {
    // The peer may be gone already; there is nobody else to tell.
    let _sent = match protocol {
        Protocol::Xmpp => stream.try_write(xmpp::overload().as_bytes()),
        Protocol::Sip => stream.try_write(&sip::OVERLOAD),
    };
}
