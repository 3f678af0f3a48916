//! A request as the messages of panics name it.

use std::fmt::{self, Display};
use std::panic::Location;

use axum_core::BoxError;
use http::{Method, Uri};

use crate::patience::within;

#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) method: Method,
    pub(crate) target: Uri,
    pub(crate) by: &'static Location<'static>,
}

impl Asked {
    /// Waits for the future, and panics if it waits for too long.
    pub(crate) async fn within<F: Future>(&self, awaited: &str, future: F) -> F::Output {
        match within(future).await {
            Ok(output) => output,
            Err(limit) => panic!("{self}: expected {awaited}, but nothing came for {limit:?}"),
        }
    }

    /// The response, unless the service has failed.
    pub(crate) fn served<R>(&self, response: Result<R, impl Into<BoxError>>) -> R {
        response.unwrap_or_else(|error| panic!("{self}: the service failed: {}", error.into()))
    }
}

impl Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { method, target, by } = self;
        write!(f, "{method} {target} (at {by})")
    }
}
