//! One shell on one computer: the commands of the product and the surroundings that a script sees.

use std::collections::VecDeque;
use std::sync::Arc;

use firedrill_fabric::{Fabric, LimitError, SimDuration};
use firedrill_powershell::command::{
    BoundParameters, CommandError, CommandProvider, FileEntry, Host, Invocation, ModuleInfo, RemoteTarget, Resolution,
};
use firedrill_powershell::paths;
use firedrill_powershell::session::StreamRecord;
use firedrill_powershell::value::DateTime;
use firedrill_powershell::{CommandInfo, Value};
use firedrill_topology::ComputerId;

use crate::commands::{self, Style};
use crate::context::{Cx, Done, refusal};
use crate::signatures::{self, Binding};
use crate::texts::{fill, text};

/// Who answers prompts when the queue of answers is empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum PromptPolicy {
    /// Confirmations are answered with yes (to all, where that can be said); nothing else is answered.
    #[default]
    Confirm,
    /// Confirmations are answered with no (to all, where that can be said); nothing else is answered.
    Decline,
    /// Nobody is there.
    Absent,
}

/// A prompt and what was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prompt {
    /// Its text.
    pub text: String,
    /// The answer; `None` when nobody answered.
    pub answer: Option<String>,
}

/// Somebody who sits at the console of a shell: hears what is written the moment it is, and is asked.
pub trait Operator: Send {
    /// A record was written.
    fn wrote(&mut self, record: &StreamRecord);
    /// Asks; `None` when there is no answer any more (the input has ended).
    fn ask(&mut self, prompt: &str) -> Option<String>;
}

/// What a session keeps between commands.
#[derive(Debug, Clone, Default)]
pub struct ShellState {
    /// Answers to prompts, first to last.
    pub answers: VecDeque<String>,
    /// What happens when they have run out.
    pub policy: PromptPolicy,
    /// Prompts so far.
    pub prompts: Vec<Prompt>,
    /// How parameters are bound; must agree with the evaluator's own setting.
    pub binding: Binding,
    /// The limit that ended a command, if one did: the run cannot go on.
    pub limit: Option<LimitError>,
    /// How many values were drawn from the seed so far.
    pub drawn: u64,
    /// The folder that relative paths start from; `C:\` when nobody changed it.
    pub location: Option<String>,
    /// Folders of the host that scripts may read; none by default.
    pub host_folders: Option<Arc<dyn HostFolders>>,
    /// Mails that scripts sent. None leaves the rehearsal.
    pub outbox: Vec<Mail>,
}

/// Folders of the host that the caller of a run allows scripts to read. They are read only, and hidden by files of the
/// rehearsal.
pub trait HostFolders: std::fmt::Debug + Send + Sync {
    /// A file, by its full path in the rehearsal.
    fn read(&self, path: &str) -> Option<Arc<[u8]>>;
    /// Names directly inside of a folder, and whether each is a folder itself.
    fn list(&self, folder: &str) -> Vec<(String, bool)>;
}

/// A mail that a script sent (`Send-MailMessage`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// When, virtual time.
    pub at: firedrill_fabric::SimTime,
    /// The computer that sent it.
    pub computer: ComputerId,
    /// Sender.
    pub from: String,
    /// Recipients: to, copies and blind copies.
    pub to: Vec<String>,
    /// Subject.
    pub subject: String,
    /// Text.
    pub body: String,
    /// Mail server that was to take it.
    pub server: String,
}

impl ShellState {
    /// Answers a prompt and keeps it: the next answer of the queue, else what the operator says, and without one the policy.
    pub(crate) fn answer(&mut self, prompt: &str, operator: Option<&mut dyn Operator>) -> Option<String> {
        let answer = self.answers.pop_front().or_else(|| {
            if let Some(operator) = operator {
                return operator.ask(prompt);
            }
            let confirmation = prompt.contains("[Y]") || prompt.contains("(Y/N)");
            match self.policy {
                PromptPolicy::Confirm if confirmation => Some(if prompt.contains("[A]") { "A" } else { "Y" }.to_owned()),
                PromptPolicy::Decline if confirmation => Some(if prompt.contains("[L]") { "L" } else { "N" }.to_owned()),
                _ => None,
            }
        });
        self.prompts.push(Prompt { text: prompt.to_owned(), answer: answer.clone() });
        answer
    }
}

/// A shell for as long as a run of a script borrows the fabric. It is both [`CommandProvider`] and [`Host`].
pub struct Shell<'f> {
    fabric: &'f mut Fabric,
    computer: ComputerId,
    state: &'f mut ShellState,
    operator: Option<&'f mut dyn Operator>,
    /// Computers that were left for others, with their locations, the first one first.
    away: Vec<(ComputerId, Option<String>)>,
}

impl std::fmt::Debug for Shell<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shell").field("computer", &self.computer).field("operator", &self.operator.is_some()).finish_non_exhaustive()
    }
}

impl<'f> Shell<'f> {
    /// A shell on a computer.
    pub fn new(fabric: &'f mut Fabric, computer: ComputerId, state: &'f mut ShellState) -> Self {
        Self { fabric, computer, state, operator: None, away: Vec::new() }
    }

    /// Lets somebody sit at the console, who is asked when the queue of answers is empty.
    #[must_use]
    pub fn with_operator(mut self, operator: &'f mut dyn Operator) -> Self {
        self.operator = Some(operator);
        self
    }

    /// The fabric behind the shell.
    pub fn fabric(&mut self) -> &mut Fabric {
        self.fabric
    }

    /// The computer that the shell runs on.
    pub fn computer(&self) -> ComputerId {
        self.computer
    }

    fn resolve_info(&self, signature: &'static signatures::Signature) -> Arc<CommandInfo> {
        signature.info(self.fabric.topology().version, self.state.binding)
    }
}

impl CommandProvider for Shell<'_> {
    fn resolve(&self, name: &str) -> Resolution {
        let Some(signature) = signatures::find(name) else {
            return Resolution::Unknown;
        };
        if signature.name_only {
            return Resolution::Unmodelled(None);
        }
        if !signature.exists_in(self.fabric.topology().version) {
            return Resolution::Unknown;
        }
        let info = self.resolve_info(signature);
        match commands::find(signature.name) {
            Some(_) => Resolution::Command(info),
            None => Resolution::Unmodelled(Some(info)),
        }
    }

    fn names(&self) -> Vec<Arc<str>> {
        let version = self.fabric.topology().version;
        signatures::all().values().filter(|signature| signature.exists_in(version)).map(|signature| signature.name.into()).collect()
    }

    fn invoke(
        &mut self,
        command: &CommandInfo,
        parameters: &BoundParameters,
        invocation: &mut dyn Invocation,
    ) -> Result<(), Box<CommandError>> {
        self.fabric.check_shell(self.computer).map_err(|error| refusal(&error))?;
        let Some(modelled) = commands::find(&command.name) else {
            invocation.unmodelled(&command.name);
            return Ok(());
        };
        let topology = self.fabric.topology().clone();
        let absolute = absolute_paths(parameters, &self.location());
        let parameters = absolute.as_ref().unwrap_or(parameters);
        let mut cx = Cx {
            fabric: self.fabric,
            topology,
            here: self.computer,
            state: self.state,
            operator: self.operator.as_deref_mut().map(|operator| operator as &mut dyn Operator),
            command,
            parameters,
            io: invocation,
            warnings: 0,
        };
        let result = (modelled.run)(&mut cx);
        if cx.io.what_if() {
            return result;
        }
        let report = write_report(&mut cx, &result);
        match modelled.style {
            Style::Plain => result,
            Style::Deployment => close_deployment(&mut cx, report, result),
        }
    }
}

/// Parameters of the product's cmdlets that are paths of files.
const PATHS: &[&str] = &["FileName", "ConfigurationFileName", "LisConfigurationFileName", "UserList", "Report"];

/// The parameters with relative paths made absolute; `None` when nothing changes.
fn absolute_paths(parameters: &BoundParameters, location: &str) -> Option<BoundParameters> {
    let relative = |name: &str, value: &Value| match value {
        Value::Str(text) if PATHS.iter().any(|path| path.eq_ignore_ascii_case(name)) && !text.trim().is_empty() => {
            Some(paths::full(location, text)).filter(|full| !full.eq_ignore_ascii_case(text))
        }
        _ => None,
    };
    parameters.values.iter().any(|(name, value)| relative(name, value).is_some()).then(|| {
        let values = parameters.values.iter().map(|(name, value)| {
            let value = relative(name, value).map_or_else(|| value.clone(), Value::str);
            (name.clone(), value)
        });
        BoundParameters { values: values.collect(), set: parameters.set.clone() }
    })
}

/// How the deployment cmdlets end: a closing line, their report, and errors with a prefix and an id of their own
/// (documented: dossier H).
fn close_deployment(cx: &mut Cx<'_>, report: Option<Arc<str>>, result: Done) -> Done {
    let name = cx.command.name.clone();
    let path = report.unwrap_or_else(|| {
        let guid = guid_text(cx.fabric.seed().guid("report", cx.state.drawn));
        cx.state.drawn += 1;
        format!("C:\\Users\\Administrator\\AppData\\Local\\Temp\\{name}-{guid}.html").into()
    });
    let results = fill(text::DETAILED_RESULTS, &[&path]);
    match result {
        Ok(()) if cx.warnings == 0 => {
            cx.io.verbose(&fill(text::COMPLETED, &[&name]));
            cx.io.verbose(&results);
            Ok(())
        }
        Ok(()) => {
            cx.io.warning(&fill(text::COMPLETED_WITH_WARNINGS, &[&name, &cx.warnings.to_string()]));
            cx.io.warning(&results);
            Ok(())
        }
        // The run ended, not the command.
        Err(error) if cx.state.limit.is_some() => Err(error),
        Err(mut error) => {
            cx.io.warning(&fill(text::FAILED, &[&name]));
            cx.io.warning(&results);
            error.message = fill(text::EXECUTION_FAILED, &[&error.message]).into();
            error.id = "ProcessingFailed".into();
            Err(error)
        }
    }
}

/// Writes the report that `-Report` asked for; its path. The one that the product writes without being asked is left
/// out: reading would change the computer otherwise.
fn write_report(cx: &mut Cx<'_>, result: &Done) -> Option<Arc<str>> {
    let path = cx.text("Report")?;
    let name = &cx.command.name;
    let outcome = result.as_ref().err().map_or_else(|| "completed".to_owned(), |error| escape(&error.message));
    let body = format!("<html><head><title>{name}</title></head><body><p>{outcome}</p></body></html>\r\n");
    cx.fabric.write_file(cx.here, &path, body.into_bytes().into());
    Some(path)
}

/// Text inside of an element.
pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// A GUID as printed: `d87bb5c1-…`.
pub(crate) fn guid_text(guid: u128) -> String {
    let hex = format!("{guid:032x}");
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

impl Host for Shell<'_> {
    fn now(&mut self) -> DateTime {
        DateTime::from_nanoseconds(self.fabric.now().0)
    }

    fn sleep(&mut self, nanoseconds: i64) {
        let until = self.fabric.now() + SimDuration(nanoseconds.max(0));
        if let Err(limit) = self.fabric.advance_to(until) {
            self.state.limit = Some(limit);
        }
    }

    fn guid(&mut self) -> u128 {
        self.state.drawn += 1;
        self.fabric.seed().guid("script", self.state.drawn)
    }

    fn prompt(&mut self, prompt: &str) -> Option<String> {
        self.state.answer(prompt, self.operator.as_deref_mut().map(|operator| operator as &mut dyn Operator))
    }

    fn wrote(&mut self, record: &StreamRecord) {
        if let Some(operator) = &mut self.operator {
            operator.wrote(record);
        }
    }

    fn full_computer_name(&self) -> Arc<str> {
        self.fabric.topology().computer(self.computer).fqdn.as_str().into()
    }

    fn computer_name(&self) -> Arc<str> {
        // `$env:COMPUTERNAME` is the NetBIOS name: the first label, in capitals, at most 15 characters.
        let fqdn = &self.fabric.topology().computer(self.computer).fqdn;
        let label = fqdn.split('.').next().unwrap_or(fqdn);
        label.to_ascii_uppercase().chars().take(15).collect::<String>().into()
    }

    fn read_file(&mut self, path: &str) -> Option<Arc<[u8]>> {
        let (computer, path) = self.place(path)?;
        self.fabric.read_file(computer, &path).or_else(|| self.state.host_folders.as_ref()?.read(&path))
    }

    fn write_file(&mut self, path: &str, content: &[u8]) -> bool {
        if path.is_empty() || self.fabric.check_shell(self.computer).is_err() {
            return false;
        }
        let Some((computer, path)) = self.place(path) else { return false };
        if let Some((folder, _)) = paths::split(&path) {
            self.fabric.make_folder(computer, folder);
        }
        self.fabric.write_file(computer, &path, content.into());
        true
    }

    fn remove_file(&mut self, path: &str) -> bool {
        self.place(path).is_some_and(|(computer, path)| self.fabric.remove_file(computer, &path))
    }

    fn entry(&mut self, path: &str) -> Option<FileEntry> {
        let full = paths::full(&self.location(), path);
        let (computer, local) = self.place(&full)?;
        match self.fabric.file_entry(computer, &local) {
            Some(entry) => Some(self.shown(entry, &full, &local)),
            None => self.host_entry(&local),
        }
    }

    fn entries(&mut self, folder: &str) -> Vec<FileEntry> {
        let full = paths::full(&self.location(), folder);
        let Some((computer, local)) = self.place(&full) else { return Vec::new() };
        let found = self.fabric.file_entries(computer, &local);
        let mut entries: Vec<FileEntry> = found.into_iter().map(|entry| self.shown(entry, &full, &local)).collect();
        if let Some(host) = self.state.host_folders.clone() {
            for (name, _) in host.list(&local) {
                if !entries.iter().any(|entry| entry.path.rsplit('\\').next().is_some_and(|known| known.eq_ignore_ascii_case(&name))) {
                    entries.extend(self.host_entry(&paths::join(&local, &name)));
                }
            }
            entries.sort_by_key(|entry| entry.path.to_lowercase());
        }
        entries
    }

    fn make_folder(&mut self, path: &str) -> bool {
        let Some((computer, path)) = self.place(path) else { return false };
        self.fabric.make_folder(computer, &path);
        true
    }

    fn list_files(&mut self) -> Vec<String> {
        let mut folders = vec!["C:\\".to_owned()];
        let mut files = Vec::new();
        while let Some(folder) = folders.pop() {
            for entry in self.entries(&folder) {
                if entry.folder { folders.push(entry.path.to_string()) } else { files.push(entry.path.to_string()) }
            }
        }
        files.sort();
        files
    }

    fn location(&self) -> String {
        self.state.location.clone().unwrap_or_else(|| "C:\\".to_owned())
    }

    fn set_location(&mut self, path: &str) {
        self.state.location = Some(path.to_owned());
    }

    fn modules(&self) -> Vec<ModuleInfo> {
        crate::remote::modules(self.fabric, self.computer)
    }

    fn enter(&mut self, target: &RemoteTarget) -> Result<Arc<str>, Box<CommandError>> {
        let computer = crate::remote::reach(self.fabric, self.computer, target)?;
        self.away.push((self.computer, self.state.location.take()));
        self.computer = computer;
        Ok(self.fabric.topology().computer(computer).fqdn.as_str().into())
    }

    fn leave(&mut self) {
        if let Some((computer, location)) = self.away.pop() {
            self.computer = computer;
            self.state.location = location;
        }
    }
}

impl Shell<'_> {
    /// The computer and the path on it that a path means: shares lie on the computers that offer them. `None` when the
    /// other computer does not answer.
    fn place(&self, path: &str) -> Option<(ComputerId, String)> {
        let full = paths::full(&self.location(), path);
        let Some(rest) = full.strip_prefix("\\\\") else { return Some((self.computer, full)) };
        let (host, rest) = rest.split_once('\\')?;
        let computer = self.fabric.topology().find_computer(host)?;
        if !self.fabric.reaches(self.computer, computer, 445) {
            return None;
        }
        let (share, inner) = rest.split_once('\\').unwrap_or((rest, ""));
        // `\\server\c$` is the drive of that server; other shares are folders of their own.
        let local = match share.strip_suffix('$') {
            Some(drive) if drive.len() == 1 => format!("{}:\\{inner}", drive.to_uppercase()),
            _ => paths::full("C:\\", &format!("C:\\Shares\\{share}\\{inner}")),
        };
        Some((computer, local))
    }

    /// An entry under the name that the script used for the place.
    fn shown(&self, entry: firedrill_fabric::world::files::FileEntry, full: &str, local: &str) -> FileEntry {
        // The part behind the folder that was asked for keeps its own spelling.
        let behind: String = entry.path.chars().skip(local.trim_end_matches('\\').chars().count()).collect();
        let path: Arc<str> = if full.starts_with("\\\\") { format!("{}{behind}", full.trim_end_matches('\\')).into() } else { entry.path };
        let at = |time: firedrill_fabric::SimTime| DateTime::from_nanoseconds(time.0);
        FileEntry { path, folder: entry.folder, length: entry.length, created: at(entry.created), written: at(entry.written) }
    }

    /// A file or folder of the host, if scripts may see it.
    fn host_entry(&self, path: &str) -> Option<FileEntry> {
        let host = self.state.host_folders.as_ref()?;
        let content = host.read(path);
        if content.is_none() && host.list(path).is_empty() {
            return None;
        }
        let started = DateTime::from_nanoseconds(self.fabric.started().0);
        let length = content.as_ref().map_or(0, |content| content.len() as u64);
        Some(FileEntry { path: path.into(), folder: content.is_none(), length, created: started, written: started })
    }
}
