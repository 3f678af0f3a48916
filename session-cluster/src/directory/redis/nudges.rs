//! The channel on which a node hears that the log has grown.

use std::time::Duration;

use futures_util::{Stream, StreamExt as _, stream};
use redis::aio::{PubSubSink, PubSubStream};
use redis::{Client, RedisResult};
use tokio::time::{sleep, timeout};

/// The time without a message after which the connection is tried.
const QUIET: Duration = Duration::from_secs(15);
/// The time that the server has for an answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// The time between attempts to connect.
const PAUSE: Duration = Duration::from_secs(1);

/// Yields for each message, and for each new subscription, since messages before it may have been missed.
pub(super) fn nudges(client: Client, channel: String) -> impl Stream<Item = ()> + Send + 'static {
    stream::unfold(
        (client, channel, None),
        async |(client, channel, subscription)| {
            if let Some((mut sink, mut messages)) = subscription
                && next(&mut sink, &mut messages).await
            {
                return Some(((), (client, channel, Some((sink, messages)))));
            }
            loop {
                let subscribed = timeout(PATIENCE, subscribe(&client, &channel)).await;
                if let Ok(Ok(subscription)) = subscribed {
                    return Some(((), (client, channel, Some(subscription))));
                }
                sleep(PAUSE).await;
            }
        },
    )
}

/// Waits for a message. Returns whether there is one: otherwise the connection is lost.
async fn next(sink: &mut PubSubSink, messages: &mut PubSubStream) -> bool {
    loop {
        match timeout(QUIET, messages.next()).await {
            Ok(message) => return message.is_some(),
            Err(_) => match timeout(PATIENCE, sink.ping::<()>()).await {
                Ok(Ok(())) => {}
                _ => return false,
            },
        }
    }
}

async fn subscribe(client: &Client, channel: &str) -> RedisResult<(PubSubSink, PubSubStream)> {
    let (mut sink, messages) = client.get_async_pubsub().await?.split();
    sink.subscribe(channel).await?;
    Ok((sink, messages))
}
