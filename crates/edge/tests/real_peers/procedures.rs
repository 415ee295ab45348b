//! Procedures P6 and P7 (XMPP federation over to the other Edge pool and back), done to the model step by step.

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use firedrill_fabric::{Change, Fault, Operation};
use firedrill_topology::{EdgePoolId, RecordData, RecordType};

use crate::client::Client;
use crate::rig::{ANNA, ROMEO, Rig, XMPP};

const EDGE1: EdgePoolId = EdgePoolId(0);
const EDGE2: EdgePoolId = EdgePoolId(1);

/// What a DNS operator does: the A record of procedure P6.4, or the SRV record of P6.5.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Record {
    Address,
    Service,
}

impl Rig {
    fn services(&mut self, servers: [&str; 2], start: bool) {
        for server in servers {
            let caller = self.caller(server);
            let computer = caller.computer;
            let operation = if start {
                Operation::StartServices { computer, service: None, no_wait: false }
            } else {
                Operation::StopServices { computer, service: None, graceful: false, no_wait: false }
            };
            self.fabric.perform(operation, caller).expect("no limit is hit");
        }
    }

    fn route(&mut self, edge: EdgePoolId) {
        let caller = self.caller("pool2-fe1");
        let edited = self.fabric.edit_configuration(caller, |configuration| {
            configuration.sites.iter_mut().for_each(|site| site.xmpp_route = Some(edge));
            Ok(())
        });
        edited.expect("the store takes it");
    }

    fn point(&mut self, record: Record, edge: EdgePoolId) {
        match record {
            Record::Address => {
                let servers = self.fabric.topology().edge_pool(edge).servers.clone();
                let addresses = servers.iter().map(|server| RecordData::A(server.external)).collect();
                self.edit_dns("xmpp.contoso.com", RecordType::A, addresses);
            }
            Record::Service => {
                let target = if edge == EDGE1 { "xmpp.contoso.com" } else { "xmpp2.contoso.com" }.to_owned();
                self.edit_dns(XMPP, RecordType::Srv, vec![RecordData::Srv { priority: 10, weight: 0, port: 5269, target }]);
            }
        }
    }

    /// P6: stop the Edge services there, move the routes, change DNS, start again.
    async fn over(&mut self, record: Record) {
        self.services(["edgeserver2a", "edgeserver2b"], false);
        self.route(EDGE2);
        self.point(record, EDGE2);
        self.services(["edgeserver2a", "edgeserver2b"], true);
        self.wait(1800).await;
    }

    /// P7: the Edge pool is back; routes and DNS as before.
    async fn back(&mut self, record: Record) {
        self.fabric.apply(Change::Heal(Fault::EdgePool(EDGE1))).expect("it heals");
        self.wait(1800).await;
        self.route(EDGE1);
        self.point(record, EDGE1);
        self.wait(1800).await;
    }

    /// The first Edge pool dies, P6 and P7 run; the real server finds its way when its cache lets it, and not before.
    pub(crate) async fn disaster(&mut self, romeo: &mut Client, record: Record) {
        assert_eq!(self.exchange(romeo, "before").await, EDGE1);

        self.fabric.apply(Change::Inject(Fault::EdgePool(EDGE1))).expect("it strikes");
        self.follow().await;
        let looked_up = self.look_up_in_vain(romeo).await;
        self.over(record).await;
        let (waited, tries) = self.try_until_delivered(romeo, "after-p6", looked_up).await;
        // A TTL of 2 s is over after 1 s to 2 s where whole seconds are counted.
        assert!(waited >= Duration::from_secs(1), "reached after {waited:?}, while the old record was still held");
        assert!(tries > 1 || waited > Duration::from_secs(2), "the first try already went through");
        assert_eq!(self.anna_got(&format!("after-p6-{tries}")), Some(EDGE2));
        assert_eq!(self.exchange(romeo, "in-disaster").await, EDGE2);

        self.back(record).await;
        let (_, tries) = self.try_until_delivered(romeo, "after-p7", Instant::now()).await;
        assert_eq!(self.anna_got(&format!("after-p7-{tries}")), Some(EDGE1));
        assert_eq!(self.exchange(romeo, "home-again").await, EDGE1);
    }

    /// Makes the real server look the dead Edge pool up. It has held the old record since the returned instant at the
    /// earliest: what it held before has run out when the try begins, and our DNS server was asked during the try.
    async fn look_up_in_vain(&mut self, romeo: &mut Client) -> Instant {
        for attempt in 1..15 {
            let asked = self.network.dns().primary().answered();
            let begun = Instant::now();
            let body = format!("lost-{attempt}");
            romeo.message(ANNA, &body, &body).await;
            let bounced = tokio::select! {
                _ = romeo.bounced(&body) => true,
                // Written to a stream that has just died: XMPP loses it without a word.
                () = tokio::time::sleep(Duration::from_secs(2)) => false,
            };
            if bounced && self.network.dns().primary().answered() > asked {
                return begun;
            }
            tokio::time::sleep(Duration::from_millis(2_200)).await;
        }
        panic!("nobody looks the Edge pool up");
    }

    /// A message each way; says through which Edge pool Romeo's came.
    pub(crate) async fn exchange(&mut self, romeo: &mut Client, body: &str) -> EdgePoolId {
        romeo.message(ANNA, body, body).await;
        let edge = self.anna_gets(body).await;
        self.network.send_message(ANNA, ROMEO, &format!("re-{body}")).await.expect("it leaves");
        romeo.hear(&format!("re-{body}")).await;
        edge
    }

    /// Writes again and again until a message gets through: how long since `begun`, and how many tries it took.
    async fn try_until_delivered(&mut self, romeo: &mut Client, name: &str, begun: Instant) -> (Duration, u32) {
        for attempt in 1..200 {
            let body = format!("{name}-{attempt}");
            romeo.message(ANNA, &body, &body).await;
            tokio::select! {
                _ = romeo.bounced(&body) => {}
                _ = self.anna_gets(&body) => return (begun.elapsed(), attempt),
                // Written to a stream that has just died: XMPP loses it without a word.
                () = tokio::time::sleep(Duration::from_secs(2)) => {}
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
            assert!(begun.elapsed() < Duration::from_secs(60), "the way was not found within a minute");
        }
        panic!("the way was not found in 200 tries");
    }

    /// Names and loopback addresses of the Edge pools, for resolvers that know files only.
    pub(crate) fn hosts(&self) -> Vec<(Ipv4Addr, &'static str)> {
        let edges = [
            ([203, 0, 113, 11], "xmpp.contoso.com"),
            ([203, 0, 113, 12], "xmpp.contoso.com"),
            ([198, 51, 100, 11], "xmpp2.contoso.com"),
            ([198, 51, 100, 12], "xmpp2.contoso.com"),
        ];
        edges.into_iter().map(|(external, name)| (self.edge(external), name)).collect()
    }
}
