//! Disks: a chain of snapshots, mirrored, checked, thinned out and restored.
//!
//! | to do this | use |
//! | --- | --- |
//! | keep a destination's snapshots equal to a source's | [`SnapshotMirror`] |
//! | mirror many disks, on one machine or several | [`MirrorFleet`], [`FleetReport::merge`] |
//! | mirror a managed disk | [`ManagedSnapshots`], [`GrantAccess`] |
//! | prove that the destination's snapshots equal the source's | [`SnapshotMirror::verify`] |
//! | thin out, restore and try what a mirror has made | [`DiskBackup`] |
//! | say which snapshots to keep, and see why each stays or goes | [`Keep`], [`Kept`] |
//! | say for how long | [`KeepDuration`] |
//! | date a snapshot by something other than its id | [`DatedSnapshot`] |

mod addresses;
mod backup;
mod chain;
mod drill;
mod fleet;
mod hop;
mod keep;
mod keep_words;
mod kept;
mod lineage;
mod lock;
mod lost_lineage;
mod managed;
mod mirror;
mod mirror_error;
mod mirror_incremental;
mod mirror_plan;
mod mirror_ranges;
mod mirror_report;
mod mirror_run;
mod mirror_survey;
mod mirror_verify;
mod mirror_work;
mod prune;
mod reads;
mod restore;
mod route;
mod source;

pub use self::{
    backup::DiskBackup,
    chain::{Chain, ChainSnapshot},
    drill::{Drill, DrillReport, RemoveDrills},
    fleet::{
        FleetDisk, FleetEvent, FleetEvents, FleetFailure, FleetPlan, FleetReport, FleetStep,
        LeftBlob, MirrorFleet, PlanFleet, PlannedDisk, RunFleet,
    },
    keep::Keep,
    keep_words::{KeepCount, KeepDuration, KeepRule, Reason},
    kept::{DatedSnapshot, Kept},
    lock::LockWait,
    managed::{DiskSnapshotList, GrantAccess, ManagedSnapshot, ManagedSnapshots},
    mirror::SnapshotMirror,
    mirror_error::{BrokenSeries, MirrorError},
    mirror_plan::{LeftSnapshot, MirrorPlan, MirrorWarning, PlannedHop},
    mirror_report::{HopDone, MirrorEvent, MirrorReport},
    mirror_run::{MirrorEvents, RunMirror},
    mirror_verify::{
        MirrorReceipt, MirrorReceipts, MirrorVerification, SnapshotOutcome, TornHop,
        VerifiedSnapshot, VerifyMirror,
    },
    prune::{
        PlannedPrune, PlannedSourcePrune, Prune, PruneFate, PrunePlan, PruneReport, PruneSource,
        RefusedDelete, SourceFate, SourcePrunePlan, SourcePruneReport,
    },
    restore::{Restore, RestoreEvent, RestorePoint, RestoreReport, RestoreRoute},
    route::MirrorRoute,
    source::{MirrorSource, PageBlobSnapshots, SourceSnapshot},
};
