//! Every operation, with answers from a malicious service.

mod calls;
mod copies;

use std::{fmt::Debug, future::IntoFuture, time::Duration};

use blobcopy::{BlobServiceClient, ClientOptions, Clock, Credential, Error};
use futures_util::{Stream, StreamExt};

use super::{
    answers::{Step, steps},
    bounds, runner,
    service::Service,
    values::NOW,
    with_values::{Provider, key},
};

/// The most requests that a call may send before it ends: each page of a list may take four.
const MOST: usize = 200;

/// How long a call that does not wait for a copy may take: four attempts for each of twenty pages,
/// each with its full timeout.
const LONGEST: Duration = Duration::from_secs(20 * 4 * 200);

/// The longest error message: its own, and that of a copy's source.
const LONG_ERROR: usize = 32 << 10;

/// The longest `Debug` form: also 64 details of 8 KiB, where a byte may take six.
const LONG_DEBUG: usize = 6 * 65 * (8 << 10);

/// The answers of a case, and a client for each call.
pub(super) struct Run {
    steps: Vec<Step>,
    by_token: bool,
}

impl Run {
    fn new(steps: Vec<Step>, by_token: bool) -> Self {
        Self { steps, by_token }
    }

    /// A service that starts with the first answer, and a client of it.
    fn service(&self, most: usize) -> (Service, BlobServiceClient) {
        let service = Service::new(self.steps.clone(), most);
        let token = || Provider("token".to_owned(), NOW + time::Duration::days(30));
        let options =
            ClientOptions::new().transport(service.clone()).clock(Clock::starting_at(NOW));
        let credential = if self.by_token { Credential::token(token()) } else { key() };
        let client = BlobServiceClient::builder(
            "https://acct.blob.core.windows.net".parse().expect("a URL"),
        )
        .credential(credential)
        .options(options)
        .build()
        .expect("a client");
        (service, client)
    }

    /// Awaits a call, which must end in time, after few requests, with little output.
    async fn call<C, T: Debug>(&self, call: impl FnOnce(&BlobServiceClient) -> C) -> Option<T>
    where
        C: IntoFuture<Output = Result<T, Error>>,
    {
        let (service, client) = self.service(MOST);
        let ended = bounds::within(LONGEST, call(&client).into_future()).await;
        let of = std::any::type_name::<C>();
        assert!(!service.is_exhausted(), "{of} sends request after request");
        let result = ended.unwrap_or_else(|| panic!("{of} did not end within {LONGEST:?}"));
        self.made(&service, result)
    }

    /// Checks the result of a call.
    fn made<T: Debug>(&self, service: &Service, result: Result<T, Error>) -> Option<T> {
        match result {
            Ok(made) => {
                // The smallest list entry in XML is far shorter than its `Debug` form.
                bounds::shown(&made, bounds::SHORT + 300 * service.seen().1);
                Some(made)
            }
            Err(error) => {
                bounds::error(&error, LONG_ERROR, LONG_DEBUG);
                None
            }
        }
    }

    /// Reads a stream until it ends, fails, or reaches the test's limit.
    async fn read<T: Debug, S>(&self, read: impl FnOnce(&BlobServiceClient) -> S)
    where
        S: Stream<Item = Result<T, Error>>,
    {
        let (service, client) = self.service(MOST);
        let mut items = std::pin::pin!(read(&client).take(300));
        let next = async {
            let mut failed = false;
            while let Some(item) = items.next().await {
                assert!(!failed, "a stream goes on after it has failed");
                failed = self.made(&service, item).is_none();
            }
        };
        let ended = bounds::within(LONGEST, next).await;
        let of = std::any::type_name::<S>();
        assert!(!service.is_exhausted(), "{of} sends request after request");
        assert!(ended.is_some(), "{of} did not end within {LONGEST:?}");
    }
}

async fn answered(run: Run) {
    Box::pin(calls::blobs(&run)).await;
    Box::pin(calls::writes(&run)).await;
    Box::pin(calls::leases(&run)).await;
    Box::pin(calls::lists(&run)).await;
    Box::pin(calls::downloads(&run)).await;
    Box::pin(copies::started(&run)).await;
    Box::pin(copies::watched(&run)).await;
}

#[test]
fn no_answer_makes_a_call_panic_or_say_too_much_or_take_too_long() {
    let cases = (steps(), proptest::bool::ANY);
    runner::cases(cases, 48, |(steps, by_token)| {
        runner::on_paused_time(answered(Run::new(steps, by_token)));
    });
}
