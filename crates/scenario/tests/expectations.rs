//! Every kind of expectation, once where it holds and once where it does not: an expectation that cannot fail proves nothing.

use std::path::Path;
use std::sync::Arc;

use firedrill_fabric::{Fault, Place, SimDuration};
use firedrill_scenario::document::BindingMode;
use firedrill_scenario::scenario::Deed;
use firedrill_scenario::{DEFAULT_START, Drill, Expectation, Finding, describe, read_expectations};
use firedrill_topology::{EdgePoolId, PoolId, Topology};
use rstest::rstest;

fn contoso() -> Arc<Topology> {
    let bytes = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/contoso.yaml")).unwrap();
    Arc::new(firedrill_topology::load_bytes("contoso.yaml", &bytes).into_result().unwrap())
}

/// States that expectations look at.
#[derive(Debug, Clone, Copy)]
enum State {
    /// Ten minutes after the start.
    Healthy,
    /// Ten minutes after Site1 was lost: users of Pool1 are in resiliency mode, the CMS is down.
    Site1Lost,
    /// Pool1 was failed over in disaster mode.
    FailedOver,
}

const FAIL_OVER: &str = "
Invoke-CsManagementServerFailover -BackupSqlServerFqdn sql2a.contoso.com -BackupSqlInstanceName rtc -Force -Confirm:$false
Set-CsEdgeServer -Identity EdgeServer:edgeserver1.contoso.com -Registrar Registrar:pool2.contoso.com
Invoke-CsPoolFailover -PoolFqdn pool1.contoso.com -DisasterMode -Confirm:$false
";

fn drill(state: State) -> Drill {
    let topology = contoso();
    let mut drill = Drill::new(topology.clone(), 1, DEFAULT_START, BindingMode::Default);
    drill.advance(SimDuration::from_mins(10)).unwrap();
    match state {
        State::Healthy => {}
        State::Site1Lost => {
            drill.deed(&Deed::Inject(vec![Fault::Site(topology.find_site("Site1").unwrap())])).unwrap();
            drill.advance(SimDuration::from_mins(10)).unwrap();
        }
        State::FailedOver => {
            drill.deed(&Deed::Inject(vec![Fault::Pool(topology.find_pool("pool1.contoso.com").unwrap())])).unwrap();
            drill.advance(SimDuration::from_mins(10)).unwrap();
            let said = drill.run(topology.find_computer("pool2-fe1").unwrap(), FAIL_OVER, None).unwrap();
            assert!(said.errors.is_empty(), "{:#?}", said.errors);
        }
    }
    drill
}

fn read(text: &str, topology: &Topology) -> Vec<Expectation> {
    read_expectations(&format!("- {text}\n"), topology)
        .unwrap_or_else(|diagnostics| panic!("{}", firedrill_syntax::render(&diagnostics, false)))
}

fn look(drill: &mut Drill, text: &str) -> (String, Finding) {
    let topology = drill.topology().clone();
    let expectations = read(text, &topology);
    let [expectation] = expectations.as_slice() else { panic!("{text} is {} checks", expectations.len()) };
    let finding = drill.expect(&expectation.check, None).unwrap();
    (describe(&expectation.check, &topology), finding)
}

#[rstest]
#[case::homing_user(State::FailedOver, "homing: { of: { user: anna@contoso.com }, pool: POOL }", "pool1.contoso.com", "pool2.contoso.com")]
#[case::homing_pool(State::FailedOver, "homing: { of: { pool: pool1.contoso.com }, pool: POOL }", "pool1.contoso.com", "pool2.contoso.com")]
#[case::homing_count(State::Healthy, "homing: { of: { pool: pool1.contoso.com }, count: POOL }", "20002", "20001")]
#[case::homing_range(
    State::Healthy,
    "homing: { of: { users: { from: user19999@contoso.com, to: user20002@contoso.com } }, pool: pool2.contoso.com, count: POOL }",
    "2",
    "4"
)]
#[case::serving_mode(State::Site1Lost, "serving: { of: { pool: pool1.contoso.com }, mode: POOL }", "resiliency", "regular")]
#[case::serving_by(
    State::FailedOver,
    "serving: { of: { pool: pool1.contoso.com }, mode: regular, by: POOL }",
    "pool2.contoso.com",
    "pool1.contoso.com"
)]
#[case::serving_count(State::Healthy, "serving: { of: { pool: pool1.contoso.com }, mode: regular, count: POOL }", "20002", "20000")]
#[case::serving_at_least(
    State::Site1Lost,
    "serving: { of: { pool: pool1.contoso.com }, mode: resiliency, at_least: POOL }",
    "20002",
    "20003"
)]
#[case::serving_at_most(
    State::Site1Lost,
    "serving: { of: { pool: pool1.contoso.com }, mode: resiliency, at_most: POOL }",
    "20002",
    "20001"
)]
#[case::serving_cause(
    State::Site1Lost,
    "serving: { of: { user: ben@contoso.com }, mode: resiliency, cause: POOL }",
    "voice_resiliency",
    "failed_over"
)]
#[case::serving_range(
    State::Site1Lost,
    "serving: { of: { users: { from: user20000@contoso.com, to: user20001@contoso.com } }, mode: regular, count: POOL }",
    "1",
    "2"
)]
#[case::experience(State::Site1Lost, "experience: { user: anna@contoso.com, persistent_changes: POOL }", "false", "true")]
#[case::experience_sign_in(State::Site1Lost, "experience: { user: anna@contoso.com, sign_in: POOL }", "true", "false")]
#[case::experience_own_conferences(State::Site1Lost, "experience: { user: anna@contoso.com, own_conferences: POOL }", "false", "true")]
#[case::experience_contacts(State::Site1Lost, "experience: { user: anna@contoso.com, contacts: POOL }", "false", "true")]
#[case::experience_presence(State::Site1Lost, "experience: { user: anna@contoso.com, presence: POOL }", "false", "true")]
#[case::experience_peer_to_peer(State::Site1Lost, "experience: { user: anna@contoso.com, peer_to_peer: POOL }", "true", "false")]
#[case::cms_master_pool(State::FailedOver, "cms: { master: POOL }", "pool2.contoso.com", "pool1.contoso.com")]
#[case::cms_master_none(State::Site1Lost, "cms: { master: POOL }", "none", "pool1.contoso.com")]
#[case::cms_agents(State::Healthy, "cms: { file_transfer_agents: POOL }", "pool1.contoso.com", "none")]
#[case::cms_database(State::Healthy, "cms: { databases: { pool2.contoso.com: POOL } }", "backup", "active")]
#[case::cms_location(State::FailedOver, "cms: { store_location: 'POOL' }", "sql2a.contoso.com\\rtc", "sql1a.contoso.com\\rtc")]
#[case::replicas_up_to_date(State::Healthy, "replicas: { up_to_date: POOL }", "true", "false")]
#[case::replicas_version(State::Healthy, "replicas: { of: [Site2], version: POOL }", "current", "behind")]
#[case::replicas_product(State::Healthy, "replicas: { of: [edgeserver1.contoso.com], product_version: POOL }", "6.0.9319.0", "none")]
#[case::pool_state(State::FailedOver, "pool_state: { pool1.contoso.com: POOL }", "FailedOver", "Active")]
#[case::backup_export(
    State::Healthy,
    "backup: { pool: pool2.contoso.com, module: CMSMaster, export: [POOL] }",
    "NotInitialized",
    "SteadyState"
)]
#[case::backup_every_module(
    State::Healthy,
    "backup: { pool: pool1.contoso.com, export: [POOL], import: NormalState }",
    "SteadyState, FinalState",
    "ErrorState"
)]
#[case::backup_available(State::Site1Lost, "backup: { pool: pool1.contoso.com, available: POOL }", "false", "true")]
#[case::services(State::Healthy, "services: { on: [pool1.contoso.com], status: POOL }", "Running", "Stopped")]
#[case::services_named(State::Site1Lost, "services: { on: [pool1-fe1.contoso.com], names: [RTCSRV], status: POOL }", "Stopped", "Running")]
#[case::services_absent(
    State::Healthy,
    "services: { on: [edgeserver1.contoso.com], names: [MASTER], status: POOL }",
    "NotInstalled",
    "Running"
)]
#[case::services_disabled(
    State::Healthy,
    "services: { on: [pool1-fe1], names: [RTCSRV], status: Running, disabled: POOL }",
    "false",
    "true"
)]
#[case::next_hop(State::FailedOver, "settings: { next_hop: { edgeserver1.contoso.com: POOL } }", "pool2.contoso.com", "pool1.contoso.com")]
#[case::federation_bit(State::Healthy, "settings: { federation: { edgeserver2.contoso.com: POOL } }", "false", "true")]
#[case::xmpp_bit(State::Healthy, "settings: { xmpp: { edgeserver2.contoso.com: POOL } }", "true", "false")]
#[case::federation_route(State::Healthy, "settings: { federation_route: { Site2: POOL } }", "edgeserver1.contoso.com", "none")]
#[case::xmpp_route(State::Healthy, "settings: { xmpp_route: { Site1: POOL } }", "edgeserver1.contoso.com", "edgeserver2.contoso.com")]
#[case::media_association(
    State::Healthy,
    "settings: { media_association: { pool2.contoso.com: POOL } }",
    "edgeserver2.contoso.com",
    "none"
)]
#[case::pairing(State::Healthy, "settings: { pairing: { pool1.contoso.com: POOL } }", "pool2.contoso.com", "none")]
#[case::voice(State::Healthy, "settings: { voice_resiliency: { pool1.contoso.com: { detection: POOL } } }", "5m", "6m")]
#[case::replica_settings(
    State::Healthy,
    "replica_settings: { on: edgeserver1a, settings: { next_hop: { edgeserver1.contoso.com: POOL } } }",
    "pool1.contoso.com",
    "pool2.contoso.com"
)]
#[case::media_via(State::Healthy, "media: { pool: pool1.contoso.com, via: POOL }", "edgeserver1.contoso.com", "edgeserver2.contoso.com")]
#[case::media_working(State::Site1Lost, "media: { pool: pool1.contoso.com, working: POOL }", "false", "true")]
#[case::dns_data(
    State::Healthy,
    "dns: { seen_by: fabrikam.net, name: xmpp.contoso.com, type: A, data: [POOL] }",
    "203.0.113.12, 203.0.113.11",
    "203.0.113.11"
)]
#[case::dns_answer(State::Healthy, "dns: { seen_by: fabrikam.net, name: chat.contoso.com, type: A, answer: POOL }", "no_name", "no_data")]
#[case::dns_cached(
    State::Healthy,
    "dns: { seen_by: fabrikam.net, name: xmpp.contoso.com, type: A, data: [203.0.113.11, 203.0.113.12], cached: POOL }",
    "false",
    // The first look has filled the cache.
    "false"
)]
#[case::reachable(State::Healthy, "federation: { protocol: xmpp, partner: fabrikam.net, reachable: POOL }", "true", "false")]
#[case::reachable_via(
    State::Healthy,
    "federation: { protocol: sip, partner: fabrikam.com, via: POOL }",
    "edgeserver1.contoso.com",
    "edgeserver2a.contoso.com"
)]
#[case::unreachable(State::Site1Lost, "federation: { protocol: sip, partner: fabrikam.com, failure: POOL }", "not_connected", "no_records")]
#[case::level(State::Healthy, "federation: { protocol: xmpp, partner: fabrikam.net, level: L6, reachable: POOL }", "true", "false")]
#[case::level_sip(State::Healthy, "federation: { protocol: sip, partner: fabrikam.com, level: L6, reachable: POOL }", "true", "false")]
#[case::level_of_a_dead_edge(
    State::Site1Lost,
    "federation: { protocol: sip, partner: fabrikam.com, level: POOL, reachable: false }",
    "L2",
    "L1"
)]
#[case::level_and_why(
    State::Site1Lost,
    "federation: { protocol: sip, partner: fabrikam.com, level: L3, failure: POOL }",
    "not_connected",
    "certificate_expired"
)]
#[case::level_outbound(
    State::Healthy,
    "federation: { protocol: xmpp, partner: fabrikam.net, direction: outbound, level: L6, via: POOL }",
    "edgeserver1a.contoso.com",
    "edgeserver2a.contoso.com"
)]
#[case::outbound(
    State::Healthy,
    "federation: { protocol: xmpp, partner: fabrikam.net, direction: outbound, via: POOL }",
    "edgeserver1.contoso.com",
    "edgeserver2.contoso.com"
)]
#[case::setup_pending(State::Healthy, "setup_pending: { edgeserver1.contoso.com: POOL }", "false", "true")]
#[case::principal_side(State::Healthy, "principal: { pool: pool1.contoso.com, databases: CentralMgmt, side: POOL }", "primary", "mirror")]
#[case::principal_instance(State::Site1Lost, "principal: { pool: pool1.contoso.com, instance: 'POOL' }", "none", "sql1a.contoso.com\\rtc")]
#[case::quorum_functional(State::Site1Lost, "quorum: { pool: pool1.contoso.com, functional: POOL }", "false", "true")]
#[case::quorum_active(State::Healthy, "quorum: { pool: pool1.contoso.com, active: POOL }", "3", "2")]
#[case::quorum_groups(State::Healthy, "quorum: { pool: pool1.contoso.com, without_primary: POOL }", "0", "1")]
#[case::rto_none(State::Healthy, "rto: { of: { pool: pool1.contoso.com }, POOL }", "at_most: 0s", "at_least: 1s")]
#[case::rto_lasting(State::Site1Lost, "rto: { of: { pool: pool1.contoso.com }, POOL }", "at_least: 10m", "at_most: 1d")]
#[case::rto_resiliency(State::Site1Lost, "rto: { of: { user: anna@contoso.com }, until: resiliency, at_most: POOL }", "6m", "1m")]
#[case::rto_over(State::FailedOver, "rto: { of: { pool: pool1.contoso.com }, at_most: POOL }", "2h", "10m")]
#[case::rpo(State::FailedOver, "rpo: { of: { pool: pool1.contoso.com }, data: user_data, POOL }", "at_most: 5m", "at_least: 1h")]
#[case::rpo_conferences(
    State::FailedOver,
    "rpo: { of: { pool: pool1.contoso.com }, data: conference_content, POOL }",
    "at_most: 10m",
    "at_least: 1h"
)]
#[case::rpo_configuration(
    State::FailedOver,
    "rpo: { of: { pool: pool1.contoso.com }, data: configuration, POOL }",
    "at_most: 10m",
    "at_least: 1h"
)]
#[case::rpo_response_groups(
    State::FailedOver,
    "rpo: { of: { user: anna@contoso.com }, data: response_groups, POOL }",
    "at_least: 0s",
    "at_most: 1s"
)]
#[case::rpo_locations(State::FailedOver, "rpo: { of: { pool: pool1.contoso.com }, data: locations, POOL }", "at_least: 0s", "at_most: 1s")]
#[case::reachable_via_a_server(
    State::Healthy,
    "federation: { protocol: xmpp, partner: fabrikam.net, via: POOL }",
    "edgeserver1.contoso.com",
    "edgeserver2a.contoso.com"
)]
fn each_kind_holds_and_fails(#[case] state: State, #[case] template: &str, #[case] right: &str, #[case] wrong: &str) {
    let mut drill = drill(state);
    let (expected, finding) = look(&mut drill, &template.replace("POOL", right));
    assert!(finding.holds, "expected {expected}\nfound    {}\n{}", finding.found, finding.explain.join("\n"));
    assert!(finding.explain.is_empty());
    let (expected, finding) = look(&mut drill, &template.replace("POOL", wrong));
    assert!(!finding.holds, "expected {expected}\nfound    {}", finding.found);
    assert!(!finding.found.is_empty());
}

/// No kind of expectation of the schema is missing from the tables of this file.
#[test]
fn every_kind_is_tested() {
    let schema = firedrill_scenario::schema();
    let kinds = schema["$defs"]["ExpectationDocument"]["oneOf"].as_array().unwrap();
    assert!(kinds.len() > 20, "{}", kinds.len());
    for kind in kinds {
        assert!(kind["description"].as_str().is_some_and(|text| text.len() > 10), "the schema says nothing about {kind}");
        for name in kind["required"].as_array().unwrap() {
            let template = format!("\"{}: {{", name.as_str().unwrap());
            assert!(include_str!("expectations.rs").contains(&template), "no test of {name}");
        }
    }
}

/// Users who are nobody are no evidence: "all of them" over an empty pool must not hold.
#[test]
fn all_of_nobody_does_not_hold() {
    let mut topology = Topology::clone(&contoso());
    topology.users.cohorts.clear();
    let mut drill = Drill::new(Arc::new(topology), 1, DEFAULT_START, BindingMode::Default);
    let (_, finding) = look(&mut drill, "serving: { of: { pool: pool1.contoso.com }, mode: regular }");
    assert!(!finding.holds, "{}", finding.found);
    let (_, finding) = look(&mut drill, "homing: { of: { pool: pool1.contoso.com }, pool: pool1.contoso.com }");
    assert!(!finding.holds, "{}", finding.found);
}

/// Two objects of one property.
const TWO: &str = "[pscustomobject]@{ Name = 'one' }; [pscustomobject]@{ Name = 'two' }";

#[rstest]
#[case::output(
    "Get-CsPool | ForEach-Object { $_.Identity }",
    "output: { contains: ['pool1.contoso.com', 'pool2.contoso.com'], lacks: [pool3] }",
    true
)]
#[case::output_lacks("Get-CsPool | ForEach-Object { $_.Identity }", "output: { lacks: ['pool1.contoso.com'] }", false)]
#[case::output_is("'one'; 'two'", "output: { is: \"one\\ntwo\" }", true)]
#[case::output_is_not("'one'; 'two'", "output: { is: \"one\" }", false)]
#[case::output_matches("'abc 123'", "output: { matches: '\\d+$' }", true)]
#[case::output_matches_not("'abc'", "output: { matches: '\\d' }", false)]
#[case::fails("Get-CsPool -Identity nowhere.contoso.com", "fails: {}", true)]
#[case::fails_not("Get-CsPool", "fails: {}", false)]
#[case::fails_whole_message("throw 'no way'", "fails: { message: no way, count: 1 }", true)]
#[case::fails_part_is_not_whole("throw 'no way'", "fails: { message: no }", false)]
#[case::fails_contains("throw 'no way'", "fails: { contains: way, category: OperationStopped }", true)]
#[case::fails_contains_not("throw 'no way'", "fails: { contains: path }", false)]
#[case::fails_id("Get-NoSuchThing", "fails: { error_id: CommandNotFoundException }", true)]
#[case::fails_other_id("Get-NoSuchThing", "fails: { error_id: NextHopRefusal }", false)]
#[case::fails_other_count("throw 'no way'", "fails: { count: 2 }", false)]
#[case::warnings("Write-Warning careful", "warnings: { contains: [careful] }", true)]
#[case::warnings_not("Write-Output careful", "warnings: { contains: [careful] }", false)]
#[case::verbose("Write-Verbose detail -Verbose", "verbose: { contains: [detail] }", true)]
#[case::verbose_off("Write-Verbose detail", "verbose: { contains: [detail] }", false)]
#[case::host("Write-Host hello", "host: { is: hello }", true)]
#[case::host_not("'hello'", "host: { is: hello }", false)]
#[case::remarks(
    "Set-CsSite Site1 -XmppExternalFederationRoute edgeserver2.contoso.com",
    "remarks: { contains: [XmppExternalFederationRoute] }",
    true
)]
#[case::remarks_not(
    "Set-CsSite Site1 -XmppFederationRoute EdgeServer:edgeserver2.contoso.com",
    "remarks: { contains: [XmppExternalFederationRoute] }",
    false
)]
#[case::objects_count(TWO, "objects: { count: 2 }", true)]
#[case::objects_other_count(TWO, "objects: { count: 3 }", false)]
#[case::objects_all("Get-CsManagementStoreReplicationStatus", "objects: { all: { UpToDate: True, ReplicaFqdn: '*.contoso.com' } }", true)]
#[case::objects_not_all(TWO, "objects: { all: { Name: one } }", false)]
#[case::objects_any(TWO, "objects: { any: { Name: ONE } }", true)]
#[case::objects_no_such(TWO, "objects: { any: { Name: three } }", false)]
#[case::objects_none(TWO, "objects: { none: { Name: three } }", true)]
#[case::objects_one(TWO, "objects: { none: { Name: two } }", false)]
#[case::objects_are(TWO, "objects: { are: [ { Name: one }, { Name: two } ] }", true)]
#[case::objects_other_order(TWO, "objects: { are: [ { Name: two }, { Name: one } ] }", false)]
#[case::objects_of_nothing("$null", "objects: { all: { Identity: x } }", false)]
#[case::took("Start-Sleep -Seconds 90", "took: { at_least: 90s, at_most: 90s }", true)]
#[case::took_longer("Start-Sleep -Seconds 90", "took: { at_most: 89s }", false)]
fn commands_are_judged_by_what_they_say(#[case] command: &str, #[case] expectation: &str, #[case] holds: bool) {
    let mut drill = drill(State::Healthy);
    let topology = drill.topology().clone();
    let said = drill.run(topology.find_computer("pool1-fe1").unwrap(), command, None).unwrap();
    let finding = drill.expect(&read(expectation, &topology)[0].check, Some(&said)).unwrap();
    assert_eq!(finding.holds, holds, "found {}\n{}\n{:?}", finding.found, finding.explain.join("\n"), said.streams);
}

/// A partner that is turned away got somewhere all the same: as far as a level below L5, and through which Edge.
#[rstest]
// XMPP: features come before the certificate.
#[case::expired(certificates, "xmpp", "fabrikam.net", "certificate_expired", 3)]
// SIP: the handshake shows the certificate first.
#[case::expired_sip(certificates, "sip", "fabrikam.com", "certificate_expired", 2)]
// The header says whom it is for: without a next hop the stream is refused.
#[case::next_hop(|_: &Topology| vec![Fault::Pool(PoolId(0))], "xmpp", "fabrikam.net", "next_hop_unavailable", 2)]
// A 504 is an answer over TLS.
#[case::next_hop_sip(|_: &Topology| vec![Fault::Pool(PoolId(0))], "sip", "fabrikam.com", "next_hop_unavailable", 4)]
#[case::dead(|_: &Topology| vec![Fault::EdgePool(EdgePoolId(0))], "xmpp", "fabrikam.net", "not_connected", 1)]
#[case::no_way_back(
    |_: &Topology| vec![Fault::Port { from: Place::EdgePool(EdgePoolId(0)), to: Place::Internet, port: 5269 }],
    "xmpp",
    "fabrikam.net",
    "no_answer",
    5
)]
fn levels_of_who_is_turned_away(
    #[case] faults: fn(&Topology) -> Vec<Fault>,
    #[case] protocol: &str,
    #[case] partner: &str,
    #[case] failure: &str,
    #[case] reached: u32,
) {
    let mut drill = drill(State::Healthy);
    drill.deed(&Deed::Inject(faults(&contoso()))).unwrap();
    drill.advance(SimDuration::from_mins(10)).unwrap();
    for level in 1..=6 {
        let about = format!("protocol: {protocol}, partner: {partner}, level: L{level}");
        let via = if (2..=reached).contains(&level) { ", via: edgeserver1.contoso.com" } else { "" };
        let (_, finding) = look(&mut drill, &format!("federation: {{ {about}{via} }}"));
        assert_eq!(finding.holds, level <= reached, "L{level}: {}", finding.found);
        let failure = if level == 6 || failure != "no_answer" { failure } else { "not_connected" };
        let (_, finding) = look(&mut drill, &format!("federation: {{ {about}, failure: {failure} }}"));
        assert_eq!(finding.holds, level > reached, "L{level}: {}", finding.found);
    }
}

fn certificates(topology: &Topology) -> Vec<Fault> {
    ["edgeserver1a", "edgeserver1b"].map(|name| Fault::Certificate(topology.find_computer(name).unwrap())).to_vec()
}

/// Two worlds, one truth: a model that forgets what a partner's resolver has cached is found out by the real one.
#[test]
fn a_model_that_disagrees_with_the_wire_is_a_bug() {
    use firedrill_fabric::fault::DnsEdit;
    use firedrill_topology::{RecordData, RecordType};

    const REACHED: &str = "federation: { protocol: xmpp, partner: fabrikam.net, via: edgeserver1.contoso.com }";
    let mut drill = drill(State::Healthy);
    drill.connect().unwrap();
    let forgetful = drill.fabric().clone();
    assert!(look(&mut drill, REACHED).1.holds);
    *drill.fabric_mut() = forgetful;
    let record = RecordData::A("198.51.100.11".parse().unwrap());
    let edit = DnsEdit::Replace { name: "xmpp.contoso.com".into(), record_type: RecordType::A, ttl: None, data: vec![record] };
    drill.deed(&Deed::Dns(vec![edit])).unwrap();
    let check = read(REACHED, &drill.topology().clone()).remove(0).check;
    let bug = drill.expect(&check, None).unwrap_err();
    assert!(bug.what.contains("disagree"), "{bug}");
}
