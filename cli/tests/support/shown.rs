//! Output as a snapshot keeps it: what differs from run to run is named.

/// The text with the endpoint, times and ids replaced by names. The same value has the same name
/// wherever it stands.
pub(crate) fn shown(text: &str, endpoint: &str) -> String {
    // The service shows the source of a copy with the scheme https.
    let secure = endpoint.replacen("http:", "https:", 1);
    let text = text.replace(endpoint, "[ENDPOINT]").replace(&secure, "[ENDPOINT]");
    let mut seen = Vec::new();
    let mut result = String::new();
    let mut rest = text.as_str();
    while let Some(character) = rest.chars().next() {
        let found = time(rest).map(|length| ("TIME", length));
        if let Some(("TIME", length)) = found.filter(|(_, length)| *length == SECONDS) {
            // Whether two of them are the same is chance.
            result.push_str("[DATE]");
            rest = &rest[length..];
            continue;
        }
        match found.or_else(|| guid(rest).map(|length| ("ID", length))) {
            Some((kind, length)) => {
                let value = whole(&rest[..length]);
                let known: Vec<&str> =
                    seen.iter().filter(|(k, _)| *k == kind).map(|(_, v)| *v).collect();
                let number = match known.iter().position(|known| *known == value) {
                    Some(at) => at + 1,
                    None => {
                        seen.push((kind, value));
                        known.len() + 1
                    }
                };
                result.push_str(&format!("[{kind} {number}]"));
                rest = &rest[length..];
            }
            None => {
                result.push(character);
                rest = &rest[character.len_utf8()..];
            }
        }
    }
    result
}

/// A time without the zeros at the end of its seconds, which the service writes and JSON does not.
fn whole(value: &str) -> &str {
    let time = value.strip_suffix('Z').filter(|time| time.contains('.'));
    time.map_or(value, |time| time.trim_end_matches('0'))
}

/// The length of a time with whole seconds.
const SECONDS: usize = "2026-01-01T00:00:00Z".len();

/// The length of a time in ISO 8601 at the beginning.
fn time(text: &str) -> Option<usize> {
    let length = matches(text, "dddd-dd-ddTdd:dd:dd")?;
    let fraction = match text.as_bytes().get(length) {
        Some(b'.') => 1 + text[length + 1..].bytes().take_while(u8::is_ascii_digit).count(),
        _ => 0,
    };
    (text.as_bytes().get(length + fraction) == Some(&b'Z')).then_some(length + fraction + 1)
}

/// The length of a GUID at the beginning.
fn guid(text: &str) -> Option<usize> {
    matches(text, "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx")
}

fn matches(text: &str, shape: &str) -> Option<usize> {
    let head = text.as_bytes().get(..shape.len())?;
    let fits = |(byte, wanted): (&u8, u8)| match wanted {
        b'd' => byte.is_ascii_digit(),
        b'x' => byte.is_ascii_hexdigit(),
        other => *byte == other,
    };
    head.iter().zip(shape.bytes()).all(fits).then_some(shape.len())
}

#[test]
fn the_same_value_has_the_same_name() {
    let text = "2026-01-01T00:00:00.1234567Z a 2026-01-01T00:00:00Z \
                2026-01-01T00:00:00.1234567Z 11111111-2222-3333-4444-555555555555 http://h/x";
    assert_eq!(
        shown("2026-01-01T00:00:00.1200000Z 2026-01-01T00:00:00.12Z", "x"),
        "[TIME 1] [TIME 1]"
    );
    let expected = "[TIME 1] a [DATE] [TIME 1] [ID 1] [ENDPOINT]/x";
    assert_eq!(shown(text, "http://h"), expected);
}
