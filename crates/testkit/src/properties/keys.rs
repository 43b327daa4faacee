//! Properties of imported keys: from other programs, or typed from paper.

use olr_core::crypto::secret::Secret;
use olr_office::key::paper::{PAGE_CAP, from_page, to_page};
use olr_office::key::pkcs8::{MEMORY_CAP, PrivatePem, ROUNDS_CAP, to_pem};
use rand::SeedableRng;
use rand::rngs::ChaCha20Rng;

/// An accepted private key stays within the cost limits, and an unencrypted one is the same after
/// writing and reading. Tries no passphrase, because that may take 256 MiB of memory.
pub fn pkcs8(bytes: &[u8]) {
    let Ok(key) = PrivatePem::parse(bytes) else { return };
    let (rounds, memory) = key.cost();
    assert!(rounds <= ROUNDS_CAP && memory <= MEMORY_CAP, "{rounds} rounds, {memory} bytes");
    if key.needs_passphrase() {
        assert!(key.open(None).is_err() && rounds.max(memory) > 0);
        return;
    }
    let seed = key.open(None).unwrap();
    let pem = to_pem(&seed, None, &mut ChaCha20Rng::from_seed([7; 32])).unwrap();
    let again = PrivatePem::parse(pem.as_bytes()).unwrap().open(None).unwrap();
    assert_eq!(again.expose(), seed.expose());
}

/// An accepted page contains every line of the key that it yields.
pub fn paper(bytes: &[u8]) {
    let Some(text) = bytes.get(..bytes.len().min(PAGE_CAP)).and_then(|b| str::from_utf8(b).ok())
    else {
        return;
    };
    let Ok((role, seed)) = from_page(text) else { return };
    let page = to_page(role, &Secret::new(seed.expose()));
    let (again, read) = from_page(&page).unwrap();
    assert_eq!((again, read.expose()), (role, seed.expose()));
    let typed: Vec<_> = text.lines().map(alike).collect();
    for line in page.lines().filter(|line| line.starts_with(|c: char| c.is_ascii_digit())) {
        assert!(typed.contains(&alike(line)), "{line} was not typed");
    }
}

/// Normalizes a line: removes separators, and unifies characters that may be typed for each other.
fn alike(line: &str) -> String {
    let shown = line.chars().filter(|c| !c.is_whitespace() && !".:)|-".contains(*c));
    let folded = shown.enumerate().map(|(at, c)| match c.to_ascii_uppercase() {
        other if at == 0 => other,
        'O' => '0',
        'B' => '8',
        'I' | 'L' => '1',
        other => other,
    });
    folded.collect()
}
