//! The rules of a cluster: directories of all kinds, and nodes on one directory in memory in paused time, as far as they need
//! no requests. Each test of a rule has its number.

mod c02_tags;
mod c03_owners;
mod c04_operations;
mod c05_cut_off;
mod c05_lease;
mod c06_asleep;
mod c08_verdicts;
mod c10_lost_stores;
mod c12_seals;
mod c13_addresses;
mod c19_draining;
mod c19_leaving;
mod c20_ready;
mod c21_outages;
mod c21_telling;
mod c22_joining_after;
mod c23_counts;
mod directories;
mod handles;
mod in_process;
mod joining;
mod keeper_panics;
mod kit;
mod node;
mod redis;
