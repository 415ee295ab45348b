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
#[case::generated(include_str!("cases/generated.txt"))]
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

/// Where a case follows Windows PowerShell 5.1 against what the recorded version does, `cases/differences-5.1.tsv` says why.
#[test]
fn differences_of_5_1_have_a_source() {
    let files = [
        ("errors.txt", include_str!("cases/errors.txt")),
        ("numbers.txt", include_str!("cases/numbers.txt")),
        ("scripts.txt", include_str!("cases/scripts.txt")),
        ("flow.txt", include_str!("cases/flow.txt")),
        ("strings.txt", include_str!("cases/strings.txt")),
        ("objects.txt", include_str!("cases/objects.txt")),
        ("classes.txt", include_str!("cases/language/classes.txt")),
        ("functions.txt", include_str!("cases/language/functions.txt")),
        ("cmdlet.txt", include_str!("cases/language/cmdlet.txt")),
        ("modules.txt", include_str!("cases/language/modules.txt")),
        ("streams.txt", include_str!("cases/language/streams.txt")),
        ("grammar.txt", include_str!("cases/language/grammar.txt")),
        ("control.txt", include_str!("cases/language/control.txt")),
        ("usage.txt", include_str!("cases/language/usage.txt")),
    ];
    let marked: std::collections::BTreeSet<String> = files
        .iter()
        .flat_map(|(file, text)| cases::cases(text).into_iter().map(move |case| format!("{file}\t{}", case.name)))
        .filter(|name| name.ends_with("[5.1]"))
        .collect();
    let listed: std::collections::BTreeSet<String> = include_str!("cases/differences-5.1.tsv")
        .lines()
        .filter_map(|line| {
            let (name, source) = line.rsplit_once('\t')?;
            (!source.is_empty()).then(|| name.to_owned())
        })
        .collect();
    assert_eq!(marked, listed);
}
