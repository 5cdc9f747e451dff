//! A simulator on a port, and the binary that is run against it.

pub(crate) mod disk;
#[cfg(unix)]
pub(crate) mod screen;
pub(crate) mod shown;
#[cfg(unix)]
pub(crate) mod stand_in;
#[cfg(unix)]
pub(crate) mod terminal;

use std::{
    io::Write,
    process::{Child, Command, Stdio},
    time::Duration,
};

use blobcopy::{BlobServiceClient, Clock};
use blobcopy_simulator::{Simulator, SimulatorBuilder};
use tokio::runtime::Runtime;

pub(crate) use self::shown::shown;

pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_blobcopy");

/// How long anything may take that a test waits for.
const LIMIT: Duration = Duration::from_secs(30);

/// A simulator, and the account that the binary works in.
pub(crate) struct World {
    pub(crate) runtime: Runtime,
    pub(crate) simulator: Simulator,
}

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::of(Simulator::builder())
    }

    pub(crate) fn of(builder: SimulatorBuilder) -> Self {
        let runtime = Runtime::new().expect("a runtime");
        let simulator = runtime.block_on(builder.start()).expect("a port");
        Self { runtime, simulator }
    }

    /// The binary with no account but that of the simulator.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = bare(arguments);
        command.env("AZURE_STORAGE_CONNECTION_STRING", self.simulator.connection_string());
        command
    }

    /// Runs the binary in a pipe to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        finish(spawn(self.command(arguments)), "")
    }

    /// Runs the binary, which must succeed, and gives its output.
    pub(crate) fn good(&self, arguments: &[&str]) -> String {
        let ended = self.run(arguments);
        assert_eq!(ended.code, Some(0), "{arguments:?}: {ended:#?}");
        ended.out
    }

    /// The library's client of the account.
    #[allow(dead_code)]
    pub(crate) fn service(&self) -> BlobServiceClient {
        BlobServiceClient::from_connection_string(&self.simulator.connection_string())
            .expect("a client")
    }

    /// Waits until something is so, which must be soon.
    #[allow(dead_code)]
    #[allow(clippy::disallowed_methods, reason = "another process has no virtual time")]
    pub(crate) fn until(&self, mut so: impl FnMut() -> bool) {
        let limit = Clock::system().now() + LIMIT;
        while !so() {
            assert!(Clock::system().now() < limit, "it never comes to that");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// What a run has shown, with what differs from run to run replaced.
    pub(crate) fn shown(&self, text: &str) -> String {
        let account = self.simulator.accounts().next().expect("an account");
        shown(text, self.simulator.endpoint(account).as_str())
    }
}

/// The binary in an environment that names no account.
pub(crate) fn bare(arguments: &[&str]) -> Command {
    let mut command = Command::new(BINARY);
    command.args(arguments).env_clear();
    for name in ["PATH", "HOME", "SYSTEMROOT", "LLVM_PROFILE_FILE"] {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    command
}

pub(crate) fn spawn(mut command: Command) -> Child {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().expect("the binary runs")
}

/// Gives a run its input, and waits for its end.
pub(crate) fn finish(mut child: Child, input: &str) -> Ended {
    if let Some(mut stdin) = child.stdin.take() {
        // A run that does not read its input may be over.
        let _ = stdin.write_all(input.as_bytes());
    }
    let output = child.wait_with_output().expect("it ends");
    Ended {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).expect("UTF-8"),
        err: String::from_utf8(output.stderr).expect("UTF-8"),
    }
}
