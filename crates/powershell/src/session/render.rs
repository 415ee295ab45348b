//! What a console shows of a run.

use super::{RunOutput, StreamKind, StreamRecord};
use crate::error::ErrorRecord;
use crate::format;
use crate::types;
use crate::value::Value;

/// The text that a Windows PowerShell 5.1 console of `width` columns shows: objects through their default views,
/// errors in the normal error view.
pub fn render(output: &RunOutput, width: usize) -> String {
    render_with(output, width, &|_| None)
}

/// Like [`render`], with default views for types of the world ([`crate::CommandProvider::view`]).
pub fn render_with(output: &RunOutput, width: usize, views: &format::ViewLookup<'_>) -> String {
    let mut console = Console::new(width);
    let mut text: String = output.streams.iter().map(|record| console.show(record, views)).collect();
    text.push_str(&console.close(views));
    text
}

/// A console that shows records as they come. Objects wait until it is known which of them are shown together: until
/// something else is written, the next statement begins, or the run ends.
#[derive(Debug, Clone)]
pub struct Console {
    width: usize,
    objects: Vec<Value>,
    open_line: bool,
    statement: Option<crate::source::Span>,
}

impl Console {
    /// A console of a number of columns.
    pub fn new(width: usize) -> Self {
        Self { width, objects: Vec::new(), open_line: false, statement: None }
    }

    /// The text that appears with a record.
    pub fn show(&mut self, record: &StreamRecord, views: &format::ViewLookup<'_>) -> String {
        if let StreamKind::Output(value) = &record.kind {
            // Each statement typed at a console is a pipeline of its own, with views of its own.
            let next = self.statement.replace(record.span) != Some(record.span);
            let text = if next { self.flush(views) } else { String::new() };
            self.objects.push(value.clone());
            return text;
        }
        let mut text = self.flush(views);
        if self.open_line && !matches!(record.kind, StreamKind::Host { .. }) {
            text.push('\n');
            self.open_line = false;
        }
        match &record.kind {
            StreamKind::Output(_) => {}
            StreamKind::Error(error) => {
                for line in error_lines(error) {
                    text.push_str(&line);
                    text.push('\n');
                }
            }
            StreamKind::Warning(message) => text.push_str(&format!("WARNING: {message}\n")),
            StreamKind::Verbose(message) => text.push_str(&format!("VERBOSE: {message}\n")),
            StreamKind::Debug(message) => text.push_str(&format!("DEBUG: {message}\n")),
            StreamKind::Information(value) => text.push_str(&format!("{}\n", crate::convert::display(value))),
            StreamKind::Host { text: message, newline } => {
                text.push_str(message);
                self.open_line = !newline;
                if *newline {
                    text.push('\n');
                }
            }
        }
        text
    }

    /// The text of the objects that wait.
    pub fn flush(&mut self, views: &format::ViewLookup<'_>) -> String {
        let objects = std::mem::take(&mut self.objects);
        if objects.is_empty() {
            return String::new();
        }
        let mut text = String::new();
        // Objects go on in an open line, and close it.
        self.open_line = false;
        for line in format::lines_with(&objects, self.width, views) {
            text.push_str(&line);
            text.push('\n');
        }
        text
    }

    /// The text that the end of a run shows.
    pub fn close(&mut self, views: &format::ViewLookup<'_>) -> String {
        let mut text = self.flush(views);
        if std::mem::take(&mut self.open_line) {
            text.push('\n');
        }
        self.statement = None;
        text
    }
}

/// An error record as the normal view of Windows PowerShell 5.1 prints it, a blank line included.
pub fn error_lines(record: &ErrorRecord) -> Vec<String> {
    let mut lines = Vec::new();
    let head = match &record.command {
        Some(command) => format!("{command} : {}", record.message),
        None => record.message.to_string(),
    };
    lines.extend(head.lines().map(str::to_owned));
    if let Some(position) = &record.position {
        lines.extend(position_lines(position));
    }
    lines.push(format!("    + CategoryInfo          : {}", category_line(record)));
    lines.push(format!("    + FullyQualifiedErrorId : {}", record.id));
    lines.push(String::new());
    lines
}

/// `InvalidOperation: (pool1:String) [Invoke-CsPoolFailOver], Exception`
fn category_line(record: &ErrorRecord) -> String {
    let (target, kind) = match &record.target {
        Value::Null => (String::new(), String::new()),
        other => {
            let full = types::type_name(other).to_string();
            let short = full.rsplit('.').next().unwrap_or(&full).to_owned();
            (ellipsize(&crate::convert::display(other)), short)
        }
    };
    let activity = record.activity();
    format!("{}: ({target}:{kind}) [{activity}], {}", record.category, record.reason())
}

/// Long targets keep their first and last 15 characters.
fn ellipsize(text: &str) -> String {
    let characters: Vec<char> = text.chars().collect();
    if characters.len() <= 40 {
        return text.to_owned();
    }
    let head: String = characters[..15].iter().collect();
    let tail: String = characters[characters.len() - 15..].iter().collect();
    format!("{head}...{tail}")
}

/// `At line:1 char:1`, the line, and the place underlined; long lines are cut to 69 characters around the place.
fn position_lines(position: &crate::source::Position) -> Vec<String> {
    const MAXIMUM: usize = 69;
    let (line, column) = position.line_column();
    let (end_line, end_column) = position.source.line_column(position.span.end);
    let name = if position.source.name.is_empty() { "line" } else { &position.source.name };
    let mut lines = vec![format!("At {name}:{line} char:{column}")];
    let mut text: Vec<char> = position.source.line(line).trim_end().chars().collect();
    if text.is_empty() {
        return lines;
    }
    let mut before = (column - 1).min(text.len());
    let mut length =
        if line == end_line && end_column <= text.len() + 1 { end_column - column } else { (text.len() + 1).saturating_sub(column) };
    let (mut prefix_dots, mut suffix_dots) = (false, false);
    if text.len() > MAXIMUM {
        let (all_before, all_after) = (before, text.len().saturating_sub(length + before));
        let mut prefix = all_before.min(12);
        let mut suffix = all_after.min(8);
        let mut candidate = prefix + length + suffix;
        if candidate >= MAXIMUM {
            if prefix + length >= MAXIMUM {
                length = MAXIMUM - prefix;
                suffix = 0;
            }
            suffix_dots = true;
        } else {
            prefix += (all_before - prefix).min(MAXIMUM - candidate);
            candidate = prefix + length + suffix;
            suffix += (all_after - suffix).min(MAXIMUM - candidate);
            suffix_dots = suffix < all_after;
        }
        prefix_dots = prefix < all_before;
        text = text[before - prefix..(before + length + suffix).min(text.len())].to_vec();
        before = prefix;
    }
    let shown: String = text.iter().collect();
    let (head, tail) = (if prefix_dots { "... " } else { "" }, if suffix_dots { " ..." } else { "" });
    lines.push(format!("+ {head}{shown}{tail}"));
    lines.push(format!("+ {}{}", " ".repeat(before + head.len()), "~".repeat(length.max(1))));
    lines
}
