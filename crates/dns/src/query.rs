//! Single queries over the wire, with the retry over TCP that RFC 2181 5.2 wants for truncated answers.

use std::net::SocketAddr;
use std::time::Duration;

use hickory_resolver::net::client::{Client, ClientHandle};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::tcp::TcpClientStream;
use hickory_resolver::net::udp::UdpClientStream;
use hickory_resolver::proto::op::Message;
use hickory_resolver::proto::rr::{DNSClass, Name, RecordType};

/// Why a query got no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no answer from {server}: {why}")]
pub struct QueryError {
    /// Whom we asked.
    pub server: SocketAddr,
    /// What happened.
    pub why: String,
}

/// A name as hickory has it, from the model's form (without the final dot; the empty string is the root).
pub(crate) fn wire_name(text: &str) -> Result<Name, hickory_resolver::proto::ProtoError> {
    if text.is_empty() { Ok(Name::root()) } else { Name::from_ascii(format!("{text}.")) }
}

/// Asks a server once over UDP, and over TCP when the answer is truncated. Aliases are not followed, nothing is cached.
///
/// # Errors
/// When no answer arrives in time.
pub async fn query(server: SocketAddr, name: &Name, record_type: RecordType, timeout: Duration) -> Result<Message, QueryError> {
    let stream = UdpClientStream::builder(server, TokioRuntimeProvider::default())
        .with_timeout(Some(timeout))
        .with_os_port_selection(true)
        .with_max_retries(0)
        .build();
    let (mut client, background) = Client::<TokioRuntimeProvider>::from_sender(stream);
    let background = tokio::spawn(background);
    let response = client.query(name.clone(), DNSClass::IN, record_type).await;
    background.abort();
    let message = response.map_err(|error| QueryError { server, why: error.to_string() })?.into_message();
    if message.metadata.truncation { query_tcp(server, name, record_type, timeout).await } else { Ok(message) }
}

/// Asks a server once over TCP.
///
/// # Errors
/// When the connection is refused, or no answer arrives in time.
pub(crate) async fn query_tcp(server: SocketAddr, name: &Name, record_type: RecordType, timeout: Duration) -> Result<Message, QueryError> {
    let failed = |why: String| QueryError { server, why };
    let (connect, sender) = TcpClientStream::new(server, None, Some(timeout), TokioRuntimeProvider::default());
    let stream = connect.await.map_err(|error| failed(error.to_string()))?;
    let (mut client, background) = Client::<TokioRuntimeProvider>::with_timeout(stream, sender, timeout);
    let background = tokio::spawn(background);
    let response = client.query(name.clone(), DNSClass::IN, record_type).await;
    background.abort();
    Ok(response.map_err(|error| failed(error.to_string()))?.into_message())
}
