//! External DNS zones.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr};

use firedrill_syntax::{DurationText, Located, Source, Span, quote};

use super::Resolver;
use crate::document::{RecordDocument, SoaDocument, SrvDocument, ViewDocument, ZoneDocument};
use crate::limits::MAX_RECORDS_OF_A_SET;
use crate::master::read_master;
use crate::model::*;
use crate::names::{LabelKind, NameProblem, domain_labels};

/// TTL of records when neither they nor their zone name one. The product's pages recommend no number (dossier L).
const DEFAULT_TTL_SECONDS: u32 = 3_600;
/// Start of the owner name under which partners look for SIP federation (dossier F.5).
const FEDERATION_SERVICE: &str = "_sipfederationtls._tcp.";
/// Start of the owner name under which partners look for XMPP (RFC 6120 3.2).
const XMPP_SERVICE: &str = "_xmpp-server._tcp.";
/// Longest character-string of a TXT record (RFC 1035 3.3).
const MAX_TEXT_BYTES: usize = 255;

/// Where the records of each set stand, for checks that compare sets.
pub(crate) type RecordPlaces = BTreeMap<(String, RecordType), Vec<Span>>;

impl Resolver<'_> {
    pub(super) fn zones(&mut self) {
        self.topology.internal_zones = self.zones_of(ViewDocument::Internal);
        self.topology.zones = self.zones_of(ViewDocument::External);
    }

    fn zones_of(&mut self, view: ViewDocument) -> Vec<Zone> {
        let mut seen: BTreeMap<String, Span> = BTreeMap::new();
        let mut sound: Vec<&ZoneDocument> = Vec::new();
        let mut zones: Vec<Zone> = Vec::new();
        for zone in self.document.dns_zones.iter().filter(|zone| zone.view == view) {
            let Some(origin) = self.fqdn("DNS zone", &zone.origin) else { continue };
            if let Some(first) = seen.insert(origin.clone(), zone.origin.span) {
                self.report(self.duplicate("DNS zone", &zone.origin, first));
                continue;
            }
            if let Some(file) = &zone.file {
                if let Some(read) = self.zone_file(zone, &origin, file) {
                    zones.push(read);
                    sound.push(zone);
                }
                continue;
            }
            let soa = match &zone.soa {
                Some(soa) => self.soa(soa),
                None => {
                    let message = format!("the zone {} has no SOA data", quote(&origin));
                    self.report(
                        self.error("no-soa", zone.origin.span, message)
                            .hint("add `soa: { primary: ns1.contoso.com, responsible: hostmaster.contoso.com, serial: 1 }`"),
                    );
                    None
                }
            };
            let default_ttl = zone.ttl.as_ref().and_then(|ttl| self.ttl(ttl)).unwrap_or(DEFAULT_TTL_SECONDS);
            let (records, places) = self.records(zone, &origin, default_ttl);
            self.check_sets(&origin, &records, &places);
            if let Some(soa) = soa {
                zones.push(Zone { origin, soa, records });
                sound.push(zone);
            }
        }
        for (zone, document) in zones.iter().zip(sound) {
            self.check_services(zone, &zones, document);
        }
        zones
    }

    /// A zone that stands in a master file of its own.
    fn zone_file(&mut self, zone: &ZoneDocument, origin: &str, file: &Located<String>) -> Option<Zone> {
        if zone.soa.is_some() || zone.ttl.is_some() || !zone.records.is_empty() {
            let message = format!("the zone {} stands in a file and here too", quote(origin));
            self.report(
                self.error("zone-file-beside-records", file.span, message).hint("move `soa:`, `ttl:` and `records:` into the file"),
            );
            return None;
        }
        let source = match (self.files)(file) {
            Ok(bytes) => match Source::from_bytes(file.value.as_str(), &bytes) {
                Ok(source) => source,
                Err(problem) => {
                    self.report(*problem);
                    return None;
                }
            },
            Err(why) => {
                let message = format!("the zone file {} cannot be read: {why}", quote(&file.value));
                self.report(self.error("zone-file", file.span, message).hint("the path is relative to the topology file"));
                return None;
            }
        };
        let read = match read_master(&source, Some(origin)) {
            Ok(read) => read,
            Err(problems) => {
                self.diagnostics.extend(problems);
                return None;
            }
        };
        self.diagnostics.extend(read.warnings);
        if read.zone.origin != *origin {
            let message = format!("the file holds the zone {}, not {}", quote(&read.zone.origin), quote(origin));
            self.report(self.error("zone-file-of-another-zone", file.span, message).hint("correct `origin:`, or name the zone's own file"));
            return None;
        }
        Some(read.zone)
    }

    fn soa(&mut self, soa: &SoaDocument) -> Option<Soa> {
        let primary = self.fqdn("primary name server", &soa.primary);
        let responsible = if soa.responsible.contains('@') {
            let dotted = soa.responsible.replacen('@', ".", 1);
            let message = format!("the mailbox {} is written as a domain name", quote(&soa.responsible.value));
            self.report(self.error("bad-fqdn", soa.responsible.span, message).hint(format!("write {}", quote(&dotted))));
            None
        } else {
            self.fqdn("mailbox of the person responsible", &soa.responsible)
        };
        let mut seconds = |what, text: &Option<Located<DurationText>>, default| match text {
            Some(text) => self.seconds(what, text),
            None => Some(default),
        };
        let refresh = seconds("refresh time", &soa.refresh, 3_600);
        let retry = seconds("retry time", &soa.retry, 600);
        let expire = seconds("expiry time", &soa.expire, 604_800);
        let minimum = seconds("negative TTL", &soa.negative_ttl, 300);
        let ttl = match &soa.ttl {
            Some(ttl) => self.ttl(ttl),
            None => Some(DEFAULT_TTL_SECONDS),
        };
        Some(Soa {
            primary: primary?,
            responsible: responsible?,
            serial: soa.serial,
            refresh: refresh?,
            retry: retry?,
            expire: expire?,
            minimum: minimum?,
            ttl: ttl?,
        })
    }

    /// A TTL in seconds. Durations end at ten years, well within what DNS allows (2^31 - 1 seconds, RFC 2181 8).
    fn ttl(&mut self, text: &Located<DurationText>) -> Option<u32> {
        self.seconds("TTL", text)
    }

    fn records(
        &mut self,
        zone: &ZoneDocument,
        origin: &str,
        default_ttl: u32,
    ) -> (BTreeMap<(String, RecordType), RecordSet>, RecordPlaces) {
        let mut sets: BTreeMap<(String, RecordType), RecordSet> = BTreeMap::new();
        let mut places = RecordPlaces::new();
        for record in &zone.records {
            let ttl = match &record.ttl {
                Some(ttl) => self.ttl(ttl).unwrap_or(default_ttl),
                None => default_ttl,
            };
            let Some(owner) = self.owner_name(origin, &record.name) else { continue };
            let data = self.record_data(record);
            if record.count() == 0 {
                let message = format!("the record {} has no data", quote(&record.name.value));
                self.report(
                    self.error("empty-record", record.name.span, message).hint("add `a:`, `aaaa:`, `cname:`, `ns:`, `srv:` or `txt:`"),
                );
            }
            for (data, span) in data {
                let key = (owner.clone(), record_type(&data));
                let set = sets.entry(key.clone()).or_insert_with(|| RecordSet { ttl, data: Vec::new() });
                let before = places.entry(key.clone()).or_default();
                if set.ttl != ttl {
                    let place = record.ttl.as_ref().map_or(record.name.span, |ttl| ttl.span);
                    let message = format!("records of {} and one type have different TTLs, {}s and {ttl}s", quote(&owner), set.ttl);
                    let first = before.first().copied().unwrap_or(place);
                    self.report(
                        self.error("different-ttls", place, message)
                            .label(first, "first here")
                            .note("all records of one name and type share one TTL (RFC 2181 5.2)")
                            .hint("write them as one entry"),
                    );
                }
                if set.data.len() == MAX_RECORDS_OF_A_SET {
                    let message = format!("{} has more than {MAX_RECORDS_OF_A_SET} records of one type", quote(&owner));
                    self.report(self.error("limit", span, message).hint("answers of that size fit no DNS message"));
                    break;
                }
                if let Some(same) = set.data.iter().position(|known| *known == data) {
                    self.report(
                        self.warning("duplicate-record", span, format!("the same record of {} stands twice", quote(&owner)))
                            .label(before[same], "first here")
                            .hint("remove one"),
                    );
                    continue;
                }
                set.data.push(data);
                before.push(span);
            }
        }
        (sets, places)
    }

    /// The whole owner name of a record, or nothing after a diagnostic.
    fn owner_name(&mut self, origin: &str, name: &Located<String>) -> Option<String> {
        let lower = name.trim().to_ascii_lowercase();
        let (bare, is_absolute) = match lower.strip_suffix('.') {
            Some(bare) => (bare, true),
            None => (lower.as_str(), false),
        };
        if bare == "@" {
            return Some(whole_name(origin, name));
        }
        let checked = domain_labels(bare, LabelKind::Record);
        self.checked("bad-record-name", "a name for a record", name, checked)?;
        if is_within(bare, origin) {
            return Some(whole_name(origin, name));
        }
        // A dotted name that ends as the zone does (`.com`) was meant as a whole one, dot or not.
        let ends_alike = bare.contains('.') && bare.rsplit('.').next() == origin.rsplit('.').next();
        if is_absolute || ends_alike {
            let message = format!("the record {} is outside its zone {}", quote(&name.value), quote(origin));
            self.report(
                self.error("outside-zone", name.span, message).hint("move it to its own zone, or write a name relative to this one"),
            );
            return None;
        }
        let whole = whole_name(origin, name);
        let checked: Result<(), NameProblem> = domain_labels(&whole, LabelKind::Record);
        self.checked("bad-record-name", "a name for a record", name, checked)?;
        Some(whole)
    }

    /// The data of a record with its places. What cannot be read is reported and left out.
    fn record_data(&mut self, record: &RecordDocument) -> Vec<(RecordData, Span)> {
        let mut out = Vec::new();
        for text in &record.a {
            match text.trim().parse::<Ipv4Addr>() {
                Ok(address) => out.push((RecordData::A(address), text.span)),
                Err(_) => {
                    let is_v6 = text.trim().parse::<Ipv6Addr>().is_ok();
                    let hint = if is_v6 { "IPv6 addresses go under `aaaa:`" } else { "four numbers from 0 to 255, as in `203.0.113.11`" };
                    self.report(self.error("bad-address", text.span, format!("{} is not an IPv4 address", quote(&text.value))).hint(hint));
                }
            }
        }
        for text in &record.aaaa {
            match text.trim().parse::<Ipv6Addr>() {
                Ok(address) => out.push((RecordData::Aaaa(address), text.span)),
                Err(_) => {
                    let message = format!("{} is not an IPv6 address", quote(&text.value));
                    self.report(self.error("bad-address", text.span, message).hint("as in `2001:db8::11`"));
                }
            }
        }
        if let Some(name) = &record.cname
            && let Some(target) = self.target_name("target of the alias", name)
        {
            out.push((RecordData::Cname(target), name.span));
        }
        for name in &record.ns {
            if let Some(target) = self.target_name("name server", name) {
                out.push((RecordData::Ns(target), name.span));
            }
        }
        for srv in &record.srv {
            if let Some(data) = self.service(srv) {
                out.push((data, srv.target.span));
            }
        }
        for text in &record.txt {
            if text.len() > MAX_TEXT_BYTES {
                let message = format!("the text has {} bytes; DNS allows {MAX_TEXT_BYTES} in one", text.len());
                self.report(self.error("text-too-long", text.span, message).hint("split it over several entries of `txt:`"));
            } else {
                out.push((RecordData::Txt(text.value.clone()), text.span));
            }
        }
        out
    }

    fn service(&mut self, srv: &SrvDocument) -> Option<RecordData> {
        let target = match srv.target.trim() {
            "." => String::new(),
            _ => self.target_name("target of the service", &srv.target)?,
        };
        if srv.port.value == 0 && !target.is_empty() {
            self.report(
                self.error("bad-port", srv.port.span, "port 0 cannot be connected to")
                    .hint("5061 for SIP federation, 5269 for XMPP, 443 for clients"),
            );
        }
        Some(RecordData::Srv { priority: srv.priority.value, weight: srv.weight, port: srv.port.value, target })
    }

    /// A whole name that data point to; a final dot is allowed.
    fn target_name(&mut self, what: &str, name: &Located<String>) -> Option<String> {
        let bare = name.trim().strip_suffix('.').unwrap_or(name.trim());
        let checked = crate::names::fqdn(bare);
        self.checked("bad-fqdn", &format!("a valid name for the {what}"), name, checked)
    }

    /// An alias stands alone (RFC 1034 3.6.2), and never at the apex, where SOA data stand.
    fn check_sets(&mut self, origin: &str, records: &BTreeMap<(String, RecordType), RecordSet>, places: &RecordPlaces) {
        for ((owner, kind), set) in records {
            if *kind != RecordType::Cname {
                continue;
            }
            let place = places[&(owner.clone(), *kind)][0];
            if set.data.len() > 1 {
                let message = format!("{} is an alias for several names", quote(owner));
                self.report(
                    self.error("several-aliases", places[&(owner.clone(), *kind)][1], message)
                        .label(place, "first here")
                        .hint("keep one `cname:`"),
                );
            }
            if owner == origin {
                let message = format!("{} is the apex of the zone and cannot be an alias", quote(owner));
                self.report(self.error("alias-at-apex", place, message).hint("write `a:` with the addresses instead"));
            }
            let other = records.keys().find(|(name, other)| name == owner && *other != RecordType::Cname);
            if let Some(key) = other {
                let message = format!("{} is an alias and has other records too", quote(owner));
                self.report(
                    self.error("alias-beside-data", place, message)
                        .label(places[key][0], "other data here")
                        .note("nothing else may stand at an alias (RFC 1034 3.6.2)")
                        .hint("remove `cname:`, or the other data"),
                );
            }
        }
    }

    /// What the product and its partners make of service records.
    fn check_services(&mut self, zone: &Zone, zones: &[Zone], document: &ZoneDocument) {
        let mut services: BTreeMap<String, Vec<&SrvDocument>> = BTreeMap::new();
        for record in document.records.iter().filter(|record| !record.srv.is_empty()) {
            services.entry(whole_name(&zone.origin, &record.name)).or_default().extend(&record.srv);
        }
        for (owner, targets) in services {
            for srv in &targets {
                self.check_target(&owner, zones, srv);
            }
            if owner.starts_with(XMPP_SERVICE) {
                self.check_priorities(&targets);
            }
        }
    }

    fn check_priorities(&mut self, targets: &[&SrvDocument]) {
        let mut by_priority: BTreeMap<u16, &SrvDocument> = BTreeMap::new();
        for srv in targets {
            let Some(earlier) = by_priority.insert(srv.priority.value, srv) else { continue };
            self.report(
                self.warning("equal-priorities", srv.priority.span, "two XMPP targets have equal priority: partners use both at once")
                    .label(earlier.priority.span, "the same here")
                    .note("only one Edge pool handles XMPP at a time; partners that choose the other one fail, or loop")
                    .hint("give each Edge pool its own priority; the lowest number is tried first"),
            );
        }
    }

    fn check_target(&mut self, owner: &str, zones: &[Zone], srv: &SrvDocument) {
        let lower = srv.target.trim().to_ascii_lowercase();
        let target = lower.strip_suffix('.').unwrap_or(&lower);
        if target.is_empty() {
            return;
        }
        if let Some(domain) = owner.strip_prefix(FEDERATION_SERVICE)
            && !is_within(target, domain)
        {
            let message = format!("the target {} is not in the SIP domain {}", quote(target), quote(domain));
            self.report(
                self.warning("strict-domain-match", srv.target.span, message)
                    .note("partners accept a federation record only when its target is a host of the same domain (strict domain match)")
                    .hint(format!("point it to {}", quote(&format!("sip.{domain}")))),
            );
        }
        let Some(home) = zones.iter().find(|zone| is_within(target, &zone.origin)) else { return };
        let has = |kind| home.records.contains_key(&(target.to_owned(), kind));
        if has(RecordType::Cname) {
            let message = format!("the target {} is an alias", quote(target));
            self.report(
                self.warning("target-is-alias", srv.target.span, message)
                    .note("a service record's target must not be an alias (RFC 2782); some partners refuse it")
                    .hint("point it to the name that has the address"),
            );
        } else if !has(RecordType::A) && !has(RecordType::Aaaa) {
            let message = format!("the target {} has no address in the zone {}", quote(target), quote(&home.origin));
            self.report(self.warning("target-without-address", srv.target.span, message).hint("add a record with `a:` for it"));
        }
    }
}

/// The owner name of a record whose name has been found good.
pub(crate) fn whole_name(origin: &str, name: &str) -> String {
    let lower = name.trim().to_ascii_lowercase();
    let bare = lower.strip_suffix('.').unwrap_or(&lower);
    match bare {
        "@" => origin.to_owned(),
        _ if is_within(bare, origin) => bare.to_owned(),
        _ => format!("{bare}.{origin}"),
    }
}

/// Whether a name is a domain or below it.
fn is_within(name: &str, domain: &str) -> bool {
    name.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

fn record_type(data: &RecordData) -> RecordType {
    match data {
        RecordData::A(_) => RecordType::A,
        RecordData::Aaaa(_) => RecordType::Aaaa,
        RecordData::Cname(_) => RecordType::Cname,
        RecordData::Ns(_) => RecordType::Ns,
        RecordData::Srv { .. } => RecordType::Srv,
        RecordData::Txt(_) => RecordType::Txt,
    }
}
