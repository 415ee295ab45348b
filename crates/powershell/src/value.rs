//! Values: what variables hold, pipelines carry and cmdlets return.

use std::sync::{Arc, RwLock};

use indexmap::IndexMap;

/// A property name or hashtable key as PowerShell compares it: without regard to case, but remembered as written.
#[derive(Debug, Clone)]
pub struct Name(pub Arc<str>);

/// Ticks-based instants and spans are nanoseconds; PowerShell prints them with 100 ns resolution.
pub type Nanoseconds = i64;

/// An instant. `nanoseconds` counts from the Unix epoch in UTC; servers of the fabric live in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DateTime {
    /// Nanoseconds since 1970-01-01T00:00:00Z.
    pub nanoseconds: Nanoseconds,
}

/// A `System.TimeSpan`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimeSpan {
    /// Length in nanoseconds, negative spans included.
    pub nanoseconds: Nanoseconds,
}

/// Array storage. Arrays have reference semantics in PowerShell: two variables may hold the same array.
pub type ArrayRef = Arc<RwLock<Vec<Value>>>;

/// One PowerShell value.
///
/// "No output" (`AutomationNull`) is not a value: it is an empty output stream. An expression that yields nothing
/// assigns [`Value::Null`].
#[derive(Debug, Clone)]
pub enum Value {
    /// `$null`.
    Null,
    /// `System.Boolean`.
    Bool(bool),
    /// `System.Int32`.
    Int(i32),
    /// `System.Int64`.
    Long(i64),
    /// `System.Double`.
    Double(f64),
    /// `System.Char`.
    Char(char),
    /// `System.String`.
    Str(Arc<str>),
    /// `System.DateTime`.
    DateTime(DateTime),
    /// `System.TimeSpan`.
    TimeSpan(TimeSpan),
    /// `System.Guid`, big-endian as printed.
    Guid(u128),
    /// `Object[]`.
    Array(ArrayRef),
    /// `Hashtable` or `[ordered]`.
    Hash(Arc<RwLock<Hashtable>>),
    /// A script block with the scope it closes over.
    Script(Arc<crate::value::ScriptBlock>),
    /// A type literal such as `[string]`, by its full .NET name.
    Type(Arc<str>),
    /// A member of an enumeration.
    Enum(Arc<EnumValue>),
    /// An error record (`$_` in `catch`, members of `$Error`, errors merged into the output).
    Error(Arc<crate::error::ErrorRecord>),
    /// Everything else: objects of cmdlets, `[pscustomobject]`.
    Object(Arc<PsObject>),
}

/// A member of an enumeration: compares equal to its name (any case) and to its number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnumValue {
    /// Full .NET type name.
    pub type_name: Arc<str>,
    /// Member name as printed.
    pub name: Arc<str>,
    /// Underlying number.
    pub number: i64,
}

/// A hashtable; `ordered` tells `[ordered]@{}` from `@{}` (which we keep in insertion order too, for determinism).
#[derive(Debug, Clone, Default)]
pub struct Hashtable {
    /// Whether it was written `[ordered]`.
    pub ordered: bool,
    /// Entries; keys compare without regard to case when they are strings.
    pub entries: IndexMap<Name, (Value, Value)>,
}

/// A script block value.
#[derive(Debug, Clone)]
pub struct ScriptBlock {
    /// What it runs.
    pub ast: Arc<crate::ast::ScriptBlockAst>,
    /// The text between the braces, as written.
    pub text: Arc<str>,
    /// The variables that `GetNewClosure()` captured; `None` for a plain block, which sees the scope of its caller.
    pub closure: Option<Arc<RwLock<IndexMap<Name, Value>>>>,
}

/// An object with named properties.
#[derive(Debug, Clone)]
pub struct PsObject {
    /// Type names, most derived first (`Microsoft.Rtc.Management.Xds.ReplicaState`, `System.Object`).
    pub type_names: Vec<Arc<str>>,
    /// Properties in display order. Interior mutability, because scripts assign to properties of shared objects.
    pub properties: Arc<RwLock<IndexMap<Name, Value>>>,
    /// What `ToString()` and string interpolation give; `None` means the `@{a=1; b=2}` form.
    pub text: Option<Arc<str>>,
    /// The properties that the default view shows; empty means all.
    pub default_view: Vec<Arc<str>>,
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        self.0.len() == other.0.len() && self.0.chars().flat_map(char::to_lowercase).eq(other.0.chars().flat_map(char::to_lowercase))
    }
}

impl Eq for Name {}

impl std::hash::Hash for Name {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        for c in self.0.chars().flat_map(char::to_lowercase) {
            c.hash(state);
        }
    }
}

impl<T: Into<Arc<str>>> From<T> for Name {
    fn from(text: T) -> Self {
        Self(text.into())
    }
}

impl Value {
    /// A string value.
    pub fn str(text: impl Into<Arc<str>>) -> Self {
        Self::Str(text.into())
    }

    /// An array value.
    pub fn array(items: Vec<Value>) -> Self {
        Self::Array(Arc::new(RwLock::new(items)))
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Value::Null, Into::into)
    }
}

macro_rules! value_from {
    ($($from:ty => $variant:ident),* $(,)?) => {
        $(impl From<$from> for Value { fn from(value: $from) -> Self { Value::$variant(value.into()) } })*
    };
}
value_from!(bool => Bool, i32 => Int, i64 => Long, f64 => Double, char => Char, &str => Str, String => Str, Arc<str> => Str, DateTime => DateTime, TimeSpan => TimeSpan);

impl From<Vec<Value>> for Value {
    fn from(items: Vec<Value>) -> Self {
        Value::array(items)
    }
}

impl From<PsObject> for Value {
    fn from(object: PsObject) -> Self {
        Value::Object(Arc::new(object))
    }
}

impl PsObject {
    /// An object of the given type without properties.
    pub fn new(type_name: impl Into<Arc<str>>) -> Self {
        Self {
            type_names: vec![type_name.into(), "System.Object".into()],
            properties: Arc::default(),
            text: None,
            default_view: Vec::new(),
        }
    }

    /// Adds or replaces a property, keeping the order of first insertion.
    #[must_use]
    pub fn with(self, name: &str, value: impl Into<Value>) -> Self {
        self.set(name, value);
        self
    }

    /// Sets the text that `ToString()` gives.
    #[must_use]
    pub fn with_text(mut self, text: impl Into<Arc<str>>) -> Self {
        self.text = Some(text.into());
        self
    }

    /// Adds or replaces a property in place.
    pub fn set(&self, name: &str, value: impl Into<Value>) {
        if let Ok(mut properties) = self.properties.write() {
            properties.insert(name.into(), value.into());
        }
    }

    /// Reads a property without regard to case.
    pub fn get(&self, name: &str) -> Option<Value> {
        self.properties.read().ok()?.get(&Name::from(name)).cloned()
    }
}
