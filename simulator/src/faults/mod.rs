//! Misbehaviour on request: the rules in force, and what they do.

mod book;
mod struck;

pub(crate) use self::{
    book::{FaultBook, Rule},
    struck::{Chosen, Delivery, Fault, Spoil},
};
