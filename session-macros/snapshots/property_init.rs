#[automatically_derived]
impl ::session_core::SessionProperties for Set {
    const DESCRIPTION: ::session_core::__private::SetDescription = ::session_core::__private::SetDescription::new(
        "Set",
        &[
            ::session_core::__private::CellDescription::new(
                "runners",
                ::core::any::type_name::<Runners>,
            ),
            ::session_core::__private::CellDescription::new(
                "cursor",
                ::core::any::type_name::<Cursor>,
            ),
        ],
    );
    type Home = ::session_core::Session;
    fn bind(
        __seed: &::session_core::__private::Seed<'_>,
    ) -> ::core::result::Result<Self, ::session_core::PropsError> {
        __seed.check_state::<App>()?;
        ::core::result::Result::Ok(Self {
            runners: ::session_core::__private::property::<Runners>(__seed, 0),
            cursor: ::session_core::__private::property::<Cursor>(__seed, 1),
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
                    ::session_core::__private::any_property(&self.runners),
                )
            }
            1 => {
                ::core::option::Option::Some(
                    ::session_core::__private::any_property(&self.cursor),
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
    /// Queries that run.
    ///
    /// Made on first use, once per session.
    ///
    /// # Errors
    ///
    /// If its initializer panics or would wait for itself, or the session has ended.
    #[allow(dead_code)]
    pub fn runners(
        &self,
    ) -> ::core::result::Result<
        &::session_core::PropertyRef<Runners>,
        ::session_core::PropertyError,
    > {
        ::session_core::__private::init(
            &self.runners,
            |__cx: &::session_core::InitContext<App, ::session_core::Session>| {
                ::session_core::__private::call(__cx, Runners::new).value::<Runners>()
            },
            ::session_core::__private::no_hook,
        )
    }
    /// Made on first use, once per session.
    ///
    /// # Errors
    ///
    /// If its initializer panics or would wait for itself, or the session has ended.
    #[allow(dead_code)]
    pub(crate) fn cursor(
        &self,
    ) -> ::core::result::Result<
        &::session_core::PropertyRef<Cursor>,
        ::session_core::PropertyError,
    > {
        ::session_core::__private::init(
            &self.cursor,
            |__cx: &::session_core::InitContext<App, ::session_core::Session>| ::session_core::__private::Closure::<
                Cursor,
            >::value(__cx, |cx| Cursor::of(cx.state())),
            ::session_core::__private::no_hook,
        )
    }
}
