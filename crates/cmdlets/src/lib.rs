//! The SkypeForBusiness module (and what runbooks use of Windows beside it) over the fabric.
//!
//! [`signatures`] holds what the published references say about 864 cmdlets; each modelled cmdlet is a thin translation
//! between PowerShell objects and operations of [`firedrill_fabric::Fabric`], one file per family. [`Shell`] is the
//! world of a script on one computer: [`CommandProvider`](firedrill_powershell::CommandProvider) and
//! [`Host`](firedrill_powershell::Host) at once.
//!
//! What is known and not modelled is said at run time: other cmdlets of the product resolve as
//! [`Resolution::Unmodelled`](firedrill_powershell::Resolution::Unmodelled), other parameters of modelled cmdlets carry
//! `unmodelled`, other values are reported by the translation. Dossier chapters name `semantics.md`.

mod backup;
mod cms;
mod commands;
mod configuration;
mod context;
mod coverage;
mod database;
mod directory;
mod dns;
mod edge;
mod event_logs;
mod inventory;
mod machines;
mod mail;
mod network;
mod pool;
mod publish;
mod registrar;
mod remote;
mod replication;
mod services;
mod settings;
mod shapes;
mod shell;
pub mod signatures;
mod spellings;
mod sqlcmd;
mod synthetic;
mod texts;
mod topology;
mod topology_xml;
mod types;
mod user_filter;
mod users;
mod win_services;
mod windows;
mod wmi;
mod xml;
mod xmpp;

pub use coverage::coverage_page;
pub use shell::{HostFolders, Mail, Operator, Prompt, PromptPolicy, Shell, ShellState};
pub use spellings::meaning_of_spelling;
pub use texts::{TEXTS, Text};
pub use topology_xml::{TopologyXmlError, read as read_topology_xml, write as write_topology_xml};
pub use xml::{MAX_DEPTH as XML_MAX_DEPTH, MAX_ELEMENTS as XML_MAX_ELEMENTS, XmlError};
