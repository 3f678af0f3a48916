//! Sets in function bodies, where no path leads to them.

#[tokio::test]
async fn runs() {
    use session_core::{Exclusive, InitContext, LocalSession as _, Property, SessionProperties};

    struct App;

    #[derive(SessionProperties)]
    #[session(name = "local")]
    struct Set {
        #[property(init = make)]
        number: Property<u8>,
        #[property(async_init = async |cx| load(cx).await, close = close)]
        text: Exclusive<String>,
    }

    fn make() -> u8 {
        1
    }

    async fn load(cx: &InitContext) -> String {
        tokio::task::yield_now().await;
        cx.session().is_completed().to_string()
    }

    async fn close(_: String) {}

    let (_sessions, session) = crate::session();
    let set = session.props::<Set>().unwrap();
    assert_eq!(**set.number().unwrap(), 1);
    assert_eq!(*set.text().await.unwrap(), "false");

    {
        // The same name again, in a block, with a state that no code outside can name.
        #[derive(SessionProperties)]
        #[session(state = App)]
        struct Set {
            #[property(init = |cx| { let _: &App = cx.state(); 2 })]
            number: Property<u8>,
        }

        let error = session
            .props::<Set>()
            .map(|set| set.number().map(|number| **number));
        assert!(error.is_err(), "the manager's state is another App");
    }
}
