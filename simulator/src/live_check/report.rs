//! The results, as text to paste into a bug report.

use std::{collections::BTreeMap, fmt};

use super::{
    case::Case,
    outcome::{elements, ending, facts},
    wire::{Answer, VERSION},
};

/// All results.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// What the account reports about itself.
    pub(crate) kind: String,
    pub(crate) public_access: bool,
    pub(crate) cases: usize,
    pub(crate) requests: usize,
    pub(crate) differences: Vec<Difference>,
    pub(crate) settled: Vec<Settled>,
    /// The cases that need a second account.
    pub(crate) left_out: Vec<String>,
    /// Why the check ended early.
    pub(crate) ended: Option<String>,
}

/// A request that the two servers answer differently.
#[derive(Debug)]
pub(crate) struct Difference {
    pub(crate) case: String,
    pub(crate) step: usize,
    pub(crate) target: String,
    pub(crate) service: String,
    pub(crate) simulator: String,
}

/// An open question, and both answers.
#[derive(Debug)]
pub(crate) struct Settled {
    pub(crate) question: String,
    pub(crate) service: String,
    pub(crate) simulator: String,
}

impl Settled {
    /// None if the check was interrupted before the last request.
    pub(crate) fn of(question: &Case, theirs: &[Answer], our: &[Answer]) -> Option<Self> {
        let last = question.requests.len();
        if theirs.len() < last || our.len() < last {
            return None;
        }
        let question = question.name.clone();
        Some(Self { question, service: told(theirs), simulator: told(our) })
    }
}

/// The last answer, with the parts that a question may be about; and earlier refusals, which may
/// make it meaningless.
fn told(answers: &[Answer]) -> String {
    let Some((last, before)) = answers.split_last() else { return String::new() };
    let mut words = vec![ending(last)];
    let mut found = BTreeMap::new();
    if last.status < 300 {
        let asked = ["<Name>", "<Start>"];
        found = facts(last, false);
        found.retain(|name, _| asked.contains(&name.as_str()) || name.starts_with("x-ms-meta-"));
    } else {
        elements(&last.body, &mut found);
        found.retain(|name, _| !["<Code>", "<Message>", "body"].contains(&name.as_str()));
        // The question is which elements there are; their text may be private.
        found.values_mut().for_each(|text| *text = "…".into());
        if let Some(code) = last.headers.get("x-ms-copy-source-error-code") {
            found.insert("x-ms-copy-source-error-code".into(), code.clone());
        }
    }
    words.extend(found.iter().map(|(name, value)| format!("{name}: {value}")));
    for (index, answer) in before.iter().enumerate().filter(|(_, answer)| answer.status >= 300) {
        words.push(format!("(request {}: {})", index + 1, ending(answer)));
    }
    words.join("; ")
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "blobcopy {}, live_check", env!("CARGO_PKG_VERSION"))?;
        writeln!(f, "service version: {VERSION}")?;
        writeln!(f, "account: {}", self.kind)?;
        let public = if self.public_access { "permitted" } else { "not permitted" };
        writeln!(f, "public access: {public}")?;
        writeln!(f, "asked: {} cases, {} requests", self.cases, self.requests)?;
        if let Some(why) = &self.ended {
            writeln!(f, "ended before its time: {why}")?;
        }
        if !self.left_out.is_empty() {
            writeln!(f, "not asked, since they need a second account:")?;
            self.left_out.iter().try_for_each(|case| writeln!(f, "    {case}"))?;
        }

        writeln!(f, "\n{} differences", self.differences.len())?;
        for Difference { case, step, target, service, simulator } in &self.differences {
            writeln!(f, "\n{case}, request {step}: {target}")?;
            writeln!(f, "    service:   {service}")?;
            writeln!(f, "    simulator: {simulator}")?;
        }

        writeln!(f, "\n{} open questions", self.settled.len())?;
        for Settled { question, service, simulator } in &self.settled {
            writeln!(f, "\n{question}")?;
            if service == simulator {
                writeln!(f, "    both:      {service}")?;
                continue;
            }
            writeln!(f, "    service:   {service}")?;
            writeln!(f, "    simulator: {simulator}")?;
        }
        Ok(())
    }
}
