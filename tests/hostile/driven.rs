//! Records calls, so that a test can list the functions that were called.

use std::{cell::RefCell, collections::BTreeSet};

thread_local! {
    static DRIVEN: RefCell<BTreeSet<String>> = const { RefCell::new(BTreeSet::new()) };
}

/// The functions that this thread has called, as `Type::function`.
pub(super) fn functions() -> BTreeSet<String> {
    DRIVEN.with_borrow(Clone::clone)
}

pub(super) fn mark(subject: &str, function: &str) {
    DRIVEN.with_borrow_mut(|driven| driven.insert(format!("{subject}::{function}")));
}

/// Marks a method of the type of `_receiver`.
pub(super) fn mark_method<T>(_receiver: &T, function: &str) {
    let name = std::any::type_name::<T>().trim_start_matches("&mut ").trim_start_matches('&');
    let name = name.split('<').next().unwrap_or_default();
    mark(name.rsplit("::").next().unwrap_or_default(), function);
}

/// Calls an associated function.
macro_rules! make {
    ($type:ident::$function:ident($($argument:expr),* $(,)?)) => {{
        crate::hostile::driven::mark(stringify!($type), stringify!($function));
        $type::$function($($argument),*)
    }};
}
pub(super) use make;

/// Calls a method.
macro_rules! call {
    ($receiver:expr, $method:ident($($argument:expr),* $(,)?)) => {{
        let receiver = $receiver;
        crate::hostile::driven::mark_method(&receiver, stringify!($method));
        receiver.$method($($argument),*)
    }};
}
pub(super) use call;

/// Awaits a builder once for each setting, with a hostile value for that one and valid ones for the
/// others.
macro_rules! each {
    ($run:expr, $builder:expr, [$($method:ident($($argument:expr),* $(,)?)),+ $(,)?]) => {
        $($run.wait_for(crate::hostile::driven::call!($builder, $method($($argument),*))).await;)+
    };
}
pub(super) use each;

/// The same for lists, each read to its end.
macro_rules! each_list {
    ($run:expr, $list:expr, [$($method:ident($($argument:expr),* $(,)?)),+ $(,)?]) => {
        $($run.read_all(crate::hostile::driven::call!($list, $method($($argument),*))).await;)+
    };
}
pub(super) use each_list;
