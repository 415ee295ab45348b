//! Scripts that mean harm: each must end soon, with the limit that is named or with PowerShell's own error; never with a panic, a
//! full stack or a full memory. No script can swallow a limit.

mod support;

use firedrill_powershell::session::{Limits, Options, RunOutput, Session};
use rstest::rstest;
use support::TestWorld;

/// Small enough that a case ends within a second of an unoptimised build.
fn limits() -> Limits {
    Limits {
        steps: 100_000,
        call_depth: 100,
        string_size: 1 << 20,
        collection_size: 10_000,
        records: 5_000,
        memory: 64 << 20,
        ..Limits::default()
    }
}

fn run(script: &str) -> RunOutput {
    Session::new(limits(), Options::default()).run(&mut TestWorld::default(), "", script)
}

/// Name, script and expectation of each case of a file.
fn cases(text: &str) -> Vec<(&str, &str, &str)> {
    let cases = text.split("==== ").skip(1);
    cases
        .map(|case| {
            let (name, rest) = case.split_once('\n').unwrap();
            let (script, expected) = rest.split_once("\n----\n").unwrap();
            (name, script, expected.trim())
        })
        .collect()
}

/// `limit NAME`, `error ID` (of the first error), or `ends`.
fn verdict(output: &RunOutput) -> String {
    if let Some(limit) = output.limit {
        let name = format!("{limit:?}");
        return format!("limit {}", name.split('(').next().unwrap());
    }
    match output.errors().next() {
        Some(error) => format!("error {}", error.id),
        None => "ends".into(),
    }
}

#[rstest]
#[case::values(include_str!("hostile/values.txt"))]
#[case::control(include_str!("hostile/control.txt"))]
#[case::readers(include_str!("hostile/readers.txt"))]
fn hostile_scripts_end_with_a_name(#[case] file: &str) {
    let only = std::env::var("FD_HOSTILE").ok();
    let mut failures = Vec::new();
    for (name, script, expected) in cases(file) {
        if only.as_ref().is_some_and(|only| name != only) {
            continue;
        }
        eprintln!("{name}");
        let start = std::time::Instant::now();
        let output = run(script);
        let taken = start.elapsed();
        let found = verdict(&output);
        eprintln!("{name}: {found} {taken:?}");
        // A limit may end what otherwise ends by itself.
        if found != expected && expected != "ends" {
            failures.push(format!("{name}: {found}, not {expected}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// Text that is nested without end is refused by name, and never fills a stack: not even the small one of a test's thread.
#[rstest]
fn deep_texts_are_refused(
    #[values(
        "(",
        "@(",
        "$(",
        "{",
        "[",
        "@{a=",
        "if (",
        "function f {",
        "class a {",
        "try {",
        "switch (1) {",
        "$a[",
        "$a.b(",
        "[int](",
        "-not (",
        "\"$(",
        "\"$(\"",
        "while (1) {",
        "& {",
        "1..",
        ".",
        "!",
        "-",
        "++",
        ",",
        "[int]",
        "$a = ",
        "1 | ",
        "1 + ",
        "-join ",
        "a {",
        "<#",
        "${",
        "@'\n",
        "$a.b",
        "[a[",
        "a -b (",
        "param(",
        "trap {",
        "data {",
        "1, ",
        "`",
        "$a::b(",
        "elseif (",
        "[a(",
        "@(,",
        "$x.{",
        "$x.(",
        ">",
        "2>&1 ",
        "do {",
        ";{",
        "\"",
        "'"
    )]
    piece: &str,
) {
    for text in [piece.repeat(50_000), format!("{}1", piece.repeat(5_000))] {
        let (_, errors) = firedrill_powershell::session::parse(&text);
        for error in &errors {
            assert!(error.span.start <= error.span.end && error.span.end as usize <= text.len(), "{error:?}");
        }
    }
}

/// The limit on depth holds before the stack is full, even where each call nests as deep as the parser allows.
#[rstest]
#[case::parentheses(&format!("function f {{ {}f{} }}; f", "(".repeat(40), ")".repeat(40)))]
#[case::subexpressions(&format!("function f {{ {}f{} }}; f", "$(".repeat(20), ")".repeat(20)))]
#[case::blocks(&format!("function f {{ {}f{} }}; f", "if (1) { ".repeat(40), " }".repeat(40)))]
#[case::calls("function f { & { . { 1 | ForEach-Object { switch (1) { 1 { try { foreach ($x in 1) { f } } finally { } } } } } } }; f")]
#[case::texts("function f { \"$(\"$(\"$(f)\")\")\" }; f")]
#[case::methods("class A { [object] m() { return @(1).ForEach({ [A]::new().m() }) } }; [A]::new().m()")]
#[case::getters("$o = [pscustomobject]@{}; $o | Add-Member ScriptProperty p { 1 | Select-Object @{ n = 'x'; e = { $o.p } } }; $o.p")]
fn stacks_bear_the_depth(#[case] script: &str) {
    let output = Session::new(Limits::default(), Options::default()).run(&mut TestWorld::default(), "", script);
    assert_eq!(verdict(&output), "limit CallDepth");
}
