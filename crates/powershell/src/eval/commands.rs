//! From a command line to a stage: finding the command, evaluating and binding its arguments.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8};

use super::errors::Action;
use super::functions::FunctionRun;
use super::pipeline::{Outlet, Runner, Slot, bad_expression};
use super::redirect::{Finish, Redirected};
use super::{Env, Evaluator, Function, Invoked};
use crate::ast::*;
use crate::binding::{self, BindOptions, Binding, CommonParameters};
use crate::builtins;
use crate::command::{CommandInfo, Resolution};
use crate::convert;
use crate::error::{ErrorRecord, Flow};
use crate::pipeline::{Argument, ArgumentKind, Builtin};
use crate::source::{Position, Span};
use crate::value::{ArrayRef, ScriptBlock, Value};

/// What a name stands for.
enum Target {
    Function(Arc<Function>),
    Builtin(&'static Builtin),
    World(Arc<CommandInfo>),
    Unmodelled(Option<Arc<CommandInfo>>),
    Block(Arc<ScriptBlock>),
    File(Arc<str>, String),
}

impl Evaluator<'_> {
    /// A command of the text as a stage.
    pub(crate) fn prepare(&mut self, command: &Command, has_input: bool) -> Result<Slot, Flow> {
        let Some(CommandElement::Argument(head)) = command.elements.first() else {
            return Err(bad_expression("&").into());
        };
        let position = self.position(command.span);
        let result = self.prepare_at(command, head, has_input, &position);
        result.map_err(|flow| match flow {
            Flow::Error(mut failure) => {
                if failure.record.position.is_none() {
                    failure.record.position = Some(position);
                }
                let span = command.span;
                self.locate(&mut failure.record, span);
                Flow::Error(failure)
            }
            other => other,
        })
    }

    fn prepare_at(&mut self, command: &Command, head: &Expression, has_input: bool, position: &Position) -> Result<Slot, Flow> {
        let value = self.value(head)?;
        let target = match &value {
            Value::Script(block) => Some(Target::Block(block.clone())),
            Value::Null => {
                let symbol = if command.operator == InvocationOperator::Dot { "." } else { "&" };
                return Err(bad_expression(symbol).into());
            }
            _ => None,
        };
        let name: Arc<str> = match &value {
            Value::Str(name) => name.clone(),
            Value::Object(object) => match object.get("Name") {
                Some(Value::Str(name)) => name,
                _ => self.text(&value).into(),
            },
            Value::Script(_) => "".into(),
            other => self.text(other).into(),
        };
        let arguments = self.arguments(&command.elements[1..])?;
        let target = match target {
            Some(target) => target,
            None => self.find(&name, &Position { span: head.span, ..position.clone() })?,
        };
        let dot = command.operator == InvocationOperator::Dot;
        self.make_slot(target, &name, arguments, has_input, Some(position.clone()), &command.redirections, dot)
    }

    /// A command by name, with arguments already evaluated.
    pub(crate) fn prepare_named(
        &mut self,
        name: &str,
        arguments: Vec<Argument>,
        has_input: bool,
        position: Option<Position>,
        redirections: &[Redirection],
    ) -> Result<Slot, Flow> {
        let place = position.clone().unwrap_or_else(|| self.position(self.statement));
        let target = self.find(name, &place)?;
        self.make_slot(target, name, arguments, has_input, position, redirections, false)
    }

    fn arguments(&mut self, elements: &[CommandElement]) -> Result<Vec<Argument>, Flow> {
        let mut arguments = Vec::with_capacity(elements.len());
        let mut only_values = false;
        for element in elements {
            match element {
                CommandElement::Argument(Expression { kind: ExpressionKind::Text(text, Quoting::Bare), .. })
                    if &**text == "--" && !only_values =>
                {
                    // What follows is not a parameter, whatever it looks like.
                    only_values = true;
                }
                CommandElement::Parameter { span, .. } if only_values => {
                    let value = Value::str(span.of(&self.env.frame.source.text));
                    arguments.push(Argument { kind: ArgumentKind::Positional { value, bare: true }, span: *span });
                }
                CommandElement::Parameter { name, argument, span } => {
                    let value = argument.as_deref().map(|e| self.value(e)).transpose()?;
                    let value_span = argument.as_deref().map(|e| e.span);
                    arguments.push(Argument { kind: ArgumentKind::Named { name: name.clone(), value, value_span }, span: *span });
                }
                CommandElement::Argument(expression) => {
                    if let ExpressionKind::Splat(_) = &expression.kind {
                        let value = self.value(expression)?;
                        self.splat(&value, expression.span, &mut arguments);
                        continue;
                    }
                    let bare = matches!(&expression.kind, ExpressionKind::Text(_, Quoting::Bare) | ExpressionKind::Constant(_));
                    let value = self.value(expression)?;
                    arguments.push(Argument { kind: ArgumentKind::Positional { value, bare }, span: expression.span });
                }
            }
        }
        Ok(arguments)
    }

    fn splat(&mut self, value: &Value, span: Span, arguments: &mut Vec<Argument>) {
        match value {
            Value::Hash(table) => {
                let entries: Vec<(Value, Value)> = table.read().map(|t| t.entries.values().cloned().collect()).unwrap_or_default();
                for (key, value) in entries {
                    let name = self.text(&key).into();
                    arguments.push(Argument { kind: ArgumentKind::Named { name, value: Some(value), value_span: None }, span });
                }
            }
            Value::Null => {}
            other => {
                for value in super::operators::enumerate(other) {
                    arguments.push(Argument { kind: ArgumentKind::Positional { value, bare: false }, span });
                }
            }
        }
    }

    fn find(&mut self, name: &str, place: &Position) -> Result<Target, Flow> {
        if let Some(target) = self.lookup(name)? {
            return Ok(target);
        }
        if !name.contains('-')
            && let Some(target) = self.lookup(&format!("Get-{name}"))?
        {
            return Ok(target);
        }
        self.suggest(name, place);
        let mut record = ErrorRecord::new(
            format!(
                "The term '{name}' is not recognized as the name of a cmdlet, function, script file, or operable program. Check the spelling of the name, or if a path was included, verify that the path is correct and try again."
            ),
            "CommandNotFoundException",
            "ObjectNotFound",
            "System.Management.Automation.CommandNotFoundException",
        )
        .with_target(Value::str(name));
        record.decorated = true;
        record.command = Some(name.into());
        record.activity = Some("".into());
        record.position = Some(place.clone());
        Err(record.into())
    }

    /// Remarks the nearest name, if one is near.
    fn suggest(&mut self, name: &str, place: &Position) {
        let mut names = self.env.scope.function_names();
        names.extend(builtins::names());
        names.extend(self.world.names());
        let lower = name.to_lowercase();
        let nearest = names
            .into_iter()
            .map(|candidate| (strsim::damerau_levenshtein(&lower, &candidate.to_lowercase()), candidate))
            .min_by(|a, b| a.0.cmp(&b.0).then_with(|| a.1.cmp(&b.1)));
        if let Some((distance, candidate)) = nearest
            && distance <= (name.chars().count() / 4).max(1)
        {
            self.output.remarks.push((format!("'{name}' is not a command; did you mean '{candidate}'?").into(), place.clone()));
        }
    }

    fn lookup(&mut self, written: &str) -> Result<Option<Target>, Flow> {
        let mut name: Arc<str> = written.into();
        for _ in 0..8 {
            let key = name.to_lowercase();
            if let Some(alias) = self.state.aliases.get(key.as_str()) {
                name = alias.clone();
            } else if let Some(function) = self.env.scope.function(&key) {
                return Ok(Some(Target::Function(function)));
            } else if let Some(alias) = builtins::alias(&name) {
                name = alias.into();
            } else {
                break;
            }
        }
        let plain = name.rsplit_once('\\').filter(|(module, _)| !module.contains([':', '.', '\\'])).map_or(&*name, |(_, rest)| rest);
        if plain.len() != name.len()
            && let Some(function) = self.env.scope.function(&plain.to_lowercase())
        {
            return Ok(Some(Target::Function(function)));
        }
        if let Some(info) = self.imported_command(plain) {
            return Ok(Some(Target::World(info)));
        }
        if let Some(builtin) = builtins::lookup(plain) {
            return Ok(Some(Target::Builtin(builtin)));
        }
        match self.world.resolve(plain) {
            Resolution::Command(info) => return Ok(Some(Target::World(info))),
            Resolution::Unmodelled(info) => return Ok(Some(Target::Unmodelled(info))),
            Resolution::Unknown => {}
        }
        if name.to_lowercase().ends_with(".ps1") {
            let path = self.script_path(&name);
            if let Some(bytes) = self.world.read_file(&path) {
                return Ok(Some(Target::File(path.into(), super::text::decode(&bytes))));
            }
        }
        if builtins::is_known(plain) {
            return Ok(Some(Target::Unmodelled(None)));
        }
        Ok(None)
    }

    /// A script path beside the running script.
    pub(crate) fn script_path(&self, name: &str) -> String {
        let relative = name.strip_prefix(".\\").or_else(|| name.strip_prefix("./"));
        match (relative, self.env.frame.source.name.rsplit_once(['\\', '/'])) {
            (Some(rest), Some((folder, _))) => format!("{folder}\\{rest}"),
            (Some(rest), None) => rest.to_owned(),
            (None, _) => name.to_owned(),
        }
    }

    pub(crate) fn command_info(&mut self, name: &str) -> Option<Arc<CommandInfo>> {
        match self.lookup(name).ok()?? {
            Target::Function(function) => Some(function.info.clone()),
            Target::Builtin(builtin) => Some(builtins::info_of(builtin)),
            Target::World(info) => Some(info),
            Target::Unmodelled(info) => info,
            Target::Block(_) | Target::File(..) => None,
        }
    }

    /// Binds, with `$PSDefaultParameterValues` for what the line does not give.
    fn bind_with_defaults(
        &mut self,
        info: &CommandInfo,
        arguments: &[Argument],
        options: BindOptions,
    ) -> Result<Result<Binding, Box<binding::BindError>>, Flow> {
        let plain = binding::bind(info, arguments, options);
        let defaults = self.default_parameters(info)?;
        if defaults.is_empty() || !options.common_parameters {
            return Ok(plain);
        }
        let given = |name: &str| match &plain {
            Ok(bound) => {
                bound.parameters.get(name).is_some() || bound.common.values.iter().any(|(known, _)| known.eq_ignore_ascii_case(name))
            }
            Err(_) => {
                arguments.iter().any(|a| matches!(&a.kind, ArgumentKind::Named { name: named, .. } if named.eq_ignore_ascii_case(name)))
            }
        };
        let mut all = arguments.to_vec();
        for (name, value) in defaults {
            if !given(&name) {
                all.push(Argument { kind: ArgumentKind::Named { name, value: Some(value), value_span: None }, span: Span::default() });
            }
        }
        if all.len() == arguments.len() {
            return Ok(plain);
        }
        // A default that does not bind does not count.
        Ok(binding::bind(info, &all, options).or(plain))
    }

    /// What `$PSDefaultParameterValues` says about a command.
    fn default_parameters(&mut self, info: &CommandInfo) -> Result<Vec<(Arc<str>, Value)>, Flow> {
        let Some((Value::Hash(table), _)) = self.env.scope.value("psdefaultparametervalues") else { return Ok(Vec::new()) };
        let entries: Vec<(Value, Value)> = table.read().map(|t| t.entries.values().cloned().collect()).unwrap_or_default();
        let mut found = Vec::new();
        for (key, value) in entries {
            let key = self.text(&key);
            if key.eq_ignore_ascii_case("disabled") && convert::to_bool(&value) {
                return Ok(Vec::new());
            }
            let Some((command, parameter)) = key.split_once(':') else { continue };
            if !super::like(&info.name, command.trim(), false) {
                continue;
            }
            let value = match &value {
                Value::Script(block) => {
                    let mut output = Vec::new();
                    let call = crate::pipeline::BlockCall {
                        block,
                        underscore: None,
                        arguments: Vec::new(),
                        scope: crate::pipeline::BlockScope::Child,
                    };
                    self.call_block(&call, &mut output)?;
                    super::collapse(output).0
                }
                other => other.clone(),
            };
            found.push((parameter.trim().into(), value));
        }
        Ok(found)
    }

    fn bind(
        &mut self,
        info: &CommandInfo,
        arguments: &[Argument],
        options: BindOptions,
        place: Option<&Position>,
    ) -> Result<Binding, Flow> {
        match self.bind_with_defaults(info, arguments, options)? {
            Ok(binding) => {
                let place = place.cloned().unwrap_or_else(|| self.here());
                self.output.remarks.extend(binding.remarks.iter().map(|text| (text.as_str().into(), place.clone())));
                self.output.unmodelled.extend(binding.unmodelled.iter().map(|what| (what.as_str().into(), place.clone())));
                Ok(binding)
            }
            Err(error) => {
                let mut record = error.record;
                if !record.decorated {
                    record.id = format!("{},{}", record.id, info.implementing_type).into();
                    record.decorated = true;
                }
                record.command = Some(info.name.clone());
                if let Some(place) = place {
                    record.position = Some(Position { span: error.span.unwrap_or(place.span), ..place.clone() });
                }
                Err(record.into())
            }
        }
    }

    #[allow(clippy::too_many_arguments)]
    fn make_slot(
        &mut self,
        target: Target,
        name: &str,
        arguments: Vec<Argument>,
        has_input: bool,
        position: Option<Position>,
        redirections: &[Redirection],
        dot: bool,
    ) -> Result<Slot, Flow> {
        let place = position.as_ref();
        let options = BindOptions { strict: self.options.strict_binding, has_input, common_parameters: true };
        let redirected = self.redirections(redirections)?;
        match target {
            Target::Builtin(builtin) => {
                let info = builtins::info_of(builtin);
                let binding = self.bind(&info, &arguments, options, place)?;
                let bound = if has_input || builtin.input == crate::pipeline::PipelineInput::Raw {
                    binding.parameters.clone()
                } else {
                    self.finish_binding(&info, &binding, place)?
                };
                let stage = (builtin.make)(bound.clone());
                let common = binding.common.clone();
                let runner = Runner::Builtin { stage, info: info.clone(), binding: Box::new(binding), bound, input: builtin.input };
                Ok(self.slot(runner, &info, position, &common, redirected, has_input))
            }
            Target::World(info) => {
                let binding = self.bind(&info, &arguments, options, place)?;
                if !has_input {
                    self.finish_binding(&info, &binding, place)?;
                }
                let common = binding.common.clone();
                let runner = Runner::World { info: info.clone(), binding: Box::new(binding) };
                Ok(self.slot(runner, &info, position, &common, redirected, has_input))
            }
            Target::Unmodelled(info) => {
                if let Some(info) = &info {
                    let binding = self.bind(info, &arguments, options, place)?;
                    if !has_input {
                        self.finish_binding(info, &binding, place)?;
                    }
                }
                let printed: Arc<str> = info.as_ref().map_or_else(|| name.into(), |i| i.name.clone());
                let place = place.cloned().unwrap_or_else(|| self.here());
                self.output.unmodelled.push((printed.clone(), place));
                let mut record = ErrorRecord::new(
                    format!("The command '{printed}' is known but not modelled: what it would have done is not part of the rehearsal."),
                    "CommandNotModelled",
                    "NotImplemented",
                    "System.Management.Automation.PSNotImplementedException",
                )
                .with_target(Value::str(printed.clone()));
                record.decorated = true;
                record.command = Some(printed);
                record.position = position;
                Err(record.into())
            }
            Target::Function(function) => {
                let options = BindOptions { common_parameters: function.advanced, ..options };
                let function = self.with_dynamic_parameters(&function, &arguments)?;
                let binding = self.bind(&function.info, &arguments, options, place)?;
                if !has_input && function.advanced {
                    self.finish_binding(&function.info, &binding, place)?;
                }
                let common = binding.common.clone();
                let info = function.info.clone();
                let run = FunctionRun::function(self, function, binding, position.clone(), dot, has_input);
                Ok(self.slot(Runner::Function(Box::new(run)), &info, position, &common, redirected, has_input))
            }
            Target::Block(block) => self.block_slot(&block, "", arguments, has_input, position, redirected, dot, false),
            Target::File(path, text) => {
                let ast = self.parse_text(&path, &text)?;
                let block = Arc::new(ScriptBlock { text: text.into(), ast, closure: None });
                self.block_slot(&block, &path, arguments, has_input, position, redirected, dot, true)
            }
        }
    }

    #[allow(clippy::too_many_arguments)]
    fn block_slot(
        &mut self,
        block: &Arc<ScriptBlock>,
        name: &str,
        arguments: Vec<Argument>,
        has_input: bool,
        position: Option<Position>,
        redirected: Redirected,
        dot: bool,
        script: bool,
    ) -> Result<Slot, Flow> {
        let function = Arc::new(Function::new(name.into(), block.ast.clone(), self));
        let options = BindOptions { strict: false, has_input, common_parameters: function.advanced };
        let binding = self.bind(&function.info, &arguments, options, position.as_ref())?;
        if !has_input && function.advanced {
            self.finish_binding(&function.info, &binding, position.as_ref())?;
        }
        let common = binding.common.clone();
        let info = function.info.clone();
        let run = FunctionRun::block(self, function, binding, position.clone(), dot, has_input, block.closure.clone(), script);
        Ok(self.slot(Runner::Function(Box::new(run)), &info, position, &common, redirected, has_input))
    }

    fn finish_binding(
        &mut self,
        info: &CommandInfo,
        binding: &Binding,
        place: Option<&Position>,
    ) -> Result<crate::command::BoundParameters, Flow> {
        binding.finish(info).map_err(|error| {
            let mut record = error.record;
            if !record.decorated {
                record.id = format!("{},{}", record.id, info.implementing_type).into();
                record.decorated = true;
            }
            record.command = Some(info.name.clone());
            record.position = place.cloned();
            record.into()
        })
    }

    fn slot(
        &mut self,
        runner: Runner,
        info: &CommandInfo,
        position: Option<Position>,
        common: &CommonParameters,
        redirected: Redirected,
        has_input: bool,
    ) -> Slot {
        let get = |name: &str| common.values.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v);
        let switch = |name: &str| get(name).map(convert::to_bool);
        let action = |name: &str| get(name).and_then(Action::of);
        let variable = |name: &str| -> Option<Arc<str>> { get(name).map(|v| convert::display(v).into()) };
        let invoked = Arc::new(Invoked {
            name: info.name.clone(),
            type_name: info.implementing_type.clone(),
            position,
            error_action: action("ErrorAction"),
            warning_action: action("WarningAction"),
            information_action: action("InformationAction"),
            verbose: switch("Verbose"),
            debug: switch("Debug"),
            what_if: switch("WhatIf"),
            confirm: switch("Confirm"),
            impact: info.confirm_impact,
            should_process: info.supports_should_process,
            answer: AtomicU8::new(0),
            failed: AtomicBool::new(false),
        });
        let Redirected { mut routes, output, merge, mut finish } = redirected;
        let scope = self.env.scope.clone();
        let mut collect = |name: &str, into: Option<&mut Vec<ArrayRef>>| -> Option<ArrayRef> {
            let variable = variable(name)?;
            let values = ArrayRef::default();
            finish.push(Finish::Variable { name: variable, values: values.clone(), scope: scope.clone() });
            if let Some(list) = into {
                list.push(values.clone());
            }
            Some(values)
        };
        collect("ErrorVariable", Some(&mut routes.error_variables));
        collect("WarningVariable", Some(&mut routes.warning_variables));
        collect("InformationVariable", Some(&mut routes.information_variables));
        let out_variable = collect("OutVariable", None);
        let pipeline_variable = variable("PipelineVariable");
        let mut env = Env { routes: Arc::new(routes), ..self.env.clone() };
        let mut runner = runner;
        if let Runner::Function(run) = &mut runner {
            run.adopt(&mut env, &invoked);
        }
        Slot {
            runner,
            outlet: Outlet { id: self.next_id(), invoked, merge, route: output, out_variable, pipeline_variable, has_input },
            env,
            finish,
        }
    }
}
