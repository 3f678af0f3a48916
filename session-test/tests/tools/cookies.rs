//! Cookies are kept and sent as a browser does.

use axum::Router;
use axum::extract::RawQuery;
use axum::http::HeaderMap;
use axum::response::{AppendHeaders, IntoResponse};
use axum::routing::get;
use session_test::Browser;

/// Returns the cookies that came, and sets those of the query, which separates them by `&`.
async fn jar(RawQuery(query): RawQuery, headers: HeaderMap) -> impl IntoResponse {
    let query = query.unwrap_or_default().replace("%20", " ");
    let set: Vec<_> = query
        .split('&')
        .filter(|cookie| !cookie.is_empty())
        .map(|cookie| ("set-cookie", cookie.to_owned()))
        .collect();
    let came = headers.get_all("cookie").iter();
    let came: Vec<_> = came.map(|value| value.to_str().unwrap()).collect();
    (AppendHeaders(set), came.join(" | "))
}

fn browser() -> Browser {
    Browser::new(
        Router::new()
            .route("/", get(jar))
            .route("/{*path}", get(jar)),
    )
}

async fn came(browser: &Browser, path: &str) -> String {
    browser.get(path).await.assert_status(200).text().to_owned()
}

async fn set(browser: &Browser, path: &str, cookie: &str) {
    let cookie = cookie.replace(' ', "%20");
    browser
        .get(&format!("{path}?{cookie}"))
        .await
        .assert_status(200);
}

#[tokio::test]
async fn a_cookie_comes_back_until_it_is_replaced_or_removed() {
    let ann = browser();
    assert_eq!(came(&ann, "/").await, "");
    set(&ann, "/", "id=1").await;
    assert_eq!(came(&ann, "/").await, "id=1");
    set(&ann, "/", "id=2; HttpOnly; SameSite=Lax; Secure").await;
    assert_eq!(came(&ann, "/elsewhere").await, "id=2");
    assert_eq!(ann.cookie("id").as_deref(), Some("2"));
    set(&ann, "/", "id=; Max-Age=0").await;
    assert_eq!(came(&ann, "/").await, "");
    assert_eq!(ann.cookie("id"), None);
    // It can come back.
    set(&ann, "/", "id=3").await;
    assert_eq!(came(&ann, "/").await, "id=3");
}

#[tokio::test]
async fn a_cookie_that_has_expired_is_not_sent() {
    let ann = browser();
    let year = 365 * 24 * 3600;
    for (cookie, expected) in [
        ("id=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT", ""),
        ("id=1; Max-Age=-1", ""),
        ("id=1; Expires=Fri, 31 Dec 9999 23:59:59 GMT", "id=1"),
        (
            &*format!("id=2; Max-Age={year}; Expires=Thu, 01 Jan 1970 00:00:00 GMT"),
            "id=2",
        ),
        ("id=3; Max-Age=0; Expires=Fri, 31 Dec 9999 23:59:59 GMT", ""),
    ] {
        set(&ann, "/", cookie).await;
        assert_eq!(came(&ann, "/").await, expected, "{cookie}");
    }
}

#[tokio::test(start_paused = true)]
async fn paused_time_is_not_the_cookies_time() {
    let ann = browser();
    set(&ann, "/", "id=1; Max-Age=60").await;
    tokio::time::sleep(std::time::Duration::from_secs(3600)).await;
    assert_eq!(came(&ann, "/").await, "id=1");
}

#[tokio::test]
async fn a_cookie_is_sent_to_the_paths_below_its_own_and_the_longest_comes_first() {
    let ann = browser();
    set(&ann, "/a/b", "default=1").await;
    set(&ann, "/", "root=1").await;
    set(&ann, "/", "id=root; Path=/").await;
    set(&ann, "/", "id=a; Path=/a").await;
    set(&ann, "/", "id=deep; Path=/a/b/c").await;
    assert_eq!(came(&ann, "/").await, "root=1; id=root");
    assert_eq!(came(&ann, "/ab").await, "root=1; id=root");
    assert_eq!(came(&ann, "/a").await, "default=1; id=a; root=1; id=root");
    assert_eq!(
        came(&ann, "/a/b/c/d").await,
        "id=deep; default=1; id=a; root=1; id=root"
    );
    // It is removed by its path.
    set(&ann, "/a/x", "id=; Path=/; Max-Age=0").await;
    assert_eq!(came(&ann, "/a").await, "default=1; id=a; root=1");
}

#[tokio::test]
async fn cookies_that_a_browser_refuses_are_not_kept() {
    let ann = browser();
    for refused in [
        "__Host-id=1",
        "__Host-id=1; Path=/",
        "__Host-id=1; Secure",
        "__Host-id=1; Secure; Path=/a",
        "__Host-id=1; Secure; Path=/; Domain=localhost",
        "__host-id=1; Path=/",
        "__Secure-id=1",
        "id=1; Domain=example.com",
    ] {
        set(&ann, "/", refused).await;
        assert_eq!(came(&ann, "/").await, "", "{refused}");
    }
    set(&ann, "/", "__Host-id=1; Secure; Path=/").await;
    set(&ann, "/", "__Secure-id=2; Secure").await;
    assert_eq!(came(&ann, "/").await, "__Host-id=1; __Secure-id=2");
}

#[tokio::test]
async fn tabs_share_cookies_and_browsers_do_not() {
    let ann = browser();
    let tab = ann.tab();
    set(&tab, "/", "id=1").await;
    assert_eq!(came(&ann, "/").await, "id=1");
    set(&ann, "/", "id=; Max-Age=0").await;
    assert_eq!(came(&tab, "/").await, "");
    set(&ann, "/", "id=2").await;
    assert_eq!(came(&browser(), "/").await, "");
}

#[tokio::test]
async fn a_cookie_that_the_test_sends_takes_the_place_of_the_browsers() {
    let ann = browser();
    set(&ann, "/", "id=1").await;
    let planted = ann.get("/").header("cookie", "id=planted").await;
    assert_eq!(planted.text(), "id=planted");
    assert_eq!(came(&ann, "/").await, "id=1");
}

#[tokio::test]
async fn all_of_several_cookies_of_a_response_are_kept_as_soon_as_its_head_is_there() {
    let ann = browser();
    let response = ann.get("/?a=1&b=2").open().await;
    assert_eq!(came(&ann, "/").await, "a=1; b=2");
    drop(response);
}
