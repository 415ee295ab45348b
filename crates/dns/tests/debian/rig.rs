//! A fabric on the wire, and the programs that talk to it.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use firedrill_dns::{Access, AddressMap, DnsServer, LoopbackBlock, update_queue};
use firedrill_fabric::{Event, Fabric, Options, SimTime};
use firedrill_syntax::{Source, render};

pub(crate) const SECRET: &str = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

/// A deployment with one zone that uses every type.
pub(crate) const CONTOSO: &str = r#"
name: small
product: 2015
sip_domains: [contoso.com]
sites: [{ name: Site1 }]
pools:
  - { fqdn: sfb1.contoso.com, site: Site1, edition: standard, file_store: \\sfb1.contoso.com\sfb, central_management: active }
tsig_keys:
  - { name: ops.contoso.com, algorithm: hmac-sha256, secret: MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY= }
  - { name: sha512.contoso.com, algorithm: hmac-sha512, secret: MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY= }
  - { name: readers.contoso.com, algorithm: hmac-sha1, secret: MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY= }
dns_servers:
  - host: ns1.contoso.com
    transfer_to: [127.0.0.1]
    transfer_keys: [readers.contoso.com]
    update_from: [127.0.0.7]
    update_keys: [ops.contoso.com, sha512.contoso.com]
dns_zones:
  - origin: contoso.com
    ttl: 1h
    soa: { primary: ns1.contoso.com, responsible: hostmaster.contoso.com, serial: 7, negative_ttl: 5m }
    records:
      - { name: "@", ns: [ns1.contoso.com], txt: ["v=spf1 -all"] }
      - { name: ns1, a: [127.0.0.53] }
      - { name: sip, ttl: 5m, a: [127.0.0.11, 127.0.0.12], aaaa: ["2001:db8::11"] }
      - { name: sip2, ttl: 5m, a: [127.0.0.21] }
      - { name: alias, ttl: 2m, cname: sip.contoso.com }
      - { name: _xmpp-server._tcp, srv: [{ priority: 10, port: 5269, target: sip.contoso.com }, { priority: 20, port: 5269, target: sip2.contoso.com }] }
      - { name: "*.dyn", a: [127.0.0.99] }
      - { name: www.child, a: [127.0.0.66] }
      - { name: delegated, ns: [ns.delegated.contoso.com] }
      - { name: ns.delegated, a: [127.0.0.77] }
  - origin: contoso.test
    soa: { primary: ns1.contoso.com, responsible: hostmaster.contoso.com, serial: 1 }
"#;

/// Finds a program of Debian, or says that it is missing and how to get it.
pub(crate) fn program(name: &str, package: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
    let found = folders.map(|folder| folder.join(name)).find(|file| file.is_file());
    if found.is_none() {
        let message = format!("{name} is not installed: its tests are passed over (Debian: apt-get install {package})");
        assert!(std::env::var_os("FIREDRILL_REQUIRE_DEBIAN").is_none(), "{message}");
        // Written past the capture of the test harness: nobody is to think that they ran.
        let _closed = writeln!(std::io::stderr(), "skipped: {message}");
    }
    found
}

/// A fabric whose primary is on the wire, and which takes updates.
pub(crate) struct Rig {
    pub(crate) server: Arc<DnsServer>,
    pub(crate) fabric: Arc<Mutex<Fabric>>,
    pump: tokio::task::JoinHandle<()>,
    _block: LoopbackBlock,
}

impl Rig {
    pub(crate) async fn start(topology: &str) -> Self {
        Self::start_telling(topology, None).await
    }

    /// As a server that tells another one of changes.
    pub(crate) async fn start_telling(topology: &str, notify: Option<SocketAddr>) -> Self {
        let loaded = firedrill_topology::load(&Source::new("rig.yaml", topology)).into_result();
        let topology = Arc::new(loaded.unwrap_or_else(|problems| panic!("{}", render(&problems, false))));
        let block = LoopbackBlock::take();
        let map = AddressMap::new(&block, []).expect("addresses");
        let (sender, mut queue) = update_queue();
        let mut access = Access::of(&topology.name_servers[0], Some(sender));
        access.notify.extend(notify);
        let fabric = Fabric::new(Arc::clone(&topology), Options { seed: 1, start: SimTime(0) });
        let at = SocketAddr::from(([127, 0, 0, 1], 0));
        let server = Arc::new(DnsServer::start_with(at, fabric.zones(), &map, access).await.expect("the server starts"));
        let fabric = Arc::new(Mutex::new(fabric));
        let pump = tokio::spawn({
            let (server, fabric) = (Arc::clone(&server), Arc::clone(&fabric));
            async move {
                while let Some(pending) = queue.next().await {
                    let (code, zones) = {
                        let mut fabric = fabric.lock().expect("lock");
                        (fabric.update_dns(&pending.update), Arc::clone(fabric.zones()))
                    };
                    server.publish(&zones).expect("published");
                    pending.answer(code);
                }
            }
        });
        Self { server, fabric, pump, _block: block }
    }

    pub(crate) fn port(&self) -> String {
        self.server.address().port().to_string()
    }

    /// Runs a program with `input`; its output and how it ended.
    pub(crate) async fn run(&self, program: PathBuf, arguments: Vec<String>, input: String) -> (String, bool) {
        let task = tokio::task::spawn_blocking(move || {
            let mut command = Command::new(program);
            command.args(&arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
            let mut child = command.spawn().expect("it starts");
            child.stdin.take().expect("input").write_all(input.as_bytes()).expect("written");
            let output = child.wait_with_output().expect("it ends");
            let text = [output.stdout, output.stderr].concat();
            (String::from_utf8_lossy(&text).into_owned(), output.status.success())
        });
        task.await.expect("no panic")
    }

    /// Runs dig against the server with words separated by spaces.
    pub(crate) async fn dig(&self, words: &str) -> Option<String> {
        let program = program("dig", "dnsutils")?;
        let fixed = ["@127.0.0.1", "-p", &self.port(), "+time=5", "+tries=1"].map(str::to_owned);
        let arguments = fixed.into_iter().chain(words.split(' ').map(str::to_owned)).collect();
        Some(self.run(program, arguments, String::new()).await.0)
    }

    pub(crate) fn serial(&self) -> u32 {
        self.fabric.lock().expect("lock").zones().zones["contoso.com"].soa.serial
    }

    /// Events of updates since the last call: who, what, outcome, serial.
    pub(crate) fn updates(&self) -> Vec<(String, String, String, u32)> {
        let log = self.fabric.lock().expect("lock").take_log();
        let update = |event| match event {
            Event::DnsUpdate { by, what, outcome, serial, .. } => Some((by, what, outcome, serial)),
            _ => None,
        };
        log.into_iter().filter_map(|entry| update(entry.event)).collect()
    }

    pub(crate) fn has(&self, name: &str, record_type: firedrill_topology::RecordType) -> Option<(u32, usize)> {
        let fabric = self.fabric.lock().expect("lock");
        fabric.zones().zones["contoso.com"].records.get(&(name.to_owned(), record_type)).map(|set| (set.ttl, set.data.len()))
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        self.pump.abort();
    }
}
