//! Many disks in a terminal: a line for each that is under way, and the sum.

use std::collections::BTreeMap;

use blobcopy::disks::{FleetEvent, MirrorEvent};
use console::{measure_text_width, truncate_str};
use indicatif::{HumanBytes, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::super::copy::ended::Counted;
use crate::{
    names,
    output::{Printer, bars},
};

/// The most disks that are drawn.
const LINES: usize = 10;

/// What is known of all disks.
#[derive(Debug, Default)]
pub(super) struct Disks {
    under_way: BTreeMap<u64, Disk>,
    done: u64,
    failed: u64,
    copied: u64,
    bytes: u64,
}

#[derive(Debug)]
struct Disk {
    name: String,
    hops: usize,
    done: usize,
    fraction: f64,
}

impl Disks {
    fn event(&mut self, event: &FleetEvent) {
        match event {
            FleetEvent::Started { disk, destination, .. } => {
                let name = names::of_source(destination);
                let mut parts = name.rsplitn(3, '/');
                let (blob, container) = (parts.next(), parts.next());
                let name = match (container, blob) {
                    (Some(container), Some(blob)) => format!("{container}/{blob}"),
                    _ => name.clone(),
                };
                self.under_way.insert(*disk, Disk { name, hops: 0, done: 0, fraction: 0.0 });
            }
            FleetEvent::Disk { disk, of } => {
                let Some(known) = self.under_way.get_mut(disk) else { return };
                match of {
                    MirrorEvent::Planned(plan) => {
                        (known.hops, known.done) = (plan.hops.len(), 0);
                    }
                    MirrorEvent::HopProgress { fraction, .. } => known.fraction = *fraction,
                    MirrorEvent::HopDone(done) => {
                        (known.done, known.fraction) = (known.done + 1, 0.0);
                        (self.copied, self.bytes) = (self.copied + 1, self.bytes + done.bytes);
                    }
                    _ => {}
                }
            }
            FleetEvent::Finished { disk, outcome } => {
                if let Some(disk) = disk {
                    self.under_way.remove(disk);
                }
                self.done += 1;
                self.failed += u64::from(outcome.failure.is_some());
            }
            _ => {}
        }
    }

    /// The picture in so many columns. No line is wider.
    fn lines(&self, width: usize) -> Vec<String> {
        let mut lines: Vec<String> = self
            .under_way
            .values()
            .take(LINES)
            .map(|disk| {
                let percent = format!("{:>3.0}%", (disk.fraction * 100.0).floor());
                let state = match disk.hops {
                    0 => "looking".to_owned(),
                    hops => format!("{} of {hops} {percent}", (disk.done + 1).min(hops)),
                };
                let room = width.saturating_sub(measure_text_width(&state) + 1);
                format!("{} {state}", truncate_str(&disk.name, room, "…"))
            })
            .collect();
        if self.under_way.len() > LINES {
            lines.push(format!("… {} more under way", self.under_way.len() - LINES));
        }
        let failed =
            if self.failed > 0 { format!(", {} failed", self.failed) } else { String::new() };
        lines.push(format!(
            "{} done{failed}, {} copied, {}",
            Counted(self.done, "disk"),
            Counted(self.copied, "snapshot"),
            HumanBytes(self.bytes)
        ));
        lines.into_iter().map(|line| truncate_str(&line, width, "…").into_owned()).collect()
    }
}

/// The picture, and where it is drawn.
pub(super) struct FleetPicture {
    disks: Disks,
    bar: ProgressBar,
    width: usize,
}

impl FleetPicture {
    pub(super) fn new(printer: &Printer) -> Self {
        let unseen = ProgressDrawTarget::hidden();
        let style = ProgressStyle::with_template("{msg}").expect("the form is a good one");
        let bar = ProgressBar::with_draw_target(None, unseen).with_style(style);
        Self { disks: Disks::default(), bar: bars().add(bar), width: printer.error_width() }
    }

    pub(super) fn event(&mut self, event: &FleetEvent) {
        self.disks.event(event);
        self.bar.set_message(self.disks.lines(self.width).join("\n"));
    }
}

impl Drop for FleetPicture {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn disks_under_way_have_a_line_each_and_none_is_too_wide() {
        let mut disks = Disks::default();
        for disk in 0..12 {
            let destination = format!("https://a.blob.core.windows.net/backups/disk{disk}.vhd");
            let source = "https://a.blob.core.windows.net/vhds/d".to_owned();
            disks.event(&FleetEvent::Started { disk, source, destination });
        }
        let known = disks.under_way.get_mut(&0).expect("it began");
        (known.hops, known.done, known.fraction) = (5, 1, 0.43);
        let lines = disks.lines(40);
        assert_eq!(lines.len(), LINES + 2);
        assert_eq!(lines[0], "backups/disk0.vhd 2 of 5  43%");
        assert_eq!(lines[1], "backups/disk1.vhd looking");
        assert_eq!(lines[10], "… 2 more under way");
        assert_eq!(lines[11], "0 disks done, 0 snapshots copied, 0 B");
        let outcome = Box::default();
        disks.event(&FleetEvent::Finished { disk: Some(0), outcome });
        assert_eq!(disks.lines(40)[0], "backups/disk1.vhd looking");
        for width in 0..50 {
            assert!(disks.lines(width).iter().all(|line| measure_text_width(line) <= width.max(1)));
        }
    }
}
