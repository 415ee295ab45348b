//! Who reaches us on 5269 and 5061, and whom we reach (dossier F; RFC 6120 3.2, RFC 2782).

mod support;

use firedrill_fabric::fault::{DnsEdit, Place};
use firedrill_fabric::federation::{AttemptResult, Direction, EdgeRefusal, Protocol, Reach, ReachFailure, ReachQuery};
use firedrill_fabric::service::ServiceName;
use firedrill_fabric::{Behaviour, Caller, Fabric, Fault};
use firedrill_topology::{ComputerId, EdgePoolId, PartnerId, RecordData, RecordType};
use rstest::rstest;
use support::{Drill, LONG, POOL1, Plan, Sql, a, minutes, seconds, srv};

const SIP_PARTNER: PartnerId = PartnerId(0);
const XMPP_PARTNER: PartnerId = PartnerId(1);
const STRANGER: PartnerId = PartnerId(2);
const EDGE1: EdgePoolId = EdgePoolId(0);

fn query(protocol: Protocol, direction: Direction) -> ReachQuery {
    let partner = match protocol {
        Protocol::Xmpp => XMPP_PARTNER,
        Protocol::Sip => SIP_PARTNER,
    };
    ReachQuery { partner, domain: "contoso.com".into(), protocol, direction }
}

fn inbound(fabric: &mut Fabric, protocol: Protocol) -> Reach {
    fabric.reach(&query(protocol, Direction::Inbound))
}

fn outbound(fabric: &mut Fabric, protocol: Protocol) -> Reach {
    fabric.reach(&query(protocol, Direction::Outbound))
}

fn edge(fabric: &Fabric, pool: EdgePoolId, number: usize) -> ComputerId {
    fabric.topology().edge_pool(pool).servers[number - 1].computer
}

/// Sets records of a name; TTL 0, so that no cache stands between the cases.
fn publish(fabric: &mut Fabric, name: &str, record_type: RecordType, data: Vec<RecordData>) {
    let edit = DnsEdit::Replace { name: name.into(), record_type, ttl: Some(0), data };
    fabric.edit_dns(&edit).expect("a zone of ours");
}

const XMPP_SRV: &str = "_xmpp-server._tcp.contoso.com";
const SIP_SRV: &str = "_sipfederationtls._tcp.contoso.com";

#[rstest]
fn a_healthy_deployment_is_reached_both_ways(#[values(Protocol::Xmpp, Protocol::Sip)] protocol: Protocol) {
    let mut fabric = Plan::default().fabric();
    let reach = inbound(&mut fabric, protocol);
    assert_eq!((reach.via, reach.failure), (Some((EDGE1, edge(&fabric, EDGE1, 1))), None));
    assert_eq!(reach.attempts.len(), 1);
    let reach = outbound(&mut fabric, protocol);
    assert_eq!((reach.via, reach.failure), (Some((EDGE1, edge(&fabric, EDGE1, 1))), None));
}

// RFC 6120 3.2 by its sentences. Listening: the first Edge pool, addresses 11 and 12, port 5269.
#[rstest]
#[case::next_priority_when_the_first_is_dead(vec![srv(10, 0, 5269, "xmpp2.contoso.com"), srv(20, 0, 5269, "xmpp1.contoso.com")], None)]
#[case::next_when_a_target_has_no_address(vec![srv(10, 0, 5269, "ghost.contoso.com"), srv(20, 0, 5269, "xmpp1.contoso.com")], None)]
#[case::the_port_of_the_record_counts(vec![srv(10, 0, 5270, "xmpp1.contoso.com")], Some(ReachFailure::NotConnected))]
#[case::target_behind_an_alias(vec![srv(10, 0, 5269, "chat.contoso.com")], None)]
#[case::dot_declines(vec![srv(0, 0, 0, "")], Some(ReachFailure::ServiceDeclined))]
#[case::dot_among_others_means_nothing(vec![srv(0, 0, 0, ""), srv(20, 0, 5269, "xmpp1.contoso.com")], None)]
#[case::dead_targets_have_no_fall_back(vec![srv(10, 0, 5269, "xmpp2.contoso.com")], Some(ReachFailure::NotConnected))]
fn xmpp_targets(#[case] records: Vec<RecordData>, #[case] failure: Option<ReachFailure>) {
    let mut fabric = Plan::default().fabric();
    // The domain's own address would answer: only the rules keep the partner from it.
    publish(&mut fabric, "contoso.com", RecordType::A, vec![a(11)]);
    publish(&mut fabric, XMPP_SRV, RecordType::Srv, records);
    let reach = inbound(&mut fabric, Protocol::Xmpp);
    assert_eq!(reach.failure, failure, "{reach:?}");
    assert_eq!(reach.via.is_some(), failure.is_none());
}

#[test]
fn without_srv_records_the_domains_own_address_is_tried() {
    let mut fabric = Plan::default().fabric();
    fabric.edit_dns(&DnsEdit::Remove { name: XMPP_SRV.into(), record_type: RecordType::Srv, data: None }).expect("it is there");
    assert_eq!(inbound(&mut fabric, Protocol::Xmpp).failure, Some(ReachFailure::NoRecords));
    fabric.run(LONG);
    publish(&mut fabric, "contoso.com", RecordType::A, vec![a(11)]);
    let reach = inbound(&mut fabric, Protocol::Xmpp);
    assert_eq!(reach.failure, None);
    assert_eq!((reach.attempts[0].target.host.as_str(), reach.attempts[0].target.port), ("contoso.com", 5269));
}

#[test]
fn every_address_of_a_target_is_tried() {
    let mut fabric = Plan::default().fabric();
    let first = edge(&fabric, EDGE1, 1);
    fabric.strike(Fault::Computer(first));
    let reach = inbound(&mut fabric, Protocol::Xmpp);
    assert_eq!(reach.via, Some((EDGE1, edge(&fabric, EDGE1, 2))));
    let results: Vec<_> = reach.attempts.iter().map(|attempt| attempt.result).collect();
    assert_eq!(results, [AttemptResult::Refused, AttemptResult::Answered]);
}

// Dossier F.5: SIP federation looks at the first record alone.
#[rstest]
#[case::first_record_dead(vec![srv(0, 0, 5061, "xmpp2.contoso.com"), srv(10, 0, 5061, "sip.contoso.com")], Some(ReachFailure::NotConnected))]
#[case::outside_the_domain(vec![srv(0, 0, 5061, "sip.hosting.example")], Some(ReachFailure::StrictMatch))]
#[case::a_suffix_is_not_a_domain(vec![srv(0, 0, 5061, "sip.notcontoso.com")], Some(ReachFailure::StrictMatch))]
#[case::dot_declines(vec![srv(0, 0, 0, "")], Some(ReachFailure::ServiceDeclined))]
#[case::fine(vec![srv(5, 0, 5061, "sip.contoso.com")], None)]
fn sip_targets(#[case] records: Vec<RecordData>, #[case] failure: Option<ReachFailure>) {
    let mut fabric = Plan::default().fabric();
    publish(&mut fabric, SIP_SRV, RecordType::Srv, records);
    assert_eq!(inbound(&mut fabric, Protocol::Sip).failure, failure);
}

#[test]
fn sip_federation_has_no_address_fall_back() {
    let mut fabric = Plan::default().fabric();
    publish(&mut fabric, "contoso.com", RecordType::A, vec![a(11)]);
    fabric.edit_dns(&DnsEdit::Remove { name: SIP_SRV.into(), record_type: RecordType::Srv, data: None }).expect("it is there");
    assert_eq!(inbound(&mut fabric, Protocol::Sip).failure, Some(ReachFailure::NoRecords));
}

#[test]
fn silence_of_the_dns_servers_is_told_from_absence() {
    let mut fabric = Plan::default().fabric();
    fabric.strike(Fault::DnsServer);
    assert_eq!(inbound(&mut fabric, Protocol::Xmpp).failure, Some(ReachFailure::DnsUnavailable));
    fabric.mend(Fault::DnsServer);
    assert_eq!(inbound(&mut fabric, Protocol::Xmpp).failure, None);
    fabric.strike(Fault::DnsServer);
    fabric.run(seconds(299));
    assert_eq!(inbound(&mut fabric, Protocol::Xmpp).failure, None, "all of it is cached");
    fabric.run(seconds(1));
    assert_eq!(inbound(&mut fabric, Protocol::Xmpp).failure, Some(ReachFailure::DnsUnavailable), "the addresses ran out first");
}

// Each condition of a listener, broken alone on both servers of the pool; healing brings it back.
#[rstest]
#[case::computers(Fault::EdgePool(EDGE1), Protocol::Sip)]
#[case::computers_xmpp(Fault::EdgePool(EDGE1), Protocol::Xmpp)]
#[case::port_5061(Fault::Port { from: Place::Internet, to: Place::EdgePool(EDGE1), port: 5061 }, Protocol::Sip)]
#[case::port_5269(Fault::Port { from: Place::Anywhere, to: Place::EdgePool(EDGE1), port: 5269 }, Protocol::Xmpp)]
fn nobody_listens(#[case] fault: Fault, #[case] protocol: Protocol) {
    let mut fabric = Plan::default().fabric();
    fabric.strike(fault.clone());
    assert_eq!(inbound(&mut fabric, protocol).failure, Some(ReachFailure::NotConnected));
    fabric.mend(fault);
    fabric.run(LONG);
    assert_eq!(inbound(&mut fabric, protocol).failure, None);
}

/// Set-CsEdgeServer takes any port for XMPP. On the Access Edge's one there is no XMPP, and SIP federation goes on; without
/// SIP federation the port is free.
#[test]
fn an_xmpp_proxy_on_the_port_of_the_access_edge_does_not_listen() {
    let mut fabric = Plan::default().fabric();
    publish(&mut fabric, XMPP_SRV, RecordType::Srv, vec![srv(10, 0, 5061, "xmpp1.contoso.com")]);
    let caller = Caller { computer: fabric.front_end(POOL1, 1) };
    let set = |fabric: &mut Fabric, edit: fn(&mut firedrill_fabric::config::EdgeConfiguration)| {
        let edited = fabric.edit_configuration(caller, |document| {
            edit(&mut document.edges[0]);
            Ok(())
        });
        edited.expect("the store can be written");
        fabric.run(minutes(2));
    };
    set(&mut fabric, |edge| edge.xmpp_listening_port = Some(5061));
    assert_eq!(inbound(&mut fabric, Protocol::Xmpp).failure, Some(ReachFailure::NotConnected));
    assert_eq!(outbound(&mut fabric, Protocol::Xmpp).failure, Some(ReachFailure::RouteUnavailable));
    assert_eq!(inbound(&mut fabric, Protocol::Sip).failure, None);
    assert!(fabric.behaviours().iter().any(|behaviour| behaviour == Behaviour::XmppPortTaken));
    set(&mut fabric, |edge| edge.federation = false);
    assert_eq!(inbound(&mut fabric, Protocol::Xmpp).failure, None);
    assert_eq!(inbound(&mut fabric, Protocol::Sip).failure, Some(ReachFailure::NotConnected));
}

#[test]
fn each_federation_needs_its_own_service_and_port() {
    let mut fabric = Plan::default().fabric();
    for number in 1..=2 {
        let computer = edge(&fabric, EDGE1, number);
        fabric.strike(Fault::Service(computer, ServiceName::RtcXmppTgwPx));
    }
    assert_eq!(inbound(&mut fabric, Protocol::Xmpp).failure, Some(ReachFailure::NotConnected));
    assert_eq!(inbound(&mut fabric, Protocol::Sip).failure, None);
    fabric.strike(Fault::Port { from: Place::Internet, to: Place::Anywhere, port: 5269 });
    assert_eq!(inbound(&mut fabric, Protocol::Sip).failure, None);
}

#[test]
fn the_standby_edge_pool_does_not_listen() {
    let fabric = Plan::default().fabric();
    let listening: Vec<_> = fabric.listeners().into_iter().filter(|l| l.listening).map(|l| (l.edge_pool, l.protocol)).collect();
    assert_eq!(listening, [(EDGE1, Protocol::Xmpp), (EDGE1, Protocol::Sip), (EDGE1, Protocol::Xmpp), (EDGE1, Protocol::Sip)]);
}

// Why an Edge that listens turns a partner away.
#[rstest]
#[case::next_hop_pool_gone(Protocol::Sip, Fault::Pool(POOL1), EdgeRefusal::NextHopUnavailable)]
#[case::next_hop_pool_gone_xmpp(Protocol::Xmpp, Fault::Pool(POOL1), EdgeRefusal::NextHopUnavailable)]
#[case::inner_port_sip(Protocol::Sip, Fault::Port { from: Place::EdgePool(EDGE1), to: Place::Pool(POOL1), port: 5061 }, EdgeRefusal::NextHopUnavailable)]
#[case::inner_port_xmpp(Protocol::Xmpp, Fault::Port { from: Place::EdgePool(EDGE1), to: Place::Pool(POOL1), port: 23456 }, EdgeRefusal::NextHopUnavailable)]
fn turned_away(#[case] protocol: Protocol, #[case] fault: Fault, #[case] refusal: EdgeRefusal) {
    let mut fabric = Plan::default().fabric();
    fabric.strike(fault);
    let reach = inbound(&mut fabric, protocol);
    assert_eq!((reach.via, reach.failure), (None, Some(ReachFailure::TurnedAway(refusal))));
}

#[test]
fn xmpp_needs_the_gateway_behind_the_edge() {
    let mut fabric = Plan::default().fabric();
    for number in 1..=3 {
        let computer = fabric.front_end(POOL1, number);
        fabric.strike(Fault::Service(computer, ServiceName::RtcXmppTgw));
    }
    assert_eq!(inbound(&mut fabric, Protocol::Xmpp).failure, Some(ReachFailure::TurnedAway(EdgeRefusal::NextHopUnavailable)));
    assert_eq!(inbound(&mut fabric, Protocol::Sip).failure, None);
}

/// SIP is inside TLS, so the certificate is seen first. XMPP begins in clear text (RFC 6120 5): who has no next hop says so
/// before anybody sees the certificate.
#[test]
fn when_an_expired_certificate_is_seen() {
    let mut fabric = Plan::default().fabric();
    for number in 1..=2 {
        let computer = edge(&fabric, EDGE1, number);
        fabric.strike(Fault::Certificate(computer));
    }
    let expired = Some(ReachFailure::TurnedAway(EdgeRefusal::CertificateExpired));
    for protocol in [Protocol::Xmpp, Protocol::Sip] {
        assert_eq!(inbound(&mut fabric, protocol).failure, expired);
    }
    fabric.strike(Fault::Pool(POOL1));
    assert_eq!(inbound(&mut fabric, Protocol::Sip).failure, expired);
    assert_eq!(inbound(&mut fabric, Protocol::Xmpp).failure, Some(ReachFailure::TurnedAway(EdgeRefusal::NextHopUnavailable)));
    assert_eq!(outbound(&mut fabric, Protocol::Sip).failure, Some(ReachFailure::RouteUnavailable));
}

#[rstest]
#[case(Protocol::Xmpp, STRANGER)]
#[case(Protocol::Xmpp, SIP_PARTNER)]
#[case(Protocol::Sip, XMPP_PARTNER)]
fn partners_who_are_not_allowed(#[case] protocol: Protocol, #[case] partner: PartnerId) {
    let mut fabric = Plan::default().fabric();
    for direction in [Direction::Inbound, Direction::Outbound] {
        let reach = fabric.reach(&ReachQuery { partner, domain: "contoso.com".into(), protocol, direction });
        assert_eq!(reach.failure, Some(ReachFailure::TurnedAway(EdgeRefusal::PartnerNotAllowed)), "{direction:?}");
    }
}

#[test]
fn outbound_needs_users_a_route_and_an_edge() {
    let mut fabric = Plan { sql: Sql::StandAlone, ..Plan::default() }.fabric();
    fabric.strike(Fault::Port { from: Place::EdgePool(EDGE1), to: Place::Internet, port: 5061 });
    assert_eq!(outbound(&mut fabric, Protocol::Sip).failure, Some(ReachFailure::RouteUnavailable));
    assert_eq!(outbound(&mut fabric, Protocol::Xmpp).failure, None);
    fabric.mend(Fault::Port { from: Place::EdgePool(EDGE1), to: Place::Internet, port: 5061 });
    fabric.strike(Fault::Port { from: Place::Internet, to: Place::EdgePool(EDGE1), port: 5061 });
    assert_eq!(outbound(&mut fabric, Protocol::Sip).failure, None, "what blocks partners does not block us");
    fabric.strike(Fault::EdgePool(EDGE1));
    assert_eq!(outbound(&mut fabric, Protocol::Sip).failure, Some(ReachFailure::RouteUnavailable));
    fabric.mend(Fault::EdgePool(EDGE1));
    fabric.strike(Fault::Pool(POOL1));
    fabric.strike(Fault::Pool(support::POOL2));
    fabric.run(minutes(10));
    assert_eq!(outbound(&mut fabric, Protocol::Sip).failure, Some(ReachFailure::UserNotServed));
}

#[test]
fn media_needs_the_associated_edge_pool() {
    let mut fabric = Plan::default().fabric();
    assert_eq!(fabric.media_edge(POOL1), Some((EDGE1, true)));
    fabric.strike(Fault::EdgePool(EDGE1));
    assert_eq!(fabric.media_edge(POOL1), Some((EDGE1, false)));
    fabric.mend(Fault::EdgePool(EDGE1));
    fabric.run(minutes(10));
    assert_eq!(fabric.media_edge(POOL1), Some((EDGE1, true)));
}

/// The failure page must name the cause, most telling line first.
#[test]
fn explanations_name_what_is_wrong() {
    let mut fabric = Plan::default().fabric();
    inbound(&mut fabric, Protocol::Xmpp);
    fabric.strike(Fault::Port { from: Place::Internet, to: Place::EdgePool(EDGE1), port: 5269 });
    let lines = fabric.explain_reach(&query(Protocol::Xmpp, Direction::Inbound));
    assert!(lines.contains(&"edge1-1.contoso.com does not listen on 5269: port 5269 is closed from the Internet".to_owned()), "{lines:#?}");
    assert!(lines[0].starts_with("fabrikam.net has cached _xmpp-server._tcp.contoso.com Srv until 2026-01-05T09:00:00Z"), "{lines:#?}");
    assert!(lines.last().is_some_and(|line| line == "fault: port 5269 from the internet to edgepool1.contoso.com"), "{lines:#?}");

    fabric.strike(Fault::Pool(POOL1));
    let lines = fabric.explain_pool(POOL1);
    assert_eq!(lines[0], "20000 users signed out: the home pool is gone, and the backup registrar has not noticed yet");
    assert!(
        lines.iter().any(|line| line.contains(
            "pool2.contoso.com has missed pool1.contoso.com since 2026-01-05T08:00:00Z and accepts its users from 2026-01-05T08:05:00Z"
        )),
        "{lines:#?}"
    );
}
