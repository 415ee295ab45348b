//! Responses (RFC 3261 8.2.6, 18.2.2).

use std::net::SocketAddr;

use ezk_sip_types::Name;
use ezk_sip_types::header::typed::Via;

use super::message::Message;
use super::words::{SipRefusal, Status, diagnostics, status};

/// What the product calls itself in `Server`.
const SERVER: &str = "RTC/6.0";

/// A response, before it is written for its request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) status: Status,
    headers: Vec<(&'static str, String)>,
    body: Option<(&'static str, String)>,
}

impl Reply {
    pub(crate) fn new(status: Status) -> Self {
        Self { status, headers: Vec::new(), body: None }
    }

    /// A refusal, worded by `source`.
    pub(crate) fn refusal(refusal: SipRefusal, source: &str) -> Self {
        let words = diagnostics(refusal);
        Self::new(Status { code: words.status, phrase: words.phrase }).with("ms-diagnostics", words.header(source))
    }

    /// With one more header field.
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// With a body.
    pub(crate) fn carrying(mut self, content_type: &'static str, body: String) -> Self {
        self.body = Some((content_type, body));
        self
    }

    /// The response as bytes. `tag` becomes the tag of To where the request has none; `source` is where it came from.
    pub(crate) fn write(&self, request: &Message, tag: &str, source: Option<SocketAddr>) -> String {
        let mut text = format!("SIP/2.0 {} {}\r\n", self.status.code, self.status.phrase);
        let mut add = |name: &str, value: &str| text.push_str(&format!("{name}: {value}\r\n"));
        for (index, via) in request.all(&Name::VIA).enumerate() {
            match source.filter(|_| index == 0) {
                Some(source) => add("Via", &seen_from(via, source)),
                None => add("Via", via),
            }
        }
        for name in [Name::FROM, Name::TO, Name::CALL_ID, Name::CSEQ] {
            // Headers that stand there twice make a request bad; its answer has the first.
            let Some(value) = request.first(&name) else { continue };
            if name == Name::TO && self.status.code != 100 && !has_tag(value) {
                add("To", &format!("{value};tag={tag}"));
            } else {
                add(name.as_print_str(), value);
            }
        }
        for (name, value) in &self.headers {
            add(name, value);
        }
        add("Server", SERVER);
        let body = match &self.body {
            Some((content_type, body)) => {
                add("Content-Type", content_type);
                body.as_str()
            }
            None => "",
        };
        text.push_str(&format!("Content-Length: {}\r\n\r\n{body}", body.len()));
        text
    }
}

fn has_tag(to: &str) -> bool {
    super::message::name_addr(to).is_some_and(|(_, parameters)| super::message::parameter(parameters, "tag").is_some())
}

/// The topmost Via with where the request really came from (RFC 3261 18.2.1, RFC 3581 4).
fn seen_from(via: &str, source: SocketAddr) -> String {
    let (first, rest) = via.split_once(',').map_or((via, None), |(first, rest)| (first, Some(rest)));
    let mut headers = ezk_sip_types::Headers::new();
    headers.insert(Name::VIA, first);
    let Ok(parsed) = headers.get_named::<Via>() else { return via.to_owned() };
    let wants_port = parsed.params.get("rport").is_some_and(|port| port.value.is_none());
    let elsewhere = parsed.sent_by.ip() != Some(source.ip());
    let first = if wants_port { fill_in_rport(first, source.port()) } else { first.to_owned() };
    let received = if elsewhere || wants_port { format!(";received={}", source.ip()) } else { String::new() };
    let rest = rest.map(|rest| format!(",{rest}")).unwrap_or_default();
    format!("{}{received}{rest}", first.trim_end())
}

fn fill_in_rport(via: &str, port: u16) -> String {
    let parts = via.split(';').map(|part| if part.trim() == "rport" { format!("rport={port}") } else { part.to_owned() });
    parts.collect::<Vec<_>>().join(";")
}

/// What is said about bytes that are no request: nothing of them can be repeated.
pub(crate) fn unframed(malformed: super::frame::Malformed, source: &str) -> String {
    use super::frame::Malformed;
    let (line, more) = match malformed {
        Malformed::TooLarge => (status::TOO_LARGE, String::new()),
        Malformed::TooManyHeaders | Malformed::Syntax(_) => {
            let words = diagnostics(SipRefusal::Unreadable);
            (status::BAD_REQUEST, format!("ms-diagnostics: {}\r\n", words.header(source)))
        }
    };
    format!("SIP/2.0 {} {}\r\n{more}Server: {SERVER}\r\nContent-Length: 0\r\n\r\n", line.code, line.phrase)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_topmost_via_tells_where_the_request_came_from() {
        let source: SocketAddr = "127.0.0.9:4000".parse().expect("an address");
        for (via, expected) in [
            ("SIP/2.0/TLS 127.0.0.9:5061;branch=z9hG4bK1", "SIP/2.0/TLS 127.0.0.9:5061;branch=z9hG4bK1"),
            ("SIP/2.0/TLS h.example;branch=z9hG4bK1", "SIP/2.0/TLS h.example;branch=z9hG4bK1;received=127.0.0.9"),
            ("SIP/2.0/TLS h.example;rport;branch=z9hG4bK1", "SIP/2.0/TLS h.example;rport=4000;branch=z9hG4bK1;received=127.0.0.9"),
            (
                "SIP/2.0/TLS h.example;branch=z9hG4bK1, SIP/2.0/TLS i.example;branch=z9hG4bK2",
                "SIP/2.0/TLS h.example;branch=z9hG4bK1;received=127.0.0.9, SIP/2.0/TLS i.example;branch=z9hG4bK2",
            ),
        ] {
            assert_eq!(seen_from(via, source), expected);
        }
    }
}
