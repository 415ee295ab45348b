//! Completion: commands where a command stands, parameters behind a dash, names of the deployment elsewhere, variables and
//! their properties behind a dollar, dot commands behind a dot.

use std::collections::BTreeMap;
use std::sync::Arc;

use firedrill_cmdlets::signatures;
use firedrill_powershell::Value;
use firedrill_topology::{ProductVersion, Topology};

use super::{Session, command_names, dot};

/// Most candidates shown at once.
const SHOWN: usize = 200;

/// What can be completed in a session now.
#[derive(Default)]
pub(crate) struct Catalogue {
    commands: Vec<String>,
    topology: Option<Arc<Topology>>,
    variables: BTreeMap<String, Vec<String>>,
}

impl Catalogue {
    pub(crate) fn new(session: &mut Session) -> Self {
        if session.piped {
            return Self::default();
        }
        let commands = command_names(session);
        let topology = session.drill.topology().clone();
        let computer = session.computer;
        let variables = session.drill.rehearsal().variables(computer);
        let variables = variables.into_iter().map(|(name, value)| (name.to_string(), properties(&value))).collect();
        Self { commands, topology: Some(topology), variables }
    }

    /// Where the word at a position begins, and what could stand in its place.
    pub(crate) fn complete(&self, line: &str, position: usize) -> (usize, Vec<String>) {
        let before = &line[..position.min(line.len())];
        if before.starts_with('.') && !before.starts_with(". ") {
            return self.dot(before);
        }
        let start = before.rfind(|c: char| c.is_whitespace() || "|;({},=@\"'".contains(c)).map_or(0, |at| at + 1);
        let word = &before[start..];
        if let Some(variable) = word.strip_prefix('$') {
            return match variable.split_once('.') {
                Some((name, property)) => {
                    let known = self.variables.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, properties)| properties);
                    (start + 2 + name.len(), matching(known.into_iter().flatten().map(String::as_str), property))
                }
                None => (start + 1, matching(self.variables.keys().map(String::as_str), variable)),
            };
        }
        let segment = before[..start].rsplit(['|', ';', '(', '{', '=']).next().unwrap_or_default().trim_start();
        match segment.split_whitespace().next() {
            None => (start, matching(self.commands.iter().map(String::as_str), word)),
            Some(command) if word.starts_with('-') => (start, self.parameters(command, word)),
            Some(_) => (start, self.names(word)),
        }
    }

    fn dot(&self, before: &str) -> (usize, Vec<String>) {
        match before.rfind(|c: char| c.is_whitespace() || "{[:,".contains(c)) {
            None => (1, matching(dot::NAMES.iter().map(|(name, ..)| *name), &before[1..])),
            Some(at) => (at + 1, self.names(&before[at + 1..])),
        }
    }

    fn version(&self) -> ProductVersion {
        self.topology.as_ref().map_or(ProductVersion::Sfb2015, |topology| topology.version)
    }

    fn parameters(&self, command: &str, word: &str) -> Vec<String> {
        let Some(signature) = signatures::find(command) else { return Vec::new() };
        let info = signature.info(self.version(), signatures::Binding::Strict);
        let names: Vec<String> = info.parameters.iter().map(|parameter| format!("-{}", parameter.name)).collect();
        matching(names.iter().map(String::as_str), word)
    }

    /// Names of the deployment: sites, pools, Edge pools, computers, and users once a letter is there.
    fn names(&self, word: &str) -> Vec<String> {
        let Some(topology) = &self.topology else { return Vec::new() };
        // An identity keeps its prefix: `Registrar:pool1.contoso.com`.
        let (prefix, part) = word.rfind(':').map_or(("", word), |at| word.split_at(at + 1));
        let fixed = topology
            .pools
            .iter()
            .map(|pool| pool.fqdn.as_str())
            .chain(topology.edge_pools.iter().map(|edge| edge.fqdn.as_str()))
            .chain(topology.computers.iter().map(|computer| computer.fqdn.as_str()))
            .chain(topology.sites.iter().map(|site| site.name.as_str()));
        let mut found = matching(fixed, part);
        if !part.is_empty() {
            let singles = topology.users.cohorts.iter().filter(|cohort| cohort.count == 1).take(SHOWN);
            let users: Vec<String> = singles.filter_map(|cohort| topology.users.address(cohort.first)).collect();
            found.extend(matching(users.iter().map(String::as_str), part));
        }
        found.into_iter().map(|name| format!("{prefix}{name}")).collect()
    }
}

fn matching<'a>(names: impl Iterator<Item = &'a str>, start: &str) -> Vec<String> {
    let start = start.to_lowercase();
    let mut found: Vec<String> = names.filter(|name| name.to_lowercase().starts_with(&start)).take(SHOWN).map(str::to_owned).collect();
    found.sort_by_key(|name| name.to_lowercase());
    found.dedup();
    found
}

/// Properties of a value; of a list, those of its first element.
fn properties(value: &Value) -> Vec<String> {
    match value {
        Value::Object(_) => properties_of_first(value),
        list => list.items().and_then(|items| items.first().cloned()).map(|first| properties_of_first(&first)).unwrap_or_default(),
    }
}

fn properties_of_first(value: &Value) -> Vec<String> {
    match value {
        Value::Object(object) => object.names().iter().map(ToString::to_string).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn catalogue() -> Catalogue {
        let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/contoso.yaml")).expect("a fixture");
        let topology = firedrill_topology::load(&firedrill_syntax::Source::new("contoso.yaml", &text)).topology.expect("valid");
        let commands = ["Get-CsPool", "Get-CsPoolFabricState", "Invoke-CsPoolFailOver", "Where-Object"].map(str::to_owned).into();
        let variables =
            BTreeMap::from([("pool".to_owned(), vec!["Fqdn".to_owned(), "Computers".to_owned()]), ("PSVersionTable".to_owned(), vec![])]);
        Catalogue { commands, topology: Some(Arc::new(topology)), variables }
    }

    /// `|` stands for the cursor, which is at the end; what is completed is put in its place.
    #[rstest]
    #[case::commands("get-cspool", "", &["Get-CsPool", "Get-CsPoolFabricState"])]
    #[case::behind_a_pipe("Get-CsPool | whe", "Get-CsPool | ", &["Where-Object"])]
    #[case::in_a_block("if ($x) { Invoke-Cs", "if ($x) { ", &["Invoke-CsPoolFailOver"])]
    #[case::assigned("$p = Get-CsPoolF", "$p = ", &["Get-CsPoolFabricState"])]
    #[case::parameters("Invoke-CsPoolFailOver -Dis", "Invoke-CsPoolFailOver ", &["-DisasterMode"])]
    #[case::names("Get-CsPool pool1.", "Get-CsPool ", &["pool1.contoso.com"])]
    #[case::identities("Set-CsEdgeServer -Registrar Registrar:pool2.", "Set-CsEdgeServer -Registrar ", &["Registrar:pool2.contoso.com"])]
    #[case::quoted("Get-CsUser 'ann", "Get-CsUser '", &["anna@contoso.com"])]
    #[case::variables("$po", "$", &["pool"])]
    #[case::properties("$pool.C", "$pool.", &["Computers"])]
    #[case::dot_commands(".fa", ".", &["fault"])]
    #[case::names_behind_dot_commands(".on pool2-fe3", ".on ", &["pool2-fe3.contoso.com"])]
    #[case::nothing_known("Frobnicate-Thing -x", "Frobnicate-Thing ", &[])]
    #[case::letters_of_more_than_a_byte("'é' | whe", "'é' | ", &["Where-Object"])]
    fn completes(#[case] line: &str, #[case] kept: &str, #[case] wanted: &[&str]) {
        let (start, found) = catalogue().complete(line, line.len());
        assert_eq!((&line[..start], found.iter().map(String::as_str).collect::<Vec<_>>()), (kept, wanted.to_vec()));
    }
}
