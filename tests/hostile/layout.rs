//! Implements `docs/format.md`, section "Bodies", as tables with a strict reader that shares no
//! code with the library. It locates each value, and tells whether a body is valid.

use std::ops::Range;

/// The types of the section "Bodies".
pub enum Type {
    U8,
    Bool,
    /// A varint with this maximum.
    Int(u64),
    /// Raw bytes of this length.
    Raw(usize),
    /// A number table with entries from 1 to this number.
    Table(u64),
    Text(u64),
    /// 1 to 32 of `a` to `z`, `0` to `9` and `-`.
    Word,
    Bytes(u64),
    List(u64, &'static Type),
    /// A set, with the range of the fields that form the key of an entry.
    Set(u64, &'static Type, Range<usize>),
    Maybe(&'static Type),
    Limit(&'static Type),
    Record(&'static [Type]),
}
use Type::*;

const U16: Type = Int(u16::MAX as u64);
const U32: Type = Int(u32::MAX as u64);
const U64: Type = Int(u64::MAX);
const ID: Type = Raw(16);
const KEY: Type = Raw(32);
const TEXT: Type = Text(256);
const NOTE: Type = Text(2048);
const TEXTS: Type = Set(64, &TEXT, 0..1);
const WORDS: Type = Set(64, &Word, 0..1);
const CAUSE: Type = Table(9);
const EXTENSIONS: Type = Set(64, &Record(&[U16, Bool, Bytes(4096)]), 0..1);
const FACTORS: Type = List(64, &Record(&[Table(16), Table(3), TEXT, TEXT, TEXT]));
const COUNTS: Type = Set(4096, &Record(&[TEXT, U64]), 0..1);
const MAXIMUM: Type = Record(&[TEXT, Limit(&U64)]);

pub const REQUEST: Type = Record(&[
    ID,                                  // request
    U64,                                 // number
    Set(16, &Record(&[U64, KEY]), 0..1), // earlier
    KEY,                                 // install_key
    KEY,                                 // commitment_key
    TEXT,                                // product
    TEXT,                                // product_version
    TEXT,                                // slot
    TEXT,                                // licensee
    TEXT,                                // license_key
    FACTORS,                             // enrolled
    FACTORS,                             // found
    List(64, &TEXT),                     // addresses
    List(64, &Record(&[TEXT, TEXT])),    // facts
    U64,                                 // clock
    TEXT,                                // boot
    Maybe(&ID),                          // renews
    COUNTS,                              // usage
    COUNTS,                              // wanted
    NOTE,                                // note
    EXTENSIONS,
]);

pub const RECEIPT: Type = Record(&[
    KEY,                                 // install_key
    TEXT,                                // product
    TEXT,                                // slot
    U64,                                 // number
    Set(16, &Record(&[U64, KEY]), 0..1), // earlier
    ID,                                  // license
    KEY,                                 // license_hash
    U64,                                 // at
    EXTENSIONS,
]);

pub const TIME: Type = Record(&[
    ID,  // request
    KEY, // request_hash
    U64, // number
    KEY, // install_key
    U64, // time
    EXTENSIONS,
]);

pub const REVOCATIONS: Type = Record(&[
    U32,                                    // version
    U64,                                    // sequence
    U64,                                    // issued
    Set(4096, &Record(&[ID, CAUSE]), 0..1), // licenses
    EXTENSIONS,
]);

pub const TRUST: Type = Record(&[
    U32,                                                         // version
    TEXT,                                                        // name
    Set(8, &KEY, 0..1),                                          // roots
    U8,                                                          // threshold
    List(8, &KEY),                                               // sealing
    Set(64, &U8, 0..1),                                          // suites
    List(64, &Record(&[TEXT, List(64, &TEXT)])),                 // products
    Set(64, &KEY, 0..1),                                         // kept
    Set(4096, &ID, 0..1),                                        // revoked
    List(64, &Record(&[Limit(&Table(4)), Maybe(&MAXIMUM), U8])), // signer_rules
    Bool,                                                        // test
    EXTENSIONS,
]);

pub const DELEGATION: Type = Record(&[
    KEY,                               // issuer
    Set(64, &Table(3), 0..1),          // acts
    Limit(&TEXTS),                     // products
    Limit(&TEXTS),                     // slots
    Limit(&TEXTS),                     // types
    Limit(&Set(64, &Table(4), 0..1)),  // models
    Limit(&Set(64, &Table(2), 0..1)),  // editions
    Limit(&Set(4096, &MAXIMUM, 0..1)), // modules
    Limit(&U32),                       // longest_term
    Limit(&U32),                       // ahead
    Limit(&U64),                       // longest_grace
    Limit(&U32),                       // longest_maintenance
    Limit(&WORDS),                     // afterwards
    Bool,                              // weak_machine
    Limit(&U64),                       // from
    Limit(&U64),                       // until
    EXTENSIONS,
]);

const GRANT: Type = Record(&[
    TEXT,        // module
    TEXT,        // name
    TEXT,        // group
    TEXT,        // unit
    Limit(&U64), // quota
    Limit(&U64), // account_cap
    Limit(&U64), // admin_cap
    TEXT,        // pool
    TEXTS,       // requires
    TEXTS,       // includes
    TEXT,        // minimum_version
]);

const POLICY: Type = Record(&[
    TEXT,                                                     // name
    U32,                                                      // threshold
    Bool,                                                     // hardware
    Set(64, &Record(&[Table(16), Table(3), U16, KEY]), 3..4), // enrolled
]);

pub const LICENSE: Type = Record(&[
    ID,                      // license
    ID,                      // request
    KEY,                     // request_hash
    U64,                     // number
    U32,                     // answer
    KEY,                     // install_key
    TEXT,                    // licensee
    TEXT,                    // product
    TEXT,                    // slot
    TEXT,                    // type_id
    Table(4),                // model
    Table(2),                // edition
    Set(4096, &GRANT, 0..1), // grants
    TEXTS,                   // languages
    U64,                     // issued
    U32,                     // starts
    Maybe(&U32),             // expires
    Maybe(&U32),             // maintenance
    U32,                     // tolerance
    POLICY,
    Set(64, &Record(&[CAUSE, U64, Table(3)]), 0..1), // grace
    Set(64, &Record(&[CAUSE, WORDS]), 0..1),         // enforcement
    WORDS,                                           // always
    Set(61, &Word, 0..1),                            // operations
    Maybe(&ID),                                      // replaces
    NOTE,                                            // note
    EXTENSIONS,
]);

const HELD: Type = Maybe(&Record(&[Bytes(262_144), FACTORS]));

/// When something was noted: by the mark, and by the earliest far clock since.
const NOTED: Type = Record(&[U64, Maybe(&U64)]);

const OVERUSE: Type = Record(&[
    ID,                    // license
    COUNTS,                // most
    Set(64, &SPENT, 0..1), // spent
]);

const SPENT: Type = Record(&[
    CAUSE,         // cause
    U64,           // first
    Maybe(&NOTED), // since
    U64,           // solved
    U64,           // seconds
    U64,           // far
    Maybe(&U64),   // eased
]);

const SLOT: Type = Record(&[
    TEXT,                                            // product
    TEXT,                                            // slot
    HELD,                                            // installed
    HELD,                                            // next
    Bool,                                            // took over
    U64,                                             // highest number
    U32,                                             // highest answer
    U64,                                             // floor
    U64,                                             // matched
    Maybe(&NOTED),                                   // revoked
    Set(4096, &Record(&[TEXT, U64]), 0..1),          // usage
    OVERUSE,                                         // over
    Set(64, &Record(&[CAUSE, Table(7), U64]), 0..1), // announced
    Maybe(&Bytes(262_144)),                          // receipt
]);

const EVENT: Type = Record(&[
    ID,                       // id
    TEXT,                     // product
    TEXT,                     // slot
    ID,                       // license
    CAUSE,                    // cause
    Table(7),                 // stage
    U64,                      // at
    Maybe(&U64),              // until
    NOTE,                     // fact
    Set(64, &Table(2), 0..1), // heard
]);

pub const STATE: Type = Record(&[
    U64,                                                          // counter
    List(16, &Bytes(262_144)),                                    // trusts
    U64,                                                          // number
    List(16, &Record(&[U64, ID, KEY, TEXT, TEXT, U64, FACTORS])), // requests
    Set(64, &SLOT, 0..2),                                         // slots
    Maybe(&Record(&[TEXT, TEXT, TEXT, TEXT, TEXT, FACTORS])),     // asked
    U64,                                                          // mark
    Maybe(&Record(&[U64, U64, TEXT, U64])),                       // pending
    Maybe(&Record(&[U64, KEY])),                                  // anchored
    Maybe(&Record(&[Bytes(262_144), List(16, &Bytes(262_144))])), // revocations
    List(64, &EVENT),                                             // events
    KEY,                                                          // chain
    EXTENSIONS,
]);

/// A value in a body: its range, its type, and its nesting depth.
pub struct Part {
    pub at: Range<usize>,
    pub is: &'static Type,
    pub depth: usize,
}

/// Every value of a body, outer before inner. `None` if the body breaks a rule of "Bodies".
pub fn parts(of: &'static Type, body: &[u8]) -> Option<Vec<Part>> {
    let mut walk = Walk { body, at: 0, depth: 0, parts: Vec::new() };
    walk.value(of)?;
    (walk.at == body.len()).then_some(walk.parts)
}

struct Walk<'a> {
    body: &'a [u8],
    at: usize,
    depth: usize,
    parts: Vec<Part>,
}

/// Sort key of a set entry: numbers big-endian, texts and raw bytes as they are.
type Key = Vec<u8>;

impl<'a> Walk<'a> {
    /// Reads a value and returns its key; for a record, the keys of its fields.
    fn value(&mut self, is: &'static Type) -> Option<Vec<Key>> {
        let (start, place, depth) = (self.at, self.parts.len(), self.depth);
        self.parts.push(Part { at: start..start, is, depth });
        self.depth += 1;
        let keys = match is {
            U8 => vec![self.take(1)?.to_vec()],
            Bool => vec![vec![self.tag()?]],
            Int(most) => vec![self.int(*most)?.to_be_bytes().to_vec()],
            Table(most) => {
                let number = self.int(*most)?;
                (number > 0).then(|| vec![number.to_be_bytes().to_vec()])?
            }
            Raw(len) => vec![self.take(*len)?.to_vec()],
            Text(cap) => {
                let len = self.int(*cap)?;
                vec![str::from_utf8(self.take(len as usize)?).ok()?.as_bytes().to_vec()]
            }
            Word => {
                let len = self.int(32)?;
                let word = self.take(len as usize)?;
                let is_of_word = |byte: &u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
                (!word.is_empty() && word.iter().all(is_of_word)).then(|| vec![word.to_vec()])?
            }
            Bytes(cap) => {
                let len = self.int(*cap)?;
                vec![self.take(len as usize)?.to_vec()]
            }
            List(cap, of) => {
                (0..self.int(*cap)?).try_for_each(|_| self.value(of).map(drop))?;
                Vec::new()
            }
            Set(cap, of, key) => {
                let mut last = None;
                for _ in 0..self.int(*cap)? {
                    let found = Some(self.value(of)?[key.clone()].to_vec());
                    (last < found).then(|| last = found)?;
                }
                Vec::new()
            }
            Maybe(of) | Limit(of) => {
                // A value follows the tag 1 in an option, but the tag 0 in a limit.
                if self.tag()? == u8::from(matches!(is, Maybe(_))) {
                    self.value(of)?;
                }
                Vec::new()
            }
            Record(fields) => {
                let mut keys = Vec::new();
                for field in *fields {
                    // A list field has no key, but occupies the position of one.
                    let own = self.value(field)?;
                    keys.push(own.into_iter().next().unwrap_or_default());
                }
                keys
            }
        };
        self.depth = depth;
        self.parts[place].at = start..self.at;
        Some(keys)
    }

    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let taken = self.body.get(self.at..self.at.checked_add(len)?)?;
        self.at += len;
        Some(taken)
    }

    fn tag(&mut self) -> Option<u8> {
        self.take(1).map(|tag| tag[0]).filter(|tag| *tag < 2)
    }

    /// Reads a varint, which must be in its shortest form.
    fn int(&mut self, most: u64) -> Option<u64> {
        let start = self.at;
        let width = match self.take(1)?[0] {
            small @ 0..=250 => return (u64::from(small) <= most).then_some(small.into()),
            0xfb => 2,
            0xfc => 4,
            0xfd => 8,
            _ => return None,
        };
        let mut wide = [0; 8];
        wide[..width].copy_from_slice(self.take(width)?);
        let value = u64::from_le_bytes(wide);
        (value <= most && varint(value) == self.body[start..self.at]).then_some(value)
    }
}

/// Encodes a varint in its shortest form.
pub fn varint(value: u64) -> Vec<u8> {
    let bytes = value.to_le_bytes();
    match value {
        0..=250 => vec![bytes[0]],
        251..=0xffff => [&[0xfb], &bytes[..2]].concat(),
        0x1_0000..=0xffff_ffff => [&[0xfc], &bytes[..4]].concat(),
        _ => [&[0xfd], &bytes[..]].concat(),
    }
}
