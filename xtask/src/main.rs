//! Chores of the workspace: `cargo xtask <chore>`; with `--check` a chore changes nothing and fails where it would have.

mod bench;
mod breaks;
mod dns_bench;
mod docs;
mod fuzz;
mod generate;
mod generated;
mod parity;
mod schema;
mod tidy;

use std::path::{Path, PathBuf};

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(about = "Chores of the workspace")]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Writes schemas/ from the types that read the documents.
    Schema(Mode),
    /// Writes the generated pages of docs/.
    Docs(Mode),
    /// Looks for leftovers, missing headers, long files and unfriendly licences; it has nothing to write.
    Tidy(Mode),
    /// Runs the benches and prints their figures beside their targets.
    Bench(bench::Arguments),
    /// Runs dnsperf against our DNS server beside BIND, Knot and NSD.
    DnsBench(dns_bench::Arguments),
    /// Breaks behaviours one at a time in a copy of the tree and prints which scenarios turn red (slow).
    Breaks(breaks::Arguments),
    /// Asks the genuine PowerShell again what the goldens of the language say, and prints what differs (needs PowerShell).
    Parity(parity::Arguments),
    /// Puts generated scripts to the genuine PowerShell and to the evaluator, and prints where they differ (needs PowerShell).
    Generate(generate::Arguments),
    /// Runs the fuzz tests of the language for a while.
    Fuzz(fuzz::Arguments),
    /// All chores with --check, the slow ones (bench, breaks) left out.
    Check,
}

#[derive(clap::Args, Clone, Copy)]
struct Mode {
    /// Change nothing; fail where something would change.
    #[arg(long)]
    check: bool,
}

fn main() -> anyhow::Result<()> {
    let root = workspace_root();
    match Arguments::parse().chore {
        Chore::Schema(mode) => schema::run(&root, mode.check),
        Chore::Docs(mode) => docs::run(&root, mode.check),
        Chore::Tidy(_) => tidy::run(&root),
        Chore::Bench(arguments) => bench::run(&root, &arguments),
        Chore::DnsBench(arguments) => dns_bench::run(&root, &arguments),
        Chore::Breaks(arguments) => breaks::run(&root, &arguments),
        Chore::Parity(arguments) => parity::run(&root, &arguments),
        Chore::Generate(arguments) => generate::run(&root, &arguments),
        Chore::Fuzz(arguments) => fuzz::run(&root, &arguments),
        Chore::Check => {
            schema::run(&root, true)?;
            docs::run(&root, true)?;
            breaks::verify(&root)?;
            tidy::run(&root)
        }
    }
}

fn workspace_root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(Path::to_path_buf).unwrap_or_default()
}
