//! `System.Uri`, `System.Net.IPAddress`, `System.Net.Mail.MailAddress`, `System.Net.Dns`, `System.Web.HttpUtility`. Names are
//! answered by the world: `Resolve-DnsName` is asked.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use super::call::{Call, FORMAT, Found, gives};
use super::files::cmdlet;
use super::strings::bytes;
use crate::convert::shared_text;
use crate::error::{ErrorRecord, Flow};
use crate::pipeline::Context;
use crate::value::{EnumValue, PropertySource, PsObject, Value};

const IP: &str = "System.Net.IPAddress";
const BAD_ADDRESS: &str = "An invalid IP address was specified.";

/// An address as .NET reads it: also `10.1`, hexadecimal and octal parts.
fn parse_address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    if text.contains(':') {
        let plain = text.trim_start_matches('[').trim_end_matches(']');
        return plain.split('%').next()?.parse::<Ipv6Addr>().ok().map(IpAddr::V6);
    }
    let parts: Vec<u64> = text.split('.').map(part).collect::<Option<_>>()?;
    let (last, heads) = parts.split_last()?;
    let room = 4usize.checked_sub(heads.len()).filter(|room| *room > 0)?;
    if heads.iter().any(|h| *h > 255) || *last >= 1 << (8 * room) {
        return None;
    }
    let mut number = *last;
    for (at, head) in heads.iter().enumerate() {
        number |= head << (8 * (3 - at));
    }
    u32::try_from(number).ok().map(|n| IpAddr::V4(Ipv4Addr::from(n)))
}

fn part(text: &str) -> Option<u64> {
    let digits =
        |text: &str, base| (!text.is_empty() && text.chars().all(|c| c.is_digit(base))).then(|| u64::from_str_radix(text, base).ok())?;
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(hexadecimal) => digits(hexadecimal, 16),
        None if text.len() > 1 && text.starts_with('0') => digits(text, 8),
        None => digits(text, 10),
    }
}

/// An `IPAddress` object.
pub(crate) fn address_object(address: IpAddr) -> Value {
    let (family, number) = if address.is_ipv4() { ("InterNetwork", 2) } else { ("InterNetworkV6", 23) };
    let six = match address {
        IpAddr::V6(six) => Some(six),
        IpAddr::V4(_) => None,
    };
    let number_form = match address {
        IpAddr::V4(four) => Value::Long(i64::from(u32::from_le_bytes(four.octets()))),
        IpAddr::V6(_) => Value::Null,
    };
    let family = EnumValue { type_name: "System.Net.Sockets.AddressFamily".into(), name: family.into(), number };
    PsObject::new(IP)
        .with("Address", number_form)
        .with("AddressFamily", Value::Enum(Arc::new(family)))
        .with("ScopeId", if six.is_some() { Value::Long(0) } else { Value::Null })
        .with("IsIPv6Multicast", six.is_some_and(|a| a.is_multicast()))
        .with("IsIPv6LinkLocal", six.is_some_and(|a| a.segments()[0] & 0xFFC0 == 0xFE80))
        .with("IsIPv6SiteLocal", six.is_some_and(|a| a.segments()[0] & 0xFFC0 == 0xFEC0))
        .with("IsIPv6Teredo", six.is_some_and(|a| a.segments()[0] == 0x2001 && a.segments()[1] == 0))
        .with("IsIPv4MappedToIPv6", six.is_some_and(|a| a.to_ipv4_mapped().is_some()))
        .with("IPAddressToString", address.to_string())
        .with_text(address.to_string())
        .into()
}

/// The address behind an object or text.
fn address_of(value: &Value) -> Option<IpAddr> {
    parse_address(&shared_text(value))
}

/// `[ipaddress]'…'`, `[uri]'…'`, `[mailaddress]'…'`; `Err` holds the reason of the inner parser.
pub(super) fn from_text(text: &str, target: &str) -> Result<Value, &'static str> {
    match target {
        IP => parse_address(text).map(address_object).ok_or(BAD_ADDRESS),
        "System.Uri" => uri(text),
        _ => {
            let (name, address) = match text.trim().strip_suffix('>').and_then(|t| t.split_once('<')) {
                Some((name, address)) => (name.trim().trim_matches('"'), address.trim()),
                None => ("", text.trim()),
            };
            let bad = "The specified string is not in the form required for an e-mail address.";
            let (user, host) =
                address.split_once('@').filter(|(u, h)| !u.is_empty() && !h.is_empty() && !h.contains(['@', ' '])).ok_or(bad)?;
            let shown = if name.is_empty() { address.to_string() } else { format!("\"{name}\" <{address}>") };
            Ok(PsObject::new(target)
                .with("DisplayName", name)
                .with("User", user)
                .with("Host", host)
                .with("Address", address)
                .with_text(shown)
                .into())
        }
    }
}

const RESERVED: &str = ";/?:@&=+$,#[]!'()*";
const UNRESERVED: &str = "-_.~";

/// Percent-encodes what is neither a letter, a digit nor one of `kept`.
fn escape(text: &str, kept: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || kept.as_bytes().contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

fn unescape(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let raw = text.as_bytes();
    let mut at = 0;
    while at < raw.len() {
        let pair = raw.get(at + 1..at + 3).and_then(|p| std::str::from_utf8(p).ok()).and_then(|p| u8::from_str_radix(p, 16).ok());
        match (raw[at], pair) {
            (b'%', Some(byte)) => {
                out.push(byte);
                at += 3;
            }
            (byte, _) => {
                out.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// A `Uri` object; text without a scheme is a relative one.
fn uri(text: &str) -> Result<Value, &'static str> {
    let text = text.trim();
    if text.is_empty() {
        return Err("Invalid URI: The URI is empty.");
    }
    let file = text.starts_with("\\\\") || (text.as_bytes().get(1) == Some(&b':') && text.as_bytes()[0].is_ascii_alphabetic());
    let scheme_end = text.find(':').filter(|at| {
        *at > 1 && text.as_bytes()[0].is_ascii_alphabetic() && text[..*at].bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
    });
    let relative = || {
        PsObject::new("System.Uri")
            .with("IsAbsoluteUri", false)
            .with("OriginalString", text)
            .with("UserEscaped", false)
            .with_text(text)
            .into()
    };
    if file {
        let path = text.replace('\\', "/");
        let (host, path) = match path.strip_prefix("//") {
            Some(rest) => rest.split_once('/').map_or((rest, String::from("/")), |(h, p)| (h, format!("/{p}"))),
            None => ("", format!("/{path}")),
        };
        return Ok(absolute(text, "file", "", &host.to_lowercase(), -1, &path, "", ""));
    }
    let Some(end) = scheme_end else { return Ok(relative()) };
    let (scheme, rest) = (text[..end].to_ascii_lowercase(), &text[end + 1..]);
    let (rest, fragment) = rest.find('#').map_or((rest, ""), |at| rest.split_at(at));
    let (rest, query) = rest.find('?').map_or((rest, ""), |at| rest.split_at(at));
    let Some(after) = rest.strip_prefix("//") else {
        return Ok(absolute(text, &scheme, "", "", -1, rest, query, fragment));
    };
    let (authority, path) = after.find('/').map_or((after, ""), |at| after.split_at(at));
    let (user, host_port) = authority.rsplit_once('@').map_or(("", authority), |(u, h)| (u, h));
    let (host, port) = match host_port.rsplit_once(':') {
        Some((host, port)) if !host_port.ends_with(']') => {
            (host, port.parse::<u16>().map(i32::from).map_err(|_| "Invalid URI: Invalid port specified.")?)
        }
        _ => (host_port, -1),
    };
    if host.is_empty() && scheme != "file" {
        return Err("Invalid URI: The hostname could not be parsed.");
    }
    let path = if path.is_empty() { "/" } else { path };
    Ok(absolute(text, &scheme, user, &host.to_lowercase(), port, path, query, fragment))
}

#[allow(clippy::too_many_arguments)]
fn absolute(original: &str, scheme: &str, user: &str, host: &str, port: i32, path: &str, query: &str, fragment: &str) -> Value {
    let default = match scheme {
        "http" => 80,
        "https" => 443,
        "ftp" => 21,
        "ldap" => 389,
        "net.tcp" => 808,
        _ => -1,
    };
    let keep = format!("{RESERVED}{UNRESERVED}%");
    let (path, query, fragment) = (escape(path, &keep), escape(query, &keep), escape(fragment, &keep));
    let hierarchical = !host.is_empty() || scheme == "file";
    let shown_port = if port >= 0 && port != default { format!(":{port}") } else { String::new() };
    let authority = format!("{host}{shown_port}");
    let at = if user.is_empty() { String::new() } else { format!("{user}@") };
    let slashes = if hierarchical { "//" } else { "" };
    let absolute = format!("{scheme}:{slashes}{at}{authority}{path}{query}{fragment}");
    let kind = match (host.is_empty(), parse_address(host)) {
        (true, _) => {
            if scheme == "file" {
                "Basic"
            } else {
                "Unknown"
            }
        }
        (_, Some(IpAddr::V4(_))) => "IPv4",
        (_, Some(IpAddr::V6(_))) => "IPv6",
        _ => "Dns",
    };
    let mut segments: Vec<Value> = path.split_inclusive('/').map(Value::str).collect();
    if segments.is_empty() {
        segments.push(Value::str(""));
    }
    let local = if scheme == "file" {
        let path = unescape(&path).replace('/', "\\");
        if host.is_empty() { path.trim_start_matches('\\').to_string() } else { format!("\\\\{host}{path}") }
    } else {
        unescape(&path)
    };
    PsObject::new("System.Uri")
        .with("AbsolutePath", path.as_str())
        .with("AbsoluteUri", absolute.as_str())
        .with("LocalPath", local)
        .with("Authority", authority)
        .with("HostNameType", kind)
        .with("IsDefaultPort", port < 0 || port == default)
        .with("IsFile", scheme == "file")
        .with("IsLoopback", matches!(host, "localhost" | "127.0.0.1" | "[::1]") || (scheme == "file" && host.is_empty()))
        .with("PathAndQuery", format!("{path}{query}"))
        .with("Segments", Value::typed_array("System.String", segments))
        .with("IsUnc", scheme == "file" && !host.is_empty())
        .with("Host", host)
        .with("Port", if port >= 0 { port } else { default })
        .with("Query", query)
        .with("Fragment", fragment)
        .with("Scheme", scheme)
        .with("OriginalString", original)
        .with("DnsSafeHost", host.trim_start_matches('[').trim_end_matches(']'))
        .with("IdnHost", host)
        .with("IsAbsoluteUri", true)
        .with("UserEscaped", false)
        .with("UserInfo", user)
        .with_text(unescape(&absolute))
        .into()
}

/// Static members of `[ipaddress]`, `[uri]` and `[System.Web.HttpUtility]`.
pub(super) fn statics(call: &Call<'_>) -> Found {
    let text = call.text(0);
    let component = UNRESERVED.to_string() + "!*'()";
    match (call.class, call.lower, call.count()) {
        (IP, "parse", 1) => match parse_address(&text) {
            Some(address) => gives(address_object(address)),
            None => Err(call.threw(BAD_ADDRESS, FORMAT)),
        },
        (IP, "tryparse", 2) => {
            let address = parse_address(&text);
            super::references::assign(call.value(1), address.map_or(Value::Null, address_object))?;
            gives(address.is_some())
        }
        (IP, "isloopback", 1) => gives(address_of(call.value(0)).is_some_and(|a| a.is_loopback())),
        (IP, "hosttonetworkorder" | "networktohostorder", 1) => match call.value(0) {
            Value::Int(n) => gives(n.swap_bytes()),
            Value::Long(n) => gives(n.swap_bytes()),
            _ => Err(call.overload()),
        },
        ("System.Uri", "escapedatastring", 1) => gives(escape(&text, &component)),
        ("System.Uri", "escapeuristring", 1) => gives(escape(&text, &format!("{RESERVED}{UNRESERVED}"))),
        ("System.Uri", "unescapedatastring", 1) => gives(unescape(&text)),
        ("System.Uri", "iswellformeduristring", 2) => {
            let made = uri(&text).ok().and_then(|u| super::property(&u, "IsAbsoluteUri"));
            let absolute = matches!(made, Some(Value::Bool(true)));
            let clean = !text.contains([' ', '<', '>', '"', '\\', '^', '`', '{', '|', '}']);
            let wanted = call.bits(1, "uriKind", "System.UriKind")?;
            gives(clean && made.is_some() && (wanted == 0 || absolute == (wanted == 1)))
        }
        ("System.Uri", "trycreate", 3) => {
            let wanted = call.bits(1, "uriKind", "System.UriKind")?;
            let made = uri(&text).ok().filter(|u| {
                let absolute = matches!(super::property(u, "IsAbsoluteUri"), Some(Value::Bool(true)));
                wanted == 0 || absolute == (wanted == 1)
            });
            let ok = made.is_some();
            super::references::assign(call.value(2), made.unwrap_or(Value::Null))?;
            gives(ok)
        }
        ("System.Web.HttpUtility" | "System.Net.WebUtility", "urlencode", 1) => {
            let spaced = escape(&text, "-_.!*() ").replace(' ', "+");
            gives(if call.class == "System.Web.HttpUtility" { lower_escapes(&spaced) } else { spaced })
        }
        ("System.Web.HttpUtility" | "System.Net.WebUtility", "urldecode", 1) => gives(unescape(&text.replace('+', " "))),
        ("System.Web.HttpUtility" | "System.Net.WebUtility", "htmlencode", 1) => {
            gives(text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;"))
        }
        ("System.Web.HttpUtility" | "System.Net.WebUtility", "htmldecode", 1) => {
            gives(text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&#39;", "'").replace("&amp;", "&"))
        }
        _ => Ok(None),
    }
}

/// `HttpUtility` writes hexadecimal digits small.
fn lower_escapes(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut small = 0;
    for c in text.chars() {
        out.push(if small > 0 { c.to_ascii_lowercase() } else { c });
        small = if c == '%' { 2 } else { i32::max(small - 1, 0) };
    }
    out
}

/// Constants of `[ipaddress]` and `[uri]`.
pub(super) fn constant(full: &str, lower: &str) -> Option<Value> {
    let address = |text: &str| parse_address(text).map(address_object);
    match (full, lower) {
        (IP, "loopback") => address("127.0.0.1"),
        (IP, "any") => address("0.0.0.0"),
        (IP, "broadcast" | "none") => address("255.255.255.255"),
        (IP, "ipv6loopback") => address("::1"),
        (IP, "ipv6any" | "ipv6none") => address("::"),
        ("System.Uri", "urischemehttp") => Some(Value::str("http")),
        ("System.Uri", "urischemehttps") => Some(Value::str("https")),
        ("System.Uri", "urischemefile") => Some(Value::str("file")),
        _ => None,
    }
}

/// Methods of addresses and URIs.
pub(super) fn methods(object: &PsObject, call: &Call<'_>) -> Found {
    if object.is_type(IP) {
        let Some(address) = object.text.as_deref().and_then(parse_address) else { return Ok(None) };
        return match (call.lower, call.count(), address) {
            ("getaddressbytes", 0, IpAddr::V4(a)) => gives(bytes(&a.octets())),
            ("getaddressbytes", 0, IpAddr::V6(a)) => gives(bytes(&a.octets())),
            ("maptoipv6", 0, IpAddr::V4(a)) => gives(address_object(IpAddr::V6(a.to_ipv6_mapped()))),
            ("maptoipv4", 0, IpAddr::V6(a)) => gives(a.to_ipv4().map_or(Value::Null, |a| address_object(IpAddr::V4(a)))),
            ("maptoipv4" | "maptoipv6", 0, same) => gives(address_object(same)),
            ("equals", 1, address) => gives(address_of(call.value(0)) == Some(address)),
            _ => Ok(None),
        };
    }
    if object.is_type("System.Uri") {
        return match (call.lower, call.count()) {
            ("getleftpart", 1) => {
                let part = |name: &str| object.get(name).map(|v| shared_text(&v).to_string()).unwrap_or_default();
                match &*call.text(0).to_ascii_lowercase() {
                    "scheme" => gives(format!("{}://", part("Scheme"))),
                    "authority" => gives(format!("{}://{}", part("Scheme"), part("Authority"))),
                    "path" => gives(format!("{}://{}{}", part("Scheme"), part("Authority"), part("AbsolutePath"))),
                    "query" => gives(format!("{}://{}{}", part("Scheme"), part("Authority"), part("PathAndQuery"))),
                    _ => Err(call.overload()),
                }
            }
            _ => Ok(None),
        };
    }
    Ok(None)
}

/// Static members of `[System.Net.Dns]`.
pub(super) fn dns_statics(call: &Call<'_>, cx: &mut dyn Context) -> Found {
    let own = super::environment::full_name(cx);
    match (call.lower, call.count()) {
        ("gethostname", 0) => gives(own.split('.').next().unwrap_or(&own)),
        ("gethostbyname" | "gethostentry" | "gethostaddresses" | "resolve", 1) => {
            let (name, addresses) = match resolve(&call.text(0), &own, call, cx) {
                // A computer knows its own name, whatever the zones say; which addresses it has, nobody told.
                Err(Flow::Error(_)) if is_own(&call.text(0), &own) && call.lower != "gethostaddresses" => return gives(own_entry(&own)),
                answer => answer?,
            };
            if call.lower == "gethostaddresses" {
                return gives(Value::typed_array(IP, addresses));
            }
            gives(host_entry(&name, addresses))
        }
        ("gethostbyaddress", 1) => {
            let address = address_of(call.value(0)).ok_or_else(|| call.threw(BAD_ADDRESS, FORMAT))?;
            let name = reverse(address, &own, call, cx)?;
            gives(host_entry(&name, vec![address_object(address)]))
        }
        _ => Ok(None),
    }
}

/// Whether a name is that of the computer itself.
fn is_own(name: &str, own: &str) -> bool {
    let short = own.split('.').next().unwrap_or(own);
    name.is_empty() || [own, short, "localhost"].iter().any(|n| n.eq_ignore_ascii_case(name))
}

/// The addresses of the computer itself, which are not modelled.
#[derive(Debug)]
struct NoAddresses;

impl PropertySource for NoAddresses {
    fn names(&self) -> Vec<Arc<str>> {
        vec!["AddressList".into()]
    }

    fn get(&self, _: &str) -> Option<Value> {
        None
    }

    fn unmodelled(&self, name: &str) -> Option<String> {
        name.eq_ignore_ascii_case("AddressList").then(|| "[System.Net.IPHostEntry].AddressList of the computer itself".into())
    }
}

fn own_entry(own: &str) -> Value {
    let mut object = PsObject::new("System.Net.IPHostEntry");
    object.source = Some(Arc::new(NoAddresses));
    object.with("HostName", own).with("Aliases", Value::typed_array("System.String", Vec::new())).into()
}

fn host_entry(name: &str, addresses: Vec<Value>) -> Value {
    PsObject::new("System.Net.IPHostEntry")
        .with("HostName", name)
        .with("Aliases", Value::typed_array("System.String", Vec::new()))
        .with("AddressList", Value::typed_array(IP, addresses))
        .into()
}

fn unknown_host(call: &Call<'_>) -> Flow {
    call.threw("No such host is known", "System.Net.Sockets.SocketException")
}

/// The records that the world has for a name.
fn records(name: &str, kind: &str, call: &Call<'_>, cx: &mut dyn Context) -> Result<Vec<Value>, Flow> {
    let stop = ("ErrorAction", Value::str("Stop"));
    match cmdlet(cx, "Resolve-DnsName", &[("Name", Value::str(name)), ("Type", Value::str(kind)), stop]) {
        Ok(found) => Ok(found),
        Err(Flow::Error(failure)) if failure.record.id.starts_with("CommandNotFound") || failure.record.id.contains("NotModelled") => {
            cx.unmodelled(&format!("[System.Net.Dns]::{}", call.name));
            Err(ErrorRecord::runtime(format!("[System.Net.Dns]::{} is not modelled.", call.name), "NotModelled", "NotImplemented").into())
        }
        Err(Flow::Error(_)) => Err(unknown_host(call)),
        Err(other) => Err(other),
    }
}

/// The full name and the addresses behind a name; short names belong to the domain of the computer.
fn resolve(name: &str, own: &str, call: &Call<'_>, cx: &mut dyn Context) -> Result<(String, Vec<Value>), Flow> {
    if let Some(address) = parse_address(name) {
        let found = if call.lower == "gethostentry" {
            reverse(address, own, call, cx).unwrap_or_else(|_| name.to_string())
        } else {
            name.to_string()
        };
        return Ok((found, vec![address_object(address)]));
    }
    let full = match own.split_once('.') {
        _ if is_own(name, own) => own.to_string(),
        Some((_, domain)) if !name.contains('.') => format!("{name}.{domain}"),
        _ => name.trim_end_matches('.').to_string(),
    };
    let mut canonical = full.clone();
    let mut addresses = Vec::new();
    for record in records(&full, "A", call, cx)? {
        if let Some(address) = super::property(&record, "IPAddress").and_then(|a| address_of(&a)) {
            canonical = super::property(&record, "Name").map_or(canonical, |n| shared_text(&n).to_string());
            addresses.push(address_object(address));
        }
    }
    if addresses.is_empty() { Err(unknown_host(call)) } else { Ok((canonical, addresses)) }
}

fn reverse(address: IpAddr, own: &str, call: &Call<'_>, cx: &mut dyn Context) -> Result<String, Flow> {
    if address.is_loopback() {
        return Ok(own.to_string());
    }
    let found = records(&address.to_string(), "PTR", call, cx)?;
    let name = found.iter().find_map(|record| super::property(record, "NameHost"));
    name.map(|name| shared_text(&name).to_string()).ok_or_else(|| unknown_host(call))
}
