//! One seed, many named streams: a new consumer never shifts the draws of another.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// The seed of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seed(pub u64);

impl Seed {
    /// The stream with a name, from its beginning.
    pub fn stream(self, name: &str) -> ChaCha8Rng {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.0.to_le_bytes());
        hasher.update(name.as_bytes());
        ChaCha8Rng::from_seed(*hasher.finalize().as_bytes())
    }

    /// A number below `bound` (which must not be 0) that depends on the seed, a name and a counter only.
    pub fn pick(self, name: &str, counter: u64, bound: u64) -> u64 {
        let mut stream = self.stream(&format!("{name}#{counter}"));
        stream.next_u64() % bound.max(1)
    }

    /// A version 8 GUID (RFC 9562 5.8) that depends on the seed, a kind and a counter only.
    pub fn guid(self, kind: &str, counter: u64) -> u128 {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.0.to_le_bytes());
        hasher.update(kind.as_bytes());
        hasher.update(&counter.to_le_bytes());
        let mut bytes = [0u8; 16];
        bytes.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
        bytes[6] = 0x80 | (bytes[6] & 0x0f);
        bytes[8] = 0x80 | (bytes[8] & 0x3f);
        u128::from_be_bytes(bytes)
    }
}
