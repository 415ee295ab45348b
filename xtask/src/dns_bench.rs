//! Runs dnsperf against our DNS server and, where they are installed, BIND, Knot and NSD, on one zone and one core each.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader};
use std::net::UdpSocket;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Rounds; the servers take turns in each, and medians are printed.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Seconds of each measurement.
    #[arg(long, default_value_t = 5)]
    seconds: u32,
    /// Fail when ours answers fewer queries for its CPU time than BIND, or starts too slowly.
    #[arg(long)]
    check: bool,
}

/// Names with addresses in the zone.
const HOSTS: usize = 1_000;
/// Names with services in the zone.
const SERVICES: usize = 200;
/// Queries of one list; dnsperf starts over at its end.
const QUERIES: usize = 10_000;
/// From the start of the program's work to the first answer.
const FIRST_ANSWER_MICROSECONDS_MAX: u64 = 10_000;

/// A server under test. Killed when dropped.
struct Server {
    name: &'static str,
    child: Child,
    port: u16,
    /// Queries for each second, and CPU microseconds for each query, of both lists.
    rates: [Vec<f64>; 2],
    costs: [Vec<f64>; 2],
}

impl Drop for Server {
    fn drop(&mut self) {
        // A child that has ended already is what we want.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn run(root: &Path, arguments: &Arguments) -> anyhow::Result<()> {
    if program("dnsperf").is_none() {
        bail!("dnsperf is not installed (Debian: apt-get install dnsperf; bind9, knot and nsd for the servers beside ours)");
    }
    let folder = super::bench::target_directory(root)?.join("dns-bench");
    std::fs::create_dir_all(&folder)?;
    std::fs::write(folder.join("zone"), zone())?;
    let lists = [("existing", positive()), ("missing", negative())];
    for (name, list) in &lists {
        std::fs::write(folder.join(name), list)?;
    }
    let (ours, first_answer) = ours(root, &folder)?;
    let mut servers = vec![ours];
    for (name, start) in [("BIND", bind as fn(&Path, u16) -> Option<Command>), ("Knot", knot), ("NSD", nsd)] {
        let port = UdpSocket::bind("127.0.0.1:0")?.local_addr()?.port();
        match start(&folder, port) {
            Some(mut command) => {
                command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
                let child = command.spawn().with_context(|| format!("{name} does not start"))?;
                let server = Server { name, child, port, rates: Default::default(), costs: Default::default() };
                wait_for(&server)?;
                servers.push(server);
            }
            None => println!("{name} is not installed: it is left out"),
        }
    }
    for round in 1..=arguments.rounds {
        eprintln!("round {round} of {}", arguments.rounds);
        for server in &mut servers {
            for (list, (name, _)) in lists.iter().enumerate() {
                let (rate, cost) = measure(&folder.join(name), server, arguments.seconds)?;
                server.rates[list].push(rate);
                server.costs[list].push(cost);
            }
        }
    }
    report(&servers, first_answer, arguments.check)
}

fn report(servers: &[Server], first_answer: u64, check: bool) -> anyhow::Result<()> {
    println!("\n{:<10} {:>14} {:>14} {:>16} {:>16}", "server", "existing q/s", "missing q/s", "existing us CPU", "missing us CPU");
    let row = |server: &Server| [median(&server.rates[0]), median(&server.rates[1]), median(&server.costs[0]), median(&server.costs[1])];
    for server in servers {
        let [existing, missing, existing_cost, missing_cost] = row(server);
        println!("{:<10} {existing:>14.0} {missing:>14.0} {existing_cost:>16.1} {missing_cost:>16.1}", server.name);
    }
    println!("\nours: first answer after {:.1} ms", first_answer as f64 / 1e3);
    let mut missed = Vec::new();
    if first_answer > FIRST_ANSWER_MICROSECONDS_MAX {
        missed.push("time to the first answer");
    }
    if let Some(bind) = servers.iter().find(|server| server.name == "BIND") {
        let (ours, bind) = (row(&servers[0]), row(bind));
        let ratios = [bind[2] / ours[2], bind[3] / ours[3]];
        println!("ours for the same CPU time, BIND being 1: existing names {:.2}, missing names {:.2}", ratios[0], ratios[1]);
        if ratios.iter().any(|ratio| *ratio < 1.0) {
            missed.push("queries for the CPU time of BIND");
        }
    }
    if check && !missed.is_empty() {
        bail!("missed: {}", missed.join(", "));
    }
    Ok(())
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

/// One run of dnsperf: queries for each second, and the server's CPU time for each query.
fn measure(list: &Path, server: &Server, seconds: u32) -> anyhow::Result<(f64, f64)> {
    let before = cpu(server.child.id())?;
    let mut command = pinned(1, "dnsperf");
    command.args(["-s", "127.0.0.1", "-p", &server.port.to_string(), "-c", "20", "-q", "200", "-l", &seconds.to_string(), "-d"]).arg(list);
    let output = command.output().context("dnsperf")?;
    let used = cpu(server.child.id())? - before;
    let text = String::from_utf8_lossy(&output.stdout);
    let number = |label: &str| -> Option<f64> {
        let line = text.lines().find(|line| line.trim_start().starts_with(label))?;
        line.split_once(':')?.1.split_whitespace().next()?.parse().ok()
    };
    let (Some(completed), Some(rate)) = (number("Queries completed"), number("Queries per second")) else {
        bail!("dnsperf said nothing of use about {}:\n{text}{}", server.name, String::from_utf8_lossy(&output.stderr));
    };
    if completed == 0.0 {
        bail!("{} answered nothing", server.name);
    }
    Ok((rate, used / completed * 1e6))
}

/// CPU seconds of a process and its children that ended, user and system (proc(5)).
fn cpu(process: u32) -> anyhow::Result<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).context("the server has ended")?;
    let fields: Vec<&str> = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace().collect();
    let ticks = |place: usize| fields.get(place).and_then(|text| text.parse::<f64>().ok()).unwrap_or(0.0);
    let own = ticks(11) + ticks(12);
    // NSD answers in a child of its own.
    let children = std::fs::read_to_string(format!("/proc/{process}/task/{process}/children")).unwrap_or_default();
    let of_children: f64 = children.split_whitespace().filter_map(|child| cpu(child.parse().ok()?).ok()).sum();
    Ok(own / 100.0 + of_children)
}

fn ours(root: &Path, folder: &Path) -> anyhow::Result<(Server, u64)> {
    let status = Command::new("cargo")
        .args(["build", "--release", "--package", "firedrill-dns", "--example", "serve"])
        .current_dir(root)
        .status()
        .context("cargo build")?;
    if !status.success() {
        bail!("our server does not build");
    }
    let binary = super::bench::target_directory(root)?.join("release/examples/serve");
    let mut command = pinned(0, &binary.display().to_string());
    let mut child = command.arg(folder.join("zone")).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().context("our server")?;
    let mut line = String::new();
    BufReader::new(child.stdout.take().context("output")?).read_line(&mut line)?;
    let words: Vec<&str> = line.split_whitespace().collect();
    let &["port", port, "first", "answer", "after", micros, "us"] = words.as_slice() else {
        bail!("our server said: {line}");
    };
    let server = Server { name: "Firedrill", child, port: port.parse()?, rates: Default::default(), costs: Default::default() };
    Ok((server, micros.parse()?))
}

fn bind(folder: &Path, port: u16) -> Option<Command> {
    let place = folder.display();
    let text = format!(
        "options {{ directory \"{place}\"; listen-on port {port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }}; recursion no; \
         pid-file none; session-keyfile none; dnssec-validation no; }};\ncontrols {{ }};\n\
         zone \"contoso.com\" {{ type primary; file \"{place}/zone\"; }};\n"
    );
    let file = folder.join("named.conf");
    std::fs::write(&file, text).ok()?;
    let mut command = pinned(0, &program("named")?.display().to_string());
    command.args(["-f", "-n", "1", "-c"]).arg(file);
    Some(command)
}

fn knot(folder: &Path, port: u16) -> Option<Command> {
    let place = folder.display();
    let text = format!(
        "server:\n  rundir: {place}\n  listen: 127.0.0.1@{port}\n  udp-workers: 1\n  tcp-workers: 1\n  background-workers: 1\n\
         database:\n  storage: {place}/knot\nzone:\n  - domain: contoso.com\n    file: {place}/zone\n    zonefile-sync: -1\n    \
         journal-content: none\n"
    );
    let file = folder.join("knot.conf");
    std::fs::write(&file, text).ok()?;
    let mut command = pinned(0, &program("knotd")?.display().to_string());
    command.arg("-c").arg(file);
    Some(command)
}

fn nsd(folder: &Path, port: u16) -> Option<Command> {
    let place = folder.display();
    let text = format!(
        "server:\n  ip-address: 127.0.0.1@{port}\n  zonesdir: {place}\n  database: \"\"\n  pidfile: \"\"\n  username: \"\"\n  \
         logfile: {place}/nsd.log\n  xfrdfile: {place}/xfrd\n  zonelistfile: {place}/zonelist\n  cookie-secret-file: {place}/cookies\n  \
         server-count: 1\n  rrl-ratelimit: 0\n  rrl-whitelist-ratelimit: 0\nremote-control:\n  control-enable: no\nzone:\n  name: contoso.com\n  zonefile: zone\n"
    );
    let file = folder.join("nsd.conf");
    std::fs::write(&file, text).ok()?;
    let mut command = pinned(0, &program("nsd")?.display().to_string());
    command.args(["-d", "-c"]).arg(file);
    Some(command)
}

/// A program on one core only, where the system can do that.
fn pinned(core: usize, name: &str) -> Command {
    if program("taskset").is_none() {
        return Command::new(name);
    }
    let mut command = Command::new("taskset");
    command.args(["-c", &core.to_string(), name]);
    command
}

fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
    folders.map(|folder| folder.join(name)).find(|file| file.is_file())
}

/// Asks for the SOA record until it comes.
fn wait_for(server: &Server) -> anyhow::Result<()> {
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    socket.set_read_timeout(Some(Duration::from_millis(50)))?;
    let mut query = vec![0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    query.extend_from_slice(b"\x07contoso\x03com\x00\x00\x06\x00\x01");
    let end = Instant::now() + Duration::from_secs(10);
    while Instant::now() < end {
        let _refused_until_it_listens = socket.send_to(&query, ("127.0.0.1", server.port));
        let mut answer = [0; 512];
        if let Ok(length) = socket.recv(&mut answer)
            && length > query.len()
            && answer[3] & 0x0f == 0
        {
            return Ok(());
        }
    }
    bail!("{} does not answer", server.name)
}

/// 1,000 hosts and 200 services with one or two targets.
fn zone() -> String {
    let mut text =
        String::from("$ORIGIN contoso.com.\n$TTL 1h\n@ IN SOA ns1 hostmaster 1 1h 10m 7d 5m\n@ IN NS ns1\nns1 IN A 127.0.0.53\n");
    for host in 0..HOSTS {
        let _ = writeln!(text, "host{host} IN A 127.1.{}.{}", host / 250, host % 250);
    }
    for service in 0..SERVICES {
        let _ = writeln!(text, "_xmpp-server._tcp.d{service} IN SRV 10 0 5269 host{service}");
        if service % 2 == 0 {
            let _ = writeln!(text, "_xmpp-server._tcp.d{service} IN SRV 20 0 5269 host{}", service + 1);
        }
    }
    text
}

/// Seven in ten ask for an address, three for a service. The order is fixed: a step that shares no factor with the counts.
fn positive() -> String {
    let line = |index: usize| match index % 10 {
        0..7 => format!("host{}.contoso.com A\n", index * 7 % HOSTS),
        _ => format!("_xmpp-server._tcp.d{}.contoso.com SRV\n", index * 7 % SERVICES),
    };
    (0..QUERIES).map(line).collect()
}

fn negative() -> String {
    (0..QUERIES).map(|index| format!("nobody{}.contoso.com A\n", index * 7 % QUERIES)).collect()
}
