//! JSON Schemas of the documents that people write.

use std::path::Path;

use crate::generated::write_or_check;

pub(crate) fn run(root: &Path, check: bool) -> anyhow::Result<()> {
    write_or_check(root, "schemas/topology.schema.json", &firedrill_topology::schema_text(), check)?;
    write_or_check(root, "schemas/scenario.schema.json", &firedrill_scenario::schema_text(), check)
}
