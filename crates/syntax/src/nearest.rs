//! "Did you mean".

/// The candidate that a misspelt name most probably meant, if one is near: the smallest edit distance with swaps,
/// without regard to case, at most a third of the name's length (and at least one). Names that differ in digits alone
/// are not typos of each other: `pool2` never means `pool1`.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    const LONGEST: usize = 256;
    if name.is_empty() || name.len() > LONGEST {
        return None;
    }
    let lower = name.to_lowercase();
    let allowed = (lower.chars().count() / 3).max(1);
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        // The distance is never smaller than the difference of lengths: most candidates need no table.
        if candidate.len() > LONGEST || candidate.len().abs_diff(name.len()) > 4 * allowed {
            continue;
        }
        if without_digits(&lower).eq(without_digits(&candidate.to_lowercase())) && !lower.eq_ignore_ascii_case(candidate) {
            continue;
        }
        let distance = strsim::osa_distance(&lower, &candidate.to_lowercase());
        if distance <= allowed && best.is_none_or(|(smallest, _)| distance < smallest) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

fn without_digits(name: &str) -> impl Iterator<Item = char> {
    name.chars().filter(|c| !c.is_ascii_digit())
}

/// The values in backticks as a sentence part: `` `a`, `b` or `c` ``.
pub fn one_of<'a>(values: impl IntoIterator<Item = &'a str>) -> String {
    listed(values, "or")
}

/// The values in backticks as a sentence part: `` `a`, `b` and `c` ``.
pub fn all_of<'a>(values: impl IntoIterator<Item = &'a str>) -> String {
    listed(values, "and")
}

fn listed<'a>(values: impl IntoIterator<Item = &'a str>, word: &str) -> String {
    let quoted: Vec<String> = values.into_iter().map(crate::quote).collect();
    match quoted.as_slice() {
        [] => "nothing".to_owned(),
        [only] => only.clone(),
        [head @ .., last] => format!("{} {word} {last}", head.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typos_are_found_and_strangers_are_not() {
        let keys = ["front_ends", "file_store", "backup", "media_edge"];
        assert_eq!(nearest("front_end", keys), Some("front_ends"));
        assert_eq!(nearest("Backpu", keys), Some("backup"));
        assert_eq!(nearest("colour", keys), None);
        assert_eq!(nearest("pool2.contoso.com", ["pool1.contoso.com"]), None);
        assert_eq!(nearest("POOL1.contoso.com", ["pool1.contoso.com"]), Some("pool1.contoso.com"));
        assert_eq!(nearest("pol1.contoso.com", ["pool1.contoso.com"]), Some("pool1.contoso.com"));
        assert_eq!(nearest("", keys), None);
        assert_eq!(one_of(["a", "b", "c"]), "`a`, `b` or `c`");
    }
}
