//! Assignments and increments.

use super::operators::runtime;
use super::{Evaluator, ScopeKind, Variable};
use crate::ast::*;
use crate::convert::{self, Arithmetic};
use crate::error::{ErrorRecord, Flow};
use crate::types;
use crate::value::Value;

impl Evaluator<'_> {
    pub(crate) fn assignment_statement(&mut self, assignment: &Assignment) -> Result<(), Flow> {
        self.assign(assignment).map(drop)
    }

    /// Assigns, and gives the value.
    pub(crate) fn assign(&mut self, assignment: &Assignment) -> Result<Value, Flow> {
        let (right, nothing) = match &assignment.right.kind {
            StatementKind::Assignment(inner) => (self.assign(inner)?, false),
            _ => self.statement_value(&assignment.right)?,
        };
        let operator = match assignment.op {
            AssignmentOp::Set => {
                self.assign_to(&assignment.left, right.clone(), nothing)?;
                return Ok(right);
            }
            AssignmentOp::Add => (BinaryOp::Add, Arithmetic::Add),
            AssignmentOp::Sub => (BinaryOp::Sub, Arithmetic::Sub),
            AssignmentOp::Mul => (BinaryOp::Mul, Arithmetic::Mul),
            AssignmentOp::Div => (BinaryOp::Div, Arithmetic::Div),
            AssignmentOp::Rem => (BinaryOp::Rem, Arithmetic::Rem),
        };
        let left = self.value(&assignment.left)?;
        self.growth_limit(&left, &right)?;
        let value = convert::arithmetic(operator.1, &left, &right).map_err(runtime)?;
        self.assign_to(&assignment.left, value.clone(), false)?;
        Ok(value)
    }

    fn growth_limit(&self, left: &Value, right: &Value) -> Result<(), Flow> {
        if let (Value::Str(a), Value::Str(b)) = (left, right) {
            self.check_text(a.len() + b.len())?;
        }
        let length = left.collection_len().map_or(0, |n| n + right.collection_len().unwrap_or(1));
        if length > self.limits.collection_size {
            return Err(crate::error::LimitError::CollectionSize(self.limits.collection_size).into());
        }
        Ok(())
    }

    pub(crate) fn assign_to(&mut self, target: &Expression, value: Value, nothing: bool) -> Result<(), Flow> {
        match &target.kind {
            ExpressionKind::Variable(path) => self.assign_variable(path, value, nothing),
            ExpressionKind::Member(member) => {
                let name = self.member_name(&member.name)?;
                let object = self.value(&member.target)?;
                if object.is_null() {
                    return Err(ErrorRecord::runtime(
                        format!("The property '{name}' cannot be found on this object. Verify that the property exists and can be set."),
                        "PropertyNotFound",
                        "InvalidOperation",
                    )
                    .into());
                }
                if let Some(setter) = setter_of(&object, &name) {
                    let call = crate::pipeline::BlockCall {
                        block: &setter,
                        underscore: None,
                        arguments: vec![value],
                        scope: crate::pipeline::BlockScope::Child,
                    };
                    return self.call_block(&call, &mut super::Nowhere);
                }
                types::set_property(&object, &name, value).map_err(runtime)
            }
            ExpressionKind::Index(object, index) => {
                let object = self.value(object)?;
                let index = self.value(index)?;
                if object.is_null() {
                    return Err(ErrorRecord::runtime("Cannot index into a null array.", "NullArray", "InvalidOperation").into());
                }
                let indices = super::operators::enumerate(&index);
                types::set_index(&object, &indices, value).map_err(runtime)
            }
            ExpressionKind::Convert(name, child) => {
                let converted = if nothing && !matches!(child.kind, ExpressionKind::Variable(_)) {
                    value
                } else {
                    convert::cast(&value, &name.name).map_err(|e| self.not_convertible(e, child))?
                };
                if let ExpressionKind::Variable(path) = &child.kind {
                    let mut variable = Variable::new(&path.name, converted);
                    variable.constraint = Some(name.name.clone());
                    self.check_writable(path)?;
                    self.scope_of(path).set(&path.key, variable);
                    return Ok(());
                }
                self.assign_to(child, converted, false)
            }
            ExpressionKind::Attributed(_, child) => self.assign_to(child, value, nothing),
            ExpressionKind::Paren(inner) => match super::statements::single_expression(inner) {
                Some(expression) => self.assign_to(expression, value, nothing),
                None => Ok(()),
            },
            ExpressionKind::ArrayLiteral(targets) => {
                let mut items = match value.items() {
                    Some(items) => items,
                    None if nothing => Vec::new(),
                    None => vec![value],
                };
                let last = targets.len().saturating_sub(1);
                // The last target takes all that is left.
                let rest = if items.len() > targets.len() { Some(items.split_off(last)) } else { None };
                let mut items = items.into_iter();
                for (at, target) in targets.iter().enumerate() {
                    let item = match (&rest, at == last) {
                        (Some(rest), true) => Value::array(rest.clone()),
                        _ => items.next().unwrap_or(Value::Null),
                    };
                    self.assign_to(target, item, false)?;
                }
                Ok(())
            }
            _ => Err(ErrorRecord::runtime("The assignment expression is not valid.", "InvalidLeftHandSide", "InvalidOperation").into()),
        }
    }

    fn not_convertible(&self, record: ErrorRecord, target: &Expression) -> Flow {
        let _ = target;
        let mut record = record;
        record.category = "MetadataError".into();
        runtime(record)
    }

    fn scope_of(&self, path: &VariablePath) -> std::sync::Arc<super::Scope> {
        match path.scope.as_deref() {
            Some("global") => self.state.global.clone(),
            Some("script") => self.env.scope.nearest(ScopeKind::Script),
            _ => self.env.scope.clone(),
        }
    }

    fn check_writable(&self, path: &VariablePath) -> Result<(), Flow> {
        let constant = match path.key.as_ref() {
            "true" | "false" | "null" | "?" | "home" | "pid" | "host" | "psversiontable" | "executioncontext" | "shellid" => true,
            key => self.env.scope.own(key).is_some_and(|v| v.constant),
        };
        if constant && &*path.key != "null" {
            let name = &path.name;
            let mut record = ErrorRecord::new(
                format!("Cannot overwrite variable {name} because it is read-only or constant."),
                "VariableNotWritable",
                "WriteError",
                "System.Management.Automation.SessionStateUnauthorizedAccessException",
            )
            .with_target(Value::str(name.clone()));
            record.decorated = true;
            return Err(record.into());
        }
        Ok(())
    }

    /// Assigns to a variable of the current scope, or of the one that is named.
    pub(crate) fn assign_variable(&mut self, path: &VariablePath, value: Value, nothing: bool) -> Result<(), Flow> {
        self.check_writable(path)?;
        match path.scope.as_deref() {
            Some("env") => {
                let text = self.text(&value);
                self.state.global.set(&format!("env:{}", path.key), Variable::new(&path.name, Value::str(text)));
                return Ok(());
            }
            Some("function") => {
                if let Value::Script(block) = &value {
                    let function = super::Function::new(path.name.clone(), block.ast.clone(), self);
                    self.env.scope.define(std::sync::Arc::new(function));
                }
                return Ok(());
            }
            _ => {}
        }
        if &*path.key == "null" {
            return Ok(());
        }
        let key = if &*path.key == "psitem" { "_" } else { &path.key };
        let scope = self.scope_of(path);
        let constraint = scope.with_own(key, |v| v.constraint.clone()).flatten();
        let value = match &constraint {
            Some(name) => convert::cast(&value, name).map_err(|mut record| {
                record.category = "MetadataError".into();
                record.id = "RuntimeException".into();
                runtime(record)
            })?,
            None => value,
        };
        let nothing = nothing && constraint.is_none();
        let stored = scope.with_own(key, |variable| {
            variable.value = value.clone();
            variable.nothing = nothing;
        });
        if stored.is_none() {
            let mut variable = Variable::new(&path.name, value);
            variable.nothing = nothing;
            scope.set(key, variable);
        }
        Ok(())
    }

    /// `++` and `--`; gives the old or the new value.
    pub(crate) fn increment(&mut self, target: &Expression, by: i32, before: bool) -> Result<Value, Flow> {
        let old = self.value(target)?;
        let base = if old.is_null() { Value::Int(0) } else { old.clone() };
        if !matches!(base, Value::Int(_) | Value::Long(_) | Value::Double(_) | Value::Number(_)) {
            let operator = if by > 0 { "++" } else { "--" };
            return Err(ErrorRecord::runtime(
                format!("The '{operator}' operator works only on numbers. The operand is a '{}'.", types::type_name(&base)),
                "OperatorRequiresNumber",
                "InvalidOperation",
            )
            .into());
        }
        let new = convert::arithmetic(Arithmetic::Add, &base, &Value::Int(by)).map_err(runtime)?;
        self.assign_to(target, new.clone(), false)?;
        Ok(if before { new } else { base })
    }
}

fn setter_of(object: &Value, name: &str) -> Option<std::sync::Arc<crate::value::ScriptBlock>> {
    let Value::Object(object) = object else { return None };
    let scripts = object.scripts.get()?.read().ok()?;
    match scripts.get(&crate::value::NameRef(name))? {
        crate::value::ScriptMember::Property(_, setter) => setter.clone(),
        _ => None,
    }
}
