//! `$Host.UI` and the choices that its prompts offer.

use std::sync::Arc;

use super::call::{ARGUMENT, Call, Found, gives};
use crate::error::Flow;
use crate::pipeline::Context;
use crate::value::{PsObject, Value};

/// Full name of what a prompt offers.
pub const CHOICE: &str = "System.Management.Automation.Host.ChoiceDescription";
/// Full name of what `$Host.UI` is.
pub const USER_INTERFACE: &str = "System.Management.Automation.Internal.Host.InternalHostUserInterface";

/// How often a prompt is repeated to somebody who answers with something that is no choice.
const PATIENCE: usize = 100;

/// A choice: the letter behind `&` chooses it too.
pub fn choice(label: &str, help: &str) -> Value {
    PsObject::new(CHOICE).with("Label", label).with("HelpMessage", help).with_text(CHOICE).into()
}

/// Constructors.
pub(super) fn construct(call: &Call<'_>) -> Option<Value> {
    matches!((call.class, call.count()), (CHOICE, 1 | 2)).then(|| choice(&call.text(0), &call.text(1)))
}

/// Key and plain label of `&Yes`: `Y` and `Yes`.
fn key_and_label(label: &str) -> (String, String) {
    match label.split_once('&') {
        Some((before, after)) => {
            (after.chars().next().map(|c| c.to_uppercase().to_string()).unwrap_or_default(), format!("{before}{after}").trim().to_owned())
        }
        None => (String::new(), label.to_owned()),
    }
}

/// Methods of `$Host.UI`.
pub(super) fn methods(call: &Call<'_>, cx: &mut dyn Context) -> Found {
    if call.lower != "promptforchoice" {
        cx.unmodelled(&format!("$Host.UI.{}", call.name));
        return Ok(None);
    }
    if call.count() != 4 {
        return Err(call.overload());
    }
    let choices: Vec<(String, String, Arc<str>)> = call
        .items(2)
        .iter()
        .map(|item| {
            let field = |name: &str| match item {
                Value::Object(object) => object.get(name).map(|value| crate::convert::shared_text(&value)),
                _ => None,
            };
            let (key, label) = key_and_label(&field("Label").unwrap_or_else(|| crate::convert::shared_text(item)));
            (key, label, field("HelpMessage").unwrap_or_default())
        })
        .collect();
    let default = call.int(3, "defaultChoice")?;
    if choices.is_empty() || default < -1 || default >= i64::try_from(choices.len()).unwrap_or(i64::MAX) {
        return Err(call.threw("Specified argument was out of the range of valid values.", ARGUMENT));
    }
    let preset = usize::try_from(default).ok();
    pick(call, &choices, preset, cx)
}

/// Asks until the answer is a choice; its index. The layout is that of PowerShell's console host.
fn pick(call: &Call<'_>, choices: &[(String, String, Arc<str>)], preset: Option<usize>, cx: &mut dyn Context) -> Found {
    let shown = |at: usize| if choices[at].0.is_empty() { &choices[at].1 } else { &choices[at].0 };
    let mut line: String = choices.iter().map(|(key, label, _)| format!("[{key}] {label}  ")).collect();
    line.push_str("[?] Help");
    if let Some(at) = preset {
        line.push_str(&format!(" (default is \"{}\"):", shown(at)));
    }
    let mut head = String::new();
    if !call.text(0).is_empty() {
        head.push_str(&format!("\n{}\n", call.text(0)));
    }
    if !call.text(1).is_empty() {
        head.push_str(&format!("{}\n", call.text(1)));
    }
    for _ in 0..PATIENCE {
        let Some(answer) = cx.world().prompt(&format!("{head}{line}")) else { return Err(nobody(call)) };
        let answer = answer.trim();
        head.clear();
        if answer.is_empty() {
            if let Some(at) = preset {
                return gives(super::call::len(at));
            }
            continue;
        }
        if answer == "?" {
            head = choices.iter().enumerate().map(|(at, (.., help))| format!("{} - {help}\n", shown(at))).collect();
            continue;
        }
        let same = |text: &str| !text.is_empty() && text.to_lowercase() == answer.to_lowercase();
        let found = choices.iter().position(|(_, label, _)| same(label)).or_else(|| choices.iter().position(|(key, ..)| same(key)));
        if let Some(at) = found {
            return gives(super::call::len(at));
        }
    }
    Err(nobody(call))
}

fn nobody(call: &Call<'_>) -> Flow {
    call.threw(
        "Windows PowerShell is in NonInteractive mode. Read and Prompt functionality is not available.",
        "System.Management.Automation.PSInvalidOperationException",
    )
}
