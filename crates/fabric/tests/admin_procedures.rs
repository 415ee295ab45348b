//! Procedures P3 and P4 from end to end, and every precondition of a pool failover in its order (dossier C.3).

mod runbook;
mod support;

use std::collections::BTreeMap;

use firedrill_fabric::administration::failover_duration;
use firedrill_fabric::operation::{BackupModule, CmsFailover};
use firedrill_fabric::serving::{DataKind, ServiceMode};
use firedrill_fabric::{CmsDatabaseState, Evidence, ExportState, Fabric, Fault, Operation, PoolState, ServiceName, ServiceStatus};
use firedrill_topology::{EdgePoolId, Edition, FileStoreId, PoolId, ProductVersion, SiteId, SqlId, UserId};
use rstest::rstest;
use runbook::{Runbook, at, disaster_cms, disaster_failover, failback, planned_failover, refusal};
use support::{Drill, LONG, POOL1, POOL2, Plan, START, minutes, seconds};

const EDGE1: EdgePoolId = EdgePoolId(0);
const SITE1: Fault = Fault::Site(SiteId(0));

fn everybody(pool: PoolId, users: u32) -> BTreeMap<(ServiceMode, Option<PoolId>), u32> {
    BTreeMap::from([((ServiceMode::Regular, Some(pool)), users)])
}

/// Datacenter 1 is lost at 08:10:50; the CMS and the next hop have moved to pool 2.
fn ready_for_failover(plan: &Plan) -> Fabric {
    let mut fabric = plan.fabric();
    fabric.run(seconds(650));
    fabric.strike(SITE1);
    fabric.run(minutes(10));
    let caller = fabric.front_end(POOL2, 1);
    fabric.fail_cms_over(disaster_cms("sqlp2.contoso.com"), caller).outcome.expect("the CMS moves");
    fabric.next_hop(EDGE1, POOL2, caller);
    fabric
}

#[test]
fn p3_and_p4_from_the_loss_of_datacenter_1_to_the_return() {
    let mut fabric = Plan::default().fabric();
    let topology = fabric.topology().clone();
    fabric.run(seconds(650));
    fabric.strike(SITE1);
    fabric.run(minutes(10));
    let caller = fabric.front_end(POOL2, 1);

    // Voice resiliency has taken over after five minutes; homing stays (dossier 0.2 rules 1 and 2).
    assert_eq!(fabric.modes(POOL1), BTreeMap::from([((ServiceMode::Resiliency, Some(POOL2)), 20_000)]));
    // P3.1 and P3.3: the banner names the CMS pool, the agents are silent.
    let banner = fabric.cms_banner(at(caller), &Operation::CmsFailover(CmsFailover::Normal)).expect("the banner reads the local store");
    assert_eq!(
        banner,
        [
            "This cmdlet moves Central Management Server to the pool that contains this computer.",
            "Current State:",
            "Central Management Server Pool: \"pool1.contoso.com\"",
            "Central Management File Store: \"\\\\files1.contoso.com\\sfb\"",
            "Central Management Store: \"sqlp1.contoso.com\\rtc\"",
            "Central Management Store SCP: \"sqlp1.contoso.com\\rtc\"",
            "Proposed State:",
            "Central Management Server Pool: \"pool2.contoso.com\"",
            "Central Management File Store: \"\\\\files2.contoso.com\\sfb\"",
            "Central Management Store: \"sqlp2.contoso.com\\rtc\"",
            "Central Management Store SCP: \"sqlp2.contoso.com\\rtc\"",
        ]
    );
    let status = fabric.cms_status();
    assert_eq!((status.active_master, status.file_transfer_agents.len()), (None, 0));
    assert!(fabric.replica_states(caller).is_err());
    // Step 7 before step 5 fails because of the CMS.
    assert_eq!(refusal(&fabric.fail_over(disaster_failover(POOL1), caller)), "FailoverCmsUnavailable");

    // P3.5: inside the documented five minutes.
    let report = fabric.fail_cms_over(disaster_cms("sqlp2.contoso.com"), caller);
    report.outcome.expect("the CMS moves");
    assert!(report.ended.since(report.started) <= minutes(5));
    let status = fabric.cms_status();
    assert_eq!((status.active_master, status.file_transfer_agents), (Some(caller), vec![caller]));
    assert_eq!(fabric.configuration_store_location(), Ok(("sqlp2.contoso.com".into(), "rtc".into())));
    fabric.run(minutes(3));
    for state in fabric.replica_states(caller).expect("the CMS answers") {
        let site = topology.computer(state.computer).site;
        assert_eq!(state.up_to_date, site == SiteId(1), "{}", topology.computer(state.computer).fqdn);
    }

    // P3.7: the next hop first, then the failover.
    let report = fabric.fail_over(disaster_failover(POOL1), caller);
    let error = report.outcome.expect_err("Edge pool 1 still goes through pool 1");
    assert_eq!(
        error.message,
        concat!(
            "This Front-end pool \"pool1.contoso.com\" is specified in topology as the next hop for the Edge server. ",
            "Failing over this pool may cause External access/Federation/Split-domain/XMPP features to stop working. ",
            "Please use Topology Builder to change the Edge internal next hop setting to point to a different Front-end pool,",
            "  before you proceed."
        )
    );
    assert_eq!(error.evidence, Evidence::Documented);
    assert_eq!(fabric.pool_state(POOL1), PoolState::Active);
    fabric.next_hop(EDGE1, POOL2, caller);
    let report = fabric.fail_over(disaster_failover(POOL1), caller);
    report.outcome.expect("the pool fails over");
    assert_eq!(report.ended.since(report.started), failover_duration(ProductVersion::Sfb2015, 20_000));
    assert_eq!(fabric.pool_state(POOL1), PoolState::FailedOver);
    assert_eq!(fabric.modes(POOL1), everybody(POOL2, 20_000));
    assert_eq!(fabric.registrar_pool(UserId(0)), POOL1);
    // The crash came 50 seconds after a two-minute cycle.
    assert_eq!(fabric.lost(POOL1, DataKind::UserData), [Some(seconds(50))]);
    assert_eq!(fabric.lost(POOL1, DataKind::ConferenceContent), [Some(seconds(50))]);
    assert_eq!(fabric.lost(POOL1, DataKind::ResponseGroups), [None]);
    assert_eq!(fabric.lost(POOL1, DataKind::Configuration), []);

    // P4: the data centre returns, users stay until the failback (dossier 0.2 rule 7).
    fabric.mend(SITE1);
    fabric.run(minutes(30));
    assert_eq!(fabric.modes(POOL1), everybody(POOL2, 20_000));
    let started = fabric.now();
    let report = fabric.fail_back(failback(POOL1), caller);
    report.outcome.expect("the pool fails back");
    assert_eq!(fabric.now().since(started), minutes(60), "60 minutes for 20,000 users");
    assert_eq!(fabric.pool_state(POOL1), PoolState::Active);
    assert_eq!(fabric.modes(POOL1), everybody(POOL1, 20_000));
    assert_eq!(fabric.lost(POOL1, DataKind::UserData).len(), 1, "a failback with both pools loses nothing");
    // The CMS may stay on pool 2, and the returned master has been demoted.
    let states: Vec<_> = fabric.cms_databases().iter().map(|report| (report.pool, report.state)).collect();
    assert_eq!(states, [(POOL1, CmsDatabaseState::Backup), (POOL2, CmsDatabaseState::Active)]);
    fabric.run(minutes(5));
    assert!(fabric.replica_states(caller).expect("the CMS answers").iter().all(|state| state.up_to_date));

    // Conference content needs a sync of its own (dossier A.5, incident 24).
    assert_eq!(fabric.backup_module(POOL2, BackupModule::DataConf), ExportState::NonSteadyState);
    let sync = Operation::BackupSync { pool: POOL2, module: Some(BackupModule::DataConf) };
    fabric.go(sync, caller).outcome.expect("the way is whole");
    fabric.run(minutes(1));
    assert_eq!(fabric.backup_module(POOL2, BackupModule::DataConf), ExportState::SteadyState);
}

#[test]
fn a_pool_failover_passes_through_resiliency_and_its_verbose_lines_name_the_routing_groups() {
    let mut fabric = ready_for_failover(&Plan::default());
    let caller = fabric.front_end(POOL2, 1);
    let process = fabric.start_operation(Operation::PoolFailover(disaster_failover(POOL1)), at(caller));
    assert_eq!(fabric.pool_state(POOL1), PoolState::FailingOver);
    fabric.run(seconds(100));
    assert_eq!(fabric.modes(POOL1), BTreeMap::from([((ServiceMode::Resiliency, Some(POOL2)), 20_000)]));
    assert_eq!(fabric.take_report(process), None);
    fabric.run(minutes(5));
    let report = fabric.take_report(process).expect("it has ended");
    let hydrated: Vec<_> = report.messages.iter().filter(|(_, _, text)| text.starts_with("Hydrating")).collect();
    assert_eq!(hydrated.len(), 4);
    assert!(hydrated.windows(2).all(|pair| pair[0].0 < pair[1].0), "lines come while it runs");
    assert_eq!(fabric.take_report(process), None, "a report is handed out once");
}

#[derive(Debug, Clone, Copy)]
enum Spoil {
    Unpaired,
    CmsDown,
    CmsOnThePool,
    AgentsSilent,
    NextHop,
    AlreadyFailedOver,
    SourceServicesDown,
    Port9001,
    SourceBackEnd,
    BackupPoolServesNobody,
    BackupServiceDown,
    BackupFileStore,
}

impl Spoil {
    /// Everything that breaks preconditions, in the order in which they are checked.
    const ALL: [Self; 12] = [
        Self::Unpaired,
        Self::CmsDown,
        Self::CmsOnThePool,
        Self::AgentsSilent,
        Self::NextHop,
        Self::AlreadyFailedOver,
        Self::SourceServicesDown,
        Self::Port9001,
        Self::SourceBackEnd,
        Self::BackupPoolServesNobody,
        Self::BackupServiceDown,
        Self::BackupFileStore,
    ];

    fn apply(self, fabric: &mut Fabric) {
        let topology = fabric.topology().clone();
        let caller = fabric.front_end(POOL2, 1);
        match self {
            Self::Unpaired => fabric.edit(caller, |document| document.pools[0].backup = None),
            Self::CmsDown => fabric.strike(Fault::ActiveDirectory),
            Self::CmsOnThePool => {
                fabric.go(
                    Operation::SetConfigurationStoreLocation { sql_server: "sqlp1.contoso.com".into(), instance: "rtc".into() },
                    caller,
                );
            }
            Self::AgentsSilent => {
                for number in 1..=3 {
                    let computer = fabric.front_end(POOL2, number);
                    fabric.strike(Fault::Service(computer, ServiceName::Fta));
                }
            }
            Self::NextHop => fabric.next_hop(EDGE1, POOL1, caller),
            Self::AlreadyFailedOver => fabric.edit(caller, |document| document.pools[0].pool_state = PoolState::FailedOver),
            Self::SourceServicesDown => {
                for number in 1..=3 {
                    let computer = fabric.front_end(POOL1, number);
                    fabric.strike(Fault::Service(computer, ServiceName::RtcSrv));
                }
            }
            Self::Port9001 => fabric.strike(Fault::Port {
                from: firedrill_fabric::Place::Pool(POOL2),
                to: firedrill_fabric::Place::Pool(POOL1),
                port: 9001,
            }),
            Self::SourceBackEnd => {
                fabric.strike(Fault::SqlInstance(SqlId(0)));
                fabric.strike(Fault::SqlInstance(SqlId(1)));
            }
            Self::BackupPoolServesNobody => fabric.edit(caller, |document| document.pools[1].pool_state = PoolState::FailedOver),
            Self::BackupServiceDown => {
                for number in 1..=3 {
                    let computer = fabric.front_end(POOL2, number);
                    fabric.strike(Fault::Service(computer, ServiceName::LyncBackup));
                }
            }
            Self::BackupFileStore => {
                assert!(topology.pool(POOL2).file_store == Some(FileStoreId(1)));
                fabric.strike(Fault::FileStore(FileStoreId(1)));
            }
        }
    }
}

/// A healthy deployment whose CMS and next hop are on pool 2, so that only what a case spoils is spoilt.
fn planned() -> Fabric {
    let mut fabric = Plan::default().fabric();
    let caller = fabric.front_end(POOL2, 1);
    fabric.fail_cms_over(CmsFailover::Normal, caller).outcome.expect("both pools are healthy");
    fabric.next_hop(EDGE1, POOL2, caller);
    fabric.run(minutes(10));
    fabric
}

#[rstest]
#[case(Spoil::Unpaired, "NoBackupPool", "Pool \"pool1.contoso.com\" does not have an associated backup pool.")]
#[case(Spoil::CmsDown, "FailoverCmsUnavailable", "The Central Management Store is not available.")]
#[case(Spoil::CmsOnThePool, "FailoverCmsUnavailable", "The Central Management Store is not available.")]
#[case(Spoil::AgentsSilent, "FailoverCmsIncomplete", "The Central Management Server isn't fully failed over")]
#[case(Spoil::NextHop, "NextHopRefusal", "This Front-end pool \"pool1.contoso.com\" is specified in topology as the next hop")]
#[case(
    Spoil::AlreadyFailedOver,
    "FailoverWrongState",
    "Pool \"pool1.contoso.com\" cannot be failed over because its PoolState is FailedOver."
)]
#[case(
    Spoil::SourceServicesDown,
    "DcomError",
    "Unable to connect to the servers in pool \"pool1.contoso.com\" due to a Distributed Component Object Model (DCOM) error. Verify that Front End service is running on servers in this pool. If the pool is set up for load balancing, verify that load balancer is configured"
)]
#[case(
    Spoil::Port9001,
    "DcomError",
    "Unable to connect to the servers in pool \"pool1.contoso.com\" due to a Distributed Component Object Model (DCOM) error."
)]
#[case(Spoil::SourceBackEnd, "SourceBackEndDown", "The back-end databases of pool \"pool1.contoso.com\" cannot be reached.")]
#[case(Spoil::BackupPoolServesNobody, "BackupPoolUnavailable", "Backup pool \"pool2.contoso.com\" is not in service.")]
#[case(
    Spoil::BackupServiceDown,
    "BackupServiceUnavailable",
    "The Backup Service is not running on any Front End Server of pool \"pool2.contoso.com\"."
)]
#[case(
    Spoil::BackupFileStore,
    "DataVerificationFailed",
    "The data of pool \"pool1.contoso.com\" could not be verified on pool \"pool2.contoso.com\"."
)]
fn each_precondition_refuses_with_its_text_and_changes_nothing(#[case] spoil: Spoil, #[case] id: &str, #[case] text: &str) {
    let mut fabric = planned();
    spoil.apply(&mut fabric);
    let before = fabric.pool_state(POOL1);
    let caller = fabric.front_end(POOL2, 1);
    let report = fabric.fail_over(planned_failover(POOL1), caller);
    let error = report.outcome.expect_err("refused");
    assert_eq!((error.id, error.message.starts_with(text)), (id, true), "{}", error.message);
    assert_eq!(fabric.pool_state(POOL1), before);
    assert_eq!(report.started, report.ended, "a refusal comes at once");
}

/// Of two broken preconditions, the one that stands first in dossier C.3 speaks.
#[test]
fn preconditions_are_checked_in_the_order_of_the_table() {
    for (position, first) in Spoil::ALL.iter().enumerate() {
        let alone = {
            let mut fabric = planned();
            first.apply(&mut fabric);
            let caller = fabric.front_end(POOL2, 1);
            refusal(&fabric.fail_over(planned_failover(POOL1), caller))
        };
        for second in &Spoil::ALL[position + 1..] {
            // These move the store or take it away, so that the other cannot be spoilt as well.
            if matches!(first, Spoil::CmsDown | Spoil::CmsOnThePool) || matches!(second, Spoil::CmsOnThePool | Spoil::CmsDown) {
                continue;
            }
            let mut fabric = planned();
            // What edits the document goes first: it needs the store.
            let edits = |spoil: &Spoil| {
                matches!(spoil, Spoil::Unpaired | Spoil::NextHop | Spoil::AlreadyFailedOver | Spoil::BackupPoolServesNobody)
            };
            if edits(second) {
                second.apply(&mut fabric);
                first.apply(&mut fabric);
            } else {
                first.apply(&mut fabric);
                second.apply(&mut fabric);
            }
            let caller = fabric.front_end(POOL2, 1);
            assert_eq!(refusal(&fabric.fail_over(planned_failover(POOL1), caller)), alone, "{first:?} before {second:?}");
        }
    }
}

#[test]
fn a_pool_that_holds_the_cms_cannot_be_failed_over_even_when_all_is_well() {
    let mut fabric = Plan::default().fabric();
    let caller = fabric.front_end(POOL2, 1);
    fabric.next_hop(EDGE1, POOL2, caller);
    fabric.run(minutes(5));
    for order in [planned_failover(POOL1), disaster_failover(POOL1)] {
        assert_eq!(refusal(&fabric.fail_over(order, caller)), "FailoverCmsOnPool");
    }
}

/// -Force hides non-fatal messages; it does not lift the refusal (dossier C.2, L).
#[test]
fn force_does_not_lift_the_next_hop_refusal() {
    let mut fabric = planned();
    let caller = fabric.front_end(POOL2, 1);
    fabric.next_hop(EDGE1, POOL1, caller);
    let order = firedrill_fabric::operation::PoolFailover { force: true, ..disaster_failover(POOL1) };
    assert_eq!(refusal(&fabric.fail_over(order, caller)), "NextHopRefusal");
}

#[test]
fn a_planned_failover_drains_and_loses_nothing() {
    let mut fabric = planned();
    fabric.run(seconds(77));
    let caller = fabric.front_end(POOL2, 1);
    assert_eq!(fabric.backup_module(POOL1, BackupModule::PresenceFocus), ExportState::SteadyState);
    let report = fabric.fail_over(planned_failover(POOL1), caller);
    report.outcome.expect("both pools are healthy");
    assert_eq!(fabric.modes(POOL1), everybody(POOL2, 20_000));
    assert_eq!(fabric.data_losses(), []);
    assert_eq!(fabric.backup_module(POOL1, BackupModule::PresenceFocus), ExportState::FinalState);
}

#[test]
fn a_pool_whose_back_end_is_down_fails_over_in_disaster_mode() {
    let mut fabric = planned();
    Spoil::SourceBackEnd.apply(&mut fabric);
    fabric.run(minutes(3));
    let caller = fabric.front_end(POOL2, 1);
    fabric.fail_over(disaster_failover(POOL1), caller).outcome.expect("this is what the switch is for (dossier C.1)");
    assert_eq!(fabric.modes(POOL1), everybody(POOL2, 20_000));
    // Front Ends went on writing for three minutes after the path broke; before it, up to one cycle.
    let lost = fabric.lost(POOL1, DataKind::UserData)[0].expect("a window");
    assert!(lost >= minutes(3) && lost < minutes(5), "{lost}");
}

#[rstest]
#[case::small(ProductVersion::Sfb2015, 1, 90_003)]
#[case::twenty_thousand(ProductVersion::Sfb2019, 20_000, 150_000)]
#[case::target_population(ProductVersion::Sfb2015, 200_000, 690_000)]
#[case::target_population_2013(ProductVersion::Lync2013, 200_000, 1_380_000)]
#[case::never_beyond_the_target(ProductVersion::Lync2013, 10_000_000, 1_800_000)]
fn failover_stays_inside_the_targets(#[case] version: ProductVersion, #[case] users: u32, #[case] milliseconds: i64) {
    assert_eq!(failover_duration(version, users), firedrill_fabric::SimDuration::from_millis(milliseconds));
}

#[rstest]
#[case::minutes_at_least(100, minutes(3))]
#[case::linear(10_000, minutes(30))]
#[case::the_documented_figure(20_000, minutes(60))]
fn failback_is_linear_with_a_floor(#[case] users: u32, #[case] expected: firedrill_fabric::SimDuration) {
    assert_eq!(firedrill_fabric::administration::failback_duration(users), expected);
}

#[derive(Debug, Clone, Copy)]
enum Ill {
    NeverFailedOver,
    ServicesStopped,
    BackEnd,
    FileStore,
}

#[rstest]
#[case(Ill::NeverFailedOver, "FailbackWrongState")]
#[case(Ill::ServicesStopped, "HomePoolNotInService")]
#[case(Ill::BackEnd, "HomePoolBackEndDown")]
#[case(Ill::FileStore, "HomePoolFileStoreDown")]
fn failback_needs_a_healthy_home_pool(#[case] ill: Ill, #[case] id: &str) {
    let mut fabric = planned();
    let caller = fabric.front_end(POOL2, 1);
    if !matches!(ill, Ill::NeverFailedOver) {
        fabric.fail_over(planned_failover(POOL1), caller).outcome.expect("healthy");
    }
    match ill {
        Ill::NeverFailedOver => {}
        Ill::ServicesStopped => {
            for number in 1..=3 {
                let computer = fabric.front_end(POOL1, number);
                fabric
                    .go(Operation::StopServices { computer, service: None, graceful: false, no_wait: false }, caller)
                    .outcome
                    .expect("stops");
            }
        }
        Ill::BackEnd => Spoil::SourceBackEnd.apply(&mut fabric),
        Ill::FileStore => fabric.strike(Fault::FileStore(FileStoreId(0))),
    }
    let before = fabric.pool_state(POOL1);
    assert_eq!(refusal(&fabric.fail_back(failback(POOL1), caller)), id);
    assert_eq!(fabric.pool_state(POOL1), before);
}

/// The backup pool is lost while it serves: -DisasterMode brings users home and loses what they did meanwhile (C.1).
#[test]
fn a_disaster_failback_loses_what_was_written_on_the_backup_pool() {
    let mut fabric = planned();
    let caller = fabric.front_end(POOL2, 1);
    fabric.fail_over(planned_failover(POOL1), caller).outcome.expect("healthy");
    // Pool 1 cannot be shipped to: what users do on pool 2 stays there.
    fabric.run(minutes(3));
    fabric.strike(Fault::BackupService(POOL2));
    let since = fabric.now();
    fabric.run(minutes(20));
    let home = fabric.front_end(POOL1, 1);
    // The store has to be elsewhere before pool 2 goes.
    fabric.fail_cms_over(disaster_cms("sqlp1.contoso.com"), home).outcome.expect("moves back");
    fabric.strike(Fault::Pool(POOL2));
    let gone = fabric.now();
    fabric.run(minutes(1));
    assert_eq!(refusal(&fabric.fail_back(failback(POOL1), home)), "BackupPoolUnavailable");
    let order = firedrill_fabric::operation::PoolFailback { disaster: true, ..failback(POOL1) };
    fabric.fail_back(order, home).outcome.expect("pool 1 is healthy");
    assert_eq!(fabric.modes(POOL1), everybody(POOL1, 20_000));
    let window = fabric.lost(POOL1, DataKind::UserData)[0].expect("a window");
    // From the last cycle before the service stopped shipping, not before the take-over, to the loss of the pool.
    assert!(window >= gone.since(since) && window <= gone.since(since) + minutes(2), "{window}");
}

#[test]
fn setting_pool_state_by_hand_repairs_a_half_failed_pool() {
    let mut fabric = planned();
    let caller = fabric.front_end(POOL2, 1);
    let process = fabric.start_operation(Operation::PoolFailover(planned_failover(POOL1)), at(caller));
    fabric.run(seconds(60));
    Spoil::Port9001.apply(&mut fabric);
    fabric.run(seconds(1));
    let error = fabric.take_report(process).expect("broken off").outcome.expect_err("the interface is gone");
    assert_eq!(error.message, "Could not find a compatible interface with the server.");
    assert_eq!(fabric.pool_state(POOL1), PoolState::FailingOver);
    fabric.edit(caller, |document| document.pools[0].pool_state = PoolState::Active);
    assert_eq!(fabric.pool_state(POOL1), PoolState::Active);
    assert_eq!(fabric.modes(POOL1), everybody(POOL1, 20_000));
}

#[test]
fn a_standard_edition_pair_goes_through_p3_and_p4_too() {
    let plan = Plan { edition: Edition::Standard, front_ends: 1, users: 2_000, ..Plan::default() };
    let mut fabric = plan.fabric();
    fabric.run(minutes(9));
    fabric.strike(Fault::Pool(POOL1));
    fabric.run(minutes(10));
    let caller = fabric.front_end(POOL2, 1);
    fabric.fail_cms_over(disaster_cms("fe2-1.contoso.com"), caller).outcome.expect("the CMS moves");
    fabric.next_hop(EDGE1, POOL2, caller);
    fabric.fail_over(disaster_failover(POOL1), caller).outcome.expect("fails over");
    assert_eq!(fabric.modes(POOL1), everybody(POOL2, 2_000));
    fabric.mend(Fault::Pool(POOL1));
    fabric.run(LONG);
    let started = fabric.now();
    fabric.fail_back(failback(POOL1), caller).outcome.expect("fails back");
    assert_eq!(fabric.now().since(started), minutes(6));
    assert_eq!(fabric.modes(POOL1), everybody(POOL1, 2_000));
}

/// A caller on a computer that is down runs nothing; one that goes down mid-run takes the cmdlet with it.
#[test]
fn the_shell_dies_with_its_computer() {
    let mut fabric = planned();
    let caller = fabric.front_end(POOL2, 3);
    let process = fabric.start_operation(Operation::PoolFailover(planned_failover(POOL1)), at(caller));
    fabric.run(seconds(90));
    fabric.strike(Fault::Computer(caller));
    assert_eq!(fabric.take_report(process).expect("broken off").outcome.expect_err("no shell").id, "ShellLost");
    assert_eq!(fabric.pool_state(POOL1), PoolState::FailingOver);
    let state = fabric.service(caller, ServiceName::RtcSrv).expect("installed").status;
    assert_eq!(state, ServiceStatus::Stopped);
    assert!(fabric.fail_over(disaster_failover(POOL1), caller).outcome.is_err());
    // Another computer can run it again: FailingOver may be repeated (dossier C.5).
    let other = fabric.front_end(POOL2, 1);
    fabric.fail_over(planned_failover(POOL1), other).outcome.expect("run again");
    assert!(fabric.now() > START);
    assert_eq!(fabric.pool_state(POOL1), PoolState::FailedOver);
}
