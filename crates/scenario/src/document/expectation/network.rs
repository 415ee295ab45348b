//! Expectations about the network: media, DNS, federation.

use firedrill_syntax::Located;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Media of a pool's users.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MediaExpectation {
    /// The Front End pool.
    pub pool: Located<String>,
    /// The Edge pool, or `none`.
    #[serde(default)]
    pub via: Option<Located<String>>,
    /// Whether it carries media now.
    #[serde(default)]
    pub working: Option<Located<bool>>,
}

/// DNS as a partner sees it. Exactly one of `data` and `answer`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DnsExpectation {
    /// Domain of the partner whose resolver is asked.
    pub seen_by: Located<String>,
    /// Full owner name.
    pub name: Located<String>,
    /// Type of the records.
    #[serde(rename = "type")]
    pub record_type: super::super::RecordTypeDocument,
    /// All records, in any order, written as in a zone file.
    #[serde(default)]
    pub data: Vec<Located<String>>,
    /// What is answered instead of records.
    #[serde(default)]
    pub answer: Option<Located<DnsAnswerDocument>>,
    /// Whether the answer comes from the partner's cache.
    #[serde(default)]
    pub cached: Option<Located<bool>>,
}

/// An answer without records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DnsAnswerDocument {
    /// The name does not exist (NXDOMAIN).
    NoName,
    /// The name exists, the type does not.
    NoData,
    /// No server answers.
    NoServer,
}

/// Which federation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProtocolDocument {
    /// XMPP, `_xmpp-server._tcp`, port 5269.
    Xmpp,
    /// SIP, `_sipfederationtls._tcp`, port 5061.
    Sip,
}

/// Which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DirectionDocument {
    /// The partner opens the connection to us.
    #[default]
    Inbound,
    /// A user of ours reaches the partner.
    Outbound,
}

/// Reachability between a partner and us.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FederationExpectation {
    /// Which federation.
    pub protocol: Located<ProtocolDocument>,
    /// Domain of the partner.
    pub partner: Located<String>,
    /// Our domain; the first SIP domain when left out.
    #[serde(default)]
    pub domain: Option<Located<String>>,
    /// Which way.
    #[serde(default)]
    pub direction: DirectionDocument,
    /// Whether it works; true when left out, false when `failure` is given.
    #[serde(default)]
    pub reachable: Option<Located<bool>>,
    /// What counts as reachable: to get this far or farther. `L5` when left out: somebody who is not authenticated exchanges
    /// no messages.
    #[serde(default)]
    pub level: Option<Located<LevelDocument>>,
    /// The Edge pool or Edge Server that answers.
    #[serde(default)]
    pub via: Option<Located<String>>,
    /// Why it does not work.
    #[serde(default)]
    pub failure: Option<Located<FailureDocument>>,
}

/// How far somebody gets; each level includes those before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum LevelDocument {
    /// Names resolve to an address.
    L1,
    /// A TCP connection is accepted.
    L2,
    /// The protocol answers for the domain.
    L3,
    /// TLS, with a certificate that is valid for the domain.
    L4,
    /// Authenticated: SASL EXTERNAL or Server Dialback; mutual TLS for SIP.
    L5,
    /// A ping (XMPP) or OPTIONS (SIP) is answered end to end.
    L6,
}

/// Why federation does not work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FailureDocument {
    /// No DNS server answered.
    DnsUnavailable,
    /// There are no records that lead to us.
    NoRecords,
    /// The SRV target is `.`: decidedly no service.
    ServiceDeclined,
    /// The SRV target lies outside the SIP domain.
    StrictMatch,
    /// No target accepted a connection.
    NotConnected,
    /// Somebody answered: the domain is not one of ours.
    UnknownDomain,
    /// Somebody answered: the partner is not allowed.
    PartnerNotAllowed,
    /// Somebody answered: the next hop pool, or its gateway, cannot be reached.
    NextHopUnavailable,
    /// Somebody answered: the certificate has expired.
    CertificateExpired,
    /// Somebody answered: the partner's settings, or what the Edge can reach, leave no way to authenticate (XMPP).
    NoAuthentication,
    /// No site has a route for this federation.
    NoRoute,
    /// The Edge of the route is not in service.
    RouteUnavailable,
    /// Our user is not served in full.
    UserNotServed,
    /// With level `L6`: authenticated, but the answer to a ping finds no way back.
    NoAnswer,
}
