//! The PowerShell front end of Firedrill: parser, evaluator, objects, formatting, binding and built-in cmdlets.
//!
//! The crate knows nothing of Skype for Business and nothing of the host's files or processes. Commands that are not
//! part of the language reach their implementation through [`CommandProvider`]; everything else the language needs of
//! its surroundings (time, prompts, files) goes through [`Host`].
//!
//! Facts about the language were checked against PowerShell 7.6.2; where Windows PowerShell 5.1 differs, 5.1 wins,
//! because that is what Skype for Business servers run.

pub mod ast;
pub mod binding;
pub mod builtins;
pub mod command;
pub mod convert;
pub mod desk;
pub mod error;
mod eval;
pub mod format;
mod limits;
pub mod parse;
pub mod paths;
pub mod pipeline;
pub mod session;
pub mod source;
pub mod types;
pub mod value;

pub use command::{
    BoundParameters, CommandInfo, CommandProvider, ConfirmImpact, FileEntry, Host, Invocation, ModuleInfo, ParameterInfo, ParameterSetInfo,
    ParameterType, Prompt, RemoteTarget, Resolution,
};
pub use error::{ErrorRecord, Flow, LimitError};
pub use eval::{Exports, ModuleRequest};
pub use pipeline::World;
pub use value::{PsObject, Value};
