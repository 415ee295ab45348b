//! `ConvertTo-Html`.

use super::properties::{Spec, specs};
use super::{list, texts};
use crate::command::BoundParameters;
use crate::convert::display;
use crate::error::Flow;
use crate::format::Alignment;
use crate::pipeline::Context;
use crate::types;
use crate::value::Value;

fn escape(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // As .NET writes Latin-1 letters.
            c if ('\u{A0}'..'\u{100}').contains(&c) => out.push_str(&format!("&#{};", c as u32)),
            c => out.push(c),
        }
    }
    out
}

fn column(spec: &Spec) -> String {
    let width = spec.width.map(|w| format!(" width = \"{w}\"")).unwrap_or_default();
    let alignment = match spec.alignment {
        None => "",
        Some(Alignment::Left) => " align = \"left\"",
        Some(Alignment::Right) => " align = \"right\"",
        Some(Alignment::Center) => " align = \"center\"",
    };
    format!("<col{width}{alignment}/>")
}

fn cell(spec: &Spec, object: &Value, cx: &mut dyn Context) -> Result<String, Flow> {
    let value = spec.value(object, cx)?.unwrap_or(Value::Null);
    Ok(escape(&if value.is_null() { String::new() } else { display(&value) }))
}

/// `ConvertTo-Html`: a table or lists, in a page or as a fragment.
pub(super) fn to_html(parameters: &BoundParameters, items: Vec<Value>, cx: &mut dyn Context) -> Result<(), Flow> {
    let mut lines: Vec<String> = Vec::new();
    let fragment = parameters.switch("Fragment");
    if !fragment {
        lines.push(
            "<!DOCTYPE html PUBLIC \"-//W3C//DTD XHTML 1.0 Strict//EN\"  \"http://www.w3.org/TR/xhtml1/DTD/xhtml1-strict.dtd\">".into(),
        );
        lines.push("<html xmlns=\"http://www.w3.org/1999/xhtml\">".into());
        lines.push("<head>".into());
        let head = texts(parameters, "Head");
        if head.is_empty() {
            let title = parameters.text("Title").unwrap_or_else(|| "HTML TABLE".into());
            lines.push(format!("<title>{title}</title>"));
        }
        lines.extend(head.iter().map(|line| line.to_string()));
        if let Some(css) = parameters.get("CssUri") {
            lines.push(format!("<link rel=\"stylesheet\" type=\"text/css\" href=\"{}\" />", display(css)));
        }
        lines.push("</head><body>".into());
        lines.extend(texts(parameters, "Body").iter().map(|line| line.to_string()));
    }
    lines.extend(texts(parameters, "PreContent").iter().map(|line| line.to_string()));
    let asked = specs(&list(parameters, "Property"))?;
    let columns: Vec<Spec> = match items.first() {
        None => Vec::new(),
        Some(first) if asked.is_empty() => match first {
            // Numbers have no properties to show.
            Value::Object(_) | Value::Str(_) | Value::DateTime(_) | Value::TimeSpan(_) | Value::Hash(_) | Value::Version(_) => {
                types::property_names(first).iter().map(|n| Spec::name(n)).collect()
            }
            _ => Vec::new(),
        },
        Some(first) => asked
            .iter()
            .flat_map(|spec| spec.expand(first))
            .map(|mut spec| {
                if let Some(own) = types::property_names(first).into_iter().find(|n| n.eq_ignore_ascii_case(&spec.label)) {
                    spec.label = own;
                }
                spec
            })
            .collect(),
    };
    let as_list = parameters.text("As").is_some_and(|kind| kind.eq_ignore_ascii_case("list"));
    lines.push("<table>".into());
    if as_list {
        for (at, item) in items.iter().enumerate() {
            if at > 0 {
                lines.push("<tr><td><hr></td></tr>".into());
            }
            for spec in &columns {
                let text = cell(spec, item, cx)?;
                lines.push(format!("<tr><td>{}:</td><td>{text}</td></tr>", escape(&spec.label)));
            }
        }
    } else if !columns.is_empty() {
        lines.push(format!("<colgroup>{}</colgroup>", columns.iter().map(column).collect::<String>()));
        let heads: String = columns.iter().map(|c| format!("<th>{}</th>", escape(&c.label))).collect();
        lines.push(format!("<tr>{heads}</tr>"));
        for item in &items {
            let mut row = String::from("<tr>");
            for spec in &columns {
                row.push_str(&format!("<td>{}</td>", cell(spec, item, cx)?));
            }
            lines.push(row + "</tr>");
        }
    }
    lines.push("</table>".into());
    lines.extend(texts(parameters, "PostContent").iter().map(|line| line.to_string()));
    if !fragment {
        lines.push("</body></html>".into());
    }
    lines.into_iter().try_for_each(|line| cx.emit(Value::str(line)))
}
