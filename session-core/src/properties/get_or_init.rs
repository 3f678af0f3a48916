//! The part of a creation that names the type of the value. It is compiled once per property, so it is thin: the
//! work is done in `turn`, without the type.

use crate::error::{BoxError, PropertyError};
use crate::life::owner::OwnerRef;
use crate::properties::turn::{Made, Making, Turn, held_or_init, held_or_init_async};
use crate::store::key::Place;
use crate::values::close::Hook;
use crate::values::value::Held;

/// Gets a property, or creates it on this thread.
pub(crate) fn get_or_init<T: Send + Sync + 'static>(
    owner: OwnerRef<'_>,
    place: &Place,
    make: impl FnOnce() -> Result<T, BoxError>,
    hook: impl FnOnce() -> Option<Hook<T>>,
) -> Result<Option<Held>, PropertyError> {
    let mut parts = Some((make, hook));
    let mut make = |turn: &Turn| match parts.take() {
        Some((make, hook)) => Ok(turn.hold(make()?, hook())),
        None => unreachable!("a turn is taken once"),
    };
    held_or_init(owner, place, &mut make)
}

/// Gets a property, or creates it on a task of the session.
pub(crate) async fn get_or_init_async<T, Fut>(
    owner: OwnerRef<'_>,
    place: &Place,
    make: impl FnOnce() -> Fut + Send + 'static,
    hook: impl FnOnce() -> Option<Hook<T>> + Send + 'static,
) -> Result<Option<Held>, PropertyError>
where
    T: Send + Sync + 'static,
    Fut: Future<Output = Result<T, BoxError>> + Send + 'static,
{
    let mut parts = Some((make, hook));
    let mut start = || -> Making {
        let Some((make, hook)) = parts.take() else {
            unreachable!("a turn is taken once");
        };
        Box::pin(async move {
            let value = make().await?;
            let made: Made = Box::new(move |turn: &Turn| turn.hold(value, hook()));
            Ok(made)
        })
    };
    held_or_init_async(owner, place, &mut start).await
}
