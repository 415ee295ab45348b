//! The built-in commands: what they write, as PowerShell itself does.
//!
//! The cases of `tests/cases/builtins` were recorded by `tests/cases/record.ps1`; those marked `[5.1]` follow Windows PowerShell 5.1.

#[path = "support/cases.rs"]
mod cases;
mod support;

use rstest::rstest;

#[rstest]
#[case::files(include_str!("cases/builtins/files.txt"))]
#[case::objects(include_str!("cases/builtins/objects.txt"))]
#[case::xml(include_str!("cases/builtins/xml.txt"))]
#[case::more(include_str!("cases/builtins/more.txt"))]
fn behaves_like_powershell(#[case] file: &str) {
    cases::check(file);
}
