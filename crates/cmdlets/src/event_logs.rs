//! Event logs: `Get-EventLog`, `Get-WinEvent`, `Write-EventLog` (the product's entries: dossier chapter I).

use std::sync::Arc;

use firedrill_fabric::world::event_log::{EventLevel, WindowsEvent};
use firedrill_powershell::command::CommandError;
use firedrill_powershell::{PsObject, Value};
use firedrill_topology::{ComputerId, ComputerRole};

use crate::commands::Command;
use crate::context::{Cx, Done, as_integer, as_text, date, failure, like, member, number};
use crate::shapes::Shape;
use crate::texts::{fill, text};

pub(crate) const COMMANDS: &[Command] = &[
    Command::new(
        "Get-EventLog",
        get_log,
        &[
            "LogName",
            "Newest",
            "EntryType",
            "Source",
            "InstanceId",
            "Message",
            "After",
            "Before",
            "ComputerName",
            "List",
            "Index",
            "AsString",
            "AsBaseObject",
        ],
    )
    .implemented_by("Microsoft.PowerShell.Commands.GetEventLogCommand"),
    Command::new(
        "Get-WinEvent",
        get_event,
        &["LogName", "FilterHashtable", "MaxEvents", "ComputerName", "ProviderName", "Oldest", "ListLog"],
    )
    .implemented_by("Microsoft.PowerShell.Commands.GetWinEventCommand"),
    Command::new("Write-EventLog", write, &["LogName", "Source", "EventId", "EntryType", "Message", "Category", "ComputerName", "RawData"])
        .implemented_by("Microsoft.PowerShell.Commands.WriteEventLogCommand"),
    // Any source can be written to here: which ones a real server knows is not part of the model.
    Command::new("New-EventLog", new_log, &["LogName", "Source", "ComputerName"])
        .implemented_by("Microsoft.PowerShell.Commands.NewEventLogCommand"),
];

static ENTRY: Shape = Shape::with_view(
    "System.Diagnostics.EventLogEntry",
    &[
        "EventID",
        "MachineName",
        "Data",
        "Index",
        "Category",
        "CategoryNumber",
        "EntryType",
        "Message",
        "Source",
        "ReplacementStrings",
        "InstanceId",
        "TimeGenerated",
        "TimeWritten",
        "UserName",
    ],
    &["Index", "TimeGenerated", "EntryType", "Source", "InstanceId", "Message"],
);
static RECORD: Shape = Shape::with_view(
    "System.Diagnostics.Eventing.Reader.EventLogRecord",
    &[
        "Message",
        "Id",
        "Version",
        "Level",
        "Task",
        "ProviderName",
        "LogName",
        "MachineName",
        "TimeCreated",
        "LevelDisplayName",
        "TaskDisplayName",
        "RecordId",
        "UserId",
        "ProcessId",
    ],
    &["TimeCreated", "Id", "LevelDisplayName", "Message"],
);
static LOG: Shape = Shape::new("System.Diagnostics.EventLog", &["Log", "LogDisplayName", "Entries"]);

/// Logs of a computer: Windows' own, the product's where it is installed, and those that scripts wrote to.
fn logs(cx: &Cx<'_>, computer: ComputerId) -> Vec<Arc<str>> {
    let mut all: Vec<Arc<str>> = ["Application", "Security", "System", "Windows PowerShell"].iter().map(|name| Arc::from(*name)).collect();
    if matches!(cx.topology.computer(computer).role, ComputerRole::FrontEnd(_) | ComputerRole::Edge(_)) {
        all.push("Lync Server".into());
    }
    for event in cx.fabric.windows_events(computer) {
        if !all.iter().any(|known| known.eq_ignore_ascii_case(&event.log)) {
            all.push(event.log.clone());
        }
    }
    all.sort();
    all
}

fn event_logs_of(cx: &mut Cx<'_>) -> Result<Vec<ComputerId>, Box<CommandError>> {
    let Some(names) = cx.list("ComputerName") else { return Ok(vec![cx.here]) };
    let mut all = Vec::new();
    for name in names {
        let local = matches!(&*name.to_lowercase(), "localhost" | "." | "127.0.0.1");
        let computer = if local { Some(cx.here) } else { cx.topology.find_computer(&name) };
        match computer.filter(|computer| cx.fabric.reaches(cx.here, *computer, 135)) {
            Some(computer) => all.push(computer),
            None => {
                return Err(failure(
                    fill(text::NO_NETWORK_PATH, &[&name]),
                    "System.IO.IOException",
                    "NotSpecified",
                    "System.IO.IOException",
                    Value::Null,
                ));
            }
        }
    }
    Ok(all)
}

/// Entries of a log, newest first, each with its number in the log.
fn entries(cx: &Cx<'_>, computer: ComputerId, log: &str) -> Vec<(i32, WindowsEvent)> {
    let in_log = cx.fabric.windows_events(computer).filter(|event| event.log.eq_ignore_ascii_case(log));
    let mut all: Vec<(i32, WindowsEvent)> =
        in_log.enumerate().map(|(at, event)| (i32::try_from(at + 1).unwrap_or(i32::MAX), event.clone())).collect();
    all.reverse();
    all
}

fn texts_of(cx: &Cx<'_>, name: &str) -> Vec<Arc<str>> {
    cx.list(name).unwrap_or_default()
}

fn integers(value: Option<&Value>) -> Vec<i64> {
    let items = value.map(|value| value.items().unwrap_or_else(|| vec![value.clone()])).unwrap_or_default();
    items.iter().filter_map(|item| as_integer(item).or_else(|| as_text(item)?.parse().ok())).collect()
}

fn instant(value: Option<&Value>) -> Option<i64> {
    match value? {
        Value::DateTime(at) => Some(at.nanoseconds()),
        _ => None,
    }
}

fn get_log(cx: &mut Cx<'_>) -> Done {
    let computers = event_logs_of(cx)?;
    if cx.switch("List") || !cx.given("LogName") {
        for computer in computers {
            for log in logs(cx, computer) {
                let count = entries(cx, computer, &log).len();
                let text = Value::Str(log.clone());
                let entries = number(i64::try_from(count).unwrap_or(i64::MAX));
                cx.output(if cx.switch("AsString") {
                    text
                } else {
                    LOG.object(vec![text.clone(), text, entries]).with_text("System.Diagnostics.EventLog").into()
                });
            }
        }
        return Ok(());
    }
    let name = cx.text("LogName").unwrap_or_default();
    let newest = cx.integer("Newest").map_or(usize::MAX, |n| usize::try_from(n).unwrap_or(0));
    let (types, sources) = (texts_of(cx, "EntryType"), texts_of(cx, "Source"));
    let (ids, indices) = (integers(cx.get("InstanceId")), integers(cx.get("Index")));
    let message = cx.text("Message");
    let (after, before) = (instant(cx.get("After")), instant(cx.get("Before")));
    for computer in computers {
        if !logs(cx, computer).iter().any(|log| like(&name, log)) {
            let shown = if computer == cx.here { "." } else { cx.computer_fqdn(computer) };
            return Err(failure(
                fill(text::NO_EVENT_LOG, &[&name, shown]),
                "System.InvalidOperationException",
                "NotSpecified",
                "System.InvalidOperationException",
                Value::Null,
            ));
        }
        let mut found = 0;
        for (index, event) in entries(cx, computer, &name) {
            let fits = (types.is_empty() || types.iter().any(|t| t.eq_ignore_ascii_case(event.level.text())))
                && (sources.is_empty() || sources.iter().any(|s| like(s, &event.source)))
                && (ids.is_empty() || ids.contains(&i64::from(event.id)))
                && (indices.is_empty() || indices.contains(&i64::from(index)))
                && message.as_ref().is_none_or(|m| like(m, &event.message))
                && after.is_none_or(|at| event.at.0 > at)
                && before.is_none_or(|at| event.at.0 < at);
            if !fits {
                continue;
            }
            if found == newest || !cx.io.wants_more() {
                break;
            }
            found += 1;
            let object = entry_object(cx, index, &event);
            cx.output(object);
        }
        if found == 0 && newest > 0 {
            cx.error(failure(
                text::NO_MATCHES.template,
                "GetEventLogNoEntriesFound",
                "ObjectNotFound",
                "System.ArgumentException",
                Value::Null,
            ));
        }
    }
    Ok(())
}

fn level_value(level: EventLevel) -> Value {
    let number = match level {
        EventLevel::Error => 1,
        EventLevel::Warning => 2,
        EventLevel::Information => 4,
    };
    member("System.Diagnostics.EventLogEntryType", level.text(), number)
}

fn entry_object(cx: &Cx<'_>, index: i32, event: &WindowsEvent) -> PsObject {
    let category = if event.category.is_empty() { "(0)" } else { &event.category };
    ENTRY
        .object(vec![
            number(event.id),
            Value::str(cx.computer_fqdn(event.computer)),
            Value::array(Vec::new()),
            Value::Int(index),
            Value::str(category),
            Value::Int(0),
            level_value(event.level),
            Value::Str(event.message.clone()),
            Value::Str(event.source.clone()),
            Value::array(Vec::new()),
            Value::Long(i64::from(event.id)),
            date(event.at),
            date(event.at),
            Value::Null,
        ])
        .with_text("System.Diagnostics.EventLogEntry")
}

/// What `Get-WinEvent` looks for.
#[derive(Default)]
struct Wanted {
    logs: Vec<Arc<str>>,
    providers: Vec<Arc<str>>,
    ids: Vec<i64>,
    levels: Vec<i64>,
    after: Option<i64>,
    before: Option<i64>,
}

fn wanted(cx: &mut Cx<'_>) -> Wanted {
    let mut wanted = Wanted { logs: texts_of(cx, "LogName"), providers: texts_of(cx, "ProviderName"), ..Wanted::default() };
    let tables = cx.get("FilterHashtable").map(|value| value.items().unwrap_or_else(|| vec![value.clone()])).unwrap_or_default();
    for table in tables {
        let Value::Hash(table) = &table else { continue };
        let entries: Vec<(Value, Value)> = table.read().map(|t| t.entries.values().cloned().collect()).unwrap_or_default();
        for (key, value) in entries {
            let key = as_text(&key).unwrap_or_default();
            let list = || -> Vec<Arc<str>> {
                let items = value.items().unwrap_or_else(|| vec![value.clone()]);
                items.iter().filter_map(as_text).collect()
            };
            match key.to_lowercase().as_str() {
                "logname" => wanted.logs.extend(list()),
                "providername" => wanted.providers.extend(list()),
                "id" => wanted.ids.extend(integers(Some(&value))),
                "level" => wanted.levels.extend(integers(Some(&value))),
                "starttime" => wanted.after = instant(Some(&value)),
                "endtime" => wanted.before = instant(Some(&value)),
                _ => cx.io.unmodelled(&format!("Get-WinEvent -FilterHashtable {key}")),
            }
        }
    }
    wanted
}

/// Levels of the newer event log: 2 error, 3 warning, 4 information (documented).
fn level_number(level: EventLevel) -> i64 {
    match level {
        EventLevel::Error => 2,
        EventLevel::Warning => 3,
        EventLevel::Information => 4,
    }
}

fn get_event(cx: &mut Cx<'_>) -> Done {
    let computers = event_logs_of(cx)?;
    if let Some(patterns) = cx.list("ListLog") {
        for computer in computers {
            for log in logs(cx, computer) {
                if patterns.iter().any(|pattern| like(pattern, &log)) {
                    let count = entries(cx, computer, &log).len();
                    let object = PsObject::new("System.Diagnostics.Eventing.Reader.EventLogConfiguration")
                        .with("LogName", log.clone())
                        .with("LogMode", "Circular")
                        .with("IsEnabled", true)
                        .with("RecordCount", Value::Long(i64::try_from(count).unwrap_or(i64::MAX)));
                    cx.output(object);
                }
            }
        }
        return Ok(());
    }
    let wanted = wanted(cx);
    let most = cx.integer("MaxEvents").map_or(usize::MAX, |n| usize::try_from(n).unwrap_or(0));
    for computer in computers {
        let known = logs(cx, computer);
        let mut chosen: Vec<Arc<str>> = Vec::new();
        for pattern in &wanted.logs {
            let hits: Vec<Arc<str>> = known.iter().filter(|log| like(pattern, log)).cloned().collect();
            if hits.is_empty() {
                let shown = if computer == cx.here { "localhost" } else { cx.computer_fqdn(computer) };
                let message = fill(text::NO_WIN_EVENT_LOG, &[shown, pattern]);
                cx.io.error(*failure(message, "NoMatchingLogsFound", "ObjectNotFound", "System.Exception", Value::Str(pattern.clone())));
            }
            chosen.extend(hits);
        }
        if wanted.logs.is_empty() {
            chosen = known;
        } else if chosen.is_empty() {
            continue;
        }
        let mut found: Vec<(i32, WindowsEvent)> = chosen
            .iter()
            .flat_map(|log| entries(cx, computer, log))
            .filter(|(_, event)| {
                (wanted.providers.is_empty() || wanted.providers.iter().any(|p| like(p, &event.source)))
                    && (wanted.ids.is_empty() || wanted.ids.contains(&i64::from(event.id)))
                    && (wanted.levels.is_empty() || wanted.levels.contains(&level_number(event.level)))
                    && wanted.after.is_none_or(|at| event.at.0 >= at)
                    && wanted.before.is_none_or(|at| event.at.0 <= at)
            })
            .collect();
        found.sort_by_key(|(index, event)| std::cmp::Reverse((event.at, *index)));
        if cx.switch("Oldest") {
            found.reverse();
        }
        if found.is_empty() {
            cx.error(failure(text::NO_EVENTS_FOUND.template, "NoMatchingEventsFound", "ObjectNotFound", "System.Exception", Value::Null));
        }
        for (index, event) in found.into_iter().take(most) {
            let object = RECORD.object(vec![
                Value::Str(event.message.clone()),
                number(event.id),
                Value::Null,
                number(level_number(event.level)),
                Value::Int(0),
                Value::Str(event.source.clone()),
                Value::Str(event.log.clone()),
                Value::str(cx.computer_fqdn(computer)),
                date(event.at),
                Value::str(event.level.text()),
                Value::Null,
                Value::Long(i64::from(index)),
                Value::Null,
                Value::Null,
            ]);
            cx.output(object.with_text("System.Diagnostics.Eventing.Reader.EventLogRecord"));
        }
    }
    Ok(())
}

fn write(cx: &mut Cx<'_>) -> Done {
    let level = match cx.text("EntryType").map(|kind| kind.to_lowercase()).as_deref() {
        None | Some("information" | "successaudit") => EventLevel::Information,
        Some("warning") => EventLevel::Warning,
        Some(_) => EventLevel::Error,
    };
    let computer = event_logs_of(cx)?.first().copied().unwrap_or(cx.here);
    let message = cx.text("Message").unwrap_or_default();
    let event = WindowsEvent {
        at: cx.fabric.now(),
        computer,
        log: cx.text("LogName").unwrap_or_default(),
        source: cx.text("Source").unwrap_or_default(),
        id: cx.integer("EventId").and_then(|id| u32::try_from(id).ok()).unwrap_or(0),
        level,
        category: cx.integer("Category").map_or_else(|| "(0)".to_owned(), |category| format!("({category})")).into(),
        message,
    };
    cx.fabric.write_windows_event(event);
    Ok(())
}

fn new_log(cx: &mut Cx<'_>) -> Done {
    event_logs_of(cx).map(|_| ())
}
