//! Which parts of two answers are compared, and how a difference is printed.

use std::collections::{BTreeMap, BTreeSet};

use quick_xml::{Reader, events::Event};

use super::{rule::HeaderRule, wire::Answer};

/// Headers whose values are compared.
const TELLING: [&str; 33] = [
    "accept-ranges",
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-length",
    "content-md5",
    "content-range",
    "content-type",
    "x-ms-access-tier",
    "x-ms-access-tier-inferred",
    "x-ms-archive-status",
    "x-ms-blob-append-offset",
    "x-ms-blob-committed-block-count",
    "x-ms-blob-content-length",
    "x-ms-blob-content-md5",
    "x-ms-blob-public-access",
    "x-ms-blob-sealed",
    "x-ms-blob-sequence-number",
    "x-ms-blob-type",
    "x-ms-client-request-id",
    "x-ms-copy-progress",
    "x-ms-copy-status",
    "x-ms-delete-type-permanent",
    "x-ms-has-immutability-policy",
    "x-ms-has-legal-hold",
    "x-ms-incremental-copy",
    "x-ms-is-current-version",
    "x-ms-lease-duration",
    "x-ms-lease-state",
    "x-ms-lease-status",
    "x-ms-tag-count",
    "x-ms-version",
];

/// Headers whose values differ between servers: only their presence is compared.
const PRESENT: [&str; 14] = [
    "etag",
    "last-modified",
    "x-ms-access-tier-change-time",
    "x-ms-content-crc64",
    "x-ms-copy-completion-time",
    "x-ms-copy-id",
    "x-ms-copy-source",
    "x-ms-creation-time",
    "x-ms-lease-id",
    "x-ms-lease-time",
    "x-ms-request-id",
    "x-ms-request-server-encrypted",
    "x-ms-server-encrypted",
    "x-ms-snapshot",
];

/// Elements whose text differs between servers.
const OWN: [&str; 10] = [
    "AccessTierChangeTime",
    "CopyCompletionTime",
    "CopyId",
    "CopySource",
    "Creation-Time",
    "Etag",
    "Last-Modified",
    "LastAccessTime",
    "NextMarker",
    "Snapshot",
];

/// How two answers differ, with a description for each; empty if they agree. Differences that a
/// rule explains are left out, and the rule is marked as used.
pub(crate) fn differences(
    theirs: &Answer,
    ours: &Answer,
    rules: &[HeaderRule],
    used: &mut BTreeSet<String>,
) -> Option<(String, String)> {
    let (their_end, our_end) = (ending(theirs), ending(ours));
    if their_end != our_end {
        return Some((their_end, our_end));
    }
    let mut differing = (Vec::new(), Vec::new());
    let failed = theirs.status >= 300;
    let (their_facts, our_facts) = (facts(theirs, failed), facts(ours, failed));
    let names: BTreeSet<_> = their_facts.keys().chain(our_facts.keys()).collect();
    for name in names {
        let (their, our) = (their_facts.get(name), our_facts.get(name));
        if their == our {
            continue;
        }
        let explained = |rule: &&HeaderRule| {
            rule.header == *name && rule.fits(their.map(String::as_str), our.map(String::as_str))
        };
        if rules.iter().any(|rule| explained(&rule)) {
            used.insert(name.clone());
            continue;
        }
        let say = |fact: Option<&String>| match fact {
            None => format!("no {name}"),
            Some(value) => format!("{name}: {value}"),
        };
        differing.0.push(say(their));
        differing.1.push(say(our));
    }
    let say = |found: Vec<String>| format!("{their_end}; {}", found.join("; "));
    (!differing.0.is_empty()).then(|| (say(differing.0), say(differing.1)))
}

/// The status, and the error code if there is one.
pub(crate) fn ending(answer: &Answer) -> String {
    let in_body = || {
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        let (_, rest) = text.split_once("<Code>")?;
        Some(rest.split_once("</Code>")?.0.to_owned())
    };
    let code = answer.headers.get("x-ms-error-code").cloned().or_else(in_body);
    match code {
        Some(code) => format!("{} {code}", answer.status),
        None => answer.status.to_string(),
    }
}

/// The compared parts, by name.
pub(crate) fn facts(answer: &Answer, failed: bool) -> BTreeMap<String, String> {
    let xml = answer.headers.get("content-type").is_some_and(|kind| kind.contains("xml"));
    let mut facts = BTreeMap::new();
    for (name, value) in &answer.headers {
        // The text of an error differs between servers, and with it the length of the document.
        let of_the_text = name == "content-length" || name == "content-type";
        if (failed || xml) && of_the_text {
            continue;
        }
        if TELLING.contains(&name.as_str()) || name.starts_with("x-ms-meta-") {
            facts.insert(name.clone(), value.clone());
        } else if PRESENT.contains(&name.as_str()) {
            facts.insert(name.clone(), "…".into());
        }
    }
    if !failed && xml {
        elements(&answer.body, &mut facts);
    } else if !failed && !answer.body.is_empty() {
        facts.insert("body".into(), shortened(&answer.body));
    }
    facts
}

/// Every element with text, by its path; texts with the same path are joined.
pub(crate) fn elements(body: &[u8], facts: &mut BTreeMap<String, String>) {
    let text = String::from_utf8_lossy(body);
    let mut reader = Reader::from_str(text.trim_start_matches('\u{feff}'));
    let mut path: Vec<String> = Vec::new();
    let mut words = String::new();
    loop {
        let Ok(event) = reader.read_event() else {
            facts.insert("body".into(), "no XML".into());
            break;
        };
        match event {
            Event::Start(start) => {
                path.push(start.name().as_ref().to_owned());
                words.clear();
            }
            Event::Text(text) => words += &*text,
            Event::GeneralRef(entity) => words += &format!("&{};", &*entity),
            Event::End(_) => {
                let last = path.last().cloned().unwrap_or_default();
                let words = std::mem::take(&mut words);
                if !words.trim().is_empty() {
                    let value = if OWN.contains(&last.as_str()) { "…".into() } else { words };
                    let name = format!("<{last}>");
                    facts
                        .entry(name)
                        .and_modify(|all| *all += &format!(", {value}"))
                        .or_insert(value);
                }
                path.pop();
            }
            Event::Eof => break,
            _ => {}
        }
    }
}

/// A body of repeated letters is long; its first and last ones are enough.
fn shortened(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body).replace('\0', "0");
    let letters: Vec<char> = text.chars().collect();
    let part = |letters: &[char]| letters.iter().collect::<String>();
    match letters.len() {
        0..=40 => text,
        length => {
            format!("{}…{} ({length})", part(&letters[..8]), part(&letters[length - 8..]))
        }
    }
}
