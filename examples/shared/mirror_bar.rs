//! A progress bar for the run of a mirror.

use blobcopy::disks::MirrorEvent;
use indicatif::{HumanBytes, ProgressBar, ProgressStyle};

use crate::account::Result;

/// Shows how many of the planned snapshots are copied, and how far the next one is.
pub(crate) struct MirrorBar(ProgressBar);

impl MirrorBar {
    pub(crate) fn new() -> Result<Self> {
        let style = ProgressStyle::with_template("  [{bar:32}] {pos} of {len} snapshots{msg}")?;
        Ok(Self(ProgressBar::new(0).with_style(style)))
    }

    pub(crate) fn show(&self, event: &MirrorEvent) {
        let Self(bar) = self;
        match event {
            MirrorEvent::Planned(plan) => bar.set_length(plan.hops.len() as u64),
            MirrorEvent::HopProgress { written, fraction, .. } => {
                let percent = fraction * 100.0;
                bar.set_message(format!(", {percent:.0} % of the next, {}", HumanBytes(*written)));
            }
            MirrorEvent::HopDone(_) => {
                bar.set_message("");
                bar.inc(1);
            }
            MirrorEvent::Ended(_) => {
                bar.finish();
                if !bar.is_hidden() {
                    eprintln!();
                }
            }
            _ => {}
        }
    }
}
