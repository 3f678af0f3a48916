//! Snapshots of the derive's output: one file in `snapshots/` per shape of accessor.
//! `UPDATE_EXPECT=1 cargo test -p session-macros` rewrites them.

use expect_test::{ExpectFile, expect_file};
use syn::DeriveInput;

/// Compares the expansion, laid out as by rustfmt, with the snapshot.
fn check(set: &str, expected: &ExpectFile) {
    let input: DeriveInput = syn::parse_str(set).expect("the set is valid Rust");
    let file = syn::parse2(crate::derive(&input)).expect("the expansion is valid Rust");
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

/// Every path starts from the one in `crate = ...`.
#[test]
fn the_crate_path_is_the_only_one() {
    let input: DeriveInput = syn::parse_quote! {
        #[session(crate = ::framework, state = App, scope = group)]
        struct Set {
            #[property(try_init = |cx| make(cx), close = drop)]
            made: Property<u8>,
            #[property(async_init = load, close = async |value| drop(value))]
            lent: Exclusive<u8>,
            by_hand: Property<u8>,
            by_hand_and_lent: Exclusive<u8>,
        }
    };
    let expansion = crate::derive(&input).to_string();
    assert!(!expansion.contains("session_core"), "{expansion}");
}

/// The expansion of any attribute is valid Rust and reports an error.
#[test]
fn nonsense_is_refused() {
    for attributes in [
        "#[session(,)]",
        "#[session(= group)]",
        "#[session(scope = )]",
        "#[session(scope group)]",
        "#[session(scope(group))]",
        "#[session(state = 5)]",
        "#[session(crate = ::)]",
        "#[session(crate = ::a<b>)]",
        "#[session(name = \"a\" \"b\")]",
        "#[session{scope = group}]",
        "#[session(scope = group;)]",
        "#[session(\"group\")]",
        "#[session(group)]",
        "#[session(scope = r#\"group\"#)]",
    ] {
        refuses(&format!("{attributes} struct Set {{ a: Property<u8> }}"));
    }
    for attributes in [
        "#[property(,)]",
        "#[property(init = a b)]",
        "#[property(init = , close)]",
        "#[property(init = |)]",
        "#[property(init = |cx|)]",
        "#[property(init = a::)]",
        "#[property(init == a)]",
        "#[property(init = a = b)]",
        "#[property(init += a)]",
        "#[property(init = (a()))]",
        "#[property(init = 'a')]",
        "#[property(init = move)]",
        "#[property(init = a.b)]",
        "#[property(init = &a)]",
        "#[property(init = a!())]",
        "#[property(init(a, b) = c)]",
        "#[property(close = || |value| ())]",
        "#[property(default, vis = pub(crate) pub)]",
        "#[property(default, vis = pub(nowhere))]",
        "#[property(default, name = b\"bytes\")]",
        "#[property(Property<u8>)]",
        "#[property(::default)]",
        "#[property(5)]",
        "#[property(-)]",
        "#[property((default))]",
        "#[property(default default)]",
        "#[property(self = a)]",
    ] {
        refuses(&format!(
            "struct Set {{ {attributes} a: Property<u8>, b: Exclusive<u8> }}"
        ));
    }
    for set in [
        "enum Set { #[property(default)] A(Property<u8>) }",
        "struct Set(#[property(default)] Property<u8>);",
        "struct Set<'a, T: 'a>(&'a T);",
        "struct Set { a: Property, b: Property<>, c: Property<'static>, d: Property<u8>::Assoc }",
        "struct Set { a: (), b: [Property<u8>; 2], c: &'static Property<u8>, d: fn() -> Property<u8> }",
        "struct Set { a: <T as Trait>::Property<u8>, b: Exclusive<dyn Trait, u8>, c: impl Trait }",
    ] {
        refuses(set);
    }
}

fn refuses(set: &str) {
    let input: DeriveInput = syn::parse_str(set).unwrap_or_else(|error| panic!("{set}: {error}"));
    let expansion = crate::derive(&input);
    let text = expansion.to_string();
    assert!(text.contains("compile_error"), "{set}");
    if let Err(error) = syn::parse2::<syn::File>(expansion) {
        panic!("{set}: {error}: {text}");
    }
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

    // With a mistake the signatures stay, and the bodies are left out.
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
