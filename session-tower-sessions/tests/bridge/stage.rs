//! The place where a request waits until the test lets it go on.

use std::sync::Arc;

use tokio::sync::Semaphore;

#[derive(Clone, Debug)]
pub(crate) struct Stage(Arc<Places>);

#[derive(Debug)]
struct Places {
    arrived: Semaphore,
    go_on: Semaphore,
}

impl Default for Stage {
    fn default() -> Self {
        Self(Arc::new(Places {
            arrived: Semaphore::new(0),
            go_on: Semaphore::new(0),
        }))
    }
}

impl Stage {
    /// Waits until the test lets it go on.
    pub(crate) async fn stop(&self) {
        self.0.arrived.add_permits(1);
        self.0.go_on.acquire().await.unwrap().forget();
    }

    /// Waits until a request has stopped here.
    pub(crate) async fn stopped(&self) {
        self.0.arrived.acquire().await.unwrap().forget();
    }

    /// Lets one request go on.
    pub(crate) fn go_on(&self) {
        self.0.go_on.add_permits(1);
    }
}
