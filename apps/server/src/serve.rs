//! Running the server: open, wire, listen, drain, close.

use std::io::Write as _;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use domain::error::DomainError;
use domain::id::PoolName;
use domain::limits::ClientAddress;
use domain::origin::Origin;
use domain::outbox::Lane;
use domain::ports::ProviderDirectory;
use domain::secret::Secret;
use domain::service::Services;
use http_warp::serve::{Listener, ServeConfig, TlsFiles};
use http_warp::{App, HttpSettings, LegacyCookies, Metrics, TrustedNetwork};

use crate::adapters::{self, Keepers};
use crate::config::{Config, Loaded, Server};
use crate::delivery::{Bell, Delivery};
use crate::providers::{self, Directory, Providers};
use crate::wire::{self, Opened, whole};
use crate::{control, listen, shutdown};

/// How often what is void by its age is dropped.
const PURGE_EVERY: Duration = Duration::from_mins(1);

/// Why the server does not run: a sentence for the operator.
pub type Fault = Box<dyn std::error::Error + Send + Sync>;

/// Runs the server until it is asked to end.
///
/// # Errors
/// A sentence for the operator: a taken port, an unusable store or key, a broken configuration.
pub async fn run(loaded: &Loaded) -> Result<(), Fault> {
    let config = &loaded.config;
    for warning in &loaded.warnings {
        tracing::warn!("{warning}");
    }
    // The port first: a second server finds out before it touches any file.
    let sockets = listen::open(&config.server.listen)?;
    let port = sockets
        .first()
        .map(std::net::TcpListener::local_addr)
        .transpose()?
        .map_or(0, |address| address.port());
    let public_url = config.server.public_url(port);
    // Faults of files come before anything is made.
    let Providers {
        directory,
        watcher,
        warnings,
    } = providers::open(wire::providers_file(config, &public_url)?)?;
    for warning in warnings {
        tracing::warn!("{warning}");
    }
    let known: Arc<dyn ProviderDirectory> = Arc::<Directory>::clone(&directory);
    let breached = adapters::open_breached(config).await?;
    let opened = wire::open_with(config, public_url.clone(), known, breached).await?;
    let operated = opened.operated();
    let Opened {
        services, keepers, ..
    } = opened;
    let bells = Lane::ALL.map(|lane| (lane, Bell::default()));
    let services = services.waking(ringer(&bells)).telling(Arc::new(providers::tell));
    let keepers = Arc::new(keepers);
    let settings = http_settings(config, public_url.clone());
    let readiness = Arc::<Keepers>::clone(&keepers);
    let metrics = Arc::new(Metrics::default());
    let app = App::new(services.clone(), settings, readiness, metrics, directory)?;
    let listener = Listener::from_sockets(sockets, serve_config(&config.server)).await?;
    let ending = shutdown::listen()?;
    let drain_timeout = Duration::from_secs(config.server.drain_timeout);
    let begin = |(lane, bell): &(Lane, Bell)| Delivery::begin(services.clone(), *lane, bell, drain_timeout);
    let mut deliveries = bells.each_ref().map(begin);
    let offering = services.clone();
    let purging = tokio::spawn(purge_now_and_then(services));
    let watching = tokio::spawn(watcher.run());
    let commands = control::listen(operated).await;
    greet(&public_url, config, first_link(&offering).await.as_ref());
    let drained = listener
        .run(warp::service(http_warp::filter(app)), async {
            let ending = ending.await;
            tracing::info!(signal = ending.name(), "shutting down: finishing what is running");
            deliveries.iter_mut().for_each(Delivery::stop);
        })
        .await;
    drop(commands);
    let [people, services] = deliveries.map(Delivery::end);
    tokio::join!(people, services);
    purging.abort();
    watching.abort();
    tracing::info!(finished = drained.finished, cut = drained.cut, "stopped");
    keepers.close().await?;
    Ok(())
}

/// Rings every bell: whoever puts a message somewhere does not say for whom.
fn ringer(bells: &[(Lane, Bell)]) -> Arc<dyn Fn() + Send + Sync> {
    let ringers: Vec<_> = bells.iter().map(|(_, bell)| bell.ringer()).collect();
    Arc::new(move || ringers.iter().for_each(|ring| ring()))
}

/// The link by which the first administrator is made; none where somebody is there already. A store that does not answer just now is no
/// reason not to serve.
async fn first_link(services: &Services) -> Option<Secret> {
    match services
        .offer_set_up(&Origin::from(ClientAddress::of(Ipv4Addr::LOCALHOST.into())))
        .await
    {
        Ok(link) => link,
        Err(error) => {
            tracing::warn!(%error, "no link for a first administrator could be made");
            None
        }
    }
}

/// Tells the person at the keyboard where to go. A closed standard output is no reason not to serve. The link is for them alone: it stands
/// in no log.
fn greet(public_url: &str, config: &Config, first_link: Option<&Secret>) {
    let pools: Vec<String> = config
        .users
        .iter()
        .map(|pool| format!("{public_url}/api/{}", pool.plural))
        .collect();
    let administrator = first_link.map_or_else(String::new, |link| {
        format!(
            "  First administrator (once, within the hour): {}\n",
            link.expose()
        )
    });
    let text = format!(
        "Portcullis is listening at {public_url}\n  REST: {}\n{administrator}",
        pools.join(", ")
    );
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

async fn purge_now_and_then(services: Services) {
    let mut ticks = tokio::time::interval(PURGE_EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    ticks.tick().await;
    loop {
        ticks.tick().await;
        if let Err(DomainError::Port(error)) = services.purge().await {
            tracing::warn!(%error, "what is void could not be dropped; trying again later");
        }
    }
}

fn http_settings(config: &Config, public_url: String) -> HttpSettings {
    let server = &config.server;
    let trusted = server.trusted_proxies.iter();
    HttpSettings {
        public_url,
        trusted_proxies: trusted
            .map(|network| TrustedNetwork {
                address: network.address,
                prefix: network.prefix,
            })
            .collect(),
        cors_origins: server.cors_origins.clone(),
        redirect_origins: server.redirect_origins.clone(),
        return_to: config.providers.return_to.clone(),
        legacy_cookies: server.legacy_cookies.as_ref().map(|cookies| LegacyCookies {
            secret: Secret::new(cookies.secret.expose()),
            write: cookies.write,
        }),
        static_dir: server.static_dir.clone(),
        body_limit: whole(server.body_limit),
        body_timeout: Duration::from_secs(server.body_timeout),
        query_token: server.query_token,
        default_pool: PoolName::new(config.users.first().map_or("Users", |pool| pool.plural.as_str())),
    }
}

fn serve_config(server: &Server) -> ServeConfig {
    ServeConfig {
        tls: server.tls.as_ref().map(|tls| TlsFiles {
            cert: tls.cert.clone(),
            key: tls.key.clone(),
        }),
        header_timeout: Duration::from_secs(server.header_timeout),
        body_timeout: Duration::from_secs(server.body_timeout),
        drain_timeout: Duration::from_secs(server.drain_timeout),
        max_connections: whole(server.max_connections),
        max_connections_per_address: whole(server.max_connections_per_address),
        ..ServeConfig::default()
    }
}
