//! The last word on a connection.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Bytes read and thrown away after the last word, so that the peer can still read it: closing a socket with unread
/// bytes resets the connection.
const DRAIN_BYTES: usize = 256 * 1024;
/// How long that may take.
const DRAIN_TIME: Duration = Duration::from_secs(1);

/// Writes, closes our side and waits a little for the peer to close its own.
pub(crate) async fn say_goodbye<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut S, words: &str) {
    // A peer that has gone, or does not read, is cut off; there is nobody to report it to.
    let _closed = tokio::time::timeout(DRAIN_TIME, close(stream, words)).await;
}

async fn close<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut S, words: &str) -> std::io::Result<()> {
    stream.write_all(words.as_bytes()).await?;
    stream.shutdown().await?;
    let mut waste = [0; 4096];
    let mut drained = 0;
    while drained < DRAIN_BYTES {
        match stream.read(&mut waste).await? {
            0 => break,
            count => drained += count,
        }
    }
    Ok(())
}
