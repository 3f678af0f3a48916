//! What initialisers and hooks log stands in a span that names the set and the property as the user did.

use std::fmt::{Debug, Write as _};

use session_core::{
    Exclusive, InitContext, LocalSession, Property, PropertyKey, SessionProperties,
};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::registry::LookupSpan;

use crate::kit::{Log, manager};
use crate::subscriber::subscribe;

#[derive(SessionProperties)]
#[session(name = "the desk")]
struct Desk {
    #[property(init = here, close = closed_here, name = "the pen")]
    pen: Property<u8>,
    #[property(try_async_init = on_a_task, close = closed_on_a_task)]
    paper: Exclusive<u16>,
    #[property(close = |_| tracing::info!("closed"))]
    user: Property<u32>,
}

fn here() -> u8 {
    tracing::info!("made");
    1
}

async fn on_a_task(_: &InitContext) -> Result<u16, String> {
    tokio::task::yield_now().await;
    tracing::info!("made");
    Ok(2)
}

fn closed_here(_: u8) {
    tracing::info!("closed");
}

async fn closed_on_a_task(_: u16) {
    tokio::task::yield_now().await;
    tracing::info!("closed");
}

/// Keeps the innermost span of each event, with its fields.
struct Innermost(Log);

/// A span as text.
struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, " {}={value:?}", field.name()).unwrap();
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Innermost {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut text = Text(attributes.metadata().name().to_owned());
        attributes.record(&mut text);
        context.span(id).unwrap().extensions_mut().insert(text);
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        if event.metadata().target() == module_path!() {
            let span = context.event_span(event).expect("there is one");
            self.0
                .add(span.extensions().get::<Text>().unwrap().0.clone());
        }
    }
}

#[tokio::test]
async fn spans_name_the_set_and_the_property() {
    const NOTE: PropertyKey<u64> = PropertyKey::new("note");
    let log = Log::default();
    let _subscribed = subscribe(Innermost(log.clone()));
    let sessions = manager();
    let session = sessions.create().unwrap();
    let desk = session.props::<Desk>().unwrap();
    assert_eq!(**desk.pen().unwrap(), 1);
    assert_eq!(*desk.paper().await.unwrap(), 2);
    desk.set_user(3).unwrap();
    let note = session.properties().get_or_init(&NOTE, || {
        tracing::info!("made");
        4
    });
    assert_eq!(*note.unwrap(), 4);
    assert_eq!(
        log.entries(),
        [
            r#"initialise set="the desk" property="the pen""#,
            r#"initialise set="the desk" property="paper""#,
            r#"initialise property="note""#,
        ]
    );

    drop(desk);
    session.terminate();
    assert!(session.cleanup_completed().await.is_clean());
    assert_eq!(
        log.entries()[3..],
        [
            r#"close set="the desk" property="user""#,
            r#"close set="the desk" property="paper""#,
            r#"close set="the desk" property="the pen""#,
        ]
    );
}
