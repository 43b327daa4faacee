//! Properties of parsers for keys that are not in files: URIs, and responses from SSH agents.

use olr_office::key::agent::{MESSAGE_CAP, ask_signature, read_identities, read_signature};
use olr_office::key::token::uri::{URI_CAP, Uri};

/// Decoded keys and signatures of an agent encode to the same response.
pub fn agent(answer: &[u8]) {
    if let Ok(keys) = read_identities(answer) {
        let count = u32::try_from(keys.len()).unwrap();
        let mut again = [[12].as_slice(), &count.to_be_bytes()].concat();
        for key in &keys {
            again.extend(string(&key.blob));
            again.extend(string(&key.comment));
            let whole = key.ed25519().map(|key| [string(b"ssh-ed25519"), string(&key)].concat());
            assert!(whole.is_none_or(|blob| blob == key.blob), "not an Ed25519 key");
            let _ = (key.algorithm(), key.fingerprint());
        }
        assert_eq!(again, answer);
    }
    if let Ok(signature) = read_signature(answer) {
        let inside = [string(b"ssh-ed25519"), string(&signature)].concat();
        assert_eq!([[14].as_slice(), &string(&inside)].concat(), answer);
    }
    let asked = ask_signature(answer, answer);
    assert!(asked.is_none_or(|question| question.len() <= MESSAGE_CAP));
}

fn string(bytes: &[u8]) -> Vec<u8> {
    [u32::try_from(bytes.len()).unwrap().to_be_bytes().as_slice(), bytes].concat()
}

/// An accepted URI has no duplicate attribute and no PIN, and is equivalent to its formatted form.
pub fn token_uri(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let uri = match text.parse::<Uri>() {
        Ok(uri) => uri,
        Err(error) => {
            assert_eq!(error.exit_status(), 2, "an invalid URI is no refusal");
            return;
        }
    };
    assert!(text.len() <= URI_CAP && text.is_ascii());
    let (path, query) = text.split_once('?').unwrap_or((text, ""));
    let path = path.split_once(':').unwrap().1;
    assert!(!path.contains('/'), "a slash in the path must be encoded");
    let standard = |name: &&str| ["module-path", "module-name", "pin-source"].contains(name);
    let names = |part: &str, between| -> Vec<String> {
        let names = part.split(between).filter(|part: &&str| !part.is_empty());
        names.map(|part| part.split('=').next().unwrap().to_string()).collect()
    };
    let mut said = names(path, ';');
    said.extend(names(query, '&').into_iter().filter(|name| standard(&name.as_str())));
    assert!(!names(query, '&').iter().chain(&said).any(|name| name == "pin-value"), "a PIN");
    said.sort();
    let all = said.len();
    said.dedup();
    assert_eq!(said.len(), all, "a duplicate attribute was accepted");
    for path in uri.module_path.iter().chain(&uri.pin_source) {
        assert!(path.starts_with('/') && !path.contains('\0'));
    }
    let again = uri.to_string();
    // Percent-encoding makes a URI up to three times as long, which may exceed the cap.
    assert!(again.len() > URI_CAP || again.parse::<Uri>().as_ref() == Ok(&uri), "{again}");
}
