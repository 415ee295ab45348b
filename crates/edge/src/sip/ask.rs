//! The asking side: one OPTIONS request.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::message::complete;
use crate::error::ProbeError;
use crate::limits::Limits;

/// What a server said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SipAnswer {
    /// A SIP response.
    Response {
        /// Status code.
        status: u16,
        /// Value of `ms-diagnostics`.
        diagnostics: Option<String>,
    },
    /// XML: the server speaks XMPP.
    Foreign,
}

/// Asks for a domain's options on behalf of another.
pub(crate) async fn ask(stream: &mut TcpStream, peer: SocketAddr, from: &str, to: &str, limits: &Limits) -> Result<SipAnswer, ProbeError> {
    let failed = |source| ProbeError::Connection { peer, source };
    let garbled = |what: &str| ProbeError::Garbled { peer, what: what.to_owned() };
    let request = format!(
        "OPTIONS sip:{to} SIP/2.0\r\nVia: SIP/2.0/TCP {from};branch=z9hG4bKfiredrill\r\nMax-Forwards: 70\r\n\
         From: <sip:probe@{from}>;tag=probe\r\nTo: <sip:{to}>\r\nCall-ID: probe@{from}\r\nCSeq: 1 OPTIONS\r\n\
         Contact: <sip:probe@{from};transport=tcp>\r\nContent-Length: 0\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.map_err(failed)?;
    let mut buffer = Vec::new();
    let mut chunk = vec![0; 4096];
    loop {
        match complete(&buffer, limits.sip_bytes) {
            Ok(Some((_, message))) => {
                let status = message.status().ok_or_else(|| garbled("no status line"))?;
                return Ok(SipAnswer::Response { status, diagnostics: message.header("ms-diagnostics").map(str::to_owned) });
            }
            Ok(None) => {
                let count = stream.read(&mut chunk).await.map_err(failed)?;
                if count == 0 {
                    return Err(garbled("the connection was closed before the request was answered"));
                }
                buffer.extend_from_slice(&chunk[..count]);
            }
            Err(_) if buffer.first() == Some(&b'<') => return Ok(SipAnswer::Foreign),
            Err(_) => return Err(garbled("its answer is no SIP message")),
        }
    }
}
