//! The page that says how far each command is modelled, made from the tables that decide it.

use std::fmt::Write as _;

use firedrill_topology::ProductVersion;

use crate::commands;
use crate::signatures::{self, Binding};

/// Versions of the product in the order of the page.
const VERSIONS: [ProductVersion; 3] = [ProductVersion::Lync2013, ProductVersion::Sfb2015, ProductVersion::Sfb2019];

/// `docs/commands.md`: modelled commands with what of them is not, then the names of all others.
pub fn coverage_page() -> String {
    let modelled: Vec<_> = commands::all().filter_map(|command| signatures::find(command.name)).collect();
    let others: Vec<&str> =
        signatures::all().values().filter(|known| commands::find(known.name).is_none()).map(|known| known.name).collect();
    let mut page = format!(
        "# Commands\n\n{} commands are modelled. The other {} of the references are known: their parameters bind as the reference has them, then\n\
         the run is inconclusive and names the command with its place. So it is for the parameters of modelled commands listed here.\n\
         This page is generated (`cargo xtask docs`).\n\n| command | in | parameters that are not modelled |\n|---|---|---|\n",
        modelled.len(),
        others.len()
    );
    let mut rows: Vec<String> = modelled.into_iter().map(row).collect();
    rows.sort();
    page.extend(rows);
    let _ = write!(page, "\n## Known, not modelled\n\n{}\n", others.join(", "));
    page
}

fn row(signature: &'static signatures::Signature) -> String {
    let versions: Vec<&str> = VERSIONS.into_iter().filter(|version| signature.exists_in(*version)).map(ProductVersion::year).collect();
    let mut unmodelled: Vec<String> = VERSIONS
        .into_iter()
        .filter(|version| signature.exists_in(*version))
        .flat_map(|version| {
            let info = signature.info(version, Binding::Strict);
            info.parameters
                .iter()
                .filter(|parameter| parameter.unmodelled)
                .map(|parameter| format!("`-{}`", parameter.name))
                .collect::<Vec<_>>()
        })
        .collect();
    unmodelled.sort();
    unmodelled.dedup();
    format!("| `{}` | {} | {} |\n", signature.name, versions.join(", "), unmodelled.join(" "))
}
