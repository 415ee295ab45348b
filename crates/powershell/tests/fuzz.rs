//! Laws that hold for every text: no panic, places inside the text, the same output twice, an end within the limits.
//!
//! Texts come from a seed: the scripts of all case files and of `fuzz/corpus` (what was found once), cut, spliced and mangled, and
//! scripts of the generator. `cargo xtask fuzz` runs longer: `FIREDRILL_FUZZ_SECONDS` and `FIREDRILL_FUZZ_SEED` say how long and which.

#[path = "support/cases.rs"]
mod cases;
#[path = "support/generate.rs"]
mod generate;
mod support;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use firedrill_powershell::Value;
use firedrill_powershell::session::{Limits, Options, Session, parse, render};
use generate::Random;
use support::TestWorld;

/// Pieces that grammars trip over.
const PIECES: &[&str] = &[
    "(",
    ")",
    "{",
    "}",
    "[",
    "]",
    "@(",
    "@{",
    "$(",
    "\"",
    "'",
    "@'\n",
    "\n'@",
    "@\"\n",
    "\n\"@",
    "`",
    "`\n",
    "#",
    "<#",
    "#>",
    "$",
    "${",
    "$_",
    ",",
    ";",
    "|",
    "&",
    "&&",
    "..",
    "::",
    ".",
    "-",
    "--",
    "++",
    "=",
    "+=",
    "-f ",
    "-join ",
    "-split ",
    "-replace ",
    "%",
    "!",
    "\u{2013}",
    "\u{201c}",
    "\u{2019}",
    "\u{a0}",
    "é",
    "😀",
    "\0",
    "\r\n",
    "0x",
    "1e",
    "9999999999999999999",
    "-2147483648",
    "[int]",
    "[string]",
    "if (",
    "else",
    "foreach ($x in ",
    "switch (",
    "try {",
    "catch {",
    "function f {",
    "param(",
    "class A {",
    "return ",
    "break",
    "--%",
    "2>&1",
    ">",
    "$null",
    "{0}",
    "<a>",
    "</a>",
    "<a b=\"",
    "&#x",
    "&amp;",
    "]]>",
    "\\u",
    "\\p{",
    "(?<",
    "{1,",
    "*",
];

fn seconds() -> Option<u64> {
    std::env::var("FIREDRILL_FUZZ_SECONDS").ok()?.parse().ok()
}

fn first_seed() -> u64 {
    std::env::var("FIREDRILL_FUZZ_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1)
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder).map(|all| all.flatten().map(|e| e.path()).collect()).unwrap_or_default();
    paths.sort();
    for path in paths {
        if path.is_dir() { files(&path, found) } else { found.push(path) }
    }
}

/// What once failed, then the scripts of all cases.
fn seeds() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mut found, mut held) = (Vec::new(), Vec::new());
    files(&root.join("fuzz/corpus"), &mut held);
    let mut seeds: Vec<String> =
        held.iter().filter_map(|path| std::fs::read(path).ok()).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).collect();
    files(&root.join("tests/cases"), &mut found);
    files(&root.join("tests/hostile"), &mut found);
    for path in found.iter().filter(|path| path.extension().is_some_and(|e| e == "txt")) {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        seeds.extend(cases::cases(&text).into_iter().map(|case| case.script));
    }
    assert!(seeds.len() > 100, "the case files are the corpus");
    seeds
}

/// A piece of a text, cut at characters.
fn slice<'a>(text: &'a str, random: &mut Random) -> &'a str {
    let cut = |mut at: usize| {
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let start = cut(random.below(text.len() + 1));
    let end = cut((start + random.below(40)).min(text.len())).max(start);
    &text[start..end]
}

fn mutated(seeds: &[String], random: &mut Random) -> String {
    let mut text = random.pick(seeds).clone();
    for _ in 0..random.below(5) {
        let mut at = random.below(text.len() + 1);
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        let gone = slice(&text[at..], random).len().min(text.len() - at);
        let gone = if text.is_char_boundary(at + gone) { gone } else { 0 };
        match random.below(6) {
            0 => text.replace_range(at..at + gone, ""),
            1 | 2 => text.insert_str(at, random.piece(PIECES)),
            3 => {
                let other = random.pick(seeds);
                let other = slice(other, random).to_string();
                text.insert_str(at, &other);
            }
            4 => {
                let own = slice(&text, random).to_string();
                text.insert_str(at, &own.repeat(1 + random.below(3)));
            }
            _ => text.replace_range(at..at + gone, random.piece(PIECES)),
        }
    }
    text
}

/// Runs a law over so many texts, or for as long as the environment says; a text that breaks it is made shorter and shown.
fn hold(law: &str, count: u64, text: impl Fn(u64) -> String, check: impl Fn(&str)) {
    let breaks = |text: &str| catch_unwind(AssertUnwindSafe(|| check(text))).is_err();
    let start = Instant::now();
    let first = first_seed();
    let mut seed = first;
    loop {
        let more = seconds().map_or(seed < first + count, |seconds| start.elapsed() < Duration::from_secs(seconds));
        if !more {
            break;
        }
        let mut text = text(seed);
        if breaks(&text) {
            let mut size = text.len() / 2;
            while size > 0 {
                let mut at = 0;
                while at + size <= text.len() {
                    if text.is_char_boundary(at) && text.is_char_boundary(at + size) {
                        let shorter = format!("{}{}", &text[..at], &text[at + size..]);
                        if breaks(&shorter) {
                            text = shorter;
                            continue;
                        }
                    }
                    at += size.max(1);
                }
                size /= 2;
            }
            panic!("{law}: seed {seed}; keep it in fuzz/corpus:\n{text}\n");
        }
        seed += 1;
    }
}

fn small() -> Limits {
    Limits {
        steps: 5_000,
        call_depth: 40,
        string_size: 100_000,
        collection_size: 5_000,
        records: 500,
        memory: 8 << 20,
        pipeline_length: 50,
        ..Limits::default()
    }
}

fn shown(script: &str, given: Option<&str>) -> String {
    let mut session = Session::new(small(), Options::default());
    if let Some(text) = given {
        session.set_variable("t", Value::str(text));
    }
    let output = session.run(&mut TestWorld::default(), "", script);
    let shown = render(&output, 80);
    format!("{shown}{:?}", output.limit)
}

#[test]
fn places_lie_inside_the_text() {
    let seeds = seeds();
    let text = |seed| mutated(&seeds, &mut Random::new(seed));
    hold("places", 3_000, text, |text| {
        let (ast, errors) = parse(text);
        for error in &errors {
            let (start, end) = (error.span.start as usize, error.span.end as usize);
            assert!(start <= end && text.get(start..end).is_some(), "{error:?}");
        }
        let nodes = firedrill_powershell::ast::outline(&ast);
        for node in &nodes {
            let (start, end) = (node.span.start as usize, node.span.end as usize);
            assert!(start <= end && text.get(start..end).is_some(), "{node:?}");
        }
        assert_eq!(nodes, firedrill_powershell::ast::outline(&parse(text).0));
        // What a statement spans is the whole statement: without what stands behind it, it parses again. Words that are commands or
        // keywords by what follows them are left out.
        let alone = errors.is_empty() && ast.parameters.is_empty() && ast.begin.is_none() && ast.process.is_none();
        if let Some(block) = ast.end.as_ref().filter(|_| alone) {
            for own in block
                .statements
                .iter()
                .map(|statement| statement.span.of(text))
                .filter(|own| own.contains(' ') && !own.to_lowercase().starts_with("using"))
            {
                assert!(parse(own).1.is_empty(), "{own}");
            }
        }
    });
}

#[test]
fn evaluation_ends_and_repeats_itself() {
    let seeds = seeds();
    let text = |seed| match seed % 3 {
        0 => {
            let mut random = Random::new(seed);
            format!("{}\n{}", generate::PRELUDE, generate::statement(&mut random))
        }
        _ => mutated(&seeds, &mut Random::new(seed)),
    };
    hold("evaluation", 300, text, |text| assert_eq!(shown(text, None), shown(text, None)));
}

#[test]
fn formatting_takes_any_width() {
    const FORMS: &[&str] = &[
        "Format-Table",
        "Format-Table -AutoSize",
        "Format-Table -Wrap",
        "Format-List",
        "Format-Wide",
        "Format-Wide -Column 3",
        "Select-Object *",
    ];
    let text = |seed| {
        let mut random = Random::new(seed);
        let (value, form, width) = (generate::statement(&mut random), random.piece(FORMS), 1 + random.below(120));
        format!("{}\n& {{ {value} }} | {form} | Out-String -Width {width}", generate::PRELUDE)
    };
    hold("formatting", 200, text, |text| drop(shown(text, None)));
}

/// What reads text: the text is `$t`, so that no quoting hides anything.
const READERS: &str = "foreach ($read in { ConvertFrom-Json $t }, { $t | ConvertFrom-Csv | Out-String }, { ([xml]$t).OuterXml },
    { Set-Content C:\\a.xml $t; Import-Clixml C:\\a.xml | Out-String }, { [datetime]$t }, { [timespan]$t }, { [double]$t }, { [decimal]$t },
    { [version]$t }, { [guid]$t }, { [int]$t }, { (Get-Date 1/1/2020).ToString($t) }, { (12.5).ToString($t) }, { $t -f 1, 'x' }, { 'abc' -like $t },
    { 'abc' -match $t }, { 'abc' -replace $t, $t }, { 'abc' -split $t }, { [scriptblock]::Create($t).ToString().Length }, { $t -as [type] },
    { ConvertFrom-StringData $t }, { Join-Path $t $t }, { Split-Path $t }, { [regex]::Escape($t) }, { [uri]$t }, { [ipaddress]$t },
    { ([xml]'<a b=\"1\"><c/></a>').SelectNodes($t).Count }) { try { & $read } catch { \"$_\" } }";

#[test]
fn readers_take_any_text() {
    let mut seeds = seeds();
    seeds.extend(
        [
            "{\"a\":[1,2.5,null,true,\"x\\u0041\"],\"b\":{}}",
            "a,b\n1,\"x\"\"y\"\n2,",
            "<a b=\"1\"><!-- c --><d>&lt;x</d><![CDATA[y]]></a>",
            "<Objs Version=\"1.1.0.1\" xmlns=\"http://schemas.microsoft.com/powershell/2004/04\"><Obj RefId=\"0\"><TN RefId=\"0\"><T>System.Object</T></TN><MS><I32 N=\"a\">1</I32><S N=\"b\">x_x000A_</S><DT N=\"c\">2020-01-01T00:00:00Z</DT></MS></Obj></Objs>",
            "2020-02-29T12:34:56.789+01:00",
            "-12.03:04:05.678",
            "#,##0.00;(0);'zero'",
            "yyyy-MM-dd'T'HH:mm:ss.fffK",
            "{0,-5:N2}|{1,5}",
            "^(?<a>\\d+)[\\w-[aeiou]]*?(?=x)\\k<a>$",
            "/a//b[@c='1' and position() < 3]/text() | //*[contains(., 'x')]",
        ]
        .map(String::from),
    );
    let text = |seed| mutated(&seeds[if seed % 2 == 0 { seeds.len() - 11 } else { 0 }..], &mut Random::new(seed));
    hold("readers", 100, text, |text| drop(shown(READERS, Some(text))));
}
