//! Rule 5: the time for which a node may act.

use crate::protocol::model_store::Lost;
use crate::protocol::rules::kit::{Kit, is_given_up, seconds, tag_of};
use crate::protocol::{Knowledge, Step};
use crate::times::WhenCutOff;

#[test]
fn c05_the_lease_counts_from_when_the_last_answered_renewal_went_out() {
    let mut kit = Kit::joined(1);
    let sent = kit.now;
    let answer = kit.ask(0);
    kit.pass(1.5);
    kit.take(0, answer);
    for _ in 0..6 {
        kit.pass(2.5);
        assert!(kit.is_open(0));
        kit.fail(0);
    }
    assert_eq!(kit.nodes[0].open_until(), Some(sent + seconds(30.0)));
    kit.now = sent + seconds(29.9);
    assert!(kit.is_open(0));
    kit.pass(0.1);
    assert!(!kit.is_open(0));
}

#[test]
fn c05_a_node_that_is_back_in_touch_goes_on() {
    let mut kit = Kit::joined(1);
    kit.pass(300.0);
    assert!(!kit.is_open(0));
    assert_eq!(kit.renew(0), []);
    assert!(kit.is_open(0));
}

#[test]
fn c05_an_answer_that_is_not_a_renewal_does_not_extend_the_lease() {
    let mut kit = Kit::joined(1);
    let renewed = kit.now;
    kit.pass(5.0);
    kit.restart_store(Lost::All);
    kit.renew(0);
    assert!(kit.nodes[0].open_until() <= Some(renewed + seconds(30.0)));
    assert!(kit.nodes[0].question(kit.now, 0.5).claims);
}

#[test]
fn c05_a_node_that_serves_when_cut_off_serves_until_it_was_given_up() {
    let mut kit = Kit::joined(1);
    let node = kit.add(tag_of(1), WhenCutOff::Serve);
    assert!(!kit.is_open(node), "not before it has joined");
    kit.renew(node);
    assert_eq!(kit.nodes[node].open_until(), None);
    kit.renew_for(45.0, &[0]);
    assert!(kit.is_open(node));
    kit.bury(0);
    assert!(is_given_up(&kit.renew(node)));
    assert!(!kit.is_open(node));
}

#[test]
fn c05_a_node_that_ends_when_cut_off_gives_itself_up_with_its_lease() {
    let mut kit = Kit::new(0);
    let node = kit.add(tag_of(1), WhenCutOff::End);
    kit.renew(node);
    let start = kit.now;
    let end = start + seconds(30.0);
    assert_eq!(kit.nodes[node].lapses(), Some(end));
    let lapse = |kit: &mut Kit| kit.nodes[node].lapse(kit.now, &mut || tag_of(2));
    kit.now = start + seconds(29.9);
    assert_eq!(lapse(&mut kit), []);
    // An answer to a question under the former tag says nothing of the new one.
    let answer = kit.ask(node);
    kit.now = end;
    assert_eq!(lapse(&mut kit), [Step::GivenUp(tag_of(2))]);
    kit.take(node, answer);
    assert!(!kit.is_open(node));
    assert_eq!(kit.renew(node), [Step::Joined(tag_of(2))]);
    assert!(
        kit.has_verdict(tag_of(1)),
        "its next claim gives the former tag up"
    );
    assert_eq!(kit.knows(node, tag_of(1)), Knowledge::Dead);
}

#[test]
fn c05_an_answer_at_the_end_of_the_lease_comes_too_late_for_a_node_that_ends() {
    let mut kit = Kit::new(0);
    let node = kit.add(tag_of(1), WhenCutOff::End);
    kit.renew(node);
    kit.pass(30.0);
    assert!(is_given_up(&kit.renew(node)));
}
