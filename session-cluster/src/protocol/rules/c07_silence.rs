//! Rules 7 and 8: when a silent node is given up, and how.

use crate::directory::{Answer, Beat, Standing};
use crate::protocol::model_store::Lost;
use crate::protocol::rules::kit::{Kit, is_given_up, tag_of};
use crate::protocol::{Knowledge, Step};
use crate::times::WhenCutOff;

/// The observer looks this long after it first saw the last beat of the other.
fn is_given_up_after(silence: f64) -> bool {
    let mut kit = Kit::joined(2);
    kit.renew_for(silence - 3.0, &[0]);
    kit.pass(3.0);
    kit.renew(0);
    !kit.bury(0).is_empty()
}

#[test]
fn c07_a_node_is_given_up_after_a_lease_and_a_tenth_of_silence() {
    assert!(!is_given_up_after(32.9));
    assert!(is_given_up_after(33.0));
}

#[test]
fn c07_silence_counts_from_when_the_answer_came_in() {
    let mut kit = Kit::joined(2);
    kit.pass(5.0);
    kit.renew(1);
    let answer = kit.ask(0);
    kit.pass(1.5);
    kit.take(0, answer);
    kit.renew_for(30.0, &[0]);
    kit.pass(2.9);
    kit.renew(0);
    assert_eq!(kit.bury(0), []);
    kit.pass(0.1);
    kit.renew(0);
    assert_eq!(kit.bury(0).len(), 1);
}

#[test]
fn c07_an_observer_looks_as_of_when_the_question_went_out() {
    let mut kit = Kit::joined(2);
    kit.renew_for(30.0, &[0]);
    kit.pass(2.0);
    let answer = kit.ask(0);
    kit.pass(1.9);
    kit.take(0, answer);
    assert_eq!(kit.bury(0), []);
}

#[test]
fn c07_an_observer_that_was_away_starts_anew() {
    let mut kit = Kit::joined(3);
    kit.renew_for(20.0, &[0]);
    kit.pass(15.1);
    kit.renew(0);
    assert_eq!(kit.bury(0), []);
    kit.renew_for(30.0, &[0]);
    assert_eq!(kit.bury(0), []);
    kit.renew_for(5.0, &[0]);
    assert_eq!(kit.bury(0).len(), 2);
}

#[test]
fn c07_an_observer_whose_answer_came_after_a_sleep_starts_anew() {
    let mut kit = Kit::joined(2);
    kit.renew_for(20.0, &[0]);
    let answer = kit.ask(0);
    kit.pass(15.0);
    kit.take(0, answer);
    kit.pass(0.1);
    kit.renew(0);
    assert_eq!(kit.bury(0), []);
}

#[test]
fn c07_a_new_run_of_the_store_starts_all_anew() {
    let mut kit = Kit::joined(2);
    kit.renew_for(30.0, &[0]);
    kit.restart_store(Lost::Nothing);
    kit.renew_for(30.0, &[0]);
    assert_eq!(kit.bury(0), []);
    kit.renew_for(10.0, &[0]);
    assert_eq!(kit.bury(0).len(), 1);
}

#[test]
fn c07_a_node_that_the_store_has_lost_and_that_does_not_come_back_is_given_up() {
    let mut kit = Kit::joined(2);
    kit.restart_store(Lost::All);
    kit.renew(0);
    assert_eq!(
        kit.knows(0, tag_of(1)),
        Knowledge::Peer,
        "it may be on its way"
    );
    kit.renew_for(30.0, &[0]);
    assert_eq!(kit.bury(0), []);
    kit.renew_for(10.0, &[0]);
    assert_eq!(kit.bury(0).len(), 1);
    assert!(kit.has_verdict(tag_of(1)));
}

#[test]
fn c07_an_observer_without_a_tag_buries_nobody() {
    let mut kit = Kit::joined(1);
    let other = kit.add(tag_of(1), WhenCutOff::Suspend);
    // Its claims are never answered by more than what is wrong with them.
    for _ in 0..8 {
        let answer = kit.ask(other);
        kit.take(
            other,
            Answer {
                standing: Standing::Unknown,
                ..answer
            },
        );
        kit.pass(5.0);
    }
    assert_eq!(kit.bury(other), []);
}

#[test]
fn c08_a_verdict_is_for_the_beat_that_fell_silent() {
    let mut kit = Kit::joined(2);
    kit.renew_for(35.0, &[0]);
    let burial = kit.nodes[0].burial().expect("it is silent");
    assert_eq!((burial.tag, burial.beat), (tag_of(1), Some(Beat(2))));
    kit.renew(1);
    assert!(!kit.store.bury(kit.now, &burial), "it has come back");
    assert_eq!(kit.nodes[0].buried(kit.now, burial, false), []);
    assert_eq!(kit.nodes[0].burial(), None);
    kit.renew_for(30.0, &[0]);
    assert_eq!(kit.nodes[0].burial(), None);
    assert_eq!(kit.knows(0, tag_of(1)), Knowledge::Peer);
}

#[test]
fn c08_all_learn_of_a_verdict_and_it_is_final() {
    let mut kit = Kit::joined(3);
    kit.renew_for(35.0, &[0, 2]);
    let burial = kit.nodes[0].burial().expect("it is silent");
    assert!(kit.store.bury(kit.now, &burial));
    let gone = [Step::Gone(tag_of(1))];
    assert_eq!(kit.nodes[0].buried(kit.now, burial, true), gone);
    assert_eq!(kit.renew(2), gone);
    assert_eq!(kit.bury(2), []);
    assert!(is_given_up(&kit.renew(1)));
    for observer in [0, 2] {
        assert_eq!(kit.knows(observer, tag_of(1)), Knowledge::Dead);
    }
}

#[test]
fn c08_a_burial_that_failed_is_made_again_after_the_next_answer() {
    let mut kit = Kit::joined(2);
    kit.renew_for(35.0, &[0]);
    assert!(kit.nodes[0].burial().is_some());
    kit.nodes[0].call_failed();
    assert_eq!(kit.nodes[0].burial(), None);
    kit.renew(0);
    assert!(kit.nodes[0].burial().is_some());
}
