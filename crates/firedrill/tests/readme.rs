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

/// One fence of README that shows the program: its command, and what follows.
struct Shown {
    command: String,
    rest: String,
}

fn shown_commands() -> Vec<Shown> {
    let text = readme();
    let fences = text.split("```text\n").skip(1).filter_map(|rest| rest.split("```").next());
    let program = fences.filter_map(|fence| fence.strip_prefix("$ firedrill "));
    program.filter_map(|fence| fence.split_once('\n')).map(|(command, rest)| Shown { command: command.into(), rest: rest.into() }).collect()
}

/// What the program prints to a command, both streams in one as a terminal shows them; a shell gets the inputs that README
/// shows behind its prompts, one after another.
fn printed(shown: &Shown) -> String {
    let words: Vec<&str> = shown.command.split(' ').collect();
    if words[0] != "shell" {
        return run(&words, "");
    }
    let inputs: Vec<&str> = shown.rest.lines().filter_map(|line| line.split_once("] PS> ")).map(|(_, input)| input).collect();
    let mut text = String::new();
    let mut before = String::new();
    let mut prompts = shown.rest.lines().filter(|line| line.contains("] PS> "));
    for count in 1..=inputs.len() {
        // Each time from the start: what is new belongs to the last input.
        let all = run(&words, &(inputs[..count].join("\n") + "\n"));
        text.push_str(prompts.next().unwrap_or_default());
        text.push('\n');
        text.push_str(all.strip_prefix(&before).unwrap_or(&all));
        before = all;
    }
    text
}

fn run(words: &[&str], input: &str) -> String {
    use std::io::Write as _;
    let mut child = Command::new(env!("CARGO_BIN_EXE_firedrill"))
        .args(words)
        .current_dir(root())
        .env("NO_COLOR", "1")
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("the program starts");
    let _ = child.stdin.take().expect("a pipe").write_all(input.as_bytes());
    let output = child.wait_with_output().expect("the program ends");
    String::from_utf8(output.stdout).expect("UTF-8")
}

#[test]
fn scripts_and_sessions_print_what_readme_shows() {
    let tidy = |text: &str| text.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n");
    let all = shown_commands();
    assert!(all.len() >= 2, "README shows a script and a session");
    for shown in all {
        let printed = tidy(&printed(&shown));
        if std::env::var_os("FIREDRILL_BLESS").is_some() {
            let text = readme().replace(
                &format!("$ firedrill {}\n{}```", shown.command, shown.rest),
                &format!("$ firedrill {}\n{printed}\n```", shown.command),
            );
            std::fs::write(root().join("README.md"), text).expect("README.md");
        } else {
            assert_eq!(printed, tidy(&shown.rest), "{}; FIREDRILL_BLESS=1 rewrites README", shown.command);
        }
    }
}

/// The times in the prompts of README's session are those of the session.
#[test]
fn the_session_of_readme_tells_its_times() {
    let session = shown_commands().into_iter().find(|shown| shown.command.starts_with("shell")).expect("a session");
    for (line, after) in session.rest.lines().filter_map(|line| line.split_once("] PS> ")).map(|(prompt, _)| prompt).zip(0..) {
        let inputs: Vec<&str> =
            session.rest.lines().filter_map(|line| line.split_once("] PS> ")).map(|(_, input)| input).take(after).collect();
        let words: Vec<&str> = session.command.split(' ').collect();
        let mut inputs = inputs.join("\n");
        inputs.push_str("\n.time\n");
        let told = run(&words, &inputs);
        let time = told.lines().rev().find_map(|line| line.split_once("Z, ")).map(|(time, _)| time.replace('T', " ")).expect("a time");
        assert!(line.ends_with(&time), "{line} is at {time}");
    }
}
