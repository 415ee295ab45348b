//! The listening side: reads the peer's header and answers it as the model wants.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::frame::{Frame, Framer, Header};
use super::words::{Condition, FEATURES, FOOTER, error, header, refusal_condition};
use crate::behaviour::Behaviour;
use crate::goodbye::say_goodbye;
use crate::limits::Limits;

/// How a conversation ended.
enum End {
    /// The peer went away.
    Gone,
    /// We close, after these words.
    Close(String),
}

/// Serves one connection until it ends.
pub(crate) async fn serve(mut stream: TcpStream, behaviour: &Behaviour, id: &str, limits: &Limits) {
    let mut opened = false;
    let end = tokio::time::timeout(limits.conversation, converse(&mut stream, behaviour, id, limits, &mut opened)).await;
    let words = match end {
        Ok(End::Gone) => return,
        Ok(End::Close(words)) => words,
        Err(_) if opened => error(Condition::ConnectionTimeout, None),
        Err(_) => header(None, None, Some(id)) + &error(Condition::ConnectionTimeout, None),
    };
    say_goodbye(&mut stream, &words).await;
}

async fn converse(stream: &mut TcpStream, behaviour: &Behaviour, id: &str, limits: &Limits, opened: &mut bool) -> End {
    let mut framer = Framer::new(limits);
    let mut buffer = vec![0; 4096];
    loop {
        let count = match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => return End::Gone,
            Ok(count) => count,
        };
        let mut input = &buffer[..count];
        loop {
            match framer.next(&mut input) {
                Ok(None) => break,
                Ok(Some(Frame::Header(asked))) => {
                    let answer = answer_header(&asked, behaviour, id);
                    match answer {
                        Err(words) => return End::Close(words),
                        Ok(words) => {
                            if stream.write_all(words.as_bytes()).await.is_err() {
                                return End::Gone;
                            }
                            *opened = true;
                        }
                    }
                }
                Ok(Some(Frame::Footer)) => return End::Close(FOOTER.to_owned()),
                Ok(Some(Frame::Element(element))) => {
                    // Nothing was offered and nobody is authenticated (RFC 6120 4.9.3.12, 4.9.3.23).
                    let stanza = matches!(element.name.as_str(), "message" | "presence" | "iq");
                    let condition = if stanza { Condition::NotAuthorized } else { Condition::UnsupportedFeature };
                    return End::Close(error(condition, None));
                }
                Err(condition) if *opened => return End::Close(error(condition, None)),
                Err(condition) => return End::Close(header(None, None, Some(id)) + &error(condition, None)),
            }
        }
    }
}

/// The answer to a header: header and features, or header and error (RFC 6120 4.9.1.2).
fn answer_header(asked: &Header, behaviour: &Behaviour, id: &str) -> Result<String, String> {
    let (to, from) = (asked.to.as_deref(), asked.from.as_deref());
    // Only a domain of ours is spoken for; asked for another one we do not say who we are.
    let ours = to.filter(|domain| behaviour.domains().iter().any(|known| known.eq_ignore_ascii_case(domain)));
    let head = header(ours, from, Some(id));
    let (Some(domain), Some(partner)) = (to, from) else {
        return Err(head + &error(Condition::ImproperAddressing, None));
    };
    if asked.version.as_deref() != Some("1.0") {
        return Err(head + &error(Condition::UnsupportedVersion, None));
    }
    match behaviour.decide(partner, domain) {
        Ok(()) => Ok(head + FEATURES),
        Err(refusal) => {
            let (condition, application) = refusal_condition(refusal);
            Err(head + &error(condition, Some(application)))
        }
    }
}
