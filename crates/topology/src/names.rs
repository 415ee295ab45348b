//! Names as the product and DNS allow them: FQDNs, SQL instances, UNC paths, SIP addresses and their patterns.

use std::sync::Arc;

use firedrill_syntax::quote;

use crate::model::AddressPattern;

/// Why a name is not acceptable, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NameProblem {
    /// Fragment after "`name` is not …:", in lower case.
    pub(crate) reason: String,
    /// One thing to do.
    pub(crate) hint: String,
}

/// Half a problem: nobody gets a reason without a hint.
struct Reason(String);

fn problem(reason: impl Into<String>) -> Reason {
    Reason(reason.into())
}

impl Reason {
    fn hint(self, hint: impl Into<String>) -> NameProblem {
        NameProblem { reason: self.0, hint: hint.into() }
    }
}

/// A host or domain name of at least two labels, in lower case (RFC 1123 2.1, RFC 1035 2.3.4).
pub(crate) fn fqdn(text: &str) -> Result<String, NameProblem> {
    let lower = text.to_ascii_lowercase();
    if let Some(bare) = lower.strip_suffix('.') {
        return Err(problem("it ends with a dot").hint(format!("write {}", quote(bare))));
    }
    domain_labels(&lower, LabelKind::Host)?;
    if !lower.contains('.') {
        return Err(problem("it is not a whole name").hint("a whole name has at least two parts, as `contoso.com` or `pool1.contoso.com`"));
    }
    if lower.rsplit('.').next().is_some_and(|last| last.bytes().all(|b| b.is_ascii_digit())) {
        return Err(problem("it looks like an address").hint("a name is expected here, not an IP address"));
    }
    Ok(lower)
}

/// Which characters labels may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LabelKind {
    /// Letters, digits and inner hyphens.
    Host,
    /// Also underscores, as in `_sip._tls`, and `*` as the first label.
    Record,
}

/// Checks labels and lengths of a lower-case name.
pub(crate) fn domain_labels(lower: &str, kind: LabelKind) -> Result<(), NameProblem> {
    const LONGEST_NAME: usize = 253;
    const LONGEST_LABEL: usize = 63;
    if lower.is_empty() {
        return Err(problem("it is empty").hint("write the name, as in `pool1.contoso.com`"));
    }
    if lower.len() > LONGEST_NAME {
        return Err(problem(format!("it has {} characters; DNS allows {LONGEST_NAME}", lower.len())).hint("choose a shorter name"));
    }
    for (index, label) in lower.split('.').enumerate() {
        if label.is_empty() {
            return Err(problem("it has an empty part between dots").hint("one dot stands between two parts, none at the start"));
        }
        if label.len() > LONGEST_LABEL {
            return Err(problem(format!("the part {} has {} characters; DNS allows {LONGEST_LABEL}", quote(label), label.len()))
                .hint("choose a shorter part, or divide it with a dot"));
        }
        if kind == LabelKind::Record && index == 0 && label == "*" {
            continue;
        }
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || (kind == LabelKind::Record && c == '_');
        if let Some(bad) = label.chars().find(|c| !allowed(*c)) {
            let found = problem(format!("it contains {}", quote(&bad.to_string())));
            return Err(match bad {
                '_' => found.hint("host names have letters, digits and hyphens; only service names of DNS records start with `_`"),
                c if !c.is_ascii() => found.hint("write international names in their ASCII form (`xn--…`)"),
                _ => found.hint("names have letters, digits and hyphens, with dots between the parts"),
            });
        }
        if label.starts_with('-') || label.ends_with('-') {
            return Err(problem(format!("the part {} starts or ends with a hyphen", quote(label)))
                .hint("hyphens stand between letters and digits only"));
        }
    }
    Ok(())
}

/// `host.fqdn\instance`, or the host alone for the default instance.
pub(crate) fn sql_instance(text: &str) -> Result<(String, String), NameProblem> {
    const LONGEST_INSTANCE: usize = 16;
    let (host, instance) = text.split_once('\\').unwrap_or((text, ""));
    let host = fqdn(host)?;
    if text.contains('\\') && instance.is_empty() {
        return Err(problem("the instance after the backslash is empty").hint(format!("write {} for the default instance", quote(&host))));
    }
    if instance.len() > LONGEST_INSTANCE {
        return Err(problem(format!("the instance has {} characters; SQL Server allows {LONGEST_INSTANCE}", instance.len()))
            .hint("write the instance's short name, as in `sql1.contoso.com\\rtc`"));
    }
    let starts_well = instance.chars().next().is_none_or(|c| c.is_ascii_alphabetic() || c == '_');
    if !starts_well || !instance.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '$') {
        return Err(problem("the instance has characters that SQL Server refuses")
            .hint("write `host.fqdn\\instance`, as in `sql1.contoso.com\\rtc`"));
    }
    // The default instance has a name of its own, which nobody types.
    let instance = if instance.eq_ignore_ascii_case("mssqlserver") { String::new() } else { instance.to_ascii_lowercase() };
    Ok((host, instance))
}

/// `\\host.fqdn\share`.
pub(crate) fn unc_path(text: &str) -> Result<(String, String), NameProblem> {
    let shape = || problem("it is not a UNC path").hint("write `\\\\files1.contoso.com\\share`");
    let rest = text.strip_prefix("\\\\").ok_or_else(shape)?;
    let (host, share) = rest.split_once('\\').ok_or_else(shape)?;
    let host = fqdn(host)?;
    let bad = |c: char| c.is_control() || "\\/:*?\"<>|+[];,=".contains(c);
    if share.is_empty() || share.len() > 80 || share.contains(bad) {
        return Err(problem(format!("the share {} is not one name of at most 80 characters", quote(share)))
            .hint("name the share alone, without folders: `\\\\files1.contoso.com\\share`"));
    }
    Ok((host, share.to_owned()))
}

/// A SIP address, or with `{n}` the pattern of a range. The result's `start` is 1.
pub(crate) fn address(text: &str) -> Result<AddressPattern, NameProblem> {
    const LONGEST: usize = 254;
    let lower = text.to_ascii_lowercase();
    if let Some(bare) = lower.strip_prefix("sip:") {
        return Err(problem("it starts with `sip:`").hint(format!("write {}", quote(bare))));
    }
    if lower.len() > LONGEST {
        return Err(problem(format!("it has {} characters; at most {LONGEST} are read", lower.len())).hint("choose a shorter address"));
    }
    let Some((user, domain)) = lower.split_once('@') else {
        return Err(problem("it has no `@`").hint("write `name@domain`"));
    };
    let (prefix, digits, tail) = match user.split_once('{') {
        None => (user, None, ""),
        Some((prefix, rest)) => {
            let place = || problem("the place of the number is not readable").hint("write `{n}`, or `{n:05}` for five digits");
            let (inside, tail) = rest.split_once('}').ok_or_else(place)?;
            let width = match inside.strip_prefix('n') {
                Some("") => 1,
                Some(width) => {
                    let width = width.strip_prefix(':').ok_or_else(place)?;
                    // `{n:5}` would pad with blanks elsewhere: only `{n:05}` says what is meant.
                    let width = width.strip_prefix('0').filter(|w| !w.is_empty()).ok_or_else(place)?;
                    width
                        .parse::<u8>()
                        .ok()
                        .filter(|w| (1..=9).contains(w))
                        .ok_or_else(|| problem("the number has an impossible width").hint("write from `{n:01}` to `{n:09}`"))?
                }
                None => return Err(place()),
            };
            (prefix, Some(width), tail)
        }
    };
    if tail.contains(['{', '}']) || prefix.contains('}') || domain.contains(['{', '}']) {
        return Err(problem("it has more than one pair of braces, or one in the domain").hint("one `{n}` stands before the `@`"));
    }
    if prefix.is_empty() && tail.is_empty() && digits.is_none() {
        return Err(problem("nothing stands before the `@`").hint("write `name@domain`"));
    }
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-_.+'&!~=$".contains(c);
    if let Some(bad) = prefix.chars().chain(tail.chars()).find(|c| !allowed(*c)) {
        return Err(problem(format!("it contains {}", quote(&bad.to_string())))
            .hint("SIP addresses have letters, digits and `-_.+'&!~=$` before the `@`"));
    }
    let domain =
        fqdn(domain).map_err(|inner| NameProblem { reason: format!("its domain is not valid: {}", inner.reason), hint: inner.hint })?;
    Ok(AddressPattern { prefix: Arc::from(prefix), digits, start: 1, suffix: Arc::from(format!("{tail}@{domain}")) })
}

/// The domain of a pattern's addresses.
pub(crate) fn domain_of(pattern: &AddressPattern) -> &str {
    pattern.suffix.split_once('@').map_or("", |(_, domain)| domain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fqdns() {
        assert_eq!(fqdn("Pool1.Contoso.COM").unwrap(), "pool1.contoso.com");
        for (bad, reason) in [
            ("pool1", "not a whole name"),
            ("pool1.contoso.com.", "ends with a dot"),
            ("pool 1.contoso.com", "contains ` `"),
            ("pool_1.contoso.com", "contains `_`"),
            ("pöol.contoso.com", "contains `ö`"),
            ("-pool.contoso.com", "hyphen"),
            ("pool..contoso.com", "empty part"),
            ("10.0.0.1", "looks like an address"),
            ("", "is empty"),
        ] {
            assert!(fqdn(bad).unwrap_err().reason.contains(reason), "{bad}: {:?}", fqdn(bad));
        }
        assert!(fqdn(&format!("{}.contoso.com", "x".repeat(64))).unwrap_err().reason.contains("DNS allows 63"));
        assert!(fqdn(&"x.".repeat(150)).is_err());
    }

    #[test]
    fn instances_and_shares() {
        assert_eq!(sql_instance(r"SQL1.contoso.com\RTC").unwrap(), ("sql1.contoso.com".into(), "rtc".into()));
        assert_eq!(sql_instance("sql1.contoso.com").unwrap().1, "");
        assert_eq!(sql_instance(r"sql1.contoso.com\MSSQLSERVER").unwrap().1, "");
        assert!(sql_instance(r"sql1.contoso.com\").is_err());
        assert!(sql_instance(r"sql1.contoso.com\a b").is_err());
        assert_eq!(unc_path(r"\\files.contoso.com\Lync Share").unwrap(), ("files.contoso.com".into(), "Lync Share".into()));
        assert!(unc_path(r"\\files.contoso.com\a\b").is_err());
        assert!(unc_path(r"d:\share").is_err());
    }

    #[test]
    fn patterns() {
        let range = address("User{n:05}@contoso.com").unwrap();
        assert_eq!((&*range.prefix, range.digits, &*range.suffix), ("user", Some(5), "@contoso.com"));
        let plain = address("u{n}x@contoso.com").unwrap();
        assert_eq!((plain.digits, &*plain.suffix, domain_of(&plain)), (Some(1), "x@contoso.com", "contoso.com"));
        for bad in [
            "a",
            "@contoso.com",
            "sip:a@contoso.com",
            "a{x}@b.com",
            "a{n:5}@b.com",
            "a{n:010}@b.com",
            "a{n}{n}@b.com",
            "a@b{n}.com",
            "a{n@b.com",
            "a b@c.com",
        ] {
            assert!(address(bad).is_err(), "{bad}");
        }
    }
}
