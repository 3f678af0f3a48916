//! A client with a cookie, as small as http allows.

use std::fmt::Write as _;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::{HeaderName, HeaderValue};

use crate::server::{PATIENCE, Server};
use crate::tab::Tab;

/// One visitor.
#[derive(Clone)]
pub(crate) struct Client {
    address: String,
    pub(crate) key: String,
    cookie: Option<String>,
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Client {
    pub(crate) fn new(server: &Server) -> Self {
        Self {
            address: server.address.clone(),
            key: server.key.clone(),
            cookie: None,
        }
    }

    /// A client whose shell runs, with its first tab, whose prompt is there.
    pub(crate) async fn with_tab(server: &Server) -> (Self, Tab) {
        let mut client = Self::new(server);
        assert_eq!(client.open((80, 24)).await.status, 201);
        let mut tab = client.attach().await;
        tab.shows(&["$", "#"]).await;
        (client, tab)
    }

    /// Asks for a shell for a tab of this size.
    pub(crate) async fn open(&mut self, size: (u32, u32)) -> Answer {
        let answer = self.post("shell", &json!({ "size": size })).await;
        let name = format!("set-cookie: {}=", self.cookie_name());
        let mut lines = answer.head.lines();
        if let Some(set) = lines.find_map(|line| line.strip_prefix(&name)) {
            self.cookie = set.split(';').next().map(str::to_owned);
        }
        answer
    }

    pub(crate) async fn log_out(&self) {
        assert_eq!(self.post("logout", &Value::Null).await.status, 204);
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        let own = format!("http://{}", self.address);
        self.send("POST", path, &[("origin", &own)], &body.to_string())
            .await
    }

    /// Sends a request with these headers beside the usual ones, or in their place.
    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let mut all = vec![
            ("host", self.address.clone()),
            ("connection", "close".into()),
            ("content-type", "application/json".into()),
            ("content-length", body.len().to_string()),
        ];
        all.extend(self.cookie.as_ref().map(|_| ("cookie", self.cookie())));
        all.retain(|(name, _)| headers.iter().all(|(other, _)| other != name));
        all.extend(
            headers
                .iter()
                .map(|(name, value)| (*name, (*value).to_owned())),
        );
        let mut request = format!("{method} /{}/{path} HTTP/1.1\r\n", self.key);
        for (name, value) in all {
            let _infallible = write!(request, "{name}: {value}\r\n");
        }
        request = request + "\r\n" + body;
        let exchange = async {
            let mut stream = TcpStream::connect(&self.address).await?;
            stream.write_all(request.as_bytes()).await?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await?;
            std::io::Result::Ok(answer)
        };
        let answer = timeout(PATIENCE, exchange).await.expect("in time");
        let answer = answer.expect("the server answers");
        let (head, body) = answer.split_once("\r\n\r\n").expect("it has a head");
        let status = head
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok());
        Answer {
            status: status.expect("it has a status"),
            head: head.to_owned(),
            body: body.to_owned(),
        }
    }

    /// Opens a tab on the shell.
    pub(crate) async fn attach(&self) -> Tab {
        let url = format!("ws://{}/{}/socket", self.address, self.key);
        let mut request = url.into_client_request().expect("it is a URL");
        let mut header = |name, value: String| {
            let value = HeaderValue::from_str(&value).expect("it is text");
            request
                .headers_mut()
                .insert(HeaderName::from_static(name), value);
        };
        header("cookie", self.cookie());
        header("origin", format!("http://{}", self.address));
        let stream = TcpStream::connect(&self.address).await.expect("it listens");
        let (socket, _) = client_async(request, stream).await.expect("it accepts");
        Tab::new(socket)
    }

    fn cookie(&self) -> String {
        let id = self.cookie.as_deref().unwrap_or_default();
        format!("{}={id}", self.cookie_name())
    }

    /// The cookie's name, which no other server on this machine uses.
    fn cookie_name(&self) -> String {
        let (_, port) = self.address.rsplit_once(':').expect("it has a port");
        format!("terminal-{port}")
    }
}
