//! The examples of `docs/format.md` match what the library reads and writes.
#![cfg(feature = "vendor")]

use data_encoding::HEXLOWER;
use olr_core::crypto::seal::SealingKey;
use olr_core::crypto::secret::Secret;

use olr_core::armor::dearmor;
use olr_core::request::SealedRequest;
use olr_core::wire::codec::encode;
use olr_core::wire::frame::Kind;

use crate::world::scenario::{Scenario, root};

/// A subsection of "Examples".
fn example(title: &str) -> String {
    let page = std::fs::read_to_string(root().join("docs/format.md")).unwrap();
    let (_, examples) = page.split_once("\n## Examples\n").unwrap();
    let (_, section) = examples.split_once(&format!("\n### {title}\n")).unwrap();
    section.split("\n### ").next().unwrap().to_string()
}

/// Offset and bytes of each line of a dump. Omitted lines have no bytes.
fn dump(section: &str) -> Vec<(usize, Vec<u8>)> {
    let line = |line: &str| {
        let (at, rest) = line.strip_prefix("    ")?.split_once("  ")?;
        let at = usize::from_str_radix(at, 16).ok()?;
        let digits = rest.split("  ").next()?.replace(' ', "");
        Some((at, HEXLOWER.decode(digits.as_bytes()).unwrap_or_default()))
    };
    section.lines().filter_map(line).collect()
}

fn expect(section: &str, bytes: &[u8]) {
    let lines = dump(section);
    assert!(lines.len() > 8, "{section}");
    for (at, piece) in lines {
        assert_eq!(
            HEXLOWER.encode(&bytes[at..at + piece.len()]),
            HEXLOWER.encode(&piece),
            "{at:04x}"
        );
    }
}

#[test]
fn the_license_is_the_one_of_the_fixtures() {
    let bytes = Scenario::read("license/good").bytes;
    let section = example("A license");
    expect(&section, &bytes);
    let shown: usize = dump(&section).iter().map(|(_, piece)| piece.len()).sum();
    assert_eq!(shown, bytes.len(), "every byte is shown");
}

#[test]
fn the_request_opens_and_says_what_stands_there() {
    let armored: String = example("A request, binary")
        .lines()
        .map(|line| line.trim_start().to_string() + "\n")
        .collect();
    let bytes = dearmor(Some(Kind::Request), armored.as_bytes()).unwrap();
    expect(&example("A request, binary"), &bytes);
    let sealed = SealedRequest::parse(&bytes).unwrap();
    assert!(armored.contains(&HEXLOWER.encode(&sealed.hash())));
    assert!(armored.contains(&sealed.code()));
    let page = std::fs::read_to_string(root().join("docs/format.md")).unwrap();
    let page = page.split_whitespace().collect::<Vec<_>>().join(" ");
    let (_, seed) = page.split_once("The seed of the vendor's sealing key is `").unwrap();
    let seed: [u8; 32] = HEXLOWER.decode(&seed.as_bytes()[..64]).unwrap().try_into().unwrap();
    let opened = sealed.open(&SealingKey::from_seed(&Secret::new(&seed))).unwrap();
    let body = encode(opened.body());
    let length = u32::try_from(body.len()).unwrap().to_le_bytes();
    expect(&example("Its plaintext"), &[length.as_slice(), &body, &[0; 1024]].concat());
}
