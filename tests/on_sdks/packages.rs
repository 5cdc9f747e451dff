//! The SDKs, installed once, and how their scripts are run.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use crate::support::install;

/// The variable that skips these tests where the languages are not installed. Refused in CI.
pub(super) const SKIP: &str = "BLOBCOPY_SKIP_SDKS";

const SCRIPTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/sdk");

/// A language whose SDK drives the simulator.
#[derive(Debug, Clone, Copy)]
pub(super) enum Language {
    Python,
    JavaScript,
}

impl Language {
    /// Its script that runs all checks, ready to be given arguments, or `None` where the environment says to skip it.
    ///
    /// # Panics
    ///
    /// In one line that says what is missing, when it cannot be had.
    pub(super) fn checks(self) -> Option<Command> {
        self.script(match self {
            Self::Python => "run.py",
            Self::JavaScript => "run.js",
        })
    }

    /// One of its scripts, by name.
    pub(super) fn script(self, name: &str) -> Option<Command> {
        let script = match install::skipped(SKIP, &format!("tests on the SDK for {self:?}")) {
            Ok(true) => return None,
            Ok(false) => match self {
                Self::Python => python(name),
                Self::JavaScript => javascript(name),
            },
            Err(refused) => panic!("{refused}"),
        };
        let script = script.unwrap_or_else(|trouble| {
            let needs = match self {
                Self::Python => "Python 3.11 or newer with venv and pip",
                Self::JavaScript => "Node.js 20 or newer with npm",
            };
            panic!(
                "tests on the SDK for {self:?} need {needs} ({trouble}); install them, or set \
                 {SKIP}=1 to skip these tests"
            )
        });
        Some(script)
    }
}

fn python(name: &str) -> Result<Command, String> {
    let program = if cfg!(windows) { "python" } else { "python3" };
    // Packages with compiled parts serve one version of Python.
    let version = Command::new(program)
        .arg("--version")
        .output()
        .map_err(|error| format!("cannot run `{program}`: {error}"))?;
    let files = [
        ("requirements.txt", include_str!("../sdk/python/requirements.txt")),
        ("version.txt", &String::from_utf8_lossy(&version.stdout)),
    ];
    let folder = install::once("sdk/python", "the SDK for Python from PyPI", &files, |folder| {
        install::run(Command::new(program).args(["-m", "venv", "venv"]).current_dir(folder))?;
        // No package builds anything here, and none comes that is not named with its hash.
        let options = ["--require-hashes", "--no-deps", "--only-binary", ":all:"];
        let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
        let requirements = ["--requirement", "requirements.txt"];
        install::run(
            Command::new(interpreter(folder))
                .args(pip.iter().chain(&options).chain(&requirements))
                .current_dir(folder),
        )
    })?;
    let mut script = Command::new(interpreter(&folder));
    // -B: leave no compiled files beside the scripts.
    script.args(["-B", &format!("{SCRIPTS}/python/{name}")]);
    Ok(script)
}

fn interpreter(folder: &Path) -> PathBuf {
    folder.join(if cfg!(windows) { "venv/Scripts/python.exe" } else { "venv/bin/python" })
}

fn javascript(name: &str) -> Result<Command, String> {
    const FILES: [(&str, &str); 3] = [
        (".npmrc", include_str!("../sdk/javascript/.npmrc")),
        ("package.json", include_str!("../sdk/javascript/package.json")),
        ("package-lock.json", include_str!("../sdk/javascript/package-lock.json")),
    ];
    install::run(Command::new("node").arg("--version"))?;
    let what = "the SDK for JavaScript from the npm registry";
    let folder = install::once("sdk/javascript", what, &FILES, install::npm_ci)?;
    let mut script = Command::new("node");
    // The packages are not where the scripts are.
    script.env("NODE_PATH", folder.join("node_modules"));
    script.arg(format!("{SCRIPTS}/javascript/{name}"));
    Ok(script)
}
