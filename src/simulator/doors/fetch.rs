//! Reads the source of a copy from another server, as the service would.

use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use reqwest::{Client, Method, RequestBuilder, Response, redirect::Policy};
use time::OffsetDateTime;

use crate::{
    pipeline::clock,
    simulator::{
        blob::{Block, Content, ContentHeaders, Metadata, Revision, Tags},
        dates,
        error::{Code, Refusal},
        pages::{PAGE, Pages},
        remote::Wanted,
    },
};

/// How long the service tries to read a source before it gives up.
const LONGEST: Duration = Duration::from_secs(30);
/// How much of a page blob is read at a time.
const PIECE: u64 = 4 << 20;

pub(crate) async fn fetch(wanted: Wanted, now: OffsetDateTime) -> Result<Revision, Refusal> {
    let client = Client::builder().redirect(Policy::none()).no_proxy().build();
    let source = Source { client: client.map_err(|_| unreachable())?, wanted, now };
    clock::within(LONGEST, source.read()).await.unwrap_or_else(|| Err(unreachable()))
}

/// Neither its status nor its code can be told.
fn unreachable() -> Refusal {
    Code::CannotVerifyCopySource.into()
}

struct Source {
    client: Client,
    wanted: Wanted,
    now: OffsetDateTime,
}

impl Source {
    async fn read(&self) -> Result<Revision, Refusal> {
        let head = self.request(Method::HEAD, "").send().await.map_err(|_| unreachable())?;
        let page_blob = head.headers().get("x-ms-blob-type").is_some_and(|it| it == "PageBlob");
        if head.status().is_success() && page_blob {
            let length = header(head.headers(), "content-length").unwrap_or_default();
            let length = length.parse().map_err(|_| unreachable())?;
            let pages = self.pages(length).await?;
            return Ok(self.revision(head.headers(), Content::Page { length, pages }));
        }
        let (headers, body) = self.get(self.request(Method::GET, "")).await?;
        let append = headers.get("x-ms-blob-type").is_some_and(|it| it == "AppendBlob");
        let blocks = Some(body).filter(|body| !body.is_empty()).into_iter();
        let content = match append {
            true => Content::Append(blocks.collect()),
            false => Content::Block(blocks.map(|bytes| Block { id: None, bytes }).collect()),
        };
        Ok(self.revision(&headers, content))
    }

    /// Only what is written travels, however large the blob is.
    async fn pages(&self, length: u64) -> Result<Pages, Refusal> {
        let mut pages = Pages::default();
        let mut list_query = "comp=pagelist".to_owned();
        loop {
            let (_, list) = self.get(self.request(Method::GET, &list_query)).await?;
            let list = String::from_utf8_lossy(&list);
            for range in list.split("<PageRange>").skip(1) {
                let bound = |name| element(range, name).and_then(|text| text.parse::<u64>().ok());
                let (first, last) = bound("Start").zip(bound("End")).ok_or_else(unreachable)?;
                let end = last.saturating_add(1).min(length);
                let mut start = first - first % PAGE;
                while start < end {
                    let piece_end = end.min(start + PIECE);
                    let range = format!("bytes={start}-{}", piece_end - 1);
                    let request = self.request(Method::GET, "").header("x-ms-range", range);
                    pages.write(start, &self.get(request).await?.1, 0);
                    start = piece_end;
                }
            }
            match element(&list, "NextMarker") {
                None | Some("") => return Ok(pages),
                Some(next) => list_query = format!("comp=pagelist&marker={next}"),
            }
        }
    }

    fn request(&self, method: Method, query: &str) -> RequestBuilder {
        let Wanted { url, authorization, version } = &self.wanted;
        let joint = if url.contains('?') { '&' } else { '?' };
        let url = if query.is_empty() { url.clone() } else { format!("{url}{joint}{query}") };
        let request = self.client.request(method, url).header("x-ms-version", version);
        match authorization {
            None => request,
            Some(token) => request.header("authorization", token),
        }
    }

    /// The headers and the body of a success; anything else is the cause of a refusal.
    async fn get(&self, request: RequestBuilder) -> Result<(HeaderMap, Bytes), Refusal> {
        let response: Response = request.send().await.map_err(|_| unreachable())?;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = response.bytes().await.map_err(|_| unreachable())?;
        if status.is_success() {
            return Ok((headers, body));
        }
        let text = String::from_utf8_lossy(&body);
        let code = header(&headers, "x-ms-error-code").or(element(&text, "Code")).unwrap_or("");
        let message = element(&text, "Message").and_then(|message| message.lines().next());
        let cause = Refusal::of_source(status, code, message.unwrap_or(""));
        Err(Refusal::source_unreadable(&cause))
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
                content_type: text("content-type"),
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
        }
    }
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// The text of the first element of this name.
fn element<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    Some(rest.split_once("</")?.0)
}
