//! A server of the mock on the wire: an Edge Server's XMPP proxy, or a partner's stand-in.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use firedrill_fabric::federation::Direction;
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::call::{Call, Caller, Facts, Method, StreamFailure, open};
use super::element::Element;
use super::ledger::StreamRecord;
use super::outgoing::{self, Parcel};
use super::policy::PeerPolicy;
use crate::behaviour::Behaviour;
use crate::error::EdgeError;
use crate::surroundings::Surroundings;
use crate::tls::Credentials;

/// A server that receives and opens streams. Everything that it has opened ends with its [`HostOwner`].
#[derive(Debug)]
pub(crate) struct Host {
    pub(crate) around: Surroundings,
    behaviour: RwLock<Arc<Behaviour>>,
    /// Distinguishes ids and keys of servers.
    pub(crate) name: String,
    /// Where its own connections come from.
    source: Option<SocketAddr>,
    /// Queues of streams to peers, by our domain and theirs.
    outgoing: Mutex<BTreeMap<(String, String), mpsc::Sender<Parcel>>>,
    tasks: Mutex<JoinSet<()>>,
    /// Connections of each peer.
    seats: Mutex<BTreeMap<String, usize>>,
    /// Who waits for the answer to a request of ours, by its id.
    pending: Mutex<BTreeMap<String, oneshot::Sender<Element>>>,
    counter: AtomicU64,
    /// Connections that came in so far.
    connections: AtomicU64,
}

/// The one owner of a server: when it goes, so do the server's own streams.
#[derive(Debug)]
pub(crate) struct HostOwner(pub(crate) Arc<Host>);

impl Drop for HostOwner {
    fn drop(&mut self) {
        self.0.hang_up();
    }
}

/// A connection's place among those of its peer.
#[derive(Debug)]
pub(crate) struct Seat {
    host: Arc<Host>,
    peer: String,
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut seats = locked(&self.host.seats);
        if let Some(taken) = seats.get_mut(&self.peer) {
            *taken -= 1;
            if *taken == 0 {
                seats.remove(&self.peer);
            }
        }
    }
}

impl Host {
    pub(crate) fn new(around: &Surroundings, behaviour: Behaviour, name: String, source: Option<SocketAddr>) -> Self {
        Self {
            around: around.clone(),
            behaviour: RwLock::new(Arc::new(behaviour)),
            name,
            source,
            outgoing: Mutex::default(),
            tasks: Mutex::default(),
            seats: Mutex::default(),
            pending: Mutex::default(),
            counter: AtomicU64::new(0),
            connections: AtomicU64::new(0),
        }
    }

    pub(crate) fn behaviour(&self) -> Arc<Behaviour> {
        Arc::clone(&self.behaviour.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn set_behaviour(&self, behaviour: Behaviour) {
        *self.behaviour.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(behaviour);
    }

    /// A connection came in.
    pub(crate) fn count_connection(&self) {
        self.connections.fetch_add(1, Ordering::Relaxed);
    }

    /// Connections that came in so far.
    pub(crate) fn connections(&self) -> u64 {
        self.connections.load(Ordering::Relaxed)
    }

    pub(crate) fn policy(&self, peer: &str) -> PeerPolicy {
        PeerPolicy::of(&self.behaviour(), peer, self.around.limits())
    }

    /// An id that this server has not given before.
    pub(crate) fn fresh_id(&self, kind: &str) -> String {
        let counter = self.counter.fetch_add(1, Ordering::Relaxed);
        format!("{:032x}", self.around.seed().guid(&format!("{kind} {}", self.name), counter))
    }

    /// Its certificate and key; made when first needed, and others when names or dates have changed.
    pub(crate) fn credentials(&self) -> Result<Credentials, EdgeError> {
        let behaviour = self.behaviour();
        let authority = self.around.authority();
        Ok(authority.issue(&behaviour.certificate_names(), behaviour.certificate_dates(authority.dates()))?)
    }

    /// Takes one of the places that a peer has here; none when all are taken.
    pub(crate) fn sit_down(self: &Arc<Self>, peer: &str, limit: usize) -> Option<Seat> {
        let peer = peer.to_ascii_lowercase();
        let mut seats = locked(&self.seats);
        let taken = seats.entry(peer.clone()).or_insert(0);
        if *taken >= limit {
            return None;
        }
        *taken += 1;
        drop(seats);
        Some(Seat { host: Arc::clone(self), peer })
    }

    /// The secret of dialback keys: shared by all Edge Servers, because a partner may ask any of them.
    pub(crate) fn secret(&self) -> String {
        let behaviour = self.behaviour();
        match (&*behaviour, behaviour.dialback_passphrase()) {
            (_, Some(passphrase)) => passphrase.to_owned(),
            (Behaviour::Edge(_), None) => format!("{:032x}", self.around.seed().guid("dialback secret", 0)),
            (_, None) => format!("{:032x}", self.around.seed().guid(&format!("dialback secret {}", self.name), 0)),
        }
    }

    /// Sends a stanza on our stream to a peer, which is opened when there is none; what becomes of it can be awaited.
    pub(crate) fn post(self: &Arc<Self>, from: &str, to: &str, stanza: Element) -> oneshot::Receiver<Result<(), StreamFailure>> {
        let (done, outcome) = oneshot::channel();
        let mut parcel = Parcel { stanza, done };
        let key = (from.to_ascii_lowercase(), to.to_ascii_lowercase());
        let mut outgoing = locked(&self.outgoing);
        if let Some(queue) = outgoing.get(&key) {
            match queue.try_send(parcel) {
                Ok(()) => return outcome,
                Err(mpsc::error::TrySendError::Full(parcel)) => {
                    let _told = parcel.done.send(Err(StreamFailure::Late));
                    return outcome;
                }
                Err(mpsc::error::TrySendError::Closed(returned)) => parcel = returned,
            }
        }
        let (queue, parcels) = mpsc::channel(self.around.limits().queue);
        // The queue is empty and its other end is here: this cannot fail.
        let _queued = queue.try_send(parcel);
        let mut tasks = locked(&self.tasks);
        while tasks.try_join_next().is_some() {}
        // The stream does not keep the server alive: whoever waits for it is told when the server goes.
        tasks.spawn(outgoing::run(Arc::clone(self), key.0.clone(), key.1.clone(), parcels));
        outgoing.retain(|_, queue| !queue.is_closed());
        outgoing.insert(key, queue);
        outcome
    }

    /// Notes a stream that came about.
    pub(crate) fn note(&self, direction: Direction, domain: &str, peer: &str, secured: bool, method: Method) {
        self.around.ledger().enter(StreamRecord {
            at: self.around.now(),
            server: self.name.clone(),
            direction,
            domain: domain.to_owned(),
            peer: peer.to_owned(),
            secured,
            method,
        });
    }

    /// Waits for the answer to a request with this id.
    pub(crate) fn expect(&self, id: &str) -> oneshot::Receiver<Element> {
        let (sender, receiver) = oneshot::channel();
        let mut pending = locked(&self.pending);
        pending.retain(|_, waiting| !waiting.is_closed());
        pending.insert(id.to_owned(), sender);
        receiver
    }

    /// An answer arrived; false when nobody waits for it.
    pub(crate) fn answer(&self, answer: Element) -> bool {
        let waiting = answer.get("id").and_then(|id| locked(&self.pending).remove(id));
        waiting.is_some_and(|waiting| waiting.send(answer).is_ok())
    }

    /// Ends all streams that this server has opened.
    pub(crate) fn hang_up(&self) {
        locked(&self.tasks).abort_all();
        locked(&self.outgoing).clear();
    }

    /// As [`Self::hang_up`], and waits until they have ended.
    pub(crate) async fn shutdown(&self) {
        self.hang_up();
        let mut tasks = std::mem::take(&mut *locked(&self.tasks));
        while tasks.join_next().await.is_some() {}
    }

    /// Finds a peer's server, connects and opens a stream that is secured but not authenticated.
    pub(crate) async fn call(&self, from: &str, to: &str, facts: &mut Facts) -> Result<(Call, PeerPolicy), StreamFailure> {
        let policy = self.policy(to);
        if !self.behaviour().reaches_out(&*self.around.gateway()) {
            return Err(StreamFailure::NotFound(to.to_owned()));
        }
        let servers = self.around.directory().find(from, to, policy.proxy.as_deref(), self.around.now()).await;
        let mut last = StreamFailure::NotFound(to.to_owned());
        for server in servers {
            match self.connect(server).await {
                Ok(stream) => {
                    let call = self.call_on(stream, from, to, &policy, facts).await?;
                    return Ok((call, policy));
                }
                Err(failure) => last = failure,
            }
        }
        Err(last)
    }

    /// Opens a stream on a connection and authenticates it.
    pub(crate) async fn meet(&self, stream: TcpStream, from: &str, to: &str, facts: &mut Facts) -> Result<Call, StreamFailure> {
        let policy = self.policy(to);
        let mut call = self.call_on(stream, from, to, &policy, facts).await?;
        let credentials = self.credentials().map_err(|error| StreamFailure::Tls(error.to_string()))?;
        let secret = self.secret();
        call.authenticate(&self.caller(from, to, &policy, &credentials, &secret), facts).await?;
        Ok(call)
    }

    async fn call_on(
        &self,
        stream: TcpStream,
        from: &str,
        to: &str,
        policy: &PeerPolicy,
        facts: &mut Facts,
    ) -> Result<Call, StreamFailure> {
        let credentials = self.credentials().map_err(|error| StreamFailure::Tls(error.to_string()))?;
        let secret = self.secret();
        open(Box::new(stream), &self.caller(from, to, policy, &credentials, &secret), facts).await
    }

    pub(crate) fn caller<'a>(
        &'a self,
        from: &'a str,
        to: &'a str,
        policy: &PeerPolicy,
        credentials: &'a Credentials,
        secret: &'a str,
    ) -> Caller<'a> {
        Caller {
            from,
            to,
            methods: policy.methods,
            strict: policy.strict,
            credentials,
            authority: self.around.authority(),
            now: self.around.now(),
            secret,
            limits: self.around.limits(),
        }
    }

    async fn connect(&self, server: SocketAddr) -> Result<TcpStream, StreamFailure> {
        let broken = |error: std::io::Error| StreamFailure::Broken(error.kind().to_string());
        let socket = TcpSocket::new_v4().map_err(broken)?;
        if let Some(source) = self.source {
            socket.bind(source).map_err(broken)?;
        }
        let connecting = timeout(self.around.limits().probe, socket.connect(server));
        let stream = match connecting.await {
            Err(_) => return Err(StreamFailure::Late),
            Ok(Err(error)) if error.kind() == std::io::ErrorKind::ConnectionRefused => return Err(StreamFailure::Refused(server)),
            Ok(Err(error)) => return Err(broken(error)),
            Ok(Ok(stream)) => stream,
        };
        stream.set_nodelay(true).map_err(broken)?;
        Ok(stream)
    }

    /// Server Dialback as the receiving server (XEP-0220 2.2): asks the server of the domain that a peer claims to be
    /// whether the key is its own.
    pub(crate) async fn verify(&self, ours: &str, claimed: &str, id: &str, key: &str) -> Result<bool, StreamFailure> {
        let asking = async {
            let mut facts = Facts::default();
            let (mut call, policy) = self.call(ours, claimed, &mut facts).await?;
            let credentials = self.credentials().map_err(|error| StreamFailure::Tls(error.to_string()))?;
            let secret = self.secret();
            let valid = call.verify(&self.caller(ours, claimed, &policy, &credentials, &secret), id, key).await;
            call.hang_up().await;
            valid
        };
        timeout(self.around.limits().probe, asking).await.unwrap_or(Err(StreamFailure::Late))
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
