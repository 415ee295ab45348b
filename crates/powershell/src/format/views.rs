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
    /// Text made of the object, where the property alone does not give it.
    pub show: Option<fn(&Value) -> String>,
}

impl Column {
    /// A property under its own name.
    pub fn property(name: &str) -> Self {
        Self { label: name.into(), property: name.into(), width: None, alignment: None, show: None }
    }

    fn shown(label: &str, width: Option<usize>, alignment: Alignment, show: fn(&Value) -> String) -> Self {
        Self { show: Some(show), ..Self::fixed(label, label, width, alignment) }
    }

    /// The cell of an object.
    fn cell(&self, value: &Value) -> String {
        match self.show {
            Some(show) => show(value),
            None => property(value, &self.property).map(|v| cell_text(&v)).unwrap_or_default(),
        }
    }

    fn fixed(label: &str, property: &str, width: Option<usize>, alignment: Alignment) -> Self {
        Self { label: label.into(), property: property.into(), width, alignment: Some(alignment), show: None }
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
    /// What stands above the objects that share it (`TypeName: …`, `Directory: …`).
    pub heading: Option<fn(&Value) -> String>,
}

impl View {
    /// A view without headings.
    pub fn new(shape: ViewShape) -> Self {
        Self { shape, heading: None }
    }
}

fn text_of(value: &Value, name: &str) -> String {
    property(value, name).map(|v| crate::convert::display(&v)).unwrap_or_default()
}

/// `5/30/2026  10:12 AM`, as listings of folders show it.
fn written(value: &Value) -> String {
    match property(value, "LastWriteTime") {
        Some(Value::DateTime(at)) => {
            let part = |pattern: &str| datetime::format(at, pattern).unwrap_or_default();
            format!("{:>10} {:>8}", part("d"), part("t"))
        }
        _ => String::new(),
    }
}

/// The length of a file; folders have none.
fn size(value: &Value) -> String {
    match value {
        Value::Object(object) => object.get("Length").map(|n| cell_text(&n)).unwrap_or_default(),
        _ => String::new(),
    }
}

/// The folder above a file or folder.
fn folder(value: &Value) -> String {
    let parent = text_of(value, "PSParentPath");
    format!(" Directory: {}", parent.rsplit("::").next().unwrap_or(&parent))
}

fn moment(value: &Value, name: &str, pattern: &str) -> String {
    match property(value, name) {
        Some(Value::DateTime(at)) => datetime::format(at, pattern).unwrap_or_default(),
        _ => String::new(),
    }
}

/// The views of the language's own types.
pub fn builtin_view(type_name: &str) -> Option<View> {
    let list = |names: &[&str]| Some(View::new(ViewShape::List(names.iter().map(|n| Column::property(n)).collect())));
    let table = |columns: Vec<Column>| Some(View::new(ViewShape::Table { columns, autosize: false }));
    use Alignment::{Left, Right};
    match type_name {
        "System.DateTime" => Some(View::new(ViewShape::Line)),
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
        "Microsoft.PowerShell.Commands.MatchInfo" => Some(View::new(ViewShape::Line)),
        "Microsoft.PowerShell.Commands.MemberDefinition" => Some(View {
            heading: Some(|value| format!("TypeName: {}", text_of(value, "TypeName"))),
            shape: ViewShape::Table {
                columns: ["Name", "MemberType", "Definition"].map(|n| Column::fixed(n, n, None, Left)).to_vec(),
                autosize: true,
            },
        }),
        "System.IO.FileInfo" | "System.IO.DirectoryInfo" => Some(View {
            heading: Some(folder),
            shape: ViewShape::Table {
                columns: vec![
                    Column::fixed("Mode", "Mode", Some(7), Left),
                    Column::shown("LastWriteTime", Some(25), Right, written),
                    Column::shown("Length", Some(14), Right, size),
                    Column::fixed("Name", "Name", None, Left),
                ],
                autosize: false,
            },
        }),
        "System.ServiceProcess.ServiceController" => table(vec![
            Column::fixed("Status", "Status", Some(8), Left),
            Column::fixed("Name", "Name", Some(18), Left),
            Column::fixed("DisplayName", "DisplayName", Some(38), Left),
        ]),
        "System.Management.Automation.Job" | "System.Management.Automation.PSRemotingJob" => table(vec![
            Column::fixed("Id", "Id", Some(6), Left),
            Column::fixed("Name", "Name", Some(15), Left),
            Column::fixed("PSJobTypeName", "PSJobTypeName", Some(15), Left),
            Column::fixed("State", "State", Some(13), Left),
            Column::fixed("HasMoreData", "HasMoreData", Some(15), Left),
            Column::fixed("Location", "Location", Some(20), Left),
            Column::fixed("Command", "Command", None, Left),
        ]),
        "System.Management.Automation.Runspaces.PSSession" => table(vec![
            Column::fixed("Id", "Id", Some(3), Right),
            Column::fixed("Name", "Name", Some(15), Left),
            Column::fixed("ComputerName", "ComputerName", Some(15), Left),
            Column::fixed("ComputerType", "ComputerType", Some(15), Left),
            Column::fixed("State", "State", Some(13), Left),
            Column::fixed("ConfigurationName", "ConfigurationName", Some(20), Left),
            Column::fixed("Availability", "Availability", Some(13), Right),
        ]),
        "System.Management.Automation.PathInfo" => table(vec![Column::fixed("Path", "Path", None, Left)]),
        "System.Diagnostics.EventLogEntry" => table(vec![
            Column::fixed("Index", "Index", Some(8), Right),
            Column::shown("Time", Some(13), Left, |value| moment(value, "TimeGenerated", "MMM dd HH:mm")),
            Column::fixed("EntryType", "EntryType", Some(11), Left),
            Column::fixed("Source", "Source", Some(20), Left),
            Column::fixed("InstanceID", "InstanceID", Some(12), Right),
            Column::fixed("Message", "Message", None, Left),
        ]),
        "System.Diagnostics.Eventing.Reader.EventLogRecord" => Some(View {
            heading: Some(|value| format!("ProviderName: {}", text_of(value, "ProviderName"))),
            shape: ViewShape::Table {
                columns: vec![
                    Column::fixed("TimeCreated", "TimeCreated", Some(26), Left),
                    Column::fixed("Id", "Id", Some(8), Right),
                    Column::fixed("LevelDisplayName", "LevelDisplayName", Some(16), Left),
                    Column::fixed("Message", "Message", None, Left),
                ],
                autosize: false,
            },
        }),
        "Microsoft.DnsClient.Commands.DnsRecord_A" | "Microsoft.DnsClient.Commands.DnsRecord_AAAA" => {
            table(dns_columns(46, &[("IPAddress", None)]))
        }
        "Microsoft.DnsClient.Commands.DnsRecord_PTR" => table(dns_columns(30, &[("NameHost", None)])),
        "Microsoft.DnsClient.Commands.DnsRecord_SRV" => {
            table(dns_columns(40, &[("NameTarget", Some(30)), ("Priority", Some(8)), ("Weight", Some(6)), ("Port", None)]))
        }
        "System.Text.RegularExpressions.Match" => list(&["Groups", "Success", "Name", "Captures", "Index", "Length", "Value"]),
        _ => None,
    }
}

/// The columns of DNS records: what all have, and what is theirs.
fn dns_columns(name: usize, own: &[(&str, Option<usize>)]) -> Vec<Column> {
    [("Name", Some(name)), ("Type", Some(6)), ("TTL", Some(5)), ("Section", Some(10))]
        .iter()
        .chain(own)
        .map(|(label, width)| Column::fixed(label, label, *width, Alignment::Left))
        .collect()
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

/// Adds an object to a job of its view; a new heading begins a new group.
pub(super) fn append(view: &View, value: &Value, job: &mut FormatJob) {
    if let Some(heading) = view.heading.map(|heading| heading(value)) {
        match job.groups.last_mut() {
            Some(group) if group.heading.is_none() => group.heading = Some(heading),
            Some(group) if group.heading.as_ref() != Some(&heading) => {
                let mut next = start_for(view, value);
                if let Some(mut group) = next.groups.pop() {
                    group.heading = Some(heading);
                    job.groups.push(group);
                }
            }
            _ => {}
        }
    }
    let Some(group) = job.groups.last_mut() else { return };
    match (&view.shape, &mut group.content) {
        (ViewShape::Table { columns, .. }, Content::Table { rows, .. }) => {
            rows.push(columns.iter().map(|c| c.cell(value)).collect());
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
