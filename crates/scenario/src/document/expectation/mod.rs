//! Expectations as they are written: one key says what is looked at.

mod network;
mod said;
mod servers;
mod times;
mod users;

use std::collections::BTreeMap;

use firedrill_syntax::Located;
use schemars::JsonSchema;
use serde::Deserialize;

use super::SettingsDocument;

pub use network::*;
pub use said::*;
pub use servers::*;
pub use times::*;
pub use users::*;

/// Something that has to hold.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ExpectationDocument {
    /// Home pool of users (`RegistrarPool`).
    Homing(HomingExpectation),
    /// The service that users get: how fully, and from which pool.
    Serving(ServingExpectation),
    /// What a user can do.
    Experience(ExperienceExpectation),
    /// The Central Management Store.
    Cms(CmsExpectation),
    /// Replicas of the Central Management Store.
    Replicas(ReplicasExpectation),
    /// Front End pool to its `PoolState`.
    PoolState(BTreeMap<Located<String>, Located<PoolStateDocument>>),
    /// Status of the Backup Service.
    Backup(BackupExpectation),
    /// Windows services.
    Services(ServicesExpectation),
    /// Settings in the active Central Management Store.
    Settings(SettingsDocument),
    /// Settings in the replica of a computer: what its services act by.
    ReplicaSettings(ReplicaSettingsExpectation),
    /// The Edge pool that carries media for the users of a pool.
    Media(MediaExpectation),
    /// DNS as a partner sees it now, through its cache.
    Dns(DnsExpectation),
    /// Whether a partner reaches us, or we reach the partner.
    Federation(FederationExpectation),
    /// Computer to whether it needs "Setup or Remove Components"; a pool means all its computers.
    SetupPending(BTreeMap<Located<String>, Located<bool>>),
    /// The SQL Server instance that holds a pool's databases.
    Principal(PrincipalExpectation),
    /// Fabric quorum of a pool.
    Quorum(QuorumExpectation),
    /// How long users were without service so far.
    Rto(RtoExpectation),
    /// Which data was lost so far.
    Rpo(RpoExpectation),
    /// With `run`, `topology_builder` and `deployment_wizard`: it ends in an error. All errors are looked at; one of them has to match all of it.
    Fails(ErrorExpectation),
    /// With `run`: what the console shows as output, formatted.
    Output(TextExpectation),
    /// With `run`, `topology_builder` and `deployment_wizard`: the warnings.
    Warnings(TextExpectation),
    /// With `run`, `topology_builder` and `deployment_wizard`: the verbose messages.
    Verbose(TextExpectation),
    /// With `run`, `topology_builder` and `deployment_wizard`: what was written to the host (banners, prompts, `-WhatIf`).
    Host(TextExpectation),
    /// With `run`: remarks about the script, such as a procedure spelling that a real shell refuses.
    Remarks(TextExpectation),
    /// With `run`: the objects in the output.
    Objects(ObjectsExpectation),
    /// How long the step took in virtual time.
    Took(TookExpectation),
}
