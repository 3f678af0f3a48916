//! Connections to the server: the idle ones are kept, and one whose call failed or was dropped is not used again.
//!
//! The client's own `ConnectionManager` would keep a connection on which calls time out, and one to a server that has
//! become a replica; and it waits longer after each failed attempt to connect, while requests wait for the answer.

use std::sync::{Mutex, MutexGuard, PoisonError};

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, FromRedisValue, RedisResult, ScriptInvocation};

pub(super) struct Connections {
    client: Client,
    idle: Mutex<Vec<MultiplexedConnection>>,
}

impl Connections {
    pub(super) fn new(client: Client) -> Self {
        let idle = Mutex::default();
        Self { client, idle }
    }

    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// Runs the script. A call that failed on a connection that was idle is repeated on a new one, since the server may
    /// have closed the first long ago: all calls of a directory can be repeated.
    pub(super) async fn invoke<T: FromRedisValue>(
        &self,
        script: &ScriptInvocation<'_>,
    ) -> RedisResult<T> {
        // The guard is gone before the call begins.
        let idle = self.idle().pop();
        if let Some(idle) = idle
            && let Ok(value) = self.invoke_on(idle, script).await
        {
            return Ok(value);
        }
        // The others are as old.
        drop(std::mem::take(&mut *self.idle()));
        // The cluster cancels calls that take too long.
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(None)
            .set_response_timeout(None);
        let client = &self.client;
        let new = client.get_multiplexed_async_connection_with_config(&config);
        self.invoke_on(new.await?, script).await
    }

    async fn invoke_on<T: FromRedisValue>(
        &self,
        mut connection: MultiplexedConnection,
        script: &ScriptInvocation<'_>,
    ) -> RedisResult<T> {
        let value = script.invoke_async(&mut connection).await?;
        self.idle().push(connection);
        Ok(value)
    }

    fn idle(&self) -> MutexGuard<'_, Vec<MultiplexedConnection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
