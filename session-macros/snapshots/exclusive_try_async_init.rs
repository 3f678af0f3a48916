#[automatically_derived]
impl ::session_core::SessionProperties for Set {
    const DESCRIPTION: ::session_core::__private::SetDescription = ::session_core::__private::SetDescription::new(
        "Set",
        &[
            ::session_core::__private::CellDescription::new(
                "connection",
                ::core::any::type_name::<Connection>,
            ),
        ],
    );
    type Home = ::session_core::Session;
    fn bind(
        seed: &::session_core::__private::Seed<'_>,
    ) -> ::core::result::Result<Self, ::session_core::PropsError> {
        seed.check_state::<App>()?;
        ::core::result::Result::Ok(Self {
            connection: ::session_core::__private::exclusive::<Connection>(seed, 0),
        })
    }
}
#[automatically_derived]
impl ::session_core::LivesIn<::session_core::Session> for Set {}
impl Set {
    /// Opened on first use.
    ///
    /// Made on first use, once per session; lent to one caller at a time.
    ///
    /// # Errors
    ///
    /// If its initialiser fails, panics or would wait for itself, it is lent for too long, or the session has ended.
    #[allow(dead_code)]
    pub fn connection(
        &self,
    ) -> impl ::core::future::Future<
        Output = ::core::result::Result<
            ::session_core::ExclusiveGuard<Connection>,
            ::session_core::PropertyError,
        >,
    > + ::core::marker::Send + '_ {
        ::session_core::__private::lend_async(
            &self.connection,
            |cx: ::session_core::InitContext<App, ::session_core::Session>| async move {
                ::session_core::__private::call_async(&cx, open)
                    .await
                    .result::<Connection>()
            },
            || ::session_core::__private::hook::<Connection, _>(rollback),
        )
    }
}
