//! A server that echoes everything it receives wherever it can, and every public call to it.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    time::Duration,
};

use blobcopy::{
    sas::BlobSasPermissions,
    transport::{Body, BoxFuture, Request, Response, Transport, TransportError},
    *,
};
use bytes::Bytes;
use futures_util::TryStreamExt;
use http::{HeaderName, HeaderValue, StatusCode};
use serde::Serialize;
use time::macros::datetime;

use super::{KEY, Provider, SAS, SOURCE_TOKEN, Shown, TOKEN};
use crate::support::events::Events;

/// Every answer header that the crate reads as free text.
const TEXTS: [&str; 41] = [
    "x-ms-request-id",
    "x-ms-client-request-id",
    "x-ms-error-code",
    "x-ms-copy-source-error-code",
    "x-ms-copy-id",
    "x-ms-copy-status",
    "x-ms-copy-status-description",
    "x-ms-copy-source",
    "x-ms-copy-destination-snapshot",
    "x-ms-snapshot",
    "x-ms-version-id",
    "x-ms-version",
    "x-ms-lease-state",
    "x-ms-lease-status",
    "x-ms-lease-duration",
    "x-ms-blob-type",
    "x-ms-blob-public-access",
    "x-ms-access-tier",
    "x-ms-smart-access-tier",
    "x-ms-archive-status",
    "x-ms-rehydrate-priority",
    "x-ms-immutability-policy-mode",
    "x-ms-encryption-scope",
    "x-ms-encryption-key-sha256",
    "x-ms-content-crc64",
    "x-ms-or-policy-id",
    "x-ms-or-policy_rule",
    "x-ms-owner",
    "x-ms-group",
    "x-ms-permissions",
    "x-ms-acl",
    "x-ms-resource-type",
    "x-ms-meta-echo",
    "content-type",
    "content-encoding",
    "content-language",
    "content-disposition",
    "content-md5",
    "cache-control",
    "www-authenticate",
    "server",
];

/// Headers that must have a valid form, or the crate refuses the answer.
const FORMED: [&str; 12] = [
    "etag",
    "last-modified",
    "date",
    "retry-after",
    "x-ms-lease-id",
    "x-ms-lease-time",
    "x-ms-copy-progress",
    "x-ms-copy-completion-time",
    "x-ms-blob-sequence-number",
    "x-ms-blob-append-offset",
    "x-ms-blob-content-length",
    "x-ms-copy-source-status-code",
];

/// How the server changes the text that it echoes.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Form {
    AsSent,
    LowerCase,
    Encoded,
}

/// How it answers.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Answers {
    /// Success, with valid values in headers that need a form.
    Well,
    /// Success, with the echo in all headers.
    Badly,
    /// With this status.
    Refusal(u16),
}

/// Echoes one part of a request: its URL, its body, or one of its headers.
#[derive(Debug, Clone)]
struct Echo {
    part: &'static str,
    form: Form,
    answers: Answers,
    secrets: Arc<Mutex<BTreeSet<String>>>,
    shown: Arc<Mutex<Vec<String>>>,
}

impl Echo {
    fn text(&self, request: &Request) -> String {
        let sent = match self.part {
            "url" => request.url().to_string(),
            "body" => String::from_utf8_lossy(request.body()).into_owned(),
            // As a debugging proxy writes it.
            "all" => {
                let line = |(name, value): (&HeaderName, &HeaderValue)| {
                    format!("{name}: {}", value.to_str().unwrap_or_default())
                };
                let headers: Vec<_> = request.headers().iter().map(line).collect();
                format!("{} {} {}", request.method(), request.url(), headers.join(" "))
            }
            header => match request.headers().get(header) {
                Some(value) => value.to_str().unwrap_or_default().to_owned(),
                None => "not sent".to_owned(),
            },
        };
        match self.form {
            Form::AsSent => sent,
            Form::LowerCase => sent.to_lowercase(),
            Form::Encoded => {
                percent_encoding::utf8_percent_encode(&sent, percent_encoding::NON_ALPHANUMERIC)
                    .to_string()
            }
        }
    }

    fn note(&self, request: &Request) {
        let mut secrets = self.secrets.lock().expect("one thread");
        let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
        for name in ["authorization", "x-ms-copy-source-authorization"] {
            let proof = header(name).and_then(|value| value.rsplit([' ', ':']).next());
            secrets.extend(proof.map(str::to_owned));
        }
        for name in ["x-ms-encryption-key", "x-ms-source-encryption-key"] {
            secrets.extend(header(name).map(str::to_owned));
        }
        for url in [Some(request.url().as_str()), header("x-ms-copy-source")].into_iter().flatten()
        {
            for signature in url.split("sig=").skip(1) {
                secrets.extend(signature.split('&').next().map(str::to_owned));
            }
        }
    }

    fn body(&self, request: &Request, text: &str) -> String {
        let text = text.replace('&', "&amp;").replace('<', "&lt;");
        if let Answers::Refusal(_) = self.answers {
            let elements = [
                "Code",
                "Message",
                "CopySourceErrorCode",
                "CopySourceErrorMessage",
                "CopySourceStatusCode",
                "HeaderName",
                "HeaderValue",
                "QueryParameterName",
                "QueryParameterValue",
                "AuthenticationErrorDetail",
                "ExtendedErrorDetail",
                "Reason",
            ];
            let element = |name: &str| format!("<{name}>{text}</{name}>");
            let name = "<X><HeaderName>x-ms-encryption-key</HeaderName>";
            let inner = format!("{name}<HeaderValue>{text}</HeaderValue></X>");
            return format!("<Error>{}{inner}</Error>", elements.map(element).concat());
        }
        let query = request.url().query().unwrap_or_default();
        let is = |part: &str| query.contains(part);
        if request.method() != http::Method::GET && !is("userdelegationkey") {
            return String::new();
        }
        let properties = format!(
            "<Properties><Etag>{text}</Etag><Content-Type>{text}</Content-Type>\
             <Content-Encoding>{text}</Content-Encoding><Content-MD5>{text}</Content-MD5>\
             <Content-Disposition>{text}</Content-Disposition><BlobType>{text}</BlobType>\
             <CopyId>{text}</CopyId><CopyStatus>{text}</CopyStatus><CopySource>{text}</CopySource>\
             <CopyStatusDescription>{text}</CopyStatusDescription>\
             <CopyDestinationSnapshot>{text}</CopyDestinationSnapshot>\
             <AccessTier>{text}</AccessTier><EncryptionScope>{text}</EncryptionScope>\
             <LeaseState>{text}</LeaseState><Owner>{text}</Owner><Acl>{text}</Acl>\
             <DefaultEncryptionScope>{text}</DefaultEncryptionScope>\
             <PublicAccessType>{text}</PublicAccessType></Properties>\
             <Metadata><echo>{text}</echo></Metadata>\
             <Tags><TagSet><Tag><Key>{text}</Key><Value>{text}</Value></Tag></TagSet></Tags>"
        );
        let around =
            format!("<Prefix>{text}</Prefix><Marker>{text}</Marker><Delimiter>/</Delimiter>");
        let end = format!("<NextMarker>{text}</NextMarker></EnumerationResults>");
        if is("comp=list") && is("restype=container") {
            format!(
                "<EnumerationResults>{around}<Blobs><Blob><Name>{text}</Name>\
                 <Snapshot>{text}</Snapshot><VersionId>{text}</VersionId>{properties}</Blob>\
                 <BlobPrefix><Name>{text}</Name></BlobPrefix></Blobs>{end}"
            )
        } else if is("comp=list") {
            format!(
                "<EnumerationResults>{around}<Containers><Container><Name>{text}</Name>\
                 <Version>{text}</Version>{properties}</Container></Containers>{end}"
            )
        } else if is("comp=tags") {
            let tag = format!("<Tag><Key>{text}</Key><Value>{text}</Value></Tag>");
            format!("<Tags><TagSet>{tag}</TagSet></Tags>")
        } else if is("blocklist") {
            let block = "<Block><Name>QQ==</Name><Size>1</Size></Block>";
            format!("<BlockList><CommittedBlocks>{block}</CommittedBlocks></BlockList>")
        } else if is("pagelist") {
            "<PageList><PageRange><Start>0</Start><End>511</End></PageRange></PageList>".to_owned()
        } else if is("userdelegationkey") {
            format!(
                "<UserDelegationKey><SignedOid>{text}</SignedOid><SignedTid>{text}</SignedTid>\
                 <SignedStart>{text}</SignedStart><SignedExpiry>2026-01-02T00:00:00Z</SignedExpiry>\
                 <SignedService>b</SignedService><SignedVersion>{text}</SignedVersion>\
                 <Value>{KEY}</Value></UserDelegationKey>"
            )
        } else {
            text
        }
    }
}

impl Transport for Echo {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        self.note(&request);
        let text = self.text(&request);
        let body = self.body(&request, &text);
        let mut headers = http::HeaderMap::new();
        let mut put = |name: &'static str, value: &str| {
            if let Ok(value) = HeaderValue::from_str(value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        };
        TEXTS.iter().for_each(|name| put(name, &text));
        put("content-length", &body.len().to_string());
        if self.answers == Answers::Well {
            put("etag", &format!("\"{text}\""));
            put("x-ms-lease-id", "11111111-2222-3333-4444-555555555555");
            put("x-ms-blob-append-offset", "0");
            put("last-modified", "Thu, 01 Jan 2026 00:00:00 GMT");
        } else {
            FORMED.iter().for_each(|name| put(name, &text));
        }
        let status = match (self.answers, request.method().as_str()) {
            (Answers::Refusal(status), _) => status,
            (_, "GET" | "HEAD" | "POST") => 200,
            (_, "DELETE") => 202,
            _ => 201,
        };
        let status = StatusCode::from_u16(status).expect("a status");
        let body = Body::from(Bytes::from(body));
        let response = Response::new(status, headers, body);
        let forms = [format!("{request:?}"), format!("{response:?}")];
        self.shown.lock().expect("one thread").extend(forms);
        Box::pin(std::future::ready(Ok(response)))
    }
}

impl Shown {
    fn told<T: std::fmt::Debug + Serialize>(&mut self, result: Result<T>) {
        match result {
            Ok(model) => self.model(&model),
            Err(error) => self.error(&error),
        }
    }

    fn ended<T: std::fmt::Debug>(&mut self, result: Result<T>) {
        match result {
            Ok(value) => self.debug(&value),
            Err(error) => self.error(&error),
        }
    }
}

/// Only the first page of a list: an echoed marker would lead on endlessly.
async fn first<T: PagerItem>(list: Pager<T>) -> Result<T::Page> {
    list.pages().try_next().await.map(|page| page.expect("a page"))
}

#[tokio::test(start_paused = true)]
async fn a_server_that_echoes_everything_gets_no_secret_shown() {
    let (events, _listening) = Events::listen();
    let parts = [
        "url",
        "all",
        "body",
        "authorization",
        "x-ms-copy-source",
        "x-ms-copy-source-authorization",
        "x-ms-encryption-key",
        "x-ms-source-encryption-key",
    ];
    let mut heard = 0;
    for part in parts {
        for form in [Form::AsSent, Form::LowerCase, Form::Encoded] {
            // The redaction depends only on the form of the text, not on the part or credential.
            if form != Form::AsSent && !matches!(part, "url" | "all") {
                continue;
            }
            for answers in
                [Answers::Well, Answers::Badly, Answers::Refusal(400), Answers::Refusal(401)]
            {
                for credential in [
                    Credential::shared_key("first", KEY).expect("a key"),
                    Credential::sas(SAS).expect("a SAS"),
                    Credential::token(Provider),
                ] {
                    let (secrets, seen) = (Arc::default(), Arc::default());
                    let echo = Echo { part, form, answers, secrets, shown: seen };
                    let mut shown = Shown::default();
                    calls(&mut shown, &echo, credential).await;
                    let lines = events.lines();
                    let (new, lines) = (lines.len() - heard, lines.into_iter().skip(heard));
                    heard += new;
                    shown.texts.extend(lines.map(|line| ("an event".to_owned(), line)));
                    let seen = std::mem::take(&mut *echo.shown.lock().expect("one thread"));
                    let seen =
                        seen.into_iter().map(|text| ("a request or answer".to_owned(), text));
                    shown.texts.extend(seen);
                    shown.secrets.extend([KEY, TOKEN, SOURCE_TOKEN].map(str::to_owned));
                    shown.secrets.extend(echo.secrets.lock().expect("one thread").iter().cloned());
                    assert!(shown.texts.len() > 200, "{} texts only", shown.texts.len());
                    shown.search();
                }
            }
        }
    }
}

/// Every call to the server.
async fn calls(shown: &mut Shown, echo: &Echo, credential: Credential) {
    let endpoint = "https://first.blob.core.windows.net".parse().expect("a URL");
    let options = ClientOptions::new()
        .transport(echo.clone())
        .retry(RetryOptions::none())
        .clock(Clock::starting_at(datetime!(2026-01-01 00:00 UTC)));
    let service = BlobServiceClient::builder(endpoint).credential(credential).options(options);
    let service = service.build().expect("a client");
    let container = service.container_client("vhds");
    let (disk, notes, log) = (
        container.page_blob_client("disk0.vhd"),
        container.block_blob_client("notes.txt"),
        container.append_blob_client("log"),
    );
    let key = CustomerProvidedKey::from_base64(super::CUSTOMER_KEY).expect("a key");
    let url: url::Url =
        format!("https://second.blob.core.windows.net/c/b?{SAS}").parse().expect("a URL");
    let source = || CopySource::from(url.clone());
    let id = BlockId::numbered(1);
    let snapshot: SnapshotId = "2026-01-01T00:00:00.0000000Z".parse().expect("a snapshot");
    let lease: LeaseId = "11111111-2222-3333-4444-555555555555".parse().expect("a lease");
    let copy_id: CopyId = "id".parse().expect("an id");
    let now = datetime!(2026-01-01 00:00 UTC);

    shown.told(first(service.list_containers()).await);
    shown.ended(service.get_user_delegation_key(now, now + time::Duration::DAY).await);
    shown.ended(container.create().metadata([("k", "v")]).await);
    shown.ended(container.delete().await);
    shown.ended(container.exists().await);
    shown.told(container.get_properties().await);
    shown.told(first(container.list_blobs()).await);
    shown.told(first(container.list_blobs().by_hierarchy("/")).await);
    shown.told(first(disk.list_snapshots()).await);

    shown.told(disk.create(512).await);
    shown.told(disk.upload_pages(0, vec![1; 512]).await);
    shown.told(disk.upload_pages_from_uri(source(), 0..512, 0).await);
    shown.told(disk.clear_pages(0..512).await);
    shown.told(disk.resize(512).await);
    shown.told(disk.set_sequence_number(SequenceNumberAction::Increment).await);
    shown.told(disk.get_page_ranges().collect_all().await);
    shown.told(disk.get_page_ranges_diff(&snapshot).collect_all().await);
    shown.ended(disk.get_managed_disk_page_ranges_diff(&url).collect_all().await);
    shown.ended(disk.diff_size(&snapshot).await);
    shown.told(disk.get_properties().customer_key(key.clone()).await);
    shown.ended(disk.exists().await);
    shown.ended(disk.download().await);
    shown.ended(disk.delete().await);
    shown.told(disk.create_snapshot().customer_key(key.clone()).await);
    shown.ended(disk.set_metadata([("k", "v")]).await);
    shown.told(disk.get_tags().await);
    shown.ended(disk.set_tags([("k", "v")]).await);
    shown.ended(disk.set_tier(AccessTier::Hot).await);
    shown.told(disk.acquire_infinite_lease().await);
    shown.told(disk.renew_lease(&lease).await);
    shown.told(disk.change_lease(&lease, lease.clone()).await);
    shown.ended(disk.release_lease(&lease).await);
    shown.ended(disk.break_lease().await);
    let until = now + time::Duration::HOUR;
    shown.ended(disk.sas_url(BlobSasPermissions::new().read(), until).await);

    shown.told(notes.upload(TOKEN).customer_key(key.clone()).await);
    let upload = notes.upload_from_uri(source()).source_authorization(SOURCE_TOKEN);
    shown.told(upload.customer_key(key.clone()).source_customer_key(key.clone()).await);
    shown.told(notes.stage_block(&id, TOKEN).await);
    shown.told(notes.stage_block_from_uri(&id, source()).source_authorization(SOURCE_TOKEN).await);
    shown.told(notes.commit_block_list([&id]).await);
    shown.told(notes.get_block_list().await);
    shown.told(log.create().await);
    shown.told(log.append_block(TOKEN).await);
    shown.told(log.append_block_from_uri(source()).await);

    let blob = container.blob_client("copy");
    shown.told(blob.copy_from_uri(source()).source_authorization(SOURCE_TOKEN).await);
    shown.ended(blob.abort_copy(&copy_id).await);
    shown.ended(blob.abort_pending_copy().await);
    for start in [
        blob.start_copy_from_uri(source()).await,
        disk.start_copy_incremental(source(), &snapshot).await,
        Ok(blob.resume_copy(copy_id)),
    ] {
        match start {
            Err(error) => shown.error(&error),
            Ok(mut copy) => {
                shown.told(copy.poll().await);
                shown.told(copy.wait().timeout(Duration::from_secs(5)).await);
                shown.ended(copy.abort().await);
                shown.debug(&copy);
                shown.debug(&copy.token());
                match serde_json::to_string(&copy.token()) {
                    Ok(text) => shown.texts.push(("a token".to_owned(), text)),
                    Err(error) => shown.texts.push(("a token".to_owned(), error.to_string())),
                }
            }
        }
    }
}
