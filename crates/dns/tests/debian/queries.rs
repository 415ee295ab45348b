//! Questions and answers.

use rstest::rstest;

use crate::rig::{CONTOSO, Rig, program};

/// What dig prints must contain all of `expected`, in any order.
#[rstest]
#[case::address("sip.contoso.com A", &["status: NOERROR", "flags: qr aa rd;", "ANSWER: 2", "sip.contoso.com.\t300\tIN\tA\t127.0.0.11"])]
#[case::ipv6("sip.contoso.com AAAA", &["status: NOERROR", "ANSWER: 1"])]
#[case::case_of_the_asker("+noall +answer SiP.CoNtOsO.cOm A", &["SiP.CoNtOsO.cOm.\t300"])]
#[case::services_with_addresses("_xmpp-server._tcp.contoso.com SRV", &[
    "ANSWER: 2", "ADDITIONAL: 5", "10 0 5269 sip.contoso.com.", "20 0 5269 sip2.contoso.com.", "sip2.contoso.com.\t300\tIN\tA\t127.0.0.21",
])]
#[case::alias("alias.contoso.com A", &["alias.contoso.com.\t120\tIN\tCNAME\tsip.contoso.com.", "sip.contoso.com.\t300\tIN\tA\t127.0.0.12", "ANSWER: 3"])]
#[case::text("contoso.com TXT", &["\"v=spf1 -all\""])]
#[case::name_servers("contoso.com NS", &["contoso.com.\t\t3600\tIN\tNS\tns1.contoso.com.", "ns1.contoso.com.\t3600\tIN\tA\t127.0.0.53"])]
#[case::authority("contoso.com SOA", &["ns1.contoso.com. hostmaster.contoso.com. 7 3600 600 604800 300"])]
#[case::no_such_name("nobody.contoso.com A", &[
    "status: NXDOMAIN", "flags: qr aa rd;", "AUTHORITY: 1", "contoso.com.\t\t300\tIN\tSOA\tns1.contoso.com. hostmaster.contoso.com. 7",
])]
#[case::no_such_type("sip.contoso.com TXT", &["status: NOERROR", "ANSWER: 0", "AUTHORITY: 1", "contoso.com.\t\t300\tIN\tSOA"])]
#[case::empty_non_terminal("child.contoso.com A", &["status: NOERROR", "ANSWER: 0", "AUTHORITY: 1"])]
#[case::wildcard("a.b.dyn.contoso.com A", &["a.b.dyn.contoso.com.\t3600\tIN\tA\t127.0.0.99", "ANSWER: 1"])]
#[case::wildcard_without_the_type("a.dyn.contoso.com TXT", &["status: NOERROR", "ANSWER: 0", "AUTHORITY: 1"])]
#[case::referral("x.delegated.contoso.com A", &[
    "status: NOERROR", "flags: qr rd;", "ANSWER: 0", "delegated.contoso.com.\t3600\tIN\tNS\tns.delegated.contoso.com.", "IN\tA\t127.0.0.77",
])]
#[case::any_is_refused("contoso.com ANY", &["status: REFUSED"])]
#[case::any_over_tcp_too("+tcp contoso.com ANY", &["status: REFUSED"])]
#[case::other_class("-c CH version.bind TXT", &["status: REFUSED"])]
#[case::outside("www.example.org A", &["status: NXDOMAIN", "AUTHORITY: 1"])]
#[case::tcp("+tcp sip.contoso.com A", &["status: NOERROR", "ANSWER: 2", "(TCP)"])]
#[case::no_edns("+noedns sip.contoso.com A", &["ANSWER: 2", "ADDITIONAL: 0"])]
#[case::edns("sip.contoso.com A", &["EDNS: version: 0, flags:; udp: 1232"])]
#[case::edns_of_the_future("+edns=1 +noednsnegotiation sip.contoso.com A", &["status: BADVERS", "EDNS: version: 0"])]
#[case::edns_options_are_ignored("+nsid +cookie +subnet=192.0.2.0/24 sip.contoso.com A", &["status: NOERROR", "ANSWER: 2"])]
#[case::unknown_type("sip.contoso.com TYPE65400", &["status: NOERROR", "ANSWER: 0", "AUTHORITY: 1"])]
#[case::unknown_opcode("+opcode=2 sip.contoso.com A", &["status: NOTIMP"])]
#[case::notify_is_not_for_us("+opcode=4 contoso.com SOA", &["status: NOTIMP"])]
#[case::no_recursion_offered("+rec sip.contoso.com A", &["recursion requested but not available"])]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dig(#[case] words: &str, #[case] expected: &[&str]) {
    let rig = Rig::start(CONTOSO).await;
    let Some(said) = rig.dig(words).await else { return };
    for part in expected {
        assert!(said.contains(part), "`dig {words}` does not say {part:?}:\n{said}");
    }
    assert!(!said.contains("Warning") && !said.contains("malformed"), "{said}");
}

/// A set larger than a datagram: truncated over UDP, whole over TCP, to which dig goes by itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn truncation_and_the_way_over_tcp() {
    let addresses: Vec<String> = (0..150).map(|n| format!("127.1.0.{n}")).collect();
    let big =
        CONTOSO.replace("{ name: sip2, ttl: 5m, a: [127.0.0.21] }", &format!("{{ name: sip2, ttl: 5m, a: [{}] }}", addresses.join(", ")));
    let rig = Rig::start(&big).await;
    for (words, expected) in [
        ("+ignore sip2.contoso.com A", vec!["flags: qr aa tc rd;", "ANSWER: 0"]),
        ("sip2.contoso.com A", vec!["ANSWER: 150", "(TCP)"]),
        ("+bufsize=4096 +ignore sip2.contoso.com A", vec!["flags: qr aa tc rd;"]),
        // The additional section is left out before anything is truncated (RFC 2181 9).
        ("+noedns +ignore _xmpp-server._tcp.contoso.com SRV", vec!["flags: qr aa rd;", "ANSWER: 2", "ADDITIONAL: 0"]),
    ] {
        let Some(said) = rig.dig(words).await else { return };
        for part in expected {
            assert!(said.contains(part), "`dig {words}` does not say {part:?}:\n{said}");
        }
    }
}

#[rstest]
#[case::kdig("kdig", "knot-dnsutils", "@127.0.0.1 -p PORT +time=5 _xmpp-server._tcp.contoso.com SRV", &["status: NOERROR", "ADDITIONAL: 4", "sip2.contoso.com."])]
#[case::kdig_tcp("kdig", "knot-dnsutils", "@127.0.0.1 -p PORT +tcp nobody.contoso.com A", &["status: NXDOMAIN", "hostmaster.contoso.com."])]
#[case::kdig_any("kdig", "knot-dnsutils", "@127.0.0.1 -p PORT contoso.com ANY", &["status: REFUSED"])]
#[case::drill("drill", "ldnsutils", "-p PORT @127.0.0.1 alias.contoso.com A", &["rcode: NOERROR", "sip.contoso.com.\t300\tIN\tA\t127.0.0.12"])]
#[case::drill_tcp("drill", "ldnsutils", "-t -p PORT @127.0.0.1 sip.contoso.com TXT", &["rcode: NOERROR", "ANSWER: 0", "SOA\tns1.contoso.com."])]
#[case::drill_srv("drill", "ldnsutils", "-p PORT @127.0.0.1 _xmpp-server._tcp.contoso.com SRV", &["10 0 5269 sip.contoso.com.", "ADDITIONAL: 4"])]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn others(#[case] name: &str, #[case] package: &str, #[case] words: &str, #[case] expected: &[&str]) {
    let Some(program) = program(name, package) else { return };
    let rig = Rig::start(CONTOSO).await;
    let arguments = words.replace("PORT", &rig.port()).split(' ').map(str::to_owned).collect();
    let (said, _) = rig.run(program, arguments, String::new()).await;
    for part in expected {
        assert!(said.contains(part), "`{name} {words}` does not say {part:?}:\n{said}");
    }
}
