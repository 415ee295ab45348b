//! Synthetic transactions: registration, federation, XMPP (dossier J 9 and the samples below it).

use firedrill_fabric::federation::{Direction, EdgeRefusal, Protocol, Reach, ReachFailure, ReachQuery};
use firedrill_fabric::{ServiceMode, SimDuration};
use firedrill_powershell::{PsObject, Value};
use firedrill_topology::{ComputerRole, EdgePoolId, PoolId};

use crate::commands::Command;
use crate::context::{Cx, Done, failure, span};
use crate::shapes::Shape;
use crate::texts::{fill, text};
use crate::users::find_users;

pub(crate) const COMMANDS: &[Command] = &[
    Command::new(
        "Test-CsRegistration",
        registration,
        &["TargetFqdn", "UserSipAddress", "UserCredential", "Authentication", "RegistrarPort"],
    ),
    Command::new("Test-CsFederatedPartner", federated_partner, &["TargetFqdn", "Domain"]),
    Command::new(
        "Test-CsXmppIM",
        xmpp_im,
        &["TargetFqdn", "Receiver", "UserSipAddress", "UserCredential", "Authentication", "RegistrarPort"],
    ),
];

/// Dossier J 9.
pub(crate) static TASK_OUTPUT: Shape =
    Shape::new("Microsoft.Rtc.SyntheticTransactions.TaskOutput", &["TargetFqdn", "Result", "Latency", "Error", "Diagnosis"]);

/// How a test ended.
enum Outcome {
    Success,
    /// Error and diagnosis.
    Failure(String, String),
}

/// What a successful transaction takes: a fixed figure, because the model has no load (invented).
const LATENCY: SimDuration = SimDuration::from_millis(250);

fn task_output(target: &str, outcome: Outcome) -> PsObject {
    let values = match outcome {
        Outcome::Success => vec![Value::str(target), Value::str("Success"), span(LATENCY), Value::str(""), Value::str("")],
        // The latency of a failure is zero (documented: dossier J).
        Outcome::Failure(error, diagnosis) => {
            vec![Value::str(target), Value::str("Failure"), span(SimDuration::ZERO), Value::str(error), Value::str(diagnosis)]
        }
    };
    TASK_OUTPUT.object(values)
}

/// The Front End pool that a target names, by pool or by server.
fn target_pool(cx: &Cx<'_>, target: &str) -> Option<PoolId> {
    cx.topology.find_pool(target).or_else(|| {
        let computer = cx.topology.find_computer(target)?;
        match cx.topology.computer(computer).role {
            ComputerRole::FrontEnd(pool) => Some(pool),
            _ => None,
        }
    })
}

fn target_edge(cx: &Cx<'_>, target: &str) -> Option<EdgePoolId> {
    cx.topology.find_edge_pool(target).or_else(|| {
        let computer = cx.topology.find_computer(target)?;
        match cx.topology.computer(computer).role {
            ComputerRole::Edge(edge) => Some(edge),
            _ => None,
        }
    })
}

fn timeout(target: &str) -> Outcome {
    Outcome::Failure(text::TIMEOUT_504.template.to_owned(), fill(text::TIMEOUT_DIAGNOSIS, &[target]))
}

/// Whether a user can register through a target.
fn register(cx: &mut Cx<'_>, target: &str, address: &str) -> Outcome {
    let port = cx.integer("RegistrarPort").unwrap_or(5061).to_string();
    let Some(pool) = target_pool(cx, target) else {
        cx.warning(text::NO_CLUSTER.template);
        return Outcome::Failure(fill(text::NO_ANSWER_10060, &[target, &port]), String::new());
    };
    if cx.fabric.quorum(pool).active == 0 {
        return Outcome::Failure(fill(text::NO_ANSWER_10060, &[target, &port]), String::new());
    }
    let Some(user) = find_users(cx, address).first().copied() else {
        return Outcome::Failure(text::NOT_FOUND_404.template.to_owned(), fill(text::NOT_FOUND_DIAGNOSIS, &[target]));
    };
    // Any registrar redirects to the pool that serves the user now (documented: dossier B.1).
    match cx.fabric.serving(user).mode {
        ServiceMode::Regular | ServiceMode::Resiliency => Outcome::Success,
        ServiceMode::SignedOut => timeout(target),
    }
}

/// Without an address the test users of the health monitoring configuration are meant: the model has none.
fn test_user(cx: &mut Cx<'_>, target: &str) -> Option<String> {
    if let Some(address) = cx.text("UserSipAddress") {
        return Some(address.to_string());
    }
    cx.error(failure(
        fill(text::NO_TEST_USER, &[target]),
        "NotFoundTestUsers",
        "ResourceUnavailable",
        "System.InvalidOperationException",
        Value::str(target),
    ));
    None
}

fn target_name(cx: &Cx<'_>) -> String {
    // The client platform set may leave it out: the session's own pool is meant.
    let own = match cx.topology.computer(cx.here).role {
        ComputerRole::FrontEnd(pool) => cx.pool_fqdn(pool),
        _ => cx.computer_fqdn(cx.here),
    };
    cx.text("TargetFqdn").map_or_else(|| own.to_owned(), |target| target.to_string())
}

fn registration(cx: &mut Cx<'_>) -> Done {
    let target = target_name(cx);
    let Some(address) = test_user(cx, &target) else {
        return Ok(());
    };
    let bare = address.strip_prefix("sip:").unwrap_or(&address).to_owned();
    cx.io.verbose(text::REGISTER_STARTED.template);
    cx.io.verbose(text::SENDING_REGISTRATION.template);
    cx.io.verbose(&fill(text::TARGET_FQDN, &[&target]));
    cx.io.verbose(&fill(text::USER_SIP_ADDRESS, &[&bare]));
    let port = cx.integer("RegistrarPort").unwrap_or(5061).to_string();
    cx.io.verbose(&fill(text::REGISTRAR_PORT, &[&port]));
    let authentication = if cx.given("UserCredential") { "IWA" } else { "Trusted" };
    cx.io.verbose(&fill(text::AUTH_TYPE, &[authentication]));
    let outcome = register(cx, &target, &address);
    cx.output(task_output(&target, outcome));
    Ok(())
}

/// What an outbound attempt means for the test.
fn outbound(cx: &mut Cx<'_>, target: &str, domain: &str, protocol: Protocol, through: Option<EdgePoolId>) -> Option<Outcome> {
    let Some(partner) = cx.topology.find_partner(domain) else {
        let what = format!("{}: `{domain}` is not a partner of the topology", cx.command.name);
        cx.io.unmodelled(&what);
        return None;
    };
    let own = cx.topology.sip_domains.first().cloned().unwrap_or_default();
    let Reach { via, failure, .. } = cx.fabric.reach(&ReachQuery { partner, domain: own, protocol, direction: Direction::Outbound });
    let elsewhere = match (through, via) {
        (Some(edge), Some((used, _))) => edge != used,
        _ => false,
    };
    Some(match failure {
        None if !elsewhere => Outcome::Success,
        Some(ReachFailure::TurnedAway(EdgeRefusal::PartnerNotAllowed)) => {
            Outcome::Failure(text::FORBIDDEN_403.template.to_owned(), fill(text::TIMEOUT_DIAGNOSIS, &[target]))
        }
        _ => timeout(target),
    })
}

fn federated_partner(cx: &mut Cx<'_>) -> Done {
    let target = cx.text("TargetFqdn").unwrap_or_default();
    let domain = cx.text("Domain").unwrap_or_default();
    let Some(edge) = target_edge(cx, &target) else {
        cx.warning(text::NO_CLUSTER.template);
        let outcome = Outcome::Failure(fill(text::NO_ANSWER_10060, &[&target, "5061"]), String::new());
        cx.output(task_output(&target, outcome));
        return Ok(());
    };
    let up = cx.topology.edge_pool(edge).servers.iter().any(|server| cx.fabric.reaches(cx.here, server.computer, 5061));
    let outcome = if up {
        outbound(cx, &target, &domain, Protocol::Sip, Some(edge))
    } else {
        Some(Outcome::Failure(fill(text::NO_ANSWER_10060, &[&target, "5061"]), String::new()))
    };
    if let Some(outcome) = outcome {
        cx.output(task_output(&target, outcome));
    }
    Ok(())
}

fn xmpp_im(cx: &mut Cx<'_>) -> Done {
    let target = target_name(cx);
    let Some(address) = test_user(cx, &target) else {
        return Ok(());
    };
    let receiver = cx.text("Receiver").unwrap_or_default();
    let domain = receiver.rsplit('@').next().unwrap_or_default().to_owned();
    let outcome = match register(cx, &target, &address) {
        Outcome::Success => outbound(cx, &target, &domain, Protocol::Xmpp, None),
        failed => Some(failed),
    };
    if let Some(outcome) = outcome {
        cx.output(task_output(&target, outcome));
    }
    Ok(())
}
