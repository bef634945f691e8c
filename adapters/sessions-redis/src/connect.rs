//! Making connections.

use std::time::Duration;

use domain::secret::Secret;
use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, ErrorKind, IntoConnectionInfo as _, ProtocolVersion,
    PushInfo, RedisConnectionInfo, RedisError, RedisResult, TlsCertificates,
};
use tokio::time::timeout;

use crate::OpenError;
use crate::config::{Address, RedisConfig};

/// Makes clients for addresses: knows TLS, user and password.
pub(crate) struct Dialer {
    ca: Option<Vec<u8>>,
    is_tls: bool,
    user: Option<String>,
    password: Option<Secret>,
    database: i64,
    pub timeout: Duration,
}

/// Who is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Party {
    /// A server that keeps data.
    Server,
    /// A sentinel: it has no databases.
    Sentinel,
    /// A sentinel that knows no passwords.
    OpenSentinel,
}

impl Dialer {
    pub fn new(config: &RedisConfig) -> Result<Self, OpenError> {
        let ca = match &config.ca_file {
            Some(path) => Some(std::fs::read(path).map_err(|source| OpenError::CaFile {
                path: path.clone(),
                source,
            })?),
            None => None,
        };
        // Refused when somebody installed one already, which is as good.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        Ok(Self {
            ca,
            is_tls: config.is_tls,
            user: config.user.clone(),
            password: config.password.clone(),
            database: config.database,
            timeout: config.timeout,
        })
    }

    /// A client for an address. Nothing is sent yet.
    pub fn client(&self, address: &Address, party: Party) -> RedisResult<Client> {
        let (host, port) = (address.host.clone(), address.port);
        let addr = if self.is_tls {
            ConnectionAddr::TcpTls {
                host,
                port,
                insecure: false,
                tls_params: None,
            }
        } else {
            ConnectionAddr::Tcp(host, port)
        };
        let info = addr
            .into_connection_info()?
            .set_redis_settings(self.settings(party));
        if !self.is_tls {
            return Client::open(info);
        }
        let certificates = TlsCertificates {
            client_tls: None,
            root_cert: self.ca.clone(),
        };
        Client::build_with_tls(info, certificates)
    }

    fn settings(&self, party: Party) -> RedisConnectionInfo {
        // RESP3 everywhere: invalidations come as pushes.
        let mut settings = RedisConnectionInfo::default()
            .set_protocol(ProtocolVersion::RESP3)
            .set_skip_set_lib_name();
        if party == Party::Server {
            settings = settings.set_db(self.database);
        }
        if party == Party::OpenSentinel {
            return settings;
        }
        if let Some(user) = &self.user {
            settings = settings.set_username(user);
        }
        if let Some(password) = &self.password {
            settings = settings.set_password(password.expose());
        }
        settings
    }

    /// A connection, greeted and authenticated, within the time of two calls.
    pub async fn dial(&self, client: &Client) -> RedisResult<MultiplexedConnection> {
        self.within(client, AsyncConnectionConfig::new()).await
    }

    /// A connection whose pushes go to `heard`, in order with its answers.
    pub async fn dial_listening(
        &self,
        client: &Client,
        heard: impl Fn(PushInfo) + Send + Sync + 'static,
    ) -> RedisResult<MultiplexedConnection> {
        let hear = move |info| {
            heard(info);
            Ok::<(), ()>(())
        };
        self.within(client, AsyncConnectionConfig::new().set_push_sender(hear))
            .await
    }

    /// How long connecting may take: it has more to say than a call, and nobody waits for it.
    pub fn patience(&self) -> Duration {
        self.timeout * 2
    }

    async fn within(
        &self,
        client: &Client,
        config: AsyncConnectionConfig,
    ) -> RedisResult<MultiplexedConnection> {
        // Deadlines are ours, one for each call.
        let config = config
            .set_connection_timeout(Some(self.patience()))
            .set_response_timeout(None);
        timeout(
            self.patience(),
            client.get_multiplexed_async_connection_with_config(&config),
        )
        .await
        .unwrap_or_else(|_| Err(RedisError::from((ErrorKind::Io, "connecting took too long"))))
        .map_err(|error| self.discreet(error))
    }

    /// An error that repeats nothing secret: who does not know a command quotes what came with it, here the password, and not always
    /// the whole of it.
    fn discreet(&self, error: RedisError) -> RedisError {
        let said = format!("{error} {error:?}");
        let secret = self.password.as_ref().map(Secret::expose);
        let is_quoted = secret.is_some_and(|secret| !secret.is_empty() && said.contains(secret));
        if is_quoted || said.contains("unknown command") {
            return RedisError::from((ErrorKind::Io, "it does not know HELLO, the greeting of RESP3"));
        }
        error
    }
}

/// Certificates of the configured file, or the system's, make a TLS client: found out before anything is served.
pub(crate) fn check_tls(dialer: &Dialer, config: &RedisConfig) -> Result<(), OpenError> {
    if !config.is_tls {
        return Ok(());
    }
    let probe = Address {
        host: "localhost".to_owned(),
        port: 1,
    };
    dialer
        .client(&probe, Party::Server)
        .map(|_| ())
        .map_err(|error| OpenError::Tls(error.to_string()))
}
