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
    /// Attributes that validate what is assigned.
    pub(crate) validators: Vec<Arc<crate::ast::Attribute>>,
    /// Cannot be assigned (`$true`, `$PID`).
    pub(crate) constant: bool,
    /// Scopes of called code do not see it (`$private:x`).
    pub(crate) private: bool,
}

impl Variable {
    pub(crate) fn new(name: &str, value: Value) -> Self {
        Self { name: name.into(), value, nothing: false, constraint: None, validators: Vec::new(), constant: false, private: false }
    }
}

/// A function of a script.
#[derive(Debug)]
pub(crate) struct Function {
    pub(crate) name: Arc<str>,
    pub(crate) body: Arc<ScriptBlockAst>,
    pub(crate) info: Arc<CommandInfo>,
    /// The scope of the module that defines it.
    pub(crate) home: Option<Arc<Scope>>,
    /// Parameters of its `dynamicparam` block, once it was asked.
    pub(crate) dynamic: Vec<super::dynamic::DynamicParameter>,
    /// Has `[CmdletBinding()]` or a `[Parameter()]`: knows the common parameters and takes no stray arguments.
    pub(crate) advanced: bool,
}

impl Function {
    /// The same function under another name.
    pub(crate) fn renamed(&self, name: Arc<str>) -> Self {
        let info = CommandInfo { name: name.clone(), implementing_type: name.clone(), ..(*self.info).clone() };
        Self {
            name,
            body: self.body.clone(),
            info: Arc::new(info),
            home: self.home.clone(),
            dynamic: self.dynamic.clone(),
            advanced: self.advanced,
        }
    }
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
    /// The scope of a module: its functions come back to it wherever they are called.
    pub(crate) module: bool,
    variables: RwLock<IndexMap<Arc<str>, Variable>>,
    functions: RwLock<IndexMap<Arc<str>, Arc<Function>>>,
    /// `Set-StrictMode`: 0 says nothing (the caller's holds), 1 is off, else one more than the version.
    strict: std::sync::atomic::AtomicU8,
}

impl Scope {
    pub(crate) fn new(kind: ScopeKind, parent: Option<Arc<Scope>>) -> Arc<Self> {
        Arc::new(Self {
            kind,
            parent,
            module: false,
            variables: RwLock::default(),
            functions: RwLock::default(),
            strict: std::sync::atomic::AtomicU8::new(0),
        })
    }

    /// The scope of a module under the global one.
    pub(crate) fn module(global: Arc<Scope>) -> Arc<Self> {
        Arc::new(Self {
            kind: ScopeKind::Script,
            parent: Some(global),
            module: true,
            variables: RwLock::default(),
            functions: RwLock::default(),
            strict: std::sync::atomic::AtomicU8::new(0),
        })
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
            if let Some(found) = current.own(key)
                && (!found.private || Arc::ptr_eq(current, self))
            {
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
                && (!found.private || Arc::ptr_eq(current, self))
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

    /// Removes a function of this very scope.
    pub(crate) fn undefine(&self, key: &str) {
        if let Ok(mut functions) = self.functions.write() {
            functions.shift_remove(key);
        }
    }

    /// Functions of this very scope.
    pub(crate) fn own_functions(&self) -> Vec<Arc<Function>> {
        self.functions.read().map(|f| f.values().cloned().collect()).unwrap_or_default()
    }

    /// The scope so many callers out.
    pub(crate) fn ancestor(self: &Arc<Self>, steps: usize) -> Arc<Self> {
        let mut scope = self;
        for _ in 0..steps {
            match &scope.parent {
                Some(parent) => scope = parent,
                None => break,
            }
        }
        scope.clone()
    }

    /// `Set-StrictMode` in this scope; `None` switches it off.
    pub(crate) fn set_strict(&self, version: Option<u8>) {
        self.strict.store(version.map_or(1, |v| v.saturating_add(1)), std::sync::atomic::Ordering::Relaxed);
    }

    /// The version of strict mode in force; 0 when there is none.
    pub(crate) fn strict(self: &Arc<Self>) -> u8 {
        let mut scope = Some(self);
        while let Some(current) = scope {
            match current.strict.load(std::sync::atomic::Ordering::Relaxed) {
                0 => scope = current.parent.as_ref(),
                set => return set - 1,
            }
        }
        0
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
