//! `System.Text.RegularExpressions` on a backtracking engine whose work is bounded. Patterns are translated first; what
//! .NET has and the engine has not (balancing groups, right to left) is reported as not modelled, never taken for
//! something else.

mod objects;
mod replace;
mod translate;

use std::sync::{Arc, OnceLock};

use fancy_regex::{Regex, RegexBuilder};

pub(crate) use objects::group_of;
pub(super) use objects::{construct, method, statics};
pub use objects::{match_object, object};
pub use replace::Replacement;

use crate::error::{ErrorRecord, Flow, LimitError, exception_chain};
use crate::limits;
use crate::value::Value;

/// Largest compiled program; hostile patterns hit it instead of memory.
const SIZE_LIMIT: usize = 8 << 20;
/// Most steps back that one search may take; hostile patterns hit it instead of time.
const BACKTRACK_LIMIT: usize = 1_000_000;
/// First half of the id of errors about patterns that .NET takes and our engine does not.
pub(crate) const NOT_MODELLED: &str = "RegexNotModelled";

/// `RegexOptions`, as far as they change what a pattern matches.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Flags {
    /// `IgnoreCase`, `(?i)`.
    pub ignore_case: bool,
    /// `Multiline`, `(?m)`: anchors match at lines.
    pub multiline: bool,
    /// `Singleline`, `(?s)`: a dot matches a line feed, too.
    pub single_line: bool,
    /// `ExplicitCapture`, `(?n)`: only groups with names capture.
    pub explicit: bool,
    /// `IgnorePatternWhitespace`, `(?x)`.
    pub ignore_blanks: bool,
}

/// A flag of a set.
type Field = fn(&mut Flags) -> &mut bool;

impl Flags {
    const BITS: [(i64, Field); 5] = [
        (1, |f| &mut f.ignore_case),
        (2, |f| &mut f.multiline),
        (4, |f| &mut f.explicit),
        (16, |f| &mut f.single_line),
        (32, |f| &mut f.ignore_blanks),
    ];

    /// Flags without regard to case or with it.
    pub fn case(case_sensitive: bool) -> Self {
        Self { ignore_case: !case_sensitive, ..Self::default() }
    }

    /// From the number of `RegexOptions`; right to left is not modelled.
    fn from_bits(bits: i64) -> Result<Self, PatternError> {
        if bits & 64 != 0 {
            return Err(PatternError::NotModelled("matching from right to left".into()));
        }
        if bits & 256 != 0 {
            return Err(PatternError::NotModelled("ECMAScript".into()));
        }
        let mut flags = Self::default();
        for (bit, field) in Self::BITS {
            *field(&mut flags) = bits & bit != 0;
        }
        Ok(flags)
    }

    fn bits(mut self) -> i64 {
        Self::BITS.iter().filter(|(_, field)| *field(&mut self)).map(|(bit, _)| bit).sum()
    }
}

/// Why a pattern cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PatternError {
    /// .NET refuses it, in its words.
    Invalid(String),
    /// .NET takes it, the engine does not; what it is about.
    NotModelled(String),
}

/// Who asked for the pattern: each wraps the same fault in another error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asker<'a> {
    /// `-match`, `-split`: the exception itself.
    Operator,
    /// `-replace`, `switch -Regex`: an error of the language.
    Language,
    /// `[regex]'…'`.
    Cast,
    /// A method or constructor, with its number of arguments.
    Method(&'a str, usize),
}

impl PatternError {
    /// The error record.
    pub fn record(&self, pattern: &str, asker: Asker<'_>) -> ErrorRecord {
        const ARGUMENT: &str = "System.ArgumentException";
        let reason = match self {
            Self::Invalid(reason) => format!("parsing \"{pattern}\" - {reason}"),
            Self::NotModelled(what) => {
                let message = format!("The regular expression \"{pattern}\" is not modelled: {what}.");
                return ErrorRecord {
                    decorated: true,
                    ..ErrorRecord::new(message, NOT_MODELLED, "NotImplemented", "System.Management.Automation.PSNotImplementedException")
                }
                .with_target(Value::str(pattern));
            }
        };
        match asker {
            Asker::Operator => ErrorRecord { decorated: true, ..ErrorRecord::new(reason, ARGUMENT, "OperationStopped", ARGUMENT) },
            Asker::Language => ErrorRecord {
                inner_types: exception_chain(ARGUMENT),
                ..ErrorRecord::runtime(
                    format!("The regular expression pattern {pattern} is not valid."),
                    "InvalidRegularExpression",
                    "InvalidOperation",
                )
            }
            .with_target(Value::str(pattern)),
            Asker::Cast => ErrorRecord {
                decorated: true,
                ..ErrorRecord::new(
                    format!("Cannot convert value \"{pattern}\" to type \"System.Text.RegularExpressions.Regex\". Error: \"{reason}\""),
                    "InvalidCastFromStringToRegex",
                    "InvalidArgument",
                    "System.Management.Automation.RuntimeException",
                )
            },
            Asker::Method(name, count) => super::method_threw(name, count, &reason, ARGUMENT),
        }
    }
}

/// One group of a pattern by its .NET number.
#[derive(Debug, Clone)]
pub struct GroupInfo {
    /// Its name; `None` for groups that have only a number.
    pub name: Option<Arc<str>>,
    /// Whether it may match more than once, so that it has captures that nobody kept.
    repeated: bool,
    /// The engine's groups behind it; several when the pattern uses one name twice.
    engine: Vec<usize>,
}

/// A compiled pattern.
#[derive(Debug)]
pub struct Pattern {
    text: Arc<str>,
    flags: Flags,
    groups: Vec<GroupInfo>,
    pieces: Vec<String>,
    /// For texts that do not end in a line feed, where `$` and `\z` are the same.
    plain: Regex,
    /// For texts that end in a line feed.
    before_line_feed: OnceLock<Option<Regex>>,
}

/// Where one match and its groups stand, in bytes; by .NET number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The places; 0 is the whole match.
    pub spans: Vec<Option<(usize, usize)>>,
}

impl Found {
    /// Where the whole match begins.
    pub fn start(&self) -> usize {
        self.spans.first().copied().flatten().map_or(0, |s| s.0)
    }

    /// Where the whole match ends.
    pub fn end(&self) -> usize {
        self.spans.first().copied().flatten().map_or(0, |s| s.1)
    }

    /// The text of a group; `None` when it took no part.
    pub fn text<'t>(&self, number: usize, subject: &'t str) -> Option<&'t str> {
        self.spans.get(number).copied().flatten().map(|(from, to)| &subject[from..to])
    }
}

fn build(pattern: &str) -> Result<Regex, PatternError> {
    RegexBuilder::new(pattern)
        .backtrack_limit(BACKTRACK_LIMIT)
        .delegate_size_limit(SIZE_LIMIT)
        .build()
        .map_err(|error| PatternError::NotModelled(format!("the engine does not take it ({error})")))
}

impl Pattern {
    /// Compiles a .NET pattern.
    pub fn new(pattern: &str, flags: Flags) -> Result<Self, PatternError> {
        let translation = translate::translate(pattern, flags)?;
        let plain = build(&translation.pieces.join("\\z"))?;
        Ok(Self {
            text: pattern.into(),
            flags,
            groups: translation.groups,
            pieces: translation.pieces,
            plain,
            before_line_feed: OnceLock::new(),
        })
    }

    /// A pattern that matches a text literally.
    pub fn literal(text: &str, flags: Flags) -> Result<Self, PatternError> {
        let mut pattern = Self::new(&objects::escape(text), flags)?;
        pattern.text = text.into();
        Ok(pattern)
    }

    /// The pattern as written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Its flags.
    pub fn flags(&self) -> Flags {
        self.flags
    }

    /// Its groups by number.
    pub fn groups(&self) -> &[GroupInfo] {
        &self.groups
    }

    /// The number of a group by its name or by its number as text.
    pub fn group_number(&self, name: &str) -> Option<usize> {
        self.groups
            .iter()
            .position(|g| g.name.as_deref() == Some(name))
            .or_else(|| name.parse::<usize>().ok().filter(|n| *n < self.groups.len() && self.groups[*n].name.is_none()))
    }

    fn engine(&self, subject: &str) -> Result<&Regex, LimitError> {
        if self.pieces.len() == 1 || !subject.ends_with('\n') {
            return Ok(&self.plain);
        }
        let built = self.before_line_feed.get_or_init(|| build(&self.pieces.join("(?=\\n?\\z)")).ok());
        built.as_ref().ok_or(LimitError::Regex(BACKTRACK_LIMIT))
    }

    /// Whether it matches somewhere.
    pub fn is_match(&self, subject: &str) -> Result<bool, LimitError> {
        limits::text(subject.len())?;
        self.engine(subject)?.is_match(subject).map_err(|_| LimitError::Regex(BACKTRACK_LIMIT))
    }

    /// The first match at or behind a place.
    pub fn find_at(&self, subject: &str, from: usize) -> Result<Option<Found>, LimitError> {
        if from > subject.len() {
            return Ok(None);
        }
        limits::work(1)?;
        if from == 0 {
            limits::text(subject.len())?;
        }
        let captures = self.engine(subject)?.captures_from_pos::<str>(subject, from).map_err(|_| LimitError::Regex(BACKTRACK_LIMIT))?;
        Ok(captures.map(|captures| Found {
            spans: self
                .groups
                .iter()
                .map(|group| {
                    // Of several groups of one name the one that matched last counts.
                    group.engine.iter().filter_map(|at| captures.get(*at)).map(|m| (m.start(), m.end())).max_by_key(|(start, _)| *start)
                })
                .collect(),
        }))
    }

    /// The match that follows another one: an empty match moves on by one character.
    pub fn find_after(&self, subject: &str, previous: &Found) -> Result<Option<Found>, LimitError> {
        let end = previous.end();
        if previous.start() < end {
            return self.find_at(subject, end);
        }
        match subject[end..].chars().next() {
            Some(c) => self.find_at(subject, end + c.len_utf8()),
            None => Ok(None),
        }
    }

    /// All matches from the left, at most `limit` of them.
    pub fn find_all(&self, subject: &str, limit: usize) -> Result<Vec<Found>, LimitError> {
        let mut all = Vec::new();
        let mut next = if limit == 0 { None } else { self.find_at(subject, 0)? };
        while let Some(found) = next {
            limits::size(all.len())?;
            next = if all.len() + 1 < limit { self.find_after(subject, &found)? } else { None };
            all.push(found);
        }
        Ok(all)
    }

    /// `Regex.Split`: what stands between the matches, and the groups that took part; at most `limit` parts when it is not 0.
    pub fn split(&self, subject: &str, limit: usize) -> Result<Vec<String>, LimitError> {
        let mut parts = Vec::new();
        let mut last = 0;
        let most = if limit == 0 { usize::MAX } else { limit - 1 };
        for found in self.find_all(subject, most)? {
            parts.push(subject[last..found.start()].to_string());
            parts.extend((1..self.groups.len()).filter_map(|number| found.text(number, subject)).map(str::to_string));
            last = found.end();
        }
        parts.push(subject[last..].to_string());
        Ok(parts)
    }
}

/// Compiles for a method, with its error.
fn compile_for(pattern: &str, flags: Result<Flags, PatternError>, name: &str, count: usize) -> Result<Arc<Pattern>, Flow> {
    let fail = |error: PatternError| Flow::from(error.record(pattern, Asker::Method(name, count)));
    Pattern::new(pattern, flags.map_err(fail)?).map(Arc::new).map_err(fail)
}
