//! Requests that a user sends (RFC 3261 8.1.1, 12, 13.2; RFC 3428; RFC 6665).

use ezk_sip_types::Name;

use super::call::Response;

/// One user who asks another, on one connection.
#[derive(Debug)]
pub(crate) struct Asker<'a> {
    from: &'a str,
    to: &'a str,
    sent_by: String,
    id: String,
    sequence: u32,
    /// Tag of the other, once there is a session.
    tag: Option<String>,
    /// Where requests of the session go, and through whom.
    remote: Option<String>,
    routes: Vec<String>,
}

impl<'a> Asker<'a> {
    pub(crate) fn new(from: &'a str, to: &'a str, sent_by: String, id: String) -> Self {
        Self { from, to, sent_by, id, sequence: 0, tag: None, remote: None, routes: Vec::new() }
    }

    pub(crate) fn options(&mut self) -> String {
        self.request("OPTIONS", "", None)
    }

    pub(crate) fn message(&mut self, body: &str) -> String {
        self.request("MESSAGE", "", Some(("text/plain;charset=UTF-8", body)))
    }

    pub(crate) fn subscribe(&mut self) -> String {
        let more = format!("{}Event: presence\r\nAccept: application/pidf+xml\r\nExpires: 0\r\n", self.contact());
        self.request("SUBSCRIBE", &more, None)
    }

    pub(crate) fn invite(&mut self) -> String {
        let offer = "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=session\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=message 5060 sip null\r\n\
                     a=accept-types:text/plain\r\n";
        let more = self.contact();
        self.request("INVITE", &more, Some(("application/sdp", offer)))
    }

    /// The ACK of an answer to INVITE, which begins the session where it was taken (RFC 3261 12.1.2).
    pub(crate) fn acknowledge(&mut self, answer: &Response) -> String {
        let to = answer.message.first(&Name::TO).and_then(super::name_addr).map(|(_, parameters)| parameters);
        self.tag = to.and_then(|parameters| super::parameter(parameters, "tag")).map(str::to_owned);
        if answer.status < 300 {
            self.remote = answer.message.first(&Name::CONTACT).and_then(super::name_addr).map(|(uri, _)| uri.to_owned());
            self.routes = answer.message.all(&Name::RECORD_ROUTE).map(str::to_owned).collect();
            self.routes.reverse();
        }
        // The number is that of the INVITE (RFC 3261 13.2.2.4).
        self.sequence -= 1;
        self.request("ACK", "", None)
    }

    pub(crate) fn bye(&mut self) -> String {
        self.request("BYE", "", None)
    }

    fn contact(&self) -> String {
        format!("Contact: <sip:{};transport=tls>\r\n", self.sent_by)
    }

    fn request(&mut self, method: &str, more: &str, body: Option<(&str, &str)>) -> String {
        self.sequence += 1;
        let Self { from, to, sent_by, id, sequence, .. } = self;
        let uri = self.remote.clone().unwrap_or_else(|| format!("sip:{to}"));
        let routes: String = self.routes.iter().map(|route| format!("Route: {route}\r\n")).collect();
        let tag = self.tag.as_ref().map(|tag| format!(";tag={tag}")).unwrap_or_default();
        let content_type = body.map(|(content_type, _)| format!("Content-Type: {content_type}\r\n")).unwrap_or_default();
        let body = body.map_or("", |(_, body)| body);
        format!(
            "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/TLS {sent_by};branch=z9hG4bK{id}{sequence}{}\r\nMax-Forwards: 70\r\n{routes}\
             From: <sip:{from}>;tag={id}\r\nTo: <sip:{to}>{tag}\r\nCall-ID: {id}\r\nCSeq: {sequence} {method}\r\n{more}{content_type}\
             Content-Length: {}\r\n\r\n{body}",
            method.to_ascii_lowercase(),
            body.len()
        )
    }
}
