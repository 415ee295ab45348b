//! How many Front Ends a pool needs: the tables of dossier B.8.

use firedrill_topology::ProductVersion;

/// The table of dossier B.8: Front Ends in the pool, up for a first or cold start, up to stay functional, among how many
/// of the first ones. Rows for 13 to 15 follow the 2019 row "12-16" (start values inferred by 85 %).
const QUORUM_TABLE: &[(usize, u32, u32, usize)] = &[
    (1, 1, 1, 1),
    (2, 1, 1, 2),
    (3, 3, 2, 3),
    (4, 3, 2, 4),
    (5, 4, 3, 5),
    (6, 5, 3, 6),
    (7, 5, 4, 7),
    (8, 6, 4, 7),
    (9, 7, 4, 7),
    (10, 8, 5, 9),
    (11, 9, 5, 9),
    (12, 10, 5, 9),
    (13, 11, 7, 12),
    (14, 11, 7, 12),
    (15, 12, 7, 12),
    (16, 12, 7, 12),
];

/// What a pool of a size needs (dossier B.8).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuorumRule {
    /// Front Ends that must be up for a first or cold start.
    pub to_start: u32,
    /// Front Ends that must be up for the pool to stay functional.
    pub functional: u32,
    /// Only the first so many count for staying functional.
    pub among_first: usize,
}

impl QuorumRule {
    /// Whether so many Front Ends, as bits by position in the topology, keep the pool functional while its back end is up.
    pub fn keeps(self, up: u64) -> bool {
        self.counted(up) >= self.functional
    }

    /// How many of the Front Ends that are up are among the first ones.
    fn counted(self, up: u64) -> u32 {
        let first = if self.among_first >= 64 { u64::MAX } else { (1 << self.among_first) - 1 };
        (up & first).count_ones()
    }
}

/// The rule for a pool of a size and generation (dossier B.8). A size beyond the table gets its last row. Lync Server 2010
/// has no fabric: each of its Front Ends works while the back end does (inferred).
pub fn quorum_rule(front_ends: usize, version: ProductVersion) -> QuorumRule {
    if version == ProductVersion::Lync2010 {
        return QuorumRule { to_start: 1, functional: 1, among_first: front_ends };
    }
    if front_ends == 12 && version == ProductVersion::Sfb2019 {
        return QuorumRule { to_start: 10, functional: 7, among_first: 12 };
    }
    let (_, to_start, functional, among_first) =
        *QUORUM_TABLE.iter().find(|row| row.0 >= front_ends).unwrap_or(&QUORUM_TABLE[QUORUM_TABLE.len() - 1]);
    QuorumRule { to_start, functional, among_first }
}
