//! The body of an error response.
//!
//! From [Status and error
//! codes](https://learn.microsoft.com/rest/api/storageservices/status-and-error-codes2).

use std::collections::BTreeMap;

use crate::wire::{
    excerpt::{LONGEST_CODE, LONGEST_MESSAGE, shown},
    malformed::Malformed,
    redaction::{REDACTED, is_harmless_parameter, is_secret_header},
    xml::{Node, Xml},
};

/// The most details that an error keeps.
const MOST_DETAILS: usize = 64;

/// The longest name of a detail, in bytes.
const LONGEST_NAME: usize = 256;

/// The parts of an error body. The service always sends a code and a message; a proxy may send
/// neither.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ErrorBody {
    pub(crate) code: Option<String>,
    /// Without its `RequestId` and `Time` lines, and redacted.
    pub(crate) message: String,
    /// The status that the copy source returned.
    pub(crate) source_status: Option<u16>,
    /// The error code that the copy source returned.
    pub(crate) source_code: Option<String>,
    /// The message that the copy source returned, like [`message`](Self::message).
    pub(crate) source_message: Option<String>,
    /// Other elements by name, redacted; nested ones as `Outer/Inner`. The first 64.
    pub(crate) details: BTreeMap<String, String>,
}

/// Reads as much as possible: nothing of a body that is not the service's XML, the front of one
/// that was cut short.
pub(crate) fn parse(body: &[u8]) -> ErrorBody {
    let mut error = ErrorBody::default();
    // The status is an error already; a bad body adds nothing.
    let _ = error.read(body);
    error.hide_named_values();
    error
}

/// The same of an error in JSON, as Azure Resource Manager has them:
/// `{"error": {"code": …, "message": …}}`. Details within it are read if they say more.
pub(crate) fn parse_json(body: &[u8]) -> ErrorBody {
    let mut error = ErrorBody::default();
    let Ok(body) = serde_json::from_slice::<serde_json::Value>(body) else { return error };
    let said = body.get("error").unwrap_or(&body);
    let text = |name: &str| said.get(name).and_then(serde_json::Value::as_str).unwrap_or_default();
    error.set("Code", text("code"));
    error.set("Message", text("message"));
    let details = said.get("details").and_then(serde_json::Value::as_array);
    for detail in details.into_iter().flatten() {
        let text = |name: &str| detail.get(name).and_then(serde_json::Value::as_str);
        if let (Some(code), Some(message)) = (text("code"), text("message")) {
            error.set(&shown(code, LONGEST_NAME), message);
        }
    }
    error
}

impl ErrorBody {
    fn read(&mut self, body: &[u8]) -> Result<(), Malformed> {
        let mut xml = Xml::enter(body, "Error")?;
        let mut path = String::new();
        // The length of the path before each open element.
        let mut outer = Vec::new();
        let mut text = String::new();
        loop {
            match xml.next()? {
                Node::Open(element) => {
                    text.clear();
                    outer.push(path.len());
                    // The names of all open elements may be as long as the body, for each element.
                    let room = LONGEST_NAME.saturating_sub(path.len());
                    if room > 4 {
                        path.push('/');
                        path.push_str(&shown(&String::from_utf8_lossy(element), room));
                    }
                }
                Node::Text(piece) => text.push_str(&piece),
                Node::Close => {
                    let Some(outer) = outer.pop() else { return Ok(()) };
                    self.set(&path[1..], text.trim());
                    text.clear();
                    path.truncate(outer);
                }
            }
        }
    }

    fn set(&mut self, name: &str, text: &str) {
        if text.is_empty() {
            return;
        }
        match name {
            "Code" => self.code = Some(shown(text, LONGEST_CODE)),
            "Message" => self.message = message(text),
            "CopySourceStatusCode" => self.source_status = text.parse().ok(),
            "CopySourceErrorCode" => self.source_code = Some(shown(text, LONGEST_CODE)),
            "CopySourceErrorMessage" => self.source_message = Some(message(text)),
            // A repeated name is ignored.
            _ if self.details.len() < MOST_DETAILS && !self.details.contains_key(name) => {
                self.details.insert(name.to_owned(), shown(text, LONGEST_MESSAGE));
            }
            _ => {}
        }
    }
}

impl ErrorBody {
    /// Redacts `HeaderValue` and `QueryParameterValue` if the element beside them names a header or
    /// parameter with a secret.
    fn hide_named_values(&mut self) {
        let secret = |name: &str, value: &str| match name.rsplit('/').next() {
            Some("HeaderName") => is_secret_header(value),
            Some("QueryParameterName") => !is_harmless_parameter(value.as_bytes()),
            _ => false,
        };
        let named: Vec<String> = self
            .details
            .iter()
            .filter(|(name, value)| secret(name, value))
            .filter_map(|(name, _)| Some([name.strip_suffix("Name")?, "Value"].concat()))
            .collect();
        for name in named {
            if let Some(value) = self.details.get_mut(&name) {
                REDACTED.clone_into(value);
            }
        }
    }
}

/// The message without the lines that repeat headers.
fn message(text: &str) -> String {
    let end = text.find("\nRequestId:").unwrap_or(text.len());
    shown(text[..end].trim_end(), LONGEST_MESSAGE)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_failed_source_is_read_apart_from_the_failure_itself() {
        let body = "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?>\n\
            <Error><Code>CannotVerifyCopySource</Code>\
            <Message>The specified blob does not exist.\n\
            RequestId:8a53f2d0-001e-0000-0000-000000000000\n\
            Time:2026-01-01T00:00:00.0000000Z</Message>\
            <CopySourceStatusCode>404</CopySourceStatusCode>\
            <CopySourceErrorCode>BlobNotFound</CopySourceErrorCode>\
            <CopySourceErrorMessage>The specified blob does not exist.\r\n\
            RequestId:1</CopySourceErrorMessage></Error>";
        assert_eq!(
            parse(body.as_bytes()),
            ErrorBody {
                code: Some("CannotVerifyCopySource".to_owned()),
                message: "The specified blob does not exist.".to_owned(),
                source_status: Some(404),
                source_code: Some("BlobNotFound".to_owned()),
                source_message: Some("The specified blob does not exist.".to_owned()),
                details: BTreeMap::new(),
            }
        );
    }

    #[test]
    fn every_other_element_is_kept_and_redacted() {
        let body = "<Error><Code>AuthenticationFailed</Code>\
            <Message>Server failed to authenticate sig=SECRET the request.</Message>\
            <AuthenticationErrorDetail>The MAC signature found in the HTTP request 'SECRET=' is \
            not the same as any computed signature.</AuthenticationErrorDetail>\
            <ExtendedErrorDetail>text<Code>Inner</Code><Deep><Er>1</Er></Deep>\
            </ExtendedErrorDetail>\
            <HeaderName>x-ms-version</HeaderName><HeaderValue/><Reason> </Reason></Error>";
        let error = parse(body.as_bytes());
        assert_eq!(error.message, "Server failed to authenticate sig=REDACTED the request.");
        let details: Vec<(&str, &str)> =
            error.details.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        assert_eq!(
            details,
            [
                (
                    "AuthenticationErrorDetail",
                    "The MAC signature found in the HTTP request 'REDACTED' is not the same as any \
                     computed signature."
                ),
                ("ExtendedErrorDetail/Code", "Inner"),
                ("ExtendedErrorDetail/Deep/Er", "1"),
                ("HeaderName", "x-ms-version"),
            ]
        );
    }

    #[test]
    fn no_body_makes_an_error_large() {
        let long = "x".repeat(100_000);
        let many: String = (0..10_000).map(|n| format!("<D{n}>{n}</D{n}>")).collect();
        let deep: String = (0..100_000).map(|n| format!("<a{n}>t")).collect();
        let wide: String =
            (0..20_000).map(|n| format!("<{n}{long:.40}>t</{n}{long:.40}>")).collect();
        let bodies = [
            format!("<Code>{long}</Code><Message>{long}</Message><D>{long}</D>"),
            format!("<CopySourceErrorCode>{long}</CopySourceErrorCode>"),
            format!("<CopySourceErrorMessage>{long}</CopySourceErrorMessage>"),
            format!("<{long}>{long}</{long}><{long}x>1</{long}x>"),
            many.clone(),
            deep,
            wide,
        ];
        for inner in bodies {
            let error = parse(format!("<Error>{inner}</Error>").as_bytes());
            assert!(error.details.len() <= 64, "{} details", error.details.len());
            for (name, text) in &error.details {
                assert!(name.len() <= 256 && text.len() <= 8192, "{} {}", name.len(), text.len());
            }
            let codes = [error.code, error.source_code].into_iter().flatten();
            assert!(codes.map(|code| code.len()).max().unwrap_or_default() <= 128);
            let source = error.source_message.unwrap_or_default();
            assert!(error.message.len() <= 8192 && source.len() <= 8192);
        }
        let first = parse(format!("<Error>{many}<Message>Late.</Message></Error>").as_bytes());
        assert_eq!((first.details["D0"].as_str(), first.message.as_str()), ("0", "Late."));
        let cut = parse(format!("<Error><Message>{long}</Message></Error>").as_bytes());
        assert!(
            cut.message.len() == 8192 && cut.message.ends_with("x..."),
            "{}",
            cut.message.len()
        );
    }

    #[test]
    fn the_value_of_a_refused_header_or_parameter_is_shown_unless_it_is_secret() {
        let shown = |what: &str, name: &str, value: &str| {
            let value = format!("<{what}Value>{value}</{what}Value>");
            let name = format!("<{what}Name>{name}</{what}Name>");
            let both = [format!("{name}{value}"), format!("{value}{name}")];
            let [a, b] = both.map(|both| {
                let body = format!("<Error><Code>InvalidHeaderValue</Code>{both}</Error>");
                parse(body.as_bytes()).details[&format!("{what}Value")].clone()
            });
            assert_eq!(a, b);
            a
        };
        assert_eq!(shown("Header", "x-ms-version", "2031-01-01"), "2031-01-01");
        assert_eq!(shown("Header", "x-ms-encryption-key", "c2hvcnQ="), "REDACTED");
        assert_eq!(shown("Header", "Authorization", "x"), "REDACTED");
        assert_eq!(shown("Header", "x-ms-copy-source", "a?sig=b"), "a?sig=REDACTED");
        assert_eq!(shown("QueryParameter", "copyid", "x"), "x");
        assert_eq!(shown("QueryParameter", "sig", "x"), "REDACTED");
    }

    #[test]
    fn elements_within_elements_are_read_in_one_go() {
        // With the names of all outer elements each name is up to 400 KB long: 40 GB in all.
        let depth = 200_000;
        let body = format!("<Error>{}{}</Error>", "<a>".repeat(depth), "</a>text".repeat(depth));
        let error = parse(body.as_bytes());
        assert!(error.details.len() <= MOST_DETAILS, "{}", error.details.len());
        assert!(error.details.keys().all(|name| name.len() <= LONGEST_NAME));
    }

    #[test]
    fn what_is_not_the_services_xml_says_nothing() {
        for body in [
            "",
            "Bad Gateway",
            "<html><head><title>502</title></head><body>Bad Gateway</body></html>",
            "<!DOCTYPE html><html><p>unclosed</html>",
            "{\"error\":{\"code\":\"x\"}}",
            "<Other><Code>x</Code></Other>",
            "<Error/>",
        ] {
            assert_eq!(parse(body.as_bytes()), ErrorBody::default(), "{body}");
        }
    }

    #[test]
    fn what_was_cut_short_says_what_it_can() {
        let error = parse(b"<Error><Code>ServerBusy</Code><Message>The serv");
        assert_eq!(error.code.as_deref(), Some("ServerBusy"));
        assert_eq!(error.message, "");
    }

    proptest! {
        #[test]
        fn garbage_never_panics(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&body);
        }

        #[test]
        fn cut_anywhere_never_panics(end in 0..300_usize) {
            let body = "\u{feff}<Error><Code>ServerBusy</Code><Message>a&amp;b\nRequestId:x\
                </Message>\
                <A><B><![CDATA[c]]></B></A><CopySourceStatusCode>40</CopySourceStatusCode></Error>";
            let _ = parse(&body.as_bytes()[..end.min(body.len())]);
        }
    }
}
