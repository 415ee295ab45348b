//! From formatted objects to lines of a given width.

use super::{Alignment, Content, FormatJob, TableColumn};

/// Shortest line that tables and lists fit into.
const MINIMUM_SCREEN: usize = 5;
const ELLIPSIS: &str = "...";

/// The lines of a job on a console of `width` columns.
pub fn render(job: &FormatJob, width: usize) -> Vec<String> {
    let width = width.max(MINIMUM_SCREEN);
    let mut lines = vec![String::new()];
    for group in &job.groups {
        if let Some(heading) = &group.heading {
            lines.push(String::new());
            lines.push(format!("   {heading}"));
            lines.push(String::new());
        }
        match &group.content {
            Content::Table { columns, rows, autosize, wrap, hide_headers } => {
                table(columns, rows, *autosize, *wrap, *hide_headers, width, &mut lines);
            }
            Content::List { entries } => {
                lines.push(String::new());
                for entry in entries {
                    list_entry(entry, width, &mut lines);
                    lines.push(String::new());
                }
            }
            Content::Wide { cells, columns } => {
                lines.push(String::new());
                wide(cells, *columns, width, &mut lines);
            }
            Content::Lines(inner) => lines.extend(inner.iter().cloned()),
        }
        lines.push(String::new());
    }
    lines.push(String::new());
    lines
}

fn cells(text: &str) -> usize {
    text.chars().map(|c| if wide_character(c) { 2 } else { 1 }).sum()
}

/// East Asian wide characters take two columns.
fn wide_character(c: char) -> bool {
    matches!(c as u32, 0x1100..=0x115F | 0x2E80..=0x303E | 0x3041..=0xA4CF | 0xAC00..=0xD7A3 | 0xF900..=0xFAFF | 0xFE30..=0xFE6F | 0xFF00..=0xFF60 | 0xFFE0..=0xFFE6)
}

fn head(text: &str, width: usize) -> String {
    let mut used = 0;
    text.chars()
        .take_while(|c| {
            used += if wide_character(*c) { 2 } else { 1 };
            used <= width
        })
        .collect()
}

fn tail(text: &str, width: usize) -> String {
    let reversed: String = text.chars().rev().collect();
    head(&reversed, width).chars().rev().collect()
}

/// Widths as `ColumnWidthManager` computes them: what is not specified shares what is left, one column of the screen at
/// a time; columns that do not fit are cut and then dropped from the right.
fn widths(columns: &[TableColumn], sized: Option<&[usize]>, screen: usize) -> Vec<Option<usize>> {
    let mut widths: Vec<usize> = columns.iter().enumerate().map(|(at, c)| c.width.unwrap_or_else(|| sized.map_or(0, |s| s[at]))).collect();
    let fixed: Vec<bool> = widths.iter().map(|w| *w > 0).collect();
    for width in &mut widths {
        *width = (*width).max(1);
    }
    let total = |widths: &[Option<usize>]| -> usize {
        let shown = widths.iter().flatten();
        shown.clone().sum::<usize>() + shown.count().saturating_sub(1)
    };
    let used = widths.iter().sum::<usize>() + widths.len().saturating_sub(1);
    if fixed.iter().any(|f| !f) && used < screen {
        let mut available = screen - used;
        while available > 0 {
            for (width, fixed) in widths.iter_mut().zip(&fixed) {
                if !fixed && available > 0 {
                    *width += 1;
                    available -= 1;
                }
            }
        }
    }
    let mut shown: Vec<Option<usize>> = widths.into_iter().map(Some).collect();
    loop {
        let excess = total(&shown).saturating_sub(screen);
        if excess == 0 {
            return shown;
        }
        let Some(last) = shown.iter().rposition(Option::is_some) else { return shown };
        shown[last] = shown[last].filter(|w| *w > excess).map(|w| w - excess);
    }
}

fn align(text: &str, width: usize, alignment: Alignment) -> String {
    let length = cells(text);
    let text = if length > width {
        match width.checked_sub(ELLIPSIS.len()).filter(|w| *w > 0) {
            Some(room) if alignment == Alignment::Right => format!("{ELLIPSIS}{}", tail(text, room)),
            Some(room) => format!("{}{ELLIPSIS}", head(text, room)),
            None if alignment == Alignment::Right => tail(text, width),
            None => head(text, width),
        }
    } else {
        text.to_string()
    };
    let pad = width.saturating_sub(cells(&text));
    match alignment {
        Alignment::Left => text + &blanks(pad),
        Alignment::Right => blanks(pad) + &text,
        Alignment::Center => blanks(pad / 2) + &text + &blanks(pad - pad / 2),
    }
}

/// Padding; none where it would be too long for a text.
fn blanks(count: usize) -> String {
    crate::limits::repeat(" ", count).unwrap_or_default()
}

/// A cell of several lines shows its first one.
fn first_line(text: &str) -> String {
    match text.find(['\r', '\n']) {
        Some(at) => format!("{}{ELLIPSIS}", &text[..at]),
        None => text.to_string(),
    }
}

fn table(columns: &[TableColumn], rows: &[Vec<String>], autosize: bool, wrap: bool, hide: bool, screen: usize, lines: &mut Vec<String>) {
    if columns.is_empty() {
        return;
    }
    let loose = |row: &&Vec<String>| !(row.len() == 1 && row[0].starts_with('\u{0}'));
    let sized: Option<Vec<usize>> = autosize.then(|| {
        (0..columns.len())
            .map(|at| {
                let widest = rows.iter().filter(loose).filter_map(|r| r.get(at)).map(|c| cells(c)).max().unwrap_or(0);
                widest.max(cells(&columns[at].label)).max(1)
            })
            .collect()
    });
    let widths = widths(columns, sized.as_deref(), screen);
    let join = |cells: Vec<(String, usize, Alignment)>| -> String {
        let mut line = String::new();
        for (at, (text, width, alignment)) in cells.into_iter().enumerate() {
            if at > 0 {
                line.push(' ');
            }
            line.push_str(&align(&text, width, alignment));
        }
        line
    };
    if !hide {
        let shown = || columns.iter().zip(&widths).filter_map(|(c, w)| w.map(|w| (c, w)));
        lines.push(join(shown().map(|(c, w)| (c.label.clone(), w, c.alignment)).collect()));
        lines.push(join(shown().map(|(c, w)| ("-".repeat(cells(&c.label).min(w)), w, c.alignment)).collect()));
    }
    for row in rows {
        if let [only] = row.as_slice()
            && let Some(line) = only.strip_prefix('\u{0}')
        {
            lines.push(line.to_string());
            continue;
        }
        let shown: Vec<(&String, usize, Alignment)> =
            row.iter().zip(columns).zip(&widths).filter_map(|((t, c), w)| w.map(|w| (t, w, c.alignment))).collect();
        if wrap {
            let split: Vec<Vec<String>> = shown.iter().map(|(t, w, _)| t.lines().flat_map(|l| word_wrap(l, *w, *w)).collect()).collect();
            let height = split.iter().map(Vec::len).max().unwrap_or(1).max(1);
            for at in 0..height {
                let cells = shown.iter().zip(&split).map(|((_, w, a), s)| (s.get(at).cloned().unwrap_or_default(), *w, *a)).collect();
                lines.push(join(cells));
            }
        } else {
            lines.push(join(shown.into_iter().map(|(t, w, a)| (first_line(t), w, a)).collect()));
        }
    }
}

fn list_entry(entry: &[(String, String)], screen: usize, lines: &mut Vec<String>) {
    const SEPARATOR: &str = " : ";
    let room = screen.saturating_sub(SEPARATOR.len() + 1).max(1);
    let label_width = entry.iter().map(|(l, _)| cells(l)).max().unwrap_or(0).min(room);
    let field = screen.saturating_sub(label_width + SEPARATOR.len()).max(1);
    let indent = blanks(label_width + SEPARATOR.len());
    for (label, value) in entry {
        let label = align(label, label_width, Alignment::Left);
        let mut first = true;
        let mut parts: Vec<&str> = value.split('\n').map(|l| l.trim_end_matches('\r')).collect();
        if parts.is_empty() {
            parts.push("");
        }
        for part in parts {
            for piece in word_wrap(part, field, field) {
                if first {
                    lines.push(format!("{label}{SEPARATOR}{piece}"));
                    first = false;
                } else {
                    lines.push(format!("{indent}{piece}"));
                }
            }
        }
    }
}

/// Breaks a line at blanks, and inside words that are longer than a line.
fn word_wrap(text: &str, first: usize, following: usize) -> Vec<String> {
    if cells(text) <= first {
        return vec![text.to_string()];
    }
    let mut out: Vec<String> = Vec::new();
    let mut line = String::new();
    let mut width = first.max(1);
    let push = |line: &mut String, out: &mut Vec<String>, width: &mut usize| {
        out.push(std::mem::take(line));
        *width = following.max(1);
    };
    // Words keep the blank behind them.
    let mut words: Vec<&str> = text.split_inclusive(' ').collect();
    words.reverse();
    while let Some(word) = words.pop() {
        let length = cells(word);
        if cells(&line) + length <= width {
            line.push_str(word);
        } else if cells(&line) + cells(word.trim_end()) <= width {
            line.push_str(word.trim_end());
            push(&mut line, &mut out, &mut width);
        } else if line.is_empty() {
            let piece = head(word, width);
            let rest = &word[piece.len()..];
            if piece.is_empty() {
                break;
            }
            out.push(piece);
            width = following.max(1);
            if !rest.is_empty() {
                words.push(rest);
            }
        } else {
            push(&mut line, &mut out, &mut width);
            words.push(word);
        }
    }
    if !line.is_empty() || out.is_empty() {
        out.push(line);
    }
    out
}

fn wide(items: &[String], columns: Option<usize>, screen: usize, lines: &mut Vec<String>) {
    let columns = match columns {
        // More columns than the screen has cells show nothing more.
        Some(n) => n.clamp(1, screen.max(1)).min(items.len().max(80)),
        None => {
            let longest = items.iter().map(|c| cells(c)).max().unwrap_or(1).max(1);
            ((screen + 1) / (longest + 1)).max(1)
        }
    };
    let slots = vec![TableColumn { label: String::new(), width: None, alignment: Alignment::Left }; columns];
    let widths = widths(&slots, None, screen);
    for row in items.chunks(columns) {
        let cells: Vec<String> =
            row.iter().zip(&widths).filter_map(|(c, w)| w.map(|w| align(&first_line(c), w, Alignment::Left))).collect();
        lines.push(cells.join(" "));
    }
}
