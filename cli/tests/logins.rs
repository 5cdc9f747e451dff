//! `--login`, each kind against a stand-in for what gives its tokens. The simulator is reached by
//! https, without which no token is sent, and takes one token alone.

use std::{os::unix::fs::PermissionsExt, process::Command};

use blobcopy_simulator::Simulator;

use crate::support::{
    Ended, World, bare,
    disk::Folder,
    finish, spawn,
    stand_in::{CERTIFICATE, StandIn},
};

/// What must be seen nowhere.
const TOKEN: &str = "tOkEn-Of-ThE-iDeNtItY";
const ASSERTION: &str = "aSsErTiOn-In-A-fIlE";
const CLIENT_SECRET: &str = "cLiEnT-sEcReT";
const HEADER: &str = "iDeNtItY-hEaDeR";

const TENANT: &str = "11111111-aaaa-bbbb-cccc-555555555555";
const CLIENT: &str = "22222222-aaaa-bbbb-cccc-555555555555";

/// An account that takes one token, and what a login needs.
struct Logins {
    world: World,
    folder: Folder,
    variables: Vec<(&'static str, String)>,
}

impl Logins {
    fn new(name: &str) -> Self {
        let simulator = Simulator::builder().https().accept_bearer(|token| token == TOKEN);
        let (world, folder) = (World::of(simulator), Folder::new(&format!("login-{name}")));
        let ours = world.simulator.certificate_pem().expect("https");
        let trusted = folder.write("trusted.pem", format!("{CERTIFICATE}{ours}").as_bytes());
        // No developer's tool but those of the test.
        let variables = vec![("SSL_CERT_FILE", trusted), ("PATH", folder.path(""))];
        Self { world, folder, variables }
    }

    fn set(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.variables.push((name, value.into()));
        self
    }

    /// The variables of an application in a tenant of the stand-in.
    fn application(self, entra: &StandIn) -> Self {
        self.set("AZURE_AUTHORITY_HOST", &entra.url)
            .set("AZURE_TENANT_ID", TENANT)
            .set("AZURE_CLIENT_ID", CLIENT)
    }

    fn workload(self, entra: &StandIn) -> Self {
        let file = self.folder.write("assertion", ASSERTION.as_bytes());
        self.application(entra).set("AZURE_FEDERATED_TOKEN_FILE", file)
    }

    fn machine(self, endpoint: &StandIn) -> Self {
        self.set("IDENTITY_ENDPOINT", format!("{}/msi/token", endpoint.url))
            .set("IDENTITY_HEADER", HEADER)
    }

    /// The Azure CLI: a script that notes its arguments.
    fn az(self, script: &str) -> Self {
        let noted = self.folder.path("arguments");
        let script = format!("#!/bin/sh\necho \"$@\" >> {noted}\n{script}\n");
        let file = self.folder.write("az", script.as_bytes());
        std::fs::set_permissions(file, PermissionsExt::from_mode(0o755)).expect("executable");
        self
    }

    /// What the Azure CLI was called with, a call a line.
    fn calls_of_az(&self) -> String {
        std::fs::read_to_string(self.folder.path("arguments")).unwrap_or_default()
    }

    fn command(&self, arguments: &[&str], kind: &str) -> Command {
        let login = if kind == "auto" { "--login".to_owned() } else { format!("--login={kind}") };
        let endpoint = self.world.simulator.endpoint("devstoreaccount1").to_string();
        let account = ["--account", "devstoreaccount1", "--endpoint", &endpoint, &login];
        let mut command = bare(&[arguments, &account].concat());
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    fn run(&self, arguments: &[&str], kind: &str) -> Ended {
        let ended = finish(spawn(self.command(arguments, kind)), "");
        for secret in [TOKEN, ASSERTION, CLIENT_SECRET, HEADER] {
            assert!(!ended.out.contains(secret) && !ended.err.contains(secret), "{ended:?}");
        }
        ended
    }

    /// The login's token reaches the service, which takes it.
    fn succeeds(&self, kind: &str) {
        let ended = self.run(&["create", "backups", "-v"], kind);
        assert_eq!(ended.code, Some(0), "{ended:#?}");
        let requests = self.world.simulator.requests();
        let last = requests.last().expect("a request");
        assert_eq!(last.header("authorization"), Some(&*format!("Bearer {TOKEN}")));
    }

    /// There is no token: exit 6 and two lines, of which the first holds `told`.
    fn fails(&self, kind: &str, told: &[&str]) {
        let ended = self.run(&["create", "backups"], kind);
        assert_eq!((ended.code, ended.out.as_str()), (Some(6), ""), "{ended:#?}");
        let lines: Vec<&str> = ended.err.lines().collect();
        assert!(lines.len() == 2 && lines[1].starts_with("to do: "), "{lines:#?}");
        for told in told {
            assert!(lines[0].contains(told), "{told}: {lines:#?}");
        }
        assert!(self.world.simulator.requests().is_empty(), "nothing reaches the service");
    }
}

/// The answer of a managed identity's endpoint.
fn of_machine() -> String {
    format!(
        r#"{{"access_token":"{TOKEN}","expires_on":"4102444800","resource":"https://storage.azure.com","token_type":"Bearer"}}"#
    )
}

/// The answer of Entra.
fn of_entra() -> String {
    format!(
        r#"{{"token_type":"Bearer","expires_in":3599,"ext_expires_in":3599,"access_token":"{TOKEN}"}}"#
    )
}

/// What the Azure CLI prints.
fn of_az() -> String {
    let expiry = r#""expires_on": 4102444800, "expiresOn": "2100-01-01 00:00:00.000000""#;
    format!(
        "echo '{{\"accessToken\": \"{TOKEN}\", {expiry}, \"tenant\": \"{TENANT}\", \
         \"tokenType\": \"Bearer\"}}'"
    )
}

#[test]
fn a_managed_identity_is_asked_at_its_endpoint() {
    let endpoint = StandIn::by_http(200, &of_machine());
    let logins = Logins::new("machine").machine(&endpoint);
    logins.succeeds("managed-identity");
    let seen = endpoint.seen();
    assert_eq!(seen.len(), 1, "{seen:#?}");
    let resource =
        "GET /msi/token?api-version=2019-08-01&resource=https%3A%2F%2Fstorage.azure.com ";
    assert!(seen[0].starts_with(resource), "{seen:#?}");
    assert!(seen[0].contains(&format!("x-identity-header: {HEADER}\r\n")), "{seen:#?}");
}

#[test]
fn of_several_managed_identities_a_variable_names_one() {
    let endpoint = StandIn::by_http(200, &of_machine());
    let logins = Logins::new("assigned").machine(&endpoint).set("AZURE_CLIENT_ID", CLIENT);
    logins.succeeds("managed-identity");
    let seen = endpoint.seen();
    assert!(seen[0].contains(&format!("&client_id={CLIENT} ")), "{seen:#?}");
}

/// The address in a virtual machine is always the same; here a proxy stands in for it.
#[test]
fn a_virtual_machine_is_asked_at_its_own_address() {
    let machine = StandIn::by_http(200, &of_machine());
    let logins = Logins::new("virtual").set("http_proxy", &machine.url);
    logins.succeeds("managed-identity");
    let seen = machine.seen();
    let address = "GET http://169.254.169.254/metadata/identity/oauth2/token?api-version=";
    assert!(seen[0].starts_with(address) && seen[0].contains("metadata: true\r\n"), "{seen:#?}");
}

#[test]
fn a_machine_without_that_identity_has_no_token() {
    let endpoint = StandIn::by_http(400, r#"{"error":"invalid_request"}"#);
    let logins = Logins::new("unassigned").machine(&endpoint);
    logins.fails("managed-identity", &["identity has not been assigned"]);
}

#[test]
fn the_azure_cli_is_asked_for_a_token_of_the_storage() {
    let logins = Logins::new("cli").az(&of_az());
    logins.succeeds("cli");
    let called = "account get-access-token -o json --scope https://storage.azure.com/.default\n";
    assert_eq!(logins.calls_of_az(), called);
}

#[test]
fn who_is_not_logged_in_is_told_so_by_the_azure_cli() {
    let logged_out = "echo \"ERROR: Please run 'az login' to setup account.\" >&2; exit 1";
    let logins = Logins::new("logged-out").az(logged_out);
    logins.fails("cli", &["Please run 'az login' to setup account."]);
    Logins::new("no-cli").fails("cli", &["az not found on PATH"]);
}

#[test]
fn a_workload_shows_its_assertion_to_entra() {
    let entra = StandIn::by_https(200, &of_entra());
    let logins = Logins::new("workload").workload(&entra);
    logins.succeeds("workload");
    let seen = entra.seen();
    assert_eq!(seen.len(), 1, "{seen:#?}");
    assert!(seen[0].starts_with(&format!("POST /{TENANT}/oauth2/v2.0/token ")), "{seen:#?}");
    for part in [
        &*format!("client_assertion={ASSERTION}"),
        &format!("client_id={CLIENT}"),
        "grant_type=client_credentials",
        "scope=https%3A%2F%2Fstorage.azure.com%2F.default",
    ] {
        assert!(seen[0].contains(part), "{part}: {seen:#?}");
    }
}

#[test]
fn an_application_shows_its_secret_to_entra() {
    let entra = StandIn::by_https(200, &of_entra());
    let logins = Logins::new("secret").application(&entra);
    let logins = logins.set("AZURE_CLIENT_SECRET", CLIENT_SECRET);
    logins.succeeds("client-secret");
    let seen = entra.seen();
    assert!(seen[0].starts_with(&format!("POST /{TENANT}/oauth2/v2.0/token ")), "{seen:#?}");
    for part in [&*format!("client_secret={CLIENT_SECRET}"), &format!("client_id={CLIENT}")] {
        assert!(seen[0].contains(part), "{part}: {seen:#?}");
    }
}

#[test]
fn what_entra_refuses_is_told_without_secrets() {
    // The service does not show a secret again; whatever stands in its place might.
    let refusal = format!(
        r#"{{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret {CLIENT_SECRET} or assertion {ASSERTION}.","error_codes":[7000215]}}"#
    );
    let entra = StandIn::by_https(401, &refusal);
    let logins = Logins::new("refused").workload(&entra);
    let logins = logins.set("AZURE_CLIENT_SECRET", CLIENT_SECRET);
    for kind in ["workload", "client-secret"] {
        logins.fails(kind, &["AADSTS7000215: Invalid client secret REDACTED or"]);
    }
}

#[test]
fn an_authority_that_is_not_https_or_not_trusted_gets_no_secret() {
    let plain = StandIn::by_http(200, &of_entra());
    let logins = Logins::new("plain").workload(&plain);
    let logins = logins.set("AZURE_CLIENT_SECRET", CLIENT_SECRET);
    for kind in ["workload", "client-secret"] {
        let ended = logins.run(&["create", "backups"], kind);
        assert_eq!(ended.code, Some(64), "{ended:#?}");
        assert!(ended.err.contains("HTTPS") && ended.err.lines().count() == 2, "{ended:#?}");
    }
    assert!(plain.seen().is_empty());
    let entra = StandIn::by_https(200, &of_entra());
    let logins = Logins::new("distrusted").workload(&entra);
    // The simulator's certificate alone.
    let ours = logins.world.simulator.certificate_pem().expect("https").to_owned();
    let trusted = logins.folder.write("ours.pem", ours.as_bytes());
    let logins = logins.set("SSL_CERT_FILE", trusted);
    logins.fails("workload", &["invalid peer certificate"]);
    assert!(entra.seen().is_empty());
}

#[test]
fn auto_takes_the_first_that_gives_a_token() {
    let (entra, refusing) = (StandIn::by_https(200, &of_entra()), StandIn::by_https(400, "{}"));
    let (machine, none) = (StandIn::by_http(200, &of_machine()), StandIn::by_http(400, "{}"));
    // Where all would give one, it is the workload's.
    let logins = Logins::new("auto-1").workload(&entra).machine(&machine).az(&of_az());
    logins.succeeds("auto");
    assert_eq!((entra.seen().len(), machine.seen().len()), (1, 0));
    // Where its variables are not set, the machine's.
    let logins = Logins::new("auto-2").machine(&machine).az(&of_az());
    logins.succeeds("auto");
    assert_eq!((machine.seen().len(), logins.calls_of_az().as_str()), (1, ""));
    // And where neither has one, the developer's.
    let logins = Logins::new("auto-3").workload(&refusing).machine(&none).az(&of_az());
    logins.succeeds("auto");
    assert_eq!((refusing.seen().len(), none.seen().len()), (1, 1));
    assert_eq!(logins.calls_of_az().lines().count(), 1);
}

#[test]
fn auto_tells_why_no_login_gave_a_token() {
    let (entra, machine) = (StandIn::by_https(400, "{}"), StandIn::by_http(400, "{}"));
    let logins = Logins::new("auto-none").workload(&entra).machine(&machine);
    let told = ["workload identity: ", "managed identity: ", "developer tools: ", "az not found"];
    logins.fails("auto", &told);
}

#[test]
fn a_login_signs_a_sas_and_is_shown_in_what_follows() {
    let logins = Logins::new("sas").az(&of_az());
    logins.succeeds("cli");
    let file = logins.folder.write("notes.txt", b"notes");
    let put = logins.run(&["put", &file, "backups/"], "cli");
    assert_eq!(put.code, Some(0), "{put:#?}");
    let sas = ["sas", "backups/notes.txt", "--permissions", "r", "--expiry", "2h"];
    let made = logins.run(&sas, "cli");
    assert_eq!(made.code, Some(0), "{made:#?}");
    assert!(made.out.contains("&skoid="), "{}", logins.world.shown(&made.out));
    let mut get = bare(&["get", made.out.trim(), "-"]);
    get.envs(logins.variables.iter().map(|(name, value)| (name, value)));
    let got = finish(spawn(get), "");
    assert_eq!((got.code, got.out.as_str()), (Some(0), "notes"), "{got:#?}");
}
