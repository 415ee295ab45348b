//! How values look inside tables and lists.

use crate::convert::display;
use crate::value::Value;

/// `$FormatEnumerationLimit`.
const ENUMERATION_LIMIT: usize = 4;

/// The text of a value in a table cell.
pub fn cell_text(value: &Value) -> String {
    one(value, 0)
}

/// The text of a value in a list.
pub fn list_text(value: &Value) -> String {
    one(value, 0)
}

fn one(value: &Value, depth: usize) -> String {
    match value {
        Value::Array(_) | Value::List(_) => {
            let items = value.items().unwrap_or_default();
            enumeration(items.len(), items.iter().take(ENUMERATION_LIMIT), depth)
        }
        Value::Hash(table) => {
            let keys: Vec<Value> = table.read().map(|t| t.entries.values().map(|(k, _)| k.clone()).collect()).unwrap_or_default();
            enumeration(keys.len(), keys.iter().take(ENUMERATION_LIMIT), depth)
        }
        other => display(other),
    }
}

fn enumeration<'a>(count: usize, items: impl Iterator<Item = &'a Value>, depth: usize) -> String {
    let shown: Vec<String> = items.map(|item| if depth > 0 { display(item) } else { one(item, depth + 1) }).collect();
    format!("{{{}{}}}", shown.join(", "), if count > ENUMERATION_LIMIT { "..." } else { "" })
}
