//! JSON Lines: one record a line (docs/records.md).

use firedrill_scenario::Record;

/// A record as one line, with its line end.
pub fn json_line(record: &Record) -> String {
    // Records always serialise: no maps with other keys than text, no foreign types.
    serde_json::to_string(record).unwrap_or_default() + "\n"
}
