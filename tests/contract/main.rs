//! The contract of sessions, row by row. Each sentence of each row has an assertion here.
//!
//! Rows 19 and 20, which need a web framework, are in the `http` suite.
//! The files that start with `c` have the rows of the cluster's contract that one node keeps by itself.

mod c01_tags;
mod c02_set_tag;
mod c19_drained;
mod kit;
mod subscriber;
mod thread;
mod visitor;

mod r01_completion;
mod r02_one_step;
mod r03_read_only;
mod r04_cleanup_order;
mod r04_drain;
mod r04_late_handles;
mod r04_values_in_use;
mod r05_report;
mod r05_restless_hooks;
mod r06_isolation;
mod r07_a_million;
mod r07_activity;
mod r08_concurrency;
mod r08_lending;
mod r09_being_created;
mod r09_completion;
mod r09_cycles;
mod r09_failure;
mod r09_no_cycles;
mod r09_no_lock;
mod r09_once;
mod r10_keys;
mod r11_dictionary;
mod r11_list;
mod r12_ownership;
mod r13_exactly_once;
mod r13_for_nothing;
mod r13_ownership;
mod r14_memory;
mod r15_group_ends;
mod r15_group_races;
mod r15_groups;
mod r15_many_joins;
mod r16_scope;
mod r17_attacks;
mod r17_bounds;
mod r17_manager;
mod r17_shutdown;
mod r18_ids;
mod r21_superseded;
mod r22_serials;
mod r23_reasons;
mod r24_activity;
mod r24_times;
mod r24_unconfirmed;
mod r25_bounds;
mod r25_linger;
mod r26_bench;
mod r26_blocking;
mod r26_discard;
mod r26_discard_at_the_end;
mod r27_guard_clones;
mod r28_keys;
mod r29_until_completed;
mod traces;
