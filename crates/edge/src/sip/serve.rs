//! The listening side.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::message::{Malformed, Message, complete, host};
use super::words::diagnostics;
use crate::behaviour::Behaviour;
use crate::goodbye::say_goodbye;
use crate::limits::Limits;

/// Header fields that an answer repeats from its request (RFC 3261 8.2.6.2), as written in answers.
const REPEATED: [(&str, &str); 5] = [("via", "Via"), ("from", "From"), ("to", "To"), ("call-id", "Call-ID"), ("cseq", "CSeq")];

/// Serves one connection until the peer closes it, misbehaves or takes too long.
pub(crate) async fn serve(mut stream: TcpStream, behaviour: &Behaviour, limits: &Limits) {
    let status = match tokio::time::timeout(limits.conversation, converse(&mut stream, behaviour, limits)).await {
        // Gone, or too slow: SIP has no word for it, the connection is closed (RFC 3261 18.3).
        Ok(Ok(())) | Err(_) => return,
        Ok(Err(Malformed::TooLarge)) => "513 Message Too Large",
        Ok(Err(Malformed::Syntax)) => "400 Bad Request",
    };
    // Nothing after a message that cannot be framed can be trusted: says so and closes.
    say_goodbye(&mut stream, &format!("SIP/2.0 {status}\r\nContent-Length: 0\r\n\r\n")).await;
}

/// Answers requests in order; ends well when the peer goes away.
async fn converse(stream: &mut TcpStream, behaviour: &Behaviour, limits: &Limits) -> Result<(), Malformed> {
    let mut buffer: Vec<u8> = Vec::new();
    let mut chunk = vec![0; 4096];
    loop {
        match complete(&buffer, limits.sip_bytes)? {
            Some((length, message)) => {
                buffer.drain(..length);
                if stream.write_all(answer(&message, behaviour).as_bytes()).await.is_err() {
                    return Ok(());
                }
            }
            None => match stream.read(&mut chunk).await {
                Ok(0) | Err(_) => return Ok(()),
                Ok(count) => buffer.extend_from_slice(&chunk[..count]),
            },
        }
    }
}

fn answer(message: &Message, behaviour: &Behaviour) -> String {
    let Some((method, uri)) = message.request() else { return respond(message, 400, "Bad Request", "") };
    let (Some(domain), Some(partner)) = (host(uri), message.header("from").and_then(host)) else {
        return respond(message, 400, "Bad Request", "");
    };
    if REPEATED.iter().any(|(name, _)| message.header(name).is_none()) {
        return respond(message, 400, "Bad Request", "");
    }
    if let Err(refusal) = behaviour.decide(&partner, &domain) {
        let words = diagnostics(refusal);
        let source = behaviour.domains().first().map_or("", String::as_str);
        let header = format!("ms-diagnostics: {};reason=\"{}\";source=\"sip.{source}\"\r\n", words.id, words.reason);
        return respond(message, words.status, words.phrase, &header);
    }
    match method {
        "OPTIONS" => respond(message, 200, "OK", "Allow: OPTIONS\r\n"),
        _ => respond(message, 405, "Method Not Allowed", "Allow: OPTIONS\r\n"),
    }
}

fn respond(request: &Message, status: u16, phrase: &str, more: &str) -> String {
    let mut text = format!("SIP/2.0 {status} {phrase}\r\n");
    for (name, written) in REPEATED {
        for value in request.all(name) {
            let tagged = name == "to" && !value.contains(";tag=");
            text.push_str(&format!("{written}: {value}{}\r\n", if tagged { ";tag=firedrill" } else { "" }));
        }
    }
    text.push_str(more);
    text.push_str("Server: RTC/6.0\r\nContent-Length: 0\r\n\r\n");
    text
}
