//! How values look inside tables and lists.

use crate::convert::display;
use crate::value::Value;

/// `$FormatEnumerationLimit` of a fresh session.
const ENUMERATION_LIMIT: usize = 4;

/// The text of a value in a table cell.
pub fn cell_text(value: &Value) -> String {
    one(value, 0, ENUMERATION_LIMIT)
}

/// The text of a value in a table cell, with so many elements of collections as `$FormatEnumerationLimit` says; -1 shows all.
pub fn limited_text(value: &Value, limit: i64) -> String {
    one(value, 0, usize::try_from(limit).unwrap_or(usize::MAX))
}

/// The text of a value in a list.
pub fn list_text(value: &Value) -> String {
    one(value, 0, ENUMERATION_LIMIT)
}

fn one(value: &Value, depth: usize, limit: usize) -> String {
    match value {
        Value::Array(_) | Value::List(_) => {
            let items = value.items().unwrap_or_default();
            enumeration(items.len(), items.iter().take(limit), depth, limit)
        }
        Value::Hash(table) => {
            let keys: Vec<Value> = table.read().map(|t| t.entries.values().map(|(k, _)| k.clone()).collect()).unwrap_or_default();
            enumeration(keys.len(), keys.iter().take(limit), depth, limit)
        }
        other => display(other),
    }
}

fn enumeration<'a>(count: usize, items: impl Iterator<Item = &'a Value>, depth: usize, limit: usize) -> String {
    let shown: Vec<String> = items.map(|item| if depth > 0 { display(item) } else { one(item, depth + 1, limit) }).collect();
    format!("{{{}{}}}", shown.join(", "), if count > limit { "..." } else { "" })
}
