use std::hint::black_box;
use std::ops::ControlFlow;

use ::cookie::{Cookie, CookieJar};
use axum::http::header::{ACCEPT, ACCEPT_LANGUAGE, COOKIE, HOST, REFERER, USER_AGENT};
use axum::http::{HeaderValue, Request};
use session_axum::{CookieTransport, RequestHead, SessionTransport};
use session_core::{SessionId, SessionManager};
use tower_sessions::session::Id;

use crate::harness::Bench;
use crate::report::{Verdict, ns, print_cases, times};

/// Requests, each with a different id.
const REQUESTS: usize = 1_000;
const ROUNDS: usize = 5;
const READS: usize = ROUNDS * REQUESTS;

/// The most of a jar's time that reading without one may take.
const MOST_OF_A_JAR: f64 = 1.0 / 3.0;

/// Measures the row.
pub fn run() -> Vec<Verdict> {
    let sessions = SessionManager::builder()
        .build()
        .expect("a runtime is entered");
    let transport = CookieTransport::new("id");
    let heads = |others: &str| -> Vec<Request<()>> {
        let ids = (0..REQUESTS).map(|_| sessions.create().expect("there is room").id());
        ids.map(|id| head(&format!("{others}id={}", id.encode())))
            .collect()
    };
    let ours_only = heads("");
    // Our cookie comes last, so that a lazy scan has to pass all the others.
    let five = heads(
        "theme=dark; _ga=GA1.1.1234567890.1700000000; lang=en-GB; csrf=8f14e45fceea167a5a36dedd4bea2543; ",
    );

    let transport = &transport;
    let mut bench = Bench::default();
    let mut places = Vec::new();
    for (what, heads) in [("only our cookie", &ours_only), ("five cookies", &five)] {
        let ours = bench.case(format!("`CookieTransport`, {what}"), READS, move || {
            for _ in 0..ROUNDS {
                for head in heads {
                    black_box(scan(transport, head).expect("there is an id"));
                }
            }
        });
        let jar = format!("`CookieJar` and tower-sessions `Id`, {what}");
        let jar = bench.case(jar, READS, move || {
            for _ in 0..ROUNDS {
                for head in heads {
                    black_box(through_a_jar(head).expect("there is an id"));
                }
            }
        });
        places.push((what, ours, jar));
    }
    let measured = bench.run();
    print_cases("5. From a cookie header to an id", &measured);

    let verdicts = places.into_iter().map(|(what, ours, jar)| {
        let (ours, jar) = (&measured[ours], &measured[jar]);
        let ratio = ours.over(jar).median();
        Verdict {
            what: format!("cookie header to id, {what}; through a jar"),
            measured: ns(ours.median()),
            base: ns(jar.median()),
            ratio: times(ratio),
            budget: times(MOST_OF_A_JAR),
            ok: ratio <= MOST_OF_A_JAR,
        }
    });
    verdicts.collect()
}

fn scan(transport: &CookieTransport, head: &Request<()>) -> Option<SessionId> {
    let mut found = None;
    let _ = transport.read(RequestHead::from(head), &mut |id, _| {
        found = Some(id);
        ControlFlow::Break(())
    });
    found
}

/// Fills a jar as tower-cookies does, on which tower-sessions builds.
fn through_a_jar(head: &Request<()>) -> Option<Id> {
    let mut jar = CookieJar::new();
    for header in head.headers().get_all(COOKIE) {
        for pair in header.to_str().ok()?.split(';') {
            if let Ok(cookie) = Cookie::parse_encoded(pair.to_owned()) {
                jar.add_original(cookie);
            }
        }
    }
    jar.get("id")?.value().parse().ok()
}

/// The head of a browser's request.
fn head(cookies: &str) -> Request<()> {
    let mut head = Request::new(());
    for (name, value) in [
        (HOST, "example.org"),
        (
            USER_AGENT,
            "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
        ),
        (
            ACCEPT,
            "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
        ),
        (ACCEPT_LANGUAGE, "en-GB,en;q=0.5"),
        (REFERER, "https://example.org/"),
        (COOKIE, cookies),
    ] {
        let value = HeaderValue::from_str(value).expect("it is plain text");
        head.headers_mut().insert(name, value);
    }
    head
}
