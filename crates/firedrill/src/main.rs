//! The command line of Firedrill: reads arguments, hands work to the crates, turns outcomes into exit codes.

mod check;
mod cli;
mod console;
mod exit;
mod mount;
mod print;
mod run;
mod script;
mod select;
mod shell;
mod stage;

use std::io::Write as _;
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser as _};

use crate::cli::{Cli, Command, SchemaKind};
use crate::exit::Exit;
use crate::print::Printer;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let mut printer = Printer::new(cli.color);
    let exit = match cli.command {
        Command::Run(arguments) if arguments.selection.paths.iter().any(|path| script::is_script(path)) => {
            script::run(&arguments, &mut printer)
        }
        Command::Run(arguments) => run::run(&arguments, &mut printer),
        Command::Shell(arguments) => shell::run(&arguments, &mut printer),
        Command::Check(arguments) => check::run(&arguments, &mut printer),
        Command::List(selection) => list(&selection, &mut printer),
        Command::Schema(arguments) => {
            printer.out(&match arguments.kind {
                SchemaKind::Scenario => firedrill_scenario::schema_text(),
                SchemaKind::Topology => firedrill_topology::schema_text(),
            });
            Exit::Pass
        }
        Command::Evidence(arguments) => evidence(arguments.behaviour.as_deref(), &mut printer),
        Command::Completions(arguments) => {
            clap_complete::generate(arguments.shell, &mut Cli::command(), "firedrill", &mut std::io::stdout().lock());
            Exit::Pass
        }
        Command::Man => man(),
    };
    exit.into()
}

fn list(selection: &cli::Selection, printer: &mut Printer) -> Exit {
    let selected = match select::select(selection) {
        Ok(selected) => selected,
        Err(error) => return printer.usage_error(&error),
    };
    if printer.diagnostics(&selected.diagnostics) {
        return Exit::Invalid;
    }
    if selected.scenarios.is_empty() {
        printer.talk("nothing selected");
        return Exit::NothingSelected;
    }
    let width = selected.scenarios.iter().map(|scenario| scenario.source.name.len()).max().unwrap_or(0);
    for scenario in &selected.scenarios {
        printer.out(&format!("{:width$}  {}  [{}]\n", scenario.source.name, scenario.name, scenario.tags.join(", ")));
    }
    Exit::Pass
}

fn evidence(part: Option<&str>, printer: &mut Printer) -> Exit {
    let part = part.unwrap_or_default().to_ascii_lowercase();
    let mut found = false;
    for behaviour in firedrill_fabric::Behaviour::ALL {
        let name = format!("{behaviour:?}");
        if name.to_ascii_lowercase().contains(&part) {
            found = true;
            let class = format!("{:?}", behaviour.evidence()).to_lowercase();
            printer.out(&format!("{name} ({class}, {})\n    {}\n", behaviour.citation(), behaviour.summary()));
        }
    }
    if found {
        return Exit::Pass;
    }
    printer.talk(&format!("no behaviour of the model has `{part}` in its name; `firedrill evidence` lists all"));
    Exit::NothingSelected
}

fn man() -> Exit {
    let mut page = Vec::new();
    // A reader that closes the pipe has seen enough.
    let _ = clap_mangen::Man::new(Cli::command()).render(&mut page).and_then(|()| std::io::stdout().lock().write_all(&page));
    Exit::Pass
}
