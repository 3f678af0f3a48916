//! The tests that span the crates are in the folders beside this one, one folder for each suite.
