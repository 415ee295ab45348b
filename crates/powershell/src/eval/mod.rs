//! The evaluator: walks the tree, pushes objects through pipelines, keeps scopes, streams and errors.

mod assign;
mod automatic;
mod calls;
mod casts;
mod classes;
mod commands;
mod context;
mod dynamic;
mod errors;
mod expressions;
mod functions;
mod loops;
mod modules;
mod operators;
pub(crate) use operators::{like, regex_for};
mod pipeline;
mod redirect;
mod remote;
mod requires;
pub(crate) mod scope;
mod statements;
mod streams;
mod text;
pub(crate) use text::windows_1252;
mod validation;
mod world;

use std::sync::Arc;

use crate::command::BoundParameters;
use crate::error::{Flow, LimitError};
use crate::pipeline::World;
use crate::session::{Limits, Options, RunOutput};
use crate::source::{Position, Source, Span};
use crate::value::Value;

pub(crate) use dynamic::{TYPES as DYNAMIC_TYPES, new_object as new_dynamic_object};
pub(crate) use errors::Action;
pub use modules::{Exports, ModuleRequest};
pub(crate) use remote::fresh_scope;
pub(crate) use scope::{Function, Scope, ScopeKind, Variable};
pub(crate) use streams::{Route, Routes};

/// What outlives one run.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) global: Arc<Scope>,
    pub(crate) errors: crate::value::ArrayRef,
    /// Aliases that scripts set, by lower-case name.
    pub(crate) aliases: std::collections::BTreeMap<Arc<str>, Arc<str>>,
    pub(crate) last_exit_code: Option<i32>,
    /// Compiled regular expressions.
    pub(crate) patterns: operators::PatternCache,
    /// Script modules by the path of their file.
    pub(crate) modules: modules::Modules,
    /// Types that scripts defined.
    pub(crate) types: crate::types::classes::Types,
    /// Steps of all runs so far are not counted: limits are per run.
    pub(crate) next_id: u64,
    /// Remote sessions, jobs, locations.
    pub(crate) desk: crate::desk::Desk,
}

/// Where objects go.
pub(crate) trait Sink {
    fn emit(&mut self, ev: &mut Evaluator<'_>, value: Value) -> Result<(), Flow>;

    /// Where a method of a class keeps what it returns; all its other output is dropped. `None` for every other sink.
    fn only_returns(&mut self) -> Option<&mut Option<Value>> {
        None
    }
}

impl Sink for Vec<Value> {
    fn emit(&mut self, ev: &mut Evaluator<'_>, value: Value) -> Result<(), Flow> {
        if self.len() >= ev.limits.collection_size {
            return Err(LimitError::CollectionSize(ev.limits.collection_size).into());
        }
        self.push(value);
        Ok(())
    }
}

/// Drops everything.
pub(crate) struct Nowhere;

impl Sink for Nowhere {
    fn emit(&mut self, _: &mut Evaluator<'_>, _: Value) -> Result<(), Flow> {
        Ok(())
    }
}

/// What runs: a script, a function, a command. Frames know their caller.
#[derive(Debug)]
pub(crate) struct Frame {
    /// Name of the function or script; empty for console input.
    pub(crate) name: Arc<str>,
    /// The call.
    pub(crate) position: Option<Position>,
    /// The text that runs.
    pub(crate) source: Arc<Source>,
    /// Whether this is a function (as opposed to a script or block).
    pub(crate) function: Option<Arc<Function>>,
    pub(crate) invoked: Arc<Invoked>,
    pub(crate) bound: BoundParameters,
    /// Arguments that no parameter took.
    pub(crate) unbound: Vec<Value>,
    /// Whether a script file runs, as opposed to a function.
    pub(crate) script: bool,
    pub(crate) parent: Option<Arc<Frame>>,
}

/// One invocation of a command, as its streams and errors see it.
#[derive(Debug, Default)]
pub(crate) struct Invoked {
    pub(crate) name: Arc<str>,
    /// Second half of `FullyQualifiedErrorId`.
    pub(crate) type_name: Arc<str>,
    pub(crate) position: Option<Position>,
    pub(crate) error_action: Option<Action>,
    pub(crate) warning_action: Option<Action>,
    pub(crate) information_action: Option<Action>,
    pub(crate) verbose: Option<bool>,
    pub(crate) debug: Option<bool>,
    pub(crate) what_if: Option<bool>,
    pub(crate) confirm: Option<bool>,
    pub(crate) impact: crate::command::ConfirmImpact,
    pub(crate) should_process: bool,
    /// Answer that holds for the rest of the invocation (`A`, `L`).
    pub(crate) answer: std::sync::atomic::AtomicU8,
    /// Whether it wrote an error; decides `$?`.
    pub(crate) failed: std::sync::atomic::AtomicBool,
}

/// What changes from stage to stage.
#[derive(Debug, Clone)]
pub(crate) struct Env {
    pub(crate) scope: Arc<Scope>,
    pub(crate) frame: Arc<Frame>,
    pub(crate) routes: Arc<Routes>,
}

/// The evaluator of one run.
pub(crate) struct Evaluator<'w> {
    pub(crate) world: &'w mut dyn World,
    pub(crate) state: &'w mut State,
    pub(crate) options: &'w Options,
    pub(crate) limits: Limits,
    pub(crate) output: RunOutput,
    pub(crate) env: Env,
    /// `$?`
    pub(crate) ok: bool,
    /// Inside `try` or a block with traps: statement-terminating errors leave the block.
    pub(crate) propagate: bool,
    /// Modules that are being loaded, innermost last.
    pub(crate) loading: Vec<modules::Loading>,
    /// What `$using:` reads while a block runs as on another computer.
    pub(crate) using: Option<Arc<Scope>>,
    /// Errors being handled, for `throw` without a value.
    pub(crate) handled: Vec<crate::error::ErrorRecord>,
    pub(crate) steps: u64,
    pub(crate) depth: usize,
    /// The statement of the run's own text that is being executed.
    pub(crate) statement: Span,
}

impl Evaluator<'_> {
    /// Counts one step.
    pub(crate) fn step(&mut self) -> Result<(), Flow> {
        self.steps += 1;
        if self.steps > self.limits.steps {
            return Err(LimitError::Steps(self.limits.steps).into());
        }
        Ok(crate::limits::check()?)
    }

    /// Runs `f` one call deeper.
    pub(crate) fn deeper<T>(&mut self, f: impl FnOnce(&mut Self) -> Result<T, Flow>) -> Result<T, Flow> {
        if self.depth >= self.limits.call_depth {
            return Err(LimitError::CallDepth(self.limits.call_depth).into());
        }
        crate::limits::stack(self.depth)?;
        self.depth += 1;
        let result = f(self);
        self.depth -= 1;
        result
    }

    /// Runs `f` in another environment.
    pub(crate) fn within<T>(&mut self, env: Env, f: impl FnOnce(&mut Self) -> T) -> T {
        let before = std::mem::replace(&mut self.env, env);
        let result = f(self);
        self.env = before;
        result
    }

    pub(crate) fn position(&self, span: Span) -> Position {
        Position { source: self.env.frame.source.clone(), span }
    }

    pub(crate) fn next_id(&mut self) -> u64 {
        self.state.next_id += 1;
        self.state.next_id
    }

    /// Refuses texts beyond the limit.
    pub(crate) fn check_text(&self, length: usize) -> Result<(), Flow> {
        if length > self.limits.string_size {
            return Err(LimitError::StringSize(self.limits.string_size).into());
        }
        Ok(())
    }
}

/// The value of a list of outputs: nothing, the one, or an array.
pub(crate) fn collapse(mut values: Vec<Value>) -> (Value, bool) {
    match values.len() {
        0 => (Value::Null, true),
        1 => (values.remove(0), false),
        _ => (Value::array(values), false),
    }
}

pub(crate) use automatic::initial as initial_variables;

impl Evaluator<'_> {
    /// The statements of the run's own text, noting which one runs.
    pub(crate) fn top(&mut self, ast: &Arc<crate::ast::ScriptBlockAst>, sink: &mut dyn Sink) -> Result<(), Flow> {
        if !ast.source.name.is_empty() {
            self.check_requirements(ast)?;
        }
        self.enter_script(ast)?;
        if !ast.parameters.is_empty() {
            for parameter in &ast.parameters {
                let value = match &parameter.default {
                    Some(default) => self.value(default)?,
                    None => functions::default_of(parameter),
                };
                if !value.is_null() || self.env.scope.own(&parameter.name.key).is_none() {
                    self.set_parameter_default(parameter, value)?;
                }
            }
        }
        for block in [&ast.begin, &ast.process, &ast.end].into_iter().flatten() {
            if !block.traps.is_empty() {
                self.statement = block.span;
                self.block(block, sink)?;
                continue;
            }
            for statement in &block.statements {
                self.statement = statement.span;
                self.step()?;
                if let Err(flow) = self.statement(statement, sink) {
                    self.statement_failed(flow, statement.span)?;
                }
                self.follow_console()?;
            }
        }
        Ok(())
    }
}
