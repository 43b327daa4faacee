//! Connection to an SSH agent over its Unix socket, and a signer that uses it.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::key::agent::{
    Identity, MESSAGE_CAP, ask_identities, ask_signature, read_identities, read_signature,
};
use olr_core::crypto::sign::{PublicKey, Signer};
use olr_core::error::{Error, Problem, Result};

/// Timeout for listing keys, which needs no interaction.
const LOOK: Duration = Duration::from_secs(10);
/// Timeout for signing: the agent may ask a person, or wait for a touch on a device.
const SIGN: Duration = Duration::from_secs(120);

/// A key held by an agent.
#[derive(Debug)]
pub struct AgentKey {
    socket: PathBuf,
    blob: Vec<u8>,
    public: PublicKey,
}

impl AgentKey {
    /// Uses a key that the agent at `socket` listed. `None` if its type is not `ssh-ed25519`.
    pub fn new(socket: &Path, identity: &Identity) -> Option<Self> {
        let public = identity.ed25519()?;
        Some(Self { socket: socket.to_path_buf(), blob: identity.blob.clone(), public })
    }
}

impl Signer for AgentKey {
    fn public(&self) -> PublicKey {
        self.public
    }

    fn sign_unverified(&self, message: &[u8]) -> Result<[u8; 64]> {
        let question = ask_signature(&self.blob, message).ok_or_else(|| {
            Error::unable(
                Problem::Device,
                "the message is too long for an SSH agent",
                "sign it with a key file",
            )
        })?;
        read_signature(&exchange(&self.socket, &question, SIGN)?)
    }
}

/// Lists the keys of the agent at `socket`.
///
/// # Errors
/// Exit 2 when the agent cannot be reached or gives no valid response in time.
pub fn identities(socket: &Path) -> Result<Vec<Identity>> {
    read_identities(&exchange(socket, &ask_identities(), LOOK)?)
}

/// Sends one request and reads the response.
fn exchange(socket: &Path, question: &[u8], patience: Duration) -> Result<Vec<u8>> {
    let Ok(mut stream) = UnixStream::connect(socket) else {
        let fact = format!("{}: no SSH agent answers there", crate::file::name(socket));
        return Err(Error::unable(
            Problem::Device,
            fact,
            "start an agent, and set $SSH_AUTH_SOCK to its socket",
        ));
    };
    talk(&mut stream, question, patience).map_err(|error| match error.kind() {
        std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut => {
            let fact = format!("the SSH agent did not answer for {} seconds", patience.as_secs());
            Error::unable(
                Problem::Device,
                fact,
                "check whether it waits for a confirmation, and try again",
            )
        }
        std::io::ErrorKind::InvalidData => {
            let fact = format!("the SSH agent sent more than {MESSAGE_CAP} bytes");
            Error::unable(Problem::Device, fact, "check that $SSH_AUTH_SOCK points to an SSH agent")
        }
        _ => {
            let fact = "the SSH agent closed the connection";
            Error::unable(Problem::Device, fact, "check that $SSH_AUTH_SOCK points to an SSH agent")
        }
    })
}

fn talk(stream: &mut UnixStream, question: &[u8], wait: Duration) -> std::io::Result<Vec<u8>> {
    stream.set_read_timeout(Some(wait))?;
    stream.set_write_timeout(Some(wait))?;
    let too_long = || std::io::Error::from(std::io::ErrorKind::InvalidData);
    let length = u32::try_from(question.len()).map_err(|_| too_long())?;
    stream.write_all(&length.to_be_bytes())?;
    stream.write_all(question)?;
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let length = usize::try_from(u32::from_be_bytes(length)).map_err(|_| too_long())?;
    if length > MESSAGE_CAP {
        return Err(too_long());
    }
    let mut answer = vec![0; length];
    stream.read_exact(&mut answer)?;
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixListener;

    /// Runs an agent that answers any request with `answer`.
    fn answering(answer: &'static [u8]) -> Result<Vec<Identity>> {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("agent");
        let listener = UnixListener::bind(&socket).unwrap();
        let agent = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            stream.read_exact(&mut [0; 5]).unwrap();
            stream.write_all(answer).unwrap();
        });
        let keys = identities(&socket);
        agent.join().unwrap();
        keys
    }

    #[test]
    fn what_is_no_agent_is_told_from_none() {
        let says = |answer, says: &str| {
            let error = answering(answer).unwrap_err();
            assert!(error.fact().contains(says), "{error:?}");
        };
        assert_eq!(answering(b"\0\0\0\x05\x0c\0\0\0\0").unwrap(), []);
        says(b"\xff\xff\xff\xff", "more than 262144 bytes");
        says(b"\0\0\0\x05\x0c", "closed the connection");
        says(b"\0\0\0\x01\x05", "did not answer with");
        let error = identities(Path::new("/nonexistent/agent")).unwrap_err();
        assert!(error.fact().contains("no SSH agent answers"), "{error:?}");
    }
}
