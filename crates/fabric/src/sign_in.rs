//! How clients sign in: which registrar answers, and what it says (dossier B.1, F.5).

use std::net::Ipv4Addr;

use firedrill_topology::{ComputerId, EdgePoolId, PoolId};

use crate::federation::CertificateDates;
use crate::serving::ServiceMode;

/// Where a client begins.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SignInFrom {
    /// Inside, for the first time: `_sipinternaltls._tcp` of the user's domain in the internal view.
    Inside,
    /// Inside, with registrars that it knows of, in their order: what a former redirect said
    /// ([`Fabric::cached_redirect`](crate::Fabric::cached_redirect)), or one that it was told of.
    Known(Vec<PoolId>),
    /// Outside: `_sip._tls` of the user's domain, through an Access Edge.
    Outside,
}

/// A server that a client turns to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SignInServer {
    /// The registrar of a Front End pool.
    Pool(PoolId),
    /// An Access Edge.
    Edge(ComputerId),
    /// A host that nobody of the deployment is, or whose certificate does not name it.
    Nobody,
}

/// What a registrar, or the Access Edge before it, says to a REGISTER.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RegistrarAnswer {
    /// Registered there (through an Access Edge: on that pool).
    Accepted(PoolId, ServiceMode),
    /// Sent on to the user's registrars, the primary before the backup (dossier B.1).
    Redirected {
        /// The home pool.
        primary: PoolId,
        /// Its backup registrar.
        backup: Option<PoolId>,
    },
    /// The user does not exist.
    NoSuchUser,
    /// The user's registrar cannot serve the user now.
    Unavailable,
    /// The Access Edge's next hop, or the registrar behind it, does not answer.
    Unreachable,
}

/// One server tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
pub struct SignInAttempt {
    /// Which.
    pub server: SignInServer,
    /// What it said; none when it accepted no connection.
    pub answer: Option<RegistrarAnswer>,
}

/// Why a client is not signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SignInFailure {
    /// DNS names no registrar.
    NoRegistrar,
    /// None of the registrars that the client knows of accepts it.
    NoneAccepts,
    /// The user does not exist.
    NoSuchUser,
}

/// A sign-in, server by server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignIn {
    /// Servers in the order tried.
    pub attempts: Vec<SignInAttempt>,
    /// Where the user is registered and how fully served.
    pub outcome: Result<(PoolId, ServiceMode), SignInFailure>,
}

/// The servers that a client knows of and has not tried: a redirect adds to them, and none is tried twice (RFC 3261 8.1.3.4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetSet<T> {
    known: Vec<T>,
    next: usize,
}

impl<T: PartialEq + Clone> TargetSet<T> {
    /// Of what the client knows to begin with, in its order.
    pub fn new(first: impl IntoIterator<Item = T>) -> Self {
        let mut set = Self { known: Vec::new(), next: 0 };
        set.redirect(first);
        set
    }

    /// Adds where a server sent the client; that is tried before everything that was known.
    pub fn redirect(&mut self, to: impl IntoIterator<Item = T>) {
        let mut place = self.next;
        for target in to {
            match self.known.iter().position(|known| *known == target) {
                Some(tried) if tried < self.next => continue,
                // Known and yet to be tried: it moves to the front.
                Some(waiting) if waiting >= place => drop(self.known.remove(waiting)),
                Some(_) => continue,
                None => {}
            }
            self.known.insert(place, target);
            place += 1;
        }
    }
}

impl<T: Clone> Iterator for TargetSet<T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        let target = self.known.get(self.next).cloned();
        self.next += usize::from(target.is_some());
        target
    }
}

/// What a pool's registrar does now; the wire is made to follow it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistrarListener {
    /// The pool.
    pub pool: PoolId,
    /// Names of its certificate: the pool's, its Front Ends', and `sip` of each SIP domain.
    pub names: Vec<String>,
    /// Whether it accepts connections: the pool is in service.
    pub listening: bool,
}

/// What an Access Edge's port for remote users does now; the wire is made to follow it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessListener {
    /// The Edge pool.
    pub edge_pool: EdgePoolId,
    /// The Edge Server.
    pub computer: ComputerId,
    /// Its external address in the topology.
    pub address: Ipv4Addr,
    /// Its port, 443 (dossier F.6).
    pub port: u16,
    /// Whether a connection from the Internet is accepted.
    pub listening: bool,
    /// Names of its certificate.
    pub names: Vec<String>,
    /// Validity of its certificate.
    pub certificate: CertificateDates,
}

#[cfg(test)]
mod tests {
    use super::TargetSet;

    #[test]
    fn a_redirect_goes_first_and_nothing_is_tried_twice() {
        let mut set = TargetSet::new(["a", "b", "a"]);
        assert_eq!(set.next(), Some("a"));
        set.redirect(["p", "b"]);
        assert_eq!(set.next(), Some("p"));
        set.redirect(["a", "p"]);
        assert_eq!((set.next(), set.next()), (Some("b"), None));
        set.redirect(["q"]);
        assert_eq!((set.next(), set.next()), (Some("q"), None));
    }
}
