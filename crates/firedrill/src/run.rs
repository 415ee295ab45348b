//! `firedrill run`: selected scenarios side by side, printed in order.

use std::collections::BTreeMap;
use std::io::IsTerminal as _;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use firedrill_report::{Palette, RunReport};
use firedrill_scenario::{Options, Record, Runner, Scenario, Sink, Verdict, WirePolicy};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::cli::{Format, ReportTarget, Run};
use crate::exit::Exit;
use crate::print::Printer;
use crate::select::select;

pub(crate) fn run(arguments: &Run, printer: &mut Printer) -> Exit {
    let selected = match select(&arguments.selection) {
        Ok(selected) => selected,
        Err(error) => return printer.usage_error(&error),
    };
    if printer.diagnostics(&selected.diagnostics) {
        return Exit::Invalid;
    }
    if selected.scenarios.is_empty() {
        printer.talk("nothing selected");
        return Exit::NothingSelected;
    }
    if let Err(problem) = reports_can_be_written(&arguments.report) {
        printer.talk(&format!("error: {problem}"));
        return Exit::Usage;
    }
    let runner = Runner::new(options(arguments));
    if arguments.check_determinism {
        check_determinism(&runner, &selected.scenarios, printer)
    } else {
        run_all(arguments, &runner, &selected.scenarios, printer)
    }
}

fn options(arguments: &Run) -> Options {
    let mut rerun_flags = Vec::new();
    if arguments.strict_binding {
        rerun_flags.push("--strict-binding".to_owned());
    }
    if arguments.no_wire {
        rerun_flags.push("--no-wire".to_owned());
    }
    Options {
        seed: arguments.seed,
        wire: if arguments.no_wire { WirePolicy::Off } else { WirePolicy::AsWritten },
        min_evidence: arguments.min_evidence.map(Into::into),
        strict: arguments.strict_binding,
        keep_going: arguments.keep_going,
        rerun_flags,
    }
}

/// One finished run: its records (kept only where they are printed), their fold, and the time on the wall.
struct Finished {
    lines: String,
    report: RunReport,
    wall: Duration,
    /// Why Edge Servers shared one loopback address, when they did.
    fallback: Option<String>,
}

/// Folds records, and prints them as JSON Lines where that is wanted.
struct Recorder {
    json: bool,
    finished: Finished,
}

impl Sink for Recorder {
    fn record(&mut self, record: &Record) {
        if self.json {
            self.finished.lines.push_str(&firedrill_report::json_line(record));
        }
        self.finished.report.record(record);
    }
}

fn run_all(arguments: &Run, runner: &Runner, scenarios: &[Arc<Scenario>], printer: &mut Printer) -> Exit {
    let began = Instant::now();
    let palette = Palette::new(printer.colour());
    let human = arguments.format == Format::Human;
    let progress = progress_bar(scenarios.len(), human);
    if human {
        printer.out(&firedrill_report::heading(palette));
    }
    let mut reports = Vec::with_capacity(scenarios.len());
    let mut fallback = None;
    side_by_side(
        scenarios,
        |scenario| {
            let began = Instant::now();
            let mut recorder = Recorder {
                json: !human,
                finished: Finished { lines: String::new(), report: RunReport::default(), wall: Duration::ZERO, fallback: None },
            };
            recorder.finished.fallback = runner.run(scenario, &mut recorder).wire_fallback;
            recorder.finished.wall = began.elapsed();
            recorder.finished
        },
        |finished| {
            progress.suspend(|| {
                printer.out(&finished.lines);
                if human {
                    printer.out(&firedrill_report::verdict_line(&finished.report, finished.wall, palette));
                    if arguments.verbose {
                        printer.out(&firedrill_report::timeline(&finished.report, palette));
                    }
                }
            });
            progress.inc(1);
            // Once is enough: it is the machine's doing, not the scenario's.
            fallback = fallback.take().or(finished.fallback);
            reports.push(finished.report);
        },
    );
    progress.finish_and_clear();
    if let Some(why) = fallback {
        printer.talk(&format!("note: {why}"));
    }
    if human {
        for report in &reports {
            printer.out(&firedrill_report::failure_pages(report, palette));
        }
        printer.out(&firedrill_report::summary(&reports, began.elapsed(), palette));
    }
    match write_reports(&arguments.report, &reports) {
        Ok(()) => exit_of(&reports),
        Err(problem) => {
            printer.talk(&format!("error: {problem}"));
            Exit::Bug
        }
    }
}

/// Runs `work` on as many threads as there are cores and hands the results to `take` in the order of the scenarios.
fn side_by_side<R: Send>(scenarios: &[Arc<Scenario>], work: impl Fn(&Scenario) -> R + Sync, mut take: impl FnMut(R)) {
    let workers = std::thread::available_parallelism().map_or(1, NonZeroUsize::get).min(scenarios.len());
    let next = AtomicUsize::new(0);
    let (sender, receiver) = mpsc::channel();
    std::thread::scope(|scope| {
        for _ in 0..workers {
            let (sender, next, work) = (sender.clone(), &next, &work);
            scope.spawn(move || {
                while let Some((index, scenario)) =
                    { Some(next.fetch_add(1, Ordering::Relaxed)) }.and_then(|i| Some((i, scenarios.get(i)?)))
                {
                    if sender.send((index, work(scenario))).is_err() {
                        break;
                    }
                }
            });
        }
        drop(sender);
        let mut waiting = BTreeMap::new();
        let mut due = 0;
        for (index, result) in receiver {
            waiting.insert(index, result);
            while let Some(result) = waiting.remove(&due) {
                take(result);
                due += 1;
            }
        }
    });
}

fn progress_bar(length: usize, human: bool) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(length as u64), ProgressDrawTarget::stderr());
    if !human || !std::io::stderr().is_terminal() || length < 2 {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} scenarios, {elapsed}") {
        bar.set_style(style);
    }
    bar
}

/// A report that cannot be written is said before anything is run: its file is made, empty.
fn reports_can_be_written(targets: &[ReportTarget]) -> Result<(), String> {
    for ReportTarget::Junit(path) in targets {
        std::fs::write(path, "").map_err(|error| format!("`{}` cannot be written: {}", path.display(), error.kind()))?;
    }
    Ok(())
}

fn write_reports(targets: &[ReportTarget], reports: &[RunReport]) -> Result<(), String> {
    for target in targets {
        let ReportTarget::Junit(path) = target;
        let xml = firedrill_report::junit(reports).map_err(|error| format!("the JUnit report could not be made: {error}"))?;
        std::fs::write(path, xml).map_err(|error| format!("`{}` cannot be written: {}", path.display(), error.kind()))?;
    }
    Ok(())
}

fn exit_of(reports: &[RunReport]) -> Exit {
    reports.iter().map(|report| report.verdict.unwrap_or(Verdict::Bug)).max().map_or(Exit::Bug, exit_of_verdict)
}

fn exit_of_verdict(worst: Verdict) -> Exit {
    match worst {
        Verdict::Bug => Exit::Bug,
        Verdict::Fail => Exit::Failed,
        Verdict::Inconclusive => Exit::Inconclusive,
        Verdict::Pass => Exit::Pass,
    }
}

fn check_determinism(runner: &Runner, scenarios: &[Arc<Scenario>], printer: &mut Printer) -> Exit {
    let (mut differing, mut worst) = (0, Verdict::Pass);
    side_by_side(
        scenarios,
        |scenario| (scenario.source.name.clone(), runner.check_determinism(scenario)),
        |(file, result)| {
            worst = worst.max(result.first.verdict);
            match &result.differs {
                None => {
                    let digest = firedrill_scenario::record::hex(&result.first.digest[..8]);
                    printer.out(&format!("same   {digest}  {:<12}  {file}\n", result.first.verdict.word()));
                }
                Some((number, first, second)) => {
                    differing += 1;
                    printer.out(&format!("DIFFER {file}, record {number}\n  first   {first}\n  second  {second}\n"));
                }
            }
        },
    );
    printer.out(&format!("{} scenarios run twice, {differing} differ\n", scenarios.len()));
    if differing > 0 { Exit::Nondeterministic } else { exit_of_verdict(worst) }
}
