//! Bounds of what output may ask of the parser, which itself has none: a few bytes could occupy it for minutes, or make it
//! keep all that follows.

use std::mem;

const ESCAPE: u8 = 0x1b;
/// These break a sequence off: CAN and SUB.
const BREAKS: [u8; 2] = [0x18, 0x1a];
const BELL: u8 = 0x07;
/// Commands that are done as often as their parameter says: inserting, deleting and scrolling, tabs, repetition.
const REPEATED: &[u8] = b"@LMPSTXIZb";
/// The most bytes of a command. Those of programs have a few.
const COMMAND: usize = 64;
/// The most bytes of a title.
const TEXT: usize = 1024;

/// The part of a sequence that the next output goes on with.
#[derive(Debug, Default)]
enum At {
    #[default]
    Ground,
    /// After an escape, which is held back.
    Escape,
    /// Inside a command (`ESC [`), which is held back until it is complete.
    Command(Vec<u8>),
    /// Inside a text (`ESC ]`), such as a title, with its length so far.
    Text(usize),
}

#[derive(Debug, Default)]
pub(super) struct Bounds(At);

impl Bounds {
    /// Returns the output as the parser may have it: nothing is repeated more than `most` times, and texts are short.
    pub(super) fn keep(&mut self, output: &[u8], most: u16) -> Vec<u8> {
        let mut kept = Vec::with_capacity(output.len());
        for &byte in output {
            self.0 = match (mem::take(&mut self.0), byte) {
                (_, ESCAPE) => At::Escape,
                (At::Escape, b'[') => At::Command(Vec::new()),
                (At::Escape, _) => {
                    kept.extend([ESCAPE, byte]);
                    if byte == b']' {
                        At::Text(0)
                    } else {
                        At::Ground
                    }
                }
                (At::Command(mut command), b' '..=b'?') => {
                    command.push(byte);
                    // One that is too long is dropped in the end.
                    command.truncate(COMMAND + 1);
                    At::Command(command)
                }
                (At::Command(command), b'@'..=b'~') => {
                    if command.len() <= COMMAND {
                        kept.extend([ESCAPE, b'[']);
                        kept.extend(bounded(command, byte, most));
                        kept.push(byte);
                    }
                    At::Ground
                }
                // The parser obeys controls in the middle of a command.
                (command @ At::Command(_), ..b' ') if !BREAKS.contains(&byte) => {
                    kept.push(byte);
                    command
                }
                (At::Text(length), _) if byte != BELL && !BREAKS.contains(&byte) => {
                    if length < TEXT {
                        kept.push(byte);
                    }
                    At::Text(length.saturating_add(1))
                }
                _ => {
                    kept.push(byte);
                    At::Ground
                }
            };
        }
        kept
    }
}

/// The parameters of a command, as they are or with bounded numbers.
fn bounded(parameters: Vec<u8>, command: u8, most: u16) -> Vec<u8> {
    if !REPEATED.contains(&command) {
        return parameters;
    }
    let mut bounded = Vec::new();
    for part in parameters.chunk_by(|a, b| a.is_ascii_digit() && b.is_ascii_digit()) {
        match str::from_utf8(part) {
            Ok(number) if part[0].is_ascii_digit() => {
                let number = number.parse().unwrap_or(most).min(most);
                bounded.extend(number.to_string().into_bytes());
            }
            _ => bounded.extend(part),
        }
    }
    bounded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(output: &[u8]) -> Vec<u8> {
        Bounds::default().keep(output, 80)
    }

    #[test]
    fn repetitions_are_bounded() {
        for (output, expected) in [
            ("\x1b[65535@", "\x1b[80@"),
            ("\x1b[99999999999;3L", "\x1b[80;3L"),
            ("\x1b[7M\x1b[PS", "\x1b[7M\x1b[PS"),
            // Neither positions nor colors nor modes are numbers of repetitions.
            (
                "\x1b[999;999H\x1b[38;2;255;0;9m\x1b[?1049h",
                "\x1b[999;999H\x1b[38;2;255;0;9m\x1b[?1049h",
            ),
        ] {
            assert_eq!(kept(output.as_bytes()), expected.as_bytes());
        }
    }

    #[test]
    fn texts_and_commands_have_an_end() {
        let long = "x".repeat(100_000);
        let title = String::from_utf8(kept(format!("\x1b]2;{long}\x07on").as_bytes())).unwrap();
        assert!(title.len() < 2 * TEXT && title.ends_with("\x07on"));
        let ended = kept(format!("\x1b]2;{long}\x1b\\on").as_bytes());
        assert!(ended.ends_with(b"\x1b\\on"));
        assert_eq!(
            kept(format!("\x1b[{}mon", "1;".repeat(1000)).as_bytes()),
            b"on"
        );
    }

    #[test]
    fn all_else_is_kept_however_it_is_cut() {
        let output = "a\x1b[1;31mb\r\n\x1b[2\nK\x1b(B\x1b]0;title\x07\x1bP1$q\x1b\\\x1b[?25l\u{5b57}\x1b[12\x18c";
        let whole = kept(output.as_bytes());
        let mut bounds = Bounds::default();
        let bytes = output.as_bytes().chunks(1);
        let pieces: Vec<u8> = bytes.flat_map(|byte| bounds.keep(byte, 80)).collect();
        // An escape at the end of a piece has been passed on, and is repeated.
        let pieces = String::from_utf8(pieces)
            .unwrap()
            .replace("\x1b\x1b", "\x1b");
        assert_eq!(pieces.into_bytes(), whole);
        let whole = String::from_utf8(whole).unwrap();
        assert_eq!(
            whole,
            output
                .replace("\x1b[2\nK", "\n\x1b[2K")
                .replace("\x1b[12\x18", "\x18")
        );
    }
}
