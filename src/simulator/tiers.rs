//! Access tiers.

use super::{
    blob::{Content, Tier},
    call::Call,
    error::{Code, Refusal},
};

const PREMIUM: [&str; 11] =
    ["P4", "P6", "P10", "P15", "P20", "P30", "P40", "P50", "P60", "P70", "P80"];
const BLOCK: [&str; 5] = ["Hot", "Cool", "Cold", "Archive", "Smart"];

/// The tier that a request sets, if it names one that this type of blob may have.
pub(crate) fn asked(call: &Call, content: &Content) -> Result<Option<Tier>, Refusal> {
    let Some(name) = call.header("x-ms-access-tier") else { return Ok(None) };
    let allowed: &[&str] = match content {
        Content::Block(_) => &BLOCK,
        Content::Page { .. } => &PREMIUM,
        Content::Append(_) => &[],
    };
    let known = allowed.iter().find(|known| known.eq_ignore_ascii_case(name));
    let name = known.ok_or(Code::InvalidBlobTier)?;
    Ok(Some(Tier { name: (*name).to_owned(), changed: call.now }))
}
