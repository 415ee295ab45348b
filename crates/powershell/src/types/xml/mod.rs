//! `System.Xml.XmlDocument` and its nodes, with the properties that PowerShell makes of child elements and attributes.

mod document;
mod parse;
mod xpath;

use std::sync::{Arc, RwLock};

use document::{Document, Id, Kind, Layout, MOST_NODES, Node, Tree};

use super::call::{ARGUMENT, Call, Found, gives, len, void};
use crate::convert::shared_text;
use crate::error::{ErrorRecord, Flow, LimitError};
use crate::pipeline::Context;
use crate::value::{EnumValue, List, ListKind, PropertySource, PsObject, Value};

const DOCUMENT: &str = "System.Xml.XmlDocument";
const NODE: &str = "System.Xml.XmlNode";
const XML_EXCEPTION: &str = "System.Xml.XmlException";
const XPATH_EXCEPTION: &str = "System.Xml.XPath.XPathException";
const MANAGER: &str = "System.Xml.XmlNamespaceManager";

/// A node of a document.
#[derive(Debug, Clone)]
struct XmlNode {
    document: Arc<Document>,
    id: Id,
}

/// Prefixes of an `XmlNamespaceManager`.
#[derive(Debug, Default)]
struct Manager(RwLock<Vec<(String, String)>>);

impl PropertySource for Manager {
    fn names(&self) -> Vec<Arc<str>> {
        vec!["DefaultNamespace".into()]
    }

    fn get(&self, name: &str) -> Option<Value> {
        name.eq_ignore_ascii_case("defaultnamespace").then(|| Value::str(""))
    }

    fn as_any(&self) -> Option<&dyn std::any::Any> {
        Some(self)
    }
}

fn class_of(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Document => &[DOCUMENT],
        Kind::Element => &["System.Xml.XmlElement", "System.Xml.XmlLinkedNode"],
        Kind::Attribute => &["System.Xml.XmlAttribute"],
        Kind::Text => &["System.Xml.XmlText", "System.Xml.XmlCharacterData", "System.Xml.XmlLinkedNode"],
        Kind::CData => &["System.Xml.XmlCDataSection", "System.Xml.XmlCharacterData", "System.Xml.XmlLinkedNode"],
        Kind::Comment => &["System.Xml.XmlComment", "System.Xml.XmlCharacterData", "System.Xml.XmlLinkedNode"],
        Kind::Instruction => &["System.Xml.XmlProcessingInstruction", "System.Xml.XmlLinkedNode"],
        Kind::Declaration => &["System.Xml.XmlDeclaration", "System.Xml.XmlLinkedNode"],
        Kind::DocumentType => &["System.Xml.XmlDocumentType", "System.Xml.XmlLinkedNode"],
    }
}

fn node_type(kind: Kind) -> Value {
    let (name, number) = match kind {
        Kind::Document => ("Document", 9),
        Kind::Element => ("Element", 1),
        Kind::Attribute => ("Attribute", 2),
        Kind::Text => ("Text", 3),
        Kind::CData => ("CDATA", 4),
        Kind::Comment => ("Comment", 8),
        Kind::Instruction => ("ProcessingInstruction", 7),
        Kind::Declaration => ("XmlDeclaration", 17),
        Kind::DocumentType => ("DocumentType", 10),
    };
    Value::Enum(Arc::new(EnumValue { type_name: "System.Xml.XmlNodeType".into(), name: name.into(), number }))
}

impl XmlNode {
    fn read<T: Default>(&self, look: impl FnOnce(Tree<'_>) -> T) -> T {
        self.document.nodes.read().map(|nodes| look(Tree(&nodes))).unwrap_or_default()
    }

    fn edit<T>(&self, change: impl FnOnce(&mut Vec<Node>) -> T) -> Option<T> {
        self.document.nodes.write().ok().map(|mut nodes| change(&mut nodes))
    }

    fn at(&self, id: Id) -> Self {
        Self { document: self.document.clone(), id }
    }

    fn kind(&self) -> Kind {
        self.document.nodes.read().map_or(Kind::Document, |nodes| Tree(&nodes).node(self.id).kind)
    }

    fn object(self) -> Value {
        let classes = class_of(self.kind());
        let mut object = PsObject::new(classes[0]);
        object.type_names = classes.iter().copied().chain([NODE, "System.Object"]).map(Into::into).collect();
        object.source = Some(Arc::new(self));
        object.into()
    }

    fn optional(&self, id: Option<Id>) -> Value {
        id.map_or(Value::Null, |id| self.at(id).object())
    }

    fn list(&self, class: &str, ids: Vec<Id>) -> Value {
        let items = ids.into_iter().map(|id| self.at(id).object()).collect();
        Value::List(List::new(ListKind::Collection(format!("System.Xml.{class}").into()), items))
    }

    /// Names of attributes and children, each once, in order: what PowerShell shows as properties.
    fn adapted_names(&self) -> Vec<Arc<str>> {
        self.read(|tree| {
            let node = tree.node(self.id);
            let mut names: Vec<Arc<str>> = Vec::new();
            for id in node.attributes.iter().chain(&node.children) {
                let name = tree.node(*id).local();
                if !names.iter().any(|n| **n == *name) {
                    names.push(name.into());
                }
            }
            names
        })
    }

    /// Attributes and children of a name; case does not matter.
    fn matching(&self, name: &str) -> Vec<Id> {
        self.read(|tree| {
            let node = tree.node(self.id);
            let same = |id: &&Id| crate::value::same_name(tree.node(**id).local(), name);
            node.attributes.iter().chain(&node.children).filter(same).copied().collect()
        })
    }

    /// What a child is as a property: text where it is nothing but text.
    fn simple(&self, id: Id) -> Value {
        let plain = self.read(|tree| {
            let node = tree.node(id);
            match node.kind {
                Kind::Element => {
                    let only = node.attributes.is_empty();
                    let flat = node.children.iter().all(|c| tree.node(*c).kind == Kind::Text);
                    (only && flat && node.children.len() <= 1).then(|| tree.text(id))
                }
                Kind::Declaration | Kind::Instruction => Some(node.value.clone()),
                Kind::Document | Kind::DocumentType => None,
                _ => Some(node.value.clone()),
            }
        });
        match plain {
            Some(text) => Value::str(text),
            None => self.at(id).object(),
        }
    }

    /// The properties that .NET gives nodes; the name in lower case.
    fn own(&self, lower: &str) -> Option<Value> {
        let sibling = |step: i64| {
            self.read(|tree| {
                let siblings = &tree.node(tree.node(self.id).parent?).children;
                let at = siblings.iter().position(|id| *id == self.id)?;
                siblings.get(usize::try_from(i64::try_from(at).ok()? + step).ok()?).copied()
            })
        };
        let kind = self.kind();
        let value_of = |names: &str| {
            self.read(|tree| {
                let value = tree.node(self.id).value.clone();
                let at = value.find(&format!("{names}="))? + names.len() + 1;
                let quote = value[at..].chars().next()?;
                value[at + 1..].split(quote).next().map(str::to_string)
            })
        };
        Some(match lower {
            "name" => Value::str(self.read(|tree| tree.node(self.id).name.clone())),
            "localname" => Value::str(self.read(|tree| tree.node(self.id).local().to_string())),
            "prefix" => Value::str(self.read(|tree| tree.node(self.id).prefix().to_string())),
            "namespaceuri" => Value::str(self.read(|tree| tree.node(self.id).namespace.clone())),
            "value" | "data" => match kind {
                Kind::Document | Kind::Element | Kind::DocumentType => Value::Null,
                _ => Value::str(self.read(|tree| tree.node(self.id).value.clone())),
            },
            "innertext" if kind == Kind::Declaration => Value::str(self.read(|tree| tree.node(self.id).value.clone())),
            "innertext" if kind == Kind::Document => return None,
            "innertext" | "#text" if kind != Kind::Element || lower == "innertext" => Value::str(self.read(|tree| tree.text(self.id))),
            "innerxml" => Value::str(self.read(|tree| match kind {
                Kind::Document | Kind::Element => tree.inner(self.id),
                _ => tree.node(self.id).value.clone(),
            })),
            "outerxml" => Value::str(self.read(|tree| tree.outer(self.id, Layout::Plain))),
            "nodetype" => node_type(kind),
            "attributes" if kind == Kind::Element => {
                self.list("XmlAttributeCollection", self.read(|tree| tree.node(self.id).attributes.clone()))
            }
            "attributes" => Value::Null,
            "childnodes" => self.list("XmlChildNodes", self.read(|tree| tree.node(self.id).children.clone())),
            "haschildnodes" => Value::Bool(self.read(|tree| !tree.node(self.id).children.is_empty())),
            "hasattributes" if kind == Kind::Element => Value::Bool(self.read(|tree| !tree.node(self.id).attributes.is_empty())),
            "isempty" if kind == Kind::Element => {
                Value::Bool(self.read(|tree| tree.node(self.id).empty && tree.node(self.id).children.is_empty()))
            }
            "firstchild" => self.optional(self.read(|tree| tree.node(self.id).children.first().copied())),
            "lastchild" => self.optional(self.read(|tree| tree.node(self.id).children.last().copied())),
            "parentnode" if kind == Kind::Attribute => Value::Null,
            "parentnode" => self.optional(self.read(|tree| tree.node(self.id).parent)),
            "ownerelement" if kind == Kind::Attribute => self.optional(self.read(|tree| tree.node(self.id).parent)),
            "nextsibling" => self.optional(sibling(1)),
            "previoussibling" => self.optional(sibling(-1)),
            "ownerdocument" if kind == Kind::Document => Value::Null,
            "ownerdocument" => self.at(0).object(),
            "documentelement" if kind == Kind::Document => self.optional(self.read(|tree| tree.root())),
            "version" | "encoding" | "standalone" if kind == Kind::Declaration => Value::str(value_of(lower).unwrap_or_default()),
            "preservewhitespace" if kind == Kind::Document => Value::Bool(false),
            _ => return None,
        })
    }

    fn set_text(&self, text: &str) {
        self.edit(|nodes| match nodes[self.id].kind {
            Kind::Element => {
                let child = nodes.len();
                nodes[self.id].children.clear();
                nodes[self.id].empty = false;
                if !text.is_empty() {
                    nodes.push(Node { parent: Some(self.id), ..Node::new(Kind::Text, "#text", text) });
                    nodes[self.id].children.push(child);
                }
            }
            _ => nodes[self.id].value = text.into(),
        });
    }

    /// Copies a tree of another document, or of this one; the copy belongs to nothing yet.
    fn import(&self, from: &XmlNode, deep: bool) -> Result<Id, LimitError> {
        let copied: Vec<Node> = from.document.nodes.read().map(|nodes| nodes.clone()).unwrap_or_default();
        self.edit(|nodes| {
            let made = nodes.len();
            nodes.push(Node { children: Vec::new(), attributes: Vec::new(), parent: None, ..copied[from.id].clone() });
            let mut open = vec![(from.id, made)];
            while let Some((source, target)) = open.pop() {
                let children: &[Id] = if deep { &copied[source].children } else { &[] };
                for (id, attribute) in copied[source].attributes.iter().map(|a| (*a, true)).chain(children.iter().map(|c| (*c, false))) {
                    if nodes.len() >= MOST_NODES {
                        return Err(LimitError::CollectionSize(MOST_NODES));
                    }
                    let at = nodes.len();
                    nodes.push(Node { children: Vec::new(), attributes: Vec::new(), parent: Some(target), ..copied[id].clone() });
                    if attribute {
                        nodes[target].attributes.push(at)
                    } else {
                        nodes[target].children.push(at)
                    }
                    open.push((id, at));
                }
            }
            Ok(made)
        })
        .unwrap_or(Ok(0))
    }

    /// A new node that belongs to nothing yet.
    fn create(&self, node: Node) -> Value {
        let id = self.edit(|nodes| {
            nodes.push(node);
            nodes.len() - 1
        });
        self.optional(id)
    }

    /// Takes a node out of its parent.
    fn detach(nodes: &mut [Node], id: Id) {
        if let Some(parent) = nodes[id].parent.take() {
            nodes[parent].children.retain(|c| *c != id);
            nodes[parent].attributes.retain(|c| *c != id);
        }
    }

    fn insert(&self, child: &XmlNode, at: impl FnOnce(&[Id]) -> usize) {
        self.edit(|nodes| {
            Self::detach(nodes, child.id);
            let place = at(&nodes[self.id].children).min(nodes[self.id].children.len());
            nodes[child.id].parent = Some(self.id);
            nodes[self.id].children.insert(place, child.id);
            nodes[self.id].empty = false;
        });
    }
}

impl PropertySource for XmlNode {
    fn names(&self) -> Vec<Arc<str>> {
        let names = self.adapted_names();
        if !names.is_empty() || matches!(self.kind(), Kind::Element | Kind::Document) {
            return names;
        }
        ["#text"].into_iter().filter(|_| self.kind() == Kind::Attribute).map(Into::into).collect()
    }

    fn get(&self, name: &str) -> Option<Value> {
        let mut found: Vec<Value> = self.matching(name).into_iter().map(|id| self.simple(id)).collect();
        match found.len() {
            0 => self.own(&name.to_ascii_lowercase()),
            1 => found.pop(),
            _ => Some(Value::array(found)),
        }
    }

    fn set(&self, name: &str, value: &Value) -> Option<Result<(), ErrorRecord>> {
        let text = shared_text(value);
        if let Some(id) = self.matching(name).first() {
            let id = *id;
            let complex = matches!(self.simple(id), Value::Object(_));
            if complex {
                let message = format!("Cannot set \"{name}\" because only strings can be used as values to set XmlNode properties.");
                return Some(Err(ErrorRecord {
                    decorated: true,
                    ..ErrorRecord::new(
                        message,
                        "XmlNodeSetShouldBeAString",
                        "NotSpecified",
                        "System.Management.Automation.SetValueException",
                    )
                }));
            }
            self.at(id).set_text(&text);
            return Some(Ok(()));
        }
        match name.to_ascii_lowercase().as_str() {
            "innertext" => self.set_text(&text),
            "value" if !matches!(self.kind(), Kind::Element | Kind::Document) => self.set_text(&text),
            "innerxml" => match parse::parse(&format!("<x>{text}</x>")) {
                Ok(made) => {
                    let made = XmlNode { document: Arc::new(made), id: 0 };
                    let children = made.read(|tree| tree.root().map(|root| tree.node(root).children.clone()).unwrap_or_default());
                    self.edit(|nodes| nodes[self.id].children.clear());
                    for child in children {
                        if let Ok(id) = self.import(&made.at(child), true) {
                            self.insert(&self.at(id), <[Id]>::len);
                        }
                    }
                }
                Err(reason) => {
                    return Some(Err(ErrorRecord {
                        decorated: true,
                        ..ErrorRecord::new(
                            format!("Exception setting \"InnerXml\": \"{reason}\""),
                            "ExceptionWhenSetting",
                            "NotSpecified",
                            "System.Management.Automation.SetValueInvocationException",
                        )
                    }));
                }
            },
            "preservewhitespace" | "xmlresolver" => {}
            _ => return None,
        }
        Some(Ok(()))
    }

    fn text(&self) -> Option<String> {
        Some(class_of(self.kind())[0].into())
    }

    fn as_any(&self) -> Option<&dyn std::any::Any> {
        Some(self)
    }
}

fn node_of(value: &Value) -> Option<&XmlNode> {
    let Value::Object(object) = value else { return None };
    object.source.as_ref()?.as_any()?.downcast_ref()
}

/// How tables and lists show a node: by its name.
pub fn shown(value: &Value) -> String {
    node_of(value).map(|node| node.read(|tree| tree.node(node.id).local().to_string())).unwrap_or_default()
}

/// Whether a value is a node of a document.
pub fn is_node(value: &Value) -> bool {
    node_of(value).is_some()
}

/// Reads a document; the error is a sentence of `System.Xml`.
pub fn document(text: &str) -> Result<Value, String> {
    parse::parse(text).map(|document| XmlNode { document: Arc::new(document), id: 0 }.object())
}

/// `[xml]$value`: documents stay, text (lines too) is read.
pub fn cast(value: &Value) -> Result<Value, ErrorRecord> {
    if let Some(node) = node_of(value) {
        if node.kind() == Kind::Document {
            return Ok(value.clone());
        }
        let text = node.read(|tree| tree.outer(node.id, Layout::Plain));
        return document(&text).map_err(|reason| refused(&text, &reason));
    }
    let text = match value.items() {
        Some(items) => items.iter().map(shared_text).collect::<Vec<_>>().join(" ").into(),
        None => shared_text(value),
    };
    document(&text).map_err(|reason| refused(&text, &reason))
}

fn refused(text: &str, reason: &str) -> ErrorRecord {
    ErrorRecord {
        decorated: true,
        ..ErrorRecord::new(
            format!("Cannot convert value \"{text}\" to type \"System.Xml.XmlDocument\". Error: \"{reason}\""),
            "InvalidCastToXmlDocument",
            "InvalidArgument",
            "System.Management.Automation.RuntimeException",
        )
    }
}

/// The nodes that an XPath expression selects; `namespaces` gives the prefixes. The error is a sentence of `System.Xml`.
pub fn select(node: &Value, expression: &str, namespaces: &[(String, String)]) -> Result<Vec<Value>, String> {
    let Some(node) = node_of(node) else { return Err("Expression must evaluate to a node-set.".into()) };
    let nodes = node.document.nodes.read().map_err(|_| String::new())?;
    match xpath::evaluate(Tree(&nodes), node.id, expression, namespaces) {
        Ok(xpath::Answer::Nodes(found)) => {
            drop(nodes);
            Ok(found.into_iter().map(|id| node.at(id).object()).collect())
        }
        Ok(_) => Err("Expression must evaluate to a node-set.".into()),
        Err(xpath::Fault::Invalid(reason)) => Err(reason),
        Err(xpath::Fault::Prefix(prefix)) => Err(format!("Namespace prefix '{prefix}' is not defined.")),
        Err(xpath::Fault::TooMuch) => Err("The xpath query is too complex.".into()),
    }
}

/// The markup of a node.
pub fn markup(node: &Value) -> Option<String> {
    let node = node_of(node)?;
    Some(node.read(|tree| tree.outer(node.id, Layout::Plain)))
}

/// The markup of a document with line breaks and blanks, as `Save` writes it.
pub fn indented(node: &Value) -> Option<String> {
    let node = node_of(node)?;
    Some(node.read(|tree| tree.outer(node.id, Layout::Indented)))
}

/// `New-Object xml`, `XmlNamespaceManager`, `NameTable`.
pub(super) fn construct(call: &Call<'_>) -> Result<Option<Value>, Flow> {
    Ok(Some(match call.class {
        DOCUMENT if call.count() == 0 => XmlNode { document: Arc::new(Document::new()), id: 0 }.object(),
        MANAGER => {
            let mut object = PsObject::new(MANAGER).with_text(MANAGER);
            object.source = Some(Arc::new(Manager::default()));
            object.into()
        }
        "System.Xml.NameTable" => PsObject::new(call.class).with_text(call.class).into(),
        _ => return Ok(None),
    }))
}

fn prefixes(value: &Value) -> Vec<(String, String)> {
    let Value::Object(object) = value else { return Vec::new() };
    let manager = object.source.as_ref().and_then(|s| s.as_any()).and_then(|s| s.downcast_ref::<Manager>());
    manager.and_then(|m| m.0.read().ok().map(|list| list.clone())).unwrap_or_default()
}

fn manager_methods(manager: &Manager, call: &Call<'_>) -> Found {
    let Ok(mut list) = manager.0.write() else { return Ok(None) };
    match (call.lower, call.count()) {
        ("addnamespace", 2) => {
            let (prefix, uri) = (call.text(0).to_string(), call.text(1).to_string());
            list.retain(|(p, _)| *p != prefix);
            list.push((prefix, uri));
            void()
        }
        ("hasnamespace", 1) => gives(list.iter().any(|(p, _)| **p == *call.text(0))),
        ("lookupnamespace", 1) => {
            gives(list.iter().find(|(p, _)| **p == *call.text(0)).map_or(Value::Null, |(_, uri)| Value::str(uri.as_str())))
        }
        ("removenamespace", 2) => {
            list.retain(|(p, _)| **p != *call.text(0));
            void()
        }
        _ => Ok(None),
    }
}

/// Methods of lists of nodes.
pub(super) fn collection_methods(list: &List, call: &Call<'_>) -> Found {
    let ListKind::Collection(class) = &list.kind else { return Ok(None) };
    if !class.starts_with("System.Xml.") {
        return Ok(None);
    }
    let items = list.items.read().map(|items| items.clone()).unwrap_or_default();
    match (call.lower, call.count()) {
        ("item" | "getnameditem" | "get_itemof" | "get_item", 1) => match call.value(0) {
            Value::Int(at) => gives(usize::try_from(*at).ok().and_then(|at| items.get(at).cloned()).unwrap_or(Value::Null)),
            name => gives(named(&items, &shared_text(name)).unwrap_or(Value::Null)),
        },
        ("append", 1) if class.ends_with("AttributeCollection") => Ok(None),
        _ => Ok(None),
    }
}

/// The node of a name in a list (`$node.Attributes['name']`).
pub(super) fn named(items: &[Value], name: &str) -> Option<Value> {
    items.iter().find(|item| node_of(item).is_some_and(|node| node.read(|tree| tree.node(node.id).name == name))).cloned()
}

/// Methods of nodes, documents and namespace managers.
pub(super) fn methods(object: &Arc<PsObject>, call: &Call<'_>, cx: &mut dyn Context) -> Found {
    let source = object.source.as_ref().and_then(|s| s.as_any());
    if let Some(manager) = source.and_then(|s| s.downcast_ref::<Manager>()) {
        return manager_methods(manager, call);
    }
    let Some(node) = source.and_then(|s| s.downcast_ref::<XmlNode>()) else { return Ok(None) };
    let this = Value::Object(object.clone());
    let other = |at: usize| node_of(call.value(at)).ok_or_else(|| call.overload());
    match (call.lower, call.count()) {
        ("selectnodes" | "selectsinglenode", 1 | 2) => {
            let found = select(&this, &call.text(0), &prefixes(call.value(1))).map_err(|reason| call.threw(&reason, XPATH_EXCEPTION))?;
            if call.lower == "selectsinglenode" {
                return gives(found.into_iter().next().unwrap_or(Value::Null));
            }
            gives(Value::List(List::new(ListKind::Collection("System.Xml.XPathNodeList".into()), found)))
        }
        ("getelementsbytagname", 1 | 2) => {
            let wanted = call.text(0);
            let found = node.read(|tree| {
                let hit = |id: &Id| {
                    let node = tree.node(*id);
                    let name = if call.count() == 2 { node.local() } else { &node.name };
                    node.kind == Kind::Element
                        && (&*wanted == "*" || *name == *wanted)
                        && (call.count() < 2 || node.namespace == *call.text(1))
                };
                tree.descendants(node.id).into_iter().filter(hit).collect()
            });
            gives(node.list("XmlElementList", found))
        }
        ("getattribute", 1 | 2) => gives(node.read(|tree| {
            let wanted = call.text(0);
            let hit = |id: &&Id| {
                let attribute = tree.node(**id);
                if call.count() == 2 {
                    attribute.local() == &*wanted && attribute.namespace == *call.text(1)
                } else {
                    attribute.name == *wanted
                }
            };
            tree.node(node.id).attributes.iter().find(hit).map(|id| tree.node(*id).value.clone()).unwrap_or_default()
        })),
        ("getattributenode", 1) => gives(node.optional(node.read(|tree| tree.attribute(node.id, &call.text(0))))),
        ("hasattribute", 1) => gives(node.read(|tree| tree.attribute(node.id, &call.text(0)).is_some())),
        ("setattribute", 2) => {
            let (name, value) = (call.text(0), call.text(1));
            node.edit(|nodes| match Tree(nodes).attribute(node.id, &name) {
                Some(id) => nodes[id].value = value.to_string(),
                None => {
                    let id = nodes.len();
                    nodes.push(Node { parent: Some(node.id), ..Node::new(Kind::Attribute, &name, &value) });
                    nodes[node.id].attributes.push(id);
                }
            });
            void()
        }
        ("setattributenode", 1) => {
            let attribute = other(0)?;
            node.edit(|nodes| {
                let name = nodes[attribute.id].name.clone();
                if let Some(old) = Tree(nodes).attribute(node.id, &name) {
                    XmlNode::detach(nodes, old);
                }
                nodes[attribute.id].parent = Some(node.id);
                nodes[node.id].attributes.push(attribute.id);
            });
            gives(Value::Null)
        }
        ("removeattribute", 1) => {
            node.edit(|nodes| {
                if let Some(id) = Tree(nodes).attribute(node.id, &call.text(0)) {
                    XmlNode::detach(nodes, id);
                }
            });
            void()
        }
        ("appendchild" | "prependchild", 1) | ("insertbefore" | "insertafter", 2) => {
            let child = other(0)?;
            if !Arc::ptr_eq(&child.document, &node.document) {
                return Err(call.threw("The node to be inserted is from a different document context.", ARGUMENT));
            }
            let inside = node.read(|tree| std::iter::successors(Some(node.id), |id| tree.node(*id).parent).any(|id| id == child.id));
            if inside {
                return Err(call.threw("Cannot insert a node or any ancestor of that node as a child of itself.", ARGUMENT));
            }
            let reference = node_of(call.value(1)).map(|r| r.id);
            let place = |children: &[Id]| reference.and_then(|r| children.iter().position(|c| *c == r));
            match call.lower {
                "appendchild" => node.insert(child, <[Id]>::len),
                "prependchild" => node.insert(child, |_| 0),
                "insertbefore" => node.insert(child, |children| place(children).unwrap_or(children.len())),
                _ => node.insert(child, |children| place(children).map_or(0, |at| at + 1)),
            }
            gives(call.value(0).clone())
        }
        ("removechild", 1) => {
            let child = other(0)?;
            if node.read(|tree| tree.node(child.id).parent) != Some(node.id) {
                return Err(call.threw("The node to be removed is not a child of this node.", ARGUMENT));
            }
            node.edit(|nodes| XmlNode::detach(nodes, child.id));
            gives(call.value(0).clone())
        }
        ("replacechild", 2) => {
            let (new, old) = (other(0)?, other(1)?);
            let imported = if Arc::ptr_eq(&new.document, &node.document) { new.id } else { node.import(new, true)? };
            let old_id = old.id;
            node.insert(&node.at(imported), |children| children.iter().position(|c| *c == old_id).unwrap_or(children.len()));
            node.edit(|nodes| XmlNode::detach(nodes, old_id));
            gives(call.value(1).clone())
        }
        ("removeall", 0) => {
            node.edit(|nodes| {
                nodes[node.id].children.clear();
                nodes[node.id].attributes.clear();
            });
            void()
        }
        ("clonenode" | "clone", 0 | 1) => {
            let id = node.import(node, call.count() == 0 || call.flag(0))?;
            gives(node.at(id).object())
        }
        ("importnode", 2) => {
            let id = node.import(other(0)?, call.flag(1))?;
            gives(node.at(id).object())
        }
        ("createelement", 1 | 2) => {
            gives(node.create(Node { namespace: call.text(1).to_string(), empty: true, ..Node::new(Kind::Element, &call.text(0), "") }))
        }
        ("createelement", 3) => {
            let name = if call.text(0).is_empty() { call.text(1).to_string() } else { format!("{}:{}", call.text(0), call.text(1)) };
            gives(node.create(Node { namespace: call.text(2).to_string(), empty: true, ..Node::new(Kind::Element, &name, "") }))
        }
        ("createattribute", 1) => gives(node.create(Node::new(Kind::Attribute, &call.text(0), ""))),
        ("createtextnode", 1) => gives(node.create(Node::new(Kind::Text, "#text", &call.text(0)))),
        ("createcdatasection", 1) => gives(node.create(Node::new(Kind::CData, "#cdata-section", &call.text(0)))),
        ("createcomment", 1) => gives(node.create(Node::new(Kind::Comment, "#comment", &call.text(0)))),
        ("createprocessinginstruction", 2) => gives(node.create(Node::new(Kind::Instruction, &call.text(0), &call.text(1)))),
        ("createxmldeclaration", 3) => {
            let mut value = format!("version=\"{}\"", call.text(0));
            for (name, at) in [("encoding", 1), ("standalone", 2)] {
                if !call.text(at).is_empty() {
                    value.push_str(&format!(" {name}=\"{}\"", call.text(at)));
                }
            }
            gives(node.create(Node::new(Kind::Declaration, "xml", &value)))
        }
        ("loadxml" | "load", 1) if node.kind() == Kind::Document => {
            let text = if call.lower == "load" {
                let path = call.text(0);
                let missing = || call.threw(&format!("Could not find file '{path}'."), "System.IO.FileNotFoundException");
                crate::builtins::decode_text(&cx.world().read_file(&path).ok_or_else(missing)?)
            } else {
                call.text(0).to_string()
            };
            let made = parse::parse(&text).map_err(|reason| call.threw(&reason, XML_EXCEPTION))?;
            let nodes = made.nodes.into_inner().unwrap_or_default();
            node.edit(|own| *own = nodes);
            void()
        }
        ("save", 1) if node.kind() == Kind::Document => {
            let path = call.text(0);
            let mut content = vec![0xEF, 0xBB, 0xBF];
            content.extend(node.read(|tree| tree.outer(0, Layout::Indented)).into_bytes());
            if !cx.world().write_file(&path, &content) {
                return Err(call.threw(&format!("Access to the path '{path}' is denied."), "System.UnauthorizedAccessException"));
            }
            void()
        }
        ("getnamespaceofprefix", 1) => gives(node.read(|tree| tree.namespace(node.id, &call.text(0)).unwrap_or_default())),
        ("item", 1) => gives(match node.matching(&call.text(0)).first() {
            Some(id) => node.at(*id).object(),
            None => Value::Null,
        }),
        ("get_count", 0) => gives(len(node.read(|tree| tree.node(node.id).children.len()))),
        (lower, 0) if lower.starts_with("get_") => match node.own(&lower[4..]) {
            Some(found) => gives(found),
            None => Ok(None),
        },
        (lower, 1) if lower.starts_with("set_") => match node.set(&lower[4..], call.value(0)) {
            Some(done) => done.map_err(Flow::from).and_then(|()| void()),
            None => Ok(None),
        },
        // PowerShell's own `ToString` of nodes.
        ("tostring", 0) => gives(node.read(|tree| tree.node(node.id).local().to_string())),
        _ => Ok(None),
    }
}
