//! What a listening server does with a peer: the same decision for XMPP and SIP.

use firedrill_fabric::federation::{EdgeRefusal, Listener, Protocol};

/// What one listener does now, taken when a connection is accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Behaviour {
    /// An Edge Server's external listener, as the model has it.
    Edge(Listener),
    /// A partner's server: answers everybody for its one domain.
    Partner {
        protocol: Protocol,
        /// In a list of one, as an Edge Server has several.
        domains: [String; 1],
    },
}

impl Behaviour {
    pub(crate) fn protocol(&self) -> Protocol {
        match self {
            Self::Edge(listener) => listener.protocol,
            Self::Partner { protocol, .. } => *protocol,
        }
    }

    /// Domains it answers for, lower case.
    pub(crate) fn domains(&self) -> &[String] {
        match self {
            Self::Edge(listener) => &listener.domains,
            Self::Partner { domains, .. } => domains,
        }
    }

    /// Whether a peer that says it is `partner` may talk to `domain` here. For an Edge Server the model decides.
    pub(crate) fn decide(&self, partner: &str, domain: &str) -> Result<(), EdgeRefusal> {
        match self {
            Self::Edge(listener) => listener.admits(partner, domain),
            Self::Partner { domains: [ours], .. } if ours.eq_ignore_ascii_case(domain) => Ok(()),
            Self::Partner { .. } => Err(EdgeRefusal::UnknownDomain),
        }
    }
}
