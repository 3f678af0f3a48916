//! A property set in use, whatever its type.

use std::any::{Any, TypeId};

use crate::store::description::SetDescription;

pub(crate) trait AnySet: Any + Send + Sync {
    /// The set's type.
    fn set(&self) -> TypeId;

    fn description(&self) -> SetDescription;
}
