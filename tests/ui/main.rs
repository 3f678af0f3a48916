//! What the derive accepts, and what it says of what it does not.
//!
//! `pass` holds a program per form of accessor, which also runs. `fail/grammar` holds mistakes that the derive
//! finds itself, in its own words; `fail/types` those that only the compiler can find, where what counts is
//! that it points at the user's code. `TRYBUILD=overwrite` writes the `.stderr` files anew.

use std::path::Path;
use std::process::Command;

#[test]
fn ui() {
    let cases = trybuild::TestCases::new();
    cases.pass("ui/pass/*.rs");
    cases.compile_fail("ui/fail/grammar/*.rs");
    cases.compile_fail("ui/fail/types/*.rs");
    // Here the compiler points into the standard library too. Where that is installed as source, it also quotes
    // from it, and says more than the files hold.
    if !has_std_source() {
        cases.compile_fail("ui/fail/quotes_std/*.rs");
    }
}

fn has_std_source() -> bool {
    let rustc = Command::new("rustc")
        .args(["--print", "sysroot"])
        .output()
        .expect("there is a compiler");
    let sysroot = String::from_utf8(rustc.stdout).expect("its path is text");
    Path::new(sysroot.trim())
        .join("lib/rustlib/src/rust")
        .exists()
}
