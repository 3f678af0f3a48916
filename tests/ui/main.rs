//! What the derive accepts, and what it says of what it does not.
//!
//! `fail/grammar` holds mistakes that the derive finds itself, in its own words; `fail/types` those that
//! only the compiler can find, where what counts is that it points at the user's code. `TRYBUILD=overwrite`
//! writes the `.stderr` files anew.

#[test]
fn ui() {
    let cases = trybuild::TestCases::new();
    cases.pass("ui/pass/*.rs");
    cases.compile_fail("ui/fail/*/*.rs");
}
