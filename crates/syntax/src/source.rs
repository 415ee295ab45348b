//! Text with a name, and places in it.

use std::sync::Arc;

use crate::diagnostic::Diagnostic;

/// A range of bytes in a [`Source`], end exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, serde::Serialize)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// Byte after the last one.
    pub end: usize,
}

impl Span {
    /// The bytes from `start` up to, not including, `end`.
    pub fn new(start: usize, end: usize) -> Self {
        Self { start, end: end.max(start) }
    }

    /// The place before one byte.
    pub fn at(offset: usize) -> Self {
        Self { start: offset, end: offset }
    }

    /// The smallest span that holds both.
    pub fn to(self, other: Self) -> Self {
        Self { start: self.start.min(other.start), end: self.end.max(other.end) }
    }
}

/// Line and column as editors count them: from 1, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
pub struct LineColumn {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

/// A named text. A byte order mark at its start is dropped, so offsets count from the first real character.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// How messages name it: usually the path as the user typed it.
    pub name: Arc<str>,
    /// The text.
    pub text: Arc<str>,
    /// Offset of the first byte of each line.
    line_starts: Vec<usize>,
}

impl Source {
    /// A source from text that is known to be UTF-8.
    pub fn new(name: impl Into<Arc<str>>, text: impl AsRef<str>) -> Arc<Self> {
        let text = text.as_ref();
        let text: Arc<str> = text.strip_prefix('\u{feff}').unwrap_or(text).into();
        let line_starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Arc::new(Self { name: name.into(), text, line_starts })
    }

    /// A source from the bytes of a file.
    ///
    /// # Errors
    /// `invalid-utf8` with the offset and the value of the first byte that is not UTF-8.
    pub fn from_bytes(name: impl Into<Arc<str>>, bytes: &[u8]) -> Result<Arc<Self>, Box<Diagnostic>> {
        let name = name.into();
        let error = match std::str::from_utf8(bytes) {
            Ok(text) => return Ok(Self::new(name, text)),
            Err(error) => error,
        };
        // Enough of the text to show the place, not all of what may be a video file.
        let offset = error.valid_up_to();
        let shown = &bytes[..bytes.len().min(offset + 200)];
        let bad = bytes[offset];
        let bom = if bytes.starts_with("\u{feff}".as_bytes()) { '\u{feff}'.len_utf8() } else { 0 };
        let source = Self::new(name, String::from_utf8_lossy(shown));
        let at = offset.saturating_sub(bom).min(source.text.len());
        let hint = match bytes {
            [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => "the file looks like UTF-16, which some Windows editors write: save it as UTF-8",
            _ => "save the file as UTF-8",
        };
        Err(Box::new(
            Diagnostic::error(
                "invalid-utf8",
                &source,
                Span::new(at, at + '\u{fffd}'.len_utf8()),
                format!("byte 0x{bad:02x} at offset {offset} is not UTF-8"),
            )
            .hint(hint),
        ))
    }

    /// Line and column of a byte offset; an offset inside a character counts as that character's, one beyond the text
    /// as its end.
    pub fn line_column(&self, offset: usize) -> LineColumn {
        let offset = self.floor(offset);
        let line = self.line_starts.partition_point(|start| *start <= offset);
        let start = self.line_starts[line - 1];
        LineColumn { line, column: self.text[start..offset].chars().count() + 1 }
    }

    /// Byte offset of the start of a line counted from 1.
    pub fn line_start(&self, line: usize) -> Option<usize> {
        self.line_starts.get(line.checked_sub(1)?).copied()
    }

    /// Number of lines; an empty text has one.
    pub fn line_count(&self) -> usize {
        self.line_starts.len()
    }

    /// The text of a span, clipped to what exists.
    pub fn slice(&self, span: Span) -> &str {
        let start = self.floor(span.start);
        let end = self.floor(span.end).max(start);
        &self.text[start..end]
    }

    /// `name:line:column` of a span's start, as editors and terminals link it.
    pub fn place(&self, span: Span) -> String {
        let LineColumn { line, column } = self.line_column(span.start);
        format!("{}:{line}:{column}", self.name)
    }

    /// The nearest character boundary at or before an offset.
    pub(crate) fn floor(&self, offset: usize) -> usize {
        let mut offset = offset.min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        offset
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_not_bytes() {
        let source = Source::new("a.yaml", "größe: 1\nb: €x\n");
        assert_eq!(source.line_column(0), LineColumn { line: 1, column: 1 });
        let x = source.text.find('x').unwrap();
        assert_eq!(source.line_column(x), LineColumn { line: 2, column: 5 });
        // Inside the three bytes of the euro sign: the sign's own column.
        assert_eq!(source.line_column(x - 1), LineColumn { line: 2, column: 4 });
        assert_eq!(source.line_column(9_999), LineColumn { line: 3, column: 1 });
        assert_eq!(source.place(Span::at(x)), "a.yaml:2:5");
    }

    #[test]
    fn byte_order_mark_does_not_shift_places() {
        let source = Source::from_bytes("a.yaml", b"\xef\xbb\xbfname: x\n").unwrap();
        assert_eq!(&*source.text, "name: x\n");
    }

    #[test]
    fn bad_byte_is_named_with_its_offset() {
        let error = Source::from_bytes("a.yaml", b"name: caf\xe9\n").unwrap_err();
        assert_eq!(error.message, "byte 0xe9 at offset 9 is not UTF-8");
        assert_eq!(error.source.line_column(error.span.start), LineColumn { line: 1, column: 10 });
        let utf16 = Source::from_bytes("a.yaml", b"\xff\xfen\0a\0").unwrap_err();
        assert!(utf16.hint.unwrap().contains("UTF-16"));
    }
}
