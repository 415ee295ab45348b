//! Laws of the signature table.

use firedrill_cmdlets::signatures::{self, Binding};
use firedrill_powershell::ParameterType;
use firedrill_topology::ProductVersion;
use rstest::rstest;

const VERSIONS: [ProductVersion; 4] =
    [ProductVersion::Lync2010, ProductVersion::Lync2013, ProductVersion::Sfb2015, ProductVersion::Sfb2019];

fn parameters(command: &str, version: ProductVersion, binding: Binding) -> Vec<String> {
    let info = signatures::find(command).expect("a known command").info(version, binding);
    info.parameters.iter().map(|parameter| parameter.name.to_string()).collect()
}

/// A slip in the table or its reader loses cmdlets.
#[test]
fn all_cmdlets_of_the_reference_are_there() {
    let product = signatures::all().values().filter(|signature| signature.name.contains("-Cs")).count();
    assert_eq!(product, 864);
}

/// Sets that parameters refer to exist, names are unique, positions are per set unambiguous: what the binder relies on.
#[test]
fn every_signature_is_coherent_in_every_version() {
    for signature in signatures::all().values() {
        for version in VERSIONS {
            for binding in [Binding::Procedures, Binding::Strict] {
                let info = signature.info(version, binding);
                let name = &info.name;
                assert!(info.default_set.is_none_or(|set| set < info.sets.len()), "{name}: default set");
                let mut names: Vec<_> = info.parameters.iter().map(|parameter| parameter.name.to_lowercase()).collect();
                names.sort();
                names.dedup();
                assert_eq!(names.len(), info.parameters.len(), "{name}: doubled parameter");
                for parameter in &info.parameters {
                    assert!(!parameter.memberships.is_empty(), "{name} -{}", parameter.name);
                    for membership in &parameter.memberships {
                        assert!(membership.set.is_none_or(|set| set < info.sets.len()), "{name} -{}", parameter.name);
                    }
                }
                if !signature.name_only {
                    assert_eq!(name.to_lowercase(), signature.name.to_lowercase());
                }
            }
        }
    }
}

/// Facts of the reference, each read off its page (dossier C.1, B.9, G.3, F.7).
#[rstest]
#[case::later_parameter("Invoke-CsPoolFailOver", ProductVersion::Lync2013, "SkipDataVerification", false)]
#[case::later_parameter_there("Invoke-CsPoolFailOver", ProductVersion::Sfb2015, "SkipDataVerification", true)]
#[case::not_on_failback("Invoke-CsPoolFailBack", ProductVersion::Sfb2019, "ServicesStopDelayMins", false)]
#[case::rgs_is_2019("Set-CsBackupServiceConfiguration", ProductVersion::Sfb2015, "EnableRgsBackupService", false)]
#[case::rgs_is_2019_there("Set-CsBackupServiceConfiguration", ProductVersion::Sfb2019, "EnableRgsBackupService", true)]
#[case::online_only("Move-CsUser", ProductVersion::Lync2013, "BypassEnterpriseVoiceCheck", false)]
#[case::page_without_2019("Get-CsDatabaseMirrorState", ProductVersion::Sfb2019, "PoolFqdn", true)]
fn parameters_belong_to_versions(#[case] command: &str, #[case] version: ProductVersion, #[case] parameter: &str, #[case] there: bool) {
    assert_eq!(parameters(command, version, Binding::Strict).iter().any(|name| name == parameter), there);
}

#[rstest]
#[case::since_2015("Start-CsPool", ProductVersion::Lync2013, false)]
#[case::until_2015("Get-CsPoolUpgradeReadinessState", ProductVersion::Sfb2019, false)]
#[case::since_2019("Get-CsUpgradeDomainInfo", ProductVersion::Sfb2015, false)]
#[case::xmpp_went("Get-CsXmppAllowedPartner", ProductVersion::Sfb2019, false)]
#[case::xmpp_was("Get-CsXmppAllowedPartner", ProductVersion::Sfb2015, true)]
#[case::failover("Invoke-CsPoolFailOver", ProductVersion::Lync2013, true)]
fn commands_belong_to_versions(#[case] command: &str, #[case] version: ProductVersion, #[case] there: bool) {
    assert_eq!(signatures::find(command).expect("known").exists_in(version), there);
}

/// Strict binding is the reference: no spelling of a procedure, and what is mandatory stays so.
#[test]
fn strict_binding_is_the_reference() {
    for signature in signatures::all().values() {
        let info = signature.info(ProductVersion::Sfb2015, Binding::Strict);
        assert!(info.parameters.iter().all(|parameter| !parameter.procedure_spelling), "{}", info.name);
    }
    let mandatory = |binding: Binding| {
        let info = signatures::find("Invoke-CsManagementServerFailover").expect("known").info(ProductVersion::Sfb2015, binding);
        let force = info.parameters.iter().find(|parameter| &*parameter.name == "Force").expect("it has -Force");
        force.memberships.iter().any(|membership| membership.mandatory)
    };
    assert!(mandatory(Binding::Strict));
    assert!(!mandatory(Binding::Procedures));
}

/// Types as the binder must see them; a wrong one makes arguments fail or pass that should not.
#[rstest]
#[case("Set-CsEdgeServer", "XmppListeningPort", ParameterType::Integer("System.UInt16".into(), 0, 65_535))]
#[case("Set-CsRegistrar", "FailureDetectionInterval", ParameterType::TimeSpan)]
#[case("Set-CsRegistrar", "EnableAutomaticFailover", ParameterType::Bool)]
#[case("Invoke-CsPoolFailOver", "DisasterMode", ParameterType::Switch)]
#[case("Get-CsUser", "Filter", ParameterType::Filter)]
#[case("Get-CsPool", "Filter", ParameterType::Text("System.String".into()))]
#[case("Invoke-CsPoolFailOver", "PoolFqdn", ParameterType::Text("Microsoft.Rtc.Management.Deploy.Fqdn".into()))]
fn types_are_those_of_the_reference(#[case] command: &str, #[case] parameter: &str, #[case] expected: ParameterType) {
    let info = signatures::find(command).expect("known").info(ProductVersion::Sfb2015, Binding::Strict);
    let found = info.parameters.iter().find(|known| &*known.name == parameter).expect("the parameter");
    assert_eq!(found.parameter_type, expected);
}

#[rstest]
#[case::case("invoke-cspoolfailover", Some("Invoke-CsPoolFailOver"))]
#[case::module("SkypeForBusiness\\Get-CsUser", Some("Get-CsUser"))]
#[case::program("Bootstrapper", Some("Bootstrapper.exe"))]
#[case::unknown("Get-CsNonsense", None)]
fn names_are_found(#[case] name: &str, #[case] expected: Option<&str>) {
    assert_eq!(signatures::find(name).map(|signature| signature.name), expected);
}
