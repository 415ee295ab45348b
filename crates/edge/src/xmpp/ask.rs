//! The asking side: sends a header, reads what the server says to it.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::frame::{Element, Frame, Framer, Header};
use super::words::{EDGE_ERRORS, FOOTER, STREAM_ERRORS, STREAMS, header};
use crate::error::ProbeError;
use crate::limits::Limits;

/// What a server said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum StreamAnswer {
    /// Header for the right domain, and features.
    Features,
    /// Not XML: the server speaks SIP.
    Foreign,
    /// A stream error.
    Error {
        /// Name of the defined condition.
        condition: String,
        /// Name of our application-specific condition, when given.
        application: Option<String>,
    },
}

/// Opens a stream from `from` to `to` and closes it again.
pub(crate) async fn ask(
    stream: &mut TcpStream,
    peer: SocketAddr,
    from: &str,
    to: &str,
    limits: &Limits,
) -> Result<StreamAnswer, ProbeError> {
    let failed = |source| ProbeError::Connection { peer, source };
    let garbled = |what: &str| ProbeError::Garbled { peer, what: what.to_owned() };
    stream.write_all(header(Some(from), Some(to), None).as_bytes()).await.map_err(failed)?;
    let mut framer = Framer::new(limits);
    let mut buffer = vec![0; 4096];
    let mut answered: Option<Header> = None;
    loop {
        let count = stream.read(&mut buffer).await.map_err(failed)?;
        if count == 0 {
            return Err(garbled("the connection was closed before the stream was answered"));
        }
        if answered.is_none() && buffer[..count].starts_with(b"SIP/") {
            return Ok(StreamAnswer::Foreign);
        }
        let mut input = &buffer[..count];
        loop {
            let frame = framer.next(&mut input).map_err(|condition| garbled(&format!("its XML is {}", condition.name())))?;
            match frame {
                None => break,
                Some(Frame::Header(header)) => answered = Some(header),
                Some(Frame::Footer) => return Err(garbled("the stream was closed without features or an error")),
                Some(Frame::Element(element)) => {
                    let Some(header) = &answered else { return Err(garbled("an element before the stream header")) };
                    let answer = read_answer(header, &element, to).map_err(|what| garbled(&what))?;
                    // The peer may have closed already.
                    let _closed = stream.write_all(FOOTER.as_bytes()).await;
                    return Ok(answer);
                }
            }
        }
    }
}

fn read_answer(header: &Header, element: &Element, asked: &str) -> Result<StreamAnswer, String> {
    match (element.namespace.as_str(), element.name.as_str()) {
        (STREAMS, "error") => {
            let child = |namespace: &str| {
                let mut named = element.children.iter().filter(|child| child.namespace == namespace && child.name != "text");
                named.next().map(|child| child.name.clone())
            };
            let condition = child(STREAM_ERRORS).ok_or("a stream error without a condition")?;
            Ok(StreamAnswer::Error { condition, application: child(EDGE_ERRORS) })
        }
        (STREAMS, "features") => {
            if header.from.as_deref().is_none_or(|from| !from.eq_ignore_ascii_case(asked)) {
                return Err(format!("the stream comes from {:?}, not from `{asked}`", header.from));
            }
            if header.id.as_deref().unwrap_or_default().is_empty() || header.version.as_deref() != Some("1.0") {
                return Err("the answering header lacks an id or version 1.0".to_owned());
            }
            Ok(StreamAnswer::Features)
        }
        (namespace, name) => Err(format!("`{name}` of `{namespace}` where features were due")),
    }
}
