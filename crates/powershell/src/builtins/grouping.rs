//! `Measure-Object`, `Group-Object`, `Compare-Object`, `Tee-Object`, `Get-Unique`.

use std::cmp::Ordering;
use std::sync::Arc;

use super::properties::{Spec, read, specs};
use super::sorting::order;
use super::{error, list, texts};
use crate::command::BoundParameters;
use crate::convert::{cast_resolved, equals, number, shared_text, to_text};
use crate::error::Flow;
use crate::pipeline::{Context, VariableScope};
use crate::types;
use crate::value::{PsObject, Value};

fn count(n: usize) -> Value {
    Value::Int(i32::try_from(n).unwrap_or(i32::MAX))
}

/// `Measure-Object`.
pub(super) fn measure(parameters: &BoundParameters, items: Vec<Value>, cx: &mut dyn Context) -> Result<(), Flow> {
    let on = |name: &str| parameters.switch(name);
    if on("Line") || on("Word") || on("Character") {
        let texts: Vec<Arc<str>> = items.iter().map(shared_text).collect();
        let sum = |of: fn(&str) -> usize| count(texts.iter().map(|t| of(t)).sum());
        let object = PsObject::new("Microsoft.PowerShell.Commands.TextMeasureInfo")
            .with("Lines", if on("Line") { sum(|t| t.lines().count()) } else { Value::Null })
            .with("Words", if on("Word") { sum(|t| t.split_whitespace().count()) } else { Value::Null })
            .with("Characters", if on("Character") { sum(|t| t.encode_utf16().count()) } else { Value::Null })
            .with("Property", Value::Null);
        return cx.emit(object.into());
    }
    let mut names = texts(parameters, "Property");
    if names.is_empty() {
        names.push("".into());
    }
    let generic = !(on("Sum") || on("Average")) && (on("Minimum") || on("Maximum"));
    for name in names {
        let mut values = Vec::new();
        for item in &items {
            if name.is_empty() {
                values.push(item.clone());
            } else if let Some(value) = read(item, &name, cx)?.filter(|v| !v.is_null()) {
                values.push(value);
            }
        }
        if !name.is_empty() && values.is_empty() && !items.is_empty() {
            cx.write_error(error(
                format!("The property \"{name}\" cannot be found in the input for any objects."),
                "GenericMeasurePropertyNotFound",
                "InvalidArgument",
                "System.Management.Automation.PSArgumentException",
            ))?;
            continue;
        }
        let mut sum = 0.0;
        let mut numbers = 0usize;
        if on("Sum") || on("Average") {
            for value in &values {
                match cast_resolved(value, "System.Double") {
                    Ok(Value::Double(n)) => {
                        sum += n;
                        numbers += 1;
                    }
                    _ => cx.write_error(
                        error(
                            format!("Input object \"{}\" is not numeric.", to_text(value, " ")),
                            "NonNumericInputObject",
                            "InvalidType",
                            "System.Management.Automation.PSInvalidCastException",
                        )
                        .with_target(value.clone()),
                    )?,
                }
            }
        }
        let extreme = |wanted: Ordering| -> Value {
            let mut best: Option<&Value> = None;
            for value in &values {
                if best.is_none_or(|b| order(value, b, false) == wanted) {
                    best = Some(value);
                }
            }
            match best {
                // Numbers come back as doubles.
                Some(value) => number::as_number(value).map_or_else(|| value.clone(), |n| Value::Double(n.to_f64())),
                None => Value::Null,
            }
        };
        #[allow(clippy::cast_precision_loss)]
        let average = if numbers > 0 { Value::Double(sum / numbers as f64) } else { Value::Double(0.0) };
        let property: Value = if name.is_empty() { Value::Null } else { Value::Str(name) };
        let maximum = if on("Maximum") { extreme(Ordering::Greater) } else { Value::Null };
        let minimum = if on("Minimum") { extreme(Ordering::Less) } else { Value::Null };
        let made = if generic {
            PsObject::new("Microsoft.PowerShell.Commands.GenericObjectMeasureInfo")
        } else {
            PsObject::new("Microsoft.PowerShell.Commands.GenericMeasureInfo")
        };
        let made = made.with("Count", count(values.len()));
        let made = made.with("Average", if on("Average") { average } else { Value::Null });
        let made = made.with("Sum", if on("Sum") { Value::Double(sum) } else { Value::Null });
        cx.emit(made.with("Maximum", maximum).with("Minimum", minimum).with("Property", property).into())?;
    }
    Ok(())
}

/// `Group-Object`.
pub(super) fn group(parameters: &BoundParameters, items: Vec<Value>, cx: &mut dyn Context) -> Result<(), Flow> {
    let keys = specs(&list(parameters, "Property"))?;
    let case = parameters.switch("CaseSensitive");
    let mut groups: Vec<(Vec<Value>, Vec<Value>)> = Vec::new();
    for item in items {
        let mut values = Vec::new();
        for key in &keys {
            values.push(key.value(&item, cx)?.unwrap_or(Value::Null));
        }
        if keys.is_empty() {
            values.push(item.clone());
        }
        crate::limits::work(groups.len() / 8)?;
        let found = groups.iter_mut().find(|(k, _)| {
            k.iter()
                .zip(&values)
                .all(|(a, b)| (a.is_null() && b.is_null()) || (types::type_name(a) == types::type_name(b) && equals(a, b, case)))
        });
        match found {
            Some((_, members)) => members.push(item),
            None => groups.push((values, vec![item])),
        }
    }
    groups.sort_by(|(a, _), (b, _)| {
        a.iter().zip(b).map(|(x, y)| order(x, y, case)).find(|o| *o != Ordering::Equal).unwrap_or(Ordering::Equal)
    });
    let name_of = |values: &[Value]| values.iter().map(|v| to_text(v, " ")).collect::<Vec<_>>().join(", ");
    if parameters.switch("AsHashTable") {
        let as_text = parameters.switch("AsString");
        let mut table = crate::value::Hashtable::default();
        for (values, members) in groups {
            let key = match values.as_slice() {
                [one] if !as_text => one.clone(),
                values => Value::str(name_of(values)),
            };
            table.set(key, Value::array(members));
        }
        return cx.emit(Value::Hash(Arc::new(std::sync::RwLock::new(table))));
    }
    for (values, members) in groups {
        let kind = if parameters.switch("NoElement") { "GroupInfoNoElement" } else { "GroupInfo" };
        let mut object = PsObject::new(format!("Microsoft.PowerShell.Commands.{kind}"));
        if kind == "GroupInfoNoElement" {
            object.type_names.insert(1, "Microsoft.PowerShell.Commands.GroupInfo".into());
        }
        let object = object.with("Values", Value::array(values.clone())).with("Count", count(members.len()));
        let members = if kind == "GroupInfo" { members } else { Vec::new() };
        cx.emit(object.with("Group", Value::array(members)).with("Name", name_of(&values)).into())?;
    }
    Ok(())
}

/// `Compare-Object`.
pub(super) fn compare(parameters: &BoundParameters, items: Vec<Value>, cx: &mut dyn Context) -> Result<(), Flow> {
    let keys = specs(&list(parameters, "Property"))?;
    let case = parameters.switch("CaseSensitive");
    let reference = list(parameters, "ReferenceObject");
    let difference = if items.is_empty() { list(parameters, "DifferenceObject") } else { items };
    let mut other: Vec<Option<Value>> = difference.into_iter().map(Some).collect();
    let (mut left, mut both) = (Vec::new(), Vec::new());
    for item in reference {
        let mut hit = None;
        crate::limits::work(other.len() / 8)?;
        for (at, candidate) in other.iter().enumerate() {
            if let Some(candidate) = candidate
                && same(&item, candidate, &keys, case, cx)?
            {
                hit = Some(at);
                break;
            }
        }
        match hit {
            Some(at) => {
                other[at] = None;
                both.push(item);
            }
            None => left.push(item),
        }
    }
    let out = |value: Value, side: &str, cx: &mut dyn Context| -> Result<(), Flow> {
        if parameters.switch("PassThru") {
            return cx.emit(value);
        }
        let object = PsObject::custom();
        if keys.is_empty() {
            object.set("InputObject", value);
        } else {
            for key in &keys {
                let found = key.value(&value, cx)?.unwrap_or(Value::Null);
                object.set(&key.label, found);
            }
        }
        object.set("SideIndicator", side);
        cx.emit(object.into())
    };
    if parameters.switch("IncludeEqual") || parameters.switch("ExcludeDifferent") {
        for value in both {
            out(value, "==", cx)?;
        }
    }
    if !parameters.switch("ExcludeDifferent") {
        for value in other.into_iter().flatten() {
            out(value, "=>", cx)?;
        }
        for value in left {
            out(value, "<=", cx)?;
        }
    }
    Ok(())
}

fn same(a: &Value, b: &Value, keys: &[Spec], case: bool, cx: &mut dyn Context) -> Result<bool, Flow> {
    if keys.is_empty() {
        return Ok(match (a, b) {
            // Objects without order of their own compare by their text.
            (Value::Object(_), Value::Object(_)) => to_text(a, " ") == to_text(b, " "),
            _ => order(a, b, case) == Ordering::Equal,
        });
    }
    for key in keys {
        let (x, y) = (key.value(a, cx)?.unwrap_or(Value::Null), key.value(b, cx)?.unwrap_or(Value::Null));
        if order(&x, &y, case) != Ordering::Equal {
            return Ok(false);
        }
    }
    Ok(true)
}

/// `Tee-Object`.
pub(super) fn tee(parameters: &BoundParameters, items: Vec<Value>, cx: &mut dyn Context) -> Result<(), Flow> {
    if let Some(name) = parameters.text("Variable") {
        let value = match items.as_slice() {
            [] => Value::Null,
            [one] => one.clone(),
            many => Value::array(many.to_vec()),
        };
        cx.set_variable(&name, value, VariableScope::Local)?;
    } else if let Some(path) = parameters.text("FilePath").or_else(|| parameters.text("LiteralPath")) {
        super::output::write_lines(parameters, &path, &items, 120, parameters.switch("Append"), cx)?;
    }
    items.into_iter().try_for_each(|item| cx.emit(item))
}

/// `Get-Unique`: drops neighbours that are equal.
pub(super) fn unique(parameters: &BoundParameters, items: Vec<Value>, cx: &mut dyn Context) -> Result<(), Flow> {
    let _ = parameters;
    let mut last: Option<Value> = None;
    for item in items {
        if last.as_ref().is_none_or(|l| !super::select::same(l, &item)) {
            cx.emit(item.clone())?;
        }
        last = Some(item);
    }
    Ok(())
}
