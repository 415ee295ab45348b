//! The figures that the project promises; `cargo xtask bench` prints them beside their targets.
#![allow(missing_docs, reason = "criterion's macros make public items")]

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use firedrill_edge::start_to_first_answer;
use firedrill_fabric::fault::{Change, Fault};
use firedrill_fabric::operation::{Caller, CmsFailover, Operation, PoolFailback, PoolFailover};
use firedrill_fabric::{Fabric, Options, SimDuration, SimTime};
use firedrill_scenario::{DiskFiles, Loader, Runner, Scenario, Verdict};
use firedrill_syntax::Source;
use firedrill_topology::{PoolId, RecordType, Topology};

const CONTOSO: &str = "fixtures/contoso.yaml";
const GLOBAL: &str = "fixtures/global.yaml";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn text(relative: &str) -> String {
    std::fs::read_to_string(root().join(relative)).expect("a fixture of this repository")
}

fn topology(relative: &str) -> Arc<Topology> {
    let loaded = firedrill_topology::load(&Source::new(relative, text(relative)));
    Arc::new(loaded.topology.expect("a fixture of this repository is valid"))
}

fn fabric(topology: Arc<Topology>) -> Fabric {
    Fabric::new(topology, Options { seed: 1, start: SimTime(1_772_438_400_000_000_000) })
}

/// P3 without its look-ups, then P4: the pool dies, the CMS moves when it was there, Edge pools get another next hop,
/// the pool fails over, comes back, fails back. Everything must succeed, or the figure would mean nothing.
fn fail_over_and_back(fabric: &mut Fabric, pool: PoolId) {
    fail_over(fabric, pool);
    fabric.apply(Change::Heal(Fault::Pool(pool))).expect("a heal needs no DNS");
    let ready = fabric.now() + SimDuration::from_mins(60);
    fabric.advance_to(ready).expect("within the limits");
    let backup = fabric.topology().pool(pool).backup.expect("a paired pool");
    let caller = Caller { computer: fabric.topology().pool(backup).front_ends[0] };
    let failback = PoolFailback { pool, disaster: false, force: false, skip_verification: false, wait: SimDuration::from_secs(15) };
    succeed(fabric, Operation::PoolFailback(failback), caller);
}

fn fail_over(fabric: &mut Fabric, pool: PoolId) {
    let topology = fabric.topology().clone();
    let backup = topology.pool(pool).backup.expect("a paired pool");
    let caller = Caller { computer: topology.pool(backup).front_ends[0] };
    fabric.apply(Change::Inject(Fault::Pool(pool))).expect("a fault needs no DNS");
    if topology.cms.active == pool {
        let instance = topology.sql(topology.pool(backup).back_end.data_instances()[0]);
        let failover = CmsFailover::Disaster {
            sql_server: topology.computer(instance.computer).fqdn.clone(),
            instance: instance.instance.clone(),
            mirror: None,
            force: true,
            mirror_only: false,
        };
        succeed(fabric, Operation::CmsFailover(failover), caller);
    }
    fabric
        .edit_configuration(caller, |configuration| {
            for edge in configuration.edges.iter_mut().filter(|edge| edge.next_hop == pool) {
                edge.next_hop = backup;
            }
            Ok(())
        })
        .expect("the CMS is writable");
    let failover = PoolFailover { pool, disaster: true, force: false, skip_verification: false, wait: None };
    succeed(fabric, Operation::PoolFailover(failover), caller);
}

fn succeed(fabric: &mut Fabric, operation: Operation, caller: Caller) {
    let report = fabric.perform(operation, caller).expect("within the limits");
    assert_eq!(report.outcome, Ok(()));
}

fn model(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("model");
    group.measurement_time(Duration::from_secs(5));

    let contoso = fabric(topology(CONTOSO));
    group.bench_function("contoso_failover_and_failback", |bencher| {
        bencher.iter_batched(|| contoso.clone(), |mut fabric| fail_over_and_back(&mut fabric, PoolId(0)), BatchSize::SmallInput);
    });

    let global = fabric(topology(GLOBAL));
    group.bench_function("global_failover_and_failback", |bencher| {
        bencher.iter_batched(|| global.clone(), |mut fabric| fail_over_and_back(&mut fabric, PoolId(0)), BatchSize::SmallInput);
    });
    group.bench_function("global_clone", |bencher| bencher.iter(|| black_box(global.clone())));

    for users in [1_000, 1_000_000] {
        let mut sized = (*topology(CONTOSO)).clone();
        sized.users.cohorts.truncate(1);
        sized.users.cohorts[0].count = users;
        let sized = fabric(Arc::new(sized));
        group.bench_function(format!("failover_{users}_users"), |bencher| {
            bencher.iter_batched(|| sized.clone(), |mut fabric| fail_over(&mut fabric, PoolId(0)), BatchSize::SmallInput);
        });
    }
    group.finish();
}

fn documents(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("documents");
    let text = text(GLOBAL);
    group.bench_function("load_global", |bencher| {
        bencher.iter(|| firedrill_topology::load(&Source::new(GLOBAL, &text)).topology.expect("valid"));
    });
    group.finish();
}

fn wire(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("wire");
    group.sample_size(10).measurement_time(Duration::from_secs(5));

    let zones = fabric(topology(CONTOSO)).zones().clone();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    group.bench_function("first_dns_answer", |bencher| {
        bencher.iter_custom(|rounds| {
            let rounds = 0..rounds;
            let one =
                || runtime.block_on(start_to_first_answer(&zones, "_xmpp-server._tcp.contoso.com", RecordType::Srv)).expect("an answer");
            rounds.map(|_| one()).sum()
        });
    });

    // One after another, on one thread: the program itself uses all cores.
    let scenarios = scenarios(&root().join("scenarios"));
    let runner = Runner::new(firedrill_scenario::Options::default());
    group.bench_function("scenarios_folder", |bencher| {
        bencher.iter(|| {
            for scenario in &scenarios {
                let outcome = runner.outcome(scenario);
                assert_eq!(outcome.verdict, Verdict::Pass, "{}", scenario.name);
            }
        });
    });
    group.finish();
}

/// Script files of the fixtures one after another, again and again, until there are at least a million bytes.
fn a_megabyte_of_scripts() -> String {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(root().join("fixtures/scripts"))
        .expect("a folder of this repository")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "ps1"))
        .collect();
    paths.sort();
    // Files in other encodings are read by the doors; here only text counts.
    let scripts: Vec<String> = paths.iter().filter_map(|path| std::fs::read_to_string(path).ok()).collect();
    // `param`, `using` and `#Requires` stand first in a script: each is a block of its own.
    let blocks: String = scripts
        .iter()
        .filter(|text| !text.contains("using "))
        .map(|text| format!("& {{\n{}\n}}\n", text.trim_start_matches('\u{feff}')))
        .collect();
    let mut all = String::new();
    while all.len() < 1_000_000 {
        all.push_str(&blocks);
    }
    all
}

fn language(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("language");
    group.sample_size(10).measurement_time(Duration::from_secs(5));

    let scripts = a_megabyte_of_scripts();
    let (_, errors) = firedrill_powershell::session::parse(&scripts);
    assert!(errors.is_empty(), "{:?}", errors.first());
    // Per megabyte, whatever the scripts add up to.
    let megabytes = scripts.len() as f64 / 1e6;
    group.bench_function("parse_a_megabyte", |bencher| {
        bencher.iter_custom(|rounds| {
            let began = std::time::Instant::now();
            for _ in 0..rounds {
                black_box(firedrill_powershell::session::parse(black_box(&scripts)));
            }
            began.elapsed().div_f64(megabytes)
        });
    });

    let run = |drill: &mut firedrill::Drill, script: &str, wanted: &str| {
        let computer = drill.topology().computers[drill.topology().pools[0].front_ends[0].index()].fqdn.clone();
        let output = drill.run(&computer, script).expect("no errors");
        assert_eq!(output.text.trim(), wanted);
    };
    let mut contoso = firedrill::Drill::from_text(&text(CONTOSO), 1).expect("valid");
    group.bench_function("loop_200000", |bencher| {
        let script = "$o = [pscustomobject]@{ Name = 'pool1'; Count = 5 }; $n = 0\nfor ($i = 0; $i -lt 200000; $i++) { if ($o.Count -gt 3 -and $o.Name -eq 'pool1') { $n++ } }\n$n";
        bencher.iter(|| run(&mut contoso, script, "200000"));
    });
    let mut global = firedrill::Drill::from_text(&text(GLOBAL), 1).expect("valid");
    let voice = global.topology().users.cohorts.iter().filter(|cohort| cohort.enterprise_voice).map(|cohort| cohort.count).sum::<u32>();
    group.bench_function("million_users_where", |bencher| {
        let script = "(Get-CsUser | Where-Object { $_.EnterpriseVoiceEnabled } | Measure-Object).Count";
        bencher.iter(|| run(&mut global, script, &voice.to_string()));
    });
    group.finish();
}

/// All scenarios below a folder.
fn scenarios(folder: &Path) -> Vec<Arc<Scenario>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    let mut files = DiskFiles;
    let mut loader = Loader::new(&mut files);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder of this repository") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(loader.load(&path.display().to_string()).expect("a valid scenario").scenario);
            }
        }
    }
    found
}

criterion_group!(figures, model, documents, language, wire);
criterion_main!(figures);
