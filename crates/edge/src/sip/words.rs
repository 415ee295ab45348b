//! Status lines, and the `ms-diagnostics` of refusals: one table.

use firedrill_fabric::Evidence;
use firedrill_fabric::federation::EdgeRefusal;

/// A status line (RFC 3261 21).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Status {
    pub(crate) code: u16,
    pub(crate) phrase: &'static str,
}

/// Status lines; phrases as RFC 3261, RFC 6665 and the product have them.
pub(crate) mod status {
    use super::Status;

    macro_rules! lines {
        ($($name:ident = $code:literal $phrase:literal;)*) => {
            $(pub(crate) const $name: Status = Status { code: $code, phrase: $phrase };)*
        };
    }

    lines! {
        RINGING = 180 "Ringing";
        OK = 200 "OK";
        // Field: traces of Lync sign-ins (dossier B.1).
        REDIRECTED = 301 "Redirect request to Home Server";
        BAD_REQUEST = 400 "Bad Request";
        METHOD_NOT_ALLOWED = 405 "Method Not Allowed";
        UNSUPPORTED_MEDIA = 415 "Unsupported Media Type";
        UNSUPPORTED_SCHEME = 416 "Unsupported URI Scheme";
        BAD_EXTENSION = 420 "Bad Extension";
        NOT_ACCEPTABLE = 488 "Not Acceptable Here";
        BAD_EVENT = 489 "Bad Event";
        TOO_MANY_HOPS = 483 "Too Many Hops";
        // Field: what user agents say; RFC 3261 names the code alone.
        OUT_OF_ORDER = 500 "Server Internal Error";
        UNAVAILABLE = 503 "Service Unavailable";
        VERSION_NOT_SUPPORTED = 505 "Version Not Supported";
        TOO_LARGE = 513 "Message Too Large";
    }
}

/// Why a SIP server of the fabric refuses a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SipRefusal {
    /// The Edge turns the peer away.
    Edge(EdgeRefusal),
    /// The peer's certificate does not name the domain that it says it is.
    SourceDomain,
    /// What arrived is no request.
    Unreadable,
    /// The user does not exist.
    NoSuchUser,
    /// The user's pool does not serve the user, or only with limits (dossier B.3).
    UserUnavailable,
    /// The request belongs to no session that is known here.
    NoSession,
    /// Partners' servers do not register users with us.
    NotForPartners,
    /// A registrar that should serve the user cannot.
    RegistrarUnavailable,
}

/// How a refusal is worded in SIP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Diagnostics {
    /// Status code of the answer.
    pub status: u16,
    /// Its reason phrase.
    pub phrase: &'static str,
    /// Error id of the `ms-diagnostics` header.
    pub id: u16,
    /// Its reason.
    pub reason: &'static str,
    /// How well the pairing of refusal and words is known. Ids and reasons are those of the product's error list
    /// ([MS-OCER] 7); which of them a server picks is another matter.
    pub evidence: Evidence,
}

/// The words for a refusal.
pub fn diagnostics(refusal: SipRefusal) -> Diagnostics {
    let words = |status, phrase, id, reason, evidence| Diagnostics { status, phrase, id, reason, evidence };
    match refusal {
        SipRefusal::Edge(EdgeRefusal::UnknownDomain) => {
            words(403, "Forbidden", 1017, "Cannot route From and To domains in this combination", Evidence::Inferred)
        }
        // Seen at a partner that had not allowed the sender: jon.netdork.net, "Lync, Federation, and DNS", 2012.
        SipRefusal::Edge(EdgeRefusal::PartnerNotAllowed) => {
            words(403, "Forbidden", 1027, "Cannot route this type of SIP request to or from federated partners", Evidence::Field)
        }
        // Dossier J: what federation shows when the way behind the Edge is broken.
        SipRefusal::Edge(EdgeRefusal::NextHopUnavailable) => {
            words(504, "Server time-out", 2, "See response code and reason phrase", Evidence::Documented)
        }
        // XMPP alone has the first; the others show in the handshake, and nothing is answered.
        SipRefusal::Edge(EdgeRefusal::NoAuthentication | EdgeRefusal::CertificateExpired | EdgeRefusal::CertificateName) => {
            words(403, "Forbidden", 1010, "Certificate trust with next-hop server could not be established", Evidence::Invented)
        }
        SipRefusal::SourceDomain => words(403, "Forbidden", 1015, "Cannot route from message source domain", Evidence::Inferred),
        // Dossier J, Test-CsRegistration of a user that does not exist.
        SipRefusal::NoSuchUser => words(404, "Not Found", 1003, "User does not exist", Evidence::Documented),
        SipRefusal::UserUnavailable => words(480, "Temporarily Unavailable", 1007, "Temporarily cannot route", Evidence::Inferred),
        SipRefusal::NoSession => {
            words(481, "Call Leg/Transaction Does Not Exist", 1004, "Route set is no longer valid", Evidence::Inferred)
        }
        SipRefusal::NotForPartners => {
            words(403, "Forbidden", 1027, "Cannot route this type of SIP request to or from federated partners", Evidence::Documented)
        }
        SipRefusal::RegistrarUnavailable => words(503, "Service Unavailable", 1, "Service unavailable", Evidence::Inferred),
        SipRefusal::Unreadable => words(400, "Bad Request", 1018, "Parsing failure", Evidence::Inferred),
    }
}

impl Diagnostics {
    /// The value of the `ms-diagnostics` header, as a server writes it.
    pub(crate) fn header(&self, source: &str) -> String {
        format!("{};reason=\"{}\";source=\"{source}\"", self.id, self.reason)
    }
}

/// The refusal of an Edge that an answer stands for.
pub(crate) fn edge_refusal(status: u16, id: u16) -> Option<EdgeRefusal> {
    const REFUSALS: [EdgeRefusal; 3] = [EdgeRefusal::UnknownDomain, EdgeRefusal::PartnerNotAllowed, EdgeRefusal::NextHopUnavailable];
    REFUSALS.into_iter().find(|refusal| {
        let words = diagnostics(SipRefusal::Edge(*refusal));
        words.status == status && words.id == id
    })
}

/// Header field by which a registrar tells where and how fully it serves a user who registers: `pool1.contoso.com;mode=regular`.
/// Invented: how the product's clients learn of limited functionality is not documented.
pub(crate) const SERVED_BY: &str = "X-Firedrill-Registrar";

/// What a peer gets when there are too many connections already: a fatal TLS alert, `internal_error` (RFC 8446 6.2), before
/// the handshake. There is no alert that says more, and SIP comes after the handshake.
pub(crate) const OVERLOAD: [u8; 7] = [0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x50];
