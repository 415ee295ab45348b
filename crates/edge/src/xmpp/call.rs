//! The initiating role: opens a stream to a peer, secures and authenticates it (RFC 6120 4 to 6, XEP-0220 2.1).

use std::net::SocketAddr;

use data_encoding::BASE64;
use firedrill_fabric::SimTime;
use firedrill_fabric::federation::XmppMethods;

use super::dialback;
use super::element::Element;
use super::frame::{Frame, Header};
use super::line::{BoxedIo, Broken, Line};
use super::policy::{Offer, dialback_allowed};
use super::words::{Condition, DIALBACK, EDGE_ERRORS, FOOTER, SASL, STREAM_ERRORS, STREAMS, TLS, header};
use crate::limits::Limits;
use crate::tls::{Authority, CertificateProblem, Credentials, secure};

/// Why a stream to a peer did not come about, or broke.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StreamFailure {
    /// Nobody knows where the peer's server is.
    #[error("no server of `{0}` is known")]
    NotFound(String),
    /// Nobody listens where it should be.
    #[error("{0} refuses the connection")]
    Refused(SocketAddr),
    /// The connection broke.
    #[error("the connection broke: {0}")]
    Broken(String),
    /// What listens there does not speak XMPP.
    #[error("what listens there does not speak XMPP")]
    Foreign,
    /// The peer ended the stream with an error.
    #[error("stream error `{condition}`")]
    Error {
        /// Name of the defined condition.
        condition: String,
        /// Name of our application-specific condition, when given.
        application: Option<String>,
    },
    /// The peer's words make no sense.
    #[error("out of protocol: {0}")]
    Garbled(String),
    /// The TLS handshake failed.
    #[error("TLS failed: {0}")]
    Tls(String),
    /// The peer's certificate is not acceptable.
    #[error(transparent)]
    Certificate(CertificateProblem),
    /// Both sides' settings leave no way to authenticate.
    #[error("there is no way to authenticate that both sides support")]
    NoMethod,
    /// The peer refused SASL EXTERNAL, and dialback is not possible.
    #[error("SASL failed: `{0}`")]
    Sasl(String),
    /// Server Dialback ended so.
    #[error("dialback ended with `{0}`")]
    Dialback(String),
    /// It took too long.
    #[error("no answer in time")]
    Late,
}

/// How a stream was authenticated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// SASL EXTERNAL with certificates.
    External,
    /// Server Dialback.
    Dialback,
}

impl Method {
    /// What people call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::External => "SASL EXTERNAL",
            Self::Dialback => "Server Dialback",
        }
    }
}

/// What was learnt on the way, whether it went well or not.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
pub struct Facts {
    /// The peer answered with a header for the right domain, and features.
    pub answered: bool,
    /// Version of TLS, when there is any.
    pub tls: Option<String>,
    /// Its cipher suite.
    pub cipher: Option<String>,
    /// What is wrong with the peer's certificate.
    pub certificate: Option<CertificateProblem>,
    /// How the stream was authenticated.
    pub method: Option<Method>,
}

/// Who calls, and by what rules.
#[derive(Clone)]
pub(crate) struct Caller<'a> {
    pub(crate) from: &'a str,
    pub(crate) to: &'a str,
    pub(crate) methods: XmppMethods,
    pub(crate) strict: bool,
    pub(crate) credentials: &'a Credentials,
    pub(crate) authority: &'a Authority,
    pub(crate) now: SimTime,
    pub(crate) secret: &'a str,
    pub(crate) limits: &'a Limits,
}

/// A stream that is open, and secured as far as both sides want.
pub(crate) struct Call {
    line: Line,
    /// Id that the peer gave to the stream.
    id: String,
    offer: Offer,
    secured: bool,
    /// The peer's certificate is good for its domain.
    trusted: bool,
}

/// Opens a stream and secures it.
pub(crate) async fn open(io: BoxedIo, caller: &Caller<'_>, facts: &mut Facts) -> Result<Call, StreamFailure> {
    let mut call = Call { line: Line::new(io, caller.limits), id: String::new(), offer: Offer::default(), secured: false, trusted: false };
    call.greet(caller).await?;
    facts.answered = true;
    if !call.offer.starttls || !caller.methods.uses_tls() {
        if call.offer.starttls_required || !caller.methods.tcp_dialback {
            call.hang_up().await;
            return Err(StreamFailure::NoMethod);
        }
        return Ok(call);
    }
    call.secure(caller, facts).await
}

impl Call {
    /// Sends our header, reads the peer's and its features.
    async fn greet(&mut self, caller: &Caller<'_>) -> Result<(), StreamFailure> {
        self.write(&header(Some(caller.from), Some(caller.to), None)).await?;
        let answered = match self.frame().await? {
            Frame::Header(header) => header,
            _ => return Err(StreamFailure::Garbled("something else before the stream header".to_owned())),
        };
        // An error may follow at once, also from who does not serve the domain: its condition says more than the header.
        let features = self.element().await?;
        check_header(&answered, caller.to)?;
        if !features.is(STREAMS, "features") {
            return Err(StreamFailure::Garbled(format!("`{}` where features were due", features.name)));
        }
        self.id = answered.id.unwrap_or_default();
        self.offer = Offer::read(&features);
        Ok(())
    }

    /// STARTTLS (RFC 6120 5.4), and a new stream inside.
    async fn secure(mut self, caller: &Caller<'_>, facts: &mut Facts) -> Result<Self, StreamFailure> {
        self.write(&Element::new(TLS, "starttls").to_xml()).await?;
        let answer = self.element().await?;
        if !answer.is(TLS, "proceed") {
            return Err(StreamFailure::Tls(format!("the peer answered `{}`", answer.name)));
        }
        if self.line.has_rest() {
            return Err(StreamFailure::Garbled("bytes before the TLS handshake".to_owned()));
        }
        let securing = secure(self.line.into_io(), &caller.credentials.client, caller.authority, caller.to, caller.now);
        let secured = securing.await.map_err(|failure| StreamFailure::Tls(failure.to_string()))?;
        (facts.tls, facts.cipher) = (secured.version, secured.cipher);
        let judged = secured.certificate;
        facts.certificate = judged.clone().err();
        let line = Line::new(Box::new(secured.stream), caller.limits);
        let mut call = Self { line, id: String::new(), offer: Offer::default(), secured: true, trusted: judged.is_ok() };
        if let Err(problem) = judged
            && caller.strict
        {
            call.hang_up().await;
            return Err(StreamFailure::Certificate(problem));
        }
        call.greet(caller).await?;
        Ok(call)
    }

    /// Authenticates us to the peer: EXTERNAL where both sides can, dialback otherwise.
    pub(crate) async fn authenticate(&mut self, caller: &Caller<'_>, facts: &mut Facts) -> Result<(), StreamFailure> {
        let dialback = dialback_allowed(caller.methods, self.secured);
        if self.secured && self.trusted && caller.methods.sasl && self.offer.external {
            match self.external(caller).await {
                Ok(()) => {
                    facts.method = Some(Method::External);
                    return Ok(());
                }
                Err(StreamFailure::Sasl(_)) if dialback => {}
                Err(failure) => return Err(failure),
            }
        }
        if !dialback {
            self.hang_up().await;
            return Err(StreamFailure::NoMethod);
        }
        self.dial_back(caller).await?;
        facts.method = Some(Method::Dialback);
        Ok(())
    }

    /// SASL EXTERNAL (RFC 6120 6.4, XEP-0178 3).
    async fn external(&mut self, caller: &Caller<'_>) -> Result<(), StreamFailure> {
        let identity = BASE64.encode(caller.from.as_bytes());
        self.write(&Element::new(SASL, "auth").with("mechanism", "EXTERNAL").text(&identity).to_xml()).await?;
        let answer = self.element().await?;
        match answer.name.as_str() {
            "success" if answer.namespace == SASL => {
                self.line.restart();
                self.greet(caller).await
            }
            _ => Err(StreamFailure::Sasl(answer.elements().next().map_or_else(|| answer.name.clone(), |child| child.name.clone()))),
        }
    }

    /// Server Dialback as the initiating server (XEP-0220 2.1.1).
    async fn dial_back(&mut self, caller: &Caller<'_>) -> Result<(), StreamFailure> {
        let key = dialback::key(caller.secret, caller.to, caller.from, &self.id);
        self.write(&Element::new(DIALBACK, "result").with("from", caller.from).with("to", caller.to).text(&key).to_xml()).await?;
        loop {
            let answer = self.element().await?;
            if answer.is(DIALBACK, "result") {
                return match answer.get("type") {
                    Some("valid") => Ok(()),
                    other => Err(StreamFailure::Dialback(other.unwrap_or("no type").to_owned())),
                };
            }
        }
    }

    /// Asks the peer whether a key is one of its own (XEP-0220 2.2.1): `Ok(false)` when it says that it is not.
    pub(crate) async fn verify(&mut self, caller: &Caller<'_>, id: &str, key: &str) -> Result<bool, StreamFailure> {
        let question = Element::new(DIALBACK, "verify").with("from", caller.from).with("to", caller.to).with("id", id).text(key);
        self.write(&question.to_xml()).await?;
        loop {
            let answer = self.element().await?;
            if answer.is(DIALBACK, "verify") && answer.get("id") == Some(id) {
                return match answer.get("type") {
                    Some("valid") => Ok(true),
                    Some("invalid") => Ok(false),
                    other => Err(StreamFailure::Dialback(other.unwrap_or("no type").to_owned())),
                };
            }
        }
    }

    /// Ends the stream politely; the peer's own end is not awaited.
    pub(crate) async fn hang_up(&mut self) {
        // The peer may have gone already.
        let _closed = self.line.send(FOOTER).await;
    }

    pub(crate) fn into_line(self) -> Line {
        self.line
    }

    pub(crate) async fn write(&mut self, text: &str) -> Result<(), StreamFailure> {
        match self.line.send(text).await {
            Ok(()) => Ok(()),
            // Whoever closes without having said a word did not understand ours.
            Err(error) => Err(StreamFailure::Broken(error.kind().to_string())),
        }
    }

    async fn frame(&mut self) -> Result<Frame, StreamFailure> {
        let frame = self.line.next().await;
        frame.map_err(|broken| match broken {
            Broken::Xml(_) if is_foreign(self.line.last_bytes()) => StreamFailure::Foreign,
            Broken::Xml(condition) => StreamFailure::Garbled(format!("its XML is {}", condition.name())),
            Broken::Closed if !self.line.heard() => StreamFailure::Foreign,
            Broken::Closed => StreamFailure::Broken("it was closed without a word".to_owned()),
            Broken::Late => StreamFailure::Late,
            Broken::Failed(error) => StreamFailure::Broken(error.to_string()),
        })
    }

    /// The next element; stream errors end here.
    async fn element(&mut self) -> Result<Element, StreamFailure> {
        match self.frame().await? {
            Frame::Element(element) if element.is(STREAMS, "error") => Err(stream_error(&element)),
            Frame::Element(element) => Ok(element),
            Frame::Footer => Err(StreamFailure::Broken("the stream was closed".to_owned())),
            Frame::Header(_) => Err(StreamFailure::Garbled("a second header".to_owned())),
        }
    }
}

/// The first bytes of a SIP answer, or of a TLS alert: a server of another protocol.
fn is_foreign(bytes: &[u8]) -> bool {
    bytes.starts_with(b"SIP/") || bytes.starts_with(&[0x15, 0x03])
}

fn check_header(answered: &Header, asked: &str) -> Result<(), StreamFailure> {
    if answered.from.as_deref().is_some_and(|from| !from.eq_ignore_ascii_case(asked)) {
        return Err(StreamFailure::Garbled(format!("the stream comes from {:?}, not from `{asked}`", answered.from)));
    }
    if answered.id.as_deref().unwrap_or_default().is_empty() || answered.version.as_deref() != Some("1.0") {
        return Err(StreamFailure::Garbled("the answering header lacks an id or version 1.0".to_owned()));
    }
    Ok(())
}

/// What a stream error says.
pub(crate) fn stream_error(element: &Element) -> StreamFailure {
    let child = |namespace: &str| {
        let mut named = element.elements().filter(|child| child.namespace == namespace && child.name != "text");
        named.next().map(|child| child.name.clone())
    };
    let condition = child(STREAM_ERRORS).unwrap_or_else(|| Condition::UNDEFINED.to_owned());
    StreamFailure::Error { condition, application: child(EDGE_ERRORS) }
}
