//! The door: sessions run text against a world.

use std::sync::Arc;

use crate::ast::ScriptBlockAst;
use crate::error::{ErrorRecord, Flow, LimitError};
use crate::eval::{Env, Evaluator, Frame, Invoked, Routes, Scope, ScopeKind, Sink, State, Variable};
use crate::parse::ParseError;
use crate::pipeline::World;
use crate::source::{Position, Source, Span};
use crate::value::Value;

mod render;

pub use render::{Console, error_lines, render, render_with};

/// Bounds on what a run may take. Scripts are untrusted.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Statements, operators, pipeline objects and method calls.
    pub steps: u64,
    /// Nested calls of functions, blocks and pipelines.
    pub call_depth: usize,
    /// Bytes of one string.
    pub string_size: usize,
    /// Elements of one collection.
    pub collection_size: usize,
    /// Records on all streams together.
    pub records: usize,
    /// Bytes of the larger texts and collections that are alive at one time.
    pub memory: usize,
    /// Commands of one pipeline.
    pub pipeline_length: usize,
    /// Virtual time that one run may let go by, in seconds.
    pub virtual_time: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            steps: 50_000_000,
            call_depth: 1000,
            string_size: 64 << 20,
            collection_size: 10_000_000,
            records: 5_000_000,
            memory: 2 << 30,
            pipeline_length: 1000,
            // A year: rehearsals take days.
            virtual_time: 366 * 86_400,
        }
    }
}

/// How confirmations are answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ConfirmPolicy {
    /// The host is asked ([`crate::Host::prompt`]).
    #[default]
    Ask,
    /// Yes to everything.
    Yes,
    /// No to everything.
    No,
}

/// How a session behaves.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Parameters that only the product's documents know do not bind.
    pub strict_binding: bool,
    /// Whether somebody sits at the console. The language itself always asks the host, which knows whether anybody
    /// answers; a door reads this to decide what the host does.
    pub interactive: bool,
    /// How confirmations are answered.
    pub confirm: ConfirmPolicy,
}

/// One record on a stream.
#[derive(Debug, Clone)]
pub struct StreamRecord {
    /// Stream and content.
    pub kind: StreamKind,
    /// The statement of the run's text that wrote it.
    pub span: Span,
}

/// Streams and what they carry.
#[derive(Debug, Clone)]
pub enum StreamKind {
    /// Stream 1.
    Output(Value),
    /// Stream 2.
    Error(Arc<ErrorRecord>),
    /// Stream 3.
    Warning(Arc<str>),
    /// Stream 4.
    Verbose(Arc<str>),
    /// Stream 5.
    Debug(Arc<str>),
    /// Stream 6, without what `Write-Host` writes.
    Information(Value),
    /// The host, as `Write-Host` writes to it.
    Host {
        /// The text.
        text: Arc<str>,
        /// Whether a line end follows.
        newline: bool,
    },
}

/// What a run left behind.
#[derive(Debug, Clone, Default)]
pub struct RunOutput {
    /// Records of all streams in the order in which they were written.
    pub streams: Vec<StreamRecord>,
    /// Known commands and parameters that are not modelled, with their places: the verdict is inconclusive.
    pub unmodelled: Vec<(Arc<str>, Position)>,
    /// Remarks about the script, with their places.
    pub remarks: Vec<(Arc<str>, Position)>,
    /// A terminating error ended the run, the text does not parse, a limit was hit, or `exit` was not zero.
    pub failed: bool,
    /// What `exit` said; 1 after a terminating error.
    pub exit_code: i32,
    /// It ended with `exit`.
    pub exited: bool,
    /// The limit that was hit.
    pub limit: Option<LimitError>,
    /// Syntax errors; nothing ran when there are any.
    pub parse_errors: Vec<ParseError>,
}

impl RunOutput {
    /// The objects of the output stream.
    pub fn objects(&self) -> impl Iterator<Item = &Value> {
        self.streams.iter().filter_map(|r| match &r.kind {
            StreamKind::Output(value) => Some(value),
            _ => None,
        })
    }

    /// The records of the error stream.
    pub fn errors(&self) -> impl Iterator<Item = &Arc<ErrorRecord>> {
        self.streams.iter().filter_map(|r| match &r.kind {
            StreamKind::Error(record) => Some(record),
            _ => None,
        })
    }
}

/// Parses text without running it.
pub fn parse(text: &str) -> (ScriptBlockAst, Vec<ParseError>) {
    crate::parse::parse(&Arc::new(Source::new("", text)))
}

/// A session: variables, functions and preferences outlive a run. Cheap enough to keep one for each computer.
#[derive(Debug)]
pub struct Session {
    limits: Limits,
    options: Options,
    state: State,
}

/// Collects the output of a run.
struct Top;

impl Sink for Top {
    fn emit(&mut self, ev: &mut Evaluator<'_>, value: Value) -> Result<(), Flow> {
        ev.push_record(StreamKind::Output(value))
    }
}

/// Stack of the thread that evaluates; deep enough for [`Limits::call_depth`] of its default.
const STACK: usize = 512 << 20;

impl Session {
    /// A fresh session.
    pub fn new(limits: Limits, options: Options) -> Self {
        Self { limits, options, state: State::new() }
    }

    /// The options, to change them between runs.
    pub fn options_mut(&mut self) -> &mut Options {
        &mut self.options
    }

    /// Sets a global variable.
    pub fn set_variable(&mut self, name: &str, value: Value) {
        self.state.global.set(&name.to_lowercase(), Variable::new(name, value));
    }

    /// Global variables that were set by scripts or callers, by name.
    pub fn variables(&self) -> Vec<(Arc<str>, Value)> {
        self.state.global.all().into_iter().map(|(_, variable)| (variable.name, variable.value)).collect()
    }

    /// Reads a global variable.
    pub fn variable(&self, name: &str) -> Option<Value> {
        self.state.global.own(&name.to_lowercase()).map(|v| v.value)
    }

    /// Runs text. `name` is what positions print (`C:\Scripts\drain.ps1`), empty for console input. Variables of the
    /// text are variables of the session, as at a console.
    pub fn run(&mut self, world: &mut dyn World, name: &str, text: &str) -> RunOutput {
        let source = Arc::new(Source::new(name, text));
        let (ast, errors) = crate::parse::parse(&source);
        if !errors.is_empty() {
            return Self::refused(&source, errors);
        }
        let ast = Arc::new(ast);
        let limits = self.limits;
        let options = &self.options;
        let state = &mut self.state;
        // Evaluation recurses with the script: it gets a stack of its own, deep enough for the limit on depth.
        std::thread::scope(|scope| {
            let run =
                std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, || Self::evaluate(world, state, options, limits, &ast));
            match run.map(|handle| handle.join()) {
                Ok(Ok(output)) => output,
                Ok(Err(panic)) => std::panic::resume_unwind(panic),
                Err(_) => RunOutput { failed: true, exit_code: 1, limit: Some(LimitError::CallDepth(0)), ..RunOutput::default() },
            }
        })
    }

    fn refused(source: &Arc<Source>, errors: Vec<ParseError>) -> RunOutput {
        let streams = errors
            .iter()
            .map(|error| {
                let mut record =
                    ErrorRecord::new(error.message.clone(), error.id, "ParserError", "System.Management.Automation.ParseException");
                record.decorated = true;
                record.position = Some(Position { source: source.clone(), span: error.span });
                StreamRecord { kind: StreamKind::Error(Arc::new(record)), span: error.span }
            })
            .collect();
        RunOutput { streams, failed: true, exit_code: 1, parse_errors: errors, ..RunOutput::default() }
    }

    fn evaluate(world: &mut dyn World, state: &mut State, options: &Options, limits: Limits, ast: &Arc<ScriptBlockAst>) -> RunOutput {
        let scope = state.global.clone();
        let frame = Arc::new(Frame {
            name: "".into(),
            position: None,
            source: ast.source.clone(),
            function: None,
            invoked: Arc::new(Invoked::default()),
            bound: crate::command::BoundParameters::default(),
            unbound: Vec::new(),
            script: !ast.source.name.is_empty(),
            parent: None,
        });
        let mut evaluator = Evaluator {
            world,
            state,
            options,
            limits,
            output: RunOutput::default(),
            env: Env { scope, frame, routes: Arc::new(Routes::default()) },
            ok: true,
            propagate: false,
            loading: Vec::new(),
            using: None,
            handled: Vec::new(),
            steps: 0,
            depth: 0,
            statement: Span::default(),
        };
        crate::limits::start(&limits, STACK);
        let before = crate::types::classes::install(std::mem::take(&mut evaluator.state.types));
        let result = evaluator.follow_console().and_then(|()| evaluator.top(ast, &mut Top));
        evaluator.leave_console();
        evaluator.save_transcript();
        let mut output = std::mem::take(&mut evaluator.output);
        evaluator.state.types = crate::types::classes::install(before);
        // What was hit in the last statement, or dropped on its way here.
        let result = crate::limits::check().map_err(Flow::Limit).and(result);
        match result {
            Ok(()) | Err(Flow::Return | Flow::Break(_) | Flow::Continue(_) | Flow::StopUpstream(_)) => {}
            Err(Flow::Exit(code)) => {
                evaluator.state.last_exit_code = Some(code);
                output.exited = true;
                output.exit_code = code;
                output.failed = code != 0;
            }
            Err(Flow::Error(mut failure)) => {
                evaluator.remember(&mut failure);
                let span = evaluator.statement;
                output.streams.push(StreamRecord { kind: StreamKind::Error(Arc::new(failure.record)), span });
                output.failed = true;
                output.exit_code = 1;
            }
            Err(Flow::Limit(limit)) => {
                let mut record =
                    ErrorRecord::new(limit.to_string(), "LimitExceeded", "LimitsExceeded", "System.Management.Automation.RuntimeException");
                record.decorated = true;
                record.position = Some(Position { source: ast.source.clone(), span: evaluator.statement });
                output.streams.push(StreamRecord { kind: StreamKind::Error(Arc::new(record)), span: evaluator.statement });
                output.limit = Some(limit);
                output.failed = true;
                output.exit_code = 1;
            }
        }
        output
    }
}

impl State {
    pub(crate) fn new() -> Self {
        let global = Scope::new(ScopeKind::Global, None);
        let state = Self {
            global,
            errors: crate::value::ArrayRef::default(),
            aliases: std::collections::BTreeMap::new(),
            last_exit_code: None,
            patterns: Default::default(),
            types: crate::types::classes::Types::new(),
            modules: Default::default(),
            next_id: 0,
            desk: crate::desk::Desk::default(),
        };
        crate::eval::initial_variables(&state.global, &state.errors);
        state
    }
}
