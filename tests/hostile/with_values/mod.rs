//! Calls every public function that takes text, a number, a date or bytes with hostile values.

mod backups;
mod blobs;
mod budgets;
mod clients;
mod copies;
mod disks;
mod fleets;
mod jobs;
mod leases;
mod lists;
mod managed_disks;
mod mirrors;
mod models;
mod sas;
mod writes;

use blobcopy::{
    AccessToken, BlobServiceClient, Credential, CredentialError, TokenProvider,
    transport::BoxFuture,
};
use proptest::strategy::{Strategy, ValueTree};
use time::OffsetDateTime;

use super::{
    driven, face,
    run::Run,
    runner,
    values::{Values, values},
};

/// A credential of the account that [`Run::service`] uses.
pub(crate) fn key() -> Credential {
    Credential::shared_key("acct", "c2VjcmV0").expect("a key")
}

/// Returns the token that it contains, whatever that is.
#[derive(Debug)]
pub(crate) struct Provider(pub(crate) String, pub(crate) OffsetDateTime);

impl TokenProvider for Provider {
    fn token<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<AccessToken, CredentialError>> {
        Box::pin(async { Ok(driven::make!(AccessToken::new(self.0.clone(), self.1))) })
    }
}

/// Calls everything once.
async fn drive(values: &Values) {
    let run = Run::new(values);
    let service = run.service(key());
    Box::pin(clients::drive(&run)).await;
    Box::pin(clients::credentials(&run)).await;
    models::drive(&run);
    sas::drive(&run);
    Box::pin(sas::urls(&run, &service)).await;
    Box::pin(sas::delegated(&run)).await;
    Box::pin(blobs::drive(&run, &service)).await;
    Box::pin(blobs::names(&run, &service)).await;
    Box::pin(writes::page_blobs(&run, &service)).await;
    Box::pin(writes::block_blobs(&run, &service)).await;
    Box::pin(writes::append_blobs(&run, &service)).await;
    Box::pin(copies::drive(&run, &service)).await;
    Box::pin(copies::from_uri(&run, &service)).await;
    Box::pin(copies::watched(&run, &service)).await;
    Box::pin(leases::drive(&run, &service)).await;
    Box::pin(lists::drive(&run, &service)).await;
    disks::drive(&run);
    managed_disks::drive(&run);
    backups::drive(&run);
    Box::pin(backups::backups(&run, &service)).await;
    mirrors::documents(&run);
    mirrors::drive(&run, &service);
    jobs::drive(&run);
    Box::pin(fleets::drive(&run)).await;
    Box::pin(jobs::jobs(&run, &service)).await;
    Box::pin(jobs::verified(&run, &service)).await;
    Box::pin(budgets::watched(&run, &service)).await;
    Box::pin(budgets::drive(&run, &service)).await;
}

/// A container and its blobs, with valid names.
fn container(service: &BlobServiceClient) -> blobcopy::BlobContainerClient {
    service.container_client("vhds")
}

#[test]
fn no_value_makes_a_call_panic_or_say_too_much_or_take_too_long() {
    runner::cases(values(), 24, |values| runner::on_paused_time(drive(&values)));
}

#[test]
fn every_function_that_takes_an_argument_is_driven() {
    let mut source = proptest::test_runner::TestRunner::deterministic();
    for _ in 0..2 {
        let values = values().new_tree(&mut source).expect("values").current();
        runner::on_paused_time(drive(&values));
    }
    let driven = driven::functions();
    let missing: Vec<_> = face::functions().difference(&driven).cloned().collect();
    assert!(missing.is_empty(), "no test calls these with hostile values: {missing:#?}");
}
