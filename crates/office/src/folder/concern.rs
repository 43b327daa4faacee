//! Likely mistakes in an answer, found before it is signed.

use olr_core::error::{NextStep, Refusal};

/// A likely mistake in an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Concern {
    /// Kind of mistake.
    pub about: ConcernKind,
    /// Description, for display.
    pub fact: String,
    /// Refusal that the server will give, if it will refuse the answer.
    pub refusal: Option<Refusal>,
    /// One next step.
    pub next_step: NextStep,
    /// True if the clock that is wrong may be the vendor's.
    pub(super) is_ours: bool,
}

/// Kinds of concern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConcernKind {
    /// The server uses more than is granted.
    InUse,
    /// Less is granted than by the previous answer.
    Fewer,
    /// The license expires earlier than the previous one, or, in a renewal, no later; or it has
    /// expired already.
    End,
    /// Maintenance ends earlier than in the previous answer.
    Maintenance,
    /// The clocks of server and vendor differ.
    Clocks,
    /// The request is days old, the server's clock is behind, or the vendor's is ahead.
    Age,
    /// A later request of the same server was answered already.
    Later,
    /// The home of the installation was copied or restored: its requests belong to two histories.
    Fork,
    /// The previous license of this key or installation was revoked.
    Revoked,
}

impl ConcernKind {
    /// Machine-readable name, used in JSON.
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
    /// True if the command should ask for confirmation before signing. The concerns
    /// [`ConcernKind::Fewer`], [`ConcernKind::Age`] and [`ConcernKind::Later`] are only shown.
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
