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
        // A plain name means the variable of this very scope here: `+=` in a function starts from nothing.
        let left = match &assignment.left.kind {
            ExpressionKind::Variable(path) if path.scope.is_none() && !matches!(&*path.key, "_" | "psitem" | "input" | "args") => {
                self.check_defined(path)?;
                self.env.scope.own(&path.key).map_or(Value::Null, |v| v.value)
            }
            ExpressionKind::Convert(_, child) if matches!(&child.kind, ExpressionKind::Variable(path) if path.scope.is_none()) => {
                let ExpressionKind::Variable(path) = &child.kind else { return Ok(Value::Null) };
                self.env.scope.own(&path.key).map_or(Value::Null, |v| v.value)
            }
            _ => self.value(&assignment.left)?,
        };
        // A command that wrote nothing adds nothing to a list; `$null` adds one element.
        if nothing && operator.1 == Arithmetic::Add && left.collection_len().is_some() {
            self.assign_to(&assignment.left, left.clone(), false)?;
            return Ok(left);
        }
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
                if member.is_static
                    && let Value::Type(full) = &object
                    && let Some(class) = types::classes::find(full)
                    && self.set_class_static(&class, &name, value.clone())?
                {
                    return Ok(());
                }
                if let Some(class) = types::classes::of(&object)
                    && !matches!(&object, Value::Object(o) if o.script_member(&name).is_some())
                {
                    return self.set_class_property(&object, &class, &name, value);
                }
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
                    let child = super::Scope::new(ScopeKind::Local, Some(self.env.scope.clone()));
                    child.set("this", Variable::new("this", object.clone()));
                    let env = super::Env { scope: child, ..self.env.clone() };
                    return self.within(env, |ev| ev.call_block(&call, &mut super::Nowhere));
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
                types::set_index(&object, &indices, value).map_err(runtime)?;
                Ok(crate::limits::grown(&object)?)
            }
            ExpressionKind::Convert(..) | ExpressionKind::Attributed(..) if declaration(target).is_some() => {
                let Some(declaration) = declaration(target) else { return Ok(()) };
                self.declare(&declaration, value)
            }
            ExpressionKind::Convert(name, child) => {
                let converted = if nothing && !matches!(child.kind, ExpressionKind::Variable(_)) {
                    value
                } else {
                    self.cast_value(&value, &name.name)?
                };
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

    /// `[attributes][type]$variable = value`.
    fn declare(&mut self, declaration: &Declaration<'_>, value: Value) -> Result<(), Flow> {
        let path = declaration.path;
        let value = match declaration.type_name {
            Some(name) => self.cast_value(&value, &name.name).map_err(|flow| match flow {
                Flow::Error(mut failure) => {
                    failure.record.category = "MetadataError".into();
                    runtime(failure.record)
                }
                other => other,
            })?,
            None => value,
        };
        self.check_writable(path)?;
        self.validate_variable(&path.name, &declaration.attributes, &value)?;
        let mut variable = Variable::new(&path.name, value);
        variable.constraint = declaration.type_name.map(|name| name.name.clone());
        variable.validators.clone_from(&declaration.attributes);
        self.scope_of(path).set(&path.key, variable);
        Ok(())
    }

    /// What a variable's attributes say about a new value.
    fn validate_variable(&mut self, name: &str, validators: &[std::sync::Arc<Attribute>], value: &Value) -> Result<(), Flow> {
        for attribute in validators {
            if self.violates(attribute, value)?.is_some() {
                let text = self.text(value);
                let mut record = ErrorRecord::new(
                    format!("The variable cannot be validated because the value {text} is not a valid value for the {name} variable."),
                    "ValidateSetFailure",
                    "MetadataError",
                    "System.Management.Automation.ValidationMetadataException",
                );
                record.decorated = true;
                return Err(record.into());
            }
        }
        Ok(())
    }

    fn scope_of(&self, path: &VariablePath) -> std::sync::Arc<super::Scope> {
        match path.scope.as_deref() {
            Some("global") => self.state.global.clone(),
            Some("script") => self.env.scope.nearest(ScopeKind::Script),
            Some(number) if number.bytes().all(|b| b.is_ascii_digit()) => self.env.scope.ancestor(number.parse().unwrap_or(0)),
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
                // A variable without a text does not exist.
                let text = self.text(&value);
                let value = if text.is_empty() { Value::Null } else { Value::str(text) };
                self.state.global.set(&format!("env:{}", path.key), Variable::new(&path.name, value));
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
        let (constraint, validators) = scope.with_own(key, |v| (v.constraint.clone(), v.validators.clone())).unwrap_or_default();
        let value = match &constraint {
            Some(name) => self.cast_value(&value, name).map_err(|flow| match flow {
                // Variables of functions say what the conversion said, others that they cannot hold the value.
                Flow::Error(mut failure) if scope.kind != ScopeKind::Local => {
                    failure.record.category = "MetadataError".into();
                    failure.record.id = "RuntimeException".into();
                    runtime(failure.record)
                }
                other => other,
            })?,
            None => value,
        };
        if !validators.is_empty() {
            self.validate_variable(&path.name, &validators, &value)?;
        }
        let nothing = nothing && constraint.is_none();
        let stored = scope.with_own(key, |variable| {
            variable.value = value.clone();
            variable.nothing = nothing;
        });
        if stored.is_none() {
            let mut variable = Variable::new(&path.name, value);
            variable.nothing = nothing;
            variable.private = path.scope.as_deref() == Some("private");
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

/// `[attributes][type]$variable` on the left of an assignment.
struct Declaration<'a> {
    attributes: Vec<std::sync::Arc<Attribute>>,
    type_name: Option<&'a TypeName>,
    path: &'a VariablePath,
}

fn declaration(target: &Expression) -> Option<Declaration<'_>> {
    let mut attributes = Vec::new();
    let mut type_name = None;
    let mut current = target;
    loop {
        match &current.kind {
            ExpressionKind::Attributed(attribute, child) => {
                attributes.push(attribute.clone());
                current = child;
            }
            ExpressionKind::Convert(name, child) => {
                type_name.get_or_insert(name);
                current = child;
            }
            ExpressionKind::Variable(path) if path.scope.as_deref() != Some("env") => {
                return Some(Declaration { attributes, type_name, path });
            }
            _ => return None,
        }
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

/// The variable behind `[ref]$x`.
#[derive(Debug)]
struct VariableReference {
    scope: std::sync::Arc<super::Scope>,
    key: std::sync::Arc<str>,
}

impl crate::value::PropertySource for VariableReference {
    fn names(&self) -> Vec<std::sync::Arc<str>> {
        vec!["Value".into()]
    }

    fn get(&self, name: &str) -> Option<Value> {
        name.eq_ignore_ascii_case("value").then(|| self.scope.with_own(&self.key, |v| v.value.clone()).unwrap_or(Value::Null))
    }

    fn set(&self, name: &str, value: &Value) -> Option<Result<(), ErrorRecord>> {
        if !name.eq_ignore_ascii_case("value") {
            return None;
        }
        let constraint = self.scope.with_own(&self.key, |v| v.constraint.clone()).flatten();
        let value = match constraint.map(|target| convert::cast(value, &target)) {
            Some(Err(error)) => return Some(Err(error)),
            Some(Ok(value)) => value,
            None => value.clone(),
        };
        self.scope.with_own(&self.key, |v| v.value = value.clone());
        Some(Ok(()))
    }
}

impl Evaluator<'_> {
    /// `[ref]$x`: the variable must exist.
    pub(crate) fn reference(&mut self, path: &VariablePath) -> Result<Value, Flow> {
        let mut scope = Some(self.scope_of(path));
        while let Some(current) = scope {
            if current.own(&path.key).is_some() {
                return Ok(crate::types::references::object(std::sync::Arc::new(VariableReference {
                    scope: current,
                    key: path.key.clone(),
                })));
            }
            scope = current.parent.clone();
        }
        Err(ErrorRecord::runtime(
            "[ref] cannot be applied to a variable that does not exist.",
            "NonExistingVariableReference",
            "InvalidOperation",
        )
        .into())
    }
}
