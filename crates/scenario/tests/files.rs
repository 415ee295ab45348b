//! Every scenario of the project loads, and the committed schema is the one that the types give.

use std::path::{Path, PathBuf};

use firedrill_scenario::{DiskFiles, Loader, MemoryFiles};

fn root() -> PathBuf {
    PathBuf::from("../..")
}

fn scenarios(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            scenarios(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "yaml") {
            found.push(path);
        }
    }
}

#[test]
fn every_scenario_of_the_project_loads() {
    let mut found = Vec::new();
    scenarios(&root().join("scenarios"), &mut found);
    assert!(found.len() >= 30, "{}", found.len());
    let mut files = DiskFiles;
    let mut loader = Loader::new(&mut files);
    let problems: Vec<String> = found
        .iter()
        .filter_map(|path| loader.load(path.to_str().unwrap()).err())
        .map(|diagnostics| firedrill_syntax::render(&diagnostics, false))
        .collect();
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// `FIREDRILL_BLESS=1` writes the file.
#[test]
fn committed_schema_is_current() {
    let path = root().join("schemas/scenario.schema.json");
    firedrill_corpus::assert_committed(&path, &firedrill_scenario::schema_text());
}

/// A zone may stand in a master file beside the topology; what is wrong in it is told with its own path and line.
#[test]
fn zones_in_files_of_their_own() {
    let topology = "name: small\nproduct: 2015\nsip_domains: [contoso.com]\nsites: [{ name: S }]\npools:\n  - fqdn: sfb1.contoso.com\n    \
        site: S\n    edition: standard\n    file_store: \\\\sfb1.contoso.com\\sfb\n    central_management: active\n\
        dns_zones:\n  - { origin: contoso.com, file: zones/contoso.zone }\n";
    let load = |record: &str| {
        let zone = format!("$TTL 5m\n@ SOA ns1 hostmaster 7 1h 10m 7d 5m\n@ NS ns1\n{record}\n");
        let mut files = MemoryFiles::default()
            .with("plans/a.yaml", "name: a\ntopology: ../world/small.yaml\nsteps:\n  - wait: 1m\n")
            .with("world/small.yaml", topology)
            .with("world/zones/contoso.zone", zone);
        Loader::new(&mut files).load("plans/a.yaml")
    };
    let loaded = load("sip A 203.0.113.1").expect("a sound zone");
    assert_eq!(loaded.scenario.topology.zones[0].soa.serial, 7);
    let problems = load("sip A nowhere").expect_err("no address");
    assert!(problems[0].to_string().contains("zones/contoso.zone:4:7"), "{}", problems[0]);
}
