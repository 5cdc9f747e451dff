//! Programs in other languages that tests run, each installed once below `target`.

use std::{
    fmt, fs,
    hash::{DefaultHasher, Hash, Hasher},
    io::{self, Write},
    path::{Path, PathBuf},
    process::{self, Command, Stdio},
    sync::{Mutex, PoisonError},
};

/// Why such a program cannot be used.
#[derive(Debug, Clone)]
pub(crate) enum Absent {
    /// This computer lacks a requirement: "needs Node.js 20 or newer …".
    Missing(String),
    /// It is installed but does not work.
    Broken(String),
}

impl fmt::Display for Absent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Missing(reason) | Self::Broken(reason)) = self;
        f.write_str(reason)
    }
}

/// The folder below `target` that `install` fills, next to a copy of `files`; a new one if the
/// files or `name` change.
///
/// Every process installs into its own folder and then renames it, so no partial installation is
/// ever used and no lock can be left behind. If two do so at once, one discards its own. Within a
/// process, tests that need the same program wait for each other.
pub(crate) fn once(
    name: &str,
    what: &str,
    files: &[(&str, &str)],
    install: impl FnOnce(&Path) -> Result<(), String>,
) -> Result<PathBuf, String> {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let mut hasher = DefaultHasher::new();
    files.hash(&mut hasher);
    let all = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name(name);
    let folder = all.join(format!("{:016x}", hasher.finish()));
    if folder.is_dir() {
        return Ok(folder);
    }

    say(&format!("installing {what}, once"));
    let draft = folder.with_extension(process::id().to_string());
    let write = |error: io::Error| format!("cannot write {}: {error}", draft.display());
    fs::create_dir_all(&draft).map_err(write)?;
    for (name, text) in files {
        fs::write(draft.join(name), text).map_err(write)?;
    }
    let outcome = install(&draft).and_then(|()| match fs::rename(&draft, &folder) {
        Err(error) if !folder.is_dir() => Err(write(error)),
        _ => Ok(folder),
    });
    // It exists only if the installation failed, or if another process was faster.
    let _ = fs::remove_dir_all(&draft);
    outcome
}

/// The output of `program --version`, if it is this version or newer.
pub(crate) fn at_least(program: &str, (major, minor): (u32, u32)) -> Result<String, String> {
    let output = Command::new(program)
        .arg("--version")
        .output()
        .map_err(|error| format!("cannot run `{program}`: {error}"))?;
    let said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    // `v20.20.2` or `Python 3.11.9`
    let mut numbers = said.split(|c: char| !c.is_ascii_digit()).filter_map(|n| n.parse().ok());
    match (numbers.next(), numbers.next()) {
        (Some(first), Some(second)) if (first, second) >= (major, minor) => Ok(said),
        _ => Err(format!("`{program} --version` says {said:?}")),
    }
}

/// Installs the packages in the `package-lock.json` of `folder`.
pub(crate) fn npm_ci(folder: &Path) -> Result<(), String> {
    let npm = if cfg!(windows) { "npm.cmd" } else { "npm" };
    run(Command::new(npm)
        .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
        .current_dir(folder))
}

/// Runs a program to its end; on failure, returns the problem in one line.
pub(crate) fn run(command: &mut Command) -> Result<(), String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("cannot run `{program}`: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stderr, output.stdout].concat();
    let said = String::from_utf8_lossy(&said);
    let telling = said.lines().find(|line| line.to_ascii_lowercase().contains("error"));
    let telling = telling.or_else(|| said.lines().find(|line| !line.trim().is_empty()));
    let first = command.get_args().next().unwrap_or_default().to_string_lossy();
    Err(format!("`{program} {first}` failed: {}", telling.unwrap_or_default().trim()))
}

/// Prints a line directly, because the test runner hides the output of passing tests.
fn say(line: &str) {
    // Without a standard error there is nowhere to print.
    let _ = writeln!(io::stderr(), "{line}");
}
