//! `dynamicparam`: parameters that a function makes when it is called.

use std::sync::Arc;

use super::{Env, Evaluator, Function, Scope, ScopeKind, Variable};
use crate::ast::{Attribute, Expression, ExpressionKind, Quoting};
use crate::binding::{self, BindOptions};
use crate::command::{CommandInfo, ParameterInfo, ParameterSetInfo, SetMembership};
use crate::convert;
use crate::error::Flow;
use crate::pipeline::Argument;
use crate::source::Span;
use crate::value::{PsObject, Value};

const SPACE: &str = "System.Management.Automation.";

/// A parameter of `dynamicparam` beyond its signature: the attributes that validate it.
#[derive(Debug, Clone)]
pub(crate) struct DynamicParameter {
    pub(crate) name: Arc<str>,
    pub(crate) validators: Vec<Arc<Attribute>>,
}

/// The objects that scripts make for `dynamicparam`; `None` for every other type.
pub(crate) fn new_object(full: &str, arguments: &[Value]) -> Option<Value> {
    let short = full.strip_prefix(SPACE)?;
    let object = PsObject::new(full);
    Some(match short {
        "RuntimeDefinedParameterDictionary" => Value::hashtable(true, []),
        "RuntimeDefinedParameter" => object
            .with("Name", arguments.first().cloned().unwrap_or(Value::Null))
            .with("ParameterType", arguments.get(1).cloned().unwrap_or(Value::Null))
            .with("Value", Value::Null)
            .with("IsSet", false)
            .with("Attributes", arguments.get(2).cloned().unwrap_or_else(|| list(&[])))
            .into(),
        "ParameterAttribute" => object
            .with("Position", i32::MIN)
            .with("ParameterSetName", "__AllParameterSets")
            .with("Mandatory", false)
            .with("ValueFromPipeline", false)
            .with("ValueFromPipelineByPropertyName", false)
            .with("ValueFromRemainingArguments", false)
            .with("HelpMessage", Value::Null)
            .with("DontShow", false)
            .into(),
        "ValidateSetAttribute"
        | "ValidateRangeAttribute"
        | "ValidatePatternAttribute"
        | "ValidateLengthAttribute"
        | "ValidateCountAttribute"
        | "ValidateScriptAttribute"
        | "ValidateNotNullAttribute"
        | "ValidateNotNullOrEmptyAttribute"
        | "AliasAttribute"
        | "AllowNullAttribute"
        | "AllowEmptyStringAttribute"
        | "AllowEmptyCollectionAttribute" => {
            object.with("Arguments", Value::array(arguments.iter().flat_map(super::operators::enumerate).collect())).into()
        }
        _ => return None,
    })
}

fn list(items: &[Value]) -> Value {
    Value::List(crate::value::List::new(crate::value::ListKind::ArrayList, items.to_vec()))
}

/// The names of types that [`new_object`] makes.
pub(crate) const TYPES: &[&str] = &[
    "System.Management.Automation.RuntimeDefinedParameterDictionary",
    "System.Management.Automation.RuntimeDefinedParameter",
    "System.Management.Automation.ParameterAttribute",
    "System.Management.Automation.ValidateSetAttribute",
    "System.Management.Automation.ValidateRangeAttribute",
    "System.Management.Automation.ValidatePatternAttribute",
    "System.Management.Automation.ValidateLengthAttribute",
    "System.Management.Automation.ValidateCountAttribute",
    "System.Management.Automation.ValidateScriptAttribute",
    "System.Management.Automation.ValidateNotNullAttribute",
    "System.Management.Automation.ValidateNotNullOrEmptyAttribute",
    "System.Management.Automation.AliasAttribute",
    "System.Management.Automation.AllowNullAttribute",
    "System.Management.Automation.AllowEmptyStringAttribute",
    "System.Management.Automation.AllowEmptyCollectionAttribute",
];

impl Evaluator<'_> {
    /// The function with the parameters that its `dynamicparam` block adds for these arguments.
    pub(crate) fn with_dynamic_parameters(&mut self, function: &Arc<Function>, arguments: &[Argument]) -> Result<Arc<Function>, Flow> {
        let Some(block) = &function.body.dynamic_param else { return Ok(function.clone()) };
        // What is known already is bound; the rest may turn out to be known.
        let options = BindOptions { strict: false, has_input: true, common_parameters: false };
        let bound = binding::bind(&function.info, arguments, options).map(|b| b.parameters).unwrap_or_default();
        let parent = function.home.clone().unwrap_or_else(|| self.env.scope.clone());
        let env = Env { scope: Scope::new(ScopeKind::Local, Some(parent)), ..self.env.clone() };
        let mut output = Vec::new();
        self.deeper(|ev| {
            ev.within(env, |ev| {
                let table = Value::hashtable(true, bound.values.iter().cloned());
                ev.env.scope.set("psboundparameters", Variable::new("PSBoundParameters", table));
                for parameter in &function.body.parameters {
                    if let Some(value) = bound.get(&parameter.name.name) {
                        ev.set_parameter(parameter, value.clone())?;
                    }
                }
                match ev.block(block, &mut output) {
                    Err(Flow::Return) => Ok(()),
                    other => other,
                }
            })
        })?;
        let mut info = (*function.info).clone();
        let mut dynamic = Vec::new();
        for value in &output {
            let Value::Hash(table) = value else { continue };
            let entries: Vec<(Value, Value)> = table.read().map(|t| t.entries.values().cloned().collect()).unwrap_or_default();
            for (key, value) in entries {
                let name: Arc<str> = self.text(&key).into();
                dynamic.push(self.dynamic_parameter(&mut info, &name, &value));
            }
        }
        Ok(Arc::new(Function { info: Arc::new(info), dynamic, ..function.renamed(function.name.clone()) }))
    }

    fn dynamic_parameter(&mut self, info: &mut CommandInfo, name: &Arc<str>, value: &Value) -> DynamicParameter {
        let read = |object: &Value, property: &str| crate::types::property(object, property).unwrap_or(Value::Null);
        let type_name = match read(value, "ParameterType") {
            Value::Type(full) => full,
            other => self.text(&other).into(),
        };
        let mut memberships = Vec::new();
        let mut aliases = Vec::new();
        let mut validators = Vec::new();
        let mut remaining = false;
        for attribute in super::operators::enumerate(&read(value, "Attributes")) {
            let Value::Object(object) = &attribute else { continue };
            let kind = object.type_names.first().map_or("", |t| t.strip_prefix(SPACE).unwrap_or(t)).to_owned();
            if kind == "ParameterAttribute" {
                let flag = |property: &str| convert::to_bool(&read(&attribute, property));
                let set = self.text(&read(&attribute, "ParameterSetName"));
                let set = (set != "__AllParameterSets" && !set.is_empty()).then(|| {
                    info.sets.iter().position(|s| s.name.eq_ignore_ascii_case(&set)).unwrap_or_else(|| {
                        info.sets.push(ParameterSetInfo { name: set.as_str().into() });
                        info.sets.len() - 1
                    })
                });
                let position = match read(&attribute, "Position") {
                    Value::Int(at) => u32::try_from(at).ok(),
                    _ => None,
                };
                remaining |= flag("ValueFromRemainingArguments");
                memberships.push(SetMembership {
                    set,
                    mandatory: flag("Mandatory"),
                    position,
                    by_value: flag("ValueFromPipeline"),
                    by_property_name: flag("ValueFromPipelineByPropertyName"),
                });
            } else if kind == "AliasAttribute" {
                aliases.extend(super::operators::enumerate(&read(&attribute, "Arguments")).iter().map(|v| Arc::<str>::from(self.text(v))));
            } else if let Some(short) = kind.strip_suffix("Attribute") {
                let positional = super::operators::enumerate(&read(&attribute, "Arguments")).into_iter().map(literal).collect();
                validators.push(Arc::new(Attribute {
                    span: Span::default(),
                    name: short.into(),
                    positional,
                    named: Vec::new(),
                    named_spans: Vec::new(),
                }));
            }
        }
        if memberships.is_empty() {
            memberships.push(SetMembership { set: None, mandatory: false, position: None, by_value: false, by_property_name: false });
        }
        info.parameters.push(ParameterInfo {
            name: name.clone(),
            aliases,
            parameter_type: super::functions::parameter_type(&type_name),
            memberships,
            remaining,
            allows: Vec::new(),
            procedure_spelling: false,
            unmodelled: false,
        });
        DynamicParameter { name: name.clone(), validators }
    }
}

/// A value as a literal of an attribute.
fn literal(value: Value) -> Expression {
    let kind = match value {
        Value::Str(text) => ExpressionKind::Text(text, Quoting::Single),
        Value::Script(block) => ExpressionKind::ScriptBlock(block.ast.clone()),
        other => ExpressionKind::Constant(other),
    };
    Expression { span: Span::default(), kind }
}
