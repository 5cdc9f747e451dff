//! The simulator in a process of its own.

use std::{
    env,
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use blobcopy_simulator::Simulator;
use tokio::runtime::Builder;

/// With this argument the bench runs the simulator.
pub(crate) const ARGUMENT: &str = "serve-simulator";

/// The process; it ends when this is dropped.
pub(crate) struct Server {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    /// The connection strings of its two accounts.
    pub(crate) accounts: [String; 2],
    /// The URL of the first account, with a SAS.
    pub(crate) sas_url: String,
}

impl Server {
    /// Starts with `count` blobs of `bytes` bytes in the container `from` of the first account.
    pub(crate) fn start(count: usize, bytes: usize) -> Self {
        Self::with(count, bytes, "free")
    }

    /// Starts with copies that never end.
    pub(crate) fn with_held_copies(count: usize, bytes: usize) -> Self {
        Self::with(count, bytes, "held")
    }

    fn with(count: usize, bytes: usize, copies: &str) -> Self {
        let mut child = Command::new(env::current_exe().unwrap())
            .args([ARGUMENT, &count.to_string(), &bytes.to_string(), copies])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let input = child.stdin.take().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let accounts = [line(&mut output), line(&mut output)];
        let sas_url = line(&mut output);
        Self { child, input, output, accounts, sas_url }
    }

    /// The requests that came so far.
    pub(crate) fn requests(&mut self) -> u64 {
        self.input.write_all(b"\n").unwrap();
        line(&mut self.output).parse().unwrap()
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

/// Serves until standard input ends, at the latest with the parent process. Answers each line with
/// the number of requests so far.
pub(crate) fn run(arguments: &[String]) {
    let [count, bytes, copies] = arguments else { panic!("{arguments:?}") };
    let runtime = Builder::new_multi_thread().enable_all().build().unwrap();
    let simulator = runtime.block_on(async {
        let simulator = Simulator::builder()
            .account("one", "dGhlIGtleSBvZiB0aGUgZmlyc3QgYWNjb3VudA==")
            .account("other", "dGhlIGtleSBvZiB0aGUgb3RoZXIgYWNjb3VudA==")
            .keep_requests(0)
            .start();
        let simulator = simulator.await.unwrap();
        simulator.fill("one", "from", count.parse().unwrap(), bytes.parse().unwrap());
        if copies == "held" {
            simulator.copies().hold();
        }
        for account in ["one", "other"] {
            println!("{}", simulator.connection_string_of(account).unwrap());
        }
        println!(
            "{}",
            crate::rclone::sas_url(&simulator.connection_string_of("one").unwrap()).await
        );
        simulator
    });
    for _ in std::io::stdin().lines() {
        println!("{}", simulator.counts().values().sum::<u64>());
    }
}
