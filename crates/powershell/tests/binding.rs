//! The binder: what PowerShell answered to the same functions and commands.

#[path = "support/goldens.rs"]
mod goldens;
mod support;

use firedrill_powershell::convert::to_text;
use firedrill_powershell::session::{Limits, Options, Session};
use goldens::{as_in_5_1, differences, golden};
use serde_json::{Value as Json, json};
use support::TestWorld;

/// The functions that the goldens were made with.
const FUNCTIONS: &str = include_str!("goldens/binding.ps1");

fn answer(session: &mut Session, world: &mut TestWorld, script: &str) -> Json {
    let output = session.run(world, "", script);
    if let Some(error) = output.parse_errors.first() {
        return json!({ "parse": format!("{error:?}") });
    }
    if let Some(error) = output.errors().next() {
        return json!({ "error": &*error.message, "id": &*error.id, "category": &*error.category });
    }
    json!({ "values": output.objects().map(|v| to_text(v, " ")).collect::<Vec<_>>() })
}

#[test]
fn binds_as_powershell_does() {
    let differences = differences();
    let mut world = TestWorld::default();
    let mut session = Session::new(Limits::default(), Options::default());
    let set_up = session.run(&mut world, "", FUNCTIONS);
    assert!(set_up.parse_errors.is_empty() && !set_up.failed, "{:?}", set_up.parse_errors);
    let mut failures = Vec::new();
    let cases = golden("binding");
    for case in &cases {
        let script = case["script"].as_str().unwrap();
        let wanted = differences.get(script).unwrap_or(case);
        let found = answer(&mut session, &mut world, script);
        let same = match wanted.get("error").and_then(Json::as_str) {
            Some(message) => {
                found["error"].as_str() == Some(&as_in_5_1(message))
                    && found["id"] == wanted["id"]
                    && found["category"] == wanted["category"]
            }
            None => found["values"] == wanted["values"],
        };
        if !same {
            failures.push(format!("{script}\n   wanted {wanted}\n   found  {found}"));
        }
    }
    assert!(failures.is_empty(), "{} of {} differ\n{}", failures.len(), cases.len(), failures.join("\n"));
}
