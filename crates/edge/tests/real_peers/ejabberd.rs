//! ejabberd (Debian: ejabberd, libnss-wrapper).

use std::net::SocketAddr;

use firedrill_edge::{Authority, Method};
use firedrill_fabric::config::XmppAllowedPartner;
use firedrill_fabric::federation::Direction;
use firedrill_fabric::seed::Seed;
use rstest::rstest;

use crate::client::Client;
use crate::procedures::Record;
use crate::rig::{Program, Rig, file, write};

/// Starts ejabberd. Its SRV look-ups go to our server, through Erlang; its address look-ups go through the C library, which
/// knows /etc alone: a wrapped one reads a file of ours instead.
async fn start(rig: &Rig, trusted: bool) -> Option<Program> {
    let erl = file("/usr/bin/erl", "ejabberd")?;
    file("/usr/sbin/ejabberdctl", "ejabberd")?;
    let wrapper = file("/usr/lib/x86_64-linux-gnu/libnss_wrapper.so:/usr/lib/aarch64-linux-gnu/libnss_wrapper.so", "libnss-wrapper")?;
    let libraries = wrapper.parent().expect("a folder").display().to_string();
    let folder = tempfile::tempdir().expect("a folder");
    let names = ["fabrikam.net".to_owned(), "xmpp.fabrikam.net".to_owned()];
    let credentials = if trusted {
        rig.network.issue(&names).expect("issued")
    } else {
        let dates = rig.fabric.certificate_dates(rig.computer("edgeserver1a"));
        Authority::new(Seed(99), dates).expect("authority").issue(&names, dates).expect("issued")
    };
    write(folder.path(), "certs/ca.pem", rig.network.authority_pem());
    write(folder.path(), "certs/own.pem", &format!("{}{}", credentials.certificate_pem(), credentials.key_pem()));
    let hosts: String = rig.hosts().iter().map(|(address, name)| format!("{address} {name}\n")).collect();
    write(folder.path(), "hosts", &format!("127.0.0.1 localhost\n{hosts}"));
    let resolver = rig.network.dns().address();
    let SocketAddr::V4(v4) = resolver else { panic!("IPv4") };
    let [a, b, c, d] = v4.ip().octets();
    write(
        folder.path(),
        "inetrc",
        &format!("{{resolv_conf,\"\"}}.\n{{hosts_file,\"\"}}.\n{{lookup,[dns]}}.\n{{nameserver,{{{a},{b},{c},{d}}},{}}}.\n", v4.port()),
    );
    let (here, address) = (folder.path().display(), rig.address());
    let configuration = format!(
        r#"
hosts: [fabrikam.net]
loglevel: debug
certfiles: [{here}/certs/own.pem]
ca_file: {here}/certs/ca.pem
s2s_cafile: {here}/certs/ca.pem
s2s_use_starttls: required
s2s_max_retry_delay: 1
auth_method: [anonymous]
anonymous_protocol: login_anon
listen:
  - {{ port: 5222, ip: {address}, module: ejabberd_c2s, starttls: false }}
  - {{ port: 5269, ip: {address}, module: ejabberd_s2s_in }}
modules:
  mod_disco: {{}}
  mod_ping: {{}}
  mod_s2s_dialback: {{}}
"#
    );
    write(folder.path(), "ejabberd.yml", &configuration);
    write(folder.path(), "mnesia/.keep", "");
    let mnesia = format!("\"{here}/mnesia\"");
    let command = [erl.display().to_string().as_str(), "-noinput", "-noshell", "-mnesia", "dir", &mnesia, "-s", "ejabberd"]
        .map(str::to_owned)
        .to_vec();
    let environment = [
        ("ERL_LIBS", libraries),
        ("ERL_INETRC", format!("{here}/inetrc")),
        ("ERL_CRASH_DUMP_SECONDS", "0".to_owned()),
        ("EJABBERD_CONFIG_PATH", format!("{here}/ejabberd.yml")),
        ("EJABBERD_LOG_PATH", format!("{here}/ejabberd.log")),
        ("LD_PRELOAD", wrapper.display().to_string()),
        ("NSS_WRAPPER_HOSTS", format!("{here}/hosts")),
    ];
    let ports = [SocketAddr::from((address, 5269)), rig.clients()];
    Some(Program::start(folder, command, &environment, &ports).await)
}

fn settings(trusted: bool) -> fn(&mut XmppAllowedPartner) {
    if trusted { |_| () } else { |partner| partner.sasl_negotiation = "Optional".into() }
}

#[rstest]
#[case::certificates(true, Method::External)]
#[case::dialback(false, Method::Dialback)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_each_way(#[case] trusted: bool, #[case] method: Method) {
    let mut rig = Rig::start(settings(trusted)).await;
    let Some(_program) = start(&rig, trusted).await else { return };
    let mut romeo = Client::sign_in(rig.clients(), "romeo", "fabrikam.net", "any").await;
    rig.exchange(&mut romeo, "hello").await;
    assert_eq!(rig.methods(Direction::Inbound), [(method, true)]);
    assert_eq!(rig.methods(Direction::Outbound), [(method, true)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_to_the_other_edge_pool_and_back() {
    let mut rig = Rig::start(settings(true)).await;
    let Some(_program) = start(&rig, true).await else { return };
    let mut romeo = Client::sign_in(rig.clients(), "romeo", "fabrikam.net", "any").await;
    // Addresses of hosts come from a file here, so the operator changes the service record.
    rig.disaster(&mut romeo, Record::Service).await;
}
