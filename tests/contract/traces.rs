//! Log lines of initializers and hooks are in a span that names the set and the property as the user did.

use std::fmt::{Debug, Write as _};

use session_core::{
    Exclusive, InitContext, LocalSession, Property, PropertyError, PropertyKey, SessionProperties,
};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::{Event, Level, Subscriber};
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

/// Keeps the session that each warning names.
struct Named(Log);

/// The field `subject` of an event.
struct SubjectField(Option<String>);

impl Visit for SubjectField {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() == "subject" {
            self.0 = Some(format!("{value:?}"));
        }
    }
}

impl<S: Subscriber> Layer<S> for Named {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if *event.metadata().level() == Level::WARN {
            let mut subject = SubjectField(None);
            event.record(&mut subject);
            self.0.add(subject.0.unwrap_or_default());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_property_that_a_session_cannot_have_is_logged_with_the_session() {
    const NOTE: PropertyKey<u64> = PropertyKey::new("note");
    let log = Log::default();
    let _subscribed = subscribe(Named(log.clone()));
    let sessions = manager();
    let session = sessions.create().unwrap();
    let refused = session
        .properties()
        .get_or_try_init(&NOTE, || Err("no note"));
    assert!(matches!(refused, Err(PropertyError::Failed(_))));
    let desk = session.props::<Desk>().unwrap();
    let _lent = desk.paper().await.unwrap();
    let busy = desk.paper().await;
    assert!(matches!(busy, Err(PropertyError::Busy)));
    let named = format!("session {}", session.serial());
    assert_eq!(log.entries(), [named.clone(), named]);
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
            r#"initialize set="the desk" property="the pen""#,
            r#"initialize set="the desk" property="paper""#,
            r#"initialize property="note""#,
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
