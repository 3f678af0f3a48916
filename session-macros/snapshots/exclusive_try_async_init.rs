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
        __seed: &::session_core::__private::Seed<'_>,
    ) -> ::core::result::Result<Self, ::session_core::PropsError> {
        __seed.check_state::<App>()?;
        ::core::result::Result::Ok(Self {
            connection: ::session_core::__private::exclusive::<Connection>(__seed, 0),
        })
    }
    fn cell(
        &self,
        __index: u16,
    ) -> ::core::option::Option<&dyn ::session_core::__private::AnyCell>
    where
        Self: 'static,
    {
        match __index {
            0 => {
                ::core::option::Option::Some(
                    ::session_core::__private::any_exclusive(&self.connection),
                )
            }
            _ => ::core::option::Option::None,
        }
    }
}
const _: () = {
    #[allow(non_camel_case_types)]
    trait a_property_set_has_no_Drop_but_close_hooks_on_its_properties {}
    #[allow(drop_bounds)]
    impl<
        T: ::core::ops::Drop,
    > a_property_set_has_no_Drop_but_close_hooks_on_its_properties for T {}
    impl a_property_set_has_no_Drop_but_close_hooks_on_its_properties for Set {}
};
impl Set {
    /// Opened on first use.
    ///
    /// Made on first use, once per session and again after a discard; lent to one caller at a time.
    ///
    /// # Errors
    ///
    /// If its initializer fails, panics or would wait for itself, it is lent for too long, or the session has ended.
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
            |__cx: ::session_core::InitContext<App, ::session_core::Session>| async move {
                ::session_core::__private::call_async(&__cx, open)
                    .await
                    .result::<Connection>()
            },
            || ::session_core::__private::hook::<Connection, _>(rollback),
        )
    }
}
