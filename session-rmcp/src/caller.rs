//! The client of a call, for whom handles are looked up.

use std::any::{TypeId, type_name};
use std::fmt;
use std::sync::Arc;

use http::request::Parts;
use rmcp::ErrorData;
use rmcp::handler::server::common::AsRequestContext;
use session_core::{GroupId, PropertyKey, PropsError, SessionId, SessionProperties};

use crate::live::LiveSessions;

/// In the extensions of the request's head, which rmcp passes on to tools.
#[derive(Clone)]
pub(crate) struct Caller {
    pub(crate) live: Arc<LiveSessions>,
    pub(crate) owner: Option<GroupId>,
}

pub(crate) const MINTED: PropertyKey<Minted> = PropertyKey::new("mcp handle");

/// The property that makes a session one that a handle names.
pub(crate) struct Minted {
    pub(crate) set: TypeId,
    pub(crate) name: &'static str,
    pub(crate) owner: Option<GroupId>,
}

impl Minted {
    pub(crate) fn of<P: SessionProperties>(owner: Option<GroupId>) -> Self {
        Self {
            set: TypeId::of::<P>(),
            name: name_of::<P>(),
            owner,
        }
    }
}

/// A text is not the handle of a live object of this caller.
#[derive(Debug)]
pub(crate) enum NotAHandle {
    Malformed(&'static str),
    Gone(&'static str),
    OfAnother {
        has: &'static str,
        wanted: &'static str,
    },
    NoSet(PropsError),
}

impl Caller {
    pub(crate) fn new(live: Arc<LiveSessions>, owner: Option<GroupId>) -> Self {
        Self { live, owner }
    }

    pub(crate) fn of(context: &impl AsRequestContext) -> Result<Self, ErrorData> {
        let extensions = &context.as_request_context().extensions;
        let head = extensions.get::<Parts>();
        let caller = head.and_then(|head| head.extensions.get::<Self>());
        caller.cloned().ok_or_else(|| {
            let message = "handles need an HTTP service made with `LiveSessions::service`";
            ErrorData::internal_error(message, None)
        })
    }
}

impl fmt::Display for NotAHandle {
    /// For a model to read: it says what to do. It does not repeat the text, which may be somebody's handle.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(wanted) => write!(
                f,
                "not a handle: pass the {} characters that the tool which opened the `{wanted}` returned, unchanged",
                SessionId::ENCODED_LEN
            ),
            Self::Gone(wanted) => write!(
                f,
                "no `{wanted}` has this handle: it was closed or has timed out; open a new one, and use its handle"
            ),
            Self::OfAnother { has, wanted } => {
                write!(
                    f,
                    "this is the handle of a `{has}`, and a `{wanted}` is needed"
                )
            }
            Self::NoSet(error) => error.fmt(f),
        }
    }
}

/// Returns the last segment of the type's name.
pub(crate) fn name_of<P>() -> &'static str {
    let name = type_name::<P>();
    let name = name.split('<').next().unwrap_or(name);
    name.rsplit("::").next().unwrap_or(name)
}
