//! A reverse proxy of the system, as a process of its own that ends with its test.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use e2e::Portcullis;
use tempfile::TempDir;

use super::block;
use super::service::Service;

/// How long one may take to start on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// What nginx needs around the page's block: no root's folders, no daemon, nothing but one process.
const NGINX: &str = "daemon off;
master_process off;
pid nginx.pid;
error_log stderr warn;
events { worker_connections 512; }
http {
    access_log off;
    client_body_temp_path body;
    proxy_temp_path proxied;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    include site.conf;
}
";

pub struct Proxy {
    _home: TempDir,
    child: Child,
    port: u16,
}

impl Proxy {
    /// nginx with the three files of the page.
    pub fn nginx(server: &Portcullis, service: &Service) -> Self {
        Self::nginx_before(server, service.port())
    }

    /// The same before a service at that port.
    pub fn nginx_before(server: &Portcullis, service: u16) -> Self {
        let port = free_port();
        let site = block("nginx", "upstream portcullis")
            .replace("127.0.0.1:3000", &format!("127.0.0.1:{}", server.port()))
            .replace("127.0.0.1:8080", &format!("127.0.0.1:{service}"))
            .replace("listen 8000;", &format!("listen 127.0.0.1:{port};"));
        let home = tempfile::tempdir().expect("a folder");
        for (name, text) in [
            ("nginx.conf", NGINX),
            ("site.conf", &site),
            ("guard.conf", &block("nginx", "proxy_pass_request_body off")),
            ("guarded.conf", &block("nginx", "proxy_set_header X-User-Id")),
        ] {
            fs::write(home.path().join(name), text).expect("a configuration");
        }
        let mut command = Command::new(program("nginx"));
        command
            .arg("-p")
            .arg(home.path())
            .args(["-c", "nginx.conf", "-e", "stderr"]);
        Self::started(command, home, port)
    }

    /// Caddy with the file of the page.
    pub fn caddy(server: &Portcullis, service: &Service) -> Self {
        let port = free_port();
        let site = block("caddyfile", "forward_auth")
            .replace("127.0.0.1:3000", &format!("127.0.0.1:{}", server.port()))
            .replace("127.0.0.1:8080", &format!("127.0.0.1:{}", service.port()))
            .replace(":8000 {", &format!(":{port} {{\n\tbind 127.0.0.1"));
        let home = tempfile::tempdir().expect("a folder");
        let file = home.path().join("Caddyfile");
        // No interface for administrators.
        let whole = format!("{{\n\tadmin off\n\tauto_https off\n}}\n{site}");
        fs::write(&file, whole).expect("a configuration");
        let mut command = Command::new(program("caddy"));
        command
            .args(["run", "--adapter", "caddyfile", "--config"])
            .arg(&file)
            .env("HOME", home.path())
            .env("XDG_DATA_HOME", home.path())
            .env("XDG_CONFIG_HOME", home.path());
        Self::started(command, home, port)
    }

    fn started(mut command: Command, home: TempDir, port: u16) -> Self {
        let log = home.path().join("log");
        let file = fs::File::create(&log).expect("a log");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(file);
        let child = command
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?}: {error}; bash tests/setup installs it"));
        let mut proxy = Self {
            _home: home,
            child,
            port,
        };
        let until = Instant::now() + PATIENCE;
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            let ended = proxy.child.try_wait().expect("a child").is_some();
            assert!(
                !ended && Instant::now() < until,
                "it does not listen: {}",
                fs::read_to_string(&log).unwrap_or_default()
            );
            thread::sleep(Duration::from_millis(10));
        }
        proxy
    }

    pub fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // Its own handle: nobody else's process ends.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Debian keeps nginx apart from everybody's programs.
fn program(name: &str) -> String {
    let apart = format!("/usr/sbin/{name}");
    if Path::new(&apart).exists() {
        apart
    } else {
        name.to_owned()
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}
