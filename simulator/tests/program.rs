//! The program itself: its options, and what it prints.

use std::process::Stdio;

use blobcopy::{BlobServiceClient, ClientOptions, RetryOptions};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, BufReader, Lines},
    process::{Child, ChildStdout, Command},
};

const PROGRAM: &str = env!("CARGO_BIN_EXE_blobcopy-simulator");

/// The running program, and the rest of what it prints.
struct Program {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    /// The connection strings of its accounts.
    accounts: Vec<String>,
    told: Vec<String>,
}

impl Program {
    async fn start(arguments: &[&str]) -> Self {
        let mut command = Command::new(PROGRAM);
        command.args(["--port", "0"]).args(arguments).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().expect("the program");
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let (mut accounts, mut told) = (Vec::new(), Vec::new());
        while let Some(line) = lines.next_line().await.expect("a line") {
            if let Some(text) = line.strip_prefix("connection string  ") {
                accounts.push(text.to_owned());
            }
            if line.starts_with("Serving") {
                break;
            }
            told.push(line);
        }
        Self { child, lines, accounts, told }
    }

    fn client(&self, account: usize) -> BlobServiceClient {
        BlobServiceClient::builder_from_connection_string(&self.accounts[account])
            .expect("a connection string")
            .options(ClientOptions::new().retry(RetryOptions::none()))
            .build()
            .expect("a client")
    }

    /// Interrupts it, and returns what it prints then.
    async fn interrupt(mut self) -> Vec<String> {
        let id = self.child.id().expect("a process").to_string();
        Command::new("kill").args(["-INT", &id]).status().await.expect("kill");
        let mut last = Vec::new();
        while let Some(line) = self.lines.next_line().await.expect("a line") {
            last.push(line.trim().to_owned());
        }
        assert!(self.child.wait().await.expect("its end").success());
        last
    }
}

#[tokio::test]
async fn it_fills_containers_orders_lists_throttles_and_counts() {
    let program = Program::start(&[
        "--account",
        "first:c2VjcmV0",
        "--account=second:c2VjcmV0",
        "--hierarchical",
        "second",
        "--fill",
        "many:3:10",
        "--fill=second/more:2:0",
        "--keep-requests=0",
        "--throttle",
        "4",
    ])
    .await;
    let names = async |account: usize, container: &str| {
        let blobs = program.client(account).container_client(container).list_blobs();
        let blobs = blobs.collect_all().await.unwrap();
        blobs.into_iter().map(|blob| blob.name).collect::<Vec<_>>()
    };
    assert_eq!(names(0, "many").await, ["blob-00000000", "blob-00000001", "blob-00000002"]);
    let more = program.client(1).container_client("more");
    for name in ["a-b", "a/b"] {
        more.block_blob_client(name).upload("x").await.unwrap();
    }
    let listed = names(1, "more").await;
    assert_eq!(listed, ["a/b", "a-b", "blob-00000000", "blob-00000001"]);
    let mut refused = 0;
    for _ in 0..20 {
        refused += u32::from(more.exists().await.is_err());
    }
    assert!(refused > 5, "{refused} of 20");
    let last = program.interrupt().await;
    assert_eq!(last[..2], ["20 Get Container Properties", "2 List Blobs"]);
}

#[tokio::test]
async fn it_has_managed_disks_and_says_where_their_snapshots_are_listed() {
    let directory = std::env::temp_dir().join(format!("simulator-{}", std::process::id()));
    let certificate = directory.to_str().unwrap();
    let disk = "backups/disk0:1048576:3";
    let https = ["--https", certificate, "--any-bearer", "--path-style-disks"];
    let program = Program::start(&[&https[..], &["--managed-disk", disk]].concat()).await;
    std::fs::remove_file(&directory).unwrap();
    let manager = program.told.iter().find_map(|line| line.strip_prefix("resource manager"));
    assert!(manager.unwrap().trim().starts_with("https://127.0.0.1:"), "{:?}", program.told);
    assert!(program.told.iter().any(|line| line.starts_with("subscription ")));
    program.interrupt().await;
}

#[tokio::test]
async fn options_that_make_no_sense_are_refused_with_words() {
    for (arguments, words) in [
        (&["--hierarchical", "none"][..], "takes an account before it"),
        (&["--fill", "many:3"], "CONTAINER:COUNT:BYTES"),
        (&["--fill", "NO:3:1"], "no name of a container"),
        (&["--fill", "none/many:3:1"], "there is no account none"),
        (&["--throttle", "fast"], "takes a number"),
        (&["--managed-disk", "disk0:512:1"], "GROUP/NAME:BYTES:SNAPSHOTS"),
        (&["--managed-disk", "a/b:100:1"], "multiple of 512"),
    ] {
        let mut command = Command::new(PROGRAM);
        command.args(["--port", "0"]).args(arguments).stderr(Stdio::piped());
        let mut child = command.stdout(Stdio::null()).kill_on_drop(true).spawn().unwrap();
        let mut text = String::new();
        child.stderr.take().unwrap().read_to_string(&mut text).await.unwrap();
        assert!(text.contains(words), "{arguments:?}: {text}");
        assert_eq!(child.wait().await.unwrap().code(), Some(1));
    }
}
