//! SIP over TLS on 5061: framing, mutual TLS, what servers answer and how clients ask (RFC 3261; dossier F.5, F.6, J).
//!
//! [`frame`] and [`message`] read bytes and are pure; [`serve`] receives connections, and [`desk`] decides on them; [`call`]
//! opens them; [`words`] has the exact strings.

pub(crate) mod call;
mod desk;
pub(crate) mod frame;
mod line;
mod message;
mod reply;
mod serve;
pub(crate) mod talk;
mod user;
mod words;

pub use call::{SipFailure, TlsFacts};
pub use frame::Malformed;
pub(crate) use message::{name_addr, parameter};
pub(crate) use serve::serve;
pub use words::{Diagnostics, SipRefusal, diagnostics};
pub(crate) use words::{OVERLOAD, SERVED_BY, edge_refusal};

/// Reads bytes as a SIP server of the fabric reads what a peer sends, and answers what are requests: the boundary at which
/// hostile input arrives, without sockets. Tells the answers, and why there was nothing more to read.
pub fn answers_to(bytes: &[u8], limits: &crate::Limits) -> (Vec<String>, Option<Malformed>) {
    let mut framer = frame::Framer::new(limits);
    framer.push(bytes);
    let mut answers = Vec::new();
    loop {
        match framer.next() {
            Err(malformed) => {
                answers.push(reply::unframed(malformed, "sip.contoso.com"));
                return (answers, Some(malformed));
            }
            Ok(None) => return (answers, None),
            Ok(Some(message)) => {
                let (status, message) = match message::Request::read(message) {
                    None => continue,
                    Some(Ok(request)) => (words::status::OK, request.message),
                    Some(Err((status, message))) => (status, *message),
                };
                let source = std::net::SocketAddr::from(([127, 0, 0, 1], 5061));
                answers.push(reply::Reply::new(status).write(&message, "tag", Some(source)));
            }
        }
    }
}

/// Host and port of a URI.
pub(crate) fn party(uri: &str) -> Option<(String, Option<u16>)> {
    message::Party::parse(uri).ok().map(|party| (party.host, party.port))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Limits;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// Whatever a peer puts into its request, what it gets is one message for each request: nothing of it breaks out.
        #[test]
        fn an_answer_is_one_message(parts in proptest::collection::vec(prop::sample::select(vec![
            "Via: SIP/2.0/TLS a.example;rport;branch=z9hG4bK1", "v: SIP/2.0/TLS b.example;branch=2, SIP/2.0/TLS c", "Via: ,;=\"", "To: <sip:a@b>", "t: \"<;tag=\" <sip:a@b",
            "From: sip:c@d;tag=1", "f: \"\\", "Call-ID: 1", "CSeq: 1 OPTIONS", "CSeq: x", " folded", "\t;tag=2", "X: \u{e4}\u{2028}", "Max-Forwards: -1", "Record-Route: <sip:x;lr>",
        ]), 0..12), uri in prop::sample::select(vec!["sip:a@b", "tel:1", "sip:", "SIPS:%00@b"])) {
            let text = format!("OPTIONS {uri} SIP/2.0\r\n{}\r\nl: 0\r\n\r\n", parts.join("\r\n"));
            let (answers, _) = answers_to(text.as_bytes(), &Limits::default());
            let mut framer = frame::Framer::new(&Limits::default());
            for answer in &answers {
                framer.push(answer.as_bytes());
                let read = framer.next().expect("well-formed").expect("complete");
                prop_assert!(matches!(read.start, message::Start::Response { .. }), "{}", answer);
                prop_assert!(!framer.is_within(), "{}", answer);
            }
            prop_assert_eq!(answers.len(), 1);
        }
    }
}
