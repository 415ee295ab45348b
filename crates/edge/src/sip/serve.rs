//! The listening side: one connection over TLS.

use std::net::SocketAddr;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::CertificateDer;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::desk::{Desk, Peer};
use super::line::{Broken, Line};
use super::message::Request;
use super::reply::unframed;
use crate::behaviour::Behaviour;
use crate::goodbye::say_goodbye;
use crate::tls::{self, Credentials};
use crate::xmpp::host::Host;

/// Serves one connection until the peer closes it, misbehaves or takes too long. What is not TLS gets an alert.
pub(crate) async fn serve(stream: TcpStream, host: Arc<Host>) {
    let limits = *host.around.limits();
    let source = stream.peer_addr().ok();
    // Without a certificate there is no TLS, and without TLS no SIP.
    let Ok(credentials) = host.credentials() else { return };
    let config = demanded(&host.behaviour(), &credentials);
    // Who speaks no TLS, or shows no certificate where one is due, has been told by an alert.
    let Ok(Ok((stream, chain))) = timeout(limits.conversation, tls::accept(stream, &config)).await else { return };
    let line = Line::new(Box::new(stream), &limits);
    converse(line, source, chain.unwrap_or_default(), host).await;
}

/// What is asked of clients: federation is over mutual TLS (dossier F.6).
fn demanded(behaviour: &Behaviour, credentials: &Credentials) -> Arc<ServerConfig> {
    match behaviour {
        Behaviour::Edge(_) | Behaviour::Partner { .. } => Arc::clone(&credentials.mutual),
        // Clients have no certificates yet when they sign in first.
        Behaviour::Registrar { .. } | Behaviour::Access { .. } => Arc::clone(&credentials.one_sided),
    }
}

/// Answers requests in order.
async fn converse(mut line: Line, source: Option<SocketAddr>, chain: Vec<CertificateDer<'static>>, host: Arc<Host>) {
    let mut peer = Peer::new(chain, source);
    loop {
        let message = match line.next().await {
            Ok(message) => message,
            Err(Broken::Malformed(malformed)) => {
                // Nothing after a message that cannot be framed can be trusted: says so and closes.
                let words = unframed(malformed, &host.behaviour().source());
                return say_goodbye(&mut line.into_io(), &words).await;
            }
            // Gone, or too slow: SIP has no word for it, the connection is closed (RFC 3261 18.3).
            Err(Broken::Closed | Broken::Failed(_)) => return,
            Err(Broken::Late) => return line.close().await,
        };
        let desk = Desk::new(&host);
        let words = match Request::read(message) {
            // Answers to what was sent along with an answer: nobody waits for them.
            None => continue,
            Some(Ok(request)) => desk.answer(&request, &mut peer),
            Some(Err((status, message))) => desk.misread(status, &message, source),
        };
        for text in words {
            if line.send(&text).await.is_err() {
                return;
            }
        }
    }
}
