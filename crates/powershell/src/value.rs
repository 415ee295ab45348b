//! Values: what variables hold, pipelines carry and cmdlets return.

mod time;

use std::sync::{Arc, OnceLock, RwLock};

use indexmap::IndexMap;

pub use time::{DateTime, DateTimeKind, TimeSpan};

/// A property name or hashtable key as PowerShell compares it: without regard to case, but remembered as written.
#[derive(Debug, Clone)]
pub struct Name(pub Arc<str>);

/// Array storage. Arrays have reference semantics in PowerShell: two variables may hold the same array.
pub type ArrayRef = Arc<Elements>;

/// The elements of an `Object[]`, behind a lock; see `release` below for why this is a type.
#[derive(Debug, Default)]
pub struct Elements(RwLock<Vec<Value>>);

impl Elements {
    /// Elements to share.
    pub fn new(items: Vec<Value>) -> Arc<Self> {
        Arc::new(Self(RwLock::new(items)))
    }
}

impl std::ops::Deref for Elements {
    type Target = RwLock<Vec<Value>>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl Drop for Elements {
    fn drop(&mut self) {
        if let Ok(items) = self.0.get_mut() {
            release(items.drain(..));
        }
    }
}

/// Properties of an object in display order.
#[derive(Debug, Clone, Default)]
pub struct Properties(IndexMap<Name, Value>);

impl From<IndexMap<Name, Value>> for Properties {
    fn from(properties: IndexMap<Name, Value>) -> Self {
        Self(properties)
    }
}

impl FromIterator<(Name, Value)> for Properties {
    fn from_iter<I: IntoIterator<Item = (Name, Value)>>(properties: I) -> Self {
        Self(properties.into_iter().collect())
    }
}

impl std::ops::Deref for Properties {
    type Target = IndexMap<Name, Value>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl std::ops::DerefMut for Properties {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}

impl Drop for Properties {
    fn drop(&mut self) {
        release(self.0.drain(..).map(|(_, value)| value));
    }
}

impl Drop for Hashtable {
    fn drop(&mut self) {
        release(self.entries.drain(..).flat_map(|(_, (key, value))| [key, value]));
    }
}

impl Drop for List {
    fn drop(&mut self) {
        if let Ok(items) = self.items.get_mut() {
            release(items.drain(..));
        }
    }
}

/// Drops the contents of a container without recursion: scripts nest values as deep as they like, and the stack of
/// whoever holds the last one may be small. Containers that go while another goes queue their contents.
fn release(values: impl Iterator<Item = Value>) {
    thread_local! {
        static QUEUE: std::cell::RefCell<Option<Vec<Value>>> = const { std::cell::RefCell::new(None) };
    }
    let mut nested = Vec::new();
    for value in values {
        if matches!(value, Value::Array(_) | Value::List(_) | Value::Hash(_) | Value::Object(_)) {
            nested.push(value);
        }
    }
    if nested.is_empty() {
        return;
    }
    let first = QUEUE.try_with(|queue| match queue.try_borrow_mut() {
        Ok(mut queue) => match queue.as_mut() {
            Some(waiting) => {
                waiting.append(&mut nested);
                false
            }
            None => {
                *queue = Some(Vec::new());
                true
            }
        },
        Err(_) => false,
    });
    if first != Ok(true) {
        return;
    }
    drop(nested);
    while let Ok(Some(next)) = QUEUE.try_with(|queue| queue.borrow_mut().as_mut().and_then(Vec::pop)) {
        drop(next);
    }
    let _ = QUEUE.try_with(|queue| *queue.borrow_mut() = None);
}

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
    /// A typed array (`String[]`), an `ArrayList` or a generic list.
    List(Arc<List>),
    /// A number of one of the rarer types.
    Number(Number),
    /// `System.Version`: major, minor, build, revision; -1 where a part is missing.
    Version([i32; 4]),
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

/// Numbers beyond `Int32`, `Int64` and `Double`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Number {
    /// `System.SByte`.
    SByte(i8),
    /// `System.Byte`.
    Byte(u8),
    /// `System.Int16`.
    Int16(i16),
    /// `System.UInt16`.
    UInt16(u16),
    /// `System.UInt32`.
    UInt32(u32),
    /// `System.UInt64`.
    UInt64(u64),
    /// `System.Single`.
    Single(f32),
    /// `System.Decimal`.
    Decimal(crate::convert::Decimal),
}

/// What sort of collection a [`List`] is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListKind {
    /// `T[]`, fixed in size; holds the full name of the element type.
    TypedArray(Arc<str>),
    /// `System.Collections.ArrayList`.
    ArrayList,
    /// `System.Collections.Generic.List[T]`; holds the full name of the element type.
    Generic(Arc<str>),
    /// `System.Collections.Generic.HashSet[T]`, in the order of insertion.
    HashSet {
        /// Full name of the element type.
        element: Arc<str>,
        /// Whether text compares without regard to case (`StringComparer`).
        ignore_case: bool,
    },
    /// `Queue` or `Queue[T]`, first in first; holds the full name of the element type of a generic one.
    Queue(Option<Arc<str>>),
    /// `Stack` or `Stack[T]`, top first; holds the full name of the element type of a generic one.
    Stack(Option<Arc<str>>),
    /// A collection of a type of its own (`GroupCollection`, `XmlNodeList`), by full name; scripts do not change it.
    Collection(Arc<str>),
}

/// A collection that is not an `Object[]`.
#[derive(Debug)]
pub struct List {
    /// What it is, and what it may hold.
    pub kind: ListKind,
    /// The elements.
    pub items: RwLock<Vec<Value>>,
    /// Whose members a collection of members holds (`psobject.Properties`).
    pub owner: Option<Value>,
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
    /// What makes a dictionary of a generic type of it; `None` for hashtables.
    pub generic: Option<GenericDictionary>,
}

/// A `Dictionary[K,V]` or one of its relatives: its string keys compare with regard to case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GenericDictionary {
    /// `System.Collections.Generic.Dictionary`, without the number of its parameters.
    pub class: Arc<str>,
    /// Full name of the type of keys.
    pub key: Arc<str>,
    /// Full name of the type of values.
    pub value: Arc<str>,
    /// Whether keys compare without regard to case after all (`StringComparer`).
    pub ignore_case: bool,
}

impl GenericDictionary {
    /// Whether entries stand in the order of their keys.
    pub fn sorted(&self) -> bool {
        self.class.contains(".Sorted")
    }
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
    pub properties: Arc<RwLock<Properties>>,
    /// What `ToString()` and string interpolation give; `None` means the `@{a=1; b=2}` form.
    pub text: Option<Arc<str>>,
    /// The properties that the default view shows; empty means all.
    pub default_view: Vec<Arc<str>>,
    /// Where properties come from that are not in `properties`: objects of large result sets read them when asked.
    pub source: Option<Arc<dyn PropertySource>>,
    /// Members that run script blocks (`Add-Member ScriptProperty`, `ScriptMethod`) or rename (`AliasProperty`).
    pub scripts: OnceLock<Arc<RwLock<IndexMap<Name, ScriptMember>>>>,
    /// The type names once a script asked for them to change them (`psobject.TypeNames`); they count from then on.
    pub edited_type_names: OnceLock<Arc<List>>,
}

/// Properties that are computed when they are read.
pub trait PropertySource: std::fmt::Debug + Send + Sync {
    /// Names in display order.
    fn names(&self) -> Vec<Arc<str>>;
    /// The value of a property, without regard to case.
    fn get(&self, name: &str) -> Option<Value>;
    /// Assigns to a property; `None` when it is not one of the source's own.
    fn set(&self, name: &str, value: &Value) -> Option<Result<(), crate::error::ErrorRecord>> {
        let _ = (name, value);
        None
    }
    /// The value of a property that depends on the time, without regard to case (`Stopwatch.Elapsed`).
    fn get_at(&self, name: &str, now: DateTime) -> Option<Value> {
        let _ = (name, now);
        None
    }
    /// What `ToString()` and string interpolation give, where the text of the object is not fixed.
    fn text(&self) -> Option<String> {
        None
    }
    /// What there would be under this name, when .NET has it and we do not: reading it is not modelled.
    fn unmodelled(&self, name: &str) -> Option<String> {
        let _ = name;
        None
    }
    /// The source itself, for code that knows its type.
    fn as_any(&self) -> Option<&dyn std::any::Any> {
        None
    }
}

/// A member with behaviour.
#[derive(Debug, Clone)]
pub enum ScriptMember {
    /// `ScriptProperty`: getter and perhaps setter.
    Property(Arc<ScriptBlock>, Option<Arc<ScriptBlock>>),
    /// `ScriptMethod`.
    Method(Arc<ScriptBlock>),
    /// `AliasProperty`: another name of a property.
    Alias(Arc<str>),
}

impl List {
    /// A new list.
    pub fn new(kind: ListKind, items: Vec<Value>) -> Arc<Self> {
        let _ = crate::limits::items(items.len());
        Arc::new(Self { kind, items: RwLock::new(items), owner: None })
    }

    /// A collection of the members of a value.
    pub fn owned(kind: ListKind, items: Vec<Value>, owner: Value) -> Arc<Self> {
        Arc::new(Self { kind, items: RwLock::new(items), owner: Some(owner) })
    }

    /// Full .NET name of the collection type.
    pub fn type_name(&self) -> String {
        match &self.kind {
            ListKind::TypedArray(element) => format!("{element}[]"),
            ListKind::ArrayList => "System.Collections.ArrayList".into(),
            ListKind::Generic(element) => format!("System.Collections.Generic.List`1[{element}]"),
            ListKind::HashSet { element, .. } => format!("System.Collections.Generic.HashSet`1[{element}]"),
            ListKind::Queue(Some(element)) => format!("System.Collections.Generic.Queue`1[{element}]"),
            ListKind::Stack(Some(element)) => format!("System.Collections.Generic.Stack`1[{element}]"),
            ListKind::Queue(None) => "System.Collections.Queue".into(),
            ListKind::Stack(None) => "System.Collections.Stack".into(),
            ListKind::Collection(name) => name.to_string(),
        }
    }
}

impl Hashtable {
    /// An empty table.
    pub fn new(ordered: bool) -> Self {
        Self { ordered, entries: IndexMap::new(), generic: None }
    }

    /// An empty dictionary of a generic type.
    pub fn generic(generic: GenericDictionary) -> Self {
        Self { ordered: false, entries: IndexMap::new(), generic: Some(generic) }
    }

    /// Full .NET name of its type.
    pub fn type_name(&self) -> Arc<str> {
        match &self.generic {
            Some(generic) if !generic.class.starts_with("System.Collections.Generic.") => generic.class.clone(),
            Some(generic) => format!("{}`2[{},{}]", generic.class, generic.key, generic.value).into(),
            None if self.ordered => "System.Collections.Specialized.OrderedDictionary".into(),
            None => "System.Collections.Hashtable".into(),
        }
    }

    /// The form in which a key is filed: strings as they are (compared without regard to case), everything else under
    /// its type, so that `1` and `'1'` stay apart. Where case counts, capitals are marked.
    pub fn key(&self, key: &Value) -> Name {
        match key {
            Value::Str(text) if self.generic.as_ref().is_some_and(|g| !g.ignore_case) && text.chars().any(char::is_uppercase) => {
                let mut marked = String::with_capacity(text.len() + 8);
                for c in text.chars() {
                    if c.is_uppercase() {
                        marked.push('\u{1}');
                    }
                    marked.push(c);
                }
                Name(marked.into())
            }
            Value::Str(text) => Name(text.clone()),
            other => Name(format!("\u{0}{}\u{0}{}", crate::types::type_name(other), crate::convert::to_text(other, " ")).into()),
        }
    }

    /// Reads an entry.
    pub fn get(&self, key: &Value) -> Option<&Value> {
        self.entries.get(&self.key(key)).map(|(_, value)| value)
    }

    /// Reads an entry by a string key.
    pub fn get_str(&self, key: &str) -> Option<&Value> {
        match &self.generic {
            Some(_) => self.get(&Value::str(key)),
            None => self.entries.get(&NameRef(key)).map(|(_, value)| value),
        }
    }

    /// Adds or replaces an entry.
    pub fn set(&mut self, key: Value, value: Value) {
        let filed = self.key(&key);
        self.entries.insert(filed, (key, value));
        if self.generic.as_ref().is_some_and(GenericDictionary::sorted) {
            self.entries.sort_by(|_, (a, _), _, (b, _)| crate::convert::compare_order(a, b, true).unwrap_or(std::cmp::Ordering::Equal));
        }
    }

    /// Removes an entry; the others keep their order.
    pub fn remove(&mut self, key: &Value) -> Option<Value> {
        self.entries.shift_remove(&self.key(key)).map(|(_, value)| value)
    }
}

/// `$PSBoundParameters`: a dictionary whose keys compare without regard to case.
pub(crate) fn bound_parameters(given: impl IntoIterator<Item = (Arc<str>, Value)>) -> Value {
    let mut table = Hashtable::generic(GenericDictionary {
        class: "System.Management.Automation.PSBoundParametersDictionary".into(),
        key: "System.String".into(),
        value: "System.Object".into(),
        ignore_case: true,
    });
    for (name, value) in given {
        table.set(Value::Str(name), value);
    }
    Value::Hash(Arc::new(RwLock::new(table)))
}

/// A [`Name`] to look up, without allocating one.
#[derive(Debug, Clone, Copy)]
pub struct NameRef<'a>(pub &'a str);

impl indexmap::Equivalent<Name> for NameRef<'_> {
    fn equivalent(&self, key: &Name) -> bool {
        same_name(self.0, &key.0)
    }
}

impl std::hash::Hash for NameRef<'_> {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        hash_name(self.0, state);
    }
}

/// Compares names as PowerShell does, without regard to case.
pub fn same_name(left: &str, right: &str) -> bool {
    if left.is_ascii() && right.is_ascii() {
        return left.eq_ignore_ascii_case(right);
    }
    left.chars().flat_map(char::to_lowercase).eq(right.chars().flat_map(char::to_lowercase))
}

fn hash_name<H: std::hash::Hasher>(name: &str, state: &mut H) {
    for c in name.chars().flat_map(char::to_lowercase) {
        state.write_u32(c as u32);
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        same_name(&self.0, &other.0)
    }
}

impl Eq for Name {}

impl std::hash::Hash for Name {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        hash_name(&self.0, state);
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
        let text = text.into();
        crate::limits::made_text(&text);
        Self::Str(text)
    }

    /// An array value.
    pub fn array(items: Vec<Value>) -> Self {
        let count = items.len();
        let items = Elements::new(items);
        crate::limits::made_items(&items, count);
        Self::Array(items)
    }

    /// A typed array (`System.String` for `String[]`).
    pub fn typed_array(element: &str, items: Vec<Value>) -> Self {
        Self::List(List::new(ListKind::TypedArray(element.into()), items))
    }

    /// A hashtable of string keys, in the order given.
    pub fn hashtable(ordered: bool, entries: impl IntoIterator<Item = (Arc<str>, Value)>) -> Self {
        let mut table = Hashtable::new(ordered);
        for (key, value) in entries {
            table.set(Value::Str(key), value);
        }
        Self::Hash(Arc::new(RwLock::new(table)))
    }

    /// A snapshot of the elements when the value is a collection that PowerShell enumerates (arrays and lists; not
    /// strings, not hashtables).
    pub fn items(&self) -> Option<Vec<Value>> {
        match self {
            Self::Array(items) => Some(items.read().map(|items| items.clone()).unwrap_or_default()),
            Self::List(list) => Some(list.items.read().map(|items| items.clone()).unwrap_or_default()),
            _ => None,
        }
    }

    /// Number of elements of a collection that PowerShell enumerates.
    pub fn collection_len(&self) -> Option<usize> {
        match self {
            Self::Array(items) => Some(items.read().map(|items| items.len()).unwrap_or_default()),
            Self::List(list) => Some(list.items.read().map(|items| items.len()).unwrap_or_default()),
            _ => None,
        }
    }

    /// Whether this is `$null`.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
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
value_from!(bool => Bool, i32 => Int, i64 => Long, f64 => Double, char => Char, Arc<str> => Str, DateTime => DateTime, TimeSpan => TimeSpan);

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Value::str(text)
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Value::str(text)
    }
}

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
            source: None,
            scripts: OnceLock::new(),
            edited_type_names: OnceLock::new(),
        }
    }

    /// An empty `[pscustomobject]`.
    pub fn custom() -> Self {
        Self::new("System.Management.Automation.PSCustomObject")
    }

    /// Whether the first type name is the given one.
    pub fn is_type(&self, name: &str) -> bool {
        match self.edited_type_names.get() {
            None => self.type_names.iter().any(|t| t.eq_ignore_ascii_case(name)),
            Some(_) => self.type_names().iter().any(|t| t.eq_ignore_ascii_case(name)),
        }
    }

    /// Type names, most derived first, as scripts left them.
    pub fn type_names(&self) -> Vec<Arc<str>> {
        match self.edited_type_names.get().and_then(|list| list.items.read().ok()) {
            Some(names) => names.iter().map(crate::convert::shared_text).collect(),
            None => self.type_names.clone(),
        }
    }

    /// The type name that counts.
    pub fn class(&self) -> Option<Arc<str>> {
        match self.edited_type_names.get() {
            None => self.type_names.first().cloned(),
            Some(_) => self.type_names().into_iter().next(),
        }
    }

    /// The type names as a list that scripts change.
    pub fn editable_type_names(&self) -> Arc<List> {
        let names = || self.type_names.iter().cloned().map(Value::Str).collect();
        self.edited_type_names.get_or_init(|| List::new(ListKind::Generic("System.String".into()), names())).clone()
    }

    /// Names of the value properties in display order (members with script blocks are in `scripts`).
    pub fn names(&self) -> Vec<Arc<str>> {
        let own = self.properties.read().map(|p| p.keys().map(|n| n.0.clone()).collect::<Vec<_>>()).unwrap_or_default();
        match &self.source {
            None => own,
            Some(source) => {
                let mut names = source.names();
                names.extend(own.into_iter().filter(|n| source.get(n).is_none()));
                names
            }
        }
    }

    /// A member with behaviour, if there is one of this name.
    pub fn script_member(&self, name: &str) -> Option<ScriptMember> {
        self.scripts.get()?.read().ok()?.get(&NameRef(name)).cloned()
    }

    /// Adds a member with behaviour.
    pub fn set_script_member(&self, name: &str, member: ScriptMember) {
        if let Ok(mut scripts) = self.scripts.get_or_init(Arc::default).write() {
            scripts.insert(name.into(), member);
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
        if let Some(value) = self.properties.read().ok()?.get(&NameRef(name)) {
            return Some(value.clone());
        }
        self.source.as_ref()?.get(name)
    }
}
