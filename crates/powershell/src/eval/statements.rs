//! Statements.

use std::sync::Arc;

use super::{Evaluator, Function, Sink, collapse};
use crate::ast::*;
use crate::convert;
use crate::error::{ErrorRecord, Flow};
use crate::value::Value;

impl Evaluator<'_> {
    /// Statements in order. Errors that only end their statement are reported here.
    pub(crate) fn block(&mut self, block: &StatementBlock, sink: &mut dyn Sink) -> Result<(), Flow> {
        if block.traps.is_empty() {
            for statement in &block.statements {
                self.step()?;
                if let Err(flow) = self.statement(statement, sink) {
                    self.statement_failed(flow, statement.span)?;
                }
            }
            return Ok(());
        }
        for statement in &block.statements {
            self.step()?;
            let before = std::mem::replace(&mut self.propagate, true);
            let result = self.statement(statement, sink);
            self.propagate = before;
            if let Err(flow) = result {
                self.trapped(flow, statement.span, &block.traps, sink)?;
            }
        }
        Ok(())
    }

    /// One statement.
    pub(crate) fn statement(&mut self, statement: &Statement, sink: &mut dyn Sink) -> Result<(), Flow> {
        match &statement.kind {
            StatementKind::Pipeline(pipeline) => self.pipeline(pipeline, sink),
            StatementKind::Assignment(assignment) => self.assignment_statement(assignment),
            StatementKind::If { clauses, otherwise } => {
                for (condition, body) in clauses {
                    if self.condition(condition)? {
                        return self.block(body, sink);
                    }
                }
                otherwise.as_ref().map_or(Ok(()), |body| self.block(body, sink))
            }
            StatementKind::Loop(looping) => self.looping(looping, sink),
            StatementKind::Try(parts) => self.try_statement(parts, sink),
            StatementKind::Throw(value) => self.throw(value.as_deref(), statement.span),
            StatementKind::Return(value) => {
                if let Some(value) = value {
                    if sink.only_returns().is_some() {
                        let returned = self.statement_value(value)?.0;
                        if let Some(slot) = sink.only_returns() {
                            *slot = Some(returned);
                        }
                    } else {
                        self.statement(value, sink)?;
                    }
                }
                Err(Flow::Return)
            }
            StatementKind::Exit(value) => {
                let code = match value {
                    Some(value) => {
                        let (value, _) = self.statement_value(value)?;
                        match convert::cast(&value, "int") {
                            Ok(Value::Int(code)) => code,
                            _ => 0,
                        }
                    }
                    None => self.state.last_exit_code.unwrap_or(0),
                };
                Err(Flow::Exit(code))
            }
            StatementKind::Break(label) => Err(Flow::Break(self.label(label.as_deref())?)),
            StatementKind::Continue(label) => Err(Flow::Continue(self.label(label.as_deref())?)),
            StatementKind::Function(definition) => {
                self.define(definition);
                Ok(())
            }
            StatementKind::Type(definition) => self.define_type(definition),
            StatementKind::Refused { keyword, name, .. } => Err(self.refused(keyword, name)),
            StatementKind::Data { name, body, .. } => match name {
                Some(path) => {
                    let mut values = Vec::new();
                    self.block(body, &mut values)?;
                    let (value, nothing) = collapse(values);
                    self.assign_variable(path, value, nothing)
                }
                None => self.block(body, sink),
            },
        }
    }

    /// The output of a statement as one value, and whether there was none.
    pub(crate) fn statement_value(&mut self, statement: &Statement) -> Result<(Value, bool), Flow> {
        if let Some(expression) = single_expression(statement) {
            // A lone expression keeps its value: arrays of one stay arrays.
            self.step()?;
            let result = self.expression_value(expression);
            self.ok = result.is_ok();
            return result;
        }
        let mut values = Vec::new();
        self.statement(statement, &mut values)?;
        Ok(collapse(values))
    }

    /// A condition.
    pub(crate) fn condition(&mut self, statement: &Statement) -> Result<bool, Flow> {
        let value = match &statement.kind {
            StatementKind::Assignment(assignment) => self.assign(assignment)?,
            _ => self.statement_value(statement)?.0,
        };
        Ok(convert::to_bool(&value))
    }

    fn label(&mut self, label: Option<&Expression>) -> Result<Option<Arc<str>>, Flow> {
        let Some(label) = label else { return Ok(None) };
        let value = self.value(label)?;
        Ok(Some(self.text(&value).into()))
    }

    fn define(&mut self, definition: &Arc<FunctionDefinition>) {
        let function = Arc::new(Function::new(definition.name.clone(), definition.body.clone(), self));
        let scope = match definition.scope.as_deref() {
            Some("global") => self.state.global.clone(),
            Some("script") => self.env.scope.nearest(super::ScopeKind::Script),
            _ => self.env.scope.clone(),
        };
        scope.define(function);
    }

    fn throw(&mut self, value: Option<&Statement>, span: crate::source::Span) -> Result<(), Flow> {
        let value = match value {
            Some(value) => self.statement_value(value)?.0,
            None => match self.handled.last() {
                Some(record) => Value::Error(Arc::new(record.clone())),
                None => Value::Null,
            },
        };
        let record = match &value {
            Value::Error(record) => {
                let mut record = (**record).clone();
                record.position.get_or_insert_with(|| self.position(span));
                record
            }
            other => {
                let thrown = super::errors::exception_of(other);
                let text = match (&thrown, other) {
                    (Some((_, message)), _) => message.clone(),
                    (None, Value::Null) => Arc::from("ScriptHalted"),
                    (None, other) => self.text(other).into(),
                };
                let kind = thrown.as_ref().map_or("System.Management.Automation.RuntimeException", |(kind, _)| kind);
                let mut record = ErrorRecord::new(text.clone(), text, "OperationStopped", kind);
                if let (Some(_), Value::Object(object)) = (&thrown, other) {
                    record.exception_types = object.type_names.iter().filter(|t| &***t != "System.Object").cloned().collect();
                    record.exception = Some(Arc::new(other.clone()));
                }
                record.target = if thrown.is_some() { Value::Null } else { other.clone() };
                record.decorated = true;
                record.position = Some(self.position(span));
                record
            }
        };
        Err(Flow::fatal(record))
    }

    fn try_statement(&mut self, parts: &Try, sink: &mut dyn Sink) -> Result<(), Flow> {
        let before = std::mem::replace(&mut self.propagate, true);
        let mut result = self.block(&parts.body, sink);
        self.propagate = before;
        if let Err(Flow::Error(failure)) = result {
            if let Some(unknown) = parts.catches.iter().flat_map(|c| &c.types).find(|t| super::errors::is_unknown_type(&t.name)) {
                let record = ErrorRecord::runtime(format!("Unable to find type [{}].", unknown.name), "TypeNotFound", "InvalidOperation")
                    .with_target(Value::str(unknown.name.clone()));
                return Err(record.into());
            }
            result = match self.matching(&failure.record, &parts.catches) {
                Some(clause) => self.caught(*failure, clause, sink),
                None => Err(Flow::Error(failure)),
            };
        }
        if let Some(finally) = &parts.finally {
            if matches!(result, Err(Flow::Limit(_))) {
                return result;
            }
            self.block(finally, sink)?;
        }
        result
    }

    fn caught(&mut self, mut failure: crate::error::Failure, clause: &CatchClause, sink: &mut dyn Sink) -> Result<(), Flow> {
        self.remember(&mut failure);
        let record = &mut failure.record;
        let outer = record.exception_types.iter().any(|t| clause.types.iter().any(|name| super::errors::names_type(&name.name, t)));
        if !clause.types.is_empty() && !outer && !record.inner_types.is_empty() {
            // A clause that looked through the wrapper gets what is inside.
            record.message = record.inner_message();
            record.exception_types = std::mem::take(&mut record.inner_types);
        }
        let value = Value::Error(Arc::new(failure.record.clone()));
        let underscore = self.swap_underscore(Some(value));
        self.handled.push(failure.record);
        let result = self.block(&clause.body, sink);
        self.handled.pop();
        self.restore_underscore(underscore);
        result
    }

    /// A trap of the block may handle the error.
    fn trapped(&mut self, flow: Flow, span: crate::source::Span, traps: &[CatchClause], sink: &mut dyn Sink) -> Result<(), Flow> {
        let Flow::Error(failure) = flow else { return Err(flow) };
        let mut failure = *failure;
        self.locate(&mut failure.record, span);
        let Some(clause) = self.matching(&failure.record, traps) else {
            return self.statement_failed(Flow::Error(Box::new(failure)), span);
        };
        let child = super::Scope::new(super::ScopeKind::Local, Some(self.env.scope.clone()));
        let value = Value::Error(Arc::new(failure.record.clone()));
        child.set("_", super::Variable::new("_", value));
        self.handled.push(failure.record.clone());
        let env = super::Env { scope: child, ..self.env.clone() };
        let result = self.within(env, |ev| ev.block(&clause.body, sink));
        self.handled.pop();
        match result {
            Ok(()) => {
                let mut reported = failure;
                reported.reach = crate::error::Reach::Statement;
                self.report(reported)
            }
            Err(Flow::Continue(None)) => {
                self.remember(&mut failure);
                self.ok = false;
                Ok(())
            }
            Err(Flow::Break(None)) => Err(Flow::Error(Box::new(failure))),
            Err(other) => Err(other),
        }
    }
}

/// The expression of a statement that is nothing but an expression.
pub(crate) fn single_expression(statement: &Statement) -> Option<&Expression> {
    match &statement.kind {
        StatementKind::Pipeline(pipeline) => match pipeline.elements.as_slice() {
            [PipelineElement::Expression(expression, redirections)] if redirections.is_empty() => Some(expression),
            _ => None,
        },
        _ => None,
    }
}
