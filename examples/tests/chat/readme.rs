//! The conversation in the README matches the server's answers.

use crate::kit::conversation::converse;
use crate::program::{password, start};

#[tokio::test]
async fn the_conversation_in_the_readme_goes_as_printed() {
    let program = start(&[]).await;
    let readme = (include_str!("../../README.md"), "```console chat");
    let passwords = [
        ("ANN", password(&program, "ann")),
        ("BOB", password(&program, "bob")),
    ];
    let turns = converse(readme, (3000, program.address()), &passwords).await;
    assert!(turns > 8, "there is a conversation");
    program.stop().await;
}
