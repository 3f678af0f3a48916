#[automatically_derived]
impl ::session_core::SessionProperties for Set {
    const DESCRIPTION: ::session_core::__private::SetDescription = ::session_core::__private::SetDescription::new(
        "Set",
        &[
            ::session_core::__private::CellDescription::new(
                "user",
                ::core::any::type_name::<User>,
            ),
        ],
    );
    type Home = ::session_core::Session;
    fn bind(
        __seed: &::session_core::__private::Seed<'_>,
    ) -> ::core::result::Result<Self, ::session_core::PropsError> {
        ::core::result::Result::Ok(Self {
            user: ::session_core::__private::property::<User>(__seed, 0),
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
                    ::session_core::__private::any_property(&self.user),
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
    /// The user who logged in.
    ///
    /// `None` until `set_user` has put a value there.
    #[allow(dead_code)]
    pub fn user(&self) -> ::core::option::Option<&::session_core::PropertyRef<User>> {
        ::session_core::__private::get(&self.user)
    }
    /// Sets `user`, once.
    ///
    /// # Errors
    ///
    /// Hands the value back if there is one already, or the session has ended.
    #[allow(dead_code, non_snake_case)]
    pub fn set_user(
        &self,
        new_value: User,
    ) -> ::core::result::Result<
        &::session_core::PropertyRef<User>,
        ::session_core::Refused<User>,
    > {
        ::session_core::__private::set(
            &self.user,
            new_value,
            || ::session_core::__private::hook::<User, _>(audit),
        )
    }
}
