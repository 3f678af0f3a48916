//! The MCP server under test: a set whose objects report their ends, and tools that use it in both ways.
#![expect(
    clippy::unused_self,
    clippy::needless_pass_by_value,
    reason = "a tool is a method that takes its arguments by value"
)]

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rmcp::handler::server::router::tool::ToolRouter;
use rmcp::model::{
    InitializeRequestParams, InitializeResult, ProgressNotificationParam, RequestMetaObject,
    ServerCapabilities, ServerConfig,
};
use rmcp::service::RequestContext;
use rmcp::{ErrorData, Json, Peer, RoleServer, ServerHandler, tool, tool_handler, tool_router};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use session_core::{
    Exclusive, InitContext, LocalSession as _, Property, SessionManager, SessionManagerBuilder,
    SessionProperties,
};
use session_rmcp::{Handle, HandleInfo, Handles, McpProps, McpSession, Parameters, tool_error};
use tokio::sync::Semaphore;

/// The state of the manager: what happened, and the gate at which the tool `wait` waits.
#[derive(Clone)]
pub(crate) struct App(Arc<Inner>);

pub(crate) struct Inner {
    log: Mutex<Vec<&'static str>>,
    /// One permit for each call that may go on.
    pub(crate) gate: Semaphore,
    /// One permit for each call that has come to the gate.
    pub(crate) at_the_gate: Semaphore,
}

impl std::ops::Deref for App {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl App {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Inner {
            log: Mutex::default(),
            gate: Semaphore::new(0),
            at_the_gate: Semaphore::new(0),
        }))
    }

    /// A manager with this state, and short times for cleanup.
    pub(crate) fn manager(&self) -> SessionManagerBuilder {
        SessionManager::builder()
            .state(self.clone())
            .drain_timeout(Duration::from_secs(5))
    }

    pub(crate) fn note(&self, event: &'static str) {
        self.log.lock().unwrap().push(event);
    }

    pub(crate) fn log(&self) -> Vec<&'static str> {
        self.log.lock().unwrap().clone()
    }

    /// Waits until a call has come to the gate.
    pub(crate) async fn call_at_the_gate(&self) {
        self.at_the_gate.acquire().await.unwrap().forget();
    }
}

#[derive(SessionProperties)]
#[session(state = App)]
pub(crate) struct Workbench {
    #[property(default)]
    pub(crate) counter: Property<AtomicI64>,

    #[property(init = Connection::open, close = Connection::roll_back)]
    pub(crate) connection: Exclusive<Connection>,

    #[property(init = Job::start, close = Job::stop)]
    pub(crate) job: Property<Job>,
}

#[derive(SessionProperties)]
pub(crate) struct Notebook {
    #[property(default)]
    pub(crate) lines: Property<AtomicI64>,
}

pub(crate) struct Connection(App);

impl Connection {
    fn open(cx: &InitContext<App>) -> Self {
        Self(cx.state().clone())
    }

    fn roll_back(self) {
        self.0.note("connection rolled back");
    }
}

pub(crate) struct Job(App);

impl Job {
    fn start(cx: &InitContext<App>) -> Self {
        Self(cx.state().clone())
    }

    fn stop(self) {
        self.0.note("job stopped");
    }
}

#[derive(Clone)]
pub(crate) struct Server {
    app: App,
    /// Built once: with all the schemas it takes longer than a session.
    router: ToolRouter<Self>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) struct Which {
    bench: Handle<Workbench>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) struct WhichNotebook {
    notebook: Handle<Notebook>,
}

impl Server {
    pub(crate) fn new(app: &App) -> Self {
        Self {
            app: app.clone(),
            router: Self::tool_router(),
        }
    }
}

fn next(bench: &Workbench) -> Result<String, ErrorData> {
    let counter = bench.counter().map_err(tool_error)?;
    Ok((counter.fetch_add(1, Ordering::Relaxed) + 1).to_string())
}

#[tool_router]
impl Server {
    /// Counts the session's calls of this tool.
    #[tool]
    fn count(&self, bench: McpProps<Workbench>) -> Result<String, ErrorData> {
        next(&bench)
    }

    /// Opens the session's connection, and starts its job.
    #[tool]
    async fn work(&self, bench: McpProps<Workbench>) -> Result<String, ErrorData> {
        drop(bench.connection().await.map_err(tool_error)?);
        bench.job().map_err(tool_error)?;
        Ok("working".to_owned())
    }

    /// Waits at the gate, with the session's connection in hand.
    #[tool]
    async fn wait(&self, bench: McpProps<Workbench>) -> Result<String, ErrorData> {
        let _connection = bench.connection().await.map_err(tool_error)?;
        self.app.at_the_gate.add_permits(1);
        self.app.gate.acquire().await.unwrap().forget();
        self.app.note("call ended");
        Ok("waited".to_owned())
    }

    /// Waits at the gate, with nothing of the session in hand.
    #[tool]
    async fn wait_outside(&self) -> String {
        self.app.at_the_gate.add_permits(1);
        self.app.gate.acquire().await.unwrap().forget();
        "waited".to_owned()
    }

    /// Panics, with the session's connection in hand.
    #[tool]
    async fn panic(&self, bench: McpProps<Workbench>) -> Result<String, ErrorData> {
        let _connection = bench.connection().await.map_err(tool_error)?;
        panic!("a tool panics")
    }

    /// Panics, and is no future.
    #[tool]
    fn panic_at_once(&self) -> String {
        panic!("a tool panics")
    }

    /// Waits until the session ends.
    #[tool]
    async fn until_the_end(&self, session: McpSession) -> String {
        self.app.at_the_gate.add_permits(1);
        session.completion_token().cancelled().await;
        "seen".to_owned()
    }

    /// Reports a hundred steps, each when the one before has been sent.
    #[tool]
    async fn report(
        &self,
        peer: Peer<RoleServer>,
        meta: RequestMetaObject,
    ) -> Result<String, ErrorData> {
        let token = meta
            .get_progress_token()
            .expect("the client has asked for progress");
        for step in 1..=100 {
            let progress = ProgressNotificationParam::new(token.clone(), f64::from(step));
            peer.notify_progress(progress).await.map_err(tool_error)?;
        }
        self.app.note("reported");
        Ok("reported".to_owned())
    }

    /// Opens a workbench.
    #[tool]
    fn open(&self, handles: Handles) -> Result<Json<Which>, ErrorData> {
        Ok(Json(Which {
            bench: handles.mint()?,
        }))
    }

    /// Opens a notebook.
    #[tool]
    fn open_notebook(&self, handles: Handles) -> Result<Json<WhichNotebook>, ErrorData> {
        Ok(Json(WhichNotebook {
            notebook: handles.mint()?,
        }))
    }

    /// Counts the calls with a workbench.
    #[tool]
    fn count_on(&self, Parameters(which): Parameters<Which>) -> Result<String, ErrorData> {
        next(&which.bench)
    }

    /// Opens a workbench's connection, and starts its job.
    #[tool]
    async fn work_on(&self, Parameters(which): Parameters<Which>) -> Result<String, ErrorData> {
        drop(which.bench.connection().await.map_err(tool_error)?);
        which.bench.job().map_err(tool_error)?;
        Ok("working".to_owned())
    }

    /// Waits at the gate, with a workbench in hand.
    #[tool]
    async fn wait_on(&self, Parameters(which): Parameters<Which>) -> Result<String, ErrorData> {
        self.app.at_the_gate.add_permits(1);
        self.app.gate.acquire().await.unwrap().forget();
        next(&which.bench)
    }

    /// Lists the open handles.
    #[tool]
    fn list(&self, handles: Handles) -> Json<Vec<HandleInfo>> {
        Json(handles.list())
    }

    /// Closes a workbench.
    #[tool]
    async fn close(&self, Parameters(which): Parameters<Which>) -> String {
        let report = Handle::close(which.bench).await;
        format!("clean: {}", report.is_clean())
    }
}

#[tool_handler(router = self.router)]
impl ServerHandler for Server {
    /// Never ends for a client of the name `stuck`.
    async fn initialize(
        &self,
        request: InitializeRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<InitializeResult, ErrorData> {
        if request.client_info.name == "stuck" {
            std::future::pending::<()>().await;
        }
        context.peer.set_peer_info(request.clone());
        self.negotiate_initialize(&request)
    }

    fn get_info(&self) -> ServerConfig {
        #[expect(deprecated, reason = "sessions tell their end by a log message")]
        let capabilities = ServerCapabilities::builder()
            .enable_tools()
            .enable_logging()
            .build();
        ServerConfig::new(capabilities)
    }
}
