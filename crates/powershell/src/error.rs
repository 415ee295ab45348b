//! Error records, control flow and limits.

use std::sync::Arc;

use crate::command::CommandError;
use crate::source::Position;
use crate::value::Value;

/// `System.Management.Automation.ErrorRecord`.
#[derive(Debug, Clone)]
pub struct ErrorRecord {
    /// `Exception.Message`.
    pub message: Arc<str>,
    /// `FullyQualifiedErrorId`. Complete once `decorated` is true; before, only the first half.
    pub id: Arc<str>,
    /// `CategoryInfo.Category`, `InvalidOperation`.
    pub category: Arc<str>,
    /// .NET exception types, most derived first, full names; never empty.
    pub exception_types: Vec<Arc<str>>,
    /// Types of `Exception.InnerException`, when the exception wraps another: `catch` looks through the wrapper.
    pub inner_types: Vec<Arc<str>>,
    /// `TargetObject`.
    pub target: Value,
    /// `InvocationInfo.MyCommand.Name`; printed before the message by Windows PowerShell 5.1.
    pub command: Option<Arc<str>>,
    /// `CategoryInfo.Activity` where it is not the command: empty for unknown commands, `Write-Error` for its errors.
    pub activity: Option<Arc<str>>,
    /// Where it happened.
    pub position: Option<Position>,
    /// Whether a command already put its type behind the id and its name into `command`.
    pub decorated: bool,
    /// `ScriptStackTrace`, one call per line.
    pub stack: Arc<str>,
    /// `Exception`, when a script made the object; else it is made of types and message.
    pub exception: Option<Arc<Value>>,
}

impl ErrorRecord {
    /// A record without place and command.
    pub fn new(message: impl Into<Arc<str>>, id: impl Into<Arc<str>>, category: &str, exception: &str) -> Self {
        Self {
            message: message.into(),
            id: id.into(),
            category: category.into(),
            exception_types: exception_chain(exception),
            inner_types: Vec::new(),
            target: Value::Null,
            command: None,
            activity: None,
            position: None,
            decorated: false,
            stack: "".into(),
            exception: None,
        }
    }

    /// An error of the language itself (`System.Management.Automation.RuntimeException`): the id is final.
    pub fn runtime(message: impl Into<Arc<str>>, id: impl Into<Arc<str>>, category: &str) -> Self {
        Self { decorated: true, ..Self::new(message, id, category, "System.Management.Automation.RuntimeException") }
    }

    /// Sets the target.
    #[must_use]
    pub fn with_target(mut self, target: Value) -> Self {
        self.target = target;
        self
    }

    /// `Exception.InnerException.Message`: what a method said, without the sentence that wraps it.
    pub fn inner_message(&self) -> Arc<str> {
        match self.message.split_once(" argument(s): \"") {
            Some((head, rest)) if head.starts_with("Exception calling ") => rest.strip_suffix('"').unwrap_or(rest).into(),
            _ => self.message.clone(),
        }
    }

    /// `CategoryInfo.Activity`.
    pub fn activity(&self) -> &str {
        self.activity.as_deref().or(self.command.as_deref()).unwrap_or_default()
    }

    /// `CategoryInfo.Reason`: the short name of the exception type.
    pub fn reason(&self) -> &str {
        let full = self.exception_types.first().map_or("Exception", |t| t);
        full.rsplit('.').next().unwrap_or(full)
    }
}

impl From<CommandError> for ErrorRecord {
    fn from(error: CommandError) -> Self {
        let exception_types = match error.exception_types.as_slice() {
            [] => exception_chain("System.Exception"),
            [one] => exception_chain(one),
            more => more.to_vec(),
        };
        Self {
            message: error.message,
            id: error.id,
            category: error.category,
            exception_types,
            inner_types: Vec::new(),
            target: error.target,
            command: None,
            activity: None,
            position: None,
            decorated: false,
            stack: "".into(),
            exception: None,
        }
    }
}

/// Base types of the exceptions that scripts catch by name.
pub fn exception_chain(most_derived: &str) -> Vec<Arc<str>> {
    const BASES: &[(&str, &str)] = &[
        ("System.SystemException", "System.Exception"),
        ("System.Management.Automation.RuntimeException", "System.SystemException"),
        ("System.Management.Automation.CommandNotFoundException", "System.Management.Automation.RuntimeException"),
        ("System.Management.Automation.ActionPreferenceStopException", "System.Management.Automation.RuntimeException"),
        ("System.Management.Automation.ParameterBindingException", "System.Management.Automation.RuntimeException"),
        ("System.Management.Automation.ParameterBindingValidationException", "System.Management.Automation.ParameterBindingException"),
        (
            "System.Management.Automation.ParameterBindingArgumentTransformationException",
            "System.Management.Automation.ParameterBindingException",
        ),
        ("System.Management.Automation.SessionStateException", "System.Management.Automation.RuntimeException"),
        ("System.Management.Automation.SessionStateUnauthorizedAccessException", "System.Management.Automation.SessionStateException"),
        ("System.Management.Automation.ItemNotFoundException", "System.Management.Automation.SessionStateException"),
        ("System.Management.Automation.DriveNotFoundException", "System.Management.Automation.SessionStateException"),
        ("System.Management.Automation.ProviderNotFoundException", "System.Management.Automation.SessionStateException"),
        ("System.Management.Automation.ValidationMetadataException", "System.Management.Automation.MetadataException"),
        ("System.Management.Automation.MetadataException", "System.Management.Automation.RuntimeException"),
        ("System.Management.Automation.MethodInvocationException", "System.Management.Automation.MethodException"),
        ("System.Management.Automation.MethodException", "System.Management.Automation.ExtendedTypeSystemException"),
        ("System.Management.Automation.SetValueException", "System.Management.Automation.ExtendedTypeSystemException"),
        ("System.Management.Automation.SetValueInvocationException", "System.Management.Automation.SetValueException"),
        ("System.Management.Automation.GetValueException", "System.Management.Automation.ExtendedTypeSystemException"),
        ("System.Management.Automation.PropertyNotFoundException", "System.Management.Automation.ExtendedTypeSystemException"),
        ("System.Management.Automation.ExtendedTypeSystemException", "System.Management.Automation.RuntimeException"),
        ("System.Management.Automation.PSInvalidCastException", "System.InvalidCastException"),
        ("System.Management.Automation.ParseException", "System.Management.Automation.RuntimeException"),
        ("System.Management.Automation.ScriptRequiresException", "System.Management.Automation.RuntimeException"),
        ("System.Management.Automation.HaltCommandException", "System.SystemException"),
        ("System.Management.Automation.Host.HostException", "System.Management.Automation.RuntimeException"),
        ("System.Management.Automation.PSInvalidOperationException", "System.InvalidOperationException"),
        ("System.Management.Automation.PSArgumentException", "System.ArgumentException"),
        ("System.Management.Automation.PSArgumentNullException", "System.ArgumentNullException"),
        ("System.Management.Automation.PSArgumentOutOfRangeException", "System.ArgumentOutOfRangeException"),
        ("System.Management.Automation.PSNotSupportedException", "System.NotSupportedException"),
        ("System.Management.Automation.PSNotImplementedException", "System.NotImplementedException"),
        ("Microsoft.PowerShell.Commands.WriteErrorException", "System.SystemException"),
        ("Microsoft.PowerShell.Commands.ServiceCommandException", "System.SystemException"),
        ("Microsoft.PowerShell.Commands.ProcessCommandException", "System.SystemException"),
        ("System.InvalidCastException", "System.SystemException"),
        ("System.InvalidOperationException", "System.SystemException"),
        ("System.NullReferenceException", "System.SystemException"),
        ("System.NotSupportedException", "System.SystemException"),
        ("System.NotImplementedException", "System.SystemException"),
        ("System.FormatException", "System.SystemException"),
        ("System.IndexOutOfRangeException", "System.SystemException"),
        ("System.UnauthorizedAccessException", "System.SystemException"),
        ("System.TimeoutException", "System.SystemException"),
        ("System.OutOfMemoryException", "System.SystemException"),
        ("System.ArgumentException", "System.SystemException"),
        ("System.ArgumentNullException", "System.ArgumentException"),
        ("System.ArgumentOutOfRangeException", "System.ArgumentException"),
        ("System.ArithmeticException", "System.SystemException"),
        ("System.DivideByZeroException", "System.ArithmeticException"),
        ("System.OverflowException", "System.ArithmeticException"),
        ("System.RankException", "System.SystemException"),
        ("System.Collections.Generic.KeyNotFoundException", "System.SystemException"),
        ("System.IO.IOException", "System.SystemException"),
        ("System.IO.FileNotFoundException", "System.IO.IOException"),
        ("System.IO.DirectoryNotFoundException", "System.IO.IOException"),
        ("System.Net.WebException", "System.InvalidOperationException"),
        ("System.Net.Sockets.SocketException", "System.ComponentModel.Win32Exception"),
        ("System.ComponentModel.Win32Exception", "System.Runtime.InteropServices.ExternalException"),
        ("System.Runtime.InteropServices.ExternalException", "System.SystemException"),
        ("System.Runtime.InteropServices.COMException", "System.Runtime.InteropServices.ExternalException"),
    ];
    let mut chain: Vec<Arc<str>> = vec![most_derived.into()];
    let mut current = most_derived;
    while let Some((_, base)) = BASES.iter().find(|(name, _)| name.eq_ignore_ascii_case(current)) {
        chain.push((*base).into());
        current = base;
    }
    if !current.eq_ignore_ascii_case("System.Exception") {
        chain.push("System.Exception".into());
    }
    chain
}

/// How far a terminating error reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Ends the statement; the next one runs unless a `try` encloses it or the preference is `Stop`.
    Statement,
    /// Ends the function that raised it, and then the statement of its caller (`$PSCmdlet.ThrowTerminatingError`).
    Function,
    /// Ends the script (`throw`, `-ErrorAction Stop`).
    Script,
}

/// An error on its way to a handler.
#[derive(Debug, Clone)]
pub struct Failure {
    /// What happened.
    pub record: ErrorRecord,
    /// How far it reaches.
    pub reach: Reach,
    /// Whether `$Error` has it already.
    pub logged: bool,
}

/// Why evaluation left its straight course.
#[derive(Debug, Clone)]
pub enum Flow {
    /// `break`, with its label.
    Break(Option<Arc<str>>),
    /// `continue`, with its label.
    Continue(Option<Arc<str>>),
    /// `return`; its output is already out.
    Return,
    /// `exit`.
    Exit(i32),
    /// A terminating error.
    Error(Box<Failure>),
    /// A stage wants no more input (`Select-Object -First`); made by [`crate::pipeline::Context::stop_upstream`].
    StopUpstream(u64),
    /// A limit was hit; nothing catches it.
    Limit(LimitError),
}

impl Flow {
    /// A statement-terminating error.
    pub fn error(record: ErrorRecord) -> Self {
        Self::Error(Box::new(Failure { record, reach: Reach::Statement, logged: false }))
    }

    /// A script-terminating error.
    pub fn fatal(record: ErrorRecord) -> Self {
        Self::Error(Box::new(Failure { record, reach: Reach::Script, logged: false }))
    }
}

impl From<ErrorRecord> for Flow {
    fn from(record: ErrorRecord) -> Self {
        Self::error(record)
    }
}

impl From<CommandError> for Flow {
    fn from(error: CommandError) -> Self {
        Self::error(error.into())
    }
}

impl From<Box<CommandError>> for Flow {
    fn from(error: Box<CommandError>) -> Self {
        Self::error((*error).into())
    }
}

impl From<LimitError> for Flow {
    fn from(error: LimitError) -> Self {
        Self::Limit(crate::limits::hit(error))
    }
}

/// A limit of the evaluator that a script hit. Scripts are untrusted; each limit ends the run with its own name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LimitError {
    /// Statements and expressions evaluated.
    #[error("the script took more than {0} steps")]
    Steps(u64),
    /// Nested calls.
    #[error("calls are nested deeper than {0}")]
    CallDepth(usize),
    /// Length of one string, in bytes.
    #[error("a string grew beyond {0} bytes")]
    StringSize(usize),
    /// Elements of one collection.
    #[error("a collection grew beyond {0} elements")]
    CollectionSize(usize),
    /// Larger texts and collections together, in bytes.
    #[error("the script holds more than {0} bytes of large texts and collections")]
    Memory(usize),
    /// Nesting of the text itself, found while parsing text at run time.
    #[error("the text is nested deeper than {0} levels")]
    Nesting(usize),
    /// Steps back of one search with a regular expression.
    #[error("a regular expression took more than {0} steps back")]
    Regex(usize),
    /// Virtual time that went by in one run, in seconds.
    #[error("the script let more than {0} seconds go by")]
    VirtualTime(u64),
    /// Commands of one pipeline.
    #[error("a pipeline has more than {0} commands")]
    PipelineLength(usize),
    /// Records written to all streams of one run.
    #[error("the script wrote more than {0} records")]
    Records(usize),
}
