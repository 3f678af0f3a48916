//! The server on a socket, and rmcp's own client.

use std::collections::HashMap;
use std::net::SocketAddr;

use http::{HeaderName, HeaderValue};
use rmcp::model::{CallToolRequestParams, CallToolResult, ClientConfig, ProtocolVersion};
use rmcp::service::{ClientLifecycleMode, RunningService, ServiceError};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use rmcp::transport::streamable_http_server::StreamableHttpServerConfig;
use rmcp::{ClientServiceExt as _, RoleClient};
use serde_json::Value;
use session_rmcp::{LiveService, LiveSessions};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::app::{App, Server};

pub(crate) type Client = RunningService<RoleClient, ClientConfig>;

/// The owner of a request, by a header that anybody can set.
pub(crate) fn by_header(live: LiveSessions) -> LiveSessions {
    live.with_owner(|head| Some(head.headers.get("x-user")?.to_str().ok()?.into()))
}

/// The service without keep-alives in its streams: they are timed by the real clock, which a paused one overtakes.
pub(crate) fn service(app: &App, live: LiveSessions) -> LiveService<Server> {
    let mut config = StreamableHttpServerConfig::default();
    config.sse_keep_alive = None;
    serve(app, live, config)
}

fn serve(app: &App, live: LiveSessions, config: StreamableHttpServerConfig) -> LiveService<Server> {
    let server = Server::new(app);
    live.service(move || Ok(server.clone()), config)
}

pub(crate) struct Served {
    pub(crate) address: SocketAddr,
    server: JoinHandle<()>,
}

impl Served {
    pub(crate) async fn new(app: &App, live: LiveSessions) -> Self {
        let router = axum::Router::new().nest_service(
            "/mcp",
            serve(app, live, StreamableHttpServerConfig::default()),
        );
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, server }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/mcp", self.address)
    }

    /// A client of the versions with sessions.
    pub(crate) async fn client(&self, user: Option<&'static str>) -> Client {
        self.connect(user, ClientLifecycleMode::Initialize).await
    }

    /// A client of the version without sessions.
    pub(crate) async fn client_without_sessions(&self, user: Option<&'static str>) -> Client {
        let preferred_versions = vec![ProtocolVersion::V_2026_07_28];
        self.connect(user, ClientLifecycleMode::Discover { preferred_versions })
            .await
    }

    async fn connect(&self, user: Option<&'static str>, mode: ClientLifecycleMode) -> Client {
        let user = user.map(|user| {
            (
                HeaderName::from_static("x-user"),
                HeaderValue::from_static(user),
            )
        });
        connect(self.url(), HashMap::from_iter(user), mode).await
    }
}

/// A client of the versions with sessions, on a runtime of its own.
pub(crate) async fn connect_to(url: &str) -> Client {
    connect(
        url.to_owned(),
        HashMap::new(),
        ClientLifecycleMode::Initialize,
    )
    .await
}

async fn connect(
    url: String,
    headers: HashMap<HeaderName, HeaderValue>,
    mode: ClientLifecycleMode,
) -> Client {
    let config = StreamableHttpClientTransportConfig::with_uri(url).custom_headers(headers);
    let transport = StreamableHttpClientTransport::from_config(config);
    ClientConfig::default()
        .serve_with_lifecycle(transport, mode)
        .await
        .unwrap()
}

impl Drop for Served {
    fn drop(&mut self) {
        self.server.abort();
    }
}

pub(crate) async fn call(client: &Client, tool: &'static str) -> Result<String, ServiceError> {
    call_with(client, tool, &serde_json::json!({})).await
}

/// Calls a tool. Returns the text of its result.
pub(crate) async fn call_with(
    client: &Client,
    tool: &'static str,
    arguments: &Value,
) -> Result<String, ServiceError> {
    let arguments = arguments.as_object().unwrap().clone();
    let params = CallToolRequestParams::new(tool).with_arguments(arguments);
    let result: CallToolResult = client.call_tool(params).await?;
    let text = result.content.first().and_then(|content| content.as_text());
    Ok(text.expect("the tools return text").text.clone())
}
