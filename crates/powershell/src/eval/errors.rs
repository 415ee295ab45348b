//! Errors: preference, reporting, `$Error`, matching of catch clauses.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::{Evaluator, Invoked};
use crate::ast::CatchClause;
use crate::error::{ErrorRecord, Failure, Flow, Reach};
use crate::session::{StreamKind, StreamRecord};
use crate::source::Position;
use crate::source::Span;
use crate::types;
use crate::value::Value;

/// `System.Management.Automation.ActionPreference`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    SilentlyContinue,
    Stop,
    Continue,
    Inquire,
    Ignore,
}

impl Action {
    /// Reads a preference value: a name (a unique prefix is enough), an enumeration member or its number.
    pub(crate) fn of(value: &Value) -> Option<Self> {
        let from_number = |n: i64| match n {
            0 => Some(Self::SilentlyContinue),
            1 => Some(Self::Stop),
            2 => Some(Self::Continue),
            3 => Some(Self::Inquire),
            4 => Some(Self::Ignore),
            _ => None,
        };
        let name = match value {
            Value::Int(n) => return from_number(i64::from(*n)),
            Value::Enum(member) => member.name.clone(),
            Value::Str(text) => text.clone(),
            _ => return None,
        };
        let lower = name.trim().to_lowercase();
        if lower.is_empty() {
            return None;
        }
        [
            ("silentlycontinue", Self::SilentlyContinue),
            ("stop", Self::Stop),
            ("continue", Self::Continue),
            ("inquire", Self::Inquire),
            ("ignore", Self::Ignore),
        ]
        .into_iter()
        .find(|(full, _)| full.starts_with(&lower))
        .map(|(_, action)| action)
    }

    /// As an enumeration member.
    pub(crate) fn value(self) -> Value {
        let (name, number) = match self {
            Self::SilentlyContinue => ("SilentlyContinue", 0),
            Self::Stop => ("Stop", 1),
            Self::Continue => ("Continue", 2),
            Self::Inquire => ("Inquire", 3),
            Self::Ignore => ("Ignore", 4),
        };
        Value::Enum(Arc::new(crate::value::EnumValue {
            type_name: "System.Management.Automation.ActionPreference".into(),
            name: name.into(),
            number,
        }))
    }
}

/// The exception type and message of a thrown exception object (`throw [System.Exception]'x'`, `New-Object`).
pub(crate) fn exception_of(value: &Value) -> Option<(Arc<str>, Arc<str>)> {
    let Value::Object(object) = value else { return None };
    let kind = object.type_names.first()?;
    let is_exception = object.type_names.iter().any(|t| &**t == "System.Exception") || kind.ends_with("Exception");
    let Value::Str(message) = object.get("Message")? else { return None };
    is_exception.then(|| (kind.clone(), message))
}

impl Evaluator<'_> {
    pub(crate) fn preference(&mut self, name: &str, default: Action) -> Action {
        self.env.scope.value(name).and_then(|(value, _)| Action::of(&value)).unwrap_or(default)
    }

    /// Gives a record its place, unless it has one.
    pub(crate) fn locate(&self, record: &mut ErrorRecord, span: Span) {
        if record.position.is_none() {
            record.position = Some(self.position(span));
        }
        if record.stack.is_empty() {
            record.stack = self.stack_trace(record).into();
        }
    }

    fn stack_trace(&self, record: &ErrorRecord) -> String {
        let mut lines = Vec::new();
        let mut place = record.position.clone();
        let mut frame = Some(&self.env.frame);
        while let Some(current) = frame {
            let name = if current.function.is_some() { &*current.name } else { "<ScriptBlock>" };
            let file = match &place {
                Some(place) if !place.source.name.is_empty() => place.source.name.to_string(),
                _ => "<No file>".to_owned(),
            };
            let line = place.as_ref().map_or(1, |p| p.line_column().0);
            lines.push(format!("at {name}, {file}: line {line}"));
            place.clone_from(&current.position);
            frame = current.parent.as_ref();
        }
        lines.join("\n")
    }

    /// A statement ended with `flow`: what only ends the statement is reported here, everything else goes on.
    pub(crate) fn statement_failed(&mut self, flow: Flow, span: Span) -> Result<(), Flow> {
        let Flow::Error(mut failure) = flow else { return Err(flow) };
        self.locate(&mut failure.record, span);
        self.ok = false;
        if self.propagate {
            return Err(Flow::Error(failure));
        }
        let action = self.preference("erroractionpreference", Action::Continue);
        match (action, failure.reach) {
            (_, Reach::Function) => Err(Flow::Error(failure)),
            (Action::SilentlyContinue, _) => {
                self.remember(&mut failure);
                Ok(())
            }
            (Action::Ignore, _) => Ok(()),
            (_, Reach::Script) => Err(Flow::Error(failure)),
            (Action::Stop, Reach::Statement) => {
                failure.reach = Reach::Script;
                Err(Flow::Error(failure))
            }
            (Action::Continue | Action::Inquire, Reach::Statement) => self.report(*failure),
        }
    }

    /// Writes a terminating error to the error stream.
    pub(crate) fn report(&mut self, mut failure: Failure) -> Result<(), Flow> {
        self.remember(&mut failure);
        self.ok = false;
        self.write_error_record(Arc::new(failure.record))
    }

    /// Files a failure in `$Error`, once.
    pub(crate) fn remember(&mut self, failure: &mut Failure) {
        if !std::mem::replace(&mut failure.logged, true) {
            let record = Arc::new(failure.record.clone());
            self.remember_record(&record);
        }
    }

    pub(crate) fn remember_record(&mut self, record: &Arc<ErrorRecord>) {
        const MAXIMUM: usize = 256;
        if record.id.starts_with(crate::types::regexes::NOT_MODELLED) {
            let what = format!("regular expression {}", crate::convert::display(&record.target));
            let place = self.here();
            self.output.unmodelled.push((what.into(), place));
        }
        if let Ok(mut errors) = self.state.errors.write() {
            errors.insert(0, Value::Error(record.clone()));
            errors.truncate(MAXIMUM);
        }
        for variable in &self.env.routes.error_variables {
            if let Ok(mut values) = variable.write() {
                values.push(Value::Error(record.clone()));
            }
        }
    }

    /// Puts the name of the command, its place and its type into a record.
    pub(crate) fn decorate(&self, record: &mut ErrorRecord, invoked: &Invoked) {
        if record.decorated {
            return;
        }
        record.decorated = true;
        if !invoked.type_name.is_empty() {
            record.id = format!("{},{}", record.id, invoked.type_name).into();
        }
        if record.command.is_none() && !invoked.name.is_empty() {
            record.command = Some(invoked.name.clone());
        }
        if record.position.is_none() {
            record.position.clone_from(&invoked.position);
        }
    }

    /// A non-terminating error of a command.
    pub(crate) fn non_terminating(&mut self, mut record: ErrorRecord, invoked: &Invoked) -> Result<(), Flow> {
        self.decorate(&mut record, invoked);
        if record.stack.is_empty() {
            record.stack = self.stack_trace(&record).into();
        }
        invoked.failed.store(true, Ordering::Relaxed);
        let action = match invoked.error_action {
            Some(action) => action,
            None => self.preference("erroractionpreference", Action::Continue),
        };
        match action {
            Action::Ignore => Ok(()),
            Action::SilentlyContinue => {
                self.remember_record(&Arc::new(record));
                Ok(())
            }
            Action::Stop => Err(Flow::fatal(record)),
            Action::Continue | Action::Inquire => {
                let record = Arc::new(record);
                self.remember_record(&record);
                self.write_error_record(record)
            }
        }
    }

    fn write_error_record(&mut self, record: Arc<ErrorRecord>) -> Result<(), Flow> {
        let routes = self.env.routes.clone();
        self.write_routed(&routes.error, Value::Error(record.clone()), StreamKind::Error(record))
    }

    /// Appends to the streams of the run.
    /// The statement that runs.
    pub(crate) fn here(&self) -> Position {
        Position { source: self.env.frame.source.clone(), span: self.statement }
    }

    pub(crate) fn push_record(&mut self, kind: StreamKind) -> Result<(), Flow> {
        if self.output.streams.len() >= self.limits.records {
            return Err(crate::error::LimitError::Records(self.limits.records).into());
        }
        let record = StreamRecord { kind, span: self.statement };
        self.world.wrote(&record);
        self.output.streams.push(record);
        Ok(())
    }

    /// The clause that catches a record: the most specific type wins, a clause without types is last.
    pub(crate) fn matching<'a>(&self, record: &ErrorRecord, clauses: &'a [CatchClause]) -> Option<&'a CatchClause> {
        // The base of all exceptions catches last, so that a wrapped exception is found first.
        let specific = |t: &&Arc<str>| !matches!(&***t, "System.Exception" | "System.SystemException");
        let outer = record.exception_types.iter();
        let order = outer.clone().filter(specific).chain(&record.inner_types).chain(outer);
        for exception in order {
            for clause in clauses {
                let named = clause.types.iter().any(|t| names_type(&t.name, exception));
                if named {
                    return Some(clause);
                }
            }
        }
        clauses.iter().find(|c| c.types.is_empty())
    }

    /// `[ErrorRecord]::new(exception, id, category, target)`.
    pub(crate) fn new_error_record(&self, arguments: &[Value]) -> Value {
        let exception = arguments.first().cloned().unwrap_or(Value::Null);
        let (kind, message) = match exception_of(&exception) {
            Some((kind, message)) => (kind, message),
            None => ("System.Exception".into(), self.text(&exception).into()),
        };
        let text = |at: usize| arguments.get(at).map(|v| self.text(v)).unwrap_or_default();
        let category = text(2);
        let category = if category.is_empty() { "NotSpecified" } else { &category };
        let mut record = ErrorRecord::new(message, text(1), category, &kind).with_target(arguments.get(3).cloned().unwrap_or(Value::Null));
        if let Value::Object(object) = &exception {
            record.exception_types = object.type_names.iter().filter(|t| &***t != "System.Object").cloned().collect();
            record.exception = Some(Arc::new(exception.clone()));
        }
        Value::Error(Arc::new(record))
    }

    /// Methods of `$PSCmdlet`.
    pub(crate) fn cmdlet_method(&mut self, name: &str, arguments: &[Value]) -> Result<Option<Value>, Flow> {
        let frame = self.env.frame.clone();
        let invoked = frame.invoked.clone();
        let text = |ev: &Self, at: usize| arguments.get(at).map(|v| ev.text(v)).unwrap_or_default();
        match name.to_lowercase().as_str() {
            "shouldprocess" => {
                let (target, action) = match arguments.len() {
                    0 => (String::new(), invoked.name.to_string()),
                    1 => (text(self, 0), invoked.name.to_string()),
                    // Three arguments: description, query, caption.
                    3 => return self.should_process_described(&invoked, &text(self, 0), &text(self, 1)).map(|go| Some(Value::Bool(go))),
                    _ => (text(self, 0), text(self, 1)),
                };
                self.should_process(&invoked, &target, &action).map(|go| Some(Value::Bool(go)))
            }
            "shouldcontinue" => {
                let query = text(self, 0);
                self.ask(&invoked, &query).map(|go| Some(Value::Bool(go)))
            }
            "throwterminatingerror" => {
                let Some(Value::Error(record)) = arguments.first() else { return Ok(None) };
                let mut record = (**record).clone();
                self.decorate(&mut record, &invoked);
                Err(Flow::Error(Box::new(Failure { record, reach: Reach::Function, logged: false })))
            }
            "writeerror" => {
                let Some(Value::Error(record)) = arguments.first() else { return Ok(None) };
                self.non_terminating((**record).clone(), &invoked)?;
                Ok(None)
            }
            "writeobject" => Ok(match (arguments.first(), arguments.get(1)) {
                (None, _) => None,
                // What a statement gives is enumerated: a collection that goes out whole is wrapped.
                (Some(value), Some(Value::Bool(true))) => Some(value.clone()),
                (Some(value), _) if value.items().is_some() => Some(Value::array(vec![value.clone()])),
                (Some(value), _) => Some(value.clone()),
            }),
            "getvariablevalue" => {
                let name = text(self, 0).to_lowercase();
                Ok(Some(self.env.scope.value(&name).map_or_else(|| arguments.get(1).cloned().unwrap_or(Value::Null), |(v, _)| v)))
            }
            "writewarning" => self.warn(&text(self, 0), &invoked).map(|()| None),
            "writeverbose" => self.write_verbose(&text(self, 0), &invoked).map(|()| None),
            "writedebug" => self.write_debug(&text(self, 0), &invoked).map(|()| None),
            _ => Err(types::method_not_found("System.Management.Automation.PSScriptCmdlet", name).into()),
        }
    }
}

/// Whether nobody can know a type of a `catch`: types of .NET and of products that are not modelled may well exist.
pub(crate) fn is_unknown_type(written: &str) -> bool {
    let lower = written.to_lowercase();
    let foreign = ["system.", "microsoft."].iter().any(|space| lower.starts_with(space)) || !lower.contains('.');
    !foreign && types::resolve(written).is_none()
}

/// Whether a type as written names an exception type by its full name, with or without `System.`.
pub(crate) fn names_type(written: &str, exception: &str) -> bool {
    let full = types::resolve(written);
    let wanted = full.as_deref().unwrap_or(written);
    wanted.eq_ignore_ascii_case(exception) || exception.strip_prefix("System.").is_some_and(|short| short.eq_ignore_ascii_case(written))
}
