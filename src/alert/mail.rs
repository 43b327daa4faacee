//! Sends a mail for each change (RFC 5321, RFC 5322), with `lettre`. Each recipient gets a separate
//! mail over one connection, so that a rejected address does not keep the others from being told.

use lettre::address::{Address, Envelope};
use lettre::message::header::{ContentType, HeaderName, HeaderValue, MIME_VERSION_1_0};
use lettre::message::{Mailbox, Message};
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{
    Certificate, CertificateStore, SmtpConnection, TlsParameters,
};
use lettre::transport::smtp::extension::ClientId;
use std::error::Error as _;
use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime};
use zeroize::Zeroizing;

use crate::alert::notice::{Notice, Say};
use crate::alert::settings::{Mail, Tls};
use crate::file;
use olr_core::display::shown;
use olr_core::error::{Error, NextStep, Problem, Remedy, Result};
use olr_core::time::Instant;

/// Size limits of the password file and of the certificate file, in bytes.
const PASSWORD_CAP: usize = 4096;
const CERTIFICATES_CAP: usize = 1024 * 1024;
/// The last second of the year 9999, the latest date that a mail can carry.
const LAST_DATE: u64 = 253_402_300_799;

/// Sends mail over one connection.
pub struct Mailer {
    mail: Mail,
    now: Instant,
    say: Say,
    tls: Option<TlsParameters>,
    credentials: Option<Credentials>,
    open: Option<SmtpConnection>,
    /// Why no mail can be sent at all, once that is known.
    down: Option<Error>,
}

impl Mailer {
    /// Reads the password and the certificates. Their paths in the settings are relative to `home`.
    ///
    /// # Errors
    /// Exit 2: a file cannot be read, or its content is unusable.
    pub fn new(mail: &Mail, home: &Path, now: Instant, say: Say) -> Result<Self> {
        let tls = match mail.tls {
            Tls::None => None,
            Tls::Implicit | Tls::Starttls => Some(tls(mail, home)?),
        };
        let credentials = match (&mail.user, &mail.password_file) {
            (Some(user), Some(path)) => {
                let password = password(&home.join(path))?;
                Some(Credentials::new(user.clone(), password.to_string()))
            }
            _ => None,
        };
        Ok(Self { mail: mail.clone(), now, say, tls, credentials, open: None, down: None })
    }

    /// Sends a notice to one recipient.
    ///
    /// # Errors
    /// Exit 2. After a failed connection, later calls fail without a new attempt.
    pub fn send(&mut self, to: &str, notice: &Notice) -> Result<()> {
        if let Some(down) = &self.down {
            return Err(down.clone());
        }
        let (from, to) = (address(&self.mail.from)?, address(to)?);
        let message = compose(&self.mail, notice, self.now, self.say)?;
        let envelope = Envelope::new(Some(from), vec![to.clone()]);
        let envelope = envelope.map_err(|_| {
            self.failed("it does not accept this recipient").hint("check `to` in alerts.toml")
        })?;
        let mut connection = match self.open.take() {
            Some(connection) => connection,
            None => self.connect().inspect_err(|error| self.down = Some(error.clone()))?,
        };
        let sent = connection.send(&envelope, &message);
        match sent {
            Ok(_) => {
                self.open = Some(connection);
                Ok(())
            }
            // The server rejects this mail, and may accept another. 421 means that it closes the
            // connection.
            Err(error) if error.status().is_some_and(|code| code.to_string() != "421") => {
                let code = error.status().map(|code| code.to_string()).unwrap_or_default();
                let fact = format!("it refuses mail from {} to {to} ({code})", self.mail.from);
                let hint = "check `from` and `to` in alerts.toml, and the log of the mail server";
                Err(self.failed(&fact).hint(hint))
            }
            Err(error) => {
                let error = self.broken(&error);
                self.down = Some(error.clone());
                Err(error)
            }
        }
    }

    /// Opens a connection, with encryption and login as the settings require.
    fn connect(&self) -> Result<SmtpConnection> {
        let server = (self.mail.host.as_str(), self.mail.port());
        let limit = Some(Duration::from_secs(self.mail.timeout.into()));
        let hello = ClientId::default();
        let broken = |error: &_| self.broken(error);
        let at_once = self.tls.as_ref().filter(|_| self.mail.tls == Tls::Implicit);
        let connection = SmtpConnection::connect(server, limit, &hello, at_once, None);
        let mut connection = connection.map_err(|error| broken(&error))?;
        if let (Tls::Starttls, Some(tls)) = (self.mail.tls, &self.tls) {
            if !connection.can_starttls() {
                let _ = connection.quit();
                let hint = "enable STARTTLS on the mail server; with tls = \"none\", alerts are sent unencrypted";
                return Err(self.failed("it does not offer STARTTLS; nothing was sent").hint(hint));
            }
            connection.starttls(tls, &hello).map_err(|error| broken(&error))?;
        }
        if let Some(credentials) = &self.credentials {
            if !connection.is_encrypted() {
                let hint =
                    "write tls = \"starttls\" in alerts.toml, or leave user and password-file out";
                let fact = "the connection is not encrypted; nothing was sent";
                return Err(self.failed(fact).hint(hint));
            }
            let mechanisms = [Mechanism::Plain, Mechanism::Login];
            let logged_in = connection.auth(&mechanisms, credentials);
            logged_in.map_err(|error| self.not_logged_in(&error))?;
        }
        Ok(connection)
    }

    fn not_logged_in(&self, error: &lettre::transport::smtp::Error) -> Error {
        let user = self.mail.user.as_deref().map(shown).unwrap_or_default();
        if let Some(code) = error.status() {
            let hint = "check user and the password file";
            return self.failed(&format!("it refuses the login of {user} ({code})")).hint(hint);
        }
        if error.is_client() {
            let hint = "leave out user and password-file, or enable PLAIN on the mail server";
            return self.failed("it does not support login with PLAIN or LOGIN").hint(hint);
        }
        self.broken(error)
    }

    /// Explains why nothing can be sent, in our own words: a server's text is not trusted.
    fn broken(&self, error: &lettre::transport::smtp::Error) -> Error {
        use io::ErrorKind::{ConnectionRefused, InvalidData, TimedOut, WouldBlock};
        if let Some(code) = error.status() {
            let hint = "check the log of the mail server; the next run tries again";
            return self.failed(&format!("it does not accept mail now ({code})")).hint(hint);
        }
        match io_kind(error) {
            _ if error.is_tls() => self.untrusted(),
            Some(InvalidData) => self.untrusted(),
            Some(ConnectionRefused) => self.failed("no server listens there"),
            Some(TimedOut | WouldBlock) => {
                let seconds = self.mail.timeout;
                let unit = if seconds == 1 { "second" } else { "seconds" };
                self.failed(&format!("it does not answer within {seconds} {unit}"))
            }
            _ if error.is_response() => self.failed("its answer is not SMTP"),
            _ => self.failed("it cannot be reached, or it closed the connection"),
        }
    }

    fn untrusted(&self) -> Error {
        let hint =
            "check host, port and tls; a certificate that the system does not trust needs ca-file";
        self.failed("it does not use TLS, or its certificate is not trusted").hint(hint)
    }

    fn failed(&self, fact: &str) -> Error {
        let fact = format!("mail server {}:{}: {fact}", self.mail.host, self.mail.port());
        Error::unable(
            Problem::Network,
            fact,
            "check host and port, and whether the mail server is running",
        )
    }
}

impl Drop for Mailer {
    fn drop(&mut self) {
        if let Some(mut connection) = self.open.take() {
            let _ = connection.quit();
        }
    }
}

/// Returns the kind of the first I/O error among the causes.
fn io_kind(error: &lettre::transport::smtp::Error) -> Option<io::ErrorKind> {
    let mut source = error.source();
    while let Some(error) = source {
        if let Some(error) = error.downcast_ref::<io::Error>() {
            return Some(error.kind());
        }
        source = error.source();
    }
    None
}

/// Returns the mail for a notice, headers and text. The same change always gets the same
/// `Message-ID`.
///
/// # Errors
/// Exit 2 if an address is invalid, or the notice cannot be written as a mail.
pub fn compose(mail: &Mail, notice: &Notice, now: Instant, say: Say) -> Result<Vec<u8>> {
    let (id, from) = (notice.id.to_string(), address(&mail.from)?);
    let date = Duration::from_secs(now.seconds.min(LAST_DATE));
    let date = SystemTime::UNIX_EPOCH.checked_add(date).unwrap_or(SystemTime::UNIX_EPOCH);
    let header = |name, value: &str| {
        HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_string())
    };
    let mut message = Message::builder()
        .message_id(Some(format!("<{id}.olr@{}>", from.domain())))
        .from(Mailbox::new(None, from))
        .subject(notice.subject())
        .date(date)
        .raw_header(header("Auto-Submitted", "auto-generated"))
        .raw_header(header("X-Olr-Alert", &id))
        .header(MIME_VERSION_1_0)
        .header(ContentType::TEXT_PLAIN);
    for to in &mail.to {
        message = message.to(Mailbox::new(None, address(to)?));
    }
    let message = message.body(notice.text(say)).map_err(|_| {
        let fact = format!("alert {id} cannot be written as a mail");
        Error::unable(
            Problem::Fault,
            fact,
            NextStep::new(
                "show the alerts to read it, and report this as a bug",
                &[Remedy::ShowAlerts],
            ),
        )
    })?;
    Ok(message.formatted())
}

fn address(text: &str) -> Result<Address> {
    text.parse().map_err(|_| {
        let fact = format!("{} is not a mail address", shown(text));
        Error::unable(Problem::Content, fact, "correct it in alerts.toml")
    })
}

fn tls(mail: &Mail, home: &Path) -> Result<TlsParameters> {
    let mut tls = TlsParameters::builder(mail.host.clone());
    if let Some(path) = &mail.ca_file {
        let path = home.join(path);
        let useless = || {
            let fact = format!("{}: it contains no valid certificate", file::name(&path));
            Error::unable(
                Problem::Content,
                fact,
                "save the mail server's CA certificate there, as PEM",
            )
        };
        let pem = read(&path, CERTIFICATES_CAP)?;
        // The parser accepts an empty file as a list without certificates.
        let is_pem = pem.windows(27).any(|part| part == b"-----BEGIN CERTIFICATE-----");
        let certificate = Certificate::from_pem(&pem).ok().filter(|_| is_pem);
        tls = tls.certificate_store(CertificateStore::None);
        tls = tls.add_root_certificate(certificate.ok_or_else(useless)?);
        return tls.build_rustls().map_err(|_| useless());
    }
    // The host and its certificate are checked only when a connection is made.
    tls.build_rustls().map_err(|_| {
        Error::unable(Problem::Fault, "TLS for mail cannot be set up", "report this as a bug")
    })
}

/// Reads the password from the first line of a file.
fn password(path: &Path) -> Result<Zeroizing<String>> {
    let name = file::name(path);
    let bytes = Zeroizing::new(read(path, PASSWORD_CAP)?);
    let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    match std::str::from_utf8(line) {
        Ok(line) if !line.is_empty() => Ok(Zeroizing::new(line.to_string())),
        Ok(_) => Err(Error::unable(
            Problem::Content,
            format!("{name}: the password is empty"),
            "write it on the first line",
        )),
        Err(_) => Err(Error::unable(
            Problem::Content,
            format!("{name}: this is not UTF-8"),
            "save it as UTF-8",
        )),
    }
}

/// Reads a file that the settings name. A file over the limit is an error of the settings, not a
/// refusal.
fn read(path: &Path, cap: usize) -> Result<Vec<u8>> {
    file::read(path, cap).map_err(|error| match error.refusal() {
        Some(_) => {
            Error::unable(Problem::Content, error.fact(), "check which file alerts.toml names")
        }
        None => error,
    })
}
