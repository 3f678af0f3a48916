//! Subscribers of one test among many.

use std::sync::LazyLock;

use tracing::Dispatch;
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::layer::{Layer, SubscriberExt as _};
use tracing_subscriber::registry::Registry;

/// Subscribes for this thread, until the guard is dropped.
pub(crate) fn subscribe(layer: impl Layer<Registry> + Send + Sync) -> DefaultGuard {
    // A second subscriber is needed: with only one, an event that some other thread reaches first would count as
    // one that nobody wants.
    static SECOND: LazyLock<Dispatch> = LazyLock::new(|| Dispatch::new(Registry::default()));
    LazyLock::force(&SECOND);
    tracing::subscriber::set_default(Registry::default().with(layer))
}
