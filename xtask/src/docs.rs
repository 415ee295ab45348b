//! Pages of docs/ that follow from the code.

use std::fmt::Write as _;
use std::path::Path;

use firedrill_fabric::Behaviour;

use crate::generated::write_or_check;

pub(crate) fn run(root: &Path, check: bool) -> anyhow::Result<()> {
    write_or_check(root, "docs/evidence.md", &evidence(), check)?;
    write_or_check(root, "docs/commands.md", &firedrill_cmdlets::coverage_page(), check)
}

fn evidence() -> String {
    let mut page = String::from(
        "# Evidence\n\nEvery behaviour of the model, where it comes from and how sure we are. A verdict names the weakest class it leaned on.\n\
         This page is generated (`cargo xtask docs`).\n\n| behaviour | class | source | what it says |\n|---|---|---|---|\n",
    );
    for behaviour in Behaviour::ALL {
        let class = format!("{:?}", behaviour.evidence()).to_lowercase();
        let _ = writeln!(page, "| {behaviour:?} | {class} | {} | {} |", behaviour.citation(), behaviour.summary());
    }
    page
}
