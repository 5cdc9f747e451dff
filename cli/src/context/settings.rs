//! Which account and which credential: from flags, files and the environment.

use std::io::Read;

use blobcopy::{BlobServiceClient, ClientBuilder, Credential};
use url::Url;

use crate::{
    args::{AccountArgs, Login},
    failure::{Failure, Result},
    input::reading,
};

/// What the flags and the environment say of one account.
#[derive(Default)]
pub(super) struct Settings {
    account: Option<String>,
    endpoint: Option<Url>,
    secret: Option<Secret>,
    pub(super) login: Option<Login>,
    /// What the names of its flags begin with, after the dashes.
    flag: String,
    /// What the names of its variables begin with.
    prefix: String,
}

/// A key or a SAS of an account that is not named, but may follow from a URL.
pub(super) struct Unplaced {
    secret: Secret,
    flag: String,
    prefix: String,
}

/// A secret. It has no `Debug`, so that nothing can show it.
pub(super) enum Secret {
    Key(String),
    Sas(String),
    ConnectionString(String),
}

impl AccountArgs {
    pub(crate) fn reads_stdin(&self) -> bool {
        let files = [&self.key_file, &self.connection_string_file, &self.sas_file];
        files.into_iter().flatten().any(|file| file == "-")
    }
}

impl Settings {
    /// Reads the flags of `args` and the variables that begin with `prefix`; none when all are
    /// silent. As with the Azure CLI, a credential in a flag goes before the environment, there a
    /// login before a connection string, and that before a key or a SAS.
    pub(super) fn read(
        args: &AccountArgs,
        secret: Option<Secret>,
        prefix: &str,
        flag: &str,
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Option<Self>> {
        let variable = |name: &str| environment(&format!("{prefix}{name}"));
        let mut settings = Self {
            account: args.account.clone(),
            endpoint: match &args.endpoint {
                Some(url) => Some(endpoint(url, &format!("--{flag}endpoint"))?),
                None => None,
            },
            secret,
            login: args.login,
            flag: flag.to_owned(),
            prefix: prefix.to_owned(),
        };
        if let Some(Secret::ConnectionString(text)) = &settings.secret {
            let (file, other) =
                (format!("--{flag}connection-string-file"), "leave one of the two out");
            settings.refuse_another_account(text, &file, other)?;
        }
        let by_flag = settings.secret.is_some() || settings.login.is_some();
        if !by_flag {
            let login = variable("AUTH_MODE").is_some_and(|mode| mode == "login");
            if login {
                settings.login = Some(Login::Auto);
            } else if let Some(text) = variable("CONNECTION_STRING") {
                let other = format!(
                    "unset the variable, or give --{flag}key-file, --{flag}sas-file or --{flag}login"
                );
                settings.refuse_another_account(
                    &text,
                    &format!("{prefix}CONNECTION_STRING"),
                    &other,
                )?;
                settings.secret = Some(Secret::ConnectionString(text));
            } else if let Some(key) = variable("KEY") {
                settings.secret = Some(Secret::Key(key));
            } else if let Some(sas) = variable("SAS_TOKEN") {
                settings.secret = Some(Secret::Sas(sas));
            }
        }
        if !matches!(settings.secret, Some(Secret::ConnectionString(_))) {
            settings.account = settings.account.or_else(|| variable("ACCOUNT"));
            if settings.endpoint.is_none()
                && let Some(url) = variable("SERVICE_ENDPOINT")
            {
                settings.endpoint = Some(endpoint(&url, &format!("{prefix}SERVICE_ENDPOINT"))?);
            }
            // A login takes no secret from a connection string, but the account.
            if settings.login.is_some()
                && settings.account.is_none()
                && settings.endpoint.is_none()
                && let Some(text) = variable("CONNECTION_STRING")
            {
                let service = BlobServiceClient::from_connection_string(&text)?;
                settings.account = service.account_name().map(str::to_owned);
                settings.endpoint = Some(service.url().clone());
            }
        }
        let silent = settings.account.is_none()
            && settings.endpoint.is_none()
            && settings.secret.is_none()
            && settings.login.is_none();
        Ok((!silent).then_some(settings))
    }

    /// A connection string names its account; a flag that names another one is a mistake, and not
    /// to be passed over.
    fn refuse_another_account(&self, text: &str, from: &str, advice: &str) -> Result {
        let Some(account) = &self.account else { return Ok(()) };
        let service = BlobServiceClient::from_connection_string(text)?;
        match service.account_name() {
            Some(named) if named != account => Err(Failure::usage(
                format!("--{}account is {account}, but {from} is of account {named}", self.flag),
                advice,
            )),
            _ => Ok(()),
        }
    }

    /// The key or the SAS, if no account is named.
    pub(super) fn unplaced(&mut self) -> Option<Unplaced> {
        if self.account.is_some() || self.endpoint.is_some() {
            return None;
        }
        match self.secret.take()? {
            Secret::ConnectionString(text) => {
                self.secret = Some(Secret::ConnectionString(text));
                None
            }
            secret => {
                let (flag, prefix) = (self.flag.clone(), self.prefix.clone());
                Some(Unplaced { secret, flag, prefix })
            }
        }
    }

    /// A client to be built, if an account is named. `login` stands for the one of the settings.
    pub(super) fn service(
        self,
        login: Option<Credential>,
    ) -> Result<Option<ClientBuilder<BlobServiceClient>>> {
        if let Some(Secret::ConnectionString(text)) = &self.secret {
            if self.endpoint.is_some() {
                return Err(Failure::usage(
                    "a connection string names the endpoint itself",
                    format!("leave --{}endpoint out", self.flag),
                ));
            }
            let builder = BlobServiceClient::builder_from_connection_string(text);
            return Ok(Some(builder.map_err(|error| {
                Failure::from(error)
                    .or_else_do("a connection string is such as AccountName=…;AccountKey=…")
            })?));
        }
        let endpoint = match (&self.endpoint, &self.account) {
            (Some(endpoint), _) => endpoint.clone(),
            (None, Some(account)) => of_account(account)?,
            (None, None) => return Ok(None),
        };
        let credential = match (&self.secret, login) {
            (Some(Secret::Key(key)), _) => {
                let account = self.account.clone().or_else(|| account_at(&endpoint));
                let account = account.ok_or_else(|| {
                    let advice = format!("give --{}account", self.flag);
                    Failure::usage("there is a key, but no account", advice)
                })?;
                Credential::shared_key(&account, key)?
            }
            (Some(Secret::Sas(sas)), _) => Credential::sas(sas)?,
            (_, Some(login)) => login,
            _ => Credential::anonymous(),
        };
        let mut builder = BlobServiceClient::builder(endpoint).credential(credential);
        if let Some(account) = &self.account {
            builder = builder.account_name(account);
        }
        Ok(Some(builder))
    }
}

impl Unplaced {
    /// The credential at an account's endpoint.
    pub(super) fn credential(&self, endpoint: &Url) -> Result<Credential> {
        Ok(match &self.secret {
            Secret::Key(key) => {
                let account = account_at(endpoint).ok_or_else(|| self.failure())?;
                Credential::shared_key(&account, key)?
            }
            Secret::Sas(text) | Secret::ConnectionString(text) => Credential::sas(text)?,
        })
    }

    pub(super) fn failure(&self) -> Failure {
        Failure::usage(
            "there is a key or a SAS, but no account",
            format!("give --{}account, or set {}ACCOUNT", self.flag, self.prefix),
        )
    }
}

impl std::fmt::Debug for Unplaced {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Unplaced(…)")
    }
}

/// The account whose endpoint it is, as far as that can be told from it.
fn account_at(endpoint: &Url) -> Option<String> {
    let service = BlobServiceClient::new(endpoint.clone(), Credential::anonymous()).ok()?;
    service.account_name().map(str::to_owned)
}

fn of_account(account: &str) -> Result<Url> {
    let good = (3..=24).contains(&account.len())
        && account.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    let url = format!("https://{account}.blob.core.windows.net").parse();
    match url {
        Ok(url) if good => Ok(url),
        _ => Err(Failure::usage(
            format!("{account:?} is not the name of an account"),
            "names are 3 to 24 lower-case letters and digits; --endpoint takes a URL",
        )),
    }
}

fn endpoint(text: &str, named: &str) -> Result<Url> {
    text.parse().map_err(|_| {
        Failure::usage(
            format!("{named}: {text:?} is not a URL"),
            "write it like https://account.blob.core.windows.net",
        )
    })
}

/// The secret in the file that a flag names.
pub(super) async fn secret_in_file(args: &AccountArgs) -> Result<Option<Secret>> {
    Ok(if let Some(file) = &args.key_file {
        Some(Secret::Key(content(file).await?))
    } else if let Some(file) = &args.sas_file {
        Some(Secret::Sas(sas_in(&content(file).await?)))
    } else if let Some(file) = &args.connection_string_file {
        Some(Secret::ConnectionString(content(file).await?))
    } else {
        None
    })
}

/// The SAS in a text, which may be a URL with one, as `blobcopy sas` prints it.
fn sas_in(text: &str) -> String {
    let is_url = text.starts_with("https://") || text.starts_with("http://");
    let query = text.split_once('?').map(|(_, query)| query).filter(|_| is_url);
    query.unwrap_or(text).to_owned()
}

/// The text of a file, or of standard input, without the line's end, and without quotes around it.
async fn content(file: &str) -> Result<String> {
    let text = match file {
        "-" => {
            let all = || {
                let mut text = String::new();
                std::io::stdin().read_to_string(&mut text).map(|_| text)
            };
            reading(all).await
        }
        // It may be a pipe, too.
        file => {
            let file = file.to_owned();
            reading(|| std::fs::read_to_string(file)).await
        }
    };
    let text = text.map_err(|error| {
        Failure::usage(format!("{file} cannot be read: {error}"), "check the file's name")
    })?;
    let text = text.trim();
    let unquoted = ['"', '\''].iter().find_map(|q| text.strip_prefix(*q)?.strip_suffix(*q));
    match unquoted.unwrap_or(text) {
        "" => Err(Failure::usage(format!("{file} is empty"), "put the secret into it")),
        text => Ok(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "c2VjcmV0";

    fn read(args: &AccountArgs, variables: &[(&str, &str)]) -> Result<Option<Settings>> {
        let environment = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        Settings::read(args, None, "AZURE_STORAGE_", "", &environment)
    }

    fn url(args: &AccountArgs, variables: &[(&str, &str)]) -> String {
        let settings = read(args, variables).expect("good").expect("something is said");
        let builder = settings.service(None).expect("good").expect("an account");
        builder.build().expect("a client").url().to_string()
    }

    #[test]
    fn silence_names_no_account() {
        assert!(read(&AccountArgs::default(), &[]).expect("good").is_none());
    }

    #[test]
    fn a_connection_string_goes_before_an_account_and_a_key() {
        let string = format!("AccountName=first;AccountKey={KEY}");
        let variables = [
            ("AZURE_STORAGE_CONNECTION_STRING", string.as_str()),
            ("AZURE_STORAGE_ACCOUNT", "second"),
            ("AZURE_STORAGE_KEY", KEY),
        ];
        let args = AccountArgs::default();
        assert_eq!(url(&args, &variables), "https://first.blob.core.windows.net/");
        assert_eq!(url(&args, &variables[1..]), "https://second.blob.core.windows.net/");
    }

    #[test]
    fn a_flag_that_names_another_account_than_the_connection_string_is_refused() {
        let string = format!("AccountName=first;AccountKey={KEY}");
        let variables = [("AZURE_STORAGE_CONNECTION_STRING", string.as_str())];
        let args = AccountArgs { account: Some("second".to_owned()), ..AccountArgs::default() };
        let failure = read(&args, &variables).err().expect("refused");
        let [what, _] = failure.told().expect("told").lines();
        assert!(what.contains("account is second") && what.contains("account first"), "{what}");
        assert!(!what.contains(KEY));
    }

    #[test]
    fn a_file_with_a_connection_string_of_another_account_is_refused_too() {
        let secret = || Secret::ConnectionString(format!("AccountName=first;AccountKey={KEY}"));
        let read = |account: &str| {
            let account = Some(account.to_owned());
            let args = AccountArgs { account, ..AccountArgs::default() };
            Settings::read(&args, Some(secret()), "AZURE_STORAGE_SOURCE_", "source-", &|_| None)
        };
        assert!(read("first").is_ok());
        let failure = read("second").err().expect("refused");
        let [what, _] = failure.told().expect("told").lines();
        let expected = "error: --source-account is second, but --source-connection-string-file is \
                        of account first";
        assert_eq!(what, expected);
    }

    #[test]
    fn a_source_without_an_account_is_told_its_own_flags() {
        let secret = Some(Secret::Sas("sv=1&sig=x".to_owned()));
        let args = AccountArgs::default();
        let settings = Settings::read(&args, secret, "AZURE_STORAGE_SOURCE_", "source-", &|_| None);
        let mut settings = settings.expect("good").expect("said");
        let failure = settings.unplaced().expect("no account").failure();
        let [_, advice] = failure.told().expect("told").lines();
        assert_eq!(advice, "to do: give --source-account, or set AZURE_STORAGE_SOURCE_ACCOUNT");
    }

    #[test]
    fn a_login_takes_the_account_from_a_connection_string() {
        let string = format!("AccountName=first;AccountKey={KEY}");
        let variables = [("AZURE_STORAGE_CONNECTION_STRING", string.as_str())];
        let args = AccountArgs { login: Some(Login::Auto), ..AccountArgs::default() };
        assert_eq!(url(&args, &variables), "https://first.blob.core.windows.net/");
        let settings = read(&args, &variables).expect("good").expect("said");
        assert!(settings.secret.is_none(), "but not its key");
        let named = AccountArgs { account: Some("second".to_owned()), ..args };
        assert_eq!(url(&named, &variables), "https://second.blob.core.windows.net/");
    }

    #[test]
    fn a_login_goes_before_all_other_variables() {
        let variables = [
            ("AZURE_STORAGE_AUTH_MODE", "login"),
            ("AZURE_STORAGE_ACCOUNT", "first"),
            ("AZURE_STORAGE_KEY", KEY),
        ];
        let settings = read(&AccountArgs::default(), &variables).expect("good").expect("said");
        assert_eq!(settings.login, Some(Login::Auto));
        assert!(settings.secret.is_none());
    }

    #[test]
    fn an_endpoint_of_its_own_takes_the_accounts_name_beside_it() {
        let variables = [
            ("AZURE_STORAGE_SERVICE_ENDPOINT", "http://127.0.0.1:10000/first"),
            ("AZURE_STORAGE_ACCOUNT", "first"),
            ("AZURE_STORAGE_KEY", KEY),
        ];
        assert_eq!(url(&AccountArgs::default(), &variables), "http://127.0.0.1:10000/first");
        // The endpoint names the account too.
        let variables = [variables[0], variables[2]];
        assert_eq!(url(&AccountArgs::default(), &variables), "http://127.0.0.1:10000/first");
        let settings = read(&AccountArgs::default(), &variables[1..]).expect("good");
        assert!(settings.expect("said").unplaced().is_some());
    }
}
