//! Programs over virtual time: some nodes and their clients, a model of the store, and faults of all kinds.
//!
//! The checks are in `checks`. More cases: `SESSION_SIMULATION_CASES`.

mod calls;
mod checks;
mod faults;
mod process;
mod requests;
mod world;

use std::time::Duration;

use proptest::prelude::*;

use crate::protocol::simulation::faults::Fault;
use crate::protocol::simulation::world::World;
use crate::times::WhenCutOff;

/// A number of nodes, a seed, and faults, each some milliseconds after the one before.
type Program = (u8, u64, Vec<(u64, Fault)>);

fn run(when_cut_off: WhenCutOff, (nodes, seed, faults): Program) -> World {
    let mut world = World::new(u32::from(nodes), seed, when_cut_off);
    world.run_for(Duration::from_secs(15));
    for (pause, fault) in faults {
        world.run_for(Duration::from_millis(pause));
        world.strike(fault);
    }
    world.run_for(Duration::from_secs(10));
    world.calm();
    world.run_for(3 * world.times.lease);
    world.check_settled();
    world
}

fn config(cases: u32) -> proptest::test_runner::Config {
    let cases = std::env::var("SESSION_SIMULATION_CASES")
        .ok()
        .and_then(|number| number.parse().ok())
        .unwrap_or(cases);
    proptest::test_runner::Config {
        cases,
        // A failing program is printed in full, since there is no file to keep it in.
        failure_persistence: None,
        max_shrink_iters: 2000,
        ..Default::default()
    }
}

fn program(fault: impl Strategy<Value = Fault>, pause: u64) -> impl Strategy<Value = Program> {
    let faults = prop::collection::vec((pause..pause + 40_000, fault), 0..8);
    (2..=5_u8, any::<u64>(), faults)
}

proptest! {
    #![proptest_config(config(200))]

    #[test]
    fn whatever_happens_no_tag_is_acted_under_twice_and_all_settles(
        program in program(faults::any_fault(), 0)
    ) {
        run(WhenCutOff::Suspend, program);
    }

    #[test]
    fn a_verdict_that_the_store_has_lost_stays_final(
        (nodes, seed) in (2..=5_u8, any::<u64>()),
        faults in prop::collection::vec(faults::lost_verdict(), 1..4),
    ) {
        run(WhenCutOff::Suspend, (nodes, seed, faults.concat()));
    }

    #[test]
    fn outages_of_the_store_destroy_nothing(
        program in program(faults::store_fault(), 100_000)
    ) {
        let world = run(WhenCutOff::Suspend, program);
        world.check_nothing_was_lost();
    }
}

proptest! {
    #![proptest_config(config(60))]

    #[test]
    fn nodes_that_end_when_cut_off_settle(program in program(faults::any_fault(), 0)) {
        run(WhenCutOff::End, program);
    }

    #[test]
    fn nodes_that_serve_when_cut_off_settle(program in program(faults::any_fault(), 0)) {
        run(WhenCutOff::Serve, program);
    }
}
