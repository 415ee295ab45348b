//! The language, end to end: small scripts with what PowerShell itself writes to its streams.
//!
//! Expectations were recorded from PowerShell by `tests/cases/record.ps1`; cases marked `[5.1]` follow Windows PowerShell 5.1 where
//! it differs. See the head of that script for the form of the files.

#[path = "support/cases.rs"]
mod cases;
mod support;

use cases::run;
use firedrill_powershell::session::render;
use rstest::rstest;

#[rstest]
#[case::strings(include_str!("cases/strings.txt"))]
#[case::numbers(include_str!("cases/numbers.txt"))]
#[case::flow(include_str!("cases/flow.txt"))]
#[case::errors(include_str!("cases/errors.txt"))]
#[case::objects(include_str!("cases/objects.txt"))]
#[case::scripts(include_str!("cases/scripts.txt"))]
#[case::classes(include_str!("cases/language/classes.txt"))]
#[case::functions(include_str!("cases/language/functions.txt"))]
#[case::streams(include_str!("cases/language/streams.txt"))]
#[case::grammar(include_str!("cases/language/grammar.txt"))]
#[case::control(include_str!("cases/language/control.txt"))]
#[case::cmdlet(include_str!("cases/language/cmdlet.txt"))]
#[case::modules(include_str!("cases/language/modules.txt"))]
#[case::usage(include_str!("cases/language/usage.txt"))]
fn behaves_like_powershell(#[case] file: &str) {
    cases::check(file);
}

#[test]
fn prints_from_environment() {
    if let Ok(path) = std::env::var("FD_SCRIPT") {
        println!("{}", render(&run(&std::fs::read_to_string(path).unwrap()), 120));
    }
}
