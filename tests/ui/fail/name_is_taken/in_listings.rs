//! Listings identify properties by their names.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
struct Set {
    notes: Property<String>,
    #[property(default, name = "notes")]
    remarks: Property<String>,
}

fn main() {}
