//! `Select-Xml` and `ConvertTo-Xml`.

use std::sync::Arc;

use super::{error, list, number, texts};
use crate::command::BoundParameters;
use crate::convert::{display, shared_text};
use crate::error::{ErrorRecord, Flow};
use crate::pipeline::Context;
use crate::types;
use crate::value::{PsObject, Value};

/// Deepest nesting that `ConvertTo-Xml` writes.
const DEEPEST: usize = 64;

/// `Select-Xml`: nodes that an XPath expression finds in documents, texts or files.
pub(super) fn select(parameters: &BoundParameters, items: Vec<Value>, cx: &mut dyn Context) -> Result<(), Flow> {
    let expression = parameters.text("XPath").unwrap_or_else(|| "".into());
    let mut namespaces: Vec<(String, String)> = Vec::new();
    if let Some(Value::Hash(table)) = parameters.get("Namespace") {
        let entries: Vec<(Value, Value)> = table.read().map(|t| t.entries.values().cloned().collect()).unwrap_or_default();
        namespaces.extend(entries.iter().map(|(prefix, uri)| (shared_text(prefix).to_string(), shared_text(uri).to_string())));
    }
    // What is looked through, and where it came from.
    let mut sources: Vec<(Value, Arc<str>)> = Vec::new();
    let mut named: Vec<(Arc<str>, bool)> = texts(parameters, "Path").into_iter().map(|path| (path, true)).collect();
    named.extend(texts(parameters, "LiteralPath").into_iter().map(|path| (path, false)));
    let mut given = list(parameters, "Xml");
    given.extend(list(parameters, "Content"));
    for item in items {
        match &item {
            Value::Object(object) if object.is_type("System.IO.FileInfo") => {
                named.extend(object.get("FullName").map(|path| (shared_text(&path), false)));
            }
            _ => given.push(item),
        }
    }
    for (path, wildcards) in named {
        let found = super::files::matching(&path, wildcards, cx);
        if found.is_empty() && !(wildcards && super::properties::has_wildcard(&path)) {
            let record = super::files::not_found(&path, cx);
            cx.write_error(record)?;
        }
        for entry in found.into_iter().filter(|entry| !entry.folder) {
            let text = super::decode_text(&super::files::read(&entry.path, cx).unwrap_or_default());
            match types::xml::document(&text) {
                Ok(document) => sources.push((document, entry.path.clone())),
                Err(reason) => cx.write_error(
                    error(
                        format!("The file '{}' cannot be read: {reason}", entry.path),
                        "ProcessingFile",
                        "InvalidArgument",
                        "System.ArgumentException",
                    )
                    .with_target(Value::Str(entry.path.clone())),
                )?,
            }
        }
    }
    for value in given {
        if types::xml::is_node(&value) {
            sources.push((value, "InputStream".into()));
            continue;
        }
        match types::xml::cast(&value) {
            Ok(document) => sources.push((document, "InputStream".into())),
            Err(record) => cx.write_error(ErrorRecord { decorated: false, ..record })?,
        }
    }
    for (source, path) in sources {
        let nodes = types::xml::select(&source, &expression, &namespaces).map_err(|reason| {
            Flow::from(error(reason, "System.Xml.XPath.XPathException", "NotSpecified", "System.Xml.XPath.XPathException"))
        })?;
        for node in nodes {
            let inner = types::property(&node, "InnerText").map(|text| shared_text(&text)).unwrap_or_default();
            let text = if &*path == "InputStream" { inner } else { format!("{inner} [{path}]").into() };
            let object = PsObject::new("Microsoft.PowerShell.Commands.SelectXmlInfo")
                .with("Node", node)
                .with("Path", path.clone())
                .with("Pattern", expression.clone())
                .with_text(text);
            cx.emit(object.into())?;
        }
    }
    Ok(())
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

struct Writer {
    lines: Vec<String>,
    types: bool,
}

impl Writer {
    fn head(&self, tag: &str, name: Option<&str>, kind: &str) -> String {
        let name = name.map(|n| format!(" Name=\"{}\"", escape(n).replace('"', "&quot;"))).unwrap_or_default();
        let kind = if self.types { format!(" Type=\"{}\"", escape(kind)) } else { String::new() };
        format!("{tag}{name}{kind}")
    }

    /// Writes a value. Objects show their properties while `levels` last; a list or table shows its elements once more.
    fn element(&mut self, tag: &str, name: Option<&str>, value: &Value, levels: i64, indent: usize) {
        let pad = "  ".repeat(indent);
        let kind: Arc<str> = if value.is_null() { "System.Object".into() } else { types::type_name(value) };
        let head = self.head(tag, name, &kind);
        if value.is_null() {
            return self.lines.push(format!("{pad}<{head} />"));
        }
        let table = match value {
            Value::Hash(table) => table.read().ok().map(|t| t.entries.values().cloned().collect::<Vec<_>>()),
            _ => None,
        };
        let items = value.items();
        let collection = items.is_some() || table.is_some();
        let simple = items.is_none() && table.is_none() && !matches!(value, Value::Object(_) | Value::Error(_));
        let secret = matches!(value, Value::Object(object) if object.text.is_some() && types::property_names(value).is_empty());
        if simple || secret || levels < 0 || (levels == 0 && !collection) {
            let text = escape(&display(value));
            return self.lines.push(if text.is_empty() {
                format!("{pad}<{head}></{tag}>")
            } else {
                format!("{pad}<{head}>{text}</{tag}>")
            });
        }
        self.lines.push(format!("{pad}<{head}>"));
        if let Some(items) = items {
            for item in &items {
                self.element("Property", None, item, levels - 1, indent + 1);
            }
        } else if let Some(entries) = table {
            for (key, value) in &entries {
                self.element("Property", Some("Key"), key, levels - 1, indent + 1);
                self.element("Property", Some("Value"), value, levels - 1, indent + 1);
            }
        } else {
            for property in types::property_names(value) {
                let inner = types::property(value, &property).unwrap_or(Value::Null);
                self.element("Property", Some(&property), &inner, levels - 1, indent + 1);
            }
        }
        self.lines.push(format!("{pad}</{tag}>"));
    }
}

/// `ConvertTo-Xml`: a document, its text, or its text in pieces.
pub(super) fn convert(parameters: &BoundParameters, items: Vec<Value>, cx: &mut dyn Context) -> Result<(), Flow> {
    const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"utf-8\"?>";
    let depth = number(parameters, "Depth").and_then(|n| usize::try_from(n).ok()).unwrap_or(1).min(DEEPEST);
    let given = parameters.get("InputObject").filter(|_| !cx.has_input()).cloned();
    let items = given.map_or(items, |value| vec![value]);
    let form = parameters.text("As").unwrap_or_else(|| "Document".into()).to_ascii_lowercase();
    let types = !parameters.switch("NoTypeInformation");
    let mut pieces: Vec<String> = Vec::new();
    let indent = usize::from(form != "stream");
    for item in &items {
        let mut writer = Writer { lines: Vec::new(), types };
        writer.element("Object", None, item, i64::try_from(depth).unwrap_or(1), indent);
        pieces.push(writer.lines.join("\r\n"));
    }
    if form == "stream" {
        let head = [DECLARATION.to_owned(), "<Objects>".to_owned()];
        let all = head.into_iter().chain(pieces).chain(["</Objects>".to_owned()]);
        return all.map(Value::str).collect::<Vec<_>>().into_iter().try_for_each(|piece| cx.emit(piece));
    }
    let text = format!("{DECLARATION}\r\n<Objects>\r\n{}\r\n</Objects>", pieces.join("\r\n"));
    if form == "string" {
        return cx.emit(Value::str(text));
    }
    match types::xml::document(&text) {
        Ok(document) => cx.emit(document),
        Err(reason) => Err(error(reason, "System.Xml.XmlException", "NotSpecified", "System.Xml.XmlException").into()),
    }
}
