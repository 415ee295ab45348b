//! Who reaches whom: links between sites, and blocked ports.

use firedrill_topology::{ComputerId, ComputerRole};

use crate::fabric::Fabric;
use crate::fault::{Fault, Place};

/// One end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Endpoint {
    /// Somebody outside.
    Internet,
    /// A computer of the deployment.
    Computer(ComputerId),
}

impl Fabric {
    /// Whether a TCP connection from one computer reaches a port of another (both on, link and port open).
    /// That somebody listens there is another question.
    pub fn reaches(&self, from: ComputerId, to: ComputerId, port: u16) -> bool {
        self.computer_up(from)
            && self.computer_up(to)
            && (from == to || self.path_open(Endpoint::Computer(from), Endpoint::Computer(to), port))
    }

    /// Whether some computer of a list reaches a port of a computer.
    pub(crate) fn any_reaches(&self, from: &[ComputerId], to: ComputerId, port: u16) -> bool {
        from.iter().any(|from| self.reaches(*from, to, port))
    }

    /// Whether nothing between two ends blocks a port; whether they are on does not matter.
    pub(crate) fn path_open(&self, from: Endpoint, to: Endpoint, port: u16) -> bool {
        !self.faults.active.iter().any(|fault| match *fault {
            Fault::Link(a, b) => match (from, to) {
                (Endpoint::Computer(x), Endpoint::Computer(y)) => {
                    let sites = (self.topology.computer(x).site, self.topology.computer(y).site);
                    sites.0 != sites.1 && (sites == (a, b) || sites == (b, a))
                }
                _ => false,
            },
            Fault::Port { from: source, to: destination, port: blocked } => {
                blocked == port && self.place_holds(source, from) && self.place_holds(destination, to)
            }
            _ => false,
        })
    }

    fn place_holds(&self, place: Place, end: Endpoint) -> bool {
        let Endpoint::Computer(computer) = end else {
            return matches!(place, Place::Internet | Place::Anywhere);
        };
        match place {
            Place::Internet => false,
            Place::Anywhere => true,
            Place::Computer(id) => id == computer,
            Place::Site(site) => self.topology.computer(computer).site == site,
            Place::Pool(pool) => self.topology.computer(computer).role == ComputerRole::FrontEnd(pool),
            Place::EdgePool(edge) => self.topology.computer(computer).role == ComputerRole::Edge(edge),
        }
    }
}
