//! Bad topologies and what is said about them: `bad/NAME.yaml` with its golden `bad/NAME.diag`.
//!
//! A new case is a new file. `FIREDRILL_BLESS=1 cargo test -p firedrill-topology --test bad` writes the goldens anew;
//! read the difference before committing it. Cases named `warn-…` load in spite of what is said.

use std::path::{Path, PathBuf};

use firedrill_corpus::Corpus;
use firedrill_syntax::{Diagnostics, Severity, Source, render};
use firedrill_topology::{Loaded, limits, load_bytes, load_with};
use proptest::prelude::*;

fn here(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn load_case(file: &str) -> Loaded {
    let bytes = std::fs::read(here("tests/bad").join(file)).unwrap();
    match Source::from_bytes(file, &bytes) {
        Ok(source) => load_with(&source, &mut |zone| std::fs::read(here("tests/bad/zones").join(zone)).map_err(|e| e.kind().to_string())),
        Err(_) => load_bytes(file, &bytes),
    }
}

fn corpus() -> Corpus<'static> {
    Corpus::new(here("tests/bad"), |file| load_case(file).diagnostics)
}

#[test]
fn every_case_says_what_its_golden_says() {
    corpus().assert_goldens();
}

#[test]
fn errors_block_and_warnings_do_not() {
    for case in corpus().cases() {
        let Loaded { topology, diagnostics } = load_case(&format!("{case}.yaml"));
        let has_errors = diagnostics.iter().any(|d| d.severity == Severity::Error);
        assert_eq!(topology.is_none(), has_errors, "{case}");
        assert_eq!(case.starts_with("warn-"), !has_errors, "{case}: the name says whether it loads");
    }
}

#[test]
fn words_are_for_operators() {
    corpus().assert_house_rules();
}

#[test]
fn every_problem_has_a_hint() {
    corpus().assert_hints();
}

/// Every code that the sources can give has a case here that shows it.
#[test]
fn every_code_has_a_case() {
    let folders = ["src", "src/resolve", "src/validate", "../syntax/src"].map(here);
    corpus().assert_every_code_is_shown(
        &folders,
        &["error(", "warning(", "words(", "checked(", "refuse(", "missing(resolver,"],
        &[
            // Shown by the tests below and by those of the reader: their inputs are too large to commit.
            "document-too-large",
            "too-many-values",
            "too-many-problems",
            "limit",
            // Not reachable through a topology, whose lists have no fixed length and whose values have no parsers of their own.
            "wrong-length",
            "wrong-value",
        ],
    );
}

fn codes(loaded: &Loaded) -> Vec<&'static str> {
    loaded.diagnostics.iter().map(|d| d.code).collect()
}

const SMALL: &str = "name: big\nproduct: 2015\nsip_domains: [contoso.com]\nsites: [{ name: S }]\npools:\n  - fqdn: pool1.contoso.com\n    \
    site: S\n    edition: standard\n    file_store: \\\\pool1.contoso.com\\sfb\n    central_management: active\n";

/// 100 MB are refused by their size, before a byte is looked at: they are not even UTF-8.
#[test]
fn a_huge_file_is_refused_unread() {
    let loaded = load_bytes("huge.yaml", &vec![0xff; 100_000_000]);
    assert_eq!(codes(&loaded), ["document-too-large"]);
    assert_eq!(loaded.diagnostics[0].message, "the document has 100000000 bytes; at most 8388608 are read");
}

#[test]
fn limits_have_names() {
    let many: String =
        (0..=limits::MAX_USER_ENTRIES).map(|n| format!("  - {{ address: u{n}@contoso.com, pool: pool1.contoso.com }}\n")).collect();
    let loaded = load_bytes("a.yaml", format!("{SMALL}users:\n{many}").as_bytes());
    assert_eq!(codes(&loaded), ["limit"]);
    let one_name: String = (0..=limits::MAX_RECORDS_OF_A_SET).map(|n| format!("10.0.{}.{}, ", n / 256, n % 256)).collect();
    let zone = "dns_zones:\n  - origin: contoso.com\n    soa: { primary: ns.contoso.com, responsible: h.contoso.com, serial: 1 }\n";
    let loaded = load_bytes("a.yaml", format!("{SMALL}{zone}    records: [{{ name: a, a: [{one_name}] }}]\n").as_bytes());
    assert_eq!(codes(&loaded), ["limit"]);
    let ranges: String = (0..=limits::MAX_USER_RANGES)
        .map(|n| format!("  - {{ address: \"u{n}x{{n}}@contoso.com\", count: 1, pool: pool1.contoso.com }}\n"))
        .collect();
    assert_eq!(codes(&load_bytes("a.yaml", format!("{SMALL}users:\n{ranges}").as_bytes())), ["limit"]);
}

/// A document that is wrong ten thousand times says so two hundred times, and quickly.
#[test]
fn problems_beyond_the_limit_are_counted() {
    let many: String = (0..10_000).map(|n| format!("  - {{ address: u{n}@contoso.com, pool: poool{n}.contoso.com }}\n")).collect();
    let loaded = load_bytes("a.yaml", format!("{SMALL}users:\n{many}").as_bytes());
    assert_eq!(loaded.diagnostics.len(), Diagnostics::KEPT + 1);
    assert_eq!(loaded.diagnostics.last().unwrap().message, "9800 more problems of this document are not shown");
    assert!(loaded.topology.is_none());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever the bytes: an answer with places inside the text, and it can be printed.
    #[test]
    fn arbitrary_bytes_get_an_answer(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        answers(&bytes);
    }

    /// The same for texts that look like YAML.
    #[test]
    fn arbitrary_yaml_gets_an_answer(text in r#"([a-z]{1,4}: ?|- |\[|\]|\{|\}|"|'|\n {0,6}|&a|\*a|<<|#|\||>|!t|,|é|\\|\t|0|true|---\n){0,60}"#) {
        answers(text.as_bytes());
    }

    /// A good topology with lines taken out and words put in other places: YAML as a rule, and wrong in meaning.
    #[test]
    fn shuffled_topologies_get_an_answer(
        lost in prop::collection::vec(any::<prop::sample::Index>(), 0..4),
        swaps in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>()), 1..12),
    ) {
        let text = include_str!("../../../fixtures/legacy-cms.yaml");
        let mut lines: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with('#')).collect();
        for at in lost {
            lines.remove(at.index(lines.len()));
        }
        let text = lines.join("\n");
        let mut words: Vec<&str> = text.split_inclusive([' ', '\n']).collect();
        // Only words that are values change places, each keeping what follows it: the shape stays.
        let values: Vec<usize> = words
            .iter()
            .enumerate()
            .filter(|(_, word)| word.trim_end().len() > 2 && word.trim_end().chars().all(|c| c.is_ascii_alphanumeric() || ".-".contains(c)))
            .map(|(at, _)| at)
            .collect();
        let original = words.clone();
        for (a, b) in swaps {
            let (a, b) = (values[a.index(values.len())], values[b.index(values.len())]);
            if original[a].ends_with('\n') == original[b].ends_with('\n') {
                words.swap(a, b);
            }
        }
        answers(words.concat().as_bytes());
    }

    /// A good topology with a few bytes changed never panics, and never loads with an error.
    #[test]
    fn damaged_topologies_get_an_answer(damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)) {
        let mut bytes = include_bytes!("../../../fixtures/contoso.yaml").to_vec();
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        answers(&bytes);
    }
}

fn answers(bytes: &[u8]) {
    let loaded = load_bytes("any.yaml", bytes);
    assert_eq!(loaded.topology.is_none(), loaded.diagnostics.iter().any(|d| d.severity == Severity::Error));
    for diagnostic in &loaded.diagnostics {
        assert!(diagnostic.span.start <= diagnostic.source.text.len(), "{diagnostic:?}");
    }
    render(&loaded.diagnostics, true);
    render(&loaded.diagnostics, false);
}
