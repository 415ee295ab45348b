//! NOTIFY (RFC 1996): tells configured servers that a zone has changed.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::time::timeout;

use crate::packet::{self, CLASS_IN, OPCODE_NOTIFY, TYPE_SOA};

/// Sent so often at most (RFC 1996 3.6).
const TRIES: u32 = 5;
/// Time between two; RFC 1996 3.6 proposes a minute, which a drill would not wait for.
const INTERVAL: Duration = Duration::from_secs(1);

/// Tells one server about one zone until it acknowledges. From the server's own address, by which secondaries know it.
pub(crate) async fn tell(from: SocketAddr, to: SocketAddr, apex: Box<[u8]>, id: u16) -> bool {
    let local = match from {
        SocketAddr::V4(address) => SocketAddr::from((*address.ip(), 0)),
        SocketAddr::V6(_) => SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
    };
    let Ok(socket) = UdpSocket::bind(local).await else { return false };
    let mut message = Vec::with_capacity(packet::HEADER + apex.len() + 4);
    message.extend_from_slice(&id.to_be_bytes());
    message.extend_from_slice(&[OPCODE_NOTIFY << 3 | 0x04, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    message.extend_from_slice(&apex);
    message.extend_from_slice(&TYPE_SOA.to_be_bytes());
    message.extend_from_slice(&CLASS_IN.to_be_bytes());
    let mut buffer = [0; 512];
    for _ in 0..TRIES {
        if socket.send_to(&message, to).await.is_err() {
            return false;
        }
        let heard = timeout(INTERVAL, async {
            loop {
                let Ok((length, sender)) = socket.recv_from(&mut buffer).await else { return };
                let head = packet::head(&buffer[..length]);
                if sender == to && head.is_some_and(|head| head.is_response && head.id == id && head.opcode == OPCODE_NOTIFY) {
                    return;
                }
            }
        });
        if heard.await.is_ok() {
            return true;
        }
    }
    false
}
