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
            // Keep-alives between stanzas (RFC 6120 4.6.1) do not add up, and do not begin one.
            if self.pending > 0 || !self.is_between() || !before[..consumed].iter().all(u8::is_ascii_whitespace) {
                self.pending += consumed;
            }
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
                    self.pending = 0;
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

    /// Whether the stream's header is there.
    pub(crate) fn has_begun(&self) -> bool {
        self.started
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const OPEN: &str =
        "<?xml version='1.0'?><stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' to='a.example'>";

    /// All frames of a text that arrives in pieces, or the condition at which it ends.
    fn frames<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> (Vec<Frame>, Option<Condition>) {
        let mut framer = Framer::new(&Limits::default());
        let mut found = Vec::new();
        for piece in pieces {
            let mut input = piece;
            loop {
                match framer.next(&mut input) {
                    Ok(Some(frame)) => found.push(frame),
                    Ok(None) => break,
                    Err(condition) => return (found, Some(condition)),
                }
                // After the footer nothing more is read.
                if found.last() == Some(&Frame::Footer) {
                    return (found, None);
                }
            }
        }
        (found, None)
    }

    fn name() -> impl Strategy<Value = String> {
        "[a-z][a-z0-9]{0,6}"
    }

    fn text() -> impl Strategy<Value = String> {
        "[ -~\u{e4}\u{20ac}]{1,12}"
    }

    fn element() -> impl Strategy<Value = Element> {
        let attributes = proptest::collection::btree_map(name(), text(), 0..3);
        let leaf = (name(), attributes).prop_map(|(name, attributes)| {
            attributes.iter().fold(Element::new("urn:x", &name), |element, (name, value)| element.with(name, value))
        });
        leaf.prop_recursive(4, 16, 3, move |inner| {
            (
                name(),
                prop_oneof![Just(SERVER), Just("urn:x"), Just(super::super::words::DIALBACK)],
                proptest::collection::vec(inner, 0..3),
                text(),
            )
                .prop_map(|(name, namespace, children, text)| {
                    let element = Element::new(namespace, &name).text(&text);
                    children.into_iter().fold(element, Element::child)
                })
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// What we write is read back as it was, however it is cut.
        #[test]
        fn what_is_written_is_read(element in element(), cuts in proptest::collection::vec(0usize..2000, 0..6)) {
            let text = super::super::words::header(None, None, Some("1")) + &element.to_xml() + "</stream:stream>";
            let bytes = text.as_bytes();
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
            cuts.extend([0, bytes.len()]);
            cuts.sort_unstable();
            let (found, condition) = frames(cuts.windows(2).map(|pair| &bytes[pair[0]..pair[1]]));
            prop_assert_eq!(condition, None);
            prop_assert_eq!(found.len(), 3);
            prop_assert_eq!(&found[1], &Frame::Element(element));
        }

        /// Any bytes end in frames or a condition, and in the same frames however they are cut. Of several mistakes the cut
        /// may decide which is seen first.
        #[test]
        fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..400), opened: bool, cut in 0usize..400) {
            let mut input = if opened { OPEN.as_bytes().to_vec() } else { Vec::new() };
            input.extend(bytes);
            let cut = cut.min(input.len());
            let (whole, cut) = (frames([&input[..]]), frames([&input[..cut], &input[cut..]]));
            prop_assert_eq!((cut.0, cut.1.is_some()), (whole.0, whole.1.is_some()));
        }

        /// Markup that is nearly right finds more ways into the parser than plain bytes.
        #[test]
        fn nearly_xml(parts in proptest::collection::vec(prop::sample::select(vec![
            "<", ">", "/", "</", "/>", "a", "b:", "xmlns='x'", " ", "='", "'", "\"", "&lt;", "&#0;", "&#x10ffff;", "&amp", "<![CDATA[", "]]>", "<!--", "<?",
            "<!DOCTYPE", "\u{0}", "\u{fffe}", "<message to='a'>", "</message>", "</stream:stream>", "xml:lang='de'", "x",
        ]), 0..40)) {
            let text = OPEN.to_owned() + &parts.concat();
            let bytes = text.as_bytes();
            let (whole, crumbs) = (frames([bytes]), frames(bytes.chunks(1)));
            prop_assert_eq!((crumbs.0, crumbs.1.is_some()), (whole.0, whole.1.is_some()));
        }
    }
}
