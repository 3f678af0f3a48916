::core::compile_error! {
    "unknown key `ini`: did you mean `init`?"
}
::core::compile_error! {
    "unknown key `lazy`: `#[property(...)]` takes `default`, `init`, `try_init`, `async_init`, `try_async_init`, `close`, `name`, `vis`"
}
::core::compile_error! {
    "the fields of a property set are cells: write `Property<T>`, whose value requests share, or `Exclusive<T>`, whose value is lent to one request at a time"
}
::core::compile_error! {
    "`init` names code that is called later: write `init = Runners::new`, without the call, or a closure `|| Runners::new()`"
}
#[automatically_derived]
impl ::session_core::SessionProperties for Set {
    const DESCRIPTION: ::session_core::__private::SetDescription = ::session_core::__private::SetDescription::new(
        "Set",
        &[
            ::session_core::__private::CellDescription::new(
                "game",
                ::core::any::type_name::<Game>,
            ),
            ::session_core::__private::CellDescription::new(
                "runners",
                ::core::any::type_name::<Runners>,
            ),
            ::session_core::__private::CellDescription::new(
                "notes",
                ::core::any::type_name::<Notes>,
            ),
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
        ::core::unreachable!()
    }
    fn cell(
        &self,
        __index: u16,
    ) -> ::core::option::Option<&dyn ::session_core::__private::AnyCell>
    where
        Self: 'static,
    {
        ::core::unreachable!()
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
    /// Made on first use, once per session and again after a discard; lent to one caller at a time.
    ///
    /// # Errors
    ///
    /// If its initializer panics or would wait for itself, it is lent for too long, or the session has ended.
    #[allow(dead_code)]
    fn game(
        &self,
    ) -> impl ::core::future::Future<
        Output = ::core::result::Result<
            ::session_core::ExclusiveGuard<Game>,
            ::session_core::PropertyError,
        >,
    > + ::core::marker::Send + '_ {
        ::core::future::pending()
    }
    /// Made on first use, once per session.
    ///
    /// # Errors
    ///
    /// If its initializer panics or would wait for itself, or the session has ended.
    #[allow(dead_code)]
    fn runners(
        &self,
    ) -> ::core::result::Result<
        &::session_core::PropertyRef<Runners>,
        ::session_core::PropertyError,
    > {
        ::core::unreachable!()
    }
    /// Made on first use, once per session.
    ///
    /// # Errors
    ///
    /// If its initializer panics or would wait for itself, or the session has ended.
    #[allow(dead_code)]
    fn notes(
        &self,
    ) -> ::core::result::Result<
        &::session_core::PropertyRef<Notes>,
        ::session_core::PropertyError,
    > {
        ::core::unreachable!()
    }
    /// `None` until `set_user` has put a value there.
    #[allow(dead_code)]
    fn user(&self) -> ::core::option::Option<&::session_core::PropertyRef<User>> {
        ::core::unreachable!()
    }
    /// Sets `user`, once.
    ///
    /// # Errors
    ///
    /// Hands the value back if there is one already, or the session has ended.
    #[allow(dead_code, non_snake_case)]
    fn set_user(
        &self,
        new_value: User,
    ) -> ::core::result::Result<
        &::session_core::PropertyRef<User>,
        ::session_core::Refused<User>,
    > {
        ::core::unreachable!()
    }
}
