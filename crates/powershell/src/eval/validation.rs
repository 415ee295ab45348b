//! The `Validate…` attributes of parameters, variables and properties.

use std::sync::Arc;

use super::Evaluator;
use super::functions::{constant, flag};
use crate::ast::*;
use crate::convert;
use crate::error::Flow;
use crate::value::Value;

impl Evaluator<'_> {
    /// The `Validate…` attributes.
    pub(crate) fn validate(&mut self, name: &str, attributes: &[Arc<Attribute>], value: &Value) -> Result<(), Flow> {
        for attribute in attributes {
            if let Some(reason) = self.violates(attribute, value)? {
                return Err(self.parameter_error(
                    format!("Cannot validate argument on parameter '{name}'. {reason}"),
                    "ParameterArgumentValidationError",
                    "System.Management.Automation.ParameterBindingValidationException",
                ));
            }
        }
        Ok(())
    }

    pub(crate) fn violates(&mut self, attribute: &Attribute, value: &Value) -> Result<Option<String>, Flow> {
        let name = attribute.name.to_lowercase();
        let items = super::operators::enumerate(value);
        match name.as_str() {
            "validateset" => {
                let allowed: Vec<String> = attribute.positional.iter().map(|e| convert::display(&constant(e))).collect();
                let sensitive = flag(attribute, "IgnoreCase") == Some(false);
                for item in &items {
                    let text = self.text(item);
                    let found = allowed.iter().any(|a| if sensitive { *a == text } else { a.to_lowercase() == text.to_lowercase() });
                    if !found {
                        return Ok(Some(format!(
                            "The argument \"{text}\" does not belong to the set \"{}\" specified by the ValidateSet attribute. Supply an argument that is in the set and then try the command again.",
                            allowed.join(",")
                        )));
                    }
                }
            }
            "validatenotnull" if value.is_null() => {
                return Ok(Some(
                    "The argument is null. Provide a valid value for the argument, and then try running the command again.".into(),
                ));
            }
            "validatenotnullorempty" => {
                let blank = |v: &Value| v.is_null() || matches!(v, Value::Str(t) if t.is_empty());
                if let Some(items) = value.items() {
                    return Ok((items.is_empty() || items.iter().any(blank)).then(|| {
                        "The argument is null, empty, or an element of the argument collection contains a null value. Supply a collection that does not contain any null values and then try the command again.".into()
                    }));
                }
                let empty = blank(value);
                if empty {
                    return Ok(Some(
                        "The argument is null or empty. Provide an argument that is not null or empty, and then try the command again."
                            .into(),
                    ));
                }
            }
            "validaterange" => {
                let bounds: Vec<Value> = attribute.positional.iter().map(constant_number).collect();
                if let [low, high] = bounds.as_slice() {
                    for item in &items {
                        let above = convert::compare(convert::Comparison::Ge, item, low, false).is_ok_and(|v| convert::to_bool(&v));
                        let below = convert::compare(convert::Comparison::Le, item, high, false).is_ok_and(|v| convert::to_bool(&v));
                        let text = self.text(item);
                        if !above {
                            let low = convert::display(low);
                            return Ok(Some(format!(
                                "The {text} argument is less than the minimum allowed range of {low}. Supply an argument that is greater than or equal to {low} and then try the command again."
                            )));
                        }
                        if !below {
                            let high = convert::display(high);
                            return Ok(Some(format!(
                                "The {text} argument is greater than the maximum allowed range of {high}. Supply an argument that is less than or equal to {high} and then try the command again."
                            )));
                        }
                    }
                }
            }
            "validatelength" => {
                let bounds: Vec<i64> = attribute.positional.iter().filter_map(|e| convert::display(&constant(e)).parse().ok()).collect();
                if let [low, high] = bounds[..] {
                    for item in &items {
                        let length = i64::try_from(self.text(item).encode_utf16().count()).unwrap_or(i64::MAX);
                        if length < low {
                            return Ok(Some(format!(
                                "The character length ({length}) of the argument is too short. Specify an argument with a length that is greater than or equal to \"{low}\", and then try the command again."
                            )));
                        }
                        if length > high {
                            return Ok(Some(format!(
                                "The character length of the {length} argument is too long. Shorten the character length of the argument so it is fewer than or equal to \"{high}\" characters, and then try the command again."
                            )));
                        }
                    }
                }
            }
            "validatecount" => {
                let bounds: Vec<usize> = attribute.positional.iter().filter_map(|e| convert::display(&constant(e)).parse().ok()).collect();
                if let [low, high] = bounds[..]
                    && !(low..=high).contains(&items.len())
                {
                    return Ok(Some(format!(
                        "The parameter requires at least {low} value(s) and no more than {high} value(s) - {} value(s) were provided.",
                        items.len()
                    )));
                }
            }
            "validatepattern" => {
                let pattern = attribute.positional.first().map(|e| convert::display(&constant(e))).unwrap_or_default();
                let regex = super::operators::regex_for(&pattern, false)?;
                for item in &items {
                    let text = self.text(item);
                    if !regex.is_match(&text)? {
                        return Ok(Some(format!(
                            "The argument \"{text}\" does not match the \"{pattern}\" pattern. Supply an argument that matches \"{pattern}\" and try the command again."
                        )));
                    }
                }
            }
            "validatescript" => {
                let Some(Expression { kind: ExpressionKind::ScriptBlock(ast), .. }) = attribute.positional.first() else { return Ok(None) };
                let block = super::expressions::script_block(ast);
                for item in &items {
                    let mut output = Vec::new();
                    match self.call_block(&crate::pipeline::BlockCall::each(&block, item.clone()), &mut output) {
                        Err(Flow::Error(failure)) => return Ok(Some(failure.record.message.to_string())),
                        other => other?,
                    }
                    if !convert::to_bool(&super::collapse(output).0) {
                        let text = self.text(item);
                        return Ok(Some(format!(
                            "The \"{}\" validation script for the argument with value \"{text}\" did not return a result of True. Determine why the validation script failed, and then try the command again.",
                            block.text
                        )));
                    }
                }
            }
            _ => {}
        }
        Ok(None)
    }
}

/// Numbers in attributes may be negative.
fn constant_number(expression: &Expression) -> Value {
    match &expression.kind {
        ExpressionKind::Unary(UnaryOp::Minus, child) => convert::negate(&constant(child)).unwrap_or(Value::Null),
        _ => constant(expression),
    }
}
