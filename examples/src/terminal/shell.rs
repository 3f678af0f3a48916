//! A session's shell.

use std::ffi::OsString;
use std::io;
use std::sync::Arc;

use portable_pty::{CommandBuilder, ExitStatus};
use session_core::{Exclusive, InitContext, LocalSession as _, SessionProperties};
use tokio::sync::mpsc;
use tokio::task::{JoinError, JoinHandle, spawn_blocking, yield_now};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::process::Process;
use super::pty::{self, Input, Master, Output};
use super::screen::{Screen, Size};
use super::{BoxError, Terminal};

/// The messages of keys that wait for a program to read. A tab whose message finds no room waits with it.
const WAITING: usize = 64;
/// The most bytes of answers that wait for a program to read. It asks in vain for more.
const ANSWERS: usize = 4 << 10;
/// The most bytes of output that are read when the shell has ended. The kernel holds less.
const LAST_OUTPUT: usize = 1 << 20;

/// The contents of a session.
#[derive(Debug, SessionProperties)]
#[session(state = Terminal)]
pub(super) struct Desk {
    /// The session's shell: started on first use, and ended with everything that it runs when the session ends. It is
    /// lent to requests that attach a tab, and to the one that discards it after its end.
    #[property(try_async_init = Shell::start, close = Shell::close)]
    pub(super) shell: Exclusive<Shell>,
}

/// A shell, and the task that passes on what it reads and writes. Without the shell the task ends it.
pub(super) struct Shell {
    line: Arc<Line>,
    task: JoinHandle<()>,
    hang_up: DropGuard,
    /// Whether a client knows of it.
    pub(super) is_known: bool,
}

/// The part of a shell that its tabs share.
pub(super) struct Line {
    pub(super) screen: Screen,
    pub(super) keys: mpsc::Sender<Vec<u8>>,
    master: Master,
}

/// The shell can't be started.
#[derive(Debug, thiserror::Error)]
#[error("cannot start `{}`: {error}", .shell.display())]
pub(super) struct StartError {
    shell: OsString,
    error: BoxError,
}

impl Shell {
    /// The initializer.
    async fn start(cx: &InitContext<Terminal>) -> Result<Self, StartError> {
        let terminal = cx.state();
        let session = cx.session().serial();
        let command = terminal.command();
        let started = spawn_blocking(move || pty::start(command, Size::default())).await;
        let started = started.map_err(BoxError::from).flatten();
        let (process, master, output, input) = started.map_err(|error| {
            tracing::error!(session, error, "shell failed to start");
            StartError {
                shell: terminal.shell.clone(),
                error,
            }
        })?;
        let pid = process.pid().as_raw_nonzero();
        tracing::info!(session, pid, "shell started");
        let (keys, typed) = mpsc::channel(WAITING);
        let line = Arc::new(Line {
            screen: Screen::new(),
            keys,
            master,
        });
        let hang_up = CancellationToken::new();
        let ends = Ends {
            output,
            input,
            line: Arc::clone(&line),
        };
        let hung_up = hang_up.clone();
        let task = tokio::spawn(async move {
            let status = ends.pass_on(process, typed, hung_up).await;
            let how = told(&status);
            tracing::info!(session, pid, how, "shell ended");
            ends.line.screen.end(how);
        });
        Ok(Self {
            line,
            task,
            hang_up: hang_up.drop_guard(),
            is_known: false,
        })
    }

    /// The close hook: returns when everything that the shell runs has ended.
    async fn close(self) -> Result<(), JoinError> {
        drop(self.hang_up);
        self.task.await
    }

    pub(super) fn line(&self) -> Arc<Line> {
        Arc::clone(&self.line)
    }

    pub(super) fn has_ended(&self) -> bool {
        self.line.screen.end_of_shell().is_some()
    }
}

impl Line {
    /// Changes the size for all tabs.
    pub(super) fn resize(&self, size: Size) {
        self.master.resize(size, || self.screen.resize(size));
    }
}

/// The two ends of a shell's terminal, and the screen between.
struct Ends {
    output: Output,
    input: Input,
    line: Arc<Line>,
}

impl Ends {
    /// Passes on output and keys until the shell has exited or is to hang up, and then until all has ended.
    async fn pass_on(
        &self,
        mut process: Process,
        mut typed: mpsc::Receiver<Vec<u8>>,
        hung_up: CancellationToken,
    ) -> io::Result<ExitStatus> {
        let mut buffer = vec![0; 64 << 10];
        let mut to_write = Vec::new();
        loop {
            tokio::select! {
                () = hung_up.cancelled() => break,
                () = process.exited() => break,
                read = self.output.read(&mut buffer) => {
                    let answers = self.line.screen.draw(&buffer[..read?]);
                    if to_write.len() + answers.len() <= ANSWERS {
                        to_write.extend(answers);
                    }
                    // To draw may take its time, and others have theirs.
                    yield_now().await;
                }
                written = self.input.write(&to_write), if !to_write.is_empty() => {
                    to_write.drain(..written?);
                }
                Some(keys) = typed.recv(), if to_write.is_empty() => to_write = keys,
            }
        }
        // Nobody reads keys any more, and tabs do not wait for it.
        drop(typed);
        let mut end = std::pin::pin!(process.end());
        let status = loop {
            tokio::select! {
                status = &mut end => break status,
                read = self.output.read(&mut buffer) => {
                    self.line.screen.draw(&buffer[..read?]);
                }
            }
        };
        let mut read = 0;
        while read < LAST_OUTPUT
            && let Some(more) = self.output.rest(&mut buffer)
        {
            self.line.screen.draw(&buffer[..more]);
            read += more;
        }
        status
    }
}

fn told(status: &io::Result<ExitStatus>) -> String {
    match status {
        Ok(status) => match status.signal() {
            Some(signal) => format!("killed: {signal}"),
            None => format!("exit status {}", status.exit_code()),
        },
        Err(error) => format!("it is lost: {error}"),
    }
}

impl Terminal {
    /// The shell's command. Its environment is the given one, and nothing else of this process.
    fn command(&self) -> CommandBuilder {
        let mut command = CommandBuilder::new(&self.shell);
        command.env_clear();
        for (name, value) in &self.environment {
            command.env(name, value);
        }
        command.env("TERM", "xterm-256color");
        command.env("COLORTERM", "truecolor");
        command.env("SHELL", &self.shell);
        command
    }
}
