//! The screen of a shell: its output, drawn as a terminal does. Tabs are sent pictures of it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use vt100::{Callbacks, Parser};

use super::bounds::Bounds;

/// The lines that are kept above the screen.
const HISTORY: usize = 2_000;
/// Drawn on a screen that was lost.
const LOST: &[u8] = b"[the screen could not be drawn, and is blank from here on]\r\n";
/// The most characters of a title.
const TITLE: usize = 200;

/// The size of a terminal, within bounds. The parser panics if it has to draw a wide character in one column, or to
/// scroll a single row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(from = "(u32, u32)", into = "(u16, u16)")]
pub(super) struct Size {
    columns: u16,
    rows: u16,
}

impl Size {
    pub(super) fn columns(self) -> u16 {
        self.columns
    }

    pub(super) fn rows(self) -> u16 {
        self.rows
    }
}

/// Clamps the number of columns and that of rows.
impl From<(u32, u32)> for Size {
    fn from((columns, rows): (u32, u32)) -> Self {
        let clamp = |cells: u32| cells.clamp(2, 500).try_into().unwrap_or(500);
        Self {
            columns: clamp(columns),
            rows: clamp(rows),
        }
    }
}

impl From<Size> for (u16, u16) {
    fn from(size: Size) -> Self {
        (size.columns, size.rows)
    }
}

impl Default for Size {
    fn default() -> Self {
        Self::from((80, 24))
    }
}

/// The screen, and the moments at which it changes.
pub(super) struct Screen {
    parser: Mutex<Parser<Aside>>,
    /// How the shell ended, if it has.
    state: watch::Sender<Option<String>>,
}

impl Screen {
    pub(super) fn new() -> Self {
        Self {
            parser: Mutex::new(blank(Size::default())),
            state: watch::Sender::new(None),
        }
    }

    fn parser(&self) -> MutexGuard<'_, Parser<Aside>> {
        self.parser.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the screen. If the parser panics, the screen is blank, and says so. It does where a wide character is
    /// overwritten of which a smaller size has left one half.
    fn change<R: Default>(&self, change: impl FnOnce(&mut Parser<Aside>) -> R) -> R {
        let changed = {
            let mut parser = self.parser();
            let changed = catch_unwind(AssertUnwindSafe(|| change(&mut parser)));
            changed.unwrap_or_else(|_| {
                let (rows, columns) = parser.screen().size();
                *parser = blank(Size { columns, rows });
                parser.process(LOST);
                R::default()
            })
        };
        self.state.send_modify(|_| {});
        changed
    }

    /// Draws output, and returns the answers to what it asks the terminal.
    pub(super) fn draw(&self, output: &[u8]) -> Vec<u8> {
        self.change(|parser| {
            let (rows, columns) = parser.screen().size();
            let kept = &mut parser.callbacks_mut().bounds;
            let output = kept.keep(output, rows.max(columns));
            parser.process(&output);
            std::mem::take(&mut parser.callbacks_mut().answers)
        })
    }

    /// Changes the size. Returns whether it is another one.
    pub(super) fn resize(&self, Size { columns, rows }: Size) -> bool {
        let differs = self.parser().screen().size() != (rows, columns);
        if differs {
            self.change(|parser| parser.screen_mut().set_size(rows, columns));
        }
        differs
    }

    /// Says how the shell has ended, after its last output.
    pub(super) fn end(&self, how: String) {
        self.state.send_replace(Some(how));
    }

    pub(super) fn end_of_shell(&self) -> Option<String> {
        self.state.borrow().clone()
    }

    /// A receiver that sees every change from now on.
    pub(super) fn watch(&self) -> watch::Receiver<Option<String>> {
        self.state.subscribe()
    }

    /// Looks at the screen, this many lines back in its history or as many as there are.
    pub(super) fn look<R>(&self, back: usize, look: impl FnOnce(&vt100::Screen, &Aside) -> R) -> R {
        let mut parser = self.parser();
        // Each tab scrolls on its own, so the parser is always left at the end.
        parser.screen_mut().set_scrollback(back);
        let seen = look(parser.screen(), parser.callbacks());
        parser.screen_mut().set_scrollback(0);
        seen
    }
}

/// A screen with nothing on it.
fn blank(Size { columns, rows }: Size) -> Parser<Aside> {
    Parser::new_with_callbacks(rows, columns, HISTORY, Aside::default())
}

/// The things that output says and does beside drawing, and the part of it that is held back.
#[derive(Default)]
pub(super) struct Aside {
    title: String,
    bells: u64,
    answers: Vec<u8>,
    bounds: Bounds,
}

impl Aside {
    pub(super) fn title(&self) -> &str {
        &self.title
    }

    /// The number of bells so far.
    pub(super) fn bells(&self) -> u64 {
        self.bells
    }
}

impl Callbacks for Aside {
    fn audible_bell(&mut self, _: &mut vt100::Screen) {
        self.bells += 1;
    }

    fn set_window_title(&mut self, _: &mut vt100::Screen, title: &[u8]) {
        self.title = String::from_utf8_lossy(title).chars().take(TITLE).collect();
    }

    /// Programs ask which terminal this is, and where its cursor is.
    fn unhandled_csi(
        &mut self,
        screen: &mut vt100::Screen,
        mark: Option<u8>,
        _: Option<u8>,
        parameters: &[&[u16]],
        command: char,
    ) {
        let first = parameters.first().and_then(|values| values.first());
        let answer = match (mark, command, first.copied().unwrap_or(0)) {
            (None, 'c', 0) => "\x1b[?62;22c".to_owned(),
            (None, 'n', 5) => "\x1b[0n".to_owned(),
            (None, 'n', 6) => {
                let (row, column) = screen.cursor_position();
                format!("\x1b[{};{}R", row + 1, column + 1)
            }
            _ => return,
        };
        self.answers.extend(answer.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_clamped() {
        for (given, expected) in [
            ((0, 0), (2, 2)),
            ((1, 3), (2, 3)),
            ((80, 24), (80, 24)),
            ((65_535, 65_535), (500, 500)),
            ((u32::MAX, 500), (500, 500)),
        ] {
            assert_eq!(<(u16, u16)>::from(Size::from(given)), expected);
        }
    }

    #[test]
    fn questions_are_answered_once() {
        let screen = Screen::new();
        assert_eq!(screen.draw(b"\x1b[5n"), b"\x1b[0n");
        assert_eq!(screen.draw(b"ab\r\nc\x1b[6n"), b"\x1b[2;2R");
        assert_eq!(screen.draw(b"\x1b[c\x1b[>c"), b"\x1b[?62;22c");
        assert_eq!(screen.draw(b"no more"), b"");
    }

    #[test]
    fn commands_that_insert_without_end_are_drawn_at_once() {
        let screen = Screen::new();
        let output = "\x1b[65535@\x1b[65535L\x1b[65535T\x1b[65535;1S".repeat(1000);
        screen.draw((output + "\x1b]2;").as_bytes());
        screen.draw(&b"x".repeat(1 << 20));
        screen.draw(b"\x07\x1b[Hgoes on");
        assert_eq!(screen.look(0, |screen, _| screen.contents()), "goes on");
        assert_eq!(screen.look(0, |_, aside| aside.title().len()), TITLE);
    }

    #[test]
    fn garbage_is_drawn_at_any_size() {
        let mut seed = 1_u64;
        let mut random = move || {
            // Marsaglia's xorshift.
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            seed
        };
        let pieces: [&[u8]; 8] = [
            b"\x1b[",
            b"\x1b",
            "\u{5b57}".as_bytes(),
            "e\u{301}".as_bytes(),
            b"\n\r",
            b"\x1b[?1049h",
            b";9999",
            b"\x1b[1;2r",
        ];
        let screen = Screen::new();
        for _ in 0..20_000 {
            let [columns, rows, back, ..] = random().to_be_bytes().map(|byte| u32::from(byte % 7));
            screen.resize(Size::from((columns, rows)));
            let mut output = Vec::new();
            for _ in 0..random() % 20 {
                match usize::try_from(random() % 16) {
                    Ok(piece @ 0..8) => output.extend(pieces[piece]),
                    _ => output.push(random().to_be_bytes()[0]),
                }
            }
            screen.draw(&output);
            screen.look(back as usize, |screen, _| screen.contents());
        }
        screen.resize(Size::default());
        screen.draw(b"\x18\x1bcgoes on");
        assert_eq!(screen.look(0, |screen, _| screen.contents()), "goes on");
    }

    #[test]
    fn a_screen_that_cannot_be_drawn_says_so_and_goes_on() {
        let screen = Screen::new();
        screen.draw("lost\x1b[1;70H\u{5b57}".as_bytes());
        screen.resize(Size::from((70, 4)));
        screen.draw(b"\x1b[1;70Hx");
        screen.draw(b"goes on");
        let text = screen.look(0, |screen, _| screen.contents());
        let lost = str::from_utf8(LOST).unwrap().replace('\r', "");
        assert_eq!(text, lost + "goes on");
    }
}
