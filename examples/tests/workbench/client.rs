//! A client with a cookie, as small as http allows.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use serde_json::{Value, json};

use crate::server::{PATIENCE, Server};

/// A query that never ends by itself.
pub(crate) const ENDLESS: &str = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n WHERE i % 1000 = 0";

/// One visitor.
#[derive(Clone)]
pub(crate) struct Client {
    address: SocketAddr,
    pub(crate) host: String,
    pub(crate) cookie: Option<String>,
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Value,
}

impl Client {
    pub(crate) fn new(server: &Server) -> Self {
        Self {
            address: server.address,
            host: server.address.to_string(),
            cookie: None,
        }
    }

    pub(crate) fn get(&mut self, path: &str) -> Answer {
        self.send("GET", path, "")
    }

    pub(crate) fn post(&mut self, path: &str, body: &Value) -> Answer {
        self.send("POST", path, &body.to_string())
    }

    /// Runs valid SQL, and returns the rows of the first page.
    pub(crate) fn rows(&mut self, sql: &str) -> Value {
        let answer = self.post("/api/query", &json!({ "sql": sql }));
        assert_eq!(answer.status, 200, "{sql}: {}", answer.body);
        answer.body["rows"].clone()
    }

    /// Starts SQL in the background, and returns its runner's path once its first row is there.
    pub(crate) fn background(&mut self, sql: &str) -> String {
        let answer = self.post("/api/query", &json!({ "sql": sql, "background": true }));
        assert_eq!(answer.status, 202, "{sql}: {}", answer.body);
        let path = format!("/api/runners/{}", answer.body["id"]);
        assert_eq!(self.get(&path).status, 200);
        path
    }

    pub(crate) fn state(&mut self) -> Value {
        let answer = self.get("/api/state");
        assert_eq!(answer.status, 200);
        answer.body
    }

    pub(crate) fn log_out(&mut self) {
        let answer = self.post("/api/logout", &json!({}));
        assert_eq!(answer.status, 204);
    }

    fn send(&mut self, method: &str, path: &str, body: &str) -> Answer {
        let answer = read(self.open(method, path, body));
        let set_cookie = format!("set-cookie: {}=", self.cookie_name());
        let set = answer
            .head
            .lines()
            .find_map(|line| line.strip_prefix(&*set_cookie));
        if let Some(set) = set {
            let id = set.split(';').next().expect("a cookie has a value");
            self.cookie = (!id.is_empty()).then(|| id.to_owned());
        }
        answer
    }

    /// The cookie's name, which no other server on this machine uses.
    fn cookie_name(&self) -> String {
        format!("workbench-{}", self.address.port())
    }

    /// Sends the request, without reading the answer.
    pub(crate) fn open(&self, method: &str, path: &str, body: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).expect("the server listens");
        stream
            .set_read_timeout(Some(PATIENCE))
            .expect("it is more than zero");
        let cookie = self
            .cookie
            .as_ref()
            .map(|id| format!("cookie: {}={id}\r\n", self.cookie_name()))
            .unwrap_or_default();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n{cookie}\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            self.host,
            body.len()
        )
        .expect("the server reads");
        stream
    }
}

/// Reads an answer to its end.
pub(crate) fn read(mut stream: TcpStream) -> Answer {
    let mut answer = String::new();
    stream
        .read_to_string(&mut answer)
        .expect("the server answers in time");
    let (head, body) = answer.split_once("\r\n\r\n").expect("an answer has a head");
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok())
        .expect("a head has a status");
    let body = serde_json::from_str(body).unwrap_or_else(|_| body.into());
    Answer {
        status,
        head: head.to_owned(),
        body,
    }
}
