#[automatically_derived]
impl ::session_core::SessionProperties for Set {
    const DESCRIPTION: ::session_core::__private::SetDescription = ::session_core::__private::SetDescription::new(
        "Set",
        &[
            ::session_core::__private::CellDescription::new(
                "upload",
                ::core::any::type_name::<Upload>,
            ),
        ],
    );
    type Home = ::session_core::Session;
    fn bind(
        __seed: &::session_core::__private::Seed<'_>,
    ) -> ::core::result::Result<Self, ::session_core::PropsError> {
        ::core::result::Result::Ok(Self {
            upload: ::session_core::__private::exclusive::<Upload>(__seed, 0),
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
                    ::session_core::__private::any_exclusive(&self.upload),
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
    /// `None` until `set_upload` has put a value there; lent to one caller at a time.
    ///
    /// # Errors
    ///
    /// If it is lent for too long, or the session has ended.
    #[allow(dead_code)]
    pub fn upload(
        &self,
    ) -> impl ::core::future::Future<
        Output = ::core::result::Result<
            ::core::option::Option<::session_core::ExclusiveGuard<Upload>>,
            ::session_core::PropertyError,
        >,
    > + ::core::marker::Send + '_ {
        ::session_core::__private::lend_present(&self.upload)
    }
    /// Sets `upload`, once, and again after a discard.
    ///
    /// # Errors
    ///
    /// Hands the value back if there is one already, or the session has ended.
    #[allow(dead_code, non_snake_case)]
    pub fn set_upload(
        &self,
        new_value: Upload,
    ) -> ::core::result::Result<(), ::session_core::Refused<Upload>> {
        ::session_core::__private::set_exclusive(
            &self.upload,
            new_value,
            ::session_core::__private::no_hook,
        )
    }
}
