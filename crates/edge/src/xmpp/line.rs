//! One connection: bytes in, frames out, within limits.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, timeout_at};

use super::frame::{Frame, Framer};
use super::words::Condition;
use crate::limits::Limits;

/// A socket, bare or with TLS, or a test's pipe.
pub(crate) trait Io: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// Any of them.
pub(crate) type BoxedIo = Box<dyn Io>;

/// Why no frame came.
#[derive(Debug)]
pub(crate) enum Broken {
    /// The peer closed the connection.
    Closed,
    /// The connection failed.
    Failed(io::Error),
    /// What it said is not XMPP.
    Xml(Condition),
    /// It began an element and did not end it in time.
    Late,
}

/// A stream's connection.
pub(crate) struct Line {
    io: BoxedIo,
    framer: Framer,
    limits: Limits,
    /// Bytes read and not yet taken, from `taken` on.
    buffer: Vec<u8>,
    taken: usize,
    /// Whether anything has ever arrived.
    heard: bool,
    /// Since when an element has been incomplete.
    pending_since: Option<Instant>,
    /// When the peer last said something.
    last_heard: Instant,
}

impl Line {
    pub(crate) fn new(io: BoxedIo, limits: &Limits) -> Self {
        Self {
            io,
            framer: Framer::new(limits),
            limits: *limits,
            buffer: Vec::new(),
            taken: 0,
            heard: false,
            pending_since: None,
            last_heard: Instant::now(),
        }
    }

    /// The next frame. May be dropped before it is ready without losing anything.
    pub(crate) async fn next(&mut self) -> Result<Frame, Broken> {
        loop {
            let mut input = &self.buffer[self.taken..];
            let before = input.len();
            let frame = self.framer.next(&mut input);
            self.taken += before - input.len();
            match frame {
                Err(condition) => return Err(Broken::Xml(condition)),
                Ok(Some(frame)) => {
                    self.pending_since = None;
                    return Ok(frame);
                }
                Ok(None) => {}
            }
            self.pending_since = if self.framer.is_between() { None } else { self.pending_since.or_else(|| Some(Instant::now())) };
            self.buffer.clear();
            self.taken = 0;
            let mut chunk = [0; 4096];
            let reading = self.io.read(&mut chunk);
            let read = match self.pending_since {
                Some(since) if self.framer.has_begun() => match timeout_at(since + self.limits.conversation, reading).await {
                    Ok(read) => read,
                    Err(_) => return Err(Broken::Late),
                },
                _ => reading.await,
            };
            match read {
                Ok(0) => return Err(Broken::Closed),
                Ok(count) => self.buffer.extend_from_slice(&chunk[..count]),
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => return Err(Broken::Closed),
                Err(error) => return Err(Broken::Failed(error)),
            }
            self.heard = true;
            self.last_heard = Instant::now();
        }
    }

    /// Writes, waiting no longer than a conversation may take for a peer that does not read.
    pub(crate) async fn send(&mut self, text: &str) -> io::Result<()> {
        let writing = async {
            self.io.write_all(text.as_bytes()).await?;
            self.io.flush().await
        };
        tokio::time::timeout(self.limits.conversation, writing).await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?
    }

    /// A new stream on the same connection (RFC 6120 4.3.3): a fresh parser.
    pub(crate) fn restart(&mut self) {
        self.framer = Framer::new(&self.limits);
        self.pending_since = None;
    }

    /// Whether bytes arrived that nobody has looked at. Before a TLS handshake that is an attempt to smuggle them past it.
    pub(crate) fn has_rest(&self) -> bool {
        self.taken < self.buffer.len()
    }

    /// Whether the peer has said anything at all, and with what byte it began.
    pub(crate) fn heard(&self) -> bool {
        self.heard
    }

    /// Bytes of the last read.
    pub(crate) fn last_bytes(&self) -> &[u8] {
        &self.buffer
    }

    /// When the peer has been silent for so long.
    pub(crate) fn silent_at(&self, length: Duration) -> Instant {
        self.last_heard + length
    }

    pub(crate) fn into_io(self) -> BoxedIo {
        self.io
    }
}
