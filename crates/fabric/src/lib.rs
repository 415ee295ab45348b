//! The model of a Skype for Business Server deployment under a virtual clock.
//!
//! [`Fabric`] is a value: cloning it is cheap, two of them compare, and the same inputs lead to the same bytes. It
//! knows no wall time, sockets or threads, and no PowerShell. Everything that happens, happens at a [`SimTime`];
//! the clock jumps from deadline to deadline.
//!
//! The way of one operation: [`Fabric::perform`] starts a process, lets virtual time run until the process ends
//! (faults that are due strike in between), and returns what it said and how it ended.
//!
//! Behaviour cites the dossier `semantics.md` by chapter ("dossier C.3"); [`evidence::Behaviour`] carries the evidence class of each.

pub mod administration;
pub mod config;
pub mod event;
pub mod evidence;
mod fabric;
pub mod fault;
pub mod federation;
pub mod messages;
pub mod naming;
pub mod operation;
pub mod seed;
pub mod service;
pub mod serving;
pub mod sign_in;
pub mod time;
pub mod world;

pub use administration::{BackupReport, CmsDatabaseReport, CmsDatabaseState, CmsStatus, ExportState, ImportState, ReplicaReport};
pub use config::{Configuration, PoolState};
pub use event::{Event, LogEntry};
pub use evidence::{Behaviour, Evidence};
pub use fabric::{Fabric, LimitError, Options};
pub use fault::{Change, Fault, NameServerFault, Place};
pub use operation::{Caller, Operation, OperationError, OperationReport, ProcessId};
pub use service::{ServiceName, ServiceStatus, StopKind};
pub use serving::{ServiceMode, Serving};
pub use time::{SimDuration, SimTime};
