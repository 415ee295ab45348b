//! Conversions to the classes of scripts, and the choice among overloads.

use std::sync::Arc;

use super::Evaluator;
use super::operators::runtime;
use crate::ast::*;
use crate::convert;
use crate::error::{ErrorRecord, Flow};
use crate::types;
use crate::types::classes::{self, ScriptType};
use crate::value::Value;

/// Which of several overloads fits how well.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    No,
    Converted,
    Untyped,
    Exact,
}

impl Evaluator<'_> {
    /// A conversion that may construct an object of a class.
    pub(crate) fn cast_value(&mut self, value: &Value, type_name: &str) -> Result<Value, Flow> {
        if let Some(class) = classes::find(type_name).filter(|t| t.definition.kind == TypeKind::Class) {
            return self.cast_to_class(&class, value);
        }
        if let Value::Hash(table) = value
            && let Some(full) = types::resolve(type_name)
            && let Some(made) = super::new_dynamic_object(&full, &[])
            && let Value::Object(object) = &made
        {
            let entries: Vec<(Value, Value)> = table.read().map(|t| t.entries.values().cloned().collect()).unwrap_or_default();
            for (key, value) in entries {
                object.set(&self.text(&key), value);
            }
            return Ok(made);
        }
        if let Some(element) = type_name.strip_suffix("[]")
            && classes::find(element).is_some_and(|t| t.definition.kind == TypeKind::Class)
            && !value.is_null()
        {
            let items = value.items().unwrap_or_else(|| vec![value.clone()]);
            let items = items.iter().map(|item| self.cast_value(item, element)).collect::<Result<Vec<_>, _>>()?;
            let full = types::resolve(element).unwrap_or_else(|| element.into());
            return Ok(Value::typed_array(&full, items));
        }
        if types::resolve(type_name).is_some_and(|full| &*full == "System.String") && classes::of(value).is_some() {
            return Ok(Value::str(self.stringify(value)?));
        }
        convert::cast(value, type_name).map_err(runtime)
    }

    fn cast_to_class(&mut self, class: &Arc<ScriptType>, value: &Value) -> Result<Value, Flow> {
        match value {
            Value::Null => return Ok(Value::Null),
            Value::Object(object) if object.is_type(&class.name) => return Ok(value.clone()),
            _ => {}
        }
        let entries: Option<Vec<(String, Value)>> = match value {
            Value::Hash(table) => {
                let table = table.read().map(|t| t.entries.values().cloned().collect::<Vec<_>>()).unwrap_or_default();
                Some(table.into_iter().map(|(k, v)| (self.text(&k), v)).collect())
            }
            Value::Object(object) if object.is_type("System.Management.Automation.PSCustomObject") => {
                Some(object.names().iter().map(|n| (n.to_string(), object.get(n).unwrap_or(Value::Null))).collect())
            }
            _ => None,
        };
        if let Some(entries) = entries {
            let made = self.construct(class, Vec::new())?;
            for (name, value) in entries {
                if class.property(&name).is_none() {
                    let record = ErrorRecord::runtime(
                        format!(
                            "Cannot convert value \"{}\" to type \"{}\". Error: \"The property '{name}' cannot be found on this object. Verify that \
                             the property exists and can be set. The available property is: {}\"",
                            convert::display(&Value::str("")),
                            class.name,
                            class.name
                        ),
                        "ObjectCreationError",
                        "InvalidArgument",
                    );
                    return Err(record.into());
                }
                self.set_class_property(&made, class, &name, value)?;
            }
            return Ok(made);
        }
        let one = class.constructors(Ownership::Instance).into_iter().any(|at| {
            class.method(at).is_some_and(|m| {
                m.function.body.parameters.len() == 1 && fit(&m.function.body.parameters, std::slice::from_ref(value)) != Fit::No
            })
        });
        if one {
            return self.construct(class, vec![value.clone()]);
        }
        let kind = types::type_name(value);
        let record = ErrorRecord {
            decorated: true,
            ..ErrorRecord::new(
                format!("Cannot convert the \"{}\" value of type \"{kind}\" to type \"{}\".", self.text(value), class.name),
                "ConvertToFinalInvalidCastException",
                "InvalidArgument",
                "System.Management.Automation.RuntimeException",
            )
        };
        Err(record.into())
    }
}

/// The overload that takes the arguments best; the nearest class wins among equals.
pub(super) fn choose(candidates: &[(Arc<ScriptType>, usize)], arguments: &[Value]) -> Option<(Arc<ScriptType>, usize)> {
    let mut best: Option<(Fit, &(Arc<ScriptType>, usize))> = None;
    for candidate in candidates {
        let Some(method) = candidate.0.method(candidate.1) else { continue };
        if method.function.body.parameters.len() != arguments.len() {
            continue;
        }
        let fit = fit(&method.function.body.parameters, arguments);
        if best.as_ref().is_none_or(|(known, _)| fit > *known) {
            best = Some((fit, candidate));
        }
    }
    best.map(|(_, found)| found.clone())
}

fn fit(parameters: &[Parameter], arguments: &[Value]) -> Fit {
    let mut worst = Fit::Exact;
    for (parameter, value) in parameters.iter().zip(arguments) {
        let one = match parameter.types.last() {
            None => Fit::Untyped,
            Some(name) if types::is_type(value, &name.name) => Fit::Exact,
            Some(name) if convert::cast(value, &name.name).is_ok() => Fit::Converted,
            Some(_) => Fit::No,
        };
        worst = worst.min(one);
    }
    worst
}
