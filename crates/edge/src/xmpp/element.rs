//! XML elements of a stream: read by the framer, written by us.

use super::words::{DIALBACK, SERVER, STREAMS};

/// Namespace of `xml:lang`.
const XML: &str = "http://www.w3.org/XML/1998/namespace";

/// An element with everything in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Element {
    pub(crate) namespace: String,
    pub(crate) name: String,
    /// Namespace, name and value; in the order read or given.
    pub(crate) attributes: Vec<(String, String, String)>,
    pub(crate) children: Vec<Node>,
}

/// Content of an element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Node {
    Element(Element),
    Text(String),
}

impl Element {
    pub(crate) fn new(namespace: &str, name: &str) -> Self {
        Self { namespace: namespace.to_owned(), name: name.to_owned(), attributes: Vec::new(), children: Vec::new() }
    }

    /// With an attribute of no namespace.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.attributes.push((String::new(), name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn child(mut self, child: Self) -> Self {
        self.children.push(Node::Element(child));
        self
    }

    pub(crate) fn text(mut self, text: &str) -> Self {
        self.children.push(Node::Text(text.to_owned()));
        self
    }

    pub(crate) fn is(&self, namespace: &str, name: &str) -> bool {
        self.namespace == namespace && self.name == name
    }

    /// Value of an attribute of no namespace.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(namespace, known, _)| namespace.is_empty() && known == name).map(|(_, _, value)| value.as_str())
    }

    pub(crate) fn elements(&self) -> impl Iterator<Item = &Self> {
        self.children.iter().filter_map(|node| match node {
            Node::Element(element) => Some(element),
            Node::Text(_) => None,
        })
    }

    pub(crate) fn find(&self, namespace: &str, name: &str) -> Option<&Self> {
        self.elements().find(|element| element.is(namespace, name))
    }

    /// Text directly inside.
    pub(crate) fn content(&self) -> String {
        let text = |node: &Node| match node {
            Node::Text(text) => Some(text.clone()),
            Node::Element(_) => None,
        };
        self.children.iter().filter_map(text).collect()
    }

    pub(crate) fn push_text(&mut self, text: &str) {
        if let Some(Node::Text(last)) = self.children.last_mut() {
            last.push_str(text);
        } else {
            self.children.push(Node::Text(text.to_owned()));
        }
    }

    /// As written inside a stream whose header is ours: content namespace `jabber:server`, prefixes `stream` and `db`
    /// (some servers know the prefixes rather than the namespaces).
    pub(crate) fn to_xml(&self) -> String {
        let mut text = String::new();
        self.write(SERVER, &mut text);
        text
    }

    fn write(&self, around: &str, text: &mut String) {
        let (prefix, inside) = match self.namespace.as_str() {
            STREAMS => ("stream:", around),
            DIALBACK => ("db:", around),
            own => ("", own),
        };
        text.push('<');
        text.push_str(prefix);
        text.push_str(&self.name);
        if inside != around {
            attribute(text, "xmlns", inside);
        }
        for (namespace, name, value) in &self.attributes {
            match namespace.as_str() {
                "" => attribute(text, name, value),
                XML => attribute(text, &format!("xml:{name}"), value),
                // Attributes of other namespaces mean nothing to anybody here.
                _ => {}
            }
        }
        if self.children.is_empty() {
            text.push_str("/>");
            return;
        }
        text.push('>');
        for child in &self.children {
            match child {
                Node::Element(element) => element.write(inside, text),
                Node::Text(plain) => text.push_str(&escape(plain)),
            }
        }
        text.push_str("</");
        text.push_str(prefix);
        text.push_str(&self.name);
        text.push('>');
    }
}

fn attribute(text: &mut String, name: &str, value: &str) {
    text.push_str(&format!(" {name}='{}'", escape(value)));
}

/// Escapes text and attribute values (RFC 6120 11.2 allows the predefined entities only).
pub(crate) fn escape(value: &str) -> String {
    let mut escaped = String::with_capacity(value.len());
    for c in value.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '\'' => escaped.push_str("&apos;"),
            '"' => escaped.push_str("&quot;"),
            _ => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written() {
        let message = Element::new(SERVER, "message")
            .with("to", "a'b@contoso.com")
            .child(Element::new(SERVER, "body").text("<hi> & \"bye\""))
            .child(Element::new("urn:x", "x").child(Element::new("urn:x", "y")).child(Element::new(SERVER, "z")));
        assert_eq!(
            message.to_xml(),
            "<message to='a&apos;b@contoso.com'><body>&lt;hi&gt; &amp; &quot;bye&quot;</body><x xmlns='urn:x'><y/><z xmlns='jabber:server'/></x></message>"
        );
        assert_eq!(Element::new(DIALBACK, "result").text("k").to_xml(), "<db:result>k</db:result>");
    }
}
