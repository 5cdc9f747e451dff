//! Arguments of a command that is shown, as a shell takes them.

/// The argument, in quotes if a shell would change it.
pub(crate) fn quoted(argument: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/.-_:@+%=,".contains(&byte);
    match !argument.is_empty() && argument.bytes().all(plain) {
        true => argument.to_owned(),
        false => format!("'{}'", argument.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_takes_what_is_shown_as_it_was() {
        for (argument, shown) in [
            ("vhds/disk0.vhd", "vhds/disk0.vhd"),
            ("vhds/a b", "'vhds/a b'"),
            ("it's", r"'it'\''s'"),
            ("$root/x", "'$root/x'"),
            ("", "''"),
        ] {
            assert_eq!(quoted(argument), shown);
        }
    }
}
