//! The users, and the hashes of their passwords.

use std::collections::HashMap;
use std::fmt;
use std::path::Path;

use argon2::password_hash::{self, Output, PasswordHash, SaltString};
use argon2::{Algorithm, Argon2, Block, Params, PasswordHasher as _, Version};
use serde::Serialize;
use session_core::GroupId;

/// The characters of a name.
const MOST_CHARACTERS: usize = 32;
/// The memory that a password is hashed in.
const MOST_MEBIBYTES: u32 = 64;
/// How often it is passed over.
const MOST_PASSES: u32 = 16;

/// A well-formed name, whether or not a user has it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub(crate) struct UserName(String);

impl UserName {
    /// Returns the name, unless it is malformed, so that no user has it.
    pub(crate) fn new(name: &str) -> Option<Self> {
        let fits = (1..=MOST_CHARACTERS).contains(&name.len());
        let is_plain =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte);
        (fits && name.bytes().all(is_plain)).then(|| Self(name.to_owned()))
    }

    /// The group of the user's sessions. Groups of users are a kind of their own, so no user can choose a name that is
    /// another group's.
    pub(crate) fn group(&self) -> GroupId {
        GroupId::from(format!("user:{}", self.0))
    }

    /// The user of this group.
    pub(crate) fn of_group(group: &GroupId) -> Option<Self> {
        Self::new(group.as_str().strip_prefix("user:")?)
    }
}

impl fmt::Display for UserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The users of the chat, each with an argon2 hash of a password.
#[derive(Debug)]
pub struct Users {
    hashes: HashMap<UserName, Hash>,
    /// The hash that an unknown user's password is compared with, so that it takes as long as a known one's.
    decoy: Hash,
}

/// The argon2 hash of a password, and what it was made with.
#[derive(Clone, Debug)]
struct Hash {
    argon2: Argon2<'static>,
    salt: Vec<u8>,
    output: Output,
}

impl Hash {
    /// Reads a PHC string: none if it is no argon2 hash.
    fn parse(text: &str) -> Option<Self> {
        let hash = PasswordHash::new(text).ok()?;
        let algorithm = Algorithm::try_from(hash.algorithm).ok()?;
        let version = hash
            .version
            .map_or(Ok(Version::default()), Version::try_from);
        let params = Params::try_from(&hash).ok()?;
        let mut salt = [0; 64];
        let salt = hash.salt?.decode_b64(&mut salt).ok()?;
        (salt.len() >= argon2::MIN_SALT_LEN).then_some(())?;
        Some(Self {
            argon2: Argon2::new(algorithm, version.ok()?, params),
            salt: salt.to_vec(),
            output: hash.hash?,
        })
    }

    fn is_costly(&self) -> bool {
        let params = self.argon2.params();
        params.m_cost() > MOST_MEBIBYTES << 10 || params.t_cost() > MOST_PASSES
    }

    fn blocks(&self) -> usize {
        self.argon2.params().block_count()
    }

    /// Whether it is this password's. Takes as long for another one.
    fn is_of(&self, password: &str, memory: &mut [Block]) -> bool {
        let password = password.as_bytes();
        let output = Output::init_with(self.output.len(), |output| {
            let hashed = self
                .argon2
                .hash_password_into_with_memory(password, &self.salt, output, memory);
            Ok(hashed?)
        });
        // Outputs are compared in constant time.
        output == Ok(self.output)
    }
}

/// The reason why a list of users can't be used. It shows no part of a hash.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UsersError {
    /// The file can't be read.
    #[error("{0} cannot be read: {1}")]
    Read(String, #[source] std::io::Error),
    /// The name is not well formed.
    #[error("user {0}: a name has 1 to {MOST_CHARACTERS} of the characters a-z, 0-9, - and _")]
    Name(usize),
    /// The hash is none of argon2's.
    #[error("user {0}: `name:hash`, with an argon2 hash such as `argon2 SALT -id -e` prints")]
    Hash(usize),
    /// The hash takes too much memory or time.
    #[error("user {0}: the hash takes more than {MOST_MEBIBYTES} MiB or {MOST_PASSES} passes")]
    Costly(usize),
    /// Two users have one name.
    #[error("user {0}: the name is taken")]
    Taken(usize),
    /// There is no user.
    #[error("there are no users")]
    Nobody,
}

impl Users {
    /// Hashes these users' passwords.
    ///
    /// # Errors
    ///
    /// [`UsersError`] if a name is not well formed or taken, or if there is none.
    pub fn with_passwords(users: &[(&str, &str)]) -> Result<Self, UsersError> {
        let hashed = users.iter().map(|(name, password)| (*name, hash(password)));
        Self::collect(hashed)
    }

    /// Reads a file of lines `name:hash`, where the hash is a PHC string such as `$argon2id$v=19$m=19456,t=2,p=1$..`.
    /// Empty lines, and those that begin with `#`, are skipped.
    pub(crate) fn read(path: &Path) -> Result<Self, UsersError> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| UsersError::Read(path.display().to_string(), error))?;
        Self::parse(&text)
    }

    fn parse(text: &str) -> Result<Self, UsersError> {
        let lines = text.lines().map(str::trim);
        let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
        Self::collect(lines.map(|line| {
            let (name, hash) = line.split_once(':').unwrap_or((line, ""));
            (name, hash.to_owned())
        }))
    }

    fn collect<'a>(users: impl Iterator<Item = (&'a str, String)>) -> Result<Self, UsersError> {
        let mut hashes = HashMap::new();
        let mut decoy = None;
        for (number, (name, hash)) in (1..).zip(users) {
            let name = UserName::new(name).ok_or(UsersError::Name(number))?;
            let hash = Hash::parse(&hash).ok_or(UsersError::Hash(number))?;
            if hash.is_costly() {
                return Err(UsersError::Costly(number));
            }
            // The decoy takes as long as most others, whatever parameters they have.
            decoy.get_or_insert_with(|| hash.clone());
            if hashes.insert(name, hash).is_some() {
                return Err(UsersError::Taken(number));
            }
        }
        let decoy = decoy.ok_or(UsersError::Nobody)?;
        Ok(Self { hashes, decoy })
    }

    /// Memory to verify passwords in: room for the largest of the hashes, of which none is used yet.
    pub(crate) fn memory(&self) -> Vec<Block> {
        let largest = self.hashes.values().map(Hash::blocks).max();
        Vec::with_capacity(largest.unwrap_or_default())
    }

    /// Whether there is such a user, with this password. It takes as long if there is no such user. Blocks. The memory
    /// is this list's; one that has been used is used again, and never grows.
    pub(crate) fn verify(&self, name: &UserName, password: &str, memory: &mut Vec<Block>) -> bool {
        let known = self.hashes.get(name);
        let hash = known.unwrap_or(&self.decoy);
        let blocks = memory.len().max(hash.blocks());
        memory.resize(blocks, Block::new());
        hash.is_of(password, memory) && known.is_some()
    }
}

/// Hashes a password. Blocks.
fn hash(password: &str) -> String {
    let mut salt = [0; 16];
    getrandom::fill(&mut salt).expect("the operating system returns random bits");
    let hashed = || -> Result<String, password_hash::Error> {
        let salt = SaltString::encode_b64(&salt)?;
        let hash = Argon2::default().hash_password(password.as_bytes(), &salt)?;
        Ok(hash.to_string())
    };
    hashed().expect("the salt has a right length, and a password any")
}

/// Returns a password of 60 random bits, in letters and digits that look unlike each other.
pub(crate) fn random_password() -> String {
    const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let mut bytes = [0; 12];
    getrandom::fill(&mut bytes).expect("the operating system returns random bits");
    let characters = bytes.map(|byte| char::from(ALPHABET[usize::from(byte % 32)]));
    let groups: Vec<String> = characters
        .chunks(4)
        .map(|group| group.iter().collect())
        .collect();
    groups.join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_short_and_plain() {
        for name in ["a", "ann", "r2-d2", &"x".repeat(32)] {
            assert!(UserName::new(name).is_some(), "{name}");
        }
        for name in [
            "",
            "Ann",
            "a b",
            "a:b",
            "\u{e4}",
            "<b>",
            "a\n",
            &"x".repeat(33),
        ] {
            assert!(UserName::new(name).is_none(), "{name:?}");
        }
    }

    #[test]
    fn a_group_is_its_users() {
        let ann = UserName::new("ann").unwrap();
        assert_eq!(UserName::of_group(&ann.group()), Some(ann));
        for other in ["ann", "tenant:ann", "user:", "user:A"] {
            assert_eq!(UserName::of_group(&other.into()), None);
        }
    }

    #[test]
    fn only_the_right_password_of_a_user_is_right() {
        let users = Users::with_passwords(&[("ann", "secret"), ("bob", "")]).unwrap();
        let mut memory = users.memory();
        for (name, password, right) in [
            ("ann", "secret", true),
            ("ann", "Secret", false),
            ("ann", "", false),
            ("bob", "", true),
            ("eve", "secret", false),
        ] {
            assert_eq!(
                users.verify(&UserName::new(name).unwrap(), password, &mut memory),
                right,
                "{name}"
            );
        }
    }

    /// Printed by `echo -n secret | argon2 saltsalt -id -e`.
    const PRINTED: &str =
        "$argon2id$v=19$m=4096,t=3,p=1$c2FsdHNhbHQ$OLeWCvLwvsLRPgRDUFsaPr4TPYfqZKBxQuyYI2VLP2w";

    #[test]
    fn hashes_of_all_kinds_are_verified_in_one_memory() {
        let mut hashes = vec![PRINTED.to_owned()];
        let algorithms = [Algorithm::Argon2i, Algorithm::Argon2d, Algorithm::Argon2id];
        for algorithm in algorithms {
            for version in [Version::V0x10, Version::V0x13] {
                for (memory, passes, lanes, output) in [(8, 1, 1, 16), (100, 3, 2, 64)] {
                    let params = Params::new(memory, passes, lanes, Some(output)).unwrap();
                    let salt = SaltString::encode_b64(b"a few bytes").unwrap();
                    let argon2 = Argon2::new(algorithm, version, params);
                    let hash = argon2.hash_password(b"secret", &salt).unwrap();
                    hashes.push(hash.to_string());
                }
            }
        }
        let names: Vec<_> = (0..hashes.len())
            .map(|number| format!("user{number}"))
            .collect();
        let users = names.iter().map(String::as_str).zip(hashes);
        let users = Users::collect(users).unwrap();
        let mut memory = users.memory();
        assert_eq!(memory.capacity(), 4096);
        let place = memory.as_ptr();
        for name in names {
            let name = UserName::new(&name).unwrap();
            assert!(users.verify(&name, "secret", &mut memory), "{name}");
            assert!(!users.verify(&name, "Secret", &mut memory), "{name}");
        }
        assert_eq!((memory.as_ptr(), memory.len()), (place, 4096));
    }

    #[test]
    fn a_hash_that_takes_too_much_is_refused() {
        let told = |costs: &str| {
            Users::parse(&format!("ann:{}", PRINTED.replace("m=4096,t=3", costs)))
                .map_err(|error| error.to_string())
                .map(|users| users.hashes.len())
        };
        let costly = Err("user 1: the hash takes more than 64 MiB or 16 passes".to_owned());
        assert_eq!(told("m=65536,t=16"), Ok(1));
        assert_eq!(told("m=65537,t=1"), costly);
        assert_eq!(told("m=4294967295,t=1"), costly);
        assert_eq!(told("m=8,t=17"), costly);
    }

    #[test]
    fn a_file_has_a_user_on_each_line() {
        let users =
            Users::parse(&format!("# the users\n\nann:{PRINTED}\n bob:{PRINTED} \n")).unwrap();
        assert_eq!(users.hashes.len(), 2);
        let told = |text: &str| Users::parse(text).unwrap_err().to_string();
        assert_eq!(told(""), "there are no users");
        assert!(told(&format!("Ann:{PRINTED}")).starts_with("user 1: a name has 1 to 32"));
        assert!(told("ann").starts_with("user 1: `name:hash`"));
        let mistake = told(&format!("ann:{PRINTED}\nbob:secret"));
        assert!(
            mistake.starts_with("user 2: ") && !mistake.contains("secret"),
            "{mistake}"
        );
        assert_eq!(
            told(&format!("ann:{PRINTED}\nann:{PRINTED}")),
            "user 2: the name is taken"
        );
    }

    #[test]
    fn a_password_for_a_start_is_long_and_new() {
        let (one, other) = (random_password(), random_password());
        assert_ne!(one, other);
        assert_eq!(one.len(), 14);
    }
}
