//! Rules 2 and 4: how a tag is claimed and given up, and when the node asks.

use crate::protocol::model_store::Lost;
use crate::protocol::rules::kit::{Kit, is_given_up, seconds, tag_of};
use crate::protocol::{Knowledge, Step};
use crate::times::WhenCutOff;

#[test]
fn c02_a_tag_is_held_once_the_store_has_acknowledged_its_claim() {
    let mut kit = Kit::new(1);
    let answer = kit.ask(0);
    assert!(!kit.is_open(0));
    assert_eq!(kit.take(0, answer), [Step::Joined(tag_of(0))]);
    assert!(kit.is_open(0));
    assert!(!kit.nodes[0].question(kit.now, 0.5).claims);
}

#[test]
fn c02_a_claim_whose_answer_was_lost_is_made_again() {
    let mut kit = Kit::new(1);
    kit.ask(0);
    kit.pass(2.0);
    kit.nodes[0].failed(kit.now);
    assert!(!kit.is_open(0));
    assert_eq!(kit.renew(0), [Step::Joined(tag_of(0))]);
}

#[test]
fn c02_a_claim_that_had_its_effect_a_lease_ago_is_not_built_upon() {
    // The simulation's program: the node was given up meanwhile, and the store has lost the verdict.
    let mut kit = Kit::joined(1);
    let other = kit.add(tag_of(1), WhenCutOff::Suspend);
    kit.ask(other);
    kit.renew_for(40.0, &[0]);
    kit.bury(0);
    assert_eq!(kit.knows(0, tag_of(1)), Knowledge::Dead);
    kit.restart_store(Lost::All);
    kit.nodes[other].failed(kit.now);
    assert!(is_given_up(&kit.renew(other)));
    let tag = kit.nodes[other].tag();
    assert_eq!(kit.renew(other), [Step::Joined(tag)]);
}

#[test]
fn c02_a_tag_that_another_node_has_is_left_to_it() {
    let mut kit = Kit::joined(1);
    let other = kit.add(tag_of(0), WhenCutOff::Suspend);
    let steps = kit.renew(other);
    assert!(is_given_up(&steps));
    assert!(
        steps.contains(&Step::Appeared(tag_of(0), 0)),
        "it is a peer"
    );
    assert_eq!(kit.bury(other), []);
    assert_ne!(kit.nodes[other].tag(), tag_of(0));
    kit.renew(other);
    assert!(kit.is_open(other) && kit.is_open(0));
}

#[test]
fn c02_a_node_that_was_given_up_goes_on_under_a_new_tag() {
    let mut kit = Kit::joined(2);
    kit.renew_for(45.0, &[1]);
    kit.bury(1);
    let steps = kit.renew(0);
    let new = kit.nodes[0].tag();
    assert_eq!(steps, [Step::GivenUp(new)]);
    assert!(new != tag_of(0) && !kit.is_open(0));
    assert_eq!(kit.knows(0, tag_of(0)), Knowledge::Dead);
    assert_eq!(kit.nodes[0].due(), kit.now, "it asks at once");
    assert_eq!(kit.renew(0), [Step::Joined(new)]);
    assert!(kit.is_open(0));
}

#[test]
fn c04_a_node_asks_once_a_period_and_at_most_ten_times_a_second_for_requests() {
    let mut kit = Kit::joined(1);
    let node = &mut kit.nodes[0];
    node.question(kit.now, 0.0);
    assert_eq!(node.due(), kit.now + seconds(4.5));
    node.question(kit.now, 1.0);
    assert_eq!(node.due(), kit.now + seconds(5.0));
    node.hurry(kit.now);
    assert_eq!(node.due(), kit.now + seconds(0.1));
    node.hurry(kit.now + seconds(0.05));
    assert_eq!(node.due(), kit.now + seconds(0.1));
}

#[test]
fn c19_a_node_that_has_left_never_acts_and_is_buried_in_the_end() {
    let mut kit = Kit::joined(2);
    let under_way = kit.ask(0);
    let now = kit.now;
    kit.nodes[0].leave(now, &mut || unreachable!());
    assert!(!kit.is_open(0));
    kit.nodes[0].call_failed();
    kit.take(0, under_way);
    assert!(!kit.is_open(0));
    let buried: Vec<_> = kit.bury(0).iter().map(|burial| burial.tag).collect();
    assert_eq!(buried, [tag_of(0)]);
    assert!(kit.renew(1).contains(&Step::Gone(tag_of(0))));
    kit.renew_for(50.0, &[0, 1]);
    assert_eq!(
        kit.knows(0, tag_of(1)),
        Knowledge::Peer,
        "it still learns of others"
    );
    assert!(!kit.is_open(0));
    assert_eq!(kit.nodes[0].tag(), tag_of(0));
}

#[test]
fn c19_a_node_that_leaves_before_it_has_joined_displaces_nobody() {
    let mut kit = Kit::joined(1);
    let other = kit.add(tag_of(0), WhenCutOff::Suspend);
    let now = kit.now;
    kit.nodes[other].leave(now, &mut || tag_of(7));
    kit.renew(other);
    assert_eq!(kit.bury(other), []);
    assert_eq!(kit.knows(other, tag_of(0)), Knowledge::Peer);
    kit.renew(0);
    assert!(kit.is_open(0));
}
