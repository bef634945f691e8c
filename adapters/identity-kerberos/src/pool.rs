//! Workers: started when they are needed, kept for the next question, ended when one takes too long.

use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::process::Stdio;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use domain::ports::ProviderError;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use zeroize::Zeroizing;

use crate::KerberosConfig;
use crate::wire::{Answer, Question, frame_length};

/// What of our own environment a worker may know, where the library lies; the rest may hold secrets that are none of its business.
const LIBRARIES: &str = "LD_LIBRARY_PATH";
const KRB5_CONFIG: &str = "KRB5_CONFIG";

/// How a worker is started.
struct Launch {
    program: OsString,
    arguments: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
}

impl Launch {
    fn new(config: &KerberosConfig) -> Self {
        Self {
            program: config.worker.program.clone().into_os_string(),
            arguments: config.worker.arguments.iter().map(Into::into).collect(),
            environment: environment(config),
        }
    }

    fn start(&self) -> io::Result<Process> {
        let mut child = Command::new(&self.program)
            .args(&self.arguments)
            .env_clear()
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            // A terminal's Ctrl+C is for the server, which may still have questions on its way out.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        let missing = || io::Error::from(io::ErrorKind::BrokenPipe);
        Ok(Process {
            input: child.stdin.take().ok_or_else(missing)?,
            output: child.stdout.take().ok_or_else(missing)?,
            _child: child,
        })
    }
}

/// The library's settings (kerberos(7)). Its own cache of replays is off: it would be a file on this machine alone, which fails honest
/// people when its folder cannot be written to; what was shown before is known to all nodes together. Tickets of our own are in memory.
fn environment(config: &KerberosConfig) -> Vec<(OsString, OsString)> {
    let keytab = |path: &Path| {
        let mut name = OsString::from("FILE:");
        name.push(path);
        name
    };
    let mut environment: Vec<(OsString, OsString)> = vec![
        ("KRB5_KTNAME".into(), keytab(&config.keytab)),
        ("KRB5_CLIENT_KTNAME".into(), "FILE:/nonexistent".into()),
        ("KRB5CCNAME".into(), "MEMORY:portcullis".into()),
        ("KRB5RCACHENAME".into(), "none:".into()),
        // What it was called before MIT 1.18.
        ("KRB5RCACHETYPE".into(), "none".into()),
    ];
    let krb5_conf = config
        .krb5_conf
        .as_ref()
        .map(|path| path.clone().into_os_string());
    if let Some(path) = krb5_conf.or_else(|| std::env::var_os(KRB5_CONFIG)) {
        environment.push((KRB5_CONFIG.into(), path));
    }
    if let Some(path) = std::env::var_os(LIBRARIES) {
        environment.push((LIBRARIES.into(), path));
    }
    environment
}

/// A running worker. Ends when it is dropped.
struct Process {
    input: ChildStdin,
    output: ChildStdout,
    _child: Child,
}

impl Process {
    async fn ask(&mut self, frame: &[u8]) -> io::Result<Answer> {
        self.input.write_all(frame).await?;
        self.input.flush().await?;
        let mut head = [0; 4];
        self.output.read_exact(&mut head).await?;
        let length = frame_length(head).ok_or(io::ErrorKind::InvalidData)?;
        let mut frame = Zeroizing::new(vec![0; length]);
        self.output.read_exact(&mut frame).await?;
        Answer::read(&frame).ok_or_else(|| io::ErrorKind::InvalidData.into())
    }
}

/// Workers for one kind of question.
pub struct Pool {
    launch: Launch,
    gate: Semaphore,
    idle: Mutex<Vec<Process>>,
    patience: Duration,
}

impl Pool {
    /// Starts nothing yet.
    pub fn new(config: &KerberosConfig) -> Self {
        Self {
            launch: Launch::new(config),
            gate: Semaphore::new(config.max_concurrent),
            idle: Mutex::default(),
            patience: Duration::from_millis(config.timeout.as_millis()),
        }
    }

    /// Asks a worker. Waiting for one is part of the time there is.
    pub async fn ask(&self, question: Question) -> Result<Answer, ProviderError> {
        let unavailable =
            |error: io::Error| ProviderError::Unavailable(format!("the Kerberos worker: {}", error.kind()));
        match timeout(self.patience, self.ask_in_turn(&question.to_frame())).await {
            Ok(answered) => answered.map_err(unavailable),
            Err(_) => Err(ProviderError::Unavailable("Kerberos takes too long".to_owned())),
        }
    }

    async fn ask_in_turn(&self, frame: &[u8]) -> io::Result<Answer> {
        let _turn = self.gate.acquire().await.map_err(io::Error::other)?;
        // One that waited may be gone by now. Asked again is once: a question that ends workers does not get them all.
        if let Some(mut process) = self.take()
            && let Ok(answer) = process.ask(frame).await
        {
            self.keep(process);
            return Ok(answer);
        }
        let mut process = self.launch.start()?;
        let answer = process.ask(frame).await?;
        self.keep(process);
        Ok(answer)
    }

    fn take(&self) -> Option<Process> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    /// Only after a whole answer: who was interrupted in between would answer the next question with the last one's answer.
    fn keep(&self, process: Process) {
        self.idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(process);
    }
}
