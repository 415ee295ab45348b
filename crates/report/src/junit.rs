//! JUnit XML: a scenario is a suite, an expectation a case.

use std::time::Duration;

use firedrill_scenario::Verdict;
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
        let status = if expectation.holds { TestCaseStatus::success() } else { failure(&expectation.found, "expectation") };
        let mut case = TestCase::new(format!("{} ({})", expectation.expected, expectation.place), status);
        case.set_classname(step.map_or_else(|| "in the end".to_owned(), |step| format!("step {}: {}", step.number, step.title)));
        suite.add_test_case(case);
    }
    // What failed without being an expectation: commands, steps, limits.
    for fail in report.failures.iter().filter(|fail| !report.expectations().any(|(_, e)| !e.holds && e.place == fail.place)) {
        let mut status = failure(&fail.found, "step");
        status.set_description(format!("expected: {}\n{}\nrerun: {}", fail.expected, fail.explain.join("\n"), fail.rerun));
        let mut case = TestCase::new(format!("{} ({})", fail.expected, fail.place), status);
        case.set_classname(fail.step_title.clone().unwrap_or_default());
        suite.add_test_case(case);
    }
    if report.verdict == Some(Verdict::Inconclusive) {
        let mut status = TestCaseStatus::skipped();
        status.set_message(report.reasons.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"));
        suite.add_test_case(TestCase::new("inconclusive", status));
    }
    for bug in &report.bugs {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
        status.set_message(bug.clone());
        suite.add_test_case(TestCase::new("a bug of Firedrill's own", status));
    }
    suite
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
