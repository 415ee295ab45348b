//! Script modules: `Import-Module` of a `.psm1` or `.psd1`, `using module`, what a module exports.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Env, Evaluator, Frame, Function, Nowhere, Scope};
use crate::ast::{ExpressionKind, ScriptBlockAst, StatementKind};
use crate::error::{ErrorRecord, Flow};
use crate::source::Span;
use crate::value::{PsObject, Value};

/// What `Import-Module` asks for.
#[derive(Debug, Clone, Default)]
pub struct ModuleRequest {
    /// A path, or the name of a module in the script's own folder.
    pub name: Arc<str>,
    /// `-Function`, `-Variable`, `-Alias`: wildcards; empty takes what the module exports.
    pub functions: Vec<Arc<str>>,
    /// See `functions`.
    pub variables: Vec<Arc<str>>,
    /// See `functions`.
    pub aliases: Vec<Arc<str>>,
    /// `-Prefix`, put before the noun.
    pub prefix: Arc<str>,
    /// `-Force`: run it again though it is loaded.
    pub force: bool,
}

/// What `Export-ModuleMember` lets out.
#[derive(Debug, Clone, Default)]
pub struct Exports {
    /// Names with wildcards.
    pub functions: Vec<Arc<str>>,
    /// Names with wildcards.
    pub variables: Vec<Arc<str>>,
    /// Names with wildcards.
    pub aliases: Vec<Arc<str>>,
}

/// A module that is loaded.
#[derive(Debug)]
pub(crate) struct Module {
    pub(crate) name: Arc<str>,
    pub(crate) path: Arc<str>,
    version: Value,
    scope: Arc<Scope>,
    functions: Vec<Arc<Function>>,
    aliases: Vec<(Arc<str>, Arc<str>)>,
    variables: Vec<super::Variable>,
    /// Names that the import made in the session.
    imported: Vec<Arc<str>>,
}

/// A module as it loads.
pub(crate) struct Loading {
    /// Name of the module: that of its file.
    pub(crate) name: Arc<str>,
    pub(crate) scope: Arc<Scope>,
    pub(crate) exports: Option<Exports>,
    pub(crate) aliases: Vec<(Arc<str>, Arc<str>)>,
}

fn any_like(patterns: &[Arc<str>], name: &str) -> bool {
    patterns.iter().any(|p| super::like(name, p, false))
}

/// The entries of a manifest that decide what is loaded and exported.
#[derive(Default)]
struct Manifest {
    root: Option<String>,
    nested: Vec<String>,
    scripts: Vec<String>,
    functions: Option<Vec<Arc<str>>>,
    variables: Option<Vec<Arc<str>>>,
    aliases: Option<Vec<Arc<str>>>,
    version: Option<Value>,
}

impl Evaluator<'_> {
    /// The file of a module: as it is, with an extension, or in a folder of its name.
    fn module_file(&mut self, name: &str) -> Option<String> {
        let name = name.replace('/', "\\");
        let base = if name.contains('\\') {
            self.script_path(&name)
        } else {
            let folder = self.env.frame.source.name.rsplit_once(['\\', '/']).map(|(folder, _)| folder.to_owned())?;
            format!("{folder}\\{name}")
        };
        let base = base.trim_end_matches('\\').to_owned();
        let leaf = base.rsplit('\\').next().unwrap_or_default().to_owned();
        let lower = base.to_lowercase();
        let candidates = if lower.ends_with(".psm1") || lower.ends_with(".psd1") || lower.ends_with(".ps1") {
            vec![base]
        } else {
            vec![format!("{base}\\{leaf}.psd1"), format!("{base}\\{leaf}.psm1"), format!("{base}.psd1"), format!("{base}.psm1")]
        };
        candidates.into_iter().find(|path| self.world.read_file(path).is_some())
    }

    /// Imports a script module into the session; `None` when there is no such file.
    pub(crate) fn import_script_module(&mut self, request: &ModuleRequest) -> Result<Option<Value>, Flow> {
        let Some(path) = self.module_file(&request.name) else { return Ok(None) };
        let key = path.to_lowercase();
        let loaded = if request.force { None } else { self.state.modules.get(&key).cloned() };
        let module = match loaded {
            Some(module) => module,
            None => {
                let module = self.deeper(|ev| ev.load_module(&path))?;
                self.state.modules.insert(key.clone(), module.clone());
                module
            }
        };
        let imported = self.import_members(&module, request);
        let object = module_object(&module);
        let module = Module { imported, ..Arc::try_unwrap(module).unwrap_or_else(|shared| shared.copy()) };
        self.state.modules.insert(key, Arc::new(module));
        Ok(Some(object))
    }

    fn import_members(&mut self, module: &Module, request: &ModuleRequest) -> Vec<Arc<str>> {
        let mut imported = module.imported.clone();
        let chosen = !(request.functions.is_empty() && request.variables.is_empty() && request.aliases.is_empty());
        // A module that loads another takes its members for itself.
        let target = self.loading.last().map_or_else(|| self.state.global.clone(), |loading| loading.scope.clone());
        for function in &module.functions {
            if chosen && !any_like(&request.functions, &function.name) {
                continue;
            }
            let name: Arc<str> = match function.name.split_once('-') {
                Some((verb, noun)) if !request.prefix.is_empty() => format!("{verb}-{}{noun}", request.prefix).into(),
                _ => format!("{}{}", request.prefix, function.name).into(),
            };
            imported.push(name.clone());
            target.define(Arc::new(function.renamed(name)));
        }
        for variable in &module.variables {
            if !chosen || any_like(&request.variables, &variable.name) {
                target.set(&variable.name.to_lowercase(), variable.clone());
            }
        }
        for (alias, command) in &module.aliases {
            if !chosen || any_like(&request.aliases, alias) {
                self.state.aliases.insert(alias.to_lowercase().into(), command.clone());
            }
        }
        imported
    }

    fn load_module(&mut self, path: &str) -> Result<Arc<Module>, Flow> {
        let text = self.world.read_file(path).map(|bytes| super::text::decode(&bytes)).unwrap_or_default();
        let leaf = path.rsplit('\\').next().unwrap_or(path);
        let name: Arc<str> = leaf.rsplit_once('.').map_or(leaf, |(stem, _)| stem).into();
        let scope = Scope::module(self.state.global.clone());
        self.loading.push(Loading { name: name.clone(), scope: scope.clone(), exports: None, aliases: Vec::new() });
        let manifest = if path.to_lowercase().ends_with(".psd1") {
            let result = self.load_manifest(path, &text, &scope);
            result.map(Some)
        } else {
            self.run_module_text(path, &text, &scope).map(|()| None)
        };
        let loading = self.loading.pop();
        let manifest = manifest?.unwrap_or_default();
        let (exports, own_aliases) = loading.map(|l| (l.exports, l.aliases)).unwrap_or_default();
        let in_manifest = |list: &Option<Vec<Arc<str>>>, name: &str| list.as_ref().is_none_or(|list| any_like(list, name));
        let functions = scope
            .own_functions()
            .into_iter()
            .filter(|f| exports.as_ref().is_none_or(|e| any_like(&e.functions, &f.name)) && in_manifest(&manifest.functions, &f.name))
            .collect();
        let variables = scope
            .all()
            .into_iter()
            .map(|(_, variable)| variable)
            .filter(|v| exports.as_ref().is_some_and(|e| any_like(&e.variables, &v.name)) && in_manifest(&manifest.variables, &v.name))
            .collect();
        let aliases = own_aliases
            .into_iter()
            .filter(|(alias, _)| exports.as_ref().is_none_or(|e| any_like(&e.aliases, alias)) && in_manifest(&manifest.aliases, alias))
            .collect();
        let version = manifest.version.unwrap_or(Value::Version([0, 0, -1, -1]));
        Ok(Arc::new(Module { name, path: path.into(), version, scope, functions, aliases, variables, imported: Vec::new() }))
    }

    fn run_module_text(&mut self, path: &str, text: &str, scope: &Arc<Scope>) -> Result<(), Flow> {
        let ast = self.parse_text(path, text)?;
        self.check_requirements(&ast)?;
        let frame = Arc::new(Frame { name: "".into(), source: ast.source.clone(), function: None, script: true, ..self.frame_like() });
        let env = Env { scope: scope.clone(), frame, routes: self.env.routes.clone() };
        self.within(env, |ev| {
            ev.enter_script(&ast)?;
            for block in [&ast.begin, &ast.process, &ast.end].into_iter().flatten() {
                match ev.block(block, &mut Nowhere) {
                    Err(Flow::Return) => return Ok(()),
                    other => other?,
                }
            }
            Ok(())
        })
    }

    fn load_manifest(&mut self, path: &str, text: &str, scope: &Arc<Scope>) -> Result<Manifest, Flow> {
        let ast = self.parse_text(path, text)?;
        let manifest = self.read_manifest(&ast)?;
        let folder = path.rsplit_once('\\').map_or("", |(folder, _)| folder).to_owned();
        for script in &manifest.scripts {
            let file = format!("{folder}\\{}", script.trim_start_matches(".\\"));
            if let Some(bytes) = self.world.read_file(&file) {
                self.run_module_text(&file, &super::text::decode(&bytes), &self.state.global.clone())?;
            }
        }
        for part in manifest.nested.iter().chain(&manifest.root) {
            let file = format!("{folder}\\{}", part.trim_start_matches(".\\"));
            match self.world.read_file(&file) {
                Some(bytes) => self.run_module_text(&file, &super::text::decode(&bytes), scope)?,
                None => {
                    let place = self.position(self.statement);
                    self.output.unmodelled.push((format!("module {part}").into(), place));
                }
            }
        }
        Ok(manifest)
    }

    fn read_manifest(&mut self, ast: &Arc<ScriptBlockAst>) -> Result<Manifest, Flow> {
        let mut found = Manifest::default();
        let Some(statement) = ast.end.as_ref().and_then(|b| b.statements.first()) else { return Ok(found) };
        let Some(expression) = super::statements::single_expression(statement) else { return Ok(found) };
        let ExpressionKind::Hash(entries) = &expression.kind else { return Ok(found) };
        for (key, value) in entries {
            // A manifest is data: anything but literals is not evaluated.
            if !matches!(value.kind, StatementKind::Pipeline(_)) {
                continue;
            }
            let ExpressionKind::Text(name, _) = &key.kind else { continue };
            let value = self.statement_value(value)?.0;
            let texts: Vec<Arc<str>> = super::operators::enumerate(&value).iter().map(|v| self.text(v).into()).collect();
            let list = || texts.iter().filter(|t| !t.is_empty()).map(|t| t.to_string()).collect::<Vec<_>>();
            match name.to_lowercase().as_str() {
                "rootmodule" | "moduletoprocess" => found.root = list().into_iter().next(),
                "nestedmodules" => found.nested = list(),
                "scriptstoprocess" => found.scripts = list(),
                "functionstoexport" => found.functions = Some(texts),
                "variablestoexport" => found.variables = Some(texts),
                "aliasestoexport" => found.aliases = Some(texts),
                "moduleversion" => found.version = crate::convert::cast(&value, "version").ok(),
                _ => {}
            }
        }
        Ok(found)
    }

    /// `using module path` of a script.
    pub(crate) fn use_module(&mut self, name: &str, span: Span) -> Result<(), Flow> {
        let request = ModuleRequest { name: name.into(), ..ModuleRequest::default() };
        if self.import_script_module(&request)?.is_some() || crate::builtins::is_known_module(name, &*self.world) {
            return Ok(());
        }
        let mut record = ErrorRecord::new(
            format!("The specified module '{name}' was not loaded because no valid module file was found in any module directory."),
            "ModuleNotFoundDuringParse",
            "ParserError",
            "System.Management.Automation.ParseException",
        );
        record.decorated = true;
        record.position = Some(self.position(span));
        Err(Flow::fatal(record))
    }

    /// `Remove-Module`: takes the names out of the session again; false when it is not loaded.
    pub(crate) fn remove_script_module(&mut self, pattern: &str) -> bool {
        let keys: Vec<String> =
            self.state.modules.iter().filter(|(_, m)| super::like(&m.name, pattern, false)).map(|(key, _)| key.clone()).collect();
        for key in &keys {
            let Some(module) = self.state.modules.remove(key) else { continue };
            for name in &module.imported {
                self.state.global.undefine(&name.to_lowercase());
            }
            for (alias, _) in &module.aliases {
                self.state.aliases.remove(&*alias.to_lowercase());
            }
        }
        !keys.is_empty()
    }

    /// The script modules of the session as objects.
    pub(crate) fn script_modules(&self) -> Vec<Value> {
        self.state.modules.values().map(|m| module_object(m)).collect()
    }
}

impl Module {
    fn copy(&self) -> Self {
        Self {
            name: self.name.clone(),
            path: self.path.clone(),
            version: self.version.clone(),
            scope: self.scope.clone(),
            functions: self.functions.clone(),
            aliases: self.aliases.clone(),
            variables: self.variables.clone(),
            imported: self.imported.clone(),
        }
    }
}

/// `PSModuleInfo`.
fn module_object(module: &Module) -> Value {
    let functions = module.functions.iter().map(|f| (f.name.clone(), Value::Str(f.name.clone())));
    let object = PsObject::new("System.Management.Automation.PSModuleInfo")
        .with("ModuleType", if module.path.to_lowercase().ends_with(".psd1") { "Manifest" } else { "Script" })
        .with("Version", module.version.clone())
        .with("Name", module.name.clone())
        .with("Path", module.path.clone())
        .with("ExportedFunctions", Value::hashtable(true, functions.clone()))
        .with("ExportedCommands", Value::hashtable(true, functions))
        .with_text(module.name.clone());
    PsObject { default_view: ["ModuleType", "Version", "Name"].iter().map(|n| Arc::from(*n)).collect(), ..object }.into()
}

/// Modules of a session by the path of their file, lower case.
pub(crate) type Modules = BTreeMap<String, Arc<Module>>;
