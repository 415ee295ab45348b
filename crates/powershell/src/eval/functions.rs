//! Functions, script blocks and scripts as stages; parameters and their attributes.

use std::sync::Arc;

use super::pipeline::Downstream;
use super::{Env, Evaluator, Frame, Function, Invoked, Scope, ScopeKind, Variable};
use crate::ast::*;
use crate::binding::Binding;
use crate::command::{
    Allowance, BoundParameters, CommandInfo, ConfirmImpact, ParameterInfo, ParameterSetInfo, ParameterType, SetMembership,
};
use crate::convert;
use crate::error::{ErrorRecord, Flow};
use crate::source::Position;
use crate::types;
use crate::value::{Name, Value};

/// Variables captured by a closure.
type Captured = Arc<std::sync::RwLock<indexmap::IndexMap<Name, Value>>>;

/// A constant of an attribute: `$true`, `$false`, a number, a text.
pub(crate) fn constant(expression: &Expression) -> Value {
    match &expression.kind {
        ExpressionKind::Constant(value) => value.clone(),
        ExpressionKind::Text(text, _) => Value::Str(text.clone()),
        ExpressionKind::Variable(path) => match &*path.key {
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            _ => Value::Null,
        },
        ExpressionKind::Unary(UnaryOp::Minus, child) => convert::negate(&constant(child)).unwrap_or(Value::Null),
        ExpressionKind::Paren(inner) => super::statements::single_expression(inner).map_or(Value::Null, constant),
        ExpressionKind::ArrayLiteral(items) => Value::array(items.iter().map(constant).collect()),
        ExpressionKind::Convert(name, child) => convert::cast(&constant(child), &name.name).unwrap_or(Value::Null),
        ExpressionKind::Binary(first, steps) => {
            let arithmetic = |op| match op {
                BinaryOp::Add => Some(convert::Arithmetic::Add),
                BinaryOp::Sub => Some(convert::Arithmetic::Sub),
                BinaryOp::Mul => Some(convert::Arithmetic::Mul),
                BinaryOp::Div => Some(convert::Arithmetic::Div),
                _ => None,
            };
            steps.iter().fold(constant(first), |left, step| {
                arithmetic(step.op).and_then(|op| convert::arithmetic(op, &left, &constant(&step.right)).ok()).unwrap_or(Value::Null)
            })
        }
        ExpressionKind::Member(member) if member.is_static => match (&member.target.kind, &member.name.kind) {
            (ExpressionKind::Type(of), ExpressionKind::Text(name, _)) => types::resolve(&of.name)
                .and_then(|full| convert::cast_resolved(&Value::Str(name.clone()), &full).ok())
                .unwrap_or(Value::Null),
            _ => Value::Null,
        },
        _ => Value::Null,
    }
}

pub(crate) fn flag(attribute: &Attribute, name: &str) -> Option<bool> {
    let (_, value) = attribute.named.iter().find(|(n, _)| n.eq_ignore_ascii_case(name))?;
    Some(value.as_ref().is_none_or(|e| convert::to_bool(&constant(e))))
}

fn named_text(attribute: &Attribute, name: &str) -> Option<Arc<str>> {
    let (_, value) = attribute.named.iter().find(|(n, _)| n.eq_ignore_ascii_case(name))?;
    match constant(value.as_ref()?) {
        Value::Str(text) => Some(text),
        other => Some(convert::display(&other).into()),
    }
}

/// The type that the binder converts to; types it does not know are converted afterwards.
pub(crate) fn parameter_type(name: &str) -> ParameterType {
    if let Some(element) = name.strip_suffix("[]") {
        return ParameterType::Array(Box::new(parameter_type(element)));
    }
    let Some(full) = types::resolve(name) else { return ParameterType::Object };
    let integer = |low: i128, high: i128| ParameterType::Integer(full.clone(), low, high);
    match &*full {
        "System.String" => ParameterType::Text(full),
        "System.Management.Automation.SwitchParameter" => ParameterType::Switch,
        "System.Boolean" => ParameterType::Bool,
        "System.Byte" => integer(0, u8::MAX.into()),
        "System.Int16" => integer(i16::MIN.into(), i16::MAX.into()),
        "System.Int32" => integer(i32::MIN.into(), i32::MAX.into()),
        "System.Int64" => integer(i64::MIN.into(), i64::MAX.into()),
        "System.UInt32" => integer(0, u32::MAX.into()),
        "System.UInt64" => integer(0, u64::MAX.into()),
        "System.Double" => ParameterType::Double,
        "System.TimeSpan" => ParameterType::TimeSpan,
        "System.DateTime" => ParameterType::DateTime,
        "System.Guid" => ParameterType::Guid,
        "System.Management.Automation.ScriptBlock" => ParameterType::ScriptBlock,
        "System.Collections.Hashtable" => ParameterType::Hashtable,
        full_name => match types::enum_members(full_name) {
            Some(members) => ParameterType::Enum(full.clone(), members.into_iter().map(|(n, _)| n).collect()),
            None => ParameterType::Object,
        },
    }
}

fn is_switch(parameter: &Parameter) -> bool {
    parameter.types.iter().any(|t| matches!(parameter_type(&t.name), ParameterType::Switch))
}

impl Function {
    pub(crate) fn new(name: Arc<str>, body: Arc<ScriptBlockAst>, ev: &Evaluator<'_>) -> Self {
        let binding = body.attributes.iter().find(|a| a.name.eq_ignore_ascii_case("CmdletBinding"));
        let has_attribute = body.parameters.iter().any(|p| p.attributes.iter().any(|a| a.name.eq_ignore_ascii_case("Parameter")));
        let advanced = binding.is_some() || has_attribute;
        let mut info = command_info(&name, &body, binding);
        let home = Some(ev.env.scope.nearest(ScopeKind::Script)).filter(|scope| scope.module);
        if let Some(loading) = ev.loading.last().filter(|_| home.is_some()) {
            info.module = loading.name.clone();
        }
        Self { name, body, info: Arc::new(info), home, dynamic: Vec::new(), advanced }
    }
}

/// The signature of a script block.
fn command_info(name: &Arc<str>, body: &ScriptBlockAst, binding: Option<&Arc<Attribute>>) -> CommandInfo {
    let mut sets: Vec<ParameterSetInfo> = Vec::new();
    let mut set_index = |set: &str| -> usize {
        match sets.iter().position(|s| s.name.eq_ignore_ascii_case(set)) {
            Some(at) => at,
            None => {
                sets.push(ParameterSetInfo { name: set.into() });
                sets.len() - 1
            }
        }
    };
    let default = binding.and_then(|b| named_text(b, "DefaultParameterSetName"));
    let default_index = default.as_deref().map(&mut set_index);
    let positional = binding.and_then(|b| flag(b, "PositionalBinding")).unwrap_or(true);
    let explicit = body
        .parameters
        .iter()
        .flat_map(|p| &p.attributes)
        .any(|a| a.name.eq_ignore_ascii_case("Parameter") && a.named.iter().any(|(n, _)| n.eq_ignore_ascii_case("Position")));
    // So do sets: whoever names one says which parameter has a position.
    let in_sets = body.parameters.iter().flat_map(|p| &p.attributes).any(|a| {
        a.name.eq_ignore_ascii_case("Parameter") && named_text(a, "ParameterSetName").is_some_and(|set| &*set != "__AllParameterSets")
    });
    let explicit = explicit || in_sets;
    let mut next = 0u32;
    let mut parameters = Vec::new();
    for parameter in &body.parameters {
        let mut aliases = Vec::new();
        let mut memberships = Vec::new();
        let mut remaining = false;
        let mut allows = Vec::new();
        let implicit = (positional && !explicit && !is_switch(parameter)).then(|| {
            next += 1;
            next - 1
        });
        for attribute in &parameter.attributes {
            if attribute.name.eq_ignore_ascii_case("Alias") {
                aliases.extend(attribute.positional.iter().map(|e| Arc::<str>::from(convert::display(&constant(e)))));
            }
            for (name, allowance) in [
                ("AllowNull", Allowance::Null),
                ("AllowEmptyString", Allowance::EmptyText),
                ("AllowEmptyCollection", Allowance::EmptyCollection),
            ] {
                if attribute.name.eq_ignore_ascii_case(name) {
                    allows.push(allowance);
                }
            }
            if !attribute.name.eq_ignore_ascii_case("Parameter") {
                continue;
            }
            let set = named_text(attribute, "ParameterSetName").filter(|s| &**s != "__AllParameterSets").map(|s| set_index(&s));
            let position = named_text(attribute, "Position").and_then(|p| p.parse().ok());
            remaining |= flag(attribute, "ValueFromRemainingArguments").unwrap_or(false);
            memberships.push(SetMembership {
                set,
                mandatory: flag(attribute, "Mandatory").unwrap_or(false),
                position: position.or(implicit),
                by_value: flag(attribute, "ValueFromPipeline").unwrap_or(false),
                by_property_name: flag(attribute, "ValueFromPipelineByPropertyName").unwrap_or(false),
            });
        }
        if memberships.is_empty() {
            memberships.push(SetMembership { set: None, mandatory: false, position: implicit, by_value: false, by_property_name: false });
        }
        let parameter_type = parameter.types.last().map_or(ParameterType::Object, |t| parameter_type(&t.name));
        parameters.push(ParameterInfo {
            name: parameter.name.name.clone(),
            aliases,
            parameter_type,
            memberships,
            remaining,
            allows,
            procedure_spelling: false,
            unmodelled: false,
        });
    }
    if sets.is_empty() {
        sets.push(ParameterSetInfo { name: "__AllParameterSets".into() });
    }
    let impact = binding.and_then(|b| named_text(b, "ConfirmImpact")).and_then(|t| super::world::impact_of(&Value::Str(t)));
    CommandInfo {
        name: name.clone(),
        module: "".into(),
        parameters,
        default_set: default_index.or((sets.len() == 1).then_some(0)),
        sets,
        supports_should_process: binding.and_then(|b| flag(b, "SupportsShouldProcess")).unwrap_or(false),
        confirm_impact: impact.unwrap_or(ConfirmImpact::Medium),
        implementing_type: name.clone(),
    }
}

/// A function, block or script that runs as a stage.
pub(crate) struct FunctionRun {
    function: Arc<Function>,
    binding: Binding,
    position: Option<Position>,
    /// In the scope of the caller.
    dot: bool,
    has_input: bool,
    script: bool,
    closure: Option<Captured>,
    /// Input of a function without `process`, for `$input`.
    input: Vec<Value>,
    returned: bool,
}

impl FunctionRun {
    pub(crate) fn function(
        _: &Evaluator<'_>,
        function: Arc<Function>,
        binding: Binding,
        position: Option<Position>,
        dot: bool,
        has_input: bool,
    ) -> Self {
        Self { function, binding, position, dot, has_input, script: false, closure: None, input: Vec::new(), returned: false }
    }

    #[allow(clippy::too_many_arguments)]
    pub(crate) fn block(
        _: &Evaluator<'_>,
        function: Arc<Function>,
        binding: Binding,
        position: Option<Position>,
        dot: bool,
        has_input: bool,
        closure: Option<Captured>,
        script: bool,
    ) -> Self {
        Self { function, binding, position, dot, has_input, script, closure, input: Vec::new(), returned: false }
    }

    /// Makes the environment in which the body runs.
    pub(crate) fn adopt(&mut self, env: &mut Env, invoked: &Arc<Invoked>) {
        let parent = env.frame.clone();
        let named = !self.function.name.is_empty() && !self.script;
        if !self.dot {
            // Functions of a module see their module and the session, not their caller.
            let mut scope = self.function.home.clone().filter(|_| named).unwrap_or_else(|| env.scope.clone());
            if let Some(captured) = &self.closure {
                scope = Scope::new(ScopeKind::Local, Some(scope));
                if let Ok(captured) = captured.read() {
                    for (name, value) in captured.iter() {
                        scope.set(&name.0.to_lowercase(), Variable::new(&name.0, value.clone()));
                    }
                }
            }
            let kind = if self.script { ScopeKind::Script } else { ScopeKind::Local };
            env.scope = Scope::new(kind, Some(scope));
            preferences(&env.scope, invoked);
        }
        env.frame = Arc::new(Frame {
            name: if named { self.function.name.clone() } else { parent.name.clone() },
            position: self.position.clone(),
            source: self.function.body.source.clone(),
            function: Some(self.function.clone()),
            invoked: invoked.clone(),
            bound: self.binding.parameters.clone(),
            unbound: self.binding.unbound.clone(),
            script: self.script,
            parent: Some(parent),
        });
    }

    fn block_of(&self, block: &Option<StatementBlock>, ev: &mut Evaluator<'_>, down: &mut Downstream<'_>) -> Result<bool, Flow> {
        let Some(block) = block else { return Ok(false) };
        match ev.block(block, down) {
            Err(Flow::Return) => Ok(true),
            // The caller sees it as an error of the call.
            Err(Flow::Error(mut failure)) if failure.reach == crate::error::Reach::Function && !self.function.name.is_empty() => {
                failure.reach = crate::error::Reach::Statement;
                Err(Flow::Error(failure))
            }
            Err(Flow::Exit(code)) if self.script && !self.dot => {
                ev.state.last_exit_code = Some(code);
                Ok(true)
            }
            other => other.map(|()| false),
        }
    }

    fn set_bound(&self, ev: &mut Evaluator<'_>, bound: &BoundParameters) -> Result<(), Flow> {
        for parameter in &self.function.body.parameters {
            if let Some(value) = bound.get(&parameter.name.name) {
                ev.set_parameter(parameter, value.clone())?;
            }
        }
        Ok(())
    }

    /// `$PSBoundParameters`: what was given, common parameters included.
    fn show_bound(&self, ev: &mut Evaluator<'_>, bound: &BoundParameters) {
        let given = bound.values.iter().chain(&self.binding.common.values).cloned();
        ev.env.scope.set("psboundparameters", Variable::new("PSBoundParameters", crate::value::bound_parameters(given)));
    }

    pub(crate) fn begin(&mut self, ev: &mut Evaluator<'_>, down: &mut Downstream<'_>) -> Result<(), Flow> {
        let body = self.function.body.clone();
        let bound = self.binding.parameters.clone();
        if self.script {
            ev.check_requirements(&body)?;
            ev.enter_script(&body)?;
        }
        for parameter in &self.function.dynamic {
            if let Some(value) = bound.get(&parameter.name) {
                ev.validate(&parameter.name, &parameter.validators, value)?;
            }
        }
        ev.env.scope.set("args", Variable::new("args", Value::array(self.binding.unbound.clone())));
        self.show_bound(ev, &bound);
        self.set_bound(ev, &bound)?;
        for parameter in &body.parameters {
            if bound.get(&parameter.name.name).is_some() {
                continue;
            }
            let value = match &parameter.default {
                Some(default) => ev.value(default)?,
                None => default_of(parameter),
            };
            ev.set_unbound(parameter, value)?;
        }
        let _ = self.block_of(&body.begin, ev, down)?;
        Ok(())
    }

    pub(crate) fn process(&mut self, ev: &mut Evaluator<'_>, input: Option<Value>, down: &mut Downstream<'_>) -> Result<(), Flow> {
        let body = self.function.body.clone();
        let by_pipeline = |p: &ParameterInfo| p.memberships.iter().any(|m| m.by_value || m.by_property_name);
        let takes_input = self.function.info.parameters.iter().any(by_pipeline);
        if input.is_some() && !takes_input && self.function.advanced {
            let error = self.binding.bind_pipeline(&self.function.info, input.as_ref().unwrap_or(&Value::Null));
            if let Err(error) = error {
                let invoked = down.outlet.invoked.clone();
                return ev.non_terminating(error.record, &invoked);
            }
        }
        match &input {
            Some(value) if takes_input => match self.binding.bind_pipeline(&self.function.info, value) {
                Ok(bound) => {
                    self.show_bound(ev, &bound);
                    // What the object before brought is gone.
                    for (parameter, info) in body.parameters.iter().zip(&self.function.info.parameters) {
                        if by_pipeline(info) && bound.get(&info.name).is_none() {
                            let value = match &parameter.default {
                                Some(default) => ev.value(default)?,
                                None => default_of(parameter),
                            };
                            ev.set_unbound(parameter, value)?;
                        }
                    }
                    self.set_bound(ev, &bound)?;
                }
                Err(error) => {
                    let invoked = down.outlet.invoked.clone();
                    return ev.non_terminating(error.record, &invoked);
                }
            },
            _ => {}
        }
        if body.process.is_none() {
            self.input.extend(input);
            return Ok(());
        }
        let before = input.map(|value| {
            ev.env.scope.set("input", Variable::new("input", Value::array(vec![value.clone()])));
            ev.swap_underscore(Some(value))
        });
        let result = self.block_of(&body.process, ev, down);
        if let Some(before) = before {
            ev.restore_underscore(before);
        }
        result.map(drop)
    }

    pub(crate) fn end(&mut self, ev: &mut Evaluator<'_>, down: &mut Downstream<'_>) -> Result<(), Flow> {
        let body = self.function.body.clone();
        if body.process.is_none() && self.has_input {
            ev.env.scope.set("input", Variable::new("input", Value::array(std::mem::take(&mut self.input))));
        }
        self.returned = self.block_of(&body.end, ev, down)?;
        Ok(())
    }
}

/// Common parameters become preferences of the function's scope.
fn preferences(scope: &Arc<Scope>, invoked: &Invoked) {
    let set = |name: &str, value: Value| scope.set(&name.to_lowercase(), Variable::new(name, value));
    if let Some(action) = invoked.error_action {
        set("ErrorActionPreference", action.value());
    }
    if let Some(action) = invoked.warning_action {
        set("WarningPreference", action.value());
    }
    if let Some(action) = invoked.information_action {
        set("InformationPreference", action.value());
    }
    let shown = |on: bool| if on { super::Action::Continue.value() } else { super::Action::SilentlyContinue.value() };
    if let Some(on) = invoked.verbose {
        set("VerbosePreference", shown(on));
    }
    if let Some(on) = invoked.debug {
        set("DebugPreference", shown(on));
    }
    if let Some(on) = invoked.what_if {
        set("WhatIfPreference", Value::Bool(on));
    }
    if let Some(on) = invoked.confirm {
        set("ConfirmPreference", Value::str(if on { "Low" } else { "None" }));
    }
}

/// What a parameter holds that was neither given nor has a default.
pub(crate) fn default_of(parameter: &Parameter) -> Value {
    match parameter.types.last().map(|t| parameter_type(&t.name)) {
        Some(ParameterType::Text(_)) => Value::str(""),
        Some(ParameterType::Integer(name, ..)) => convert::cast(&Value::Int(0), &name).unwrap_or(Value::Int(0)),
        Some(ParameterType::Double) => Value::Double(0.0),
        Some(ParameterType::Bool | ParameterType::Switch) => Value::Bool(false),
        _ => Value::Null,
    }
}

impl Evaluator<'_> {
    pub(crate) fn set_parameter_default(&mut self, parameter: &Parameter, value: Value) -> Result<(), Flow> {
        self.set_unbound(parameter, value)
    }

    fn set_unbound(&mut self, parameter: &Parameter, value: Value) -> Result<(), Flow> {
        let value = match parameter.types.last() {
            Some(name) if !value.is_null() && !is_switch(parameter) => self.cast_parameter(parameter, &name.name, &value)?,
            _ => value,
        };
        self.put_parameter(parameter, value);
        Ok(())
    }

    /// Sets a parameter's variable: converts, then validates.
    pub(crate) fn set_parameter(&mut self, parameter: &Parameter, value: Value) -> Result<(), Flow> {
        let value = match parameter.types.last() {
            Some(name) if !is_switch(parameter) && (!value.is_null() || parameter_type(&name.name) != ParameterType::Object) => {
                self.cast_parameter(parameter, &name.name, &value)?
            }
            _ => value,
        };
        self.validate(&parameter.name.name, &parameter.attributes, &value)?;
        self.put_parameter(parameter, value);
        Ok(())
    }

    fn cast_parameter(&mut self, parameter: &Parameter, type_name: &str, value: &Value) -> Result<Value, Flow> {
        self.cast_value(value, type_name).map_err(|flow| match flow {
            Flow::Error(failure) => self.transformation(parameter, &failure.record),
            other => other,
        })
    }

    fn put_parameter(&mut self, parameter: &Parameter, value: Value) {
        let mut variable = Variable::new(&parameter.name.name, value);
        variable.constraint = parameter.types.last().filter(|_| !is_switch(parameter)).map(|t| t.name.clone());
        let validates = |a: &&Arc<Attribute>| a.name.get(..8).is_some_and(|head| head.eq_ignore_ascii_case("validate"));
        variable.validators = parameter.attributes.iter().filter(validates).cloned().collect();
        self.env.scope.set(&parameter.name.key, variable);
    }

    fn transformation(&self, parameter: &Parameter, cause: &ErrorRecord) -> Flow {
        self.parameter_error(
            format!("Cannot process argument transformation on parameter '{}'. {}", parameter.name.name, cause.message),
            "ParameterArgumentTransformationError",
            "System.Management.Automation.ParameterBindingArgumentTransformationException",
        )
    }

    pub(crate) fn parameter_error(&self, message: String, id: &str, exception: &str) -> Flow {
        let name = &self.env.frame.name;
        let full = if name.is_empty() { id.to_owned() } else { format!("{id},{name}") };
        let mut record = ErrorRecord::new(message, full, "InvalidData", exception);
        record.decorated = true;
        record.command = Some(name.clone()).filter(|n| !n.is_empty());
        record.position.clone_from(&self.env.frame.position);
        Flow::Error(Box::new(crate::error::Failure { record, reach: crate::error::Reach::Statement, logged: false }))
    }

    /// `Write-Error` reports as of the function that calls it.
    pub(crate) fn as_of_caller(&self, record: &mut ErrorRecord) {
        let frame = &self.env.frame;
        if frame.function.is_some() && !frame.name.is_empty() {
            record.id = format!("{},{}", record.id, frame.name).into();
            record.command = Some(frame.name.clone());
            record.position.clone_from(&frame.position);
        } else {
            // At the top, the running text stands for the command: a line at the console, the path of a script.
            let source = &frame.source;
            record.command = Some(if source.name.is_empty() { self.statement.of(&source.text).into() } else { source.name.clone() });
        }
        record.activity = Some("Write-Error".into());
        record.decorated = true;
    }
}
