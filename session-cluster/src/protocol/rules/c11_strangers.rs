//! Rule 11: when an unknown tag is nobody's.

use crate::protocol::Knowledge;
use crate::protocol::model_store::Lost;
use crate::protocol::rules::kit::{Kit, tag_of};
use crate::times::WhenCutOff;

#[test]
fn c11_a_store_that_was_up_for_a_lease_is_settled_for_a_new_node() {
    for (up, is_settled) in [(29.0, false), (30.0, true)] {
        let mut kit = Kit::new(0);
        kit.restart_store(Lost::All);
        kit.pass(up);
        let node = kit.add(tag_of(5), WhenCutOff::Suspend);
        kit.renew(node);
        assert_eq!(kit.nodes[node].is_settled(), is_settled);
        assert_eq!(kit.knows(node, tag_of(6)), Knowledge::Unknown);
    }
}

#[test]
fn c11_in_a_new_run_only_the_own_acquaintance_counts() {
    let mut kit = Kit::joined(1);
    assert!(kit.nodes[0].is_settled());
    kit.restart_store(Lost::Nothing);
    kit.pass(20.0);
    kit.renew(0);
    assert!(!kit.nodes[0].is_settled());
    kit.renew_for(25.0, &[0]);
    assert!(!kit.nodes[0].is_settled());
    kit.renew_for(5.0, &[0]);
    assert!(kit.nodes[0].is_settled());
}

#[test]
fn c11_a_run_is_settled_as_of_when_the_question_went_out() {
    let mut kit = Kit::new(1);
    kit.restart_store(Lost::All);
    kit.pass(29.0);
    let answer = kit.ask(0);
    kit.pass(1.5);
    kit.take(0, answer);
    assert!(!kit.nodes[0].is_settled());
    kit.renew(0);
    assert!(
        !kit.nodes[0].is_settled(),
        "the age may be that of when it came in"
    );
    kit.pass(1.0);
    kit.renew(0);
    assert!(kit.nodes[0].is_settled());
}

#[test]
fn c11_a_run_does_not_settle_while_a_question_is_under_way() {
    let mut kit = Kit::new(1);
    kit.restart_store(Lost::All);
    kit.pass(20.0);
    kit.renew(0);
    kit.pass(9.0);
    let answer = kit.ask(0);
    kit.pass(1.5);
    kit.take(0, answer);
    assert!(!kit.nodes[0].is_settled());
}

#[test]
fn c11_a_node_whose_card_is_not_believed_is_not_nobody() {
    let mut kit = Kit::joined(2);
    let mut answer = kit.ask(0);
    answer.beats.push((tag_of(9), answer.beats[0].1));
    kit.take(0, answer);
    assert_eq!(kit.knows(0, tag_of(9)), Knowledge::Unreadable);
    assert_eq!(kit.knows(0, tag_of(1)), Knowledge::Peer);
    assert_eq!(kit.knows(0, tag_of(0)), Knowledge::Own);
}
