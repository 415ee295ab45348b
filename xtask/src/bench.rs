//! Runs the criterion benches and prints their figures beside their targets.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, bail};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Only benches whose name contains this.
    filter: Option<String>,
    /// Fail when a figure misses its target.
    #[arg(long)]
    check: bool,
}

/// One figure that the project promises.
struct Target {
    /// Criterion's name of the bench.
    bench: &'static str,
    /// What it is, in words.
    what: &'static str,
    /// Upper bound of the mean time, in nanoseconds.
    nanoseconds_max: f64,
}

const TARGETS: &[Target] = &[
    Target {
        bench: "model/contoso_failover_and_failback",
        what: "P3 + P4 on contoso, model only (2,000 runs per second)",
        nanoseconds_max: 500e3,
    },
    Target { bench: "model/global_failover_and_failback", what: "failover and failback, 1,000,000 users", nanoseconds_max: 50e6 },
    Target { bench: "model/global_clone", what: "clone of a fabric with 1,000,000 users", nanoseconds_max: 10e3 },
    Target { bench: "documents/load_global", what: "load global.yaml", nanoseconds_max: 1e9 },
    Target { bench: "language/parse_a_megabyte", what: "parse 1 MB of scripts (50 MB/s)", nanoseconds_max: 20e6 },
    Target { bench: "language/loop_200000", what: "a loop of 200,000 reads and comparisons", nanoseconds_max: 200e6 },
    Target { bench: "language/million_users_where", what: "Get-CsUser | Where-Object, 1,000,000 users", nanoseconds_max: 1.5e9 },
    Target { bench: "wire/first_dns_answer", what: "start to first DNS answer", nanoseconds_max: 20e6 },
    Target {
        bench: "wire/scenarios_folder",
        what: "the whole scenarios folder with real DNS and sockets, one thread",
        nanoseconds_max: 5e9,
    },
];

/// Growth of the failover time from 1,000 to 1,000,000 users: the two benches and the greatest ratio.
const GROWTH: (&str, &str, f64) = ("model/failover_1000_users", "model/failover_1000000_users", 2.0);

/// Greatest heap use of a loaded fabric with 1,000,000 users, per user.
const BYTES_PER_USER_MAX: f64 = 64.0;

pub(crate) fn run(root: &Path, arguments: &Arguments) -> anyhow::Result<()> {
    let mut command = Command::new("cargo");
    command.args(["bench", "--package", "firedrill", "--bench", "figures", "--"]).current_dir(root);
    command.args(arguments.filter.as_deref());
    if !command.status().context("cargo bench")?.success() {
        bail!("the benches did not run");
    }
    let measured = target_directory(root)?.join("criterion");
    let mut missed = Vec::new();
    println!("\n{:<58} {:>12} {:>12}", "figure", "measured", "target");
    for target in TARGETS {
        let Some(mean) = mean_nanoseconds(&measured, target.bench) else { continue };
        println!("{:<58} {:>12} {:>12}", target.what, time(mean), format!("< {}", time(target.nanoseconds_max)));
        if mean > target.nanoseconds_max {
            missed.push(target.what);
        }
    }
    let (small, large, greatest) = GROWTH;
    if let (Some(small), Some(large)) = (mean_nanoseconds(&measured, small), mean_nanoseconds(&measured, large)) {
        println!("{:<58} {:>12.2} {:>12}", "failover time, 1,000,000 users over 1,000", large / small, format!("< {greatest}"));
        if large / small > greatest {
            missed.push("growth of the failover time");
        }
    }
    if arguments.filter.is_none() {
        let bytes = bytes_per_user(root)?;
        println!(
            "{:<58} {:>12} {:>12}",
            "heap per user of a loaded fabric, 1,000,000 users",
            format!("{bytes:.3} B"),
            format!("< {BYTES_PER_USER_MAX} B")
        );
        if bytes > BYTES_PER_USER_MAX {
            missed.push("heap per user");
        }
    }
    if arguments.check && !missed.is_empty() {
        bail!("missed: {}", missed.join("; "));
    }
    Ok(())
}

pub(crate) fn target_directory(root: &Path) -> anyhow::Result<std::path::PathBuf> {
    let output = Command::new("cargo").args(["metadata", "--format-version", "1", "--no-deps", "--offline"]).current_dir(root).output()?;
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    Ok(metadata["target_directory"].as_str().unwrap_or("target").into())
}

fn mean_nanoseconds(measured: &Path, bench: &str) -> Option<f64> {
    let text = std::fs::read_to_string(measured.join(bench).join("new/estimates.json")).ok()?;
    serde_json::from_str::<serde_json::Value>(&text).ok()?["mean"]["point_estimate"].as_f64()
}

/// The example prints one number: bytes of heap per user.
fn bytes_per_user(root: &Path) -> anyhow::Result<f64> {
    let output = Command::new("cargo")
        .args(["run", "--quiet", "--release", "--package", "firedrill", "--example", "memory"])
        .current_dir(root)
        .output()?;
    String::from_utf8_lossy(&output.stdout).trim().parse().context("the memory example did not print a number")
}

fn time(nanoseconds: f64) -> String {
    match nanoseconds {
        n if n < 1e3 => format!("{n:.0} ns"),
        n if n < 1e6 => format!("{:.1} µs", n / 1e3),
        n if n < 1e9 => format!("{:.2} ms", n / 1e6),
        n => format!("{:.2} s", n / 1e9),
    }
}
