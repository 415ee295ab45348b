//! What a session keeps besides variables: remote sessions, jobs, locations, drives, modules, the transcript.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::command::RemoteTarget;
use crate::eval::Scope;
use crate::value::{DateTime, Value};

/// A session on another computer (`New-PSSession`).
#[derive(Debug, Clone)]
pub struct RemoteSession {
    /// Where it runs.
    pub target: RemoteTarget,
    /// Name, `Session1` unless one was given.
    pub name: Arc<str>,
    /// Full name of the computer.
    pub computer: Arc<str>,
    /// Session configuration, `Microsoft.PowerShell`.
    pub configuration: Arc<str>,
    /// Identifies the session to scripts.
    pub instance: u128,
    /// Its variables and functions.
    pub(crate) scope: Arc<Scope>,
}

/// A job: it ran to its end when it was started.
#[derive(Debug, Clone)]
pub struct Job {
    /// Name, `Job1` unless one was given.
    pub name: Arc<str>,
    /// `BackgroundJob` or `RemoteJob`.
    pub kind: &'static str,
    /// Where it ran.
    pub location: Arc<str>,
    /// The text that it ran.
    pub command: Arc<str>,
    /// Whether an error ended it.
    pub failed: bool,
    /// What it wrote and nobody has received: objects, error records, records of the other streams.
    pub output: Vec<Value>,
    /// When it began.
    pub began: DateTime,
    /// When it ended.
    pub ended: DateTime,
}

/// A drive that a script made (`New-PSDrive`).
#[derive(Debug, Clone)]
pub struct Drive {
    /// Name as written.
    pub name: Arc<str>,
    /// The folder behind it.
    pub root: Arc<str>,
}

/// A transcript that is being written.
#[derive(Debug, Clone)]
pub struct Transcript {
    /// The file.
    pub path: String,
    /// How many records of the run had been written when it began or was last saved.
    pub from: usize,
}

/// A command of another session that was imported (`Import-PSSession`).
#[derive(Debug, Clone)]
pub struct Imported {
    /// Name in the other session.
    pub name: Arc<str>,
    /// The session.
    pub session: i64,
}

/// What a session keeps besides variables.
#[derive(Debug, Default)]
pub struct Desk {
    /// Remote sessions by id.
    pub sessions: BTreeMap<i64, RemoteSession>,
    /// Jobs by id.
    pub jobs: BTreeMap<i64, Job>,
    /// How many sessions and jobs were made.
    pub(crate) sessions_made: i64,
    pub(crate) jobs_made: i64,
    /// `Push-Location`.
    pub locations: Vec<String>,
    /// Drives by lower-case name.
    pub drives: BTreeMap<String, Drive>,
    /// Modules that were imported by name, in order.
    pub modules: Vec<Arc<str>>,
    /// Modules that `Import-PSSession` made.
    pub proxies: Vec<crate::command::ModuleInfo>,
    /// Imported commands by lower-case local name.
    pub imported: BTreeMap<String, Imported>,
    /// The transcript that is open.
    pub transcript: Option<Transcript>,
    /// The session that the console has entered (`Enter-PSSession`).
    pub entered: Option<i64>,
    /// The session that the evaluator is in, and the global scope that it left.
    pub(crate) inside: Option<(i64, Arc<Scope>)>,
    /// State of the numbers of `Get-Random -SetSeed`.
    pub seed: Option<u64>,
    /// What the commands say about themselves, for `Get-History`.
    pub history: Vec<Arc<str>>,
}

impl Desk {
    /// The id of the next remote session.
    pub fn next_session(&mut self) -> i64 {
        self.sessions_made += 1;
        self.sessions_made
    }

    /// The id of the next job. PowerShell counts by two: each job has a child.
    pub fn next_job(&mut self) -> i64 {
        self.jobs_made += 1;
        self.jobs_made * 2 - 1
    }
}
