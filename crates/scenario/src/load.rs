//! From paths to scenarios that can be run.

use std::collections::BTreeMap;
use std::sync::Arc;

use firedrill_fabric::SimDuration;
use firedrill_syntax::{Diagnostic, Limits, Located, Source, Span, quote, read_yaml};
use firedrill_topology::Topology;

use crate::document::{ExpectationDocument, ScenarioDocument, StepDocument};
use crate::files::{Files, ReadError, is_absolute, join};
use crate::resolve::{DEFAULT_START, Problems, Resolver, Station, with_overrides};
use crate::scenario::{Action, Expectation, Scenario, Step, Timing};

/// Limits of scenario files. Going beyond is an error of its own.
pub mod limits {
    /// Largest scenario file in bytes.
    pub const MAX_BYTES: usize = 8 * 1024 * 1024;
    /// Largest deployment document in bytes.
    pub const MAX_TOPOLOGY_BYTES: usize = 8 * 1024 * 1024;
    /// Most steps of a scenario, included ones counted.
    pub const MAX_STEPS: usize = 10_000;
    /// Deepest nesting of includes.
    pub const MAX_INCLUDES: usize = 16;
    /// Longest name and title in characters.
    pub const MAX_NAME: usize = 200;
}

/// A scenario and what deserves a second look in its files.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The scenario.
    pub scenario: Arc<Scenario>,
    /// Warnings.
    pub warnings: Vec<Diagnostic>,
}

/// Reads scenarios. Deployment documents are read once for all scenarios that name them.
pub struct Loader<'f> {
    files: &'f mut dyn Files,
    topologies: BTreeMap<String, Result<ReadTopology, Vec<Diagnostic>>>,
}

#[derive(Clone)]
struct ReadTopology {
    topology: Arc<Topology>,
    digest: [u8; 32],
    warnings: Vec<Diagnostic>,
}

impl std::fmt::Debug for Loader<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Loader").field("topologies", &self.topologies.keys()).finish_non_exhaustive()
    }
}

/// The scenario that includes unfold into, while they do.
struct Unfolding<'a> {
    /// Path of the deployment document that every file must name.
    topology_path: &'a str,
    topology: &'a Topology,
    steps: Vec<Step>,
    /// Files being unfolded, the outermost first: path, and where its include stands.
    open: Vec<String>,
    hasher: blake3::Hasher,
    problems: Vec<Diagnostic>,
    full: bool,
}

impl<'f> Loader<'f> {
    /// A loader that reads from `files`.
    pub fn new(files: &'f mut dyn Files) -> Self {
        Self { files, topologies: BTreeMap::new() }
    }

    /// Reads a scenario with everything it names.
    ///
    /// # Errors
    /// All problems found: the first one where a file's structure is broken, every one where its meaning is.
    pub fn load(&mut self, path: &str) -> Result<Loaded, Vec<Diagnostic>> {
        let source = self.read(path, None)?;
        self.load_source(path, &source)
    }

    /// Reads a scenario from text that is already there; `path` says where relative paths in it start.
    ///
    /// # Errors
    /// As [`Loader::load`].
    pub fn load_source(&mut self, path: &str, source: &Arc<Source>) -> Result<Loaded, Vec<Diagnostic>> {
        let document = read_document(source).map_err(|problems| topology_taken_for_scenario(source).unwrap_or(problems))?;
        let mut problems = Problems::default();
        check_words(&document, source, &mut problems);
        let topology_path = join(path, &document.topology);
        let read = self.topology(&topology_path, source, document.topology.span)?;
        let topology = match &document.overrides {
            Some(overrides) => with_overrides(&read.topology, overrides, source, &mut problems),
            None => read.topology.clone(),
        };
        let mut hasher = blake3::Hasher::new();
        hash_text(&mut hasher, source.text.as_bytes());
        hasher.update(&read.digest);

        let mut resolver = Resolver { topology: &topology, source, problems: &mut problems };
        let start = document.start.as_ref().and_then(|text| resolver.instant(text)).unwrap_or(DEFAULT_START);
        let objectives = document.objectives.as_ref().map(|objectives| resolver.objectives(objectives)).unwrap_or_default();
        if document.steps.is_empty() && document.expect.is_empty() {
            let hint = Some("write `steps:` with what happens, and `expect:` with what has to hold".to_owned());
            resolver.error("empty-scenario", document.name.span, "this scenario does nothing and expects nothing", hint);
        }
        let mut unfolding = Unfolding {
            topology_path: &topology_path,
            topology: &topology,
            steps: Vec::new(),
            open: vec![join("", path)],
            hasher,
            problems: Vec::new(),
            full: false,
        };
        let expect = self.unfold(&document, path, source, &mut unfolding, problems);
        let Unfolding { steps, hasher, problems: mut diagnostics, .. } = unfolding;
        if diagnostics.iter().any(|diagnostic| diagnostic.severity == firedrill_syntax::Severity::Error) {
            return Err(diagnostics);
        }
        diagnostics.splice(0..0, read.warnings);
        let procedure: Option<Arc<str>> = document.procedure.as_ref().map(|text| Arc::from(text.value.as_str()));
        let mut tags: Vec<Arc<str>> = procedure.iter().cloned().collect();
        for tag in &document.tags {
            if !tags.iter().any(|present| **present == *tag.value) {
                tags.push(Arc::from(tag.value.as_str()));
            }
        }
        let scenario = Scenario {
            name: Arc::from(document.name.trim()),
            description: document.description.as_deref().map(Arc::from),
            procedure,
            tags,
            source: source.clone(),
            topology_path: Arc::from(topology_path.as_str()),
            topology,
            seed: document.seed,
            start,
            binding: document.binding,
            wire: document.wire,
            objectives,
            steps,
            expect,
            hash: *hasher.finalize().as_bytes(),
        };
        Ok(Loaded { scenario: Arc::new(scenario), warnings: diagnostics })
    }

    /// Appends the steps of a document, includes unfolded, and returns what it expects at its end. All problems of the
    /// file end up in the unfolding.
    fn unfold(
        &mut self,
        document: &ScenarioDocument,
        path: &str,
        source: &Arc<Source>,
        unfolding: &mut Unfolding<'_>,
        mut problems: Problems,
    ) -> Vec<Expectation> {
        use crate::resolve::Resolved;
        let mut earliest = SimDuration::ZERO;
        let mut included_problems = Vec::new();
        for (index, written) in document.steps.iter().enumerate() {
            if unfolding.steps.len() >= limits::MAX_STEPS {
                if !unfolding.full {
                    let message = format!("the scenario has more than {} steps", limits::MAX_STEPS);
                    problems
                        .push(Diagnostic::error("too-many-steps", source, written.span, message).hint("split it into several scenarios"));
                    unfolding.full = true;
                }
                break;
            }
            let mut resolver = Resolver { topology: unfolding.topology, source, problems: &mut problems };
            if let Some(at) = &written.at {
                resolver.check_time(at, earliest);
            }
            let Some(resolved) = resolver.step(written) else { continue };
            let next = document.steps.get(index + 1).map_or(written.span.start.max(last_of(document, source)), |next| next.span.start);
            let last_line = last_line_before(source, next, written.span.start);
            match resolved {
                Resolved::Step(mut step) => {
                    step.last_line = last_line;
                    earliest = end_of(&step, earliest);
                    unfolding.steps.push(*step);
                }
                Resolved::Include(target, mut step) => {
                    earliest = end_of(&step, earliest);
                    step.last_line = last_line;
                    let target_path = join(path, &target);
                    let expect = std::mem::take(&mut step.expect);
                    let leave = Step {
                        timing: Timing::Next,
                        action: Action::Leave { path: Arc::from(target_path.as_str()) },
                        during: Vec::new(),
                        ..Step::clone(&step)
                    };
                    step.action = Action::Enter { path: Arc::from(target_path.as_str()) };
                    unfolding.steps.push(*step);
                    let before = unfolding.problems.len();
                    let at_its_end = self.include(&target_path, source, &target, unfolding);
                    included_problems.extend(unfolding.problems.split_off(before));
                    unfolding.steps.push(Step { expect: at_its_end.into_iter().chain(expect).collect(), ..leave });
                }
            }
        }
        let mut resolver = Resolver { topology: unfolding.topology, source, problems: &mut problems };
        let expect = resolver.expectations(&document.expect, Station::Elsewhere);
        unfolding.problems.extend(problems.into_vec());
        unfolding.problems.extend(included_problems);
        expect
    }

    fn include(&mut self, path: &str, from: &Arc<Source>, written: &Located<String>, unfolding: &mut Unfolding<'_>) -> Vec<Expectation> {
        let refuse = |unfolding: &mut Unfolding<'_>, code, message: String, hint: Option<String>| {
            unfolding.problems.push(Diagnostic::error(code, from, written.span, message).maybe_hint(hint));
            Vec::new()
        };
        if let Some(at) = unfolding.open.iter().position(|open| open == path) {
            let chain: Vec<String> = unfolding.open[at..].iter().chain([&path.to_owned()]).map(|path| quote(path)).collect();
            let message = format!("this include leads back to where it came from: {}", chain.join(" → "));
            let hint = Some("move the steps that both need into a file of their own, and include that one".to_owned());
            return refuse(unfolding, "include-cycle", message, hint);
        }
        if unfolding.open.len() > limits::MAX_INCLUDES {
            let message = format!("includes are nested more than {} deep", limits::MAX_INCLUDES);
            let hint = Some("include the innermost files from a file further out".to_owned());
            return refuse(unfolding, "includes-too-deep", message, hint);
        }
        let read = self.read(path, Some((from, written.span))).and_then(|source| {
            let document = read_document(&source)?;
            Ok((source, document))
        });
        let (source, document) = match read {
            Ok(read) => read,
            Err(problems) => {
                unfolding.problems.extend(problems);
                return Vec::new();
            }
        };
        if join(path, &document.topology) != unfolding.topology_path {
            let message = format!("{} rehearses another deployment, {}", quote(path), quote(&document.topology));
            let hint = Some("an included file names the same topology".to_owned());
            return refuse(unfolding, "other-topology", message, hint);
        }
        if document.overrides.is_some() {
            let message = format!("{} has overrides, which an include does not carry over", quote(path));
            let hint = Some("write the overrides into the including file, and remove them from the included one".to_owned());
            return refuse(unfolding, "included-overrides", message, hint);
        }
        hash_text(&mut unfolding.hasher, source.text.as_bytes());
        unfolding.open.push(path.to_owned());
        let expect = self.unfold(&document, path, &source, unfolding, Problems::default());
        unfolding.open.pop();
        expect
    }

    /// Reads the text of a scenario file.
    fn read(&mut self, path: &str, named_by: Option<(&Arc<Source>, Span)>) -> Result<Arc<Source>, Vec<Diagnostic>> {
        let bytes = self
            .files
            .read(path, limits::MAX_BYTES as u64)
            .map_err(|error| vec![unreadable(path, "scenario", &error, named_by, limits::MAX_BYTES)])?;
        Source::from_bytes(path, &bytes).map_err(|diagnostic| vec![*diagnostic])
    }

    fn topology(&mut self, path: &str, source: &Arc<Source>, span: Span) -> Result<ReadTopology, Vec<Diagnostic>> {
        if let Some(known) = self.topologies.get(path) {
            return known.clone();
        }
        // A file that cannot be read is reported where it is named, each time anew.
        let bytes = self
            .files
            .read(path, limits::MAX_TOPOLOGY_BYTES as u64)
            .map_err(|error| vec![unreadable(path, "topology", &error, Some((source, span)), limits::MAX_TOPOLOGY_BYTES)])?;
        let mut hasher = blake3::Hasher::new();
        hash_text(&mut hasher, &bytes);
        let loaded = match Source::from_bytes(path, &bytes) {
            Ok(source) => load_topology(self.files, &source, &mut |zone_file| {
                hash_text(&mut hasher, zone_file);
            }),
            Err(problem) => firedrill_topology::Loaded { topology: None, diagnostics: vec![*problem] },
        };
        let read = match loaded.topology {
            Some(topology) => {
                Ok(ReadTopology { topology: Arc::new(topology), digest: *hasher.finalize().as_bytes(), warnings: loaded.diagnostics })
            }
            None => Err(loaded.diagnostics),
        };
        self.topologies.insert(path.to_owned(), read.clone());
        read
    }
}

/// Reads a topology with the zone files that it names, relative to itself.
pub fn read_topology(files: &mut dyn Files, source: &Arc<Source>) -> firedrill_topology::Loaded {
    load_topology(files, source, &mut |_| {})
}

fn load_topology(files: &mut dyn Files, source: &Arc<Source>, seen: &mut dyn FnMut(&[u8])) -> firedrill_topology::Loaded {
    firedrill_topology::load_with(source, &mut |path| {
        let whole = join(&source.name, path);
        let bytes = files.read(&whole, limits::MAX_TOPOLOGY_BYTES as u64).map_err(|error| error.to_string())?;
        seen(&bytes);
        Ok(bytes)
    })
}

/// Reads expectations as they stand below an `expect:`, for tests and tools that drive a [`Drill`](crate::Drill) by hand:
/// `- serving: { of: { pool: pool1.contoso.com }, mode: regular }`. Those that look at a command are allowed.
///
/// # Errors
/// All problems found.
pub fn read_expectations(text: &str, topology: &Topology) -> Result<Vec<Expectation>, Vec<Diagnostic>> {
    let source = Source::new("expectations", text);
    let documents: Vec<Located<ExpectationDocument>> = read_yaml(&source, &Limits::DOCUMENT)?;
    let mut problems = Problems::default();
    let all = Resolver { topology, source: &source, problems: &mut problems }.expectations(&documents, Station::Command);
    let diagnostics = problems.into_vec();
    if diagnostics.is_empty() { Ok(all) } else { Err(diagnostics) }
}

/// Reads steps as they stand below a `steps:`, for tests and tools that drive a [`Drill`](crate::Drill) by hand:
/// `- fault: { pool: pool1.contoso.com }`. Includes are refused: there is no file that they could start from.
///
/// # Errors
/// All problems found.
pub fn read_steps(text: &str, topology: &Topology) -> Result<Vec<Step>, Vec<Diagnostic>> {
    use crate::resolve::Resolved;
    let source = Source::new("steps", text);
    let documents: Vec<Located<StepDocument>> = read_yaml(&source, &Limits::DOCUMENT)?;
    let mut problems = Problems::default();
    let mut resolver = Resolver { topology, source: &source, problems: &mut problems };
    let mut steps = Vec::with_capacity(documents.len());
    for written in &documents {
        match resolver.step(written) {
            Some(Resolved::Step(step)) => steps.push(*step),
            Some(Resolved::Include(target, _)) => {
                resolver.error(
                    "include-without-file",
                    target.span,
                    "steps on their own cannot include a file",
                    Some("write the steps here".to_owned()),
                );
            }
            None => {}
        }
    }
    let diagnostics = problems.into_vec();
    if diagnostics.is_empty() { Ok(steps) } else { Err(diagnostics) }
}

fn read_document(source: &Arc<Source>) -> Result<ScenarioDocument, Vec<Diagnostic>> {
    let limits = Limits { max_bytes: limits::MAX_BYTES, ..Limits::DOCUMENT };
    read_yaml(source, &limits)
}

/// The better word for a deployment document that was given where a scenario is due.
fn topology_taken_for_scenario(source: &Arc<Source>) -> Option<Vec<Diagnostic>> {
    let starts = |key: &str| source.text.lines().any(|line| line.starts_with(key));
    if !starts("product:") || !starts("sites:") || starts("topology:") {
        return None;
    }
    let message = format!("{} is a topology, not a scenario", quote(&source.name));
    let hint = "a scenario names it in its `topology:`; `firedrill check` reads topologies too";
    Some(vec![Diagnostic::error("not-a-scenario", source, Span::at(0), message).hint(hint)])
}

fn unreadable(path: &str, kind: &str, error: &ReadError, named_by: Option<(&Arc<Source>, Span)>, limit: usize) -> Diagnostic {
    let nowhere = Source::new(path, "");
    let (source, span) = named_by.unwrap_or((&nowhere, Span::at(0)));
    let hint = match error {
        ReadError::TooLarge(_) => Some(format!("at most {limit} bytes are read")),
        ReadError::NotFound if named_by.is_none() => None,
        ReadError::NotFound if is_absolute(path) => Some(
            "a path that starts at the root is looked up as it stands; a relative one starts at the folder of the file that names it"
                .to_owned(),
        ),
        ReadError::NotFound => Some("paths start at the folder of the file that names them".to_owned()),
        ReadError::Folder => Some(format!("name a {kind} file in it")),
        ReadError::Other(_) => Some("check that you may read it".to_owned()),
    };
    let code = match error {
        ReadError::TooLarge(_) => "document-too-large",
        _ => "unreadable-file",
    };
    Diagnostic::error(code, source, span, format!("the {kind} {} cannot be read: {error}", quote(path))).maybe_hint(hint)
}

/// Names, titles and tags are one line each and not too long for a report.
fn check_words(document: &ScenarioDocument, source: &Arc<Source>, problems: &mut Problems) {
    let mut check = |text: &Located<String>, what: &str| {
        let trimmed = text.trim();
        let message = if trimmed.is_empty() {
            format!("the {what} is empty")
        } else if trimmed.contains('\n') {
            format!("the {what} has several lines")
        } else if trimmed.chars().count() > limits::MAX_NAME {
            format!("the {what} has more than {} characters", limits::MAX_NAME)
        } else {
            return;
        };
        let span = Span::new(text.span.start, text.span.end.min(text.span.start + limits::MAX_NAME));
        problems.push(Diagnostic::error("bad-name", source, span, message).hint("write a few words"));
    };
    check(&document.name, "name");
    document.procedure.iter().for_each(|text| check(text, "procedure"));
    document.tags.iter().for_each(|text| check(text, "tag"));
    document.steps.iter().filter_map(|step| step.title.as_ref()).for_each(|text| check(text, "title"));
}

/// The earliest end of a step that starts at the earliest at `earliest`.
fn end_of(step: &Step, earliest: SimDuration) -> SimDuration {
    let start = match step.timing {
        Timing::Next => earliest,
        Timing::After(gap) => earliest + gap,
        Timing::At(at) => SimDuration(at.0.max(earliest.0)),
    };
    match step.action {
        Action::Wait(length) => start + length,
        _ => start,
    }
}

/// Where the steps of a document end: the expectations behind them, when they are, or the end of the text.
fn last_of(document: &ScenarioDocument, source: &Source) -> usize {
    let last_step = document.steps.last().map_or(0, |step| step.span.start);
    document.expect.first().map(|expect| expect.span.start).filter(|at| *at > last_step).unwrap_or(source.text.len())
}

/// The last line with text before an offset, not before the line of `from`.
fn last_line_before(source: &Source, offset: usize, from: usize) -> usize {
    let mut end = offset.min(source.text.len());
    let first = source.line_column(from).line;
    loop {
        let text = source.slice(Span::new(from, end)).trim_end_matches([' ', '\n', '\r', '\t', '-']);
        let line = source.line_column(from + text.len().saturating_sub(1)).line;
        let start = source.line_start(line).unwrap_or(0);
        let last = source.slice(Span::new(start, from + text.len())).trim();
        // Comments before the next step, and the key of the next section, belong to what follows.
        if line > first && (last.starts_with('#') || last == "expect:") {
            end = start;
            continue;
        }
        return line.max(first);
    }
}

fn hash_text(hasher: &mut blake3::Hasher, text: &[u8]) {
    hasher.update(&(text.len() as u64).to_le_bytes());
    hasher.update(text);
}
