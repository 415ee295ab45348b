//! Arguments without a name: by position, and what is left over.

use super::{BindError, BindOptions, Binder, Sets, all_sets, binding_error, blame, default_mask, matches_type, sets_of};
use crate::command::ParameterInfo;
use crate::pipeline::{Argument, ArgumentKind};
use crate::value::Value;

/// Binds by position; returns what is left over.
pub(super) fn positional<'a>(
    binder: &mut Binder<'_>,
    rest: Vec<&'a Argument>,
    unmodelled: &mut Vec<String>,
) -> Result<Vec<&'a Argument>, Box<BindError>> {
    let info = binder.info;
    let mut slots: Vec<(u32, usize, Sets)> = Vec::new();
    for (at, parameter) in info.parameters.iter().enumerate() {
        if !binder.free(at) || parameter.remaining {
            continue;
        }
        for m in &parameter.memberships {
            if let Some(position) = m.position {
                let sets = m.set.map_or_else(|| all_sets(info), |s| 1 << s.min(127));
                slots.push((position, at, sets));
            }
        }
    }
    slots.sort_by_key(|(position, at, _)| (*position, *at));
    let mut rest = rest.into_iter().peekable();
    let mut left = Vec::new();
    let mut positions: Vec<u32> = slots.iter().map(|(p, _, _)| *p).collect();
    positions.dedup();
    for position in positions {
        // Named arguments that nobody knows stay for the error message.
        while let Some(named) = rest.next_if(|a| matches!(a.kind, ArgumentKind::Named { .. })) {
            left.push(named);
        }
        let here: Vec<usize> = slots
            .iter()
            .filter(|(p, at, sets)| *p == position && binder.free(*at) && sets & binder.sets != 0)
            .map(|(_, at, _)| *at)
            .collect();
        if here.is_empty() {
            continue;
        }
        let Some(argument) = rest.next() else { break };
        let ArgumentKind::Positional { value, .. } = &argument.kind else { continue };
        let default = default_mask(info);
        let in_default = |at: &usize| slots.iter().any(|(p, s, sets)| *p == position && s == at && sets & default & binder.sets != 0);
        let mut order: Vec<usize> = here.iter().copied().filter(|at| in_default(at)).collect();
        order.extend(here.iter().copied().filter(|at| !in_default(at)));
        order.retain(|at| !names_a_member_type(&info.parameters[*at], value));
        let chosen = order.iter().copied().find(|at| matches_type(value, &info.parameters[*at].parameter_type));
        match chosen {
            Some(at) => {
                binder.bind(at, value).map_err(|record| blame(record, Some(argument.span)))?;
                if info.parameters[at].unmodelled {
                    unmodelled.push(format!("{} -{}", info.name, info.parameters[at].name));
                }
            }
            None => {
                let mut first_error = None;
                let mut bound = false;
                for at in order {
                    match binder.bind(at, value) {
                        Ok(()) => {
                            if info.parameters[at].unmodelled {
                                unmodelled.push(format!("{} -{}", info.name, info.parameters[at].name));
                            }
                            bound = true;
                            break;
                        }
                        Err(record) => {
                            first_error.get_or_insert(record);
                        }
                    }
                }
                if !bound && let Some(record) = first_error {
                    return Err(blame(record, Some(argument.span)));
                }
            }
        }
    }
    left.extend(rest);
    Ok(left)
}

/// `-NotePropertyName` of `Add-Member` does not take the name of a sort of member by position: `Add-Member NoteProperty x 5`
/// means `-MemberType`.
fn names_a_member_type(parameter: &ParameterInfo, value: &Value) -> bool {
    &*parameter.name == "NotePropertyName"
        && matches!(value, Value::Str(text) if crate::types::enumeration("System.Management.Automation.PSMemberTypes")
            .is_some_and(|members| members.iter().any(|(name, _)| name.eq_ignore_ascii_case(text))))
}

/// Gives left-over arguments to the parameter that takes the rest, or refuses them.
pub(super) fn remaining(binder: &mut Binder<'_>, rest: Vec<&Argument>, options: BindOptions) -> Result<Vec<Value>, Box<BindError>> {
    let info = binder.info;
    if rest.is_empty() {
        return Ok(Vec::new());
    }
    let as_values = |rest: &[&Argument]| {
        let mut values = Vec::new();
        for argument in rest {
            match &argument.kind {
                ArgumentKind::Positional { value, .. } => values.push(value.clone()),
                ArgumentKind::Named { name, value, .. } => {
                    values.push(Value::str(if value.is_some() { format!("-{name}:") } else { format!("-{name}") }));
                    values.extend(value.clone());
                }
            }
        }
        values
    };
    let taker = (0..info.parameters.len())
        .find(|at| info.parameters[*at].remaining && binder.free(*at) && sets_of(info, &info.parameters[*at]) & binder.sets != 0);
    if let Some(at) = taker {
        let values = as_values(&rest);
        // One array given where the rest is taken stays one array.
        let value = match values.as_slice() {
            [one] if one.items().is_some() => one.clone(),
            _ => Value::array(values),
        };
        binder.bind(at, &value).map_err(|record| blame(record, rest.first().map(|a| a.span)))?;
        return Ok(Vec::new());
    }
    if !options.common_parameters {
        return Ok(as_values(&rest));
    }
    let first_named = rest.iter().find(|a| matches!(a.kind, ArgumentKind::Named { .. })).or(rest.first()).copied();
    let Some(argument) = first_named else { return Ok(Vec::new()) };
    Err(match &argument.kind {
        ArgumentKind::Named { name, .. } => {
            let message = format!("A parameter cannot be found that matches parameter name '{name}'.");
            blame(binding_error(message, "NamedParameterNotFound"), Some(argument.span))
        }
        ArgumentKind::Positional { value, .. } => {
            let message =
                format!("A positional parameter cannot be found that accepts argument '{}'.", crate::convert::to_text(value, " "));
            blame(binding_error(message, "PositionalParameterNotFound"), None)
        }
    })
}
