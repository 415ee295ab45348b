//! `firedrill shell`: PowerShell on the computers of a deployment, and dot commands for what no computer has a command for:
//! faults, time, snapshots and the way back.

mod complete;
mod dot;
mod input;

use firedrill::Drill;
use firedrill_cmdlets::signatures;
use firedrill_fabric::SimTime;
use firedrill_powershell::parse;
use firedrill_powershell::source::Source as ScriptSource;
use firedrill_scenario::{Said, Snapshot};
use firedrill_topology::ComputerId;

use crate::cli::Shell as Arguments;
use crate::console::Console;
use crate::exit::Exit;
use crate::print::Printer;
use crate::{script, stage};

/// States that `.undo` can go back to.
const UNDO_DEPTH: usize = 1_000;

/// What was done, as a scenario would write it.
pub(crate) enum Done {
    /// PowerShell on a computer.
    Command { computer: ComputerId, text: String },
    /// A step in the words of a scenario: `fault: { pool: pool1.contoso.com }`.
    Step(String),
    /// An expectation that held, or did not.
    Expectation(String),
}

/// An interactive session.
pub(crate) struct Session {
    pub(crate) drill: Drill,
    pub(crate) computer: ComputerId,
    pub(crate) topology: String,
    pub(crate) seed: u64,
    pub(crate) started: SimTime,
    /// States before each input that may have changed something, with how much had been done then.
    pub(crate) undo: Vec<(String, Snapshot, usize)>,
    pub(crate) named: std::collections::BTreeMap<String, (Snapshot, usize)>,
    pub(crate) done: Vec<Done>,
    /// Whether standard input holds the commands of a pipe rather than somebody's typing.
    pub(crate) piped: bool,
    answers: Vec<String>,
    /// The worst that happened: a piped session ends with it.
    worst: Exit,
}

/// Whether the session goes on.
pub(crate) enum Next {
    Go,
    Leave(Exit),
}

pub(crate) fn run(arguments: &Arguments, printer: &mut Printer) -> Exit {
    let opened = match stage::open(&arguments.stage, arguments.seed, arguments.strict_binding, printer) {
        Ok(opened) => opened,
        Err(exit) => return exit,
    };
    let mut input = match input::open(arguments.no_history) {
        Ok(input) => input,
        Err(problem) => {
            printer.talk(&format!("error: the terminal cannot be used: {problem}"));
            return Exit::Bug;
        }
    };
    let started = opened.drill.now();
    let mut session = Session {
        computer: opened.computer,
        topology: opened.topology,
        seed: opened.seed,
        drill: Drill::from(opened.drill),
        started,
        undo: Vec::new(),
        named: std::collections::BTreeMap::new(),
        done: Vec::new(),
        piped: input.is_piped(),
        answers: arguments.stage.answer.clone(),
        worst: Exit::Pass,
    };
    if !session.piped {
        printer.talk("PowerShell on the computers of the rehearsal; `.help` lists what else there is, `.exit` leaves.");
    }
    loop {
        let catalogue = complete::Catalogue::new(&mut session);
        let text = match input.read(&session.prompt(), catalogue, &needs_more) {
            input::Read::Text(text) => text,
            input::Read::Cancelled => continue,
            input::Read::End => return session.end(),
        };
        match session.enter(&text, printer) {
            Next::Go => {}
            Next::Leave(exit) => return exit,
        }
    }
}

/// Whether PowerShell would ask for another line.
fn needs_more(text: &str) -> bool {
    if text.trim_start().starts_with('.') {
        return false;
    }
    let (_, errors) = parse::parse(&std::sync::Arc::new(ScriptSource::new("", text)));
    !errors.is_empty() && errors.iter().all(|error| error.incomplete)
}

impl Session {
    /// One input: a dot command, or PowerShell.
    fn enter(&mut self, text: &str, printer: &mut Printer) -> Next {
        let trimmed = text.trim();
        if trimmed.is_empty() {
            return Next::Go;
        }
        // `. .\functions.ps1` is PowerShell: a dot with a blank behind it.
        if let Some(command) = trimmed.strip_prefix('.').filter(|rest| rest.starts_with(|c: char| c.is_ascii_alphabetic())) {
            return dot::run(self, command, printer);
        }
        self.remember(trimmed);
        let mut console = Console::new(printer, &self.answers, !self.piped);
        let result = self.drill.rehearsal().run_at_console(self.computer, text, &mut console);
        console.close();
        self.done.push(Done::Command { computer: self.computer, text: trimmed.to_owned() });
        match result {
            Ok(said) => self.said(said, printer),
            Err(error) => {
                printer.talk(&format!("error: {error}"));
                self.worse(Exit::Failed);
                Next::Go
            }
        }
    }

    fn said(&mut self, said: Said, printer: &mut Printer) -> Next {
        script::say_remarks(&said, printer);
        if !said.unmodelled.is_empty() {
            self.worse(Exit::Inconclusive);
        } else if said.failed {
            self.worse(Exit::Failed);
        }
        let leaves = said.left;
        let code = said.exit_code;
        if !self.piped && said.took > firedrill_fabric::SimDuration::ZERO {
            printer.talk(&format!("took {}", said.took));
        }
        self.drill.heard(said);
        if leaves {
            return Next::Leave(Exit::Script(code as u8));
        }
        Next::Go
    }

    /// `[pool1-fe1 2026-03-02 08:00:00] PS>`
    fn prompt(&self) -> String {
        let now = self.drill.now().to_string();
        let time = now.trim_end_matches('Z').replacen('T', " ", 1);
        let short = time.split('.').next().unwrap_or(&time);
        format!("[{} {short}] PS> ", self.label(self.computer))
    }

    /// The first label of a computer's name.
    pub(crate) fn label(&self, computer: ComputerId) -> String {
        let fqdn = &self.drill.topology().computer(computer).fqdn;
        fqdn.split('.').next().unwrap_or(fqdn).to_owned()
    }

    /// Keeps the state before an input, so that it can be taken back.
    pub(crate) fn remember(&mut self, input: &str) {
        if self.undo.len() == UNDO_DEPTH {
            self.undo.remove(0);
        }
        let snapshot = self.drill.rehearsal().snapshot();
        self.undo.push((input.to_owned(), snapshot, self.done.len()));
    }

    pub(crate) fn worse(&mut self, exit: Exit) {
        let rank = |exit: Exit| match exit {
            Exit::Pass => 0,
            Exit::Inconclusive => 1,
            _ => 2,
        };
        if rank(exit) > rank(self.worst) {
            self.worst = exit;
        }
    }

    /// How the session ends: with what went wrong when nobody was there to see it.
    pub(crate) fn end(&self) -> Exit {
        if self.piped { self.worst } else { Exit::Pass }
    }
}

/// Names of commands that the deployment's version has.
pub(crate) fn command_names(session: &mut Session) -> Vec<String> {
    let version = session.drill.topology().version;
    let product = signatures::all().values().filter(|signature| signature.exists_in(version)).map(|signature| signature.name.to_owned());
    let mut names: Vec<String> = product.chain(firedrill_powershell::builtins::names().iter().map(ToString::to_string)).collect();
    names.sort_by_key(|name| name.to_lowercase());
    names.dedup();
    names
}
