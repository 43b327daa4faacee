//! Opening the vendor's private keys: in key files, in tokens, or in an SSH agent.

use std::path::{Path, PathBuf};

use crate::file;
use crate::folder::{AskPassphrase, passphrase_of, read_kept, read_passphrase};
use crate::key::agent::{self, AgentKey, ED25519_FIDO, Identity};
use crate::key::file::KeyFile;
use crate::key::token::uri::{URI_CAP, Uri};
use crate::key::token::{self, PinWanted};
use crate::key::typed::Passphrase;
use olr_core::crypto::sign::{PublicKey, Signer};
use olr_core::display::shown;
use olr_core::error::{Error, Problem, Result};
use olr_core::key::{Role, key_id};
use olr_core::wire::frame::Kind;
use olr_core::wire::id::KeyId;

/// A key file or token that needs a passphrase or PIN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Locked {
    /// A key file, which needs its passphrase.
    KeyFile {
        /// Role of the key.
        role: Role,
        /// Id of the key.
        id: KeyId,
    },
    /// A token, which needs its PIN.
    Token(PinWanted),
}

/// Environment variable with the path of the PKCS#11 library, for URIs without `module-path`.
pub const MODULE: &str = "OLR_PKCS11_MODULE";
/// Environment variable with the socket of the SSH agent.
const AGENT: &str = "SSH_AUTH_SOCK";
const NAME_KEY: &str = "name a key file, or restore this one from a backup";
const AGENT_SCHEME: &str = "ssh-agent:";
/// Size limit of a `.uri` file: a URI and comments.
const NAMED_CAP: usize = URI_CAP.saturating_mul(4);
/// Maximum number of keys listed in a message.
const NAMED: usize = 8;

impl From<&KeyFile> for Locked {
    fn from(key: &KeyFile) -> Self {
        Self::KeyFile { role: key.role, id: key.id }
    }
}

/// Opens the private key that `named` refers to: a key file, `pkcs11:…` (RFC 7512) for a token,
/// `ssh-agent:ID` for an issuer key in the SSH agent (ID is its key id or OpenSSH fingerprint), or
/// a text file `NAME.uri` with one of these URIs in one line.
///
/// # Errors
/// Exit 2: the key is missing, has another role, or cannot be opened.
pub fn open_signer(named: &str, role: Role, ask: AskPassphrase<'_>) -> Result<Box<dyn Signer>> {
    if let Some(path) = uri_file(named) {
        let opened = read_named(path).and_then(|line| open_signer(&line, role, ask));
        return opened.map_err(|error| error.within(file::name(path)));
    }
    match Named::parse(named)? {
        Named::Token(uri) => token::open(&uri, module(&uri).as_deref(), &mut pin(&uri, ask)),
        Named::Agent(id) => Ok(Box::new(agent_key(id, role)?)),
        Named::File(path) => {
            open_file(path, &read_kept(Kind::KeyFile, path, NAME_KEY, KeyFile::parse)?, role, ask)
        }
    }
}

/// Returns the public half of the key that `named` refers to. That does not prove that the private
/// half is available. Asks for the PIN of a token only if the token hides its public keys.
///
/// # Errors
/// Exit 2, as [`open_signer`].
pub fn public_of(named: &str, role: Role, ask: AskPassphrase<'_>) -> Result<PublicKey> {
    if let Some(path) = uri_file(named) {
        let read = read_named(path).and_then(|line| public_of(&line, role, ask));
        return read.map_err(|error| error.within(file::name(path)));
    }
    match Named::parse(named)? {
        Named::Token(uri) => token::public(&uri, module(&uri).as_deref(), &mut pin(&uri, ask)),
        Named::Agent(id) => Ok(agent_key(id, role)?.public()),
        Named::File(path) => {
            let key = read_kept(Kind::KeyFile, path, NAME_KEY, KeyFile::parse)?;
            key.ensure_role(role).map_err(|error| error.within(file::name(path)))?;
            Ok(key.public)
        }
    }
}

/// True if `named` refers to a key in a token or an agent, not in a file.
pub fn is_uri(named: &str) -> bool {
    Uri::is_one(named) || named.starts_with(AGENT_SCHEME)
}

/// Parsed reference to a key.
enum Named<'a> {
    Token(Uri),
    Agent(&'a str),
    File(&'a Path),
}

impl<'a> Named<'a> {
    fn parse(named: &'a str) -> Result<Self> {
        if Uri::is_one(named) {
            return named.parse::<Uri>().map(Self::Token);
        }
        Ok(match named.strip_prefix(AGENT_SCHEME) {
            Some(id) => Self::Agent(id),
            None => Self::File(Path::new(named)),
        })
    }
}

/// Returns the path if `named` is a `.uri` file.
fn uri_file(named: &str) -> Option<&Path> {
    let is_file = matches!(Named::parse(named), Ok(Named::File(_)));
    Some(Path::new(named)).filter(|path| is_file && path.extension().is_some_and(|e| e == "uri"))
}

fn open_file(
    path: &Path,
    key: &KeyFile,
    role: Role,
    ask: AskPassphrase<'_>,
) -> Result<Box<dyn Signer>> {
    let within = |error: Error| error.within(file::name(path));
    key.ensure_role(role).map_err(within)?;
    let passphrase = passphrase_of(key, ask)?;
    Ok(Box::new(key.open_signing(role, passphrase.as_ref()).map_err(within)?))
}

fn module(uri: &Uri) -> Option<PathBuf> {
    let told = || std::env::var_os(MODULE).filter(|path| !path.is_empty());
    uri.module_path.as_ref().map(PathBuf::from).or_else(|| told().map(PathBuf::from))
}

/// Returns a source for the PIN: the file that the URI names, or the user.
fn pin(uri: &Uri, ask: AskPassphrase<'_>) -> impl FnMut(&PinWanted) -> Result<Passphrase> {
    move |wanted| {
        let Some(source) = &uri.pin_source else { return ask(&Locked::Token(wanted.clone())) };
        // A wrong PIN in the file must not use up the last attempt.
        if wanted.last_try {
            let fact = format!("one more wrong PIN locks token {}", shown(&wanted.token));
            let hint = "remove pin-source from the URI, and type the PIN this time";
            return Err(Error::unable(Problem::WrongPassphrase, fact, hint));
        }
        let path = Path::new(source);
        read_passphrase(path)?.ok_or_else(|| {
            let fact = format!("{}: its first line is empty", file::name(path));
            Error::unable(Problem::Content, fact, "write the PIN there, or remove pin-source")
        })
    }
}

fn agent_key(id: &str, role: Role) -> Result<AgentKey> {
    if role != Role::Issuer {
        let fact = format!("olr does not use a {role} key through an SSH agent");
        let hint = "name a key file or a token: an agent may be forwarded to other machines";
        return Err(Error::unable(Problem::Device, fact, hint));
    }
    let socket = std::env::var_os(AGENT).filter(|path| !path.is_empty()).ok_or_else(|| {
        let fact = format!("no SSH agent found: ${AGENT} is not set");
        Error::unable(
            Problem::Device,
            fact,
            "start one with `eval $(ssh-agent)`, and add the key with ssh-add",
        )
    })?;
    let socket = Path::new(&socket);
    let keys = agent::identities(socket)?;
    if keys.is_empty() {
        let fact = "the SSH agent has no keys";
        return Err(Error::unable(
            Problem::Device,
            fact,
            "add the key with ssh-add; if the agent is locked, unlock it with ssh-add -X",
        ));
    }
    let is_meant = |key: &&Identity| {
        let of_ours = |public| key_id(role, &public).to_string().eq_ignore_ascii_case(id);
        key.fingerprint() == id || key.ed25519().is_some_and(of_ours)
    };
    let Some(key) = keys.iter().find(is_meant) else {
        let all: Vec<_> = keys.iter().take(NAMED).map(describe).collect();
        let fact =
            format!("the SSH agent has no key {}; some that it has: {}", shown(id), all.join(", "));
        return Err(Error::unable(
            Problem::Device,
            fact,
            "add the key with ssh-add, or name one of these",
        ));
    };
    AgentKey::new(socket, key).ok_or_else(|| match key.algorithm() {
        Some(ED25519_FIDO) => Error::unable(
            Problem::Device,
            format!("{}: a FIDO device does not sign the message itself", describe(key)),
            "use a plain ssh-ed25519 key, or a PKCS#11 token",
        ),
        _ => Error::unable(
            Problem::Content,
            format!("olr cannot sign with key {}", describe(key)),
            "use a key of the type ssh-ed25519",
        ),
    })
}

fn describe(key: &Identity) -> String {
    let comment = String::from_utf8_lossy(&key.comment);
    let algorithm = key.algorithm().unwrap_or("unknown");
    format!("{} {:?} ({})", key.fingerprint(), shown(&comment), shown(algorithm))
}

/// Reads the one line of a `.uri` file, without comments and empty lines. It may name a key, but
/// not the library to load: such files are copied and shared, and loading a library runs its code.
fn read_named(path: &Path) -> Result<String> {
    // A file that is too long or not text is reported below as not being one line.
    let bytes = match file::read(path, NAMED_CAP) {
        // Remove the file name here: the caller puts it in front again.
        Err(error) if error.refusal().is_none() => {
            let fact = error.fact().strip_prefix(&format!("{}: ", file::name(path)));
            let fact = fact.unwrap_or(error.fact()).to_string();
            return Err(error.told(fact));
        }
        bytes => bytes.unwrap_or_default(),
    };
    let text = String::from_utf8(bytes).unwrap_or_default();
    let lines = text.lines().map(str::trim);
    let lines: Vec<_> = lines.filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    let usual = "write one line there: pkcs11:token=NAME;object=KEY, or ssh-agent:ID";
    let [line] = lines.as_slice() else {
        return Err(Error::unable(
            Problem::Content,
            "it does not contain exactly one line that names a key",
            usual,
        ));
    };
    match Named::parse(line)? {
        Named::File(_) => {
            Err(Error::unable(Problem::Content, "it names neither a token nor an agent", usual))
        }
        Named::Token(uri) if uri.module_path.is_some() => {
            let fact = "olr does not load a library that a file names";
            Err(Error::unable(
                Problem::Content,
                fact,
                format!("remove module-path, and set {MODULE} to the library"),
            ))
        }
        _ => Ok((*line).to_string()),
    }
}
