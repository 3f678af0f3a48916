//! The chat from outside: most in the test's process, with paused time, and the real program where that matters.

mod bad_input;
mod conversation;
mod devices;
mod guesses;
mod house;
#[path = "../kit/mod.rs"]
mod kit;
mod log_in;
mod messages;
#[cfg(unix)]
mod program;
#[cfg(unix)]
mod readme;
