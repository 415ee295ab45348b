//! `SecureString`, `PSCredential`, `NetworkCredential`, the parts of `Marshal` that read secrets, and who runs the session.

use std::sync::{Arc, Mutex};

use super::call::{ARGUMENT, Call, Found, INVALID, gives, len, void};
use crate::convert::shared_text;
use crate::error::Flow;
use crate::pipeline::Context;
use crate::value::{PropertySource, PsObject, Value};

const SECURE_STRING: &str = "System.Security.SecureString";
const CREDENTIAL: &str = "System.Management.Automation.PSCredential";
const NETWORK_CREDENTIAL: &str = "System.Net.NetworkCredential";

/// Text that does not show.
#[derive(Debug, Default)]
struct Secret {
    text: Mutex<String>,
    read_only: Mutex<bool>,
}

impl Secret {
    fn reveal(&self) -> String {
        self.text.lock().map(|text| text.clone()).unwrap_or_default()
    }
}

impl PropertySource for Secret {
    fn names(&self) -> Vec<Arc<str>> {
        vec!["Length".into()]
    }

    fn get(&self, name: &str) -> Option<Value> {
        name.eq_ignore_ascii_case("length").then(|| len(self.reveal().encode_utf16().count()))
    }

    fn as_any(&self) -> Option<&dyn std::any::Any> {
        Some(self)
    }
}

/// A `SecureString` that holds a text.
pub fn secure_string(text: &str) -> Value {
    let secret = Secret { text: Mutex::new(text.into()), read_only: Mutex::default() };
    let mut object = PsObject::new(SECURE_STRING).with_text(SECURE_STRING);
    object.source = Some(Arc::new(secret));
    object.into()
}

/// A `PSCredential`.
pub fn credential(user: &str, password: Value) -> Value {
    PsObject::new(CREDENTIAL).with("UserName", user).with("Password", password).with_text(CREDENTIAL).into()
}

fn secret(value: &Value) -> Option<&Secret> {
    let Value::Object(object) = value else { return None };
    object.source.as_ref()?.as_any()?.downcast_ref()
}

/// The text of a `SecureString`.
pub fn secret_of(value: &Value) -> Option<Arc<str>> {
    secret(value).map(|secret| secret.reveal().into())
}

/// Constructors.
pub(super) fn construct(call: &Call<'_>) -> Result<Option<Value>, Flow> {
    Ok(Some(match (call.class, call.count()) {
        (SECURE_STRING, 0) => secure_string(""),
        (CREDENTIAL, 2) => {
            if call.text(0).is_empty() {
                let reason = "Cannot process argument because the value of argument \"userName\" is not valid. Change the value of the \"userName\" \
                              argument and run the operation again.";
                return Err(call.threw(reason, "System.Management.Automation.PSArgumentException"));
            }
            if secret(call.value(1)).is_none() {
                return Err(call.cast(1, "password", SECURE_STRING).map_or_else(|flow| flow, |_| call.overload()));
            }
            credential(&call.text(0), call.value(1).clone())
        }
        (NETWORK_CREDENTIAL, 0..=3) => network_credential(&call.text(0), call.value(1), &call.text(2)),
        ("System.Security.Principal.WindowsPrincipal", 1) => {
            PsObject::new(call.class).with("Identity", call.value(0).clone()).with_text(call.class).into()
        }
        _ => return Ok(None),
    }))
}

fn network_credential(user: &str, password: &Value, domain: &str) -> Value {
    let plain = secret_of(password).unwrap_or_else(|| shared_text(password));
    PsObject::new(NETWORK_CREDENTIAL)
        .with("UserName", user)
        .with("Password", plain.clone())
        .with("SecurePassword", secure_string(&plain))
        .with("Domain", domain)
        .with_text(NETWORK_CREDENTIAL)
        .into()
}

/// Methods of secrets, credentials and principals.
pub(super) fn methods(object: &Arc<PsObject>, call: &Call<'_>, cx: &mut dyn Context) -> Found {
    let this = Value::Object(object.clone());
    if let Some(secret) = secret(&this) {
        if secret.read_only.lock().is_ok_and(|locked| *locked) && matches!(call.lower, "appendchar" | "clear" | "insertat" | "removeat") {
            return Err(call.threw("Instance is read-only.", INVALID));
        }
        let Ok(mut text) = secret.text.lock() else { return Ok(None) };
        return match (call.lower, call.count()) {
            ("appendchar", 1) => {
                text.push_str(&call.text(0));
                void()
            }
            ("clear", 0) => {
                text.clear();
                void()
            }
            ("makereadonly", 0) => {
                if let Ok(mut locked) = secret.read_only.lock() {
                    *locked = true;
                }
                void()
            }
            ("isreadonly", 0) => gives(secret.read_only.lock().is_ok_and(|locked| *locked)),
            ("copy", 0) => gives(secure_string(&text)),
            ("dispose", 0) => void(),
            _ => Ok(None),
        };
    }
    if object.is_type(CREDENTIAL) && (call.lower, call.count()) == ("getnetworkcredential", 0) {
        let user = object.get("UserName").map(|u| shared_text(&u)).unwrap_or_default();
        let (domain, name) = user.split_once('\\').unwrap_or(("", &user));
        return gives(network_credential(name, &object.get("Password").unwrap_or(Value::Null), domain));
    }
    if object.is_type("System.Security.Principal.WindowsPrincipal") && (call.lower, call.count()) == ("isinrole", 1) {
        let role = call.text(0).to_ascii_lowercase();
        let role = role.rsplit('\\').next().unwrap_or(&role);
        if matches!(role, "administrator" | "administrators" | "544" | "user" | "users" | "545") {
            return gives(true);
        }
        if matches!(role, "guest" | "guests" | "546") {
            return gives(false);
        }
        cx.unmodelled(&format!("WindowsPrincipal.IsInRole(\"{}\")", call.text(0)));
        return Err(super::not_modelled(&format!("Membership of {}", call.text(0))).into());
    }
    Ok(None)
}

/// Static members of `[Marshal]` and `[WindowsIdentity]`.
pub(super) fn statics(call: &Call<'_>, cx: &mut dyn Context) -> Found {
    match (call.lower, call.count()) {
        ("getcurrent", 0) if call.class.ends_with("WindowsIdentity") => {
            let domain = super::environment::domain(cx);
            let object = PsObject::new(call.class)
                .with("AuthenticationType", "Kerberos")
                .with("ImpersonationLevel", "None")
                .with("IsAuthenticated", true)
                .with("IsGuest", false)
                .with("IsSystem", false)
                .with("IsAnonymous", false)
                .with("Name", format!("{domain}\\Administrator"));
            gives(object.with_text(call.class))
        }
        (
            "securestringtobstr"
            | "securestringtoglobalallocunicode"
            | "securestringtocotaskmemunicode"
            | "securestringtoglobalallocansi"
            | "securestringtocotaskmemansi",
            1,
        ) => match secret(call.value(0)) {
            Some(secret) => {
                // A pointer to a copy of the text.
                let mut object = PsObject::new("System.IntPtr").with_text("2199023255552");
                object.source = Some(Arc::new(Secret { text: Mutex::new(secret.reveal()), read_only: Mutex::default() }));
                gives(object)
            }
            None => Err(call.threw("Value cannot be null.\r\nParameter name: s", "System.ArgumentNullException")),
        },
        ("ptrtostringauto" | "ptrtostringbstr" | "ptrtostringuni" | "ptrtostringansi", 1 | 2) => match secret(call.value(0)) {
            Some(secret) => gives(secret.reveal()),
            None => Err(call.threw("Value does not fall within the expected range.", ARGUMENT)),
        },
        (
            "zerofreebstr"
            | "freebstr"
            | "zerofreeglobalallocunicode"
            | "zerofreecotaskmemunicode"
            | "zerofreeglobalallocansi"
            | "freehglobal"
            | "freecotaskmem"
            | "zerofreecotaskmemansi",
            1,
        ) => void(),
        ("releasecomobject", 1) => gives(0),
        _ => Ok(None),
    }
}

/// `[pscredential]::Empty`.
pub(super) fn constant(full: &str, lower: &str) -> Option<Value> {
    (full == CREDENTIAL && lower == "empty").then(|| credential("", Value::Null))
}
