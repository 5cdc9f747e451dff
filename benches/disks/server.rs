//! The simulator in a process of its own.

use std::{
    env,
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    time::Duration,
};

use blobcopy::{BlobServiceClient, PageBlobClient};
use blobcopy_simulator::Simulator;
use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::runtime::Builder;

/// With this argument the bench runs the simulator.
pub(crate) const ARGUMENT: &str = "serve-simulator";

/// The largest page blob.
pub(crate) const EIGHT_TIB: u64 = 8 << 40;

/// The process; it ends when this is dropped.
pub(crate) struct Server {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    /// The connection string of the account.
    pub(crate) account: String,
}

impl Server {
    /// Starts with the containers `vhds` and `backups`.
    pub(crate) fn start() -> Self {
        let mut child = Command::new(env::current_exe().unwrap())
            .arg(ARGUMENT)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let input = child.stdin.take().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let account = line(&mut output);
        Self { child, input, output, account }
    }

    /// Makes a disk of 8 TiB in which one page is written, and takes a snapshot.
    pub(crate) fn disk(&mut self) {
        self.ask("disk");
    }

    /// Writes so many ranges of the disk, none of them adjacent, and takes a snapshot.
    pub(crate) fn change(&mut self, ranges: usize) {
        self.ask(&format!("change {ranges}"));
    }

    /// Makes disks with so many snapshots, between which each of them changes.
    pub(crate) fn disks(&mut self, count: usize, snapshots: usize) {
        self.ask(&format!("disks {count} {snapshots}"));
    }

    /// Changes each disk, and takes another snapshot.
    pub(crate) fn one_more(&mut self, count: usize, snapshot: usize) {
        self.ask(&format!("more {count} {snapshot}"));
    }

    /// The requests that came so far.
    pub(crate) fn requests(&mut self) -> u64 {
        self.ask("requests").parse().unwrap()
    }

    fn ask(&mut self, what: &str) -> String {
        self.input.write_all(format!("{what}\n").as_bytes()).unwrap();
        line(&mut self.output)
    }
}

fn line(output: &mut impl BufRead) -> String {
    let mut line = String::new();
    output.read_line(&mut line).unwrap();
    line.trim_end().to_owned()
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Serves until standard input ends, at the latest with the parent process. Answers each line.
pub(crate) fn run(arguments: &[String]) {
    assert!(arguments.is_empty(), "{arguments:?}");
    let runtime = Builder::new_multi_thread().enable_all().build().unwrap();
    let (simulator, service) = runtime.block_on(async {
        let simulator = Simulator::builder()
            .account("one", "dGhlIGtleSBvZiB0aGUgZmlyc3QgYWNjb3VudA==")
            .copy_duration(Duration::ZERO)
            .keep_requests(0)
            .start();
        let simulator = simulator.await.unwrap();
        let service = simulator.service_client().unwrap();
        for container in ["vhds", "backups"] {
            service.container_client(container).create().await.unwrap();
        }
        (simulator, service)
    });
    println!("{}", simulator.connection_string());
    for line in std::io::stdin().lines() {
        let line = line.unwrap();
        let words: Vec<&str> = line.split(' ').collect();
        let number = |at: usize| words[at].parse::<u64>().unwrap();
        match words[0] {
            "requests" => println!("{}", simulator.counts().values().sum::<u64>()),
            "disk" => runtime.block_on(disk(&service)),
            "change" => runtime.block_on(change(&service, number(1))),
            "disks" => runtime.block_on(disks(&service, number(1), 0..number(2))),
            "more" => runtime.block_on(disks(&service, number(1), number(2)..number(2) + 1)),
            _ => panic!("{line}"),
        }
        if words[0] != "requests" {
            println!("done");
        }
    }
}

async fn disk(service: &BlobServiceClient) {
    let disk = service.container_client("vhds").page_blob_client("disk");
    disk.create(EIGHT_TIB).await.unwrap();
    disk.upload_pages(0, vec![1; 512]).await.unwrap();
    disk.create_snapshot().await.unwrap();
}

async fn change(service: &BlobServiceClient, ranges: u64) {
    let disk = service.container_client("vhds").page_blob_client("disk");
    let gap = EIGHT_TIB / ranges / 4096 * 4096;
    let writes = stream::iter(0..ranges).map(|range| {
        let disk = &disk;
        async move { disk.upload_pages(range * gap + 4096, vec![7; 4096]).await }
    });
    writes.buffer_unordered(16).try_for_each(async |_| Ok(())).await.unwrap();
    disk.create_snapshot().await.unwrap();
}

async fn disks(service: &BlobServiceClient, count: u64, snapshots: std::ops::Range<u64>) {
    let container = service.container_client("vhds");
    let work = stream::iter(0..count).map(|number| {
        let disk = container.page_blob_client(&format!("disk-{number:05}"));
        taken(disk, snapshots.clone())
    });
    work.buffer_unordered(16).collect::<()>().await;
}

async fn taken(disk: PageBlobClient, snapshots: std::ops::Range<u64>) {
    if snapshots.start == 0 {
        disk.create(1 << 30).await.unwrap();
    }
    for snapshot in snapshots {
        let content = vec![u8::try_from(snapshot % 250).unwrap() + 1; 4096];
        disk.upload_pages((snapshot * 37 % 256) << 20, content).await.unwrap();
        disk.create_snapshot().await.unwrap();
    }
}
