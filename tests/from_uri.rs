//! Synchronous copies, whole and in parts, on the simulator.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use blobcopy::{
    AccessToken, BlobServiceClient, BlockId, ClientOptions, Clock, CopySource, Credential,
    CredentialError, CustomerProvidedKey, ErrorCode, TokenProvider, transport::BoxFuture,
};
use blobcopy_simulator::{DEFAULT_ACCOUNT, DEFAULT_KEY, Simulator};
use time::macros::datetime;

use crate::support::script::{Script, Step, answer, sent};

async fn world() -> (Simulator, BlobServiceClient) {
    let clock = Clock::starting_at(datetime!(2026-01-01 00:00 UTC));
    let sim = Simulator::builder().clock(clock).build();
    let service = sim.service_client().expect("a client");
    let vhds = service.container_client("vhds");
    vhds.create().await.expect("created");
    vhds.block_blob_client("notes.txt").upload("0123456789").await.expect("uploaded");
    (sim, service)
}

#[tokio::test(start_paused = true)]
async fn a_blob_is_copied_whole_in_one_call() {
    let (_, service) = world().await;
    let vhds = service.container_client("vhds");
    let (notes, copy) = (vhds.blob_client("notes.txt"), vhds.blob_client("copy.txt"));
    let copied = copy.copy_from_uri(&notes).metadata([("k", "v")]).await.expect("copied");
    let properties = copy.get_properties().await.expect("there");
    let told = properties.copy.expect("a copy");
    assert_eq!((Some(told.copy_id), properties.etag), (copied.copy_id, copied.etag));
    assert_eq!(properties.metadata.get("k"), Some("v"));
    let content = copy.download().await.expect("opened").bytes().await.expect("read");
    assert_eq!(content, "0123456789");

    let plain = copy.copy_from_uri(notes.url().expect("legal")).await.expect_err("not covered");
    assert_eq!(plain.code(), Some(&ErrorCode::CannotVerifyCopySource));
}

#[tokio::test(start_paused = true)]
async fn a_blob_is_made_of_parts_of_others() {
    let (_, service) = world().await;
    let vhds = service.container_client("vhds");
    let notes = vhds.block_blob_client("notes.txt");
    let made = vhds.block_blob_client("made.txt");
    made.upload_from_uri(&notes).content_type("text/x").await.expect("uploaded");
    assert_eq!(made.get_properties().await.expect("there").content_type.as_deref(), Some("text/x"));
    let ids = [0, 1, 2].map(BlockId::numbered);
    made.stage_block_from_uri(&ids[0], &notes).source_range(7..10).await.expect("staged");
    made.stage_block(&ids[1], "-").await.expect("staged");
    made.stage_block_from_uri(&ids[2], &notes).await.expect("staged");
    let staged = made.get_block_list().await.expect("listed").uncommitted;
    assert_eq!(staged.iter().map(|block| block.size).collect::<Vec<_>>(), [3, 1, 10]);
    made.commit_block_list(&ids).await.expect("committed");
    let content = made.download().await.expect("opened").bytes().await.expect("read");
    assert_eq!(content, "789-0123456789");
    let missing = made.commit_block_list([BlockId::numbered(9)]).await.expect_err("not staged");
    assert_eq!(missing.code(), Some(&ErrorCode::InvalidBlockList));
}

#[tokio::test(start_paused = true)]
async fn pages_come_from_another_disk_in_pieces() {
    let (_, service) = world().await;
    let vhds = service.container_client("vhds");
    let (disk, other) = (vhds.page_blob_client("disk0.vhd"), vhds.page_blob_client("disk1.vhd"));
    disk.create(16 << 20).await.expect("created");
    other.create(16 << 20).await.expect("created");
    let content: Vec<u8> = (0..9_u32 << 18).flat_map(u32::to_le_bytes).collect();
    disk.upload_pages(0, content.clone()).await.expect("written");
    let range = 512..content.len() as u64;
    other.upload_pages_from_uri(&disk, range.clone(), 1024).await.expect("written");
    let end = 1024 + range.end - range.start;
    let read = other.download().range(1024..end).await.expect("opened").bytes().await;
    assert!(read.expect("read") == content[512..]);
}

#[tokio::test(start_paused = true)]
async fn what_a_customers_key_encrypts_is_copied_with_that_key() {
    let clock = Clock::starting_at(datetime!(2026-01-01 00:00 UTC));
    let sim = Simulator::builder().clock(clock.clone()).build();
    let options = ClientOptions::new().transport(sim.transport()).clock(clock);
    // Customer-provided keys require https.
    let service =
        BlobServiceClient::builder("https://devstoreaccount1.localhost".parse().expect("a URL"))
            .credential(Credential::shared_key(DEFAULT_ACCOUNT, DEFAULT_KEY).expect("a key"))
            .options(options)
            .build()
            .expect("a client");
    let vhds = service.container_client("vhds");
    vhds.create().await.expect("created");
    let key = |byte: u8| CustomerProvidedKey::new([byte; 32]);
    let (notes, copy) = (vhds.block_blob_client("notes.txt"), vhds.block_blob_client("copy.txt"));
    notes.upload("some notes").customer_key(key(1)).await.expect("uploaded");
    let hidden = notes.get_properties().await.expect_err("no key").status();
    assert_eq!(hidden.map(|status| status.as_u16()), Some(409));

    let refused = copy.upload_from_uri(&notes).await.expect_err("no key");
    assert_eq!(refused.code(), Some(&ErrorCode::CannotVerifyCopySource));
    let refused = copy.start_copy_from_uri(&notes).await.expect_err("there is no header for it");
    assert_eq!(refused.code(), Some(&ErrorCode::CannotVerifyCopySource));
    let copied = copy.upload_from_uri(&notes).source_customer_key(key(1)).customer_key(key(2));
    copied.await.expect("copied");
    let read = copy.download().customer_key(key(2)).await.expect("opened").bytes().await;
    assert_eq!(read.expect("read"), "some notes");

    let disk = vhds.page_blob_client("disk0.vhd");
    disk.create(1024).customer_key(key(3)).await.expect("created");
    disk.upload_pages(0, vec![1; 1024]).customer_key(key(3)).await.expect("written");
    disk.clear_pages(0..512).customer_key(key(3)).await.expect("cleared");
    let refused = disk.clear_pages(512..1024).await.expect_err("no key");
    assert_eq!(refused.code(), Some(&ErrorCode::BlobUsesCustomerSpecifiedEncryption));
}

#[derive(Debug)]
struct Provider;

impl TokenProvider for Provider {
    fn token<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<AccessToken, CredentialError>> {
        Box::pin(async { Ok(AccessToken::new("TOKEN", datetime!(2030-01-01 00:00 UTC))) })
    }
}

fn by_token(script: &Script, account: &str) -> BlobServiceClient {
    let options = blobcopy::ClientOptions::new()
        .transport(script.clone())
        .clock(Clock::starting_at(datetime!(2026-01-01 00:00 UTC)));
    let endpoint = format!("https://{account}.blob.core.windows.net").parse().expect("a URL");
    let builder = BlobServiceClient::builder(endpoint).credential(Credential::token(Provider));
    builder.options(options).build().expect("a client")
}

/// A key that expires on `day` January.
fn key(day: u32) -> Step {
    let body = format!(
        "<UserDelegationKey><SignedOid>00000000-0000-0000-0000-00000000000a</SignedOid>\
         <SignedTid>00000000-0000-0000-0000-00000000000b</SignedTid>\
         <SignedStart>2025-12-31T23:55:00Z</SignedStart>\
         <SignedExpiry>2026-01-{day:02}T00:00:00Z</SignedExpiry><SignedService>b</SignedService>\
         <SignedVersion>2026-04-06</SignedVersion><Value>U0VDUkVU</Value></UserDelegationKey>"
    );
    Step::Answer { status: 200, headers: vec![], body }
}

fn started() -> Step {
    answer(202, "x-ms-copy-id: id-1\nx-ms-copy-status: success")
}

#[tokio::test(start_paused = true)]
async fn a_client_with_tokens_signs_its_sources_with_a_key_that_it_asks_for_once() {
    let source = Script::new([key(7)]);
    let target = Script::new([started()]);
    let notes = by_token(&source, "src").container_client("vhds").blob_client("notes.txt");
    let copy = target.service().container_client("vhds").blob_client("copy.txt");
    for _ in 0..3 {
        copy.start_copy_from_uri(&notes).await.expect("started");
    }
    assert_eq!(source.seen().len(), 1, "one key for all");
    assert_eq!(source.seen()[0].url().query(), Some("restype=service&comp=userdelegationkey"));
    let header = target.seen()[0].headers()["x-ms-copy-source"].clone();
    let header = header.to_str().expect("text");
    assert!(header.starts_with("https://src.blob.core.windows.net/vhds/notes.txt?"), "{header}");
    let whole = "se=2026-01-07T00%3A00%3A00Z";
    for part in
        ["skoid=", "sktid=", "ske=2026-01-07", whole, "sv=2018-11-09", "sp=r", "sr=b", "sig="]
    {
        assert!(header.contains(part), "{part} in {header}");
    }

    // A SAS that would outlive the key needs another key.
    let source = Script::new([key(2), key(7)]);
    let notes = by_token(&source, "src").container_client("vhds").blob_client("notes.txt");
    let days = |days: u64| std::time::Duration::from_secs(days * 24 * 3600);
    let short = CopySource::from(&notes).sas_lifetime(days(1) / 2);
    copy.start_copy_from_uri(short).await.expect("started");
    let long = CopySource::from(&notes).sas_lifetime(days(5));
    copy.start_copy_from_uri(long).await.expect("started");
    assert_eq!(source.seen().len(), 2);
    let longest = CopySource::from(&notes).sas_lifetime(days(8));
    let error = copy.start_copy_from_uri(longest).await.expect_err("too long").to_string();
    assert!(error.starts_with("SAS lifetime: ") && error.contains("7 days"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_source_that_is_read_at_once_is_given_a_token() {
    let source = Script::new([]);
    let target = Script::new([started()]);
    let notes = by_token(&source, "src").container_client("vhds").blob_client("notes.txt");
    let copy = target.service().container_client("vhds").blob_client("copy.txt");
    copy.copy_from_uri(&notes).await.expect("copied");
    let request = &target.seen()[0];
    let url = "https://src.blob.core.windows.net/vhds/notes.txt";
    assert_eq!(sent(request.headers(), "x-ms-copy-source"), Some(url));
    let header = &request.headers()["x-ms-copy-source-authorization"];
    assert!(header.is_sensitive() && header == "Bearer TOKEN");
    assert!(source.seen().is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_is_wrong_is_told_before_a_token_or_a_key_is_asked_for() {
    #[derive(Debug, Clone)]
    struct Counting(Arc<AtomicUsize>);
    impl TokenProvider for Counting {
        fn token<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<AccessToken, CredentialError>> {
            self.0.fetch_add(1, Ordering::Relaxed);
            Box::pin(async { Err(CredentialError::new("none")) })
        }
    }
    let asked = Counting(Arc::default());
    let endpoint = "https://src.blob.core.windows.net".parse().expect("a URL");
    let service = BlobServiceClient::new(endpoint, Credential::token(asked.clone()));
    let notes = service.expect("a client").container_client("vhds").blob_client("notes.txt");
    let script = Script::new([answer(500, "")]);
    let vhds = script.service().container_client("vhds");
    let blob = vhds.block_blob_client("made.txt");
    blob.copy_from_uri(&notes).metadata([("1", "")]).await.expect_err("a bad name");
    blob.upload_from_uri(&notes).content_type("a\nb").await.expect_err("a bad type");
    let id = BlockId::numbered(1);
    let empty = blob.stage_block_from_uri(&id, &notes).source_range(1..1);
    empty.await.expect_err("an empty range");
    let disk = vhds.page_blob_client("disk0.vhd");
    disk.upload_pages_from_uri(&notes, 0..5, 0).await.expect_err("no whole pages");
    assert_eq!((asked.0.load(Ordering::Relaxed), script.seen().len()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn each_piece_of_a_long_copy_is_given_the_token_of_its_time() {
    /// Returns the tokens `T1`, `T2`, …, each valid for one request.
    #[derive(Debug, Clone)]
    struct Changing(Arc<AtomicUsize>, Clock);
    impl TokenProvider for Changing {
        fn token<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<AccessToken, CredentialError>> {
            let number = self.0.fetch_add(1, Ordering::Relaxed) + 1;
            let until = self.1.now() + time::Duration::seconds(2);
            Box::pin(async move { Ok(AccessToken::new(format!("T{number}"), until)) })
        }
    }
    let clock = Clock::starting_at(datetime!(2026-01-01 00:00 UTC));
    let login = Changing(Arc::default(), clock.clone());
    let endpoint = "https://src.blob.core.windows.net".parse().expect("a URL");
    let service = BlobServiceClient::builder(endpoint)
        .credential(Credential::token(login))
        .options(ClientOptions::new().clock(clock))
        .build()
        .expect("a client");
    let source = service.container_client("vhds").blob_client("disk0.vhd");
    // Each piece is refused once, with a wait of seconds.
    let busy = answer(503, "Retry-After: 3");
    let script = Script::new([busy.clone(), answer(201, ""), busy, answer(201, "")]);
    let disk = script.service().container_client("vhds").page_blob_client("disk1.vhd");
    let upload = disk.upload_pages_from_uri(&source, 0..8 << 20, 0).concurrency(1);
    upload.await.expect("written");
    let seen = script.seen();
    let tokens: Vec<_> = seen
        .iter()
        .map(|request| sent(request.headers(), "x-ms-copy-source-authorization"))
        .collect();
    let (first, second) = (Some("Bearer T1"), Some("Bearer T2"));
    assert_eq!(tokens, [first, first, second, second]);
}

#[tokio::test(start_paused = true)]
async fn the_checksum_of_pages_is_told_where_one_request_wrote_them() {
    let told = |crc64: &str| {
        let more = "x-ms-encryption-scope: scope1\nx-ms-blob-sequence-number: 7";
        answer(
            201,
            &format!("x-ms-content-crc64: {crc64}\nContent-MD5: AQEBAQEBAQEBAQEBAQEBAQ==\n{more}"),
        )
    };
    for (mib, crc64, md5) in [(4, Some([1; 8].into()), Some([1; 16].into())), (8, None, None)] {
        let script = Script::new([told("AQEBAQEBAQE="), told("AgICAgICAgI=")]);
        let disk = script.service().container_client("vhds").page_blob_client("disk0.vhd");
        let written = disk.upload_pages(0, vec![1; mib << 20]).concurrency(1).await;
        let written = written.expect("written");
        assert_eq!((written.content_crc64, written.content_md5), (crc64, md5), "{mib} MiB");
        assert_eq!(written.encryption_scope.as_deref(), Some("scope1"));
        assert_eq!(written.sequence_number, Some(7));
    }
}
