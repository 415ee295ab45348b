//! Framing and the few headers that an OPTIONS exchange needs (RFC 3261 7, 18.3).
//!
//! Everything else of a message is skipped unseen: a complete parser belongs to the complete protocol.

/// Why a message cannot be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Malformed {
    /// Larger than the limit.
    TooLarge,
    /// No SIP message.
    Syntax,
}

/// A request or response without its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Message {
    /// Request line or status line.
    pub(crate) start: String,
    /// Header fields in order; names as written, folding removed.
    headers: Vec<(String, String)>,
}

/// Length of the first complete message of a buffer, with leading CRLF keep-alives (RFC 5626 3.5.1); `None` when there is
/// none yet.
pub(crate) fn complete(buffer: &[u8], limit: usize) -> Result<Option<(usize, Message)>, Malformed> {
    let start = buffer.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
    // Neither a method nor `SIP` can begin so: a peer of another protocol is told at once, not when it has said enough.
    if buffer.get(start).is_some_and(|byte| !byte.is_ascii_alphanumeric()) {
        return Err(Malformed::Syntax);
    }
    let Some(head_length) = buffer[start..].windows(4).position(|window| window == b"\r\n\r\n") else {
        return if buffer.len() >= limit { Err(Malformed::TooLarge) } else { Ok(None) };
    };
    let head = std::str::from_utf8(&buffer[start..start + head_length]).map_err(|_| Malformed::Syntax)?;
    let message = Message::parse(head)?;
    let body = match message.header("content-length") {
        None => 0,
        Some(length) => length.parse::<usize>().map_err(|_| Malformed::Syntax)?,
    };
    let total = (start + head_length + 4).checked_add(body).ok_or(Malformed::TooLarge)?;
    if total > limit {
        return Err(Malformed::TooLarge);
    }
    Ok((buffer.len() >= total).then_some((total, message)))
}

impl Message {
    fn parse(head: &str) -> Result<Self, Malformed> {
        let mut lines = head.split("\r\n");
        let start = lines.next().filter(|line| !line.is_empty()).ok_or(Malformed::Syntax)?.to_owned();
        let mut headers: Vec<(String, String)> = Vec::new();
        for line in lines {
            if line.starts_with([' ', '\t']) {
                let (_, value) = headers.last_mut().ok_or(Malformed::Syntax)?;
                value.push(' ');
                value.push_str(line.trim());
            } else {
                let (name, value) = line.split_once(':').ok_or(Malformed::Syntax)?;
                headers.push((name.trim().to_owned(), value.trim().to_owned()));
            }
        }
        Ok(Self { start, headers })
    }

    /// The first header field of a name (long form, lower case).
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(given, _)| long_form(given) == name).map(|(_, value)| value.as_str())
    }

    /// All header fields of a name (long form, lower case), in order.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers.iter().filter(move |(given, _)| long_form(given) == name).map(|(_, value)| value.as_str())
    }

    /// Method and request URI.
    pub(crate) fn request(&self) -> Option<(&str, &str)> {
        let mut parts = self.start.split(' ');
        match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some(method), Some(uri), Some("SIP/2.0"), None) if !method.is_empty() => Some((method, uri)),
            _ => None,
        }
    }

    /// Status code.
    pub(crate) fn status(&self) -> Option<u16> {
        let mut parts = self.start.splitn(3, ' ');
        (parts.next()? == "SIP/2.0").then(|| parts.next()?.parse().ok())?
    }
}

/// Long form of a header name, lower case (RFC 3261 7.3.3, 20).
fn long_form(name: &str) -> String {
    let lower = name.to_ascii_lowercase();
    match lower.as_str() {
        "v" => "via".to_owned(),
        "f" => "from".to_owned(),
        "t" => "to".to_owned(),
        "i" => "call-id".to_owned(),
        "l" => "content-length".to_owned(),
        _ => lower,
    }
}

/// Host of a SIP URI, or of the URI in a From or To header; lower case.
pub(crate) fn host(address: &str) -> Option<String> {
    let uri = match address.split_once('<') {
        Some((_, rest)) => rest.split_once('>')?.0,
        None => address,
    };
    let (scheme, rest) = uri.trim().split_once(':')?;
    if !scheme.eq_ignore_ascii_case("sip") && !scheme.eq_ignore_ascii_case("sips") {
        return None;
    }
    let rest = rest.split([';', '?']).next()?;
    let host_port = rest.rsplit('@').next()?;
    let host = host_port.split(':').next()?;
    (!host.is_empty()).then(|| host.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_ends_where_its_length_says() {
        let bytes = b"\r\n\r\nOPTIONS sip:contoso.com SIP/2.0\r\nv: SIP/2.0/TCP h\r\nSubject: a\r\n b\r\nl: 3\r\n\r\nabcOPTIONS";
        let (length, message) = complete(bytes, 1000).expect("well-formed").expect("complete");
        assert_eq!(&bytes[length..], b"OPTIONS");
        assert_eq!(message.request(), Some(("OPTIONS", "sip:contoso.com")));
        assert_eq!(message.header("via"), Some("SIP/2.0/TCP h"));
        assert_eq!(message.header("subject"), Some("a b"));
        assert_eq!(complete(&bytes[..length - 1], 1000), Ok(None), "one byte is missing");
    }

    #[test]
    fn lengths_that_lie_are_refused() {
        let oversized = b"OPTIONS sip:a SIP/2.0\r\nContent-Length: 99999999999999999999\r\n\r\n";
        assert_eq!(complete(oversized, 1000), Err(Malformed::Syntax));
        let wrapping = format!("OPTIONS sip:a SIP/2.0\r\nContent-Length: {}\r\n\r\n", usize::MAX);
        assert_eq!(complete(wrapping.as_bytes(), 1000), Err(Malformed::TooLarge));
        assert_eq!(complete(&[b'a'; 1000], 1000), Err(Malformed::TooLarge));
    }

    #[test]
    fn hosts_are_found_in_every_form() {
        for (text, wanted) in [
            ("sip:contoso.com", Some("contoso.com")),
            ("\"A <b>\" <sip:user@Fabrikam.com:5061;transport=tls>;tag=1", None),
            ("Alice <sip:user@Fabrikam.com:5061;transport=tls>;tag=1", Some("fabrikam.com")),
            ("sips:a@b@c.example?x=y", Some("c.example")),
            ("tel:+1555", None),
            ("sip:", None),
            ("<sip:a@b", None),
        ] {
            assert_eq!(host(text).as_deref(), wanted, "{text}");
        }
    }
}
