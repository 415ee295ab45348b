//! README is true: its commands are the real ones, and its output is what they print.

use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn readme() -> String {
    std::fs::read_to_string(root().join("README.md")).expect("README.md")
}

/// The lines after `$ command` up to the end of their fence.
fn output_of(command: &str) -> String {
    let text = readme();
    let (_, rest) = text.split_once(&format!("$ {command}\n")).unwrap_or_else(|| panic!("README does not show `{command}`"));
    rest.split("```").next().unwrap_or_default().to_owned()
}

/// Wall time is the machine's, not the program's: every length in ms or s becomes one mark, and blanks one blank.
fn without_wall_time(text: &str) -> String {
    let mut lines = Vec::new();
    for line in text.lines() {
        let mut words: Vec<&str> = Vec::new();
        for word in line.split_whitespace() {
            let after_number = words.last().is_some_and(|word| word.parse::<f64>().is_ok());
            if after_number && ["ms", "s", "ms;", "s;"].contains(&word) {
                words.pop();
                words.push("<wall>");
            } else {
                words.push(word);
            }
        }
        lines.push(words.join(" "));
    }
    lines.join("\n").trim().to_owned()
}

#[test]
fn the_first_command_prints_what_readme_shows() {
    let shown = output_of("cargo run --release -- run scenarios");
    // The command's own part: cargo builds this very program.
    let output = Command::new(env!("CARGO_BIN_EXE_firedrill"))
        .args(["run", "scenarios"])
        .current_dir(root())
        .env("NO_COLOR", "1")
        .output()
        .expect("the program starts");
    let printed = String::from_utf8(output.stdout).expect("UTF-8");
    assert_eq!(output.status.code(), Some(0), "{printed}");
    if std::env::var_os("FIREDRILL_BLESS").is_some() {
        std::fs::write(root().join("README.md"), readme().replace(shown.trim_end(), printed.trim_end())).expect("README.md");
        return;
    }
    let (printed, shown) = (without_wall_time(&printed), without_wall_time(&shown));
    let differs = printed.lines().zip(shown.lines()).find(|(printed, shown)| printed != shown);
    assert_eq!(differs, None, "printed and shown; FIREDRILL_BLESS=1 rewrites README");
    assert_eq!(printed.lines().count(), shown.lines().count(), "FIREDRILL_BLESS=1 rewrites README");
}

#[test]
fn the_set_up_commands_are_exactly_two() {
    let text = readme();
    let commands: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("$ cargo ")).collect();
    assert_eq!(commands, ["run --release -- run scenarios", "test --workspace"]);
}

#[test]
fn the_rust_example_is_a_test_of_this_crate() {
    let text = readme();
    let example = text.split("```rust\n").nth(1).and_then(|rest| rest.split("```").next()).expect("a Rust example");
    let tests = std::fs::read_to_string(root().join("crates/firedrill/tests/library.rs")).expect("the tests");
    for line in example.lines().filter(|line| !line.trim().is_empty() && !line.starts_with("use ")) {
        assert!(tests.contains(line.trim()), "not in tests/library.rs: {line}");
    }
}
