//! Conversion, comparison, arithmetic, members: what PowerShell itself answered, one script a line.
//!
//! The goldens were written by PowerShell 7.6.2. Where Windows PowerShell 5.1 answers otherwise, 5.1 counts: texts that
//! .NET reworded are mapped back by [`goldens::as_in_5_1`], single answers stand in `differences-5.1.jsonl` with their reason.

#[path = "support/cases.rs"]
mod cases;
#[path = "support/goldens.rs"]
mod goldens;
mod support;

use firedrill_powershell::convert::to_text;
use firedrill_powershell::session::{Limits, Options, Session};
use firedrill_powershell::types::type_name;
use goldens::{as_in_5_1, differences, golden};
use rstest::rstest;
use serde_json::{Value as Json, json};
use support::TestWorld;

fn answer(script: &str) -> Json {
    let mut world = TestWorld::default();
    let mut session = Session::new(Limits::default(), Options::default());
    let output = session.run(&mut world, "", script);
    if let Some(error) = output.parse_errors.first() {
        return json!({ "parse": format!("{error:?}") });
    }
    if let Some(error) = output.errors().next() {
        return json!({ "error": &*error.message, "id": &*error.id, "category": &*error.category });
    }
    let values: Vec<_> = output.objects().flat_map(|v| v.items().unwrap_or_else(|| vec![v.clone()])).collect();
    json!({
        "types": values.iter().map(|v| type_name(v).to_string()).collect::<Vec<_>>(),
        "values": values.iter().map(|v| to_text(v, " ")).collect::<Vec<_>>(),
    })
}

fn check(name: &str) {
    let differences = differences();
    let mut failures = Vec::new();
    let cases = golden(name);
    for case in &cases {
        let script = case["script"].as_str().unwrap();
        let wanted = differences.get(script).unwrap_or(case);
        let found = answer(script);
        let same = match wanted.get("error").and_then(Json::as_str) {
            Some(message) => {
                found["error"].as_str() == Some(&as_in_5_1(message))
                    && found["id"] == wanted["id"]
                    && found["category"] == wanted["category"]
            }
            None => found["types"] == wanted["types"] && found["values"] == wanted["values"],
        };
        if !same {
            failures.push(format!("{script}\n   wanted {wanted}\n   found  {found}"));
        }
    }
    assert!(failures.is_empty(), "{} of {} differ\n{}", failures.len(), cases.len(), failures.join("\n"));
}

#[test]
fn expressions_answer_as_powershell_does() {
    check("expressions");
}

#[test]
fn cmdlets_answer_as_powershell_does() {
    check("cmdlets");
}

/// Static members, methods and types, one file for each family.
#[rstest]
#[case::regex(include_str!("cases/types/regex.txt"))]
#[case::strings(include_str!("cases/types/strings.txt"))]
#[case::numbers(include_str!("cases/types/numbers.txt"))]
#[case::dates(include_str!("cases/types/dates.txt"))]
#[case::collections(include_str!("cases/types/collections.txt"))]
#[case::members(include_str!("cases/types/members.txt"))]
#[case::system(include_str!("cases/types/system.txt"))]
#[case::xml(include_str!("cases/types/xml.txt"))]
fn types_answer_as_powershell_does(#[case] file: &str) {
    cases::check(file);
}
