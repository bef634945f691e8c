//! From `storage.url` to the driver's options. What the operator may say in the URL is a list of our own: an option that would
//! weaken what this store promises is refused with a sentence instead of being overruled in silence.

use std::path::Path;
use std::time::Duration;

use mongodb::options::{
    Acknowledgment, ClientOptions, ConnectionString, ReadConcern, ReadPreference, SelectionCriteria, Tls,
    TlsOptions, WriteConcern,
};

use crate::config::MongoConfig;
use crate::error::OpenError;

/// The database when the URL names none.
const DATABASE: &str = "portcullis";

/// How often the driver asks each server how it is, unless the URL says otherwise.
const HEARTBEAT: Duration = Duration::from_secs(1);

/// How an option of the URL is judged.
enum Rule {
    /// The operator's business.
    Free,
    /// Accepted with this value alone, which holds anyway: URLs copied from a cloud console carry some of these.
    Only(&'static str),
    /// There is a setting of ours for it.
    Setting(&'static str),
    /// Never.
    Unsafe,
}

fn rule(option: &str) -> Option<Rule> {
    Some(match option {
        "appname"
        | "authmechanism"
        | "authmechanismproperties"
        | "authsource"
        | "directconnection"
        | "heartbeatfrequencyms"
        | "localthresholdms"
        | "maxconnecting"
        | "maxidletimems"
        | "minpoolsize"
        | "replicaset"
        | "retryreads"
        | "retrywrites"
        | "servermonitoringmode"
        | "srvmaxhosts"
        | "srvservicename"
        | "ssl"
        | "tls"
        | "tlscertificatekeyfile" => Rule::Free,
        "w" => Rule::Only("majority"),
        "journal" => Rule::Only("true"),
        "readpreference" => Rule::Only("primary"),
        "readconcernlevel" => Rule::Only("local"),
        "tlscafile" => Rule::Setting("storage.ca_file"),
        "maxpoolsize" => Rule::Setting("storage.max_connections"),
        "connecttimeoutms"
        | "serverselectiontimeoutms"
        | "sockettimeoutms"
        | "timeoutms"
        | "waitqueuetimeoutms"
        | "wtimeoutms" => Rule::Setting("nothing: every call is bounded by three seconds"),
        "tlsinsecure" | "tlsallowinvalidcertificates" | "tlsallowinvalidhostnames" => Rule::Unsafe,
        _ => return None,
    })
}

/// Looks whether the URL makes sense, without asking anybody: not even a name server.
pub(crate) fn check(config: &MongoConfig) -> Result<(), OpenError> {
    let url = config.url.expose();
    judge(url)?;
    let read = ConnectionString::parse(url).map_err(|error| said(url, &error))?;
    tls(read.tls, config.ca_file.as_deref()).map(drop)
}

/// Reads the URL and sets what must hold whatever it says.
pub(crate) async fn options(config: &MongoConfig) -> Result<ClientOptions, OpenError> {
    let url = config.url.expose();
    judge(url)?;
    let mut options = ClientOptions::parse(url)
        .await
        .map_err(|error| said(url, &error))?;
    options.tls = tls(options.tls.take(), config.ca_file.as_deref())?;
    options.app_name.get_or_insert_with(|| DATABASE.to_owned());
    options
        .default_database
        .get_or_insert_with(|| DATABASE.to_owned());
    // One more than there may be calls: a look whether the database is well never waits for them.
    options.max_pool_size = Some(config.max_connections.max(1).saturating_add(1));
    options.connect_timeout = Some(config.connect_timeout);
    options.server_selection_timeout = Some(config.server_selection_timeout);
    // A server that fell silent is given up after this and a connection's time.
    options.heartbeat_freq.get_or_insert(HEARTBEAT);
    options.write_concern = Some(durable(config.operation_timeout));
    // A new primary holds every acknowledged write from its first moment on, while its majority snapshot may lag behind: an
    // ended session would live again. What is read here and rolled back later is harmless, since whatever is decided on it is
    // written behind it, and acknowledged by a majority only together with it.
    options.read_concern = Some(ReadConcern::local());
    options.selection_criteria = Some(SelectionCriteria::ReadPreference(ReadPreference::Primary));
    Ok(options)
}

/// Acknowledged once it is in the journals of a majority. The server gives up waiting before the caller does, and says so.
fn durable(bound: Duration) -> WriteConcern {
    WriteConcern::builder()
        .w(Acknowledgment::Majority)
        .journal(true)
        .w_timeout(server_side(bound))
        .build()
}

/// How long the server may wait within a call of `bound`.
pub(crate) fn server_side(bound: Duration) -> Duration {
    bound.mul_f32(0.8)
}

/// Judges the options of a URL before the driver sees them.
fn judge(url: &str) -> Result<(), OpenError> {
    let (_, options) = url.split_once('?').unwrap_or((url, ""));
    if options.contains('@') {
        // It is no option at all but the rest of a password that was not percent-encoded: not a letter of it is repeated.
        return Err(OpenError::Url(UNREADABLE.to_owned()));
    }
    for (name, value) in options.split('&').filter_map(|pair| pair.split_once('=')) {
        let lower = name.to_lowercase();
        let sentence = match rule(&lower) {
            Some(Rule::Free) => continue,
            Some(Rule::Only(only)) if value.eq_ignore_ascii_case(only) => continue,
            Some(Rule::Only(only)) => format!("{name} can only be {only}: leave it out"),
            Some(Rule::Setting(setting)) => format!("{name} has no place in it: use {setting}"),
            Some(Rule::Unsafe) => format!("{name} would let anybody play the database: use storage.ca_file"),
            None => format!("{name} is not an option of it"),
        };
        return Err(OpenError::Url(sentence));
    }
    Ok(())
}

const UNREADABLE: &str = "it is not mongodb://user:password@host/database?options; in user and password everything but letters \
                          and digits is percent-encoded";

/// What the driver says of a URL, unless a piece of what must stay secret is in it.
fn said(url: &str, error: &mongodb::error::Error) -> OpenError {
    let message = error.to_string();
    let private = url.rsplit_once('@').map_or("", |(private, _)| private);
    let leaks = private
        .split([':', '/', '?', '#', '[', ']', '@'])
        .skip(1)
        .any(|piece| !piece.is_empty() && message.contains(piece));
    OpenError::Url(if leaks { UNREADABLE.to_owned() } else { message })
}

fn tls(asked: Option<Tls>, ca_file: Option<&Path>) -> Result<Option<Tls>, OpenError> {
    let Some(path) = ca_file else {
        return Ok(asked);
    };
    let Some(Tls::Enabled(asked)) = asked else {
        return Err(OpenError::Url(
            "storage.ca_file is set, but the URL does not ask for TLS: add tls=true".to_owned(),
        ));
    };
    std::fs::File::open(path).map_err(|source| OpenError::CaFile {
        path: path.to_owned(),
        source,
    })?;
    let mut with_authority = TlsOptions::builder().ca_file_path(path.to_owned()).build();
    with_authority.cert_key_file_path = asked.cert_key_file_path;
    Ok(Some(Tls::Enabled(with_authority)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::secret::Secret;

    /// The options of a URL; what is refused must be refused before anything is asked for.
    fn read(url: &str) -> Result<ClientOptions, String> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let config = MongoConfig::new(Secret::new(url));
        let read = runtime.block_on(options(&config));
        assert_eq!(config.check().is_ok(), read.is_ok());
        read.map_err(|error| error.to_string())
    }

    #[test]
    fn every_write_is_journalled_by_a_majority_and_read_from_the_primary() {
        let options = read("mongodb://db.example/?retryWrites=true&w=majority").unwrap();
        let concern = options.write_concern.unwrap();
        assert_eq!(concern.w, Some(Acknowledgment::Majority));
        assert_eq!(concern.journal, Some(true));
        assert!(concern.w_timeout.unwrap() < Duration::from_secs(3));
        assert_eq!(options.read_concern, Some(ReadConcern::local()));
        let primary = SelectionCriteria::ReadPreference(ReadPreference::Primary);
        assert_eq!(options.selection_criteria, Some(primary));
    }

    #[test]
    fn the_database_is_the_one_of_the_url() {
        let named = read("mongodb://db.example/logins").unwrap();
        assert_eq!(named.default_database.as_deref(), Some("logins"));
        let unnamed = read("mongodb://db.example").unwrap();
        assert_eq!(unnamed.default_database.as_deref(), Some("portcullis"));
    }

    #[test]
    fn an_option_that_would_weaken_the_store_is_refused() {
        for option in [
            "w=1",
            "w=0",
            "journal=false",
            "readPreference=secondary",
            "readConcernLevel=available",
            "tlsInsecure=true",
            "tlsAllowInvalidCertificates=true",
            "maxPoolSize=9",
            "socketTimeoutMS=9",
        ] {
            let refused = read(&format!("mongodb://db.example/?{option}")).unwrap_err();
            let name = option.split_once('=').unwrap().0;
            assert!(refused.contains(name), "{refused}");
        }
    }

    #[test]
    fn an_unknown_option_is_named() {
        let refused = read("mongodb://db.example/?replicaSte=a").unwrap_err();
        assert!(refused.contains("replicaSte is not an option"), "{refused}");
    }

    #[test]
    fn no_refusal_repeats_a_piece_of_a_password() {
        for url in [
            "mongodb://ann:hun/ter@db.example/?w=1",
            "mongodb://ann:hun/ter@db.example/",
            "mongodb://ann:hun?ter@db.example/",
            "mongodb://ann:hun?ter=x@db.example/",
            "mongodb://ann:hun@ter@db.example/",
            "mongodb://ann:hun:ter@db.example/",
            "mongodb://ann:hun%zzter@db.example/",
            "mongodb://ann:[hunter@db.example/",
            "ann:hunter@db.example",
            "http://ann:hunter@db.example",
            "mongodb://ann:hunter@db.example:x/",
        ] {
            let refused = read(url).unwrap_err();
            assert!(!refused.contains("hun") && !refused.contains("ter@"), "{refused}");
            assert!(!refused.contains("ter="), "{refused}");
        }
    }

    #[test]
    fn a_private_authority_needs_tls_and_a_file() {
        let mut config = MongoConfig::new(Secret::new("mongodb://db.example/"));
        config.ca_file = Some("/nowhere/ca.pem".into());
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let refused = runtime.block_on(options(&config)).unwrap_err().to_string();
        assert!(refused.contains("add tls=true"), "{refused}");
        assert_eq!(config.check().unwrap_err().to_string(), refused);
        config.url = Secret::new("mongodb://db.example/?tls=true");
        let refused = runtime.block_on(options(&config)).unwrap_err().to_string();
        assert!(refused.contains("/nowhere/ca.pem"), "{refused}");
    }
}
