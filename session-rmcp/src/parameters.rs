//! The parameters of a tool that takes handles.

use std::borrow::Cow;
use std::cell::RefCell;

use rmcp::ErrorData;
use rmcp::handler::server::common::FromContextPart;
use rmcp::handler::server::tool::ToolCallContext;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::caller::Caller;

/// The parameters of a tool, with [handles](crate::Handle) among them, at any depth.
///
/// It takes the place of rmcp's [`Parameters`](rmcp::handler::server::wrapper::Parameters), which does not know the client
/// of the call. The name is the same because rmcp's macro finds the schema of a tool by it.
#[derive(Clone, Debug)]
pub struct Parameters<T>(pub T);

thread_local! {
    /// The caller whose parameters are being parsed on this thread.
    static CALLER: RefCell<Option<Caller>> = const { RefCell::new(None) };
}

pub(crate) fn current_caller() -> Option<Caller> {
    CALLER.with_borrow(Clone::clone)
}

/// Parses for a caller. A parse does not leave its thread.
fn parse<T: DeserializeOwned>(caller: Caller, arguments: Value) -> serde_json::Result<T> {
    struct Restore(Option<Caller>);
    impl Drop for Restore {
        fn drop(&mut self) {
            CALLER.set(self.0.take());
        }
    }
    let _restore = Restore(CALLER.replace(Some(caller)));
    serde_json::from_value(arguments)
}

impl<S, T: DeserializeOwned> FromContextPart<ToolCallContext<'_, S>> for Parameters<T> {
    fn from_context_part(context: &mut ToolCallContext<'_, S>) -> Result<Self, ErrorData> {
        let caller = Caller::of(context)?;
        let arguments = context.arguments.take().unwrap_or_default();
        let parsed = parse(caller, Value::Object(arguments));
        parsed
            .map(Self)
            .map_err(|error| ErrorData::invalid_params(error.to_string(), None))
    }
}

impl<T: JsonSchema> JsonSchema for Parameters<T> {
    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}
