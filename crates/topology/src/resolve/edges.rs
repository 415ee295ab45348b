//! Edge pools and their servers.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use firedrill_syntax::{Located, Span, quote};

use super::{Resolver, What, version};
use crate::document::EdgePoolDocument;
use crate::model::*;

impl Resolver<'_> {
    /// Enters Edge pools and Edge Servers into the tables, in document order.
    pub(super) fn declare_edge_pools(&mut self) {
        let mut addresses: BTreeMap<Ipv4Addr, Span> = BTreeMap::new();
        for (index, edge) in self.document.edge_pools.iter().enumerate() {
            let id = EdgePoolId(index as u32);
            let fqdn = self.fqdn("Edge pool", &edge.fqdn);
            if let Some(fqdn) = &fqdn
                && let Some((_, first)) = self.names.add(fqdn, What::EdgePool(id), edge.fqdn.span)
            {
                self.report(self.duplicate("name", &edge.fqdn, first));
            }
            let site = self.site_ref(&edge.site).unwrap_or(SiteId(0));
            let servers = self.edge_servers(id, site, edge, &mut addresses);
            let access_fqdn = self.fqdn("Access Edge service", &edge.external.access).unwrap_or_default();
            let web_conferencing_fqdn = self.fqdn("Web Conferencing Edge service", &edge.external.web_conferencing).unwrap_or_default();
            let av_fqdn = self.fqdn("A/V Edge service", &edge.external.av).unwrap_or_default();
            if let Some(port) = edge.xmpp_port
                && port.value == 0
            {
                self.report(self.error("bad-port", port.span, "port 0 cannot be listened on").hint("the XMPP port is 5269"));
            }
            self.topology.edge_pools.push(EdgePool {
                fqdn: fqdn.unwrap_or_default(),
                site,
                version: edge.product.map_or(self.topology.version, |product| version(product.value)),
                servers,
                access_fqdn,
                web_conferencing_fqdn,
                av_fqdn,
                federation: edge.federation,
                xmpp_listening_port: edge.xmpp_port.map(Located::into_inner),
                next_hop: PoolId(0),
            });
        }
    }

    fn edge_servers(
        &mut self,
        id: EdgePoolId,
        site: SiteId,
        edge: &EdgePoolDocument,
        addresses: &mut BTreeMap<Ipv4Addr, Span>,
    ) -> Vec<EdgeServer> {
        if edge.servers.is_empty() {
            let message = format!("the Edge pool {} has no server", quote(&edge.fqdn.value));
            self.report(self.error("no-edge-server", edge.fqdn.span, message).hint("list its servers in order under `servers:`"));
        }
        // An Edge pool of one server may bear the server's name, as a Standard Edition pool does.
        let single = edge.servers.len() == 1 && edge.servers[0].fqdn.eq_ignore_ascii_case(&edge.fqdn);
        let mut servers = Vec::with_capacity(edge.servers.len());
        for server in &edge.servers {
            let computer = if single {
                Some(self.add_computer(server.fqdn.to_ascii_lowercase(), site, ComputerRole::Edge(id)))
            } else {
                self.server("Edge Server", &server.fqdn, site, What::EdgeServer(id), ComputerRole::Edge(id))
            };
            let external = self.external_address(&server.external, addresses);
            if let (Some(computer), Some(external)) = (computer, external) {
                servers.push(EdgeServer { computer, external });
            }
        }
        servers
    }

    fn external_address(&mut self, text: &Located<String>, addresses: &mut BTreeMap<Ipv4Addr, Span>) -> Option<Ipv4Addr> {
        let Ok(address) = text.trim().parse::<Ipv4Addr>() else {
            let message = format!("{} is not an IPv4 address", quote(&text.value));
            self.report(self.error("bad-address", text.span, message).hint("four numbers from 0 to 255, as in `203.0.113.11`"));
            return None;
        };
        if address.is_unspecified() || address.is_loopback() || address.is_multicast() || address.is_broadcast() {
            let message = format!("{} cannot be an Edge Server's external address", quote(&text.value));
            self.report(self.error("bad-address", text.span, message).hint("give the address that the outside reaches"));
            return None;
        }
        if let Some(first) = addresses.insert(address, text.span) {
            let message = format!("the external address {} belongs to two Edge Servers", quote(&text.value));
            self.report(self.error("duplicate-address", text.span, message).label(first, "first here").hint("give each server its own"));
        }
        Some(address)
    }

    pub(super) fn link_edge_pools(&mut self) {
        for (index, edge) in self.document.edge_pools.iter().enumerate() {
            let next_hop = self.pool_ref("next hop", &edge.next_hop).unwrap_or(PoolId(0));
            self.topology.edge_pools[index].next_hop = next_hop;
        }
    }
}
