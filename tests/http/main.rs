//! Sessions over http: the contract's rows 19 and 20, through the service alone and over a real connection.

mod activity;
mod cookies;
mod extractors;
mod kit;
mod r19;
mod r20;
mod rejections;
mod services;
mod wire;
