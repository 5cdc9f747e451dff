//! The SDKs, installed once, and how their scripts are run.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use crate::support::{
    install::{self, Absent},
    referees::Referee,
};

const SCRIPTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/sdk");

/// The SDK for Python, in a virtual environment.
#[derive(Debug)]
pub(super) struct Python {
    environment: PathBuf,
}

/// The SDK for JavaScript.
#[derive(Debug)]
pub(super) struct JavaScript {
    packages: PathBuf,
}

/// The live service's answers to the tests of the SDK for Python, in a virtual environment that can
/// read them.
#[derive(Debug)]
pub(super) struct Recordings {
    environment: PathBuf,
}

impl Referee for Python {
    fn shared() -> Result<&'static Self, Absent> {
        static SHARED: OnceLock<Result<Python, Absent>> = OnceLock::new();
        let install = || {
            let requirements = include_str!("../sdk/python/requirements.txt");
            let what = "the SDK for Python from PyPI";
            let environment = virtual_environment("sdk/python", what, &[requirements])?;
            Ok(Self { environment })
        };
        SHARED.get_or_init(install).as_ref().map_err(Absent::clone)
    }
}

impl Referee for JavaScript {
    fn shared() -> Result<&'static Self, Absent> {
        static SHARED: OnceLock<Result<JavaScript, Absent>> = OnceLock::new();
        let install = || {
            let packages = node_packages().map_err(|trouble| {
                Absent::Missing(format!("needs Node.js 20 or newer with npm: {trouble}"))
            })?;
            Ok(Self { packages })
        };
        SHARED.get_or_init(install).as_ref().map_err(Absent::clone)
    }
}

impl Referee for Recordings {
    fn shared() -> Result<&'static Self, Absent> {
        static SHARED: OnceLock<Result<Recordings, Absent>> = OnceLock::new();
        let install = || {
            let requirements = include_str!("../sdk/live/requirements.txt");
            let recordings = include_str!("../sdk/live/recordings.txt");
            let what = "the recordings of the live service from PyPI";
            let environment = virtual_environment("sdk/live", what, &[requirements, recordings])?;
            Ok(Self { environment })
        };
        SHARED.get_or_init(install).as_ref().map_err(Absent::clone)
    }
}

impl Python {
    /// One of its scripts, ready to be given arguments.
    pub(super) fn script(&self, name: &str) -> Command {
        let mut script = Command::new(interpreter(&self.environment));
        // -B: leave no compiled files next to the scripts.
        script.args(["-B", &format!("{SCRIPTS}/python/{name}")]);
        script
    }
}

impl JavaScript {
    /// One of its scripts, ready to be given arguments.
    pub(super) fn script(&self, name: &str) -> Command {
        let mut script = Command::new("node");
        // The packages are not where the scripts are.
        script.env("NODE_PATH", self.packages.join("node_modules"));
        script.arg(format!("{SCRIPTS}/javascript/{name}"));
        script
    }
}

impl Recordings {
    /// The script that replays them to another service, with their folder as its first argument.
    pub(super) fn replay(&self) -> Command {
        let mut script = Command::new(interpreter(&self.environment));
        script.args(["-B", &format!("{SCRIPTS}/live/replay.py")]);
        script.arg(self.environment.join("azure-storage-blob-12.0.0/tests/recordings"));
        script
    }
}

/// A virtual environment below `target` with the packages of the first of `requirements`, and next
/// to it the sources of those in the second, if there is one.
fn virtual_environment(
    place: &str,
    what: &str,
    requirements: &[&'static str],
) -> Result<PathBuf, Absent> {
    environment(place, what, requirements).map_err(|trouble| {
        Absent::Missing(format!("needs Python 3.11 or newer with venv and pip: {trouble}"))
    })
}

fn environment(place: &str, what: &str, requirements: &[&'static str]) -> Result<PathBuf, String> {
    let program = if cfg!(windows) { "python" } else { "python3" };
    // Packages with compiled parts support one Python version.
    let version = install::at_least(program, (3, 11))?;
    let mut files = vec![("version.txt", version.as_str())];
    files.extend(["requirements.txt", "sources.txt"].into_iter().zip(requirements.iter().copied()));
    install::once(place, what, &files, |folder| {
        install::run(Command::new(program).args(["-m", "venv", "venv"]).current_dir(folder))?;
        let pip = |arguments: &[&str]| {
            let mut pip = Command::new(interpreter(folder));
            pip.args(["-m", "pip"]).args(arguments).current_dir(folder);
            install::run(pip.args(["--quiet", "--disable-pip-version-check", "--no-deps"]))
        };
        // No package is built here, and each one installed is pinned by its hash.
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

fn node_packages() -> Result<PathBuf, String> {
    const FILES: [(&str, &str); 3] = [
        (".npmrc", include_str!("../sdk/javascript/.npmrc")),
        ("package.json", include_str!("../sdk/javascript/package.json")),
        ("package-lock.json", include_str!("../sdk/javascript/package-lock.json")),
    ];
    install::at_least("node", (20, 0))?;
    let what = "the SDK for JavaScript from the npm registry";
    install::once("sdk/javascript", what, &FILES, install::npm_ci)
}
