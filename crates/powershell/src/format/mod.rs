//! Formatting for the console: `Format-Table`, `Format-List`, `Format-Wide`, default views, `Out-String`.

use crate::value::Value;

/// The lines that a console of `width` columns shows for these objects, through their default views.
pub fn default_lines(values: &[Value], width: usize) -> Vec<String> {
    let _ = (values, width);
    Vec::new()
}
