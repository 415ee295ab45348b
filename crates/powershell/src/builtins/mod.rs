//! The built-in cmdlets.

use std::sync::Arc;

use crate::pipeline::Builtin;

/// The built-in of that name, without regard to case; aliases are not resolved here.
pub fn lookup(name: &str) -> Option<&'static Builtin> {
    let _ = name;
    None
}

/// What an alias stands for: `?` gives `Where-Object`.
pub fn alias(name: &str) -> Option<&'static str> {
    let _ = name;
    None
}

/// Names of all built-ins, sorted.
pub fn names() -> Vec<Arc<str>> {
    Vec::new()
}

/// The text of a file: UTF-8 (with or without mark), UTF-16 with mark, else Windows-1252.
pub fn decode_text(content: &[u8]) -> String {
    let wide = |rest: &[u8], big: bool| {
        let units: Vec<u16> =
            rest.chunks_exact(2).map(|c| if big { u16::from_be_bytes([c[0], c[1]]) } else { u16::from_le_bytes([c[0], c[1]]) }).collect();
        String::from_utf16_lossy(&units)
    };
    match content {
        [0xEF, 0xBB, 0xBF, rest @ ..] => String::from_utf8_lossy(rest).into_owned(),
        [0xFF, 0xFE, rest @ ..] => wide(rest, false),
        [0xFE, 0xFF, rest @ ..] => wide(rest, true),
        content => match std::str::from_utf8(content) {
            Ok(text) => text.to_string(),
            Err(_) => content.iter().map(|b| *b as char).collect(),
        },
    }
}
