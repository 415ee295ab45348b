//! What stands in a SIP message (RFC 3261 7, 20, 25).

use ezk_sip_types::header::typed::{CSeq, Via};
use ezk_sip_types::host::Host;
use ezk_sip_types::uri::{SipUri, SipUriUserPart};
use ezk_sip_types::{Headers, Name};

use super::words::{Status, status};

/// The first line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Start {
    /// A request.
    Request {
        method: String,
        uri: String,
        /// `SIP/2.0`, or what stands there instead.
        version: String,
    },
    /// A response.
    Response { status: u16, phrase: String },
}

impl Start {
    /// Request line or status line (RFC 3261 7.1, 7.2): single spaces, nothing around them.
    pub(crate) fn parse(line: &str) -> Option<Self> {
        if line.contains(['\r', '\n', '\0']) {
            return None;
        }
        if let Some(rest) = line.strip_prefix("SIP/2.0 ") {
            let (code, phrase) = rest.split_once(' ').unwrap_or((rest, ""));
            let plain = code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_digit());
            let status = code.parse().ok().filter(|status| plain && (100..700).contains(status))?;
            return Some(Self::Response { status, phrase: phrase.to_owned() });
        }
        let mut parts = line.split(' ');
        match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some(method), Some(uri), Some(version), None) if !method.is_empty() && !uri.is_empty() && version.starts_with("SIP/") => {
                Some(Self::Request { method: method.to_owned(), uri: uri.to_owned(), version: version.to_owned() })
            }
            _ => None,
        }
    }
}

/// A request or response.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub(crate) start: Start,
    /// Header fields in order; folding removed.
    pub(crate) headers: Headers,
    pub(crate) body: Vec<u8>,
}

impl Message {
    /// Whether it is an ACK: those are never answered (RFC 3261 17.1.1.3).
    pub(crate) fn is_ack(&self) -> bool {
        matches!(&self.start, Start::Request { method, .. } if method == "ACK")
    }

    /// The first header field of a name.
    pub(crate) fn first(&self, name: &Name) -> Option<&str> {
        self.all(name).next()
    }

    /// All header fields of a name, in order.
    pub(crate) fn all<'a>(&'a self, name: &Name) -> impl Iterator<Item = &'a str> + use<'a> {
        self.headers.get_raw(name).map(|value| value.as_ref())
    }

    /// The header field of a name that may stand there once only (RFC 3261 7.3.1).
    fn only(&self, name: &Name) -> Result<&str, Status> {
        let mut all = self.all(name);
        match (all.next(), all.next()) {
            (Some(value), None) if !value.is_empty() => Ok(value),
            _ => Err(status::BAD_REQUEST),
        }
    }

    /// Parts of a header field that is a list of words: `Require: a, b`.
    pub(crate) fn listed(&self, name: &Name) -> Vec<String> {
        let words = self.all(name).flat_map(|value| value.split(','));
        words.map(|word| word.trim().to_owned()).filter(|word| !word.is_empty()).collect()
    }
}

/// Somebody, or a domain: the parts of a SIP URI that routing goes by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Party {
    /// The part before `@`.
    pub(crate) user: Option<String>,
    /// Domain or host, lower case.
    pub(crate) host: String,
    pub(crate) port: Option<u16>,
}

impl Party {
    /// Reads a URI.
    ///
    /// # Errors
    /// The status of RFC 3261 21.4 for what is wrong with it.
    pub(crate) fn parse(uri: &str) -> Result<Self, Status> {
        let (scheme, _) = uri.split_once(':').ok_or(status::BAD_REQUEST)?;
        if !scheme.eq_ignore_ascii_case("sip") && !scheme.eq_ignore_ascii_case("sips") {
            return Err(status::UNSUPPORTED_SCHEME);
        }
        let uri: SipUri = uri.parse().map_err(|_| status::BAD_REQUEST)?;
        let user = match &uri.user_part {
            SipUriUserPart::Empty => None,
            SipUriUserPart::User(user) => Some(user.to_string()),
            SipUriUserPart::UserPw(both) => Some(both.user.to_string()),
        };
        if user.as_ref().is_some_and(|user| user.is_empty() || user.contains(char::is_control)) {
            return Err(status::BAD_REQUEST);
        }
        let host = match &uri.host_port.host {
            Host::Name(name) => name.trim_end_matches('.').to_ascii_lowercase(),
            address => address.to_string(),
        };
        Ok(Self { user, host, port: uri.host_port.port })
    }

    /// `anna@contoso.com`, for somebody.
    pub(crate) fn address(&self) -> Option<String> {
        self.user.as_ref().map(|user| format!("{user}@{}", self.host))
    }
}

/// The parts of a name-addr or addr-spec with its parameters (RFC 3261 20.10): URI and parameters.
pub(crate) fn name_addr(value: &str) -> Option<(&str, &str)> {
    let value = value.trim();
    // Without brackets everything behind the first semicolon belongs to the header field.
    let Some(open) = unquoted(value, '<') else {
        let (uri, parameters) = value.split_once(';').unwrap_or((value, ""));
        return Some((uri.trim_end(), parameters));
    };
    let (uri, rest) = value[open + 1..].split_once('>')?;
    Some((uri, rest.trim().strip_prefix(';').unwrap_or("")))
}

/// Where a character first stands outside a quoted string.
fn unquoted(text: &str, wanted: char) -> Option<usize> {
    let (mut quoted, mut escaped) = (false, false);
    for (at, found) in text.char_indices() {
        match found {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ if found == wanted && !quoted => return Some(at),
            _ => {}
        }
    }
    None
}

/// A parameter of a header field or URI: `Some("")` for one without a value.
pub(crate) fn parameter<'a>(parameters: &'a str, wanted: &str) -> Option<&'a str> {
    let mut rest = parameters;
    loop {
        let end = unquoted(rest, ';').unwrap_or(rest.len());
        let (name, value) = rest[..end].split_once('=').unwrap_or((&rest[..end], ""));
        if name.trim().eq_ignore_ascii_case(wanted) {
            return Some(value.trim());
        }
        rest = rest.get(end + 1..)?;
    }
}

/// A request that has everything that RFC 3261 8.1.1 wants of one.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) target: Party,
    pub(crate) from: Party,
    pub(crate) from_tag: Option<String>,
    pub(crate) to: Party,
    pub(crate) to_tag: Option<String>,
    pub(crate) call_id: String,
    pub(crate) sequence: u32,
    /// `Max-Forwards`; 70 where it is missing, as RFC 2543 has none.
    pub(crate) hops: u8,
    pub(crate) message: Message,
}

impl Request {
    /// Reads a message; none when it is a response. What is wrong comes with the message, to be answered.
    pub(crate) fn read(message: Message) -> Option<Result<Self, (Status, Box<Message>)>> {
        let Start::Request { method, uri, version } = &message.start else { return None };
        let read = Self::parts(&message, method, uri, version);
        Some(match read {
            Ok(parts) => Ok(parts(message)),
            Err(status) => Err((status, Box::new(message))),
        })
    }

    fn parts(message: &Message, method: &str, uri: &str, version: &str) -> Result<impl FnOnce(Message) -> Self + use<>, Status> {
        // Whoever cannot be answered is not worth reading on (RFC 3261 8.2.6.2).
        let via: Via = message.headers.get_named().map_err(|_| status::BAD_REQUEST)?;
        if via.transport.is_empty() || via.params.get_val("branch").is_none_or(|branch| branch.is_empty()) {
            return Err(status::BAD_REQUEST);
        }
        if version != "SIP/2.0" {
            return Err(status::VERSION_NOT_SUPPORTED);
        }
        let party = |name: &Name| -> Result<(Party, Option<String>), Status> {
            let (uri, parameters) = name_addr(message.only(name)?).ok_or(status::BAD_REQUEST)?;
            // Whatever the scheme, a request from or to somebody without a domain goes nowhere.
            let party = Party::parse(uri).map_err(|_| status::BAD_REQUEST)?;
            Ok((party, parameter(parameters, "tag").filter(|tag| !tag.is_empty()).map(str::to_owned)))
        };
        let (from, from_tag) = party(&Name::FROM)?;
        let (to, to_tag) = party(&Name::TO)?;
        let call_id = message.only(&Name::CALL_ID)?.to_owned();
        message.only(&Name::CSEQ)?;
        let sequence: CSeq = message.headers.get_named().map_err(|_| status::BAD_REQUEST)?;
        // ezk-sip-types takes `INVITED` for INVITE: the words are compared as they stand.
        if message.only(&Name::CSEQ)?.split_ascii_whitespace().nth(1) != Some(method) || sequence.cseq >= 1 << 31 {
            return Err(status::BAD_REQUEST);
        }
        let hops = match message.all(&Name::MAX_FORWARDS).next() {
            None => 70,
            Some(_) => message.only(&Name::MAX_FORWARDS)?.parse().map_err(|_| status::BAD_REQUEST)?,
        };
        let target = Party::parse(uri)?;
        let (method, sequence) = (method.to_owned(), sequence.cseq);
        Ok(move |message| Self { method, target, from, from_tag, to, to_tag, call_id, sequence, hops, message })
    }
}

#[cfg(test)]
mod tests {
    use super::super::frame::Framer;
    use super::*;
    use crate::limits::Limits;

    fn read(text: &str) -> Result<Request, Status> {
        let mut framer = Framer::new(&Limits::default());
        framer.push(text.replace('\n', "\r\n").as_bytes());
        let message = framer.next().expect("well-formed").expect("complete");
        Request::read(message).expect("a request").map_err(|(status, _)| status)
    }

    fn with(line: &str, headers: &str) -> String {
        format!(
            "{line}\nVia: SIP/2.0/TLS h.example;branch=z9hG4bK1\nMax-Forwards: 70\nFrom: <sip:a@b.example>;tag=1\nTo: <sip:c@d.example>\n\
             Call-ID: 1\n{headers}l: 0\n\n"
        )
    }

    /// Messages of RFC 4475, cut down to what makes them torture, and what that RFC says about them.
    #[test]
    fn torture() {
        // 3.1.1.1: everything unusual that is allowed.
        let unusual = "INVITE sip:vivekg@chair-dnrc.example.com;unknownparam SIP/2.0\nTO :\n sip:vivekg@chair-dnrc.example.com ;   tag    = 1918181833n\n\
             from   : \"J Rosenberg \\\\\\\"\"       <sip:jdrosen@example.com>\n  ;\n  tag = 98asjd8\nMaX-fOrWaRdS: 0068\nCall-ID: wsinv.ndaksdj@192.0.2.1\n\
             Content-Length   : 0\ncseq: 0009\n  INVITE\nVia  : SIP  /   2.0\n /UDP\n    192.0.2.2;branch=390skdjuw\ns :\n\
             NewFangledHeader:   newfangled value\n continued newfangled value\nUnknownHeaderWithUnusualValue: ;;,,;;,;\n\n";
        let request = read(unusual).expect("3.1.1.1 is valid");
        assert_eq!((request.from.address().as_deref(), request.from_tag.as_deref()), (Some("jdrosen@example.com"), Some("98asjd8")));
        assert_eq!((request.to_tag.as_deref(), request.hops, request.sequence), (Some("1918181833n"), 68, 9));
        // 3.1.1.2: a method of all token characters.
        let token = "!interesting-Method0123456789_*+`.%indeed'~";
        let request = read(&with(&format!("{token} sip:a@b.example SIP/2.0"), &format!("CSeq: 1 {token}\n"))).expect("3.1.1.2 is valid");
        assert_eq!(request.method, token);
        // 3.1.1.3: escaped characters of a user.
        let escaped =
            read(&with("INVITE sip:sips%3Auser%40example.com@example.net SIP/2.0", "CSeq: 1 INVITE\n")).expect("3.1.1.3 is valid");
        assert_eq!(escaped.target.user.as_deref(), Some("sips:user@example.com"));
        let cases = [
            // 3.1.2.4: scalar values out of range.
            ("INVITE sip:a@b.example SIP/2.0", "CSeq: 36893488147419103232 INVITE\n", 400),
            // 3.1.2.7: spaces within the request URI.
            // 3.1.2.12 and 3.1.2.14: schemes that nobody knows, and HTTP.
            ("OPTIONS nobodyKnowsThisScheme:totallyopaquecontent SIP/2.0", "CSeq: 1 OPTIONS\n", 416),
            ("OPTIONS http://user@example.com SIP/2.0", "CSeq: 1 OPTIONS\n", 416),
            // 3.1.2.16: an unknown version.
            ("OPTIONS sip:t.watson@example.org SIP/7.0", "CSeq: 1 OPTIONS\n", 505),
            // 3.1.2.17: the methods differ.
            ("OPTIONS sip:user@example.com SIP/2.0", "CSeq: 8 INVITE\n", 400),
            // 3.3.1 and 3.3.8: missing and repeated header fields.
            ("OPTIONS sip:user@example.com SIP/2.0", "", 400),
            ("OPTIONS sip:user@example.com SIP/2.0", "CSeq: 8 OPTIONS\nCSeq: 9 OPTIONS\n", 400),
            ("OPTIONS sip:user@example.com SIP/2.0", "CSeq: 8 OPTIONS\nMax-Forwards: 5\n", 400),
            // Ours: a method that begins like another one.
            ("INVITED sip:user@example.com SIP/2.0", "CSeq: 8 INVITE\n", 400),
        ];
        for (line, headers, expected) in cases {
            assert_eq!(read(&with(line, headers)).map(|_| 0).unwrap_or_else(|status| status.code), expected, "{line} {headers}");
        }
    }

    #[test]
    fn start_lines() {
        assert!(Start::parse("INVITE  sip:a@b SIP/2.0").is_none(), "RFC 4475 3.1.2.8: linear white space in the line");
        assert!(Start::parse("OPTIONS sip:a@b SIP/2.0 ").is_none(), "RFC 4475 3.1.2.9");
        assert!(Start::parse("SIP/2.0 4294967301 better not break the receiver").is_none(), "RFC 4475 3.1.2.19");
        assert_eq!(Start::parse("SIP/2.0 200 "), Some(Start::Response { status: 200, phrase: String::new() }), "RFC 4475 3.1.1.13");
    }

    #[test]
    fn addresses_are_found_in_every_form() {
        for (value, uri, tag) in [
            ("sip:contoso.com", "sip:contoso.com", None),
            ("\"A <b>\" <sip:user@Fabrikam.com:5061;transport=tls>;tag=1", "sip:user@Fabrikam.com:5061;transport=tls", Some("1")),
            ("Alice <sip:user@fabrikam.com>;x=\";tag=no\";tag=yes", "sip:user@fabrikam.com", Some("yes")),
            ("sip:a@b.example;tag=7", "sip:a@b.example", Some("7")),
        ] {
            let (found, parameters) = name_addr(value).expect("an address");
            assert_eq!((found, parameter(parameters, "TAG")), (uri, tag), "{value}");
        }
        assert_eq!(name_addr("<sip:a@b"), None);
        assert_eq!(Party::parse("tel:+1555"), Err(status::UNSUPPORTED_SCHEME));
        assert_eq!(Party::parse("sip:"), Err(status::BAD_REQUEST));
        assert_eq!(Party::parse("sip:@b"), Err(status::BAD_REQUEST));
        let [v6, dotted] = ["sip:[2001:DB8::1]:5061", "sip:Anna@Contoso.com."].map(|uri| Party::parse(uri).expect("valid"));
        assert_eq!((v6.host.as_str(), v6.port), ("[2001:db8::1]", Some(5061)));
        assert_eq!(dotted.address().as_deref(), Some("Anna@contoso.com"));
    }
}
