//! Programs of this machine, and how they are run: as whom, and until when.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::trouble::Trouble;

/// Where distributions put servers that are not in everybody's `PATH`; `*` is a version.
const ELSEWHERE: &[&str] = &[
    "/usr/sbin",
    "/usr/local/sbin",
    "/usr/local/bin",
    "/opt/homebrew/bin",
];
const POSTGRES: &str = "/usr/lib/postgresql";

/// The program, or what to do when there is none.
pub(crate) fn find(name: &str) -> Result<PathBuf, Trouble> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path)
        .chain(ELSEWHERE.iter().map(PathBuf::from))
        .chain(postgres_folders())
        .chain([tools().join("mongo/bin"), tools().join("bin")]);
    let mut programs = folders.map(|folder| folder.join(name));
    programs.find(|program| program.is_file()).ok_or_else(|| {
        Trouble::new(format!(
            "the program {name} is not on this machine: run `bash tests/setup`"
        ))
    })
}

/// Where `tests/setup` puts what it had to build.
fn tools() -> PathBuf {
    let home = || std::env::var_os("HOME").map(|home| Path::new(&home).join(".cache"));
    let cache = std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(home);
    cache.unwrap_or_default().join("portcullis/tools")
}

/// Debian keeps several PostgreSQLs side by side: the newest first.
fn postgres_folders() -> Vec<PathBuf> {
    let versions = fs::read_dir(POSTGRES).into_iter().flatten().flatten();
    let mut versions: Vec<(u32, PathBuf)> = versions
        .filter_map(|entry| {
            Some((
                entry.file_name().to_str()?.parse().ok()?,
                entry.path().join("bin"),
            ))
        })
        .collect();
    versions.sort_unstable_by_key(|(version, _)| std::cmp::Reverse(*version));
    versions.into_iter().map(|(_, folder)| folder).collect()
}

/// Whose process it shall be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Account {
    user: u32,
    group: u32,
}

impl Account {
    /// For programs that refuse to run as root: somebody with fewer rights. Nobody else when we are not root.
    pub fn without_root() -> Result<Option<Self>, Trouble> {
        if !rustix::process::getuid().is_root() {
            return Ok(None);
        }
        let people = fs::read_to_string("/etc/passwd").unwrap_or_default();
        let found = ["postgres", "nobody"]
            .iter()
            .find_map(|name| Self::named(&people, name));
        let nobody =
            || Trouble::new("PostgreSQL does not run as root, and there is no user postgres or nobody");
        found.map(Some).ok_or_else(nobody)
    }

    fn named(people: &str, name: &str) -> Option<Self> {
        let line = people.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut fields = line.split(':').skip(2);
        let user = fields.next()?.parse().ok()?;
        let group = fields.next()?.parse().ok()?;
        Some(Self { user, group })
    }

    /// Gives a file or folder away.
    pub fn own(self, path: &Path) -> Result<(), Trouble> {
        std::os::unix::fs::chown(path, Some(self.user), Some(self.group))
            .map_err(|error| Trouble::new(format!("{} cannot be given away: {error}", path.display())))
    }
}

/// A program with its arguments and the account it runs under.
pub(crate) struct Program {
    path: PathBuf,
    account: Option<Account>,
    last_signal: Option<&'static str>,
    arguments: Vec<std::ffi::OsString>,
}

impl Program {
    pub fn named(name: &str) -> Result<Self, Trouble> {
        let path = find(name)?;
        Ok(Self {
            path,
            account: None,
            last_signal: None,
            arguments: Vec::new(),
        })
    }

    pub fn under(mut self, account: Option<Account>) -> Self {
        self.account = account;
        self
    }

    /// It shall not outlive us, not even when we are killed: the system sends it this signal then.
    pub fn ends_with_us(mut self, signal: &'static str) -> Self {
        self.last_signal = Some(signal);
        self
    }

    pub fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.arguments.push(argument.as_ref().to_owned());
        self
    }

    pub fn args<A: AsRef<OsStr>>(self, arguments: impl IntoIterator<Item = A>) -> Self {
        arguments.into_iter().fold(self, Self::arg)
    }

    /// The command, behind `setpriv` where that is needed and there.
    pub fn command(&self) -> Result<Command, Trouble> {
        let wrapper = match find("setpriv") {
            Ok(wrapper) if self.account.is_some() || self.last_signal.is_some() => Some(wrapper),
            Err(trouble) if self.account.is_some() => return Err(trouble),
            _ => None,
        };
        let mut command = Command::new(wrapper.as_ref().unwrap_or(&self.path));
        if wrapper.is_some() {
            if let Some(Account { user, group }) = self.account {
                command.args([
                    format!("--reuid={user}"),
                    format!("--regid={group}"),
                    "--clear-groups".into(),
                ]);
            }
            if let Some(signal) = self.last_signal {
                command.arg(format!("--pdeathsig={signal}"));
            }
            command.arg("--").arg(&self.path);
        }
        // Not where we are: the account may not be allowed to look there.
        command
            .args(&self.arguments)
            .current_dir("/")
            .stdin(Stdio::null());
        Ok(command)
    }

    /// Runs it to its end; what it printed, or why it failed.
    pub fn output(&self) -> Result<String, Trouble> {
        let name = self.path.display();
        let failed = |why: String| Trouble::new(format!("{name} failed: {why}"));
        let Output {
            status,
            stdout,
            stderr,
        } = self
            .command()?
            .output()
            .map_err(|error| failed(error.to_string()))?;
        if status.success() {
            return Ok(String::from_utf8_lossy(&stdout).into_owned());
        }
        let said = [stdout, stderr].concat();
        Err(failed(format!(
            "{status}: {}",
            String::from_utf8_lossy(&said).trim()
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_program_says_what_to_run() {
        let missing = find("no-such-server").unwrap_err().to_string();
        assert_eq!(
            missing,
            "the program no-such-server is not on this machine: run `bash tests/setup`"
        );
    }

    #[test]
    fn an_account_is_read_from_the_list_of_users() {
        let people = "root:x:0:0::/root:/bin/sh\npostgres:x:101:104:,,,:/var/lib/postgresql:/bin/bash\n";
        assert_eq!(
            Account::named(people, "postgres"),
            Some(Account {
                user: 101,
                group: 104
            })
        );
        assert_eq!(Account::named(people, "nobody"), None);
    }

    #[test]
    fn a_program_that_fails_says_why() {
        let failed = Program::named("sh")
            .unwrap()
            .args(["-c", "echo because; exit 3"])
            .output()
            .unwrap_err();
        assert!(
            failed.to_string().ends_with("exit status: 3: because"),
            "{failed}"
        );
    }
}
