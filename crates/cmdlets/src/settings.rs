//! New values of a `Set-` cmdlet: given as parameters, or as properties of an object given to `-Instance`.

use std::sync::Arc;

use firedrill_fabric::SimDuration;
use firedrill_powershell::{PsObject, Value};

use crate::context::{Cx, as_integer, as_text};

/// Where the values come from; parameters win.
pub(crate) struct Settings {
    given: Vec<(Arc<str>, Value)>,
    instance: Option<Arc<PsObject>>,
}

impl Settings {
    pub(crate) fn new(cx: &Cx<'_>) -> Self {
        let instance = match cx.get("Instance") {
            Some(Value::Object(object)) => Some(object.clone()),
            _ => None,
        };
        Self { given: cx.parameters.values.clone(), instance }
    }

    pub(crate) fn value(&self, name: &str) -> Option<Value> {
        let given = self.given.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.clone());
        given.or_else(|| self.instance.as_ref()?.get(name))
    }

    pub(crate) fn text(&self, name: &str) -> Option<Arc<str>> {
        as_text(&self.value(name)?)
    }

    pub(crate) fn flag(&self, name: &str) -> Option<bool> {
        match self.value(name)? {
            Value::Bool(value) => Some(value),
            _ => None,
        }
    }

    pub(crate) fn unsigned(&self, name: &str) -> Option<u32> {
        as_integer(&self.value(name)?).and_then(|value| u32::try_from(value).ok())
    }

    pub(crate) fn duration(&self, name: &str) -> Option<SimDuration> {
        match self.value(name)? {
            Value::TimeSpan(value) => Some(SimDuration(value.nanoseconds())),
            _ => None,
        }
    }

    /// A list of texts; a hashtable with `Add`, `Remove` or `Replace` (`PSListModifier`) changes the present one.
    pub(crate) fn list(&self, name: &str, present: &[String]) -> Option<Vec<String>> {
        Some(match self.value(name)? {
            Value::Hash(table) => {
                let table = table.read().ok()?;
                let part = |key: &str| table.get_str(key).map(strings).unwrap_or_default();
                let (add, remove, replace) = (part("Add"), part("Remove"), part("Replace"));
                let mut list = if replace.is_empty() { present.to_vec() } else { replace };
                list.retain(|item| !remove.iter().any(|gone| gone.eq_ignore_ascii_case(item)));
                list.extend(add);
                list
            }
            value => strings(&value),
        })
    }
}

fn strings(value: &Value) -> Vec<String> {
    match value.items() {
        Some(items) => items.iter().flat_map(strings).collect(),
        None => as_text(value).iter().map(ToString::to_string).collect(),
    }
}
