//! Rule 6: a node that was asleep waits for an answer, even inside its lease.

use crate::protocol::rules::kit::{Kit, seconds};

#[test]
fn c06_a_node_without_a_question_for_two_periods_was_asleep() {
    let mut kit = Kit::joined(1);
    kit.pass(9.9);
    assert!(kit.is_open(0));
    kit.pass(0.1);
    assert!(!kit.is_open(0));
    kit.renew(0);
    assert!(kit.is_open(0));
}

#[test]
fn c06_a_question_that_fails_does_not_wake_a_node_that_was_asleep() {
    let mut kit = Kit::joined(1);
    kit.pass(12.0);
    kit.fail(0);
    assert!(!kit.is_open(0));
    kit.renew(0);
    assert!(kit.is_open(0));
}

#[test]
fn c06_an_answer_from_before_the_sleep_does_not_wake_it() {
    let mut kit = Kit::joined(1);
    let answer = kit.ask(0);
    kit.pass(15.0);
    kit.take(0, answer);
    assert!(!kit.is_open(0));
    assert_eq!(kit.nodes[0].due(), kit.now, "it asks again at once");
    kit.renew(0);
    assert!(kit.is_open(0));
}

#[test]
fn c06_a_question_that_was_under_way_in_the_sleep_and_fails_does_not_wake_it() {
    let mut kit = Kit::joined(1);
    kit.nodes[0].question(kit.now, 0.5);
    kit.pass(15.0);
    kit.nodes[0].failed(kit.now);
    assert!(!kit.is_open(0));
}

#[test]
fn c06_a_store_that_is_away_does_not_put_a_node_to_sleep() {
    let mut kit = Kit::joined(1);
    let end = kit.now + seconds(30.0);
    while kit.now + seconds(5.0) < end {
        assert!(kit.is_open(0));
        kit.pass(3.0);
        kit.fail(0);
    }
    assert!(kit.is_open(0));
}
