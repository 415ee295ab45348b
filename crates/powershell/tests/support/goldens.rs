//! Goldens written by the genuine PowerShell, and the words of 5.1 where .NET changed its own.
#![allow(unreachable_pub, dead_code)]

use std::collections::BTreeMap;

use serde_json::Value as Json;

/// The cases of a file.
pub fn golden(name: &str) -> Vec<Json> {
    let path = format!("{}/tests/goldens/{name}.jsonl", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).unwrap().lines().filter(|l| !l.is_empty()).map(|l| serde_json::from_str(l).unwrap()).collect()
}

/// Answers of 5.1 that differ, by script.
pub fn differences() -> BTreeMap<String, Json> {
    golden("differences-5.1").into_iter().map(|d| (d["script"].as_str().unwrap().to_string(), d)).collect()
}

/// Messages that .NET words differently since .NET Core, in the words of the .NET Framework.
pub fn as_in_5_1(message: &str) -> String {
    let mut message = message.to_string();
    for (new, old) in [
        (r"The input string '[^']*' was not in a correct format\.", "Input string was not in a correct format."),
        (r"String '[^']*' was not recognized as a valid (Boolean|DateTime|TimeSpan)\.", "String was not recognized as a valid $1."),
        (
            r"The string '[^']*' was not recognized as a valid DateTime\. There is an unknown word starting at index '(\d+)'\.",
            "The string was not recognized as a valid DateTime. There is an unknown word starting at index $1.",
        ),
        (r" \(Parameter '([^']*)'\)", "\r\nParameter name: $1"),
        (r" One or more parameters issued cannot be used together or an insufficient number of parameters were provided\.", ""),
    ] {
        message = regex::Regex::new(new).unwrap().replace_all(&message, old).into_owned();
    }
    message
}
