//! What the derive prints, one file per shape of accessor. `UPDATE_EXPECT=1 cargo test -p session-macros` writes them anew.

use expect_test::{ExpectFile, expect_file};
use syn::DeriveInput;

/// Compares the expansion, as rustfmt would lay it out, with what is checked in.
fn check(set: &str, expected: &ExpectFile) {
    let input: DeriveInput = syn::parse_str(set).expect("the set is valid Rust");
    let file = syn::parse2(crate::expand(&input)).expect("the expansion is valid Rust");
    expected.assert_eq(&prettyplease::unparse(&file));
}

/// One test per snapshot: its name and the set that is expanded.
macro_rules! snapshots {
    ($($name:ident: { $($set:tt)* })*) => {$(
        #[test]
        fn $name() {
            check(
                stringify!($($set)*),
                &expect_file![concat!("../snapshots/", stringify!($name), ".rs")],
            );
        }
    )*};
}

snapshots! {
    property_default: {
        struct Set {
            /// Notes of this session.
            #[property(default)]
            pub notes: Property<Notes>,
        }
    }

    property_init: {
        #[session(state = App)]
        struct Set {
            /// Queries that run.
            #[property(init = Runners::new)]
            pub runners: Property<Runners>,
            #[property(init = |cx| Cursor::of(cx.state()), vis = pub(crate))]
            cursor: Property<Cursor>,
        }
    }

    property_try_init: {
        #[session(scope = group)]
        struct Set {
            #[property(try_init = open_log, close = Log::finish)]
            log: Property<Log>,
        }
    }

    property_async_init: {
        #[session(name = "search")]
        struct Set {
            #[property(async_init = async |cx| Index::load(cx).await, name = "the index")]
            index: Property<Index>,
        }
    }

    property_try_async_init: {
        #[session(crate = ::framework::sessions)]
        struct Set {
            #[property(try_async_init = connect, close = |socket| socket.shutdown())]
            pub socket: Property<Socket>,
        }
    }

    property_by_hand: {
        struct Set {
            /// The user who logged in.
            #[property(close = audit)]
            pub user: Property<User>,
        }
    }

    exclusive_init: {
        struct Set {
            #[property(init = Game::new)]
            pub game: Exclusive<Game>,
            #[property(default)]
            pub moves: Exclusive<Vec<Move>>,
        }
    }

    exclusive_try_async_init: {
        #[session(state = App)]
        pub struct Set {
            /// Opened on first use.
            #[property(try_async_init = open, close = rollback)]
            pub connection: Exclusive<Connection>,
        }
    }

    exclusive_by_hand: {
        struct Set {
            pub upload: Exclusive<Upload>,
        }
    }

    generic: {
        struct Set<T: Store, const N: usize = 1> where T: Clone {
            #[property(init = T::open)]
            store: Property<T>,
            #[property(default)]
            r#type: Property<[u8; N]>,
        }
    }

    // With a mistake the signatures stay, and the bodies go.
    broken: {
        struct Set {
            #[property(ini = Game::new)]
            game: Exclusive<Game>,
            #[property(init = Runners::new())]
            runners: Property<Runners>,
            #[property(lazy)]
            notes: Property<Notes>,
            user: Property<User>,
            age: u8,
        }
    }
}
