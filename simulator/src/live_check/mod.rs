//! Tests the simulator's assumptions on a real account: sends the cases of `cases/` and the open
//! questions of `questions.txt` to both, and prints the differences, to paste into a bug report.
//!
//! `AZURE_STORAGE_CONNECTION_STRING` selects the account; the connection string must include its
//! key. The check creates containers whose names begin with `blobcopy-live-check-`, and removes
//! each after its case, even if interrupted; it neither reads nor writes anything else. It sends
//! some 1,100 requests of a few bytes each. Without the variable it uses a second simulator, as a
//! demonstration.

pub(crate) mod case;
pub(crate) mod check;
pub(crate) mod outcome;
pub(crate) mod report;
pub(crate) mod rule;
pub(crate) mod wire;

use std::{
    env,
    error::Error,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use blobcopy::{BlobServiceClient, Clock};

use self::{check::Check, wire::Server};

const CONNECTION_STRING: &str = "AZURE_STORAGE_CONNECTION_STRING";

/// Runs the check and prints its report.
pub(crate) async fn run() -> Result<(), Box<dyn Error>> {
    let check = Check::all();
    let cases = check.cases.len() + check.questions.len();
    let prefix = format!("blobcopy-live-check-{}", Clock::system().now().unix_timestamp());
    let stop = Arc::new(AtomicBool::new(false));
    // Kept until the end: a simulator stops when it is dropped.
    let mut second = None;
    let service = match env::var(CONNECTION_STRING) {
        Ok(text) => {
            println!(
                "Puts {cases} cases to the account, each in a container {prefix}-NUMBER that is"
            );
            println!("removed after it. Ctrl-C removes it too. Nothing else is touched.\n");
            server(&text)?
        }
        Err(_) => {
            println!("{CONNECTION_STRING} is not set. With the connection string of an account it");
            println!(
                "would put {cases} cases to that account, each in a container that it removes"
            );
            println!("afterwards, and print where the simulator answers otherwise.");
            println!("This asks a second simulator instead.\n");
            let simulator = second.insert(check::simulator(true).await?);
            server(&simulator.connection_string())?
        }
    };
    let service = service.naming_containers(&prefix).stopped_by(Arc::clone(&stop));

    let interrupted = Arc::clone(&stop);
    let listening = tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            interrupted.store(true, Ordering::Relaxed);
            eprintln!("Stopping; what was made is being removed.");
        }
    });
    let report = check
        .run(&service, |done| {
            if done % 25 == 0 {
                eprintln!("{done} of {cases} cases");
            }
        })
        .await?;
    listening.abort();
    println!("{}", service.hide(&report.to_string()));
    match service.left().as_slice() {
        [] => Ok(()),
        left => Err(format!("these containers could not be removed: {}", left.join(", ")).into()),
    }
}

/// The account of a connection string, which must include its key, to sign the requests.
fn server(connection_string: &str) -> Result<Server, Box<dyn Error>> {
    let service = BlobServiceClient::from_connection_string(connection_string)?;
    let mut parts = connection_string.split(';').filter_map(|part| part.split_once('='));
    let key = parts.find(|(name, _)| name.trim().eq_ignore_ascii_case("AccountKey"));
    let (Some(account), Some((_, key))) = (service.account_name(), key) else {
        return Err(format!("{CONNECTION_STRING} must have AccountName and AccountKey").into());
    };
    let endpoint = service.url().as_str().trim_end_matches('/').to_owned();
    Ok(Server::new(endpoint, account, key.trim(), None))
}
