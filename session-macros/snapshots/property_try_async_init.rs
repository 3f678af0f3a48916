#[automatically_derived]
impl ::framework::sessions::SessionProperties for Set {
    const DESCRIPTION: ::framework::sessions::__private::SetDescription = ::framework::sessions::__private::SetDescription::new(
        "Set",
        &[
            ::framework::sessions::__private::CellDescription::new(
                "socket",
                ::core::any::type_name::<Socket>,
            ),
        ],
    );
    type Home = ::framework::sessions::Session;
    fn bind(
        __seed: &::framework::sessions::__private::Seed<'_>,
    ) -> ::core::result::Result<Self, ::framework::sessions::PropsError> {
        ::core::result::Result::Ok(Self {
            socket: ::framework::sessions::__private::property::<Socket>(__seed, 0),
        })
    }
    fn cell(
        &self,
        __index: u16,
    ) -> ::core::option::Option<&dyn ::framework::sessions::__private::AnyCell>
    where
        Self: 'static,
    {
        match __index {
            0 => {
                ::core::option::Option::Some(
                    ::framework::sessions::__private::any_property(&self.socket),
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
    /// If its initializer fails, panics or would wait for itself, or the session has ended.
    #[allow(dead_code)]
    pub fn socket(
        &self,
    ) -> impl ::core::future::Future<
        Output = ::core::result::Result<
            &::framework::sessions::PropertyRef<Socket>,
            ::framework::sessions::PropertyError,
        >,
    > + ::core::marker::Send + '_ {
        ::framework::sessions::__private::init_async(
            &self.socket,
            |
                __cx: ::framework::sessions::InitContext<
                    (),
                    ::framework::sessions::Session,
                >|
            async move {
                ::framework::sessions::__private::call_async(&__cx, connect)
                    .await
                    .result::<Socket>()
            },
            || ::framework::sessions::__private::hook_closure::<
                Socket,
                _,
                _,
            >(|socket| socket.shutdown()),
        )
    }
}
