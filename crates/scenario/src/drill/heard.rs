//! Looking at what a step said: errors, text and objects.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::command::{Said, StreamName};
use super::describe::{properties_words, shown};
use super::evaluate::Finding;
use crate::scenario::{ErrorDemand, ObjectsDemand, Properties, Stream, TextDemand};

/// More objects than these are counted instead of listed.
const LISTED: usize = 4;

pub(super) fn fails(demand: &ErrorDemand, said: &Said) -> Finding {
    let holds = said.errors.iter().any(|error| {
        let id_head = error.id.split(',').next().unwrap_or_default();
        demand.message.as_ref().is_none_or(|wanted| error.message.trim_end() == wanted.trim_end())
            && demand.contains.as_ref().is_none_or(|wanted| error.message.contains(&**wanted))
            && demand.error_id.as_ref().is_none_or(|wanted| error.id == **wanted || id_head == &**wanted)
            && demand.category.as_ref().is_none_or(|wanted| error.category.eq_ignore_ascii_case(wanted))
    });
    let right_count = demand.count.is_none_or(|count| said.errors.len() == count as usize);
    let found = match said.errors.as_slice() {
        [] => "no error".to_owned(),
        [one] => format!("{} ({}, {})", shown(&one.message), one.id, one.category),
        [first, ..] => format!("{} errors, the first {} ({}, {})", said.errors.len(), shown(&first.message), first.id, first.category),
    };
    Finding::new(holds && right_count, found).because(|| console(said))
}

/// The last lines that a console shows.
fn console(said: &Said) -> Vec<String> {
    const LAST: usize = 12;
    let lines: Vec<String> = said.streams.iter().flat_map(|(_, text)| text.lines().map(str::to_owned)).collect();
    lines[lines.len().saturating_sub(LAST)..].to_vec()
}

pub(super) fn text(stream: Stream, demand: &TextDemand, said: &Said) -> Finding {
    let found = match stream {
        Stream::Output => said.text(StreamName::Output),
        Stream::Warnings => said.text(StreamName::Warning),
        Stream::Verbose => said.text(StreamName::Verbose),
        Stream::Host => said.text(StreamName::Host),
        Stream::Remarks => said.remarks.iter().map(|(text, _)| &**text).collect::<Vec<_>>().join("\n"),
    };
    let holds = demand.is.as_ref().is_none_or(|wanted| tidy(wanted) == tidy(&found))
        && demand.contains.iter().all(|part| found.contains(&**part))
        && !demand.lacks.iter().any(|part| found.contains(&**part))
        && demand.matches.as_ref().is_none_or(|regex| regex.is_match(&found));
    let words = if found.is_empty() { "nothing".to_owned() } else { shown(&found) };
    Finding::new(holds, words).because(|| console(said))
}

/// Without spaces at line ends and blank lines around.
fn tidy(text: &str) -> String {
    text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n").trim_matches('\n').to_owned()
}

pub(super) fn objects(demand: &ObjectsDemand, said: &Said) -> Finding {
    let has = |object: &firedrill_powershell::Value, properties: &Properties| {
        properties.iter().all(|(name, wanted)| property_text(object, name).is_some_and(|found| like(&found, wanted)))
    };
    let all = &said.objects;
    let holds = demand.count.is_none_or(|count| all.len() == count as usize)
        && (demand.all.is_empty() || !all.is_empty() && all.iter().all(|object| has(object, &demand.all)))
        && (demand.any.is_empty() || all.iter().any(|object| has(object, &demand.any)))
        && (demand.none.is_empty() || !all.iter().any(|object| has(object, &demand.none)))
        && demand
            .are
            .as_ref()
            .is_none_or(|list| list.len() == all.len() && list.iter().zip(all).all(|(wanted, object)| has(object, wanted)));
    let names: BTreeSet<&Arc<str>> =
        [&demand.all, &demand.any, &demand.none].into_iter().chain(demand.are.iter().flatten()).flatten().map(|(name, _)| name).collect();
    let shown_objects: Vec<String> = all
        .iter()
        .take(LISTED)
        .map(|object| {
            let properties = names.iter().map(|name| {
                let text = property_text(object, name).unwrap_or_else(|| "(no such property)".to_owned());
                (Arc::clone(name), Arc::from(text))
            });
            properties_words(&properties.collect())
        })
        .collect();
    let more = if all.len() > LISTED { format!(" and {} more", all.len() - LISTED) } else { String::new() };
    let list = if names.is_empty() || all.is_empty() { String::new() } else { format!(": {}{more}", shown_objects.join(", ")) };
    let noun = if all.len() == 1 { "object" } else { "objects" };
    Finding::new(holds, format!("{} {noun}{list}", all.len())).because(|| console(said))
}

/// What the console prints for a property; nothing for `$null`. `None` when there is no such property.
fn property_text(object: &firedrill_powershell::Value, name: &str) -> Option<String> {
    firedrill_powershell::types::property(object, name).map(|value| firedrill_powershell::convert::display(&value))
}

/// Equal without regard to case, where `*` stands for any characters.
fn like(found: &str, wanted: &str) -> bool {
    let (found, wanted) = (found.to_lowercase(), wanted.to_lowercase());
    let parts: Vec<&str> = wanted.split('*').collect();
    let [first, middle @ .., last] = parts.as_slice() else { return found == wanted };
    let Some(rest) = found.strip_prefix(first) else { return false };
    let Some(mut rest) = rest.strip_suffix(last) else { return false };
    for part in middle {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::like;

    #[test]
    fn stars_stand_for_anything() {
        for (found, wanted, holds) in [
            ("pool2-fe1.contoso.com", "pool2-fe*.contoso.com", true),
            ("POOL2-FE1.contoso.com", "pool2-fe1.CONTOSO.com", true),
            ("pool1-fe1.contoso.com", "pool2-fe*.contoso.com", false),
            ("", "", true),
            ("x", "", false),
            ("", "*", true),
            ("aba", "ab*ba", false),
            ("a-b-c", "a*b*c", true),
            ("acb", "a*b*c", false),
        ] {
            assert_eq!(like(found, wanted), holds, "{found} like {wanted}");
        }
    }
}
