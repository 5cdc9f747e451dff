//! The public API as the source files define it: the functions that take an argument.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    sync::OnceLock,
};

/// Every public function outside the simulator that takes more than `self`, as `Type::function`;
/// and every conversion of a type from text (`from_str`, `from`, `deserialize`).
pub(super) fn functions() -> BTreeSet<String> {
    let files: Vec<Vec<String>> = source_files().iter().map(|path| lines(path)).collect();
    let mut macros = BTreeMap::new();
    for lines in &files {
        read(lines, &mut macros, &mut BTreeSet::new());
    }
    let mut found = BTreeSet::new();
    for lines in &files {
        read(lines, &mut macros, &mut found);
    }
    found
}

/// The names of all service headers that the source files mention.
pub(super) fn service_headers() -> &'static [String] {
    static FOUND: OnceLock<Vec<String>> = OnceLock::new();
    FOUND.get_or_init(|| {
        let mut found = BTreeSet::new();
        for line in source_files().iter().flat_map(|path| lines(path)) {
            for word in line.split('"').skip(1).step_by(2) {
                let plain =
                    |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
                if word.starts_with("x-ms-") && !word.ends_with('-') && word.bytes().all(plain) {
                    found.insert(word.to_owned());
                }
            }
        }
        found.into_iter().collect()
    })
}

/// The names of all elements that the source files read from the service's documents.
pub(super) fn elements() -> &'static [String] {
    static FOUND: OnceLock<Vec<String>> = OnceLock::new();
    FOUND.get_or_init(|| {
        let mut found = BTreeSet::new();
        for line in source_files().iter().flat_map(|path| lines(path)) {
            for word in line.split("b\"").skip(1).filter_map(|rest| rest.split('"').next()) {
                let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
                if word.len() > 3 && word.bytes().all(plain) {
                    found.insert(word.to_owned());
                }
            }
        }
        found.into_iter().collect()
    })
}

fn source_files() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let is_test = name.ends_with("tests.rs") || name == "tests";
            if path.is_dir() && !is_test {
                folders.push(path);
            } else if name.ends_with(".rs") && !is_test {
                found.push(path);
            }
        }
    }
    found
}

/// The lines of a file up to its tests, without comments.
fn lines(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).expect("a source file");
    let code = text.split("\n#[cfg(test)]\nmod tests").next().unwrap_or_default();
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.map(str::to_owned).collect()
}

/// What a macro generates: functions of the type that it receives, by name; and calls of other
/// macros.
#[derive(Debug, Clone, Default)]
struct Makes {
    functions: BTreeSet<String>,
    others: BTreeSet<String>,
}

/// Reads a file's items. Calls `macros` for macros, and `found` for everything else, including what
/// macros generate.
fn read(lines: &[String], macros: &mut BTreeMap<String, Makes>, found: &mut BTreeSet<String>) {
    let mut subject = String::new();
    let mut within: Option<String> = None;
    for (at, line) in lines.iter().enumerate() {
        let code = line.trim_start();
        if let Some(name) = code.strip_prefix("macro_rules! ") {
            within = Some(word(name).to_owned());
            subject = "$".to_owned();
        } else if line == "}" {
            within = None;
        }
        let mut made = BTreeSet::new();
        if code.starts_with("impl") && (code.contains('{') || code.contains(" for ")) {
            let header = code.split('{').next().unwrap_or_default();
            let (of, what) = match header.split_once(" for ") {
                Some((of, what)) => (of, what),
                None => ("", without_generics(&header["impl".len()..])),
            };
            subject = word(what).to_owned();
            made.extend(conversion(of).map(str::to_owned));
        } else if code.starts_with("#[derive(") && code.contains("Deserialize") {
            let item = lines[at..].iter().take(8).find_map(|line| {
                let line = line.trim_start();
                line.strip_prefix("pub struct ").or_else(|| line.strip_prefix("pub enum "))
            });
            if let Some(item) = item {
                subject = word(item).to_owned();
                made.insert("deserialize".to_owned());
            }
        } else if let Some(name) = function(code)
            && has_arguments(&lines[at..])
        {
            made.insert(name.to_owned());
        }
        let is_free = line.starts_with("pub ");
        match &within {
            Some(of) => macros.entry(of.clone()).or_default().functions.extend(made),
            None if is_free => found.extend(made.iter().map(|name| format!("::{name}"))),
            None => found.extend(made.iter().map(|name| format!("{subject}::{name}"))),
        }
        invocation(&lines[at..], &subject, within.as_deref(), macros, found);
    }
}

/// What a macro invocation on this line generates.
fn invocation(
    lines: &[String],
    subject: &str,
    within: Option<&str>,
    macros: &mut BTreeMap<String, Makes>,
    found: &mut BTreeSet<String>,
) {
    let Some((name, rest)) = lines[0].trim_start().split_once('!') else { return };
    let name = name.rsplit("::").next().unwrap_or_default();
    if !macros.contains_key(name) || !rest.starts_with(['(', ' ']) {
        return;
    }
    let end = lines.iter().position(|line| line.trim_end().ends_with([';', '}']));
    let inside = &lines[1..end.unwrap_or(0).max(1)];
    let setters = inside.iter().map(|line| line.trim()).filter_map(|line| {
        let name = word(line);
        let rest = line[name.len()..].trim_start();
        let plain = name.starts_with(|c: char| c.is_ascii_lowercase());
        (plain && rest.starts_with(['=', '('])).then(|| name.to_owned())
    });
    let setters: BTreeSet<String> = setters.collect();
    match within {
        Some(of) if of == name => {
            macros.entry(of.to_owned()).or_default().functions.extend(setters)
        }
        Some(of) => {
            macros.entry(of.to_owned()).or_default().others.insert(name.to_owned());
        }
        None => {
            let given = std::iter::once(rest).chain(inside.iter().map(String::as_str));
            let given = given.map(|line| word(line.trim_start_matches(['(', '{', ' '])));
            let of = given.clone().find(|word| word.starts_with(|c: char| c.is_ascii_uppercase()));
            let of = of.filter(|_| setters.is_empty()).unwrap_or(subject);
            let (mut left, mut seen) = (vec![name.to_owned()], BTreeSet::new());
            while let Some(next) = left.pop() {
                if !seen.insert(next.clone()) {
                    continue;
                }
                let makes = macros.get(&next).cloned().unwrap_or_default();
                left.extend(makes.others);
                let setters = makes.functions.contains("$setter").then_some(&setters);
                let functions = makes.functions.iter().chain(setters.into_iter().flatten());
                let plain = functions.filter(|name| !name.starts_with('$'));
                found.extend(plain.map(|name| format!("{of}::{name}")));
            }
        }
    }
}

/// How a type is converted from text by the trait of an implementation.
fn conversion(of: &str) -> Option<&'static str> {
    const TEXTS: [&str; 9] = [
        "From<&str>",
        "From<String>",
        "From<Url>",
        "From<&Url>",
        "From<Bytes>",
        "From<[(K, V); N]>",
        "FromIterator<(K, V)>",
        "From<Ipv4Addr>",
        "From<RangeInclusive<Ipv4Addr>>",
    ];
    match of {
        of if of.ends_with("FromStr") => Some("from_str"),
        of if of.ends_with("Deserialize<'de>") => Some("deserialize"),
        of if TEXTS.iter().any(|text| of.ends_with(text)) => Some("from"),
        _ => None,
    }
}

/// The name of a public function that starts here.
fn function(code: &str) -> Option<&str> {
    ["pub fn ", "pub const fn ", "pub async fn "]
        .iter()
        .find_map(|start| code.strip_prefix(start))
        .map(word)
}

/// Whether the function that starts here takes more than `self`.
fn has_arguments(lines: &[String]) -> bool {
    let text: String = lines.iter().take(12).map(|line| line.trim().to_owned() + " ").collect();
    let (mut depth, mut arguments) = (0_i32, String::new());
    let after_name = text.split_once("fn ").map_or("", |(_, rest)| rest);
    let open = after_name.find('(').unwrap_or(0);
    for character in after_name[open..].chars() {
        depth += i32::from(character == '(') - i32::from(character == ')');
        if depth == 0 {
            break;
        }
        arguments.push(character);
    }
    let mut given = arguments.trim_start_matches('(').split(',').map(str::trim);
    given.any(|argument| {
        !argument.is_empty()
            && word(argument.trim_start_matches(['&', ' '])) != "self"
            && !argument.ends_with("mut self")
    })
}

fn without_generics(header: &str) -> &str {
    let header = header.trim_start();
    let header = header.strip_prefix("$(<$of>)? ").unwrap_or(header);
    if !header.starts_with('<') {
        return header;
    }
    let mut depth = 0;
    for (at, character) in header.char_indices() {
        depth += i32::from(character == '<') - i32::from(character == '>');
        if depth == 0 {
            return header[at + 1..].trim_start();
        }
    }
    header
}

/// The identifier, or the `$identifier` of a macro, that a text starts with.
fn word(text: &str) -> &str {
    let part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '$';
    &text[..text.find(|c| !part(c)).unwrap_or(text.len())]
}

#[test]
fn the_source_files_are_read_as_they_are() {
    let found = functions();
    for name in [
        "BlobClient::acquire_lease",       // a method
        "Credential::shared_key",          // an associated function
        "ServiceSas::snapshot",            // with its arguments on several lines
        "DeleteBlob::lease_id",            // made by a macro
        "CopyFromUri::source_content_md5", // made by a macro that a macro invokes
        "ServiceSas::content_type",        // named by what a macro is given
        "GenerateSasUrl::cache_control",   // the same
        "AccountSas::starts",              // made within an implementation
        "UploadBlobFromUri::content_type", // of a type on the line after the macro
        "CopyId::from_str",                // a conversion
        "AccessTier::from",                // the same, by a macro
        "CopyToken::deserialize",          // derived
    ] {
        assert!(found.contains(name), "{name} is not found");
    }
    for name in ["Metadata::len", "BlobClient::download", "BlobSasPermissions::read"] {
        assert!(!found.contains(name), "{name} takes no argument");
    }
    assert!(found.len() > 250, "{} functions only", found.len());
    assert!(service_headers().len() > 80, "{} headers only", service_headers().len());
    assert!(elements().len() > 60, "{} elements only", elements().len());
}
