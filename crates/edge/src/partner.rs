//! The partners' own servers, for the way out.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use firedrill_dns::AddressMap;
use firedrill_fabric::federation::Protocol;
use firedrill_topology::{Partner, PartnerId};

use crate::behaviour::Behaviour;
use crate::door::Door;
use crate::error::EdgeError;
use crate::surroundings::Surroundings;
use crate::xmpp::host::Host;

/// One server per partner, which answers for the partner's domain on 5269 and 5061 as far as it federates over them. The
/// model has no fault of a partner, so they always listen.
#[derive(Debug)]
pub struct PartnerListeners {
    map: AddressMap,
    /// Loopback address of each partner's server, by id.
    addresses: Vec<Ipv4Addr>,
    doors: BTreeMap<(PartnerId, Protocol), Door>,
}

impl PartnerListeners {
    /// Starts a server for each partner. Needs a tokio runtime.
    ///
    /// `places` are addresses that the topology gives to servers of partners, by id: there the stand-in listens, and
    /// `real` are partners played by programs outside, for which there is none.
    ///
    /// # Errors
    /// When an address or port cannot be had.
    pub(crate) async fn start(
        around: &Surroundings,
        partners: &[Partner],
        places: &[Option<Ipv4Addr>],
        real: &[PartnerId],
    ) -> Result<Self, EdgeError> {
        let mut started = Self { map: around.map().clone(), addresses: Vec::new(), doors: BTreeMap::new() };
        for (index, partner) in partners.iter().enumerate() {
            let id = PartnerId(index as u32);
            let address = match places.get(index).copied().flatten() {
                Some(place) => place,
                None => around.map().allocate(&format!("the server of `{}`", partner.domain))?,
            };
            started.addresses.push(address);
            for (protocol, wanted) in [(Protocol::Xmpp, partner.xmpp), (Protocol::Sip, partner.sip)] {
                if wanted && !real.contains(&id) {
                    let behaviour = Behaviour::Partner { protocol, domains: [partner.domain.clone()] };
                    let mut door = Door::hold(around, address, address, protocol.default_port(), behaviour)?;
                    door.set_open(true).await?;
                    started.doors.insert((id, protocol), door);
                }
            }
        }
        Ok(started)
    }

    /// The XMPP server that stands for a partner.
    pub(crate) fn xmpp_host(&self, partner: PartnerId) -> Option<&Arc<Host>> {
        self.doors.get(&(partner, Protocol::Xmpp)).map(Door::host)
    }

    /// The SIP server that stands for a partner.
    pub(crate) fn sip_host(&self, partner: PartnerId) -> Option<&Arc<Host>> {
        self.doors.get(&(partner, Protocol::Sip)).map(Door::host)
    }

    /// Connections that the server of a partner has taken so far; none where no stand-in listens.
    pub fn connections(&self, partner: PartnerId, protocol: Protocol) -> u64 {
        self.doors.get(&(partner, protocol)).map_or(0, |door| door.host().connections())
    }

    /// The loopback address from which a partner's connections come, and at which its server is.
    pub fn address(&self, partner: PartnerId) -> Option<Ipv4Addr> {
        self.addresses.get(partner.index()).copied()
    }

    /// Where a partner's server listens for a protocol.
    pub fn endpoint(&self, partner: PartnerId, protocol: Protocol) -> Option<SocketAddr> {
        self.map.endpoint(self.address(partner)?, protocol.default_port())
    }

    /// Stops and waits until all ports are free.
    pub async fn shutdown(self) {
        for door in self.doors.into_values() {
            door.shutdown().await;
        }
    }
}
