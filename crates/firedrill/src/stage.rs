//! Where a script or an interactive session stands: a deployment, healthy or as a scenario leaves it, and a computer.

use std::sync::Arc;

use firedrill_scenario::document::BindingMode;
use firedrill_scenario::record::Discard;
use firedrill_scenario::{DEFAULT_START, DiskFiles, Drill, Files as _, Loader, Options, Runner, Scenario, WirePolicy, limits, title_of};
use firedrill_syntax::Source;
use firedrill_topology::ComputerId;

use crate::cli::Stage;
use crate::exit::Exit;
use crate::mount;
use crate::print::Printer;

/// A drill, and the computer where somebody sits.
pub(crate) struct Opened {
    pub(crate) drill: Drill,
    pub(crate) computer: ComputerId,
    /// Path of the topology, for scenarios that are written from the session.
    pub(crate) topology: String,
    pub(crate) seed: u64,
}

/// Opens the stage that the command line names; what cannot be opened has been said.
pub(crate) fn open(stage: &Stage, seed: Option<u64>, strict: bool, printer: &mut Printer) -> Result<Opened, Exit> {
    let mut opened = match (&stage.topology, &stage.scenario) {
        (Some(topology), None) => healthy(topology, seed.unwrap_or_default(), strict, printer)?,
        (None, Some(scenario)) => in_scenario(scenario, stage.at.as_deref(), seed, strict, printer)?,
        (Some(_), Some(_)) => return Err(usage(printer, "give --topology or --scenario, not both: a scenario names its own topology")),
        (None, None) => return Err(usage(printer, "say where to stand: --topology FILE, or --scenario FILE with --at STEP")),
    };
    if let Some(name) = &stage.on {
        opened.computer = opened.drill.topology().find_computer(name).ok_or_else(|| {
            let some: Vec<&str> = opened.drill.topology().computers.iter().take(4).map(|computer| computer.fqdn.as_str()).collect();
            usage(printer, &format!("the topology has no computer `{name}`; it has {} …", some.join(", ")))
        })?;
    }
    for mounted in &stage.mount {
        let folder = mounted.folder.display().to_string();
        mount::folder(&mut opened.drill, opened.computer, &mounted.folder, &mounted.path, &|_| true)
            .map_err(|error| usage(printer, &format!("`{folder}` cannot be mounted: {error}")))?;
    }
    Ok(opened)
}

pub(crate) fn usage(printer: &mut Printer, problem: &str) -> Exit {
    printer.talk(&format!("error: {problem}"));
    Exit::Usage
}

fn healthy(path: &str, seed: u64, strict: bool, printer: &mut Printer) -> Result<Opened, Exit> {
    let bytes = DiskFiles.read(path, limits::MAX_TOPOLOGY_BYTES as u64).map_err(|error| {
        printer.talk(&format!("error: `{path}` cannot be read: {error}"));
        Exit::Invalid
    })?;
    let source = Source::from_bytes(path, &bytes).map_err(|problem| {
        printer.diagnostics(&[*problem]);
        Exit::Invalid
    })?;
    let loaded = firedrill_scenario::read_topology(&mut DiskFiles, &source);
    printer.diagnostics(&loaded.diagnostics);
    let topology = loaded.topology.ok_or(Exit::Invalid)?;
    let binding = if strict { BindingMode::Strict } else { BindingMode::Default };
    let drill = Drill::new(Arc::new(topology), seed, DEFAULT_START, binding);
    Ok(Opened { computer: first_computer(&drill), drill, topology: path.to_owned(), seed })
}

fn in_scenario(path: &str, at: Option<&str>, seed: Option<u64>, strict: bool, printer: &mut Printer) -> Result<Opened, Exit> {
    let mut files = DiskFiles;
    let loaded = Loader::new(&mut files).load(path).map_err(|problems| {
        printer.diagnostics(&problems);
        Exit::Invalid
    })?;
    printer.diagnostics(&loaded.warnings);
    let scenario = loaded.scenario;
    let steps = match at {
        Some(at) => steps_before(&scenario, at).map_err(|problem| usage(printer, &problem))?,
        None => scenario.steps.len(),
    };
    let runner = Runner::new(Options { seed, strict, wire: WirePolicy::Off, ..Options::default() });
    match runner.rehearse(&scenario, steps, &mut Discard) {
        Ok(drill) => {
            let seed = seed.unwrap_or(scenario.seed);
            Ok(Opened { computer: first_computer(&drill), drill, topology: scenario.topology_path.to_string(), seed })
        }
        Err(outcome) => {
            let why = outcome.failures.first().map_or_else(String::new, |failure| {
                format!(": step {} expected {}, and found {}", outcome.steps_run, failure.expected, failure.found)
            });
            printer.talk(&format!("error: `{path}` does not get there{why}"));
            Err(Exit::Failed)
        }
    }
}

/// How many steps come before the one that is named by its number from 1 or by its title.
fn steps_before(scenario: &Scenario, at: &str) -> Result<usize, String> {
    let count = scenario.steps.len();
    if let Ok(number) = at.parse::<usize>() {
        return if (1..=count).contains(&number) {
            Ok(number - 1)
        } else {
            Err(format!("there is no step {number}: the scenario has {count}"))
        };
    }
    let wanted = at.to_lowercase();
    let titles = scenario.steps.iter().map(|step| title_of(step, &scenario.topology).to_lowercase());
    let found: Vec<usize> = titles.enumerate().filter(|(_, title)| title.contains(&wanted)).map(|(index, _)| index).collect();
    match found.as_slice() {
        [one] => Ok(*one),
        [] => Err(format!("no step of the scenario has `{at}` in its title")),
        several => {
            let numbers: Vec<String> = several.iter().map(|index| (index + 1).to_string()).collect();
            Err(format!("several steps have `{at}` in their titles: {}", numbers.join(", ")))
        }
    }
}

/// Where an administrator sits who has no reason to sit elsewhere: the computer that holds the CMS master while it is up, else
/// the first Front End that is.
fn first_computer(drill: &Drill) -> ComputerId {
    let topology = drill.topology();
    let master = drill.fabric().cms_status().active_master;
    let mut front_ends = topology.pools.iter().flat_map(|pool| pool.front_ends.iter().copied());
    master
        .into_iter()
        .chain(front_ends.clone())
        .find(|computer| drill.fabric().computer_up(*computer))
        .or_else(|| front_ends.next())
        .unwrap_or(ComputerId(0))
}
