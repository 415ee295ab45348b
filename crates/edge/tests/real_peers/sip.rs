//! SIP programs that nobody here wrote: `openssl s_client` and `sipsak` over TLS, `sipp` through `socat` (Debian's has no TLS).

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use firedrill_dns::LoopbackBlock;
use firedrill_edge::{Authority, Content, Limits, Network, SipAsk, agree};
use firedrill_fabric::federation::{Direction, Protocol, ReachQuery};
use firedrill_fabric::seed::Seed;
use firedrill_fabric::{Change, Fabric, Fault, Options};
use firedrill_topology::{PoolId, load_bytes};
use rstest::rstest;
use tempfile::TempDir;

use crate::rig::{ANNA, Program, START, file, write};

/// How long a program may take. It is slow when the machine is busy.
const PATIENCE: Duration = Duration::from_secs(60);

/// Contoso with the stand-in of fabrikam.com, and files with certificates.
struct Rig {
    fabric: Fabric,
    network: Network,
    folder: TempDir,
}

impl Rig {
    async fn start() -> Self {
        Self::beside(&[]).await
    }

    /// With partners that programs play.
    async fn beside(real: &[&str]) -> Self {
        let loaded = load_bytes("contoso.yaml", include_bytes!("../../../../fixtures/contoso.yaml"));
        let fabric = Fabric::new(Arc::new(loaded.topology.expect("the fixture is valid")), Options { seed: 1, start: START });
        let real: Vec<_> = real.iter().map(|domain| fabric.topology().find_partner(domain).expect("a partner")).collect();
        let started = Network::start_beside(LoopbackBlock::take(), &fabric, Limits::default(), &real).await;
        let network = started.expect("the wire follows");
        let folder = tempfile::tempdir().expect("a folder");
        write(folder.path(), "ca.pem", network.authority_pem());
        let names = ["fabrikam.com".to_owned()];
        let stranger = Authority::new(Seed(99), fabric.certificate_dates(fabric.topology().edge_pools[0].servers[0].computer));
        let stranger = stranger.expect("authority");
        let shown =
            [("partner", network.issue(&names).expect("issued")), ("stranger", stranger.issue(&names, stranger.dates()).expect("issued"))];
        for (name, credentials) in shown {
            write(folder.path(), &format!("{name}.crt"), credentials.certificate_pem());
            write(folder.path(), &format!("{name}.key"), credentials.key_pem());
        }
        Self { fabric, network, folder }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    /// The Access Edge, where partners connect.
    fn edge(&self) -> SocketAddr {
        let wire = self.network.map().wire(Ipv4Addr::new(203, 0, 113, 11)).expect("mapped");
        self.network.map().endpoint(wire, 5061).expect("known")
    }

    /// Where the partner is, and a program of it may listen.
    fn partner(&self) -> Ipv4Addr {
        let partner = self.fabric.topology().find_partner("fabrikam.com").expect("a partner");
        self.network.partner_address(partner).expect("an address")
    }

    async fn strike(&mut self, fault: Fault) {
        self.fabric.apply(Change::Inject(fault)).expect("it strikes");
        self.network.follow(&self.fabric).await.expect("the wire follows");
    }
}

/// Runs a program to its end, without holding up the servers.
async fn run(command: Vec<String>, folder: &Path) -> Output {
    let folder = folder.to_owned();
    let running = tokio::task::spawn_blocking(move || {
        let mut program = Command::new(&command[0]);
        program.args(&command[1..]).current_dir(folder).stdin(Stdio::null()).output().expect("it runs")
    });
    tokio::time::timeout(PATIENCE, running).await.expect("bounded in time").expect("no panic")
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

fn options(domain: &str) -> String {
    format!(
        "OPTIONS sip:contoso.com SIP/2.0\r\nVia: SIP/2.0/TLS {domain};branch=z9hG4bK1\r\nMax-Forwards: 70\r\nFrom: <sip:probe@{domain}>;tag=1\r\n\
         To: <sip:contoso.com>\r\nCall-ID: 1@{domain}\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
    )
}

/// Talks through `openssl s_client`: what the server said, and what the program said about TLS.
async fn s_client(rig: &Rig, more: &str, say: String) -> (String, String) {
    let command = format!(
        "openssl s_client -quiet -connect {} -servername sip.contoso.com -verify_hostname sip.contoso.com -verify_return_error -CAfile {} {more}",
        rig.edge(),
        rig.path("ca.pem")
    );
    let talking = tokio::task::spawn_blocking(move || {
        let command = words(&command);
        let mut start = Command::new(&command[0]);
        start.args(&command[1..]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = start.spawn().expect("it starts");
        let mut input = child.stdin.take().expect("piped");
        // It may have ended already.
        let _said = input.write_all(say.as_bytes());
        let mut output = child.stdout.take().expect("piped");
        let (mut heard, mut chunk) = (Vec::new(), [0; 4096]);
        while let Ok(count @ 1..) = output.read(&mut chunk) {
            heard.extend_from_slice(&chunk[..count]);
            if heard.ends_with(b"\r\n\r\n") {
                break;
            }
        }
        drop(input);
        let _killed = child.kill();
        let mut about = String::new();
        child.stderr.take().expect("piped").read_to_string(&mut about).expect("UTF-8");
        let _ended = child.wait();
        (String::from_utf8_lossy(&heard).into_owned(), about)
    });
    tokio::time::timeout(PATIENCE, talking).await.expect("bounded in time").expect("no panic")
}

#[rstest]
#[case::tls_1_3("", "fabrikam.com", "SIP/2.0 200 OK\r\n")]
#[case::tls_1_2("-tls1_2", "fabrikam.com", "SIP/2.0 200 OK\r\n")]
#[case::certificate_of_another_domain("", "adatum.net", "SIP/2.0 403 Forbidden\r\n")]
#[tokio::test]
async fn openssl_with_a_certificate(#[case] version: &str, #[case] domain: &str, #[case] expected: &str) {
    let Some(_) = file("/usr/bin/openssl", "openssl") else { return };
    let rig = Rig::start().await;
    let shown = format!("{version} -cert {} -key {}", rig.path("partner.crt"), rig.path("partner.key"));
    let (heard, about) = s_client(&rig, &shown, options(domain)).await;
    assert!(heard.starts_with(expected), "{heard}\n{about}");
}

/// Whoever shows no certificate, or a stranger's, gets an alert and no answer.
#[rstest]
#[case::none("", "alert certificate required")]
#[case::none_in_tls_1_2("-tls1_2", "alert certificate required")]
#[case::a_strangers("-cert STRANGER.crt -key STRANGER.key", "alert decrypt error")]
#[tokio::test]
async fn openssl_without_a_good_certificate(#[case] shown: &str, #[case] alert: &str) {
    let Some(_) = file("/usr/bin/openssl", "openssl") else { return };
    let rig = Rig::start().await;
    let (heard, about) = s_client(&rig, &shown.replace("STRANGER", &rig.path("stranger")), options("fabrikam.com")).await;
    assert_eq!(heard, "");
    assert!(about.contains(alert), "{about}");
}

/// The Edge's certificate after its last day, in real time as well.
#[tokio::test]
async fn openssl_sees_an_expired_certificate() {
    let Some(_) = file("/usr/bin/openssl", "openssl") else { return };
    let mut rig = Rig::start().await;
    let edge = rig.fabric.topology().edge_pools[0].servers[0].computer;
    rig.strike(Fault::Certificate(edge)).await;
    let shown = format!("-cert {} -key {}", rig.path("partner.crt"), rig.path("partner.key"));
    let (heard, about) = s_client(&rig, &shown, options("fabrikam.com")).await;
    assert_eq!(heard, "");
    assert!(about.contains("certificate has expired"), "{about}");
}

async fn sipsak(rig: &Rig, transport: &str, server: SocketAddr, uri: &str) -> Output {
    let ca = rig.path("ca.pem");
    let command = format!("sipsak -vv --transport={transport} --tls-ca-cert={ca} --tls-ignore-cert-failure -p {server} -s {uri}");
    run(words(&command), rig.folder.path()).await
}

/// sipsak shows no certificate: registrars and the port for remote users answer it, the Access Edge's federation does not.
#[tokio::test]
async fn sipsak_over_tls() {
    let Some(_) = file("/usr/bin/sipsak", "sipsak") else { return };
    let mut rig = Rig::start().await;
    let registrar = rig.network.registrar(PoolId(1)).expect("listens");
    let said = sipsak(&rig, "tls", registrar, "sip:pool2.contoso.com").await;
    let text = String::from_utf8_lossy(&said.stdout).into_owned();
    assert!(said.status.success() && text.contains("SIP/2.0 200 OK"), "{said:?}");
    let federation = sipsak(&rig, "tls", rig.edge(), "sip:contoso.com").await;
    assert!(!federation.status.success() || !String::from_utf8_lossy(&federation.stdout).contains("SIP/2.0 200"), "{federation:?}");
    // SIP over TCP is refused at both.
    for server in [registrar, rig.edge()] {
        let bare = sipsak(&rig, "tcp", server, "sip:contoso.com").await;
        assert!(!String::from_utf8_lossy(&bare.stdout).contains("SIP/2.0 200") && !bare.status.success(), "{bare:?}");
    }
    rig.strike(Fault::Pool(PoolId(1))).await;
    let gone = sipsak(&rig, "tls", registrar, "sip:pool2.contoso.com").await;
    assert!(!gone.status.success(), "{gone:?}");
}

const HEAD: &str = "Via: SIP/2.0/[transport] fabrikam.com:[local_port];branch=[branch]\nMax-Forwards: 70\n\
    From: <sip:romeo@fabrikam.com>;tag=[pid]t[call_number]\nCall-ID: [call_id]\n";

/// OPTIONS for the domain.
fn sipp_options() -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"ISO-8859-1\" ?>\n<scenario name=\"options\">\n<send retrans=\"500\"><![CDATA[\n\
         OPTIONS sip:contoso.com SIP/2.0\n{HEAD}To: <sip:contoso.com>\nCSeq: 1 OPTIONS\nContent-Length: 0\n\n]]></send>\n\
         <recv response=\"200\"/>\n</scenario>\n"
    )
}

/// A session of instant messages with Anna; where it ends otherwise, with that answer.
fn sipp_session(expected: u16) -> String {
    let to = "To: <sip:anna@contoso.com>[peer_tag_param]\n";
    let offer = "v=0\no=- 0 0 IN IP4 192.0.2.1\ns=session\nc=IN IP4 192.0.2.1\nt=0 0\nm=message 5060 sip null\n";
    let begin = format!(
        "<?xml version=\"1.0\" encoding=\"ISO-8859-1\" ?>\n<scenario name=\"session\">\n<send><![CDATA[\nINVITE sip:anna@contoso.com SIP/2.0\n\
         {HEAD}To: <sip:anna@contoso.com>\nCSeq: 1 INVITE\nContact: <sip:romeo@fabrikam.com>\nContent-Type: application/sdp\n\
         Content-Length: [len]\n\n{offer}]]></send>\n"
    );
    let say = |method: &str, sequence: u32, more: &str| {
        format!("<send><![CDATA[\n{method} sip:anna@contoso.com SIP/2.0\n{HEAD}{to}[routes]\nCSeq: {sequence} {method}\n{more}]]></send>\n")
    };
    let empty = "Content-Length: 0\n\n";
    let rest = if expected == 200 {
        [
            "<recv response=\"180\"/>\n<recv response=\"200\" rrs=\"true\"/>\n".to_owned(),
            say("ACK", 1, empty),
            say("MESSAGE", 2, "Content-Type: text/plain\nContent-Length: [len]\n\nhello from sipp"),
            "<recv response=\"200\"/>\n".to_owned(),
            say("BYE", 3, empty),
            "<recv response=\"200\"/>\n".to_owned(),
        ]
        .concat()
    } else {
        format!("<recv response=\"{expected}\"/>\n{}", say("ACK", 1, empty))
    };
    begin + &rest + "</scenario>\n"
}

/// `socat` gives sipp the TLS that it lacks, with the partner's certificate.
async fn tunnel(rig: &Rig) -> (Program, SocketAddr) {
    let folder = tempfile::tempdir().expect("a folder");
    for name in ["ca.pem", "partner.crt", "partner.key"] {
        write(folder.path(), name, &std::fs::read_to_string(rig.folder.path().join(name)).expect("there"));
    }
    let entry = SocketAddr::from((rig.partner(), 15_999));
    let command = vec![
        "/usr/bin/socat".to_owned(),
        format!("TCP-LISTEN:{},bind={},fork,reuseaddr,nodelay", entry.port(), entry.ip()),
        format!("OPENSSL:{},cafile=ca.pem,cert=partner.crt,key=partner.key,commonname=sip.contoso.com,nodelay", rig.edge()),
    ];
    (Program::start(folder, command, &[], &[entry]).await, entry)
}

/// Runs a scenario of sipp a number of times, and tells what it said if one of them failed.
async fn sipp(rig: &Rig, entry: SocketAddr, scenario: &str, calls: u32) -> Result<(), String> {
    write(rig.folder.path(), "scenario.xml", scenario);
    let command = format!(
        "sipp {entry} -sf scenario.xml -t t1 -i {} -m {calls} -l 20 -r 100 -nostdin -timeout 50s -timeout_error -trace_err -error_file errors.log",
        rig.partner()
    );
    let begun = Instant::now();
    let said = run(words(&command), rig.folder.path()).await;
    if said.status.success() {
        return Ok(());
    }
    let errors = std::fs::read_to_string(rig.folder.path().join("errors.log")).unwrap_or_default();
    Err(format!("{:?} after {:?}\n{errors}\n{}", said.status, begun.elapsed(), String::from_utf8_lossy(&said.stderr)))
}

#[tokio::test]
async fn sipp_through_socat() {
    let (Some(_), Some(_)) = (file("/usr/bin/sipp", "sip-tester"), file("/usr/bin/socat", "socat")) else { return };
    let mut rig = Rig::start().await;
    let (_socat, entry) = tunnel(&rig).await;
    sipp(&rig, entry, &sipp_options(), 200).await.expect("200 OPTIONS answered");
    sipp(&rig, entry, &sipp_session(200), 50).await.expect("50 sessions");
    let heard = rig.network.mail().of(ANNA);
    assert_eq!(heard.len(), 50);
    assert!(heard.iter().all(|delivery| delivery.content == Content::Message("hello from sipp".to_owned())), "{:?}", heard[0]);
    rig.strike(Fault::Pool(PoolId(0))).await;
    sipp(&rig, entry, &sipp_session(504), 5).await.expect("the next hop is gone: 504");
}

/// The partner's server is sipp behind socat, which wants a certificate of the Edge and shows the partner's: a user of ours
/// reaches it through the site's route, and so does the question of reachability.
#[tokio::test]
async fn sipp_is_the_partner() {
    let (Some(_), Some(_)) = (file("/usr/bin/sipp", "sip-tester"), file("/usr/bin/socat", "socat")) else { return };
    let mut rig = Rig::beside(&["fabrikam.com"]).await;
    let folder = tempfile::tempdir().expect("a folder");
    let answer = "SIP/2.0 200 OK\n[last_Via:]\n[last_From:]\n[last_To:];tag=[pid]s[call_number]\n[last_Call-ID:]\n[last_CSeq:]\nContent-Length: 0\n\n";
    let scenario = format!(
        "<?xml version=\"1.0\" encoding=\"ISO-8859-1\" ?>\n<scenario name=\"answers\">\n<recv request=\"OPTIONS\"/>\n\
         <send><![CDATA[\n{answer}]]></send>\n</scenario>\n"
    );
    write(folder.path(), "scenario.xml", &scenario);
    let inner = SocketAddr::from((rig.partner(), 15_998));
    let command = words(&format!("/usr/bin/sipp -sf scenario.xml -t t1 -i {} -p {} -nostdin", inner.ip(), inner.port()));
    let _sipp = Program::start(folder, command, &[], &[inner]).await;
    let folder = tempfile::tempdir().expect("a folder");
    for name in ["ca.pem", "partner.crt", "partner.key"] {
        write(folder.path(), name, &std::fs::read_to_string(rig.folder.path().join(name)).expect("there"));
    }
    let outer = SocketAddr::from((rig.partner(), 5061));
    let listen = format!(
        "OPENSSL-LISTEN:{},bind={},fork,reuseaddr,cafile=ca.pem,cert=partner.crt,key=partner.key,verify=1,commonname=sip.contoso.com",
        outer.port(),
        outer.ip()
    );
    let _socat = Program::start(folder, vec!["/usr/bin/socat".to_owned(), listen, format!("TCP:{inner}")], &[], &[outer]).await;
    let asked = rig.network.sip(ANNA, "romeo@fabrikam.com", &SipAsk::Options, rig.fabric.now()).await;
    let outcome = asked.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(outcome.status, 200);
    let partner = rig.fabric.topology().find_partner("fabrikam.com").expect("a partner");
    let query = ReachQuery { partner, domain: "contoso.com".into(), protocol: Protocol::Sip, direction: Direction::Outbound };
    let model = rig.fabric.reach(&query);
    let wire = rig.network.reach(&query, rig.fabric.now()).await.unwrap_or_else(|error| panic!("{error}"));
    agree(&model, &wire).unwrap_or_else(|disagreement| panic!("{disagreement}"));
    assert_eq!(wire.failure, None);
}
