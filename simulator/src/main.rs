//! Serves a simulated blob service until it is interrupted, for programs in any language:
//! `blobcopy-simulator --port 10000`. `blobcopy-simulator live-check` compares it with a real
//! account.

mod live_check;

use std::{
    error::Error, future::poll_fn, net::IpAddr, pin::pin, process::ExitCode, str::FromStr,
    task::Poll, time::Duration,
};

use blobcopy::Credential;
use blobcopy_simulator::{Disk, Fill, Simulator, SimulatorBuilder};

const HELP: &str = "\
Serves a simulated blob service until it is interrupted.

  blobcopy-simulator [OPTIONS]
  blobcopy-simulator live-check    compare it with the account whose connection string is in
                                   AZURE_STORAGE_CONNECTION_STRING, and print what it accesses

  --port PORT            port to listen on (10000); 0 for any free port
  --listen ADDRESS       IP address to listen on (127.0.0.1); 0.0.0.0 in a container
  --allow-host NAME      also answer to this host, such as the name of a container or service;
                         repeatable
  --account NAME:KEY     account and its base64 key, or NAME:KEY:KEY for two keys; repeatable
                         (devstoreaccount1 with the emulators' well-known key)
  --hierarchical NAME    list this account's blobs in the order of a hierarchical namespace;
                         repeatable, after --account
  --copy-rate BYTES      bytes per second at which copies progress; by default they complete at once
  --copy-duration SECS   seconds that each copy takes, whatever its size
  --throttle COUNT       requests per second; those above get 503 ServerBusy
  --fill PLACE:COUNT:BYTES
                         put COUNT block blobs of BYTES bytes into PLACE, which is CONTAINER of the
                         first account or ACCOUNT/CONTAINER; repeatable
  --keep-requests COUNT  requests to remember (4096); 0 in long runs, to save time
  --managed-disk GROUP/NAME:BYTES:SNAPSHOTS
                         make a managed disk in a resource group, with that many snapshots between
                         which it changed; repeatable, needs --any-bearer and --https to be read;
                         with :policy or :snapshot at its end, access is granted by URLs of that
                         form; with :token, they need a bearer token too
  --path-style-disks     show managed disks at ADDRESS:PORT/md-..., not below localhost
  --any-bearer           accept every bearer token; needs https
  --https FILE           also serve https, and write the certificate to trust to FILE
  --help                 print this help";

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn Error>> {
    if std::env::args().nth(1).as_deref() == Some("live-check") {
        return match std::env::args().nth(2) {
            Some(more) => Err(format!("live-check takes no argument, not {more}").into()),
            None => live_check::run().await,
        };
    }
    let Some(Asked { builder, certificate, throttle, fills, disks }) =
        asked(std::env::args().skip(1))?
    else {
        println!("{HELP}");
        return Ok(());
    };
    let simulator = builder.start().await.map_err(|error| format!("cannot listen: {error}"))?;

    for fill in &fills {
        fill.put_into(&simulator)
            .map_err(|account| format!("--fill: there is no account {account}"))?;
    }
    for disk in &disks {
        disk.put_into(&simulator);
    }
    if let Some(per_second) = throttle {
        simulator.faults().on_any().throttle(per_second);
    }
    for account in simulator.accounts() {
        println!("account            {account}");
        println!("endpoint           {}", simulator.endpoint(account));
        let connection_string = simulator.connection_string_of(account).unwrap_or_default();
        println!("connection string  {connection_string}\n");
    }
    if !disks.is_empty() {
        let managed = simulator.managed_disks();
        println!("resource manager   {}", managed.endpoint());
        println!("subscription       {}\n", managed.subscription());
    }
    if let Some(file) = certificate {
        std::fs::write(&file, simulator.certificate_pem().unwrap_or_default())?;
        println!("certificate        {file}\n");
    }
    // Polled first, since a caller may interrupt the program as soon as it reads the last line.
    let mut interrupted = pin!(tokio::signal::ctrl_c());
    let already = poll_fn(|cx| Poll::Ready(interrupted.as_mut().poll(cx))).await;
    println!("Serving until interrupted (Ctrl-C).");
    if already.is_pending() {
        interrupted.await?;
    }
    for (op, count) in simulator.counts() {
        println!("{count:>12} {op}");
    }
    Ok(())
}

/// The parsed arguments.
struct Asked {
    builder: SimulatorBuilder,
    /// The file for the certificate, if https is enabled.
    certificate: Option<String>,
    /// Requests per second.
    throttle: Option<u32>,
    fills: Vec<Fill>,
    disks: Vec<Disk>,
}

/// Parses the arguments; none for `--help`.
fn asked(mut arguments: impl Iterator<Item = String>) -> Result<Option<Asked>, Box<dyn Error>> {
    let (mut certificate, mut throttle) = (None, None);
    let (mut fills, mut disks) = (Vec::new(), Vec::new());
    let mut builder = Simulator::builder();
    let mut accounts = Vec::new();
    let mut port = 10000;
    while let Some(argument) = arguments.next() {
        let (option, attached) = match argument.split_once('=') {
            Some((option, value)) => (option, Some(value.to_owned())),
            None => (argument.as_str(), None),
        };
        let mut value = || {
            attached.clone().or_else(|| arguments.next()).ok_or(format!("{option} takes a value"))
        };
        builder = match option {
            "--help" | "-h" => return Ok(None),
            "--port" => {
                port = number(option, &value()?)?;
                builder
            }
            "--listen" => {
                let given = value()?;
                let address: Result<IpAddr, _> = given.parse();
                builder.listen(address.map_err(|_| format!("{given:?} is no IP address"))?)
            }
            "--allow-host" => builder.allow_host(&host(&value()?)?),
            "--account" => {
                let given = value()?;
                let (name, key, second) = account(&given)?;
                let builder = builder.account(name, key);
                accounts.push(name.to_owned());
                match second {
                    Some(second) => builder.second_key(name, second),
                    None => builder,
                }
            }
            "--hierarchical" => {
                let name = value()?;
                if !accounts.contains(&name) {
                    return Err(format!("--hierarchical {name} takes an account before it").into());
                }
                builder.hierarchical_order(&name)
            }
            "--copy-rate" => builder.copy_rate(number(option, &value()?)?),
            "--copy-duration" => {
                builder.copy_duration(Duration::from_secs(number(option, &value()?)?))
            }
            "--https" => {
                certificate = Some(value()?);
                builder.https()
            }
            "--throttle" => {
                throttle = Some(number(option, &value()?)?);
                builder
            }
            "--fill" => {
                fills.push(prepared(option, &value()?)?);
                builder
            }
            "--managed-disk" => {
                disks.push(prepared(option, &value()?)?);
                builder
            }
            "--path-style-disks" => builder.path_style_disks(true),
            "--keep-requests" => builder.keep_requests(number(option, &value()?)?),
            "--any-bearer" => builder.accept_bearer(|_| true),
            _ => return Err(format!("{argument} is not an option; --help shows all").into()),
        };
    }
    Ok(Some(Asked { builder: builder.port(port), certificate, throttle, fills, disks }))
}

/// `name:key` or `name:key:key`, each valid for an account.
fn account(given: &str) -> Result<(&str, &str, Option<&str>), Box<dyn Error>> {
    let (name, keys) = given.split_once(':').ok_or("--account takes NAME:KEY")?;
    let (key, second) = match keys.split_once(':') {
        Some((key, second)) => (key, Some(second)),
        None => (keys, None),
    };
    let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    if !(3..=24).contains(&name.len()) || !name.bytes().all(letter) {
        return Err(format!("account name {name:?} is not 3 to 24 small letters and digits").into());
    }
    for key in [Some(key), second].into_iter().flatten() {
        Credential::shared_key(name, key)?;
    }
    Ok((name, key, second))
}

/// A host name, without port and scheme.
fn host(given: &str) -> Result<String, String> {
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    let good = !given.is_empty() && given.bytes().all(letter) || given.parse::<IpAddr>().is_ok();
    good.then(|| given.to_owned())
        .ok_or_else(|| format!("--allow-host takes a host name without a port, not {given:?}"))
}

/// What is put into the simulator before the first request.
fn prepared<P: FromStr<Err = String>>(option: &str, given: &str) -> Result<P, String> {
    given.parse().map_err(|why| format!("{option} {given:?}: {why}"))
}

fn number<N: FromStr>(option: &str, text: &str) -> Result<N, String> {
    text.parse().map_err(|_| format!("{option} takes a number, not {text:?}"))
}
