//! Properties as commands take them: names, wildcards, script blocks, calculated properties.

use std::sync::Arc;

use crate::convert::{number, shared_text, to_bool};
use crate::error::{ErrorRecord, Flow};
use crate::eval::like;
use crate::format::Alignment;
use crate::pipeline::{BlockCall, BlockScope, Context, VariableScope};
use crate::types;
use crate::value::{ScriptBlock, Value};

/// How to get at the value of a property.
#[derive(Debug, Clone)]
pub(super) enum Expression {
    /// A property by name, perhaps with wildcards.
    Name(Arc<str>),
    /// A script block over `$_`.
    Block(Arc<ScriptBlock>),
}

/// One property of `-Property`.
#[derive(Debug, Clone)]
pub(super) struct Spec {
    /// The name that the result has.
    pub(super) label: Arc<str>,
    pub(super) expression: Expression,
    pub(super) width: Option<usize>,
    pub(super) alignment: Option<Alignment>,
    pub(super) format: Option<Arc<str>>,
    pub(super) descending: Option<bool>,
}

impl Spec {
    pub(super) fn name(name: &str) -> Self {
        Self { label: name.into(), expression: Expression::Name(name.into()), width: None, alignment: None, format: None, descending: None }
    }

    /// Reads one element of `-Property`. `command` names the implementing command in errors.
    pub(super) fn parse(value: &Value) -> Result<Self, Flow> {
        match value {
            Value::Script(block) => Ok(Self {
                label: block.text.trim().into(),
                expression: Expression::Block(block.clone()),
                width: None,
                alignment: None,
                format: None,
                descending: None,
            }),
            Value::Hash(table) => {
                let entries: Vec<(Value, Value)> = table.read().map(|t| t.entries.values().cloned().collect()).unwrap_or_default();
                let mut spec = Self::name("");
                let (mut named, mut has_expression) = (false, false);
                for (key, entry) in entries {
                    let key = shared_text(&key).to_ascii_lowercase();
                    let is = |full: &str| !key.is_empty() && full.starts_with(&*key);
                    if is("name") || is("label") {
                        spec.label = shared_text(&entry);
                        named = true;
                    } else if is("expression") {
                        has_expression = true;
                        spec.expression = match &entry {
                            Value::Script(block) => Expression::Block(block.clone()),
                            other => Expression::Name(shared_text(other)),
                        };
                    } else if is("width") {
                        spec.width = number::as_number(&entry).map(|n| n.to_f64().max(1.0) as usize);
                    } else if is("alignment") || key == "align" {
                        spec.alignment = match shared_text(&entry).to_ascii_lowercase().as_str() {
                            "right" => Some(Alignment::Right),
                            "center" => Some(Alignment::Center),
                            _ => Some(Alignment::Left),
                        };
                    } else if is("formatstring") {
                        spec.format = Some(shared_text(&entry));
                    } else if is("descending") {
                        spec.descending = Some(to_bool(&entry));
                    } else if is("ascending") {
                        spec.descending = Some(!to_bool(&entry));
                    } else if is("depth") {
                    } else {
                        return Err(ErrorRecord::new(
                            format!("The {key} key is not valid."),
                            "DictionaryKeyIllegal",
                            "InvalidArgument",
                            "System.NotSupportedException",
                        )
                        .into());
                    }
                }
                if !has_expression {
                    return Err(ErrorRecord::new(
                        "Specified method is not supported.",
                        "DictionaryKeyMandatoryEntry",
                        "InvalidArgument",
                        "System.NotSupportedException",
                    )
                    .into());
                }
                if !named {
                    spec.label = match &spec.expression {
                        Expression::Name(name) => name.clone(),
                        Expression::Block(block) => block.text.trim().into(),
                    };
                }
                Ok(spec)
            }
            other => Ok(Self::name(&shared_text(other))),
        }
    }

    /// The names that a wildcard means for one object; itself when it has none.
    pub(super) fn expand(&self, object: &Value) -> Vec<Spec> {
        match &self.expression {
            Expression::Name(pattern) if has_wildcard(pattern) => types::property_names(object)
                .iter()
                .filter(|n| like(n, pattern, false))
                .map(|n| Spec { label: n.clone(), expression: Expression::Name(n.clone()), ..self.clone() })
                .collect(),
            _ => vec![self.clone()],
        }
    }

    /// The value for one object; errors of script blocks give `$null`, as in PowerShell.
    pub(super) fn value(&self, object: &Value, cx: &mut dyn Context) -> Result<Option<Value>, Flow> {
        match &self.expression {
            Expression::Name(name) => read(object, name, cx),
            Expression::Block(block) => match run(block, object, cx) {
                Ok(value) => Ok(Some(value)),
                Err(Flow::Error(_)) => Ok(Some(Value::Null)),
                Err(other) => Err(other),
            },
        }
    }
}

/// Whether a text is a pattern.
pub(super) fn has_wildcard(text: &str) -> bool {
    text.contains(['*', '?', '['])
}

/// Output of a block over `$_`: nothing, one value, or an array.
pub(super) fn run(block: &ScriptBlock, object: &Value, cx: &mut dyn Context) -> Result<Value, Flow> {
    let mut results = Vec::new();
    cx.call_block(BlockCall::each(block, object.clone()), &mut |value| {
        results.push(value);
        Ok(())
    })?;
    Ok(match results.len() {
        0 => Value::Null,
        1 => results.pop().unwrap_or(Value::Null),
        _ => Value::array(results),
    })
}

/// A property of an object, script properties included.
pub(super) fn read(object: &Value, name: &str, cx: &mut dyn Context) -> Result<Option<Value>, Flow> {
    let Some((getter, _)) = types::script_property(object, name) else { return Ok(types::property(object, name)) };
    let saved = cx.variable("this").unwrap_or(Value::Null);
    cx.set_variable("this", object.clone(), VariableScope::Local)?;
    let mut results = Vec::new();
    let call = BlockCall { block: &getter, underscore: None, arguments: Vec::new(), scope: BlockScope::Child };
    let outcome = cx.call_block(call, &mut |value| {
        results.push(value);
        Ok(())
    });
    cx.set_variable("this", saved, VariableScope::Local)?;
    outcome?;
    Ok(Some(match results.len() {
        0 => Value::Null,
        1 => results.pop().unwrap_or(Value::Null),
        _ => Value::array(results),
    }))
}

/// All specs of a parameter.
pub(super) fn specs(values: &[Value]) -> Result<Vec<Spec>, Flow> {
    values.iter().map(Spec::parse).collect()
}
