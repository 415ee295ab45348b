//! The asking side: a connection to a SIP server over TLS, and requests on it.

use std::net::SocketAddr;

use ezk_sip_types::Name;
use firedrill_fabric::SimTime;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::line::{Broken, Line};
use super::message::{Message, Start};
use crate::limits::Limits;
use crate::tls::{Authority, CertificateProblem, Credentials, SecureFailure, secure};

/// Why a SIP server was not heard.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SipFailure {
    /// What listens there does not speak TLS, or not SIP over it.
    #[error("what listens there does not speak SIP over TLS")]
    Foreign,
    /// The TLS handshake failed, or the server ended the connection with an alert: it refuses our certificate.
    #[error("TLS failed: {0}")]
    Tls(String),
    /// The server's certificate is not acceptable.
    #[error(transparent)]
    Certificate(CertificateProblem),
    /// The connection ended before the answer.
    #[error("the connection was closed before the request was answered")]
    Closed,
    /// Its words make no sense.
    #[error("out of protocol: {0}")]
    Garbled(String),
    /// It took too long.
    #[error("no answer in time")]
    Late,
}

/// What was learnt about TLS on the way, whether it went well or not.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
pub struct TlsFacts {
    /// Version of TLS.
    pub version: Option<String>,
    /// Its cipher suite.
    pub cipher: Option<String>,
    /// What is wrong with the server's certificate.
    pub certificate: Option<CertificateProblem>,
}

/// A final response.
#[derive(Debug, Clone)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) message: Message,
}

impl Response {
    /// Value of `ms-diagnostics`.
    pub(crate) fn diagnostics(&self) -> Option<&str> {
        self.message.first(&Name::unknown("ms-diagnostics".into()))
    }

    /// Its error id.
    pub(crate) fn diagnostics_id(&self) -> Option<u16> {
        self.diagnostics()?.split(';').next()?.trim().parse().ok()
    }
}

/// With what a client goes to a server.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Introduction<'a> {
    /// The certificate to show.
    pub(crate) credentials: &'a Credentials,
    /// Whose certificates are believed, and when.
    pub(crate) authority: &'a Authority,
    pub(crate) now: SimTime,
    pub(crate) limits: &'a Limits,
}

/// A connection to a server whose certificate is good.
pub(crate) struct Call {
    line: Line,
    source: Option<SocketAddr>,
}

impl Call {
    /// Secures a connection; the server's certificate must be for the host that was looked for.
    pub(crate) async fn open(stream: TcpStream, host: &str, with: &Introduction<'_>, facts: &mut TlsFacts) -> Result<Self, SipFailure> {
        let source = stream.local_addr().ok();
        let securing = secure(stream, &with.credentials.client, with.authority, host, with.now);
        let secured = timeout(with.limits.probe, securing).await.map_err(|_| SipFailure::Late)?.map_err(SipFailure::from)?;
        (facts.version, facts.cipher) = (secured.version, secured.cipher);
        facts.certificate = secured.certificate.clone().err();
        let line = Line::new(Box::new(secured.stream), with.limits);
        if let Err(problem) = secured.certificate {
            line.close().await;
            return Err(SipFailure::Certificate(problem));
        }
        Ok(Self { line, source })
    }

    /// What stands in Via as the place to answer to.
    pub(crate) fn sent_by(&self) -> String {
        self.source.map_or_else(|| "localhost".to_owned(), |source| source.to_string())
    }

    /// Sends a request and waits for its final response; provisional ones, and requests of the server, are passed over.
    pub(crate) async fn ask(&mut self, request: &str, limits: &Limits) -> Result<Response, SipFailure> {
        timeout(limits.probe, self.exchange(request)).await.unwrap_or(Err(SipFailure::Late))
    }

    async fn exchange(&mut self, request: &str) -> Result<Response, SipFailure> {
        // A server that refuses our certificate may have hung up; its alert says why.
        let sent = self.line.send(request).await;
        loop {
            let message = match self.line.next().await {
                Ok(message) => message,
                Err(Broken::Malformed(_)) => return Err(SipFailure::Foreign),
                Err(Broken::Late) => return Err(SipFailure::Late),
                Err(Broken::Failed(error)) => return Err(SecureFailure::of(&error).into()),
                Err(Broken::Closed) => {
                    return Err(sent.err().map_or(SipFailure::Closed, |error| SipFailure::Tls(error.kind().to_string())));
                }
            };
            match message.start {
                Start::Response { status: 200.., .. } => {
                    let Start::Response { status, .. } = message.start else { continue };
                    return Ok(Response { status, message });
                }
                Start::Response { .. } | Start::Request { .. } => {}
            }
        }
    }

    /// Says something that is not answered.
    pub(crate) async fn say(&mut self, text: &str) -> Result<(), SipFailure> {
        self.line.send(text).await.map_err(|error| SipFailure::Tls(error.kind().to_string()))
    }

    /// Ends the connection politely.
    pub(crate) async fn hang_up(self) {
        self.line.close().await;
    }
}

impl From<SecureFailure> for SipFailure {
    fn from(failure: SecureFailure) -> Self {
        match failure {
            SecureFailure::Foreign => Self::Foreign,
            SecureFailure::Failed(why) => Self::Tls(why),
        }
    }
}

/// An OPTIONS request for a domain on behalf of another (RFC 3261 11.1).
pub(crate) fn options(from: &str, to: &str, sent_by: &str, id: &str) -> String {
    format!(
        "OPTIONS sip:{to} SIP/2.0\r\nVia: SIP/2.0/TLS {sent_by};branch=z9hG4bK{id}\r\nMax-Forwards: 70\r\nFrom: <sip:{from}>;tag={id}\r\n\
         To: <sip:{to}>\r\nCall-ID: {id}\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
    )
}
