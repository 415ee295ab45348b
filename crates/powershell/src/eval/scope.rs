//! Scopes, variables and functions.

use std::sync::{Arc, RwLock};

use indexmap::IndexMap;

use crate::ast::ScriptBlockAst;
use crate::command::CommandInfo;
use crate::value::Value;

/// A variable.
#[derive(Debug, Clone)]
pub(crate) struct Variable {
    /// Name as first written.
    pub(crate) name: Arc<str>,
    pub(crate) value: Value,
    /// It was assigned from a statement without output: piping it gives nothing (`AutomationNull`).
    pub(crate) nothing: bool,
    /// Type constraint, `[int]$x`.
    pub(crate) constraint: Option<Arc<str>>,
    /// Cannot be assigned (`$true`, `$PID`).
    pub(crate) constant: bool,
}

impl Variable {
    pub(crate) fn new(name: &str, value: Value) -> Self {
        Self { name: name.into(), value, nothing: false, constraint: None, constant: false }
    }
}

/// A function of a script.
#[derive(Debug)]
pub(crate) struct Function {
    pub(crate) name: Arc<str>,
    pub(crate) body: Arc<ScriptBlockAst>,
    pub(crate) info: Arc<CommandInfo>,
    /// Has `[CmdletBinding()]` or a `[Parameter()]`: knows the common parameters and takes no stray arguments.
    pub(crate) advanced: bool,
}

/// What a scope belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ScopeKind {
    Global,
    Script,
    Local,
}

/// One scope. Lookup goes to the parent, which is the scope of the caller.
#[derive(Debug)]
pub(crate) struct Scope {
    pub(crate) kind: ScopeKind,
    pub(crate) parent: Option<Arc<Scope>>,
    variables: RwLock<IndexMap<Arc<str>, Variable>>,
    functions: RwLock<IndexMap<Arc<str>, Arc<Function>>>,
}

impl Scope {
    pub(crate) fn new(kind: ScopeKind, parent: Option<Arc<Scope>>) -> Arc<Self> {
        Arc::new(Self { kind, parent, variables: RwLock::default(), functions: RwLock::default() })
    }

    /// A variable of this very scope; the key is in lower case.
    pub(crate) fn own(&self, key: &str) -> Option<Variable> {
        self.variables.read().ok()?.get(key).cloned()
    }

    /// Runs `f` on a variable of this very scope.
    pub(crate) fn with_own<T>(&self, key: &str, f: impl FnOnce(&mut Variable) -> T) -> Option<T> {
        self.variables.write().ok()?.get_mut(key).map(f)
    }

    pub(crate) fn set(&self, key: &str, variable: Variable) {
        if let Ok(mut variables) = self.variables.write() {
            variables.insert(key.into(), variable);
        }
    }

    pub(crate) fn remove(&self, key: &str) -> bool {
        self.variables.write().is_ok_and(|mut v| v.shift_remove(key).is_some())
    }

    pub(crate) fn all(&self) -> Vec<(Arc<str>, Variable)> {
        self.variables.read().map(|v| v.iter().map(|(k, v)| (k.clone(), v.clone())).collect()).unwrap_or_default()
    }

    /// A variable here or further out.
    pub(crate) fn find(self: &Arc<Self>, key: &str) -> Option<Variable> {
        let mut scope = Some(self);
        while let Some(current) = scope {
            if let Some(found) = current.own(key) {
                return Some(found);
            }
            scope = current.parent.as_ref();
        }
        None
    }

    /// The value and whether it is "nothing".
    pub(crate) fn value(self: &Arc<Self>, key: &str) -> Option<(Value, bool)> {
        let mut scope = Some(self);
        while let Some(current) = scope {
            if let Ok(variables) = current.variables.read()
                && let Some(found) = variables.get(key)
            {
                return Some((found.value.clone(), found.nothing));
            }
            scope = current.parent.as_ref();
        }
        None
    }

    pub(crate) fn function(self: &Arc<Self>, key: &str) -> Option<Arc<Function>> {
        let mut scope = Some(self);
        while let Some(current) = scope {
            if let Ok(functions) = current.functions.read()
                && let Some(found) = functions.get(key)
            {
                return Some(found.clone());
            }
            scope = current.parent.as_ref();
        }
        None
    }

    pub(crate) fn define(&self, function: Arc<Function>) {
        if let Ok(mut functions) = self.functions.write() {
            functions.insert(function.name.to_lowercase().into(), function);
        }
    }

    /// Names of functions, here and further out.
    pub(crate) fn function_names(self: &Arc<Self>) -> Vec<Arc<str>> {
        let mut names = Vec::new();
        let mut scope = Some(self);
        while let Some(current) = scope {
            if let Ok(functions) = current.functions.read() {
                names.extend(functions.values().map(|f| f.name.clone()));
            }
            scope = current.parent.as_ref();
        }
        names
    }

    /// The nearest scope of a kind, this one included; the global scope when there is none.
    pub(crate) fn nearest(self: &Arc<Self>, kind: ScopeKind) -> Arc<Self> {
        let mut scope = self;
        loop {
            if scope.kind == kind {
                return scope.clone();
            }
            match &scope.parent {
                Some(parent) => scope = parent,
                None => return scope.clone(),
            }
        }
    }
}
