//! Sets with parameters. The bounds are those of the struct, and each choice of parameters is a separate set.

use std::fmt::Display;
use std::marker::PhantomData;

use session_core::{Exclusive, InitContext, LocalSession as _, Property, SessionProperties};
use tokio::task::yield_now;

#[derive(SessionProperties)]
#[session(state = crate::App)]
struct Set<T: Send + Sync + 'static, const N: usize = 2>
where
    T: Make<N>,
{
    #[property(init = T::make)]
    plain: Property<T>,
    #[property(init = |cx| [cx.state().greeting; N])]
    array: Property<[&'static str; N]>,
    #[property(async_init = Self::load, close = close)]
    vector: Exclusive<Vec<T>>,
    #[property(try_init = || T::make().to_string().parse::<u8>(), close = |value: u8| assert!(value > 0))]
    parsed: Property<u8>,
    by_hand: Property<Box<T>>,
}

trait Make<const N: usize>: Display {
    fn make() -> Self;
}

impl<const N: usize> Make<N> for usize {
    fn make() -> Self {
        N
    }
}

impl<T: Send + Sync + 'static + Make<N>, const N: usize> Set<T, N> {
    async fn load(_: &InitContext<crate::App>) -> Vec<T> {
        yield_now().await;
        vec![T::make()]
    }
}

async fn close<T>(value: Vec<T>) -> Result<(), String> {
    if value.is_empty() {
        Err("empty".into())
    } else {
        Ok(())
    }
}

/// Used in code that is generic itself.
async fn length<T: Send + Sync + 'static + Make<N>, const N: usize>(
    session: &session_core::Session,
) -> usize {
    let set = session.props::<Set<T, N>>().unwrap();
    set.vector().await.unwrap().push(T::make());
    set.vector().await.unwrap().len() + set.array().unwrap().len()
}

/// A set for every application that has a greeting: its state is a parameter, which nothing else mentions.
#[derive(SessionProperties)]
#[session(state = S)]
struct OfAnyState<S: Greet> {
    #[property(init = |cx| cx.state().greet().len())]
    length: Property<usize>,
    #[property(try_async_init = greeting::<S>)]
    text: Exclusive<String>,
    #[property(default)]
    relatives: Property<Vec<Relative<Self>>>,
    state: PhantomData<S>,
}

trait Greet: Send + Sync + 'static {
    fn greet(&self) -> &'static str;
}

impl Greet for crate::App {
    fn greet(&self) -> &'static str {
        self.greeting
    }
}

async fn greeting<S: Greet>(cx: &InitContext<S>) -> std::io::Result<String> {
    Ok(cx.state().greet().to_owned())
}

/// A set's description of itself.
struct Relative<T: 'static>(PhantomData<fn() -> &'static T>);

/// The cell alone may determine the type that an initializer returns.
#[derive(SessionProperties)]
struct Inferred {
    #[property(init = Vec::new)]
    plain: Property<Vec<u8>>,
    #[property(try_init = parsed)]
    parsed: Property<u16>,
    #[property(async_init = made)]
    later: Property<String>,
    #[property(init = || Box::new(5))]
    unsized_in_a_closure: Property<Box<dyn Display + Send + Sync>>,
    #[property(async_init = async || Box::new("five") as _)]
    unsized_later: Property<Box<dyn Display + Send + Sync>>,
    #[property(init = || panic!("it is not written yet"))]
    unwritten: Property<u8>,
}

fn parsed<T: std::str::FromStr>() -> Result<T, T::Err> {
    "8".parse()
}

async fn made<T: Default>() -> T {
    T::default()
}

#[tokio::test]
async fn the_state_is_a_parameter() {
    let (_sessions, session) = crate::session();
    let set = session.props::<OfAnyState<crate::App>>().unwrap();
    assert_eq!(**set.length().unwrap(), 5);
    assert_eq!(*set.text().await.unwrap(), "hello");
    assert!(set.relatives().unwrap().iter().all(|relative| {
        let Relative(PhantomData) = relative;
        true
    }));
    assert_eq!(size_of_val(&set.state), 0);
}

#[tokio::test]
async fn types_are_inferred() {
    let (_sessions, session) = crate::session();
    let set = session.props::<Inferred>().unwrap();
    assert!(set.plain().unwrap().is_empty());
    assert_eq!(**set.parsed().unwrap(), 8);
    assert!(set.later().await.unwrap().is_empty());
    assert_eq!(set.unsized_in_a_closure().unwrap().to_string(), "5");
    assert_eq!(set.unsized_later().await.unwrap().to_string(), "five");
    assert!(set.unwritten().is_err());
}

#[tokio::test]
async fn runs() {
    let (_sessions, session) = crate::session();
    let two = session.props::<Set<usize>>().unwrap();
    let three = session.props::<Set<usize, 3>>().unwrap();
    assert_eq!(**two.plain().unwrap(), 2);
    assert_eq!(**three.plain().unwrap(), 3);
    assert_eq!(**three.array().unwrap(), ["hello"; 3]);
    assert_eq!(**two.parsed().unwrap(), 2);
    assert_eq!(**three.set_by_hand(Box::new(5)).unwrap(), Box::new(5));
    assert!(two.by_hand().is_none());
    assert_eq!(length::<usize, 3>(&session).await, 5);

    drop((two, three));
    session.terminate();
    assert!(session.cleanup_completed().await.is_clean());
}
