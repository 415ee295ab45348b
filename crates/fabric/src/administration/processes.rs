//! Operations under way: processes as data, stepped by the engine.

use crate::operation::{Caller, OperationReport};
use crate::time::SimTime;

/// An operation under way.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Running {
    /// Who runs it.
    pub(crate) caller: Caller,
    /// When it goes on by itself.
    pub(crate) wake: SimTime,
    /// What it has said so far; the outcome stands when it has ended.
    pub(crate) report: OperationReport,
}
