//! The service's documents, with arbitrary content.

use http::Method;

use super::{
    answers::{Content, Marker},
    face,
};
use blobcopy::transport::Request;

/// How many pages an endless list may have.
const PATIENCE: usize = 20;

/// The body that answers `request`, the `number`-th of its call.
pub(super) fn bytes(
    content: &Content,
    marker: Marker,
    request: &Request,
    number: usize,
) -> Vec<u8> {
    match content {
        Content::Nothing => Vec::new(),
        Content::Bytes(bytes) => bytes.clone(),
        // A wait polls hundreds of times, and never reads a body.
        _ if request.method() == Method::HEAD => Vec::new(),
        Content::Long(length) => vec![b'x'; *length],
        Content::Nested(depth) => {
            let (open, close) = ("<a>".repeat(*depth), "</a>text".repeat(*depth));
            framed(request, &format!("{open}text{close}"))
        }
        Content::Attributes(length) => {
            let attributes: String =
                (0..*length / 12).map(|number| format!(" a{number}=\"b\"")).collect();
            framed(
                request,
                &format!("<Blobs><Blob><Name Encoded=\"true\"{attributes}>x</Name></Blob></Blobs>"),
            )
        }
        Content::References(count) => {
            let references = "&amp;&#65;&#x1F600;".repeat(*count);
            framed(
                request,
                &format!("<Message>{references}</Message><Prefix>{references}</Prefix>"),
            )
        }
        Content::Document { scalars, cut, entries } => {
            let mut whole = document(request, scalars, *entries, marker, number);
            if let Some(cut) = cut {
                whole.truncate(cut.index(whole.len() + 1));
            }
            whole
        }
    }
}

fn root(request: &Request) -> &'static str {
    let mut pairs = request.url().query_pairs();
    let comp = pairs.find(|(name, _)| name == "comp").map(|(_, value)| value.into_owned());
    match comp.as_deref().filter(|_| request.method() != Method::PUT) {
        Some("list") => "EnumerationResults",
        Some("pagelist") => "PageList",
        Some("tags") => "Tags",
        Some("blocklist") => "BlockList",
        Some("userdelegationkey") => "UserDelegationKey",
        _ => "Error",
    }
}

fn framed(request: &Request, inner: &str) -> Vec<u8> {
    let root = root(request);
    format!("<?xml version=\"1.0\"?><{root}>{inner}</{root}>").into_bytes()
}

fn document(
    request: &Request,
    scalars: &[String],
    entries: usize,
    marker: Marker,
    number: usize,
) -> Vec<u8> {
    let mut turn = 0;
    let mut scalar = || {
        turn += 1;
        let text = &scalars[turn % scalars.len()];
        // Sometimes unescaped, which need not be valid XML.
        if turn % 29 == 0 { text.clone() } else { escaped(text) }
    };
    let mut body = String::new();
    let root = root(request);
    let is_list = matches!(root, "EnumerationResults" | "PageList");
    for _ in 0..if is_list { entries } else { entries.min(3) } {
        match root {
            "EnumerationResults" => entry(&mut body, &mut scalar, entries > 100),
            "PageList" => {
                for range in ["PageRange", "ClearRange"] {
                    let (start, end) = (scalar(), scalar());
                    body += &format!("<{range}><Start>{start}</Start><End>{end}</End></{range}>");
                }
            }
            "Tags" => {
                let (key, value) = (scalar(), scalar());
                body +=
                    &format!("<TagSet><Tag><Key>{key}</Key><Value>{value}</Value></Tag></TagSet>");
            }
            "BlockList" => {
                let (name, size) = (scalar(), scalar());
                let block = format!("<Block><Name>{name}</Name><Size>{size}</Size></Block>");
                body += &format!("<CommittedBlocks>{block}{block}</CommittedBlocks>");
            }
            "UserDelegationKey" => KEY.iter().for_each(|name| element(&mut body, name, &scalar())),
            _ => ERROR.iter().for_each(|name| element(&mut body, name, &scalar())),
        }
    }
    for name in ["Prefix", "Marker", "MaxResults", "Delimiter"] {
        element(&mut body, name, &scalar());
    }
    element(&mut body, "NextMarker", &next_marker(marker, request, number));
    framed(request, &body)
}

fn next_marker(marker: Marker, request: &Request, number: usize) -> String {
    let mut pairs = request.url().query_pairs();
    let sent = pairs.find(|(name, _)| name == "marker").map(|(_, value)| value.into_owned());
    match marker {
        Marker::Same => sent.unwrap_or_else(|| "m".to_owned()),
        Marker::Circle(length) => format!("m{}", number % length),
        Marker::Ever if number < PATIENCE => format!("m{number}"),
        Marker::None | Marker::Ever => String::new(),
    }
}

/// A blob or container with every element that the crate knows, or with almost none.
fn entry(body: &mut String, scalar: &mut impl FnMut() -> String, bare: bool) {
    for (kind, list) in [("Blob", "Blobs"), ("Container", "Containers"), ("BlobPrefix", "Blobs")] {
        *body += &format!("<{list}><{kind}>");
        element(body, "Name", &scalar());
        if !bare {
            for name in face::elements() {
                element(body, name, &scalar());
            }
            *body += "<Properties>";
            for name in face::elements() {
                element(body, name, &scalar());
            }
            *body += "</Properties><Metadata Encrypted=\"maybe\">";
            element(body, "x-ms-invalid-name", &scalar());
            element(body, "k", &scalar());
            *body += "</Metadata><OrMetadata>";
            element(body, "or-policy_rule", &scalar());
            *body += "</OrMetadata><Tags><TagSet><Tag>";
            element(body, "Key", &scalar());
            element(body, "Value", &scalar());
            *body += "</Tag></TagSet></Tags>";
        }
        *body += &format!("</{kind}></{list}>");
    }
}

fn element(body: &mut String, name: &str, text: &str) {
    *body += &format!("<{name}>{text}</{name}>");
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

const KEY: [&str; 8] = [
    "SignedOid",
    "SignedTid",
    "SignedStart",
    "SignedExpiry",
    "SignedService",
    "SignedVersion",
    "SignedDelegatedUserTid",
    "Value",
];

const ERROR: [&str; 8] = [
    "Code",
    "Message",
    "CopySourceStatusCode",
    "CopySourceErrorCode",
    "CopySourceErrorMessage",
    "AuthenticationErrorDetail",
    "ExtendedErrorDetail",
    "HeaderName",
];
