//! Custom format strings of dates and spans, taken apart.

/// One piece of a custom format string.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// A letter and how often it stands there in a row.
    Letters(char, usize),
    /// Text between quotes or behind a backslash.
    Quoted(String),
    /// Any other character.
    Other(char),
}

/// Takes a pattern apart; `None` when a quote or a backslash has nothing behind it.
pub(super) fn tokens(pattern: &str) -> Option<Vec<Token>> {
    let mut out = Vec::new();
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\'' | '"' => {
                let mut quoted = String::new();
                loop {
                    match chars.next()? {
                        end if end == c => break,
                        '\\' => quoted.push(chars.next()?),
                        other => quoted.push(other),
                    }
                }
                out.push(Token::Quoted(quoted));
            }
            '\\' => out.push(Token::Quoted(chars.next()?.to_string())),
            // A percent sign only says that the letter behind it is no standard format.
            '%' => match chars.peek() {
                None | Some('%') => return None,
                Some(_) => {}
            },
            c if c.is_ascii_alphabetic() => {
                let mut count = 1;
                while chars.next_if_eq(&c).is_some() {
                    count += 1;
                }
                out.push(Token::Letters(c, count));
            }
            other => out.push(Token::Other(other)),
        }
    }
    Some(out)
}

/// The custom pattern of a standard (one letter) date format under en-US; `None` when there is no such format.
pub(super) fn standard(format: &str) -> Option<&str> {
    Some(match format {
        "" | "G" => "M/d/yyyy h:mm:ss tt",
        "d" => "M/d/yyyy",
        "D" => "dddd, MMMM d, yyyy",
        "t" => "h:mm tt",
        "T" => "h:mm:ss tt",
        "f" => "dddd, MMMM d, yyyy h:mm tt",
        "F" | "U" => "dddd, MMMM d, yyyy h:mm:ss tt",
        "g" => "M/d/yyyy h:mm tt",
        "m" | "M" => "MMMM d",
        "y" | "Y" => "MMMM yyyy",
        "s" => "yyyy'-'MM'-'dd'T'HH':'mm':'ss",
        "u" => "yyyy'-'MM'-'dd HH':'mm':'ss'Z'",
        "r" | "R" => "ddd, dd MMM yyyy HH':'mm':'ss 'GMT'",
        "o" | "O" => "yyyy'-'MM'-'dd'T'HH':'mm':'ss'.'fffffffK",
        custom if custom.chars().count() == 1 => return None,
        custom => custom,
    })
}
