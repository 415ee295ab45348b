//! Runs the fuzz tests of the language for a while, with stable Rust and nothing installed.

use std::path::Path;
use std::process::Command;

use anyhow::bail;

/// For how long, and from which seed.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Seconds for each of the laws, which run side by side.
    #[arg(long, default_value_t = 20)]
    seconds: u64,
    /// The first seed; a failure names the seed that it came from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Runs them.
///
/// # Errors
/// When a law is broken; the text that breaks it is printed.
pub(crate) fn run(root: &Path, arguments: &Arguments) -> anyhow::Result<()> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .current_dir(root)
        .args(["test", "--quiet", "--package", "firedrill-powershell", "--test", "fuzz"])
        .env("FIREDRILL_FUZZ_SECONDS", arguments.seconds.to_string())
        .env("FIREDRILL_FUZZ_SEED", arguments.seed.to_string())
        .status()?;
    if !status.success() {
        bail!("a law is broken; see above for the text, and keep it in crates/powershell/fuzz/corpus");
    }
    Ok(())
}
