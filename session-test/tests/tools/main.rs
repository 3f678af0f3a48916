//! The tools themselves: what they send and keep, and what they say when a test is to fail.

mod answers;
mod clean;
mod cookies;
mod ended;
mod events;
mod requests;
mod websockets;
