//! What a command is: its signature, what it receives, and what it may do while it runs.
//!
//! One binder serves functions of scripts and commands of hosts alike; both describe themselves as [`CommandInfo`].

use std::sync::Arc;

use crate::value::{DateTime, Value};

/// The signature of a command.
#[derive(Debug, Clone)]
pub struct CommandInfo {
    /// Name as printed, `Invoke-CsPoolFailOver`.
    pub name: Arc<str>,
    /// Module as printed by `Get-Command`.
    pub module: Arc<str>,
    /// Parameters, without the common ones.
    pub parameters: Vec<ParameterInfo>,
    /// Parameter sets; one set named `__AllParameterSets` when the command has no sets of its own.
    pub sets: Vec<ParameterSetInfo>,
    /// Index into `sets` of the default set.
    pub default_set: Option<usize>,
    /// Whether `-WhatIf` and `-Confirm` exist.
    pub supports_should_process: bool,
    /// How grave the command is; compared with `$ConfirmPreference`.
    pub confirm_impact: ConfirmImpact,
    /// Implementing type, the second half of `FullyQualifiedErrorId`.
    pub implementing_type: Arc<str>,
}

/// `System.Management.Automation.ConfirmImpact`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum ConfirmImpact {
    /// Never asks by itself.
    None,
    /// Asks when `$ConfirmPreference` is `Low`.
    Low,
    /// The default of `SupportsShouldProcess`.
    #[default]
    Medium,
    /// Asks unless `-Confirm:$false`.
    High,
}

/// One parameter set.
#[derive(Debug, Clone)]
pub struct ParameterSetInfo {
    /// Name as in error messages.
    pub name: Arc<str>,
}

/// One parameter of a command.
#[derive(Debug, Clone)]
pub struct ParameterInfo {
    /// Name as printed.
    pub name: Arc<str>,
    /// Other names.
    pub aliases: Vec<Arc<str>>,
    /// Type that arguments are converted to.
    pub parameter_type: ParameterType,
    /// Where it takes part.
    pub memberships: Vec<SetMembership>,
    /// Takes all remaining positional arguments.
    pub remaining: bool,
    /// What a mandatory parameter takes all the same.
    pub allows: Vec<Allowance>,
    /// A spelling that the product's own documents print and the product does not know. It binds by default and leaves
    /// a diagnostic; under strict binding it does not exist.
    pub procedure_spelling: bool,
    /// Accepted by the binder, without effect in the model: using it makes the verdict inconclusive.
    pub unmodelled: bool,
}

/// What a mandatory parameter takes although it says nothing: `[AllowNull()]` and its kin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Allowance {
    /// `[AllowNull()]`.
    Null,
    /// `[AllowEmptyString()]`.
    EmptyText,
    /// `[AllowEmptyCollection()]`.
    EmptyCollection,
}

/// How a parameter takes part in one set (or in all of them).
#[derive(Debug, Clone)]
pub struct SetMembership {
    /// Index into [`CommandInfo::sets`]; `None` means every set.
    pub set: Option<usize>,
    /// Binding fails without it.
    pub mandatory: bool,
    /// Zero-based position, if it binds by position. Only the order of positions matters.
    pub position: Option<u32>,
    /// Takes the pipeline object itself.
    pub by_value: bool,
    /// Takes the property of the same name (or alias) of the pipeline object.
    pub by_property_name: bool,
}

/// The types of parameters that binding knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ParameterType {
    /// Anything, unconverted.
    Object,
    /// `System.String` and everything that is written as one (`Fqdn`, `XdsIdentity`, `UserIdParameter`); the name is
    /// the type that messages print.
    Text(Arc<str>),
    /// `SwitchParameter`.
    Switch,
    /// `System.Boolean`.
    Bool,
    /// Whole numbers of any width: .NET name, lowest and highest value.
    Integer(Arc<str>, i128, i128),
    /// `System.Double`.
    Double,
    /// `System.TimeSpan`.
    TimeSpan,
    /// `System.DateTime`.
    DateTime,
    /// `System.Guid`.
    Guid,
    /// `ScriptBlock`; text is not converted.
    ScriptBlock,
    /// `ScriptBlock` or text, for `-Filter`: reaches the command as text.
    Filter,
    /// Hashtable.
    Hashtable,
    /// An enumeration: .NET name and members. Unique prefixes bind, case does not matter.
    Enum(Arc<str>, Vec<Arc<str>>),
    /// Array of an element type; a scalar becomes an array of one.
    Array(Box<ParameterType>),
}

/// Parameters after binding, in the order of the signature; only those that were given.
#[derive(Debug, Clone, Default)]
pub struct BoundParameters {
    /// Name of the set that was chosen.
    pub set: Arc<str>,
    /// Converted values by parameter name as in the signature.
    pub values: Vec<(Arc<str>, Value)>,
}

impl BoundParameters {
    /// The value of a parameter, if it was given.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.values.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v)
    }

    /// Whether a switch was given and is true.
    pub fn switch(&self, name: &str) -> bool {
        matches!(self.get(name), Some(Value::Bool(true)))
    }

    /// The text of a parameter, if it was given.
    pub fn text(&self, name: &str) -> Option<Arc<str>> {
        match self.get(name)? {
            Value::Str(text) => Some(text.clone()),
            Value::Enum(value) => Some(value.name.clone()),
            _ => None,
        }
    }
}

/// What the provider knows about a name.
#[derive(Debug, Clone)]
pub enum Resolution {
    /// A command that can be invoked.
    Command(Arc<CommandInfo>),
    /// A command of the real product or of Windows that is not modelled: binding is checked when the signature is
    /// known, then the run becomes inconclusive.
    Unmodelled(Option<Arc<CommandInfo>>),
    /// Nobody knows it.
    Unknown,
}

/// A source of commands beyond the language's own.
pub trait CommandProvider {
    /// Looks a name up, without regard to case.
    fn resolve(&self, name: &str) -> Resolution;

    /// All names, for suggestions, wildcards and `Get-Command`.
    fn names(&self) -> Vec<Arc<str>>;

    /// The default view of a type of this source; `None` shows all properties, or those of `PsObject::default_view`.
    fn view(&self, type_name: &str) -> Option<Arc<crate::format::View>> {
        let _ = type_name;
        None
    }

    /// Runs a command once for a bound set of parameters (once for each pipeline object where the command takes
    /// pipeline input). Non-terminating errors go through [`Invocation::error`]; `Err` is statement-terminating.
    fn invoke(
        &mut self,
        command: &CommandInfo,
        parameters: &BoundParameters,
        invocation: &mut dyn Invocation,
    ) -> Result<(), Box<CommandError>>;
}

/// Who answers a prompt: gets its text; `None` means that nobody is there.
pub type Prompt<'p> = &'p mut dyn FnMut(&str) -> Option<String>;

/// What a command may do while it runs. The evaluator implements it: preference variables, `-ErrorAction`,
/// redirections and the pipeline behind the command are its business.
pub trait Invocation {
    /// Emits an object to the pipeline.
    fn output(&mut self, value: Value);
    /// Writes objects that are made one by one when the next stage takes them; the command has returned by then, so that
    /// they come from a snapshot of the world. What nobody takes is never made.
    fn outputs(&mut self, values: Box<dyn Iterator<Item = Value> + Send>) {
        values.for_each(|value| self.output(value));
    }
    /// Whether anybody still takes output: false once a later stage (`Select-Object -First`) has seen enough. Commands
    /// that emit very many objects ask between them.
    fn wants_more(&self) -> bool {
        true
    }
    /// Emits a non-terminating error.
    fn error(&mut self, error: CommandError);
    /// Emits a warning.
    fn warning(&mut self, text: &str);
    /// Emits a verbose message; shown with `-Verbose`.
    fn verbose(&mut self, text: &str);
    /// Writes to the host, as `Write-Host` does.
    fn host(&mut self, text: &str);
    /// Asks whether to go on, as `ShouldProcess` does: `-WhatIf` prints and answers no; `-Confirm`, or an impact that
    /// reaches `$ConfirmPreference`, puts the question to `prompt` with the operation and the target in it. The command
    /// hands over [`Host::prompt`], because the host is busy with the command while it runs. `Err` ends the statement:
    /// nobody was there to answer.
    fn should_process(&mut self, target: &str, action: &str, prompt: Prompt<'_>) -> Result<bool, Box<CommandError>>;
    /// Whether `-WhatIf` is in force.
    fn what_if(&self) -> bool;
    /// Records that something known is not modelled; the verdict becomes inconclusive and names it.
    fn unmodelled(&mut self, what: &str);
    /// Records a remark about the script itself (a procedure spelling, a value accepted in lax mode).
    fn remark(&mut self, text: &str);
}

/// An error of a command, before the evaluator adds position and invocation.
#[derive(Debug, Clone)]
pub struct CommandError {
    /// Message as printed after `Name : `.
    pub message: Arc<str>,
    /// First half of `FullyQualifiedErrorId`; the evaluator appends `,<implementing type>`.
    pub id: Arc<str>,
    /// `System.Management.Automation.ErrorCategory` name, `InvalidOperation`.
    pub category: Arc<str>,
    /// .NET exception type, most derived first.
    pub exception_types: Vec<Arc<str>>,
    /// The object the error is about.
    pub target: Value,
}

/// A file or folder of the virtual file system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileEntry {
    /// Full path, spelt as when it was made.
    pub path: Arc<str>,
    /// Whether it is a folder.
    pub folder: bool,
    /// Length in bytes; 0 for folders.
    pub length: u64,
    /// When it was made.
    pub created: DateTime,
    /// When it was last written.
    pub written: DateTime,
}

/// A module that is installed on the computer of the session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModuleInfo {
    /// Name, `SkypeForBusiness`.
    pub name: Arc<str>,
    /// Version.
    pub version: [i32; 4],
    /// `Binary`, `Manifest` or `Script`.
    pub kind: &'static str,
    /// Description.
    pub description: Arc<str>,
}

/// Where a command is to run that goes to another computer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteTarget {
    /// Name of the computer, or the whole address of `-ConnectionUri`.
    pub name: Arc<str>,
    /// Whether the name is an address (`https://pool1.contoso.com/OcsPowershell`).
    pub by_uri: bool,
    /// Port, when one was asked for.
    pub port: Option<u16>,
    /// `-UseSSL`.
    pub ssl: bool,
}

/// What the evaluator needs of its surroundings beyond commands. All of it is virtual.
pub trait Host {
    /// The current virtual time.
    fn now(&mut self) -> DateTime;
    /// Lets virtual time run.
    fn sleep(&mut self, nanoseconds: i64);
    /// A GUID from the seed.
    fn guid(&mut self) -> u128;
    /// Answers a prompt (`Read-Host`, confirmation): `None` means that nobody is there to answer.
    fn prompt(&mut self, prompt: &str) -> Option<String>;
    /// Hears of every record the moment it is written, for a console that somebody watches.
    fn wrote(&mut self, record: &crate::session::StreamRecord) {
        let _ = record;
    }
    /// Name of the computer that runs the session.
    fn computer_name(&self) -> Arc<str>;
    /// Its full name, with the domain.
    fn full_computer_name(&self) -> Arc<str> {
        self.computer_name()
    }
    /// Reads a file of the virtual file system.
    fn read_file(&mut self, path: &str) -> Option<Arc<[u8]>>;
    /// Writes a file of the virtual file system; false when the path cannot be written.
    fn write_file(&mut self, path: &str, content: &[u8]) -> bool;
    /// Removes a file of the virtual file system; false when it cannot be removed.
    fn remove_file(&mut self, path: &str) -> bool {
        let _ = path;
        false
    }
    /// Full paths of all files of the virtual file system, sorted.
    fn list_files(&mut self) -> Vec<String> {
        Vec::new()
    }
    /// A file or folder of the virtual file system.
    fn entry(&mut self, path: &str) -> Option<FileEntry> {
        let content = self.read_file(path)?;
        let now = self.now();
        Some(FileEntry { path: path.into(), folder: false, length: content.len() as u64, created: now, written: now })
    }
    /// Files and folders directly inside of a folder, sorted by name.
    fn entries(&mut self, folder: &str) -> Vec<FileEntry> {
        let _ = folder;
        Vec::new()
    }
    /// Makes a folder, with those around it; false when that cannot be.
    fn make_folder(&mut self, path: &str) -> bool {
        let _ = path;
        false
    }
    /// The folder that relative paths start from.
    fn location(&self) -> String {
        "C:\\".into()
    }
    /// Changes the folder that relative paths start from.
    fn set_location(&mut self, path: &str) {
        let _ = path;
    }
    /// Modules of the product and its surroundings that are installed on the computer of the session.
    fn modules(&self) -> Vec<ModuleInfo> {
        Vec::new()
    }
    /// Goes to another computer: commands, files and the name of the computer are those of that one until
    /// [`Host::leave`]. Calls nest. The full name of the computer, or why it cannot be reached.
    fn enter(&mut self, target: &RemoteTarget) -> Result<Arc<str>, Box<CommandError>> {
        Err(Box::new(CommandError {
            message: format!("Connecting to remote server {} is not modelled.", target.name).into(),
            id: "RemotingNotModelled".into(),
            category: "NotImplemented".into(),
            exception_types: vec!["System.Management.Automation.PSNotImplementedException".into()],
            target: Value::Str(target.name.clone()),
        }))
    }
    /// Comes back from the computer entered last.
    fn leave(&mut self) {}
}
