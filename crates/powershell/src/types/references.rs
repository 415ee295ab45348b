//! `[ref]`: a value that a method or function assigns to.

use std::sync::Arc;

use crate::error::{ErrorRecord, Flow};
use crate::value::{PropertySource, PsObject, Value};

/// Full name of the type.
pub(crate) const CLASS: &str = "System.Management.Automation.PSReference";

/// A `[ref]` object over something that has a `Value` (a variable of a scope).
pub(crate) fn object(source: Arc<dyn PropertySource>) -> Value {
    let mut object = PsObject::new(CLASS);
    object.source = Some(source);
    object.into()
}

/// Assigns to what a method got as `[ref]`.
pub(super) fn assign(reference: &Value, value: Value) -> Result<(), Flow> {
    if let Value::Object(object) = reference
        && object.is_type(CLASS)
    {
        return super::set_property(reference, "Value", value).map_err(Flow::from);
    }
    Err(ErrorRecord {
        decorated: true,
        ..ErrorRecord::new(
            "Argument: '2' should be a System.Management.Automation.PSReference. Use [ref].",
            "NonRefArgumentToRefParameterMsg",
            "NotSpecified",
            "System.Management.Automation.MethodException",
        )
    }
    .into())
}
