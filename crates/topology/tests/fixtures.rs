//! Every committed topology loads without errors, and means what its comments say.

use std::path::{Path, PathBuf};

use firedrill_syntax::render;
use firedrill_topology::{Topology, load_bytes};

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(name)
}

fn fixture(name: &str) -> (Topology, Vec<String>) {
    let bytes = std::fs::read(folder("fixtures").join(name)).unwrap();
    let loaded = load_bytes(name, &bytes);
    let codes = loaded.diagnostics.iter().map(|d| d.code.to_owned()).collect();
    match loaded.topology {
        Some(topology) => (topology, codes),
        None => panic!("{}", render(&loaded.diagnostics, false)),
    }
}

#[test]
fn every_fixture_loads_without_a_warning_and_names_its_schema() {
    let mut names: Vec<_> = std::fs::read_dir(folder("fixtures"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".yaml"))
        .collect();
    names.sort();
    for name in names {
        let text = std::fs::read_to_string(folder("fixtures").join(&name)).unwrap();
        assert!(text.starts_with("# yaml-language-server: $schema=../schemas/topology.schema.json\n"), "{name}");
        let (_, codes) = fixture(&name);
        assert_eq!(codes, Vec::<String>::new(), "{name}");
    }
}
