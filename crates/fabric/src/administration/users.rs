//! `Move-CsUser` and `Invoke-CsDatabaseFailover` (dossier B.5, E.2).

use firedrill_topology::{BackEnd, PoolId, UserId};

use super::processes::Voice;
use crate::evidence::Behaviour;
use crate::fabric::Fabric;
use crate::messages::Message;
use crate::operation::{Caller, DatabaseGroup, MirrorSide, OperationError};
use crate::serving::{DataKind, DataLoss};
use crate::time::SimDuration;

/// Moving one user with contacts and meetings (inferred).
pub const MOVE_USER_TIME: SimDuration = SimDuration::from_secs(5);
/// Changing the principal of a database group (inferred).
pub const DATABASE_FAILOVER_TIME: SimDuration = SimDuration::from_secs(10);

impl Fabric {
    /// A move reads the topology from the CMS, writes to Active Directory, and without `-Force` needs the source pool.
    pub(super) fn check_move_user(&self, caller: Caller, user: UserId, target: PoolId, force: bool) -> Result<(), OperationError> {
        self.check_directory()?;
        self.open_store(caller.computer)?;
        let source = self.registrar_pool(user);
        let refuse = |message: Message, pool: PoolId| {
            let address = self.topology.users.address(user).unwrap_or_default();
            Err(message.error(&[&address, &self.topology.pool(pool).fqdn], address.clone()))
        };
        let serves = |pool: PoolId| self.pool_in_service(pool) && self.principal(pool, DatabaseGroup::User).is_some();
        if !serves(target) {
            return refuse(Message::MoveTargetUnavailable, target);
        }
        if !force && !serves(source) {
            return refuse(Message::MoveError, source);
        }
        Ok(())
    }

    pub(super) fn move_user(&mut self, voice: &mut Voice<'_>, user: UserId, target: PoolId, force: bool) {
        self.lean(Behaviour::MoveUserRules);
        let source = self.registrar_pool(user);
        if source == target {
            return;
        }
        if force {
            let address = self.topology.users.address(user).unwrap_or_default();
            voice.warning(self, Message::MoveForceWarning, &[&address]);
            self.record_loss(DataLoss { pool: source, user: Some(user), kind: DataKind::UserData, window: None, at: self.now });
        }
        self.set_registrar_pool(user, target);
    }

    /// Only a mirrored pair has two sides; without `-Force` both must answer (dossier E.2).
    pub(super) fn check_database_failover(
        &self,
        caller: Caller,
        pool: PoolId,
        group: DatabaseGroup,
        side: MirrorSide,
        force: bool,
    ) -> Result<(), OperationError> {
        let fqdn = self.topology.pool(pool).fqdn.as_str();
        let BackEnd::Mirrored { primary, mirror, .. } = self.topology.pool(pool).back_end else {
            return Err(Message::NotMirrored.error(&[fqdn], fqdn));
        };
        let (new, old) = match side {
            MirrorSide::Primary => (primary, mirror),
            MirrorSide::Mirror => (mirror, primary),
        };
        let reached =
            |instance| self.sql_up(instance) && self.reaches(caller.computer, self.topology.sql(instance).computer, super::SQL_PORT);
        let name = |instance| {
            let sql = self.topology.sql(instance);
            super::cms_failover::display((&self.topology.computer(sql.computer).fqdn, &sql.instance))
        };
        if !reached(new) {
            return Err(Message::NewPrincipalInaccessible.error(&[&name(new)], name(new)));
        }
        if self.principal_side(pool, group) != Some(side) && !force && !reached(old) {
            return Err(Message::PrincipalInaccessible.error(&[&name(old)], name(old)));
        }
        Ok(())
    }
}
