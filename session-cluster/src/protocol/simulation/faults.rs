//! The faults that strike a world.

use std::time::Duration;

use proptest::prelude::*;

use crate::protocol::model_store::Lost;
use crate::protocol::simulation::process::State;
use crate::protocol::simulation::world::{Event, World};

/// A fault. Its times are in milliseconds, its nodes are addresses.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fault {
    /// The store is away for a while. In between it may restart, with or without its data.
    Down { time: u64, restart: Restart },
    /// The node stops in the middle of all, perhaps while a question is under way, and continues.
    Pause { node: u8, time: u64, asks: bool },
    /// The process is killed.
    Kill { node: u8 },
    /// The process is killed, and another starts at its address.
    Restart { node: u8, time: u64 },
    /// The node does not reach the store.
    CutOff { node: u8, time: u64 },
    /// Questions and answers are lost or late.
    Loss { percent: u8, time: u64 },
    /// The node leaves.
    Leave { node: u8 },
    /// The node ends a group.
    End { node: u8, group: u8 },
    /// None.
    Calm,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Restart {
    No,
    WithData,
    Empty,
    /// A replica takes over that lacks the last milliseconds.
    Failover {
        lag: u64,
    },
}

fn restart() -> impl Strategy<Value = Restart> {
    prop_oneof![
        Just(Restart::No),
        Just(Restart::WithData),
        Just(Restart::Empty),
        (0..1500_u64).prop_map(|lag| Restart::Failover { lag }),
    ]
}

/// Around the lease, and shorter ones.
fn time() -> impl Strategy<Value = u64> {
    prop_oneof![
        1..5_000_u64,
        5_000..28_000_u64,
        28_000..45_000_u64,
        45_000..120_000_u64
    ]
}

pub(super) fn store_fault() -> impl Strategy<Value = Fault> {
    (time(), restart()).prop_map(|(time, restart)| Fault::Down { time, restart })
}

pub(super) fn any_fault() -> impl Strategy<Value = Fault> {
    let node = || 0..5_u8;
    prop_oneof![
        3 => store_fault(),
        3 => (node(), time(), any::<bool>()).prop_map(|(node, time, asks)| Fault::Pause { node, time, asks }),
        1 => node().prop_map(|node| Fault::Kill { node }),
        2 => (node(), time()).prop_map(|(node, time)| Fault::Restart { node, time }),
        3 => (node(), time()).prop_map(|(node, time)| Fault::CutOff { node, time }),
        1 => (5..25_u8, time()).prop_map(|(percent, time)| Fault::Loss { percent, time }),
        1 => node().prop_map(|node| Fault::Leave { node }),
        2 => (node(), 0..3_u8).prop_map(|(node, group)| Fault::End { node, group }),
    ]
}

/// A node is cut off for about as long as it takes to give it up, and the store loses what it knows of that.
pub(super) fn lost_verdict() -> impl Strategy<Value = Vec<(u64, Fault)>> {
    let cut_off = (0..5_u8, 25_000..60_000_u64, any::<bool>()).prop_map(|(node, time, stops)| {
        if stops {
            Fault::Pause {
                node,
                time,
                asks: false,
            }
        } else {
            Fault::CutOff { node, time }
        }
    });
    let restart = prop_oneof![
        Just(Restart::Empty),
        (0..1500_u64).prop_map(|lag| Restart::Failover { lag }),
    ];
    let down = (1..10_000_u64, restart).prop_map(|(time, restart)| Fault::Down { time, restart });
    let loss = (0..25_u8).prop_map(|percent| Fault::Loss {
        percent,
        time: 60_000,
    });
    (loss, cut_off, 30_000..45_000_u64, down, 0..90_000_u64).prop_map(
        |(loss, cut_off, until_down, down, until_next)| {
            vec![
                (0, loss),
                (0, cut_off),
                (until_down, down),
                (until_next, Fault::Calm),
            ]
        },
    )
}

impl World {
    pub(super) fn strike(&mut self, fault: Fault) {
        let later = |time: u64| Duration::from_millis(time);
        match fault {
            Fault::Down { time, restart } => {
                self.store_down();
                self.after(later(time), Event::StoreUp(restart));
            }
            Fault::Pause { node, time, asks } => {
                let process = self.process_at(node);
                if self.processes[process].state == State::Running {
                    if asks {
                        self.hurry(process);
                    }
                    self.pause(process);
                    self.after(later(time), Event::Resume(process));
                }
            }
            Fault::Kill { node } => self.kill(node),
            Fault::Restart { node, time } => {
                self.kill(node);
                self.after(later(time % 20_000), Event::Start(self.address(node)));
            }
            Fault::CutOff { node, time } => {
                let process = self.process_at(node);
                self.cut_off(process);
                self.after(later(time), Event::Reconnect(process));
            }
            Fault::Loss { percent, time } => {
                self.loss = u64::from(percent);
                self.after(later(time), Event::LossEnds);
            }
            Fault::Leave { node } => self.leave(node),
            Fault::End { node, group } => self.end_group(node, group),
            Fault::Calm => {}
        }
    }

    /// The store comes up again.
    pub(super) fn store_up(&mut self, restart: Restart) {
        let lost = match restart {
            Restart::No => None,
            Restart::WithData => Some(Lost::Nothing),
            Restart::Empty => Some(Lost::All),
            Restart::Failover { lag } => {
                let lag = Duration::from_millis(lag);
                Some(Lost::Since(self.down_since.saturating_sub(lag)))
            }
        };
        if let Some(lost) = lost {
            self.store.start_run(self.now, lost);
            self.check_new_run();
        }
        let away = self.now.saturating_sub(self.down_since);
        if lost.is_some() || away > self.times.gap() + self.times.store_timeout {
            self.anew = self.now;
        }
        self.store.is_down = false;
    }

    /// The end of all faults.
    pub(super) fn calm(&mut self) {
        if self.store.is_down {
            self.store_up(Restart::No);
        }
        self.loss = 0;
        for process in 0..self.processes.len() {
            self.reconnect(process);
            self.resume(process);
        }
        self.is_calm = true;
    }
}
