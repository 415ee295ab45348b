//! What is written on a stream, and the conditions of stream errors.

use firedrill_fabric::federation::EdgeRefusal;

use super::element::escape;

/// Namespace of streams (RFC 6120 4.8.1).
pub(crate) const STREAMS: &str = "http://etherx.jabber.org/streams";
/// Content namespace of server-to-server streams (RFC 6120 4.8.3).
pub(crate) const SERVER: &str = "jabber:server";
/// Namespace of stream error conditions (RFC 6120 4.9.2).
pub(crate) const STREAM_ERRORS: &str = "urn:ietf:params:xml:ns:xmpp-streams";
/// Namespace of Server Dialback (XEP-0220).
pub(crate) const DIALBACK: &str = "jabber:server:dialback";
/// Stream feature of Server Dialback (XEP-0220 2.4.2).
pub(crate) const DIALBACK_FEATURE: &str = "urn:xmpp:features:dialback";
/// Namespace of STARTTLS (RFC 6120 5.2).
pub(crate) const TLS: &str = "urn:ietf:params:xml:ns:xmpp-tls";
/// Namespace of SASL (RFC 6120 6.1).
pub(crate) const SASL: &str = "urn:ietf:params:xml:ns:xmpp-sasl";
/// Namespace of stanza error conditions (RFC 6120 8.3.2).
pub(crate) const STANZA_ERRORS: &str = "urn:ietf:params:xml:ns:xmpp-stanzas";
/// Namespace of pings (XEP-0199).
pub(crate) const PING: &str = "urn:xmpp:ping";
/// Namespace of our application-specific conditions (RFC 6120 4.9.4): they name what the defined ones do not tell apart.
pub(crate) const EDGE_ERRORS: &str = "urn:firedrill:edge";

/// Closes a stream.
pub(crate) const FOOTER: &str = "</stream:stream>";

/// Condition of a stream error (RFC 6120 4.9.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Condition {
    /// The XML cannot be processed.
    BadFormat,
    /// A namespace prefix is not declared.
    BadNamespacePrefix,
    /// The peer did not say anything for too long.
    ConnectionTimeout,
    /// The domain asked for is not served here.
    HostUnknown,
    /// `to` or `from` is missing.
    ImproperAddressing,
    /// The `from` of a stanza is not the domain that was authenticated.
    InvalidFrom,
    /// Wrong stream or content namespace.
    InvalidNamespace,
    /// Stanzas before the stream is authenticated.
    NotAuthorized,
    /// Not well-formed XML.
    NotWellFormed,
    /// Local policy: a partner that is not allowed, or a limit.
    PolicyViolation,
    /// A server that is needed cannot be reached.
    RemoteConnectionFailed,
    /// Too many connections.
    ResourceConstraint,
    /// Comments, processing instructions, DTDs, entities (RFC 6120 11.1).
    RestrictedXml,
    /// Not UTF-8.
    UnsupportedEncoding,
    /// A feature that was not offered.
    UnsupportedFeature,
    /// Not version 1.0.
    UnsupportedVersion,
}

impl Condition {
    /// What an error without a condition that we know stands for (RFC 6120 4.9.3.21).
    pub(crate) const UNDEFINED: &str = "undefined-condition";

    const ALL: [Self; 16] = [
        Self::BadFormat,
        Self::BadNamespacePrefix,
        Self::ConnectionTimeout,
        Self::HostUnknown,
        Self::ImproperAddressing,
        Self::InvalidFrom,
        Self::InvalidNamespace,
        Self::NotAuthorized,
        Self::NotWellFormed,
        Self::PolicyViolation,
        Self::RemoteConnectionFailed,
        Self::ResourceConstraint,
        Self::RestrictedXml,
        Self::UnsupportedEncoding,
        Self::UnsupportedFeature,
        Self::UnsupportedVersion,
    ];

    /// Name of its element.
    pub fn name(self) -> &'static str {
        match self {
            Self::BadFormat => "bad-format",
            Self::BadNamespacePrefix => "bad-namespace-prefix",
            Self::ConnectionTimeout => "connection-timeout",
            Self::HostUnknown => "host-unknown",
            Self::ImproperAddressing => "improper-addressing",
            Self::InvalidFrom => "invalid-from",
            Self::InvalidNamespace => "invalid-namespace",
            Self::NotAuthorized => "not-authorized",
            Self::NotWellFormed => "not-well-formed",
            Self::PolicyViolation => "policy-violation",
            Self::RemoteConnectionFailed => "remote-connection-failed",
            Self::ResourceConstraint => "resource-constraint",
            Self::RestrictedXml => "restricted-xml",
            Self::UnsupportedEncoding => "unsupported-encoding",
            Self::UnsupportedFeature => "unsupported-feature",
            Self::UnsupportedVersion => "unsupported-version",
        }
    }

    /// The condition with an element name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|condition| condition.name() == name)
    }
}

const REFUSALS: [EdgeRefusal; 6] = [
    EdgeRefusal::UnknownDomain,
    EdgeRefusal::PartnerNotAllowed,
    EdgeRefusal::NextHopUnavailable,
    EdgeRefusal::CertificateExpired,
    EdgeRefusal::CertificateName,
    EdgeRefusal::NoAuthentication,
];

/// The defined condition and the application-specific one by which a refusal travels.
pub(crate) fn refusal_condition(refusal: EdgeRefusal) -> (Condition, &'static str) {
    match refusal {
        EdgeRefusal::UnknownDomain => (Condition::HostUnknown, "domain-not-served"),
        EdgeRefusal::PartnerNotAllowed => (Condition::PolicyViolation, "partner-not-allowed"),
        EdgeRefusal::NextHopUnavailable => (Condition::RemoteConnectionFailed, "next-hop-unavailable"),
        EdgeRefusal::CertificateExpired => (Condition::PolicyViolation, "certificate-expired"),
        // SIP alone has it.
        EdgeRefusal::CertificateName => (Condition::PolicyViolation, "certificate-name"),
        EdgeRefusal::NoAuthentication => (Condition::NotAuthorized, "no-authentication-method"),
    }
}

/// The refusal that a stream error stands for; the application-specific condition decides where it is given.
pub(crate) fn condition_refusal(condition: &str, application: Option<&str>) -> Option<EdgeRefusal> {
    REFUSALS.into_iter().find(|refusal| {
        let (defined, specific) = refusal_condition(*refusal);
        defined.name() == condition && application.is_none_or(|given| given == specific)
    })
}

/// A stream header, opening or answering (RFC 6120 4.7).
pub(crate) fn header(from: Option<&str>, to: Option<&str>, id: Option<&str>) -> String {
    let mut text = format!("<?xml version='1.0'?><stream:stream xmlns='{SERVER}' xmlns:db='{DIALBACK}' xmlns:stream='{STREAMS}'");
    for (name, value) in [("id", id), ("from", from), ("to", to)] {
        if let Some(value) = value {
            text.push_str(&format!(" {name}='{}'", escape(value)));
        }
    }
    text.push_str(" version='1.0'>");
    text
}

/// A stream error and the end of the stream (RFC 6120 4.9.2).
pub(crate) fn error(condition: Condition, application: Option<&str>) -> String {
    let specific = application.map(|name| format!("<{name} xmlns='{EDGE_ERRORS}'/>")).unwrap_or_default();
    format!("<stream:error><{} xmlns='{STREAM_ERRORS}'/>{specific}</stream:error>{FOOTER}", condition.name())
}

/// What a peer gets when there are too many connections already.
pub(crate) fn overload() -> String {
    header(None, None, Some("overload")) + &error(Condition::ResourceConstraint, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_survives_the_wire() {
        for refusal in REFUSALS {
            let (condition, application) = refusal_condition(refusal);
            assert_eq!(condition_refusal(condition.name(), Some(application)), Some(refusal));
        }
        // Other servers send the defined condition alone.
        assert_eq!(condition_refusal("host-unknown", None), Some(EdgeRefusal::UnknownDomain));
        assert_eq!(condition_refusal("undefined-condition", None), None);
    }

    #[test]
    fn attribute_values_cannot_break_out() {
        let header = header(Some("a'/><x y=\"&"), None, None);
        assert!(header.contains("from='a&apos;/&gt;&lt;x y=&quot;&amp;'"), "{header}");
    }
}
