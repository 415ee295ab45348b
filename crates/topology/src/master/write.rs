//! From a zone to a master file.

use std::fmt::Write as _;

use crate::model::{RecordData, Zone};

/// Longest string of a text (RFC 1035 3.3).
const STRING_MAX: usize = 255;

/// A zone as a master file that name servers take, with relative owners in the order of names, the apex first. Reading it
/// gives the same zone.
pub fn write_master(zone: &Zone) -> String {
    let soa = &zone.soa;
    let mut out = format!("$ORIGIN {}.\n", zone.origin);
    // Writing into a text cannot fail.
    let _ = writeln!(
        out,
        "@ {} IN SOA {}. {}. (\n    {} ; serial\n    {} ; refresh\n    {} ; retry\n    {} ; expire\n    {} ) ; negative TTL",
        soa.ttl, soa.primary, soa.responsible, soa.serial, soa.refresh, soa.retry, soa.expire, soa.minimum
    );
    let mut sets: Vec<_> = zone.records.iter().collect();
    sets.sort_by_key(|((owner, _), _)| *owner != zone.origin);
    for ((owner, _), set) in sets {
        let relative = owner.strip_suffix(zone.origin.as_str()).and_then(|rest| rest.strip_suffix('.'));
        let owner = relative.unwrap_or("@");
        for data in &set.data {
            let _ = writeln!(out, "{owner} {} IN {}", set.ttl, data_text(data));
        }
    }
    out
}

fn data_text(data: &RecordData) -> String {
    match data {
        RecordData::A(address) => format!("A {address}"),
        RecordData::Aaaa(address) => format!("AAAA {address}"),
        RecordData::Cname(name) => format!("CNAME {name}."),
        RecordData::Ns(name) => format!("NS {name}."),
        RecordData::Srv { priority, weight, port, target } => format!("SRV {priority} {weight} {port} {target}."),
        RecordData::Txt(text) if text.is_empty() => "TXT \"\"".to_owned(),
        RecordData::Txt(text) => {
            let strings: Vec<String> = text.as_bytes().chunks(STRING_MAX).map(quoted).collect();
            format!("TXT {}", strings.join(" "))
        }
    }
}

fn quoted(bytes: &[u8]) -> String {
    let mut text = String::from("\"");
    for byte in bytes {
        match byte {
            b'"' | b'\\' => {
                text.push('\\');
                text.push(char::from(*byte));
            }
            b' '..=b'~' => text.push(char::from(*byte)),
            other => {
                let _ = write!(text, "\\{other:03}");
            }
        }
    }
    text.push('"');
    text
}
