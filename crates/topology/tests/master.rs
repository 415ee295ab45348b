//! Master files: what is read, what is said about what cannot be, and that nothing is lost on the way out and back.

use std::net::{Ipv4Addr, Ipv6Addr};

use firedrill_syntax::Source;
use firedrill_topology::master::{read_master, write_master};
use firedrill_topology::{RecordData, RecordSet, RecordType, Soa, Zone};
use proptest::prelude::*;
use rstest::rstest;

const EXPORT: &str = include_str!("../../../fixtures/zones/contoso.com.zone");
const SOA: &str = "$ORIGIN contoso.com.\n@ 1h IN SOA ns1 hostmaster 1 1h 10m 7d 5m\n@ NS ns1\n";

fn a(a: u8, b: u8, c: u8, d: u8) -> RecordData {
    RecordData::A(Ipv4Addr::new(a, b, c, d))
}

/// Notation by notation, against what RFC 1035 5.1 says each means.
#[test]
fn an_export_is_read_whole() {
    let read = read_master(&Source::new("contoso.com.zone", EXPORT), None).expect("a sound file");
    let zone = read.zone;
    assert_eq!(zone.origin, "contoso.com");
    let expected = Soa {
        primary: "ns1.contoso.com".into(),
        responsible: "hostmaster.contoso.com".into(),
        serial: 2_026_010_100,
        refresh: 3600,
        retry: 600,
        expire: 604_800,
        minimum: 300,
        ttl: 3600,
    };
    assert_eq!(zone.soa, expected);
    let set = |name: &str, kind| zone.records.get(&(name.to_owned(), kind)).unwrap_or_else(|| panic!("{name} {kind:?}"));
    let ns = |host: &str| RecordData::Ns(host.into());
    assert_eq!(set("contoso.com", RecordType::Ns).data, [ns("ns1.contoso.com"), ns("ns2.contoso.com")]);
    assert_eq!(set("ns2.contoso.com", RecordType::A).ttl, 300);
    let sip = RecordSet { ttl: 300, data: vec![a(203, 0, 113, 11), a(203, 0, 113, 12)] };
    // The TTL of the second record is $TTL's: the first one's counts for both, with a warning.
    assert_eq!(*set("sip.contoso.com", RecordType::A), sip);
    assert_eq!(set("sip2.contoso.com", RecordType::Aaaa).ttl, 300);
    let srv = |priority, port, target: &str| RecordData::Srv { priority, weight: 0, port, target: target.into() };
    let expected = [srv(10, 443, "sip.contoso.com"), srv(20, 443, "sip2.contoso.com")];
    assert_eq!(set("_sip._tls.contoso.com", RecordType::Srv).data, expected);
    assert_eq!(set("_h323cs._tcp.contoso.com", RecordType::Srv).data, [srv(0, 1720, "")]);
    let note = "a \"quoted\" text; with a semicolonand a second string";
    assert_eq!(set("note.contoso.com", RecordType::Txt).data, [RecordData::Txt(note.into())]);
    assert_eq!(set("sip.branch.contoso.com", RecordType::A).data, [a(203, 0, 113, 98)]);
    let warnings: Vec<&str> = read.warnings.iter().map(|warning| warning.message.as_str()).collect();
    assert_eq!(
        warnings,
        [
            "1 records of type MX are left out",
            "this record has a TTL of 3600s, others of its name and type have 300s, which counts",
            "the strings of this text are joined",
        ]
    );
}

/// What cannot be read is told with its line, column and one thing to do.
#[rstest]
#[case::address("sip A 203.0.113", "4:7", "not an IPv4 address")]
#[case::type_unknown("sip IN FOO bar", "4:8", "is not a type")]
#[case::parts("_s._tcp SRV 0 0 sip", "4:1", "have 3 parts")]
#[case::port("_s._tcp SRV 0 0 70000 sip", "4:17", "not a number from 0 to 65535")]
#[case::parenthesis("sip TXT ( \"a\"", "4:9", "never closed")]
#[case::closing("sip A ) 203.0.113.1", "4:7", "never opened")]
#[case::quote("sip TXT \"a", "4:9", "never closed")]
#[case::escape("sip TXT a\\999", "4:10", "above 255")]
#[case::class("sip CH A 203.0.113.1", "4:5", "class CH")]
#[case::ttl("sip 1y A 203.0.113.1", "4:5", "is not a TTL")]
#[case::ttl_too_long("sip 2147483648 A 203.0.113.1", "4:5", "is not a TTL")]
#[case::include("$INCLUDE other.zone", "4:1", "not read")]
#[case::generate("$GENERATE 1-9 h$ A 203.0.113.$", "4:1", "BIND's own")]
#[case::directive("$FOO 1", "4:1", "no directive")]
#[case::second_soa("@ SOA ns1 hostmaster 1 1 1 1 1", "4:1", "second SOA")]
#[case::alias_beside_data("x CNAME sip\nx A 203.0.113.1", "4:1", "alias")]
#[case::alias_at_the_apex("@ CNAME sip", "4:1", "alias")]
#[case::label("a..b A 203.0.113.1", "4:1", "not a name")]
#[case::long_text(&format!("t TXT {}", "x".repeat(256)), "4:7", "256 bytes")]
fn what_cannot_be_read(#[case] line: &str, #[case] place: &str, #[case] words: &str) {
    let source = Source::new("zone", format!("{SOA}{line}\n"));
    let problems = read_master(&source, None).expect_err(line);
    let [problem] = problems.as_slice() else { panic!("one problem: {problems:#?}") };
    assert!(problem.message.contains(words), "{}", problem.message);
    assert!(problem.hint.is_some(), "{}", problem.message);
    assert_eq!(problem.to_string().split(": ").next().map(|place| place.replacen("zone:", "", 1)).as_deref(), Some(place), "{problem}");
}

#[test]
fn a_file_without_soa_or_origin() {
    for (text, words) in [("", "no SOA record"), ("sip A 203.0.113.1\n", "relative"), (" A 203.0.113.1\n", "no owner")] {
        let problems = read_master(&Source::new("zone", text), None).expect_err(text);
        assert!(problems.iter().any(|problem| problem.message.contains(words)), "{problems:?}");
    }
}

/// `dnscmd /zoneexport` of Windows marks dynamic records.
#[test]
fn exports_of_windows() {
    let text = format!("{SOA}dyn [AGE:3578455] 600 A 203.0.113.7\n@ 0 WINS L1 ( 10.0.0.1 )\nwww.example.org. A 203.0.113.8\n");
    let read = read_master(&Source::new("zone", text), None).expect("a sound file");
    let set = RecordSet { ttl: 600, data: vec![a(203, 0, 113, 7)] };
    assert_eq!(read.zone.records.get(&("dyn.contoso.com".to_owned(), RecordType::A)), Some(&set));
    assert_eq!(read.zone.records.len(), 2);
    assert_eq!(read.warnings.len(), 2, "{:?}", read.warnings);
}

fn zone() -> impl Strategy<Value = Zone> {
    let name = prop::sample::select(vec!["", "sip.", "a.b.", "_s._tcp.", "*.dyn.", "x-1."]).prop_map(|start| format!("{start}contoso.com"));
    let target = prop::sample::select(vec!["contoso.com", "sip.contoso.com", "other.example"]).prop_map(str::to_owned);
    let data = prop_oneof![
        any::<u32>().prop_map(|bits| RecordData::A(bits.into())),
        any::<u128>().prop_map(|bits| RecordData::Aaaa(Ipv6Addr::from(bits))),
        target.clone().prop_map(RecordData::Ns),
        (any::<u16>(), any::<u16>(), any::<u16>(), prop_oneof![target, Just(String::new())])
            .prop_map(|(priority, weight, port, target)| RecordData::Srv { priority, weight, port, target }),
        any::<String>().prop_map(RecordData::Txt),
        "[ -~\u{e9}]{200,600}".prop_map(RecordData::Txt),
    ];
    let record = (name, 0u32..=i32::MAX as u32, data);
    (any::<u32>(), prop::collection::vec(record, 0..12)).prop_map(|(serial, records)| {
        let soa = Soa {
            primary: "ns1.contoso.com".into(),
            responsible: "hostmaster.contoso.com".into(),
            serial,
            refresh: 3600,
            retry: 600,
            expire: 86_400,
            minimum: 60,
            ttl: 900,
        };
        let mut zone = Zone { origin: "contoso.com".into(), soa, records: Default::default() };
        for (name, ttl, data) in records {
            let kind = match data {
                RecordData::A(_) => RecordType::A,
                RecordData::Aaaa(_) => RecordType::Aaaa,
                RecordData::Ns(_) => RecordType::Ns,
                RecordData::Srv { .. } => RecordType::Srv,
                _ => RecordType::Txt,
            };
            let set = zone.records.entry((name, kind)).or_insert(RecordSet { ttl, data: Vec::new() });
            if !set.data.contains(&data) {
                set.data.push(data);
            }
        }
        zone
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read_back(zone in zone()) {
        let text = write_master(&zone);
        let read = read_master(&Source::new("zone", &text), None);
        prop_assert_eq!(read.map(|read| read.zone).map_err(|problems| format!("{problems:?} in\n{text}")), Ok(zone));
    }

    #[test]
    fn any_text_ends_in_a_zone_or_in_problems(text in "[ -~\t\n()\";$@\\\\.]{0,200}") {
        let _ = read_master(&Source::new("zone", format!("{SOA}{text}")), None);
    }
}
