//! A peer that says exactly what a test wants, with and without TLS.
#![allow(dead_code, reason = "every test file takes what it needs")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use firedrill_edge::Credentials;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

pub(crate) trait Io: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) const STARTTLS: &str = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
/// SASL EXTERNAL as who the stream's header says.
pub(crate) const EXTERNAL: &str = "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>=</auth>";

pub(crate) struct Peer {
    io: Box<dyn Io>,
    heard: String,
}

impl Peer {
    pub(crate) async fn connect(to: SocketAddr) -> Self {
        let stream = TcpStream::connect(to).await.expect("accepted");
        stream.set_nodelay(true).expect("set");
        Self { io: Box::new(stream), heard: String::new() }
    }

    pub(crate) async fn say(&mut self, text: &str) {
        // The server may have hung up already: what it said can still be read.
        let _written = self.io.write_all(text.as_bytes()).await;
        let _flushed = self.io.flush().await;
    }

    /// Opens a stream and waits for its features.
    pub(crate) async fn open(&mut self, from: &str, to: &str) -> String {
        self.say(&header(from, to)).await;
        // Where nothing is offered the element is empty.
        let opened = self.hear("<stream:features").await;
        let next = self.hear(">").await;
        if next == "/>" { opened } else { opened + &next + &self.hear("</stream:features>").await }
    }

    /// Waits until something was said, and forgets everything up to it.
    pub(crate) async fn hear(&mut self, what: &str) -> String {
        let reading = async {
            loop {
                if let Some(at) = self.heard.find(what) {
                    let rest = self.heard.split_off(at + what.len());
                    return std::mem::replace(&mut self.heard, rest);
                }
                let mut chunk = [0; 4096];
                let count = self.io.read(&mut chunk).await.unwrap_or(0);
                assert!(count > 0, "hung up while `{what}` was awaited, after: {}", self.heard);
                self.heard.push_str(std::str::from_utf8(&chunk[..count]).expect("UTF-8"));
            }
        };
        timeout(PATIENCE, reading).await.unwrap_or_else(|_| panic!("`{what}` was not heard"))
    }

    /// Everything up to the end of the connection.
    pub(crate) async fn rest(&mut self) -> String {
        let reading = async {
            let mut chunk = [0; 4096];
            while let Ok(count @ 1..) = self.io.read(&mut chunk).await {
                self.heard.push_str(&String::from_utf8_lossy(&chunk[..count]));
            }
            std::mem::take(&mut self.heard)
        };
        timeout(PATIENCE, reading).await.expect("bounded in time")
    }

    /// STARTTLS with a certificate; whoever is there is trusted when this authority has issued its certificate.
    pub(crate) async fn secure(mut self, domain: &str, authority: &str, credentials: &Credentials) -> Self {
        self.say(STARTTLS).await;
        self.hear("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>").await;
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(authority.as_bytes()).expect("PEM")).expect("a root");
        let chain = vec![CertificateDer::from_pem_slice(credentials.certificate_pem().as_bytes()).expect("PEM")];
        let key = PrivateKeyDer::from_pem_slice(credentials.key_pem().as_bytes()).expect("PEM");
        let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_root_certificates(roots)
            .with_client_auth_cert(chain, key)
            .expect("a certificate");
        let name = ServerName::try_from(domain.to_owned()).expect("a name");
        let stream = tokio_rustls::TlsConnector::from(Arc::new(config)).connect(name, self.io).await.expect("a TLS handshake");
        Self { io: Box::new(stream), heard: String::new() }
    }
}

pub(crate) fn header(from: &str, to: &str) -> String {
    format!(
        "<?xml version='1.0'?><stream:stream xmlns='jabber:server' xmlns:db='jabber:server:dialback' \
         xmlns:stream='http://etherx.jabber.org/streams' from='{from}' to='{to}' version='1.0'>"
    )
}
