//! What a listening server does with a peer: the same decision for XMPP and SIP.

use std::sync::Arc;

use firedrill_fabric::federation::{CertificateDates, EdgeRefusal, Listener, Protocol};
use firedrill_fabric::sign_in::{AccessListener, RegistrarListener};

use crate::limits::Limits;
use crate::surroundings::Gateway;

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
    /// The registrar of a Front End pool, for clients inside.
    Registrar {
        listener: RegistrarListener,
        /// Names of all pools' registrars, by pool: where redirects go.
        pools: Arc<[String]>,
    },
    /// An Access Edge's port for remote users.
    Access {
        listener: AccessListener,
        /// As above: who registered the user.
        pools: Arc<[String]>,
    },
}

impl Behaviour {
    pub(crate) fn protocol(&self) -> Protocol {
        match self {
            Self::Edge(listener) => listener.protocol,
            Self::Partner { protocol, .. } => *protocol,
            Self::Registrar { .. } | Self::Access { .. } => Protocol::Sip,
        }
    }

    /// Domains it answers for, lower case.
    pub(crate) fn domains(&self) -> &[String] {
        match self {
            Self::Edge(listener) => &listener.domains,
            Self::Partner { domains, .. } => domains,
            Self::Registrar { .. } | Self::Access { .. } => &[],
        }
    }

    /// Whether a peer that says it is `partner` may talk to `domain` here. For an Edge Server the model decides.
    pub(crate) fn decide(&self, partner: &str, domain: &str) -> Result<(), EdgeRefusal> {
        match self {
            Self::Edge(listener) => listener.admits(partner, domain),
            Self::Partner { domains: [ours], .. } if ours.eq_ignore_ascii_case(domain) => Ok(()),
            Self::Partner { .. } => Err(EdgeRefusal::UnknownDomain),
            // Clients are no partners: whether a user exists is all that counts.
            Self::Registrar { .. } | Self::Access { .. } => Ok(()),
        }
    }

    /// The part of [`Self::decide`] that XMPP decides by the header alone; TLS and authentication show the rest.
    pub(crate) fn decide_header(&self, partner: &str, domain: &str) -> Result<(), EdgeRefusal> {
        match self {
            Self::Edge(listener) => listener.admits_header(partner, domain),
            _ => self.decide(partner, domain),
        }
    }

    /// How it calls itself in `ms-diagnostics` and routes: the first name of its certificate.
    pub(crate) fn source(&self) -> String {
        self.certificate_names().into_iter().next().unwrap_or_default()
    }

    /// Names of the certificate that it shows.
    pub(crate) fn certificate_names(&self) -> Vec<String> {
        match self {
            Self::Partner { domains, .. } => domains.to_vec(),
            Self::Edge(listener) => listener.certificate_names(),
            Self::Registrar { listener, .. } => listener.names.clone(),
            Self::Access { listener, .. } => listener.names.clone(),
        }
    }

    /// When that certificate is valid; `usual` where nothing else is known.
    pub(crate) fn certificate_dates(&self, usual: CertificateDates) -> CertificateDates {
        match self {
            Self::Edge(listener) => listener.certificate,
            Self::Access { listener, .. } => listener.certificate,
            Self::Partner { .. } | Self::Registrar { .. } => usual,
        }
    }

    /// Connections served at a time: the gateway's `ConnectionLimit` where one is set, and never more than ours.
    pub(crate) fn connections(&self, limits: &Limits) -> usize {
        let Self::Edge(listener) = self else { return limits.connections };
        let limit = listener.xmpp.as_ref().and_then(|proxy| proxy.gateway.connection_limit);
        limit.map_or(limits.connections, |limit| limits.connections.min(limit as usize))
    }

    /// `DialbackPassphrase`, where one is set (dossier F.7).
    pub(crate) fn dialback_passphrase(&self) -> Option<&str> {
        let Self::Edge(listener) = self else { return None };
        listener.xmpp.as_ref()?.gateway.dialback_passphrase.as_deref()
    }

    /// Whether it may connect to other servers.
    pub(crate) fn reaches_out(&self, gateway: &dyn Gateway) -> bool {
        match self {
            Self::Edge(listener) => gateway.reaches_partners(listener.computer),
            Self::Partner { .. } => true,
            Self::Registrar { .. } | Self::Access { .. } => false,
        }
    }
}
