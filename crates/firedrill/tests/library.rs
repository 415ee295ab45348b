//! The facade as test authors use it; the first test stands in README.

use firedrill::{Drill, Error, ServiceMode};
use rstest::{fixture, rstest};

const CONTOSO: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/contoso.yaml");
const CMS_FAILOVER: &str =
    "Invoke-CsManagementServerFailover -BackupSqlServerFqdn sql2a.contoso.com -BackupSqlInstanceName rtc -Force -Confirm:$false";

#[fixture]
fn drill() -> Drill {
    Drill::from_file(CONTOSO, 7).expect("a fixture of this repository")
}

#[rstest]
#[case::before_the_detection_interval("4m", ServiceMode::SignedOut)]
#[case::after_it("5m30s", ServiceMode::Resiliency)]
fn users_of_a_lost_pool(mut drill: Drill, #[case] after: &str, #[case] mode: ServiceMode) -> Result<(), Error> {
    drill.inject("pool: pool1.contoso.com")?;
    drill.advance(after)?;
    let served = drill.serving("user00042@contoso.com")?;
    assert_eq!(served.mode, mode);
    assert_eq!(served.home, "pool1.contoso.com");
    Ok(())
}

#[rstest]
fn automation_is_tested_against_the_model(mut drill: Drill) -> Result<(), Error> {
    drill.inject("pool: pool1.contoso.com")?;
    let refusal = drill.run("pool2-fe1", "Invoke-CsPoolFailOver -PoolFqdn pool1.contoso.com -DisasterMode").expect_err("the CMS is down");
    assert!(matches!(refusal, Error::Command(_)), "{refusal}");
    drill.run("pool2-fe1", CMS_FAILOVER)?;
    drill.run("pool2-fe1", "Set-CsEdgeServer EdgeServer:edgeserver1.contoso.com -Registrar Registrar:pool2.contoso.com")?;
    let output = drill.run("pool2-fe1", "Invoke-CsPoolFailOver -PoolFqdn pool1.contoso.com -DisasterMode -Verbose")?;
    assert!(output.verbose.contains("FailedOver"), "{}", output.verbose);
    drill.expect("pool_state: { pool1.contoso.com: FailedOver }")?;
    drill.expect("serving: { of: { pool: pool1.contoso.com }, mode: regular, by: pool2.contoso.com }")
}

#[rstest]
fn a_false_expectation_says_what_was_found_and_why(mut drill: Drill) -> Result<(), Error> {
    drill.inject("pool: pool1.contoso.com")?;
    match drill.expect("serving: { of: { pool: pool1.contoso.com }, mode: regular, by: pool1.contoso.com }") {
        Err(Error::Expectation { found, because, .. }) => {
            assert!(found.contains("signed out"), "{found}");
            assert!(!because.is_empty());
            Ok(())
        }
        other => panic!("expected a false expectation, got {other:?}"),
    }
}

#[rstest]
#[case::unknown_pool("serving: { of: { pool: pool9.contoso.com }, mode: regular }", "pool9.contoso.com")]
#[case::unknown_key("servin: {}", "servin")]
fn a_bad_expectation_is_named(mut drill: Drill, #[case] expectation: &str, #[case] named: &str) {
    let error = drill.expect(expectation).expect_err("it is not valid").to_string();
    assert!(error.contains(named), "{error}");
}

#[rstest]
#[tokio::test]
async fn federation_is_asked_over_real_sockets(mut drill: Drill) -> Result<(), Error> {
    drill.connect()?;
    drill.expect("federation: { protocol: xmpp, partner: fabrikam.net, reachable: true, via: edgeserver1.contoso.com }")?;
    drill.inject("edge_pool: edgeserver1.contoso.com")?;
    drill.expect("federation: { protocol: xmpp, partner: fabrikam.net, reachable: false, failure: not_connected }")?;
    drill.heal("edge_pool: edgeserver1.contoso.com")?;
    drill.advance("10m")?;
    drill.expect("federation: { protocol: xmpp, partner: fabrikam.net, reachable: true }")
}

#[rstest]
fn a_fault_strikes_while_a_command_runs_and_heals(mut drill: Drill) -> Result<(), Error> {
    drill.inject("pool: pool1.contoso.com")?;
    drill.run("pool2-fe1", CMS_FAILOVER)?;
    drill.topology_builder("next_hop: { edgeserver1.contoso.com: pool2.contoso.com }")?;
    drill.schedule("1m", "pool: pool2.contoso.com")?;
    drill.schedule_heal("2h", "pool: pool2.contoso.com")?;
    assert_eq!(drill.serving("user00042@contoso.com")?.mode, ServiceMode::SignedOut);
    drill.run("pool2-fe1", "Invoke-CsPoolFailOver -PoolFqdn pool1.contoso.com -DisasterMode").expect_err("its pool died under it");
    drill.expect("pool_state: { pool1.contoso.com: FailingOver }")?;
    drill.advance("3h")?;
    drill.run("pool2-fe1", "Invoke-CsPoolFailOver -PoolFqdn pool1.contoso.com -DisasterMode")?;
    drill.expect("pool_state: { pool1.contoso.com: FailedOver }")
}

#[rstest]
fn topology_builder_and_the_wizard_do_what_their_dialogs_do(mut drill: Drill) -> Result<(), Error> {
    let bits = "federation: { edgeserver1.contoso.com: false, edgeserver2.contoso.com: true }";
    drill.topology_builder(bits)?;
    drill.advance("10m")?;
    drill.expect("settings: { federation: { edgeserver2.contoso.com: true } }")?;
    drill.expect("setup_pending: { edgeserver2.contoso.com: true }")?;
    let output = drill.deployment_wizard(&["edgeserver2.contoso.com", "edgeserver1a"])?;
    assert!(output.took > firedrill::SimDuration::ZERO);
    drill.expect("setup_pending: { edgeserver2.contoso.com: false }")
}

#[rstest]
fn dns_is_edited_and_caches_run_out(mut drill: Drill) -> Result<(), Error> {
    let seen = |address: &str| format!("dns: {{ seen_by: fabrikam.net, name: xmpp.contoso.com, type: A, data: [{address}] }}");
    drill.expect(&seen("203.0.113.11, 203.0.113.12"))?;
    drill.edit_dns("set: { name: xmpp.contoso.com, type: A, data: [198.51.100.11] }")?;
    drill.expect(&seen("203.0.113.11, 203.0.113.12"))?;
    drill.advance("1h1m")?;
    drill.expect(&seen("198.51.100.11"))
}

#[rstest]
fn expectations_look_at_the_last_command(mut drill: Drill) -> Result<(), Error> {
    drill.run("pool1-fe1", "Get-CsPool -Identity nowhere.contoso.com").expect_err("there is no such pool");
    drill.expect("fails: { contains: nowhere.contoso.com }")?;
    drill.run("pool1-fe1", "Get-CsPool -Identity pool1.contoso.com")?;
    drill.expect("objects: { count: 1, all: { Identity: pool1.contoso.com } }")?;
    drill.expect("fails: {}").expect_err("the last command did not fail");
    Ok(())
}

#[rstest]
#[case::edit(Drill::topology_builder, "next_hop: { nowhere.contoso.com: pool2.contoso.com }", "nowhere.contoso.com")]
#[case::setting(Drill::topology_builder, "nexthop: { edgeserver1.contoso.com: pool2.contoso.com }", "nexthop")]
#[case::wizard(|drill: &mut Drill, name: &str| drill.deployment_wizard(&[name]), "nowhere.contoso.com", "nowhere.contoso.com")]
#[case::length(|drill: &mut Drill, after: &str| drill.schedule(after, "ad: true").map(|()| unreachable!()), "5 parsecs", "parsecs")]
fn what_is_not_valid_is_named(
    mut drill: Drill,
    #[case] act: fn(&mut Drill, &str) -> Result<firedrill::Output, Error>,
    #[case] text: &str,
    #[case] named: &str,
) {
    let error = act(&mut drill, text).expect_err("it is not valid").to_string();
    assert!(error.contains(named), "{error}");
}
