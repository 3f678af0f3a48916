//! Blank lines of a file with one column. Each is a row without a value, but a CSV reader skips them.

use std::io::{self, BufRead, BufReader, Read, Write};

/// Copies `source` from after its header line, and writes an empty field in quotes on each blank line.
pub(crate) fn copy_quoted(source: impl Read, mut to: impl Write) -> io::Result<()> {
    let mut source = BufReader::new(source);
    let mut line = Vec::new();
    let mut in_header = true;
    let mut quoted = false;
    loop {
        line.clear();
        if source.read_until(b'\n', &mut line)? == 0 {
            return to.flush();
        }
        let is_blank = matches!(&*line, b"\n" | b"\r\n");
        if is_blank && !quoted && !in_header {
            to.write_all(b"\"\"")?;
        }
        to.write_all(&line)?;
        quoted = is_quoted_after(&line, quoted);
        in_header &= is_blank || quoted;
    }
}

/// Whether a quote is open at the end of the line. A quote in the middle of a field does not open one.
fn is_quoted_after(line: &[u8], mut quoted: bool) -> bool {
    let mut may_open = true;
    for byte in line {
        match byte {
            b'"' if quoted => {
                quoted = false;
                // Two quotes in a quoted field stand for one.
                may_open = true;
            }
            b'"' => quoted = std::mem::take(&mut may_open),
            _ => may_open = *byte == b',',
        }
    }
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn copied(csv: &str) -> String {
        let mut copy = Vec::new();
        copy_quoted(csv.as_bytes(), &mut copy).expect("memory is written to");
        String::from_utf8(copy).expect("it was text")
    }

    #[test]
    fn a_blank_line_after_the_header_becomes_an_empty_field() {
        assert_eq!(copied("a\n1\n\n2\r\n\r\n"), "a\n1\n\"\"\n2\r\n\"\"\r\n");
        assert_eq!(copied("\n\na\n\n"), "\n\na\n\"\"\n");
        assert_eq!(copied("a\n1"), "a\n1");
    }

    #[test]
    fn a_blank_line_within_quotes_is_part_of_its_field() {
        for csv in [
            "a\n\"x\n\ny\"\n",
            "\"a\n\nb\"\n1\n",
            "a\n\"x\"\"\n\n\"\"y\"\n",
        ] {
            assert_eq!(copied(csv), csv);
        }
        assert_eq!(copied("a\n5\"\"\n\n6\n"), "a\n5\"\"\n\"\"\n6\n");
    }
}
