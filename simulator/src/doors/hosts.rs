//! The hosts that a listener answers to.
//!
//! A web page can point its own name at this machine (DNS rebinding), and its scripts can then read
//! what a local server answers. Such a request names the page's host.

use std::net::IpAddr;

use http::{header::HOST, request::Parts, uri::Authority};

use crate::wire::{
    error::{Code, Refusal},
    route::{SECONDARY, account_in_host, is_loopback},
};

/// The names that a test or a command allowed, in addition to the built-in ones.
#[derive(Debug, Default)]
pub(crate) struct Hosts(Vec<String>);

impl Hosts {
    pub(crate) fn new(allowed: Vec<String>) -> Self {
        Self(allowed.iter().map(|name| plain(name)).collect())
    }

    /// Refuses a request for another host. `beyond` is whether other machines can reach the
    /// listener; they call it by one of its IP addresses, which no web page can have as its name.
    pub(crate) fn check<'a>(
        &self,
        head: &Parts,
        mut accounts: impl Iterator<Item = &'a str>,
        beyond: bool,
    ) -> Result<(), Refusal> {
        let Some(named) = named(head) else { return Ok(()) };
        let host = named.parse::<Authority>().map(|authority| plain(authority.host()));
        let host = host.unwrap_or_default();
        let account = account_in_host(&host).unwrap_or(&host);
        let account = account.strip_suffix(SECONDARY).unwrap_or(account);
        let known = is_loopback(&host)
            || accounts.any(|name| name == account)
            || self.0.contains(&host)
            || (beyond && host.parse::<IpAddr>().is_ok());
        if known {
            return Ok(());
        }
        let message = format!(
            "This simulator does not answer to the host '{host}'. If the name is meant for it, \
             start it with --allow-host {host}, or build it with SimulatorBuilder::allow_host."
        );
        Err(Refusal::from(Code::InvalidHeaderValue).saying(message).naming("host", named))
    }
}

/// The host of a request, from its target or else its header; HTTP/1.0 may omit it.
fn named(head: &Parts) -> Option<&str> {
    match head.uri.authority() {
        Some(authority) => Some(authority.as_str()),
        None => head.headers.get(HOST).map(|host| host.to_str().unwrap_or_default()),
    }
}

/// A host in lower case, without a trailing dot. An address gets its canonical form, without
/// brackets.
fn plain(host: &str) -> String {
    match host.trim_matches(['[', ']']).parse::<IpAddr>() {
        Ok(address) => address.to_string(),
        Err(_) => host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn is_good(host: &str, beyond: bool) -> bool {
        let head = Request::builder().uri("/acct/one/a").header("host", host).body(()).unwrap();
        let hosts = Hosts::new(vec!["Simulator".to_owned(), "host.docker.internal".to_owned()]);
        hosts.check(&head.into_parts().0, ["acct", "other"].into_iter(), beyond).is_ok()
    }

    #[test]
    fn loopback_accounts_and_allowed_names_are_good() {
        for host in [
            "127.0.0.1:10000",
            "127.8.8.8",
            "[::1]:10000",
            "localhost",
            "LOCALHOST:1",
            "localhost.",
            "acct.localhost:10000",
            "anything.localhost",
            "acct",
            "acct.blob.core.windows.net",
            "other-secondary.blob.core.windows.net:443",
            "simulator:10000",
            "SIMULATOR",
            "host.docker.internal",
        ] {
            assert!(is_good(host, false), "{host}");
        }
    }

    #[test]
    fn any_other_name_is_not() {
        for host in [
            "evil.example",
            "evil.example:10000",
            "third.blob.core.windows.net",
            "acct.blob.core.windows.net.evil.example",
            "localhost.evil.example",
            "evil-localhost",
            "docker.internal",
            "127.0.0.1.evil.example",
            "acct@evil.example",
            "",
            "a b",
        ] {
            assert!(!is_good(host, false) && !is_good(host, true), "{host}");
        }
    }

    #[test]
    fn an_address_is_good_where_other_machines_may_call() {
        for host in ["192.168.1.5:10000", "0.0.0.0", "[2001:db8::1]:10000"] {
            assert!(!is_good(host, false) && is_good(host, true), "{host}");
        }
    }

    #[test]
    fn an_allowed_address_is_good_however_it_is_written() {
        let hosts = Hosts::new(vec!["2001:db8::1".to_owned(), "192.168.1.5".to_owned()]);
        for host in ["[2001:db8::1]:10000", "[2001:DB8:0::1]", "192.168.1.5:10000"] {
            let head = Request::builder().uri("/").header("host", host).body(()).unwrap();
            assert!(hosts.check(&head.into_parts().0, [].into_iter(), false).is_ok(), "{host}");
        }
    }

    #[test]
    fn without_a_host_there_is_nothing_to_refuse() {
        let (head, ()) = Request::new(()).into_parts();
        assert!(Hosts::default().check(&head, [].into_iter(), false).is_ok());
    }
}
