//! Where the database is, read from its address. What is not understood is refused, and no error repeats what stands there: it
//! holds a password.

use std::fmt;
use std::fs::File;
use std::net::IpAddr;
use std::path::Path;

use percent_encoding::percent_decode_str;
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use url::Url;

/// What the server shows of us in `pg_stat_activity`.
const APPLICATION: &str = "portcullis";
const DEFAULT_PORT: u16 = 5432;

/// One server that may be the one to talk to.
#[derive(Clone)]
pub(crate) struct Place {
    /// How to connect to it.
    pub options: PgConnectOptions,
    /// Host and port, for the operator.
    pub name: String,
    /// Settings of the server's for our sessions there, which outrank our own.
    pub settings: Vec<(String, String)>,
    /// Whether it is to be known by the public and the machine's own authorities.
    pub trusts_machine: bool,
}

impl fmt::Debug for Place {
    /// By its name: the options hold the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Place({})", self.name)
    }
}

/// What the parameters behind the `?` say.
#[derive(Default)]
struct Parameters {
    mode: Option<PgSslMode>,
    root: Option<String>,
    hosts: Option<String>,
    ports: Option<String>,
    user: Option<String>,
    password: Option<String>,
    database: Option<String>,
    application: Option<String>,
    client: (Option<String>, Option<String>),
    settings: Vec<(String, String)>,
}

/// The servers an address names, in order.
pub(crate) fn places(text: &str, ca_file: Option<&Path>) -> Result<Vec<Place>, String> {
    let (hosts, rest) = split(text)?;
    let url = Url::parse(&rest).map_err(|error| format!("it is no address: {error}"))?;
    let mut parameters = Parameters::default();
    for (key, value) in url.query_pairs() {
        parameters.read(&key, &value)?;
    }
    let hosts = parameters.hosts.as_deref().unwrap_or(&hosts);
    let ports: Vec<&str> = parameters
        .ports
        .as_deref()
        .unwrap_or_default()
        .split(',')
        .collect();
    let mut places = Vec::new();
    for (number, host) in hosts.split(',').enumerate() {
        let port = ports.get(number).or(ports.last()).filter(|port| !port.is_empty());
        let base = base(&url, &parameters)?;
        places.push(place(base, host, port.copied(), &parameters, ca_file)?);
    }
    Ok(places)
}

/// Takes the hosts out of an address, since several of them are more than an URL holds.
fn split(text: &str) -> Result<(String, String), String> {
    let rest = ["postgres://", "postgresql://"]
        .iter()
        .find_map(|scheme| text.strip_prefix(scheme));
    let rest = rest.ok_or("it must begin with postgres://")?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at(end);
    // Cut short by a sign in the password, which would then be quoted as something else.
    if !authority.contains('@') && tail.contains('@') {
        return Err("in user and password everything but letters and digits is percent-encoded".to_owned());
    }
    let (user, hosts) = match authority.rsplit_once('@') {
        Some((user, hosts)) => (format!("{user}@"), hosts),
        None => (String::new(), authority),
    };
    Ok((hosts.to_owned(), format!("postgres://{user}host{tail}")))
}

impl Parameters {
    fn read(&mut self, key: &str, value: &str) -> Result<(), String> {
        let text = || Some(value.to_owned());
        match key {
            "sslmode" | "ssl-mode" => self.mode = Some(mode(value)?),
            "sslrootcert" | "ssl-root-cert" | "ssl-ca" => self.root = text(),
            "sslcert" | "ssl-cert" => self.client.0 = text(),
            "sslkey" | "ssl-key" => self.client.1 = text(),
            "host" | "hostaddr" => self.hosts = text(),
            "port" => self.ports = text(),
            "dbname" => self.database = text(),
            "user" => self.user = text(),
            "password" => self.password = text(),
            "application_name" => self.application = text(),
            "options" => self.settings.extend(settings(value)?),
            "target_session_attrs" => only_read_write(value)?,
            _ => self.setting(key, value)?,
        }
        Ok(())
    }

    /// `options[name]=value`.
    fn setting(&mut self, key: &str, value: &str) -> Result<(), String> {
        let name = key.strip_prefix("options[").and_then(|key| key.strip_suffix(']'));
        let Some(name) = name else {
            return Err(format!(
                "the parameter {key:?} is not known; known are sslmode, sslrootcert, sslcert, sslkey, host, port, dbname, user, \
                 password, application_name, options, options[NAME] and target_session_attrs"
            ));
        };
        self.settings.push((name.to_owned(), value.to_owned()));
        Ok(())
    }
}

fn mode(value: &str) -> Result<PgSslMode, String> {
    let unknown = "sslmode must be disable, allow, prefer, require, verify-ca or verify-full";
    value.parse().map_err(|_| unknown.to_owned())
}

/// A node must write, so it only ever stays with a server that takes writes.
fn only_read_write(value: &str) -> Result<(), String> {
    match value {
        "any" | "primary" | "read-write" => Ok(()),
        _ => Err("target_session_attrs can only be read-write: a node must be able to write".to_owned()),
    }
}

/// `-c name=value --name=value`, as the server's own command line has them.
fn settings(value: &str) -> Result<Vec<(String, String)>, String> {
    let wrong = || "options must be a list of -c NAME=VALUE".to_owned();
    let mut words = value.split_whitespace();
    let mut settings = Vec::new();
    while let Some(word) = words.next() {
        let setting = match word {
            "-c" => words.next().ok_or_else(wrong)?,
            _ => word
                .strip_prefix("--")
                .or_else(|| word.strip_prefix("-c"))
                .ok_or_else(wrong)?,
        };
        let (name, value) = setting.split_once('=').ok_or_else(wrong)?;
        settings.push((name.to_owned(), value.to_owned()));
    }
    Ok(settings)
}

fn decoded(text: &str) -> Result<String, String> {
    let text = percent_decode_str(text).decode_utf8();
    Ok(text
        .map_err(|_| "it holds an escape that is no UTF-8")?
        .into_owned())
}

/// What all servers of an address have in common.
fn base(url: &Url, parameters: &Parameters) -> Result<PgConnectOptions, String> {
    let mut options = PgConnectOptions::new_without_pgpass();
    let user = match &parameters.user {
        Some(user) => user.clone(),
        None => decoded(url.username())?,
    };
    if !user.is_empty() {
        options = options.username(&user);
    }
    let password = match &parameters.password {
        Some(password) => Some(password.clone()),
        None => url.password().map(decoded).transpose()?,
    };
    if let Some(password) = password {
        options = options.password(&password);
    }
    let database = match &parameters.database {
        Some(database) => database.clone(),
        None => decoded(url.path().trim_start_matches('/'))?,
    };
    if !database.is_empty() {
        options = options.database(&database);
    }
    if let Some(file) = &parameters.client.0 {
        readable(Path::new(file))?;
        options = options.ssl_client_cert(file);
    }
    if let Some(file) = &parameters.client.1 {
        readable(Path::new(file))?;
        options = options.ssl_client_key(file);
    }
    let application = parameters.application.as_deref().unwrap_or(APPLICATION);
    Ok(options.application_name(application))
}

fn place(
    base: PgConnectOptions,
    host: &str,
    port: Option<&str>,
    parameters: &Parameters,
    ca_file: Option<&Path>,
) -> Result<Place, String> {
    let (host, own_port) = host_and_port(host)?;
    let port = match port.or(own_port) {
        Some(port) => port.parse().map_err(|_| "a port is no number".to_owned())?,
        None => DEFAULT_PORT,
    };
    let host = decoded(host)?;
    let mut options = base.port(port);
    if host.starts_with('/') {
        options = options.socket(&host);
    } else if !host.is_empty() {
        options = options.host(&host);
    }
    let shown = if host.is_empty() {
        options.get_host().to_owned()
    } else {
        host
    };
    let root = ca_file.or(parameters.root.as_deref().map(Path::new));
    options = options.ssl_mode(mode_for(&shown, parameters.mode, root.is_some()));
    if let Some(root) = root {
        readable(root)?;
        options = options.ssl_root_cert(root);
    }
    let trusts_machine = root.is_none()
        && matches!(
            options.get_ssl_mode(),
            PgSslMode::VerifyCa | PgSslMode::VerifyFull
        );
    Ok(Place {
        options,
        name: format!("{shown}:{port}"),
        settings: parameters.settings.clone(),
        trusts_machine,
    })
}

/// A file that is named must be there: the driver would find out at each connection, and say less.
fn readable(file: &Path) -> Result<(), String> {
    File::open(file)
        .map(drop)
        .map_err(|error| format!("the certificate file {} cannot be read: {error}", file.display()))
}

fn host_and_port(text: &str) -> Result<(&str, Option<&str>), String> {
    if let Some(rest) = text.strip_prefix('[') {
        let (host, port) = rest.split_once(']').ok_or("a bracket is not closed")?;
        return Ok((host, port.strip_prefix(':')));
    }
    Ok(text
        .split_once(':')
        .map_or((text, None), |(host, port)| (host, Some(port))))
}

/// Elsewhere the server must prove who it is unless the address says otherwise; within this machine nobody listens in.
/// `require` with an authority at hand verifies by it, as PostgreSQL's own clients do.
fn mode_for(host: &str, asked: Option<PgSslMode>, has_root: bool) -> PgSslMode {
    match asked {
        Some(PgSslMode::Require) if has_root => PgSslMode::VerifyCa,
        Some(mode) => mode,
        None if is_here(host) && !has_root => PgSslMode::Prefer,
        None => PgSslMode::VerifyFull,
    }
}

fn is_here(host: &str) -> bool {
    host.starts_with('/')
        || host == "localhost"
        || host
            .parse::<IpAddr>()
            .is_ok_and(|address| address.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> PgConnectOptions {
        places(text, None).unwrap().pop().unwrap().options
    }

    fn is_mode(text: &str, mode: PgSslMode) -> bool {
        std::mem::discriminant(&one(text).get_ssl_mode()) == std::mem::discriminant(&mode)
    }

    #[test]
    fn a_password_that_is_not_encoded_is_not_quoted() {
        for text in [
            "postgres://ann:hun?ter2@db/login",
            "postgres://ann:12/ter2@db/login",
            "postgres://ann:hun#ter2@db/login",
        ] {
            let said = places(text, None).unwrap_err();
            assert!(
                !said.contains("ter2") && said.contains("percent-encoded"),
                "{said}"
            );
        }
    }

    #[test]
    fn a_server_elsewhere_must_prove_who_it_is_unless_told_otherwise() {
        for (text, mode) in [
            ("postgres://db.example/login", PgSslMode::VerifyFull),
            ("postgres://10.0.0.7/login", PgSslMode::VerifyFull),
            ("postgres://localhost.example/login", PgSslMode::VerifyFull),
            ("postgres://db.example/login?sslmode=disable", PgSslMode::Disable),
            ("postgres://localhost/login", PgSslMode::Prefer),
            ("postgres://127.0.0.7:1/login", PgSslMode::Prefer),
            ("postgres://[::1]/login", PgSslMode::Prefer),
            ("postgres:///login?host=/run/postgresql", PgSslMode::Prefer),
            ("postgres://%2Frun%2Fpostgresql/login", PgSslMode::Prefer),
            (
                "postgres://db.example/login?sslmode=require&sslrootcert=/dev/null",
                PgSslMode::VerifyCa,
            ),
            (
                "postgres://localhost/login?sslrootcert=/dev/null",
                PgSslMode::VerifyFull,
            ),
        ] {
            assert!(is_mode(text, mode), "{text}: {:?}", one(text).get_ssl_mode());
        }
    }

    #[test]
    fn every_part_of_an_address_arrives() {
        let options = one("postgres://ann%40x:p%2Fw@[::1]:6543/log%20in?application_name=n");
        assert_eq!(options.get_host(), "::1");
        assert_eq!(options.get_port(), 6543);
        assert_eq!(options.get_username(), "ann@x");
        assert_eq!(options.get_database(), Some("log in"));
        assert_eq!(options.get_application_name(), Some("n"));
        let options = one("postgresql://ann@db.example");
        assert_eq!(options.get_port(), 5432);
        assert_eq!(options.get_application_name(), Some("portcullis"));
    }

    #[test]
    fn several_hosts_are_several_places() {
        let named = |text| -> Vec<String> {
            let places = places(text, None).unwrap();
            places.into_iter().map(|place| place.name).collect()
        };
        assert_eq!(
            named("postgres://a:p@h1:1,[::1]:2,h3/db?target_session_attrs=read-write"),
            ["h1:1", "::1:2", "h3:5432"]
        );
        assert_eq!(named("postgres:///db?host=h1,h2&port=7"), ["h1:7", "h2:7"]);
    }

    #[test]
    fn an_address_that_is_not_understood_is_refused_without_repeating_it() {
        for text in [
            "mysql://ann:hunter2@h/db",
            "postgres://ann:hunter2@h:port/db",
            "postgres://ann:hunter2@h/db?sslmode=maybe-hunter2",
            "postgres://ann:hunter2@h/db?channel=hunter2",
            "postgres://ann:hunter2@h/db?options=hunter2",
            "postgres://ann:hunter2@[::1/db",
            "postgres://ann:hunter2%ff@h/db",
            "postgres://h/db?target_session_attrs=standby",
            "postgres://ann:hunter2@h/db?sslrootcert=/no/such/file",
            "hunter2",
        ] {
            let problem = places(text, None).unwrap_err();
            assert!(!problem.contains("hunter2"), "{problem}");
        }
        let problem = places("postgres://h/db?connect_timeout=1", None).unwrap_err();
        assert!(problem.contains("\"connect_timeout\" is not known"), "{problem}");
    }

    #[test]
    fn a_place_never_shows_the_password() {
        let shown = format!("{:?}", places("postgres://ann:hunter2@h1,h2/db", None).unwrap());
        assert_eq!(shown, "[Place(h1:5432), Place(h2:5432)]");
    }
}
