//! Operators that are not arithmetic or comparison of two values.

use std::sync::Arc;

use regex::{Regex, RegexBuilder};

use crate::types::regexes;

use super::Evaluator;
use crate::ast::{BinaryOp, BinaryStep};
use crate::convert::{self, Arithmetic, Comparison};
use crate::error::{ErrorRecord, Flow};
use crate::types;
use crate::value::Value;

/// What `foreach` and the pipeline enumerate: the elements of a collection, or the value itself.
pub(crate) fn enumerate(value: &Value) -> Vec<Value> {
    value.items().unwrap_or_else(|| vec![value.clone()])
}

/// Whether the pipeline enumerates it.
pub(crate) fn is_collection(value: &Value) -> bool {
    value.collection_len().is_some()
}

/// Wildcards of `-like`: `*`, `?`, `[a-z]`, a backtick escapes.
pub(crate) fn like(text: &str, pattern: &str, case_sensitive: bool) -> bool {
    let fold =
        |s: &str| -> Vec<char> { if case_sensitive { s.chars().collect() } else { s.chars().flat_map(char::to_lowercase).collect() } };
    wildcard(&fold(text), &fold(pattern))
}

fn wildcard(text: &[char], pattern: &[char]) -> bool {
    // Two cursors with one place to return to: linear in the product at worst, without recursion.
    let (mut t, mut p) = (0, 0);
    let mut back: Option<(usize, usize)> = None;
    while t < text.len() {
        if pattern.get(p) == Some(&'*') {
            back = Some((p + 1, t));
            p += 1;
            continue;
        }
        match wildcard_one(text[t], &pattern[p.min(pattern.len())..]) {
            Some(used) => {
                p += used;
                t += 1;
            }
            None => match back {
                Some((after, from)) => {
                    back = Some((after, from + 1));
                    p = after;
                    t = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

/// How many characters of the pattern match one character of the text.
fn wildcard_one(c: char, pattern: &[char]) -> Option<usize> {
    match pattern {
        ['?', ..] => Some(1),
        ['`', escaped, ..] => (*escaped == c).then_some(2),
        ['[', rest @ ..] => match rest.iter().skip(1).position(|c| *c == ']') {
            Some(end) => {
                let set = &rest[..=end];
                let mut hit = false;
                let mut at = 0;
                while at < set.len() {
                    if at + 2 < set.len() && set[at + 1] == '-' {
                        hit |= set[at] <= c && c <= set[at + 2];
                        at += 3;
                    } else {
                        hit |= set[at] == c;
                        at += 1;
                    }
                }
                hit.then_some(end + 3)
            }
            None => (c == '[').then_some(1),
        },
        [other, ..] => (*other == c).then_some(1),
        [] => None,
    }
}

/// A .NET regular expression for our engine. What it cannot express (look-around, back references) is an error that
/// says so.
pub(crate) fn regex_for(pattern: &str, case_sensitive: bool) -> Result<Regex, Flow> {
    let translated = translate_regex(pattern);
    RegexBuilder::new(&translated).case_insensitive(!case_sensitive).size_limit(1 << 22).build().map_err(|error| {
        if regexes::beyond_engine(&error) {
            return regexes::not_modelled(pattern).into();
        }
        let message = format!("parsing \"{pattern}\" - the regular expression is not valid.");
        let id = "InvalidRegularExpression";
        ErrorRecord { decorated: true, ..ErrorRecord::new(message, id, "InvalidOperation", "System.ArgumentException") }.into()
    })
}

/// .NET spellings that the engine writes differently: `(?<name>` is shared, `\Z` is not, and a lone `{` or `]` is text.
fn translate_regex(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len());
    let mut chars = pattern.chars().peekable();
    let mut in_class = false;
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('Z') => out.push_str(r"\n?\z"),
                Some(
                    next @ ('"' | '\'' | '/' | '@' | ',' | ';' | ':' | '<' | '>' | '=' | '!' | '%' | '_' | '`' | ' ' | '#' | '&' | '~'),
                ) => {
                    if matches!(next, '#' | '&' | '~' | ' ') {
                        out.push('\\');
                    }
                    out.push(next);
                }
                Some(next) => {
                    out.push('\\');
                    out.push(next);
                }
                None => out.push('\\'),
            },
            '[' if in_class => out.push_str(r"\["),
            '[' => {
                in_class = true;
                out.push('[');
                if chars.peek() == Some(&'^') {
                    chars.next();
                    out.push('^');
                }
                if chars.peek() == Some(&']') {
                    chars.next();
                    out.push_str(r"\]");
                }
            }
            ']' if in_class => {
                in_class = false;
                out.push(']');
            }
            ']' => out.push_str(r"\]"),
            '{' if !in_class => {
                let rest: String = chars.clone().take_while(|c| *c != '}').collect();
                let quantifier = !rest.is_empty()
                    && rest.chars().all(|c| c.is_ascii_digit() || c == ',')
                    && rest.starts_with(|c: char| c.is_ascii_digit());
                out.push_str(if quantifier { "{" } else { r"\{" });
            }
            '&' | '~' if in_class && chars.peek() == Some(&c) => {
                out.push('\\');
                out.push(c);
            }
            other => out.push(other),
        }
    }
    out
}

impl Evaluator<'_> {
    /// The string form of a value, with `$OFS` between elements.
    pub(crate) fn text(&self, value: &Value) -> String {
        match value {
            Value::Str(text) => text.to_string(),
            other if is_collection(other) => {
                let separator = match self.env.scope.value("ofs") {
                    Some((Value::Null, _)) | None => None,
                    Some((ofs, _)) => Some(convert::display(&ofs)),
                };
                convert::to_text(other, separator.as_deref().unwrap_or(" "))
            }
            other => convert::to_text(other, " "),
        }
    }

    pub(crate) fn match_into_matches(&mut self, regex: &Regex, subject: &str) -> bool {
        let Some(captures) = regex.captures(subject) else { return false };
        let mut table = crate::value::Hashtable::default();
        for (at, name) in regex.capture_names().enumerate() {
            if let Some(found) = captures.get(at) {
                let key = match name {
                    Some(name) => Value::str(name),
                    None => Value::Int(i32::try_from(at).unwrap_or(i32::MAX)),
                };
                table.set(key, Value::str(found.as_str()));
            }
        }
        let value = Value::Hash(Arc::new(std::sync::RwLock::new(table)));
        self.env.scope.set("matches", super::Variable::new("Matches", value));
        true
    }

    /// One step of a run of binary operators; `-and` and `-or` are handled by the caller.
    pub(crate) fn binary_step(&mut self, left: Value, right: Value, step: &BinaryStep) -> Result<Value, Flow> {
        let case = step.case_sensitive;
        let arithmetic = |op| convert::arithmetic(op, &left, &right).map_err(runtime);
        let compare = |op| convert::compare(op, &left, &right, case).map_err(runtime);
        match step.op {
            BinaryOp::And => Ok(Value::Bool(convert::to_bool(&left) && convert::to_bool(&right))),
            BinaryOp::Or => Ok(Value::Bool(convert::to_bool(&left) || convert::to_bool(&right))),
            BinaryOp::Xor => Ok(Value::Bool(convert::to_bool(&left) != convert::to_bool(&right))),
            BinaryOp::BitAnd => arithmetic(Arithmetic::And),
            BinaryOp::BitOr => arithmetic(Arithmetic::Or),
            BinaryOp::BitXor => arithmetic(Arithmetic::Xor),
            BinaryOp::Shl => arithmetic(Arithmetic::Shl),
            BinaryOp::Shr => arithmetic(Arithmetic::Shr),
            BinaryOp::Add => {
                self.check_growth(&left, &right)?;
                arithmetic(Arithmetic::Add)
            }
            BinaryOp::Sub => arithmetic(Arithmetic::Sub),
            BinaryOp::Mul => {
                self.check_product(&left, &right)?;
                arithmetic(Arithmetic::Mul)
            }
            BinaryOp::Div => arithmetic(Arithmetic::Div),
            BinaryOp::Rem => arithmetic(Arithmetic::Rem),
            BinaryOp::Eq => compare(Comparison::Eq),
            BinaryOp::Ne => compare(Comparison::Ne),
            BinaryOp::Gt => compare(Comparison::Gt),
            BinaryOp::Ge => compare(Comparison::Ge),
            BinaryOp::Lt => compare(Comparison::Lt),
            BinaryOp::Le => compare(Comparison::Le),
            BinaryOp::Like | BinaryOp::NotLike => {
                let pattern = self.text(&right);
                let wanted = step.op == BinaryOp::Like;
                Ok(self.filter(&left, |ev, item| like(&ev.text(item), &pattern, case) == wanted))
            }
            BinaryOp::Match | BinaryOp::NotMatch => {
                let regex = regex_for(&self.text(&right), case)?;
                let wanted = step.op == BinaryOp::Match;
                if is_collection(&left) {
                    return Ok(self.filter(&left, |ev, item| regex.is_match(&ev.text(item)) == wanted));
                }
                let subject = self.text(&left);
                Ok(Value::Bool(self.match_into_matches(&regex, &subject) == wanted))
            }
            BinaryOp::Contains | BinaryOp::NotContains => {
                let found = enumerate(&left).iter().any(|item| convert::equals(item, &right, case));
                Ok(Value::Bool(found == (step.op == BinaryOp::Contains)))
            }
            BinaryOp::In | BinaryOp::NotIn => {
                let found = enumerate(&right).iter().any(|item| convert::equals(item, &left, case));
                Ok(Value::Bool(found == (step.op == BinaryOp::In)))
            }
            BinaryOp::Is | BinaryOp::IsNot => {
                let name = self.type_operand(&right)?;
                Ok(Value::Bool(types::is_type(&left, &name) == (step.op == BinaryOp::Is)))
            }
            BinaryOp::As => {
                let name = self.type_operand(&right)?;
                Ok(convert::cast(&left, &name).unwrap_or(Value::Null))
            }
            BinaryOp::Replace => self.replace(&left, &right, case),
            BinaryOp::Split => self.split(&left, &right, case),
            BinaryOp::Join => self.join(&left, &self.text(&right)),
            BinaryOp::Format => {
                let format = self.text(&left);
                let text = convert::format_operator(&format, &enumerate(&right)).map_err(runtime)?;
                self.check_text(text.len())?;
                Ok(Value::str(text))
            }
            BinaryOp::Range => {
                let items = convert::range(&left, &right).map_err(runtime)?;
                self.check_count(items.len())?;
                Ok(Value::array(items))
            }
        }
    }

    fn check_count(&self, count: usize) -> Result<(), Flow> {
        if count > self.limits.collection_size {
            return Err(crate::error::LimitError::CollectionSize(self.limits.collection_size).into());
        }
        Ok(())
    }

    fn check_growth(&self, left: &Value, right: &Value) -> Result<(), Flow> {
        match (left, left.collection_len()) {
            (Value::Str(text), _) => self.check_text(text.len() + if let Value::Str(right) = right { right.len() } else { 0 }),
            (_, Some(length)) => self.check_count(length + right.collection_len().unwrap_or(1)),
            _ => Ok(()),
        }
    }

    fn check_product(&self, left: &Value, right: &Value) -> Result<(), Flow> {
        let times = match convert::cast(right, "long") {
            Ok(Value::Long(n)) => usize::try_from(n).unwrap_or(0),
            _ => return Ok(()),
        };
        match (left, left.collection_len()) {
            (Value::Str(text), _) => self.check_text(text.len().saturating_mul(times)),
            (_, Some(length)) => self.check_count(length.saturating_mul(times)),
            _ => Ok(()),
        }
    }

    /// `-like` and friends: a collection on the left is filtered, a scalar gives a truth value.
    fn filter(&mut self, left: &Value, test: impl Fn(&Self, &Value) -> bool) -> Value {
        match left.items() {
            Some(items) => Value::array(items.into_iter().filter(|item| test(self, item)).collect()),
            None => Value::Bool(test(self, left)),
        }
    }

    fn type_operand(&self, value: &Value) -> Result<Arc<str>, Flow> {
        match value {
            Value::Type(name) => Ok(name.clone()),
            other => {
                let name = self.text(other);
                types::resolve(&name).ok_or_else(|| {
                    ErrorRecord::runtime(format!("Unable to find type [{name}]."), "TypeNotFound", "InvalidOperation")
                        .with_target(Value::str(name))
                        .into()
                })
            }
        }
    }

    fn replace(&mut self, left: &Value, right: &Value, case: bool) -> Result<Value, Flow> {
        let operands = enumerate(right);
        if operands.len() > 2 {
            let message =
                "The -replace operator allows only two elements to follow it, not {0}.".replace("{0}", &operands.len().to_string());
            return Err(ErrorRecord::runtime(message, "BadReplaceArgument", "InvalidOperation").into());
        }
        let pattern = operands.first().map(|v| self.text(v)).unwrap_or_default();
        let regex = regex_for(&pattern, case)?;
        let replacement = operands.get(1).cloned().unwrap_or_else(|| Value::str(""));
        let fixed = translate_replacement(&self.text(&replacement));
        let one = |ev: &Self, item: &Value| -> Result<Value, Flow> {
            let subject = ev.text(item);
            let text = regex.replace_all(&subject, fixed.as_str()).into_owned();
            ev.check_text(text.len())?;
            Ok(Value::str(text))
        };
        match left.items() {
            Some(items) => Ok(Value::array(items.iter().map(|item| one(self, item)).collect::<Result<_, _>>()?)),
            None => one(self, left),
        }
    }

    /// Binary `-split`.
    fn split(&mut self, left: &Value, right: &Value, case: bool) -> Result<Value, Flow> {
        let operands = enumerate(right);
        let maximum = match operands.get(1).map(|v| convert::cast(v, "int")) {
            Some(Ok(Value::Int(n))) => n,
            _ => 0,
        };
        let options = operands.get(2).map(|v| self.text(v).to_lowercase()).unwrap_or_default();
        let mut parts = Vec::new();
        if let Some(Value::Script(block)) = operands.first() {
            for item in enumerate(left) {
                let subject = self.text(&item);
                let mut current = String::new();
                for c in subject.chars() {
                    let call = crate::pipeline::BlockCall::each(block, Value::str(c.to_string()));
                    let mut values = Vec::new();
                    self.call_block(&call, &mut values)?;
                    if convert::to_bool(&super::collapse(values).0) {
                        parts.push(Value::str(std::mem::take(&mut current)));
                    } else {
                        current.push(c);
                    }
                }
                parts.push(Value::str(current));
            }
            return Ok(Value::array(parts));
        }
        let pattern = operands.first().map(|v| self.text(v)).unwrap_or_default();
        let simple = options.contains("simplematch");
        let pattern = if simple { regex::escape(&pattern) } else { pattern };
        let case = case && !options.contains("ignorecase");
        let regex = if simple {
            RegexBuilder::new(&pattern).case_insensitive(!case).build().map_err(|_| {
                Flow::error(ErrorRecord::runtime("The pattern is not valid.", "InvalidRegularExpression", "InvalidOperation"))
            })?
        } else {
            regex_for(&pattern, case)?
        };
        for item in enumerate(left) {
            let subject = self.text(&item);
            split_one(&regex, &subject, maximum, &mut parts);
            self.check_count(parts.len())?;
        }
        Ok(Value::array(parts))
    }

    /// Unary `-split`: at runs of blanks.
    pub(crate) fn split_blanks(&mut self, value: &Value) -> Value {
        let parts =
            enumerate(value).iter().flat_map(|item| self.text(item).split_whitespace().map(Value::str).collect::<Vec<_>>()).collect();
        Value::array(parts)
    }

    pub(crate) fn join(&mut self, left: &Value, separator: &str) -> Result<Value, Flow> {
        let texts: Vec<String> = enumerate(left)
            .iter()
            .map(|item| if is_collection(item) { crate::types::type_name(item).to_string() } else { self.text(item) })
            .collect();
        let text = texts.join(separator);
        self.check_text(text.len())?;
        Ok(Value::str(text))
    }
}

/// Splits like `Regex.Split`: captured groups are part of the result.
fn split_one(regex: &Regex, subject: &str, maximum: i32, parts: &mut Vec<Value>) {
    let limit = usize::try_from(maximum).unwrap_or(0);
    let mut last = 0;
    let mut count = 1;
    for captures in regex.captures_iter(subject) {
        let Some(whole) = captures.get(0) else { continue };
        if limit > 0 && count >= limit {
            break;
        }
        parts.push(Value::str(&subject[last..whole.start()]));
        for group in captures.iter().skip(1).flatten() {
            parts.push(Value::str(group.as_str()));
        }
        last = whole.end();
        count += 1;
    }
    parts.push(Value::str(&subject[last..]));
}

/// `$1` and `${name}` as the engine writes them: `$1x` means group 1 followed by `x` in .NET.
fn translate_replacement(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '$' {
            out.push(c);
            continue;
        }
        match chars.peek() {
            Some('$') => {
                chars.next();
                out.push_str("$$");
            }
            Some(digit) if digit.is_ascii_digit() => {
                out.push_str("${");
                while let Some(digit) = chars.next_if(char::is_ascii_digit) {
                    out.push(digit);
                }
                out.push('}');
            }
            Some('{') => out.push('$'),
            Some('&') => {
                chars.next();
                out.push_str("${0}");
            }
            _ => out.push_str("$$"),
        }
    }
    out
}

/// Errors of the language need no command behind their id.
pub(crate) fn runtime(mut record: ErrorRecord) -> Flow {
    const WRAPPER: &str = "System.Management.Automation.RuntimeException";
    record.decorated = true;
    // The language wraps what conversions and operators throw.
    if !record.exception_types.iter().any(|t| &**t == WRAPPER) {
        record.inner_types = std::mem::replace(&mut record.exception_types, crate::error::exception_chain(WRAPPER));
    }
    record.into()
}
