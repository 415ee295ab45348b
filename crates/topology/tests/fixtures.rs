//! Every committed topology loads without errors, and means what its comments say.

use std::path::{Path, PathBuf};

use firedrill_syntax::render;
use firedrill_topology::*;

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(name)
}

/// The deployment of a fixture with the codes of its warnings.
fn fixture(name: &str) -> (Topology, Vec<&'static str>) {
    let bytes = std::fs::read(folder("fixtures").join(name)).unwrap();
    let loaded = load_bytes(name, &bytes);
    let codes = loaded.diagnostics.iter().map(|d| d.code).collect();
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
    for name in ["contoso.yaml", "fabric2019.yaml", "global.yaml", "legacy-cms.yaml", "litware.yaml"] {
        assert!(names.iter().any(|n| n == name), "{name} is missing");
    }
    for name in names {
        let text = std::fs::read_to_string(folder("fixtures").join(&name)).unwrap();
        assert!(text.starts_with("# yaml-language-server: $schema=../schemas/topology.schema.json\n"), "{name}");
        let (_, codes) = fixture(&name);
        assert_eq!(codes, Vec::<&str>::new(), "{name}");
    }
}

#[test]
fn contoso_is_the_deployment_of_the_procedures() {
    let (contoso, _) = fixture("contoso.yaml");
    let pool1 = contoso.find_pool("pool1.contoso.com").unwrap();
    let pool2 = contoso.find_pool("pool2.contoso.com").unwrap();
    assert_eq!(contoso.cms, CentralManagement { active: pool1, standby: Some(pool2) });
    assert_eq!((contoso.pool(pool1).backup, contoso.pool(pool2).backup), (Some(pool2), Some(pool1)));
    for id in [pool1, pool2] {
        let pool = contoso.pool(id);
        assert_eq!((pool.edition, pool.version, pool.front_ends.len()), (Edition::Enterprise, ProductVersion::Sfb2015, 3));
        assert!(matches!(pool.back_end, BackEnd::Mirrored { witness: Some(_), .. }));
        assert_eq!(pool.voice, VoiceResiliency { automatic: true, detection_seconds: 300, failback_seconds: 600 });
        assert!(pool.xmpp_gateway, "an Edge pool listens for XMPP");
        let site = contoso.site(pool.site).name.clone();
        assert_eq!(contoso.site(contoso.edge_pool(pool.media_edge.unwrap()).site).name, site, "media stay in the site");
        // SQL and file servers fall with their site.
        for sql in pool.back_end.data_instances() {
            assert_eq!(contoso.computer(contoso.sql(sql).computer).site, pool.site);
        }
    }
    assert!(contoso.find_sql("sql1a.contoso.com", "RTC").is_some());
    // The value that procedure P6 writes after `EdgeServer:`.
    let edge2 = contoso.find_edge_pool("EdgeServer2.contoso.com").unwrap();
    let edge1 = contoso.find_edge_pool("EdgeServer1.contoso.com").unwrap();
    assert!(contoso.edge_pool(edge1).federation && !contoso.edge_pool(edge2).federation);
    assert_eq!((contoso.edge_pool(edge1).next_hop, contoso.edge_pool(edge2).next_hop), (pool1, pool2));
    assert_eq!(contoso.edge_pool(edge2).xmpp_listening_port, Some(5269));
    assert_eq!(contoso.edge_pool(edge2).servers.len(), 2);
    let site2 = contoso.find_site("Site:Site2").unwrap();
    assert_eq!(contoso.site(site2).xmpp_route, Some(edge1));

    let zone = &contoso.zones[0];
    let key = ("_xmpp-server._tcp.contoso.com".to_owned(), RecordType::Srv);
    let targets: Vec<_> = zone.records[&key]
        .data
        .iter()
        .map(|data| match data {
            RecordData::Srv { priority, port, target, .. } => (*priority, *port, target.as_str()),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(targets, [(10, 5269, "xmpp.contoso.com"), (20, 5269, "xmpp2.contoso.com")]);
    assert_eq!(zone.records[&key].ttl, 3_600);
    assert_eq!(zone.records[&("xmpp.contoso.com".to_owned(), RecordType::A)].data.len(), 2);

    assert_eq!(contoso.users.len(), 40_004);
    let user = contoso.users.find("sip:User20001@contoso.com").unwrap();
    assert_eq!(contoso.users.cohorts[contoso.users.cohort_of(user).unwrap().index()].pool, pool2);
    assert_eq!(contoso.users.address(user).as_deref(), Some("user20001@contoso.com"));
    assert_eq!(contoso.users.find("user40001@contoso.com"), None);
    assert_eq!(contoso.partners.iter().filter(|p| p.xmpp).count(), 2);
}

#[test]
fn litware_is_two_servers_that_are_their_own_pools() {
    let (litware, _) = fixture("litware.yaml");
    for pool in &litware.pools {
        assert_eq!(pool.edition, Edition::Standard);
        let server = litware.computer(pool.front_ends[0]);
        assert_eq!((pool.front_ends.len(), &server.fqdn), (1, &pool.fqdn));
        // Pool to pool, as Topology Builder fills them in (dossier B.2).
        assert_eq!(pool.voice, VoiceResiliency { automatic: true, detection_seconds: 300, failback_seconds: 600 });
        let BackEnd::Collocated { instance } = pool.back_end else { panic!("{:?}", pool.back_end) };
        assert_eq!(litware.sql(instance).computer, pool.front_ends[0]);
        assert_eq!(litware.file_stores[pool.file_store.unwrap().index()].computer, pool.front_ends[0]);
    }
    assert_eq!(litware.computers.len(), 4, "two servers and two Edge Servers");
}

#[test]
fn fabric2019_has_availability_groups_and_no_xmpp() {
    let (fabric, _) = fixture("fabric2019.yaml");
    assert_eq!(fabric.version, ProductVersion::Sfb2019);
    assert!(fabric.pools.iter().all(|p| matches!(&p.back_end, BackEnd::AlwaysOn { nodes, .. } if nodes.len() == 2)));
    assert!(fabric.pools.iter().all(|p| !p.xmpp_gateway && p.front_ends.len() >= 3));
    assert!(fabric.edge_pools.iter().all(|e| e.xmpp_listening_port.is_none()));
    let zone = &fabric.zones[0];
    assert_eq!(zone.records[&("sip.fabrikam.com".to_owned(), RecordType::A)].ttl, 300);
    assert!(zone.records.contains_key(&("_sip._tls.northwind.fabrikam.com".to_owned(), RecordType::Srv)));
}

#[test]
fn legacy_cms_is_on_a_pool_of_2010_without_a_partner() {
    let (legacy, _) = fixture("legacy-cms.yaml");
    let holder = legacy.pool(legacy.cms.active);
    assert_eq!((holder.version, holder.backup, legacy.cms.standby), (ProductVersion::Lync2010, None, None));
    assert!(!holder.xmpp_gateway);
}

#[test]
fn global_is_a_million_users_in_a_dozen_ranges() {
    let (global, _) = fixture("global.yaml");
    assert!(global.sites.len() >= 5 && global.pools.len() >= 10);
    assert_eq!(global.users.len(), 1_000_000);
    assert!(global.users.cohorts.len() < 20, "users stay ranges");
    let last = UserId(999_999);
    let address = global.users.address(last).unwrap();
    assert_eq!(global.users.find(&address), Some(last));
    // One SQL Server is the witness of both pools of its site.
    let witness = global.find_computer("nyc-sqlw.tailspintoys.com").unwrap();
    assert_eq!(global.sql_instances.iter().filter(|sql| sql.computer == witness).count(), 2);
}

#[test]
fn committed_schema_is_the_generated_one() {
    let path = folder("schemas/topology.schema.json");
    firedrill_corpus::assert_committed(&path, &schema_text());
}

/// A witness stands in the site of the first pool that names it, unless the document says where: beside the principal it
/// falls with it, in a third site it does not.
#[test]
fn a_witness_can_stand_in_a_site_of_its_own() {
    let text = std::fs::read_to_string(folder("fixtures").join("contoso.yaml")).unwrap();
    let site_of = |text: &str| {
        let loaded = load_bytes("contoso.yaml", text.as_bytes());
        let topology = loaded.topology.unwrap_or_else(|| panic!("{}", render(&loaded.diagnostics, false)));
        let BackEnd::Mirrored { witness: Some(witness), .. } = topology.pools[0].back_end else { panic!("mirrored, with a witness") };
        topology.site(topology.computer(topology.sql(witness).computer).site).name.clone()
    };
    let named = "witness: sql1w.contoso.com\\rtc";
    assert!(text.contains(named));
    assert_eq!(site_of(&text), "Site1");
    assert_eq!(site_of(&text.replacen(named, &format!("{named}, witness_site: Site2"), 1)), "Site2");
    for (bad, code) in [
        (text.replacen(named, &format!("{named}, witness_site: Site9"), 1), "unknown-site"),
        (text.replacen(named, "witness_site: Site2", 1), "witness-site"),
    ] {
        let loaded = load_bytes("contoso.yaml", bad.as_bytes());
        assert!(loaded.topology.is_none());
        assert_eq!(loaded.diagnostics.iter().map(|d| d.code).collect::<Vec<_>>(), [code]);
    }
}
