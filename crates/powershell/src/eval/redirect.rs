//! Redirections, and what is left to do when a pipeline is over.

use std::sync::Arc;

use super::pipeline::OutputRoute;
use super::streams::{Route, Routes};
use super::{Evaluator, Scope, Variable};
use crate::ast::*;
use crate::error::{ErrorRecord, Flow};
use crate::format;
use crate::value::{ArrayRef, List, ListKind, Value};

/// Work for the end of a pipeline.
pub(crate) enum Finish {
    /// Write a file.
    File { path: String, append: bool, content: ArrayRef },
    /// Set a variable (`-OutVariable`, `-ErrorVariable`): name with an optional `+`.
    Variable { name: Arc<str>, values: ArrayRef, scope: Arc<Scope> },
}

/// Redirections of one command, worked out.
pub(crate) struct Redirected {
    pub(crate) routes: Routes,
    pub(crate) output: OutputRoute,
    pub(crate) merge: Option<ArrayRef>,
    pub(crate) finish: Vec<Finish>,
}

fn buffer() -> ArrayRef {
    ArrayRef::default()
}

impl Evaluator<'_> {
    pub(crate) fn redirections(&mut self, redirections: &[Redirection]) -> Result<Redirected, Flow> {
        let mut done = Redirected { routes: (*self.env.routes).clone(), output: OutputRoute::Next, merge: None, finish: Vec::new() };
        for redirection in redirections {
            let route = match &redirection.to {
                RedirectionTarget::Output => Route::Buffer(done.merge.get_or_insert_with(buffer).clone()),
                RedirectionTarget::File { path, append } => {
                    let value = self.value(path)?;
                    if value.is_null() {
                        Route::Null
                    } else {
                        let content = buffer();
                        let path = self.text(&value);
                        done.finish.push(Finish::File { path, append: *append, content: content.clone() });
                        Route::Buffer(content)
                    }
                }
            };
            let all = redirection.from == RedirectedStream::All;
            let merging = matches!(redirection.to, RedirectionTarget::Output);
            let mut set = |stream: RedirectedStream, slot: fn(&mut Routes) -> &mut Route| {
                if all || redirection.from == stream {
                    *slot(&mut done.routes) = route.clone();
                }
            };
            set(RedirectedStream::Error, |r| &mut r.error);
            set(RedirectedStream::Warning, |r| &mut r.warning);
            set(RedirectedStream::Verbose, |r| &mut r.verbose);
            set(RedirectedStream::Debug, |r| &mut r.debug);
            set(RedirectedStream::Information, |r| &mut r.information);
            if (all || redirection.from == RedirectedStream::Output) && !merging {
                done.output = match route {
                    Route::Buffer(content) => OutputRoute::Buffer(content),
                    _ => OutputRoute::Null,
                };
            }
        }
        // `> file 2>&1`: what is merged into the output goes where the output goes.
        Ok(done)
    }

    pub(crate) fn finish(&mut self, finish: Finish) -> Result<(), Flow> {
        match finish {
            Finish::Variable { name, values, scope } => {
                let mut items = values.read().map(|v| v.clone()).unwrap_or_default();
                let (name, append) = match name.strip_prefix('+') {
                    Some(rest) => (Arc::from(rest), true),
                    None => (name, false),
                };
                let key = name.to_lowercase();
                if append && let Some(before) = scope.own(&key) {
                    let mut all = before.value.items().unwrap_or_default();
                    all.append(&mut items);
                    items = all;
                }
                scope.set(&key, Variable::new(&name, Value::List(List::new(ListKind::ArrayList, items))));
                Ok(())
            }
            Finish::File { path, append, content } => {
                let values = content.read().map(|v| v.clone()).unwrap_or_default();
                let mut text = String::new();
                if append && let Some(bytes) = self.world.read_file(&path) {
                    text = super::text::decode(&bytes);
                }
                for line in format::default_lines(&values, 120) {
                    text.push_str(&line);
                    text.push_str("\r\n");
                }
                self.check_text(text.len())?;
                if self.world.write_file(&path, &super::text::encode_utf16(&text)) {
                    return Ok(());
                }
                let mut record = ErrorRecord::new(
                    format!("Could not find a part of the path '{path}'."),
                    "FileOpenFailure",
                    "OpenError",
                    "System.IO.DirectoryNotFoundException",
                );
                record.decorated = true;
                Err(record.into())
            }
        }
    }
}
