//! What a round of alerts remembers outside the state, in the file `alerts.told`: which recipients
//! were told of a change that others have yet to hear of, and refusals for which the state has no
//! event. The file holds no secret; if it is lost, some alerts come twice, and the end of a refusal
//! may not be reported.

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::alert::notice::{Notice, NoticeKind};
use crate::alert::settings::{SETTINGS_CAP, Way};
use crate::file::{self, Writing};
use olr_core::crypto::digest::tagged16;
use olr_core::crypto::label::EVENT;
use olr_core::error::{Error, Problem, Refusal, Result};
use olr_core::state::SlotName;
use olr_core::time::Instant;
use olr_core::wire::codec::Text;
use olr_core::wire::id::EventId;
use olr_files::toml_text::read_toml;

/// Name of the file in a home.
const MEMORY: &str = "alerts.told";
/// Maximum number of refusals that are remembered; the oldest are dropped first.
const REFUSALS: usize = 64;

/// Content of the file.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Content {
    /// Recipients already told, by the id of the change.
    told: BTreeMap<String, BTreeSet<String>>,
    refusal: Vec<Known>,
}

/// A refusal that was noticed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Known {
    word: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    product: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    slot: Option<String>,
    fact: String,
    since: u64,
    /// True once every recipient was told that it began.
    #[serde(default)]
    told: bool,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    over: Option<u64>,
}

/// The remembered content, and its path.
pub(crate) struct Memory {
    path: PathBuf,
    content: Content,
}

/// A current refusal: its slot (`None` for the whole home), word and fact.
pub(crate) type ActiveCause = (Option<SlotName>, Refusal, String);

impl Memory {
    /// Loads what a home remembers. A file that cannot be parsed is treated as empty.
    pub(crate) fn load(home: &Path) -> Result<Self> {
        let path = home.join(MEMORY);
        let bytes = match file::read_if_there(&path, SETTINGS_CAP) {
            Err(error) if error.refusal().is_none() => return Err(error),
            read => read.ok().flatten().unwrap_or_default(),
        };
        let text = String::from_utf8(bytes).unwrap_or_default();
        Ok(Self { path, content: read_toml(MEMORY, &text).unwrap_or_default() })
    }

    pub(crate) fn save(&self) -> Result<()> {
        let text = toml::to_string(&self.content).map_err(|_| {
            Error::unable(
                Problem::Fault,
                format!("{} cannot be written", file::name(&self.path)),
                "remove it",
            )
        })?;
        file::write(&self.path, text.as_bytes(), Writing::Secret)
    }

    /// Records the current refusals: a new one has begun, a missing one has ended. While the whole
    /// home is refused, the refusals of its slots are unknown and stay as they are.
    pub(crate) fn stand(&mut self, now: &[ActiveCause], at: Instant) {
        let known = &mut self.content.refusal;
        let is_blind = now.iter().any(|(place, ..)| place.is_none());
        let seen = |old: &&mut Known| old.over.is_none() && !(is_blind && old.product.is_some());
        for old in known.iter_mut().filter(seen) {
            if !now.iter().any(|(place, word, _)| old.is(place.as_ref(), *word)) {
                old.over = Some(at.seconds);
            }
        }
        for (place, word, fact) in now {
            if !known.iter().any(|old| old.over.is_none() && old.is(place.as_ref(), *word)) {
                known.push(Known {
                    word: word.word().to_string(),
                    product: place.as_ref().map(|place| place.product.to_string()),
                    slot: place.as_ref().map(|place| place.slot.to_string()),
                    fact: fact.clone(),
                    since: at.seconds,
                    told: false,
                    over: None,
                });
            }
        }
        known.drain(..known.len().saturating_sub(REFUSALS));
    }

    /// Returns the notices about the remembered refusals that are still to be delivered.
    pub(crate) fn notices(&self, server: &str) -> Vec<Notice> {
        let known = self.content.refusal.iter().filter(|known| known.refusal().is_some());
        known.flat_map(|known| known.notices(server)).collect()
    }

    /// Returns whether a recipient was told of a change.
    pub(crate) fn was_told(&self, id: EventId, way: &Way) -> bool {
        let told = self.content.told.get(&id.to_string());
        told.is_some_and(|told| told.contains(&way.to_string()))
    }

    /// Remembers that a recipient was told of a change.
    pub(crate) fn tell(&mut self, id: EventId, way: &Way) {
        self.content.told.entry(id.to_string()).or_default().insert(way.to_string());
    }

    /// Forgets a change that every recipient was told of.
    pub(crate) fn settle(&mut self, notice: &Notice) {
        self.content.told.remove(&notice.id.to_string());
        self.content.refusal.retain_mut(|known| {
            known.told |= known.id(false) == notice.id;
            known.over.is_none() || known.id(true) != notice.id
        });
    }

    /// Forgets the deliveries of changes that are not in `notices`.
    pub(crate) fn keep(&mut self, notices: &[Notice]) {
        let ids: BTreeSet<_> = notices.iter().map(|notice| notice.id.to_string()).collect();
        self.content.told.retain(|id, _| ids.contains(id));
    }
}

impl Known {
    fn is(&self, place: Option<&SlotName>, word: Refusal) -> bool {
        self.word == word.word()
            && self.product.as_deref() == place.map(|place| &*place.product)
            && self.slot.as_deref() == place.map(|place| &*place.slot)
    }

    fn refusal(&self) -> Option<Refusal> {
        self.word.parse().ok()
    }

    fn id(&self, over: bool) -> EventId {
        let name = |name: &Option<String>| name.clone().unwrap_or_default();
        let (product, slot) = (name(&self.product), name(&self.slot));
        let pieces: [&[u8]; 6] = [
            EVENT,
            self.word.as_bytes(),
            product.as_bytes(),
            slot.as_bytes(),
            &self.since.to_le_bytes(),
            if over { b"over" } else { b"began" },
        ];
        EventId(tagged16(&pieces))
    }

    fn notices(&self, server: &str) -> impl Iterator<Item = Notice> {
        let place = self.product.as_ref().zip(self.slot.as_ref()).map(|(product, slot)| SlotName {
            product: Text::truncated(product),
            slot: Text::truncated(slot),
        });
        let notice = |word, over: Option<u64>| Notice {
            id: self.id(over.is_some()),
            server: server.to_string(),
            place: place.clone(),
            license: None,
            about: if over.is_some() { NoticeKind::Over(word) } else { NoticeKind::Refused(word) },
            at: Instant::new(over.unwrap_or(self.since)),
            since: Some(Instant::new(self.since)),
            until: None,
            fact: if over.is_some() { format!("{word}: resolved") } else { self.fact.clone() },
            step: None,
            condition: None,
        };
        let word = self.refusal();
        let began = word.filter(|_| !self.told).map(|word| notice(word, None));
        let over = word.filter(|_| self.over.is_some()).map(|word| notice(word, self.over));
        began.into_iter().chain(over).collect::<Vec<_>>().into_iter()
    }
}
