//! Reads the source of a copy from another server, as the service would, by the service's own
//! operations.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{Client, Method, RequestBuilder, Response, redirect::Policy};
use time::OffsetDateTime;

use crate::{
    pipeline::clock,
    simulator::{
        blob::{Block, Content, ContentHeaders, Metadata, Revision, Tags},
        dates,
        error::{Code, Refusal},
        pages::{PAGE, Pages},
        remote::{Access, Elsewhere, Part, READER, Wanted, Watched},
    },
};

/// How long the service tries to read a source before it gives up.
const LONGEST: Duration = Duration::from_secs(30);
/// How much of a page blob is read at a time.
const PIECE: u64 = 4 << 20;

/// Reads as much of a source as is wanted.
pub(crate) async fn fetch(
    wanted: Wanted,
    now: OffsetDateTime,
) -> Result<(Revision, Elsewhere), Refusal> {
    let Wanted { access, part, stamp } = wanted;
    let source = Source { client: client()?, access, stamp, now };
    let read = clock::within(LONGEST, source.read(part)).await;
    let (revision, cut, astray) = read.unwrap_or(Err(Trouble::Unreachable))?;
    Ok((revision, Elsewhere { access: source.access, cut, astray }))
}

/// Whether the source of a copy under way is still there, and as it was.
pub(crate) async fn is_unchanged(watched: &Watched) -> bool {
    let Ok(client) = client() else { return false };
    let look = ask(&client, &watched.access, Method::HEAD, "").send();
    let seen = clock::within(LONGEST, look).await.and_then(Result::ok);
    seen.is_some_and(|seen| {
        let etag = header(seen.headers(), "etag").unwrap_or_default();
        seen.status().is_success() && etag == watched.etag
    })
}

/// Why there is no source.
enum Trouble {
    /// Neither its status nor its code can be told.
    Unreachable,
    /// What the server said to a read.
    Refused(Refusal),
    /// What answers is no blob service.
    Foreign,
}

impl From<Trouble> for Refusal {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Unreachable => Code::CannotVerifyCopySource.into(),
            Trouble::Refused(cause) => Self::source_unreadable(&cause),
            Trouble::Foreign => Code::InvalidSourceBlobUrl.into(),
        }
    }
}

impl From<reqwest::Error> for Trouble {
    fn from(_: reqwest::Error) -> Self {
        Self::Unreachable
    }
}

fn client() -> Result<Client, Trouble> {
    Ok(Client::builder().redirect(Policy::none()).no_proxy().user_agent(READER).build()?)
}

fn ask(client: &Client, access: &Access, method: Method, query: &str) -> RequestBuilder {
    let Access { url, headers } = access;
    let joint = if url.contains('?') { '&' } else { '?' };
    let url = if query.is_empty() { url.clone() } else { format!("{url}{joint}{query}") };
    let request = client.request(method, url);
    headers.iter().fold(request, |request, (name, value)| request.header(*name, value))
}

struct Source {
    client: Client,
    access: Access,
    stamp: u64,
    now: OffsetDateTime,
}

impl Source {
    /// The source, whether it is cut to a range, and why it does not follow what was copied last.
    async fn read(&self, part: Part) -> Result<(Revision, bool, Option<Code>), Trouble> {
        let last = match part {
            Part::Range(range) => return self.range(range).await,
            Part::Whole => None,
            Part::Snapshot { ref last } => last.clone(),
        };
        let head = self.ask(Method::HEAD, "").send().await?;
        let answers_as_service = head.headers().contains_key("x-ms-request-id");
        if matches!(part, Part::Snapshot { .. }) && !answers_as_service {
            return Err(Trouble::Foreign);
        }
        if head.status().is_success() && kind(head.headers()) == "PageBlob" {
            let length = header(head.headers(), "content-length").unwrap_or_default();
            let length = length.parse().map_err(|_| Trouble::Unreachable)?;
            let etag = header(head.headers(), "etag").unwrap_or_default();
            let (pages, astray) = self.pages(length, etag, last).await?;
            let content = Content::Page { length, pages };
            return Ok((self.revision(head.headers(), content), false, astray));
        }
        let (_, headers, body) = self.get(self.ask(Method::GET, "")).await?;
        let blocks = Some(body).filter(|body| !body.is_empty()).into_iter();
        let content = match kind(&headers) {
            "AppendBlob" => Content::Append(blocks.collect()),
            _ => Content::Block(blocks.map(|bytes| Block { id: None, bytes }).collect()),
        };
        Ok((self.revision(&headers, content), false, None))
    }

    /// One range, of a blob of whatever type; a server that knows no ranges gives all.
    async fn range(&self, range: String) -> Result<(Revision, bool, Option<Code>), Trouble> {
        let request = self.ask(Method::GET, "").header("range", range);
        let (status, headers, bytes) = self.get(request).await?;
        let content = Content::Block(vec![Block { id: None, bytes }]);
        Ok((self.revision(&headers, content), status == StatusCode::PARTIAL_CONTENT, None))
    }

    /// Only what is written travels, however large the blob is, and after `last` only what changed
    /// since. All of it must come from one state of the blob, so from one ETag.
    async fn pages(
        &self,
        length: u64,
        etag: &str,
        last: Option<(String, Pages)>,
    ) -> Result<(Pages, Option<Code>), Trouble> {
        let (since, mut pages) = last.map_or_else(Default::default, |(snapshot, pages)| {
            let snapshot = utf8_percent_encode(&snapshot, NON_ALPHANUMERIC);
            (format!("&prevsnapshot={snapshot}"), pages)
        });
        pages.clear(length..u64::MAX);
        let ask = |query: &str| self.ask(Method::GET, query).header("if-match", etag);
        let mut marker = String::new();
        loop {
            let list = match self.get(ask(&format!("comp=pagelist{since}{marker}"))).await {
                Ok((_, _, list)) => list,
                Err(Trouble::Refused(cause)) if !since.is_empty() => {
                    let astray = astray(&cause).ok_or(Trouble::Refused(cause))?;
                    return Ok((pages, Some(astray)));
                }
                Err(trouble) => return Err(trouble),
            };
            let list = String::from_utf8_lossy(&list);
            for (start, end) in ranges(&list, "ClearRange")? {
                pages.clear(start..end);
            }
            for (mut start, end) in ranges(&list, "PageRange")? {
                while start < end.min(length) {
                    let piece_end = end.min(length).min(start + PIECE);
                    let range = format!("bytes={start}-{}", piece_end - 1);
                    let (_, _, piece) = self.get(ask("").header("range", range)).await?;
                    pages.write(start, &piece, self.stamp);
                    start = piece_end;
                }
            }
            match element(&list, "NextMarker") {
                None | Some("") => return Ok((pages, None)),
                Some(next) => marker = format!("&marker={next}"),
            }
        }
    }

    fn ask(&self, method: Method, query: &str) -> RequestBuilder {
        ask(&self.client, &self.access, method, query)
    }

    /// The headers and the body of a success; anything else is the cause of a refusal.
    async fn get(
        &self,
        request: RequestBuilder,
    ) -> Result<(StatusCode, HeaderMap, Bytes), Trouble> {
        let response: Response = request.send().await?;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = response.bytes().await?;
        if status.is_success() {
            return Ok((status, headers, body));
        }
        let text = String::from_utf8_lossy(&body);
        let code = header(&headers, "x-ms-error-code").or(element(&text, "Code")).unwrap_or("");
        let message = element(&text, "Message").and_then(|message| message.lines().next());
        Err(Trouble::Refused(Refusal::of_source(status, code, message.unwrap_or(""))))
    }

    fn revision(&self, headers: &HeaderMap, content: Content) -> Revision {
        let text = |name| header(headers, name).map(str::to_owned);
        let date = |name| header(headers, name).and_then(dates::parse_http_date);
        let metadata: Metadata = headers
            .iter()
            .filter_map(|(name, value)| {
                let name = name.as_str().strip_prefix("x-ms-meta-")?;
                Some((name.to_owned(), value.to_str().ok()?.to_owned()))
            })
            .collect();
        let sequence_number = header(headers, "x-ms-blob-sequence-number");
        Revision {
            content,
            headers: ContentHeaders {
                content_type: text("content-type").map(Into::into),
                encoding: text("content-encoding"),
                language: text("content-language"),
                disposition: text("content-disposition"),
                cache_control: text("cache-control"),
                md5: text("content-md5"),
            },
            metadata,
            tags: Tags::new(),
            etag: text("etag").unwrap_or_default(),
            last_modified: date("last-modified").unwrap_or(self.now),
            created: date("x-ms-creation-time").unwrap_or(self.now),
            generation: 0,
            sequence_number: sequence_number.and_then(|it| it.parse().ok()).unwrap_or(0),
            tier: None,
            copy: None,
            incremental: false,
            sealed: false,
            encryption: None,
        }
    }
}

/// What it means for an incremental copy that there is no list of what changed.
fn astray(cause: &Refusal) -> Option<Code> {
    match &*cause.parts().code {
        "BlobOverwritten" | "BlobGenerationMismatch" => Some(Code::BlobOverwritten),
        "PreviousSnapshotNotFound" => Some(Code::IncrementalCopyBlobPreviousSnapshotDoesNotExist),
        "PreviousSnapshotCannotBeNewer" => Some(Code::IncrementalCopyOfEarlierSnapshotNotAllowed),
        _ => None,
    }
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn kind(headers: &HeaderMap) -> &str {
    header(headers, "x-ms-blob-type").unwrap_or_default()
}

/// The whole pages in a list of ranges, of those with this name.
fn ranges(list: &str, name: &str) -> Result<Vec<(u64, u64)>, Trouble> {
    let tag = format!("<{name}>");
    let parsed = list.split(&tag).skip(1).map(|range| {
        let bound = |name| element(range, name)?.parse::<u64>().ok();
        let (first, last) =
            bound("Start").zip(bound("End")).filter(|(first, last)| first < last)?;
        Some((first - first % PAGE, last.saturating_add(1)))
    });
    parsed.collect::<Option<_>>().ok_or(Trouble::Unreachable)
}

/// The text of the first element of this name.
fn element<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    Some(rest.split_once("</")?.0)
}
