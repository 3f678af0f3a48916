//! The parts that all sets share.

use std::error::Error;
use std::pin::Pin;

/// The state of the application.
pub struct App {
    name: String,
}

impl App {
    /// One of this name.
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
        }
    }

    /// Its name.
    pub fn name(&self) -> String {
        self.name.clone()
    }

    /// Its name, from far away.
    pub async fn fetch_name(&self) -> String {
        tokio::task::yield_now().await;
        self.name.clone()
    }
}

/// The outcome of calling every accessor of a set.
pub type Touched = Pin<Box<dyn Future<Output = Result<String, Box<dyn Error>>> + Send>>;
