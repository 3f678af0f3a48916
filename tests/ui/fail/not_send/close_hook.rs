//! The hook runs as its own task.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
struct Set {
    #[property(default, close = close)]
    notes: Property<String>,
}

async fn close(_: String) {
    let pointer: *const u8 = std::ptr::null();
    std::future::ready(()).await;
    drop(pointer);
}

fn main() {}
