//! XPath 1.0 over the tree: location paths with all axes that scripts use, predicates, operators, and the core functions.

use super::document::{Id, Kind, Tree};

/// Deepest nesting of an expression.
const MAX_DEPTH: usize = 64;
/// Most nodes that one evaluation may visit.
const MOST_VISITS: usize = 20_000_000;

/// Why an expression has no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fault {
    /// .NET refuses it, in its words.
    Invalid(String),
    /// A prefix that nobody declared.
    Prefix(String),
    /// Evaluation visits too many nodes.
    TooMuch,
}

fn invalid<T>(text: &str) -> Result<T, Fault> {
    Err(Fault::Invalid(format!("'{text}' has an invalid token.")))
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Number(f64),
    Text(String),
    Name(String),
    Symbol(&'static str),
}

fn tokens(text: &str) -> Result<Vec<Token>, Fault> {
    const SYMBOLS: [&str; 20] = ["//", "::", "..", "<=", ">=", "!=", "/", "[", "]", "(", ")", "@", ",", "|", "=", "<", ">", "+", "-", "*"];
    let mut out = Vec::new();
    let mut rest = text;
    'next: while let Some(c) = rest.chars().next() {
        if c.is_whitespace() {
            rest = &rest[c.len_utf8()..];
            continue;
        }
        if c == '"' || c == '\'' {
            let Some(end) = rest[1..].find(c) else { return Err(Fault::Invalid("This is an unclosed string.".into())) };
            out.push(Token::Text(rest[1..=end].into()));
            rest = &rest[end + 2..];
            continue;
        }
        if c.is_ascii_digit() || (c == '.' && rest[1..].starts_with(|d: char| d.is_ascii_digit())) {
            let end = rest.find(|d: char| !d.is_ascii_digit() && d != '.').unwrap_or(rest.len());
            match rest[..end].parse() {
                Ok(number) => out.push(Token::Number(number)),
                Err(_) => return invalid(text),
            }
            rest = &rest[end..];
            continue;
        }
        for symbol in SYMBOLS {
            if let Some(after) = rest.strip_prefix(symbol) {
                out.push(Token::Symbol(symbol));
                rest = after;
                continue 'next;
            }
        }
        if c == '.' {
            out.push(Token::Symbol("."));
            rest = &rest[1..];
            continue;
        }
        if c.is_alphabetic() || c == '_' {
            let part = |s: &str| s.find(|d: char| !(d.is_alphanumeric() || matches!(d, '_' | '-' | '.'))).unwrap_or(s.len());
            let mut end = part(rest);
            // A name with a prefix, but not an axis.
            if rest[end..].starts_with(':') && !rest[end..].starts_with("::") {
                let after = &rest[end + 1..];
                end += 1 + if after.starts_with('*') { 1 } else { part(after) };
            }
            out.push(Token::Name(rest[..end].into()));
            rest = &rest[end..];
            continue;
        }
        return invalid(text);
    }
    Ok(out)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Axis {
    Child,
    Descendant,
    DescendantOrSelf,
    Parent,
    Ancestor,
    AncestorOrSelf,
    FollowingSibling,
    PrecedingSibling,
    Attribute,
    Itself,
}

#[derive(Debug, Clone)]
enum Test {
    Any,
    Namespace(String),
    Name(Option<String>, String),
    Node,
    Text,
    Comment,
}

#[derive(Debug, Clone)]
struct Step {
    axis: Axis,
    test: Test,
    predicates: Vec<Expression>,
}

#[derive(Debug, Clone)]
enum Expression {
    Number(f64),
    Text(String),
    Binary(&'static str, Box<Expression>, Box<Expression>),
    Negative(Box<Expression>),
    Function(String, Vec<Expression>),
    /// Whether it starts at the document, or at another expression.
    Path(bool, Option<Box<Expression>>, Vec<Step>),
    Filter(Box<Expression>, Vec<Expression>),
}

struct Parser<'a> {
    text: &'a str,
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
    namespaces: &'a [(String, String)],
}

impl Parser<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn is(&self, symbol: &str) -> bool {
        matches!(self.peek(), Some(Token::Symbol(s)) if *s == symbol)
    }

    fn eat(&mut self, symbol: &str) -> bool {
        let hit = self.is(symbol);
        self.at += usize::from(hit);
        hit
    }

    fn word(&mut self, word: &str) -> bool {
        let hit = matches!(self.peek(), Some(Token::Name(n)) if n == word);
        self.at += usize::from(hit);
        hit
    }

    fn need(&mut self, symbol: &str) -> Result<(), Fault> {
        if self.eat(symbol) { Ok(()) } else { invalid(self.text) }
    }

    fn binary(&mut self, level: usize) -> Result<Expression, Fault> {
        const LEVELS: [&[&str]; 6] = [&["or"], &["and"], &["=", "!="], &["<=", ">=", "<", ">"], &["+", "-"], &["*", "div", "mod"]];
        let Some(operators) = LEVELS.get(level) else { return self.unary() };
        let mut left = self.binary(level + 1)?;
        'more: loop {
            for operator in *operators {
                let word = operator.starts_with(|c: char| c.is_ascii_alphabetic());
                if if word { self.word(operator) } else { self.eat(operator) } {
                    let right = self.binary(level + 1)?;
                    left = Expression::Binary(operator, Box::new(left), Box::new(right));
                    continue 'more;
                }
            }
            return Ok(left);
        }
    }

    fn expression(&mut self) -> Result<Expression, Fault> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Fault::Invalid("The xpath query is too complex.".into()));
        }
        let made = self.binary(0);
        self.depth -= 1;
        made
    }

    fn unary(&mut self) -> Result<Expression, Fault> {
        let mut negative = false;
        while self.eat("-") {
            negative = !negative;
        }
        let mut left = self.path()?;
        while self.eat("|") {
            let right = self.path()?;
            left = Expression::Binary("|", Box::new(left), Box::new(right));
        }
        Ok(if negative { Expression::Negative(Box::new(left)) } else { left })
    }

    fn path(&mut self) -> Result<Expression, Fault> {
        let function = matches!(self.peek(), Some(Token::Name(n)) if !["node", "text", "comment", "processing-instruction"].contains(&&**n))
            && matches!(self.tokens.get(self.at + 1), Some(Token::Symbol("(")));
        let start = match self.peek() {
            Some(Token::Number(n)) => {
                let number = *n;
                self.at += 1;
                Expression::Number(number)
            }
            Some(Token::Text(text)) => {
                let text = text.clone();
                self.at += 1;
                Expression::Text(text)
            }
            Some(Token::Symbol("(")) => {
                self.at += 1;
                let inner = self.expression()?;
                self.need(")")?;
                inner
            }
            Some(Token::Name(name)) if function => {
                let name = name.clone();
                self.at += 2;
                let mut arguments = Vec::new();
                while !self.eat(")") {
                    if !arguments.is_empty() {
                        self.need(",")?;
                    }
                    arguments.push(self.expression()?);
                }
                Expression::Function(name, arguments)
            }
            _ => return self.location(),
        };
        let mut predicates = Vec::new();
        while self.eat("[") {
            predicates.push(self.expression()?);
            self.need("]")?;
        }
        let start = if predicates.is_empty() { start } else { Expression::Filter(Box::new(start), predicates) };
        if !self.is("/") && !self.is("//") {
            return Ok(start);
        }
        let steps = self.steps()?;
        Ok(Expression::Path(false, Some(Box::new(start)), steps))
    }

    fn location(&mut self) -> Result<Expression, Fault> {
        let absolute = self.is("/") || self.is("//");
        if absolute {
            let bare =
                self.is("/") && !matches!(self.tokens.get(self.at + 1), Some(Token::Name(_) | Token::Symbol("@" | "." | ".." | "*")));
            if bare {
                self.at += 1;
                return Ok(Expression::Path(true, None, Vec::new()));
            }
            return Ok(Expression::Path(true, None, self.steps()?));
        }
        let first = self.step()?;
        let mut steps = vec![first];
        steps.extend(self.steps()?);
        Ok(Expression::Path(false, None, steps))
    }

    /// Steps behind slashes.
    fn steps(&mut self) -> Result<Vec<Step>, Fault> {
        let mut steps = Vec::new();
        loop {
            if self.eat("//") {
                steps.push(Step { axis: Axis::DescendantOrSelf, test: Test::Node, predicates: Vec::new() });
            } else if !self.eat("/") {
                return Ok(steps);
            }
            steps.push(self.step()?);
        }
    }

    fn step(&mut self) -> Result<Step, Fault> {
        if self.eat(".") {
            return Ok(Step { axis: Axis::Itself, test: Test::Node, predicates: Vec::new() });
        }
        if self.eat("..") {
            return Ok(Step { axis: Axis::Parent, test: Test::Node, predicates: Vec::new() });
        }
        let mut axis = Axis::Child;
        if self.eat("@") {
            axis = Axis::Attribute;
        } else if matches!(self.tokens.get(self.at + 1), Some(Token::Symbol("::"))) {
            let Some(Token::Name(name)) = self.peek() else { return invalid(self.text) };
            axis = match name.as_str() {
                "child" => Axis::Child,
                "descendant" => Axis::Descendant,
                "descendant-or-self" => Axis::DescendantOrSelf,
                "parent" => Axis::Parent,
                "ancestor" => Axis::Ancestor,
                "ancestor-or-self" => Axis::AncestorOrSelf,
                "following-sibling" => Axis::FollowingSibling,
                "preceding-sibling" => Axis::PrecedingSibling,
                "attribute" => Axis::Attribute,
                "self" => Axis::Itself,
                _ => return invalid(self.text),
            };
            self.at += 2;
        }
        let test = match self.peek().cloned() {
            Some(Token::Symbol("*")) => {
                self.at += 1;
                Test::Any
            }
            Some(Token::Name(name)) => {
                self.at += 1;
                if self.eat("(") {
                    self.need(")")?;
                    match name.as_str() {
                        "node" => Test::Node,
                        "text" => Test::Text,
                        "comment" => Test::Comment,
                        _ => return invalid(self.text),
                    }
                } else {
                    match name.split_once(':') {
                        Some((prefix, local)) => {
                            let found = self.namespaces.iter().find(|(p, _)| p == prefix).map(|(_, uri)| uri.clone());
                            let uri = found.ok_or_else(|| Fault::Prefix(prefix.into()))?;
                            if local == "*" { Test::Namespace(uri) } else { Test::Name(Some(uri), local.into()) }
                        }
                        None => Test::Name(None, name),
                    }
                }
            }
            _ => return invalid(self.text),
        };
        let mut predicates = Vec::new();
        while self.eat("[") {
            predicates.push(self.expression()?);
            self.need("]")?;
        }
        Ok(Step { axis, test, predicates })
    }
}

/// What an expression gives.
#[derive(Debug, Clone)]
pub(super) enum Answer {
    /// Nodes in document order.
    Nodes(Vec<Id>),
    Number(f64),
    Text(String),
    Bool(bool),
}

struct Evaluation<'a> {
    tree: Tree<'a>,
    visits: std::cell::Cell<usize>,
    /// Place of every node in document order, for unions and reverse axes.
    order: Vec<usize>,
}

#[derive(Clone, Copy)]
struct Focus {
    node: Id,
    position: usize,
    size: usize,
}

/// Evaluates an expression at a node.
pub(super) fn evaluate(tree: Tree<'_>, node: Id, text: &str, namespaces: &[(String, String)]) -> Result<Answer, Fault> {
    let mut parser = Parser { text, tokens: tokens(text)?, at: 0, depth: 0, namespaces };
    let expression = parser.expression()?;
    if parser.at < parser.tokens.len() {
        return invalid(text);
    }
    let mut order = vec![usize::MAX; tree.0.len()];
    let mut next = 0;
    let mut number = |id: Id, order: &mut Vec<usize>| {
        order[id] = next;
        next += 1;
    };
    number(0, &mut order);
    for id in tree.descendants(0) {
        number(id, &mut order);
        for attribute in &tree.node(id).attributes {
            number(*attribute, &mut order);
        }
    }
    let evaluation = Evaluation { tree, visits: std::cell::Cell::new(0), order };
    evaluation.run(&expression, Focus { node, position: 1, size: 1 })
}

impl Evaluation<'_> {
    fn visit(&self, count: usize) -> Result<(), Fault> {
        self.visits.set(self.visits.get() + count);
        if self.visits.get() > MOST_VISITS { Err(Fault::TooMuch) } else { Ok(()) }
    }

    fn sorted(&self, mut nodes: Vec<Id>) -> Vec<Id> {
        nodes.sort_by_key(|id| self.order[*id]);
        nodes.dedup();
        nodes
    }

    fn run(&self, expression: &Expression, focus: Focus) -> Result<Answer, Fault> {
        Ok(match expression {
            Expression::Number(n) => Answer::Number(*n),
            Expression::Text(text) => Answer::Text(text.clone()),
            Expression::Negative(inner) => Answer::Number(-self.number(&self.run(inner, focus)?)),
            Expression::Function(name, arguments) => self.function(name, arguments, focus)?,
            Expression::Binary(operator, left, right) => self.operator(operator, left, right, focus)?,
            Expression::Filter(inner, predicates) => {
                let mut nodes = self.nodes(self.run(inner, focus)?)?;
                for predicate in predicates {
                    nodes = self.filtered(nodes, predicate)?;
                }
                Answer::Nodes(nodes)
            }
            Expression::Path(absolute, start, steps) => {
                let mut nodes = match start {
                    Some(start) => self.nodes(self.run(start, focus)?)?,
                    None => vec![if *absolute { 0 } else { focus.node }],
                };
                for step in steps {
                    let mut found = Vec::new();
                    for node in &nodes {
                        let mut there = self.along(*node, step)?;
                        for predicate in &step.predicates {
                            there = self.filtered(there, predicate)?;
                        }
                        found.extend(there);
                    }
                    nodes = self.sorted(found);
                }
                Answer::Nodes(nodes)
            }
        })
    }

    fn nodes(&self, answer: Answer) -> Result<Vec<Id>, Fault> {
        match answer {
            Answer::Nodes(nodes) => Ok(nodes),
            _ => Err(Fault::Invalid("Expression must evaluate to a node-set.".into())),
        }
    }

    fn filtered(&self, nodes: Vec<Id>, predicate: &Expression) -> Result<Vec<Id>, Fault> {
        let size = nodes.len();
        let mut kept = Vec::new();
        for (at, node) in nodes.into_iter().enumerate() {
            let answer = self.run(predicate, Focus { node, position: at + 1, size })?;
            #[allow(clippy::cast_precision_loss)]
            let hit = match answer {
                Answer::Number(n) => n == (at + 1) as f64,
                other => self.truth(&other),
            };
            if hit {
                kept.push(node);
            }
        }
        Ok(kept)
    }

    /// The nodes along an axis that pass the test, nearest first.
    fn along(&self, node: Id, step: &Step) -> Result<Vec<Id>, Fault> {
        let tree = self.tree;
        let siblings = || tree.node(node).parent.map(|p| tree.node(p).children.clone()).unwrap_or_default();
        let ancestors = || std::iter::successors(tree.node(node).parent, |at| tree.node(*at).parent);
        let candidates: Vec<Id> = match step.axis {
            Axis::Itself => vec![node],
            Axis::Child => tree.node(node).children.clone(),
            Axis::Attribute => tree.node(node).attributes.iter().copied().filter(|a| !tree.node(*a).name.starts_with("xmlns")).collect(),
            Axis::Descendant => tree.descendants(node),
            Axis::DescendantOrSelf => std::iter::once(node).chain(tree.descendants(node)).collect(),
            Axis::Parent => tree.node(node).parent.into_iter().collect(),
            Axis::Ancestor => ancestors().collect(),
            Axis::AncestorOrSelf => std::iter::once(node).chain(ancestors()).collect(),
            Axis::FollowingSibling => siblings().into_iter().skip_while(|s| *s != node).skip(1).collect(),
            Axis::PrecedingSibling => {
                let mut before: Vec<Id> = siblings().into_iter().take_while(|s| *s != node).collect();
                before.reverse();
                before
            }
        };
        self.visit(candidates.len() + 1)?;
        let principal = if step.axis == Axis::Attribute { Kind::Attribute } else { Kind::Element };
        Ok(candidates
            .into_iter()
            .filter(|id| {
                let node = tree.node(*id);
                match &step.test {
                    Test::Node => true,
                    Test::Text => matches!(node.kind, Kind::Text | Kind::CData),
                    Test::Comment => node.kind == Kind::Comment,
                    Test::Any => node.kind == principal,
                    Test::Namespace(uri) => node.kind == principal && node.namespace == *uri,
                    Test::Name(uri, local) => {
                        node.kind == principal && node.local() == local && node.namespace == uri.as_deref().unwrap_or_default()
                    }
                }
            })
            .collect())
    }

    fn text(&self, answer: &Answer) -> String {
        match answer {
            Answer::Nodes(nodes) => nodes.first().map(|id| self.tree.text(*id)).unwrap_or_default(),
            Answer::Number(n) if n.is_nan() => "NaN".into(),
            Answer::Number(n) if n.is_infinite() => if *n > 0.0 { "Infinity" } else { "-Infinity" }.into(),
            Answer::Number(n) => n.to_string(),
            Answer::Text(text) => text.clone(),
            Answer::Bool(b) => b.to_string(),
        }
    }

    fn number(&self, answer: &Answer) -> f64 {
        match answer {
            Answer::Number(n) => *n,
            Answer::Bool(b) => f64::from(u8::from(*b)),
            other => self.text(other).trim().parse().unwrap_or(f64::NAN),
        }
    }

    fn truth(&self, answer: &Answer) -> bool {
        match answer {
            Answer::Nodes(nodes) => !nodes.is_empty(),
            Answer::Number(n) => *n != 0.0 && !n.is_nan(),
            Answer::Text(text) => !text.is_empty(),
            Answer::Bool(b) => *b,
        }
    }

    fn operator(&self, operator: &str, left: &Expression, right: &Expression, focus: Focus) -> Result<Answer, Fault> {
        let a = self.run(left, focus)?;
        match operator {
            "or" if self.truth(&a) => return Ok(Answer::Bool(true)),
            "and" if !self.truth(&a) => return Ok(Answer::Bool(false)),
            _ => {}
        }
        let b = self.run(right, focus)?;
        Ok(match operator {
            "or" | "and" => Answer::Bool(self.truth(&b)),
            "|" => {
                let mut all = self.nodes(a)?;
                all.extend(self.nodes(b)?);
                Answer::Nodes(self.sorted(all))
            }
            "+" => Answer::Number(self.number(&a) + self.number(&b)),
            "-" => Answer::Number(self.number(&a) - self.number(&b)),
            "*" => Answer::Number(self.number(&a) * self.number(&b)),
            "div" => Answer::Number(self.number(&a) / self.number(&b)),
            "mod" => Answer::Number(self.number(&a) % self.number(&b)),
            operator => Answer::Bool(self.compare(operator, &a, &b)?),
        })
    }

    /// A set of nodes compares as any of its nodes does.
    fn compare(&self, operator: &str, a: &Answer, b: &Answer) -> Result<bool, Fault> {
        if let (Answer::Nodes(nodes), false) = (a, matches!(b, Answer::Bool(_))) {
            self.visit(nodes.len())?;
            for id in nodes {
                if self.compare(operator, &Answer::Text(self.tree.text(*id)), b)? {
                    return Ok(true);
                }
            }
            return Ok(false);
        }
        if let (Answer::Nodes(nodes), false) = (b, matches!(a, Answer::Bool(_))) {
            self.visit(nodes.len())?;
            for id in nodes {
                if self.compare(operator, a, &Answer::Text(self.tree.text(*id)))? {
                    return Ok(true);
                }
            }
            return Ok(false);
        }
        Ok(match operator {
            "=" | "!=" => {
                let equal = match (a, b) {
                    (Answer::Bool(_), _) | (_, Answer::Bool(_)) => self.truth(a) == self.truth(b),
                    (Answer::Number(_), _) | (_, Answer::Number(_)) => self.number(a) == self.number(b),
                    _ => self.text(a) == self.text(b),
                };
                equal == (operator == "=")
            }
            "<" => self.number(a) < self.number(b),
            "<=" => self.number(a) <= self.number(b),
            ">" => self.number(a) > self.number(b),
            _ => self.number(a) >= self.number(b),
        })
    }

    fn function(&self, name: &str, arguments: &[Expression], focus: Focus) -> Result<Answer, Fault> {
        let answers: Vec<Answer> = arguments.iter().map(|a| self.run(a, focus)).collect::<Result<_, _>>()?;
        let own = Answer::Nodes(vec![focus.node]);
        let first = answers.first().unwrap_or(&own);
        let text = |at: usize| answers.get(at).map(|a| self.text(a)).unwrap_or_default();
        let few = || Fault::Invalid(format!("Function '{name}' in '' has an invalid number of arguments."));
        let need = |count: usize| if answers.len() < count { Err(few()) } else { Ok(()) };
        #[allow(clippy::cast_precision_loss)]
        Ok(match name {
            "position" => Answer::Number(focus.position as f64),
            "last" => Answer::Number(focus.size as f64),
            "count" => {
                need(1)?;
                Answer::Number(self.nodes(first.clone())?.len() as f64)
            }
            "sum" => {
                need(1)?;
                Answer::Number(self.nodes(first.clone())?.iter().map(|id| self.number(&Answer::Text(self.tree.text(*id)))).sum())
            }
            "name" | "local-name" | "namespace-uri" => {
                let node = self.nodes(first.clone())?.first().map(|id| self.tree.node(*id));
                Answer::Text(
                    node.map(|node| match name {
                        _ if !matches!(node.kind, Kind::Element | Kind::Attribute | Kind::Instruction) => "",
                        "name" => &node.name,
                        "local-name" => node.local(),
                        _ => &node.namespace,
                    })
                    .unwrap_or_default()
                    .to_string(),
                )
            }
            "string" => Answer::Text(self.text(first)),
            "number" => Answer::Number(self.number(first)),
            "boolean" => Answer::Bool(self.truth(first)),
            "not" => {
                need(1)?;
                Answer::Bool(!self.truth(first))
            }
            "true" => Answer::Bool(true),
            "false" => Answer::Bool(false),
            "concat" => {
                need(2)?;
                Answer::Text(answers.iter().map(|a| self.text(a)).collect())
            }
            "contains" => {
                need(2)?;
                Answer::Bool(text(0).contains(&text(1)))
            }
            "starts-with" => {
                need(2)?;
                Answer::Bool(text(0).starts_with(&text(1)))
            }
            "substring-before" => {
                need(2)?;
                Answer::Text(text(0).split_once(&text(1)).map_or(String::new(), |(before, _)| before.to_string()))
            }
            "substring-after" => {
                need(2)?;
                Answer::Text(text(0).split_once(&text(1)).map_or(String::new(), |(_, after)| after.to_string()))
            }
            "substring" => {
                need(2)?;
                let from = self.number(&answers[1]).round();
                let to = answers.get(2).map_or(f64::INFINITY, |n| from + self.number(n).round());
                let inside = |at: usize| (at + 1) as f64 >= from && ((at + 1) as f64) < to;
                Answer::Text(text(0).chars().enumerate().filter(|(at, _)| inside(*at)).map(|(_, c)| c).collect())
            }
            "string-length" => Answer::Number(self.text(first).chars().count() as f64),
            "normalize-space" => Answer::Text(self.text(first).split_whitespace().collect::<Vec<_>>().join(" ")),
            "translate" => {
                need(3)?;
                let (from, to): (Vec<char>, Vec<char>) = (text(1).chars().collect(), text(2).chars().collect());
                let change = |c: char| match from.iter().position(|f| *f == c) {
                    Some(at) => to.get(at).copied(),
                    None => Some(c),
                };
                Answer::Text(text(0).chars().filter_map(change).collect())
            }
            "floor" => Answer::Number(self.number(first).floor()),
            "ceiling" => Answer::Number(self.number(first).ceil()),
            "round" => Answer::Number((self.number(first) + 0.5).floor()),
            other => {
                return Err(Fault::Invalid(format!(
                    "Namespace Manager or XsltContext needed. This query has a prefix, variable, or user-defined function: {other}"
                )));
            }
        })
    }
}
