#[automatically_derived]
impl ::session_core::SessionProperties for Set {
    const DESCRIPTION: ::session_core::__private::SetDescription = ::session_core::__private::SetDescription::new(
        "Set",
        &[
            ::session_core::__private::CellDescription::new(
                "log",
                ::core::any::type_name::<Log>,
            ),
        ],
    );
    type Home = ::session_core::SessionGroup;
    fn bind(
        __seed: &::session_core::__private::Seed<'_>,
    ) -> ::core::result::Result<Self, ::session_core::PropsError> {
        ::core::result::Result::Ok(Self {
            log: ::session_core::__private::property::<Log>(__seed, 0),
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
                    ::session_core::__private::any_property(&self.log),
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
    /// Made on first use, once per session group.
    ///
    /// # Errors
    ///
    /// If its initializer fails, panics or would wait for itself, or the session group has ended.
    #[allow(dead_code)]
    fn log(
        &self,
    ) -> ::core::result::Result<
        &::session_core::PropertyRef<Log>,
        ::session_core::PropertyError,
    > {
        ::session_core::__private::init(
            &self.log,
            |__cx: &::session_core::InitContext<(), ::session_core::SessionGroup>| {
                ::session_core::__private::call(__cx, open_log).result::<Log>()
            },
            || ::session_core::__private::hook::<Log, _>(Log::finish),
        )
    }
}
