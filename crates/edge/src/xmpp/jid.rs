//! Addresses of XMPP (RFC 7622), as far as a server-to-server stream needs them.

/// Longest address: three parts of 1,023 bytes each and two separators (RFC 7622 3.1).
const LONGEST: usize = 3071;

/// `local@domain/resource`, in parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Jid<'a> {
    /// Missing for a server itself.
    pub(crate) local: Option<&'a str>,
    pub(crate) domain: &'a str,
    /// Without the resource.
    bare: &'a str,
}

impl<'a> Jid<'a> {
    /// Splits an address (RFC 7622 3.1: the first `/` begins the resource, the first `@` before it ends the local part).
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        if text.len() > LONGEST || text.chars().any(char::is_control) {
            return None;
        }
        let bare = text.split_once('/').map_or(text, |(bare, _)| bare);
        let (local, domain) = match bare.split_once('@') {
            Some((local, domain)) => (Some(local), domain),
            None => (None, bare),
        };
        let fits = |part: &str| !part.is_empty() && part.len() <= 1023;
        (fits(domain) && !domain.contains('@') && local.is_none_or(fits)).then_some(Self { local, domain, bare })
    }

    /// `local@domain`, lower case.
    pub(crate) fn bare(&self) -> String {
        self.bare.to_lowercase()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts() {
        let parts = |text| Jid::parse(text).map(|jid| (jid.local, jid.domain, jid.bare()));
        assert_eq!(parts("contoso.com"), Some((None, "contoso.com", "contoso.com".into())));
        assert_eq!(parts("Anna@Contoso.com/a@b/c"), Some((Some("Anna"), "Contoso.com", "anna@contoso.com".into())));
        for wrong in ["", "@contoso.com", "anna@", "a@b@c", "/x", "a\u{0}@b"] {
            assert_eq!(parts(wrong), None, "{wrong:?}");
        }
        assert_eq!(parts(&"x".repeat(4000)), None);
    }
}
