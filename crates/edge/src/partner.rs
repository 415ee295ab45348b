//! The partners' own servers, for the way out.

use std::net::{Ipv4Addr, SocketAddr};

use firedrill_dns::AddressMap;
use firedrill_fabric::federation::Protocol;
use firedrill_fabric::seed::Seed;
use firedrill_topology::{Partner, PartnerId};

use crate::behaviour::Behaviour;
use crate::door::Door;
use crate::error::EdgeError;
use crate::limits::Limits;

/// One server per partner, which answers for the partner's domain on 5269 and 5061 as far as it federates over them. The
/// model has no fault of a partner, so they always listen.
#[derive(Debug)]
pub struct PartnerListeners {
    map: AddressMap,
    /// Loopback address of each partner's server, by id.
    addresses: Vec<Ipv4Addr>,
    doors: Vec<Door>,
}

impl PartnerListeners {
    /// Starts a server for each partner. Needs a tokio runtime.
    ///
    /// # Errors
    /// When an address or port cannot be had.
    pub async fn start(map: &AddressMap, partners: &[Partner], seed: Seed, limits: Limits) -> Result<Self, EdgeError> {
        let mut started = Self { map: map.clone(), addresses: Vec::new(), doors: Vec::new() };
        for partner in partners {
            let address = map.allocate(&format!("the server of `{}`", partner.domain))?;
            started.addresses.push(address);
            for (protocol, wanted) in [(Protocol::Xmpp, partner.xmpp), (Protocol::Sip, partner.sip)] {
                if wanted {
                    let behaviour = Behaviour::Partner { protocol, domains: [partner.domain.clone()] };
                    let mut door = Door::hold(map, address, address, protocol.default_port(), behaviour, seed, limits)?;
                    door.set_open(true).await?;
                    started.doors.push(door);
                }
            }
        }
        Ok(started)
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
        for door in self.doors {
            door.shutdown().await;
        }
    }
}
