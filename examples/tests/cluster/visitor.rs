//! A client with a cookie, as small as http allows.

use std::io::Write;
use std::net::{SocketAddr, TcpStream};

use serde_json::{Value, json};

use crate::program::{Cluster, PATIENCE, read_all};

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Value,
}

/// One visitor. Each request has a connection of its own, so the front passes it to the next node.
pub(crate) struct Visitor {
    pub(crate) door: SocketAddr,
    /// The cookie's name: that of the front, whichever node is asked.
    name: String,
    pub(crate) cookie: Option<String>,
}

impl Visitor {
    pub(crate) fn new(cluster: &Cluster) -> Self {
        Self {
            door: cluster.front,
            name: format!("workbench-{}", cluster.front.port()),
            cookie: None,
        }
    }

    pub(crate) fn send(&mut self, method: &str, path: &str, body: &Value) -> Answer {
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let answer = ask(self.door, method, path, self.cookie.as_deref(), &body);
        let prefix = format!("set-cookie: {}=", self.name);
        let mut lines = answer.head.lines();
        if let Some(set) = lines.find_map(|line| line.strip_prefix(&*prefix)) {
            let id = set.split(';').next().expect("a cookie has a value");
            self.cookie = (!id.is_empty()).then(|| format!("{}={id}", self.name));
        }
        answer
    }

    /// Runs valid SQL, and returns the rows of the first page.
    pub(crate) fn rows(&mut self, sql: &str) -> Value {
        let answer = self.send("POST", "/api/query", &json!({ "sql": sql }));
        assert_eq!(answer.status, 200, "{sql}: {}", answer.body);
        answer.body["rows"].clone()
    }

    /// The number of the node that has the session, by the status page.
    pub(crate) fn node(&self, cluster: &Cluster) -> usize {
        let status = cluster.status(self.cookie.as_deref());
        let you = status["you"].as_str().expect("it is text");
        let number = you.strip_prefix("Your session is on node ");
        let number = number.and_then(|rest| rest[..1].parse().ok());
        number.unwrap_or_else(|| panic!("it has a session, not: {you}"))
    }
}

pub(crate) fn ask(
    address: SocketAddr,
    method: &str,
    path: &str,
    cookie: Option<&str>,
    body: &str,
) -> Answer {
    let mut stream = TcpStream::connect(address).expect("it listens");
    stream
        .set_read_timeout(Some(PATIENCE))
        .expect("it is more than zero");
    let cookie = cookie.map(|cookie| format!("cookie: {cookie}\r\n"));
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n{}\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        cookie.unwrap_or_default(),
        body.len()
    )
    .expect("it reads");
    let answer = read_all(stream);
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    Answer {
        // A node that is killed in the middle says nothing.
        status: status.unwrap_or(0),
        head: head.to_owned(),
        body: serde_json::from_str(body).unwrap_or_else(|_| body.into()),
    }
}
