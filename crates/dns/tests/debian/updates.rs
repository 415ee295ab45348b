//! Dynamic updates by nsupdate (RFC 2136).

use firedrill_topology::RecordType;
use rstest::rstest;

use crate::rig::{CONTOSO, Rig, SECRET, program};

const OPS: &str = "hmac-sha256:ops.contoso.com";

/// Sends a script from an address, signed when there is a key; what nsupdate says.
async fn nsupdate(rig: &Rig, from: &str, key: Option<&str>, script: &str) -> Option<String> {
    let program = program("nsupdate", "dnsutils")?;
    let key = key.map(|key| format!("key {key} {SECRET}\n")).unwrap_or_default();
    let input = format!("server 127.0.0.1 {}\nlocal {from}\nzone contoso.com\n{key}{script}\nsend\n", rig.port());
    Some(rig.run(program, vec!["-t".into(), "5".into()], input).await.0)
}

/// Prerequisites and changes from the address that may, with what nsupdate says and whether the zone changed.
#[rstest]
#[case::add("update add new.contoso.com 60 A 127.0.0.5", "", 1)]
#[case::add_what_is_there("update add sip2.contoso.com 300 A 127.0.0.21", "", 0)]
#[case::delete_a_set("update delete sip.contoso.com A", "", 1)]
#[case::delete_a_record("update delete sip.contoso.com A 127.0.0.11", "", 1)]
#[case::delete_what_is_not_there("update delete nobody.contoso.com A", "", 0)]
#[case::delete_a_name("update delete sip.contoso.com", "", 1)]
#[case::replace("update delete sip2.contoso.com A\nupdate add sip2.contoso.com 60 A 127.0.0.22", "", 1)]
#[case::the_apex_keeps_soa_and_ns("update delete contoso.com", "", 1)]
#[case::the_last_ns_stays("update delete contoso.com NS ns1.contoso.com", "", 0)]
#[case::an_alias_beside_data_is_left_out("update add sip.contoso.com 60 CNAME sip2.contoso.com", "", 0)]
#[case::an_alias_replaces_an_alias("update add alias.contoso.com 60 CNAME sip2.contoso.com", "", 1)]
#[case::a_type_that_is_not_modelled("update add contoso.com 60 MX 10 mail.contoso.com", "REFUSED", 0)]
#[case::outside_the_zone("update add www.example.org 60 A 127.0.0.5", "NOTZONE", 0)]
#[case::name_in_use("prereq yxdomain sip.contoso.com\nupdate add x.contoso.com 60 A 127.0.0.5", "", 1)]
#[case::name_in_use_fails("prereq yxdomain nobody.contoso.com\nupdate add x.contoso.com 60 A 127.0.0.5", "NXDOMAIN", 0)]
#[case::name_not_in_use("prereq nxdomain nobody.contoso.com\nupdate add x.contoso.com 60 A 127.0.0.5", "", 1)]
#[case::name_not_in_use_fails("prereq nxdomain sip.contoso.com\nupdate add x.contoso.com 60 A 127.0.0.5", "YXDOMAIN", 0)]
#[case::set_exists("prereq yxrrset sip.contoso.com A\nupdate add x.contoso.com 60 A 127.0.0.5", "", 1)]
#[case::set_exists_fails("prereq yxrrset sip.contoso.com TXT\nupdate add x.contoso.com 60 A 127.0.0.5", "NXRRSET", 0)]
#[case::set_does_not_exist("prereq nxrrset sip.contoso.com TXT\nupdate add x.contoso.com 60 A 127.0.0.5", "", 1)]
#[case::set_does_not_exist_fails("prereq nxrrset sip.contoso.com A\nupdate add x.contoso.com 60 A 127.0.0.5", "YXRRSET", 0)]
#[case::set_is(
    "prereq yxrrset sip.contoso.com A 127.0.0.12\nprereq yxrrset sip.contoso.com A 127.0.0.11\nupdate add x.contoso.com 60 A 127.0.0.5",
    "",
    1
)]
#[case::set_is_fails_on_a_part("prereq yxrrset sip.contoso.com A 127.0.0.11\nupdate add x.contoso.com 60 A 127.0.0.5", "NXRRSET", 0)]
#[case::set_of_a_type_never_held("prereq yxrrset contoso.com MX\nupdate add x.contoso.com 60 A 127.0.0.5", "NXRRSET", 0)]
#[case::srv("update add _sip._tls.contoso.com 60 SRV 10 0 443 sip.contoso.com.", "", 1)]
#[case::txt("update add note.contoso.com 60 TXT \"two words\"", "", 1)]
#[case::all_or_nothing("update add a.contoso.com 60 A 127.0.0.5\nupdate add www.example.org 60 A 127.0.0.6", "NOTZONE", 0)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn conditions_and_changes(#[case] script: &str, #[case] error: &str, #[case] risen: u32) {
    let rig = Rig::start(CONTOSO).await;
    let Some(said) = nsupdate(&rig, "127.0.0.7", None, script).await else { return };
    if error.is_empty() {
        assert_eq!(said, "", "{script}");
    } else {
        assert!(said.contains(error), "{script}: {said}");
    }
    assert_eq!(rig.serial(), 7 + risen, "{script}");
    let events = rig.updates();
    let [(by, what, outcome, serial)] = events.as_slice() else { panic!("one event: {events:?}") };
    assert_eq!((by.as_str(), *serial), ("127.0.0.7", 7 + risen));
    let expected = if error.is_empty() { if risen == 1 { "accepted" } else { "no change" } } else { "refused: " };
    assert!(outcome.starts_with(expected), "{what}: {outcome}");
    assert_eq!(rig.has("contoso.com", RecordType::Ns), Some((3600, 1)), "the apex keeps its name servers");
}

#[rstest]
#[case::key("127.0.0.1", Some(OPS), "", "key ops.contoso.com at 127.0.0.1", "accepted")]
#[case::other_algorithm("127.0.0.1", Some("hmac-sha512:sha512.contoso.com"), "", "key sha512.contoso.com at 127.0.0.1", "accepted")]
#[case::address("127.0.0.7", None, "", "127.0.0.7", "accepted")]
#[case::nobody("127.0.0.1", None, "REFUSED", "127.0.0.1", "refused: it is not signed")]
#[case::key_that_may_not(
    "127.0.0.1",
    Some("hmac-sha1:readers.contoso.com"),
    "REFUSED",
    "key readers.contoso.com at 127.0.0.1",
    "refused: the key readers.contoso.com may not update"
)]
#[case::unknown_key(
    "127.0.0.1",
    Some("hmac-sha256:ghost"),
    "BADKEY",
    "unknown key ghost at 127.0.0.1",
    "refused: the key ghost is not known"
)]
#[case::algorithm_of_another_key(
    "127.0.0.1",
    Some("hmac-sha1:ops.contoso.com"),
    "BADKEY",
    "unknown key ops.contoso.com at 127.0.0.1",
    "refused: the key ops.contoso.com is not known"
)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_may(#[case] from: &str, #[case] key: Option<&str>, #[case] error: &str, #[case] by: &str, #[case] outcome: &str) {
    let rig = Rig::start(CONTOSO).await;
    let Some(said) = nsupdate(&rig, from, key, "update add new.contoso.com 60 A 127.0.0.5").await else { return };
    assert!(if error.is_empty() { said.is_empty() } else { said.contains(error) }, "{said}");
    let accepted = error.is_empty();
    assert_eq!(rig.has("new.contoso.com", RecordType::A), accepted.then_some((60, 1)));
    let serial = if accepted { 8 } else { 7 };
    let what = "add new.contoso.com 60 A 127.0.0.5".to_owned();
    assert_eq!(rig.updates(), [(by.to_owned(), what, outcome.to_owned(), serial)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_secret_is_told_and_logged() {
    let Some(program) = program("nsupdate", "dnsutils") else { return };
    let rig = Rig::start(CONTOSO).await;
    let input = format!(
        "server 127.0.0.1 {}\nzone contoso.com\nkey {OPS} d3Jvbmcgc2VjcmV0IHdyb25nIHNlY3JldA==\nupdate delete sip.contoso.com\nsend\n",
        rig.port()
    );
    let (said, _) = rig.run(program, Vec::new(), input).await;
    assert!(said.contains("BADSIG"), "{said}");
    let events = rig.updates();
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].2, "refused: the signature with the key ops.contoso.com is not good");
    assert_eq!(rig.serial(), 7);
}

/// Without `zone`, nsupdate asks for the SOA record first and wants the answer signed; large updates go over TCP.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nsupdate_finds_the_zone_by_itself_and_large_updates_come_over_tcp() {
    let Some(program) = program("nsupdate", "dnsutils") else { return };
    let rig = Rig::start(CONTOSO).await;
    let adds: Vec<String> = (0..400).map(|n| format!("update add h{n}.deep.contoso.com 60 A 127.2.{}.{}", n / 250, n % 250)).collect();
    let input = format!("server 127.0.0.1 {}\nkey {OPS} {SECRET}\n{}\nsend\n", rig.port(), adds.join("\n"));
    let (said, well) = rig.run(program, Vec::new(), input).await;
    assert!(well && said.is_empty(), "{said}");
    assert_eq!(rig.serial(), 8, "one update, one serial");
    let Some(said) = rig.dig("h399.deep.contoso.com A").await else { return };
    assert!(said.contains("127.2.1.149"), "{said}");
}
