//! Whether partners reach us on 5061 and 5269, and we them (dossier F).

use std::net::Ipv4Addr;

use firedrill_topology::{ComputerId, EdgePoolId, PartnerId};

use crate::naming::Target;

/// Which federation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// XMPP server-to-server, `_xmpp-server._tcp`, 5269.
    Xmpp,
    /// SIP federation, `_sipfederationtls._tcp`, 5061.
    Sip,
}

/// Which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// The partner opens the connection to us.
    Inbound,
    /// A user of ours reaches the partner through the site's route.
    Outbound,
}

/// A question about reachability.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReachQuery {
    /// The partner.
    pub partner: PartnerId,
    /// Our domain.
    pub domain: String,
    /// Which federation.
    pub protocol: Protocol,
    /// Which way.
    pub direction: Direction,
}

/// The answer, hop by hop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reach {
    /// The Edge Server that answered, when the domain was reached.
    pub via: Option<(EdgePoolId, ComputerId)>,
    /// Targets in the order tried, and what each gave.
    pub attempts: Vec<Attempt>,
    /// Why it was not reached.
    pub failure: Option<ReachFailure>,
}

/// One connection attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// The target that led here.
    pub target: Target,
    /// The address tried, as the topology has it; `None` when the target has none.
    pub address: Option<Ipv4Addr>,
    /// What happened.
    pub result: AttemptResult,
}

/// What one attempt gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AttemptResult {
    /// Answered for the domain.
    Answered,
    /// The target has no address.
    NoAddress,
    /// Nobody listens there.
    Refused,
    /// Connected, then turned away.
    TurnedAway(EdgeRefusal),
}

/// Why a listening Edge turns a peer away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EdgeRefusal {
    /// The domain is not one of ours.
    UnknownDomain,
    /// The partner's domain is not allowed (`New-CsXmppAllowedPartner`).
    PartnerNotAllowed,
    /// The next hop pool, or its gateway, cannot be reached.
    NextHopUnavailable,
    /// The Edge's certificate has expired.
    CertificateExpired,
}

/// Why a domain was not reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ReachFailure {
    /// No DNS server answered.
    DnsUnavailable,
    /// There is neither an SRV record nor, for XMPP, an address record.
    NoRecords,
    /// The SRV target is `.`: decidedly no service.
    ServiceDeclined,
    /// The SRV target lies outside the SIP domain (strict match rule).
    StrictMatch,
    /// No target accepted a connection.
    NotConnected,
    /// Somebody answered and turned the partner away.
    TurnedAway(EdgeRefusal),
    /// Outbound: no site has a route for this federation.
    NoRoute,
    /// Outbound: the Edge of the route is not in service.
    RouteUnavailable,
    /// Outbound: the user is not served in full (resiliency or signed out).
    UserNotServed,
}

/// What an Edge Server's external listener does now; the wire is made to follow it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listener {
    /// The Edge pool.
    pub edge_pool: EdgePoolId,
    /// The Edge Server.
    pub computer: ComputerId,
    /// Its external address in the topology.
    pub address: Ipv4Addr,
    /// Which federation.
    pub protocol: Protocol,
    /// Port it would listen on.
    pub port: u16,
    /// Whether a connection from the Internet is accepted: services run, port open, route in place.
    pub listening: bool,
    /// Domains it answers for.
    pub domains: Vec<String>,
    /// Partner domains it accepts; `None` accepts all.
    pub partners: Option<Vec<String>>,
    /// Why it would turn everybody away, if it would.
    pub refusal: Option<EdgeRefusal>,
}

impl Protocol {
    /// Name of the service record: `_xmpp-server._tcp.contoso.com` (dossier F.5).
    pub fn service_name(self, domain: &str) -> String {
        match self {
            Self::Xmpp => format!("_xmpp-server._tcp.{domain}"),
            Self::Sip => format!("_sipfederationtls._tcp.{domain}"),
        }
    }

    /// Port where no SRV record gives one: 5269 (RFC 6120 14.7), 5061 (RFC 3261 18).
    pub fn default_port(self) -> u16 {
        match self {
            Self::Xmpp => 5269,
            Self::Sip => 5061,
        }
    }

    /// Name of the seed's stream from which a partner draws among records of equal priority: it does not depend on time,
    /// so a partner that goes on looking keeps its choice.
    pub fn stream_name(self, partner_domain: &str, our_domain: &str) -> String {
        format!("{self:?} {partner_domain} {our_domain}")
    }
}

/// Whether an SRV target lies inside a SIP domain (dossier F.5, strict domain match).
pub fn strict_match(domain: &str, host: &str) -> bool {
    let (domain, host) = (domain.to_ascii_lowercase(), host.to_ascii_lowercase());
    host == domain || host.strip_suffix(&domain).is_some_and(|rest| rest.ends_with('.'))
}

impl Listener {
    /// Whether a peer that says it is `partner` may talk to `domain` here. The order is that of a connection: the
    /// certificate is seen first, then the domain asked for, then who asks, and only then is the next hop needed.
    ///
    /// # Errors
    /// Why it is turned away.
    pub fn admits(&self, partner: &str, domain: &str) -> Result<(), EdgeRefusal> {
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
