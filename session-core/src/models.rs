//! Models of the races: the whole core, run under many orderings of its steps.
//!
//! ```text
//! cargo xtask models
//! RUSTFLAGS="--cfg session_shuttle -C overflow-checks" cargo test --release -p session-core --lib models -- --nocapture
//! ```
//!
//! A model starts a few threads on real sessions, and asserts what must hold when they are done. shuttle runs it
//! again and again, each time with another schedule: wherever a lock is taken or released, an atomic accessed, a
//! counted pointer cloned or dropped, or a task polled, any thread or task may run next. One that is stuck while all
//! others are done is a failure, too. Memory orderings weaker than the strongest, and the insides of tokio's own
//! primitives, are not modeled.
//!
//! `SESSION_MODEL_ITERATIONS` is the number of schedules that each of two schedulers tries per model. One is random at
//! every step; the other (PCT) runs by priorities and changes them at few points. Models that are small enough run
//! under all possible schedules.
//!
//! In a model no lock of `std` may be held where another thread can run next: the whole process would hang.

mod activity;
mod cells;
mod completion;
mod creation;
mod discarding;
mod drain;
mod events;
mod eviction;
mod expiry;
mod group_bound;
mod groups;
mod harness;
mod id;
mod keys;
mod lending;
mod lingering;
mod ownership;
mod parting;
mod reasons;
mod settled;
mod shutdown;
mod superseded;
mod tags;
mod times;
mod values;
