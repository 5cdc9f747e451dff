//! Mix-ups of a caller: a secret passed in place of every other text.

use std::fmt::Debug;

use blobcopy::{
    sas::{AccountSas, BlobSasPermissions, ContainerSasPermissions, ServiceSas, UserDelegationSas},
    transport::{TransportError, TransportErrorKind},
    *,
};
use time::macros::datetime;
use url::Url;

use super::{CUSTOMER_KEY, KEY, SAS, Shown, TOKEN};
use crate::support::script::{Script, answer};

impl Shown {
    /// The result of a constructor, or its error.
    fn made<T: Debug>(&mut self, made: Result<T>) {
        match made {
            Ok(value) => self.debug(&value),
            Err(error) => self.error(&error),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_secret_in_the_wrong_place_is_not_shown() {
    let mut shown = Shown::default();
    shown.secrets.extend([KEY, TOKEN, CUSTOMER_KEY].map(str::to_owned));
    shown.secrets.extend(SAS.split("sig=").nth(1).map(str::to_owned));
    let presigned = [
        (
            "https://b.s3.amazonaws.com/k?X-Amz-Credential=AKIA5EXAMPLE%2F2026&X-Amz-Signature=",
            "0a1b2c3d4e5f60718293a4b5c6d7e8f9",
        ),
        ("https://b.s3.amazonaws.com/k?X-Amz-Security-Token=", "FwoGZXIvYXdzEXAMPLETOKEN"),
        ("https://b.s3.amazonaws.com/k?AWSAccessKeyId=", "AKIAIOSFODNN7EXAMPLE"),
        (
            "https://storage.googleapis.com/b/k?GoogleAccessId=a&Signature=",
            "Z29vZ2xlIHNpZ25hdHVyZQ",
        ),
        ("https://storage.googleapis.com/b/k?X-Goog-Signature=", "f9e8d7c6b5a493827160"),
        ("https://example.com/k?access_token=", "ya29.a0AfEXAMPLE"),
        ("https://example.com/k?token=", "glpat-EXAMPLE0123"),
        ("https://example.com/k?next=https%3A%2F%2Fa%3Fcode%3D", "4%2F0AX4XfWhEXAMPLE"),
    ];
    shown.secrets.extend(presigned.map(|(_, secret)| secret.to_owned()));
    let presigned = presigned.map(|(url, secret)| format!("{url}{secret}"));
    let sas_url = format!("https://first.blob.core.windows.net/c/b?{SAS}");
    let string = format!("DefaultEndpointsProtocol=https;AccountName=first;AccountKey={KEY}");
    let mut texts = vec![
        KEY.to_owned(),
        KEY.trim_end_matches('=').to_owned(),
        CUSTOMER_KEY.to_owned(),
        SAS.to_owned(),
        format!("?{SAS}"),
        TOKEN.to_owned(),
        format!("Bearer {TOKEN}"),
        format!("SharedKey first:{CUSTOMER_KEY}"),
        sas_url,
        string,
    ];
    texts.extend(presigned);
    for text in texts {
        let encoded =
            percent_encoding::utf8_percent_encode(&text, percent_encoding::NON_ALPHANUMERIC)
                .to_string();
        for text in [text, encoded] {
            credentials(&mut shown, &text);
            values(&mut shown, &text);
            clients(&mut shown, &text);
            calls(&mut shown, &text).await;
        }
    }
    shown.search();
}

fn credentials(shown: &mut Shown, text: &str) {
    shown.made(Credential::shared_key(text, "c2VjcmV0"));
    shown.made(Credential::shared_key(text, KEY));
    shown.made(Credential::shared_key(text, text));
    shown.made(Credential::shared_key("first", text));
    shown.made(Credential::sas(text));
    shown.made(SharedKey::new(text, "first"));
    shown.made(SasTokenOf(text).parse());
    shown.made(CustomerProvidedKey::from_base64(text));
    shown.debug(&AccessToken::new(text, datetime!(2030-01-01 00:00 UTC)));
    shown.display(&CredentialError::new(text));
    shown.display(&TransportError::with_message(TransportErrorKind::Connect, text));
    for string in [
        text.to_owned(),
        format!("AccountName={text}"),
        format!("AccountName={text};AccountKey=c2VjcmV0"),
        format!("AccountName={text};AccountKey={text}"),
        format!("AccountName=first;AccountKey={text}"),
        format!("AccountName=first;AccountKey={KEY};EndpointSuffix={text}"),
        format!("AccountName=first;AccountKey={KEY};DefaultEndpointsProtocol={text}"),
        format!("AccountName=first;AccountKey={KEY};BlobEndpoint={text}"),
        format!("AccountName=first;SharedAccessSignature={text}"),
        format!("BlobEndpoint={text}"),
        format!("BlobEndpoint=https://{text}"),
        format!("BlobEndpoint=https://first.blob.core.windows.net/{text}"),
        format!("BlobEndpoint=https://first.blob.core.windows.net;BlobSecondaryEndpoint={text}"),
        format!("UseDevelopmentStorage={text}"),
        format!("UseDevelopmentStorage=true;DevelopmentStorageProxyUri={text}"),
        format!("{text}=first"),
        format!("{text};AccountName=first"),
    ] {
        shown.made(BlobServiceClient::builder_from_connection_string(&string));
        shown.made(BlobServiceClient::from_connection_string(&string));
    }
}

/// Lets an error and a token be shown alike.
struct SasTokenOf<'a>(&'a str);

impl SasTokenOf<'_> {
    fn parse(&self) -> Result<SasToken> {
        SasToken::parse(self.0)
    }
}

fn values(shown: &mut Shown, text: &str) {
    fn parsed<T: std::str::FromStr<Err = Error> + Debug + serde::Serialize>(
        shown: &mut Shown,
        text: &str,
    ) {
        match text.parse::<T>() {
            Ok(value) => shown.model(&value),
            Err(error) => shown.error(&error),
        }
    }
    parsed::<CopyId>(shown, text);
    parsed::<SnapshotId>(shown, text);
    parsed::<VersionId>(shown, text);
    parsed::<LeaseId>(shown, text);
    parsed::<ETag>(shown, text);
    parsed::<CopyProgress>(shown, text);
    // Ids of 32 bytes are in use, as hashes of blocks, and look like a customer-provided key.
    if text.len() != CUSTOMER_KEY.len() {
        parsed::<BlockId>(shown, text);
    }
    if let Ok(id) = text.parse::<CopyId>() {
        assert_eq!(id, text, "it stays exact");
        shown.id(&id);
        let place = "https://first.blob.core.windows.net/c/b".parse().expect("a URL");
        token(shown, &CopyToken::new(place, id.clone()));
    }
    shown.id(&AccessTier::from(text));
    shown.id(&AccessTier::Other(text.to_owned()));
    shown.id(&ErrorCode::from(text));
    shown.id(&CopyStatus::from(text));
    shown.model(&Metadata::from([(text, "v")]));
    shown.model(&Metadata::from([("k", text)]));
    shown.model(&Tags::from([(text, text)]));
    shown.debug(&Conditions::new().if_tags(text));
    let read = BlobSasPermissions::new().read();
    let until = datetime!(2026-02-01 00:00 UTC);
    let key = SharedKey::new("first", KEY).expect("a key");
    let sas = ServiceSas::blob(text, text).permissions(read);
    shown.debug(&sas);
    shown.made(sas.expires(until).sign(&key));
    let sas = ServiceSas::container(text).permissions(ContainerSasPermissions::new().read());
    shown.debug(&sas.stored_policy_or(text));
    shown.debug(&UserDelegationSas::blob(text, text).permissions(read));
    let _ = AccountSas::new;
}

/// A service SAS of a stored access policy.
trait ByPolicy {
    fn stored_policy_or(self, id: &str) -> String;
}

impl<S: Debug> ByPolicy for S {
    fn stored_policy_or(self, id: &str) -> String {
        let by_policy = ServiceSas::<ContainerSasPermissions>::container(id).stored_policy(id);
        format!("{self:?} {by_policy:?}")
    }
}

fn token(shown: &mut Shown, token: &CopyToken) {
    shown.debug(token);
    let stored = serde_json::to_string(token).map_err(|error| error.to_string());
    shown.texts.push(("a token".to_owned(), format!("{stored:?}")));
}

fn clients(shown: &mut Shown, text: &str) {
    let places = [
        text.to_owned(),
        format!("https://{text}"),
        format!("https://{text}.blob.core.windows.net"),
        format!("https://first.blob.core.windows.net/{text}"),
        format!("https://first.blob.core.windows.net/c/{text}"),
        format!("http://127.0.0.1:10000/{text}/c/b"),
        format!("https://user:{text}@first.blob.core.windows.net/c/b"),
        format!("https://first.blob.core.windows.net/c/b?snapshot={text}"),
        format!("https://first.blob.core.windows.net/c/b?{text}"),
        format!("https://first.blob.core.windows.net/c/b#{text}"),
    ];
    for url in places.iter().filter_map(|place| place.parse::<Url>().ok()) {
        for credential in [
            Credential::anonymous(),
            Credential::shared_key("first", KEY).expect("a key"),
            Credential::sas(SAS).expect("a SAS"),
        ] {
            let builder = BlobServiceClient::builder(url.clone()).credential(credential.clone());
            shown.debug(&builder);
            shown.made(builder.build());
            shown.made(BlobContainerClient::new(url.clone(), credential.clone()));
            shown.made(BlobClient::new(url.clone(), credential));
        }
        shown.debug(&CopySource::from(url.clone()));
        token(shown, &CopyToken::new(url, "id-1".parse::<blobcopy::CopyId>().expect("an id")));
    }
    shown.debug(&ClientOptions::new().application_id(text));
    let script = Script::new([answer(201, "")]);
    let endpoint = "https://first.blob.core.windows.net".parse().expect("a URL");
    let options = ClientOptions::new().transport(script).application_id(text);
    shown.made(BlobServiceClient::builder(endpoint).options(options).build());
}

/// The texts that calls accept.
async fn calls(shown: &mut Shown, text: &str) {
    let service =
        Script::new([answer(201, "x-ms-copy-id: id\nx-ms-copy-status: pending")]).service();
    let container = service.container_client(text);
    shown.debug(&container);
    shown.made(container.exists().await);
    shown.made(container.url());
    shown.debug(&container.list_blobs().prefix(text));
    let container = service.container_client("vhds");
    let blob = container.blob_client(text);
    shown.debug(&blob);
    shown.debug(&blob.get_properties());
    shown.debug(&blob.resume_copy("id".parse::<blobcopy::CopyId>().expect("an id")));
    token(shown, &blob.resume_copy("id".parse::<blobcopy::CopyId>().expect("an id")).token());
    shown.made(blob.exists().await);
    let notes = container.block_blob_client("notes.txt");
    for upload in [
        notes.upload("x").client_request_id(text),
        notes.upload("x").content_type(text).metadata([(text, "v")]),
        notes.upload("x").content_disposition(text).metadata([("k", text)]),
        notes.upload("x").tags([(text, text)]),
        notes.upload("x").encryption_scope(text),
        notes.upload("x").conditions(Conditions::new().if_tags(text)),
    ] {
        shown.debug(&upload);
        shown.made(upload.await);
    }
    let list = container.list_blobs().prefix(text);
    shown.debug(&list);
    shown.debug(&list.by_hierarchy(text));
    shown.debug(&service.list_containers().prefix(text));
    if let Ok(url) = text.parse::<Url>() {
        let disk = container.page_blob_client("disk0.vhd");
        shown.debug(&disk.get_managed_disk_page_ranges_diff(&url));
        shown.made(disk.get_managed_disk_page_ranges_diff(&url).collect_all().await);
        let copy = notes.copy_from_uri(url.clone()).source_authorization(text);
        shown.debug(&copy);
        shown.made(copy.await);
        shown.debug(&notes.start_copy_from_uri(&url));
        shown.made(notes.start_copy_from_uri(&url).await);
    }
}
