//! `Format-Table`, `Format-List`, `Format-Wide`, `Format-Custom`.

use super::properties::{Expression, Spec, specs};
use super::{list, number};
use crate::command::BoundParameters;
use crate::convert::{format_value, to_text};
use crate::error::Flow;
use crate::format::{self, Content, FormatJob, Group, TableColumn, ViewShape, alignment_of, cell_text, limited_text};
use crate::pipeline::Context;
use crate::types;
use crate::value::Value;

/// Most columns of a table without `-Property`.
const DEFAULT_COLUMNS: usize = 10;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    Table,
    List,
    Wide,
}

pub(super) fn table(parameters: &BoundParameters, items: Vec<Value>, cx: &mut dyn Context) -> Result<(), Flow> {
    run(Shape::Table, parameters, items, cx)
}

pub(super) fn list_view(parameters: &BoundParameters, items: Vec<Value>, cx: &mut dyn Context) -> Result<(), Flow> {
    run(Shape::List, parameters, items, cx)
}

pub(super) fn wide(parameters: &BoundParameters, items: Vec<Value>, cx: &mut dyn Context) -> Result<(), Flow> {
    run(Shape::Wide, parameters, items, cx)
}

/// Elements of collections and entries of hashtables are formatted one by one.
fn flatten(items: Vec<Value>) -> Vec<Value> {
    let mut out = Vec::new();
    for item in items {
        match &item {
            Value::Hash(table) => {
                out.extend(table.read().map(|table| types::entries(&table)).unwrap_or_default());
            }
            other => match other.items() {
                Some(inner) => out.extend(inner),
                None => out.push(item),
            },
        }
    }
    out
}

fn is_scalar(value: &Value) -> bool {
    match value {
        Value::Object(object) => object.text.is_some() && types::property_names(value).is_empty(),
        Value::DateTime(_) | Value::TimeSpan(_) | Value::Guid(_) | Value::Version(_) | Value::Error(_) | Value::Type(_) => false,
        _ => true,
    }
}

/// The columns for a group of objects.
fn columns(shape: Shape, parameters: &BoundParameters, first: &Value) -> Result<Vec<Spec>, Flow> {
    let asked = specs(&list(parameters, "Property"))?;
    if !asked.is_empty() {
        let expanded: Vec<Spec> = asked.iter().flat_map(|s| s.expand(first)).collect();
        return Ok(expanded
            .into_iter()
            .filter(|spec| {
                shape != Shape::List || !matches!(&spec.expression, Expression::Name(name) if types::property(first, name).is_none())
            })
            .map(|mut spec| {
                // Names are shown as the object writes them.
                if let Expression::Name(name) = &spec.expression
                    && spec.label == *name
                    && let Some(own) = types::property_names(first).into_iter().find(|n| n.eq_ignore_ascii_case(name))
                {
                    spec.label = own;
                }
                spec
            })
            .collect());
    }
    let view = types::type_names(first).iter().find_map(|n| format::builtin_view(n));
    let names: Vec<String> = match (first, view.map(|v| v.shape)) {
        (_, Some(ViewShape::Table { columns, .. })) if shape == Shape::Table => {
            return Ok(columns
                .into_iter()
                .map(|c| Spec { label: c.label.into(), width: c.width, alignment: c.alignment, ..Spec::name(&c.property) })
                .collect());
        }
        (Value::Object(object), _) if !object.default_view.is_empty() => object.default_view.iter().map(|n| n.to_string()).collect(),
        (Value::Object(object), _) if object.is_type("System.Collections.DictionaryEntry") => vec!["Name".into(), "Value".into()],
        _ => format::all_columns(first).into_iter().map(|column| column.property).collect(),
    };
    let most = if shape == Shape::Table { DEFAULT_COLUMNS } else { usize::MAX };
    let most = if shape == Shape::Wide { 1 } else { most };
    Ok(names.iter().take(most).map(|n| Spec::name(n)).collect())
}

fn text_of(spec: &Spec, object: &Value, cx: &mut dyn Context) -> Result<String, Flow> {
    let value = spec.value(object, cx)?.unwrap_or(Value::Null);
    Ok(match &spec.format {
        Some(format) if format.contains('{') => crate::convert::format_operator(format, &[value]).map_err(Flow::from)?,
        Some(format) => format_value(&value, format).map_err(Flow::from)?,
        None => match cx.variable("FormatEnumerationLimit").as_ref().and_then(crate::convert::number::as_number) {
            #[allow(clippy::cast_possible_truncation)]
            Some(limit) => limited_text(&value, limit.to_f64() as i64),
            None => cell_text(&value),
        },
    })
}

fn run(shape: Shape, parameters: &BoundParameters, items: Vec<Value>, cx: &mut dyn Context) -> Result<(), Flow> {
    let items = flatten(items);
    let group_by = match parameters.get("GroupBy") {
        Some(value) => Some(Spec::parse(value)?),
        None => None,
    };
    let mut groups: Vec<(Option<String>, Vec<Value>)> = Vec::new();
    for item in items {
        if item.is_null() {
            continue;
        }
        if is_scalar(&item) && parameters.get("Property").is_none() {
            // Text and numbers pass formatting untouched.
            flush(shape, parameters, std::mem::take(&mut groups), cx)?;
            cx.emit(item)?;
            continue;
        }
        let heading = match &group_by {
            Some(spec) => {
                let key = spec.value(&item, cx)?.unwrap_or(Value::Null);
                Some(format!("{}: {}", spec.label, to_text(&key, " ")))
            }
            None => None,
        };
        match groups.last_mut() {
            Some((current, members)) if *current == heading => members.push(item),
            _ => groups.push((heading, vec![item])),
        }
    }
    flush(shape, parameters, groups, cx)
}

fn flush(shape: Shape, parameters: &BoundParameters, groups: Vec<(Option<String>, Vec<Value>)>, cx: &mut dyn Context) -> Result<(), Flow> {
    if groups.is_empty() {
        return Ok(());
    }
    let mut made = Vec::new();
    for (heading, members) in groups {
        let Some(first) = members.first() else { continue };
        let specs = columns(shape, parameters, first)?;
        let content = match shape {
            Shape::Table => {
                let mut rows = Vec::with_capacity(members.len());
                for member in &members {
                    let mut row = Vec::with_capacity(specs.len());
                    for spec in &specs {
                        row.push(text_of(spec, member, cx)?);
                    }
                    rows.push(row);
                }
                let mut shown = Vec::new();
                for spec in &specs {
                    let alignment = match spec.alignment {
                        Some(alignment) => alignment,
                        None => alignment_of(spec.value(first, cx)?.as_ref()),
                    };
                    // -AutoSize overrules the widths of a view, not those that were asked for.
                    let width = spec.width.filter(|_| !parameters.switch("AutoSize") || parameters.get("Property").is_some());
                    shown.push(TableColumn { label: spec.label.to_string(), width, alignment });
                }
                Content::Table {
                    columns: shown,
                    rows,
                    autosize: true,
                    wrap: parameters.switch("Wrap"),
                    hide_headers: parameters.switch("HideTableHeaders"),
                }
            }
            Shape::List => {
                let mut entries = Vec::with_capacity(members.len());
                for member in &members {
                    let specs = if parameters.get("Property").is_none() { columns(shape, parameters, member)? } else { specs.clone() };
                    let mut entry = Vec::with_capacity(specs.len());
                    for spec in &specs {
                        entry.push((spec.label.to_string(), text_of(spec, member, cx)?));
                    }
                    entries.push(entry);
                }
                Content::List { entries }
            }
            Shape::Wide => {
                let mut cells = Vec::with_capacity(members.len());
                for member in &members {
                    cells.push(match specs.first() {
                        Some(spec) => text_of(spec, member, cx)?,
                        None => String::new(),
                    });
                }
                let asked = number(parameters, "Column").and_then(|n| usize::try_from(n).ok());
                Content::Wide { cells, columns: if parameters.switch("AutoSize") { None } else { Some(asked.unwrap_or(2)) } }
            }
        };
        made.push(Group { heading, content });
    }
    cx.emit(FormatJob { groups: made }.into_value())
}

/// Deepest level of `Format-Custom` without `-Depth`.
const DEFAULT_DEPTH: i64 = 5;

/// `Format-Custom`: the properties of an object, those of its objects inside, between braces.
pub(super) fn custom(parameters: &BoundParameters, items: Vec<Value>, cx: &mut dyn Context) -> Result<(), Flow> {
    let depth = usize::try_from(number(parameters, "Depth").unwrap_or(DEFAULT_DEPTH)).unwrap_or(0).min(64);
    let wanted = specs(&list(parameters, "Property"))?;
    let mut lines = Lines::default();
    for item in flatten(items) {
        if is_scalar(&item) {
            lines.push(crate::convert::display(&item))?;
            continue;
        }
        let names: Vec<String> = if wanted.is_empty() {
            format::all_columns(&item).into_iter().map(|column| column.property).collect()
        } else {
            wanted.iter().flat_map(|spec| spec.expand(&item)).map(|spec| spec.label.to_string()).collect()
        };
        class_lines(&item, &names, 0, depth, &mut lines)?;
        lines.push(String::new())?;
    }
    cx.emit(FormatJob { groups: vec![Group { heading: None, content: Content::Lines(lines.lines) }] }.into_value())
}

/// Lines of a text that may not become longer than a text may be: objects inside of each other multiply.
#[derive(Default)]
struct Lines {
    lines: Vec<String>,
    bytes: usize,
}

impl Lines {
    fn push(&mut self, line: String) -> Result<(), Flow> {
        crate::limits::work(1)?;
        self.bytes += line.len() + 1;
        crate::limits::longer(self.bytes)?;
        self.lines.push(line);
        Ok(())
    }
}

fn class_lines(value: &Value, names: &[String], indent: usize, depth: usize, lines: &mut Lines) -> Result<(), Flow> {
    let blanks = " ".repeat(indent);
    lines.push(format!("{blanks}class {}", types::short_name(&types::type_name(value))))?;
    lines.push(format!("{blanks}{{"))?;
    for name in names {
        let inner = types::property(value, name).unwrap_or(Value::Null);
        let nested = depth > 0 && (inner.items().is_some() || (matches!(inner, Value::Object(_)) && !is_scalar(&inner)));
        if nested {
            lines.push(format!("{blanks}  {name} = "))?;
            value_lines(&inner, indent + 4, depth - 1, lines)?;
        } else {
            lines.push(format!("{blanks}  {name} = {}", cell_text(&inner)))?;
        }
    }
    lines.push(format!("{blanks}}}"))
}

fn value_lines(value: &Value, indent: usize, depth: usize, lines: &mut Lines) -> Result<(), Flow> {
    let blanks = " ".repeat(indent);
    match value.items() {
        Some(items) => {
            lines.push(format!("{blanks}["))?;
            for item in items {
                value_lines(&item, indent + 2, depth, lines)?;
            }
            lines.push(format!("{blanks}]"))?;
        }
        None if matches!(value, Value::Object(_)) && !is_scalar(value) => {
            let names: Vec<String> = format::all_columns(value).into_iter().map(|column| column.property).collect();
            class_lines(value, &names, indent, depth, lines)?;
        }
        None => lines.push(format!("{blanks}{}", crate::convert::display(value)))?,
    }
    Ok(())
}
