//! Cuts a byte stream into SIP messages, within limits (RFC 3261 7, 18.3; RFC 5626 3.5.1).
//!
//! No crate does this for streams that begin with CRLF keep-alives, or with limits; what stands in the lines is parsed by
//! `ezk-sip-types`. Everything here is pure: bytes in, messages out.

use ezk_sip_types::{Headers, Name};

use super::message::{Message, Start};
use crate::limits::Limits;

/// Why a stream of SIP messages cannot be read on. Nothing after it can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Malformed {
    /// A message is larger than the limit.
    #[error("the message is larger than the limit")]
    TooLarge,
    /// A message has more header fields than the limit.
    #[error("the message has more header fields than the limit")]
    TooManyHeaders,
    /// What arrives is no SIP message, or says not where it ends.
    #[error("{0}")]
    Syntax(&'static str),
}

/// Reader of one connection. After an error it must not be asked again.
#[derive(Debug)]
pub(crate) struct Framer {
    limits: Limits,
    buffer: Vec<u8>,
    /// Bytes at the beginning of the buffer in which the end of a head has been looked for.
    scanned: usize,
    /// A head that is complete, where it ends, and how long its body is.
    head: Option<(Message, usize, usize)>,
}

const HEAD_END: &[u8] = b"\r\n\r\n";

impl Framer {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self { limits: *limits, buffer: Vec::new(), scanned: 0, head: None }
    }

    /// Takes what has arrived.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// Whether a message has begun and not ended.
    pub(crate) fn is_within(&self) -> bool {
        !self.buffer.is_empty()
    }

    /// Bytes that are waited for at most.
    #[cfg(test)]
    pub(crate) fn held(&self) -> usize {
        self.buffer.len()
    }

    /// The next complete message; none when it has not all arrived.
    pub(crate) fn next(&mut self) -> Result<Option<Message>, Malformed> {
        if self.head.is_none() {
            self.head = self.find_head()?;
        }
        let Some((_, end, length)) = &self.head else { return Ok(None) };
        let total = end + length;
        if self.buffer.len() < total {
            return Ok(None);
        }
        let Some((mut message, end, _)) = self.head.take() else { return Ok(None) };
        message.body = self.buffer[end..total].to_vec();
        self.buffer.drain(..total);
        self.scanned = 0;
        Ok(Some(message))
    }

    fn find_head(&mut self) -> Result<Option<(Message, usize, usize)>, Malformed> {
        let keep_alives = self.buffer.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        if keep_alives > 0 && self.scanned == 0 {
            self.buffer.drain(..keep_alives);
        }
        // Neither a method nor `SIP` can begin so: a peer of another protocol is told at once, not when it has said enough.
        if self.buffer.first().is_some_and(|byte| !is_token(*byte)) {
            return Err(Malformed::Syntax("no SIP message begins so"));
        }
        let from = self.scanned.saturating_sub(HEAD_END.len() - 1);
        let Some(found) = self.buffer[from..].windows(HEAD_END.len()).position(|window| window == HEAD_END) else {
            self.scanned = self.buffer.len();
            return if self.buffer.len() > self.limits.sip_bytes { Err(Malformed::TooLarge) } else { Ok(None) };
        };
        let end = from + found + HEAD_END.len();
        if end > self.limits.sip_bytes {
            return Err(Malformed::TooLarge);
        }
        let message = parse_head(&self.buffer[..from + found], &self.limits)?;
        let length = body_length(&message)?;
        if length > self.limits.sip_bytes - end {
            return Err(Malformed::TooLarge);
        }
        Ok(Some((message, end, length)))
    }
}

/// Start line and header fields, without the empty line.
fn parse_head(head: &[u8], limits: &Limits) -> Result<Message, Malformed> {
    let head = std::str::from_utf8(head).map_err(|_| Malformed::Syntax("the head is not UTF-8"))?;
    let mut lines = head.split("\r\n");
    let start = Start::parse(lines.next().unwrap_or_default()).ok_or(Malformed::Syntax("no start line"))?;
    let mut fields: Vec<(&str, String)> = Vec::new();
    for line in lines {
        if line.contains(['\r', '\n', '\0']) {
            return Err(Malformed::Syntax("a line ends within a line"));
        }
        if line.starts_with([' ', '\t']) {
            let (_, value) = fields.last_mut().ok_or(Malformed::Syntax("folding without a header field"))?;
            if !value.is_empty() {
                value.push(' ');
            }
            value.push_str(line.trim());
            continue;
        }
        let (name, value) = line.split_once(':').ok_or(Malformed::Syntax("a header field without a colon"))?;
        let name = name.trim_end_matches([' ', '\t']);
        if name.is_empty() || !name.bytes().all(is_token) {
            return Err(Malformed::Syntax("a header field without a name"));
        }
        if fields.len() >= limits.sip_headers {
            return Err(Malformed::TooManyHeaders);
        }
        fields.push((name, value.trim().to_owned()));
    }
    let mut headers = Headers::with_capacity(fields.len());
    for (name, value) in fields {
        headers.insert(Name::from(name), value);
    }
    Ok(Message { start, headers, body: Vec::new() })
}

/// How many bytes follow the head. Over streams the length must be given (RFC 3261 20.14), and two different ones would be
/// two different messages to two different servers.
fn body_length(message: &Message) -> Result<usize, Malformed> {
    let mut lengths = message.all(&Name::CONTENT_LENGTH);
    let first = lengths.next().ok_or(Malformed::Syntax("Content-Length is missing"))?;
    if lengths.any(|other| other != first) || first.is_empty() || !first.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Malformed::Syntax("Content-Length is no number"));
    }
    // Digits alone: what does not fit is too large.
    first.parse().map_err(|_| Malformed::TooLarge)
}

/// Characters of RFC 3261's `token`.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-.!%*_+`'~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LIMITS: fn() -> Limits = || Limits { sip_bytes: 1000, sip_headers: 10, ..Limits::default() };

    /// All messages of bytes that arrive in pieces, as text, and why there are no more.
    fn messages<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> (Vec<String>, Option<Malformed>) {
        let mut framer = Framer::new(&LIMITS());
        let mut found = Vec::new();
        for piece in pieces {
            framer.push(piece);
            loop {
                match framer.next() {
                    Ok(Some(message)) => found.push(format!("{message:?}")),
                    Ok(None) => break,
                    Err(malformed) => return (found, Some(malformed)),
                }
            }
            assert!(framer.held() <= LIMITS().sip_bytes + piece.len(), "held back without end");
        }
        (found, None)
    }

    #[test]
    fn a_message_ends_where_its_length_says() {
        let bytes = b"\r\n\r\nOPTIONS sip:contoso.com SIP/2.0\r\nv: SIP/2.0/TCP h\r\nSubject: a\r\n b\r\nl: 3\r\n\r\nabcOPTIONS";
        let mut framer = Framer::new(&LIMITS());
        framer.push(bytes);
        let message = framer.next().expect("well-formed").expect("complete");
        assert_eq!(message.body, b"abc");
        assert_eq!(message.first(&Name::VIA), Some("SIP/2.0/TCP h"));
        assert_eq!(message.first(&Name::SUBJECT), Some("a b"));
        assert!(framer.next().expect("so far").is_none());
        assert!(framer.is_within());
    }

    #[test]
    fn what_cannot_be_framed_is_refused() {
        let large = || Some(Malformed::TooLarge);
        let cases: [(Vec<u8>, Option<Malformed>); 9] = [
            (b"OPTIONS sip:a SIP/2.0\r\nContent-Length: 99999999999999999999\r\n\r\n".to_vec(), large()),
            (format!("OPTIONS sip:a SIP/2.0\r\nContent-Length: {}\r\n\r\n", usize::MAX).into_bytes(), large()),
            (vec![b'a'; 1001], large()),
            (
                b"OPTIONS sip:a SIP/2.0\r\nContent-Length: 1\r\nl: 2\r\n\r\n".to_vec(),
                Some(Malformed::Syntax("Content-Length is no number")),
            ),
            (b"OPTIONS sip:a SIP/2.0\r\nContent-Length: +1\r\n\r\n".to_vec(), Some(Malformed::Syntax("Content-Length is no number"))),
            (b"OPTIONS sip:a SIP/2.0\r\n\r\n".to_vec(), Some(Malformed::Syntax("Content-Length is missing"))),
            (b"<?xml version='1.0'?>".to_vec(), Some(Malformed::Syntax("no SIP message begins so"))),
            (b"OPTIONS sip:a SIP/2.0\r\nX: a\nVia: b\r\nl: 0\r\n\r\n".to_vec(), Some(Malformed::Syntax("a line ends within a line"))),
            (format!("OPTIONS sip:a SIP/2.0\r\n{}l: 0\r\n\r\n", "x: y\r\n".repeat(10)).into_bytes(), Some(Malformed::TooManyHeaders)),
        ];
        for (bytes, expected) in cases {
            assert_eq!(messages([&bytes[..]]).1, expected, "{}", String::from_utf8_lossy(&bytes));
        }
    }

    #[test]
    fn keep_alives_without_end_are_not_held() {
        assert_eq!(messages([&b"\r\n".repeat(10_000)[..]]), (Vec::new(), None));
        let mut framer = Framer::new(&LIMITS());
        framer.push(&b"\r\n".repeat(10_000));
        assert!(framer.next().expect("nothing wrong").is_none());
        assert!(!framer.is_within());
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// What is nearly a message ends in messages or a refusal, and in the same messages however it is cut.
        #[test]
        fn nearly_sip(parts in proptest::collection::vec(prop::sample::select(vec![
            "OPTIONS sip:a@b SIP/2.0", "SIP/2.0 200 OK", "\r\n", "\r\n\r\n", "\n", "\r", " ", "Via: SIP/2.0/TLS a;branch=z9hG4bK1", "l: 0", "l: 3", "l: -1",
            "Content-Length: 5", "abc", "To: <sip:a@b>", "From: \"a\" <sip:c@d>;tag=1", "i: 1", "CSeq: 1 OPTIONS", ":", "\u{e4}", "x:", "Max-Forwards: 0",
        ]), 0..30), cut in 0usize..600) {
            let text = parts.concat();
            let bytes = text.as_bytes();
            let cut = cut.min(bytes.len());
            let whole = messages([bytes]);
            prop_assert_eq!(&messages([&bytes[..cut], &bytes[cut..]]), &whole);
            prop_assert_eq!(&messages(bytes.chunks(1)), &whole);
        }

        #[test]
        fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ended = messages([&bytes[..]]);
        }
    }
}
