//! End of a license or of its maintenance, as written in catalogs and grants.

use std::fmt;
use std::str::FromStr;

use olr_core::error::{Error, Result};
use olr_core::time::{Day, Span};

/// End of a license or of its maintenance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// No end.
    Never,
    /// The last day.
    On(Day),
    /// A span after the start.
    After(Span),
}

impl End {
    /// Returns the last day; a span counts from `start`. `None` if there is no end.
    ///
    /// # Errors
    /// Exit 2 when that day is after the year 9999.
    pub fn last_day(self, start: Day) -> Result<Option<Day>> {
        match self {
            Self::Never => Ok(None),
            Self::On(day) => Ok(Some(day)),
            Self::After(span) => span.end_from(start).map(Some).map_err(|error| error.hint(USUAL)),
        }
    }
}

impl FromStr for End {
    type Err = Error;

    /// Parses a day, a span, or `never`.
    ///
    /// # Errors
    /// Exit 2 when `text` is none of these, with a suggestion.
    fn from_str(text: &str) -> Result<Self> {
        if text == "never" {
            return Ok(Self::Never);
        }
        let end = match text.parse() {
            Err(_) if !Day::is_meant(text) => text.parse().map(Self::After),
            day => day.map(Self::On),
        };
        end.map_err(|error| match Day::written_otherwise(text) {
            Some(days) => error.hint(format!("write {days}")),
            None if text.eq_ignore_ascii_case("never") => error.hint("write \"never\""),
            None => error.hint(USUAL),
        })
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Never => f.write_str("never"),
            Self::On(day) => day.fmt(f),
            Self::After(span) => span.fmt(f),
        }
    }
}

const USUAL: &str = "write a day, a span such as \"1 year\", or \"never\"";
