//! A fabric on the wire in which fabrikam.net is played by a program outside.

use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use firedrill_dns::LoopbackBlock;
use firedrill_edge::{Content, Delivery, Limits, Method, Network};
use firedrill_fabric::config::XmppAllowedPartner;
use firedrill_fabric::fault::DnsEdit;
use firedrill_fabric::federation::Direction;
use firedrill_fabric::{Caller, Fabric, Options, SimDuration, SimTime};
use firedrill_topology::{ComputerId, EdgePoolId, PartnerId, RecordData, RecordType, load_bytes};

/// 2026-01-01. Certificates are valid for five years on both sides, which is what the real servers' clocks need.
pub(crate) const START: SimTime = SimTime(1_767_225_600_000_000_000);

pub(crate) const XMPP: &str = "_xmpp-server._tcp.contoso.com";
pub(crate) const ANNA: &str = "anna@contoso.com";
pub(crate) const ROMEO: &str = "romeo@fabrikam.net";

/// Zone of the partner, as its own DNS has it.
const PARTNER_ZONE: &str = "
  - origin: fabrikam.net
    ttl: 2s
    soa: { primary: ns1.contoso.com, responsible: hostmaster.fabrikam.net, serial: 1, negative_ttl: 1s }
    records:
      - { name: '@', ns: [ns1.contoso.com] }
      - { name: xmpp, a: [192.0.2.80] }
      - { name: _xmpp-server._tcp, srv: [{ priority: 0, port: 5269, target: xmpp.fabrikam.net }] }

users:
";

pub(crate) struct Rig {
    pub(crate) fabric: Fabric,
    pub(crate) network: Network,
    pub(crate) partner: PartnerId,
}

impl Rig {
    /// Contoso with a TTL of two seconds and one XMPP record, and these settings of its partner.
    pub(crate) async fn start(settings: impl FnOnce(&mut XmppAllowedPartner)) -> Self {
        let contoso = include_str!("../../../../fixtures/contoso.yaml");
        let text = contoso
            .replace("ttl: 1h", "ttl: 2s")
            .replace("          - { priority: 20, port: 5269, target: xmpp2.contoso.com }\n", "")
            .replace("\nusers:\n", PARTNER_ZONE);
        let loaded = load_bytes("contoso.yaml", text.as_bytes());
        let topology = Arc::new(loaded.topology.expect("the topology is valid"));
        let partner = topology.find_partner("fabrikam.net").expect("a partner");
        let mut fabric = Fabric::new(topology, Options { seed: 1, start: START });
        let mut set = XmppAllowedPartner { partner_type: "Federated".into(), ..XmppAllowedPartner::with_defaults("fabrikam.net".into()) };
        settings(&mut set);
        let caller = Caller { computer: fabric.topology().find_computer("pool1-fe1").expect("a Front End") };
        let edited = fabric.edit_configuration(caller, |configuration| {
            configuration.xmpp_partners.insert("fabrikam.net".to_owned(), set);
            Ok(())
        });
        edited.expect("the store takes it");
        let mut rig = Self { network: Self::wire(&fabric, partner).await, fabric, partner };
        rig.wait(1800).await;
        rig
    }

    async fn wire(fabric: &Fabric, partner: PartnerId) -> Network {
        let started = Network::start_beside(LoopbackBlock::take(), fabric, Limits::default(), &[partner]).await;
        started.expect("the wire follows")
    }

    pub(crate) fn caller(&self, name: &str) -> Caller {
        Caller { computer: self.computer(name) }
    }

    pub(crate) fn computer(&self, name: &str) -> ComputerId {
        self.fabric.topology().find_computer(name).expect("a computer")
    }

    /// Lets virtual time run, and the wire follow.
    pub(crate) async fn wait(&mut self, seconds: i64) {
        let until = self.fabric.now() + SimDuration::from_secs(seconds);
        self.fabric.advance_to(until).expect("time runs");
        self.follow().await;
    }

    pub(crate) async fn follow(&mut self) {
        self.network.follow(&self.fabric).await.expect("the wire follows");
    }

    pub(crate) fn edit_dns(&mut self, name: &str, record_type: RecordType, data: Vec<RecordData>) {
        let edit = DnsEdit::Replace { name: name.to_owned(), record_type, ttl: Some(2), data };
        self.fabric.edit_dns(&edit).expect("the zone takes it");
    }

    /// Where the program must listen.
    pub(crate) fn address(&self) -> Ipv4Addr {
        self.network.partner_address(self.partner).expect("an address")
    }

    pub(crate) fn clients(&self) -> SocketAddr {
        SocketAddr::from((self.address(), 5222))
    }

    /// The loopback address of an Edge Server.
    pub(crate) fn edge(&self, external: [u8; 4]) -> Ipv4Addr {
        self.network.map().wire(Ipv4Addr::from(external)).expect("mapped")
    }

    /// Waits until Anna has got a message, and says through which Edge pool.
    pub(crate) async fn anna_gets(&self, body: &str) -> EdgePoolId {
        let wanted = Content::Message(body.to_owned());
        let waiting = self.network.mail().wait_for(ANNA, |delivery| delivery.content == wanted);
        let arrived = tokio::time::timeout(Duration::from_secs(30), waiting).await;
        self.edge_pool_of(&arrived.unwrap_or_else(|_| panic!("`{body}` did not arrive; streams: {:#?}", self.network.streams())))
    }

    /// The Edge pool through which a message has come, if it has.
    pub(crate) fn anna_got(&self, body: &str) -> Option<EdgePoolId> {
        let wanted = Content::Message(body.to_owned());
        self.network.mail().of(ANNA).iter().find(|delivery| delivery.content == wanted).map(|delivery| self.edge_pool_of(delivery))
    }

    fn edge_pool_of(&self, delivery: &Delivery) -> EdgePoolId {
        let via = delivery.via.expect("through an Edge Server");
        let topology = self.fabric.topology();
        let has = |edge_pool: &EdgePoolId| topology.edge_pool(*edge_pool).servers.iter().any(|server| server.computer == via);
        topology.edge_pool_ids().find(has).expect("of an Edge pool")
    }

    /// How streams were authenticated, by direction.
    pub(crate) fn methods(&self, direction: Direction) -> Vec<(Method, bool)> {
        let of = self.network.streams().into_iter().filter(|record| record.direction == direction);
        let mut methods: Vec<_> = of.map(|record| (record.method, record.secured)).collect();
        methods.sort();
        methods.dedup();
        methods
    }
}

/// Finds a program of Debian, or says that it is missing and how to get it.
pub(crate) fn file(path: &str, package: &str) -> Option<PathBuf> {
    let folders = path.split(':').map(PathBuf::from);
    let found = folders.into_iter().find(|file| file.exists());
    if found.is_none() {
        let message = format!("{path} is not there: its tests are passed over (Debian: apt-get install {package})");
        assert!(std::env::var_os("FIREDRILL_REQUIRE_DEBIAN").is_none(), "{message}");
        // Written past the capture of the test harness: nobody is to think that they ran.
        let _closed = writeln!(std::io::stderr(), "skipped: {message}");
    }
    found
}

/// A program that ends with the test.
pub(crate) struct Program {
    child: Child,
    log: PathBuf,
    pub(crate) folder: tempfile::TempDir,
}

impl Program {
    /// Starts a program as nobody in particular, and waits until it listens.
    pub(crate) async fn start(
        folder: tempfile::TempDir,
        mut command: Vec<String>,
        environment: &[(&str, String)],
        ports: &[SocketAddr],
    ) -> Self {
        open_to_all(folder.path());
        if is_root() {
            let drop = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
            command = drop.iter().map(ToString::to_string).chain(command).collect();
        }
        let log = folder.path().join("output.log");
        let output = std::fs::File::create(&log).expect("a log");
        let errors = output.try_clone().expect("a log");
        let mut start = Command::new(&command[0]);
        start.args(&command[1..]).stdin(Stdio::null()).stdout(output).stderr(errors).current_dir(folder.path());
        start.env("HOME", folder.path()).envs(environment.iter().map(|(name, value)| (name, value)));
        let child = start.spawn().expect("it starts");
        let mut program = Self { child, log, folder };
        for port in ports {
            program.wait_for(*port).await;
        }
        program
    }

    async fn wait_for(&mut self, port: SocketAddr) {
        let begun = Instant::now();
        while tokio::net::TcpStream::connect(port).await.is_err() {
            let ended = self.child.try_wait().expect("it can be watched");
            assert!(ended.is_none(), "it ended at once: {}", self.log());
            assert!(begun.elapsed() < Duration::from_secs(60), "{port} does not listen: {}", self.log());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// What it said.
    pub(crate) fn log(&self) -> String {
        let mut text = String::from_utf8_lossy(&std::fs::read(&self.log).unwrap_or_default()).into_owned();
        for more in ["prosody.log", "ejabberd.log"] {
            text.push_str(&String::from_utf8_lossy(&std::fs::read(self.folder.path().join(more)).unwrap_or_default()));
        }
        text
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the program said:\n{}", self.log());
        }
        // It may have ended by itself.
        let _killed = self.child.kill();
        let _ended = self.child.wait();
    }
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0)
}

/// Lets whoever the program runs as read and write.
fn open_to_all(folder: &Path) {
    let everything = |path: &Path, mode| std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("permissions");
    everything(folder, 0o777);
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() { open_to_all(&path) } else { everything(&path, 0o644) }
    }
}

/// Writes a file, with the folders that lead to it.
pub(crate) fn write(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("folders");
    std::fs::write(path, text).expect("written");
}
