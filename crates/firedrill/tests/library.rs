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
