//! Zone transfers.

use crate::rig::{CONTOSO, Rig, SECRET, program};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transfer_brings_the_whole_zone_to_those_who_may_have_it() {
    let rig = Rig::start(CONTOSO).await;
    let key = format!("-y hmac-sha1:readers.contoso.com:{SECRET}");
    let wrong = format!("-y hmac-sha256:ops.contoso.com:{SECRET}");
    for (words, expected) in [
        (
            "contoso.com AXFR".to_owned(),
            vec!["XFR size: 16 records", "_xmpp-server._tcp.contoso.com. 3600 IN\tSRV\t20 0 5269 sip2.contoso.com."],
        ),
        ("-b 127.0.0.2 contoso.com AXFR".to_owned(), vec!["Transfer failed."]),
        (format!("-b 127.0.0.2 {key} contoso.com AXFR"), vec!["XFR size: 16 records", "hmac-sha1"]),
        (format!("-b 127.0.0.2 {wrong} contoso.com AXFR"), vec!["Transfer failed."]),
        ("nowhere.test AXFR".to_owned(), vec!["Transfer failed."]),
        // RFC 1995 4: the whole zone is an answer to IXFR too; the SOA alone when there is nothing new.
        ("contoso.com IXFR=1".to_owned(), vec!["XFR size: 16 records"]),
        ("contoso.com IXFR=7".to_owned(), vec!["XFR size: 1 records"]),
    ] {
        let Some(said) = rig.dig(&words).await else { return };
        for part in expected {
            assert!(said.contains(part), "`dig {words}` does not say {part:?}:\n{said}");
        }
        assert!(!said.contains("WARNING"), "{said}");
    }
}

/// 20,000 records are more than one message holds (hickory-dns issue 351); each message of a signed transfer is signed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_zone_travels_in_many_messages() {
    let first_zone = &CONTOSO[..CONTOSO.find("\n  - origin: contoso.test").expect("the second zone")];
    let hosts: String = (0..10_000).map(|n| format!("\n      - {{ name: n{n}, a: [127.3.0.1], txt: [X] }}")).collect();
    let text = format!("{first_zone}{hosts}\n");
    let rig = Rig::start(&text).await;
    let key = format!("-y hmac-sha1:readers.contoso.com:{SECRET}");
    for words in ["contoso.com AXFR".to_owned(), format!("{key} contoso.com AXFR")] {
        let Some(said) = rig.dig(&words).await else { return };
        let end = said.lines().rev().take(8).collect::<Vec<_>>().join("\n");
        assert!(said.contains("XFR size: 20016 records"), "{end}");
    }
    let Some(kdig) = program("kdig", "knot-dnsutils") else { return };
    let words = format!("@127.0.0.1 -p {} {key} contoso.com AXFR", rig.port());
    let (said, _) = rig.run(kdig, words.split(' ').map(str::to_owned).collect(), String::new()).await;
    let end = said.lines().rev().take(8).collect::<Vec<_>>().join("\n");
    assert!(said.contains(" 20016 records)"), "{end}");
}
