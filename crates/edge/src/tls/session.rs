//! Handshakes over a connection, from both sides.

use std::io;
use std::sync::Arc;

use firedrill_fabric::SimTime;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, Error, ServerConfig};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::{TlsAcceptor, TlsConnector, client, server};

use super::{Authority, CertificateProblem};

/// A connection that was secured from our side, and what was learnt of the peer.
pub(crate) struct Secured<IO> {
    pub(crate) stream: client::TlsStream<IO>,
    /// `TLSv1_3`.
    pub(crate) version: Option<String>,
    /// Cipher suite.
    pub(crate) cipher: Option<String>,
    /// What is wrong with the peer's certificate.
    pub(crate) certificate: Result<(), CertificateProblem>,
}

/// Why a handshake failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SecureFailure {
    /// The peer does not speak TLS.
    #[error("what listens there does not speak TLS")]
    Foreign,
    /// Everything else.
    #[error("{0}")]
    Failed(String),
}

impl SecureFailure {
    /// What a failed read, write or handshake over TLS means.
    pub(crate) fn of(error: &io::Error) -> Self {
        match error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
            Some(Error::InvalidMessage(_)) => Self::Foreign,
            Some(tls) => Self::Failed(tls.to_string()),
            // Whoever hangs up on a handshake did not understand it.
            None if matches!(error.kind(), io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset) => Self::Foreign,
            None => Self::Failed(error.to_string()),
        }
    }
}

/// Opens TLS as a client and judges the certificate that the server shows for a host.
pub(crate) async fn secure<IO: AsyncRead + AsyncWrite + Unpin>(
    io: IO,
    config: &Arc<ClientConfig>,
    authority: &Authority,
    host: &str,
    now: SimTime,
) -> Result<Secured<IO>, SecureFailure> {
    let name = ServerName::try_from(host.to_owned()).map_err(|error| SecureFailure::Failed(error.to_string()))?;
    let connecting = TlsConnector::from(Arc::clone(config)).connect(name, io);
    let stream = connecting.await.map_err(|error| SecureFailure::of(&error))?;
    let (_, session) = stream.get_ref();
    let version = session.protocol_version().map(|version| format!("{version:?}"));
    let cipher = session.negotiated_cipher_suite().map(|suite| format!("{:?}", suite.suite()));
    let certificate = authority.judge(session.peer_certificates(), host, now);
    Ok(Secured { stream, version, cipher, certificate })
}

/// A connection that a client secured, and the chain that it showed.
type Accepted<IO> = (server::TlsStream<IO>, Option<Vec<CertificateDer<'static>>>);

/// Opens TLS as a server. A client that is refused is told by an alert.
pub(crate) async fn accept<IO: AsyncRead + AsyncWrite + Unpin>(io: IO, config: &Arc<ServerConfig>) -> io::Result<Accepted<IO>> {
    let stream = TlsAcceptor::from(Arc::clone(config)).accept(io).await?;
    let chain = stream.get_ref().1.peer_certificates().map(<[_]>::to_vec);
    Ok((stream, chain))
}
