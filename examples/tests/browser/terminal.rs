//! The example `terminal` in a real browser.

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::time::Duration;

use examples::terminal::{Terminal, app};
use serde_json::json;
use session_axum::serve;
use session_core::{SessionManager, ShutdownReport};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::driver::Driver;

/// WebDriver's characters for keys that type none.
const ENTER: char = '\u{e007}';
const TAB: char = '\u{e004}';
const SHIFT: char = '\u{e008}';
const CONTROL: char = '\u{e009}';
const ALT: char = '\u{e00a}';
const ESCAPE: char = '\u{e00c}';
const HOME: char = '\u{e011}';
const UP: char = '\u{e013}';
const DELETE: char = '\u{e017}';
const F1: char = '\u{e031}';
const F5: char = '\u{e035}';

/// The text of the screen, without the spaces at the ends of lines.
const SCREEN: &str = "return [...document.querySelectorAll('#screen > div')]
    .map((line) => line.textContent.trimEnd()).join('\\n').trim();";
/// The colors of the text `red`, and of the page's ground.
const COLORS: &str = "const ground = getComputedStyle(document.body).backgroundColor;
    const red = [...document.querySelectorAll('#screen span')].findLast((span) => span.textContent === 'red');
    return getComputedStyle(red).color + ' on ' + ground;";
const NOTE: &str = "return document.getElementById('why').textContent;";

struct Server {
    url: String,
    sessions: SessionManager,
    stop: oneshot::Sender<()>,
    task: JoinHandle<ShutdownReport>,
    /// The shells' home, with nothing of this machine in its prompt.
    home: TempDir,
}

impl Server {
    async fn start(shell: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        let environment = [
            ("HOME", home.path().into()),
            ("PATH", OsString::from("/usr/bin:/bin")),
            ("PS1", "$ ".into()),
            ("LANG", "C.UTF-8".into()),
        ];
        let terminal = Terminal {
            shell: shell.into(),
            environment: environment.map(|(name, value)| (name.into(), value)).into(),
        };
        let sessions = terminal.sessions(Duration::from_secs(600));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (stop, stopped) = oneshot::channel();
        let app = app(sessions.clone(), "key", port);
        let server = serve(listener, app, sessions.clone()).with_graceful_shutdown(async {
            let _ = stopped.await;
        });
        Self {
            url: format!("http://127.0.0.1:{port}/key/"),
            sessions,
            stop,
            task: tokio::spawn(server.into_future()),
            home,
        }
    }

    async fn stop(self) {
        drop(self.stop);
        let report = self.task.await.unwrap();
        assert!(report.is_clean(), "{report:?}");
    }
}

/// Waits until the screen has this text.
async fn is_shown(browser: &Driver, text: &str) {
    let script = format!(
        "const screen = (() => {{ {SCREEN} }})(); return screen.includes({}) ? '' : screen;",
        json!(text)
    );
    browser.wait_for(&script, "").await;
}

/// Waits until the line has been run, and the prompt is there again.
async fn is_done(browser: &Driver, line: &str) {
    let line = json!(format!("$ {line}"));
    let script = format!(
        "const lines = (() => {{ {SCREEN} }})().split('\\n');
        return lines.includes({line}) ? lines.at(-1) : '';"
    );
    browser.wait_for(&script, "$").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_types_reloads_goes_on_in_another_tab_and_logs_out() {
    let server = Server::start("/bin/sh").await;
    let browser = Driver::start().await;
    let first = browser.tab().await;
    browser.open(&server.url).await;
    browser.wait_for(SCREEN, "$").await;
    browser
        .press(&format!("there=here; printf '<%s>' over t$there{ENTER}"))
        .await;
    is_shown(&browser, "<over><there>$").await;

    browser.open(&server.url).await;
    is_shown(&browser, "<over><there>$").await;

    let second = browser.new_tab().await;
    browser.switch_to(&second).await;
    browser.open(&server.url).await;
    is_shown(&browser, "<over><there>$").await;
    browser
        .press(&format!("echo and $there as well{ENTER}"))
        .await;
    is_shown(&browser, "and here as well").await;
    browser.switch_to(&first).await;
    is_shown(&browser, "and here as well").await;

    // The keyboard's signal, to a program that does not end by itself.
    browser.press(&format!("cat{ENTER}echoed{ENTER}")).await;
    is_shown(&browser, "echoed\nechoed").await;
    browser.press_with(CONTROL, 'c').await;
    is_shown(&browser, "^C").await;

    browser.press(&format!("exit 3{ENTER}")).await;
    browser
        .wait_for(NOTE, "The shell has ended: exit status 3.")
        .await;
    // The button for a new one has the focus.
    browser.press(&ENTER.to_string()).await;
    browser.wait_for(SCREEN, "$").await;

    browser.click("logout").await;
    let why = "You have logged out. The shell and everything it ran has ended.";
    browser.wait_for(NOTE, why).await;
    assert_eq!(server.sessions.stats().active, 0);

    browser.click("again").await;
    let connected = "return document.getElementById('logout').disabled ? 'no' : 'yes';";
    browser.wait_for(connected, "yes").await;
    server.stop().await;
    let why = "The program that serves this page has been stopped, and the shell with it.";
    browser.wait_for(NOTE, why).await;
    browser.quit().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_and_pasted_text_arrive_as_programs_expect_them() {
    let server = Server::start("/bin/sh").await;
    let browser = Driver::start().await;
    browser.open(&server.url).await;
    browser.wait_for(SCREEN, "$").await;
    browser
        .press(&format!("stty -echo; clear; cat -v{ENTER}"))
        .await;
    browser.wait_for(SCREEN, "").await;
    browser
        .press(&format!("{UP}{HOME}{DELETE}{F1}{F5}{ESCAPE}\u{e9}{ENTER}"))
        .await;
    for (held, key) in [
        (CONTROL, UP),
        (SHIFT, F5),
        (ALT, 'x'),
        (CONTROL, 'g'),
        (SHIFT, TAB),
    ] {
        browser.press_with(held, key).await;
    }
    browser.press(&ENTER.to_string()).await;
    is_shown(
        &browser,
        "^[[A^[[H^[[3~^[OP^[[15~^[M-CM-)\n^[[1;5A^[[15;2~^[x^G^[[Z",
    )
    .await;
    // As vi and bash switch the arrow keys and pastes.
    let switch = "printf '\\033[?1h\\033[?2004h'; clear; cat -v";
    browser.press_with(CONTROL, 'c').await;
    browser.press(&format!("{switch}{ENTER}")).await;
    browser.wait_for(SCREEN, "").await;
    browser.press(&UP.to_string()).await;
    let paste = "const data = new DataTransfer();
        data.setData('text', 'one\\ntwo\\x1b[201~\\r\\n');
        const event = new ClipboardEvent('paste', { clipboardData: data, bubbles: true });
        document.getElementById('keys').dispatchEvent(event);";
    browser.run(paste, json!([])).await;
    browser.press(&ENTER.to_string()).await;
    is_shown(&browser, "^[OA^[[200~one\ntwo[201~\n^[[201~").await;
    browser.quit().await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_screen_is_legible_in_light_and_dark() {
    let server = Server::start("/bin/sh").await;
    let home = server.home.path();
    fs::create_dir(home.join("seeds")).unwrap();
    fs::write(home.join("plants.csv"), "name,height\nfern,0.8\noak,31\n").unwrap();
    fs::write(
        home.join("water"),
        "printf '\\033]2;A shell of mine\\007'\n\
         for plant in fern lily oak; do printf '\\033[32m\u{2713}\\033[0m %s\\n' $plant; done\n\
         printf '\\033[1;31mred\\033[0;1m bold\\033[0;4m underlined\\033[0;7m inverse \\033[0m\\n'\n",
    )
    .unwrap();
    let browser = Driver::start().await;
    let metrics = json!({ "width": 720, "height": 380, "deviceScaleFactor": 1, "mobile": false });
    browser
        .devtools("Emulation.setDeviceMetricsOverride", metrics)
        .await;
    browser.open(&server.url).await;
    browser.wait_for(SCREEN, "$").await;
    for line in [
        "ls --color -p",
        "cat plants.csv",
        "sh water",
        "answer=42",
        "# after a reload, and in another tab, it is the same shell",
        "echo $answer",
    ] {
        browser.press(&format!("{line}{ENTER}")).await;
        is_done(&browser, line).await;
    }
    for (scheme, ground, red) in [
        ("dark", "rgb(20, 23, 27)", "rgb(255, 123, 114)"),
        ("light", "rgb(251, 251, 250)", "rgb(191, 31, 43)"),
    ] {
        let features = json!({ "features": [
            { "name": "prefers-color-scheme", "value": scheme },
            { "name": "prefers-reduced-motion", "value": "reduce" },
        ] });
        browser
            .devtools("Emulation.setEmulatedMedia", features)
            .await;
        browser
            .wait_for(COLORS, &format!("{red} on {ground}"))
            .await;
        keep(&browser.picture().await, scheme);
    }
    browser.quit().await;
    server.stop().await;
}

/// Keeps the picture for the README, if the environment asks for pictures.
fn keep(picture: &[u8], scheme: &str) {
    if std::env::var_os("SESSION_PICTURES").is_some() {
        let examples = Path::new(env!("CARGO_MANIFEST_DIR"));
        fs::write(examples.join(format!("terminal-{scheme}.png")), picture).unwrap();
    }
}
