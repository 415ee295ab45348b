//! What a listening server does with a peer: the same decision for XMPP and SIP.

use firedrill_fabric::federation::{EdgeRefusal, Listener, Protocol};

/// What one external listener does now, taken from the model when a connection is accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Behaviour {
    pub(crate) protocol: Protocol,
    /// Domains it answers for, lower case.
    pub(crate) domains: Vec<String>,
    /// Partner domains it accepts; `None` accepts all.
    pub(crate) partners: Option<Vec<String>>,
    /// Why it turns everybody away.
    pub(crate) refusal: Option<EdgeRefusal>,
}

impl Behaviour {
    /// Whether a peer that says it is `partner` may talk to `domain` here. The order is that of a connection: the
    /// certificate is seen first, then the domain asked for, then who asks, and only then is the next hop needed.
    pub(crate) fn decide(&self, partner: &str, domain: &str) -> Result<(), EdgeRefusal> {
        if self.refusal == Some(EdgeRefusal::CertificateExpired) {
            return Err(EdgeRefusal::CertificateExpired);
        }
        if !self.domains.iter().any(|ours| ours.eq_ignore_ascii_case(domain)) {
            return Err(EdgeRefusal::UnknownDomain);
        }
        if let Some(allowed) = &self.partners
            && !allowed.iter().any(|known| known.eq_ignore_ascii_case(partner))
        {
            return Err(EdgeRefusal::PartnerNotAllowed);
        }
        self.refusal.map_or(Ok(()), Err)
    }
}

impl From<&Listener> for Behaviour {
    fn from(listener: &Listener) -> Self {
        Self {
            protocol: listener.protocol,
            domains: listener.domains.clone(),
            partners: listener.partners.clone(),
            refusal: listener.refusal,
        }
    }
}
