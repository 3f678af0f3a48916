#[automatically_derived]
impl ::session_core::SessionProperties for Set {
    const DESCRIPTION: ::session_core::__private::SetDescription = ::session_core::__private::SetDescription::new(
        "search",
        &[
            ::session_core::__private::CellDescription::new(
                "the index",
                ::core::any::type_name::<Index>,
            ),
        ],
    );
    type Home = ::session_core::Session;
    fn bind(
        __seed: &::session_core::__private::Seed<'_>,
    ) -> ::core::result::Result<Self, ::session_core::PropsError> {
        ::core::result::Result::Ok(Self {
            index: ::session_core::__private::property::<Index>(__seed, 0),
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
                    ::session_core::__private::any_property(&self.index),
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
    /// Made on first use, once per session.
    ///
    /// # Errors
    ///
    /// If its initializer panics or would wait for itself, or the session has ended.
    #[allow(dead_code)]
    fn index(
        &self,
    ) -> impl ::core::future::Future<
        Output = ::core::result::Result<
            &::session_core::PropertyRef<Index>,
            ::session_core::PropertyError,
        >,
    > + ::core::marker::Send + '_ {
        ::session_core::__private::init_async(
            &self.index,
            |__cx: ::session_core::InitContext<(), ::session_core::Session>| async move {
                ::session_core::__private::AsyncClosure::<
                    Index,
                >::value(&__cx, async |cx| Index::load(cx).await)
                    .await
            },
            ::session_core::__private::no_hook,
        )
    }
}
