//! A fresh database of each engine.

use std::path::PathBuf;

use tempfile::TempDir;

use crate::ledger::Ledger;
use crate::ledger::db::{Db, Sqlite};

/// A database that one test uses.
pub enum Database {
    Sqlite(TempDir),
    #[cfg(feature = "postgres")]
    Postgres(String),
}

/// An empty database of each engine that this machine has.
pub fn databases() -> Vec<Database> {
    let sqlite = Database::Sqlite(tempfile::tempdir().unwrap());
    #[cfg(feature = "postgres")]
    let postgres = server::database().map(Database::Postgres);
    #[cfg(not(feature = "postgres"))]
    let postgres = None;
    [Some(sqlite), postgres].into_iter().flatten().collect()
}

impl Database {
    pub fn file(&self) -> Option<PathBuf> {
        match self {
            Self::Sqlite(folder) => Some(folder.path().join("ledger.db")),
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => None,
        }
    }

    #[cfg(feature = "postgres")]
    pub fn address(&self) -> Option<&str> {
        match self {
            Self::Sqlite(_) => None,
            Self::Postgres(url) => Some(url),
        }
    }

    pub fn connect(&self) -> Box<dyn Db> {
        match self {
            Self::Sqlite(_) => Box::new(Sqlite::open(&self.file().unwrap()).unwrap()),
            #[cfg(feature = "postgres")]
            Self::Postgres(url) => Box::new(crate::ledger::db::Postgres::connect(url).unwrap()),
        }
    }

    pub fn ledger(&self) -> Ledger {
        Ledger::open_boxed(self.connect()).unwrap()
    }
}

/// One server for all tests of a run. It stops when the process ends, because that closes its input.
#[cfg(feature = "postgres")]
mod server {
    use std::io::{BufRead, BufReader, Write};
    use std::path::Path;
    use std::process::{Child, Command, Stdio};
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::sync::{Mutex, OnceLock};

    use crate::ledger::db::{Db, Postgres};

    static SERVER: OnceLock<Option<(String, Mutex<Child>)>> = OnceLock::new();
    static NUMBER: AtomicU32 = AtomicU32::new(1);

    /// Creates an empty database, and returns its address. `None` without PostgreSQL.
    pub fn database() -> Option<String> {
        let Some((folder, _)) = SERVER.get_or_init(start) else {
            assert!(std::env::var_os("CI").is_none(), "PostgreSQL must be installed for CI");
            return None;
        };
        let name = format!("ledger{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        let url = |name: &str| format!("host={folder} user=ledger dbname={name}");
        let mut postgres = Postgres::connect(&url("postgres")).unwrap();
        postgres.batch(&format!("CREATE DATABASE {name}")).unwrap();
        Some(url(&name))
    }

    fn start() -> Option<(String, Mutex<Child>)> {
        let installed = std::fs::read_dir("/usr/lib/postgresql").is_ok_and(|all| all.count() > 0)
            || Command::new("initdb").arg("--version").output().is_ok();
        if !installed {
            // Written directly, because the output of a test that passes is not shown.
            let line = "the ledger was not tested on PostgreSQL, which is not installed";
            writeln!(std::io::stderr(), "skipped: {line}").unwrap();
            return None;
        }
        let folder = tempfile::Builder::new().prefix("olr-pg").tempdir().unwrap().keep();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/ledger/tests/postgres.sh");
        let script = std::fs::read_to_string(script).unwrap();
        let mut command = ordinary_user(&folder);
        command.args(["sh", "-c", &script, "sh"]).arg(&folder);
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("setpriv");
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "ready\n", "see {}", folder.display());
        Some((folder.display().to_string(), Mutex::new(child)))
    }

    /// PostgreSQL refuses to run as root.
    fn ordinary_user(folder: &Path) -> Command {
        let mut command = Command::new("setpriv");
        if rustix::process::geteuid().is_root() {
            let chown = Command::new("chown").arg("postgres").arg(folder).status();
            assert!(chown.unwrap().success());
            command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]);
        }
        command
    }
}
