//! The examples of each command's help, run as they are printed.
#![cfg(unix)]

use std::{
    io::{BufRead, BufReader},
    process::Command,
};

use rustix::process::{Pid, Signal, kill_process};

use crate::{
    managed_disks,
    support::{BINARY, Ended, World, bare, disk::Folder, finish, spawn},
};

/// The examples in the help of a command.
fn examples(command: &str) -> Vec<String> {
    let help = finish(spawn(bare(&["help", command])), "").out;
    let after = help.split("Examples:\n").nth(1).expect("it has examples");
    let lines = after.lines().map_while(|line| line.strip_prefix("  "));
    lines.map(str::to_owned).collect()
}

/// Every command, as the help lists them.
fn commands() -> Vec<String> {
    let help = finish(spawn(bare(&["--help"])), "").out;
    let listed = help.split("Commands:\n").nth(1).expect("it lists them");
    let lines = listed.lines().map_while(|line| line.strip_prefix("  "));
    let names = lines.filter_map(|line| line.split(' ').next());
    names.filter(|name| !name.is_empty() && *name != "help").map(str::to_owned).collect()
}

#[test]
fn the_examples_of_every_command_run() {
    let commands = commands();
    assert_eq!(commands.len(), 22, "{commands:?}");
    for command in commands {
        let examples = examples(&command);
        assert!(!examples.is_empty(), "{command}");
        for (number, example) in examples.iter().enumerate() {
            let folder = Folder::new(&format!("example-{command}-{number}"));
            let ended = match command.as_str() {
                "simulate" => serve(example),
                _ if ["--disk", "--managed-snapshots"]
                    .iter()
                    .any(|flag| example.contains(flag)) =>
                {
                    managed_disks::example(example, &format!("example-{number}"))
                }
                _ => run(&command, example, &folder),
            };
            assert_eq!(ended.code, Some(0), "{example}: {ended:#?}");
        }
    }
}

const POWERSHELL: &str = include_str!("../../docs/powershell.md");

#[test]
fn the_page_for_powershell_has_every_parameter() {
    const SHARED: [&str; 5] = [
        "Context",
        "ServerTimeoutPerRequest",
        "ClientTimeoutPerRequest",
        "ConcurrentTaskCount",
        "DefaultProfile",
    ];
    for (cmdlet, parameters) in [
        (
            "Start-AzStorageBlobIncrementalCopy",
            &[
                "AbsoluteUri",
                "CloudBlob",
                "CloudBlobContainer",
                "SrcBlob",
                "SrcContainer",
                "SrcBlobSnapshotTime",
                "DestBlob",
                "DestCloudBlob",
                "DestContainer",
                "DestContext",
                "WhatIf",
                "Confirm",
            ][..],
        ),
        (
            "Get-AzStorageBlobCopyState",
            &["Blob", "Container", "CloudBlob", "CloudBlobContainer", "WaitForComplete"],
        ),
        (
            "Stop-AzStorageBlobCopy",
            &[
                "Blob",
                "Container",
                "CloudBlob",
                "CloudBlobContainer",
                "Force",
                "CopyId",
                "TagCondition",
                "WhatIf",
                "Confirm",
            ],
        ),
    ] {
        let section = POWERSHELL.split("\n## ").find(|section| section.starts_with(cmdlet));
        let section = section.expect(cmdlet);
        for parameter in parameters.iter().chain(&SHARED) {
            assert!(section.contains(&format!("`-{parameter}`")), "{cmdlet} -{parameter}");
        }
    }
}

#[test]
fn the_commands_for_powershell_run() {
    let mut inside = false;
    let mut count = 0;
    for line in POWERSHELL.lines() {
        match line.strip_prefix("```") {
            Some(kind) => inside = kind == "sh",
            None if inside && line.starts_with("blobcopy") => {
                count += 1;
                let line = line
                    .replace("container1", "vhds")
                    .replace("container2", "backups")
                    .replace("blob1", "disk0.vhd")
                    .replace("2017-04-07T09:55:36.1190229Z", "2026-01-01T00:00:00.1234567Z");
                let ended = run("powershell", &line, &Folder::new(&format!("powershell-{count}")));
                assert_eq!(ended.code, Some(0), "{line}: {ended:#?}");
            }
            None => {}
        }
    }
    assert!(count >= 10, "{count}");
}

const FLEET: &str = include_str!("../../docs/fleet.md");

#[test]
fn the_commands_of_a_fleet_run() {
    let lines = FLEET.lines().filter(|line| line.starts_with("blobcopy "));
    let mut count = 0;
    for line in lines {
        count += 1;
        let ended = run("fleet", line, &Folder::new(&format!("fleet-{count}")));
        assert_eq!(ended.code, Some(0), "{line}: {ended:#?}");
    }
    assert_eq!(count, 7);
}

#[test]
fn the_hash_of_a_fleet_is_the_one_that_its_page_shows() {
    let rows = FLEET.lines().filter(|line| line.starts_with("| `"));
    let mut count = 0;
    for row in rows {
        count += 1;
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let name = cells[1].split('`').nth(1).expect("a name");
        for (cell, shards) in cells[2..5].iter().zip([3, 16, 10_000]) {
            let index = cell.parse().expect("a number");
            let shard = blobcopy::jobs::Shard::new(index, shards).expect("legal");
            assert!(shard.holds(name), "{row}");
        }
    }
    assert_eq!(count, 6);
}

/// Runs an example in an account and a folder that have what it names.
fn run(command: &str, example: &str, folder: &Folder) -> Ended {
    let world = World::new().with_disk();
    let earlier = world.snapshot();
    world.change(8192, 512);
    world.snapshot();
    world.runtime.block_on(async {
        let service = world.service();
        for container in ["archive", "docs", "images", "notes", "scratch"] {
            service.container_client(container).create().await.expect("a container");
        }
        for (container, name) in [
            ("docs", "notes.txt"),
            ("notes", "a.txt"),
            ("vhds", "old.vhd"),
            ("images", "public.iso"),
        ] {
            let blob = service.container_client(container).block_blob_client(name);
            blob.upload("some notes").await.expect("a blob");
        }
        let old = service.container_client("vhds").blob_client("old.vhd");
        old.create_snapshot().await.expect("a snapshot");
        if command == "create" {
            service.container_client("backups").delete().await.expect("deleted");
        }
    });
    let copies = ["abort", "status", "get", "diff", "watch"];
    if copies.contains(&command) {
        world.good(&["incremental", "vhds/disk0.vhd", "backups/", "--wait"]);
    }
    // A copy of the second in which its source was written may be of what it was before.
    world.simulator.clock().advance(std::time::Duration::from_secs(2));
    if example.starts_with("blobcopy check") {
        for dest in ["copied/", "backups/"] {
            world.good(&["copy", "-r", "vhds/", dest, "--create"]);
        }
        world.simulator.clock().advance(std::time::Duration::from_secs(2));
    }
    if ["prune", "restore", "drill"].contains(&command) {
        world.good(&["mirror", "vhds/disk0.vhd", "backups/"]);
    }
    if example.contains("@newest vhds/restored.vhd --overwrite") {
        world.good(&["copy", "vhds/disk0.vhd", "vhds/restored.vhd", "--wait"]);
    }
    if command == "verify" {
        world.good(&["copy", "vhds/disk0.vhd", "backups/disk0.vhd", "--wait"]);
        world.good(&["snapshot", "backups/disk0.vhd"]);
    }
    if example.contains("--job job.json") {
        let cut = ["copy", "-r", "vhds/", "backups/", "--plan", "--shards", "16"];
        folder.write("job.json", world.good(&cut).as_bytes());
    }
    if example.starts_with("blobcopy report") {
        for shard in 0..2 {
            let part = format!("{shard}/2");
            let copy = ["copy", "-r", "vhds/", "backups/", "-o", "json", "--shard", &part];
            folder.write(&format!("shard-{shard}.jsonl"), world.good(&copy).as_bytes());
        }
        folder.write(
            "reports.jsonl",
            world.good(&["copy", "-r", "vhds/", "backups/", "-o", "jsonl"]).as_bytes(),
        );
    }
    let mut id = String::new();
    if command == "abort" {
        world.simulator.copies().hold();
        let started = ["incremental", "vhds/disk0.vhd", "backups/", "--snapshot", "new"];
        let started = world.good(&[&started[..], &["-o", "json"]].concat());
        let started: serde_json::Value = serde_json::from_str(&started).expect("JSON");
        id = started["copy_id"].as_str().expect("an id").to_owned();
    }
    if example.contains("--tier Archive") {
        // Only a block blob has such a tier.
        world.good(&["delete", "vhds/disk0.vhd", "--snapshots", "include"]);
        world.runtime.block_on(async {
            let blob = world.service().container_client("vhds").block_blob_client("disk0.vhd");
            blob.upload("no disk").await.expect("a blob");
        });
    }
    let public = world.good(&["sas", "images/public.iso", "--permissions", "r", "--expiry", "1h"]);
    let disk = world.good(&["sas", "vhds/disk0.vhd", "--permissions", "r", "--expiry", "1h"]);
    let endpoint = world.simulator.endpoint("devstoreaccount1").to_string();
    let line = example
        .replace("2026-01-01T00:00:00.1234567Z", &earlier)
        .replace("1f812371-a41d-49e6-b123-f4b542e851c5", &id)
        .replace(
            "https://other.blob.core.windows.net/vhds/disk0.vhd?snapshot=…&sv=…&sig=…",
            &format!("{}&snapshot={earlier}", disk.trim()),
        )
        .replace("https://acct.blob.core.windows.net", endpoint.trim_end_matches('/'))
        .replace("https://example.com/public.iso images/", &format!("'{}' docs/", public.trim()));
    folder.write("disks.txt", b"vhds/disk0.vhd backups/\n");
    folder.write("notes.txt", b"some notes");
    folder.write("disk.img", &[1; 4096]);
    let completions = folder.path(".local/share/bash-completion/completions");
    std::fs::create_dir_all(completions).expect("a folder");
    let binaries = std::path::Path::new(BINARY).parent().expect("a folder").to_owned();
    let path = std::env::var("PATH").unwrap_or_default();
    let mut shell = Command::new("sh");
    shell
        .args(["-c", &line])
        .current_dir(folder.path(""))
        .env_clear()
        .env("PATH", format!("{}:{path}", binaries.display()))
        .env("HOME", folder.path(""))
        .env("AZURE_STORAGE_CONNECTION_STRING", world.simulator.connection_string());
    finish(spawn(shell), "")
}

/// Runs a simulator, on a port that is free, until it serves.
fn serve(example: &str) -> Ended {
    let arguments: Vec<&str> = example.split(' ').skip(1).collect();
    let free = if example.contains("--port") { &[][..] } else { &["--port", "0"] };
    let mut child = spawn(bare(&[&arguments[..], free].concat()));
    let mut lines = BufReader::new(child.stderr.take().expect("piped")).lines();
    let said = lines.next().and_then(Result::ok).unwrap_or_default();
    if said.starts_with("Serving") {
        let id = i32::try_from(child.id()).ok().and_then(Pid::from_raw).expect("an id");
        kill_process(id, Signal::TERM).expect("it lives");
    }
    let ended = finish(child, "");
    Ended { err: said, ..ended }
}
