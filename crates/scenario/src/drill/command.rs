//! What a step said: PowerShell, Topology Builder or the deployment wizard.

use std::sync::Arc;

use firedrill_fabric::operation::{Channel, OperationReport};
use firedrill_fabric::{OperationError, SimDuration, SimTime};
use firedrill_powershell::session::{RunOutput, StreamKind, error_lines};
use firedrill_powershell::source::{Position as ScriptPosition, Span as ScriptSpan};
use firedrill_powershell::{Value, convert, format};
use serde::Serialize;

/// Width of the console for which output is formatted: wide enough that nothing people assert on is cut.
pub const CONSOLE_WIDTH: usize = 240;

/// Streams of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StreamName {
    /// Formatted objects.
    Output,
    /// Errors as the console shows them.
    Error,
    /// Warnings.
    Warning,
    /// Verbose messages.
    Verbose,
    /// Debug messages.
    Debug,
    /// Information records.
    Information,
    /// What was written to the host.
    Host,
    /// Prompts and their answers.
    Prompt,
}

/// One error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ErrorSummary {
    /// `Exception.Message`.
    pub message: String,
    /// `FullyQualifiedErrorId`.
    pub id: String,
    /// `CategoryInfo.Category`.
    pub category: String,
    /// The whole error as the console shows it.
    pub console: String,
    /// Bytes of the script's statement that wrote it; none for the dialogs.
    #[serde(skip)]
    pub statement: Option<ScriptSpan>,
}

/// Everything that a step said.
#[derive(Debug, Clone, Default)]
pub struct Said {
    /// Text by stream, in the order in which it was written; prompts that were answered come first.
    pub streams: Vec<(StreamName, String)>,
    /// Objects of the output.
    pub objects: Vec<Value>,
    /// Errors.
    pub errors: Vec<ErrorSummary>,
    /// Known commands and parameters that are not modelled, with their places.
    pub unmodelled: Vec<(Arc<str>, ScriptPosition)>,
    /// Remarks about the script, with their places.
    pub remarks: Vec<(Arc<str>, ScriptPosition)>,
    /// A limit that ended it.
    pub limit: Option<String>,
    /// Prompts that nobody answered.
    pub unanswered: Vec<String>,
    /// How long it took.
    pub took: SimDuration,
    /// A terminating error or a limit ended it, it does not parse, or `exit` was not zero.
    pub failed: bool,
    /// It ended with `exit`.
    pub left: bool,
    /// What `exit` said; 1 after a terminating error.
    pub exit_code: i32,
}

impl Said {
    /// The text of one stream, a line end between two records.
    pub fn text(&self, stream: StreamName) -> String {
        let parts: Vec<&str> = self.streams.iter().filter(|(name, _)| *name == stream).map(|(_, text)| text.as_str()).collect();
        parts.join("\n")
    }

    /// Nothing but a refusal to run at all.
    pub(crate) fn refused(error: &OperationError) -> Self {
        let mut said = Self::default();
        said.add_error("Windows PowerShell", error);
        said
    }

    /// All that a run of PowerShell left behind.
    pub(crate) fn from_run(output: &RunOutput, prompts: Vec<(String, Option<String>)>, took: SimDuration) -> Self {
        let mut said = Self { took, ..Self::default() };
        // A prompt comes before what its answer lets happen.
        for (prompt, answer) in prompts {
            match answer {
                Some(answer) => said.streams.push((StreamName::Prompt, format!("{prompt} {answer}"))),
                None => said.unanswered.push(prompt),
            }
        }
        let mut pending: Vec<Value> = Vec::new();
        let mut host_line = String::new();
        for record in &output.streams {
            if let StreamKind::Output(value) = &record.kind {
                said.objects.push(value.clone());
                pending.push(value.clone());
                continue;
            }
            said.format(&mut pending);
            if let StreamKind::Host { text, newline } = &record.kind {
                host_line.push_str(text);
                if *newline {
                    said.streams.push((StreamName::Host, std::mem::take(&mut host_line)));
                }
                continue;
            }
            let (name, text) = match &record.kind {
                StreamKind::Error(error) => {
                    let summary = ErrorSummary {
                        message: error.message.to_string(),
                        id: error.id.to_string(),
                        category: error.category.to_string(),
                        console: error_lines(error).join("\n").trim_end().to_owned(),
                        statement: Some(record.span),
                    };
                    said.errors.push(summary.clone());
                    (StreamName::Error, summary.console)
                }
                StreamKind::Warning(text) => (StreamName::Warning, text.to_string()),
                StreamKind::Verbose(text) => (StreamName::Verbose, text.to_string()),
                StreamKind::Debug(text) => (StreamName::Debug, text.to_string()),
                StreamKind::Information(value) => (StreamName::Information, convert::display(value)),
                // Handled above.
                StreamKind::Output(_) | StreamKind::Host { .. } => continue,
            };
            said.streams.push((name, text));
        }
        said.format(&mut pending);
        if !host_line.is_empty() {
            said.streams.push((StreamName::Host, host_line));
        }
        said.unmodelled.clone_from(&output.unmodelled);
        said.remarks.clone_from(&output.remarks);
        (said.failed, said.left, said.exit_code) = (output.failed, output.exited, output.exit_code);
        said.limit = output.limit.map(|limit| limit.to_string());
        said
    }

    fn format(&mut self, pending: &mut Vec<Value>) {
        if pending.is_empty() {
            return;
        }
        let lines = format::default_lines(pending, CONSOLE_WIDTH);
        let text = lines.iter().map(|line| line.trim_end()).collect::<Vec<_>>().join("\n");
        self.streams.push((StreamName::Output, text.trim_matches('\n').to_owned()));
        pending.clear();
    }

    /// Adds what an operation of the fabric reported, in the voice of the dialog that ran it.
    pub(crate) fn add_report(&mut self, dialog: &str, report: &OperationReport) {
        for (_, channel, text) in &report.messages {
            let stream = match channel {
                Channel::Verbose => StreamName::Verbose,
                Channel::Warning => StreamName::Warning,
                Channel::Host => StreamName::Host,
            };
            self.streams.push((stream, text.clone()));
        }
        if let Err(error) = &report.outcome {
            self.add_error(dialog, error);
        }
    }

    /// Adds a refusal.
    pub(crate) fn add_error(&mut self, dialog: &str, error: &OperationError) {
        let summary = ErrorSummary {
            message: error.message.clone(),
            id: error.id.to_owned(),
            category: error.category.to_owned(),
            console: format!("{dialog}: {}", error.message),
            statement: None,
        };
        self.streams.push((StreamName::Error, summary.console.clone()));
        self.errors.push(summary);
    }

    pub(crate) fn close(&mut self, started: SimTime, now: SimTime) {
        self.took = now.since(started);
    }
}
