//! From entries to a zone.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use firedrill_syntax::{Diagnostic, Diagnostics, Source, Span, quote};

use super::MasterFile;
use super::lex::{Entry, Token, entries};
use crate::limits::{MAX_RECORDS, MAX_RECORDS_OF_A_SET};
use crate::model::{RecordData, RecordSet, RecordType, Soa, Zone};
use crate::names::{LabelKind, domain_labels};

/// Types that zones of real servers hold and the model's do not.
const LEFT_OUT: &[&str] = &[
    "MX",
    "PTR",
    "CAA",
    "HINFO",
    "RP",
    "AFSDB",
    "NAPTR",
    "DNAME",
    "DS",
    "DNSKEY",
    "RRSIG",
    "NSEC",
    "NSEC3",
    "NSEC3PARAM",
    "CDS",
    "CDNSKEY",
    "SSHFP",
    "TLSA",
    "SMIMEA",
    "OPENPGPKEY",
    "SPF",
    "LOC",
    "URI",
    "HTTPS",
    "SVCB",
    "CERT",
    "DHCID",
    "APL",
    "IPSECKEY",
    "KEY",
    "SIG",
    "WKS",
    "X25",
    "ISDN",
    "RT",
    "NSAP",
    "PX",
    "KX",
    "EUI48",
    "EUI64",
    "ZONEMD",
    "CSYNC",
    "TKEY",
    "WINS",
    "WINSR",
    "WINS-R",
    "MB",
    "MG",
    "MR",
    "MINFO",
];
/// Largest TTL (RFC 2181 8).
const TTL_MAX: u32 = i32::MAX as u32;

/// Reads a master file. `origin` is the apex when the file does not say it by `$ORIGIN` or by a whole name at its SOA
/// record.
///
/// # Errors
/// All problems found, with their places; those of notation end at the first.
pub fn read_master(source: &Arc<Source>, origin: Option<&str>) -> Result<MasterFile, Vec<Diagnostic>> {
    let entries = entries(source).map_err(|problem| vec![problem])?;
    let given = origin.map(|origin| origin.trim().trim_end_matches('.').to_ascii_lowercase());
    let mut reader = Reader {
        source,
        problems: Diagnostics::new(),
        origin: given.clone(),
        owner: None,
        default_ttl: None,
        last_ttl: None,
        soa: None,
        records: Vec::new(),
        left_out: BTreeMap::new(),
    };
    for entry in &entries {
        if reader.problems.is_full() {
            break;
        }
        reader.entry(entry);
    }
    reader.finish()
}

struct Reader<'s> {
    source: &'s Arc<Source>,
    problems: Diagnostics,
    origin: Option<String>,
    owner: Option<String>,
    default_ttl: Option<u32>,
    last_ttl: Option<u32>,
    soa: Option<(String, Soa, Span)>,
    records: Vec<(String, Option<u32>, RecordData, Span)>,
    /// By type: the first place, and how many.
    left_out: BTreeMap<String, (Span, usize)>,
}

impl Reader<'_> {
    fn error(&mut self, span: Span, message: impl Into<String>, hint: impl Into<String>) {
        self.problems.push(Diagnostic::error("bad-master-file", self.source, span, message).hint(hint));
    }

    fn warn(&mut self, span: Span, message: impl Into<String>, hint: impl Into<String>) {
        self.problems.push(Diagnostic::warning("master-file", self.source, span, message).hint(hint));
    }

    fn entry(&mut self, entry: &Entry) {
        let first = &entry.tokens[0];
        if !entry.blank_owner && !first.quoted && first.bytes.first() == Some(&(b'$', false)) {
            return self.directive(entry);
        }
        let mut rest = entry.tokens.as_slice();
        if !entry.blank_owner {
            // A name that is not good leaves its record out.
            self.owner = self.name(first, LabelKind::Record);
            rest = &rest[1..];
            if self.owner.is_none() {
                return;
            }
        }
        let Some(owner) = self.owner.clone() else {
            return self.error(entry.span, "this record has no owner: no name stands before it", "write its name at the start of the line");
        };
        let Some((ttl, rest)) = self.ttl_and_class(rest) else { return };
        let Some((kind, data)) = rest.split_first() else {
            return self.error(entry.span, "this record has no type", "as in `sip 300 IN A 203.0.113.11`");
        };
        self.last_ttl = ttl.or(self.last_ttl);
        let ttl = ttl.or(self.default_ttl).or(self.last_ttl);
        self.record(owner, ttl, kind, data, entry.span);
    }

    fn directive(&mut self, entry: &Entry) {
        let name = entry.tokens[0].text().to_ascii_uppercase();
        let argument = entry.tokens.get(1);
        match (name.as_str(), argument) {
            ("$ORIGIN", Some(argument)) => {
                if let Some(origin) = self.name(argument, LabelKind::Record) {
                    self.origin = Some(origin);
                }
            }
            ("$TTL", Some(argument)) => match ttl_of(&argument.text()) {
                Some(ttl) => self.default_ttl = Some(ttl),
                None => self.bad_ttl(argument),
            },
            ("$ORIGIN" | "$TTL", None) => {
                self.error(entry.span, format!("{name} says nothing"), format!("as in `{name} contoso.com.` or `$TTL 1h`"))
            }
            ("$INCLUDE", _) => self.error(entry.span, "other files are not read from a master file", "put the records of that file here"),
            ("$GENERATE", _) => self.error(
                entry.span,
                "$GENERATE is BIND's own and is not read",
                "`named-compilezone -o - ZONE FILE` writes the records out",
            ),
            _ => self.error(entry.span, format!("there is no directive {}", quote(&name)), "$ORIGIN and $TTL are known"),
        }
    }

    /// TTL and class in either order, both of them optional; and the marks of Windows DNS.
    fn ttl_and_class<'t>(&mut self, mut rest: &'t [Token]) -> Option<(Option<u32>, &'t [Token])> {
        let mut found = None;
        while let Some((token, after)) = rest.split_first() {
            let text = token.text();
            let upper = text.to_ascii_uppercase();
            if upper == "IN" || upper.starts_with("[AGE:") {
                rest = after;
            } else if matches!(upper.as_str(), "CH" | "CHAOS" | "HS" | "CS") {
                self.error(token.span, format!("records of class {upper} are not served"), "write IN, or remove the record");
                return None;
            } else if found.is_none() && text.starts_with(|c: char| c.is_ascii_digit()) {
                let Some(ttl) = ttl_of(&text) else {
                    self.bad_ttl(token);
                    return None;
                };
                found = Some(ttl);
                rest = after;
            } else {
                break;
            }
        }
        Some((found, rest))
    }

    fn bad_ttl(&mut self, token: &Token) {
        let message = format!("{} is not a TTL", quote(&token.text()));
        self.error(token.span, message, "seconds up to 2147483647, or with units, as in `1h30m`");
    }

    fn record(&mut self, owner: String, ttl: Option<u32>, kind: &Token, data: &[Token], span: Span) {
        let kind_text = kind.text().to_ascii_uppercase();
        let numbered = kind_text.strip_prefix("TYPE").is_some_and(|number| number.parse::<u16>().is_ok());
        if numbered || LEFT_OUT.contains(&kind_text.as_str()) {
            self.left_out.entry(kind_text).or_insert((kind.span, 0)).1 += 1;
            return;
        }
        let wanted = |count: usize| data.len() == count;
        let data = match kind_text.as_str() {
            "SOA" if wanted(7) => return self.soa(owner, ttl, data, span),
            "A" if wanted(1) => self.parsed::<Ipv4Addr>(&data[0], "an IPv4 address", "four numbers from 0 to 255").map(RecordData::A),
            "AAAA" if wanted(1) => self.parsed::<Ipv6Addr>(&data[0], "an IPv6 address", "as in `2001:db8::11`").map(RecordData::Aaaa),
            "CNAME" if wanted(1) => self.name(&data[0], LabelKind::Record).map(RecordData::Cname),
            "NS" if wanted(1) => self.name(&data[0], LabelKind::Record).map(RecordData::Ns),
            "SRV" if wanted(4) => self.srv(data),
            "TXT" if !data.is_empty() => self.text(data),
            "SOA" | "A" | "AAAA" | "CNAME" | "NS" | "SRV" | "TXT" => {
                let message = format!("the data of this {kind_text} record have {} parts", data.len());
                return self.error(span, message, form_of(&kind_text));
            }
            _ => {
                let message = format!("{} is not a type", quote(&kind.text()));
                return self.error(kind.span, message, "the order is: name, TTL, class, type, data");
            }
        };
        if let Some(data) = data {
            self.records.push((owner, ttl, data, span));
        }
    }

    fn soa(&mut self, owner: String, ttl: Option<u32>, data: &[Token], span: Span) {
        if let Some((_, _, first)) = &self.soa {
            let problem = Diagnostic::error("bad-master-file", self.source, span, "the file has a second SOA record");
            self.problems.push(problem.label(*first, "first here").hint("one file holds one zone: remove one"));
            return;
        }
        let names = (self.name(&data[0], LabelKind::Record), self.name(&data[1], LabelKind::Record));
        let serial = self.parsed::<u32>(&data[2], "a serial", "a number up to 4294967295");
        let mut times = Vec::new();
        for token in &data[3..] {
            match ttl_of(&token.text()) {
                Some(time) => times.push(time),
                None => self.bad_ttl(token),
            }
        }
        let ((Some(primary), Some(responsible)), Some(serial), [refresh, retry, expire, minimum]) = (names, serial, times.as_slice())
        else {
            return;
        };
        let (refresh, retry, expire, minimum) = (*refresh, *retry, *expire, *minimum);
        // RFC 1035 5.1 leaves the TTL of a first record without any to the SOA's minimum.
        let ttl = ttl.unwrap_or(minimum);
        self.soa = Some((owner, Soa { primary, responsible, serial, refresh, retry, expire, minimum, ttl }, span));
    }

    fn srv(&mut self, data: &[Token]) -> Option<RecordData> {
        let number =
            |reader: &mut Self, token: &Token| reader.parsed::<u16>(token, "a number from 0 to 65535", "priority, weight and port");
        let (priority, weight, port) = (number(self, &data[0]), number(self, &data[1]), number(self, &data[2]));
        let target = if data[3].text() == "." { Some(String::new()) } else { self.name(&data[3], LabelKind::Record) };
        Some(RecordData::Srv { priority: priority?, weight: weight?, port: port?, target: target? })
    }

    fn text(&mut self, data: &[Token]) -> Option<RecordData> {
        let mut bytes = Vec::new();
        for (index, token) in data.iter().enumerate() {
            if token.bytes.len() > 255 {
                self.error(
                    token.span,
                    format!("this text has {} bytes; DNS allows 255 in one", token.bytes.len()),
                    "split it into several",
                );
                return None;
            }
            // The model keeps one text, which travels as strings of 255 bytes.
            if index + 1 < data.len() && token.bytes.len() != 255 {
                self.warn(token.span, "the strings of this text are joined", "readers of TXT records join them too (RFC 7208 3.3)");
            }
            bytes.extend(token.bytes.iter().map(|(byte, _)| *byte));
        }
        match String::from_utf8(bytes) {
            Ok(text) => Some(RecordData::Txt(text)),
            Err(_) => {
                self.error(data[0].span, "this text is not UTF-8", "the model keeps texts, not bytes");
                None
            }
        }
    }

    fn parsed<T: std::str::FromStr>(&mut self, token: &Token, what: &str, hint: &str) -> Option<T> {
        let value = token.text().parse().ok();
        if value.is_none() {
            self.error(token.span, format!("{} is not {what}", quote(&token.text())), hint);
        }
        value
    }

    /// A whole name, lower case, without the final dot.
    fn name(&mut self, token: &Token, kind: LabelKind) -> Option<String> {
        if token.bytes.iter().any(|(byte, escaped)| *escaped && matches!(byte, b'.' | b'@'))
            || !token.bytes.iter().all(|(byte, _)| byte.is_ascii())
        {
            let message = format!("the name {} has bytes that the model's names cannot hold", quote(&token.text()));
            self.error(token.span, message, "letters, digits, `-`, `_` and `*` are held");
            return None;
        }
        let lower = token.text().to_ascii_lowercase();
        let whole = match (lower.as_str(), lower.strip_suffix('.'), &self.origin) {
            ("@", _, Some(origin)) => origin.clone(),
            (_, Some(whole), _) => whole.to_owned(),
            (relative, None, Some(origin)) if relative != "@" => format!("{relative}.{origin}"),
            _ => {
                let hint = "write `$ORIGIN contoso.com.` at the top, or whole names with a final dot";
                self.error(token.span, format!("{} is relative, and to what is not said", quote(&token.text())), hint);
                return None;
            }
        };
        match domain_labels(&whole, kind) {
            Ok(()) => Some(whole),
            Err(problem) => {
                let message = format!("{} is not a name: {}", quote(&whole), problem.reason);
                self.error(token.span, message, "parts of 1 to 63 letters, digits, `-` and `_` between dots");
                None
            }
        }
    }

    fn finish(mut self) -> Result<MasterFile, Vec<Diagnostic>> {
        for (kind, (span, count)) in std::mem::take(&mut self.left_out) {
            let message = format!("{count} records of type {kind} are left out");
            self.warn(span, message, "a rehearsal holds A, AAAA, CNAME, NS, SRV and TXT records");
        }
        let Some((origin, soa, place)) = self.soa.take() else {
            self.error(
                Span::at(0),
                "the file has no SOA record",
                "a master file starts with one: `@ IN SOA ns1 hostmaster 1 1h 10m 7d 5m`",
            );
            return Err(self.problems.into_vec());
        };
        let mut zone = Zone { origin, soa, records: BTreeMap::new() };
        let records = std::mem::take(&mut self.records);
        if records.len() > MAX_RECORDS {
            self.error(
                place,
                format!("the file has {} records; the limit is {MAX_RECORDS}", records.len()),
                "leave out what no rehearsal asks for",
            );
            return Err(self.problems.into_vec());
        }
        let mut places: BTreeMap<(String, RecordType), Span> = BTreeMap::new();
        for (owner, ttl, data, span) in records {
            self.put(&mut zone, &mut places, owner, ttl, data, span);
        }
        for ((owner, kind), span) in places.iter().filter(|((_, kind), _)| *kind == RecordType::Cname) {
            let other = places.keys().any(|(name, other)| name == owner && other != kind);
            let several = zone.records.get(&(owner.clone(), *kind)).is_some_and(|set| set.data.len() > 1);
            if other || several || *owner == zone.origin {
                let message = format!("{} is an alias and has other records too", quote(owner));
                self.error(*span, message, "nothing else may stand at an alias, nor an alias at the apex (RFC 1034 3.6.2)");
            }
        }
        if !zone.records.contains_key(&(zone.origin.clone(), RecordType::Ns)) {
            self.warn(place, format!("the zone {} has no name servers", quote(&zone.origin)), "add `@ IN NS ns1`");
        }
        if self.problems.has_errors() { Err(self.problems.into_vec()) } else { Ok(MasterFile { zone, warnings: self.problems.into_vec() }) }
    }

    fn put(
        &mut self,
        zone: &mut Zone,
        places: &mut BTreeMap<(String, RecordType), Span>,
        owner: String,
        ttl: Option<u32>,
        data: RecordData,
        span: Span,
    ) {
        if !owner.strip_suffix(zone.origin.as_str()).is_some_and(|rest| rest.is_empty() || rest.ends_with('.')) {
            let message = format!("{} is outside the zone {} and left out", quote(&owner), quote(&zone.origin));
            return self.warn(span, message, "name servers ignore it too; give it a zone of its own");
        }
        let ttl = ttl.unwrap_or(zone.soa.minimum);
        let key = (owner, record_type(&data));
        places.entry(key.clone()).or_insert(span);
        let set = zone.records.entry(key).or_insert_with(|| RecordSet { ttl, data: Vec::new() });
        if set.ttl != ttl {
            let message = format!("this record has a TTL of {ttl}s, others of its name and type have {}s, which counts", set.ttl);
            self.warn(span, message, "all records of one name and type share one TTL (RFC 2181 5.2)");
        }
        if set.data.len() == MAX_RECORDS_OF_A_SET {
            return self.error(
                span,
                format!("there are more than {MAX_RECORDS_OF_A_SET} records of this name and type"),
                "no message holds them",
            );
        }
        if !set.data.contains(&data) {
            set.data.push(data);
        }
    }
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

fn form_of(kind: &str) -> &'static str {
    match kind {
        "SOA" => "as in `ns1 hostmaster 1 1h 10m 7d 5m`, over several lines in parentheses",
        "SRV" => "priority, weight, port and target, as in `10 0 5269 xmpp`",
        "TXT" => "one text or several, in quotes",
        "CNAME" | "NS" => "one name",
        _ => "one address",
    }
}

/// Seconds, or a sum of weeks, days, hours, minutes and seconds as BIND writes them (`1w2d`, `1h30m`).
fn ttl_of(text: &str) -> Option<u32> {
    let mut total = 0u32;
    let mut number: Option<u32> = None;
    for byte in text.bytes() {
        if byte.is_ascii_digit() {
            number = Some(number.unwrap_or(0).checked_mul(10)?.checked_add(u32::from(byte - b'0'))?);
            continue;
        }
        let unit = match byte.to_ascii_lowercase() {
            b's' => 1,
            b'm' => 60,
            b'h' => 3_600,
            b'd' => 86_400,
            b'w' => 604_800,
            _ => return None,
        };
        total = total.checked_add(number.take()?.checked_mul(unit)?)?;
    }
    let total = total.checked_add(number.unwrap_or(0))?;
    (!text.is_empty() && total <= TTL_MAX).then_some(total)
}
