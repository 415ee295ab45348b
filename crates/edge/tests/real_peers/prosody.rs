//! Prosody (Debian: prosody, lua-unbound).

use std::net::SocketAddr;

use firedrill_edge::{Authority, Method};
use firedrill_fabric::config::XmppAllowedPartner;
use firedrill_fabric::federation::Direction;
use firedrill_fabric::seed::Seed;
use rstest::rstest;

use crate::client::Client;
use crate::procedures::Record;
use crate::rig::{Program, Rig, file, write};

/// How the servers come to believe each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trust {
    /// Certificates of the fabric's authority on both sides.
    Certificates,
    /// TLS with a certificate of another authority: Server Dialback.
    DialbackOverTls,
    /// No TLS at all: Server Dialback.
    DialbackOverTcp,
}

async fn start(rig: &Rig, trust: Trust) -> Option<Program> {
    let program = file("/usr/bin/prosody:/usr/local/bin/prosody", "prosody")?;
    // Without it Prosody asks /etc/resolv.conf and port 53.
    file(
        "/usr/share/lua/5.4/lunbound.lua:/usr/lib/x86_64-linux-gnu/lua/5.4/lunbound.so:/usr/lib/aarch64-linux-gnu/lua/5.4/lunbound.so",
        "lua-unbound",
    )?;
    let folder = tempfile::tempdir().expect("a folder");
    let names = ["fabrikam.net".to_owned(), "xmpp.fabrikam.net".to_owned()];
    let credentials = match trust {
        Trust::Certificates => rig.network.issue(&names).expect("issued"),
        Trust::DialbackOverTls | Trust::DialbackOverTcp => {
            let dates = rig.fabric.certificate_dates(rig.computer("edgeserver1a"));
            Authority::new(Seed(99), dates).expect("authority").issue(&names, dates).expect("issued")
        }
    };
    write(folder.path(), "certs/ca.pem", rig.network.authority_pem());
    write(folder.path(), "certs/fabrikam.net.crt", credentials.certificate_pem());
    write(folder.path(), "certs/fabrikam.net.key", credentials.key_pem());
    write(folder.path(), "data/fabrikam%2enet/accounts/romeo.dat", "return { [\"password\"] = \"montague\"; };\n");
    let here = folder.path().display();
    let (secure, encrypted, tls) = match trust {
        Trust::Certificates => (true, true, "\"tls\""),
        Trust::DialbackOverTls => (false, true, "\"tls\""),
        Trust::DialbackOverTcp => (false, false, ""),
    };
    let resolver = rig.network.dns().address();
    let configuration = format!(
        r#"
pidfile = "{here}/prosody.pid"
data_path = "{here}/data"
admin_socket = "{here}/prosody.sock"
certificates = "{here}/certs"
interfaces = {{ "{address}" }}
s2s_interfaces = {{ "{address}" }}
c2s_interfaces = {{ "{address}" }}
http_ports = {{}}
https_ports = {{}}
unbound = {{
  resolvconf = false; hoststxt = false;
  forward = "{ip}@{port}";
  options = {{ ["module-config:"] = "iterator"; ["cache-max-negative-ttl:"] = "0"; ["do-not-query-localhost:"] = "no"; }};
}}
modules_enabled = {{ "roster"; "saslauth"; "disco"; "presence"; "message"; "iq"; "ping"; "s2s"; "dialback"; "s2s_auth_certs"; {tls} }}
modules_disabled = {{ "offline"; "posix" }}
authentication = "internal_plain"
c2s_require_encryption = false
allow_unencrypted_plain_auth = true
s2s_require_encryption = {encrypted}
s2s_secure_auth = {secure}
ssl = {{ cafile = "{here}/certs/ca.pem"; capath = false; }}
log = {{ {{ levels = {{ min = "debug" }}; to = "file"; filename = "{here}/prosody.log"; }} }}
VirtualHost "fabrikam.net"
"#,
        address = rig.address(),
        ip = resolver.ip(),
        port = resolver.port(),
    );
    write(folder.path(), "prosody.cfg.lua", &configuration);
    let command = vec![program.display().to_string(), "--config".into(), format!("{here}/prosody.cfg.lua"), "-F".into()];
    let ports = [SocketAddr::from((rig.address(), 5269)), rig.clients()];
    Some(Program::start(folder, command, &[], &ports).await)
}

fn settings(trust: Trust) -> fn(&mut XmppAllowedPartner) {
    match trust {
        Trust::Certificates => |_| (),
        Trust::DialbackOverTls => |partner| partner.sasl_negotiation = "Optional".into(),
        Trust::DialbackOverTcp => |partner| {
            partner.tls_negotiation = "NotSupported".into();
            partner.sasl_negotiation = "NotSupported".into();
        },
    }
}

#[rstest]
#[case::certificates(Trust::Certificates, (Method::External, true))]
#[case::dialback_over_tls(Trust::DialbackOverTls, (Method::Dialback, true))]
#[case::dialback_over_tcp(Trust::DialbackOverTcp, (Method::Dialback, false))]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_each_way(#[case] trust: Trust, #[case] method: (Method, bool)) {
    let mut rig = Rig::start(settings(trust)).await;
    let Some(_program) = start(&rig, trust).await else { return };
    let mut romeo = Client::sign_in(rig.clients(), "romeo", "fabrikam.net", "montague").await;
    rig.exchange(&mut romeo, "hello").await;
    assert_eq!(rig.methods(Direction::Inbound), [method]);
    assert_eq!(rig.methods(Direction::Outbound), [method]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_to_the_other_edge_pool_and_back() {
    let mut rig = Rig::start(settings(Trust::Certificates)).await;
    let Some(_program) = start(&rig, Trust::Certificates).await else { return };
    let mut romeo = Client::sign_in(rig.clients(), "romeo", "fabrikam.net", "montague").await;
    rig.disaster(&mut romeo, Record::Address).await;
}
