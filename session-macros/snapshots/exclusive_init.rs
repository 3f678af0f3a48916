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
                "moves",
                ::core::any::type_name::<Vec<Move>>,
            ),
        ],
    );
    type Home = ::session_core::Session;
    fn bind(
        __seed: &::session_core::__private::Seed<'_>,
    ) -> ::core::result::Result<Self, ::session_core::PropsError> {
        ::core::result::Result::Ok(Self {
            game: ::session_core::__private::exclusive::<Game>(__seed, 0),
            moves: ::session_core::__private::exclusive::<Vec<Move>>(__seed, 1),
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
                    ::session_core::__private::any_exclusive(&self.game),
                )
            }
            1 => {
                ::core::option::Option::Some(
                    ::session_core::__private::any_exclusive(&self.moves),
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
    /// Made on first use, once per session and again after a discard; lent to one caller at a time.
    ///
    /// # Errors
    ///
    /// If its initializer panics or would wait for itself, it is lent for too long, or the session has ended.
    #[allow(dead_code)]
    pub fn game(
        &self,
    ) -> impl ::core::future::Future<
        Output = ::core::result::Result<
            ::session_core::ExclusiveGuard<Game>,
            ::session_core::PropertyError,
        >,
    > + ::core::marker::Send + '_ {
        ::session_core::__private::lend(
            &self.game,
            |__cx: &::session_core::InitContext<(), ::session_core::Session>| {
                ::session_core::__private::call(__cx, Game::new).value::<Game>()
            },
            ::session_core::__private::no_hook,
        )
    }
    /// Made on first use, once per session and again after a discard; lent to one caller at a time.
    ///
    /// # Errors
    ///
    /// If its initializer panics or would wait for itself, it is lent for too long, or the session has ended.
    #[allow(dead_code)]
    pub fn moves(
        &self,
    ) -> impl ::core::future::Future<
        Output = ::core::result::Result<
            ::session_core::ExclusiveGuard<Vec<Move>>,
            ::session_core::PropertyError,
        >,
    > + ::core::marker::Send + '_ {
        ::session_core::__private::lend(
            &self.moves,
            |_: &::session_core::InitContext<(), ::session_core::Session>| {
                ::core::result::Result::Ok(
                    <Vec<Move> as ::core::default::Default>::default(),
                )
            },
            ::session_core::__private::no_hook,
        )
    }
}
