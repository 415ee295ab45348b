//! One SIP connection: bytes in, messages out, within limits.

use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, timeout, timeout_at};

use super::frame::{Framer, Malformed};
use super::message::Message;
use crate::limits::Limits;
use crate::xmpp::BoxedIo;

/// Why no message came.
#[derive(Debug)]
pub(crate) enum Broken {
    /// The peer closed the connection.
    Closed,
    /// The connection failed.
    Failed(io::Error),
    /// What it said is not SIP, or too much.
    Malformed(Malformed),
    /// It said nothing, or did not end what it began, in time.
    Late,
}

/// A connection.
pub(crate) struct Line {
    io: BoxedIo,
    framer: Framer,
    limits: Limits,
    /// When the message began that has not ended, or when the last one ended.
    since: Instant,
    within: bool,
}

impl Line {
    pub(crate) fn new(io: BoxedIo, limits: &Limits) -> Self {
        Self { io, framer: Framer::new(limits), limits: *limits, since: Instant::now(), within: false }
    }

    /// The next message. A message may take no longer than a conversation, nor may the silence before it. May be dropped
    /// before it is ready without losing anything.
    pub(crate) async fn next(&mut self) -> Result<Message, Broken> {
        loop {
            match self.framer.next() {
                Err(malformed) => return Err(Broken::Malformed(malformed)),
                Ok(Some(message)) => {
                    (self.since, self.within) = (Instant::now(), false);
                    return Ok(message);
                }
                Ok(None) => {}
            }
            if self.framer.is_within() && !self.within {
                (self.since, self.within) = (Instant::now(), true);
            }
            let mut chunk = [0; 4096];
            let reading = timeout_at(self.since + self.limits.conversation, self.io.read(&mut chunk));
            match reading.await {
                Err(_) => return Err(Broken::Late),
                Ok(Ok(0)) => return Err(Broken::Closed),
                Ok(Ok(count)) => self.framer.push(&chunk[..count]),
                // Whoever goes without a word of TLS has gone all the same.
                Ok(Err(error)) if matches!(error.kind(), io::ErrorKind::ConnectionReset | io::ErrorKind::UnexpectedEof) => {
                    return Err(Broken::Closed);
                }
                Ok(Err(error)) => return Err(Broken::Failed(error)),
            }
        }
    }

    /// Writes, waiting no longer than a conversation may take for a peer that does not read.
    pub(crate) async fn send(&mut self, text: &str) -> io::Result<()> {
        let writing = async {
            self.io.write_all(text.as_bytes()).await?;
            self.io.flush().await
        };
        timeout(self.limits.conversation, writing).await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?
    }

    /// Ends it politely; the peer's own end is not awaited.
    pub(crate) async fn close(mut self) {
        // The peer may have gone already.
        let _closed = timeout(self.limits.conversation, self.io.shutdown()).await;
    }

    pub(crate) fn into_io(self) -> BoxedIo {
        self.io
    }
}
