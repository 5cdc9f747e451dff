//! The names that mark secrets, and those that do not.

/// The query parameters whose values are shown; any other may be a secret.
///
/// The service's own, the fields of a SAS without its signature, and the harmless ones of presigned
/// URLs of other clouds.
const HARMLESS: &[&str] = &[
    // The service's.
    "comp",
    "restype",
    "snapshot",
    "versionid",
    "timeout",
    "prefix",
    "delimiter",
    "marker",
    "maxresults",
    "include",
    "showonly",
    "startfrom",
    "blockid",
    "blocklisttype",
    "copyid",
    "prevsnapshot",
    "where",
    "deletetype",
    "api-version",
    // A SAS.
    "sv",
    "ss",
    "srt",
    "sr",
    "sp",
    "st",
    "se",
    "sip",
    "spr",
    "si",
    "sk",
    "ses",
    "sdd",
    "rscc",
    "rscd",
    "rsce",
    "rscl",
    "rsct",
    "skoid",
    "sktid",
    "skt",
    "ske",
    "sks",
    "skv",
    "skdutid",
    "sduoid",
    "saoid",
    "suoid",
    "scid",
    "srh",
    "srq",
    // Token requests.
    "resource",
    "client_id",
    "scope",
    // Presigned URLs of other clouds.
    "x-amz-algorithm",
    "x-amz-date",
    "x-amz-expires",
    "x-amz-signedheaders",
    "x-goog-algorithm",
    "x-goog-date",
    "x-goog-expires",
    "x-goog-signedheaders",
    "expires",
    "generation",
    "alt",
    "partnumber",
    "response-content-type",
    "response-content-disposition",
];

/// Endings of names whose values are always secret, in lower case.
const SECRET_ENDS: &[&str] = &[
    "sig",
    "signature",
    "token",
    "secret",
    "password",
    "passwd",
    "pwd",
    "credential",
    "assertion",
    "authorization",
    "accountkey",
    "account_key",
    "account-key",
    "storagekey",
    "storage_key",
    "storage-key",
    "accesskey",
    "access_key",
    "access-key",
    "accesskeyid",
    "access_key_id",
    "accessid",
    "secretkey",
    "secret_key",
    "sharedkey",
    "shared_key",
    "apikey",
    "api_key",
    "api-key",
    "encryption-key",
    "encryption_key",
];

/// Headers whose whole value is secret.
const SECRET_HEADERS: &[&str] = &[
    "authorization",
    "proxy-authorization",
    "x-ms-copy-source-authorization",
    "x-ms-encryption-key",
    "x-ms-source-encryption-key",
    "cookie",
    "set-cookie",
];

/// Whether the value of a query parameter may be shown.
pub(crate) fn is_harmless_parameter(name: &[u8]) -> bool {
    HARMLESS.iter().any(|known| name.eq_ignore_ascii_case(known.as_bytes()))
}

/// Whether the value of a header must not be shown.
pub(crate) fn is_secret_header(name: &str) -> bool {
    SECRET_HEADERS.iter().any(|known| name.eq_ignore_ascii_case(known))
}

/// Whether the value after `name=` is a secret, outside of a query.
pub(super) fn is_secret_name(name: &[u8]) -> bool {
    SECRET_ENDS.iter().any(|end| ends_with(name, end))
}

/// Whether the value after `name:` is a secret. A single word may be part of a sentence.
pub(super) fn is_secret_field(name: &[u8]) -> bool {
    let no_word = |end: &str| matches!(end, "sig" | "pwd" | "passwd") || end.contains("key");
    let said = |end: &&str| ends_with(name, end) && (name.len() > end.len() || no_word(end));
    SECRET_ENDS.iter().any(said)
}

fn ends_with(name: &[u8], end: &str) -> bool {
    let from = name.len().checked_sub(end.len());
    from.is_some_and(|from| name[from..].eq_ignore_ascii_case(end.as_bytes()))
}

/// Words after `Bearer` that are not a token: prose, and the parameters of a challenge.
pub(super) fn is_no_token(word: &[u8]) -> bool {
    /// No token is as short and plain as this.
    const LONGEST_WORD: usize = 8;
    const PROSE: &[&str] = &[
        "token",
        "tokens",
        "auth",
        "authentication",
        "authorization",
        "challenge",
        "credential",
        "credentials",
        "scheme",
    ];
    const PARAMETERS: &[&str] = &[
        "authorization_uri=",
        "authorization=",
        "resource_id=",
        "resource=",
        "realm=",
        "scope=",
        "error=",
        "error_description=",
        "client_id=",
        "trusted_issuers=",
    ];
    let word = word.trim_ascii_end();
    let bare = word.strip_suffix(b".").or_else(|| word.strip_suffix(b":")).unwrap_or(word);
    let short = bare.len() <= LONGEST_WORD && bare.iter().all(u8::is_ascii_lowercase);
    let begins = |start: &&str| {
        word.get(..start.len()).is_some_and(|word| word.eq_ignore_ascii_case(start.as_bytes()))
    };
    short
        || PROSE.iter().any(|prose| bare.eq_ignore_ascii_case(prose.as_bytes()))
        || PARAMETERS.iter().any(begins)
}
