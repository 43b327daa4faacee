use super::*;
use rand::SeedableRng;
use rand::rngs::ChaCha20Rng;

fn passphrase(text: &str) -> Passphrase {
    Passphrase::new(text.to_string().into())
}

fn pem(label: &str, der: &[u8]) -> String {
    write_pem(label, der).to_string()
}

#[track_caller]
fn refused(text: &str, says: &str) {
    let error = PrivatePem::parse(text.as_bytes()).unwrap_err();
    assert!(error.fact().contains(says), "{:?} should say {says:?}", error.fact());
    assert_eq!(error.exit_status(), 2);
}

#[test]
fn what_is_written_is_read() {
    let mut rng = ChaCha20Rng::from_seed([1; 32]);
    let seed = Secret::new(&[7; 32]);
    let plain = to_pem(&seed, None, &mut rng).unwrap();
    let read = PrivatePem::parse(plain.as_bytes()).unwrap();
    assert!(!read.needs_passphrase());
    assert_eq!(read.open(None).unwrap().expose(), &[7; 32]);
    let sealed = to_pem(&seed, Some(&passphrase("right")), &mut rng).unwrap();
    let read = PrivatePem::parse(sealed.as_bytes()).unwrap();
    assert!(read.needs_passphrase() && read.cost() == (600_000, 0));
    assert_eq!(read.open(Some(&passphrase("right"))).unwrap().expose(), &[7; 32]);
    assert!(read.open(Some(&passphrase("wrong"))).unwrap_err().fact().contains("wrong"));
    assert!(read.open(None).unwrap_err().fact().contains("needs a passphrase"));
    let around = format!("Bag\r\n{}\r\n", plain.replace('\n', "\r\n"));
    assert!(PrivatePem::parse(around.as_bytes()).is_ok());
    refused(&format!("{}{}", *plain, *sealed), "more than one");
    assert_eq!(
        format!("{:?}", PrivatePem::parse(plain.as_bytes()).unwrap()),
        "PrivatePem(Plain([redacted]))"
    );
}

#[test]
fn a_public_key_must_be_its_own() {
    let own = SigningKey::from_seed(&Secret::new(&[7; 32])).public();
    let version_2 = |public: &[u8; 32]| {
        let mut der = [PREFIX.as_slice(), &[7; 32], b"\x81\x21\x00", public].concat();
        (der[1], der[4]) = (0x51, 1);
        pem(PLAIN, &der)
    };
    assert!(PrivatePem::parse(version_2(&own).as_bytes()).is_ok());
    refused(&version_2(&[7; 32]), "does not match");
}

#[test]
fn older_libraries_wrote_the_public_half_elsewhere() {
    let own = SigningKey::from_seed(&Secret::new(&[7; 32])).public();
    let with = |version: u8, before: &[u8], public: &[u8], after: &[u8]| {
        let mut der = [PREFIX.as_slice(), &[7; 32], before, public, after].concat();
        (der[1], der[4]) = (u8::try_from(der.len() - 2).unwrap(), version);
        pem(PLAIN, &der)
    };
    for head in [&b"\x81\x21\x00"[..], b"\xa1\x23\x03\x21\x00"] {
        for version in [0, 1] {
            let public = [head, &own].concat();
            let read = |text: String| PrivatePem::parse(text.as_bytes());
            let key = read(with(version, b"", &public, b"")).unwrap();
            assert_eq!(key.open(None).unwrap().expose(), &[7; 32]);
            read(with(version, b"\xa0\x00", &public, b"")).unwrap();
            refused(&with(version, b"", &[head, &[8; 32]].concat(), b""), "does not match");
            refused(&with(version, b"", &[head, &own[..31]].concat(), b""), "not PKCS#8");
            refused(&with(version, b"", &public, &public), "not PKCS#8");
            refused(&with(version, b"", &public, b"\xa0\x00"), "not PKCS#8");
            refused(&with(version, b"", &public, b"\x05\x00"), "not PKCS#8");
        }
        refused(&with(2, b"", &[head, &own].concat(), b""), "not PKCS#8");
    }
    refused(&with(1, b"", b"", b""), "not PKCS#8");
    refused(&with(1, b"", &[&b"\x81\x21\x01"[..], &own].concat(), b""), "not PKCS#8");
    refused(&with(1, b"", &[&b"\xa1\x21\x00"[..], &own].concat(), b""), "not PKCS#8");
    refused(&with(0, b"", b"\x81\x01\x00", b""), "does not match");
    refused(&with(0, b"", b"\x81\x00", b""), "not PKCS#8");
    // Keys from real libraries: the public key in a second BIT STRING, and in version 1.
    for text in [
        "MFMCAQEwBQYDK2VwBCIEINKVp3a6qPKW/7lGnE2ILdIv39ViFj+X+wwl7fKsNBvMoSMDIQBqhrFTz2ZXWd7mdoLz\
         TSxTdiltoSfQ0lQizFyEsCj6dA==",
        "MFECAQAwBQYDK2VwBCIEINKVp3a6qPKW/7lGnE2ILdIv39ViFj+X+wwl7fKsNBvMgSEAaoaxU89mV1ne5naC800s\
         U3YpbaEn0NJUIsxchLAo+nQ=",
    ] {
        let text = format!("-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n");
        assert!(PrivatePem::parse(text.as_bytes()).is_ok());
    }
}

#[test]
fn other_things_are_named() {
    let with = |at: usize, byte: u8| {
        let mut der = [PREFIX.as_slice(), &[7; 32]].concat();
        der[at] = byte;
        pem(PLAIN, &der)
    };
    refused(&with(11, 0x6e), "X25519");
    refused(&with(11, 0x71), "Ed448");
    refused(&with(11, 0x01), "1.3.101.1,");
    refused(&with(15, 0x1f), "not PKCS#8");
    refused(&with(0, 0x31), "not PKCS#8");
    for (label, says) in [
        ("RSA PRIVATE KEY", "RSA"),
        ("EC PRIVATE KEY", "EC"),
        ("OPENSSH PRIVATE KEY", "OpenSSH"),
        ("OLR KEY FILE", "olr"),
        ("PUBLIC KEY", "public"),
    ] {
        refused(&pem(label, b"x"), says);
    }
    refused("", "no line");
    refused("-----BEGIN PRIVATE KEY-----\nMC4C", "last line");
    refused("-----BEGIN PRIVATE KEY-----\nM-C\n-----END PRIVATE KEY-----", "base64");
    refused(&" ".repeat(PEM_CAP + 1), "16 KiB");
    assert!(PrivatePem::parse(b"\x30\xff").unwrap_err().next_step().text().contains("-inform DER"));
}

#[test]
fn work_has_bounds() {
    let read = |kdf: pbes2::Kdf| {
        let encryption = pbes2::EncryptionScheme::Aes256Cbc { iv: [0; 16] };
        let info = EncryptedPrivateKeyInfoRef {
            encryption_algorithm: pbes2::Parameters { kdf, encryption }.into(),
            encrypted_data: OctetStringRef::new(&[0; 64]).unwrap(),
        };
        PrivatePem::parse(pem(ENCRYPTED, &info.to_der().unwrap()).as_bytes())
    };
    let pbkdf2 = |iteration_count| {
        let usual = pbes2::Pbkdf2Params::hmac_sha256(1, &[0; 16]).unwrap();
        read(pbes2::Pbkdf2Params { iteration_count, ..usual }.into())
    };
    assert!(pbkdf2(1).is_ok() && pbkdf2(10_000_000).is_ok());
    for rounds in [0, 10_000_001, u32::MAX] {
        assert!(pbkdf2(rounds).unwrap_err().fact().contains("more work"));
    }
    let scrypt = |cost_parameter, block_size, parallelization| {
        let salt = pbes2::Salt::new([0; 8]).unwrap();
        read(pbes2::Kdf::Scrypt(pbes2::ScryptParams {
            salt,
            cost_parameter,
            block_size,
            parallelization,
            key_length: None,
        }))
    };
    assert!(scrypt(16_384, 8, 1).is_ok() && scrypt(1 << 18, 8, 4).is_ok());
    for (n, r, p) in [
        (0, 8, 1),
        (1, 8, 1),
        (16_383, 8, 1),
        (16_384, 0, 1),
        (16_384, 8, 0),
        (1 << 19, 8, 1),
        (1 << 18, 8, 5),
        (1 << 63, u16::MAX, u16::MAX),
    ] {
        assert!(scrypt(n, r, p).unwrap_err().fact().contains("more work"), "{n} {r} {p}");
    }
    let usual = pbes2::Pbkdf2Params::hmac_sha256(1, &[0; 16]).unwrap();
    let old = pbes2::Pbkdf2Params { prf: pbes2::Pbkdf2Prf::HmacWithSha1, ..usual };
    assert!(read(old.into()).unwrap_err().next_step().text().contains("openssl pkcs8"));
    let short = pbes2::Pbkdf2Params { key_length: Some(16), ..usual };
    assert!(read(short.into()).is_err());
}
