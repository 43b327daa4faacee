//! Days, instants and spans, all in UTC. Implements `docs/format.md`, section "Days and instants".

use jiff::civil::Date;
use std::fmt;
use std::str::FromStr;

use crate::display::code_point;
use crate::error::{Error, Problem, Result};
use crate::wire::codec::record;

mod otherwise;

/// Seconds in a day.
pub const DAY: u64 = 86_400;
const HALF_DAY: u64 = 43_200;
/// 14 hours in seconds: how far the earliest time zone is ahead of UTC.
const EARLIEST: u64 = 50_400;
/// 9999-12-31, the last day that can be written as a date.
const LAST_DAY: u32 = 2_932_896;

record! {
    /// An instant in whole seconds since 1970-01-01T00:00:00Z.
    ///
    /// ```
    /// # mod olr { pub use olr_core::{time::{Day, Instant}}; }
    /// use olr::Instant;
    ///
    /// let noon: Instant = "2028-03-01T12:00:00Z".parse()?;
    /// assert_eq!(noon.day().to_string(), "2028-03-01");
    /// assert!(noon < Instant::new(noon.seconds + 1));
    /// # Ok::<(), olr_core::error::Error>(())
    /// ```
    #[derive(Copy, PartialOrd, Ord, Hash, Default)]
    pub struct Instant {
        /// Seconds since the epoch, without leap seconds.
        pub seconds: u64,
    }
}

record! {
    /// A calendar day, counted from 1970-01-01.
    ///
    /// ```
    /// # mod olr { pub use olr_core::{time::Day}; }
    /// use olr::Day;
    ///
    /// let day: Day = "2028-03-01".parse()?;
    /// // As a last day it lasts until it has ended everywhere on earth.
    /// assert_eq!(day.ends().to_string(), "2028-03-02T12:00:00Z");
    /// # Ok::<(), olr_core::error::Error>(())
    /// ```
    #[derive(Copy, PartialOrd, Ord, Hash, Default)]
    pub struct Day {
        /// Days since the epoch.
        pub number: u32,
    }
}

impl Instant {
    /// Makes the instant `seconds` after the epoch.
    pub const fn new(seconds: u64) -> Self {
        Self { seconds }
    }

    /// Returns the UTC day of the instant.
    pub fn day(self) -> Day {
        let number = u32::try_from(self.seconds / DAY).unwrap_or(LAST_DAY);
        Day { number: number.min(LAST_DAY) }
    }
}

impl FromStr for Instant {
    type Err = Error;

    /// Parses `2027-11-23T12:00:00Z`, or a day, which means its first second in UTC.
    ///
    /// # Errors
    /// Exit 2 if `text` is neither, or before 1970.
    fn from_str(text: &str) -> Result<Self> {
        if let Ok(day) = text.parse::<Day>() {
            return Ok(Self::new(u64::from(day.number).saturating_mul(DAY)));
        }
        let parsed = text.parse::<jiff::Timestamp>().ok();
        let parsed = parsed.and_then(|at| u64::try_from(at.as_second()).ok()).map(Self::new);
        parsed.or_else(|| Self::parse_utc(text)).ok_or_else(|| {
            let fact = format!("{text:?} is not a time");
            match Day::written_otherwise(text) {
                Some(days) => Error::unable(Problem::Usage, fact, format!("write {days}")),
                None => Error::unable(
                    Problem::Usage,
                    fact,
                    "write it like 2027-11-23 or 2027-11-23T12:00:00Z",
                ),
            }
        })
    }
}

impl Instant {
    /// Parses the form in which instants are displayed. `jiff::Timestamp` cannot parse the last
    /// hours of the year 9999.
    fn parse_utc(text: &str) -> Option<Self> {
        let at = text.strip_suffix('Z')?.parse::<jiff::civil::DateTime>().ok()?;
        let day = u64::from(Day::from_date(at.date())?.number);
        let hms = [at.hour(), at.minute(), at.second()].map(u64::try_from);
        let [Ok(hour), Ok(minute), Ok(second)] = hms else { return None };
        let seconds = hour.saturating_mul(3600).saturating_add(minute.saturating_mul(60));
        Some(Self::new(day.saturating_mul(DAY).saturating_add(seconds).saturating_add(second)))
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (day, second) = (self.seconds / DAY, self.seconds % DAY);
        match u32::try_from(day) {
            Ok(number) if number <= LAST_DAY => {
                let (hour, minute) = (second / 3600, second / 60 % 60);
                write!(f, "{}T{hour:02}:{minute:02}:{:02}Z", Day { number }, second % 60)
            }
            _ => write!(f, "second {}", self.seconds),
        }
    }
}

impl Day {
    /// Instant at which the day begins in the earliest time zone: 10:00:00 UTC of the day before.
    /// The first day of a license begins then.
    pub fn begins(self) -> Instant {
        Instant::new(u64::from(self.number).saturating_mul(DAY).saturating_sub(EARLIEST))
    }

    /// Returns the days that `text` may mean if it is written in another order or with other
    /// separators, for a hint: `2027-12-31`, or `2027-05-12 or 2027-12-05`.
    pub fn written_otherwise(text: &str) -> Option<String> {
        let days: Vec<_> = otherwise::days(text).iter().map(ToString::to_string).collect();
        (!days.is_empty()).then(|| days.join(" or "))
    }

    /// True if `text` looks like a day that was mistyped.
    pub fn is_meant(text: &str) -> bool {
        if Self::written_otherwise(text).is_some() {
            return true;
        }
        let mut parts = text.split(|c: char| !c.is_ascii_digit());
        parts.next().is_some_and(|year| year.len() == 4) && parts.count() == 2
    }

    /// Instant at which the day has ended in every time zone: 12:00:00 UTC of the next day. The
    /// last day of a license or of maintenance ends then.
    pub fn ends(self) -> Instant {
        let next = u64::from(self.number).saturating_add(1).saturating_mul(DAY);
        Instant::new(next.saturating_add(HALF_DAY))
    }

    fn date(self) -> Date {
        let days = i32::try_from(self.number.min(LAST_DAY)).unwrap_or(0);
        let epoch = Date::constant(1970, 1, 1);
        epoch.checked_add(jiff::Span::new().days(days)).unwrap_or(epoch)
    }

    fn from_date(date: Date) -> Option<Self> {
        let since = date.since(Date::constant(1970, 1, 1)).ok()?;
        u32::try_from(since.get_days()).ok().map(|number| Self { number })
    }
}

impl FromStr for Day {
    type Err = Error;

    /// Parses `2027-11-23`.
    ///
    /// # Errors
    /// Exit 2 if `text` is not such a day, or before 1970.
    fn from_str(text: &str) -> Result<Self> {
        let shape = text.len() == 10 && text.bytes().all(|b| b.is_ascii_digit() || b == b'-');
        let date = if shape { text.parse::<Date>().ok() } else { None };
        date.and_then(Self::from_date).ok_or_else(|| {
            let foreign = text.chars().find(|c| !c.is_ascii());
            let fact = match foreign.map(code_point) {
                _ if shape => format!("the day {text} does not exist, or is before 1970"),
                Some(foreign) => format!("{text:?} is not a day: it contains {foreign}"),
                None => format!("{text:?} is not a day"),
            };
            match Self::written_otherwise(text) {
                Some(days) => Error::unable(Problem::Usage, fact, format!("write {days}")),
                None => Error::unable(Problem::Usage, fact, "write it like 2027-11-23"),
            }
        })
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.number > LAST_DAY {
            return write!(f, "day {}", self.number);
        }
        write!(f, "{}", self.date())
    }
}

/// A length of time, as written in a grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Span {
    /// A number of days.
    Days(u32),
    /// A number of calendar months.
    Months(u32),
    /// A number of calendar years.
    Years(u32),
}

impl FromStr for Span {
    type Err = Error;

    /// Parses `60 days`, `6 months` or `1 year`.
    ///
    /// # Errors
    /// Exit 2 if `text` is none of these.
    fn from_str(text: &str) -> Result<Self> {
        let wrong = || {
            let fact = format!("{text:?} is not a span");
            Error::unable(
                Problem::Usage,
                fact,
                "write it like \"60 days\", \"6 months\" or \"1 year\"",
            )
        };
        let (count, unit) = text.split_once(' ').ok_or_else(wrong)?;
        let count = count.parse().ok().filter(|count| *count > 0).ok_or_else(wrong)?;
        match unit {
            "day" | "days" => Ok(Self::Days(count)),
            "month" | "months" => Ok(Self::Months(count)),
            "year" | "years" => Ok(Self::Years(count)),
            _ => Err(wrong()),
        }
    }
}

impl Span {
    /// Returns the last day of a span that begins on `start`. A span of n days ends n days after
    /// `start`. Months and years end the day before the same day of a later month, or before the
    /// last day of that month if it is shorter; for them, 29 February counts as 28 February.
    ///
    /// # Errors
    /// Exit 2 if that day is after the year 9999.
    pub fn end_from(self, start: Day) -> Result<Day> {
        let late = || {
            let hint = "write a shorter span, or \"never\" for no end date";
            Error::unable(Problem::Usage, "this span ends after the year 9999", hint)
        };
        let count = |n: u32| i64::from(n);
        let date = start.date();
        let end = match self {
            Self::Days(n) => {
                date.checked_add(jiff::Span::new().try_days(count(n)).map_err(|_| late())?)
            }
            Self::Months(n) => {
                same_day_then(date, jiff::Span::new().try_months(count(n)).map_err(|_| late())?)
            }
            Self::Years(n) => {
                same_day_then(date, jiff::Span::new().try_years(count(n)).map_err(|_| late())?)
            }
        };
        end.ok().and_then(Day::from_date).ok_or_else(late)
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (count, unit) = match self {
            Self::Days(count) => (count, "day"),
            Self::Months(count) => (count, "month"),
            Self::Years(count) => (count, "year"),
        };
        let plural = if *count == 1 { "" } else { "s" };
        write!(f, "{count} {unit}{plural}")
    }
}

fn same_day_then(start: Date, span: jiff::Span) -> std::result::Result<Date, jiff::Error> {
    let leap_day = start.month() == 2 && start.day() == 29;
    let start = if leap_day { start.yesterday()? } else { start };
    start.checked_add(span)?.yesterday()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Day {
        text.parse::<Day>().unwrap()
    }

    #[test]
    fn spans_end_as_the_domain_says() {
        for (start, span, end) in [
            ("2027-04-30", "1 year", "2028-04-29"),
            ("2028-02-29", "1 year", "2029-02-27"),
            ("2027-02-28", "1 year", "2028-02-27"),
            ("2027-01-31", "1 month", "2027-02-27"),
            ("2027-11-23", "60 days", "2028-01-22"),
            ("2027-01-01", "1 days", "2027-01-02"),
            ("9998-06-01", "1 year", "9999-05-31"),
        ] {
            assert_eq!(
                span.parse::<Span>().unwrap().end_from(day(start)).unwrap(),
                day(end),
                "{span}"
            );
        }
        assert!(Span::Years(1).end_from(day("9999-06-01")).is_err());
        assert!(Span::Days(u32::MAX).end_from(day("2027-01-01")).is_err());
        assert!(Span::Years(u32::MAX).end_from(day("2027-01-01")).is_err());
    }

    #[test]
    fn a_day_lasts_until_it_has_ended_everywhere() {
        let d = day("2027-11-23");
        assert_eq!(d.begins().to_string(), "2027-11-22T10:00:00Z");
        assert_eq!(d.ends().to_string(), "2027-11-24T12:00:00Z");
        assert_eq!("2027-11-23T23:59:59Z".parse::<Instant>().unwrap().day(), d);
        assert_eq!(Day { number: LAST_DAY }.to_string(), "9999-12-31");
        assert_eq!(Day { number: u32::MAX }.to_string(), "day 4294967295");
        assert_eq!(Instant::new(u64::MAX).day().number, LAST_DAY);
    }

    #[test]
    fn what_is_no_day_is_refused() {
        for text in
            ["", "2027-02-29", "2027-13-01", "23.11.2027", "1969-12-31", "2027-11-23x", "never"]
        {
            assert!(text.parse::<Day>().is_err(), "{text}");
        }
        for text in ["", "1", "1  year", "-1 years", "0 days", "1 fortnight", "year"] {
            assert!(text.parse::<Span>().is_err(), "{text}");
        }
    }
}
