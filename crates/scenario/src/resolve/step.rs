//! Steps: exactly one deed each, at a possible time, with the keys that belong to it.

use std::sync::Arc;

use firedrill_fabric::SimDuration;
use firedrill_syntax::{Diagnostic, DurationText, Located, Span, one_of, quote};

use super::settings::Purpose;
use super::{Resolver, Station, entry_span};
use crate::document::{DnsEditDocument, DuringDocument, FaultDocument, OnError, ServicesAfterHeal, StepDocument};
use crate::scenario::{Action, Deed, Origin, Script, Step, Timing};

/// A step before its includes are unfolded.
pub(crate) enum Resolved {
    /// A step.
    Step(Box<Step>),
    /// An include: where its path stands, and the step that carries its time, title and expectations.
    Include(Located<String>, Box<Step>),
}

/// What a step does, before it is known that it does one thing only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Fault,
    Heal,
    Wait,
    WaitUntil,
    Run,
    TopologyBuilder,
    DeploymentWizard,
    Dns,
    Include,
}

impl Kind {
    const NAMES: [&'static str; 9] =
        ["fault", "heal", "wait", "wait_until", "run", "topology_builder", "deployment_wizard", "dns", "include"];

    fn name(self) -> &'static str {
        Self::NAMES[self as usize]
    }

    fn takes_time(self) -> bool {
        matches!(self, Self::Wait | Self::WaitUntil | Self::Run | Self::TopologyBuilder | Self::DeploymentWizard)
    }
}

impl Resolver<'_> {
    /// A step. `None` after a problem that leaves nothing of it.
    pub(crate) fn step(&mut self, document: &Located<StepDocument>) -> Option<Resolved> {
        let whole = entry_span(self.source, document.span);
        let step = &document.value;
        let kinds = kinds_of(step);
        let kind = match kinds.as_slice() {
            [] if step.expect.is_empty() => {
                let hint = format!("write one of {}, or `expect:`", one_of(Kind::NAMES));
                self.error("empty-step", whole, "this step does nothing and expects nothing", Some(hint));
                None
            }
            [] => None,
            [(kind, _)] => Some(*kind),
            [(first, before), (second, span), ..] => {
                let message = format!("`{}` and `{}` in one step", first.name(), second.name());
                let diagnostic = Diagnostic::error("two-kinds", self.source, *span, message)
                    .label(*before, "the step does this already")
                    .hint("make two steps of it: start each with `- `");
                self.problems.push(diagnostic);
                return None;
            }
        };
        self.companions(step, kind, whole);
        let timing = self.timing(step);
        let action = self.action(step, kind);
        let during = self.during(&step.during, kind);
        let station = match kind {
            Some(Kind::Run) => Station::Command,
            Some(Kind::TopologyBuilder | Kind::DeploymentWizard) => Station::Operation,
            Some(kind) if kind.takes_time() => Station::Timed,
            _ => Station::Elsewhere,
        };
        let expect = self.expectations(&step.expect, station);
        let resolved = Step {
            origin: Origin { source: self.source.clone(), span: whole },
            last_line: 0,
            title: step.title.as_ref().map(|title| Arc::from(title.value.as_str())),
            timing: timing?,
            action: action?,
            during: during?,
            expect,
        };
        Some(match &step.include {
            Some(path) => Resolved::Include(path.clone(), Box::new(resolved)),
            None => Resolved::Step(Box::new(resolved)),
        })
    }

    /// Keys that say more about a deed stand only beside it.
    fn companions(&mut self, step: &StepDocument, kind: Option<Kind>, whole: Span) {
        use Kind as K;
        let mut belongs = |present: Option<Span>, key: &str, to: &[Kind]| {
            let Some(span) = present else { return };
            if kind.is_none_or(|kind| !to.contains(&kind)) {
                let message = match kind {
                    Some(kind) => format!("`{key}` has no meaning beside `{}`", kind.name()),
                    None => format!("`{key}` has no meaning in a step that only looks"),
                };
                let hint = format!("it belongs to {}", one_of(to.iter().map(|kind| kind.name())));
                self.error("stray-key", span, message, Some(hint));
            }
        };
        belongs(step.on.as_ref().map(|on| on.span), "on", &[K::Run, K::TopologyBuilder]);
        belongs(step.answers.as_ref().map(|answers| answers.span), "answers", &[K::Run]);
        belongs(step.on_error.map(|on_error| on_error.span), "on_error", &[K::Run, K::TopologyBuilder, K::DeploymentWizard]);
        belongs(step.publish.map(|publish| publish.span), "publish", &[K::TopologyBuilder]);
        belongs(step.services.map(|services| services.span), "services", &[K::Heal]);
        if kind == Some(Kind::Run) && step.on.is_none() {
            let hint = Some("add `on:` with the computer whose shell runs the command".to_owned());
            self.error("missing-key", whole, "it is not said where the command runs", hint);
        }
    }

    fn timing(&mut self, step: &StepDocument) -> Option<Timing> {
        match (&step.at, &step.after) {
            (None, None) => Some(Timing::Next),
            (Some(at), None) => self.duration(at).map(Timing::At),
            (None, Some(after)) => self.duration(after).map(Timing::After),
            (Some(_), Some(after)) => {
                let hint = Some("remove one of the two".to_owned());
                self.error("contradiction", after.span, "`at` and `after` exclude each other", hint);
                None
            }
        }
    }

    fn action(&mut self, step: &StepDocument, kind: Option<Kind>) -> Option<Action> {
        let on_error = step.on_error.map_or(OnError::default(), Located::into_inner);
        if let Some(wait) = &step.wait {
            return self.duration(wait).map(Action::Wait);
        }
        if let Some(wait) = &step.wait_until {
            let within = self.duration(&wait.within);
            if wait.expect.is_empty() {
                let hint = Some("write `expect:` with what has to come true".to_owned());
                self.error("empty-list", entry_span(self.source, wait.span), "nothing is waited for", hint);
                return None;
            }
            let expect = self.expectations(&wait.expect, Station::Elsewhere);
            return Some(Action::WaitUntil { within: within?, expect });
        }
        if let Some(text) = &step.run {
            let script = self.script(text);
            let on = self.shell(step.on.as_ref()?);
            let origin = Origin { source: self.source.clone(), span: Span::at(text.span.start) };
            let answers = step.answers.as_ref().map(|answers| answers.iter().map(|answer| Arc::from(answer.value.as_str())).collect());
            return Some(Action::Run(Script { text: script?, origin, on: on?, answers, on_error }));
        }
        if let Some(settings) = &step.topology_builder {
            let before = self.problems.count();
            let edits: Vec<_> = self.settings(settings, Purpose::Edit).into_iter().map(|(setting, _)| setting).collect();
            let publish = step.publish.is_none_or(|publish| publish.value);
            let on = match &step.on {
                Some(name) => Some(self.shell(name)?),
                None => None,
            };
            if edits.is_empty() && self.problems.count() == before && !publish {
                let span = entry_span(self.source, settings.span);
                let hint = Some("name a setting, or remove `publish: false` to publish earlier edits".to_owned());
                self.error("empty-mapping", span, "Topology Builder is opened, and nothing is edited or published", hint);
                return None;
            }
            return Some(Action::TopologyBuilder { on, settings: edits, publish, on_error });
        }
        if let Some(names) = &step.deployment_wizard {
            if names.is_empty() {
                let hint = Some("write a list of computers: `[edge1.contoso.com]`".to_owned());
                self.error("empty-list", names.span, "the deployment wizard runs nowhere", hint);
                return None;
            }
            let mut computers = Vec::new();
            for name in names.iter() {
                let found = self.computers(name, false);
                if found.is_empty() {
                    return None;
                }
                computers.extend(found);
            }
            return Some(Action::DeploymentWizard { computers, on_error });
        }
        match kind {
            Some(Kind::Include) | None => Some(Action::Look),
            Some(_) => self.deed(step.fault.as_ref(), step.heal.as_ref(), step.services.as_ref(), step.dns.as_ref()).map(Action::Deed),
        }
    }

    /// A fault, a heal or DNS edits: one of them is given.
    fn deed(
        &mut self,
        fault: Option<&Located<FaultDocument>>,
        heal: Option<&Located<FaultDocument>>,
        services: Option<&Located<ServicesAfterHeal>>,
        dns: Option<&Located<Vec<Located<DnsEditDocument>>>>,
    ) -> Option<Deed> {
        if let Some(fault) = fault {
            return self.fault(fault).map(Deed::Inject);
        }
        if let Some(heal) = heal {
            let services_stopped = services.is_some_and(|services| services.value == ServicesAfterHeal::Stopped);
            return self.fault(heal).map(|faults| Deed::Heal { faults, services_stopped });
        }
        let edits = dns?;
        self.dns_edits(edits, edits.span).map(Deed::Dns)
    }

    fn during(&mut self, entries: &[Located<DuringDocument>], kind: Option<Kind>) -> Option<Vec<(SimDuration, Deed)>> {
        let mut all = Vec::new();
        let before = self.problems.count();
        for entry in entries {
            let whole = entry_span(self.source, entry.span);
            if !kind.is_some_and(Kind::takes_time) {
                let hint = Some("make it a step of its own, with `after:` or `at:`".to_owned());
                self.error("stray-key", whole, "nothing can happen during a step that takes no time", hint);
                continue;
            }
            let given = [entry.fault.is_some(), entry.heal.is_some(), entry.dns.is_some()].into_iter().filter(|given| *given).count();
            if given != 1 {
                let message = if given == 0 { "nothing is said to happen here" } else { "several things in one entry" };
                let code = if given == 0 { "empty-step" } else { "two-kinds" };
                self.error(code, whole, message, Some("write one of `fault:`, `heal:` and `dns:`".to_owned()));
                continue;
            }
            if let Some(services) = entry.services.filter(|_| entry.heal.is_none()) {
                self.error("stray-key", services.span, "`services` has no meaning here", Some("it belongs to `heal`".to_owned()));
            }
            let after = self.duration(&entry.after);
            let deed = self.deed(entry.fault.as_ref(), entry.heal.as_ref(), entry.services.as_ref(), entry.dns.as_ref());
            if let (Some(after), Some(deed)) = (after, deed) {
                all.push((after, deed));
            }
        }
        all.sort_by_key(|(after, _)| *after);
        (self.problems.count() == before).then_some(all)
    }

    /// Refuses an `at` that lies before what the steps so far take at least.
    pub(crate) fn check_time(&mut self, at: &Located<DurationText>, earliest: SimDuration) {
        let Some(time) = firedrill_syntax::parse_duration(&at.value.0).ok() else { return };
        let time = super::time::sim(time);
        if time < earliest {
            let message = format!("{} lies before the end of the previous step, at {earliest} at the earliest", quote(&at.value.0));
            let hint = "steps run one after another; what happens while a step runs goes below its `during:`".to_owned();
            self.error("time-in-the-past", at.span, message, Some(hint));
        }
    }
}

fn kinds_of(step: &StepDocument) -> Vec<(Kind, Span)> {
    let mut kinds: Vec<(Kind, Span)> = [
        step.fault.as_ref().map(|v| (Kind::Fault, v.span)),
        step.heal.as_ref().map(|v| (Kind::Heal, v.span)),
        step.wait.as_ref().map(|v| (Kind::Wait, v.span)),
        step.wait_until.as_ref().map(|v| (Kind::WaitUntil, v.span)),
        step.run.as_ref().map(|v| (Kind::Run, Span::new(v.span.start, v.span.start + 1))),
        step.topology_builder.as_ref().map(|v| (Kind::TopologyBuilder, v.span)),
        step.deployment_wizard.as_ref().map(|v| (Kind::DeploymentWizard, v.span)),
        step.dns.as_ref().map(|v| (Kind::Dns, v.span)),
        step.include.as_ref().map(|v| (Kind::Include, v.span)),
    ]
    .into_iter()
    .flatten()
    .collect();
    kinds.sort_by_key(|(_, span)| *span);
    kinds
}
