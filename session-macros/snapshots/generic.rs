#[automatically_derived]
impl<T: Store, const N: usize> ::session_core::SessionProperties for Set<T, N>
where
    T: Clone,
{
    const DESCRIPTION: ::session_core::__private::SetDescription = ::session_core::__private::SetDescription::new(
        "Set",
        &[
            ::session_core::__private::CellDescription::new(
                "store",
                ::core::any::type_name::<T>,
            ),
            ::session_core::__private::CellDescription::new(
                "type",
                ::core::any::type_name::<[u8; N]>,
            ),
        ],
    );
    type Home = ::session_core::Session;
    fn bind(
        __seed: &::session_core::__private::Seed<'_>,
    ) -> ::core::result::Result<Self, ::session_core::PropsError> {
        ::core::result::Result::Ok(Self {
            store: ::session_core::__private::property::<T>(__seed, 0),
            r#type: ::session_core::__private::property::<[u8; N]>(__seed, 1),
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
                    ::session_core::__private::any_property(&self.store),
                )
            }
            1 => {
                ::core::option::Option::Some(
                    ::session_core::__private::any_property(&self.r#type),
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
    impl<
        T: Store,
        const N: usize,
    > a_property_set_has_no_Drop_but_close_hooks_on_its_properties for Set<T, N>
    where
        T: Clone,
    {}
};
impl<T: Store, const N: usize> Set<T, N>
where
    T: Clone,
{
    /// Made on first use, once per session.
    ///
    /// # Errors
    ///
    /// If its initializer panics or would wait for itself, or the session has ended.
    #[allow(dead_code)]
    fn store(
        &self,
    ) -> ::core::result::Result<
        &::session_core::PropertyRef<T>,
        ::session_core::PropertyError,
    > {
        ::session_core::__private::init(
            &self.store,
            |__cx: &::session_core::InitContext<(), ::session_core::Session>| {
                ::session_core::__private::call(__cx, T::open).value::<T>()
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
    fn r#type(
        &self,
    ) -> ::core::result::Result<
        &::session_core::PropertyRef<[u8; N]>,
        ::session_core::PropertyError,
    > {
        ::session_core::__private::init(
            &self.r#type,
            |_: &::session_core::InitContext<(), ::session_core::Session>| {
                ::core::result::Result::Ok(
                    <[u8; N] as ::core::default::Default>::default(),
                )
            },
            ::session_core::__private::no_hook,
        )
    }
}
