//! `firedrill run script.ps1`: a script against a deployment, with the streams and the exit code of a shell.

use std::collections::BTreeSet;
use std::path::Path;

use firedrill_scenario::{Drill, DrillError, Said};
use firedrill_topology::ComputerId;

use crate::cli::Run;
use crate::console::{Console, place};
use crate::exit::Exit;
use crate::mount;
use crate::print::Printer;
use crate::stage;

/// Where the folder of the script stands for the script.
const FOLDER: &str = "C:\\Scripts";

/// Largest script.
const MAX_SCRIPT_BYTES: u64 = 16 << 20;

/// Whether a path is a script rather than a scenario.
pub(crate) fn is_script(path: &str) -> bool {
    extension_is(path, &["ps1"])
}

pub(crate) fn run(arguments: &Run, printer: &mut Printer) -> Exit {
    let [path] = arguments.selection.paths.as_slice() else {
        return stage::usage(printer, "one script at a time: the next would start in the state that the first leaves");
    };
    let only_for_scenarios = [
        (!arguments.report.is_empty(), "--report"),
        (arguments.check_determinism, "--check-determinism"),
        (arguments.min_evidence.is_some(), "--min-evidence"),
        (!arguments.selection.name.is_empty(), "--name"),
        (!arguments.selection.tag.is_empty(), "--tag"),
        (arguments.format == crate::cli::Format::Json, "--format json"),
    ];
    if let Some((_, option)) = only_for_scenarios.iter().find(|(given, _)| *given) {
        return stage::usage(printer, &format!("{option} is for scenarios; a script has the streams and the exit code of a shell"));
    }
    let mut opened = match stage::open(&arguments.stage, arguments.seed, arguments.strict_binding, printer) {
        Ok(opened) => opened,
        Err(exit) => return exit,
    };
    let name = match place_folder(&mut opened.drill, opened.computer, Path::new(path)) {
        Ok(name) => name,
        Err(error) => {
            printer.talk(&format!("error: `{path}` cannot be read: {error}"));
            return Exit::NothingSelected;
        }
    };
    let text = invocation(&format!("{FOLDER}\\{name}"), &arguments.args);
    let mut console = Console::new(printer, &arguments.stage.answer, true);
    let result = opened.drill.run_at_console(opened.computer, &text, &mut console);
    console.close();
    finish(result, printer)
}

/// Says what a shell would not say, and gives the exit code.
pub(crate) fn finish(result: Result<Said, DrillError>, printer: &mut Printer) -> Exit {
    let said = match result {
        Ok(said) => said,
        Err(error) => {
            printer.talk(&format!("error: {error}"));
            return Exit::Failed;
        }
    };
    say_remarks(&said, printer);
    match (said.exit_code, said.unmodelled.is_empty()) {
        // The script does not parse: nothing of it ran.
        _ if matches!(said.errors.as_slice(), [only] if only.category == "ParserError") => Exit::Invalid,
        // What is not modelled may be why it failed: neither code means anything then.
        (_, false) => Exit::Inconclusive,
        (code, true) => Exit::Script(code as u8),
    }
}

/// Hints, and what kept the run from being conclusive, each once.
pub(crate) fn say_remarks(said: &Said, printer: &mut Printer) {
    let mut seen = BTreeSet::new();
    for (text, position) in &said.remarks {
        let line = format!("hint: {text} ({})", place(position));
        if seen.insert(line.clone()) {
            printer.talk(&line);
        }
    }
    for (what, position) in &said.unmodelled {
        let line = format!("inconclusive: {what} is not modelled ({})", place(position));
        if seen.insert(line.clone()) {
            printer.talk(&line);
        }
    }
}

/// Puts the script, and the scripts and modules of its folder, where the script will find them; the name of the script.
fn place_folder(drill: &mut Drill, computer: ComputerId, path: &Path) -> Result<String, mount::MountError> {
    let name = path.file_name().and_then(|name| name.to_str()).ok_or(mount::MountError::Unreadable(std::io::ErrorKind::InvalidFilename))?;
    let metadata = std::fs::metadata(path)?;
    // A pipe could keep us waiting for ever, and has no end.
    if !metadata.is_file() || metadata.len() > MAX_SCRIPT_BYTES {
        return Err(mount::MountError::Unreadable(std::io::ErrorKind::FileTooLarge));
    }
    let bytes = std::fs::read(path)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    mount::folder(drill, computer, folder, FOLDER, &|name| extension_is(name, &["ps1", "psm1", "psd1"]))?;
    drill.fabric_mut().write_file(computer, &format!("{FOLDER}\\{name}"), bytes.into());
    Ok(name.to_owned())
}

fn extension_is(path: &str, wanted: &[&str]) -> bool {
    let extension = Path::new(path).extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    wanted.iter().any(|one| one.eq_ignore_ascii_case(extension))
}

/// The command line that `powershell.exe -File` stands for: names are names, all else is text.
fn invocation(path: &str, arguments: &[String]) -> String {
    let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
    let mut line = format!("& {}", quoted(path));
    for argument in arguments {
        line.push(' ');
        match parameter(argument) {
            Some((name, None)) => line.push_str(name),
            Some((name, Some(value))) if ["$true", "$false"].iter().any(|known| value.eq_ignore_ascii_case(known)) => {
                line.push_str(&format!("{name}:{value}"));
            }
            Some((name, Some(value))) => line.push_str(&format!("{name}:{}", quoted(value))),
            None => line.push_str(&quoted(argument)),
        }
    }
    line + "; exit $LASTEXITCODE"
}

/// `-Name` or `-Name:value`; `-5` is a number.
fn parameter(argument: &str) -> Option<(&str, Option<&str>)> {
    let (name, value) = argument.split_once(':').map_or((argument, None), |(name, value)| (name, Some(value)));
    let word = name.strip_prefix('-')?;
    let named = word.starts_with(|c: char| c.is_ascii_alphabetic()) && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    named.then_some((name, value))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    #[rstest]
    #[case(&["-Pool", "pool1.contoso.com"], "-Pool 'pool1.contoso.com'")]
    #[case(&["-Force", "-Confirm:$false"], "-Force -Confirm:$false")]
    #[case(&["-Name:it's"], "-Name:'it''s'")]
    #[case(&["-5", "$(Get-Date)", "a b"], "'-5' '$(Get-Date)' 'a b'")]
    #[case(&["; Remove-Item x"], "'; Remove-Item x'")]
    #[case(&["-x;exit"], "'-x;exit'")]
    fn arguments_are_text(#[case] arguments: &[&str], #[case] line: &str) {
        let arguments: Vec<String> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        assert_eq!(super::invocation("C:\\Scripts\\a.ps1", &arguments), format!("& 'C:\\Scripts\\a.ps1' {line}; exit $LASTEXITCODE"));
    }
}
