//! Comment-based help: which comment is help, and its sections.

use std::sync::Arc;

/// One section of comment-based help.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HelpSection {
    /// Keyword without dot, upper case: `SYNOPSIS`, `PARAMETER`.
    pub keyword: Arc<str>,
    /// What follows the keyword on its line: the name of a parameter.
    pub argument: Arc<str>,
    /// The lines below, blank lines at both ends removed.
    pub text: Arc<str>,
}

/// Keywords of help (`about_Comment_Based_Help`).
const KEYWORDS: &[&str] = &[
    "SYNOPSIS",
    "DESCRIPTION",
    "PARAMETER",
    "EXAMPLE",
    "INPUTS",
    "OUTPUTS",
    "NOTES",
    "LINK",
    "COMPONENT",
    "ROLE",
    "FUNCTIONALITY",
    "FORWARDHELPTARGETNAME",
    "FORWARDHELPCATEGORY",
    "REMOTEHELPRUNSPACE",
    "EXTERNALHELP",
];

fn keyword_of(line: &str) -> Option<(&'static str, &str)> {
    let rest = line.trim().strip_prefix('.')?;
    let (word, argument) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let keyword = KEYWORDS.iter().find(|k| k.eq_ignore_ascii_case(word))?;
    Some((keyword, argument.trim()))
}

/// The sections of a help comment (as kept in [`crate::ast::ScriptBlockAst::help`]); empty when it is no help.
pub fn sections(comment: &str) -> Vec<HelpSection> {
    let mut sections: Vec<(&'static str, &str, Vec<&str>)> = Vec::new();
    for line in comment.lines() {
        match (keyword_of(line), sections.last_mut()) {
            (Some((keyword, argument)), _) => sections.push((keyword, argument, Vec::new())),
            (None, Some((_, _, lines))) => lines.push(line),
            (None, None) => {}
        }
    }
    sections
        .into_iter()
        .map(|(keyword, argument, lines)| {
            let blank = |line: &&&str| line.trim().is_empty();
            let from = lines.iter().take_while(blank).count();
            let to = lines.len() - lines[from..].iter().rev().take_while(blank).count();
            let indent = lines[from..to].iter().filter(|l| !l.trim().is_empty()).map(|l| l.len() - l.trim_start().len()).min().unwrap_or(0);
            let text: Vec<&str> = lines[from..to].iter().map(|l| l.get(indent..).unwrap_or("").trim_end()).collect();
            HelpSection { keyword: keyword.into(), argument: argument.into(), text: text.join("\n").into() }
        })
        .collect()
}

/// Takes one comment (or a run of line comments) from the front; its text without marks, and what follows.
fn comment(text: &str) -> Option<(String, &str)> {
    let text = text.trim_start();
    if let Some(rest) = text.strip_prefix("<#") {
        let (body, rest) = rest.split_once("#>")?;
        return Some((body.to_owned(), rest));
    }
    let mut rest = text;
    let mut body = String::new();
    while let Some(line) = rest.strip_prefix('#') {
        let (line, after) = line.split_once('\n').unwrap_or((line, ""));
        body.push_str(line.trim_end_matches('\r'));
        body.push('\n');
        rest = after.trim_start_matches([' ', '\t']);
    }
    (!body.is_empty()).then_some((body, rest))
}

fn is_help(comment: &str) -> bool {
    comment.lines().find_map(|line| (!line.trim().is_empty()).then(|| keyword_of(line).is_some())).unwrap_or(false)
}

/// The help at the head of a script or of a function's body: the first comment whose first line is a keyword.
pub(crate) fn leading(text: &str) -> Option<Arc<str>> {
    let mut rest = text;
    while let Some((found, after)) = comment(rest) {
        if is_help(&found) {
            return Some(found.into());
        }
        rest = after;
    }
    None
}

/// The help at the tail of a body, or in front of a function (one blank line may stand between).
pub(crate) fn trailing(text: &str) -> Option<Arc<str>> {
    let trimmed = text.trim_end();
    if let Some(body) = trimmed.strip_suffix("#>") {
        let (_, body) = body.rsplit_once("<#")?;
        return is_help(body).then(|| body.into());
    }
    let mut lines: Vec<&str> = Vec::new();
    for line in trimmed.lines().rev() {
        match line.trim_start().strip_prefix('#') {
            Some(rest) => lines.push(rest),
            None => break,
        }
    }
    lines.reverse();
    let body = lines.join("\n");
    is_help(&body).then(|| body.into())
}
