//! Runs scenarios: one step after another in virtual time, every expectation at its place, and a verdict.

use std::collections::BTreeMap;
use std::sync::Arc;

use firedrill_fabric::messages::Entry;
use firedrill_fabric::{Behaviour, Event, Evidence, SimDuration, SimTime};
use firedrill_syntax::quote;

use crate::document::{BindingMode, OnError, WireMode};
use crate::drill::{Bug, Drill, DrillError, Finding, Said, describe, leaned_on};
use crate::naming::{expects_failure, kind_of, origin_in_script, place_in_script, place_of, title_of};
use crate::outcome::{Failure, FailureKind, Outcome, Reason, Verdict};
use crate::record::{BehaviourLine, Digesting, Discard, LOG_FORMAT, Moment, Record, Sink, event, hex, portable};
use crate::scenario::{Action, Expectation, Origin, Scenario, Script, Step, Timing};

/// Whether runs use real sockets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WirePolicy {
    /// As the scenario says.
    #[default]
    AsWritten,
    /// Never.
    Off,
}

/// How scenarios are run.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Replaces the scenario's seed.
    pub seed: Option<u64>,
    /// Whether real sockets take part.
    pub wire: WirePolicy,
    /// Passes that lean on weaker evidence become inconclusive.
    pub min_evidence: Option<Evidence>,
    /// Command lines bind strictly, whatever the scenario says.
    pub strict: bool,
    /// Go on after a failure instead of stopping at its step.
    pub keep_going: bool,
    /// Further words of the command that reruns a scenario, as they stand on the command line: `--strict-binding`. The seed,
    /// the evidence asked for and going on after failures are added by the runner.
    pub rerun_flags: Vec<String>,
}

/// Two runs of one scenario that should have been equal.
#[derive(Debug, Clone)]
pub struct Determinism {
    /// The first run.
    pub first: Outcome,
    /// The second run.
    pub second: Outcome,
    /// The first record that differs, by its number from 1, as both runs wrote it; none when all are equal.
    pub differs: Option<(usize, String, String)>,
}

/// Runs scenarios.
#[derive(Debug, Clone, Default)]
pub struct Runner {
    options: Options,
}

impl Runner {
    /// A runner.
    pub fn new(options: Options) -> Self {
        Self { options }
    }

    /// Runs a scenario from its start to its verdict. Sockets live in a runtime of the run's own; the calling thread waits.
    pub fn run(&self, scenario: &Scenario, sink: &mut dyn Sink) -> Outcome {
        Run::new(&self.options, scenario, Digesting::new(sink)).finish()
    }

    /// Runs the first steps of a scenario, with what they expect, and hands over the drill as they leave it.
    ///
    /// # Errors
    /// The outcome, when a step fails: there is no such state to stand in.
    pub fn rehearse(&self, scenario: &Scenario, steps: usize, sink: &mut dyn Sink) -> Result<Drill, Box<Outcome>> {
        let mut run = Run::new(&self.options, scenario, Digesting::new(sink));
        for (index, step) in scenario.steps.iter().enumerate().take(steps) {
            if run.step(index, step).is_err() {
                return Err(Box::new(run.close()));
            }
        }
        run.drain_events();
        Ok(run.drill)
    }

    /// Runs a scenario twice and compares the logs, without what depends on the machine.
    pub fn check_determinism(&self, scenario: &Scenario) -> Determinism {
        let (mut one, mut other) = (Vec::new(), Vec::new());
        let (first, second) = (self.run(scenario, &mut one), self.run(scenario, &mut other));
        let text = |record: Option<&Record>| record.and_then(|record| serde_json::to_string(record).ok()).unwrap_or_default();
        for record in one.iter_mut().chain(&mut other) {
            *record = portable(record.clone());
        }
        let differs = (0..one.len().max(other.len())).find(|&at| one.get(at) != other.get(at));
        let differs = differs.map(|at| (at + 1, text(one.get(at)), text(other.get(at))));
        Determinism { first, second, differs }
    }

    /// Runs a scenario for its outcome alone.
    pub fn outcome(&self, scenario: &Scenario) -> Outcome {
        self.run(scenario, &mut Discard)
    }
}

/// The run was given up at this step: the failure or bug is recorded.
struct Stop;

struct Run<'a> {
    options: &'a Options,
    scenario: &'a Scenario,
    log: Digesting<'a>,
    drill: Drill,
    seed: u64,
    wire_fallback: Option<String>,
    failures: Vec<Failure>,
    /// Failures that came before anything that is not modelled was used.
    sound_failures: usize,
    reasons: Vec<Reason>,
    bugs: Vec<Bug>,
    /// Texts of the product on whose wording an expectation leaned, by id.
    wordings: BTreeMap<&'static str, Entry>,
    /// Starts of the scenario and of the includes that are open, the innermost last.
    bases: Vec<SimTime>,
    steps_run: usize,
    expectations: usize,
}

impl<'a> Run<'a> {
    fn new(options: &'a Options, scenario: &'a Scenario, log: Digesting<'a>) -> Self {
        let seed = options.seed.unwrap_or(scenario.seed);
        let binding = if options.strict { BindingMode::Strict } else { scenario.binding };
        let drill = Drill::new(scenario.topology.clone(), seed, scenario.start, binding);
        let mut run = Self {
            options,
            scenario,
            log,
            drill,
            seed,
            wire_fallback: None,
            failures: Vec::new(),
            sound_failures: 0,
            reasons: Vec::new(),
            bugs: Vec::new(),
            wordings: BTreeMap::new(),
            bases: vec![scenario.start],
            steps_run: 0,
            expectations: 0,
        };
        let wanted = options.wire == WirePolicy::AsWritten && scenario.wire == WireMode::Auto && scenario.concerns_wire();
        if wanted && let Err(error) = run.drill.connect() {
            run.reasons.push(Reason::NoWire { why: error.to_string() });
        }
        run.wire_fallback = run.drill.wire_fallback();
        let start = run.moment();
        run.log.record(Record::RunStarted {
            format: LOG_FORMAT,
            engine: env!("CARGO_PKG_VERSION"),
            scenario: scenario.name.clone(),
            file: scenario.source.name.clone(),
            scenario_hash: hex(&scenario.hash),
            topology: scenario.topology_path.clone(),
            tags: scenario.tags.clone(),
            seed,
            start,
            binding,
            wire: run.drill.is_connected(),
            wire_fallback: run.wire_fallback.clone(),
            steps: scenario.steps.len(),
        });
        run
    }

    fn finish(mut self) -> Outcome {
        let scenario = self.scenario;
        let mut stopped = false;
        for (index, step) in scenario.steps.iter().enumerate() {
            if self.step(index, step).is_err() {
                stopped = true;
                break;
            }
        }
        if !stopped {
            // Which of them fails first does not matter: all are looked at.
            let _ = self.expect(&scenario.expect, None, None, FailureKind::Expectation);
            let _ = self.expect(&scenario.objectives, None, None, FailureKind::Objective);
        }
        self.drain_events();
        self.close()
    }

    /// One step with its expectations.
    fn step(&mut self, index: usize, step: &Step) -> Result<(), Stop> {
        self.steps_run = index + 1;
        let failures_before = self.failures.len();
        let reached = self.reach_start(step);
        self.drain_events();
        let at = self.moment();
        let (place, title) = (place_of(&step.origin), title_of(step, &self.scenario.topology));
        self.log.record(Record::StepStarted {
            step: index + 1,
            place,
            kind: kind_of(&step.action),
            title,
            at,
            elapsed_ms: at.elapsed_ms(),
        });
        let started = self.drill.now();
        let result = reached.and_then(|()| {
            for (after, deed) in &step.during {
                self.drill.schedule(started + *after, deed);
            }
            self.act(index, step)
        });
        for reason in self.drain_events() {
            let expected = "the DNS edits under `during` are made".to_owned();
            self.fail(FailureKind::Step, expected, reason, Vec::new(), &step.origin, Some((index, step)));
        }
        let ended = match result {
            Ok(said) => self.judge(index, step, said, started),
            Err(Trouble { kind, expected, found }) => {
                self.fail(kind, expected, found, Vec::new(), &step.origin, Some((index, step)));
                Err(Stop)
            }
        };
        let at = self.moment();
        let passed = self.failures.len() == failures_before && self.bugs.is_empty();
        let took_ms = self.drill.now().since(started).0 / 1_000_000;
        self.log.record(Record::StepEnded { step: index + 1, passed, at, elapsed_ms: at.elapsed_ms(), took_ms });
        match ended {
            Err(Stop) => Err(Stop),
            Ok(()) if passed || self.options.keep_going => Ok(()),
            Ok(()) => Err(Stop),
        }
    }

    /// Lets time run to the start of a step.
    fn reach_start(&mut self, step: &Step) -> Result<(), Trouble> {
        let now = self.drill.now();
        let target = match step.timing {
            Timing::Next => return Ok(()),
            Timing::After(gap) => now + gap,
            Timing::At(offset) => {
                let base = self.bases.last().copied().unwrap_or(self.scenario.start);
                let target = base + offset;
                if target < now {
                    return Err(Trouble {
                        kind: FailureKind::Step,
                        expected: format!("the step starts at {target}, {offset} after the start"),
                        found: format!("the previous step ended at {now}, {} later", now.since(target)),
                    });
                }
                target
            }
        };
        self.drill.advance_to(target).map_err(Trouble::from)
    }

    /// Does what a step does.
    fn act(&mut self, index: usize, step: &Step) -> Result<Option<Said>, Trouble> {
        let started = self.drill.now();
        let waited = |drill: &Drill| Some(Said { took: drill.now().since(started), ..Said::default() });
        match &step.action {
            Action::Deed(deed) => {
                self.drill.deed(deed)?;
                Ok(None)
            }
            Action::Wait(length) => {
                self.drill.advance(*length)?;
                Ok(waited(&self.drill))
            }
            Action::WaitUntil { within, expect } => {
                self.wait_until(index, step, *within, expect)?;
                Ok(waited(&self.drill))
            }
            Action::Run(script) => match self.drill.run(script.on, &script.text, script.answers.as_deref()) {
                // That nobody can run anything there may be the very point of the step.
                Err(DrillError::NoShell(error)) if expects_failure(step) => Ok(Some(Said::refused(&error))),
                result => Ok(Some(result?)),
            },
            Action::TopologyBuilder { on, settings, publish, .. } => Ok(Some(self.drill.topology_builder(*on, settings, *publish)?)),
            Action::DeploymentWizard { computers, .. } => Ok(Some(self.drill.deployment_wizard(computers)?)),
            Action::Enter { .. } => {
                self.bases.push(self.drill.now());
                Ok(None)
            }
            Action::Leave { .. } => {
                self.bases.pop();
                Ok(None)
            }
            Action::Look => Ok(None),
        }
    }

    /// Lets time run until all expectations hold, looking whenever something is due and at least every so often: what a
    /// partner has cached runs out without the fabric taking notice.
    fn wait_until(&mut self, index: usize, step: &Step, within: SimDuration, expect: &[Expectation]) -> Result<(), Trouble> {
        let deadline = self.drill.now() + within;
        let wire = expect.iter().any(|expectation| expectation.check.concerns_wire());
        let stride = SimDuration::from_secs(if wire { 15 } else { 60 });
        loop {
            let findings = self.look(expect, None);
            let Ok(findings) = findings else { return Ok(()) };
            let now = self.drill.now();
            let all_hold = findings.iter().all(|finding| finding.holds);
            if all_hold || now >= deadline {
                let expected = if all_hold { "" } else { &format!(" within {within}") };
                self.record_findings(expect, &findings, Some((index, step)), FailureKind::Expectation, expected);
                return Ok(());
            }
            let due = self.drill.fabric().next_deadline().filter(|due| *due > now);
            let next = due.map_or(now + stride, |due| due.min(now + stride)).min(deadline);
            self.drill.advance_to(next)?;
        }
    }

    /// Records what a step said, and judges its errors and expectations.
    fn judge(&mut self, index: usize, step: &Step, said: Option<Said>, started: SimTime) -> Result<(), Stop> {
        let said = said.map(|mut said| {
            said.took = self.drill.now().since(started);
            said
        });
        if let Some(said) = &said {
            self.record_said(index, step, said);
            // What the step was to bring about did not come about: its expectations would only say so again.
            if self.unexpected_error(index, step, said) && !self.options.keep_going {
                return Err(Stop);
            }
        }
        self.expect(&step.expect, said.as_ref(), Some((index, step)), FailureKind::Expectation)?;
        self.drill.follow().map_err(|bug| {
            self.bugs.push(bug);
            Stop
        })
    }

    fn record_said(&mut self, index: usize, step: &Step, said: &Said) {
        for (stream, text) in &said.streams {
            self.log.record(Record::Stream { step: index + 1, stream: *stream, text: text.clone() });
        }
        let Action::Run(script) = &step.action else { return };
        for (text, position) in &said.remarks {
            let place = place_in_script(script, position);
            self.log.record(Record::Remark { step: index + 1, place, text: text.to_string() });
        }
        for (what, position) in &said.unmodelled {
            let place = place_in_script(script, position);
            self.log.record(Record::Unmodelled { step: index + 1, place: place.clone(), what: what.to_string() });
            let reason = Reason::Unmodelled { what: what.to_string(), place };
            if !self.reasons.contains(&reason) {
                self.reasons.push(reason);
            }
        }
    }

    /// Fails the run when a step ended in an error that it does not expect; says whether it did.
    fn unexpected_error(&mut self, index: usize, step: &Step, said: &Said) -> bool {
        if let Some(limit) = &said.limit {
            self.fail(FailureKind::Limit, "the script ends".to_owned(), limit.clone(), Vec::new(), &step.origin, Some((index, step)));
            return true;
        }
        let on_error = match &step.action {
            Action::Run(Script { on_error, .. }) | Action::TopologyBuilder { on_error, .. } | Action::DeploymentWizard { on_error, .. } => {
                *on_error
            }
            _ => OnError::Fail,
        };
        if said.errors.is_empty() || expects_failure(step) || on_error == OnError::Continue {
            return false;
        }
        let first = &said.errors[0];
        let more = said.errors.len() - 1;
        let found = if more == 0 { first.message.clone() } else { format!("{} (and {more} more)", first.message) };
        let mut explain: Vec<String> = first.console.lines().map(str::to_owned).collect();
        explain.extend(said.unanswered.iter().map(|prompt| format!("nobody answered the prompt {}", quote(&prompt.replace('\n', " ")))));
        if !said.unanswered.is_empty() {
            explain.push("hint: give the answer in the step's `answers:`, or write `-Confirm:$false`".to_owned());
        }
        let origin = match (&step.action, first.statement) {
            (Action::Run(script), Some(statement)) => origin_in_script(script, statement),
            (Action::Run(script), None) => script.origin.clone(),
            _ => step.origin.clone(),
        };
        self.fail(FailureKind::Command, "the step ends without an error".to_owned(), found, explain, &origin, Some((index, step)));
        true
    }

    /// Looks at expectations. A bug stops the run.
    fn expect(
        &mut self,
        expectations: &[Expectation],
        said: Option<&Said>,
        step: Option<(usize, &Step)>,
        kind: FailureKind,
    ) -> Result<(), Stop> {
        let findings = self.look(expectations, said)?;
        self.record_findings(expectations, &findings, step, kind, "");
        Ok(())
    }

    fn look(&mut self, expectations: &[Expectation], said: Option<&Said>) -> Result<Vec<Finding>, Stop> {
        let mut findings = Vec::with_capacity(expectations.len());
        for expectation in expectations {
            match self.drill.expect(&expectation.check, said) {
                Ok(finding) => {
                    if let (true, Some(said)) = (finding.holds, said) {
                        self.wordings.extend(leaned_on(&expectation.check, said).into_iter().map(|entry| (entry.id, entry)));
                    }
                    findings.push(finding);
                }
                Err(bug) => {
                    self.bugs.push(bug);
                    return Err(Stop);
                }
            }
        }
        Ok(findings)
    }

    fn record_findings(
        &mut self,
        all: &[Expectation],
        findings: &[Finding],
        step: Option<(usize, &Step)>,
        kind: FailureKind,
        suffix: &str,
    ) {
        for (expectation, finding) in all.iter().zip(findings) {
            self.expectations += 1;
            let at = self.moment();
            let expected = format!("{}{}", describe(&expectation.check, &self.scenario.topology), if finding.holds { "" } else { suffix });
            self.log.record(Record::Expectation {
                step: step.map(|(index, _)| index + 1),
                place: place_of(&expectation.origin),
                expected: expected.clone(),
                holds: finding.holds,
                found: finding.found.clone(),
                objective: kind == FailureKind::Objective,
                at,
                elapsed_ms: at.elapsed_ms(),
            });
            if !finding.holds {
                self.fail(kind, expected, finding.found.clone(), finding.explain.clone(), &expectation.origin, step);
            }
        }
    }

    fn fail(
        &mut self,
        kind: FailureKind,
        expected: String,
        found: String,
        explain: Vec<String>,
        origin: &Origin,
        step: Option<(usize, &Step)>,
    ) {
        let at = self.moment();
        // The scenario's own line that leads here: inside an include, the one that includes.
        let own_line = match step {
            Some((index, _)) => self.own_line(index),
            None => origin.line(),
        };
        let failure = Failure {
            kind,
            expected,
            found,
            at: at.at.to_string(),
            elapsed_ms: at.elapsed_ms(),
            place: place_of(origin),
            step: step.map(|(index, _)| index + 1),
            step_title: step.map(|(_, step)| title_of(step, &self.scenario.topology)),
            step_place: step.map(|(_, step)| place_of(&step.origin)),
            explain,
            rerun: self.rerun(Some(own_line)),
        };
        self.failures.push(failure);
        if !self.reasons.iter().any(|reason| matches!(reason, Reason::Unmodelled { .. })) {
            self.sound_failures += 1;
        }
    }

    /// Line of the scenario's own file for a step: its own, or that of the outermost include it stands in.
    fn own_line(&self, index: usize) -> usize {
        let own = |step: &Step| Arc::ptr_eq(&step.origin.source, &self.scenario.source);
        let steps = &self.scenario.steps[..=index];
        steps.iter().rev().find(|step| own(step)).map_or(1, |step| step.origin.line())
    }

    /// The command that reruns the scenario, from any line of it when one is given.
    fn rerun(&self, line: Option<usize>) -> String {
        let path = &self.scenario.source.name;
        let plain = path.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '-' | '_' | ':'));
        // A name that starts with a hyphen would be read as an option.
        let here = if path.starts_with('-') { "./" } else { "" };
        let line = line.map(|line| format!(":{line}")).unwrap_or_default();
        let target = format!("{here}{path}{line}");
        let target = if plain { target } else { format!("'{}'", target.replace('\'', "'\\''")) };
        let mut words = vec!["firedrill run".to_owned(), target, format!("--seed {}", self.seed)];
        if let Some(class) = self.options.min_evidence {
            words.push(format!("--min-evidence {}", format!("{class:?}").to_lowercase()));
        }
        if self.options.keep_going {
            words.push("--keep-going".to_owned());
        }
        words.extend(self.options.rerun_flags.iter().cloned());
        words.join(" ")
    }

    /// Records what happened in the fabric, and returns scheduled DNS edits that were refused: nobody else hears of them.
    fn drain_events(&mut self) -> Vec<String> {
        let started = self.scenario.start;
        let mut refused = Vec::new();
        for entry in self.drill.fabric_mut().take_log() {
            if let Event::StateChanged { kind, subject, state } = &entry.event
                && (kind.as_str(), subject.as_str()) == ("dns", "edit")
                && let Some(reason) = state.strip_prefix("refused: ")
            {
                refused.push(reason.to_owned());
            }
            self.log.record(event(entry, started));
        }
        refused
    }

    fn moment(&self) -> Moment {
        Moment { at: self.drill.now(), started: self.scenario.start }
    }

    /// The verdict, and the last record.
    fn close(mut self) -> Outcome {
        let behaviours: Vec<Behaviour> = self.drill.fabric().behaviours().iter().collect();
        let wordings: Vec<BehaviourLine> = self.wordings.values().map(wording_line).collect();
        let weakest_words = wordings.iter().map(|line| line.evidence).max().unwrap_or(Evidence::Documented);
        let evidence = self.drill.fabric().behaviours().weakest().max(weakest_words);
        if let Some(wanted) = self.options.min_evidence {
            let all = behaviours.iter().map(behaviour_line).chain(wordings.iter().cloned());
            self.reasons.extend(all.filter(|line| line.evidence > wanted).map(|line| Reason::WeakEvidence {
                behaviour: line.name,
                evidence: line.evidence,
                summary: line.summary,
                citation: line.citation,
            }));
        }
        let verdict = match (self.bugs.is_empty(), self.sound_failures, self.failures.is_empty() && self.reasons.is_empty()) {
            (false, _, _) => Verdict::Bug,
            (true, 1.., _) => Verdict::Fail,
            (true, 0, false) => Verdict::Inconclusive,
            (true, 0, true) => Verdict::Pass,
        };
        let digest = self.log.digest();
        let at = self.moment();
        let lines = behaviours.iter().map(behaviour_line).chain(wordings.iter().cloned());
        self.log.last(&Record::RunEnded {
            verdict,
            failures: self.failures.clone(),
            reasons: self.reasons.clone(),
            bugs: self.bugs.iter().map(ToString::to_string).collect(),
            evidence,
            behaviours: lines.collect(),
            at,
            elapsed_ms: at.elapsed_ms(),
            rerun: self.rerun(None),
            digest: hex(&digest),
        });
        Outcome {
            verdict,
            failures: self.failures,
            reasons: self.reasons,
            bugs: self.bugs,
            evidence,
            behaviours,
            wordings,
            seed: self.seed,
            started: self.scenario.start,
            ended: at.at,
            steps_run: self.steps_run,
            expectations: self.expectations,
            digest,
            wire: self.drill.is_connected(),
            wire_fallback: self.wire_fallback,
        }
    }
}

fn behaviour_line(behaviour: &Behaviour) -> BehaviourLine {
    BehaviourLine {
        name: format!("{behaviour:?}"),
        evidence: behaviour.evidence(),
        citation: behaviour.citation(),
        summary: behaviour.summary(),
    }
}

fn wording_line(entry: &Entry) -> BehaviourLine {
    BehaviourLine { name: format!("wording of {}", entry.id), evidence: entry.evidence, citation: entry.citation, summary: entry.text }
}

/// A step could not be done.
struct Trouble {
    kind: FailureKind,
    expected: String,
    found: String,
}

impl From<DrillError> for Trouble {
    fn from(error: DrillError) -> Self {
        let (kind, expected) = match &error {
            DrillError::Limit(_) => (FailureKind::Limit, "the run stays within its limits"),
            DrillError::NoShell(_) => (FailureKind::Step, "the computer can run a command"),
            DrillError::NoFrontEnd => (FailureKind::Step, "there is a computer for Topology Builder"),
            DrillError::DnsEdit(_) => (FailureKind::Step, "the zone takes the edit"),
        };
        Self { kind, expected: expected.to_owned(), found: error.to_string() }
    }
}
