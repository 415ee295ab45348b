//! The built-in cmdlets.

use std::sync::Arc;

use crate::pipeline::Builtin;

/// The built-in of that name, without regard to case; aliases are not resolved here.
pub fn lookup(name: &str) -> Option<&'static Builtin> {
    let _ = name;
    None
}

/// What an alias stands for: `?` gives `Where-Object`.
pub fn alias(name: &str) -> Option<&'static str> {
    let _ = name;
    None
}

/// Names of all built-ins, sorted.
pub fn names() -> Vec<Arc<str>> {
    Vec::new()
}
