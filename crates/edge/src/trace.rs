//! What a probe met, hop by hop, for people and as data.

use std::fmt;
use std::net::Ipv4Addr;

use firedrill_fabric::SimTime;
use firedrill_fabric::federation::{AttemptResult, Level, Protocol, Reach};
use firedrill_fabric::naming::{Answer, PartnerView};
use firedrill_topology::{RecordData, RecordType};

use crate::sip::TlsFacts;
use crate::xmpp::Facts;

/// The way of a partner to a domain of ours.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Trace {
    /// Who walked.
    pub partner: String,
    /// Where to.
    pub domain: String,
    /// Over which federation.
    pub protocol: Protocol,
    /// How far.
    pub level: Level,
    /// Every hop.
    pub steps: Vec<Step>,
    /// The outcome, as the model has outcomes.
    #[serde(skip)]
    pub reach: Reach,
}

/// One hop.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// A question to DNS.
    Query {
        /// Name asked for.
        name: String,
        /// Type asked for, `SRV`.
        record_type: &'static str,
        /// Records in zone-file form, or why there are none.
        answer: Vec<String>,
        /// Seconds for which the answer may still be kept.
        ttl_left: Option<i64>,
        /// Whether it came from the cache.
        cached: bool,
    },
    /// The target that is tried next.
    Target {
        /// Host.
        host: String,
        /// Port.
        port: u16,
        /// Priority of its SRV record.
        priority: u16,
        /// Weight of its SRV record.
        weight: u16,
        /// Why it is tried.
        why: String,
    },
    /// A TCP connection.
    Connection {
        /// Address, as the topology has it.
        address: Ipv4Addr,
        /// Port.
        port: u16,
        /// Whether it was accepted.
        accepted: bool,
    },
    /// An XMPP stream.
    Stream {
        /// What was learnt.
        facts: Facts,
        /// Why it was not authenticated, when it was not.
        failure: Option<String>,
    },
    /// A TLS handshake of SIP, in which both sides show certificates.
    Tls {
        /// What was learnt.
        facts: TlsFacts,
        /// Why it went no further, when it did not.
        failure: Option<String>,
    },
    /// SIP OPTIONS.
    Options {
        /// What came of it.
        result: AttemptResult,
    },
    /// An XMPP ping.
    Ping {
        /// Whether its answer arrived.
        answered: bool,
    },
}

impl Step {
    pub(crate) fn asked(name: &str, record_type: RecordType, view: &PartnerView, now: SimTime) -> Self {
        let answer = match &view.answer {
            Answer::Records { aliases, set } => {
                let aliases = aliases.iter().map(|alias| format!("CNAME {alias}."));
                aliases.chain(set.data.iter().map(data)).collect()
            }
            Answer::NoName => vec!["no such name".to_owned()],
            Answer::NoData => vec!["no such record".to_owned()],
            Answer::NoServer => vec!["no answer".to_owned()],
        };
        let ttl_left = view.until.map(|until| until.since(now).as_secs());
        Self::Query { name: name.to_owned(), record_type: type_name(record_type), answer, ttl_left, cached: view.cached }
    }
}

fn type_name(record_type: RecordType) -> &'static str {
    match record_type {
        RecordType::A => "A",
        RecordType::Aaaa => "AAAA",
        RecordType::Cname => "CNAME",
        RecordType::Ns => "NS",
        RecordType::Srv => "SRV",
        RecordType::Txt => "TXT",
    }
}

fn data(data: &RecordData) -> String {
    match data {
        RecordData::A(address) => format!("A {address}"),
        RecordData::Aaaa(address) => format!("AAAA {address}"),
        RecordData::Cname(target) => format!("CNAME {target}."),
        RecordData::Ns(host) => format!("NS {host}."),
        RecordData::Srv { priority, weight, port, target } => format!("SRV {priority} {weight} {port} {target}."),
        RecordData::Txt(text) => format!("TXT {text:?}"),
    }
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let protocol = match self.protocol {
            Protocol::Xmpp => "XMPP",
            Protocol::Sip => "SIP",
        };
        writeln!(f, "{protocol}  {} -> {}: {}", self.partner, self.domain, self.level.words())?;
        for step in &self.steps {
            writeln!(f, "  {step}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Query { name, record_type, answer, ttl_left, cached } => {
                write!(f, "dns     {record_type} {name}: {}", answer.join(", "))?;
                match ttl_left {
                    Some(seconds) if *cached => write!(f, " (cached, {seconds} s left)"),
                    Some(seconds) => write!(f, " (for {seconds} s)"),
                    None => Ok(()),
                }
            }
            Self::Target { host, port, priority, weight, why } => {
                write!(f, "target  {host}:{port}, priority {priority}, weight {weight}: {why}")
            }
            Self::Connection { address, port, accepted } => {
                write!(f, "tcp     {address}:{port} {}", if *accepted { "accepted" } else { "refused" })
            }
            Self::Stream { facts, failure } => {
                write!(f, "stream  {}", if facts.answered { "answered for the domain" } else { "not answered" })?;
                if let Some(version) = &facts.tls {
                    write!(f, "; {version}, {}", facts.cipher.as_deref().unwrap_or("no cipher"))?;
                    match &facts.certificate {
                        None => write!(f, ", certificate good for the domain")?,
                        Some(problem) => write!(f, ", {problem}")?,
                    }
                }
                match (facts.method, failure) {
                    (_, Some(failure)) => write!(f, "; {failure}"),
                    (Some(method), None) => write!(f, "; authenticated by {}", method.name()),
                    (None, None) => Ok(()),
                }
            }
            Self::Tls { facts, failure } => {
                write!(f, "tls     {}", facts.version.as_deref().unwrap_or("no handshake"))?;
                if let Some(cipher) = &facts.cipher {
                    write!(f, ", {cipher}")?;
                    match &facts.certificate {
                        None => write!(f, ", certificate good for the host")?,
                        Some(problem) => write!(f, ", {problem}")?,
                    }
                }
                failure.as_ref().map_or(Ok(()), |failure| write!(f, "; {failure}"))
            }
            Self::Options { result } => write!(f, "sip     OPTIONS: {result:?}"),
            Self::Ping { answered } => write!(f, "ping    {}", if *answered { "answered" } else { "not answered" }),
        }
    }
}
