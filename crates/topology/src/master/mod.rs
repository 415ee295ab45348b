//! Zones as RFC 1035 master files: what name servers export, and take back.
//!
//! Read are the directives `$ORIGIN` and `$TTL`, parentheses, comments, quotes, escapes, relative names, the owner and TTL
//! of the record before, TTLs with units as BIND writes them, and the `[AGE:…]` marks of exports of Windows DNS. Records
//! of types that the model's zones do not hold are left out with a warning.

mod lex;
mod read;
mod write;

pub use read::read_master;
pub use write::write_master;

use firedrill_syntax::Diagnostic;

use crate::model::Zone;

/// What came of a master file.
#[derive(Debug, Clone)]
pub struct MasterFile {
    /// The zone.
    pub zone: Zone,
    /// What was left out or changed.
    pub warnings: Vec<Diagnostic>,
}
