//! XML from text, with the errors of `System.Xml`. Documents with definitions of entities are refused: their expansion is a
//! way to make small text large.

use quick_xml::Reader;
use quick_xml::errors::{Error, IllFormedError};
use quick_xml::events::{BytesStart, Event};

use super::document::{Document, Id, Kind, MOST_NODES, Node, Tree};

/// Deepest nesting of elements: trees are walked recursively, and names of namespaces are looked for upwards.
const DEEPEST: usize = 512;

/// Line and position of a byte.
fn place(text: &str, at: usize) -> (usize, usize) {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    let before = &text[..at];
    (before.matches('\n').count() + 1, before.rsplit('\n').next().unwrap_or("").chars().count() + 1)
}

/// Text where an element should be.
const WRONG_CHILD: &str =
    "The specified node cannot be inserted as the valid child of this node, because the specified node is the wrong type.";

struct Builder<'a> {
    text: &'a str,
    nodes: Vec<Node>,
    /// Open elements, with where their tags begin.
    open: Vec<(Id, usize)>,
}

/// Reads a document; the error is a sentence of `System.Xml`.
pub(super) fn parse(text: &str) -> Result<Document, String> {
    let source = text.trim_start_matches('\u{FEFF}');
    let mut builder = Builder { text: source, nodes: vec![Node::new(Kind::Document, "#document", "")], open: Vec::new() };
    let mut reader = Reader::from_str(source);
    reader.config_mut().check_end_names = false;
    loop {
        let start = usize::try_from(reader.buffer_position()).unwrap_or(0);
        let event = reader.read_event().map_err(|error| builder.fault(&error, usize::try_from(reader.error_position()).unwrap_or(0)))?;
        if matches!(event, Event::Eof) {
            break;
        }
        builder.take(event, start)?;
        if builder.nodes.len() > MOST_NODES {
            return Err(format!("The document has more than {MOST_NODES} nodes."));
        }
    }
    let (line, column) = place(source, source.len());
    if let Some((id, _)) = builder.open.last() {
        let name = &builder.nodes[*id].name;
        return Err(format!(
            "Unexpected end of file has occurred. The following elements are not closed: {name}. Line {line}, position {column}."
        ));
    }
    let document = Document::new();
    if Tree(&builder.nodes).root().is_none() {
        return Err("Root element is missing.".into());
    }
    resolve_namespaces(&mut builder.nodes);
    if let Ok(mut nodes) = document.nodes.write() {
        *nodes = builder.nodes;
    }
    Ok(document)
}

impl Builder<'_> {
    fn fault(&self, error: &Error, at: usize) -> String {
        let (line, column) = place(self.text, at);
        match error {
            Error::IllFormed(IllFormedError::UnmatchedEndTag(_)) => format!("Unexpected end tag. Line {line}, position {column}."),
            _ if !self.text.trim_start().starts_with('<') => "Data at the root level is invalid. Line 1, position 1.".into(),
            other => format!("{other}. Line {line}, position {column}."),
        }
    }

    fn add(&mut self, node: Node) -> Id {
        let id = self.nodes.len();
        let parent = self.open.last().map_or(0, |(id, _)| *id);
        self.nodes.push(Node { parent: Some(parent), ..node });
        self.nodes[parent].children.push(id);
        id
    }

    /// Adds text to the text before it.
    fn add_text(&mut self, text: &str) -> Result<(), String> {
        let Some((parent, _)) = self.open.last() else {
            if text.trim().is_empty() {
                return Ok(());
            }
            return Err(WRONG_CHILD.into());
        };
        if let Some(last) = self.nodes[*parent].children.last().copied()
            && self.nodes[last].kind == Kind::Text
        {
            self.nodes[last].value.push_str(text);
            return Ok(());
        }
        self.add(Node::new(Kind::Text, "#text", text));
        Ok(())
    }

    fn take(&mut self, event: Event<'_>, start: usize) -> Result<(), String> {
        let utf8 = |raw: &[u8]| String::from_utf8_lossy(raw).into_owned();
        match event {
            Event::Start(tag) => {
                let id = self.element(&tag, start)?;
                self.open.push((id, start));
            }
            Event::Empty(tag) => {
                let id = self.element(&tag, start)?;
                self.nodes[id].empty = true;
            }
            Event::End(tag) => {
                let name = utf8(tag.name().as_ref());
                let at = || place(self.text, start + 2);
                let Some((id, opened)) = self.open.pop() else {
                    let (line, column) = at();
                    return Err(format!("Unexpected end tag. Line {line}, position {column}."));
                };
                if self.nodes[id].name != name {
                    let (first_line, first_column) = place(self.text, opened + 1);
                    let (line, column) = at();
                    return Err(format!(
                        "The '{}' start tag on line {first_line} position {first_column} does not match the end tag of '{name}'. Line {line}, position {column}.",
                        self.nodes[id].name
                    ));
                }
                self.drop_blanks(id);
            }
            Event::Text(text) => self.add_text(&utf8(&text).replace("\r\n", "\n"))?,
            Event::CData(text) => {
                self.add(Node::new(Kind::CData, "#cdata-section", &utf8(&text)));
            }
            Event::Comment(text) => {
                self.add(Node::new(Kind::Comment, "#comment", &utf8(&text)));
            }
            Event::PI(instruction) => {
                self.add(Node::new(Kind::Instruction, &utf8(instruction.target()), utf8(instruction.content()).trim()));
            }
            Event::Decl(declaration) => {
                let content = utf8(&declaration);
                self.add(Node::new(Kind::Declaration, "xml", content.strip_prefix("xml").unwrap_or(&content).trim()));
            }
            Event::DocType(definition) => {
                let content = utf8(&definition);
                if content.contains("<!ENTITY") {
                    return Err("For security reasons DTD is prohibited in this XML document.".into());
                }
                self.add(Node::new(Kind::DocumentType, content.split_whitespace().next().unwrap_or_default(), &content));
            }
            Event::GeneralRef(reference) => {
                let name = utf8(&reference);
                match entity(&name) {
                    Some(c) => self.add_text(c.encode_utf8(&mut [0; 4]))?,
                    None => {
                        let (line, column) = place(self.text, start + 1);
                        return Err(format!("Reference to undeclared entity '{name}'. Line {line}, position {column}."));
                    }
                }
            }
            Event::Eof => {}
        }
        Ok(())
    }

    /// Blanks between elements do not count.
    fn drop_blanks(&mut self, id: Id) {
        let children = std::mem::take(&mut self.nodes[id].children);
        let nodes = &self.nodes;
        let kept = children.into_iter().filter(|c| nodes[*c].kind != Kind::Text || !nodes[*c].value.trim().is_empty()).collect();
        self.nodes[id].children = kept;
    }

    fn element(&mut self, tag: &BytesStart<'_>, start: usize) -> Result<Id, String> {
        let name = String::from_utf8_lossy(tag.name().as_ref()).into_owned();
        let fault = |what: &str| {
            let (line, column) = place(self.text, start + 1);
            Err(format!("{what}. Line {line}, position {column}."))
        };
        if self.open.is_empty() && Tree(&self.nodes).root().is_some() {
            return fault("There are multiple root elements");
        }
        if self.open.len() >= DEEPEST {
            return Err(crate::limits::hit(crate::error::LimitError::Nesting(DEEPEST)).to_string());
        }
        let id = self.add(Node::new(Kind::Element, &name, ""));
        for attribute in tag.attributes() {
            let attribute = match attribute {
                Ok(attribute) => attribute,
                Err(error) => {
                    let (line, column) = place(self.text, start + 1);
                    return Err(format!("{error}. Line {line}, position {column}."));
                }
            };
            let key = String::from_utf8_lossy(attribute.key.as_ref()).into_owned();
            let raw = String::from_utf8_lossy(&attribute.value).into_owned();
            let Some(value) = unescape(&raw) else {
                let (line, column) = place(self.text, start + 1);
                return Err(format!("An error occurred while parsing EntityName. Line {line}, position {column}."));
            };
            let at = self.nodes.len();
            self.nodes.push(Node { parent: Some(id), ..Node::new(Kind::Attribute, &key, &value) });
            self.nodes[id].attributes.push(at);
        }
        Ok(id)
    }
}

fn entity(name: &str) -> Option<char> {
    Some(match name {
        "lt" => '<',
        "gt" => '>',
        "amp" => '&',
        "apos" => '\'',
        "quot" => '"',
        name => {
            let digits = name.strip_prefix('#')?;
            let number = match digits.strip_prefix(['x', 'X']) {
                Some(hexadecimal) => u32::from_str_radix(hexadecimal, 16).ok()?,
                None => digits.parse().ok()?,
            };
            char::from_u32(number)?
        }
    })
}

fn unescape(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        let end = rest[at..].find(';')? + at;
        out.push(entity(&rest[at + 1..end])?);
        rest = &rest[end + 1..];
    }
    out.push_str(rest);
    // Line breaks and tabs in attributes are blanks.
    Some(if text.contains(['\n', '\t', '\r']) { out.replace("\r\n", " ").replace(['\n', '\t', '\r'], " ") } else { out })
}

/// Gives every element and attribute the namespace of its prefix.
pub(super) fn resolve_namespaces(nodes: &mut [Node]) {
    let found: Vec<(Id, String)> = (0..nodes.len())
        .filter_map(|id| {
            let tree = Tree(nodes);
            let node = tree.node(id);
            let namespace = match node.kind {
                Kind::Element => tree.namespace(id, node.prefix())?,
                Kind::Attribute if node.name == "xmlns" || node.prefix() == "xmlns" => "http://www.w3.org/2000/xmlns/".into(),
                Kind::Attribute if !node.prefix().is_empty() => tree.namespace(node.parent?, node.prefix())?,
                _ => return None,
            };
            Some((id, namespace))
        })
        .collect();
    for (id, namespace) in found {
        nodes[id].namespace = namespace;
    }
}
