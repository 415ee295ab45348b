//! The tree behind XML nodes: an arena, so that nodes can be handed out, moved and compared by number.

use std::sync::RwLock;

/// Most nodes of one document; hostile documents hit it instead of memory.
pub(super) const MOST_NODES: usize = 2_000_000;

/// The number of a node in its document; 0 is the document itself.
pub(super) type Id = usize;

/// What a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Document,
    Element,
    Attribute,
    Text,
    CData,
    Comment,
    Instruction,
    Declaration,
    DocumentType,
}

/// A node.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) kind: Kind,
    /// Name as written, with its prefix.
    pub(super) name: String,
    /// The namespace that its prefix stands for.
    pub(super) namespace: String,
    /// Text, value of an attribute, content of an instruction.
    pub(super) value: String,
    pub(super) attributes: Vec<Id>,
    pub(super) children: Vec<Id>,
    pub(super) parent: Option<Id>,
    /// An element written `<a/>`.
    pub(super) empty: bool,
}

impl Node {
    pub(super) fn new(kind: Kind, name: &str, value: &str) -> Self {
        Self {
            kind,
            name: name.into(),
            namespace: String::new(),
            value: value.into(),
            attributes: Vec::new(),
            children: Vec::new(),
            parent: None,
            empty: false,
        }
    }

    pub(super) fn local(&self) -> &str {
        self.name.split_once(':').map_or(&self.name, |(_, local)| local)
    }

    pub(super) fn prefix(&self) -> &str {
        self.name.split_once(':').map_or("", |(prefix, _)| prefix)
    }
}

/// A document.
#[derive(Debug)]
pub(super) struct Document {
    pub(super) nodes: RwLock<Vec<Node>>,
}

/// The nodes of a document while they are being looked at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tree<'a>(pub(super) &'a [Node]);

impl Document {
    pub(super) fn new() -> Self {
        Self { nodes: RwLock::new(vec![Node::new(Kind::Document, "#document", "")]) }
    }
}

impl Tree<'_> {
    pub(super) fn node(&self, id: Id) -> &Node {
        &self.0[id.min(self.0.len() - 1)]
    }

    /// The element that holds all others.
    pub(super) fn root(&self) -> Option<Id> {
        self.node(0).children.iter().copied().find(|id| self.node(*id).kind == Kind::Element)
    }

    /// All text below a node.
    pub(super) fn text(&self, id: Id) -> String {
        match self.node(id).kind {
            Kind::Document | Kind::Element => {
                let mut out = String::new();
                for at in self.descendants(id) {
                    if matches!(self.node(at).kind, Kind::Text | Kind::CData) {
                        out.push_str(&self.node(at).value);
                    }
                }
                out
            }
            _ => self.node(id).value.clone(),
        }
    }

    /// Everything below a node in document order, attributes apart.
    pub(super) fn descendants(&self, id: Id) -> Vec<Id> {
        let mut out = Vec::new();
        let mut open: Vec<Id> = self.node(id).children.iter().rev().copied().collect();
        while let Some(at) = open.pop() {
            out.push(at);
            open.extend(self.node(at).children.iter().rev());
        }
        out
    }

    pub(super) fn attribute(&self, id: Id, name: &str) -> Option<Id> {
        self.node(id).attributes.iter().copied().find(|at| self.node(*at).name == name)
    }

    /// The namespace that a prefix stands for at a node.
    pub(super) fn namespace(&self, id: Id, prefix: &str) -> Option<String> {
        let declaration = if prefix.is_empty() { "xmlns".to_string() } else { format!("xmlns:{prefix}") };
        let mut current = Some(id);
        while let Some(at) = current {
            if let Some(found) = self.attribute(at, &declaration) {
                return Some(self.node(found).value.clone());
            }
            current = self.node(at).parent;
        }
        (prefix == "xml").then(|| "http://www.w3.org/XML/1998/namespace".into())
    }
}

fn escaped(text: &str, attribute: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' if attribute => out.push_str("&quot;"),
            '\n' if attribute => out.push_str("&#xA;"),
            '\r' if attribute => out.push_str("&#xD;"),
            '\t' if attribute => out.push_str("&#x9;"),
            c => out.push(c),
        }
    }
    out
}

/// How a document is written: as it is, or with line breaks and blanks as `Save` does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    Plain,
    Indented,
}

impl Tree<'_> {
    /// The markup of a node.
    pub(super) fn outer(&self, id: Id, layout: Layout) -> String {
        let mut out = String::new();
        self.write(id, layout, &mut out);
        out
    }

    /// The markup inside of a node.
    pub(super) fn inner(&self, id: Id) -> String {
        let mut out = String::new();
        for child in &self.node(id).children {
            self.write(*child, Layout::Plain, &mut out);
        }
        out
    }

    /// Writes without recursion: documents nest as deep as they like.
    fn write(&self, id: Id, layout: Layout, out: &mut String) {
        enum Step {
            Open(Id, usize),
            Close(Id, usize, bool),
        }
        let mut steps = vec![Step::Open(id, 0)];
        let indent = |out: &mut String, depth: usize| {
            if layout == Layout::Indented {
                if !out.is_empty() {
                    out.push_str("\r\n");
                }
                out.push_str(&"  ".repeat(depth));
            }
        };
        // Elements that hold text are written as they are.
        let mixed = |id: Id| self.node(id).children.iter().any(|c| matches!(self.node(*c).kind, Kind::Text | Kind::CData));
        while let Some(step) = steps.pop() {
            match step {
                Step::Close(id, depth, broken) => {
                    if broken {
                        indent(out, depth);
                    }
                    out.push_str(&format!("</{}>", self.node(id).name));
                }
                Step::Open(id, depth) => {
                    let node = self.node(id);
                    let within_text = node.parent.is_some_and(mixed);
                    if !within_text && !matches!(node.kind, Kind::Text | Kind::CData | Kind::Document | Kind::Attribute) {
                        indent(out, depth);
                    }
                    match node.kind {
                        Kind::Document => steps.extend(node.children.iter().rev().map(|c| Step::Open(*c, 0))),
                        Kind::Element => {
                            out.push_str(&format!("<{}", node.name));
                            for attribute in &node.attributes {
                                let attribute = self.node(*attribute);
                                out.push_str(&format!(" {}=\"{}\"", attribute.name, escaped(&attribute.value, true)));
                            }
                            if node.children.is_empty() && node.empty {
                                out.push_str(" />");
                            } else if node.children.is_empty() {
                                out.push_str(&format!("></{}>", node.name));
                            } else {
                                out.push('>');
                                let broken = !mixed(id) && !within_text;
                                steps.push(Step::Close(id, depth, broken));
                                steps.extend(node.children.iter().rev().map(|c| Step::Open(*c, depth + 1)));
                            }
                        }
                        Kind::Attribute => out.push_str(&format!("{}=\"{}\"", node.name, escaped(&node.value, true))),
                        Kind::Text => out.push_str(&escaped(&node.value, false)),
                        Kind::CData => out.push_str(&format!("<![CDATA[{}]]>", node.value)),
                        Kind::Comment => out.push_str(&format!("<!--{}-->", node.value)),
                        Kind::Instruction => out.push_str(&format!("<?{} {}?>", node.name, node.value)),
                        Kind::Declaration => out.push_str(&format!("<?xml {}?>", node.value)),
                        Kind::DocumentType => out.push_str(&format!("<!DOCTYPE {}>", node.value)),
                    }
                }
            }
        }
    }
}
