//! The initializer runs as a task of its session.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
struct Set {
    #[property(async_init = load)]
    notes: Property<String>,
}

async fn load() -> String {
    let pointer: *const u8 = std::ptr::null();
    std::future::ready(()).await;
    format!("{pointer:?}")
}

fn main() {}
