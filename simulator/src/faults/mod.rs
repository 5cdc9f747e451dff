//! Injected faults: the rules in effect, and what they do.

mod book;
mod struck;

pub(crate) use self::{
    book::{FaultBook, Rule},
    struck::{Chosen, Delivery, Fault, Spoil},
};
