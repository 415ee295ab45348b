//! XML documents as small trees: what the topology document needs, within limits.

use rxml::{Event, Parse, Parser};

/// Why a text is no XML document that we take.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum XmlError {
    /// Not well-formed, or with comments, DTDs or processing instructions, which are not supported.
    #[error("it is not a well-formed XML document without comments and processing instructions: {0}")]
    Malformed(String),
    /// Nested deeper than [`MAX_DEPTH`].
    #[error("its elements are nested deeper than {MAX_DEPTH} levels")]
    TooDeep,
    /// More elements than [`MAX_ELEMENTS`].
    #[error("it has more than {MAX_ELEMENTS} elements")]
    TooMany,
    /// No element at all.
    #[error("it is empty")]
    Empty,
}

/// Deepest nesting of elements.
pub const MAX_DEPTH: usize = 64;
/// Most elements of a document.
pub const MAX_ELEMENTS: usize = 200_000;

/// One element; namespaces are checked for well-formedness and then left out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Element {
    /// Local name.
    pub(crate) name: String,
    /// Attributes in the order of their names.
    pub(crate) attributes: Vec<(String, String)>,
    /// Text directly inside.
    pub(crate) text: String,
    /// Elements directly inside.
    pub(crate) children: Vec<Element>,
}

impl Element {
    /// The value of an attribute.
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The first child with a name.
    pub(crate) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The text of the first child with a name, without surrounding blanks.
    pub(crate) fn child_text(&self, name: &str) -> Option<String> {
        self.child(name).map(|child| child.text.trim().to_owned())
    }

    /// All elements at the end of a path of names.
    pub(crate) fn descend<'e>(&'e self, path: &[&'e str]) -> Box<dyn Iterator<Item = &'e Self> + 'e> {
        match path.split_first() {
            None => Box::new(std::iter::once(self)),
            Some((first, rest)) => {
                let (first, rest) = (*first, rest.to_vec());
                Box::new(self.children.iter().filter(move |child| child.name == first).flat_map(move |child| child.descend(&rest)))
            }
        }
    }
}

/// Reads a document.
///
/// # Errors
/// When it is not well-formed or exceeds a limit.
pub(crate) fn parse(text: &str) -> Result<Element, XmlError> {
    let trimmed = text.trim_start();
    // The declaration may claim any encoding: the text is decoded already.
    let body = match trimmed.strip_prefix("<?xml") {
        Some(rest) => rest.split_once("?>").map_or("", |(_, body)| body),
        None => trimmed,
    };
    let mut bytes = body.trim().as_bytes();
    let mut parser = Parser::new();
    let mut open: Vec<Element> = Vec::new();
    let mut count = 0;
    let malformed = |error: &dyn std::fmt::Display| XmlError::Malformed(error.to_string());
    loop {
        let event = match parser.parse(&mut bytes, true) {
            Ok(Some(event)) => event,
            Ok(None) => return Err(XmlError::Empty),
            Err(rxml::error::EndOrError::Error(error)) => return Err(malformed(&error)),
            Err(rxml::error::EndOrError::NeedMoreData) => return Err(malformed(&"the end is missing")),
        };
        match event {
            Event::XmlDeclaration(..) => {}
            Event::StartElement(_, (_, name), attributes) => {
                count += 1;
                if count > MAX_ELEMENTS {
                    return Err(XmlError::TooMany);
                }
                if open.len() >= MAX_DEPTH {
                    return Err(XmlError::TooDeep);
                }
                let attributes = attributes.into_iter().map(|((_, name), value)| (name.to_string(), value)).collect();
                open.push(Element { name: name.to_string(), attributes, ..Element::default() });
            }
            Event::Text(_, text) => {
                if let Some(element) = open.last_mut() {
                    element.text.push_str(&text);
                }
            }
            Event::EndElement(_) => {
                let Some(element) = open.pop() else {
                    return Err(XmlError::Empty);
                };
                match open.last_mut() {
                    Some(parent) => parent.children.push(element),
                    None => return Ok(element),
                }
            }
        }
    }
}

/// Text of a file as Windows writes it: UTF-8 or UTF-16 with a byte order mark, else UTF-8.
pub(crate) fn decode(bytes: &[u8]) -> Option<String> {
    let wide = |rest: &[u8], join: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = rest.chunks_exact(2).map(|pair| join([pair[0], pair[1]])).collect();
        rest.len().is_multiple_of(2).then(|| String::from_utf16(&units).ok()).flatten()
    };
    match bytes {
        [0xEF, 0xBB, 0xBF, rest @ ..] => String::from_utf8(rest.to_vec()).ok(),
        [0xFF, 0xFE, rest @ ..] => wide(rest, u16::from_le_bytes),
        [0xFE, 0xFF, rest @ ..] => wide(rest, u16::from_be_bytes),
        _ => String::from_utf8(bytes.to_vec()).ok(),
    }
}
