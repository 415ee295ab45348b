//! Commands of the world, and `ShouldProcess`.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::pipeline::Downstream;
use super::{Evaluator, Invoked, Sink};
use crate::binding::Binding;
use crate::command::{BoundParameters, CommandError, CommandInfo, ConfirmImpact, Invocation, ParameterType, Prompt};
use crate::convert;
use crate::error::{ErrorRecord, Flow};
use crate::session::ConfirmPolicy;
use crate::value::Value;

const YES_TO_ALL: u8 = 1;
const NO_TO_ALL: u8 = 2;

/// What a command of the world did, in order. The world is busy while the command runs, and the stages behind it may
/// need the world too: so its outputs are recorded and delivered when it returns.
enum Event {
    Output(Value),
    /// Made one by one while the next stage takes them.
    Outputs(Box<dyn Iterator<Item = Value> + Send>),
    Error(CommandError),
    Warning(String),
    Verbose(String),
    Host(String),
}

struct Recorder {
    events: Vec<Event>,
    what_if: bool,
    /// Whether confirmation is due.
    asks: bool,
    policy: ConfirmPolicy,
    /// Keeps "to all" for the other objects of the pipeline.
    invoked: Arc<Invoked>,
    /// How many outputs the next stage can use ([`Downstream::appetite`]); `None` when that is not known.
    appetite: Option<usize>,
    outputs: usize,
    unmodelled: Vec<String>,
    remarks: Vec<String>,
}

impl Invocation for Recorder {
    fn output(&mut self, value: Value) {
        self.outputs += 1;
        self.events.push(Event::Output(value));
    }

    fn outputs(&mut self, values: Box<dyn Iterator<Item = Value> + Send>) {
        self.events.push(Event::Outputs(values));
    }

    fn error(&mut self, error: CommandError) {
        self.events.push(Event::Error(error));
    }

    fn warning(&mut self, text: &str) {
        self.events.push(Event::Warning(text.into()));
    }

    fn verbose(&mut self, text: &str) {
        self.events.push(Event::Verbose(text.into()));
    }

    fn host(&mut self, text: &str) {
        self.events.push(Event::Host(text.into()));
    }

    fn wants_more(&self) -> bool {
        self.appetite.is_none_or(|appetite| self.outputs < appetite)
    }

    fn should_process(&mut self, target: &str, action: &str, prompt: Prompt<'_>) -> Result<bool, Box<CommandError>> {
        if self.what_if {
            self.events.push(Event::Host(what_if_line(target, action)));
            return Ok(false);
        }
        if !self.asks {
            self.events.push(Event::Verbose(performing(target, action)));
            return Ok(true);
        }
        confirmed(&self.invoked, self.policy, &performing(target, action), prompt).ok_or_else(|| Box::new(nobody_answers()))
    }

    fn what_if(&self) -> bool {
        self.what_if
    }

    fn unmodelled(&mut self, what: &str) {
        self.unmodelled.push(what.into());
    }

    fn remark(&mut self, text: &str) {
        self.remarks.push(text.into());
    }
}

fn performing(target: &str, action: &str) -> String {
    format!("Performing the operation \"{action}\" on target \"{target}\".")
}

fn what_if_line(target: &str, action: &str) -> String {
    format!("What if: {}", performing(target, action))
}

impl Evaluator<'_> {
    /// One invocation of a command of the world.
    pub(crate) fn world_command(
        &mut self,
        info: &Arc<CommandInfo>,
        binding: &Binding,
        input: Option<Value>,
        down: &mut Downstream<'_>,
    ) -> Result<(), Flow> {
        let invoked = down.outlet.invoked.clone();
        let bound = match &input {
            Some(value) => binding.bind_pipeline(info, value),
            None => binding.finish(info),
        };
        let parameters = match bound {
            Ok(parameters) => self.expand_filters(info, parameters),
            Err(error) if input.is_some() => return self.non_terminating(error.record, &invoked),
            Err(error) => return Err(error.record.into()),
        };
        let what_if = self.what_if(&invoked);
        let mut recorder = Recorder {
            events: Vec::new(),
            what_if,
            asks: self.would_ask(&invoked),
            policy: self.options.confirm,
            invoked: invoked.clone(),
            appetite: down.appetite(),
            outputs: 0,
            unmodelled: Vec::new(),
            remarks: Vec::new(),
        };
        let elsewhere = self.enter_import(info)?;
        let result = match &elsewhere {
            Some(there) => self.world.invoke(&there.command, &parameters, &mut recorder),
            None => self.world.invoke(info, &parameters, &mut recorder),
        };
        if let Some(there) = elsewhere {
            self.world.leave();
            for event in &mut recorder.events {
                if let Event::Output(value) = event {
                    *value = super::remote::from_remote(value, &there.computer, there.instance);
                }
            }
        }
        let place = invoked.position.clone().unwrap_or_else(|| self.here());
        self.output.unmodelled.extend(recorder.unmodelled.into_iter().map(|what| (what.into(), place.clone())));
        self.output.remarks.extend(recorder.remarks.into_iter().map(|what| (what.into(), place.clone())));
        for event in recorder.events {
            match event {
                Event::Output(value) => down.emit(self, value)?,
                Event::Outputs(values) => {
                    for value in values {
                        down.emit(self, value)?;
                    }
                }
                Event::Error(error) => self.non_terminating(error.into(), &invoked)?,
                Event::Warning(text) => self.warn(&text, &invoked)?,
                Event::Verbose(text) => self.write_verbose(&text, &invoked)?,
                Event::Host(text) => self.write_host(&text, true)?,
            }
        }
        result.map_err(|error| {
            invoked.failed.store(true, Ordering::Relaxed);
            let mut record = ErrorRecord::from(*error);
            self.decorate(&mut record, &invoked);
            record.into()
        })
    }

    /// Variables in filters are those of the caller: `-Filter {RegistrarPool -eq $pool}` (documented for the
    /// ActiveDirectory module; field for the product's). What is not set stays as it is written.
    fn expand_filters(&mut self, info: &CommandInfo, mut parameters: BoundParameters) -> BoundParameters {
        for (name, value) in &mut parameters.values {
            let filter = info.parameters.iter().any(|p| p.name == *name && p.parameter_type == ParameterType::Filter);
            if let Value::Str(text) = value
                && filter
                && text.contains('$')
            {
                *value = Value::str(self.expand_filter(text));
            }
        }
        parameters
    }

    fn expand_filter(&mut self, text: &str) -> String {
        let mut out = String::new();
        let mut quote: Option<char> = None;
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            let after = &rest[c.len_utf8()..];
            match (c, quote) {
                ('\'' | '"', None) => quote = Some(c),
                (c, Some(open)) if c == open => quote = None,
                ('$', None) => {
                    let end = after.find(|c: char| !c.is_alphanumeric() && c != '_' && c != ':').unwrap_or(after.len());
                    let path = super::context::path_of(&after[..end]);
                    let constant = matches!(&*path.key, "true" | "false" | "null" | "");
                    let found = if constant { None } else { self.env.scope.value(&path.key).map(|(value, _)| value) };
                    if let Some(mut value) = found {
                        // One property of it, `$user.SamAccountName`.
                        let mut taken = end;
                        if let Some(member) = after[end..].strip_prefix('.') {
                            let length = member.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(member.len());
                            value = crate::types::property(&value, &member[..length]).unwrap_or(Value::Null);
                            taken = end + 1 + length;
                        }
                        match &value {
                            Value::Bool(truth) => out.push_str(if *truth { "$true" } else { "$false" }),
                            Value::Null => out.push_str("$null"),
                            other => out.push_str(&format!("'{}'", convert::display(other).replace('\'', "''"))),
                        }
                        rest = &after[taken..];
                        continue;
                    }
                }
                _ => {}
            }
            out.push(c);
            rest = after;
        }
        out
    }

    fn what_if(&mut self, invoked: &Invoked) -> bool {
        match invoked.what_if {
            Some(on) => on,
            None => self.env.scope.value("whatifpreference").is_some_and(|(v, _)| convert::to_bool(&v)),
        }
    }

    /// Whether confirmation is due.
    fn would_ask(&mut self, invoked: &Invoked) -> bool {
        match invoked.confirm {
            Some(asked) => asked,
            None => {
                let preference = self.env.scope.value("confirmpreference").map_or(Some(ConfirmImpact::High), |(v, _)| impact_of(&v));
                invoked.should_process && preference.is_some_and(|p| p != ConfirmImpact::None && invoked.impact >= p)
            }
        }
    }

    /// `ShouldProcess`.
    pub(crate) fn should_process(&mut self, invoked: &Invoked, target: &str, action: &str) -> Result<bool, Flow> {
        if self.what_if(invoked) {
            self.write_host(&what_if_line(target, action), true)?;
            return Ok(false);
        }
        let text = performing(target, action);
        if self.would_ask(invoked) {
            return self.ask(invoked, &text);
        }
        self.write_verbose(&text, invoked)?;
        Ok(true)
    }

    /// `ShouldProcess` with texts of its own.
    pub(crate) fn should_process_described(&mut self, invoked: &Invoked, description: &str, query: &str) -> Result<bool, Flow> {
        if self.what_if(invoked) {
            self.write_host(&format!("What if: {description}"), true)?;
            return Ok(false);
        }
        if self.would_ask(invoked) {
            return self.ask(invoked, query);
        }
        self.write_verbose(description, invoked)?;
        Ok(true)
    }

    /// Asks for confirmation: the policy of the session, an earlier "to all", or the host.
    pub(crate) fn ask(&mut self, invoked: &Invoked, text: &str) -> Result<bool, Flow> {
        let world = &mut *self.world;
        confirmed(invoked, self.options.confirm, text, &mut |prompt| world.prompt(prompt)).ok_or_else(|| {
            let mut record = ErrorRecord::from(nobody_answers());
            self.decorate(&mut record, invoked);
            record.into()
        })
    }
}

/// How often a question is repeated to somebody who answers with something that is no choice.
const PATIENCE: usize = 100;

/// One confirmation: an earlier "to all", the policy of the session, or the answer to the prompt; `None` when nobody answers.
fn confirmed(invoked: &Invoked, policy: ConfirmPolicy, text: &str, prompt: Prompt<'_>) -> Option<bool> {
    match invoked.answer.load(Ordering::Relaxed) {
        YES_TO_ALL => return Some(true),
        NO_TO_ALL => return Some(false),
        _ => {}
    }
    match policy {
        ConfirmPolicy::Yes => return Some(true),
        ConfirmPolicy::No => return Some(false),
        ConfirmPolicy::Ask => {}
    }
    let question = format!(
        "\nConfirm\nAre you sure you want to perform this action?\n{text}\n[Y] Yes  [A] Yes to All  [N] No  [L] No to All  [S] Suspend  [?] Help (default is \"Y\"):"
    );
    for _ in 0..PATIENCE {
        match prompt(&question)?.trim().to_lowercase().as_str() {
            "" | "y" | "yes" => return Some(true),
            "a" | "yes to all" => {
                invoked.answer.store(YES_TO_ALL, Ordering::Relaxed);
                return Some(true);
            }
            "n" | "no" => return Some(false),
            "l" | "no to all" => {
                invoked.answer.store(NO_TO_ALL, Ordering::Relaxed);
                return Some(false);
            }
            // The console asks again; `?` and `S` change nothing that a rehearsal could show.
            _ => {}
        }
    }
    None
}

/// What a confirmation ends in when nobody sits at the console (as Windows PowerShell 5.1 prints it).
fn nobody_answers() -> CommandError {
    CommandError {
        message: "Windows PowerShell is in NonInteractive mode. Read and Prompt functionality is not available.".into(),
        id: "InvalidOperation".into(),
        category: "InvalidOperation".into(),
        exception_types: vec!["System.Management.Automation.PSInvalidOperationException".into()],
        target: Value::Null,
    }
}

/// Reads a `$ConfirmPreference`.
pub(crate) fn impact_of(value: &Value) -> Option<ConfirmImpact> {
    let name = match value {
        Value::Enum(member) => member.name.clone(),
        Value::Str(text) => text.clone(),
        Value::Int(n) => {
            return [ConfirmImpact::None, ConfirmImpact::Low, ConfirmImpact::Medium, ConfirmImpact::High]
                .get(usize::try_from(*n).ok()?)
                .copied();
        }
        Value::Bool(false) => return Some(ConfirmImpact::None),
        _ => return None,
    };
    match name.to_lowercase().as_str() {
        "none" => Some(ConfirmImpact::None),
        "low" => Some(ConfirmImpact::Low),
        "medium" => Some(ConfirmImpact::Medium),
        "high" => Some(ConfirmImpact::High),
        _ => None,
    }
}
