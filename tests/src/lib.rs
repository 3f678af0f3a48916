//! The tests that span the crates are in the folders beside this one, a folder a suite.
