//! Names as they may be shown: a name that only looks like a secret is shown as it is, so that it
//! can be used again.

use url::Url;

use crate::failure::redacted;

/// The name of a blob, or the path of a URL.
pub(crate) fn shown(name: &str) -> String {
    let hidden = redacted(name);
    if hidden == name || !is_harmless(name) { hidden } else { name.to_owned() }
}

/// A URL without its query, which is where a SAS would be.
pub(crate) fn of_url(url: &Url) -> String {
    let mut root = url.clone();
    root.set_path("");
    root.set_query(None);
    root.set_fragment(None);
    let root = redacted(root.as_str());
    format!("{}{}", root.trim_end_matches('/'), shown(url.path()))
}

/// The same for a URL that the service has told.
pub(crate) fn of_source(url: &str) -> String {
    match url.parse::<Url>() {
        // Its own letters, where the service writes some otherwise.
        Ok(parsed) if parsed.as_str() == url => of_url(&parsed),
        _ => redacted(url.split('?').next().unwrap_or_default()),
    }
}

/// What to know of commands that are shown, where a part of a name was hidden.
pub(crate) fn about_hidden(commands: &str) -> Option<&'static str> {
    commands.contains("REDACTED").then_some("write the name as it is where it says REDACTED")
}

/// Whether `sig=` or an `@` is all that is suspicious. A SAS has more pairs than one, and a URL
/// with a password has a colon before it.
fn is_harmless(name: &str) -> bool {
    let mut plain = name.to_ascii_lowercase();
    for (code, character) in
        [("%26", "&"), ("%3f", "?"), ("%3b", ";"), ("%3a", ":"), ("%40", "@"), ("%3d", "=")]
    {
        plain = plain.replace(code, character);
    }
    let has_password = plain.split("://").skip(1).any(|rest| {
        let user = rest.split('/').next().and_then(|authority| authority.rsplit_once('@'));
        user.is_some_and(|(user, _)| user.contains(':'))
    });
    let rest = plain.replace("sig=", "sig-").replace('@', "-");
    !has_password && !plain.contains(['&', '?', ';']) && redacted(&rest) == rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_only_looks_like_a_secret_is_shown() {
        for name in ["sig=abc", "x://a@b", "a/sig=1", "d@latest", "é", "sig%3Dabc", "x%3A//a%40b"]
        {
            assert_eq!(shown(name), name);
        }
    }

    #[test]
    fn what_may_be_a_secret_is_not() {
        for name in [
            "d?sv=1&sig=SECRET",
            "d%3Fsv%3D1%26sig%3DSECRET",
            "sv=1&sig=SECRET",
            "https://user:SECRET@host/x",
            "https%3A//user%3ASECRET%40host/x",
            "AccountName=a;AccountKey=SECRET",
        ] {
            assert!(!shown(name).contains("SECRET"), "{}", shown(name));
        }
    }

    #[test]
    fn a_url_is_shown_without_what_is_secret_in_it() {
        let shown = |url: &str| of_url(&url.parse().expect("a URL"));
        assert_eq!(shown("https://a.b/c/sig=x?sig=SECRET"), "https://a.b/c/sig=x");
        assert_eq!(shown("http://127.0.0.1:1/a/c/x%20y#f"), "http://127.0.0.1:1/a/c/x%20y");
        assert!(!shown("https://user:SECRET@a.b/c").contains("SECRET"));
        assert_eq!(of_source("https://a.b/c/sig%3dx?snapshot=2026"), "https://a.b/c/sig%3dx");
    }
}
