//! The conversations in the READMEs match the server's answers.

use crate::kit::conversation::converse;
use crate::server::Server;

#[tokio::test]
async fn the_conversation_in_the_root_readme_goes_as_printed() {
    goes_as_printed(include_str!("../../../README.md")).await;
}

#[tokio::test]
async fn the_conversation_in_the_examples_readme_goes_as_printed() {
    goes_as_printed(include_str!("../../README.md")).await;
}

async fn goes_as_printed(readme: &str) {
    let server = Server::start(&[]).await;
    let turns = converse((readme, "```console"), (3000, server.address), &[]).await;
    assert!(turns > 3, "there is a conversation");
    server.stop().await;
}
