//! Reads the source of a copy from another server with the service's own operations, as the service
//! would.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{Method, RequestBuilder};
use time::OffsetDateTime;

use super::{
    patience::within,
    web::{Cut, Site, Trouble, answer, header, out_of_range, read},
};
use crate::{
    handle::outside::{Part, Wanted, Watched},
    model::{
        content::{Block, Content},
        elsewhere::{Elsewhere, Limit},
        pages::{PAGE, Pages},
        revision::{ContentHeaders, Metadata, Revision, Tags},
    },
    wire::{
        call::AskedRange,
        dates,
        document::Element,
        error::{Code, Refusal},
    },
};

/// How long the service tries to read a source before it gives up.
const LONGEST: Duration = Duration::from_secs(30);
/// How much of a page blob each request reads.
const PIECE: u64 = 4 << 20;

/// Reads the wanted part of a source.
pub(crate) async fn fetch(
    wanted: Wanted,
    now: OffsetDateTime,
) -> Result<(Revision, Elsewhere), Refusal> {
    let Wanted { op, version, access, part, limit, tags, stamp } = wanted;
    let read = async {
        let source = Source { site: Site::new(&access)?, limit: &limit, stamp, now };
        let (mut revision, cut, astray) = source.read(part).await?;
        if tags {
            revision.tags = source.tags().await?;
        }
        Ok((revision, cut, astray))
    };
    let read = Box::pin(within(LONGEST, read)).await.unwrap_or(Err(Trouble::Unreachable));
    let (revision, cut, astray) =
        read.map_err(|trouble| trouble.refusal(op, &version, limit.refusal))?;
    Ok((revision, Elsewhere { access, cut, astray }))
}

/// Whether the source of a pending copy still exists, unchanged.
pub(crate) async fn is_unchanged(watched: &Watched) -> bool {
    let Ok(site) = Site::new(&watched.access) else { return false };
    let look = site.ask(Method::HEAD, "").send();
    let seen = within(LONGEST, look).await.and_then(Result::ok);
    seen.is_some_and(|seen| {
        let etag = header(seen.headers(), "etag").unwrap_or_default();
        seen.status().is_success() && etag == watched.etag
    })
}

struct Source<'a> {
    site: Site<'a>,
    limit: &'a Limit,
    stamp: u64,
    now: OffsetDateTime,
}

impl Source<'_> {
    /// The source, whether it is limited to a range, and why an incremental copy cannot use it, if
    /// so.
    async fn read(&self, part: Part) -> Result<(Revision, bool, Option<Code>), Trouble> {
        let (with_blocks, snapshot, last) = match part {
            Part::Range(range) => return self.range(range).await,
            Part::Whole { blocks } => (blocks, false, None),
            Part::Snapshot { last } => (false, true, last),
        };
        let head = self.ask(Method::HEAD, "").send().await?;
        let answers_as_service = head.headers().contains_key("x-ms-request-id");
        if snapshot && !answers_as_service {
            return Err(Trouble::Foreign);
        }
        if head.status().is_success() && kind(head.headers()) == "PageBlob" {
            let length = self.page_blob_length(head.headers())?;
            let etag = header(head.headers(), "etag").unwrap_or_default();
            let (pages, astray) = self.pages(length, etag, last).await?;
            let content = Content::Page { length, pages };
            return Ok((self.revision(head.headers(), content), false, astray));
        }
        let response = answer(self.ask(Method::GET, "")).await?;
        let headers = response.headers().clone();
        let body = read(response, Cut::default(), self.limit.body).await?;
        let content = match kind(&headers) {
            "AppendBlob" => {
                let pieces = Some(body).filter(|it| !it.is_empty());
                Content::Append(Arc::new(pieces.into_iter().collect()))
            }
            "BlockBlob" if with_blocks => Content::Block(self.blocks(&headers, body).await?.into()),
            _ => Content::Block(one_block(body).into()),
        };
        Ok((self.revision(&headers, content), false, None))
    }

    /// One range of a blob of any type. If the server ignores ranges, that range of its whole
    /// answer.
    async fn range(&self, range: AskedRange) -> Result<(Revision, bool, Option<Code>), Trouble> {
        let AskedRange { start, last } = range;
        let text =
            format!("bytes={start}-{}", last.map(|last| last.to_string()).unwrap_or_default());
        let response = answer(self.ask(Method::GET, "").header("range", text)).await?;
        let headers = response.headers().clone();
        let length = last.map(|last| last - start + 1);
        let partial = response.status() == StatusCode::PARTIAL_CONTENT;
        let cut = if partial { Cut::default() } else { Cut { start, length } };
        let bytes = read(response, cut, self.limit.body).await?;
        if bytes.is_empty() {
            return Err(out_of_range());
        }
        if length.is_some_and(|length| bytes.len() as u64 > length) {
            return Err(Trouble::Unreachable);
        }
        let content = Content::Block(one_block(bytes).into());
        Ok((self.revision(&headers, content), true, None))
    }

    fn page_blob_length(&self, headers: &HeaderMap) -> Result<u64, Trouble> {
        let length = header(headers, "content-length").and_then(|length| length.parse().ok());
        match length {
            Some(length) if length > self.limit.pages => Err(Trouble::TooLarge),
            Some(length) if u64::is_multiple_of(length, PAGE) => Ok(length),
            _ => Err(Trouble::Unreachable),
        }
    }

    /// Reads only written pages, however large the blob is, and after `last` only changed ones. All
    /// must come from one state of the blob, so from one ETag.
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
        pages.clear(length..u64::MAX, self.stamp);
        let ask = |query: &str| self.ask(Method::GET, query).header("if-match", etag);
        let mut marker = String::new();
        loop {
            let query = format!("comp=pagelist{since}{marker}");
            let list = match self.site.document(ask(&query), "PageList").await {
                Ok((_, list)) => list.ok_or(Trouble::Unreachable)?,
                Err(Trouble::Refused(cause)) if !since.is_empty() => {
                    let astray = astray(&cause).ok_or(Trouble::Refused(cause))?;
                    return Ok((pages, Some(astray)));
                }
                Err(trouble) => return Err(trouble),
            };
            for (start, end) in ranges(&list, "ClearRange", length)? {
                pages.clear(start..end, self.stamp);
            }
            for (mut start, end) in ranges(&list, "PageRange", length)? {
                while start < end {
                    let piece_end = end.min(start + PIECE);
                    let range = format!("bytes={start}-{}", piece_end - 1);
                    let piece = answer(ask("").header("range", range)).await?;
                    let partial = piece.status() == StatusCode::PARTIAL_CONTENT;
                    let wanted = Cut { start: 0, length: Some(piece_end - start) };
                    let wanted = Some(wanted).filter(|_| partial).ok_or(Trouble::Unreachable)?;
                    let piece = read(piece, wanted, PIECE).await?;
                    if piece.len() as u64 != piece_end - start {
                        return Err(Trouble::Unreachable);
                    }
                    pages.write(start, &piece, self.stamp);
                    start = piece_end;
                }
            }
            let Some(next) = list.child_text("NextMarker") else { return Ok((pages, None)) };
            marker = format!("&marker={}", utf8_percent_encode(next, NON_ALPHANUMERIC));
        }
    }

    /// The blocks of a blob with the content `body`: as its block list names them, or one block if
    /// no list fits.
    async fn blocks(&self, headers: &HeaderMap, body: Bytes) -> Result<Vec<Block>, Trouble> {
        let ask = self.ask(Method::GET, "comp=blocklist&blocklisttype=committed");
        let (of_list, list) = match self.site.document(ask, "BlockList").await {
            Ok(found) => found,
            Err(Trouble::Refused(_)) => return Ok(one_block(body)),
            Err(trouble) => return Err(trouble),
        };
        let same = header(&of_list, "etag") == header(headers, "etag");
        let blocks = list.filter(|_| same).and_then(|list| blocks(&list, body.clone()));
        Ok(blocks.unwrap_or_else(|| one_block(body)))
    }

    async fn tags(&self) -> Result<Tags, Trouble> {
        let (_, tags) = self.site.document(self.ask(Method::GET, "comp=tags"), "Tags").await?;
        let tags = tags.ok_or(Trouble::Unreachable)?;
        let set = tags.child("TagSet").ok_or(Trouble::Unreachable)?;
        let tags = set.children.iter().map(|tag| {
            let text = |name| tag.child(name).map(|child| child.text.clone());
            text("Key").zip(text("Value")).ok_or(Trouble::Unreachable)
        });
        tags.collect()
    }

    fn ask(&self, method: Method, query: &str) -> RequestBuilder {
        self.site.ask(method, query)
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

/// The error of an incremental copy when there is no list of changes.
fn astray(cause: &Refusal) -> Option<Code> {
    match &*cause.parts().code {
        "BlobOverwritten" | "BlobGenerationMismatch" => Some(Code::BlobOverwritten),
        "PreviousSnapshotNotFound" => Some(Code::IncrementalCopyBlobPreviousSnapshotDoesNotExist),
        "PreviousSnapshotCannotBeNewer" => Some(Code::IncrementalCopyOfEarlierSnapshotNotAllowed),
        _ => None,
    }
}

fn kind(headers: &HeaderMap) -> &str {
    header(headers, "x-ms-blob-type").unwrap_or_default()
}

/// The page-aligned ranges with this element name, in a list for a blob of this length.
fn ranges(list: &Element, name: &str, length: u64) -> Result<Vec<(u64, u64)>, Trouble> {
    let named = list.children.iter().filter(|range| range.name == name);
    let parsed = named.map(|range| {
        let bound = |name| range.child_text(name)?.parse::<u64>().ok();
        let (start, end) = bound("Start").zip(bound("End")?.checked_add(1))?;
        let whole = start < end && start.is_multiple_of(PAGE) && end.is_multiple_of(PAGE);
        whole.then_some((start, end.min(length)))
    });
    parsed.collect::<Option<_>>().ok_or(Trouble::Unreachable)
}

/// The blocks of a list, with their parts of `body`, if they make up all of it.
fn blocks(list: &Element, mut body: Bytes) -> Option<Vec<Block>> {
    let named = list.child("CommittedBlocks")?.children.iter();
    let blocks = named.map(|block| {
        let size = block.child_text("Size")?.parse().ok().filter(|size| *size <= body.len())?;
        Some(Block { id: Some(block.child_text("Name")?.to_owned()), bytes: body.split_to(size) })
    });
    let blocks: Vec<Block> = blocks.collect::<Option<_>>()?;
    (body.is_empty() && !blocks.is_empty()).then_some(blocks)
}

/// The content that Put Blob would store for these bytes.
fn one_block(bytes: Bytes) -> Vec<Block> {
    Some(bytes)
        .filter(|bytes| !bytes.is_empty())
        .map(|bytes| Block { id: None, bytes })
        .into_iter()
        .collect()
}
