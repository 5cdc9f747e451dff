//! The check: sends the same requests to a service and to a simulator.

use std::{collections::BTreeSet, io};

use blobcopy_simulator::Simulator;

use super::{
    case::{self, Case},
    outcome::differences,
    report::{Difference, Report, Settled},
    rule::HeaderRule,
    wire::{Answer, Result, Server},
};

/// The account of the simulator, and its key, "the key of the simulator".
const ACCOUNT: &str = "simulated";
const KEY: &str = "dGhlIGtleSBvZiB0aGUgc2ltdWxhdG9y";

/// The requests to send to both.
#[derive(Debug)]
pub(crate) struct Check {
    pub(crate) cases: Vec<Case>,
    /// Cases whose last answer is not documented.
    pub(crate) questions: Vec<Case>,
}

/// A simulator to compare with.
pub(crate) async fn simulator(public_access: bool) -> io::Result<Simulator> {
    Simulator::builder().account(ACCOUNT, KEY).public_access(public_access).start().await
}

impl Check {
    /// Every case and every open question.
    pub(crate) fn all() -> Self {
        let questions = case::read(include_str!("questions.txt"));
        Self { cases: Case::all(), questions }
    }

    /// Sends everything to `service` and to a simulator configured like it.
    ///
    /// The report includes problems on the way, such as a broken connection. By its end all
    /// containers are removed, except those in [`Server::left`].
    ///
    /// # Errors
    ///
    /// If the account cannot be used at all, or no simulator can be started.
    pub(crate) async fn run(
        &self,
        service: &Server,
        mut progress: impl FnMut(usize),
    ) -> Result<Report> {
        let probed = probe(service).await;
        service.remove_containers().await;
        let (kind, public_access) = probed?;
        let simulator = simulator(public_access).await.map_err(|error| error.to_string())?;
        let ours = Server::new(simulator.endpoint(ACCOUNT), ACCOUNT, KEY, None)
            .naming_containers(service.prefix());

        let mut report = Report { kind, public_access, ..Report::default() };
        let all = self.cases.iter().map(|case| (case, false));
        let all = all.chain(self.questions.iter().map(|question| (question, true)));
        for (number, (case, is_question)) in (1..).zip(all) {
            if service.is_stopped() {
                report.ended = Some("interrupted".into());
                break;
            }
            if !service.can_run(case) {
                report.left_out.push(case.name.clone());
                continue;
            }
            let (theirs, our) = tokio::join!(service.run(case, number), ours.run(case, number));
            service.remove_containers().await;
            ours.remove_containers().await;
            let (theirs, our) = match (theirs, our) {
                (Ok(theirs), Ok(our)) => (theirs, our),
                (Err(why), _) | (_, Err(why)) => {
                    report.ended = Some(format!("in the case {:?}: {why}", case.name));
                    break;
                }
            };
            report.cases += 1;
            report.requests += theirs.len();
            match is_question {
                true => report.settled.extend(Settled::of(case, &theirs, &our)),
                false => report.differences.extend(compare(case, &theirs, &our)),
            }
            progress(number);
        }
        service.remove_containers().await;
        Ok(report)
    }
}

/// The type of the account, and whether its containers may allow public access.
async fn probe(service: &Server) -> Result<(String, bool)> {
    let case = case::read(
        "what the account is\n    \
             GET {c}?restype=account&comp=properties\n    \
             PUT {c}?restype=container&comp=acl\n        \
                 x-ms-blob-public-access: blob\n",
    );
    let mut answers = Vec::new();
    for case in &case {
        answers = service.run(case, 0).await?;
    }
    let [account, public] = answers.as_slice() else { return Err("interrupted".into()) };
    let known = ["x-ms-account-kind", "x-ms-sku-name", "x-ms-is-hns-enabled"];
    let known = known.iter().filter_map(|name| Some((*name, account.headers.get(*name)?)));
    let known: Vec<_> = known.map(|(name, value)| format!("{name}: {value}")).collect();
    let kind = if known.is_empty() { "unknown".into() } else { known.join(", ") };
    Ok((kind, public.status != 409))
}

/// The differences in the answers to a case.
fn compare(case: &Case, theirs: &[Answer], our: &[Answer]) -> Vec<Difference> {
    // A service that copies asynchronously ends the same way, and the case has waited for that.
    let header = "x-ms-copy-status".to_owned();
    let later = HeaderRule { header, theirs: "pending".into(), ours: "success".into() };
    let answers = case.requests.iter().zip(theirs.iter().zip(our)).enumerate();
    let different = answers.filter_map(|(index, (request, (theirs, our)))| {
        let rules = std::slice::from_ref(&later);
        let (service, simulator) = differences(theirs, our, rules, &mut BTreeSet::new())?;
        let target = format!("{} {}", request.method, request.target);
        Some(Difference { case: case.name.clone(), step: index + 1, target, service, simulator })
    });
    different.collect()
}
