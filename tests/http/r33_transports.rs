//! Row 33: ids in cookies and in headers, and where each client is answered.

use axum::Router;
use session_axum::{HeaderTransport, SessionTransport as _};
use session_core::SessionManager;

use crate::kit::{is_superseded, manager, no_store, text};
use crate::r33_places::{MADE_UP, Place, app, cookie, get, header};

/// A request's standing in one place, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Standing {
    Stranger,
    Unknown,
    Superseded,
    Live,
}

/// A client's id, and what it is worth.
#[derive(Clone, Copy, Debug)]
enum Id {
    Absent,
    Malformed,
    Unknown,
    Superseded,
    Live,
}

impl Id {
    const ALL: [Self; 5] = [
        Self::Absent,
        Self::Malformed,
        Self::Unknown,
        Self::Superseded,
        Self::Live,
    ];

    fn create(self, sessions: &SessionManager) -> Option<String> {
        match self {
            Self::Absent => None,
            Self::Malformed => Some(format!("{MADE_UP}=")),
            Self::Unknown => Some(MADE_UP.to_owned()),
            Self::Superseded => {
                let session = sessions.create().unwrap();
                let id = session.id();
                drop(session.terminate_and_supersede());
                Some(id.encode())
            }
            Self::Live => Some(sessions.create().unwrap().id().encode()),
        }
    }

    fn standing(self) -> Standing {
        match self {
            Self::Absent | Self::Malformed => Standing::Stranger,
            Self::Unknown => Standing::Unknown,
            Self::Superseded => Standing::Superseded,
            Self::Live => Standing::Live,
        }
    }
}

/// All pairs of ids in two places. `check` gets them, the place that is to be answered, and the best standing.
async fn with_all_pairs<F: Future<Output = ()>>(
    check: impl Fn(SessionManager, Router, Vec<(Place, String)>, Place, Standing) -> F,
) {
    use Place::{Bearer, Cookie, Header};
    for [first, second] in [[Cookie, Header], [Header, Cookie], [Cookie, Bearer]] {
        for (one, other) in Id::ALL
            .map(|one| Id::ALL.map(|other| (one, other)))
            .concat()
        {
            let sessions = manager();
            let app = match [first, second] {
                [Cookie, Header] => app(&sessions, cookie().or(header())),
                [Header, _] => app(&sessions, header().or(cookie())),
                _ => app(&sessions, cookie().or(HeaderTransport::bearer())),
            };
            let ids = [(first, one), (second, other)].into_iter();
            let ids = ids.filter_map(|(place, id)| Some((place, id.create(&sessions)?)));
            let ids = ids.collect();
            let best = one.standing().max(other.standing());
            let counts = if one.standing() == best {
                first
            } else {
                second
            };
            check(sessions, app, ids, counts, best).await;
        }
    }
}

fn by_ref(ids: &[(Place, String)]) -> Vec<(Place, &str)> {
    ids.iter().map(|(place, id)| (*place, &**id)).collect()
}

#[tokio::test]
async fn r33_live_beats_superseded_beats_unknown_wherever_they_come_from() {
    with_all_pairs(async |sessions, app, ids, counts, best| {
        let made = sessions.stats().created;
        let response = get(&app, "/session", &by_ref(&ids)).await;
        match best {
            Standing::Live => {
                let found = &ids.iter().find(|(place, _)| *place == counts).unwrap().1;
                assert_eq!(Place::answers(&response), []);
                assert_eq!(text(response).await, *found);
            }
            Standing::Superseded => {
                assert!(is_superseded(&response), "{ids:?}");
                assert_eq!(Place::answers(&response), []);
            }
            Standing::Unknown | Standing::Stranger => {
                assert!(no_store(&response));
                let [(place, id)] = &Place::answers(&response)[..] else {
                    panic!("it is told once: {ids:?}");
                };
                assert_eq!(*place, counts, "{ids:?}");
                assert_eq!(text(response).await, *id);
                assert_eq!(sessions.stats().created, made + 1);
                return;
            }
        }
        assert_eq!(sessions.stats().created, made);
    })
    .await;
}

#[tokio::test]
async fn r33_a_new_id_goes_where_the_one_that_counted_came_from_and_nowhere_else() {
    with_all_pairs(async |_, app, ids, counts, _| {
        let response = get(&app, "/log-in", &by_ref(&ids)).await;
        let told = Place::answers(&response);
        assert!(no_store(&response));
        assert_eq!(told, [(counts, text(response).await)], "{ids:?}");
        // The client is known by it, there and only there.
        let found = get(&app, "/group", &by_ref(&told)).await;
        assert_eq!(text(found).await, "user");
    })
    .await;
}

#[tokio::test]
async fn r33_an_id_is_removed_where_the_one_that_counted_came_from() {
    with_all_pairs(async |sessions, app, ids, counts, best| {
        if best < Standing::Live {
            return;
        }
        let response = get(&app, "/terminate", &by_ref(&ids)).await;
        assert!(no_store(&response));
        assert_eq!(Place::answers(&response), [(counts, String::new())]);
        assert_eq!(sessions.sessions(), [], "those in both places ended");
    })
    .await;
}

#[tokio::test]
async fn r33_any_number_of_transports_is_one() {
    let sessions = manager();
    let bearer = HeaderTransport::bearer;
    for app in [
        app(&sessions, cookie().or(header()).or(bearer())),
        app(&sessions, cookie().or(header().or(bearer()))),
    ] {
        for place in [Place::Cookie, Place::Header, Place::Bearer] {
            let id = sessions.create().unwrap().id().encode();
            let response = get(&app, "/log-in", &[(place, &id)]).await;
            assert_eq!(
                Place::answers(&response),
                [(place, text(response).await)],
                "{place:?}"
            );
        }
        let stranger = get(&app, "/session", &[]).await;
        assert!(Place::Cookie.answer(&stranger).is_some());
    }
}

#[tokio::test]
async fn r33_the_first_eight_ids_of_all_places_count() {
    let sessions = manager();
    let app = app(&sessions, cookie().or(header()));
    let id = sessions.create().unwrap().id().encode();
    for (planted, found) in [(0, "some"), (7, "some"), (8, "none")] {
        let mut ids = vec![(Place::Cookie, MADE_UP); planted];
        ids.extend([(Place::Header, "no id"), (Place::Header, &id)]);
        let response = get(&app, "/optional", &ids).await;
        assert_eq!(text(response).await, found, "after {planted}");
    }
}
