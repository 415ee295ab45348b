//! Signatures as data: what each command of the product is called, takes and demands, by product version.
//!
//! The tables in `data/` are facts of the published cmdlet references. They are indexed on first use; a signature is
//! read when its command is first resolved, and kept: one for each version and way of binding.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use firedrill_powershell::command::{ConfirmImpact, ParameterInfo, ParameterSetInfo, SetMembership};
use firedrill_powershell::{CommandInfo, ParameterType};
use firedrill_topology::ProductVersion;

use crate::commands::{self, Command};
use crate::spellings;
use crate::types::parameter_type;

/// The product's own cmdlets.
const PRODUCT: &str = include_str!("../data/signatures.tsv");
/// Windows commands that runbooks use beside them.
const WINDOWS: &str = include_str!("../data/windows.tsv");

/// One line of the index: where a signature stands and what its head says.
#[derive(Debug)]
pub struct Signature {
    /// Name as printed.
    pub name: &'static str,
    /// Module; `None` for the product's own, whose module is named after the product of the version.
    module: Option<&'static str>,
    /// Sum of 1 (2010), 2 (2013), 4 (2015) and 8 (2019).
    versions: u8,
    should_process: bool,
    sets: &'static str,
    parameters: &'static str,
    /// Only the name is known.
    pub name_only: bool,
    cache: [OnceLock<Arc<CommandInfo>>; 8],
}

/// How parameters are bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Binding {
    /// Spellings that the product's procedures print work, with a remark.
    #[default]
    Procedures,
    /// The reference, to the letter.
    Strict,
}

/// All signatures by lower-case name.
pub fn all() -> &'static BTreeMap<String, Signature> {
    static INDEX: OnceLock<BTreeMap<String, Signature>> = OnceLock::new();
    INDEX.get_or_init(|| {
        let mut index = BTreeMap::new();
        read_index(PRODUCT, None, &mut index);
        read_index(WINDOWS, Some(""), &mut index);
        index
    })
}

/// The signature of a command, by its name in any case; `.exe` may be left out.
pub fn find(name: &str) -> Option<&'static Signature> {
    let lower = name.to_ascii_lowercase();
    // `Lync\Get-CsUser` names the module first.
    let bare = match lower.split_once('\\') {
        Some(("skypeforbusiness" | "lync" | "dnsserver" | "dnsclient" | "nettcpip", rest)) => rest,
        _ => &lower,
    };
    all().get(bare).or_else(|| all().get(&format!("{bare}.exe")))
}

/// The bit of a version in the tables.
fn bit(version: ProductVersion) -> u8 {
    match version {
        ProductVersion::Lync2010 => 1,
        ProductVersion::Lync2013 => 2,
        ProductVersion::Sfb2015 => 4,
        ProductVersion::Sfb2019 => 8,
    }
}

impl Signature {
    /// Whether the command exists in a version of the product.
    pub fn exists_in(&self, version: ProductVersion) -> bool {
        // XMPP went with 2019 (dossier F.7), although the pages of its cmdlets list that version.
        let gone = version == ProductVersion::Sfb2019 && self.name.contains("-CsXmpp");
        self.versions & bit(version) != 0 && !gone
    }

    /// The signature as the binder takes it.
    pub fn info(&'static self, version: ProductVersion, binding: Binding) -> Arc<CommandInfo> {
        let slot = bit(version).trailing_zeros() as usize * 2 + usize::from(binding == Binding::Strict);
        self.cache[slot].get_or_init(|| Arc::new(self.build(version, binding))).clone()
    }

    fn build(&self, version: ProductVersion, binding: Binding) -> CommandInfo {
        let command = commands::find(self.name);
        let mut default_set = None;
        let mut sets: Vec<ParameterSetInfo> = Vec::new();
        for (index, name) in self.sets.split('|').enumerate() {
            if name.ends_with('*') {
                default_set = Some(index);
            }
            sets.push(ParameterSetInfo { name: name.trim_end_matches('*').into() });
        }
        let parameters = self.parameters.lines().filter_map(|line| self.parameter(line, version, command)).collect();
        let mut info = CommandInfo {
            name: self.name.into(),
            module: self.module_name(version).into(),
            parameters,
            sets,
            default_set,
            supports_should_process: self.should_process,
            confirm_impact: command.map_or(ConfirmImpact::Medium, |c| c.impact),
            implementing_type: command.map_or_else(|| implementing_type(self.name), |c| c.implementing_type()).into(),
        };
        if binding == Binding::Procedures {
            spellings::add(&mut info);
        }
        info
    }

    fn module_name(&self, version: ProductVersion) -> &'static str {
        self.module.unwrap_or(match version {
            ProductVersion::Lync2010 | ProductVersion::Lync2013 => "Lync",
            ProductVersion::Sfb2015 | ProductVersion::Sfb2019 => "SkypeForBusiness",
        })
    }

    /// Reads one parameter line; `None` when the version does not have it.
    fn parameter(&self, line: &'static str, version: ProductVersion, command: Option<&Command>) -> Option<ParameterInfo> {
        let mut fields = line.split('\t');
        let (name, raw_type, versions, aliases, membership) =
            (fields.next()?, fields.next()?, fields.next()?, fields.next()?, fields.next()?);
        if versions != "." && u8::from_str_radix(versions, 16).ok()? & bit(version) == 0 {
            return None;
        }
        let memberships = membership.split(' ').filter_map(read_membership).collect();
        Some(ParameterInfo {
            name: name.into(),
            aliases: if aliases == "-" { Vec::new() } else { aliases.split(',').map(Into::into).collect() },
            parameter_type: if raw_type == "Remaining" {
                ParameterType::Array(Box::new(ParameterType::Text("System.String".into())))
            } else {
                parameter_type(self.name, name, raw_type, version)
            },
            memberships,
            remaining: raw_type == "Remaining",
            allows: Vec::new(),
            procedure_spelling: false,
            unmodelled: command.is_some_and(|command| !command.knows(name)),
        })
    }
}

/// Reads `set:flags`.
fn read_membership(text: &str) -> Option<SetMembership> {
    let (set, flags) = text.split_once(':')?;
    Some(SetMembership {
        set: if set == "*" { None } else { Some(set.parse().ok()?) },
        mandatory: flags.contains('m'),
        position: flags.chars().find_map(|c| c.to_digit(10)),
        by_value: flags.contains('v'),
        by_property_name: flags.contains('n'),
    })
}

fn read_index(text: &'static str, windows: Option<&'static str>, index: &mut BTreeMap<String, Signature>) {
    let mut module = windows;
    let mut rest = text;
    while !rest.is_empty() {
        let (line, tail) = rest.split_once('\n').unwrap_or((rest, ""));
        if let Some(name) = line.strip_prefix('@') {
            module = Some(name);
        } else if let Some(name) = line.strip_prefix('~') {
            let signature = Signature {
                name,
                module,
                versions: 15,
                should_process: false,
                sets: "__AllParameterSets",
                parameters: "",
                name_only: true,
                cache: Default::default(),
            };
            index.insert(name.to_ascii_lowercase(), signature);
        } else if let Some(head) = line.strip_prefix('>') {
            let mut fields = head.split('\t');
            let mut next = || fields.next().unwrap_or_default();
            let (name, versions, should_process, sets) = (next(), next(), next(), next());
            let end = tail.find(['>', '@', '~']).unwrap_or(tail.len());
            let signature = Signature {
                name,
                module,
                versions: u8::from_str_radix(versions, 16).unwrap_or(0),
                should_process: should_process == "w",
                sets,
                parameters: &tail[..end],
                name_only: false,
                cache: Default::default(),
            };
            index.insert(name.to_ascii_lowercase(), signature);
            rest = &tail[end..];
            continue;
        }
        rest = tail;
    }
}

/// The implementing type where no error text names it: the pattern of those that are known, `MoveOcsUserCmdlet` and
/// `TestReplicaCmdlet` (dossier B.5, H; the rest inferred).
fn implementing_type(name: &str) -> String {
    let (verb, noun) = name.split_once('-').unwrap_or(("", name));
    format!("Microsoft.Rtc.Management.{verb}{}Cmdlet", noun.strip_prefix("Cs").unwrap_or(noun))
}
