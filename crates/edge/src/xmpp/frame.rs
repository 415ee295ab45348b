//! Cuts a byte stream into stream headers, first-level elements and the footer, within limits.

use rxml::error::EndOrError;
use rxml::parser::CommentMode;
use rxml::{AttrMap, Event, Namespace, Options, Parse, Parser, QName, RawEvent, RawParser, WithOptions};

use super::element::{Element, Node};
use super::words::{Condition, SERVER, STREAMS};
use crate::limits::Limits;

/// A piece of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Frame {
    /// `<stream:stream …>`.
    Header(Header),
    /// A stanza or another first-level element, complete.
    Element(Element),
    /// `</stream:stream>`.
    Footer,
}

/// Attributes of a stream header.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Header {
    pub(crate) to: Option<String>,
    pub(crate) from: Option<String>,
    pub(crate) id: Option<String>,
    pub(crate) version: Option<String>,
}

/// Parser of one stream. After an error it must not be fed again.
pub(crate) struct Framer {
    parser: Parser,
    limits: Limits,
    /// Bytes up to the end of the header, for the content namespace, which the resolving parser does not tell.
    opening: Vec<u8>,
    started: bool,
    /// Bytes since the last frame.
    pending: usize,
    stack: Vec<Element>,
    /// Elements, attributes and texts of the current frame.
    nodes: usize,
}

impl Framer {
    pub(crate) fn new(limits: &Limits) -> Self {
        // Our own limits on bytes come first, so that a token's length never decides.
        let max_token_length = limits.header_bytes.max(limits.element_bytes) + 1;
        let mut parser = Parser::with_options(Options { max_token_length, context: None, comments: CommentMode::default() });
        parser.set_text_buffering(false);
        Self { parser, limits: *limits, opening: Vec::new(), started: false, pending: 0, stack: Vec::new(), nodes: 0 }
    }

    /// Takes bytes from `input` up to the end of the next frame; `None` when there is no complete one.
    pub(crate) fn next(&mut self, input: &mut &[u8]) -> Result<Option<Frame>, Condition> {
        loop {
            // Never more than the limit allows goes into the parser, so that it cannot buffer more.
            let limit = if self.started { self.limits.element_bytes } else { self.limits.header_bytes };
            let window = input.len().min(limit.saturating_sub(self.pending));
            if window == 0 && !input.is_empty() {
                return Err(Condition::PolicyViolation);
            }
            let before = *input;
            let mut part = &before[..window];
            let event = self.parser.parse(&mut part, false);
            let consumed = window - part.len();
            *input = &before[consumed..];
            self.pending += consumed;
            if !self.started {
                self.opening.extend_from_slice(&before[..consumed]);
            }
            match event {
                Ok(Some(event)) => {
                    if let Some(frame) = self.take(event)? {
                        self.pending = 0;
                        self.nodes = 0;
                        return Ok(Some(frame));
                    }
                }
                Ok(None) => return Ok(None),
                Err(EndOrError::NeedMoreData) if input.is_empty() => return Ok(None),
                Err(EndOrError::NeedMoreData) => {}
                Err(EndOrError::Error(error)) => return Err(condition(error)),
            }
        }
    }

    fn take(&mut self, event: Event) -> Result<Option<Frame>, Condition> {
        match event {
            Event::XmlDeclaration(..) => Ok(None),
            Event::StartElement(_, name, attributes) if !self.started => self.start(&name, &attributes).map(Some),
            Event::StartElement(_, (namespace, name), attributes) => {
                self.count(1 + attributes.len())?;
                if self.stack.len() >= self.limits.depth {
                    return Err(Condition::PolicyViolation);
                }
                let attribute = |((namespace, name), value): (QName, String)| (namespace.to_string(), name.to_string(), value);
                self.stack.push(Element {
                    namespace: namespace.to_string(),
                    name: name.to_string(),
                    attributes: attributes.into_iter().map(attribute).collect(),
                    children: Vec::new(),
                });
                Ok(None)
            }
            Event::EndElement(_) => Ok(match self.stack.pop() {
                None => Some(Frame::Footer),
                Some(element) => match self.stack.last_mut() {
                    None => Some(Frame::Element(element)),
                    Some(parent) => {
                        parent.children.push(Node::Element(element));
                        None
                    }
                },
            }),
            Event::Text(_, text) => match self.stack.last_mut() {
                Some(element) => {
                    element.push_text(&text);
                    Ok(None)
                }
                None if text.bytes().all(|byte| byte.is_ascii_whitespace()) => {
                    self.pending = 0; // keep-alives between stanzas (RFC 6120 4.6.1) do not add up
                    Ok(None)
                }
                None => Err(Condition::BadFormat),
            },
        }
    }

    /// Whether no element has begun.
    pub(crate) fn is_between(&self) -> bool {
        self.started && self.pending == 0
    }

    /// What is small on the wire may be large in memory: pieces are counted as well as bytes.
    fn count(&mut self, nodes: usize) -> Result<(), Condition> {
        self.nodes += nodes;
        if self.nodes > self.limits.nodes { Err(Condition::PolicyViolation) } else { Ok(()) }
    }

    fn start(&mut self, (namespace, name): &QName, attributes: &AttrMap) -> Result<Frame, Condition> {
        if namespace.as_str() != STREAMS || name.as_str() != "stream" {
            return Err(Condition::InvalidNamespace);
        }
        let opening = std::mem::take(&mut self.opening);
        if content_namespace(&opening).as_deref() != Some(SERVER) {
            return Err(Condition::InvalidNamespace);
        }
        self.started = true;
        let get = |name: &str| attributes.get(Namespace::none(), name).cloned();
        Ok(Frame::Header(Header { to: get("to"), from: get("from"), id: get("id"), version: get("version") }))
    }
}

/// The default namespace that the root element declares (RFC 6120 4.8.2).
fn content_namespace(mut opening: &[u8]) -> Option<String> {
    let mut parser = RawParser::new();
    loop {
        match parser.parse(&mut opening, false) {
            Ok(Some(RawEvent::Attribute(_, (None, name), value))) if name.as_str() == "xmlns" => return Some(value),
            Ok(Some(RawEvent::ElementHeadClose(_)) | None) | Err(_) => return None,
            Ok(Some(_)) => {}
        }
    }
}

/// The condition that RFC 6120 has for what the parser found.
fn condition(error: rxml::Error) -> Condition {
    match error {
        rxml::Error::UndeclaredEntity | rxml::Error::RestrictedXml(_) => Condition::RestrictedXml,
        // `<!` that begins neither CDATA nor a comment begins a DTD; rxml has no other sign of it (a test watches this).
        rxml::Error::InvalidSyntax(what) if what.starts_with("malformed cdata or comment") => Condition::RestrictedXml,
        rxml::Error::UndeclaredNamespacePrefix(_) => Condition::BadNamespacePrefix,
        rxml::Error::InvalidUtf8Byte(_) => Condition::UnsupportedEncoding,
        _ => Condition::NotWellFormed,
    }
}
