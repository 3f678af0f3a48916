//! One handle: a live object of the application that a client names in its calls.

use std::any::TypeId;
use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error as _};
use serde::ser::{Serialize, Serializer};
use session_core::{
    CleanupReport, LocalSession as _, Props, PropsError, RequestGuard, SessionId, SessionProperties,
};

use crate::caller::{Caller, MINTED, NotAHandle, name_of};
use crate::parameters;

/// A live property set that a client names by a text: [`Handles::mint`](crate::Handles::mint) creates it, and a tool takes
/// it as a field of its [`Parameters`](crate::Parameters). It derefs to the set.
///
/// Its text is parsed strictly and looked up at each call, and it is its owner's: see
/// [`LiveSessions::with_owner`](crate::LiveSessions::with_owner). Behind it is a session of its own, which is not idle
/// while the handle is held. When it ends, by [`close`](Self::close), a timeout or a shutdown, a call that passes it is
/// refused with `invalid_params` and a message that tells the model to open a new one.
///
/// ```
/// use rmcp::{ErrorData, Json, ServerHandler, tool, tool_handler, tool_router};
/// use schemars::JsonSchema;
/// use serde::{Deserialize, Serialize};
/// use session_core::{Property, SessionProperties};
/// use session_rmcp::{Handle, Handles, Parameters, tool_error};
/// use std::sync::atomic::{AtomicI64, Ordering};
///
/// #[derive(SessionProperties)]
/// struct Counting {
///     #[property(default)]
///     counter: Property<AtomicI64>,
/// }
///
/// #[derive(Serialize, Deserialize, JsonSchema)]
/// struct Which { counter: Handle<Counting> }
///
/// struct Counters;
///
/// #[tool_router]
/// impl Counters {
///     /// Opens a counter, and returns its handle.
///     #[tool]
///     fn open_counter(&self, handles: Handles) -> Result<Json<Which>, ErrorData> {
///         Ok(Json(Which { counter: handles.mint()? }))
///     }
///
///     /// Increments a counter.
///     #[tool]
///     fn increment(&self, Parameters(which): Parameters<Which>) -> Result<String, ErrorData> {
///         let counter = which.counter.counter().map_err(tool_error)?;
///         Ok((counter.fetch_add(1, Ordering::Relaxed) + 1).to_string())
///     }
///
///     /// Closes a counter.
///     #[tool]
///     async fn close_counter(&self, Parameters(which): Parameters<Which>) -> String {
///         let report = Handle::close(which.counter).await;
///         format!("closed {} values", report.closed())
///     }
/// }
///
/// #[tool_handler]
/// impl ServerHandler for Counters {}
/// ```
pub struct Handle<P> {
    /// Dropped before the guard.
    props: Props<P>,
    guard: RequestGuard,
}

impl<P> Handle<P> {
    pub(crate) fn new(props: Props<P>, guard: RequestGuard) -> Self {
        Self { props, guard }
    }

    /// Returns the text of the handle, for the client. Whoever has it and is its owner can use the object, so keep it out
    /// of logs. It is a function and not a method, so that it hides none of the set's.
    pub fn encode(handle: &Self) -> String {
        handle.guard.session().id().encode()
    }

    /// Returns the request inside the session behind the handle, whose clones may stay there for longer than the call.
    pub fn request(handle: &Self) -> &RequestGuard {
        &handle.guard
    }

    /// Ends the session behind the handle, and waits until it is cleaned up: other calls with the handle end first, or
    /// the drain timeout.
    ///
    /// # Cancel safety
    ///
    /// The session ends when this is first polled, and is cleaned up all the same.
    pub async fn close(handle: Self) -> CleanupReport {
        let session = handle.guard.session().clone();
        drop(handle);
        session.terminate();
        session.cleanup_completed().await
    }
}

impl<P: SessionProperties> Handle<P> {
    /// Enters the object that a handle names, if it is one of the caller's.
    fn open(caller: &Caller, text: &str) -> Result<Self, NotAHandle> {
        let wanted = name_of::<P>();
        let Ok(id) = text.parse::<SessionId>() else {
            return Err(NotAHandle::Malformed(wanted));
        };
        let guard = caller.live.sessions().enter(&id);
        let guard = guard.map_err(|_| NotAHandle::Gone(wanted))?;
        let minted = guard.session().properties().get(&MINTED);
        let minted = minted.filter(|minted| minted.owner == caller.owner);
        let minted = minted.ok_or(NotAHandle::Gone(wanted))?;
        if minted.set != TypeId::of::<P>() {
            return Err(NotAHandle::OfAnother {
                has: minted.name,
                wanted,
            });
        }
        let props = Props::of(guard.session()).map_err(|error| match error {
            PropsError::SessionEnded => NotAHandle::Gone(wanted),
            error => NotAHandle::NoSet(error),
        })?;
        Ok(Self::new(props, guard))
    }
}

impl<P> Deref for Handle<P> {
    type Target = P;

    fn deref(&self) -> &P {
        &self.props
    }
}

impl<P> Clone for Handle<P> {
    fn clone(&self) -> Self {
        Self::new(self.props.clone(), self.guard.clone())
    }
}

impl<P: SessionProperties> fmt::Debug for Handle<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Handle").field(&self.props).finish()
    }
}

impl<P> Serialize for Handle<P> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&Self::encode(self))
    }
}

impl<'de, P: SessionProperties> Deserialize<'de> for Handle<P> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let caller: Option<Caller> = parameters::current_caller();
        let caller = caller.ok_or_else(|| {
            D::Error::custom(
                "a tool that takes a handle takes `session_rmcp::Parameters`, not rmcp's",
            )
        })?;
        Self::open(&caller, &text).map_err(D::Error::custom)
    }
}

impl<P> JsonSchema for Handle<P> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("Handle of {}", name_of::<P>()).into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let length = SessionId::ENCODED_LEN;
        json_schema!({
            "type": "string",
            "pattern": format!("^[A-Za-z0-9_-]{{{length}}}$"),
            "description": format!("the handle of a `{}`, from the tool that opened it", name_of::<P>()),
        })
    }
}
