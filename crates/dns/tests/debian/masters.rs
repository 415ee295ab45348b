//! Master files of ours before BIND's own checker, and BIND's own writing before ours.

use firedrill_syntax::Source;
use firedrill_topology::master::{read_master, write_master};

use crate::rig::{CONTOSO, Rig, program};

const EXPORT: &str = include_str!("../../../../fixtures/zones/contoso.com.zone");

/// BIND reads an export, and writes it out with whole names and without any abbreviation: both texts mean the same to us.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bind_understands_an_export_as_we_do() {
    let Some(compile) = program("named-compilezone", "bind9-utils") else { return };
    let rig = Rig::start(CONTOSO).await;
    let folder = tempfile::tempdir().expect("folder");
    let file = folder.path().join("contoso.com.zone");
    std::fs::write(&file, EXPORT).expect("written");
    let arguments = ["-q", "-i", "none", "-o", "-", "contoso.com"].map(str::to_owned).into_iter().chain([file.display().to_string()]);
    let (said, well) = rig.run(compile, arguments.collect(), String::new()).await;
    assert!(well, "{said}");
    let ours = read_master(&Source::new("ours", EXPORT), None).expect("a sound file").zone;
    let mut theirs = read_master(&Source::new("theirs", &said), Some("contoso.com")).expect("a sound file").zone;
    for (key, set) in &mut theirs.records {
        // BIND keeps records of a set in an order of its own.
        let order = &ours.records[key].data;
        set.data.sort_by_key(|data| order.iter().position(|known| known == data));
    }
    assert_eq!(theirs, ours);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bind_takes_what_we_write() {
    let Some(check) = program("named-checkzone", "bind9-utils") else { return };
    let rig = Rig::start(CONTOSO).await;
    let folder = tempfile::tempdir().expect("folder");
    let file = folder.path().join("zone");
    let zone = std::sync::Arc::clone(&rig.fabric.lock().expect("lock").zones().zones["contoso.com"]);
    std::fs::write(&file, write_master(&zone)).expect("written");
    let arguments = vec!["-i".to_owned(), "none".to_owned(), "contoso.com".to_owned(), file.display().to_string()];
    let (said, well) = rig.run(check, arguments, String::new()).await;
    assert!(well && said.contains("loaded serial 7") && said.contains("OK"), "{said}");
}
