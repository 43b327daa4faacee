//! Days as people write them, in other orders and with other separators than `2027-12-31`.

use jiff::civil::Date;

use super::Day;

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// A part of a written day: a number, or the name of a month.
enum Part<'a> {
    Number(&'a str),
    Month(i8),
}

impl<'a> Part<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        if (1..=4).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit()) {
            return Some(Self::Number(text));
        }
        let is_name = text.len() >= 3 && text.bytes().all(|b| b.is_ascii_alphabetic());
        let start = text.get(..3).filter(|_| is_name)?.to_ascii_lowercase();
        let month = MONTHS.iter().zip(1..).find(|(month, _)| **month == start);
        month.map(|(_, number)| Self::Month(number))
    }

    fn year(&self) -> Option<i16> {
        match self {
            Self::Number(text) if text.len() == 4 => text.parse().ok(),
            Self::Number(text) if text.len() == 2 => text.parse::<i16>().ok()?.checked_add(2000),
            _ => None,
        }
    }

    fn month(&self) -> Option<i8> {
        match self {
            Self::Number(text) if text.len() <= 2 => text.parse().ok(),
            Self::Number(_) => None,
            Self::Month(number) => Some(*number),
        }
    }

    fn day(&self) -> Option<i8> {
        if matches!(self, Self::Month(_)) { None } else { self.month() }
    }
}

/// Returns the days that `text` may mean. There are two if either number may be the month.
pub(super) fn days(text: &str) -> Vec<Day> {
    let text = text.trim();
    let timed = text.split_once(['T', ' ']).filter(|(_, time)| time.contains(':'));
    let text = timed.map_or(text, |(day, _)| day);
    let joined = match (text.len(), text.bytes().all(|b| b.is_ascii_digit())) {
        (8, true) => text.split_at_checked(4).and_then(|(year, rest)| {
            let (month, day) = rest.split_at_checked(2)?;
            Some(vec![year, month, day])
        }),
        _ => None,
    };
    let apart = || {
        let parts = text.split(|c: char| !c.is_alphanumeric());
        parts.filter(|part| !part.is_empty()).take(4).collect::<Vec<_>>()
    };
    let parts: Option<Vec<_>> = joined.unwrap_or_else(apart).into_iter().map(Part::parse).collect();
    let Some([first, second, third]) = parts.as_deref() else { return Vec::new() };
    let date = |year: Option<i16>, month: Option<i8>, day: Option<i8>| {
        Day::from_date(Date::new(year?, month?, day?).ok()?)
    };
    if matches!(first, Part::Number(year) if year.len() == 4) {
        return date(first.year(), second.month(), third.day()).into_iter().collect();
    }
    let mut days: Vec<_> = date(third.year(), second.month(), first.day()).into_iter().collect();
    // People who write dots write the day first.
    if !text.contains('.') {
        days.extend(date(third.year(), first.month(), second.day()));
    }
    days.dedup();
    days
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_found_in_other_orders() {
        for (text, found) in [
            ("31.12.2027", &["2027-12-31"][..]),
            ("31. 12. 2027", &["2027-12-31"]),
            ("5.4.2027", &["2027-04-05"]),
            ("1.1.27", &["2027-01-01"]),
            ("31/12/2027", &["2027-12-31"]),
            ("12/31/2027", &["2027-12-31"]),
            ("12-05-2027", &["2027-05-12", "2027-12-05"]),
            ("05/05/2027", &["2027-05-05"]),
            ("2027/12/31", &["2027-12-31"]),
            ("2027.12.31", &["2027-12-31"]),
            ("2027-1-5", &["2027-01-05"]),
            ("20271231", &["2027-12-31"]),
            ("31 Dec 2027", &["2027-12-31"]),
            ("December 31, 2027", &["2027-12-31"]),
            ("31-dec-27", &["2027-12-31"]),
            ("2027-12-31T00:00:00Z", &["2027-12-31"]),
            ("2027-12-31 07:30", &["2027-12-31"]),
            ("31.2.2027", &[]),
            ("31/12", &[]),
            ("2027", &[]),
            ("365", &[]),
            ("99999999", &[]),
            ("10.000.000", &[]),
            ("1 year", &[]),
            ("never", &[]),
            ("1.2.3.4", &[]),
            ("٣١/١٢/٢٠٢٧", &[]),
            ("1/2/1969", &[]),
            ("", &[]),
        ] {
            let days: Vec<_> = days(text).iter().map(ToString::to_string).collect();
            assert_eq!(days, found, "{text}");
        }
    }
}
