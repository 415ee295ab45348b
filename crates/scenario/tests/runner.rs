//! Runs of small scenarios: verdicts, times, failure pages, logs.

use std::path::Path;

use firedrill_fabric::Evidence;
use firedrill_scenario::{FailureKind, Loader, MemoryFiles, Options, Outcome, Reason, Record, Runner, Scenario, Verdict, WirePolicy};
use rstest::rstest;

fn files() -> MemoryFiles {
    let contoso = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/contoso.yaml")).unwrap();
    MemoryFiles::default().with("contoso.yaml", contoso)
}

fn load_from(mut files: MemoryFiles) -> Scenario {
    let loaded = Loader::new(&mut files).load("s.yaml");
    let loaded = loaded.unwrap_or_else(|diagnostics| panic!("{}", firedrill_syntax::render(&diagnostics, false)));
    Scenario::clone(&loaded.scenario)
}

/// A scenario on Contoso from what follows its name and topology.
fn scenario(body: &str) -> Scenario {
    load_from(files().with("s.yaml", format!("name: a small scenario\ntopology: contoso.yaml\n{body}")))
}

fn model_only() -> Options {
    Options { wire: WirePolicy::Off, ..Options::default() }
}

fn run_with(options: Options, body: &str) -> (Outcome, Vec<Record>) {
    let mut records = Vec::new();
    let outcome = Runner::new(options).run(&scenario(body), &mut records);
    (outcome, records)
}

fn run(body: &str) -> Outcome {
    run_with(model_only(), body).0
}

/// One failure as its page has it.
fn page(outcome: &Outcome) -> String {
    let pages = outcome.failures.iter().map(|failure| serde_json::to_string_pretty(failure).unwrap());
    format!("{}\n{}", outcome.verdict.word(), pages.collect::<Vec<_>>().join("\n"))
}

#[test]
fn what_holds_passes() {
    let outcome = run("steps:\n  - wait: 10m\nexpect:\n  - pool_state: { pool1.contoso.com: Active, pool2.contoso.com: Active }\n");
    assert_eq!((outcome.verdict, outcome.expectations, outcome.steps_run), (Verdict::Pass, 2, 1), "{}", page(&outcome));
    assert_eq!(outcome.verdict.exit_code(), 0);
    assert_eq!(outcome.ended.since(outcome.started).as_secs(), 600);
}

#[test]
fn the_failure_page_has_everything() {
    let outcome = run("\
seed: 7
steps:
  - title: Datacenter1 burns
    fault: { site: Site1 }
  - title: nobody does anything
    wait: 10m
    expect:
      - serving: { of: { pool: pool1.contoso.com }, mode: regular }
  - title: never reached
    wait: 10m
");
    assert_eq!(outcome.steps_run, 2, "the run stops where it went wrong");
    insta::assert_snapshot!(page(&outcome));
}

#[test]
fn an_error_that_nobody_expects_fails_the_step_with_the_console_text() {
    let outcome = run("\
steps:
  - run: |
      $pool = 'pool1.contoso.com'
      throw \"no way to $pool\"
    on: pool2-fe1.contoso.com
    expect:
      - pool_state: { pool1.contoso.com: FailedOver }
");
    insta::assert_snapshot!(page(&outcome));
}

#[rstest]
#[case::tolerated("    on_error: continue\n", Verdict::Pass)]
#[case::expected("    expect:\n      - fails: {}\n", Verdict::Pass)]
#[case::neither("", Verdict::Fail)]
fn errors_can_be_expected_or_tolerated(#[case] keys: &str, #[case] verdict: Verdict) {
    let outcome = run(&format!("steps:\n  - run: throw 'no way'\n    on: pool1-fe1.contoso.com\n{keys}"));
    assert_eq!(outcome.verdict, verdict, "{}", page(&outcome));
}

#[rstest]
#[case::unexpected("", Verdict::Fail)]
#[case::the_point_of_the_step("    expect:\n      - fails: { error_id: ComputerUnavailable }\n", Verdict::Pass)]
fn a_computer_that_is_off_runs_nothing(#[case] keys: &str, #[case] verdict: Verdict) {
    let body =
        format!("steps:\n  - fault: {{ computer: pool1-fe1.contoso.com }}\n  - run: Get-CsPool\n    on: pool1-fe1.contoso.com\n{keys}");
    let outcome = run(&body);
    assert_eq!(outcome.verdict, verdict, "{}", page(&outcome));
    if verdict == Verdict::Fail {
        assert_eq!(outcome.failures[0].kind, FailureKind::Step);
    }
}

/// The command takes 20 minutes; the next step wanted to start after five.
#[test]
fn a_time_that_has_passed_fails_the_step() {
    let outcome = run("steps:\n  - run: Start-Sleep -Seconds 1200\n    on: pool1-fe1.contoso.com\n  - at: 5m\n    wait: 1m\n");
    assert_eq!(outcome.failures[0].kind, FailureKind::Step);
    insta::assert_snapshot!(outcome.failures[0].found, @"the previous step ended at 2026-03-02T08:20:00Z, 0:15:00 later");
}

/// Virtual time has an end (a year): a runaway wait is a failure with a name, not a hang.
#[test]
fn a_wait_beyond_all_bounds_hits_a_limit() {
    let outcome = run("steps:\n  - wait: 400d\n");
    assert_eq!((outcome.verdict, outcome.failures[0].kind), (Verdict::Fail, FailureKind::Limit), "{}", page(&outcome));
}

#[test]
fn times_count_from_where_they_say() {
    let files = files()
        .with("part.yaml", "name: p\ntopology: contoso.yaml\nsteps:\n  - at: 2m\n    fault: { computer: pool1-fe1.contoso.com }\nexpect:\n  - services: { on: [pool1-fe1.contoso.com], status: Stopped }\n")
        .with(
            "s.yaml",
            "name: s\ntopology: contoso.yaml\nsteps:\n  - wait: 10m\n  - after: 5m\n    include: part.yaml\n  - at: 20m\n    heal: { computer: pool1-fe1.contoso.com }\n  - after: 1m\n    wait: 1m\n",
        );
    let mut records = Vec::new();
    let outcome = Runner::new(model_only()).run(&load_from(files), &mut records);
    assert_eq!(outcome.verdict, Verdict::Pass, "{}", page(&outcome));
    let starts: Vec<(&str, i64)> = records
        .iter()
        .filter_map(|record| match record {
            Record::StepStarted { kind, elapsed_ms, .. } => Some((*kind, elapsed_ms / 60_000)),
            _ => None,
        })
        .collect();
    // The include begins five minutes after the first wait; its own fault two minutes later.
    assert_eq!(starts, [("wait", 0), ("include", 15), ("fault", 17), ("end_of_include", 17), ("heal", 20), ("wait", 21)]);
}

/// What an included file expects at its end counts, and its failure is rerun by the line that includes it.
#[test]
fn an_included_file_is_judged_at_its_end() {
    let files = files()
        .with(
            "part.yaml",
            "name: p\ntopology: contoso.yaml\nsteps:\n  - wait: 1m\nexpect:\n  - pool_state: { pool1.contoso.com: FailedOver }\n",
        )
        .with("s.yaml", "name: s\ntopology: contoso.yaml\nsteps:\n  - wait: 1m\n  - include: part.yaml\n");
    let outcome = Runner::new(model_only()).outcome(&load_from(files));
    let failure = &outcome.failures[0];
    assert_eq!((failure.place.to_string().as_str(), failure.rerun.as_str()), ("part.yaml:6", "firedrill run s.yaml:5 --seed 0"));
}

/// Minute three of a sleep of ten: the fault strikes while the command runs.
#[test]
fn faults_strike_while_a_step_runs() {
    let outcome = run("\
steps:
  - run: |
      Start-Sleep -Seconds 240
      $during = (Get-CsWindowsService -ComputerName pool2-fe1.contoso.com -Name RTCSRV).Status
      Write-Output \"$during\"
    on: pool2-fe1.contoso.com
    during:
      - { after: 3m, fault: { service: { on: pool2-fe1.contoso.com, name: RTCSRV } } }
    expect:
      - output: { is: Stopped }
");
    assert_eq!(outcome.verdict, Verdict::Pass, "{}", page(&outcome));
}

#[test]
fn waiting_ends_when_it_comes_true_or_too_late() {
    let body = |within: &str| {
        format!(
            "steps:\n  - fault: {{ pool: pool1.contoso.com }}\n  - wait_until:\n      within: {within}\n      expect:\n        - serving: {{ of: {{ pool: pool1.contoso.com }}, mode: resiliency }}\n"
        )
    };
    let outcome = run(&body("1h"));
    assert_eq!(outcome.verdict, Verdict::Pass, "{}", page(&outcome));
    // The detection interval of 300 s (dossier B.2), found within one look.
    assert!((300..=390).contains(&outcome.ended.since(outcome.started).as_secs()), "{}", outcome.ended);
    let outcome = run(&body("2m"));
    assert_eq!(outcome.ended.since(outcome.started).as_secs(), 120);
    assert!(outcome.failures[0].expected.ends_with("within 0:02:00"), "{}", page(&outcome));
}

/// Edits that nobody publishes change nothing; the next publish takes them along (dossier H).
#[test]
fn topology_builder_keeps_a_draft() {
    let outcome = run("\
steps:
  - topology_builder: { next_hop: { edgeserver1.contoso.com: pool2.contoso.com } }
    publish: false
    expect:
      - settings: { next_hop: { edgeserver1.contoso.com: pool1.contoso.com } }
  - topology_builder: { next_hop: { edgeserver2.contoso.com: pool1.contoso.com } }
    expect:
      - settings: { next_hop: { edgeserver1.contoso.com: pool2.contoso.com, edgeserver2.contoso.com: pool1.contoso.com } }
");
    assert_eq!(outcome.verdict, Verdict::Pass, "{}", page(&outcome));
}

/// A dialog on a computer that cannot reach the CMS says so, as a command would.
#[test]
fn topology_builder_needs_the_cms() {
    let outcome = run("\
steps:
  - fault: { pool: pool1.contoso.com }
  - topology_builder: { next_hop: { edgeserver1.contoso.com: pool2.contoso.com } }
");
    assert_eq!((outcome.verdict, outcome.failures[0].kind), (Verdict::Fail, FailureKind::Command), "{}", page(&outcome));
}

#[test]
fn pairing_and_unpairing_change_both_sides() {
    let outcome = run("\
steps:
  - topology_builder: { pairing: { pool2.contoso.com: none } }
    expect:
      - settings: { pairing: { pool1.contoso.com: none, pool2.contoso.com: none } }
  - topology_builder: { pairing: { pool2.contoso.com: pool1.contoso.com } }
    expect:
      - settings: { pairing: { pool1.contoso.com: pool2.contoso.com } }
");
    assert_eq!(outcome.verdict, Verdict::Pass, "{}", page(&outcome));
}

#[test]
fn overrides_are_in_force_from_the_start() {
    let outcome = run("\
overrides:
  settings:
    next_hop: { edgeserver1.contoso.com: pool2.contoso.com }
    voice_resiliency: { pool1.contoso.com: { automatic: false } }
  cms: pool2.contoso.com
  cms_standby: none
  dns:
    - set: { name: _xmpp-server._tcp.contoso.com, type: SRV, data: ['0 0 5269 xmpp2.contoso.com'] }
steps:
  - fault: { pool: pool1.contoso.com }
  - wait: 1h
expect:
  - settings: { next_hop: { edgeserver1.contoso.com: pool2.contoso.com } }
  - serving: { of: { pool: pool1.contoso.com }, mode: signed_out, cause: no_backup_registrar }
  - cms: { master: pool2.contoso.com, databases: { pool1.contoso.com: none } }
  - dns: { seen_by: fabrikam.net, name: _xmpp-server._tcp.contoso.com, type: SRV, data: [0 0 5269 xmpp2.contoso.com] }
");
    assert_eq!(outcome.verdict, Verdict::Pass, "{}", page(&outcome));
}

#[test]
fn objectives_are_judged_at_the_end() {
    let body = |rto: &str| {
        format!(
            "objectives: {{ rto: {rto}, rpo: {{ user_data: 5m }} }}\nsteps:\n  - fault: {{ computer: pool1-fe1.contoso.com }}\n  - fault: {{ computer: pool1-fe2.contoso.com }}\n  - wait: 20m\n"
        )
    };
    let outcome = run(&body("15m"));
    assert_eq!((outcome.verdict, outcome.failures[0].kind), (Verdict::Fail, FailureKind::Objective), "{}", page(&outcome));
    assert_eq!(outcome.failures.len(), 1, "Pool2 met its objectives: {}", page(&outcome));
    // An outage that lasts has no upper bound yet.
    assert_eq!(run(&body("10d")).verdict, Verdict::Fail);
}

/// What a cohort has an objective of its own for is not asked of its users a second time; the others of its pool keep the
/// general objective.
#[test]
fn a_cohorts_objective_replaces_the_general_one() {
    let missed = |cohort: &str| {
        let objectives = format!("objectives: {{ rto: 1m, cohorts: [{cohort}] }}");
        let outcome = run(&format!(
            "{objectives}\nsteps:\n  - fault: {{ pool: pool1.contoso.com }}\n  - wait: 10m\n  - heal: {{ pool: pool1.contoso.com }}\n  - wait: 2h\n"
        ));
        outcome.failures.iter().map(|failure| failure.expected.clone()).collect::<Vec<_>>()
    };
    assert_eq!(missed("{ of: { pool: pool1.contoso.com }, rto: 1d }"), Vec::<String>::new());
    assert_eq!(
        missed("{ of: { users: { from: user00011@contoso.com, to: user20000@contoso.com } }, rto: 1d }"),
        [
            "anna@contoso.com without full service at most 0:01:00",
            "ben@contoso.com without full service at most 0:01:00",
            "users user00001@contoso.com to user00010@contoso.com without full service at most 0:01:00",
        ]
    );
    assert_eq!(
        missed("{ of: { user: anna@contoso.com }, resiliency_rto: 1d }"),
        ["users of pool1.contoso.com without full service at most 0:01:00"],
        "another objective replaces nothing"
    );
}

/// A command that is known and not modelled makes the verdict inconclusive, names the place inside the block, and takes the
/// edge off failures behind it.
#[test]
fn what_is_not_modelled_is_named() {
    let outcome = run("\
steps:
  - run: |
      Get-CsPool | Out-Null
      New-CsVoicePolicy -Identity x -ErrorAction SilentlyContinue
    on: pool1-fe1.contoso.com
    on_error: continue
expect:
  - pool_state: { pool1.contoso.com: FailedOver }
");
    assert_eq!(outcome.verdict, Verdict::Inconclusive, "{}", page(&outcome));
    let named =
        |reason: &Reason| matches!(reason, Reason::Unmodelled { what, place } if what.contains("New-CsVoicePolicy") && place.line == 6);
    assert!(outcome.reasons.iter().any(named), "{:?}", outcome.reasons);
    assert_eq!(outcome.verdict.exit_code(), 5);
}

#[test]
fn a_failure_before_anything_unmodelled_stands() {
    let body = "\
steps:
  - expect:
      - pool_state: { pool1.contoso.com: FailedOver }
  - run: New-CsVoicePolicy -Identity x
    on: pool1-fe1.contoso.com
    on_error: continue
";
    let (outcome, _) = run_with(Options { keep_going: true, ..model_only() }, body);
    assert_eq!(outcome.verdict, Verdict::Fail, "{}", page(&outcome));
}

#[test]
fn weak_evidence_makes_a_pass_inconclusive() {
    let body = "\
steps:
  - fault: { computer: pool1-fe1.contoso.com }
  - heal: { computer: pool1-fe1.contoso.com }
  - wait: 1h
";
    assert_eq!(run(body).verdict, Verdict::Pass);
    let (outcome, _) = run_with(Options { min_evidence: Some(Evidence::Documented), ..model_only() }, body);
    assert_eq!(outcome.verdict, Verdict::Inconclusive);
    assert!(outcome.reasons.iter().all(|reason| matches!(reason, Reason::WeakEvidence { .. })) && !outcome.reasons.is_empty());
    let (outcome, _) = run_with(Options { min_evidence: Some(Evidence::Invented), ..model_only() }, body);
    assert_eq!(outcome.verdict, Verdict::Pass);
}

/// Behaviour may be documented and its message invented: who matches the message leans on the weaker of the two.
#[test]
fn matching_an_invented_message_is_weak_evidence() {
    let body = |demand: &str| {
        format!(
            "overrides: {{ settings: {{ pairing: {{ pool1.contoso.com: none }} }} }}\nsteps:\n  - run: Invoke-CsPoolFailover -PoolFqdn pool1.contoso.com -DisasterMode\n    on: pool2-fe1.contoso.com\n    expect:\n      - fails: {{ {demand} }}\n"
        )
    };
    let by_id = run(&body("error_id: NoBackupPool"));
    assert_eq!(by_id.verdict, Verdict::Pass, "{}", page(&by_id));
    assert!(by_id.wordings.is_empty());
    let by_words = run(&body("contains: does not have an associated backup pool"));
    assert_eq!((by_words.verdict, by_words.evidence), (Verdict::Pass, Evidence::Invented), "{}", page(&by_words));
}

#[test]
fn strict_binding_refuses_the_spellings_of_documents() {
    let body = |binding: &str| {
        format!(
            "{binding}steps:\n  - run: Set-CsSite Site1 -XmppExternalFederationRoute edgeserver2.contoso.com\n    on: pool1-fe1.contoso.com\n"
        )
    };
    let (outcome, records) = run_with(model_only(), &body(""));
    assert_eq!(outcome.verdict, Verdict::Pass, "{}", page(&outcome));
    assert!(records.iter().any(|record| matches!(record, Record::Remark { place, .. } if place.line == 4)), "{records:#?}");
    assert_eq!(run(&body("binding: strict\n")).verdict, Verdict::Fail);
    let (outcome, _) = run_with(Options { strict: true, ..model_only() }, &body(""));
    assert_eq!(outcome.verdict, Verdict::Fail);
}

#[rstest]
#[case::confirmed_by_default("", Verdict::Pass)]
#[case::answered("    answers: [\"Y\"]\n", Verdict::Pass)]
#[case::nobody_there("    answers: []\n", Verdict::Fail)]
fn prompts_are_answered_as_written(#[case] keys: &str, #[case] verdict: Verdict) {
    let body = format!(
        "steps:\n  - run: Move-CsUser -Identity anna@contoso.com -Target pool2.contoso.com -Confirm\n    on: pool1-fe1.contoso.com\n{keys}"
    );
    let outcome = run(&body);
    assert_eq!(outcome.verdict, verdict, "{}", page(&outcome));
}

#[test]
fn sessions_of_one_computer_share_variables() {
    let outcome = run("\
steps:
  - run: $pool = 'pool1.contoso.com'
    on: pool1-fe1.contoso.com
  - run: '\"[$pool]\"'
    on: pool1-fe1.contoso.com
    expect:
      - output: { is: '[pool1.contoso.com]' }
  - run: '\"[$pool]\"'
    on: pool1-fe2.contoso.com
    expect:
      - output: { is: '[]' }
");
    assert_eq!(outcome.verdict, Verdict::Pass, "{}", page(&outcome));
}

const EVENTFUL: &str = "\
steps:
  - fault: { site: Site1 }
  - wait: 10m
    expect:
      - federation: { protocol: xmpp, partner: fabrikam.net, failure: not_connected }
  - run: |
      Invoke-CsManagementServerFailover -BackupSqlServerFqdn sql2a.contoso.com -BackupSqlInstanceName rtc -Force -Confirm:$false
      Set-CsEdgeServer -Identity EdgeServer:edgeserver1.contoso.com -Registrar Registrar:pool2.contoso.com
      Invoke-CsPoolFailover -PoolFqdn pool1.contoso.com -DisasterMode -Verbose
      [guid]::NewGuid().ToString()
    on: pool2-fe1.contoso.com
expect:
  - serving: { of: { pool: pool1.contoso.com }, mode: regular, by: pool2.contoso.com }
";

#[test]
fn equal_runs_have_equal_logs() {
    let determinism = Runner::new(model_only()).check_determinism(&scenario(EVENTFUL));
    assert_eq!(determinism.first.verdict, Verdict::Pass, "{}", page(&determinism.first));
    assert_eq!(determinism.differs, None);
    assert_eq!(determinism.first.digest, determinism.second.digest);
}

#[test]
fn digests_tell_runs_apart_and_do_not_know_where_files_lie() {
    let digest = |options: Options, scenario: &Scenario| Runner::new(options).outcome(scenario).digest;
    let here = scenario(EVENTFUL);
    let seeded = Options { seed: Some(99), ..model_only() };
    assert_ne!(digest(model_only(), &here), digest(seeded, &here), "another seed gives another GUID");
    let mut contoso = files();
    let topology = contoso.0.remove("contoso.yaml").unwrap();
    let text = format!("name: a small scenario\ntopology: contoso.yaml\n{EVENTFUL}");
    let mut files = MemoryFiles::default().with("some/where/contoso.yaml", topology).with("some/where/s.yaml", text);
    let elsewhere = Loader::new(&mut files).load("some/where/s.yaml").unwrap().scenario;
    assert_eq!(digest(model_only(), &here), digest(model_only(), &elsewhere));
    assert_eq!(here.hash, elsewhere.hash);
}

/// The model and the wire answer alike at every turn: a disagreement would be a verdict of its own.
#[test]
fn the_wire_agrees() {
    let (outcome, records) = run_with(Options::default(), EVENTFUL);
    assert!(outcome.bugs.is_empty(), "{:#?}", outcome.bugs);
    assert_eq!((outcome.verdict, outcome.wire), (Verdict::Pass, true), "{}", page(&outcome));
    assert!(matches!(&records[0], Record::RunStarted { wire: true, .. }));
}

/// Authors of async tests drive drills too: a runtime inside a runtime must not panic, nor when it is dropped.
#[tokio::test]
async fn the_wire_works_inside_another_runtime() {
    let (outcome, _) = run_with(Options::default(), EVENTFUL);
    assert_eq!((outcome.verdict, outcome.wire), (Verdict::Pass, true), "{}", page(&outcome));
}

#[test]
fn no_sockets_are_opened_for_scenarios_that_do_not_ask() {
    let (outcome, _) = run_with(Options::default(), "steps:\n  - wait: 1m\n");
    assert!(!outcome.wire);
    let (outcome, _) =
        run_with(Options::default(), "wire: off\nsteps: []\nexpect:\n  - federation: { protocol: sip, partner: fabrikam.com }\n");
    assert!(!outcome.wire);
}

/// The log is a format that others read: a change of it shows here.
#[test]
fn the_log_is_json_lines() {
    let (_, records) = run_with(
        model_only(),
        "steps:\n  - title: a crash\n    fault: { service: { on: pool1-fe1.contoso.com, name: RTCRGS } }\n  - run: Write-Output done\n    on: pool1-fe1.contoso.com\n    expect:\n      - output: { is: done }\n",
    );
    let lines: Vec<String> = records
        .iter()
        .map(|record| {
            let mut value = serde_json::to_value(record).unwrap();
            // Digests change with every word of the model.
            for key in ["digest", "scenario_hash", "behaviours", "engine"] {
                if let Some(field) = value.get_mut(key) {
                    *field = "…".into();
                }
            }
            value.to_string()
        })
        .collect();
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn lines_select_steps() {
    let scenario = scenario(
        "steps:\n  - wait: 1m\n\n  # about the crash\n  - title: a crash\n    fault: dns_server\n    expect: []\n  - run: |\n      'one'\n      'two'\n    on: pool1-fe1.contoso.com\nexpect:\n  - cms: { master: pool1.contoso.com }\n",
    );
    let at: Vec<Option<usize>> = [3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15].into_iter().map(|line| scenario.step_at(line)).collect();
    let (none, first, second, third) = (None, Some(0), Some(1), Some(2));
    assert_eq!(at, [none, first, none, none, second, second, second, third, third, third, third, none, none]);
}
