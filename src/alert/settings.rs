//! `alerts.toml`: the recipients of alerts, and the ways to reach them. `docs/alerts.md` explains
//! every key.

use serde::Deserialize;
use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use crate::file;
use olr_core::display::is_shown;
use olr_core::error::{Error, NextStep, Problem, Refusal, Remedy, Result};
use olr_files::toml_text::{Written, read_toml};

/// Name of the file in a home.
pub const SETTINGS: &str = "alerts.toml";
/// Example settings to start from.
pub const EXAMPLE: &str = include_str!("example.toml");

/// Size limit of the settings and of `alerts.told`, in bytes.
pub(crate) const SETTINGS_CAP: usize = 256 * 1024;
/// Maximum number of mail recipients.
const RECIPIENTS: usize = 16;
/// Maximum number of arguments of a command.
const ARGUMENTS: usize = 64;
/// Longest timeout, in seconds.
const LONGEST: u32 = 300;
/// Longest name, in bytes.
const NAME_CAP: usize = 64;

/// Settings of alerts: the recipients, and the ways to reach them.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Name of this server in alerts; by default its host name.
    pub server: Option<String>,
    /// Command to run for each change.
    pub command: Option<Command>,
    /// Mail to send for each change.
    pub mail: Option<Mail>,
}

/// Command to run for each change.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Command {
    /// Absolute path of the program.
    pub program: String,
    /// Arguments, passed as written.
    #[serde(default)]
    pub args: Vec<String>,
    /// Seconds after which the command is killed.
    #[serde(default = "half_a_minute")]
    pub timeout: u32,
}

/// Mail to send for each change.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Mail {
    /// Mail server: a host name or an IP address.
    pub host: String,
    /// Port; by default the usual one for `tls`.
    pub port: Option<u16>,
    /// Encryption of the connection.
    pub tls: Tls,
    /// Sender address.
    pub from: String,
    /// Recipient addresses.
    pub to: Vec<String>,
    /// User name for the login.
    pub user: Option<String>,
    /// File with the password. The settings themselves never hold it.
    pub password_file: Option<PathBuf>,
    /// File with the CA certificates to trust in place of the system's.
    pub ca_file: Option<PathBuf>,
    /// Timeout of each step, in seconds.
    #[serde(default = "half_a_minute")]
    pub timeout: u32,
}

/// Encryption of the connection to a mail server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tls {
    /// TLS from the first byte (RFC 8314).
    Implicit,
    /// STARTTLS (RFC 3207). If the server does not offer it, nothing is sent.
    Starttls,
    /// No encryption.
    None,
}

/// One recipient.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    /// The command.
    Command,
    /// One mail address.
    Mail(String),
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Command => f.write_str("command"),
            Self::Mail(to) => write!(f, "mail to {to}"),
        }
    }
}

impl Settings {
    /// Reads the settings of a home.
    ///
    /// # Errors
    /// Exit 2 if the file is missing, cannot be read, is not UTF-8, or belongs to or can be written
    /// by another user; otherwise see [`Settings::parse`].
    pub fn read(home: &Path) -> Result<Self> {
        let path = home.join(SETTINGS);
        if std::fs::symlink_metadata(&path).is_err() {
            let fact = format!("{}: there are no settings for alerts", file::name(&path));
            let hint = NextStep::new(
                "write them there, starting from the example settings",
                &[Remedy::ShowAlertSettings],
            );
            return Err(Error::unable(Problem::NotFound, fact, hint));
        }
        let bytes = file::read_own(&path, SETTINGS_CAP).map_err(|error| match error.refusal() {
            Some(Refusal::Malformed) => {
                Error::unable(Problem::Content, error.fact(), "check this file")
            }
            _ => error,
        })?;
        let text = String::from_utf8(bytes).map_err(|_| {
            Error::unable(
                Problem::Content,
                format!("{}: this is not UTF-8", file::name(&path)),
                "save it as UTF-8",
            )
        })?;
        Self::parse(&text).map_err(|error| error.within(file::name(home)))
    }

    /// Parses and checks settings.
    ///
    /// # Errors
    /// Exit 2, with the line and what is wrong there.
    pub fn parse(text: &str) -> Result<Self> {
        let settings: Self = read_toml(SETTINGS, text)?;
        let check = Check(Written { what: SETTINGS, problem: Problem::Content, text });
        if settings.command.is_none() && settings.mail.is_none() {
            let fact = "neither [command] nor [mail] is set, so nobody is notified";
            return Err(Error::unable(Problem::Content, fact, "add one of them").within(SETTINGS));
        }
        settings.server.iter().try_for_each(|name| check.name(&["server"], name))?;
        settings.command.iter().try_for_each(|command| check.command(command))?;
        settings.mail.iter().try_for_each(|mail| check.mail(mail))?;
        Ok(settings)
    }

    /// Returns all recipients.
    pub fn ways(&self) -> Vec<Way> {
        let mail = self.mail.iter().flat_map(|mail| mail.to.iter().cloned().map(Way::Mail));
        self.command.iter().map(|_| Way::Command).chain(mail).collect()
    }

    /// Returns a warning about a password file that other users can read. Alerts are sent all the
    /// same.
    pub fn warning(&self, home: &Path) -> Option<String> {
        let path = home.join(self.mail.as_ref()?.password_file.as_ref()?);
        let (mode, name) = (file::open_to_others(&path)?, file::name(&path));
        Some(format!(
            "warning: {name}: other users of this computer can read this password (mode {mode}); \
             run `chmod 600 {name}`"
        ))
    }
}

impl Mail {
    /// Returns the port, or the default for `tls`.
    pub fn port(&self) -> u16 {
        self.port.unwrap_or(match self.tls {
            Tls::Implicit => 465,
            Tls::Starttls => 587,
            Tls::None => 25,
        })
    }
}

fn half_a_minute() -> u32 {
    30
}

/// Checks for settings that contradict each other or can never work.
struct Check<'a>(Written<'a>);

impl Check<'_> {
    fn ensure(&self, holds: bool, path: &[&str], fact: &str, hint: &str) -> Result<()> {
        if holds { Ok(()) } else { Err(self.0.wrong(path, fact, hint)) }
    }

    fn name(&self, path: &[&str], name: &str) -> Result<()> {
        let holds = (1..=NAME_CAP).contains(&name.len()) && name.chars().all(is_shown);
        let fact = format!(
            "a name must have 1 to {NAME_CAP} bytes, and no control, invisible or private-use \
             characters"
        );
        self.ensure(holds, path, &fact, "write another name")
    }

    fn timeout(&self, table: &str, seconds: u32) -> Result<()> {
        let fact = format!("a timeout must be 1 to {LONGEST} seconds");
        self.ensure(
            (1..=LONGEST).contains(&seconds),
            &[table, "timeout"],
            &fact,
            "write timeout = 30",
        )
    }

    fn command(&self, command: &Command) -> Result<()> {
        let here = |key| ["command", key];
        let is_absolute = Path::new(&command.program).is_absolute();
        let fact = "the program is not an absolute path";
        self.ensure(
            is_absolute,
            &here("program"),
            fact,
            "write it like \"/usr/local/bin/notify\"",
        )?;
        let hint = "put the command into a script, and name the script";
        let fact = format!("there are more than {ARGUMENTS} arguments");
        self.ensure(command.args.len() <= ARGUMENTS, &here("args"), &fact, hint)?;
        let whole = |path: &[&str], text: &str| {
            self.ensure(!text.contains('\0'), path, "the text contains a zero byte", hint)
        };
        whole(&here("program"), &command.program)?;
        for (n, argument) in command.args.iter().enumerate() {
            whole(&["command", "args", &n.to_string()], argument)?;
        }
        self.timeout("command", command.timeout)
    }

    fn mail(&self, mail: &Mail) -> Result<()> {
        let here = |key| ["mail", key];
        let is_host = mail.host.parse::<IpAddr>().is_ok() || is_domain(&mail.host);
        let fact = "this is neither a host name nor an IP address";
        self.ensure(is_host, &here("host"), fact, "write it like \"mail.example.org\"")?;
        self.ensure(mail.port != Some(0), &here("port"), "port 0 does not exist", "leave it out")?;
        self.address(&here("from"), &mail.from)?;
        let fact = format!("the number of recipients must be 1 to {RECIPIENTS}");
        let hint = "name at least one; for many people, use a mailing list of your mail server";
        let fits = (1..=RECIPIENTS).contains(&mail.to.len());
        self.ensure(fits, &here("to"), &fact, hint)?;
        for (n, to) in mail.to.iter().enumerate() {
            self.address(&["mail", "to", &n.to_string()], to)?;
        }
        let different: BTreeSet<_> = mail.to.iter().map(|to| to.to_ascii_lowercase()).collect();
        let fact = "a recipient appears twice";
        self.ensure(different.len() == mail.to.len(), &here("to"), fact, "list each only once")?;
        self.login(mail)?;
        self.timeout("mail", mail.timeout)
    }

    fn login(&self, mail: &Mail) -> Result<()> {
        let here = |key| ["mail", key];
        match (&mail.user, &mail.password_file) {
            (Some(_), None) => {
                let fact = "a user needs a password";
                self.ensure(false, &here("user"), fact, "add password-file = \"mail-password\"")?;
            }
            (None, Some(_)) => {
                let fact = "a password needs a user";
                self.ensure(false, &here("password-file"), fact, "add user = \"…\"")?;
            }
            _ => {}
        }
        mail.user.iter().try_for_each(|user| self.name(&here("user"), user))?;
        let is_open = mail.tls == Tls::None;
        let fact = "the password would be sent unencrypted";
        let hint = "write tls = \"starttls\", or leave user and password-file out";
        self.ensure(!is_open || mail.user.is_none(), &here("user"), fact, hint)?;
        let (fact, hint) = ("without TLS, no certificate is checked", "leave ca-file out");
        self.ensure(!is_open || mail.ca_file.is_none(), &here("ca-file"), fact, hint)?;
        for (key, path) in [("password-file", &mail.password_file), ("ca-file", &mail.ca_file)] {
            let is_empty = path.as_ref().is_some_and(|path| path.as_os_str().is_empty());
            self.ensure(!is_empty, &here(key), "the file name is empty", "name a file")?;
        }
        Ok(())
    }

    fn address(&self, path: &[&str], address: &str) -> Result<()> {
        let fact = "this is not a mail address";
        let hint = "write it like \"operators@example.org\", in ASCII";
        self.ensure(is_address(address), path, fact, hint)
    }
}

/// Accepts the addresses used in practice (RFC 5321, without quoted strings and literals), in
/// ASCII.
fn is_address(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else { return false };
    let is_atom = |atom: &str| {
        let fits = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&b);
        !atom.is_empty() && atom.bytes().all(fits)
    };
    local.len() <= 64 && local.split('.').all(is_atom) && is_domain(domain)
}

fn is_domain(text: &str) -> bool {
    let is_label = |label: &str| {
        let fits = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
        (1..=63).contains(&label.len())
            && label.bytes().all(fits)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= 253 && text.split('.').all(is_label)
}
