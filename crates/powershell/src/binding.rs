//! The binder: from arguments to parameters, one for functions of scripts, built-ins and commands of the world.
//!
//! The order is PowerShell's (`CmdletParameterBinderController`): named arguments, positional arguments (default set
//! first, each first without and then with conversion), remaining arguments, choice of the set; for each pipeline
//! object by value without conversion, by property name without, by value with, by property name with; at last the
//! check of mandatory parameters.

mod convert;
mod names;
mod positional;

use std::sync::Arc;

use crate::command::{BoundParameters, CommandInfo, ParameterInfo, ParameterType, SetMembership};
use crate::error::ErrorRecord;
use crate::pipeline::{Argument, ArgumentKind};
use crate::source::Span;
use crate::types::property;
use crate::value::Value;

pub use convert::{convert_argument, matches_type, type_label};
use names::{CommonKind, find};
use positional::{positional, remaining};

/// How to bind.
#[derive(Debug, Clone, Copy, Default)]
pub struct BindOptions {
    /// Procedure spellings do not exist.
    pub strict: bool,
    /// A stage stands before the command: mandatory parameters may come from the pipeline.
    pub has_input: bool,
    /// The command knows the common parameters (`-Verbose`, `-ErrorAction` …): built-ins, commands of the world and
    /// advanced functions do, plain functions do not.
    pub common_parameters: bool,
}

/// The common parameters of one invocation, already converted.
#[derive(Debug, Clone, Default)]
pub struct CommonParameters {
    /// By full name (`ErrorAction`, `Verbose`, `WhatIf`, `OutVariable` …) in the order given.
    pub values: Vec<(Arc<str>, Value)>,
}

impl CommonParameters {
    /// The value of a common parameter, if it was given.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.values.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v)
    }
}

/// A command line bound as far as it goes without pipeline objects.
#[derive(Debug, Clone)]
pub struct Binding {
    /// What the command line bound.
    pub parameters: BoundParameters,
    /// The common parameters.
    pub common: CommonParameters,
    /// Arguments that no parameter took (`$args` of plain functions); an error for other commands.
    pub unbound: Vec<Value>,
    /// Remarks about spellings and values that only lax binding accepts.
    pub remarks: Vec<String>,
    /// Parameters that are accepted without effect in the model: the run becomes inconclusive.
    pub unmodelled: Vec<String>,
}

/// A binding error: the record (id not yet decorated) and the argument it is about.
#[derive(Debug, Clone)]
pub struct BindError {
    /// The record.
    pub record: ErrorRecord,
    /// The argument, when one is to blame.
    pub span: Option<Span>,
}

/// A set of parameter sets.
type Sets = u128;

#[derive(Debug, Clone, Copy)]
enum Target {
    Own(usize),
    Common(&'static str, CommonKind),
}

fn binding_error(message: String, id: &str) -> ErrorRecord {
    ErrorRecord::new(message, id, "InvalidArgument", "System.Management.Automation.ParameterBindingException")
}

/// Which parameter is to blame for sets that exclude each other nobody can say: such errors underline the whole command.
fn blame(record: ErrorRecord, span: Option<Span>) -> Box<BindError> {
    let span = span.filter(|_| &*record.id != "AmbiguousParameterSet");
    Box::new(BindError { record, span })
}

/// All sets of a command.
fn all_sets(info: &CommandInfo) -> Sets {
    match info.sets.len() {
        0 => 1,
        n if n >= 128 => Sets::MAX,
        n => (1 << n) - 1,
    }
}

/// The sets that a parameter belongs to.
fn sets_of(info: &CommandInfo, parameter: &ParameterInfo) -> Sets {
    if parameter.memberships.is_empty() {
        return all_sets(info);
    }
    parameter.memberships.iter().fold(0, |sets, m| sets | m.set.map_or_else(|| all_sets(info), |s| 1 << s.min(127)))
}

/// How a parameter takes part in one set.
fn membership(parameter: &ParameterInfo, set: usize) -> Option<&SetMembership> {
    parameter.memberships.iter().find(|m| m.set == Some(set)).or_else(|| parameter.memberships.iter().find(|m| m.set.is_none()))
}

/// Indices of the sets in a mask.
fn indices(sets: Sets) -> impl Iterator<Item = usize> {
    (0..128).filter(move |s| sets >> s & 1 == 1)
}

fn default_mask(info: &CommandInfo) -> Sets {
    info.default_set.map_or(0, |s| 1 << s.min(127))
}

/// The state of one binding.
struct Binder<'a> {
    info: &'a CommandInfo,
    values: Vec<Option<Value>>,
    sets: Sets,
}

impl<'a> Binder<'a> {
    fn new(info: &'a CommandInfo) -> Self {
        Self { info, values: vec![None; info.parameters.len()], sets: all_sets(info) }
    }

    fn from(info: &'a CommandInfo, bound: &BoundParameters) -> Self {
        let mut binder = Self::new(info);
        for (name, value) in &bound.values {
            if let Some(at) = info.parameters.iter().position(|p| Arc::ptr_eq(&p.name, name) || p.name.eq_ignore_ascii_case(name)) {
                binder.values[at] = Some(value.clone());
                binder.sets &= sets_of(info, &info.parameters[at]);
            }
        }
        binder
    }

    fn into_bound(self, set: Option<usize>) -> BoundParameters {
        let set = set.and_then(|s| self.info.sets.get(s)).map_or_else(|| "__AllParameterSets".into(), |s| s.name.clone());
        let values =
            self.info.parameters.iter().zip(self.values).filter_map(|(p, value)| value.map(|value| (p.name.clone(), value))).collect();
        BoundParameters { set, values }
    }

    /// Stores a converted value; the sets that the parameter does not belong to are out.
    fn store(&mut self, at: usize, value: Value) -> Result<(), ErrorRecord> {
        let sets = self.sets & sets_of(self.info, &self.info.parameters[at]);
        if sets == 0 {
            return Err(ambiguous_set());
        }
        self.sets = sets;
        self.values[at] = Some(value);
        Ok(())
    }

    fn bind(&mut self, at: usize, value: &Value) -> Result<(), ErrorRecord> {
        let parameter = &self.info.parameters[at];
        let converted = convert::for_parameter(self.info, parameter, value)?;
        self.store(at, converted)
    }

    /// Whether a parameter has no value yet.
    fn free(&self, at: usize) -> bool {
        self.values[at].is_none()
    }

    /// Mandatory parameters of a set without value.
    fn missing(&self, set: usize, from_pipeline: bool) -> Vec<usize> {
        (0..self.values.len())
            .filter(|at| {
                self.free(*at)
                    && membership(&self.info.parameters[*at], set)
                        .is_some_and(|m| m.mandatory && !(from_pipeline && (m.by_value || m.by_property_name)))
            })
            .collect()
    }

    /// Narrows to one set when no more pipeline input is to come.
    fn resolve(&mut self) -> Result<usize, ErrorRecord> {
        let default = default_mask(self.info);
        if self.sets.count_ones() > 1 {
            if self.sets & default != 0 {
                self.sets = default;
            } else {
                let complete: Vec<usize> = indices(self.sets).filter(|s| self.missing(*s, false).is_empty()).collect();
                match complete.as_slice() {
                    [one] => self.sets = 1 << one,
                    _ => return Err(ambiguous_set()),
                }
            }
        }
        Ok(usize::try_from(self.sets.trailing_zeros()).unwrap_or(0))
    }
}

fn ambiguous_set() -> ErrorRecord {
    binding_error("Parameter set cannot be resolved using the specified named parameters.".into(), "AmbiguousParameterSet")
}

fn missing_mandatory(info: &CommandInfo, missing: &[usize]) -> ErrorRecord {
    let names: String = missing.iter().map(|at| format!(" {}", info.parameters[*at].name)).collect();
    binding_error(
        format!("Cannot process command because of one or more missing mandatory parameters:{names}."),
        "MissingMandatoryParameter",
    )
}

/// Binds the arguments of a command line.
pub fn bind(info: &CommandInfo, arguments: &[Argument], options: BindOptions) -> Result<Binding, Box<BindError>> {
    let mut binder = Binder::new(info);
    let mut common = CommonParameters::default();
    let (mut remarks, mut unmodelled) = (Vec::new(), Vec::new());
    let mut rest: Vec<&Argument> = Vec::new();
    let mut at = 0;
    while at < arguments.len() {
        let argument = &arguments[at];
        at += 1;
        let ArgumentKind::Named { name, value, value_span: own_span } = &argument.kind else {
            rest.push(argument);
            continue;
        };
        let span = Some(argument.span);
        // A value that does not fit is underlined itself.
        let mut value_span = own_span.or(span);
        let Some(target) = find(info, name, options).map_err(|record| blame(record, span))? else {
            rest.push(argument);
            continue;
        };
        let (label, is_switch, kind) = match target {
            Target::Own(p) => (info.parameters[p].name.clone(), info.parameters[p].parameter_type == ParameterType::Switch, None),
            Target::Common(full, kind) => (full.into(), kind == CommonKind::Switch, Some(kind)),
        };
        let value = match value {
            Some(value) => value.clone(),
            None if is_switch => Value::Bool(true),
            None => match arguments.get(at).map(|next| &next.kind) {
                Some(ArgumentKind::Positional { value, .. }) => {
                    value_span = Some(arguments[at].span);
                    at += 1;
                    value.clone()
                }
                // A word with a dash that is no parameter is the value.
                Some(ArgumentKind::Named { name: next, value: None, .. }) if matches!(find(info, next, options), Ok(None)) => {
                    at += 1;
                    Value::str(format!("-{next}"))
                }
                _ => {
                    let kind = match target {
                        Target::Own(p) => type_label(&info.parameters[p].parameter_type),
                        Target::Common(_, kind) => type_label(&kind.parameter_type()),
                    };
                    return Err(blame(
                        binding_error(
                            format!("Missing an argument for parameter '{label}'. Specify a parameter of type '{kind}' and try again."),
                            "MissingArgument",
                        ),
                        span,
                    ));
                }
            },
        };
        let twice = || {
            blame(
                binding_error(
                    format!(
                        "Cannot bind parameter because parameter '{label}' is specified more than once. To provide multiple values to parameters that \
                         can accept multiple values, use the array syntax. For example, \"-parameter value1,value2,value3\"."
                    ),
                    "ParameterAlreadyBound",
                ),
                span,
            )
        };
        match target {
            Target::Common(full, _) => {
                if common.get(full).is_some() {
                    return Err(twice());
                }
                let kind = kind.unwrap_or(CommonKind::Text);
                let converted = convert::common(full, &kind.parameter_type(), &value).map_err(|record| blame(record, value_span))?;
                common.values.push((full.into(), converted));
            }
            Target::Own(p) => {
                if !binder.free(p) {
                    return Err(twice());
                }
                binder.bind(p, &value).map_err(|record| blame(record, value_span))?;
                note(&info.parameters[p], info, &mut remarks, &mut unmodelled);
            }
        }
    }
    let rest = positional(&mut binder, rest, &mut unmodelled)?;
    let unbound = remaining(&mut binder, rest, options)?;
    if !options.has_input && !info.sets.is_empty() {
        binder.resolve().map_err(|record| blame(record, None))?;
    } else if options.has_input && binder.sets.count_ones() > 1 {
        let takes_input: Sets = indices(binder.sets)
            .filter(|s| {
                info.parameters
                    .iter()
                    .enumerate()
                    .any(|(p, i)| binder.free(p) && membership(i, *s).is_some_and(|m| m.by_value || m.by_property_name))
            })
            .fold(0, |sets, s| sets | 1 << s);
        if takes_input != 0 {
            binder.sets = takes_input;
        }
    }
    // What the pipeline cannot bring must be there now.
    let candidates: Vec<usize> = indices(binder.sets).collect();
    if candidates.iter().all(|s| !binder.missing(*s, options.has_input).is_empty()) {
        let default = info.default_set.filter(|d| binder.sets >> (*d).min(127) & 1 == 1);
        let set = default.or(candidates.first().copied()).unwrap_or(0);
        let missing = binder.missing(set, options.has_input);
        return Err(blame(missing_mandatory(info, &missing), None));
    }
    let set = if binder.sets.count_ones() == 1 { usize::try_from(binder.sets.trailing_zeros()).ok() } else { info.default_set };
    Ok(Binding { parameters: binder.into_bound(set), common, unbound, remarks, unmodelled })
}

fn note(parameter: &ParameterInfo, info: &CommandInfo, remarks: &mut Vec<String>, unmodelled: &mut Vec<String>) {
    if parameter.procedure_spelling {
        remarks.push(format!(
            "{} -{}: the product's documents print this parameter, the product does not know it; a real shell answers: A parameter cannot be found \
             that matches parameter name '{}'.",
            info.name, parameter.name, parameter.name
        ));
    }
    if parameter.unmodelled {
        unmodelled.push(format!("{} -{}", info.name, parameter.name));
    }
}

impl Binding {
    /// Binds one pipeline object on top of the command line, chooses the set and checks mandatory parameters.
    pub fn bind_pipeline(&self, info: &CommandInfo, input: &Value) -> Result<BoundParameters, Box<BindError>> {
        let mut binder = Binder::from(info, &self.parameters);
        let mut took = false;
        for (by_value, coerce) in [(true, false), (false, false), (true, true), (false, true)] {
            // By value one parameter takes the object; by property name each takes its own.
            if by_value && took {
                continue;
            }
            for (at, parameter) in info.parameters.iter().enumerate() {
                if !binder.free(at) {
                    continue;
                }
                let takes = indices(binder.sets)
                    .filter_map(|s| membership(parameter, s))
                    .any(|m| if by_value { m.by_value } else { m.by_property_name });
                if !takes {
                    continue;
                }
                let found;
                let candidate = if by_value {
                    input
                } else {
                    let by_name = std::iter::once(&parameter.name).chain(&parameter.aliases).find_map(|n| declared_property(input, n));
                    match by_name {
                        Some(value) => {
                            found = value;
                            &found
                        }
                        None => continue,
                    }
                };
                if !coerce && !matches_type(candidate, &parameter.parameter_type) {
                    continue;
                }
                if coerce && candidate.is_null() && !by_value {
                    continue;
                }
                if let Ok(value) = convert::for_parameter(info, parameter, candidate)
                    && binder.store(at, value).is_ok()
                {
                    took = true;
                    if by_value {
                        break;
                    }
                }
            }
        }
        if !took {
            let record = binding_error(
                "The input object cannot be bound to any parameters for the command either because the command does not take pipeline input or the \
                 input and its properties do not match any of the parameters that take pipeline input."
                    .into(),
                "InputObjectNotBound",
            );
            return Err(blame(record.with_target(input.clone()), None));
        }
        let set = binder.resolve().map_err(|record| blame(record.with_target(input.clone()), None))?;
        let missing = binder.missing(set, false);
        if !missing.is_empty() {
            let names: Vec<&str> = missing.iter().map(|at| &*info.parameters[*at].name).collect();
            let record = binding_error(
                format!(
                    "The input object cannot be bound because it did not contain the information required to bind all mandatory parameters:  {}",
                    names.join(" ")
                ),
                "InputObjectMissingMandatory",
            );
            return Err(blame(record.with_target(input.clone()), None));
        }
        Ok(binder.into_bound(Some(set)))
    }

    /// Chooses the set and checks mandatory parameters when there is no pipeline input.
    pub fn finish(&self, info: &CommandInfo) -> Result<BoundParameters, Box<BindError>> {
        let mut binder = Binder::from(info, &self.parameters);
        if info.sets.is_empty() {
            return Ok(self.parameters.clone());
        }
        let set = binder.resolve().map_err(|record| blame(record, None))?;
        let missing = binder.missing(set, false);
        if !missing.is_empty() {
            return Err(blame(missing_mandatory(info, &missing), None));
        }
        Ok(binder.into_bound(Some(set)))
    }
}

/// A property for binding by name: collections and the members that everything has do not count.
fn declared_property(input: &Value, name: &str) -> Option<Value> {
    match input {
        Value::Object(object) => object.get(name).or_else(|| {
            object.script_member(name)?;
            property(input, name)
        }),
        Value::Array(_) | Value::List(_) | Value::Null => None,
        Value::Str(_) if !name.eq_ignore_ascii_case("length") => None,
        Value::Hash(_) => None,
        other if crate::types::property_names(other).iter().any(|n| n.eq_ignore_ascii_case(name)) => property(other, name),
        _ => None,
    }
}
