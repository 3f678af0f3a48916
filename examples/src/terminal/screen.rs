//! The screen of a shell: its output, drawn as a terminal does. Tabs are sent pictures of it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use vt100::{Callbacks, Parser};

/// The lines that are kept above the screen.
const HISTORY: usize = 2_000;
/// The most characters of a title.
const TITLE: usize = 200;

/// The size of a terminal, within bounds: the parser cannot draw a wide character in one column, and memory is finite.
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
        let clamp = |cells: u32, least| cells.clamp(least, 500).try_into().unwrap_or(500);
        Self {
            columns: clamp(columns, 2),
            rows: clamp(rows, 1),
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
        let Size { columns, rows } = Size::default();
        Self {
            parser: Mutex::new(Parser::new_with_callbacks(
                rows,
                columns,
                HISTORY,
                Aside::default(),
            )),
            state: watch::Sender::new(None),
        }
    }

    fn parser(&self) -> MutexGuard<'_, Parser<Aside>> {
        self.parser.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Draws output, and returns the answers to what it asks the terminal.
    pub(super) fn draw(&self, output: &[u8]) -> Vec<u8> {
        let answers = {
            let mut parser = self.parser();
            parser.process(output);
            std::mem::take(&mut parser.callbacks_mut().answers)
        };
        self.state.send_modify(|_| {});
        answers
    }

    /// Changes the size. Returns whether it is another one.
    pub(super) fn resize(&self, size: Size) -> bool {
        let changed = {
            let mut parser = self.parser();
            let changed = parser.screen().size() != (size.rows, size.columns);
            if changed {
                parser.screen_mut().set_size(size.rows, size.columns);
            }
            changed
        };
        if changed {
            self.state.send_modify(|_| {});
        }
        changed
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

/// The things that output says and does beside drawing.
#[derive(Default)]
pub(super) struct Aside {
    title: String,
    bells: u64,
    answers: Vec<u8>,
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
            ((0, 0), (2, 1)),
            ((1, 1), (2, 1)),
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
            b"\x1b[2;1r",
        ];
        let screen = Screen::new();
        for _ in 0..3_000 {
            let (columns, rows) = (random() % 6, random() % 4);
            screen.resize(Size::from((columns as u32, rows as u32)));
            let mut output = Vec::new();
            for _ in 0..random() % 20 {
                match usize::try_from(random() % 16) {
                    Ok(piece @ 0..8) => output.extend(pieces[piece]),
                    _ => output.push(random().to_be_bytes()[0]),
                }
            }
            screen.draw(&output);
            let back = (random() % 10) as usize;
            screen.look(back, |screen, _| screen.contents());
        }
    }
}
