//! How sure we are of the words that an expectation matched: a message that no source prints is weaker evidence than the
//! behaviour that it speaks of.

use firedrill_fabric::messages::{Entry, Message};

use super::command::Said;
use crate::scenario::{Check, Stream, TextDemand};

/// Entries of the table of texts on whose wording a check leaned.
pub(crate) fn leaned_on(check: &Check, said: &Said) -> Vec<Entry> {
    let lines: Vec<&str> = match check {
        // An error by its id, its category or its number alone leans on no wording.
        Check::Fails(demand) => {
            let matched = said.errors.iter().filter(|error| {
                demand.message.as_ref().is_some_and(|wanted| error.message.trim_end() == wanted.trim_end())
                    || demand.contains.as_ref().is_some_and(|wanted| error.message.contains(&**wanted))
            });
            matched.map(|error| error.message.as_str()).collect()
        }
        Check::Text(stream, demand) if *stream != Stream::Remarks => {
            said.streams.iter().flat_map(|(_, text)| text.lines()).filter(|line| demands(demand, line)).collect()
        }
        _ => Vec::new(),
    };
    let mut entries: Vec<Entry> = lines.into_iter().filter_map(entry_of).collect();
    entries.sort_by_key(|entry| entry.id);
    entries.dedup_by_key(|entry| entry.id);
    entries
}

fn demands(demand: &TextDemand, line: &str) -> bool {
    demand.is.as_ref().is_some_and(|wanted| wanted.contains(line.trim()))
        || demand.contains.iter().any(|part| line.contains(&**part))
        || demand.matches.as_ref().is_some_and(|regex| regex.is_match(line))
}

/// The entry whose text, with names in its places, is this line.
fn entry_of(line: &str) -> Option<Entry> {
    let line = line.trim();
    Message::ALL.iter().map(|message| message.entry()).find(|entry| fits(entry.text, line))
}

/// Whether a line is a template with something in each place `{0}`.
fn fits(template: &str, line: &str) -> bool {
    let mut parts = Vec::new();
    let mut rest = template;
    while let Some(at) = rest.find('{') {
        let is_place = rest.as_bytes().get(at + 1).is_some_and(u8::is_ascii_digit) && rest.as_bytes().get(at + 2) == Some(&b'}');
        if !is_place {
            break;
        }
        parts.push(&rest[..at]);
        rest = &rest[at + 3..];
    }
    let Some((first, middle)) = parts.split_first() else { return line == template.trim() };
    let Some(mut left) = line.strip_prefix(first) else { return false };
    for part in middle {
        match left.find(part) {
            Some(at) => left = &left[at + part.len()..],
            None => return false,
        }
    }
    // A text that is nothing but places fits everything and says nothing.
    left.ends_with(rest.trim_end()) && template.len() > 3 * (parts.len() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_hop_refusal_is_found_by_its_words() {
        let text = Message::NextHopRefusal.text(&["pool1.contoso.com"]);
        assert_eq!(entry_of(&text).map(|entry| entry.id), Some("NextHopRefusal"));
        assert_eq!(entry_of("Nobody ever printed this.").map(|entry| entry.id), None);
    }

    #[test]
    fn every_text_of_the_table_is_found_by_its_words() {
        for message in Message::ALL {
            let text = message.text(&["a.contoso.com", "b.contoso.com", "c.contoso.com", "d.contoso.com"]);
            assert!(entry_of(&text).is_some(), "{message:?}: {text}");
        }
    }
}
