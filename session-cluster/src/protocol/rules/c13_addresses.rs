//! Rule 13: a process that claims an address displaces the one that had it.

use crate::protocol::rules::kit::{Kit, is_given_up, tag_of};
use crate::protocol::{Knowledge, Step};
use crate::times::WhenCutOff;

/// A node at the address of node 0, beside node 1.
fn restarted() -> (Kit, usize) {
    let mut kit = Kit::joined(2);
    for index in 2..10 {
        kit.add(tag_of(50 + index), WhenCutOff::Suspend);
    }
    let restarted = kit.add(tag_of(10), WhenCutOff::Suspend);
    (kit, restarted)
}

#[test]
fn c13_a_node_that_claims_an_address_knows_the_former_tag_for_dead_at_once() {
    let (mut kit, restarted) = restarted();
    let steps = kit.renew(restarted);
    assert!(steps.contains(&Step::Joined(tag_of(10))));
    assert_eq!(kit.knows(restarted, tag_of(0)), Knowledge::Dead);
    assert_eq!(kit.knows(restarted, tag_of(1)), Knowledge::Peer);
    assert!(kit.is_open(restarted));
    let steps = kit.renew(1);
    assert!(steps.contains(&Step::Gone(tag_of(0))));
    assert!(steps.contains(&Step::Appeared(tag_of(10), 0)));
}

#[test]
fn c13_the_node_that_had_the_address_gives_itself_up() {
    let (mut kit, restarted) = restarted();
    kit.renew(restarted);
    kit.pass(1.0);
    assert!(is_given_up(&kit.renew(0)));
    assert!(!kit.is_open(0));
}

#[test]
fn c13_a_card_that_has_changed_is_told() {
    let mut kit = Kit::joined(2);
    let mut answer = kit.ask(0);
    answer.cards = vec![(tag_of(1), 77_u32.to_be_bytes().to_vec())];
    assert_eq!(kit.take(0, answer.clone()), [Step::Changed(tag_of(1), 77)]);
    kit.ask(0);
    assert_eq!(kit.take(0, answer), [], "it is the same one");
}
