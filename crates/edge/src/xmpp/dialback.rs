//! Keys of Server Dialback.

use data_encoding::HEXLOWER;
use ring::{digest, hmac};

/// The key for a stream, as XEP-0185 3 recommends: HMAC-SHA256 keyed with the hexadecimal SHA-256 of the secret, over the
/// receiving domain, the originating domain and the stream's id.
pub(crate) fn key(secret: &str, receiving: &str, originating: &str, id: &str) -> String {
    let hashed = HEXLOWER.encode(digest::digest(&digest::SHA256, secret.as_bytes()).as_ref());
    let hashed = hmac::Key::new(hmac::HMAC_SHA256, hashed.as_bytes());
    HEXLOWER.encode(hmac::sign(&hashed, format!("{receiving} {originating} {id}").as_bytes()).as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of XEP-0185 3.
    #[test]
    fn example_of_the_specification() {
        let made = key("s3cr3tf0rd14lb4ck", "xmpp.example.com", "example.org", "D60000229F");
        assert_eq!(made, "37c69b1cf07a3f67c04a5ef5902fa5114f2c76fe4a2686482ba5b89323075643");
    }
}
