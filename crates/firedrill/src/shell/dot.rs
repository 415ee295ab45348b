//! Dot commands: what people do to a deployment and ask of it that no computer has a command for.

use std::fmt::Write as _;

use firedrill_fabric::SimDuration;
use firedrill_syntax::nearest;

use super::{Done, Next, Session};
use crate::exit::Exit;
use crate::print::Printer;

/// Name, arguments and meaning of each, as `.help` shows them.
pub(crate) const NAMES: &[(&str, &str, &str)] = &[
    ("on", "COMPUTER", "sit down at another computer; its session keeps its variables"),
    ("status", "", "who serves the users of each pool, where the CMS is, what is broken"),
    ("fault", "FAULT", "break something: .fault pool: pool1.contoso.com"),
    ("heal", "FAULT", "heal it again"),
    ("later", "TIME fault|heal FAULT", "let that happen so much later, also while a command runs: .later 3m fault dns_server"),
    ("wait", "TIME", "let virtual time run: .wait 10m"),
    ("time", "", "virtual time now, and since the start"),
    ("dns", "EDIT", "edit external DNS: .dns set: { name: xmpp.contoso.com, type: A, data: [198.51.100.11] }"),
    ("builder", "EDITS", "edit and publish in Topology Builder: .builder next_hop: { edge1: pool2.contoso.com }"),
    ("wizard", "COMPUTER …", "run Setup or Remove Components of the deployment wizard"),
    ("expect", "EXPECTATION", "look whether something holds, as in a scenario: .expect cms: { master: pool2.contoso.com }"),
    ("log", "[NUMBER]", "the last events"),
    ("snapshot", "NAME", "keep this state under a name"),
    ("restore", "NAME", "go back to it"),
    ("undo", "", "take the last input back; variables of sessions stay"),
    ("save", "FILE", "write what was done so far as a scenario"),
    ("help", "", "this list"),
    ("exit", "", "leave"),
];

/// Events that `.log` shows when no number is given.
const LOG_LINES: usize = 20;

pub(super) fn run(session: &mut Session, command: &str, printer: &mut Printer) -> Next {
    let (name, rest) = command.split_once(char::is_whitespace).map_or((command, ""), |(name, rest)| (name, rest.trim()));
    let name = name.to_lowercase();
    let whole = format!(".{command}");
    let result = match name.as_str() {
        "exit" | "quit" => return Next::Leave(session.end()),
        "help" => Ok(help()),
        "status" => Ok(status(session)),
        "time" => Ok(format!("{}, {} after the start\n", session.drill.now(), session.drill.now().since(session.started))),
        "log" => log(session, rest),
        "on" => sit_down(session, rest),
        "snapshot" => snapshot(session, rest),
        "restore" => restore(session, rest),
        "undo" => undo(session),
        "save" => save(session, rest),
        "expect" => expect(session, rest),
        "fault" | "heal" | "later" | "wait" | "dns" | "builder" | "wizard" => {
            session.remember(&whole);
            change(session, &name, rest)
        }
        _ => {
            let known = NAMES.iter().map(|(name, ..)| *name);
            let near = nearest(&name, known).map_or_else(String::new, |near| format!("; did you mean `.{near}`?"));
            Err(format!("there is no dot command `.{name}`{near} (`.help` lists them)"))
        }
    };
    match result {
        Ok(text) => printer.out(&text),
        Err(problem) => {
            printer.talk(&format!("error: {problem}"));
            session.worse(Exit::Failed);
        }
    }
    Next::Go
}

fn help() -> String {
    let call = |name: &str, arguments: &str| format!(".{name} {arguments}").trim_end().to_owned();
    let width = NAMES.iter().map(|(name, arguments, _)| call(name, arguments).chars().count()).max().unwrap_or(0);
    let mut text = String::from("Everything else is PowerShell on the computer of the prompt.\n");
    for (name, arguments, meaning) in NAMES {
        let _ = writeln!(text, "  {:width$}  {meaning}", call(name, arguments));
    }
    text
}

/// A change of the deployment from outside its computers; kept in the words of a scenario.
fn change(session: &mut Session, name: &str, rest: &str) -> Result<String, String> {
    if rest.is_empty() {
        return Err(format!("`.{name}` needs more words (`.help` shows which)"));
    }
    let drill = &mut session.drill;
    let before = drill.now();
    let (output, step) = match name {
        "fault" => (drill.inject(rest).map(|()| None), format!("fault: {{ {rest} }}")),
        "heal" => (drill.heal(rest).map(|()| None), format!("heal: {{ {rest} }}")),
        "wait" => (drill.advance(rest).map(|()| None), format!("wait: {rest}")),
        "dns" => (drill.edit_dns(rest).map(|()| None), format!("dns: [{{ {rest} }}]")),
        "builder" => (drill.topology_builder(rest).map(Some), format!("topology_builder: {{ {rest} }}")),
        "wizard" => {
            let names: Vec<&str> = rest.split([' ', ',']).filter(|name| !name.is_empty()).collect();
            (drill.deployment_wizard(&names).map(Some), format!("deployment_wizard: [{}]", names.join(", ")))
        }
        _ => {
            let (after, deed) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
            let (kind, fault) = deed.trim().split_once(char::is_whitespace).unwrap_or((deed.trim(), ""));
            let scheduled = match kind {
                "fault" => drill.schedule(after, fault),
                "heal" => drill.schedule_heal(after, fault),
                _ => return Err("write `.later 3m fault FAULT` or `.later 3m heal FAULT`".to_owned()),
            };
            // A scenario writes it under `during` of the next command; on its own it is a remark.
            (scheduled.map(|()| None), format!("later: {{ after: {after}, {kind}: {{ {} }} }}", fault.trim()))
        }
    };
    let output = output.map_err(|error| error.to_string())?;
    session.done.push(Done::Step(step));
    let mut text = String::new();
    if let Some(output) = output {
        for line in output.verbose.lines().chain(output.warnings.lines()).chain(output.text.lines()) {
            let _ = writeln!(text, "{line}");
        }
    }
    let took = session.drill.now().since(before);
    if took > SimDuration::ZERO && name != "wait" {
        let _ = writeln!(text, "took {took}");
    }
    Ok(text)
}

fn expect(session: &mut Session, rest: &str) -> Result<String, String> {
    if rest.is_empty() {
        return Err("`.expect` needs an expectation, as a scenario writes it".to_owned());
    }
    session.drill.expect(rest).map_err(|error| error.to_string())?;
    session.done.push(Done::Expectation(rest.to_owned()));
    Ok("holds\n".to_owned())
}

fn sit_down(session: &mut Session, name: &str) -> Result<String, String> {
    let found = session.drill.topology().find_computer(name);
    session.computer = found.ok_or_else(|| format!("the topology has no computer `{name}`"))?;
    let up = session.drill.fabric().computer_up(session.computer);
    Ok(if up { String::new() } else { format!("{} is off: nothing runs on it until it is healed\n", session.label(session.computer)) })
}

fn status(session: &mut Session) -> String {
    let fabric = session.drill.fabric();
    let topology = fabric.topology().clone();
    let mut text = String::new();
    let width = topology.pools.iter().map(|pool| pool.fqdn.len()).max().unwrap_or(0);
    for pool in topology.pool_ids() {
        let serving = fabric.pool_serving(pool);
        let parts: Vec<String> = serving.parts.iter().map(|(part, users)| format!("{users} {}", fabric.render_serving(part))).collect();
        let parts = if parts.is_empty() { "no users".to_owned() } else { parts.join(", ") };
        let _ = writeln!(text, "{:width$}  {parts}", topology.pool(pool).fqdn);
    }
    let status = fabric.cms_status();
    let master = status.active_master.map_or("nowhere", |computer| topology.computer(computer).fqdn.as_str());
    let _ = writeln!(text, "{:width$}  {master}", "CMS master");
    let faults: Vec<String> = fabric.active_faults().map(|fault| fabric.render_fault(fault)).collect();
    let broken = if faults.is_empty() { "nothing".to_owned() } else { faults.join(", ") };
    let _ = writeln!(text, "{:width$}  {broken}", "broken");
    text
}

fn log(session: &mut Session, count: &str) -> Result<String, String> {
    let count = if count.is_empty() { LOG_LINES } else { count.parse().map_err(|_| format!("`{count}` is no number of events"))? };
    let entries = session.drill.fabric().untaken_log();
    let skipped = entries.len().saturating_sub(count);
    let lines = entries[skipped..].iter().map(|entry| format!("{}  {}\n", entry.at, firedrill_report::event_text(&entry.event)));
    Ok(lines.collect())
}

fn snapshot(session: &mut Session, name: &str) -> Result<String, String> {
    if name.is_empty() {
        let kept = session.named.iter().map(|(name, (snapshot, _))| format!("{name}  {}\n", snapshot.at()));
        return Ok(kept.collect());
    }
    let snapshot = session.drill.rehearsal().snapshot();
    session.named.insert(name.to_owned(), (snapshot, session.done.len()));
    Ok(String::new())
}

fn restore(session: &mut Session, name: &str) -> Result<String, String> {
    let (snapshot, done) = session.named.get(name).cloned().ok_or_else(|| format!("there is no snapshot `{name}`"))?;
    session.remember(&format!(".restore {name}"));
    session.drill.rehearsal().restore(&snapshot);
    session.done.truncate(done);
    Ok(format!("back at {}\n", session.drill.now()))
}

fn undo(session: &mut Session) -> Result<String, String> {
    let (input, snapshot, done) = session.undo.pop().ok_or("there is nothing to take back")?;
    session.drill.rehearsal().restore(&snapshot);
    session.done.truncate(done);
    Ok(format!("took back: {}\n", input.lines().next().unwrap_or_default()))
}

/// The session so far as a scenario: commands one after another, and what was asked of them.
fn save(session: &mut Session, path: &str) -> Result<String, String> {
    if path.is_empty() {
        return Err("`.save` needs a file".to_owned());
    }
    let text = scenario(session, path);
    std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path)
        .and_then(|mut file| std::io::Write::write_all(&mut file, text.as_bytes()))
        .map_err(|error| format!("`{path}` cannot be written: {}", error.kind()))?;
    Ok(format!("{path} written\n"))
}

fn scenario(session: &Session, path: &str) -> String {
    let topology = relative_to(&session.topology, path);
    let mut text = format!("name: A session of {}\ntopology: {topology}\nseed: {}\nsteps:\n", session.started, session.seed);
    let mut expects = false;
    for done in &session.done {
        match done {
            Done::Command { computer, text: script } => {
                let _ = writeln!(text, "  - run: |");
                for line in script.lines() {
                    let _ = writeln!(text, "      {line}");
                }
                let _ = writeln!(text, "    on: {}", session.drill.topology().computer(*computer).fqdn);
                expects = false;
            }
            // What is due later would belong under `during` of a command that nobody has typed yet.
            Done::Step(step) if step.starts_with("later:") => {
                let _ = writeln!(text, "  # {step}");
            }
            Done::Step(step) => {
                let _ = writeln!(text, "  - {step}");
                expects = false;
            }
            Done::Expectation(expectation) => {
                if !expects {
                    let opening = if text.ends_with("steps:\n") { "  - expect:" } else { "    expect:" };
                    let _ = writeln!(text, "{opening}");
                    expects = true;
                }
                let _ = writeln!(text, "      - {expectation}");
            }
        }
    }
    text
}

/// A topology's path as a file in another folder has to write it: absolute when the scenario goes elsewhere.
fn relative_to(topology: &str, scenario: &str) -> String {
    let same_folder = !scenario.contains(['/', '\\']);
    if same_folder || topology.starts_with('/') {
        return topology.to_owned();
    }
    std::path::absolute(topology).map_or_else(|_| topology.to_owned(), |path| path.display().to_string())
}
