//! A mail server on loopback, built on independent code: `mailin` for the protocol, `rustls` for
//! TLS. `mailparse` reads back the mails that it took.

use mailin::{Action, AuthMechanism, Handler, Response, Session, SessionBuilder, response};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{IpAddr, Ipv4Addr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

/// A mail that the server took.
#[derive(Debug, Clone, Default)]
pub struct Taken {
    pub to: Vec<String>,
    pub raw: String,
    /// User and password of the sender's login.
    pub login: Option<(String, String)>,
    pub encrypted: bool,
}

impl Taken {
    pub fn header(&self, name: &str) -> String {
        use mailparse::MailHeaderMap;
        let mail = mailparse::parse_mail(self.raw.as_bytes()).unwrap();
        let all = mail.headers.get_all_values(name);
        assert_eq!(all.len(), 1, "{name} in {}", self.raw);
        all[0].clone()
    }

    pub fn body(&self) -> String {
        let mail = mailparse::parse_mail(self.raw.as_bytes()).unwrap();
        assert_eq!(mail.ctype.mimetype, "text/plain");
        assert_eq!(mail.ctype.charset, "utf-8");
        mail.get_body().unwrap().replace("\r\n", "\n")
    }
}

/// Behavior of the server.
#[derive(Clone, Default)]
pub struct Manners {
    pub tls: Offer,
    pub login: Option<(&'static str, &'static str)>,
    /// Recipients that it rejects.
    pub refuses: Vec<&'static str>,
    /// True if it accepts connections and says nothing.
    pub silent: bool,
    /// True if it does not speak SMTP.
    pub talks_nonsense: bool,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub enum Offer {
    #[default]
    Nothing,
    Starttls,
    Implicit,
}

#[derive(Default)]
struct Seen {
    taken: Vec<Taken>,
    /// Text that clients sent unencrypted.
    open: String,
    connections: usize,
}

pub struct Server {
    pub port: u16,
    /// Its self-signed certificate.
    pub certificate: String,
    seen: Arc<Mutex<Seen>>,
    ends: Arc<AtomicBool>,
}

impl Server {
    pub fn start(manners: Manners) -> Self {
        Self::start_at(0, manners)
    }

    pub fn start_at(port: u16, manners: Manners) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let made = rcgen::generate_simple_self_signed(["localhost".to_string()]).unwrap();
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls =
            ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let tls = tls.unwrap().with_no_client_auth();
        let tls = Arc::new(tls.with_single_cert(vec![made.cert.der().clone()], key).unwrap());
        let (seen, ends) =
            (Arc::new(Mutex::new(Seen::default())), Arc::new(AtomicBool::new(false)));
        let server =
            Self { port, certificate: made.cert.pem(), seen: seen.clone(), ends: ends.clone() };
        thread::spawn(move || {
            for stream in listener.incoming() {
                if ends.load(Ordering::SeqCst) {
                    return;
                }
                seen.lock().unwrap().connections += 1;
                let (manners, tls, seen) = (manners.clone(), tls.clone(), seen.clone());
                // A client that disconnects is not a fault of the server.
                thread::spawn(move || serve(stream.unwrap(), &manners, tls, &seen));
            }
        });
        server
    }

    /// Returns the mails taken since the last call.
    pub fn taken(&self) -> Vec<Taken> {
        std::mem::take(&mut self.seen.lock().unwrap().taken)
    }

    /// Returns the text that clients sent unencrypted.
    pub fn said_in_the_open(&self) -> String {
        self.seen.lock().unwrap().open.clone()
    }

    pub fn connections(&self) -> usize {
        self.seen.lock().unwrap().connections
    }
}

impl Drop for Server {
    /// Stops the server and frees the port.
    fn drop(&mut self) {
        self.ends.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
    }
}

fn serve(
    stream: TcpStream,
    manners: &Manners,
    tls: Arc<ServerConfig>,
    seen: &Arc<Mutex<Seen>>,
) -> Option<()> {
    if manners.silent {
        // Waits until the client gives up.
        let _ = BufReader::new(stream).read_to_end(&mut Vec::new());
        return None;
    }
    if manners.talks_nonsense {
        (&stream).write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").ok()?;
        return None;
    }
    let mut builder = SessionBuilder::new("mail.test");
    if manners.tls == Offer::Starttls {
        builder.enable_start_tls();
    }
    if manners.login.is_some() {
        builder.enable_auth(AuthMechanism::Plain).enable_auth(AuthMechanism::Login);
    }
    let desk = Desk { manners: manners.clone(), seen: seen.clone(), mail: Taken::default() };
    let mut session = builder.build(IpAddr::V4(Ipv4Addr::LOCALHOST), desk);
    let encrypted = |stream| StreamOwned::new(ServerConnection::new(tls.clone()).unwrap(), stream);
    if manners.tls == Offer::Implicit {
        session.tls_active();
        let mut stream = BufReader::new(encrypted(stream));
        stream.get_mut().write_all(&session.greeting().buffer().ok()?).ok()?;
        talk(&mut session, &mut stream, None)?;
        return Some(());
    }
    let mut plain = BufReader::new(stream);
    plain.get_mut().write_all(&session.greeting().buffer().ok()?).ok()?;
    if talk(&mut session, &mut plain, Some(seen))? == Action::UpgradeTls {
        assert!(plain.buffer().is_empty(), "the client sent more before TLS began");
        session.tls_active();
        talk(&mut session, &mut BufReader::new(encrypted(plain.into_inner())), None)?;
    }
    Some(())
}

/// Serves until the client leaves, or TLS begins.
fn talk<S: Read + Write>(
    session: &mut Session<Desk>,
    stream: &mut BufReader<S>,
    open: Option<&Mutex<Seen>>,
) -> Option<Action> {
    loop {
        let mut line = Vec::new();
        if stream.read_until(b'\n', &mut line).ok()? == 0 {
            return None;
        }
        if let Some(open) = open {
            open.lock().unwrap().open += &String::from_utf8_lossy(&line);
        }
        let answer = session.process(&line);
        if answer.action != Action::NoReply {
            stream.get_mut().write_all(&answer.buffer().ok()?).ok()?;
            stream.get_mut().flush().ok()?;
        }
        match answer.action {
            Action::Reply | Action::NoReply => {}
            action => return Some(action),
        }
    }
}

/// Handler that accepts mails.
struct Desk {
    manners: Manners,
    seen: Arc<Mutex<Seen>>,
    mail: Taken,
}

impl Desk {
    fn login(&mut self, user: &str, password: &str) -> Response {
        if self.manners.login != Some((user, password)) {
            return response::INVALID_CREDENTIALS;
        }
        self.mail.login = Some((user.to_string(), password.to_string()));
        response::AUTH_OK
    }
}

impl Handler for Desk {
    fn mail(&mut self, _: IpAddr, _: &str, _: &str) -> Response {
        if self.manners.login.is_some() && self.mail.login.is_none() {
            return response::AUTHENTICATION_REQUIRED;
        }
        response::OK
    }

    fn rcpt(&mut self, to: &str) -> Response {
        match self.manners.refuses.contains(&to) {
            true => response::NO_MAILBOX,
            false => response::OK,
        }
    }

    fn data_start(&mut self, _: &str, _: &str, _: bool, to: &[String]) -> Response {
        self.mail.to = to.to_vec();
        self.mail.raw.clear();
        response::OK
    }

    fn data(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.mail.raw += std::str::from_utf8(bytes).unwrap();
        Ok(())
    }

    fn data_end(&mut self) -> Response {
        self.mail.encrypted = self.manners.tls != Offer::Nothing;
        self.seen.lock().unwrap().taken.push(self.mail.clone());
        response::OK
    }

    fn auth_plain(&mut self, _: &str, user: &str, password: &str) -> Response {
        self.login(user, password)
    }

    fn auth_login(&mut self, user: &str, password: &str) -> Response {
        self.login(user, password)
    }
}
