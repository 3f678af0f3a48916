//! Sets with parameters: the bounds are those of the struct, and each choice of parameters is a set of its
//! own.

use std::fmt::Display;

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
