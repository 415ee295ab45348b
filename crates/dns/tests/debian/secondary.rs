//! Knot as a secondary that is told of changes.

use std::fmt::Write as _;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::rig::{CONTOSO, Rig, program};

struct Ends(Child);

impl Drop for Ends {
    fn drop(&mut self) {
        let _gone = self.0.kill();
        let _gone = self.0.wait();
    }
}

/// NOTIFY leads Knot to transfer the new state at once: its refresh would come in an hour.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secondary_that_is_told_has_the_new_state_at_once() {
    let Some(knotd) = program("knotd", "knot") else { return };
    // A port that was free a moment ago: Knot wants to be told one.
    let port = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|socket| socket.local_addr()).expect("a port").port();
    let rig = Rig::start_telling(CONTOSO, Some(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))).await;
    let folder = tempfile::tempdir().expect("folder");
    let place = folder.path().display();
    let mut text = String::new();
    write!(
        text,
        "server:\n  rundir: {place}\n  listen: 127.0.0.1@{port}\ndatabase:\n  storage: {place}\nremote:\n  - id: primary\n    address: 127.0.0.1@{}\n\
         acl:\n  - id: told\n    address: 127.0.0.1\n    action: notify\n\
         zone:\n  - domain: contoso.com\n    storage: {place}\n    master: primary\n    acl: told\nlog:\n  - target: stderr\n    any: warning\n",
        rig.port()
    )
    .expect("text");
    let file = folder.path().join("knot.conf");
    std::fs::write(&file, text).expect("written");
    let _knot = Ends(Command::new(knotd).arg("-c").arg(&file).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts"));
    let server = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    assert_eq!(wait_for(server, 7).await, Some(7), "the first transfer");

    let zones = {
        let mut fabric = rig.fabric.lock().expect("lock");
        let data = firedrill_topology::RecordData::A(Ipv4Addr::new(127, 0, 0, 22));
        let edit = firedrill_fabric::fault::DnsEdit::Add { name: "sip2.contoso.com".into(), ttl: None, data };
        fabric.edit_dns(&edit).expect("an edit");
        std::sync::Arc::clone(fabric.zones())
    };
    rig.server.publish(&zones).expect("published");
    assert_eq!(rig.server.notified().await, 1, "Knot acknowledges");
    assert_eq!(wait_for(server, 8).await, Some(8), "the transfer after NOTIFY");
}

/// Asks until a serial is there, for ten seconds at most; the last serial.
async fn wait_for(server: SocketAddr, serial: u32) -> Option<u32> {
    use hickory_resolver::proto::rr::{Name, RData, RecordType};
    let name = Name::from_ascii("contoso.com.").expect("name");
    let end = Instant::now() + Duration::from_secs(10);
    let mut last = None;
    while Instant::now() < end {
        if let Ok(message) = firedrill_dns::query(server, &name, RecordType::SOA, Duration::from_millis(200)).await {
            last = message.answers.iter().find_map(|record| match &record.data {
                RData::SOA(soa) => Some(soa.serial),
                _ => None,
            });
            if last == Some(serial) {
                return last;
            }
        }
        tokio::task::yield_now().await;
    }
    last
}
