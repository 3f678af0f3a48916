//! Rule 10: a store that has lost nodes or verdicts.

use crate::directory::VERDICTS_KEPT;
use crate::protocol::Knowledge;
use crate::protocol::model_store::Lost;
use crate::protocol::rules::kit::{Kit, is_given_up, tag_of};

#[test]
fn c10_a_node_that_the_store_has_lost_claims_its_own_tag_again() {
    let mut kit = Kit::joined(2);
    kit.pass(5.0);
    kit.restart_store(Lost::All);
    for node in [0, 1] {
        assert_eq!(kit.renew(node), []);
        assert_eq!(kit.nodes[node].due(), kit.now, "it claims at once");
        assert!(kit.is_open(node), "its lease holds");
        assert_eq!(kit.renew(node), []);
        assert_eq!(kit.nodes[node].tag(), tag_of(u32::try_from(node).unwrap()));
    }
    kit.pass(5.0);
    kit.renew_all();
    kit.pass(9.0);
    assert!(kit.is_open(0) && kit.is_open(1));
    assert!(kit.store.data.verdicts.is_empty());
}

#[test]
fn c10_a_verdict_that_the_store_has_lost_is_repeated() {
    let mut kit = Kit::joined(3);
    kit.renew_for(35.0, &[0, 2]);
    kit.bury(0);
    kit.renew(2);
    kit.restart_store(Lost::All);
    kit.renew_for(5.0, &[0, 2]);
    assert_eq!(kit.bury(2).len(), 1);
    assert!(kit.has_verdict(tag_of(1)));
    kit.renew(0);
    assert_eq!(kit.bury(0), [], "another has repeated it");
    assert!(is_given_up(&kit.renew(1)));
}

#[test]
fn c10_a_verdict_that_was_lost_and_whose_node_is_back_is_repeated_all_the_same() {
    let mut kit = Kit::joined(2);
    kit.renew_for(35.0, &[0]);
    kit.bury(0);
    kit.restart_store(Lost::All);
    kit.renew(1);
    kit.renew(1);
    assert!(!kit.is_open(1), "it waits for the repetition");
    kit.renew(0);
    assert_eq!(kit.knows(0, tag_of(1)), Knowledge::Dead);
    kit.bury(0);
    assert!(is_given_up(&kit.renew(1)));
}

#[test]
fn c10_a_repetition_that_failed_is_made_again() {
    let mut kit = Kit::joined(2);
    kit.renew_for(35.0, &[0]);
    kit.bury(0);
    kit.restart_store(Lost::All);
    kit.renew(0);
    kit.nodes[0].call_failed();
    kit.renew_for(5.0, &[0]);
    assert_eq!(kit.bury(0).len(), 1);
}

#[test]
fn c10_a_verdict_of_a_former_run_does_not_count_for_the_new_one() {
    let mut kit = Kit::joined(2);
    kit.renew_for(35.0, &[0]);
    let burial = kit.nodes[0].burial().expect("it is silent");
    assert!(kit.store.bury(kit.now, &burial));
    kit.restart_store(Lost::All);
    kit.renew(0);
    kit.nodes[0].buried(kit.now, burial, true);
    assert_eq!(kit.bury(0).len(), 1);
}

#[test]
fn c10_an_outage_longer_than_the_lease_destroys_nothing() {
    for lost in [Lost::All, Lost::Nothing] {
        let mut kit = Kit::joined(2);
        kit.pass(100.0);
        kit.restart_store(lost);
        kit.pass(1.0);
        kit.renew_for(5.0, &[0, 1]);
        assert!(
            !kit.is_open(0) && !kit.is_open(1),
            "they may have been given up"
        );
        kit.renew_for(25.0, &[0, 1]);
        assert!(!kit.is_open(0) && !kit.is_open(1));
        kit.renew_for(10.0, &[0, 1]);
        assert!(kit.is_open(0) && kit.is_open(1), "{lost:?}");
        assert_eq!(kit.nodes[0].tag(), tag_of(0));
        assert!(kit.store.data.verdicts.is_empty());
    }
}

#[test]
fn c10_a_node_that_is_held_back_waits_while_it_is_in_touch() {
    let mut kit = Kit::joined(1);
    kit.pass(100.0);
    kit.restart_store(Lost::Nothing);
    kit.renew(0);
    kit.pass(40.0);
    kit.renew(0);
    assert!(!kit.is_open(0), "others were perhaps not in touch either");
    kit.renew_for(30.0, &[0]);
    assert!(kit.is_open(0));
}

#[test]
fn c10_a_node_that_comes_to_a_settled_run_without_it_gives_itself_up() {
    let mut kit = Kit::joined(1);
    kit.pass(100.0);
    kit.restart_store(Lost::All);
    kit.pass(29.0);
    kit.renew(0);
    kit.pass(1.0);
    // A node that is new here may have called the tag nobody's.
    assert!(is_given_up(&kit.renew(0)));
    assert_eq!(kit.knows(0, tag_of(0)), Knowledge::Dead);
    kit.renew(0);
    assert!(kit.is_open(0));
    kit.bury(0);
    assert!(kit.has_verdict(tag_of(0)));
}

#[test]
fn c10_a_replica_without_the_verdict_does_not_revive_a_node() {
    let mut kit = Kit::joined(2);
    kit.renew_for(35.0, &[0]);
    let before = kit.now;
    kit.pass(0.5);
    kit.bury(0);
    kit.restart_store(Lost::Since(before));
    assert_eq!(kit.renew(1), []);
    assert!(!kit.is_open(1), "though the store has its tag");
    kit.renew(0);
    kit.bury(0);
    assert!(is_given_up(&kit.renew(1)));
}

#[test]
fn c10_a_node_that_was_cut_off_for_longer_than_verdicts_are_kept_gives_itself_up() {
    let mut kit = Kit::joined(1);
    let renewed = kit.now;
    kit.now = renewed + VERDICTS_KEPT.mul_f64(0.999);
    assert!(!is_given_up(&kit.renew(0)));
    kit.now += VERDICTS_KEPT;
    assert!(is_given_up(&kit.renew(0)));
    kit.renew(0);
    assert!(kit.is_open(0));
}

#[test]
fn c10_verdicts_are_forgotten_after_the_time_for_which_they_are_kept() {
    let mut kit = Kit::joined(2);
    kit.renew_for(35.0, &[0]);
    kit.bury(0);
    kit.now += VERDICTS_KEPT;
    kit.renew(0);
    assert_eq!(kit.knows(0, tag_of(1)), Knowledge::Unknown);
    let buried = kit.bury(0);
    assert!(buried.iter().all(|burial| burial.tag != tag_of(1)));
}
