//! What follows from the topology alone and is looked up often.

use firedrill_topology::{BackEnd, ComputerId, ComputerRole, PoolId, SqlId, Topology};

/// Look-up tables, computed once per topology.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Plan {
    /// By pool: Front Ends, and the back end and file store computers that serve no other pool.
    pub(crate) pool_computers: Vec<Vec<ComputerId>>,
}

impl Plan {
    pub(crate) fn new(topology: &Topology) -> Self {
        let users_of = |computer: ComputerId| -> Vec<PoolId> {
            topology.pool_ids().filter(|pool| supporting(topology, *pool).contains(&computer)).collect()
        };
        let pool_computers = topology
            .pool_ids()
            .map(|pool| {
                let mut computers = topology.pool(pool).front_ends.clone();
                for computer in supporting(topology, pool) {
                    let shared = users_of(computer).len() > 1;
                    let dedicated = matches!(topology.computer(computer).role, ComputerRole::Sql | ComputerRole::FileServer);
                    if dedicated && !shared && !computers.contains(&computer) {
                        computers.push(computer);
                    }
                }
                computers
            })
            .collect();
        Self { pool_computers }
    }
}

/// Computers of a pool's back end (witness too) and file store.
fn supporting(topology: &Topology, pool: PoolId) -> Vec<ComputerId> {
    let pool = topology.pool(pool);
    let witness: Option<SqlId> = match &pool.back_end {
        BackEnd::Mirrored { witness, .. } => *witness,
        _ => None,
    };
    let sql = pool.back_end.data_instances().into_iter().chain(witness).map(|id| topology.sql(id).computer);
    let file = pool.file_store.map(|id| topology.file_stores[id.index()].computer);
    sql.chain(file).collect()
}
