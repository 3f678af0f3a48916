//! The door: how many guesses at a password there are, and how many are hashed at once.
//!
//! A name has few guesses, for everybody together, so that a thousand wrong passwords are refused. That alone would lock
//! out the user while a stranger goes on guessing. So a browser in which the user has logged in before keeps a token, and
//! has guesses of its own, and its passwords are hashed in a turn that strangers can't take. Only a browser that is new to
//! the user waits for its turn among strangers.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use argon2::Block;
use tokio::sync::Mutex as Queue;
use tokio::time::timeout;

use super::bucket::Bucket;
use super::problem::Problem;
use super::users::{UserName, Users};

/// The bytes of a password.
const MOST_PASSWORD_BYTES: usize = 1024;
/// The guesses of strangers are counted in so many buckets, by a secret hash of the name: names that no user has take no
/// memory, and look no different.
const BUCKETS: usize = 1024;
/// The browsers that are known for a user. A newer one takes the place of the oldest.
const MOST_BROWSERS: usize = 16;
/// How long a log-in waits for its turn to be hashed.
const PATIENCE: Duration = Duration::from_secs(5);

/// Five guesses, and then one every ten seconds.
const fn guesses() -> Bucket {
    Bucket::new(5, Duration::from_secs(10))
}

pub(crate) struct Door {
    users: Arc<Users>,
    known_turn: Turn,
    strangers_turn: Turn,
    strangers: Box<[Bucket]>,
    secret: RandomState,
    known: Mutex<HashMap<UserName, VecDeque<Browser>>>,
}

/// The turn to hash a password, with the memory to do it in. Argon2 would take new memory for each password, and the
/// allocator would keep it for each thread.
type Turn = Arc<Queue<Vec<Block>>>;

/// A browser in which a user has logged in.
struct Browser {
    token: Token,
    guesses: Arc<Bucket>,
}

/// The token of a browser: 128 random bits. It admits no client; it keeps the user's guesses apart from those of strangers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token(u128);

impl Token {
    fn random() -> Self {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).expect("the operating system returns random bits");
        Self(u128::from_ne_bytes(bytes))
    }

    pub(crate) fn encode(self) -> String {
        format!("{:032x}", self.0)
    }

    pub(crate) fn decode(text: &str) -> Option<Self> {
        u128::from_str_radix(text, 16).ok().map(Self)
    }
}

impl Door {
    pub(crate) fn new(users: Users) -> Self {
        Self {
            known_turn: Arc::new(Queue::new(users.memory())),
            strangers_turn: Arc::new(Queue::new(users.memory())),
            users: Arc::new(users),
            strangers: (0..BUCKETS).map(|_| guesses()).collect(),
            secret: RandomState::new(),
            known: Mutex::default(),
        }
    }

    /// Returns the name if this is its password, and the token that the browser should keep.
    pub(crate) async fn check(
        &self,
        name: &str,
        password: String,
        token: Option<Token>,
    ) -> Result<(UserName, Token), Problem> {
        let name = UserName::new(name).ok_or(Problem::Name)?;
        if password.len() > MOST_PASSWORD_BYTES {
            return Err(Problem::LongPassword);
        }
        let own = token.and_then(|token| self.own_guesses(&name, token));
        let is_known = own.is_some();
        let guesses = own.as_deref().unwrap_or_else(|| self.others_guesses(&name));
        guesses.take().map_err(Problem::Guesses)?;

        let turn = if is_known {
            &self.known_turn
        } else {
            &self.strangers_turn
        };
        let Ok(mut turn) = timeout(PATIENCE, Arc::clone(turn).lock_owned()).await else {
            guesses.put_back();
            return Err(Problem::Busy);
        };
        let (users, guess) = (Arc::clone(&self.users), name.clone());
        let hashing = tokio::task::spawn_blocking(move || {
            // The turn is the thread's, so that clients that hang up do not make room for more.
            users.verify(&guess, &password, &mut turn)
        });
        if !hashing.await.is_ok_and(|right| right) {
            return Err(Problem::Password);
        }
        guesses.put_back();
        let token = token.filter(|_| is_known);
        let token = token.unwrap_or_else(|| self.remember(&name));
        Ok((name, token))
    }

    fn own_guesses(&self, name: &UserName, token: Token) -> Option<Arc<Bucket>> {
        let known = self.known.lock().expect("nothing panics under it");
        let browser = known
            .get(name)?
            .iter()
            .find(|browser| browser.token == token)?;
        Some(Arc::clone(&browser.guesses))
    }

    fn others_guesses(&self, name: &UserName) -> &Bucket {
        let hash = self.secret.hash_one(name);
        #[expect(clippy::cast_possible_truncation, reason = "there are 1024")]
        &self.strangers[hash as usize % BUCKETS]
    }

    /// Adds a browser in which the user has just logged in.
    fn remember(&self, name: &UserName) -> Token {
        let token = Token::random();
        let mut known = self.known.lock().expect("nothing panics under it");
        let browsers = known.entry(name.clone()).or_default();
        if browsers.len() == MOST_BROWSERS {
            browsers.pop_front();
        }
        browsers.push_back(Browser {
            token,
            guesses: Arc::new(guesses()),
        });
        token
    }
}

#[cfg(test)]
mod tests {
    use futures_util::future::join_all;
    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn when_too_many_log_in_at_once_the_rest_is_told_so_and_loses_no_guess() {
        let door = Door::new(Users::with_passwords(&[("ann", "the sea")]).unwrap());
        let hashing = door.strangers_turn.lock().await;
        for _ in 0..10 {
            let refused = door.check("ann", "the sea".into(), None).await;
            assert!(matches!(refused, Err(Problem::Busy)));
        }
        drop(hashing);
        assert!(door.check("ann", "the sea".into(), None).await.is_ok());
    }

    /// A client that hangs up frees no turn, since its password is still being hashed.
    #[tokio::test]
    async fn no_more_are_hashed_at_once_than_there_are_turns() {
        let door = Door::new(Users::with_passwords(&[("ann", "the sea")]).unwrap());
        let guess = door.check("ann", "wrong".into(), None);
        tokio::select! {
            biased;
            _ = guess => unreachable!("it takes longer than one poll"),
            () = std::future::ready(()) => {}
        }
        assert!(door.strangers_turn.try_lock().is_err());
        // It comes back when the thread is done, which has hashed it all.
        assert_eq!(door.strangers_turn.lock().await.len(), 19 << 10);
    }

    #[tokio::test(start_paused = true)]
    async fn strangers_hold_up_no_browser_that_is_known() {
        let door = Door::new(Users::with_passwords(&[("ann", "the sea")]).unwrap());
        let first = door.check("ann", "the sea".into(), None).await;
        let (_, token) = first.ok().unwrap();
        let _strangers = door.strangers_turn.lock().await;
        let before = Instant::now();
        let again = door.check("ann", "the sea".into(), Some(token)).await;
        assert!(again.is_ok());
        assert_eq!(before.elapsed(), Duration::ZERO);
        for token in [None, Some(Token(0))] {
            let stranger = door.check("ann", "the sea".into(), token).await;
            assert!(matches!(stranger, Err(Problem::Busy)));
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn passwords_are_hashed_in_the_memory_of_their_turn() {
        let door = Door::new(Users::with_passwords(&[("ann", "the sea")]).unwrap());
        let place = door.strangers_turn.lock().await.as_ptr() as usize;
        let names: Vec<_> = (0..20).map(|number| format!("nobody{number}")).collect();
        let guesses = names
            .iter()
            .map(|name| door.check(name, "a guess".into(), None));
        for refused in join_all(guesses).await {
            assert!(matches!(refused, Err(Problem::Password)));
        }
        let memory = door.strangers_turn.lock().await;
        assert_eq!((memory.as_ptr() as usize, memory.len()), (place, 19 << 10));
    }

    #[tokio::test(start_paused = true)]
    async fn only_the_last_browsers_of_a_user_are_known() {
        let door = Door::new(Users::with_passwords(&[("ann", "the sea")]).unwrap());
        let ann = UserName::new("ann").unwrap();
        let first = door.remember(&ann);
        for _ in 1..MOST_BROWSERS {
            door.remember(&ann);
        }
        assert!(door.own_guesses(&ann, first).is_some());
        door.remember(&ann);
        assert!(door.own_guesses(&ann, first).is_none());
        assert_eq!(
            Token::decode(&first.encode()).map(|token| token.0),
            Some(first.0)
        );
    }
}
