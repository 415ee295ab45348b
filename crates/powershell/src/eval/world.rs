//! Commands of the world, and `ShouldProcess`.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::pipeline::Downstream;
use super::{Evaluator, Invoked, Sink};
use crate::binding::Binding;
use crate::command::{CommandError, CommandInfo, ConfirmImpact, Invocation};
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
    Error(CommandError),
    Warning(String),
    Verbose(String),
    Host(String),
}

struct Recorder {
    events: Vec<Event>,
    what_if: bool,
    /// The answer to a confirmation, fetched before the command ran; `None` when it will not ask.
    answer: Option<bool>,
    unmodelled: Vec<String>,
    remarks: Vec<String>,
}

impl Invocation for Recorder {
    fn output(&mut self, value: Value) {
        self.events.push(Event::Output(value));
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

    fn should_process(&mut self, target: &str, action: &str) -> bool {
        if self.what_if {
            self.events.push(Event::Host(what_if_line(target, action)));
            return false;
        }
        if self.answer.is_none() {
            self.events.push(Event::Verbose(performing(target, action)));
        }
        self.answer != Some(false)
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
            Ok(parameters) => parameters,
            Err(error) if input.is_some() => return self.non_terminating(error.record, &invoked),
            Err(error) => return Err(error.record.into()),
        };
        let what_if = self.what_if(&invoked);
        let answer = if !what_if && self.would_ask(&invoked) {
            Some(self.ask(&invoked, &format!("Performing the operation \"{}\".", info.name))?)
        } else {
            None
        };
        let mut recorder = Recorder { events: Vec::new(), what_if, answer, unmodelled: Vec::new(), remarks: Vec::new() };
        let result = self.world.invoke(info, &parameters, &mut recorder);
        let span = invoked.position.as_ref().map_or(self.statement, |p| p.span);
        self.output.unmodelled.extend(recorder.unmodelled.into_iter().map(|what| (what.into(), span)));
        self.output.remarks.extend(recorder.remarks.into_iter().map(|what| (what.into(), span)));
        for event in recorder.events {
            match event {
                Event::Output(value) => down.emit(self, value)?,
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
        match invoked.answer.load(Ordering::Relaxed) {
            YES_TO_ALL => return Ok(true),
            NO_TO_ALL => return Ok(false),
            _ => {}
        }
        match self.options.confirm {
            ConfirmPolicy::Yes => return Ok(true),
            ConfirmPolicy::No => return Ok(false),
            ConfirmPolicy::Ask => {}
        }
        let prompt = format!(
            "Confirm\nAre you sure you want to perform this action?\n{text}\n[Y] Yes  [A] Yes to All  [N] No  [L] No to All  [S] Suspend  [?] Help (default is \"Y\"):"
        );
        let answer = self.world.prompt(&prompt);
        let Some(answer) = answer else {
            let mut record = ErrorRecord::new(
                "Windows PowerShell is in NonInteractive mode. Read and Prompt functionality is not available.",
                "InvalidOperation",
                "InvalidOperation",
                "System.Management.Automation.PSInvalidOperationException",
            );
            self.decorate(&mut record, invoked);
            return Err(record.into());
        };
        match answer.trim().to_lowercase().as_str() {
            "" | "y" | "yes" => Ok(true),
            "a" | "yes to all" => {
                invoked.answer.store(YES_TO_ALL, Ordering::Relaxed);
                Ok(true)
            }
            "l" | "no to all" => {
                invoked.answer.store(NO_TO_ALL, Ordering::Relaxed);
                Ok(false)
            }
            _ => Ok(false),
        }
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
