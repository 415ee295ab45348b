//! Users: ranges stay ranges.

use std::collections::BTreeMap;

use firedrill_syntax::{Located, Span, nearest, quote};

use super::Resolver;
use crate::document::UserDocument;
use crate::limits::{MAX_USER_RANGES, MAX_USERS};
use crate::model::*;
use crate::names::domain_of;
use crate::overlap::{AddressRange, common_address};

/// A cohort with the place of its address in the document.
struct Placed {
    cohort: UserCohort,
    span: Span,
}

impl Resolver<'_> {
    pub(super) fn users(&mut self) {
        let mut placed: Vec<Placed> = Vec::new();
        let mut total: u64 = 0;
        let mut limit_told = false;
        for user in &self.document.users {
            let Some(mut cohort) = self.cohort(user) else { continue };
            total += u64::from(cohort.count);
            if total > MAX_USERS {
                if !limit_told {
                    let message = format!("with this entry the deployment has {total} users; the limit is {MAX_USERS}");
                    let place = user.count.map_or(user.address.span, |count| count.span);
                    self.report(self.error("too-many-users", place, message).hint("make the range smaller"));
                    limit_told = true;
                }
                continue;
            }
            cohort.first = UserId((total - u64::from(cohort.count)) as u32);
            placed.push(Placed { cohort, span: user.address.span });
        }
        self.check_addresses(&placed);
        self.topology.users.cohorts = placed.into_iter().map(|placed| placed.cohort).collect();
    }

    fn cohort(&mut self, user: &UserDocument) -> Option<UserCohort> {
        let checked = crate::names::address(&user.address.value);
        let pattern = self.checked("bad-sip-address", "a SIP address", &user.address, checked);
        let pool = self.pool_ref("home pool", &user.pool);
        let mut pattern = pattern?;
        self.check_domain(&user.address, &pattern);
        let (count, start) = match pattern.digits {
            None => self.named(user)?,
            Some(width) => self.range(user, width)?,
        };
        pattern.start = start;
        Some(UserCohort {
            first: UserId(0),
            count,
            pattern,
            pool: pool?,
            enterprise_voice: user.enterprise_voice.unwrap_or(true),
            display_name: user.display_name.clone().map(Located::into_inner),
        })
    }

    fn check_domain(&mut self, address: &Located<String>, pattern: &AddressPattern) {
        let domain = domain_of(pattern);
        if self.topology.sip_domains.iter().any(|own| own == domain) {
            return;
        }
        let own = &self.topology.sip_domains;
        let hint = match (nearest(domain, own.iter().map(String::as_str)), own.first()) {
            (Some(near), _) => Some(format!("did you mean {}?", quote(near))),
            (None, Some(first)) => Some(format!("add it to `sip_domains:`, or use {}", quote(first))),
            (None, None) => None,
        };
        let message = format!("the domain {} of {} is not a SIP domain of this deployment", quote(domain), quote(&address.value));
        self.report(self.error("foreign-sip-domain", address.span, message).maybe_hint(hint));
    }

    fn named(&mut self, user: &UserDocument) -> Option<(u32, u32)> {
        if let Some(place) = user.count.as_ref().or(user.start.as_ref()) {
            let example = user.address.value.replacen('@', "{n:05}@", 1);
            self.report(
                self.error("range-without-number", place.span, format!("{} is one address, not a range", quote(&user.address.value)))
                    .hint(format!("say where the number goes: {}", quote(&example))),
            );
            return None;
        }
        Some((1, 0))
    }

    fn range(&mut self, user: &UserDocument, width: u8) -> Option<(u32, u32)> {
        if let Some(name) = &user.display_name {
            self.report(
                self.error("display-name-of-range", name.span, "a range of users has no display name")
                    .hint("remove `display_name:`, or name one user"),
            );
        }
        let Some(count) = user.count else {
            let message = format!("{} is a range without `count:`", quote(&user.address.value));
            self.report(
                self.error("range-without-count", user.address.span, message).hint("add `count:`, or write one address without braces"),
            );
            return None;
        };
        if count.value == 0 {
            self.report(
                self.error("empty-range", count.span, "a range of 0 users holds nobody").hint("remove the entry, or give it users"),
            );
            return None;
        }
        let start = user.start.map_or(1, Located::into_inner);
        let last = u64::from(start) + u64::from(count.value) - 1;
        if u32::try_from(last).is_err() {
            self.report(
                self.error("range-overflow", count.span, format!("the last number of the range, {last}, is too large")).hint("start lower"),
            );
            return None;
        }
        let digits = last.to_string().len();
        // `{n}` (width 1) grows as it needs; a padded number keeps its width, or addresses stop sorting and matching.
        if width > 1 && digits > usize::from(width) {
            let message = format!("the last number of the range, {last}, has {digits} digits and the address has room for {width}");
            self.report(
                self.error("range-overflow", count.span, message)
                    .label(user.address.span, "the address")
                    .hint(format!("write `{{n:0{digits}}}`, or `{{n}}` for numbers of any length")),
            );
            return None;
        }
        Some((count.value, start))
    }

    /// No SIP address twice. Named users are compared by name, ranges by arithmetic: nothing is enumerated.
    fn check_addresses(&mut self, placed: &[Placed]) {
        let mut named: BTreeMap<String, Span> = BTreeMap::new();
        let mut ranges: Vec<&Placed> = Vec::new();
        for entry in placed {
            let pattern = &entry.cohort.pattern;
            if pattern.digits.is_some() {
                ranges.push(entry);
                continue;
            }
            let address = format!("{}{}", pattern.prefix, pattern.suffix);
            if let Some(first) = named.get(&address) {
                self.report_twice(&address, entry.span, *first);
            } else {
                named.insert(address, entry.span);
            }
        }
        if ranges.len() > MAX_USER_RANGES {
            let message = format!("{} ranges of users are more than this program takes on; the limit is {MAX_USER_RANGES}", ranges.len());
            self.report(self.error("limit", ranges[MAX_USER_RANGES].span, message).hint("join neighbouring ranges"));
            return;
        }
        for (index, later) in ranges.iter().enumerate() {
            for (address, place) in &named {
                if later.cohort.find(address).is_some() {
                    self.report_twice(address, later.span.max(*place), later.span.min(*place));
                }
            }
            for earlier in &ranges[..index] {
                if let Some(address) = common_address(bounds(&earlier.cohort), bounds(&later.cohort)) {
                    self.report_twice(&address, later.span, earlier.span);
                }
            }
            if self.diagnostics.is_full() {
                return;
            }
        }
    }

    fn report_twice(&mut self, address: &str, span: Span, first: Span) {
        self.report(
            self.error("duplicate-sip-address", span, format!("two users have the SIP address {}", quote(address)))
                .label(first, "first here")
                .hint("SIP addresses are unique: start one range after the other, or rename one"),
        );
    }
}

fn bounds(cohort: &UserCohort) -> AddressRange<'_> {
    let first = u64::from(cohort.pattern.start);
    AddressRange { pattern: &cohort.pattern, first, last: first + u64::from(cohort.count) - 1 }
}
