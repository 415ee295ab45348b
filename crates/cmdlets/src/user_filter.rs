//! `-Filter` of `Get-CsUser`: comparisons of user attributes joined by `-and`, `-or` and `-not`.

/// Deepest nesting of parentheses and `-not`.
const MAX_DEPTH: usize = 64;

/// Why a filter is not valid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FilterError {
    /// Something else was expected.
    #[error("{expected} expected at position {at}, found {found}")]
    Expected {
        /// What should stand there.
        expected: &'static str,
        /// What does.
        found: String,
        /// Counted in characters from 1.
        at: usize,
    },
    /// A string without an end.
    #[error("the string that begins at position {0} has no end")]
    OpenString(usize),
    /// A variable: the filter is evaluated outside of the session.
    #[error("variable ${0} is not expanded inside of a filter; write the filter in double quotes")]
    Variable(String),
    /// Nested too deep.
    #[error("it is nested deeper than {MAX_DEPTH} levels")]
    TooDeep,
}

/// Attributes that the model knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Field {
    /// `RegistrarPool`.
    RegistrarPool,
    /// `SipAddress`.
    SipAddress,
    /// `Enabled`.
    Enabled,
    /// `EnterpriseVoiceEnabled`.
    EnterpriseVoiceEnabled,
    /// `HostedVoiceMail`.
    HostedVoiceMail,
    /// `DisplayName`, `Name`.
    DisplayName,
    /// `Identity`, `DistinguishedName`.
    Identity,
    /// `SamAccountName`.
    SamAccountName,
    /// `UserPrincipalName`.
    UserPrincipalName,
    /// `LineURI`: nobody has one.
    LineUri,
    /// `HostingProvider`.
    HostingProvider,
}

/// A value to compare with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Literal {
    /// Text.
    Text(String),
    /// `$true`, `$false`.
    Bool(bool),
    /// `$null`.
    Null,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Eq,
    Ne,
    Like,
    NotLike,
    Gt,
    Ge,
    Lt,
    Le,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Node {
    Compare(Result<Field, String>, Operator, Literal),
    And(Box<Node>, Box<Node>),
    Or(Box<Node>, Box<Node>),
    Not(Box<Node>),
}

/// A parsed filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Filter {
    root: Node,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Word(String),
    Operator(String),
    Text(String),
    Variable(String),
    Open,
    Close,
}

impl Token {
    fn shown(&self) -> String {
        match self {
            Self::Word(text) | Self::Text(text) => format!("`{text}`"),
            Self::Operator(text) => format!("`-{text}`"),
            Self::Variable(text) => format!("`${text}`"),
            Self::Open => "`(`".to_owned(),
            Self::Close => "`)`".to_owned(),
        }
    }
}

impl Filter {
    /// Reads a filter.
    ///
    /// # Errors
    /// When it is not one.
    pub(crate) fn parse(source: &str) -> Result<Self, FilterError> {
        let tokens = tokens(source)?;
        let mut parser = FilterParser { tokens: &tokens, at: 0, end: source.chars().count() + 1 };
        let root = parser.either(0)?;
        match parser.peek() {
            None => Ok(Self { root }),
            Some(_) => Err(parser.expected("-and, -or or the end")),
        }
    }

    /// Attributes that the filter names and the model does not have; comparing with them yields false.
    pub(crate) fn unknown_fields(&self) -> Vec<&str> {
        fn walk<'n>(node: &'n Node, out: &mut Vec<&'n str>) {
            match node {
                Node::Compare(Err(name), ..) => out.push(name),
                Node::Compare(..) => {}
                Node::And(left, right) | Node::Or(left, right) => {
                    walk(left, out);
                    walk(right, out);
                }
                Node::Not(inner) => walk(inner, out),
            }
        }
        let mut out = Vec::new();
        walk(&self.root, &mut out);
        out
    }

    /// Whether a user passes; `field` reads its attributes, only those that matter.
    pub(crate) fn accepts(&self, field: &mut dyn FnMut(Field) -> Literal) -> bool {
        accepts(&self.root, field)
    }
}

fn accepts(node: &Node, field: &mut dyn FnMut(Field) -> Literal) -> bool {
    match node {
        Node::And(left, right) => accepts(left, field) && accepts(right, field),
        Node::Or(left, right) => accepts(left, field) || accepts(right, field),
        Node::Not(inner) => !accepts(inner, field),
        Node::Compare(Err(_), ..) => false,
        Node::Compare(Ok(name), operator, literal) => compare(&field(*name), *operator, literal),
    }
}

fn compare(value: &Literal, operator: Operator, literal: &Literal) -> bool {
    let lower = |literal: &Literal| match literal {
        Literal::Text(text) => text.to_lowercase(),
        Literal::Bool(value) => value.to_string(),
        Literal::Null => String::new(),
    };
    let equal = || match (value, literal) {
        (Literal::Null, Literal::Null) => true,
        (Literal::Null, Literal::Text(text)) => text.is_empty(),
        (Literal::Null, _) | (_, Literal::Null) => false,
        _ => lower(value) == lower(literal),
    };
    let order = || lower(value).cmp(&lower(literal));
    match operator {
        Operator::Eq => equal(),
        Operator::Ne => !equal(),
        Operator::Like => value != &Literal::Null && crate::context::like(&lower(literal), &lower(value)),
        Operator::NotLike => value == &Literal::Null || !crate::context::like(&lower(literal), &lower(value)),
        Operator::Gt => order().is_gt(),
        Operator::Ge => order().is_ge(),
        Operator::Lt => order().is_lt(),
        Operator::Le => order().is_le(),
    }
}

fn tokens(source: &str) -> Result<Vec<(Token, usize)>, FilterError> {
    let chars: Vec<char> = source.chars().collect();
    let mut tokens = Vec::new();
    let mut at = 0;
    let word =
        |from: usize| chars[from..].iter().take_while(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '@' | ':' | '*' | '+')).count();
    while at < chars.len() {
        let start = at;
        let token = match chars[at] {
            c if c.is_whitespace() => {
                at += 1;
                continue;
            }
            '(' | '{' => {
                at += 1;
                Token::Open
            }
            ')' | '}' => {
                at += 1;
                Token::Close
            }
            quote @ ('"' | '\'') => {
                let mut text = String::new();
                at += 1;
                loop {
                    match chars.get(at) {
                        None => return Err(FilterError::OpenString(start + 1)),
                        Some(c) if *c == quote && chars.get(at + 1) == Some(&quote) => {
                            text.push(quote);
                            at += 2;
                        }
                        Some(c) if *c == quote => {
                            at += 1;
                            break;
                        }
                        Some(c) => {
                            text.push(*c);
                            at += 1;
                        }
                    }
                }
                Token::Text(text)
            }
            '$' => {
                let length = word(at + 1);
                at += 1 + length;
                Token::Variable(chars[start + 1..at].iter().collect())
            }
            '-' if chars.get(at + 1).is_some_and(|c| c.is_alphabetic()) => {
                let length = word(at + 1);
                at += 1 + length;
                Token::Operator(chars[start + 1..at].iter().collect())
            }
            c => {
                let length = word(at).max(1);
                at += length;
                if length == 1 && !c.is_alphanumeric() {
                    return Err(FilterError::Expected {
                        expected: "an attribute, an operator or a value",
                        found: format!("`{c}`"),
                        at: start + 1,
                    });
                }
                // A hyphen inside of a bare word: `pool-1.contoso.com`.
                while chars.get(at) == Some(&'-') && word(at + 1) > 0 {
                    at += 1 + word(at + 1);
                }
                Token::Word(chars[start..at].iter().collect())
            }
        };
        tokens.push((token, start + 1));
    }
    Ok(tokens)
}

struct FilterParser<'t> {
    tokens: &'t [(Token, usize)],
    at: usize,
    end: usize,
}

impl FilterParser<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at).map(|(token, _)| token)
    }

    fn next(&mut self) -> Option<Token> {
        let token = self.peek().cloned();
        self.at += 1;
        token
    }

    fn expected(&self, expected: &'static str) -> FilterError {
        match self.tokens.get(self.at) {
            None => FilterError::Expected { expected, found: "the end".to_owned(), at: self.end },
            Some((token, at)) => FilterError::Expected { expected, found: token.shown(), at: *at },
        }
    }

    fn operator_is(&self, names: &[&str]) -> bool {
        matches!(self.peek(), Some(Token::Operator(name)) if names.iter().any(|known| known.eq_ignore_ascii_case(name)))
    }

    fn either(&mut self, depth: usize) -> Result<Node, FilterError> {
        let mut left = self.both(depth)?;
        while self.operator_is(&["or"]) {
            self.at += 1;
            left = Node::Or(Box::new(left), Box::new(self.both(depth)?));
        }
        Ok(left)
    }

    fn both(&mut self, depth: usize) -> Result<Node, FilterError> {
        let mut left = self.single(depth)?;
        while self.operator_is(&["and"]) {
            self.at += 1;
            left = Node::And(Box::new(left), Box::new(self.single(depth)?));
        }
        Ok(left)
    }

    fn single(&mut self, depth: usize) -> Result<Node, FilterError> {
        if depth > MAX_DEPTH {
            return Err(FilterError::TooDeep);
        }
        if self.operator_is(&["not"]) {
            self.at += 1;
            return Ok(Node::Not(Box::new(self.single(depth + 1)?)));
        }
        if self.peek() == Some(&Token::Open) {
            self.at += 1;
            let inner = self.either(depth + 1)?;
            if self.peek() != Some(&Token::Close) {
                return Err(self.expected("`)`"));
            }
            self.at += 1;
            return Ok(inner);
        }
        self.comparison()
    }

    fn comparison(&mut self) -> Result<Node, FilterError> {
        let field = match self.peek() {
            Some(Token::Word(name)) => field(name),
            _ => return Err(self.expected("an attribute")),
        };
        self.at += 1;
        let operator = match self.peek() {
            Some(Token::Operator(name)) => operator(name).ok_or_else(|| self.expected("a comparison operator"))?,
            _ => return Err(self.expected("a comparison operator")),
        };
        self.at += 1;
        let literal = match self.peek() {
            Some(Token::Text(_) | Token::Word(_) | Token::Variable(_)) => self.next(),
            _ => return Err(self.expected("a value")),
        };
        let literal = match literal {
            Some(Token::Text(text) | Token::Word(text)) => Literal::Text(text),
            Some(Token::Variable(name)) if name.eq_ignore_ascii_case("true") => Literal::Bool(true),
            Some(Token::Variable(name)) if name.eq_ignore_ascii_case("false") => Literal::Bool(false),
            Some(Token::Variable(name)) if name.eq_ignore_ascii_case("null") => Literal::Null,
            Some(Token::Variable(name)) => return Err(FilterError::Variable(name)),
            _ => return Err(self.expected("a value")),
        };
        Ok(Node::Compare(field, operator, literal))
    }
}

fn field(name: &str) -> Result<Field, String> {
    const FIELDS: &[(&str, Field)] = &[
        ("RegistrarPool", Field::RegistrarPool),
        ("SipAddress", Field::SipAddress),
        ("Enabled", Field::Enabled),
        ("EnterpriseVoiceEnabled", Field::EnterpriseVoiceEnabled),
        ("HostedVoiceMail", Field::HostedVoiceMail),
        ("DisplayName", Field::DisplayName),
        ("Name", Field::DisplayName),
        ("Identity", Field::Identity),
        ("DistinguishedName", Field::Identity),
        ("SamAccountName", Field::SamAccountName),
        ("UserPrincipalName", Field::UserPrincipalName),
        ("LineURI", Field::LineUri),
        ("HostingProvider", Field::HostingProvider),
    ];
    FIELDS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, field)| *field).ok_or_else(|| name.to_owned())
}

fn operator(name: &str) -> Option<Operator> {
    const OPERATORS: &[(&str, Operator)] = &[
        ("eq", Operator::Eq),
        ("ne", Operator::Ne),
        ("like", Operator::Like),
        ("notlike", Operator::NotLike),
        ("gt", Operator::Gt),
        ("ge", Operator::Ge),
        ("lt", Operator::Lt),
        ("le", Operator::Le),
    ];
    OPERATORS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, operator)| *operator)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    /// One user: homed on pool1, enabled for voice, no line.
    fn attributes(field: Field) -> Literal {
        match field {
            Field::RegistrarPool => Literal::Text("pool1.contoso.com".to_owned()),
            Field::SipAddress => Literal::Text("sip:anna@contoso.com".to_owned()),
            Field::EnterpriseVoiceEnabled | Field::Enabled => Literal::Bool(true),
            Field::LineUri => Literal::Null,
            _ => Literal::Text("Anna Kowalska".to_owned()),
        }
    }

    #[rstest]
    #[case::text("RegistrarPool -eq \"pool1.contoso.com\"", true)]
    #[case::single_quotes("registrarpool -EQ 'POOL1.contoso.com'", true)]
    #[case::bare("RegistrarPool -eq pool1.contoso.com", true)]
    #[case::hyphen("RegistrarPool -ne lync-pool.contoso.com", true)]
    #[case::and("RegistrarPool -eq 'pool1.contoso.com' -and Enabled -eq $false", false)]
    #[case::or("RegistrarPool -eq 'other' -or Enabled -eq $True", true)]
    #[case::and_binds_tighter("Enabled -eq $true -or Enabled -eq $true -and Enabled -eq $false", true)]
    #[case::not("-not (RegistrarPool -eq 'pool1.contoso.com')", false)]
    #[case::like("SipAddress -like '*@contoso.com'", true)]
    #[case::not_like("DisplayName -notlike 'Ben*'", true)]
    #[case::null("LineURI -eq $null", true)]
    #[case::not_null("LineURI -ne $Null", false)]
    #[case::voice("EnterpriseVoiceEnabled -eq 'True'", true)]
    #[case::braces("{Enabled -eq $true}", true)]
    #[case::doubled_quotes("DisplayName -eq 'O''Brien'", false)]
    fn accepts_as_the_directory_would(#[case] source: &str, #[case] expected: bool) {
        let filter = Filter::parse(source).expect("a valid filter");
        assert_eq!(filter.accepts(&mut attributes), expected);
    }

    #[rstest]
    #[case::empty("", "an attribute expected at position 1, found the end")]
    #[case::no_operator("RegistrarPool", "a comparison operator expected at position 14, found the end")]
    #[case::unknown_operator("RegistrarPool -is x", "a comparison operator expected at position 15, found `-is`")]
    #[case::no_value("RegistrarPool -eq", "a value expected at position 18, found the end")]
    #[case::open_string("DisplayName -eq \"Anna", "the string that begins at position 17 has no end")]
    #[case::open_parenthesis("(Enabled -eq $true", "`)` expected at position 19, found the end")]
    #[case::two("Enabled -eq $true Enabled -eq $true", "-and, -or or the end expected at position 19, found `Enabled`")]
    #[case::variable("RegistrarPool -eq $pool", "variable $pool is not expanded inside of a filter; write the filter in double quotes")]
    #[case::symbol("Enabled = $true", "an attribute, an operator or a value expected at position 9, found `=`")]
    fn says_what_is_wrong(#[case] source: &str, #[case] message: &str) {
        assert_eq!(Filter::parse(source).expect_err("not a filter").to_string(), message);
    }

    /// Hostile depth must end in an error, not in an overflow of the stack.
    #[test]
    fn nesting_is_limited() {
        let source = "(".repeat(100_000);
        assert_eq!(Filter::parse(&source), Err(FilterError::TooDeep));
        let source = "-not ".repeat(100_000);
        assert_eq!(Filter::parse(&source), Err(FilterError::TooDeep));
    }

    #[test]
    fn unknown_attributes_are_named() {
        let filter = Filter::parse("OfficeNumber -eq '1' -or (VoicePolicy -eq 'x' -and Enabled -eq $true)").expect("valid");
        assert_eq!(filter.unknown_fields(), ["OfficeNumber", "VoicePolicy"]);
        assert!(!filter.accepts(&mut attributes));
    }
}
