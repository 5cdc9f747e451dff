//! Refuses headers and parameters that an operation does not accept, and those of features that are
//! not modelled. Other unknown headers and parameters are ignored.

use crate::wire::{
    call::Call,
    error::{Code, Refusal},
    op::Op,
};

/// Headers of a feature that the simulator does not have, and its name.
const NOT_MODELLED: [(&str, &str); 6] = [
    ("x-ms-immutability-policy-until-date", "Blob Immutability Policy"),
    ("x-ms-immutability-policy-mode", "Blob Immutability Policy"),
    ("x-ms-legal-hold", "Blob Legal Hold"),
    ("x-ms-structured-body", "Structured bodies"),
    ("x-ms-default-encryption-scope", "Encryption scopes of containers"),
    ("x-ms-deny-encryption-scope-override", "Encryption scopes of containers"),
];

/// The conditions on the addressed blob or container.
const CONDITIONS: [&str; 5] =
    ["if-match", "if-none-match", "if-modified-since", "if-unmodified-since", IF_TAGS];
const IF_TAGS: &str = "x-ms-if-tags";

/// The feature that a header requests and that is not modelled.
pub(super) fn not_modelled(call: &Call) -> Option<&'static str> {
    NOT_MODELLED.iter().find(|(header, _)| call.header(header).is_some()).map(|(_, name)| *name)
}

/// Refuses what the operation does not accept.
pub(super) fn check(call: &Call) -> Result<(), Refusal> {
    if let Some(text) = call.query.get("timeout").filter(|text| text.parse::<u64>().is_err()) {
        return Err(Refusal::bad_query("timeout", text, "It must be a number of seconds"));
    }
    let mut names = call.headers.keys().map(http::HeaderName::as_str);
    if let Some(name) = names.find(|name| !is_taken(call, name)) {
        return Err(Refusal::unsupported_header(name, call.header(name).unwrap_or("")));
    }
    if CONDITIONS.iter().any(|name| call.header(name).is_some() && !takes_condition(call.op, name))
    {
        return Err(Code::ConditionHeadersNotSupported.into());
    }
    Ok(())
}

/// Whether the operation accepts a header, of those that matter.
fn is_taken(call: &Call, name: &str) -> bool {
    match name {
        "x-ms-copy-source-authorization" => {
            (reads_source(call.op) || call.op == Op::CopyBlobFromUrl) && call.since("2020-10-02")
        }
        "x-ms-source-encryption-key"
        | "x-ms-source-encryption-key-sha256"
        | "x-ms-source-encryption-algorithm" => reads_source(call.op) && call.since("2026-04-06"),
        "x-ms-encryption-scope" => takes_key(call.op) || call.op == Op::CopyBlobFromUrl,
        "x-ms-encryption-key" | "x-ms-encryption-key-sha256" | "x-ms-encryption-algorithm" => {
            takes_key(call.op)
        }
        _ => match call.op {
            Op::CopyBlob => !matches!(
                name,
                "x-ms-copy-source-tag-option"
                    | "x-ms-source-content-md5"
                    | "x-ms-source-content-crc64"
            ),
            Op::IncrementalCopy => !is_of_writes(name),
            Op::DeleteBlob => !name.starts_with("x-ms-access-tier-if-") || call.since("2026-04-06"),
            _ => true,
        },
    }
}

/// Whether it is one of the headers that other writes accept; an incremental copy accepts only the
/// conditions among them.
fn is_of_writes(name: &str) -> bool {
    const NAMES: [&str; 7] = [
        "x-ms-lease-id",
        "x-ms-access-tier",
        "x-ms-rehydrate-priority",
        "x-ms-tags",
        "x-ms-copy-source-tag-option",
        "x-ms-seal-blob",
        "x-ms-requires-sync",
    ];
    let prefixed = ["x-ms-meta-", "x-ms-source-"].iter().any(|prefix| name.starts_with(prefix));
    prefixed || NAMES.contains(&name)
}

/// Whether the content is read from a URL before the answer; not Copy Blob From URL, which is
/// handled separately.
fn reads_source(op: Op) -> bool {
    matches!(
        op,
        Op::PutBlobFromUrl | Op::PutBlockFromUrl | Op::PutPageFromUrl | Op::AppendBlockFromUrl
    )
}

/// Whether it reads or writes the content, or what a customer-provided key protects with it.
fn takes_key(op: Op) -> bool {
    reads_source(op)
        || matches!(
            op,
            Op::PutBlob
                | Op::PutBlock
                | Op::PutBlockList
                | Op::PutPage
                | Op::AppendBlock
                | Op::GetBlob
                | Op::GetBlobProperties
                | Op::GetBlobMetadata
                | Op::SetBlobMetadata
                | Op::SnapshotBlob
        )
}

fn takes_condition(op: Op, name: &str) -> bool {
    match op {
        Op::PutBlock | Op::PutBlockFromUrl | Op::AbortCopy | Op::ListBlobs => false,
        Op::SetBlobTier => name == IF_TAGS,
        _ => true,
    }
}
