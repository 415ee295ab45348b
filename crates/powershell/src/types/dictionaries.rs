//! `Hashtable`, `[ordered]`, `Dictionary[K,V]` and its relatives.

use std::sync::{Arc, RwLock};

use super::call::{ARGUMENT, Call, Found, RANGE, gives, len, void};
use crate::convert::{cast_resolved, equals, shared_text};
use crate::error::Flow;
use crate::value::{GenericDictionary, Hashtable, PsObject, Value};

/// Whether an argument of a constructor is a comparer that does not look at case.
pub(super) fn ignores_case(value: &Value) -> bool {
    matches!(value, Value::Object(object) if object.is_type("System.StringComparer") && shared_text(value).contains("IgnoreCase"))
}

/// One entry of a hashtable as an object, as `GetEnumerator()` gives it.
pub(crate) fn dictionary_entry(key: &Value, value: &Value) -> Value {
    let object = PsObject::new("System.Collections.DictionaryEntry");
    object.with("Name", key.clone()).with("Key", key.clone()).with("Value", value.clone()).into()
}

/// The entries of a table as objects.
pub(crate) fn entries(table: &Hashtable) -> Vec<Value> {
    match &table.generic {
        None => table.entries.values().map(|(key, value)| dictionary_entry(key, value)).collect(),
        Some(generic) => table.entries.values().map(|(key, value)| pair(&generic.key, &generic.value, key, value)).collect(),
    }
}

fn pair(key_type: &str, value_type: &str, key: &Value, value: &Value) -> Value {
    PsObject::new(format!("System.Collections.Generic.KeyValuePair`2[{key_type},{value_type}]"))
        .with("Key", key.clone())
        .with("Value", value.clone())
        .with_text(format!("[{}, {}]", shared_text(key), shared_text(value)))
        .into()
}

/// Methods of dictionaries.
pub(super) fn methods(value: &Value, call: &Call<'_>) -> Found {
    let Value::Hash(shared) = value else { return Ok(None) };
    let generic = shared.read().map(|table| table.generic.clone()).unwrap_or_default();
    let key = || -> Result<Value, Flow> {
        match &generic {
            Some(generic) => call.cast(0, "key", &generic.key),
            None if call.value(0).is_null() => {
                Err(call.threw("Key cannot be null.\r\nParameter name: key", "System.ArgumentNullException"))
            }
            None => Ok(call.value(0).clone()),
        }
    };
    let entry = |at: usize| -> Result<Value, Flow> {
        match &generic {
            Some(generic) => call.cast(at, "value", &generic.value),
            None => Ok(call.value(at).clone()),
        }
    };
    let Ok(mut table) = shared.write() else { return Ok(None) };
    let doubled = |table: &Hashtable, added: &Value| {
        let held = table.entries.get(&table.key(added)).map_or_else(|| shared_text(added), |(key, _)| shared_text(key));
        let added = shared_text(added);
        let reason = match generic {
            Some(_) => "An item with the same key has already been added.".to_string(),
            None => format!("Item has already been added. Key in dictionary: '{held}'  Key being added: '{added}'"),
        };
        call.threw(&reason, ARGUMENT)
    };
    match (call.lower, call.count()) {
        ("add", 2) => {
            let key = key()?;
            if table.get(&key).is_some() {
                return Err(doubled(&table, &key));
            }
            table.set(key, entry(1)?);
            void()
        }
        ("remove", 1) => {
            let removed = table.remove(&key()?);
            Ok(Some(generic.is_some().then_some(Value::Bool(removed.is_some()))))
        }
        ("contains", 1) if generic.is_none() => gives(table.get(&key()?).is_some()),
        ("containskey", 1) if generic.is_some() || !table.ordered => gives(table.get(&key()?).is_some()),
        ("containsvalue", 1) if generic.is_some() || !table.ordered => {
            gives(table.entries.values().any(|(_, v)| equals(v, call.value(0), true)))
        }
        ("trygetvalue", 2) if generic.is_some() => {
            let found = table.get(&key()?).cloned();
            drop(table);
            let missing = generic.as_ref().and_then(|g| cast_resolved(&Value::Null, &g.value).ok()).unwrap_or(Value::Null);
            let hit = found.is_some();
            super::references::assign(call.value(1), found.unwrap_or(missing))?;
            gives(hit)
        }
        ("clear", 0) => {
            table.entries.clear();
            void()
        }
        ("item" | "get_item", 1) => match (table.get(&key()?), &generic) {
            (Some(found), _) => gives(found.clone()),
            (None, Some(_)) => Err(super::getting_threw("Item", "The given key was not present in the dictionary.").into()),
            (None, None) => gives(Value::Null),
        },
        ("set_item", 2) => {
            table.set(key()?, entry(1)?);
            void()
        }
        ("insert", 3) if table.ordered && generic.is_none() => {
            let at = usize::try_from(call.int(0, "index")?).ok().filter(|at| *at <= table.entries.len());
            let reason = "Specified argument was out of the range of valid values.\r\nParameter name: index";
            let at = at.ok_or_else(|| call.threw(reason, RANGE))?;
            let key = call.value(1).clone();
            if table.get(&key).is_some() {
                return Err(doubled(&table, &key));
            }
            let filed = table.key(&key);
            table.entries.shift_insert(at, filed, (key, call.value(2).clone()));
            void()
        }
        ("removeat", 1) => {
            let at = usize::try_from(call.int(0, "index")?).ok().filter(|at| *at < table.entries.len());
            let reason = "Index was out of range. Must be non-negative and less than the size of the collection.\r\nParameter name: index";
            table.entries.shift_remove_index(at.ok_or_else(|| call.threw(reason, RANGE))?);
            void()
        }
        ("getkey" | "getbyindex", 1) if generic.as_ref().is_some_and(GenericDictionary::sorted) => {
            let at = usize::try_from(call.int(0, "index")?).unwrap_or(usize::MAX);
            let reason = "Index was out of range. Must be non-negative and less than the size of the collection.\r\nParameter name: index";
            let (_, (key, value)) = table.entries.get_index(at).ok_or_else(|| call.threw(reason, RANGE))?;
            gives(if call.lower == "getkey" { key.clone() } else { value.clone() })
        }
        ("indexofkey", 1) if generic.as_ref().is_some_and(GenericDictionary::sorted) => {
            let filed = table.key(&key()?);
            gives(table.entries.get_index_of(&filed).map_or(Value::Int(-1), len))
        }
        ("clone", 0) if generic.is_none() => gives(Value::Hash(Arc::new(RwLock::new(table.clone())))),
        ("getenumerator", 0) => gives(entries(&table)),
        ("add" | "remove" | "containskey" | "contains", _) => Err(call.overload()),
        _ => Ok(None),
    }
}

/// Static members of `[hashtable]` and `[StringComparer]`.
pub(super) fn statics(call: &Call<'_>) -> Found {
    match (call.lower, call.count()) {
        ("synchronized", 1) => gives(call.value(0).clone()),
        _ => Ok(None),
    }
}

/// `[StringComparer]::OrdinalIgnoreCase` and its like.
pub(super) fn comparer(lower: &str) -> Option<Value> {
    let name =
        ["Ordinal", "OrdinalIgnoreCase", "InvariantCulture", "InvariantCultureIgnoreCase", "CurrentCulture", "CurrentCultureIgnoreCase"]
            .into_iter()
            .find(|name| name.eq_ignore_ascii_case(lower))?;
    Some(PsObject::new("System.StringComparer").with_text(name).into())
}

/// `[hashtable]::new(…)`, `[Dictionary[K,V]]::new(…)` and their like.
pub(super) fn construct(call: &Call<'_>) -> Result<Option<Value>, Flow> {
    let (class, parameters) = super::names::generic(call.class).unwrap_or((call.class, Vec::new()));
    let mut table = match (class, parameters.as_slice()) {
        ("System.Collections.Hashtable", _) => Hashtable::new(false),
        ("System.Collections.Specialized.OrderedDictionary", _) => Hashtable::new(true),
        ("System.Collections.SortedList", _) => {
            let object: Arc<str> = "System.Object".into();
            Hashtable::generic(GenericDictionary { class: class.into(), key: object.clone(), value: object, ignore_case: false })
        }
        (_, [key, value]) if class.ends_with("Dictionary") || class.ends_with(".SortedList") => {
            let ignore_case = call.arguments.iter().any(ignores_case);
            Hashtable::generic(GenericDictionary { class: class.into(), key: (*key).into(), value: (*value).into(), ignore_case })
        }
        (_, [key, value]) if class.ends_with("KeyValuePair") => {
            let (first, second) = (call.cast(0, "key", key)?, call.cast(1, "value", value)?);
            return Ok(Some(pair(key, value, &first, &second)));
        }
        _ => return Ok(None),
    };
    if let Some(Value::Hash(from)) = call.arguments.iter().find(|a| matches!(a, Value::Hash(_))) {
        let copied: Vec<(Value, Value)> = from.read().map(|from| from.entries.values().cloned().collect()).unwrap_or_default();
        for (key, value) in copied {
            table.set(key, value);
        }
    }
    Ok(Some(Value::Hash(Arc::new(RwLock::new(table)))))
}
