//! All name servers of a fabric on the wire, against the model: who answers, with which state, and how partners see it.

use std::net::Ipv4Addr;
use std::sync::Arc;

use firedrill_dns::{AddressMap, LoopbackBlock, NameServers, PartnerResolver, query};
use firedrill_fabric::fault::DnsEdit;
use firedrill_fabric::{Change, Fabric, Fault, NameServerFault, Options, SimDuration, SimTime};
use firedrill_syntax::{Source, render};
use firedrill_topology::{NameServerId, PartnerId, RecordData, RecordType};
use hickory_resolver::proto::op::{Message, MessageType, OpCode, ResponseCode};
use hickory_resolver::proto::rr::{Name, RData};
use proptest::prelude::*;

const TOPOLOGY: &str = r#"
name: small
product: 2015
sip_domains: [contoso.com]
sites: [{ name: Site1 }]
pools:
  - { fqdn: sfb1.contoso.com, site: Site1, edition: standard, file_store: \\sfb1.contoso.com\sfb, central_management: active }
partners:
  - { domain: fabrikam.net, federation: [xmpp] }
  - { domain: fabrikam.org, federation: [xmpp], resolver: { serve_stale: 1h } }
dns_servers:
  - { host: ns1.contoso.com, update_from: [127.0.0.1] }
  - { host: ns2.contoso.com }
dns_zones:
  - origin: contoso.com
    soa: { primary: ns1.contoso.com, responsible: hostmaster.contoso.com, serial: 1, refresh: 30m, retry: 5m, expire: 2h, negative_ttl: 1m }
    records:
      - { name: "@", ns: [ns1.contoso.com, ns2.contoso.com] }
      - { name: sip, ttl: 2m, a: [203.0.113.1] }
  - origin: contoso.com
    view: internal
    soa: { primary: dc1.contoso.com, responsible: hostmaster.contoso.com, serial: 1 }
    records:
      - { name: sip, a: [10.0.0.5] }
  - origin: fabrikam.test
    soa: { primary: ns1.contoso.com, responsible: hostmaster.contoso.com, serial: 1 }
    records:
      - { name: www, a: [203.0.113.9] }
"#;

/// A fabric, its servers, and a resolver for each partner.
struct Both {
    fabric: Fabric,
    servers: NameServers,
    resolvers: Vec<PartnerResolver>,
    map: AddressMap,
    _block: LoopbackBlock,
}

impl Both {
    async fn start() -> Self {
        let loaded = firedrill_topology::load(&Source::new("both.yaml", TOPOLOGY)).into_result();
        let topology = Arc::new(loaded.unwrap_or_else(|problems| panic!("{}", render(&problems, false))));
        let fabric = Fabric::new(topology, Options { seed: 1, start: SimTime(0) });
        let block = LoopbackBlock::take();
        let map = AddressMap::new(&block, []).expect("addresses");
        let servers = NameServers::start(&block, &fabric, &map).await.expect("servers");
        let partners = &fabric.topology().partners;
        let resolver = |partner: &firedrill_topology::Partner| PartnerResolver::with_servers(&servers.addresses(), &map, partner.resolver);
        let resolvers = partners.iter().map(|partner| resolver(partner).expect("a resolver")).collect();
        Self { fabric, servers, resolvers, map, _block: block }
    }

    /// Asks both worlds and compares.
    async fn compare(&mut self, name: &str, record_type: RecordType, story: &str) {
        self.servers.follow(&self.fabric).await.expect("the servers follow");
        for (place, resolver) in self.resolvers.iter().enumerate() {
            let model = self.fabric.partner_view(PartnerId(place as u32), name, record_type);
            let wire = resolver.lookup(name, record_type, self.fabric.now()).await;
            assert_eq!(wire, model, "{name} {record_type:?} for partner {place} after {story}");
        }
    }
}

#[derive(Debug, Clone)]
enum Step {
    Inject(u32, NameServerFault),
    Heal(u32, NameServerFault),
    Set(u8),
    Remove,
    Wait(i64),
}

fn step() -> impl Strategy<Value = Step> {
    use NameServerFault as F;
    let fault = prop::sample::select(vec![
        F::Down,
        F::Drops,
        F::ServFail,
        F::Refused,
        F::TruncatedWithoutTcp,
        F::Stale,
        F::MissesNotify,
        F::Slow(SimDuration::from_millis(3)),
        F::Slow(SimDuration::from_secs(7)),
    ]);
    prop_oneof![
        3 => (0u32..2, fault.clone()).prop_map(|(server, fault)| Step::Inject(server, fault)),
        2 => (0u32..2, fault).prop_map(|(server, fault)| Step::Heal(server, fault)),
        2 => (1u8..250).prop_map(Step::Set),
        1 => Just(Step::Remove),
        3 => prop::sample::select(vec![1i64, 59, 120, 300, 1800, 7200]).prop_map(Step::Wait),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn servers_that_fail_and_lag_one_by_one_look_the_same_in_both_worlds(steps in prop::collection::vec(step(), 1..14)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime");
        runtime.block_on(async {
            let mut both = Both::start().await;
            let mut story = String::new();
            for step in steps {
                let server = |place: u32| NameServerId(place);
                story.push_str(&format!("{step:?}; "));
                let name = "sip.contoso.com".to_owned();
                match step {
                    Step::Inject(place, fault) => both.fabric.apply(Change::Inject(Fault::NameServer(server(place), fault))).expect("a fault"),
                    Step::Heal(place, fault) => both.fabric.apply(Change::Heal(Fault::NameServer(server(place), fault))).expect("a heal"),
                    Step::Set(last) => {
                        let data = vec![RecordData::A(Ipv4Addr::new(203, 0, 113, last))];
                        both.fabric.edit_dns(&DnsEdit::Replace { name, record_type: RecordType::A, ttl: None, data }).expect("an edit");
                    }
                    // There may be nothing to remove.
                    Step::Remove => drop(both.fabric.edit_dns(&DnsEdit::Remove { name, record_type: RecordType::A, data: None })),
                    Step::Wait(seconds) => {
                        let until = both.fabric.now() + SimDuration::from_secs(seconds);
                        both.fabric.advance_to(until).expect("within the limits");
                    }
                }
                both.compare("sip.contoso.com", RecordType::A, &story).await;
            }
            both.servers.shutdown().await.expect("a clean end");
        });
    }
}

#[tokio::test]
async fn the_internal_view_stands_before_the_external_one() {
    let both = Both::start().await;
    let inside = both.servers.internal_address().expect("an internal view");
    let address = async |server, name: &str| {
        let name = Name::from_ascii(name).expect("name");
        let wire = hickory_resolver::proto::rr::RecordType::A;
        let message = query(server, &name, wire, std::time::Duration::from_secs(5)).await.expect("an answer");
        let found = message.answers.iter().find_map(|record| match &record.data {
            RData::A(address) => both.map.topology(address.0),
            _ => None,
        });
        (message.metadata.response_code, found)
    };
    let a = |octets: [u8; 4]| Some(Ipv4Addr::from(octets));
    assert_eq!(address(inside, "sip.contoso.com.").await, (ResponseCode::NoError, a([10, 0, 0, 5])));
    assert_eq!(address(both.servers.address(), "sip.contoso.com.").await, (ResponseCode::NoError, a([203, 0, 113, 1])));
    // What an internal zone does not have, it denies; what no internal zone holds is forwarded.
    assert_eq!(address(inside, "xmpp.contoso.com.").await.0, ResponseCode::NXDomain);
    assert_eq!(address(inside, "www.fabrikam.test.").await, (ResponseCode::NoError, a([203, 0, 113, 9])));
    let model = both.fabric.resolve_inside("sip.contoso.com", RecordType::A);
    assert!(format!("{model:?}").contains("10.0.0.5"), "{model:?}");
}

/// Updates wait for the fabric's owner; a flood of them is turned away at once and the server goes on answering.
#[tokio::test]
async fn a_flood_of_updates_is_bounded() {
    let mut both = Both::start().await;
    let server = both.servers.address();
    let socket = tokio::net::UdpSocket::bind("127.0.0.1:0").await.expect("socket");
    let update = |id: u16| {
        let mut message = Message::new(id, MessageType::Query, OpCode::Update);
        let zone = Name::from_ascii("contoso.com.").expect("name");
        message.add_query(hickory_resolver::proto::op::Query::query(zone, hickory_resolver::proto::rr::RecordType::SOA));
        let owner = Name::from_ascii(format!("h{id}.contoso.com.")).expect("name");
        let data = RData::A(hickory_resolver::proto::rr::rdata::A(Ipv4Addr::new(127, 0, 0, 9)));
        message.add_authority(hickory_resolver::proto::rr::Record::from_rdata(owner, 60, data));
        message.to_vec().expect("encoded")
    };
    let mut buffer = [0; 512];
    let mut turned_away = 0;
    for id in 0..200 {
        socket.send_to(&update(id), server).await.expect("sent");
        // Those that are not queued are answered at once.
        if id >= 64 {
            let (length, _) = socket.recv_from(&mut buffer).await.expect("an answer");
            let message = Message::from_vec(&buffer[..length]).expect("a message");
            assert_eq!(message.metadata.response_code, ResponseCode::ServFail);
            turned_away += 1;
        }
    }
    assert_eq!(turned_away, 136);
    let name = Name::from_ascii("sip.contoso.com.").expect("name");
    let answer = query(server, &name, hickory_resolver::proto::rr::RecordType::A, std::time::Duration::from_secs(5)).await;
    assert_eq!(answer.expect("still answering").answers.len(), 1);
    // Those that wait are carried out when their owner comes.
    assert_eq!(both.servers.take_updates(&mut both.fabric).await.expect("taken"), 64);
    for _ in 0..64 {
        let (length, _) = socket.recv_from(&mut buffer).await.expect("an answer");
        assert_eq!(Message::from_vec(&buffer[..length]).expect("a message").metadata.response_code, ResponseCode::NoError);
    }
    assert_eq!(both.fabric.zones().zones["contoso.com"].soa.serial, 65);
}

#[tokio::test]
async fn a_port_in_use_names_who_is_there() {
    let map = AddressMap::new(&LoopbackBlock::single(), []).expect("addresses");
    let zones = firedrill_fabric::naming::Zones { zones: Default::default() };
    let start = async |address| {
        let access = firedrill_dns::Access::default();
        firedrill_dns::DnsServer::start_with(address, &zones, &map, access).await.expect_err("in use").to_string()
    };
    let holder = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = holder.local_addr().expect("address");
    let error = start(address).await;
    assert!(error.contains(&format!("port {} is taken by a program that listens on this address", address.port())), "{error}");
    let holder = std::net::UdpSocket::bind("0.0.0.0:0").expect("a port");
    let port = holder.local_addr().expect("address").port();
    let error = start(([127, 0, 0, 1], port).into()).await;
    assert!(error.contains(&format!("port {port} is taken by a program that listens on all addresses")), "{error}");
    assert!(error.contains("sport = :") && error.contains("hint:"), "{error}");
    let outside = std::net::SocketAddr::from(([192, 0, 2, 1], 53));
    assert!(start(outside).await.contains("loopback addresses only"));
}
