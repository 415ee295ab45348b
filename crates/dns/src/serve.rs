//! Sockets: one task for UDP, one for accepting TCP, one for each TCP connection. Whatever peers do, there is a limit.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::answer::{self, Handled, Transport, UpdateJob};
use crate::server::Shared;
use crate::settings::Mode;

/// How long a TCP client may take for a message, and between messages (RFC 7766 6.2.3).
const TCP_IDLE: Duration = Duration::from_secs(5);
/// TCP clients at once; more are turned away by closing.
const TCP_CLIENTS: usize = 256;
/// Answers over UDP that may wait for a decision or for their time; more queries are dropped.
const UDP_WAITING: usize = 1024;
/// Datagrams answered before other tasks have their turn.
const BATCH: usize = 64;

/// Answers datagrams until it is dropped.
pub(crate) async fn udp(socket: Arc<UdpSocket>, shared: Arc<Shared>) {
    let mut buffer = vec![0; usize::from(u16::MAX)];
    let mut out = Vec::with_capacity(4096);
    let mut waiting: JoinSet<()> = JoinSet::new();
    loop {
        if socket.readable().await.is_err() {
            tokio::task::yield_now().await;
            continue;
        }
        for _ in 0..BATCH {
            let (length, peer) = match socket.try_recv_from(&mut buffer) {
                Ok(received) => received,
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => break,
                // An error that an earlier answer met, such as a peer that is gone.
                Err(_) => continue,
            };
            let mode = shared.mode();
            let handled = answer::handle(&shared.snapshot(), &shared.settings, mode, &buffer[..length], peer, Transport::Udp, &mut out);
            let later = match handled {
                Handled::Silent => continue,
                Handled::Reply => None,
                // Over UDP a transfer is one SOA record.
                Handled::Transfer(mut transfer) => {
                    out = transfer.next().unwrap_or_default();
                    None
                }
                Handled::Update(job) => Some(job),
            };
            let delay = if let Mode::Slow(delay) = mode { Some(delay) } else { None };
            if later.is_none() && delay.is_none() {
                shared.count_answer();
                if let Err(error) = socket.try_send_to(&out, peer)
                    && error.kind() == std::io::ErrorKind::WouldBlock
                {
                    // A peer that cannot be reached is its own business.
                    let _lost = socket.send_to(&out, peer).await;
                }
                continue;
            }
            while waiting.try_join_next().is_some() {}
            if waiting.len() < UDP_WAITING {
                let (socket, shared, reply) = (Arc::clone(&socket), Arc::clone(&shared), std::mem::take(&mut out));
                waiting.spawn(async move {
                    let reply = answer_later(&shared, delay, reply, later).await;
                    shared.count_answer();
                    let _lost = socket.send_to(&reply, peer).await;
                });
            }
        }
        while waiting.try_join_next().is_some() {}
        tokio::task::yield_now().await;
    }
}

/// Waits as long as the server is slow, and for the decision about an update.
async fn answer_later(shared: &Shared, delay: Option<Duration>, mut reply: Vec<u8>, job: Option<Box<UpdateJob>>) -> Vec<u8> {
    if let Some(delay) = delay {
        tokio::time::sleep(delay).await;
    }
    if let Some(job) = job {
        let code = shared.decide(&job.update).await;
        job.answer(code, &mut reply);
    }
    reply
}

/// Accepts connections until it is dropped; that ends them too.
pub(crate) async fn tcp(listener: TcpListener, shared: Arc<Shared>) {
    let mut clients: JoinSet<()> = JoinSet::new();
    loop {
        let accepted = listener.accept().await;
        while clients.try_join_next().is_some() {}
        match accepted {
            Ok((stream, peer)) if clients.len() < TCP_CLIENTS => {
                clients.spawn(client(stream, peer, Arc::clone(&shared)));
            }
            Ok(_) => {}
            // No file descriptors left: they come back when clients go.
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}

/// Answers the queries of one connection, one after another; any fault of the client ends it.
async fn client(mut stream: TcpStream, peer: SocketAddr, shared: Arc<Shared>) {
    let _unchanged = stream.set_nodelay(true);
    let mut buffer = Vec::new();
    let mut out = Vec::new();
    while let Ok(Ok(())) = timeout(TCP_IDLE, read_message(&mut stream, &mut buffer)).await {
        let mode = shared.mode();
        let handled = answer::handle(&shared.snapshot(), &shared.settings, mode, &buffer, peer, Transport::Tcp, &mut out);
        if let Mode::Slow(delay) = mode {
            tokio::time::sleep(delay).await;
        }
        match handled {
            Handled::Silent => return,
            Handled::Reply => {}
            Handled::Update(job) => {
                let code = shared.decide(&job.update).await;
                job.answer(code, &mut out);
            }
            Handled::Transfer(mut transfer) => {
                shared.count_answer();
                while let Some(message) = transfer.next() {
                    if write_message(&mut stream, &message).await.is_none() {
                        return;
                    }
                }
                continue;
            }
        }
        shared.count_answer();
        if write_message(&mut stream, &out).await.is_none() {
            return;
        }
    }
}

async fn read_message(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> std::io::Result<()> {
    let length = stream.read_u16().await?;
    buffer.resize(usize::from(length), 0);
    stream.read_exact(buffer).await.map(|_| ())
}

async fn write_message(stream: &mut TcpStream, message: &[u8]) -> Option<()> {
    let length = u16::try_from(message.len()).ok()?;
    let framed = [&length.to_be_bytes()[..], message].concat();
    timeout(TCP_IDLE, stream.write_all(&framed)).await.ok()?.ok()
}
