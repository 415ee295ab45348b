//! What people read: one line for each scenario, a page for each failure, a summary.
//!
//! Everything stands without colour. Virtual time is printed as `h:mm:ss`; wall time comes from the caller and is
//! nowhere in what is compared.

use std::fmt::Write as _;
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use firedrill_fabric::SimDuration;
use firedrill_scenario::{Failure, Verdict};

use crate::fold::{RunReport, StepReport};

/// Styles, or none.
#[derive(Debug, Clone, Copy, Default)]
pub struct Palette {
    pass: Style,
    fail: Style,
    doubt: Style,
    strong: Style,
    faint: Style,
}

impl Palette {
    /// The palette for a terminal with or without colour.
    pub fn new(colour: bool) -> Self {
        if !colour {
            return Self::default();
        }
        Self {
            pass: AnsiColor::Green.on_default(),
            fail: AnsiColor::Red.on_default().bold(),
            doubt: AnsiColor::Yellow.on_default(),
            strong: Style::new().bold(),
            faint: Style::new().dimmed(),
        }
    }

    fn verdict(self, verdict: Verdict) -> Style {
        match verdict {
            Verdict::Pass => self.pass,
            Verdict::Inconclusive => self.doubt,
            Verdict::Fail | Verdict::Bug => self.fail,
        }
    }
}

/// The heading above the verdict lines.
pub fn heading(palette: Palette) -> String {
    let Palette { faint, .. } = palette;
    format!(
        "{faint}{:<12}  {:>12}  {:>9}  {:>6}  {:<10}  scenario{faint:#}\n",
        "verdict", "virtual time", "wall time", "checks", "evidence"
    )
}

/// One scenario in one line.
pub fn verdict_line(report: &RunReport, wall: Duration, palette: Palette) -> String {
    let verdict = report.verdict.unwrap_or(Verdict::Bug);
    let style = palette.verdict(verdict);
    format!(
        "{style}{:<12}{style:#}  {:>12}  {:>9}  {:>6}  {:<10}  {}\n",
        verdict.word(),
        span(report.elapsed_ms),
        wall_time(wall),
        report.expectations().count(),
        report.evidence.map(|class| format!("{class:?}").to_lowercase()).unwrap_or_default(),
        report.scenario,
    )
}

/// A page for each failure, for each reason of doubt and for each bug of ours; empty for a pass.
pub fn failure_pages(report: &RunReport, palette: Palette) -> String {
    let mut page = String::new();
    for failure in &report.failures {
        failure_page(&mut page, report, failure, palette);
    }
    if report.verdict == Some(Verdict::Inconclusive) {
        let Palette { doubt, .. } = palette;
        let _ = writeln!(page, "\n{doubt}INCONCLUSIVE{doubt:#}  {}", report.scenario);
        for reason in &report.reasons {
            let _ = writeln!(page, "  because     {reason}");
        }
        field(&mut page, "rerun", &report.rerun);
    }
    for bug in &report.bugs {
        let Palette { fail, .. } = palette;
        let _ = writeln!(page, "\n{fail}BUG OF FIREDRILL{fail:#}  {}", report.scenario);
        field(&mut page, "what", bug);
        field(&mut page, "rerun", &report.rerun);
    }
    page
}

fn failure_page(page: &mut String, report: &RunReport, failure: &Failure, palette: Palette) {
    let Palette { fail, strong, .. } = palette;
    let _ = writeln!(page, "\n{fail}FAIL{fail:#}  {strong}{}{strong:#}", report.scenario);
    field(page, "expected", &failure.expected);
    field(page, "found", &failure.found);
    field(page, "at", &format!("{}, {} after the start", failure.at, span(failure.elapsed_ms)));
    match (failure.step, &failure.step_place) {
        (Some(number), Some(place)) => {
            let title = failure.step_title.as_deref().unwrap_or_default();
            field(page, &format!("step {number}"), &format!("{title} ({place})"));
        }
        _ => field(page, "step", "after the last one"),
    }
    field(page, "written in", &failure.place.to_string());
    if !failure.explain.is_empty() {
        field(page, "because", &failure.explain.join("\n"));
    }
    // Remarks of the step that failed: they often name what was meant.
    let step = failure.step.and_then(|number| report.steps.iter().find(|step| step.number == number));
    if let Some(step) = step.filter(|step| !step.remarks.is_empty()) {
        field(page, "hint", &step.remarks.join("\n"));
    }
    field(page, "rerun", &failure.rerun);
}

/// A labelled text; further lines are indented under the first.
fn field(page: &mut String, label: &str, text: &str) {
    for (index, line) in text.lines().enumerate() {
        let label = if index == 0 { label } else { "" };
        let _ = writeln!(page, "  {label:<10}  {line}");
    }
    if text.is_empty() {
        let _ = writeln!(page, "  {label:<10}  (nothing)");
    }
}

/// Everything that happened in a run: steps, what they said, events, expectations.
pub fn timeline(report: &RunReport, palette: Palette) -> String {
    let Palette { strong, .. } = palette;
    let mut page = format!("\n{strong}{}{strong:#} ({}, seed {})\n", report.scenario, report.file, report.seed);
    for step in &report.steps {
        step_lines(&mut page, step, palette);
    }
    if !report.at_the_end.is_empty() {
        let _ = writeln!(page, "{:>12}  in the end", span(report.elapsed_ms));
    }
    for expectation in &report.at_the_end {
        expectation_line(&mut page, expectation, 0, palette);
    }
    page
}

fn step_lines(page: &mut String, step: &StepReport, palette: Palette) {
    let Palette { strong, faint, .. } = palette;
    let took = if step.took_ms > 0 { format!(" {faint}took {}{faint:#}", span(step.took_ms)) } else { String::new() };
    let kind = step.kind.replace('_', " ");
    let said_by_title = step.title.starts_with(&format!("{}:", step.kind));
    let kind = if said_by_title { String::new() } else { format!("{kind}, ") };
    let _ = writeln!(
        page,
        "{:>12}  {:indent$}{strong}{}{strong:#} {faint}({kind}{}){faint:#}{took}",
        span(step.started_ms),
        "",
        step.title,
        step.place,
        indent = 2 * step.depth,
    );
    let indent = 2 * step.depth;
    for (elapsed, line) in &step.lines {
        match elapsed {
            Some(elapsed) => {
                let _ = writeln!(page, "{:>12}    {:indent$}{faint}{line}{faint:#}", span(*elapsed), "");
            }
            None => {
                let _ = writeln!(page, "{:>12}    {:indent$}{line}", "", "");
            }
        }
    }
    for expectation in &step.expectations {
        expectation_line(page, expectation, indent, palette);
    }
}

fn expectation_line(page: &mut String, expectation: &crate::fold::ExpectationReport, indent: usize, palette: Palette) {
    let (style, mark) = if expectation.holds { (palette.pass, "holds") } else { (palette.fail, "does not hold") };
    let _ = writeln!(page, "{:>12}    {:indent$}{style}{mark}{style:#}: {}", "", "", expectation.expected);
    if !expectation.holds {
        let _ = writeln!(page, "{:>12}      {:indent$}found: {}", "", "", expectation.found);
    }
}

/// The last lines: how many of what, and how long it took.
pub fn summary(reports: &[RunReport], wall: Duration, palette: Palette) -> String {
    let count = |verdict: Verdict| reports.iter().filter(|report| report.verdict == Some(verdict)).count();
    let checks: usize = reports.iter().map(|report| report.expectations().count()).sum();
    let virtual_ms: i64 = reports.iter().map(|report| report.elapsed_ms).sum();
    let parts = [Verdict::Pass, Verdict::Fail, Verdict::Inconclusive, Verdict::Bug].map(|verdict| {
        let (style, word) = (palette.verdict(verdict), ["passed", "inconclusive", "failed", "bugs of ours"][verdict as usize]);
        let number = count(verdict);
        if number == 0 { format!("0 {word}") } else { format!("{style}{number} {word}{style:#}") }
    });
    let on_wire = reports.iter().filter(|report| report.wire).count();
    format!(
        "\n{}: {}\n{} over {} of virtual time in {}; {} with real DNS and sockets\n",
        counted(reports.len(), "scenario"),
        parts.join(", "),
        counted(checks, "check"),
        span(virtual_ms),
        wall_time(wall),
        counted(on_wire, "scenario"),
    )
}

fn counted(number: usize, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}

fn span(milliseconds: i64) -> String {
    SimDuration::from_millis(milliseconds - milliseconds % 1000).to_string()
}

fn wall_time(wall: Duration) -> String {
    if wall < Duration::from_secs(1) { format!("{} ms", wall.as_millis()) } else { format!("{:.1} s", wall.as_secs_f64()) }
}
