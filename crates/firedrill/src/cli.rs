//! The command line, as one declaration: help, manual page and completions all come from here.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::mount::Mount;

/// A rehearsal ground for Skype for Business Server disaster recovery.
#[derive(Parser)]
#[command(name = "firedrill", version, max_term_width = 100, after_help = EXIT_CODES, propagate_version = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,

    /// When to use colour.
    #[arg(long, global = true, value_enum, default_value_t = Colour::Auto, value_name = "WHEN")]
    pub(crate) color: Colour,
}

const EXIT_CODES: &str = "Exit codes:
  0  everything passed                 5   inconclusive only
  1  a scenario failed                 6   nondeterminism
  2  wrong usage                       70  a bug of Firedrill's own
  3  invalid scenario or topology      130 interrupted
  4  nothing selected";

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Run scenarios and say whether the business ends where it must; or a PowerShell script (`script.ps1`) against a deployment.
    Run(Run),
    /// Work on the computers of a rehearsal: PowerShell, faults, time, snapshots, and the way back.
    Shell(Shell),
    /// Read scenarios and topologies and report every problem; run nothing.
    Check(Check),
    /// List the scenarios that a selection selects.
    List(Selection),
    /// Print the JSON Schema of a kind of document.
    Schema(Schema),
    /// Print the evidence behind a behaviour of the model, or list all behaviours.
    Evidence(EvidenceArguments),
    /// Print shell completions.
    Completions(Completions),
    /// Print the manual page.
    Man,
}

#[derive(Args)]
pub(crate) struct Selection {
    /// Scenario files, folders, or `file.yaml:42` for the scenario whose line 42 this is.
    #[arg(value_name = "PATH", required = true)]
    pub(crate) paths: Vec<String>,

    /// Only scenarios whose name matches this glob (may be given more than once).
    #[arg(long, value_name = "GLOB")]
    pub(crate) name: Vec<String>,

    /// Only scenarios with this tag (may be given more than once; one of them suffices).
    #[arg(long, value_name = "TAG")]
    pub(crate) tag: Vec<String>,
}

#[derive(Args)]
pub(crate) struct Run {
    #[command(flatten)]
    pub(crate) selection: Selection,

    /// Seed of everything random, instead of the scenario's own.
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,

    /// Format of standard output.
    #[arg(long, value_enum, default_value_t = Format::Human, value_name = "FORMAT")]
    pub(crate) format: Format,

    /// Write a report beside the output: `junit=FILE` (may be given more than once).
    #[arg(long, value_name = "KIND=FILE")]
    pub(crate) report: Vec<ReportTarget>,

    /// Turn passes that lean on weaker evidence into inconclusive.
    #[arg(long, value_enum, value_name = "CLASS")]
    pub(crate) min_evidence: Option<MinEvidence>,

    /// Run everything twice and compare the digests of the event logs.
    #[arg(long)]
    pub(crate) check_determinism: bool,

    /// Answer federation and DNS from the model alone: no DNS server, no sockets.
    #[arg(long)]
    pub(crate) no_wire: bool,

    /// Bind parameters as the product's reference has them: spellings that only documents print fail.
    #[arg(long)]
    pub(crate) strict_binding: bool,

    /// Go on after a failed expectation instead of stopping at its step.
    #[arg(long)]
    pub(crate) keep_going: bool,

    /// Show every step, command and event, not only verdicts and failures.
    #[arg(long, short)]
    pub(crate) verbose: bool,

    #[command(flatten, next_help_heading = "Scripts (script.ps1)")]
    pub(crate) stage: Stage,

    /// Everything behind this goes to the script: --args -Pool pool1.contoso.com -Force.
    #[arg(long, value_name = "ARGUMENT", num_args = 0.., allow_hyphen_values = true, trailing_var_arg = false)]
    pub(crate) args: Vec<String>,
}

/// Where a script or a session stands.
#[derive(Args)]
pub(crate) struct Stage {
    /// Deployment to stand in, healthy.
    #[arg(long, value_name = "FILE")]
    pub(crate) topology: Option<String>,

    /// Scenario to stand in, after its steps.
    #[arg(long, value_name = "FILE")]
    pub(crate) scenario: Option<String>,

    /// Step of the scenario to stand before: its number, or part of its title.
    #[arg(long, value_name = "STEP", requires = "scenario")]
    pub(crate) at: Option<String>,

    /// Computer to work on; the one that holds the CMS master when not given.
    #[arg(long, value_name = "COMPUTER")]
    pub(crate) on: Option<String>,

    /// Folder of this machine that scripts may read, and where they find it (may be given more than once).
    #[arg(long, value_name = "FOLDER=C:\\Path")]
    pub(crate) mount: Vec<Mount>,

    /// Answer to a prompt, before anybody is asked (may be given more than once).
    #[arg(long, value_name = "TEXT")]
    pub(crate) answer: Vec<String>,
}

#[derive(Args)]
pub(crate) struct Shell {
    #[command(flatten)]
    pub(crate) stage: Stage,

    /// Seed of everything random.
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,

    /// Bind parameters as the product's reference has them.
    #[arg(long)]
    pub(crate) strict_binding: bool,

    /// Neither read nor write the history of inputs.
    #[arg(long)]
    pub(crate) no_history: bool,
}

#[derive(Args)]
pub(crate) struct Check {
    /// Scenario files, topology files or folders.
    #[arg(value_name = "PATH", required = true)]
    pub(crate) paths: Vec<String>,
}

#[derive(Args)]
pub(crate) struct Schema {
    /// Kind of document.
    #[arg(value_enum)]
    pub(crate) kind: SchemaKind,
}

#[derive(Args)]
pub(crate) struct EvidenceArguments {
    /// Only behaviours whose name contains this.
    pub(crate) behaviour: Option<String>,
}

#[derive(Args)]
pub(crate) struct Completions {
    /// Shell.
    pub(crate) shell: clap_complete::Shell,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Colour {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Aligned columns for people.
    Human,
    /// JSON Lines (docs/records.md).
    Json,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SchemaKind {
    /// Scenario files.
    Scenario,
    /// Topology files.
    Topology,
}

/// Evidence classes on the command line.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum MinEvidence {
    /// Microsoft documentation only.
    Documented,
    /// Documentation and field reports.
    Field,
    /// Also what was deduced from them.
    Inferred,
    /// Everything.
    Invented,
}

/// A report besides standard output.
#[derive(Clone)]
pub(crate) enum ReportTarget {
    /// JUnit XML.
    Junit(PathBuf),
}

impl std::str::FromStr for ReportTarget {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            Some(("junit", path)) if !path.is_empty() => Ok(Self::Junit(path.into())),
            Some(("junit", _)) => Err("the file is missing: write junit=report.xml".into()),
            Some((kind, _)) => Err(format!("there is no report of kind `{kind}`; known kinds: junit")),
            None => Err("a report is given as KIND=FILE, for example junit=report.xml".into()),
        }
    }
}

impl From<MinEvidence> for firedrill_fabric::Evidence {
    fn from(class: MinEvidence) -> Self {
        match class {
            MinEvidence::Documented => Self::Documented,
            MinEvidence::Field => Self::Field,
            MinEvidence::Inferred => Self::Inferred,
            MinEvidence::Invented => Self::Invented,
        }
    }
}
