//! Expectations about what a command said.

use std::collections::BTreeMap;

use firedrill_syntax::Located;
use schemars::JsonSchema;
use serde::Deserialize;

/// An error; what is left out is not looked at. `fails: {}` is content with any error.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ErrorExpectation {
    /// The whole message, byte for byte, without the name of the command before it.
    #[serde(default)]
    pub message: Option<Located<String>>,
    /// A part of the message.
    #[serde(default)]
    pub contains: Option<Located<String>>,
    /// `FullyQualifiedErrorId`, or its part before the comma.
    #[serde(default)]
    pub error_id: Option<Located<String>>,
    /// `CategoryInfo.Category`.
    #[serde(default)]
    pub category: Option<Located<String>>,
    /// How many errors there are in all.
    #[serde(default)]
    pub count: Option<Located<u32>>,
}

/// Text; what is left out is not looked at.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TextExpectation {
    /// All of it, without blank lines and spaces at the ends.
    #[serde(default)]
    pub is: Option<Located<String>>,
    /// Parts that occur in it, in any order.
    #[serde(default)]
    pub contains: Vec<Located<String>>,
    /// Parts that do not occur in it.
    #[serde(default)]
    pub lacks: Vec<Located<String>>,
    /// A regular expression that matches somewhere; `(?m)` lets `^` and `$` match at lines.
    #[serde(default)]
    pub matches: Option<Located<String>>,
}

/// Objects in the output. Values are compared with what the console prints for the property, without regard to case;
/// `*` stands for any characters.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ObjectsExpectation {
    /// How many.
    #[serde(default)]
    pub count: Option<Located<u32>>,
    /// Property values that every object has.
    #[serde(default)]
    pub all: BTreeMap<Located<String>, Located<String>>,
    /// Property values that some object has; all of them on the same object.
    #[serde(default)]
    pub any: BTreeMap<Located<String>, Located<String>>,
    /// Property values that no object has together.
    #[serde(default)]
    pub none: BTreeMap<Located<String>, Located<String>>,
    /// The objects one by one: each entry names property values of one object, in order.
    #[serde(default)]
    pub are: Vec<BTreeMap<Located<String>, Located<String>>>,
}
