//! `docs/walkthrough.md`, run as it is written.

use std::{
    io::{BufRead, BufReader},
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
};

use crate::support::{BINARY, bare, disk::Folder, finish, shown, spawn};

const PAGE: &str = include_str!("../../docs/walkthrough.md");

/// A command of the page, and what the page says that it prints.
struct Step {
    command: String,
    output: String,
}

/// Ends the simulator with the test, however that ends.
struct Served(Child);

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn the_walkthrough_shows_what_happens() {
    let port = free_port();
    let written = steps(&PAGE.replace("10000", &port));
    let (simulate, session) = written.split_first().expect("steps");
    let (_served, first) = serve(simulate);
    let outputs = std::iter::once(first).chain(run(session));
    let mut happened = String::new();
    for (step, output) in written.iter().zip(outputs) {
        happened.push_str(&format!("$ {}\n{output}", step.command));
    }
    let written: String =
        written.iter().map(|step| format!("$ {}\n{}", step.command, step.output)).collect();
    let endpoint = format!("http://127.0.0.1:{port}/devstoreaccount1");
    let [happened, written] = [happened, written].map(|text| untimed(&shown(&text, &endpoint)));
    assert!(happened == written, "docs/walkthrough.md should say:\n{happened}");
}

/// The text without what was measured: how long something took, or how old it is.
fn untimed(text: &str) -> String {
    let lines = text.lines().map(|line| match line.split_once("  ") {
        Some(("time" | "recovery time", _)) => line.split("  ").next().unwrap_or_default(),
        Some(("recovery point", _)) => line.split(", ").next().unwrap_or_default(),
        _ => line,
    });
    lines.map(|line| format!("{line}\n")).collect()
}

/// The steps of all `console` blocks.
fn steps(page: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut inside = false;
    for line in page.lines() {
        if line.starts_with("```") {
            inside = line == "```console";
        } else if let Some(command) = line.strip_prefix("$ ").filter(|_| inside) {
            steps.push(Step { command: command.to_owned(), output: String::new() });
        } else if let Some(step) = steps.last_mut().filter(|_| inside) {
            step.output.push_str(line);
            step.output.push('\n');
        }
    }
    steps
}

/// Starts the simulator as its step says, and gives what it printed.
fn serve(step: &Step) -> (Served, String) {
    let mut words = step.command.split(' ');
    assert_eq!(words.next(), Some("blobcopy"), "the first step starts the simulator");
    let mut served = Served(spawn(bare(&words.collect::<Vec<_>>())));
    let out = BufReader::new(served.0.stdout.take().expect("piped"));
    let lines = out.lines().take(step.output.lines().count());
    let said = lines.map(|line| line.expect("UTF-8") + "\n").collect();
    (served, said)
}

/// Runs the steps in one shell, in a folder of its own, and gives what each printed.
fn run(steps: &[Step]) -> Vec<String> {
    const BETWEEN: char = '\u{1e}';
    let folder = Folder::new("walkthrough");
    let script: String =
        steps.iter().map(|step| format!("{}\nprintf '\\036'\n", step.command)).collect();
    let binaries = Path::new(BINARY).parent().expect("its folder").to_str().expect("UTF-8");
    let mut shell = Command::new("sh");
    shell.args(["-e", "-c", &script]).current_dir(folder.path("")).env_clear();
    shell.env("PATH", format!("{binaries}:{}", std::env::var("PATH").expect("a path")));
    shell.stdin(Stdio::null());
    let ended = finish(spawn(shell), "");
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    ended.out.split_terminator(BETWEEN).map(str::to_owned).collect()
}

/// A port that was free a moment ago.
fn free_port() -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    listener.local_addr().expect("an address").port().to_string()
}
