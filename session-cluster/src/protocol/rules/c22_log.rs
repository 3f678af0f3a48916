//! Rules 21 and 22: the node's side of the log.

use crate::directory::VERDICTS_KEPT;
use crate::protocol::model_store::Lost;
use crate::protocol::rules::kit::{Kit, applied, is_given_up, tag_of};
use crate::times::WhenCutOff;

/// Two nodes, the first of which has ended some groups.
fn ended(groups: u8) -> Kit {
    let mut kit = Kit::joined(2);
    for group in 0..groups {
        kit.nodes[0].end(kit.now, vec![group]);
    }
    kit.append(0);
    kit
}

#[test]
fn c21_entries_are_applied_in_order_by_all_but_their_origin() {
    let mut kit = ended(3);
    assert_eq!(applied(&kit.renew(1)), [1, 2, 3]);
    assert_eq!(applied(&kit.renew(1)), [0; 0]);
    assert_eq!(applied(&kit.renew(0)), [0; 0]);
}

#[test]
fn c21_an_entry_that_was_read_out_of_turn_is_not_applied_again() {
    let mut kit = ended(1);
    let answer = kit.ask(1);
    assert_eq!(applied(&kit.read(1)), [1]);
    assert_eq!(
        applied(&kit.take(1, answer)),
        [0; 0],
        "the question was under way"
    );
    kit.nodes[0].end(kit.now, vec![7]);
    kit.append(0);
    assert_eq!(applied(&kit.read(1)), [2]);
    assert_eq!(applied(&kit.renew(1)), [0; 0]);
}

#[test]
fn c21_nothing_is_missed_while_a_node_is_away() {
    let mut kit = Kit::joined(2);
    for group in 0..5 {
        kit.renew_for(5.0, &[0]);
        kit.nodes[0].end(kit.now, vec![group]);
        kit.append(0);
    }
    assert_eq!(applied(&kit.renew(1)), [1, 2, 3, 4, 5]);
}

#[test]
fn c21_an_entry_is_kept_until_all_live_nodes_have_read_it() {
    let mut kit = ended(1);
    assert_eq!(kit.nodes[0].unread(1), [tag_of(1)]);
    kit.read(0);
    assert_eq!(kit.nodes[0].unread(1), [tag_of(1)]);
    kit.renew(1);
    kit.read(0);
    assert_eq!(kit.nodes[0].unread(1), [tag_of(1)], "it has not said so");
    kit.renew(1);
    kit.read(0);
    assert_eq!(kit.nodes[0].unread(1), []);
    assert!(!kit.nodes[0].keeps_entries());
}

#[test]
fn c21_a_node_that_the_store_has_lost_has_not_read() {
    let mut kit = ended(1);
    kit.restart_store(Lost::All);
    kit.renew(0);
    kit.renew(0);
    assert_eq!(kit.append(0), [1]);
    kit.read(0);
    assert_eq!(kit.nodes[0].unread(1), [tag_of(1)]);
    assert!(kit.nodes[0].keeps_entries());
}

#[test]
fn c21_an_entry_is_kept_for_a_node_that_the_store_has_lost_before_others_saw_it() {
    // The simulation's program: the new node claims its tag again later than the origin.
    let mut kit = ended(1);
    let new = kit.add(tag_of(2), WhenCutOff::Suspend);
    kit.nodes[0].end(kit.now, vec![2]);
    kit.renew(new);
    kit.restart_store(Lost::All);
    for _ in 0..3 {
        kit.renew(0);
        kit.renew(1);
        kit.append(0);
        kit.read(0);
    }
    assert!(kit.nodes[0].keeps_entries());
    kit.restart_store(Lost::All);
    kit.renew_all();
    kit.renew_all();
    assert_eq!(kit.append(0), [1, 2]);
    assert_eq!(applied(&kit.renew(new)), [2]);
}

#[test]
fn c21_a_node_that_is_dead_need_not_read() {
    let mut kit = ended(1);
    kit.renew_for(35.0, &[0]);
    kit.bury(0);
    assert_eq!(kit.nodes[0].unread(1), []);
    kit.read(0);
    assert!(!kit.nodes[0].keeps_entries());
}

#[test]
fn c21_an_entry_is_kept_for_a_day_at_most() {
    let mut kit = ended(1);
    kit.now += VERDICTS_KEPT;
    kit.renew(0);
    assert!(!kit.nodes[0].keeps_entries());
}

#[test]
fn c21_an_append_that_failed_is_made_again_after_the_next_answer() {
    let mut kit = Kit::joined(1);
    kit.nodes[0].end(kit.now, vec![1]);
    assert!(kit.nodes[0].append().is_some());
    kit.nodes[0].call_failed();
    assert_eq!(kit.nodes[0].append(), None);
    kit.renew(0);
    assert_eq!(kit.append(0), [1]);
    assert_eq!(kit.nodes[0].append(), None);
}

#[test]
fn c22_what_a_new_run_has_lost_is_appended_again_in_order_and_applied_once() {
    let mut kit = ended(2);
    assert_eq!(applied(&kit.renew(1)), [1, 2]);
    kit.restart_store(Lost::All);
    // The node does not know of the new run yet: entry 3 alone would hide 1 and 2.
    kit.nodes[0].end(kit.now, vec![9]);
    assert_eq!(kit.append(0), [0; 0]);
    kit.renew(0);
    kit.renew(0);
    assert_eq!(kit.append(0), [1, 2, 3]);
    assert_eq!(applied(&kit.renew(1)), [3]);
}

#[test]
fn c22_a_run_that_has_kept_the_log_is_read_from_its_start_and_nothing_is_applied_twice() {
    let mut kit = ended(2);
    kit.renew(1);
    kit.nodes[0].end(kit.now, vec![9]);
    kit.append(0);
    kit.restart_store(Lost::Nothing);
    assert_eq!(applied(&kit.renew(1)), [3]);
    kit.renew(0);
    assert_eq!(kit.append(0), [0; 0], "the log has them");
}

#[test]
fn c22_a_node_that_joins_applies_nothing_of_before() {
    let mut kit = ended(2);
    let node = kit.add(tag_of(2), WhenCutOff::Suspend);
    assert_eq!(applied(&kit.renew(node)), [0; 0]);
    kit.restart_store(Lost::Nothing);
    assert_eq!(applied(&kit.renew(node)), [0; 0]);
    kit.renew(0);
    kit.nodes[0].end(kit.now, vec![9]);
    kit.append(0);
    assert_eq!(applied(&kit.renew(node)), [3]);
}

#[test]
fn c22_a_reading_that_was_sent_in_another_run_is_ignored() {
    let mut kit = ended(1);
    let reading = kit.nodes[1].reading().expect("it has joined");
    kit.restart_store(Lost::Nothing);
    let caught_up = kit.store.catch_up(&reading);
    assert!(caught_up.log.is_empty() && caught_up.readers.is_empty());
    kit.renew(1);
    let later = kit.nodes[1].reading();
    assert_eq!(kit.nodes[1].caught_up(&reading, caught_up), []);
    assert_eq!(kit.nodes[1].reading(), later);
}

#[test]
fn c22_an_answer_to_a_reading_that_comes_after_a_new_run_is_ignored() {
    let mut kit = ended(3);
    let reading = kit.nodes[1].reading().expect("it has joined");
    let caught_up = kit.store.catch_up(&reading);
    kit.restart_store(Lost::All);
    kit.renew(1);
    assert_eq!(kit.nodes[1].caught_up(&reading, caught_up), []);
    kit.renew(1);
    kit.renew(0);
    assert_eq!(kit.append(0), [1, 2, 3]);
    assert_eq!(applied(&kit.renew(1)), [1, 2, 3]);
}

#[test]
fn c22_a_place_in_a_former_run_hides_nothing_of_the_new_one() {
    let mut kit = ended(3);
    kit.renew(1);
    kit.renew(1);
    kit.read(0);
    assert!(!kit.nodes[0].keeps_entries());
    kit.restart_store(Lost::All);
    for _ in 0..2 {
        kit.renew_all();
    }
    kit.nodes[0].end(kit.now, vec![9]);
    assert_eq!(kit.append(0), [4]);
    assert_eq!(applied(&kit.renew(1)), [4]);
}

#[test]
fn c22_entries_from_under_a_former_tag_are_appended_under_it() {
    let mut kit = Kit::joined(2);
    kit.nodes[0].end(kit.now, vec![1]);
    kit.renew_for(45.0, &[1]);
    kit.bury(1);
    assert!(is_given_up(&kit.renew(0)));
    kit.nodes[0].end(kit.now, vec![2]);
    assert_eq!(kit.append(0), [1, 2]);
    assert_eq!(applied(&kit.renew(1)), [1, 2]);
    assert_eq!(applied(&kit.renew(0)), [0; 0]);
}
