//! JUnit XML: a scenario is a suite, an expectation a case.

use std::time::Duration;

use firedrill_scenario::{Failure, Verdict};
use quick_junit::{NonSuccessKind, Property, Report, TestCase, TestCaseStatus, TestSuite};

use crate::fold::RunReport;

/// The report as XML.
///
/// Times are virtual: what took an hour in the drill says 3600, on every machine.
///
/// # Errors
/// When the writer fails, which it does not for text in memory.
pub fn junit(reports: &[RunReport]) -> Result<String, quick_junit::SerializeError> {
    let mut all = Report::new("firedrill");
    all.add_test_suites(reports.iter().map(suite));
    all.to_string()
}

fn suite(report: &RunReport) -> TestSuite {
    let mut suite = TestSuite::new(report.scenario.to_string());
    suite.set_time(milliseconds(report.elapsed_ms));
    suite.add_property(Property::new("file", report.file.to_string()));
    suite.add_property(Property::new("seed", report.seed.to_string()));
    if let Some(evidence) = report.evidence {
        suite.add_property(Property::new("evidence", format!("{evidence:?}").to_lowercase()));
    }
    for (step, expectation) in report.expectations() {
        let status = match report.failures.iter().find(|fail| !expectation.holds && fail.place == expectation.place) {
            Some(fail) => explained(fail, "expectation"),
            None if expectation.holds => TestCaseStatus::success(),
            None => failure(&expectation.found, "expectation"),
        };
        let mut case = TestCase::new(format!("{} ({})", expectation.expected, expectation.place), status);
        case.set_classname(step.map_or_else(|| "in the end".to_owned(), |step| format!("step {}: {}", step.number, step.title)));
        suite.add_test_case(case);
    }
    // What failed without being an expectation: commands, steps, limits.
    for fail in report.failures.iter().filter(|fail| !report.expectations().any(|(_, e)| !e.holds && e.place == fail.place)) {
        let mut case = TestCase::new(format!("{} ({})", fail.expected, fail.place), explained(fail, "step"));
        let title = fail.step_title.as_deref().unwrap_or_default();
        case.set_classname(fail.step.map_or_else(|| "in the end".to_owned(), |number| format!("step {number}: {title}")));
        suite.add_test_case(case);
    }
    if report.verdict == Some(Verdict::Inconclusive) {
        let mut status = TestCaseStatus::skipped();
        status.set_message(report.reasons.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"));
        status.set_description(format!("rerun: {}", report.rerun));
        suite.add_test_case(whole_run("inconclusive", status));
    }
    for bug in &report.bugs {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
        status.set_message(bug.clone());
        status.set_description(format!("rerun: {}", report.rerun));
        suite.add_test_case(whole_run("a bug of Firedrill's own", status));
    }
    suite
}

/// A case about the run as a whole. The schemas of Jenkins and Surefire want a class name of every case.
fn whole_run(name: &str, status: TestCaseStatus) -> TestCase {
    let mut case = TestCase::new(name, status);
    case.set_classname("the whole run");
    case
}

/// A failure with what the failure page says.
fn explained(fail: &Failure, kind: &str) -> TestCaseStatus {
    let mut status = failure(&fail.found, kind);
    status.set_description(format!("expected: {}\n{}\nrerun: {}", fail.expected, fail.explain.join("\n"), fail.rerun));
    status
}

fn failure(found: &str, kind: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
    status.set_message(format!("found: {found}"));
    status.set_type(kind);
    status
}

fn milliseconds(milliseconds: i64) -> Duration {
    Duration::from_millis(milliseconds.unsigned_abs())
}
