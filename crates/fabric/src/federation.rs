//! Whether partners reach us on 5061 and 5269, and we them (dossier F).

use std::net::Ipv4Addr;

use std::sync::Arc;

use firedrill_topology::{ComputerId, EdgePoolId, PartnerId, PoolId};

use crate::config::{XmppAllowedPartner, XmppGatewayConfiguration};
use crate::naming::Target;
use crate::time::SimTime;

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
    /// The Edge's certificate does not name the host that was connected to (SIP).
    CertificateName,
    /// The partner's settings, or what the Edge can reach, leave no way to authenticate it (XMPP).
    NoAuthentication,
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
    /// Authenticated, but the answer to a ping finds no way back. Only [`Reached::failure_at`] gives it: a domain counts as
    /// reached without it.
    NoAnswer,
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
    /// Validity of the certificate that it shows.
    pub certificate: CertificateDates,
    /// What the XMPP proxy goes by, from the Edge's replica; `None` for SIP, or for the defaults of the cmdlets.
    pub xmpp: Option<Arc<XmppProxy>>,
}

/// The inner side of an Edge Server for one federation: where Front Ends hand over what leaves (dossier F.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct InnerListener {
    /// The Edge Server.
    pub computer: ComputerId,
    /// Which federation.
    pub protocol: Protocol,
    /// Port on the internal interface.
    pub port: u16,
    /// Whether it takes what leaves: enabled, installed and running, its certificate valid, its way to the Internet open.
    pub listening: bool,
}

/// How what the users of one pool say leaves over one federation; the wire is made to follow it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WayOut {
    /// A pool that serves users in full.
    pub pool: PoolId,
    /// Which federation.
    pub protocol: Protocol,
    /// The route of the pool's site, as its Front Ends know it.
    pub route: Option<EdgePoolId>,
    /// Partner domains that it is allowed to.
    pub partners: Vec<String>,
    /// Edge Servers of the route to whose inner port the network lets its gateways, in the order in which they are tried.
    pub edges: Vec<ComputerId>,
}

impl WayOut {
    /// Whether a partner's domain is allowed.
    pub fn allows(&self, partner: &str) -> bool {
        self.partners.iter().any(|allowed| allowed.eq_ignore_ascii_case(partner))
    }
}

/// Settings of the XMPP Translating Gateway Proxy on an Edge Server (dossier F.7).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct XmppProxy {
    /// `Get-CsXmppGatewayConfiguration`.
    pub gateway: XmppGatewayConfiguration,
    /// `Get-CsXmppAllowedPartner`.
    pub partners: Vec<XmppAllowedPartner>,
    /// Whether connections from this Edge to partners' servers on 5269 pass; Server Dialback needs them.
    pub reaches_partners: bool,
}

/// When a certificate is valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CertificateDates {
    /// From this instant on.
    pub not_before: SimTime,
    /// To this instant.
    pub not_after: SimTime,
}

/// `TlsNegotiation` and `SaslNegotiation` of an XMPP partner (dossier F.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Negotiation {
    /// Not done.
    NotSupported,
    /// Done when the partner does it too.
    Optional,
    /// The partner must do it.
    Required,
}

impl Negotiation {
    /// The setting with a name of the cmdlets; what they would not take counts as their default, `Required`.
    pub fn from_name(name: &str) -> Self {
        match name.to_ascii_lowercase().as_str() {
            "notsupported" => Self::NotSupported,
            "optional" => Self::Optional,
            _ => Self::Required,
        }
    }
}

/// How an XMPP partner may authenticate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct XmppMethods {
    /// SASL EXTERNAL over TLS.
    pub sasl: bool,
    /// Server Dialback over TLS.
    pub tls_dialback: bool,
    /// Server Dialback over bare TCP.
    pub tcp_dialback: bool,
}

impl XmppMethods {
    /// The expected authentication methods for a partner's settings: the matrix of "Negotiation settings for XMPP federated
    /// partners in Lync Server 2013" (Microsoft, documented). SASL needs TLS; dialback cannot work where both are required.
    pub fn expected(tls: Negotiation, sasl: Negotiation, dialback: bool) -> Self {
        let dialback = dialback && (tls, sasl) != (Negotiation::Required, Negotiation::Required);
        Self {
            sasl: tls != Negotiation::NotSupported && sasl != Negotiation::NotSupported,
            tls_dialback: dialback && tls != Negotiation::NotSupported,
            tcp_dialback: dialback && tls != Negotiation::Required,
        }
    }

    /// The methods for a partner.
    pub fn of(partner: &XmppAllowedPartner) -> Self {
        let negotiation = |name: &str| Negotiation::from_name(name);
        Self::expected(negotiation(&partner.tls_negotiation), negotiation(&partner.sasl_negotiation), partner.support_dialback_negotiation)
    }

    /// Whether a stream is secured with TLS on the way to some method.
    pub fn uses_tls(self) -> bool {
        self.sasl || self.tls_dialback
    }

    /// Whether there is no method at all.
    pub fn is_empty(self) -> bool {
        !(self.sasl || self.tls_dialback || self.tcp_dialback)
    }

    /// Whether only Server Dialback is left.
    pub fn only_dialback(self) -> bool {
        !self.sasl && !self.is_empty()
    }
}

/// `PartnerType` of an XMPP partner (dossier F.7; "Create or edit XMPP partner configuration in Lync Server 2013").
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum XmppPartnerType {
    /// Trusted: its users write to ours without being asked first.
    Federated,
    /// A public provider that verifies its users: they write to ours without being asked first.
    PublicVerified,
    /// Its users reach one of ours only after ours has added them to the contact list.
    PublicUnverified,
}

impl XmppPartnerType {
    /// The type with a name of the cmdlets; anything else counts as their default, `PublicUnverified`.
    pub fn from_name(name: &str) -> Self {
        match name.to_ascii_lowercase().as_str() {
            "federated" => Self::Federated,
            "publicverified" => Self::PublicVerified,
            _ => Self::PublicUnverified,
        }
    }
}

/// Why a message is not delivered between a user of ours and a partner's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Undelivered {
    /// There is no such user.
    NoSuchUser,
    /// The user is not served in full: no presence and no federated messages (dossier B.3).
    UserNotServed,
    /// The user is served with limits (SIP alone tells it apart).
    UserLimited,
    /// The Edge's next hop, or what is behind it, does not answer.
    NextHopUnavailable,
    /// The partner is not allowed.
    PartnerNotAllowed,
    /// The site whose pool serves the user has no route.
    NoRoute,
    /// No Edge Server of the route carries it outwards.
    RouteUnavailable,
}

/// How far somebody got on the way to a domain; each level includes those before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Not even an address.
    Nothing,
    /// L1: names resolve.
    Resolved,
    /// L2: a TCP connection.
    Connected,
    /// L3: the protocol answers for the domain.
    Answered,
    /// L4: TLS, with a certificate that is valid for the domain.
    Secured,
    /// L5: authenticated (EXTERNAL or dialback; mutual TLS).
    Authenticated,
    /// L6: a ping or OPTIONS answered end to end.
    RoundTrip,
}

impl Level {
    /// Number and meaning, as people are told: `L5 authenticated`.
    pub fn words(self) -> &'static str {
        match self {
            Self::Nothing => "L0 no address",
            Self::Resolved => "L1 names resolve",
            Self::Connected => "L2 a TCP connection",
            Self::Answered => "L3 the protocol answers",
            Self::Secured => "L4 TLS with a certificate for the domain",
            Self::Authenticated => "L5 authenticated",
            Self::RoundTrip => "L6 answered end to end",
        }
    }
}

/// An answer, and how far it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reached {
    /// The answer.
    pub reach: Reach,
    /// How far. L5 or better means the same as that `reach` has no failure.
    pub level: Level,
}

impl Reached {
    /// Why a level was not reached; none when it was.
    pub fn failure_at(&self, wanted: Level) -> Option<ReachFailure> {
        (self.level < wanted).then(|| self.reach.failure.unwrap_or(ReachFailure::NoAnswer))
    }
}

impl Reach {
    /// How far a partner got on its way in: the level that its outcome proves. An answer proves L5; whether a ping comes back
    /// is another question. In SIP, TLS with both certificates comes first and a refusal is an answer on it; XMPP shows
    /// certificates after features (RFC 6120 5).
    pub fn level(&self, protocol: Protocol) -> Level {
        let resolved = self.attempts.iter().any(|attempt| attempt.address.is_some());
        match self.failure {
            None => Level::Authenticated,
            Some(ReachFailure::TurnedAway(refusal)) => match (protocol, refusal) {
                (Protocol::Xmpp, EdgeRefusal::CertificateExpired | EdgeRefusal::NoAuthentication) => Level::Answered,
                (Protocol::Xmpp, _) => Level::Connected,
                (Protocol::Sip, EdgeRefusal::CertificateExpired | EdgeRefusal::CertificateName) => Level::Connected,
                (Protocol::Sip, _) => Level::Secured,
            },
            Some(_) if resolved => Level::Resolved,
            Some(_) => Level::Nothing,
        }
    }
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

/// Whether names of a certificate are for a host; a wildcard stands for one label (RFC 6125 6.4.3).
pub(crate) fn names_host(names: &[String], host: &str) -> bool {
    let parent = host.split_once('.').map(|(_, parent)| format!("*.{parent}"));
    let is = |name: &String| name.eq_ignore_ascii_case(host) || parent.as_ref().is_some_and(|wild| name.eq_ignore_ascii_case(wild));
    names.iter().any(is)
}

impl Listener {
    /// DNS names of the Edge's external certificate, the first one its subject: the Access Edge's name, and for each domain
    /// the domain, `xmpp.contoso.com` and `*.contoso.com` (dossier F.5, F.7).
    pub fn certificate_names(&self) -> Vec<String> {
        Self::names_for(&self.domains)
    }

    /// The same for any domains.
    pub(crate) fn names_for(domains: &[String]) -> Vec<String> {
        let access = domains.first().map(|domain| format!("sip.{domain}"));
        let of_domain = |domain: &String| [domain.clone(), format!("xmpp.{domain}"), format!("*.{domain}")];
        access.into_iter().chain(domains.iter().flat_map(of_domain)).collect()
    }

    /// Whether that certificate is for a host; a wildcard stands for one label (RFC 6125 6.4.3).
    pub fn certifies(&self, host: &str) -> bool {
        names_host(&self.certificate_names(), host)
    }

    /// What a peer makes of the certificate that it is shown when it connects to a host over SIP: federation is over mutual
    /// TLS, and the first thing that a peer sees of the Edge is its certificate.
    ///
    /// # Errors
    /// Why it hangs up.
    pub fn trusted_as(&self, host: &str) -> Result<(), EdgeRefusal> {
        if self.refusal == Some(EdgeRefusal::CertificateExpired) {
            return Err(EdgeRefusal::CertificateExpired);
        }
        if self.certifies(host) { Ok(()) } else { Err(EdgeRefusal::CertificateName) }
    }

    /// Whether a peer that says it is `partner` may talk to `domain` here, in the order of a connection.
    ///
    /// # Errors
    /// Why it is turned away.
    pub fn admits(&self, partner: &str, domain: &str) -> Result<(), EdgeRefusal> {
        match self.protocol {
            Protocol::Sip => {
                // The certificate is seen first, then the domain asked for, then who asks; then the next hop is needed.
                if self.refusal == Some(EdgeRefusal::CertificateExpired) {
                    return Err(EdgeRefusal::CertificateExpired);
                }
                self.admits_header(partner, domain)
            }
            Protocol::Xmpp => {
                self.admits_header(partner, domain)?;
                self.admits_secured(partner)
            }
        }
    }

    /// What is decided by the words of the peer alone: the domain asked for, who asks, and whether there is a next hop
    /// (that the proxy refuses the stream without one, and not each stanza, is invented).
    ///
    /// # Errors
    /// Why it is turned away.
    pub fn admits_header(&self, partner: &str, domain: &str) -> Result<(), EdgeRefusal> {
        if !self.domains.iter().any(|ours| ours.eq_ignore_ascii_case(domain)) {
            return Err(EdgeRefusal::UnknownDomain);
        }
        if let Some(allowed) = &self.partners
            && !allowed.iter().any(|known| known.eq_ignore_ascii_case(partner))
        {
            return Err(EdgeRefusal::PartnerNotAllowed);
        }
        match self.refusal {
            Some(refusal) if refusal != EdgeRefusal::CertificateExpired => Err(refusal),
            _ => Ok(()),
        }
    }

    /// What XMPP decides after the header: TLS with the Edge's certificate, then authentication. Where TLS is not
    /// supported nobody sees the certificate; where only dialback is left the Edge must reach the partner's server.
    fn admits_secured(&self, partner: &str) -> Result<(), EdgeRefusal> {
        let methods = self.xmpp_methods(partner);
        if methods.is_empty() {
            return Err(EdgeRefusal::NoAuthentication);
        }
        if methods.uses_tls() && self.refusal == Some(EdgeRefusal::CertificateExpired) {
            return Err(EdgeRefusal::CertificateExpired);
        }
        if methods.only_dialback() && self.xmpp.as_ref().is_some_and(|proxy| !proxy.reaches_partners) {
            return Err(EdgeRefusal::NoAuthentication);
        }
        Ok(())
    }

    /// The settings of the XMPP partner to which a domain belongs, when there are any.
    pub fn xmpp_partner(&self, domain: &str) -> Option<&XmppAllowedPartner> {
        self.xmpp.as_ref()?.partners.iter().find(|partner| partner.has_domain(domain))
    }

    /// How an XMPP partner may authenticate; one without settings as the cmdlet's defaults have it.
    pub fn xmpp_methods(&self, domain: &str) -> XmppMethods {
        match self.xmpp_partner(domain) {
            Some(partner) => XmppMethods::of(partner),
            None => XmppMethods::expected(Negotiation::Required, Negotiation::Required, true),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The complete matrix of "Negotiation settings for XMPP federated partners in Lync Server 2013".
    #[test]
    fn negotiation_matrix() {
        use Negotiation::{NotSupported as No, Optional as Opt, Required as Req};
        // TLS, SASL, with dialback: [SASL over TLS, TLS dialback, TCP dialback]; without dialback: SASL over TLS.
        let rows = [
            (Req, Req, [true, false, false], true),
            (Opt, Req, [true, true, true], true),
            (No, Req, [false, false, true], false),
            (Req, Opt, [true, true, false], true),
            (Opt, Opt, [true, true, true], true),
            (No, Opt, [false, false, true], false),
            (Req, No, [false, true, false], false),
            (Opt, No, [false, true, true], false),
            (No, No, [false, false, true], false),
        ];
        for (tls, sasl, with, without) in rows {
            let [external, tls_dialback, tcp_dialback] = with;
            assert_eq!(
                XmppMethods::expected(tls, sasl, true),
                XmppMethods { sasl: external, tls_dialback, tcp_dialback },
                "{tls:?} {sasl:?} with dialback"
            );
            let bare = XmppMethods::expected(tls, sasl, false);
            assert_eq!(bare, XmppMethods { sasl: without, tls_dialback: false, tcp_dialback: false }, "{tls:?} {sasl:?} without");
            assert_eq!(bare.is_empty(), !without);
        }
    }
}
