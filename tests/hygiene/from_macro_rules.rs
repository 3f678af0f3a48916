//! Sets that a `macro_rules!` writes. The tokens of its matchers are wrapped in invisible groups.

use session_core::LocalSession as _;

pub(crate) mod framework {
    pub(crate) use session_core::{Exclusive, Property, SessionProperties};

    /// A set of which every part comes from outside.
    macro_rules! set {
        (
            $(#[$attribute:meta])*
            $vis:vis struct $name:ident called $text:literal with $state:ty {
                $shared:ident: $shared_ty:ty = $path:path, close $close:expr;
                $lent:ident: $lent_ty:ty = $init:expr;
                $whole:ident: $whole_ty:ty;
            }
        ) => {
            $(#[$attribute])*
            #[derive($crate::from_macro_rules::framework::SessionProperties)]
            #[session(
                crate = $crate::from_macro_rules::exports,
                state = $state,
                name = $text,
            )]
            $vis struct $name {
                #[property(init = $path, close = $close, name = $text)]
                $vis $shared: $crate::from_macro_rules::framework::Property<$shared_ty>,
                #[property(async_init = $init, vis = $vis)]
                $lent: $crate::from_macro_rules::framework::Exclusive<$lent_ty>,
                $whole: $whole_ty,
            }
        };
    }

    /// The same variable name inside and outside. The closure's is used.
    macro_rules! set_with_closure {
        ($name:ident, $body:expr) => {
            #[derive($crate::from_macro_rules::framework::SessionProperties)]
            #[session(state = $crate::App)]
            struct $name {
                #[property(init = |cx| (cx.state().greeting.len(), $body))]
                length: $crate::from_macro_rules::framework::Property<(usize, u8)>,
            }
        };
    }

    pub(crate) use {set, set_with_closure};
}

pub(crate) use session_core as exports;

fn count() -> Vec<u8> {
    vec![1]
}

framework::set! {
    /// Documented.
    #[derive(Debug)]
    pub(crate) struct Set called "made by a macro" with crate::App {
        numbers: Vec<u8> = count, close |numbers| assert!(!numbers.is_empty());
        title: String = async |cx| cx.state().greeting.to_owned();
        user: framework::Property<String>;
    }
}

framework::set_with_closure!(Closure, 7);

#[tokio::test]
async fn runs() {
    let (_sessions, session) = crate::session();
    let set = session.props::<Set>().unwrap();
    assert_eq!(***set.numbers().unwrap(), [1]);
    assert_eq!(*set.title().await.unwrap(), "hello");
    set.set_user("ada".into()).unwrap();
    assert!(!format!("{:?}", *set).is_empty());
    let set = session.props::<Closure>().unwrap();
    assert_eq!(**set.length().unwrap(), (5, 7));
}
