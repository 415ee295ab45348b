//! What stages and methods see of the evaluator.

use std::sync::Arc;

use super::pipeline::{Downstream, Outlet, OutputRoute};
use super::{Evaluator, Nowhere, ScopeKind, Sink, Variable};
use crate::command::{BoundParameters, CommandInfo};
use crate::error::{ErrorRecord, Flow};
use crate::pipeline::{Argument, BlockCall, Context, VariableScope, World};
use crate::value::Value;

/// The context of one stage.
pub(crate) struct Cx<'a, 'b, 'w> {
    pub(crate) ev: &'a mut Evaluator<'w>,
    pub(crate) bound: &'a BoundParameters,
    pub(crate) down: &'a mut Downstream<'b>,
}

/// A sink around a closure.
struct Call<'a>(&'a mut dyn FnMut(Value) -> Result<(), Flow>);

impl Sink for Call<'_> {
    fn emit(&mut self, _: &mut Evaluator<'_>, value: Value) -> Result<(), Flow> {
        (self.0)(value)
    }
}

impl<'w> Evaluator<'w> {
    /// Runs `f` with a context whose output goes nowhere: for methods and static members.
    pub(crate) fn with_context<T>(&mut self, f: impl FnOnce(&mut dyn Context) -> Result<T, Flow>) -> Result<T, Flow> {
        let outlet = Outlet {
            id: 0,
            invoked: self.env.frame.invoked.clone(),
            merge: None,
            route: OutputRoute::Next,
            out_variable: None,
            pipeline_variable: None,
            has_input: false,
        };
        let mut out = Nowhere;
        let mut down = Downstream { outlet: &outlet, rest: &mut [], out: &mut out };
        let bound = BoundParameters::default();
        let result = f(&mut Cx { ev: self, bound: &bound, down: &mut down });
        match result {
            Err(Flow::Error(mut failure)) => {
                failure.record.decorated = true;
                Err(Flow::Error(failure))
            }
            other => other,
        }
    }
}

impl Context for Cx<'_, '_, '_> {
    fn emit(&mut self, value: Value) -> Result<(), Flow> {
        self.down.emit(self.ev, value)
    }

    fn write_error(&mut self, mut error: ErrorRecord) -> Result<(), Flow> {
        let invoked = self.down.outlet.invoked.clone();
        if invoked.name.eq_ignore_ascii_case("Write-Error") {
            self.ev.as_of_caller(&mut error);
        }
        self.ev.non_terminating(error, &invoked)
    }

    fn warning(&mut self, text: &str) -> Result<(), Flow> {
        let invoked = self.down.outlet.invoked.clone();
        self.ev.warn(text, &invoked)
    }

    fn verbose(&mut self, text: &str) -> Result<(), Flow> {
        let invoked = self.down.outlet.invoked.clone();
        self.ev.write_verbose(text, &invoked)
    }

    fn debug(&mut self, text: &str) -> Result<(), Flow> {
        let invoked = self.down.outlet.invoked.clone();
        self.ev.write_debug(text, &invoked)
    }

    fn information(&mut self, value: Value) -> Result<(), Flow> {
        let invoked = self.down.outlet.invoked.clone();
        self.ev.write_information(value, &invoked)
    }

    fn host(&mut self, text: &str, newline: bool) -> Result<(), Flow> {
        self.ev.write_host(text, newline)
    }

    fn run_block(&mut self, call: BlockCall<'_>) -> Result<(), Flow> {
        self.ev.call_block(&call, self.down)
    }

    fn call_block(&mut self, call: BlockCall<'_>, out: &mut dyn FnMut(Value) -> Result<(), Flow>) -> Result<(), Flow> {
        self.ev.call_block(&call, &mut Call(out))
    }

    fn script_block(&mut self, text: &str) -> Result<Value, Flow> {
        let ast = self.ev.parse_text("", text)?;
        Ok(Value::Script(Arc::new(crate::value::ScriptBlock { ast, text: text.into(), closure: None })))
    }

    fn run_text(&mut self, text: &str) -> Result<(), Flow> {
        self.ev.run_text(text, self.down)
    }

    fn run_command(&mut self, name: &str, arguments: Vec<Argument>, input: Option<Vec<Value>>) -> Result<Vec<Value>, Flow> {
        let slot = self.ev.prepare_named(name, arguments, input.is_some(), None, &[])?;
        let mut output = Vec::new();
        self.ev.run_prepared(slot, input, &mut output)?;
        Ok(output)
    }

    fn variable(&mut self, name: &str) -> Option<Value> {
        let path = path_of(name);
        let value = self.ev.variable_value(&path, path.span).ok()?.0;
        (!value.is_null() || self.ev.env.scope.find(&path.key).is_some()).then_some(value)
    }

    fn set_variable(&mut self, name: &str, value: Value, scope: VariableScope) -> Result<(), Flow> {
        let mut path = path_of(name);
        match scope {
            VariableScope::Local => {}
            VariableScope::Script => path.scope = Some("script".into()),
            VariableScope::Global => path.scope = Some("global".into()),
            VariableScope::Parent(steps) => path.scope = Some(steps.to_string().into()),
        }
        self.ev.assign_variable(&path, value, false)
    }

    fn set_read_only(&mut self, name: &str, scope: VariableScope, read_only: bool) {
        let key = name.to_lowercase();
        let scope = match scope {
            VariableScope::Local => self.ev.env.scope.clone(),
            VariableScope::Script => self.ev.env.scope.nearest(ScopeKind::Script),
            VariableScope::Global => self.ev.state.global.clone(),
            VariableScope::Parent(steps) => self.ev.env.scope.ancestor(steps),
        };
        scope.with_own(&key, |variable| variable.constant = read_only);
    }

    fn set_alias(&mut self, name: &str, command: &str) {
        if let Some(loading) = self.ev.loading.last_mut() {
            loading.aliases.push((name.into(), command.into()));
        }
        self.ev.state.aliases.insert(name.to_lowercase().into(), command.into());
    }

    fn aliases(&mut self) -> Vec<(Arc<str>, Arc<str>)> {
        let own = self.ev.state.aliases.iter().map(|(name, command)| (name.clone(), command.clone()));
        let built_in = crate::builtins::aliases().filter(|(name, _)| !self.ev.state.aliases.contains_key(*name));
        let mut all: Vec<_> = own.chain(built_in.map(|(name, command)| (Arc::from(name), Arc::from(command)))).collect();
        all.sort();
        all
    }

    fn import_script_module(&mut self, request: &super::ModuleRequest) -> Result<Option<Value>, Flow> {
        self.ev.import_script_module(request)
    }

    fn remove_script_module(&mut self, pattern: &str) -> bool {
        self.ev.remove_script_module(pattern)
    }

    fn script_modules(&mut self) -> Vec<Value> {
        self.ev.script_modules()
    }

    fn export_module_member(&mut self, exports: super::Exports) -> bool {
        let Some(loading) = self.ev.loading.last_mut() else { return false };
        let all = loading.exports.get_or_insert_default();
        all.functions.extend(exports.functions);
        all.variables.extend(exports.variables);
        all.aliases.extend(exports.aliases);
        true
    }

    fn help_of(&mut self, name: &str) -> Option<Arc<str>> {
        self.ev.env.scope.function(&name.to_lowercase())?.body.help.clone()
    }

    fn set_strict_mode(&mut self, version: Option<u8>) {
        self.ev.env.scope.set_strict(version);
    }

    fn remove_variable(&mut self, name: &str) -> bool {
        let path = path_of(name);
        match path.scope.as_deref() {
            Some("global") => self.ev.state.global.remove(&path.key),
            Some("script") => self.ev.env.scope.nearest(ScopeKind::Script).remove(&path.key),
            Some(number) if number.bytes().all(|b| b.is_ascii_digit()) => {
                self.ev.env.scope.ancestor(number.parse().unwrap_or(0)).remove(&path.key)
            }
            _ => {
                let mut scope = Some(self.ev.env.scope.clone());
                while let Some(current) = scope {
                    if current.remove(&path.key) {
                        return true;
                    }
                    scope = current.parent.clone();
                }
                false
            }
        }
    }

    fn variables(&mut self) -> Vec<(Arc<str>, Value)> {
        let mut seen = std::collections::BTreeMap::new();
        let mut scope = Some(self.ev.env.scope.clone());
        while let Some(current) = scope {
            for (key, variable) in current.all() {
                if !key.starts_with("env:") {
                    seen.entry(key).or_insert(variable);
                }
            }
            scope = current.parent.clone();
        }
        seen.into_values().map(|v: Variable| (v.name, v.value)).collect()
    }

    fn bound(&self) -> &BoundParameters {
        self.bound
    }

    fn has_input(&self) -> bool {
        self.down.outlet.has_input
    }

    fn construct(&mut self, type_name: &str, arguments: &[Value]) -> Result<Option<Value>, Flow> {
        if let Some(made) = super::new_dynamic_object(type_name, arguments) {
            return Ok(Some(made));
        }
        match crate::types::classes::find(type_name).filter(|t| t.definition.kind == crate::ast::TypeKind::Class) {
            Some(class) => self.ev.construct(&class, arguments.to_vec()).map(Some),
            None => Ok(None),
        }
    }

    fn should_process(&mut self, target: &str, action: &str) -> Result<bool, Flow> {
        let invoked = self.down.outlet.invoked.clone();
        self.ev.should_process(&invoked, target, action)
    }

    fn stop_upstream(&mut self) -> Flow {
        Flow::StopUpstream(self.down.outlet.id)
    }

    fn command_info(&mut self, name: &str) -> Option<Arc<CommandInfo>> {
        self.ev.command_info(name)
    }

    fn command_names(&mut self) -> Vec<Arc<str>> {
        let mut names = self.ev.env.scope.function_names();
        names.extend(crate::builtins::names());
        names.extend(self.ev.world.names());
        names.sort();
        names.dedup();
        names
    }

    fn run_remote(&mut self, call: crate::pipeline::RemoteCall<'_>, out: &mut dyn FnMut(Value) -> Result<(), Flow>) -> Result<(), Flow> {
        let invoked = self.down.outlet.invoked.clone();
        self.ev.run_remote(call, &invoked, &mut Call(out))
    }

    fn desk(&mut self) -> &mut crate::desk::Desk {
        &mut self.ev.state.desk
    }

    fn remove_alias(&mut self, name: &str) -> bool {
        self.ev.state.aliases.remove(name.to_lowercase().as_str()).is_some()
    }

    fn shown(&mut self, from: usize) -> (String, usize) {
        (self.ev.shown(from), self.ev.output.streams.len())
    }

    fn variable_in(&mut self, name: &str, scope: usize) -> Option<Value> {
        let mut current = Some(self.ev.env.scope.clone());
        for _ in 0..scope {
            current = current.and_then(|c| c.parent.clone());
        }
        current?.own(&name.to_lowercase()).map(|v| v.value)
    }

    fn world(&mut self) -> &mut dyn World {
        self.ev.world
    }

    fn unmodelled(&mut self, what: &str) {
        let place = self.down.outlet.invoked.position.clone().unwrap_or_else(|| self.ev.here());
        self.ev.output.unmodelled.push((what.into(), place));
    }

    fn remark(&mut self, text: &str) {
        let place = self.down.outlet.invoked.position.clone().unwrap_or_else(|| self.ev.here());
        self.ev.output.remarks.push((text.into(), place));
    }
}

/// A name with an optional scope as a path.
pub(crate) fn path_of(name: &str) -> crate::ast::VariablePath {
    let name = name.trim_start_matches('$');
    let (scope, name) = match name.split_once(':') {
        Some((scope, rest)) => (Some(scope.to_lowercase().into()), rest),
        None => (None, name),
    };
    crate::ast::VariablePath { span: crate::source::Span::default(), scope, name: name.into(), key: name.to_lowercase().into() }
}
