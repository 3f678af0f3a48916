//! Pictures of a screen, and what has changed since a tab's last one.

use serde::{Serialize, Serializer};
use serde_json::value::{RawValue, to_raw_value};
use vt100::{Cell, Color};

use super::screen::{Aside, Screen};

/// The picture that a tab has.
#[derive(Default)]
pub(super) struct View {
    /// How many lines back in the history the tab looks.
    pub(super) back: usize,
    rows: Vec<Box<RawValue>>,
    rest: Option<Rest>,
}

impl View {
    /// Takes a picture of the screen. Returns what has changed, if anything has, as JSON.
    pub(super) fn update(&mut self, screen: &Screen) -> Option<String> {
        let (rest, rows) = screen.look(self.back, picture);
        self.back = rest.back;
        let rows: Vec<_> = rows.iter().map(json).collect();
        let is_new = |number: usize| {
            let shown = self.rows.get(number).map(|row| row.get());
            shown != Some(rows[number].get())
        };
        let changed = (0..rows.len()).filter(|number| is_new(*number));
        let changed: Vec<_> = changed.map(|number| (number, &*rows[number])).collect();
        let frame = (!changed.is_empty() || self.rest.as_ref() != Some(&rest)).then(|| {
            let rest = &rest;
            json(&Frame { rest, changed }).get().to_owned()
        });
        self.rows = rows;
        self.rest = Some(rest);
        frame
    }
}

fn json(value: &impl Serialize) -> Box<RawValue> {
    to_raw_value(value).expect("its keys are strings")
}

#[derive(Serialize)]
struct Frame<'a> {
    #[serde(flatten)]
    rest: &'a Rest,
    /// The rows that have changed, by their numbers.
    changed: Vec<(usize, &'a RawValue)>,
}

/// The part of a picture that is sent with each change.
#[derive(PartialEq, Serialize)]
struct Rest {
    columns: u16,
    rows: u16,
    /// The row and the column, unless the cursor is hidden.
    cursor: Option<(u16, u16)>,
    title: String,
    bells: u64,
    /// How many lines back in the history the picture is.
    back: usize,
    /// Whether the arrow keys are to be sent in their other form.
    application_cursor: bool,
    /// Whether pasted text is to be sent between marks.
    bracketed_paste: bool,
    /// Whether a program has the whole screen to itself, which has no history then.
    alternate: bool,
}

fn picture(screen: &vt100::Screen, aside: &Aside) -> (Rest, Vec<Vec<Run>>) {
    let (rows, columns) = screen.size();
    let back = screen.scrollback();
    let rest = Rest {
        columns,
        rows,
        cursor: (back == 0 && !screen.hide_cursor()).then(|| screen.cursor_position()),
        title: aside.title().to_owned(),
        bells: aside.bells(),
        back,
        application_cursor: screen.application_cursor(),
        bracketed_paste: screen.bracketed_paste(),
        alternate: screen.alternate_screen(),
    };
    let rows = (0..rows).map(|row| {
        let cells = (0..columns).filter_map(|column| screen.cell(row, column));
        runs(cells)
    });
    (rest, rows.collect())
}

/// Neighboring cells that look alike.
#[derive(Serialize)]
struct Run {
    text: String,
    /// The width, since some characters are two cells wide, and some none.
    cells: u16,
    #[serde(flatten)]
    style: Style,
}

fn runs<'a>(cells: impl Iterator<Item = &'a Cell>) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for cell in cells.filter(|cell| !cell.is_wide_continuation()) {
        let style = Style::of(cell);
        if runs.last().is_none_or(|run| run.style != style) {
            runs.push(Run {
                text: String::new(),
                cells: 0,
                style,
            });
        }
        let run = runs.last_mut().expect("there is one");
        run.text.push_str(match cell.contents() {
            "" => " ",
            contents => contents,
        });
        run.cells += if cell.is_wide() { 2 } else { 1 };
    }
    // Most rows are mostly empty.
    if let Some(run) = runs.pop_if(|run| run.style == Style::default()) {
        let text = run.text.trim_end_matches(' ');
        let cells = run.cells - u16::try_from(run.text.len() - text.len()).unwrap_or(0);
        if !text.is_empty() {
            runs.push(Run {
                text: text.to_owned(),
                cells,
                ..run
            });
        }
    }
    runs
}

#[derive(Clone, Copy, Default, PartialEq, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "any of them may be set")]
struct Style {
    #[serde(skip_serializing_if = "is_default")]
    color: Paint,
    #[serde(skip_serializing_if = "is_default")]
    background: Paint,
    #[serde(skip_serializing_if = "is_default")]
    bold: bool,
    #[serde(skip_serializing_if = "is_default")]
    dim: bool,
    #[serde(skip_serializing_if = "is_default")]
    italic: bool,
    #[serde(skip_serializing_if = "is_default")]
    underline: bool,
    #[serde(skip_serializing_if = "is_default")]
    inverse: bool,
}

impl Style {
    fn of(cell: &Cell) -> Self {
        Self {
            color: Paint(cell.fgcolor()),
            background: Paint(cell.bgcolor()),
            bold: cell.bold(),
            dim: cell.dim(),
            italic: cell.italic(),
            underline: cell.underline(),
            inverse: cell.inverse(),
        }
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// A number of the palette, or CSS.
#[derive(Clone, Copy, Default, PartialEq)]
struct Paint(Color);

impl Serialize for Paint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Color::Default => serializer.serialize_none(),
            Color::Idx(number) => serializer.serialize_u8(number),
            Color::Rgb(red, green, blue) => {
                serializer.collect_str(&format_args!("#{red:02x}{green:02x}{blue:02x}"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::terminal::screen::Size;

    fn frame(view: &mut View, screen: &Screen) -> Value {
        let frame = view.update(screen).expect("something has changed");
        serde_json::from_str(&frame).unwrap()
    }

    #[test]
    fn a_picture_is_made_of_runs_and_then_only_changed_rows() {
        let screen = Screen::new();
        screen.resize(Size::from((10, 3)));
        screen.draw("a \x1b[1;31mred\x1b[0m\r\n\u{5b57}\x1b[48;2;1;2;255m \x1b[m x".as_bytes());
        let mut view = View::default();
        let first = frame(&mut view, &screen);
        assert_eq!(
            first["changed"],
            json!([
                [0, [{ "text": "a ", "cells": 2 }, { "text": "red", "cells": 3, "color": 1, "bold": true }]],
                [1, [
                    { "text": "\u{5b57}", "cells": 2 },
                    { "text": " ", "cells": 1, "background": "#0102ff" },
                    { "text": " x", "cells": 2 }
                ]],
                [2, []]
            ])
        );
        assert_eq!(first["cursor"], json!([1, 5]));
        assert!(view.update(&screen).is_none());

        screen.draw(b"\r\nthird\x1b]2;a title\x07\x07\x1b[?25l\x1b[?1h\x1b[?2004h");
        let second = frame(&mut view, &screen);
        assert_eq!(
            second,
            json!({
                "columns": 10, "rows": 3, "cursor": null, "title": "a title", "bells": 1, "back": 0,
                "application_cursor": true, "bracketed_paste": true, "alternate": false,
                "changed": [[2, [{ "text": "third", "cells": 5 }]]]
            })
        );
    }

    #[test]
    fn each_tab_looks_back_on_its_own() {
        let screen = Screen::new();
        screen.resize(Size::from((10, 2)));
        screen.draw(b"one\r\ntwo\r\nthree\r\nfour");
        let (mut ann, mut bob) = (View::default(), View::default());
        ann.back = 100;
        let (ann, bob) = (frame(&mut ann, &screen), frame(&mut bob, &screen));
        let first_row = |frame: &Value| frame["changed"][0][1][0]["text"].clone();
        assert_eq!((first_row(&ann), &ann["back"]), (json!("one"), &json!(2)));
        assert_eq!((first_row(&bob), &bob["back"]), (json!("three"), &json!(0)));
        assert_eq!(ann["cursor"], Value::Null, "it is further down");
    }
}
