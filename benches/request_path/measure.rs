//! Measures in turns, and prints a row for each measurement.

use std::{fs, thread};

/// Prints the selected rows.
pub(crate) struct Report {
    filter: Option<String>,
    /// Whether to measure, or only to check that everything runs.
    measured: bool,
}

/// A row: its name, its floor, and its target.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) floor: &'static str,
    pub(crate) target: Option<f64>,
}

impl Report {
    pub(crate) fn new(filter: Option<String>, measured: bool) -> Self {
        Self { filter, measured }
    }

    pub(crate) fn heading(&self) {
        if !self.measured {
            println!("request_path: one short turn of each row; `cargo bench` gives the figures");
        }
        println!(
            "{:<54} {:>10} {:>10} {:>6} {:>7} {:>7}",
            "", "ns", "floor ns", "best", "median", "target"
        );
    }

    pub(crate) fn wants(&self, name: &str) -> bool {
        self.filter.as_ref().is_none_or(|filter| name.contains(filter.as_str()))
    }

    /// Enough turns for a stable figure, or one to check that it runs.
    pub(crate) fn turns(&self, count: usize) -> usize {
        if self.measured { count } else { 1 }
    }

    pub(crate) fn calls(&self, count: usize) -> usize {
        if self.measured { count } else { count.min(10) }
    }

    /// Prints a row; `ours` and `floor` are nanoseconds per call for each turn.
    pub(crate) fn row(&self, row: &Row, ours: &[f64], floor: &[f64]) {
        let pairs = ours.iter().zip(floor).map(|(ours, floor)| ours / floor).collect();
        self.print(row, best(ours), best(floor), median(pairs));
    }

    /// Prints a row of the difference between `with` and `without`.
    pub(crate) fn difference(&self, row: &Row, with: &[f64], without: &[f64], floor: &[f64]) {
        let ours = with.iter().zip(without).map(|(with, without)| with - without);
        let pairs = ours.zip(floor).map(|(ours, floor)| ours / floor).collect();
        self.print(row, best(with) - best(without), best(floor), median(pairs));
    }

    fn print(&self, row: &Row, ours: f64, floor: f64, median: f64) {
        if !self.measured {
            return println!("{}: ran", row.name);
        }
        let best = ours / floor;
        let target = row.target.map(|most| format!("<= {most}")).unwrap_or_default();
        let name = format!("{} / {}", row.name, row.floor);
        println!("{name:<54} {ours:>10.0} {floor:>10.0} {best:>6.2} {median:>7.2} {target:>7}");
    }
}

fn best(turns: &[f64]) -> f64 {
    turns.iter().copied().fold(f64::INFINITY, f64::min)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Runs `turns` turns of each of `legs`, in another order each time, after a warm-up turn. Returns
/// the results of each leg.
pub(crate) fn interleave<T, const N: usize>(
    turns: usize,
    mut legs: [&mut dyn FnMut() -> T; N],
) -> [Vec<T>; N] {
    let mut taken = [const { Vec::new() }; N];
    for leg in &mut legs {
        leg();
    }
    for turn in 0..turns {
        for place in 0..N {
            let leg = if turn % 2 == 0 { place } else { N - 1 - place };
            taken[leg].push(legs[leg]());
        }
    }
    taken
}

/// Wall-clock time: for phases of a call, which are too short for the CPU time of the scheduler.
#[allow(clippy::disallowed_methods)]
pub(crate) fn now() -> std::time::Instant {
    std::time::Instant::now()
}

/// The CPU time of this thread in nanoseconds, including the kernel.
///
/// From the scheduler, as of the last time that the thread yielded.
pub(crate) fn processor_ns() -> f64 {
    thread::yield_now();
    let text = fs::read_to_string("/proc/thread-self/schedstat");
    let text = text.expect("processor time is read from /proc/thread-self/schedstat: needs Linux");
    text.split(' ').next().and_then(|ns| ns.parse().ok()).expect("nanoseconds come first")
}

/// The CPU time of each of the `calls` that `all` makes.
pub(crate) fn for_each_call(calls: usize, all: impl FnOnce()) -> f64 {
    let before = processor_ns();
    all();
    (processor_ns() - before) / calls as f64
}
