//! A console on this machine's standard streams: shows records as they are written, and asks.

use std::collections::VecDeque;
use std::io::{BufRead as _, IsTerminal as _, Write as _};

use anstyle::{AnsiColor, Style};
use firedrill_cmdlets::Operator;
use firedrill_powershell::session::{Console as Records, StreamKind, StreamRecord};
use firedrill_powershell::source::Position;

use crate::print::Printer;

/// Width of output that goes to a pipe, as PowerShell has it when it has no window.
const PIPE_WIDTH: usize = 120;

/// Standard output and standard input as somebody's console.
pub(crate) struct Console {
    records: Records,
    colour: bool,
    answers: VecDeque<String>,
    /// Whether standard input may be asked: not while it holds the commands themselves.
    asks_input: bool,
}

impl Console {
    pub(crate) fn new(printer: &Printer, answers: &[String], asks_input: bool) -> Self {
        let width = terminal_width().unwrap_or(PIPE_WIDTH);
        Self { records: Records::new(width), colour: printer.colour(), answers: answers.iter().cloned().collect(), asks_input }
    }

    /// Shows what still waits at the end of a run.
    pub(crate) fn close(&mut self) {
        let text = self.records.close(&|_| None);
        write_out(&text);
    }

    fn style(&self, kind: &StreamKind) -> Style {
        let colour = match kind {
            _ if !self.colour => return Style::new(),
            StreamKind::Error(_) => AnsiColor::Red,
            StreamKind::Warning(_) | StreamKind::Verbose(_) | StreamKind::Debug(_) => AnsiColor::Yellow,
            StreamKind::Output(_) | StreamKind::Information(_) | StreamKind::Host { .. } => return Style::new(),
        };
        colour.on_default()
    }
}

impl Operator for Console {
    fn wrote(&mut self, record: &StreamRecord) {
        // What waits belongs to the streams before this record, and not to its colour.
        if !matches!(record.kind, StreamKind::Output(_)) {
            let text = self.records.flush(&|_| None);
            write_out(&text);
        }
        let text = self.records.show(record, &|_| None);
        if text.is_empty() {
            return;
        }
        let style = self.style(&record.kind);
        // The style ends before the line does, so that a cut pipe leaves no colour behind.
        let text = match text.strip_suffix('\n') {
            Some(line) => format!("{style}{}{style:#}\n", harmless(line)),
            None => format!("{style}{}{style:#}", harmless(&text)),
        };
        match record.kind {
            StreamKind::Error(_) => {
                let _ = anstream::stderr().write_all(text.as_bytes());
            }
            _ => write_out_raw(&text),
        }
    }

    fn ask(&mut self, prompt: &str) -> Option<String> {
        let waiting = self.records.flush(&|_| None);
        write_out(&waiting);
        write_out(&format!("{} ", prompt.trim_end()));
        let _ = std::io::stdout().flush();
        if let Some(answer) = self.answers.pop_front() {
            write_out(&format!("{answer}\n"));
            return Some(answer);
        }
        let mut line = String::new();
        let read = if self.asks_input { std::io::stdin().lock().read_line(&mut line).unwrap_or_default() } else { 0 };
        if read == 0 {
            write_out("\n");
            return None;
        }
        Some(line.trim_end_matches(['\r', '\n']).to_owned())
    }
}

/// Columns of the terminal that shows standard output, if one does.
pub(crate) fn terminal_width() -> Option<usize> {
    let is_terminal = std::io::stdout().is_terminal();
    is_terminal.then(|| terminal_size::terminal_size().map(|(width, _)| usize::from(width.0))).flatten().filter(|width| *width >= 20)
}

/// `C:\Scripts\drain.ps1:12`, or `line 3` of what was typed.
pub(crate) fn place(position: &Position) -> String {
    let line = position.line_column().0;
    if position.source.name.is_empty() { format!("line {line}") } else { format!("{}:{line}", position.source.name) }
}

/// Text of a script must not drive the terminal: control characters are shown as pictures.
fn harmless(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\n' | '\t' => c,
            '\u{7f}' => '\u{2421}',
            c if (c as u32) < 0x20 => char::from_u32(0x2400 + c as u32).unwrap_or(c),
            '\u{80}'..='\u{9f}' => '\u{fffd}',
            c => c,
        })
        .collect()
}

fn write_out(text: &str) {
    write_out_raw(&harmless(text));
}

fn write_out_raw(text: &str) {
    let _ = anstream::stdout().write_all(text.as_bytes());
}
