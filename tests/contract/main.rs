//! The contract of sessions, row by row: each sentence of each row has an assertion here.
//!
//! Rows 19 and 20, which need a web framework, are in the `http` suite.

mod kit;

mod r01_completion;
mod r02_one_step;
mod r03_read_only;
mod r04_cleanup_order;
mod r04_drain;
mod r04_values_in_use;
mod r05_report;
mod r06_isolation;
mod r07_a_million;
mod r07_activity;
mod r12_ownership;
mod r15_group_races;
mod r15_groups;
