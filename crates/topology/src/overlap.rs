//! Whether two ranges of SIP addresses share an address, without writing one address down.
//!
//! A range produces `prefix + digits + suffix`. Two ranges can meet although their patterns differ: `user{n:05}` and
//! `user0{n:04}` both produce `user00001`. For every pair of digit counts the two addresses are laid over each other:
//! where one has text and the other digits, the digits are fixed by the text; where both have digits, they are free.
//! The free digits form one block, and each range allows one interval of its values: they meet or they do not.

use crate::model::AddressPattern;

/// Numbers of a range are `u32`: at most ten digits.
const MOST_DIGITS: usize = 10;

/// The addresses of a cohort: its pattern, and the first and last number.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AddressRange<'a> {
    pub(crate) pattern: &'a AddressPattern,
    pub(crate) first: u64,
    pub(crate) last: u64,
}

/// One address that both produce, if there is any.
pub(crate) fn common_address(a: AddressRange<'_>, b: AddressRange<'_>) -> Option<String> {
    // Most pairs differ at the first or last character: no arithmetic for them.
    if !starts_alike(&a.pattern.prefix, &b.pattern.prefix) || !starts_alike_reversed(&a.pattern.suffix, &b.pattern.suffix) {
        return None;
    }
    a.digit_counts().find_map(|a_digits| {
        let length = a.length(a_digits);
        let b_digits = length.checked_sub(b.length(0))?;
        if !b.digit_counts().any(|count| count == b_digits) {
            return None;
        }
        meet(a, a_digits, b, b_digits)
    })
}

fn starts_alike(a: &str, b: &str) -> bool {
    a.bytes().zip(b.bytes()).all(|(x, y)| x == y)
}

fn starts_alike_reversed(a: &str, b: &str) -> bool {
    a.bytes().rev().zip(b.bytes().rev()).all(|(x, y)| x == y)
}

impl AddressRange<'_> {
    /// With how many digits the numbers of this range are written.
    fn digit_counts(self) -> impl Iterator<Item = usize> {
        let (least, most) = match self.pattern.digits {
            None => (0, 0),
            Some(width) => (usize::from(width), MOST_DIGITS),
        };
        (least..=most).filter(move |count| self.values(*count).is_some())
    }

    /// First and last number that are written with exactly this many digits.
    fn values(self, digits: usize) -> Option<(u64, u64)> {
        let Some(width) = self.pattern.digits else { return (digits == 0).then_some((0, 0)) };
        let least = if digits == usize::from(width) { 0 } else { power(digits - 1) };
        let (first, last) = (self.first.max(least), self.last.min(power(digits) - 1));
        (first <= last).then_some((first, last))
    }

    fn length(self, digits: usize) -> usize {
        self.pattern.prefix.len() + digits + self.pattern.suffix.len()
    }

    /// The character that the pattern fixes at a position of an address with this many digits.
    fn text_at(self, digits: usize, position: usize) -> Option<u8> {
        let prefix = self.pattern.prefix.as_bytes();
        if position < prefix.len() {
            return Some(prefix[position]);
        }
        position.checked_sub(prefix.len() + digits).map(|at| self.pattern.suffix.as_bytes()[at])
    }

    /// Values of the free block for which this range produces the laid-over address.
    fn block(self, digits: usize, layout: &[Option<u8>]) -> Option<(u64, u64)> {
        let (first, last) = self.values(digits)?;
        if digits == 0 {
            return Some((0, u64::MAX));
        }
        let own = &layout[self.pattern.prefix.len()..self.pattern.prefix.len() + digits];
        let free = own.iter().filter(|c| c.is_none()).count();
        let after = own.iter().rev().take_while(|c| c.is_some()).count();
        // The number with zeros in the free block, and the weight of the block's last digit.
        let base = own.iter().fold(0_u64, |value, c| value * 10 + c.map_or(0, |c| u64::from(c - b'0')));
        if free == 0 {
            return (first <= base && base <= last).then_some((0, u64::MAX));
        }
        let weight = power(after);
        let low = first.saturating_sub(base).div_ceil(weight);
        let high = last.checked_sub(base)? / weight;
        let high = high.min(power(free) - 1);
        (low <= high).then_some((low, high))
    }
}

fn power(digits: usize) -> u64 {
    10_u64.pow(digits as u32)
}

fn meet(a: AddressRange<'_>, a_digits: usize, b: AddressRange<'_>, b_digits: usize) -> Option<String> {
    let length = a.length(a_digits);
    let mut layout: Vec<Option<u8>> = Vec::with_capacity(length);
    for position in 0..length {
        layout.push(match (a.text_at(a_digits, position), b.text_at(b_digits, position)) {
            (Some(x), Some(y)) if x == y => Some(x),
            (Some(_), Some(_)) => return None,
            (Some(x), None) | (None, Some(x)) if x.is_ascii_digit() => Some(x),
            (Some(_), None) | (None, Some(_)) => return None,
            (None, None) => None,
        });
    }
    let (a_low, a_high) = a.block(a_digits, &layout)?;
    let (b_low, b_high) = b.block(b_digits, &layout)?;
    let (low, high) = (a_low.max(b_low), a_high.min(b_high));
    if low > high {
        return None;
    }
    let free = layout.iter().filter(|c| c.is_none()).count();
    let mut digits = if free == 0 { String::new() } else { format!("{low:0free$}") }.into_bytes().into_iter();
    let bytes = layout.into_iter().map(|c| c.or_else(|| digits.next()).unwrap_or(b'?')).collect();
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn range<'a>(pattern: &'a AddressPattern, first: u64, count: u64) -> AddressRange<'a> {
        AddressRange { pattern, first, last: first + count - 1 }
    }

    fn pattern(text: &str) -> AddressPattern {
        crate::names::address(text).unwrap()
    }

    #[test]
    fn different_patterns_can_meet() {
        let (a, b) = (pattern("user{n:05}@c.com"), pattern("user0{n:04}@c.com"));
        assert_eq!(common_address(range(&a, 1, 10), range(&b, 1, 10)).as_deref(), Some("user00001@c.com"));
        assert_eq!(common_address(range(&a, 1, 10), range(&b, 11, 10)), None);
        let named = pattern("user00007@c.com");
        assert_eq!(common_address(range(&named, 1, 1), range(&a, 1, 10)).as_deref(), Some("user00007@c.com"));
        let suffixed = pattern("user{n:03}07@c.com");
        assert_eq!(common_address(range(&suffixed, 0, 1), range(&a, 1, 10)).as_deref(), Some("user00007@c.com"));
    }

    fn enumerate(r: AddressRange<'_>) -> BTreeSet<String> {
        (r.first..=r.last)
            .map(|n| match r.pattern.digits {
                None => format!("{}{}", r.pattern.prefix, r.pattern.suffix),
                Some(width) => format!("{}{n:0width$}{}", r.pattern.prefix, r.pattern.suffix, width = usize::from(width)),
            })
            .collect()
    }

    fn small() -> impl Strategy<Value = (AddressPattern, u64, u64)> {
        ("[a01]{0,2}", "[01]{0,2}", prop::option::of(1_u8..4), 0_u64..130, 1_u64..130).prop_map(|(prefix, tail, digits, first, count)| {
            let suffix = format!("{tail}@c.com");
            let count = if digits.is_none() { 1 } else { count };
            (AddressPattern { prefix: prefix.into(), digits, start: first as u32, suffix: suffix.into() }, first, count)
        })
    }

    proptest! {
        // The law: the same answer as writing all addresses down.
        #[test]
        fn agrees_with_enumeration((a, a_first, a_count) in small(), (b, b_first, b_count) in small()) {
            let (a, b) = (range(&a, a_first, a_count), range(&b, b_first, b_count));
            let (all_a, all_b) = (enumerate(a), enumerate(b));
            match common_address(a, b) {
                Some(address) => prop_assert!(all_a.contains(&address) && all_b.contains(&address), "{address}"),
                None => prop_assert!(all_a.is_disjoint(&all_b)),
            }
        }
    }
}
