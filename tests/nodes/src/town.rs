//! Three nodes behind a balancer.

use std::net::TcpListener;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use e2e::{Client, Console, Portcullis, Setup};
use serde_json::Value;
use servers::Balancer;
use tempfile::TempDir;

use crate::ask::Asker;
use crate::book::Book;

const NODES: usize = 3;
/// How long a town may take to be whole again.
const PATIENCE: Duration = Duration::from_mins(1);
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// A line for hashes that is long enough for everybody, and two pools: one with a code after every password.
const COMMON: &str = "[server]\ntrusted_proxies = [\"127.0.0.1\"]\n[hash]\nqueue = 500\n[users.Users]\n[users.Employees]\n\
                      second_factor = \"required\"\n";

/// What a town is built on.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// `storage.url`
    pub storage: String,
    /// `sessions.url`
    pub sessions: String,
    /// Entries of `providers.json`, if there are any.
    pub providers: Option<Value>,
}

/// What people see of a town, wherever they are: its address, and what its nodes print.
#[derive(Clone)]
pub struct View {
    /// Somebody at the balancer.
    pub asker: Asker,
    consoles: Arc<Mutex<Vec<Console>>>,
    addresses: Vec<String>,
    public: String,
}

/// Nodes, and the balancer before them.
pub struct Town {
    nodes: Vec<Portcullis>,
    _balancer: Balancer,
    view: View,
    _keys: TempDir,
}

impl Town {
    /// Builds three nodes on the same stores, with the same key, and waits until all are ready.
    ///
    /// # Panics
    /// When one does not start.
    pub async fn build(plan: &Plan) -> Self {
        let keys = tempfile::tempdir().expect("a folder");
        let ports: Vec<u16> = (0..NODES).map(|_| free_port()).collect();
        let balancer = Balancer::start(&ports);
        let public = format!("http://{}", balancer.address());
        let mut nodes = Vec::new();
        for port in &ports {
            nodes.push(setup(plan, *port, &public, &keys).start().await);
        }
        let consoles = nodes.iter().map(|node| node.console().clone()).collect();
        let view = View {
            asker: Asker::new(Client::of(&public), Arc::new(Book::default())),
            consoles: Arc::new(Mutex::new(consoles)),
            public,
            addresses: ports
                .iter()
                .map(|port| format!("http://127.0.0.1:{port}"))
                .collect(),
        };
        let town = Self {
            nodes,
            _balancer: balancer,
            view,
            _keys: keys,
        };
        town.whole().await;
        town
    }

    /// What people see of it.
    pub const fn view(&self) -> &View {
        &self.view
    }

    /// Kills a node as a power cut would, and starts it again after a while.
    pub async fn kill_and_restart(&mut self, node: usize, after: Duration) {
        let mut killed = self.nodes.remove(node);
        killed.kill();
        tokio::time::sleep(after).await;
        let anew = killed.same_setup().start().await;
        self.view.consoles().push(anew.console().clone());
        self.nodes.insert(node, anew);
    }

    /// Waits until every node says that it is ready; how long that took.
    ///
    /// # Panics
    /// When that does not come.
    pub async fn whole(&self) -> Duration {
        let begun = Instant::now();
        for address in self.view.addresses.iter().chain([&self.view.public]) {
            let client = Client::of(address);
            loop {
                let asked = client
                    .try_send(client.request("GET", "/readyz").timeout(PATIENCE))
                    .await;
                if asked.as_ref().is_ok_and(|reply| reply.status == 200) {
                    break;
                }
                assert!(begun.elapsed() < PATIENCE, "{address} is not ready: {asked:?}");
                tokio::time::sleep(LOOK_AGAIN).await;
            }
        }
        begun.elapsed()
    }
}

impl View {
    /// The address of the balancer.
    pub fn address(&self) -> &str {
        &self.public
    }

    /// A client of one node, past the balancer.
    ///
    /// # Panics
    /// When there is no such node.
    pub fn node(&self, number: usize) -> Client {
        let address = self.addresses.get(number % NODES).expect("a node");
        Client::of(address)
    }

    /// The same people, at one node after another instead of the balancer.
    pub fn nodes(&self) -> Vec<Client> {
        (0..NODES).map(|number| self.node(number)).collect()
    }

    fn consoles(&self) -> std::sync::MutexGuard<'_, Vec<Console>> {
        self.consoles.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Every mail to an address that any node printed, those of killed ones too.
    pub fn mails(&self, address: &str) -> Vec<String> {
        self.consoles()
            .iter()
            .flat_map(|console| console.mails(address))
            .collect()
    }

    /// Every code for a name that any node printed.
    pub fn codes(&self, name: &str) -> Vec<String> {
        self.consoles()
            .iter()
            .flat_map(|console| console.codes(name))
            .collect()
    }
}

fn setup(plan: &Plan, port: u16, public: &str, keys: &TempDir) -> Setup {
    let key = keys.path().join("portcullis.key");
    let mut setup = Portcullis::setup()
        .config(COMMON)
        .variable("PORTCULLIS__SERVER__LISTEN", &format!("127.0.0.1:{port}"))
        .variable("PORTCULLIS__SERVER__PUBLIC_URL", public)
        .variable("PORTCULLIS__SECRETS__KEY_FILE", &key.display().to_string())
        .variable("PORTCULLIS__STORAGE__URL", &plan.storage)
        .variable("PORTCULLIS__SESSIONS__URL", &plan.sessions);
    if let Some(entries) = &plan.providers {
        setup = setup.providers(entries);
    }
    setup
}

/// A port that nobody has just now.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address").port()
}
