//! An extractor also takes a set.

use axum::Router;
use axum::routing::get;
use session_axum::Props;

struct Desk;

async fn show(desk: Props<Desk>) {}

fn app() -> Router {
    Router::new().route("/", get(show))
}

fn main() {}
