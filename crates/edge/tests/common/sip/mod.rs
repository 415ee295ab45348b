//! A SIP peer of the tests: TLS by rustls' own rules, and bytes as the test wants them.
#![allow(dead_code, reason = "every test file takes what it needs")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use firedrill_edge::{Authority, Credentials};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Longest time that anything may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// TLS as a client that believes one authority, and shows a certificate or none.
pub(crate) fn client(authority_pem: &str, shown: Option<&Credentials>) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(authority_pem.as_bytes()).expect("PEM")).expect("an authority");
    let builder = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().expect("versions").with_root_certificates(roots);
    let config = match shown {
        None => builder.with_no_client_auth(),
        Some(credentials) => {
            let chain = vec![CertificateDer::from_pem_slice(credentials.certificate_pem().as_bytes()).expect("PEM")];
            let key = PrivateKeyDer::from_pem_slice(credentials.key_pem().as_bytes()).expect("PEM");
            builder.with_client_auth_cert(chain, key).expect("a certificate")
        }
    };
    TlsConnector::from(Arc::new(config))
}

/// A certificate for a domain.
pub(crate) fn certificate(authority: &Authority, domain: &str) -> Credentials {
    authority.issue(&[domain.to_owned()], authority.dates()).expect("issued")
}

pub(crate) struct Peer {
    stream: TlsStream<TcpStream>,
    heard: Vec<u8>,
}

impl Peer {
    pub(crate) async fn connect(server: SocketAddr, host: &str, connector: &TlsConnector) -> std::io::Result<Self> {
        let stream = TcpStream::connect(server).await?;
        stream.set_nodelay(true)?;
        let name = ServerName::try_from(host.to_owned()).expect("a name");
        let stream = tokio::time::timeout(PATIENCE, connector.connect(name, stream)).await.expect("bounded in time")?;
        Ok(Self { stream, heard: Vec::new() })
    }

    pub(crate) async fn say(&mut self, bytes: impl AsRef<[u8]>) -> std::io::Result<()> {
        self.stream.write_all(bytes.as_ref()).await?;
        self.stream.flush().await
    }

    /// The next message, whole.
    pub(crate) async fn hear(&mut self) -> String {
        tokio::time::timeout(PATIENCE, self.message())
            .await
            .expect("bounded in time")
            .unwrap_or_else(|error| panic!("{error}: {}", self.rest()))
    }

    async fn message(&mut self) -> std::io::Result<String> {
        loop {
            let text = String::from_utf8_lossy(&self.heard).into_owned();
            if let Some((head, _)) = text.split_once("\r\n\r\n") {
                let length =
                    head.lines().find_map(|line| line.strip_prefix("Content-Length: ")).and_then(|length| length.parse::<usize>().ok());
                let total = head.len() + 4 + length.unwrap_or(0);
                if self.heard.len() >= total {
                    let message = self.heard.drain(..total).collect();
                    return Ok(String::from_utf8(message).expect("UTF-8"));
                }
            }
            let mut chunk = [0; 4096];
            match self.stream.read(&mut chunk).await? {
                0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
                count => self.heard.extend_from_slice(&chunk[..count]),
            }
        }
    }

    fn rest(&self) -> String {
        String::from_utf8_lossy(&self.heard).into_owned()
    }

    /// Everything until the server closes, while `bytes` are sent.
    pub(crate) async fn until_the_end(self, bytes: &[u8]) -> String {
        let Self { stream, mut heard } = self;
        let (mut reader, mut writer) = tokio::io::split(stream);
        let sending = async {
            // The server may hang up before everything is sent.
            let _sent = writer.write_all(bytes).await;
            let _flushed = writer.flush().await;
        };
        let reading = async {
            let mut chunk = [0; 4096];
            while let Ok(count @ 1..) = reader.read(&mut chunk).await {
                heard.extend_from_slice(&chunk[..count]);
            }
        };
        tokio::time::timeout(PATIENCE, async { tokio::join!(sending, reading) }).await.expect("bounded in time");
        String::from_utf8(heard).expect("UTF-8")
    }

    /// Why the server ends the connection without a word.
    pub(crate) async fn ended(mut self) -> Option<std::io::Error> {
        let mut byte = [0];
        tokio::time::timeout(PATIENCE, self.stream.read(&mut byte)).await.expect("bounded in time").err()
    }
}

/// A request that lacks nothing.
pub(crate) fn request(method: &str, uri: &str, from: &str, to: &str, more: &str, body: &str) -> String {
    format!(
        "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/TLS peer.example:5061;branch=z9hG4bK776\r\nMax-Forwards: 70\r\nFrom: <sip:{from}>;tag=a6c85cf\r\n\
         To: <sip:{to}>\r\nCall-ID: a84b4c76e66710\r\nCSeq: 1 {method}\r\n{more}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// The value of the first header field of a name.
pub(crate) fn header<'a>(message: &'a str, name: &str) -> Option<&'a str> {
    let wanted = format!("{name}: ");
    message.split("\r\n\r\n").next()?.lines().find_map(|line| line.strip_prefix(wanted.as_str()))
}
