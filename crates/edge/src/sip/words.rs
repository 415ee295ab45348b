//! Status lines and `ms-diagnostics` of refusals: one table.

use firedrill_fabric::Evidence;
use firedrill_fabric::federation::EdgeRefusal;

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
    /// ([MS-OCER]); which of them the Edge picks is another matter.
    pub evidence: Evidence,
}

/// The words for a refusal.
pub fn diagnostics(refusal: EdgeRefusal) -> Diagnostics {
    match refusal {
        EdgeRefusal::UnknownDomain => Diagnostics {
            status: 403,
            phrase: "Forbidden",
            id: 1017,
            reason: "Cannot route From and To domains in this combination",
            evidence: Evidence::Inferred,
        },
        // Seen at a partner that had not allowed the sender: jon.netdork.net, "Lync, Federation, and DNS", 2012.
        EdgeRefusal::PartnerNotAllowed => Diagnostics {
            status: 403,
            phrase: "Forbidden",
            id: 1027,
            reason: "Cannot route this type of SIP request to or from federated partners",
            evidence: Evidence::Field,
        },
        // Dossier J: 504, Server time-out is what federation shows when the way behind the Edge is broken.
        EdgeRefusal::NextHopUnavailable => Diagnostics {
            status: 504,
            phrase: "Server time-out",
            id: 1038,
            reason: "Failed to connect to a peer server",
            evidence: Evidence::Inferred,
        },
        // XMPP alone has it.
        EdgeRefusal::NoAuthentication => Diagnostics {
            status: 403,
            phrase: "Forbidden",
            id: 1010,
            reason: "Certificate trust with another server could not be established",
            evidence: Evidence::Invented,
        },
        // With TLS this shows in the handshake and nothing is answered.
        EdgeRefusal::CertificateExpired => Diagnostics {
            status: 504,
            phrase: "Server time-out",
            id: 1010,
            reason: "Certificate trust with another server could not be established",
            evidence: Evidence::Inferred,
        },
    }
}

/// The refusal that an answer stands for.
pub(crate) fn refusal(status: u16, id: u16) -> Option<EdgeRefusal> {
    const REFUSALS: [EdgeRefusal; 4] =
        [EdgeRefusal::UnknownDomain, EdgeRefusal::PartnerNotAllowed, EdgeRefusal::NextHopUnavailable, EdgeRefusal::CertificateExpired];
    REFUSALS.into_iter().find(|refusal| {
        let words = diagnostics(*refusal);
        words.status == status && words.id == id
    })
}

/// What a peer gets when there are too many connections already. Nothing was read, so nothing can be echoed.
pub(crate) fn overload() -> String {
    "SIP/2.0 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n".to_owned()
}
