//! The deployment document: sites, pools, computers, SQL stores, Edge pools, users and DNS zones.
//!
//! A document ([`document`]) is what an operator writes; [`model`] is what it means once it is valid. [`load`] leads
//! from one to the other and collects every problem on the way. The crate knows nothing of time or commands and does no
//! I/O beyond reading a given text.
//!
//! ```
//! use firedrill_syntax::{Source, render};
//!
//! let source = Source::new(
//!     "small.yaml",
//!     r#"
//! name: small
//! product: 2015
//! sip_domains: [contoso.com]
//! sites: [{ name: Site1 }]
//! pools:
//!   - { fqdn: sfb1.contoso.com, site: Site1, edition: standard, file_store: \\sfb1.contoso.com\sfb, central_management: active }
//! users:
//!   - { address: "user{n:03}@contoso.com", count: 500, pool: sfb1.contoso.com }
//! "#,
//! );
//! let topology = firedrill_topology::load(&source).into_result().map_err(|problems| render(&problems, false)).unwrap();
//! assert_eq!(topology.users.len(), 500);
//! ```

pub mod document;
pub mod limits;
pub mod master;
pub mod model;
mod names;
mod overlap;
mod resolve;
mod validate;

use std::sync::Arc;

use firedrill_syntax::{Diagnostic, Limits, Source, read_yaml};

pub use model::*;

/// What came of a topology file.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The deployment, unless there were errors.
    pub topology: Option<Topology>,
    /// Errors and warnings in the order of the text.
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads and validates a topology. Problems of structure (YAML, keys, types) end at the first; problems of meaning are
/// all collected. Warnings do not block.
///
/// Zones that stand in files of their own are not read: see [`load_with`].
pub fn load(source: &Arc<Source>) -> Loaded {
    load_with(source, &mut |_| Err("no files are read here".to_owned()))
}

/// As [`load`], with a way to read the master files that zones name; their paths are as written, relative to the topology
/// file. The way fails in words.
pub fn load_with(source: &Arc<Source>, files: &mut dyn FnMut(&str) -> Result<Vec<u8>, String>) -> Loaded {
    match read_yaml::<document::TopologyDocument>(source, &Limits::DOCUMENT) {
        Ok(document) => {
            let (topology, diagnostics) = resolve::resolve(source, &document, files);
            Loaded { topology, diagnostics }
        }
        Err(diagnostics) => Loaded { topology: None, diagnostics },
    }
}

/// As [`load`], from the bytes of a file named `name` in messages.
pub fn load_bytes(name: &str, bytes: &[u8]) -> Loaded {
    let source = Limits::DOCUMENT.check_size(name, bytes.len() as u64).and_then(|()| Source::from_bytes(name, bytes));
    match source {
        Ok(source) => load(&source),
        Err(diagnostic) => Loaded { topology: None, diagnostics: vec![*diagnostic] },
    }
}

impl Loaded {
    /// The deployment; warnings are dropped.
    ///
    /// # Errors
    /// All diagnostics, when the document has errors.
    pub fn into_result(self) -> Result<Topology, Vec<Diagnostic>> {
        self.topology.ok_or(self.diagnostics)
    }
}

/// JSON Schema (draft 2020-12) of topology files.
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(document::TopologyDocument).to_value()
}

/// The schema as the committed file `schemas/topology.schema.json` holds it.
pub fn schema_text() -> String {
    // Values of serde_json always print.
    serde_json::to_string_pretty(&schema()).unwrap_or_default() + "\n"
}
