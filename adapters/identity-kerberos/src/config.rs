use std::path::PathBuf;

use domain::time::Lifetime;

use crate::worker::ARGUMENT;

/// The program that is the worker.
#[derive(Clone, Debug)]
pub struct Worker {
    /// Its path.
    pub program: PathBuf,
    /// What it is called with.
    pub arguments: Vec<String>,
}

impl Worker {
    /// The program that runs now, called with [`ARGUMENT`]: it must do nothing but [`crate::worker`] then.
    pub fn of_this_program() -> Self {
        // Not where it lies: after an update something else lies there, or nothing.
        let itself = PathBuf::from("/proc/self/exe");
        let program = match std::env::current_exe() {
            Ok(path) if !itself.exists() => path,
            _ => itself,
        };
        Self {
            program,
            arguments: vec![ARGUMENT.to_owned()],
        }
    }
}

/// Addresses made from names.
#[derive(Clone, Debug)]
pub struct Addresses {
    /// What stands behind the name (`emailDomain`): `example.com` for `alice@example.com`.
    pub domain: String,
    /// Whether they count as vouched for (`emailTrusted`).
    pub trusted: bool,
}

/// One Kerberos realm whose people may log in. Made by [`KerberosConfig::new`]; every field may be changed afterwards.
#[derive(Clone, Debug)]
pub struct KerberosConfig {
    /// Where the keys of our services are (`keytab`): an absolute path. Read anew for each ticket.
    pub keytab: PathBuf,
    /// What we are called (`service`): `HTTP/login.example.com@EXAMPLE.COM`, without realm for our own one, or `HTTP@login.example.com`.
    /// Tickets for any of them are taken; by the first, the KDC proves itself when it judges a password.
    pub services: Vec<String>,
    /// Our realm (`realm`). Its people may log in.
    pub realm: String,
    /// Further realms whose people may (`realms`): ours must trust them.
    pub realms: Vec<String>,
    /// Whether the people of our realm have user names without it (`stripRealm`). Those of other realms keep theirs.
    pub strip_realm: bool,
    /// Whether names that differ in case are one account (`foldCase`): so in Active Directory, not so in MIT's and Heimdal's KDCs.
    pub fold_case: bool,
    /// Which instances may log in (`instances`): `admin` for `root/admin`. Without it only plain names may.
    pub instances: Vec<String>,
    /// Whether names and passwords may be judged by the KDC (`passwords`).
    pub allow_passwords: bool,
    /// Which addresses people of our realm have. None: they have none.
    pub addresses: Option<Addresses>,
    /// The library's settings (`krb5Conf`): an absolute path. None: `$KRB5_CONFIG`, else the system's.
    pub krb5_conf: Option<PathBuf>,
    /// How far clocks may be apart. Not less than `clockskew` of the library's settings, which is five minutes unless it is there.
    pub clock_skew: Lifetime,
    /// How many tickets, and how many passwords, are judged at once (`maxConcurrent`); each has a process then.
    pub max_concurrent: usize,
    /// How long one may take (`timeout`), with the time it has to wait for its turn.
    pub timeout: Lifetime,
    /// What judges them.
    pub worker: Worker,
}

impl KerberosConfig {
    /// A realm and what we are called in it; tickets alone, no addresses.
    pub fn new(realm: impl Into<String>, service: impl Into<String>, keytab: impl Into<PathBuf>) -> Self {
        Self {
            keytab: keytab.into(),
            services: vec![service.into()],
            realm: realm.into(),
            realms: Vec::new(),
            strip_realm: true,
            fold_case: false,
            instances: Vec::new(),
            allow_passwords: false,
            addresses: None,
            krb5_conf: None,
            clock_skew: Lifetime::from_secs(300),
            max_concurrent: 4,
            timeout: Lifetime::from_secs(10),
            worker: Worker::of_this_program(),
        }
    }
}
