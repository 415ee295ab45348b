//! Authoritative name servers, their access lists and keys.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::Arc;

use firedrill_syntax::{Located, Span, quote};

use super::Resolver;
use crate::document::{NameServerDocument, TsigAlgorithmDocument};
use crate::model::*;

/// Longest secret of a key: a block of SHA-512; longer ones are hashed first, and nobody makes them (RFC 2104 3).
const MAX_SECRET_BYTES: usize = 128;
/// Host of the one name server that a deployment without `dns_servers` and zones has.
const DEFAULT_HOST: &str = "ns.invalid";

type Keys = BTreeMap<String, Arc<TsigKey>>;

impl Resolver<'_> {
    pub(super) fn name_servers(&mut self) {
        let keys = self.tsig_keys();
        let mut seen: BTreeMap<String, Span> = BTreeMap::new();
        for (place, server) in self.document.dns_servers.iter().enumerate() {
            let transfer_to = self.access_list(&keys, &server.transfer_keys, &server.transfer_to);
            let update_by = self.access_list(&keys, &server.update_keys, &server.update_from);
            let notify = server.notify.iter().filter_map(|text| self.notified(text)).collect();
            self.check_updates(place, server);
            let Some(host) = self.fqdn("name server", &server.host) else { continue };
            if let Some(first) = seen.insert(host.clone(), server.host.span) {
                self.report(self.duplicate("name server", &server.host, first));
                continue;
            }
            self.topology.name_servers.push(NameServer { host, transfer_to, update_by, notify });
        }
        if self.topology.name_servers.is_empty() {
            let host = self.topology.zones.first().map_or_else(|| DEFAULT_HOST.to_owned(), |zone| zone.soa.primary.clone());
            let (transfer_to, update_by) = (AccessList::default(), AccessList::default());
            self.topology.name_servers.push(NameServer { host, transfer_to, update_by, notify: Vec::new() });
        }
    }

    fn tsig_keys(&mut self) -> Keys {
        let mut keys = Keys::new();
        let mut seen: BTreeMap<String, Span> = BTreeMap::new();
        for key in &self.document.tsig_keys {
            let algorithm = match key.algorithm {
                Some(TsigAlgorithmDocument::HmacSha1) => TsigAlgorithm::HmacSha1,
                None | Some(TsigAlgorithmDocument::HmacSha256) => TsigAlgorithm::HmacSha256,
                Some(TsigAlgorithmDocument::HmacSha384) => TsigAlgorithm::HmacSha384,
                Some(TsigAlgorithmDocument::HmacSha512) => TsigAlgorithm::HmacSha512,
            };
            let secret = base64(&key.secret).filter(|bytes| !bytes.is_empty() && bytes.len() <= MAX_SECRET_BYTES);
            if secret.is_none() {
                let message = "the secret of a key is 1 to 128 bytes in Base64";
                self.report(self.error("bad-secret", key.secret.span, message).hint("`tsig-keygen -a hmac-sha256` makes one"));
            }
            let lower = key.name.trim().trim_end_matches('.').to_ascii_lowercase();
            let checked = crate::names::domain_labels(&lower, crate::names::LabelKind::Record);
            let Some(()) = self.checked("bad-key-name", "a name for a key", &key.name, checked) else { continue };
            if let Some(first) = seen.insert(lower.clone(), key.name.span) {
                self.report(self.duplicate("TSIG key", &key.name, first));
                continue;
            }
            keys.insert(lower.clone(), Arc::new(TsigKey { name: lower, algorithm, secret: secret.unwrap_or_default() }));
        }
        keys
    }

    fn access_list(&mut self, keys: &Keys, names: &[Located<String>], addresses: &[Located<String>]) -> AccessList {
        let mut list = AccessList::default();
        for name in names {
            match keys.get(&name.trim().trim_end_matches('.').to_ascii_lowercase()) {
                Some(key) => list.keys.push(Arc::clone(key)),
                None => {
                    let message = format!("there is no key {}", quote(&name.value));
                    self.report(self.error("no-key", name.span, message).hint("add it to `tsig_keys:`, or correct the name"));
                }
            }
        }
        for text in addresses {
            match text.trim().parse::<Ipv4Addr>() {
                Ok(address) => list.addresses.push(address),
                Err(_) => {
                    let message = format!("{} is not an IPv4 address", quote(&text.value));
                    self.report(self.error("bad-address", text.span, message).hint("one address, as in `192.0.2.10`"));
                }
            }
        }
        list
    }

    fn notified(&mut self, text: &Located<String>) -> Option<SocketAddrV4> {
        let address = text.trim().parse::<SocketAddrV4>().ok().filter(|address| address.ip().is_loopback());
        if address.is_none() {
            let message = format!("{} is not an address and port of this machine", quote(&text.value));
            self.report(
                self.error("bad-address", text.span, message)
                    .note("nothing leaves the machine: only servers on loopback addresses are told")
                    .hint("as in `127.0.0.53:5353`"),
            );
        }
        address
    }

    fn check_updates(&mut self, place: usize, server: &NameServerDocument) {
        let Some(first) = server.update_from.iter().chain(&server.update_keys).next() else { return };
        if place == 0 {
            return;
        }
        let message = format!("the secondary {} takes no updates", quote(&server.host.value));
        self.report(
            self.error("update-of-secondary", first.span, message)
                .note("the first of `dns_servers:` is the primary; updates go there (RFC 2136 6)")
                .hint("move this to the primary"),
        );
    }
}

/// Base64 (RFC 4648 4) with padding; white space is ignored.
fn base64(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    if !digits.len().is_multiple_of(4) {
        return None;
    }
    let mut bytes = Vec::with_capacity(digits.len() / 4 * 3);
    let last = digits.len() / 4;
    for (index, group) in digits.chunks(4).enumerate() {
        let padding = group.iter().rev().take_while(|byte| **byte == b'=').count();
        if padding > 2 || (padding > 0 && index + 1 != last) {
            return None;
        }
        let mut bits = 0u32;
        for byte in &group[..4 - padding] {
            bits = bits << 6 | u32::from(digit(*byte)?);
        }
        bits <<= 6 * padding;
        bytes.extend_from_slice(&bits.to_be_bytes()[1..4 - padding]);
    }
    Some(bytes)
}

fn digit(byte: u8) -> Option<u8> {
    Some(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::base64;

    #[test]
    fn the_vectors_of_rfc_4648() {
        for (text, bytes) in [("", ""), ("Zg==", "f"), ("Zm8=", "fo"), ("Zm9v", "foo"), ("Zm9vYg==", "foob"), ("Zm9vYmFy", "foobar")] {
            assert_eq!(base64(text).as_deref(), Some(bytes.as_bytes()), "{text}");
        }
        for text in ["Zg", "Zg=", "Z===", "Zg==Zg==", "Z!==", "===="] {
            assert_eq!(base64(text), None, "{text}");
        }
    }
}
