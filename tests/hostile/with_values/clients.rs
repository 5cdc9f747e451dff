//! Clients and their options, with hostile URLs, names, credentials and durations.

use std::sync::Arc;

use azure_core::credentials::{AccessToken as SdkToken, TokenCredential, TokenRequestOptions};
use blobcopy::{
    AppendBlobClient, BlobClient, BlobContainerClient, BlobServiceClient, BlockBlobClient,
    ClientOptions, Clock, CopyToken, Credential, PageBlobClient, RetryOptions, ServiceVersion,
    SharedKey,
};
use time::OffsetDateTime;

use super::{super::driven::*, Provider, Run, key};

pub(super) async fn drive(run: &Run<'_>) {
    let values = run.values;
    let credential = || match values.number() % 3 {
        0 => Credential::anonymous(),
        1 => Credential::shared_key(&values.text(), "c2VjcmV0").unwrap_or_else(|_| key()),
        _ => Credential::sas(&values.text()).unwrap_or_else(|_| Credential::anonymous()),
    };
    for _ in 0..3 {
        run.made(make!(BlobServiceClient::new(values.url(), credential())));
        run.made(make!(BlobContainerClient::new(values.url(), credential())));
        run.made(make!(BlobClient::new(values.url(), credential())));
        run.made(make!(PageBlobClient::new(values.url(), credential())));
        run.made(make!(BlockBlobClient::new(values.url(), credential())));
        run.made(make!(AppendBlobClient::new(values.url(), credential())));
        run.made(make!(PageBlobClient::builder(values.url())).build());
        run.made(make!(BlockBlobClient::builder(values.url())).build());
        run.made(make!(AppendBlobClient::builder(values.url())).build());

        let options = run.options();
        let builder = make!(BlobClient::builder(values.url())).credential(credential());
        let blob = call!(builder.options(options.clone()), build());
        if let Some(blob) = run.made(blob) {
            run.wait_for(blob.get_properties()).await;
        }
        let builder = make!(BlobContainerClient::builder(values.url())).credential(credential());
        let container = call!(builder.options(options.clone()), build());
        if let Some(container) = run.made(container) {
            run.wait_for(container.create()).await;
        }
        let builder = make!(BlobServiceClient::builder(values.url()));
        let builder = call!(builder, credential(credential()));
        let service = call!(builder, options(options.clone().read_from_secondary(true))).build();
        if let Some(service) = run.made(service) {
            run.read_all(service.list_containers()).await;
        }
        let builder = BlobServiceClient::builder(values.url()).options(options.clone());
        let named = call!(builder, account_name(values.text())).credential(credential());
        if let Some(service) = run.made(named.build()) {
            run.read_all(service.list_containers()).await;
        }
        run.made(make!(BlobServiceClient::from_connection_string(&values.text())));
        let builder = make!(BlobServiceClient::builder_from_connection_string(&values.text()));
        if let Some(service) =
            builder.ok().and_then(|builder| builder.options(options).build().ok())
        {
            run.read_all(service.list_containers()).await;
        }
    }
    options(run).await;
}

/// Each client option; if the client can be built at all, it sends a request.
async fn options(run: &Run<'_>) {
    let values = run.values;
    let version = || values.text().parse().unwrap_or(ServiceVersion::OLDEST);
    let retry = RetryOptions::new;
    let clock = make!(Clock::starting_at(values.date()));
    call!(&clock, advance(values.duration()));
    call!(&clock, advance(values.duration()));
    let _ = clock.now();
    for options in [
        call!(run.options(), service_version(version())),
        call!(run.options(), attempt_timeout(values.duration())),
        call!(run.options(), server_timeout(values.duration())),
        call!(run.options(), connect_timeout(values.duration())),
        call!(run.options(), application_id(values.text())),
        call!(run.options(), clock(clock)),
        call!(run.options(), read_from_secondary(true)),
        call!(run.options(), retry(call!(retry(), max_retries(values.small())))),
        call!(run.options(), retry(call!(retry(), base_delay(values.duration())))),
        call!(run.options(), retry(call!(retry(), max_delay(values.duration())))),
        call!(
            ClientOptions::new().clock(Clock::starting_at(values.date())),
            transport(run.server.clone())
        ),
    ] {
        super::super::bounds::shown(&options, super::super::bounds::of_values(values));
        let url = "https://acct.blob.core.windows.net/vhds/b".parse().expect("a URL");
        if let Some(blob) =
            run.made(BlobClient::builder(url).credential(key()).options(options).build())
        {
            run.wait_for(blob.get_properties()).await;
            run.wait_for(blob.copy_from_uri(&blob)).await;
            let earlier = blob.page_blob_client();
            let copied = earlier.start_copy_incremental(&earlier, values.snapshot());
            run.wait_for(copied).await;
        }
    }
}

/// Credentials with hostile texts, and tokens with unexpected expiry.
pub(super) async fn credentials(run: &Run<'_>) {
    let values = run.values;
    run.made(make!(SharedKey::new(&values.text(), &values.text())));
    run.made(make!(SharedKey::new("acct", &values.text())));
    for credential in [
        run.made(make!(Credential::shared_key("acct", &values.text()))),
        run.made(make!(Credential::shared_key(&values.text(), "c2VjcmV0"))),
        run.made(make!(Credential::sas(&values.text()))),
        Some(make!(Credential::token(Provider(values.text(), values.date())))),
        Some(make!(Credential::token(Provider("token".to_owned(), values.date())))),
        Some(make!(Credential::from_token_credential(Arc::new(Login(
            values.text(),
            values.date()
        ))))),
    ] {
        let Some(credential) = credential else { continue };
        let url = "https://acct.blob.core.windows.net".parse().expect("a URL");
        let builder = BlobServiceClient::builder(url).credential(credential).options(run.options());
        let Some(service) = run.made(builder.build()) else { continue };
        let blob = super::container(&service).blob_client("b");
        run.wait_for(blob.get_properties()).await;
        run.wait_for(blob.copy_from_uri(&blob)).await;
        let another = run.service(key()).container_client("vhds").blob_client("b");
        run.wait_for(another.start_copy_from_uri(&blob)).await;
        let token =
            make!(CopyToken::new(values.url(), "c-1".parse::<blobcopy::CopyId>().expect("an id")));
        super::super::bounds::shown(&token, super::super::bounds::of_values(values));
        run.made(call!(&service, resume(&token)));
    }
}

#[derive(Debug)]
struct Login(String, OffsetDateTime);

#[async_trait::async_trait]
impl TokenCredential for Login {
    async fn get_token(
        &self,
        _: &[&str],
        _: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<SdkToken> {
        Ok(SdkToken::new(self.0.clone(), self.1))
    }
}
