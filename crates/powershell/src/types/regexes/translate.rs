//! .NET's regular expressions in the words of our engine: flags, anchors, escapes, classes, and the numbers of groups.
//!
//! The errors are those of `System.Text.RegularExpressions.RegexParser` in the .NET Framework.

use super::{Flags, GroupInfo, PatternError};

/// Deepest nesting of groups; the engine recurses over them.
const MAX_DEPTH: usize = 60;

/// A pattern in the engine's words.
#[derive(Debug, Clone)]
pub(super) struct Translation {
    /// The pattern in pieces; an end anchor stands between two pieces.
    pub(super) pieces: Vec<String>,
    /// The groups in the order of their numbers; 0 is the whole match.
    pub(super) groups: Vec<GroupInfo>,
}

/// One capturing group as it stands in the pattern.
#[derive(Debug, Clone, Default)]
struct Capture {
    name: Option<String>,
    repeated: bool,
}

struct Frame {
    flags: Flags,
    /// Number of captures before the group opened.
    captures: usize,
    /// Whether this group is a look-around, which the engine does not repeat.
    look: bool,
}

struct Translator<'a> {
    chars: &'a [char],
    at: usize,
    out: Vec<String>,
    flags: Flags,
    captures: Vec<Capture>,
    /// Numbers of the engine's groups by .NET number; empty during the first pass, which only counts.
    numbers: Vec<(Option<String>, Vec<usize>)>,
    counting: bool,
    stack: Vec<Frame>,
}

type Step<T = ()> = Result<T, PatternError>;

fn invalid<T>(reason: impl Into<String>) -> Step<T> {
    Err(PatternError::Invalid(reason.into()))
}

fn not_modelled<T>(what: &str) -> Step<T> {
    Err(PatternError::NotModelled(what.into()))
}

/// Translates a pattern.
pub(super) fn translate(pattern: &str, flags: Flags) -> Step<Translation> {
    let chars: Vec<char> = pattern.chars().collect();
    let first = Translator::new(&chars, flags, None).run()?;
    let numbers = numbered(&first.captures);
    let second = Translator::new(&chars, flags, Some(numbers)).run()?;
    let groups = second
        .numbers
        .iter()
        .map(|(name, engine)| GroupInfo {
            name: name.as_deref().map(Into::into),
            repeated: engine.len() > 1 || engine.iter().any(|at| *at > 0 && second.captures[at - 1].repeated),
            engine: engine.clone(),
        })
        .collect();
    Ok(Translation { pieces: second.out, groups })
}

/// .NET counts the groups without a name first, then those with one; groups of one name are one group.
fn numbered(captures: &[Capture]) -> Vec<(Option<String>, Vec<usize>)> {
    let mut numbers: Vec<(Option<String>, Vec<usize>)> = vec![(None, vec![0])];
    numbers.extend(captures.iter().enumerate().filter(|(_, c)| c.name.is_none()).map(|(at, _)| (None, vec![at + 1])));
    for (at, capture) in captures.iter().enumerate() {
        let Some(name) = &capture.name else { continue };
        match numbers.iter_mut().find(|(n, _)| n.as_ref() == Some(name)) {
            Some((_, engine)) => engine.push(at + 1),
            None => numbers.push((Some(name.clone()), vec![at + 1])),
        }
    }
    numbers
}

impl<'a> Translator<'a> {
    fn new(chars: &'a [char], flags: Flags, numbers: Option<Vec<(Option<String>, Vec<usize>)>>) -> Self {
        let counting = numbers.is_none();
        let start = if flags.ignore_case { "(?i)" } else { "" };
        Self {
            chars,
            at: 0,
            out: vec![start.into()],
            flags,
            captures: Vec::new(),
            numbers: numbers.unwrap_or_default(),
            counting,
            stack: Vec::new(),
        }
    }

    fn push(&mut self, text: &str) {
        if let Some(piece) = self.out.last_mut() {
            piece.push_str(text);
        }
    }

    fn literal(&mut self, c: char) {
        let mut buffer = [0; 4];
        let escaped = regex_syntax_escape(c.encode_utf8(&mut buffer));
        self.push(&escaped);
    }

    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += 1;
        Some(c)
    }

    fn eat(&mut self, c: char) -> bool {
        let hit = self.peek() == Some(c);
        self.at += usize::from(hit);
        hit
    }

    fn starts_with(&self, text: &str) -> bool {
        text.chars().enumerate().all(|(at, c)| self.chars.get(self.at + at) == Some(&c))
    }

    fn skip_blanks(&mut self) -> Step {
        loop {
            if self.flags.ignore_blanks && self.peek().is_some_and(char::is_whitespace) {
                self.at += 1;
            } else if self.flags.ignore_blanks && self.peek() == Some('#') {
                while self.next().is_some_and(|c| c != '\n') {}
            } else if self.starts_with("(?#") {
                loop {
                    match self.next() {
                        Some(')') => break,
                        Some(_) => {}
                        None => return invalid("Unterminated (?#...) comment."),
                    }
                }
            } else {
                return Ok(());
            }
        }
    }

    fn run(mut self) -> Step<Self> {
        loop {
            self.skip_blanks()?;
            let Some(c) = self.next() else { break };
            // Whether a quantifier may follow, and which captures it would repeat.
            let before = self.captures.len();
            let atom = match c {
                '(' => {
                    self.open()?;
                    None
                }
                ')' => match self.stack.pop() {
                    None => return invalid("Too many )'s."),
                    Some(frame) => {
                        self.flags = frame.flags;
                        self.push(")");
                        Some((frame.captures, frame.look))
                    }
                },
                '|' => {
                    self.push("|");
                    None
                }
                '^' => {
                    self.push(if self.flags.multiline { "(?m:^)" } else { "\\A" });
                    Some((before, true))
                }
                '$' => {
                    if self.flags.multiline {
                        self.push("(?m:$)");
                    } else {
                        self.out.push(String::new());
                    }
                    Some((before, true))
                }
                '.' => {
                    self.push(if self.flags.single_line { "(?s:.)" } else { "[^\\n]" });
                    Some((before, false))
                }
                '[' => {
                    let class = self.class()?;
                    self.push(&class);
                    Some((before, false))
                }
                '\\' => Some((before, self.escape()?)),
                '*' | '+' | '?' => return invalid("Quantifier {x,y} following nothing."),
                '{' if self.counts(self.at).is_some() => return invalid("Quantifier {x,y} following nothing."),
                c => {
                    self.literal(c);
                    Some((before, false))
                }
            };
            if let Some((captures, look)) = atom {
                self.quantifier(captures, look)?;
            }
        }
        if !self.stack.is_empty() {
            return invalid("Not enough )'s.");
        }
        Ok(self)
    }

    /// `{2}`, `{2,}`, `{2,3}` behind a brace at `at`: least, most, and where it ends.
    fn counts(&self, at: usize) -> Option<(u32, Option<u32>, usize)> {
        let end = at + self.chars[at..].iter().position(|c| *c == '}')?;
        let text: String = self.chars[at..end].iter().collect();
        let (least, most) = text.split_once(',').map_or((&*text, None), |(l, m)| (l, Some(m)));
        let number = |t: &str| (!t.is_empty() && t.bytes().all(|b| b.is_ascii_digit())).then(|| t.parse::<u32>().unwrap_or(u32::MAX));
        let least = number(least)?;
        match most {
            None => Some((least, Some(least), end + 1)),
            Some("") => Some((least, None, end + 1)),
            Some(most) => Some((least, Some(number(most)?), end + 1)),
        }
    }

    fn quantifier(&mut self, captures: usize, look: bool) -> Step {
        self.skip_blanks()?;
        let (text, most) = match self.peek() {
            Some(c @ ('*' | '+' | '?')) => {
                self.at += 1;
                (c.to_string(), if c == '?' { Some(1) } else { None })
            }
            Some('{') => match self.counts(self.at + 1) {
                Some((least, most, end)) => {
                    if most.is_some_and(|most| least > most) {
                        return invalid("Illegal {x,y} with x > y.");
                    }
                    self.at = end;
                    let text = match most {
                        Some(most) if most == least => format!("{{{least}}}"),
                        Some(most) => format!("{{{least},{most}}}"),
                        None => format!("{{{least},}}"),
                    };
                    (text, most)
                }
                None => return Ok(()),
            },
            _ => return Ok(()),
        };
        if look {
            return not_modelled("a repeated anchor");
        }
        self.push(&text);
        if self.eat('?') {
            self.push("?");
        }
        if most.is_none_or(|most| most > 1) {
            for capture in &mut self.captures[captures..] {
                capture.repeated = true;
            }
        }
        self.skip_blanks()?;
        match self.peek() {
            Some(c @ ('*' | '+' | '?')) => invalid(format!("Nested quantifier {c}.")),
            Some('{') if self.counts(self.at + 1).is_some() => invalid("Nested quantifier {."),
            _ => Ok(()),
        }
    }

    fn open(&mut self) -> Step {
        if self.stack.len() >= MAX_DEPTH {
            return not_modelled("groups nested deeper than 60 levels");
        }
        let mut frame = Frame { flags: self.flags, captures: self.captures.len(), look: false };
        if !self.eat('?') {
            if self.flags.explicit {
                self.push("(?:");
            } else {
                self.captures.push(Capture::default());
                self.push("(");
            }
            self.stack.push(frame);
            return Ok(());
        }
        const UNKNOWN: &str = "Unrecognized grouping construct.";
        match self.next() {
            Some(':') => self.push("(?:"),
            Some('>') => self.push("(?>"),
            Some(c @ ('=' | '!')) => {
                frame.look = true;
                self.push(&format!("(?{c}"));
            }
            Some('<') if matches!(self.peek(), Some('=' | '!')) => {
                frame.look = true;
                let c = self.next().unwrap_or('=');
                self.push(&format!("(?<{c}"));
            }
            Some(quote @ ('<' | '\'')) => {
                let close = if quote == '<' { '>' } else { '\'' };
                let mut name = String::new();
                loop {
                    match self.next() {
                        Some(c) if c == close => break,
                        Some('-') => return not_modelled("balancing groups"),
                        Some(c) if c.is_alphanumeric() || c == '_' => name.push(c),
                        Some(_) if name.is_empty() => return invalid("Invalid group name: Group names must begin with a word character."),
                        _ => return invalid(UNKNOWN),
                    }
                }
                if name.is_empty() {
                    return invalid("Invalid group name: Group names must begin with a word character.");
                }
                if name.starts_with(|c: char| c.is_ascii_digit()) {
                    return not_modelled("groups with a number for a name");
                }
                self.captures.push(Capture { name: Some(name), repeated: false });
                self.push("(");
            }
            Some('(') => {
                let start = self.at;
                while self.peek().is_some_and(|c| c.is_alphanumeric() || c == '_') {
                    self.at += 1;
                }
                let name: String = self.chars[start..self.at].iter().collect();
                if name.is_empty() || !self.eat(')') {
                    return not_modelled("conditions that are expressions");
                }
                let engine = self.reference(&name)?;
                match engine.as_slice() {
                    [one] => self.push(&format!("(?({one})")),
                    _ if self.counting => self.push("(?:"),
                    _ => return not_modelled("conditions on groups of one name"),
                }
            }
            Some(_) => {
                self.at -= 1;
                return self.inline_flags(frame, UNKNOWN);
            }
            None => return invalid(UNKNOWN),
        }
        self.stack.push(frame);
        Ok(())
    }

    /// `(?i)`, `(?i-s:`.
    fn inline_flags(&mut self, frame: Frame, unknown: &str) -> Step {
        let mut on = true;
        let mut flags = self.flags;
        loop {
            match self.next() {
                Some('-') => on = false,
                Some('+') => on = true,
                Some('i') => flags.ignore_case = on,
                Some('m') => flags.multiline = on,
                Some('s') => flags.single_line = on,
                Some('n') => flags.explicit = on,
                Some('x') => flags.ignore_blanks = on,
                Some(end @ (')' | ':')) => {
                    let case = if flags.ignore_case { "i" } else { "-i" };
                    let changed = flags.ignore_case != self.flags.ignore_case;
                    self.flags = flags;
                    match (end, changed) {
                        (')', true) => self.push(&format!("(?{case})")),
                        (')', false) => {}
                        (_, true) => self.push(&format!("(?{case}:")),
                        (_, false) => self.push("(?:"),
                    }
                    if end == ':' {
                        self.stack.push(frame);
                    }
                    return Ok(());
                }
                _ => return invalid(unknown),
            }
        }
    }

    /// The engine's groups of a number or name.
    fn reference(&self, name: &str) -> Step<Vec<usize>> {
        if self.counting {
            return Ok(Vec::new());
        }
        if name.bytes().all(|b| b.is_ascii_digit()) {
            let number = name.parse::<usize>().unwrap_or(usize::MAX);
            return match self.numbers.get(number) {
                Some((_, engine)) => Ok(engine.clone()),
                None => invalid(format!("Reference to undefined group number {name}.")),
            };
        }
        match self.numbers.iter().find(|(n, _)| n.as_deref() == Some(name)) {
            Some((_, engine)) => Ok(engine.clone()),
            None => invalid(format!("Reference to undefined group name {name}.")),
        }
    }

    fn back_reference(&mut self, name: &str) -> Step {
        let engine = self.reference(name)?;
        let each: Vec<String> = engine.iter().rev().map(|at| format!("\\k<{at}>")).collect();
        self.push(&format!("(?:{})", each.join("|")));
        Ok(())
    }

    /// What stands behind a backslash; whether it is an anchor.
    fn escape(&mut self) -> Step<bool> {
        let Some(c) = self.next() else { return invalid("Illegal \\ at end of pattern.") };
        match c {
            'b' | 'B' | 'A' | 'G' => {
                self.push(&format!("\\{c}"));
                return Ok(true);
            }
            'z' => {
                self.push("\\z");
                return Ok(true);
            }
            'Z' => {
                self.out.push(String::new());
                return Ok(true);
            }
            'd' | 'D' | 'w' | 'W' | 's' | 'S' => self.push(&format!("\\{c}")),
            'p' | 'P' => {
                let set = self.property(c)?;
                self.push(&set);
            }
            'k' => {
                let close = match self.next() {
                    Some('<') => '>',
                    Some('\'') => '\'',
                    _ => return invalid("Malformed \\k<...> named back reference."),
                };
                let start = self.at;
                while self.peek().is_some_and(|c| c.is_alphanumeric() || c == '_') {
                    self.at += 1;
                }
                let name: String = self.chars[start..self.at].iter().collect();
                if name.is_empty() || !self.eat(close) {
                    return invalid("Malformed \\k<...> named back reference.");
                }
                self.back_reference(&name)?;
            }
            '1'..='9' => {
                let start = self.at - 1;
                while self.peek().is_some_and(|c| c.is_ascii_digit()) {
                    self.at += 1;
                }
                let digits: String = self.chars[start..self.at].iter().collect();
                let number = digits.parse::<usize>().unwrap_or(usize::MAX);
                if digits.len() == 1 || self.counting || number < self.numbers.len() {
                    self.back_reference(&digits)?;
                } else {
                    self.at = start;
                    let c = self.octal();
                    self.literal(c);
                }
            }
            c => {
                let c = self.character(c)?;
                self.literal(c);
            }
        }
        Ok(false)
    }

    fn octal(&mut self) -> char {
        let mut value = 0u32;
        let mut digits = 0;
        while digits < 3
            && let Some(digit) = self.peek().and_then(|c| c.to_digit(8))
        {
            value = value * 8 + digit;
            self.at += 1;
            digits += 1;
        }
        char::from_u32(value & 0xFF).unwrap_or('\0')
    }

    fn hexadecimal(&mut self, count: usize) -> Step<char> {
        let mut value = 0u32;
        for _ in 0..count {
            match self.next().and_then(|c| c.to_digit(16)) {
                Some(digit) => value = value * 16 + digit,
                None => return invalid("Insufficient hexadecimal digits."),
            }
        }
        match char::from_u32(value) {
            Some(c) => Ok(c),
            None => not_modelled("halves of surrogate pairs"),
        }
    }

    /// The one character that an escape stands for.
    fn character(&mut self, c: char) -> Step<char> {
        Ok(match c {
            'a' => '\u{7}',
            'b' => '\u{8}',
            'e' => '\u{1B}',
            'f' => '\u{C}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\u{B}',
            'x' => self.hexadecimal(2)?,
            'u' => self.hexadecimal(4)?,
            'c' => match self.next() {
                Some(c) if c.is_ascii_alphabetic() || ('@'..='_').contains(&c) => char::from(c.to_ascii_uppercase() as u8 & 0x1F),
                Some(_) => return invalid("Unrecognized control character."),
                None => return invalid("Missing control character."),
            },
            '0'..='7' => {
                self.at -= 1;
                self.octal()
            }
            c if c.is_alphanumeric() || c == '_' => return invalid(format!("Unrecognized escape sequence \\{c}.")),
            c => c,
        })
    }

    /// `\p{L}`.
    fn property(&mut self, letter: char) -> Step<String> {
        if !self.eat('{') {
            return invalid(if self.peek().is_none() {
                "Incomplete \\p{X} character escape."
            } else {
                "Malformed \\p{X} character escape."
            });
        }
        let start = self.at;
        while self.peek().is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '-') {
            self.at += 1;
        }
        let name: String = self.chars[start..self.at].iter().collect();
        if !self.eat('}') {
            return invalid("Incomplete \\p{X} character escape.");
        }
        const CATEGORIES: &[&str] = &[
            "L", "Lu", "Ll", "Lt", "Lm", "Lo", "M", "Mn", "Mc", "Me", "N", "Nd", "Nl", "No", "P", "Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po",
            "S", "Sm", "Sc", "Sk", "So", "Z", "Zs", "Zl", "Zp", "C", "Cc", "Cf", "Co", "Cn",
        ];
        if CATEGORIES.contains(&&*name) {
            return Ok(format!("\\{letter}{{{name}}}"));
        }
        if name.starts_with("Is") {
            return not_modelled("named blocks of characters");
        }
        invalid(format!("Unknown property '{name}'."))
    }

    /// A class behind its opening bracket.
    fn class(&mut self) -> Step<String> {
        const UNTERMINATED: &str = "Unterminated [] set.";
        let negated = self.eat('^');
        let mut items = String::new();
        let mut subtracted = None;
        let mut first = true;
        loop {
            let Some(c) = self.next() else { return invalid(UNTERMINATED) };
            if c == ']' && !first {
                break;
            }
            first = false;
            if c == '-' && self.peek() == Some('[') && !items.is_empty() {
                self.at += 1;
                subtracted = Some(self.class()?);
                match self.next() {
                    Some(']') => break,
                    Some(_) => return invalid("A subtraction must be the last element in a character class."),
                    None => return invalid(UNTERMINATED),
                }
            }
            let low = match self.class_item(c)? {
                Ok(c) => c,
                Err(set) => {
                    items.push_str(&set);
                    continue;
                }
            };
            let ranged = self.peek() == Some('-') && self.chars.get(self.at + 1).is_some_and(|c| !matches!(c, ']' | '['));
            if !ranged {
                items.push_str(&class_literal(low));
                continue;
            }
            self.at += 1;
            let c = self.next().unwrap_or('-');
            match self.class_item(c)? {
                Ok(high) if high < low => return invalid("[x-y] range in reverse order."),
                Ok(high) => items.push_str(&format!("{}-{}", class_literal(low), class_literal(high))),
                Err(set) => return invalid(format!("Cannot include class {} in character range.", &set[..2])),
            }
        }
        let base = format!("[{}{items}]", if negated { "^" } else { "" });
        Ok(match subtracted {
            Some(set) => format!("[{base}--{set}]"),
            None => base,
        })
    }

    /// One member of a class: a character, or a set in the engine's words.
    fn class_item(&mut self, c: char) -> Step<Result<char, String>> {
        if c != '\\' {
            return Ok(Ok(c));
        }
        let Some(escaped) = self.next() else { return invalid("Illegal \\ at end of pattern.") };
        Ok(match escaped {
            'd' | 'D' | 'w' | 'W' | 's' | 'S' => Err(format!("\\{escaped}")),
            'p' | 'P' => Err(self.property(escaped)?),
            c => Ok(self.character(c)?),
        })
    }
}

/// A character as it stands in a class of the engine.
fn class_literal(c: char) -> String {
    if c.is_alphanumeric() { c.to_string() } else { format!("\\x{{{:X}}}", c as u32) }
}

fn regex_syntax_escape(text: &str) -> String {
    fancy_regex::escape(text).into_owned()
}
