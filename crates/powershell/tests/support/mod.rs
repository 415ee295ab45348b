//! A small world for the tests of the language.

use std::collections::BTreeMap;
use std::sync::Arc;

use firedrill_powershell::command::{
    CommandError, CommandInfo, CommandProvider, ConfirmImpact, FileEntry, Host, Invocation, ModuleInfo, ParameterInfo, ParameterSetInfo,
    ParameterType, RemoteTarget, Resolution, SetMembership,
};
use firedrill_powershell::value::DateTime;
use firedrill_powershell::{BoundParameters, PsObject, Value};

/// A world with a few commands, a clock, a file system and answers to prompts.
#[derive(Default)]
#[allow(unreachable_pub)]
pub struct TestWorld {
    /// Virtual nanoseconds since the epoch.
    pub now: i64,
    /// Files by path.
    pub files: BTreeMap<String, Vec<u8>>,
    /// Folders, and how files and folders are spelt, by path in lower case.
    pub spelt: BTreeMap<String, (String, bool)>,
    /// Where relative paths start from.
    pub here: Option<String>,
    /// Computers that were entered and not left.
    pub entered: Vec<String>,
    /// Answers to prompts, first one first.
    pub answers: Vec<String>,
    /// Prompts as they were shown.
    pub prompts: Vec<String>,
    /// GUIDs handed out so far.
    pub guids: u128,
}

fn parameter(name: &str, parameter_type: ParameterType, position: Option<u32>, mandatory: bool, by_value: bool) -> ParameterInfo {
    ParameterInfo {
        name: name.into(),
        aliases: Vec::new(),
        parameter_type,
        memberships: vec![SetMembership { set: None, mandatory, position, by_value, by_property_name: by_value }],
        remaining: false,
        allows: Vec::new(),
        procedure_spelling: false,
        unmodelled: false,
    }
}

fn info(name: &str, parameters: Vec<ParameterInfo>, should_process: bool) -> CommandInfo {
    CommandInfo {
        name: name.into(),
        module: "Test".into(),
        parameters,
        sets: vec![ParameterSetInfo { name: "__AllParameterSets".into() }],
        default_set: Some(0),
        supports_should_process: should_process,
        confirm_impact: ConfirmImpact::Medium,
        implementing_type: format!("Test.{}Command", name.replace('-', "")).into(),
    }
}

fn text(name: &str, position: Option<u32>, mandatory: bool, by_value: bool) -> ParameterInfo {
    parameter(name, ParameterType::Text("System.String".into()), position, mandatory, by_value)
}

fn commands() -> Vec<CommandInfo> {
    vec![
        info("Get-CsThing", vec![text("Identity", Some(0), false, true)], false),
        info("Remove-CsThing", vec![text("Identity", Some(0), true, true)], true),
        info("Test-CsThing", vec![text("Identity", Some(0), true, true)], false),
    ]
}

impl CommandProvider for TestWorld {
    fn resolve(&self, name: &str) -> Resolution {
        if name.eq_ignore_ascii_case("Get-CsUnmodelled") {
            return Resolution::Unmodelled(None);
        }
        match commands().into_iter().find(|c| c.name.eq_ignore_ascii_case(name)) {
            Some(info) => Resolution::Command(Arc::new(info)),
            None => Resolution::Unknown,
        }
    }

    fn names(&self) -> Vec<Arc<str>> {
        commands().into_iter().map(|c| c.name).collect()
    }

    fn invoke(
        &mut self,
        command: &CommandInfo,
        parameters: &BoundParameters,
        invocation: &mut dyn Invocation,
    ) -> Result<(), Box<CommandError>> {
        let identity = parameters.text("Identity");
        match &*command.name {
            "Get-CsThing" => {
                for (name, size) in [("alpha", 1), ("beta", 2), ("gamma", 3)] {
                    if invocation.wants_more() && identity.as_deref().is_none_or(|i| i.eq_ignore_ascii_case(name)) {
                        invocation.verbose(&format!("Reading {name}."));
                        invocation.output(PsObject::new("Test.Thing").with("Identity", name).with("Size", size).into());
                    }
                }
                Ok(())
            }
            "Remove-CsThing" => {
                let identity = identity.unwrap_or_default();
                if invocation.should_process(&identity, "Remove-CsThing", &mut |prompt| self.prompt(prompt))? {
                    invocation.output(Value::str(format!("removed {identity}")));
                }
                Ok(())
            }
            _ => {
                let identity = identity.unwrap_or_default();
                let error = CommandError {
                    message: format!("The thing \"{identity}\" is broken.").into(),
                    id: "BrokenThing".into(),
                    category: "InvalidOperation".into(),
                    exception_types: vec!["System.InvalidOperationException".into()],
                    target: Value::str(&*identity),
                };
                if &*identity == "fatal" {
                    return Err(Box::new(error));
                }
                invocation.error(error);
                invocation.warning("things break");
                Ok(())
            }
        }
    }
}

impl Host for TestWorld {
    fn now(&mut self) -> DateTime {
        DateTime::from_nanoseconds(self.now)
    }

    fn sleep(&mut self, nanoseconds: i64) {
        self.now = self.now.saturating_add(nanoseconds);
    }

    fn guid(&mut self) -> u128 {
        self.guids += 1;
        self.guids
    }

    fn prompt(&mut self, prompt: &str) -> Option<String> {
        self.prompts.push(prompt.into());
        (!self.answers.is_empty()).then(|| self.answers.remove(0))
    }

    fn computer_name(&self) -> Arc<str> {
        self.entered.last().map_or_else(|| "fe1.contoso.com".into(), |name| name.as_str().into())
    }

    fn read_file(&mut self, path: &str) -> Option<Arc<[u8]>> {
        self.files.get(&path.to_lowercase()).map(|bytes| bytes.as_slice().into())
    }

    fn list_files(&mut self) -> Vec<String> {
        self.files.keys().cloned().collect()
    }

    fn write_file(&mut self, path: &str, content: &[u8]) -> bool {
        if let Some((parent, _)) = path.rsplit_once('\\').filter(|(parent, _)| parent.len() > 2) {
            self.make_folder(parent);
        }
        self.spelt.entry(path.to_lowercase()).or_insert_with(|| (path.into(), false));
        self.files.insert(path.to_lowercase(), content.to_vec());
        true
    }

    fn remove_file(&mut self, path: &str) -> bool {
        let (key, inside) = (path.to_lowercase(), format!("{}\\", path.to_lowercase()));
        let doomed = |held: &String| *held == key || held.starts_with(&inside);
        let before = self.spelt.len();
        self.files.retain(|held, _| !doomed(held));
        self.spelt.retain(|held, _| !doomed(held));
        self.spelt.len() != before
    }

    fn entry(&mut self, path: &str) -> Option<FileEntry> {
        // Files that a case brings along are spelt as they stand.
        for key in self.files.keys() {
            self.spelt.entry(key.clone()).or_insert_with(|| (key.clone(), false));
        }
        let key = path.to_lowercase();
        let now = self.now();
        let folder = |path: String| FileEntry { path: path.into(), folder: true, length: 0, created: now, written: now };
        if let Some((path, is_folder)) = self.spelt.get(&key) {
            if *is_folder {
                return Some(folder(path.clone()));
            }
            let length = self.files.get(&key).map_or(0, |content| content.len() as u64);
            return Some(FileEntry { length, folder: false, ..folder(path.clone()) });
        }
        if key == "c:\\" {
            return Some(folder("C:\\".into()));
        }
        let inside = format!("{key}\\");
        let (_, (spelt, _)) = self.spelt.range(inside.clone()..).next().filter(|(held, _)| held.starts_with(&inside))?;
        Some(folder(spelt[..key.len()].into()))
    }

    fn entries(&mut self, folder: &str) -> Vec<FileEntry> {
        let _ = self.entry(folder);
        let inside = format!("{}\\", folder.to_lowercase().trim_end_matches('\\'));
        let mut children: Vec<String> = self
            .spelt
            .keys()
            .filter_map(|held| held.strip_prefix(&inside))
            .map(|rest| format!("{inside}{}", rest.split('\\').next().unwrap_or(rest)))
            .collect();
        children.dedup();
        children.iter().filter_map(|path| self.entry(path)).collect()
    }

    fn make_folder(&mut self, path: &str) -> bool {
        if let Some((parent, _)) = path.rsplit_once('\\').filter(|(parent, _)| parent.len() > 2) {
            self.make_folder(parent);
        }
        self.spelt.entry(path.to_lowercase()).or_insert_with(|| (path.into(), true));
        true
    }

    fn location(&self) -> String {
        self.here.clone().unwrap_or_else(|| "C:\\".into())
    }

    fn set_location(&mut self, path: &str) {
        self.here = Some(path.into());
    }

    fn modules(&self) -> Vec<ModuleInfo> {
        vec![ModuleInfo { name: "TestModule".into(), version: [1, 2, 0, 0], kind: "Binary", description: "".into() }]
    }

    fn enter(&mut self, target: &RemoteTarget) -> Result<Arc<str>, Box<CommandError>> {
        if target.name.contains("down") {
            return Err(Box::new(CommandError {
                message: format!("[{}] Connecting to remote server failed.", target.name).into(),
                id: "WinRMOperationTimeout".into(),
                category: "OpenError".into(),
                exception_types: vec!["System.Management.Automation.Remoting.PSRemotingTransportException".into()],
                target: Value::Null,
            }));
        }
        self.entered.push(target.name.to_string());
        Ok(target.name.clone())
    }

    fn leave(&mut self) {
        self.entered.pop();
    }
}
