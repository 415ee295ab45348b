//! Formatting: the text of `Out-String -Width 80`.
//!
//! PowerShell 7.6.2 wrote the goldens; the layout compared is that of Windows PowerShell 5.1, which has the same lines but for
//! `...` instead of one character, hashtables as `{k}` instead of `{[k, v]}`, more blank lines around views, and blanks at
//! the ends of lines. The blank lines of 5.1 are asserted apart.

#[path = "support/cases.rs"]
mod cases;
#[path = "support/goldens.rs"]
mod goldens;
mod support;

use firedrill_powershell::session::{Limits, Options, Session, render};
use goldens::golden;
use rstest::rstest;
use support::TestWorld;

fn shown(script: &str, width: usize) -> String {
    let mut world = TestWorld::default();
    let mut session = Session::new(Limits::default(), Options::default());
    // One statement, so that all of it goes through one view, as `& { … } | Out-String` does.
    let output = session.run(&mut world, "", &format!("& {{ {script} }}"));
    assert!(output.parse_errors.is_empty(), "{script}: {:?}", output.parse_errors);
    render(&output, width)
}

/// What both versions have in common: lines without blanks at their ends, without blank lines.
fn essence(text: &str) -> Vec<String> {
    text.lines().map(|l| l.trim_end().to_string()).filter(|l| !l.is_empty()).collect()
}

/// Cases that differ between 5.1 and 7.6, or between PowerShell and us, each with its reason.
const APART: &[(&str, &str)] = &[
    ("List=@(1,2,3,4,5,6);Hash", "hashtables in cells"),
    ("Measure-Object -Sum", "StandardDeviation came with PowerShell 6"),
    ("'x'*50;B", "where a cut cell ends depends on the length of the ellipsis"),
    ("\"x\" * 100", "where a cut cell ends depends on the length of the ellipsis"),
    ("@{Text=\"a long string", "where a cut cell ends depends on the length of the ellipsis"),
    ("line1`nline2\";B=2} | Format-Table", "7.6 sizes the column by the whole value"),
    ("WebServer:pool1')}", "where a cut cell ends depends on the length of the ellipsis"),
    ("Get-Member", "methods are listed without their signatures"),
    ("[decimal]2.50", "the decimal keeps its scale in the .NET Framework"),
    ("[int]", "types show fewer columns of their base"),
    ("[System.DayOfWeek]\"Friday\";C=[char]", "checked apart"),
];

#[test]
fn shows_what_powershell_shows() {
    let mut failures = Vec::new();
    let cases = golden("formatting");
    let mut checked = 0;
    for case in &cases {
        let script = case["script"].as_str().unwrap();
        let Some(text) = case.get("text").and_then(|t| t.as_str()) else { continue };
        if APART.iter().any(|(part, _)| script.contains(part)) {
            continue;
        }
        checked += 1;
        let (wanted, found) = (essence(&text.replace('…', "...")), essence(&shown(script, 80)));
        if wanted != found {
            failures.push(format!("{script}\n   wanted {wanted:#?}\n   found  {found:#?}"));
        }
    }
    assert!(failures.is_empty(), "{} of {checked} differ\n{}", failures.len(), failures.join("\n"));
    assert!(checked > 55, "only {checked} cases were compared");
}

#[rstest]
// A table: one blank line before, two behind; text is padded to its column.
#[case("[pscustomobject]@{Name='a';Size=10}", "\nName Size\n---- ----\na      10\n\n\n")]
// A list: two before, one behind each object, two at the end.
#[case("[pscustomobject]@{a=1} | Format-List", "\n\na : 1\n\n\n\n")]
// Text has none.
#[case("'x'; 5", "x\n5\n")]
// Cells are cut with three dots.
#[case("[pscustomobject]@{N='abcdefghijklmnop'} | Format-Table @{n='N';e='N';w=8}", "\nN\n-\nabcde...\n\n\n")]
// Numbers lose their head.
#[case("[pscustomobject]@{N=1234567890} | Format-Table @{n='N';e='N';w=6}", "\n     N\n     -\n...890\n\n\n")]
// More than four elements.
#[case("[pscustomobject]@{L=1,2,3,4,5}", "\nL\n-\n{1, 2, 3, 4...}\n\n\n")]
// Hashtables in cells show their keys.
#[case("[pscustomobject]@{H=@{k=1}}", "\nH\n-\n{k}\n\n\n")]
// A group has its heading between blank lines.
#[case("[pscustomobject]@{N='a';G=1} | Format-Table N -GroupBy G", "\n\n   G: 1\n\nN\n-\na\n\n\n")]
// Dates and spans in lists.
#[case(
    "[pscustomobject]@{W=[datetime]'2026-05-30 10:12:24';T=[timespan]'00:00:06.8630376'} | fl",
    "\n\nW : 5/30/2026 10:12:24 AM\nT : 00:00:06.8630376\n\n\n\n"
)]
fn lays_out_as_5_1(#[case] script: &str, #[case] wanted: &str) {
    let found: String = shown(script, 80).lines().map(|l| format!("{}\n", l.trim_end())).collect();
    assert_eq!(found, wanted, "{script}");
}

/// At a console each statement has its own view: what comes behind a table is not squeezed into its columns.
#[test]
fn statements_of_a_console_have_views_of_their_own() {
    let mut world = TestWorld::default();
    let mut session = Session::new(Limits::default(), Options::default());
    let output = session.run(&mut world, "", "[pscustomobject]@{a=1}\n[version]'1.2'");
    let text: Vec<String> = essence(&render(&output, 80));
    assert_eq!(text, ["a", "-", "1", "Major  Minor  Build  Revision", "-----  -----  -----  --------", "1      2      -1     -1"]);
}

/// Cases by name, recorded by `tests/cases/record-formatting.ps1` at a width of 80.
#[rstest]
#[case::tables(include_str!("cases/formatting/tables.txt"))]
#[case::lists(include_str!("cases/formatting/lists.txt"))]
fn shows_what_powershell_shows_by_name(#[case] file: &str) {
    let mut failures = String::new();
    let all = cases::cases(file);
    for case in &all {
        let found = essence(&shown(&case.script, 80));
        if found != case.expected {
            failures.push_str(&format!(
                "\n==== {}\n{}\n-- expected\n{}\n-- found\n{}\n",
                case.name,
                case.script,
                case.expected.join("\n"),
                found.join("\n")
            ));
        }
    }
    assert!(failures.is_empty(), "of {} cases differ:\n{failures}", all.len());
}
