//! The syntax tree. It mirrors `System.Management.Automation.Language`, so that node kinds and spans can be compared
//! with PowerShell's own; every node carries its exact byte span.

use std::sync::Arc;

use crate::source::{Source, Span};

/// `ScriptBlockAst`: a script, the body of a function, or a script block expression.
#[derive(Debug)]
pub struct ScriptBlockAst {
    /// The text that it is part of.
    pub source: Arc<Source>,
    /// Its bytes, braces included.
    pub span: Span,
}
