//! Errors, and the three closed lists that they use: words for a proven *no* ([`Refusal`]), kinds
//! of *could not tell* ([`Problem`]), and acts that help ([`Remedy`]).

use std::fmt;

mod next;
mod problem;
mod refusal;

pub use next::{NextStep, Remedy};
pub use problem::Problem;
pub use refusal::Refusal;

/// Result of every fallible function of this crate.
///
/// ```
/// # mod olr { pub use olr_core::{error::Result, time::Day}; }
/// use olr::{Day, Result};
///
/// fn last_day(typed: &str) -> Result<Day> {
///     typed.trim().parse()
/// }
///
/// assert!(last_day(" 2028-03-01 ").is_ok());
/// ```
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why something was not done: a proven *no* (a [`Refusal`]), or *could not tell*.
///
/// `fact` states what happened and where, `next_step` what to do. Both are lower-case sentences
/// without a full stop. Neither ever contains a secret.
///
/// ```
/// # mod olr { pub use olr_core::{error::Error, time::Day}; }
/// use olr::{Day, Error};
///
/// let error: Error = "tomorrow".parse::<Day>().unwrap_err();
/// assert_eq!(error.exit_status(), 2); // it could not tell; 1 would be a proved no
/// eprintln!("{error}; {}", error.next_step());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    kind: ErrorKind,
    rules: Vec<&'static str>,
    fact: String,
    next_step: NextStep,
    /// The next step at the vendor's office, if it is a different one. Boxed, because few errors
    /// have one, but it would take space in every `Result`.
    at_vendor: Option<Box<NextStep>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ErrorKind {
    Refusal(Refusal),
    Problem(Problem),
}

impl Error {
    /// Creates an error for a proven *no*, with the usual next step for `word`.
    pub fn refuse(word: Refusal, fact: impl Into<String>) -> Self {
        let ((text, remedies), at_vendor) = word.steps();
        Self {
            kind: ErrorKind::Refusal(word),
            rules: Vec::new(),
            fact: fact.into(),
            next_step: NextStep::new(text, remedies),
            at_vendor: at_vendor.map(|(text, remedies)| Box::new(NextStep::new(text, remedies))),
        }
    }

    /// Creates an error for *could not tell*: wrong usage, a file that cannot be read, a key that
    /// is not available.
    pub fn unable(
        problem: Problem,
        fact: impl Into<String>,
        next_step: impl Into<NextStep>,
    ) -> Self {
        Self {
            kind: ErrorKind::Problem(problem),
            rules: Vec::new(),
            fact: fact.into(),
            next_step: next_step.into(),
            at_vendor: None,
        }
    }

    /// Replaces the next step, for customer and vendor alike.
    #[must_use]
    pub fn hint(mut self, next_step: impl Into<NextStep>) -> Self {
        (self.next_step, self.at_vendor) = (next_step.into(), None);
        self
    }

    /// Replaces the next step with one for the customer and one for the vendor's office.
    #[must_use]
    pub(crate) fn hints(
        mut self,
        customer: impl Into<NextStep>,
        vendor: impl Into<NextStep>,
    ) -> Self {
        (self.next_step, self.at_vendor) = (customer.into(), Some(Box::new(vendor.into())));
        self
    }

    /// Switches to the next step for the vendor's office, if there is one.
    #[must_use]
    pub fn at_vendor(mut self) -> Self {
        if let Some(step) = self.at_vendor.take() {
            self.next_step = *step;
        }
        self
    }

    /// Prefixes the fact with the place where it happened: `"issuer.key: …"`.
    #[must_use]
    pub fn within(mut self, place: impl fmt::Display) -> Self {
        self.fact = format!("{place}: {}", self.fact);
        self
    }

    /// Adds a broken rule of the specification. The innermost rule comes first, then the rules that
    /// refer to it.
    #[must_use]
    pub fn rule(mut self, id: &'static str) -> Self {
        self.rules.push(id);
        self
    }

    /// Replaces the fact.
    #[must_use]
    pub fn told(mut self, fact: impl Into<String>) -> Self {
        self.fact = fact.into();
        self
    }

    /// Changes the error into the refusal `word`, with the usual next step for it. Fact and rules
    /// stay the same.
    pub fn become_refusal(self, word: Refusal) -> Self {
        Self { rules: self.rules, ..Self::refuse(word, self.fact) }
    }

    /// Changes the error into this kind of *could not tell*.
    #[must_use]
    pub fn become_problem(mut self, problem: Problem) -> Self {
        self.kind = ErrorKind::Problem(problem);
        self
    }

    /// Broken rules of the specification, the innermost first. Empty if the error is not about a
    /// rule.
    pub fn rules(&self) -> &[&'static str] {
        &self.rules
    }

    /// Appends `more` to the fact, without a separator.
    #[must_use]
    pub(crate) fn adding(mut self, more: impl fmt::Display) -> Self {
        self.fact = format!("{}{more}", self.fact);
        self
    }

    /// Returns the word if this is a proven *no*.
    pub fn refusal(&self) -> Option<Refusal> {
        match self.kind {
            ErrorKind::Refusal(word) => Some(word),
            ErrorKind::Problem(_) => None,
        }
    }

    /// Returns the problem if this is *could not tell*.
    pub fn problem(&self) -> Option<Problem> {
        match self.kind {
            ErrorKind::Problem(problem) => Some(problem),
            ErrorKind::Refusal(_) => None,
        }
    }

    /// What happened, and where.
    pub fn fact(&self) -> &str {
        &self.fact
    }

    /// One next step.
    pub fn next_step(&self) -> &NextStep {
        &self.next_step
    }

    /// Exit status of a process that ends with this error: 1 refused, 2 could not tell.
    pub fn exit_status(&self) -> u8 {
        if self.refusal().is_some() { 1 } else { 2 }
    }
}

/// Returns a function that adds the rule `id` to an error: `.map_err(under("trust-2"))`.
pub fn under(id: &'static str) -> impl Fn(Error) -> Error {
    move |error| error.rule(id)
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.refusal() {
            Some(word) => write!(f, "{word}: {}", self.fact),
            None => f.write_str(&self.fact),
        }
    }
}

impl std::error::Error for Error {}
