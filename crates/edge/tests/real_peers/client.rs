//! A user of the real server: a client just good enough to write and to be written to (RFC 6120, RFC 6121).

use std::net::SocketAddr;
use std::time::Duration;

use data_encoding::BASE64;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long anything may take. Real servers are slow when the machine is busy.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct Client {
    stream: TcpStream,
    /// What the server said and nobody has looked for yet.
    heard: String,
}

impl Client {
    /// Signs in with a password and becomes available.
    pub(crate) async fn sign_in(server: SocketAddr, user: &str, domain: &str, password: &str) -> Self {
        let stream = TcpStream::connect(server).await.expect("the server listens for clients");
        let mut client = Self { stream, heard: String::new() };
        let open = format!(
            "<?xml version='1.0'?><stream:stream to='{domain}' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>"
        );
        client.say(&open).await;
        client.hear("</stream:features>").await;
        let secret = BASE64.encode(format!("\0{user}\0{password}").as_bytes());
        client.say(&format!("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{secret}</auth>")).await;
        client.hear("<success").await;
        client.say(&open).await;
        client.hear("</stream:features>").await;
        client.say("<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>").await;
        client.hear("</jid>").await;
        client.say("<presence/>").await;
        client
    }

    pub(crate) async fn say(&mut self, text: &str) {
        self.stream.write_all(text.as_bytes()).await.expect("written");
    }

    pub(crate) async fn message(&mut self, to: &str, id: &str, body: &str) {
        self.say(&format!("<message type='chat' to='{to}' id='{id}'><body>{body}</body></message>")).await;
    }

    /// Waits until the server has said something, and forgets everything up to it.
    pub(crate) async fn hear(&mut self, what: &str) -> String {
        let heard = timeout(PATIENCE, self.read_to(what)).await;
        heard.unwrap_or_else(|_| panic!("`{what}` was not heard; only: {}", self.heard))
    }

    async fn read_to(&mut self, what: &str) -> String {
        loop {
            if let Some(at) = self.heard.find(what) {
                let rest = self.heard.split_off(at + what.len());
                return std::mem::replace(&mut self.heard, rest);
            }
            let mut chunk = [0; 4096];
            let count = self.stream.read(&mut chunk).await.expect("read");
            assert!(count > 0, "the server hung up while `{what}` was awaited; it said: {}", self.heard);
            self.heard.push_str(&String::from_utf8_lossy(&chunk[..count]));
        }
    }

    /// Waits until a stanza with this id has come back as an error, and tells its words.
    pub(crate) async fn bounced(&mut self, id: &str) -> String {
        loop {
            let stanza = self.hear("</message>").await;
            if stanza.contains("type='error'") && stanza.contains(&format!("id='{id}'")) {
                return stanza;
            }
        }
    }
}
