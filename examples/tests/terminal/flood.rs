//! More than one side can take.

use crate::client::Client;
use crate::kit::process::is_running;
use crate::server::Server;

#[tokio::test]
async fn a_hundred_megabytes_for_a_tab_that_does_not_read_are_not_kept() {
    let server = Server::start(&[]).await;
    let (client, mut tab) = Client::with_tab(&server).await;
    let mut deaf = client.attach().await;
    let before = server.program.peak_memory();
    let line = "x".repeat(1_000);
    let flood = format!("yes {line} | head -c 100000000; echo \"<$((3 * 14))>\"\r");
    tab.types(&flood).await;
    tab.has("<42>").await;
    let grown = server.program.peak_memory() - before;
    assert!(grown < 64 << 10, "{grown} KiB");
    // It comes to the last picture, or is cut off if all that has taken a minute.
    deaf.reads_until("<42>").await;
    server.stop().await;
}

#[tokio::test]
async fn an_upload_of_any_bytes_arrives_whole() {
    let server = Server::start(&[]).await;
    let (_, mut tab) = Client::with_tab(&server).await;
    // Every byte, in every place of a message.
    let upload: Vec<u8> = (0..4_000_000_u32)
        .map(|n| (n % 251 + n / 251).to_le_bytes()[0])
        .collect();
    let file = server.home.path().join("upload");
    std::fs::write(&file, &upload).unwrap();
    tab.types("clear; stty raw -echo; echo rea''dy; head -c 4000000 > got; stty sane; cmp got upload && echo \"<$((3 * 14))>\"\r")
        .await;
    tab.has("ready").await;
    for message in upload.chunks(50_000) {
        tab.sends(message.to_vec()).await;
    }
    tab.has("<42>").await;
    server.stop().await;
}

#[tokio::test]
async fn keys_that_nobody_reads_hold_up_nothing() {
    let server = Server::start(&[]).await;
    let (client, mut tab) = Client::with_tab(&server).await;
    let sleeping = tab
        .numbers("stty raw -echo; trap '' HUP; echo \"<$$>\"; sleep 1000")
        .await;
    let taken = tab.stuffs(&vec![b'x'; 60_000]).await;
    assert!(taken > 64, "{taken}");
    // Another visitor's shell and another tab go on.
    let (_, mut other) = Client::with_tab(&server).await;
    assert_eq!(other.numbers("echo \"<$((3 * 14))>\"").await, [42]);
    client.attach().await.has("<").await;
    client.log_out().await;
    server.logs("session cleaned up", 1).await;
    assert!(!is_running(sleeping[0]));
    server.stop().await;
}
