//! Formatting for the console: `Format-Table`, `Format-List`, `Format-Wide`, default views, `Out-String`.
//!
//! The lines are those of Windows PowerShell 5.1: its blank lines, its `...`, its column widths.

mod cell;
mod render;
mod views;

use std::any::Any;
use std::sync::Arc;

use crate::types::{property, property_names, type_names};
use crate::value::{PropertySource, PsObject, Value};

pub use cell::{cell_text, limited_text, list_text};
pub use render::render;
pub use views::{Column, View, ViewShape, builtin_view};

/// The type name of what `Format-Table` and its like put into the pipeline.
pub const FORMAT_TYPE: &str = "Microsoft.PowerShell.Commands.Internal.Format.FormatStartData";

/// How a cell stands in its column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alignment {
    /// Text.
    Left,
    /// `Alignment='center'`.
    Center,
    /// Numbers.
    Right,
}

/// One column of a table.
#[derive(Debug, Clone)]
pub struct TableColumn {
    /// The header.
    pub label: String,
    /// A width that was asked for.
    pub width: Option<usize>,
    /// How cells stand.
    pub alignment: Alignment,
}

/// What one group of objects looks like.
#[derive(Debug, Clone)]
pub enum Content {
    /// A table.
    Table {
        /// Columns.
        columns: Vec<TableColumn>,
        /// Cells, one for each column; a row without columns is a line of its own among the rows.
        rows: Vec<Vec<String>>,
        /// Widths follow the cells.
        autosize: bool,
        /// Long cells wrap instead of being cut.
        wrap: bool,
        /// No header.
        hide_headers: bool,
    },
    /// Name and value, one below the other.
    List {
        /// The properties of each object.
        entries: Vec<Vec<(String, String)>>,
    },
    /// One property in columns.
    Wide {
        /// The cells.
        cells: Vec<String>,
        /// Number of columns; `None` fits as many as the longest cell allows.
        columns: Option<usize>,
    },
    /// Plain lines with blank lines around (dates).
    Lines(Vec<String>),
}

/// A group of objects and its heading.
#[derive(Debug, Clone)]
pub struct Group {
    /// `Name: value` above the group (`-GroupBy`).
    pub heading: Option<String>,
    /// The objects.
    pub content: Content,
}

/// Formatted objects on their way to a console or a file, whose width is not known yet.
#[derive(Debug, Clone)]
pub struct FormatJob {
    /// The groups in order.
    pub groups: Vec<Group>,
}

impl PropertySource for FormatJob {
    fn names(&self) -> Vec<Arc<str>> {
        Vec::new()
    }

    fn get(&self, _name: &str) -> Option<Value> {
        None
    }

    fn as_any(&self) -> Option<&dyn Any> {
        Some(self)
    }
}

impl FormatJob {
    /// As an object of the pipeline.
    pub fn into_value(self) -> Value {
        let mut object = PsObject::new(FORMAT_TYPE);
        object.source = Some(Arc::new(self));
        object.into()
    }
}

/// The job inside a value that `Format-Table` and its like made.
pub fn job_of(value: &Value) -> Option<&FormatJob> {
    let Value::Object(object) = value else { return None };
    object.source.as_ref()?.as_any()?.downcast_ref()
}

/// How to find views of types that the language does not know.
pub type ViewLookup<'a> = dyn Fn(&str) -> Option<Arc<View>> + 'a;

/// The lines that a console of `width` columns shows for these objects, through their default views.
pub fn default_lines(values: &[Value], width: usize) -> Vec<String> {
    lines_with(values, width, &|_| None)
}

/// Like [`default_lines`], with views for types of the world.
pub fn lines_with(values: &[Value], width: usize, lookup: &ViewLookup<'_>) -> Vec<String> {
    let mut lines = Vec::new();
    let mut open: Option<Open> = None;
    for value in values {
        show(value, width, lookup, &mut open, &mut lines, 0);
    }
    if let Some(open) = open {
        lines.extend(render(&open.job, width));
    }
    lines
}

/// A view that is being filled.
struct Open {
    key: String,
    view: View,
    job: FormatJob,
    /// The view was made from the properties of the first object: objects of other types go into it, too.
    derived: bool,
}

fn show(value: &Value, width: usize, lookup: &ViewLookup<'_>, open: &mut Option<Open>, lines: &mut Vec<String>, depth: usize) {
    if let Some(job) = job_of(value) {
        if let Some(open) = open.take() {
            lines.extend(render(&open.job, width));
        }
        lines.extend(render(job, width));
        return;
    }
    if let Some(items) = value.items() {
        if depth < 8 {
            for item in items {
                show(&item, width, lookup, open, lines, depth + 1);
            }
        }
        return;
    }
    if let Value::Hash(table) = value {
        let entries = table.read().map(|table| crate::types::entries(&table)).unwrap_or_default();
        for entry in entries {
            show(&entry, width, lookup, open, lines, depth + 1);
        }
        return;
    }
    let Some((key, view, derived)) = view_of(value, lookup) else {
        let Some(text) = plain_lines(value) else { return };
        match open {
            // Strings between the rows of a table stand between its rows.
            Some(Open { job, .. }) => match job.groups.last_mut().map(|g| &mut g.content) {
                Some(Content::Table { rows, .. }) => rows.extend(text.into_iter().map(|line| vec![format!("\u{0}{line}")])),
                Some(Content::Lines(inner)) => inner.extend(text),
                _ => {
                    if let Some(open) = open.take() {
                        lines.extend(render(&open.job, width));
                    }
                    lines.extend(text);
                }
            },
            None => lines.extend(text),
        }
        return;
    };
    match open {
        Some(current) if current.derived => match &current.view.shape {
            ViewShape::List(_) => {
                let own = View::new(ViewShape::List(views::list_columns(value)));
                views::append(&own, value, &mut current.job);
            }
            _ => views::append(&current.view, value, &mut current.job),
        },
        Some(current) if current.key == key => views::append(&current.view, value, &mut current.job),
        Some(_) => {
            // Objects of another type come as lists, whatever their own view is.
            let listed = View::new(ViewShape::List(views::list_columns(value)));
            if let Some(open) = open.take() {
                lines.extend(render(&open.job, width));
            }
            let mut job = views::start(&listed);
            views::append(&listed, value, &mut job);
            let key = format!("list:{key}");
            *open = Some(Open { key, view: listed, job, derived: true });
        }
        None => {
            let mut job = views::start_for(&view, value);
            views::append(&view, value, &mut job);
            *open = Some(Open { key, view, job, derived });
        }
    }
}

/// The lines of a value that has no view of its own: text, numbers, members of enumerations, errors.
fn plain_lines(value: &Value) -> Option<Vec<String>> {
    Some(match value {
        Value::Null => return None,
        Value::Error(record) => crate::session::error_lines(record),
        Value::Object(object) if object.text.is_none() => return None,
        value => {
            let text = crate::convert::display(value);
            let mut lines: Vec<String> = text.split('\n').map(|l| l.trim_end_matches('\r').to_string()).collect();
            if lines.len() > 1 && lines.last().is_some_and(String::is_empty) {
                lines.pop();
            }
            lines
        }
    })
}

/// The default view of a value and the key under which further objects share it.
fn view_of(value: &Value, lookup: &ViewLookup<'_>) -> Option<(String, View, bool)> {
    let names = type_names(value);
    if !matches!(value, Value::Object(_)) {
        return names.first().and_then(|n| builtin_view(n).map(|v| (n.to_string(), v, false)));
    }
    let Value::Object(object) = value else { return None };
    for name in &names {
        if let Some(view) = lookup(name) {
            return Some((name.to_string(), (*view).clone(), false));
        }
        if let Some(view) = builtin_view(name) {
            return Some((name.to_string(), view, false));
        }
    }
    let key = names.first().map(|n| n.to_string()).unwrap_or_default();
    let shown: Vec<Arc<str>> = if object.default_view.is_empty() { property_names(value) } else { object.default_view.clone() };
    if shown.is_empty() {
        return None;
    }
    let columns: Vec<Column> = shown.iter().map(|n| Column::property(n)).collect();
    let shape = if columns.len() <= 4 { ViewShape::Table { columns, autosize: true } } else { ViewShape::List(columns) };
    Some((key, View::new(shape), true))
}

/// How a value stands in a table: numbers, characters, truth values, members of enumerations, script blocks and secrets right,
/// everything else left (as recorded from PowerShell for each type).
pub fn alignment_of(value: Option<&Value>) -> Alignment {
    match value {
        Some(Value::Bool(_) | Value::Int(_) | Value::Long(_) | Value::Double(_) | Value::Number(_) | Value::Char(_)) => Alignment::Right,
        Some(Value::Enum(_) | Value::Script(_)) => Alignment::Right,
        Some(Value::Object(object)) if object.is_type("System.Security.SecureString") => Alignment::Right,
        _ => Alignment::Left,
    }
}

/// The properties of an object for `Format-* *`.
pub fn all_columns(value: &Value) -> Vec<Column> {
    let mut names = property_names(value);
    // The note that PowerShell adds to dates stands last in lists.
    if matches!(value, Value::DateTime(_)) {
        names.sort_by_key(|name| &**name == "DateTime");
    }
    names.iter().map(|n| Column::property(n)).collect()
}

/// The cell of a property.
pub fn property_cell(value: &Value, name: &str) -> Option<Value> {
    property(value, name)
}
