//! Edge settings and site routes: next hop, federation and XMPP routes (dossier F.1, F.3, F.7).

use firedrill_powershell::Value;
use firedrill_powershell::command::CommandError;
use firedrill_topology::{ComputerRole, EdgePoolId, PoolId};

use crate::commands::Command;
use crate::context::{Cx, Done, strip_identity};
use crate::services::{edge_port, edge_port_names};

pub(crate) const COMMANDS: &[Command] = &[
    Command::new(
        "Set-CsEdgeServer",
        set_edge_server,
        &[
            "Identity",
            "Registrar",
            "AccessEdgeClientSipPort",
            "AccessEdgeExternalSipPort",
            "AccessEdgeInternalSipPort",
            "DataPsomClientPort",
            "DataPsomServerPort",
            "MediaCommunicationPortCount",
            "MediaCommunicationPortStart",
            "MediaRelayAuthEdgePort",
            "MediaRelayExternalTurnTcpPort",
            "MediaRelayExternalTurnUdpPort",
            "MediaRelayInternalTurnTcpPort",
            "MediaRelayInternalTurnUdpPort",
            "SkypeSearchProxyPort",
            "XmppInternalPort",
            "XmppListeningPort",
        ],
    ),
    Command::new("Set-CsSite", set_site, &["Identity", "FederationRoute", "XmppFederationRoute", "XmppExternalFederationRoute"]),
];

/// The Edge pool that a value names. The reference wants `EdgeServer:<pool FQDN>`; the procedures print the bare FQDN
/// of the pool or of one of its servers, which works by default with a remark (procedures.md, dossier K.3).
pub(crate) fn edge_reference(cx: &mut Cx<'_>, value: &str) -> Result<EdgePoolId, Box<CommandError>> {
    let bare = strip_identity(value, &["EdgeServer"]);
    let prefixed = bare.len() != value.len();
    let pool = cx.topology.find_edge_pool(bare);
    let server = cx.topology.find_computer(bare).and_then(|computer| match cx.topology.computer(computer).role {
        ComputerRole::Edge(edge) => Some(edge),
        _ => None,
    });
    let found = match (pool, server, cx.strict()) {
        (Some(edge), _, strict) if prefixed || !strict => Some(edge),
        (None, Some(edge), false) => Some(edge),
        _ => None,
    };
    let Some(edge) = found else {
        return Err(cx.not_found("Edge Server service", value));
    };
    let proper = format!("EdgeServer:{}", cx.edge_fqdn(edge));
    if !proper.eq_ignore_ascii_case(value) && !value.to_ascii_lowercase().starts_with("service:") {
        let remark = format!("{}: `{value}` is taken as `{proper}`; a real shell wants that form", cx.command.name);
        cx.io.remark(&remark);
    }
    Ok(edge)
}

/// The pool that a value names as registrar. The reference wants `Registrar:<pool FQDN>`.
pub(crate) fn registrar_reference(cx: &mut Cx<'_>, value: &str) -> Result<PoolId, Box<CommandError>> {
    let bare = strip_identity(value, &["Registrar"]);
    let prefixed = bare.len() != value.len();
    let found = cx.topology.find_pool(bare).filter(|_| prefixed || !cx.strict());
    let Some(pool) = found else {
        return Err(cx.not_found("Registrar service", value));
    };
    if !prefixed {
        let remark = format!("{}: `{value}` is taken as `Registrar:{bare}`; a real shell wants that form", cx.command.name);
        cx.io.remark(&remark);
    }
    Ok(pool)
}

fn set_edge_server(cx: &mut Cx<'_>) -> Done {
    let configuration = cx.store()?;
    let edge = match cx.text("Identity") {
        // The prefix is optional here (documented: dossier F.1).
        Some(identity) => {
            let bare = strip_identity(&identity, &["EdgeServer"]);
            cx.topology.find_edge_pool(bare).ok_or_else(|| cx.not_found("Edge Server service", &identity))?
        }
        None => return Err(cx.not_found("Edge Server service", "")),
    };
    let next_hop = match cx.text("Registrar") {
        None => None,
        Some(name) => Some(registrar_reference(cx, &name)?),
    };
    let mut ports: Vec<(&'static str, u16)> = Vec::new();
    for name in edge_port_names() {
        let Some(port) = cx.integer(name).and_then(|port| u16::try_from(port).ok()) else {
            continue;
        };
        if edge_port(&configuration, edge, name) != Some(port) {
            // Ports are stored and shown; what listens in the model listens on the default ones.
            cx.unmodelled(name, &port.to_string());
            ports.push((name, port));
        }
    }
    let xmpp = cx.integer("XmppListeningPort").and_then(|port| u16::try_from(port).ok());
    let target = format!("EdgeServer:{}", cx.edge_fqdn(edge));
    if !cx.proceed(&target)? {
        return Ok(());
    }
    cx.edit(|configuration| {
        let settings = &mut configuration.edges[edge.index()];
        settings.next_hop = next_hop.unwrap_or(settings.next_hop);
        settings.ports.extend(ports.iter().map(|(name, port)| ((*name).to_owned(), *port)));
        if let Some(port) = xmpp {
            settings.xmpp_listening_port = (port != 0).then_some(port);
        }
        Ok(())
    })
}

/// What a route parameter asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Route {
    Keep,
    Clear,
    To(EdgePoolId),
}

fn route(cx: &mut Cx<'_>, parameter: &str) -> Result<Route, Box<CommandError>> {
    match cx.parameters.get(parameter) {
        None => Ok(Route::Keep),
        Some(Value::Null) => Ok(Route::Clear),
        Some(_) => match cx.text(parameter) {
            Some(value) if !value.is_empty() => Ok(Route::To(edge_reference(cx, &value)?)),
            _ => Ok(Route::Clear),
        },
    }
}

fn set_site(cx: &mut Cx<'_>) -> Done {
    let identity = cx.text("Identity").unwrap_or_default();
    let prefixed = strip_identity(&identity, &["Site"]).len() != identity.len();
    let site = cx.topology.find_site(&identity).filter(|_| !(prefixed && cx.strict()));
    let Some(site) = site else {
        return Err(cx.not_found("site", &identity));
    };
    if prefixed {
        let remark = format!("Set-CsSite: the reference wants the site's name, not `{identity}`");
        cx.io.remark(&remark);
    }
    let federation = route(cx, "FederationRoute")?;
    let xmpp = match route(cx, "XmppFederationRoute")? {
        Route::Keep => route(cx, "XmppExternalFederationRoute")?,
        given => given,
    };
    let target = cx.site_identity(site);
    if !cx.proceed(&target)? {
        return Ok(());
    }
    cx.edit(|configuration| {
        let settings = &mut configuration.sites[site.index()];
        for (slot, route) in [(&mut settings.federation_route, federation), (&mut settings.xmpp_route, xmpp)] {
            match route {
                Route::Keep => {}
                Route::Clear => *slot = None,
                Route::To(edge) => *slot = Some(edge),
            }
        }
        Ok(())
    })
}
