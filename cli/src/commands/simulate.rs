//! `blobcopy simulate`: a model of the service on a port, to try things out.

use std::{net::IpAddr, time::Duration};

use blobcopy::Credential;
use blobcopy_simulator::{Disk, Fill, Simulator, SimulatorBuilder};
use clap::Args;
use serde::Serialize;

use crate::{
    Session,
    exit::Exit,
    failure::{Failure, Result},
    moment,
    output::{Format, pairs},
};

const EXAMPLES: &str = "\
Examples:
  blobcopy simulate
  blobcopy simulate --port 0 --copy-rate 1048576
  blobcopy simulate --account disks:Zmlyc3Q= --account backups:c2Vjb25k

With --output json, several accounts are an array.
The keys of a simulator protect nothing: do not use those of a real account.";

/// Serves a simulated blob service until it is interrupted, and prints its connection string
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Simulate {
    /// The port to listen on; 0 for any free port
    #[arg(long, default_value_t = 10000)]
    port: u16,
    /// The IP address to listen on; 0.0.0.0 in a container
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    listen: IpAddr,
    /// Answers to this host too, such as a container's name; may be given several times
    #[arg(long, value_name = "NAME", value_parser = host)]
    allow_host: Vec<String>,
    /// An account and its base64 key, or NAME:KEY:KEY for two keys; may be given several times
    /// [default: devstoreaccount1 with the emulators' well-known key]
    #[arg(long, value_name = "NAME:KEY")]
    account: Vec<String>,
    /// Lists this account's blobs in the order of a hierarchical namespace; it must be given with
    /// --account; may be given several times
    #[arg(long, value_name = "NAME")]
    hierarchical: Vec<String>,
    /// Bytes per second at which copies progress; by default they complete at once
    #[arg(long, value_name = "BYTES", conflicts_with = "copy_duration")]
    copy_rate: Option<u64>,
    /// How long each copy takes, whatever its size, such as 30s
    #[arg(long, value_name = "TIME", value_parser = moment::duration)]
    copy_duration: Option<Duration>,
    /// Runs the copies into one account one after another
    #[arg(long)]
    queue_copies: bool,
    /// Requests per second; those above get 503 ServerBusy
    #[arg(long, value_name = "COUNT")]
    throttle: Option<u32>,
    /// Puts COUNT block blobs of BYTES bytes into PLACE, which is CONTAINER of the first account or
    /// ACCOUNT/CONTAINER; may be given several times
    #[arg(long, value_name = "PLACE:COUNT:BYTES")]
    fill: Vec<Fill>,
    /// How many requests it remembers; 0 in long runs, to save time [default: 4096]
    #[arg(long, value_name = "COUNT")]
    keep_requests: Option<usize>,
    /// The seed of ids and ETags: the same seed and requests give the same answers
    #[arg(long, value_name = "NUMBER")]
    seed: Option<u64>,
    /// Makes a managed disk in a resource group, with that many snapshots between which it changed;
    /// may be given several times, and needs --any-bearer and --https to be read. With :policy or
    /// :snapshot at its end, access is granted by URLs of that form; with :token, they need a
    /// bearer token too
    #[arg(long, value_name = "GROUP/NAME:BYTES:SNAPSHOTS")]
    managed_disk: Vec<Disk>,
    /// Shows managed disks at ADDRESS:PORT/md-..., not below localhost
    #[arg(long)]
    path_style_disks: bool,
    /// Accepts every bearer token; needs https
    #[arg(long, requires = "https")]
    any_bearer: bool,
    /// Serves https too, and writes the certificate to trust to FILE
    #[arg(long, value_name = "FILE")]
    https: Option<String>,
}

#[derive(Serialize)]
struct Served {
    account: String,
    endpoint: String,
    connection_string: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    certificate: Option<String>,
    /// Where disks are managed, if there are any.
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_manager: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subscription: Option<String>,
}

impl Simulate {
    pub(crate) async fn run(self, session: &Session) -> Result {
        let (port, certificate) = (self.port, self.https.clone());
        let (fills, throttle) = (self.fill.clone(), self.throttle);
        let disks = self.managed_disk.clone();
        let simulator = self.builder()?.start().await.map_err(|error| {
            Failure::new(
                Exit::Usage,
                format!("cannot listen on port {port}: {error}"),
                "end what listens there, or take another port with --port",
            )
        })?;
        for fill in fills {
            fill.put_into(&simulator).map_err(|account| no_such_account("--fill", &account))?;
        }
        for disk in &disks {
            disk.put_into(&simulator);
        }
        if let Some(per_second) = throttle {
            simulator.faults().on_any().throttle(per_second);
        }
        if let Some(file) = &certificate {
            std::fs::write(file, simulator.certificate_pem().unwrap_or_default())
                .map_err(|error| Failure::file(file, &error))?;
        }
        let managed = (!disks.is_empty()).then(|| {
            let managed = simulator.managed_disks();
            (managed.endpoint().to_string(), managed.subscription().to_string())
        });
        let served = simulator.accounts().map(|account| Served {
            account: account.to_owned(),
            endpoint: simulator.endpoint(account).to_string(),
            connection_string: simulator.connection_string_of(account).unwrap_or_default(),
            certificate: certificate.clone(),
            resource_manager: managed.as_ref().map(|(endpoint, _)| endpoint.clone()),
            subscription: managed.as_ref().map(|(_, subscription)| subscription.clone()),
        });
        let served: Vec<_> = served.collect();
        let text = |served: &Served| {
            let mut lines = vec![
                ("account", served.account.clone()),
                ("endpoint", served.endpoint.clone()),
                ("connection string", served.connection_string.clone()),
            ];
            lines.extend(served.resource_manager.clone().map(|url| ("resource manager", url)));
            lines.extend(served.subscription.clone().map(|id| ("subscription", id)));
            lines.extend(served.certificate.clone().map(|file| ("certificate", file)));
            pairs(lines)
        };
        match session.printer.format() {
            // Several accounts are one document.
            Format::Json if served.len() > 1 => session.printer.record(&served, String::new)?,
            _ => {
                for served in &served {
                    session.printer.record(served, || text(served))?;
                }
            }
        }
        session.printer.note("Serving until interrupted (Ctrl-C).");
        // What ends it is the interruption.
        std::future::pending().await
    }

    fn builder(self) -> Result<SimulatorBuilder> {
        let mut builder = Simulator::builder()
            .port(self.port)
            .listen(self.listen)
            .path_style_disks(self.path_style_disks)
            .queue_copies(self.queue_copies);
        for name in &self.allow_host {
            builder = builder.allow_host(name);
        }
        for given in &self.account {
            let (name, key, second) = account(given)?;
            builder = builder.account(name, key);
            if let Some(second) = second {
                builder = builder.second_key(name, second);
            }
        }
        for name in &self.hierarchical {
            if !self.account.iter().any(|given| given.split(':').next() == Some(name)) {
                return Err(no_such_account("--hierarchical", name));
            }
            builder = builder.hierarchical_order(name);
        }
        if let Some(rate) = self.copy_rate {
            builder = builder.copy_rate(rate);
        }
        if let Some(time) = self.copy_duration {
            builder = builder.copy_duration(time);
        }
        if let Some(count) = self.keep_requests {
            builder = builder.keep_requests(count);
        }
        if let Some(seed) = self.seed {
            builder = builder.seed(seed);
        }
        if self.any_bearer {
            builder = builder.accept_bearer(|_| true);
        }
        Ok(if self.https.is_some() { builder.https() } else { builder })
    }
}

/// `name:key` or `name:key:key`, all of which must be such as an account may have.
fn account(given: &str) -> Result<(&str, &str, Option<&str>)> {
    let refused = |why: &str| {
        let name = given.split(':').next().unwrap_or_default();
        let what = format!("--account {name}:…: {why}");
        Failure::usage(what, "write it as NAME:KEY, with KEY in base64")
    };
    let (name, keys) = given.split_once(':').ok_or_else(|| refused("there is no key"))?;
    let (key, second) = match keys.split_once(':') {
        Some((key, second)) => (key, Some(second)),
        None => (keys, None),
    };
    let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    if !(3..=24).contains(&name.len()) || !name.bytes().all(letter) {
        return Err(refused("the name is not 3 to 24 lower-case letters and digits"));
    }
    for key in [Some(key), second].into_iter().flatten() {
        Credential::shared_key(name, key).map_err(|_| refused("the key is not base64"))?;
    }
    Ok((name, key, second))
}

fn no_such_account(option: &str, name: &str) -> Failure {
    Failure::usage(
        format!("{option}: there is no account {name}"),
        format!("give it too: --account {name}:KEY"),
    )
}

/// The name of a host, which has no port and no scheme.
fn host(given: &str) -> std::result::Result<String, String> {
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    let good = !given.is_empty() && given.bytes().all(letter) || given.parse::<IpAddr>().is_ok();
    good.then(|| given.to_owned())
        .ok_or_else(|| "it is not the name of a host without a port".to_owned())
}
