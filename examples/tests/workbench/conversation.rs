//! Conversations in a README.

/// Stands for text that differs every time, or is too long to print.
const ANYTHING: &str = "...";

/// The commands of all blocks that begin with this fence, each with the lines it prints.
pub(crate) fn conversation<'a>(markdown: &'a str, fence: &str) -> Vec<(&'a str, Vec<&'a str>)> {
    let mut turns: Vec<(&'a str, Vec<&'a str>)> = Vec::new();
    let mut inside = false;
    for line in markdown.lines() {
        if line.starts_with("```") {
            inside = line == fence;
        } else if let Some(command) = line.strip_prefix("$ ").filter(|_| inside) {
            turns.push((command, Vec::new()));
        } else if inside {
            turns
                .last_mut()
                .expect("a block begins with a command")
                .1
                .push(line);
        }
    }
    turns
}

/// Whether `text` is `pattern` with something, or nothing, in the place of every `...`.
pub(crate) fn matches(text: &str, pattern: &str) -> bool {
    match pattern.split_once(ANYTHING) {
        None => text == pattern,
        Some((start, rest)) => text.strip_prefix(start).is_some_and(|text| {
            (0..=text.len())
                .any(|skipped| text.get(skipped..).is_some_and(|text| matches(text, rest)))
        }),
    }
}
