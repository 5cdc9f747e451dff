//! The SDKs, installed once, and how their scripts are run.

use std::{
    fs,
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
    /// Its script that runs all checks, ready to be given arguments, or `None` where the
    /// environment says to skip it.
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
    let requirements = include_str!("../sdk/python/requirements.txt");
    let folder =
        virtual_environment("sdk/python", "the SDK for Python from PyPI", &[requirements])?;
    let mut script = Command::new(interpreter(&folder));
    // -B: leave no compiled files beside the scripts.
    script.args(["-B", &format!("{SCRIPTS}/python/{name}")]);
    Ok(script)
}

/// The script that puts the live service's recorded exchanges to another one, with the folder of
/// the recordings as its first argument.
pub(super) fn replay() -> Result<Command, String> {
    let requirements = include_str!("../sdk/live/requirements.txt");
    let recordings = include_str!("../sdk/live/recordings.txt");
    let what = "the recordings of the live service from PyPI";
    let folder = virtual_environment("sdk/live", what, &[requirements, recordings])?;
    let mut script = Command::new(interpreter(&folder));
    script.args(["-B", &format!("{SCRIPTS}/live/replay.py")]);
    script.arg(folder.join("azure-storage-blob-12.0.0/tests/recordings"));
    Ok(script)
}

/// A virtual environment below `target` with the packages of the first of `requirements`, and
/// beside it the sources of those that the second one names, if there is one.
fn virtual_environment(
    place: &str,
    what: &str,
    requirements: &[&'static str],
) -> Result<PathBuf, String> {
    let program = if cfg!(windows) { "python" } else { "python3" };
    // Packages with compiled parts serve one version of Python.
    let version = Command::new(program)
        .arg("--version")
        .output()
        .map_err(|error| format!("cannot run `{program}`: {error}"))?;
    let version = String::from_utf8_lossy(&version.stdout);
    let mut files = vec![("version.txt", &*version)];
    files.extend(["requirements.txt", "sources.txt"].into_iter().zip(requirements.iter().copied()));
    install::once(place, what, &files, |folder| {
        install::run(Command::new(program).args(["-m", "venv", "venv"]).current_dir(folder))?;
        let pip = |arguments: &[&str]| {
            let mut pip = Command::new(interpreter(folder));
            pip.args(["-m", "pip"]).args(arguments).current_dir(folder);
            install::run(pip.args(["--quiet", "--disable-pip-version-check", "--no-deps"]))
        };
        // No package builds anything here, and none comes that is not named with its hash.
        let only = ["--require-hashes", "--only-binary", ":all:"];
        pip(&[&["install", "--requirement", "requirements.txt"], &only[..]].concat())?;
        if requirements.len() == 1 {
            return Ok(());
        }
        let only = ["--require-hashes", "--no-binary", ":all:"];
        pip(&[&["download", "--requirement", "sources.txt"], &only[..]].concat())?;
        let archives = fs::read_dir(folder).map_err(|error| error.to_string())?;
        for archive in archives.filter_map(|entry| Some(entry.ok()?.path())) {
            if archive.extension().is_some_and(|extension| extension == "zip") {
                let mut unpack = Command::new(interpreter(folder));
                unpack.args(["-m", "zipfile", "-e"]).arg(&archive).arg(folder);
                install::run(&mut unpack)?;
            }
        }
        Ok(())
    })
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
