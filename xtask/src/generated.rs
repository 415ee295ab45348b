//! Generated files: written, or compared.

use std::path::Path;

use anyhow::{Context as _, bail};

/// Writes `content` to `relative`, or with `check` fails when the file differs.
pub(crate) fn write_or_check(root: &Path, relative: &str, content: &str, check: bool) -> anyhow::Result<()> {
    let path = root.join(relative);
    let current = std::fs::read_to_string(&path).unwrap_or_default();
    if current == content {
        return Ok(());
    }
    if check {
        bail!("`{relative}` is not what the code generates; run the chore without --check and commit the result");
    }
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(&path, content).with_context(|| format!("cannot write `{relative}`"))?;
    println!("wrote {relative}");
    Ok(())
}
