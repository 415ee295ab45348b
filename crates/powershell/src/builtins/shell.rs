//! The shell itself: transcript, history, execution policy, snap-ins, secrets.

use std::sync::Arc;

use super::error;
use crate::command::BoundParameters;
use crate::convert::{datetime, shared_text};
use crate::desk::Transcript;
use crate::error::{ErrorRecord, Flow};
use crate::pipeline::Context;
use crate::value::{EnumValue, PsObject, Value};

pub(super) use crate::types::{credential, secret_of, secure_string};

/// What encrypted text begins with: the header of Windows' data protection, which names the account that can read it.
const PROTECTED: &str = "01000000d08c9ddf0115d1118c7a00c04fc297eb01000000";

/// `ConvertTo-SecureString`.
pub(super) fn to_secure_string(parameters: &BoundParameters, cx: &mut dyn Context) -> Result<(), Flow> {
    let text = parameters.get("String").map_or_else(|| "".into(), shared_text);
    if parameters.switch("AsPlainText") {
        if !parameters.switch("Force") {
            return Err(error(
                "The system cannot protect plain text input. To suppress this warning and convert the plain text to a SecureString, reissue the command \
                 specifying the Force parameter. For more information ,type: get-help ConvertTo-SecureString.",
                "ImportSecureString_ForceRequired",
                "InvalidArgument",
                "System.ArgumentException",
            )
            .into());
        }
        return cx.emit(secure_string(&text));
    }
    let hidden = text.strip_prefix(PROTECTED).and_then(|hex| {
        let bytes: Option<Vec<u8>> = (0..hex.len() / 2).map(|at| u8::from_str_radix(hex.get(at * 2..at * 2 + 2)?, 16).ok()).collect();
        String::from_utf8(bytes?).ok()
    });
    match hidden {
        Some(plain) => cx.emit(secure_string(&plain)),
        None if text.is_empty() || !text.bytes().all(|b| b.is_ascii_hexdigit()) => cx.write_error(error(
            "Input string was not in a correct format.",
            "ImportSecureString_InvalidArgument",
            "InvalidArgument",
            "System.FormatException",
        )),
        // Text that a real server encrypted: nobody can read it here.
        None => {
            cx.unmodelled("ConvertTo-SecureString of text that another computer encrypted");
            cx.emit(secure_string(""))
        }
    }
}

/// `ConvertFrom-SecureString`: text that only this shell reads back.
pub(super) fn from_secure_string(parameters: &BoundParameters, cx: &mut dyn Context) -> Result<(), Flow> {
    let plain = parameters.get("SecureString").and_then(secret_of).unwrap_or_else(|| "".into());
    let hex: String = plain.bytes().map(|byte| format!("{byte:02x}")).collect();
    cx.emit(Value::str(format!("{PROTECTED}{hex}")))
}

/// `Get-Credential`: the user name may be given, the rest is asked for.
pub(super) fn get_credential(parameters: &BoundParameters, cx: &mut dyn Context) -> Result<(), Flow> {
    if let Some(Value::Object(object)) = parameters.get("Credential")
        && object.is_type("System.Management.Automation.PSCredential")
    {
        return cx.emit(Value::Object(object.clone()));
    }
    let given = parameters.get("Credential").or_else(|| parameters.get("UserName")).map_or_else(|| "".into(), shared_text);
    let title = "Windows PowerShell credential request\n";
    let message = parameters.text("Message").unwrap_or_else(|| "Enter your credentials.".into());
    let user = if given.is_empty() {
        match cx.world().prompt(&format!("{title}{message}\nUser: ")) {
            Some(user) => user.into(),
            None => return Err(nobody().into()),
        }
    } else {
        given
    };
    let Some(password) = cx.world().prompt(&format!("{title}{message}\nPassword for user {user}: ")) else { return Err(nobody().into()) };
    cx.emit(credential(&user, secure_string(&password)))
}

/// What a question ends in when nobody sits at the console.
pub(super) fn nobody() -> ErrorRecord {
    error(
        "Windows PowerShell is in NonInteractive mode. Read and Prompt functionality is not available.",
        "InvalidOperation",
        "InvalidOperation",
        "System.Management.Automation.PSInvalidOperationException",
    )
}

const STARS: &str = "**********************\r\n";

fn stamp(cx: &mut dyn Context) -> String {
    let now = cx.world().now();
    datetime::format(now, "yyyyMMddHHmmss").unwrap_or_default()
}

/// `Start-Transcript`.
pub(super) fn start_transcript(parameters: &BoundParameters, cx: &mut dyn Context) -> Result<(), Flow> {
    if cx.desk().transcript.is_some() {
        cx.remark("a transcript is being written already; the new one takes its place");
    }
    let stamp = stamp(cx);
    let path = match parameters.text("Path").or_else(|| parameters.text("LiteralPath")) {
        Some(path) => super::files::full(&path, cx),
        None => {
            let computer = cx.world().computer_name();
            let name = computer.split('.').next().unwrap_or(&computer).to_uppercase();
            let folder = parameters.text("OutputDirectory").unwrap_or_else(|| format!("{}\\Documents", crate::paths::HOME).into());
            let folder = super::files::full(&folder, cx);
            format!("{folder}\\PowerShell_transcript.{name}.{stamp}.txt")
        }
    };
    let there = super::files::exists(&path, cx);
    if there && parameters.switch("NoClobber") && !parameters.switch("Append") {
        return Err(error(
            format!("File {path} already exists and NoClobber was specified."),
            "NoClobber",
            "ResourceExists",
            "System.IO.IOException",
        )
        .into());
    }
    if !cx.should_process(&path, "Start-Transcript")? {
        return Ok(());
    }
    let computer = cx.world().computer_name().to_uppercase();
    let head = format!(
        "{STARS}Windows PowerShell transcript start\r\nStart time: {stamp}\r\nUsername: Administrator\r\nRunAs User: Administrator\r\n\
         Machine: {computer} (Microsoft Windows NT 10.0.17763.0)\r\nHost Application: powershell.exe\r\nProcess ID: 4242\r\nPSVersion: 5.1.17763.1\r\n{STARS}"
    );
    super::files::write_text(&path, &head, parameters.switch("Append"), super::files::Encoding::Utf8, cx)?;
    let from = cx.shown(usize::MAX).1;
    cx.desk().transcript = Some(Transcript { path: path.clone(), from });
    let object = PsObject::custom().with("Path", path.as_str()).with_text(format!("Transcript started, output file is {path}"));
    let text: Value = object.text.clone().map_or(Value::Null, Value::Str);
    cx.emit(text)
}

/// `Stop-Transcript`.
pub(super) fn stop_transcript(_: &BoundParameters, cx: &mut dyn Context) -> Result<(), Flow> {
    let Some(transcript) = cx.desk().transcript.take() else {
        return Err(error(
            "An error occurred stopping transcription: The host is not currently transcribing.",
            "InvalidOperation",
            "InvalidOperation",
            "System.Management.Automation.PSInvalidOperationException",
        )
        .into());
    };
    let shown = cx.shown(transcript.from).0.replace('\n', "\r\n");
    let end = format!("{shown}{STARS}Windows PowerShell transcript end\r\nEnd time: {}\r\n{STARS}", stamp(cx));
    super::files::write_text(&transcript.path, &end, true, super::files::Encoding::Utf8, cx)?;
    cx.emit(Value::str(format!("Transcript stopped, output file is {}", transcript.path)))
}

/// `Add-PSSnapin`: the products of the fabric have modules, not snap-ins.
pub(super) fn add_snapin(parameters: &BoundParameters, cx: &mut dyn Context) -> Result<(), Flow> {
    for name in super::texts(parameters, "Name") {
        cx.write_error(
            error(
                format!("The Windows PowerShell snap-in '{name}' is not installed on this computer."),
                "AddPSSnapInRead",
                "InvalidArgument",
                "System.Management.Automation.PSArgumentException",
            )
            .with_target(Value::Str(name.clone())),
        )?;
    }
    Ok(())
}

/// `Get-PSSnapin`.
pub(super) fn get_snapin(parameters: &BoundParameters, cx: &mut dyn Context) -> Result<(), Flow> {
    const CORE: &str = "Microsoft.PowerShell.Core";
    let names = super::texts(parameters, "Name");
    let registered = parameters.switch("Registered");
    if !registered && (names.is_empty() || names.iter().any(|n| crate::eval::like(CORE, n, false))) {
        let object = PsObject::new("System.Management.Automation.PSSnapInInfo")
            .with("Name", CORE)
            .with("PSVersion", Value::Version([5, 1, 17763, 1]))
            .with("Description", "This Windows PowerShell snap-in contains cmdlets used to manage components of Windows PowerShell.");
        cx.emit(object.with_text(CORE).into())?;
    }
    for name in names {
        if !super::properties::has_wildcard(&name) && (registered || !name.eq_ignore_ascii_case(CORE)) {
            cx.write_error(
                error(
                    format!("No Windows PowerShell snap-ins matching the pattern '{name}' were found. Check the pattern and then try the command again."),
                    "GetPSSnapInRead",
                    "InvalidArgument",
                    "System.Management.Automation.PSArgumentException",
                )
                .with_target(Value::Str(name.clone())),
            )?;
        }
    }
    Ok(())
}

/// `Get-ExecutionPolicy`: what servers have by default.
pub(super) fn get_execution_policy(_: &BoundParameters, cx: &mut dyn Context) -> Result<(), Flow> {
    let policy = EnumValue { type_name: "Microsoft.PowerShell.ExecutionPolicy".into(), name: "RemoteSigned".into(), number: 1 };
    cx.emit(Value::Enum(Arc::new(policy)))
}

/// `Add-Type`: an assembly changes nothing by being loaded; code of another language does not run.
pub(super) fn add_type(parameters: &BoundParameters, cx: &mut dyn Context) -> Result<(), Flow> {
    for what in ["TypeDefinition", "MemberDefinition", "Path", "LiteralPath"] {
        if parameters.get(what).is_some() {
            cx.unmodelled(&format!("Add-Type -{what}"));
        }
    }
    for name in super::texts(parameters, "AssemblyName") {
        cx.remark(&format!("the assembly {name} is not loaded: only the types that the model has can be used"));
    }
    Ok(())
}

/// `ConvertFrom-StringData`: lines of `name=value`.
pub(super) fn from_string_data(parameters: &BoundParameters, cx: &mut dyn Context) -> Result<(), Flow> {
    let text = parameters.get("StringData").map_or_else(|| "".into(), shared_text);
    let mut entries: Vec<(Arc<str>, Value)> = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let Some((name, value)) = line.split_once('=') else {
            return Err(error(
                format!("Data line '{line}' is not in 'name=value' format. "),
                "InvalidOperation",
                "InvalidOperation",
                "System.Management.Automation.PSInvalidOperationException",
            )
            .with_target(Value::str(line))
            .into());
        };
        let name = name.trim();
        if entries.iter().any(|(known, _)| known.eq_ignore_ascii_case(name)) {
            return Err(error(
                format!("Data item '{name}' in line '{line}' is already defined. "),
                "InvalidOperation",
                "InvalidOperation",
                "System.Management.Automation.PSInvalidOperationException",
            )
            .with_target(Value::str(line))
            .into());
        }
        entries.push((name.into(), Value::str(unescaped(value.trim()))));
    }
    cx.emit(Value::hashtable(false, entries))
}

/// The escapes that .NET's regular expressions know.
fn unescaped(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('n') => out.push('\n'),
            Some('r') => out.push('\r'),
            Some('t') => out.push('\t'),
            Some(other) => out.push(other),
            None => out.push('\\'),
        }
    }
    out
}

/// `Get-History`: kept by the console, not by scripts.
pub(super) fn get_history(_: &BoundParameters, cx: &mut dyn Context) -> Result<(), Flow> {
    let history = cx.desk().history.clone();
    for (at, line) in history.iter().enumerate() {
        let object = PsObject::new("Microsoft.PowerShell.Commands.HistoryInfo")
            .with("Id", Value::Long(i64::try_from(at + 1).unwrap_or(i64::MAX)))
            .with("CommandLine", line.clone());
        cx.emit(object.with_text(line.clone()).into())?;
    }
    Ok(())
}

/// `Get-TimeZone`: servers of the fabric live in UTC.
pub(super) fn get_time_zone(_: &BoundParameters, cx: &mut dyn Context) -> Result<(), Flow> {
    let object = PsObject::new("System.TimeZoneInfo")
        .with("Id", "UTC")
        .with("DisplayName", "(UTC) Coordinated Universal Time")
        .with("StandardName", "UTC")
        .with("DaylightName", "UTC")
        .with("BaseUtcOffset", crate::value::TimeSpan::from_nanoseconds(0))
        .with("SupportsDaylightSavingTime", false);
    cx.emit(object.with_text("(UTC) Coordinated Universal Time").into())
}
