//! Properties and indexing.

use std::sync::{Arc, RwLock};

use super::{short_name, type_name};
use crate::convert::{cast_resolved, shared_text, to_text};
use crate::error::ErrorRecord;
use crate::value::{ListKind, ScriptBlock, ScriptMember, Value};

/// `value.name` for one value; `None` when it has no such member. Member enumeration over arrays is done here too:
/// an array without the member gives the members of its elements.
pub fn property(value: &Value, name: &str) -> Option<Value> {
    match value {
        Value::Object(object) => match object.get(name) {
            Some(found) => Some(found),
            None => match object.script_member(name) {
                Some(ScriptMember::Alias(target)) => object.get(&target),
                _ => universal(value, name),
            },
        },
        Value::Array(_) | Value::List(_) => collection_property(value, name),
        Value::Null if name.eq_ignore_ascii_case("count") || name.eq_ignore_ascii_case("length") => Some(Value::Int(0)),
        Value::Null => None,
        other => own_property(other, name).or_else(|| universal(other, name)),
    }
}

/// The getter and setter of a `ScriptProperty`, which only the evaluator can run.
pub fn script_property(value: &Value, name: &str) -> Option<(Arc<ScriptBlock>, Option<Arc<ScriptBlock>>)> {
    let Value::Object(object) = value else { return None };
    match object.script_member(name)? {
        ScriptMember::Property(get, set) => Some((get, set)),
        ScriptMember::Method(_) | ScriptMember::Alias(_) => None,
    }
}

fn int(n: i64) -> Value {
    i32::try_from(n).map_or(Value::Long(n), Value::Int)
}

fn len(n: usize) -> Value {
    Value::Int(i32::try_from(n).unwrap_or(i32::MAX))
}

/// `PSObject`, `PSTypeNames`, `Count` and `Length` exist on everything.
fn universal(value: &Value, name: &str) -> Option<Value> {
    if name.eq_ignore_ascii_case("count") || name.eq_ignore_ascii_case("length") {
        return Some(Value::Int(1));
    }
    if name.eq_ignore_ascii_case("pstypenames") {
        return Some(super::members::type_name_list(value));
    }
    if name.eq_ignore_ascii_case("psobject") || name.eq_ignore_ascii_case("psbase") {
        return Some(super::members::inside(value));
    }
    None
}

fn collection_property(value: &Value, name: &str) -> Option<Value> {
    let lower = name.to_ascii_lowercase();
    match lower.as_str() {
        "count" | "length" | "longlength" => {
            let count = value.collection_len()?;
            return Some(if lower == "longlength" { Value::Long(i64::try_from(count).unwrap_or(i64::MAX)) } else { len(count) });
        }
        "rank" => return Some(Value::Int(1)),
        "isfixedsize" => return Some(Value::Bool(!matches!(value, Value::List(l) if !matches!(l.kind, ListKind::TypedArray(_))))),
        "isreadonly" | "issynchronized" => return Some(Value::Bool(false)),
        "capacity" if matches!(value, Value::List(_)) => return value.collection_len().map(len),
        "syncroot" => return Some(value.clone()),
        "pstypenames" | "psobject" | "psbase" => return universal(value, name),
        _ => {}
    }
    let mut found = Vec::new();
    for item in value.items()? {
        match item.items() {
            Some(_) => {
                if let Some(inner) = property(&item, name) {
                    match inner.items() {
                        Some(more) => found.extend(more),
                        None => found.push(inner),
                    }
                }
            }
            None => {
                if let Some(one) = property(&item, name) {
                    match one.items() {
                        Some(more) => found.extend(more),
                        None => found.push(one),
                    }
                }
            }
        }
    }
    match found.len() {
        0 => None,
        1 => found.pop(),
        _ => Some(Value::array(found)),
    }
}

const VALUE_TYPES: &[&str] = &[
    "System.Boolean",
    "System.Char",
    "System.Byte",
    "System.SByte",
    "System.Int16",
    "System.UInt16",
    "System.Int32",
    "System.UInt32",
    "System.Int64",
    "System.UInt64",
    "System.Single",
    "System.Double",
    "System.Decimal",
    "System.DateTime",
    "System.TimeSpan",
    "System.Guid",
];

/// `Type.FullName`: parameters of generic types come with their assembly.
fn full_name(full: &str) -> String {
    const ASSEMBLY: &str = "mscorlib, Version=4.0.0.0, Culture=neutral, PublicKeyToken=b77a5c561934e089";
    match super::names::generic(full) {
        Some((class, parameters)) => {
            let qualified: Vec<String> = parameters.iter().map(|p| format!("[{}, {ASSEMBLY}]", full_name(p))).collect();
            format!("{class}`{}[{}]", parameters.len(), qualified.join(","))
        }
        None => full.to_string(),
    }
}

fn own_property(value: &Value, name: &str) -> Option<Value> {
    let lower = name.to_ascii_lowercase();
    let key = lower.as_str();
    match value {
        Value::Str(text) => match key {
            "length" => Some(len(if text.is_ascii() { text.len() } else { text.encode_utf16().count() })),
            _ => None,
        },
        Value::Hash(table) => {
            let table = table.read().ok()?;
            if let Some(value) = table.get_str(name) {
                return Some(value.clone());
            }
            match key {
                "count" => Some(len(table.entries.len())),
                "keys" => Some(Value::array(table.entries.values().map(|(k, _)| k.clone()).collect())),
                "values" => Some(Value::array(table.entries.values().map(|(_, v)| v.clone()).collect())),
                "isreadonly" | "isfixedsize" | "issynchronized" => Some(Value::Bool(false)),
                "length" => Some(Value::Int(1)),
                _ => None,
            }
        }
        Value::DateTime(instant) => super::dates::date_property(*instant, key),
        Value::TimeSpan(span) => super::dates::span_property(*span, key),
        Value::Version(parts) => match key {
            "major" => Some(Value::Int(parts[0])),
            "minor" => Some(Value::Int(parts[1])),
            "build" => Some(Value::Int(parts[2])),
            "revision" => Some(Value::Int(parts[3])),
            "majorrevision" | "minorrevision" => Some(Value::Int(-1)),
            _ => None,
        },
        Value::Guid(_) if key == "guid" => Some(Value::str(to_text(value, " "))),
        Value::Enum(member) => match key {
            "value__" => Some(int(member.number)),
            _ => None,
        },
        Value::Type(full) => Some(match key {
            "name" => Value::str(short_name(full)),
            "fullname" => Value::str(full_name(full)),
            "ispublic" | "isserializable" | "isserial" => Value::Bool(true),
            "isvaluetype" => Value::Bool(super::enum_members(full).is_some() || VALUE_TYPES.contains(&&**full)),
            "isgenerictype" => Value::Bool(super::names::generic(full).is_some()),
            "namespace" => Value::str(full.split('`').next().and_then(|f| f.rsplit_once('.')).map_or("", |(n, _)| n)),
            "isarray" => Value::Bool(full.ends_with("[]")),
            "isenum" => Value::Bool(super::enum_members(full).is_some()),
            "basetype" if super::classes::find(full).is_some() => Value::Type(super::classes::find(full).map_or_else(
                || "System.Object".into(),
                |t| match t.definition.kind {
                    crate::ast::TypeKind::Enum => "System.Enum".into(),
                    crate::ast::TypeKind::Class => t.type_names.get(1).cloned().unwrap_or_else(|| "System.Object".into()),
                },
            )),
            "basetype" => Value::Type(
                match &**full {
                    full if full.ends_with("[]") => "System.Array",
                    full if super::enumeration(full).is_some() => "System.Enum",
                    full if VALUE_TYPES.contains(&full) => "System.ValueType",
                    full if full.ends_with("Exception") && full != "System.Exception" => {
                        return Some(Value::Type(
                            crate::error::exception_chain(full).into_iter().nth(1).unwrap_or_else(|| "System.Exception".into()),
                        ));
                    }
                    _ => "System.Object",
                }
                .into(),
            ),
            _ => return None,
        }),
        Value::Script(block) => match key {
            "ast" => Some(Value::str(block.text.clone())),
            _ => None,
        },
        Value::Error(record) => super::errors::property(record, key),
        _ => None,
    }
}

/// Names of the properties of a value in display order, as `Get-Member` and `Select-Object *` see them.
pub fn property_names(value: &Value) -> Vec<Arc<str>> {
    let fixed: &[&str] = match value {
        Value::Object(object) => {
            let mut names = object.names();
            if let Some(scripts) = object.scripts.get()
                && let Ok(scripts) = scripts.read()
            {
                names.extend(scripts.iter().filter(|(_, m)| !matches!(m, ScriptMember::Method(_))).map(|(n, _)| n.0.clone()));
            }
            return names;
        }
        Value::Str(_) => &["Length"],
        Value::DateTime(_) => &[
            "DateTime",
            "Date",
            "Day",
            "DayOfWeek",
            "DayOfYear",
            "Hour",
            "Kind",
            "Millisecond",
            "Minute",
            "Month",
            "Second",
            "Ticks",
            "TimeOfDay",
            "Year",
        ],
        Value::TimeSpan(_) => &[
            "Ticks",
            "Days",
            "Hours",
            "Milliseconds",
            "Minutes",
            "Seconds",
            "TotalDays",
            "TotalHours",
            "TotalMilliseconds",
            "TotalMinutes",
            "TotalSeconds",
        ],
        Value::Version(_) => &["Major", "Minor", "Build", "Revision", "MajorRevision", "MinorRevision"],
        Value::Hash(_) => &["IsReadOnly", "IsFixedSize", "IsSynchronized", "Keys", "Values", "SyncRoot", "Count"],
        Value::Array(_) | Value::List(_) => {
            &["Length", "LongLength", "Rank", "SyncRoot", "IsReadOnly", "IsFixedSize", "IsSynchronized", "Count"]
        }
        Value::Guid(_) => &["Guid"],
        Value::Type(_) => &["Name", "FullName", "Namespace", "BaseType", "IsArray", "IsEnum"],
        Value::Error(_) => {
            &["Exception", "TargetObject", "CategoryInfo", "FullyQualifiedErrorId", "ErrorDetails", "InvocationInfo", "ScriptStackTrace"]
        }
        Value::Enum(_) => &["value__"],
        _ => &[],
    };
    fixed.iter().map(|n| Arc::from(*n)).collect()
}

/// Setting a property that a custom object does not have.
fn absent(name: &str) -> ErrorRecord {
    ErrorRecord {
        decorated: true,
        ..ErrorRecord::new(
            format!(
                "Exception setting \"{name}\": \"The property '{name}' cannot be found on this object. Verify that the property exists and can be set.\""
            ),
            "ExceptionWhenSetting",
            "NotSpecified",
            "System.Management.Automation.SetValueInvocationException",
        )
    }
}

/// `value.name = new`. The error is PowerShell's own (`PropertyNotFound` …).
pub fn set_property(value: &Value, name: &str, new: Value) -> Result<(), ErrorRecord> {
    let missing = || {
        ErrorRecord::runtime(
            format!("The property '{name}' cannot be found on this object. Verify that the property exists and can be set."),
            if value.is_null() { "PropertyNotFound" } else { "PropertyAssignmentException" },
            "InvalidOperation",
        )
    };
    match value {
        Value::Object(object) => {
            let key = match object.script_member(name) {
                Some(ScriptMember::Alias(target)) => target,
                _ => name.into(),
            };
            if let Some(done) = object.source.as_ref().and_then(|source| source.set(&key, &new)) {
                return done;
            }
            if object.get(&key).is_none() {
                return Err(absent(name));
            }
            object.set(&key, new);
            Ok(())
        }
        Value::Hash(table) => {
            if let Ok(mut table) = table.write() {
                let key = table.entries.get(&table.key(&Value::str(name))).map_or_else(|| Value::str(name), |(k, _)| k.clone());
                table.set(key, new);
            }
            Ok(())
        }
        Value::Array(_) | Value::List(_) => {
            let read_only = ["count", "length", "rank"].iter().any(|n| n.eq_ignore_ascii_case(name));
            if read_only {
                return Err(read_only_property(name));
            }
            Err(missing())
        }
        other => {
            if own_property(other, name).is_some() {
                return Err(read_only_property(name));
            }
            Err(missing())
        }
    }
}

fn read_only_property(name: &str) -> ErrorRecord {
    ErrorRecord::runtime(format!("'{name}' is a ReadOnly property."), "PropertyAssignmentException", "InvalidOperation")
}

fn null_array() -> ErrorRecord {
    ErrorRecord::runtime("Cannot index into a null array.", "NullArray", "InvalidOperation")
}

fn position(at: i64, len: usize) -> Option<usize> {
    let len = i64::try_from(len).ok()?;
    let at = if at < 0 { at + len } else { at };
    usize::try_from(at).ok().filter(|_| at < len)
}

fn whole(index: &Value) -> Result<i64, ErrorRecord> {
    match cast_resolved(index, "System.Int32")? {
        Value::Int(n) => Ok(i64::from(n)),
        _ => Ok(0),
    }
}

/// `value[indices]`: negative indices, ranges (several indices give an array), hashtable keys, characters of strings.
pub fn index(value: &Value, indices: &[Value]) -> Result<Value, ErrorRecord> {
    let flat: Vec<Value>;
    let (indices, several) = match indices {
        [one] => match one.items() {
            Some(items) if !matches!(value, Value::Hash(_)) || !items.is_empty() => {
                flat = items;
                (&flat[..], true)
            }
            _ => (indices, false),
        },
        _ => (indices, true),
    };
    if value.is_null() {
        return Err(null_array());
    }
    let mut found = Vec::with_capacity(indices.len());
    for at in indices {
        match index_one(value, at)? {
            Some(item) => found.push(item),
            None if several => {}
            None => found.push(Value::Null),
        }
    }
    Ok(if several { Value::array(found) } else { found.pop().unwrap_or(Value::Null) })
}

fn index_one(value: &Value, at: &Value) -> Result<Option<Value>, ErrorRecord> {
    Ok(match value {
        Value::Array(items) => {
            let items = items.read().map_err(|_| null_array())?;
            position(whole(at)?, items.len()).map(|p| items[p].clone())
        }
        Value::List(list) => {
            let items = list.items.read().map_err(|_| null_array())?;
            if list.owner.is_some() && matches!(at, Value::Str(_)) {
                drop(items);
                return Ok(super::members::find(list, &shared_text(at)));
            }
            if let ListKind::Collection(class) = &list.kind
                && class.starts_with("System.Xml.")
                && matches!(at, Value::Str(_))
            {
                return Ok(super::xml::named(&items, &shared_text(at)));
            }
            if let ListKind::Collection(class) = &list.kind
                && class.ends_with(".GroupCollection")
                && (matches!(at, Value::Str(_)) || position(whole(at)?, items.len()).is_none())
            {
                return Ok(Some(super::regexes::group_of(&items, at)));
            }
            position(whole(at)?, items.len()).map(|p| items[p].clone())
        }
        Value::Hash(table) => {
            let table = table.read().map_err(|_| null_array())?;
            match table.get(at) {
                Some(found) => Some(found.clone()),
                None if table.ordered && matches!(at, Value::Int(_)) => {
                    position(whole(at)?, table.entries.len()).and_then(|p| table.entries.get_index(p)).map(|(_, (_, v))| v.clone())
                }
                None => Some(Value::Null),
            }
        }
        Value::Str(text) => {
            let at = whole(at)?;
            if text.is_ascii() {
                position(at, text.len()).map(|p| Value::Char(text.as_bytes()[p] as char))
            } else {
                let chars: Vec<char> = text.chars().collect();
                position(at, chars.len()).map(|p| Value::Char(chars[p]))
            }
        }
        Value::Object(object) if object.is_type("System.Text.StringBuilder") => {
            let text = object.source.as_ref().and_then(|source| source.text()).unwrap_or_default();
            return index_one(&Value::str(text), at);
        }
        Value::Object(object) if matches!(at, Value::Str(_)) && object.type_names.iter().any(|t| t.contains("DataRow")) => {
            object.get(&shared_text(at))
        }
        other => {
            if matches!(at, Value::Int(0 | -1)) {
                return Ok(Some(other.clone()));
            }
            if matches!(at, Value::Int(_)) {
                return Ok(None);
            }
            return Err(ErrorRecord::runtime(
                format!("Unable to index into an object of type \"{}\".", type_name(other)),
                "CannotIndex",
                "InvalidOperation",
            ));
        }
    })
}

/// `value[index] = new`.
pub fn set_index(value: &Value, index: &[Value], new: Value) -> Result<(), ErrorRecord> {
    let out_of_range = |at: i64| ErrorRecord {
        exception_types: crate::error::exception_chain("System.IndexOutOfRangeException"),
        ..ErrorRecord::runtime(
            if at < 0 {
                "Index was outside the bounds of the array.".to_string()
            } else {
                "Index was outside the bounds of the array.".into()
            },
            "System.IndexOutOfRangeException",
            "OperationStopped",
        )
    };
    let [at] = index else {
        return Err(ErrorRecord::runtime(
            "Array assignment to [Int32[]] failed: several indices.",
            "ArraySliceAssignmentFailed",
            "InvalidOperation",
        ));
    };
    let store = |items: &RwLock<Vec<Value>>, new: Value| -> Result<(), ErrorRecord> {
        let index = whole(at)?;
        let mut items = items.write().map_err(|_| null_array())?;
        let place = position(index, items.len()).ok_or_else(|| out_of_range(index))?;
        items[place] = new;
        Ok(())
    };
    match value {
        Value::Array(items) => store(items, new),
        Value::List(list) => {
            let new = match &list.kind {
                ListKind::TypedArray(element) | ListKind::Generic(element) => cast_resolved(&new, element)?,
                _ => new,
            };
            store(&list.items, new)
        }
        Value::Hash(table) => {
            let mut table = table.write().map_err(|_| null_array())?;
            if at.is_null() {
                return Err(ErrorRecord::runtime(
                    "Index operation failed; the array index evaluated to null.",
                    "NullArrayIndex",
                    "InvalidOperation",
                ));
            }
            if table.ordered
                && let Value::Int(n) = at
                && table.get(at).is_none()
                && let Some(place) = position(i64::from(*n), table.entries.len())
                && let Some((_, (_, slot))) = table.entries.get_index_mut(place)
            {
                *slot = new;
                return Ok(());
            }
            let key = table.entries.get(&table.key(at)).map_or_else(|| at.clone(), |(k, _)| k.clone());
            table.set(key, new);
            Ok(())
        }
        Value::Null => Err(null_array()),
        Value::Object(object) if matches!(at, Value::Str(_)) => {
            object.set(&shared_text(at), new);
            Ok(())
        }
        other => Err(ErrorRecord::runtime(
            format!("Unable to index into an object of type {}.", type_name(other)),
            "CannotIndex",
            "InvalidOperation",
        )),
    }
}
