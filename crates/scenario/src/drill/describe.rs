//! Expectations in words.

use firedrill_fabric::SimDuration;
use firedrill_fabric::federation::{Direction, Level, Protocol};
use firedrill_topology::{ComputerId, EdgePoolId, PoolId, RecordData, RecordType, Topology, UserId};

use super::settings;
use crate::document::UntilDocument;
use crate::resolve::names::sql_name;
use crate::scenario::{
    Bounds, Check, DnsAnswer, EdgePlace, ErrorDemand, ExperienceColumn, Holder, ObjectsDemand, Properties, Quantity, Reachability, Stream,
    TextDemand, Who,
};
use firedrill_fabric::serving::DataKind;
use firedrill_fabric::{CmsDatabaseState, ServiceMode};

/// More names than these are counted instead of listed.
const LISTED: usize = 3;

/// What a check demands, as one sentence without a full stop.
pub fn describe(check: &Check, topology: &Topology) -> String {
    let words = Words(topology);
    match check {
        Check::Homing { who, pool, count } => {
            let whose = words.who(*who);
            match (pool, count) {
                (Some(pool), None) => format!("{whose} homed on {}", words.pool(*pool)),
                (Some(pool), Some(count)) => format!("{count} of {whose} homed on {}", words.pool(*pool)),
                (None, count) => format!("{whose}: {} homed there", count.unwrap_or_default()),
            }
        }
        Check::Serving { who, mode, by, quantity, cause } => {
            let by = by.map(|pool| format!(" by {}", words.pool(pool))).unwrap_or_default();
            let cause = cause.map(|cause| format!(", because {}", cause.text())).unwrap_or_default();
            let how_many = match quantity {
                Quantity::All => String::new(),
                Quantity::Between(low, high) if low == high => format!("{low} of "),
                Quantity::Between(low, u32::MAX) => format!("at least {low} of "),
                Quantity::Between(0, high) => format!("at most {high} of "),
                Quantity::Between(low, high) => format!("{low} to {high} of "),
            };
            format!("{how_many}{} {}{by}{cause}", words.who(*who), mode_words(*mode))
        }
        Check::Experience { user, column, able } => {
            format!("{} {} {}", words.user(*user), if *able { "can" } else { "cannot" }, column_words(*column))
        }
        Check::CmsMaster(holder) => format!("active master of the CMS: {}", words.holder(*holder)),
        Check::CmsTransferAgents(holder) => format!("active file transfer agents of the CMS: {}", words.holder(*holder)),
        Check::CmsDatabase { pool, state } => format!("CMS database in {}: {}", words.pool(*pool), database_words(*state)),
        Check::CmsLocation(sql) => format!("Active Directory names {} as the CMS", sql_name(topology, *sql)),
        Check::Replicas { computers, up_to_date, current, product_version } => {
            let mut wanted = Vec::new();
            wanted.extend(up_to_date.map(|yes| if yes { "UpToDate".to_owned() } else { "not UpToDate".to_owned() }));
            wanted.extend(current.map(|yes| if yes { "with the newest document".to_owned() } else { "with an older document".to_owned() }));
            wanted.extend(product_version.as_ref().map(|version| match version {
                Some(version) => format!("ProductVersion {version}"),
                None => "no ProductVersion".to_owned(),
            }));
            format!("replicas on {}: {}", words.computers(computers), wanted.join(", "))
        }
        Check::PoolState { pool, state } => format!("PoolState of {}: {state:?}", words.pool(*pool)),
        Check::Backup { pool, module, export, import, available } => {
            let module = module.map_or_else(|| "every module".to_owned(), |module| format!("{module:?}"));
            let mut wanted = Vec::new();
            wanted.extend(available.map(|yes| if yes { "answers".to_owned() } else { "does not answer".to_owned() }));
            if !export.is_empty() {
                let states: Vec<String> = export.iter().map(|state| format!("{state:?}")).collect();
                wanted.push(format!("{module} exports {}", states.join(" or ")));
            }
            wanted.extend(import.map(|state| format!("{module} imports {state:?}")));
            format!("Backup Service of {}: {}", words.pool(*pool), wanted.join(", "))
        }
        Check::Services { computers, names, status, disabled } => {
            let which = if names.is_empty() {
                "all services".to_owned()
            } else {
                names.iter().map(|name| name.short_name()).collect::<Vec<_>>().join(", ")
            };
            let status = status.map_or("not installed", |status| status.text());
            let disabled = disabled.map(|yes| if yes { ", disabled" } else { ", not disabled" }).unwrap_or_default();
            format!("{which} on {}: {status}{disabled}", words.computers(computers))
        }
        Check::Setting { setting, replica_of } => {
            let place = match replica_of {
                Some(computer) => format!(" in the replica of {}", words.computer(*computer)),
                None => " in the CMS".to_owned(),
            };
            // Compared with itself a document gives the demand in words.
            let document = firedrill_fabric::Configuration::initial(topology);
            let (wanted, _) = settings::compare(*setting, &document, topology);
            format!("{}{place}: {wanted}", settings::name(*setting, topology))
        }
        Check::Media { pool, via, working } => {
            let mut wanted = Vec::new();
            wanted.extend(via.map(|edge| format!("through {}", edge.map_or("no Edge pool", |edge| words.edge(edge)))));
            wanted.extend(working.map(|yes| if yes { "working".to_owned() } else { "not working".to_owned() }));
            format!("media of {}: {}", words.pool(*pool), wanted.join(", "))
        }
        Check::Dns { partner, name, record_type, answer, cached } => {
            let cached = cached.map(|yes| if yes { ", from its cache" } else { ", fresh" }).unwrap_or_default();
            let partner = &topology.partner(*partner).domain;
            format!("{partner} sees {name} {}: {}{cached}", type_words(*record_type), answer_words(answer))
        }
        Check::Federation { partner, domain, protocol, direction, level, wanted } => {
            let partner = &topology.partner(*partner).domain;
            let (from, to) = match direction {
                Direction::Inbound => (partner, domain),
                Direction::Outbound => (domain, partner),
            };
            let (verb, rest) = match wanted {
                Reachability::Reachable(None) => ("reaches", String::new()),
                Reachability::Reachable(Some(EdgePlace::Pool(edge))) => ("reaches", format!(" through {}", words.edge(*edge))),
                Reachability::Reachable(Some(EdgePlace::Computer(id))) => ("reaches", format!(" through {}", words.computer(*id))),
                Reachability::Unreachable(None) => ("does not reach", String::new()),
                Reachability::Unreachable(Some(why)) => ("does not reach", format!(": {}", failure_words(*why))),
            };
            // What a reader expects of "reaches" needs no number.
            let far = if *level == Level::Authenticated { String::new() } else { format!(" to {}", level.words()) };
            format!("{from} {verb} {to} over {}{far}{rest}", protocol_words(*protocol))
        }
        Check::SetupPending { computers, pending } => {
            let verb = if *pending { "needs" } else { "does not need" };
            format!("{} {verb} \"Setup or Remove Components\"", words.computers(computers))
        }
        Check::PrincipalSide { pool, databases, side } => {
            format!("principal of the {databases:?} databases of {}: the {side:?} back end", words.pool(*pool))
                .replace("Primary", "primary")
                .replace("Mirror", "mirror")
        }
        Check::PrincipalInstance { pool, databases, instance } => {
            let instance = instance.map_or_else(|| "none".to_owned(), |id| sql_name(topology, id));
            format!("principal of the {databases:?} databases of {}: {instance}", words.pool(*pool))
        }
        Check::Quorum { pool, functional, active, without_primary } => {
            let mut wanted = Vec::new();
            wanted.extend(functional.map(|yes| if yes { "holds".to_owned() } else { "is lost".to_owned() }));
            wanted.extend(active.map(|n| format!("{n} Front Ends active")));
            wanted.extend(without_primary.map(|n| format!("{n} routing groups without a primary")));
            format!("quorum of {}: {}", words.pool(*pool), wanted.join(", "))
        }
        Check::Rto { who, until, bounds } => {
            let until = match until {
                UntilDocument::Regular => "without full service",
                UntilDocument::Resiliency => "without any service",
            };
            format!("{} {until} {}", words.who(*who), bounds_words(*bounds))
        }
        Check::Rpo { who, kind, bounds } => {
            let whose = who.map(|who| format!(" of {}", words.who(who))).unwrap_or_default();
            format!("lost {}{whose}: {}", kind_words(*kind), bounds_words(*bounds))
        }
        Check::Fails(demand) => error_words(demand),
        Check::Text(stream, demand) => text_words(*stream, demand),
        Check::Objects(demand) => objects_words(demand),
        Check::Took(bounds) => format!("the step takes {}", bounds_words(*bounds)),
    }
}

/// Names of a topology's subjects.
pub(crate) struct Words<'t>(pub(crate) &'t Topology);

impl<'t> Words<'t> {
    pub(crate) fn pool(&self, id: PoolId) -> &'t str {
        &self.0.pool(id).fqdn
    }

    pub(crate) fn edge(&self, id: EdgePoolId) -> &'t str {
        &self.0.edge_pool(id).fqdn
    }

    pub(crate) fn computer(&self, id: ComputerId) -> &'t str {
        &self.0.computer(id).fqdn
    }

    pub(crate) fn user(&self, id: UserId) -> String {
        self.0.users.address(id).unwrap_or_else(|| format!("user {}", id.0))
    }

    pub(crate) fn who(&self, who: Who) -> String {
        match who {
            Who::User(user) => self.user(user),
            Who::Users(first, last) => format!("users {} to {}", self.user(first), self.user(last)),
            Who::Pool(pool) => format!("users of {}", self.pool(pool)),
        }
    }

    pub(crate) fn computers(&self, computers: &[ComputerId]) -> String {
        if computers.len() > LISTED {
            return format!("{} computers", computers.len());
        }
        computers.iter().map(|id| self.computer(*id)).collect::<Vec<_>>().join(", ")
    }

    fn holder(&self, holder: Holder) -> String {
        match holder {
            Holder::Nobody => "none".to_owned(),
            Holder::Computer(id) => self.computer(id).to_owned(),
            Holder::Pool(id) => format!("in {}", self.pool(id)),
        }
    }
}

pub(crate) fn mode_words(mode: ServiceMode) -> &'static str {
    match mode {
        ServiceMode::Regular => "served in full",
        ServiceMode::Resiliency => "in resiliency mode",
        ServiceMode::SignedOut => "signed out",
    }
}

pub(crate) fn column_words(column: ExperienceColumn) -> &'static str {
    match column {
        ExperienceColumn::SignIn => "sign in",
        ExperienceColumn::OwnConferences => "hold conferences",
        ExperienceColumn::OthersConferences => "join conferences of others",
        ExperienceColumn::Contacts => "see contacts",
        ExperienceColumn::Presence => "see presence",
        ExperienceColumn::PeerToPeer => "talk peer to peer",
        ExperienceColumn::PersistentChanges => "make lasting changes",
    }
}

pub(crate) fn database_words(state: Option<CmsDatabaseState>) -> &'static str {
    match state {
        Some(CmsDatabaseState::Active) => "active",
        Some(CmsDatabaseState::Backup) => "backup",
        Some(CmsDatabaseState::Empty) => "empty",
        None => "none",
    }
}

pub(crate) fn type_words(kind: RecordType) -> &'static str {
    match kind {
        RecordType::A => "A",
        RecordType::Aaaa => "AAAA",
        RecordType::Cname => "CNAME",
        RecordType::Ns => "NS",
        RecordType::Srv => "SRV",
        RecordType::Txt => "TXT",
    }
}

/// Record data in the notation of zone files.
pub(crate) fn record_words(data: &RecordData) -> String {
    match data {
        RecordData::A(address) => address.to_string(),
        RecordData::Aaaa(address) => address.to_string(),
        RecordData::Cname(name) | RecordData::Ns(name) => name.clone(),
        RecordData::Txt(text) => text.clone(),
        RecordData::Srv { priority, weight, port, target } => {
            format!("{priority} {weight} {port} {}", if target.is_empty() { "." } else { target })
        }
    }
}

pub(crate) fn answer_words(answer: &DnsAnswer) -> String {
    match answer {
        DnsAnswer::Records(data) => {
            let mut texts: Vec<String> = data.iter().map(record_words).collect();
            texts.sort();
            texts.join(", ")
        }
        DnsAnswer::NoName => "no such name".to_owned(),
        DnsAnswer::NoData => "no such data".to_owned(),
        DnsAnswer::NoServer => "no answer".to_owned(),
    }
}

pub(crate) fn protocol_words(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Xmpp => "XMPP",
        Protocol::Sip => "SIP",
    }
}

pub(crate) fn failure_words(why: firedrill_fabric::federation::ReachFailure) -> &'static str {
    use firedrill_fabric::federation::{EdgeRefusal, ReachFailure};
    match why {
        ReachFailure::DnsUnavailable => "no DNS server answers",
        ReachFailure::NoRecords => "no record leads there",
        ReachFailure::ServiceDeclined => "DNS says that there is no such service",
        ReachFailure::StrictMatch => "the SRV target lies outside the SIP domain",
        ReachFailure::NotConnected => "no target accepts a connection",
        ReachFailure::TurnedAway(EdgeRefusal::UnknownDomain) => "turned away, the domain is unknown there",
        ReachFailure::TurnedAway(EdgeRefusal::PartnerNotAllowed) => "turned away, the partner is not allowed",
        ReachFailure::TurnedAway(EdgeRefusal::NextHopUnavailable) => "turned away, the next hop is not available",
        ReachFailure::TurnedAway(EdgeRefusal::CertificateExpired) => "turned away, the certificate has expired",
        ReachFailure::TurnedAway(EdgeRefusal::CertificateName) => "turned away, the certificate does not name the host",
        ReachFailure::TurnedAway(EdgeRefusal::NoAuthentication) => "turned away, there is no way to authenticate",
        ReachFailure::NoRoute => "no site has a route",
        ReachFailure::RouteUnavailable => "the Edge of the route is not in service",
        ReachFailure::UserNotServed => "our user is not served in full",
        ReachFailure::NoAnswer => "nothing comes back",
    }
}

pub(crate) fn kind_words(kind: DataKind) -> &'static str {
    match kind {
        DataKind::UserData => "user data",
        DataKind::ConferenceContent => "conference content",
        DataKind::Configuration => "configuration",
        DataKind::ResponseGroups => "Response Groups",
        DataKind::Locations => "locations",
    }
}

fn bounds_words(bounds: Bounds) -> String {
    let parts: Vec<String> = [("at least", bounds.at_least), ("at most", bounds.at_most)]
        .into_iter()
        .filter_map(|(word, bound): (&str, Option<SimDuration>)| bound.map(|bound| format!("{word} {bound}")))
        .collect();
    parts.join(" and ")
}

/// A text in quotation marks, one line, not too long for a report.
pub(crate) fn shown(text: &str) -> String {
    const LONGEST: usize = 400;
    let line: String = text.replace("\r\n", "\n").replace('\n', " ⏎ ");
    let mut short: String = line.chars().take(LONGEST).collect();
    if short.len() < line.len() {
        short.push('…');
    }
    format!("`{short}`")
}

fn error_words(demand: &ErrorDemand) -> String {
    let mut wanted = Vec::new();
    wanted.extend(demand.count.map(|n| format!("with {n} {}", if n == 1 { "error" } else { "errors" })));
    wanted.extend(demand.message.as_ref().map(|text| format!("saying {}", shown(text))));
    wanted.extend(demand.contains.as_ref().map(|text| format!("with {} in its message", shown(text))));
    wanted.extend(demand.error_id.as_ref().map(|id| format!("with the id {}", shown(id))));
    wanted.extend(demand.category.as_ref().map(|category| format!("of category {category}")));
    if wanted.is_empty() { "it fails".to_owned() } else { format!("it fails {}", wanted.join(", ")) }
}

fn text_words(stream: Stream, demand: &TextDemand) -> String {
    let name = match stream {
        Stream::Output => "the output",
        Stream::Warnings => "the warnings",
        Stream::Verbose => "the verbose messages",
        Stream::Host => "the host text",
        Stream::Remarks => "the remarks",
    };
    let list = |parts: &[std::sync::Arc<str>]| parts.iter().map(|part| shown(part)).collect::<Vec<_>>().join(", ");
    let mut wanted = Vec::new();
    wanted.extend(demand.is.as_ref().map(|text| format!("is {}", shown(text))));
    if !demand.contains.is_empty() {
        wanted.push(format!("contains {}", list(&demand.contains)));
    }
    if !demand.lacks.is_empty() {
        wanted.push(format!("lacks {}", list(&demand.lacks)));
    }
    wanted.extend(demand.matches.as_ref().map(|regex| format!("matches {}", shown(regex.as_str()))));
    format!("{name} {}", wanted.join(" and "))
}

pub(crate) fn properties_words(properties: &Properties) -> String {
    let parts: Vec<String> = properties.iter().map(|(name, value)| format!("{name} = {value}")).collect();
    format!("[{}]", parts.join(", "))
}

fn objects_words(demand: &ObjectsDemand) -> String {
    let mut wanted = Vec::new();
    wanted.extend(demand.count.map(|n| format!("{n} objects")));
    if !demand.all.is_empty() {
        wanted.push(format!("all with {}", properties_words(&demand.all)));
    }
    if !demand.any.is_empty() {
        wanted.push(format!("one with {}", properties_words(&demand.any)));
    }
    if !demand.none.is_empty() {
        wanted.push(format!("none with {}", properties_words(&demand.none)));
    }
    if let Some(list) = &demand.are {
        wanted.push(format!("in order {}", list.iter().map(properties_words).collect::<Vec<_>>().join(", ")));
    }
    format!("the output has {}", wanted.join(", "))
}
