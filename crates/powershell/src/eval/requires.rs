//! `#Requires` and `using` at the head of scripts.

use std::sync::Arc;

use super::Evaluator;
use crate::ast::{CommandElement, Expression, ExpressionKind, PipelineElement, ScriptBlockAst, StatementKind};
use crate::error::{ErrorRecord, Flow};
use crate::source::{Position, Span};
use crate::value::Value;

impl Evaluator<'_> {
    /// What a script needs before its first statement runs: namespaces, modules, types.
    pub(crate) fn enter_script(&mut self, ast: &Arc<ScriptBlockAst>) -> Result<(), Flow> {
        for using in &ast.usings {
            match &*using.kind {
                "namespace" => crate::types::classes::add_namespace(&using.name),
                "module" => {
                    let value = self.value(&using.argument)?;
                    let name = match &value {
                        Value::Hash(table) => {
                            table.read().ok().and_then(|t| t.get_str("ModuleName").cloned()).map(|v| self.text(&v)).unwrap_or_default()
                        }
                        other => self.text(other),
                    };
                    self.use_module(&name, using.span)?;
                }
                // Assemblies of .NET: the types that are known are known without them.
                _ => {}
            }
        }
        self.hoist_types(ast)
    }

    /// Checks the `#Requires` lines of a script file (`about_Requires`). Sessions of servers run elevated.
    pub(crate) fn check_requirements(&mut self, ast: &Arc<ScriptBlockAst>) -> Result<(), Flow> {
        for (text, span) in &ast.requires {
            let place = Position { source: ast.source.clone(), span: *span };
            let found = self.requirements(text, &place)?;
            for (name, values) in found {
                self.check_requirement(&name, &values, &place)?;
            }
        }
        Ok(())
    }

    /// The words of a `#Requires` line: parameters with their values.
    fn requirements(&mut self, text: &str, place: &Position) -> Result<Vec<(String, Vec<Value>)>, Flow> {
        let ast = self.parse_text("", &format!("Requires {text}"))?;
        let statement = ast.end.as_ref().and_then(|b| b.statements.first());
        let Some(StatementKind::Pipeline(pipeline)) = statement.map(|s| &s.kind) else { return Ok(Vec::new()) };
        let Some(PipelineElement::Command(command)) = pipeline.elements.first() else { return Ok(Vec::new()) };
        let mut found: Vec<(String, Vec<Value>)> = Vec::new();
        for element in &command.elements[1..] {
            match element {
                CommandElement::Parameter { name, argument, .. } => {
                    let values = argument.as_ref().map(|a| self.requirement_value(a, &ast.source.text)).transpose()?;
                    found.push((name.to_lowercase(), values.into_iter().collect()));
                }
                CommandElement::Argument(value) => {
                    let value = self.requirement_value(value, &ast.source.text)?;
                    if let Some((_, values)) = found.last_mut() {
                        values.push(value);
                    }
                }
            }
        }
        for (name, values) in &found {
            if values.is_empty() && !"runasadministrator".starts_with(name.as_str()) {
                return Err(malformed(
                    format!("The #requires statement parameter \"{name}\" needs an argument."),
                    "ParameterRequiresArgument",
                    place,
                ));
            }
        }
        Ok(found)
    }

    /// A value of such a line; numbers stay as they are written (`3.0`).
    fn requirement_value(&mut self, expression: &Expression, text: &str) -> Result<Value, Flow> {
        match &expression.kind {
            ExpressionKind::Constant(_) => Ok(Value::str(expression.span.of(text))),
            _ => self.value(expression),
        }
    }

    fn check_requirement(&mut self, name: &str, values: &[Value], place: &Position) -> Result<(), Flow> {
        let script = place.source.name.rsplit(['\\', '/']).next().unwrap_or_default().to_owned();
        let first = values.first().map(|v| self.text(v)).unwrap_or_default();
        let is = |full: &str| full.starts_with(name);
        if is("runasadministrator") || is("shellid") || is("assembly") {
            return Ok(());
        }
        if is("version") {
            let mut parts: Vec<i32> = first.split('.').map(|p| p.parse().unwrap_or(-1)).collect();
            if parts.iter().any(|p| *p < 0) {
                return Err(malformed(format!("The #requires statement \"{first}\" is not a version."), "RequiresVersionInvalid", place));
            }
            parts.resize(2, 0);
            // Servers run Windows PowerShell 5.1.
            if (parts[0], parts[1]) > (5, 1) {
                return Err(required(
                    format!(
                        "The script '{script}' cannot be run because it contained a \"#requires\" statement for Windows PowerShell {first}. The \
                         version of Windows PowerShell that is required by the script does not match the currently running version of Windows \
                         PowerShell 5.1.17763.1."
                    ),
                    "ScriptRequiresUnmatchedPSVersion",
                    &script,
                    place,
                ));
            }
            return Ok(());
        }
        if is("psedition") {
            if first.eq_ignore_ascii_case("desktop") {
                return Ok(());
            }
            return Err(required(
                format!(
                    "The script '{script}' cannot be run because it contained a \"#requires\" statement for PowerShell editions '{first}'. The \
                     edition of PowerShell that is required by the script does not match the currently running PowerShell Desktop edition."
                ),
                "ScriptRequiresUnmatchedPSEdition",
                &script,
                place,
            ));
        }
        if is("modules") {
            let mut missing = Vec::new();
            for value in values.iter().flat_map(super::operators::enumerate) {
                let module = match &value {
                    Value::Hash(table) => {
                        table.read().ok().and_then(|t| t.get_str("ModuleName").cloned()).map(|v| self.text(&v)).unwrap_or_default()
                    }
                    other => self.text(other),
                };
                let request = super::modules::ModuleRequest { name: module.as_str().into(), ..Default::default() };
                if !crate::builtins::is_known_module(&module, &*self.world) && self.import_script_module(&request)?.is_none() {
                    missing.push(module);
                }
            }
            if missing.is_empty() {
                return Ok(());
            }
            return Err(required(
                format!(
                    "The script '{script}' cannot be run because the following modules that are specified by the \"#requires\" statements of the \
                     script are missing: {}.",
                    missing.join(", ")
                ),
                "ScriptRequiresMissingModules",
                &script,
                place,
            ));
        }
        if is("pssnapin") {
            return Err(required(
                format!(
                    "The script '{script}' cannot be run because the following snap-ins that are specified by the \"#requires\" statements of the \
                     script are missing: {first}."
                ),
                "ScriptRequiresMissingPSSnapins",
                &script,
                place,
            ));
        }
        Err(malformed(format!("The parameter \"{name}\" is not valid in a #requires statement."), "RequiresParameterInvalid", place))
    }
}

fn required(message: String, id: &str, script: &str, place: &Position) -> Flow {
    let mut record = ErrorRecord::new(message, id, "ResourceUnavailable", "System.Management.Automation.ScriptRequiresException")
        .with_target(Value::str(script));
    record.decorated = true;
    record.command = Some(script.into());
    record.position = Some(place.clone());
    record.into()
}

fn malformed(message: String, id: &str, place: &Position) -> Flow {
    let mut record = ErrorRecord::new(message, id, "ParserError", "System.Management.Automation.ParseException");
    record.decorated = true;
    record.position = Some(Position { span: Span { ..place.span }, ..place.clone() });
    record.into()
}
