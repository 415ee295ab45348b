//! Where the inputs of a session come from: a line editor with history and completion on a terminal, or the lines of a pipe.

use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::path::PathBuf;

use rustyline::completion::{Completer, Pair};
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::{Hinter, HistoryHinter};
use rustyline::history::FileHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{CompletionType, Config, Context, Editor, Helper};

use super::complete::Catalogue;

/// Longest input of a pipe, in bytes.
const MAX_INPUT: usize = 1 << 20;

/// What reading gave.
pub(crate) enum Read {
    /// An input, complete as far as PowerShell is concerned.
    Text(String),
    /// Nothing: it was given up.
    Cancelled,
    /// There is no more.
    End,
}

/// Source of inputs.
pub(crate) enum Input {
    Terminal { editor: Box<Editor<Assistant, FileHistory>>, history: Option<PathBuf> },
    Pipe,
}

/// Takes the terminal when there is one.
pub(crate) fn open(no_history: bool) -> Result<Input, ReadlineError> {
    if !std::io::stdin().is_terminal() {
        return Ok(Input::Pipe);
    }
    let config = Config::builder().completion_type(CompletionType::List).history_ignore_dups(true)?.max_history_size(2_000)?.build();
    let mut editor = Editor::with_config(config)?;
    editor.set_helper(Some(Assistant::default()));
    let history = if no_history { None } else { history_file() };
    if let Some(path) = &history {
        // No history yet is no error.
        let _ = editor.load_history(path);
    }
    Ok(Input::Terminal { editor: Box::new(editor), history })
}

fn history_file() -> Option<PathBuf> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let folder =
        set("XDG_STATE_HOME").or_else(|| Some(set("HOME")?.join(".local/state"))).or_else(|| set("LOCALAPPDATA"))?.join("firedrill");
    std::fs::create_dir_all(&folder).ok()?;
    Some(folder.join("shell-history"))
}

impl Input {
    pub(crate) fn is_piped(&self) -> bool {
        matches!(self, Self::Pipe)
    }

    pub(crate) fn read(&mut self, prompt: &str, catalogue: Catalogue, needs_more: &dyn Fn(&str) -> bool) -> Read {
        match self {
            Self::Pipe => read_pipe(needs_more),
            Self::Terminal { editor, history } => {
                if let Some(helper) = editor.helper_mut() {
                    helper.catalogue = catalogue;
                }
                match editor.readline(prompt) {
                    Ok(text) => {
                        let _ = editor.add_history_entry(text.as_str());
                        if let Some(path) = history {
                            let _ = editor.append_history(path);
                        }
                        Read::Text(text)
                    }
                    Err(ReadlineError::Interrupted) => Read::Cancelled,
                    Err(_) => Read::End,
                }
            }
        }
    }
}

/// Lines until they are complete; what is incomplete at the end is for PowerShell to complain about.
fn read_pipe(needs_more: &dyn Fn(&str) -> bool) -> Read {
    let mut text = String::new();
    let _ = std::io::stdout().flush();
    loop {
        let mut line = String::new();
        match std::io::stdin().lock().read_line(&mut line) {
            Ok(0) | Err(_) if text.is_empty() => return Read::End,
            Ok(0) | Err(_) => return Read::Text(text),
            Ok(_) => text.push_str(&line),
        }
        if text.len() > MAX_INPUT || !needs_more(&text) {
            return Read::Text(text);
        }
    }
}

/// Completes, hints from history, and knows when a line is not the last one.
#[derive(Default)]
pub(crate) struct Assistant {
    catalogue: Catalogue,
    hinter: HistoryHinter,
}

impl Helper for Assistant {}

impl Highlighter for Assistant {
    fn highlight_hint<'h>(&self, hint: &'h str) -> std::borrow::Cow<'h, str> {
        format!("\x1b[2m{hint}\x1b[0m").into()
    }
}

impl Hinter for Assistant {
    type Hint = String;

    fn hint(&self, line: &str, position: usize, context: &Context<'_>) -> Option<String> {
        self.hinter.hint(line, position, context)
    }
}

impl Completer for Assistant {
    type Candidate = Pair;

    fn complete(&self, line: &str, position: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<Pair>)> {
        let (start, candidates) = self.catalogue.complete(line, position);
        let pairs = candidates.into_iter().map(|text| Pair { display: text.clone(), replacement: text }).collect();
        Ok((start, pairs))
    }
}

impl Validator for Assistant {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        Ok(if super::needs_more(context.input()) { ValidationResult::Incomplete } else { ValidationResult::Valid(None) })
    }
}
