//! Any bytes at all against the answering side: no panic, and every answer within its bounds.

use std::net::SocketAddr;
use std::sync::Arc;

use firedrill_fabric::naming::Zones;
use firedrill_topology::{AccessList, RecordData, RecordSet, RecordType, Soa, TsigAlgorithm, TsigKey, Zone};
use proptest::prelude::*;

use crate::address::AddressMap;
use crate::answer::{Handled, Transport, handle};
use crate::loopback::LoopbackBlock;
use crate::packet::*;
use crate::settings::{Mode, Settings};
use crate::snapshot::Snapshot;
use crate::update::update_queue;

fn world() -> (Snapshot, Settings) {
    let soa = Soa {
        primary: "ns1.contoso.com".into(),
        responsible: "hostmaster.contoso.com".into(),
        serial: 1,
        refresh: 3600,
        retry: 600,
        expire: 86_400,
        minimum: 60,
        ttl: 3600,
    };
    let sets = [
        ("contoso.com", RecordType::Ns, vec![RecordData::Ns("ns1.contoso.com".into())]),
        ("*.contoso.com", RecordType::Cname, vec![RecordData::Cname("big.contoso.com".into())]),
        ("big.contoso.com", RecordType::A, (0..=255).map(|n| RecordData::A([192, 0, 2, n].into())).collect()),
        ("cut.contoso.com", RecordType::Ns, vec![RecordData::Ns("ns.cut.contoso.com".into())]),
    ];
    let records = sets.into_iter().map(|(name, kind, data)| ((name.to_owned(), kind), RecordSet { ttl: 60, data })).collect();
    let zone = Zone { origin: "contoso.com".into(), soa, records };
    let zones = Zones { zones: [("contoso.com".to_owned(), Arc::new(zone))].into() };
    let map = AddressMap::new(&LoopbackBlock::single(), []).expect("addresses");
    let snapshot = Snapshot::new(&zones, &Default::default(), &map, None).expect("a sound zone");
    let key = Arc::new(TsigKey { name: "key".into(), algorithm: TsigAlgorithm::HmacSha256, secret: vec![1; 32] });
    let everybody = AccessList { keys: vec![Arc::clone(&key)], addresses: vec![[127, 0, 0, 1].into()] };
    let settings = Settings { map, transfer_to: everybody, keys: vec![key], updates: Some(update_queue().0) };
    (snapshot, settings)
}

/// Sends bytes and checks what comes back.
fn check(world: &(Snapshot, Settings), bytes: &[u8], transport: Transport) {
    let peer = SocketAddr::from(([127, 0, 0, 1], 5));
    let mut out = Vec::new();
    let asked = head(bytes);
    let mut messages = Vec::new();
    match handle(&world.0, &world.1, Mode::Answering, bytes, peer, transport, &mut out) {
        Handled::Silent => assert!(asked.is_none_or(|asked| asked.is_response), "a request gets an answer"),
        Handled::Reply => messages.push(out),
        Handled::Transfer(mut transfer) => messages.extend(std::iter::from_fn(|| transfer.next())),
        Handled::Update(job) => {
            let records = job.update.prerequisites.len() + job.update.updates.len();
            assert!(records <= bytes.len() / 11, "an update is no larger than its message");
            job.answer(firedrill_fabric::world::UpdateCode::Refused, &mut out);
            messages.push(out);
        }
    }
    for message in messages {
        let (asked, said) = (asked.expect("a header"), head(&message).expect("a header"));
        assert!(said.is_response && said.id == asked.id && said.opcode == asked.opcode);
        assert!(message.len() <= usize::from(u16::MAX));
        if transport == Transport::Udp {
            // A signature or an OPT record may make an error longer than what was left for the answer.
            assert!(message.len() <= 1232 + 512, "{} bytes over UDP", message.len());
        }
        if said.counts[0] == 1 {
            assert!(Packet::read(&message, said).is_ok(), "the answer itself can be read: {message:?}");
        }
    }
}

/// A well-formed message to start from: any opcode, type and class, with records of every kind that has a meaning.
fn message() -> impl Strategy<Value = Vec<u8>> {
    let name = prop::sample::select(vec![
        &b"\x07contoso\x03com\x00"[..],
        b"\x03big\x07contoso\x03com\x00",
        b"\x03BIG\x07CONTOSO\x03COM\x00",
        b"\x01x\x03cut\x07contoso\x03com\x00",
        b"\x01y\x01x\x07contoso\x03com\x00",
        b"\x03key\x00",
        b"\xc0\x0c",
        b"\x00",
        b"\x3fmuch too long\x00",
    ]);
    let kind = prop::sample::select(vec![1u16, 2, 5, 6, 15, 16, 28, 33, 41, 250, 251, 252, 255, 65_400]);
    let class = prop::sample::select(vec![1u16, 3, 254, 255, 512, 4096]);
    let data = prop_oneof![
        Just(Vec::new()),
        prop::collection::vec(any::<u8>(), 0..40),
        Just(b"\xc0\x0c".to_vec()),
        Just(b"\x00\x01\x00\x02\x00\x03\xc0\x0c".to_vec()),
        Just(b"\x0bhmac-sha256\x00\0\0\0\0\0\x01\x01\x2c\0\x10AAAAAAAAAAAAAAAA\0\x01\0\0\0\0".to_vec()),
    ];
    let record = (name.clone(), kind.clone(), class.clone(), prop::sample::select(vec![0u32, 60, u32::MAX]), data);
    let sections = prop::collection::vec((0usize..3, record), 0..6);
    (any::<u16>(), prop::sample::select(vec![0u8, 2, 4, 5]), name, kind, class, sections).prop_map(
        |(id, opcode, name, kind, class, mut sections)| {
            sections.sort_by_key(|(section, _)| *section);
            let mut bytes = id.to_be_bytes().to_vec();
            bytes.extend_from_slice(&[opcode << 3, 0, 0, 1]);
            for wanted in 0..3 {
                let count = sections.iter().filter(|(section, _)| *section == wanted).count() as u16;
                bytes.extend_from_slice(&count.to_be_bytes());
            }
            bytes.extend_from_slice(name);
            bytes.extend_from_slice(&kind.to_be_bytes());
            bytes.extend_from_slice(&class.to_be_bytes());
            for (_, (name, kind, class, ttl, data)) in sections {
                bytes.extend_from_slice(name);
                bytes.extend_from_slice(&kind.to_be_bytes());
                bytes.extend_from_slice(&class.to_be_bytes());
                bytes.extend_from_slice(&ttl.to_be_bytes());
                bytes.extend_from_slice(&(data.len() as u16).to_be_bytes());
                bytes.extend_from_slice(&data);
            }
            bytes
        },
    )
}

fn transport() -> impl Strategy<Value = Transport> {
    prop::sample::select(vec![Transport::Udp, Transport::Tcp])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2048, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..300), transport in transport()) {
        check(&world(), &bytes, transport);
    }

    #[test]
    fn messages_with_a_few_bytes_changed_or_cut_off(
        message in message(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        cut in prop::option::weighted(0.2, any::<prop::sample::Index>()),
        transport in transport(),
    ) {
        let mut bytes = message;
        for (place, byte) in changes {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        check(&world(), &bytes, transport);
    }

    /// Names made of pointers only, to anywhere.
    #[test]
    fn pointers_to_anywhere(pointers in prop::collection::vec(any::<u8>(), 1..400), start in 0usize..400) {
        let bytes: Vec<u8> = std::iter::repeat_n(0u8, HEADER).chain(pointers.iter().flat_map(|low| [0xc0, *low])).collect();
        if let Ok((name, _)) = read_name(&bytes, start) {
            prop_assert!(name.len() <= NAME_MAX);
        }
    }
}

/// The largest message with the most records that it can claim is refused in a moment.
#[test]
fn counts_that_lie() {
    let world = world();
    let mut bytes = vec![0, 1, 0x28, 0, 0, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
    bytes.extend_from_slice(b"\x07contoso\x03com\x00\x00\x06\x00\x01");
    while bytes.len() + 11 <= usize::from(u16::MAX) {
        bytes.extend_from_slice(b"\x00\x00\x01\x00\xff\x00\x00\x00\x00\x00\x00");
    }
    check(&world, &bytes, Transport::Tcp);
}
