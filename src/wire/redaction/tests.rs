//! What is hidden, what is shown, and that it takes linear time.

use proptest::prelude::*;

use super::*;

/// 64 bytes in base64, like an account key.
const KEY: &str =
    "kC0a8w+RkUZf1yGmV7/oWcN4sT9qXbJ2eLhD5iPz3uE6vYtMnHrB0gAjSxKdQFpO8lU2aVw1mXc5RzTyNi7fGg==";
/// 32 bytes in base64, like a customer-provided key.
const CUSTOMER_KEY: &str = "q1w2e3r4t5z6u7i8o9p0a1s2d3f4g5h6j7k8l9y0x1c=";
const JWT: &str =
    "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJodHRwczovL3N0b3JhZ2UifQ.c2ln_bmF0-dXJl";

fn check(cases: &[(&str, &str)]) {
    for (text, shown) in cases {
        assert_eq!(redact(text), *shown, "{text}");
        assert_eq!(redact(shown), *shown, "once more");
    }
}

#[test]
fn every_kind_of_secret_is_replaced() {
    check(&[
        ("https://a/c/b?sp=r&sig=abc%2B%3D&se=x", "https://a/c/b?sp=r&sig=REDACTED&se=x"),
        ("SIG=abc", "SIG=REDACTED"),
        ("AccountName=a;AccountKey=ab+/==;X=1", "AccountName=a;AccountKey=REDACTED;X=1"),
        ("SharedKey acct:abc+/= tail", "SharedKey REDACTED tail"),
        ("SharedKeyLite acct:abc+/=", "SharedKeyLite REDACTED"),
        ("Authorization: Bearer ey.J-_=, more", "Authorization: Bearer REDACTED, more"),
        ("authorization: Basic dXNlcg==, more", "authorization: REDACTED, more"),
        ("found in the HTTP request 'abc=' is", "found in the HTTP request 'abc=' is"),
        (
            "The MAC signature found in the HTTP request 'abc=' is not",
            "The MAC signature found in the HTTP request 'REDACTED' is not",
        ),
        ("two sig=a&x=1 and sig=b", "two sig=REDACTED&x=1 and sig=REDACTED"),
        ("x-ms-encryption-key:c2hvcnQ=\nx-ms-date:1", "x-ms-encryption-key:REDACTED\nx-ms-date:1"),
        (
            r#"{"access_token":"a.b","token_type":"Bearer","expires_in":1}"#,
            r#"{"access_token":"REDACTED","token_type":"Bearer","expires_in":1}"#,
        ),
        (r#"("authorization", "Basic x")"#, r#"("authorization", "REDACTED")"#),
        ("ftp://user:pass@host/x", "ftp://REDACTED@host/x"),
        ("at 'https://user:p@h/' now", "at 'https://REDACTED@h/' now"),
        ("client_secret=a, client_id=b", "client_secret=REDACTED, client_id=b"),
    ]);
}

#[test]
fn presigned_urls_of_other_clouds_are_shown_without_what_signs() {
    check(&[
        (
            "https://b.s3.amazonaws.com/k?X-Amz-Algorithm=AWS4-HMAC-SHA256&\
             X-Amz-Credential=AK%2F20260101\
             &X-Amz-Date=20260101T000000Z&X-Amz-Expires=60&X-Amz-Security-Token=abc&\
             X-Amz-SignedHeaders=host\
             &X-Amz-Signature=0a1b",
            "https://b.s3.amazonaws.com/k?X-Amz-Algorithm=AWS4-HMAC-SHA256&\
             X-Amz-Credential=REDACTED\
             &X-Amz-Date=20260101T000000Z&X-Amz-Expires=60&X-Amz-Security-Token=REDACTED\
             &X-Amz-SignedHeaders=host&X-Amz-Signature=REDACTED",
        ),
        (
            "https://b.s3.amazonaws.com/k?AWSAccessKeyId=AKIA&Signature=a%2Fb%3D&Expires=1",
            "https://b.s3.amazonaws.com/k?AWSAccessKeyId=REDACTED&Signature=REDACTED&Expires=1",
        ),
        (
            "https://storage.googleapis.com/b/k?GoogleAccessId=x@y&Expires=1&Signature=ab",
            "https://storage.googleapis.com/b/k?GoogleAccessId=REDACTED&Expires=1&Signature=REDACTED",
        ),
        (
            "https://storage.googleapis.com/b/k?X-Goog-Credential=x&X-Goog-Date=1&X-Goog-Signature=0a",
            "https://storage.googleapis.com/b/k?X-Goog-Credential=REDACTED&X-Goog-Date=1\
             &X-Goog-Signature=REDACTED",
        ),
        ("https://a/b?access_token=x#more", "https://a/b?access_token=REDACTED#more"),
        ("https://a/b#access_token=x&b=1", "https://a/b#access_token=REDACTED&b=1"),
    ]);
}

#[test]
fn in_a_query_only_what_is_known_is_shown() {
    check(&[
        ("https://a/b?comp=copy&anything=x", "https://a/b?comp=copy&anything=REDACTED"),
        ("(see https://a/b?key=x for more)", "(see https://a/b?key=REDACTED for more)"),
        ("'https://a/b?key=x' is bad", "'https://a/b?key=REDACTED' is bad"),
        (
            "<a href=\"https://a/b?k=x&amp;sv=1\">",
            "<a href=\"https://a/b?k=REDACTED&amp;sv=REDACTED\">",
        ),
        ("https://a/b?sv$comp=x", "https://a/b?sv$comp=REDACTED"),
        ("https://a/b?k[comp]=x&=y", "https://a/b?k[comp]=REDACTED&=REDACTED"),
        ("https://a/b?k=x,y;z)'", "https://a/b?k=REDACTED'"),
        ("https://a/b?blockid=QQ==&comp=block", "https://a/b?blockid=QQ==&comp=block"),
        ("https://a/b?si=x;sig=abc", "https://a/b?si=x;sig=REDACTED"),
        ("after https://a/b?comp=x k=v", "after https://a/b?comp=x k=v"),
    ]);
    let all = HARMLESS_SAMPLE.map(|name| format!("{name}=v")).join("&");
    assert_eq!(redact(&format!("https://a/b?{all}")), format!("https://a/b?{all}"));
    assert_eq!(redact_query("sv=1&x=y&sig=z"), "sv=1&x=REDACTED&sig=REDACTED");
    assert_eq!(redact_query("SP=r"), "SP=r");
}

const HARMLESS_SAMPLE: [&str; 10] =
    ["comp", "restype", "snapshot", "versionid", "marker", "sv", "se", "sp", "skoid", "X-Amz-Date"];

#[test]
fn a_url_in_a_url_is_one_at_any_depth() {
    check(&[
        ("src=https%3A%2F%2Fa%3Fsig%3Dabc rest", "src=https%3A%2F%2Fa%3Fsig%3DREDACTED rest"),
        ("https%3A%2F%2Fa%3Fkey%3Dabc%26sv%3D1", "https%3A%2F%2Fa%3Fkey%3DREDACTED%26sv%3D1"),
        (
            "https%253A%252F%252Fa%253Fsig%253Dab%2525c%2526sv%253D1",
            "https%253A%252F%252Fa%253Fsig%253DREDACTED%2526sv%253D1",
        ),
        (
            "https://a/b?marker=https%3A%2F%2Fa%3Fsig%3Dabc%26sv%3D1&comp=list",
            "https://a/b?marker=https%3A%2F%2Fa%3Fsig%3DREDACTED%26sv%3D1&comp=list",
        ),
        ("https://a/b?next=https%3A%2F%2Fa%3Fsv%3D1&comp=x", "https://a/b?next=REDACTED&comp=x"),
        ("https://a/b?sig=abc%27%26%20def&comp=x", "https://a/b?sig=REDACTED&comp=x"),
        ("SharedKey%20acct%3Aabc%3D&x", "SharedKey%20REDACTED&x"),
        ("Bearer%20abc.d&x", "Bearer%20REDACTED&x"),
    ]);
}

#[test]
fn text_in_json_is_read_as_what_it_means() {
    check(&[
        (
            r#"{"refresh_token":"0.AX-SECRET","expires_in":3599,"id_token" : "SECRET"}"#,
            r#"{"refresh_token":"REDACTED","expires_in":3599,"id_token" : "REDACTED"}"#,
        ),
        (r#"{"access_token":"a\"SECRET","x":"y"}"#, r#"{"access_token":"REDACTED","x":"y"}"#),
        (
            r#""{\"access_token\":\"SECRET\",\"token_type\":\"Bearer\"}""#,
            r#""{\"access_token\":\"REDACTED\",\"token_type\":\"Bearer\"}""#,
        ),
        (
            r#""{\\\"id_token\\\":\\\"SEC\\\\\\\"RET\\\",\\\"x\\\":1}""#,
            r#""{\\\"id_token\\\":\\\"REDACTED\\\",\\\"x\\\":1}""#,
        ),
        (
            r"https:\/\/a\/b?sv=1\u0026sig\u003dSECRET\u0026sp=r",
            r"https:\/\/a\/b?sv=1\u0026sig\u003dREDACTED\u0026sp=r",
        ),
        (
            r"%22access_token%5C%22:%5C%22SECRET%5C%22",
            r"%22access_token%5C%22:%5C%22REDACTED%5C%22",
        ),
        ("b=access_token%22%3A%22SECRET%22%7D end", "b=access_token%22%3A%22REDACTED%22%7D end"),
    ]);
    let odd = KEY.replace('/', r"\/").replace('+', r"\u002B").replace('=', r"\u003D");
    check(&[(&format!(r#"{{"x":"{odd}"}}"#), r#"{"x":"REDACTED"}"#)]);
    check(&[(&format!(r"line\n{JWT} end"), r"line\nREDACTED end")]);
    for text in [r"C:\users\new\table", r#"a\"b\"c"#, r"\u00", r"\\server\share", r"\", r"\u00e9"] {
        assert!(matches!(redact(text), Cow::Borrowed(_)), "{text}");
    }
}

#[test]
fn what_an_endpoint_that_gives_tokens_is_asked_is_shown_without_its_secrets() {
    check(&[
        (
            "client_id=a&client_secret=SECRET~&Assertion=SECRET&scope=b",
            "client_id=a&client_secret=REDACTED&Assertion=REDACTED&scope=b",
        ),
        (
            "client_assertion_type=urn%3Ax&client_assertion=SECRET",
            "client_assertion_type=urn%3Ax&client_assertion=REDACTED",
        ),
        ("{client_secret: SECRET, é: 'b'}", "{client_secret: REDACTED, é: 'b'}"),
    ]);
    check(&[(&format!("at%22{JWT}%22"), "at%22REDACTED%22")]);
}

#[test]
fn a_compound_name_before_a_colon_is_that_of_a_secret() {
    check(&[
        ("AccountKey: SECRET", "AccountKey: REDACTED"),
        ("sv: 2026-04-06, sig: SECRET", "sv: 2026-04-06, sig: REDACTED"),
        ("{client_secret: SECRET, x: 1}", "{client_secret: REDACTED, x: 1}"),
        ("X-Amz-Signature: SECRET\nHost: a", "X-Amz-Signature: REDACTED\nHost: a"),
        ("storage_key: 'SECRET', x", "storage_key: 'REDACTED', x"),
        ("AZURE_STORAGE_KEY=SECRET x", "AZURE_STORAGE_KEY=REDACTED x"),
        ("Authorization: Bearer secret", "Authorization: Bearer REDACTED"),
    ]);
}

#[test]
fn keys_and_web_tokens_are_known_by_their_form() {
    let cases = |secret: &str| {
        [
            (secret.to_owned(), "REDACTED".to_owned()),
            (format!("the key {secret}, which"), "the key REDACTED, which".to_owned()),
            (
                format!("{secret}.blob.core.windows.net"),
                "REDACTED.blob.core.windows.net".to_owned(),
            ),
            (format!("EndpointSuffix={secret}"), "EndpointSuffix=REDACTED".to_owned()),
            (format!("https://a/b?prefix={secret}&x"), "https://a/b?prefix=REDACTED&x".to_owned()),
        ]
    };
    for secret in [KEY, CUSTOMER_KEY] {
        let encoded =
            percent_encoding::utf8_percent_encode(secret, percent_encoding::NON_ALPHANUMERIC);
        for form in [secret.to_owned(), encoded.to_string(), secret.to_lowercase()] {
            for (text, shown) in cases(&form) {
                assert_eq!(redact(&text), shown, "{text}");
            }
        }
    }
    for (text, shown) in [
        (JWT.to_owned(), "REDACTED"),
        (format!("/c/{JWT}/b"), "/c/REDACTED/b"),
        (format!("got {}.", JWT.to_lowercase()), "got REDACTED"),
        (KEY.trim_end_matches('=').to_owned(), "REDACTED"),
        (format!("/10000/{}/c/b", KEY.trim_end_matches('=')), "/10000/REDACTED/c/b"),
        // The path before the key looks like a part of it.
        (format!("https://host/c{KEY}"), "https:REDACTED"),
    ] {
        if text.starts_with("https") {
            assert!(!redact(&text).contains(&KEY[..20]), "{text}");
        } else {
            assert_eq!(redact(&text), shown, "{text}");
        }
    }
}

#[test]
fn text_without_secrets_is_not_copied() {
    for text in [
        "",
        "https://a/c/b?snapshot=2026",
        "Bearer authorization_uri=https://x",
        "bearer tokens are sent over https only",
        "The authentication scheme SharedKey is not supported.",
        "2!188!MDAwMDY5IXRlc3QtY29udGFpbmVyLXRlc3QtY29udGFpbmVyITAwMDAyOCE5OTk5LTEyLTMxVDIzOjU5OjU5Ljk5OTk5OTlaIQ--",
        "warehouse/events/year=2026/month=01/part-0000.parquet",
        "100% of it, a%20b, %zz, 5 = 5, what? why=so",
        "x-ms-version:2026-10-06\nx-ms-date:Thu, 01 Jan 2026 00:00:00 GMT\n/acct/c\ncomp:list",
        "Q2hlY2sgSW50ZWdyaXR5IQ==",
        "72f988bf-86f1-41af-91ab-2d7cd011db47",
        "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        "größe=日本; config=1; design=2",
        "sig=REDACTED",
        "sig=&x=1",
        "Authentication scheme Bearer is not supported in this version.",
        "the bearer of this message, Bearer or SharedKey",
        "copy token: it names no blob; SAS token: none; Signature: none",
        "https://acct.blob.core.windows.net/c/what%3Fname%3Dx.txt",
        "https://acct.blob.core.windows.net/c/a%3Fb=c%26d=e?snapshot=2026",
        "https://a/c/b?comp=block&blockid=MDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDA%3D&timeout=3",
        "the body must have 'client_secret' or 'client_assertion'.",
        r#"{"id_token":"", "access_token" : "", "error":"invalid_client"}"#,
        "http://169.254.169.254/token?api-version=1&resource=https%3A%2F%2Fx&client_id=y&scope=z",
        "\"0x8CEB669D794AFE2\" 1B2M2Y8AsgTpgAmY7PhCfg== 77uWZTolTHU= b/2026-01-01T00:00:00.1234567Z",
        "https://acct.blob.core.windows.net/vhds/a%20folder/100%25.vhd?versionid=2026-01-01T00%3A00Z",
        "Signature not valid in the specified time frame: Start [Thu, 01 Jan 2026 00:00:00 GMT]",
        "Signature did not match. String to sign used was r\n\n2026-01-01T00:00:00Z\n/blob/acct/c/b",
    ] {
        assert!(matches!(redact(text), Cow::Borrowed(same) if same == text), "{}", redact(text));
    }
}

/// Texts that are hard for scanners, each to be repeated.
const TROUBLE: [&str; 30] = [
    "\\",
    "\\\"token\\\":\\\"",
    "\\u00",
    "api_key: ",
    "/",
    "aB3/cD4/eF5gH6iJ7kL8mN9oP0qR1sT2uV/",
    "no secret here. ",
    "sig=a&",
    "sig",
    "sig=",
    "=",
    "?",
    "&a",
    "?a=b ",
    "%",
    "%25",
    "%2525253D",
    "'",
    "request '",
    "\"token\" ",
    "\"token\":",
    "Bearer ",
    "SharedKey ",
    "a:b@",
    "://@",
    "https://",
    "eyJ.",
    "abcABC123/+",
    "authorization: ",
    "é",
];

#[test]
fn each_byte_is_looked_at_a_few_times_however_long_the_text() {
    let steps = |text: &str| {
        let view = View::of(text);
        let found = secrets(&view, Start::Text);
        (view.steps.get(), found.len())
    };
    for piece in TROUBLE {
        for lead in ["", "?", "token=", "Bearer ", "\"token\":\"", "authorization:"] {
            let text = |length: usize| {
                let mut text = lead.to_owned();
                while text.len() < length {
                    text.push_str(piece);
                }
                text
            };
            for length in [10_000, 20_000] {
                let text = text(length);
                let (steps, _) = steps(&text);
                assert!(
                    steps <= 12 * text.len() + 200,
                    "{lead}{piece}: {steps} for {}",
                    text.len()
                );
                assert!(redact(&text).len() <= 100 + text.len() / 5 * 13, "{lead}{piece}");
            }
        }
    }
    // 600 KB, with as many secrets as possible, and with none.
    let (many, found) = steps(&"sig=a&".repeat(100_000));
    assert!(many <= 3_600_000 && found == 100_000, "{many} steps, {found} secrets");
    assert!(steps(&"no secret here. ".repeat(40_000)).0 <= 3_600_000);
}

#[test]
fn a_customers_key_is_taken_out_of_an_answer_wherever_it_is() {
    let headers = |pairs: &[(&'static str, String)]| -> HeaderMap {
        let pair = |(name, value): &(&'static str, String)| {
            (HeaderName::from_static(name), value.parse().expect("a value"))
        };
        pairs.iter().map(pair).collect()
    };
    let request = headers(&[("x-ms-encryption-key", CUSTOMER_KEY.to_owned())]);
    let mut answer = headers(&[
        ("x-ms-encryption-key-sha256", CUSTOMER_KEY.to_lowercase()),
        ("etag", format!("\"{CUSTOMER_KEY}\"")),
        ("x-ms-version", "2026-10-06".to_owned()),
        (
            "x-ms-source-encryption-key-sha256",
            "S7Bvjk46dxXSAdVz0KpCN2LlXavWGiwCJ4+lbMbSlOA=".into(),
        ),
    ]);
    forget_keys(&request, &mut answer);
    assert_eq!(answer["x-ms-encryption-key-sha256"], REDACTED);
    assert_eq!(answer["etag"], REDACTED);
    assert_eq!(answer["x-ms-version"], "2026-10-06");
    let other = &answer["x-ms-source-encryption-key-sha256"];
    assert_eq!(other, "S7Bvjk46dxXSAdVz0KpCN2LlXavWGiwCJ4+lbMbSlOA=");
}

proptest! {
    #[test]
    fn any_text_is_taken_in_few_steps(pieces in proptest::collection::vec(
        prop_oneof![proptest::sample::select(&TROUBLE[..]).prop_map(str::to_owned), ".{0,9}"], 0..60,
    )) {
        let text = pieces.concat();
        let view = View::of(&text);
        secrets(&view, Start::Text);
        prop_assert!(view.steps.get() <= 12 * text.len() + 200);
        let _ = redact_query(&text);
    }

    #[test]
    fn a_named_secret_is_hidden_in_any_surroundings(
        before in "[ -~]{0,30}", secret in "[A-Za-z0-9+/]{12,60}", after in "[ -~]{0,30}",
    ) {
        let text = format!("{before} https://a.b/c?sv=1&sig={secret}&se=2 {after}");
        prop_assert!(!redact(&text).contains(&secret), "{}", redact(&text));
        let text = format!("{before} {KEY} {after}");
        prop_assert!(!redact(&text).contains(&KEY[..40]), "{}", redact(&text));
    }
}
