//! Pending copies, followed by listings and by a HEAD for each.

use blobcopy::{
    BlobContainerClient, CopyFromUriOperation,
    jobs::{CopyWatch, WatchEvent},
};
use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::runtime::Builder;

use crate::{client, process, server::Server};

const ROUNDS: u64 = 4;
const IN_FLIGHT: usize = 64;

pub(crate) fn rows(measured: bool) {
    println!("\nPending copies: a round of all, and the memory of the client");
    println!("{:>8}  {:18} {:>9} {:>9} {:>9}", "copies", "", "requests", "CPU ms", "peak MiB");
    for copies in if measured { vec![10, 1_000, 100_000] } else { vec![10, 100] } {
        for (what, name) in [("watch", "CopyWatch"), ("head", "a HEAD for each")] {
            let server = Server::with_held_copies(copies, 1);
            let ran = client::start(what, &server.accounts, &[&copies.to_string()]);
            println!(
                "{copies:>8}  {name:18} {:>9.0} {:>9.1} {:>9.1}",
                ran.figure("requests") / ROUNDS as f64,
                ran.figure("ns") / 1e6 / ROUNDS as f64,
                ran.figure("peak") / f64::from(1 << 20),
            );
        }
    }
}

/// Starts the copies, and follows them for some rounds.
pub(crate) fn follow(
    what: &str,
    from: &BlobContainerClient,
    to: &BlobContainerClient,
    count: usize,
) {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        to.create().await.unwrap();
        let starts = stream::iter(0..count).map(|number| {
            let name = format!("blob-{number:08}");
            let (source, copy) = (from.blob_client(&name), to.blob_client(&name));
            async move { copy.start_copy_from_uri(&source).await }
        });
        let starts = starts.buffer_unordered(IN_FLIGHT);
        if what == "watch" {
            let watch =
                starts.try_fold(CopyWatch::new(), async |watch, copy| Ok(watch.operation(copy)));
            let watch = watch.await.unwrap();
            let before = process::processor_ns();
            tell(before, listed(watch, count).await);
        } else {
            let copies: Vec<CopyFromUriOperation> = starts.try_collect().await.unwrap();
            let before = process::processor_ns();
            tell(before, polled(copies).await);
        }
    });
}

fn tell(before: f64, requests: u64) {
    println!("requests {requests}");
    println!("ns {}", process::processor_ns() - before);
    println!("peak {}", process::peak());
}

/// The requests of some rounds of a watch.
async fn listed(watch: CopyWatch, count: usize) -> u64 {
    let mut events = watch.events();
    let mut requests = 0;
    while let Some(event) = events.try_next().await.unwrap() {
        if let WatchEvent::Round(round) = event {
            assert_eq!(round.pending, count as u64);
            requests += round.requests;
            if round.number == ROUNDS {
                break;
            }
        }
    }
    requests
}

/// The requests of some rounds of polls.
async fn polled(mut copies: Vec<CopyFromUriOperation>) -> u64 {
    let mut requests = 0;
    for _ in 0..ROUNDS {
        let polls = stream::iter(copies.iter_mut()).map(CopyFromUriOperation::poll);
        let states = polls.buffer_unordered(IN_FLIGHT);
        requests += states.try_fold(0, async |sum, _| Ok(sum + 1)).await.unwrap();
    }
    requests
}
