//! One shell on one computer: the commands of the product and the surroundings that a script sees.

use std::collections::VecDeque;
use std::sync::Arc;

use firedrill_fabric::{Fabric, LimitError, SimDuration};
use firedrill_powershell::CommandInfo;
use firedrill_powershell::command::{BoundParameters, CommandError, CommandProvider, Host, Invocation, Resolution};
use firedrill_powershell::session::StreamRecord;
use firedrill_powershell::value::DateTime;
use firedrill_topology::ComputerId;

use crate::commands::{self, Style};
use crate::context::{Cx, Done, refusal};
use crate::signatures::{self, Binding};
use crate::texts::{fill, text};

/// Who answers prompts when the queue of answers is empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum PromptPolicy {
    /// Confirmations are answered with yes (to all, where that can be said); nothing else is answered.
    #[default]
    Confirm,
    /// Confirmations are answered with no (to all, where that can be said); nothing else is answered.
    Decline,
    /// Nobody is there.
    Absent,
}

/// A prompt and what was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prompt {
    /// Its text.
    pub text: String,
    /// The answer; `None` when nobody answered.
    pub answer: Option<String>,
}

/// Somebody who sits at the console of a shell: hears what is written the moment it is, and is asked.
pub trait Operator: Send {
    /// A record was written.
    fn wrote(&mut self, record: &StreamRecord);
    /// Asks; `None` when there is no answer any more (the input has ended).
    fn ask(&mut self, prompt: &str) -> Option<String>;
}

/// What a session keeps between commands.
#[derive(Debug, Clone, Default)]
pub struct ShellState {
    /// Answers to prompts, first to last.
    pub answers: VecDeque<String>,
    /// What happens when they have run out.
    pub policy: PromptPolicy,
    /// Prompts so far.
    pub prompts: Vec<Prompt>,
    /// How parameters are bound; must agree with the evaluator's own setting.
    pub binding: Binding,
    /// The limit that ended a command, if one did: the run cannot go on.
    pub limit: Option<LimitError>,
    /// How many values were drawn from the seed so far.
    pub drawn: u64,
}

impl ShellState {
    /// Answers a prompt and keeps it: the next answer of the queue, else what the operator says, and without one the policy.
    pub(crate) fn answer(&mut self, prompt: &str, operator: Option<&mut dyn Operator>) -> Option<String> {
        let answer = self.answers.pop_front().or_else(|| {
            if let Some(operator) = operator {
                return operator.ask(prompt);
            }
            let confirmation = prompt.contains("[Y]") || prompt.contains("(Y/N)");
            match self.policy {
                PromptPolicy::Confirm if confirmation => Some(if prompt.contains("[A]") { "A" } else { "Y" }.to_owned()),
                PromptPolicy::Decline if confirmation => Some(if prompt.contains("[L]") { "L" } else { "N" }.to_owned()),
                _ => None,
            }
        });
        self.prompts.push(Prompt { text: prompt.to_owned(), answer: answer.clone() });
        answer
    }
}

/// A shell for as long as a run of a script borrows the fabric. It is both [`CommandProvider`] and [`Host`].
pub struct Shell<'f> {
    fabric: &'f mut Fabric,
    computer: ComputerId,
    state: &'f mut ShellState,
    operator: Option<&'f mut dyn Operator>,
}

impl std::fmt::Debug for Shell<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shell").field("computer", &self.computer).field("operator", &self.operator.is_some()).finish_non_exhaustive()
    }
}

impl<'f> Shell<'f> {
    /// A shell on a computer.
    pub fn new(fabric: &'f mut Fabric, computer: ComputerId, state: &'f mut ShellState) -> Self {
        Self { fabric, computer, state, operator: None }
    }

    /// Lets somebody sit at the console, who is asked when the queue of answers is empty.
    #[must_use]
    pub fn with_operator(mut self, operator: &'f mut dyn Operator) -> Self {
        self.operator = Some(operator);
        self
    }

    /// The fabric behind the shell.
    pub fn fabric(&mut self) -> &mut Fabric {
        self.fabric
    }

    /// The computer that the shell runs on.
    pub fn computer(&self) -> ComputerId {
        self.computer
    }

    fn resolve_info(&self, signature: &'static signatures::Signature) -> Arc<CommandInfo> {
        signature.info(self.fabric.topology().version, self.state.binding)
    }
}

impl CommandProvider for Shell<'_> {
    fn resolve(&self, name: &str) -> Resolution {
        let Some(signature) = signatures::find(name) else {
            return Resolution::Unknown;
        };
        if signature.name_only {
            return Resolution::Unmodelled(None);
        }
        if !signature.exists_in(self.fabric.topology().version) {
            return Resolution::Unknown;
        }
        let info = self.resolve_info(signature);
        match commands::find(signature.name) {
            Some(_) => Resolution::Command(info),
            None => Resolution::Unmodelled(Some(info)),
        }
    }

    fn names(&self) -> Vec<Arc<str>> {
        let version = self.fabric.topology().version;
        signatures::all().values().filter(|signature| signature.exists_in(version)).map(|signature| signature.name.into()).collect()
    }

    fn invoke(
        &mut self,
        command: &CommandInfo,
        parameters: &BoundParameters,
        invocation: &mut dyn Invocation,
    ) -> Result<(), Box<CommandError>> {
        self.fabric.check_shell(self.computer).map_err(|error| refusal(&error))?;
        let Some(modelled) = commands::find(&command.name) else {
            invocation.unmodelled(&command.name);
            return Ok(());
        };
        let topology = self.fabric.topology().clone();
        let mut cx = Cx {
            fabric: self.fabric,
            topology,
            here: self.computer,
            state: self.state,
            operator: self.operator.as_deref_mut().map(|operator| operator as &mut dyn Operator),
            command,
            parameters,
            io: invocation,
            warnings: 0,
        };
        let result = (modelled.run)(&mut cx);
        if cx.io.what_if() {
            return result;
        }
        let report = write_report(&mut cx, &result);
        match modelled.style {
            Style::Plain => result,
            Style::Deployment => close_deployment(&mut cx, report, result),
        }
    }
}

/// How the deployment cmdlets end: a closing line, their report, and errors with a prefix and an id of their own
/// (documented: dossier H).
fn close_deployment(cx: &mut Cx<'_>, report: Option<Arc<str>>, result: Done) -> Done {
    let name = cx.command.name.clone();
    let path = report.unwrap_or_else(|| {
        let guid = guid_text(cx.fabric.seed().guid("report", cx.state.drawn));
        cx.state.drawn += 1;
        format!("C:\\Users\\Administrator\\AppData\\Local\\Temp\\{name}-{guid}.html").into()
    });
    let results = fill(text::DETAILED_RESULTS, &[&path]);
    match result {
        Ok(()) if cx.warnings == 0 => {
            cx.io.verbose(&fill(text::COMPLETED, &[&name]));
            cx.io.verbose(&results);
            Ok(())
        }
        Ok(()) => {
            cx.io.warning(&fill(text::COMPLETED_WITH_WARNINGS, &[&name, &cx.warnings.to_string()]));
            cx.io.warning(&results);
            Ok(())
        }
        // The run ended, not the command.
        Err(error) if cx.state.limit.is_some() => Err(error),
        Err(mut error) => {
            cx.io.warning(&fill(text::FAILED, &[&name]));
            cx.io.warning(&results);
            error.message = fill(text::EXECUTION_FAILED, &[&error.message]).into();
            error.id = "ProcessingFailed".into();
            Err(error)
        }
    }
}

/// Writes the report that `-Report` asked for; its path. The one that the product writes without being asked is left
/// out: reading would change the computer otherwise.
fn write_report(cx: &mut Cx<'_>, result: &Done) -> Option<Arc<str>> {
    let path = cx.text("Report")?;
    let name = &cx.command.name;
    let outcome = result.as_ref().err().map_or_else(|| "completed".to_owned(), |error| escape(&error.message));
    let body = format!("<html><head><title>{name}</title></head><body><p>{outcome}</p></body></html>\r\n");
    cx.fabric.write_file(cx.here, &path, body.into_bytes().into());
    Some(path)
}

/// Text inside of an element.
pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// A GUID as printed: `d87bb5c1-…`.
pub(crate) fn guid_text(guid: u128) -> String {
    let hex = format!("{guid:032x}");
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

impl Host for Shell<'_> {
    fn now(&mut self) -> DateTime {
        DateTime::from_nanoseconds(self.fabric.now().0)
    }

    fn sleep(&mut self, nanoseconds: i64) {
        let until = self.fabric.now() + SimDuration(nanoseconds.max(0));
        if let Err(limit) = self.fabric.advance_to(until) {
            self.state.limit = Some(limit);
        }
    }

    fn guid(&mut self) -> u128 {
        self.state.drawn += 1;
        self.fabric.seed().guid("script", self.state.drawn)
    }

    fn prompt(&mut self, prompt: &str) -> Option<String> {
        self.state.answer(prompt, self.operator.as_deref_mut().map(|operator| operator as &mut dyn Operator))
    }

    fn wrote(&mut self, record: &StreamRecord) {
        if let Some(operator) = &mut self.operator {
            operator.wrote(record);
        }
    }

    fn computer_name(&self) -> Arc<str> {
        // `$env:COMPUTERNAME` is the NetBIOS name: the first label, in capitals, at most 15 characters.
        let fqdn = &self.fabric.topology().computer(self.computer).fqdn;
        let label = fqdn.split('.').next().unwrap_or(fqdn);
        label.to_ascii_uppercase().chars().take(15).collect::<String>().into()
    }

    fn read_file(&mut self, path: &str) -> Option<Arc<[u8]>> {
        self.fabric.read_file(self.computer, path)
    }

    fn write_file(&mut self, path: &str, content: &[u8]) -> bool {
        if path.is_empty() || self.fabric.check_shell(self.computer).is_err() {
            return false;
        }
        self.fabric.write_file(self.computer, path, content.into());
        true
    }
}
