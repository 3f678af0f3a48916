//! The scripts' replies, as the directory's types. The store may hold anything: what is not as it should be is an
//! error.

use std::error::Error;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use session_core::NodeTag;

use crate::directory::{
    Answer, Beat, CaughtUp, DirectoryError, Entry, Position, Pulse, Run, Seen, Standing,
};

/// The pairs of a hash: tags, and values.
type Hash = Vec<(String, String)>;
/// Entries: their places, and the one field of each with its value.
type Log = Vec<(String, Vec<(String, Vec<u8>)>)>;

pub(super) type SyncReply = (
    String,
    String,
    u64,
    Hash,
    Vec<(String, Vec<u8>)>,
    Vec<String>,
    bool,
    Hash,
    Log,
    String,
    u64,
);
pub(super) type CatchUpReply = (String, Log, Hash);

type Result<T> = std::result::Result<T, DirectoryError>;

pub(super) fn answer(reply: SyncReply) -> Result<Answer> {
    let (standing, run, age, beats, cards, verdicts, complete, numbers, log, read, changes) = reply;
    let standing = match standing.as_str() {
        "held" => Standing::Held,
        "unknown" => Standing::Unknown,
        "dead" => Standing::Dead,
        _ => return Err(malformed("standing", &standing)),
    };
    let cards = cards.into_iter();
    Ok(Answer {
        standing,
        run: Run(run.clone()),
        age: Duration::from_millis(age),
        beats: of_hash(&beats, pulse)?,
        cards: cards
            .map(|(of, card)| Ok((tag(&of)?, card)))
            .collect::<Result<_>>()?,
        verdicts: verdicts.iter().map(|of| tag(of)).collect::<Result<_>>()?,
        complete,
        numbers: of_hash(&numbers, number_of_last)?,
        log: entries(log)?,
        read: position(&read)?,
        seen: Seen {
            run: Run(run),
            changes,
        },
    })
}

pub(super) fn caught_up((run, log, readers): CatchUpReply) -> Result<CaughtUp> {
    Ok(CaughtUp {
        run: Run(run),
        log: entries(log)?,
        readers: of_hash(&readers, position)?,
    })
}

pub(super) fn position(text: &str) -> Result<Position> {
    let parts = text.split_once('-');
    let parts = parts.and_then(|(time, number)| Some((parse(time)?, parse(number)?)));
    let (time, number) = parts.ok_or_else(|| malformed("place in the log", text))?;
    Ok(Position(time, number))
}

fn entries(log: Log) -> Result<Vec<Entry>> {
    let entries = log.into_iter().map(|(place, fields)| {
        let [(name, bytes)] = <[_; 1]>::try_from(fields).map_err(|_| malformed("entry", &place))?;
        // A tag has four characters; the entry's number follows.
        let parts = name.split_at_checked(4);
        let parts = parts.and_then(|(by, number)| Some((tag(by).ok()?, parse(number)?)));
        let (by, number) = parts.ok_or_else(|| malformed("name of an entry", &name))?;
        Ok(Entry {
            position: position(&place)?,
            by,
            number,
            bytes,
        })
    });
    entries.collect()
}

fn of_hash<T>(hash: &Hash, value: impl Fn(&str) -> Result<T>) -> Result<Vec<(NodeTag, T)>> {
    let pairs = hash.iter().map(|(of, text)| Ok((tag(of)?, value(text)?)));
    pairs.collect()
}

fn pulse(text: &str) -> Result<Pulse> {
    let parts = text.split_once(' ');
    let parts = parts.and_then(|(beat, load)| Some((parse(beat)?, parse(load)?)));
    let (beat, load) = parts.ok_or_else(|| malformed("beat", text))?;
    Ok(Pulse {
        beat: Beat(beat),
        load,
    })
}

fn number_of_last(text: &str) -> Result<u64> {
    let number = text.split_once(' ').and_then(|(number, _)| parse(number));
    number.ok_or_else(|| malformed("number of an entry", text))
}

fn tag(text: &str) -> Result<NodeTag> {
    NodeTag::decode(text.as_bytes()).ok_or_else(|| malformed("tag", text))
}

fn parse<T: FromStr>(text: &str) -> Option<T> {
    text.parse().ok()
}

fn malformed(part: &'static str, text: &str) -> DirectoryError {
    let text = text.to_owned();
    DirectoryError::new(Malformed { part, text })
}

/// Something in the store that no node has put there.
#[derive(Debug)]
struct Malformed {
    part: &'static str,
    text: String,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the store holds {:?} as a {}", self.text, self.part)
    }
}

impl Error for Malformed {}
