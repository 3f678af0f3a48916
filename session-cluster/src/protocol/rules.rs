//! The rules of the protocol, one after the other. Times are in seconds; the lease is 30, the period 5, the store's
//! timeout 2.

mod kit;

mod c02_tags;
mod c05_lease;
mod c06_sleep;
mod c07_silence;
mod c10_loss;
mod c11_strangers;
mod c13_addresses;
mod c22_log;
