//! The client in a process of its own.

use std::{env, process::Command};

use blobcopy::{
    BlobContainerClient, BlobServiceClient,
    jobs::{CopyJob, JobEvent, Report},
};
use tokio::runtime::Builder;

use crate::process::{self, Ran, ran};

/// With this argument the bench runs the client.
pub(crate) const ARGUMENT: &str = "run-client";

/// Runs a client, and returns what it took. Its output is lines of a name and a number.
pub(crate) fn start(what: &str, accounts: &[String; 2], arguments: &[&str]) -> Ran {
    let program = env::current_exe().unwrap();
    ran(Command::new(program).args([ARGUMENT, what]).args(accounts).args(arguments))
}

impl Ran {
    /// A number that the client printed.
    pub(crate) fn figure(&self, name: &str) -> f64 {
        let mut pairs = self.output.lines().filter_map(|line| line.split_once(' '));
        pairs.find(|(its, _)| *its == name).expect(name).1.parse().unwrap()
    }
}

pub(crate) fn run(arguments: &[String]) {
    let (what, rest) = arguments.split_first().unwrap();
    let (accounts, rest) = rest.split_at(2);
    let services = accounts.iter().map(|text| BlobServiceClient::from_connection_string(text));
    let services: Vec<BlobServiceClient> = services.map(Result::unwrap).collect();
    let from = services[0].container_client("from");
    let rest: Vec<&str> = rest.iter().map(String::as_str).collect();
    match (what.as_str(), rest.as_slice()) {
        ("copy", [to, concurrency]) => {
            let to = services[0].container_client(to);
            let job = CopyJob::new(&from, &to).create(true);
            copy(&job.concurrency(concurrency.parse().unwrap()));
        }
        ("ranges", [to]) => {
            let to = services[1].container_client(to);
            // Not by one Put Blob From URL, as would do for the small blob of a trial.
            copy(&CopyJob::new(&from, &to).create(true).largest_single(0));
        }
        ("watch" | "head", [count]) => {
            let to = services[0].container_client("copies");
            crate::watch::follow(what, &from, &to, count.parse().unwrap());
        }
        _ => panic!("{arguments:?}"),
    }
}

/// Runs a job on one thread, since a job is one future: with several, whose memory glibc keeps
/// apart, the client takes more memory and more CPU time.
fn copy(job: &CopyJob) {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let mut finished = 0_u64;
    let run = async {
        let run = job.run().on_event(|event| {
            finished += u64::from(matches!(event, JobEvent::Finished(_)));
        });
        run.await
    };
    let report: Report = runtime.block_on(run).unwrap();
    assert_eq!(report.failures, 0, "{:?}", report.failed.first());
    println!("blobs {finished}");
    println!("bytes {}", report.bytes);
    println!("requests {}", report.requests);
    println!("retries {}", report.retries);
    println!("peak {}", process::peak());
}

/// Whether all blobs are at the destination.
pub(crate) fn count(connection_string: &str, container: &str) -> usize {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let service = BlobServiceClient::from_connection_string(connection_string).unwrap();
    let container: BlobContainerClient = service.container_client(container);
    runtime.block_on(async { container.list_blobs().collect_all().await.unwrap().len() })
}
