//! `Sort-Object` and the order of values across types.

use std::cmp::Ordering;

use super::list;
use super::properties::{Spec, specs};
use crate::command::BoundParameters;
use crate::convert::{compare_order, number, order_text, shared_text};
use crate::error::Flow;
use crate::pipeline::Context;
use crate::types;
use crate::value::Value;

/// Orders two values: of one type by that type, of different types as text; `$null` comes last in ascending order of
/// missing properties and first of values.
pub(super) fn order(a: &Value, b: &Value, case_sensitive: bool) -> Ordering {
    match (a, b) {
        (Value::Null, Value::Null) => Ordering::Equal,
        (Value::Null, _) => Ordering::Less,
        (_, Value::Null) => Ordering::Greater,
        (a, b) if number::as_number(a).is_some() && number::as_number(b).is_some() => {
            compare_order(a, b, case_sensitive).unwrap_or(Ordering::Equal)
        }
        (a, b) if types::type_name(a) == types::type_name(b) => {
            compare_order(a, b, case_sensitive).unwrap_or_else(|_| order_text(&shared_text(a), &shared_text(b), case_sensitive))
        }
        (a, b) => order_text(&shared_text(a), &shared_text(b), case_sensitive),
    }
}

pub(super) fn sort(parameters: &BoundParameters, items: Vec<Value>, cx: &mut dyn Context) -> Result<(), Flow> {
    let mut keys = specs(&list(parameters, "Property"))?;
    let by_value = keys.is_empty();
    let items: Vec<Value> = items.into_iter().filter(|i| !i.is_null()).collect();
    if let (false, Some(first)) = (by_value, items.first()) {
        keys = keys.iter().flat_map(|k| k.expand(first)).collect::<Vec<Spec>>();
    }
    let (descending, case) = (parameters.switch("Descending"), parameters.switch("CaseSensitive"));
    let mut rows: Vec<(Vec<Option<Value>>, Value)> = Vec::with_capacity(items.len());
    for item in items {
        let values = if by_value {
            vec![Some(item.clone())]
        } else {
            let mut values = Vec::with_capacity(keys.len());
            for key in &keys {
                values.push(key.value(&item, cx)?);
            }
            values
        };
        rows.push((values, item));
    }
    let down: Vec<bool> = if by_value { vec![descending] } else { keys.iter().map(|k| k.descending.unwrap_or(descending)).collect() };
    let compare = |a: &[Option<Value>], b: &[Option<Value>]| {
        for (at, (x, y)) in a.iter().zip(b).enumerate() {
            let ordering = match (x, y) {
                (None, None) => Ordering::Equal,
                (None, _) => Ordering::Greater,
                (_, None) => Ordering::Less,
                (Some(x), Some(y)) => order(x, y, case),
            };
            let ordering = if down[at] { ordering.reverse() } else { ordering };
            if ordering != Ordering::Equal {
                return ordering;
            }
        }
        Ordering::Equal
    };
    rows.sort_by(|(a, _), (b, _)| compare(a, b));
    if parameters.switch("Unique") {
        rows.dedup_by(|(b, _), (a, _)| compare(a, b) == Ordering::Equal);
    }
    rows.into_iter().try_for_each(|(_, item)| cx.emit(item))
}
