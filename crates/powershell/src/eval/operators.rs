//! Operators that are not arithmetic or comparison of two values.

use std::sync::Arc;

use super::Evaluator;
use crate::ast::{BinaryOp, BinaryStep};
use crate::convert::{self, Arithmetic, Comparison};
use crate::error::{ErrorRecord, Flow};
use crate::types;
use crate::types::regexes::{Asker, Flags, Pattern, Replacement};
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

/// A .NET regular expression, for operators.
pub(crate) fn regex_for(pattern: &str, case_sensitive: bool) -> Result<Arc<Pattern>, Flow> {
    compiled(pattern, Flags::case(case_sensitive), Asker::Operator)
}

fn compiled(pattern: &str, flags: Flags, asker: Asker<'_>) -> Result<Arc<Pattern>, Flow> {
    Pattern::new(pattern, flags).map(Arc::new).map_err(|error| error.record(pattern, asker).into())
}

/// The patterns that a session used last, so that loops do not compile theirs again and again.
#[derive(Debug, Default)]
pub(crate) struct PatternCache(std::collections::VecDeque<Arc<Pattern>>);

impl PatternCache {
    const SIZE: usize = 16;

    fn get(&mut self, pattern: &str, flags: Flags, asker: Asker<'_>) -> Result<Arc<Pattern>, Flow> {
        if let Some(found) = self.0.iter().find(|p| p.flags() == flags && p.as_str() == pattern) {
            return Ok(found.clone());
        }
        let made = compiled(pattern, flags, asker)?;
        self.0.truncate(Self::SIZE - 1);
        self.0.push_front(made.clone());
        Ok(made)
    }
}

/// Bits of a script's enumeration stay of that enumeration.
fn same_enum(left: &Value, result: Value) -> Value {
    match (left, &result) {
        (Value::Enum(member), Value::Int(_) | Value::Long(_)) => {
            let number = match result {
                Value::Int(n) => i64::from(n),
                Value::Long(n) => n,
                _ => 0,
            };
            types::classes::find(&member.type_name).and_then(|t| t.enum_value(number)).unwrap_or(result)
        }
        _ => result,
    }
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

    /// A pattern of `-match`, `-split` or `switch -Regex`.
    pub(crate) fn pattern(&mut self, pattern: &str, case_sensitive: bool, asker: Asker<'_>) -> Result<Arc<Pattern>, Flow> {
        self.state.patterns.get(pattern, Flags::case(case_sensitive), asker)
    }

    /// Matches, and keeps what the groups matched in `$Matches`.
    pub(crate) fn match_into_matches(&mut self, pattern: &Pattern, subject: &str) -> Result<bool, Flow> {
        let Some(found) = pattern.find_at(subject, 0)? else { return Ok(false) };
        let mut table = crate::value::Hashtable::default();
        for (at, group) in pattern.groups().iter().enumerate() {
            if let Some(text) = found.text(at, subject) {
                let key = match &group.name {
                    Some(name) => Value::Str(name.clone()),
                    None => Value::Int(i32::try_from(at).unwrap_or(i32::MAX)),
                };
                table.set(key, Value::str(text));
            }
        }
        let value = Value::Hash(Arc::new(std::sync::RwLock::new(table)));
        self.env.scope.set("matches", super::Variable::new("Matches", value));
        Ok(true)
    }

    /// One step of a run of binary operators; `-and` and `-or` are handled by the caller.
    pub(crate) fn binary_step(&mut self, left: Value, right: Value, step: &BinaryStep) -> Result<Value, Flow> {
        crate::limits::operand(&left)?;
        crate::limits::operand(&right)?;
        let case = step.case_sensitive;
        let arithmetic = |op| convert::arithmetic(op, &left, &right).map_err(runtime);
        let compare = |op| convert::compare(op, &left, &right, case).map_err(runtime);
        match step.op {
            BinaryOp::And => Ok(Value::Bool(convert::to_bool(&left) && convert::to_bool(&right))),
            BinaryOp::Or => Ok(Value::Bool(convert::to_bool(&left) || convert::to_bool(&right))),
            BinaryOp::Xor => Ok(Value::Bool(convert::to_bool(&left) != convert::to_bool(&right))),
            BinaryOp::BitAnd => arithmetic(Arithmetic::And).map(|v| same_enum(&left, v)),
            BinaryOp::BitOr => arithmetic(Arithmetic::Or).map(|v| same_enum(&left, v)),
            BinaryOp::BitXor => arithmetic(Arithmetic::Xor).map(|v| same_enum(&left, v)),
            BinaryOp::Shl => arithmetic(Arithmetic::Shl),
            BinaryOp::Shr => arithmetic(Arithmetic::Shr),
            BinaryOp::Add => {
                self.check_growth(&left, &right)?;
                arithmetic(Arithmetic::Add).map(|v| same_enum(&left, v))
            }
            BinaryOp::Sub => arithmetic(Arithmetic::Sub).map(|v| same_enum(&left, v)),
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
                let pattern = self.pattern(&self.text(&right), case, Asker::Operator)?;
                let wanted = step.op == BinaryOp::Match;
                if let Some(items) = left.items() {
                    let mut kept = Vec::new();
                    for item in items {
                        if pattern.is_match(&self.text(&item))? == wanted {
                            kept.push(item);
                        }
                    }
                    return Ok(Value::array(kept));
                }
                let subject = self.text(&left);
                Ok(Value::Bool(self.match_into_matches(&pattern, &subject)? == wanted))
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
        let pattern = self.pattern(&pattern, case, Asker::Language)?;
        let replacement = operands.get(1).map(|v| self.text(v)).unwrap_or_default();
        let replacement = Replacement::new(&replacement, &pattern);
        let one = |ev: &Self, item: &Value| -> Result<Value, Flow> {
            let text = pattern.replace(&ev.text(item), &replacement, usize::MAX)?;
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
        let on = |name: &str| options.contains(name);
        let flags = Flags {
            ignore_case: !case || on("ignorecase"),
            multiline: on("multiline"),
            single_line: on("singleline"),
            explicit: on("explicitcapture"),
            ignore_blanks: on("ignorepatternwhitespace"),
        };
        let pattern = if on("simplematch") {
            let flags = Flags { ignore_blanks: false, ..flags };
            Arc::new(Pattern::literal(&pattern, flags).map_err(|error| Flow::from(error.record(&pattern, Asker::Operator)))?)
        } else {
            self.state.patterns.get(&pattern, flags, Asker::Operator)?
        };
        let limit = usize::try_from(maximum).unwrap_or(0);
        for item in enumerate(left) {
            let subject = self.text(&item);
            parts.extend(pattern.split(&subject, limit)?.into_iter().map(Value::str));
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
            .map(|item| if is_collection(item) { Ok(crate::types::type_name(item).to_string()) } else { self.stringify(item) })
            .collect::<Result<_, Flow>>()?;
        let text = crate::limits::joined(texts, separator);
        self.check_text(text.len())?;
        Ok(Value::str(text))
    }
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
