//! Pipelines: stages that push objects into each other.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::functions::FunctionRun;
use super::{Env, Evaluator, Invoked, Sink};
use crate::ast::*;
use crate::binding::Binding;
use crate::command::{BoundParameters, CommandInfo};
use crate::error::{ErrorRecord, Flow};
use crate::pipeline::{PipelineInput, Stage};
use crate::value::{ArrayRef, Value};

/// Where the output of a stage goes.
#[derive(Debug, Clone, Default)]
pub(crate) enum OutputRoute {
    /// To the next stage.
    #[default]
    Next,
    /// Nowhere.
    Null,
    /// Into a file's buffer.
    Buffer(ArrayRef),
}

/// What runs in a stage.
pub(crate) enum Runner {
    Builtin { stage: Box<dyn Stage>, info: Arc<CommandInfo>, binding: Box<Binding>, bound: BoundParameters, input: PipelineInput },
    World { info: Arc<CommandInfo>, binding: Box<Binding> },
    Function(Box<FunctionRun>),
}

/// What the outputs of a stage need to know.
pub(crate) struct Outlet {
    pub(crate) id: u64,
    pub(crate) invoked: Arc<Invoked>,
    /// Streams merged into the output wait here until the next object.
    pub(crate) merge: Option<ArrayRef>,
    pub(crate) route: OutputRoute,
    pub(crate) out_variable: Option<ArrayRef>,
    pub(crate) pipeline_variable: Option<Arc<str>>,
    pub(crate) has_input: bool,
}

/// One stage of a running pipeline.
pub(crate) struct Slot {
    pub(crate) runner: Runner,
    pub(crate) outlet: Outlet,
    pub(crate) env: Env,
    /// Files to write and variables to set when the pipeline is over.
    pub(crate) finish: Vec<super::redirect::Finish>,
}

/// What a stage pushes into: the stages behind it and the sink of the pipeline.
pub(crate) struct Downstream<'a> {
    pub(crate) outlet: &'a Outlet,
    pub(crate) rest: &'a mut [Slot],
    pub(crate) out: &'a mut dyn Sink,
}

impl Downstream<'_> {
    fn deliver(&mut self, ev: &mut Evaluator<'_>, value: Value) -> Result<(), Flow> {
        if let Some(variable) = &self.outlet.out_variable
            && let Ok(mut values) = variable.write()
        {
            values.push(value.clone());
        }
        match &self.outlet.route {
            OutputRoute::Null => Ok(()),
            OutputRoute::Buffer(buffer) => {
                if let Ok(mut buffer) = buffer.write() {
                    buffer.push(value);
                }
                Ok(())
            }
            OutputRoute::Next => {
                if let Some(name) = &self.outlet.pipeline_variable {
                    ev.env.scope.set(&name.to_lowercase(), super::Variable::new(name, value.clone()));
                }
                match self.rest.split_first_mut() {
                    Some((next, rest)) => next.process(ev, Some(value), rest, self.out),
                    None => self.out.emit(ev, value),
                }
            }
        }
    }

    /// How many objects the next stage can use, where that is known beforehand: `Select-Object -First` of so many.
    /// Commands that could make very many objects stop there; the objects themselves are counted by the stage.
    pub(crate) fn appetite(&self) -> Option<usize> {
        if !matches!(self.outlet.route, OutputRoute::Next) || self.outlet.out_variable.is_some() {
            return None;
        }
        let Runner::Builtin { info, bound, .. } = &self.rest.first()?.runner else { return None };
        if !info.name.eq_ignore_ascii_case("Select-Object") {
            return None;
        }
        let keeps_on = ["Last", "SkipLast", "Index", "SkipIndex"].iter().any(|name| bound.get(name).is_some());
        if keeps_on || bound.switch("Unique") || bound.switch("Wait") {
            return None;
        }
        let count = |name: &str| match bound.get(name) {
            None => Some(0),
            Some(Value::Int(count)) => usize::try_from(*count).ok(),
            Some(_) => None,
        };
        bound.get("First")?;
        Some(count("First")?.saturating_add(count("Skip")?))
    }

    /// Delivers what merged streams left behind.
    pub(crate) fn flush(&mut self, ev: &mut Evaluator<'_>) -> Result<(), Flow> {
        let Some(buffer) = &self.outlet.merge else { return Ok(()) };
        let waiting = buffer.write().map(|mut b| std::mem::take(&mut *b)).unwrap_or_default();
        for value in waiting {
            self.deliver(ev, value)?;
        }
        Ok(())
    }
}

impl Sink for Downstream<'_> {
    fn emit(&mut self, ev: &mut Evaluator<'_>, value: Value) -> Result<(), Flow> {
        self.flush(ev)?;
        self.deliver(ev, value)
    }
}

enum Phase {
    Begin,
    Process(Option<Value>),
    End,
}

impl Slot {
    fn run(&mut self, ev: &mut Evaluator<'_>, phase: Phase, rest: &mut [Slot], out: &mut dyn Sink) -> Result<(), Flow> {
        let mut down = Downstream { outlet: &self.outlet, rest, out };
        let runner = &mut self.runner;
        let result = ev.within(self.env.clone(), |ev| {
            let result = runner.run(ev, phase, &mut down);
            let flushed = down.flush(ev);
            result.and(flushed)
        });
        match result {
            Err(Flow::Error(mut failure)) if !failure.record.decorated => {
                ev.decorate(&mut failure.record, &self.outlet.invoked);
                Err(Flow::Error(failure))
            }
            other => other,
        }
    }

    pub(crate) fn process(
        &mut self,
        ev: &mut Evaluator<'_>,
        input: Option<Value>,
        rest: &mut [Slot],
        out: &mut dyn Sink,
    ) -> Result<(), Flow> {
        ev.step()?;
        self.run(ev, Phase::Process(input), rest, out)
    }
}

impl Runner {
    fn run(&mut self, ev: &mut Evaluator<'_>, phase: Phase, down: &mut Downstream<'_>) -> Result<(), Flow> {
        match self {
            Self::Builtin { stage, info, binding, bound, input: kind } => {
                let mut now = None;
                if let Phase::Process(input) = &phase
                    && *kind == PipelineInput::Bound
                {
                    let result = match input {
                        Some(value) => binding.bind_pipeline(info, value),
                        None => binding.finish(info),
                    };
                    match result {
                        Ok(parameters) => now = Some(parameters),
                        Err(error) if input.is_some() => return ev.non_terminating(error.record, &down.outlet.invoked.clone()),
                        Err(error) => return Err(error.record.into()),
                    }
                }
                let mut cx = super::context::Cx { ev, bound: now.as_ref().unwrap_or(bound), down };
                match phase {
                    Phase::Begin => stage.begin(&mut cx),
                    Phase::Process(input) => stage.process(input, &mut cx),
                    Phase::End => stage.end(&mut cx),
                }
            }
            Self::World { info, binding } => match phase {
                Phase::Process(input) => ev.world_command(info, binding, input, down),
                _ => Ok(()),
            },
            Self::Function(run) => match phase {
                Phase::Begin => run.begin(ev, down),
                Phase::Process(input) => run.process(ev, input, down),
                Phase::End => run.end(ev, down),
            },
        }
    }
}

impl Evaluator<'_> {
    /// A pipeline as a statement.
    pub(crate) fn pipeline(&mut self, pipeline: &Pipeline, sink: &mut dyn Sink) -> Result<(), Flow> {
        if let [PipelineElement::Expression(expression, redirections)] = pipeline.elements.as_slice()
            && redirections.is_empty()
        {
            let result = self.stream(expression, sink);
            self.ok = result.is_ok();
            return result;
        }
        if pipeline.elements.len() > self.limits.pipeline_length {
            return Err(crate::error::LimitError::PipelineLength(self.limits.pipeline_length).into());
        }
        let mut slots = Vec::with_capacity(pipeline.elements.len());
        let mut first = None;
        for (at, element) in pipeline.elements.iter().enumerate() {
            match element {
                PipelineElement::Command(command) => {
                    let slot = self.prepare(command, at > 0).inspect_err(|_| self.ok = false)?;
                    slots.push(slot);
                }
                PipelineElement::Expression(expression, redirections) => first = Some((expression, redirections)),
            }
        }
        self.run_slots(first.map(|(e, r)| (e, r.as_slice())), slots, sink)
    }

    pub(crate) fn run_slots(
        &mut self,
        first: Option<(&Expression, &[Redirection])>,
        mut slots: Vec<Slot>,
        sink: &mut dyn Sink,
    ) -> Result<(), Flow> {
        let result = self.deeper(|ev| ev.drive(first, &mut slots, sink));
        self.ok = !slots.iter().any(|s| s.outlet.invoked.failed.load(Ordering::Relaxed)) && !matches!(result, Err(Flow::Error(_)));
        for slot in &mut slots {
            for finish in std::mem::take(&mut slot.finish) {
                self.finish(finish)?;
            }
        }
        result
    }

    fn drive(&mut self, first: Option<(&Expression, &[Redirection])>, slots: &mut [Slot], sink: &mut dyn Sink) -> Result<(), Flow> {
        let mut ended = 0;
        let mut stopped = false;
        for at in 0..slots.len() {
            let (head, rest) = slots.split_at_mut(at + 1);
            let result = head[at].run(self, Phase::Begin, rest, sink);
            stopped |= absorb(result, slots, &mut ended)?;
        }
        if !stopped {
            let result = match first {
                Some((expression, redirections)) => self.feed(expression, redirections, slots, sink),
                None => match slots.split_first_mut() {
                    Some((head, rest)) => head.process(self, None, rest, sink),
                    None => Ok(()),
                },
            };
            absorb(result, slots, &mut ended)?;
        }
        let mut at = ended;
        while at < slots.len() {
            let (head, rest) = slots.split_at_mut(at + 1);
            let result = head[at].run(self, Phase::End, rest, sink);
            absorb(result, slots, &mut ended)?;
            at = (at + 1).max(ended);
        }
        Ok(())
    }

    /// The expression in front pushes into the first stage.
    fn feed(&mut self, expression: &Expression, redirections: &[Redirection], slots: &mut [Slot], sink: &mut dyn Sink) -> Result<(), Flow> {
        let outlet = Outlet {
            id: 0,
            invoked: Arc::default(),
            merge: None,
            route: OutputRoute::Next,
            out_variable: None,
            pipeline_variable: None,
            has_input: false,
        };
        if redirections.is_empty() {
            return self.stream(expression, &mut Downstream { outlet: &outlet, rest: slots, out: sink });
        }
        let redirected = self.redirections(redirections)?;
        let outlet = Outlet { merge: redirected.merge, route: redirected.output, ..outlet };
        let env = Env { routes: Arc::new(redirected.routes), ..self.env.clone() };
        let mut down = Downstream { outlet: &outlet, rest: slots, out: sink };
        let result = self.within(env, |ev| {
            let result = ev.stream(expression, &mut down);
            let flushed = down.flush(ev);
            result.and(flushed)
        });
        for finish in redirected.finish {
            self.finish(finish)?;
        }
        result
    }

    /// Runs one command with given input; used where commands are called from inside.
    pub(crate) fn run_prepared(&mut self, slot: Slot, input: Option<Vec<Value>>, sink: &mut dyn Sink) -> Result<(), Flow> {
        let mut slots = vec![slot];
        let Some(values) = input else { return self.run_slots(None, slots, sink) };
        let result = self.deeper(|ev| {
            let mut ended = 0;
            let begun = slots[0].run(ev, Phase::Begin, &mut [], sink);
            if !absorb(begun, &slots, &mut ended)? {
                for value in values {
                    let result = slots[0].process(ev, Some(value), &mut [], sink);
                    if absorb(result, &slots, &mut ended)? {
                        return Ok(());
                    }
                }
                let result = slots[0].run(ev, Phase::End, &mut [], sink);
                absorb(result, &slots, &mut ended)?;
            }
            Ok(())
        });
        for finish in std::mem::take(&mut slots[0].finish) {
            self.finish(finish)?;
        }
        result
    }
}

/// A stage of this pipeline wants no more input: everything up to it is over. Says whether that happened.
fn absorb(result: Result<(), Flow>, slots: &[Slot], ended: &mut usize) -> Result<bool, Flow> {
    match result {
        Ok(()) => Ok(false),
        Err(Flow::StopUpstream(id)) => match slots.iter().position(|s| s.outlet.id == id) {
            Some(at) => {
                *ended = (*ended).max(at + 1);
                Ok(true)
            }
            None => Err(Flow::StopUpstream(id)),
        },
        Err(other) => Err(other),
    }
}

/// An error for an operator that got nothing to call.
pub(crate) fn bad_expression(operator: &str) -> ErrorRecord {
    ErrorRecord::runtime(
        format!(
            "The expression after '{operator}' in a pipeline element produced an object that was not valid. It must result in a command name, a script block, or a CommandInfo object."
        ),
        "BadExpression",
        "InvalidOperation",
    )
}
