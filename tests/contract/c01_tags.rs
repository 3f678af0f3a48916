//! The cluster's row 1: an id starts with the tag of its node.

use std::collections::HashSet;

use session_core::{NodeTag, SessionId, SessionKey, SessionManager};

use crate::kit::manager;

const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// A manager with a tag.
fn tagged() -> (SessionManager, NodeTag) {
    let (sessions, tag) = (manager(), NodeTag::random());
    assert_eq!(sessions.set_tag(tag), 0);
    (sessions, tag)
}

fn decode(text: &str) -> Option<NodeTag> {
    NodeTag::decode(text.as_bytes())
}

#[test]
fn c01_a_tag_is_four_characters_and_is_read_strictly() {
    for _ in 0..100 {
        let tag = NodeTag::random();
        let text = tag.encode();
        assert_eq!(text.len(), 4);
        assert!(text.bytes().all(|byte| ALPHABET.contains(&byte)));
        assert_eq!(decode(&text), Some(tag));
        // It is not secret.
        assert_eq!(tag.to_string(), text);
        assert_eq!(format!("{tag:?}"), format!("NodeTag({text})"));
    }
    for text in ["AAAA", "____", "----", "aB3_"] {
        assert_eq!(decode(text).unwrap().encode(), text);
    }
    let wrong = [
        "", "A", "AA", "AAA", "AAAAA", "AAAAAAAA", "AAA=", "AA==", "A===", " AAA", "AAA\n", "AA+A",
        "AA/A", "AéA",
    ];
    for text in wrong {
        assert_eq!(decode(text), None, "{text:?}");
    }
    // All four characters count.
    let all = ALPHABET.iter().flat_map(|byte| {
        (0..4).map(|at| {
            let mut text = *b"AAAA";
            text[at] = *byte;
            NodeTag::decode(&text).unwrap()
        })
    });
    assert_eq!(all.collect::<HashSet<_>>().len(), 4 * 63 + 1);
}

#[test]
fn c01_tags_are_random_and_ordered_as_numbers() {
    let tags: HashSet<_> = std::iter::repeat_with(NodeTag::random)
        .take(1_000)
        .collect();
    // Of so many in 24 bits one pair is the same in 3 % of all runs, and five in none.
    assert!(tags.len() > 995, "{}", tags.len());
    for (lesser, greater) in [
        ("AAAA", "AAAB"),
        ("AAA_", "AABA"),
        ("A___", "BAAA"),
        ("9___", "----"),
    ] {
        assert!(decode(lesser).unwrap() < decode(greater).unwrap());
    }
}

#[test]
fn c01_the_slot_is_the_first_two_characters() {
    for slot in (0..4096).step_by(7).chain([4095]) {
        let tag = NodeTag::random_in(slot).unwrap();
        assert_eq!(tag.slot(), slot);
        let [high, low] =
            [slot / 64, slot % 64].map(|sextet| char::from(ALPHABET[usize::from(sextet)]));
        assert_eq!(tag.encode()[..2], format!("{high}{low}"));
        assert_eq!(decode(&tag.encode()).unwrap().slot(), slot);
    }
    for none in [4096, u16::MAX] {
        assert_eq!(NodeTag::random_in(none), None);
    }
    // The rest is random.
    let in_slot = || NodeTag::random_in(9).unwrap();
    let tags: HashSet<_> = std::iter::repeat_with(in_slot).take(100).collect();
    assert!(tags.len() > 80, "{}", tags.len());
}

#[tokio::test]
async fn c01_an_id_is_the_tag_and_104_random_bits() {
    let (sessions, tag) = tagged();
    let mut rest = Vec::new();
    for _ in 0..2_000 {
        let id = sessions.create().unwrap().id();
        let text = id.encode();
        assert_eq!(id.tag(), tag);
        assert_eq!(text[..4], tag.encode());
        // Parsing does not change.
        assert_eq!(text.len(), SessionId::ENCODED_LEN);
        assert_eq!(text.parse(), Ok(id));
        assert_eq!(SessionId::decode(text.as_bytes()), Some(id));
        assert!(sessions.get(&id).is_some());
        rest.push(text.into_bytes());
    }
    for at in 4..21 {
        let seen: HashSet<u8> = rest.iter().map(|text| text[at]).collect();
        // A random sextet is missed by all in one of 10^13 runs.
        assert_eq!(seen.len(), 64, "character {at}");
    }
}

#[tokio::test]
async fn c01_without_a_tag_all_128_bits_are_random() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let tags: HashSet<NodeTag> = (0..100)
        .map(|_| {
            let _told = session.cycle_id().unwrap();
            session.id().tag()
        })
        .collect();
    assert!(tags.len() > 95, "{}", tags.len());
    // The first bits are a tag all the same, whatever they are.
    let text = session.id().encode();
    assert_eq!(session.id().tag().encode(), text[..4]);
}

#[tokio::test]
async fn c01_every_way_to_an_id_has_the_tag() {
    let (sessions, tag) = tagged();
    let key = SessionKey::new("k").unwrap();
    let mut request = sessions.create_entered(Some(&"g".into())).unwrap();
    let all = [
        sessions.create().unwrap(),
        sessions.create_in("g".into()).unwrap(),
        sessions.get_or_create_keyed(&key).unwrap(),
        request.session().clone(),
    ];
    for session in &all {
        assert_eq!(session.id().tag(), tag);
    }
    // A changed id keeps it, and is another one.
    for session in &all {
        let before = session.id();
        let _told = session.cycle_id().unwrap();
        assert_ne!(session.id(), before);
        assert_eq!(session.id().tag(), tag);
    }
    drop(request);
    request = sessions.enter(&all[0].id()).unwrap();
    let _told = [
        request.cycle_id().unwrap(),
        request.log_in("h".into()).unwrap(),
    ];
    assert_eq!(all[0].id().tag(), tag);
}

/// An id that nobody gave out is unknown, whatever its tag.
#[tokio::test]
async fn c01_a_made_up_id_with_the_right_tag_is_unknown() {
    let (sessions, tag) = tagged();
    let session = sessions.create().unwrap();
    let made_up: SessionId = format!("{tag}AAAAAAAAAAAAAAAAAA").parse().unwrap();
    assert_eq!(made_up.tag(), session.id().tag());
    assert!(sessions.enter(&made_up).is_err());
    assert_eq!(sessions.stats().created, 1);
}
