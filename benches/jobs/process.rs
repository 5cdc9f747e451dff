//! What a process takes.

use std::{fs, process::Command, thread};

/// The unit of CPU times in /proc, on every Linux.
const SECONDS_PER_TICK: f64 = 0.01;

/// The time and the CPU time of a process, in seconds, and what it printed.
pub(crate) struct Ran {
    pub(crate) wall: f64,
    pub(crate) cpu: f64,
    pub(crate) output: String,
}

/// Runs a process to its end.
pub(crate) fn ran(command: &mut Command) -> Ran {
    let (began, before) = (now(), cpu_of_children());
    let output = command.output().unwrap();
    let wall = began.elapsed().as_secs_f64();
    let cpu = cpu_of_children() - before;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {text}{error}");
    Ran { wall, cpu, output: text }
}

/// The CPU time of this thread in nanoseconds.
pub(crate) fn processor_ns() -> f64 {
    thread::yield_now();
    let text = fs::read_to_string("/proc/thread-self/schedstat").expect("Linux");
    text.split(' ').next().and_then(|ns| ns.parse().ok()).expect("nanoseconds come first")
}

/// The CPU time of the processes that this one has started and waited for, in seconds.
fn cpu_of_children() -> f64 {
    let text = fs::read_to_string("/proc/self/stat").expect("CPU time is read from /proc: Linux");
    // The second field is the program's name in parentheses.
    let rest = text.rsplit_once(") ").unwrap().1;
    let fields: Vec<&str> = rest.split(' ').collect();
    // cutime and cstime, of which the manual counts the fields from 1.
    let ticks = fields[16 - 3].parse::<f64>().unwrap() + fields[17 - 3].parse::<f64>().unwrap();
    ticks * SECONDS_PER_TICK
}

/// The most memory that this process has had in RAM, in bytes.
pub(crate) fn peak() -> u64 {
    status("VmHWM:") << 10
}

/// How often the main thread has gone to sleep.
#[allow(dead_code, reason = "the bench of disks alone tells it")]
pub(crate) fn waits() -> u64 {
    status("voluntary_ctxt_switches:")
}

/// A number that the kernel keeps of this process.
fn status(name: &str) -> u64 {
    let text = fs::read_to_string("/proc/self/status").expect("is read from /proc: Linux");
    let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// Wall-clock time.
#[allow(clippy::disallowed_methods)]
pub(crate) fn now() -> std::time::Instant {
    std::time::Instant::now()
}

#[allow(clippy::cast_precision_loss)]
pub(crate) fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

/// The turn that took the least CPU time.
pub(crate) fn best(turns: &[Ran]) -> (f64, f64) {
    let least = |of: fn(&Ran) -> f64| turns.iter().map(of).fold(f64::INFINITY, f64::min);
    (least(|turn| turn.wall), least(|turn| turn.cpu))
}
