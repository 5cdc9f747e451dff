//! Azurite, Microsoft's emulator of the service: installed once, and one instance for all tests of
//! a process.
//!
//! The version is pinned in `tests/azurite/package.json`. It is the newest that declares Node.js
//! 20: 3.36 requires 21 and 3.37 requires 22 (2026-11-21).

use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    sync::{OnceLock, mpsc},
    thread,
    time::Duration,
};

use super::install::{self, Absent};

/// The emulators' well-known account. Its key is public.
pub(crate) const ACCOUNT: Account = Account {
    name: "devstoreaccount1",
    key: "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==",
};

/// A second account, for copies between accounts. Its key, "a key that protects nothing", is public
/// too.
pub(crate) const OTHER_ACCOUNT: Account =
    Account { name: "otheraccount", key: "YSBrZXkgdGhhdCBwcm90ZWN0cyBub3RoaW5n" };

/// Makes Azurite accept service versions newer than itself, such as this crate's default.
const ANY_VERSION: &str = "--skipApiVersionCheck";

/// A storage account that Azurite serves.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) name: &'static str,
    pub(crate) key: &'static str,
}

/// A running emulator, empty at first. Tests share it, so each creates its own containers.
#[derive(Debug)]
pub(crate) struct Azurite {
    /// Scheme, host and port.
    origin: String,
    /// The other end of the emulator's standard input; the emulator exits when it closes.
    process: Child,
    /// Kept open, because a process that writes to a closed pipe dies.
    _output: BufReader<ChildStdout>,
}

impl Azurite {
    /// The emulator of this test process, started on first use.
    pub(crate) fn shared() -> Result<&'static Self, Absent> {
        static SHARED: OnceLock<Result<Azurite, Absent>> = OnceLock::new();
        SHARED.get_or_init(Self::start).as_ref().map_err(Absent::clone)
    }

    /// Starts one more emulator.
    pub(crate) fn start() -> Result<Self, Absent> {
        Self::start_with(|command| command.arg(ANY_VERSION))
    }

    /// Starts an emulator that refuses unknown service versions, as it does by default.
    pub(crate) fn start_checking_versions() -> Result<Self, Absent> {
        Self::start_with(|command| command)
    }

    /// Starts an emulator that serves https and accepts bearer tokens over it; it trusts its own
    /// certificate as the source of a copy.
    pub(crate) fn start_https(certificate: &Path, key: &Path) -> Result<Self, Absent> {
        Self::start_with(|command| {
            let command = command.arg("--cert").arg(certificate).arg("--key").arg(key);
            command.args([ANY_VERSION, "--oauth", "basic"]).env("NODE_EXTRA_CA_CERTS", certificate)
        })
    }

    fn start_with(settings: impl FnOnce(&mut Command) -> &mut Command) -> Result<Self, Absent> {
        let mut command = Command::new("node");
        command
            .args(["serve.js", "--blobHost", "127.0.0.1", "--blobPort", "0", "--silent"])
            .args(["--inMemoryPersistence", "--disableTelemetry"]);
        let mut process = settings(&mut command)
            .env(
                "AZURITE_ACCOUNTS",
                format!("{};{}", ACCOUNT.for_azurite(), OTHER_ACCOUNT.for_azurite()),
            )
            .current_dir(installed().map_err(|trouble| {
                Absent::Missing(format!("needs Node.js 20 or newer with npm: {trouble}"))
            })?)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| Absent::Broken(format!("cannot run `node`: {error}")))?;
        let output = process.stdout.take().expect("its output is a pipe");
        match listening(output) {
            Ok((origin, output)) => Ok(Self { origin, process, _output: output }),
            Err(trouble) => {
                // It may have exited already; then there is nothing to kill.
                let _ = process.kill();
                let _ = process.wait();
                Err(Absent::Broken(trouble))
            }
        }
    }

    /// The endpoint of the blob service for `account`, without a slash at its end.
    pub(crate) fn endpoint(&self, account: &Account) -> String {
        format!("{}/{}", self.origin, account.name)
    }

    /// The host and port that it listens on.
    pub(crate) fn address(&self) -> &str {
        self.origin.split_once("://").map_or("", |(_, address)| address)
    }

    /// Closes its standard input, as the end of this process would.
    pub(crate) fn abandon(&mut self) {
        drop(self.process.stdin.take());
    }
}

impl Account {
    fn for_azurite(&self) -> String {
        format!("{}:{}", self.name, self.key)
    }
}

/// Waits until Azurite prints its address, and returns that with the rest of its output.
fn listening(output: ChildStdout) -> Result<(String, BufReader<ChildStdout>), String> {
    const LISTENS: &str = "successfully listens on ";
    const LONGEST: Duration = Duration::from_secs(60);

    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut output = BufReader::new(output);
        let mut line = String::new();
        let origin = loop {
            line.clear();
            match output.read_line(&mut line) {
                Ok(0) => break Err("Azurite ended before it listened".to_owned()),
                Ok(_) => {}
                Err(error) => break Err(format!("cannot read what Azurite says: {error}")),
            }
            if let Some((_, origin)) = line.split_once(LISTENS) {
                break Ok(origin.trim().to_owned());
            }
        };
        // After the timeout nobody receives it.
        let _ = sender.send(origin.map(|origin| (origin, output)));
    });
    receiver
        .recv_timeout(LONGEST)
        .unwrap_or_else(|_| Err(format!("Azurite did not listen within {LONGEST:?}")))
}

/// The folder that contains Azurite, installed there on first use.
fn installed() -> Result<PathBuf, String> {
    const FILES: [(&str, &str); 4] = [
        (".npmrc", include_str!("../azurite/.npmrc")),
        ("package.json", include_str!("../azurite/package.json")),
        ("package-lock.json", include_str!("../azurite/package-lock.json")),
        ("serve.js", include_str!("../azurite/serve.js")),
    ];
    install::at_least("node", (20, 0))?;
    install::once("azurite", "Azurite from the npm registry", &FILES, install::npm_ci)
}
