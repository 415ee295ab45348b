//! Shapes of output objects: type name, properties in order, default view.
//!
//! Each shape is declared once, beside its cmdlet; the names are interned once, so that a million users cost a million
//! rows and not twenty million strings.

use std::sync::{Arc, OnceLock, RwLock};

use firedrill_powershell::value::Name;
use firedrill_powershell::{PsObject, Value};
use indexmap::IndexMap;

/// The shape of one kind of output object.
#[derive(Debug)]
pub(crate) struct Shape {
    /// .NET type name.
    pub(crate) type_name: &'static str,
    /// Property names in display order.
    pub(crate) properties: &'static [&'static str],
    /// What the default view shows; empty means all.
    pub(crate) default_view: &'static [&'static str],
    interned: OnceLock<Interned>,
}

#[derive(Debug)]
struct Interned {
    types: Vec<Arc<str>>,
    names: Vec<Name>,
    view: Vec<Arc<str>>,
}

impl Shape {
    /// A shape whose default view shows everything.
    pub(crate) const fn new(type_name: &'static str, properties: &'static [&'static str]) -> Self {
        Self { type_name, properties, default_view: &[], interned: OnceLock::new() }
    }

    /// A shape with a default view of its own.
    pub(crate) const fn with_view(
        type_name: &'static str,
        properties: &'static [&'static str],
        default_view: &'static [&'static str],
    ) -> Self {
        Self { type_name, properties, default_view, interned: OnceLock::new() }
    }

    fn interned(&self) -> &Interned {
        self.interned.get_or_init(|| Interned {
            types: vec![self.type_name.into(), "System.Object".into()],
            names: self.properties.iter().map(|name| Name::from(*name)).collect(),
            view: self.default_view.iter().map(|name| Arc::from(*name)).collect(),
        })
    }

    /// The names of the properties, shared.
    pub(crate) fn names(&self) -> Vec<Arc<str>> {
        self.interned().names.iter().map(|name| name.0.clone()).collect()
    }

    /// An object of this shape without properties, for those that are computed when they are read.
    pub(crate) fn empty(&self) -> PsObject {
        let interned = self.interned();
        let (type_names, default_view) = (interned.types.clone(), interned.view.clone());
        PsObject { type_names, default_view, ..PsObject::new("") }
    }

    /// An object of this shape. Values stand in the order of the properties; missing ones are `$null`.
    pub(crate) fn object(&self, values: Vec<Value>) -> PsObject {
        debug_assert!(values.len() <= self.properties.len(), "more values than {} has properties", self.type_name);
        let interned = self.interned();
        let padding = std::iter::repeat(Value::Null);
        let properties: IndexMap<Name, Value> = interned.names.iter().cloned().zip(values.into_iter().chain(padding)).collect();
        PsObject {
            type_names: interned.types.clone(),
            properties: Arc::new(RwLock::new(properties.into())),
            text: None,
            default_view: interned.view.clone(),
            source: None,
            scripts: OnceLock::new(),
            edited_type_names: OnceLock::new(),
        }
    }
}
