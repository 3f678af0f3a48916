//! Arguments of tools and prompts: the session that they are called in, and its property sets.

use std::fmt;
use std::ops::Deref;

use rmcp::ErrorData;
use rmcp::handler::server::common::{AsRequestContext, FromContextPart};
use session_core::{Props, PropsError, RequestGuard, Session, SessionProperties};

use crate::alarm::Alarm;
use crate::caller::Caller;
use crate::transport::Inside;

/// The MCP session of a call, as an argument of a tool or prompt. It derefs to the [`Session`].
///
/// It is inside the session as long as it is held: the session is not idle then, and its cleanup waits. A call that has no
/// session, because its client speaks protocol 2026-07-28, is refused with `invalid_request`.
///
/// rmcp runs a tool on a task that only rmcp could abort, so cleanup can't: a tool that takes long ends by itself when
/// [`completion_token`](session_core::LocalSession::completion_token) is cancelled, or runs its work on
/// [`spawn`](session_core::LocalSession::spawn), which is aborted. After the drain timeout the session is closed without
/// it, and its client gets an error. The [token of the context] is no help here: rmcp cancels it when the *client*
/// cancels the call, and at the end of the transport.
///
/// [token of the context]: rmcp::service::RequestContext
#[derive(Clone)]
pub struct McpSession {
    guard: RequestGuard,
    _alarm: Alarm,
}

impl McpSession {
    /// Returns the request inside the session, whose clones may stay there for longer than the call. It is a function and
    /// not a method, like that of [`Arc`](std::sync::Arc), so that it hides none of the session's.
    pub fn request(session: &Self) -> &RequestGuard {
        &session.guard
    }
}

impl Deref for McpSession {
    type Target = Session;

    fn deref(&self) -> &Session {
        self.guard.session()
    }
}

impl fmt::Debug for McpSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("McpSession").field(&self.guard).finish()
    }
}

impl<C: AsRequestContext> FromContextPart<C> for McpSession {
    fn from_context_part(context: &mut C) -> Result<Self, ErrorData> {
        let inside = context.as_request_context().extensions.get::<Inside>();
        let Inside { guard, alarm } = inside.ok_or_else(|| no_session(context))?;
        Ok(Self {
            guard: guard.clone(),
            _alarm: alarm.of_this_task(),
        })
    }
}

/// The error of a call outside a session: its client's protocol has none, or the server is not served as it should be.
fn no_session(context: &impl AsRequestContext) -> ErrorData {
    if Caller::of(context).is_ok() {
        let message = "this needs an MCP session, which protocol 2026-07-28 does not have: use a tool that takes a handle";
        ErrorData::invalid_request(message, None)
    } else {
        let message = "sessions need an HTTP service made with `LiveSessions::service`, and a client whose protocol has them";
        ErrorData::internal_error(message, None)
    }
}

/// A property set of the call's MCP session, as an argument of a tool or prompt. It derefs to the set.
///
/// It is inside the session as long as it is held, as [`McpSession`] is, so what it lends stays for the whole call.
///
/// ```
/// use rmcp::{ErrorData, ServerHandler, tool, tool_handler, tool_router};
/// use session_core::{Property, SessionProperties};
/// use session_rmcp::{McpProps, tool_error};
/// use std::sync::atomic::{AtomicI64, Ordering};
///
/// #[derive(SessionProperties)]
/// struct Counting {
///     #[property(default)]
///     counter: Property<AtomicI64>,
/// }
///
/// struct Counter;
///
/// #[tool_router]
/// impl Counter {
///     /// Increments the session's counter.
///     #[tool]
///     fn increment(&self, counting: McpProps<Counting>) -> Result<String, ErrorData> {
///         let counter = counting.counter().map_err(tool_error)?;
///         Ok((counter.fetch_add(1, Ordering::Relaxed) + 1).to_string())
///     }
/// }
///
/// #[tool_handler]
/// impl ServerHandler for Counter {}
/// ```
pub struct McpProps<P: SessionProperties> {
    /// Dropped before the guard.
    props: Props<P>,
    session: McpSession,
}

impl<P: SessionProperties> McpProps<P> {
    /// Returns the session of the call.
    pub fn session(props: &Self) -> &McpSession {
        &props.session
    }
}

impl<P: SessionProperties> Deref for McpProps<P> {
    type Target = P;

    fn deref(&self) -> &P {
        &self.props
    }
}

impl<P: SessionProperties> Clone for McpProps<P> {
    fn clone(&self) -> Self {
        Self {
            props: self.props.clone(),
            session: self.session.clone(),
        }
    }
}

impl<P: SessionProperties> fmt::Debug for McpProps<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.props, f)
    }
}

impl<C: AsRequestContext, P: SessionProperties> FromContextPart<C> for McpProps<P> {
    fn from_context_part(context: &mut C) -> Result<Self, ErrorData> {
        let session = McpSession::from_context_part(context)?;
        let props = Props::of(&session).map_err(no_set)?;
        Ok(Self { props, session })
    }
}

/// The error of a call whose property set is not available.
pub(crate) fn no_set(error: PropsError) -> ErrorData {
    match error {
        PropsError::SessionEnded => ErrorData::invalid_request(error.to_string(), None),
        _ => ErrorData::internal_error(error.to_string(), None),
    }
}
