//! The seam between the evaluator and the commands that are written in Rust.
//!
//! A command is a [`Stage`]: the evaluator calls `begin` once, `process` once for each pipeline object (once without
//! an object when the command stands first), `end` once. Everything a stage does to the world it does through its
//! [`Context`]. Stages push: [`Context::emit`] runs the rest of the pipeline before it returns.

use std::sync::Arc;

use crate::command::{BoundParameters, CommandInfo, CommandProvider, Host, RemoteTarget};
use crate::desk::Desk;
use crate::error::{ErrorRecord, Flow};
use crate::source::Span;
use crate::value::{ScriptBlock, Value};

/// What stands around a session: the commands of the fabric and its clock, prompts and files. One object is both,
/// because the same fabric backs both. `Send`, because evaluation runs on a thread with a deep stack.
pub trait World: CommandProvider + Host + Send {}

impl<T: CommandProvider + Host + Send> World for T {}

/// One argument of a command line after evaluation; splatted arguments are already expanded.
#[derive(Debug, Clone)]
pub struct Argument {
    /// What it is.
    pub kind: ArgumentKind,
    /// Where it stands.
    pub span: Span,
}

/// The kinds of arguments.
#[derive(Debug, Clone)]
pub enum ArgumentKind {
    /// `-Name`, or `-Name:value`. `-Name value` is a name without a value followed by a positional argument: only the
    /// binder knows whether the value belongs to the name.
    Named {
        /// Name as written, without the dash.
        name: Arc<str>,
        /// The value after the colon (or of a splatted entry), if there was one.
        value: Option<Value>,
        /// Where that value stands: errors about it underline it alone.
        value_span: Option<Span>,
    },
    /// Anything else.
    Positional {
        /// Its value.
        value: Value,
        /// Whether it was written as a bare word or number literal; the value is then the text as typed for words.
        bare: bool,
    },
}

/// How a stage gets its pipeline input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PipelineInput {
    /// As it comes: the stage looks at the object itself (`Where-Object`, `Select-Object`).
    Raw,
    /// Through the binder: [`Context::bound`] holds the parameters with the object bound by value or by property name.
    Bound,
}

/// A command written in Rust.
#[derive(Debug)]
pub struct Builtin {
    /// Its signature.
    pub info: fn() -> CommandInfo,
    /// How it gets pipeline input.
    pub input: PipelineInput,
    /// Makes a stage for one invocation, from the parameters given on the command line. Mandatory parameters that
    /// take pipeline input may still be missing here when the command is not the first of its pipeline.
    pub make: fn(BoundParameters) -> Box<dyn Stage>,
}

/// One command of a running pipeline.
pub trait Stage {
    /// Before the first object.
    fn begin(&mut self, cx: &mut dyn Context) -> Result<(), Flow> {
        let _ = cx;
        Ok(())
    }

    /// For each object of the pipeline; once with `None` when nothing stands before the command.
    fn process(&mut self, input: Option<Value>, cx: &mut dyn Context) -> Result<(), Flow>;

    /// After the last object.
    fn end(&mut self, cx: &mut dyn Context) -> Result<(), Flow> {
        let _ = cx;
        Ok(())
    }
}

/// In which scope a script block runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlockScope {
    /// In the scope of the pipeline, as `ForEach-Object` and `Where-Object` do: assignments stay visible.
    Current,
    /// In a new scope, as `&` does.
    Child,
    /// As on another computer (`Invoke-Command -ComputerName`, `Start-Job`): variables of the caller reach it through `$using:`
    /// alone.
    Remote,
}

/// One call of a script block.
#[derive(Debug, Clone)]
pub struct BlockCall<'a> {
    /// What to run.
    pub block: &'a ScriptBlock,
    /// `$_` while it runs; `None` leaves `$_` alone.
    pub underscore: Option<Value>,
    /// Positional arguments, `$args`.
    pub arguments: Vec<Value>,
    /// Where it runs.
    pub scope: BlockScope,
}

impl<'a> BlockCall<'a> {
    /// A call as `Where-Object` makes it: `$_` is set, the scope is the current one.
    pub fn each(block: &'a ScriptBlock, underscore: Value) -> Self {
        Self { block, underscore: Some(underscore), arguments: Vec::new(), scope: BlockScope::Current }
    }
}

/// One run of a script block apart from the session: on another computer, or as a job.
#[derive(Debug)]
pub struct RemoteCall<'a> {
    /// Where it runs; `None` runs it here, but without the variables of the session.
    pub target: Option<&'a RemoteTarget>,
    /// The remote session whose variables it sees.
    pub session: Option<i64>,
    /// What to run.
    pub block: &'a ScriptBlock,
    /// Positional arguments.
    pub arguments: Vec<Value>,
    /// `$input`.
    pub input: Vec<Value>,
    /// Whether all streams are collected as output (for jobs), instead of going where those of the caller go.
    pub collect: bool,
}

/// Where `Context::set_variable` writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VariableScope {
    /// The scope that runs the pipeline.
    Local,
    /// The scope of the script.
    Script,
    /// The session.
    Global,
    /// So many callers out: `-Scope 1`.
    Parent(usize),
}

/// What a stage can do. `Err` must be returned at once by the caller: it is control flow on its way.
pub trait Context {
    /// Pushes an object to the next stage, as it is: arrays stay whole.
    fn emit(&mut self, value: Value) -> Result<(), Flow>;
    /// Writes a non-terminating error. The evaluator adds command, position and the second half of the id, and honours
    /// `-ErrorAction`: with `Stop` this returns `Err`.
    fn write_error(&mut self, error: ErrorRecord) -> Result<(), Flow>;
    /// Writes a warning.
    fn warning(&mut self, text: &str) -> Result<(), Flow>;
    /// Writes a verbose message.
    fn verbose(&mut self, text: &str) -> Result<(), Flow>;
    /// Writes a debug message.
    fn debug(&mut self, text: &str) -> Result<(), Flow>;
    /// Writes to the information stream.
    fn information(&mut self, value: Value) -> Result<(), Flow>;
    /// Writes to the host, as `Write-Host` does; `newline` false for `-NoNewline`.
    fn host(&mut self, text: &str, newline: bool) -> Result<(), Flow>;

    /// Runs a script block and pushes its output to the next stage.
    fn run_block(&mut self, call: BlockCall<'_>) -> Result<(), Flow>;
    /// Runs a script block and hands each object of its output to `out`.
    fn call_block(&mut self, call: BlockCall<'_>, out: &mut dyn FnMut(Value) -> Result<(), Flow>) -> Result<(), Flow>;
    /// Text as a script block (`[scriptblock]::Create`); the error is that of the parser.
    fn script_block(&mut self, text: &str) -> Result<Value, Flow>;
    /// Runs text as script in the current scope and pushes its output to the next stage (`Invoke-Expression`).
    fn run_text(&mut self, text: &str) -> Result<(), Flow>;
    /// Runs a command by name with arguments and returns its output (`Sort-Object` inside another stage, `Out-Default`).
    fn run_command(&mut self, name: &str, arguments: Vec<Argument>, input: Option<Vec<Value>>) -> Result<Vec<Value>, Flow>;

    /// Runs a script block apart from the session and hands each object of its output to `out`, as it arrives from
    /// another computer: without methods, with the name of the computer.
    fn run_remote(&mut self, call: RemoteCall<'_>, out: &mut dyn FnMut(Value) -> Result<(), Flow>) -> Result<(), Flow>;
    /// Remote sessions, jobs, locations and whatever else the session keeps besides variables.
    fn desk(&mut self) -> &mut Desk;
    /// Removes an alias that a script set; false when there was none.
    fn remove_alias(&mut self, name: &str) -> bool;
    /// What the console shows of the records of this run from one on, and how many there are now.
    fn shown(&mut self, from: usize) -> (String, usize);
    /// A variable of the scope so many levels further out (0 is the current one), and of no other.
    fn variable_in(&mut self, name: &str, scope: usize) -> Option<Value>;

    /// Reads a variable as scripts see it; the name may carry a scope (`global:x`).
    fn variable(&mut self, name: &str) -> Option<Value>;
    /// Writes a variable.
    fn set_variable(&mut self, name: &str, value: Value, scope: VariableScope) -> Result<(), Flow>;
    /// Makes a variable read-only or writable again (`-Option`).
    fn set_read_only(&mut self, name: &str, scope: VariableScope, read_only: bool);
    /// `Set-Alias`.
    fn set_alias(&mut self, name: &str, command: &str);
    /// All aliases, sorted by name.
    fn aliases(&mut self) -> Vec<(Arc<str>, Arc<str>)>;
    /// Imports a module of the virtual file system; its object, or `None` when there is no such file.
    fn import_script_module(&mut self, request: &crate::eval::ModuleRequest) -> Result<Option<Value>, Flow>;
    /// Takes script modules out of the session; false when none matches.
    fn remove_script_module(&mut self, pattern: &str) -> bool;
    /// The script modules of the session.
    fn script_modules(&mut self) -> Vec<Value>;
    /// `Export-ModuleMember`; false outside a module.
    fn export_module_member(&mut self, exports: crate::eval::Exports) -> bool;
    /// The comment-based help of a function of the script; [`crate::parse::help_sections`] takes it apart.
    fn help_of(&mut self, name: &str) -> Option<Arc<str>>;
    /// `Set-StrictMode`: the version, or off.
    fn set_strict_mode(&mut self, version: Option<u8>);
    /// Removes a variable; false when there was none.
    fn remove_variable(&mut self, name: &str) -> bool;
    /// Names and values of all variables that are visible.
    fn variables(&mut self) -> Vec<(Arc<str>, Value)>;

    /// The parameters with the current pipeline object bound ([`PipelineInput::Bound`]); else those of the command line.
    fn bound(&self) -> &BoundParameters;
    /// Whether a stage stands before this one.
    fn has_input(&self) -> bool;
    /// An object of a class that a script defined; `None` when no script did.
    fn construct(&mut self, type_name: &str, arguments: &[Value]) -> Result<Option<Value>, Flow>;
    /// Asks whether to go on, as `ShouldProcess` does.
    fn should_process(&mut self, target: &str, action: &str) -> Result<bool, Flow>;
    /// What to return to end the stages before this one (`Select-Object -First`).
    fn stop_upstream(&mut self) -> Flow;
    /// What is known about a command by name: functions of the script, aliases, built-ins, commands of the world.
    fn command_info(&mut self, name: &str) -> Option<Arc<CommandInfo>>;
    /// All command names that the session knows.
    fn command_names(&mut self) -> Vec<Arc<str>>;
    /// The fabric around the session.
    fn world(&mut self) -> &mut dyn World;
    /// Records that something known is not modelled: the verdict becomes inconclusive and names it.
    fn unmodelled(&mut self, what: &str);
    /// Records a remark about the script.
    fn remark(&mut self, text: &str);
}
