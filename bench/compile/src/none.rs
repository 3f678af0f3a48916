#[path = "values.rs"]
pub mod values;
