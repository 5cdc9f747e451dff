//! No output contains secrets: a run with known secrets searches every type, error and tracing
//! event for them.

mod echo;
mod mix_ups;
mod spy;
mod surroundings;

use std::{
    collections::{BTreeMap, BTreeSet},
    error::Error as StdError,
    fmt::{Debug, Display},
    sync::Arc,
    time::Duration,
};

use blobcopy::{
    sas::{AccountSasResourceTypes, BlobSasPermissions, ServiceSas},
    transport::{Body, BoxFuture, Response, TransportError, TransportErrorKind},
    *,
};
use blobcopy_simulator::{Op, Simulator, SourceEcho};
use bytes::Bytes;
use futures_util::TryStreamExt;
use serde::Serialize;
use time::{OffsetDateTime, macros::datetime};

use self::spy::Spy;
use crate::support::{
    events::Events,
    script::{Script, answer_with},
};

/// 64 bytes that are not text, like an account's key.
const KEY: &str =
    "kC0a8w+RkUZf1yGmV7/oWcN4sT9qXbJ2eLhD5iPz3uE6vYtMnHrB0gAjSxKdQFpO8lU2aVw1mXc5RzTyNi7fGg==";
const CUSTOMER_KEY: &str = "q1w2e3r4t5z6u7i8o9p0a1s2d3f4g5h6j7k8l9y0x1c=";
const TOKEN: &str =
    "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJzdG9yYWdlIn0.dG9rZW4-b2Y_dGVzdA";
const SOURCE_TOKEN: &str =
    "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJzb3VyY2UifQ.c291cmNlIHRva2Vu-c2ln";
const SAS: &str = "sv=2026-04-06&ss=b&srt=sco&sp=rw&se=2030-01-01T00%3A00%3A00Z&sig=\
                   Zm9yZ2VkIHNpZ25hdHVyZSBvZiB0aGUgdGVzdHM%3D";

/// All output of a run, and the secrets in use.
#[derive(Default)]
struct Shown {
    texts: Vec<(String, String)>,
    types: BTreeSet<String>,
    secrets: BTreeSet<String>,
}

impl Shown {
    fn debug<T: Debug>(&mut self, value: &T) {
        let name = std::any::type_name::<T>().split('<').next().unwrap_or_default();
        let name = name.rsplit("::").next().unwrap_or_default();
        self.types.insert(name.to_owned());
        self.texts.push((format!("Debug of {name}"), format!("{value:?} {value:#?}")));
    }

    fn display<T: Debug + Display>(&mut self, value: &T) {
        self.debug(value);
        self.texts.push(("Display".into(), value.to_string()));
    }

    fn model<T: Debug + Serialize>(&mut self, value: &T) {
        self.debug(value);
        // Values that cannot be stored without their secret are refused.
        let json = serde_json::to_string(value).unwrap_or_else(|error| error.to_string());
        self.texts.push(("JSON".into(), json));
    }

    fn id<T: Debug + Display + Serialize>(&mut self, value: &T) {
        self.model(value);
        self.display(value);
    }

    fn error(&mut self, error: &Error) {
        self.display(error);
        let mut next: Option<&dyn StdError> = Some(error);
        while let Some(cause) = next {
            self.texts.push(("source".into(), format!("{cause} {cause:?}")));
            next = cause.source();
        }
    }

    /// Fails if any text contains a secret, in any form, or an unredacted `sig`.
    fn search(&self) {
        assert!(self.secrets.len() > 4, "the run used {} secrets only", self.secrets.len());
        let forms: BTreeSet<String> =
            self.secrets.iter().flat_map(|secret| forms(secret)).collect();
        let texts: BTreeSet<&(String, String)> = self.texts.iter().collect();
        let mut found = BTreeMap::new();
        for (what, text) in texts {
            let lower = text.to_lowercase();
            if let Some(secret) = forms.iter().find(|secret| lower.contains(secret.as_str())) {
                found
                    .entry(what)
                    .or_insert_with(|| format!("{secret:?} is shown in {what}: {text}"));
            }
            for after in text.split("sig=").skip(1).filter(|after| is_value(after)) {
                let told = format!("a signature is shown in {what}: {text}: {after}");
                found.entry(what).or_insert(told);
            }
        }
        let found: Vec<_> = found.into_values().collect();
        assert!(found.is_empty(), "{} kinds of text:\n{}", found.len(), found.join("\n"));
    }
}

/// Whether an unredacted value follows.
fn is_value(text: &str) -> bool {
    let begins = text.starts_with(|c: char| c.is_ascii_alphanumeric() || "%+/".contains(c));
    let word = text.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
    // Long values are truncated, and so may be the text that replaces a secret.
    begins && !word.starts_with("REDACTED") && !"REDACTED".starts_with(word)
}

/// The forms of a secret in output, in lower case: as it is, percent-encoded and decoded, and
/// either half of a long one.
fn forms(secret: &str) -> Vec<String> {
    use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
    let decoded = percent_decode_str(secret).decode_utf8_lossy().into_owned();
    let mut forms = vec![secret.to_owned(), decoded.clone()];
    if decoded.len() >= 40 {
        let (first, second) = decoded.split_at(decoded.len() / 2);
        forms.extend([first.to_owned(), second.to_owned()]);
    }
    let encoded = |text: &String| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    forms.extend(forms.iter().map(encoded).collect::<Vec<_>>());
    forms.into_iter().map(|form| form.to_lowercase()).collect()
}

#[derive(Debug)]
struct Provider;

impl TokenProvider for Provider {
    fn token<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<AccessToken, CredentialError>> {
        Box::pin(async { Ok(AccessToken::new(TOKEN, datetime!(2030-01-01 00:00 UTC))) })
    }
}

/// Names that have no values: traits, aliases, and items that only make other types.
const NO_VALUES: [&str; 7] =
    ["Result", "PagerItem", "TokenProvider", "Transport", "BoxFuture", "README", "Readme"];

/// The types that `src/lib.rs` exports by name.
fn exported() -> BTreeSet<String> {
    let library = include_str!("../../src/lib.rs");
    let library = library.split("#[cfg(doctest)]").next().unwrap_or_default();
    let is_text = |line: &str| ["//", "doc = "].iter().any(|mark| line.starts_with(mark));
    let code = library.lines().filter(|line| !is_text(line.trim_start()));
    let exports = code.collect::<Vec<_>>().join("\n");
    let begins_upper = |word: &&str| word.starts_with(|c: char| c.is_ascii_uppercase());
    let words = exports.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(begins_upper).map(str::to_owned).collect()
}

#[tokio::test(start_paused = true)]
async fn no_secret_is_in_any_type_error_or_event() {
    let (events, _listening) = Events::listen();
    let mut shown = Shown::default();
    shown.secrets.extend([KEY, TOKEN].map(str::to_owned));

    let clock = Clock::starting_at(datetime!(2026-01-01 00:00 UTC));
    let sim = Simulator::builder()
        .account("first", KEY)
        .account("second", KEY)
        .clock(clock.clone())
        .copy_duration(Duration::from_secs(5))
        .echo_source(SourceEcho::AsSent)
        .accept_bearer(|token| token == TOKEN)
        .build();
    let spy = Spy { inner: sim.transport(), secrets: Arc::default(), requests: Arc::default() };
    let options = sim.client_options().transport(spy.clone());
    shown.debug(&options);
    shown.debug(&RetryOptions::new());
    shown.debug(&clock);

    let service = |account: &str, credential: Credential| {
        let endpoint = format!("https://{account}.blob.core.windows.net").parse().expect("a URL");
        let builder =
            BlobServiceClient::builder(endpoint).credential(credential).options(options.clone());
        (builder.clone().build().expect("a client"), builder)
    };
    let key = |account| Credential::shared_key(account, KEY).expect("a key");
    let (first, builder) = service("first", key("first"));
    let (second, _) = service("second", key("second"));
    shown.debug(&builder);
    shown.debug(&first);
    clients_and_calls(&mut shown, &first).await;
    copies(&mut shown, &sim, &first, &second).await;
    shared_access(&mut shown, &first, &options).await;
    tokens(&mut shown, &service("first", Credential::token(Provider)).0).await;
    let manager = ResourceManager::builder("s", "g", "d").credential(Credential::token(Provider));
    shown.debug(&manager);
    shown.debug(&manager.options(options.clone()).build().expect("legal"));
    refusals(&mut shown, &sim, &first).await;
    lists(&mut shown).await;
    words(&mut shown);
    transport(&mut shown, &spy);

    shown.secrets.extend(spy.secrets.lock().expect("one thread").iter().cloned());
    let lines = events.lines();
    assert!(lines.len() > 20, "{} events only", lines.len());
    shown.texts.extend(lines.into_iter().map(|line| ("an event".to_owned(), line)));
    shown.search();

    let missing: Vec<_> = exported()
        .into_iter()
        .filter(|name| !shown.types.contains(name) && !NO_VALUES.contains(&name.as_str()))
        .collect();
    assert!(missing.is_empty(), "not walked: {missing:?}");
}

/// Every client, every builder, and their results.
async fn clients_and_calls(shown: &mut Shown, service: &BlobServiceClient) {
    let container = service.container_client("vhds");
    shown.debug(&container);
    for call in [container.create().metadata([("k", "v")])] {
        shown.debug(&call);
        call.await.expect("created");
    }
    service.container_client("backups").create().await.expect("created");
    shown.debug(&container.exists());
    shown.debug(&container.delete());
    shown.debug(&container.get_properties());
    shown.model(&container.get_properties().await.expect("there"));

    let disk = container.page_blob_client("disk0.vhd");
    let notes = container.block_blob_client("notes.txt");
    let blob = container.blob_client("disk0.vhd");
    shown.debug(&blob);
    shown.debug(&disk);
    shown.debug(&notes);
    shown.debug(&disk.create(1 << 20));
    shown.debug(&disk.upload_pages(0, vec![1; 512]));
    shown.debug(&disk.clear_pages(0..512));
    shown.debug(&disk.guard_writes(7));
    shown.debug(&disk.guarded_pages(7));
    shown.debug(&disk.get_page_ranges());
    shown.debug(&disk.get_properties());
    shown.debug(&disk.create_snapshot());
    shown.debug(&disk.download());
    shown.debug(&disk.delete());
    shown.debug(&disk.abort_pending_copy());
    shown.debug(&disk.resume_pending_copy());
    shown.debug(&disk.abort_copy("id".parse::<blobcopy::CopyId>().expect("an id")));
    shown.debug(&notes.upload("some notes"));
    surroundings::builders(shown, &container).await;
    shown.model(&disk.create(1 << 20).await.expect("created"));
    shown.model(&disk.upload_pages(0, vec![1; 512]).await.expect("written"));
    let ranges = disk.get_page_ranges().collect_all().await.expect("listed");
    shown.model(&ranges);
    shown.model(&ranges.ranges[0]);
    shown.model(&PageRangeItem::PageRange(ranges.ranges[0]));
    let taken = disk.create_snapshot().await.expect("taken");
    shown.model(&taken);
    shown.model(&disk.list_snapshots().collect_all().await.expect("listed")[0]);
    shown.debug(&disk.get_page_ranges_diff(&taken.snapshot));
    shown.debug(&disk.diff_size(&taken.snapshot));
    shown.model(&disk.get_page_ranges_diff(&taken.snapshot).collect_all().await.expect("listed"));
    let earlier = "https://md.example.com/c/b?snapshot=2026-01-01T00:00:00Z&sig=abc".parse();
    shown.debug(&disk.get_managed_disk_page_ranges_diff(&earlier.expect("a URL")));
    notes.upload("some notes").await.expect("uploaded");
    let download = notes.download().await.expect("opened");
    shown.debug(&download);
    download.bytes().await.expect("read");
}

/// Copies whose source has a SAS, which the service echoes in full.
async fn copies(
    shown: &mut Shown,
    sim: &Simulator,
    first: &BlobServiceClient,
    second: &BlobServiceClient,
) {
    let disk = first.container_client("vhds").page_blob_client("disk0.vhd");
    second.container_client("backups").create().await.expect("created");
    let backup = second.container_client("backups").page_blob_client("disk0.vhd");
    let source = CopySource::from(&disk);
    shown.debug(&source);
    let snapshot = disk.create_snapshot().await.expect("taken").snapshot;
    let start = backup.start_copy_incremental(source, &snapshot);
    shown.debug(&start);
    let mut copy = start.await.expect("started");
    shown.debug(&copy);
    shown.model(&copy.token());
    let state = copy.poll().await.expect("seen");
    assert!(state.source.as_ref().expect("echoed").expose().contains("sig="), "a SAS is echoed");
    shown.model(&state);
    shown.id(state.source.as_ref().expect("echoed"));
    shown.debug(&copy.wait());
    shown.model(&copy.wait().await.expect("success"));
    shown.debug(&copy.abort().await.expect("over"));
    let properties = backup.get_properties().await.expect("there");
    shown.model(&properties);

    // The same again, with a lost answer, and then with a missing source.
    sim.faults().on(Op::IncrementalCopy).lose_answer().times(1);
    let snapshot = disk.create_snapshot().await.expect("taken").snapshot;
    let mut again = backup.start_copy_incremental(&disk, &snapshot).await.expect("found again");
    again.wait().await.expect("success");
    shown.debug(&again.progress_stream());
    let missing = first.container_client("vhds").blob_client("missing.txt");
    let copy = second.container_client("backups").blob_client("missing.txt");
    let start = copy.start_copy_from_uri(&missing);
    shown.debug(&start);
    let error = start.await.expect_err("no such source");
    assert_eq!(error.code(), Some(&ErrorCode::CannotVerifyCopySource));
    shown.error(&error);
}

/// SAS in URLs, credentials, sources and connection strings.
async fn shared_access(shown: &mut Shown, service: &BlobServiceClient, options: &ClientOptions) {
    let key = SharedKey::new("first", KEY).expect("a key");
    shown.debug(&key);
    let sas = ServiceSas::blob("vhds", "notes.txt")
        .permissions(BlobSasPermissions::new().read())
        .expires(datetime!(2026-02-01 00:00 UTC));
    shown.debug(&sas);
    let sas = sas.sign(&key).expect("signed");
    shown.debug(&sas);
    shown.debug(&Credential::sas(sas.expose()).expect("a SAS"));

    let notes = service.container_client("vhds").blob_client("notes.txt");
    let lend = notes.sas_url(BlobSasPermissions::new().read(), datetime!(2026-02-01 00:00 UTC));
    shown.debug(&lend);
    let lent = lend.await.expect("signed");
    shown.debug(&lent);
    shown.debug(&CopySource::from(&lent));
    let types = AccountSasResourceTypes::new().object();
    let all = "r".parse().expect("a letter");
    let lend_all = notes.account_sas_url(all, types, datetime!(2026-02-01 00:00 UTC));
    shown.debug(&lend_all);
    let lent_all = lend_all.await.expect("signed");
    shown.debug(&lent_all);
    for url in [&lent, &lent_all] {
        let signature = url.expose().rsplit("sig=").next().expect("a part");
        shown.secrets.insert(signature.to_owned());
    }

    let url = notes.url().expect("legal");
    let url: url::Url = format!("{url}?{}", sas.expose()).parse().expect("a URL");
    shown.debug(&CopySource::from(url.clone()));
    let notes = BlobClient::builder(url).options(options.clone()).build();
    let notes = notes.expect("a client");
    shown.debug(&notes);
    notes.get_properties().await.expect("may read");
    let error = notes.block_blob_client().upload("x").await.expect_err("may not write");
    shown.error(&error);

    let by_string =
        format!("AccountName=first;AccountKey={KEY};SharedAccessSignature={}", sas.expose());
    let error = BlobServiceClient::from_connection_string(&by_string).expect_err("both");
    shown.error(&error);
    let builder = BlobServiceClient::builder_from_connection_string(&format!(
        "BlobEndpoint=https://first.blob.core.windows.net;SharedAccessSignature={}",
        sas.expose()
    ));
    shown.debug(&builder.expect("well formed"));
}

async fn tokens(shown: &mut Shown, service: &BlobServiceClient) {
    shown.debug(&AccessToken::new(TOKEN, OffsetDateTime::UNIX_EPOCH));
    shown.debug(&Credential::token(Provider));
    shown.debug(service);
    service.container_client("vhds").exists().await.expect("may read");
    let now = datetime!(2026-01-01 00:00 UTC);
    shown.debug(&service.get_user_delegation_key(now, now + time::Duration::DAY));
}

/// Errors of every kind.
async fn refusals(shown: &mut Shown, sim: &Simulator, service: &BlobServiceClient) {
    let blob = service.container_client("vhds").blob_client("notes.txt");
    let wrong = "SharedKey first:wrongwrongwrong";
    sim.faults().on(Op::GetBlobProperties).answer(403, "AuthenticationFailed").times(1);
    let error = blob.get_properties().await.expect_err("refused");
    let Error::Service(service_error) = &error else { panic!("{error:?}") };
    shown.display(&**service_error);
    shown.error(&error);
    sim.faults().on(Op::GetBlobProperties).reset();
    shown.error(&blob.get_properties().await.expect_err("broken"));
    let mut copy = blob.resume_copy("id".parse::<blobcopy::CopyId>().expect("an id"));
    let wait = copy.wait().timeout(Duration::from_secs(20)).await;
    shown.error(&wait.expect_err("broken"));
    sim.faults().clear();

    let fault = TransportError::with_message(TransportErrorKind::Connect, format!("{wrong} {KEY}"));
    shown.secrets.insert("wrongwrongwrong".into());
    shown.debug(&fault.kind());
    shown.texts.push(("a fault".into(), fault.to_string()));
    let secret = CredentialError::new(format!("got Bearer {TOKEN} for sig=abc"));
    shown.display(&secret);
    let source = format!("https://a/b?sig={KEY}");
    for error in [
        source.parse::<SnapshotId>().expect_err("no snapshot"),
        source.parse::<LeaseId>().expect_err("no lease"),
    ] {
        shown.error(&error);
    }
}

/// The plain values, for completeness.
fn words(shown: &mut Shown) {
    shown.id(&"id".parse::<CopyId>().expect("an id"));
    shown.id(&ETag::ANY);
    shown.id(&"2026-01-01T00:00:00Z".parse::<SnapshotId>().expect("a snapshot"));
    shown.id(&"2026-01-01T00:00:00Z".parse::<VersionId>().expect("a version"));
    let lease = "11111111-2222-3333-4444-555555555555";
    shown.id(&lease.parse::<LeaseId>().expect("a lease"));
    shown.id(&CopyProgress::new(0, 1));
    shown.id(&ContentMd5::from([1; 16]));
    shown.id(&ContentCrc64::from([1; 8]));
    shown.id(&CopyStatus::Pending);
    shown.id(&ErrorCode::BlobNotFound);
    shown.id(&AccessTier::Hot);
    shown.id(&ArchiveStatus::RehydratePendingToHot);
    shown.id(&BlobType::PageBlob);
    shown.id(&ImmutabilityPolicyMode::Locked);
    shown.id(&LeaseDuration::Fixed);
    shown.id(&LeaseState::Leased);
    shown.id(&LeaseStatus::Locked);
    shown.id(&PublicAccessType::Blob);
    shown.id(&RehydratePriority::High);
    shown.display(&ServiceVersion::LATEST);
    shown.model(&Metadata::from([("k", "v")]));
    shown.model(&Tags::from([("k", "v")]));
    shown.debug(&Conditions::new().if_match(ETag::ANY));
    shown.debug(&DeleteSnapshots::Only);
}

/// Lists, with a SAS in an echoed copy source.
async fn lists(shown: &mut Shown) {
    let blobs = answer_with(
        "<EnumerationResults><Blobs><Blob><Name>disk0.vhd</Name><Properties>\
         <CopyId>ours</CopyId><CopyStatus>success</CopyStatus>\
         <CopySource>https://a/c/b?sp=r&amp;sig=abc</CopySource></Properties></Blob>\
         <BlobPrefix><Name>p/</Name></BlobPrefix></Blobs></EnumerationResults>",
    );
    let service = Script::new([blobs]).service();
    let list = service.container_client("vhds").list_blobs();
    shown.debug(&list);
    let page = list.clone().pages().try_next().await.expect("listed").expect("a page");
    shown.model(&page);
    shown.model(&page.items[0]);
    shown.debug(&list.clone().pages());
    shown.debug(&list.clone().by_hierarchy("/"));
    let mut pages = list.by_hierarchy("/").pages();
    let page = pages.try_next().await.expect("listed").expect("a page");
    page.items.iter().for_each(|item| shown.model(item));
    shown.debug(&BlobInclude::Copy);
    shown.debug(&ContainerInclude::Metadata);

    let containers = answer_with(
        "<EnumerationResults><Containers><Container><Name>vhds</Name></Container></Containers>\
         </EnumerationResults>",
    );
    let list = Script::new([containers]).service().list_containers();
    shown.debug(&list);
    let page = list.pages().try_next().await.expect("listed").expect("a page");
    shown.model(&page);
    shown.model(&page.items[0]);
}

/// What a transport receives and returns.
fn transport<T: Debug>(shown: &mut Shown, spy: &Spy<T>) {
    for request in spy.requests.lock().expect("one thread").iter() {
        shown.debug(request);
    }
    let headers = http::HeaderMap::from_iter([(
        http::HeaderName::from_static("x-ms-copy-source"),
        http::HeaderValue::from_static("https://a/b?sig=abc"),
    )]);
    let body = Body::from(Bytes::from_static(TOKEN.as_bytes()));
    shown.debug(&body);
    shown.debug(&Response::new(http::StatusCode::OK, headers, body));
    shown.debug(&TransportError::with_message(TransportErrorKind::Timeout, "sig=abc"));
}
