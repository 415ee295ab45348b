//! Views: which properties of a type are shown, and how.

use super::{Alignment, Content, FormatJob, Group, TableColumn, alignment_of, cell_text, list_text};
use crate::convert::datetime;
use crate::types::property;
use crate::value::Value;

/// One property of a view.
#[derive(Debug, Clone)]
pub struct Column {
    /// Header or label.
    pub label: String,
    /// The property that is shown.
    pub property: String,
    /// A fixed width.
    pub width: Option<usize>,
    /// A fixed alignment; else numbers stand right.
    pub alignment: Option<Alignment>,
}

impl Column {
    /// A property under its own name.
    pub fn property(name: &str) -> Self {
        Self { label: name.into(), property: name.into(), width: None, alignment: None }
    }

    fn fixed(label: &str, property: &str, width: Option<usize>, alignment: Alignment) -> Self {
        Self { label: label.into(), property: property.into(), width, alignment: Some(alignment) }
    }
}

/// The shape of a view.
#[derive(Debug, Clone)]
pub enum ViewShape {
    /// A table.
    Table {
        /// Its columns.
        columns: Vec<Column>,
        /// Widths follow the cells.
        autosize: bool,
    },
    /// A list.
    List(Vec<Column>),
    /// One line made of the value itself.
    Line,
}

/// How objects of a type are shown.
#[derive(Debug, Clone)]
pub struct View {
    /// Table or list.
    pub shape: ViewShape,
}

/// The views of the language's own types.
pub fn builtin_view(type_name: &str) -> Option<View> {
    let list = |names: &[&str]| Some(View { shape: ViewShape::List(names.iter().map(|n| Column::property(n)).collect()) });
    let table = |columns: Vec<Column>| Some(View { shape: ViewShape::Table { columns, autosize: false } });
    use Alignment::{Left, Right};
    match type_name {
        "System.DateTime" => Some(View { shape: ViewShape::Line }),
        "System.TimeSpan" => list(&[
            "Days",
            "Hours",
            "Minutes",
            "Seconds",
            "Milliseconds",
            "Ticks",
            "TotalDays",
            "TotalHours",
            "TotalMinutes",
            "TotalSeconds",
            "TotalMilliseconds",
        ]),
        "System.Guid" => table(vec![Column::fixed("Guid", "Guid", None, Left)]),
        "System.Version" => table(vec![
            Column::fixed("Major", "Major", Some(6), Left),
            Column::fixed("Minor", "Minor", Some(6), Left),
            Column::fixed("Build", "Build", Some(6), Left),
            Column::fixed("Revision", "Revision", Some(8), Left),
        ]),
        "System.Collections.DictionaryEntry" => {
            table(vec![Column::fixed("Name", "Name", Some(30), Left), Column::fixed("Value", "Value", None, Left)])
        }
        "Microsoft.PowerShell.Commands.GroupInfo" => table(vec![
            Column::fixed("Count", "Count", Some(5), Right),
            Column::fixed("Name", "Name", Some(25), Left),
            Column::fixed("Group", "Group", None, Left),
        ]),
        "Microsoft.PowerShell.Commands.GroupInfoNoElement" => {
            table(vec![Column::fixed("Count", "Count", Some(5), Right), Column::fixed("Name", "Name", Some(25), Left)])
        }
        "System.RuntimeType" => table(vec![
            Column::fixed("IsPublic", "IsPublic", Some(8), Left),
            Column::fixed("IsSerial", "IsSerial", Some(8), Left),
            Column::fixed("Name", "Name", Some(40), Left),
            Column::fixed("BaseType", "BaseType", None, Left),
        ]),
        "System.Management.Automation.CommandInfo" => table(vec![
            Column::fixed("CommandType", "CommandType", Some(15), Left),
            Column::fixed("Name", "Name", Some(50), Left),
            Column::fixed("Version", "Version", Some(10), Left),
            Column::fixed("Source", "Source", None, Left),
        ]),
        "System.Management.Automation.PSVariable" => {
            table(vec![Column::fixed("Name", "Name", Some(30), Left), Column::fixed("Value", "Value", None, Left)])
        }
        "System.Text.RegularExpressions.Match" => list(&["Groups", "Success", "Name", "Index", "Length", "Value"]),
        _ => None,
    }
}

/// The columns of the list that objects of a second type get.
pub(super) fn list_columns(value: &Value) -> Vec<Column> {
    match value {
        Value::Object(object) if !object.default_view.is_empty() => object.default_view.iter().map(|n| Column::property(n)).collect(),
        value => super::all_columns(value),
    }
}

/// An empty job of a view.
pub(super) fn start(view: &View) -> FormatJob {
    let content = match &view.shape {
        ViewShape::Table { columns, autosize } => Content::Table {
            columns: columns
                .iter()
                .map(|c| TableColumn { label: c.label.clone(), width: c.width, alignment: c.alignment.unwrap_or(Alignment::Left) })
                .collect(),
            rows: Vec::new(),
            autosize: *autosize,
            wrap: false,
            hide_headers: false,
        },
        ViewShape::List(_) => Content::List { entries: Vec::new() },
        ViewShape::Line => Content::Lines(Vec::new()),
    };
    FormatJob { groups: vec![Group { heading: None, content }] }
}

/// An empty job whose columns stand as the first object asks.
pub(super) fn start_for(view: &View, first: &Value) -> FormatJob {
    let mut job = start(view);
    if let (ViewShape::Table { columns, .. }, Some(Content::Table { columns: made, .. })) =
        (&view.shape, job.groups.first_mut().map(|g| &mut g.content))
    {
        for (column, made) in columns.iter().zip(made) {
            made.alignment = column.alignment.unwrap_or_else(|| alignment_of(property(first, &column.property).as_ref()));
        }
    }
    job
}

/// Adds an object to a job of its view.
pub(super) fn append(view: &View, value: &Value, job: &mut FormatJob) {
    let Some(group) = job.groups.last_mut() else { return };
    match (&view.shape, &mut group.content) {
        (ViewShape::Table { columns, .. }, Content::Table { rows, .. }) => {
            rows.push(columns.iter().map(|c| property(value, &c.property).map(|v| cell_text(&v)).unwrap_or_default()).collect());
        }
        (ViewShape::List(columns), Content::List { entries }) => {
            entries.push(
                columns
                    .iter()
                    .map(|c| (c.label.clone(), property(value, &c.property).map(|v| list_text(&v)).unwrap_or_default()))
                    .collect(),
            );
        }
        (ViewShape::Line, Content::Lines(lines)) => lines.push(match value {
            Value::DateTime(instant) => datetime::format(*instant, "F").unwrap_or_default(),
            other => crate::convert::display(other),
        }),
        _ => {}
    }
}
