//! Breaks the model on purpose, one behaviour at a time, and looks which scenarios notice.
//!
//! A scenario that stays green whatever is broken asserts nothing. `xtask/breaks.yaml` lists breaks: a behaviour with its
//! source, and small edits that take it away. All of them go into one copy of the tree under the target directory, each
//! behind a switch, so that the list costs one build and one run of the scenarios a break; the tree itself is never touched.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use serde::Deserialize;

use crate::generated::write_or_check;

/// The list of breaks.
const LIST: &str = "xtask/breaks.yaml";
/// The page with what came of them.
const PAGE: &str = "docs/breaks.md";
/// Scenarios that must notice.
const SCENARIOS: &str = "scenarios";
/// Stands in an edit for "this break is on".
const SWITCH: &str = "BROKEN";
/// Names the break that is on, for the program built from the copy.
const VARIABLE: &str = "FIREDRILL_BREAK";
/// What `SWITCH` calls; it goes to the end of every edited file.
const SWITCH_FUNCTION: &str = "
fn this_break_is_on(name: &str) -> bool {
    static CHOSEN: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    CHOSEN.get_or_init(|| std::env::var(\"FIREDRILL_BREAK\").unwrap_or_default()) == name
}
";
/// Longest run of all scenarios: a break may turn a wait into an endless one.
const RUN_LIMIT: Duration = Duration::from_secs(180);
/// Files whose breaks only the real path shows; all others are judged by the model alone, so that a scenario is red for
/// what it expects and not because model and wire fell apart.
const WIRE: &[&str] = &["crates/dns/", "crates/edge/"];

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Fail when a break goes unnoticed, when a scenario notices none, or when docs/breaks.md says something else.
    #[arg(long)]
    check: bool,
    /// Build and run nothing: only see whether every break still finds its text, exactly once.
    #[arg(long, conflicts_with_all = ["check", "only"])]
    verify: bool,
    /// Only breaks with these names (the page is not written).
    #[arg(long, value_name = "NAME", conflicts_with = "check")]
    only: Vec<String>,
}

/// One behaviour that is taken away.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Break {
    /// What the broken model does, in dashes.
    name: String,
    /// The behaviour that is gone, with its source.
    behaviour: String,
    edits: Vec<Edit>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Edit {
    /// File, from the root of the workspace.
    file: String,
    /// Text that occurs exactly once in it.
    text: String,
    /// What stands there instead; says what it does when the break is on and when it is not.
    with: String,
}

/// What a scenario said with a break in place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Colour {
    /// It failed, or could not be decided.
    Red,
    /// Model and wire disagreed, or the program reported a bug of its own.
    Bug,
}

/// What came of one break.
enum Outcome {
    /// Scenario files that were not green.
    Noticed(BTreeMap<String, Colour>),
    /// The broken program does not end, or crashes: the break is badly made.
    Useless(String),
}

pub(crate) fn run(root: &Path, arguments: &Arguments) -> anyhow::Result<()> {
    let breaks = verified(root)?;
    if arguments.verify {
        return up_to_date(root, &breaks);
    }
    let chosen = choose(&breaks, &arguments.only)?;
    let workshop = Workshop::open(root, &breaks)?;
    match workshop.run("", true)? {
        Outcome::Useless(why) => bail!("with no break on: {why}"),
        Outcome::Noticed(red) if !red.is_empty() => {
            bail!("with no break on, these are not green: {}", red.keys().cloned().collect::<Vec<_>>().join(", "))
        }
        Outcome::Noticed(_) => {}
    }
    let mut outcomes = Vec::new();
    for (number, one) in chosen.iter().enumerate() {
        let outcome = workshop.run(&one.name, one.needs_wire())?;
        println!("{:>3}/{} {}\n        {}", number + 1, chosen.len(), one.name, outcome.line());
        outcomes.push((*one, outcome));
    }
    let all = arguments.only.is_empty();
    let scenarios = workshop.scenarios()?;
    let complaints = complaints(&outcomes, &scenarios, all);
    println!("{} breaks, {} complaint(s)", outcomes.len(), complaints.len());
    for complaint in &complaints {
        println!("  {complaint}");
    }
    ensure!(complaints.is_empty() || !arguments.check, "scenarios and breaks do not cover each other");
    if all { write_or_check(root, PAGE, &page(&outcomes, &scenarios), arguments.check) } else { Ok(()) }
}

/// The quick half: every break finds its text exactly once, and the page lists these breaks and these scenarios.
pub(crate) fn verify(root: &Path) -> anyhow::Result<()> {
    up_to_date(root, &verified(root)?)
}

fn verified(root: &Path) -> anyhow::Result<Vec<Break>> {
    let text = std::fs::read_to_string(root.join(LIST)).with_context(|| format!("cannot read {LIST}"))?;
    let breaks: Vec<Break> = serde_saphyr::from_str(&text).with_context(|| format!("{LIST} is not a list of breaks"))?;
    let mut names = BTreeSet::new();
    let mut complaints = Vec::new();
    for one in &breaks {
        if !names.insert(&one.name) {
            complaints.push(format!("{}: the name is taken", one.name));
        }
        if !one.edits.iter().any(|edit| edit.with.contains(SWITCH)) {
            complaints.push(format!("{}: no edit asks for {SWITCH}", one.name));
        }
        for edit in &one.edits {
            let source = std::fs::read_to_string(root.join(&edit.file)).unwrap_or_default();
            match source.matches(&edit.text).count() {
                1 => {}
                count => complaints.push(format!("{}: its text occurs {count} times in {} and must occur once", one.name, edit.file)),
            }
        }
    }
    ensure!(complaints.is_empty(), "{LIST} does not fit the sources any more\n{}", complaints.join("\n"));
    Ok(breaks)
}

fn up_to_date(root: &Path, breaks: &[Break]) -> anyhow::Result<()> {
    edited(root, breaks)?;
    let page = std::fs::read_to_string(root.join(PAGE)).unwrap_or_default();
    let mut complaints = Vec::new();
    for one in breaks.iter().filter(|one| !page.contains(&format!("| `{}` | {} |", one.name, one.behaviour))) {
        complaints.push(format!("{PAGE} does not know the break `{}`", one.name));
    }
    for file in tracked(root)?.iter().filter(|file| is_scenario(file)) {
        if !page.contains(&format!("| {} |", short(file))) {
            complaints.push(format!("{PAGE} does not know the scenario {file}"));
        }
    }
    ensure!(complaints.is_empty(), "run `cargo xtask breaks` and commit the result\n{}", complaints.join("\n"));
    Ok(())
}

fn choose<'a>(breaks: &'a [Break], only: &[String]) -> anyhow::Result<Vec<&'a Break>> {
    if let Some(unknown) = only.iter().find(|name| breaks.iter().all(|one| one.name != **name)) {
        bail!("there is no break `{unknown}` in {LIST}");
    }
    Ok(breaks.iter().filter(|one| only.is_empty() || only.contains(&one.name)).collect())
}

impl Break {
    fn needs_wire(&self) -> bool {
        self.edits.iter().any(|edit| WIRE.iter().any(|folder| edit.file.starts_with(folder)))
    }
}

impl Outcome {
    fn line(&self) -> String {
        match self {
            Self::Useless(why) => format!("USELESS: {why}"),
            Self::Noticed(red) if red.is_empty() => "nobody noticed".to_owned(),
            Self::Noticed(red) => red.iter().map(|(file, colour)| marked(file, *colour)).collect::<Vec<_>>().join(", "),
        }
    }
}

fn marked(name: &str, colour: Colour) -> String {
    let name = short(name);
    if colour == Colour::Bug { format!("{name} (bug)") } else { name.to_owned() }
}

/// `scenarios/procedures/p8-media.yaml` as `procedures/p8-media`.
fn short(file: &str) -> &str {
    let file = file.strip_prefix("scenarios/").unwrap_or(file);
    file.strip_suffix(".yaml").unwrap_or(file)
}

fn is_scenario(file: &str) -> bool {
    file.starts_with("scenarios/") && file.ends_with(".yaml")
}

/// A copy of the tree with all breaks in it, and where it is built.
struct Workshop {
    tree: PathBuf,
    build: PathBuf,
    log: PathBuf,
}

impl Workshop {
    /// Copies, edits and builds.
    fn open(root: &Path, breaks: &[Break]) -> anyhow::Result<Self> {
        let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |folder| root.join(folder));
        let home = target.join("breaks");
        let workshop = Self { tree: home.join("tree"), build: home.join("build"), log: home.join("run.jsonl") };
        workshop.copy(root, &edited(root, breaks)?)?;
        workshop.build()?;
        Ok(workshop)
    }

    /// Brings the copy into line with the tree and its edits; files that are equal keep their times, so that little is
    /// built anew.
    fn copy(&self, root: &Path, edited: &BTreeMap<&str, String>) -> anyhow::Result<()> {
        let wanted: BTreeSet<String> = tracked(root)?.into_iter().collect();
        for file in &wanted {
            match edited.get(file.as_str()) {
                Some(text) => self.put(file, text.as_bytes())?,
                None => self.put(file, &std::fs::read(root.join(file)).with_context(|| format!("cannot read {file}"))?)?,
            }
        }
        for file in files_below(&self.tree, &self.tree)? {
            if !wanted.contains(&file) {
                std::fs::remove_file(self.tree.join(file))?;
            }
        }
        Ok(())
    }

    fn put(&self, file: &str, content: &[u8]) -> anyhow::Result<()> {
        let path = self.tree.join(file);
        if std::fs::read(&path).is_ok_and(|held| held == content) {
            return Ok(());
        }
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(&path, content).with_context(|| format!("cannot write {}", path.display()))
    }

    /// Scenario files, as the program names them.
    fn scenarios(&self) -> anyhow::Result<Vec<String>> {
        let mut files = files_below(&self.tree, &self.tree)?;
        files.retain(|file| is_scenario(file));
        files.sort();
        Ok(files)
    }

    fn build(&self) -> anyhow::Result<()> {
        let output = Command::new("cargo")
            .args(["build", "--quiet", "--locked", "--package", "firedrill", "--target-dir"])
            .arg(&self.build)
            .current_dir(&self.tree)
            .output()
            .context("cargo build")?;
        let complaint = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "the copy with the breaks of {LIST} does not build\n{complaint}");
        Ok(())
    }

    /// Runs all scenarios with one break on.
    fn run(&self, name: &str, wire: bool) -> anyhow::Result<Outcome> {
        let mut command = Command::new(self.build.join("debug/firedrill"));
        command.args(["run", SCENARIOS, "--keep-going", "--format", "json"]).args((!wire).then_some("--no-wire")).env(VARIABLE, name);
        let log = File::create(&self.log).with_context(|| format!("cannot write {}", self.log.display()))?;
        let mut child =
            command.current_dir(&self.tree).stdin(Stdio::null()).stdout(log).stderr(Stdio::null()).spawn().context("firedrill run")?;
        let began = Instant::now();
        let status = loop {
            if let Some(status) = child.try_wait()? {
                break status;
            }
            if began.elapsed() > RUN_LIMIT {
                child.kill()?;
                child.wait()?;
                return Ok(Outcome::Useless(format!("the scenarios did not end within {} s", RUN_LIMIT.as_secs())));
            }
            std::thread::sleep(Duration::from_millis(20));
        };
        match status.code() {
            Some(0 | 1 | 5 | 70) => Ok(Outcome::Noticed(verdicts(&std::fs::read_to_string(&self.log)?)?)),
            code => Ok(Outcome::Useless(format!("firedrill ended with {code:?}"))),
        }
    }
}

/// Files with the breaks of the list in them.
fn edited<'a>(root: &Path, breaks: &'a [Break]) -> anyhow::Result<BTreeMap<&'a str, String>> {
    let mut files: BTreeMap<&str, String> = BTreeMap::new();
    for one in breaks {
        let switch = format!("this_break_is_on(\"{}\")", one.name);
        for edit in &one.edits {
            if !files.contains_key(edit.file.as_str()) {
                let source = std::fs::read_to_string(root.join(&edit.file)).with_context(|| format!("cannot read {}", edit.file))?;
                files.insert(&edit.file, source + SWITCH_FUNCTION);
            }
            if let Some(source) = files.get_mut(edit.file.as_str()) {
                // Breaks of the same place leave the text standing for the next.
                ensure!(source.matches(&edit.text).count() == 1, "break `{}`: another break has changed its text", one.name);
                *source = source.replacen(&edit.text, &edit.with.replace(SWITCH, &switch), 1);
            }
        }
    }
    Ok(files)
}

/// Scenario files whose run did not pass.
fn verdicts(log: &str) -> anyhow::Result<BTreeMap<String, Colour>> {
    let mut red = BTreeMap::new();
    let mut file = String::new();
    for line in log.lines().filter(|line| line.contains("\"run_started\"") || line.contains("\"run_ended\"")) {
        let record: serde_json::Value = serde_json::from_str(line)?;
        match (record["record"].as_str(), record["verdict"].as_str()) {
            (Some("run_started"), _) => file = record["file"].as_str().unwrap_or_default().to_owned(),
            (Some("run_ended"), Some("pass")) => {}
            (Some("run_ended"), Some("bug")) => drop(red.insert(std::mem::take(&mut file), Colour::Bug)),
            (Some("run_ended"), _) => drop(red.insert(std::mem::take(&mut file), Colour::Red)),
            _ => {}
        }
    }
    Ok(red)
}

fn complaints(outcomes: &[(&Break, Outcome)], scenarios: &[String], all: bool) -> Vec<String> {
    let mut complaints = Vec::new();
    for (one, outcome) in outcomes {
        match outcome {
            Outcome::Useless(why) => complaints.push(format!("break `{}`: {why}", one.name)),
            Outcome::Noticed(red) if red.is_empty() => complaints.push(format!("break `{}`: nobody noticed", one.name)),
            Outcome::Noticed(_) => {}
        }
    }
    let noticed = by_scenario(outcomes, scenarios);
    let blind = noticed.iter().filter(|(_, breaks)| all && !breaks.iter().any(|(_, colour)| *colour == Colour::Red));
    complaints.extend(blind.map(|(file, _)| format!("{file} never turned red")));
    complaints
}

fn by_scenario<'a>(outcomes: &'a [(&Break, Outcome)], scenarios: &'a [String]) -> BTreeMap<&'a str, Vec<(&'a str, Colour)>> {
    let mut table: BTreeMap<&str, Vec<(&str, Colour)>> = scenarios.iter().map(|file| (file.as_str(), Vec::new())).collect();
    for (one, outcome) in outcomes {
        let Outcome::Noticed(red) = outcome else { continue };
        for (file, colour) in red {
            table.entry(file).or_default().push((&one.name, *colour));
        }
    }
    table
}

fn page(outcomes: &[(&Break, Outcome)], scenarios: &[String]) -> String {
    let mut page = String::from(
        "# Breaks\n\nEach break takes one behaviour away from a copy of the program; the scenarios that assert it turn red. `(bug)` is a break that\n\
         the comparison of the model with the real DNS server and listeners found before an expectation did.\n\
         This page is generated (`cargo xtask breaks`); the list is `xtask/breaks.yaml`.\n\n\
         ## Which breaks turn a scenario red\n\n| scenario | breaks |\n|---|---|\n",
    );
    for (file, breaks) in by_scenario(outcomes, scenarios) {
        let names: Vec<String> = breaks.iter().map(|(name, colour)| marked(&format!("`{name}`"), *colour)).collect();
        let _ = writeln!(page, "| {} | {} |", short(file), if names.is_empty() { "**none**".to_owned() } else { names.join(", ") });
    }
    page.push_str("\n## What each break takes away\n\n| break | behaviour that is gone | scenarios |\n|---|---|---|\n");
    for (one, outcome) in outcomes {
        let count = match outcome {
            Outcome::Useless(_) => "useless".to_owned(),
            Outcome::Noticed(red) => red.len().to_string(),
        };
        let _ = writeln!(page, "| `{}` | {} | {count} |", one.name, one.behaviour);
    }
    page
}

fn tracked(root: &Path) -> anyhow::Result<Vec<String>> {
    let output = Command::new("git").args(["ls-files", "--cached"]).current_dir(root).output().context("git ls-files")?;
    let files = String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect::<Vec<_>>();
    // A file deleted and not yet committed is still listed.
    Ok(files.into_iter().filter(|file| root.join(file).is_file()).collect())
}

/// All files below a folder, named from `root`; none when there is no such folder.
fn files_below(folder: &Path, root: &Path) -> anyhow::Result<Vec<String>> {
    let mut files = Vec::new();
    let Ok(entries) = std::fs::read_dir(folder) else { return Ok(files) };
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(files_below(&path, root)?);
        } else if let Ok(relative) = path.strip_prefix(root) {
            files.push(relative.to_string_lossy().replace('\\', "/"));
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = r#"{"record":"run_started","file":"scenarios/a.yaml"}
{"record":"run_ended","verdict":"pass"}
{"record":"run_started","file":"scenarios/b.yaml"}
{"record":"stream","text":"\"run_ended\" is only said here","verdict":"pass"}
{"record":"run_ended","verdict":"inconclusive"}
{"record":"run_started","file":"scenarios/c.yaml"}
{"record":"run_ended","verdict":"bug"}
"#;

    fn one(name: &str) -> Break {
        Break { name: name.into(), behaviour: "it holds".into(), edits: Vec::new() }
    }

    #[test]
    fn everything_but_a_pass_is_a_colour() {
        let red = verdicts(LOG).unwrap();
        let expected = [("scenarios/b.yaml".to_owned(), Colour::Red), ("scenarios/c.yaml".to_owned(), Colour::Bug)];
        assert_eq!(red, BTreeMap::from(expected));
    }

    #[test]
    fn an_unnoticed_break_and_a_scenario_that_only_the_wire_finds_are_complained_about() {
        let (blunt, sharp) = (one("blunt"), one("sharp"));
        let outcomes = [(&blunt, Outcome::Noticed(BTreeMap::new())), (&sharp, Outcome::Noticed(verdicts(LOG).unwrap()))];
        let scenarios = ["scenarios/b.yaml".to_owned(), "scenarios/c.yaml".to_owned()];
        assert_eq!(complaints(&outcomes, &scenarios, true), ["break `blunt`: nobody noticed", "scenarios/c.yaml never turned red"]);
        assert_eq!(complaints(&outcomes, &scenarios, false), ["break `blunt`: nobody noticed"]);
    }

    #[test]
    fn the_list_fits_the_sources_and_the_page() {
        verify(Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()).unwrap();
    }
}
