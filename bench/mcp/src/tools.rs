//! The tools of row 8: the same, with a counter in the handler and with one in the session.
#![expect(
    clippy::unused_self,
    clippy::needless_pass_by_value,
    reason = "a tool is a method that takes its arguments by value"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use rmcp::handler::server::router::tool::ToolRouter;
use rmcp::{ErrorData, ServerHandler, tool, tool_handler, tool_router};
use session_core::{Property, SessionProperties};
use session_rmcp::{McpProps, tool_error};

/// Longer than the timeouts.
const SLOW: Duration = Duration::from_secs(3);

#[derive(Clone)]
pub(crate) struct Local {
    counter: Arc<AtomicI64>,
    router: ToolRouter<Self>,
}

#[tool_router]
impl Local {
    pub(crate) fn new() -> Self {
        Self {
            counter: Arc::default(),
            router: Self::tool_router(),
        }
    }

    pub(crate) fn of_a_session(&self) -> Self {
        Self {
            counter: Arc::default(),
            router: self.router.clone(),
        }
    }

    /// Increments the counter.
    #[tool]
    fn increment(&self) -> String {
        (self.counter.fetch_add(1, Ordering::Relaxed) + 1).to_string()
    }

    /// Takes its time.
    #[tool]
    async fn slow(&self) -> String {
        tokio::time::sleep(SLOW).await;
        "slow but sure".to_owned()
    }
}

#[tool_handler(router = self.router)]
impl ServerHandler for Local {}

#[derive(SessionProperties)]
struct Counting {
    #[property(default)]
    counter: Property<AtomicI64>,
}

#[derive(Clone)]
pub(crate) struct Live {
    router: ToolRouter<Self>,
}

#[tool_router]
impl Live {
    pub(crate) fn new() -> Self {
        Self {
            router: Self::tool_router(),
        }
    }

    /// Increments the counter.
    #[tool]
    fn increment(&self, counting: McpProps<Counting>) -> Result<String, ErrorData> {
        let counter = counting.counter().map_err(tool_error)?;
        Ok((counter.fetch_add(1, Ordering::Relaxed) + 1).to_string())
    }

    /// Takes its time.
    #[tool]
    async fn slow(&self, _counting: McpProps<Counting>) -> String {
        tokio::time::sleep(SLOW).await;
        "slow but sure".to_owned()
    }
}

#[tool_handler(router = self.router)]
impl ServerHandler for Live {}
