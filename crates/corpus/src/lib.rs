//! For tests of other crates: folders of bad documents with their golden diagnostics, and the rules that all diagnostics
//! obey.
//!
//! A corpus is a folder in which `NAME.yaml` is a document with something wrong in it and `NAME.diag` is what must be said
//! about it. A new case is a new file. With `FIREDRILL_BLESS=1` in the environment the goldens are written anew instead of
//! compared; whoever does that reads the difference before committing it.
//!
//! Only a `[dev-dependencies]` section may name this crate: it reads and writes files, and it panics where a test fails.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use firedrill_syntax::{Diagnostic, render};

/// Whether goldens and generated files are to be written instead of compared.
pub fn is_blessing() -> bool {
    std::env::var_os("FIREDRILL_BLESS").is_some()
}

/// A committed file that a program generates: compares it with what is generated now, or writes it when blessing.
///
/// # Panics
/// When the file is stale, or cannot be written.
#[track_caller]
pub fn assert_committed(path: &Path, generated: &str) {
    // The generated text is not shown: schemas have thousands of lines.
    if let Err(complaint) = compare(path, generated, is_blessing()) {
        panic!("{complaint}");
    }
}

fn compare(path: &Path, generated: &str, bless: bool) -> Result<(), String> {
    if bless {
        return std::fs::write(path, generated).map_err(|error| format!("{}: {error}", path.display()));
    }
    match std::fs::read_to_string(path) {
        Ok(committed) if committed == generated => Ok(()),
        _ => Err(format!("{} is stale or missing; FIREDRILL_BLESS=1 writes it anew", path.display())),
    }
}

/// What is said about a document, by its file name.
type Load<'a> = Box<dyn Fn(&str) -> Vec<Diagnostic> + 'a>;

/// A folder of bad documents.
pub struct Corpus<'a> {
    folder: PathBuf,
    load: Load<'a>,
}

impl<'a> Corpus<'a> {
    /// The corpus in a folder. `load` says what is wrong with the document of a case; it gets the case's file name,
    /// `NAME.yaml`, without the folder, because that is what goldens show.
    pub fn new(folder: impl Into<PathBuf>, load: impl Fn(&str) -> Vec<Diagnostic> + 'a) -> Self {
        Self { folder: folder.into(), load: Box::new(load) }
    }

    /// Names of all cases in alphabetical order, without `.yaml`.
    ///
    /// # Panics
    /// When the folder cannot be read.
    pub fn cases(&self) -> Vec<String> {
        self.files().iter().filter_map(|file| file.strip_suffix(".yaml").map(str::to_owned)).collect()
    }

    /// What is said about a case.
    pub fn diagnostics(&self, case: &str) -> Vec<Diagnostic> {
        (self.load)(&format!("{case}.yaml"))
    }

    /// Codes of everything that is said about all cases.
    pub fn codes(&self) -> BTreeSet<&'static str> {
        self.cases().iter().flat_map(|case| self.diagnostics(case)).map(|diagnostic| diagnostic.code).collect()
    }

    /// Something is said about every case, it is what the case's golden says, and no golden is without a case.
    ///
    /// # Panics
    /// With all differences, when there are any.
    #[track_caller]
    pub fn assert_goldens(&self) {
        fail_on(self.golden_complaints(is_blessing()));
    }

    fn golden_complaints(&self, bless: bool) -> Vec<String> {
        let cases = self.cases();
        let mut complaints = Vec::new();
        for case in &cases {
            let diagnostics = self.diagnostics(case);
            if diagnostics.is_empty() {
                complaints.push(format!("{case}: nothing is said"));
            }
            let golden = self.folder.join(format!("{case}.diag"));
            let said = render(&diagnostics, false);
            complaints.extend(compare(&golden, &said, bless).err().map(|complaint| format!("{complaint}. Said now:\n{said}")));
        }
        let orphans =
            self.files().into_iter().filter(|file| file.strip_suffix(".diag").is_some_and(|case| !cases.iter().any(|c| c == case)));
        complaints.extend(orphans.map(|file| format!("{file} has no case: remove it")));
        complaints
    }

    /// What is wrong is half an answer: every problem comes with one thing to do.
    ///
    /// # Panics
    /// When one does not.
    pub fn assert_hints(&self) {
        let without: Vec<String> = self
            .cases()
            .iter()
            .flat_map(|case| (self.load)(&format!("{case}.yaml")))
            .filter(|problem| problem.hint.is_none())
            .map(|problem| format!("{}: {}: {}", problem.source.name, problem.code, problem.message))
            .collect();
        assert!(without.is_empty(), "no hint:\n{}", without.join("\n"));
    }

    /// Every diagnostic of every case obeys [`house_rules`].
    ///
    /// # Panics
    /// With all complaints, when there are any.
    #[track_caller]
    pub fn assert_house_rules(&self) {
        let complaints = self.cases().into_iter().flat_map(|case| {
            let of_case = self.diagnostics(&case).into_iter().flat_map(|diagnostic| house_rules(&diagnostic));
            of_case.map(|complaint| format!("{case}: {complaint}")).collect::<Vec<_>>()
        });
        fail_on(complaints.collect());
    }

    /// Every code that sources can give is shown by a case, or is one of `elsewhere`. `folders` are searched for Rust files
    /// (not below them) in which a literal code follows the opening bracket of one of `calls`: `error(`, `warning(`.
    /// Sources below `#[cfg(test)]` do not count.
    ///
    /// # Panics
    /// With the codes that no case shows, when there are any, and when a folder cannot be read.
    #[track_caller]
    pub fn assert_every_code_is_shown(&self, folders: &[PathBuf], calls: &[&str], elsewhere: &[&str]) {
        let shown = self.codes();
        let mut given = BTreeSet::new();
        for folder in folders {
            for file in file_names(folder).into_iter().filter(|file| file.ends_with(".rs")) {
                let path = folder.join(file);
                let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
                given.extend(codes_in(&text, calls).map(str::to_owned));
            }
        }
        assert!(!given.is_empty(), "no code was found in {folders:?}: are the calls right?");
        let missing = given.iter().filter(|code| !shown.contains(code.as_str()) && !elsewhere.contains(&code.as_str()));
        fail_on(missing.map(|code| format!("no case shows `{code}`")).collect());
    }

    fn files(&self) -> Vec<String> {
        file_names(&self.folder)
    }
}

fn file_names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut names: Vec<String> = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    names.sort();
    names
}

#[track_caller]
fn fail_on(complaints: Vec<String>) {
    assert!(complaints.is_empty(), "{}\n{} complaints", complaints.join("\n"), complaints.len());
}

/// The literal codes behind calls in the text of a source file.
fn codes_in<'t>(text: &'t str, calls: &'t [&str]) -> impl Iterator<Item = &'t str> {
    let code = text.split("#[cfg(test)]").next().unwrap_or(text);
    calls.iter().flat_map(move |call| {
        code.match_indices(call).filter_map(move |(at, _)| {
            let literal = code[at + call.len()..].trim_start().strip_prefix('"')?;
            let name = literal.split('"').next()?;
            // Attributes of error enums look alike; codes are words with hyphens.
            name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-').then_some(name)
        })
    })
}

/// Words that only a programmer of this project understands: a diagnostic is for operators.
const LEAKS: &[&str] =
    &["Document", "struct ", "enum ", "variant", "serde", "u16", "u32", "usize", "Option", "Vec<", "expected one of", "crates/"];

/// Proper names that a message may begin with; every other message begins in lower case.
const NAMES: &[&str] = &["Lync ", "Skype ", "Topology Builder "];

/// What every diagnostic must be, whoever gives it; returns what this one is not.
///
/// A code, words and a place inside the text; a message and a hint that are fragments on one line, for operators and not
/// for the programmers of this project; nothing of the machine that it was produced on.
pub fn house_rules(diagnostic: &Diagnostic) -> Vec<String> {
    let Diagnostic { code, message, hint, source, span, .. } = diagnostic;
    let mut complaints = Vec::new();
    let mut complain = |what: &str| complaints.push(format!("{code}: {what}: {message:?} {hint:?}"));
    if code.is_empty() || message.is_empty() {
        complain("no code, or no words");
    }
    if span.start > span.end || span.end > source.text.len() {
        complain("the place is not in the text");
    } else if source.place(*span).starts_with(std::path::is_separator) {
        complain("the place is on somebody's machine");
    }
    let proper = NAMES.iter().any(|name| message.starts_with(name));
    if message.starts_with(char::is_uppercase) && !proper {
        complain("the message begins like a sentence");
    }
    for text in [Some(message), hint.as_ref()].into_iter().flatten() {
        if text.ends_with('.') || text.contains('\n') {
            complain("not a fragment on one line");
        }
        if let Some(leak) = LEAKS.iter().find(|leak| text.contains(*leak)) {
            complain(&format!("{leak:?} means nothing to an operator"));
        }
    }
    complaints
}

#[cfg(test)]
mod tests {
    use super::*;
    use firedrill_syntax::{Source, Span};
    use rstest::rstest;

    fn said(file: &str, text: &str) -> Vec<Diagnostic> {
        let source = Source::new(file, text);
        match text.find("bad") {
            Some(at) => vec![Diagnostic::error("bad-word", &source, Span::new(at, at + 3), "this word is bad").hint("write `good`")],
            None => Vec::new(),
        }
    }

    fn with_corpus(files: &[(&str, &str)], check: impl FnOnce(&Corpus<'_>)) {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        check(&Corpus::new(folder.path(), |file| said(file, &std::fs::read_to_string(folder.path().join(file)).unwrap())));
    }

    #[test]
    fn a_golden_must_be_there_and_must_agree() {
        with_corpus(&[("a.yaml", "a bad day\n"), ("b.yaml", "a bad night\n"), ("b.diag", "something else")], |corpus| {
            assert_eq!(corpus.cases(), ["a", "b"]);
            assert_eq!(corpus.golden_complaints(false).len(), 2);
            assert!(corpus.golden_complaints(true).is_empty(), "blessing writes both");
            assert!(corpus.golden_complaints(false).is_empty());
        });
    }

    #[test]
    fn silence_and_orphans_are_told_even_when_blessing() {
        with_corpus(&[("good.yaml", "a good day\n"), ("gone.diag", "")], |corpus| {
            let complaints = corpus.golden_complaints(true).join("\n");
            assert!(complaints.contains("good: nothing is said") && complaints.contains("gone.diag has no case"), "{complaints}");
        });
    }

    #[test]
    fn codes_are_found_where_they_are_given() {
        let text = "self.error(\"one-code\", x); self.warning(\n    \"two\",\n y); #[error(\"a text\")]\n#[cfg(test)] error(\"three\")";
        assert_eq!(codes_in(text, &["error(", "warning("]).collect::<Vec<_>>(), ["one-code", "two"]);
    }

    #[rstest]
    #[case::sound("this is wrong", Some("write `x`"), 0)]
    #[case::proper_name("Skype for Business Server 2019 has no XMPP", None, 0)]
    #[case::sentence("This is wrong", None, 1)]
    #[case::full_stop("this is wrong.", None, 1)]
    #[case::full_stop_in_hint("this is wrong", Some("do this."), 1)]
    #[case::two_lines("this is\nwrong", None, 1)]
    #[case::leak("this is no u16", None, 1)]
    #[case::no_words("", None, 1)]
    fn house_rules_see(#[case] message: &str, #[case] hint: Option<&str>, #[case] complaints: usize) {
        let diagnostic =
            Diagnostic::error("a-code", &Source::new("a.yaml", "text"), Span::new(0, 4), message).maybe_hint(hint.map(str::to_owned));
        assert_eq!(house_rules(&diagnostic).len(), complaints, "{:?}", house_rules(&diagnostic));
    }

    #[test]
    fn a_place_outside_the_text_is_a_lie() {
        let diagnostic = Diagnostic::error("a-code", &Source::new("a.yaml", "text"), Span::new(2, 9), "this is wrong");
        assert_eq!(house_rules(&diagnostic).len(), 1);
    }
}
