//! Registration failover and failback by the backup registrar (dossier B.2), and what it costs users.

mod support;

use firedrill_fabric::serving::{ServiceMode, Serving, ServingCause};
use firedrill_fabric::{Change, Fabric, Fault};
use firedrill_topology::{Edition, PoolId, SiteId, UserId, VoiceResiliency};
use rstest::rstest;
use support::{Drill, LONG, POOL1, POOL2, Plan, START, minutes, seconds};

const USER: UserId = UserId(17);

fn state(fabric: &Fabric) -> (ServiceMode, Option<PoolId>, ServingCause) {
    let Serving { mode, pool, cause } = fabric.serving(USER);
    (mode, pool, cause)
}

fn voice(detection_seconds: u32, failback_seconds: u32) -> Plan {
    Plan { voice: VoiceResiliency { automatic: true, detection_seconds, failback_seconds }, ..Plan::default() }
}

// B.2: the interval decides, and less than 90 seconds count as 90.
#[rstest]
#[case(300, 300)]
#[case(120, 120)]
#[case(91, 91)]
#[case(90, 90)]
#[case(30, 90)]
#[case(1, 90)]
fn the_backup_registrar_takes_over_after_the_detection_interval(#[case] configured: u32, #[case] effective: i64) {
    let mut fabric = voice(configured, 600).fabric();
    fabric.strike(Fault::Pool(POOL1));
    assert_eq!(state(&fabric), (ServiceMode::SignedOut, None, ServingCause::DetectionInterval));
    fabric.run(seconds(effective - 1));
    assert_eq!(state(&fabric), (ServiceMode::SignedOut, None, ServingCause::DetectionInterval));
    fabric.run(seconds(1));
    assert_eq!(state(&fabric), (ServiceMode::Resiliency, Some(POOL2), ServingCause::VoiceResiliency));
    assert_eq!(fabric.registrar_pool(USER), POOL1, "homing never changes by itself");
    let can = fabric.experience(USER);
    assert!(can.sign_in && can.peer_to_peer && can.others_conferences);
    assert!(!can.own_conferences && !can.contacts && !can.presence && !can.persistent_changes);
    fabric.run(LONG);
    assert_eq!(state(&fabric).0, ServiceMode::Resiliency, "full service needs an administrator");
}

#[rstest]
#[case(600, 600)]
#[case(240, 240)]
#[case(10, 90)]
fn users_go_home_after_the_failback_interval(#[case] configured: u32, #[case] effective: i64) {
    let mut fabric = voice(300, configured).fabric();
    fabric.strike(Fault::Pool(POOL1));
    fabric.run(minutes(10));
    fabric.mend(Fault::Pool(POOL1));
    while !fabric.pool_in_service(POOL1) {
        fabric.run(seconds(1));
    }
    assert_eq!(state(&fabric), (ServiceMode::Resiliency, Some(POOL2), ServingCause::FailbackInterval));
    fabric.run(seconds(effective - 1));
    assert_eq!(state(&fabric).1, Some(POOL2));
    fabric.run(seconds(1));
    assert_eq!(state(&fabric), (ServiceMode::Regular, Some(POOL1), ServingCause::HomePoolHealthy));
}

#[test]
fn an_outage_shorter_than_the_interval_ends_at_home() {
    let mut fabric = voice(3600, 600).fabric();
    fabric.strike(Fault::Pool(POOL1));
    fabric.mend(Fault::Pool(POOL1));
    fabric.run(minutes(30));
    assert_eq!(state(&fabric).0, ServiceMode::Regular);
    let outages = fabric.outages(POOL1);
    assert_eq!(outages.len(), 1);
    assert_eq!(outages[0].signed_in, outages[0].ended, "until then they were signed out");
    assert_eq!(outages[0].resiliency_user_seconds, 0, "the backup registrar never accepted");
}

#[test]
fn without_the_tick_box_nobody_takes_over() {
    let mut plan = voice(300, 600);
    plan.voice.automatic = false;
    let mut fabric = plan.fabric();
    fabric.strike(Fault::Pool(POOL1));
    fabric.run(LONG);
    assert_eq!(state(&fabric), (ServiceMode::SignedOut, None, ServingCause::NoBackupRegistrar));
}

#[test]
fn without_a_backup_pool_nobody_takes_over() {
    let mut fabric = Plan { paired: false, ..Plan::default() }.fabric();
    fabric.strike(Fault::Pool(POOL1));
    fabric.run(LONG);
    assert_eq!(state(&fabric), (ServiceMode::SignedOut, None, ServingCause::NoBackupRegistrar));
}

#[test]
fn a_backup_pool_that_is_down_takes_nobody_and_starts_to_count_when_it_is_up() {
    let mut fabric = Plan::default().fabric();
    fabric.strike(Fault::Pool(POOL2));
    fabric.strike(Fault::Pool(POOL1));
    fabric.run(LONG);
    assert_eq!(state(&fabric).0, ServiceMode::SignedOut);
    fabric.mend(Fault::Pool(POOL2));
    while !fabric.pool_in_service(POOL2) {
        fabric.run(seconds(1));
    }
    fabric.run(seconds(299));
    assert_eq!(state(&fabric).0, ServiceMode::SignedOut);
    fabric.run(seconds(1));
    assert_eq!(state(&fabric), (ServiceMode::Resiliency, Some(POOL2), ServingCause::VoiceResiliency));
    fabric.strike(Fault::Pool(POOL2));
    assert_eq!(state(&fabric).0, ServiceMode::SignedOut, "and drops them when it goes");
}

#[test]
fn a_cut_link_moves_nobody_but_keeps_users_on_the_backup_pool() {
    let link = Fault::Link(SiteId(1), SiteId(0));
    let mut fabric = Plan::default().fabric();
    fabric.strike(link.clone());
    fabric.run(LONG);
    assert_eq!(state(&fabric).0, ServiceMode::Regular, "clients try the home pool first");

    fabric.strike(Fault::Pool(POOL1));
    fabric.run(minutes(6));
    assert_eq!(state(&fabric), (ServiceMode::Resiliency, Some(POOL2), ServingCause::VoiceResiliency));
    fabric.mend(Fault::Pool(POOL1));
    fabric.run(LONG);
    assert_eq!(state(&fabric).1, Some(POOL2), "the backup pool does not see that the home pool is back");
    fabric.mend(link);
    fabric.run(seconds(599));
    assert_eq!(state(&fabric), (ServiceMode::Resiliency, Some(POOL2), ServingCause::FailbackInterval));
    fabric.run(seconds(1));
    assert_eq!(state(&fabric).0, ServiceMode::Regular);
}

#[test]
fn services_that_nobody_started_leave_users_signed_out_and_say_so() {
    let mut fabric = Plan { paired: false, ..Plan::default() }.fabric();
    fabric.strike(Fault::Pool(POOL1));
    fabric.apply(Change::HealServicesStopped(Fault::Pool(POOL1))).expect("heals");
    fabric.run(LONG);
    assert_eq!(state(&fabric), (ServiceMode::SignedOut, None, ServingCause::ServicesNotRunning));
}

#[test]
fn quorum_loss_is_named_as_the_cause() {
    let mut fabric = Plan { paired: false, ..Plan::default() }.fabric();
    for number in 1..=2 {
        let computer = fabric.front_end(POOL1, number);
        fabric.strike(Fault::Computer(computer));
    }
    assert_eq!(state(&fabric), (ServiceMode::SignedOut, None, ServingCause::PoolQuorumLost));
}

/// Outages by hand: 20,000 users × 300 s signed out, then resiliency until the end.
#[test]
fn outages_count_user_seconds() {
    let mut fabric = Plan::default().fabric();
    fabric.run(minutes(1));
    fabric.strike(Fault::Pool(POOL1));
    fabric.run(minutes(20));
    let outage = fabric.outages(POOL1)[0].clone();
    assert_eq!(outage.began, START + minutes(1));
    assert_eq!(outage.signed_in, Some(START + minutes(6)));
    assert_eq!(outage.ended, None);
    assert_eq!(outage.signed_out_user_seconds, 20_000 * 300);
    assert_eq!(outage.resiliency_user_seconds, 20_000 * 15 * 60);
    assert!(fabric.outages(POOL2).is_empty(), "users of the backup pool noticed nothing");
    fabric.mend(Fault::Pool(POOL1));
    fabric.run(LONG);
    let outage = &fabric.outages(POOL1)[0];
    let ended = outage.ended.expect("it ended");
    assert_eq!(outage.signed_out_user_seconds, 20_000 * 300);
    assert_eq!(outage.resiliency_user_seconds, 20_000 * ended.since(START + minutes(6)).as_secs() as u64);
    assert_eq!(fabric.outages(POOL1).len(), 1);
}

#[test]
fn a_standard_edition_pair_behaves_alike() {
    let mut fabric = Plan { edition: Edition::Standard, front_ends: 1, ..Plan::default() }.fabric();
    fabric.strike(Fault::Pool(POOL1));
    fabric.run(seconds(300));
    assert_eq!(state(&fabric), (ServiceMode::Resiliency, Some(POOL2), ServingCause::VoiceResiliency));
    fabric.mend(Fault::Pool(POOL1));
    fabric.run(LONG);
    assert_eq!(state(&fabric).0, ServiceMode::Regular);
}
