//! Streams that come and go leave nothing behind: no task, no socket. Alone in its process, because sockets are counted.

mod common;
#[path = "common/peer/mod.rs"]
mod peer;
#[path = "common/sip/mod.rs"]
mod sip;

use std::time::Duration;

use common::zoning::{a, srv, zone, zones};
use common::{listener, told, wire};
use firedrill_fabric::federation::Protocol::{Sip, Xmpp};
use peer::{Peer, header};

/// Sockets and other open files of this process.
fn open_files() -> usize {
    std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count)
}

fn tasks() -> usize {
    tokio::runtime::Handle::current().metrics().num_alive_tasks()
}

/// Opens and closes streams: every fiftieth to its authentication, the others to their features, in all ways of leaving.
async fn soak(streams: usize) {
    let records = [("_xmpp-server._tcp", 60, srv(0, 0, 5269, "e1.contoso.com")), ("e1", 60, a(11))];
    let wire = wire(&zones([zone("contoso.com", 1, &records)]), &[listener(11, Xmpp, 5269)]).await;
    let edge = wire.endpoint(11, 5269);
    // What is made once is there before counting begins; a few tasks that are just ending are counted in our favour.
    assert_eq!(told(&wire.reach(Xmpp).await.expect("an answer")).last().expect("outcome"), "via 11");
    let before = (tasks(), open_files());
    for number in 0..streams {
        if number % 50 == 0 {
            assert_eq!(told(&wire.reach(Xmpp).await.expect("an answer")).last().expect("outcome"), "via 11");
            continue;
        }
        let mut peer = Peer::connect(edge).await;
        match number % 5 {
            0 => {}
            1 => peer.say("<stream").await,
            2 => drop(peer.open("fabrikam.net", "contoso.com").await),
            3 => {
                peer.say(&(header("fabrikam.net", "contoso.com") + "</stream:stream>")).await;
                peer.rest().await;
            }
            _ => {
                peer.say("nonsense").await;
                peer.rest().await;
            }
        }
    }
    let after = (settled(before.0).await, open_files());
    assert!(after.0 <= before.0, "{} tasks before, {} after", before.0, after.0);
    assert!(after.1 <= before.1 + 2, "{} open files before, {} after", before.1, after.1);
}

/// The same for SIP: every fifth to an answer, the others left half-open, silent, in the middle of a message, or as nonsense.
async fn soak_sip(connections: usize) {
    let records = [("_sipfederationtls._tcp", 60, srv(0, 0, 5061, "e1.contoso.com")), ("e1", 60, a(11))];
    let wire = wire(&zones([zone("contoso.com", 1, &records)]), &[listener(11, Sip, 5061)]).await;
    let authority = wire.fleet.authority();
    let connector = sip::client(authority.pem(), Some(&sip::certificate(authority, "fabrikam.net")));
    let edge = wire.endpoint(11, 5061);
    assert_eq!(told(&wire.reach(Sip).await.expect("an answer")).last().expect("outcome"), "via 11");
    let before = (tasks(), open_files());
    for number in 0..connections {
        match number % 5 {
            0 => assert_eq!(told(&wire.reach(Sip).await.expect("an answer")).last().expect("outcome"), "via 11"),
            1 => drop(tokio::net::TcpStream::connect(edge).await.expect("accepted")),
            kind => {
                let mut peer = sip::Peer::connect(edge, "e1.contoso.com", &connector).await.expect("taken");
                match kind {
                    2 => {}
                    3 => peer.say("OPTIONS sip:contoso.com SIP/2.0\r\n").await.expect("sent"),
                    _ => drop(peer.until_the_end(b"<nonsense/>").await),
                }
            }
        }
    }
    let after = (settled(before.0).await, open_files());
    assert!(after.0 <= before.0, "{} tasks before, {} after", before.0, after.0);
    assert!(after.1 <= before.1 + 2, "{} open files before, {} after", before.1, after.1);
}

/// Tasks, once those that are ending have ended: no more than `enough`, or after a while whatever there is.
async fn settled(enough: usize) -> usize {
    for _ in 0..200 {
        if tasks() <= enough {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    tasks()
}

/// A thousand streams unless `FIREDRILL_SOAK` says how many: the machine that soaks takes ten thousand.
#[tokio::test]
async fn streams_leave_nothing_behind() {
    let wanted = std::env::var("FIREDRILL_SOAK").ok().and_then(|count| count.parse().ok());
    soak(wanted.unwrap_or(1_000)).await;
    // One after the other: open files are those of the whole process.
    soak_sip(wanted.unwrap_or(1_000) / 5).await;
}
