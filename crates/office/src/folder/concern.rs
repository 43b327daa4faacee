//! What looks like a mistake in an answer, before it is signed.

use olr_core::error::{NextStep, Refusal};

/// What looks like a mistake in an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Concern {
    /// What it is about.
    pub about: ConcernKind,
    /// In words.
    pub fact: String,
    /// What the server will say to it, where it refuses.
    pub refusal: Option<Refusal>,
    /// One next step.
    pub next_step: NextStep,
    /// Whether a clock is meant that may be the one here.
    pub(super) is_ours: bool,
}

/// What a concern is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConcernKind {
    /// More is in use than granted.
    InUse,
    /// Less is granted than by the last answer.
    Fewer,
    /// The license ends no later than the last answer, or has ended.
    End,
    /// Maintenance ends earlier than that of the last answer.
    Maintenance,
    /// The clocks of server and vendor differ.
    Clocks,
    /// The request was made days ago, or the server's clock is behind.
    Age,
    /// A later request of the same server was answered.
    Later,
    /// The memory of the installation was copied or put back: it asks with two histories.
    Fork,
    /// The last license of this key or installation was revoked.
    Revoked,
}

impl ConcernKind {
    /// Its word in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::InUse => "in-use",
            Self::Fewer => "fewer",
            Self::End => "end",
            Self::Maintenance => "maintenance",
            Self::Clocks => "clocks",
            Self::Age => "age",
            Self::Later => "later",
            Self::Fork => "fork",
            Self::Revoked => "revoked",
        }
    }
}

impl Concern {
    /// Whether to ask before signing: the server refuses it, or it does not do what was asked for.
    pub fn asks(&self) -> bool {
        !matches!(self.about, ConcernKind::Fewer | ConcernKind::Age | ConcernKind::Later)
    }

    pub(super) fn new(
        about: ConcernKind,
        fact: String,
        refusal: Option<Refusal>,
        next_step: impl Into<NextStep>,
    ) -> Self {
        Self { about, fact, refusal, next_step: next_step.into(), is_ours: false }
    }
}
