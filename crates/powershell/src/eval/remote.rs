//! Script blocks that run apart from the session: on other computers, and as jobs.
//!
//! Another computer is another global scope: no variable of the caller is seen there, except through `$using:` and
//! arguments. What comes back is a copy without methods, as PowerShell's remoting makes it.

use std::sync::Arc;

use super::{Env, Evaluator, Frame, Invoked, Route, Routes, Scope, Sink, State, Variable};
use crate::command::{CommandInfo, Resolution};
use crate::error::{ErrorRecord, Flow, Reach};
use crate::pipeline::RemoteCall;
use crate::session::RunOutput;
use crate::value::{ArrayRef, Elements, PsObject, Value};

/// A command of another computer, and what marks its output.
pub(crate) struct Elsewhere {
    pub(crate) command: Arc<CommandInfo>,
    pub(crate) computer: Arc<str>,
    pub(crate) instance: u128,
}

/// How deep objects inside of objects survive the way from another computer; below, only their text does (documented:
/// the depth of the serialisation of remoting).
const DEPTH: usize = 2;

/// Passes on copies.
struct Copies<'a> {
    out: &'a mut dyn Sink,
    computer: Option<Arc<str>>,
    instance: u128,
}

impl Sink for Copies<'_> {
    fn emit(&mut self, ev: &mut Evaluator<'_>, value: Value) -> Result<(), Flow> {
        let copy = match &self.computer {
            Some(computer) => from_remote(&value, computer, self.instance),
            None => copy_of(&value, DEPTH),
        };
        self.out.emit(ev, copy)
    }
}

/// A value as it arrives from another computer.
pub(crate) fn from_remote(value: &Value, computer: &Arc<str>, instance: u128) -> Value {
    let copy = copy_of(value, DEPTH);
    if let Value::Object(object) = &copy {
        object.set("PSComputerName", computer.clone());
        object.set("RunspaceId", Value::Guid(instance));
    }
    copy
}

/// A copy without methods: properties are values, type names say `Deserialized.`.
pub(crate) fn copy_of(value: &Value, depth: usize) -> Value {
    let inner = |items: Vec<Value>| items.iter().map(|item| copy_of(item, depth)).collect::<Vec<_>>();
    match value {
        Value::Script(block) => Value::str(block.text.trim()),
        Value::Type(name) => Value::Str(name.clone()),
        Value::Array(_) => Value::Array(Elements::new(inner(value.items().unwrap_or_default()))),
        Value::List(_) => Value::List(crate::value::List::new(crate::value::ListKind::ArrayList, inner(value.items().unwrap_or_default()))),
        Value::Hash(table) => {
            let (ordered, entries) = table.read().map(|t| (t.ordered, t.entries.values().cloned().collect::<Vec<_>>())).unwrap_or_default();
            let mut copy = crate::value::Hashtable::default();
            copy.ordered = ordered;
            for (key, value) in entries {
                copy.set(key, copy_of(&value, depth));
            }
            Value::Hash(Arc::new(std::sync::RwLock::new(copy)))
        }
        Value::Object(object) => {
            if depth == 0 {
                return Value::Str(crate::convert::shared_text(value));
            }
            // Text with a type of its own stays what it is.
            if object.is_type("System.Security.SecureString") || object.is_type("System.Management.Automation.PSCredential") {
                return value.clone();
            }
            let names = crate::types::property_names(value);
            let properties = names.iter().map(|name| {
                let property = crate::types::property(value, name).unwrap_or(Value::Null);
                (crate::value::Name(name.clone()), copy_of(&property, depth - 1))
            });
            let prefixed = |name: &Arc<str>| -> Arc<str> {
                if name.starts_with("Deserialized.") { name.clone() } else { format!("Deserialized.{name}").into() }
            };
            PsObject {
                type_names: object.type_names.iter().map(prefixed).collect(),
                properties: Arc::new(std::sync::RwLock::new(properties.collect())),
                text: object.text.clone(),
                default_view: object.default_view.clone(),
                ..PsObject::new("")
            }
            .into()
        }
        other => other.clone(),
    }
}

impl Evaluator<'_> {
    /// Runs a script block apart from the session.
    pub(crate) fn run_remote(&mut self, call: RemoteCall<'_>, invoked: &Invoked, sink: &mut dyn Sink) -> Result<(), Flow> {
        let computer = match call.target {
            Some(target) => Some(self.world.enter(target).map_err(|error| {
                let mut record = ErrorRecord::from(*error);
                record.decorated = true;
                record.command = Some(invoked.name.clone());
                record.position.clone_from(&invoked.position);
                Flow::error(record)
            })?),
            None => None,
        };
        let session = call.session.and_then(|id| self.state.desk.sessions.get(&id));
        let (scope, instance) = match session {
            Some(session) => (session.scope.clone(), session.instance),
            None => (State::new().global, self.world.guid()),
        };
        let result = self.apart(&call, scope, computer.clone(), instance, sink);
        if computer.is_some() {
            self.world.leave();
        }
        result
    }

    fn apart(
        &mut self,
        call: &RemoteCall<'_>,
        global: Arc<Scope>,
        computer: Option<Arc<str>>,
        instance: u128,
        sink: &mut dyn Sink,
    ) -> Result<(), Flow> {
        let ast = call.block.ast.clone();
        let here = std::mem::replace(&mut self.state.global, global.clone());
        let aliases = std::mem::take(&mut self.state.aliases);
        let imported = std::mem::take(&mut self.state.desk.imported);
        let using = self.using.replace(self.env.scope.clone());
        // What the block assigns stays in the session: it runs in its global scope.
        let scope = global;
        scope.set("input", Variable::new("input", Value::array(call.input.clone())));
        scope.set("args", Variable::new("args", Value::array(call.arguments.clone())));
        scope.set("pssenderinfo", Variable::new("PSSenderInfo", Value::Null));
        let frame = Arc::new(Frame {
            name: "".into(),
            source: ast.source.clone(),
            function: None,
            invoked: Arc::new(Invoked::default()),
            ..self.frame_like()
        });
        let collected = ArrayRef::default();
        let routes = if call.collect {
            let buffer = || Route::Buffer(collected.clone());
            let (error, warning, verbose, debug, information) = (buffer(), buffer(), buffer(), buffer(), buffer());
            Arc::new(Routes { error, warning, verbose, debug, information, ..Routes::default() })
        } else {
            self.env.routes.clone()
        };
        let propagate = std::mem::replace(&mut self.propagate, call.collect);
        let mut result = self.deeper(|ev| {
            ev.within(Env { scope, frame, routes }, |ev| {
                ev.positional_parameters(&ast, &call.arguments)?;
                if call.collect {
                    ev.run_blocks_here(&ast, &mut Collected { buffer: collected.clone(), computer: computer.clone(), instance })
                } else {
                    ev.run_blocks_here(&ast, &mut Copies { out: &mut *sink, computer: computer.clone(), instance })
                }
            })
        });
        self.propagate = propagate;
        self.using = using;
        self.state.global = here;
        self.state.aliases = aliases;
        self.state.desk.imported = imported;
        for value in collected.write().map(|mut values| std::mem::take(&mut *values)).unwrap_or_default() {
            sink.emit(self, value)?;
        }
        match &mut result {
            // Leaving the script there is not leaving the one here.
            Err(Flow::Exit(_) | Flow::Return | Flow::Break(_) | Flow::Continue(_)) => return Ok(()),
            // What ended the block there ends the command here.
            Err(Flow::Error(failure)) => {
                failure.reach = Reach::Statement;
                failure.record.decorated = true;
            }
            _ => {}
        }
        result
    }

    /// A command that was imported from another session, by its local name.
    pub(crate) fn imported_command(&mut self, name: &str) -> Option<Arc<CommandInfo>> {
        let imported = self.state.desk.imported.get(&name.to_lowercase())?.clone();
        match self.world.resolve(&imported.name) {
            Resolution::Command(info) if info.name.eq_ignore_ascii_case(name) => Some(info),
            Resolution::Command(info) => Some(Arc::new(CommandInfo { name: name.into(), ..CommandInfo::clone(&info) })),
            _ => None,
        }
    }

    /// Goes where an imported command runs.
    pub(crate) fn enter_import(&mut self, info: &Arc<CommandInfo>) -> Result<Option<Elsewhere>, Flow> {
        let Some(imported) = self.state.desk.imported.get(&info.name.to_lowercase()).cloned() else { return Ok(None) };
        let Some(session) = self.state.desk.sessions.get(&imported.session).cloned() else {
            let mut record = ErrorRecord::new(
                format!("No session has been associated with this implicit remoting module. The session of '{}' was removed.", info.name),
                "RuntimeException",
                "OperationStopped",
                "System.Management.Automation.RuntimeException",
            );
            record.decorated = true;
            return Err(record.into());
        };
        let computer = self.world.enter(&session.target).map_err(|error| Flow::error((*error).into()))?;
        let there = match self.world.resolve(&imported.name) {
            Resolution::Command(there) => there,
            _ => info.clone(),
        };
        Ok(Some(Elsewhere { command: there, computer, instance: session.instance }))
    }

    /// The console is where `Enter-PSSession` and `Exit-PSSession` put it: lines that follow run there.
    pub(crate) fn follow_console(&mut self) -> Result<(), Flow> {
        let inside = self.state.desk.inside.as_ref().map(|(id, _)| *id);
        if self.state.desk.entered == inside || !self.env.frame.source.name.is_empty() {
            return Ok(());
        }
        self.leave_console();
        let Some(id) = self.state.desk.entered else { return Ok(()) };
        let Some(session) = self.state.desk.sessions.get(&id).cloned() else {
            self.state.desk.entered = None;
            return Ok(());
        };
        if let Err(error) = self.world.enter(&session.target) {
            self.state.desk.entered = None;
            let mut record = ErrorRecord::from(*error);
            record.decorated = true;
            return Err(record.into());
        }
        let home = std::mem::replace(&mut self.state.global, session.scope.clone());
        self.env.scope = session.scope;
        self.state.desk.inside = Some((id, home));
        Ok(())
    }

    /// Comes home from the computer that the console has entered.
    pub(crate) fn leave_console(&mut self) {
        if let Some((_, home)) = self.state.desk.inside.take() {
            self.world.leave();
            self.state.global = home.clone();
            self.env.scope = home;
        }
    }

    /// What the console shows of the records of this run from one on.
    pub(crate) fn shown(&self, from: usize) -> String {
        let streams = self.output.streams.get(from..).unwrap_or_default().to_vec();
        let world = &*self.world;
        crate::session::render_with(&RunOutput { streams, ..RunOutput::default() }, 120, &|name| world.view(name))
    }

    /// Writes what was shown since the transcript began (or was saved last) to its file.
    pub(crate) fn save_transcript(&mut self) {
        let Some(transcript) = self.state.desk.transcript.clone() else { return };
        let mut text = self.world.read_file(&transcript.path).map(|bytes| super::text::decode(&bytes)).unwrap_or_default();
        text.push_str(&self.shown(transcript.from).replace('\n', "\r\n"));
        if text.len() <= self.limits.string_size {
            self.world.write_file(&transcript.path, text.as_bytes());
        }
        // The next run counts its records from nothing.
        self.state.desk.transcript = Some(crate::desk::Transcript { from: 0, ..transcript });
    }
}

/// Collects the output of a job among the records of its other streams.
struct Collected {
    buffer: ArrayRef,
    computer: Option<Arc<str>>,
    instance: u128,
}

impl Sink for Collected {
    fn emit(&mut self, ev: &mut Evaluator<'_>, value: Value) -> Result<(), Flow> {
        let copy = match &self.computer {
            Some(computer) => from_remote(&value, computer, self.instance),
            None => copy_of(&value, DEPTH),
        };
        if let Ok(mut values) = self.buffer.write() {
            if values.len() >= ev.limits.collection_size {
                return Err(crate::error::LimitError::CollectionSize(ev.limits.collection_size).into());
            }
            values.push(copy);
        }
        Ok(())
    }
}

/// The global scope of a fresh session.
pub(crate) fn fresh_scope() -> Arc<Scope> {
    State::new().global
}
